//! Nothing that an author can make is too deep or too much for the program: it is an exception of the thread.

mod common;

use common::shell::Shell;

const TOO_DEEP: &str = "lists and messages nested more than 64 deep";

/// What grows, and what stops it.
const GROWING: &[(&str, &str, &str)] = &[
    (
        "two processes pass a message on, each time in another one",
        "
kernel: {buffering: 1}
processes:
  there:
    - send: ball
      to: back
    - forever: [{receive: m, from: back}, {send: '${m}', to: back}]
  back:
    - forever: [{receive: m, from: there}, {send: '${m}', to: there}]
",
        TOO_DEEP,
    ),
    (
        "a message in a message, to oneself",
        "
kernel: {buffering: 1}
processes:
  P: [{set: {x: 1}}, {forever: [{send: '${x}', to: P}, {receive: x, from: P}]}]
",
        TOO_DEEP,
    ),
    (
        "an answer in a request in an answer",
        "
processes:
  client: [{set: {x: 1}}, {forever: [{call: '${x}', to: server, into: x}]}]
  server: {daemon: true, do: [{forever: [{receive: m, from: client}, {reply: '${m}', to: '${m}'}]}]}
",
        TOO_DEEP,
    ),
    (
        "a list in a list",
        "processes: {P: [{set: {x: '[1]'}}, {repeat: 90000, do: [{set: {x: '[x]'}}]}, {log: '${x}'}]}",
        TOO_DEEP,
    ),
    (
        "a list that is pushed to a list",
        "processes: {P: [{set: {x: '[]'}}, {forever: [{set: {y: '[]'}}, {set: {y: 'push(y, x)'}}, {set: {x: y}}]}]}",
        TOO_DEEP,
    ),
    (
        "a message twice in a message",
        "
kernel: {buffering: 1}
processes:
  P: [{set: {x: 1}}, {forever: [{send: '${x}', to: P}, {receive: x, from: P}, {set: {x: '[x, x]'}}]}]
",
        "text or list too long",
    ),
    (
        "long texts in a list",
        "
processes:
  P:
    - set: {x: '\"abcdefgh\"', l: '[]'}
    - repeat: 12
      do: [{set: {x: '\"${x}${x}\"'}}]
    - forever: [{set: {l: 'push(l, x)'}}]
",
        "text or list too long",
    ),
];

#[test]
fn what_grows_for_ever_comes_to_its_limit() {
    let shell = Shell::new("grows");
    for (what, scenario, why) in GROWING {
        println!("{what}");
        shell.write("grows.yaml", scenario);
        shell.run(&["run", "-q", "grows.yaml"]).is(1, why);
        shell.run(&["explore", "grows.yaml", "--time", "60s"]).is(1, why);
    }
}

/// At the limit everything that goes through a value still does.
#[test]
fn what_is_as_deep_as_may_be_is_printed_compared_and_sent() {
    let shell = Shell::new("deep");
    shell.write(
        "deep.yaml",
        "
kernel: {buffering: 1}
processes:
  P:
    - set: {x: '[1]', y: '[1]'}
    - repeat: 62
      do: [{set: {x: '[x]', y: '[y]'}}]
    - assert: x == y
    - send: ${x}
      to: P
    - receive: m
      from: P
    - assert: m.body == y
    - log: ${m}
",
    );
    shell.run(&["run", "deep.yaml"]).is(0, "completes");
    shell.run(&["explore", "deep.yaml", "--all-outcomes"]).is(0, "every schedule completes");
}
