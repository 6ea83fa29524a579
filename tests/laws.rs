//! What is true of every run, of the repository's scenarios and of random ones.

mod common;

use std::collections::BTreeMap;

use common::{Told, busy, generate, tell, tell_the_long_way};
use ipcsim_explore::{Limits, NoTrace, Run, Tracer};
use ipcsim_kernel::object::mailbox::Existence;
use ipcsim_kernel::object::port::{Controlled, Receiver};
use ipcsim_kernel::{Event, Machine, MailboxId, Object, ProcessId, State, assert_invariants};
use ipcsim_report::trace::{self, Record};
use proptest::prelude::*;

fn random(seed: u64, size: u64) -> (String, Told) {
    let text = generate::scenario(seed, size);
    let told = tell(&machine_of(&text), &text, 3_000);
    (text, told)
}

fn machine_of(text: &str) -> Machine {
    let loaded = common::loaded("random.yaml", text, &[]);
    loaded.machine.expect("a scenario without errors has a machine")
}

/// Every byte that was written is read, or in its pipe, or lost with it.
fn assert_bytes_are_conserved(told: &Told, records: &[Record]) {
    let (mut written, mut read) = (0, 0);
    for record in records.iter().filter(|record| is_about_pipe(record)) {
        match record.event.as_str() {
            "written" => written += record.size.expect("it says how many"),
            "received" => read += record.size.expect("it says how many"),
            _ => {}
        }
    }
    let pipes = || told.run.state.mailboxes.iter().filter_map(|mailbox| mailbox.bytes());
    let left: u64 = pipes().map(|bytes| bytes.count).sum();
    let streams = told.run.state.mailboxes.iter().filter_map(|mailbox| mailbox.stream());
    let loses = streams.into_iter().any(|stream| stream.readers == 0);
    assert!(written >= read + left, "nothing is read that was not written");
    assert!(loses || written == read + left, "what was written is read, or there");
}

fn is_about_pipe(record: &Record) -> bool {
    record.object.as_ref().is_some_and(|object| object.starts_with("pipe "))
}

/// Every message that was sent is received, stored, lost, withdrawn, or with a sender that waits.
fn assert_conservation(told: &Told, records: &[Record]) {
    let mut fate: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    // What is written to a pipe becomes bytes.
    for record in records.iter().filter(|record| !is_about_pipe(record)) {
        let Some(serial) = record.serial else { continue };
        let fates = fate.entry(serial).or_default();
        match record.event.as_str() {
            "sent" => assert!(fates.is_empty(), "message {serial} is sent first, and once"),
            "received" | "lost" | "withdrawn" => fates.push(&record.event),
            _ => {}
        }
    }
    let state = &told.run.state;
    for message in state.mailboxes.iter().flat_map(|mailbox| &mailbox.messages) {
        fate.entry(message.serial.0).or_default().push("stored");
    }
    let keeps_messages = state.mailboxes.iter().filter(|mailbox| mailbox.bytes().is_none());
    for (_, message) in keeps_messages.flat_map(|mailbox| &mailbox.senders) {
        fate.entry(message.serial.0).or_default().push("held");
    }
    let ports = state.mailboxes.iter().filter_map(|mailbox| mailbox.port());
    for held in ports.flat_map(|port| &port.held) {
        fate.entry(held.message.serial.0).or_default().push("kept");
    }
    for (_, message) in &state.memory.waiting {
        fate.entry(message.serial.0).or_default().push("held");
    }
    for thread in &state.threads {
        if let ipcsim_kernel::ThreadState::LookingAgain {
            at:
                ipcsim_kernel::Look::Send(message) | ipcsim_kernel::Look::SendFromMemoryQueue(message),
            ..
        } = thread.state.underneath()
        {
            fate.entry(message.serial.0).or_default().push("held");
        }
    }
    for (serial, fates) in fate {
        assert_eq!(fates.len(), 1, "message {serial} has one fate, not {fates:?}");
    }
}

/// A thread that was called stuck never does anything again.
fn assert_stuck_stays_stuck(told: &Told, records: &[Record]) {
    let names = ipcsim_report::Names::new(&told.machine);
    for found in &told.run.stuck {
        for t in &found.threads {
            let name = names.thread(&told.run.state, *t);
            let line = told.machine.line(told.run.state.threads[t.index()].pc);
            let moved = records.iter().find(|record| {
                record.t > found.since_ns && record.thread.as_deref() == Some(name.as_str())
            });
            // Threads that are started one after the other under one name share it.
            let shared = told.run.state.threads.len() > told.machine.initial_threads();
            assert!(
                moved.is_none() || shared,
                "{name} is stuck in line {line} since {}, and then: {moved:?}",
                found.since_ns
            );
            assert!(
                told.run.state.waits_for(*t).is_some()
                    || told.run.state.threads[t.index()].is_held(),
                "{name} was called stuck and does not wait at the end"
            );
        }
    }
}

