//! A scenario as it was loaded.

use ipcsim_check::{Judgement, Subject, judge, result};
use ipcsim_kernel::Machine;
use ipcsim_scenario::ast::Claim;
use ipcsim_scenario::{Expect, LoadOptions, Loaded, load};

use crate::Budget;

/// A scenario that was loaded, and how it was named.
pub struct Session {
    file: String,
    name: String,
    bytes: Vec<u8>,
    options: LoadOptions,
    loaded: Loaded,
}

impl Session {
    /// Loads a scenario. What is wrong with it is in [`Session::loaded`], and in [`Session::found`].
    pub fn load(file: &str, bytes: Vec<u8>, options: LoadOptions) -> Self {
        Self::load_as(file, file, bytes, options)
    }

    /// The same for a scenario whose name in messages differs from the one it was requested by.
    pub fn load_as(file: &str, name: &str, bytes: Vec<u8>, options: LoadOptions) -> Self {
        let loaded = load(name, &bytes, &options);
        Self { file: file.into(), name: name.into(), bytes, options, loaded }
    }

    /// How it was requested: a path, or the name of a built-in scenario.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Its name in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The original text.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The changes that were made to it.
    pub fn sets(&self) -> &[String] {
        &self.options.sets
    }

    /// The file with its claims, if they are not its own.
    pub fn expect(&self) -> Option<&Expect> {
        self.options.expect.as_ref()
    }

    /// The author's text, the machine made from it, and what is wrong with it.
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// The machine made from it; `None` if it has errors.
    pub fn machine(&self) -> Option<&Machine> {
        self.loaded.machine.as_ref()
    }

    /// The title of the scenario; without one, its name.
    pub fn title(&self) -> String {
        let title = self.loaded.scenario.title.as_ref();
        title.map_or_else(|| self.name.clone(), |title| title.value.clone())
    }

    /// What is known before any query: its title, and what is wrong with it.
    pub fn found(&self) -> result::Scenario {
        result::Scenario::of(&self.subject(), self.title())
    }

    /// The subject of conclusions.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            loaded: &self.loaded,
            file: &self.file,
            bytes: &self.bytes,
            sets: &self.options.sets,
            max_threads: self.options.max_threads,
            expect: self.options.expect.as_ref(),
        }
    }

    /// The author's claims.
    pub fn claims(&self) -> &[Claim] {
        &self.loaded.scenario.claims
    }

    /// The line of a claim.
    pub fn line_of(&self, claim: &Claim) -> usize {
        let source = &self.loaded.sources[claim.at.source as usize];
        source.line_and_column(claim.at.bytes().start).0
    }

    /// Judges the claim with this number.
    pub fn check(&self, number: usize, budget: &Budget) -> Judgement {
        judge(&self.subject(), number, budget)
    }

    /// The judgement of a claim, as plain data.
    pub fn found_of(&self, number: usize, judgement: &Judgement) -> result::ClaimFound {
        let claim = &self.claims()[number];
        result::of_claim(self.line_of(claim), claim.said.clone(), judgement)
    }
}
