//! A run under way: processors, the ready queue and timers take turns calling the kernel's one `step`.

use std::sync::atomic::Ordering;

use ipcsim_kernel::program::{Effect, Op};
use ipcsim_kernel::{
    Birth, End, Life, Machine, Outcome, Pc, Preempt, ProcessId, Progress, Role, State, ThreadId,
    ThreadState, Transition, assert_invariants, step,
};

use crate::cancel::Cancellation;

use super::agenda::{Agenda, Draws, Telling};
use super::cpu::{Cpu, Phase};
use super::inherit::Urgency;
use super::timers::Due;
use super::{Hidden, Limits, Stop, Tracer};

/// Whether a run can go on.
pub(super) enum Advance {
    Went,
    Over(Stop),
}

/// A run under way. It can be cloned, to find the moment when a deadlock formed.
#[derive(Clone)]
pub(crate) struct Runner<'m> {
    pub(crate) machine: &'m Machine,
    pub(crate) state: State,
    pub(crate) agenda: Agenda,
    pub(crate) draws: Draws,
    pub(crate) cpus: Vec<Cpu>,
    pub(crate) steps: u64,
    /// Workers that have not ended.
    workers: u32,
    /// When the last worker ended.
    pub done_ns: u64,
    ended: Vec<bool>,
    pub(super) failed: Vec<ProcessId>,
    /// The first deadlock that a timeout has hidden; below, how often one was searched for.
    pub(super) hidden: Option<Hidden>,
    /// How urgent threads are, where that makes a difference.
    pub(super) urgency: Option<Box<Urgency>>,
    pub(super) looks: u32,
    /// The step at which cancellation and progress are next checked.
    next_poll: u64,
    /// An undisturbed processor goes on by itself up to this step; below, up to this time.
    pub(super) stride_ends: u64,
    until_ns: u64,
}

/// How many steps a processor takes by itself before everything else is checked.
const STRIDE: u64 = 64;

impl<'m> Runner<'m> {
    pub(super) fn new(machine: &'m Machine) -> Self {
        let state = State::initial(machine);
        let timing = &machine.timing;
        let workers = machine.processes.iter().enumerate();
        let workers = workers
            .filter(|(id, _)| {
                let family = machine.family_of(ProcessId::at(*id));
                family.role == Role::Worker && family.birth == Birth::Declared
            })
            .count();
        let mut runner = Self {
            machine,
            agenda: Agenda::new(machine, &state),
            draws: Draws::new(timing.seed),
            cpus: vec![Cpu::idle(); timing.cpus as usize],
            steps: 0,
            workers: u32::try_from(workers).expect("processes are limited"),
            done_ns: 0,
            ended: vec![false; state.processes.len()],
            failed: Vec::new(),
            hidden: None,
            urgency: Urgency::of(machine),
            looks: 0,
            next_poll: 0,
            stride_ends: 0,
            until_ns: u64::MAX,
            state,
        };
        for index in 0..machine.processes.len() {
            let process = ProcessId::at(index);
            runner.agenda.timers.add_start(machine.family_of(process).start_ns, process);
        }
        runner
    }

    pub(super) fn limit(&mut self, limits: &Limits) -> Option<Stop> {
        self.stride_ends = limits.max_steps.min(self.steps + STRIDE);
        self.until_ns = limits.until_ns.unwrap_or(u64::MAX);
        if self.steps >= limits.max_steps {
            return Some(Stop::Steps);
        }
        if limits.until_ns.is_some_and(|until| self.agenda.now_ns >= until) {
            return Some(Stop::Time);
        }
        if self.steps < self.next_poll { None } else { self.poll(limits) }
    }

    /// Checks cancellation and reports progress: rarely, so that it does not slow down the steps.
    #[cold]
    #[inline(never)]
    fn poll(&mut self, limits: &Limits) -> Option<Stop> {
        self.next_poll = self.steps + 1_024;
        if let Some(progress) = limits.progress {
            progress.steps.store(self.steps, Ordering::Relaxed);
            progress.now_ns.store(self.agenda.now_ns, Ordering::Relaxed);
        }
        limits.cancelled.and_then(Cancellation::reason).map(Stop::Cancelled)
    }

    /// Whether a repetition would end the run: only daemons are left, or no worker makes progress.
    pub(super) fn is_worth_watching(&self) -> bool {
        let patience = 10_000.max(8 * self.state.threads.len() as u64);
        self.workers == 0 || self.agenda.calls_without_progress > patience
    }

