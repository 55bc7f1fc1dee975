//! A training run from data to run folder: what `train` and `reproduce` have in common.

use super::args::RunArgs;
use super::console::{self, Failure};
use super::dataset::{Dataset, Part, report_check};
use super::memory::Memory;
use super::run_folder::{Adam, Config, Data, Machine, RunFolder, Settings};
use glassnet::checkpoint::{self, ModelCard, TrainingFacts};
use glassnet::data::batches::Loader;
use glassnet::data::images::{Digest, ImageSet};
use glassnet::metrics::{Confusion, DEFAULT_THRESHOLD, roc_auc};
use glassnet::network::Network;
use glassnet::optim::AdamSettings;
use glassnet::parameters::Parameters;
use glassnet::report::csv_files::{self, PredictionRow, StepRow};
use glassnet::report::epoch::{EpochRecord, epoch_heading, epoch_line, found_line, training_accuracy_line};
use glassnet::report::pictures;
use glassnet::train::{Evaluation, Event, TrainSettings, train};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How old the saved weights may get before the next end of an epoch saves again.
const SAVE_EVERY: Duration = Duration::from_secs(10);

/// A run, resolved: nothing is left to be decided.
pub struct TrainingRun<'a> {
    pub command: &'static str,
    pub dataset: Dataset,
    pub network: Network,
    pub init_weights: Option<&'a Path>,
    pub epochs: usize,
    pub batch_size: usize,
    pub validation_split: f64,
    pub learning_rate: f64,
    pub shuffle: bool,
    pub common: &'a RunArgs,
}

/// What a run came to.
pub struct Finished {
    pub folder: PathBuf,
    pub classes: [String; 2],
    pub epochs: Vec<EpochRecord>,
    pub training_images: usize,
    pub validation: Option<Validated>,
}

/// What the last weights answer on the validation part.
pub struct Validated {
    pub confusion: Confusion,
    pub roc_auc: Option<f64>,
}

impl TrainingRun<'_> {
    /// Checks the data, trains, prints an epoch's line when it ends, and writes the run folder.
    pub fn execute(self) -> Result<Finished, Failure> {
        RunFolder::check(self.common.out.as_deref())?;
        self.check_memory()?;
        let network = &self.network;
        let [side, _, _] = network.spec().input;
        let mut parameters = match self.init_weights {
            Some(path) => checkpoint::load_parameters(path, network)?,
            None => network.initial_parameters(self.common.seed),
        };
        let mut text = RunText::new(self.common.json);
        let parts = [self.dataset.images(Part::Training, side)?, self.dataset.images(Part::Validation, side)?];
        for part in &parts {
            text.line(&found_line(part.items().len(), 2));
        }
        let sha256 = check_and_hash(&parts)?;
        let [training, validation] = parts.map(|images| Loader::new(images, self.batch_size));
        let (training, validation) = (training?, validation?);
        let validation = Some(validation).filter(|loader| loader.batches() > 0);

        let folder = RunFolder::create(self.common.out.as_deref())?;
        let config = self.config(sha256, &training, validation.as_ref());
        folder.write_config(&config)?;
        csv_files::write_split(&folder.file("split.csv"), &self.dataset.rows())?;

        let settings = TrainSettings {
            epochs: self.epochs,
            seed: self.common.seed,
            shuffle: self.shuffle,
            adam: AdamSettings { learning_rate: self.learning_rate as f32, ..AdamSettings::default() },
            conv: self.common.conv,
        };
        let mut recorder = Recorder::new(&self, text, &folder, config.data, training.batches());
        recorder.epoch_begins(0);
        train(network, &mut parameters, &training, validation.as_ref(), &settings, |event| recorder.record(event))?;
        recorder.finish(&parameters, validation.as_ref().map(|loader| loader.images()))
    }

    /// Whether this machine can hold the largest batch that there will be.
    fn check_memory(&self) -> glassnet::Result<()> {
        let split = &self.dataset.split;
        let batch = self.batch_size.min(split.training.len().max(split.validation.len()));
        Memory::of(&self.network, batch).check_training(batch)
    }

    fn config(&self, sha256: String, training: &Loader, validation: Option<&Loader>) -> Config {
        let classes = self.dataset.catalog.classes.clone();
        Config {
            command: self.command,
            version: env!("CARGO_PKG_VERSION"),
            settings: Settings {
                epochs: self.epochs,
                batch_size: self.batch_size,
                image_size: self.network.spec().input[0],
                validation_split: self.validation_split,
                learning_rate: self.learning_rate,
                seed: self.common.seed,
                shuffle: self.shuffle,
                conv: self.common.conv.to_string(),
                init_weights: self.init_weights.map(|path| path.display().to_string()),
            },
            adam: Adam::default(),
            machine: Machine::here(),
            data: Data {
                path: self.dataset.source.path().display().to_string(),
                sha256,
                positive_class: classes[1].clone(),
                classes,
                training_images: training.images().items().len(),
                validation_images: validation.map_or(0, |loader| loader.images().items().len()),
            },
            model: self.network.spec().clone(),
        }
    }
}

