"""Policy `wake: look-again`: whoever is woken makes its call once more."""
from values import Ambiguous


class LookAgain:
    """The part of the kernel that wakes threads to look again."""

    def wake_receiver(self, state, queue, arrival):
        """Makes the first waiter that would take this stored message ready; the message is its chance."""
        message = next((message for message, number in state.stored.get(queue, []) if number == arrival), None)
        if message is None:
            return
        here = state.receivers.get(self.where_they_wait(state, queue), [])
        if any(state.threads[key].wait[0] == 'select' for key, _ in here):
            raise Ambiguous('a blocked select under look-again')
        waiting = [item for item in here
                   if self.type_fits(state.threads[item[0]].wait[2], message)]
        if waiting:
            key = self.pick_receiver(state, queue, waiting)
            _, sources, wanted = state.threads[key].wait
            self.make_ready(state, key, ('again', 'receive', queue, arrival, sources, wanted))

    def wake_sender(self, state, queue):
        """A slot is free: makes the first blocked sender ready, if there are more free slots than such senders."""
        blocked = state.senders.get(queue)
        capacity = self.capacity(state, queue)
        if not blocked or capacity[0] == 'none':
            return
        if capacity[0] != 'messages':
            raise Ambiguous('senders that look again, and capacity ' + capacity[0])
        if len(state.stored.get(queue, [])) + len(self.ready_to_send(state, queue)) < capacity[1]:
            key = self.pick_sender(state, queue, blocked)
            self.make_ready(state, key, ('again', 'send', queue, state.threads[key].wait[2]))

    def ready_to_send(self, state, queue):
        """The threads that were made ready to send here once more."""
        return [key for key, thread in state.threads.items()
                if thread.mode == 'again' and thread.wait[1] == 'send' and thread.wait[2] == queue]

    def make_ready(self, state, key, wait):
        thread = state.threads[key]
        bounded = thread.bounded
        self.leave_queues(state, key)
        thread.mode, thread.wait, thread.bounded = 'again', wait, bounded

    def pass_on(self, state, chance):
        """Whoever was made ready leaves without having used its chance: the next one gets it."""
        if chance[1] == 'receive':
            self.wake_receiver(state, chance[2], chance[3])
        else:
            self.wake_sender(state, chance[2])

    def once_more(self, state, key, thread):
        """A thread that was made ready makes its call again; perhaps for the last time."""
        chance = thread.wait
        last = bool(thread.suspended or (thread.bounded and self.choose(2)))
        if chance[1] == 'send':
            self.try_send(state, key, thread, chance[2], chance[3], last)
            if thread.mode != 'wait' or thread.wait[0] != 'send':
                self.pass_on(state, chance)
            return
        _, _, _, _, sources, wanted = chance
        ports = [one for one in sources if one.kind in ('port', 'set')] if sources != 'anyone' else []
        if any(self.source_outcome(state, thread.process, one) for one in ports):
            raise Ambiguous('look-again at a port that one may not receive from any more')
        found = self.look(state, thread.process, sources, wanted)
        if found == 'dead':
            self.complete(state, key, 'dead')
        elif found:
            self.take(state, key, found)
        elif last:
            self.complete_waiting(state, key, 'timed-out')
        else:
            self.block(thread, ('receive', sources, wanted))
            self.wait_at(state, key, thread.process, sources)
        if thread.mode != 'wait':
            self.pass_on(state, chance)