    /// Advances to the next event.
    pub(super) fn advance<T: Tracer>(&mut self, tracer: &mut T) -> Advance {
        let due = self.agenda.timers.next_due(&self.state);
        // Timers go first: threads that become ready now do so before anybody is picked.
        if due.is_some_and(|due| due <= self.agenda.now_ns) {
            self.serve_timer(tracer);
            self.retire();
            return Advance::Went;
        }
        self.dispatch();
        let next_cpu = self.next_cpu();
        let next = next_cpu.map(|(_, at)| at).into_iter().chain(due).min();
        if next.is_some_and(|next| next >= self.until_ns) {
            self.pass_to(self.until_ns);
            let is_the_end = self.until_ns == u64::MAX;
            return Advance::Over(if is_the_end { Stop::Clock } else { Stop::Time });
        }
        match (next_cpu, due) {
            (None, None) => {
                let mut states = self.state.threads.iter().map(|thread| &thread.state);
                debug_assert!(!states.any(ThreadState::could_step), "a thread is forgotten");
                return Advance::Over(Stop::Over);
            }
            (Some((cpu, at)), due) if due.is_none_or(|due| at < due) => {
                self.pass_to(at);
                if let Some(stop) = self.serve_cpu(cpu, due, tracer) {
                    return Advance::Over(stop);
                }
            }
            (_, Some(due)) => {
                self.pass_to(due);
                self.serve_timer(tracer);
            }
            (Some(_), None) => unreachable!("without a timer the processor goes first"),
        }
        self.retire();
        Advance::Went
    }

    /// The processor whose current work is done first.
    fn next_cpu(&self) -> Option<(usize, u64)> {
        if let [cpu] = &self.cpus[..] {
            return cpu.busy_until().map(|at| (0, at));
        }
        let busy =
            self.cpus.iter().enumerate().filter_map(|(id, cpu)| Some((id, cpu.busy_until()?)));
        busy.min_by_key(|(id, at)| (*at, *id))
    }

    /// Makes a step after which somebody may wait for somebody else, or not any more.
    fn perform<T: Tracer>(&mut self, transition: Transition, tracer: &mut T) -> Progress {
        let progress = self.perform_alone(transition, tracer);
        if self.urgency.is_some() {
            self.look_at_urgency(tracer);
        }
        progress
    }

    /// Makes a step. Local work changes nothing for others.
    #[inline]
    fn perform_alone<T: Tracer>(&mut self, transition: Transition, tracer: &mut T) -> Progress {
        self.draws.now_ns = self.agenda.now_ns;
        let mut telling = Telling { agenda: &mut self.agenda, tracer };
        let progress =
            step(self.machine, &mut self.state, transition, &mut self.draws, &mut telling);
        // In a large machine this would take longer than everything else combined.
        if cfg!(debug_assertions) && self.state.threads.len() <= 64 {
            assert_invariants(self.machine, &self.state);
            self.agenda.frames.assert_agree_with(&self.state);
        }
        progress
    }

    fn serve_timer<T: Tracer>(&mut self, tracer: &mut T) {
        match self.agenda.timers.pop() {
            Due::Start(process) => {
                self.perform(Transition::Start(process), tracer);
            }
            Due::Expire(thread) => {
                self.agenda.measures.timeouts += 1;
                self.note_hidden_circle(thread);
                self.perform(Transition::Expire(thread), tracer);
            }
        }
    }

    /// Continues a processor whose current work is done. A single processor goes on for a stretch,
    /// as long as nothing else is due.
    fn serve_cpu<T: Tracer>(
        &mut self,
        id: usize,
        due: Option<u64>,
        tracer: &mut T,
    ) -> Option<Stop> {
        let alone = self.cpus.len() == 1;
        let mut due = due.unwrap_or(u64::MAX);
        let mut timers_set = self.agenda.timers.set_so_far();
        loop {
            let Cpu { thread: Some(t), phase, .. } = self.cpus[id] else {
                unreachable!("an idle processor is not served")
            };
            match phase {
                Phase::Local => {
                    if let Some(stop) = self.local(id, t, tracer) {
                        return Some(stop);
                    }
                }
                Phase::Call => self.call(id, t, tracer),
                Phase::Access => self.access(id, t, tracer),
                Phase::Computing | Phase::Switching => {
                    self.steps += u64::from(phase == Phase::Computing);
                    self.after_slice(id, t);
                }
                Phase::Copying => self.go_on(id, t),
                Phase::Draining => self.release(id),
            }
            if !alone || self.steps >= self.stride_ends || !self.agenda.left.is_empty() {
                return None;
            }
            if self.agenda.timers.set_so_far() != timers_set {
                timers_set = self.agenda.timers.set_so_far();
                due = self.agenda.timers.next_due(&self.state).unwrap_or(u64::MAX);
            }
            if due <= self.agenda.now_ns {
                return None;
            }
            if self.cpus[id].thread.is_none() {
                let next = self.next_ready()?;
                self.give(id, next);
            }
            let at = self.cpus[id].busy_until_ns;
            if at >= due || at >= self.until_ns {
                return None;
            }
            self.pass_to(at);
        }
    }

