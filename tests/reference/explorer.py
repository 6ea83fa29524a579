"""Visits every state that can be reached, and says how schedules end. No reduction of any kind."""
from machine import Machine
from reading import ASKED
import verdict
from values import Ambiguous, Handle, Message, Once, show


class TooBig(Exception):
    """More states than asked for."""


class Explorer:
    def __init__(self, scenario, visible, limit):
        self.scenario, self.limit = scenario, limit
        self.machine = Machine(scenario, visible)
        self.with_log = visible == 'all' or 'logs' in visible

    def explore(self):
        """Visits all states, and says what they come to."""
        self.visit()
        return self.conclude()

    def visit(self):
        """Fills `states` and `edges`: edges[i] holds (who steps, to which state, who moved, who took or logged)."""
        self.states, self.edges, self.numbers = [], [], {}
        todo = []
        for state, _, _ in self.machine.beginnings():
            self.number(state, todo)
        self.begin = list(todo)
        while todo:
            here = todo.pop()
            state = self.states[here]
            for key in list(state.threads):
                if self.machine.enabled(state.threads[key]):
                    for after, moved, took in self.machine.steps(state, key):
                        self.edges[here].append((key, self.number(after, todo), moved, took))

    def number(self, state, todo):
        """The number of this state; a new one is put on the list of those to do."""
        key = self.key(state)
        if key not in self.numbers:
            if len(self.states) > self.limit:
                raise TooBig()
            self.numbers[key] = len(self.states)
            todo.append(len(self.states))
            self.states.append(state)
            self.edges.append([])
        return self.numbers[key]

    def key(self, state):
        """What makes two states the same: numbers of calls and of arrival count only by their order."""
        arrivals = sorted({arrival for queues in (state.stored, state.senders) for items in queues.values()
                           for _, arrival in items} | {arrival for _, arrival, _ in state.kept.values()})
        rank = {arrival: place for place, arrival in enumerate(arrivals)}
        calls, rights = {}, {}

        def plain(value):
            kind = type(value)
            if kind is str or kind is int or kind is Handle or value is None:
                return value
            if kind is bool:
                return ('bool', value)      # True == 1 in Python
            if kind is Message:
                return ('message', *map(plain, value[:6]), call(value.request), plain(value.given),
                        plain(value.carried), plain(value.rights), value.seq, value.by_once)
            if kind is Once:
                rights.setdefault(value.number, len(rights))
                return ('once', rights[value.number], value.port, state.once.get(value))
            if isinstance(value, tuple):
                return tuple(map(plain, value))
            return value

        def call(request):
            if request is None:
                return None
            calls.setdefault(request, len(calls))
            return (calls[request], state.requests.get(request))

        def waiting(wait):
            if wait is None:
                return None
            if wait[0] in ('reply', 'fault'):
                return (wait[0], call(wait[1]))
            if wait[:2] == ('again', 'receive'):
                return wait[:2] + (wait[2], rank.get(wait[3])) + tuple(map(plain, wait[4:]))
            return tuple(map(plain, wait))

        threads = []
        for key in sorted(state.threads):
            thread = state.threads[key]
            threads.append((key, id(thread.code), thread.place, thread.mode, waiting(thread.wait), thread.bounded,
                            thread.suspended, thread.status, thread.raised,
                            tuple([(name, plain(value)) for name, value in sorted(thread.variables.items())]),
                            tuple(sorted([(place, plain(value)) for place, value in thread.counters.items()]))))
        queues = []
        for name in ('stored', 'senders', 'receivers'):
            for queue, items in sorted(getattr(state, name).items(), key=str):
                if items and name == 'receivers':
                    queues.append((name, queue, tuple(who for who, _ in items)))
                elif items:
                    queues.append((name, queue, tuple((plain(what), rank[arrival]) for what, arrival in items)))
        return (tuple(threads), tuple(queues), tuple(state.alive.values()), tuple(state.memory_queue), state.failed,
                tuple((name, plain(message), rank[arrival], told)
                      for name, (message, arrival, told) in sorted(state.kept.items(), key=str)),
                tuple(state.members.items()), tuple(sorted(state.taken_from.items())),
                tuple(state.served.items()) if self.scenario.set_order == 'round-robin' else None,
                state.destroyed, state.created, tuple(state.boxes.items()),
                tuple(sorted(state.open.items())), plain(tuple(state.streams.items())), tuple(state.text_of.items()),
                tuple(state.holder.items()), tuple(sorted(state.refs.items())),
                tuple(sorted((right.port.name, str(holder)) for right, holder in state.once.items())),
                tuple(sorted(state.watches.items())), tuple(state.made.items()) if state.watches else None,
                state.log if self.with_log else None)

    # ------------------------------------------------------------ what it comes to

    def conclude(self):
        """How schedules end: `endings` holds (outcome, names of the blocked processes), `results` (variables, log).

        `unsure` is None, or why it is not known of some ending who is blocked; then it is not among the endings.
        """
        self.find_who_can_move()
        self.endings, self.results, self.circular, self.unsure = set(), set(), False, None
        for here, state in enumerate(self.states):
            if not self.edges[here]:
                self.add_ending(here, frozenset(), None)
                self.results.add(self.result(state))
        self.find_circles()
        self.outcomes = {outcome for outcome, _ in self.endings}
        return self

    def find_who_can_move(self):
        """can_move[key] holds the states from which this thread moves again in some continuation (or is ended)."""
        back = [set() for _ in self.states]
        moves_at = {}
        for here, edges in enumerate(self.edges):
            for _, there, moved, _ in edges:
                back[there].add(here)
                for key in moved:
                    moves_at.setdefault(key, set()).add(here)
        self.can_move = {}
        for key, places in moves_at.items():
            todo = list(places)
            while todo:
                for before in back[todo.pop()]:
                    if before not in places:
                        places.add(before)
                        todo.append(before)
            self.can_move[key] = places

    def doomed(self, here):
        """The threads that never move again, those of resting daemons included."""
        return [key for key, thread in self.states[here].threads.items()
                if thread.mode != 'ended' and here not in self.can_move.get(key, ())]

    def verdict(self, here, going, for_ever):
        """(outcome, blocked) of a schedule that ends in this state, or goes round here for ever while `going` go."""
        state = self.states[here]
        doomed = self.doomed(here)
        judged = verdict.Judge(self.machine, state, doomed, going).judge()
        if state.failed:
            outcome = 'fails'
        elif judged.outcome:
            outcome = judged.outcome
        elif for_ever:
            outcome = None
        else:
            outcome = 'completes'
        return outcome, frozenset(judged.blocked)

    def add_ending(self, here, going, for_ever):
        """A schedule ends here, or goes round here with the outcome `for_ever` if nobody is stuck."""
        try:
            outcome, blocked = self.verdict(here, going, for_ever is not None)
            self.endings.add((outcome or for_ever, blocked))
        except Ambiguous as why:
            self.unsure = str(why)

    def result(self, state):
        """What the variables of the declared threads hold, and what was logged."""
        variables = frozenset((f'{thread.shown}.{name}', show(value)) for thread in state.threads.values()
                              if thread.declared for name, value in thread.variables.items()
                              if show(value) != 'none' and not name.startswith(ASKED))
        return variables, state.log

    # ------------------------------------------------------------ what goes on for ever

    def components(self, keep):
        """The strongly connected components of the states, with the edges for which keep(edge) holds."""
        number, low, on_stack, stack, found = {}, {}, set(), [], []
        for root in range(len(self.states)):
            if root in number:
                continue
            number[root] = low[root] = len(number)
            stack.append(root)
            on_stack.add(root)
            work = [(root, iter([edge[1] for edge in self.edges[root] if keep(edge)]))]
            while work:
                here, rest = work[-1]
                for there in rest:
                    if there not in number:
                        number[there] = low[there] = len(number)
                        stack.append(there)
                        on_stack.add(there)
                        work.append((there, iter([edge[1] for edge in self.edges[there] if keep(edge)])))
                        break
                    if there in on_stack:
                        low[here] = min(low[here], number[there])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[here])
                    if low[here] == number[here]:
                        component = set()
                        while here not in component:
                            component.add(stack.pop())
                        on_stack -= component
                        found.append(component)
        return found

    def is_fair(self, component, going):
        """Weakly fair: nobody could take a step in each of these states, and takes none."""
        first = next(iter(component))
        return not any(key not in going and all(key in self.states[here].threads
                                                and self.machine.enabled(self.states[here].threads[key])
                                                for here in component)
                       for key in self.states[first].threads)

    def find_circles(self):
        """Schedules that go on for ever: weakly fair ways round. In a `quiet` one no non-daemon takes or logs."""
        def non_daemon(key):
            return key[0] not in {process.name for process, daemon in self.scenario.daemon.items() if daemon}

        for quiet in (False, True):
            def keep(edge):
                return not quiet or not any(non_daemon(key) for key in edge[3])
            for component in self.components(keep):
                inside = [edge for here in component for edge in self.edges[here]
                          if edge[1] in component and keep(edge)]
                if not inside:
                    continue
                going = frozenset(edge[0] for edge in inside)
                first = next(iter(component))
                if not self.is_fair(component, going):
                    continue            # somebody could always take a step, and takes none
                self.circular = True
                takes = any(non_daemon(key) for edge in inside for key in edge[3])
                if not quiet and not takes:
                    continue            # it is found as a quiet one
                over = all(how != 'alive' for process, how in self.states[first].alive.items()
                           if not self.scenario.daemon[process])
                if over:
                    outcome = 'completes'
                elif any(non_daemon(key) for key in going):
                    outcome = 'livelock' if quiet else 'unfinished'
                else:
                    outcome = 'starves'
                self.add_ending(first, going, outcome)
