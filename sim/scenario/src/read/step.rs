//! Steps: a mapping with exactly one verb. Its other keys are that verb's.

use ipcsim_kernel::Outcome;

use super::Reader;
use crate::ast::{Arg, Fields, Flag, Handler, Step};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::place::Placed;
use crate::table::synonyms::{self, At};
use crate::table::{Key, Kind, Need, VERBS, Verb};
use crate::tree::{Node, Scalar, Style, Yaml};

/// After this many mistakes no more steps are read: somebody has given the wrong file.
const ENOUGH: usize = 1_000;

impl Reader {
    /// A list of steps that must not be empty.
    pub(super) fn steps(&mut self, key: &str, node: &Node) -> Option<Vec<Step>> {
        let steps = self.steps_or_none(key, node)?;
        if let Yaml::List(items) = &node.value
            && items.is_empty()
        {
            self.note(super::empty_program(node.at, key));
        }
        Some(steps)
    }

    /// A list of steps; an empty one is a way to do nothing.
    pub(super) fn steps_or_none(&mut self, key: &str, node: &Node) -> Option<Vec<Step>> {
        match &node.value {
            Yaml::List(items) => {
                let mut steps = Vec::new();
                for item in items {
                    if self.found.len() >= ENOUGH {
                        break;
                    }
                    steps.extend(self.step(item));
                }
                Some(steps)
            }
            Yaml::Scalar(scalar) if scalar.is_null() => {
                self.note(super::empty_program(node.at, key));
                None
            }
            Yaml::Map(_) => {
                self.note(
                    Diagnostic::new(
                        Code::WrongType,
                        node.at,
                        format!("`{key}` takes a list of steps, this is a mapping"),
                    )
                    .label("put `- ` in front of each step"),
                );
                None
            }
            other @ Yaml::Scalar(_) => {
                self.wrong_type(node.at, &format!("`{key}` takes a list of steps"), other);
                None
            }
        }
    }