/// When everybody has ended nothing is left but mailboxes, which are nobody's, and what lies in them.
fn assert_nothing_is_left(told: &Told) {
    let state = &told.run.state;
    let machine = &told.machine;
    let receives = |port: &MailboxId| match state.receiver_of(*port) {
        Receiver::Held(process) => Some(process),
        _ => None,
    };
    // A name server goes on for ever.
    let servers: Vec<ProcessId> = machine.name_servers.keys().filter_map(receives).collect();
    let over = |process| state.is_over(process) || servers.contains(&process);
    if !(0..state.processes.items().len()).map(ProcessId::at).all(over) {
        return;
    }
    let mut stored = 0;
    for (id, mailbox) in state.mailboxes.items().iter().enumerate() {
        let is_name_server = machine.name_servers.contains_key(&MailboxId::at(id));
        let waits = !mailbox.receivers.is_empty() && !is_name_server;
        assert!(mailbox.senders.is_empty() && !waits, "nobody waits");
        let receiver = mailbox.port().map(|port| port.receiver);
        let is_left = match (&mailbox.object, receiver) {
            (Object::Open | Object::Filed, _) => true,
            _ if is_name_server => true,
            // Its right is in a message that lies in a mailbox, or in such a port.
            (_, Some(Receiver::Carried(_))) => true,
            // The port of a process that was never made.
            (_, Some(Receiver::Kernel(Controlled::Process(process)))) => !state.has_ended(process),
            (_, Some(Receiver::Kernel(Controlled::Thread(t)))) => {
                !state.threads[t.index()].state.is_ended()
            }
            (Object::Link { .. }, _) => false,
            (Object::Stream(stream), _) => {
                // A channel may carry the end that it could be read from.
                stream.readers > 0
            }
            (Object::Port(_) | Object::PortSet(_), _) => {
                assert_eq!(mailbox.existence, Existence::Destroyed, "no port outlives everybody");
                false
            }
        };
        if is_left {
            stored += mailbox.messages.iter().map(|it| state.memory.cost(it.size)).sum::<u64>();
            continue;
        }
        assert!(mailbox.all_messages().next().is_none(), "nothing waits for the dead");
    }
    assert_eq!(state.memory.used, stored, "no other memory is in use");
    assert!(state.memory.waiting.is_empty());
}

fn assert_trace_reads_as_written(trace: &str) -> Vec<Record> {
    let (header, records) = trace::read(trace).expect("a trace can be read again");
    let mut again = serde_json::to_string(&header).expect("a header is plain data");
    again.push('\n');
    for record in &records {
        again.push_str(&serde_json::to_string(record).expect("a record is plain data"));
        again.push('\n');
    }
    for (written, read) in trace.lines().zip(again.lines()) {
        let same: serde_json::Value = serde_json::from_str(written).expect("a line is JSON");
        let read: serde_json::Value = serde_json::from_str(read).expect("a line is JSON");
        assert_eq!(same, read, "a line read again is the line written");
    }
    assert_eq!(trace.lines().count(), again.lines().count());
    records
}

/// The short way through the kernel comes to the same as the long one, and says the same on the way.
fn assert_short_way_agrees(text: &str, told: &Told, max_steps: u64) {
    let long = tell_the_long_way(&told.machine, text, max_steps);
    assert_eq!(told.trace, long.trace, "the short way and the long way");
    assert_runs_agree(&told.run, &long.run);
    let limits = Limits { max_steps, ..Limits::default() };
    assert_runs_agree(&told.run, &ipcsim_explore::run(&told.machine, &limits, &mut NoTrace));
}

fn assert_runs_agree(one: &Run, other: &Run) {
    let bytes = |run: &Run| {
        let mut bytes = Vec::new();
        ipcsim_kernel::encode(&run.state, &mut bytes);
        (bytes, run.state.next_serial)
    };
    assert_eq!(bytes(one), bytes(other));
    assert_eq!((one.stop, one.steps), (other.stop, other.steps));
    assert_eq!(one.measures, other.measures);
    assert_eq!(one.stuck, other.stuck);
    assert_eq!(one.hidden, other.hidden);
    assert_eq!(one.waiting_since_ns, other.waiting_since_ns);
}

fn assert_laws(text: &str, told: &Told) {
    assert_invariants(&told.machine, &told.run.state);
    let records = assert_trace_reads_as_written(&told.trace);
    assert_bytes_are_conserved(told, &records);
    assert_conservation(told, &records);
    assert_stuck_stays_stuck(told, &records);
    assert_nothing_is_left(told);
    assert!(records.windows(2).all(|pair| pair[0].t <= pair[1].t), "events are in order of time");
    let max_steps = told.run.steps.max(3_000);
    assert_short_way_agrees(text, told, max_steps);
    let again = tell(&told.machine, text, max_steps);
    assert_eq!(told.trace, again.trace, "one scenario and one seed give one trace");
}

#[test]
fn the_laws_hold_for_every_scenario_of_the_repository() {
    for (path, text) in common::scenarios() {
        println!("{path}");
        let loaded = common::loaded(&path, &text, &[]);
        let machine = loaded.machine.expect("a scenario without errors has a machine");
        let told = tell(&machine, &text, 3_000);
        assert_laws(&text, &told);
    }
}

