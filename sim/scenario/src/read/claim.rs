//! Claims: what a scenario expects of its run and of its schedules.

use super::Reader;
use crate::ast::{BlockedName, Claim, HowMany, Over, What};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr;
use crate::place::Placed;
use crate::table::synonyms::At;
use crate::table::{MEASURES, Measure, SCHEDULE_OUTCOMES, Unit, find_measure};
use crate::tree::{Node, Yaml};
use crate::word::{self, Literal};

const OVERS: [(&str, Over); 3] = [
    ("run", Over::Run),
    ("every-schedule", Over::EverySchedule),
    ("some-schedule", Over::SomeSchedule),
];
const BESIDE: [&str; 4] = ["blocked", "with", "because", "within"];

impl Reader {
    pub(super) fn claims(&mut self, node: &Node) -> Vec<Claim> {
        match &node.value {
            Yaml::List(items) => items.iter().filter_map(|item| self.claim(item)).collect(),
            other => {
                self.wrong_type(node.at, "`expect` is a list of claims", other);
                Vec::new()
            }
        }
    }

    fn claim(&mut self, node: &Node) -> Option<Claim> {
        let entries = self.mapping(node, "a claim")?;
        let mut claimed =
            entries.iter().filter_map(|(key, value)| Some((key, over(&key.value)?, value)));
        let Some((key, over, value)) = claimed.next() else {
            let at = entries.first().map_or(node.at, |(key, _)| key.at);
            let wrong = entries.first().map_or("", |(key, _)| key.value.as_str());
            let diagnostic = Diagnostic::new(
                Code::BadClaim,
                at,
                "a claim says `run`, `every-schedule` or `some-schedule`",
            )
            .did_you_mean_at(wrong, At::Claim, OVERS.iter().map(|(word, _)| *word));
            self.note(diagnostic);
            return None;
        };
        if let Some((second, ..)) = claimed.next() {
            self.note(
                Diagnostic::new(Code::BadClaim, second.at, "this claim says two things")
                    .label("put `- ` in front: each is a claim of its own")
                    .related(key.at, "the first"),
            );
            return None;
        }
        let what = self.what(over, value);
        let mut claim = Claim {
            at: key.at,
            said: said(entries),
            over,
            what: what?,
            blocked: None,
            with: Vec::new(),
            because: None,
            within: None,
        };
        for (name, value) in entries.iter().filter(|(name, _)| name.at != key.at) {
            self.beside(&mut claim, name, value);
        }
        Some(claim)
    }

    fn beside(&mut self, claim: &mut Claim, name: &Placed<String>, value: &Node) {
        match name.value.as_str() {
            "blocked" => claim.blocked = self.blocked(value),
            "with" => {
                if let Some(entries) = self.mapping(value, "`with`") {
                    claim.with = entries.to_vec();
                }
            }
            "because" => claim.because = self.prose(value).map(|text| text.value),
            "within" => {
                let number =
                    self.scalar(value, "a number of states").map(|scalar| scalar.text.parse());
                match number {
                    Some(Ok(states)) if states > 0 && claim.over != Over::Run => {
                        claim.within = Some(states);
                    }
                    Some(_) => self.note(
                        Diagnostic::new(
                            Code::BadClaim,
                            value.at,
                            "`within` takes a number of states from 1, of a claim over schedules",
                        )
                        .label("not such a number"),
                    ),
                    None => {}
                }
            }
            _ => {
                let known = BESIDE.iter().copied();
                self.unknown_key(name, At::Claim, known, "a claim");
            }
        }
    }

    fn what(&mut self, over: Over, node: &Node) -> Option<What> {
        match &node.value {
            Yaml::Scalar(scalar) if scalar.is_null() => {
                self.scalar(node, "an outcome, or a claim such as `logs`");
                None
            }
            Yaml::Scalar(scalar) => {
                if let Some(outcome) = SCHEDULE_OUTCOMES.iter().find(|word| **word == scalar.text) {
                    return Some(What::Outcome(outcome));
                }
                let diagnostic = Diagnostic::new(
                    Code::BadClaim,
                    node.at,
                    format!("`{}` is not an outcome", scalar.text),
                )
                .did_you_mean_at(&scalar.text, At::Ending, SCHEDULE_OUTCOMES.iter().copied())
                .help(format!("the outcomes are {}", SCHEDULE_OUTCOMES.join(" ")));
                self.note(diagnostic);
                None
            }
            Yaml::Map(entries) => match &entries[..] {
                [(key, value)] => self.table_claim(over, key, value),
                [] => {
                    self.note(Diagnostic::new(Code::BadClaim, node.at, "this claim says nothing"));
                    None
                }
                _ => {
                    self.note(
                        Diagnostic::new(Code::BadClaim, node.at, "a claim says one thing")
                            .label("write one claim for each"),
                    );
                    None
                }
            },
            other @ Yaml::List(_) => {
                self.wrong_type(node.at, "a claim is an outcome or a mapping", other);
                None
            }
        }
    }

