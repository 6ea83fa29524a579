//! Where pages are: the frames of a run's machine, and who shares which.
//!
//! The kernel knows what pages say, and nothing else. Whether two regions share a frame until somebody writes makes a
//! difference of costs only, so a run keeps account of it, as it does of time: mapping a page is cheap, and a write to a page that
//! others share is a *page fault*, in which the page is copied.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use ipcsim_kernel::object::space::Mapping;
use ipcsim_kernel::program::{Region, SegmentId, TransferMode};
use ipcsim_kernel::{Backing, ForkImage, ParcelId, ProcessId, State};

/// The frames of a run.
#[derive(Clone, Debug)]
pub(crate) struct Frames {
    /// How large a page is, in bytes.
    pub page: u64,
    /// How a fork copies memory.
    image: ForkImage,
    /// How many pages the last write has copied, until that is told.
    pub faulted: u32,
    /// By the number of the frame, in how many places it is: in regions, in segments, and in messages.
    places: Vec<u32>,
    /// Frames that are in no place.
    free: Vec<u32>,
    /// The frame of each page of a region, or of a segment. All who share a segment have the same frames, in one place.
    kept: BTreeMap<Backing, Arc<Vec<u32>>>,
    /// The frame of each page in a message. What is copied in-line has none.
    parcels: BTreeMap<ParcelId, Arc<Vec<u32>>>,
}

impl Frames {
    pub(crate) fn new(page: u64, image: ForkImage) -> Self {
        let (kept, parcels) = (BTreeMap::new(), BTreeMap::new());
        Self { page, image, faulted: 0, places: Vec::new(), free: Vec::new(), kept, parcels }
    }

    pub(crate) fn allocated(&mut self, region: Region, pages: u32) {
        let frames: Vec<u32> = (0..pages).map(|_| self.new_frame()).collect();
        self.kept.insert(Backing::Region(region), Arc::new(frames));
    }

    pub(crate) fn freed(&mut self, pages: Backing) {
        if let Some(frames) = self.kept.remove(&pages) {
            self.leave(&frames);
        }
    }

    pub(crate) fn shared(&mut self, region: Region, segment: SegmentId) {
        let frames = self.kept.remove(&Backing::Region(region)).expect("a region has frames");
        self.kept.insert(Backing::Segment(segment), frames);
    }

    /// A region is copied by a fork, page by page or until somebody writes. Returns how many pages were mapped, and how many
    /// copied.
    pub(crate) fn forked(&mut self, of: Backing, (copy, pages): (Region, u32)) -> (u64, u64) {
        match (of, self.image) {
            // The child has the same pages.
            (Backing::Segment(_), _) => (u64::from(pages), 0),
            (Backing::Region(_), ForkImage::Copy) => {
                self.allocated(copy, pages);
                (0, u64::from(pages))
            }
            (Backing::Region(_), ForkImage::CopyOnWrite) => {
                let frames = self.one_more_place(of);
                self.kept.insert(Backing::Region(copy), frames);
                (u64::from(pages), 0)
            }
        }
    }

    /// The frames of these pages, for one more place.
    fn one_more_place(&mut self, pages: Backing) -> Arc<Vec<u32>> {
        let frames = Arc::clone(&self.kept[&pages]);
        for frame in frames.iter() {
            self.places[*frame as usize] += 1;
        }
        frames
    }

    /// Returns how many pages were mapped.
    pub(crate) fn packed(&mut self, parcel: ParcelId, pages: Backing, mode: TransferMode) -> u64 {
        let frames = match mode {
            // What is copied in-line has no frames, and what is shared stays where it is.
            TransferMode::Copy | TransferMode::Share => return 0,
            TransferMode::CopyOnWrite => self.one_more_place(pages),
            TransferMode::Move => self.kept.remove(&pages).expect("a region has frames"),
        };
        let mapped = frames.len() as u64;
        self.parcels.insert(parcel, frames);
        mapped
    }

    /// Returns how many pages were mapped.
    pub(crate) fn unpacked(&mut self, parcel: ParcelId, region: Region, pages: u32) -> u64 {
        match self.parcels.remove(&parcel) {
            Some(frames) => {
                self.kept.insert(Backing::Region(region), frames);
                u64::from(pages)
            }
            None => {
                self.allocated(region, pages);
                0
            }
        }
    }

    pub(crate) fn given_back(&mut self, parcel: ParcelId, region: Region) {
        let frames = self.parcels.remove(&parcel).expect("what was given away has frames");
        self.kept.insert(Backing::Region(region), frames);
    }

    pub(crate) fn destroyed(&mut self, parcel: ParcelId) {
        if let Some(frames) = self.parcels.remove(&parcel) {
            self.leave(&frames);
        }
    }

    /// Returns how many pages were copied, because others share them.
    pub(crate) fn wrote(&mut self, backing: Backing, pages: Range<u32>) -> u32 {
        let mut faults = 0;
        let mut frames = self.kept.remove(&backing).expect("what is written has frames");
        for page in pages.start as usize..pages.end as usize {
            let frame = frames[page] as usize;
            if self.places[frame] > 1 {
                self.places[frame] -= 1;
                Arc::make_mut(&mut frames)[page] = self.new_frame();
                faults += 1;
            }
        }
        self.kept.insert(backing, frames);
        self.faulted = faults;
        faults
    }

