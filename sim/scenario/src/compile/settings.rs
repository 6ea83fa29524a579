//! Values of keys as the machine knows them: policies, costs, capacities.

use ipcsim_kernel::{
    ByteOrder, Capacity, Costs, Detect, DyingPort, Exec, Fork, ForkImage, HandOver, InFlightCycles,
    Inheritance, MemoryFull, OnExec, Order, Pick, Policies, Preempt, Scheduler, SetOrder, Timing,
    TooLarge, Wake,
};

use crate::ast::{Arg, Fields, Flag};
use crate::place::Placed;

pub(super) fn capacity(fields: &Fields, key: &str) -> Option<Capacity> {
    match fields.get(key).map(|arg| &arg.value) {
        Some(Arg::Capacity(capacity)) => Some(*capacity),
        _ => None,
    }
}

pub(super) fn word(fields: &Fields, key: &str) -> Option<&'static str> {
    match fields.get(key).map(|arg| &arg.value) {
        Some(Arg::Word(word)) => Some(word),
        _ => None,
    }
}

pub(super) fn name<'a>(fields: &'a Fields, key: &str) -> Option<Placed<&'a str>> {
    match fields.get(key) {
        Some(Placed { value: Arg::Name(name), at }) => Some(Placed::new(name.as_str(), *at)),
        _ => None,
    }
}

pub(super) fn unsigned(fields: &Fields, key: &str) -> Option<u64> {
    match fields.get(key).map(|arg| &arg.value) {
        Some(Arg::Unsigned(number) | Arg::Bytes(number) | Arg::Nanoseconds(number)) => {
            Some(*number)
        }
        _ => None,
    }
}

pub(super) fn pick(fields: &Fields, key: &str) -> Option<Pick> {
    word(fields, key).map(|word| match word {
        "lifo" => Pick::Lifo,
        "priority" => Pick::Priority,
        "arbitrary" => Pick::Arbitrary,
        _ => Pick::Fifo,
    })
}

pub(super) fn order(fields: &Fields) -> Order {
    match word(fields, "order") {
        Some("priority") => Order::Priority,
        _ => Order::Fifo,
    }
}

pub(super) fn policies(kernel: &Fields) -> Policies {
    let memory = match kernel.get("memory").map(|arg| &arg.value) {
        Some(Arg::Memory(memory)) => *memory,
        _ => None,
    };
    Policies {
        buffering: capacity(kernel, "buffering").unwrap_or(Capacity::None),
        memory,
        message_overhead: unsigned(kernel, "message-overhead").unwrap_or(0),
        page: unsigned(kernel, "page").unwrap_or(4096),
        memory_full: match word(kernel, "memory-full") {
            Some("fail") => MemoryFull::Fail,
            _ => MemoryFull::Wait,
        },
        receiver: pick(kernel, "receiver").unwrap_or(Pick::Fifo),
        sender: pick(kernel, "sender").unwrap_or(Pick::Fifo),
        wake_senders: wake(kernel, "senders"),
        wake_receivers: wake(kernel, "receivers"),
        too_large: match word(kernel, "too-large") {
            Some("destroy") => TooLarge::Destroy,
            _ => TooLarge::Keep,
        },
        detect: match word(kernel, "detect") {
            Some("refuse") => Detect::Refuse,
            Some("refuse-chain") => Detect::RefuseChain,
            _ => Detect::Report,
        },
        dying_port: match word(kernel, "dying-port") {
            Some("ok") => DyingPort::Ok,
            _ => DyingPort::Dead,
        },
        set_order: match word(kernel, "set-order") {
            Some("round-robin") => SetOrder::RoundRobin,
            Some("arbitrary") => SetOrder::Arbitrary,
            _ => SetOrder::Merged,
        },
        hand_over: match word(kernel, "hand-over") {
            Some("if-room") => HandOver::IfRoom,
            _ => HandOver::AtOnce,
        },
        eager_limit: unsigned(kernel, "eager-limit"),
        byte_order: match word(kernel, "byte-order") {
            Some("fits") => ByteOrder::Fits,
            _ => ByteOrder::Fifo,
        },
        fork: fork(kernel),
        exec: exec(kernel),
        descriptors_on_exec: match word(kernel, "descriptors-on-exec") {
            Some("close") => OnExec::Close,
            _ => OnExec::Keep,
        },
        pipe_buf: unsigned(kernel, "pipe-buf").unwrap_or(4096),
        in_flight_cycles: match word(kernel, "in-flight-cycles") {
            Some("leak") => InFlightCycles::Leak,
            _ => InFlightCycles::Collect,
        },
    }
}

fn fork(kernel: &Fields) -> Fork {
    match word(kernel, "fork") {
        Some("refuse") => Fork::Refuse,
        Some("all-threads") => Fork::AllThreads,
        _ => Fork::OneThread,
    }
}

fn exec(kernel: &Fields) -> Exec {
    match word(kernel, "exec") {
        Some("refuse") => Exec::Refuse,
        Some("wait-for-threads") => Exec::WaitForThreads,
        Some("keep-threads") => Exec::KeepThreads,
        Some("kill-then-load") => Exec::KillThenLoad,
        _ => Exec::KillThreads,
    }
}

/// What waking does on this side: what `wake` says of it, or of both.
fn wake(kernel: &Fields, side: &str) -> Wake {
    let written = match kernel.get("wake").map(|arg| &arg.value) {
        Some(Arg::Table(sides)) => word(sides, side),
        _ => word(kernel, "wake"),
    };
    if written == Some("look-again") { Wake::LookAgain } else { Wake::HandOver }
}

pub(super) fn timing(kernel: &Fields) -> Timing {
    let default = Timing::default();
    let costs = match kernel.get("costs").map(|arg| &arg.value) {
        Some(Arg::Table(fields)) => Costs {
            syscall_ns: unsigned(fields, "syscall").unwrap_or(default.costs.syscall_ns),
            context_switch_ns: unsigned(fields, "context-switch")
                .unwrap_or(default.costs.context_switch_ns),
            copy_per_kib_ns: unsigned(fields, "copy-per-KiB")
                .unwrap_or(default.costs.copy_per_kib_ns),
            poll_ns: unsigned(fields, "poll").unwrap_or(default.costs.poll_ns),
            map_page_ns: unsigned(fields, "map-page").unwrap_or(default.costs.map_page_ns),
            page_fault_ns: unsigned(fields, "page-fault").unwrap_or(default.costs.page_fault_ns),
            access_ns: unsigned(fields, "access").unwrap_or(default.costs.access_ns),
        },
        _ => default.costs,
    };
    Timing {
        seed: unsigned(kernel, "seed").unwrap_or(0),
        cpus: u32::try_from(unsigned(kernel, "cpus").unwrap_or(1)).unwrap_or(1),
        scheduler: match word(kernel, "scheduler") {
            Some("round-robin") => Scheduler::RoundRobin,
            Some("priority") => Scheduler::Priority,
            Some("random") => Scheduler::Random,
            _ => Scheduler::Fifo,
        },
        preempt: match word(kernel, "preempt") {
            Some("calls") => Preempt::Calls,
            _ => Preempt::Never,
        },
        quantum_ns: unsigned(kernel, "quantum").unwrap_or(default.quantum_ns).max(1),
        inheritance: match kernel.get("priority-inheritance").map(|arg| &arg.value) {
            Some(Arg::Flag(Flag::Yes)) => Inheritance::On,
            _ => Inheritance::Off,
        },
        fork_image: match word(kernel, "fork-image") {
            Some("copy") => ForkImage::Copy,
            _ => ForkImage::CopyOnWrite,
        },
        costs,
    }
}
