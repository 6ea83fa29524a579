//! The one place where threads, objects, oracle and sink meet: performing a step.
//!
//! A step never recurses into its consequences. What ends, what becomes free and who must be told
//! goes on a short work list, which is settled before the step returns; so even a chain of a
//! hundred thousand processes that die of each other's death needs no stack.

mod carry;
mod control;
mod destination;
mod exception;
mod exec;
mod files;
mod fork;
mod hold;
mod inspect;
mod local;
mod lock;
mod losing;
mod memory;
mod naming;
mod notices;
mod objects;
mod offer;
mod once;
mod prelude;
mod process;
mod receive;
mod region;
mod release;
mod rights;
mod rpc;
mod select;
mod send;
mod sets;
mod short;
mod spawn;
mod stopped;
mod stream;
mod thread;
mod wait;

use std::sync::Arc;

use ipcsim_program::{
    Answer, Effect, Expr, Fault, Handle, MailboxId, Message, Op, Outcome, Pc, ProcessId, Region,
    Register, SegmentId, Span, ThreadId, Time, Value, Verb, misuse,
};

pub(crate) use stopped::with_local_work_done;

use crate::eval::{Scope, Who};
use crate::event::{Event, Kind};
use crate::machine::Machine;
use crate::oracle::{Oracle, Question};
use crate::sink::Sink;
use crate::state::{Sources, State, Thread, ThreadState};

/// What a driver may ask the kernel to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transition {
    /// Start a process whose time has come.
    Start(ProcessId),
    /// Let a thread that is ready, suspended or not, do its local work, up to its next system call.
    Local(ThreadId),
    /// Let a ready thread that stands before a system call perform it.
    Call(ThreadId),
    /// End a bounded wait.
    Expire(ThreadId),
}

/// How far a thread got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The request is done.
    Done,
    /// The thread stands before a system call, or before its end.
    AtCall,
    /// The thread stands before an access to memory that others can see; its next call performs it.
    AtAccess,
    /// It has performed one.
    Accessed,
    /// The thread must use the processor for this long before it goes on. Only where time passes.
    Computes(Span),
    /// The thread has raised an exception; its next call ends it.
    Raised,
    /// The thread lets others run.
    Yielded,
    /// The thread is in a local loop beyond [`ipcsim_program::limits::LOCAL_OPERATIONS`].
    Endless,
}

/// Performs one transition. The result depends on the machine, the state, the transition and the
/// oracle's answers, and on nothing else.
///
/// Panics if the transition is not possible in this state: a driver asks only for what
/// [`ThreadState`] shows to be possible.
pub fn step<O: Oracle, S: Sink>(
    machine: &Machine,
    state: &mut State,
    transition: Transition,
    oracle: &mut O,
    sink: &mut S,
) -> Progress {
    if short::step(machine, state, transition, sink).is_some() {
        return Progress::Done;
    }
    let mut step = Step { machine, state, oracle, sink, work: Vec::new(), handled: 0 };
    let progress = match transition {
        Transition::Start(process) => step.start_process(process),
        Transition::Local(thread) => step.local(thread),
        Transition::Call(thread) => step.call(thread),
        Transition::Expire(thread) => step.expire(thread),
    };
    if step.work.is_empty() {
        // As in most steps, nothing was ever put there: there is nothing to free and nothing to look at.
        std::mem::forget(step.work);
    } else {
        step.settle();
    }
    progress
}

/// A step under way.
struct Step<'a, O, S> {
    machine: &'a Machine,
    state: &'a mut State,
    oracle: &'a mut O,
    sink: &'a mut S,
    /// Consequences in order of appearance; most steps have none.
    work: Vec<Work>,
    /// How much of long values was visited, see [`Scope::handled`].
    handled: u64,
}

/// A consequence that is still to be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Work {
    /// Whoever waits for something from this process is told that it has ended.
    ProcessEnded(ProcessId),
    /// A slot may be free: the blocked senders are looked at.
    Refill(MailboxId),
    /// Kernel memory may be free: the senders that wait for it are looked at.
    Memory,
    /// A notice is on its way.
    Notice(Arc<Message>),
    /// A send right to this port is gone; it may have been the last.
    Senders(MailboxId),
    /// What this port controls has ended, or its receive right was in a lost message. Deferred: there may be such a
    /// message in that port as well, and so on.
    PortLost(MailboxId),
    /// The receive right of this port has left its holder in a message: unless it has come back, those who wait at
    /// the port are told. Deferred: one that then fails would end the process in the middle of its send.
    ReceiverLeft(MailboxId),
    /// A region has left its process, and so have its locks. The segment, if it is one, is named.
    RegionLeft(Region, Option<SegmentId>),
    /// The last end on one side of a pipe or channel is closed.
    EndClosed(MailboxId),
    /// An end to read from is closed, and others are left, perhaps where nobody can come to them.
    Unreachable,
    /// A receiver that was woken did not take what it was woken for: others may.
    PassOn(ProcessId, Sources),
}

