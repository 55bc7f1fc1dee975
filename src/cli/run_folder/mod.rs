//! The run folder: what a training run leaves, and where.

mod lock;

use crate::cli::machine;
use crate::cli::terminal::output;
use glassnet::data::catalog::{Catalog, Item};
use glassnet::data::reading::SampleRange;
use glassnet::data::source::Source;
use glassnet::files::{try_place, write_whole};
use glassnet::kernels::simd::InstructionSet;
use glassnet::optim::AdamSettings;
use glassnet::spec::ModelSpec;
use glassnet::{Error, Result};
use lock::RunLock;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where runs go by default.
const RUNS: &str = "runs";

/// The file from which on a folder is that of a run.
const CONFIG: &str = "config.toml";

/// The folder of weights in that of a run.
const WEIGHTS: &str = "weights";

/// The flag that names another place.
const OUT: &str = "--out";

/// What is named in messages of a place that nobody has given.
const DEFAULT_PLACE: &str = "the run folder";

/// What messages on the place of a run begin with.
fn named(out: Option<&Path>) -> &'static str {
    if out.is_some() { OUT } else { DEFAULT_PLACE }
}

/// The folder of one run, or of several that have folders of their own in it.
pub struct RunFolder {
    path: PathBuf,
    /// Held as long as this process is at work on the run.
    #[expect(dead_code, reason = "it is held, and never looked at")]
    lock: RunLock,
}

impl RunFolder {
    /// Whether `out` is free, so far as can be told before [`RunFolder::create`].
    ///
    /// # Errors
    /// Where a file is in the way; or `out` is there and holds something, as nothing is ever overwritten.
    pub fn check(out: Option<&Path>) -> Result<()> {
        match out {
            Some(out) => output::check_new_folder(OUT, out),
            None => output::check_nothing_in_the_way(DEFAULT_PLACE, Path::new(RUNS)),
        }
    }

    /// Whether the folder that [`RunFolder::create`] makes will not lie among the images of `data`.
    ///
    /// # Errors
    /// Where it would.
    pub fn check_outside(out: Option<&Path>, data: &Path) -> Result<()> {
        output::check_outside_data(named(out), out.unwrap_or(Path::new(RUNS)), data)
    }

    /// Makes the folder, `out`, or else `runs/trainN` with the first free N, and finds out whether files can
    /// be written in it. From then on it is this process's own, before the work begins that takes long.
    ///
    /// # Errors
    /// Where it cannot be made or written in, or is not free: another process is at work there, or has come
    /// and gone.
    pub fn create(out: Option<&Path>) -> Result<RunFolder> {
        RunFolder::check(out)?;
        let path = match out {
            Some(out) => {
                output::make_folder(OUT, out)?;
                out.to_path_buf()
            }
            None => {
                let path = first_free(Path::new(RUNS))?;
                output::make_folder(DEFAULT_PLACE, &path)?;
                path
            }
        };
        let lock = RunLock::take(&path)?;
        let folder = RunFolder { path, lock };
        folder.check_free()?;
        Ok(folder)
    }

    /// Whether no run has begun in the folder. It is asked again before one does, as some file systems know
    /// no locks.
    ///
    /// # Errors
    /// [`Error::Setting`], where one has.
    pub fn check_free(&self) -> Result<()> {
        if !RunFolder::has_begun(&self.path) {
            return Ok(());
        }
        let reason = format!("{} is not empty, and nothing is overwritten; name a new folder", self.path.display());
        Err(Error::setting(OUT, reason))
    }

    /// Whether the files of a run that is to go on can be written.
    ///
    /// # Errors
    /// [`Error::Io`] names the one that cannot.
    pub fn check_writable(&self) -> Result<()> {
        let weights = self.path.join(WEIGHTS);
        let state = weights.is_dir().then(|| self.weights("last"));
        for file in [Some(self.config()), state].into_iter().flatten() {
            try_place(&file).map_err(Error::io("write", file))?;
        }
        Ok(())
    }

    /// Whether a run has begun in the folder, as its `config.toml` tells. The folder is neither locked nor
    /// changed.
    pub fn has_begun(path: &Path) -> bool {
        path.join(CONFIG).exists()
    }

