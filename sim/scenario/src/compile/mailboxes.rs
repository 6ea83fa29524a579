//! Mailboxes: what each is like, what lies in it from the start, and the paths that name some of them.

use std::sync::Arc;

use ipcsim_kernel::object::mailbox::{Mailbox, Object};
use ipcsim_kernel::object::memory::KernelMemory;
use ipcsim_kernel::object::room::Room;
use ipcsim_kernel::{Capacity, File, Ghost, MailboxId, Message, ProcessId, QueueSpec, Route};

use super::Compiler;
use super::resolve;
use super::settings::{capacity, name, order, pick, unsigned};
use crate::ast::{Arg, Declaration, Fields};
use crate::diagnostic::{Code, Diagnostic};
use crate::table::Section;

impl Compiler<'_> {
    pub(super) fn mailboxes(&mut self) {
        for declaration in &self.scenario[Section::Mailboxes] {
            let fields = &declaration.fields;
            let policies = &self.machine.policies;
            let spec = QueueSpec {
                order: order(fields),
                receiver: pick(fields, "receiver").unwrap_or(policies.receiver),
                max_size: unsigned(fields, "max-size").unwrap_or(QueueSpec::ANY_SIZE),
                ..policies.queue(capacity(fields, "capacity").unwrap_or(policies.buffering))
            };
            let mut mailbox = Mailbox::new(spec, Object::Open);
            self.put_in(&mut mailbox, declaration);
            match unsigned(fields, "replicas") {
                None => self.add(declaration.name.value.clone(), mailbox),
                Some(count) => {
                    for index in 1..=count {
                        let name = format!("{}[{index}]", declaration.name.value);
                        self.add(name, mailbox.clone());
                    }
                }
            }
        }
        self.check_memory();
    }

    /// Adds one that holds nothing, and that everybody may use until something else is said.
    pub(super) fn add_mailbox(&mut self, name: String, spec: QueueSpec) {
        self.add(name, Mailbox::new(spec, Object::Open));
    }

    fn add(&mut self, name: String, mut mailbox: Mailbox) {
        let id = MailboxId::at(self.machine.mailboxes.len());
        for message in &mut mailbox.messages {
            Arc::make_mut(message).mailbox = id;
        }
        self.machine.mailboxes.push(mailbox);
        self.machine.symbols.mailboxes.push(name);
    }

    /// Puts into a mailbox what it holds from the start.
    fn put_in(&mut self, mailbox: &mut Mailbox, declaration: &Declaration) {
        let Some(Arg::Exprs(bodies)) = declaration.fields.get("holds").map(|arg| &arg.value) else {
            return;
        };
        for body in &bodies.value {
            let body = match resolve::plain_value(self.names, body) {
                Ok(value) => value,
                Err(diagnostic) => return self.found.push(*diagnostic),
            };
            let size = body.size_bytes();
            let room = if size > mailbox.spec.max_size { Room::Never } else { mailbox.room(size) };
            if matches!(room, Room::Full | Room::Never) {
                let what = match room {
                    Room::Never => format!("a message of {size} B is too large for it"),
                    _ if mailbox.messages.is_empty() => "there is no room".into(),
                    _ => format!("there is room for {}", mailbox.messages.len()),
                };
                let name = &declaration.name.value;
                let message = format!("`{name}` cannot hold all of this: {what}");
                let diagnostic = Diagnostic::new(Code::OutOfRange, bodies.at, message);
                return self.found.push(diagnostic.label("more than fits").help(
                    match mailbox.spec.capacity {
                        Capacity::None => {
                            "a mailbox of `capacity: none` stores nothing; give it a `capacity`"
                        }
                        _ => "raise its `capacity`, or let it hold less",
                    },
                ));
            }
            mailbox.store(Arc::new(Message {
                body,
                sender: ProcessId::KERNEL,
                mailbox: MailboxId::at(0),
                size,
                route: Route::Mailbox,
                extras: None,
                serial: Ghost(0),
            }));
        }
    }

    /// What mailboxes hold from the start takes kernel memory like every other message.
    fn check_memory(&mut self) {
        let policies = &self.machine.policies;
        let mut memory = KernelMemory::new(policies.memory, policies.message_overhead);
        let mailboxes = &self.machine.mailboxes;
        let sizes = mailboxes.iter().flat_map(|it| &it.messages).map(|message| message.size);
        sizes.for_each(|size| memory.charge(size));
        let Some(limit) = memory.limit.filter(|limit| memory.used > *limit) else { return };
        let kernel = &self.scenario.kernel;
        let Some(at) = kernel.get("memory").map(|memory| memory.at) else { return };
        let message = format!(
            "what the mailboxes hold from the start needs {} B of kernel memory, and there are only {limit} B",
            memory.used
        );
        self.found.push(
            Diagnostic::new(Code::OutOfRange, at, message)
                .label("not enough")
                .help("each message takes its size and the `message-overhead`"),
        );
    }

    pub(super) fn files(&mut self) {
        for declaration in &self.scenario.files {
            let fields = &declaration.fields;
            let Some(mailbox) = name(fields, "mailbox") else { continue };
            let Some(id) = self.names.single_mailbox(mailbox.value) else {
                let known = self.scenario[Section::Mailboxes].iter().map(|m| m.name.value.as_str());
                self.found.push(
                    Diagnostic::new(
                        Code::UnknownName,
                        mailbox.at,
                        format!("no single mailbox is called `{}`", mailbox.value),
                    )
                    .did_you_mean(mailbox.value, known),
                );
                continue;
            };
            if let Some(mailbox) = self.machine.mailboxes.get_mut(id.index())
                && mailbox.object == Object::Open
            {
                mailbox.object = Object::Filed;
            }
            let (owner_mode, other_mode) = self.mode(fields);
            let owner = name(fields, "owner").map(|owner| self.user(owner.value));
            self.machine.files.push(File {
                path: declaration.name.value.as_str().into(),
                mailbox: id,
                owner,
                owner_mode,
                other_mode,
            });
        }
        self.machine.files.sort_by(|a, b| a.path.cmp(&b.path));
    }

    /// The first digit of a mode is the owner's, the last is everybody else's; there are no groups.
    fn mode(&mut self, fields: &Fields) -> (u8, u8) {
        let Some(mode) = name(fields, "mode") else { return (6, 6) };
        let digits = mode.value.strip_prefix('0').unwrap_or(mode.value).as_bytes();
        match digits {
            [owner @ b'0'..=b'7', b'0'..=b'7', other @ b'0'..=b'7'] => (owner - b'0', other - b'0'),
            _ => {
                self.found.push(
                    Diagnostic::new(
                        Code::Files,
                        mode.at,
                        format!("`{}` is not a mode", mode.value),
                    )
                    .label("expected three octal digits in quotes, such as \"0620\""),
                );
                (0, 0)
            }
        }
    }
}
