//! The kernel's objects: the data of each, and its own rules.
//!
//! Objects never see threads' programs, oracles or sinks. They answer what *would* happen and do as
//! told; `step` is where they meet.

pub mod filter;
pub mod inbox;
pub mod mailbox;
pub mod memory;
pub mod port;
pub mod port_set;
pub mod queue;
pub mod room;
pub mod space;
pub mod stream;
