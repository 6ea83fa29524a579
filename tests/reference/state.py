"""Everything there is at one moment: threads, queues, rights."""


class Thread:
    """One thread. `mode` is one of
        call    its next step is the system call at `place`
        local   its next step is local work that is seen
        raising its next step is an exception
        wait    it is blocked; `wait` says for what, `bounded` whether the wait ends by itself
        again   look-again: it was made ready and makes its call once more; its wait may still end by itself
        ended
    """
    def copy(self):
        other = Thread()
        other.__dict__.update(self.__dict__)
        other.variables, other.counters = dict(self.variables), dict(self.counters)
        return other

    def instruction(self):
        return self.code[self.place]


class State:
    """Everything there is at one moment. Numbers of arrival (`clock`) order what lies and waits in queues."""
    def __init__(self):
        self.threads = {}       # key -> Thread; a key is (process name, thread name, number)
        self.alive = {}         # process -> 'alive', 'ended' or 'failed'
        self.stored = {}        # queue -> [(message, arrival)]
        self.senders = {}       # queue -> [(thread key, arrival)] that are SEND-blocked
        self.receivers = {}     # queue -> [(thread key, arrival)] that wait in receive or select
        self.memory_queue = []  # thread keys that are memory-blocked
        self.requests = {}      # number of a call -> ('open', None), ('taken', process), ('used', None), ('gone', None)
        self.holder = {}        # port -> process, 'transit' while its receive right is in a message, None: dead
        self.refs = {}          # (process, port) -> references to its send right, or to the dead name
        self.once = {}          # a send-once right that can still be used -> process, or 'transit'
        self.made = {}          # port -> how many send rights were made
        self.boxes = {}         # mailbox or port -> Box
        self.destroyed = frozenset()    # mailboxes
        self.created = 0        # how many mailboxes and ports were made
        self.kept = {}          # (process, port) -> (message, arrival, who is told) of `hold-one`
        self.members = {}       # port set -> its ports, or None when it is destroyed
        self.taken_from = {}    # port -> how many messages were received from it, where `.seq` is looked at
        self.served = {}        # port set -> the port from which a message was taken last
        self.watches = {}       # (port, what is waited for, who asked or None) -> port that gets the notice
        self.open = {}          # (process, number) -> (object, mode): the descriptors
        self.streams = {}       # pipe -> what is in it
        self.text_of = {}       # forked process -> in whose text it goes on
        self.log = ()
        self.failed = False
        self.clock = 0

    def copy(self):
        other = State()
        other.threads = {key: thread.copy() for key, thread in self.threads.items()}
        other.alive = dict(self.alive)
        for name in ('stored', 'senders', 'receivers'):
            setattr(other, name, {queue: items[:] for queue, items in getattr(self, name).items() if items})
        other.memory_queue, other.requests = list(self.memory_queue), dict(self.requests)
        for name in ('holder', 'refs', 'once', 'made', 'watches', 'boxes', 'kept', 'members', 'served', 'taken_from',
                     'open', 'streams', 'text_of'):
            setattr(other, name, dict(getattr(self, name)))
        other.log, other.failed, other.clock = self.log, self.failed, self.clock
        other.destroyed, other.created = self.destroyed, self.created
        return other
