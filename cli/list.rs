//! `ipcsim list`: the scenarios that are built in, by slide.

use std::collections::BTreeMap;

use ipcsim_scenario::{LoadOptions, load};

use crate::args::ListArgs;
use crate::exit::Exit;
use crate::library::{self, LIBRARY};
use crate::terminal::Terminal;

/// Prints the names with their titles, in the order in which the slides come in the lecture; or the files of those that are
/// named.
pub(crate) fn execute(args: &ListArgs, terminal: &Terminal) -> Exit {
    if args.names.is_empty() {
        all(terminal);
        return Exit::Yes;
    }
    let mut texts = Vec::new();
    for name in &args.names {
        let Some(built_in) = library::find(name) else {
            let near = library::nearest(name).map(|near| format!("; did you mean `{near}`?"));
            terminal.error(&format!(
                "no built-in scenario is called {name}{}",
                near.unwrap_or_default()
            ));
            return Exit::Unusable;
        };
        texts.push(built_in.text);
    }
    terminal.print(&texts.join("---\n"));
    Exit::Yes
}

fn all(terminal: &Terminal) {
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
        "\nipcsim run NAME runs one of them, ipcsim list NAME shows its file and what to try\n",
    );
    terminal.print(&out);
}
