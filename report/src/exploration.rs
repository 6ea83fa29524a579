//! What an exploration found, in sentences: how schedules end, and one of each kind, step by step.

use std::fmt::Write;

use ipcsim_explore::{
    Class, Covered, Doom, Ending, Exploration, Goes, Lost, NoTrace, Outcome, Path, Problem,
    Starving, Why, context_switches, diagnose, end_of, replay,
};
use ipcsim_kernel::waits::stuck;
use ipcsim_kernel::{Machine, Scheduler, State, ThreadId};

use crate::steps::Steps;
use crate::units::{count, plural};
use crate::verdict::{sentence, tell_cures, tell_waits};
use crate::words::{Names, failed_words, place};

/// What an exploration found.
pub struct Told<'a> {
    /// What is typed to see a path again.
    pub replay: &'a dyn Fn(&mut Exploration, &Path) -> String,
    /// Changes with which every schedule completes.
    pub cures: &'a [String],
    /// Whether a run in the scenario's own durations ends so, in a sentence.
    pub confirm: &'a dyn Fn(&Exploration, &Ending) -> String,
}

/// What an exploration found, in sentences.
pub fn exploration(found: &mut Exploration, told: &Told) -> String {
    let mut out = headline(found);
    if let Some(note) = priorities_do_not_count(found.machine) {
        let _ = writeln!(out, "  {note}");
    }
    let endings = found.endings.clone();
    let several = endings.len() > 1;
    for ending in &endings {
        let is_fine = ending.outcome == Outcome::Completes;
        if is_fine && !several {
            continue;
        }
        if several {
            let is_decided = matches!(found.covered, Covered::All | Covered::Ends);
            let can = if is_decided { "may" } else { "can" };
            let _ = writeln!(out, "\n{can} {}", infinitive(ending.outcome));
        }
        let path = found.path(ending.state);
        tell_ending(&mut out, found, told, ending, &path);
        let _ = writeln!(out, "  replay: {}", (told.replay)(found, &path));
    }
    tell_others(&mut out, found, told);
    tell_starving(&mut out, found, told);
    tell_masked(&mut out, found, told);
    out
}

/// What has to be said where a scheduler looks at priorities: every schedule is every order.
pub fn priorities_do_not_count(machine: &Machine) -> Option<&'static str> {
    let any = machine.families.iter().any(|family| family.priority != 0);
    let matters = machine.timing.scheduler == Scheduler::Priority && any;
    matters.then_some(
        "every schedule is every order: here the scheduler's priorities and durations do not count, in a run they do",
    )
}

/// Which threads can starve.
fn tell_starving(out: &mut String, found: &mut Exploration, told: &Told) {
    for Starving { thread, state } in found.starving.clone() {
        let path = found.path(state);
        let schedule = found.schedule(&path);
        let at = replay(found.machine, found.grain(), &schedule, &mut NoTrace);
        let who = Names::new(found.machine).thread(&at, thread);
        let place = place(found.machine, at.threads[thread.index()].pc);
        let _ = writeln!(
            out,
            "\n{who} can starve{place}: under weak fairness the others can go on for ever without it"
        );
        let _ = writeln!(out, "  replay: {}", (told.replay)(found, &path));
    }
}

/// So many other sets of doomed threads are shown.
const OTHERS: usize = 5;

/// Which other threads can get stuck, or the same ones for another reason.
fn tell_others(out: &mut String, found: &mut Exploration, told: &Told) {
    let shown = |doom: &Doom| {
        let mut problems = found.endings.iter().flat_map(|ending| &ending.problems);
        problems.any(|it| it.class == doom.problem.class && it.threads == doom.problem.threads)
    };
    let others: Vec<Doom> = found.doomed.iter().filter(|doom| !shown(doom)).cloned().collect();
    if others.is_empty() {
        return;
    }
    out.push_str("\nother schedules leave other threads stuck, or for another reason\n");
    for doom in others.iter().take(OTHERS) {
        let path = found.path(doom.state);
        let schedule = found.schedule(&path);
        let state = replay(found.machine, found.grain(), &schedule, &mut NoTrace);
        let _ = writeln!(out, "  {}", named(found.machine, &state, &doom.problem));
        let _ = writeln!(out, "    {}", (told.replay)(found, &path));
    }
    if others.len() > OTHERS {
        let _ = writeln!(out, "  … {} more …", others.len() - OTHERS);
    }
}

