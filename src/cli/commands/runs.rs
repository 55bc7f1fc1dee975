//! `glassnet runs`: run folders beside each other.

use crate::cli::args::RunsArgs;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::run::resume::difference::identity;
use crate::cli::terminal::{console, output};
use glassnet::files::{read_table, read_text};
use glassnet::report::pictures::{MOST_RUNS, RunCurve, write_run_curves};
use glassnet::{Error, Result};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// A run, as its folder tells of it.
struct Run {
    name: String,
    /// What makes the run what it is, as text, the tables in it by `table.key`.
    settings: BTreeMap<String, String>,
    /// The measures of `history.csv`, a value for each epoch.
    history: BTreeMap<String, Vec<f64>>,
}

/// Lists the runs, and draws them.
pub fn run(args: &RunsArgs) -> CommandResult {
    if let Some(path) = &args.plot {
        output::check_picture("--plot", path)?;
    }
    let folders = folders(&args.folders)?;
    let mut runs = Vec::new();
    let mut failed = false;
    for folder in &folders {
        match Run::read(folder) {
            Ok(run) => runs.push(run),
            Err(error) => {
                console::error(&error.to_string());
                failed = true;
            }
        }
    }
    let best = |run: &Run| run.best(&args.by).unwrap_or(f64::NAN);
    // NaN, of a run without the measure, comes last in either order.
    runs.sort_by(|a, b| {
        let (a, b) = (best(a), best(b));
        let order = if is_better_low(&args.by) { a.total_cmp(&b) } else { b.total_cmp(&a) };
        a.is_nan().cmp(&b.is_nan()).then(order)
    });
    if runs.iter().all(|run| run.best(&args.by).is_none()) && !runs.is_empty() {
        let reason = format!("no run has it in its history.csv; there are {}", measures(&runs).join(", "));
        return Err(Error::value("--by", &args.by, reason).into());
    }
    if args.json {
        console::print_json(&json!({ "by": args.by, "runs": runs.iter().map(Run::json).collect::<Vec<_>>() }))?;
    } else {
        for line in table(&runs, &args.by) {
            console::print(&line)?;
        }
    }
    if let Some(path) = &args.plot {
        let curve = |run: &Run| RunCurve {
            name: run.name.clone(),
            values: run.history.get(&args.by).cloned().unwrap_or_default(),
        };
        if runs.len() > MOST_RUNS {
            console::warn(&format!("{} shows the best {MOST_RUNS} of {} runs", path.display(), runs.len()));
        }
        write_run_curves(path, &args.by, &runs.iter().map(curve).collect::<Vec<_>>())?;
    }
    Ok(if failed { Outcome::PartlyFailed } else { Outcome::Done })
}

/// The run folders that are meant: those given, and of a folder that is none itself, those in it.
fn folders(given: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in given {
        if is_run(folder) {
            found.push(folder.clone());
            continue;
        }
        let entries = std::fs::read_dir(folder).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::setting("DIR", format!("{} does not exist", folder.display())),
            _ => Error::io("read", folder)(error),
        })?;
        let mut inside: Vec<PathBuf> =
            entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_run(path)).collect();
        inside.sort_by_key(|path| natural(path));
        if inside.is_empty() {
            let reason = format!("{} holds no run; give run folders, or a folder of them", folder.display());
            return Err(Error::setting("DIR", reason));
        }
        found.extend(inside);
    }
    Ok(found)
}

/// Whether a folder is that of a run that has ended an epoch.
fn is_run(folder: &Path) -> bool {
    folder.join("config.toml").is_file() && folder.join("history.csv").is_file()
}

/// What orders train2 before train10: the name's letters, and its number.
fn natural(path: &Path) -> (String, u64, String) {
    let name = path.display().to_string();
    let letters = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (letters.to_string(), name[letters.len()..].parse().unwrap_or(0), name.clone())
}

impl Run {
    fn read(folder: &Path) -> Result<Run> {
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
        Ok(Run { name: folder.display().to_string(), settings, history })
    }

    /// The best value of a measure over all epochs.
    fn best(&self, measure: &str) -> Option<f64> {
        let better = if is_better_low(measure) { f64::min } else { f64::max };
        self.history.get(measure)?.iter().copied().filter(|value| !value.is_nan()).reduce(better)
    }

    /// The number of epochs that have ended.
    fn epochs(&self) -> usize {
        self.history.values().map(Vec::len).max().unwrap_or(0)
    }

    fn json(&self) -> serde_json::Value {
        let best: BTreeMap<&String, Option<f64>> =
            self.history.keys().map(|measure| (measure, self.best(measure))).collect();
        json!({ "run": self.name, "epochs": self.epochs(), "best": best, "settings": self.settings })
    }
}

/// Whether less of a measure is better: a loss.
fn is_better_low(measure: &str) -> bool {
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

/// The measures that any run has.
fn measures(runs: &[Run]) -> Vec<&str> {
    let all: BTreeSet<&str> = runs.iter().flat_map(|run| run.history.keys().map(String::as_str)).collect();
    all.into_iter().collect()
}

/// A line for each run: its epochs, its best measures, and the settings in which the runs differ.
fn table(runs: &[Run], by: &str) -> Vec<String> {
    let keys: BTreeSet<&String> = runs.iter().flat_map(|run| run.settings.keys()).collect();
    let differs = |key: &&String| {
        let first = runs.first().and_then(|run| run.settings.get(*key));
        runs.iter().any(|run| run.settings.get(*key) != first)
    };
    let settings: Vec<&String> = keys.into_iter().filter(differs).collect();
    let mut shown = vec![by];
    shown.extend(["val_loss", "val_accuracy", "loss", "accuracy"].iter().filter(|measure| **measure != by));
    shown.retain(|measure| runs.iter().any(|run| run.best(measure).is_some()));
    let mut rows = vec![{
        let mut heading = vec!["run".to_string(), "epochs".into()];
        heading.extend(shown.iter().map(|measure| measure.to_string()));
        heading.extend(settings.iter().map(|key| key.to_string()));
        heading
    }];
    for run in runs {
        let mut row = vec![console::one_line(&run.name).into_owned(), run.epochs().to_string()];
        row.extend(shown.iter().map(|measure| run.best(measure).map_or("-".into(), |best| format!("{best:.4}"))));
        row.extend(settings.iter().map(|key| match run.settings.get(*key) {
            Some(value) => console::one_line(&value.chars().take(LONGEST_SETTING).collect::<String>()).into_owned(),
            None => "-".into(),
        }));
        rows.push(row);
    }
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_string()
    };
    rows.iter().map(line).collect()
}

/// Characters of a setting's value that the table shows.
const LONGEST_SETTING: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_ordered_as_numbers() {
        let mut names = ["runs/train10", "runs/a", "runs/train2"].map(PathBuf::from);
        names.sort_by_key(|path| natural(path));
        assert_eq!(names, ["runs/a", "runs/train2", "runs/train10"].map(PathBuf::from));
    }
}
