//! Diagnostics: the author's mistakes, each with its place, what is wrong and what to write instead.

use crate::place::Place;
use crate::table::synonyms::{self, At};

/// A mistake in a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which mistake: the key of its page in the catalogue.
    pub code: Code,
    /// Whether the scenario can run nevertheless.
    pub severity: Severity,
    /// Where it is.
    pub at: Place,
    /// What is wrong, as one sentence without a full stop.
    pub message: String,
    /// What stands next to the underlined text: what to write instead, or why it is wrong.
    pub label: String,
    /// Another relevant place, and what it is.
    pub related: Option<(Place, String)>,
    /// More help, a sentence.
    pub help: Option<String>,
    /// Whether the label says what was probably meant.
    advice: Advice,
}

/// Whether it is known what an author probably meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Advice {
    Given,
    None,
}

/// Whether a scenario with this diagnostic can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can; the author probably meant something else.
    Warning,
}

macro_rules! codes {
    ($($name:ident = $number:literal, $severity:ident;)+) => {
        /// The number of a diagnostic.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each has a page in the catalogue")]
        pub enum Code { $($name = $number),+ }

        impl Code {
            /// Every code, in order.
            pub const ALL: &[Code] = &[$(Code::$name),+];

            fn severity(self) -> Severity {
                match self { $(Code::$name => Severity::$severity),+ }
            }
        }
    };
}

codes! {
    Syntax = 1, Error;
    NotText = 2, Error;
    NotAScenario = 3, Error;
    DuplicateKey = 4, Error;
    Tag = 5, Error;
    TooMuch = 6, Error;
    Null = 7, Error;
    SwallowedByComment = 8, Error;
    SeveralDocuments = 9, Error;
    UnknownKey = 10, Error;
    UnknownVerb = 11, Error;
    SeveralVerbs = 12, Error;
    MissingKey = 13, Error;
    UnknownName = 14, Error;
    UnknownVariable = 15, Error;
    WrongType = 16, Error;
    BadUnit = 17, Error;
    UnknownWord = 18, Error;
    OutOfRange = 19, Error;
    BadName = 20, Error;
    NameTwice = 21, Error;
    UsedBeforeSet = 22, Error;
    Expression = 23, Error;
    Family = 24, Error;
    UnknownOutcome = 25, Error;
    HandlerCannotFire = 26, Warning;
    Unreachable = 27, Warning;
    EmptyProgram = 28, Error;
    OutsideLoop = 29, Error;
    LooksLikeName = 30, Warning;
    Parameter = 31, Error;
    BadClaim = 32, Error;
    BadPath = 33, Error;
    TooManyThreads = 34, Error;
    NameServers = 35, Error;
    Files = 36, Error;
    UnknownField = 37, Error;
    Arguments = 38, Error;
    Flow = 39, Error;
    Ports = 40, Error;
    Types = 41, Warning;
    Forwarded = 42, Warning;
    Memory = 43, Error;
    Descriptors = 44, Error;
    Unheeded = 45, Warning;
}

impl Code {
    /// The code as it is printed: `IPC014`.
    pub fn label(self) -> String {
        format!("IPC{:03}", self as u32)
    }

    /// The code with this label: `IPC014`, in upper or lower case, or only its number.
    pub fn from_label(label: &str) -> Option<Self> {
        let label = label.to_ascii_uppercase();
        let number: u32 = label.strip_prefix("IPC").unwrap_or(&label).parse().ok()?;
        Self::ALL.iter().copied().find(|code| *code as u32 == number)
    }
}

impl Diagnostic {
    /// A mistake at a place.
    pub fn new(code: Code, at: Place, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            at,
            message: message.into(),
            label: String::new(),
            related: None,
            help: None,
            advice: Advice::None,
        }
    }

    /// Says next to the underlined text what to write instead.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds a sentence of help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Shows another place.
    #[must_use]
    pub fn related(mut self, at: Place, what: impl Into<String>) -> Self {
        self.related = Some((at, what.into()));
        self
    }

    /// Proposes the nearest of the words that would have been right; if none is near, lists them if
    /// they are few.
    #[must_use]
    pub fn did_you_mean<'a>(self, wrong: &str, right: impl IntoIterator<Item = &'a str>) -> Self {
        const FEW: usize = 8;
        let right: Vec<&str> = right.into_iter().collect();
        let label = match (nearest(wrong, right.iter().copied()), &right[..]) {
            (Some(word), _) => {
                let label = format!("did you mean `{word}`?");
                return Self { advice: Advice::Given, ..self.label(label) };
            }
            (None, []) => return self,
            (None, few) if few.len() <= FEW => {
                let list: Vec<String> = few.iter().map(|word| format!("`{word}`")).collect();
                format!("expected {}", list.join(", "))
            }
            (None, _) => "unknown here".to_string(),
        };
        self.label(label)
    }

    /// Like [`Diagnostic::did_you_mean`], where people bring words from elsewhere: what these mean here
    /// takes precedence over similar letters.
    #[must_use]
    pub fn did_you_mean_at<'a>(
        self,
        wrong: &str,
        at: At,
        right: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        match synonyms::meant(wrong, at) {
            Some(write) => Self { advice: Advice::Given, ..self.label(write) },
            None => self.did_you_mean(wrong, right),
        }
    }

    /// Whether it already says what to write instead.
    pub fn proposes(&self) -> bool {
        self.advice == Advice::Given
    }

    /// Says this next to the underlined text, unless a word has been proposed there.
    #[must_use]
    pub fn otherwise(self, label: impl Into<String>) -> Self {
        if self.proposes() { self } else { self.label(label) }
    }
}

/// The word nearest to a wrong one, if any is near enough to be meant.
pub fn nearest<'a>(wrong: &str, right: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (wrong.chars().count() / 3).max(1);
    let plain = |word: &str| word.to_lowercase().replace(['-', '_'], "");
    let right: Vec<&str> = right.into_iter().collect();
    let mut best: Option<(usize, &str)> = None;
    for word in right.iter().copied().filter(|word| *word != wrong) {
        let distance =
            if plain(word) == plain(wrong) { 0 } else { strsim::damerau_levenshtein(wrong, word) };
        // A word of one letter is near to every other.
        let is_near = distance <= limit && distance < wrong.chars().count();
        if is_near && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, word));
        }
    }
    best.map(|(_, word)| word).or_else(|| cut_short(wrong, &right))
}

/// The one word that begins with what was written.
fn cut_short<'a>(written: &str, right: &[&'a str]) -> Option<&'a str> {
    const LETTERS: usize = 3;
    let mut whole = right.iter().filter(|word| word.starts_with(written) && **word != written);
    let word = whole.next()?;
    (written.chars().count() >= LETTERS && whole.next().is_none()).then_some(*word)
}
