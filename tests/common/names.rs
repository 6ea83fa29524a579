//! The names in a part of a state: whether the walk over its fields comes to all of them.
//!
//! What a part holds is printed by `derive(Debug)`, which knows nothing of the walk. So a field that the walk passes over
//! shows.

use std::fmt::Debug;

use ipcsim_kernel::{MailboxId, ProcessId, Rename, ThreadId, Visit, Walk};

/// The walk shows the names that are printed, in the same order; it changes them all, and back.
pub fn are_all_gone_over<T: Walk + Clone + Debug + PartialEq>(part: &T, name: &str) {
    let printed = format!("{part:?}");
    let mut seen = Seen(Vec::new());
    part.visit(&mut seen);
    assert_eq!(seen.0, printed_names(&printed), "{name}: {part:#?}");
    let moved = part.renamed(&mut Moved { by: 1_000 });
    assert_eq!(format!("{moved:?}"), shifted(&printed, 1_000), "{name}: {part:#?}");
    assert_eq!(&moved.renamed(&mut Moved { by: 0_u32.wrapping_sub(1_000) }), part, "{name}");
}

const KINDS: [&str; 3] = ["ProcessId(", "ThreadId(", "MailboxId("];

/// Calls this for each name: its kind, where its number begins, and its number.
fn each_name(printed: &str, mut see: impl FnMut(&'static str, usize, &str)) {
    for (at, _) in printed.match_indices("Id(") {
        let begin = at + "Id(".len();
        let kind = KINDS.into_iter().find(|kind| printed[..begin].ends_with(kind));
        let end = printed[begin..].find(')').expect("a name has an end") + begin;
        if let Some(kind) = kind {
            see(kind, begin, &printed[begin..end]);
        }
    }
}

fn printed_names(printed: &str) -> Vec<String> {
    let mut names = Vec::new();
    each_name(printed, |kind, _, number| names.push(format!("{kind}{number})")));
    names
}

fn shifted(printed: &str, by: u32) -> String {
    let (mut out, mut done) = (String::new(), 0);
    each_name(printed, |_, begin, number| {
        let moved = number.parse::<u32>().expect("a number").wrapping_add(by);
        out.push_str(&printed[done..begin]);
        out.push_str(&moved.to_string());
        done = begin + number.len();
    });
    out + &printed[done..]
}

struct Seen(Vec<String>);

impl Visit for Seen {
    fn process(&mut self, process: ProcessId) {
        self.0.push(format!("{process:?}"));
    }

    fn thread(&mut self, thread: ThreadId) {
        self.0.push(format!("{thread:?}"));
    }

    fn mailbox(&mut self, mailbox: MailboxId) {
        self.0.push(format!("{mailbox:?}"));
    }
}

struct Moved {
    by: u32,
}

impl Rename for Moved {
    fn process(&mut self, process: ProcessId) -> ProcessId {
        ProcessId(process.0.wrapping_add(self.by))
    }

    fn thread(&mut self, thread: ThreadId) -> ThreadId {
        ThreadId(thread.0.wrapping_add(self.by))
    }

    fn mailbox(&mut self, mailbox: MailboxId) -> MailboxId {
        MailboxId(mailbox.0.wrapping_add(self.by))
    }
}
