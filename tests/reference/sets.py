"""Port sets: several ports are received from as if they were one."""
from values import Ambiguous


class PortSets:
    """The part of the kernel that knows port sets. `state.members`: set -> its ports, or None when it is destroyed."""

    def set_of(self, state, port):
        """The set that this port is in, if any."""
        return next((one for one, ports in state.members.items() if ports and port in ports), None)

    def owns_set(self, state, process, port_set):
        return self.scenario.sets[port_set] == process and state.members[port_set] is not None

    def source_outcome(self, state, process, source):
        """What a receive from this port or set ends with at once, if it may not wait there; else None."""
        if source.kind == 'set':
            return None if self.owns_set(state, process, source) else 'no-right'
        if state.holder[source] != process:
            return 'no-right'
        return 'refused' if self.set_of(state, source) else None

    def do_insert(self, state, key, thread, instruction):
        """Whoever waits at the port itself is refused; whoever waits at the set gets what the port brings."""
        port, into = (self.resolve(thread, word)[0] for word in (instruction.argument, instruction.keys['into']))
        if state.holder[port] != thread.process or not self.owns_set(state, thread.process, into):
            self.complete(state, key, 'no-right')
            return
        self.leave_set(state, port)
        state.members[into] += (port,)
        self.stored_anew(state, port)
        self.complete(state, key, 'ok')
        for other, _ in list(state.receivers.get(port, [])):
            self.complete(state, other, 'refused')
        if 'receivers' in self.scenario.again:
            self.serve_set(state, into)
        self.settle(state)

    def serve_set(self, state, port_set):
        """A port that comes in serves those who wait there at once, whatever `wake` says."""
        for key, _ in list(state.receivers.get(port_set, [])):
            thread = state.threads[key]
            if thread.wait[0] == 'select':
                continue                # it is told when everything settles
            found = self.look(state, thread.process, thread.wait[1], thread.wait[2])
            if found and len(state.receivers[port_set]) > 1:
                raise Ambiguous('which receiver')
            if found:
                self.take(state, key, found)

    def stored_anew(self, state, port):
        """The messages of a port that comes in are the youngest."""
        again = []
        for message, _ in state.stored.get(port, []):
            state.clock += 1
            again.append((message, state.clock))
        if again:
            state.stored[port] = again

    def do_remove(self, state, key, thread, instruction):
        port, out_of = (self.resolve(thread, word)[0] for word in (instruction.argument, instruction.keys['out-of']))
        if state.holder[port] != thread.process or not self.owns_set(state, thread.process, out_of):
            self.complete(state, key, 'no-right')
        elif port not in state.members[out_of]:
            self.complete(state, key, 'refused')
        else:
            self.leave_set(state, port)
            self.complete(state, key, 'ok')

    def leave_set(self, state, port):
        """Takes the port out of its set, if it is in one."""
        for port_set, ports in state.members.items():
            if ports and port in ports:
                state.members[port_set] = tuple(other for other in ports if other != port)

    def destroy_set(self, state, key, process, port_set):
        """The waits at the set end; its ports are left alone."""
        if not self.owns_set(state, process, port_set):
            self.complete(state, key, 'no-right')
            return
        state.members[port_set] = None
        self.complete(state, key, 'ok')
        for other, _ in list(state.receivers.get(port_set, [])):
            if state.threads[other].wait[0] == 'receive':       # to a select it is ready, as what is dead
                self.complete(state, other, 'dead')
        self.settle(state)

    def look_at_set(self, state, port_set, wanted):
        """What a receive would take from the set."""
        ports, served = state.members[port_set], state.served.get(port_set)
        if self.scenario.set_order == 'round-robin' and served in ports:
            ports = ports[ports.index(served) + 1:] + ports[:ports.index(served) + 1]
        found = [one for one in (self.look_at(state, port, wanted) for port in ports) if one]
        if not found:
            return None
        if self.scenario.set_order == 'arbitrary':
            return found[self.choose(len(found))]
        if self.scenario.set_order == 'round-robin':
            if served and served not in ports and len(found) > 1:
                raise Ambiguous('round-robin, and the port that was served last has left the set')
            return found[0]
        stored = [one for one in found if one[0] == 'stored']
        if stored:
            return min(stored, key=lambda one: state.stored[one[1]][one[2]][1])
        return min(found, key=lambda one: min(arrival for _, arrival in one[2]))
