//! Words in steps: their verbs, and their other keys.

use super::{At, Synonym};

/// What people write in steps elsewhere.
pub(super) const STEPS: &[Synonym] = &[
    // Verbs.
    (
        At::Verb,
        &["recv", "msgrcv", "mq-receive", "get", "take", "accept", "consume", "await"],
        "write `receive: m` with `from: …` below it",
    ),
    (
        At::Verb,
        &["msgsnd", "mq-send", "put", "post", "emit", "push", "publish", "transmit", "tell"],
        "write `send: hello` with `to: …` below it",
    ),
    (
        At::Verb,
        &["print", "printf", "println", "echo", "puts", "say", "output", "show", "display"],
        "write `log: …`",
    ),
    (
        At::Verb,
        &["sleep-ms", "usleep", "nanosleep", "delay", "pause", "timer"],
        "write `sleep: 5ms`",
    ),
    (
        At::Verb,
        &["wait"],
        "to let time pass write `sleep: 5ms`; a call has a key `wait`; threads are waited for with `join`",
    ),
    (
        At::Verb,
        &["timeout", "alarm", "deadline"],
        "a limit of time is a key of the call: `wait: 5ms` below `send` or `receive`",
    ),
    (At::Verb, &["work", "busy", "run", "burn", "cpu", "calculate"], "write `compute: 5ms`"),
    (At::Verb, &["loop", "do-forever", "infinite"], "write `forever:` with the steps below it"),
    (At::Verb, &["times", "count", "do-times", "steps"], "write `repeat: 3` with `do:` below it"),
    (At::Verb, &["foreach", "for-each"], "write `for: x` with `in:` and `do:` below it"),
    (
        At::Verb,
        &["elif", "elseif", "else-if", "else", "then"],
        "`then:` and `else:` are keys of `if:`, indented like it",
    ),
    (
        At::Verb,
        &["when", "switch", "case", "match"],
        "write `if:` with `then:`; outcomes are handled by `when:` below a call",
    ),
    (
        At::Verb,
        &["let", "var", "assign", "store", "define", "int", "variable"],
        "write `set: {x: 1}`",
    ),
    (At::Verb, &["increment", "inc", "add"], "write `set: {x: x + 1}`"),
    (At::Verb, &["quit", "stop", "return", "terminate", "end", "halt", "die"], "write `exit: 0`"),
    (At::Verb, &["exit-code", "status"], "write `exit: 1`"),
    (
        At::Verb,
        &["raise", "throw", "abort", "panic", "error", "crash"],
        "write `fault: name-of-it`",
    ),
    (At::Verb, &["check", "expect", "require", "verify"], "write `assert: x == 1`"),
    (At::Verb, &["try-receive", "tryrecv"], "write `receive: m` with `from: …` and `wait: never`"),
    (At::Verb, &["try-send"], "write `send: hello` with `to: …` and `wait: never`"),
    (
        At::Verb,
        &["scan", "receive-scan", "epoll", "poll", "peek", "choose-ready"],
        "write `select: ready` with `among: […]`",
    ),
    (
        At::Verb,
        &["malloc", "calloc", "alloc", "mmap", "sbrk", "vm-allocate", "new-region"],
        "write `allocate: buf` with `size: 4KiB`",
    ),
    (At::Verb, &["munmap", "deallocate", "vm-deallocate", "unmap"], "write `free: buf`"),
    (At::Verb, &["poke", "memset", "modify"], "write `write: buf` with `value: 1`"),
    (At::Verb, &["load", "fetch"], "write `read: buf` with `into: x`"),
    (
        At::Verb,
        &["rpc", "request", "ask", "query"],
        "write `call: hello` with `to: …` and `into: answer`",
    ),
    (At::Verb, &["answer", "respond", "response"], "write `reply: hello` with `to: ${m}`"),
    (
        At::Verb,
        &["mutex", "acquire", "mutex-lock", "pthread-mutex-lock", "enter"],
        "write `lock: buf`, where `buf` is a region of memory that both have",
    ),
    (At::Verb, &["try-lock", "trylock"], "write `lock: buf` with `wait: never`"),
    (
        At::Verb,
        &["release", "mutex-unlock", "pthread-mutex-unlock", "leave"],
        "write `unlock: buf`, where `buf` is a region of memory that both have",
    ),
    (
        At::Verb,
        &["semaphore", "p", "down", "sem-wait"],
        "a mailbox with tokens is a semaphore: `receive` takes one, `send` gives it back; `holds:` puts them into it",
    ),
    (
        At::Verb,
        &["v", "up", "sem-post", "signal", "notify", "wake"],
        "a mailbox with tokens is a semaphore: `send` gives one back and wakes who waits",
    ),
    (
        At::Verb,
        &["pipe", "pipe2", "mkpipe", "socketpair", "channel"],
        "write `create: r` with `kind: pipe` and `write-end: w`; `kind: channel` keeps messages apart",
    ),
    (At::Verb, &["dup", "dup2", "fcntl"], "write `duplicate: ${fd}` with `into: other`"),
    (
        At::Verb,
        &["queue", "socket", "mkfifo", "mailbox", "port", "buffer", "msgget"],
        "declare it in `mailboxes:` at the top of the file, or write `create: box` with `kind: mailbox`",
    ),
    (
        At::Verb,
        &["spawn-thread", "start-thread", "pthread-create", "go", "async", "start"],
        "write `thread: worker` with `do:` below it",
    ),
    (
        At::Verb,
        &["process", "clone", "create-process", "posix-spawn"],
        "write `spawn: child` with `do:` below it",
    ),
    (
        At::Verb,
        &["execve", "execv", "execl", "execvp", "load-program", "run-program"],
        "write `exec: editor`, where `editor` is one of `programs:`",
    ),
    (At::Verb, &["vfork"], "write `fork: child` with `do:` below it"),
    (At::Verb, &["pthread-join", "wait-for"], "write `join: worker` for threads of this process"),
    (
        At::Verb,
        &["waitpid", "wait-child", "wait4"],
        "write `receive: end` with `from: child` and `when: {dead: []}`: it is `dead` when the child has ended",
    ),
    (At::Verb, &["delete", "remove-mailbox", "unlink"], "write `destroy: box`"),
    (At::Verb, &["sched-yield", "nop", "skip", "pass", "noop"], "write `yield`"),
    (At::Verb, &["random", "rand"], "write `set: {x: random(1, 6)}`, or `choose:` between steps"),
    (
        At::Verb,
        &["nondet", "either", "select-branch"],
        "write `choose:` with a list of lists of steps",
    ),
    // Other keys of steps.
    (
        At::StepKey,
        &["timeout", "timeout-ms", "deadline", "within", "time", "max-wait", "for", "limit"],
        "write `wait: 5ms`",
    ),
    (
        At::StepKey,
        &["blocking", "nonblocking", "non-blocking", "block", "async", "nowait"],
        "write `wait: never` for a call that does not block",
    ),
    (
        At::StepKey,
        &["dest", "destination", "target", "receiver", "channel", "queue", "mailbox", "box"],
        "write `to: …`, or `from: …` below `receive`",
    ),
    (At::StepKey, &["source", "sender", "src", "origin"], "write `from: …`"),
    (
        At::StepKey,
        &["message", "msg", "body", "data", "payload", "text", "content", "value"],
        "what is sent stands behind the verb: `send: hello`",
    ),
    (
        At::StepKey,
        &["var", "variable", "as", "store", "result", "save", "out"],
        "write `into: x`; behind `receive` the variable stands at once: `receive: m`",
    ),
    (
        At::StepKey,
        &[
            "on-timeout",
            "on-error",
            "catch",
            "except",
            "handler",
            "otherwise",
            "on-fail",
            "timed-out",
            "would-block",
            "dead",
        ],
        "write `when: {timed-out: […]}`",
    ),
    (
        At::StepKey,
        &["body-of-loop", "steps", "loop", "begin", "block-of-steps"],
        "write `do:` with the steps below it",
    ),
    (At::StepKey, &["count", "times", "n"], "how often stands behind the verb: `repeat: 3`"),
    (At::StepKey, &["prio"], "write `priority: 1`"),
    (At::StepKey, &["len", "length", "bytes", "size-bytes"], "write `size: 64B`"),
    (At::StepKey, &["kind", "tag"], "write `type: …`"),
    (
        At::StepKey,
        &["sources", "ports", "mailboxes"],
        "write `among: […]` below `select`, `from: […]` below `receive`",
    ),
];
