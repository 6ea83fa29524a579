//! Tokens: a schedule in a short word.
//!
//! `m1k3f9-2-0` is the version of the format, a fingerprint of what the schedule belongs to, the number
//! of steps, and which way was taken wherever there were several.

use ipcsim_kernel::Machine;

use crate::explore::{Exploration, Path, ScheduleStep};
use crate::space::{FIRST_ROOM, Looks, MOST_ROOM, Reductions, Space};

/// The version of the format: it changes whenever the same token could mean another schedule.
const VERSION: &str = "m1";
/// Digits that are not taken for each other.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Why a token cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadToken {
    /// It is none.
    NoToken,
    /// It was made by another version of the program.
    Version,
    /// It was made for another scenario.
    Scenario,
    /// After so many steps it asks for a way that is not there.
    NoWay(u64),
}

/// The token of a path.
pub fn token(found: &mut Exploration, path: &Path, fingerprint: u64) -> String {
    let ways = found.ways(path);
    let mut out = format!("{VERSION}{}-", digits(fingerprint & 0xf_ffff, 4));
    out.push_str(&number(ways.len() as u64 - 1));
    let choices = ways.into_iter().filter(|(_, count)| *count > 1);
    let choices: String = choices.map(|(way, count)| digits(way, width(count))).collect();
    // Where there was nothing to choose nothing is said.
    if choices.is_empty() { out } else { format!("{out}-{choices}") }
}

/// The schedule that a token means.
pub fn follow(
    machine: &Machine,
    reductions: Reductions,
    token: &str,
    fingerprint: u64,
) -> Result<Vec<ScheduleStep>, BadToken> {
    let mut parts = token.trim().split('-');
    let (Some(head), Some(steps), choices, None) =
        (parts.next(), parts.next(), parts.next().unwrap_or(""), parts.next())
    else {
        return Err(BadToken::NoToken);
    };
    let Some(print) = head.strip_prefix(VERSION) else {
        let looks_like_one = head.starts_with('m');
        return Err(if looks_like_one { BadToken::Version } else { BadToken::NoToken });
    };
    if value(print).ok_or(BadToken::NoToken)? != fingerprint & 0xf_ffff {
        return Err(BadToken::Scenario);
    }
    let steps = value(steps).ok_or(BadToken::NoToken)?;
    let mut room = FIRST_ROOM;
    loop {
        let mut space = Space::new(machine, reductions.of_schedules(), Looks::NOTHING, room);
        let schedule = walk(&mut space, steps, choices);
        if !space.outgrown || room > MOST_ROOM {
            return schedule;
        }
        room *= 4;
    }
}

fn walk(space: &mut Space, steps: u64, mut choices: &str) -> Result<Vec<ScheduleStep>, BadToken> {
    let mut schedule = Vec::new();
    let mut edges = Vec::new();
    let mut at = 0;
    for step in 0..=steps {
        edges.clear();
        space.ways_from(step == 0, at, &mut edges);
        let way = match edges.len() {
            0 => return Err(BadToken::NoWay(step)),
            1 => 0,
            count => {
                let width = width(count as u64);
                let digits = choices.get(..width).ok_or(BadToken::NoWay(step))?;
                choices = &choices[width..];
                value(digits).ok_or(BadToken::NoToken)?
            }
        };
        let edge = usize::try_from(way).ok().and_then(|way| edges.get(way));
        let edge = edge.ok_or(BadToken::NoWay(step))?;
        schedule.push(ScheduleStep { what: edge.what, answers: space.answers(edge).to_vec() });
        at = edge.to;
    }
    if choices.is_empty() { Ok(schedule) } else { Err(BadToken::NoWay(steps)) }
}

/// How many digits a choice out of so many takes.
fn width(count: u64) -> usize {
    let mut width = 1;
    let mut reach = 32;
    while reach < count {
        reach *= 32;
        width += 1;
    }
    width
}

fn digits(number: u64, width: usize) -> String {
    let digit = |place: usize| DIGITS[(number >> (5 * place)) as usize % 32] as char;
    (0..width).rev().map(digit).collect()
}

fn number(number: u64) -> String {
    digits(number, width(number + 1))
}

fn value(text: &str) -> Option<u64> {
    if text.is_empty() || text.len() > 12 {
        return None;
    }
    text.bytes().try_fold(0, |sum, byte| {
        let digit = DIGITS.iter().position(|digit| *digit == byte)?;
        Some(sum * 32 + digit as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for sample in [0, 1, 31, 32, 1_000, 0xf_ffff] {
            assert_eq!(value(&number(sample)), Some(sample));
        }
        assert_eq!(value("l"), None);
        assert_eq!([width(2), width(32), width(33), width(1_024), width(1_025)], [1, 1, 2, 2, 3]);
    }
}
