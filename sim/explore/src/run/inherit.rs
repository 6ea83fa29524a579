//! Priorities of a run: those of the file, those that threads inherit, and what comes of it if they do not.
//!
//! A thread that holds up a more urgent one may inherit its priority (L. Sha, R. Rajkumar and J. P. Lehoczky, "Priority
//! Inheritance Protocols", 1990). If it does not, others of medium urgency can keep it from running, and so the urgent one as
//! well: that is a *priority inversion*.

use ipcsim_kernel::waits::held_up_by;
use ipcsim_kernel::{Event, Inheritance, Kind, Machine, Scheduler, State, ThreadId, ThreadState};

use super::Tracer;
use super::runner::Runner;

/// What a thread runs at that has not been looked at yet; no scenario can say it.
const NEW: i64 = i64::MIN;

/// How urgent threads are.
#[derive(Clone, Debug)]
pub(crate) struct Urgency {
    inheritance: Inheritance,
    /// Of each thread: its own priority, that of its process.
    own: Vec<i64>,
    /// Of each thread: the one at which it runs.
    runs_at: Vec<i64>,
    /// The threads, the most urgent first, by their own priorities.
    ranks: Vec<ThreadId>,
    /// What was seen of inversions, each pair and disturber once.
    inversions: Vec<Inversion>,
}

/// An urgent thread has waited while a less urgent one ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inversion {
    /// Who waited.
    pub waiter: ThreadId,
    /// For whom: directly, or through others.
    pub holder: ThreadId,
    /// Who ran meanwhile: less urgent than the first, no less urgent than the second.
    pub ran: ThreadId,
    /// For how long, in nanoseconds.
    pub ns: u64,
}

/// A thread that runs at another priority from now on.
pub(crate) struct Changed {
    pub thread: ThreadId,
    /// The one at which it ran before, unless it is new.
    pub before: Option<i64>,
    pub priority: i64,
    /// For whose sake; nobody's, if it is its own priority again.
    pub waiter: Option<ThreadId>,
}

impl Urgency {
    /// None where priorities make no difference.
    pub(crate) fn of(machine: &Machine) -> Option<Box<Self>> {
        let any = machine.families.iter().any(|family| family.priority != 0);
        let matters = machine.timing.scheduler == Scheduler::Priority && any;
        let inheritance = machine.timing.inheritance;
        let (own, runs_at, ranks, inversions) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        matters.then(|| Box::new(Self { inheritance, own, runs_at, ranks, inversions }))
    }

    /// The priorities at which threads run now, and their own.
    pub(crate) fn priorities(&self) -> (&[i64], &[i64]) {
        (&self.runs_at, &self.own)
    }

    /// Looks at who waits for whom after a step. Returns the threads that run at another priority now, or are new.
    pub(crate) fn look(&mut self, machine: &Machine, state: &State) -> Vec<Changed> {
        let known = self.own.len();
        for t in known..state.threads.len() {
            let process = state.threads[t].process;
            self.own.push(machine.family_of(process).priority);
            self.runs_at.push(NEW);
            self.ranks.push(ThreadId::at(t));
        }
        if known < self.own.len() {
            self.ranks.sort_by_key(|t| (std::cmp::Reverse(self.own[t.index()]), *t));
        } else if self.inheritance == Inheritance::Off {
            return Vec::new();
        }
        let mut urgent: Vec<(i64, Option<ThreadId>)> =
            self.own.iter().map(|own| (*own, None)).collect();
        if self.inheritance == Inheritance::On {
            let least = self.ranks.last().map_or(0, |t| self.own[t.index()]);
            for waiter in self.more_urgent_than(least).filter(|t| waits(state, *t)) {
                let priority = self.own[waiter.index()];
                for holder in everybody_who_holds_up(state, waiter) {
                    let at = &mut urgent[holder.index()];
                    if priority > at.0 {
                        *at = (priority, Some(waiter));
                    }
                }
            }
        }
        let mut changed = Vec::new();
        for (t, (priority, waiter)) in urgent.into_iter().enumerate() {
            let before = std::mem::replace(&mut self.runs_at[t], priority);
            if before != priority {
                let before = Some(before).filter(|before| *before != NEW);
                changed.push(Changed { thread: ThreadId::at(t), before, priority, waiter });
            }
        }
        changed
    }

