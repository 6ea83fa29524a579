//! What the built-in name server promises, over every schedule: it is a process, and so can be slow, forget
//! nothing, and die.

mod common;

use common::shell::Shell;

/// Every claim of a scenario holds.
#[track_caller]
fn holds(name: &str, scenario: &str) {
    let shell = Shell::new(name);
    shell.write("names.yaml", scenario);
    shell.run(&["test", "names.yaml"]).is(0, ", 0 do not");
}

#[test]
fn who_waits_for_a_name_gets_it_whoever_comes_first() {
    holds(
        "names-first",
        "
ports: {p: {receive: S}}
processes:
  S: [{register: p, as: x}, {receive: m, from: p}, {receive: m, from: p}]
  C: {replicas: 2, do: [{lookup: x, into: h, wait: forever}, {send: hi, to: '${h}'}]}
expect:
  - every-schedule: completes
",
    );
}

#[test]
fn who_has_given_up_is_forgotten() {
    holds(
        "names-forgotten",
        "
processes:
  C: [{repeat: 4, do: [{lookup: x, into: h, wait: 5ms, when: {timed-out: []}}]}]
expect:
  - every-schedule: completes
  - every-schedule: {always: 'name-server.waiting == none or len(name-server.waiting) <= 2'}
",
    );
}

#[test]
fn the_name_of_a_dead_port_is_free_again() {
    holds(
        "names-dead",
        "
processes:
  S:
    - {create: p, kind: port}
    - {register: p, as: x}
    - {register: p, as: also}
    - {destroy: p}
    - {lookup: x, into: h, when: {no-such-name: []}}
    - assert: status == \"no-such-name\"
    - {lookup: also, into: h, when: {no-such-name: []}}
    - assert: status == \"no-such-name\"
    - {send: done, to: T}
  T:
    - {receive: m, from: S}
    - {create: q, kind: port}
    - {register: q, as: x}
    - {lookup: x, into: h}
    - assert: h == q
    - assert: refs(q) == 1
expect:
  - every-schedule: completes
  - every-schedule: {always: 'len(name-server.entries) <= 2'}
",
    );
}

#[test]
fn only_the_owner_replaces_and_removes() {
    holds(
        "names-owner",
        "
mailboxes: {a: {capacity: 1}, b: {capacity: 1}}
processes:
  S:
    - {register: a, as: x}
    - {send: done, to: T}
    - {receive: m, from: T}
    - {lookup: x, into: h}
    - assert: h == a
    - {register: b, as: x}
    - {lookup: x, into: h}
    - assert: h == b
    - {unregister: x}
    - {unregister: x, when: {no-such-name: [{exit: 0}]}}
    - assert: false
  T:
    - {receive: m, from: S}
    - {register: b, as: x, when: {refused: [{set: {first: status}}]}}
    - {unregister: x, when: {refused: [{set: {second: status}}]}}
    - assert: first == \"refused\" and second == \"refused\"
    - {send: done, to: S}
expect:
  - every-schedule: completes
",
    );
}

#[test]
fn what_a_name_server_lacks_its_parents_find_at_once_or_later() {
    holds(
        "names-parents",
        "
ports: {p: {receive: S}}
mailboxes: {open: {capacity: 1}}
names: {root: {entries: {open: open}}, middle: {parent: root}, leaf: {parent: middle}}
processes:
  S: {names: root, do: [{register: p, as: x}, {receive: m, from: p}]}
  C:
    names: leaf
    do:
      - {lookup: open, into: found}
      - assert: found == open
      - {lookup: nothing, into: found, when: {no-such-name: []}}
      - assert: status == \"no-such-name\"
      - {lookup: x, into: h, wait: forever}
      - assert: refs(h) == 1
      - {send: hi, to: '${h}'}
expect:
  - every-schedule: completes
",
    );
}

#[test]
fn who_waits_with_a_sub_server_is_told_of_a_registration_there_or_above() {
    holds(
        "names-below",
        "
mailboxes: {a: {capacity: 1}, b: {capacity: 1}}
names: {root: {}, leaf: {parent: root}}
processes:
  R: {names: root, do: [{register: a, as: x}]}
  L: {names: leaf, do: [{register: b, as: x}]}
  C: {names: leaf, do: [{lookup: x, into: h, wait: forever}, {assert: h == a or h == b}]}
  D: {names: root, do: [{lookup: x, into: h, wait: forever}, {assert: h == a}]}
expect:
  - every-schedule: completes
",
    );
}

