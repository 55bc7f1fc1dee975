//! The width of comments: prose ends at 110 columns, so that two files fit beside each other on a screen.

use std::path::{Path, PathBuf};

/// The last column of a line of prose.
const WIDTH: usize = 110;

/// All Rust files below a folder.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    let files = paths.flat_map(|path| match path.is_dir() {
        true => rust_files(&path),
        false => vec![path],
    });
    files.filter(|path| path.extension().is_some_and(|suffix| suffix == "rs")).collect()
}

/// The numbers of the lines of comment that are too long. Rows of a table, code, and a formula that begins
/// its line are no prose.
fn too_long(text: &str) -> Vec<usize> {
    let mut is_code = false;
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some(comment) = line.trim_start().strip_prefix("//") else { continue };
        let comment = comment.trim_start_matches(['/', '!']).trim_start();
        if comment.starts_with("```") {
            is_code = !is_code;
        } else if !is_code && !comment.starts_with(['|', '`']) && line.chars().count() > WIDTH {
            lines.push(number + 1);
        }
    }
    lines
}

#[test]
fn prose_ends_at_110_columns() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<PathBuf> =
        ["src", "tests", "benches", "examples"].iter().flat_map(|folder| rust_files(&root.join(folder))).collect();
    assert!(files.len() > 200, "{} files", files.len());
    let found: Vec<String> = files
        .iter()
        .flat_map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            too_long(&text).into_iter().map(|line| format!("{}:{line}", path.display())).collect::<Vec<_>>()
        })
        .collect();
    assert!(found.is_empty(), "comments of more than {WIDTH} columns:\n{}", found.join("\n"));
}

#[test]
fn long_prose_is_found_and_tables_code_and_formulas_are_left_alone() {
    let long = "x ".repeat(60);
    assert_eq!(too_long(&format!("// short\n    /// {long}\n//! {long}\nlet a = 1; // {long}")), [2, 3]);
    assert_eq!(too_long(&format!("/// | {long} |\n/// `{long}`\n/// ```\n/// {long}\n/// ```")), []);
}
