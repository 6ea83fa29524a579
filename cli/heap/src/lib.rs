//! The allocator of the program: the system's own, and it counts.
//!
//! Two things the standard library does not offer. How much memory is in use is known at any moment, so
//! that a limit is kept before the system feels it. And where memory cannot be had the program says so
//! and ends with exit code 3, "not decided"; by itself Rust would abort, as for a fault of the program.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes are in use in blocks that count, give or take 64 KiB for each thread.
pub static IN_USE: AtomicUsize = AtomicUsize::new(0);

/// Smaller blocks do not count: to count them all would make runs slower by some percent. What grows in small
/// blocks only is seen a moment later by whoever asks the system.
const COUNTS: usize = 256;

/// A thread tells what it has taken and given back when it is as much as this: threads that allocate at the
/// same time would wait for one another at each count.
const UNTOLD: isize = 64 << 10;

/// "Not decided": a limit was reached. As the exit codes of the program.
const NOT_DECIDED: i32 = 3;

thread_local! {
    static OWN: Cell<isize> = const { Cell::new(0) };
}

/// The system's allocator, counting.
pub struct Counting;

/// What a block of this size counts: the C library keeps a word in front of each, and rounds up.
const fn taken(size: usize) -> isize {
    if size < COUNTS { 0 } else { ((size + 8 + 15) & !15).cast_signed() }
}

#[inline]
fn count(bytes: isize) {
    if bytes == 0 {
        return;
    }
    // A thread that is ending has no counter any more; what little it does then is not counted.
    let _ = OWN.try_with(|own| {
        let sum = own.get() + bytes;
        if sum.abs() < UNTOLD {
            own.set(sum);
        } else {
            own.set(0);
            IN_USE.fetch_add(sum.cast_unsigned(), Ordering::Relaxed);
        }
    });
}

/// Ends the program: this many bytes cannot be had.
#[cold]
fn out_of_memory(bytes: usize) -> ! {
    // Nothing here may allocate: the text is put together on the stack.
    let mut text = [0_u8; 160];
    let mut rest = &mut text[..];
    let _ = writeln!(
        rest,
        "error: out of memory: the system gives no {bytes} bytes more; try --max-memory with less than it has"
    );
    let left = rest.len();
    let said = text.len() - left;
    let _ = std::io::stderr().write_all(&text[..said]);
    std::process::exit(NOT_DECIDED)
}

fn given(block: *mut u8, layout: Layout) -> *mut u8 {
    if block.is_null() {
        out_of_memory(layout.size());
    }
    count(taken(layout.size()));
    block
}

// SAFETY: every call goes to the system's allocator with the arguments that came. Counting touches a
// thread-local number and an atomic one, neither of which allocates, and it does not unwind.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`.
        given(unsafe { System.alloc(layout) }, layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        given(unsafe { System.alloc_zeroed(layout) }, layout)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(-taken(layout.size()));
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `realloc`.
        let block = unsafe { System.realloc(block, layout, size) };
        if block.is_null() {
            out_of_memory(size);
        }
        count(taken(size) - taken(layout.size()));
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[global_allocator]
    static HEAP: Counting = Counting;

    #[test]
    fn what_is_taken_is_counted_and_what_is_given_back_no_more() {
        let before = IN_USE.load(Ordering::Relaxed);
        let block = vec![1_u8; 10 << 20];
        let with = IN_USE.load(Ordering::Relaxed) - before;
        assert!(with.abs_diff(block.len()) < 1 << 20, "{with} bytes for {}", block.len());
        drop(block);
        let after = IN_USE.load(Ordering::Relaxed).wrapping_sub(before) as isize;
        assert!(after.abs() < 1 << 20, "{after} bytes are left");
    }
}
