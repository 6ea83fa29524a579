"""Rights to ports, and the notices about them."""
from values import Ambiguous, Handle, Message, Once, evaluate


class Rights:
    """The part of the kernel that knows who may use which port."""

    def may_send(self, state, process, port):
        """'ok', 'dead' or 'no-right': what a send of this process to this port meets."""
        known = state.refs.get((process, port), 0) > 0
        if state.holder[port] is None:
            return 'dead' if known else 'no-right'
        return 'ok' if known or state.holder[port] == process else 'no-right'

    def may_carry(self, state, process, carried):
        """Has this process the rights that it wants to send?"""
        left, good = dict(state.refs), True
        for kind, port in carried:
            if kind in ('copy-send', 'move-send'):
                good = good and left.get((process, port), 0) > 0
                if kind == 'move-send':
                    left[(process, port)] = left.get((process, port), 0) - 1
            else:
                good = good and state.holder[port] == process
        if len({port for _, port in carried}) < len(carried):
            raise Ambiguous('the same port twice in rights')
        return good

    def depart(self, state, message):
        """The message is sent, and perhaps waits: rights that are moved are in it now."""
        for kind, port in message.carried:
            if kind == 'move-send':
                self.lose_reference(state, message.sender, port)
            elif kind == 'make-send':
                state.made[port] += 1
            elif kind == 'move-receive':
                state.holder[port] = 'transit'
                self.leave_set(state, port)
                if any(port in (key[0], notify) for key, notify in state.watches.items()):
                    raise Ambiguous('the receive right of a watched port, or of one for notices, moves')
        if isinstance(message.given, Once):
            state.once[message.given] = 'transit'

    def come_back(self, state, message):
        """The message does not go: its sender has the rights again."""
        for kind, port in message.carried:
            if kind == 'move-send':
                state.refs[(message.sender, port)] = state.refs.get((message.sender, port), 0) + 1
            elif kind == 'make-send':
                state.made[port] -= 1
            elif kind == 'move-receive':
                if self.scenario.sets:
                    raise Ambiguous('a receive right comes back: is the port in its set again?')
                state.holder[port] = message.sender
        if isinstance(message.given, Once):
            state.once.pop(message.given, None)

    def on_their_way(self, state):
        """The messages that are in a queue, or held by a blocked sender."""
        messages = [message for items in state.stored.values() for message, _ in items]
        messages += [message for message, _, _ in state.kept.values()]
        for thread in state.threads.values():
            if thread.wait and thread.wait[0] in ('send', 'memory'):
                messages.append(thread.wait[2])
            elif thread.wait and thread.wait[:2] == ('again', 'send'):
                messages.append(thread.wait[3])
        return messages

    def arrive(self, state, process, message):
        """The receiver has the rights that came; the message shows their names."""
        names = []
        for kind, port in message.carried:
            if state.holder[port] is None:
                names.append(None)
                continue
            names.append(port)
            if kind == 'move-receive':
                state.holder[port] = process
            else:
                state.refs[(process, port)] = state.refs.get((process, port), 0) + 1
        given = message.given
        if isinstance(given, Once) and state.holder[given.port] is None:
            state.once.pop(given, None)
            given = None        # it has died on the way, as a port in `.rights`
        elif isinstance(given, Once):
            state.once[given] = process
        return message._replace(carried=(), rights=tuple(names), given=given)

    def lose_rights(self, state, message):
        """The message is thrown away, with its rights."""
        for kind, port in message.carried:
            if kind == 'move-receive':
                if port in self.scenario.backup:
                    raise Ambiguous('a receive right is lost, and the port has a backup')
                self.port_dies(state, port)
        if isinstance(message.given, Once):
            self.once_lost(state, message.given)

    def once_lost(self, state, right):
        """Nobody will use this send-once right any more."""
        if state.once.pop(right, None) is not None:
            self.notice(state, right.port, 'send-once', None)

    def lose_reference(self, state, process, port):
        state.refs[(process, port)] -= 1
        if not state.refs[(process, port)]:
            del state.refs[(process, port)]

    def notice(self, state, port, kind, body):
        """A message from the kernel, which ignores the limit."""
        if state.holder[port] is None:
            return
        if len(state.stored.get(port, [])) > 10:
            raise Ambiguous('ever more notices in a port')
        message = Message(body, None, kind, 0, 8, None, None, None)
        if not self.offer(state, port, message, None):
            self.store(state, port, message)

    def port_loses_receiver(self, state, port):
        """The receive right goes to the backup, with all that waits there; without one the port dies."""
        backup = self.scenario.backup.get(port)
        if backup in (None, state.holder[port]) or self.is_over(state, backup):
            self.port_dies(state, port)
            return
        if any(port in (key[0], notify) for key, notify in state.watches.items()):
            raise Ambiguous('a watched port, or one for notices, goes to its backup')
        state.holder[port] = backup
        self.leave_set(state, port)

    def port_dies(self, state, port):
        """What waits there is lost, and blocked senders are told."""
        state.holder[port] = None
        self.leave_set(state, port)
        self.empty(state, port)
        for (watched, kind, process), notify in list(state.watches.items()):
            if watched == port:
                del state.watches[(watched, kind, process)]
                if kind == 'dead-name':
                    state.refs[(process, port)] = state.refs.get((process, port), 0) + 1
                    self.notice(state, notify, 'dead-name', port)
                else:
                    self.notice(state, notify, 'send-once', None)

    def settle_watches(self, state):
        """The notices about ports to which nobody has a send right any more."""
        for (port, kind, process), notify in list(state.watches.items()):
            if kind != 'no-senders' or not state.made[port]:
                continue
            held = any(other == port and count for (_, other), count in state.refs.items())
            flying = any(other == port and kind != 'move-receive' for message in self.on_their_way(state)
                         for kind, other in message.carried)
            if any(port == other for _, other in state.kept):
                raise Ambiguous('does a message that is kept hold a right?')
            if not held and not flying and not state.stored.get(port):
                del state.watches[(port, kind, process)]
                self.notice(state, notify, 'no-senders', state.made[port])
                return True
        return False

    def do_drop(self, state, key, thread, instruction):
        port = self.resolve(thread, instruction.argument)[0]
        if not state.refs.get((thread.process, port)):
            self.complete(state, key, 'no-right')
            return
        self.lose_reference(state, thread.process, port)
        if (port, 'dead-name', thread.process) in state.watches and (thread.process, port) not in state.refs:
            self.notice(state, state.watches.pop((port, 'dead-name', thread.process)), 'port-deleted', port)
        self.complete(state, key, 'ok')
        self.settle(state)

    def do_rights(self, state, key, thread, instruction):
        """`refs(h)` and `rights-of(h)`."""
        which, text = instruction.argument
        thing = evaluate(text, self.names_of(thread))
        if isinstance(thing, Message) and thing.request is not None:
            waits = state.requests[thing.request][0] == 'taken'
            answer = 1 if which == 'refs' else ('send-once' if waits else 'dead',)
        elif isinstance(thing, Handle) and thing.kind == 'port':
            answer = self.rights_to(state, thread.process, thing, which)
        else:
            raise Ambiguous(which + ' of something else')
        self.complete(state, key, 'ok', instruction.keys['into'], answer)

    def rights_to(self, state, process, port, which):
        """The number of references to a send right or dead name, or the list of the rights that are there."""
        references, dead = state.refs.get((process, port), 0), state.holder[port] is None
        receives = state.holder[port] == process
        if which == 'refs':
            return references or int(receives)
        return ('receive',) * receives + ('dead' if dead else 'send',) * bool(references)

    def do_watch(self, state, key, thread, instruction):
        port, notify = (self.resolve(thread, word)[0] for word in (instruction.argument, instruction.keys['notify']))
        kind = instruction.keys['until']
        if state.holder[port] is None and kind != 'dead-name':
            raise Ambiguous('a watch of a dead port')
        if kind == 'no-senders':
            good = state.holder[port] == thread.process
        elif kind == 'dead-name':
            good = (thread.process, port) in state.refs
        else:
            raise Ambiguous('watch until ' + kind)
        if not good or state.holder[notify] != thread.process:
            self.complete(state, key, 'no-right')
            return
        before = state.watches.pop((port, kind, thread.process), None)
        if before:
            self.notice(state, before, 'send-once', None)
        if state.holder[port] is None:
            state.refs[(thread.process, port)] += 1
            self.notice(state, notify, 'dead-name', port)
        else:
            state.watches[(port, kind, thread.process)] = notify
        self.complete(state, key, 'ok')
        self.settle(state)
