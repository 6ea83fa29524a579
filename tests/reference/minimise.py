"""Makes a scenario smaller."""
import copy
import time


def smaller(tree):
    """All trees with one entry of a list or a mapping less, or a loop or choice replaced by what is in it."""
    if isinstance(tree, dict):
        for key in tree:
            if key in ('title', 'processes', 'receive', 'send', 'call', 'reply', 'to', 'from'):
                pass
            else:
                rest = dict(tree)
                del rest[key]
                yield rest
        for key, value in tree.items():
            for less in smaller(value):
                yield {**tree, key: less}
    elif isinstance(tree, list):
        for place in range(len(tree)):
            yield tree[:place] + tree[place + 1:]
            inside = tree[place]
            if isinstance(inside, dict):
                for body in ('do', 'forever', 'then', 'else'):
                    if isinstance(inside.get(body), list):
                        yield tree[:place] + inside[body] + tree[place + 1:]
                for branch in inside.get('choose', []):
                    yield tree[:place] + branch + tree[place + 1:]
        for place, value in enumerate(tree):
            for less in smaller(value):
                yield tree[:place] + [less] + tree[place + 1:]


def without_a_process(document):
    for name in document['processes']:
        rest = copy.deepcopy(document)
        del rest['processes'][name]
        yield rest


def minimise(document, differs, seconds=40):
    """Drops processes, steps and keys while differs(document) holds."""
    until = time.time() + seconds
    again = True
    while again and time.time() < until:
        again = False
        for candidate in list(without_a_process(document)) + list(smaller(document)):
            if time.time() > until:
                break
            if differs(candidate):
                document, again = candidate, True
                break
    return document
