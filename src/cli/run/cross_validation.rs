//! `glassnet train --folds K`: cross-validation. K models are trained, one after the other, each validated on
//! its own fold. Each has a run folder of its own in that of all; what it came to is told from there, when
//! the rest goes on later.

use super::recorder::RunText;
use super::resume::ResumedRun;
use super::schedule::scheduled;
use super::training_run::{Execution, RunPlace, TrainingRun, check_memory};
use super::validated::Validated;
use crate::cli::input::checked::CheckedImages;
use crate::cli::input::dataset::{Dataset, Part, groups};
use crate::cli::input::reading::of_training;
use crate::cli::outcome::{CommandResult, Failure, Outcome};
use crate::cli::run_folder::RunFolder;
use crate::cli::run_folder::config::{Data, as_toml};
use crate::cli::run_folder::settings::{Fold, RunSettings};
use crate::cli::terminal::console;
use glassnet::Error;
use glassnet::classes::Label;
use glassnet::data::catalog::{Catalog, Item, class_counts};
use glassnet::data::folds::folds;
use glassnet::data::groups::Groups;
use glassnet::data::left_out::LeftOut;
use glassnet::data::source::Source;
use glassnet::data::split::Split;
use glassnet::head::Head;
use glassnet::network::Network;
use glassnet::report::diagnostics::{majority, share_of};
use glassnet::report::folds::{
    FoldMeasures, FoldRow, KeptWeights, fold_table, means, standard_deviations, write_folds,
};
use glassnet::report::predictions_csv::{Predictions, read_predictions};
use glassnet::training::EpochRecord;
use serde_json::{Map, Value, json};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A note on what the spread is not.
const NOT_INDEPENDENT: &str = "The folds' training images overlap, so the folds are not independent: sd is the spread \
                               between them (n − 1), no standard error.";

/// A note on what choosing an epoch by its validation loss does.
const BEST_FLATTERS: &str = "Each best epoch was chosen by the very images it is measured on, which flatters it; the last \
                             epoch was not.";

/// The same where early stopping let that choice decide also when to stop.
const RESTORED_FLATTERS: &str = "Each best epoch was chosen by the very images it is measured on, which flatters it, and with it \
                                 ROC AUC, sensitivity and specificity, which are of its restored weights; the same images \
                                 decided which epoch was the last.";

/// A cross-validation, resolved.
pub struct CrossValidation {
    pub settings: RunSettings,
    pub network: Network,
    pub source: Arc<Source>,
    pub catalog: Arc<Catalog>,
    /// The run folder, if one was named.
    pub out: Option<PathBuf>,
    /// True where results are one JSON object.
    pub json: bool,
    /// The cross-validation that goes on, if it is none that begins.
    pub resumed: Option<ResumedRun>,
}

/// The things that all folds have in common.
struct Common {
    settings: RunSettings,
    network: Network,
    catalog: Arc<Catalog>,
    /// All images, looked at once, as every image is in every fold.
    checked: Arc<CheckedImages>,
    folder: RunFolder,
    json: bool,
}

