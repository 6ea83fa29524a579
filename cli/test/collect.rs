//! Which files are tested: those that are named, and those in the folders that are.

use std::path::{Path, PathBuf};

/// A file that is tested.
pub(super) struct Found {
    /// How it is named to the user.
    pub path: String,
    /// What it is called among the others: below a folder the way from there.
    pub key: PathBuf,
}

/// The scenario files below a folder, in order; or the file itself.
pub(super) fn collect(path: &str) -> Result<Vec<Found>, String> {
    let root = Path::new(path);
    if !root.is_dir() {
        let key = root.file_name().map_or_else(|| PathBuf::from("stdin"), PathBuf::from);
        return Ok(vec![Found { path: path.to_string(), key }]);
    }
    let unread = |folder: &Path, error| format!("{} cannot be read: {error}", folder.display());
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|error| unread(&folder, error))?;
        for entry in entries {
            let entry = entry.map_err(|error| unread(&folder, error))?;
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder {
                folders.push(path);
            } else if is_yaml(&path) && path.is_file() {
                files.push(path);
            }
        }
    }
    if files.is_empty() {
        return Err(format!("there are no scenario files (*.yaml) in {path}"));
    }
    files.sort();
    let found = |path: PathBuf| Found {
        key: path.strip_prefix(root).unwrap_or(&path).to_path_buf(),
        path: path.display().to_string(),
    };
    Ok(files.into_iter().map(found).collect())
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}
