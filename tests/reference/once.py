"""Send-once rights: they are used once, or a notice `send-once` says that nobody will use them any more.

`state.once` holds those that are there: right -> process, or 'transit'. Each is a thing of its own, with one name.
"""
from values import Ambiguous, Message, Once, default_size, size_of, template


class OnceRights:
    """The part of the kernel that knows send-once rights."""

    def is_dead_once(self, state, once):
        return state.holder[once.port] is None

    def may_carry_once(self, state, process, kind, thing):
        """Has this process what it needs for a send-once right in a message?"""
        if not isinstance(thing, Once):
            return False                    # the name of a port is not that of a send-once right
        if kind == 'make-send-once':
            return state.holder[thing.port] == process
        if kind != 'move-send-once':
            return False
        if state.once.get(thing) == process and self.is_dead_once(state, thing):
            raise Ambiguous('a dead send-once right in a message')
        return state.once.get(thing) == process

    def arrive_once(self, state, process, once):
        """The name of the right for who gets it: none if it has died on the way, as a port in `.rights`."""
        if self.is_dead_once(state, once):
            state.once.pop(once, None)
            return None
        state.once[once] = process
        return once

    def once_lost(self, state, once):
        """Nobody will use this send-once right any more."""
        if state.once.pop(once, None) is not None:
            self.notice(state, once.port, 'send-once', None)

    def drop_once(self, state, key, thread, once):
        good = state.once.get(once) == thread.process
        if good:
            self.once_lost(state, once)
        self.complete(state, key, 'ok' if good else 'no-right')
        self.settle(state)

    def once_to(self, state, process, once, which):
        """`refs` and `rights-of` of a send-once right. When its port has died the name stays as a dead name."""
        mine = state.once.get(once) == process
        if which == 'refs':
            return int(mine)
        return ('dead' if self.is_dead_once(state, once) else 'send-once',) * mine

    def told_by(self, state, process, thing):
        """The port that `notify:` or `hold-one:` means, if it is one that this process receives from, or its
        send-once right; else None."""
        if isinstance(thing, Once):
            if state.once.get(thing) == process and self.is_dead_once(state, thing):
                raise Ambiguous('a notice by a dead send-once right')
            return thing.port if state.once.get(thing) == process else None
        return thing if state.holder[thing] == process else None

    def use_once(self, state, key, thread, instruction, once):
        """A message by a send-once right ignores the limit of the port, and kernel memory."""
        carried, keys = self.carried_by(state, thread, instruction), instruction.keys
        good = self.may_carry(state, thread.process, carried)
        given = self.resolve(thread, keys['reply-to'])[0] if 'reply-to' in keys else None
        if given is not None and (given.kind != 'port' or state.holder[given] is None):
            raise Ambiguous('reply-to a dead port, or no port')
        good = good and (given is None or state.holder[given] == thread.process)
        # the right that a message is sent by cannot be moved with it
        good = good and once not in [thing for _, thing in carried]
        if state.once.get(once) != thread.process or not good:
            self.complete(state, key, 'no-right')
            return
        if carried and self.is_dead_once(state, once):
            raise Ambiguous('rights in a message to a dead port')
        if self.is_dead_once(state, once):
            self.complete(state, key, 'dead')           # the dead name stays
            return
        if any(kind == 'move-receive' and port in self.on_the_way_to(state, once.port) for kind, port in carried):
            raise Ambiguous('a receive right in a message to its own port')
        del state.once[once]
        body, kind = (template(written, self.names_of(thread)) for written in (instruction.argument, keys.get('type')))
        size = size_of(keys['size']) if 'size' in keys else default_size(body)
        state.clock += 1
        given = Once(state.clock, given) if given else None
        request = state.clock if instruction.op == 'call' else None
        message = Message(body, thread.process, kind, 0, size, None, request, given, carried, by_once=True)
        self.depart(state, message)
        if request is not None:
            state.requests[request] = ('open', None)
        self.has_sent(state, key, thread, instruction, request)
        self.bring(state, once.port, message)
        self.settle(state)
