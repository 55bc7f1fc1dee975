//! A training run from its first look at the data to its last file.

use super::images::CheckedParts;
use super::resolved::TrainingRun;
use super::start::{RunPlace, Start};
use crate::cli::job;
use crate::cli::outcome::{Failure, told};
use crate::cli::run::context::RunContext;
use crate::cli::run::finished::Finished;
use crate::cli::run::recorder::{Recorder, RunText};
use crate::cli::run::reevaluation::reevaluate;
use crate::cli::run::resume::ResumedRun;
use crate::cli::run::resume::progress::nothing_to_do;
use crate::cli::run::schedule::scheduled;
use crate::cli::run::tensorboard::Events;
use crate::cli::run::watch::watcher;
use crate::cli::run_folder::RunFolder;
use crate::cli::run_folder::config::{Config, as_toml};
use crate::cli::run_folder::identity::identity;
use crate::cli::terminal::{console, interrupt};
use glassnet::Error;
use glassnet::data::batches::Loader;
use glassnet::data::images::ImageSet;
use glassnet::data::left_out::LeftOut;
use glassnet::data::reading::Reading;
use glassnet::report::csv_files;
use glassnet::training::watch::Watcher;
use glassnet::training::{Sets, TrainingState, train_on, train_watched};
use serde_json::json;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The way a run ended.
pub enum Execution {
    /// It came to its end.
    Finished(Box<Finished>),
    /// It came to its end, and another rank of the job tells of it.
    Shared,
    /// It was to go on, and had come to its end before.
    NothingToDo { folder: PathBuf, state: Box<TrainingState>, sentence: String, left_out: Vec<LeftOut> },
}

impl Execution {
    /// Returns what the run came to. Where there was nothing to do this is printed, and nothing is returned.
    pub fn finished(self, json: bool) -> io::Result<Option<Finished>> {
        let (folder, sentence, left_out) = match self {
            Execution::Finished(finished) => return Ok(Some(*finished)),
            Execution::Shared => return Ok(None),
            Execution::NothingToDo { folder, sentence, left_out, .. } => (folder, sentence, left_out),
        };
        match json {
            true => console::print_json(&json!({
                "run_folder": folder.display().to_string(),
                "nothing_to_do": sentence,
                "left_out": left_out,
            }))?,
            false => console::print(&format!("Nothing to do: {sentence}"))?,
        }
        Ok(None)
    }
}

impl TrainingRun {
    /// Checks the data, trains, prints an epoch's line when it ends, and writes the run folder.
    pub fn execute(mut self) -> Result<Execution, Failure> {
        let resumed = self.resumed.take();
        let Start { mut state, was, goes_on } = self.start(resumed.as_ref())?;
        self.check_agreement(&state, resumed.as_ref().is_some_and(ResumedRun::has_ended))?;
        if let Some(run) = resumed.as_ref().filter(|_| goes_on)
            && let Some(sentence) = nothing_to_do(run, &self.settings.training, &state)?
        {
            let folder = run.folder.path().to_path_buf();
            let left_out = self.dataset.left_out;
            return Ok(Execution::NothingToDo { folder, state: Box::new(state), sentence, left_out });
        }
        let is_resumed = resumed.is_some();
        // From here on the first rank alone writes.
        let place = match job::is_first() {
            true => Some(RunPlace::claim(resumed, self.out.as_deref())?),
            false => None,
        };
        let mut text = RunText::new(self.json);
        let CheckedParts { parts, reading, hashes, images } = self.check_images(&mut text)?;
        // A fold has the schedule of its cross-validation.
        if self.settings.fold.is_none() {
            let steps = parts[0].items().len().div_ceil(self.settings.batch_size);
            self.settings.training = scheduled(&self.settings.training, steps, is_resumed)?;
        }
        self.introduce(reading, &mut text);
        if self.settings.training.early_stopping.is_some() && parts[1].items().is_empty() {
            return Err(without_validation().into());
        }
        if self.settings.fold.is_none() {
            self.warn_of_other_algorithms();
        }
        let Some(place) = place else { return self.follow(state, parts) };
        self.tell_of_ranks(parts[0].items().len());

        let config = self.config(self.data(hashes, reading.range));
        let table = as_toml(&config)?;
        let rows = self.dataset.rows(&images);
        let goes_on = goes_on.then_some(&mut state);
        let (folder, saving_seconds) = place.settle(&was, &table, &rows, goes_on, &mut text)?;
        folder.begin(&config)?;
        csv_files::write_split(&folder.file("split.csv"), &rows)?;
        drop((rows, images));

        let validation_images = Arc::clone(&parts[1]);
        let events = self.settings.tensorboard.then(|| Events::new(&folder, &state, &parts[0], self.dataset.classes()));
        let events = events.transpose()?;
        let [training, validation] = parts.map(|images| Loader::new(images, self.settings.batch_size));
        let loaders = [training?, validation?];
        let facts = self.facts(config, identity(&table).to_string(), reading, &loaders[0]);
        let recorder = Recorder::new(facts, text, &folder, &state, saving_seconds, events)?;
        self.train(state, loaders, &validation_images, recorder, &folder)
    }

