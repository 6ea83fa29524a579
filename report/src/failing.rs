//! Why a call has failed, where its outcome alone does not say it.

use ipcsim_kernel::program::{Address, Effect, Spawn, Verb};
use ipcsim_kernel::{Access, Fork, Handle, Life, Outcome, Value, waits};

use crate::memory::gone_words;
use crate::telling::{Telling, objects_of};
use crate::units::plural;

impl Telling<'_> {
    /// The reason, in a few words.
    pub(crate) fn why_failed(&self, outcome: Outcome) -> Option<String> {
        let call = self.call()?;
        match outcome {
            Outcome::Refused => self.why_refused(call).or_else(|| self.why_not_open(call, outcome)),
            Outcome::NoRight => self.why_not_open(call, outcome),
            _ => None,
        }
    }

    fn why_refused(&self, call: &Verb) -> Option<String> {
        let own = self.state.threads[self.event.thread?.index()].process;
        let has_unborn = |spawn: &Spawn| {
            let mut children = self.machine.children_of(spawn, own);
            children.any(|child| self.state.processes[child.index()].life == Life::Unborn)
        };
        let is_refused = self.machine.policies.fork == Fork::Refuse;
        let mut why = None;
        call.effects(&mut |effect| {
            let found = match effect {
                Effect::Spawns(spawn) if !has_unborn(spawn) => "all `replicas` are made",
                Effect::Forks(_) if is_refused => "its process has other threads",
                Effect::Replaces(_) => "its process has other threads",
                Effect::Unlocks => "it does not have the lock",
                _ => return,
            };
            why.get_or_insert(found);
        });
        why.map(String::from)
    }

    /// Why a call does not work with the descriptor that it is about.
    fn why_not_open(&self, call: &Verb, outcome: Outcome) -> Option<String> {
        let thread = &self.state.threads[self.event.thread?.index()];
        let descriptor =
            objects_of(call).into_iter().find_map(|(_, of)| {
                match waits::settled(self.machine, thread, &[], of)? {
                    Value::Handle(Handle::File(descriptor)) => Some(descriptor),
                    _ => None,
                }
            })?;
        let table = &self.state.processes[thread.process.index()].descriptors;
        let Some(opened) = table.get(&descriptor.number) else {
            return Some("it is closed".into());
        };
        let mut wanted = None;
        call.effects(&mut |effect| match effect {
            Effect::Sends(_) => wanted = Some(Access::Write),
            Effect::Receives(_) | Effect::LooksAt(_) => wanted = Some(Access::Read),
            _ => {}
        });
        let is_pipe = self.state.mailboxes[opened.object.index()].bytes().is_some();
        match (outcome, wanted?) {
            (Outcome::NoRight, wanted) if wanted != opened.access => {
                Some(format!("it is {}", self.opened(opened.object, opened.access)))
            }
            (Outcome::Refused, _) if is_pipe => Some("a pipe takes bytes and nothing else".into()),
            _ => None,
        }
    }

    /// Why there is no such memory, if it can be said better than without names.
    pub(crate) fn bad_address(&self, address: Address) -> Option<String> {
        let thread = &self.state.threads[self.event.thread?.index()];
        let mut named = None;
        self.machine.code[self.event.pc?.index()].effects(&mut |effect| {
            if let Effect::IsAbout(_, of) = effect {
                named = waits::settled(self.machine, thread, &[], of);
            }
        });
        let Some(Value::Handle(Handle::Region(region))) = named else { return None };
        let name = self.region(region);
        Some(match address {
            Address::Gone => gone_words(self.machine, self.event.pc?)?,
            Address::Elsewhere => {
                let whose = self.machine.process_name(region.space);
                format!("bad address: {name} is memory of {whose}")
            }
            Address::NoSuchPage => {
                let pages = plural(self.state.mapping(region)?.count().into(), "page");
                format!("bad address: {name} has {pages}, counted from 0")
            }
            Address::Code => return None,
        })
    }
}
