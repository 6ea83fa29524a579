"""Random small scenarios about send-once rights, notices, `.seq`, and `select` among ports."""
import random

from generate_ports import ports


class Maker:
    """Makes one scenario: ports, and processes that send what `profile` is about."""

    def __init__(self, seed, profile):
        self.r = r = random.Random(f'{profile}/{seed}')
        self.profile, self.number = profile, 0
        self.processes = ['A', 'B', 'C'][:r.choice([2, 2, 3])]
        self.ports = {}
        for name in ['p', 'q', 'o'][:r.choice([2, 2, 3])]:
            receiver = r.choice(self.processes)
            if profile == 'set' and name != 'o': receiver = 'A'
            if profile == 'hold' and name != 'o': receiver = 'A' if name == 'p' else 'B'
            others = [one for one in self.processes if one != receiver]
            self.ports[name] = {'receive': receiver, 'send': sorted({r.choice(others) for _ in range(2)})}
            if r.random() < (.9 if profile == 'hold' else .4): self.ports[name]['capacity'] = r.choice([1, 1, 2])
            if r.random() < (.4 if profile == 'watches' else .1): self.ports[name]['backup'] = r.choice(others)
        self.sets, self.opening = {}, {process: [] for process in self.processes}
        if profile == 'port-select' and r.random() < .6 or profile == 'set':
            owner = r.choice(self.processes)
            if not self.mine(owner): owner = self.ports['p']['receive']
            self.sets['s'] = {'of': owner, 'members': [name for name in self.mine(owner) if r.random() < .6]}

    def mine(self, me):
        return [name for name in self.ports if self.ports[name]['receive'] == me]

    def sends(self, me):
        return [name for name in self.ports if me in self.ports[name]['send']]

    def when(self, step, chances):
        """The step with handlers; each number says how often there is one."""
        for outcome, chance in chances.items():
            if self.r.random() < chance:
                step.setdefault('when', {})[outcome] = [] if self.r.random() < .6 else [{'log': outcome}]
        return step

    def waits(self, step, chance):
        if self.r.random() < chance:
            step['wait'] = self.r.choice(['never', '5ms'])
            self.when(step, {'would-block' if step['wait'] == 'never' else 'timed-out': .95})
        return step

    def body(self):
        self.number += 1
        return f'm{self.number}'

    def right(self, me):
        """One entry of `rights:`."""
        r = self.r
        kinds = [('make-send-once', name) for name in self.mine(me)] * (3 if self.profile == 'once' else 1)
        kinds += [('move-receive', name) for name in self.mine(me)] * (2 if self.profile != 'once' else 1)
        kinds += [('make-send', name) for name in self.mine(me)]
        kinds += [(kind, name) for name in self.sends(me) for kind in ('copy-send', 'move-send')]
        if r.random() < .03 or not kinds: kinds = [('make-send-once', r.choice(list(self.ports)))]
        kind, name = r.choice(kinds)
        return {'port': name, 'as': kind}

    def send(self, me):
        r, step = self.r, {'send': self.body()}
        step['to'] = r.choice(self.sends(me) * 8 + self.mine(me) + list(self.ports))
        if r.random() < .65:
            some = [self.right(me) for _ in range(r.choice([1, 1, 1, 2]))]
            if len({one['port'] for one in some}) < len(some) and r.random() < .9: some = some[:1]
            if some[0] == {'port': step['to'], 'as': 'move-receive'}: some[0]['as'] = 'make-send'
            step['rights'] = some
        elif self.mine(me) and r.random() < .3: step['reply-to'] = r.choice(self.mine(me))
        if r.random() < .1: step['type'] = r.choice(['u', 'send-once'])
        self.waits(step, .3)
        return [self.when(step, {'dead': .85, 'no-right': .85})]

    def receive(self, me):
        r, step = self.r, {'receive': 'm'}
        step['from'] = r.choice(self.mine(me) * 8 + list(self.ports))
        if r.random() < .1: step['type'] = r.choice(['u', 'send-once', 'port-destroyed'])
        self.waits(step, .4)
        out = [self.when(step, {'dead': .8, 'no-right': .85, 'refused': .8 if self.sets else 0})]
        if r.random() < .35:
            shown = ['${m} ${m.type}', '${m.rights}', '${m.box}'] + ['${m.seq}'] * 6 * (self.profile == 'seq')
            out.append({'if': 'm != none', 'then': [{'log': r.choice(shown)}]})
        if r.random() < (.7 if self.profile == 'once' else .35): out += self.use(me)
        return out

    def use(self, me):
        """Something with the first right of the message that came last."""
        r = self.r
        first = '${m.rights[0]}' if r.random() < .8 else '${m.reply-to}'
        has = 'm != none and len(m.rights) > 0 and m.rights[0] != none'
        if first == '${m.reply-to}': has = 'm != none and m.reply-to != none'
        x, into = r.random(), r.choice(self.sends(me) or list(self.ports))
        if x < .35:
            step = self.when({'send': self.body(), 'to': first}, {'dead': .9, 'no-right': .9})
            if r.random() < .2: step['type'] = 'u'
            if r.random() < .25: step['rights'] = [self.right(me)]
            elif r.random() < .05: step['rights'] = [{'port': first, 'as': 'move-send-once'}]
            elif r.random() < .15 and self.mine(me): step['reply-to'] = r.choice(self.mine(me))
            elif r.random() < .25:
                step = self.waits({'call': step['send'], 'to': first, 'into': 'a'}, .4)
                self.when(step, {'dead': .9, 'no-right': .9})
        elif x < .45: step = self.when({'reply': self.body(), 'to': first}, {'dead': .9, 'no-right': .9})
        elif x < .6: step = self.when({'drop': first}, {'no-right': .95})
        elif x < .8:
            kind = r.choice(['move-send-once'] * 5 + ['copy-send', 'move-send'])
            step = {'send': self.body(), 'to': into, 'rights': [{'port': first, 'as': kind}]}
            step = self.when(self.waits(step, .3), {'dead': .9, 'no-right': .9})
        elif x < .9: step = self.watch(me, first)
        elif x < .95:
            step = {'send': self.body(), 'to': into, 'hold-one': first}
            step = self.when(step, {'dead': .9, 'no-right': .9, 'refused': .9})
        else: step = {'set': {'k': f'{r.choice(["refs", "rights-of"])}({first[2:-1]})'}}
        plain = step.get('to') == first or step.get('drop') == first
        return [step] if plain and r.random() < .1 else [{'if': has, 'then': [step]}]

    def watch(self, me, notify=None):
        r = self.r
        kind = r.choice(['no-senders', 'dead-name', 'port-destroyed', 'port-destroyed'])
        watched = r.choice((self.sends(me) if kind == 'dead-name' else self.mine(me)) * 8 + list(self.ports))
        notify = notify or r.choice([name for name in self.mine(me) if name != watched] * 12 + self.mine(me)
                * (kind != 'port-destroyed') + [name for name in self.ports if name != watched])
        return self.when({'watch': watched, 'until': kind, 'notify': notify}, {'no-right': .95})

    def select(self, me):
        r = self.r
        own = self.mine(me) * 3 + [one for one in self.sets if self.sets[one]['of'] == me] * 3
        among = [r.choice(own * 6 + list(self.ports)) for _ in range(r.choice([1, 2, 2]))]
        step = self.waits({'select': 'x', 'among': sorted(set(among), key=among.index)}, .4)
        out = [self.when(step, {'no-right': .85, 'refused': .85})]
        if r.random() < .3: out.append({'log': '${x}'})
        if r.random() < .4:
            out.append({'if': 'x != none and len(x) > 0', 'then': [self.when(
                    {'receive': 'm', 'from': '${x[0]}', 'wait': 'never'}, {'would-block': .95, 'no-right': .9,
                    'refused': .9, 'dead': .9})]})
        return out

    def receive_from_set(self, me):
        own = [one for one in self.sets if self.sets[one]['of'] == me] or list(self.sets)
        return self.when(self.waits({'receive': 'm', 'from': own[0]}, .4), {'dead': .9, 'no-right': .9})

    def change(self, me):
        """A port or a set is changed."""
        r, port = self.r, self.r.choice(self.mine(me) * 8 + list(self.ports))
        own = [one for one in self.sets if self.sets[one]['of'] == me]
        x = r.random()
        if own and x < .35: return [self.when({'insert': port, 'into': own[0]}, {'no-right': .95})]
        if own and x < .6: return [self.when({'remove': port, 'out-of': own[0]}, {'no-right': .95, 'refused': .95})]
        if own and x < .7: return [self.when({'destroy': own[0]}, {'no-right': .95})]
        if x < .9: return [self.when({'destroy': port}, {'no-right': .95})]
        return [self.when({'limit': port, 'capacity': r.choice([0, 1, 2])}, {'no-right': .95})]

    def one(self, me):
        r, x = self.r, self.r.random()
        if self.profile == 'port-select' and r.random() < .35: return self.select(me)
        if self.sets and r.random() < .2: return self.change(me)
        if self.profile == 'set' and r.random() < .25: return [self.receive_from_set(me)]
        if self.profile == 'watches' and self.mine(me) and r.random() < .3: return [self.watch(me)]
        if x < .38: return self.send(me)
        if x < .76: return self.receive(me)
        if x < .81: return [self.when({'drop': r.choice(self.sends(me) or list(self.ports))}, {'no-right': .95})]
        if x < .86: return self.change(me)
        if x < .88: return [self.watch(me)]
        if x < .90: return [{'kill': r.choice(self.processes)}]
        if x < .93: return [{'set': {'k': f'rights-of({r.choice(list(self.ports))})'}}]
        if x < .95: return [{'call': self.body(), 'to': r.choice(self.sends(me) or list(self.ports)), 'into': 'a',
                             'wait': '5ms', 'when': {'dead': [], 'timed-out': [], 'no-right': []}}]
        return [{'exit': 0}]

    def steps(self, me, number):
        opening, self.opening[me] = self.opening[me], []
        return [{'set': {'m': 'none'}}] + opening + [step for _ in range(number) for step in self.one(me)]

    def open(self):
        """The first steps of some processes, which make it likely that something of interest happens."""
        r, port = self.r, self.r.choice(list(self.ports))
        owner, sender = self.ports[port]['receive'], r.choice(self.ports[port]['send'])
        back = self.mine(sender)
        if self.profile == 'once' and back:
            gift = {'reply-to': back[0]} if r.random() < .3 else {'rights': [{'port': back[0], 'as': 'make-send-once'}]}
            self.opening[sender] = [{'send': self.body(), 'to': port, **gift}]
            if r.random() < .5: self.opening[sender].append({'receive': 'm', 'from': back[0], 'wait': '5ms', 'when':
                    {'timed-out': []}})
            self.opening[owner] = [{'receive': 'm', 'from': port}] + self.use(owner)
        if self.profile == 'watches':
            for me in self.processes: self.opening[me] = [self.watch(me)] if r.random() < .6 else []
        if self.profile == 'seq':
            self.opening[sender] = [{'send': self.body(), 'to': port, 'when': {'dead': []}} for _ in range(2)]
            self.opening[owner] = [{'receive': 'm', 'from': port}, {'log': '${m.seq}'}][:r.choice([1, 2])]
        if self.profile == 'hold' and back:
            kept = {'send': self.body(), 'to': port, 'hold-one': r.choice(back), 'when': {'dead': [], 'would-block': []}}
            self.opening[sender] = [{'send': self.body(), 'to': port, 'when': {'dead': []}}, kept]
        if self.profile == 'set':
            owner = self.sets['s']['of']
            self.opening[owner] = [self.receive_from_set(owner) for _ in range(r.choice([1, 1, 2]))]
            for me in self.processes:
                if me != owner and self.sends(me): self.opening[me] = self.send(me)

    def document(self):
        r = self.r
        doc = {'title': self.profile, 'ports': self.ports, 'processes': {}}
        if r.random() < .7: self.open()
        if self.sets: doc['port-sets'] = self.sets
        if r.random() < .2: doc['kernel'] = {'set-order': r.choice(['round-robin', 'arbitrary', 'merged'])}
        for me in self.processes:
            declared = {'do': self.steps(me, r.choice([1, 2, 2, 3]))}
            if r.random() < (.3 if self.sets else .1):
                declared = {'threads': {'t': declared['do'], 'u': self.steps(me, r.choice([1, 1, 2]))}}
            if r.random() < .1: declared['daemon'] = True
            doc['processes'][me] = declared
        return doc


def woken(seed):
    """`hold-one`, port sets and rights under `wake: look-again`, or with limited kernel memory."""
    r = random.Random(f'woken/{seed}')
    base = r.choice(['hold'] * 5 + ['set'] * 5 + ['sets', 'once', 'watches', 'port-select'])
    doc = ports(seed + 7000, 'ports', 'sets') if base == 'sets' else Maker(seed, base).document()
    kernel = doc.setdefault('kernel', {})
    if r.random() < .6:
        kernel['wake'] = r.choice(['look-again', {'senders': 'look-again', 'receivers': 'hand-over'},
                                   {'senders': 'hand-over', 'receivers': 'look-again'}])
    else:
        kernel['memory'] = r.choice(['3B', '4B', '6B', '16B', '20B'])
        if r.random() < .3: kernel['memory-full'] = 'fail'
    doc['title'] = f'woken, {base}'
    return doc


# profile -> what makes its scenario out of a seed
RIGHTS = {profile: lambda seed, profile=profile: Maker(seed, profile).document()
          for profile in ('once', 'watches', 'seq', 'port-select')}
RIGHTS['woken'] = woken
