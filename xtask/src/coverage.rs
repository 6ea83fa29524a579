//! Which slides of the lecture can be run: the table in `scenarios/README.md`, made from the scenarios.
//!
//! What is the author's stays: the sentence that says what a scenario shows, and the order within a slide.
//! All else is made anew.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use ipcsim_scenario::ast::{Claim, Over, What};
use ipcsim_scenario::{LoadOptions, SLIDES, load, slide_order};

/// Whether the table is written, or only looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    Written,
    LookedAt,
}

/// A scenario, as the table shows it.
struct Row {
    slide: String,
    path: String,
    title: String,
    claims: String,
}

/// Says which slides have no scenario. Errors: the table is not what the scenarios say.
pub fn check(table: Table) -> Result<(), String> {
    let folder = crate::root().join("scenarios");
    let mut rows = Vec::new();
    collect(&folder, &folder, &mut rows)?;
    let file = folder.join("README.md");
    let text =
        fs::read_to_string(&file).map_err(|error| format!("scenarios/README.md: {error}"))?;
    let (head, known, tail) = around_table(&text)?;
    let sentences = sentences(known);
    let known_at = |path: &str| sentences.iter().position(|(known, _)| *known == path);
    rows.sort_by_key(|row| {
        let at = known_at(&row.path).unwrap_or(usize::MAX);
        (slide_order(&row.slide), at, row.path.clone())
    });
    let anew = format!("{head}{}{tail}", in_table(&rows, &sentences));
    match table {
        Table::Written => {
            fs::write(&file, &anew).map_err(|error| format!("scenarios/README.md: {error}"))?;
        }
        Table::LookedAt if anew != text => {
            return Err("scenarios/README.md is not what the scenarios say: \
                        cargo xtask coverage --write"
                .into());
        }
        Table::LookedAt => {}
    }
    let claims: usize = rows.iter().map(|row| row.claims.split(", ").count()).sum();
    println!("{} scenarios with {claims} claims", rows.len());
    for slide in SLIDES {
        if !rows.iter().any(|row| row.slide == *slide) {
            println!("no scenario yet: {slide}");
        }
    }
    Ok(())
}

fn collect(folder: &Path, root: &Path, rows: &mut Vec<Row>) -> Result<(), String> {
    let shown = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(shown)? {
        let path = entry.map_err(shown)?.path();
        if path.is_dir() {
            collect(&path, root, rows)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            rows.push(row(&path, root)?);
        }
    }
    Ok(())
}

fn row(path: &Path, root: &Path) -> Result<Row, String> {
    let name = path.strip_prefix(root).expect("it is below the root").display().to_string();
    let bytes = fs::read(path).map_err(|error| format!("{name}: {error}"))?;
    let loaded = load(&name, &bytes, &LoadOptions::default());
    let text = |text: &Option<ipcsim_scenario::Placed<String>>| {
        text.as_ref().map(|text| text.value.clone()).ok_or(format!("{name} has no title or slide"))
    };
    Ok(Row {
        slide: text(&loaded.scenario.slide)?,
        title: text(&loaded.scenario.title)?,
        claims: loaded.scenario.claims.iter().map(claim).collect::<Vec<_>>().join(", "),
        path: name,
    })
}

/// A claim in a few words; a star says that it is about a changed scenario.
fn claim(claim: &Claim) -> String {
    let over = match claim.over {
        Over::Run => "run",
        Over::EverySchedule => "every",
        Over::SomeSchedule => "some",
    };
    let what = match &claim.what {
        What::Outcome(outcome) => outcome,
        What::Always(_) => "always",
        What::Eventually(_) => "eventually",
        What::Never(_) => "never",
        What::Logs(_) => "logs",
        What::AtMost(_) => "at most",
        What::AtLeast(_) => "at least",
    };
    let star = if claim.with.is_empty() { "" } else { "\\*" };
    format!("{over} {what}{star}")
}

const HEAD: &str = "| slide | scenario | what it shows | claims |\n| --- | --- | --- | --- |\n";

/// What stands in front of the table, the table, and what stands behind it.
fn around_table(text: &str) -> Result<(&str, &str, &str), String> {
    let start = text.find("| slide |").ok_or("scenarios/README.md has no table")?;
    let lines = text[start..].split_inclusive('\n').take_while(|line| line.starts_with('|'));
    let end = start + lines.map(str::len).sum::<usize>();
    Ok((&text[..start], &text[start..end], &text[end..]))
}

fn in_table(rows: &[Row], sentences: &[(&str, &str)]) -> String {
    let mut table = HEAD.to_string();
    let mut last = "";
    for row in rows {
        let name = row.path.rsplit('/').next().unwrap_or(&row.path).trim_end_matches(".yaml");
        let slide = if row.slide == last { "" } else { row.slide.as_str() };
        let known = sentences.iter().find(|(path, _)| *path == row.path);
        let shows = known.map_or(row.title.as_str(), |(_, shows)| shows);
        let (path, claims) = (&row.path, &row.claims);
        writeln!(table, "| {slide} | [{name}]({path}) | {shows} | {claims} |")
            .expect("a String takes all text");
        last = &row.slide;
    }
    table
}

/// What the table says already of each scenario, by its path, in order.
fn sentences(table: &str) -> Vec<(&str, &str)> {
    let sentence = |line| {
        let mut cells = str::split(line, '|').skip(2);
        let (link, shows) = (cells.next()?, cells.next()?);
        let (path, _) = link.split_once("](")?.1.split_once(')')?;
        Some((path, shows.trim()))
    };
    table.lines().filter_map(sentence).collect()
}
