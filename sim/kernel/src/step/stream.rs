//! Pipes and channels: writing and reading, and what follows when the last end on one side is closed.
//!
//! What a thread writes to a pipe goes as a whole if it is no larger than `pipe-buf`. More goes in pieces of that size, and
//! between two of them its writer stands behind others who wait; so the bytes of two writers may mix.

use ipcsim_program::{Access, OnExec, Send, StreamKind, Value};

use super::prelude::*;
use crate::machine::InFlightCycles;
use crate::object::queue::QueueSpec;
use crate::object::stream::{Bytes, Opened, Piece, Stream};

/// Of a pipe, in bytes (Linux: `pipe(7)`).
const DEFAULT_CAPACITY: u64 = 65_536;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn create_stream(
        &mut self,
        t: ThreadId,
        kind: StreamKind,
        (read, write): (Register, Register),
        on_exec: OnExec,
    ) -> Result<(), Stop> {
        let own = self.thread(t).process;
        let had = self.state.processes[own.index()].descriptors.len();
        if self.state.mailboxes.len() >= limits::MAILBOXES || had + 2 > limits::DESCRIPTORS {
            return Err(Stop::REFUSED);
        }
        let (capacity, bytes) = match kind {
            StreamKind::Pipe { capacity } => {
                (Capacity::Bytes(capacity.unwrap_or(DEFAULT_CAPACITY)), Some(Bytes::default()))
            }
            StreamKind::Channel { capacity } => (capacity, None),
        };
        let object = MailboxId::at(self.state.mailboxes.len());
        let stream = Stream::new(bytes, self.thread(t).pc);
        let spec = QueueSpec::plain(capacity, self.machine.policies.receiver);
        self.state.mailboxes.push(Mailbox::new(spec, Object::Stream(Box::new(stream))));
        self.note(Some(t), Kind::Created(object));
        for (access, into) in [(Access::Read, read), (Access::Write, write)] {
            let opened = Opened { object, access, on_exec };
            let descriptor = self.install(own, opened).expect("there is room for two");
            self.set(t, into, Value::Handle(Handle::File(descriptor)));
        }
        self.complete(t, Outcome::Ok);
        Ok(())
    }

    // Writing.

    /// Writes a message to a pipe, as far as there is room.
    pub(super) fn write_to(
        &mut self,
        t: ThreadId,
        mut message: Arc<Message>,
        send: &Send,
    ) -> Result<(), Stop> {
        let id = message.mailbox;
        if send.wait == Wait::Never {
            let room = if self.stands_behind_writers(id) { 0 } else { self.room_in(id) };
            let is_whole = message.size <= self.piece_size(id);
            let count = if is_whole && message.size > room { 0 } else { message.size.min(room) };
            if count == 0 && message.size > 0 {
                return Err(Stop::Outcome(Outcome::WouldBlock));
            }
            self.note(Some(t), Kind::Sent(&message));
            self.put(&mut message, count);
            self.tell_what_went(t, id, count);
            self.has_written(t, &message);
            return Ok(());
        }
        self.note(Some(t), Kind::Sent(&message));
        let mut untold = 0;
        while message.size > 0 && !self.stands_behind_writers(id) && self.fits(&message) {
            let count = message.size.min(self.piece_size(id));
            self.put(&mut message, count);
            untold += count;
            if !self.mailbox(id).receivers.is_empty() {
                self.tell_what_went(t, id, std::mem::take(&mut untold));
                self.serve_readers(id);
            }
        }
        self.tell_what_went(t, id, untold);
        if message.size == 0 {
            self.has_written(t, &message);
            return Ok(());
        }
        let result =
            self.block_with(t, BlockedOn::Send(id), Some(Arc::clone(&message)), &send.wait);
        match result {
            // What has gone has gone.
            Err(Stop::Outcome(_)) if written(&message) > 0 => {
                self.has_written(t, &message);
                Ok(())
            }
            other => other,
        }
    }

    /// Whether others wait to write whom a newcomer does not pass.
    fn stands_behind_writers(&self, id: MailboxId) -> bool {
        let mailbox = self.mailbox(id);
        !mailbox.senders.is_empty() && !mailbox.lets_pass_what_fits()
    }

    fn room_in(&self, id: MailboxId) -> u64 {
        let mailbox = self.mailbox(id);
        let held = mailbox.bytes().map_or(0, |bytes| bytes.count);
        match mailbox.spec.capacity {
            Capacity::Bytes(capacity) => capacity.saturating_sub(held),
            _ => 0,
        }
    }

    /// How many bytes go at once.
    fn piece_size(&self, id: MailboxId) -> u64 {
        let piece = self.machine.policies.pipe_buf;
        match self.mailbox(id).spec.capacity {
            Capacity::Bytes(capacity) => piece.min(capacity),
            _ => piece,
        }
    }

    /// Whether there is room for the next piece of a message.
    fn fits(&self, message: &Message) -> bool {
        let id = message.mailbox;
        message.size.min(self.piece_size(id)) <= self.room_in(id)
    }

    /// So many bytes of a message are in its pipe from now on.
    fn put(&mut self, message: &mut Arc<Message>, count: u64) {
        let id = message.mailbox;
        let gone = written(message);
        // The body stays whole, so that it stays clear whether it is what the bytes say.
        let mut left = Piece::of(&message.body, gone + message.size);
        let _ = left.cut(gone);
        let piece = left.cut(count);
        let rest = Arc::make_mut(message);
        rest.size -= count;
        rest.extras.get_or_insert_default().written += count;
        let bytes = self.state.mailboxes[id.index()].bytes_mut().expect("it is a pipe");
        if count > 0 {
            bytes.put(piece);
        }
        self.sink.copied(count);
    }

    fn tell_what_went(&mut self, t: ThreadId, pipe: MailboxId, bytes: u64) {
        if bytes > 0 {
            let there = self.mailbox(pipe).bytes().map_or(0, |bytes| bytes.count);
            self.note(Some(t), Kind::Written { pipe, bytes, there });
        }
    }

    /// A thread has written what it will of a message.
    fn has_written(&mut self, t: ThreadId, message: &Message) {
        self.count_written(t, message);
        self.complete(t, Outcome::Ok);
        self.work.push(Work::Refill(message.mailbox));
    }

    /// The thread's variable says how many bytes have gone.
    fn count_written(&mut self, t: ThreadId, message: &Message) {
        let machine = self.machine;
        if let Verb::Send(Send { into: Some(into), .. }) = &machine.call(self.thread(t).pc).verb {
            let count = i64::try_from(written(message)).unwrap_or(i64::MAX);
            self.set(t, *into, Value::Int(count));
        }
    }

    /// A writer's wait ends, and a part of what it wanted to write has gone: then its call has done that.
    pub(super) fn ends_as_partly_written(&mut self, t: ThreadId) -> bool {
        let Some(on) = self.state.waits_for(t) else { return false };
        let Some(message) = self.state.waits_with(t, on) else { return false };
        let message = Arc::clone(message);
        if written(&message) == 0 {
            return false;
        }
        self.count_written(t, &message);
        true
    }

    /// There may be room in a pipe, or something to read.
    pub(super) fn settle_pipe(&mut self, id: MailboxId) {
        loop {
            self.serve_readers(id);
            let mailbox = self.mailbox(id);
            let next = if mailbox.lets_pass_what_fits() {
                mailbox.senders_with(|message| self.fits(message)).next()
            } else {
                mailbox.senders.front().filter(|(_, message)| self.fits(message)).map(|_| 0)
            };
            let Some(place) = next else { return };
            let (t, mut message) = self.state.mailboxes[id.index()].release_sender(place);
            let count = message.size.min(self.piece_size(id));
            self.put(&mut message, count);
            self.tell_what_went(t, id, count);
            if message.size == 0 {
                self.leave_queue(t);
                self.count_written(t, &message);
                self.complete(t, Outcome::Ok);
            } else {
                self.state.mailboxes[id.index()].senders.push_back((t, message));
            }
        }
    }

    // Reading.

    /// A pipe takes no part of a message but its bytes, and knows no types.
    pub(super) fn check_filter(
        &self,
        sources: &Sources,
        filter: Option<&Filter>,
    ) -> Result<(), Stop> {
        let is_pipe = |id: &MailboxId| self.mailbox(*id).bytes().is_some();
        let asks_for_type = filter.is_some_and(|filter| filter.kind.is_some());
        if asks_for_type && sources.listed().iter().any(is_pipe) {
            return Err(Stop::REFUSED);
        }
        Ok(())
    }

    /// Whether a receive with this limit returns at once: whoever asks for no bytes gets them.
    pub(super) fn is_readable(&self, id: MailboxId, filter: Option<&Filter>) -> bool {
        let asks_for_none = filter.is_some_and(|filter| filter.max_size == Some(0));
        self.can_read(id) || asks_for_none && self.mailbox(id).bytes().is_some()
    }

    /// Whether a receive would find bytes here, or the end of what there is.
    pub(super) fn can_read(&self, id: MailboxId) -> bool {
        let mailbox = self.mailbox(id);
        mailbox.bytes().is_some_and(|bytes| bytes.count > 0) || mailbox.is_at_its_end()
    }

    /// A thread reads what is there, or learns that nothing will come.
    pub(super) fn read_from(&mut self, t: ThreadId, id: MailboxId, filter: Option<&Filter>) {
        let most = filter.and_then(|filter| filter.max_size).unwrap_or(u64::MAX);
        let is_end = self.mailbox(id).is_at_its_end();
        let (body, size) = match self.state.mailboxes[id.index()].bytes_mut() {
            Some(bytes) if !is_end => bytes.take(most),
            _ => (Value::None, 0),
        };
        let what = (id, Route::Bytes);
        let message = self.new_message(ProcessId::KERNEL, what, (body, size), None);
        if is_end {
            return self.learn_the_end(t, message);
        }
        self.sink.copied(size);
        self.receive_message(t, message);
        if self.mailbox(id).has_waiting() {
            self.work.push(Work::Refill(id));
        }
    }

    /// A receive returns with a message that says that nothing will come.
    fn learn_the_end(&mut self, t: ThreadId, end: Arc<Message>) {
        let into = self.machine.call(self.thread(t).pc).verb.writes().next();
        self.note(Some(t), Kind::EndOfFile(end.mailbox));
        self.set(t, into.expect("a receive sets a variable"), Value::Message(end));
        self.complete(t, Outcome::Ok);
    }

    /// Those who wait to read get what there is, or learn that nothing will come.
    pub(super) fn serve_readers(&mut self, id: MailboxId) {
        while self.can_read(id) {
            let waiting = self.mailbox(id).receivers.iter().copied();
            let reads =
                |t: &ThreadId| matches!(self.state.waits_for(*t), Some(BlockedOn::Receive { .. }));
            let Some(t) = waiting.into_iter().find(reads) else { break };
            let Some(BlockedOn::Receive { sources, filter }) = self.leave_queue(t) else {
                unreachable!("only a RECEIVE-blocked thread is chosen as receiver");
            };
            self.unlist_receiver(t, &sources);
            self.read_from(t, id, filter.as_deref());
        }
        if self.can_read(id) {
            self.tell_selectors(id);
        }
    }

    // Ends.

    /// One more table or message has this open.
    pub(super) fn is_opened(&mut self, opened: Opened) {
        if let Some(stream) = self.state.mailboxes[opened.object.index()].stream_mut() {
            *stream.open_mut(opened.access) += 1;
        }
    }

    /// One table or message fewer has this open. What follows is drawn later: whoever learns of it may fail.
    pub(super) fn is_closed(&mut self, opened: Opened) {
        let Some(stream) = self.state.mailboxes[opened.object.index()].stream_mut() else { return };
        let open = stream.open_mut(opened.access);
        *open -= 1;
        if *open == 0 {
            self.work.push(Work::EndClosed(opened.object));
        } else if opened.access == Access::Read {
            self.work.push(Work::Unreachable);
        }
    }

    /// Nobody has one of the ends open any more.
    pub(super) fn end_is_closed(&mut self, id: MailboxId) {
        let Some(stream) = self.mailbox(id).stream() else { return };
        let (readers, writers) = (stream.readers, stream.writers);
        if readers == 0 {
            self.drop_messages(id, Loss::NobodyReads);
            if let Some(bytes) = self.state.mailboxes[id.index()].bytes_mut() {
                let unread = std::mem::take(bytes).count;
                if unread > 0 {
                    self.sink.unread(unread);
                    self.note(None, Kind::Unread(id, unread));
                }
            }
            self.release_senders_of_the_dead(id);
        }
        if writers == 0 {
            self.serve_readers(id);
        }
        if readers == 0 && writers == 0 {
            self.state.mailboxes[id.index()].existence = Existence::Destroyed;
        }
    }

    /// Channels whose ends to read from are only in messages that nobody can come to receive are garbage: what lies in them
    /// is destroyed, with the ends in it. What a blocked sender has in hand is not lost yet.
    pub(super) fn collect_the_unreachable(&mut self) {
        if self.machine.policies.in_flight_cycles == InFlightCycles::Leak {
            return;
        }
        let is_channel = |id: &MailboxId| {
            let stream = self.mailbox(*id).stream();
            stream.is_some_and(|stream| stream.bytes.is_none() && stream.readers > 0)
        };
        let mut unreached: Vec<MailboxId> =
            (0..self.state.mailboxes.len()).map(MailboxId::at).filter(is_channel).collect();
        unreached.retain(|id| self.state.holders_of(*id, Access::Read).next().is_none());
        loop {
            let before = unreached.len();
            let lies_in_one = |message: &&Arc<Message>| {
                let stored = &self.mailbox(message.mailbox).messages;
                unreached.contains(&message.mailbox)
                    && stored.iter().any(|it| Arc::ptr_eq(it, message))
            };
            let reached: Vec<MailboxId> = self
                .state
                .messages()
                .filter(|message| !lies_in_one(message))
                .flat_map(|message| message.rights())
                .filter(|carried| carried.right == Right::File(Access::Read))
                .map(|carried| carried.port)
                .collect();
            unreached.retain(|id| !reached.contains(id));
            if unreached.len() == before {
                break;
            }
        }
        for id in unreached {
            self.drop_messages(id, Loss::NobodyReads);
        }
    }
}

/// How many bytes of a message have gone.
fn written(message: &Message) -> u64 {
    message.extras.as_ref().map_or(0, |extras| extras.written)
}