impl CrossValidation {
    /// Trains on every fold, or goes on with that, and prints the folds side by side.
    pub fn execute(mut self) -> CommandResult {
        let catalog = Arc::clone(&self.catalog);
        let datasets = self.datasets(&catalog)?;
        self.check(&datasets)?;
        let all = self.dataset(&catalog, Split::all_train(&catalog), datasets[0].groups.clone());
        let is_resumed = self.resumed.is_some();
        let place = RunPlace::claim(self.resumed.take(), self.out.as_deref())?;
        let checked = Arc::new(CheckedImages::new(&self.source, &catalog, &self.settings)?);
        for dataset in &datasets {
            dataset.check_trains(&checked)?;
            let training = dataset.items(Part::Training).iter().filter(|item| checked.is_readable(item));
            of_training(&self.settings, &checked.part(&training.cloned().collect::<Vec<Item>>()))?;
        }
        let (readable, skipped): (Vec<Item>, Vec<Item>) =
            catalog.items.iter().cloned().partition(|item| checked.is_readable(item));
        let data = Data::new(&self.source, &all.name, &catalog, checked.sha256(&readable), &skipped);
        let left_out: Vec<LeftOut> =
            catalog.left_out.iter().cloned().chain(checked.left_out(&self.source, &skipped)).collect();
        let steps = |dataset: &Dataset| {
            let training = dataset.items(Part::Training).iter().filter(|item| checked.is_readable(item));
            training.count().div_ceil(self.settings.batch_size)
        };
        // All folds have one schedule: that of the longest.
        let steps = datasets.iter().map(steps).max().unwrap_or(0);
        self.settings.training = scheduled(&self.settings.training, steps, is_resumed)?;
        let folder = self.settle(place, all, data, &checked)?;

        let CrossValidation { settings, network, json, .. } = self;
        let common = Common { settings, network, catalog, checked, folder, json };
        let folds = common.train(datasets)?;
        common.print(&folds, &class_counts(&readable, &common.catalog.classes), &left_out)
    }

    /// A data set for each fold, which validates on it; what was odd is passed on as warnings.
    fn datasets(&self, catalog: &Arc<Catalog>) -> Result<Vec<Dataset>, Failure> {
        let known = groups(catalog, &self.source, self.settings.group_regex.as_deref())?;
        let is_grouped = known.is_some();
        let groups = known.unwrap_or_else(|| Groups::none(catalog));
        let splits = folds(catalog, self.settings.folds.unwrap_or(0), &groups, self.settings.training.seed)?;
        for note in catalog.notes.iter().chain(&groups.notes) {
            console::warn(note);
        }
        let groups = is_grouped.then_some(groups);
        Ok(splits.into_iter().map(|split| self.dataset(catalog, split, groups.clone())).collect())
    }

    /// The set with this split, under the name that the run has for it.
    fn dataset(&self, catalog: &Arc<Catalog>, split: Split, groups: Option<Groups>) -> Dataset {
        let dataset = Dataset::of_parts(Arc::clone(&self.source), Arc::clone(catalog), split, groups);
        match &self.resumed {
            Some(run) => Dataset { name: run.name_of_data(self.source.path()), ..dataset },
            None => dataset,
        }
    }

    /// Checks what can be checked before any image is read.
    fn check(&self, datasets: &[Dataset]) -> glassnet::Result<()> {
        if self.resumed.is_none() {
            RunFolder::check(self.out.as_deref())?;
        }
        for dataset in datasets {
            check_memory(&self.network, &dataset.split, &self.settings)?;
        }
        match self.settings.init_weights {
            Some(_) => self.settings.initial_parameters(&self.network).map(|_| ()),
            None => Ok(()),
        }
    }

    /// The folder of all folds, with its `config.toml`, after a look whether it is free, or whether it is the
    /// run that was begun there that goes on.
    fn settle(&self, place: RunPlace, all: Dataset, data: Data, checked: &CheckedImages) -> Result<RunFolder, Failure> {
        let whole = TrainingRun {
            command: "train",
            settings: self.settings.clone(),
            network: self.network.clone(),
            dataset: all,
            out: None,
            json: self.json,
            resumed: None,
            checked: None,
        };
        whole.warn_of_other_algorithms();
        let config = whole.config(data);
        let folder = match place {
            RunPlace::New(folder) => {
                folder.check_free()?;
                folder
            }
            RunPlace::Resumed(run) => run.go_on_as(&as_toml(&config)?, &whole.dataset.rows(checked))?,
        };
        folder.write_config(&config)?;
        Ok(folder)
    }
}

/// A fold that has come to its end: its row, and the folder of its run.
struct TrainedFold {
    row: FoldRow,
    folder: String,
}

