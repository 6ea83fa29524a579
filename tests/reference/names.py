"""Names: `register`, `unregister` and `lookup` are calls to the port of a name server, which is a process.

The program of the name servers that a scenario has by itself is shown in the book; it is read from there.
"""
import os

import yaml

from values import Ambiguous, Handle, Message, default_size

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       '../../sim/scenario/src/compile/name-server.yaml')
ASKS = ('register', 'unregister', 'lookup')


def declarations(document):
    """The name servers of a scenario: name -> {parent, entries}. Whoever asks has one, if none is declared."""
    declared = document.get('names')
    if declared is None and any(has_key(document.get(part), verb) for part in ('processes', 'programs')
                                for verb in ASKS):
        return {'name-server': {}}
    return {name: server or {} for name, server in (declared or {}).items()}


def has_key(tree, key):
    """Is there such a key somewhere?"""
    if isinstance(tree, dict):
        return key in tree or any(has_key(value, key) for value in tree.values())
    return isinstance(tree, list) and any(has_key(value, key) for value in tree)


def program():
    """The steps of a name server."""
    with open(PROGRAM) as file:
        return yaml.safe_load(file)['programs']['name-server']['do']


def entries_of(server, objects):
    """What a name server knows at the beginning: (name, object, whether that needs a right, who registered it)."""
    return tuple((name, objects[word], objects[word].kind == 'port', None)
                 for name, word in sorted((server.get('entries') or {}).items()))


class Naming:
    """The part of the kernel that turns what is said about names into calls."""

    def ask(self, state, key, thread, instruction):
        """(body, rights) of the request for the name server."""
        if instruction.asks != 'register':
            return instruction.argument, ()
        thing = self.resolve(thread, instruction.argument)[0]
        if thing.kind != 'port':
            return (instruction.keys['as'], thing), ()
        kind = 'make-send' if state.holder[thing] == thread.process else 'copy-send'
        return (instruction.keys['as'], thing), ((kind, thing),)

    def do_name(self, state, key, thread, instruction):
        """The call to the name server."""
        port = self.scenario.name_server.get(thread.process)
        if port is None:
            raise Ambiguous('no name server to ask')
        body, carried = self.ask(state, key, thread, instruction)
        meets = self.may_send(state, thread.process, port)
        good = self.may_carry(state, thread.process, carried)
        if any(state.holder[thing] is None for _, thing in carried) and good:
            self.complete(state, key, 'dead')       # the pages do not say so
            return
        if meets == 'dead' and not good:
            raise Ambiguous('a dead name server, and a right that is not there')
        if meets != 'ok' or not good:
            self.complete(state, key, 'dead' if meets == 'dead' else 'no-right')
            return
        state.clock += 1
        message = Message(body, thread.process, instruction.asks, 0, default_size(body), None, state.clock, None,
                          carried)
        self.depart(state, message)
        self.try_send(state, key, thread, port, message)

    def answered(self, state, caller, answer):
        """What the answer of the name server means: of its body the first word counts."""
        thread = state.threads[caller]
        instruction, body = thread.instruction(), answer.body
        word = body[0] if isinstance(body, tuple) and body else body
        if word != 'ok':
            self.complete(state, caller, 'no-such-name' if word == 'no-such-name' else 'refused')
        elif instruction.asks in ('register', 'unregister'):
            self.complete(state, caller, 'ok')
        elif answer.rights:
            found = answer.rights[0]
            self.complete(state, caller, 'ok' if found else 'dead', instruction.keys['into'], found)
        else:
            found = body[-1] if isinstance(body, tuple) else None
            usable = isinstance(found, Handle) and (found.kind != 'port'
                                                    or self.may_send(state, thread.process, found) == 'ok')
            self.complete(state, caller, 'ok' if usable else 'refused', instruction.keys['into'], found)
