//! Who gets a processor: ready threads take idle ones, and a more urgent thread takes that of a less urgent one.

use ipcsim_kernel::ThreadId;

use super::cpu::Phase;
use super::runner::Runner;

impl Runner<'_> {
    /// Gives idle processors to ready threads; a more urgent thread preempts a less urgent one.
    pub(super) fn dispatch(&mut self) {
        if self.agenda.ready.is_empty() {
            return;
        }
        for id in 0..self.cpus.len() {
            if self.cpus[id].thread.is_none()
                && let Some(t) = self.next_ready()
            {
                self.give(id, t);
            }
        }
        if let Some(urgent) = self.agenda.ready.most_urgent() {
            self.preempt_for(urgent);
        }
    }

    pub(super) fn next_ready(&mut self) -> Option<ThreadId> {
        loop {
            let t = self.agenda.next_ready()?;
            // A thread that was killed while in the queue is still in it.
            if self.state.threads[t.index()].state.could_step() {
                return Some(t);
            }
        }
    }

    pub(super) fn give(&mut self, id: usize, t: ThreadId) {
        let mut cost = 0;
        if self.cpus[id].last != Some(t) {
            cost = self.machine.timing.costs.context_switch_ns;
            self.agenda.measures.context_switches += 1;
        }
        let slice = self.agenda.ready.slice_ns();
        let cpu = &mut self.cpus[id];
        cpu.thread = Some(t);
        cpu.last = Some(t);
        cpu.slice_ends_ns = self.agenda.now_ns.saturating_add(cost).saturating_add(slice);
        // The rest of a `compute` continues after the switch.
        if self.agenda.threads[t.index()].left_ns > 0 && self.has_code(t) {
            self.occupy(id, Phase::Switching, cost);
        } else if self.stands_at_call(t) && self.has_code(t) {
            let entry = self.machine.timing.costs.syscall_ns;
            self.occupy(id, Phase::Call, cost.saturating_add(entry));
        } else {
            self.occupy(id, Phase::Local, cost);
        }
    }

    /// Preempts a less urgent thread that is computing.
    fn preempt_for(&mut self, urgent: i64) {
        let now = self.agenda.now_ns;
        let mut victim: Option<(i64, usize)> = None;
        for (id, cpu) in self.cpus.iter().enumerate() {
            let Some(t) = cpu.thread else { continue };
            let priority = self.agenda.ready.priority(t);
            let less_urgent = priority < urgent && victim.is_none_or(|(least, _)| priority < least);
            if cpu.phase == Phase::Computing && less_urgent {
                victim = Some((priority, id));
            }
        }
        let Some((_, id)) = victim else { return };
        let cpu = self.cpus[id];
        let Some(t) = cpu.thread else { return };
        let rest = cpu.busy_until_ns.saturating_sub(now);
        self.agenda.threads[t.index()].left_ns += rest;
        self.agenda.measures.cpu_time_ns -= rest;
        self.agenda.enqueue(t);
        self.release(id);
        if let Some(next) = self.next_ready() {
            self.give(id, next);
        }
    }
}
