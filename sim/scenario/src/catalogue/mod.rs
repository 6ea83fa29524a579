//! The catalogue of diagnostics: a page for each, with an example and what it prints.
//!
//! The pages are what `ipcsim explain` shows. Their examples are tests: each is read, and what is
//! printed must be what the page says, byte for byte.

use crate::diagnostic::Code;

include!("pages.rs");

/// The first line of a page, without the code.
pub fn title(code: Code) -> &'static str {
    let first = page(code).lines().next().unwrap_or("");
    first.split_once(": ").map_or(first, |(_, title)| title)
}
