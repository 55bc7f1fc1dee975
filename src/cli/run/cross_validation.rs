//! `glassnet train --folds K`: cross-validation. K models are trained, one after the other, each validated on
//! its own fold. Each has a run folder of its own in that of all; what it came to is told from there, when
//! the rest goes on later. With `--only-fold` one of them is trained, in the same place and to the same bits.

use super::fold_summary::{FoldSummary, TrainedFold, validated_before, write_folds_csv};
use super::recorder::RunText;
use super::resume::ResumedRun;
use super::schedule::scheduled;
use super::training_run::{Execution, RunPlace, TrainingRun, check_memory};
use crate::cli::input::checked::CheckedImages;
use crate::cli::input::dataset::{Dataset, Part, groups};
use crate::cli::input::reading::of_training;
use crate::cli::outcome::{CommandResult, Failure};
use crate::cli::run_folder::config::{Data, as_toml};
use crate::cli::run_folder::settings::{Fold, RunSettings};
use crate::cli::run_folder::{RunFolder, fold_name};
use crate::cli::terminal::console;
use glassnet::Error;
use glassnet::data::catalog::{Catalog, Item, class_counts};
use glassnet::data::folds::folds;
use glassnet::data::groups::Groups;
use glassnet::data::left_out::LeftOut;
use glassnet::data::source::Source;
use glassnet::data::split::Split;
use glassnet::network::Network;
use glassnet::report::folds::KeptWeights;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

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
    /// Trains on every fold, or on the one that is asked for, or goes on with that, and prints the folds side
    /// by side.
    pub fn execute(self) -> CommandResult {
        let Trained { common, folds, of, counts, left_out } = self.train()?;
        if !common.json {
            // The folds' own lines stand before.
            console::print_unless_quiet("")?;
        }
        let (classes, folder) = (&common.catalog.classes, common.folder.path());
        FoldSummary { classes, counts: &counts, folder, folds: &folds, of, left_out: &left_out }.print(common.json)
    }

    /// Does the same, and prints no result.
    pub fn execute_unprinted(self) -> Result<(), Failure> {
        self.train().map(|_| ())
    }

    fn train(mut self) -> Result<Trained, Failure> {
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
        let common = Common { settings, network, catalog, checked: Arc::clone(&checked), folder, json };
        let is_readable = |item: &&Item| checked.is_readable(item);
        let of = datasets.len();
        let judged: Vec<Item> = match common.settings.only_fold {
            None => readable,
            Some(only) => datasets[only - 1].items(Part::Validation).iter().filter(is_readable).cloned().collect(),
        };
        let folds = common.train(datasets)?;
        let counts = class_counts(&judged, &common.catalog.classes);
        Ok(Trained { common, folds, of, counts, left_out })
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

/// All folds that were wanted, at their end.
struct Trained {
    common: Common,
    folds: Vec<TrainedFold>,
    /// The number of all folds.
    of: usize,
    /// Images of each class.
    counts: Vec<usize>,
    left_out: Vec<LeftOut>,
}

impl Common {
    /// Trains the folds that are wanted one after the other, and keeps `folds.csv` up to date.
    fn train(&self, datasets: Vec<Dataset>) -> Result<Vec<TrainedFold>, Failure> {
        let mut folds: Vec<TrainedFold> = Vec::new();
        let mut printed = Ok(());
        let of = datasets.len();
        let only = self.settings.only_fold;
        for (number, dataset) in (1..).zip(datasets).filter(|(number, _)| only.is_none_or(|only| only == *number)) {
            folds.push(self.train_one(Fold { number, of }, dataset, &mut printed)?);
            write_folds_csv(self.folder.path(), &folds, &self.catalog.classes)?;
        }
        printed?;
        Ok(folds)
    }

    /// Trains a fold, or goes on with it. Where a line of it could not be printed, `printed` tells.
    fn train_one(&self, fold: Fold, dataset: Dataset, printed: &mut io::Result<()>) -> Result<TrainedFold, Failure> {
        let Fold { number, of } = fold;
        let mut text = RunText::new(self.json);
        text.line(&format!("Fold {number}/{of}"));
        let out = self.folder.file(&fold_name(number));
        if out.is_symlink() {
            let reason = "it is a link, and nothing is written to where it leads; put the folder itself there, or start a new run";
            return Err(Error::data(out, reason).into());
        }
        let readable = |item: &&Item| self.checked.is_readable(item);
        let training_images = dataset.items(Part::Training).iter().filter(readable).count();
        let run = TrainingRun {
            command: "train",
            settings: RunSettings { folds: None, only_fold: None, fold: Some(fold), ..self.settings.clone() },
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
        let trained =
            |epochs, validated| TrainedFold::new(number, &out, training_images, epochs, self.kept(), validated);
        Ok(match execution {
            Execution::Finished(mut finished) => {
                let line = finished.take_print_error();
                if printed.is_ok() {
                    *printed = line;
                }
                if let Some(line) = finished.diverged_line() {
                    console::warn(&format!("fold {number}: {line}"));
                }
                trained([finished.best.as_ref(), finished.epochs.last()], finished.validation.as_ref())
            }
            Execution::NothingToDo { state, sentence, .. } => {
                text.line(&format!("Nothing to do: {sentence}"));
                let last = state.history.last();
                // There are no predictions where all images that would validate were left out.
                let validated =
                    last.and_then(|last| last.val_loss).map(|_| validated_before(&out, &self.catalog.classes));
                trained([state.best_record(), last], validated.transpose()?.as_ref())
            }
        })
    }

    /// Returns which weights a fold ends with.
    fn kept(&self) -> KeptWeights {
        match self.settings.training.early_stopping {
            Some(_) => KeptWeights::Best,
            None => KeptWeights::Last,
        }
    }
}
