"""Random small scenarios about control: exceptions, the ports of processes, files, and functions in expressions."""
import random


def when(r, step, chances):
    """Handlers for outcomes: outcome -> how likely there is one."""
    for outcome, chance in chances.items():
        if r.random() < chance:
            step.setdefault('when', {})[outcome] = [] if r.random() < .6 else [{'log': outcome}]
    return step


def waits(r, step, chance):
    if r.random() < chance:
        step['wait'] = r.choice(['never', '5ms'])
        when(r, step, {'would-block' if step['wait'] == 'never' else 'timed-out': .9})
    return step


def number(r, depth=2):
    """An expression that gives a number, or is an exception."""
    x = r.random()
    if depth == 0 or x < .25:
        return r.choice(['i', 'n', '0', '1', '2', '3', '7'])
    one, other = number(r, depth - 1), number(r, depth - 1)
    if x < .4:
        return f'random({r.choice([0, 0, 1])}, {r.choice([1, 1, 2])})'
    if x < .6:
        return f"{r.choice(['min', 'max'])}({one}, {other}{', ' + number(r, 0) if r.random() < .3 else ''})"
    return f"({one}) {r.choice(['/', '%', '+', '-', '*', '/', '%'])} ({other})"


def condition(r):
    compared = f"{number(r)} {r.choice(['==', '!=', '<', '<=', '>', '>='])} {number(r, 1)}"
    x = r.random()
    if x < .15:
        return f'not {compared}'
    if x < .4:
        return f"{compared} {r.choice(['and', 'or'])} {number(r, 0)} == {number(r, 0)}"
    return compared


def numbers(seed):
    """Functions in expressions; some are exceptions."""
    r = random.Random(f'numbers/{seed}')
    processes = ['A', 'B', 'C'][:r.choice([1, 2, 2, 3])]
    doc = {'title': f'numbers {seed}', 'kernel': {'buffering': r.choice(['none', 1])}, 'processes': {}}

    def one(me, depth=1):
        x = r.random()
        others = [name for name in processes if name != me] or [me]
        if x < .3:
            return [{'set': {r.choice('in'): number(r)}}]
        if x < .4:
            return [{'log': '${' + number(r) + '}'}]
        if x < .5 and depth:
            return [{'if': condition(r), 'then': one(me, 0), 'else': one(me, 0)}]
        if x < .56 and depth:
            return [{'repeat': '${' + number(r, 1) + '}', 'do': one(me, 0)}]
        if x < .6:
            return [{'assert': condition(r)}]
        if x < .8:
            step = {'send': '${' + number(r) + '}', 'to': r.choice(others)}
            return [when(r, waits(r, step, .4), {'dead': .8})]
        step = {'receive': 'm', 'from': r.choice(others)}
        return [when(r, waits(r, step, .5), {'dead': .8}), {'log': 'got ${m}'}][:r.choice([1, 2])]

    for process in processes:
        body = [{'set': {'i': r.choice([0, 1, 2]), 'n': 1, 'm': 'none'}}]
        for _ in range(r.choice([1, 2, 2, 3])):
            body += one(process)
        doc['processes'][process] = body
    return doc


PROFILES = {'numbers': numbers}
