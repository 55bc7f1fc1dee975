//! `glassnet runs`: run folders beside each other.

use crate::cli::args::RunsArgs;
use crate::cli::input::past_run::{PastRun, is_better_low};
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::console::{self, aligned};
use crate::cli::terminal::output;
use glassnet::report::pictures::{MOST_RUNS, RunCurve, write_run_curves};
use glassnet::{Error, Result};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Lists the runs, and draws them.
pub fn run(args: &RunsArgs) -> CommandResult {
    if let Some(path) = &args.plot {
        output::check_picture("--plot", path)?;
    }
    let folders = folders(&args.folders)?;
    let mut runs = Vec::new();
    let mut failed = false;
    for folder in &folders {
        match PastRun::read(folder) {
            Ok(run) => runs.push(run),
            Err(error) => {
                console::error(&error.to_string());
                failed = true;
            }
        }
    }
    let best = |run: &PastRun| run.best(&args.by).unwrap_or(f64::NAN);
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
        console::print_json(&json!({ "by": args.by, "runs": runs.iter().map(PastRun::json).collect::<Vec<_>>() }))?;
    } else {
        for line in table(&runs, &args.by) {
            console::print(&line)?;
        }
    }
    if let Some(path) = &args.plot {
        let curve = |run: &PastRun| RunCurve {
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
        if PastRun::is_there(folder) {
            found.push(folder.clone());
            continue;
        }
        let entries = std::fs::read_dir(folder).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::setting("DIR", format!("{} does not exist", folder.display())),
            _ => Error::io("read", folder)(error),
        })?;
        let mut inside: Vec<PathBuf> =
            entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| PastRun::is_there(path)).collect();
        inside.sort_by_key(|path| natural(path));
        if inside.is_empty() {
            let reason = format!("{} holds no run; give run folders, or a folder of them", folder.display());
            return Err(Error::setting("DIR", reason));
        }
        found.extend(inside);
    }
    Ok(found)
}

/// What orders train2 before train10: the name's letters, and its number.
fn natural(path: &Path) -> (String, u64, String) {
    let name = path.display().to_string();
    let letters = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (letters.to_string(), name[letters.len()..].parse().unwrap_or(0), name.clone())
}

/// The measures that any run has.
fn measures(runs: &[PastRun]) -> Vec<&str> {
    let all: BTreeSet<&str> = runs.iter().flat_map(|run| run.history.keys().map(String::as_str)).collect();
    all.into_iter().collect()
}

/// A line for each run: its epochs, its best measures, and the settings in which the runs differ.
fn table(runs: &[PastRun], by: &str) -> Vec<String> {
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
    aligned(&rows)
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
