//! Does a run repeat itself for ever?
//!
//! Brent's algorithm: keep one earlier moment and compare it with each later one; replace it at
//! powers of two, so that it ends up inside the cycle, however late the cycle begins. Two moments
//! are equal if the state, ready queue, processors, timers (relative to now) and positions of all
//! random streams are equal.

use ipcsim_kernel::{ThreadId, encode};

use crate::run::Runner;

/// Detects repetition.
pub(crate) struct Repetition {
    kept: Option<Moment>,
    age: u64,
    renew_at: u64,
}

/// A moment of a run, to detect whether the run returns to it.
pub(crate) struct Moment {
    sign: Sign,
    bytes: Vec<u8>,
}

/// What is cheap to compare: if the signs differ, so do the moments.
#[derive(PartialEq, Eq)]
struct Sign {
    progress: u64,
    /// Sizes that can only grow in a run that does not repeat itself.
    sizes: [u64; 3],
    /// Who runs on each processor, who is next in the queue, and where these are in their programs.
    next: Vec<Option<(u32, u32)>>,
}

/// If mailboxes store more bytes than this, the run is not compared: a flood does not repeat
/// itself, and keeping a copy would double the memory.
const MOST_STORED: u64 = 16 << 20;

impl Moment {
    /// The current moment of a run.
    pub(crate) fn of(runner: &Runner) -> Self {
        Self { sign: sign(runner), bytes: bytes(runner) }
    }

    /// Whether a run is at this moment again.
    pub(crate) fn is(&self, runner: &Runner) -> bool {
        self.sign == sign(runner) && self.bytes == bytes(runner)
    }
}

impl Repetition {
    pub(crate) fn new() -> Self {
        Self { kept: None, age: 0, renew_at: 64 }
    }

    /// Whether the run is where it was before, and no worker has made progress in between.
    pub(crate) fn repeats(&mut self, runner: &Runner) -> bool {
        if runner.state.memory.used > MOST_STORED {
            self.kept = None;
            return false;
        }
        let sign = sign(runner);
        self.age += 1;
        if let Some(kept) = &self.kept
            && kept.sign == sign
            && kept.bytes == bytes(runner)
        {
            return true;
        }
        let stale = self.kept.as_ref().is_none_or(|kept| kept.sign.progress != sign.progress);
        if stale || self.age >= self.renew_at {
            self.renew_at = if stale { 64 } else { self.renew_at * 2 };
            self.age = 0;
            self.kept = Some(Moment { sign, bytes: bytes(runner) });
        }
        false
    }
}

fn sign(runner: &Runner) -> Sign {
    let place = |t: ThreadId| (t.0, runner.state.threads[t.index()].pc.0);
    let next = runner.cpus.iter().map(|cpu| cpu.thread.map(place));
    let state = &runner.state;
    let sizes = [state.memory.used, state.mailboxes.len() as u64, state.threads.len() as u64];
    // If a processor is looking for work right now, the next thread in the queue gets it.
    let waiting = runner.agenda.ready.first().map(place);
    Sign { progress: runner.agenda.progress, sizes, next: next.chain([waiting]).collect() }
}

fn bytes(runner: &Runner) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(&runner.state, &mut bytes);
    let mut add = |number: u64| bytes.extend_from_slice(&number.to_le_bytes());
    let now = runner.agenda.now_ns;
    for t in runner.agenda.ready.threads() {
        add(u64::from(t.0));
    }
    add(u64::MAX);
    for cpu in &runner.cpus {
        add(cpu.thread.map_or(u64::MAX, |t| u64::from(t.0)));
        add(cpu.last.map_or(u64::MAX, |t| u64::from(t.0)));
        add(cpu.phase as u64);
        add(cpu.busy_until_ns.saturating_sub(now));
        // Without a quantum, a slice never ends.
        let endless = cpu.slice_ends_ns == u64::MAX;
        add(if endless { u64::MAX } else { cpu.slice_ends_ns.saturating_sub(now) });
    }
    let threads = runner.agenda.threads.iter().enumerate();
    for (t, account) in threads.filter(|(_, account)| account.left_ns > 0) {
        add(t as u64);
        add(account.left_ns);
    }
    add(u64::MAX);
    runner.agenda.frames.tell(&mut add);
    add(u64::MAX);
    for (due, who) in runner.agenda.timers.ahead(&runner.state, now) {
        add(due);
        add(who);
    }
    for position in runner.draws.positions().into_iter().chain(runner.agenda.positions()) {
        add(position as u64);
    }
    bytes
}
