//! The course in `docs`: its commands are run and what they print compared, its pictures are made anew and
//! compared, its links lead somewhere, and every chapter has all its parts. Its Rust blocks are doctests, by
//! `src/course.rs`. `UPDATE_EXPECT=1 cargo test --release --test course` brings outputs and pictures up to
//! date.

mod canvas;
mod chapters;
mod console;
mod links;
mod maps;
mod pictures;

use std::path::{Path, PathBuf};

/// Returns a path below the repository's root.
fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Whether what is expected is to be brought up to date, as in `expect_test`.
fn updates() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some()
}

/// A page of the course.
struct Page {
    /// Its name in `docs`.
    name: String,
    text: String,
}

/// Reads all pages, in the order of their names.
fn pages() -> Vec<Page> {
    let entries = std::fs::read_dir(root("docs")).expect("the course can be listed");
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".md")).collect();
    names.sort();
    let page = |name: String| Page { text: std::fs::read_to_string(root("docs").join(&name)).unwrap(), name };
    names.into_iter().map(page).collect()
}

/// Reads the chapters, which are the pages that begin with a number.
fn chapters() -> Vec<Page> {
    pages().into_iter().filter(|page| page.name.starts_with(|first: char| first.is_ascii_digit())).collect()
}
