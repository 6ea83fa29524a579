//! Receive-scan: which sources a receive would not block on. It takes and reserves nothing.

use ipcsim_program::{Access, Descriptor};

use super::prelude::*;
use crate::object::stream::Opened;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn select(&mut self, t: ThreadId, among: &Expr, wait: &Wait) -> Result<(), Stop> {
        let sources = self.sources(t, among)?;
        if self.answer_select(t, &sources)? {
            self.complete(t, Outcome::Ok);
            return Ok(());
        }
        self.block(t, BlockedOn::Select(sources), wait)
    }

    /// Sets the result of a select, unless the list would be empty.
    fn answer_select(&mut self, t: ThreadId, sources: &Sources) -> Result<bool, Stop> {
        let own = self.thread(t).process;
        let ready: Vec<Value> = sources
            .listed()
            .iter()
            .filter(|mailbox| {
                self.has_something(**mailbox)
                    || self.mailbox(**mailbox).is_at_its_end()
                    || self.state.is_dead(own, **mailbox)
            })
            .map(|mailbox| Value::Handle(self.known_to(own, *mailbox)))
            .collect();
        if ready.is_empty() {
            return Ok(false);
        }
        let list = Value::list(ready)?;
        let machine = self.machine;
        let Verb::Select { into, .. } = &machine.call(self.thread(t).pc).verb else {
            unreachable!("only a select waits in a select");
        };
        self.set(t, *into, list);
        Ok(true)
    }

    /// The handle by which the program of a receiver knows a source: a link is known by its sender, what is open by its lowest
    /// number. If another thread has closed it meanwhile, its number is one that means nothing.
    fn known_to(&self, own: ProcessId, source: MailboxId) -> Handle {
        match self.mailbox(source).object {
            Object::Link { from, .. } => Handle::Process(from),
            Object::Filed | Object::Stream(_) => {
                let mut open = self.state.processes[own.index()].descriptors.iter();
                let reads = |it: &Opened| it.object == source && it.access == Access::Read;
                let number = open.find(|(_, it)| reads(it)).map(|(number, _)| *number);
                let number = number.unwrap_or_else(|| self.free_number(own));
                Handle::File(Descriptor { object: source, holder: own, number })
            }
            Object::Open | Object::Port(_) | Object::PortSet(_) => Handle::Mailbox(source),
        }
    }

    /// A receive on this mailbox would not block now: whoever waits for that in a select is told.
    pub(super) fn tell_selectors(&mut self, mailbox: MailboxId) {
        let waiting: Vec<ThreadId> = self.state.receivers_of(mailbox).iter().copied().collect();
        for t in waiting {
            let Some(BlockedOn::Select(sources)) = self.state.waits_for(t) else { continue };
            if !sources.contains(self.state.known_as(mailbox)) {
                continue;
            }
            let sources = sources.clone();
            match self.answer_select(t, &sources) {
                Ok(false) => {}
                Ok(true) => self.end_wait(t, Outcome::Ok),
                Err(Stop::Outcome(outcome)) => self.end_wait(t, outcome),
                Err(Stop::Fault(fault)) => self.fail(t, fault),
            }
        }
    }
}
