"""`fork:` makes a copy of a process, with the one thread that forks."""
from descriptors import rebased
from values import Ambiguous, Message


class Forking:
    """The part of the kernel that copies processes."""

    def is_forked(self, process):
        return process in self.scenario.forked

    def do_fork(self, state, key, thread, instruction):
        siblings = [other for other, one in state.threads.items()
                    if one.process == thread.process and other != key and one.mode != 'ended']
        if siblings and self.scenario.fork == 'all-threads':
            raise Ambiguous('fork: all-threads')
        carried = self.carried_by(state, thread, instruction)
        child = self.unmade(state, thread, instruction)
        good = self.may_carry(state, thread.process, carried)
        refused = child is None or siblings and self.scenario.fork == 'refuse'
        if refused and not good:
            raise Ambiguous('fork: no right, and refused')
        if refused or not good:
            self.complete(state, key, 'refused' if refused else 'no-right')
            return
        message = Message(None, thread.process, None, 0, 0, None, None, None, carried)
        self.depart(state, message)
        self.arrive(state, child, message)
        self.begin_control(state, child, thread.process)
        new_key = self.copy_process(state, thread, child, instruction)
        self.complete(state, key, 'ok', instruction.keys.get('into'), child)
        self.moved.add(new_key)
        self.woken.append(new_key)
        self.settle(state)

    def copy_process(self, state, thread, child, instruction):
        """The child stands before the first step of `do:`, or behind the `fork`. Gives its one thread."""
        parent = thread.process
        state.text_of[child] = child if instruction.code else state.text_of.get(parent, parent)
        variables = {name: rebased(value, parent, child) for name, value in thread.variables.items()}
        if instruction.keys.get('into'):
            variables[instruction.keys['into']] = None
        new_key = self.begin(state, child, (instruction.code or thread.code, variables))
        for (process, number), what in list(state.open.items()):
            if process == parent:
                state.open[(child, number)] = what
        if not instruction.code:
            new = state.threads[new_key]
            new.place = instruction.when.get('ok', thread.place + 1)
            new.counters = {place: rebased(value, parent, child) for place, value in thread.counters.items()}
        return new_key
