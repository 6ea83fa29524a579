//! Send-once rights: made, handed over, and used up by one message.

use super::prelude::*;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    /// Makes a send-once right to a port that a process receives from.
    pub(super) fn make_once(&mut self, own: ProcessId, port: MailboxId) -> Result<Once, Stop> {
        if self.state.receiver_of(port) != Receiver::Held(own) {
            return Err(Stop::NO_RIGHT);
        }
        Ok(Once { port, number: self.port_mut(port).make_once() })
    }

    /// Takes a send-once right out of a name space.
    pub(super) fn hand_over_once(&mut self, own: ProcessId, once: Once) -> Result<Once, Stop> {
        let held = self.state.processes[own.index()].rights.once.remove(&once);
        if held { Ok(once) } else { Err(Stop::NO_RIGHT) }
    }

    /// Whether a process has a send-once right, and its port lives.
    pub(super) fn check_once(&mut self, t: ThreadId, once: Once) -> Result<(), Stop> {
        let own = self.thread(t).process;
        if !self.state.processes[own.index()].rights.once.contains(&once) {
            return Err(Stop::NO_RIGHT);
        }
        if self.mailbox(once.port).existence == Existence::Destroyed {
            return Err(Stop::DEAD);
        }
        Ok(())
    }

    /// Takes rights for a message that goes by a send-once right, which the message cannot carry itself. If they
    /// are missing, the send-once right stays where it was.
    pub(super) fn setting_aside<T>(
        &mut self,
        t: ThreadId,
        once: Option<Once>,
        take: impl FnOnce(&mut Self) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let own = self.thread(t).process;
        if let Some(once) = once {
            self.state.processes[own.index()].rights.once.remove(&once);
        }
        let taken = take(self);
        match once {
            // A process that gives a receive right away may end because of that.
            Some(once) if self.state.has_ended(own) => self.destroy_once(once),
            Some(once) => {
                self.state.processes[own.index()].rights.once.insert(once);
            }
            None => {}
        }
        taken
    }

    /// A send-once right is used up.
    pub(super) fn spend(&mut self, t: ThreadId, once: Once) {
        let own = self.thread(t).process;
        self.state.processes[own.index()].rights.once.remove(&once);
        self.forget_once(once);
    }

    /// Answers by a send-once right: that never waits.
    pub(super) fn reply_once(
        &mut self,
        t: ThreadId,
        once: Once,
        answer: Arc<Message>,
    ) -> Result<(), Stop> {
        self.spend(t, once);
        self.force(Some(t), answer);
        self.complete(t, Outcome::Ok);
        Ok(())
    }
}
