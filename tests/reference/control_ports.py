"""The ports of processes and threads: to send `suspend`, `resume`, `interrupt` or `kill` there does it."""
from values import Ambiguous, Handle, template

KERNEL = 'kernel'       # who receives from such a port
WORDS = ('suspend', 'resume', 'interrupt', 'kill')


def declare(scenario, document, box):
    """Each process has a port, and each thread that it starts with; it has a send right to all of them.

    `box` says how such a port is as a queue.
    """
    scenario.control_ports = {}         # port -> (process, key of the thread or None)
    if 'task-of(' not in str(document) and 'thread-of(' not in str(document):
        return
    for process in scenario.processes:
        scenario.control_ports[task_port(process)] = (process, None)
    several = {}
    for one in scenario.threads:
        several.setdefault(one.process, []).append(one)
    for process in scenario.processes:
        for one in several.get(process, []):
            key = (process.name, one.name, one.thread_index)
            scenario.control_ports[thread_port(one.shown)] = (process, key)
        if process not in several:      # a `spawn:` makes it
            scenario.control_ports[thread_port(process.name)] = (process, (process.name, 'main', 1))
    made_later = {process for made in scenario.spawned.values() for process in made}
    for port, (process, _) in scenario.control_ports.items():
        scenario.boxes[port] = box
        scenario.holder[port] = KERNEL
        if process not in made_later:
            scenario.send_rights[(process, port)] = 1


def task_port(process):
    return Handle('port', f'task-of({process.name})')


def thread_port(shown):
    return Handle('port', f'thread-of({shown})')


class ControlPorts:
    """The part of the kernel that does what is sent to these ports, and protects processes."""

    def task_of(self, process):
        """`task-of(P)`"""
        if not isinstance(process, Handle) or process.kind != 'process':
            raise Ambiguous('task-of what is no process')
        return task_port(process)

    def thread_of(self, process, name='', number=''):
        """`thread-of(P)`, `thread-of(P.worker)` or `thread-of(P.worker[2])`"""
        if not isinstance(process, Handle) or process.kind != 'process':
            raise Ambiguous('thread-of what is no process')
        found = [port for port, (owner, key) in self.scenario.control_ports.items()
                 if owner == process and key and name in ('', key[1]) and number in ('', str(key[2]))]
        if len(found) != 1:
            raise Ambiguous('thread-of no thread, or of several')
        return found[0]

    def begin_control(self, state, process, creator):
        """A process that is made has rights to its ports, and its creator one to its port."""
        for port, (owner, key) in self.scenario.control_ports.items():
            for holder in (process, creator) if key is None else (process,):
                if owner == process:
                    state.refs[(holder, port)] = state.refs.get((holder, port), 0) + 1

    def end_control(self, state, process, key=None):
        """The port of a process or thread dies with it."""
        for port, owner in self.scenario.control_ports.items():
            if owner == (process, key) and state.holder[port] is not None:
                self.port_dies(state, port)

    def protects(self, state, thread, processes):
        """Is one of these protected from this thread?"""
        others = [process for process in processes
                  if process in self.scenario.protected and process != thread.process]
        if others and len(processes) > 1:
            raise Ambiguous('control of several of which one is protected')
        if any(state.alive[process] != 'alive' for process in others):
            raise Ambiguous('control of a protected process that has ended')
        if any(state.refs.get((thread.process, task_port(process))) for process in others):
            raise Ambiguous('control by name of a protected process, with a right to its port')
        return bool(others)

    def control_by_message(self, state, key, thread, instruction, port):
        """What was sent to the port of a process or thread is done at once."""
        if instruction.op != 'send' or {'rights', 'reply-to', 'hold-one', 'size', 'type'} & set(instruction.keys):
            raise Ambiguous('more than a plain message to the port of a process')
        word = template(instruction.argument, self.names_of(thread))
        if word not in WORDS:
            raise Ambiguous('another word to the port of a process')
        process, target = self.scenario.control_ports[port]
        if word == 'kill':
            self.kill_by(state, key, thread, [] if target else [process], [target] if target else [])
            return
        targets = [target] if target else [other for other, one in state.threads.items()
                                           if one.process == process and one.mode != 'ended']
        getattr(self, word + '_threads')(state, key, targets)
