//! What would complete a thread's wait.

use ipcsim_program::{
    Capacity, Carried, MailboxId, Message, Once, ProcessId, ReplyRight, Right, ThreadId, Value,
};

use super::Arrows;
use crate::object::filter::{Filter, is_wanted_type};
use crate::object::mailbox::Object;
use crate::object::port::{Controlled, Receiver};
use crate::state::{BlockedOn, Holder, Sources, State};
use crate::waits::condition::Condition;
use crate::waits::future::Reach;

impl Arrows<'_> {
    fn kind(&self, kind: &Value) -> u32 {
        let place = self.kinds.iter().position(|known| known == kind);
        place.expect("every type that somebody waits for is listed") as u32
    }

    /// What would complete a thread's wait.
    pub(super) fn awaited(&self, t: ThreadId, waits: &mut impl FnMut(Condition)) {
        let state = self.state;
        waits(Condition::ThreadKilled(t));
        waits(Condition::Anything);
        if state.waits_for(t).is_some() {
            waits(Condition::ThreadInterrupted(t));
        }
        if state.threads[t.index()].is_held() {
            waits(Condition::ThreadResumed(t));
        }
        match state.waits_for(t) {
            None | Some(BlockedOn::Sleep) => {}
            Some(BlockedOn::Send(_)) => self.of_a_sender(self.sending[&t], waits),
            Some(BlockedOn::Memory(mailbox)) => {
                waits(Condition::MemoryFreed);
                waits(Condition::TakenAnywhere);
                self.of_the_receiver(*mailbox, waits);
                // A process that ends frees the memory of what is stored on the links to it.
                self.hold_memory.iter().for_each(|it| waits(Condition::ProcessEnds(*it)));
            }
            Some(BlockedOn::Receive { sources, filter }) => {
                self.of_sources(t, sources, wanted_type(filter.as_deref()), waits);
                self.of_senders(t, sources, waits);
            }
            Some(BlockedOn::Select(sources)) => {
                self.of_sources(t, sources, None, waits);
                for sender in self.senders(sources) {
                    waits(Condition::ProcessEnds(sender));
                }
            }
            Some(BlockedOn::Reply { right, holder }) => match holder {
                Holder::Queued(mailbox) => {
                    let kind = self.kind(type_of_request(state, *right, *mailbox));
                    waits(Condition::AnsweredOf(*mailbox, kind));
                    waits(Condition::AnsweredOf(state.known_as(*mailbox), kind));
                    waits(Condition::AnsweredAnywhereOf(kind));
                    self.of_the_receiver(*mailbox, waits);
                }
                Holder::Taken(process) => {
                    waits(Condition::RepliedTo(t));
                    waits(Condition::ProcessEnds(*process));
                }
            },
            Some(BlockedOn::Join(threads)) => self.of_a_join(threads, waits),
        }
    }

    /// All of them must end.
    fn of_a_join(&self, threads: &[ThreadId], waits: &mut impl FnMut(Condition)) {
        let is_living = |other: &&ThreadId| !self.state.threads[other.index()].state.is_ended();
        let living = || threads.iter().filter(is_living);
        let can_end = |other: &ThreadId| {
            self.killed.contains(&Controlled::Thread(*other))
                || self.futures.get(other).is_none_or(|future| future.ends)
        };
        if living().all(can_end) {
            living().for_each(|other| waits(Condition::ThreadEnds(*other)));
        }
    }

    /// Somebody may take a message, or free a slot for it.
    fn of_a_sender(&self, message: &Message, waits: &mut impl FnMut(Condition)) {
        let state = self.state;
        let mailbox = message.mailbox;
        let known_as = state.known_as(mailbox);
        let spec = &state.mailboxes[mailbox.index()].spec;
        let mut taken = |kind: &Value| {
            let kind = self.kind(kind);
            waits(Condition::TakenOf(mailbox, kind));
            waits(Condition::TakenOf(known_as, kind));
            waits(Condition::TakenAnywhereOf(kind));
        };
        // A receive that wants none of the stored types takes a message directly from its sender; at a port
        // the message must enter the queue first.
        if state.mailboxes[mailbox.index()].port().is_none() {
            taken(message.kind());
        }
        // A receive that takes none of the stored types frees no slot.
        if !matches!(spec.capacity, Capacity::None | Capacity::Undefined) {
            for stored in &state.mailboxes[mailbox.index()].messages {
                taken(stored.kind());
            }
            // A higher limit of a port lets it in as well.
            waits(Condition::LimitSet(mailbox));
        }
        self.of_the_receiver(mailbox, waits);
    }

    /// Whether a message whose destination is not known yet may be one for a thread.
    pub(super) fn concerns(&self, condition: Condition, t: ThreadId) -> bool {
        let (sources, kind) = match self.state.waits_for(t) {
            Some(BlockedOn::Receive { sources, filter }) => {
                (sources, wanted_type(filter.as_deref()))
            }
            Some(BlockedOn::Select(sources)) => (sources, None),
            _ => return false,
        };
        let wanted = kind.map(|kind| self.kind(kind));
        match condition {
            Condition::SentAnywhere | Condition::SentBy(_) if wanted.is_some() => false,
            Condition::SentAnywhereOf(kind) | Condition::SentByOf(_, kind)
                if wanted != Some(kind) =>
            {
                false
            }
            Condition::SentAnywhere | Condition::SentAnywhereOf(_) => {
                let is_port = |source: &MailboxId| {
                    let object = &self.state.mailboxes[source.index()].object;
                    matches!(object, Object::Port(_) | Object::PortSet(_))
                };
                let sources = sources.listed();
                sources.is_empty() || !sources.iter().all(is_port)
            }
            Condition::SentBy(process) | Condition::SentByOf(process, _) => match sources {
                Sources::Anyone => true,
                listed => self.senders(listed).contains(&process),
            },
            _ => false,
        }
    }

    /// The receiver of a link, or of a port, may end; a mailbox may be destroyed.
    fn of_the_receiver(&self, mailbox: MailboxId, waits: &mut impl FnMut(Condition)) {
        waits(Condition::Destroyed(mailbox));
        if let Some((_, to)) = self.state.mailboxes[mailbox.index()].link() {
            waits(Condition::ProcessEnds(to));
        }
        match self.state.receiver_of(mailbox) {
            Receiver::Held(process) => waits(Condition::ProcessEnds(process)),
            // The receive right is in a message there: the port may be lost with it.
            Receiver::Carried(at) => waits(Condition::Taken(at)),
            Receiver::Kernel(_) | Receiver::Nobody => {}
        }
    }

    /// A message may come from a source.
    fn of_sources(
        &self,
        t: ThreadId,
        sources: &Sources,
        kind: Option<&Value>,
        waits: &mut impl FnMut(Condition),
    ) {
        let state = self.state;
        let own = state.threads[t.index()].process;
        let number = kind.map(|kind| self.kind(kind));
        let sent = |mailbox: MailboxId, waits: &mut dyn FnMut(Condition)| match number {
            None => waits(Condition::Sent(mailbox)),
            Some(number) => waits(Condition::SentOf(mailbox, number)),
        };
        let links: Vec<MailboxId> = match sources {
            Sources::Anyone => state.processes[own.index()].inbox.links().collect(),
            listed => listed.listed().to_vec(),
        };
        for source in links {
            sent(source, waits);
            waits(Condition::Destroyed(source));
            if !self.machine.has_ports() {
                continue;
            }
            self.of_notices(source, kind, waits);
            for member in
                state.mailboxes[source.index()].set().into_iter().flat_map(|it| &it.members)
            {
                sent(*member, waits);
                self.of_notices(*member, kind, waits);
            }
        }
    }

    /// The living processes at the other ends of links.
    fn senders(&self, sources: &Sources) -> Vec<ProcessId> {
        let sender = |source: &MailboxId| {
            let (from, _) = self.state.mailboxes[source.index()].link()?;
            (!self.state.has_ended(from)).then_some(from)
        };
        sources.listed().iter().filter_map(sender).collect()
    }

    /// A receive that has only links as sources ends when all their senders have ended.
    fn of_senders(&self, t: ThreadId, sources: &Sources, waits: &mut impl FnMut(Condition)) {
        let senders = self.senders(sources);
        let own = self.state.threads[t.index()].process;
        let can_end = |process: &ProcessId| self.may_end(*process);
        // A thread cannot wait for the end of its own process.
        if self.state.is_dead_but_for_links(own, sources)
            && senders.iter().all(can_end)
            && !senders.contains(&own)
        {
            for sender in senders {
                waits(Condition::ProcessEnds(sender));
            }
        }
    }

    /// Whether a process could end or be killed. A living one may if none of its threads are examined here.
    fn may_end(&self, process: ProcessId) -> bool {
        let mut threads = self.state.threads_of(process);
        self.ending.contains(&process)
            || self.killed.contains(&Controlled::Process(process))
            || !(self.state.is_over(process) || threads.any(|t| self.futures.contains_key(&t)))
    }

    /// A notice comes to a port when a right is given up; if it can never come, `send-once` comes instead.
    fn of_notices(
        &self,
        notified: MailboxId,
        wanted: Option<&Value>,
        waits: &mut impl FnMut(Condition),
    ) {
        let state = self.state;
        let is_wanted = |notice: &str| {
            let offered = Value::Text(notice.into());
            wanted.is_none_or(|wanted| is_wanted_type(wanted, &offered))
        };
        let may_fail = is_wanted("send-once");
        if may_fail {
            self.of_rights_to_answer(notified, waits);
        }
        let comes_here = |once: Option<Once>, notices: &[&str]| {
            once.is_some_and(|once| once.port == notified)
                && (may_fail || notices.iter().any(|notice| is_wanted(notice)))
        };
        for id in (0..state.mailboxes.len()).map(MailboxId::at) {
            let Some(port) = state.mailboxes[id.index()].port() else { continue };
            for held in port.held.iter().filter(|it| comes_here(Some(it.notify), &["msg-accepted"]))
            {
                self.of_a_sender(&held.message, waits);
            }
            if comes_here(port.no_senders, &["no-senders"]) {
                self.of_holders(id, waits);
            }
            let names = state.processes.iter().any(|process| {
                let wanted = process.rights.dead_names.get(&id).copied();
                comes_here(wanted, &["dead-name", "port-deleted"])
            });
            if (comes_here(port.destroyed, &["port-destroyed"]) || names)
                && let Receiver::Held(process) = port.receiver
            {
                waits(Condition::Destroyed(id));
                waits(Condition::ProcessEnds(process));
            }
        }
    }

    /// If a send-once right to this port is lost, the notice `send-once` comes.
    fn of_rights_to_answer(&self, port: MailboxId, waits: &mut impl FnMut(Condition)) {
        let state = self.state;
        for process in (0..state.processes.len()).map(ProcessId::at) {
            let mut held = state.processes[process.index()].rights.once.iter();
            if held.any(|once| once.port == port) {
                waits(Condition::LetGo(process, port));
                waits(Condition::ProcessEnds(process));
            }
        }
        // One that is on its way is lost with its message, or by whoever takes the message.
        let is_one = |it: Carried| it.port == port && matches!(it.right, Right::Once(_));
        let messages = state.messages_in_mailboxes();
        for message in messages.filter(|message| message.carried().any(is_one)) {
            let at = message.mailbox;
            waits(Condition::Destroyed(at));
            match (state.mailboxes[at.index()].link(), state.receiver_of(at)) {
                (Some((_, to)), _) => waits(Condition::ProcessEnds(to)),
                (_, Receiver::Held(process)) => waits(Condition::ProcessEnds(process)),
                _ => waits(Condition::Taken(at)),
            }
        }
    }

    /// Everybody who has a right to send to a port must give it up.
    fn of_holders(&self, port: MailboxId, waits: &mut impl FnMut(Condition)) {
        let state = self.state;
        let holders: Vec<ProcessId> = (0..state.processes.len())
            .map(ProcessId::at)
            .filter(|process| state.processes[process.index()].rights.references(port) > 0)
            .collect();
        let drops = |process: &ProcessId| {
            state.threads_of(*process).any(|t| {
                self.futures.get(&t).is_some_and(|future| match &future.drops {
                    Reach::All => true,
                    Reach::Some(ports) => ports.contains(&port),
                })
            })
        };
        let can = |process: &ProcessId| drops(process) || self.may_end(*process);
        if holders.iter().all(can) {
            for holder in holders {
                waits(Condition::LetGo(holder, port));
                waits(Condition::ProcessEnds(holder));
            }
        }
        // A right on its way is given up by whoever takes the message.
        let is_one = |it: Carried| it.port == port && it.right == Right::Send;
        let messages = state.messages_in_mailboxes();
        for message in messages.filter(|message| message.carried().any(is_one)) {
            waits(Condition::Taken(message.mailbox));
        }
    }
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
