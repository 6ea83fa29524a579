"""Reads a scenario (a tree that PyYAML made) into code: a list of instructions for each thread.

What this reference does not know, or what the pages leave open, raises `Ambiguous`: such a scenario is not compared.
"""
import re
from collections import namedtuple

import control_ports
import files
import names
from values import Ambiguous, Handle, size_of


# What a thread does by itself is local work; everything else but `end` is a system call.
LOCAL = {'jump', 'branch', 'set', 'counter', 'count', 'each', 'next', 'choose', 'log', 'assert', 'compute'}
CALLS = set('send receive call reply select yield sleep exit kill join thread suspend resume interrupt drop watch '
            'spawn create destroy limit insert remove register unregister lookup fault open '
            'fork close duplicate'.split())
CONTROL = {'compute', 'set', 'log', 'assert', 'if', 'choose', 'repeat', 'while', 'forever', 'for', 'break', 'continue'}


ASKED = 'asked_of_the_kernel_'        # how the variables begin that hold what `refs` and `rights-of` gave


class Instruction:
    """One instruction: `op`, its argument, the keys of its step, and where to go on.

    `when` holds the place of the handler for each outcome that the step handles; `to` where a jump goes. `code` is that
    of the thread or process that the step begins, `with_` what the program of such a process gives it, `asks` what a
    call asks of the name server.
    """
    def __init__(self, op, argument=None, keys=None):
        self.op, self.argument, self.keys = op, argument, keys or {}
        self.when, self.to, self.code, self.with_, self.asks = {}, None, None, {}, None


def capacity_of(value):
    """('none',) ('messages', N) ('bytes', N) ('undefined',) or ('unlimited',)"""
    if value in (None, 'none', 0):
        return ('none',)
    if value in ('undefined', 'unlimited'):
        return (value,)
    if isinstance(value, int):
        return ('messages', value)
    return ('bytes', size_of(value))


def compile_body(steps, start=None):
    """The code of one thread; its last instruction is `end`. A process with a `start:` sleeps until then."""
    code = [Instruction('sleep', start)] if start else []
    compile_steps(code, steps, [])
    code.append(Instruction('end'))
    return code


def compile_steps(code, steps, loops):
    """Appends the instructions of these steps. `loops` are the loops around: (place to go on, breaks to fill in)."""
    def emit(op, argument=None, keys=None):
        code.append(Instruction(op, argument, keys))
        return code[-1]

    for step in steps or []:
        if isinstance(step, str):       # `- yield`
            step = {step: None}
        verb = next((key for key in step if key in CALLS or key in CONTROL), None)
        if verb is None:
            raise Ambiguous('step ' + ' '.join(map(str, step)))
        for key in ('set', 'if', 'while', 'assert'):
            if key in step and key != 'while':
                step = {**step, key: ask_kernel(emit, step[key])}
        argument = step[verb]
        if verb in CALLS:
            call = emit(verb, argument, step)
            if verb in names.ASKS:
                call.op, call.asks = 'name', verb
                if verb == 'lookup':
                    call.asks = 'look-up' if step.get('wait', 'never') == 'never' else 'await'
                if call.asks == 'look-up':      # nobody waits for a registration, but everybody for the answer
                    call.keys = {**step, 'wait': 'forever'}
            if verb == 'thread' or (verb in ('spawn', 'fork') and 'do' in step):
                call.code = compile_body(step['do'])
            jumps = []
            if step.get('when'):
                jumps.append(emit('jump'))
                for outcome, body in step['when'].items():
                    call.when[outcome] = len(code)
                    compile_steps(code, body, loops)
                    jumps.append(emit('jump'))
            for jump in jumps:
                jump.to = len(code)
        elif verb in ('compute', 'log', 'assert', 'set'):
            emit(verb, argument)
        elif verb == 'if':
            branch = emit('branch', argument)
            compile_steps(code, step.get('then'), loops)
            jump = emit('jump')
            branch.to = len(code)
            compile_steps(code, step.get('else'), loops)
            jump.to = len(code)
        elif verb == 'choose':
            choice, jumps = emit('choose'), []
            choice.to = []
            for body in argument:
                choice.to.append(len(code))
                compile_steps(code, body, loops)
                jumps.append(emit('jump'))
            for jump in jumps:
                jump.to = len(code)
        elif verb in ('repeat', 'while', 'forever', 'for'):
            test = None
            if verb == 'repeat':
                emit('counter', argument)
            if verb == 'for':
                emit('each', step['in'])
            top, breaks = len(code), []
            if verb == 'repeat':
                test = emit('count', top - 1)
            elif verb == 'while':
                test = emit('branch', ask_kernel(emit, argument))
            elif verb == 'for':
                test = emit('next', (top - 1, argument))
            compile_steps(code, argument if verb == 'forever' else step['do'], loops + [(top, breaks)])
            emit('jump').to = top
            if test:
                test.to = len(code)
            for jump in breaks:
                jump.to = len(code)
        elif verb == 'break':
            loops[-1][1].append(emit('jump'))
        elif verb == 'continue':
            emit('jump').to = loops[-1][0]


