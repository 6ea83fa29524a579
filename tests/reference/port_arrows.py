"""Arrows to those who could help a thread that waits at a port."""
from values import Message, size_of


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

    def helps_at_port(self, key, port, wanted):
        """Answers by send-once rights, and notices."""
        for right, holder in self.state.once.items():
            if right.port != port:
                continue
            for other, instruction in self.others_with('reply'):
                actor = self.state.threads[other]
                if any(isinstance(value, Message) and value.given == right for value in actor.variables.values()):
                    self.add(key, other, False)
            if holder == 'transit':
                for other, thread in self.state.threads.items():
                    self.add(key, other, False)
            else:
                self.ending(key, holder, wanted is None)
        if any('reply-to' in instruction.keys and self.destination(other, instruction) != ([], True)
               for other, instruction in self.others_with('send')):
            for other in self.state.threads:
                self.add(key, other, False)
        self.by_watching(key, port)
        told = {told for _, _, told in self.state.kept.values()}
        may_hold = any('hold-one' in instruction.keys for _, instruction in self.others_with('send'))
        if port in self.state.watches.values() or port in told or may_hold:
            for other, thread in self.state.threads.items():
                self.add(key, other, False)

    def by_watching(self, key, port):
        """Somebody will ask for a notice here about what is there already; perhaps it lacks the right to ask."""
        for other, instruction in self.others_with('watch'):
            notify, known = self.handles(other, instruction.keys['notify'])
            watched, sure = self.handles(other, instruction.argument)
            there = any(self.state.holder.get(one) is None for one in watched)
            if (port in notify or not known) and (there or not sure or instruction.keys['until'] != 'dead-name'):
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