    /// Time passes.
    #[inline]
    fn pass_to(&mut self, at: u64) {
        if self.urgency.is_some() {
            self.watch_inversions(at);
        }
        self.agenda.now_ns = at;
    }

    fn local<T: Tracer>(&mut self, id: usize, t: ThreadId, tracer: &mut T) -> Option<Stop> {
        let before = self.spent();
        let progress = self.perform_alone(Transition::Local(t), tracer);
        let cost = self.cost_since(before);
        match progress {
            // What it has written on the way must be paid for first.
            Progress::AtCall | Progress::AtAccess if cost > 0 => {
                self.occupy(id, Phase::Copying, cost);
            }
            Progress::AtCall => self.come_to_call(id, t),
            Progress::AtAccess => self.come_to_access(id, t),
            Progress::Computes(span) => {
                let ns = self.agenda.draw_duration(span);
                self.compute(id, t, ns.saturating_add(cost));
            }
            Progress::Endless => return Some(Stop::LocalLoop(t)),
            Progress::Raised => {
                // An exception costs nothing.
                self.perform(Transition::Call(t), tracer);
                self.release(id);
            }
            Progress::Done | Progress::Yielded | Progress::Accessed => self.release(id),
        }
        None
    }

    /// If so, there is no local work to do before the call.
    pub(super) fn stands_at_call(&self, t: ThreadId) -> bool {
        let pc = self.state.threads[t.index()].pc;
        matches!(self.machine.code[pc.index()], Op::Call(_) | Op::End)
    }

    /// Whether a thread still has the code that it stands in.
    pub(super) fn has_code(&self, t: ThreadId) -> bool {
        !matches!(self.state.threads[t.index()].state, ThreadState::Raising(_))
    }

    /// A running thread reaches a call.
    #[inline]
    fn come_to_call(&mut self, id: usize, t: ThreadId) {
        self.come_to(id, t, Phase::Call, self.machine.timing.costs.syscall_ns);
    }

    /// A running thread reaches an access to memory that others can see.
    fn come_to_access(&mut self, id: usize, t: ThreadId) {
        self.come_to(id, t, Phase::Access, self.machine.timing.costs.access_ns);
    }

    /// A running thread reaches a step that others can see. It may now lose its processor to a thread that waits for one.
    #[inline]
    fn come_to(&mut self, id: usize, t: ThreadId, phase: Phase, ns: u64) {
        if self.machine.timing.preempt == Preempt::Calls && self.is_preempted(id, t) {
            return;
        }
        self.occupy(id, phase, ns);
    }

    fn access<T: Tracer>(&mut self, id: usize, t: ThreadId, tracer: &mut T) {
        self.steps += 1;
        self.agenda.calls_without_progress += 1;
        let before = self.spent();
        self.perform(Transition::Call(t), tracer);
        self.pay(id, t, self.cost_since(before));
    }

    #[cold]
    fn is_preempted(&mut self, id: usize, t: ThreadId) -> bool {
        let loses_it = !self.agenda.ready.is_empty() && self.agenda.loses_its_processor();
        if loses_it {
            self.agenda.enqueue(t);
            self.release(id);
        }
        loses_it
    }

    /// Uses the processor, for the rest of the time slice at most.
    #[inline]
    fn compute(&mut self, id: usize, t: ThreadId, ns: u64) {
        let now = self.agenda.now_ns;
        let slice = self.cpus[id].slice_ends_ns.saturating_sub(now).max(1);
        let part = ns.min(slice);
        self.agenda.threads[t.index()].left_ns = ns - part;
        self.occupy(id, Phase::Computing, part);
    }

    fn call<T: Tracer>(&mut self, id: usize, t: ThreadId, tracer: &mut T) {
        self.steps += 1;
        self.agenda.measures.system_calls += 1;
        self.agenda.calls_without_progress += 1;
        let before = self.spent();
        let pc = self.state.threads[t.index()].pc;
        let progress = self.perform(Transition::Call(t), tracer);
        let measures = &mut self.agenda.measures;
        measures.kernel_memory = measures.kernel_memory.max(self.state.memory.used);
        let mut cost = self.cost_since(before);
        let thread = &self.state.threads[t.index()];
        if thread.state.is_ready()
            && matches!(thread.status, Outcome::WouldBlock | Outcome::NoSuchName)
            && self.is_poll(thread.status, pc)
        {
            self.agenda.measures.polls += 1;
            cost += self.machine.timing.costs.poll_ns;
        }
        if progress == Progress::Yielded {
            self.cpus[id].slice_ends_ns = 0;
        }
        self.pay(id, t, cost);
    }