#[test]
fn a_port_that_dies_on_the_way_is_no_name() {
    holds(
        "names-on-the-way",
        "
processes:
  S:
    - {create: p, kind: port}
    - thread: killer
      do: [{destroy: p}]
    - {register: p, as: x, when: {dead: [], no-right: []}}
    - {join: killer}
    - {lookup: x, into: h, when: {no-such-name: [{exit: 0}]}}
    - assert: false
expect:
  - every-schedule: completes
",
    );
}

#[test]
fn a_name_server_can_be_killed_and_then_nobody_is_answered() {
    holds(
        "names-killed",
        "
mailboxes: {a: {capacity: 1}}
processes:
  K: [{kill: name-server}]
  C: [{register: a, as: x, when: {dead: []}}, {lookup: y, into: h, wait: forever, when: {dead: [{exit: 0}]}}]
expect:
  - every-schedule: completes
",
    );
}

#[test]
fn two_who_wait_for_each_others_names_are_deadlocked_and_one_alone_is_stranded() {
    holds(
        "names-circle",
        "
mailboxes: {b: {capacity: 1}, c: {capacity: 1}}
processes:
  A: [{lookup: x, into: h, wait: forever}, {register: b, as: y}]
  B: [{lookup: y, into: h, wait: forever}, {register: c, as: x}]
expect:
  - run: deadlock
    blocked: [A, B]
  - every-schedule: deadlock
    blocked: [A, B]
",
    );
    holds(
        "names-alone",
        "
processes: {A: [{lookup: x, into: h, wait: forever}, {lookup: y, into: h, wait: forever}]}
expect: [{run: stranded, blocked: [A]}, {every-schedule: stranded, blocked: [A]}]
",
    );
}

#[test]
fn a_process_asks_whom_its_creator_says() {
    holds(
        "names-spawned",
        "
ports: {mine: {receive: S, send: [P]}}
mailboxes: {a: {capacity: 1}}
processes:
  S:
    daemon: true
    do:
      - forever:
          - {receive: m, from: mine}
          - {reply: [ok, here, '${a}'], to: m}
  P:
    - spawn: C
      names: mine
      do:
        - {lookup: whatever, into: h}
        - assert: h == a
        - spawn: D
          do: [{lookup: x, into: h}, {assert: h == a}, {register: a, as: y}]
expect:
  - every-schedule: completes
",
    );
}

#[test]
fn nobody_gives_a_name_server_that_he_could_not_ask() {
    holds(
        "names-authority",
        "
ports: {mine: {receive: S, send: [Q]}}
names: {root: {}, jail: {parent: root}}
processes:
  S: {daemon: true, do: [{forever: [{receive: m, from: mine}]}]}
  P:
    names: jail
    do:
      - spawn: A
        names: root
        do: [{log: never}]
        when: {no-right: [{set: {first: status}}]}
      - spawn: B
        names: mine
        do: [{log: never}]
        when: {no-right: [{set: {second: status}}]}
      - assert: first == \"no-right\" and second == \"no-right\"
      - spawn: C
        do: [{lookup: x, into: h, when: {no-such-name: []}}]
  Q:
    names: root
    do:
      - spawn: D
        names: jail
        do: [{lookup: x, into: h, when: {no-such-name: []}}]
      - spawn: E
        names: mine
        do: [{log: here}]
expect:
  - every-schedule: completes
",
    );
}

#[test]
fn an_answer_that_is_none_is_a_refusal() {
    holds(
        "names-nonsense",
        "
ports: {mine: {receive: S}}
processes:
  S:
    - {receive: m, from: mine}
    - {reply: 7, to: m}
    - {receive: m, from: mine}
    - {reply: ok, to: m}
  C:
    names: mine
    do:
      - {register: C, as: x, when: {refused: [{log: nonsense}]}}
      - {lookup: x, into: h, when: {refused: [{exit: 0}]}}
      - assert: false
expect:
  - every-schedule: completes
",
    );
}

#[test]
fn who_has_died_with_a_request_under_way_harms_nobody() {
    holds(
        "names-orphan",
        "
mailboxes: {b: {capacity: 1}}
names: {root: {}, leaf: {parent: root}}
processes:
  K: [{kill: leaf}]
  C: {names: leaf, do: [{lookup: x, into: h, wait: forever, when: {dead: []}}]}
  D:
    names: root
    do:
      - {register: b, as: x}
      - {lookup: nn, into: h, wait: 1ms, when: {timed-out: []}}
expect:
  - every-schedule: completes
  - every-schedule: {always: 'root.waiting == none or len(root.waiting) <= 2'}
",
    );
}