impl Common {
    /// Trains the folds one after the other, and keeps `folds.csv` up to date.
    fn train(&self, datasets: Vec<Dataset>) -> Result<Vec<TrainedFold>, Failure> {
        let mut folds: Vec<TrainedFold> = Vec::new();
        let mut printed = Ok(());
        let of = datasets.len();
        for (number, dataset) in (1..).zip(datasets) {
            folds.push(self.train_one(Fold { number, of }, dataset, &mut printed)?);
            let rows = folds.iter().map(|fold| &fold.row);
            write_folds(&self.folder.file("folds.csv"), rows, measures(&self.catalog))?;
        }
        printed?;
        Ok(folds)
    }

    /// Trains a fold, or goes on with it. Where a line of it could not be printed, `printed` tells.
    fn train_one(&self, fold: Fold, dataset: Dataset, printed: &mut io::Result<()>) -> Result<TrainedFold, Failure> {
        let Fold { number, of } = fold;
        let mut text = RunText::new(self.json);
        text.line(&format!("Fold {number}/{of}"));
        let out = self.folder.file(&format!("fold{number}"));
        if out.is_symlink() {
            let reason = "it is a link, and nothing is written to where it leads; put the folder itself there, or start a new run";
            return Err(Error::data(out, reason).into());
        }
        let readable = |item: &&Item| self.checked.is_readable(item);
        let training_images = dataset.items(Part::Training).iter().filter(readable).count();
        let run = TrainingRun {
            command: "train",
            settings: RunSettings { folds: None, fold: Some(fold), ..self.settings.clone() },
            network: self.network.clone(),
            dataset,
            out: Some(out.clone()),
            json: self.json,
            resumed: ResumedRun::from_fold(&out)?,
            checked: Some(Arc::clone(&self.checked)),
        };
        // A fold by itself is nothing to go on with.
        let execution = run.execute().map_err(|failure| match failure {
            Failure::Stopped { error, .. } => Failure::stopped(error, "train", self.folder.path()),
            failure => failure,
        })?;
        let row = |best, last, validated| row(number, training_images, best, last, self.kept(), validated);
        let row = match execution {
            Execution::Finished(mut finished) => {
                let line = finished.take_print_error();
                if printed.is_ok() {
                    *printed = line;
                }
                if let Some(line) = finished.diverged_line() {
                    console::warn(&format!("fold {number}: {line}"));
                }
                row(finished.best.as_ref(), finished.epochs.last(), finished.validation.as_ref())
            }
            Execution::NothingToDo { state, sentence, .. } => {
                text.line(&format!("Nothing to do: {sentence}"));
                let last = state.history.last();
                // There are no predictions where all images that would validate were left out.
                let validated = last.and_then(|last| last.val_loss).map(|_| validated_before(&out, &self.catalog));
                row(state.best_record(), last, validated.transpose()?.as_ref())
            }
        };
        Ok(TrainedFold { row, folder: out.display().to_string() })
    }

    /// Returns which weights a fold ends with.
    fn kept(&self) -> KeptWeights {
        match self.settings.training.early_stopping {
            Some(_) => KeptWeights::Best,
            None => KeptWeights::Last,
        }
    }

    /// Prints the folds side by side.
    fn print(&self, folds: &[TrainedFold], counts: &[usize], left_out: &[LeftOut]) -> CommandResult {
        let shown = self.folder.path().display().to_string();
        let flatters = match self.kept() {
            KeptWeights::Best => RESTORED_FLATTERS,
            KeptWeights::Last => BEST_FLATTERS,
        };
        let notes = [NOT_INDEPENDENT, flatters];
        if self.json {
            console::print_json(&json(&self.catalog, counts, &shown, folds, notes, left_out))?;
            return Ok(Outcome::Done);
        }
        // Where the folds' own lines stand before.
        console::print_unless_quiet("")?;
        let rows: Vec<FoldRow> = folds.iter().map(|fold| fold.row.clone()).collect();
        console::print(fold_table(&rows, measures(&self.catalog)).trim_end_matches('\n'))?;
        for note in notes {
            console::print(note)?;
        }
        console::print(&majority_line(&self.catalog, counts))?;
        console::print(&format!("Run folder: {shown}"))?;
        Ok(Outcome::Done)
    }
}

