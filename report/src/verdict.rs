//! The verdict in sentences: who waits for whom, why, since when, and what helps.

use std::fmt::Write;

use ipcsim_explore::{
    Class, Hidden, Inversion, Measures, Outcome, Problem, Reason, Run, Stop, Verdict,
};
use ipcsim_kernel::{BlockedOn, Bound, Machine, Pc, Role, State, Thread, ThreadId, ThreadState};

use crate::reasons::{Waiting, waiting};
use crate::units::{bytes, count, plural, time};
use crate::words::{self, Names, listed_up_to};

/// Sentences of a problem list this many threads, and then say how many more there are.
const SHOWN: usize = 8;

/// The verdict, each line with a line break.
pub fn verdict(machine: &Machine, run: &Run, verdict: &Verdict, cures: &[String]) -> String {
    let mut out = String::new();
    let write = |out: &mut String, line: String| {
        out.push_str(&line);
        out.push('\n');
    };
    for failure in &verdict.failures {
        let name = machine.process_name(failure.process);
        let place = words::place(machine, failure.at);
        let why = words::failed_words(machine, failure.at, &failure.fault);
        write(&mut out, format!("{name} failed{place}: {why}"));
    }
    let shown = verdict.problems.iter().take(SHOWN);
    for problem in shown {
        tell_problem(&mut out, machine, &run.state, problem);
    }
    if verdict.problems.len() > SHOWN {
        let more = verdict.problems.len() - SHOWN;
        write(&mut out, format!("and {more} more of the same kind"));
    }
    if let Some(hidden) = &run.hidden {
        tell_hidden(&mut out, machine, run, hidden);
    }
    if let Some(inversion) = &run.inversion {
        write(&mut out, told_inversion(machine, &run.state, inversion));
    }
    match verdict.outcome {
        Outcome::Completes => write(&mut out, completed(run, verdict)),
        Outcome::Livelock => tell_round(&mut out, machine, run),
        Outcome::Unfinished => {
            let why = cut_off(machine, run);
            let why = why.unwrap_or_else(|| "some processes have not ended".into());
            write(&mut out, format!("unfinished: {why}"));
        }
        Outcome::Fails | Outcome::Deadlock | Outcome::Stranded => {
            if let Some(why) = cut_off(machine, run) {
                write(&mut out, format!("the others went on: {why}"));
            }
        }
    }
    tell_cures(&mut out, cures);
    out
}

/// What helps, a line each.
pub(crate) fn tell_cures(out: &mut String, cures: &[String]) {
    for (number, cure) in cures.iter().enumerate() {
        let word = if number == 0 { "cure:" } else { "or:  " };
        let _ = writeln!(out, "  {word} {cure}");
    }
}

fn completed(run: &Run, verdict: &Verdict) -> String {
    // The time of a run that repeats itself says only how long it took to see that.
    let repeats = matches!(run.stop, Stop::Repeats);
    let at = if repeats { run.done_ns } else { run.measures.time_ns };
    let mut text = format!("completes at {}", time(at));
    let were = |number: u64| if number == 1 { "was" } else { "were" };
    let mut flaws = Vec::new();
    if run.measures.lost > 0 {
        let number = plural(run.measures.lost, "message");
        flaws.push(format!("{number} {} lost", were(run.measures.lost)));
    }
    if run.measures.unread > 0 {
        let number = run.measures.unread;
        flaws.push(format!("{} in pipes {} never read", bytes(number), were(number)));
    }
    if verdict.unreceived > 0 {
        let number = plural(verdict.unreceived, "message");
        flaws.push(format!("{number} {} never received", were(verdict.unreceived)));
    }
    if !flaws.is_empty() {
        let _ = write!(text, ", but {}", flaws.join(" and "));
    }
    if repeats {
        text.push_str("; daemons go on for ever");
    }
    text
}

