//! A run that was made before, as its folder tells of it.

use crate::cli::run_folder::RunFolder;
use crate::cli::run_folder::identity::identity;
use glassnet::files::{read_table, read_text};
use glassnet::{Error, Result};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use toml::{Table, Value};

/// A run, as its folder tells of it.
pub struct PastRun {
    /// Its folder.
    pub name: String,
    /// `config.toml`.
    pub config: Table,
    /// What makes the run what it is, as text, the tables in it by `table.key`.
    pub settings: BTreeMap<String, String>,
    /// The measures of `history.csv`, a value for each epoch.
    pub history: BTreeMap<String, Vec<f64>>,
}

impl PastRun {
    /// Whether a folder is that of a run that has ended an epoch.
    pub fn is_there(folder: &Path) -> bool {
        RunFolder::has_begun(folder) && folder.join("history.csv").is_file()
    }

    /// Reads the run in a folder.
    ///
    /// # Errors
    /// Those of files that cannot be read, and of such as no run writes.
    pub fn read(folder: &Path) -> Result<PastRun> {
        let file = folder.join("config.toml");
        let config: Table = read_text(&file)?
            .parse()
            .map_err(|error: toml::de::Error| Error::data(&file, format!("it is no TOML: {}", error.message())))?;
        let mut settings = BTreeMap::new();
        for (part, table) in identity(&config) {
            if let Value::Table(table) = table {
                flatten(&part, &table, &mut settings);
            }
        }
        let file = folder.join("history.csv");
        let text = read_table(&file)?;
        let fail = |error: csv::Error| Error::data(&file, format!("it cannot be read: {error}"));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let names: Vec<String> = reader.headers().map_err(fail)?.iter().map(str::to_string).collect();
        let mut history: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for row in reader.records() {
            let row = row.map_err(fail)?;
            for (name, value) in names.iter().zip(&row).filter(|(name, value)| *name != "epoch" && !value.is_empty()) {
                history.entry(name.clone()).or_default().push(value.parse().unwrap_or(f64::NAN));
            }
        }
        Ok(PastRun { name: folder.display().to_string(), config, settings, history })
    }

    /// The best value of a measure over all epochs.
    pub fn best(&self, measure: &str) -> Option<f64> {
        let better = if is_better_low(measure) { f64::min } else { f64::max };
        self.history.get(measure)?.iter().copied().filter(|value| !value.is_nan()).reduce(better)
    }

    /// The number of epochs that have ended.
    pub fn epochs(&self) -> usize {
        self.history.values().map(Vec::len).max().unwrap_or(0)
    }

    /// The run in one object: its best measures and its settings.
    pub fn json(&self) -> serde_json::Value {
        let best: BTreeMap<&String, Option<f64>> =
            self.history.keys().map(|measure| (measure, self.best(measure))).collect();
        json!({ "run": self.name, "epochs": self.epochs(), "best": best, "settings": self.settings })
    }
}

/// Whether less of a measure is better: a loss.
pub fn is_better_low(measure: &str) -> bool {
    measure.contains("loss")
}

/// Adds a table's values under their keys, those of tables in it under `table.key`.
fn flatten(part: &str, table: &Table, into: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        // A setting's name alone says enough, and is the flag's.
        let key = if part == "settings" { key.clone() } else { format!("{part}.{key}") };
        match value {
            Value::Table(inner) => flatten(&key, inner, into),
            Value::String(text) => drop(into.insert(key, text.clone())),
            value => drop(into.insert(key, value.to_string().split_whitespace().collect::<Vec<_>>().join(" "))),
        }
    }
}