/// Writes every event with a writer of its own, which has kept nothing from others.
struct EachAlone {
    header: trace::Header,
    lines: String,
}

impl Tracer for EachAlone {
    const EVENTS: bool = true;

    fn record(&mut self, machine: &Machine, state: &State, now_ns: u64, event: &Event) {
        let mut bytes = Vec::new();
        let mut writer = trace::Writer::new(&mut bytes, &self.header);
        writer.record(machine, state, now_ns, event);
        writer.finish().expect("a Vec takes everything");
        let text = String::from_utf8(bytes).expect("a trace is UTF-8");
        let (_, line) = text.split_once('\n').expect("the first line is the header");
        self.lines.push_str(line);
    }
}

/// Messages that carry messages: equal ones have other serials in them.
const LETTERS_IN_LETTERS: &str = "
mailboxes:
  box1: {capacity: 1}
  box2: {capacity: 1}
processes:
  P1:
    - forever:
        - send: ping
          to: box1
  P2:
    - forever:
        - receive: m
          from: box1
        - send: ${m}
          to: box2
  P3:
    - forever:
        - receive: m
          from: box2
";

/// The place of a thread that has ended is used again.
const ONE_AFTER_THE_OTHER: &str = "
mailboxes: {box1: {capacity: 9}}
processes:
  P:
    - repeat: 3
      do:
        - thread: first
          do: [{send: a, to: box1}, {receive: m, from: box1}]
        - join: first
        - thread: second
          do: [{send: a, to: box1}, {receive: m, from: box1}]
        - join: second
";

#[test]
fn a_line_does_not_depend_on_those_before_it() {
    let files = common::scenarios().into_iter().map(|(_, text)| text);
    let busy = (0..50).map(busy::scenario);
    for text in files.chain(busy).chain([LETTERS_IN_LETTERS, ONE_AFTER_THE_OTHER].map(String::from))
    {
        let machine = machine_of(&text);
        let told = tell(&machine, &text, 500);
        let (header, _) = trace::read(&told.trace).expect("a trace can be read again");
        let mut alone = EachAlone { header, lines: String::new() };
        let limits = Limits { max_steps: 500, ..Limits::default() };
        ipcsim_explore::run(&machine, &limits, &mut alone);
        let (_, lines) = told.trace.split_once('\n').expect("the first line is the header");
        assert!(lines == alone.lines, "the lines of {text} depend on others");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold_for_random_scenarios(seed in any::<u64>(), size in 1u64..14) {
        let (text, told) = random(seed, size);
        assert_laws(&text, &told);
    }

    #[test]
    fn the_laws_hold_where_much_is_sent(seed in any::<u64>()) {
        let text = busy::scenario(seed);
        assert_laws(&text, &tell(&machine_of(&text), &text, 3_000));
    }
}

/// How often each thing comes up, by its word.
type Tally = BTreeMap<String, u64>;

/// What comes up in the runs of random scenarios.
#[derive(Debug, Default)]
struct Seen {
    outcomes: Tally,
    returned: Tally,
    events: Tally,
    types: Tally,
    stuck: u64,
}

impl Seen {
    fn add(&mut self, told: &Told) {
        let count = |tally: &mut Tally, word: &str| *tally.entry(word.into()).or_default() += 1;
        count(&mut self.outcomes, told.verdict.outcome.word());
        self.stuck += u64::from(!told.verdict.problems.is_empty());
        let (_, records) = trace::read(&told.trace).expect("a trace can be read again");
        for record in records {
            count(&mut self.events, &record.event);
            if record.event == "returned" {
                count(&mut self.returned, &record.outcome.unwrap_or_default());
            }
            if let Some(serde_json::Value::String(kind)) = record.r#type {
                count(&mut self.types, &kind);
            }
        }
    }
}

fn assert_all(words: &str, tally: &Tally) {
    for word in words.split_whitespace() {
        assert!(tally.contains_key(word), "{word} never comes up: {tally:?}");
    }
}

#[test]
fn the_generator_makes_every_outcome_and_enough_deadlocks() {
    const COUNT: u64 = 1_000;
    let mut seen = Seen::default();
    for seed in 0..COUNT {
        let (_, told) = random(seed, 2 + seed % 12);
        seen.add(&told);
    }
    println!("{seen:?}");
    assert!(seen.stuck * 5 >= COUNT, "threads are stuck in only {} of {COUNT}", seen.stuck);
    assert_all("fails deadlock stranded completes", &seen.outcomes);
    assert_all(
        "ok would-block timed-out too-large no-memory no-such-name dead no-right refused deadlock",
        &seen.returned,
    );
    assert_all(
        "sent stored delivered received blocked woken returned lost withdrawn chose logged raised \
         created destroyed killed",
        &seen.events,
    );
    // Questions to name servers.
    assert_all("register unregister look-up await", &seen.types);
}
