//! What a training run says while it goes on, and what it writes down.

use super::console::{self, Failure};
use super::finished::{Finished, Validated};
use super::interrupt;
use super::run_folder::{Data, RunFolder};
use glassnet::checkpoint::{self, ModelCard, TrainingFacts};
use glassnet::data::images::ImageSet;
use glassnet::metrics::{Confusion, DEFAULT_THRESHOLD, roc_auc};
use glassnet::network::Network;
use glassnet::parameters::Parameters;
use glassnet::report::csv_files::{self, PredictionRow, StepRow};
use glassnet::report::epoch::{EpochRecord, epoch_heading, epoch_line};
use glassnet::report::pictures;
use glassnet::train::{Evaluation, Event};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io;
use std::time::{Duration, Instant};

/// How old the saved weights may get before the next end of an epoch saves again.
const SAVE_EVERY: Duration = Duration::from_secs(10);

/// How old the tables on the disk may get before the next end of an epoch writes them again, whole as they are.
const TABLES_EVERY: Duration = Duration::from_secs(1);

/// The lines of a run: results, or with `--json` progress. The run matters more than its lines: when stdout takes no more,
/// as when its reader went away, the run goes on, leaves its folder, and tells at the end.
pub struct RunText {
    json: bool,
    failure: Option<io::Error>,
}

impl RunText {
    /// No line yet.
    pub fn new(json: bool) -> RunText {
        RunText { json, failure: None }
    }

    /// Prints a line.
    pub fn line(&mut self, line: &str) {
        if self.json {
            console::progress(line);
        } else if self.failure.is_none() {
            self.failure = console::print(line).err();
        }
    }

    /// `Err` where a line could not be printed.
    fn end(self) -> io::Result<()> {
        self.failure.map_or(Ok(()), Err)
    }
}

/// What is known of a run before it begins.
pub struct RunFacts<'a> {
    /// `train` or `reproduce`.
    pub command: &'static str,
    pub network: &'a Network,
    pub seed: u64,
    /// How many epochs there will be.
    pub epochs: usize,
    pub steps_per_epoch: usize,
    pub data: Data,
}

/// Keeps the run's story and writes it down.
pub struct Recorder<'a> {
    facts: RunFacts<'a>,
    text: RunText,
    folder: &'a RunFolder,
    bar: ProgressBar,
    steps: Vec<StepRow>,
    epochs: Vec<EpochRecord>,
    validation: Option<Evaluation>,
    /// The epoch with the lowest validation loss so far, or training loss where there is no validation part.
    best: Option<(EpochRecord, Parameters)>,
    saved: Instant,
    tables_written: Option<Instant>,
}