def ask_kernel(emit, written, where=''):
    """`refs(…)` and `rights-of(…)` are calls of their own, before the step. Gives the expression without them."""
    if isinstance(written, dict):
        return {name: ask_kernel(emit, one, name.replace('-', '_')) for name, one in written.items()}

    def instead(match):
        answer = f'{ASKED}{where}_{match.start()}'
        emit('rights', (match[1], match[2]), {'into': answer})
        return answer
    return re.sub(r'\b(refs|rights-of)\(((?:[^()]|\([^()]*\))*)\)', instead, written) if isinstance(written, str) else written


def successors(code, place):
    """Where a thread can be after the instruction at `place`, whatever comes of it."""
    instruction = code[place]
    if instruction.op == 'jump':
        return [instruction.to]
    if instruction.op == 'choose':
        return instruction.to
    if instruction.op in ('branch', 'count', 'next'):
        return [place + 1, instruction.to]
    if instruction.op in ('end', 'exit'):
        return []
    return [place + 1] + list(instruction.when.values())


Box = namedtuple('Box', 'capacity order receiver max_size')
# A thread that a process begins with.
Declared = namedtuple('Declared', 'process name shown index thread_index code variables')

KERNEL_KEYS = ('buffering memory message-overhead memory-full receiver sender too-large wake cpus scheduler seed '
               'quantum costs preempt detect set-order fork personality pipe-buf in-flight-cycles byte-order').split()
SPAWN_KEYS = 'spawn fork exception-port user names with rights into do program daemon priority replicas when'.split()
PROCESS_KEYS = 'exception-port user protected names replicas do threads program with daemon priority capacity start'.split()


