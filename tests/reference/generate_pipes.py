"""Random small scenarios with `fork`, pipes, channels and descriptors."""
import random

from generate_control import waits, when

TEXTS = ['a', 'bc', 'def', 'ghij', 'klmno']
PAIRS = [('r', 'w'), ('s', 'v')]        # which end is read from, which is written to


class Pipes:
    """A scenario in the making."""

    def __init__(self, seed):
        self.r = random.Random(f'pipes/{seed}')
        r = self.r
        self.kinds = [r.choice(['pipe', 'pipe', 'pipe', 'channel'])]
        if r.random() < .4:
            self.kinds.append(r.choice(['pipe', 'channel', 'channel']))
        self.ends = [name for pair in PAIRS[:len(self.kinds)] for name in pair]
        self.children, self.threads = 0, 0
        self.budget = r.choice([4, 5, 6, 7, 8])         # steps beside those that are needed
        self.odd = r.random() < .3                      # many steps that make no sense
        # what is tried besides: mailboxes behind paths, a call, two parents, channels in themselves
        self.special = r.choice([''] * 6 + ['files', 'files', 'call', 'family', 'cycle', 'cycle', 'again'])
        if self.special == 'family':
            self.budget = 3
        if self.special == 'again':
            self.kinds = ['pipe' for _ in self.kinds]
        if self.special == 'cycle':
            self.kinds = ['pipe', 'channel']
            self.ends = ['r', 'w', 's', 'v', 's', 'v']

    def kernel(self):
        r, kernel = self.r, {}
        if r.random() < .8:
            kernel['pipe-buf'] = r.choice(['1B', '2B', '2B', '3B'])
        for key, value, chance in (('byte-order', 'fits', .15), ('in-flight-cycles', 'leak', .2),
                                   ('fork', 'refuse', .1), ('receiver', r.choice(['lifo', 'arbitrary']), .25),
                                   ('sender', r.choice(['arbitrary', 'priority']), .35)):
            if r.random() < chance:
                kernel[key] = value
        if self.special == 'again':
            kernel['wake'] = 'look-again'
        return kernel

    def create(self, number):
        r, (read, write) = self.r, PAIRS[number]
        step = {'create': read, 'kind': self.kinds[number], 'write-end': write}
        if step['kind'] == 'pipe':
            step['capacity'] = r.choice(['1B', '2B', '3B', '4B', '4B', '6B'])
        elif r.random() < .7:
            step['capacity'] = r.choice([1, 1, 2])
        return step

    def reading(self):
        return [read for read, _ in PAIRS[:len(self.kinds)]]

    def writing(self):
        return [write for _, write in PAIRS[:len(self.kinds)]]

    def end(self, mode):
        """A variable with an end, most often one for this mode."""
        r = self.r
        if r.random() < .08:
            return r.choice(self.ends + ['d', 'f'])
        return r.choice((self.reading() if mode == 'read' else self.writing()) * 4 + ['f', 'd'] * (r.random() < .3))

    # ------------------------------------------------------------ steps

    def chances(self, **chances):
        more = {'no-right': .9 if self.odd else .5, **chances}
        return {outcome.replace('_', '-'): chance for outcome, chance in more.items()}

    def write(self):
        r, to = self.r, self.end('write')
        step = {'send': r.choice(TEXTS), 'to': '${' + to + '}'}
        if r.random() < .06:
            step['send'] = r.choice(['', 7, '${me}', ['x', 'y']])
        if r.random() < .08:
            step['size'] = r.choice(['1B', '2B', '5B'])
        if to in ('w', 'v') and self.kinds['wv'.index(to)] == 'pipe':
            if r.random() < .3:
                step['into'] = 'n'
        elif r.random() < .35:
            step['rights'] = self.files()
        return [when(r, waits(r, step, .25), self.chances(dead=.85))]

    def files(self):
        r = self.r
        return [{'port': '${' + r.choice(self.ends * 3 + ['d', 'f']) + '}', 'as': 'file'}
                for _ in range(r.choice([1, 1, 1, 2]))]

    def read(self):
        r, source = self.r, '${' + self.end('read') + '}'
        if r.random() < .08:
            source = [source, r.choice(['box', '${' + self.end('read') + '}'])]
        step = {'receive': 'm', 'from': source}
        if r.random() < .35:
            step['max-size'] = r.choice(['1B', '2B', '3B'])
            when(r, step, {'too-large': .5})
        return [when(r, waits(r, step, .25), self.chances()), *r.choice([[], [], [{'log': 'got ${m}'}]])]

    def read_all(self):
        step = {'receive': 'm', 'from': '${' + self.r.choice(self.reading()) + '}'}
        return [step, {'while': 'm.size > 0', 'do': [dict(step)]}]

    def close(self):
        step = {'close': '${' + self.r.choice(self.ends * 4 + ['d', 'f']) + '}'}
        return [when(self.r, step, self.chances())]

    def pass_on(self):
        step = {'send': self.r.choice(['x', '${w}']), 'to': 'box', 'rights': self.files()}
        return [when(self.r, waits(self.r, step, .2), self.chances()), *self.r.choice([[], [], self.close()])]

    def get(self):
        """Takes a message with a descriptor."""
        r, source = self.r, 'box'
        if 'channel' in self.kinds and r.random() < .4:
            source = '${' + self.reading()[self.kinds.index('channel')] + '}'
        step = when(r, waits(r, {'receive': 'q', 'from': source}, .3), self.chances() if source != 'box' else {})
        here = 'q != none and len(q.rights) > 0' if 'when' in step or source != 'box' else 'len(q.rights) > 0'
        use = {'set': {'f': 'q.rights[0]'}} if r.random() < .9 else {'set': {'f': 'q.body'}}
        return [step, {'if': here, 'then': [use, *self.use('f')]}]

    def extra(self, depth):
        """A step of what is tried besides."""
        r = self.r
        if self.special == 'files':
            step = {'open': '/p', 'into': r.choice('df'), 'mode': r.choice(['read', 'write'])}
            return [step, *self.use(step['into'])]
        if self.special == 'call':
            reply = {'reply': 'yes', 'to': 'q', 'when': {'no-right': [], 'dead': []}}
            return r.choice([[reply], [{'receive': 'q', 'from': 'X', 'when': {'dead': []}}, reply]])
        if self.special == 'cycle':
            rights = [{'port': '${' + r.choice(['s', 's', 'v', 'w']) + '}', 'as': 'file'}
                      for _ in range(r.choice([1, 2]))]
            return [when(r, waits(r, {'send': 'x', 'to': '${v}', 'rights': rights}, .2), self.chances(dead=.85)),
                    *r.choice([[], self.close(), self.close() + self.close()])]
        if r.random() < .3:
            words = {'interrupt': ['dead'], 'suspend': ['dead'], 'resume': ['dead', 'refused']}
            word = r.choice(list(words))
            return [{word: self.child(), 'when': {one: [] for one in words[word]}}] if self.children else []
        if r.random() < .5 and depth and self.children < 3:
            fork = {'for': 'e', 'in': f'[{", ".join(r.sample(self.ends, 2))}]', 'do': self.fork(depth)}
            fork['do'].append(r.choice([{'log': '${e}'}, when(r, {'close': '${e}'}, {'no-right': 1})]))
            return [fork]
        return [{'for': 'e', 'in': f'[{", ".join(r.sample(self.ends, 2))}]',
                 'do': [when(r, {'close': '${e}'}, {'no-right': .9})]}]

    def use(self, name):
        r = self.r
        return r.choice([
            [], [when(r, {'close': '${' + name + '}'}, self.chances())],
            [when(r, {'send': 'z', 'to': '${' + name + '}', 'wait': 'never'},
                  {'no-right': 1, 'dead': 1, 'would-block': 1})],
            [when(r, {'receive': 'm', 'from': '${' + name + '}'}, {'no-right': 1})]])

    def select(self):
        r = self.r
        among = ['${' + name + '}' for name in r.sample(self.reading() + ['d'] * (r.random() < .2), 1)]
        if r.random() < .5:
            among.append(r.choice(['box', '${' + r.choice(self.reading()) + '}']))
        if len(set(among)) < len(among):
            among = among[:1]
        step = when(r, waits(r, {'select': 'k', 'among': among}, .4), self.chances())
        return [step, {'if': 'status == "ok"', 'then': [{'receive': 'm', 'from': '${k[0]}', 'wait': 'never',
                                                         'when': {'would-block': []}}]}]

    def fork(self, depth):
        r = self.r
        self.children += 1
        name = 'BCDEF'[self.children - 1]
        step = {'fork': name}
        many = r.random() < .12
        if many:
            step['replicas'] = 2
        if r.random() < .25:
            step['into'] = 'c'
        when(r, step, {'refused': .8 if many or 'refuse' in str(self.doc['kernel']) else .1})
        if depth and r.random() < .2:
            step['into'] = 'c'
            both = [step, {'if': 'c == none', 'then': self.steps(0, 2) or [{'yield': None}],
                            'else': self.steps(0, 1) or [{'yield': None}]}]
            return [{'repeat': 2, 'do': both}] if many else both
        step['do'] = self.steps(depth - 1, r.choice([1, 2, 2, 3])) or [{'yield': None}]
        if r.random() < .1:
            step['daemon'] = True
        return [{'repeat': 2, 'do': [step]}] if many else [step]

    def other(self, depth):
        r = self.r
        x = r.random()
        if x < .3:
            step = {'duplicate': '${' + r.choice(self.ends) + '}', 'into': 'd'}
            return [when(r, step, self.chances())]
        if x < .45 and self.children:
            return [{'receive': 'e', 'from': self.child(), 'when': {'dead': []}}]
        if x < .55 and self.children:
            return [{'kill': self.child()}]
        if x < .65:
            return [r.choice([{'exit': 0}, {'exit': 1}, {'yield': None}, {'log': '${d}'}, {'log': '${f}'}])]
        if x < .8 and not self.threads:
            self.threads += 1
            body = self.steps(0, r.choice([1, 2]))
            return [{'thread': 'h', 'do': body}] + [{'join': 'h'}] * (r.random() < .3) if body else []
        if x < .9 and depth:
            return [{'forever': self.one(0) + self.one(0)}]
        return [{'choose': [self.one(0), self.one(0)]}]

    def child(self):
        return 'BCDEF'[self.r.randrange(self.children)]

    def one(self, depth):
        r, x = self.r, self.r.random()
        self.budget -= 1
        if r.random() < (.25 if self.special else .05):
            return self.extra(depth) or [{'yield': None}]
        if x < .24:
            return self.write()
        if x < .42:
            return self.read()
        if x < .5:
            return self.read_all()
        if x < .66:
            return self.close()
        if x < .73:
            return self.pass_on()
        if x < .8:
            return self.get()
        if x < .86:
            return self.select()
        if x < .91 and depth and self.children < 3:
            return self.fork(depth)
        return self.other(depth)

    def steps(self, depth, count):
        return [step for _ in range(count) if self.budget > 0 for step in self.one(depth)]

    # ------------------------------------------------------------ the whole

    def scenario(self, seed):
        r = self.r
        self.doc = {'title': f'pipes {seed}', 'kernel': self.kernel(), 'mailboxes': {'box': {'capacity': 1}},
                    'processes': {}}
        unset = {'set': {name: 'none' for name in 'mqdfnkce'}}
        steps = [unset] + [self.create(number) for number in range(len(self.kinds))]
        for _ in range(r.choice([1, 1, 1, 2])):
            steps += self.fork(1)
        while self.budget > 0:
            steps += self.one(1)
        if not self.odd and r.random() < .6:
            steps += [{'close': '${' + name + '}', 'when': {'no-right': []}} for name in self.writing()]
        self.doc['processes']['A'] = {'do': steps}
        if self.special == 'files':
            self.doc['mailboxes']['y'] = {'capacity': 1}
            self.doc['files'] = {'/p': {'mailbox': 'y', 'owner': 'u', 'mode': '0666'}}
        if self.special == 'call':
            self.doc['processes']['X'] = {'do': [{'call': 'hi', 'to': 'A', 'into': 'a', 'when': {'dead': []}}]}
        elif self.special == 'family':
            self.doc['processes']['A']['replicas'] = 2
        elif r.random() < .3:
            self.kinds = []         # X has no pipe
            self.doc['processes']['X'] = {'do': [dict(unset)] + self.get()}
        if not self.doc['kernel']:
            del self.doc['kernel']
        return self.doc


def pipes(seed):
    return Pipes(seed).scenario(seed)


PROFILES = {'pipes': pipes}
