//! `config.toml`: what a run was made from, and how it ended.

use super::settings::RunSettings;
use crate::cli::job;
use crate::cli::machine;
use glassnet::classes::Classes;
use glassnet::data::catalog::{Catalog, Item};
use glassnet::data::reading::SampleRange;
use glassnet::data::source::{self, Source};
use glassnet::kernels::simd::InstructionSet;
use glassnet::optim::AdamConstants;
use glassnet::spec::ModelSpec;
use glassnet::{Error, Result};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The file from which on a folder is that of a run.
pub const CONFIG: &str = "config.toml";

/// The origin of a run.
#[derive(Debug, Serialize)]
pub struct Config {
    /// The command.
    pub command: &'static str,
    /// The version of glassnet.
    pub version: &'static str,
    /// Every setting.
    pub settings: RunSettings,
    /// Adam's settings that no flag changes, where Adam is the optimizer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adam: Option<AdamConstants>,
    /// For each convolution what computes its passes.
    pub algorithms: BTreeMap<String, Algorithms>,
    /// The machine it ran on.
    pub machine: Machine,
    /// The data it learned from.
    pub data: Data,
    /// The network.
    pub model: ModelSpec,
    /// Its end; none as long as it has not ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<RunEnd>,
}

/// The end of a run.
#[derive(Debug, Serialize)]
pub struct RunEnd {
    /// Epochs done.
    pub epochs: usize,
    /// The epoch with the lowest validation loss, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_epoch: Option<usize>,
    /// The reason why there are no more.
    pub ended: String,
    /// Seconds of all epochs, saving included, where they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Seconds of them that went into saving.
    pub saving_seconds: f64,
}

/// The names of a convolution's algorithms.
#[derive(Debug, Serialize)]
pub struct Algorithms {
    pub forward: &'static str,
    pub grad_input: &'static str,
    pub grad_weights: &'static str,
}

/// The machine.
#[derive(Debug, Serialize)]
pub struct Machine {
    pub processor: String,
    /// The one in force: the machine's widest, or that of `GLASSNET_SIMD`.
    pub instruction_set: &'static str,
    pub threads: usize,
    /// The processes that share the run, each with so many threads, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ranks: Option<usize>,
    pub system: &'static str,
}

impl Machine {
    /// This one, with the current thread pool.
    pub fn here() -> Machine {
        Machine {
            processor: machine::processor(),
            instruction_set: InstructionSet::in_force().name(),
            threads: rayon::current_num_threads(),
            ranks: job::is_shared().then(|| job::ranks().count()),
            system: std::env::consts::OS,
        }
    }
}

/// The data set.
#[derive(Debug, Serialize)]
pub struct Data {
    pub path: String,
    /// The same from the root of the file system, by which the data are found from any folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absolute_path: Option<String>,
    /// The hash of [`set_sha256`](glassnet::data::images::set_sha256), training part first;
    /// of a cross-validation in the order of their paths.
    pub sha256: String,
    /// The classes, or the labels, of which an image may have several if the model says so.
    pub classes: Classes,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positive_class: Option<String>,
    /// The further data that validate, where there are some, and the hash of these alone; that above is then
    /// of the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_absolute_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_sha256: Option<String>,
    /// The range of samples of 16 bits, where one was given or found.
    #[serde(skip_serializing_if = "SampleRange::is_full")]
    pub range: SampleRange,
    /// The number of images that train; a cross-validation as a whole has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training_images: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_images: Option<usize>,
    /// Images that cannot be read and were left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped_images: Vec<String>,
}

impl Data {
    /// Returns what is known of a set, which the run calls `name`, before it is parted.
    pub fn new(source: &Source, name: &Path, catalog: &Catalog, sha256: String, skipped: &[Item]) -> Data {
        let classes = catalog.answers().clone();
        let positive = classes.positive().filter(|_| catalog.combinations.is_none());
        Data {
            path: name.display().to_string(),
            absolute_path: absolute(source.path()),
            sha256,
            positive_class: positive.map(str::to_string),
            classes,
            validation_path: None,
            validation_absolute_path: None,
            validation_sha256: None,
            range: SampleRange::FULL,
            training_images: None,
            validation_images: None,
            skipped_images: skipped.iter().map(|item| item.name().into_owned()).collect(),
        }
    }
}

/// The path from the root of the file system, if it is there and is text.
pub fn absolute(path: &Path) -> Option<String> {
    source::absolute(path)?.into_os_string().into_string().ok()
}

/// As a table of `config.toml`.
pub fn as_toml(value: &impl Serialize) -> Result<toml::Table> {
    toml::Table::try_from(value).map_err(|error| Error::setting(CONFIG, format!("it cannot be written: {error}")))
}
