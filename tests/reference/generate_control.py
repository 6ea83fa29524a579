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


def with_handler(r, doc, handler):
    """Gives processes and threads exception ports. `handler` says what those who receive there do."""
    for port in ['f', 'g'][:r.choice([1, 1, 2])]:
        name = {'f': 'H', 'g': 'G'}[port]
        receiver = name if r.random() < .9 else r.choice(list(doc['processes']))
        doc['ports'][port] = {'receive': receiver}
        if receiver == name:
            doc['processes'][name] = {'daemon': r.random() < .7, 'do': handler(port)}
    ports = list(doc['ports'])
    for name, process in doc['processes'].items():
        if r.random() < (.8 if name not in 'HG' else .15):
            process['exception-port'] = r.choice([port for port in ports if port in 'fg'])
        for thread, body in process.get('threads', {}).items():
            if r.random() < .4:
                process['threads'][thread] = {'exception-port': r.choice(ports), 'do': body}


def faults(seed):
    """Exceptions, and who handles them."""
    r = random.Random(f'faults/{seed}')
    processes = ['A', 'B'][:r.choice([1, 2, 2])]
    doc = {'title': f'faults {seed}', 'kernel': {'buffering': r.choice(['none', 1])}, 'ports': {}, 'processes': {}}
    if r.random() < .3:
        doc['ports']['p'] = {'receive': r.choice(processes)}

    def handler(port):
        receive = {'receive': 'e', 'from': port}
        if r.random() < .15:
            receive['type'] = r.choice(['u', 'dead', ['u', 'division-by-zero', 'would-block']])
        reply = {'reply': 'resume' if r.random() < .75 else 'no', 'to': 'e', 'when': {'dead': []}}
        if r.random() < .3:
            reply = {'if': f"e.type == {r.choice(['division-by-zero', 'u', 'dead', 'no-right'])!r}".replace("'", '"'),
                     'then': [reply], 'else': [dict(reply, reply=r.choice(['resume', 'mine not']))]}
        body = [waits(r, receive, .1), {'log': r.choice(['${e.type}', '${e.sender}', '${e}'])}, reply]
        if r.random() < .4:
            del body[1]
        x = r.random()
        if x < .1:
            body.pop()
        elif x < .2:
            body.insert(1, r.choice([{'exit': 0}, {'kill': r.choice(processes)}, {'destroy': port}, {'fault': 'w'}]))
        elif x < .25:
            body.append({'reply': 'resume', 'to': 'e', 'when': {'no-right': []}})
        return [{'set': {'e': 'none'}}] + ([{'forever': body}] if r.random() < .7 else body)

    def one(me, depth=1):
        x = r.random()
        other = r.choice([name for name in processes if name != me] or processes)
        if x < .25:
            return [{'fault': r.choice(['u', 'u', 'v'])}]
        if x < .35:
            return [{'set': {'n': r.choice(['1 / 0', 'random(0, 1) / random(0, 1)', '[1][1]', '1 + none'])}}]
        if x < .42 and depth:
            return [{'if': r.choice(['1 / 0 == 1', 'n', 'n == 1']), 'then': one(me, 0), 'else': one(me, 0)}]
        if x < .47:
            return [r.choice([{'assert': 'n == 2'}, {'log': '${1 % 0}'}, {'exit': r.choice([0, 1])}, {'yield': None}])]
        if x < .52 and depth:
            step = r.choice([{'repeat': '${1 / 0}'}, {'repeat': '${0 - 1}'}, {'while': '1 / 0 == 1'}, {'for': 'k', 'in': 'n'}])
            return [{**step, 'do': one(me, 0)}]
        if x < .6:
            targets = processes + ['H'] * ('H' in doc['processes'])
            return [when(r, {r.choice(['kill', 'interrupt', 'interrupt', 'suspend']): r.choice(targets)}, {'dead': .8})]
        if x < .64 and depth:
            return [{'forever': one(me, 0) + one(me, 0)}]
        if x < .67 and depth:
            return [{'thread': 'h', 'do': one(me, 0)}, {'join': 'h'}][:r.choice([1, 2])]
        if x < .8:
            step = {'send': 'a', 'to': r.choice([other, other, *doc['ports']])}
            return [when(r, waits(r, step, .5), {'dead': .3, 'no-right': .2, 'interrupted': .4})]
        step = {r.choice(['receive', 'receive', 'call']): 'm'}
        step.update({'into': 'q', 'to': other} if 'call' in step else {'from': r.choice([other, other, *doc['ports']])})
        return [when(r, waits(r, step, .5), {'dead': .3, 'no-right': .2, 'interrupted': .4}), {'log': 'on'}]

    for process in processes:
        bodies = [[{'set': {'n': r.choice([1, 2]), 'm': 'none'}}] for _ in range(r.choice([1, 1, 1, 2]))]
        for body in bodies:
            for _ in range(r.choice([1, 2, 2, 3] if len(bodies) == 1 else [1, 2])):
                body += one(process)
        doc['processes'][process] = {'do': bodies[0]} if len(bodies) == 1 else {'threads': dict(zip('tu', bodies))}
    with_handler(r, doc, handler)
    for process in doc['processes'].values():
        if r.random() < .1:
            process['daemon'] = True
    return doc


PROFILES = {'faults': faults, 'numbers': numbers}
