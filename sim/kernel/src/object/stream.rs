//! Pipes and channels: what processes write to at one end, and read from at the other. Who has an end open, in a table of
//! descriptors or in a message, is counted: when the last writer is gone, readers find the end of what there is; when the last
//! reader is gone, nobody can write.

use std::collections::VecDeque;
use std::sync::Arc;

use ipcsim_program::{Access, Ghost, MailboxId, OnExec, Pc, Value, limits, state};

state! {
    /// What a mailbox has that is the inside of a pipe or a channel.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Stream {
        /// The bytes in a pipe; a channel holds messages instead.
        pub bytes: Option<Bytes>,
        /// How many descriptors and messages have the end open that is read from.
        pub readers: u32 as derived,
        /// How many have the end open that is written to.
        pub writers: u32 as derived,
        /// Where it was made.
        pub made: Ghost<Pc>,
    }
}

state! {
    /// The bytes in a pipe.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Bytes {
        /// One after the other; equal neighbours are joined.
        pub pieces: VecDeque<Piece>,
        /// How many there are.
        pub count: u64 as derived,
    }
}

state! {
    /// Bytes that say something.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub enum Piece {
        /// A text in ASCII: its letters are the bytes.
        Text(Arc<str>),
        /// So many bytes of a value of which only the size is known.
        Of(Value, u64),
    }
}

state! {
    /// What a descriptor stands for.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Opened {
        /// The mailbox behind a file, a pipe or a channel.
        pub object: MailboxId,
        /// What it may be used for.
        pub access: Access,
        /// What becomes of it when the process goes on with another program.
        pub on_exec: OnExec,
    }
}

/// A read takes no more pieces than this; that is far more than any program tells apart.
const MOST_PIECES: usize = 1_000;

impl Stream {
    /// One whose ends are open once each.
    pub fn new(bytes: Option<Bytes>, made: Pc) -> Self {
        Self { bytes, readers: 1, writers: 1, made: Ghost(made) }
    }

    /// How often an end is open.
    pub fn open(&self, end: Access) -> u32 {
        match end {
            Access::Read => self.readers,
            Access::Write => self.writers,
        }
    }

    /// Like [`Stream::open`], but mutable.
    pub fn open_mut(&mut self, end: Access) -> &mut u32 {
        match end {
            Access::Read => &mut self.readers,
            Access::Write => &mut self.writers,
        }
    }
}

impl Bytes {
    /// Appends a piece.
    pub fn put(&mut self, piece: Piece) {
        self.count += piece.count();
        let joined = match (self.pieces.back(), &piece) {
            (Some(Piece::Text(before)), Piece::Text(more))
                if before.len() + more.len() <= limits::TEXT_BYTES =>
            {
                Some(Piece::Text(format!("{before}{more}").into()))
            }
            (Some(Piece::Of(before, count)), Piece::Of(value, more)) if before == value => {
                Some(Piece::Of(before.clone(), count + more))
            }
            _ => None,
        };
        match joined {
            Some(joined) => *self.pieces.back_mut().expect("it was looked at") = joined,
            None => self.pieces.push_back(piece),
        }
    }

    /// Takes at most so many bytes. Returns what they say, and how many they are.
    pub fn take(&mut self, most: u64) -> (Value, u64) {
        let mut values = Vec::new();
        let mut taken = 0;
        while taken < most && values.len() < MOST_PIECES {
            let Some(mut piece) = self.pieces.pop_front() else { break };
            let count = piece.count().min(most - taken);
            let first = piece.cut(count);
            if piece.count() > 0 {
                self.pieces.push_front(piece);
            }
            taken += count;
            values.push(match first {
                Piece::Text(text) => Value::Text(text),
                Piece::Of(value, _) => value,
            });
        }
        self.count -= taken;
        let body = match values.len() {
            0 => Value::None,
            1 => values.remove(0),
            _ => Value::list(values).unwrap_or_default(),
        };
        (body, taken)
    }
}

impl Piece {
    /// What a message of this size says, as bytes.
    pub fn of(body: &Value, size: u64) -> Self {
        match body {
            Value::Text(text) if text.is_ascii() && text.len() as u64 == size => {
                Piece::Text(Arc::clone(text))
            }
            other => Piece::Of(other.clone(), size),
        }
    }

    /// How many bytes it has.
    pub fn count(&self) -> u64 {
        match self {
            Piece::Text(text) => text.len() as u64,
            Piece::Of(_, count) => *count,
        }
    }

    /// Cuts off the first bytes.
    #[must_use]
    pub fn cut(&mut self, first: u64) -> Self {
        match self {
            Piece::Text(text) => {
                let at = usize::try_from(first).unwrap_or(usize::MAX).min(text.len());
                let (first, rest): (Arc<str>, Arc<str>) = (text[..at].into(), text[at..].into());
                *text = rest;
                Piece::Text(first)
            }
            Piece::Of(value, count) => {
                *count -= first;
                Piece::Of(value.clone(), first)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compared with a plain string.
    #[test]
    fn bytes_come_out_as_they_went_in() {
        let mut dice: u64 = 3;
        let mut below = |bound: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (dice >> 33) % bound
        };
        let mut bytes = Bytes::default();
        let mut plain = String::new();
        for round in 0..2_000_u64 {
            let text: String =
                (0..below(6)).map(|at| char::from(b'a' + (round + at) as u8 % 26)).collect();
            if !text.is_empty() {
                bytes.put(Piece::of(&Value::Text(text.as_str().into()), text.len() as u64));
                plain.push_str(&text);
            }
            let most = below(7);
            let (body, count) = bytes.take(most);
            assert_eq!(count, most.min(plain.len() as u64));
            let rest = plain.split_off(count as usize);
            let taken = std::mem::replace(&mut plain, rest);
            match body {
                Value::None => assert!(taken.is_empty()),
                Value::Text(body) => assert_eq!(*body, *taken),
                other => panic!("texts that are run together are one text, not {other:?}"),
            }
            assert_eq!(bytes.count, plain.len() as u64);
        }
    }

    #[test]
    fn what_has_a_size_is_itself_and_counts_its_bytes() {
        let mut bytes = Bytes::default();
        bytes.put(Piece::of(&Value::Int(7), 10));
        bytes.put(Piece::of(&Value::Int(7), 5));
        bytes.put(Piece::of(&Value::Text("ab".into()), 2));
        assert_eq!((bytes.pieces.len(), bytes.count), (2, 17));
        assert_eq!(bytes.take(4), (Value::Int(7), 4));
        let all = Value::list(vec![Value::Int(7), Value::Text("a".into())]).expect("it is short");
        assert_eq!(bytes.take(12), (all, 12));
        assert_eq!(bytes.take(9), (Value::Text("b".into()), 1));
        assert_eq!(bytes.take(9), (Value::None, 0));
    }
}
