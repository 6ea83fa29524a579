"""The kernel: what one step of one thread does to the whole state. Nothing is left out and nothing is merged.

A step is one system call, the local work behind it, and the local work of the threads that it wakes. Local work that is
seen (it assigns a variable that is looked at, or logs) is a step of its own, and so is what lies behind a `compute`.

A queue is named by the handle of its mailbox, or for a link by the pair (sender's process, receiver's process).
"""
import re

from reading import (Ambiguous, Family, Handle, LOCAL, Message, ThreadError, default_size, evaluate, show, size_of,
                     successors, template)


class Thread:
    """One thread. `mode` is one of
        call    its next step is the system call at `place`
        local   its next step is local work that is seen
        fail    its next step is an exception
        wait    it is blocked; `wait` says for what, `bounded` whether the wait ends by itself
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
        """Does act(copy of the state) in all ways in which it can come out. Gives (state, who moved, who took or logged)."""
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
        """Can this thread take a step? That a bounded wait ends is a step, too, and the kernel's own: it needs no processor."""
        if thread.mode == 'wait':
            return thread.bounded
        return thread.mode != 'ended' and not thread.suspended

    # ------------------------------------------------------------ words, queues

    def names_of(self, thread):
        names = dict(self.words)
        names.update(index=thread.index, me=thread.process, status=thread.status, thread_index=thread.thread_index)
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
        return handle if handle.kind == 'box' else (process, handle)

    def queue_from(self, process, handle):
        return handle if handle.kind == 'box' else (handle, process)

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
        items = state.stored.setdefault(queue, [])
        state.clock += 1
        place = len(items)
        if self.order(queue) == 'priority':
            while place > 0 and items[place - 1][0].priority < message.priority:
                place -= 1
        items.insert(place, (message, state.clock))

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
        """What a receive would take from this queue: ('stored', queue, position), ('sender', queue, senders) or None."""
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
        if handle.kind == 'box':
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
                     if self.look_at(state, self.queue_from(process, handle), None) or self.source_dead(state, process, handle))

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
        if too_large:
            self.complete(state, key, 'too-large')
            self.destroy_message(state, sender, message)
        else:
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

    def offer(self, state, queue, message, sender):
        """Hands the message over to a waiting receiver. Gives 'taken', 'destroyed' or None."""
        while True:
            waiting = [item for item in state.receivers.get(queue, [])
                       if state.threads[item[0]].wait[0] == 'receive'
                       and self.type_fits(state.threads[item[0]].wait[2], message)]
            if not waiting:
                return None
            policy = self.receiver_policy(queue)
            if policy == 'arbitrary':
                key = waiting[self.choose(len(waiting))][0]
            elif policy == 'lifo':
                key = waiting[-1][0]
            elif policy == 'priority':
                top = max(self.priority_of(state, other) for other, _ in waiting)
                key = next(other for other, _ in waiting if self.priority_of(state, other) == top)
            else:
                key = waiting[0][0]
            if not self.too_large_for(state.threads[key], message):
                self.deliver(state, key, queue, message)
                return 'taken'
            if state.threads[sender].instruction().keys.get('wait') == 'never':
                raise Ambiguous('wait: never and a receiver for which the message is too large')
            self.complete(state, key, 'too-large')
            if self.scenario.too_large == 'destroy':
                return 'destroyed'

    # ------------------------------------------------------------ what has become possible

    def settle(self, state):
        """Slots and memory that have become free go to those who wait; waits that can end do."""
        while (self.settle_memory(state) or self.settle_slots(state) or self.settle_receivers(state)
               or self.settle_others(state)):
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
            if found:
                others = [other for other, _ in state.receivers.get(found[1], []) if state.threads[other].wait[0] == 'receive']
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
        if thread.mode == 'wait':
            wait = thread.wait
            request = wait[2].request if wait[0] in ('send', 'memory') else wait[1] if wait[0] == 'reply' else None
            if request is not None:
                state.requests[request] = ('gone', None)
            self.leave_queues(state, key)
        thread.mode, thread.suspended = 'ended', 0
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
        names = instruction.argument if instruction.op == 'set' else [instruction.argument[1]] if instruction.op == 'next' else []
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
        if thread.mode == 'wait':
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
            if state.threads[target].mode == 'wait':
                self.complete_waiting(state, target, 'interrupted')
        self.settle(state)

    def do_receive(self, state, key, thread, instruction):
        written = instruction.keys.get('from')
        sources = 'anyone' if written == 'anyone' else tuple(self.resolve(thread, written))
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
        answer = Message(body, thread.process, None, 0, default_size(body), None, None)
        self.complete(state, key, 'ok')
        self.took.add(caller)
        self.complete(state, caller, 'ok', state.threads[caller].instruction().keys.get('into'), answer)

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
        message = Message(body, thread.process, template(keys.get('type'), names),
                          template(keys.get('priority', 0), names), size, None, request)
        queue = self.queue_to(thread.process, destination)
        capacity = self.capacity(queue)

        def wait_for(kind):
            """SEND-blocked or memory-blocked."""
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
                self.block(thread, ('reply', request))

        if destination.kind == 'process' and state.alive[destination] != 'alive':
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
            room = self.has_slot(state, queue, message) and not self.goes_before(state, queue, message, thread)
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
