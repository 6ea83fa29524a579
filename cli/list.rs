//! `ipcsim list`: the scenarios that are built in, by slide.

use std::collections::BTreeMap;

use ipcsim_scenario::{LoadOptions, load};

use crate::exit::Exit;
use crate::library::LIBRARY;
use crate::terminal::Terminal;

/// Prints the names with their titles, in the order in which the slides come in the lecture.
pub(crate) fn execute(terminal: &Terminal) -> Exit {
    let mut slides: BTreeMap<(usize, String), Vec<(&str, String)>> = BTreeMap::new();
    for built_in in LIBRARY {
        let scenario =
            load(built_in.path, built_in.text.as_bytes(), &LoadOptions::default()).scenario;
        let words = |text: Option<ipcsim_scenario::Placed<String>>| {
            text.map_or_else(String::new, |text| text.value)
        };
        let slide = words(scenario.slide);
        let key = (ipcsim_scenario::slide_order(&slide), slide);
        slides.entry(key).or_default().push((built_in.name, words(scenario.title)));
    }
    let width = LIBRARY.iter().map(|built_in| built_in.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for ((_, slide), scenarios) in &slides {
        out.push_str(&format!("{slide}\n"));
        for (name, title) in scenarios {
            out.push_str(&format!("  {name:width$}  {title}\n"));
        }
    }
    out.push_str(
        "\nipcsim run NAME runs one of them; the files are in scenarios/ of the repository\n",
    );
    terminal.print(&out);
    Exit::Yes
}
