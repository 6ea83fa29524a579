"""What has become possible after a change: slots and memory go to those who wait."""
from values import Ambiguous


class Settling:
    """The part of the kernel that ends the waits which can end."""

    def settle(self, state):
        """Slots and memory that have become free go to those who wait; waits that can end do."""
        while (self.settle_orphans(state) or self.settle_memory(state) or self.settle_kept(state)
               or self.settle_slots(state) or self.settle_pipes(state)
               or self.settle_receivers(state) or self.settle_others(state)
               or self.settle_watches(state)):
            pass

    orphans = ()        # ports whose receive right was in a message that is lost

    def settle_orphans(self, state):
        if not self.orphans:
            return False
        port, *self.orphans = self.orphans
        self.port_loses_receiver(state, port)
        return True

    def settle_memory(self, state):
        """The queue for kernel memory: oldest first, nobody is overtaken."""
        if not state.memory_queue:
            return False
        key = state.memory_queue[0]
        _, queue, message = state.threads[key].wait
        if not self.fits_memory(state, message):
            return False
        came = self.offer(state, queue, message, key)
        if came == 'taken':
            self.sender_done(state, key, message)
        elif came == 'destroyed':
            self.destroy_message(state, key, message)
        elif not self.has_slot(state, queue, message):
            raise Ambiguous('memory, but no slot')
        else:
            self.store(state, queue, message)
            self.sender_done(state, key, message)
        return True

    def settle_slots(self, state):
        if 'senders' in self.scenario.again:
            return False
        for queue in list(state.senders):
            blocked = state.senders.get(queue)
            if not blocked or self.capacity(state, queue)[0] in ('none', 'undefined', 'pipe'):
                continue
            if self.scenario.sender == 'arbitrary' and self.order(state, queue) != 'priority':
                blocked = [item for item in blocked if self.has_slot(state, queue, state.threads[item[0]].wait[2])]
                if not blocked:
                    continue
            key = self.pick_sender(state, queue, blocked)
            message = state.threads[key].wait[2]
            if not self.has_slot(state, queue, message):
                continue
            if any(state.threads[other].wait[1] == queue for other in state.memory_queue):
                raise Ambiguous('some wait for a slot of a queue and some for memory')
            if not state.memory_queue and self.fits_memory(state, message):
                self.store(state, queue, message)
                self.sender_done(state, key, message)
                return True
            if self.scenario.memory_full == 'fail':
                self.complete_waiting(state, key, 'no-memory')
                return True
            state.senders[queue] = [item for item in state.senders[queue] if item[0] != key]
            state.threads[key].wait = ('memory', queue, message)
            state.memory_queue.append(key)
        return False

    def settle_receivers(self, state):
        """Receives that can be served, or whose sources are all dead."""
        for key, thread in state.threads.items():
            if thread.mode != 'wait' or thread.wait[0] != 'receive':
                continue
            found = self.look(state, thread.process, thread.wait[1], thread.wait[2])
            if found == 'dead':
                self.complete(state, key, 'dead')
                return True
            # Whoever looks again fetches what is stored; what a blocked sender has is handed over under both policies.
            if found and ('receivers' not in self.scenario.again or found[0] == 'sender'):
                others = [other for other, _ in state.receivers.get(self.where_they_wait(state, found[1]), [])
                          if state.threads[other].wait[0] == 'receive']
                if len(others) > 1:
                    raise Ambiguous('which receiver')
                self.take(state, key, found)
                return True
        return False

    def settle_others(self, state):
        """Selects that have an answer, and joins."""
        for key, thread in list(state.threads.items()):
            if thread.mode != 'wait':
                continue
            if thread.wait[0] == 'select':
                answer = self.ready(state, thread.process, thread.wait[1])
                if len(answer) > 1 and any(one.kind == 'port' and state.holder[one] == 'transit' for one in answer):
                    raise Ambiguous('a port is given away in the step that makes another source ready')
                if answer:
                    self.complete(state, key, 'ok', thread.instruction().argument, answer)
                    return True
            if thread.wait[0] == 'join' and not self.living(state, thread.process, thread.wait[1]):
                self.complete(state, key, 'ok')
                return True
        return False
