"""Threads and processes: how they begin, are controlled, and end."""
from values import Ambiguous


class Processes:
    """The part of the kernel that knows threads and processes."""

    def living(self, state, process, name):
        """The threads of this process under this name (`worker`, `worker[2]`) that have not ended."""
        found = []
        for key, thread in state.threads.items():
            if thread.process == process and thread.mode != 'ended':
                if name == thread.name or (thread.declared and name == f'{thread.name}[{thread.thread_index}]'):
                    found.append(key)
        return found

    def targets(self, state, thread, written):
        """Whom `kill`, `suspend`, `resume`, `interrupt` mean: processes, and threads of the own process."""
        if isinstance(written, list):
            found = [self.targets(state, thread, word) for word in written]
            return [one for processes, _ in found for one in processes], [one for _, keys in found for one in keys]
        word = str(written)
        if not word.startswith('${') and word not in thread.variables and word.split('[')[0] not in self.words:
            return [], self.living(state, thread.process, word)
        return self.resolve(thread, written), []

    def end_thread(self, state, key, with_its_port=True):
        """Ends one thread: what it waits for is withdrawn. One that was started while running is forgotten."""
        thread = state.threads[key]
        chance = thread.wait if thread.mode == 'again' else None
        if thread.mode in ('wait', 'again'):
            self.withdraw(state, thread.wait)
            self.leave_queues(state, key)
        thread.mode, thread.suspended = 'ended', 0
        if with_its_port:
            self.end_control(state, thread.process, key)
        if chance:
            self.pass_on(state, chance)
        self.moved.add(key)
        self.woken = [other for other in self.woken if other != key]
        if not thread.declared:
            del state.threads[key]

    def end_process_if_empty(self, state, process):
        if all(thread.mode == 'ended' for thread in state.threads.values() if thread.process == process):
            self.end_process(state, process, 'ended')
        else:
            self.settle(state)

    def end_process(self, state, process, how):
        if state.alive[process] != 'alive':
            return
        state.alive[process] = how
        if how == 'failed':
            others = any(state.alive[other] == 'alive' and not self.scenario.daemon[other] for other in state.alive)
            if others or not self.scenario.daemon[process]:
                state.failed = True
        ending = [key for key, thread in state.threads.items() if thread.process == process and thread.mode != 'ended']
        for key in ending:
            self.end_thread(state, key, False)
        for key in ending + [None]:             # nobody of this process is told any more
            self.end_control(state, process, key)
        self.close_all(state, process)
        for queue in list(state.stored):
            if not self.is_box(queue) and queue[1] == process:
                for message, _ in state.stored.pop(queue):
                    self.lose(state, message)
        for key, thread in list(state.threads.items()):
            if thread.mode == 'wait' and thread.wait[0] in ('send', 'memory'):
                queue = thread.wait[1]
                if not self.is_box(queue) and queue[1] == process:
                    self.complete_waiting(state, key, 'dead')
        self.forget_watches(state, process)
        self.lose_kept(state, lambda sender, port: sender == process)
        state.refs = {name: count for name, count in state.refs.items() if name[0] != process}
        for port in list(state.holder):
            if state.holder[port] == process:
                self.port_loses_receiver(state, port)
        for right in [right for right, holder in state.once.items() if holder == process]:
            self.once_lost(state, right)
        for request, (what, by) in list(state.requests.items()):
            if what == 'taken' and by == process:
                state.requests[request] = ('gone', None)
                caller = self.caller_of(state, request)
                if caller:
                    self.complete(state, caller, 'dead')
        self.settle(state)

    def do_end(self, state, key, thread, instruction):
        self.end_thread(state, key)
        self.end_process_if_empty(state, thread.process)

    def do_exit(self, state, key, thread, instruction):
        self.end_process(state, thread.process, 'failed' if instruction.argument else 'ended')

    def do_thread(self, state, key, thread, instruction):
        """A new thread begins with a copy of all variables."""
        number = 1
        while (thread.process.name, instruction.argument, number) in state.threads:
            number += 1
        if number > 8:
            raise Ambiguous('ever more threads')
        started = self.new_thread(thread.process, instruction.argument, instruction.code, dict(thread.variables))
        started.index = thread.index
        new_key = (thread.process.name, instruction.argument, number)
        state.threads[new_key] = started
        self.moved.add(new_key)
        self.complete(state, key, 'ok')
        self.woken.append(new_key)

    def do_join(self, state, key, thread, instruction):
        name = str(instruction.argument)
        if not self.living(state, thread.process, name):
            self.complete(state, key, 'ok')
        elif self.never(instruction):
            self.complete(state, key, 'would-block')
        else:
            self.block(thread, ('join', name))

    def do_kill(self, state, key, thread, instruction):
        processes, threads = self.targets(state, thread, instruction.argument)
        if self.protects(state, thread, processes):
            self.complete(state, key, 'no-right')
        else:
            self.kill_by(state, key, thread, processes, threads)

    def kill_by(self, state, key, thread, processes, threads):
        """Ends these processes and threads; `thread`, which does it, may be among them."""
        for target in threads:
            process = state.threads[target].process
            self.end_thread(state, target)
            self.end_process_if_empty(state, process)
        for process in processes:
            self.end_process(state, process, 'ended')
        if thread.mode != 'ended':
            self.complete(state, key, 'ok')

    def controlled(self, state, thread, instruction):
        """The threads that suspend, resume and interrupt mean, or the outcome if that cannot be."""
        processes, threads = self.targets(state, thread, instruction.argument)
        if self.protects(state, thread, processes):
            return 'no-right'
        if any(state.alive[process] != 'alive' for process in processes):
            if len(processes) > 1:
                raise Ambiguous('control of a family of which one has ended')
            return 'dead'
        if not processes and not threads:
            raise Ambiguous('control of a thread that has ended')
        return threads + [key for key, other in state.threads.items()
                          if other.process in processes and other.mode != 'ended']

    def do_suspend(self, state, key, thread, instruction):
        self.suspend_threads(state, key, self.controlled(state, thread, instruction))

    def suspend_threads(self, state, key, targets):
        """`targets` are the threads, or an outcome with which the call of `key` ends at once."""
        if isinstance(targets, str):
            self.complete(state, key, targets)
            return
        self.complete(state, key, 'ok')
        for target in targets:
            state.threads[target].suspended += 1

    def do_resume(self, state, key, thread, instruction):
        self.resume_threads(state, key, self.controlled(state, thread, instruction))

    def resume_threads(self, state, key, targets):
        if isinstance(targets, str):
            self.complete(state, key, targets)
            return
        suspended = [target for target in targets if state.threads[target].suspended]
        if suspended and len(suspended) < len(targets):
            raise Ambiguous('resume where only some are suspended')
        for target in suspended:
            state.threads[target].suspended -= 1
            if not state.threads[target].suspended:
                self.moved.add(target)
        self.complete(state, key, 'ok' if suspended else 'refused')

    def do_interrupt(self, state, key, thread, instruction):
        self.interrupt_threads(state, key, self.controlled(state, thread, instruction))

    def interrupt_threads(self, state, key, targets):
        if isinstance(targets, str):
            self.complete(state, key, targets)
            return
        self.complete(state, key, 'ok')
        for target in targets:
            if state.threads[target].place == 0 and state.threads[target].instruction().op == 'sleep':
                raise Ambiguous('interrupt of a process that perhaps has not begun')
            if state.threads[target].mode == 'again':
                raise Ambiguous('interrupt of a thread that was made ready to look again')
            if state.threads[target].mode == 'wait':
                self.complete_waiting(state, target, 'interrupted')
        self.settle(state)
