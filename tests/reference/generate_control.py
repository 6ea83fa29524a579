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
        single = [one for one, declared in doc['processes'].items() if 'replicas' not in declared]
        receiver = name if r.random() < .9 or not single else r.choice(single)
        doc['ports'][port] = {'receive': receiver}
        if receiver == name:
            doc['processes'][name] = {'daemon': r.random() < .7, 'do': handler(port)}
        others = [one for one in [*single, 'H'] if one in doc['processes'] and one != receiver]
        if r.random() < .15 and others:
            doc['ports'][port]['backup'] = r.choice(others)
        if r.random() < .15 and others and receiver == name:       # the handler gives its right away
            step = {'send': 'handle it', 'to': r.choice(others), 'rights': [{'port': port, 'as': 'move-receive'}]}
            doc['processes'][name]['do'].insert(1, when(r, waits(r, step, .2), {'dead': .8, 'no-right': .8}))
    ports = list(doc['ports'])
    for name, process in doc['processes'].items():
        if r.random() < (.8 if name not in 'HG' else .15):
            process['exception-port'] = r.choice([port for port in ports if port in 'fg'])
        for thread, body in process.get('threads', {}).items():
            if r.random() < .4:
                body = body if isinstance(body, dict) else {'do': body}
                process['threads'][thread] = {'exception-port': r.choice(ports), **body}


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
            body = 'a' if r.random() < .85 else '${1 / 0}'
            step = {'send': body, 'to': r.choice([other, other, *doc['ports']])}
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
    if r.random() < .2:
        child = {'spawn': 'K', 'do': [{'set': {'n': 1, 'm': 'none'}}] + one('K')}
        if r.random() < .3 and doc['ports']:
            child['exception-port'] = r.choice(list(doc['ports']))
        maker = doc['processes'][r.choice(processes)]
        (maker.get('do') or maker['threads']['t']).insert(1, child)
    with_handler(r, doc, handler)
    for process in doc['processes'].values():
        if r.random() < .1:
            process['daemon'] = True
    return doc


