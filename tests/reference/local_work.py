"""Local work: what a thread does between two calls."""
from exceptions import EXPLAINED
from reading import ASKED, LOCAL, successors
from values import WRONG_TYPE, Ambiguous, Family, ThreadError, evaluate, show, template


class LocalWork:
    """The part of a thread that needs no kernel."""

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
        if self.scenario.detect == 'refuse':        # what is refused depends on how far local work is
            return instruction.op != 'jump'
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
            except ThreadError as why:
                thread.raised = (str(why), EXPLAINED.get(str(why)), 0)
                thread.mode = 'raising'         # an exception is a trap into the kernel: a step of its own
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
                raise ThreadError(WRONG_TYPE)
            follow = follow if value else instruction.to
        elif op == 'set':
            for name, text in argument.items():
                thread.variables[name] = evaluate(text, self.names_of(thread))
        elif op == 'counter':
            number = argument if isinstance(argument, int) else template(argument, names)
            if type(number) is not int:
                raise ThreadError(WRONG_TYPE)
            if number < 0:
                raise ThreadError('negative')
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
                raise ThreadError(WRONG_TYPE)
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
            value = evaluate(argument, names)
            if value is not True:
                raise ThreadError('assert-failed' if value is False else WRONG_TYPE)
        if op in ('branch', 'set', 'assert'):       # what the kernel was asked for this step is needed no more
            thread.variables = {name: value for name, value in thread.variables.items() if not name.startswith(ASKED)}
        thread.place = follow

    def finish(self, state):
        """After a call: failures, and the local work of those who moved."""
        while self.failing or self.woken:
            if self.failing:
                key = self.failing.pop(0)
                if key in state.threads and state.threads[key].mode == 'fail':
                    self.ask_handler(state, key)
                continue
            key = self.woken.pop(0)
            if key not in state.threads or state.threads[key].mode != 'call':
                continue
            thread = state.threads[key]
            if self.is_seen(thread, thread.place):
                thread.mode = 'local'
            else:
                self.local_work(state, key, False)
