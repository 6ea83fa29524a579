//! `ipcsim matrix`: every schedule, under several values of the policies.

use ipcsim_explore::{Covered, Ending, Exploration, Looks, Outcome, View, token};
use ipcsim_report::count;

use crate::args::{Input, MatrixArgs};
use crate::exit::Exit;
use crate::explore::{fingerprint, reductions, search};
use crate::input::{self, Text};
use crate::terminal::{Terminal, in_shell};

/// No larger number is tried by `--least`.
const LARGEST: u64 = 64;
/// Larger tables are refused: nobody would read them.
const MOST_ROWS: usize = 1_000;

/// A path with one of its values.
type Setting = (String, String);

/// What is true of every schedule under some settings.
struct Judged {
    verdict: String,
    exit: Exit,
    states: u64,
    /// The token of a schedule that does not complete.
    token: Option<String>,
}

pub(crate) fn execute(args: &MatrixArgs, terminal: &Terminal) -> Exit {
    let text = match input::read(&args.subject.file, &args.subject.input) {
        Ok(text) => text,
        Err(message) => {
            terminal.error(&message);
            return Exit::Unusable;
        }
    };
    let result = match &args.least {
        Some(path) => least(&text, args, path, terminal),
        None => table(&text, args, terminal),
    };
    result.unwrap_or_else(|message| {
        if let Some(message) = message {
            terminal.error(&message);
        }
        Exit::Unusable
    })
}

/// A message, or nothing if the diagnostics have been printed.
type Failed = Option<String>;

fn table(text: &Text, args: &MatrixArgs, terminal: &Terminal) -> Result<Exit, Failed> {
    let rows = combinations(&args.vary)?;
    let paths: Vec<&str> = rows[0].iter().map(|(path, _)| path.as_str()).collect();
    let values = |at: usize| rows.iter().map(move |row| row[at].1.chars().count());
    let widths: Vec<usize> = (0..paths.len())
        .map(|at| values(at).max().unwrap_or(0).max(paths[at].chars().count()))
        .collect();
    let line = |cells: &[&str]| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}  "));
        cells.collect::<Vec<_>>().concat()
    };
    terminal.print(&format!("{}every schedule\n", line(&paths)));
    let mut worst = Exit::Yes;
    for row in &rows {
        let judged = judge(text, args, row, terminal)?;
        let cells: Vec<&str> = row.iter().map(|(_, value)| value.as_str()).collect();
        let states = format!("{} states", count(judged.states));
        let token = judged.token.unwrap_or_default();
        let told = format!("{}{:24}  {states:>16}  {token}", line(&cells), judged.verdict);
        terminal.print(&format!("{}\n", told.trim_end()));
        worst = worst.max(judged.exit);
        if worst == Exit::Interrupted {
            break;
        }
    }
    Ok(worst)
}

/// The smallest number that is safe, with the witness that one less is not.
fn least(text: &Text, args: &MatrixArgs, path: &str, terminal: &Terminal) -> Result<Exit, Failed> {
    let mut before: Option<(String, Judged)> = None;
    for number in 0..=LARGEST {
        // As the language says it: a capacity of nothing is `none`.
        let value = if number == 0 { "none".to_string() } else { number.to_string() };
        let setting = [(path.to_string(), value.clone())];
        let judged = judge(text, args, &setting, terminal)?;
        match judged.exit {
            Exit::Yes => {
                let states = count(judged.states);
                let mut out = format!("{path}={value} is the least safe value ({states} states)\n");
                if let Some((less, why)) = before {
                    out.push_str(&format!("  {path}={less} is not safe: {}\n", why.verdict));
                    if let Some(token) = why.token {
                        out.push_str(&format!(
                            "  replay: ipcsim replay {} {token} --set {}\n",
                            args.subject.file,
                            in_shell(&format!("{path}={less}"))
                        ));
                    }
                }
                terminal.print(&out);
                return Ok(Exit::Yes);
            }
            Exit::No => before = Some((value, judged)),
            undecided => {
                terminal.print(&format!("{path}={value}: {}\n", judged.verdict));
                return Ok(undecided);
            }
        }
    }
    terminal.print(&format!("no value of {path} up to {LARGEST} is safe\n"));
    Ok(Exit::No)
}

/// All combinations, the last path changing fastest.
fn combinations(vary: &[String]) -> Result<Vec<Vec<Setting>>, Failed> {
    let mut rows: Vec<Vec<Setting>> = vec![Vec::new()];
    for varied in vary {
        let (path, values) = varied
            .split_once('=')
            .ok_or_else(|| Some(format!("--vary {varied}: write PATH=VALUE,VALUE")))?;
        let values: Vec<&str> = values.split(',').map(str::trim).collect();
        let with = |row: &Vec<Setting>, value: &str| {
            let mut row = row.clone();
            row.push((path.trim().to_string(), value.to_string()));
            row
        };
        rows = rows.iter().flat_map(|row| values.iter().map(|it| with(row, it))).collect();
        if rows.len() > MOST_ROWS {
            return Err(Some(format!("these are more than {MOST_ROWS} combinations")));
        }
    }
    Ok(rows)
}

fn judge(
    text: &Text,
    args: &MatrixArgs,
    settings: &[Setting],
    terminal: &Terminal,
) -> Result<Judged, Failed> {
    let mut input: Input = args.subject.input.clone();
    input.sets.extend(settings.iter().map(|(path, value)| format!("{path}={value}")));
    let loaded = input::compile(text, &input);
    let Some(machine) = &loaded.machine else {
        terminal.diagnostics(&loaded);
        return Err(None);
    };
    let mut found = search(machine, &args.subject.how, Looks::NOTHING);
    let (verdict, exit) = verdict(&found);
    let bad = found.endings.iter().find(|ending| !completes(ending)).map(|ending| ending.state);
    let print = fingerprint(text, &input.sets);
    let token = bad.map(|state| {
        let path = found.path(state);
        token(
            &mut found,
            &path,
            View { merge: reductions(&args.subject.how).merge, ..View::PLAIN },
            print,
        )
    });
    Ok(Judged { verdict, exit, states: found.states(), token })
}

fn completes(ending: &Ending) -> bool {
    ending.outcome == Outcome::Completes
}

fn verdict(found: &Exploration) -> (String, Exit) {
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
        _ if found.covered == Covered::Interrupted => ("interrupted".into(), Exit::Interrupted),
        ([], true) => ("safe".into(), Exit::Yes),
        ([], false) => ("not decided".into(), Exit::Undecided),
        (bad, true) if !some_complete => (format!("must {}", bad.join(" or ")), Exit::No),
        (bad, _) => (format!("may {}", bad.join(" or ")), Exit::No),
    }
}
