//! What the kernel can be told to do: the values of each policy, and what real systems choose.

use super::words::{default, outcome};
use super::{Chapter, Entry, simple};
use crate::personality::{ALL, Personality};
use crate::table::{GRANT, KERNEL, Key, Kind, MAILBOX, TRANSFER, VERBS, WAKES};

/// What each value of a policy means.
const VALUES: &[(&str, &str, &str)] = &[
    ("scheduler", "fifo", "The thread that has been ready longest, until it waits or ends"),
    ("scheduler", "round-robin", "The thread that has been ready longest, for one `quantum`"),
    ("scheduler", "priority", "The most urgent; among equals in turn, for one `quantum` each"),
    ("scheduler", "random", "Any, drawn from the seed"),
    ("preempt", "never", "Only `scheduler` says when a thread loses its processor"),
    ("preempt", "calls", "A draw from the seed decides before each call whether others run first"),
    (
        "buffering",
        "none",
        "Nothing is stored: a sender waits until its message is received (a rendezvous)",
    ),
    (
        "buffering",
        "undefined",
        "The kernel may store a message or not: an exploration tries both, a run draws from the seed",
    ),
    ("buffering", "unlimited", "Every message is stored; only kernel memory is a limit"),
    ("memory-full", "wait", "It waits until memory is freed; the oldest goes first"),
    ("memory-full", "fail", "Its outcome is `no-memory`"),
    ("receiver", "fifo", "The one that has waited longest"),
    ("receiver", "lifo", "The one that came last"),
    ("receiver", "priority", "The one of the most urgent process; among equals the oldest"),
    ("receiver", "arbitrary", "Any: an exploration tries each, a run draws from the seed"),
    ("sender", "fifo", "The one that has waited longest"),
    ("sender", "priority", "The one of the most urgent process; among equals the oldest"),
    ("sender", "arbitrary", "Any: an exploration tries each, a run draws from the seed"),
    ("wake", "hand-over", "The waker finishes the waiter's call; nobody can overtake it"),
    (
        "wake",
        "look-again",
        "The waiter becomes ready and looks again; somebody else may have been faster",
    ),
    ("hand-over", "at-once", "It is handed over, however full the mailbox is"),
    ("hand-over", "if-room", "Its sender waits until it could be stored; then it is handed over"),
    ("byte-order", "fifo", "Behind all of them: a small message waits behind a large one"),
    (
        "byte-order",
        "fits",
        "Behind none: a message goes as soon as it fits, and so passes larger ones",
    ),
    ("fork", "one-thread", "The one that forks (POSIX); locks of the others stay locked for ever"),
    ("fork", "refuse", "It is refused where there are others (Pebbles)"),
    (
        "fork",
        "all-threads",
        "All of them (Solaris: `forkall`); it is refused where one of them is inside a call",
    ),
    ("fork-image", "copy-on-write", "The pages are shared until somebody writes"),
    ("fork-image", "copy", "All pages are copied at once"),
    ("exec", "kill-threads", "They end (POSIX)"),
    ("exec", "refuse", "It is refused where there are any (Pebbles)"),
    ("exec", "wait-for-threads", "It waits until they have ended"),
    (
        "exec",
        "keep-threads",
        "They stay, and find that their code is gone: an exception `bad-address`. Not reasonable",
    ),
    (
        "exec",
        "kill-then-load",
        "They end before it is known whether there is such a program. Not reasonable",
    ),
    ("descriptors-on-exec", "keep", "They stay open"),
    ("descriptors-on-exec", "close", "They are closed (POSIX message queues)"),
    ("in-flight-cycles", "collect", "They are destroyed, with what lies in them (Linux)"),
    ("in-flight-cycles", "leak", "They stay, and so does what lies in them"),
    ("too-large", "keep", "It stays where it is, and the receive is `too-large`"),
    ("too-large", "destroy", "It is destroyed, and the receive is `too-large`"),
    ("set-order", "merged", "The oldest message of all members"),
    ("set-order", "round-robin", "The first message of the next member that has one"),
    ("set-order", "arbitrary", "The first message of any member: an exploration tries each"),
    ("dying-port", "dead", "Its send is `dead`, and it gets the rights in its message back"),
    ("dying-port", "ok", "Its send is `ok`, and the message is lost with the rights in it"),
    ("detect", "report", "The kernel does nothing; the verdict reports the deadlock"),
    ("detect", "refuse", "The call that would close a circle of waits ends with `deadlock`"),
    (
        "detect",
        "refuse-chain",
        "A call ends with `deadlock` if a chain of processes that each wait for one other leads back to its caller",
    ),
    ("order", "fifo", "The oldest message first"),
    ("order", "priority", "The message with the highest priority first; among equals the oldest"),
    (
        "transfer",
        "copy",
        "It is copied into the message, and out of it; the sender keeps its region",
    ),
    ("transfer", "move", "Its pages are the receiver's from then on; the sender has them no more"),
    (
        "transfer",
        "copy-on-write",
        "Both have the pages until one of them writes; then that page is copied",
    ),
    ("transfer", "share", "Both have the same pages for good: what one writes, the other reads"),
    ("as", "move-receive", "The receive right goes; the sender can receive from the port no more"),
    ("as", "move-send", "The sender's send right goes"),
    ("as", "copy-send", "A copy of the sender's send right goes"),
    ("as", "make-send", "A new send right, made by whoever has the receive right"),
    (
        "as",
        "make-send-once",
        "A new right to send one message, made by whoever has the receive right",
    ),
    ("as", "move-send-once", "The sender's send-once right goes"),
    (
        "as",
        "file",
        "A copy of a descriptor: the file, or the end of a pipe or channel, is open there too",
    ),
    ("kind", "mailbox", "A mailbox, named by the variable"),
    ("kind", "port", "A port, whose receive right the process gets"),
    ("kind", "port-set", "A set of ports, empty at first"),
    ("kind", "pipe", "A pipe: bytes without borders between messages, and two ends"),
    ("kind", "channel", "A channel: a pipe that keeps messages apart, and can carry descriptors"),
];

