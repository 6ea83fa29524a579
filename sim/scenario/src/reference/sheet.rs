//! The cheat sheet: all steps, functions, outcomes and claims on one page of paper, A4.

use super::{Chapter, Entry, chapters};

const STYLE: &str = "\
@page { size: A4; margin: 7mm }
body { font: 5.7pt/1.13 sans-serif; margin: 0 auto; max-width: 196mm; color: #111; background: #fff }
h1 { font-size: 11pt; margin: 0 0 1.5mm }
h2 { font-size: 7.6pt; margin: 1.1mm 0 .3mm; border-bottom: .3pt solid #777; break-after: avoid }
main { columns: 3; column-gap: 4mm }
p { margin: 0 0 .2mm; padding-left: 2.2mm; text-indent: -2.2mm; break-inside: avoid }
code { font: 5.5pt/1.2 monospace; white-space: pre-wrap }
pre { font: 5.5pt/1.2 monospace; margin: .5mm 0; break-inside: avoid }
";

const WHOLE: &str = "\
title: A buffering problem
kernel: {buffering: none}
mailboxes:
  box: {capacity: 3}
processes:
  P1:
    - send: hello
      to: P2
    - receive: m
      from: [P2, box]
      wait: 5ms
      when: {timed-out: [{log: late}]}
  P2:
    replicas: 2
    do: [{receive: m, from: anyone}]
expect:
  - every-schedule: completes
";

/// The sheet, as HTML.
pub fn cheat_sheet() -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>ipcsim on one page</title>\n\
         <style>\n{STYLE}</style>\n<h1>ipcsim on one page</h1>\n<main>\n\
         <h2>A scenario</h2>\n<pre>{}</pre>\n",
        escaped(WHOLE)
    );
    // The values of policies, paths and limits are looked up, and not learnt.
    let looked_up = ["Paths and limits", "Policies and personalities"];
    let learnt = chapters().into_iter().filter(|chapter| !looked_up.contains(&chapter.title));
    for Chapter { title, entries, .. } in learnt {
        let mut of = String::new();
        let (of_steps, others): (Vec<&Entry>, Vec<&Entry>) =
            entries.iter().partition(|entry| entry.sort == "a key of steps");
        for entry in others.into_iter().filter(|entry| entry.sort != "a thread that waits") {
            let heading = heading(title, entry);
            if heading != of {
                out.push_str(&format!("<h2>{}</h2>\n", escaped(&heading)));
                of = heading;
            }
            out.push_str(&line(title, entry));
        }
        if !of_steps.is_empty() {
            // What they mean depends on the step.
            let all: Vec<String> = of_steps.iter().map(|entry| entry.written.clone()).collect();
            let all = escaped(&all.join(" · "));
            out.push_str(&format!("<h2>Keys of steps</h2>\n<p><code>{all}</code></p>\n"));
        }
    }
    out.push_str(
        "<h2>Commands</h2>\n\
         <p><code>ipcsim run F</code> one run, <code>explore F</code> every schedule, <code>step F</code> you choose, \
         <code>repair F</code> cures, <code>test F</code> claims, <code>help WORD</code> more about any word</p>\n\
         </main>\n",
    );
    out
}

fn heading(title: &str, entry: &Entry) -> String {
    match entry.sort.split(',').next().unwrap_or("") {
        "a step" => "Steps".to_string(),
        "a function" => "Functions".to_string(),
        "a field of a message" => "Fields of a message".to_string(),
        "an end of a run or a schedule" => "Ends".to_string(),
        sort if sort.starts_with("a key of ") => format!("Keys of {}", &sort["a key of ".len()..]),
        _ => title.to_string(),
    }
}

fn line(title: &str, entry: &Entry) -> String {
    let written = entry.written.trim_start_matches("- ").trim();
    let meaning = entry.meaning.split(';').next().unwrap_or_default();
    let written = if title == "Outcomes" { entry.word } else { written };
    format!("<p><code>{}</code> {}</p>\n", escaped(written), escaped(meaning).replace('`', ""))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
