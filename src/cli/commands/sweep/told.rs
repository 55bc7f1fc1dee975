//! A sweep as it is told: the table on the terminal, `sweep.csv`, `sweep.png` and JSON, the best trial first.

use super::plan::{Setting, Trial};
use super::results::{Figures, State};
use crate::cli::run_folder::lock::RunLock;
use crate::cli::terminal::console::{self, aligned};
use glassnet::data::left_out::LeftOut;
use glassnet::error::counted;
use glassnet::files::write_table;
use glassnet::report::evaluation::number;
use glassnet::report::pictures::{TrialPoint, TriedSetting, write_trials};
use glassnet::{Error, Result};
use serde_json::{Map, Value, json};
use std::path::Path;

/// The table's file.
const TABLE: &str = "sweep.csv";

/// The picture.
const PICTURE: &str = "sweep.png";

/// A sweep as far as it has come.
pub struct Sweep<'a> {
    pub out: &'a Path,
    pub settings: &'a [Setting],
    pub trials: &'a [Trial],
    /// The state of each trial.
    pub states: Vec<State>,
    pub folds: Option<usize>,
}

impl Sweep<'_> {
    /// The trials in the order of the table.
    fn ordered(&self) -> Vec<(&Trial, &State)> {
        let mut trials: Vec<(&Trial, &State)> = self.trials.iter().zip(&self.states).collect();
        trials.sort_by(|a, b| a.1.order(b.1));
        trials
    }

    /// The trials that are done, the best one first.
    fn done(&self) -> Vec<(&Trial, &Figures)> {
        self.ordered().into_iter().filter_map(|(trial, state)| Some((trial, state.figures()?))).collect()
    }

    /// A trial's settings in words: `learning-rate=0.001 dropout=0.5`.
    pub fn name(&self, trial: &Trial) -> String {
        let pairs = self.settings.iter().zip(&trial.values).map(|(setting, value)| format!("{}={value}", setting.name));
        console::one_line(&pairs.collect::<Vec<_>>().join(" ")).into_owned()
    }

    /// Where the run of a trial is.
    fn folder(&self, trial: &Trial) -> String {
        self.out.join(&trial.folder).display().to_string()
    }

    /// Looks for what other processes have done.
    pub fn read_again(&mut self, mine: impl Fn(&Trial) -> bool) -> Result<()> {
        for (trial, state) in self.trials.iter().zip(&mut self.states).filter(|(trial, _)| !mine(trial)) {
            *state = State::read(&self.out.join(&trial.folder), self.folds)?;
        }
        self.check_data()
    }

    /// Checks whether all trials were trained and validated on the same images.
    pub fn check_data(&self) -> Result<()> {
        let mut done =
            self.trials.iter().zip(&self.states).filter_map(|(trial, state)| Some((trial, state.figures()?)));
        let Some((first, figures)) = done.next() else { return Ok(()) };
        match done.find(|(_, other)| other.data != figures.data) {
            Some((other, _)) => {
                let reason = format!(
                    "the images of this trial are not those of {}: their hashes in config.toml differ, so the two are not to be \
                     compared; give the same data, and remove the trial of the others",
                    self.folder(first)
                );
                Err(Error::data(self.folder(other), reason))
            }
            None => Ok(()),
        }
    }

    /// What a trial has come to, beside the best so far.
    pub fn progress(&self, index: usize) -> Option<String> {
        let loss = self.states[index].figures()?.val_loss?;
        let (best, figures) = *self.done().first()?;
        let beside = match (self.trials[index].number == best.number, self.done().len()) {
            (_, 1) => String::new(),
            (true, trials) => format!(", the lowest of {trials}"),
            (false, _) => format!("; the lowest so far is {}, {}", number(figures.val_loss?), self.name(best)),
        };
        Some(format!("val_loss {}{beside}", number(loss)))
    }

    /// Writes the table and the picture.
    pub fn write(&self) -> Result<()> {
        self.write_table()?;
        let done = self.done();
        if done.is_empty() {
            return Ok(());
        }
        let of_setting = |(index, setting): (usize, &Setting)| TriedSetting {
            name: setting.name.clone(),
            values: done.iter().map(|(trial, _)| trial.values[index].clone()).collect(),
        };
        let settings: Vec<TriedSetting> = self.settings.iter().enumerate().map(of_setting).collect();
        let point =
            |figures: &Figures| TrialPoint { value: figures.val_loss.unwrap_or(f64::NAN), spread: figures.val_loss_sd };
        let points: Vec<TrialPoint> = done.iter().map(|(_, figures)| point(figures)).collect();
        let _lock = RunLock::wait_for(self.out);
        write_trials(&self.out.join(PICTURE), "val_loss", &settings, &points)
    }

    /// Writes the table: a row for each trial, also where it is not done.
    pub fn write_table(&self) -> Result<()> {
        let mut heading = vec!["trial".to_string()];
        heading.extend(self.settings.iter().map(|setting| setting.name.replace('-', "_")));
        heading.extend(FIGURES.map(str::to_string));
        let heading: Vec<&str> = heading.iter().map(String::as_str).collect();
        let rows = self.ordered().into_iter().map(|(trial, state)| {
            let mut row = vec![json!(trial.number)];
            row.extend(trial.values.iter().map(|value| json!(value)));
            row.push(json!(state.word()));
            row.extend(figures(state.figures()).map(|(_, value)| value));
            row.push(json!(trial.folder));
            row
        });
        let _lock = RunLock::wait_for(self.out);
        write_table(&self.out.join(TABLE), &heading, rows)
    }

    /// The table, what to know of it, and what is not in it.
    pub fn lines(&self) -> Vec<String> {
        let done = self.done();
        let with_spread = self.folds.is_some();
        let mut heading = vec!["val_loss"];
        heading.extend(with_spread.then_some("sd"));
        heading.push("val_accuracy");
        heading.extend(with_spread.then_some("sd"));
        heading.extend((!with_spread).then_some("best epoch"));
        heading.extend(["epochs", "seconds"]);
        heading.extend(self.settings.iter().map(|setting| setting.name.as_str()));
        heading.push("folder");
        let mut rows = vec![heading.into_iter().map(str::to_string).collect::<Vec<String>>()];
        let shown = |value: Option<f64>| value.map_or("—".to_string(), number);
        for (trial, figures) in &done {
            let mut row = vec![shown(figures.val_loss)];
            row.extend(with_spread.then(|| shown(figures.val_loss_sd)));
            row.push(shown(figures.val_accuracy));
            row.extend(with_spread.then(|| shown(figures.val_accuracy_sd)));
            let epoch = figures.best_epoch.map_or("—".to_string(), |epoch| (epoch + 1).to_string());
            row.extend((!with_spread).then_some(epoch));
            row.push(figures.epochs.to_string());
            row.push(figures.seconds.map_or("—".to_string(), |seconds| format!("{seconds:.1}")));
            row.extend(trial.values.iter().map(|value| console::one_line(value).into_owned()));
            row.push(self.folder(trial));
            rows.push(row);
        }
        let mut lines = if done.is_empty() { Vec::new() } else { aligned(&rows) };
        for (trial, state) in self.trials.iter().zip(&self.states) {
            if let State::Diverged(sentence) = state {
                // Which images it were, its file tells.
                let what = sentence.split(": ").next().unwrap_or(sentence);
                lines.push(format!("Diverged: {}: {what}", self.name(trial)));
            }
        }
        let left = self.states.iter().filter(|state| matches!(state, State::Waiting | State::Begun)).count();
        if left > 0 {
            let all = counted(self.trials.len(), "trial");
            lines.push(format!("{left} of {all} are not done here; the same call without --shard does all of them"));
        }
        lines.extend(self.notes());
        lines.push(format!("Sweep folder: {}", self.out.display()));
        lines
    }

    /// What the figures are not.
    fn notes(&self) -> Vec<String> {
        let done = self.done();
        let Some((_, best)) = done.first().filter(|_| done.len() > 1) else { return Vec::new() };
        let images = counted(best.validation_images, "validation image");
        let mut notes = vec![format!(
            "The best of {} was chosen by the same {images} that it is measured on, which flatters it, the more so the more \
             trials there are: judge it on images that none of them has seen.",
            counted(done.len(), "trial")
        )];
        if let (Some(loss), Some(sd)) = (best.val_loss, best.val_loss_sd) {
            let near = done[1..].iter().filter(|(_, other)| other.val_loss.is_some_and(|other| other <= loss + sd));
            notes.push(format!(
                "sd is the spread between the folds (n − 1), no standard error; as low as the best within one sd of it: {} of \
                 the other {}.",
                near.count(),
                counted(done.len() - 1, "trial"),
            ));
        }
        notes
    }

    /// The same as JSON.
    pub fn json(&self, left_out: &[LeftOut]) -> Value {
        let trials = self.ordered().into_iter().map(|(trial, state)| {
            let settings = self.settings.iter().zip(&trial.values);
            let settings: Map<String, Value> =
                settings.map(|(setting, value)| (setting.name.replace('-', "_"), json!(value))).collect();
            let mut object = json!({
                "trial": trial.number,
                "settings": settings,
                "state": state.word(),
                "run_folder": self.folder(trial),
            });
            for (name, value) in figures(state.figures()) {
                object[name] = value;
            }
            if let State::Diverged(sentence) = state {
                object["diverged"] = json!(sentence);
            }
            object
        });
        json!({
            "sweep_folder": self.out.display().to_string(),
            "by": "val_loss",
            "folds": self.folds,
            "trials": trials.collect::<Vec<Value>>(),
            "notes": self.notes(),
            "left_out": left_out,
        })
    }
}

/// The columns of `sweep.csv` behind the settings.
const FIGURES: [&str; 9] = [
    "state",
    "val_loss",
    "val_loss_sd",
    "val_accuracy",
    "val_accuracy_sd",
    "best_epoch",
    "epochs_done",
    "seconds",
    "folder",
];

/// The figures of a trial under their names; null, where it is not done.
fn figures(figures: Option<&Figures>) -> [(&'static str, Value); 7] {
    let nothing = Figures::default();
    let of = figures.unwrap_or(&nothing);
    let values = [
        json!(of.val_loss),
        json!(of.val_loss_sd),
        json!(of.val_accuracy),
        json!(of.val_accuracy_sd),
        json!(of.best_epoch),
        json!(figures.map(|figures| figures.epochs)),
        json!(of.seconds),
    ];
    let mut names = FIGURES[1..8].iter();
    values.map(|value| (names.next().copied().unwrap_or_default(), value))
}
