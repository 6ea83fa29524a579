"""Reads a scenario (a tree that PyYAML made) into code: a list of instructions for each thread.

What this reference does not know, or what the pages leave open, raises `Ambiguous`: such a scenario is not compared.
"""
import re
from collections import namedtuple


class Ambiguous(Exception):
    """The pages do not say what happens here, or the reference does not know this part of the language."""


class ThreadError(Exception):
    """An exception of a thread of the scenario: it ends its process as failed."""


# A handle names a process or a mailbox. It is shown, and compared, as its name.
Handle = namedtuple('Handle', 'kind name')



# A send-once right to a port.
Once = namedtuple('Once', 'number port')


MESSAGE = 'body sender type priority size box request given carried rights'


class Message(namedtuple('Message', MESSAGE, defaults=((), ()))):
    """`request` is the number of the call of which the message is the request, or None; `given` is its `reply-to:`.

    `carried` are the rights that go with it, as ('copy-send', port); `rights` is what the receiver finds in `.rights`.
    """
    __slots__ = ()

    @property
    def reply__to(self):
        """`.reply-to`: the right to answer, if the message is a request."""
        return self if self.request is not None else self.given


# What a thread does by itself is local work; everything else but `end` is a system call.
LOCAL = {'jump', 'branch', 'set', 'counter', 'count', 'each', 'next', 'choose', 'log', 'assert', 'compute'}
CALLS = {'send', 'receive', 'call', 'reply', 'select', 'yield', 'sleep', 'exit', 'kill', 'join', 'thread',
         'suspend', 'resume', 'interrupt', 'drop', 'watch'}
CONTROL = {'compute', 'set', 'log', 'assert', 'if', 'choose', 'repeat', 'while', 'forever', 'for', 'break', 'continue'}


class Instruction:
    """One instruction: `op`, its argument, the keys of its step, and where to go on.

    `when` holds the place of the handler for each outcome that the step handles; `to` where a jump goes.
    """
    def __init__(self, op, argument=None, keys=None):
        self.op, self.argument, self.keys = op, argument, keys or {}
        self.when, self.to, self.code = {}, None, None


def size_of(value):
    """A size in bytes: 64B, 4KiB, 1MiB."""
    if isinstance(value, int):
        return value
    match = re.fullmatch(r'(\d+)(B|KiB|MiB)', str(value))
    if not match:
        raise Ambiguous('size ' + str(value))
    return int(match[1]) * {'B': 1, 'KiB': 1024, 'MiB': 1 << 20}[match[2]]


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
        verb = next((key for key in step if key in CALLS or key in CONTROL), None)
        if verb is None:
            raise Ambiguous('step ' + ' '.join(map(str, step)))
        argument = step[verb]
        if verb in CALLS:
            call = emit(verb, argument, step)
            if verb == 'thread':
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
                test = emit('branch', argument)
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
               'quantum costs preempt detect').split()
PROCESS_KEYS = 'replicas do threads program with daemon priority capacity start'.split()


