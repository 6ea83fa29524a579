//! What the tables do not say: kinds of values, functions, fields, outcomes and claims in words.

use ipcsim_kernel::object::port::LARGEST_QUEUE_LIMIT;
use ipcsim_kernel::{Field, Outcome, limits as kernel};

use crate::table::Kind;

/// What follows a key of this kind.
pub(super) fn kind_in_words(kind: Kind) -> String {
    match kind {
        Kind::Nothing | Kind::ThreadTable | Kind::Costs => "",
        Kind::Prose | Kind::Text => "TEXT",
        Kind::Mode => "\"0620\"",
        Kind::NewName | Kind::Declared(_) => "NAME",
        Kind::Threads => "THREAD",
        Kind::Variable(_) => "VARIABLE",
        Kind::Body => "VALUE",
        Kind::Bodies => "[VALUE, …]",
        Kind::Target | Kind::Holder => "NAME or ${VARIABLE}",
        Kind::Sources => "NAME, [NAME, …] or anyone",
        Kind::Victims => "NAME or [NAME, …]",
        Kind::Holders | Kind::Ports => "[NAME, …]",
        Kind::Message => "${VARIABLE}",
        Kind::Expression => "EXPRESSION",
        Kind::Assignments => "{VARIABLE: EXPRESSION, …}",
        Kind::Parameters => "{NAME: VALUE, …}",
        Kind::Number | Kind::Count | Kind::Integer | Kind::Seed => "NUMBER",
        Kind::Time => "5ms, or 2ms..5ms",
        Kind::Wait => "forever, never, or 5ms",
        Kind::Size | Kind::FixedSize => "4KiB",
        Kind::Memory => "unlimited, or 4KiB",
        Kind::Capacity => "none, NUMBER, 4KiB, undefined or unlimited",
        Kind::Word(words) => return words.join(" | "),
        Kind::Flag => "true or false",
        Kind::Positive(_) => "NUMBER from 1",
        Kind::Duration => "5ms",
        Kind::Steps => "[STEP, …]",
        Kind::Branches => "[[STEP, …], …]",
        Kind::Handlers => "{OUTCOME: [STEP, …], …}",
        Kind::Entries => "{NAME: NAME, …}",
        Kind::Wake => "hand-over | look-again, or {senders: …, receivers: …}",
        Kind::QueueLimit => "NUMBER up to 16",
        Kind::Rights => "[{port: NAME, as: …}, …]",
        Kind::Transfers => "{region: VARIABLE, transfer: …}",
    }
    .to_string()
}

/// How a function is written, and what it gives.
pub(super) fn function(name: &str) -> (&'static str, &'static str) {
    match name {
        "len" => ("len(x)", "The number of elements of a list, or of bytes of a text"),
        "min" => ("min(a, b, …), min(list)", "The smallest of these integers, durations or texts"),
        "max" => ("max(a, b, …), max(list)", "The largest of these integers, durations or texts"),
        "push" => ("push(list, x)", "A new list with x at its end; the old one does not change"),
        "pop-first" => {
            ("pop-first(list)", "The list without its first element, which is `list[0]`")
        }
        "count" => ("count(list)", "How many elements are true; of a claim also of processes"),
        "all" => ("all(list)", "Whether all elements are true"),
        "any" => ("any(list)", "Whether at least one element is true"),
        "random" => (
            "random(a, b)",
            "An integer from a to b, both included: drawn from the seed in a run, every one of them in an exploration",
        ),
        "range" => ("range(a, b)", "The list of the integers from a to b, both included"),
        "now" => (
            "now()",
            "The simulated time since the start, a duration; in an exploration only a `log` may ask for it",
        ),
        "task-of" => ("task-of(P)", "The port by which a process is controlled"),
        "thread-of" => (
            "thread-of(P)",
            "The port by which a thread is controlled; also `P.worker`, `P[2].worker[1]`",
        ),
        "refs" => ("refs(p)", "How many references to its send right to a port the process has"),
        "rights-of" => {
            ("rights-of(p)", "Which rights to a port the process has, as a list of words")
        }
        other => unreachable!("the function `{other}` is in the table, and has no words"),
    }
}

/// What a field of a message holds.
pub(super) fn field(of: Field) -> &'static str {
    match of {
        Field::Body => "What the message says",
        Field::Sender => "The process that sent it; it cannot be forged",
        Field::Type => "Its type, `none` if it has none",
        Field::Priority => "Its priority, 0 if none was given",
        Field::Size => "Its size in bytes",
        Field::Box => "The mailbox it came through; `none` if it came straight from its sender",
        Field::ReplyTo => "Where an answer should go",
        Field::Rights => "The rights that it brought, as a list of handles",
        Field::Memory => "The memory that it brought: a region, a list of them, or `none`",
        Field::Seq => "How many messages were received from the port before this one",
    }
}

