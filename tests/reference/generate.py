#!/usr/bin/env python3
"""Random small scenarios. generate(seed, profile) gives the document as a Python tree.

    generate.py PROFILE SEED
"""
import random, sys, yaml
import generate_control, generate_pipes
from generate_ports import names, ports
from generate_rights import RIGHTS

PROFILES = ['basic', 'memory', 'calls', 'families', 'policies', 'loops', 'endings', 'types', 'undefined', 'bytes',
        'threads', 'select', 'started', 'control', 'sizes', 'seen', 'daemons', 'stuck', 'mixed', 'claims', 'again',
        'ports', 'rights', 'start', 'refuse', 'chain', 'spawn', 'names', 'together', 'objects', 'hold', 'sets',
        *RIGHTS, *generate_control.PROFILES, *generate_pipes.PROFILES]

def claims(seed):
    """A scenario of another profile, with random claims that hold a condition."""
    r = random.Random(f'claims/{seed}')
    doc = generate(seed + 5000, r.choice(['seen', 'seen', 'seen', 'basic', 'loops', 'endings', 'calls', 'daemons',
            'select']))
    names = []
    for name, declared in doc['processes'].items():
        names += [f'{name}[{i + 1}]' for i in range(declared['replicas'])] if 'replicas' in declared else [name]
    boxes = [name for name in doc.get('mailboxes', {}) if name != 'rep']
    def variables(tree):
        """The variables that are assigned in these steps."""
        if isinstance(tree, list):
            return {name for step in tree for name in variables(step)}
        if not isinstance(tree, dict) or 'thread' in tree:
            return set()
        return set(tree.get('set', ())) | {tree[verb] for verb in ('receive',)
                if verb in tree} | variables(list(tree.values()))
    def atom():
        who = r.choice(names)
        known = variables(doc['processes'][who.split('[')[0]])
        kinds = [f'{who}.ended', f'{who}.blocked']
        if 'n' in known: kinds += [f'{who}.n == {r.choice([1, 2, 3])}', f'{who}.n != {r.choice([1, 2, 3, 9])}',
                f'{who}.n == none'] * 2
        if 'm' in known: kinds += [f'{who}.m == none']
        if 'i' in known: kinds += [f'{who}.i != 1'] * 2
        if boxes: kinds += [f'len({r.choice(boxes)}) <= {r.choice([0, 1])}'] * 2
        return r.choice(kinds)
    def condition(depth):
        x = r.random()
        if depth == 0 or x < .3: return atom()
        if x < .5: return f'not ({condition(depth - 1)})'
        return f"{condition(depth - 1)} {r.choice(['and', 'or'])} {atom()}"
    doc['title'] = f'claims {seed}'
    doc['expect'] = [{quantity: {kind: condition(2)}} for _ in range(2)
                     for quantity, kind in (('every-schedule', 'always'), ('every-schedule', 'eventually'),
                                            ('some-schedule', 'eventually'))]
    return doc

def again(seed):
    """A scenario of another profile under `wake: look-again`."""
    r = random.Random(f'again/{seed}')
    while True:
        seed += 10000
        doc = generate(seed, r.choice(['basic', 'basic', 'calls', 'families', 'policies', 'endings', 'types',
                'threads', 'stuck', 'bytes', 'mixed', 'mixed']))
        if not has_key(doc, 'select'): break
    in_bytes = doc['title'].split()[0] in ('bytes', 'mixed')
    doc['title'] = f'again {seed}'
    only_receivers = {'senders': 'hand-over', 'receivers': 'look-again'}
    wake = only_receivers if in_bytes else r.choice(['look-again', 'look-again',
            {'senders': 'look-again', 'receivers': 'hand-over'}, only_receivers])
    kernel = doc.setdefault('kernel', {})
    kernel['wake'] = wake
    if kernel.get('buffering', 'none') == 'none': kernel['buffering'] = r.choice([1, 1, 2])
    return doc