    /// The folder of a run that is there, to go on with it.
    ///
    /// # Errors
    /// [`Error::Data`], where another process is at work on it, or its weights lie elsewhere, behind a link:
    /// nothing is written through one.
    pub fn open(path: &Path) -> Result<RunFolder> {
        let weights = path.join(WEIGHTS);
        if weights.is_symlink() {
            let reason = "it is a link, and nothing is written to where it leads; put the folder itself there, or start a new run";
            return Err(Error::data(weights, reason));
        }
        Ok(RunFolder { path: path.to_path_buf(), lock: RunLock::take(path)? })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A weights file in it: `best` or `last`.
    pub fn weights(&self, which: &str) -> PathBuf {
        self.path.join(WEIGHTS).join(format!("{which}.safetensors"))
    }

    /// `config.toml`.
    pub fn config(&self) -> PathBuf {
        self.file(CONFIG)
    }

    /// Begins a run, or goes on with one: writes `config.toml`, from which moment on the folder is that of a
    /// run, makes the place for weights, and takes away what only a run that came to its end has.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn begin(&self, config: &Config) -> Result<()> {
        self.write_config(config)?;
        let weights = self.path.join(WEIGHTS);
        std::fs::create_dir_all(&weights).map_err(Error::io("create", &weights))?;
        for name in ["predictions.csv", "confusion.png", "curves.png"] {
            let path = self.file(name);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::io("remove", path)(error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes `config.toml`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write_config(&self, config: &Config) -> Result<()> {
        let text = toml::to_string(config).map_err(|error| {
            Error::setting(self.config().display().to_string(), format!("it cannot be written: {error}"))
        })?;
        write_whole(&self.config(), text.as_bytes())
    }
}

/// As a table of `config.toml`.
pub fn as_toml(value: &impl Serialize) -> Result<toml::Table> {
    toml::Table::try_from(value).map_err(|error| Error::setting(CONFIG, format!("it cannot be written: {error}")))
}

/// Makes the first `runs/trainN` that is not there yet. Making and finding out are one call, so two runs
/// started at once get two folders.
fn first_free(runs: &Path) -> Result<PathBuf> {
    let mut number = 1;
    loop {
        output::make_folder(DEFAULT_PLACE, runs)?;
        let path = runs.join(format!("train{number}"));
        match output::make_one(&path) {
            Ok(true) => return Ok(path),
            Ok(false) => number += 1,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            // Another run that came to nothing has just removed the folder of runs.
            Err(error) if error.kind() == ErrorKind::NotFound && !runs.is_dir() => {}
            Err(error) => return Err(output::cannot(DEFAULT_PLACE, "create", &path, &error)),
        }
    }
}

/// What a run was made from.
#[derive(Debug, Serialize)]
pub struct Config {
    /// What was run.
    pub command: &'static str,
    /// The version of glassnet.
    pub version: &'static str,
    /// Every setting.
    pub settings: Settings,
    /// The optimizer's further settings.
    pub adam: Adam,
    /// For each convolution what computes its passes.
    pub algorithms: BTreeMap<String, Algorithms>,
    /// What it ran on.
    pub machine: Machine,
    /// What it learned from.
    pub data: Data,
    /// The network.
    pub model: ModelSpec,
    /// How it ended; none as long as it has not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// The flags' values.
#[derive(Debug, Serialize)]
pub struct Settings {
    pub epochs: usize,
    pub batch_size: usize,
    pub image_size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_split: Option<f64>,
    /// How many folds a cross-validation has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folds: Option<usize>,
    /// Which fold of how many this run is, in a cross-validation: `2 of 5`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<String>,
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub class_weight: String,
    /// The changes made to training images.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub augment: Vec<&'static str>,
    pub seed: u64,
    pub shuffle: bool,
    pub conv: String,
    pub fuse: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init_weights: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_regex: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub skip_bad: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub upright: bool,
    /// What was asked for: `auto`, or `0,4080`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    pub save_every: f64,
    pub cache: usize,
}

/// How a run came to its end.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Epochs done.
    pub epochs: usize,
    /// The epoch with the lowest validation loss, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_epoch: Option<usize>,
    /// Why there are no more.
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

/// Adam's settings that no flag changes.
#[derive(Debug, Serialize)]
pub struct Adam {
    pub beta_1: f64,
    pub beta_2: f64,
    pub epsilon: f64,
}

impl Default for Adam {
    fn default() -> Adam {
        let AdamSettings { beta_1, beta_2, epsilon, .. } = AdamSettings::default();
        Adam { beta_1, beta_2, epsilon }
    }
}

/// The machine.
#[derive(Debug, Serialize)]
pub struct Machine {
    pub processor: String,
    /// The one in force: the machine's widest, or that of `GLASSNET_SIMD`.
    pub instruction_set: &'static str,
    pub threads: usize,
    pub system: &'static str,
}

impl Machine {
    /// This one, with the current thread pool.
    pub fn here() -> Machine {
        Machine {
            processor: machine::processor(),
            instruction_set: InstructionSet::in_force().name(),
            threads: rayon::current_num_threads(),
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
    /// That of [`set_sha256`](glassnet::data::images::set_sha256), training part first; of a cross-validation
    /// in the order of their paths.
    pub sha256: String,
    pub classes: [String; 2],
    pub positive_class: String,
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
    /// How many images train; a cross-validation as a whole has no such number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training_images: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_images: Option<usize>,
    /// Images that cannot be read and were left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped_images: Vec<String>,
}

impl Data {
    /// What is known of a set, which the run calls `name`, before it is parted.
    pub fn of(source: &Source, name: &Path, catalog: &Catalog, sha256: String, skipped: &[Item]) -> Data {
        let classes = catalog.classes.clone();
        Data {
            path: name.display().to_string(),
            absolute_path: absolute(source.path()),
            sha256,
            positive_class: classes[1].clone(),
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
    path.canonicalize().ok()?.into_os_string().into_string().ok()
}
