//! The files of a run's data: where they are now, and which of them have changed, as the run's `split.csv`
//! tells.

use super::difference::changes_in_words;
use super::resumed_run::ResumedRun;
use crate::cli::args::LabelsArgs;
use crate::cli::input::dataset::{VALIDATION_DATA, open};
use crate::cli::terminal::console;
use glassnet::Error;
use glassnet::data::catalog::{Catalog, name_in};
use glassnet::data::images::{Digest, hexadecimal};
use glassnet::data::source::{MAX_FILES, is_there};
use glassnet::error::shortened;
use glassnet::files::read_table;
use glassnet::report::csv_files::SplitRow;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::Value;

/// A set of a run, as `config.toml` and messages name it.
#[derive(Clone, Copy)]
pub struct Set {
    path: &'static str,
    absolute_path: &'static str,
    name: &'static str,
    /// True of the one that validates beside another that trains.
    further: bool,
}

/// DATA.
pub const DATA: Set = Set { path: "path", absolute_path: "absolute_path", name: "DATA", further: false };

/// The set that validates, where it is not in DATA.
pub const FURTHER: Set =
    Set { path: "validation_path", absolute_path: "validation_absolute_path", name: VALIDATION_DATA, further: true };

/// Returns where a set of the run is, if it is there: at the path that was given or, as seen from another
/// folder, at the absolute one. Where there is something at both, the files decide.
pub fn place(run: &ResumedRun, set: Set) -> Option<PathBuf> {
    let at = |key| run.data_text(key).map(PathBuf::from).filter(|path| is_there(path));
    let (given, absolute) = match (at(set.path), at(set.absolute_path)) {
        (given, None) => return given,
        (None, Some(absolute)) => (None, absolute),
        (Some(given), Some(absolute)) => {
            if given.canonicalize().is_ok_and(|given| given == absolute)
                || holds(&given, &run.labels(set.further), &recorded(run, set))
            {
                return Some(given);
            }
            (Some(given), absolute)
        }
    };
    let shown = absolute.display().to_string();
    let why = match given {
        Some(given) => format!("as {} here holds other files", given.display()),
        None => format!("as there is no {} here", run.data_text(set.path).map(shortened).unwrap_or_default()),
    };
    console::progress(&console::one_line(&format!("The images are taken from {}, {why}.", shortened(&shown))));
    Some(absolute)
}

/// The name of a set that is now at `path`: as it was given when the run began, if it is still the same
/// place. A run keeps that name, in its tables too, from whatever folder it goes on.
pub fn name(run: &ResumedRun, set: Set, path: &Path) -> PathBuf {
    let given = run.data_text(set.path).map(PathBuf::from);
    let is_the_same = || Some(path.canonicalize().ok()? == Path::new(run.data_text(set.absolute_path)?));
    given.filter(|_| is_the_same() == Some(true)).unwrap_or_else(|| path.to_path_buf())
}

/// A line of `split.csv`. Runs of earlier versions have no hashes.
#[derive(Deserialize)]
struct Row {
    file: String,
    #[serde(default)]
    sha256: String,
}

/// The files of a set of the run and their hashes; nothing, where that cannot be told.
fn recorded(run: &ResumedRun, set: Set) -> BTreeMap<String, String> {
    // Of a cross-validation each fold lists all files.
    let fold = run.setting("only_fold").and_then(Value::as_integer).unwrap_or(1);
    let lists = ["split.csv", &format!("fold{fold}/split.csv")].map(|name| run.folder.file(name));
    let text = lists.iter().find_map(|list| read_table(list).ok()).unwrap_or_default();
    let rows = csv::Reader::from_reader(text.as_bytes()).into_deserialize::<Row>().take(MAX_FILES);
    let rows = rows.map_while(Result::ok).map(|row| (row.file, row.sha256));
    of_set(rows, run.data_text(FURTHER.path), set)
}

/// The files of one set out of those of both; `further` is where the one that validates is, as its files'
/// names tell.
fn of_set(files: impl Iterator<Item = (String, String)>, further: Option<&str>, set: Set) -> BTreeMap<String, String> {
    let before = further.map(|further| name_in(further, ""));
    let inner = |file: &str| Some(file.strip_prefix(before.as_deref()?)?.to_string());
    files
        .filter_map(|(file, sha256)| match (inner(&file), set.further) {
            (Some(inner), true) => Some((inner, sha256)),
            (None, false) => Some((file, sha256)),
            _ => None,
        })
        .collect()
}

/// Returns whether there are these files at `path`, and no others.
fn holds(path: &Path, labels: &LabelsArgs, files: &BTreeMap<String, String>) -> bool {
    let Ok(source) = open(path, labels) else { return false };
    let Ok(catalog) = Catalog::from_source(&source) else { return false };
    catalog.items.len() == files.len()
        && catalog.items.iter().all(|item| {
            let same = |digest: Digest| files[&item.path] == hexadecimal(&digest);
            files.get(&item.path).is_some_and(|sha256| sha256.is_empty() || source.sha256(item.entry).is_ok_and(same))
        })
}

/// The error that names the files of the data that have changed, where the `difference` is one of the data;
/// nothing, where the run does not tell which. `data` is the table of the data as they are now.
pub fn changed_files(run: &ResumedRun, difference: &str, data: Option<&Value>, files: &[SplitRow]) -> Option<Error> {
    let key = difference.strip_prefix("data.")?;
    if key.starts_with("classes") || key == "positive_class" {
        return None;
    }
    [DATA, FURTHER].into_iter().find_map(|set| changed_files_of(run, set, data, files))
}

fn changed_files_of(run: &ResumedRun, set: Set, data: Option<&Value>, files: &[SplitRow]) -> Option<Error> {
    let was = recorded(run, set);
    let further = data.and_then(|data| data.get(FURTHER.path)).and_then(Value::as_str);
    let sha256 = |row: &SplitRow| row.sha256.as_ref().map(hexadecimal).unwrap_or_default();
    let now = of_set(files.iter().map(|row| (row.file.to_string(), sha256(row))), further, set);
    if was.values().all(String::is_empty) {
        return None;
    }
    let run = run.folder.path().display();
    changes_in_words(&was, &now).map(|changes| {
        let reason =
            format!("the images are not those of the run in {run}: {changes}; give the same data, or start a new run");
        Error::data(set.name, reason)
    })
}
