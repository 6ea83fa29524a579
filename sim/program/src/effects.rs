//! What a call may do, stated once for each verb. Every analysis of code that has not run yet asks here: which links
//! will exist, which thread could still help which, which steps commute, which variables are still read.
//! `tests/effects.rs` compares this with the form of each verb and with what happens in runs.

use crate::expr::Expr;
use crate::ids::{Pc, Register, ThreadName};
use crate::parts::{
    AccessKind, Answer, Command, From, Grant, Image, Inquiry, MemoryAccess, Otherwise, PageOf,
    Receive, Reply, Send, Spawn, Target, Threads, Time, Transfer, TransferMode, Wait, Watch,
    WhichPages,
};
use crate::value::Value;
use crate::verb::{FileVerb, ImageVerb, MemoryVerb, Verb};

/// One thing that a call may do. It need not: a call can fail, and what it finds decides.
#[derive(Clone, Copy, Debug)]
pub enum Effect<'a> {
    /// It evaluates this.
    Reads(&'a Expr),
    /// If it ends well, this variable has a new value.
    Writes(Register),
    /// Its outcome is not kept: it is part of another step.
    KeepsStatus,
    /// If it neither waits nor fails, a trace shows only its return.
    HasNoEvent,
    /// It is about this object; a trace puts this preposition before its name.
    IsAbout(&'static str, &'a Expr),
    /// It may block, for this long.
    Waits(&'a Wait),
    /// It blocks until its time has come.
    Sleeps(&'a Time),
    /// It sends a message, with the rights in it.
    Sends(&'a Send),
    /// What it sends is a request, and it blocks until that is answered.
    AwaitsAnswer,
    /// What it sends is a question to its name server.
    Asks(Inquiry),
    /// It finds out how many bytes went: what it sends to is a pipe.
    Counts,
    /// It takes a message.
    Receives(&'a Receive),
    /// It finds out what a receive from there would find, or blocks until that finds something.
    LooksAt(&'a Expr),
    /// It answers a message, with the rights in the answer.
    Answers(&'a Reply),
    /// Its process ends, with this code.
    Exits(&'a Expr),
    /// It raises an exception.
    Raises,
    /// It controls a process, or threads of its own.
    Commands(Command, &'a Target),
    /// It makes a process, which gets rights.
    Spawns(&'a Spawn),
    /// The process that it makes begins here, with its variables; behind the call, if nothing is said.
    Forks(Option<Pc>),
    /// Its process goes on with the program that begins here: its memory and its other threads are gone.
    Replaces(&'a Image),
    /// It starts a thread of its own process.
    Starts(ThreadName, Pc),
    /// It blocks until threads of its own process have ended.
    Joins(&'a Threads),
    /// It makes a mailbox or a port set.
    Creates,
    /// It makes a port.
    CreatesPort,
    /// It destroys a mailbox or a port, with all that waits there.
    Destroys(&'a Expr),
    /// It gives up a right.
    GivesUp(&'a Expr),
    /// It puts a port into a set: threads that wait at the port are refused, threads that wait at the set get what it
    /// holds.
    Inserts {
        /// The port.
        port: &'a Expr,
        /// The set.
        set: &'a Expr,
    },
    /// It takes a port out of its set.
    Removes,
    /// It changes an object in such a way that those who wait there may go on: a port gets a new queue limit.
    Changes(&'a Expr),
    /// It requests a notice.
    Watches(&'a Watch),
    /// It looks at its own rights.
    Inspects,
    /// It opens a file, or makes a pipe or a channel.
    Opens,
    /// It closes a descriptor.
    Closes(&'a Expr),
    /// It gives back the lock of a page.
    Unlocks,
    /// Its process has a region no more: whoever waits for a lock there gets nothing.
    Frees,
    /// It does something to memory, or to what the caller's process has of it. Not plain: partial order looks at calls, and an
    /// access is none.
    UsesMemory,
}

impl Effect<'_> {
    /// Whether it concerns only messages, time, or the caller's own process. A call with no other effects treats all
    /// mailboxes, threads and processes alike, whatever their number, and is about one queue at most.
    pub fn is_plain(self) -> bool {
        match self {
            Effect::Reads(_)
            | Effect::Writes(_)
            | Effect::IsAbout(..)
            | Effect::Waits(_)
            | Effect::Sleeps(_)
            | Effect::Sends(_)
            | Effect::AwaitsAnswer
            | Effect::Asks(_)
            | Effect::Receives(_)
            | Effect::Answers(_)
            | Effect::Exits(_) => true,
            Effect::KeepsStatus
            | Effect::HasNoEvent
            | Effect::Counts
            | Effect::LooksAt(_)
            | Effect::Raises
            | Effect::Commands(..)
            | Effect::Spawns(_)
            | Effect::Forks(_)
            | Effect::Replaces(_)
            | Effect::Starts(..)
            | Effect::Joins(_)
            | Effect::Creates
            | Effect::CreatesPort
            | Effect::Destroys(_)
            | Effect::GivesUp(_)
            | Effect::Inserts { .. }
            | Effect::Removes
            | Effect::Changes(_)
            | Effect::Watches(_)
            | Effect::Inspects
            | Effect::Opens
            | Effect::Closes(_)
            | Effect::Unlocks
            | Effect::Frees
            | Effect::UsesMemory => false,
        }
    }
}

impl Verb {
    /// Reports everything that this call may do.
    pub fn effects<'a>(&'a self, tell: &mut impl FnMut(Effect<'a>)) {
        use Effect::{Creates, CreatesPort, HasNoEvent, IsAbout, Reads, Writes};
        match self {
            Verb::Send(send) => send.effects(tell),
            Verb::Call { request, answer } => {
                request.effects(tell);
                answer.effects(tell);
            }
            Verb::Receive(receive) => receive.effects(tell),
            Verb::Reply(reply) => reply.effects(tell),
            Verb::Select { into, among, wait } => {
                tell_all(&[HasNoEvent, Reads(among), Effect::LooksAt(among), Writes(*into)], tell);
                wait.effects(tell);
            }
            Verb::Sleep(time) => time.effects(tell),
            Verb::Yield => {}
            Verb::Exit(code) => tell_all(&[Reads(code), Effect::Exits(code)], tell),
            Verb::Control(command, target) => target.effects(*command, tell),
            Verb::Spawn(spawn) => spawn.effects(tell),
            Verb::Fault(_) => tell_all(&[Effect::Raises], tell),
            Verb::StartThread { name, entry } => tell_all(&[Effect::Starts(*name, *entry)], tell),
            Verb::Join { threads, wait } => {
                tell_reads(&threads.index, tell);
                tell_all(&[HasNoEvent, Effect::Joins(threads)], tell);
                wait.effects(tell);
            }
            Verb::Create { into, .. } | Verb::CreateSet { into } => {
                tell_all(&[Creates, Writes(*into)], tell);
            }
            Verb::CreatePort { into, limit } => {
                tell_reads(limit, tell);
                tell_all(&[CreatesPort, Writes(*into)], tell);
            }
            Verb::Destroy(object) => about(object, &[Effect::Destroys(object)], tell),
            Verb::Drop(right) => about(right, &[HasNoEvent, Effect::GivesUp(right)], tell),
            Verb::Insert { port, into: set } => {
                let inserts = Effect::Inserts { port, set };
                about(port, &[IsAbout("into ", set), Reads(set), HasNoEvent, inserts], tell);
            }
            Verb::Remove { port, out_of: set } => {
                let removes = Effect::Removes;
                about(port, &[IsAbout("out of ", set), Reads(set), HasNoEvent, removes], tell);
            }
            Verb::Limit { port, limit } => {
                about(port, &[Reads(limit), HasNoEvent, Effect::Changes(port)], tell);
            }
            Verb::Watch(watch) => watch.effects(tell),
            Verb::Inspect { of, into, .. } => {
                let inspects = [HasNoEvent, Effect::KeepsStatus, Effect::Inspects, Writes(*into)];
                about(of, &inspects, tell);
            }
            Verb::Image(verb) => verb.effects(tell),
            Verb::Memory(verb) => verb.effects(tell),
            Verb::File(verb) => verb.effects(tell),
        }
    }

    /// Whether it may have such an effect.
    pub fn may(&self, such: impl Fn(Effect) -> bool) -> bool {
        let mut found = false;
        self.effects(&mut |effect| found |= such(effect));
        found
    }

    /// Whether the thread may go on after it where no handler says so: if all goes well, or if somebody resumes it after an
    /// exception. After an exit it does if the code cannot be computed; after an `exec` if that fails.
    pub fn may_return(&self) -> bool {
        let never_returns = |effect: Effect| match effect {
            Effect::Exits(code) => matches!(code, Expr::Constant(Value::Int(_))),
            Effect::Replaces(image) => image.otherwise == Otherwise::Fails,
            _ => false,
        };
        !self.may(never_returns)
    }

    /// The variables that it may set.
    pub fn writes(&self) -> impl Iterator<Item = Register> + use<> {
        let mut written = [None; 2];
        let mut free = written.iter_mut();
        self.effects(&mut |effect| {
            if let Effect::Writes(register) = effect {
                *free.next().expect("a call sets two variables at most") = Some(register);
            }
        });
        written.into_iter().flatten()
    }
}

fn tell_all<'a>(effects: &[Effect<'a>], tell: &mut impl FnMut(Effect<'a>)) {
    for effect in effects {
        tell(*effect);
    }
}

fn tell_reads<'a>(parts: impl IntoIterator<Item = &'a Expr>, tell: &mut impl FnMut(Effect<'a>)) {
    parts.into_iter().for_each(|part| tell(Effect::Reads(part)));
}

/// The effects of a call that is about one object, and these besides.
fn about<'a>(object: &'a Expr, besides: &[Effect<'a>], tell: &mut impl FnMut(Effect<'a>)) {
    tell_all(&[Effect::IsAbout("", object), Effect::Reads(object)], tell);
    tell_all(besides, tell);
}

fn tell_memory<'a>(memory: &'a [Transfer], tell: &mut impl FnMut(Effect<'a>)) {
    for Transfer { region, mode } in memory {
        tell_all(&[Effect::Reads(region), Effect::UsesMemory], tell);
        if *mode == TransferMode::Move {
            tell(Effect::Frees);
        }
    }
}

fn ports_of(rights: &[Grant]) -> impl Iterator<Item = &Expr> {
    rights.iter().map(|grant| &grant.port)
}

impl Send {
    fn effects<'a>(&'a self, tell: &mut impl FnMut(Effect<'a>)) {
        let Self { to, body, size, kind, priority, reply_to, rights, memory, hold, into, wait } =
            self;
        if *to != Expr::NameServer {
            tell(Effect::IsAbout("to ", to));
        }
        let parts = [size, kind, priority, reply_to, hold].into_iter().flatten();
        tell_reads([to, body].into_iter().chain(parts).chain(ports_of(rights)), tell);
        tell_memory(memory, tell);
        tell(Effect::Sends(self));
        if let Some(into) = into {
            tell_all(&[Effect::Counts, Effect::Writes(*into)], tell);
        }
        wait.effects(tell);
    }
}

impl Answer {
    fn effects<'a>(self, tell: &mut impl FnMut(Effect<'a>)) {
        tell(Effect::AwaitsAnswer);
        if let Answer::OfNames(inquiry) = self {
            tell(Effect::Asks(inquiry));
        }
        self.writes().into_iter().for_each(|into| tell(Effect::Writes(into)));
    }
}

impl Receive {
    fn effects<'a>(&'a self, tell: &mut impl FnMut(Effect<'a>)) {
        let Self { into, from, kind, wait, max_size } = self;
        let sources = match from {
            From::These(sources) => Some(sources),
            From::Anyone => None,
        };
        tell_reads(sources.into_iter().chain(kind).chain(max_size), tell);
        tell_all(&[Effect::Receives(self), Effect::Writes(*into)], tell);
        wait.effects(tell);
    }
}

impl Reply {
    fn effects<'a>(&'a self, tell: &mut impl FnMut(Effect<'a>)) {
        let Self { to, body, size, rights, memory } = self;
        tell_reads([to, body].into_iter().chain(size).chain(ports_of(rights)), tell);
        tell_memory(memory, tell);
        tell(Effect::Answers(self));
    }
}

impl Target {
    fn effects<'a>(&'a self, command: Command, tell: &mut impl FnMut(Effect<'a>)) {
        tell_reads(self.expression(), tell);
        if let Target::Processes(whom) = self {
            tell(Effect::IsAbout("", whom));
        }
        tell(Effect::Commands(command, self));
    }
}

impl Spawn {
    fn effects<'a>(&'a self, tell: &mut impl FnMut(Effect<'a>)) {
        let values = self.with.iter().map(|(_, value)| value);
        tell_reads(values.chain(ports_of(&self.rights)), tell);
        tell(Effect::Spawns(self));
        self.into.into_iter().for_each(|into| tell(Effect::Writes(into)));
    }
}

impl ImageVerb {
    fn effects<'a>(&'a self, tell: &mut impl FnMut(Effect<'a>)) {
        match self {
            ImageVerb::Fork { child, entry } => {
                child.effects(tell);
                tell(Effect::Forks(*entry));
            }
            ImageVerb::Exec(image) => {
                // It may wait for the other threads of its process.
                tell(Effect::Waits(&Wait::Forever));
                if let Some(image) = image {
                    tell_reads(image.with.iter().map(|(_, value)| value), tell);
                    tell_all(&[Effect::Frees, Effect::Replaces(image)], tell);
                }
            }
        }
    }
}

impl MemoryVerb {
    fn effects<'a>(&'a self, tell: &mut impl FnMut(Effect<'a>)) {
        use Effect::{Reads, Writes};
        match self {
            MemoryVerb::Allocate { into, size, value } => {
                tell_all(&[Reads(size), Reads(value), Effect::UsesMemory, Writes(*into)], tell);
            }
            MemoryVerb::Free(region) => about(region, &[Effect::UsesMemory, Effect::Frees], tell),
            MemoryVerb::Lock { page, wait } => {
                page.effects(tell);
                wait.effects(tell);
            }
            MemoryVerb::Unlock(page) => {
                page.effects(tell);
                tell(Effect::Unlocks);
            }
        }
    }
}

impl FileVerb {
    fn effects<'a>(&'a self, tell: &mut impl FnMut(Effect<'a>)) {
        use Effect::{HasNoEvent, Reads, Writes};
        match self {
            FileVerb::Open { path, into, .. } => {
                tell_all(&[HasNoEvent, Reads(path), Effect::Opens, Writes(*into)], tell);
            }
            FileVerb::CreateStream { kind: _, read, write, on_exec: _ } => {
                tell_all(&[Effect::Creates, Effect::Opens, Writes(*read), Writes(*write)], tell);
            }
            FileVerb::Close(descriptor) => {
                about(descriptor, &[Effect::Closes(descriptor)], tell);
            }
            FileVerb::Duplicate { of, into, on_exec: _ } => {
                about(of, &[HasNoEvent, Effect::Opens, Writes(*into)], tell);
            }
        }
    }
}

impl PageOf {
    fn effects<'a>(&'a self, tell: &mut impl FnMut(Effect<'a>)) {
        let Self { region, page } = self;
        about(region, &[Effect::Reads(page), Effect::UsesMemory], tell);
    }
}

impl MemoryAccess {
    /// What an access does, in the words of calls.
    pub fn effects<'a>(&'a self, tell: &mut impl FnMut(Effect<'a>)) {
        let Self { region, kind } = self;
        about(region, &[Effect::UsesMemory], tell);
        match kind {
            AccessKind::Read { page, into } => {
                tell_all(&[Effect::Reads(page), Effect::Writes(*into)], tell);
            }
            AccessKind::Write { pages, value } => {
                tell(Effect::Reads(value));
                match pages {
                    WhichPages::All => {}
                    WhichPages::One(page) => tell(Effect::Reads(page)),
                    WhichPages::First(count) => tell(Effect::Reads(count)),
                }
            }
        }
    }
}

impl Watch {
    fn effects<'a>(&'a self, tell: &mut impl FnMut(Effect<'a>)) {
        let Self { port, until: _, notify, sync } = self;
        about(port, &[Effect::Reads(notify), Effect::HasNoEvent], tell);
        tell_reads(sync, tell);
        tell(Effect::Watches(self));
    }
}

impl Time {
    fn effects<'a>(&'a self, tell: &mut impl FnMut(Effect<'a>)) {
        tell_reads(self.expression(), tell);
        tell(Effect::Sleeps(self));
    }
}

impl Wait {
    fn effects<'a>(&'a self, tell: &mut impl FnMut(Effect<'a>)) {
        if let Wait::For(time) = self {
            tell_reads(time.expression(), tell);
        }
        tell(Effect::Waits(self));
    }
}
