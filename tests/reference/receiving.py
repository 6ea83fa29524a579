"""What a receive or a select finds, and takes."""
from values import Ambiguous, Once, size_of, template


class Receiving:
    """The part of the kernel that takes messages."""

    def type_fits(self, wanted, message):
        """`wanted` is None for any type, or a tuple of types."""
        return wanted is None or any(type(kind) is type(message.type) and kind == message.type for kind in wanted)

    def look_at(self, state, queue, wanted):
        """What a receive would take from this queue: ('stored', queue, position), ('sender', queue, who) or None."""
        if self.is_box(queue) and queue.kind == 'pipe':
            return ('bytes', queue, None) if state.streams[queue] else None
        for position, (message, _) in enumerate(state.stored.get(queue, [])):
            if self.type_fits(wanted, message):
                return ('stored', queue, position)
        if self.is_box(queue) and queue.kind == 'port':     # no rendezvous
            return None
        blocked = [item for item in state.senders.get(queue, [])
                   if self.type_fits(wanted, state.threads[item[0]].wait[2])]
        return ('sender', queue, blocked) if blocked else None

    def look_at_links(self, state, process, wanted):
        """The same for `anyone`: the oldest message on any link; only then the oldest blocked sender."""
        stored, blocked = [], []
        for queue, items in state.stored.items():
            if not self.is_box(queue) and queue[1] == process:
                stored += [(arrival, ('stored', queue, position)) for position, (message, arrival) in enumerate(items)
                           if self.type_fits(wanted, message)]
        if stored:
            return min(stored, key=lambda found: found[0])[1]
        for queue, items in state.senders.items():
            if not self.is_box(queue) and queue[1] == process:
                blocked += [(item[1], ('sender', queue, [item])) for item in items
                            if self.type_fits(wanted, state.threads[item[0]].wait[2])]
        if len(blocked) > 1 and self.scenario.sender != 'fifo':
            raise Ambiguous('anyone, several senders and sender: ' + self.scenario.sender)
        return min(blocked, key=lambda found: found[0])[1] if blocked else None

    def source_dead(self, state, process, handle):
        if handle.kind != 'process':
            return (handle in state.destroyed or handle.kind == 'port' and state.holder[handle] != process
                    or handle.kind == 'set' and state.members[handle] is None)
        queue = (handle, process)
        return self.is_over(state, handle) and not state.stored.get(queue) and not state.senders.get(queue)

    def look(self, state, process, sources, wanted):
        """What a receive would take from these sources, 'dead', or None."""
        if sources == 'anyone':
            return self.look_at_links(state, process, wanted)
        if sources and sources[0].kind == 'set':
            return self.look_at_set(state, sources[0], wanted)
        for handle in sources:
            found = self.look_at(state, self.queue_from(process, handle), wanted)
            if found:
                return found
            if self.at_end(state, handle):      # of a list the pages do not say whether the others count first
                return ('end', handle, None)
        if sources and all(self.source_dead(state, process, handle) for handle in sources):
            return 'dead'
        return None

    def ready(self, state, process, sources):
        """The answer of select."""
        return tuple(self.as_descriptor(state, process, handle) for handle in sources
                     if self.brings_something(state, process, handle)
                     or self.source_dead(state, process, handle) or self.at_end(state, handle))

    def brings_something(self, state, process, handle):
        """Would a receive from this source take something now?"""
        parts = state.members[handle] or () if handle.kind == 'set' else (handle,)
        return any(self.look_at(state, self.queue_from(process, part), None) for part in parts)

    def pick_sender(self, state, queue, blocked):
        """Which of these blocked senders goes first."""
        # Where the more urgent process goes first, the priority of its message does not count.
        if self.order(state, queue) == 'priority' and self.scenario.sender != 'priority':
            top = max(state.threads[key].wait[2].priority for key, _ in blocked)
            blocked = [item for item in blocked if state.threads[item[0]].wait[2].priority == top]
        if self.scenario.sender == 'arbitrary':
            return blocked[self.choose(len(blocked))][0]
        if self.scenario.sender == 'priority':
            top = max(self.priority_of(state, key) for key, _ in blocked)
            blocked = [item for item in blocked if self.priority_of(state, item[0]) == top]
        return blocked[0][0]

    def too_large_for(self, thread, message):
        limit = thread.instruction().keys.get('max-size')
        return limit is not None and message.size > size_of(limit)

    def take(self, state, key, found):
        """The thread takes what `look` found."""
        kind, queue, which = found
        if kind == 'bytes':
            self.read(state, key, queue)
            return
        if kind == 'end':
            self.got(state, key, None, 0)
            return
        sender = None
        if kind == 'stored':
            message = state.stored[queue][which][0]
        else:
            sender = self.pick_sender(state, queue, which)
            message = state.threads[sender].wait[2]
        too_large = self.too_large_for(state.threads[key], message)
        if too_large and self.scenario.too_large == 'keep':
            self.complete(state, key, 'too-large')
            return
        if kind == 'stored':
            state.stored[queue].pop(which)
            if 'senders' in self.scenario.again:
                self.wake_sender(state, queue)
        if too_large:
            self.complete(state, key, 'too-large')
            self.destroy_message(state, sender, message)
        else:
            self.deliver(state, key, queue, message)
            if sender:
                self.sender_done(state, sender, message)
        self.settle(state)

    def destroy_message(self, state, sender, message):
        """too-large: destroy. The sender is told nothing; a caller is told `dead`."""
        if message.carried or message.given:
            raise Ambiguous('rights in a message that is destroyed')
        if sender and message.request is not None:
            self.complete_waiting(state, sender, 'dead')
        elif sender:
            self.complete(state, sender, 'ok')
        else:
            self.lose(state, message)

    def pick_receiver(self, state, queue, waiting):
        """Which of these waiting receivers is served."""
        policy = self.receiver_policy(state, queue)
        if policy == 'arbitrary':
            return waiting[self.choose(len(waiting))][0]
        if policy == 'lifo':
            return waiting[-1][0]
        if policy == 'priority':
            top = max(self.priority_of(state, other) for other, _ in waiting)
            return next(other for other, _ in waiting if self.priority_of(state, other) == top)
        return waiting[0][0]

    def where_they_wait(self, state, queue):
        """The queue, or the port set that it is in."""
        return (self.set_of(state, queue) if self.is_box(queue) else None) or queue

    def offer(self, state, queue, message, sender):
        """Hands the message over to a waiting receiver. Gives 'taken', 'destroyed' or None."""
        while True:
            waiting = [item for item in state.receivers.get(self.where_they_wait(state, queue), [])
                       if state.threads[item[0]].wait[0] == 'receive'
                       and self.type_fits(state.threads[item[0]].wait[2], message)]
            if not waiting:
                return None
            key = self.pick_receiver(state, queue, waiting)
            if not self.too_large_for(state.threads[key], message):
                self.deliver(state, key, queue, message)
                return 'taken'
            if not sender or message.carried or isinstance(message.given, Once):
                raise Ambiguous('rights or a notice, and a receiver for which the message is too large')
            if state.threads[sender].instruction().keys.get('wait') == 'never':
                raise Ambiguous('wait: never and a receiver for which the message is too large')
            self.complete(state, key, 'too-large')
            if self.scenario.too_large == 'destroy':
                return 'destroyed'

    def do_receive(self, state, key, thread, instruction):
        written = instruction.keys.get('from')
        if self.barred(state, thread, written, 'read'):
            self.complete(state, key, 'no-right')
            return
        sources = 'anyone' if written == 'anyone' else tuple(self.resolve(thread, written))
        ports = [handle for handle in sources if handle.kind in ('port', 'set')] if sources != 'anyone' else []
        if len(ports) < len(sources) and ports or len(ports) > 1:
            raise Ambiguous('a receive from a port and something else')
        at_once = self.source_outcome(state, thread.process, ports[0]) if ports else None
        if at_once:
            self.complete(state, key, at_once)
            return
        wanted = None
        if 'type' in instruction.keys:
            types = instruction.keys['type']
            names = self.names_of(thread)
            if sources != 'anyone' and any(handle.kind == 'pipe' for handle in sources):
                raise Ambiguous('a type, and bytes that have none')
            wanted = tuple(template(kind, names) for kind in (types if isinstance(types, list) else [types]))
        found = self.look(state, thread.process, sources, wanted)
        if found == 'dead':
            self.complete(state, key, 'dead')
        elif found:
            self.take(state, key, found)
        elif self.never(instruction):
            self.complete(state, key, 'would-block')
        else:
            self.block(thread, ('receive', sources, wanted))
            self.wait_at(state, key, thread.process, sources)

    def do_select(self, state, key, thread, instruction):
        if self.barred(state, thread, instruction.keys['among'], 'read'):
            if not self.scenario.has_pipes:
                raise Ambiguous('select from a mailbox that is not opened')
            self.complete(state, key, 'no-right')
            return
        sources = tuple(self.resolve(thread, instruction.keys['among']))
        if any(source in self.scenario.guarded for source in sources):
            raise Ambiguous('select from a mailbox behind a path')
        # a receive from a port or set that one may not receive from ends so at once; then the select does, too
        outcomes = {self.source_outcome(state, thread.process, handle)
                    for handle in sources if handle.kind in ('port', 'set')} - {None}
        if len(outcomes) > 1:
            raise Ambiguous('select among several ports that one may not receive from')
        if outcomes:
            self.complete(state, key, *outcomes)
            return
        answer = self.ready(state, thread.process, sources)
        if answer:
            self.complete(state, key, 'ok', instruction.argument, answer)
        elif self.never(instruction):
            self.complete(state, key, 'would-block')
        else:
            self.block(thread, ('select', sources))
            self.wait_at(state, key, thread.process, sources)

    def wait_at(self, state, key, process, sources):
        """A receiver or selector joins the queues of its sources."""
        state.clock += 1
        if sources == 'anyone':
            queues = [(sender, process) for sender in state.alive]
        else:
            queues = list(dict.fromkeys(self.queue_from(process, handle) for handle in sources))
        for queue in queues:
            state.receivers.setdefault(queue, []).append((key, state.clock))
