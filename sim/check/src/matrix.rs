//! The same scenario under other values: what every schedule does under each, and the least safe value.

use ipcsim_explore::{Covered, Ending, Exploration, Looks, LooksAt, Measures, NoTrace, Outcome};
use ipcsim_kernel::object::port::LARGEST_QUEUE_LIMIT;
use ipcsim_report::priorities_do_not_count;
use ipcsim_scenario::{LoadOptions, Loaded, load, parse_duration, parse_size};

use crate::{Budget, Subject};

/// The search for the least value tries no larger number, except for a port's queue limit.
const LARGEST: u64 = 64;
/// Sizes and durations are tried up to this many units.
const MOST_UNITS: u64 = 1 << 20;
/// Larger tables are refused: nobody would read them.
const MOST_ROWS: usize = 1_000;

/// A path with one of its values.
pub type Setting = (String, String);

/// What is true of every schedule under some settings.
#[derive(Clone, Debug)]
pub struct Row {
    /// The settings.
    pub settings: Vec<Setting>,
    /// The verdict in words: `safe`, `may deadlock`, `must deadlock or strand`, `not decided`.
    pub verdict: String,
    /// Whether every schedule completes, if that is known.
    pub safe: Option<bool>,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// How many states there are.
    pub states: u64,
    /// The token of a schedule that does not complete.
    pub token: Option<String>,
    /// What a run costs, if that was asked.
    pub measures: Option<Box<Measures>>,
    /// What has to be said of every schedule here, if a run's scheduler looks at priorities.
    pub note: Option<&'static str>,
}

/// Whether a run is measured for each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measuring {
    /// One with the scenario's seed, of at most so many steps.
    Run(u64),
    /// None.
    Nothing,
}

/// The least safe value, if it was found.
#[derive(Clone, Debug)]
pub enum Least {
    /// This one; the one below it, if any, is not safe.
    Is {
        /// The least safe value.
        safe: Row,
        /// The one below it.
        less: Option<Row>,
    },
    /// None up to the largest that was tried: this one.
    None(Row),
    /// It could not be decided for this one.
    Undecided(Row),
}

/// All combinations, the last path changing fastest.
///
/// Errors: what is wrong with a `PATH=VALUE,VALUE`.
pub fn combinations(vary: &[String]) -> Result<Vec<Vec<Setting>>, String> {
    let mut rows: Vec<Vec<Setting>> = vec![Vec::new()];
    for varied in vary {
        let (path, values) = varied
            .split_once('=')
            .ok_or_else(|| format!("--vary {varied}: write PATH=VALUE,VALUE"))?;
        let values: Vec<&str> = values.split(',').map(str::trim).collect();
        let with = |row: &Vec<Setting>, value: &str| {
            let mut row = row.clone();
            row.push((path.trim().to_string(), value.to_string()));
            row
        };
        rows = rows.iter().flat_map(|row| values.iter().map(|it| with(row, it))).collect();
        if rows.len() > MOST_ROWS {
            return Err(format!("these are more than {MOST_ROWS} combinations"));
        }
    }
    Ok(rows)
}

/// What every schedule does under some settings.
///
/// Errors: the scenario, with what is wrong with it under these settings.
pub fn row(
    subject: &Subject,
    settings: &[Setting],
    budget: &Budget,
    measuring: Measuring,
) -> Result<Row, Box<Loaded>> {
    let (sets, loaded) = under(subject, settings);
    let Some(machine) = &loaded.machine else { return Err(Box::new(loaded)) };
    let mut found = budget.explore(machine, Looks::NOTHING);
    let (verdict, safe) = verdict(&found);
    let bad = found.endings.iter().find(|ending| !completes(ending)).map(|ending| ending.state);
    let changed = Subject { loaded: &loaded, sets: &sets, ..*subject };
    let token = bad.map(|state| {
        let path = found.path(state);
        changed.token(&mut found, &path, budget.reductions.merge, LooksAt::Ends)
    });
    Ok(Row {
        settings: settings.to_vec(),
        verdict,
        safe,
        interrupted: found.covered == Covered::Interrupted,
        states: found.states(),
        token,
        note: priorities_do_not_count(machine),
        measures: match measuring {
            Measuring::Run(steps) => {
                Some(Box::new(budget.run(machine, steps, &mut NoTrace).measures))
            }
            Measuring::Nothing => None,
        },
    })
}

/// The scenario under these settings, before anything is explored.
fn under(subject: &Subject, settings: &[Setting]) -> (Vec<String>, Loaded) {
    let mut sets = subject.sets.to_vec();
    sets.extend(settings.iter().map(|(path, value)| format!("{path}={value}")));
    let options = LoadOptions { sets: sets.clone(), ..subject.options() };
    let loaded = load(subject.file, subject.bytes, &options);
    (sets, loaded)
}