    fn step(&mut self, node: &Node) -> Option<Step> {
        let entries = match &node.value {
            Yaml::Map(entries) => entries,
            // `- yield` is a step as well as `- yield:`.
            Yaml::Scalar(scalar) if scalar.style == Style::Plain && !scalar.is_null() => {
                return self.bare_step(scalar, node);
            }
            other => {
                self.wrong_type(node.at, "a step is a mapping such as `- send: hello`", other);
                return None;
            }
        };
        let verbs: Vec<(&Placed<String>, &'static Verb, &Node)> = entries
            .iter()
            .filter_map(|(key, value)| Some((key, Verb::find(&key.value)?, value)))
            .collect();
        let (key, verb, value) = match verbs[..] {
            [] => {
                self.no_verb(entries, node);
                return None;
            }
            [only] => only,
            [(first, ..), (second, ..), ..] => {
                self.note(
                    Diagnostic::new(
                        Code::SeveralVerbs,
                        second.at,
                        format!(
                            "this step has two verbs, `{}` and `{}`",
                            first.value, second.value
                        ),
                    )
                    .label(match (first.value.as_str(), second.value.as_str()) {
                        ("call", "reply") => "to keep the answer write `into:` and a variable",
                        _ => "put `- ` in front: every verb is a step of its own",
                    })
                    .related(first.at, "the first verb"),
                );
                return None;
            }
        };
        self.step_of(key, verb, value, entries)
    }

    fn step_of(
        &mut self,
        key: &Placed<String>,
        verb: &'static Verb,
        value: &Node,
        entries: &[(Placed<String>, Node)],
    ) -> Option<Step> {
        let mut complete = true;
        let mut fields = Fields::default();
        for (name, node) in entries {
            if name.at == key.at {
                continue;
            }
            let Some(known) = verb.all_keys().find(|known| known.name == name.value) else {
                self.unknown_step_key(name, verb);
                continue;
            };
            match self.argument(known.kind, known.name, node) {
                Some(arg) => {
                    fields.0.push((Placed::new(known.name, name.at), Placed::new(arg, node.at)));
                }
                None => complete = false,
            }
        }
        for required in verb.keys.iter().filter(|known| known.need == Need::Required) {
            if !entries.iter().any(|(name, _)| name.value == required.name) {
                complete = false;
                // A misspelt key has been reported already.
                let is_meant = |name: &str| super::is_or_means(name, required.name, verb.keys);
                if entries.iter().any(|(name, _)| name.at != key.at && is_meant(&name.value)) {
                    continue;
                }
                self.note(
                    Diagnostic::new(
                        Code::MissingKey,
                        key.at,
                        format!("`{}` needs `{}`", verb.name(), required.name),
                    )
                    .label(self.missing_in(verb, required, value)),
                );
            }
        }
        let operand = self.argument(verb.operand, verb.name(), value)?;
        if !complete {
            let keys = fields.0.iter().map(|(_, arg)| &arg.value);
            let names = [&operand].into_iter().chain(keys).filter_map(|arg| match arg {
                Arg::Name(name) => Some(name.clone()),
                _ => None,
            });
            self.lost.extend(names);
        }
        complete.then_some(Step {
            verb,
            at: key.at,
            operand: Placed::new(operand, value.at),
            fields,
        })
    }

    /// What to say about a key that a step lacks: perhaps it stands after the verb, as in `send: hello to P2`.
    fn missing_in(&self, verb: &Verb, key: &Key, value: &Node) -> String {
        let written = match &value.value {
            Yaml::Scalar(scalar) => scalar.text.split_once(&format!(" {} ", key.name)),
            _ => None,
        };
        match written {
            Some((operand, object)) if crate::word::is_name(object.trim()) => format!(
                "write `{}: {}` and `{}: {}` below it",
                verb.name(),
                operand.trim(),
                key.name,
                object.trim()
            ),
            _ => super::missing(key),
        }
    }

    fn unknown_step_key(&mut self, key: &Placed<String>, verb: &'static Verb) {
        if key.value == "when" && !verb.is_call() {
            self.note(
                Diagnostic::new(
                    Code::UnknownKey,
                    key.at,
                    format!("`{}` has no outcome to handle", verb.name()),
                )
                .label("`when` belongs to system calls"),
            );
            return;
        }
        // The words of files and sockets.
        let meant = match (verb.name(), key.value.as_str()) {
            ("write", "to") => Some("to send a message write `send: …`; `write` changes memory"),
            ("read", "from") => Some("to take a message write `receive: …`; `read` reads memory"),
            _ => None,
        };
        if let Some(meant) = meant {
            let what = format!("`{}` has no key `{}`", verb.name(), key.value);
            self.note(Diagnostic::new(Code::UnknownKey, key.at, what).label(meant));
            return;
        }
        let known: Vec<&str> = verb.all_keys().map(|known| known.name).collect();
        let what = format!("`{}`", verb.name());
        // Only keys are proposed here: with another verb the step would have two.
        self.unknown_key(key, At::StepKey, known.iter().copied(), &what);
    }

    fn bare_step(&mut self, scalar: &Scalar, node: &Node) -> Option<Step> {
        match Verb::find(&scalar.text) {
            Some(verb) if verb.operand != Kind::Nothing => {
                self.note(
                    Diagnostic::new(
                        Code::Null,
                        node.at,
                        format!("`{}` needs a value", verb.name()),
                    )
                    .label(format!("write `{}: …`", verb.name())),
                );
                None
            }
            Some(verb) => {
                let value = Placed::new(
                    Yaml::Scalar(Scalar { text: String::new(), style: Style::Plain }),
                    node.at,
                );
                let key = Placed::new(scalar.text.clone(), node.at);
                self.step_of(&key, verb, &value, &[])
            }
            None => {
                self.unknown_verb(&Placed::new(scalar.text.clone(), node.at));
                None
            }
        }
    }

    fn no_verb(&mut self, entries: &[(Placed<String>, Node)], node: &Node) {
        let verbs = || VERBS.iter().map(Verb::name);
        let is_meant =
            |key: &str| synonyms::meant(key, At::Verb).is_some() || nearest(key, verbs()).is_some();
        let guess = entries.iter().find(|(key, _)| is_meant(&key.value));
        match guess.or(entries.first()) {
            Some((key, _)) => self.unknown_verb(key),
            None => self.note(
                Diagnostic::new(Code::UnknownVerb, node.at, "this step is empty")
                    .label("write a verb, such as `send: hello`"),
            ),
        }
    }

    fn unknown_verb(&mut self, key: &Placed<String>) {
        let verbs = || VERBS.iter().map(Verb::name);
        let shown: String = key.value.chars().filter(|c| !c.is_control()).collect();
        let diagnostic =
            Diagnostic::new(Code::UnknownVerb, key.at, format!("no verb is called `{shown}`"))
                .did_you_mean_at(&key.value, At::Verb, verbs());
        // `- log hello` and `- log:hello` read as one word.
        let glued = verbs().find(|verb| {
            key.value.strip_prefix(verb).is_some_and(|rest| rest.starts_with([' ', ':']))
        });
        let diagnostic = match glued {
            Some(verb) => {
                let rest = key.value[verb.len()..].trim_start_matches([' ', ':']);
                let rest: String = rest.chars().filter(|c| !c.is_control()).collect();
                diagnostic.label(with_its_key(verb, &rest))
            }
            None => diagnostic,
        };
        if diagnostic.proposes() || self.has_listed_verbs == Flag::Yes {
            return self.note(diagnostic);
        }
        self.has_listed_verbs = Flag::Yes;
        let all = verbs().collect::<Vec<_>>().join(" ");
        self.note(diagnostic.help(format!("the verbs are {all}")));
    }

    pub(super) fn handlers(&mut self, node: &Node) -> Option<Vec<Handler>> {
        let entries = self.mapping(node, "`when`")?;
        let mut handlers = Vec::new();
        for (word, value) in entries {
            let Some(outcome) = Outcome::from_word(&word.value) else {
                let words = Outcome::ALL.iter().map(|outcome| outcome.word());
                let diagnostic = Diagnostic::new(
                    Code::UnknownOutcome,
                    word.at,
                    format!("no outcome is called `{}`", word.value),
                )
                .did_you_mean_at(&word.value, At::Outcome, words.clone());
                let all = words.collect::<Vec<_>>().join(" ");
                self.note(if diagnostic.proposes() {
                    diagnostic
                } else {
                    diagnostic.help(format!("the outcomes are {all}"))
                });
                continue;
            };
            if let Some(steps) = self.steps_or_none(&word.value, value) {
                handlers.push(Handler { outcome: Placed::new(outcome, word.at), steps });
            }
        }
        Some(handlers)
    }
}

/// What to write for a step that was written as a sentence: `receive m from P2`.
fn with_its_key(verb: &str, rest: &str) -> String {
    let key = match verb {
        "receive" => "from",
        "send" | "call" | "reply" => "to",
        _ => return format!("write `{verb}: {rest}`"),
    };
    match rest.split_once(&format!(" {key} ")) {
        Some((operand, object)) => {
            format!("write `{verb}: {operand}` and `{key}: {object}` below it")
        }
        None => format!("write `{verb}: {rest}`, and `{key}: …` below it"),
    }
}

impl Step {
    /// The handlers of its outcomes.
    pub fn handlers(&self) -> &[Handler] {
        match self.fields.get("when").map(|when| &when.value) {
            Some(Arg::Handlers(handlers)) => handlers,
            _ => &[],
        }
    }
}
