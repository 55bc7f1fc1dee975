//! A training run from data to run folder: what `train` and `reproduce` have in common.

use super::args::RunArgs;
use super::console::{self, Failure};
use super::dataset::{Dataset, Part, report_checks};
use super::finished::Finished;
use super::interrupt;
use super::memory::Memory;
use super::recorder::{Recorder, RunFacts, RunText};
use super::run_folder::{Adam, Algorithms, Config, Data, Machine, RunFolder, Settings};
use glassnet::checkpoint;
use glassnet::data::batches::Loader;
use glassnet::data::images::{Check, ImageSet};
use glassnet::kernels::conv::Pass;
use glassnet::kernels::registry::ConvChoice;
use glassnet::network::Network;
use glassnet::optim::AdamSettings;
use glassnet::plan::{Plan, PlanOptions};
use glassnet::report::csv_files;
use glassnet::report::epoch::found_line;
use glassnet::train::{TrainSettings, train};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

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
            adam: AdamSettings { learning_rate: self.learning_rate, ..AdamSettings::default() },
            conv: self.common.conv,
            fuse: !self.common.no_fuse,
        };
        let facts = RunFacts {
            command: self.command,
            network,
            seed: self.common.seed,
            epochs: self.epochs,
            steps_per_epoch: training.batches(),
            data: config.data,
        };
        let mut recorder = Recorder::new(facts, text, &folder);
        recorder.epoch_begins(0);
        interrupt::finish_the_step_first();
        let outcome =
            train(network, &mut parameters, &training, validation.as_ref(), &settings, |event| recorder.record(event));
        if let Err(error) = outcome {
            // What was reached stays, and if it cannot be written, the first error is still the one to tell.
            if let Err(second) = recorder.write_what_there_is() {
                console::error(&second.to_string());
            }
            return Err(error.into());
        }
        recorder.finish(&parameters, validation.as_ref().map(|loader| loader.images()))
    }

    /// Whether this machine can hold the largest batch that there will be.
    fn check_memory(&self) -> glassnet::Result<()> {
        let split = &self.dataset.split;
        let batch = self.batch_size.min(split.training.len().max(split.validation.len()));
        let options = PlanOptions { conv: self.common.conv, fuse: !self.common.no_fuse, ..PlanOptions::default() };
        Memory::of(&self.network, batch, options).check_training(batch)
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
                fuse: !self.common.no_fuse,
                init_weights: self.init_weights.map(|path| path.display().to_string()),
            },
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
            },
            model: self.network.spec().clone(),
        }
    }
}

/// Decodes every image once, so that an unreadable one stops the run before its first epoch, and hashes the set.
fn check_and_hash(parts: &[Arc<ImageSet>]) -> Result<String, Failure> {
    let checks: Vec<Check> = parts.iter().map(|part| part.check_all()).collect();
    let mut hash = Sha256::new();
    for (part, check) in parts.iter().zip(&checks) {
        for (item, digest) in part.items().iter().zip(&check.digests) {
            hash.update(item.path.as_bytes());
            hash.update([0]);
            hash.update(digest.unwrap_or_default());
        }
    }
    report_checks(checks)?;
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
