//! The book: every page is in the summary, every link leads somewhere, and mdBook builds it.

use std::fs;
use std::process::Command;

/// Checks the book, and builds it if mdBook is installed.
pub fn check() -> Result<(), String> {
    let source = crate::root().join("book/src");
    let read = |name: &str| {
        fs::read_to_string(source.join(name)).map_err(|error| format!("book/src/{name}: {error}"))
    };
    let summary = read("SUMMARY.md")?;
    let mut found = Vec::new();
    let mut pages = Vec::new();
    let entries = fs::read_dir(&source).map_err(|error| format!("book/src: {error}"))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().to_string();
        if std::path::Path::new(&name).extension().is_some_and(|extension| extension == "md") {
            if name != "SUMMARY.md" && !summary.contains(&format!("({name})")) {
                found.push(format!("book/src/{name} is not in the summary"));
            }
            pages.push(name);
        }
    }
    for page in &pages {
        let text = read(page)?;
        for target in links(&text) {
            if !target.contains("://") && !target.starts_with('#') {
                let file = target.split('#').next().unwrap_or(target);
                if !source.join(file).exists() {
                    found.push(format!("book/src/{page}: the link to {target} leads nowhere"));
                }
            }
        }
        let mut open = false;
        for (number, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                if !open && line.trim() == "```" {
                    found.push(format!(
                        "book/src/{page}:{}: a fence without a language",
                        number + 1
                    ));
                }
                open = !open;
            }
        }
    }
    if !found.is_empty() {
        return Err(found.join("\n"));
    }
    build()
}

fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

fn build() -> Result<(), String> {
    let built = Command::new("mdbook").arg("build").arg(crate::root().join("book")).status();
    match built {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("mdbook build: {status}")),
        Err(_) => {
            println!(
                "book: checked; mdbook is not installed, so it was not built (cargo install mdbook)"
            );
            Ok(())
        }
    }
}
