//! A training run from data to run folder: what `train` and `reproduce` have in common.

mod described;

use crate::cli::args::{ClassWeight, ReadingArgs, RunArgs, TrainArgs};
use crate::cli::input::checked::CheckedImages;
use crate::cli::input::dataset::{Dataset, Part};
use crate::cli::input::reading::of_training;
use crate::cli::machine::memory::{Memory, cache_bytes};
use crate::cli::outcome::Failure;
use crate::cli::run::finished::Finished;
use crate::cli::run::recorder::{Recorder, RunFacts, RunText};
use crate::cli::run::resume::ResumedRun;
use crate::cli::run::resume::difference::identity;
use crate::cli::run::resume::progress::{going_on_line, nothing_to_do, read_timings};
use crate::cli::run_folder::{RunFolder, as_toml};
use crate::cli::terminal::{console, interrupt};
use glassnet::Error;
use glassnet::checkpoint;
use glassnet::data::augment::Augmentation;
use glassnet::data::batches::Loader;
use glassnet::data::images::ImageSet;
use glassnet::data::left_out::LeftOut;
use glassnet::data::reading::Reading;
use glassnet::data::split::Split;
use glassnet::error::counted;
use glassnet::loss::ClassWeights;
use glassnet::network::Network;
use glassnet::plan::PlanOptions;
use glassnet::report::csv_files;
use glassnet::report::diagnostics::majority_line;
use glassnet::report::epoch::found_line;
use glassnet::training::{ClassWeighting, TrainSettings, TrainingState, train};
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A run, resolved: nothing is left to be decided.
pub struct TrainingRun<'a> {
    pub command: &'static str,
    pub dataset: Dataset,
    pub network: Network,
    pub init_weights: Option<&'a Path>,
    pub epochs: usize,
    pub batch_size: usize,
    /// The share of each class that validates; where there is a fold, that counts.
    pub validation_split: f64,
    pub fold: Option<Fold>,
    pub group_regex: Option<&'a str>,
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub class_weight: ClassWeight,
    pub augmentation: Option<Augmentation>,
    pub shuffle: bool,
    pub early_stopping: Option<usize>,
    /// Whether images that cannot be read are left out instead of stopping the run.
    pub skip_bad: bool,
    pub reading: ReadingArgs,
    /// The run that goes on, if it is none that begins.
    pub resumed: Option<ResumedRun>,
    /// The images, where they have been looked at before.
    pub checked: Option<Arc<CheckedImages>>,
    pub common: &'a RunArgs,
}

