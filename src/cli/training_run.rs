//! A training run from data to run folder: what `train` and `reproduce` have in common.

use super::args::{ClassWeight, RunArgs, TrainArgs};
use super::console::{self, Failure};
use super::dataset::{Dataset, Part, report_checks};
use super::finished::Finished;
use super::interrupt;
use super::memory::{Memory, cache_bytes};
use super::progress::Progress;
use super::recorder::{Recorder, RunFacts, RunText};
use super::resume::ResumedRun;
use super::resume::difference::identity;
use super::resume::progress::{going_on_line, nothing_to_do, read_timings};
use super::run_folder::{Adam, Algorithms, Config, Data, Machine, RunFolder, Settings, as_toml};
use glassnet::Error;
use glassnet::checkpoint;
use glassnet::data::augment::Augmentation;
use glassnet::data::batches::{BATCHES_AHEAD, Loader};
use glassnet::data::images::ImageSet;
use glassnet::data::split::Split;
use glassnet::kernels::conv::Pass;
use glassnet::kernels::registry::ConvChoice;
use glassnet::loss::ClassWeights;
use glassnet::network::Network;
use glassnet::optim::AdamSettings;
use glassnet::plan::{Plan, PlanOptions};
use glassnet::report::csv_files;
use glassnet::report::epoch::found_line;
use glassnet::report::statements::majority_line;
use glassnet::train::{TrainSettings, train};
use glassnet::training_state::TrainingState;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
    /// The run that goes on, if it is none that begins.
    pub resumed: Option<ResumedRun>,
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
            resumed: None,
            common,
        }
    }

    /// Checks the data, trains, prints an epoch's line when it ends, and writes the run folder. Returns nothing where a run
    /// that was to go on has nothing left to do, which it says.
    pub fn execute(mut self) -> Result<Option<Finished>, Failure> {
        let resumed = self.resumed.take();
        if resumed.is_none() {
            RunFolder::check(self.common.out.as_deref())?;
        }
        let settings = self.train_settings();
        check_memory(&self.network, &self.dataset.split, self.batch_size, self.common)?;
        let [side, _, _] = self.network.spec().input;
        let (was, saved) = match &resumed {
            None => (toml::Table::new(), None),
            Some(run) => self.saved_state(run, &settings)?,
        };
        if let (Some(run), Some(state)) = (&resumed, &saved)
            && let Some(sentence) = nothing_to_do(run, &settings, state)?
        {
            self.say_nothing_to_do(run.folder.path(), &sentence)?;
            return Ok(None);
        }
        let goes_on = saved.is_some();
        let mut state = match (saved, self.init_weights) {
            (Some(state), _) => state,
            (None, Some(path)) => TrainingState::new(checkpoint::load_parameters(path, &self.network)?, settings.adam),
            (None, None) => TrainingState::new(self.network.initial_parameters(self.common.seed), settings.adam),
        };
        let mut text = RunText::new(self.common.json);
        let cache = cache_bytes(self.common.cache);
        let [training, validation] = [Part::Training, Part::Validation];
        let parts = [self.dataset.images(training, side, cache)?, self.dataset.images(validation, side, cache)?];
        for part in &parts {
            text.line(&found_line(part.items().len(), 2));
        }
        let (parts, sha256) = self.check_and_hash(parts)?;
        let skipped = self.dataset.skipped.len();
        if skipped > 0 {
            let [training, validation] = parts.each_ref().map(|part| part.items().len());
            text.line(&format!("Left out {skipped} that cannot be read: {training} train, {validation} validate."));
        }
        // What was left out has no part in the classes' weights.
        let settings = self.train_settings();
        let network = &self.network;
        let counts = [Part::Training, Part::Validation].map(|part| self.dataset.counts(part));
        // The documented run is printed as it was; what the majority has stands in its closing lines.
        if self.command != "reproduce" {
            let names = self.dataset.classes().map(console::one_line);
            majority_line([&names[0], &names[1]], counts[0], counts[1]).iter().for_each(|line| text.line(line));
        }
        self.dataset.groups_line().iter().for_each(|line| text.line(line));
        self.class_weights_line().iter().for_each(|line| text.line(line));
        if settings.early_stopping.is_some() && parts[1].items().is_empty() {
            return Err(without_validation().into());
        }
        if self.dataset.decoded_bytes(side) > cache {
            console::progress(&decoded_anew(self.dataset.decoded_bytes(side), side, cache));
        }
        let [training, validation] = parts.map(|images| Loader::new(images, self.batch_size));
        let (training, validation) = (training?, validation?);
        let validation = Some(validation).filter(|loader| loader.batches() > 0);

        let config = self.config(sha256, &training, validation.as_ref());
        let table = as_toml(&config)?;
        let mut saving_seconds = Vec::new();
        let folder = match resumed {
            None => RunFolder::create(self.common.out.as_deref())?,
            Some(run) => {
                run.check(&was, &table)?;
                for change in run.changed_circumstances(&table) {
                    console::warn(&change);
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
        csv_files::write_split(&folder.file("split.csv"), &self.dataset.rows())?;

        let facts = RunFacts {
            network,
            settings,
            steps_per_epoch: training.batches(),
            counts,
            config,
            identity: identity(&table).to_string(),
            save_every: Duration::from_secs_f64(self.common.save_every),
        };
        let mut recorder = Recorder::new(facts, text, &folder, &state, saving_seconds);
        if goes_on {
            // What was written after the state was saved is dropped from the tables, as it will be done again.
            recorder.write_tables(&state)?;
        }
        interrupt::finish_the_step_first();
        let outcome = train(network, &mut state, &training, validation.as_ref(), &settings, |event, state| {
            recorder.record(event, state)
        });
        match outcome {
            Ok(answers) => {
                let images = validation.as_ref().map(|loader| loader.images());
                Ok(Some(recorder.finish(&state, answers.as_ref(), &training, images)?))
            }
            Err(error) => Err(self.stopped(error, &mut recorder, &folder, &state)),
        }
    }

    fn train_settings(&self) -> TrainSettings {
        TrainSettings {
            epochs: self.epochs,
            seed: self.common.seed,
            shuffle: self.shuffle,
            adam: AdamSettings {
                learning_rate: self.learning_rate,
                weight_decay: self.weight_decay,
                ..AdamSettings::default()
            },
            class_weights: self.class_weights(),
            augmentation: self.augmentation,
            conv: self.common.conv,
            fuse: !self.common.no_fuse,
            early_stopping: self.early_stopping,
        }
    }

    /// What a run was made from, and the state it has saved, if it has, after a look whether its settings are still the same.
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
        run.check(&was, &flags)?;
        let state = saved.map(|saved| saved.state(&self.network, settings.adam)).transpose();
        Ok((was, state.map_err(|error| run.unusable(error))?))
    }

    /// Saves what can be saved of a run that ended before its end, and says how to go on.
    fn stopped(&self, error: Error, recorder: &mut Recorder, folder: &RunFolder, state: &TrainingState) -> Failure {
        let saved = match &error {
            // What stands in the files is whole, and there is no room for more.
            Error::Io { action: "write", .. } => Ok(()),
            Error::NotFinite { .. } => recorder.save_all_but_the_last(state),
            _ => recorder.save_now(state),
        };
        // If it cannot be written, the first error is still the one to tell.
        if let Err(second) = saved {
            console::error(&second.to_string());
        }
        match error {
            Error::NotFinite { .. } => error.into(),
            error => {
                let folder = folder.path().display().to_string();
                let go_on = format!("glassnet {} --resume {}", self.command, console::shell_word(&folder));
                Failure::Stopped { error, go_on }
            }
        }
    }

    fn say_nothing_to_do(&self, folder: &Path, sentence: &str) -> std::io::Result<()> {
        match self.common.json {
            true => console::print_json(&json!({
                "run_folder": folder.display().to_string(),
                "nothing_to_do": sentence,
            })),
            false => console::print(&format!("Nothing to do: {sentence}")),
        }
    }

    fn class_weights(&self) -> ClassWeights {
        match self.class_weight {
            ClassWeight::None => ClassWeights::NONE,
            ClassWeight::Balanced => ClassWeights::balanced(self.dataset.counts(Part::Training)),
        }
    }

    /// The weights of the classes, where they were asked for.
    fn class_weights_line(&self) -> Option<String> {
        let [negative, positive] = self.class_weights().0;
        let named = self.dataset.classes().map(console::one_line);
        (self.class_weight != ClassWeight::None)
            .then(|| format!("Class weights: '{}' {negative:.4}, '{}' {positive:.4}", named[0], named[1]))
    }

    /// What computes each convolution, and a warning for those that the algorithm asked for cannot compute.
    fn algorithms(&self) -> BTreeMap<String, Algorithms> {
        let asked = self.common.conv;
        let plan = Plan::new(&self.network, 1, PlanOptions { conv: asked, training: true, ..PlanOptions::default() });
        let mut algorithms = BTreeMap::new();
        for step in plan.steps() {
            let Some(block) = &step.block else { continue };
            let layers = &self.network.layers()[step.layers.clone()];
            let name = layers.iter().find(|layer| layer.weights().is_some()).map_or("", |layer| layer.name.as_str());
            let [forward, grad_input, grad_weights] = Pass::ALL.map(|pass| block.algorithms.of(pass).name());
            if asked != ConvChoice::Auto && forward != asked.name() {
                console::warn(&format!("{name}: --conv {asked} cannot compute it, so {forward} does"));
            }
            algorithms.insert(name.to_owned(), Algorithms { forward, grad_input, grad_weights });
        }
        algorithms
    }

    fn settings(&self) -> Settings {
        Settings {
            epochs: self.epochs,
            batch_size: self.batch_size,
            image_size: self.network.spec().input[0],
            validation_split: self.fold.is_none().then_some(self.validation_split),
            fold: self.fold.map(|fold| format!("{} of {}", fold.number, fold.of)),
            group_regex: self.group_regex.map(str::to_string),
            learning_rate: self.learning_rate,
            weight_decay: self.weight_decay,
            class_weight: self.class_weight.to_string(),
            augment: self.augmentation.map_or_else(Vec::new, Augmentation::names),
            seed: self.common.seed,
            shuffle: self.shuffle,
            conv: self.common.conv.to_string(),
            fuse: !self.common.no_fuse,
            init_weights: self.init_weights.map(|path| path.display().to_string()),
            early_stopping: self.early_stopping,
            skip_bad: self.skip_bad,
            save_every: self.common.save_every,
            cache: self.common.cache,
        }
    }

    fn config(&self, sha256: String, training: &Loader, validation: Option<&Loader>) -> Config {
        let classes = self.dataset.catalog.classes.clone();
        Config {
            command: self.command,
            version: env!("CARGO_PKG_VERSION"),
            settings: self.settings(),
            adam: Adam::default(),
            algorithms: self.algorithms(),
            machine: Machine::here(),
            data: Data {
                path: self.dataset.source.path().display().to_string(),
                sha256,
                positive_class: classes[1].clone(),
                classes,
                training_images: training.images().items().len(),
                validation_images: validation.map_or(0, |loader| loader.images().items().len()),
                skipped_images: self.dataset.skipped.iter().map(|item| item.path.clone()).collect(),
            },
            model: self.network.spec().clone(),
            outcome: None,
        }
    }

    /// Decodes every image once, so that an unreadable one stops the run before its first epoch, or with `--skip-bad` is left
    /// out, and hashes the set. What is decoded is kept for the epochs if it fits.
    fn check_and_hash(&mut self, parts: [Arc<ImageSet>; 2]) -> Result<([Arc<ImageSet>; 2], String), Failure> {
        let (begun, images) = (Instant::now(), parts.iter().map(|part| part.items().len()).sum());
        let progress = Progress::of_images("Checking", images);
        let checks = parts.each_ref().map(|part| part.check_all_telling(|| progress.advance(1)));
        drop(progress);
        log::debug!("{images} images read and decoded in {:.1?}", begun.elapsed());
        let mut hash = Sha256::new();
        for (part, check) in parts.iter().zip(&checks) {
            for (item, digest) in part.items().iter().zip(&check.digests) {
                // An image that is left out is not part of what was learned from.
                let Some(digest) = digest else { continue };
                hash.update(item.path.as_bytes());
                hash.update([0]);
                hash.update(digest);
            }
        }
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if !self.skip_bad || checks.iter().all(|check| check.errors.is_empty()) {
            report_checks(checks.into())?;
            return Ok((parts, sha256));
        }
        let [training, validation] = checks;
        let training = self.dataset.leave_out_unreadable(Part::Training, &parts[0], training)?;
        let validation = self.dataset.leave_out_unreadable(Part::Validation, &parts[1], validation)?;
        Ok(([training, validation].map(Arc::new), sha256))
    }
}

/// Whether this machine can hold the largest batch that there will be.
pub fn check_memory(network: &Network, split: &Split, batch_size: usize, common: &RunArgs) -> glassnet::Result<()> {
    let batch = batch_size.min(split.training.len().max(split.validation.len()));
    let options = PlanOptions { conv: common.conv, fuse: !common.no_fuse, ..PlanOptions::default() };
    Memory::of(network, batch, options).check_training(batch)
}

/// What is told where the images are not kept in memory; sizes in bytes.
fn decoded_anew(needed: usize, side: usize, cache: usize) -> String {
    let mebibytes = |bytes: usize| bytes as f64 / (1u64 << 20) as f64;
    format!(
        "Decoded to {side} × {side} pixels the images take {:.1} MiB, and --cache is {:.0}: they are decoded anew in each epoch, \
         {BATCHES_AHEAD} batches ahead of the step.",
        mebibytes(needed),
        mebibytes(cache).floor(),
    )
}

/// What `--early-stopping` cannot do without.
pub fn without_validation() -> Error {
    let reason = "it watches the loss on the validation part, and no image validates; give a larger --validation-split";
    Error::setting("--early-stopping", reason)
}
