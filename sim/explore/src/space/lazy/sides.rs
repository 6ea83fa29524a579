//! Which calls are lazy.
//!
//! The question is always the same: is there anything, later, whose effect differs between a thread that waits here and one
//! that would call just afterwards? In which order a queue is served makes no difference: whoever is served can call just then.
//! Where one thread has to wait eagerly, all that stand in the same queue do.

use ipcsim_kernel::object::port::{Port, Receiver};
use ipcsim_kernel::program::{Command, Effect, Op, Send};
use ipcsim_kernel::table::Notes;
use ipcsim_kernel::{
    BlockedOn, Bound, Capacity, Detect, DyingPort, Expr, Function, HandOver, Machine, Mailbox,
    MailboxId, State, ThreadId, ThreadState, Value,
};

use super::super::codec::parts::Is;
use super::super::order::code::Code;
use super::super::steps::cache::Came;
use super::reach::Links;

/// Which calls are lazy: all receives, and sends to some mailboxes and links.
#[derive(Clone, Debug)]
pub(crate) struct Sides {
    sends: Box<[Is]>,
    pub memory: Memory,
    /// Whether there is nothing but plain message passing.
    pub plain: Is,
}

/// Whether the kernel may run out of memory for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// There is enough for as many messages as mailboxes and links can hold.
    Enough,
    Scarce,
}

impl Sides {
    /// The lazy calls of a machine with this initial state; `None` if it has none.
    pub(crate) fn of(machine: &Machine, state: &State) -> Option<Self> {
        if is_eager(machine) || machine.has_ports() && has_eager_ports(machine, state) {
            return None;
        }
        let boxes = state.mailboxes.items();
        let sizes = Sizes::of(machine, boxes);
        let memory = sizes.need_of(machine, boxes);
        let stores = |mailbox: &Mailbox| mailbox.spec.capacity != Capacity::None;
        // Memory has one queue for all: if one thread must wait in it eagerly, all must.
        let waits_eagerly = memory == Memory::Scarce
            && !(sizes.are_equal()
                && boxes.iter().all(sends_lazily)
                && has_one_sender_each(machine, state));
        let lazily =
            |mailbox: &Mailbox| sends_lazily(mailbox) && !(waits_eagerly && stores(mailbox));
        let sends = boxes.iter().map(|mailbox| Is::when(lazily(mailbox))).collect();
        let plain = Is::when(!machine.any_call(|effect| !effect.is_plain()));
        Some(Self { sends, memory, plain })
    }

    /// Whether every call is lazy, and may be completed whatever happens at other mailboxes, but for kernel memory; and there
    /// are no other calls.
    pub(crate) fn are_independent(&self) -> bool {
        self.plain == Is::So && !self.sends.contains(&Is::NotSo)
    }

    /// Whether a lazy call may have to wait for memory.
    pub(crate) fn wait_for_memory(&self) -> bool {
        self.memory == Memory::Scarce && self.sends.contains(&Is::So)
    }

    /// How the calls of these threads came out, if one of them waits now.
    pub(crate) fn came(
        &self,
        state: &State,
        callers: impl Iterator<Item = ThreadId>,
    ) -> Option<Came> {
        callers.filter_map(|t| self.waits(state, t)).reduce(Came::and)
    }

    /// Whether sends to this mailbox are lazy. A link that is only made on the way ends the search anyhow.
    fn sends_to(&self, id: MailboxId) -> Is {
        self.sends.get(id.index()).copied().unwrap_or_default()
    }

    fn waits(&self, state: &State, t: ThreadId) -> Option<Came> {
        // Looking at it any other way would count as reading.
        if !state.threads.changed(t.index()) {
            return None;
        }
        let thread = &state.threads.items()[t.index()];
        let ThreadState::Blocked { on, bound } = &thread.state else { return None };
        let waits = |side: Is| match side {
            Is::So => Came::Waits(*bound),
            Is::NotSo => Came::Stays,
        };
        match on {
            BlockedOn::Send(id) => Some(waits(self.sends_to(*id))),
            BlockedOn::Memory(id) => Some(match (self.sends_to(*id), bound) {
                (Is::So, Bound::Forever) => Came::WaitsForMemory,
                (side, _) => waits(side),
            }),
            BlockedOn::Receive { .. } | BlockedOn::Sleep => Some(Came::Waits(*bound)),
            BlockedOn::Select(_)
            | BlockedOn::Reply { .. }
            | BlockedOn::Join(_)
            | BlockedOn::Lock(..) => None,
        }
    }
}

/// Whether every call of a machine is eager.
fn is_eager(machine: &Machine) -> bool {
    let policies = &machine.policies;
    let is_eager = |effect: Effect| match effect {
        // Whoever is killed while it waits is killed as well before its call. And to wait for the end of a thread is no wait in a
        // queue of messages.
        Effect::Joins(_) | Effect::Commands(Command::Kill, _) => false,
        // What the kernel keeps stands in the queue.
        Effect::Sends(send) => send.hold.is_some() || !send.rights.is_empty(),
        Effect::Answers(reply) => !reply.rights.is_empty(),
        Effect::Receives(receive) => receive.max_size.is_some(),
        other => !other.is_plain(),
    };
    policies.looks_again()
        // Whether it matters there who waits already has not been looked into.
        || policies.hand_over == HandOver::IfRoom
        || policies.eager_limit.is_some()
        || policies.detect != Detect::Report
        || !machine.makes_all_links()
        || machine.any_call(is_eager)
        || machine.code.iter().any(draws)
}