/// Whether a finished call has waited on the way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waited {
    Never,
    Some,
}

/// Why a call cannot go on: an outcome for the author, or an exception.
enum Stop {
    Outcome(Outcome),
    Fault(Fault),
}

impl Stop {
    const NO_RIGHT: Self = Stop::Outcome(Outcome::NoRight);
    const REFUSED: Self = Stop::Outcome(Outcome::Refused);
    const DEAD: Self = Stop::Outcome(Outcome::Dead);
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::Fault(fault)
    }
}

impl<'a, O: Oracle, S: Sink> Step<'a, O, S> {
    fn settle(mut self) {
        // New consequences that appear meanwhile go behind these.
        while !self.work.is_empty() {
            for work in std::mem::take(&mut self.work) {
                self.draw(work);
            }
        }
    }

    fn draw(&mut self, work: Work) {
        match work {
            Work::ProcessEnded(process) => self.tell_of_the_end(process),
            Work::Refill(mailbox) if self.mailbox(mailbox).bytes().is_some() => {
                self.settle_pipe(mailbox);
            }
            Work::Refill(mailbox) => self.refill(mailbox),
            Work::EndClosed(stream) => self.end_is_closed(stream),
            Work::Unreachable => self.collect_the_unreachable(),
            Work::Memory => self.hand_out_memory(),
            Work::PassOn(process, sources) => self.pass_on(process, &sources),
            Work::Notice(message) => self.deliver_notice(message),
            Work::PortLost(port) => self.lose_receiver(port),
            Work::ReceiverLeft(port) => self.tell_receivers_of_the_dead(port),
            Work::Senders(port) => self.look_for_senders(port),
            Work::RegionLeft(region, segment) => self.tell_who_waits_for_locks(region, segment),
        }
    }

    fn call(&mut self, t: ThreadId) -> Progress {
        if let ThreadState::Raising(fault) = &self.thread(t).state {
            let fault = fault.clone();
            self.thread_mut(t).state = ThreadState::Ready;
            self.fail(t, fault);
            return Progress::Done;
        }
        let machine = self.machine;
        let call = match &machine.code[self.thread(t).pc.index()] {
            Op::Call(call) => call,
            Op::Access(access) => return self.access_as_a_step(t, access),
            Op::End => {
                self.end_thread(t);
                return Progress::Done;
            }
            other => unreachable!("a thread before a call stands before {other:?}"),
        };
        let result = match &call.verb {
            Verb::Send(send) => self.send(t, send),
            Verb::Call { request, answer: Answer::Message(_) } => self.request(t, request),
            Verb::Call { request, answer: Answer::OfNames(inquiry) } => {
                self.inquire(t, request, *inquiry)
            }
            Verb::Receive(receive) => self.receive(t, receive),
            Verb::Reply(reply) => self.reply(t, reply),
            Verb::Select { among, wait, .. } => self.select(t, among, wait),
            Verb::Sleep(time) => self.sleep(t, time),
            Verb::Yield => {
                self.complete(t, Outcome::Ok);
                return Progress::Yielded;
            }
            Verb::Exit(code) => self.exit(t, code),
            Verb::Control(command, target) => self.control(t, *command, target),
            Verb::Spawn(spawn) => self.spawn(t, spawn),
            Verb::Fault(kind) => Err(Stop::Fault(Fault::Raised(Arc::clone(kind)))),
            Verb::StartThread { name, entry } => self.start_thread(t, *name, *entry),
            Verb::Join { threads, wait } => self.join(t, threads, wait),
            Verb::Create { .. } => self.create(t, &call.verb),
            Verb::CreatePort { into, limit } => self.create_port(t, *into, limit.as_ref()),
            Verb::Destroy(object) => self.destroy(t, object),
            Verb::Drop(right) => self.drop_right(t, right),
            Verb::Limit { port, limit } => self.limit(t, port, limit),
            Verb::CreateSet { into } => self.create_set(t, *into),
            Verb::Insert { port, into } => self.insert(t, port, into),
            Verb::Remove { port, out_of } => self.take_out(t, port, out_of),
            Verb::Watch(watch) => self.watch(t, watch),
            Verb::Inspect { what, of, into } => self.inspect(t, *what, of, *into),
            Verb::Image(verb) => self.image(t, verb),
            Verb::Memory(verb) => self.memory(t, verb),
            Verb::File(verb) => self.file(t, verb),
        };
        match result {
            Ok(()) => {}
            Err(Stop::Outcome(outcome)) => self.complete(t, outcome),
            Err(Stop::Fault(fault)) => self.fail(t, fault),
        }
        Progress::Done
    }

    // Threads.

    fn thread(&self, t: ThreadId) -> &Thread {
        &self.state.threads[t.index()]
    }

    fn thread_mut(&mut self, t: ThreadId) -> &mut Thread {
        &mut self.state.threads[t.index()]
    }

