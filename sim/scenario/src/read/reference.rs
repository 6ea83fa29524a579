//! Names of objects: one, several, or computed.

use super::Reader;
use crate::ast::{Objects, Reference};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr;
use crate::place::{Place, Placed};
use crate::tree::{Node, Scalar, Style, Yaml};
use crate::word;

impl Reader {
    /// `box1`, `reply[2]`, `${m.sender}`.
    pub(super) fn reference(&mut self, node: &Node) -> Option<Reference> {
        let scalar = self.scalar(node, "a name")?;
        if expr::is_template(&scalar.text) {
            return expr::template(scalar, node.at, &mut self.found).map(Reference::Computed);
        }
        let at = match scalar.style {
            Style::Quoted if node.at.bytes().len() == scalar.text.len() + 2 => node.at.within(1..1),
            _ => node.at,
        };
        self.named(&scalar.text, at, node.at)
    }

    fn named(&mut self, text: &str, at: Place, whole: Place) -> Option<Reference> {
        let (name, index) = match text.split_once('[') {
            Some((name, rest)) if rest.ends_with(']') => (name, Some(&rest[..rest.len() - 1])),
            _ => (text, None),
        };
        if !word::is_name(name) {
            let shown: String = text.chars().filter(|c| !c.is_control()).collect();
            self.note(
                Diagnostic::new(Code::BadName, whole, format!("`{shown}` is not a name"))
                    .label("expected a name such as `box1` or `reply[2]`, or `${variable}`"),
            );
            return None;
        }
        let spelt = whole.bytes().len() >= text.len() && !text.contains('\n');
        let place = |from: usize, to: usize| if spelt { at.within(from..to) } else { whole };
        let index = match index {
            None => None,
            Some(index) => {
                let inside = Scalar { text: index.to_string(), style: Style::Plain };
                let at = place(name.len() + 1, name.len() + 1 + index.len());
                Some(expr::expression(&inside, at, &mut self.found)?)
            }
        };
        Some(Reference::Named { name: Placed::new(name.to_string(), place(0, name.len())), index })
    }

    pub(super) fn objects(&mut self, node: &Node) -> Option<Objects> {
        match &node.value {
            Yaml::Scalar(scalar) if scalar.text == "anyone" => Some(Objects::Anyone),
            Yaml::List(items) if items.is_empty() => {
                self.note(
                    Diagnostic::new(Code::WrongType, node.at, "this list is empty")
                        .label("name at least one source"),
                );
                None
            }
            Yaml::List(items) => {
                let items =
                    items.iter().map(|item| self.reference(item)).collect::<Option<Vec<_>>>()?;
                Some(Objects::Several(items))
            }
            _ => self.reference(node).map(Objects::One),
        }
    }
}
