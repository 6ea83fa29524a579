//! What the compiler does not check.

mod house;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lines of code (without comments, blank lines and tests) that a file may have.
const FILE: usize = 450;
/// Lines of code that a function may have.
const FUNCTION: usize = 60;
/// Words that mark something unfinished; put together so that this file has none of them.
const MARKS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Checks every file of the repository that git would keep.
pub fn check() -> Result<(), String> {
    let root = crate::root();
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let mut found = Vec::new();
    for file in &files {
        let Ok(text) = fs::read_to_string(file) else { continue };
        let name = file.strip_prefix(&root).unwrap_or(file).display().to_string();
        check_text(&name, &text, &mut found);
        if is_rust(&name) {
            check_code(&name, &text, &mut found);
        }
    }
    check_kernel_dependencies(&root, &mut found);
    house::check(&root, &mut found);
    check_what_git_keeps(&root, &mut found);
    if found.is_empty() {
        println!("tidy: {} files", files.len());
        Ok(())
    } else {
        Err(found.join("\n"))
    }
}

/// What was built can be built again.
fn check_what_git_keeps(root: &Path, found: &mut Vec<String>) {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output();
    // Without git there is nothing that it keeps.
    let Ok(listed) = listed else { return };
    let names = String::from_utf8_lossy(&listed.stdout);
    for name in names.split('\0').filter(|name| name.split('/').any(|part| part == "target")) {
        found.push(format!("{name}: git keeps what was built"));
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if path.is_dir() {
            let skipped = name == "target"
                || name == ".git"
                || name == "book" && path.parent().is_some_and(|p| p.ends_with("book"));
            if !skipped && !name.starts_with(".venv") {
                collect(&path, files);
            }
        } else if matches!(
            path.extension().and_then(|e| e.to_str()),
            Some("rs" | "md" | "toml" | "yaml" | "py" | "json" | "cpp")
        ) {
            files.push(path);
        }
    }
}

fn check_text(name: &str, text: &str, found: &mut Vec<String>) {
    for (number, line) in text.lines().enumerate() {
        let place = format!("{name}:{}", number + 1);
        if let Some(mark) = MARKS.iter().find(|mark| line.contains(**mark)) {
            found.push(format!("{place}: {mark} is left here"));
        }
        if line.ends_with(' ') && !is_markdown(name) {
            found.push(format!("{place}: space at the end of the line"));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        found.push(format!("{name}: no line break at the end"));
    }
    if text.contains('\r') {
        found.push(format!("{name}: carriage return"));
    }
}

fn is_rust(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "rs")
}

fn is_markdown(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "md")
}

fn is_code(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with("//")
}

fn check_code(name: &str, text: &str, found: &mut Vec<String>) {
    let code = text.split("#[cfg(test)]").next().unwrap_or(text);
    let lines = code.lines().filter(|line| is_code(line)).count();
    if lines > FILE {
        found.push(format!("{name}: {lines} lines of code; at {FILE} a file has two nouns"));
    }
    if !text.trim_start().starts_with("//!") && !name.contains("catalogue/pages") {
        found.push(format!("{name}: a module begins with what it is"));
    }
    check_functions(name, code, found);
}

/// The code is formatted, so a function ends where a `}` stands under its `fn`.
fn check_functions(name: &str, code: &str, found: &mut Vec<String>) {
    let mut open: Vec<(usize, String, usize)> = Vec::new();
    for line in code.lines() {
        let indent = line.len() - line.trim_start().len();
        if let Some((start, function, lines)) = open.last_mut() {
            *lines += usize::from(is_code(line));
            if indent == *start && line.trim() == "}" {
                if *lines > FUNCTION {
                    found.push(format!(
                        "{name}: {function} has {lines} lines; {FUNCTION} is too many"
                    ));
                }
                open.pop();
            }
        }
        let trimmed = line.trim_start();
        let starts = ["fn ", "pub fn ", "pub(super) fn ", "pub(crate) fn ", "const fn "];
        if starts.iter().any(|start| trimmed.starts_with(start)) && !line.trim_end().ends_with(';')
        {
            let function =
                trimmed.split("fn ").nth(1).unwrap_or("").split(['(', '<']).next().unwrap_or("");
            open.push((indent, function.to_string(), 1));
        }
    }
}

/// Programs and the kernel stand on the standard library alone, the kernel on programs too.
fn check_kernel_dependencies(root: &Path, found: &mut Vec<String>) {
    for (folder, allowed) in
        [("program", None), ("kernel", Some("ipcsim-program.workspace = true"))]
    {
        let name = format!("sim/{folder}/Cargo.toml");
        let manifest = fs::read_to_string(root.join(&name)).unwrap_or_default();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or("");
        let lines = dependencies.lines().map(str::trim).take_while(|line| !line.starts_with('['));
        for line in lines.filter(|line| !line.is_empty() && Some(*line) != allowed) {
            found.push(format!("{name}: `{line}`; this crate stands on the standard library"));
        }
    }
}