    /// Returns what is known of the run before its first step.
    fn facts(&self, config: Config, identity: String, reading: Reading, training: &Loader) -> RunContext<'_> {
        RunContext {
            network: &self.network,
            settings: self.settings.training.clone(),
            reading,
            steps_per_epoch: training.batches(),
            counts: self.counts(),
            combinations: self.dataset.catalog.combinations.clone(),
            left_out: self.dataset.left_out.clone(),
            config,
            identity,
            save_every: Duration::from_secs_f64(self.settings.save_every),
        }
    }

    /// Trains to the end, or to where it is stopped, and writes down what came of it.
    fn train(
        &self,
        mut state: TrainingState,
        [training, validation]: [Loader; 2],
        validation_images: &ImageSet,
        mut recorder: Recorder,
        folder: &RunFolder,
    ) -> Result<Execution, Failure> {
        let validation = Some(validation).filter(|loader| loader.batches() > 0);
        let settings = &self.settings.training;
        let watcher = self.settings.watch.then(|| watcher(&self.network, settings, folder, &state));
        let mut watcher = watcher.transpose()?;
        if !state.steps.is_empty() {
            // What was written after the state was saved is dropped from the tables, as it will be done
            // again.
            recorder.write_tables(&state, watcher.as_ref())?;
        }
        interrupt::finish_the_step_first();
        job::begin_steps()?;
        let (network, loaders) = (&self.network, (&training, validation.as_ref()));
        let outcome = match &mut watcher {
            None => {
                let (ranks, watch) = (job::ranks(), &mut ());
                let sets = Sets { training: loaders.0, validation: loaders.1 };
                train_on(ranks, network, &mut state, sets, settings, watch, |event, state, ()| {
                    recorder.record(event, state, None)
                })
            }
            Some(watcher) => {
                train_watched(network, &mut state, loaders.0, loaders.1, settings, watcher, |event, state, watcher| {
                    recorder.record(event, state, Some(watcher))
                })
            }
        };
        match outcome {
            Ok(answers) => {
                let images = validation.is_some().then_some(validation_images);
                let finished = recorder.finish(&state, answers.as_ref(), &training, images, watcher.as_ref())?;
                Ok(Execution::Finished(Box::new(finished)))
            }
            Err(error) => Err(self.stopped(error, &mut recorder, folder, &state, watcher.as_mut())),
        }
    }

    /// The part that a rank has in the training that is not the first one: it trains, and writes nothing.
    fn follow(&self, mut state: TrainingState, parts: [Arc<ImageSet>; 2]) -> Result<Execution, Failure> {
        let [training, validation] = parts.map(|images| Loader::new(images, self.settings.batch_size));
        let (training, validation) = (training?, validation?);
        let validation = Some(&validation).filter(|loader| loader.batches() > 0);
        interrupt::finish_the_step_first();
        job::begin_steps()?;
        let (network, settings) = (&self.network, &self.settings.training);
        let sets = Sets { training: &training, validation };
        train_on(job::ranks(), network, &mut state, sets, settings, &mut (), |_, _, ()| Ok(()))?;
        reevaluate(network, settings, &training, &state)?;
        Ok(Execution::Shared)
    }

    /// Saves what can be saved of a run that ended before its end, and says how to go on.
    fn stopped(
        &self,
        error: Error,
        recorder: &mut Recorder,
        folder: &RunFolder,
        state: &TrainingState,
        watcher: Option<&mut Watcher>,
    ) -> Failure {
        let diverged = match &error {
            Error::NotFinite { .. } | Error::WeightsNotFinite { .. } => true,
            // An interrupt may come between the step that spoilt the weights and the one that would tell of
            // it.
            _ => state.check_weights().inspect_err(|error| console::warn(&told(error))).is_err(),
        };
        let saved = match &error {
            // What stands in the files is whole, and there is no room for more.
            Error::Io { action: "write", .. } => Ok(()),
            error if diverged => recorder.save_all_but_the_last(state, watcher, &told(error)),
            // All ranks end after the same step only where they are told to; else each has its own rows of
            // large kernels, and old ones of others.
            error if job::is_shared() && !matches!(error, Error::Interrupted) => Ok(()),
            _ => recorder.save_now(state, watcher.as_deref()),
        };
        // If it cannot be written, the first error is still the one to tell.
        if let Err(second) = saved {
            console::error(&told(&second));
        }
        match error {
            error if diverged => error.into(),
            error => Failure::stopped(error, self.command, folder.path()),
        }
    }
}

/// Returns what `--early-stopping` cannot do without.
pub fn without_validation() -> Error {
    let reason = "it watches the loss on the validation part, and no image validates; give a larger --validation-split";
    Error::setting("--early-stopping", reason)
}
