//! Single words: what an unquoted scalar looks like, and which names are valid.

/// What an unquoted scalar is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// An integer.
    Int(i64),
    /// `true` or `false`.
    Bool(bool),
    /// `none`.
    None,
    /// A duration, in nanoseconds.
    Duration(u64),
    /// A range of durations, in nanoseconds, both ends included.
    Range(u64, u64),
    /// A size, in bytes.
    Size(u64),
    /// Anything else is text.
    Text,
}

/// A number with a unit that is not one of ours, or too large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadLiteral {
    /// Nobody knows this unit.
    Unit(String),
    /// The number does not fit.
    TooLarge,
    /// The range ends before it begins.
    Backwards,
}

const DURATIONS: [(&str, u64); 4] =
    [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];
const SIZES: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// The units of durations and sizes.
pub const UNITS: [&str; 8] = ["ns", "us", "ms", "s", "B", "KiB", "MiB", "GiB"];

/// What an unquoted scalar looks like. Anything that does not look like something else is text.
pub fn literal(text: &str) -> Result<Literal, BadLiteral> {
    match text {
        "true" => return Ok(Literal::Bool(true)),
        "false" => return Ok(Literal::Bool(false)),
        "none" => return Ok(Literal::None),
        _ => {}
    }
    if is_integer(text) {
        return text.parse().map(Literal::Int).map_err(|_| BadLiteral::TooLarge);
    }
    if let Some((low, high)) = text.split_once("..") {
        return match (literal(low), literal(high)) {
            (Ok(Literal::Duration(low)), Ok(Literal::Duration(high))) if low <= high => {
                Ok(Literal::Range(low, high))
            }
            (Ok(Literal::Duration(_)), Ok(Literal::Duration(_))) => Err(BadLiteral::Backwards),
            _ => Ok(Literal::Text),
        };
    }
    with_unit(text)
}

fn with_unit(text: &str) -> Result<Literal, BadLiteral> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if !is_integer(number) || unit.is_empty() {
        return Ok(Literal::Text);
    }
    let scaled = |scale: u64| {
        number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(scale))
            .filter(|scaled| i64::try_from(*scaled).is_ok())
            .ok_or(BadLiteral::TooLarge)
    };
    if let Some((_, scale)) = DURATIONS.iter().find(|(name, _)| *name == unit) {
        return scaled(*scale).map(Literal::Duration);
    }
    if let Some((_, scale)) = SIZES.iter().find(|(name, _)| *name == unit) {
        return scaled(*scale).map(Literal::Size);
    }
    if looks_like_unit(unit) { Err(BadLiteral::Unit(unit.to_string())) } else { Ok(Literal::Text) }
}

/// `-?[0-9]+` without leading zeros.
pub fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
}

/// What people write for units: then it is a mistake, and not a text such as `3rd`.
fn looks_like_unit(unit: &str) -> bool {
    const NEAR: [&str; 20] = [
        "sec", "secs", "second", "seconds", "min", "m", "h", "msec", "usec", "nsec", "µs", "S",
        "MS", "b", "k", "K", "KB", "kB", "MB", "GB",
    ];
    NEAR.contains(&unit) || UNITS.iter().any(|known| known.eq_ignore_ascii_case(unit))
}

/// Words that no variable and no object may have as a name.
pub const RESERVED: [&str; 12] = [
    "me",
    "index",
    "thread-index",
    "status",
    "none",
    "true",
    "false",
    "anyone",
    "and",
    "or",
    "not",
    "kernel",
];

/// Whether a text is a name: letters, digits and `_`, with hyphens only before a letter.
pub fn is_name(text: &str) -> bool {
    name_length(text) == text.len() && !text.is_empty()
}

/// How many bytes at the beginning of a text are a name. `n-a` is one; of `n-1` only `n` is.
pub fn name_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let letter = |at: usize| bytes.get(at).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
    if !letter(0) {
        return 0;
    }
    let mut at = 1;
    loop {
        match bytes.get(at) {
            Some(byte) if byte.is_ascii_alphanumeric() || *byte == b'_' => at += 1,
            Some(b'-') if letter(at + 1) => at += 2,
            _ => return at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hyphen_belongs_to_a_name_only_before_a_letter() {
        assert_eq!(name_length("n-a + 1"), 3);
        assert_eq!(name_length("n-1"), 1);
        assert_eq!(name_length("n - a"), 1);
        assert_eq!(name_length("1n"), 0);
    }

    #[test]
    fn an_unquoted_scalar_is_what_it_looks_like() {
        assert_eq!(literal("12"), Ok(Literal::Int(12)));
        assert_eq!(literal("-3"), Ok(Literal::Int(-3)));
        assert_eq!(literal("007"), Ok(Literal::Text));
        assert_eq!(literal("1.5"), Ok(Literal::Text));
        assert_eq!(literal("5ms"), Ok(Literal::Duration(5_000_000)));
        assert_eq!(literal("2ms..5ms"), Ok(Literal::Range(2_000_000, 5_000_000)));
        assert_eq!(literal("4KiB"), Ok(Literal::Size(4096)));
        assert_eq!(literal("3rd"), Ok(Literal::Text));
        assert_eq!(literal("5sec"), Err(BadLiteral::Unit("sec".into())));
        assert_eq!(literal("5ms..2ms"), Err(BadLiteral::Backwards));
        assert_eq!(literal("99999999999999999999"), Err(BadLiteral::TooLarge));
        assert_eq!(literal("99999999999s"), Err(BadLiteral::TooLarge));
    }
}