/// What an outcome means.
pub(super) fn outcome(of: Outcome) -> &'static str {
    match of {
        Outcome::Ok => "The call did what it should; the steps after it run",
        Outcome::WouldBlock => "The call would have to wait, and `wait` is `never`",
        Outcome::TimedOut => "The call waited as long as `wait` allows",
        Outcome::TooLarge => "The message is larger than what holds or takes it ever allows",
        Outcome::NoMemory => {
            "There is no kernel memory for the message (`memory-full: fail`), or the process has as many pages as it may"
        }
        Outcome::NoSuchName => "Nobody has registered this name, or there is no such path",
        Outcome::Dead => "The process, mailbox or port at the other end is gone",
        Outcome::NoRight => "The process has no right to do that",
        Outcome::Refused => "It is not allowed here, or not possible as things are",
        Outcome::Unreachable => "The other machine cannot be reached",
        Outcome::Deadlock => "The call would close a circle of waits, and `detect` is `refuse`",
        Outcome::Interrupted => "Somebody ended the wait with `interrupt`",
        Outcome::Held => {
            "The kernel keeps the message until there is room, and then tells the sender (`hold-one`)"
        }
    }
}

/// What the outcome of a run or of a schedule means.
pub(super) fn ending(word: &str) -> &'static str {
    match word {
        "fails" => {
            "A process has failed: an exception that nobody handled, or `exit` with another code than 0"
        }
        "deadlock" => "Some threads wait in a circle for ever",
        "stranded" => {
            "A thread waits for ever, nobody left can end its wait, and no circle is to blame"
        }
        "livelock" => "It repeats itself for ever, and no process makes progress",
        "completes" => "Every process that is no daemon has ended normally",
        "unfinished" => "It goes on for ever and makes progress, or was cut off",
        other => unreachable!("the end `{other}` is in the table, and has no words"),
    }
}

/// Claims: the word, how it is written, what it says.
pub(super) const CLAIMS: &[(&str, &str, &str)] = &[
    ("run", "- run: completes", "The run of this file, with its seed, has this outcome"),
    ("every-schedule", "- every-schedule: completes", "Every schedule has this outcome: a proof"),
    (
        "some-schedule",
        "- some-schedule: deadlock",
        "At least one schedule has this outcome; it is shown",
    ),
    ("never", "- every-schedule: {never: [deadlock, fails]}", "No schedule has this outcome"),
    (
        "always",
        "- every-schedule: {always: len(box) <= 2}",
        "This is true in every state that can be seen",
    ),
    (
        "eventually",
        "- every-schedule: {eventually: P1.ended}",
        "Every fair schedule comes to a state in which this is true",
    ),
    (
        "logs",
        "- run: {logs: [first, second]}",
        "What was logged until the end is exactly this; `any-of:` allows several",
    ),
    (
        "at-most",
        "- run: {at-most: {time: 10ms, messages: 3}}",
        "These measures of the run stay within bounds",
    ),
    (
        "at-least",
        "- run: {at-least: {bytes-copied: 1KiB}}",
        "These measures of the run are at least as much",
    ),
    (
        "blocked",
        "  blocked: [P1, P2]",
        "With a claim: exactly these processes have a thread that waits for ever",
    ),
    (
        "with",
        "  with: {kernel.buffering: 1}",
        "With a claim: it is about the scenario with these values changed",
    ),
    ("because", "  because: why it matters", "With a claim: shown when it does not hold"),
    ("within", "  within: 100000", "With a claim: look at no more than this many states"),
];

/// Names in expressions that nobody declares.
pub(super) const NAMES: &[(&str, &str)] = &[
    ("me", "The process that evaluates it"),
    ("index", "Which replica of its family the process is, from 1"),
    ("thread-index", "Which replica the thread is, from 1"),
    ("status", "How the last call ended, as a text: `ok`, `timed-out`, …"),
    (
        "none",
        "No value; also what a variable holds before it is set. It may be compared with anything",
    ),
    ("anyone", "In `from`: whoever sends to this process"),
];

/// What a waiting thread is called.
pub(super) const WAITS: &[(&str, &str)] = &[
    ("SEND-blocked", "It waits in `send` or `call` until its message is stored or taken"),
    ("RECEIVE-blocked", "It waits in `receive` or `select` until a message comes"),
    ("REPLY-blocked", "Its `call` was sent, and it waits for the answer"),
    ("memory-blocked", "It waits until the kernel has memory for its message"),
    ("LOCK-blocked", "It waits in `lock` until another thread unlocks the page"),
    ("waiting", "It waits in `join` until other threads end"),
    ("asleep", "It waits in `sleep`"),
    ("suspended", "Somebody has suspended it, and nobody has resumed it yet"),
];

