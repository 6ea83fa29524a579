//! The results of tests in sentences.

use ipcsim_report::{plural, visible};
use ipcsim_session::Judgement;

use super::snapshot::Snapshot;
use super::{Check, Outcome, Tested};
use crate::args::TestArgs;
use crate::exit::Exit;

const INDENT: &str = "              ";

/// Every check, and how many came to what.
pub(super) fn text(tested: &[Tested], args: &TestArgs) -> String {
    let mut out = String::new();
    for file in tested {
        if file.is_unusable() {
            let why = match file.has_no_fitting_claims() {
                Some(claims) => format!("the claims of {} do not fit it", visible(claims)),
                None => "cannot be used".into(),
            };
            out.push_str(&format!("FAILED        {}  {why}\n", visible(&file.name)));
        }
        for check in &file.checks {
            let is_fine = match &check.found {
                Outcome::Claim(_, _, judgement) => matches!(**judgement, Judgement::Holds(_)),
                _ => check.exit() == Exit::Yes,
            };
            if !(is_fine && args.quiet) {
                out.push_str(&tell(check));
            }
        }
    }
    out.push('\n');
    out.push_str(&counts(tested));
    out
}

fn counts(tested: &[Tested]) -> String {
    let claims = || {
        tested.iter().flat_map(|file| &file.checks).filter_map(|check| match &check.found {
            Outcome::Claim(_, _, judgement) => Some(&**judgement),
            Outcome::Trace(_) | Outcome::NothingClaimed => None,
        })
    };
    let count = |is: fn(&Judgement) -> bool| claims().filter(|it| is(it)).count() as u64;
    let vacuous = count(|it| matches!(it, Judgement::HoldsInVain(_)));
    let passed = count(|it| matches!(it, Judgement::Holds(_))) + vacuous;
    let failed = count(|it| matches!(it, Judgement::Fails(_)));
    let undecided = count(|it| matches!(it, Judgement::Undecided(_)));
    let (hold, not) =
        (if passed == 1 { "holds" } else { "hold" }, if failed == 1 { "does" } else { "do" });
    let mut out = format!(
        "{}: {} {hold}, {failed} {not} not",
        plural(tested.len() as u64, "file"),
        plural(passed, "claim")
    );
    if undecided > 0 {
        out.push_str(&format!(", {undecided} undecided"));
    }
    if vacuous > 0 {
        out.push_str(&format!("; {vacuous} of those that hold would hold in any case"));
    }
    let traces = || {
        tested.iter().flat_map(|file| &file.checks).filter_map(|check| match &check.found {
            Outcome::Trace(snapshot) => Some(snapshot),
            Outcome::Claim(..) | Outcome::NothingClaimed => None,
        })
    };
    let same = traces().filter(|it| it.wrong().is_none()).count();
    if traces().count() > 0 {
        let all = plural(traces().count() as u64, "trace");
        out.push_str(&format!("\n{all}: {same} unchanged, {} not", traces().count() - same));
    }
    let list = |out: &mut String, what: &str, is: fn(&Tested) -> bool| {
        let names: Vec<String> =
            tested.iter().filter(|file| is(file)).map(|file| visible(&file.name)).collect();
        if !names.is_empty() {
            out.push_str(&format!(
                "\n{} {what}: {}",
                plural(names.len() as u64, "file"),
                names.join(", ")
            ));
        }
    };
    list(&mut out, "cannot be used", Tested::is_unusable);
    list(&mut out, "without claims", Tested::claims_nothing);
    out.push('\n');
    out
}

fn tell(check: &Check) -> String {
    match &check.found {
        Outcome::Claim(_, _, judgement) => tell_claim(&check.what, judgement),
        Outcome::NothingClaimed => format!("FAILED        {}\n", check.what),
        Outcome::Trace(Snapshot::Kept) => format!("kept          {}\n", check.what),
        Outcome::Trace(snapshot) => match snapshot.wrong() {
            None => format!("ok            {}\n", check.what),
            Some((why, lines)) => {
                let mut out = format!("FAILED        {}\n{INDENT}{why}\n", check.what);
                lines.lines().for_each(|line| out.push_str(&format!("{INDENT}{line}\n")));
                out
            }
        },
    }
}

/// A claim with what became of it; in full if it does not hold.
pub(crate) fn tell_claim(place: &str, judgement: &Judgement) -> String {
    match judgement {
        Judgement::Holds(None) => format!("ok            {place}\n"),
        Judgement::Holds(Some(schedule)) => {
            format!("ok            {place}\n{INDENT}by: {}\n", schedule.replay)
        }
        Judgement::HoldsInVain(why) => format!("ok, but       {place}\n{INDENT}{why}\n"),
        Judgement::Undecided(why) => format!("undecided     {place}\n{INDENT}{why}\n"),
        Judgement::Fails(failed) => {
            let mut out = format!("FAILED        {place}\n{INDENT}{}\n", failed.reason);
            if let Some(because) = &failed.because {
                out.push_str(&format!("{INDENT}because: {because}\n"));
            }
            if let Some(schedule) = &failed.counterexample {
                out.push_str(&schedule.text(INDENT));
            }
            out
        }
    }
}