def tasks(seed, more=False):
    """Protected processes, and control by messages to the ports of processes and threads.

    `more`: families, and exceptions.
    """
    r = random.Random(f"{'killing' if more else 'tasks'}/{seed}")
    processes = ['A', 'B', 'C'][:r.choice([2, 2, 3])]
    families = {'B': 2} if more and r.random() < .5 else {}
    doc = {'title': f"{'killing' if more else 'tasks'} {seed}", 'kernel': {'buffering': r.choice(['none', 1])},
           'ports': {}, 'processes': {}}
    members = [f'{name}[{i + 1}]' for name in processes for i in range(families.get(name, 0))]
    members += [name for name in processes if name not in families]
    for port in ['p', 'q'][:r.choice([1, 1, 2])]:
        receiver = r.choice([name for name in members])
        doc['ports'][port] = {'receive': receiver, 'send': [name for name in members if name != receiver]}
    threads = {name: ['t', 'u'] for name in processes if r.random() < .35}
    double = [name for name in threads if r.random() < .2]      # u is two threads
    threads.update({name: ['t', 'u[1]', 'u[2]'] for name in double})
    child = [r.choice(processes)] if r.random() < .2 and not families else []

    def control_port(me, giving=False):
        """The port of a process or thread, as an expression."""
        who = r.choice(members + ['me'] * (3 if giving else 1) + ['K'] * len(child) * 2)
        own = threads.get(me if who == 'me' else who.split('[')[0])
        if r.random() < .6:
            return f'task-of({who})'
        return f'thread-of({who}.{r.choice(own)})' if own else f'thread-of({who})'

    def take(me):
        """The receive right of a port is used as often as it can be."""
        mine = [port for port in doc['ports'] if doc['ports'][port]['receive'].split('[')[0] == me]
        step = {'receive': 'm', 'from': r.choice(mine * 5 + list(doc['ports']))}
        steps = [when(r, waits(r, step, .3), {'no-right': .9, 'interrupted': .6, 'dead': .3})]
        if r.random() < .7:
            word = r.choice(['kill', 'suspend', 'interrupt', 'interrupt', 'resume'])
            chances = {'no-right': .8, 'dead': .8, 'refused': .9 if word == 'resume' else 0}
            steps.append(when(r, {'send': word, 'to': '${m.rights[0]}'}, chances))
        return steps

    def one(me, depth=1):
        x = r.random()
        port = control_port(me, x < .2)
        if x < .2:
            kind = r.choice(['copy-send', 'copy-send', 'copy-send', 'move-send', 'make-send'])
            rights = [{'port': '${' + port + '}', 'as': kind}]
            step = {'send': 'right', 'to': r.choice(list(doc['ports'])), 'rights': rights}
            return [when(r, waits(r, step, .2), {'no-right': .85, 'dead': .5, 'interrupted': .4})]
        if x < .42:
            return take(me)
        if x < .55:
            word = r.choice(['kill', 'suspend', 'interrupt', 'resume'])
            chances = {'no-right': .9, 'dead': .9, 'refused': .9 if word == 'resume' else 0}
            return [when(r, {'send': word, 'to': '${' + port + '}'}, chances)]
        if x < .7:
            word = r.choice(['kill', 'suspend', 'interrupt', 'resume'])
            targets = processes + members + threads.get(me, []) * 2
            chances = {'no-right': .9, 'dead': 0 if word == 'kill' else .9, 'refused': .9 if word == 'resume' else 0}
            target = r.choice(targets) if r.random() < .9 else r.sample(members, 2)
            return [when(r, {word: target}, chances)]
        if x < .74:
            return [when(r, {'drop': '${' + port + '}'}, {'no-right': .9})]
        if x < .79:
            mine = [name for name in doc['ports'] if doc['ports'][name]['receive'] == me]
            step = {'watch': '${' + port + '}', 'until': 'dead-name', 'notify': r.choice(mine or ['p'])}
            return [when(r, step, {'no-right': .9})]
        if x < .82:
            return [{'set': {'n': f"{r.choice(['refs', 'rights-of'])}({port})"}}]
        if x < .85 and depth:
            return [{'forever': one(me, 0) + one(me, 0)}]
        if more and x < .9:
            thread = {'thread': 'h', 'do': one(me, 0)} if depth else {'yield': None}
            last = {'join': 't'} if me in threads else {'exit': r.choice([0, 1])}
            return [r.choice([{'fault': 'u'}, {'set': {'n': '1 / 0'}}, thread, last])]
        if x < .93:
            return [when(r, waits(r, {'send': 'a', 'to': r.choice(members)}, .4), {'dead': .7, 'interrupted': .5})]
        return [when(r, waits(r, {'receive': 'm', 'from': r.choice(members)}, .4), {'dead': .7, 'interrupted': .5})]

    for process in processes:
        bodies = [[{'set': {'m': 'none'}}] for _ in threads.get(process, 't')[:2]]
        for body in bodies:
            for _ in range(r.choice([1, 2, 2, 3] if len(bodies) == 1 else [1, 1, 2])):
                body += one(process)
        doc['processes'][process] = {'do': bodies[0]} if len(bodies) == 1 else {'threads': dict(zip('tu', bodies))}
        if process in double:
            doc['processes'][process]['threads']['u'] = {'replicas': 2, 'do': bodies[1]}
        if process in families:
            doc['processes'][process]['replicas'] = families[process]
        if r.random() < .35:
            doc['processes'][process]['protected'] = True
        if r.random() < .12:
            doc['processes'][process]['daemon'] = True
    for process in child:
        declared = doc['processes'][process]
        steps = declared['do'] if 'do' in declared else declared['threads']['t']
        steps.insert(r.choice([0, 1]), {'spawn': 'K', 'do': [{'set': {'m': 'none'}}] + one('K')})
    if more and r.random() < .6:
        resume = [{'receive': 'e', 'from': 'f'}, {'reply': r.choice(['resume', 'no']), 'to': 'e', 'when': {'dead': []}}]
        with_handler(r, doc, lambda port: [{'forever': [dict(resume[0], **{'from': port}), resume[1]]}])
    return doc


