//! The source as the tests read it: its files, and their code without comments and tests.

use std::path::{Path, PathBuf};

/// Returns the folder of the source.
pub fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Reads a file of the source.
pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Adds all files below `path`, tests left out, each with its depth: the names in its module's path, where
/// `path` itself has `depth`.
pub fn files(path: &Path, depth: usize, found: &mut Vec<(PathBuf, usize)>) {
    for entry in std::fs::read_dir(path).into_iter().flatten() {
        let path = entry.expect("a folder of the source can be listed").path();
        let stem = path.file_stem().unwrap_or_default();
        if path.is_dir() {
            files(&path, depth + 1, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") && stem != "tests" {
            found.push((path.clone(), depth + usize::from(stem != "mod")));
        }
    }
}

/// Returns the code without comments and without what is compiled for tests alone, which may use anything.
pub fn code(text: &str) -> String {
    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut code = String::new();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            code += line;
            code.push('\n');
            continue;
        }
        // The item ends with its first line, or with the brace that is as far to the left as it is.
        let end = format!("{}}}", &line[..line.len() - line.trim_start().len()]);
        let item = lines.by_ref().find(|line| !line.trim_start().starts_with("#["));
        if item.is_some_and(|item| item.ends_with('{')) {
            lines.by_ref().find(|line| *line == end);
        }
    }
    code
}
