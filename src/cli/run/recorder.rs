//! The recorder of a training run: the lines it prints on the way, and the files it writes.

use crate::cli::outcome::Failure;
use crate::cli::run::context::RunContext;
use crate::cli::run::finished::Finished;
use crate::cli::run::reevaluation::reevaluate;
use crate::cli::run::tensorboard::Events;
use crate::cli::run::validated::Validated;
use crate::cli::run::watch::{self, Answers};
use crate::cli::run_folder::RunFolder;
use crate::cli::run_folder::config::RunEnd;
use crate::cli::terminal::console::{self, Lines};
use crate::cli::terminal::interrupt;
use crate::cli::terminal::progress::Progress;
use glassnet::checkpoint::{self, ModelCard, TrainingFacts};
use glassnet::classes::LabelSet;
use glassnet::data::batches::Loader;
use glassnet::data::catalog::Item;
use glassnet::data::images::ImageSet;
use glassnet::metrics::DEFAULT_THRESHOLD;
use glassnet::metrics::multilabel::MultilabelAssessment;
use glassnet::report::csv_files::{self, TimingRow};
use glassnet::report::epoch::{epoch_heading, epoch_line};
use glassnet::report::history_lines::HistoryLines;
use glassnet::report::pictures;
use glassnet::report::predictions_csv::{write_label_predictions, write_predictions};
use glassnet::report::watch::findings::watch_findings;
use glassnet::training::watch::Watcher;
use glassnet::training::{EpochRecord, Evaluation, Event, LearningRates, ScheduleName, TrainSettings, TrainingState};
use std::borrow::Cow;
use std::io;
use std::time::{Duration, Instant};

/// The name by which a filter asks for this module's debug lines.
const LOG_TARGET: &str = "glassnet::cli::recorder";

/// The age of the tables on the disk from which on the end of an epoch writes them again, whole as they are.
const TABLES_EVERY: Duration = Duration::from_secs(1);

/// The lines of a run while it goes on: results, or with `--json` progress. The run matters more than its
/// lines.
pub struct RunText {
    json: bool,
    lines: Lines,
}

impl RunText {
    /// No line yet.
    pub fn new(json: bool) -> RunText {
        RunText { json, lines: Lines::default() }
    }

    /// Prints a line.
    pub fn line(&mut self, line: &str) {
        if self.json {
            console::progress(line);
        } else if !console::is_quiet() {
            self.lines.print(line);
        }
    }

    /// `Err` where a line could not be printed.
    fn end(self) -> io::Result<()> {
        self.lines.end()
    }
}

/// Prints the run's story and writes it down.
pub struct Recorder<'a> {
    facts: RunContext<'a>,
    text: RunText,
    folder: &'a RunFolder,
    progress: Progress,
    saved: Instant,
    /// The epoch whose weights are in `best.safetensors`.
    saved_best: Option<usize>,
    tables_written: Option<Instant>,
    /// For each epoch that has ended, the seconds of it that went into saving.
    saving_seconds: Vec<f64>,
    /// `history.jsonl`.
    history: HistoryLines,
    /// The event file, where one is wanted.
    events: Option<Events>,
}

