//! Nothing that an author can make is too deep or too much for the program: it is an exception of the thread.

mod common;

use common::shell::Shell;
use ipcsim_explore::{Covered, ExploreLimits, Looks, Reductions, explore};

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

/// What takes more time or memory than there is, with limits that end it.
const ENDLESS: &[(&str, &str, &[&str])] = &[
    (
        "500 replicas, of each of which nobody knows when it goes",
        "processes: {a: {replicas: 500, do: [{log: x}]}}\n",
        &["explore", "--max-memory", "64MiB"],
    ),
    (
        "a whole family waits at a whole family",
        "mailboxes: {m: {replicas: 1000}}\nprocesses: {a: {replicas: 1000, do: [{receive: x, from: m}]}}\n",
        &["explore", "--time", "1s", "--max-memory", "512MiB"],
    ),
    (
        "a message of 32,768 elements for ever",
        "
mailboxes: {m: {capacity: unlimited}}
processes:
  a: [{set: {x: '[1]'}}, {repeat: 15, do: [{set: {x: '[x, x]'}}]}, {forever: [{send: '${x}', to: m}]}]
",
        &["explore", "--max-memory", "256MiB"],
    ),
    (
        "texts of 40 KiB for ever",
        "
mailboxes: {m: {capacity: unlimited}}
processes:
  a:
    - set: {i: 0}
    - forever:
        - set: {x: '\"${i}0123456789\"', i: i + 1}
        - repeat: 12
          do: [{set: {x: '\"${x}${x}\"'}}]
        - send: ${x}
          to: m
",
        &["run", "-q", "--max-memory", "256MiB"],
    ),
    (
        "a million processes",
        "processes: {a: {replicas: 1000000, do: [{log: x}]}}\n",
        &["explore", "--time", "1s"],
    ),
    (
        "a million processes to be repaired",
        "processes: {a: {replicas: 1000000, do: [{log: x}]}}\n",
        &["repair", "--time", "1s"],
    ),
    (
        "a million processes under several policies",
        "processes: {a: {replicas: 1000000, do: [{log: x}]}}\n",
        &["matrix", "--vary", "kernel.buffering=1,2,3,4", "--time", "1s"],
    ),
];