class Scenario:
    """What a scenario declares."""
    def __init__(self, document):
        kernel = document.get('kernel') or {}
        self.text = str(document)
        for key in document:
            if key not in ('title', 'about', 'slide', 'kernel', 'mailboxes', 'processes', 'programs', 'expect',
                           'ports', 'names', 'port-sets', 'files'):
                raise Ambiguous('top level ' + key)
        for key in kernel:
            if key not in KERNEL_KEYS:
                raise Ambiguous('kernel.' + key)
        wake = kernel.get('wake', 'hand-over')
        sides = wake if isinstance(wake, dict) else {'senders': wake, 'receivers': wake}
        self.again = {side for side in sides if sides[side] == 'look-again'}
        if self.again and 'memory' in kernel:
            raise Ambiguous('look-again with limited memory')
        self.buffering = capacity_of(kernel.get('buffering'))
        memory = kernel.get('memory', 'unlimited')
        self.memory = None if memory == 'unlimited' else size_of(memory)
        self.overhead = size_of(kernel.get('message-overhead', 0))
        self.memory_full = kernel.get('memory-full', 'wait')
        self.receiver, self.sender = kernel.get('receiver', 'fifo'), kernel.get('sender', 'fifo')
        self.too_large = kernel.get('too-large', 'keep')
        self.detect = kernel.get('detect', 'report')
        if self.detect != 'report' and (self.again or self.memory is not None):
            raise Ambiguous('detect: refuse with look-again or limited memory')
        if kernel.get('personality', 'pipe') != 'pipe':
            raise Ambiguous('personality')
        self.fork, self.in_flight = kernel.get('fork', 'one-thread'), kernel.get('in-flight-cycles', 'collect')
        self.pipe_buf, self.byte_order = size_of(kernel.get('pipe-buf', '4KiB')), kernel.get(
            'byte-order', 'fits' if 'personality' in kernel else 'fifo')
        self.has_pipes = bool(re.search(r"'(write-end|close|duplicate)': |'as': 'file'", self.text))
        self.families = {}          # name -> handles of the members
        self.boxes = {}             # handle of a mailbox -> Box
        self.held = {}              # handle of a mailbox -> what the messages say that lie in it from the start
        self.read_mailboxes(document.get('mailboxes') or {})
        self.processes = []         # handles
        self.protected = set()
        self.handler, self.thread_handler = {}, {}  # process; (process, name of thread) -> name of a port
        self.daemon, self.link_capacity, self.priority = {}, {}, {}
        self.threads = []           # Declared
        self.asks_at = {}           # process -> the name of its name server, or of a port, or None
        for name, declared in document['processes'].items():
            self.read_process(name, declared, document.get('programs') or {})
        files.declare(self, document, document['processes'])
        self.spawned = {}           # number of a `spawn` or `fork` instruction -> the processes that it makes
        self.forked = set()
        for one in list(self.threads):
            self.read_spawns(one.code, one.process, document.get('programs') or {})
        self.backup = {}            # port -> process
        self.holder, self.send_rights = {}, {}      # port -> process; (process, port) -> references
        self.read_ports(document.get('ports') or {})
        self.sets, self.set_members, self.set_order = {}, {}, kernel.get('set-order', 'merged')
        self.read_sets(document.get('port-sets') or {})
        self.name_server, self.parent = {}, {}      # process -> port that it asks; port -> that of the parent
        self.read_names(names.declarations(document))
        control_ports.declare(self, document, Box(('messages', 5), 'fifo', self.receiver, None))
        self.names = {handle.name: handle for handle in list(self.boxes) + list(self.sets) + self.processes}
        # a bare word in `with:` may be the name of something declared
        self.threads = [one._replace(variables={name: self.names.get(value, value) if isinstance(value, str) else value
                                                for name, value in one.variables.items()}) for one in self.threads]

    def read_spawns(self, code, creator, programs):
        """Declares the processes that this code can make."""
        for instruction in code:
            if instruction.op == 'thread':
                self.read_spawns(instruction.code, creator, programs)
            if instruction.op not in ('spawn', 'fork') or id(instruction) in self.spawned:
                continue
            keys, name = instruction.keys, instruction.argument
            for key in keys:
                if key not in SPAWN_KEYS:
                    raise Ambiguous('spawn key ' + key)
            if 'program' in keys:
                program = programs[keys['program']]
                instruction.code, instruction.with_ = compile_body(program['do']), program.get('with') or {}
            family = self.families.get(creator.name.split('[')[0])
            if family and 'replicas' in keys:
                raise Ambiguous('replicas made by a family')
            made = self.members('process', name, len(family) if family else keys.get('replicas'))
            self.spawned[id(instruction)] = made
            self.forked |= set(made) if instruction.op == 'fork' else set()
            for process in made:
                self.asks_at[process] = keys.get('names', self.asks_at[creator])
                self.processes.append(process)
                self.handler[process] = keys.get('exception-port', self.handler.get(creator))
                self.user[process] = keys.get('user', self.user.get(creator))
                self.daemon[process] = bool(keys.get('daemon'))
                self.priority[process] = keys.get('priority', self.priority[creator])
                self.link_capacity[process] = self.buffering
            if instruction.code:
                self.read_spawns(instruction.code, made[0], programs)

    def members(self, kind, name, replicas):
        """The handles that a declaration makes: one, or a family."""
        if replicas is None:
            return [Handle(kind, name)]
        self.families[name] = [Handle(kind, f'{name}[{i + 1}]') for i in range(replicas)]
        return self.families[name]

    def read_mailboxes(self, mailboxes):
        for name, declared in mailboxes.items():
            declared = declared or {}
            box = Box(capacity_of(declared['capacity']) if 'capacity' in declared else self.buffering,
                      declared.get('order', 'fifo'), declared.get('receiver', self.receiver),
                      size_of(declared['max-size']) if 'max-size' in declared else None)
            for handle in self.members('box', name, declared.get('replicas')):
                self.boxes[handle] = box
                self.held[handle] = declared.get('holds') or []

    def read_ports(self, ports):
        by_name = {process.name: process for process in self.processes}
        for name, declared in ports.items():
            if set(declared) - {'receive', 'backup', 'send', 'capacity'}:
                raise Ambiguous('port key')
            port = Handle('port', name)
            self.boxes[port] = Box(('messages', declared.get('capacity', 5)), 'fifo', self.receiver, None)
            self.holder[port] = by_name[declared['receive']]
            if 'backup' in declared:
                self.backup[port] = by_name[declared['backup']]
            for process in declared.get('send', []):
                self.send_rights[(by_name[process], port)] = 1

    def read_sets(self, declared):
        """sets: port set -> process; set_members: port set -> its ports at the beginning"""
        objects = {handle.name: handle for handle in list(self.holder) + self.processes}
        for name, one in declared.items():
            port_set = Handle('set', name)
            self.sets[port_set] = objects[one['of']]
            self.set_members[port_set] = tuple(objects[port] for port in one.get('members') or [])

    def read_names(self, declared):
        """The name servers, which are processes with a port of their own, and who asks which."""
        ports = {name: Handle('port', name) for name in declared}
        objects = {handle.name: handle for handle in list(self.boxes) + self.processes}
        code = compile_body(names.program()) if declared else []
        for name, server in declared.items():
            process, parent = Handle('process', name), ports.get(server.get('parent'))
            entries = names.entries_of(server, objects)
            self.processes.append(process)
            self.daemon[process], self.priority[process], self.link_capacity[process] = True, 0, self.buffering
            self.boxes[ports[name]] = Box(('messages', 5), 'fifo', self.receiver, None)
            self.holder[ports[name]] = process
            self.threads.append(Declared(process, 'main', name, 1, 1, code,
                                         {'port': ports[name], 'parent': parent, 'entries': entries}))
            if parent:
                self.send_rights[(process, parent)], self.parent[ports[name]] = 1, parent
            for _, thing, needs_right, _ in entries:
                if needs_right:
                    self.send_rights[(process, thing)] = self.send_rights.get((process, thing), 0) + 1
        self.servers = set(ports.values())
        objects = {handle.name: handle for handle in self.holder}
        for process, name in self.asks_at.items():
            if name or len(ports) == 1:
                self.name_server[process] = port = ports.get(name) or objects.get(name) or next(iter(ports.values()))
                if not any(process in made for made in self.spawned.values()):
                    self.send_rights.setdefault((process, port), 1)

    def read_process(self, name, declared, programs):
        if isinstance(declared, list):
            declared = {'do': declared}
        for key in declared:
            if key not in PROCESS_KEYS:
                raise Ambiguous('process key ' + key)
        variables, ports = {}, {}
        if 'program' in declared:
            program = programs[declared['program']]
            variables.update(program.get('with') or {})
            bodies = [('main', compile_body(program['do'], declared.get('start')), None)]
        elif 'threads' in declared:
            bodies = []
            for thread, body in declared['threads'].items():
                if isinstance(body, list):
                    body = {'do': body}
                ports[thread] = body.get('exception-port')
                bodies.append((thread, compile_body(body['do'], declared.get('start')), body.get('replicas')))
        else:
            bodies = [('main', compile_body(declared['do'], declared.get('start')), None)]
        variables.update(declared.get('with') or {})
        for position, process in enumerate(self.members('process', name, declared.get('replicas'))):
            self.processes.append(process)
            self.asks_at[process] = declared.get('names')
            self.handler[process] = declared.get('exception-port')
            if declared.get('protected'):
                self.protected.add(process)
            self.daemon[process] = bool(declared.get('daemon'))
            self.priority[process] = declared.get('priority', 0)
            own = 'capacity' in declared
            self.link_capacity[process] = capacity_of(declared['capacity']) if own else self.buffering
            self.thread_handler.update({(process, thread): port for thread, port in ports.items() if port})
            for thread, code, replicas in bodies:
                for number in range(1, (replicas or 1) + 1):
                    shown = process.name
                    if 'threads' in declared:
                        shown += '.' + thread + (f'[{number}]' if (replicas or 1) > 1 else '')
                    self.threads.append(Declared(process, thread, shown, position + 1, number, code, variables))
