//! Memory in the steps of a program: regions that are allocated, read and written, and what a message carries of them.

use ipcsim_kernel::program::{
    AccessKind, MemoryAccess, MemoryVerb, Op, PageOf, Transfer, TransferMode, Verb, WhichPages,
};
use ipcsim_kernel::{Handle, Value};

use super::{Failed, Unit};
use crate::ast::{Arg, Fields, Objects, Reference, Step};
use crate::compile::resolve::{Allow, Compiled};
use crate::compile::settings::word;
use crate::diagnostic::{Code, Diagnostic};
use crate::place::Place;

impl Unit<'_> {
    pub(super) fn allocate(&mut self, step: &Step) -> Result<Verb, Failed> {
        let fields = &step.fields;
        let size = self.field_expr(fields, "size")?;
        if size == Compiled::int(0) {
            let at = fields.get("size").map_or(step.at, |arg| arg.at);
            let diagnostic = Diagnostic::new(Code::Memory, at, "a region has at least one page")
                .label("write a size above 0 B");
            return Err(Box::new(diagnostic));
        }
        let value = match fields.get("value") {
            Some(_) => self.page_value(fields)?,
            None => Compiled::Constant(Value::None),
        };
        Ok(Verb::Memory(MemoryVerb::Allocate { into: self.operand_register(step), size, value }))
    }

    pub(super) fn free(&mut self, step: &Step) -> Result<Verb, Failed> {
        Ok(Verb::Memory(MemoryVerb::Free(self.operand_region(step)?)))
    }

    pub(super) fn lock(&mut self, step: &Step) -> Result<Verb, Failed> {
        let (page, wait) = (self.page_of(step)?, self.wait(&step.fields)?);
        Ok(Verb::Memory(MemoryVerb::Lock { page, wait }))
    }

    pub(super) fn unlock(&mut self, step: &Step) -> Result<Verb, Failed> {
        Ok(Verb::Memory(MemoryVerb::Unlock(self.page_of(step)?)))
    }

    /// The page that is locked.
    fn page_of(&mut self, step: &Step) -> Result<PageOf, Failed> {
        let region = self.operand_region(step)?;
        let page = self.page(&step.fields, "page")?.unwrap_or(Compiled::int(0));
        Ok(PageOf { region, page })
    }

    pub(super) fn read(&mut self, step: &Step) -> Result<(), Failed> {
        let region = self.operand_region(step)?;
        let page = self.page(&step.fields, "page")?.unwrap_or(Compiled::int(0));
        let into = self.register_of_into(&step.fields);
        self.access(MemoryAccess { region, kind: AccessKind::Read { page, into } });
        Ok(())
    }

    pub(super) fn write(&mut self, step: &Step) -> Result<(), Failed> {
        let fields = &step.fields;
        let region = self.operand_region(step)?;
        if let (Some(page), Some(pages)) = (fields.key("page"), fields.key("pages")) {
            let diagnostic = Diagnostic::new(Code::Memory, pages, "one page, or the first few?")
                .label("leave out one of the two")
                .related(page, "the other is here");
            return Err(Box::new(diagnostic));
        }
        let pages = match (self.page(fields, "page")?, self.page(fields, "pages")?) {
            (Some(page), _) => WhichPages::One(page),
            (None, Some(count)) => WhichPages::First(count),
            (None, None) => WhichPages::All,
        };
        let value = self.page_value(fields)?;
        self.access(MemoryAccess { region, kind: AccessKind::Write { pages, value } });
        Ok(())
    }

    fn access(&mut self, access: MemoryAccess) {
        self.emit(Op::Access(Box::new(access)));
    }

    /// What a page will say.
    fn page_value(&mut self, fields: &Fields) -> Result<Compiled, Failed> {
        let value = self.field_expr(fields, "value")?;
        if let Compiled::Constant(constant) = &value
            && constant.clone().for_a_page().is_err()
        {
            let at = fields.get("value").map_or_else(Place::default, |arg| arg.at);
            let diagnostic = Diagnostic::new(Code::Memory, at, "a page cannot hold this")
                .label("an integer, a truth value, `none` or a text of up to 64 bytes");
            return Err(Box::new(diagnostic));
        }
        Ok(value)
    }

    /// The number of a page, or of pages.
    fn page(&mut self, fields: &Fields, key: &str) -> Result<Option<Compiled>, Failed> {
        let page = self.optional(fields, key)?;
        if let Some(Compiled::Constant(Value::Int(..0))) = page {
            let at = fields.get(key).map_or_else(Place::default, |arg| arg.at);
            let diagnostic = Diagnostic::new(Code::Memory, at, "pages are counted from 0")
                .label("there are none below 0");
            return Err(Box::new(diagnostic));
        }
        Ok(page)
    }

    fn operand_region(&mut self, step: &Step) -> Result<Compiled, Failed> {
        match &step.operand.value {
            Arg::Objects(Objects::One(reference)) => self.region(reference),
            other => unreachable!("`{}` takes a region, not {other:?}", step.verb.name()),
        }
    }

    fn region(&mut self, reference: &Reference) -> Result<Compiled, Failed> {
        let region = self.reference(reference, Allow::OneObject)?;
        let what = match &region {
            Compiled::Constant(Value::Handle(Handle::Mailbox(_) | Handle::File { .. }))
            | Compiled::MailboxMember { .. } => "a mailbox or a port",
            Compiled::Constant(Value::Handle(Handle::Process(_)))
            | Compiled::ProcessMember(..)
            | Compiled::Me => "a process",
            _ => return Ok(region),
        };
        Err(Box::new(
            Diagnostic::new(
                Code::Memory,
                reference.at(),
                format!("memory is needed here, and this is {what}"),
            )
            .label("name the variable of a region")
            .help("`allocate: buf` with `size: 4KiB` makes one"),
        ))
    }

    /// The memory that a message carries.
    pub(super) fn transfers(&mut self, fields: &Fields) -> Result<Vec<Transfer>, Failed> {
        let Some(Arg::Tables(tables)) = fields.get("memory").map(|arg| &arg.value) else {
            return Ok(Vec::new());
        };
        let mut transfers = Vec::with_capacity(tables.len());
        for fields in tables {
            // One without a region has been reported.
            let Some(Arg::Objects(Objects::One(reference))) =
                fields.get("region").map(|arg| &arg.value)
            else {
                continue;
            };
            let region = self.region(reference)?;
            let mode = match word(fields, "transfer") {
                Some("copy") => TransferMode::Copy,
                Some("move") => TransferMode::Move,
                Some("share") => TransferMode::Share,
                _ => TransferMode::CopyOnWrite,
            };
            transfers.push(Transfer { region, mode });
        }
        Ok(transfers)
    }
}
