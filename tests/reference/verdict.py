"""Deadlock or stranded? Looks at the threads that never move again, and at the code ahead of each.

There is an arrow from t to u if the code ahead of u, as if u's own wait were over, holds an action that would complete
t's wait. A thread on a circle of arrows is in a deadlock. Where the pages do not say whether there is an arrow it is
drawn once and left out once; if the answer is not the same, the scenario is `Ambiguous`.
"""
import re

import spawn
from ahead import code_ahead, gives_away, holds, start
from control_arrows import ControlArrows
from pipe_arrows import PipeArrows
from port_arrows import PortArrows
from reading import successors
from values import Ambiguous, ThreadError

# Variables of a name server that never change.
FIXED = ('port', 'parent')


class Judgement:
    def __init__(self, outcome, blocked):
        self.outcome, self.blocked = outcome, blocked


class Judge(PortArrows, ControlArrows, PipeArrows):
    """`doomed` are the threads that never move again, `going` those that take steps for ever."""

    def __init__(self, machine, state, doomed, going):
        self.machine, self.state, self.doomed, self.going = machine, state, doomed, going
        self.scenario = machine.scenario
        machine.table = state.open
        self.ahead_cache, self.makers = {}, {}
        self.joint = {}         # thread -> those who can help it only together, such as all threads of a process
        if self.scenario.spawned:
            self.state, self.makers = spawn.with_children(machine, state, code_ahead)

    def judge(self):
        """Outcome: 'deadlock', 'stranded' or None; and the names of the processes that are blocked."""
        self.resting = {key for key in self.doomed if self.at_rest(key)}
        if not set(self.doomed) - self.resting:
            return Judgement(None, set())
        self.sure, self.perhaps = {}, {}
        for key in self.doomed:
            self.sure[key], self.perhaps[key] = self.arrows(key)
        answers = [self.with_arrows(self.sure),
                   self.with_arrows({key: self.sure[key] | self.perhaps[key] for key in self.sure})]
        stuck = {outcome for outcome, _ in answers} == {'deadlock', 'stranded'}
        if stuck and answers[0][1] == answers[1][1] and self.scenario.has_pipes:
            return Judgement('stuck', answers[0][1])
        if answers[0] != answers[1]:
            raise Ambiguous('an arrow of which the pages say nothing')
        return Judgement(*answers[0])

    def with_arrows(self, arrows):
        """(outcome, blocked) under these arrows."""
        neglected = {key for key in self.doomed if any(other in self.going and not self.is_daemon(other)
                                                       for other in arrows[key])}
        rest = [key for key in self.doomed if key not in neglected]
        reach = {key: self.reachable(key, arrows, set(rest)) for key in rest}
        circles = set()
        for key in rest:
            circle = {other for other in reach[key] if key in reach[other]}
            if key in circle and circle - self.resting:
                circles |= circle
        stuck = set(self.doomed) - self.resting
        # the pages do not say so: `blocked:` leaves out the name servers, which stand in no file
        blocked = {self.state.threads[key].process.name for key in stuck | circles
                   if not self.is_name_server(self.state.threads[key].process)}
        if circles:
            return 'deadlock', frozenset(blocked)
        if stuck - neglected:
            return 'stranded', frozenset(blocked)
        return None, frozenset(blocked)

    def reachable(self, key, arrows, among):
        """The threads that can be reached from this one by one arrow or more."""
        found, todo = set(), [key]
        while todo:
            for other in arrows[todo.pop()]:
                if other in among and other not in found:
                    found.add(other)
                    todo.append(other)
        return found

    def is_daemon(self, key):
        return self.scenario.daemon[self.state.threads[key].process]

    def at_rest(self, key):
        """A daemon in an unbounded receive or select that owes nobody an answer."""
        if not self.is_daemon(key):
            return False
        process = self.state.threads[key].process
        siblings = [thread for thread in self.state.threads.values()
                    if thread.process == process and thread.mode != 'ended']
        calm = [thread.mode == 'wait' and thread.wait[0] in ('receive', 'select') and not thread.bounded
                for thread in siblings]
        owes = any(what == 'taken' and by == process and self.machine.caller_of(self.state, request)
                   for request, (what, by) in self.state.requests.items())
        if len(siblings) > 1 and (not all(calm) or owes):
            raise Ambiguous('a daemon of several threads of which some rest')
        return all(calm) and not owes

    # ------------------------------------------------------------ the code ahead

    def ahead(self, key):
        """The instructions ahead of this thread."""
        if key not in self.ahead_cache:
            self.ahead_cache[key] = code_ahead(self.state, key)
        return self.ahead_cache[key]

    def handles(self, key, written):
        """(handles, known): what a written destination or source means, as far as it is known now."""
        thread = self.state.threads[key]
        fixed = FIXED if self.is_name_server(thread.process) else ()
        if str(written) == '${parent}' and fixed and thread.variables['parent'] is None:
            return [], True
        try:
            handles = self.machine.resolve(thread, written)
        except ThreadError:
            return [], False
        words = re.findall(r'[A-Za-z_]\w*', str(written))
        if self.stays(key, written):
            return handles, True
        return handles, not any(word in thread.variables and word not in fixed for word in words)

    def is_name_server(self, process):
        return any(self.state.holder[port] == process for port in self.scenario.servers)

    def destination(self, key, instruction):
        """As `handles`, of a send, a call, or a call to the name server."""
        if instruction.op != 'name':
            return self.handles(key, instruction.keys['to'])
        port = self.scenario.name_server.get(self.state.threads[key].process)
        return ([port], True) if port else ([], True)

    def can_end(self, key):
        """Does the code of this thread come to an end?"""
        return any(instruction.op in ('end', 'exit') for instruction in self.ahead(key))

    def enders(self, process):
        """The threads whose ending is the end of this process, or an empty set if it cannot end."""
        threads = [key for key, thread in self.state.threads.items()
                   if thread.process == process and thread.mode != 'ended']
        found = {key for key in threads if any(instruction.op == 'exit' for instruction in self.ahead(key))}
        if all(self.can_end(key) for key in threads):
            found |= set(threads)
        return found

    # ------------------------------------------------------------ arrows

    def arrows(self, key):
        """(sure, perhaps): to whom an arrow leads from this thread."""
        thread = self.state.threads[key]
        self.now = (set(), set())
        if thread.mode == 'wait':
            getattr(self, 'helps_' + thread.wait[0])(key, thread)
        for other in self.state.threads:
            for instruction in self.ahead(other) if self.state.threads[other].mode != 'ended' else []:
                self.by_control(key, thread, other, instruction)
                if instruction.op == 'kill' or (instruction.op in ('resume', 'interrupt') and other != key):
                    self.control(key, thread, other, instruction)
                elif thread.mode == 'wait' and (instruction.op in ('destroy', 'limit', 'insert', 'remove')
                                                or gives_away(instruction)):
                    self.add(key, other, False)     # the pages do not say what that is worth
        return self.now

    def add(self, key, other, sure=True):
        makers = self.makers.get(other, {other})
        # whether the code of those counts whom a child will make the pages do not say
        deep = other in self.makers and any(maker in self.makers for maker in makers)
        self.now[0 if sure and not deep else 1].update(self.real(makers))

    def real(self, makers):
        """The threads that there are, instead of those that they would make."""
        found, todo = set(), list(makers)
        while todo:
            one = todo.pop()
            if one not in found:
                found.add(one)
                todo += self.makers.get(one, ())        # a copy may make further copies
        return found - set(self.makers)

    def control(self, key, thread, other, instruction):
        """resume, interrupt or kill ahead of another thread."""
        op = instruction.op
        if (op == 'resume' and not thread.suspended) or (op == 'interrupt' and thread.mode != 'wait'):
            return
        actor = self.state.threads[other]
        try:
            processes, threads = self.machine.targets(self.state, actor, instruction.argument)
        except ThreadError:
            return
        processes = [process for process in processes if self.may_control(actor.process, process)]
        if thread.process in processes or key in threads:
            if other == key:
                return              # what one does to oneself completes no wait
            # to kill one's own process ends oneself, too; the pages do not say what that is worth
            own = instruction.op == 'kill' and actor.process == thread.process
            both = thread.suspended and thread.mode == 'wait'
            self.add(key, other, not own and not both)
        elif instruction.op == 'kill':
            self.control_of_others(key, thread, other, processes, threads)

    def control_of_others(self, key, thread, other, processes, threads):
        """Somebody is killed whose end would end the wait. `sure` where that is easily told."""
        wait = thread.wait or ('',)
        named = wait[0] in ('receive', 'select') and wait[1] != 'anyone'
        if named and any(process in wait[1] for process in processes):
            self.add(key, other, len(wait[1]) == 1)
        if wait[0] in ('send', 'memory') and not self.machine.is_box(wait[1]) and wait[1][1] in processes:
            self.add(key, other, wait[0] == 'send')
        if wait[0] == 'memory' or wait[0] == 'reply' or self.holders_end(key, wait, processes):
            self.add(key, other, False)
        if wait[0] == 'join' and threads:
            self.add(key, other, False)

    def ending(self, key, process, sure=True):
        """The end of this process would complete the wait of `key`."""
        if process == self.state.threads[key].process:
            return
        if len(self.enders(process)) > 1:
            self.joint.setdefault(key, set()).update(self.enders(process))
        for other in self.enders(process):
            # the pages do not say whether the end of a process that has not been made yet counts
            self.add(key, other, sure and other not in self.makers)

    def others_with(self, *ops):
        """(thread, instruction) for each such instruction ahead of a living thread."""
        for other, thread in self.state.threads.items():
            if thread.mode != 'ended':
                for instruction in self.ahead(other):
                    if instruction.op in ops:
                        yield other, instruction

    def type_may_fit(self, other, written, message_type):
        """Could a receive with this `type:` take a message of this type? Unknown where it is computed."""
        if written is None:
            return True
        for kind in written if isinstance(written, list) else [written]:
            if '${' in str(kind) or (type(kind) is type(message_type) and kind == message_type):
                return True
        return False

    def helps_receive(self, key, thread):
        _, sources, wanted = thread.wait
        if sources != 'anyone':
            sources = self.ports_of(sources)
        process = thread.process
        for other, instruction in self.others_with('send', 'call', 'name'):
            actor = self.state.threads[other].process
            handles, known = self.destination(other, instruction)
            kind = instruction.asks or instruction.keys.get('type')
            if wanted is not None and '${' not in str(kind):
                if not any(type(kind) is type(one) and kind == one for one in wanted):
                    continue
            queues = [self.machine.queue_to(actor, handle) for handle in handles]
            if sources == 'anyone':
                hit = any(not self.machine.is_box(queue) and queue[1] == process for queue in queues)
            else:
                mine = [self.machine.queue_from(process, handle) for handle in sources]
                hit = any(queue in mine for queue in queues)
            hit = hit and self.usable(other, instruction, 'write')
            if hit and self.is_name_server(process):
                # the pages do not say so: of those who ask only `register` brings what a name server waits for
                if instruction.asks == 'register' or self.is_name_server(actor):
                    self.add(key, other, instruction.asks == 'register')
            elif hit:
                goes = known and not self.never_goes(instruction, queues[0])
                self.add(key, other, goes and self.has_right(actor, instruction, handles))
            elif not known:
                self.add(key, other, False)
        for other, queue, message in self.waiting_to_send():
            if sources == 'anyone':
                hit = not self.machine.is_box(queue) and queue[1] == process
            else:
                hit = queue in [self.machine.queue_from(process, handle) for handle in sources]
            if hit and not self.is_name_server(process) and self.machine.type_fits(wanted, message):
                self.add(key, other)
        if sources == 'anyone':
            return
        self.helps_handler(key, sources)
        for handle in sources:
            if handle.kind == 'port':
                self.helps_at_port(key, handle, wanted)
            if handle.kind in ('pipe', 'channel'):
                self.let_go(key, handle, 'write')
        if thread.instruction().op == 'receive' and sources and all(handle.kind == 'process' for handle in sources):
            living = [handle for handle in sources if not self.machine.is_over(self.state, handle)]
            left_over = any(self.state.stored.get((handle, process)) or self.state.senders.get((handle, process))
                            for handle in sources)
            if all(handle != process and self.enders(handle) for handle in living):
                for handle in living:
                    self.ending(key, handle, not left_over)

    def waiting_to_send(self):
        """(thread, queue, message) for each message that comes when a wait for a slot or for memory is over."""
        for other, thread in self.state.threads.items():
            if thread.mode == 'wait' and thread.wait[0] in ('send', 'memory'):
                yield other, thread.wait[1], thread.wait[2]

    def receives_from(self, queue):
        """(thread, instruction, known) for each receive from this queue that is ahead of somebody."""
        for other, instruction in self.others_with('receive'):
            process, written = self.state.threads[other].process, instruction.keys.get('from')
            if written == 'anyone':
                if not self.machine.is_box(queue) and queue[1] == process:
                    yield other, instruction, True
                continue
            handles, known = self.handles(other, written)
            if self.machine.is_box(queue) and queue.kind == 'port':
                # a port in a set is not received from directly
                direct, in_set = queue in handles, self.machine.set_of(self.state, queue) is not None
                known = known and self.state.holder[queue] == process and direct != in_set
            handles = self.ports_of(handles)
            if not self.usable(other, instruction, 'read'):
                continue
            if queue in [self.machine.queue_from(process, handle) for handle in handles]:
                yield other, instruction, known
            elif not known:
                yield other, instruction, False

    def helps_send(self, key, thread):
        _, queue, message = thread.wait
        stored = [item for item, _ in self.state.stored.get(queue, [])]
        # at a port nobody receives what a blocked sender has to offer
        is_port = self.machine.is_box(queue) and queue.kind == 'port'
        for other, instruction, known in self.receives_from(queue):
            wanted = instruction.keys.get('type')
            if not is_port and self.type_may_fit(other, wanted, message.type):
                self.add(key, other, known)
            elif self.machine.capacity(self.state, queue)[0] == 'undefined':
                self.add(key, other, False)
            elif any(self.type_may_fit(other, wanted, item.type) for item in stored):
                self.add(key, other, known)
        self.ending_of_receiver(key, queue)

    def helps_memory(self, key, thread):
        for other, _ in self.others_with('receive'):
            self.add(key, other)
        self.ending_of_receiver(key, thread.wait[1])
        for process, how in self.state.alive.items():
            if how == 'alive' and any(items and process == (self.state.holder.get(queue) if self.machine.is_box(queue)
                                                            else queue[1])
                                      for queue, items in self.state.stored.items()):
                self.ending(key, process, False)

    def helps_reply(self, key, thread):
        request = thread.wait[1]
        what, by = self.state.requests[request]
        if what == 'taken':
            for other, instruction in self.others_with('reply'):
                actor = self.state.threads[other]
                held = {name for name, value in actor.variables.items() if holds(value, request)}
                held.discard(self.set_anew(actor))
                to = re.sub(r'^\$\{(.*)\}$', r'\1', instruction.keys['to'])
                if held and self.is_name_server(actor.process):
                    self.add(key, other)        # it answers when it can
                elif held:
                    self.add(key, other, to in held and self.reply_before_loss(other, to))
            self.ending(key, by)
            return
        queue = next((queue for queue, items in self.state.stored.items()
                      if any(message.request == request for message, _ in items)), None)
        message = next(message for message, _ in self.state.stored[queue] if message.request == request)
        for other, instruction, known in self.receives_from(queue):
            if any(one.op in ('reply', 'end', 'exit') for one in self.ahead(other)):
                # of a receive of another type the pages do not say whether it counts
                self.add(key, other, known and self.type_may_fit(other, instruction.keys.get('type'), message.type))
        self.ending_of_receiver(key, queue)

    def set_anew(self, thread):
        """The variable that the call sets in which this thread waits."""
        if thread.mode != 'wait':
            return None
        instruction = thread.instruction()
        return instruction.argument if instruction.op == 'receive' else instruction.keys.get('into')

    def reply_before_loss(self, key, variable):
        """Can this thread come to a `reply` to the variable before it takes something else into it?"""
        thread = self.state.threads[key]
        found, todo = set(), list(start(thread))
        while todo:
            place = todo.pop()
            if place in found:
                continue
            found.add(place)
            instruction = thread.code[place]
            if instruction.op == 'reply' and instruction.keys['to'] == variable:
                return True
            if instruction.op == 'receive' and instruction.argument == variable:
                continue
            todo += successors(thread.code, place)
        return False

    def helps_sleep(self, key, thread):
        raise Ambiguous('a sleep for ever')

    def helps_join(self, key, thread):
        joined = self.machine.living(self.state, thread.process, thread.wait[1])
        if all(self.can_end(other) for other in joined):
            self.joint.setdefault(key, set()).update(joined if len(joined) > 1 else ())
            for other in joined:
                self.add(key, other)