/// Paths: how they are written, and what they name.
pub(super) const PATHS: &[(&str, &str)] = &[
    ("--set kernel.buffering=1", "Keys as they are written, joined by dots, and the new value"),
    (
        "--set mailboxes.box.capacity=none",
        "What stands above must be there; a table at the top that is missing counts as empty",
    ),
    ("--set processes.P1[0].send=hello", "Items of a list by their number, from 0"),
    ("with: {kernel.buffering: 1}", "The same beside a claim"),
];

/// Limits: of what, how much, and what happens beyond.
pub(super) fn limits() -> Vec<(&'static str, String, &'static str)> {
    vec![
        (
            "lists",
            kernel::LIST_ELEMENTS.to_string(),
            "Elements in a list, those of lists in it included; more is an exception",
        ),
        ("texts", format!("{} B", kernel::TEXT_BYTES), "Bytes of a text; more is an exception"),
        (
            "nesting",
            kernel::DEPTH.to_string(),
            "Lists and messages inside one another; more is an exception",
        ),
        (
            "threads",
            kernel::THREADS.to_string(),
            "Threads of a scenario (`--max-threads` allows fewer)",
        ),
        ("links", kernel::MAILBOXES.to_string(), "Mailboxes and links; more is an exception"),
        (
            "loops",
            kernel::LOCAL_OPERATIONS.to_string(),
            "Local operations without a system call; then the run is cut off",
        ),
        ("queue-limit", LARGEST_QUEUE_LIMIT.to_string(), "Messages in a port"),
    ]
}

/// The value of a key that is left out.
pub(super) fn default(of: &str, key: &str) -> Option<&'static str> {
    DEFAULTS.iter().find(|(table, name, _)| *table == of && *name == key).map(|(.., it)| *it)
}

/// Defaults that are values of their own; others are described in words.
pub(super) const DEFAULTS: &[(&str, &str, &str)] = &[
    ("kernel", "scheduler", "fifo"),
    ("kernel", "preempt", "never"),
    ("kernel", "priority-inheritance", "false"),
    ("kernel", "buffering", "none"),
    ("kernel", "memory", "unlimited"),
    ("kernel", "message-overhead", "0B"),
    ("kernel", "memory-full", "wait"),
    ("kernel", "receiver", "fifo"),
    ("kernel", "sender", "fifo"),
    ("kernel", "wake", "hand-over"),
    ("kernel", "hand-over", "at-once"),
    ("kernel", "byte-order", "fifo"),
    ("kernel", "fork", "one-thread"),
    ("kernel", "fork-image", "copy-on-write"),
    ("kernel", "exec", "kill-threads"),
    ("kernel", "descriptors-on-exec", "keep"),
    ("kernel", "pipe-buf", "4KiB"),
    ("kernel", "page", "4KiB"),
    ("kernel", "in-flight-cycles", "collect"),
    ("kernel", "too-large", "keep"),
    ("kernel", "set-order", "merged"),
    ("kernel", "dying-port", "dead"),
    ("kernel", "detect", "report"),
    ("a mailbox", "order", "fifo"),
    ("a process", "daemon", "false"),
    ("a process", "protected", "false"),
];

#[cfg(test)]
mod tests {
    use super::DEFAULTS;
    use crate::{LoadOptions, load};

    #[test]
    fn what_is_said_to_be_the_default_is_it() {
        let machine = |text: &str| {
            let loaded = load("default.yaml", text.as_bytes(), &LoadOptions::default());
            assert!(!loaded.has_errors(), "{text}: {:?}", loaded.diagnostics);
            let mut machine = loaded.machine.expect("a scenario without errors has a machine");
            // Steps that stand lower are the same steps.
            machine.symbols.lines.clear();
            format!("{machine:?}")
        };
        let text = |kernel: &str, mailbox: &str, process: &str| {
            format!(
                "kernel: {{{kernel}}}\nmailboxes: {{box: {{capacity: 1{mailbox}}}}}\n\
                 processes: {{P: {{do: [yield]{process}}}}}\n"
            )
        };
        let plain = machine(&text("seed: 0", "", ""));
        for (of, key, value) in DEFAULTS {
            let said = format!(", {key}: {value}");
            let changed = match *of {
                "kernel" => text(&format!("seed: 0{said}"), "", ""),
                "a mailbox" => text("seed: 0", &said, ""),
                _ => text("seed: 0", "", &said),
            };
            assert_eq!(machine(&changed), plain, "{key} of {of}");
        }
    }
}
