//! The scenario language of ipcsim.
//!
//! [`load`] turns text into a scenario in the author's words, and that into a machine. Everything that
//! is wrong is collected as [`Diagnostic`]s, each with its place.
//!
//! This crate does no input or output, so nothing here can fail for another reason than the text.

pub mod ast;
mod compile;
mod diagnostic;
mod edit;
mod expr;
mod load;
mod place;
mod read;
pub mod table;
mod tree;
mod word;

pub use diagnostic::{Code, Diagnostic, Severity};
pub use load::{Change, Loaded, load};
pub use place::{Place, Placed, Source};
