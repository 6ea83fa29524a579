"""Policy `detect: refuse`: a call that would wait for ever, and closes a circle of waiting threads, is refused."""
import verdict
from values import Ambiguous


def circle_around(machine, state, key):
    """The threads on a circle with this one, which has just begun to wait, if that is a deadlock.

    Where the pages do not say whether there is an arrow, all answers must be the same.
    """
    judge = verdict.Judge(machine, state, [], frozenset())
    waiting = [other for other, thread in state.threads.items()
               if thread.mode != 'ended' and not machine.enabled(thread)]
    judge.resting = {other for other in waiting if judge.at_rest(other)}
    sure, perhaps = {}, {}
    for other in waiting:
        sure[other], more = judge.arrows(other)
        perhaps[other] = sure[other] | more
    # one of several who could help only together may be no help
    alone = {other: sure[other] - judge.joint.get(other, set()) for other in waiting}
    answers = {stuck_circle(judge, key, drawn, without_help(state, waiting, helped))
               for drawn in (sure, perhaps) for helped in (sure, perhaps, alone)}
    if len(answers) > 1:
        raise Ambiguous('an arrow of which the pages say nothing decides what is refused')
    return answers.pop()


def without_help(state, waiting, arrows):
    """The threads from which no arrows lead to one that can take a step."""
    left = set(waiting)
    while True:
        helped = {key for key in left if any(state.threads[other].mode != 'ended' and other not in left
                                             for other in arrows[key])}
        if not helped:
            return left
        left -= helped


def stuck_circle(judge, key, arrows, stuck):
    """The stuck threads on a circle with this one."""
    if key not in stuck:
        return frozenset()
    reach = {other: judge.reachable(other, arrows, stuck) for other in stuck}
    circle = {other for other in reach[key] if key in reach[other]}
    if circle and not circle - judge.resting:
        return frozenset()              # daemons at rest: no deadlock
    return frozenset(circle)


def comes_back(machine, state, key):
    """`refuse-chain`: does the chain from process to process, each of which waits for one other, come back?"""
    only = {}
    for thread in state.threads.values():
        if thread.process in only:
            raise Ambiguous('refuse-chain and several threads')
        only[thread.process] = thread
    first = here = state.threads[key].process
    seen = set()
    while here not in seen:
        seen.add(here)
        here = waits_for(machine, state, only[here])
        if here is None or (here == first and len(seen) == 1):
            return False
    return here == first


def waits_for(machine, state, thread):
    """The one process that this thread waits for, or None."""
    if thread.mode != 'wait':
        return None
    if thread.bounded:
        raise Ambiguous('a chain through a bounded wait')
    kind, what = thread.wait[:2]
    if kind == 'send' and not machine.is_box(what):
        return what[1]
    if kind == 'receive' and what != 'anyone' and len(what) == 1 and what[0].kind == 'process':
        return what[0]
    if kind == 'reply':
        how, by = state.requests[what]
        if how == 'taken':
            return by
        queue = next(queue for queue, items in state.stored.items()
                     if any(message.request == what for message, _ in items))
        return None if machine.is_box(queue) else queue[1]
    return None
