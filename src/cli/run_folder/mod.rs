//! The run folder: what a training run leaves, and where.

pub mod config;
pub mod identity;
pub mod lock;
pub mod settings;

use crate::cli::terminal::output;
use config::{CONFIG, Config};
use glassnet::files::{try_place, write_whole};
use glassnet::{Error, Result};
use lock::RunLock;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The folder of runs by default.
const RUNS: &str = "runs";

/// The folder of weights in that of a run.
const WEIGHTS: &str = "weights";

/// The page of a run that was watched.
pub const REPORT: &str = "report.html";

/// The flag that names another place.
const OUT: &str = "--out";

/// The name in messages of a place that nobody has given.
const DEFAULT_PLACE: &str = "the run folder";

/// Returns what messages on the place of a run begin with.
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
    /// Checks whether `out` is free, so far as can be told before [`RunFolder::create`].
    ///
    /// # Errors
    /// An error if a file is in the way, or if `out` holds something: nothing is ever overwritten.
    pub fn check(out: Option<&Path>) -> Result<()> {
        match out {
            Some(out) => output::check_new_folder(OUT, out),
            None => output::check_nothing_in_the_way(DEFAULT_PLACE, Path::new(RUNS)),
        }
    }

    /// Checks whether the folder that [`RunFolder::create`] makes will not lie among the images of `data`.
    ///
    /// # Errors
    /// An error if it would.
    pub fn check_outside(out: Option<&Path>, data: &Path) -> Result<()> {
        output::check_outside_data(named(out), out.unwrap_or(Path::new(RUNS)), data)
    }

    /// Makes the folder, `out`, or else `runs/trainN` with the first free N, and finds out whether files can
    /// be written in it. From then on it is this process's own, before the work begins that takes long.
    ///
    /// # Errors
    /// An error if it cannot be made or written in, or is not free: another process is at work there,
    /// or has come and gone.
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

    /// Checks whether no run has begun in the folder. It is asked again before one does, as some file
    /// systems know no locks.
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

    /// Checks whether the files of a run that is to go on can be written.
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

    /// Returns whether a run has begun in the folder, as its `config.toml` tells. The folder is neither
    /// locked nor changed.
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
        for name in ["predictions.csv", "confusion.png", "curves.png", REPORT] {
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

/// The name of a fold's folder in that of a cross-validation.
pub fn fold_name(number: usize) -> String {
    format!("fold{number}")
}

/// The folders of the folds in that of a cross-validation, as far as they have begun, each with its number,
/// the first first.
pub fn fold_folders(path: &Path) -> Vec<(usize, PathBuf)> {
    let numbered = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.ok()?.path();
        let number = path.file_name()?.to_str()?.strip_prefix("fold")?.parse().ok()?;
        RunFolder::has_begun(&path).then_some((number, path))
    };
    let mut folds: Vec<(usize, PathBuf)> = std::fs::read_dir(path).into_iter().flatten().filter_map(numbered).collect();
    folds.sort();
    folds
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
