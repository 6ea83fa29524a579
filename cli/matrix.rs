//! `ipcsim matrix`: every schedule, under several values of the policies.

use ipcsim_report::plural;
use ipcsim_session::{
    Budget, Claims, Least, Loaded, Measuring, Row, Session, Subject, can_be_tried, combinations,
    found, in_shell, least, measured, row,
};

use crate::args::{MatrixArgs, Output};
use crate::budget::{RUN_STEPS, within};
use crate::exit::Exit;
use crate::input;
use crate::terminal::Terminal;

pub(crate) fn execute(args: &MatrixArgs, terminal: &Terminal) -> Exit {
    let text = match input::read(&args.subject.file, &args.subject.input) {
        Ok(text) => text,
        Err(message) => {
            terminal.error(&message);
            let unusable = found::Scenario::unread(&args.subject.file, &message);
            return terminal.unusable("matrix", args.output, unusable);
        }
    };
    // The scenario itself may have errors that the values mend.
    let session = input::compile(&args.subject.file, text, &args.subject.input, Claims::NotAsked);
    let judged = within(&args.subject.how, RUN_STEPS, |budget| match &args.least {
        Some(path) => the_least(args, &session, path, budget, terminal),
        None => table(args, &session, budget, terminal),
    });
    judged.unwrap_or_else(|failed| {
        let unusable = match failed {
            Failed::Usage(message) => {
                terminal.error(&message);
                found::Scenario::unread(session.file(), &message)
            }
            Failed::Scenario(loaded) => {
                terminal.diagnostics(&loaded);
                let subject = Subject { loaded: &loaded, ..session.subject() };
                found::Scenario::of(&subject, session.title())
            }
        };
        terminal.unusable("matrix", args.output, unusable)
    })
}

/// Columns of numbers stand below each other also behind the longest verdict.
const WIDEST: usize = 32;

/// Why there is no table.
enum Failed {
    Usage(String),
    Scenario(Box<Loaded>),
}

impl From<Box<Loaded>> for Failed {
    fn from(loaded: Box<Loaded>) -> Self {
        Failed::Scenario(loaded)
    }
}

fn table(
    args: &MatrixArgs,
    session: &Session,
    budget: &Budget,
    terminal: &Terminal,
) -> Result<Exit, Failed> {
    let subject = session.subject();
    let rows = combinations(&args.vary).map_err(Failed::Usage)?;
    can_be_tried(&subject, &rows)?;
    let paths: Vec<&str> = rows[0].iter().map(|(path, _)| path.as_str()).collect();
    let values = |at: usize| rows.iter().map(move |row| row[at].1.chars().count());
    let widths: Vec<usize> = (0..paths.len())
        .map(|at| values(at).max().unwrap_or(0).max(paths[at].chars().count()))
        .collect();
    let line = |cells: &[&str]| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}  "));
        cells.collect::<Vec<_>>().concat()
    };
    let measuring = measuring(args);
    let verdict = if args.measure.is_empty() { 24 } else { WIDEST };
    let columns = |cell: &dyn Fn(&str) -> String| in_columns(&args.measure, cell);
    if args.output == Output::Human {
        let head =
            format!("{}{:verdict$}{}", line(&paths), "every schedule", columns(&str::to_string));
        terminal.print(&format!("{}\n", head.trim_end()));
    }
    let mut worst = Exit::Yes;
    let (mut all, mut notes) = (Vec::new(), Vec::new());
    for settings in &rows {
        let judged = row(&subject, settings, budget, measuring)?;
        if args.output == Output::Human {
            let cells: Vec<&str> = settings.iter().map(|(_, value)| value.as_str()).collect();
            let states = plural(judged.states, "state");
            let token = judged.token.clone().unwrap_or_default();
            let costs = judged.measures.as_ref().map(|it| columns(&|name| measured(it, name).1));
            let costs = costs.unwrap_or_default();
            let told = format!(
                "{}{:verdict$}{costs}  {states:>16}  {token}",
                line(&cells),
                judged.verdict
            );
            terminal.print(&format!("{}\n", told.trim_end()));
        }
        worst = worst.max(exit(&judged));
        notes.extend(judged.note);
        all.push(found::of_row(&judged));
        if worst == Exit::Interrupted {
            break;
        }
    }
    if args.output == Output::Human {
        notes.iter().take(1).for_each(|note: &&str| terminal.print(&format!("{note}\n")));
    }
    if args.output == Output::Json {
        let mut scenario = session.found();
        scenario.matrix = Some(all);
        terminal.json("matrix", vec![scenario]);
    }
    Ok(worst)
}

fn measuring(args: &MatrixArgs) -> Measuring {
    if args.measure.is_empty() { Measuring::Nothing } else { Measuring::Run(RUN_STEPS) }
}

/// A cell for each measure, below its name.
fn in_columns(measures: &[String], cell: &dyn Fn(&str) -> String) -> String {
    let column = |name: &String| {
        let width = name.len().max(12);
        format!("  {:>width$}", cell(name))
    };
    measures.iter().map(column).collect::<Vec<_>>().concat()
}

fn exit(row: &Row) -> Exit {
    match row.safe {
        _ if row.interrupted => Exit::Interrupted,
        Some(true) => Exit::Yes,
        Some(false) => Exit::No,
        None => Exit::Undecided,
    }
}

/// The smallest value that is safe, with the witness that one less is not.
fn the_least(
    args: &MatrixArgs,
    session: &Session,
    path: &str,
    budget: &Budget,
    terminal: &Terminal,
) -> Result<Exit, Failed> {
    let subject = session.subject();
    let least = least(&subject, path, budget)?;
    match args.output {
        Output::Human => terminal.print(&told(&subject, path, &least)),
        Output::Json => {
            let mut scenario = session.found();
            scenario.least = Some(found::of_least(&least));
            terminal.json("matrix", vec![scenario]);
        }
    }
    Ok(match &least {
        Least::Is { .. } => Exit::Yes,
        Least::None(_) => Exit::No,
        Least::Undecided(row) => exit(row),
    })
}

fn told(subject: &Subject, path: &str, found: &Least) -> String {
    let value = |row: &Row| row.settings[0].1.clone();
    match found {
        Least::Is { safe, less } => {
            let states = plural(safe.states, "state");
            let mut out = format!("{path}={} is the least safe value ({states})\n", value(safe));
            if let Some(less) = less {
                out.push_str(&format!("  {path}={} is not safe: {}\n", value(less), less.verdict));
                if let Some(token) = &less.token {
                    let set = in_shell(&format!("{path}={}", value(less)));
                    out.push_str(&format!("  replay: {} --set {set}\n", subject.replay(token)));
                }
            }
            out
        }
        Least::None(row) => format!("no value of {path} up to {} is safe\n", value(row)),
        Least::Undecided(row) => format!("{path}={}: {}\n", value(row), row.verdict),
    }
}