/// Which fold of a cross-validation a run is.
#[derive(Clone, Copy, Debug)]
pub struct Fold {
    /// From 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

/// The hashes of what a run learns from.
pub struct Hashes {
    /// Of DATA.
    pub data: String,
    /// Of what validates, if that is not in DATA.
    pub validation: Option<String>,
}

/// A data set of which every image was looked at.
struct Checked {
    /// What trains and what validates.
    parts: [Arc<ImageSet>; 2],
    /// How they are read.
    reading: Reading,
    hashes: Hashes,
    /// All images, those that cannot be read among them.
    images: Arc<CheckedImages>,
}

/// How a run was executed.
pub enum Execution {
    /// It came to its end.
    Finished(Box<Finished>),
    /// It was to go on, and had come to its end before.
    NothingToDo { folder: PathBuf, state: Box<TrainingState>, sentence: String, left_out: Vec<LeftOut> },
}

impl Execution {
    /// What the run came to. Where there was nothing to do this is printed, and nothing is returned.
    pub fn finished(self, json: bool) -> io::Result<Option<Finished>> {
        let (folder, sentence, left_out) = match self {
            Execution::Finished(finished) => return Ok(Some(*finished)),
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

impl<'a> TrainingRun<'a> {
    /// The run that the flags of `train` ask for; `common` may name another folder than they do.
    pub fn new(args: &'a TrainArgs, network: Network, dataset: Dataset, common: &'a RunArgs) -> TrainingRun<'a> {
        TrainingRun {
            command: "train",
            dataset,
            network,
            init_weights: args.init_weights.as_deref(),
            epochs: args.epochs,
            batch_size: args.batch_size,
            validation_split: args.validation_split,
            fold: None,
            group_regex: args.group_regex.as_deref(),
            learning_rate: args.learning_rate,
            weight_decay: args.weight_decay,
            class_weight: args.class_weight,
            augmentation: args.augment,
            shuffle: !args.no_shuffle,
            early_stopping: args.early_stopping,
            skip_bad: args.skip_bad,
            reading: args.reading,
            resumed: None,
            checked: None,
            common,
        }
    }

    /// Checks the data, trains, prints an epoch's line when it ends, and writes the run folder.
    pub fn execute(mut self) -> Result<Execution, Failure> {
        let resumed = self.resumed.take();
        if resumed.is_none() && self.fold.is_none() {
            RunFolder::check(self.common.out.as_deref())?;
        }
        let settings = self.train_settings();
        check_memory(&self.network, &self.dataset.split, self.batch_size, self.common)?;
        let (was, saved) = match &resumed {
            None => (toml::Table::new(), None),
            Some(run) => self.saved_state(run, &settings)?,
        };
        let goes_on = saved.is_some();
        let mut state = match (saved, self.init_weights) {
            (Some(state), _) => state,
            (None, Some(path)) => {
                TrainingState::new(checkpoint::load_parameters(path, &self.network)?, settings.adam())
            }
            (None, None) => TrainingState::new(self.network.initial_parameters(self.common.seed), settings.adam()),
        };
        if let Some(run) = resumed.as_ref().filter(|_| goes_on)
            && let Some(sentence) = nothing_to_do(run, &settings, &state)?
        {
            let folder = run.folder.path().to_path_buf();
            let left_out = self.dataset.left_out;
            return Ok(Execution::NothingToDo { folder, state: Box::new(state), sentence, left_out });
        }
        let begun = match &resumed {
            None => Some(RunFolder::create(self.common.out.as_deref())?),
            Some(run) => {
                run.folder.check_writable()?;
                None
            }
        };
        let mut text = RunText::new(self.common.json);
        let Checked { parts, reading, hashes, images } = self.check_images(&mut text)?;
        self.introduce(reading, &mut text);
        if settings.early_stopping.is_some() && parts[1].items().is_empty() {
            return Err(without_validation().into());
        }
        let validation_images = Arc::clone(&parts[1]);
        let [training, validation] = parts.map(|images| Loader::new(images, self.batch_size));
        let (training, validation) = (training?, validation?);
        let validation = Some(validation).filter(|loader| loader.batches() > 0);

        if self.fold.is_none() {
            self.warn_of_other_algorithms();
        }
        let config = self.config(self.data(hashes, reading.range));
        let table = as_toml(&config)?;
        let mut saving_seconds = Vec::new();
        let rows = self.dataset.rows(&images);
        let folder = match (begun, resumed) {
            (Some(folder), _) => {
                folder.check_free()?;
                folder
            }
            (None, None) => unreachable!("a run that does not go on has made its folder"),
            (None, Some(run)) => {
                run.check(&was, &table, &rows)?;
                if self.fold.is_none() {
                    run.warn_of_changed_circumstances(&table);
                }
                if goes_on {
                    saving_seconds = read_timings(&run.folder, &mut state);
                    text.line(&going_on_line(&run.folder, &state));
                } else {
                    console::progress("Nothing was saved yet, so the run begins again.");
                }
                run.folder
            }
        };
        folder.begin(&config)?;
        csv_files::write_split(&folder.file("split.csv"), &rows)?;
        drop((rows, images));

        let network = &self.network;
        let facts = RunFacts {
            network,
            settings,
            reading,
            steps_per_epoch: training.batches(),
            counts: self.counts(),
            left_out: self.dataset.left_out.clone(),
            config,
            identity: identity(&table).to_string(),
            save_every: Duration::from_secs_f64(self.common.save_every),
        };
        let mut recorder = Recorder::new(facts, text, &folder, &state, saving_seconds);
        if goes_on {
            // What was written after the state was saved is dropped from the tables, as it will be done
            // again.
            recorder.write_tables(&state)?;
        }
        interrupt::finish_the_step_first();
        let outcome = train(network, &mut state, &training, validation.as_ref(), &settings, |event, state| {
            recorder.record(event, state)
        });
        match outcome {
            Ok(answers) => {
                let images = validation.is_some().then_some(&*validation_images);
                let finished = recorder.finish(&state, answers.as_ref(), &training, images)?;
                Ok(Execution::Finished(Box::new(finished)))
            }
            Err(error) => Err(self.stopped(error, &mut recorder, &folder, &state)),
        }
    }

    /// Looks at every image, unless that was done before, so that an unreadable one stops the run before its
    /// first epoch, or with `--skip-bad` is left out.
    fn check_images(&mut self, text: &mut RunText) -> Result<Checked, Failure> {
        for part in Part::BOTH {
            text.line(&found_line(self.dataset.items(part).len(), 2));
        }
        let checked = match self.checked.take() {
            Some(checked) => checked,
            None => {
                let Dataset { source, catalog, .. } = &self.dataset;
                let [side, _, _] = self.network.spec().input;
                let cache = cache_bytes(self.common.cache);
                Arc::new(CheckedImages::of(source, catalog, side, cache, self.skip_bad, self.reading)?)
            }
        };
        self.dataset.check_trains(&checked)?;
        self.dataset.leave_out_unreadable(&checked);
        let items = Part::BOTH.map(|part| self.dataset.items(part));
        let both = items.iter().copied().flatten();
        let further = both.clone().filter(|item| item.set.is_some());
        let hashes = Hashes {
            data: checked.sha256(both.filter(|item| item.set.is_none())),
            validation: self.dataset.validation_data.as_ref().map(|_| checked.sha256(further)),
        };
        let [training, validation] = items.map(|items| checked.part(items));
        let reading = of_training(self.reading, &training)?;
        let parts = [training, validation].map(|part| Arc::new(part.with_range(reading.range)));
        Ok(Checked { parts, reading, hashes, images: checked })
    }

    /// What there is to know of the parts before the first epoch.
    fn introduce(&self, reading: Reading, text: &mut RunText) {
        let skipped = self.dataset.skipped.len();
        if skipped > 0 {
            let [training, validation] = Part::BOTH.map(|part| self.dataset.items(part).len());
            let skipped = counted(skipped, "image");
            text.line(&format!(
                "Left out {skipped} that cannot be read: {training} left to train on, {validation} to validate on."
            ));
        }
        // The documented run is printed as it was; what the majority has stands in its closing lines.
        if self.command != "reproduce" {
            let names = self.dataset.classes().map(console::one_line);
            let [training, validation] = self.counts();
            majority_line([&names[0], &names[1]], training, validation).iter().for_each(|line| text.line(line));
        }
        reading.description().iter().for_each(|how| text.line(&format!("Images are read with {how}")));
        if let Some((file, before)) =
            self.init_weights.and_then(|file| Some((file, checkpoint::card_of(file)?.reading)))
            && before != reading
        {
            let how = before.description().unwrap_or("photos as they lie, and 16-bit values not stretched".into());
            console::warn(&format!(
                "the weights in {} were trained on images read with {how}, and these are read otherwise; give the same --upright and \
                 --range for the same pixels",
                file.display()
            ));
        }
        self.dataset.groups_line().iter().for_each(|line| text.line(line));
        self.class_weights_line().iter().for_each(|line| text.line(line));
    }

    /// How many images of each class train, and how many validate.
    fn counts(&self) -> [[usize; 2]; 2] {
        Part::BOTH.map(|part| self.dataset.counts(part))
    }

    fn train_settings(&self) -> TrainSettings {
        TrainSettings {
            epochs: self.epochs,
            seed: self.common.seed,
            shuffle: self.shuffle,
            learning_rate: self.learning_rate,
            weight_decay: self.weight_decay,
            class_weight: self.class_weight.into(),
            augmentation: self.augmentation,
            conv: self.common.conv,
            fuse: !self.common.no_fuse,
            early_stopping: self.early_stopping,
        }
    }

    /// What a run was made from, and the state it has saved, if it has, after a look whether its settings are
    /// still the same.
    fn saved_state(
        &self,
        run: &ResumedRun,
        settings: &TrainSettings,
    ) -> Result<(toml::Table, Option<TrainingState>), Failure> {
        let mut flags = toml::Table::new();
        flags.insert("settings".into(), as_toml(&self.settings())?.into());
        flags.insert("model".into(), as_toml(self.network.spec())?.into());
        let saved = run.saved()?;
        let was = run.identity(saved.as_ref())?;
        run.check(&was, &flags, &[])?;
        let state = saved.map(|saved| saved.state(&self.network, settings.adam())).transpose();
        Ok((was, state.map_err(|error| run.unusable(error))?))
    }

    /// Saves what can be saved of a run that ended before its end, and says how to go on.
    fn stopped(&self, error: Error, recorder: &mut Recorder, folder: &RunFolder, state: &TrainingState) -> Failure {
        let diverged = match &error {
            Error::NotFinite { .. } | Error::WeightsNotFinite { .. } => true,
            // An interrupt may come between the step that spoilt the weights and the one that would tell of
            // it.
            _ => state.check_weights().inspect_err(|error| console::warn(&error.to_string())).is_err(),
        };
        let saved = match &error {
            // What stands in the files is whole, and there is no room for more.
            Error::Io { action: "write", .. } => Ok(()),
            _ if diverged => recorder.save_all_but_the_last(state),
            _ => recorder.save_now(state),
        };
        // If it cannot be written, the first error is still the one to tell.
        if let Err(second) = saved {
            console::error(&second.to_string());
        }
        match error {
            error if diverged => error.into(),
            error => Failure::stopped(error, self.command, folder.path()),
        }
    }

    fn class_weights(&self) -> ClassWeights {
        ClassWeighting::from(self.class_weight).weights(self.dataset.counts(Part::Training))
    }

    /// The weights of the classes, where they were asked for.
    fn class_weights_line(&self) -> Option<String> {
        let [negative, positive] = self.class_weights().0;
        let named = self.dataset.classes().map(console::one_line);
        (self.class_weight != ClassWeight::None)
            .then(|| format!("Class weights: '{}' {negative:.4}, '{}' {positive:.4}", named[0], named[1]))
    }
}

/// Whether this machine can hold the largest batch that there will be.
pub fn check_memory(network: &Network, split: &Split, batch_size: usize, common: &RunArgs) -> glassnet::Result<()> {
    let batch = batch_size.min(split.training.len().max(split.validation.len()));
    let options = PlanOptions { conv: common.conv, fuse: !common.no_fuse, ..PlanOptions::default() };
    Memory::of(network, batch, options).check_training(batch)
}

/// What `--early-stopping` cannot do without.
pub fn without_validation() -> Error {
    let reason = "it watches the loss on the validation part, and no image validates; give a larger --validation-split";
    Error::setting("--early-stopping", reason)
}