/// The capacities that are words.
const CAPACITIES: &[&str] = &["none", "undefined", "unlimited"];

pub(super) fn policies() -> Chapter {
    let of_kernel = KERNEL.iter().filter(|key| key.name != "personality");
    let of_kernel = of_kernel.map(|key| ("kernel", key));
    let of_mailboxes = MAILBOX.iter().filter(|key| key.name == "order");
    let of_mailboxes = of_mailboxes.map(|key| ("a mailbox", key));
    let of_messages = TRANSFER.iter().filter(|key| key.name == "transfer");
    let of_messages = of_messages.map(|key| ("memory in a message", key));
    let of_rights = GRANT.iter().filter(|key| key.name == "as").map(|key| ("a right", key));
    let of_create = VERBS.iter().filter(|verb| verb.name() == "create");
    let of_create = of_create.flat_map(|verb| verb.keys).filter(|key| key.name == "kind");
    let of_create = of_create.map(|key| ("create", key));
    let all = of_kernel.chain(of_mailboxes).chain(of_messages).chain(of_rights).chain(of_create);
    let values = all.flat_map(|(of, key)| values(of, key));
    Chapter {
        title: "Policies and personalities",
        about: "Where real kernels differ, `kernel:` says what this one does; nothing is left to chance unless its value says so. A personality sets the policies that are not written down as a real system has them, and adds that system's words to the outcomes.",
        entries: values.chain(ALL.into_iter().map(of_personality)).collect(),
    }
}

/// The values of a policy, if it is one.
fn values(of: &'static str, key: &'static Key) -> Vec<Entry> {
    let words = match key.kind {
        Kind::Word(words) => words,
        Kind::Wake => WAKES,
        Kind::Capacity => CAPACITIES,
        _ => return Vec::new(),
    };
    let entry = |word: &&'static str| {
        let is_default = default(of, key.name) == Some(*word);
        let default = if is_default { "; this is the default" } else { "" };
        let meaning = format!("{}{default}", meaning(key.name, word));
        let sort = format!("a value of {} in {of}", key.name);
        simple(word, &sort, &format!("{}: {word}", key.name), &meaning)
    };
    words.iter().map(entry).collect()
}

fn known(key: &str, word: &str) -> Option<&'static str> {
    let known = VALUES.iter().find(|(of, value, _)| *of == key && *value == word);
    known.map(|(.., meaning)| *meaning)
}

fn meaning(key: &str, word: &str) -> &'static str {
    known(key, word).unwrap_or_else(|| unreachable!("`{key}: {word}` has no words"))
}

/// A word that a real system has for an outcome: `ELOCKED`.
pub(super) fn of_elsewhere(word: &str) -> Vec<Entry> {
    let of = |personality: &'static Personality| {
        let known = personality.words().into_iter().filter(move |it| it.word == word);
        known.map(move |it| {
            let verb = if it.verb.is_empty() { "any call" } else { it.verb };
            let sort = format!("an outcome in the words of {}", personality.name);
            let written = format!("kernel: {{personality: {}}}", personality.name);
            let meaning =
                format!("The outcome `{}` of {verb}: {}", it.outcome.word(), outcome(it.outcome));
            simple(it.word, &sort, &written, &meaning)
        })
    };
    ALL.into_iter().flat_map(of).collect()
}

/// The values of a key, if it is a policy: each as it is written, and what it means.
pub(super) fn values_in_words(key: &Key) -> Vec<(String, String)> {
    let of_key = VALUES.iter().filter(|(of, ..)| *of == key.name);
    let is_policy = matches!(key.kind, Kind::Word(_) | Kind::Wake | Kind::Capacity);
    let of_key = of_key.filter(|_| is_policy);
    of_key.map(|(of, word, meaning)| (format!("{of}: {word}"), meaning.to_string())).collect()
}

fn of_personality(personality: &'static Personality) -> Entry {
    let of_policy = |(key, value): (&str, String)| {
        (format!("{key}: {value}"), known(key, &value).unwrap_or_default().to_string())
    };
    let of_word = |word: ipcsim_kernel::OutcomeWord| {
        let verb = if word.verb.is_empty() { "any call" } else { word.verb };
        (format!("{} of {verb}", word.outcome.word()), word.word.to_string())
    };
    let policies = personality.policies_in_words().map(of_policy);
    let words = personality.words().into_iter().map(of_word);
    let written = format!("kernel: {{personality: {}}}", personality.name);
    Entry {
        keys: policies.chain(words).collect(),
        ..simple(personality.name, "a personality", &written, personality.about)
    }
}
