"""Files: paths that name mailboxes. Such a mailbox is used through what `open` gave."""
from values import Ambiguous, Handle, template

BITS = {'read': 4, 'write': 2}


def declare(scenario, document, processes):
    """files: path -> (mailbox, owner, mode); guarded: the mailboxes behind them; user: process -> name."""
    scenario.files, scenario.user = {}, {}
    for path, declared in (document.get('files') or {}).items():
        if set(declared) != {'mailbox', 'owner', 'mode'}:
            raise Ambiguous('a file without owner or mode')
        scenario.files[path] = (Handle('box', declared['mailbox']), declared['owner'], str(declared['mode']))
    scenario.guarded = {box for box, _, _ in scenario.files.values()}
    for name, declared in processes.items():
        if isinstance(declared, dict):
            for process in scenario.families.get(name, [Handle('process', name)]):
                scenario.user[process] = declared.get('user')


class Files:
    """The part of the kernel that knows paths and permissions."""

    def do_open(self, state, key, thread, instruction):
        """Permissions are looked at here only: those of the owner, or those of everybody else."""
        path, mode = template(instruction.argument, self.names_of(thread)), instruction.keys['mode']
        if path not in self.scenario.files:
            self.complete(state, key, 'no-such-name')       # the pages do not say so
            return
        box, owner, digits = self.scenario.files[path]
        if box in state.destroyed:
            raise Ambiguous('open of a mailbox that was destroyed')
        digit = int(digits[-3] if self.scenario.user.get(thread.process) == owner else digits[-1])
        if not digit & BITS[mode]:
            self.complete(state, key, 'refused')
            return
        self.complete(state, key, 'ok', instruction.keys['into'], self.new_descriptor(state, thread.process, box, mode))
