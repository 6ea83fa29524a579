//! Going on with another program: the process stays, with what the kernel keeps for it; its memory is new.
//!
//! What becomes of its other threads, systems do not agree on.

use ipcsim_program::{Address, Image, ImageVerb};

use super::prelude::*;
use crate::machine::Exec;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn image(&mut self, t: ThreadId, verb: &ImageVerb) -> Result<(), Stop> {
        match verb {
            ImageVerb::Fork { child, entry } => self.fork(t, child, *entry),
            ImageVerb::Exec(image) => self.exec(t, image.as_deref()),
        }
    }

    fn exec(&mut self, t: ThreadId, image: Option<&Image>) -> Result<(), Stop> {
        let policy = self.machine.policies.exec;
        if policy == Exec::KillThenLoad {
            self.end_siblings(t);
        }
        // If it fails, nothing has changed.
        let image = image.ok_or(Stop::Outcome(Outcome::NoSuchName))?;
        let registers = self.registers_for(t, image)?;
        let siblings = self.siblings(t);
        match policy {
            Exec::Refuse if !siblings.is_empty() => return Err(Stop::REFUSED),
            Exec::WaitForThreads if !siblings.is_empty() => {
                return self.block(t, BlockedOn::Join(siblings.into()), &Wait::Forever);
            }
            Exec::KillThreads => self.end_siblings(t),
            Exec::KeepThreads => siblings.into_iter().for_each(|other| self.lose_code(other)),
            Exec::Refuse | Exec::WaitForThreads | Exec::KillThenLoad => {}
        }
        self.replace(t, image, registers);
        Ok(())
    }

    /// The other threads have ended for which an exec has waited.
    pub(super) fn image_after_all(&mut self, t: ThreadId, verb: &ImageVerb) {
        self.withdraw(t);
        match self.image(t, verb) {
            // There may be new ones.
            Ok(()) if self.state.waits_for(t).is_some() => {}
            Ok(()) => self.make_ready(t, ThreadState::Ready),
            Err(stop) => {
                self.thread_mut(t).state =
                    ThreadState::Blocked { on: BlockedOn::Sleep, bound: Bound::Forever };
                match stop {
                    Stop::Outcome(outcome) => self.complete(t, outcome),
                    Stop::Fault(fault) => self.fail(t, fault),
                }
            }
        }
    }

    /// The variables with which the program begins.
    fn registers_for(&mut self, t: ThreadId, image: &Image) -> Result<Box<[Value]>, Fault> {
        let machine = self.machine;
        let program = &machine.programs[image.program.index()];
        let mut registers = vec![Value::None; program.registers as usize];
        for (register, value) in &program.initial {
            registers[register.index()] = value.clone();
        }
        for (register, value) in &image.with {
            registers[register.index()] = self.eval(t, value)?;
        }
        Ok(registers.into())
    }

    fn end_siblings(&mut self, t: ThreadId) {
        for other in self.siblings(t) {
            self.stop_thread(other);
        }
    }

    /// A thread stays where its code was.
    fn lose_code(&mut self, t: ThreadId) {
        let lost = ThreadState::Raising(Fault::BadAddress(Address::Code));
        let was_going = matches!(
            self.thread(t).state.underneath(),
            ThreadState::Ready | ThreadState::Raising(_)
        );
        if was_going {
            self.set_going(t, lost);
        } else {
            self.withdraw(t);
            // A handler that looks at an exception of this thread does so in vain.
            self.thread_mut(t).control(|control| control.raised = None);
            self.make_ready(t, lost);
        }
    }

    fn replace(&mut self, t: ThreadId, image: &Image, registers: Box<[Value]>) {
        let process = self.thread(t).process;
        self.note(Some(t), Kind::Replaced(image.program));
        self.free_all(process);
        self.close_on_exec(process);
        let name = self.machine.programs[image.program.index()].name;
        let thread = self.thread_mut(t);
        (thread.name, thread.index) = (name, 1);
        (thread.pc, thread.status, thread.registers) = (image.entry, Outcome::Ok, registers);
        self.state.processes[process.index()].image = Some(image.program);
    }
}
