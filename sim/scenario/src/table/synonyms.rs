//! Words that people bring from elsewhere, each with what to write here.
//!
//! A misspelt word is found by its letters. These words are right, but in another language. An
//! entry here also keeps a guess by letters from proposing the opposite of what was meant.

mod steps;

/// Where a word stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// As the verb of a step.
    Verb,
    /// As another key of a step.
    StepKey,
    /// As a key of the whole file.
    Top,
    /// Below `kernel`.
    Kernel,
    /// Below a mailbox.
    Mailbox,
    /// Below a process or a thread.
    Process,
    /// As what a claim is about.
    Claim,
    /// As an outcome that a step handles.
    Outcome,
    /// As the way in which a run or a schedule ends.
    Ending,
    /// As a function.
    Function,
    /// As a field of a message.
    Field,
}

/// What to write for a word that is not one of the language there, if people are known to bring it.
pub fn meant(word: &str, at: At) -> Option<&'static str> {
    let plain = word.trim().to_lowercase().replace(['_', ' '], "-");
    let found = all().find(|(place, words, _)| *place == at && words.contains(&&*plain));
    found.map(|(.., write)| *write)
}

/// Where, which words, and what to write instead.
pub type Synonym = (At, &'static [&'static str], &'static str);

fn all() -> impl Iterator<Item = &'static Synonym> {
    steps::STEPS.iter().chain(OTHERS)
}

