//! A run that is to go on, as its folder tells of it.

use crate::cli::args::{LabelsArgs, RunArgs};
use crate::cli::input::run_data::labels_of;
use crate::cli::run_folder::RunFolder;
use crate::cli::run_folder::identity::identity;
use crate::cli::terminal::console;
use glassnet::checkpoint::run::SavedRun;
use glassnet::error::shortened;
use glassnet::files::read_text;
use glassnet::spec::ModelSpec;
use glassnet::{Error, Result};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The name by which a filter asks for this module's debug lines.
const LOG_TARGET: &str = "glassnet::cli::resume";

/// The line of a text, from 1, at which reading it as TOML ended.
fn line_of(text: &str, error: &toml::de::Error) -> usize {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    before.matches('\n').count() + 1
}

/// The flag.
pub const RESUME: &str = "--resume";

/// A run that is to go on.
pub struct ResumedRun {
    pub folder: RunFolder,
    /// Its `config.toml`.
    pub(super) config: Table,
}

impl ResumedRun {
    /// Opens the run that `--resume` names, if it was given.
    ///
    /// # Errors
    /// An error if the folder holds no run of this command, or another process is at work on it.
    pub fn from_arguments(arguments: &RunArgs, command: &str) -> Result<Option<ResumedRun>> {
        arguments.resume.as_deref().map(|folder| ResumedRun::open(folder, command)).transpose()
    }

    /// Opens the run of a fold that goes on within its cross-validation, if it has begun.
    ///
    /// # Errors
    /// An error if its `config.toml` cannot be read, or another process is at work on it.
    pub fn from_fold(folder: &Path) -> Result<Option<ResumedRun>> {
        RunFolder::has_begun(folder).then(|| ResumedRun::open(folder, "train")).transpose()
    }

    pub fn open(path: &Path, command: &str) -> Result<ResumedRun> {
        let shown = path.display();
        let fail = |reason: String| Error::setting(RESUME, reason);
        let wanted = "give the folder of a run, such as runs/train1";
        if !path.is_dir() {
            return Err(match path.exists() {
                true => fail(format!("{shown} is a file; {wanted}")),
                false => fail(format!("{shown} does not exist; {wanted}")),
            });
        }
        if !RunFolder::has_begun(path) {
            return Err(fail(format!("{shown} has no config.toml, so no run was started there; {wanted}")));
        }
        let folder = RunFolder::open(path)?;
        let file = folder.config();
        let text = read_text(&file)?;
        let config: Table = text.parse().map_err(|error: toml::de::Error| {
            log::debug!(target: LOG_TARGET, "{}: {error}", file.display());
            let line = line_of(&text, &error);
            fail(format!(
                "{} cannot be read: line {line} is not TOML, or has a number that is too large; put back a copy of the file, or start a \
                 new run",
                file.display()
            ))
        })?;
        match config.get("command").and_then(Value::as_str) {
            Some(was) if was == command => Ok(ResumedRun { folder, config }),
            Some(was @ ("train" | "reproduce")) => Err(fail(format!(
                "{shown} holds a run of '{was}'; go on with: glassnet {was} {RESUME} {}",
                console::shell_word(&shown.to_string())
            ))),
            Some(was) => {
                Err(fail(format!("{shown} holds a run of '{}', which is not one to go on with", shortened(was))))
            }
            None => Err(fail(format!("{} is not that of a run", file.display()))),
        }
    }

    /// Returns whether it is one fold of a cross-validation.
    pub fn is_fold(&self) -> bool {
        self.setting("fold").is_some()
    }

    /// The setting of this name.
    pub fn setting(&self, name: &str) -> Option<&Value> {
        self.config.get("settings")?.get(name)
    }

    pub fn command(&self) -> &str {
        self.config.get("command").and_then(Value::as_str).unwrap_or_default()
    }

    /// The labels of the run's data, or of those that validate beside others, of which the table is not told.
    pub fn labels(&self, of_further: bool) -> LabelsArgs {
        let labels = labels_of(&self.config);
        if of_further { labels.columns() } else { labels }
    }

    /// A text in the table of the data.
    pub fn data_text(&self, key: &str) -> Option<&str> {
        self.config.get("data")?.get(key)?.as_str()
    }

    /// The run's network, as it was described.
    ///
    /// # Errors
    /// An error if `config.toml` has none.
    pub fn model(&self) -> Result<ModelSpec> {
        let model = self.config.get("model").cloned().unwrap_or(Value::Table(Table::new()));
        model.try_into().map_err(|error: toml::de::Error| {
            let file = self.folder.config();
            log::debug!(target: LOG_TARGET, "the model in {}: {error}", file.display());
            let reason = format!(
                "the model in {} cannot be read: it is not as it was written; put back a copy of the file, or start a new run",
                file.display()
            );
            Error::setting(RESUME, reason)
        })
    }

    /// Its `config.toml`.
    pub fn config_file(&self) -> PathBuf {
        self.folder.config()
    }

    /// Returns whether the run came to its end, and all its files were written.
    pub fn has_ended(&self) -> bool {
        self.config.contains_key("outcome")
    }

    /// The saved state, or none where the run has not saved any yet.
    ///
    /// # Errors
    /// An error if the file is broken, or is gone, though the run came to its end.
    pub fn saved(&self) -> Result<Option<SavedRun>> {
        let path = self.folder.weights("last");
        let again =
            format!("start a new run, or give {} to --init-weights of one", self.folder.weights("best").display());
        match SavedRun::open(&path) {
            Ok(saved) => Ok(Some(saved)),
            Err(Error::Missing { .. }) if !self.has_ended() => Ok(None),
            Err(Error::Missing { .. }) => {
                Err(Error::setting(RESUME, format!("{} is gone, and no run goes on without; {again}", path.display())))
            }
            Err(error) => Err(self.unusable(error)),
        }
    }

    /// The error of a state that cannot be read, with what to do.
    pub fn unusable(&self, error: Error) -> Error {
        match error {
            // What it advises is for a file that was given; this one is the run's own.
            Error::Weights { path, reason, advice: _ } => {
                let best = self.folder.weights("best");
                let reason = format!(
                    "the run cannot go on from it: {reason}. Put back a copy of the file, or start a new run; {} may serve as \
                     its --init-weights",
                    best.display()
                );
                Error::weights(path, reason)
            }
            error => error,
        }
    }

    /// Returns what the run was made from: what its state was saved with, or where none was saved,
    /// `config.toml`.
    ///
    /// # Errors
    /// [`Error::Weights`], where it cannot be read.
    pub fn identity(&self, saved: Option<&SavedRun>) -> Result<Table> {
        let Some(saved) = saved else { return Ok(identity(&self.config)) };
        saved.config.parse().map_err(|error: toml::de::Error| {
            log::debug!(target: LOG_TARGET, "{}: {error}", self.folder.weights("last").display());
            let reason = "what it says of the run is not as it was written";
            self.unusable(Error::weights(self.folder.weights("last"), reason))
        })
    }
}
