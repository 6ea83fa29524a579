"""`spawn:` makes a process while others run."""
from values import Ambiguous, Message, template

UNMADE = 'unmade'       # how a process is of which the name is known, and that has not been made yet


class Spawning:
    """The part of the kernel that makes processes."""

    def is_over(self, state, process):
        """Has this process ended? One that has not been made yet has not."""
        return state.alive[process] not in ('alive', UNMADE)

    def unmade(self, state, thread, instruction):
        """The process that this step would make now, or None: the next replica, or that of this member."""
        made_here = self.scenario.spawned[id(instruction)]
        owner = state.text_of.get(thread.process, thread.process)
        family = self.scenario.families.get(owner.name.split('[')[0], [])
        if owner in family:
            made_here = [made_here[family.index(owner)]]
        return next((process for process in made_here if state.alive[process] == UNMADE), None)

    def do_spawn(self, state, key, thread, instruction):
        """A new process begins with the variables and rights that its creator gives it."""
        carried = self.carried_by(state, thread, instruction)
        process = self.unmade(state, thread, instruction)
        good = self.may_carry(state, thread.process, carried) and self.may_give_names(state, thread, process)
        if process is None and not good:
            raise Ambiguous('spawn: no right, and nothing left to make')
        if process is None or not good:
            self.complete(state, key, 'no-right' if process else 'refused')
            return
        message = Message(None, thread.process, None, 0, 0, None, None, None, carried)
        self.depart(state, message)
        self.arrive(state, process, message)
        self.begin_control(state, process, thread.process)
        new_key = self.begin(state, process, self.given(thread, instruction))
        self.complete(state, key, 'ok', instruction.keys.get('into'), process)
        self.moved.add(new_key)
        self.woken.append(new_key)
        self.settle(state)

    def may_give_names(self, state, thread, child):
        """Nobody can give a name server that he could not ask himself, or by way of its ancestors."""
        asked, mine = (self.scenario.name_server.get(one) for one in (child, thread.process))
        while asked is not None and self.may_send(state, thread.process, asked) == 'no-right':
            asked = self.scenario.parent.get(asked)
        return asked is not None or mine is None or child is None

    def given(self, thread, instruction):
        """(code, variables) of the process that this step makes: those of its program, and those behind `with:`."""
        code, variables = instruction.code, dict(instruction.with_)
        names = self.names_of(thread)
        for name, written in (instruction.keys.get('with') or {}).items():
            named = isinstance(written, str) and self.scenario.names.get(written)
            variables[name] = named or template(written, names)
        return code, variables

    def begin(self, state, process, given):
        """The process lives, and its one thread stands before its first step."""
        state.alive[process] = 'alive'
        if process in self.scenario.name_server:
            state.refs[(process, self.scenario.name_server[process])] = 1
        thread = self.new_thread(process, 'main', *given)
        thread.shown, thread.declared = process.name, True
        family = self.scenario.families.get(process.name.split('[')[0], [])
        thread.index = family.index(process) + 1 if process in family else 1
        state.threads[(process.name, 'main', 1)] = thread
        return (process.name, 'main', 1)


def with_children(machine, state, ahead):
    """The state as if every process that can still be made had been made, and who would make them.

    The code of a process that somebody can still make is ahead of him: `makers` maps its thread to his.
    `ahead` gives the instructions ahead of a thread.
    """
    state, after, makers = state.copy(), state.copy(), {}
    state.text_of = after.text_of       # that of copies that are yet to be made, too
    todo = [key for key, thread in state.threads.items() if thread.mode != 'ended']
    while todo:
        key = todo.pop()
        thread = after.threads[key]
        for instruction in ahead(after, key):
            process = instruction.op in ('spawn', 'fork') and machine.unmade(state, thread, instruction)
            if not process:
                continue
            child = (process.name, 'main', 1)
            if key in makers.setdefault(child, set()):
                continue
            makers[child].add(key)
            if child not in after.threads:
                if instruction.op == 'fork':
                    machine.copy_process(after, thread, process, instruction)
                    todo.append(child)
                    continue
                code, variables = instruction.code, dict.fromkeys(instruction.keys.get('with') or {})
                machine.begin(after, process, (code, {**instruction.with_, **variables}))
                for how, port, *_ in machine.carried_by(state, thread, instruction):
                    if how in ('make-send', 'copy-send', 'move-send'):
                        after.refs[(process, port)] = 1
            todo.append(child)
    return after, makers