def start(seed):
    """A scenario of another profile in which some processes begin later."""
    r = random.Random(f'start/{seed}')
    doc = generate(seed + 20000, r.choice(['basic', 'calls', 'families', 'policies', 'endings', 'threads', 'stuck',
            'seen', 'daemons']))
    doc['title'] = f'start {seed}'
    for name, declared in doc['processes'].items():
        if r.random() < .5: declared['start'] = '10ms'
    return doc

def refuse(seed, profile):
    """A scenario of another profile under `detect: refuse` (or `refuse-chain`), which some calls handle."""
    r = random.Random(f'{profile}/{seed}')
    while True:
        seed += 30000
        doc = generate(seed, r.choice(['basic', 'basic', 'stuck', 'stuck', 'calls', 'families', 'types', 'loops',
                'endings', 'daemons', 'select', 'threads', 'seen', 'ports', 'started', 'control', 'spawn', 'hold',
                'sets', 'names'] if profile == 'refuse' else ['basic', 'stuck',
                        'calls', 'types', 'loops', 'daemons']))
        if 'memory' not in doc.get('kernel', {}): break
    doc['title'] = f'{profile} {seed}'
    doc.setdefault('kernel', {})['detect'] = 'refuse' if profile == 'refuse' else 'refuse-chain'
    def handle(tree):
        if isinstance(tree, list):
            for step in tree: handle(step)
        elif isinstance(tree, dict):
            if any(verb in tree for verb in ('send', 'receive', 'call', 'select', 'join',
                    'lookup')) and tree.get('wait',
                    'forever') == 'forever' and r.random() < .6:
                tree.setdefault('when', {})['deadlock'] = r.choice([[], [], [{'log': 'refused'}]])
            for value in list(tree.values()): handle(value)
    handle(doc['processes'])
    return doc

def spawn(seed):
    """A scenario of another profile in which one process, or a part of its steps, is made by another one."""
    r = random.Random(f'spawn/{seed}')
    while True:
        seed += 40000
        doc = generate(seed, r.choice(['basic', 'basic', 'calls', 'endings', 'stuck', 'types', 'loops', 'daemons',
                'select', 'control', 'seen', 'policies', 'ports', 'rights', 'names', 'names', 'objects']))
        plain = [name for name, one in doc['processes'].items() if 'do' in one and 'replicas' not in one]
        port_owners = {owner for one in doc.get('ports', {}).values() for owner in [one['receive'],
                *one.get('send', [])]}
        children = [name for name in plain if name not in port_owners]
        if len(plain) > 1 and (children or port_owners): break
    doc['title'] = f'spawn {seed}'
    if not children or r.random() < .2: return with_new_children(r, doc, plain)
    for name in r.sample(children, min(len(children) - (len(children) == len(plain)), r.choice([1, 1, 1, 2]))):
        declared = doc['processes'].pop(name)
        step = {'spawn': name, **{key: declared[key] for key in ('daemon', 'priority', 'names') if key in declared},
                'do': declared['do']}
        decorate(r, step, doc)
        makers = [one for one in doc['processes'] if 'do' in doc['processes'][one]]
        if not makers:
            doc['processes'][name] = declared
            continue
        steps = doc['processes'][r.choice(makers)]['do']
        steps.insert(r.randint(0, min(2, len(steps))), step)
        if r.random() < .3: steps += ending_of(r, name)
    return doc

def ending_of(r, name):
    """What a parent does about its child in the end."""
    wait = {'receive': 'last', 'from': name, 'when': {'dead': [] if r.random() < .5 else [{'log': 'ended'}]}}
    return r.choice([[wait], [wait], [{'kill': name}], [{'kill': name}, wait]])

def decorate(r, step, doc):
    """Random keys of a spawn."""
    if 'names' in doc and r.random() < .5:
        step['names'] = r.choice(list(doc['names']))
        step.setdefault('when', {})['no-right'] = []
    if r.random() < .3: step['with'] = {'n': r.choice([1, 'text', '${me}', '${index}'])}
    if r.random() < .3: step['into'] = 'c'
    if r.random() < .15: step.setdefault('when', {})['refused'] = []

