//! Threads, and what they wait for.

use super::Encoder;
use crate::outcome::Fault;
use crate::state::{
    BlockedOn, Bound, Control, Filter, Holder, Look, Raised, Sources, Thread, ThreadState,
};
use crate::value::Value;

impl Encoder<'_> {
    pub(super) fn thread(&mut self, thread: &Thread) {
        self.number(u64::from(thread.process.0));
        self.number(u64::from(thread.name.0));
        self.number(u64::from(thread.index));
        self.number(thread.registers.len() as u64);
        self.thread_state(&thread.state);
        if thread.state.is_ended() {
            // Of a thread that has ended nothing matters any more but what somebody may look at.
            thread.registers.iter().for_each(|value| self.value(value));
            return;
        }
        if let Some(control) = &thread.control {
            self.control(control);
        }
        self.number(u64::from(thread.pc.0));
        self.outcome(thread.status);
        for value in &thread.registers {
            self.value(value);
        }
    }

    fn thread_state(&mut self, state: &ThreadState) {
        match state {
            ThreadState::NotStarted => self.byte(0),
            ThreadState::Ready => self.byte(1),
            ThreadState::Ended => self.byte(2),
            ThreadState::Suspended(then) => {
                self.byte(6);
                self.thread_state(then);
            }
            ThreadState::LookingAgain { bound, at } => {
                self.byte(3);
                self.bound(*bound);
                match at {
                    Look::Send(message) => {
                        self.byte(0);
                        self.message(message);
                    }
                    Look::SendFromMemoryQueue(message) => {
                        self.byte(2);
                        self.message(message);
                    }
                    Look::Receive(sources) => {
                        self.byte(1);
                        self.sources(sources);
                    }
                }
            }
            ThreadState::Raising(fault) => {
                self.byte(5);
                self.fault(fault);
            }
            ThreadState::Blocked { on, bound } => {
                self.byte(4);
                self.bound(*bound);
                self.blocked_on(on);
            }
        }
    }

    /// Begins as no place in a program does.
    fn control(&mut self, control: &Control) {
        self.number(u64::MAX);
        self.number(u64::from(control.suspended));
        match &control.raised {
            None => self.byte(0),
            Some(Raised { fault, level }) => {
                self.byte(1 + *level as u8);
                self.fault(fault);
            }
        }
    }

    fn bound(&mut self, bound: Bound) {
        self.byte(match bound {
            Bound::Forever => 0,
            Bound::Bounded => 1,
            Bound::Expired => 2,
        });
    }

    fn blocked_on(&mut self, on: &BlockedOn) {
        match on {
            BlockedOn::Send(message) => {
                self.byte(0);
                self.message(message);
            }
            BlockedOn::Memory(message) => {
                self.byte(1);
                self.message(message);
            }
            BlockedOn::Receive { sources, filter } => {
                self.byte(2);
                self.sources(sources);
                self.filter(filter.as_deref());
            }
            BlockedOn::Select(sources) => {
                self.byte(3);
                self.sources(sources);
            }
            BlockedOn::Reply { right, holder } => {
                self.byte(4);
                self.right(*right);
                self.holder(*holder);
            }
            BlockedOn::Join(threads) => {
                self.byte(5);
                self.threads(threads.iter());
            }
            BlockedOn::Sleep => self.byte(6),
        }
    }

    pub(super) fn holder(&mut self, holder: Holder) {
        match holder {
            Holder::Queued(mailbox) => self.number(u64::from(mailbox.0) * 2),
            Holder::Taken(process) => self.number(u64::from(process.0) * 2 + 1),
        }
    }

    fn sources(&mut self, sources: &Sources) {
        match sources {
            Sources::Anyone => self.byte(0),
            listed => {
                self.number(listed.listed().len() as u64 + 1);
                for mailbox in listed.listed() {
                    self.number(u64::from(mailbox.0));
                }
            }
        }
    }

    fn filter(&mut self, filter: Option<&Filter>) {
        match filter {
            None => self.byte(0),
            Some(Filter { kind, max_size }) => {
                // No type at all is another wish than the type `none`.
                self.byte(if kind.is_some() { 2 } else { 1 });
                self.value(kind.as_ref().unwrap_or(&Value::None));
                self.number(max_size.map_or(0, |max| max.saturating_add(1)));
            }
        }
    }

    pub(super) fn fault(&mut self, fault: &Fault) {
        match fault {
            Fault::Unhandled(outcome) => {
                self.byte(0);
                self.outcome(*outcome);
            }
            Fault::AssertFailed => self.byte(1),
            Fault::Overflow => self.byte(2),
            Fault::DivisionByZero => self.byte(3),
            Fault::BadIndex => self.byte(4),
            Fault::MixedTypes => self.byte(5),
            Fault::TooLong => self.byte(6),
            Fault::Exit(code) => {
                self.byte(7);
                self.signed(*code);
            }
            Fault::Negative => self.byte(8),
            Fault::NothingThere => self.byte(9),
            Fault::TooManyLinks => self.byte(10),
            Fault::Raised(kind) => {
                self.byte(11);
                self.text(kind);
            }
            Fault::NotAnObject => self.byte(12),
        }
    }
}
