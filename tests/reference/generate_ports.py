"""Random small scenarios with ports and names."""
import random

def ports(seed, profile, together=None):
    """Some processes with ports. `ports`: send rights, dying ports; `rights`: also receive rights, answers, notices.

    `together` adds limited `memory`, a second thread in one process (`threads`), `wake: look-again` (`again`), or
    mailboxes and ports that are made, changed and destroyed (`objects`).
    """
    r = random.Random(f'{profile}/{seed}/{together}' if together else f'{profile}/{seed}')
    more = profile == 'rights'
    processes = ['A', 'B', 'C'][:r.choice([2, 2, 3])]
    declared = {}
    for name in ['p', 'q', 'o'][:r.choice([1, 2, 2, 3])]:
        receiver = r.choice(processes)
        declared[name] = {'receive': receiver}
        if r.random() < .85: declared[name]['send'] = sorted({r.choice(processes) for _ in range(2)} - {receiver})
        if r.random() < .6: declared[name]['capacity'] = r.choice([1, 1, 2])
    if together == 'hold':
        for name in declared: declared[name]['capacity'] = r.choice([1, 1, 1, 2])
    port_sets = {}
    if together == 'sets':
        owner = r.choice(processes)
        for name in ['p', 'q'][:r.choice([1, 2, 2])]: declared[name] = {'receive': owner, 'send': sorted(
                {r.choice(processes) for _ in range(2)} - {owner})}
        port_sets['s'] = {'of': owner, 'members': sorted(name for name in declared
                if declared[name]['receive'] == owner and r.random() < .8)}
    mine = {process: [name for name in declared if declared[name]['receive'] == process] for process in processes}
    sends = {process: [name for name in declared if process in declared[name].get('send', [])] for process in processes}
    number = [0]
    def when(step, chances):
        for outcome, chance in chances.items():
            if r.random() < chance: step.setdefault('when', {})[outcome] = [] if r.random() < .6 else [{'log': outcome}]
        return step
    def waits(step, chance):
        if r.random() < chance:
            step['wait'] = r.choice(['never', '5ms'])
            when(step, {'would-block' if step['wait'] == 'never' else 'timed-out': .9})
        return step
    def send(me, verb='send'):
        number[0] += 1
        if more and verb == 'send' and r.random() < .08:
            return [when({'send': f'm{number[0]}', 'to': '${m.reply-to}'}, {'dead': .8, 'no-right': .9})]
        if r.random() < .15: to = '${m.rights[0]}'
        else: to = r.choice(sends[me] * 4 + mine[me] + list(declared))
        step = {verb: f'm{number[0]}', 'to': to}
        if verb == 'call': step['into'] = 'a'
        elif r.random() < .35:
            kinds = [('make-send', name) for name in mine[me]] + [('copy-send', name) for name in sends[me]]
            kinds += [('move-send', name) for name in sends[me]]
            if more: kinds += [('move-receive', name) for name in mine[me]] * 2
            if kinds:
                kind, name = r.choice(kinds)
                step['rights'] = [{'port': name, 'as': kind}]
        elif together == 'hold' and mine[me] and verb == 'send' and r.random() < .7:
            step['hold-one'] = r.choice(mine[me])
            when(step, {'refused': .85, 'held': .2})
        elif more and mine[me] and r.random() < .4: step['reply-to'] = r.choice(mine[me])
        if r.random() < .15: step['type'] = r.choice(['u', 'v'])
        if 'hold-one' in step:
            if r.random() < .3: step['wait'] = r.choice(['5ms', '5ms', 'never', 'forever'])
        else: waits(step, .3)
        return [when(step, {'dead': .7, 'no-right': .75})]
    def receive(me):
        step = {'receive': 'm', 'from': r.choice(mine[me] * 6 + (list(declared) if more
                else mine[me]) or list(declared))}
        if r.random() < .1: step['type'] = r.choice(['u', 'v'])
        waits(step, .35)
        out = [when(step, {'dead': .6, 'no-right': .75})]
        if r.random() < .2: out.append({'log': r.choice(['got ${m}', '${m.rights}', '${m.box}', '${m.type}'])})
        if r.random() < (.5 if more else .2):
            out.append(when({'reply': 'yes', 'to': 'm'}, {'no-right': .95, 'dead': .85}))
        return out
    def change(me):
        """Mailboxes and ports that are made, changed and destroyed."""
        x = r.random()
        some = r.choice((mine[me] * 4 or []) + list(declared) + ['x'])
        if x < .3: return [when({'destroy': some}, {'no-right': .9 if some != 'x' else 0, 'dead': .9 if some == 'x'
                else 0})]
        if x < .6 and some != 'x': return [when({'limit': some, 'capacity': r.choice([0, 1, 1, 2])}, {'no-right': .9})]
        if x < .75: return [{'create': 'b', 'kind': r.choice(['mailbox', 'port']), 'capacity': r.choice([0, 1])},
                when({'send': 'in b', 'to': 'b', 'wait': '5ms'}, {'timed-out': .9, 'dead': .5}),
                {'receive': 'n', 'from': 'b', 'wait': 'never', 'when': {'would-block': []}}][:r.choice([2, 3])]
        if x < .87: return [waits(when({'send': 'y', 'to': 'x'}, {'dead': .7}), .3)]
        return [waits(when({'receive': 'm', 'from': 'x'}, {'dead': .7}), .3)]
    def sets(me):
        """Ports go into sets, and out of them."""
        own = [name for name in port_sets if port_sets[name]['of'] == me]
        port = r.choice(mine[me] * 4 + list(declared))
        x = r.random()
        if not own: return receive(me)
        if x < .12: return [when({'insert': port, 'into': r.choice(own)}, {'no-right': .9})]
        if x < .24: return [when({'remove': port, 'out-of': r.choice(own)}, {'no-right': .9, 'refused': .9})]
        if x < .28: return [when({'destroy': r.choice(own)}, {'no-right': .9})]
        step = {'receive': 'm', 'from': r.choice(own)}
        if r.random() < .15: step['type'] = r.choice(['u', 'v'])
        waits(step, .35)
        return [when(step, {'dead': .6, 'no-right': .75}), {'log': '${m.box}'}][:r.choice([1, 1, 2])]
    def one(me):
        x = r.random()
        if together == 'sets' and r.random() < .35: return sets(me)
        if together == 'objects' and r.random() < .3: return change(me)
        if x < .38: return send(me)
        if x < .76: return receive(me)
        if x < .82: return [when({'drop': r.choice(sends[me] or list(declared))}, {'no-right': .9})]
        if x < .86: return send(me, 'call')
        if x < .88: return [{'kill': r.choice(processes)}]
        if x < .90: return [{'exit': 0}]
        if more and x < .92:
            port = r.choice(list(declared))
            return [{'set': {'k': f'refs({port})'}}] if r.random() < .5 else [{'log': 'asked'},
                    {'set': {'k': f'rights-of({port})'}}]
        if more and mine[me] and x < .97:
            kind = r.choice(['no-senders', 'no-senders', 'dead-name'])
            watched = r.choice(mine[me] if kind == 'no-senders' else sends[me] or mine[me])
            return [when({'watch': watched, 'until': kind, 'notify': r.choice(mine[me])}, {'no-right': .9})]
        return [{'yield': None}]
    doc = {'title': f'{profile} {seed}', 'ports': declared, 'processes': {}}
    if r.random() < .2: doc['kernel'] = {'sender': 'arbitrary'}
    for process in processes:
        body = [{'set': {'m': 'none'}}]
        if together == 'hold' and mine[process] and sends[process] and r.random() < .7:
            to, told = r.choice(sends[process]), r.choice(mine[process])
            body += [{'send': 'k1', 'to': to, 'wait': 'never', 'when': {'dead': [], 'would-block': []}},
                     {'send': 'k2', 'to': to, 'hold-one': told, 'when': {'dead': [], 'refused': []}}]
            if r.random() < .5: body.append({'receive': 'm', 'from': told, 'wait': '5ms', 'when': {'timed-out': []}})
        for _ in range(r.choice([1, 2, 2, 3, 3])): body += one(process)
        if r.random() < .25: body = body[:1] + [{'forever': body[1:3]}]
        doc['processes'][process] = {'do': body}
        if r.random() < .15: doc['processes'][process]['daemon'] = True
    if together == 'memory':
        doc.setdefault('kernel', {}).update({'memory': r.choice(['3B', '4B', '6B', '16B', '20B'])})
        if r.random() < .3: doc['kernel']['memory-full'] = 'fail'
    if port_sets:
        doc['port-sets'] = port_sets
        if r.random() < .5: doc.setdefault('kernel', {})['set-order'] = r.choice(['round-robin', 'arbitrary'])
        if r.random() < .2:
            second = [{'set': {'m': 'none'}}] + [step for _ in range(r.choice([1, 2])) for step in one(owner)]
            doc['processes'][owner] = {'threads': {'t': doc['processes'][owner]['do'], 'u': second}}
    if together == 'objects':
        doc['mailboxes'] = {'x': {'capacity': r.choice([0, 1, 1])}}
        for name in declared:
            if r.random() < .15: declared[name]['capacity'] = 0
            others = [one for one in processes if one != declared[name]['receive']]
            if r.random() < .25: declared[name]['backup'] = r.choice(others)
    if together == 'again': doc.setdefault('kernel', {})['wake'] = 'look-again'
    if together == 'threads':
        process = r.choice(processes)
        second = [{'set': {'m': 'none'}}] + [step for _ in range(r.choice([1, 1, 2])) for step in one(process)]
        doc['processes'][process] = {'threads': {'t': doc['processes'][process]['do'], 'u': second}}
    return doc