/// A deadlock that is never seen, because a timeout ends it each time.
fn tell_masked(out: &mut String, found: &mut Exploration, told: &Told) {
    let Some(doom) = found.masked.clone() else { return };
    let path = found.path(doom.state);
    let schedule = found.schedule(&path);
    let state = replay(found.machine, found.grain(), &schedule, &mut NoTrace);
    let _ = writeln!(out, "\na deadlock that only a timeout ends");
    let _ = writeln!(out, "  {}", named(found.machine, &state, &doom.problem));
    tell_waits_of(out, found.machine, &state, &doom.problem);
    let _ = writeln!(out, "  replay: {}", (told.replay)(found, &path));
}

fn named(machine: &Machine, state: &State, problem: &Problem) -> String {
    let class = match problem.class {
        Class::CrossedSend => "a crossed send",
        Class::CircularWait => "a circular wait",
        Class::SelfWait => "a self-wait",
        Class::MemoryExhausted => "kernel memory is exhausted",
        Class::OrphanWait => "an orphan wait",
        Class::Neglected => "neglect",
    };
    format!("{}: {class}", sentence(machine, state, problem))
}

fn tell_waits_of(out: &mut String, machine: &Machine, state: &State, problem: &Problem) {
    let mut waits = String::new();
    tell_waits(&mut waits, machine, state, problem);
    for line in waits.lines() {
        let _ = writeln!(out, "  {line}");
    }
}

fn tell_ending(
    out: &mut String,
    found: &mut Exploration,
    told: &Told,
    ending: &Ending,
    path: &Path,
) {
    let machine = found.machine;
    let schedule = found.schedule(path);
    let switches = match context_switches(&schedule) {
        1 => "1 context switch".to_string(),
        many => format!("{} context switches", count(many)),
    };
    let steps = plural(schedule.len() as u64 - 1, "step");
    let is_shortest = found.covered == Covered::All && found.why_not_whole().is_none();
    let shortest = if is_shortest { "shortest" } else { "short" };
    let _ = writeln!(out, "  {shortest} way there, {steps}, {switches}");
    let (lines, state) = Steps::of(machine, found.grain(), &schedule);
    if ending.outcome == Outcome::Completes {
        return;
    }
    out.push_str(&lines.text("    "));
    tell_reasons(out, machine, &state, ending);
    tell_round(out, found, path, ending);
    let _ = writeln!(out, "  {}", (told.confirm)(found, ending));
    if found.covered != Covered::All {
        return;
    }
    match found.lost(path) {
        Lost::Unknown => {}
        Lost::BeforeTheFirstStep => {
            out.push_str("  no schedule completes: only a change to the scenario helps\n");
        }
        Lost::At { step, instead } => {
            let when = match step {
                0 => "the choice at the very beginning".to_string(),
                step => format!("step {step}"),
            };
            let _ = writeln!(
                out,
                "  point of no return: {when}; before it some schedule still completes"
            );
            let saved = found.schedule(&instead);
            let (lines, _) = Steps::of(machine, found.grain(), &saved[..=step]);
            if let Some(line) = lines.first_of(step as u64) {
                let _ = writeln!(out, "    saved if instead {line}");
            }
            let token = (told.replay)(found, &instead);
            let steps = plural(instead.len() as u64 - 1, "step");
            let _ = writeln!(out, "    the nearest schedule that completes, {steps}: {token}");
        }
    }
    tell_cures(out, told.cures);
}

/// Some states that were enough.
fn stand_for_all(found: &Exploration) -> String {
    let stand = if found.states() == 1 { "stands" } else { "stand" };
    format!("{} that {stand} for all (a proof)", plural(found.states(), "state"))
}

