//! Tables of the state, which can record what a step has looked at.
//!
//! What a step does depends only on the entries that it reads. An exploration that knows which those
//! were need not perform the same step again when other entries have changed. Without recording, this
//! costs one comparison.

use std::ops::{Deref, DerefMut, Index, IndexMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A table with numbered entries.
#[derive(Clone, Debug)]
pub struct Table<T> {
    items: Vec<T>,
    noted: Option<Box<Noted>>,
}

/// A single entry that is watched like those of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched<T>(Table<T>);

/// Counts looks, over all tables of a state, to know which came first.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<AtomicU32>);

/// When each entry was first looked at (0 if never), and whether it may have been changed.
#[derive(Debug, Default)]
struct Noted {
    clock: Clock,
    looked: Vec<AtomicU32>,
    changed: Vec<bool>,
    /// When the length of the table was first asked for.
    length: AtomicU32,
}

impl Clone for Noted {
    fn clone(&self) -> Self {
        let copy = |from: &AtomicU32| AtomicU32::new(from.load(Ordering::Relaxed));
        Self {
            clock: self.clock.clone(),
            looked: self.looked.iter().map(copy).collect(),
            changed: self.changed.clone(),
            length: copy(&self.length),
        }
    }
}

impl Noted {
    // Out of the way of those who do not watch.
    #[cold]
    #[inline(never)]
    fn look(&self, index: usize) {
        self.clock.note(&self.looked[index]);
    }

    #[cold]
    #[inline(never)]
    fn change(&mut self, index: usize) {
        self.look(index);
        self.changed[index] = true;
    }
}

/// What is recorded about a table, whatever its entries are.
pub trait Notes {
    /// When the entry was first looked at since [`Notes::watch`], from 1; 0 if it was not.
    fn looked(&self, index: usize) -> u32;
    /// Whether the entry may have been changed since [`Notes::watch`].
    fn changed(&self, index: usize) -> bool;
    /// How many entries there are; this is not recorded.
    fn entries(&self) -> usize;
    /// From now on, records what is looked at.
    fn watch(&mut self, clock: &Clock);
    /// Forgets what was recorded since [`Notes::watch`], and starts again.
    fn look_away(&mut self);
}

impl Clock {
    fn note(&self, place: &AtomicU32) {
        if place.load(Ordering::Relaxed) == 0 {
            place.store(self.0.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }

    /// Counts something other than a look, to give it a place in the order.
    pub fn tick(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Starts again.
    pub fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl<T> Table<T> {
    /// An empty table with room for this many entries.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { items: Vec::with_capacity(capacity), noted: None }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        if let Some(noted) = &self.noted {
            noted.clock.note(&noted.length);
        }
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entry with this number, if there is one.
    pub fn get(&self, index: usize) -> Option<&T> {
        (index < self.len()).then(|| &self[index])
    }

    /// Adds an entry at the end.
    pub fn push(&mut self, item: T) {
        self.items.push(item);
        if let Some(noted) = &mut self.noted {
            noted.clock.note(&noted.length);
            noted.looked.push(AtomicU32::new(0));
            noted.changed.push(true);
        }
    }

    /// All entries in order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        if let Some(noted) = &self.noted {
            noted.clock.note(&noted.length);
            noted.looked.iter().for_each(|place| noted.clock.note(place));
        }
        self.items.iter()
    }

    /// All entries in order, mutable.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        if let Some(noted) = &mut self.noted {
            noted.clock.note(&noted.length);
            noted.looked.iter().for_each(|place| noted.clock.note(place));
            noted.changed.fill(true);
        }
        self.items.iter_mut()
    }

    /// When the length of the table was first asked for, from 1; 0 if never.
    pub fn length_looked(&self) -> u32 {
        self.noted.as_ref().map_or(0, |noted| noted.length.load(Ordering::Relaxed))
    }

    /// The entries, not recorded: for whoever keeps the record.
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// Like [`Table::items`], but mutable.
    pub fn items_mut(&mut self) -> &mut [T] {
        &mut self.items
    }
}

impl<T> Notes for Table<T> {
    fn looked(&self, index: usize) -> u32 {
        self.noted.as_ref().map_or(0, |noted| noted.looked[index].load(Ordering::Relaxed))
    }

    fn changed(&self, index: usize) -> bool {
        self.noted.as_ref().is_some_and(|noted| noted.changed[index])
    }

    fn entries(&self) -> usize {
        self.items.len()
    }

    fn watch(&mut self, clock: &Clock) {
        let looked = self.items.iter().map(|_| AtomicU32::new(0)).collect();
        let changed = vec![false; self.items.len()];
        let noted = Noted { clock: clock.clone(), looked, changed, length: AtomicU32::new(0) };
        self.noted = Some(Box::new(noted));
    }

    fn look_away(&mut self) {
        if let Some(noted) = &mut self.noted {
            noted.looked.iter_mut().for_each(|place| *place.get_mut() = 0);
            noted.changed.fill(false);
            *noted.length.get_mut() = 0;
        }
    }
}

impl<T> Notes for Watched<T> {
    fn looked(&self, index: usize) -> u32 {
        self.0.looked(index)
    }

    fn changed(&self, index: usize) -> bool {
        self.0.changed(index)
    }

    fn entries(&self) -> usize {
        1
    }

    fn watch(&mut self, clock: &Clock) {
        self.0.watch(clock);
    }

    fn look_away(&mut self) {
        self.0.look_away();
    }
}

/// Two tables with the same entries are equal, whoever watches them.
impl<T: PartialEq> PartialEq for Table<T> {
    fn eq(&self, other: &Self) -> bool {
        self.items == other.items
    }
}

impl<T: Eq> Eq for Table<T> {}

impl<T> Index<usize> for Table<T> {
    type Output = T;

    #[expect(clippy::inline_always, reason = "every look of a step goes through here")]
    #[inline(always)]
    fn index(&self, index: usize) -> &T {
        if let Some(noted) = &self.noted {
            noted.look(index);
        }
        &self.items[index]
    }
}

impl<T> IndexMut<usize> for Table<T> {
    #[expect(clippy::inline_always, reason = "every look of a step goes through here")]
    #[inline(always)]
    fn index_mut(&mut self, index: usize) -> &mut T {
        if let Some(noted) = &mut self.noted {
            noted.change(index);
        }
        &mut self.items[index]
    }
}

impl<'a, T> IntoIterator for &'a Table<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut Table<T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<T> FromIterator<T> for Table<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self { items: items.into_iter().collect(), noted: None }
    }
}

impl<T> Watched<T> {
    /// An entry that is not watched yet.
    pub fn new(item: T) -> Self {
        Self(Table { items: vec![item], noted: None })
    }

    /// The entry, not recorded: for whoever keeps the record.
    pub fn items(&self) -> &[T] {
        &self.0.items
    }

    /// Like [`Watched::items`], but mutable.
    pub fn items_mut(&mut self) -> &mut [T] {
        &mut self.0.items
    }
}

impl<T> Deref for Watched<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0[0]
    }
}

impl<T> DerefMut for Watched<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0[0]
    }
}
