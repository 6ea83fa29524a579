"""The kernel: what one step of one thread does to the whole state. Nothing is left out and nothing is merged.

A step is one system call, the local work behind it, and the local work of the threads that it wakes. Local work that is
seen (it assigns a variable that is looked at, or logs) is a step of its own, and so is what lies behind a `compute`.

A queue is named by the handle of its mailbox, or for a link by the pair (sender's process, receiver's process).
"""
import re

import refuse
from boxes import Boxes
from control_ports import ControlPorts
from descriptors import Descriptors
from exceptions import Exceptions
from files import Files
from fork import Forking
from holding import Holding
from local_work import LocalWork
from look_again import LookAgain
from names import Naming
from once import OnceRights
from pipes import Pipes
from processes import Processes
from receiving import Receiving
from rights import Rights
from sending import Sending
from sets import PortSets
from settling import Settling
from spawn import Spawning, UNMADE
from state import State, Thread
from values import WRONG_TYPE, Ambiguous, Family, Handle, Message, Opened, ThreadError, default_size, evaluate, \
    template
from watching import Watching


class Machine(Rights, LookAgain, Receiving, Settling, Processes, LocalWork, Sending, Spawning, Naming, Boxes,
              Holding, PortSets, OnceRights, Watching, Exceptions, ControlPorts, Files, Descriptors, Pipes, Forking):
    """Takes steps. `visible` is 'all', or a set of names of variables (`A.n`, `A.t.n`) and perhaps 'logs'."""

    def __init__(self, scenario, visible):
        self.scenario, self.visible = scenario, visible
        self.words = {name: Family(handles) for name, handles in scenario.families.items()}
        self.words.update({name: handle for name, handle in scenario.names.items() if '[' not in name})
        self.seen_cache = {}

    # ------------------------------------------------------------ the beginning

    def initial(self):
        """The state in which each thread stands before its first step."""
        state = State()
        for process in self.scenario.processes:
            state.alive[process] = 'alive'
        for made in self.scenario.spawned.values():
            state.alive.update(dict.fromkeys(made, UNMADE))
        state.members = dict(self.scenario.set_members)
        state.boxes = dict(self.scenario.boxes)
        state.holder, state.refs = dict(self.scenario.holder), dict(self.scenario.send_rights)
        state.made = {port: sum(count for (_, other), count in state.refs.items() if other == port)
                      for port in state.holder}
        for handle, bodies in self.scenario.held.items():
            for body in bodies:
                body = template(body, {})
                self.store(state, handle, Message(body, None, None, 0, default_size(body), None, None, None))
        for declared in self.scenario.threads:
            thread = self.new_thread(declared.process, declared.name, declared.code, dict(declared.variables))
            thread.shown, thread.index, thread.thread_index = declared.shown, declared.index, declared.thread_index
            thread.declared = True
            state.threads[(declared.process.name, declared.name, declared.thread_index)] = thread
        return state

    def new_thread(self, process, name, code, variables):
        thread = Thread()
        thread.process, thread.name, thread.code, thread.variables = process, name, code, variables
        thread.shown, thread.index, thread.thread_index = process.name + '.' + name, 1, 1
        thread.place, thread.counters, thread.status, thread.mode = 0, {}, 'ok', 'call'
        thread.wait, thread.bounded, thread.suspended, thread.declared = None, False, 0, False
        thread.raised = None
        return thread

    # ------------------------------------------------------------ choices within a step

    def choose(self, count):
        """One of `count` ways; all of them are tried, one after the other."""
        if count == 1:
            return 0
        if self.chosen_now == len(self.chosen):
            self.chosen.append(0)
            self.ways.append(count)
        self.chosen_now += 1
        return self.chosen[self.chosen_now - 1]

    def random(self, first, last):
        """`random(first, last)`: every value, the last one too."""
        if type(first) is not int or type(last) is not int:
            raise ThreadError(WRONG_TYPE)
        if first > last:
            raise ThreadError('nothing-there')
        return first + self.choose(last - first + 1)

    def every_way(self, state, act):
        """Does act(copy of the state) in all ways in which it can come out: (state, who moved, who took or logged)."""
        self.chosen, self.ways = [], []
        while True:
            self.chosen_now = 0
            self.moved, self.woken, self.failing, self.took = set(), [], [], set()
            after = state.copy()
            self.table = after.open
            act(after)
            self.finish(after)
            yield after, frozenset(self.moved), frozenset(self.took)
            while self.chosen and self.chosen[-1] + 1 >= self.ways[-1]:
                self.chosen.pop()
                self.ways.pop()
            if not self.chosen:
                return
            self.chosen[-1] += 1

    def beginnings(self):
        """The states at time 0: local work that nobody sees has been done."""
        def act(state):
            self.woken.extend(state.threads)
        return self.every_way(self.initial(), act)

    def steps(self, state, key):
        """All that the next step of this thread can do."""
        return self.every_way(state, lambda after: self.step(after, key))

    def enabled(self, thread):
        """Can this thread take a step? That a bounded wait ends is a step of the kernel, and needs no processor."""
        if thread.mode == 'wait' or (thread.mode == 'again' and thread.suspended):
            return thread.bounded
        return thread.mode != 'ended' and not thread.suspended

    # ------------------------------------------------------------ words, queues

    def names_of(self, thread):
        names = dict(self.words)
        names.update({'index': thread.index, 'me': thread.process, 'status': thread.status,
                      'thread-index': thread.thread_index, 'random': self.random,
                      'task-of': self.task_of, 'thread-of': self.thread_of})
        names.update(thread.variables)
        return names

    def resolve(self, thread, written):
        """The handles behind a word, or a list of words, in `to`, `from`, `among`, `kill` …"""
        if 'random(' in str(written):
            raise Ambiguous('a random destination')
        if isinstance(written, list):
            return [handle for word in written for handle in self.resolve(thread, word)]
        whole = re.fullmatch(r'\$\{([^}]*)\}', str(written))
        value = evaluate(whole[1] if whole else written, self.names_of(thread))
        if isinstance(value, Family):
            return list(value.handles)
        if isinstance(value, Opened):
            return [self.object_of(thread, value)]
        if type(value) is tuple and value:
            return [self.object_of(thread, one) for one in value]
        if not isinstance(value, Handle):
            raise ThreadError('no-object')
        return [value]

    def object_of(self, thread, value):
        if isinstance(value, Opened):
            return self.table.get((thread.process, value.number), (Handle(value.kind, value.name),))[0]
        if not isinstance(value, Handle):
            raise ThreadError('no-object')
        return value

    def queue_to(self, process, handle):
        """The queue into which this process sends when it sends to `handle`."""
        return handle if handle.kind != 'process' else (process, handle)

    def queue_from(self, process, handle):
        return handle if handle.kind != 'process' else (handle, process)

    def priority_of(self, state, key):
        return self.scenario.priority[state.threads[key].process]

    def memory_used(self, state):
        return sum(message.size + self.scenario.overhead for items in state.stored.values() for message, _ in items)

    def fits_memory(self, state, message):
        if self.scenario.memory is None:
            return True
        return self.memory_used(state) + message.size + self.scenario.overhead <= self.scenario.memory

    def has_slot(self, state, queue, message):
        capacity, items = self.capacity(state, queue), state.stored.get(queue, [])
        if capacity[0] == 'messages':
            return len(items) < capacity[1]
        if capacity[0] == 'bytes':
            # Empty messages have an end, too.
            used = sum(stored.size for stored, _ in items)
            return used + message.size <= capacity[1] and len(items) < capacity[1]
        return capacity[0] == 'unlimited'       # `undefined` is asked once, in send

    def store(self, state, queue, message):
        items = state.stored.setdefault(queue, [])
        state.clock += 1
        place = len(items)
        if self.order(state, queue) == 'priority':
            while place > 0 and items[place - 1][0].priority < message.priority:
                place -= 1
        arrival = state.clock
        items.insert(place, (message, arrival))
        if 'receivers' in self.scenario.again:
            self.wake_receiver(state, queue, arrival)

    # ------------------------------------------------------------ the end of a call

    def leave_queues(self, state, key):
        """The thread waits no longer."""
        thread = state.threads[key]
        for queues in (state.receivers, state.senders):
            for queue in queues:
                queues[queue] = [item for item in queues[queue] if item[0] != key]
        state.memory_queue = [other for other in state.memory_queue if other != key]
        thread.wait, thread.bounded = None, False

    def complete(self, state, key, outcome, variable=None, value=None):
        """The call of this thread is over, with this outcome."""
        thread = state.threads[key]
        if thread.wait and thread.wait[0] == 'fault':
            self.handled(state, key, value if outcome == 'ok' else None)
            return
        self.leave_queues(state, key)
        instruction = thread.instruction()
        thread.status, thread.mode = outcome, 'call'
        self.moved.add(key)
        if outcome == 'ok':
            if variable is not None:
                thread.variables[variable] = value
            thread.place = instruction.when.get('ok', thread.place + 1)
        elif outcome in instruction.when:
            thread.place = instruction.when[outcome]
        elif outcome == 'held':             # needs no handler
            thread.place += 1
        else:
            thread.mode, thread.raised = 'fail', (outcome, 'unhandled ' + outcome, 0)
            self.failing.append(key)
            return
        self.woken.append(key)

    def complete_waiting(self, state, key, outcome):
        """As `complete`, for a thread whose wait ends without success: its request is worth nothing any more."""
        wait = state.threads[key].wait
        self.withdraw(state, wait)
        if wait[0] == 'write' and wait[3]:      # a part has gone
            self.complete(state, key, 'ok', state.threads[key].instruction().keys.get('into'), wait[3])
        else:
            self.complete(state, key, outcome)

    def withdraw(self, state, wait):
        """Whoever waits for this gives up: the message and its rights come back, and an answer is worth nothing."""
        request, message = None, None
        if wait[0] in ('send', 'memory'):
            message = wait[2]
        elif wait[:2] == ('again', 'send'):
            message = wait[3]
        elif wait[0] in ('reply', 'fault'):
            request = wait[1]
        if message:
            request = message.request
            self.come_back(state, message)
        if request is not None:
            state.requests[request] = ('gone', None)

    def deliver(self, state, key, queue, message):
        """The receiver gets the message, and its call is over."""
        thread = state.threads[key]
        if message.request is not None and state.requests.get(message.request, ('',))[0] == 'open':
            state.requests[message.request] = ('taken', thread.process)
        self.took.add(key)
        message = self.arrive(state, thread.process, message)
        box = queue if self.is_box(queue) else None
        if box and box.kind == 'port' and self.set_of(state, box):
            state.served[self.set_of(state, box)] = box
        message = message._replace(box=box)
        if box and box.kind == 'port' and '.seq' in self.scenario.text:
            message = message._replace(seq=state.taken_from.get(box, 0))
            state.taken_from[box] = message.seq + 1
        self.complete(state, key, 'ok', thread.instruction().argument, message)

    def sender_done(self, state, key, message):
        """The message of a blocked sender has gone; a caller then waits for the answer, within the same wait."""
        thread = state.threads[key]
        if message.request is None:
            self.complete(state, key, 'ok')
            return
        bounded = thread.bounded
        self.leave_queues(state, key)
        thread.wait, thread.bounded = ('reply', message.request), bounded
        self.moved.add(key)

    def caller_of(self, state, request):
        """The thread that waits for the answer to this request, if any."""
        for key, thread in state.threads.items():
            if thread.mode == 'wait' and thread.wait in (('reply', request), ('fault', request)):
                return key
        return None

    def lose(self, state, message):
        """The message is thrown away; a caller is told `dead`."""
        self.lose_rights(state, message)
        if message.request is not None and state.requests.get(message.request, ('',))[0] == 'open':
            state.requests[message.request] = ('gone', None)
            caller = self.caller_of(state, message.request)
            if caller:
                self.complete(state, caller, 'dead')

    # ------------------------------------------------------------ one step

    def step(self, state, key):
        """The next step of this thread."""
        thread = state.threads[key]
        self.moved.add(key)
        if thread.mode == 'again':
            self.once_more(state, key, thread)
            self.settle(state)
        elif thread.mode == 'wait':
            self.time_is_over(state, key, thread)
            self.settle(state)
        elif thread.mode == 'local':
            self.local_work(state, key, True)
        elif thread.mode == 'raising':
            self.ask_handler(state, key)
        else:
            instruction = thread.instruction()
            try:
                getattr(self, 'do_' + instruction.op)(state, key, thread, instruction)
            except ThreadError as why:
                self.raises(state, key, str(why))
            if self.scenario.detect != 'report' and thread.mode == 'wait' and not thread.bounded:
                self.refuse(state, key, thread)
        if key in self.woken:       # its own local work comes first, then that of those it woke
            self.woken.remove(key)
            self.woken.insert(0, key)

    def refuse(self, state, key, thread):
        """`detect: refuse`: a call does not begin to wait where that closes a circle."""
        server = next((port for port in self.scenario.servers if state.holder[port] == thread.process), None)
        if self.scenario.detect == 'refuse-chain':
            if server is None and refuse.comes_back(self, state, key):
                self.complete_waiting(state, key, 'deadlock')
            return
        circle = refuse.circle_around(self, state, key)
        if server is None and circle:
            self.complete_waiting(state, key, 'deadlock')
        if server is not None:      # nobody refuses a name server, but those who wait for it
            asking = [other for other in circle if self.asks_at(state, state.threads[other], server)]
            if len(asking) > 1:         # the first in the file; that may open the circle of the others
                raise Ambiguous('several wait for a name server in a circle')
            for other in asking:
                self.complete_waiting(state, other, 'deadlock')

    def asks_at(self, state, thread, server):
        """Does this thread wait for an answer of this name server?"""
        return (thread.wait[0] == 'reply' and thread.instruction().asks is not None
                and self.scenario.name_server[thread.process] == server)

    def time_is_over(self, state, key, thread):
        """A bounded wait ends by itself."""
        kind = thread.wait[0]
        if kind == 'send' and 'hold-one' in thread.instruction().keys:
            _, port, message = thread.wait
            self.hold(state, key, port, message)
        else:
            self.complete_waiting(state, key, 'ok' if kind == 'sleep' else 'timed-out')

    def block(self, thread, wait):
        """The thread waits for this."""
        thread.mode, thread.wait = 'wait', wait
        thread.bounded = thread.instruction().keys.get('wait', 'forever') != 'forever'

    def never(self, instruction):
        return instruction.keys.get('wait', 'never' if 'hold-one' in instruction.keys else None) == 'never'

    def do_yield(self, state, key, thread, instruction):
        self.complete(state, key, 'ok')

    def do_sleep(self, state, key, thread, instruction):
        self.block(thread, ('sleep',))
        thread.bounded = True
