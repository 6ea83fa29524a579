"""The kernel: what one step of one thread does to the whole state. Nothing is left out and nothing is merged.

A step is one system call, the local work behind it, and the local work of the threads that it wakes. Local work that is
seen (it assigns a variable that is looked at, or logs) is a step of its own, and so is what lies behind a `compute`.

A queue is named by the handle of its mailbox, or for a link by the pair (sender's process, receiver's process).
"""
import re

from reading import (Ambiguous, Family, Handle, LOCAL, Message, Once, ThreadError, default_size, evaluate, show,
                     size_of, successors, template)


class Thread:
    """One thread. `mode` is one of
        call    its next step is the system call at `place`
        local   its next step is local work that is seen
        fail    its next step is an exception
        wait    it is blocked; `wait` says for what, `bounded` whether the wait ends by itself
        again   look-again: it was made ready and makes its call once more; its wait may still end by itself
        ended
    """
    FIELDS = ('process name shown index thread_index code place variables counters status mode wait bounded suspended '
              'declared').split()
    __slots__ = FIELDS

    def copy(self):
        other = Thread()
        for field in Thread.FIELDS:
            setattr(other, field, getattr(self, field))
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
        self.watches = {}       # (port, what is waited for, who asked) -> port that gets the notice
        self.log = ()
        self.failed = False
        self.clock = 0

    def copy(self):
        other = State()
        other.threads = {key: thread.copy() for key, thread in self.threads.items()}
        other.alive = dict(self.alive)
        for name in ('stored', 'senders', 'receivers'):
            setattr(other, name, {queue: list(items) for queue, items in getattr(self, name).items() if items})
        other.memory_queue, other.requests = list(self.memory_queue), dict(self.requests)
        for name in ('holder', 'refs', 'once', 'made', 'watches'):
            setattr(other, name, dict(getattr(self, name)))
        other.log, other.failed, other.clock = self.log, self.failed, self.clock
        return other


