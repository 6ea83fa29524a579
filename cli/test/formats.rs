//! The results of tests for other programs: `JUnit` XML and the Test Anything Protocol.

use ipcsim_report::visible;
use ipcsim_scenario::Severity;
use ipcsim_session::Judgement;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Check, Outcome, Tested};

/// What is wrong with a check.
enum Wrong {
    /// Nothing.
    Nothing,
    /// It is not so: in a sentence, and in full.
    Fails(String, String),
    /// That could not be found out, and why.
    Unknown(String),
}

fn wrong(check: &Check) -> Wrong {
    match &check.found {
        Outcome::Claim(_, _, judgement) => match &**judgement {
            Judgement::Holds(_) | Judgement::HoldsInVain(_) => Wrong::Nothing,
            Judgement::Undecided(why) => Wrong::Unknown(why.clone()),
            Judgement::Fails(failed) => {
                let shown = failed.counterexample.as_ref();
                let because = failed.because.iter().map(|it| format!("because: {it}\n"));
                let schedule = shown.map(|schedule| schedule.text(""));
                let full = because.chain(schedule).collect();
                Wrong::Fails(failed.reason.clone(), full)
            }
        },
        Outcome::NothingClaimed => Wrong::Fails("there are no claims".into(), String::new()),
        Outcome::Trace(snapshot) => match snapshot.wrong() {
            None => Wrong::Nothing,
            Some((why, lines)) => Wrong::Fails(why, lines.to_string()),
        },
    }
}

fn unusable(file: &Tested) -> String {
    match &file.opened {
        Err(message) => message.clone(),
        Ok(opened) => {
            let all = opened.loaded().diagnostics.iter();
            let errors = all.filter(|it| it.severity == Severity::Error);
            let errors = errors.map(|it| format!("[{}] {}", it.code.label(), it.message));
            errors.collect::<Vec<_>>().join("; ")
        }
    }
}

/// A suite for each file, a case for each check.
pub(super) fn junit(tested: &[Tested]) -> String {
    let mut report = Report::new("ipcsim test");
    for file in tested {
        let mut suite = TestSuite::new(visible(&file.name));
        if file.is_unusable() {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(visible(&unusable(file)));
            suite.add_test_case(TestCase::new("the file can be read", status));
        }
        for check in &file.checks {
            let status = match wrong(check) {
                Wrong::Nothing => TestCaseStatus::success(),
                Wrong::Fails(why, full) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(visible(&why)).set_description(full);
                    status
                }
                Wrong::Unknown(why) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
                    status.set_message(visible(&why));
                    status
                }
            };
            let mut case = TestCase::new(visible(&check.what), status);
            case.set_classname(visible(&file.name));
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    let mut text = report.to_string().expect("a report is plain data");
    text.push('\n');
    text
}

/// Version 14: a line for each check, with what is wrong below it.
pub(super) fn tap(tested: &[Tested]) -> String {
    let mut lines: Vec<(String, Wrong)> = Vec::new();
    for file in tested {
        if file.is_unusable() {
            let what = format!("{}  can be read", file.name);
            lines.push((what, Wrong::Fails(unusable(file), String::new())));
        }
        lines.extend(file.checks.iter().map(|check| (check.what.clone(), wrong(check))));
    }
    let mut out = format!("TAP version 14\n1..{}\n", lines.len());
    for (number, (what, wrong)) in lines.iter().enumerate() {
        // Behind a `#` a directive would stand.
        let what = visible(what).replace('\\', "\\\\").replace('#', "\\#");
        let number = number + 1;
        match wrong {
            Wrong::Nothing => out.push_str(&format!("ok {number} - {what}\n")),
            Wrong::Fails(why, full) => {
                out.push_str(&format!("not ok {number} - {what}\n"));
                out.push_str(&block(why, full));
            }
            Wrong::Unknown(why) => {
                out.push_str(&format!("not ok {number} - {what}\n"));
                out.push_str(&block(&format!("undecided: {why}"), ""));
            }
        }
    }
    out
}

/// The YAML below a test that failed.
fn block(message: &str, full: &str) -> String {
    let quoted = serde_json::to_string(&visible(message)).expect("a text is JSON");
    let mut out = format!("  ---\n  message: {quoted}\n");
    if !full.is_empty() {
        out.push_str("  details: |2\n");
        full.lines().for_each(|line| out.push_str(&format!("    {}\n", visible(line))));
    }
    out.push_str("  ...\n");
    out
}