#[test]
fn a_kernel_that_refuses_deadlocks_refuses_the_client_and_not_the_name_server() {
    holds(
        "names-refused",
        "
kernel: {detect: refuse}
mailboxes: {b: {capacity: 1}, c: {capacity: 1}}
names: {root: {}, leaf: {parent: root}}
processes:
  A:
    names: leaf
    do: [{lookup: x, into: h, wait: forever, when: {deadlock: []}}, {register: b, as: y}]
  B:
    names: leaf
    do: [{lookup: y, into: h, wait: forever, when: {deadlock: []}}, {register: c, as: x}]
expect:
  - run: completes
  - every-schedule: completes
",
    );
}

#[test]
fn a_name_is_a_text() {
    holds(
        "names-text",
        "
mailboxes: {a: {capacity: 1}}
processes:
  S:
    - {register: a, as: x}
    - {set: {pair: '[\"x\", S]'}}
    - {lookup: '${pair}', into: h}
expect:
  - every-schedule: fails
  - every-schedule: {always: not name-server.ended}
",
    );
}

#[test]
fn where_there_is_no_memory_to_ask_the_parent_the_client_is_told() {
    holds(
        "names-memory",
        "
kernel: {memory: 1B, memory-full: fail}
mailboxes: {b: {capacity: 1}}
names: {root: {entries: {x: b}}, leaf: {parent: root}}
processes:
  C: {names: leaf, do: [{lookup: x, into: h, when: {no-memory: []}}]}
  D: {names: leaf, do: [{lookup: y, into: h, wait: 1ms, when: {no-memory: [], timed-out: []}}]}
  E: {names: root, do: [{lookup: x, into: h, when: {no-memory: []}}]}
expect:
  - every-schedule: completes
",
    );
}

#[test]
fn what_the_parent_found_too_late_is_given_back() {
    holds(
        "names-too-late",
        "
ports: {p: {receive: R}, n: {receive: R}}
mailboxes: {a: {capacity: 1}}
names: {root: {}, leaf: {parent: root}}
processes:
  C: {names: leaf, do: [{lookup: x, into: h, wait: forever}, {assert: h == a}, {send: go, to: L}]}
  L: {names: leaf, do: [{register: a, as: x}, {receive: m, from: C}, {send: go, to: R}]}
  R:
    names: root
    do:
      - {receive: m, from: L}
      - {watch: p, until: no-senders, notify: n}
      - {register: p, as: x}
      - {unregister: x}
      - {receive: m, from: n}
expect:
  - every-schedule: completes
",
    );
}

#[test]
fn a_circle_through_a_sub_server_is_a_deadlock() {
    holds(
        "names-cross",
        "
mailboxes: {b: {capacity: 1}}
names: {root: {}, leaf: {parent: root}}
processes:
  A: {names: leaf, do: [{lookup: x, into: h, wait: forever}, {send: go, to: B}]}
  B: {names: root, do: [{receive: m, from: A}, {register: b, as: x}]}
expect:
  - {run: deadlock, blocked: [A, B]}
  - {every-schedule: deadlock, blocked: [A, B]}
",
    );
}

#[test]
fn what_an_answer_brings_too_much_is_given_up() {
    holds(
        "names-too-much",
        "
ports: {mine: {receive: S}, p: {receive: S}, n: {receive: S}}
processes:
  S:
    - {watch: p, until: no-senders, notify: n}
    - {receive: m, from: mine}
    - {reply: refused, to: m, rights: [{port: p, as: make-send}]}
    - {receive: m, from: mine}
    - {reply: ok, to: m, rights: [{port: p, as: make-send-once}, {port: p, as: make-send}]}
    - {receive: m, from: p}
    - {receive: m, from: n}
  C:
    names: mine
    do:
      - {lookup: x, into: h, when: {refused: []}}
      - {lookup: x, into: h}
      - {send: once, to: '${h}'}
expect:
  - every-schedule: completes
",
    );
}

#[test]
fn a_file_may_use_every_word_of_the_name_servers_program() {
    let words = [
        "port", "parent", "entries", "waiting", "asked", "m", "name", "object", "rest", "request",
        "found",
    ];
    let mailboxes = words.map(|word| format!("  {word}: {{capacity: 1}}")).join("\n");
    holds(
        "names-words",
        &format!(
            "mailboxes:\n{mailboxes}
programs: {{name: {{do: [{{lookup: x, into: h}}]}}}}
names: {{names: {{entries: {{x: found, y: 'found'}}}}}}
processes:
  P: {{program: name}}
expect: [{{every-schedule: completes}}]
"
        ),
    );
}
