//! The file system: a path names a mailbox, with an owner and a mode.

use ipcsim_program::{Access, FileVerb, misuse};

use super::prelude::*;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn file(&mut self, t: ThreadId, verb: &FileVerb) -> Result<(), Stop> {
        match verb {
            FileVerb::Open { path, into, access } => self.open(t, path, *into, *access),
        }
    }

    fn open(
        &mut self,
        t: ThreadId,
        path: &Expr,
        into: Register,
        access: Access,
    ) -> Result<(), Stop> {
        let path = match self.eval(t, path)? {
            Value::Text(path) => path,
            other => return Err(misuse::needs("a path is a text", &other).into()),
        };
        let machine = self.machine;
        let file = machine
            .files
            .binary_search_by(|file| file.path.as_ref().cmp(path.as_ref()))
            .map_err(|_| Stop::Outcome(Outcome::NoSuchName))?;
        let file = &machine.files[file];
        let user = machine.family_of(self.thread(t).process).user;
        let mode =
            if user.is_some() && user == file.owner { file.owner_mode } else { file.other_mode };
        let wanted = match access {
            Access::Read => 4,
            Access::Write => 2,
        };
        if mode & wanted == 0 {
            return Err(Stop::REFUSED);
        }
        self.set(t, into, Value::Handle(Handle::File { mailbox: file.mailbox, access }));
        self.complete(t, Outcome::Ok);
        Ok(())
    }
}
