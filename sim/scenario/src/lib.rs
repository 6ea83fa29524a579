//! The scenario language of ipcsim.
//!
//! [`load`] turns text into a scenario in the author's words, and that into a machine. All mistakes
//! are collected as [`Diagnostic`]s, each with its place.
//!
//! This crate does no input or output, so nothing here can fail for any reason but the text.

mod advice;
pub mod ast;
pub mod catalogue;
mod compile;
mod diagnostic;
mod edit;
mod expr;
mod lecture;
mod load;
mod personality;
mod place;
mod read;
pub mod reference;
mod remedy;
mod schema;
pub mod table;
mod tree;
mod word;

pub use diagnostic::{Code, Diagnostic, Severity, nearest};
pub use lecture::{SLIDES, slide_order};
pub use load::{Case, Claims, Expect, LoadOptions, Loaded, fixed, load};
pub use place::{Place, Placed, Source};
pub use remedy::{Remedy, Sort, remedies};
pub use schema::schema;

/// The nanoseconds of a duration as scenarios write it, such as `5ms`.
pub fn parse_duration(text: &str) -> Option<u64> {
    match word::literal(text) {
        Ok(word::Literal::Duration(ns)) => Some(ns),
        _ => None,
    }
}

/// The bytes of a size as scenarios write it, such as `4KiB`.
pub fn parse_size(text: &str) -> Option<u64> {
    match word::literal(text) {
        Ok(word::Literal::Size(bytes)) => Some(bytes),
        _ => None,
    }
}

/// A text as it was read, in one line, with scalars as they are written: for comparing two readers.
///
/// Errors: the text is not YAML, or has what scenarios may not have.
pub fn outline(text: &str) -> Result<String, Vec<Diagnostic>> {
    Ok(tree::outline(&tree::parse(text, 0)?))
}