impl<'a> Recorder<'a> {
    /// A recorder of a run of which these epochs are done.
    ///
    /// # Errors
    /// Those of [`HistoryLines::begin`].
    pub fn new(
        facts: RunContext<'a>,
        text: RunText,
        folder: &'a RunFolder,
        state: &TrainingState,
        saving_seconds: Vec<f64>,
        events: Option<Events>,
    ) -> glassnet::Result<Recorder<'a>> {
        let mut recorder = Recorder {
            facts,
            text,
            folder,
            progress: Progress::none(),
            saved: Instant::now(),
            saved_best: None,
            tables_written: None,
            saving_seconds,
            history: HistoryLines::begin(&folder.file("history.jsonl"), &state.history)?,
            events,
        };
        recorder.epoch_begins(state);
        Ok(recorder)
    }

    /// Prints `Epoch 1/5` and starts a bar under it, where stderr is a terminal.
    fn epoch_begins(&mut self, state: &TrainingState) {
        if !self.facts.settings.is_over(state) {
            self.text.line(&epoch_heading(state.history.len(), self.facts.settings.epochs));
            self.progress = Progress::of_epoch(self.facts.steps_per_epoch);
        }
    }

    /// Takes down a step or an epoch.
    pub fn record(&mut self, event: Event, state: &TrainingState, watcher: Option<&Watcher>) -> glassnet::Result<()> {
        match event {
            Event::Step(so_far) => {
                let (loss, accuracy) = (so_far.mean_loss(), so_far.mean_accuracy());
                let validates = so_far.steps == self.facts.steps_per_epoch && self.facts.validation_images() > 0;
                let now = if validates { " - validating" } else { "" };
                self.progress.set(so_far.steps, format!("- loss: {loss:.4} - accuracy: {accuracy:.4}{now}"));
                interrupt::check()
            }
            Event::Epoch => {
                self.progress = Progress::none();
                self.saving_seconds.push(0.0);
                if let Some(record) = state.history.last() {
                    self.history.add(record)?;
                }
                if let Some(events) = &mut self.events {
                    events.add(state, &LearningRates::new(&self.facts.settings, &state.history)?);
                }
                let over = self.facts.settings.is_over(state);
                if over || self.tables_written.is_none_or(|written| written.elapsed() >= TABLES_EVERY) {
                    self.timed(|recorder| recorder.write_tables(state, watcher))?;
                }
                if over || self.saved.elapsed() >= self.facts.save_every {
                    self.timed(|recorder| recorder.save(state, watcher))?;
                }
                if let (Some(record), Some(saving)) = (state.history.last(), self.saving_seconds.last()) {
                    self.text.line(&epoch_line(&EpochRecord { seconds: record.seconds + saving, ..*record }));
                }
                self.epoch_begins(state);
                if over { Ok(()) } else { interrupt::check() }
            }
        }
    }

    /// Does a part of saving, and counts its time to the epoch that has just ended.
    fn timed(&mut self, work: impl FnOnce(&mut Self) -> glassnet::Result<()>) -> glassnet::Result<()> {
        let start = Instant::now();
        let outcome = work(self);
        if let Some(seconds) = self.saving_seconds.last_mut() {
            *seconds += start.elapsed().as_secs_f64();
        }
        outcome
    }

    /// Writes `history.csv`, `steps.csv`, `timings.csv` and where the run is watched `watch.csv`, as far as
    /// the run has come.
    pub fn write_tables(&mut self, state: &TrainingState, watcher: Option<&Watcher>) -> glassnet::Result<()> {
        csv_files::write_history(&self.folder.file("history.csv"), &state.history)?;
        let settings = &self.facts.settings;
        let rates = match settings.schedule {
            ScheduleName::Constant => None,
            _ => Some(LearningRates::new(settings, &state.history)?),
        };
        csv_files::write_steps(&self.folder.file("steps.csv"), &state.steps, rates.as_ref())?;
        let timing = |(record, &saving_seconds): (&EpochRecord, &f64)| TimingRow {
            epoch: record.epoch,
            seconds: record.seconds,
            step_seconds: record.step_seconds,
            wait_seconds: record.wait_seconds,
            saving_seconds,
        };
        let timings: Vec<TimingRow> = state.history.iter().zip(&self.saving_seconds).map(timing).collect();
        csv_files::write_timings(&self.folder.file("timings.csv"), &timings)?;
        if let Some(events) = &self.events {
            events.write()?;
        }
        if let Some(watcher) = watcher {
            watch::write_table(self.folder, watcher)?;
        }
        self.tables_written = Some(Instant::now());
        Ok(())
    }

    /// Writes the state, from which the run can go on, and the best weights. What was watched is in no state,
    /// and is written before.
    fn save(&mut self, state: &TrainingState, watcher: Option<&Watcher>) -> glassnet::Result<()> {
        if let Some(watcher) = watcher {
            watch::write_table(self.folder, watcher)?;
            watch::write_part(self.folder, watcher)?;
        }
        let begun = Instant::now();
        let (last, best) = rayon::join(
            || {
                let card = self.card(state.history.last());
                checkpoint::run::save(&self.folder.weights("last"), &card, state, &self.facts.identity)
            },
            || self.write_best(state),
        );
        last?;
        self.saved = Instant::now();
        self.saved_best = best?;
        let (epochs, steps) = (state.history.len(), state.steps.len());
        log::debug!(target: LOG_TARGET, "saved the state after epoch {epochs}, step {steps}, in {:.1?}", begun.elapsed());
        Ok(())
    }

    fn save_best(&mut self, state: &TrainingState) -> glassnet::Result<()> {
        self.saved_best = self.write_best(state)?;
        Ok(())
    }

    /// Writes the best weights, unless they are written, and returns the epoch of those that are then.
    fn write_best(&self, state: &TrainingState) -> glassnet::Result<Option<usize>> {
        match &state.best {
            Some(best) if self.saved_best != Some(best.epoch) => {
                let card = self.card(state.best_record());
                checkpoint::save(&self.folder.weights("best"), &card, &best.parameters)?;
                Ok(Some(best.epoch))
            }
            _ => Ok(self.saved_best),
        }
    }

    /// Writes what a run has come to that is interrupted.
    pub fn save_now(&mut self, state: &TrainingState, watcher: Option<&Watcher>) -> glassnet::Result<()> {
        self.progress = Progress::none();
        self.write_tables(state, watcher)?;
        self.save(state, watcher)
    }

    /// Writes what a run has come to whose last weights are of no use, for this `reason`. What was watched of
    /// its last epoch is what its reader wants most.
    pub fn save_all_but_the_last(
        &mut self,
        state: &TrainingState,
        watcher: Option<&mut Watcher>,
        reason: &str,
    ) -> glassnet::Result<()> {
        self.progress = Progress::none();
        let watcher = watcher.map(|watcher| {
            watcher.end_epoch(state.history.len());
            &*watcher
        });
        self.write_tables(state, watcher)?;
        self.save_best(state)?;
        match watcher {
            Some(watcher) => {
                let findings: Vec<String> =
                    std::iter::once(reason.to_string()).chain(watch_findings(watcher.rows())).collect();
                watch::write_page(self.folder, &self.facts, state, watcher, &findings, None)
            }
            None => Ok(()),
        }
    }

    /// The card of weights that stand after this epoch.
    fn card(&self, record: Option<&EpochRecord>) -> ModelCard {
        ModelCard {
            version: env!("CARGO_PKG_VERSION").to_string(),
            spec: self.facts.network.spec().clone(),
            classes: self.facts.config.data.classes.clone(),
            rescale: checkpoint::RESCALE,
            resize: self.facts.reading.resize_name(),
            reading: self.facts.reading,
            threshold: DEFAULT_THRESHOLD,
            training: TrainingFacts {
                epochs: record.map_or(0, |record| record.epoch + 1),
                seed: self.facts.settings.seed,
                images: self.facts.counts[0].iter().sum(),
                val_loss: record.and_then(|record| record.val_loss),
                val_accuracy: record.and_then(|record| record.val_accuracy),
            },
        }
    }

    /// Writes what can only be written at the end. `answers` are those of the weights that the run ends with.
    pub fn finish(
        mut self,
        state: &TrainingState,
        answers: Option<&Evaluation>,
        training: &Loader,
        validation_images: Option<&ImageSet>,
        watcher: Option<&Watcher>,
    ) -> Result<Finished, Failure> {
        self.write_tables(state, watcher)?;
        self.save_best(state)?;
        let mut finished = self.finished(state);
        if let (Some(evaluation), Some(images)) = (answers, validation_images) {
            finished.validation = Some(self.write_validation(evaluation, images)?);
        }
        // A picture is drawn by one thread, while the others have something else to do.
        let (pictures, reevaluated) = rayon::join(
            || rayon::join(|| self.write_curves(&finished), || self.write_confusion(&finished)),
            || reevaluate(self.facts.network, &self.facts.settings, training, state),
        );
        pictures.0.and(pictures.1)?;
        // Now all of the run is there, and it says so: one that is killed before goes on to draw them.
        self.facts.config.outcome = Some(outcome(&finished));
        self.folder.write_config(&self.facts.config)?;
        finished.reevaluated = Some(reevaluated?);
        if let Some(watcher) = watcher {
            finished.watched = Some(watch_findings(watcher.rows()));
            let weights = finished.weights();
            let answers = answers.zip(validation_images);
            let answers = answers.map(|(evaluation, images)| Answers { evaluation, images, weights });
            watch::write_page(self.folder, &self.facts, state, watcher, &finished.remarks(), answers)?;
            watch::remove_part(self.folder);
        }
        interrupt::check()?;
        finished.printed = self.text.end();
        Ok(finished)
    }

    /// Returns what the run has come to, as far as the state tells.
    fn finished(&mut self, state: &TrainingState) -> Finished {
        let settings = &self.facts.settings;
        Finished {
            folder: self.folder.path().to_path_buf(),
            classes: self.facts.config.data.classes.clone(),
            best: state.best_record().copied(),
            epochs: state.history.clone(),
            training_images: self.facts.counts[0].iter().sum(),
            skipped_images: self.facts.config.data.skipped_images.clone(),
            counts: self.facts.counts.clone(),
            combinations: self.facts.combinations.clone(),
            one_class: (0..).zip(&state.only_answers).filter_map(|(epoch, class)| Some((epoch, (*class)?))).collect(),
            reevaluated: None,
            printed: Ok(()),
            validation: None,
            watched: None,
            stopped_early: settings.has_stopped_early(state).then(|| why_it_stopped(settings, state)),
            restored: settings.early_stopping.is_some(),
            seconds: state.history.iter().map(|record| record.seconds).sum(),
            saving_seconds: self.saving_seconds.iter().sum(),
            left_out: std::mem::take(&mut self.facts.left_out),
        }
    }

    /// Writes `predictions.csv`, and returns what it shows.
    fn write_validation(&self, evaluation: &Evaluation, images: &ImageSet) -> glassnet::Result<Validated> {
        let classes = &self.facts.config.data.classes;
        let files: Vec<Cow<str>> = images.items().iter().map(Item::name).collect();
        let Evaluation { labels, sets, probabilities, losses, .. } = evaluation;
        let (path, head) = (self.folder.file("predictions.csv"), self.facts.network.head());
        if head.has_several_labels() {
            let rows = probabilities.chunks_exact(head.units()).map(|row| row.iter().copied());
            let answers = rows.map(|row| head.label_set(row, DEFAULT_THRESHOLD));
            let sets_and_answers: Vec<[LabelSet; 2]> = sets.iter().copied().zip(answers).map(Into::into).collect();
            write_label_predictions(&path, classes, &files, &sets_and_answers, probabilities)?;
            let assessment = MultilabelAssessment::new(head, sets, probabilities, losses, DEFAULT_THRESHOLD);
            return Ok(Validated::Labels(assessment));
        }
        write_predictions(&path, classes, &files, labels, probabilities)?;
        Ok(Validated::new(head, labels, probabilities))
    }

    /// Writes `confusion.png`, where images validated that are of classes.
    fn write_confusion(&self, finished: &Finished) -> glassnet::Result<()> {
        let Some(validated) = &finished.validation else { return Ok(()) };
        let title = format!("Validation, {} weights", finished.weights());
        let names: Vec<&str> = self.facts.config.data.classes.names().collect();
        let picture = self.folder.file("confusion.png");
        match validated {
            Validated::Two { confusion, .. } => {
                pictures::write_confusion(&picture, &title, [names[0], names[1]], confusion)
            }
            Validated::Several { confusion, .. } => {
                pictures::write_confusion_matrix(&picture, &title, &names, confusion)
            }
            // Of labels there is no picture: each has four counts of its own, which the lines tell.
            Validated::Labels(_) => Ok(()),
        }
    }

    /// Writes `curves.png`.
    fn write_curves(&self, finished: &Finished) -> glassnet::Result<()> {
        let title = format!("glassnet {}", self.facts.config.command);
        let majority_share = self.facts.constant_accuracy();
        pictures::write_curves(&self.folder.file("curves.png"), &title, &finished.epochs, majority_share)
    }
}

/// Returns what `config.toml` says of how the run came to its end.
fn outcome(finished: &Finished) -> RunEnd {
    RunEnd {
        epochs: finished.epochs.len(),
        best_epoch: finished.best.map(|best| best.epoch + 1),
        ended: match &finished.stopped_early {
            Some(sentence) => format!("early stopping {sentence}"),
            None => "all epochs are done".to_string(),
        },
        seconds: Some(finished.seconds).filter(|seconds| seconds.is_finite()),
        saving_seconds: finished.saving_seconds,
    }
}

/// Tells when and why a run stopped early, in words that go on after "early stopping".
pub fn why_it_stopped(settings: &TrainSettings, state: &TrainingState) -> String {
    let (lowest, best_epoch) =
        state.best_record().map_or((f64::NAN, 0), |best| (best.val_loss.unwrap_or(best.loss), best.epoch));
    let waited = match state.epochs_since_best() {
        1 => "in the epoch since".to_string(),
        epochs => format!("in the {epochs} epochs since"),
    };
    format!(
        "after epoch {} of {}: val_loss was lowest in epoch {}, {lowest:.4}, and no lower {waited}",
        state.history.len(),
        settings.epochs,
        best_epoch + 1,
    )
}