/// Decodes every image once, so that an unreadable one stops the run before its first epoch, and hashes the set.
fn check_and_hash(parts: &[Arc<ImageSet>]) -> Result<String, Failure> {
    let mut hash = Sha256::new();
    for part in parts {
        let mut check = part.check_all();
        let digests: Vec<Option<Digest>> = std::mem::take(&mut check.digests);
        report_check(check)?;
        for (item, digest) in part.items().iter().zip(digests) {
            hash.update(item.path.as_bytes());
            hash.update([0]);
            hash.update(digest.unwrap_or_default());
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The lines of a run: results, or with `--json` progress. The run matters more than its lines: when stdout takes no more,
/// as when its reader went away, the run goes on, leaves its folder, and tells at the end.
struct RunText {
    json: bool,
    failure: Option<io::Error>,
}

impl RunText {
    fn new(json: bool) -> RunText {
        RunText { json, failure: None }
    }

    fn line(&mut self, line: &str) {
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

/// Keeps the run's story and writes it down.
struct Recorder<'a> {
    run: &'a TrainingRun<'a>,
    text: RunText,
    folder: &'a RunFolder,
    data: Data,
    steps_per_epoch: usize,
    bar: ProgressBar,
    steps: Vec<StepRow>,
    epochs: Vec<EpochRecord>,
    validation: Option<Evaluation>,
    /// The epoch with the lowest validation loss so far, or training loss where there is no validation part.
    best: Option<(EpochRecord, Parameters)>,
    saved: Instant,
}

impl<'a> Recorder<'a> {
    fn new(
        run: &'a TrainingRun<'a>,
        text: RunText,
        folder: &'a RunFolder,
        data: Data,
        steps_per_epoch: usize,
    ) -> Recorder<'a> {
        Recorder {
            run,
            text,
            folder,
            data,
            steps_per_epoch,
            bar: ProgressBar::hidden(),
            steps: Vec::new(),
            epochs: Vec::new(),
            validation: None,
            best: None,
            saved: Instant::now(),
        }
    }

    /// Prints `Epoch 1/5` and starts a bar under it, where stderr is a terminal.
    fn epoch_begins(&mut self, epoch: usize) {
        if epoch < self.run.epochs {
            self.text.line(&epoch_heading(epoch, self.run.epochs));
            let style = ProgressStyle::with_template("{pos}/{len} [{bar:30}] {per_sec} - ETA {eta} {msg}")
                .map(|style| style.progress_chars("=>."))
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let target = ProgressDrawTarget::stderr();
            self.bar = ProgressBar::with_draw_target(Some(self.steps_per_epoch as u64), target).with_style(style);
        }
    }

    fn record(&mut self, event: Event) -> glassnet::Result<()> {
        match event {
            Event::Step { row, mean_loss, mean_accuracy } => {
                self.steps.push(row);
                self.bar.set_message(format!("- loss: {mean_loss:.4} - accuracy: {mean_accuracy:.4}"));
                self.bar.inc(1);
                Ok(())
            }
            Event::Epoch { record, parameters, validation } => {
                self.bar.finish_and_clear();
                self.epochs.push(record);
                self.validation = validation.cloned();
                let loss = |record: &EpochRecord| record.val_loss.unwrap_or(record.loss);
                if self.best.as_ref().is_none_or(|(best, _)| loss(&record) < loss(best)) {
                    self.best = Some((record, parameters.clone()));
                }
                csv_files::write_history(&self.folder.file("history.csv"), &self.epochs)?;
                csv_files::write_steps(&self.folder.file("steps.csv"), &self.steps)?;
                if self.saved.elapsed() >= SAVE_EVERY {
                    self.save(parameters)?;
                }
                self.text.line(&epoch_line(&record));
                self.epoch_begins(record.epoch + 1);
                Ok(())
            }
        }
    }

    /// Writes both weights files.
    fn save(&mut self, last: &Parameters) -> glassnet::Result<()> {
        if let Some((record, parameters)) = &self.best {
            checkpoint::save(&self.folder.weights("best"), &self.card(record), parameters)?;
        }
        if let Some(record) = self.epochs.last() {
            checkpoint::save(&self.folder.weights("last"), &self.card(record), last)?;
        }
        self.saved = Instant::now();
        Ok(())
    }

    fn card(&self, record: &EpochRecord) -> ModelCard {
        ModelCard {
            version: env!("CARGO_PKG_VERSION").to_string(),
            spec: self.run.network.spec().clone(),
            classes: self.data.classes.clone(),
            rescale: 1.0 / 255.0,
            resize: "nearest".to_string(),
            threshold: DEFAULT_THRESHOLD,
            training: TrainingFacts {
                epochs: record.epoch + 1,
                seed: self.run.common.seed,
                images: self.data.training_images,
                val_loss: record.val_loss,
                val_accuracy: record.val_accuracy,
            },
        }
    }

    /// Writes what can only be written at the end.
    fn finish(mut self, parameters: &Parameters, validation_images: Option<&ImageSet>) -> Result<Finished, Failure> {
        self.save(parameters)?;
        let title = format!("glassnet {}", self.run.command);
        pictures::write_curves(&self.folder.file("curves.png"), &title, &self.epochs)?;
        let classes = self.data.classes.clone();
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
                pictures::write_confusion(&self.folder.file("confusion.png"), "Validation", names, &confusion)?;
                Some(Validated { confusion, roc_auc: roc_auc(&evaluation.labels, &evaluation.probabilities) })
            }
            _ => None,
        };
        self.text.end()?;
        Ok(Finished {
            folder: self.folder.path().to_path_buf(),
            classes,
            epochs: self.epochs,
            training_images: self.data.training_images,
            validation: validated,
        })
    }
}

impl Finished {
    /// The lines that close a run.
    pub fn closing_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.epochs.last().map(|last| training_accuracy_line(last.accuracy)));
        if let Some(Validated { confusion, roc_auc }) = &self.validation {
            let share = |value: Option<f64>| value.map_or("undefined".to_string(), |value| format!("{value:.4}"));
            let [negative, positive] = &self.classes;
            let majority = if confusion.positives() >= confusion.negatives() { positive } else { negative };
            lines.push(format!(
                "Validation: {} of {} right, accuracy {}; always answering '{majority}' would have {}",
                confusion.true_positive + confusion.true_negative,
                confusion.total(),
                share(confusion.accuracy()),
                share(confusion.majority_share()),
            ));
            lines.push(format!(
                "Positive class '{positive}': sensitivity {}, specificity {}, ROC AUC {}",
                share(confusion.sensitivity()),
                share(confusion.specificity()),
                share(*roc_auc),
            ));
        }
        lines.push(format!("Run folder: {}", self.folder.display()));
        lines
    }

    /// The same as JSON.
    pub fn json(&self) -> serde_json::Value {
        json!({
            "run_folder": self.folder.display().to_string(),
            "classes": self.classes,
            "positive_class": self.classes[1],
            "training_images": self.training_images,
            "validation_images": self.validation.as_ref().map_or(0, |validated| validated.confusion.total()),
            "epochs": self.epochs,
            "training_accuracy": self.epochs.last().map(|last| last.accuracy),
            "validation": self.validation.as_ref().map(|Validated { confusion, roc_auc }| json!({
                "confusion": confusion,
                "accuracy": confusion.accuracy(),
                "majority_share": confusion.majority_share(),
                "sensitivity": confusion.sensitivity(),
                "specificity": confusion.specificity(),
                "balanced_accuracy": confusion.balanced_accuracy(),
                "roc_auc": roc_auc,
            })),
        })
    }
}
