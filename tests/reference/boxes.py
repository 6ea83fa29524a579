"""Mailboxes and ports as objects: what they hold, and how they are made, changed and destroyed."""
from reading import Box, capacity_of
from values import Ambiguous, Handle, size_of, template


class Boxes:
    """The part of the kernel that knows mailboxes. `state.boxes` holds those that there are, also destroyed ones."""

    def is_box(self, queue):
        return isinstance(queue, Handle)

    def capacity(self, state, queue):
        return state.boxes[queue].capacity if self.is_box(queue) else self.scenario.link_capacity[queue[1]]

    def order(self, state, queue):
        return state.boxes[queue].order if self.is_box(queue) else 'fifo'

    def receiver_policy(self, state, queue):
        return state.boxes[queue].receiver if self.is_box(queue) else self.scenario.receiver

    def takes_nothing(self, state, queue):
        """A port with a limit of 0 makes every sender wait; it is no rendezvous."""
        return self.is_box(queue) and queue.kind == 'port' and self.capacity(state, queue) == ('messages', 0)

    def do_create(self, state, key, thread, instruction):
        """A new mailbox, or a port of which the creator has the receive right. It is shown as `mailbox 1`."""
        keys, kind = instruction.keys, instruction.keys['kind']
        if kind in ('pipe', 'channel'):
            self.create_pipe(state, key, thread, instruction)
            return
        if kind == 'port-set':
            raise Ambiguous('create a port set')
        state.created += 1
        handle = Handle('box' if kind == 'mailbox' else 'port', f'mailbox {state.created}')
        if kind == 'port':
            capacity = ('messages', keys.get('capacity', 5))
            state.holder[handle], state.made[handle] = thread.process, 0
        else:
            capacity = capacity_of(keys['capacity']) if 'capacity' in keys else self.scenario.buffering
        state.boxes[handle] = Box(capacity, keys.get('order', 'fifo'), keys.get('receiver', self.scenario.receiver),
                                  size_of(keys['max-size']) if 'max-size' in keys else None)
        self.complete(state, key, 'ok', instruction.argument, handle)

    def do_destroy(self, state, key, thread, instruction):
        """What waits there is lost, and blocked senders are told."""
        handle = self.resolve(thread, instruction.argument)[0]
        if handle.kind == 'set':
            self.destroy_set(state, key, thread.process, handle)
            return
        outcome = 'ok'
        if handle.kind == 'port' and state.holder[handle] != thread.process:
            outcome = 'no-right'
        elif handle in state.destroyed:
            outcome = 'dead'
        self.complete(state, key, outcome)
        if outcome == 'ok' and handle.kind == 'port':
            self.port_loses_receiver(state, handle)
        elif outcome == 'ok':
            state.destroyed |= {handle}
            self.empty(state, handle)
        self.settle(state)

    def empty(self, state, box):
        """The box exists no longer."""
        for message, _ in state.stored.pop(box, []):
            self.lose(state, message)
        self.lose_kept(state, lambda process, port: port == box)
        for key, thread in list(state.threads.items()):
            if thread.mode == 'wait' and thread.wait[0] in ('send', 'memory') and thread.wait[1] == box:
                self.complete_waiting(state, key, 'dead')

    def do_limit(self, state, key, thread, instruction):
        """Another queue limit for a port that one receives from."""
        port = self.resolve(thread, instruction.argument)[0]
        limit = template(instruction.keys['capacity'], self.names_of(thread))
        if state.holder[port] == thread.process:
            state.boxes[port] = state.boxes[port]._replace(capacity=('messages', limit))
            self.complete(state, key, 'ok')
        else:
            self.complete(state, key, 'no-right')
        self.settle(state)