class Machine:
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
        state.holder, state.refs = dict(self.scenario.holder), dict(self.scenario.send_rights)
        state.made = {port: sum(count for (_, other), count in state.refs.items() if other == port)
                      for port in state.holder}
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

    def every_way(self, state, act):
        """Does act(copy of the state) in all ways in which it can come out: (state, who moved, who took or logged)."""
        self.chosen, self.ways = [], []
        while True:
            self.chosen_now = 0
            self.moved, self.woken, self.failing, self.took = set(), [], [], set()
            after = state.copy()
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
                      'thread-index': thread.thread_index})
        names.update(thread.variables)
        return names

    def resolve(self, thread, written):
        """The handles behind a word, or a list of words, in `to`, `from`, `among`, `kill` …"""
        if isinstance(written, list):
            return [handle for word in written for handle in self.resolve(thread, word)]
        whole = re.fullmatch(r'\$\{([^}]*)\}', str(written))
        value = evaluate(whole[1] if whole else written, self.names_of(thread))
        if isinstance(value, Family):
            return list(value.handles)
        if not isinstance(value, Handle):
            raise ThreadError('no object')
        return [value]

    def queue_to(self, process, handle):
        """The queue into which this process sends when it sends to `handle`."""
        return handle if handle.kind != 'process' else (process, handle)

    def queue_from(self, process, handle):
        return handle if handle.kind != 'process' else (handle, process)

    def is_box(self, queue):
        return isinstance(queue, Handle)

    def capacity(self, queue):
        return self.scenario.boxes[queue].capacity if self.is_box(queue) else self.scenario.link_capacity[queue[1]]

    def order(self, queue):
        return self.scenario.boxes[queue].order if self.is_box(queue) else 'fifo'

    def receiver_policy(self, queue):
        return self.scenario.boxes[queue].receiver if self.is_box(queue) else self.scenario.receiver

    def priority_of(self, state, key):
        return self.scenario.priority[state.threads[key].process]

    def memory_used(self, state):
        return sum(message.size + self.scenario.overhead for items in state.stored.values() for message, _ in items)

    def fits_memory(self, state, message):
        if self.scenario.memory is None:
            return True
        return self.memory_used(state) + message.size + self.scenario.overhead <= self.scenario.memory

    def has_slot(self, state, queue, message):
        capacity, items = self.capacity(queue), state.stored.get(queue, [])
        if capacity[0] == 'messages':
            return len(items) < capacity[1]
        if capacity[0] == 'bytes':
            return sum(stored.size for stored, _ in items) + message.size <= capacity[1]
        return capacity[0] == 'unlimited'       # `undefined` is asked once, in send

    def store(self, state, queue, message):
        self.depart(state, message)
        items = state.stored.setdefault(queue, [])
        state.clock += 1
        place = len(items)
        if self.order(queue) == 'priority':
            while place > 0 and items[place - 1][0].priority < message.priority:
                place -= 1
        arrival = state.clock
        items.insert(place, (message, arrival))
        if 'receivers' in self.scenario.again:
            self.wake_receiver(state, queue, arrival)

    # ------------------------------------------------------------ rights

    def may_send(self, state, process, port):
        """'ok', 'dead' or 'no-right': what a send of this process to this port meets."""
        known = state.refs.get((process, port), 0) > 0
        if state.holder[port] is None:
            return 'dead' if known else 'no-right'
        return 'ok' if known or state.holder[port] == process else 'no-right'

    def may_carry(self, state, process, carried):
        """Has this process the rights that it wants to send?"""
        left, good = dict(state.refs), True
        for kind, port in carried:
            if kind in ('copy-send', 'move-send'):
                good = good and left.get((process, port), 0) > 0
                if kind == 'move-send':
                    left[(process, port)] = left.get((process, port), 0) - 1
            else:
                good = good and state.holder[port] == process
        if len({port for _, port in carried}) < len(carried):
            raise Ambiguous('the same port twice in rights')
        return good

    def depart(self, state, message):
        """The message leaves its sender: rights that are moved are in it now."""
        for kind, port in message.carried:
            if kind == 'move-send':
                self.lose_reference(state, message.sender, port)
            elif kind == 'make-send':
                state.made[port] += 1
            elif kind == 'move-receive':
                state.holder[port] = 'transit'
                if any(port in (key[0], notify) for key, notify in state.watches.items()):
                    raise Ambiguous('the receive right of a watched port, or of one for notices, moves')
        if isinstance(message.given, Once):
            state.once[message.given] = 'transit'

    def arrive(self, state, process, message):
        """The receiver has the rights that came; the message shows their names."""
        names = []
        for kind, port in message.carried:
            if state.holder[port] is None:
                names.append(None)
                continue
            names.append(port)
            if kind == 'move-receive':
                state.holder[port] = process
            else:
                state.refs[(process, port)] = state.refs.get((process, port), 0) + 1
        if isinstance(message.given, Once):
            state.once[message.given] = process
        return message._replace(carried=(), rights=tuple(names))

    def lose_rights(self, state, message):
        """The message is thrown away, with its rights."""
        for kind, port in message.carried:
            if kind == 'move-receive':
                self.port_dies(state, port)
        if isinstance(message.given, Once):
            self.once_lost(state, message.given)

    def once_lost(self, state, right):
        """Nobody will use this send-once right any more."""
        if state.once.pop(right, None) is not None:
            self.notice(state, right.port, 'send-once', None)

    def lose_reference(self, state, process, port):
        state.refs[(process, port)] -= 1
        if not state.refs[(process, port)]:
            del state.refs[(process, port)]

    def notice(self, state, port, kind, body):
        """A message from the kernel, which ignores the limit."""
        if state.holder[port] is None:
            return
        if len(state.stored.get(port, [])) > 10:
            raise Ambiguous('ever more notices in a port')
        message = Message(body, None, kind, 0, 8, None, None, None)
        if not self.offer(state, port, message, None):
            self.store(state, port, message)

    def port_dies(self, state, port):
        """What waits there is lost, and blocked senders are told."""
        state.holder[port] = None
        for message, _ in state.stored.pop(port, []):
            self.lose(state, message)
        for key, thread in list(state.threads.items()):
            if thread.mode == 'wait' and thread.wait[0] == 'send' and thread.wait[1] == port:
                self.complete_waiting(state, key, 'dead')
        for (watched, kind, process), notify in list(state.watches.items()):
            if watched == port:
                del state.watches[(watched, kind, process)]
                if kind == 'dead-name':
                    state.refs[(process, port)] = state.refs.get((process, port), 0) + 1
                    self.notice(state, notify, 'dead-name', port)
                else:
                    self.notice(state, notify, 'send-once', None)

    def settle_watches(self, state):
        """The notices about ports to which nobody has a send right any more."""
        for (port, kind, process), notify in list(state.watches.items()):
            if kind != 'no-senders' or not state.made[port]:
                continue
            held = any(other == port and count for (_, other), count in state.refs.items())
            flying = any(other == port and kind != 'move-receive' for items in state.stored.values()
                         for message, _ in items for kind, other in message.carried)
            if not held and not flying and not state.stored.get(port):
                del state.watches[(port, kind, process)]
                self.notice(state, notify, 'no-senders', state.made[port])
                return True
        return False

    def do_drop(self, state, key, thread, instruction):
        port = self.resolve(thread, instruction.argument)[0]
        if not state.refs.get((thread.process, port)):
            self.complete(state, key, 'no-right')
            return
        self.lose_reference(state, thread.process, port)
        if (port, 'dead-name', thread.process) in state.watches and (thread.process, port) not in state.refs:
            self.notice(state, state.watches.pop((port, 'dead-name', thread.process)), 'port-deleted', None)
        self.complete(state, key, 'ok')
        self.settle(state)

    def do_watch(self, state, key, thread, instruction):
        port, notify = (self.resolve(thread, word)[0] for word in (instruction.argument, instruction.keys['notify']))
        kind = instruction.keys['until']
        if state.holder[port] is None:
            raise Ambiguous('a watch of a dead port')
        if kind == 'no-senders':
            good = state.holder[port] == thread.process
        elif kind == 'dead-name':
            good = (thread.process, port) in state.refs
        else:
            raise Ambiguous('watch until ' + kind)
        if not good or state.holder[notify] != thread.process:
            self.complete(state, key, 'no-right')
            return
        before = state.watches.pop((port, kind, thread.process), None)
        if before:
            self.notice(state, before, 'send-once', None)
        state.watches[(port, kind, thread.process)] = notify
        self.complete(state, key, 'ok')
        self.settle(state)

    # ------------------------------------------------------------ look-again

    def wake_receiver(self, state, queue, arrival):
        """Makes the first waiter that would take this stored message ready; the message is its chance."""
        message = next((message for message, number in state.stored.get(queue, []) if number == arrival), None)
        if message is None:
            return
        if any(state.threads[key].wait[0] == 'select' for key, _ in state.receivers.get(queue, [])):
            raise Ambiguous('a blocked select under look-again')
        waiting = [item for item in state.receivers.get(queue, [])
                   if self.type_fits(state.threads[item[0]].wait[2], message)]
        if waiting:
            key = self.pick_receiver(state, queue, waiting)
            _, sources, wanted = state.threads[key].wait
            self.make_ready(state, key, ('again', 'receive', queue, arrival, sources, wanted))

    def wake_sender(self, state, queue):
        """A slot is free: makes the first blocked sender ready, if there are more free slots than such senders."""
        blocked = state.senders.get(queue)
        capacity = self.capacity(queue)
        if not blocked or capacity[0] == 'none':
            return
        if capacity[0] != 'messages':
            raise Ambiguous('senders that look again, and capacity ' + capacity[0])
        ready = [key for key, thread in state.threads.items()
                 if thread.mode == 'again' and thread.wait[1] == 'send' and thread.wait[2] == queue]
        if len(state.stored.get(queue, [])) + len(ready) < capacity[1]:
            key = self.pick_sender(state, queue, blocked)
            self.make_ready(state, key, ('again', 'send', queue, state.threads[key].wait[2]))

    def make_ready(self, state, key, wait):
        thread = state.threads[key]
        bounded = thread.bounded
        self.leave_queues(state, key)
        thread.mode, thread.wait, thread.bounded = 'again', wait, bounded

    def pass_on(self, state, chance):
        """Whoever was made ready leaves without having used its chance: the next one gets it."""
        if chance[1] == 'receive':
            self.wake_receiver(state, chance[2], chance[3])
        else:
            self.wake_sender(state, chance[2])

    def once_more(self, state, key, thread):
        """A thread that was made ready makes its call again; perhaps for the last time."""
        chance = thread.wait
        last = bool(thread.suspended or (thread.bounded and self.choose(2)))
        if chance[1] == 'send':
            self.try_send(state, key, thread, chance[2], chance[3], last)
            if thread.mode != 'wait' or thread.wait[0] != 'send':
                self.pass_on(state, chance)
            return
        _, _, _, _, sources, wanted = chance
        found = self.look(state, thread.process, sources, wanted)
        if found == 'dead':
            self.complete(state, key, 'dead')
        elif found:
            self.take(state, key, found)
        elif last:
            self.complete_waiting(state, key, 'timed-out')
        else:
            self.block(thread, ('receive', sources, wanted))
            self.wait_at(state, key, thread.process, sources)
        if thread.mode != 'wait':
            self.pass_on(state, chance)

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
        else:
            thread.mode = 'fail'
            self.failing.append(key)
            return
        self.woken.append(key)

    def complete_waiting(self, state, key, outcome):
        """As `complete`, for a thread whose wait ends without success: its request is worth nothing any more."""
        wait = state.threads[key].wait
        request = None
        if wait[0] in ('send', 'memory'):
            request = wait[2].request
        elif wait[:2] == ('again', 'send'):
            request = wait[3].request
        elif wait[0] == 'reply':
            request = wait[1]
        if request is not None:
            state.requests[request] = ('gone', None)
        self.complete(state, key, outcome)

    def deliver(self, state, key, queue, message):
        """The receiver gets the message, and its call is over."""
        thread = state.threads[key]
        if message.request is not None and state.requests.get(message.request, ('',))[0] == 'open':
            state.requests[message.request] = ('taken', thread.process)
        self.took.add(key)
        message = self.arrive(state, thread.process, message)
        box = queue if self.is_box(queue) else None
        self.complete(state, key, 'ok', thread.instruction().argument, message._replace(box=box))

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
            if thread.mode == 'wait' and thread.wait == ('reply', request):
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

    # ------------------------------------------------------------ what a receive finds

    def type_fits(self, wanted, message):
        """`wanted` is None for any type, or a tuple of types."""
        return wanted is None or any(type(kind) is type(message.type) and kind == message.type for kind in wanted)

    def look_at(self, state, queue, wanted):
        """What a receive would take from this queue: ('stored', queue, position), ('sender', queue, who) or None."""
        for position, (message, _) in enumerate(state.stored.get(queue, [])):
            if self.type_fits(wanted, message):
                return ('stored', queue, position)
        blocked = [item for item in state.senders.get(queue, [])
                   if self.type_fits(wanted, state.threads[item[0]].wait[2])]
        return ('sender', queue, blocked) if blocked else None

    def look_at_links(self, state, process, wanted):
        """The same for `anyone`: the oldest message on any link; only then the oldest blocked sender."""
        stored, blocked = [], []
        for queue, items in state.stored.items():
            if not self.is_box(queue) and queue[1] == process:
                stored += [(arrival, ('stored', queue, position)) for position, (message, arrival) in enumerate(items)
                           if self.type_fits(wanted, message)]
        if stored:
            return min(stored, key=lambda found: found[0])[1]
        for queue, items in state.senders.items():
            if not self.is_box(queue) and queue[1] == process:
                blocked += [(item[1], ('sender', queue, [item])) for item in items
                            if self.type_fits(wanted, state.threads[item[0]].wait[2])]
        if len(blocked) > 1 and self.scenario.sender != 'fifo':
            raise Ambiguous('anyone, several senders and sender: ' + self.scenario.sender)
        return min(blocked, key=lambda found: found[0])[1] if blocked else None

    def source_dead(self, state, process, handle):
        if handle.kind != 'process':
            return False
        queue = (handle, process)
        return state.alive[handle] != 'alive' and not state.stored.get(queue) and not state.senders.get(queue)

    def look(self, state, process, sources, wanted):
        """What a receive would take from these sources, 'dead', or None."""
        if sources == 'anyone':
            return self.look_at_links(state, process, wanted)
        for handle in sources:
            found = self.look_at(state, self.queue_from(process, handle), wanted)
            if found:
                return found
        if sources and all(self.source_dead(state, process, handle) for handle in sources):
            return 'dead'
        return None

    def ready(self, state, process, sources):
        """The answer of select."""
        return tuple(handle for handle in sources
                     if self.look_at(state, self.queue_from(process, handle), None)
                     or self.source_dead(state, process, handle))

    def pick_sender(self, state, queue, blocked):
        """Which of these blocked senders goes first."""
        if self.order(queue) == 'priority':
            top = max(state.threads[key].wait[2].priority for key, _ in blocked)
            blocked = [item for item in blocked if state.threads[item[0]].wait[2].priority == top]
        if self.scenario.sender == 'arbitrary':
            return blocked[self.choose(len(blocked))][0]
        if self.scenario.sender == 'priority':
            top = max(self.priority_of(state, key) for key, _ in blocked)
            blocked = [item for item in blocked if self.priority_of(state, item[0]) == top]
        return blocked[0][0]

    def too_large_for(self, thread, message):
        limit = thread.instruction().keys.get('max-size')
        return limit is not None and message.size > size_of(limit)

    def take(self, state, key, found):
        """The thread takes what `look` found."""
        kind, queue, which = found
        sender = None
        if kind == 'stored':
            message = state.stored[queue][which][0]
        else:
            sender = self.pick_sender(state, queue, which)
            message = state.threads[sender].wait[2]
        too_large = self.too_large_for(state.threads[key], message)
        if too_large and self.scenario.too_large == 'keep':
            self.complete(state, key, 'too-large')
            return
        if kind == 'stored':
            state.stored[queue].pop(which)
            if 'senders' in self.scenario.again:
                self.wake_sender(state, queue)
        if too_large:
            self.complete(state, key, 'too-large')
            self.destroy_message(state, sender, message)
        else:
            if sender:
                self.depart(state, message)
            self.deliver(state, key, queue, message)
            if sender:
                self.sender_done(state, sender, message)
        self.settle(state)

    def destroy_message(self, state, sender, message):
        """too-large: destroy. The sender is told nothing; a caller is told `dead`."""
        if sender and message.request is not None:
            self.complete_waiting(state, sender, 'dead')
        elif sender:
            self.complete(state, sender, 'ok')
        else:
            self.lose(state, message)

    def pick_receiver(self, state, queue, waiting):
        """Which of these waiting receivers is served."""
        policy = self.receiver_policy(queue)
        if policy == 'arbitrary':
            return waiting[self.choose(len(waiting))][0]
        if policy == 'lifo':
            return waiting[-1][0]
        if policy == 'priority':
            top = max(self.priority_of(state, other) for other, _ in waiting)
            return next(other for other, _ in waiting if self.priority_of(state, other) == top)
        return waiting[0][0]

    def offer(self, state, queue, message, sender):
        """Hands the message over to a waiting receiver. Gives 'taken', 'destroyed' or None."""
        while True:
            waiting = [item for item in state.receivers.get(queue, [])
                       if state.threads[item[0]].wait[0] == 'receive'
                       and self.type_fits(state.threads[item[0]].wait[2], message)]
            if not waiting:
                return None
            key = self.pick_receiver(state, queue, waiting)
            if not self.too_large_for(state.threads[key], message):
                self.depart(state, message)
                self.deliver(state, key, queue, message)
                return 'taken'
            if not sender or message.carried or isinstance(message.given, Once):
                raise Ambiguous('rights or a notice, and a receiver for which the message is too large')
            if state.threads[sender].instruction().keys.get('wait') == 'never':
                raise Ambiguous('wait: never and a receiver for which the message is too large')
            self.complete(state, key, 'too-large')
            if self.scenario.too_large == 'destroy':
                return 'destroyed'

    # ------------------------------------------------------------ what has become possible

    def settle(self, state):
        """Slots and memory that have become free go to those who wait; waits that can end do."""
        while (self.settle_memory(state) or self.settle_slots(state) or self.settle_receivers(state)
               or self.settle_others(state) or self.settle_watches(state)):
            pass

    def settle_memory(self, state):
        """The queue for kernel memory: oldest first, nobody is overtaken."""
        if not state.memory_queue:
            return False
        key = state.memory_queue[0]
        _, queue, message = state.threads[key].wait
        if not self.fits_memory(state, message):
            return False
        came = self.offer(state, queue, message, key)
        if came == 'taken':
            self.sender_done(state, key, message)
        elif came == 'destroyed':
            self.destroy_message(state, key, message)
        elif not self.has_slot(state, queue, message):
            raise Ambiguous('memory, but no slot')
        else:
            self.store(state, queue, message)
            self.sender_done(state, key, message)
        return True

    def settle_slots(self, state):
        if 'senders' in self.scenario.again:
            return False
        for queue in list(state.senders):
            blocked = state.senders.get(queue)
            if not blocked or self.capacity(queue)[0] in ('none', 'undefined'):
                continue
            if self.scenario.sender == 'arbitrary' and self.order(queue) != 'priority':
                blocked = [item for item in blocked if self.has_slot(state, queue, state.threads[item[0]].wait[2])]
                if not blocked:
                    continue
            key = self.pick_sender(state, queue, blocked)
            message = state.threads[key].wait[2]
            if not self.has_slot(state, queue, message):
                continue
            if any(state.threads[other].wait[1] == queue for other in state.memory_queue):
                raise Ambiguous('some wait for a slot of a queue and some for memory')
            if not state.memory_queue and self.fits_memory(state, message):
                self.store(state, queue, message)
                self.sender_done(state, key, message)
                return True
            if self.scenario.memory_full == 'fail':
                self.complete_waiting(state, key, 'no-memory')
                return True
            state.senders[queue] = [item for item in state.senders[queue] if item[0] != key]
            state.threads[key].wait = ('memory', queue, message)
            state.memory_queue.append(key)
        return False

    def settle_receivers(self, state):
        """Receives that can be served, or whose sources are all dead."""
        for key, thread in state.threads.items():
            if thread.mode != 'wait' or thread.wait[0] != 'receive':
                continue
            found = self.look(state, thread.process, thread.wait[1], thread.wait[2])
            if found == 'dead':
                self.complete(state, key, 'dead')
                return True
            if found and 'receivers' not in self.scenario.again:
                others = [other for other, _ in state.receivers.get(found[1], [])
                          if state.threads[other].wait[0] == 'receive']
                if len(others) > 1:
                    raise Ambiguous('which receiver')
                self.take(state, key, found)
                return True
        return False

    def settle_others(self, state):
        """Selects that have an answer, and joins."""
        for key, thread in list(state.threads.items()):
            if thread.mode != 'wait':
                continue
            if thread.wait[0] == 'select':
                answer = self.ready(state, thread.process, thread.wait[1])
                if answer:
                    self.complete(state, key, 'ok', thread.instruction().argument, answer)
                    return True
            if thread.wait[0] == 'join' and not self.living(state, thread.process, thread.wait[1]):
                self.complete(state, key, 'ok')
                return True
        return False

    # ------------------------------------------------------------ threads and processes

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
        word = str(written)
        if not word.startswith('${') and word not in thread.variables and word.split('[')[0] not in self.words:
            return [], self.living(state, thread.process, word)
        return self.resolve(thread, written), []

    def end_thread(self, state, key):
        """Ends one thread: what it waits for is withdrawn. One that was started while running is forgotten."""
        thread = state.threads[key]
        chance = thread.wait if thread.mode == 'again' else None
        if thread.mode in ('wait', 'again'):
            wait = thread.wait
            request = wait[2].request if wait[0] in ('send', 'memory') else wait[1] if wait[0] == 'reply' else None
            if wait[:2] == ('again', 'send'):
                request = wait[3].request
            if request is not None:
                state.requests[request] = ('gone', None)
            self.leave_queues(state, key)
        thread.mode, thread.suspended = 'ended', 0
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
        for key in list(state.threads):
            if state.threads[key].process == process and state.threads[key].mode != 'ended':
                self.end_thread(state, key)
        for queue in list(state.stored):
            if not self.is_box(queue) and queue[1] == process:
                for message, _ in state.stored.pop(queue):
                    self.lose(state, message)
        for key, thread in list(state.threads.items()):
            if thread.mode == 'wait' and thread.wait[0] in ('send', 'memory'):
                queue = thread.wait[1]
                if not self.is_box(queue) and queue[1] == process:
                    self.complete_waiting(state, key, 'dead')
        for key in [key for key in state.watches if key[2] == process]:
            if state.holder[state.watches.pop(key)] != process:
                raise Ambiguous('whoever asked for a notice ends, and its port lives on')
        state.refs = {name: count for name, count in state.refs.items() if name[0] != process}
        for port in list(state.holder):
            if state.holder[port] == process:
                self.port_dies(state, port)
        for right in [right for right, holder in state.once.items() if holder == process]:
            self.once_lost(state, right)
        for request, (what, by) in list(state.requests.items()):
            if what == 'taken' and by == process:
                state.requests[request] = ('gone', None)
                caller = self.caller_of(state, request)
                if caller:
                    self.complete(state, caller, 'dead')
        self.settle(state)

    # ------------------------------------------------------------ local work

    def is_seen(self, thread, place):
        """Is there something that is looked at in the local work from this place, up to the next call?"""
        cache_key = (id(thread.code), place, thread.shown)
        if cache_key not in self.seen_cache:
            self.seen_cache[cache_key] = any(self.shows(thread, thread.code[here])
                                             for here in self.local_places(thread.code, place))
        return self.seen_cache[cache_key]

    def local_places(self, code, place):
        found, todo = set(), [place]
        while todo:
            here = todo.pop()
            if here not in found and code[here].op in LOCAL:
                found.add(here)
                todo += successors(code, here)
        return found

    def shows(self, thread, instruction):
        if self.visible == 'all':
            return instruction.op in ('set', 'log', 'next')
        if instruction.op == 'log':
            return 'logs' in self.visible
        names = instruction.argument if instruction.op == 'set' else []
        if instruction.op == 'next':
            names = [instruction.argument[1]]
        return any(f'{thread.shown}.{name}' in self.visible for name in names)

    def local_work(self, state, key, split):
        """Local work up to the next system call; if `split`, only up to a `compute` behind which something is seen."""
        thread, count = state.threads[key], 0
        thread.mode = 'call'
        while thread.mode == 'call':
            instruction = thread.instruction()
            if instruction.op not in LOCAL:
                return
            count += 1
            if count > 2000:
                raise Ambiguous('a long local loop')
            try:
                self.local_instruction(state, key, thread, instruction)
            except ThreadError:
                thread.mode = 'fail'
                self.failing.append(key)
                return
            if split and instruction.op == 'compute' and self.is_seen(thread, thread.place):
                thread.mode = 'local'
                return

    def local_instruction(self, state, key, thread, instruction):
        op, argument, names = instruction.op, instruction.argument, self.names_of(thread)
        follow = thread.place + 1
        if op == 'jump':
            follow = instruction.to
        elif op == 'branch':
            value = evaluate(argument, names)
            if not isinstance(value, bool):
                raise ThreadError('no truth value')
            follow = follow if value else instruction.to
        elif op == 'set':
            for name, text in argument.items():
                thread.variables[name] = evaluate(text, self.names_of(thread))
        elif op == 'counter':
            number = argument if isinstance(argument, int) else template(argument, names)
            if not isinstance(number, int) or number < 0:
                raise ThreadError('repeat')
            thread.counters[thread.place] = number
        elif op == 'count':
            if thread.counters[argument] == 0:
                follow = instruction.to
            else:
                thread.counters[argument] -= 1
        elif op == 'each':
            whole = argument if isinstance(argument, list) else evaluate(argument, names)
            if isinstance(whole, Family):
                whole = whole.handles
            if not isinstance(whole, (list, tuple)):
                raise ThreadError('for')
            thread.counters[thread.place] = tuple(whole)
        elif op == 'next':
            rest = thread.counters[argument[0]]
            if not rest:
                follow = instruction.to
            else:
                thread.variables[argument[1]] = rest[0]
                thread.counters[argument[0]] = rest[1:]
        elif op == 'choose':
            follow = instruction.to[self.choose(len(instruction.to))]
        elif op == 'log':
            state.log += ((thread.process.name, show(template(argument, names))),)
            self.took.add(key)
        elif op == 'assert':
            if evaluate(argument, names) is not True:
                raise ThreadError('assert')
        thread.place = follow

    def finish(self, state):
        """After a call: failures, and the local work of those who moved."""
        while self.failing or self.woken:
            if self.failing:
                key = self.failing.pop(0)
                if key in state.threads and state.threads[key].mode == 'fail':
                    self.end_process(state, state.threads[key].process, 'failed')
                continue
            key = self.woken.pop(0)
            if key not in state.threads or state.threads[key].mode != 'call':
                continue
            thread = state.threads[key]
            if self.is_seen(thread, thread.place):
                thread.mode = 'local'
            else:
                self.local_work(state, key, False)

    # ------------------------------------------------------------ one step

    def step(self, state, key):
        """The next step of this thread."""
        thread = state.threads[key]
        self.moved.add(key)
        if thread.mode == 'again':
            self.once_more(state, key, thread)
            self.settle(state)
        elif thread.mode == 'wait':
            outcome = 'ok' if thread.wait[0] == 'sleep' else 'timed-out'
            self.complete_waiting(state, key, outcome)
            self.settle(state)
        elif thread.mode == 'local':
            self.local_work(state, key, True)
        else:
            instruction = thread.instruction()
            try:
                getattr(self, 'do_' + instruction.op)(state, key, thread, instruction)
            except ThreadError:
                self.end_process(state, thread.process, 'failed')
        if key in self.woken:       # its own local work comes first, then that of those it woke
            self.woken.remove(key)
            self.woken.insert(0, key)

    def block(self, thread, wait):
        """The thread waits for this."""
        thread.mode, thread.wait = 'wait', wait
        thread.bounded = thread.instruction().keys.get('wait', 'forever') != 'forever'

    def never(self, instruction):
        return instruction.keys.get('wait') == 'never'

    def do_end(self, state, key, thread, instruction):
        self.end_thread(state, key)
        self.end_process_if_empty(state, thread.process)

    def do_exit(self, state, key, thread, instruction):
        self.end_process(state, thread.process, 'failed' if instruction.argument else 'ended')

    def do_yield(self, state, key, thread, instruction):
        self.complete(state, key, 'ok')

    def do_sleep(self, state, key, thread, instruction):
        self.block(thread, ('sleep',))
        thread.bounded = True

    def do_thread(self, state, key, thread, instruction):
        """A new thread begins with a copy of all variables."""
        number = 1
        while (thread.process.name, instruction.argument, number) in state.threads:
            number += 1
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
        for target in threads:
            self.end_thread(state, target)
            self.end_process_if_empty(state, thread.process)
        for process in processes:
            self.end_process(state, process, 'ended')
        if thread.mode != 'ended':
            self.complete(state, key, 'ok')

    def controlled(self, state, thread, instruction):
        """The threads that suspend, resume and interrupt mean, or None if a process has ended."""
        processes, threads = self.targets(state, thread, instruction.argument)
        if any(state.alive[process] != 'alive' for process in processes):
            if len(processes) > 1:
                raise Ambiguous('control of a family of which one has ended')
            return None
        if not processes and not threads:
            raise Ambiguous('control of a thread that has ended')
        return threads + [key for key, other in state.threads.items()
                          if other.process in processes and other.mode != 'ended']

    def do_suspend(self, state, key, thread, instruction):
        targets = self.controlled(state, thread, instruction)
        self.complete(state, key, 'dead' if targets is None else 'ok')
        for target in targets or []:
            state.threads[target].suspended += 1

    def do_resume(self, state, key, thread, instruction):
        targets = self.controlled(state, thread, instruction)
        if targets is None:
            self.complete(state, key, 'dead')
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
        targets = self.controlled(state, thread, instruction)
        self.complete(state, key, 'dead' if targets is None else 'ok')
        for target in targets or []:
            if state.threads[target].place == 0 and state.threads[target].instruction().op == 'sleep':
                raise Ambiguous('interrupt of a process that perhaps has not begun')
            if state.threads[target].mode == 'again':
                raise Ambiguous('interrupt of a thread that was made ready to look again')
            if state.threads[target].mode == 'wait':
                self.complete_waiting(state, target, 'interrupted')
        self.settle(state)

    def do_receive(self, state, key, thread, instruction):
        written = instruction.keys.get('from')
        sources = 'anyone' if written == 'anyone' else tuple(self.resolve(thread, written))
        ports = [handle for handle in sources if handle.kind == 'port'] if sources != 'anyone' else []
        if len(ports) < len(sources) and ports or len(ports) > 1:
            raise Ambiguous('a receive from a port and something else')
        if ports and state.holder[ports[0]] != thread.process:
            self.complete(state, key, 'no-right')
            return
        wanted = None
        if 'type' in instruction.keys:
            types = instruction.keys['type']
            names = self.names_of(thread)
            wanted = tuple(template(kind, names) for kind in (types if isinstance(types, list) else [types]))
        found = self.look(state, thread.process, sources, wanted)
        if found == 'dead':
            self.complete(state, key, 'dead')
        elif found:
            self.take(state, key, found)
        elif self.never(instruction):
            self.complete(state, key, 'would-block')
        else:
            self.block(thread, ('receive', sources, wanted))
            self.wait_at(state, key, thread.process, sources)

    def do_select(self, state, key, thread, instruction):
        sources = tuple(self.resolve(thread, instruction.keys['among']))
        if any(handle.kind == 'port' for handle in sources):
            raise Ambiguous('select among ports')
        answer = self.ready(state, thread.process, sources)
        if answer:
            self.complete(state, key, 'ok', instruction.argument, answer)
        elif self.never(instruction):
            self.complete(state, key, 'would-block')
        else:
            self.block(thread, ('select', sources))
            self.wait_at(state, key, thread.process, sources)

    def wait_at(self, state, key, process, sources):
        """A receiver or selector joins the queues of its sources."""
        state.clock += 1
        if sources == 'anyone':
            queues = [(sender, process) for sender in state.alive]
        else:
            queues = list(dict.fromkeys(self.queue_from(process, handle) for handle in sources))
        for queue in queues:
            state.receivers.setdefault(queue, []).append((key, state.clock))

    def do_reply(self, state, key, thread, instruction):
        to = instruction.keys['to']
        value = thread.variables.get(to) if re.fullmatch(r'\w+', to) else template(to, self.names_of(thread))
        once = value.given if isinstance(value, Message) and isinstance(value.given, Once) else value
        if isinstance(once, Once):
            self.reply_once(state, key, thread, instruction, once)
            return
        if not isinstance(value, Message) or value.request is None:
            self.complete(state, key, 'no-right')
            return
        what, _ = state.requests[value.request]
        if what == 'used':
            self.complete(state, key, 'no-right')
            return
        state.requests[value.request] = ('used', None)
        caller = self.caller_of(state, value.request)
        if what == 'gone' or caller is None:
            self.complete(state, key, 'dead')
            return
        body = template(instruction.argument, self.names_of(thread))
        answer = Message(body, thread.process, None, 0, default_size(body), None, None, None)
        self.complete(state, key, 'ok')
        self.took.add(caller)
        self.complete(state, caller, 'ok', state.threads[caller].instruction().keys.get('into'), answer)

    def reply_once(self, state, key, thread, instruction, once):
        """An answer by a send-once right ignores the limit of the port."""
        if state.once.get(once) != thread.process:
            self.complete(state, key, 'no-right')
            return
        del state.once[once]
        if state.holder[once.port] is None:
            self.complete(state, key, 'dead')
            return
        body = template(instruction.argument, self.names_of(thread))
        message = Message(body, thread.process, None, 0, default_size(body), None, None, None)
        self.complete(state, key, 'ok')
        if not self.offer(state, once.port, message, None):
            self.store(state, once.port, message)
        self.settle(state)

    def do_call(self, state, key, thread, instruction):
        self.do_send(state, key, thread, instruction)

    def do_send(self, state, key, thread, instruction):
        """The points of 'Send' in language-notes.md, in their order."""
        scenario, names, keys = self.scenario, self.names_of(thread), instruction.keys
        body = template(instruction.argument, names)
        destinations = self.resolve(thread, keys['to'])
        if len(destinations) != 1:
            raise Ambiguous('send to several')
        destination = destinations[0]
        if 'size' not in keys:
            size = default_size(body)
        else:
            size = size_of(keys['size']) if '$' not in str(keys['size']) else template(keys['size'], names)
        request = None
        if instruction.op == 'call':
            state.clock += 1
            request = state.clock
        given = self.resolve(thread, keys['reply-to'])[0] if 'reply-to' in keys else None
        carried = tuple((one['as'], self.resolve(thread, one['port'])[0]) for one in keys.get('rights', []))
        meets = self.may_send(state, thread.process, destination) if destination.kind == 'port' else 'ok'
        good = self.may_carry(state, thread.process, carried)
        if given is not None and given.kind == 'port':
            if state.holder[given] is None:
                raise Ambiguous('reply-to a dead port')
            good = good and state.holder[given] == thread.process
            state.clock += 1
            given = Once(state.clock, given)
        if meets == 'dead' and not good:
            raise Ambiguous('a dead port, and a right that is not there')
        if meets != 'ok' or not good:
            self.complete(state, key, 'dead' if meets == 'dead' else 'no-right')
            return
        if destination in [port for kind, port in carried if kind == 'move-receive']:
            raise Ambiguous('a receive right in a message to its own port')
        message = Message(body, thread.process, template(keys.get('type'), names),
                          template(keys.get('priority', 0), names), size, None, request, given, carried)
        self.try_send(state, key, thread, self.queue_to(thread.process, destination), message)

    def try_send(self, state, key, thread, queue, message, last=False):
        """Looks at the points in turn. `last`: its time is over, and what would have to wait ends."""
        scenario, instruction = self.scenario, thread.instruction()
        size, request, capacity = message.size, message.request, self.capacity(queue)
        if scenario.again and capacity[0] in ('bytes', 'undefined'):
            raise Ambiguous('look-again, and capacity ' + capacity[0])

        def wait_for(kind):
            """SEND-blocked or memory-blocked."""
            if last:
                self.complete_waiting(state, key, 'timed-out')
                return
            if self.never(instruction):
                self.complete(state, key, 'would-block')
                return
            if request is not None:
                state.requests[request] = ('open', None)
            self.block(thread, (kind, queue, message))
            if kind == 'memory':
                state.memory_queue.append(key)
            else:
                state.clock += 1
                state.senders.setdefault(queue, []).append((key, state.clock))

        def gone():
            """The message was stored or taken."""
            if request is None:
                self.complete(state, key, 'ok')
            elif self.never(instruction):
                state.requests[request] = ('gone', None)
                self.complete(state, key, 'would-block')
            else:
                self.leave_queues(state, key)
                self.block(thread, ('reply', request))

        if not self.is_box(queue) and state.alive[queue[1]] != 'alive':
            self.complete(state, key, 'dead')
            return
        if self.is_box(queue) and scenario.boxes[queue].max_size is not None and size > scenario.boxes[queue].max_size:
            self.complete(state, key, 'too-large')
            return
        if any(state.threads[other].wait[1] == queue for other in state.memory_queue):
            wait_for('memory')
            return
        if request is not None:
            state.requests[request] = ('open', None)
        if 'receivers' in scenario.again and self.has_slot(state, queue, message) and (
                'senders' in scenario.again or not self.goes_before(state, queue, message, thread)):
            gone()
            self.store(state, queue, message)
            self.settle(state)
            return
        came = self.offer(state, queue, message, key)
        if came:
            if came == 'destroyed' and request is not None:
                state.requests[request] = ('gone', None)
                self.complete(state, key, 'dead')
            else:
                gone()
            self.settle(state)
            return
        if capacity[0] != 'none':
            if scenario.memory is not None and size + scenario.overhead > scenario.memory:
                if capacity[0] == 'undefined':
                    raise Ambiguous('too large, and undefined')
                self.complete(state, key, 'too-large')
                return
            if capacity[0] == 'bytes' and size > capacity[1]:
                self.complete(state, key, 'too-large')
                return
        if capacity[0] == 'undefined':
            room = len(state.stored.get(queue, [])) < 8 and self.choose(2) == 1
        else:
            room = self.has_slot(state, queue, message) and ('senders' in scenario.again
                                                             or not self.goes_before(state, queue, message, thread))
        if not room:
            wait_for('send')
            self.settle(state)
        elif state.memory_queue or not self.fits_memory(state, message):
            if scenario.memory_full == 'fail':
                self.complete(state, key, 'no-memory')
            else:
                wait_for('memory')
        else:
            self.store(state, queue, message)
            gone()
            self.settle(state)

    def goes_before(self, state, queue, message, thread):
        """Is somebody SEND-blocked here who goes before a new sender?"""
        blocked = [key for key, _ in state.senders.get(queue, [])]
        if self.order(queue) == 'priority':
            blocked = [key for key in blocked if state.threads[key].wait[2].priority >= message.priority]
        elif self.scenario.sender == 'arbitrary':
            blocked = []
        elif self.scenario.sender == 'priority':
            mine = self.scenario.priority[thread.process]
            blocked = [key for key in blocked if self.priority_of(state, key) >= mine]
        return bool(blocked)
