"""Claims with a condition: `always` and `eventually`, over every schedule or some.

Only the variables that the claim names are visible then: local work that assigns one is a step of its own, all
other local work belongs to the call before it.
"""
import re

from explorer import Explorer
from reading import Scenario
from values import Ambiguous, ThreadError, evaluate


class Process:
    """A process in a condition: `.ended`, `.blocked`, or a variable of its only thread."""
    def __init__(self, state, handle):
        self._state, self._handle = state, handle

    def __getattr__(self, name):
        if name == 'ended':
            return self._state.alive[self._handle] != 'alive'
        threads = [thread for thread in self._state.threads.values() if thread.process == self._handle]
        if len(threads) != 1:
            raise Ambiguous('a claim about a process of several threads')
        if name != 'blocked':
            return threads[0].variables.get(name)
        if threads[0].suspended or (threads[0].wait and threads[0].wait[0] == 'sleep'):
            raise Ambiguous('is a thread that sleeps, or is suspended, blocked?')
        return threads[0].mode == 'wait'


class Box:
    """A mailbox in a condition: `len` is the number of stored messages."""
    def __init__(self, state, handle):
        self.length = len(state.stored.get(handle, ()))

    def __len__(self):
        return self.length


class Members:
    """A family in a condition: members count from 1."""
    def __init__(self, views):
        self.views = views

    def __getitem__(self, number):
        return self.views[number - 1]


def view(state, handle):
    return Process(state, handle) if handle.kind == 'process' else Box(state, handle)


def holds_in(scenario, state, text):
    """Is the condition true in this state?"""
    names = {handle.name: view(state, handle) for handle in list(scenario.boxes) + scenario.processes}
    names.update({name: Members([view(state, handle) for handle in handles])
                  for name, handles in scenario.families.items()})
    try:
        value = evaluate(text, names)
    except ThreadError as why:
        raise Ambiguous('a condition that cannot be computed: ' + str(why))
    if not isinstance(value, bool):
        raise Ambiguous('a condition without a truth value')
    return value


def variables_in(text):
    """What a condition shows: `A.n`, `W[1].n`."""
    found = set(re.findall(r'([A-Za-z_]\w*(?:\[\d+\])?\.[A-Za-z_]\w*)', text))
    return {name for name in found if name.split('.')[1] not in ('ended', 'blocked')}


def judge(document, claim, limit):
    """Does this claim hold? `claim` is {'every-schedule': {'always': EXPR}} or the like."""
    (quantity, condition), = claim.items()
    (kind, text), = condition.items()
    explorer = Explorer(Scenario(document), variables_in(text), limit)
    explorer.visit()
    true_in = [holds_in(explorer.scenario, state, text) for state in explorer.states]
    if kind == 'always':
        return all(true_in)
    if quantity == 'some-schedule':
        return any(true_in)
    return not avoids(explorer, true_in)


def avoids(explorer, true_in):
    """Is there a fair schedule in all states of which the condition is false?"""
    reached, todo = set(), [here for here in explorer.begin if not true_in[here]]
    while todo:
        here = todo.pop()
        if here not in reached:
            reached.add(here)
            todo += [edge[1] for edge in explorer.edges[here] if not true_in[edge[1]]]
    if any(not explorer.edges[here] for here in reached):
        return True
    for component in explorer.components(lambda edge: edge[1] in reached):
        inside = [edge for here in component & reached for edge in explorer.edges[here] if edge[1] in component]
        if component <= reached and inside and explorer.is_fair(component, {edge[0] for edge in inside}):
            return True
    return False
