//! Personalities: what a real system chooses, and what it calls the outcomes of its calls.
//!
//! A personality is a table. It sets the policies of `kernel:` that the author has not written down, and
//! supplies the words for reports and traces. The kernel has never heard of one.

use ipcsim_kernel::{Capacity, Outcome, OutcomeWord};

use crate::ast::{Arg, Fields};
use crate::place::Placed;

/// A personality.
pub struct Personality {
    /// What `kernel.personality` says.
    pub name: &'static str,
    /// Which system it is, and where its choices can be read.
    pub about: &'static str,
    /// The policies that it sets.
    policies: &'static [(&'static str, Policy)],
    /// What it calls the outcomes of a call; an empty verb stands for all others.
    words: &'static [(&'static str, Outcome, &'static str)],
}

/// What a policy is set to.
enum Policy {
    Word(&'static str),
    /// Words by side.
    Sides(&'static [(&'static str, &'static str)]),
    Capacity(Capacity),
}

/// The names of all personalities.
pub const NAMES: &[&str] =
    &["mach", "posix-mq", "sysv", "minix", "sel4", "pipe", "unix-socket", "pebbles"];

/// All personalities.
pub(crate) const ALL: [&Personality; 8] =
    [&MACH, &POSIX_MQ, &SYSV, &MINIX, &SEL4, &PIPE, &UNIX_SOCKET, &PEBBLES];

const MACH: Personality = Personality {
    name: "mach",
    about: "Mach 3 (`mach/message.h`, `mach/kern_return.h`, `netname_defs.h`)",
    policies: &[
        ("buffering", Policy::Capacity(Capacity::Messages(5))),
        ("receiver", Policy::Word("fifo")),
        ("sender", Policy::Word("fifo")),
        // `ipc_mqueue_send` looks again after a wait for a slot; to a waiting receiver it hands over.
        ("wake", Policy::Sides(&[("senders", "look-again"), ("receivers", "hand-over")])),
        ("set-order", Policy::Word("merged")),
        ("too-large", Policy::Word("keep")),
        ("dying-port", Policy::Word("ok")),
    ],
    words: &[
        ("send", Outcome::WouldBlock, "MACH_SEND_TIMED_OUT"),
        ("send", Outcome::TimedOut, "MACH_SEND_TIMED_OUT"),
        ("send", Outcome::Dead, "MACH_SEND_INVALID_DEST"),
        ("send", Outcome::NoRight, "MACH_SEND_INVALID_RIGHT"),
        ("send", Outcome::NoMemory, "MACH_SEND_NO_BUFFER"),
        ("send", Outcome::Interrupted, "MACH_SEND_INTERRUPTED"),
        ("send", Outcome::Held, "MACH_SEND_WILL_NOTIFY"),
        ("send", Outcome::Refused, "MACH_SEND_NOTIFY_IN_PROGRESS"),
        ("receive", Outcome::WouldBlock, "MACH_RCV_TIMED_OUT"),
        ("receive", Outcome::TimedOut, "MACH_RCV_TIMED_OUT"),
        ("receive", Outcome::TooLarge, "MACH_RCV_TOO_LARGE"),
        ("receive", Outcome::Dead, "MACH_RCV_PORT_DIED"),
        ("receive", Outcome::NoRight, "MACH_RCV_INVALID_NAME"),
        ("receive", Outcome::Refused, "MACH_RCV_IN_SET"),
        ("receive", Outcome::Interrupted, "MACH_RCV_INTERRUPTED"),
        ("limit", Outcome::Refused, "KERN_INVALID_VALUE"),
        ("remove", Outcome::Refused, "KERN_NOT_IN_SET"),
        ("lookup", Outcome::NoSuchName, "NETNAME_NOT_CHECKED_IN"),
        ("unregister", Outcome::NoSuchName, "NETNAME_NOT_CHECKED_IN"),
        ("unregister", Outcome::Refused, "NETNAME_NOT_YOURS"),
        ("register", Outcome::Refused, "NETNAME_NOT_YOURS"),
        ("", Outcome::NoRight, "KERN_INVALID_RIGHT"),
    ],
};

const POSIX_MQ: Personality = Personality {
    name: "posix-mq",
    about: "POSIX message queues on Linux (`mq_overview(7)`, `mq_send(3)`, `mq_receive(3)`)",
    policies: &[
        ("buffering", Policy::Capacity(Capacity::Messages(10))),
        ("receiver", Policy::Word("priority")),
        ("sender", Policy::Word("priority")),
        ("wake", Policy::Word("hand-over")),
        ("too-large", Policy::Word("keep")),
        // Message queue descriptors are closed by `execve` (`mq_overview(7)`).
        ("descriptors-on-exec", Policy::Word("close")),
    ],
    words: &[
        ("open", Outcome::NoSuchName, "ENOENT"),
        ("open", Outcome::Refused, "EACCES"),
        ("", Outcome::WouldBlock, "EAGAIN"),
        ("", Outcome::TimedOut, "ETIMEDOUT"),
        ("", Outcome::TooLarge, "EMSGSIZE"),
        ("", Outcome::NoMemory, "ENOMEM"),
        ("", Outcome::NoRight, "EBADF"),
        ("", Outcome::Interrupted, "EINTR"),
    ],
};

const SYSV: Personality = Personality {
    name: "sysv",
    about: "System V message queues on Linux (`msgop(2)`, `ipc/msg.c`)",
    policies: &[
        ("buffering", Policy::Capacity(Capacity::Bytes(16_384))),
        ("receiver", Policy::Word("fifo")),
        ("sender", Policy::Word("fifo")),
        // `do_msgsnd` waits for room before it looks for a receiver, and looks again after each wait; `pipelined_send` hands
        // over.
        ("wake", Policy::Sides(&[("senders", "look-again"), ("receivers", "hand-over")])),
        ("hand-over", Policy::Word("if-room")),
        ("byte-order", Policy::Word("fits")),
        ("too-large", Policy::Word("keep")),
    ],
    words: &[
        ("send", Outcome::TooLarge, "EINVAL"),
        ("receive", Outcome::TooLarge, "E2BIG"),
        ("receive", Outcome::WouldBlock, "ENOMSG"),
        ("open", Outcome::NoSuchName, "ENOENT"),
        ("open", Outcome::Refused, "EACCES"),
        ("", Outcome::WouldBlock, "EAGAIN"),
        ("", Outcome::Dead, "EIDRM"),
        ("", Outcome::NoMemory, "ENOMEM"),
        ("", Outcome::Interrupted, "EINTR"),
    ],
};

const MINIX: Personality = Personality {
    name: "minix",
    about: "MINIX 3 (`minix/ipc.h`, `sys/errno.h`)",
    policies: &[
        ("buffering", Policy::Capacity(Capacity::None)),
        ("receiver", Policy::Word("fifo")),
        ("sender", Policy::Word("fifo")),
        ("detect", Policy::Word("refuse-chain")),
    ],
    words: &[
        ("", Outcome::WouldBlock, "ENOTREADY"),
        ("", Outcome::Dead, "EDEADSRCDST"),
        ("", Outcome::Deadlock, "ELOCKED"),
        ("", Outcome::NoRight, "ECALLDENIED"),
    ],
};

const SEL4: Personality = Personality {
    name: "sel4",
    about: "seL4 without MCS: endpoints hold nothing, and a send that does not wait gives no error (seL4 reference manual)",
    policies: &[
        ("buffering", Policy::Capacity(Capacity::None)),
        ("receiver", Policy::Word("fifo")),
        ("sender", Policy::Word("fifo")),
    ],
    words: &[
        ("send", Outcome::WouldBlock, "no error, and the message is dropped"),
        ("receive", Outcome::WouldBlock, "badge 0"),
        ("", Outcome::NoRight, "seL4_InvalidCapability"),
    ],
};

const PIPE: Personality = Personality {
    name: "pipe",
    about: "Pipes on Linux (`pipe(7)`, `write(2)`, `fork(2)`, `execve(2)`)",
    policies: &[
        // A writer looks whether there is room for its own bytes, whoever else waits (`pipe_write`).
        ("byte-order", Policy::Word("fits")),
        ("fork", Policy::Word("one-thread")),
        ("exec", Policy::Word("kill-threads")),
        ("descriptors-on-exec", Policy::Word("keep")),
    ],
    words: &[
        ("send", Outcome::Dead, "EPIPE"),
        ("open", Outcome::NoSuchName, "ENOENT"),
        ("open", Outcome::Refused, "EACCES"),
        ("fork", Outcome::Refused, "EAGAIN"),
        ("exec", Outcome::NoSuchName, "ENOENT"),
        ("lock", Outcome::WouldBlock, "EBUSY"),
        ("lock", Outcome::TimedOut, "ETIMEDOUT"),
        ("unlock", Outcome::Refused, "EPERM"),
        ("create", Outcome::Refused, "EMFILE"),
        ("duplicate", Outcome::Refused, "EMFILE"),
        ("", Outcome::WouldBlock, "EAGAIN"),
        ("", Outcome::NoRight, "EBADF"),
        ("", Outcome::Interrupted, "EINTR"),
    ],
};

const UNIX_SOCKET: Personality = Personality {
    name: "unix-socket",
    about: "Unix domain sockets on Linux, of the kind that keeps messages apart (`unix(7)`, `sendmsg(2)`)",
    policies: &[
        ("fork", Policy::Word("one-thread")),
        ("exec", Policy::Word("kill-threads")),
        ("descriptors-on-exec", Policy::Word("keep")),
        // `unix_gc` (`net/unix/garbage.c`).
        ("in-flight-cycles", Policy::Word("collect")),
    ],
    words: &[
        ("send", Outcome::Dead, "EPIPE"),
        ("send", Outcome::TooLarge, "EMSGSIZE"),
        ("open", Outcome::NoSuchName, "ENOENT"),
        ("open", Outcome::Refused, "EACCES"),
        ("", Outcome::WouldBlock, "EAGAIN"),
        ("", Outcome::NoRight, "EBADF"),
        ("", Outcome::Interrupted, "EINTR"),
    ],
};

const PEBBLES: Personality = Personality {
    name: "pebbles",
    about: "Pebbles, the kernel that students of CMU 15-410 write: `fork` and `exec` are refused where a task has several threads",
    policies: &[("fork", Policy::Word("refuse")), ("exec", Policy::Word("refuse"))],
    words: &[
        ("fork", Outcome::Refused, "a negative error code"),
        ("exec", Outcome::Refused, "a negative error code"),
        ("exec", Outcome::NoSuchName, "a negative error code"),
    ],
};

/// The personality that a scenario asks for.
pub fn of(kernel: &Fields) -> Option<&'static Personality> {
    let Some(Arg::Word(name)) = kernel.get("personality").map(|arg| &arg.value) else {
        return None;
    };
    ALL.into_iter().find(|personality| personality.name == *name)
}

impl Personality {
    /// The policies of a scenario: what its author has written overrides the table.
    pub fn applied_to(&self, kernel: &Fields) -> Fields {
        let mut all = kernel.clone();
        let at = kernel.get("personality").map_or_else(Default::default, |arg| arg.at);
        for (key, policy) in self.policies {
            if kernel.get(key).is_none() {
                let arg = match policy {
                    Policy::Word(word) => Arg::Word(word),
                    Policy::Sides(sides) => {
                        let side = |(side, word): &(&'static str, &'static str)| {
                            (Placed::new(*side, at), Placed::new(Arg::Word(word), at))
                        };
                        Arg::Table(Fields(sides.iter().map(side).collect()))
                    }
                    Policy::Capacity(capacity) => Arg::Capacity(*capacity),
                };
                all.0.push((Placed::new(key, at), Placed::new(arg, at)));
            }
        }
        all
    }

