#!/usr/bin/env python3
"""An independent, deliberately naive explorer for a part of the language of ipcsim, written from the pages only.

    reference.py FILE.yaml [--merge]       prints what every schedule can do; --merge: nothing local is seen

A step is one system call, the local work behind it, and the local work of the threads it wakes; local work that is seen
is a step of its own. What the pages leave open raises `Ambiguous`; such a scenario is not compared.
"""
import sys

import yaml

from explorer import Explorer, TooBig
from reading import Scenario
from values import Ambiguous


def explore(document, visible='all', limit=30000):
    """`visible` is 'all' (as with --all-outcomes), or a set of names of variables, and 'logs'."""
    return Explorer(Scenario(document), visible, limit).explore()


def main():
    document = yaml.safe_load(open(sys.argv[1]))
    found = explore(document, set() if '--merge' in sys.argv else 'all')
    print(len(found.states), 'states; outcomes', ', '.join(sorted(found.outcomes)))
    for outcome, blocked in sorted(found.endings, key=str):
        print(' ', outcome, sorted(blocked))
    if '--merge' not in sys.argv:
        for variables, log in sorted(found.results, key=str):
            print('  result', ', '.join(f'{name} = {value}' for name, value in sorted(variables)) or '-', log)


if __name__ == '__main__':
    main()
