//! What would end a thread's wait.
//!
//! | a thread that is | goes on when somebody |
//! | --- | --- |
//! | SEND-blocked | takes its message, or one whose slot it can have; destroys the mailbox; is the receiver and ends |
//! | RECEIVE-blocked | sends what it would take; destroys the mailbox; is the last sender and ends |
//! | REPLY-blocked | takes the request and then replies or ends; where it is taken, replies to it, or has it and ends |
//! | memory-blocked | takes or loses a message, which gives memory back |
//! | waiting for a notice | lets go of the right: `drop`, `destroy`, or the end of a holder |
//! | at one end of a pipe | reads or writes; is the last to close the other end, or ends with it open |
//! | LOCK-blocked | has the lock and gives it back; frees the region, in the same process |
//! | joining | is one of the threads awaited, and all of these end |
//! | suspended | resumes it |
//! | any of these | kills it, or interrupts it while it waits in a call |

use std::sync::Arc;

use ipcsim_program::{
    Access, Capacity, Carried, MailboxId, Message, Once, ProcessId, Region, ReplyRight, Right,
    ThreadId, Value,
};

use super::arrows::Arrows;
use super::condition::{Condition, Place, Type, Types};
use crate::object::filter::{Filter, is_wanted_type};
use crate::object::mailbox::Object;
use crate::object::port::Receiver;
use crate::object::space::Owner;
use crate::state::{BlockedOn, Holder, Life, Sources, State, ThreadState};

/// What the others do while somebody waits.
#[derive(Clone, Copy)]
pub(super) enum Others<'a> {
    /// They move: messages of any type come and go, and rights are passed on. What could end a wait then is said
    /// generously.
    Move,
    /// They wait as well. What is in the queues stays there until one of them does what its code says.
    Wait(&'a Arrows<'a>),
}

/// Tells what would end a wait.
pub(super) struct Awaited<'a> {
    pub state: &'a State,
    pub types: &'a Types<'a>,
    pub others: Others<'a>,
}

type Tell<'t> = &'t mut dyn FnMut(Condition);

