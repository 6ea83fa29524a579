"""`watch`, the notices of the kernel, and ports that lose their receiver.

`state.watches`: (port, until, who asked) -> the port that is told. What only a receiver may ask belongs to the port, and
goes with it: there `who asked` is None. A send-once right as `notify:` is used up when the kernel is asked.
"""
from values import Ambiguous, Message


class Watching:
    """The part of the kernel that tells what becomes of ports."""

    def notice(self, state, port, kind, body, carried=()):
        """A message from the kernel, which ignores the limit."""
        if state.holder[port] is None:
            return
        if len(state.stored.get(port, [])) > 10:
            raise Ambiguous('ever more notices in a port')
        if state.memory_queue:      # what has become free in the same step may go to them first
            raise Ambiguous('a notice while somebody waits for kernel memory')
        self.bring(state, port, Message(body, None, kind, 0, 8, None, None, None, carried, by_once=True))

    def bring(self, state, port, message):
        """A notice, or a message by a send-once right, comes to a port; neither the limit nor memory matters."""
        if not self.offer(state, port, message, None):
            self.store(state, port, message)

    def leave_holder(self, state, port):
        """The receive right is in a message now. Whoever waits at the port is told that it is dead to him."""
        state.holder[port] = 'transit'
        state.taken_from.pop(port, None)        # `.seq` and the count of rights begin again
        if (port, 'no-senders', None) in state.watches:
            raise Ambiguous('the count of rights begins again, and somebody watches it')
        state.made[port] = 0
        self.leave_set(state, port)

    def port_loses_receiver(self, state, port):
        """The receive right goes to who asked for it, or to the backup, with all that waits there; or the port dies.

        The pages do not say that who asked comes before the backup.
        """
        told = state.watches.pop((port, 'port-destroyed', None), None)
        if told is not None and state.holder[told] is not None:
            if port in self.on_the_way_to(state, told):
                raise Ambiguous('a receive right in a notice to its own port')
            self.leave_holder(state, port)
            self.notice(state, told, 'port-destroyed', port, (('move-receive', port),))
            return
        backup = self.scenario.backup.get(port)
        if backup in (None, state.holder[port]) or self.is_over(state, backup):
            self.port_dies(state, port)
            return
        self.leave_holder(state, port)
        state.holder[port] = backup

    def port_dies(self, state, port):
        """What waits there is lost, and blocked senders are told."""
        state.holder[port] = None
        self.leave_set(state, port)
        self.empty(state, port)
        for (watched, kind, process), told in list(state.watches.items()):
            if watched == port:
                state.watches.pop((watched, kind, process), None)
                if kind == 'dead-name':
                    state.refs[(process, port)] = state.refs.get((process, port), 0) + 1
                    self.notice(state, told, 'dead-name', port)
                else:
                    self.notice(state, told, 'send-once', None)

    def forget_watches(self, state, process):
        """This process ends: what it asked about its names can never come any more."""
        for name in [name for name in state.watches if name[2] == process]:
            self.notice(state, state.watches.pop(name), 'send-once', None)

    def settle_watches(self, state):
        """The notices about ports to which nobody has a send right any more."""
        for (port, kind, process), told in list(state.watches.items()):
            if kind != 'no-senders' or not state.made[port]:
                continue
            held = any(other == port and count for (_, other), count in state.refs.items())
            flying = any(other == port and kind != 'move-receive' for message in self.on_their_way(state)
                         for kind, other in message.carried)
            if any(port == other for _, other in state.kept):
                raise Ambiguous('does a message that is kept hold a right?')
            # each message to the port holds the right that it was sent by, until it is received
            sent = [message for message, _ in state.stored.get(port, [])]
            for thread in state.threads.values():
                if thread.wait and thread.wait[0] in ('send', 'memory') and thread.wait[1] == port:
                    sent.append(thread.wait[2])
                elif thread.wait and thread.wait[:2] == ('again', 'send') and thread.wait[2] == port:
                    sent.append(thread.wait[3])
            queued = any(not message.by_once for message in sent)
            if not held and not flying and not queued:
                del state.watches[(port, kind, process)]
                self.notice(state, told, 'no-senders', state.made[port])
                return True
        return False

    def may_watch(self, state, process, port, kind):
        if kind == 'dead-name':
            return (process, port) in state.refs
        return state.holder[port] == process

    def do_watch(self, state, key, thread, instruction):
        if self.once_behind(thread, instruction.argument):
            raise Ambiguous('a watch of a send-once right')
        port, kind = self.resolve(thread, instruction.argument)[0], instruction.keys['until']
        if not self.may_watch(state, thread.process, port, kind):
            self.complete(state, key, 'no-right')
            return
        notify = self.once_behind(thread, instruction.keys['notify'])
        told = self.told_by(state, thread.process, notify or self.resolve(thread, instruction.keys['notify'])[0])
        if told is None:
            self.complete(state, key, 'no-right')
            return
        if kind == 'port-destroyed' and told == port:
            raise Ambiguous('a port that shall be told of its own end')
        state.once.pop(notify, None)
        name = (port, kind, thread.process if kind == 'dead-name' else None)
        before = state.watches.pop(name, None)
        if before:
            self.notice(state, before, 'send-once', None)
        if state.holder[port] is None:
            state.refs[(thread.process, port)] += 1
            self.notice(state, told, 'dead-name', port)
        else:
            state.watches[name] = told
        self.complete(state, key, 'ok')
        self.settle(state)