    fn table_claim(&mut self, over: Over, key: &Placed<String>, value: &Node) -> Option<What> {
        match (over, key.value.as_str()) {
            (Over::EverySchedule, "always") => Some(What::Always(self.condition(value)?)),
            (Over::EverySchedule | Over::SomeSchedule, "eventually") => {
                Some(What::Eventually(self.condition(value)?))
            }
            (Over::EverySchedule, "never") => self.never(value),
            (_, "logs") => Some(What::Logs(self.logs(value)?)),
            (Over::Run, "at-most") => Some(What::AtMost(self.bounds(value)?)),
            (Over::Run, "at-least") => Some(What::AtLeast(self.bounds(value)?)),
            _ => {
                let right: &[&str] = match over {
                    Over::Run => &["at-most", "at-least", "logs"],
                    Over::EverySchedule => &["always", "eventually", "never", "logs"],
                    Over::SomeSchedule => &["eventually", "logs"],
                };
                let diagnostic = Diagnostic::new(
                    Code::BadClaim,
                    key.at,
                    format!("this kind of claim has no `{}`", key.value),
                )
                .did_you_mean_at(&key.value, At::Claim, right.iter().copied())
                .otherwise("unknown here");
                self.note(diagnostic.help(
                    "`run` takes an outcome, `at-most`, `at-least` or `logs`; `every-schedule` an outcome, `always`, `eventually`, `never` or `logs`; `some-schedule` an outcome, `eventually` or `logs`",
                ));
                None
            }
        }
    }

    /// One outcome that must not come, or a list of them.
    fn never(&mut self, node: &Node) -> Option<What> {
        let nodes = match &node.value {
            Yaml::List(items) => &items[..],
            _ => std::slice::from_ref(node),
        };
        if nodes.is_empty() {
            self.note(Diagnostic::new(Code::BadClaim, node.at, "no outcome is excluded here"));
            return None;
        }
        let outcomes = nodes.iter().map(|node| match self.what(Over::EverySchedule, node)? {
            What::Outcome(word) if matches!(node.value, Yaml::Scalar(_)) => Some(word),
            _ => {
                self.wrong_type(
                    node.at,
                    "`never` takes an outcome, or a list of them",
                    &node.value,
                );
                None
            }
        });
        Some(What::Never(outcomes.collect::<Option<_>>()?))
    }

    /// A list of lines, or `any-of:` several such lists.
    fn logs(&mut self, node: &Node) -> Option<Vec<Vec<String>>> {
        match &node.value {
            Yaml::Map(entries) => match &entries[..] {
                [(key, value)] if key.value == "any-of" => match &value.value {
                    Yaml::List(lists) if lists.is_empty() => {
                        self.note(Diagnostic::new(
                            Code::BadClaim,
                            value.at,
                            "the log cannot be one of no lists",
                        ));
                        None
                    }
                    Yaml::List(lists) => lists.iter().map(|list| self.lines(list)).collect(),
                    other => {
                        self.wrong_type(value.at, "`any-of` is a list of lists of lines", other);
                        None
                    }
                },
                _ => {
                    let wrong =
                        entries.iter().map(|(key, _)| key).find(|key| key.value != "any-of");
                    let diagnostic = Diagnostic::new(
                        Code::BadClaim,
                        wrong.map_or(node.at, |key| key.at),
                        "`logs` takes a list of lines, or `any-of` and a list of such lists",
                    );
                    let wrong = wrong.map_or("", |key| key.value.as_str());
                    self.note(diagnostic.did_you_mean(wrong, ["any-of"]));
                    None
                }
            },
            _ => Some(vec![self.lines(node)?]),
        }
    }