/// The measures of the folds' answers.
fn measures(catalog: &Catalog) -> FoldMeasures {
    FoldMeasures::of_classes(catalog.classes.count())
}

/// Returns what the weights of a fold that came to its end before answered on its validation part.
///
/// # Errors
/// The errors of [`read_predictions`].
fn validated_before(folder: &Path, catalog: &Catalog) -> glassnet::Result<Validated> {
    let Predictions { labels, probabilities } = read_predictions(&folder.join("predictions.csv"), &catalog.classes)?;
    // Of two classes the file has one probability, whatever the network's units.
    let head = Head::new(if catalog.classes.count() == 2 { 1 } else { catalog.classes.count() });
    Ok(Validated::new(head, &labels, &probabilities))
}

fn row(
    fold: usize,
    training_images: usize,
    best: Option<&EpochRecord>,
    last: Option<&EpochRecord>,
    kept: KeptWeights,
    validated: Option<&Validated>,
) -> FoldRow {
    FoldRow {
        fold,
        training_images,
        validation_images: validated.map_or(0, Validated::total),
        best_epoch: best.map(|best| best.epoch),
        best_val_loss: best.and_then(|best| best.val_loss),
        best_val_accuracy: best.and_then(|best| best.val_accuracy),
        val_loss: last.and_then(|last| last.val_loss),
        val_accuracy: last.and_then(|last| last.val_accuracy),
        answers: validated.map_or([None; 3], Validated::fold_measures),
        last_epoch: last.map(|last| last.epoch),
        validated_weights: kept,
    }
}

/// Returns what always answering the more frequent class would reach over all folds.
fn majority_line(catalog: &Catalog, counts: &[usize]) -> String {
    let label = majority(counts).unwrap_or(Label::POSITIVE);
    let always = format!(
        "lways answering '{}' would be right for {} of {} images ({:.4})",
        console::one_line(&catalog.classes[label]),
        counts[label.index()],
        counts.iter().sum::<usize>(),
        share_of(label, counts).unwrap_or(f64::NAN),
    );
    match catalog.classes.positive() {
        Some(positive) => format!("Positive class '{}'; a{always}", console::one_line(positive)),
        None => format!("A{always}"),
    }
}

fn json(
    catalog: &Catalog,
    counts: &[usize],
    folder: &str,
    folds: &[TrainedFold],
    notes: [&str; 2],
    left_out: &[LeftOut],
) -> Value {
    let names = measures(catalog).names();
    let named = |values: [Option<f64>; 7]| -> Map<String, Value> {
        names.into_iter().zip(values).map(|(name, value)| (name.to_string(), json!(value))).collect()
    };
    let rows: Vec<FoldRow> = folds.iter().map(|fold| fold.row.clone()).collect();
    let object = |fold: &TrainedFold| {
        let FoldRow { fold: number, training_images, validation_images, best_epoch, last_epoch, .. } = fold.row;
        let mut object = json!({
            "fold": number,
            "training_images": training_images,
            "validation_images": validation_images,
            "best_epoch": best_epoch,
            "last_epoch": last_epoch,
            "validated_weights": fold.row.validated_weights,
            "run_folder": fold.folder,
        });
        for (name, value) in names.into_iter().zip(fold.row.measures()) {
            object[name] = json!(value);
        }
        object
    };
    let folds: Vec<Value> = folds.iter().map(object).collect();
    json!({
        "run_folder": folder,
        "classes": catalog.classes,
        "positive_class": catalog.classes.positive(),
        "majority_share": majority(counts).and_then(|label| share_of(label, counts)),
        "folds": folds,
        "mean": named(means(&rows)),
        "standard_deviation": named(standard_deviations(&rows)),
        "left_out": left_out,
        "notes": notes,
    })
}
