//! Numbers for people.

/// A simulated time: `2.4 us`, `15 ms`, `0`.
pub fn time(ns: u64) -> String {
    let (scale, unit) = match ns {
        0 => return "0".into(),
        1..1_000 => return format!("{ns} ns"),
        1_000..1_000_000 => (1_000, "us"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let whole = ns / scale;
    let thousandths = (ns % scale) / (scale / 1_000);
    if thousandths == 0 {
        return format!("{} {unit}", count(whole));
    }
    let digits = format!("{thousandths:03}");
    format!("{}.{} {unit}", count(whole), digits.trim_end_matches('0'))
}

/// A number with a comma every three digits.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size: in bytes, or exactly in larger units.
pub fn bytes(bytes: u64) -> String {
    for (scale, unit) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] {
        if bytes >= scale && bytes.is_multiple_of(scale) {
            return format!("{} {unit}", count(bytes / scale));
        }
    }
    format!("{} B", count(bytes))
}

/// `1 message`, `2 messages`.
pub fn plural(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_in_the_unit_that_reads_best() {
        assert_eq!(time(0), "0");
        assert_eq!(time(200), "200 ns");
        assert_eq!(time(2_400), "2.4 us");
        assert_eq!(time(1_000_050), "1 ms");
        assert_eq!(time(12_345_678), "12.345 ms");
        assert_eq!(time(5_000_000_000_000), "5,000 s");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(bytes(4_096), "4 KiB");
        assert_eq!(bytes(1_000), "1,000 B");
        assert_eq!(plural(1, "message"), "1 message");
    }
}
