//! The book and the README tell the truth: every command in them is run, and prints what they show.
//!
//! `UPDATE_BOOK=1` writes what is printed into the pages; read the difference before you commit it.

mod common;

use std::path::PathBuf;
use std::process::Command;

/// A fenced block: its language, its text, and where the text is in its page.
struct Block {
    language: String,
    text: String,
    at: std::ops::Range<usize>,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, usize)> = None;
    let mut at = 0;
    for line in page.split_inclusive('\n') {
        let fence = line.trim().strip_prefix("```");
        match (&open, fence) {
            (None, Some(language)) => open = Some((language.to_string(), at + line.len())),
            (Some((language, start)), Some("")) => {
                let text = page[*start..at].to_string();
                blocks.push(Block { language: language.clone(), text, at: *start..at });
                open = None;
            }
            _ => {}
        }
        at += line.len();
    }
    blocks
}

fn pages() -> Vec<PathBuf> {
    let mut pages = vec![common::repository("README.md")];
    let chapters = std::fs::read_dir(common::repository("book/src")).expect("the book is there");
    for chapter in chapters.flatten() {
        if chapter.path().extension().is_some_and(|extension| extension == "md") {
            pages.push(chapter.path());
        }
    }
    pages.sort();
    pages
}

/// A folder with the files that the book tells its reader to write.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let crossing =
        std::fs::read_to_string(common::repository("scenarios/buffering/mutual-send.yaml"))
            .expect("the lecture's example is there");
    let send = "    - send: p1-my-status\n      to: P2\n";
    let receive = "    - receive: p1-peer-status\n      from: P2\n";
    let listens = crossing.replace(&format!("{send}{receive}"), &format!("{receive}{send}"));
    assert_ne!(listens, crossing, "P1 listens first");
    std::fs::write(folder.join("listens.yaml"), listens).expect("a file can be written");
    let wrong = "processes:\n  P1:\n    - lgo: hello\n";
    std::fs::write(folder.join("mine.yaml"), wrong).expect("a file can be written");
    // What a page shows with a name in its first line is a file of that name.
    for page in pages() {
        let page = std::fs::read_to_string(page).expect("a page can be read");
        for block in blocks(&page) {
            let first = block.text.lines().next().unwrap_or_default();
            let Some(name) = first.strip_prefix("# ") else { continue };
            let file = folder.join(name);
            if file.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            let parent = file.parent().expect("a file is in a folder");
            std::fs::create_dir_all(parent).expect("a folder can be made");
            std::fs::write(file, block.text).expect("a file can be written");
        }
    }
    folder
}

fn run(folder: &PathBuf, command: &str) -> String {
    let mut words = command.split_whitespace().map(|word| word.trim_matches('\''));
    assert_eq!(words.next(), Some("ipcsim"), "{command}");
    let output = Command::new(env!("CARGO_BIN_EXE_ipcsim"))
        .args(words)
        .current_dir(folder)
        .output()
        .expect("the program runs");
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    String::from_utf8(text).expect("the program writes UTF-8")
}

#[test]
fn every_command_prints_what_the_page_shows() {
    let folder = folder("book");
    let update = std::env::var_os("UPDATE_BOOK").is_some();
    let mut wrong = Vec::new();
    let mut commands = 0;
    for path in pages() {
        let page = std::fs::read_to_string(&path).expect("a page can be read");
        // One after the other, as a reader types them.
        let mut differing = Vec::new();
        for block in blocks(&page) {
            let Some(rest) = block.text.strip_prefix("$ ") else { continue };
            let (command, shown) = rest.split_once('\n').expect("a command is a line");
            let printed = run(&folder, command);
            commands += 1;
            if printed.trim_end() != shown.trim_end() {
                wrong.push(format!("{}: {command}\n{printed}", path.display()));
                differing.push((block.at, format!("$ {command}\n{}\n", printed.trim_end())));
            }
        }
        let mut changed = page.clone();
        for (at, text) in differing.into_iter().rev() {
            changed.replace_range(at, &text);
        }
        if update && changed != page {
            std::fs::write(&path, changed).expect("a page can be written");
        }
    }
    assert!(commands >= 5, "only {commands} commands were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A token in running text belongs to the scenario that is named beside it.
#[test]
fn every_replay_in_running_text_can_be_typed() {
    let folder = folder("book-replays");
    let mut commands = 0;
    for path in pages() {
        let page = std::fs::read_to_string(&path).expect("a page can be read").replace('\n', " ");
        let inline = page.split('`').skip(1).step_by(2);
        let is_whole = |it: &&str| it.starts_with("ipcsim replay ") && !it.contains("TOKEN");
        for command in inline.filter(is_whole) {
            let printed = run(&folder, command);
            assert!(!printed.starts_with("error"), "{}: {command}\n{printed}", path.display());
            commands += 1;
        }
    }
    assert!(commands > 0, "no page has one");
}

/// What stands between `<!-- name -->` and `<!-- end -->` is made from the tables of the code.
#[test]
fn the_tables_in_the_book_are_those_of_the_code() {
    let path = common::repository("book/src/trace-format.md");
    let page = std::fs::read_to_string(&path).expect("a page can be read");
    let tables = [
        ("keys", ipcsim_report::trace::keys_table()),
        ("events", ipcsim_report::trace::events_table()),
    ];
    let mut right = page.clone();
    for (name, table) in tables {
        let begin = format!("<!-- {name} -->\n");
        let from = right.find(&begin).expect("the page has a place for the table") + begin.len();
        let to = from + right[from..].find("<!-- end -->").expect("the place has an end");
        right.replace_range(from..to, &table);
    }
    if std::env::var_os("UPDATE_BOOK").is_some() {
        std::fs::write(&path, &right).expect("a page can be written");
    } else {
        assert_eq!(page, right, "UPDATE_BOOK=1 writes the tables");
    }
}

#[test]
fn the_reference_in_the_book_is_that_of_the_program() {
    let pages = ipcsim_scenario::reference::chapters().into_iter().map(|chapter| {
        let text = format!("<!-- made from the tables of the code -->\n\n{}", chapter.markdown());
        (chapter.file(), text)
    });
    let sheet = ("cheat-sheet.html".to_string(), ipcsim_scenario::reference::cheat_sheet());
    for (file, right) in pages.chain([sheet]) {
        let path = common::repository("book/src").join(file);
        if std::env::var_os("UPDATE_BOOK").is_some() {
            std::fs::write(&path, &right).expect("a page can be written");
        }
        let page = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(page == right, "{}: UPDATE_BOOK=1 writes it", path.display());
    }
}

#[test]
fn the_picture_in_the_readme_is_that_of_the_first_command() {
    let readme =
        std::fs::read_to_string(common::repository("README.md")).expect("a README is there");
    let printed = run(&folder("readme"), "ipcsim run mutual-send");
    let shown = blocks(&readme).into_iter().find(|block| block.language == "text");
    assert_eq!(shown.expect("the README has a picture").text, printed);
}

#[test]
fn every_whole_scenario_in_a_page_is_right() {
    for path in pages() {
        let page = std::fs::read_to_string(&path).expect("a page can be read");
        for block in blocks(&page) {
            if block.language == "yaml" && block.text.contains("\nprocesses:") {
                common::loaded(&path.display().to_string(), &block.text, &[]);
            }
        }
    }
}