    /// Its policies as an author would write them: key and value.
    pub(crate) fn policies_in_words(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.policies.iter().map(|(key, policy)| {
            let value = match policy {
                Policy::Word(word) => word.to_string(),
                Policy::Sides(sides) => {
                    let sides = sides.iter().map(|(side, word)| format!("{side}: {word}"));
                    format!("{{{}}}", sides.collect::<Vec<_>>().join(", "))
                }
                Policy::Capacity(Capacity::None) => "none".into(),
                Policy::Capacity(Capacity::Messages(limit)) => limit.to_string(),
                Policy::Capacity(Capacity::Bytes(limit)) => format!("{limit}B"),
                Policy::Capacity(Capacity::Undefined) => "undefined".into(),
                Policy::Capacity(Capacity::Unlimited) => "unlimited".into(),
            };
            (*key, value)
        })
    }

    /// What it calls the outcomes.
    pub fn words(&self) -> Vec<OutcomeWord> {
        let word = |(verb, outcome, word): &(&'static str, Outcome, &'static str)| OutcomeWord {
            verb,
            outcome: *outcome,
            word,
        };
        self.words.iter().map(word).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{KERNEL, Kind, VERBS, WAKE, WAKES};

    #[test]
    fn a_personality_sets_what_there_is_and_names_what_can_happen() {
        for personality in ALL {
            assert!(NAMES.contains(&personality.name));
            for (key, policy) in personality.policies {
                let known = KERNEL.iter().find(|known| known.name == *key).expect("a policy");
                match (policy, known.kind) {
                    (Policy::Word(word), Kind::Word(words)) => assert!(words.contains(word)),
                    (Policy::Word(word), Kind::Wake) => assert!(WAKES.contains(word)),
                    (Policy::Sides(sides), Kind::Wake) => {
                        for (side, word) in *sides {
                            assert!(WAKE.iter().any(|known| known.name == *side));
                            assert!(WAKES.contains(word));
                        }
                    }
                    (Policy::Capacity(_), Kind::Capacity) => {}
                    _ => panic!("{key} takes something else"),
                }
            }
            for (verb, outcome, _) in personality.words {
                let known = VERBS.iter().find(|known| known.name() == *verb);
                let never = *outcome == Outcome::Interrupted;
                assert!(
                    never || known.is_none_or(|known| known.word.outcomes().contains(outcome)),
                    "{verb} never ends {outcome:?}"
                );
                assert!(verb.is_empty() || known.is_some(), "there is no {verb}");
            }
        }
    }
}
