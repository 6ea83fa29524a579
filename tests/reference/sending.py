"""Sending: send, call and reply."""
import re
from values import Ambiguous, Message, Once, Opened, ThreadError, default_size, evaluate, size_of, template



class Sending:
    """The part of the kernel that brings messages on their way."""

    def do_reply(self, state, key, thread, instruction):
        to = instruction.keys['to']
        value = thread.variables.get(to) if re.fullmatch(r'\w+', to) else template(to, self.names_of(thread))
        once = value.given if isinstance(value, Message) and isinstance(value.given, Once) else value
        if isinstance(once, Once):
            self.use_once(state, key, thread, instruction, once)
            return
        if not isinstance(value, Message) or value.request is None:
            self.complete(state, key, 'no-right')
            return
        carried = self.carried_by(state, thread, instruction)
        what, by = state.requests[value.request]
        if what == 'taken' and by != thread.process and self.is_forked(thread.process):
            self.complete(state, key, 'no-right')       # a request of the parent
            return
        good = self.may_carry(state, thread.process, carried)
        if what != 'taken' and not good:
            raise Ambiguous('an answer that nobody waits for, and a right that is not there')
        if what == 'used' or not good:
            self.complete(state, key, 'no-right')
            return
        state.requests[value.request] = ('used', None)
        caller = self.caller_of(state, value.request)
        if what == 'gone' or caller is None:
            self.complete(state, key, 'dead')
            return
        body = template(instruction.argument, self.names_of(thread))
        answer = Message(body, thread.process, None, 0, default_size(body), None, None, None, carried)
        self.complete(state, key, 'ok')
        self.took.add(caller)
        self.depart(state, answer)
        answer = self.arrive(state, state.threads[caller].process, answer)
        if state.threads[caller].wait[0] != 'fault' and state.threads[caller].instruction().asks:
            self.answered(state, caller, answer)
        else:
            self.complete(state, caller, 'ok', state.threads[caller].instruction().keys.get('into'), answer)
        self.settle(state)

    def carried_by(self, state, thread, instruction):
        """The rights that shall go with the message, as (which, port), or (which, send-once right)."""
        carried = []
        for one in instruction.keys.get('rights', []):
            if one['as'] == 'file':
                thing = self.value_of(thread, one['port'])
                if thing is not None and not isinstance(thing, Opened):
                    raise Ambiguous('as: file of no descriptor')
                carried.append(('file', thing and self.meant(state, thread.process, thing)))
                continue
            if self.is_request(thread, one['port']):
                raise Ambiguous('the right to answer a call in a message')
            thing = self.once_behind(thread, one['port']) or self.resolve(thread, one['port'])[0]
            if one['as'] == 'make-send-once' and not isinstance(thing, Once):
                state.clock += 1
                thing = Once(state.clock, thing)
            elif one['as'] == 'make-send-once':
                raise Ambiguous('a send-once right out of a send-once right')
            carried.append((one['as'], thing))
        return tuple(carried)

    def once_behind(self, thread, written):
        """The send-once right that this destination means, if it is one."""
        whole = re.fullmatch(r'\$\{([^}]*)\}', str(written))
        value = evaluate(whole[1] if whole else written, self.names_of(thread))
        return value if isinstance(value, Once) else None

    def nothing_behind(self, thread, written):
        """Is this destination none?"""
        whole = re.fullmatch(r'\$\{([^}]*)\}', str(written))
        return evaluate(whole[1] if whole else written, self.names_of(thread)) is None

    def is_request(self, thread, written):
        return (str(written).startswith('${')
                and isinstance(evaluate(str(written)[2:-1], self.names_of(thread)), Message))

    def takes_no_send(self, thread, written):
        """Is this destination none, or the right to answer a call, which takes a `reply`?"""
        if str(written).endswith('.reply-to}') and self.is_request(thread, written):
            return True
        return bool(self.scenario.holder) and self.nothing_behind(thread, written)

    def do_call(self, state, key, thread, instruction):
        self.do_send(state, key, thread, instruction)

    def do_send(self, state, key, thread, instruction):
        """The points of 'Send' in language-notes.md, in their order."""
        keys = instruction.keys
        once = self.once_behind(thread, keys['to'])
        if self.takes_no_send(thread, keys['to']) or self.barred(state, thread, keys['to'], 'write'):
            self.complete(state, key, 'no-right')
            return
        if once:
            self.use_once(state, key, thread, instruction, once)
            return
        if self.is_request(thread, keys['to']):
            raise Ambiguous('a send to the right to answer a call')
        destinations = self.resolve(thread, keys['to'])
        if len(destinations) != 1:
            raise Ambiguous('send to several')
        destination = destinations[0]
        if destination.kind == 'pipe':
            self.write(state, key, thread, instruction, destination)
            return
        body, size, kind, priority = self.written(state, thread, instruction, destination)
        request = None
        if instruction.op == 'call':
            state.clock += 1
            request = state.clock
        given = self.resolve(thread, keys['reply-to'])[0] if 'reply-to' in keys else None
        carried = self.carried_by(state, thread, instruction)
        if 'hold-one' in keys and destination.kind != 'port':
            raise Ambiguous('hold-one, and no port')
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
        if destination.kind == 'channel' and not self.can_read(state, destination):
            meets = 'dead'
        if meets == 'dead' and not good:
            raise Ambiguous('a dead channel, and a right that is not there')
        if meets != 'ok' or not good:
            self.complete(state, key, 'dead' if meets == 'dead' else 'no-right')
            return
        if destination in self.scenario.control_ports:
            self.control_by_message(state, key, thread, instruction, destination)
            return
        if any(kind == 'move-receive' and port in self.on_the_way_to(state, destination) for kind, port in carried):
            raise Ambiguous('a receive right in a message to its own port')
        message = Message(body, thread.process, kind, priority, size, None, request, given, carried)
        self.depart(state, message)
        self.try_send(state, key, thread, self.queue_to(thread.process, destination), message)

    def written(self, state, thread, instruction, destination):
        """(body, size, type, priority) of the message that this step sends."""
        names, keys = self.names_of(thread), instruction.keys
        try:
            body = template(instruction.argument, names)
            if '$' in str(keys.get('size')):
                size = template(keys['size'], names)
            else:
                size = size_of(keys['size']) if 'size' in keys else default_size(body)
            return body, size, template(keys.get('type'), names), template(keys.get('priority', 0), names)
        except ThreadError:
            usable = destination.kind != 'port' or self.may_send(state, thread.process, destination) == 'ok'
            if not usable or self.is_dead(state, self.queue_to(thread.process, destination)):
                raise Ambiguous('an exception in a send that can reach nobody')
            raise

    def has_sent(self, state, key, thread, instruction, request):
        """The message was stored or taken: the call ends, or waits for its answer."""
        if request is None:
            self.complete(state, key, 'ok')
        elif self.never(instruction):
            state.requests[request] = ('gone', None)
            self.complete(state, key, 'would-block')
        else:
            self.leave_queues(state, key)
            self.block(thread, ('reply', request))

    def try_send(self, state, key, thread, queue, message, last=False):
        """Looks at the points in turn. `last`: its time is over, and what would have to wait ends."""
        scenario, instruction = self.scenario, thread.instruction()
        size, request, capacity = message.size, message.request, self.capacity(state, queue)
        if scenario.again and capacity[0] == 'undefined' or 'senders' in scenario.again and capacity[0] == 'bytes':
            raise Ambiguous('look-again, and capacity ' + capacity[0])

        def fails(outcome):
            """The message does not go."""
            self.come_back(state, message)
            self.complete(state, key, outcome)

        def wait_for(kind):
            """SEND-blocked or memory-blocked."""
            if last:
                self.complete_waiting(state, key, 'timed-out')
                return
            if self.never(instruction):
                if kind == 'send' and 'hold-one' in instruction.keys:
                    self.hold(state, key, queue, message)
                else:
                    fails('would-block')
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
            self.has_sent(state, key, thread, instruction, request)

        if self.is_dead(state, queue):
            fails('dead')
            return
        if self.is_box(queue) and state.boxes[queue].max_size is not None and size > state.boxes[queue].max_size:
            fails('too-large')
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
        came = None if self.takes_nothing(state, queue) else self.offer(state, queue, message, key)
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
                fails('too-large')
                return
            if capacity[0] == 'bytes' and size > capacity[1]:
                fails('too-large')
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
                fails('no-memory')
            else:
                wait_for('memory')
        else:
            self.store(state, queue, message)
            gone()
            self.settle(state)

    def is_dead(self, state, queue):
        """Has the destination ended, or was it destroyed?"""
        if not self.is_box(queue):
            return self.is_over(state, queue[1])
        return (queue in state.destroyed or queue.kind == 'port' and state.holder[queue] is None
                or queue.kind in ('pipe', 'channel') and not self.can_read(state, queue))

    def goes_before(self, state, queue, message, thread):
        """Is somebody SEND-blocked here, or a message kept, that goes before a new sender?"""
        kept = self.kept_at(state, queue)
        if kept and self.scenario.sender == 'priority':
            raise Ambiguous('hold-one and sender: priority')
        if kept and self.scenario.sender == 'fifo':
            return True
        blocked = [key for key, _ in state.senders.get(queue, [])]
        if self.order(state, queue) == 'priority':
            blocked = [key for key in blocked if state.threads[key].wait[2].priority >= message.priority]
        elif self.scenario.sender == 'arbitrary':
            blocked = []
        elif self.scenario.sender == 'priority':
            mine = self.scenario.priority[thread.process]
            blocked = [key for key in blocked if self.priority_of(state, key) >= mine]
        return bool(blocked)
