"""Arrows to those who could help by an exception, its answer, or a message to the port of a process."""


class ControlArrows:
    """The part of the judge that knows exceptions, and control by message."""

    def helps_fault(self, key, thread):
        """A thread that waits for its handler waits for an answer."""
        self.helps_reply(key, thread)

    def helps_handler(self, key, sources):
        """Exceptions of others come to whoever receives from their exception port."""
        for other, thread in self.state.threads.items():
            if other != key and thread.mode != 'ended' and self.ahead(other):
                # whether what could be an exception counts the pages do not say
                if any(port in sources for port in self.machine.handlers(thread)):
                    self.add(key, other, False)
