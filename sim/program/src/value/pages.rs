//! Memory: pages, each of which holds one small value. Equal neighbours are kept as one run, so a mebibyte of the same value
//! is as small as a page of it.

use std::ops::Range;

use super::{Value, misuse};
use crate::limits;
use crate::outcome::Fault;
use crate::state;

state! {
    /// Neighbouring pages that hold the same.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Run {
        /// How many.
        pub count: u32,
        /// What each of them holds.
        pub value: Value,
    }
}

state! {
    /// Pages of memory, from page 0 on.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Pages {
        /// No two neighbours are equal, so equal contents are equal pages.
        runs: Vec<Run>,
    }
}

impl Pages {
    /// So many pages that all hold this.
    pub fn filled(count: u32, value: Value) -> Self {
        Self { runs: vec![Run { count, value }] }
    }

    /// How many pages there are.
    pub fn count(&self) -> u32 {
        self.runs.iter().map(|run| run.count).sum()
    }

    /// Whether equal neighbours are one run.
    pub fn is_joined(&self) -> bool {
        self.runs.windows(2).all(|two| two[0].value != two[1].value)
    }

    /// What the pages hold, from page 0 on: neighbours that hold the same are one item.
    pub fn runs(&self) -> impl Iterator<Item = (Range<u32>, &Value)> {
        self.runs.iter().scan(0, |behind, run| {
            let first = *behind;
            *behind += run.count;
            Some((first..*behind, &run.value))
        })
    }

    /// What a page holds, if there is such a page.
    pub fn at(&self, page: u32) -> Option<&Value> {
        let mut behind = 0;
        self.runs.iter().find_map(|run| {
            behind += run.count;
            (page < behind).then_some(&run.value)
        })
    }

    /// Writes the same into each of these pages, which exist.
    pub fn write(&mut self, pages: Range<u32>, value: &Value) {
        let mut written = Self::default();
        let mut first = 0;
        for run in std::mem::take(&mut self.runs) {
            let behind = first + run.count;
            let before = first..behind.min(pages.start).max(first);
            let within = before.end..behind.min(pages.end).max(before.end);
            written.push(before.len(), run.value.clone());
            written.push(within.len(), value.clone());
            written.push((within.end..behind).len(), run.value);
            first = behind;
        }
        *self = written;
    }

    fn push(&mut self, count: usize, value: Value) {
        let count = u32::try_from(count).expect("pages are limited");
        match self.runs.last_mut() {
            _ if count == 0 => {}
            Some(last) if last.value == value => last.count += count,
            _ => self.runs.push(Run { count, value }),
        }
    }
}

impl Value {
    /// The value, if a page can hold it: it names nothing, and is small.
    pub fn for_a_page(self) -> Result<Self, Fault> {
        match &self {
            Value::None | Value::True | Value::False | Value::Int(_) => Ok(self),
            Value::Text(text) if text.len() <= limits::PAGE_TEXT => Ok(self),
            _ => Err(misuse::needs(
                "a page holds an integer, a truth value, `none` or a text of up to 64 bytes",
                &self,
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compared with a plain list, page by page.
    #[test]
    fn writing_runs_is_writing_pages() {
        let mut dice: u64 = 1;
        let mut below = |bound: u32| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            u32::try_from(dice >> 33).expect("31 bits") % bound
        };
        for count in 1..9 {
            let mut pages = Pages::filled(count, Value::None);
            let mut plain = vec![Value::None; count as usize];
            for _ in 0..50 {
                let (a, b) = (below(count + 1), below(count + 1));
                let range = a.min(b)..a.max(b);
                let value = Value::Int(below(3).into());
                pages.write(range.clone(), &value);
                plain[range.start as usize..range.end as usize].fill(value);
                let read: Vec<Value> =
                    (0..count).map(|page| pages.at(page).expect("a page").clone()).collect();
                assert_eq!(read, plain);
                assert_eq!((pages.count(), pages.at(count)), (count, None));
                assert!(pages.is_joined());
            }
        }
    }
}