    /// Panics if these are not the frames of this state's memory.
    pub(crate) fn assert_agree_with(&self, state: &State) {
        let mut pages = BTreeMap::new();
        for (space, of) in (0..).map(ProcessId).zip(state.spaces.items()) {
            for (number, mapping) in &of.regions {
                if let Mapping::Private(private) = mapping {
                    let region = Region { space, number: *number };
                    pages.insert(Backing::Region(region), private.count() as usize);
                }
            }
            for (number, segment) in &of.segments {
                let id = SegmentId { space, number: *number };
                pages.insert(Backing::Segment(id), segment.pages.count() as usize);
            }
        }
        let framed: BTreeMap<Backing, usize> =
            self.kept.iter().map(|(at, frames)| (*at, frames.len())).collect();
        assert_eq!(pages, framed, "each page of a region is in a frame, and nothing else is");
        let is_on_its_way =
            |(serial, _): &ParcelId| state.messages().any(|it| it.serial.0 == *serial);
        assert!(self.parcels.keys().all(is_on_its_way), "no message that is gone has frames");
        let all = self.kept.values().chain(self.parcels.values());
        let mut places = vec![0; self.places.len()];
        for frame in all.flat_map(|frames| frames.iter()) {
            places[*frame as usize] += 1;
        }
        assert_eq!(places, self.places, "a frame knows in how many places it is");
    }

    /// Tells what the future costs depend on: which pages share a frame. Numbers of frames and of messages are not told.
    pub(crate) fn tell(&self, tell: &mut impl FnMut(u64)) {
        let mut numbers = BTreeMap::new();
        for frames in self.kept.values().chain(self.parcels.values()) {
            tell(frames.len() as u64);
            for frame in frames.iter() {
                let next = numbers.len() as u64;
                tell(*numbers.entry(*frame).or_insert(next));
            }
        }
    }

    fn new_frame(&mut self) -> u32 {
        if let Some(frame) = self.free.pop() {
            self.places[frame as usize] = 1;
            return frame;
        }
        self.places.push(1);
        u32::try_from(self.places.len() - 1).expect("pages are limited")
    }

    fn leave(&mut self, frames: &[u32]) {
        for frame in frames {
            self.places[*frame as usize] -= 1;
            if self.places[*frame as usize] == 0 {
                self.free.push(*frame);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compared with a model that gives every page a name, and knows who has it by looking at all of them.
    #[test]
    fn a_page_is_copied_if_somebody_else_has_it() {
        let mut dice: u64 = 7;
        let mut below = |bound: u32| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            u32::try_from(dice >> 33).expect("31 bits") % bound
        };
        let region = |number| Region { space: ProcessId(0), number };
        let mut frames = Frames::new(4096, ForkImage::CopyOnWrite);
        let mut regions: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        let mut parcels: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        let mut names = 0..;
        let mut faults = 0;
        for step in 0..5_000 {
            let number = below(6);
            let known = regions.get(&number).cloned();
            match (below(6), known) {
                (0, None) => {
                    let pages = 1 + below(4);
                    frames.allocated(region(number), pages);
                    regions.insert(number, names.by_ref().take(pages as usize).collect());
                }
                (1, Some(_)) => {
                    frames.freed(Backing::Region(region(number)));
                    regions.remove(&number);
                }
                (2, Some(pages)) => {
                    let moves = below(2) == 0;
                    let mode = if moves { TransferMode::Move } else { TransferMode::CopyOnWrite };
                    let mapped = frames.packed((step, 0), Backing::Region(region(number)), mode);
                    assert_eq!(mapped, pages.len() as u64);
                    if moves {
                        regions.remove(&number);
                    }
                    parcels.insert(step, pages);
                }
                (3, None) => {
                    let Some((serial, pages)) = parcels.pop_first() else { continue };
                    frames.unpacked((serial, 0), region(number), pages.len() as u32);
                    regions.insert(number, pages);
                }
                (4, _) if parcels.len() > 3 => {
                    let (serial, _) = parcels.pop_last().expect("there are some");
                    frames.destroyed((serial, 0));
                }
                (_, Some(mut pages)) => {
                    let first = below(pages.len() as u32);
                    let end = first + 1 + below(pages.len() as u32 - first);
                    let mut copied = 0;
                    for page in first..end {
                        let all = regions.values().chain(parcels.values()).flatten();
                        if all.filter(|name| **name == pages[page as usize]).count() > 1 {
                            pages[page as usize] = names.next().expect("names go on for ever");
                            copied += 1;
                        }
                        regions.insert(number, pages.clone());
                    }
                    assert_eq!(frames.wrote(Backing::Region(region(number)), first..end), copied);
                    faults += copied;
                }
                _ => {}
            }
        }
        assert!(faults > 100, "only {faults} pages were shared and written");
        let alive: usize = regions.values().chain(parcels.values()).map(Vec::len).sum();
        assert!(frames.places.len() < 20 * alive.max(10), "frames are used again");
    }
}
