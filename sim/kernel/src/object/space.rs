//! The memory of a process: its regions, what their pages say, and who has locked them.
//!
//! This is what a program can see of memory. Where the pages are, and which are shared until somebody writes, no program
//! can tell: that is a matter of costs, and a run keeps account of it. Which are shared for good, every program can tell that
//! has them: such pages are a [`Segment`].

use std::collections::{BTreeMap, VecDeque};

use ipcsim_program::{Pages, SegmentId, ThreadId, limits, state};

state! {
    /// The memory of a process.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Space {
        /// Its regions, by number.
        pub regions: BTreeMap<u32, Mapping>,
        /// The locked pages that are its alone, by region and page.
        pub locks: BTreeMap<(u32, u32), Lock>,
        /// The shared pages that this process was the first to share, by number; they stay here when it has ended.
        pub segments: BTreeMap<u32, Segment>,
    }
}

state! {
    /// What a region is.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub enum Mapping {
        /// Pages that are the process's alone.
        Private(Pages),
        /// Pages that others have, too.
        Shared {
            /// Which.
            segment: SegmentId,
            /// How many.
            pages: u32,
        },
    }
}

state! {
    /// Pages that several regions are, of one process or of many.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Segment {
        /// What they say.
        pub pages: Pages,
        /// Those that are locked.
        pub locks: BTreeMap<u32, Lock>,
        /// How many regions it is, and how many messages carry it.
        pub references: u32 as derived,
    }
}

state! {
    /// The lock of a page, while somebody has it.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Lock {
        /// Who has it, and can give it back.
        pub owner: Owner,
        /// Those who wait for it, in order of arrival.
        pub waiting: VecDeque<ThreadId>,
    }
}

state! {
    /// Who has a lock.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[repr(u32)]
    pub enum Owner {
        /// This thread, which lives.
        Thread(ThreadId),
        /// Nobody: the thread has ended.
        Ended,
        /// Nobody: a `fork` has copied the memory, and not the thread.
        NotCopied,
    }
}

impl Mapping {
    /// How many pages it has.
    pub fn count(&self) -> u32 {
        match self {
            Mapping::Private(pages) => pages.count(),
            Mapping::Shared { pages, .. } => *pages,
        }
    }
}

impl Lock {
    /// A lock that this thread has.
    pub fn of(owner: ThreadId) -> Self {
        Self { owner: Owner::Thread(owner), waiting: VecDeque::new() }
    }
}

impl Space {
    /// Takes in pages as a new region, which gets the lowest number that is free and not reserved. If the process would have too many
    /// pages then, nothing changes.
    pub fn take_in(&mut self, mapping: Mapping, reserved: &[u32]) -> Option<u32> {
        if !self.has_room(mapping.count()) {
            return None;
        }
        let is_free =
            |number: &u32| !self.regions.contains_key(number) && !reserved.contains(number);
        let number = match reserved {
            [] => lowest_free(&self.regions),
            _ => (0..=(self.regions.len() + reserved.len()) as u32).find(is_free)?,
        };
        self.regions.insert(number, mapping);
        Some(number)
    }

    /// Whether the process may have so many pages more.
    pub fn has_room(&self, pages: u32) -> bool {
        let had: u64 = self.regions.values().map(|mapping| u64::from(mapping.count())).sum();
        had + u64::from(pages) <= u64::from(limits::PAGES)
    }

    /// Takes back a region that had left, under its old number if that is free. There is always room for it.
    pub fn take_back(&mut self, number: u32, mapping: Mapping) -> u32 {
        let is_free = !self.regions.contains_key(&number);
        let number = if is_free { number } else { lowest_free(&self.regions) };
        self.regions.insert(number, mapping);
        number
    }

    /// Makes private pages a segment, with their locks. The region, and one besides, refer to it.
    pub fn make_segment(&mut self, region: u32) -> u32 {
        let number = lowest_free(&self.segments);
        let Some(Mapping::Private(pages)) = self.regions.remove(&region) else {
            unreachable!("only private pages become a segment");
        };
        let locks = self.take_locks(region);
        self.segments.insert(number, Segment { pages, locks, references: 2 });
        number
    }

    /// The locks of a region that is going, by page.
    pub fn take_locks(&mut self, region: u32) -> BTreeMap<u32, Lock> {
        let (own, others): (BTreeMap<_, _>, _) =
            std::mem::take(&mut self.locks).into_iter().partition(|((of, _), _)| *of == region);
        self.locks = others;
        own.into_iter().map(|((_, page), lock)| (page, lock)).collect()
    }
}

fn lowest_free<T>(used: &BTreeMap<u32, T>) -> u32 {
    let mut free = (0..).zip(used.keys()).skip_while(|(number, key)| number == *key);
    free.next().map_or_else(|| used.len() as u32, |(number, _)| number)
}