/// Why a run is over that could have gone on.
fn cut_off(machine: &Machine, run: &Run) -> Option<String> {
    Some(match run.stop {
        Stop::Steps => {
            format!("cut off after {} (--max-steps allows more)", plural(run.steps, "step"))
        }
        Stop::Time => format!("cut off at {} (--until)", time(run.measures.time_ns)),
        Stop::Clock => "cut off after 584 years (2^64 ns), where simulated time ends".into(),
        Stop::Cancelled(reason) => {
            let steps = plural(run.steps, "step");
            match reason {
                Reason::Interrupted => format!("interrupted after {steps}"),
                Reason::Memory => format!("out of memory after {steps} (--max-memory)"),
                Reason::Time => format!("out of time after {steps} (--time)"),
            }
        }
        Stop::LocalLoop(t) => {
            let name = Names::new(machine).thread(&run.state, t);
            let place = words::place(machine, run.state.threads[t.index()].pc);
            format!(
                "{name} is in a loop{place} that makes no system call: {} operations, or as much work, without one",
                count(ipcsim_kernel::limits::LOCAL_OPERATIONS)
            )
        }
        Stop::Over | Stop::Repeats => return None,
    })
}

/// Since when a run repeats itself, and which threads move in it.
fn tell_round(out: &mut String, machine: &Machine, run: &Run) {
    let Some(round) = &run.round else {
        let since = time(run.measures.time_ns);
        let _ = writeln!(
            out,
            "livelock: from {since} on the run repeats itself, and no process makes progress"
        );
        return;
    };
    let names = Names::new(machine);
    let _ = writeln!(
        out,
        "livelock: from {} on the run repeats itself every {}, and no process makes progress",
        time(round.since_ns),
        time(round.period_ns)
    );
    for (t, places) in round.movers.iter().take(SHOWN) {
        let lines: Vec<String> = places.iter().map(|pc| machine.line(*pc).to_string()).collect();
        let lines = match &lines[..] {
            [] => format!("its loop{}", words::place(machine, run.state.threads[t.index()].pc)),
            [line] => format!("line {line}"),
            [first, .., last] => format!("lines {first} to {last}"),
        };
        let _ = writeln!(out, "  {} repeats {lines}", names.thread(&run.state, *t));
    }
    if round.movers.len() > SHOWN {
        let _ = writeln!(out, "  and {} more", round.movers.len() - SHOWN);
    }
    if !round.starved.is_empty() {
        let who: Vec<String> = round.starved.iter().map(|t| names.thread(&run.state, *t)).collect();
        let verb = if who.len() == 1 { "is" } else { "are" };
        let _ = writeln!(
            out,
            "  {} {verb} ready and never run{}",
            listed(&who),
            if who.len() == 1 { "s" } else { "" }
        );
    }
}

/// That an urgent thread has waited while a less urgent one ran.
fn told_inversion(machine: &Machine, state: &State, inversion: &Inversion) -> String {
    let name = |t: ThreadId| Names::new(machine).thread(state, t);
    let Inversion { waiter, holder, ran, ns } = *inversion;
    format!(
        "priority inversion: {} waited {} for {}, which {} kept from running",
        name(waiter),
        time(ns),
        name(holder),
        name(ran)
    )
}

fn tell_hidden(out: &mut String, machine: &Machine, run: &Run, hidden: &Hidden) {
    let names = Names::new(machine);
    let place = |(t, pc): &(ThreadId, Pc)| {
        format!("{}{}", names.thread(&run.state, *t), words::place(machine, *pc))
    };
    let who: Vec<String> = hidden.waits.iter().map(place).collect();
    let by = names.thread(&run.state, hidden.by);
    let verb = if who.len() == 1 { "waited for itself" } else { "waited for each other" };
    let _ = writeln!(
        out,
        "only a timeout ended this: {} {verb} until the wait of {by} ended at {}",
        listed(&who),
        time(hidden.opened_ns)
    );
}

fn tell_problem(out: &mut String, machine: &Machine, state: &State, problem: &Problem) {
    let kind = match problem.class.outcome() {
        Some(outcome) => outcome.word(),
        None => "stuck",
    };
    let since = time(problem.since_ns);
    let _ = writeln!(out, "{kind} at {since}: {}", sentence(machine, state, problem));
    tell_waits(out, machine, state, problem);
}

fn a_daemon_goes_on(machine: &Machine, state: &State) -> bool {
    let goes_on = |thread: &Thread| match &thread.state {
        ThreadState::Ended | ThreadState::NotStarted | ThreadState::Suspended(_) => false,
        ThreadState::Blocked { bound, .. } => *bound != Bound::Forever,
        ThreadState::Ready | ThreadState::Raising(_) | ThreadState::LookingAgain { .. } => true,
    };
    let is_daemon = |thread: &Thread| machine.family_of(thread.process).role == Role::Daemon;
    state.threads.items().iter().any(|thread| is_daemon(thread) && goes_on(thread))
}