#[test]
fn limits_of_time_and_memory_end_whatever_is_under_way() {
    let shell = Shell::new("endless");
    for (what, text, arguments) in ENDLESS {
        shell.write("endless.yaml", text);
        let arguments: Vec<&str> = arguments.iter().copied().chain(["endless.yaml"]).collect();
        let answer = shell.run(&arguments);
        assert_eq!(answer.code, 3, "{what}: {}{}", answer.out, answer.err);
        assert!(!answer.err.contains("panicked"), "{what}: {}", answer.err);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn where_the_system_gives_less_memory_than_there_seems_to_be_it_is_said() {
    let shell = Shell::new("ulimit");
    shell.write("many.yaml", ENDLESS[0].1);
    let typed = |limit: &str, arguments: &str| {
        let program = env!("CARGO_BIN_EXE_ipcsim");
        let script = format!("ulimit -v {limit}; exec {program} {arguments} many.yaml");
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .current_dir(&shell.folder)
            .output()
            .expect("there is a shell");
        common::shell::Answer::from(output)
    };
    // What it takes by itself is a part of what is left.
    typed("1000000", "explore --no-lazy").is(3, "--max-memory was reached");
    // Whoever asks for more than there is gets what there is.
    typed("600000", "explore --no-lazy --threads 1 --max-memory 100GiB").is(3, "out of memory");
}

#[test]
fn nobody_plays_with_a_million_processes() {
    let shell = Shell::new("play");
    shell.write("many.yaml", ENDLESS[4].1);
    shell.run(&["step", "many.yaml"]).is(2, "too many to choose from");
    shell.write("some.yaml", "processes: {a: {replicas: 1000, do: [{log: x}]}}\n");
    shell.run_with_input(&["step", "some.yaml"], b"1\n").is(0, "and so on, up to 1000");
}

#[test]
fn where_not_everything_was_looked_at_the_game_says_so_and_looks_from_there() {
    let shell = Shell::new("play-on");
    let few = ["step", "mutual-send", "--max-states", "2"];
    let answer = shell.run_with_input(&few, b"fail\n");
    answer.is(0, "no such schedule was found from here: --max-states was reached");
    let answer = shell.run_with_input(&few, b"1\nfail\n");
    answer.is(0, "no step is possible any more");
}

/// Two processes that go round for ever, in 360,000 states: a livelock, which only the conclusions find.
const ROUND: &str = "
processes:
  P: {replicas: 2, do: [{set: {i: 0}}, {while: true, do: [{set: {i: '(i + 1) % 300'}}, yield]}]}
";

#[test]
fn conclusions_that_are_cut_off_are_never_a_proof() {
    let shell = Shell::new("cut-conclusions");
    shell.write("round.yaml", ROUND);
    shell.write(
        "claimed.yaml",
        format!("{ROUND}expect: [{{every-schedule: {{never: livelock}}}}]\n"),
    );
    shell.run(&["explore", "round.yaml", "--threads", "1"]).is(1, "every schedule livelocks");
    for mebibytes in (6..26).step_by(2) {
        let limit = format!("{mebibytes}MiB");
        let limits = ["--threads", "1", "--max-memory", &limit];
        let answer = shell.run(&[&["explore", "round.yaml"][..], &limits].concat());
        let is_right = answer.code == 3 || answer.out.contains("every schedule livelocks");
        assert!(is_right, "{limit}: {}{}", answer.out, answer.err);
        let answer = shell.run(&[&["test", "claimed.yaml"][..], &limits].concat());
        assert_ne!(answer.code, 0, "{limit}: {}{}", answer.out, answer.err);
    }
}

#[test]
fn what_was_found_before_a_search_was_cut_off_can_be_shown() {
    let text = "
processes:
  M:
    - choose:
        - [{receive: x, from: W}]
        - [{send: go, to: 'W[1]'}, {send: go, to: 'W[2]'}, {send: go, to: 'W[3]'}]
  W:
    replicas: 3
    do: [{receive: g, from: M}, {set: {i: 0}}, {while: true, do: [{set: {i: '(i + 1) % 300'}}, yield]}]
";
    let loaded = ipcsim_scenario::load(
        "cut.yaml",
        text.as_bytes(),
        &ipcsim_scenario::LoadOptions::default(),
    );
    let machine = loaded.machine.expect("a scenario without errors has a machine");
    let reductions = Reductions::MERGE;
    let limits = ExploreLimits { max_bytes: 2 << 20, ..ExploreLimits::default() };
    let looks = Looks::NOTHING;
    let mut found = explore(&machine, reductions, looks, &limits);
    assert_eq!(found.covered, Covered::Memory);
    assert!(!found.endings.is_empty(), "M waits for ever in some schedules");
    for ending in found.endings.clone() {
        let path = found.path(ending.state);
        assert_eq!(found.schedule(&path).len(), path.len());
    }
}

/// Whoever uses the library need not count its memory: a search weighs itself, also in the middle of a batch of states.
#[test]
fn a_batch_of_large_states_ends_at_the_limit_of_memory() {
    let text = "
mailboxes: {box: {capacity: unlimited}}
processes:
  P: {replicas: 400, do: [{send: a, to: box}, {send: b, to: box}]}
";
    let loaded = ipcsim_scenario::load(
        "large.yaml",
        text.as_bytes(),
        &ipcsim_scenario::LoadOptions::default(),
    );
    let machine = loaded.machine.expect("a scenario without errors has a machine");
    let max_bytes = 16 << 20;
    let limits = ExploreLimits { max_bytes, ..ExploreLimits::default() };
    let found = explore(&machine, Reductions::MERGE, Looks::NOTHING, &limits);
    assert_eq!(found.covered, Covered::Memory);
    assert!(
        found.bytes() < max_bytes * 6 / 5,
        "{} bytes, {} states",
        found.bytes(),
        found.states()
    );
}
