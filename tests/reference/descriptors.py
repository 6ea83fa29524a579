"""Descriptors: the numbers by which a process names mailboxes it has opened, and ends of pipes and channels.

`state.open` holds what is open: (process, number) -> (object, mode). Nothing is counted: who has an end open is
looked up in all tables, and in all messages that are on their way.
"""
import re

from values import Ambiguous, Handle, Message, Opened, evaluate

OPPOSITE = {'read': 'write', 'write': 'read'}


def rebased(value, parent, child):
    """The value with the child's descriptors instead of the parent's."""
    if isinstance(value, Opened):
        return value._replace(process=child) if value.process == parent else value
    if isinstance(value, Message):
        parts = ('body', 'type', 'rights')
        return value._replace(**{part: rebased(getattr(value, part), parent, child) for part in parts})
    if type(value) is tuple:
        return tuple(rebased(one, parent, child) for one in value)
    return value


class Descriptors:
    """The part of the kernel that keeps the tables of descriptors."""

    def new_descriptor(self, state, process, thing, mode):
        """The lowest number that is free."""
        number = 0
        while (process, number) in state.open:
            number += 1
        state.open[(process, number)] = (thing, mode)
        return Opened(thing.kind, thing.name, mode, process, number)

    def meant(self, state, process, value):
        """(object, mode) that this descriptor means to this process now, or None. Only the number counts: one that is
        closed and given anew means what is new."""
        return state.open.get((process, value.number)) if value.process == process else None

    def value_of(self, thread, written):
        """What a word or a `${…}` stands for."""
        whole = re.fullmatch(r'\$\{([^}]*)\}', str(written))
        return evaluate(whole[1] if whole else written, self.names_of(thread))

    def barred(self, state, thread, written, mode):
        """Is one of these closed, of another process, not for this mode, or a mailbox that must be opened first?"""
        if written == 'anyone' or not self.scenario.files and not self.scenario.has_pipes:
            return False
        answers, descriptors = set(), 0
        for word in written if isinstance(written, list) else [written]:
            value = self.value_of(thread, word)
            for one in value if type(value) is tuple else [value]:
                if isinstance(one, Opened):
                    answers.add((self.meant(state, thread.process, one) or (None, None))[1] != mode)
                    descriptors += 1
                elif isinstance(one, Handle):
                    # the name of a channel, such as `.box` of a message from it, gives no access either
                    answers.add(one in self.scenario.guarded or one.kind == 'channel')
                else:
                    answers.add('nothing')
        if answers == {True, 'nothing'}:
            raise Ambiguous('a source that is closed, and one that is none at all')
        answers.discard('nothing')
        if len(answers) > 1 and not (descriptors and self.scenario.has_pipes):
            raise Ambiguous('some sources are opened, and some are not')
        return True in answers

    def do_close(self, state, key, thread, instruction):
        value = self.value_of(thread, instruction.argument)
        if value is not None and not isinstance(value, Opened):
            raise Ambiguous('close of no descriptor')
        if value is None or not self.meant(state, thread.process, value):
            self.complete(state, key, 'no-right')
            return
        del state.open[(thread.process, value.number)]
        self.complete(state, key, 'ok')
        self.settle(state)

    def do_duplicate(self, state, key, thread, instruction):
        value = self.value_of(thread, instruction.argument)
        if value is not None and not isinstance(value, Opened):
            raise Ambiguous('duplicate of no descriptor')
        what = value and self.meant(state, thread.process, value)
        if not what:
            self.complete(state, key, 'no-right')
            return
        new = self.new_descriptor(state, thread.process, *what)
        self.complete(state, key, 'ok', instruction.keys['into'], new)

    def close_all(self, state, process):
        """The process has ended."""
        for name in [name for name in state.open if name[0] == process]:
            del state.open[name]

    def as_descriptor(self, state, process, handle):
        """How an answer of `select` names an end: by the lowest number under which the process has it open."""
        if handle.kind not in ('pipe', 'channel'):
            return handle
        numbers = [number for (owner, number), what in state.open.items()
                   if owner == process and what == (handle, 'read')]
        if not numbers:
            raise Ambiguous('a select from an end that another thread has closed')
        return Opened(handle.kind, handle.name, 'read', process, min(numbers))

    # ------------------------------------------------------------ who has an end open

    def files_in(self, messages):
        return {what for message in messages for kind, what in message.carried if kind == 'file'}

    def open_ends(self, state):
        """All (object, mode) that are open: in a table, or in a message that somebody can come to receive."""
        lying = {queue: self.files_in([message for message, _ in items]) for queue, items in state.stored.items()
                 if isinstance(queue, Handle) and queue.kind == 'channel'}
        if self.scenario.in_flight == 'leak':
            return set(state.open.values()) | self.files_in(self.on_their_way(state))
        elsewhere = self.on_their_way(state, lambda queue: queue not in lying)
        found = set(state.open.values()) | self.files_in(elsewhere)
        more = True
        while more:
            more = False
            for channel, files in lying.items():
                if (channel, 'read') in found and not files <= found:
                    found, more = found | files, True
        return found

    def can_write(self, state, handle):
        return (handle, 'write') in self.open_ends(state)

    def can_read(self, state, handle):
        return (handle, 'read') in self.open_ends(state)