def files(seed):
    """Mailboxes behind paths, and users."""
    r = random.Random(f'files/{seed}')
    processes = ['A', 'B', 'C'][:r.choice([2, 2, 3])]
    doc = {'title': f'files {seed}', 'kernel': {'buffering': r.choice(['none', 1])},
           'mailboxes': {box: {'capacity': r.choice([0, 1, 1, 2])} for box in ['x', 'y', 'z'][:r.choice([1, 2, 3])]},
           'files': {}, 'ports': {'p': {'receive': 'A'}}, 'processes': {}}    # a port, so that rights matter
    behind = [box for box in doc['mailboxes'] if box != 'z']
    for path, box in zip(['/a', '/b', '/c'], behind + [r.choice(behind)] * (r.random() < .3)):
        modes = ['0600', '0622', '0666', '0644', '0066', '0246', '0421', '0777']
        doc['files'][path] = {'mailbox': box, 'owner': r.choice(['u', 'v']), 'mode': r.choice(modes)}

    def opened(mode):
        """Steps that open a path; most often they go on only if that worked."""
        return when(r, {'open': r.choice(list(doc['files'])), 'into': 'b', 'mode': mode}, {'refused': .85})

    def use(me, mode, where):
        if mode == 'write':
            step = {r.choice(['send', 'send', 'send', 'call']): r.choice(['a', 'a', '${b}']), 'to': where}
            if 'call' in step:
                step['into'] = 'q'
            return [when(r, waits(r, step, .4), {'no-right': .8, 'dead': .3})]
        receive = when(r, waits(r, {'receive': 'm', 'from': where}, .5), {'no-right': .8, 'dead': .3})
        reply = {'reply': 'yes', 'to': 'm', 'when': {'no-right': [], 'dead': []}}
        return [receive, *r.choice([[], [reply], [{'log': 'got ${m}'}]])]

    def one(me, depth=1):
        x = r.random()
        mode = r.choice(['read', 'write'])
        if x < .5:
            steps = [opened(mode)]
            for _ in range(r.choice([1, 1, 2])):
                steps += use(me, mode if r.random() < .9 else r.choice(['read', 'write']), 'b')
            return steps
        if x < .62:
            return use(me, mode, r.choice(['b', '${b}']))
        if x < .7:
            return use(me, mode, r.choice(['${m.body}', '${m.box}']))
        if x < .76 and 'z' in doc['mailboxes']:
            return use(me, mode, 'z')
        if x < .8 and depth:
            return [{'forever': one(me, 0)}]
        if x < .9:
            return use(me, mode, r.choice([name for name in processes if name != me] or [me]))
        if x < .93 and depth:
            return [{'thread': 'h', 'do': one(me, 0)}]
        return [r.choice([{'kill': r.choice(processes)}, {'exit': 0}, {'yield': None}, {'log': '${b}'}])]

    for process in processes:
        body = [{'set': {'m': 'none', 'b': 'none'}}]
        for _ in range(r.choice([1, 1, 2])):
            body += one(process)
        doc['processes'][process] = {'do': body}
        if r.random() < .85:
            doc['processes'][process]['user'] = r.choice(['u', 'v', 'w'])
        if r.random() < .15:
            doc['processes'][process]['daemon'] = True
    if r.random() < .2:
        child = {'spawn': 'K', 'do': one('K')}
        if r.random() < .4:
            child['user'] = r.choice(['u', 'v'])
        doc['processes']['A']['do'].insert(1, child)
        child['do'].insert(0, {'set': {'m': 'none', 'b': 'none'}})
    return doc


PROFILES = {'files': files, 'tasks': tasks, 'killing': lambda seed: tasks(seed, True), 'faults': faults,
            'numbers': numbers}
