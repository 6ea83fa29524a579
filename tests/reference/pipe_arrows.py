"""Arrows to those who could help a thread that waits at a pipe or channel.

A reader is helped by whoever can write, or by all who have the end open that is written to: they can let go of it, by
closing it or by ending. With a writer it is the other way round.
"""
from values import Opened, ThreadError

ASSIGNED = {'receive': 'argument', 'select': 'argument', 'create': 'argument', 'for': 'argument'}


def assigns(instruction):
    """The variables that this instruction may set."""
    if instruction.op == 'set':
        return set(instruction.argument)
    if instruction.op == 'next':
        return {instruction.argument[1]}
    names = {instruction.argument} if instruction.op in ASSIGNED else set()
    return names | {instruction.keys[key] for key in ('into', 'write-end') if key in instruction.keys}


class PipeArrows:
    """The part of the judge that knows descriptors."""

    def stays(self, key, written):
        """Is this a variable with a descriptor that nothing ahead of the thread sets anew?"""
        thread, name = self.state.threads[key], str(written).strip('${}')
        if not isinstance(thread.variables.get(name), Opened):
            return False
        return not any(name in assigns(instruction) for instruction in self.ahead(key))

    def usable(self, key, instruction, mode):
        """Is what this step sends to, or receives from, not a descriptor that is closed or of the wrong mode?"""
        written = instruction.keys.get('to', instruction.keys.get('from'))
        try:
            return not self.machine.barred(self.state, self.state.threads[key], written, mode)
        except ThreadError:
            return True

    def helps_write(self, key, thread):
        pipe = thread.wait[1]
        for other, instruction, known in self.receives_from(pipe):
            self.add(key, other, known)
        self.let_go(key, pipe, 'read')

    def let_go(self, key, handle, mode):
        """All who have this end open let go of it, provided that all of them can."""
        if any((handle, mode) in self.machine.files_in([message])
               for message in self.machine.on_their_way(self.state)):
            for other in self.state.threads:
                self.add(key, other, False)     # whoever receives the message has it open, too
            return
        # a copy that is yet to be made has nothing open
        holders = {process for (process, _), what in self.state.open.items()
                   if what == (handle, mode) and (process.name, 'main', 1) not in self.makers}
        able = {process: self.who_lets_go(process, handle, mode) for process in holders}
        if not all(sure or perhaps for sure, perhaps in able.values()):
            return
        everyone_can = all(sure for sure, _ in able.values())
        for sure, perhaps in able.values():
            for other in sure | perhaps:
                self.add(key, other, everyone_can and other in sure)

    def who_lets_go(self, process, handle, mode):
        """(sure, perhaps): threads of the process that can let go of this end."""
        sure, perhaps = set(self.enders(process)), set()
        for other, instruction in self.others_with('close'):
            if self.state.threads[other].process == process:
                value = self.state.threads[other].variables.get(str(instruction.argument).strip('${}'))
                if not self.stays(other, instruction.argument):
                    perhaps.add(other)
                elif self.machine.meant(self.state, process, value) == (handle, mode):
                    sure.add(other)
        return sure, perhaps - sure

    def holders_end(self, key, wait, processes):
        """Somebody kills these processes: perhaps the wait at a pipe or channel ends then."""
        handles = wait[1] if wait[0] in ('receive', 'select') and wait[1] != 'anyone' else [wait[1]]
        for handle in handles:
            if getattr(handle, 'kind', None) in ('pipe', 'channel'):
                return any(what[0] == handle and process in processes
                           for (process, _), what in self.state.open.items())
        return False