    fn eval(&mut self, t: ThreadId, expr: &Expr) -> Result<Value, Fault> {
        if let Expr::Constant(value) = expr {
            return Ok(value.clone());
        }
        let mut scope = self.scope(t);
        let value = scope.eval(expr);
        let handled = scope.handled;
        self.handled += handled;
        value
    }

    /// The mailbox that an expression names, if its form shows that it names one. Read in place:
    /// returning a value to take it apart costs more than the rest of the call.
    fn named_mailbox(&mut self, t: ThreadId, expr: &Expr) -> Result<Option<MailboxId>, Fault> {
        match expr.peek(&self.thread(t).registers) {
            Some(Value::Handle(Handle::Mailbox(mailbox))) => Ok(Some(*mailbox)),
            Some(_) => Ok(None),
            None => match expr {
                Expr::MailboxMember { first, count, index } => {
                    self.scope(t).mailbox_member(*first, *count, index).map(Some)
                }
                _ => Ok(None),
            },
        }
    }

    fn scope(&mut self, t: ThreadId) -> Scope<'_, O> {
        let machine = self.machine;
        let thread = &self.state.threads[t.index()];
        Scope {
            machine,
            registers: &thread.registers,
            who: Who::of(machine, thread),
            status: thread.status,
            oracle: self.oracle,
            handled: 0,
        }
    }

    fn set(&mut self, t: ThreadId, register: Register, value: Value) {
        self.thread_mut(t).registers[register.index()] = value;
    }

    /// A program's time span, computed now.
    fn span(&mut self, t: ThreadId, time: &Time) -> Result<Span, Fault> {
        match time {
            Time::Span(span) => Ok(*span),
            Time::Computed(expr) => match self.eval(t, expr)? {
                Value::Duration(ns) => {
                    u64::try_from(ns).map(Span::exactly).map_err(|_| Fault::Negative)
                }
                other => Err(misuse::needs("a time needs a unit, such as `5ms`", &other)),
            },
        }
    }

    /// Ends a thread's call: it goes on where the step says for this outcome. A thread that has
    /// ended in the meantime does not.
    fn complete(&mut self, t: ThreadId, outcome: Outcome) {
        let thread = self.thread_mut(t);
        if thread.state.is_ready() {
            return self.leave_call(t, outcome, Waited::Never);
        }
        match std::mem::replace(&mut thread.state, ThreadState::Ready) {
            ThreadState::Ended => self.thread_mut(t).state = ThreadState::Ended,
            ThreadState::Blocked { .. } => {
                self.leave_call(t, outcome, Waited::Some);
                if self.thread(t).state.is_ready() {
                    self.make_ready(t, ThreadState::Ready);
                }
            }
            ThreadState::LookingAgain { at, .. } => {
                self.leave_call(t, outcome, Waited::Some);
                self.look_is_over(t, at);
            }
            ThreadState::NotStarted
            | ThreadState::Ready
            | ThreadState::Suspended(_)
            | ThreadState::Raising(_) => {
                unreachable!("only a thread that is in a call completes it")
            }
        }
    }

    fn leave_call(&mut self, t: ThreadId, outcome: Outcome, waited: Waited) {
        let machine = self.machine;
        let thread = self.thread_mut(t);
        thread.status = outcome;
        let pc = thread.pc;
        let call = machine.call(pc);
        let is_telling = |effect: Effect| matches!(effect, Effect::HasNoEvent);
        if S::EVENTS
            && (waited == Waited::Some || outcome != Outcome::Ok || call.verb.may(is_telling))
        {
            self.note(Some(t), Kind::Returned(outcome));
        }
        let next = match call.handler(outcome) {
            None if outcome.is_good() => Some(pc.next()),
            handler => handler,
        };
        match next {
            Some(next) => self.thread_mut(t).pc = next,
            None => self.fail(t, Fault::Unhandled(outcome)),
        }
    }

    fn thread_has_ended(&self, t: ThreadId) -> bool {
        self.thread(t).state.is_ended()
    }

    // Telling and asking.

    fn note(&mut self, thread: Option<ThreadId>, kind: Kind) {
        if S::EVENTS {
            let pc = thread.map(|t| self.thread(t).pc);
            self.sink.event(self.machine, self.state, &Event { thread, pc, kind });
        }
    }

    /// Reports what a thread has done at a place that it has left since.
    fn note_at(&mut self, (t, pc): (ThreadId, Pc), kind: Kind) {
        if S::EVENTS {
            let event = Event { thread: Some(t), pc: Some(pc), kind };
            self.sink.event(self.machine, self.state, &event);
        }
    }

    fn ask(&mut self, thread: Option<ThreadId>, question: Question) -> u64 {
        if question.answers() == Some(1) {
            return 0;
        }
        let answer = self.oracle.choose(question);
        self.note(thread, Kind::Chose(question, answer));
        answer
    }
}
