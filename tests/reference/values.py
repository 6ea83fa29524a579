"""Values and expressions: what variables and messages hold, and how it is computed and shown."""
import re
from collections import namedtuple

from calculating import FUNCTIONS, Ambiguous, ThreadError, WRONG_TYPE, compiled


# A handle names a process or a mailbox. It is shown, and compared, as its name.
Handle = namedtuple('Handle', 'kind name')

class Opened(namedtuple('Opened', 'kind name mode process number')):
    """A descriptor: a mailbox, pipe or channel, a mode, and the process for which the number means that."""
    __slots__ = ()

    def __eq__(self, other):
        """It is compared as what it stands for (the pages do not say so)."""
        return isinstance(other, (Handle, Opened)) and self[:2] == other[:2]

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return hash(self[:2])


# A send-once right to a port.
Once = namedtuple('Once', 'number port')

MESSAGE = 'body sender type priority size box request given carried rights seq by_once'


class Message(namedtuple('Message', MESSAGE, defaults=((), (), None, False))):
    """`request` is the number of the call of which the message is the request, or None; `given` is its `reply-to:`.

    `carried` are the rights that go with it, as ('copy-send', port), or as ('make-send-once', the new send-once right);
    `rights` is what the receiver finds in `.rights`. `by_once`: no send right brought it, as a notice.
    """
    __slots__ = ()

    @property
    def reply__to(self):
        """`.reply-to`: the right to answer, if the message is a request."""
        return self if self.request is not None else self.given


def size_of(value):
    """A size in bytes: 64B, 4KiB, 1MiB."""
    if isinstance(value, int):
        return value
    match = re.fullmatch(r'(\d+)(B|KiB|MiB)', str(value))
    if not match:
        raise Ambiguous('size ' + str(value))
    return int(match[1]) * {'B': 1, 'KiB': 1024, 'MiB': 1 << 20}[match[2]]


class Family:
    """A family in an expression: members count from 1."""
    def __init__(self, handles):
        self.handles = handles

    def __getitem__(self, number):
        if not 1 <= number <= len(self.handles):
            raise ThreadError('bad-index')
        return self.handles[number - 1]

    def __len__(self):
        return len(self.handles)


class Names(dict):
    """What an expression can name; a variable that is not set is none."""
    def __missing__(self, name):
        if name in GLOBALS:
            raise KeyError(name)
        return None


# What the expressions of this reference have not.
UNKNOWN = r'\b(now|pop|count|all|any|range|refs|rights-of)\b'
# thread-of(P.worker[2]), where the hyphen is written as in Python
ONE_THREAD = r'\bthread__of\((\w+(?:\[[^]]*\])?)\.(\w+)(?:\[(\d+)\])?\)'
translated = {}


def translate(text):
    """Our expressions are those of Python, but for some words, and for hyphens in names."""
    if text not in translated:
        parts = re.split(r'("[^"]*"|\'[^\']*\')', text)         # every second part is a text constant
        for place in range(0, len(parts), 2):
            part = parts[place]
            if re.search(UNKNOWN, part):
                raise Ambiguous('expression ' + text)
            for ours, python in (('none', 'None'), ('true', 'True'), ('false', 'False')):
                part = re.sub(rf'\b{ours}\b', python, part)
            part = re.sub(r'(?<=\w)-(?=[A-Za-z])', '__', part)
            parts[place] = re.sub(ONE_THREAD, r'thread__of(\1, "\2", "\3")', part)
        translated[text] = compiled(''.join(parts).strip())
    return translated[text]


def evaluate(text, names):
    """The value of an expression."""
    if isinstance(text, (bool, int)) or text is None:
        return text
    try:
        return as_value(eval(translate(str(text)), GLOBALS,
                    Names((name.replace('-', '__'), value) for name, value in names.items())))
    except (TypeError, AttributeError):
        raise ThreadError(WRONG_TYPE)


def push(items, item):
    """The list with one element more."""
    return (*items, as_value(item))


GLOBALS = {'__builtins__': {}, 'push': push, **FUNCTIONS}


def as_value(value):
    """A list that an expression made is a value like any other."""
    return tuple(map(as_value, value)) if isinstance(value, list) else value


def show(value):
    """A value as text, as in a log."""
    if value is None:
        return 'none'
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, Message):
        return show(value.body)
    if isinstance(value, Once):
        return 'a send-once right to ' + show(value.port)       # the pages do not say how it reads
    if isinstance(value, Opened) and value.kind in ('pipe', 'channel'):
        return f'descriptor {value.number}'     # the pages do not say how it reads
    if isinstance(value, (Handle, Opened)):
        return value.name
    if isinstance(value, tuple):
        return '[' + ', '.join(map(show, value)) + ']'
    return str(value)


def template(written, names):
    """What stands behind `send:`, `type:`, `log:`: a value, with ${…} in it."""
    if isinstance(written, (bool, int)):
        return written
    if isinstance(written, list):
        return tuple(template(part, names) for part in written)
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
    if isinstance(value, tuple) and not isinstance(value, (Message, Handle, Opened)):
        return sum(map(default_size, value))
    return 8
