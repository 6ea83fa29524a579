"""`hold-one:` the kernel keeps one message for its sender where a port is full, and tells when it has gone."""
from values import Ambiguous


class Holding:
    """The part of the kernel that keeps messages. `state.kept`: (process, port) -> (message, arrival, who is told)."""

    def hold(self, state, key, port, message):
        """Keeps the message instead of an end as `would-block` or `timed-out`."""
        thread = state.threads[key]
        written = thread.instruction().keys['hold-one']
        right = self.once_behind(thread, written)
        told = self.told_by(state, thread.process, right or self.resolve(thread, written)[0])
        another, good = (thread.process, port) in state.kept, told is not None
        if another and not good:
            raise Ambiguous('hold-one: refused, and a right that is not there')
        if another or not good:
            self.come_back(state, message)
            self.complete(state, key, 'no-right' if not good else 'refused')
            return
        state.once.pop(right, None)
        state.clock += 1
        state.kept[(thread.process, port)] = (message, state.clock, told)
        self.complete(state, key, 'held')

    def kept_at(self, state, port):
        """[(arrival, process)] of the messages that are kept for this port, the oldest first."""
        return sorted((arrival, process) for (process, other), (_, arrival, _) in state.kept.items() if other == port)

    def settle_kept(self, state):
        """A message that is kept goes as soon as there is room, unless a blocked sender goes before it."""
        for port in sorted({port for _, port in state.kept}):
            arrival, process = self.kept_at(state, port)[0]
            message, _, told = state.kept[(process, port)]
            if not self.has_slot(state, port, message):
                continue
            if state.memory_queue or not self.fits_memory(state, message):
                raise Ambiguous('room for a message that is kept, and no kernel memory')
            blocked = state.senders.get(port, [])
            if 'senders' in self.scenario.again and (blocked or self.ready_to_send(state, port)):
                raise Ambiguous('a message that is kept, and senders that look again')
            if blocked and self.scenario.sender != 'fifo':
                raise Ambiguous('a message that is kept, blocked senders, and sender: ' + self.scenario.sender)
            if any(other < arrival for _, other in blocked):
                continue
            del state.kept[(process, port)]
            self.store(state, port, message)
            has_name = self.may_send(state, process, port) != 'no-right'
            self.notice(state, told, 'msg-accepted', port if has_name else None)
            return True
        return False

    def lose_kept(self, state, lost):
        """The messages that are kept, and for which lost(process, port) holds, are lost."""
        for process, port in [name for name in state.kept if lost(*name)]:
            message, _, told = state.kept.pop((process, port))
            if state.holder[port] is None and message.carried:
                raise Ambiguous('a message that is kept is lost with its rights')
            self.come_back(state, message)
            self.notice(state, told, 'send-once', None)
