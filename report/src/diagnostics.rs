//! Diagnostics in text: the long form with the line underlined, a short one, and JSON.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use ipcsim_scenario::{Diagnostic, Severity, Source};
use serde_json::{Value, json};

use crate::visible::{visible, visible_in_colour, visible_json, visible_lines};

/// How diagnostics are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// For people: the line, underlined, with help. Without colour.
    Plain,
    /// The same with colour.
    Coloured,
    /// One line each: `file:line:column: error[IPC014]: …`.
    Short,
    /// One JSON object each.
    Json,
}

/// A diagnostic as text, with a line break at the end.
pub fn render(diagnostic: &Diagnostic, sources: &[Source], style: Style) -> String {
    let source = &sources[(diagnostic.at.source as usize).min(sources.len() - 1)];
    match style {
        Style::Plain => {
            long(diagnostic, sources, &Renderer::plain().decor_style(DecorStyle::Ascii))
        }
        Style::Coloured => {
            long(diagnostic, sources, &Renderer::styled().decor_style(DecorStyle::Ascii))
        }
        Style::Short => short(diagnostic, source),
        Style::Json => visible_json(&format!("{}\n", object(diagnostic, sources))),
    }
}

fn long(diagnostic: &Diagnostic, sources: &[Source], renderer: &Renderer) -> String {
    let source = &sources[(diagnostic.at.source as usize).min(sources.len() - 1)];
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let code = diagnostic.code.label();
    // The text of the file is made visible by the renderer, and by us where it leaves something.
    let (label, message) = (visible(&diagnostic.label), visible(&diagnostic.message));
    let (name, help) = (visible(&source.name), diagnostic.help.as_deref().map(visible_lines));
    let related = diagnostic.related.as_ref().map(|(at, what)| (at, visible(what)));
    let mut primary =
        AnnotationKind::Primary.span(clamp(diagnostic.at.bytes(), text(diagnostic, sources)));
    if !label.is_empty() {
        primary = primary.label(label.as_str());
    }
    let mut snippet = Snippet::source(source.text.as_ref()).path(name.as_str()).annotation(primary);
    if let Some((at, what)) = &related
        && at.source == diagnostic.at.source
    {
        let context = AnnotationKind::Context.span(clamp(at.bytes(), &source.text));
        snippet = snippet.annotation(context.label(what.as_str()));
    }
    let title = level.primary_title(message.as_str()).id(code.as_str());
    let mut group = Group::with_title(title).element(snippet);
    if let Some(help) = &help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    visible_in_colour(&format!("{}\n", renderer.render(&[group])))
}

fn text<'a>(diagnostic: &Diagnostic, sources: &'a [Source]) -> &'a str {
    &sources[(diagnostic.at.source as usize).min(sources.len() - 1)].text
}

/// A span inside the text, on the borders of characters.
fn clamp(bytes: std::ops::Range<usize>, text: &str) -> std::ops::Range<usize> {
    let mut start = bytes.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = bytes.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

fn severity(diagnostic: &Diagnostic) -> &'static str {
    match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn short(diagnostic: &Diagnostic, source: &Source) -> String {
    let (line, column) = source.line_and_column(diagnostic.at.bytes().start);
    let label = match diagnostic.label.as_str() {
        "" => String::new(),
        label => format!(" ({})", visible(label)),
    };
    format!(
        "{}:{line}:{column}: {}[{}]: {}{label}\n",
        visible(&source.name),
        severity(diagnostic),
        diagnostic.code.label(),
        visible(&diagnostic.message),
    )
}

/// A diagnostic as a JSON object.
pub fn object(diagnostic: &Diagnostic, sources: &[Source]) -> Value {
    let source = &sources[(diagnostic.at.source as usize).min(sources.len() - 1)];
    let (line, column) = source.line_and_column(diagnostic.at.bytes().start);
    let (end_line, end_column) = source.line_and_column(diagnostic.at.bytes().end);
    json!({
        "code": diagnostic.code.label(),
        "severity": severity(diagnostic),
        "file": source.name.as_ref(),
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "message": diagnostic.message,
        "label": diagnostic.label,
        "help": diagnostic.help,
    })
}
