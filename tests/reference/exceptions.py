"""Exceptions: they end a process, or become messages to an exception port, whose receiver decides."""
from reading import ASKED
from values import Ambiguous, Message, default_size, template

# What stands in the body of such a message. The pages do not say so; of the kinds they name only the first.
EXPLAINED = {'division-by-zero': 'division by zero', 'overflow': 'integer overflow', 'assert-failed': 'assert failed',
             'bad-index': 'no element at this index', 'wrong-type': 'operation on values of the wrong type',
             'negative': 'a size, a duration or a count is negative',
             'nothing-there': 'there is nothing to choose from'}


class Exceptions:
    """The part of the kernel that knows handlers. `thread.raised` is (kind, body, how many handlers were asked)."""

    def raises(self, state, key, kind):
        """The thread has an exception: the first handler is asked."""
        state.threads[key].raised = (kind, EXPLAINED.get(kind), 0)
        self.ask_handler(state, key)

    def handlers(self, thread):
        """The exception ports that are asked in turn: that of the thread, that of its process."""
        if not thread.declared and (thread.process, thread.name) in self.scenario.thread_handler:
            raise Ambiguous('a started thread has the name of one with an exception port')
        ports = [self.scenario.thread_handler.get((thread.process, thread.name)),
                 self.scenario.handler.get(thread.process)]
        return [self.words[port] for port in ports if port]

    def ask_handler(self, state, key):
        """The next handler that lives is asked; after the last the process ends as failed."""
        thread = state.threads[key]
        ports = self.handlers(thread)
        if ports and self.unclear():
            raise Ambiguous('exception ports with limited memory, look-again or detect')
        kind, body, asked = thread.raised
        while asked < len(ports) and state.holder[ports[asked]] is None:
            asked += 1
        if asked == len(ports):
            self.end_process(state, thread.process, 'failed')
            return
        if body is None:
            raise Ambiguous('an exception port is told of an exception of this kind')
        state.clock += 1
        request = state.clock
        state.requests[request] = ('open', None)
        thread.mode, thread.wait, thread.bounded = 'wait', ('fault', request), False
        thread.raised = (kind, body, asked + 1)
        self.moved.add(key)
        message = Message(body, thread.process, kind, 0, default_size(body), None, request, None)
        # that it ignores the limit, as notices do, the pages do not say
        if not self.offer(state, ports[asked], message, None):
            self.store(state, ports[asked], message)
        self.settle(state)

    def unclear(self):
        return self.scenario.again or self.scenario.memory is not None or self.scenario.detect != 'report'

    def handled(self, state, key, answer):
        """The wait for the handler is over: with an answer, or None if it has died or the thread was interrupted."""
        thread = state.threads[key]
        if answer is not None and answer.carried:
            raise Ambiguous('rights in the answer to an exception')
        self.leave_queues(state, key)
        self.moved.add(key)
        if answer is not None and answer.body == 'resume':
            self.go_on_behind(thread)
            self.woken.append(key)
        else:
            thread.mode = 'fail'        # the next handler is asked, behind what happens now
            self.failing.append(key)

    def go_on_behind(self, thread):
        """The thread goes on behind its step; what the step should have set is none, a condition is false."""
        instruction = thread.instruction()
        variables = [instruction.keys.get('into')]
        if instruction.op in ('receive', 'select', 'create'):
            variables = [instruction.argument]
        elif instruction.op == 'set':
            variables = list(instruction.argument)
        if len(variables) > 1 or instruction.op == 'rights':
            raise Ambiguous('an exception in a step that sets several variables')
        for name in variables:
            if name:
                thread.variables[name] = None
        thread.variables = {name: value for name, value in thread.variables.items() if not name.startswith(ASKED)}
        thread.place, thread.mode, thread.raised = behind(thread), 'call', None

    def do_fault(self, state, key, thread, instruction):
        """`fault:` raises an exception of this kind."""
        kind = template(instruction.argument, self.names_of(thread))
        thread.raised = (kind, f'fault {kind}', 0)
        self.ask_handler(state, key)


def behind(thread):
    """The place behind the step at which a thread has an exception."""
    instruction = thread.instruction()
    if instruction.op == 'branch':
        return instruction.to
    if instruction.op in ('counter', 'each'):       # behind the loop
        return thread.code[thread.place + 1].to
    return thread.place + 1
