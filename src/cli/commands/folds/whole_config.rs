//! The `config.toml` of a whole cross-validation, from that of a fold.

use super::finished_fold::{FinishedFold, SKIPPED, sha256};
use glassnet::classes::{Classes, Label};
use glassnet::report::csv_files::SplitLine;
use glassnet::{Error, Result};
use toml::{Table, Value};

/// Returns the text that `train --folds` writes, without `outcome`, as a cross-validation has none. The keys
/// stand in the order of the fold's own.
///
/// # Errors
/// [`Error::Data`], where the fold's cannot be used for it.
pub fn whole_config(fold: &FinishedFold, classes: &Classes) -> Result<String> {
    let catalog = in_order(fold.files.iter(), classes);
    let (skipped, readable): (Vec<&SplitLine>, Vec<&SplitLine>) =
        catalog.into_iter().partition(|line| line.subset == SKIPPED);
    let changes = Changes {
        folds: Value::Integer(fold.fold.of as i64),
        sha256: Value::String(sha256(readable.into_iter())),
        skipped: Value::Array(skipped.iter().map(|line| Value::String(line.file.clone())).collect()),
    };
    let wanted = changes.applied_to(fold.config.clone());
    let text = changes.applied_to_text(&fold.text);
    // A key within a text of several lines would have been changed as well.
    if text.parse::<Table>().is_ok_and(|table| table == wanted) {
        return Ok(text);
    }
    toml::to_string(&wanted)
        .map_err(|error| Error::data(fold.folder.join("config.toml"), format!("it cannot be used: {error}")))
}

/// The files in the order of a data set: class by class, those of a folder before those in folders of it.
fn in_order<'a>(files: impl Iterator<Item = &'a SplitLine>, classes: &Classes) -> Vec<&'a SplitLine> {
    let key = |line: &&'a SplitLine| {
        let line: &'a SplitLine = line;
        let folder = line.file.rsplit_once('/').map_or("", |(folder, _)| folder);
        (classes.label(&line.class).map(Label::index), folder, line.file.as_str())
    };
    let mut files: Vec<&SplitLine> = files.collect();
    files.sort_by_key(key);
    files
}

/// The values in which the whole differs from a fold.
struct Changes {
    folds: Value,
    sha256: Value,
    skipped: Value,
}

/// The keys of a fold's data that a whole has none of.
const OF_FOLDS: [&str; 3] = ["range", "training_images", "validation_images"];

impl Changes {
    fn applied_to(&self, mut config: Table) -> Table {
        config.remove("outcome");
        if let Some(settings) = config.get_mut("settings").and_then(Value::as_table_mut) {
            settings.remove("fold");
            settings.insert("folds".into(), self.folds.clone());
        }
        if let Some(data) = config.get_mut("data").and_then(Value::as_table_mut) {
            data.retain(|key, _| !OF_FOLDS.contains(&key));
            data.insert("sha256".into(), self.sha256.clone());
            if data.contains_key("skipped_images") {
                data.insert("skipped_images".into(), self.skipped.clone());
            }
        }
        config
    }

    /// The same, line by line.
    fn applied_to_text(&self, text: &str) -> String {
        let mut table = "";
        let mut lines: Vec<String> = Vec::new();
        for line in text.lines() {
            if line.starts_with('[') {
                table = line;
            }
            let key = line.split_once(" = ").map_or("", |(key, _)| key);
            lines.push(match (table, key) {
                ("[outcome]", _) => continue,
                ("[settings]", "fold") => format!("folds = {}", self.folds),
                ("[data]", "sha256") => format!("sha256 = {}", self.sha256),
                ("[data]", "skipped_images") => format!("skipped_images = {}", self.skipped),
                ("[data]", key) if OF_FOLDS.contains(&key) => continue,
                _ => line.to_string(),
            });
        }
        lines.join("\n").trim_end().to_string() + "\n"
    }
}