impl Awaited<'_> {
    /// Tells each condition that would end a thread's wait. Where it takes several, such as the ends of all the threads
    /// that a join waits for, it tells each of them.
    pub(super) fn by(&self, t: ThreadId, tell: Tell) {
        let state = self.state;
        let thread = &state.threads[t.index()];
        tell(Condition::Anything);
        tell(Condition::ThreadKilled(t));
        let is_resumed = match self.others {
            Others::Move => matches!(thread.state, ThreadState::Suspended(_)),
            Others::Wait(_) => thread.is_held(),
        };
        if is_resumed {
            tell(Condition::ThreadResumed(t));
        }
        if state.processes[thread.process.index()].life == Life::Unborn {
            tell(Condition::Spawned(thread.process));
        }
        if let Some(on) = state.waits_for(t) {
            tell(Condition::ThreadInterrupted(t));
            self.of_a_call(t, on, tell);
        }
    }

    /// What would end the call in which a thread waits.
    fn of_a_call(&self, t: ThreadId, on: &BlockedOn, tell: Tell) {
        let state = self.state;
        let own = state.threads[t.index()].process;
        match on {
            BlockedOn::Sleep => {}
            BlockedOn::Send(mailbox) => {
                match self.others {
                    Others::Move => self.taken(*mailbox, None, tell),
                    Others::Wait(arrows) => self.of_a_slot(arrows.sending[&t], tell),
                }
                self.of_a_change(*mailbox, tell);
                self.of_the_receiver(*mailbox, tell);
                self.of_an_end(*mailbox, Access::Read, tell);
            }
            BlockedOn::Memory(mailbox) => {
                tell(Condition::MessageGone);
                self.of_the_receiver(*mailbox, tell);
                // A process that ends frees the memory of what is stored on the links to it.
                if let Others::Wait(_) = self.others {
                    holders_of_memory(state).for_each(|it| tell(Condition::ProcessEnds(it)));
                }
            }
            BlockedOn::Receive { sources, filter } => {
                self.of_sources(t, sources, wanted_type(filter.as_deref()), tell);
                // An end does not disturb whoever receives from anyone, or from a living mailbox too.
                if state.is_dead_but_for_links(own, sources) {
                    self.of_senders(own, sources, tell);
                    self.of_last_messages(sources, tell);
                }
            }
            BlockedOn::Select(sources) => {
                self.of_sources(t, sources, None, tell);
                senders(state, sources).for_each(|sender| tell(Condition::ProcessEnds(sender)));
                self.of_last_messages(sources, tell);
            }
            BlockedOn::Reply { right, holder: Holder::Queued(mailbox) } => {
                let kind = match self.others {
                    Others::Move => None,
                    Others::Wait(_) => self.types.number(type_of_request(state, *right, *mailbox)),
                };
                for place in self.places(*mailbox) {
                    tell(Condition::Answered(place, kind));
                }
                self.of_the_receiver(*mailbox, tell);
            }
            BlockedOn::Reply { holder: Holder::Taken(process), .. } => {
                tell(Condition::RepliedBy(*process));
                tell(Condition::RepliedTo(t));
                tell(Condition::ProcessEnds(*process));
            }
            BlockedOn::Lock(region, page) => self.of_a_lock(*region, *page, tell),
            BlockedOn::Join(threads) => {
                let is_living = |other: &ThreadId| !state.threads[other.index()].state.is_ended();
                let ends = threads.iter().copied().filter(is_living).map(Condition::ThreadEnds);
                self.all(ends.collect(), tell);
            }
        }
    }

    /// Who has the lock may give it back; if the region goes, nobody gets it.
    fn of_a_lock(&self, region: Region, page: u32, tell: Tell) {
        if let Some(Owner::Thread(owner)) = self.state.lock(region, page).map(|it| it.owner) {
            tell(Condition::Unlocked(owner));
        }
        tell(Condition::Freed(region.space));
    }

    /// It takes all of these, so none counts if one can never be.
    fn all(&self, conditions: Vec<Condition>, tell: Tell) {
        if conditions.iter().all(|condition| self.could_be(*condition)) {
            conditions.into_iter().for_each(tell);
        }
    }

    fn could_be(&self, condition: Condition) -> bool {
        match self.others {
            Others::Move => true,
            Others::Wait(arrows) => arrows.could_be(condition),
        }
    }

    /// Where somebody may take what is in a mailbox: a port in a set is received from through the set.
    fn places(&self, mailbox: MailboxId) -> [Place; 3] {
        [Place::At(mailbox), Place::At(self.state.known_as(mailbox)), Place::Anywhere]
    }

    fn taken(&self, mailbox: MailboxId, kind: Option<Type>, tell: Tell) {
        self.places(mailbox).into_iter().for_each(|place| tell(Condition::Taken(place, kind)));
    }

    fn of_a_change(&self, mailbox: MailboxId, tell: Tell) {
        tell(Condition::Changed(Place::At(mailbox)));
        tell(Condition::Changed(Place::Anywhere));
    }

    /// Who waits at one end of a pipe or channel goes on when everybody has closed the other end.
    fn of_an_end(&self, stream: MailboxId, end: Access, tell: Tell) {
        let state = self.state;
        if state.mailboxes[stream.index()].stream().is_none() {
            return;
        }
        let closes = |holder: ProcessId| Condition::Closes(holder, stream, end);
        self.all(state.holders_of(stream, end).map(closes).collect(), tell);
        // One that is on its way is closed by whoever takes the message, or with it.
        let carries = |message: &&Arc<Message>| {
            message.rights().contains(&Carried { port: stream, right: Right::File(end) })
        };
        for message in state.messages().filter(carries) {
            match self.others {
                Others::Move => tell(Condition::MessageGone),
                Others::Wait(_) => tell(Condition::Taken(Place::At(message.mailbox), None)),
            }
        }
    }

    /// Somebody may take a blocked sender's message, or free a slot for it.
    fn of_a_slot(&self, message: &Message, tell: Tell) {
        let mailbox = &self.state.mailboxes[message.mailbox.index()];
        // Whoever reads makes room.
        if mailbox.bytes().is_some() {
            return self.taken(message.mailbox, None, tell);
        }
        // A receive that wants none of the stored types takes a message directly from its sender, unless
        // the message must enter the queue first.
        if mailbox.serves(message) {
            self.taken(message.mailbox, self.types.number(message.kind()), tell);
        }
        // A receive that takes none of the stored types frees no slot.
        if mailbox.stores(message.size) && mailbox.spec.capacity != Capacity::Undefined {
            for stored in &mailbox.messages {
                self.taken(message.mailbox, self.types.number(stored.kind()), tell);
            }
        }
    }

    /// The receiver of a link, or of a port, may end; a mailbox may be destroyed.
    fn of_the_receiver(&self, mailbox: MailboxId, tell: Tell) {
        tell(Condition::Destroyed(mailbox));
        if let Some((_, to)) = self.state.mailboxes[mailbox.index()].link() {
            tell(Condition::ProcessEnds(to));
        }
        match (self.state.receiver_of(mailbox), self.others) {
            (Receiver::Held(process), _) => tell(Condition::ProcessEnds(process)),
            // The receive right is in a message there: the port may be lost with it.
            (Receiver::Carried(at), Others::Wait(_)) => tell(Condition::Taken(Place::At(at), None)),
            (Receiver::Carried(_), Others::Move) => tell(Condition::MessageGone),
            (Receiver::Kernel(_) | Receiver::Nobody, _) => {}
        }
    }

    /// A message may come from a source.
    fn of_sources(&self, t: ThreadId, sources: &Sources, kind: Option<&Value>, tell: Tell) {
        let state = self.state;
        let number = kind.and_then(|kind| self.types.number(kind));
        let own = &state.processes[state.threads[t.index()].process.index()];
        let mut sent = |place: Place| tell(Condition::Sent(place, number));
        let all: Vec<MailboxId> = match sources {
            Sources::Anyone => {
                sent(Place::SomeLink);
                own.inbox.links().collect()
            }
            listed => {
                let links =
                    listed.listed().iter().filter_map(|it| state.mailboxes[it.index()].link());
                links.for_each(|(from, _)| sent(Place::LinkFrom(from)));
                listed.listed().to_vec()
            }
        };
        // Who may send to a port is another question.
        let is_port = |source: &MailboxId| {
            let object = &state.mailboxes[source.index()].object;
            matches!(object, Object::Port(_) | Object::PortSet(_))
        };
        if sources.listed().is_empty() || !all.iter().all(is_port) {
            sent(Place::Anywhere);
        }
        for source in all {
            tell(Condition::Destroyed(source));
            self.of_an_end(source, Access::Write, tell);
            let set = state.mailboxes[source.index()].set();
            for at in [source].iter().chain(set.into_iter().flat_map(|set| &set.members)) {
                tell(Condition::Sent(Place::At(*at), number));
                if let Others::Wait(arrows) = self.others
                    && arrows.machine.has_ports()
                {
                    self.of_notices(*at, kind, arrows, tell);
                }
            }
        }
    }

    /// A receive that has only links as sources ends when all their senders have ended.
    fn of_senders(&self, own: ProcessId, sources: &Sources, tell: Tell) {
        // A thread cannot wait for the end of its own process.
        if senders(self.state, sources).all(|sender| sender != own) {
            self.all(senders(self.state, sources).map(Condition::ProcessEnds).collect(), tell);
        }
    }

    /// Taking the last message of a sender that has ended tells those who wait for more. No arrow leads to whoever could
    /// take it: the sender is what they wait for.
    fn of_last_messages(&self, sources: &Sources, tell: Tell) {
        if let Others::Wait(_) = self.others {
            return;
        }
        let is_last = |source: &&MailboxId| {
            let mailbox = &self.state.mailboxes[source.index()];
            mailbox.has_something()
                && mailbox.link().is_some_and(|(from, _)| self.state.has_ended(from))
        };
        let last = sources.listed().iter().filter(is_last);
        last.for_each(|source| tell(Condition::Taken(Place::At(*source), None)));
    }

    /// A notice comes to a port when a right is given up; if it can never come, `send-once` comes instead.
    fn of_notices(&self, notified: MailboxId, wanted: Option<&Value>, arrows: &Arrows, tell: Tell) {
        let state = self.state;
        let is_wanted = |notice: &str| {
            let offered = Value::Text(notice.into());
            wanted.is_none_or(|wanted| is_wanted_type(wanted, &offered))
        };
        let may_fail = is_wanted("send-once");
        if may_fail {
            self.of_rights_to_answer(notified, tell);
        }
        let comes_here = |once: Option<Once>, notices: &[&str]| {
            once.is_some_and(|once| once.port == notified)
                && (may_fail || notices.iter().any(|notice| is_wanted(notice)))
        };
        for id in (0..state.mailboxes.len()).map(MailboxId::at) {
            let Some(port) = state.mailboxes[id.index()].port() else { continue };
            for held in port.held.iter().filter(|it| comes_here(Some(it.notify), &["msg-accepted"]))
            {
                self.of_a_slot(&held.message, tell);
                self.of_a_change(id, tell);
                self.of_the_receiver(id, tell);
            }
            if comes_here(port.no_senders, &["no-senders"]) {
                self.of_holders(id, arrows, tell);
            }
            let names = state.processes.iter().any(|process| {
                let wanted = process.rights.dead_names.get(&id).copied();
                comes_here(wanted, &["dead-name", "port-deleted"])
            });
            if (comes_here(port.destroyed, &["port-destroyed"]) || names)
                && let Receiver::Held(process) = port.receiver
            {
                tell(Condition::Destroyed(id));
                tell(Condition::ProcessEnds(process));
            }
        }
    }

    /// If a send-once right to this port is lost, the notice `send-once` comes.
    fn of_rights_to_answer(&self, port: MailboxId, tell: Tell) {
        let state = self.state;
        for process in (0..state.processes.len()).map(ProcessId::at) {
            let mut held = state.processes[process.index()].rights.once.iter();
            if held.any(|once| once.port == port) {
                tell(Condition::LetGo(process, port));
                tell(Condition::ProcessEnds(process));
            }
        }
        // One that is on its way is lost with its message, or by whoever takes the message.
        let is_one = |it: Carried| it.port == port && matches!(it.right, Right::Once(_));
        let messages = state.messages_in_mailboxes();
        for message in messages.filter(|message| message.carried().any(is_one)) {
            let at = message.mailbox;
            tell(Condition::Destroyed(at));
            match (state.mailboxes[at.index()].link(), state.receiver_of(at)) {
                (Some((_, to)), _) => tell(Condition::ProcessEnds(to)),
                (_, Receiver::Held(process)) => tell(Condition::ProcessEnds(process)),
                _ => tell(Condition::Taken(Place::At(at), None)),
            }
        }
    }

    /// Everybody who has a right to send to a port must give it up.
    fn of_holders(&self, port: MailboxId, arrows: &Arrows, tell: Tell) {
        let state = self.state;
        let lets_go =
            |holder: ProcessId| [Condition::LetGo(holder, port), Condition::ProcessEnds(holder)];
        let can = |holder: &ProcessId| lets_go(*holder).iter().any(|it| arrows.could_be(*it));
        let holders: Vec<ProcessId> = (0..state.processes.len())
            .map(ProcessId::at)
            .filter(|process| state.processes[process.index()].rights.references(port) > 0)
            .collect();
        if holders.iter().all(can) {
            holders.into_iter().flat_map(lets_go).for_each(&mut *tell);
        }
        // A right on its way is given up by whoever takes the message.
        let is_one = |it: Carried| it.port == port && it.right == Right::Send;
        let messages = state.messages_in_mailboxes();
        for message in messages.filter(|message| message.carried().any(is_one)) {
            tell(Condition::Taken(Place::At(message.mailbox), None));
        }
    }
}