impl<'a> Recorder<'a> {
    /// A recorder of a run that has not begun.
    pub fn new(facts: RunFacts<'a>, text: RunText, folder: &'a RunFolder) -> Recorder<'a> {
        Recorder {
            facts,
            text,
            folder,
            bar: ProgressBar::hidden(),
            steps: Vec::new(),
            epochs: Vec::new(),
            validation: None,
            best: None,
            saved: Instant::now(),
            tables_written: None,
        }
    }

    /// Prints `Epoch 1/5` and starts a bar under it, where stderr is a terminal.
    pub fn epoch_begins(&mut self, epoch: usize) {
        if epoch < self.facts.epochs {
            self.text.line(&epoch_heading(epoch, self.facts.epochs));
            let style = ProgressStyle::with_template("{pos}/{len} [{bar:30}] {per_sec} - ETA {eta} {msg}")
                .map(|style| style.progress_chars("=>."))
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let target = ProgressDrawTarget::stderr();
            self.bar = ProgressBar::with_draw_target(Some(self.facts.steps_per_epoch as u64), target).with_style(style);
        }
    }

    /// Takes down a step or an epoch.
    pub fn record(&mut self, event: Event) -> glassnet::Result<()> {
        match event {
            Event::Step { row, mean_loss, mean_accuracy } => {
                self.steps.push(row);
                self.bar.set_message(format!("- loss: {mean_loss:.4} - accuracy: {mean_accuracy:.4}"));
                self.bar.inc(1);
                interrupt::check()
            }
            Event::Epoch { record, parameters, validation } => {
                self.bar.finish_and_clear();
                self.epochs.push(record);
                self.validation = validation.cloned();
                let loss = |record: &EpochRecord| record.val_loss.unwrap_or(record.loss);
                if self.best.as_ref().is_none_or(|(best, _)| loss(&record) < loss(best)) {
                    self.best = Some((record, parameters.clone()));
                }
                if self.tables_written.is_none_or(|written| written.elapsed() >= TABLES_EVERY) {
                    self.write_tables()?;
                }
                if self.saved.elapsed() >= SAVE_EVERY {
                    self.save(parameters)?;
                }
                self.text.line(&epoch_line(&record));
                self.epoch_begins(record.epoch + 1);
                Ok(())
            }
        }
    }

    /// Writes `history.csv` and `steps.csv` as far as the run has come.
    fn write_tables(&mut self) -> glassnet::Result<()> {
        csv_files::write_history(&self.folder.file("history.csv"), &self.epochs)?;
        csv_files::write_steps(&self.folder.file("steps.csv"), &self.steps)?;
        self.tables_written = Some(Instant::now());
        Ok(())
    }

    /// Writes what a run that ended early has come to: the tables, and the best weights so far.
    pub fn write_what_there_is(&mut self) -> glassnet::Result<()> {
        self.bar.finish_and_clear();
        self.write_tables()?;
        self.save_best()
    }

    fn save_best(&self) -> glassnet::Result<()> {
        match &self.best {
            Some((record, parameters)) => {
                checkpoint::save(&self.folder.weights("best"), &self.card(record), parameters)
            }
            None => Ok(()),
        }
    }

    /// Writes both weights files.
    fn save(&mut self, last: &Parameters) -> glassnet::Result<()> {
        self.save_best()?;
        if let Some(record) = self.epochs.last() {
            checkpoint::save(&self.folder.weights("last"), &self.card(record), last)?;
        }
        self.saved = Instant::now();
        Ok(())
    }

    fn card(&self, record: &EpochRecord) -> ModelCard {
        ModelCard {
            version: env!("CARGO_PKG_VERSION").to_string(),
            spec: self.facts.network.spec().clone(),
            classes: self.facts.data.classes.clone(),
            rescale: checkpoint::RESCALE,
            resize: checkpoint::RESIZE.to_string(),
            threshold: DEFAULT_THRESHOLD,
            training: TrainingFacts {
                epochs: record.epoch + 1,
                seed: self.facts.seed,
                images: self.facts.data.training_images,
                val_loss: record.val_loss,
                val_accuracy: record.val_accuracy,
            },
        }
    }

    /// Writes what can only be written at the end.
    pub fn finish(
        mut self,
        parameters: &Parameters,
        validation_images: Option<&ImageSet>,
    ) -> Result<Finished, Failure> {
        self.write_tables()?;
        self.save(parameters)?;
        let title = format!("glassnet {}", self.facts.command);
        pictures::write_curves(&self.folder.file("curves.png"), &title, &self.epochs)?;
        let classes = self.facts.data.classes.clone();
        let validated = match (&self.validation, validation_images) {
            (Some(evaluation), Some(images)) => {
                let rows: Vec<PredictionRow> = images
                    .items()
                    .iter()
                    .zip(&evaluation.probabilities)
                    .map(|(item, &probability)| PredictionRow {
                        file: &item.path,
                        label: &classes[item.label],
                        probability,
                    })
                    .collect();
                csv_files::write_predictions(&self.folder.file("predictions.csv"), &rows)?;
                let confusion = Confusion::count(&evaluation.labels, &evaluation.probabilities, DEFAULT_THRESHOLD);
                let names = [classes[0].as_str(), classes[1].as_str()];
                pictures::write_confusion(
                    &self.folder.file("confusion.png"),
                    "Validation, last weights",
                    names,
                    &confusion,
                )?;
                Some(Validated { confusion, roc_auc: roc_auc(&evaluation.labels, &evaluation.probabilities) })
            }
            _ => None,
        };
        self.text.end()?;
        Ok(Finished {
            folder: self.folder.path().to_path_buf(),
            classes,
            best: self.best.map(|(record, _)| record),
            epochs: self.epochs,
            training_images: self.facts.data.training_images,
            validation: validated,
        })
    }
}