/// Those outside of steps.
const OTHERS: &[Synonym] = &[
    // Keys of the file.
    (At::Top, &["process", "tasks", "task", "threads", "actors", "nodes"], "write `processes:`"),
    (
        At::Top,
        &[
            "mailbox", "queues", "queue", "channels", "channel", "pipes", "buffers", "boxes",
            "links",
        ],
        "write `mailboxes:`; a process can be sent to without one",
    ),
    (
        At::Top,
        &["mutex", "mutexes", "semaphore", "semaphores", "locks"],
        "a mailbox with tokens is a semaphore: `mailboxes: {turn: {capacity: 1, holds: [token]}}`; a page of memory has a `lock`",
    ),
    (At::Top, &["port"], "write `ports:`"),
    (At::Top, &["name"], "write `title:`"),
    (At::Top, &["description", "desc", "summary", "comment", "doc"], "write `about:`"),
    (
        At::Top,
        &[
            "assert",
            "asserts",
            "assertions",
            "claims",
            "claim",
            "tests",
            "test",
            "check",
            "checks",
            "expected",
            "expects",
            "properties",
        ],
        "write `expect:`",
    ),
    (
        At::Top,
        &["variables", "vars", "globals", "shared", "memory"],
        "each thread has its own variables, made with `set: {x: 1}`; the threads of a process share what it allocates: `allocate: buf`",
    ),
    (
        At::Top,
        &["policy", "policies", "config", "options", "machine", "os", "system", "settings"],
        "write `kernel:`",
    ),
    (At::Top, &["program", "functions", "procedures"], "write `programs:`"),
    (
        At::Top,
        &["seed", "scheduler", "cpus", "buffering", "quantum"],
        "this belongs below `kernel:`",
    ),
    // Keys of the kernel.
    (
        At::Kernel,
        &[
            "buffer",
            "buffers",
            "buffer-size",
            "buffersize",
            "capacity",
            "queue",
            "queue-size",
            "mailbox-size",
            "slots",
        ],
        "write `buffering: 1`",
    ),
    (At::Kernel, &["sched", "policy", "scheduling"], "write `scheduler: fifo`"),
    (At::Kernel, &["cores", "cpu", "processors"], "write `cpus: 2`"),
    (At::Kernel, &["time-slice", "timeslice", "slice"], "write `quantum: 10ms`"),
    (At::Kernel, &["random-seed", "random", "rng"], "write `seed: 1`"),
    (At::Kernel, &["ram", "kernel-memory", "mem"], "write `memory: 4KiB`"),
    (At::Kernel, &["page-size", "pagesize", "pages"], "write `page: 4KiB`"),
    (
        At::Kernel,
        &["eager", "eager-threshold", "rendezvous-limit", "rendezvous-threshold"],
        "write `eager-limit: 4KiB`",
    ),
    (At::Kernel, &["preemptive", "preemption"], "write `preempt: calls`"),
    (At::Kernel, &["deadlock", "deadlock-detection", "on-deadlock"], "write `detect: refuse`"),
    (At::Kernel, &["type", "flavor", "kind"], "write `personality: mach`"),
    // Keys of a mailbox.
    (
        At::Mailbox,
        &[
            "size",
            "buffer",
            "buffering",
            "length",
            "slots",
            "max",
            "limit",
            "max-messages",
            "depth",
            "bound",
        ],
        "write `capacity: 3`",
    ),
    (At::Mailbox, &["count", "copies", "instances", "n"], "write `replicas: 3`"),
    (At::Mailbox, &["max-message-size", "message-size", "msgsize"], "write `max-size: 64B`"),
    (At::Mailbox, &["prio", "priority", "sort"], "write `order: priority`"),
    (
        At::Mailbox,
        &["messages", "contents", "content", "initial", "initially", "contains", "tokens"],
        "write `holds: [token, token]`",
    ),
    // Keys of a process.
    (
        At::Process,
        &["steps", "body", "code", "run", "main", "actions", "script", "program-text"],
        "write `do:` with the steps below it",
    ),
    (At::Process, &["count", "copies", "instances", "n", "number", "times"], "write `replicas: 3`"),
    (At::Process, &["delay", "start-at", "after", "begin", "at"], "write `start: 5ms`"),
    (At::Process, &["prio", "nice"], "write `priority: 5`"),
    (At::Process, &["args", "arguments", "parameters", "params"], "write `with: {n: 1}`"),
    (
        At::Process,
        &["buffer", "buffering", "queue", "mailbox-size", "size"],
        "write `capacity: 1`: what each link to it holds",
    ),
    (At::Process, &["background", "server", "service"], "write `daemon: true`"),
    (At::Process, &["owner", "uid"], "write `user: name`"),
    // Claims.
    (
        At::Claim,
        &["no-schedule", "never", "no-run", "not", "forbid", "impossible"],
        "write `every-schedule: {never: deadlock}`",
    ),
    (
        At::Claim,
        &["all-schedules", "every", "all", "always", "each-schedule", "forall", "invariant"],
        "write `every-schedule: completes`, or `every-schedule: {always: …}`",
    ),
    (
        At::Claim,
        &["exists", "any-schedule", "some", "possible", "may", "sometimes", "witness"],
        "write `some-schedule: deadlock`",
    ),
    (
        At::Claim,
        &["result", "outcome", "runs", "verdict", "the-run", "ends"],
        "write `run: completes`",
    ),
    (
        At::Claim,
        &["deadlock", "deadlocks", "completes"],
        "write `run: deadlock`, or `every-schedule: completes`",
    ),
    (At::Claim, &["logs", "log", "output"], "write `run: {logs: [hello]}`"),
    // Outcomes that are handled.
    (
        At::Outcome,
        &["timeout", "time-out", "timedout", "etimedout", "expired"],
        "write `timed-out:`",
    ),
    (
        At::Outcome,
        &["full", "empty", "eagain", "ewouldblock", "blocked", "busy", "again"],
        "write `would-block:`",
    ),
    (
        At::Outcome,
        &["closed", "epipe", "gone", "disconnected", "destroyed", "eof", "broken"],
        "write `dead:`",
    ),
    (
        At::Outcome,
        &["denied", "eperm", "eacces", "permission", "forbidden", "not-allowed"],
        "write `refused:` or `no-right:`",
    ),
    (At::Outcome, &["enoent", "not-found", "unknown", "missing"], "write `no-such-name:`"),
    (At::Outcome, &["enomem", "out-of-memory", "memory"], "write `no-memory:`"),
    (At::Outcome, &["emsgsize", "too-big", "too-long", "oversize"], "write `too-large:`"),
    (At::Outcome, &["eintr", "signal"], "write `interrupted:`"),
    (
        At::Outcome,
        &["success", "done", "received", "sent"],
        "what is done after `ok` stands behind the step",
    ),
    (
        At::Outcome,
        &["error", "failed", "fail", "failure", "else", "default", "otherwise", "any"],
        "name the outcome: `timed-out:`, `would-block:`, `dead:`, …",
    ),
    // How a run or a schedule ends.
    (
        At::Ending,
        &[
            "complete",
            "completed",
            "success",
            "succeeds",
            "ok",
            "finished",
            "finishes",
            "terminates",
            "done",
            "passes",
        ],
        "write `completes`",
    ),
    (At::Ending, &["fail", "failed", "failure", "error", "crash", "crashes"], "write `fails`"),
    (
        At::Ending,
        &["deadlocks", "deadlocked", "blocked", "stuck", "hangs"],
        "write `deadlock`, or `stranded` where no circle is to blame",
    ),
    (At::Ending, &["waits", "waiting"], "write `stranded`"),
    (At::Ending, &["livelocks", "loops", "infinite", "spins"], "write `livelock`"),
    (At::Ending, &["timeout", "cut-off", "running"], "write `unfinished`"),
    (
        At::Ending,
        &["no-deadlock", "deadlock-free", "not-deadlock"],
        "write `every-schedule: {never: deadlock}`",
    ),
    // Fields of messages.
    (
        At::Field,
        &[
            "text", "content", "contents", "data", "payload", "message", "msg", "value", "val",
            "string",
        ],
        "write `.body`",
    ),
    (
        At::Field,
        &["from", "src", "source", "pid", "process", "who", "sender-pid"],
        "write `.sender`",
    ),
    (
        At::Field,
        &["len", "length", "bytes"],
        "write `len(m.body)` for how long what it says is, `m.size` for its size in bytes",
    ),
    (At::Field, &["mailbox", "queue", "channel", "to", "destination"], "write `.box`"),
    (At::Field, &["reply", "reply-port", "return", "reply-right"], "write `.reply-to`"),
    (At::Field, &["right", "port", "ports", "handle"], "write `.rights[0]`"),
    (At::Field, &["tag", "kind", "id", "msgtype"], "write `.type`"),
    // Functions.
    (At::Function, &["size", "length", "strlen", "sizeof"], "write `len(x)`"),
    (At::Function, &["rand", "randint", "rnd"], "write `random(1, 6)`"),
    (At::Function, &["append", "add", "insert", "concat"], "write `push(list, x)`"),
    (
        At::Function,
        &["pop", "shift", "dequeue", "rest", "tail"],
        "write `pop-first(list)`; `list[0]` is the first",
    ),
    (At::Function, &["first", "head", "front"], "write `list[0]`"),
    (At::Function, &["last"], "write `list[len(list) - 1]`"),
    (At::Function, &["str", "string", "format", "to-string", "concat-text"], "write `\"${x}\"`"),
    (At::Function, &["time", "clock", "gettime", "timestamp"], "write `now()`"),
    (
        At::Function,
        &["sum", "reduce", "map", "filter"],
        "add the elements up in a loop: `for: x` with `in: list`",
    ),
    (
        At::Function,
        &["int", "number", "parse"],
        "a number that is sent stays a number: there is nothing to convert",
    ),
    (At::Function, &["is-empty", "empty"], "write `len(x) == 0`"),
    (At::Function, &["abs"], "write `max(x, -x)`"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{FUNCTIONS, KERNEL, MAILBOX, PROCESS, SCHEDULE_OUTCOMES, TOP, VERBS};

    #[test]
    fn no_synonym_is_a_word_of_the_language_or_stands_twice() {
        for (number, (at, words, _)) in all().enumerate() {
            for word in *words {
                let is_known = match at {
                    At::Verb => VERBS.iter().any(|verb| verb.name() == *word),
                    At::Top => TOP.iter().any(|key| key.name == *word),
                    At::Kernel => KERNEL.iter().any(|key| key.name == *word),
                    At::Mailbox => MAILBOX.iter().any(|key| key.name == *word),
                    At::Process => PROCESS.iter().any(|key| key.name == *word),
                    At::Ending => SCHEDULE_OUTCOMES.contains(word),
                    At::Function => FUNCTIONS.iter().any(|(name, ..)| name == word),
                    At::Outcome => ipcsim_kernel::Outcome::from_word(word).is_some(),
                    // A key of one step may be no key of another.
                    At::StepKey | At::Claim => false,
                    At::Field => ipcsim_kernel::Field::from_word(word).is_some(),
                };
                assert!(!is_known, "{at:?} `{word}`");
                let mut others = all().skip(number + 1).filter(|(place, ..)| place == at);
                let again = others.any(|(_, words, _)| words.contains(word));
                assert!(!again, "{at:?} `{word}` stands twice");
                assert_eq!(*word, word.to_lowercase().replace(['_', ' '], "-"));
            }
        }
    }
}
