//! Collects the scenarios of the repository, so that they can be built into the program.

#![expect(clippy::unwrap_used, reason = "a build that cannot read its own files has to stop")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=scenarios");
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap());
    let mut files = Vec::new();
    collect(&root.join("scenarios"), &mut files);
    files.sort();
    // A scenario is named by its file alone.
    let mut names: Vec<_> = files.iter().filter_map(|file| file.file_stem()).collect();
    names.sort_unstable();
    let twice = names.iter().zip(names.iter().skip(1)).find(|(one, other)| one == other);
    assert!(twice.is_none(), "two scenarios have the same name: {twice:?}");
    let mut code = String::from(
        "/// Every scenario of the repository, in order of the path.\npub(crate) const LIBRARY: &[BuiltIn] = &[\n",
    );
    for file in &files {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let path = file.strip_prefix(&root).unwrap().to_str().unwrap();
        writeln!(
            code,
            "    BuiltIn {{ name: {name:?}, path: {path:?}, text: include_str!({:?}) }},",
            file.to_str().unwrap()
        )
        .unwrap();
    }
    code.push_str("];\n");
    let out = PathBuf::from(std::env::var("OUT_DIR").unwrap()).join("library.rs");
    std::fs::write(out, code).unwrap();
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            println!("cargo::rerun-if-changed={}", path.display());
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
}