/// Who waits for what, in one sentence.
pub(crate) fn sentence(machine: &Machine, state: &State, problem: &Problem) -> String {
    let names = Names::new(machine);
    let who: Vec<String> = problem.threads.iter().map(|t| names.thread(state, *t)).collect();
    match problem.class {
        Class::CrossedSend | Class::CircularWait => match &who[..] {
            [first, second] => format!("{first} and {second} each wait for the other"),
            _ => format!("{} wait for each other in a circle", listed(&who)),
        },
        Class::SelfWait => {
            format!("{} waits for itself: nobody else could end this wait", listed(&who))
        }
        Class::MemoryExhausted => {
            let waits_for_memory =
                |t: &&ThreadId| matches!(state.waits_for(**t), Some(BlockedOn::Memory(_)));
            let named = |threads: Vec<&ThreadId>| -> Vec<String> {
                threads.into_iter().map(|t| names.thread(state, *t)).collect()
            };
            let (waiting, others) = problem.threads.iter().partition(waits_for_memory);
            let (waiting, others) = (named(waiting), named(others));
            let verb = if waiting.len() == 1 { "waits" } else { "wait" };
            let with = match &others[..] {
                [] => String::new(),
                others => format!(", in a circle with {}", listed(others)),
            };
            format!("{} {verb} for kernel memory that nobody will free{with}", listed(&waiting))
        }
        Class::OrphanWait => {
            // What a daemon that goes on could do is nothing to wait for.
            let others = if a_daemon_goes_on(machine, state) { "no worker" } else { "nobody" };
            format!("{} waits for ever: {others} left can end this wait", listed(&who))
        }
        Class::Neglected => {
            format!(
                "{} waits for ever: whoever could end this wait goes on without it",
                listed(&who)
            )
        }
    }
}

/// The waits of a problem, a line each, and of those who wait behind it.
pub(crate) fn tell_waits(out: &mut String, machine: &Machine, state: &State, problem: &Problem) {
    let names = Names::new(machine);
    tell_threads(out, machine, state, &problem.threads);
    if !problem.behind.is_empty() {
        let behind: Vec<String> = problem.behind.iter().map(|t| names.thread(state, *t)).collect();
        let _ = writeln!(out, "  stuck behind them: {}", listed(&behind));
        tell_threads(out, machine, state, &problem.behind);
    }
}

fn tell_threads(out: &mut String, machine: &Machine, state: &State, threads: &[ThreadId]) {
    for t in threads.iter().take(SHOWN) {
        let Waiting { thread, line, state: word, on, because } = waiting(machine, state, *t);
        let line = line.map_or(String::new(), |line| format!(" (line {line})"));
        let on = if on.is_empty() { on } else { format!(" {on}") };
        let _ = writeln!(out, "  {thread} is {word}{on}{line}: {because}");
    }
    if threads.len() > SHOWN {
        let _ = writeln!(out, "  and {} more", threads.len() - SHOWN);
    }
}

fn listed(names: &[String]) -> String {
    listed_up_to(names, SHOWN)
}

/// What the run cost, in one line.
pub fn measures(machine: &Machine, measures: &Measures) -> String {
    let mut parts = vec![
        time(measures.time_ns),
        plural(measures.messages, "message"),
        plural(measures.system_calls, "system call"),
    ];
    if measures.context_switches == 1 {
        parts.push("1 context switch".into());
    } else {
        parts.push(format!("{} context switches", count(measures.context_switches)));
    }
    parts.push(format!("{} copied", bytes(measures.bytes_copied)));
    parts.push(format!("kernel memory {} at most", bytes(measures.kernel_memory)));
    if measures.pages_mapped > 0 {
        parts.push(format!("{} mapped", plural(measures.pages_mapped, "page")));
    }
    if measures.page_faults > 0 {
        parts.push(plural(measures.page_faults, "page fault"));
    }
    if measures.polls > 0 {
        parts.push(plural(measures.polls, "unsuccessful poll"));
    }
    let cpus = u64::from(machine.timing.cpus);
    let there_was = u128::from(measures.time_ns) * u128::from(cpus);
    let share = (u128::from(measures.cpu_time_ns) * 100).checked_div(there_was).unwrap_or(0);
    let processors = if cpus == 1 { "processor".to_string() } else { format!("{cpus} processors") };
    parts.push(format!("{processors} busy {share} %"));
    parts.join(" · ")
}