def with_new_children(r, doc, plain):
    """A small child for one or two of the processes; with ports it gets a right."""
    ports = doc.get('ports', {})
    for name in ['K', 'L'][:r.choice([1, 1, 2])]:
        maker = r.choice(plain)
        mine = [port for port in ports if ports[port]['receive'] == maker]
        step = {'spawn': name}
        kinds = [(kind, port) for port in ports for kind in (['make-send', 'move-receive'] if port in mine
                else ['copy-send', 'move-send'])]
        if kinds and r.random() < .8:
            kind, port = r.choice(kinds)
            step['rights'] = [{'port': port, 'as': kind}]
            if r.random() < .8: step['when'] = {'no-right': []}
        else: port = r.choice(list(ports)) if ports else maker
        give_up = {'dead': [], 'no-right': []} if ports else {'dead': []}
        send = {'send': 'k', 'to': port if r.random() < .8 else maker, 'when': dict(give_up)}
        receive = {'receive': 'm', 'from': port if r.random() < .8 else maker, 'when': dict(give_up)}
        step['do'] = r.choice([[send], [send], [receive], [send, receive], [receive, {'log': 'child got ${m}'}],
                [{'exit': 1}], [{'log': 'child'}, send]])
        decorate(r, step, doc)
        if r.random() < .15: step['replicas'] = 2
        if r.random() < .15: step['daemon'] = True
        steps = doc['processes'][maker]['do']
        step = [step] if r.random() < .8 else [{'repeat': 2, 'do': [step]}]
        place = r.randint(0, len(steps))
        steps[place:place] = step
        if r.random() < .3: steps += ending_of(r, name if 'replicas' not in step[0] else name + '[1]')
    return doc

def has_key(tree, key):
    """Is there such a key somewhere?"""
    if isinstance(tree, dict): return key in tree or any(has_key(value, key) for value in tree.values())
    return isinstance(tree, list) and any(has_key(value, key) for value in tree)

