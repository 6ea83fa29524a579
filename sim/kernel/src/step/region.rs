//! Memory: regions come and go, are read and written, and travel in messages.
//!
//! Access to memory is no system call. A thread reads and writes as part of its local work while nobody else can see the
//! region; if its process has other threads, or others share the region, each access is a step of its own. Only a thread's own
//! steps can bring such others about, so what it does alone nobody could have seen.

use std::ops::Range;

use ipcsim_program::{
    AccessKind, Address, MemoryAccess, MemoryVerb, Pages, Parcel, Region, SegmentId, Transfer,
    TransferMode, WhichPages, misuse,
};

use super::Progress;
use super::prelude::*;
use crate::object::space::{Mapping, Space};
use crate::sink::{Backing, ParcelId};
use crate::state::Thread;
use crate::waits;

/// The exception of an access behind the end of a region.
pub(super) const NO_SUCH_PAGE: Fault = Fault::BadAddress(Address::NoSuchPage);

/// A region that a message is to carry.
pub(super) struct Packed {
    number: u32,
    mode: TransferMode,
}

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    fn space(&self, process: ProcessId) -> &Space {
        &self.state.spaces[process.index()]
    }

    pub(super) fn space_mut(&mut self, process: ProcessId) -> &mut Space {
        &mut self.state.spaces[process.index()]
    }

    pub(super) fn memory(&mut self, t: ThreadId, verb: &MemoryVerb) -> Result<(), Stop> {
        match verb {
            MemoryVerb::Allocate { into, size, value } => self.allocate(t, *into, (size, value)),
            MemoryVerb::Free(region) => self.free(t, region),
            MemoryVerb::Lock { page, wait } => self.lock(t, page, wait),
            MemoryVerb::Unlock(page) => self.unlock(t, page),
        }
    }

    fn allocate(
        &mut self,
        t: ThreadId,
        into: Register,
        (size, value): (&Expr, &Expr),
    ) -> Result<(), Stop> {
        let size = self.size(t, size)?;
        let value = self.eval(t, value)?.for_a_page()?;
        if size == 0 {
            return Err(Stop::REFUSED);
        }
        let count = u32::try_from(size.div_ceil(self.machine.policies.page)).unwrap_or(u32::MAX);
        let own = self.thread(t).process;
        let reserved = self.reserved_regions(own);
        let pages = Mapping::Private(Pages::filled(count, value));
        let number = self.space_mut(own).take_in(pages, &reserved);
        let number = number.ok_or(Stop::Outcome(Outcome::NoMemory))?;
        let region = Region { space: own, number };
        self.sink.allocated(region, count);
        self.note(Some(t), Kind::Allocated(region, count));
        self.set(t, into, Value::Handle(Handle::Region(region)));
        self.complete(t, Outcome::Ok);
        Ok(())
    }

    fn free(&mut self, t: ThreadId, region: &Expr) -> Result<(), Stop> {
        let region = self.region(t, region)?;
        let mapping = self.leave_region(region);
        self.let_go(region, &mapping);
        self.note(Some(t), Kind::Freed(region));
        self.complete(t, Outcome::Ok);
        Ok(())
    }

    /// A region is its process's no more. Whoever waits for a lock there is told, unless it comes back in this step.
    fn leave_region(&mut self, region: Region) -> Mapping {
        let mapping = self.space_mut(region.space).regions.remove(&region.number);
        let mapping = mapping.expect("it was there");
        let segment = match mapping {
            Mapping::Private(_) => None,
            Mapping::Shared { segment, .. } => Some(segment),
        };
        self.work.push(Work::RegionLeft(region, segment));
        mapping
    }

    /// Nobody has what a region was; others may have the same segment.
    fn let_go(&mut self, region: Region, mapping: &Mapping) {
        match mapping {
            Mapping::Private(_) => self.sink.freed(Backing::Region(region)),
            Mapping::Shared { segment, .. } => self.unrefer(*segment),
        }
    }

    /// A segment is referred to once less.
    fn unrefer(&mut self, id: SegmentId) {
        let segment = self.state.segment_mut(id);
        segment.references -= 1;
        if segment.references == 0 {
            self.space_mut(id.space).segments.remove(&id.number);
            self.sink.freed(Backing::Segment(id));
        }
    }

    /// Where the pages of a region are kept.
    fn backing(&self, region: Region) -> Backing {
        match self.state.mapping(region) {
            Some(Mapping::Shared { segment, .. }) => Backing::Segment(*segment),
            _ => Backing::Region(region),
        }
    }

    /// The region that an expression names, if the thread's process has it.
    pub(super) fn region(&mut self, t: ThreadId, expr: &Expr) -> Result<Region, Fault> {
        let own = self.thread(t).process;
        match self.eval(t, expr)? {
            Value::Handle(Handle::Region(region))
                if region.space == own && self.space(own).regions.contains_key(&region.number) =>
            {
                Ok(region)
            }
            Value::Handle(Handle::Region(region)) if region.space == own => {
                Err(Fault::BadAddress(Address::Gone))
            }
            Value::Handle(Handle::Region(_)) => Err(Fault::BadAddress(Address::Elsewhere)),
            other => Err(misuse::needs("a region of memory is needed here", &other)),
        }
    }

    /// Whether nobody but this thread can see what it reads or writes.
    pub(super) fn is_alone_with(&self, t: ThreadId, access: &MemoryAccess) -> bool {
        let thread = self.thread(t);
        let own = thread.process;
        self.state.processes[own.index()].alive_threads == 1
            && match waits::settled(self.machine, thread, &[], &access.region) {
                Some(Value::Handle(Handle::Region(region))) if region.space == own => {
                    !matches!(self.state.mapping(region), Some(Mapping::Shared { .. }))
                }
                // That is an exception.
                Some(_) => true,
                None => false,
            }
    }

    /// Performs an access, and goes on behind it.
    pub(super) fn access(&mut self, t: ThreadId, access: &MemoryAccess) -> Result<Pc, Fault> {
        let region = self.region(t, &access.region)?;
        match &access.kind {
            AccessKind::Read { page, into } => {
                let page = self.page(t, page)?;
                let pages = self.state.pages(region).expect("it is there");
                let value = pages.at(page).ok_or(NO_SUCH_PAGE)?.clone();
                self.note(Some(t), Kind::Read { region, page, value: &value });
                self.set(t, *into, value);
            }
            AccessKind::Write { pages, value } => {
                let pages = self.pages_of(t, region, pages)?;
                let value = self.eval(t, value)?.for_a_page()?;
                let backing = self.backing(region);
                let written = self.state.pages_mut(region).expect("it is there");
                if pages.end > written.count() {
                    return Err(NO_SUCH_PAGE);
                }
                written.write(pages.clone(), &value);
                // Writing many pages counts as many operations.
                self.handled += u64::from(pages.end - pages.start);
                self.sink.wrote(backing, pages.clone());
                self.note(Some(t), Kind::Wrote { region, pages: &pages, value: &value });
            }
        }
        Ok(self.thread(t).pc.next())
    }

    /// The number of a page, or of pages.
    pub(super) fn page(&mut self, t: ThreadId, expr: &Expr) -> Result<u32, Fault> {
        u32::try_from(self.scope(t).int(expr)?).map_err(|_| NO_SUCH_PAGE)
    }

    fn pages_of(
        &mut self,
        t: ThreadId,
        region: Region,
        pages: &WhichPages,
    ) -> Result<Range<u32>, Fault> {
        match pages {
            WhichPages::All => Ok(0..self.space(region.space).regions[&region.number].count()),
            WhichPages::One(page) => {
                let page = self.page(t, page)?;
                Ok(page..page.checked_add(1).ok_or(NO_SUCH_PAGE)?)
            }
            WhichPages::First(count) => Ok(0..self.page(t, count)?),
        }
    }

    /// An access that others can see: a step of its own.
    pub(super) fn access_as_a_step(&mut self, t: ThreadId, access: &MemoryAccess) -> Progress {
        match self.access(t, access) {
            Ok(next) => {
                self.thread_mut(t).pc = next;
                Progress::Accessed
            }
            Err(fault) => {
                self.fail(t, fault);
                Progress::Done
            }
        }
    }

    // In messages.

    /// The regions that a message is to carry, and how many bytes they add to it. The sender must have each of them; one that
    /// it gives away it can send only once.
    pub(super) fn memory_to_pack(
        &mut self,
        t: ThreadId,
        memory: &[Transfer],
    ) -> Result<(Vec<Packed>, u64), Stop> {
        let mut packed: Vec<Packed> = Vec::with_capacity(memory.len());
        let (mut bytes, mut pages): (u64, u32) = (0, 0);
        for Transfer { region, mode } in memory {
            let Region { space, number } = match self.region(t, region) {
                Ok(region) => region,
                Err(Fault::BadAddress(_)) => return Err(Stop::NO_RIGHT),
                Err(fault) => return Err(fault.into()),
            };
            let is_given_away = |other: &Packed| [other.mode, *mode].contains(&TransferMode::Move);
            if packed.iter().any(|other| other.number == number && is_given_away(other)) {
                return Err(Stop::NO_RIGHT);
            }
            let count = self.space(space).regions[&number].count();
            pages = pages.saturating_add(count);
            bytes = bytes.saturating_add(match mode {
                TransferMode::Copy => u64::from(count).saturating_mul(self.machine.policies.page),
                TransferMode::CopyOnWrite | TransferMode::Move | TransferMode::Share => 8,
            });
            packed.push(Packed { number, mode: *mode });
        }
        // Nobody could ever receive it.
        if pages > limits::PAGES {
            return Err(Stop::Outcome(Outcome::TooLarge));
        }
        Ok((packed, bytes))
    }

    /// Puts regions into the message that is made next.
    pub(super) fn pack_memory(&mut self, own: ProcessId, packed: &[Packed]) -> Box<[Parcel]> {
        let serial = self.state.next_serial.0;
        let mut parcels = Vec::with_capacity(packed.len());
        for (place, packed) in packed.iter().enumerate() {
            let region = Region { space: own, number: packed.number };
            parcels.push(self.parcel_of(region, packed.mode, (serial, place)));
        }
        parcels.into()
    }

    fn parcel_of(&mut self, region: Region, mode: TransferMode, id: ParcelId) -> Parcel {
        match mode {
            TransferMode::Copy | TransferMode::CopyOnWrite => {
                self.sink.packed(id, self.backing(region), mode);
                let pages = self.state.pages(region).expect("it is there");
                Parcel::Pages(pages.clone(), None)
            }
            TransferMode::Move => match self.leave_region(region) {
                Mapping::Private(pages) => {
                    self.sink.packed(id, Backing::Region(region), mode);
                    Parcel::Pages(pages, Some(region.number))
                }
                Mapping::Shared { segment, .. } => Parcel::Segment(segment, Some(region.number)),
            },
            TransferMode::Share => Parcel::Segment(self.share(region), None),
        }
    }

    /// The segment that a region is from now on, referred to once more.
    fn share(&mut self, region: Region) -> SegmentId {
        if let Some(Mapping::Shared { segment, .. }) = self.state.mapping(region) {
            let segment = *segment;
            self.state.segment_mut(segment).references += 1;
            return segment;
        }
        let own = region.space;
        let space = self.space_mut(own);
        let segment = SegmentId { space: own, number: space.make_segment(region.number) };
        let pages = space.segments[&segment.number].pages.count();
        space.regions.insert(region.number, Mapping::Shared { segment, pages });
        self.sink.shared(region, segment);
        segment
    }

    /// Whether a process may have the memory in a message besides its own.
    pub(super) fn has_room_for_memory(&self, own: ProcessId, message: &Message) -> bool {
        message.memory().is_empty() || self.space(own).has_room(self.pages_in(message))
    }

    /// The receiver of a message gets the memory in it, as new regions.
    pub(super) fn unpack_memory(&mut self, own: ProcessId, message: &mut Arc<Message>) {
        if message.memory().is_empty() {
            return;
        }
        let reserved = self.reserved_regions(own);
        let serial = message.serial.0;
        let extras = Arc::make_mut(message).extras.as_mut().expect("it carries memory");
        for (place, parcel) in extras.memory.iter_mut().enumerate() {
            let mapping = match parcel {
                Parcel::Pages(pages, _) => Mapping::Private(std::mem::take(pages)),
                Parcel::Segment(segment, _) => {
                    let pages = self.state.segment(*segment).pages.count();
                    Mapping::Shared { segment: *segment, pages }
                }
                Parcel::In(_) => continue,
            };
            let (count, is_shared) = (mapping.count(), matches!(parcel, Parcel::Segment(..)));
            let number = self.state.spaces[own.index()].take_in(mapping, &reserved);
            let number = number.expect("whoever has no room for the memory gets no message");
            let region = Region { space: own, number };
            if is_shared {
                self.sink.mapped(count);
            } else {
                self.sink.unpacked((serial, place), region, count);
            }
            *parcel = Parcel::In(region);
        }
    }

    /// The numbers of regions that a process has given away in messages which have not gone yet: if they do not go, the regions
    /// come back.
    fn reserved_regions(&self, own: ProcessId) -> Vec<u32> {
        let at_mailboxes = self.state.mailboxes.iter().flat_map(|mailbox| &mailbox.senders);
        let waiting = at_mailboxes.chain(&self.state.memory.waiting).map(|(_, message)| message);
        let in_hand = self.state.threads.iter().filter_map(Thread::in_hand);
        let own = waiting.chain(in_hand).filter(|message| message.sender == own);
        let parcels = own.flat_map(|message| message.memory());
        parcels
            .filter_map(|parcel| match parcel {
                Parcel::Pages(_, number) | Parcel::Segment(_, number) => *number,
                Parcel::In(_) => None,
            })
            .collect()
    }

    /// A message has not gone: its sender gets the regions back that it has given away.
    pub(super) fn give_memory_back(&mut self, message: &Message) {
        let space = message.sender;
        for (place, parcel) in message.memory().iter().enumerate() {
            match parcel {
                Parcel::Pages(pages, Some(number)) => {
                    let mapping = Mapping::Private(pages.clone());
                    self.has_come_back(Region { space, number: *number });
                    let number = self.space_mut(space).take_back(*number, mapping);
                    self.sink.given_back((message.serial.0, place), Region { space, number });
                }
                Parcel::Segment(segment, Some(number)) => {
                    let pages = self.state.segment(*segment).pages.count();
                    let mapping = Mapping::Shared { segment: *segment, pages };
                    self.has_come_back(Region { space, number: *number });
                    self.space_mut(space).take_back(*number, mapping);
                }
                _ => self.destroy_parcel(message, place),
            }
        }
    }

    /// If it left in this step, it has kept its locks, and those who wait for them.
    fn has_come_back(&mut self, region: Region) {
        self.work.retain(|work| !matches!(work, Work::RegionLeft(left, _) if *left == region));
    }

    fn destroy_parcel(&mut self, message: &Message, place: usize) {
        match &message.memory()[place] {
            Parcel::Segment(segment, _) => self.unrefer(*segment),
            Parcel::Pages(..) | Parcel::In(_) => self.sink.destroyed((message.serial.0, place)),
        }
    }

    /// A message is destroyed, with the memory in it.
    pub(super) fn destroy_memory(&mut self, message: &Message) {
        for place in 0..message.memory().len() {
            self.destroy_parcel(message, place);
        }
    }

    /// How many pages a message carries.
    fn pages_in(&self, message: &Message) -> u32 {
        let pages = |parcel: &Parcel| match parcel {
            Parcel::Pages(pages, _) => pages.count(),
            Parcel::Segment(segment, _) => self.state.segment(*segment).pages.count(),
            Parcel::In(_) => 0,
        };
        message.memory().iter().map(pages).fold(0, u32::saturating_add)
    }

    /// A process has ended, and its memory is gone. What it shared stays with the others.
    pub(super) fn free_all(&mut self, process: ProcessId) {
        if self.state.spaces.is_empty() {
            return;
        }
        let space = self.space_mut(process);
        space.locks.clear();
        for (number, mapping) in std::mem::take(&mut space.regions) {
            self.let_go(Region { space: process, number }, &mapping);
        }
    }
}