def names(seed):
    """Processes that register mailboxes, ports and processes, and look them up."""
    r = random.Random(f'names/{seed}')
    processes = ['A', 'B', 'C'][:r.choice([2, 2, 3])]
    boxes = {box: {'capacity': r.choice([0, 1])} for box in ['x', 'y'][:r.choice([0, 1, 1, 2])]}
    ports = {port: {'receive': r.choice(processes)} for port in ['p', 'q'][:r.choice([0, 1, 1, 2])]}
    for port in ports.values():
        if r.random() < .3: port['send'] = [r.choice([one for one in processes if one != port['receive']])]
    def things(me):
        mine = [port for port in ports if me in (ports[port]['receive'], *ports[port].get('send', []))]
        return [*boxes, *mine * 2, *mine, me] if r.random() < .93 or not ports else list(ports)
    def when(step, chances):
        for outcome, chance in chances.items():
            if r.random() < chance: step.setdefault('when', {})[outcome] = [] if r.random() < .6 else [{'log': outcome}]
        return step
    def name(): return r.choice(['n', 'n', 'n', 'o'])
    def lookup(me):
        step = {'lookup': name(), 'into': 'f'}
        wait = r.choice([None, 'never', 'forever', 'forever', 'forever', '5ms'])
        if wait: step['wait'] = wait
        if wait == '5ms': when(step, {'timed-out': .9})
        elif wait != 'forever': when(step, {'no-such-name': .85})
        step = when(step, {'dead': .7, 'refused': .2})
        if r.random() < .25: return [step]
        send = when({'send': r.choice(['m1', 'm2']), 'to': '${f}', 'wait': '5ms'}, {'dead': .9, 'timed-out': .95})
        return [{'set': {'f': 'none'}}, step, {'if': 'f != none', 'then': [send]}]
    def receive(me):
        mine = [port for port in ports if ports[port]['receive'] == me]
        step = {'receive': 'm', 'from': r.choice([*boxes, *mine * 2, 'anyone'])}
        if r.random() < .4:
            step['wait'] = r.choice(['never', '5ms'])
            when(step, {'would-block' if step['wait'] == 'never' else 'timed-out': .95})
        return [step]
    def one(me):
        x = r.random()
        if x < .33: return [when({'register': r.choice(things(me)), 'as': name()}, {'refused': .9, 'no-right': .8,
                'dead': .2})]
        if x < .40: return [when({'unregister': name()}, {'refused': .9, 'no-such-name': .9})]
        if x < .70: return lookup(me)
        if x < .88: return receive(me)
        if x < .91: return [{'kill': r.choice(processes)}]
        if x < .94: return [{'exit': 0}]
        if x < .97 and ports: return [when({'drop': r.choice(list(ports))}, {'no-right': .95})]
        return [{'log': 'here'}]
    doc = {'title': f'names {seed}'}
    if boxes: doc['mailboxes'] = boxes
    if ports: doc['ports'] = ports
    servers = []
    if r.random() < .35:
        servers = ['root', 'sub'][:r.choice([1, 2, 2])]
        doc['names'] = {server: {} for server in servers}
        if 'sub' in servers: doc['names']['sub']['parent'] = 'root'
        for server in servers:
            if r.random() < .5 and (boxes or ports): doc['names'][server]['entries'] = {'n': r.choice([*boxes,
                    *ports])}
    doc['processes'] = {}
    for process in processes:
        body = []
        for _ in range(r.choice([1, 1, 2, 2])): body += one(process)
        doc['processes'][process] = {'do': body}
        if servers: doc['processes'][process]['names'] = r.choice(servers)
    return doc
