//! What has become of a trial, as its folder tells.

use crate::cli::input::past_run::PastRun;
use crate::cli::run_folder::{RunFolder, fold_name};
use glassnet::files::{read_table, read_text};
use glassnet::report::folds::{mean, standard_deviation};
use glassnet::{Error, Result};
use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use toml::Value;

/// The file in the folder of a trial whose training diverged, with the sentence that tells of it.
pub const DIVERGED: &str = "diverged.txt";

/// The state of a trial.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// It was not begun.
    Waiting,
    /// It was begun, and did not come to its end, or has not yet.
    Begun,
    /// Its training diverged: the sentence says how.
    Diverged(String),
    /// It is done.
    Done(Figures),
}

/// The figures of a trial, of several folds their means.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// The lowest loss on the validation part, by which the best weights are chosen.
    pub val_loss: Option<f64>,
    /// Its spread between the folds.
    pub val_loss_sd: Option<f64>,
    /// The accuracy in the same epoch.
    pub val_accuracy: Option<f64>,
    pub val_accuracy_sd: Option<f64>,
    /// That epoch, from 0; of several folds each has its own.
    pub best_epoch: Option<usize>,
    /// The epochs that were trained, of all folds together.
    pub epochs: usize,
    /// The seconds that they took.
    pub seconds: Option<f64>,
    /// The images that validate, of all folds together.
    pub validation_images: usize,
    /// The hashes of the data, of one fold for all.
    pub data: Vec<String>,
}

impl State {
    /// Reads the state of the trial in a folder, which is a run, or one with so many folds.
    ///
    /// # Errors
    /// Those of files that cannot be read, and of such as no run writes.
    pub fn read(folder: &Path, folds: Option<usize>) -> Result<State> {
        if !RunFolder::has_begun(folder) {
            return Ok(State::Waiting);
        }
        let diverged = folder.join(DIVERGED);
        if diverged.exists() {
            return Ok(State::Diverged(read_text(&diverged)?.trim_end().to_string()));
        }
        let runs: Vec<PathBuf> = match folds {
            None => vec![folder.to_path_buf()],
            Some(folds) => (1..=folds).map(|fold| folder.join(fold_name(fold))).collect(),
        };
        if let Some(folds) = folds {
            // The table of the folds is the last to be written.
            let table = folder.join("folds.csv");
            if !table.is_file() || read_table(&table)?.lines().count() != folds + 1 {
                return Ok(State::Begun);
            }
        }
        let mut ended = Vec::new();
        for run in &runs {
            let run = if PastRun::is_there(run) { Some(PastRun::read(run)?) } else { None };
            match run.filter(|run| run.config.contains_key("outcome")) {
                Some(run) => ended.push(EndedRun::new(&run)?),
                None => return Ok(State::Begun),
            }
        }
        Ok(State::Done(Figures::new(&ended)))
    }

    /// The figures of a trial that is done.
    pub fn figures(&self) -> Option<&Figures> {
        match self {
            State::Done(figures) => Some(figures),
            _ => None,
        }
    }

    /// The word for it in tables.
    pub fn word(&self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Begun => "begun",
            State::Diverged(_) => "diverged",
            State::Done(_) => "done",
        }
    }

    /// The order of the table: what is done by its loss, the lowest first, then what diverged, and what is
    /// not done.
    pub fn order(&self, other: &State) -> Ordering {
        let place = |state: &State| match state {
            State::Done(figures) => (0, figures.val_loss.filter(|loss| !loss.is_nan()).unwrap_or(f64::INFINITY)),
            State::Diverged(_) => (1, 0.0),
            State::Begun => (2, 0.0),
            State::Waiting => (3, 0.0),
        };
        let (a, b) = (place(self), place(other));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    }
}

/// What counts of a run that came to its end.
struct EndedRun {
    val_loss: Option<f64>,
    val_accuracy: Option<f64>,
    best_epoch: Option<usize>,
    epochs: usize,
    seconds: Option<f64>,
    validation_images: usize,
    data: Vec<String>,
}

impl EndedRun {
    fn new(run: &PastRun) -> Result<EndedRun> {
        let value = |table: &str, key: &str| run.config.get(table).and_then(|table| table.get(key));
        let number = |table: &str, key: &str| value(table, key).and_then(Value::as_integer);
        let number = |table: &str, key: &str| number(table, key).and_then(|number| usize::try_from(number).ok());
        // Epochs are counted from 1 there.
        let best_epoch = number("outcome", "best_epoch").and_then(|epoch| epoch.checked_sub(1));
        let of_best = |measure: &str| run.history.get(measure)?.get(best_epoch?).copied();
        let text = |key: &str| value("data", key).and_then(Value::as_str).map(str::to_string);
        if best_epoch.is_some_and(|epoch| epoch >= run.epochs()) {
            let reason =
                "it has fewer epochs than the run; put back a copy of the file, or remove the folder to train it again";
            return Err(Error::data(Path::new(&run.name).join("history.csv"), reason));
        }
        Ok(EndedRun {
            val_loss: of_best("val_loss"),
            val_accuracy: of_best("val_accuracy"),
            best_epoch,
            epochs: number("outcome", "epochs").unwrap_or(0),
            seconds: value("outcome", "seconds").and_then(Value::as_float),
            validation_images: number("data", "validation_images").unwrap_or(0),
            data: ["sha256", "validation_sha256"].into_iter().filter_map(text).collect(),
        })
    }
}

impl Figures {
    fn new(runs: &[EndedRun]) -> Figures {
        let all =
            |of: fn(&EndedRun) -> Option<f64>| runs.iter().map(of).collect::<Option<Vec<f64>>>().unwrap_or_default();
        let [losses, accuracies] = [all(|run| run.val_loss), all(|run| run.val_accuracy)];
        let seconds = all(|run| run.seconds);
        let (one, first) = (runs.len() == 1, runs.first());
        Figures {
            val_loss: mean(&losses),
            val_loss_sd: standard_deviation(&losses),
            val_accuracy: mean(&accuracies),
            val_accuracy_sd: standard_deviation(&accuracies),
            best_epoch: first.filter(|_| one).and_then(|run| run.best_epoch),
            epochs: runs.iter().map(|run| run.epochs).sum(),
            seconds: (!seconds.is_empty()).then(|| seconds.iter().sum()),
            validation_images: runs.iter().map(|run| run.validation_images).sum(),
            data: first.map(|run| run.data.clone()).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_loss_comes_first_and_what_is_no_number_or_not_done_last() {
        let done = |loss| State::Done(Figures { val_loss: loss, ..Figures::default() });
        let nan = done(Some(f64::NAN));
        let mut states =
            [State::Waiting, nan, State::Begun, done(Some(0.5)), State::Diverged("".into()), done(Some(0.25))];
        states.sort_by(State::order);
        let told = |state: &State| (state.word(), state.figures().and_then(|figures| figures.val_loss));
        let told: Vec<(&str, Option<f64>)> = states.iter().map(told).collect();
        assert_eq!(told[..2], [("done", Some(0.25)), ("done", Some(0.5))]);
        assert!(told[2].1.unwrap().is_nan());
        assert_eq!(told[3..], [("diverged", None), ("begun", None), ("waiting", None)]);
    }
}
