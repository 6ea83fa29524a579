"""Arrows to those who could help a thread that waits at a port, or in a `select`."""
from values import Message, Once, size_of


class PortArrows:
    """The part of the judge that knows ports, and what a send needs."""

    def ports_of(self, handles):
        """The ports of the port sets among these, and the others as they are."""
        return tuple(port for handle in handles
                     for port in ((self.state.members[handle] or ()) if handle.kind == 'set' else (handle,)))

    def has_right(self, process, instruction, handles):
        """Has this process now what this send needs? What it has later nobody knows."""
        if 'rights' in instruction.keys or 'reply-to' in instruction.keys:
            return False
        return all(handle.kind != 'port' or self.state.holder[handle] is not None
                   and (self.state.refs.get((process, handle)) or self.state.holder[handle] == process)
                   for handle in handles)

    def helps_select(self, key, thread):
        sources = self.ports_of(thread.wait[1])
        mine = [self.machine.queue_from(thread.process, handle) for handle in sources]
        for other, instruction in self.others_with('send', 'call', 'name'):
            handles, known = self.destination(other, instruction)
            queues = [self.machine.queue_to(self.state.threads[other].process, handle) for handle in handles]
            if any(queue in mine for queue in queues) and self.usable(other, instruction, 'write'):
                goes = known and not self.never_goes(instruction, queues[0])
                self.add(key, other, goes and self.has_right(self.state.threads[other].process, instruction, handles))
            elif not known:
                self.add(key, other, False)
        for other, queue, _ in self.waiting_to_send():
            if queue in mine:
                self.add(key, other)
        for handle in sources:
            if handle.kind == 'port':
                self.helps_at_port(key, handle, None)
            if handle.kind in ('pipe', 'channel'):
                self.let_go(key, handle, 'write')
            if handle.kind == 'process' and not self.machine.is_over(self.state, handle):
                self.ending(key, handle)

    def ending_of_receiver(self, key, queue):
        """The end of the receiver of a link or a port."""
        if not self.machine.is_box(queue):
            self.ending(key, queue[1])
        elif queue.kind == 'channel':
            self.let_go(key, queue, 'read')
        elif queue.kind == 'port' and self.state.holder[queue] not in (None, 'transit'):
            self.ending(key, self.state.holder[queue])

    def helps_at_port(self, key, port, wanted):
        """Answers by send-once rights, and notices."""
        onces = {right: holder for right, holder in self.state.once.items() if right.port == port}
        for right, holder in onces.items():
            if holder != 'transit':
                self.uses(key, holder, right)
                self.ending(key, holder, wanted is None)
        if 'transit' in onces.values() or any(
                self.makes_once(instruction) and self.destination(other, instruction) != ([], True)
                for other, instruction in self.others_with('send', 'reply', 'call', 'spawn')):
            for other in self.state.threads:
                self.add(key, other, False)
        self.by_watching(key, port)
        told = {told for _, _, told in self.state.kept.values()}
        may_hold = any('hold-one' in instruction.keys for _, instruction in self.others_with('send'))
        if port in self.state.watches.values() or port in told or may_hold:
            for other, thread in self.state.threads.items():
                self.add(key, other, False)

    def makes_once(self, instruction):
        """Does somebody get a send-once right by this step? Which one, and what he does with it, nobody knows."""
        return 'reply-to' in instruction.keys or any(
            one['as'] in ('make-send-once', 'move-send-once') for one in instruction.keys.get('rights', ()))

    def uses(self, key, holder, right):
        """Steps ahead that may use this send-once right, or give it up."""
        for other, instruction in self.others_with('reply', 'send', 'call', 'drop'):
            actor = self.state.threads[other]
            written = instruction.keys['to'] if 'to' in instruction.keys else instruction.argument
            has = any(self.finds(value, right) for value in actor.variables.values())
            if actor.process == holder and has and (instruction.op == 'reply' or '$' in str(written)):
                self.add(key, other, False)

    def finds(self, value, right):
        """Is this send-once right in the value?"""
        if isinstance(value, Message):
            return value.given == right or right in value.rights
        return value == right or (isinstance(value, tuple) and not isinstance(value, Once) and right in value)

    def by_watching(self, key, port):
        """Somebody will ask for a notice here about what is there already; perhaps it lacks the right to ask."""
        for other, instruction in self.others_with('watch'):
            notify, known = self.handles(other, instruction.keys['notify'])
            watched, sure = self.handles(other, instruction.argument)
            there = any(self.state.holder.get(one) is None for one in watched)
            until = instruction.keys['until']
            if until == 'port-destroyed' or not (port in notify or not known):
                continue
            if there or not watched or not sure or until != 'dead-name':
                self.add(key, other, False)

    def never_goes(self, instruction, queue):
        """A send that can only end as too-large: the pages do not say whether it counts."""
        size = instruction.keys.get('size')
        if size is None or '$' in str(size):
            return False
        size = size_of(size)
        if self.machine.is_box(queue) and self.state.boxes[queue].max_size is not None:
            return size > self.state.boxes[queue].max_size
        return False
