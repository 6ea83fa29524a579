//! Tokens: a schedule encoded in a short word.
//!
//! `m2pk3f9-2-0` consists of the format version, what was observed (which determines what counts as
//! a step), a fingerprint of what the schedule belongs to, the number of steps, and which
//! transition was taken wherever there were several.

use ipcsim_kernel::Machine;

use crate::explore::{Exploration, Path, ScheduleStep};
use crate::space::{Looks, MOST_ROOM, Reduction, Reductions, Space, Stop, first_room, next_room};

/// The version of the format: it changes whenever the same token could mean another schedule.
const VERSION: &str = "m2";
/// Digits that are not easily confused.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Why a token cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadToken {
    /// It is not a token.
    NoToken,
    /// It was made by another version of the program.
    Version,
    /// It was made for another scenario.
    Scenario,
    /// After this many steps it asks for a transition that does not exist.
    NoWay(u64),
}

/// What was observed when a schedule was found. Observed work is a step of its own, so a schedule
/// can only be followed under the same view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Whether unobserved local work is merged with the call before it.
    pub merge: Reduction,
    /// What is observed besides how schedules end.
    pub at: LooksAt,
}

/// What is observed besides how schedules end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LooksAt {
    /// Nothing.
    Ends,
    /// All variables and the log.
    Results,
    /// What the claim with this number, counted from 0, is about.
    Claim(usize),
}

impl View {
    /// The default.
    pub const PLAIN: Self = Self { merge: Reduction::On, at: LooksAt::Ends };

    fn written(self) -> String {
        let letter = |merged: char, apart: char| match self.merge {
            Reduction::On => merged,
            Reduction::Off => apart,
        };
        match self.at {
            LooksAt::Ends => letter('p', 'x').into(),
            LooksAt::Results => letter('a', 'y').into(),
            LooksAt::Claim(number) => format!("{}{}", letter('c', 'z'), digits(number as u64, 2)),
        }
    }

    fn read(text: &str) -> Option<(Self, &str)> {
        let letter = text.chars().next()?;
        let rest = &text[letter.len_utf8()..];
        let merge = if "xyz".contains(letter) { Reduction::Off } else { Reduction::On };
        let (at, rest) = match letter {
            'p' | 'x' => (LooksAt::Ends, rest),
            'a' | 'y' => (LooksAt::Results, rest),
            'c' | 'z' => {
                let number = usize::try_from(value(rest.get(..2)?)?).ok()?;
                (LooksAt::Claim(number), &rest[2..])
            }
            _ => return None,
        };
        Some((Self { merge, at }, rest))
    }
}

/// The token of a path.
pub fn token(found: &mut Exploration, path: &Path, view: View, fingerprint: u64) -> String {
    let ways = found.ways(path);
    let mut out = format!("{VERSION}{}{}-", view.written(), digits(fingerprint & 0xf_ffff, 4));
    out.push_str(&number(ways.len() as u64 - 1));
    let choices = ways.into_iter().filter(|(_, count)| *count > 1);
    let choices: String = choices.map(|(way, count)| digits(way, width(count))).collect();
    // Without a choice there is nothing to write.
    if choices.is_empty() { out } else { format!("{out}-{choices}") }
}

/// What was observed when the schedule of a token was found.
pub fn view_of(token: &str) -> Result<View, BadToken> {
    Ok(head_of(token)?.0)
}

fn head_of(token: &str) -> Result<(View, &str), BadToken> {
    let head = token.trim().split('-').next().unwrap_or_default();
    match head.strip_prefix(VERSION) {
        Some(rest) => View::read(rest).ok_or(BadToken::NoToken),
        None if is_of_another_version(head) => Err(BadToken::Version),
        None => Err(BadToken::NoToken),
    }
}

fn is_of_another_version(head: &str) -> bool {
    head.strip_prefix('m').is_some_and(|rest| rest.starts_with(|it: char| it.is_ascii_digit()))
}

/// The schedule that a token encodes. `looks` must match the view that [`view_of`] returns.
pub fn follow(
    machine: &Machine,
    looks: Looks,
    token: &str,
    fingerprint: u64,
) -> Result<Vec<ScheduleStep>, BadToken> {
    let (view, print) = head_of(token)?;
    let reductions = Reductions { merge: view.merge, ..Reductions::NONE };
    let mut parts = token.trim().split('-').skip(1);
    let (Some(steps), choices, None) = (parts.next(), parts.next().unwrap_or(""), parts.next())
    else {
        return Err(BadToken::NoToken);
    };
    if value(print).ok_or(BadToken::NoToken)? != fingerprint & 0xf_ffff {
        return Err(BadToken::Scenario);
    }
    let steps = value(steps).ok_or(BadToken::NoToken)?;
    let mut room = first_room(machine);
    loop {
        let mut space = Space::new(machine, reductions, looks, room);
        let schedule = walk(&mut space, steps, choices);
        if space.stop() != Some(Stop::Outgrown) || room > MOST_ROOM {
            return schedule;
        }
        room = next_room(room);
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

/// How many digits a choice among this many takes.
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
    fn views_are_read_as_they_are_written() {
        for merge in [Reduction::On, Reduction::Off] {
            for at in [LooksAt::Ends, LooksAt::Results, LooksAt::Claim(0), LooksAt::Claim(1_000)] {
                let view = View { merge, at };
                assert_eq!(View::read(&format!("{}rest", view.written())), Some((view, "rest")));
            }
        }
    }

    #[test]
    fn a_token_of_another_version_is_known_as_one() {
        assert_eq!(view_of("m1k3f9-2-0"), Err(BadToken::Version));
        assert_eq!(view_of("mutual"), Err(BadToken::NoToken));
        assert_eq!(view_of("m2q"), Err(BadToken::NoToken));
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for sample in [0, 1, 31, 32, 1_000, 0xf_ffff] {
            assert_eq!(value(&number(sample)), Some(sample));
        }
        assert_eq!(value("l"), None);
        assert_eq!([width(2), width(32), width(33), width(1_024), width(1_025)], [1, 1, 2, 2, 3]);
    }
}