    /// Whether a call that came to this was a question that will be asked again: not an `exec` of a program that is not there.
    #[cold]
    fn is_poll(&self, outcome: Outcome, pc: Pc) -> bool {
        let asks = |effect: Effect| matches!(effect, Effect::Asks(_));
        outcome == Outcome::WouldBlock || self.machine.code[pc.index()].may(asks)
    }

    /// After a call or an access, whose effect is there: what it has cost passes, and then the thread goes on if it can.
    fn pay(&mut self, id: usize, t: ThreadId, cost: u64) {
        match (cost, self.can_go_on(t)) {
            (0, true) => self.after_slice(id, t),
            (0, false) => self.release(id),
            (_, true) => self.occupy(id, Phase::Copying, cost),
            // The thread is waiting, or queued for a processor; only the copying is left.
            (_, false) => self.occupy(id, Phase::Draining, cost),
        }
    }

    /// Whether a thread that has made a call could take its next step, and is not in the ready queue.
    fn can_go_on(&self, t: ThreadId) -> bool {
        let state = &self.state.threads[t.index()].state;
        matches!(state, ThreadState::Ready | ThreadState::Raising(_)) && !self.agenda.is_queued(t)
    }

    /// After a call: the thread keeps the processor if it can go on.
    fn go_on(&mut self, id: usize, t: ThreadId) {
        if self.can_go_on(t) {
            self.after_slice(id, t);
        } else {
            self.release(id);
        }
    }

    /// Goes on with local work, or makes room for others if the time slice is over.
    fn after_slice(&mut self, id: usize, t: ThreadId) {
        let now = self.agenda.now_ns;
        if self.agenda.ready.must_make_room(self.cpus[id].slice_ends_ns <= now, t) {
            self.agenda.enqueue(t);
            self.release(id);
            return;
        }
        if self.cpus[id].slice_ends_ns <= now {
            self.cpus[id].slice_ends_ns = now.saturating_add(self.agenda.ready.slice_ns());
        }
        let left = std::mem::take(&mut self.agenda.threads[t.index()].left_ns);
        if left > 0 && self.has_code(t) {
            self.compute(id, t, left);
        } else if self.stands_at_call(t) {
            self.come_to_call(id, t);
        } else {
            self.occupy(id, Phase::Local, 0);
        }
    }

    pub(super) fn occupy(&mut self, id: usize, phase: Phase, ns: u64) {
        self.agenda.measures.cpu_time_ns += ns;
        let cpu = &mut self.cpus[id];
        cpu.phase = phase;
        cpu.busy_until_ns = self.agenda.now_ns.saturating_add(ns);
    }

    pub(super) fn release(&mut self, id: usize) {
        self.cpus[id].thread = None;
    }

    /// Handles threads that ended or were suspended: frees their processors, and counts the
    /// processes that have ended.
    fn retire(&mut self) {
        if self.agenda.born.is_empty() && self.agenda.left.is_empty() {
            return;
        }
        for process in std::mem::take(&mut self.agenda.born) {
            self.workers += u32::from(self.machine.family_of(process).role == Role::Worker);
        }
        for t in std::mem::take(&mut self.agenda.left) {
            for cpu in self.cpus.iter_mut().filter(|cpu| cpu.thread == Some(t)) {
                cpu.thread = None;
                let left = cpu.busy_until_ns.saturating_sub(self.agenda.now_ns);
                self.agenda.measures.cpu_time_ns -= left;
                // The rest of a `compute` continues when the thread is resumed.
                if cpu.phase == Phase::Computing && !self.state.threads[t.index()].state.is_ended()
                {
                    self.agenda.threads[t.index()].left_ns += left;
                }
            }
            let process = self.state.threads[t.index()].process;
            if self.state.has_ended(process) && !self.ended[process.index()] {
                self.ended[process.index()] = true;
                let life = &self.state.processes[process.index()].life;
                if self.workers > 0 && matches!(life, Life::Ended(End::Failed(..))) {
                    self.failed.push(process);
                }
                if self.machine.family_of(process).role == Role::Worker {
                    self.workers -= 1;
                    self.done_ns = self.agenda.now_ns;
                }
            }
        }
    }
}