const A_MILLION: u64 = 1_000_000;

fn headline(found: &Exploration) -> String {
    let states = plural(found.states(), "state");
    let covered = match found.covered {
        Covered::All => match found.why_not_whole() {
            None => format!("{states}, all of them looked at (a proof)"),
            Some(_) => stand_for_all(found),
        },
        _ if found.why_not_whole() == Some(Why::FewerSchedules) => {
            format!("{states} looked at, which stand for more; not all of them")
        }
        Covered::Hashed => format!("{states} looked at, perhaps not all of them"),
        _ => format!("{states} looked at, not all of them"),
    };
    let outcomes: Vec<Outcome> = found.endings.iter().map(|ending| ending.outcome).collect();
    let mut out = String::new();
    match (found.covered, &outcomes[..]) {
        (Covered::All, [only]) => {
            let _ = writeln!(out, "every schedule {}: {covered}", present(*only));
            if *only == Outcome::Completes && found.is_fair_only {
                out.push_str("  under weak fairness: a scheduler with strict priorities may pass a thread over for ever\n");
            }
        }
        (Covered::All, several) => {
            let ways: Vec<&str> = several.iter().map(|outcome| infinitive(*outcome)).collect();
            let (first, others) = ways.split_first().map_or(("end", &[][..]), |(a, b)| (*a, b));
            let _ = writeln!(out, "some schedules {first}, others {}: {covered}", or(others));
        }
        (Covered::Ends, outcomes) => tell_ends(&mut out, found, outcomes),
        (why, outcomes) => {
            let _ = writeln!(out, "not decided: {covered}: {}", cut_off(found.machine, why));
            tell_doubt(&mut out, found);
            let all_fine = outcomes.iter().all(|outcome| *outcome == Outcome::Completes);
            match outcomes.len() {
                0 => out.push_str("  no schedule was seen to its end\n"),
                _ if all_fine => {
                    out.push_str("  every schedule that was seen to its end completes\n");
                }
                _ => {}
            }
        }
    }
    out
}

/// How those schedules end that come to an end, if others go on for ever.
fn tell_ends(out: &mut String, found: &Exploration, outcomes: &[Outcome]) {
    let ways: Vec<&str> = outcomes.iter().map(|outcome| infinitive(*outcome)).collect();
    let states = stand_for_all(found);
    let _ = match outcomes {
        [] => writeln!(out, "no schedule comes to an end: {states}"),
        [only] => {
            writeln!(out, "every schedule that comes to an end {}: {states}", present(*only))
        }
        _ => writeln!(out, "schedules that come to an end {}: {states}", or(&ways)),
    };
    let open = |it: &Outcome| !outcomes.contains(it) && !found.excludes(*it);
    let open = [Outcome::Deadlock, Outcome::Stranded].into_iter().filter(open);
    let open: Vec<String> = open.map(|it| format!("{} meanwhile", present(it))).collect();
    let _ = writeln!(out, "  {}", others_go_on(&open));
}

/// What is not known of schedules that go on for ever, besides this.
fn others_go_on(besides: &[String]) -> String {
    let all = ["is a livelock", "starves somebody"];
    let all: Vec<&str> = all.into_iter().chain(besides.iter().map(String::as_str)).collect();
    format!(
        "schedules can also go on for ever; whether one of those {} is not decided (`--reduce-above` with a larger \
         number looks at them)",
        or(&all)
    )
}

/// What an approximate search cannot say.
fn tell_doubt(out: &mut String, found: &Exploration) {
    if let Some(Why::Hashes { one_in }) = found.why_not_whole() {
        let chance = match one_in {
            ..A_MILLION => format!("about one in {}", count(one_in)),
            _ => "less than one in a million".to_string(),
        };
        let _ = writeln!(
            out,
            "  NOT A PROOF: a new state can be taken for a known one and passed over, in the end {chance};\n  \
             livelock, starvation and what only a timeout ends were not looked for"
        );
    }
}

