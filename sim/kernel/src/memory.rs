//! Looking memory up: a region is pages of its own or a segment, and both can be locked.

use ipcsim_program::{Pages, Region, SegmentId};

use crate::object::space::{Lock, Mapping, Segment};
use crate::state::State;

impl State {
    /// What a region is, if it is there.
    pub fn mapping(&self, region: Region) -> Option<&Mapping> {
        self.spaces[region.space.index()].regions.get(&region.number)
    }

    /// What the pages of a region say, if it is there.
    pub fn pages(&self, region: Region) -> Option<&Pages> {
        Some(match self.mapping(region)? {
            Mapping::Private(pages) => pages,
            Mapping::Shared { segment, .. } => &self.segment(*segment).pages,
        })
    }

    /// A segment that somebody has.
    pub fn segment(&self, id: SegmentId) -> &Segment {
        &self.spaces[id.space.index()].segments[&id.number]
    }

    /// The lock of a page, if somebody has locked it.
    pub fn lock(&self, region: Region, page: u32) -> Option<&Lock> {
        match self.mapping(region)? {
            Mapping::Private(_) => {
                self.spaces[region.space.index()].locks.get(&(region.number, page))
            }
            Mapping::Shared { segment, .. } => self.segment(*segment).locks.get(&page),
        }
    }

    pub(crate) fn pages_mut(&mut self, region: Region) -> Option<&mut Pages> {
        match self.mapping(region)? {
            Mapping::Private(_) => {
                let regions = &mut self.spaces[region.space.index()].regions;
                match regions.get_mut(&region.number) {
                    Some(Mapping::Private(pages)) => Some(pages),
                    _ => None,
                }
            }
            Mapping::Shared { segment, .. } => {
                let segment = *segment;
                Some(&mut self.segment_mut(segment).pages)
            }
        }
    }

    pub(crate) fn segment_mut(&mut self, id: SegmentId) -> &mut Segment {
        let segments = &mut self.spaces[id.space.index()].segments;
        segments.get_mut(&id.number).expect("a segment is there as long as anything refers to it")
    }

    /// The lock of a page, if it is locked.
    pub(crate) fn lock_mut(&mut self, region: Region, page: u32) -> Option<&mut Lock> {
        match self.mapping(region)? {
            Mapping::Private(_) => {
                self.spaces[region.space.index()].locks.get_mut(&(region.number, page))
            }
            Mapping::Shared { segment, .. } => {
                let segment = *segment;
                self.segment_mut(segment).locks.get_mut(&page)
            }
        }
    }

    /// A page of a region that is there gets this lock, or none.
    pub(crate) fn set_lock(&mut self, region: Region, page: u32, lock: Option<Lock>) {
        match self.mapping(region) {
            Some(Mapping::Private(_)) => {
                let locks = &mut self.spaces[region.space.index()].locks;
                match lock {
                    Some(lock) => locks.insert((region.number, page), lock),
                    None => locks.remove(&(region.number, page)),
                };
            }
            Some(Mapping::Shared { segment, .. }) => {
                let segment = *segment;
                let locks = &mut self.segment_mut(segment).locks;
                match lock {
                    Some(lock) => locks.insert(page, lock),
                    None => locks.remove(&page),
                };
            }
            None => {}
        }
    }
}
