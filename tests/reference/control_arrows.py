"""Arrows to those who could help by an exception, its answer, or a message to the port of a process."""
from values import ThreadError


class ControlArrows:
    """The part of the judge that knows exceptions, and control by message."""

    def helps_fault(self, key, thread):
        """A thread that waits for its handler waits for an answer."""
        self.helps_reply(key, thread)

    def helps_handler(self, key, sources):
        """Exceptions of others come to whoever receives from their exception port."""
        for other, thread in self.state.threads.items():
            if other != key and thread.mode != 'ended' and self.ahead(other):
                # whether what could be an exception counts the pages do not say
                if any(port in sources for port in self.machine.handlers(thread)):
                    self.add(key, other, False)

    def by_control(self, key, thread, other, instruction):
        """What another instruction ahead of a thread does to the wait of this one."""
        if instruction.op == 'send' and other != key and self.scenario.control_ports:
            self.by_message(key, thread, other, instruction)
        if instruction.op == 'kill' and other == key:
            self.by_own_kill(key, thread, instruction)
        if instruction.op == 'fault':
            self.by_failing(key, thread, other)

    def by_own_kill(self, key, thread, instruction):
        """What a thread does to itself is no help; that it kills those for whose end it waits perhaps is."""
        try:
            processes, _ = self.machine.targets(self.state, thread, instruction.argument)
        except ThreadError:
            return
        others = [process for process in processes
                  if process != thread.process and self.may_control(thread.process, process)]
        if others and not self.answered_by_another(thread, others):
            self.control_of_others(key, thread, key, others, [])

    def answered_by_another(self, thread, processes):
        """Does the thread wait for an answer of somebody else than these?"""
        if thread.mode != 'wait' or thread.wait[0] not in ('reply', 'fault'):
            return False
        what, by = self.state.requests[thread.wait[1]]
        return what == 'taken' and by not in processes

    def by_message(self, key, thread, other, instruction):
        """A send ahead of another thread to the port of a process or thread."""
        word = str(instruction.argument)
        if word not in ('resume', 'interrupt', 'kill') and '$' not in word:
            return
        if (word == 'resume' and not thread.suspended) or (word == 'interrupt' and thread.mode != 'wait'):
            return
        handles, known = self.handles(other, instruction.keys['to'])
        actor = self.state.threads[other].process
        targets = [self.scenario.control_ports[port] for port in handles if port in self.scenario.control_ports]
        if not known or '$' in word:
            self.add(key, other, False)
            return
        for process, target in targets:
            if process == thread.process and target in (None, key):
                own = word == 'kill' and actor == thread.process
                both = thread.suspended and thread.mode == 'wait'
                self.add(key, other, self.has_right(actor, instruction, handles) and not own and not both)
            elif word == 'kill':        # whose end would end the wait; as with `kill`
                self.control_of_others(key, thread, other, [process], [target] if target else [])

    def may_control(self, actor, process):
        """Is `kill` and the like of this process by name no `no-right`?"""
        return process not in self.scenario.protected or process == actor

    def by_failing(self, key, thread, other):
        """A `fault:` may end the process: the pages do not say whether a program so comes to an end."""
        process = self.state.threads[other].process
        if process == thread.process or thread.mode != 'wait':
            return
        if thread.wait[0] == 'fault' and not self.answered_by_another(thread, [process]):
            self.add(key, other, False)
        elif not self.answered_by_another(thread, [process]):
            self.control_of_others(key, thread, other, [process], [])
