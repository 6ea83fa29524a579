//! The scenarios that are built into the program.

include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// A built-in scenario.
pub(crate) struct BuiltIn {
    /// The name of its file without the ending.
    pub name: &'static str,
    /// Its path in the repository.
    pub path: &'static str,
    /// What it says.
    pub text: &'static str,
}

/// The built-in scenario with this name.
pub(crate) fn find(name: &str) -> Option<&'static BuiltIn> {
    LIBRARY.iter().find(|built_in| built_in.name == name)
}

/// The name of the built-in scenario that is nearest to a wrong one.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    ipcsim_scenario::nearest(name, LIBRARY.iter().map(|built_in| built_in.name))
}