/// Checks that every row is a valid scenario. Errors: the first that is not, with what is wrong with it.
pub fn can_be_tried(subject: &Subject, rows: &[Vec<Setting>]) -> Result<(), Box<Loaded>> {
    for settings in rows {
        let (_, loaded) = under(subject, settings);
        if loaded.machine.is_none() {
            return Err(Box::new(loaded));
        }
    }
    Ok(())
}

fn completes(ending: &Ending) -> bool {
    ending.outcome == Outcome::Completes
}

fn verdict(found: &Exploration) -> (String, Option<bool>) {
    let bad: Vec<&str> = found
        .endings
        .iter()
        .filter(|ending| !completes(ending))
        .map(|ending| match ending.outcome {
            Outcome::Completes => "complete",
            Outcome::Fails => "fail",
            Outcome::Deadlock => "deadlock",
            Outcome::Stranded => "strand",
            Outcome::Livelock => "livelock",
            Outcome::Unfinished => "go on for ever",
        })
        .collect();
    let all = found.covered == Covered::All;
    let some_complete = found.endings.iter().any(completes);
    match (&bad[..], all) {
        _ if found.covered == Covered::Interrupted => ("interrupted".into(), None),
        ([], true) => ("safe".into(), Some(true)),
        ([], false) => ("not decided".into(), None),
        (bad, true) if !some_complete => (format!("must {}", bad.join(" or ")), Some(false)),
        (bad, _) => (format!("may {}", bad.join(" or ")), Some(false)),
    }
}

/// The unit in which a value is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// Messages; 0 is `none`.
    Messages,
    /// The limit of a port's queue.
    QueueLimit,
    /// Objects of which there is at least one.
    Things,
    /// `B`, `ms` and the like.
    Of(&'static str),
}

impl Unit {
    /// The unit of a path's current value.
    fn of(path: &str, now: Option<&str>) -> Self {
        const UNITS: [&str; 8] = ["KiB", "MiB", "GiB", "ns", "us", "ms", "B", "s"];
        let now = now.unwrap_or_default();
        let is_one = parse_size(now).is_some() || parse_duration(now).is_some();
        match UNITS.iter().find(|unit| is_one && now.ends_with(**unit)) {
            Some(unit) => Unit::Of(unit),
            None if path == "kernel.memory" || path.ends_with("-size") => Unit::Of("B"),
            None if path.ends_with("replicas") || path.ends_with("cpus") => Unit::Things,
            None if path.starts_with("ports.") => Unit::QueueLimit,
            None => Unit::Messages,
        }
    }

    fn value(self, number: u64) -> String {
        match self {
            Unit::Messages if number == 0 => "none".into(),
            Unit::Messages | Unit::QueueLimit | Unit::Things => number.to_string(),
            Unit::Of(unit) => format!("{number}{unit}"),
        }
    }

    fn least(self) -> u64 {
        match self {
            Unit::Messages => 0,
            Unit::QueueLimit | Unit::Things | Unit::Of(_) => 1,
        }
    }

    fn largest(self) -> u64 {
        if self == Unit::QueueLimit { LARGEST_QUEUE_LIMIT } else { LARGEST }
    }
}

/// The least safe value of a path, in the unit of its current value.
///
/// Errors: the scenario, with what is wrong with it under one of these values.
pub fn least(subject: &Subject, path: &str, budget: &Budget) -> Result<Least, Box<Loaded>> {
    let unit = Unit::of(path, subject.loaded.value_at(path).as_deref());
    let row_of = |number: u64| {
        row(subject, &[(path.to_string(), unit.value(number))], budget, Measuring::Nothing)
    };
    match unit {
        Unit::Messages | Unit::QueueLimit | Unit::Things => {
            let mut less = None;
            for number in unit.least()..=unit.largest() {
                let row = row_of(number)?;
                match row.safe {
                    Some(true) => return Ok(Least::Is { safe: row, less }),
                    Some(false) => less = Some(row),
                    None => return Ok(Least::Undecided(row)),
                }
            }
            Ok(Least::None(less.expect("some number was tried")))
        }
        Unit::Of(_) => {
            // More room is never worse, so double first, then bisect.
            let (mut low, mut high) = (0, unit.least());
            let mut less = None;
            let mut safe = loop {
                let row = row_of(high)?;
                match row.safe {
                    Some(true) => break row,
                    Some(false) if high >= MOST_UNITS => return Ok(Least::None(row)),
                    Some(false) => (low, less) = (high, Some(row)),
                    None => return Ok(Least::Undecided(row)),
                }
                high *= 2;
            };
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                let row = row_of(middle)?;
                match row.safe {
                    Some(true) => (high, safe) = (middle, row),
                    Some(false) => (low, less) = (middle, Some(row)),
                    None => return Ok(Least::Undecided(row)),
                }
            }
            Ok(Least::Is { safe, less })
        }
    }
}