def generate(seed, profile):
    own = dict(generate_control.PROFILES, **generate_pipes.PROFILES, **RIGHTS, start=start, again=again, claims=claims, names=names, spawn=spawn)
    if profile in own: return own[profile](seed)
    if profile in ('ports', 'rights'): return ports(seed, profile)
    if profile in ('refuse', 'chain'): return refuse(seed, profile)
    if profile in ('objects', 'hold', 'sets'): return ports(seed, 'rights' if seed % 4 == 0 else 'ports', profile)
    if profile == 'together': return ports(seed, 'rights' if seed % 4 == 0 else 'ports', ['threads', 'memory',
            'again'][seed % 3])
    r = random.Random(f'{profile}/{seed}')
    f = lambda *on: profile in on or (profile == 'mixed' and r.random() < 0.3)
    F = {k: f(k) for k in PROFILES}
    k = {}
    bufs = ['none', 1, 2]
    if F['undefined']: bufs += ['undefined', 'undefined']
    if F['bytes']: bufs += ['4B', '8B']
    b = r.choice(bufs)
    if b != 'none': k['buffering'] = b
    if F['memory']:
        k['buffering'] = r.choice([1, 2, 3, 'unlimited'] + (['undefined'] if F['undefined'] else []))
        k['memory'] = r.choice(['4B', '8B', '10B', '12B', '16B'])
        if r.random() < .4: k['message-overhead'] = r.choice(['1B', '2B', '4B'])
        if r.random() < .4: k['memory-full'] = 'fail'
    if F['policies']:
        if r.random() < .7: k['receiver'] = r.choice(['lifo', 'arbitrary', 'arbitrary', 'priority'])
        if r.random() < .6: k['sender'] = r.choice(['arbitrary', 'priority'])
    if F['sizes'] and r.random() < .6: k['too-large'] = 'destroy'
    boxes = {}
    for i in range(r.choice([0, 1, 1, 2, 2, 3])):
        d = {}
        if r.random() < .5: d['capacity'] = r.choice(bufs)
        if F['types'] and r.random() < .4: d['order'] = 'priority'
        if F['policies'] and r.random() < .3: d['receiver'] = r.choice(['fifo', 'lifo', 'arbitrary', 'priority'])
        if F['bytes'] and r.random() < .2: d['max-size'] = '4B'
        if d.get('capacity') in (1, 2, 3, 'unlimited') and not F['memory'] and r.random() < .3: d['holds'] = ['t']
        boxes['xyz'[i]] = d
    fambox = None
    procs = ['A', 'B', 'C', 'D'][:r.choice([2, 2, 3, 3, 4])]
    fam = None
    if F['families']:
        fam = 'W'; n = r.choice([2, 2, 3]); procs = procs[:2]
        if r.random() < .5: fambox = 'rep'; boxes['rep'] = {'replicas': n};
        if fambox and r.random() < .5: boxes['rep']['capacity'] = r.choice(bufs)
    server = None
    if F['calls'] and r.random() < .7: server = procs[-1]
    doc = {'title': f'{profile} {seed}'}
    if k: doc['kernel'] = k
    if boxes: doc['mailboxes'] = boxes
    doc['processes'] = {}
    plain = [x for x in boxes if x != 'rep']
    cnt = [0]
    def waits(st, out, p=.4):
        if r.random() > p: return st
        w = r.choice(['never', '5ms', '5ms'])
        st['wait'] = w
        o = 'would-block' if w == 'never' else 'timed-out'
        if r.random() < .85: st['when'] = {o: [{'log': 'late'}] if r.random() < .3 else [] if r.random() < .6
                else [{'exit': 0}] if r.random() < .5 else [{'set': {'n': 9}}]}
        return st
    def when(st, o, p):
        if r.random() < p: st.setdefault('when', {})[o] = [] if r.random() < .7 else [{'log': o}]
    def target(me):
        c = [p for p in procs if p != me or r.random() < .08] + plain * 2
        if fam and me != fam: c += [f'{fam}[{r.randint(1, n)}]']
        if fambox: c += ['rep[index]'] * 3 if me == fam else [f'rep[{r.randint(1, n)}]'] * 2
        c = [x for x in c if x != fam]
        return r.choice(c) if c else procs[0]
    def source(me):
        x = r.random()
        if x < .2: return 'anyone'
        if x < .35 :
            l = list({target(me) for _ in range(2)})
            l.sort()
            return l
        if fam and me != fam and x < .5: return fam
        if fambox and x < .55: return fambox if r.random() < .5 or me != fam else 'rep[index]'
        return target(me)
    def attrs(st):
        if F['types'] and r.random() < .5: st['type'] = r.choice(['u', 'v'])
        if F['types'] and r.random() < .5: st['priority'] = r.choice([1, 2, 3])
        if (F['memory'] or F['bytes'] or F['sizes']) and r.random() < .7: st['size'] = r.choice(['1B', '2B', '4B',
                '4B', '6B', '8B', '9B'])
        return st
    def send(me):
        cnt[0] += 1
        body = f'm{cnt[0]}' if r.random() < .6 else '${index}' if me == fam else r.choice(['a', 'b'])
        st = attrs({'send': body, 'to': target(me)})
        waits(st, 'send', .08 if F['stuck'] else .35)
        if F['control']: when(st, 'interrupted', .8)
        when(st, 'dead', .35); when(st, 'no-memory', .6 if k.get('memory-full') == 'fail' else 0); when(st,
                'too-large', .7 if F['bytes'] or F['memory'] else 0)
        return [st]
    def receive(me):
        v = r.choice(['m', 'm', 'q'])
        st = {'receive': v, 'from': source(me)}
        if F['types'] and r.random() < .5: st['type'] = r.choice(['u', 'v', ['u', 'v']])
        if F['sizes'] and r.random() < .45:
            st['max-size'] = r.choice(['2B', '4B'])
            when(st, 'too-large', .85)
        waits(st, 'receive', .12 if F['stuck'] else .4); when(st, 'dead', .35)
        if F['control']: when(st, 'interrupted', .8)
        out = [st]
        if r.random() < .25: out.append({'log': r.choice(['got ${m}' if v == 'm' else 'got ${q}', 'got'])})
        if r.random() < .1: out.append({'if': 'status == "ok"', 'then': [{'set': {'n': 1}}],
                'else': [{'set': {'n': 2}}]})
        if F['calls'] and r.random() < .6:
            out.append(reply(v))
        if fam and me != fam and r.random() < .15: out.append({'if': f'{v}.sender == {fam}[1]',
                'then': [{'log': 'first'}]})
        return out
    def reply(v):
        st = {'reply': r.choice(['yes', 'no']), 'to': v, 'when': {'no-right': []}}
        when(st, 'dead', .8)
        return st
    def call(me):
        cnt[0] += 1
        to = server if server and server != me and r.random() < .8 else target(me)
        st = attrs({'call': f'c{cnt[0]}', 'to': to, 'into': 'a'})
        st.pop('priority', None)
        waits(st, 'call', .4); when(st, 'dead', .35); when(st, 'too-large', .7 if F['bytes'] or F['memory'] else 0)
        when(st, 'no-memory', .7 if k.get('memory-full') == 'fail' else 0)
        return [st]
    def select(me):
        l = sorted({target(me) for _ in range(2)})
        st = {'select': 's', 'among': l}
        waits(st, 'select', .4)
        out = [st]
        if r.random() < .6: out.append({'if': 'len(s) > 0' if 'when' not in st or r.random() < .5
                else 'status == "ok"', 'then': [{'receive': 'm', 'from': '${s[0]}', **({'wait': 'never',
                        'when': {'would-block': []}} if r.random() < .3 else {})}]})
        if 'when' in st: out = [{'set': {'s': 0}}] + out; out = [o if 'if' not in o else {**o,
                'if': 'status == "ok"'} for o in out]
        return out
    def started(me):
        """A thread started while running, and perhaps joined."""
        name = r.choice(['h', 'h', 'i'])
        body = [s for _ in range(r.choice([1, 1, 2])) for s in one(me, 1)][:4]
        out = [{'thread': name, 'do': body}]
        if r.random() < .25: out += one(me, 1)
        x = r.random()
        if x < .4: out.append(waits({'join': name}, 'join', .25))
        elif x < .5: out.append({'kill': name})
        elif x < .55: out.append({'kill': r.choice(procs)})
        if r.random() < .2: out = [{'repeat': 2, 'do': out[:1]}] + out[1:]
        return out
    def control(me):
        """suspend, resume, interrupt"""
        who = r.choice([p for p in procs if p != me or r.random() < .15] or procs)
        def c(verb, outcomes):
            return {verb: who, 'when': {o: [] for o in outcomes if r.random() < .9}}
        x = r.random()
        if x < .35: return [c('interrupt', ['dead'])]
        out = [c('suspend', ['dead'])]
        if r.random() < .5: out += one(me, 1) if not F['control'] or r.random() < .5 else [send(me)[0]]
        if r.random() < .75: out.append(c('resume', ['dead', 'refused']))
        if r.random() < .15: out.append(c('resume', ['dead', 'refused']))
        return out
    def seen(me):
        """Local work that is seen, and what can come between."""
        x = r.random()
        if x < .25: return [{'log': r.choice(['a', 'b'])}]
        if x < .4: return [{'set': {'n': r.choice([1, 2])}}]
        if x < .55: return [{'set': {'n': 1}}, {'compute': '1ms'}, r.choice([{'set': {'n': 2}}, {'log': 'computed'},
                {'set': {'n': 'n + 1'}}])]
        if x < .65: return [{'log': 'a'}, {'compute': '1ms'}]
        if x < .75: return [{'kill': r.choice(procs)}]
        if x < .83: return [{'assert': r.choice(['n != 1', 'status == "ok"', 'n == none'])}]
        if x < .9: return [{'exit': r.choice([0, 0, 1])}]
        if x < .95: return [{'choose': [[{'log': 'left'}], [{'set': {'n': 3}}]]}]
        return [{'for': 'e', 'in': '[1, 2]', 'do': [{'log': 'e ${e}'}, {'compute': '1ms'}]}]
    def one(me, depth=0):
        x = r.random()
        if F['started'] and depth == 0 and r.random() < .35: return started(me)
        if F['control'] and r.random() < .3: return control(me)
        if F['seen'] and r.random() < .35: return seen(me)
        if F['endings'] and r.random() < .2:
            ot = [p for p in procs if p != me] or procs
            return [r.choice([{'kill': r.choice(ot)}, {'exit': 0}, {'exit': 1}, {'kill': r.choice(procs)},
                    {'sleep': '1ms'}])]
        if F['select'] and r.random() < .3: return select(me)
        if F['calls'] and r.random() < .35: return call(me)
        if F['loops'] and depth == 0 and r.random() < .35:
            body = [s for _ in range(r.choice([1, 1, 2])) for s in one(me, 1)]
            y = r.random()
            if y < .4: return [{'repeat': 2, 'do': body}]
            if y < .7: return [{'set': {'i': 0}}, {'while': f'i < {r.choice([1, 2])}',
                    'do': body + [{'set': {'i': 'i + 1'}}]}]
            if y < .85: return [{'forever': body}]
            return [{'set': {'i': 0}}, {'while': 'i < 2', 'do': body + [{'if': 'status == "ok"',
                    'then': [{'break': None}]}, {'set': {'i': 'i + 1'}}]}]
        if x < .45: return send(me)
        if x < .9: return receive(me)
        if x < .93: return [{'yield': None}]
        if x < .95: return [{'sleep': '2ms'}]
        if x < .97 and depth == 0: return [{'choose': [one(me, 1), one(me, 1)]}]
        return [{'log': 'here'}]
    def steps(me, n):
        out = []
        for _ in range(n): out += one(me)
        return out[:8]
    for p in procs:
        if p == server:
            body = [{'receive': 'm', 'from': r.choice(['anyone', 'anyone', source(p)])}, reply('m')]
            if r.random() < .2: body = body + one(p, 1)
            d = {'do': [{'forever': body}] if r.random() < .7 else [{'repeat': 2, 'do': body}]}
            if r.random() < .8: d['daemon'] = True
        elif F['threads'] and r.random() < .7:
            d = {'threads': {'t': steps(p, r.choice([1, 2])), 'u': {'replicas': 2, 'do': steps(p, r.choice([1, 1,
                    2]))} if r.random() < .4 else steps(p, r.choice([1, 2]))}}
            if r.random() < .3: d['threads']['t'].append({'join': 'u'})
        else:
            d = {'do': steps(p, r.choice([1, 2, 2, 3, 3, 4]))}
            if not d['do']: d['do'] = [{'log': 'x'}]
        if F['policies'] and r.random() < .5: d['priority'] = r.choice([1, 2])
        if r.random() < (.5 if F['daemons'] else .08): d['daemon'] = True
        if r.random() < .1: d['capacity'] = r.choice(bufs)
        doc['processes'][p] = d
    if fam: doc['processes'][fam] = {'replicas': n, 'do': steps(fam, r.choice([1, 1, 2, 2, 3]))}
    return doc

def dump(doc):
    s = yaml.safe_dump(doc, sort_keys=False, width=1000)
    return s.replace('yield: null', 'yield:').replace('break: null', 'break:').replace("'none'", 'none')

if __name__ == '__main__': print(dump(generate(int(sys.argv[2]), sys.argv[1])))
