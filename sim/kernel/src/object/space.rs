//! The memory of a process: its regions, and what their pages say.
//!
//! This is what a program can see of memory. Where the pages are, and which are shared until somebody writes, no program
//! can tell: that is a matter of costs, and a run keeps account of it.

use std::collections::BTreeMap;
use std::ops::Range;

use ipcsim_program::{Fault, Pages, Value, limits, state};

state! {
    /// The memory of a process.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Space {
        /// Its regions, by number.
        pub regions: BTreeMap<u32, Pages>,
    }
}

impl Space {
    /// Takes in pages as a new region, which gets the lowest number that is free. If the process would have too many pages
    /// then, nothing changes.
    pub fn take_in(&mut self, pages: Pages) -> Option<u32> {
        if !self.has_room(pages.count()) {
            return None;
        }
        let number = self.free_number();
        self.regions.insert(number, pages);
        Some(number)
    }

    /// Whether the process may have so many pages more.
    pub fn has_room(&self, pages: u32) -> bool {
        let had: u64 = self.regions.values().map(|pages| u64::from(pages.count())).sum();
        had + u64::from(pages) <= u64::from(limits::PAGES)
    }

    /// Takes back a region that had left, under its old number if that is free. There is always room for it.
    pub fn take_back(&mut self, number: u32, pages: Pages) -> u32 {
        let is_free = !self.regions.contains_key(&number);
        let number = if is_free { number } else { self.free_number() };
        self.regions.insert(number, pages);
        number
    }

    fn free_number(&self) -> u32 {
        let mut free = (0..).zip(self.regions.keys()).skip_while(|(number, key)| number == *key);
        free.next().map_or_else(|| self.regions.len() as u32, |(number, _)| number)
    }

    /// What a page says.
    pub fn read(&self, region: u32, page: u32) -> Result<&Value, Fault> {
        let pages = self.regions.get(&region).ok_or(Fault::BadAddress)?;
        pages.at(page).ok_or(Fault::BadAddress)
    }

    /// Writes the same into each of these pages.
    pub fn write(&mut self, region: u32, pages: Range<u32>, value: &Value) -> Result<(), Fault> {
        let written = self.regions.get_mut(&region).ok_or(Fault::BadAddress)?;
        if pages.end > written.count() {
            return Err(Fault::BadAddress);
        }
        written.write(pages, value);
        Ok(())
    }
}
