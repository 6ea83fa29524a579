"""Files: paths that name mailboxes. Such a mailbox is used through what `open` gave."""
import re

from values import Ambiguous, Handle, Opened, evaluate, template

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
        self.complete(state, key, 'ok', instruction.keys['into'], Opened(box.kind, box.name, mode, thread.process))

    def barred(self, thread, written, mode):
        """Is one of these a mailbox behind a path, and not opened for this mode? Its name gives no access."""
        if not self.scenario.files or written == 'anyone':
            return False
        answers = set()
        for word in written if isinstance(written, list) else [written]:
            whole = re.fullmatch(r'\$\{([^}]*)\}', str(word))
            value = evaluate(whole[1] if whole else word, self.names_of(thread))
            if isinstance(value, Opened):
                # that the handle of one process is none for another the pages do not say
                answers.add(value.mode != mode or value.process != thread.process)
            elif isinstance(value, Handle):
                answers.add(value in self.scenario.guarded)
        if len(answers) > 1:
            raise Ambiguous('some sources are opened, and some are not')
        return True in answers