/// Why not all states were looked at.
pub fn cut_off(machine: &Machine, covered: Covered) -> String {
    // Threads that are started on the way are not in the first state.
    let name = |t: ThreadId| {
        let state = State::initial(machine);
        let known = t.index() < state.threads.len();
        if known { Names::new(machine).thread(&state, t) } else { "a started thread".into() }
    };
    match covered {
        Covered::All => String::new(),
        Covered::Ends => others_go_on(&[]),
        Covered::States => "--max-states was reached".into(),
        Covered::Hashed => {
            "--approximate stores a few bits of each state (bitstate hashing)".into()
        }
        Covered::Memory => "--max-memory was reached".into(),
        Covered::Time => "--time was reached".into(),
        Covered::Interrupted => "interrupted".into(),
        Covered::Clock(pc) => format!(
            "`now()` in line {} cannot be explored, for time is free; only a log may ask for it",
            machine.line(pc)
        ),
        Covered::Growth => "there are ever more threads or mailboxes".into(),
        Covered::Endless(t) => {
            format!("{} can come to a loop that makes no system call and never ends", name(t))
        }
        Covered::TooManyAnswers(t) => {
            let whose = t.map_or("the beginning".into(), |t| format!("a step of {}", name(t)));
            format!("{whose} can come out in too many ways to try them all")
        }
    }
}

fn or(ways: &[&str]) -> String {
    match ways {
        [] => "never ends".into(),
        [only] => (*only).into(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

fn present(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Completes => "completes",
        Outcome::Fails => "fails",
        Outcome::Deadlock => "deadlocks",
        Outcome::Stranded => "leaves somebody stranded",
        Outcome::Livelock => "livelocks",
        Outcome::Unfinished => "goes on for ever",
    }
}

fn infinitive(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Completes => "complete",
        Outcome::Fails => "fail",
        Outcome::Deadlock => "deadlock",
        Outcome::Stranded => "leave somebody stranded",
        Outcome::Livelock => "livelock",
        Outcome::Unfinished => "go on for ever",
    }
}

/// How a schedule ends that leads to this state, and why; or that it can go on.
pub fn end(machine: &Machine, state: &State) -> String {
    let Some(ending) = end_of(machine, state) else {
        let stuck = diagnose(machine, state, &stuck(machine, state), &|_| 0);
        let mut out = "the schedule can go on from here".to_string();
        out.push_str(if stuck.problems.is_empty() {
            "\n"
        } else {
            ", but some threads are stuck:\n"
        });
        tell_problems(&mut out, machine, state, &stuck.problems);
        return out;
    };
    let mut out = format!("this schedule {}\n", present(ending.outcome));
    tell_reasons(&mut out, machine, state, &ending);
    out
}

fn tell_reasons(out: &mut String, machine: &Machine, state: &State, ending: &Ending) {
    for failure in &ending.failures {
        let name = machine.process_name(failure.process);
        let place = place(machine, failure.at);
        let why = failed_words(machine, failure.at, &failure.fault);
        let _ = writeln!(out, "  {name} failed{place}: {why}");
    }
    tell_problems(out, machine, state, &ending.problems);
}

fn tell_problems(out: &mut String, machine: &Machine, state: &State, problems: &[Problem]) {
    for problem in problems {
        let _ = writeln!(out, "  {}", named(machine, state, problem));
        tell_waits_of(out, machine, state, problem);
    }
}

/// What happens again and again.
fn tell_round(out: &mut String, found: &mut Exploration, path: &Path, ending: &Ending) {
    if ending.goes != Goes::OnForEver {
        return;
    }
    out.push_str("  from there the system can go on for ever");
    if ending.round.is_empty() {
        out.push('\n');
        return;
    }
    let _ = writeln!(out, ", {} at a time", plural(ending.round.len() as u64, "step"));
    let all: Path = path.iter().chain(&ending.round).copied().collect();
    let schedule = found.schedule(&all);
    let (mut steps, _) = Steps::of(found.machine, found.grain(), &schedule);
    steps.forget_before(path.len() as u64);
    out.push_str(&steps.text("    "));
}
