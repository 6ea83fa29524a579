//! The words of steps: what a scenario calls each of them, and how the calls among them can end.

use crate::outcome::Outcome;

macro_rules! words {
    (calls { $($call:ident $text:literal [$($outcome:ident)*])* } local { $($local:ident $local_text:literal)* }) => {
        /// What a system call is called.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the scenario's table of verbs says what each does")]
        pub enum CallWord { $($call,)* }

        /// What a local step of a thread is called.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the scenario's table of verbs says what each does")]
        pub enum LocalWord { $($local,)* }

        impl CallWord {
            /// How it is written.
            pub const fn text(self) -> &'static str {
                match self { $(CallWord::$call => $text,)* }
            }

            /// The outcomes other than `ok` that it can have.
            pub const fn outcomes(self) -> &'static [Outcome] {
                match self { $(CallWord::$call => &[$(Outcome::$outcome),*],)* }
            }
        }

        impl LocalWord {
            /// How it is written.
            pub const fn text(self) -> &'static str {
                match self { $(LocalWord::$local => $local_text,)* }
            }
        }
    };
}

/// What a step is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word {
    /// A system call: it leaves its outcome in `status`, and may have `when:`.
    Call(CallWord),
    /// Work of the thread by itself.
    Local(LocalWord),
}

impl Word {
    /// How it is written.
    pub const fn text(self) -> &'static str {
        match self {
            Word::Call(word) => word.text(),
            Word::Local(word) => word.text(),
        }
    }

    /// The outcomes other than `ok` that it can have; none if it is not a system call.
    pub const fn outcomes(self) -> &'static [Outcome] {
        match self {
            Word::Call(word) => word.outcomes(),
            Word::Local(_) => &[],
        }
    }
}

words! {
    calls {
        Send "send" [
            Held WouldBlock TimedOut TooLarge NoMemory Dead NoRight Refused Deadlock Interrupted
        ]
        Receive "receive" [
            WouldBlock TimedOut TooLarge NoMemory Dead NoRight Refused Deadlock Interrupted
        ]
        Call "call" [WouldBlock TimedOut TooLarge NoMemory Dead NoRight Refused Deadlock Interrupted]
        Reply "reply" [Dead NoRight Refused]
        Select "select" [WouldBlock TimedOut NoRight Refused Deadlock Interrupted]
        Sleep "sleep" [Interrupted]
        Yield "yield" []
        Exit "exit" []
        Spawn "spawn" [Refused NoRight]
        Fork "fork" [Refused NoRight]
        Exec "exec" [NoSuchName Refused Deadlock Interrupted]
        Fault "fault" []
        Kill "kill" [NoRight]
        Suspend "suspend" [Dead NoRight]
        Resume "resume" [Dead NoRight Refused]
        Interrupt "interrupt" [Dead NoRight]
        Thread "thread" [Refused]
        Join "join" [WouldBlock TimedOut Deadlock Interrupted]
        Create "create" [Refused]
        Destroy "destroy" [Dead Refused NoRight]
        Drop "drop" [NoRight Refused]
        Limit "limit" [NoRight Refused]
        Insert "insert" [NoRight Refused]
        Remove "remove" [NoRight Refused]
        Watch "watch" [NoRight Refused]
        Register "register" [Refused Dead NoRight TooLarge NoMemory Deadlock Interrupted]
        Unregister "unregister" [NoSuchName Refused Dead TooLarge NoMemory Deadlock Interrupted]
        Lookup "lookup" [
            NoSuchName Refused TimedOut Dead TooLarge NoMemory Deadlock Interrupted
        ]
        Open "open" [NoSuchName Refused]
        Close "close" [NoRight Refused]
        Duplicate "duplicate" [NoRight Refused]
        Allocate "allocate" [NoMemory Refused]
        Free "free" []
        Lock "lock" [WouldBlock TimedOut Dead Deadlock Interrupted]
        Unlock "unlock" [Refused]
    }
    local {
        Compute "compute"
        Set "set"
        Log "log"
        Assert "assert"
        If "if"
        Repeat "repeat"
        Forever "forever"
        While "while"
        For "for"
        Break "break"
        Continue "continue"
        Choose "choose"
        Read "read"
        Write "write"
    }
}