/// The living processes at the other ends of links.
fn senders<'s>(state: &'s State, sources: &'s Sources) -> impl Iterator<Item = ProcessId> + 's {
    let sender = |source: &MailboxId| {
        let (from, _) = state.mailboxes[source.index()].link()?;
        (!state.has_ended(from)).then_some(from)
    };
    sources.listed().iter().filter_map(sender)
}

/// The processes with something stored on the links to them.
fn holders_of_memory(state: &State) -> impl Iterator<Item = ProcessId> {
    let holds = |process: &ProcessId| {
        let mut links = state.processes[process.index()].inbox.links();
        links.any(|link| !state.mailboxes[link.index()].messages.is_empty())
    };
    (0..state.processes.len()).map(ProcessId::at).filter(holds)
}

/// The `type:` of a waiting receive.
pub(super) fn wanted_type(filter: Option<&Filter>) -> Option<&Value> {
    filter.and_then(|filter| filter.kind.as_ref())
}

/// The type of a request in a mailbox.
pub(super) fn type_of_request(state: &State, asked: ReplyRight, mailbox: MailboxId) -> &Value {
    let mut messages = state.mailboxes[mailbox.index()].messages.iter();
    let request = messages.find(|message| message.reply_right() == Some(asked));
    request.map_or(&Value::None, |request| request.kind())
}
