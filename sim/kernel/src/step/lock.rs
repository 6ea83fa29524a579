//! Locks of pages: had by one thread at a time, and handed on in order of arrival.
//!
//! A lock is in memory, beside what the page says. So it is shared with the page, copied by a `fork`, and gone with the region;
//! and if the thread that has it ends, nobody gives it back.

use ipcsim_program::{PageOf, Region, SegmentId};

use super::prelude::*;
use super::region::NO_SUCH_PAGE;
use super::wait::forget_waiter;
use crate::object::space::{Lock, Owner};

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn lock(&mut self, t: ThreadId, page: &PageOf, wait: &Wait) -> Result<(), Stop> {
        let (region, page) = self.page_of(t, page)?;
        if self.state.lock(region, page).is_some() {
            return self.block(t, BlockedOn::Lock(region, page), wait);
        }
        self.state.set_lock(region, page, Some(Lock::of(t)));
        self.note(Some(t), Kind::Locked(region, page));
        self.complete(t, Outcome::Ok);
        Ok(())
    }

    pub(super) fn unlock(&mut self, t: ThreadId, page: &PageOf) -> Result<(), Stop> {
        let (region, page) = self.page_of(t, page)?;
        let lock = self.state.lock_mut(region, page);
        let Some(lock) = lock.filter(|lock| lock.owner == Owner::Thread(t)) else {
            return Err(Stop::REFUSED);
        };
        let next = lock.waiting.pop_front();
        match next {
            Some(next) => lock.owner = Owner::Thread(next),
            None => self.state.set_lock(region, page, None),
        }
        self.note(Some(t), Kind::Unlocked(region, page));
        self.complete(t, Outcome::Ok);
        if let Some(next) = next
            && let Some(BlockedOn::Lock(region, page)) = self.leave_queue(next)
        {
            self.note(Some(next), Kind::Locked(region, page));
            self.complete(next, Outcome::Ok);
        }
        Ok(())
    }

    /// The page that a step names, if its process has it.
    fn page_of(&mut self, t: ThreadId, page: &PageOf) -> Result<(Region, u32), Fault> {
        let region = self.region(t, &page.region)?;
        let page = self.page(t, &page.page)?;
        let pages = self.state.pages(region).expect("it is there");
        if page < pages.count() { Ok((region, page)) } else { Err(NO_SUCH_PAGE) }
    }

    pub(super) fn stand_in_line(&mut self, t: ThreadId, region: Region, page: u32) {
        let lock = self.state.lock_mut(region, page);
        lock.expect("only who finds it locked waits").waiting.push_back(t);
    }

    pub(super) fn leave_line(&mut self, t: ThreadId, region: Region, page: u32) {
        if let Some(lock) = self.state.lock_mut(region, page) {
            forget_waiter(&mut lock.waiting, t);
        }
    }

    /// Nobody gives back what a thread has locked that has ended.
    pub(super) fn orphan_locks_of(&mut self, t: ThreadId) {
        for index in 0..self.state.spaces.len() {
            let space = &self.state.spaces[index];
            let in_segments = space.segments.values().flat_map(|segment| segment.locks.values());
            if !space.locks.values().chain(in_segments).any(|lock| lock.owner == Owner::Thread(t)) {
                continue;
            }
            let space = &mut self.state.spaces[index];
            let in_segments =
                space.segments.values_mut().flat_map(|segment| segment.locks.values_mut());
            for lock in space.locks.values_mut().chain(in_segments) {
                if lock.owner == Owner::Thread(t) {
                    lock.owner = Owner::Ended;
                }
            }
        }
    }

    /// A region has gone, and so have its locks: who waits for them gets none. Its number may be that of another one by now.
    pub(super) fn tell_who_waits_for_locks(&mut self, region: Region, segment: Option<SegmentId>) {
        // Those of a segment stay with the others who share it.
        self.space_mut(region.space).take_locks(region.number);
        for t in self.state.threads_of(region.space).collect::<Vec<_>>() {
            let Some(BlockedOn::Lock(at, page)) = self.state.waits_for(t) else { continue };
            let (at, page) = (*at, *page);
            if at != region {
                continue;
            }
            if let Some(SegmentId { space, number }) = segment
                && let Some(segment) = self.space_mut(space).segments.get_mut(&number)
                && let Some(lock) = segment.locks.get_mut(&page)
            {
                forget_waiter(&mut lock.waiting, t);
            }
            self.end_wait(t, Outcome::Dead);
        }
    }
}