class Scenario:
    """What a scenario declares."""
    def __init__(self, document):
        kernel = document.get('kernel') or {}
        for key in document:
            if key not in ('title', 'about', 'slide', 'kernel', 'mailboxes', 'processes', 'programs', 'expect',
                           'ports'):
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
        self.families = {}          # name -> handles of the members
        self.boxes = {}             # handle of a mailbox -> Box
        self.read_mailboxes(document.get('mailboxes') or {})
        self.processes = []         # handles
        self.daemon, self.link_capacity, self.priority = {}, {}, {}
        self.threads = []           # Declared
        for name, declared in document['processes'].items():
            self.read_process(name, declared, document.get('programs') or {})
        self.holder, self.send_rights = {}, {}      # port -> process; (process, port) -> references
        self.read_ports(document.get('ports') or {})
        self.names = {handle.name: handle for handle in list(self.boxes) + self.processes}
        # a bare word in `with:` may be the name of something declared
        self.threads = [one._replace(variables={name: self.names.get(value, value) if isinstance(value, str) else value
                                                for name, value in one.variables.items()}) for one in self.threads]

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

    def read_ports(self, ports):
        by_name = {process.name: process for process in self.processes}
        several = len({one.process for one in self.threads}) < len(self.threads)
        if ports and (several or self.memory is not None or self.again):
            raise Ambiguous('ports, and several threads, limited memory or look-again')
        for name, declared in ports.items():
            if set(declared) - {'receive', 'send', 'capacity'} or declared.get('capacity') == 0:
                raise Ambiguous('port key, or capacity 0')
            port = Handle('port', name)
            self.boxes[port] = Box(capacity_of(declared.get('capacity', 5)), 'fifo', self.receiver, None)
            self.holder[port] = by_name[declared['receive']]
            for process in declared.get('send', []):
                self.send_rights[(by_name[process], port)] = 1

    def read_process(self, name, declared, programs):
        if isinstance(declared, list):
            declared = {'do': declared}
        for key in declared:
            if key not in PROCESS_KEYS:
                raise Ambiguous('process key ' + key)
        variables = {}
        if 'program' in declared:
            program = programs[declared['program']]
            variables.update(program.get('with') or {})
            bodies = [('main', compile_body(program['do'], declared.get('start')), None)]
        elif 'threads' in declared:
            bodies = []
            for thread, body in declared['threads'].items():
                if isinstance(body, list):
                    body = {'do': body}
                bodies.append((thread, compile_body(body['do'], declared.get('start')), body.get('replicas')))
        else:
            bodies = [('main', compile_body(declared['do'], declared.get('start')), None)]
        variables.update(declared.get('with') or {})
        for position, process in enumerate(self.members('process', name, declared.get('replicas'))):
            self.processes.append(process)
            self.daemon[process] = bool(declared.get('daemon'))
            self.priority[process] = declared.get('priority', 0)
            own = 'capacity' in declared
            self.link_capacity[process] = capacity_of(declared['capacity']) if own else self.buffering
            for thread, code, replicas in bodies:
                for number in range(1, (replicas or 1) + 1):
                    shown = process.name
                    if 'threads' in declared:
                        shown += '.' + thread + (f'[{number}]' if (replicas or 1) > 1 else '')
                    self.threads.append(Declared(process, thread, shown, position + 1, number, code, variables))


# ---------------------------------------------------------------- expressions

class Family:
    """A family in an expression: members count from 1."""
    def __init__(self, handles):
        self.handles = handles

    def __getitem__(self, number):
        if not 1 <= number <= len(self.handles):
            raise ThreadError('bad index')
        return self.handles[number - 1]


class Names(dict):
    """What an expression can name; a variable that is not set is none."""
    def __missing__(self, name):
        if name == 'len':
            raise KeyError(name)
        return None


translated = {}


def translate(text):
    """Our expressions are those of Python, but for some words, and for hyphens in names."""
    if text not in translated:
        parts = re.split(r'("[^"]*"|\'[^\']*\')', text)         # every second part is a text constant
        for place in range(0, len(parts), 2):
            part = parts[place]
            if re.search(r'/|%|\b(now|random|min|max|push|pop|count|all|any|range|refs|rights-of)\b', part):
                raise Ambiguous('expression ' + text)
            for ours, python in (('none', 'None'), ('true', 'True'), ('false', 'False')):
                part = re.sub(rf'\b{ours}\b', python, part)
            parts[place] = re.sub(r'(?<=\w)-(?=[A-Za-z])', '__', part)
        translated[text] = compile(''.join(parts), '<expression>', 'eval')
    return translated[text]


def evaluate(text, names):
    """The value of an expression."""
    if isinstance(text, (bool, int)) or text is None:
        return text
    try:
        return eval(translate(str(text)), {'__builtins__': {}, 'len': len},
                    Names((name.replace('-', '__'), value) for name, value in names.items()))
    except (TypeError, IndexError, AttributeError, ZeroDivisionError) as error:
        raise ThreadError(str(error))


def show(value):
    """A value as text, as in a log."""
    if value is None:
        return 'none'
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, Message):
        return show(value.body)
    if isinstance(value, Once):
        raise Ambiguous('a send-once right as text')
    if isinstance(value, Handle):
        return value.name
    if isinstance(value, tuple):
        return '[' + ', '.join(map(show, value)) + ']'
    return str(value)


def template(written, names):
    """What stands behind `send:`, `type:`, `log:`: a value, with ${…} in it."""
    if isinstance(written, (bool, int)):
        return written
    if written in ('none', None):
        return None
    whole = re.fullmatch(r'\$\{([^}]*)\}', written)
    if whole:
        return evaluate(whole[1], names)
    return re.sub(r'\$\{([^}]*)\}', lambda match: show(evaluate(match[1], names)), written)


def default_size(value):
    """A text has its bytes, a list the sum of its elements, everything else 8."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, tuple) and not isinstance(value, (Message, Handle)):
        return sum(map(default_size, value))
    return 8
