//! Names: the name server's entries, and the paths of the file system.

use std::sync::Arc;

use super::{Step, Stop};
use crate::event::Kind;
use crate::expr::Expr;
use crate::ids::{NameServerId, Register, ThreadId};
use crate::object::mailbox::Existence;
use crate::object::names::Claim;
use crate::object::port::{Carried, Right};
use crate::oracle::{Oracle, Sink};
use crate::outcome::{Fault, Outcome};
use crate::program::{Verb, Wait};
use crate::state::BlockedOn;
use crate::value::{Access, Handle, Value};

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn register(&mut self, t: ThreadId, object: &Expr, name: &Expr) -> Result<(), Stop> {
        let handle = match self.eval(t, object)? {
            Value::Handle(handle @ (Handle::Mailbox(_) | Handle::Process(_))) => handle,
            Value::Handle(_) => return Err(Stop::Outcome(Outcome::Refused)),
            _ => return Err(Fault::MixedTypes.into()),
        };
        if let Handle::Mailbox(mailbox) = handle {
            self.reachable_by_name(mailbox)?;
            self.check_send_right(self.thread(t).process, mailbox)?;
            if self.mailbox(mailbox).existence == Existence::Destroyed {
                return Err(Stop::Outcome(Outcome::Dead));
            }
        }
        let name = self.name(t, name)?;
        let own = self.thread(t).process;
        let server = self.name_server(t);
        if self.state.names[server.index()].claim(&name, own) == Claim::Taken {
            return Err(Stop::Outcome(Outcome::Refused));
        }
        self.state.names[server.index()].enter(Arc::clone(&name), handle, Some(own));
        self.note(Some(t), Kind::Registered(&name, handle));
        self.complete(t, Outcome::Ok);
        self.answer_lookups(&name);
        Ok(())
    }

    pub(super) fn unregister(&mut self, t: ThreadId, name: &Expr) -> Result<(), Stop> {
        let name = self.name(t, name)?;
        let own = self.thread(t).process;
        let server = self.name_server(t);
        match self.state.names[server.index()].claim(&name, own) {
            Claim::Free => Err(Stop::Outcome(Outcome::NoSuchName)),
            Claim::Taken => Err(Stop::Outcome(Outcome::Refused)),
            Claim::Own => {
                self.state.names[server.index()].remove(&name);
                self.note(Some(t), Kind::Unregistered(&name));
                self.complete(t, Outcome::Ok);
                Ok(())
            }
        }
    }

    pub(super) fn lookup(&mut self, t: ThreadId, name: &Expr, wait: &Wait) -> Result<(), Stop> {
        let name = self.name(t, name)?;
        if self.answer_lookup(t, &name) {
            self.complete(t, Outcome::Ok);
            return Ok(());
        }
        match wait {
            Wait::Never => Err(Stop::Outcome(Outcome::NoSuchName)),
            Wait::Forever | Wait::For(_) => self.block(t, BlockedOn::Lookup(name), wait),
        }
    }

    /// Gives a look-up its handle, if the name is known.
    fn answer_lookup(&mut self, t: ThreadId, name: &str) -> bool {
        let Some(handle) = self.resolve(self.name_server(t), name) else { return false };
        let machine = self.machine;
        let Verb::Lookup { into, .. } = &machine.call(self.thread(t).pc).verb else {
            unreachable!("only a look-up waits in a look-up");
        };
        self.set(t, *into, Value::Handle(handle));
        // Whoever looks a port up gets a right to send to it.
        if let Handle::Mailbox(port) = handle
            && self.mailbox(port).port.is_some()
        {
            let own = self.thread(t).process;
            self.give_right(own, Carried { port, right: Right::Send });
        }
        true
    }

    /// What a name stands for: what this server lacks is asked of its parent.
    fn resolve(&self, server: NameServerId, name: &str) -> Option<Handle> {
        let mut server = Some(server);
        while let Some(id) = server {
            if let Some(handle) = self.state.names[id.index()].find(name) {
                return Some(handle);
            }
            server = self.machine.name_servers[id.index()].parent;
        }
        None
    }

    fn answer_lookups(&mut self, registered: &str) {
        let waiting: Vec<ThreadId> = self.state.lookups.iter().copied().collect();
        for t in waiting {
            let Some(BlockedOn::Lookup(name)) = self.state.waits_for(t) else { continue };
            let name = Arc::clone(name);
            if name.as_ref() == registered && self.answer_lookup(t, &name) {
                self.end_wait(t, Outcome::Ok);
            }
        }
    }

    pub(super) fn open(
        &mut self,
        t: ThreadId,
        path: &Expr,
        into: Register,
        access: Access,
    ) -> Result<(), Stop> {
        let path = self.name(t, path)?;
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
            return Err(Stop::Outcome(Outcome::Refused));
        }
        self.set(t, into, Value::Handle(Handle::File { mailbox: file.mailbox, access }));
        self.complete(t, Outcome::Ok);
        Ok(())
    }

    fn name(&mut self, t: ThreadId, name: &Expr) -> Result<Arc<str>, Fault> {
        match self.eval(t, name)? {
            Value::Text(name) => Ok(name),
            _ => Err(Fault::MixedTypes),
        }
    }

    fn name_server(&self, t: ThreadId) -> NameServerId {
        self.machine.family_of(self.thread(t).process).names
    }
}
