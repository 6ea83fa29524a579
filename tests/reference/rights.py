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
        for kind, thing in carried:
            if kind == 'file':
                good = good and thing is not None
            elif kind in ('make-send-once', 'move-send-once') or isinstance(thing, Once):
                good = good and self.may_carry_once(state, process, kind, thing)
            elif kind in ('copy-send', 'move-send'):
                good = good and left.get((process, thing), 0) > 0
                if kind == 'move-send':
                    left[(process, thing)] = left.get((process, thing), 0) - 1
            else:
                good = good and state.holder[thing] == process
        onces = [thing for _, thing in carried if isinstance(thing, Once)]
        ports = [thing.port if isinstance(thing, Once) else thing for _, thing in carried]
        if any(kind in ('move-send', 'move-receive') and ports.count(thing) > 1 for kind, thing in carried):
            raise Ambiguous('the same port twice in rights')
        return good and len(set(onces)) == len(onces)

    def depart(self, state, message):
        """The message is sent, and perhaps waits: rights that are moved are in it now."""
        for kind, port in message.carried:
            if kind == 'move-send':
                self.give_up(state, message.sender, port)
            elif kind == 'make-send':
                state.made[port] += 1
            elif kind == 'move-receive':
                self.leave_holder(state, port)
            elif isinstance(port, Once):
                state.once[port] = 'transit'
        if isinstance(message.given, Once):
            state.once[message.given] = 'transit'

    def come_back(self, state, message):
        """The message does not go: its sender has the rights as if it had received them."""
        for kind, port in message.carried:
            if kind in ('move-send', 'copy-send', 'make-send'):
                if 'dead-name' in self.scenario.text and (message.sender, port) not in state.refs:
                    raise Ambiguous('a name that perhaps had a watch comes back')
                state.refs[(message.sender, port)] = state.refs.get((message.sender, port), 0) + 1
            elif kind == 'move-receive':
                if self.scenario.sets:
                    raise Ambiguous('a receive right comes back: is the port in its set again?')
                state.holder[port] = message.sender
            elif isinstance(port, Once):
                state.once[port] = message.sender
        if isinstance(message.given, Once):
            state.once[message.given] = message.sender

    def on_their_way(self, state, wanted=lambda queue: True):
        """The messages that are in a queue (of those that are wanted), or held by a blocked sender."""
        messages = [message for queue, items in state.stored.items() if wanted(queue) for message, _ in items]
        messages += [message for message, _, _ in state.kept.values()]
        for thread in state.threads.values():
            if thread.wait and thread.wait[0] in ('send', 'memory'):
                messages.append(thread.wait[2])
            elif thread.wait and thread.wait[:2] == ('again', 'send'):
                messages.append(thread.wait[3])
        return messages

    def on_the_way_to(self, state, queue):
        """The queue; if its own receive right is in a message, the queue of that message; and so on."""
        found = []
        while queue is not None and queue not in found:
            found.append(queue)
            lying = [(other, message) for other, items in state.stored.items() for message, _ in items]
            lying += [(thread.wait[1], thread.wait[2]) for thread in state.threads.values()
                      if thread.wait and thread.wait[0] in ('send', 'memory')]
            lying += [(thread.wait[2], thread.wait[3]) for thread in state.threads.values()
                      if thread.wait and thread.wait[:2] == ('again', 'send')]
            lying += [(port, message) for (_, port), (message, _, _) in state.kept.items()]
            queue = next((other for other, message in lying if ('move-receive', queue) in message.carried), None)
        return found

    def arrive(self, state, process, message):
        """The receiver has the rights that came; the message shows their names."""
        names = []
        for kind, port in message.carried:
            if isinstance(port, Once):
                names.append(self.arrive_once(state, process, port))
                continue
            if kind == 'file':
                names.append(self.new_descriptor(state, process, *port))
                continue
            if state.holder[port] is None:
                names.append(None)
                continue
            names.append(port)
            if kind == 'move-receive':
                state.holder[port] = process
            else:
                state.refs[(process, port)] = state.refs.get((process, port), 0) + 1
        given = message.given
        if isinstance(given, Once):
            given = self.arrive_once(state, process, given)
        return message._replace(carried=(), rights=tuple(names), given=given)

    def lose_rights(self, state, message):
        """The message is thrown away, with its rights. A port whose receive right is in it is looked at later."""
        for kind, port in message.carried:
            if kind == 'move-receive':
                self.orphans = [*self.orphans, port]
            elif isinstance(port, Once):
                self.once_lost(state, port)
        if isinstance(message.given, Once):
            self.once_lost(state, message.given)

    def give_up(self, state, process, port):
        """One reference less. With the last one the name goes, and who watches it is told."""
        state.refs[(process, port)] -= 1
        if not state.refs[(process, port)]:
            del state.refs[(process, port)]
            told = state.watches.pop((port, 'dead-name', process), None)
            if told is not None and self.scenario.memory is not None:
                raise Ambiguous('a name is given up with a message, and memory for the notice as well')
            if told is not None:
                self.notice(state, told, 'port-deleted', port)

    def do_drop(self, state, key, thread, instruction):
        once = self.once_behind(thread, instruction.argument)
        if once:
            self.drop_once(state, key, thread, once)
            return
        if str(instruction.argument).startswith('${') and self.nothing_behind(thread, instruction.argument):
            self.complete(state, key, 'no-right')       # as a send to what is none; the pages do not say so
            return
        if self.is_request(thread, instruction.argument):
            raise Ambiguous('a drop of the right to answer a call')
        port = self.resolve(thread, instruction.argument)[0]
        if not state.refs.get((thread.process, port)):
            self.complete(state, key, 'no-right')
            return
        self.give_up(state, thread.process, port)
        self.complete(state, key, 'ok')
        self.settle(state)

    def do_rights(self, state, key, thread, instruction):
        """`refs(h)` and `rights-of(h)`."""
        which, text = instruction.argument
        thing = evaluate(text, self.names_of(thread))
        if isinstance(thing, Message) and thing.request is not None:
            waits = state.requests[thing.request][0] == 'taken'
            answer = 1 if which == 'refs' else ('send-once' if waits else 'dead',)
        elif isinstance(thing, Once):
            answer = self.once_to(state, thread.process, thing, which)
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
