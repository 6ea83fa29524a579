//! Does a run repeat itself for ever?
//!
//! Brent's algorithm: one earlier moment is kept and compared with what comes after it; the kept one
//! is renewed at powers of two, so that it comes to lie inside the circle, however late that begins.
//! Two moments are the same if state, ready queue, processors, timers (counted from now) and the
//! positions of all random streams are.

use ipcsim_kernel::{ThreadId, encode};

use crate::run::Runner;

/// A look-out for repetition.
pub(crate) struct Repetition {
    kept: Option<Moment>,
    age: u64,
    renew_at: u64,
}

/// Where a run is, so that it can be told whether it comes back.
pub(crate) struct Moment {
    sign: Sign,
    bytes: Vec<u8>,
}

/// What is cheap to compare: if it differs, the moments do.
#[derive(PartialEq, Eq)]
struct Sign {
    progress: u64,
    /// What only grows in a run that does not repeat itself.
    sizes: [u64; 3],
    /// Who has each processor, and who is next in the queue; and where these are in their programs.
    next: Vec<Option<(u32, u32)>>,
}

/// Where more bytes than this are stored the run is not compared: a flood does not repeat itself, and to
/// keep a copy of it takes as much memory again.
const MOST_STORED: u64 = 16 << 20;

impl Moment {
    /// Where a run is now.
    pub(crate) fn of(runner: &Runner) -> Self {
        Self { sign: sign(runner), bytes: bytes(runner) }
    }

    /// Whether a run is there.
    pub(crate) fn is(&self, runner: &Runner) -> bool {
        self.sign == sign(runner) && self.bytes == bytes(runner)
    }
}

impl Repetition {
    pub(crate) fn new() -> Self {
        Self { kept: None, age: 0, renew_at: 64 }
    }

    /// Whether the run is where it was before, without a worker having got anywhere in between.
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
    // Where a processor looks for work when the run is looked at, whoever is next in the queue has it.
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
        // Without a quantum the slice never ends.
        let endless = cpu.slice_ends_ns == u64::MAX;
        add(if endless { u64::MAX } else { cpu.slice_ends_ns.saturating_sub(now) });
    }
    let threads = runner.agenda.threads.iter().enumerate();
    for (t, account) in threads.filter(|(_, account)| account.left_ns > 0) {
        add(t as u64);
        add(account.left_ns);
    }
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
