//! What comes in by the one door goes out as plain data.

use ipcsim_session::{Budget, Limits, LoadOptions, NoTrace, Session, View, Wanted};

const MUTUAL_SEND: &str = "
title: both send first
mailboxes: {a: {}, b: {}}
processes:
  P: {do: [{send: hello, to: a}, {receive: m, from: b}]}
  Q: {do: [{send: hello, to: b}, {receive: m, from: a}]}
expect:
- every-schedule: deadlock
";

fn session(text: &str) -> Session {
    Session::load("door.yaml", text.as_bytes().to_vec(), LoadOptions::default())
}

#[test]
fn a_run_is_data() {
    let session = session(MUTUAL_SEND);
    let ran = session.run(None, &Limits::default(), &mut NoTrace).expect("it has no errors");
    let found = serde_json::to_value(ran.found()).expect("it is data");
    assert_eq!(found["outcome"], "deadlock");
    assert_eq!(found["stuck"][0]["class"], "crossed-send");
    let cures = session.cures_of_run(&ran, &Budget::default());
    assert!(!cures.is_empty(), "a slot in either mailbox helps");
}

#[test]
fn every_schedule_is_data() {
    let session = session(MUTUAL_SEND);
    let mut explored = session.explore(&Budget::default()).expect("it has no errors");
    let found = serde_json::to_value(explored.found()).expect("it is data");
    assert_eq!(found["must"], "deadlock");
    assert_eq!(found["proof"], true);
    let token = found["endings"][0]["witness"]["token"].as_str().expect("a token").to_string();
    let followed = session.replay(&token).expect("the token is of this scenario");
    let state = followed.perform(&mut NoTrace);
    assert!(state.threads.items().iter().all(|thread| thread.state.is_blocked()));
}

#[test]
fn steps_are_data_and_can_be_taken_back() {
    let session = session(MUTUAL_SEND);
    let (seen, view, _) = session.to_step(None, View::PLAIN).expect("no token").expect("a machine");
    let mut stepper = session.step(&seen, view);
    let begin = serde_json::to_value(stepper.choices()).expect("it is data");
    assert_eq!(begin.as_array().map(Vec::len), Some(1), "there is one way to begin: {begin}");
    stepper.take(0);
    let choices = stepper.choices();
    let lines: Vec<Option<u32>> = choices.iter().map(|choice| choice.line).collect();
    assert_eq!(lines, [Some(5), Some(6)], "either may send first");
    stepper.take(1);
    assert_eq!(stepper.choices().len(), 1, "who has sent waits");
    assert!(stepper.back().is_some());
    assert_eq!(stepper.choices(), choices);
    assert!(stepper.back().is_none(), "the beginning is no step to be taken back");
    let (way, _) = stepper.way_to(Wanted::Failure, &Budget::default());
    stepper.follow(&way.expect("it always fails"));
    assert!(stepper.options().is_empty(), "nobody moves any more");
    let token = stepper.token();
    let followed = session.replay(&token).expect("the token is of this scenario");
    assert_eq!(followed.perform(&mut NoTrace), stepper.state());
}

#[test]
fn processes_that_begin_can_be_told_apart() {
    let session =
        session("processes: {A: {start: 1ms, do: [{exit: 0}]}, B: {start: 1ms, do: [{exit: 0}]}}");
    let (seen, view, _) = session.to_step(None, View::PLAIN).expect("no token").expect("a machine");
    let mut stepper = session.step(&seen, view);
    assert_eq!(stepper.take(7), None, "there is no such step");
    assert_eq!(stepper.take(0), Some(()));
    let who: Vec<_> = stepper.choices().iter().map(|it| (it.what, it.process)).collect();
    assert_eq!(who, [("start", Some(0)), ("start", Some(1))]);
}

#[test]
fn claims_are_judged_with_and_without_a_search_of_their_own() {
    let session = session(MUTUAL_SEND);
    assert!(session.machine().is_some(), "{:?}", session.found().diagnostics);
    let budget = Budget::default();
    let anew = session.check(0, &budget);
    let by_what_was_found = session.explore(&budget).expect("no errors").check(0, &budget);
    let data = |judgement| {
        serde_json::to_value(session.found_of(0, judgement)).expect("it is data")["verdict"].clone()
    };
    assert_eq!(data(&anew), "holds");
    assert_eq!(data(&by_what_was_found), "holds");
}

#[test]
fn what_is_wrong_is_data() {
    let session = session("processes: {P: {do: [{sned: hello}]}}");
    let found = serde_json::to_value(session.found()).expect("it is data");
    let said = found["diagnostics"][0]["message"].as_str().unwrap_or_default().to_string();
    assert!(said.contains("sned"), "{found}");
    assert!(session.run(None, &Limits::default(), &mut NoTrace).is_none());
    assert!(session.explore(&Budget::default()).is_none());
}
