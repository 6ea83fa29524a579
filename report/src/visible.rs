//! Whatever a scenario or the name of a file says, as something that can be seen.
//!
//! A terminal obeys control characters: it moves its cursor, changes its title and its colours, or hides
//! what it was sent. Others are not seen at all, or turn the direction of the text round. So all of them
//! are shown by their number, such as `\u{1b}`, before anything is printed.

/// A text in one line in which every character can be seen.
pub fn visible(text: &str) -> String {
    escaped(text, |_| false, |out, c| out.extend(c.escape_default()))
}

/// The same of several lines.
pub fn visible_lines(text: &str) -> String {
    escaped(text, |c| c == '\n', |out, c| out.extend(c.escape_default()))
}

/// The same of lines in which our own colours are. Texts of others must have become visible before they were
/// put in.
pub fn visible_in_colour(text: &str) -> String {
    const ESCAPE: char = '\u{1b}';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(ESCAPE) {
        out.push_str(&visible_lines(&rest[..at]));
        let end = colour(&rest[at..]).unwrap_or(0);
        out.push_str(&rest[at..at + end]);
        rest = &rest[at + end..];
        if end == 0 {
            out.push_str(&visible(&ESCAPE.to_string()));
            rest = &rest[ESCAPE.len_utf8()..];
        }
    }
    out.push_str(&visible_lines(rest));
    out
}

/// How long the colour is that this text begins with: `ESC [ 1 ; 31 m`.
fn colour(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    parameters[end..].starts_with('m').then_some("\u{1b}[".len() + end + 1)
}

/// JSON, with what cannot be seen as `\u202e`: it means the same.
pub fn visible_json(json: &str) -> String {
    escaped(
        json,
        |c| c == '\n',
        |out, c| {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        },
    )
}

/// Whether a character does something to a terminal, or cannot be seen in it: control characters, those that
/// turn the direction of the text round (the kinds `Bidi_Control` of Unicode), and those without width.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

fn escaped(text: &str, keeps: impl Fn(char) -> bool, escape: impl Fn(&mut String, char)) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) && !keeps(c) {
            escape(&mut out, c);
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\u{1b}]0;owned\u{7}\u{1b}[31m\u{9b}2J\u{202e}b\u{200b}c\r\n";

    #[test]
    fn every_character_can_be_seen() {
        let shown = visible(HOSTILE);
        let all = r"a\u{1b}]0;owned\u{7}\u{1b}[31m\u{9b}2J\u{202e}b\u{200b}c\r\n";
        assert_eq!(shown, all);
        assert_eq!(visible(&shown), all, "what can be seen stays as it is");
        assert!(visible_lines(HOSTILE).ends_with("\\r\n"));
    }

    #[test]
    fn only_colours_pass() {
        assert_eq!(visible_in_colour("\u{1b}[1;31mred\u{1b}[0m\n"), "\u{1b}[1;31mred\u{1b}[0m\n");
        assert_eq!(visible_in_colour("\u{1b}[2J\u{1b}]0;x\u{1b}"), r"\u{1b}[2J\u{1b}]0;x\u{1b}");
        assert_eq!(visible_in_colour("\u{1b}[31"), r"\u{1b}[31");
    }

    #[test]
    fn json_means_the_same() {
        let text = "\u{202e}\u{9b}\u{e0001}";
        let json = serde_json::to_string(text).expect("a text is JSON");
        let shown = visible_json(&json);
        assert_eq!(shown, r#""\u202e\u009b\udb40\udc01""#);
        assert_eq!(serde_json::from_str::<String>(&shown).expect("it is JSON"), text);
    }
}