    fn lines(&mut self, node: &Node) -> Option<Vec<String>> {
        match &node.value {
            Yaml::List(items) => items
                .iter()
                .map(|item| {
                    if let Yaml::List(_) = item.value {
                        let diagnostic = Diagnostic::new(
                            Code::WrongType,
                            item.at,
                            "expected a line of the log, not a list",
                        )
                        .label("this is a list")
                        .help("several orders are written `logs: {any-of: [[a, b], [b, a]]}`");
                        self.note(diagnostic);
                        return None;
                    }
                    Some(self.scalar(item, "a line of the log")?.text.clone())
                })
                .collect(),
            other => {
                self.wrong_type(node.at, "lines of the log are a list", other);
                None
            }
        }
    }

    fn bounds(&mut self, node: &Node) -> Option<Vec<(&'static str, u64)>> {
        let entries = self.mapping(node, "a bound")?;
        let mut bounds = Vec::new();
        for (key, value) in entries {
            let Some(measure) = find_measure(&key.value) else {
                let names = MEASURES.iter().map(|measure| measure.name);
                self.unknown_key(key, At::Claim, names, "a bound");
                continue;
            };
            let scalar = self.scalar(value, "a bound")?;
            let literal = expr::plain_literal(&scalar.text, value.at, &mut self.found)?;
            let number = match (measure.unit, literal) {
                (Unit::Duration, Literal::Duration(ns)) => Some(ns),
                (Unit::Size, Literal::Size(bytes)) => Some(bytes),
                (Unit::Number, Literal::Int(count)) => u64::try_from(count).ok(),
                _ => None,
            };
            let Measure { name: measure, unit, .. } = measure;
            match number {
                Some(number) => bounds.push((*measure, number)),
                None => {
                    let unit = match unit {
                        Unit::Duration => "a duration such as `10ms`",
                        Unit::Size => "a size such as `4KiB`",
                        Unit::Number => "a number from 0",
                    };
                    self.note(
                        Diagnostic::new(
                            Code::BadClaim,
                            value.at,
                            format!("`{measure}` takes {unit}"),
                        )
                        .label(format!("expected {unit}")),
                    );
                }
            }
        }
        Some(bounds)
    }

    fn blocked(&mut self, node: &Node) -> Option<Vec<BlockedName>> {
        let Yaml::List(items) = &node.value else {
            self.wrong_type(node.at, "`blocked` is a list of processes", &node.value);
            return None;
        };
        Some(items.iter().filter_map(|item| self.blocked_name(item)).collect())
    }

    fn blocked_name(&mut self, node: &Node) -> Option<BlockedName> {
        let text = self.scalar(node, "a process")?.text.clone();
        let (inner, how_many) =
            match text.strip_prefix("any(").and_then(|rest| rest.strip_suffix(')')) {
                Some(inner) => (inner, HowMany::Any),
                None => (text.as_str(), HowMany::All),
            };
        let (name, member) = match inner.split_once('[') {
            Some((name, rest)) => {
                (name, Some(rest.strip_suffix(']').and_then(|index| index.parse::<u32>().ok())))
            }
            None => (inner, None),
        };
        if !word::is_name(name) || member == Some(None) {
            self.note(
                Diagnostic::new(Code::BadName, node.at, format!("`{text}` is not a process"))
                    .label("expected `P1`, `clients`, `clients[2]` or `any(clients)`"),
            );
            return None;
        }
        let name = Placed::new(name.to_string(), node.at);
        Some(BlockedName { name, member: member.flatten(), how_many })
    }
}

/// A claim as it reads in one line: its keys in the order of the file, except the reason.
fn said(entries: &[(Placed<String>, Node)]) -> String {
    let shown = entries.iter().filter(|(key, _)| key.value != "because");
    let parts: Vec<String> =
        shown.map(|(key, value)| format!("{}: {}", key.value, in_one_line(value, 0))).collect();
    parts.join(", ")
}

fn in_one_line(node: &Node, depth: usize) -> String {
    // A change may be a whole list of steps.
    const DEEPEST: usize = 4;
    match &node.value {
        Yaml::Scalar(scalar) => scalar.text.clone(),
        _ if depth > DEEPEST => "…".into(),
        Yaml::List(items) => {
            let items: Vec<String> = items.iter().map(|it| in_one_line(it, depth + 1)).collect();
            format!("[{}]", items.join(", "))
        }
        Yaml::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", key.value, in_one_line(value, depth + 1)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

fn over(word: &str) -> Option<Over> {
    OVERS.iter().find(|(name, _)| *name == word).map(|(_, over)| *over)
}
