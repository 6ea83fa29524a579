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

# `request` is the number of the call that the message is the request of, or None.
Message = namedtuple('Message', 'body sender type priority size box request')

# What a thread does by itself is local work; everything else but `end` is a system call.
LOCAL = {'jump', 'branch', 'set', 'counter', 'count', 'each', 'next', 'choose', 'log', 'assert', 'compute'}
CALLS = {'send', 'receive', 'call', 'reply', 'select', 'yield', 'sleep', 'exit', 'kill', 'join', 'thread',
         'suspend', 'resume', 'interrupt'}
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


def compile_body(steps):
    """The code of one thread; its last instruction is `end`."""
    code = []
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

KERNEL_KEYS = ('buffering memory message-overhead memory-full receiver sender too-large wake cpus scheduler seed quantum costs '
               'preempt').split()
PROCESS_KEYS = 'replicas do threads program with daemon priority capacity'.split()


class Scenario:
    """What a scenario declares."""
    def __init__(self, document):
        kernel = document.get('kernel') or {}
        for key in document:
            if key not in ('title', 'about', 'slide', 'kernel', 'mailboxes', 'processes', 'programs', 'expect'):
                raise Ambiguous('top level ' + key)
        for key in kernel:
            if key not in KERNEL_KEYS:
                raise Ambiguous('kernel.' + key)
        if kernel.get('wake', 'hand-over') != 'hand-over':
            raise Ambiguous('kernel.wake')
        self.buffering = capacity_of(kernel.get('buffering'))
        memory = kernel.get('memory', 'unlimited')
        self.memory = None if memory == 'unlimited' else size_of(memory)
        self.overhead = size_of(kernel.get('message-overhead', 0))
        self.memory_full = kernel.get('memory-full', 'wait')
        self.receiver, self.sender = kernel.get('receiver', 'fifo'), kernel.get('sender', 'fifo')
        self.too_large = kernel.get('too-large', 'keep')
        self.families = {}          # name -> handles of the members
        self.boxes = {}             # handle of a mailbox -> Box
        self.read_mailboxes(document.get('mailboxes') or {})
        self.processes = []         # handles
        self.daemon, self.link_capacity, self.priority = {}, {}, {}
        self.threads = []           # Declared
        for name, declared in document['processes'].items():
            self.read_process(name, declared, document.get('programs') or {})
        self.names = {handle.name: handle for handle in list(self.boxes) + self.processes}

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
            bodies = [('main', compile_body(program['do']), None)]
        elif 'threads' in declared:
            bodies = []
            for thread, body in declared['threads'].items():
                if isinstance(body, list):
                    body = {'do': body}
                bodies.append((thread, compile_body(body['do']), body.get('replicas')))
        else:
            bodies = [('main', compile_body(declared['do']), None)]
        variables.update(declared.get('with') or {})
        for position, process in enumerate(self.members('process', name, declared.get('replicas'))):
            self.processes.append(process)
            self.daemon[process] = bool(declared.get('daemon'))
            self.priority[process] = declared.get('priority', 0)
            self.link_capacity[process] = capacity_of(declared['capacity']) if 'capacity' in declared else self.buffering
            for thread, code, replicas in bodies:
                for number in range(1, (replicas or 1) + 1):
                    shown = process.name
                    if 'threads' in declared:
                        shown += '.' + thread + (f'[{number}]' if replicas else '')
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
    """Our expressions are those of Python, but for some words."""
    if text not in translated:
        if re.search(r'/|%|now|random|\bmin\b|\bmax\b|push|pop|count|\ball\b|\bany\b|range', text):
            raise Ambiguous('expression ' + text)
        python = re.sub(r'\bnone\b', 'None', text)
        python = re.sub(r'\btrue\b', 'True', python)
        python = re.sub(r'\bfalse\b', 'False', python)
        python = python.replace('thread-index', 'thread_index')
        if re.search(r'[A-Za-z]-[A-Za-z]', python):
            raise Ambiguous('hyphen in ' + text)
        translated[text] = compile(python, '<expression>', 'eval')
    return translated[text]


def evaluate(text, names):
    """The value of an expression."""
    if isinstance(text, (bool, int)) or text is None:
        return text
    try:
        return eval(translate(str(text)), {'__builtins__': {}, 'len': len}, Names(names))
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
