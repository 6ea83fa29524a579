"""Pipes, which hold bytes, and channels, which hold messages: two ends each, and an end of file.

`state.streams` holds what is in a pipe: a tuple of ('text', letters) and ('value', body, bytes).
"""
from reading import Box, capacity_of
from values import Ambiguous, Handle, Message, size_of, template


def length(runs):
    return sum(len(run[1]) if run[0] == 'text' else run[2] for run in runs)


def cut(runs, count):
    """(the first `count` bytes, the rest)"""
    first, rest = [], list(runs)
    while count and rest:
        run = rest.pop(0)
        size = length([run])
        if size > count:
            rest.insert(0, ('text', run[1][count:]) if run[0] == 'text' else ('value', run[1], size - count))
            run = ('text', run[1][:count]) if run[0] == 'text' else ('value', run[1], count)
        first.append(run)
        count -= length([run])
    return tuple(first), tuple(rest)


def joined(runs):
    """Letters run together; so do parts of the same value (the pages say the first only)."""
    found = []
    for run in runs:
        if found and run[0] == 'text' and found[-1][0] == 'text':
            found[-1] = ('text', found[-1][1] + run[1])
        elif found and run[:2] == found[-1][:2]:
            found[-1] = ('value', run[1], found[-1][2] + run[2])
        else:
            found.append(run)
    return tuple(found)


class Pipes:
    """The part of the kernel that knows pipes and channels."""

    def create_pipe(self, state, key, thread, instruction):
        keys, kind = instruction.keys, instruction.keys['kind']
        if kind == 'channel' and (self.scenario.again or self.scenario.memory is not None):
            raise Ambiguous('a channel, and look-again or limited memory')
        state.created += 1
        handle = Handle(kind, f'mailbox {state.created}')
        if kind == 'pipe':
            capacity = ('pipe', size_of(keys.get('capacity', '64KiB')))
            state.streams[handle] = ()
        else:
            capacity = capacity_of(keys.get('capacity', 10))
        state.boxes[handle] = Box(capacity, keys.get('order', 'fifo'), keys.get('receiver', self.scenario.receiver),
                                  size_of(keys['max-size']) if 'max-size' in keys else None)
        end = self.new_descriptor(state, thread.process, handle, 'read')
        thread.variables[keys['write-end']] = self.new_descriptor(state, thread.process, handle, 'write')
        self.complete(state, key, 'ok', instruction.argument, end)

    # ------------------------------------------------------------ writing

    def room(self, state, pipe):
        return state.boxes[pipe].capacity[1] - length(state.streams[pipe])

    def piece(self, state, pipe):
        """So many bytes go as a whole; no more than there can ever be room for."""
        return min(self.scenario.pipe_buf, state.boxes[pipe].capacity[1])

    def write(self, state, key, thread, instruction, pipe):
        keys = instruction.keys
        body, size, _, _ = self.written(state, thread, instruction, pipe)
        if not self.can_read(state, pipe):
            self.complete(state, key, 'dead')
            return
        if instruction.op == 'call' or set(keys) & {'type', 'priority', 'reply-to', 'rights', 'memory', 'hold-one'}:
            self.complete(state, key, 'refused')
            return
        runs = (('text', body),) if isinstance(body, str) and 'size' not in keys else (('value', body, size),)
        if size == 0:
            self.complete(state, key, 'ok', keys.get('into'), 0)
            return
        if not self.never(instruction):
            self.block(thread, ('write', pipe, runs, 0))
            state.clock += 1
            state.senders.setdefault(pipe, []).append((key, state.clock))
            self.settle(state)
            return
        room = 0 if self.stands_behind(state, pipe) else self.room(state, pipe)
        if size > room and (size <= self.piece(state, pipe) or room < 1):
            self.complete(state, key, 'would-block')
            return
        first, _ = cut(runs, min(room, size))
        state.streams[pipe] = joined(state.streams[pipe] + first)
        self.complete(state, key, 'ok', keys.get('into'), length(first))
        self.settle(state)

    def stands_behind(self, state, pipe):
        """Does a blocked writer go before a new one?"""
        blocked = state.senders.get(pipe, [])
        return bool(blocked) and self.scenario.byte_order != 'fits'

    def next_writer(self, state, pipe):
        """(who writes next, how many bytes), or None if none of those who wait can."""
        def wants(item):
            return min(length(state.threads[item[0]].wait[2]), self.piece(state, pipe))

        blocked, room = state.senders[pipe], self.room(state, pipe)
        if self.scenario.byte_order == 'fits':
            blocked = [item for item in blocked if wants(item) <= room]
        if not blocked or wants(blocked[0]) > room:
            return None
        return blocked[0][0], wants(blocked[0])

    def write_piece(self, state, pipe, key, count):
        """One piece goes; then the writer stands behind the others who wait."""
        thread = state.threads[key]
        _, _, runs, gone = thread.wait
        first, rest = cut(runs, count)
        state.streams[pipe] = joined(state.streams[pipe] + first)
        thread.wait = ('write', pipe, rest, gone + count)
        state.clock += 1
        others = [item for item in state.senders[pipe] if item[0] != key]
        state.senders[pipe] = others + [(key, state.clock)]
        if not rest:
            self.complete(state, key, 'ok', thread.instruction().keys.get('into'), gone + count)

    # ------------------------------------------------------------ reading

    def at_end(self, state, handle):
        return handle.kind in ('pipe', 'channel') and not self.can_write(state, handle)

    def read(self, state, key, pipe):
        """Takes what is there, as far as `max-size` allows."""
        thread = state.threads[key]
        limit = thread.instruction().keys.get('max-size')
        runs, rest = cut(state.streams[pipe], size_of(limit) if limit else length(state.streams[pipe]))
        state.streams[pipe] = rest
        bodies = tuple(run[1] for run in runs)
        self.took.add(key)
        self.got(state, key, bodies[0] if len(bodies) == 1 else bodies, length(runs))

    def got(self, state, key, body, size):
        message = Message(body, None, None, 0, size, None, None, None)
        self.complete(state, key, 'ok', state.threads[key].instruction().argument, message)
        self.settle(state)

    # ------------------------------------------------------------ after a change

    def settle_pipes(self, state):
        """One thing that can happen at a pipe or channel now; False if nothing can."""
        ends = self.open_ends(state) if self.scenario.has_pipes else ()
        for handle in list(state.boxes):
            if handle.kind in ('pipe', 'channel') and self.settle_end(state, handle, ends):
                return True
        return False

    def settle_end(self, state, handle, ends):
        readers = [item for item in state.receivers.get(handle, []) if state.threads[item[0]].wait[0] == 'receive']
        writers = [key for key, _ in state.senders.get(handle, [])]
        if handle.kind == 'pipe' and state.streams[handle] and readers:
            self.read(state, readers[0][0], handle)
            return True
        if (handle, 'read') not in ends:
            lost = state.stored.pop(handle, [])
            for message, _ in lost:
                self.lose(state, message)
            for key in writers:
                self.complete_waiting(state, key, 'dead')
            state.streams.update({handle: ()} if handle.kind == 'pipe' else {})
            if lost or writers:
                return True
        if handle.kind == 'pipe' and writers:
            found = self.next_writer(state, handle)
            if found:
                self.write_piece(state, handle, *found)
                return True
        here = state.streams.get(handle) or state.stored.get(handle) or writers
        if (handle, 'write') not in ends and not here and readers:
            self.got(state, readers[0][0], None, 0)
            return True
        return False