    /// The threads whose own priority is higher than this, the most urgent first.
    fn more_urgent_than(&self, priority: i64) -> impl Iterator<Item = ThreadId> {
        self.ranks.iter().copied().take_while(move |t| self.own[t.index()] > priority)
    }

    /// Time passes while these threads run, and these could run but have no processor; the least urgent of those has this
    /// priority.
    pub(crate) fn time_passes(
        &mut self,
        state: &State,
        running: &[ThreadId],
        (queued, least_queued): (impl Fn(ThreadId) -> bool, Option<i64>),
        ns: u64,
    ) {
        let run_at = || running.iter().map(|t| self.own[t.index()]);
        let (Some(least), Some(most)) = (run_at().min(), run_at().max()) else { return };
        // Only who has no processor, and is no more urgent than one that runs, is kept from running by it.
        if least_queued.is_none_or(|queued| queued > most) {
            return;
        }
        let waiters: Vec<ThreadId> =
            self.more_urgent_than(least).filter(|t| waits(state, *t)).collect();
        for waiter in waiters {
            let held_up_by = everybody_who_holds_up(state, waiter);
            let Some(holder) = held_up_by.into_iter().find(|t| queued(*t)) else { continue };
            let between = self.own[holder.index()]..self.own[waiter.index()];
            let ran = running.iter().find(|t| between.contains(&self.own[t.index()]));
            let Some(ran) = ran.copied() else { continue };
            let same =
                |it: &&mut Inversion| (it.waiter, it.holder, it.ran) == (waiter, holder, ran);
            match self.inversions.iter_mut().find(same) {
                Some(known) => known.ns += ns,
                None => self.inversions.push(Inversion { waiter, holder, ran, ns }),
            }
        }
    }

    /// The longest inversion that was seen.
    pub(crate) fn worst(&self) -> Option<Inversion> {
        self.inversions.iter().copied().max_by_key(|it| (it.ns, std::cmp::Reverse(it.waiter)))
    }
}

impl Runner<'_> {
    #[cold]
    pub(super) fn watch_inversions(&mut self, at: u64) {
        let passes = at.saturating_sub(self.agenda.now_ns);
        let running: Vec<ThreadId> = self.cpus.iter().filter_map(|cpu| cpu.thread).collect();
        let agenda = &self.agenda;
        let queued = (|t: ThreadId| agenda.is_queued(t), agenda.ready.least_urgent());
        if let Some(urgency) = &mut self.urgency
            && passes > 0
        {
            urgency.time_passes(&self.state, &running, queued, passes);
        }
    }

    /// Who runs for whose sake may have changed.
    #[cold]
    pub(super) fn look_at_urgency<T: Tracer>(&mut self, tracer: &mut T) {
        let Some(urgency) = &mut self.urgency else { return };
        let changed = urgency.look(self.machine, &self.state);
        if changed.is_empty() {
            return;
        }
        let (now, own) = urgency.priorities();
        self.agenda.ready.set_priorities(now, own);
        if !T::EVENTS || self.machine.timing.inheritance == Inheritance::Off {
            return;
        }
        for Changed { thread, before, priority, waiter } in changed {
            if before.is_none() && waiter.is_none() {
                continue;
            }
            let kind = Kind::Inherits(priority, waiter);
            let pc = Some(self.state.threads[thread.index()].pc);
            let event = Event { thread: Some(thread), pc, kind };
            tracer.record(self.machine, &self.state, self.agenda.now_ns, &event);
        }
    }
}

fn waits(state: &State, t: ThreadId) -> bool {
    matches!(state.threads[t.index()].state, ThreadState::Blocked { .. })
}

/// The threads that hold up a thread, through any chain.
fn everybody_who_holds_up(state: &State, t: ThreadId) -> Vec<ThreadId> {
    let mut found: Vec<ThreadId> = Vec::new();
    let mut open = vec![t];
    while let Some(at) = open.pop() {
        for holder in held_up_by(state, at) {
            if holder != t && !found.contains(&holder) {
                found.push(holder);
                open.push(holder);
            }
        }
    }
    found
}