/// Whether something about the ports of a machine makes every call eager. It must be known from the start who may send to each, and
/// who receives; and nobody may be told of what becomes of them.
fn has_eager_ports(machine: &Machine, state: &State) -> bool {
    let is_eager = |effect: Effect| match effect {
        // Ports do not serve blocked senders by type: who waits first decides.
        Effect::Receives(receive) => receive.kind.is_some(),
        // The right to answer travels with the message.
        Effect::Sends(send) => send.reply_to.is_some(),
        _ => false,
    };
    let is_special = |mailbox: &Mailbox| {
        let is_special_port = |port: &Port| {
            let is_held = matches!(port.receiver, Receiver::Held(_));
            !is_held || port.backup.is_some() || port.set.is_some()
        };
        mailbox.set().is_some()
            || mailbox.port().is_some_and(is_special_port)
            || (mailbox.port().is_some() && mailbox.spec.capacity == Capacity::Messages(0))
    };
    machine.policies.dying_port == DyingPort::Ok
        || !machine.name_servers.is_empty()
        || machine.any_call(is_eager)
        || state.mailboxes.items().iter().any(is_special)
        || (0..state.mailboxes.len()).any(|id| machine.handles_exceptions(MailboxId::at(id)))
}

/// Whether a call draws lots: waiting would settle the draw.
fn draws(op: &Op) -> bool {
    let is_random = |part: &Expr| matches!(part, Expr::Function(Function::Random, _));
    let mut draws = false;
    op.expressions(&mut |expr| draws |= expr.contains(&is_random));
    draws && matches!(op, Op::Call(_))
}

/// Whether a thread that waits for a slot of a mailbox could as well send later.
fn sends_lazily(mailbox: &Mailbox) -> bool {
    match mailbox.spec.capacity {
        Capacity::None | Capacity::Messages(_) | Capacity::Unlimited => true,
        // Who waits in front lets nobody overtake, even where there is room for less; `no room` is for good, and who has not
        // called yet could always still be lucky.
        Capacity::Bytes(_) | Capacity::Undefined => false,
    }
}

/// Whether no two threads send to the same mailbox that can be full. Of two that wait for memory, the first could fill it,
/// and the second would go on waiting for memory, where a later one would wait for a slot.
fn has_one_sender_each(machine: &Machine, state: &State) -> bool {
    let boxes = state.mailboxes.items();
    let links = Links(boxes.iter().map(Mailbox::link).collect());
    let mut senders = vec![0; boxes.len()];
    for thread in state.threads.items() {
        for id in Code::new(machine, thread, (&links, boxes)).destinations() {
            senders[id.index()] += 1;
        }
    }
    let has_one = |(mailbox, senders): (&Mailbox, u32)| {
        senders <= 1 || !matches!(mailbox.spec.capacity, Capacity::Messages(_))
    };
    boxes.iter().zip(senders).all(has_one)
}

/// The sizes of a machine's messages, in bytes, as far as they can be told before it runs.
struct Sizes(Vec<Option<u64>>);

impl Sizes {
    fn of(machine: &Machine, boxes: &[Mailbox]) -> Self {
        let held = boxes.iter().flat_map(|mailbox| &mailbox.messages);
        let mut sizes: Vec<Option<u64>> = held.map(|message| Some(message.size)).collect();
        for op in &machine.code {
            op.effects(&mut |effect| {
                if let Effect::Sends(send) = effect {
                    sizes.push(size_of(send));
                }
            });
        }
        sizes.sort_unstable();
        sizes.dedup();
        Self(sizes)
    }

    fn are_equal(&self) -> bool {
        matches!(self.0[..], [] | [Some(_)])
    }

    /// Whether memory suffices for as many of the largest messages as can be stored at once.
    fn need_of(&self, machine: &Machine, boxes: &[Mailbox]) -> Memory {
        let Some(limit) = machine.policies.memory else { return Memory::Enough };
        let largest = self.0.iter().copied().collect::<Option<Vec<u64>>>();
        let largest = largest.map(|sizes| sizes.last().copied().unwrap_or(0));
        let stored = boxes.iter().map(|mailbox| match mailbox.spec.capacity {
            Capacity::None => Some(0),
            Capacity::Messages(most) => Some(most),
            Capacity::Bytes(_) | Capacity::Undefined | Capacity::Unlimited => None,
        });
        let stored = stored.sum::<Option<u64>>();
        let need = largest.zip(stored).and_then(|(size, count)| {
            size.checked_add(machine.policies.message_overhead)?.checked_mul(count)
        });
        if need.is_some_and(|need| need <= limit) { Memory::Enough } else { Memory::Scarce }
    }
}

/// The size of what is sent, in bytes, if that is always the same.
fn size_of(send: &Send) -> Option<u64> {
    match (&send.size, &send.body) {
        (Some(Expr::Constant(Value::Int(size))), _) => u64::try_from(*size).ok(),
        (Some(_), _) => None,
        (None, Expr::Constant(body)) => Some(body.size_bytes()),
        (None, Expr::Index | Expr::ThreadIndex | Expr::Me | Expr::Unary(..) | Expr::Binary(..)) => {
            Some(Value::Int(0).size_bytes())
        }
        (None, _) => None,
    }
}
