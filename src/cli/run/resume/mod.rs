//! `--resume DIR`: a run's settings out of its folder, and whether it is the same run that goes on.
//!
//! The settings of `config.toml` bear the names of their flags. Each is held to what its flag may be, and
//! then put before the flags that were given, as if the user had repeated them, so that nothing here knows
//! one setting from another. What comes of it is compared, table by table, with what the run was made from;
//! only [`difference::MAY_CHANGE`] may differ.

pub mod difference;
mod files;
pub mod flags;
pub mod progress;

use crate::cli::args::{Cli, RunArgs, is_given};
use crate::cli::input::dataset::VALIDATION_DATA;
use crate::cli::run_folder::RunFolder;
use crate::cli::terminal::console;
use clap::CommandFactory;
use difference::{Difference, first_difference, identity};
use files::{DATA, FURTHER, changed_files};
use flags::flag;
use glassnet::checkpoint::run::SavedRun;
use glassnet::error::shortened;
use glassnet::files::read_text;
use glassnet::report::csv_files::SplitRow;
use glassnet::spec::ModelSpec;
use glassnet::{Error, Result};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// What this module's debug lines are asked for by.
const LOG_TARGET: &str = "glassnet::cli::resume";

/// The line of a text, from 1, at which reading it as TOML ended.
fn line_of(text: &str, error: &toml::de::Error) -> usize {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    before.matches('\n').count() + 1
}

/// The flag.
const RESUME: &str = "--resume";

/// A run that is to go on.
pub struct ResumedRun {
    pub folder: RunFolder,
    /// Its `config.toml`.
    config: Table,
}

impl ResumedRun {
    /// The run that `--resume` names, if it was given.
    ///
    /// # Errors
    /// Where the folder holds no run of this command, or another process is at work on it.
    pub fn of(arguments: &RunArgs, command: &str) -> Result<Option<ResumedRun>> {
        arguments.resume.as_deref().map(|folder| ResumedRun::open(folder, command)).transpose()
    }

    /// The run of a fold that goes on within its cross-validation, if it has begun.
    ///
    /// # Errors
    /// Where its `config.toml` cannot be read, or another process is at work on it.
    pub fn of_fold(folder: &Path) -> Result<Option<ResumedRun>> {
        RunFolder::has_begun(folder).then(|| ResumedRun::open(folder, "train")).transpose()
    }

    /// Whether it is one fold of a cross-validation.
    pub fn is_fold(&self) -> bool {
        self.setting("fold").is_some()
    }

    /// The setting of this name.
    fn setting(&self, name: &str) -> Option<&Value> {
        self.config.get("settings")?.get(name)
    }

    /// Whether this command can go on with the run by itself, as the flags given have it.
    fn check_whole(&self, folds: Option<usize>, validation_data: Option<&Path>) -> Result<()> {
        let folder = self.folder.path();
        if let Some(fold) = self.setting("fold").and_then(Value::as_str) {
            let whole = folder.parent().map_or_else(|| "..".to_string(), |parent| parent.display().to_string());
            let go_on = format!("glassnet {} {RESUME} {}", self.command(), console::shell_word(&whole));
            let reason =
                format!("{} holds fold {fold} of a cross-validation; go on with all of it: {go_on}", folder.display());
            return Err(Error::setting(RESUME, reason));
        }
        if validation_data.is_some() && self.data_text("validation_path").is_none() {
            let reason = format!(
                "the run in {} validates on a part of its data; leave it out to go on, or start a new run",
                folder.display()
            );
            return Err(Error::setting(VALIDATION_DATA, reason));
        }
        if folds.is_some() && self.setting("folds").is_none() {
            let reason = format!(
                "the run in {} is no cross-validation; leave it out to go on, or start a new run",
                folder.display()
            );
            return Err(Error::setting("--folds", reason));
        }
        Ok(())
    }

    fn open(path: &Path, command: &str) -> Result<ResumedRun> {
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
            return Err(fail(format!("{shown} holds no config.toml, so no run has begun there; {wanted}")));
        }
        let folder = RunFolder::open(path)?;
        let file = folder.config();
        let text = read_text(&file)?;
        let config: Table = text.parse().map_err(|error: toml::de::Error| {
            log::debug!(target: LOG_TARGET, "{}: {error}", file.display());
            let line = line_of(&text, &error);
            fail(format!(
                "{} cannot be read: line {line} is no TOML, or has a number that is too large; put back a copy of the file, or start a \
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

    /// Where the run's data are: at the path that was given, or where they are not there, at the same from
    /// the root of the file system, which is told.
    ///
    /// # Errors
    /// Where they are there no more.
    pub fn data(&self) -> Result<PathBuf> {
        if let Some(path) = files::place(self, DATA) {
            return Ok(path);
        }
        let run = self.folder.path().display();
        let reason = match self.data_text("path") {
            Some(path) => format!(
                "the run in {run} was trained on {}, which is not there; give DATA, or go to the folder where the run began",
                shortened(path)
            ),
            None => format!("the config.toml of {run} does not tell what the run was trained on; give DATA"),
        };
        Err(Error::setting(RESUME, reason))
    }

    /// Where the further data are that validate, if there are some, as [`ResumedRun::data`] has it.
    ///
    /// # Errors
    /// Where they are there no more.
    pub fn validation_data(&self) -> Result<Option<PathBuf>> {
        let Some(given) = self.data_text("validation_path") else { return Ok(None) };
        let place = files::place(self, FURTHER).ok_or_else(|| {
            let reason = format!(
                "the run in {} was validated on {}, which is not there; give {VALIDATION_DATA}, or go to the folder where the run \
                 began",
                self.folder.path().display(),
                shortened(given)
            );
            Error::setting(RESUME, reason)
        });
        place.map(Some)
    }

    /// What the run calls DATA, which is at `path`.
    pub fn name_of_data(&self, path: &Path) -> PathBuf {
        files::name(self, DATA, path)
    }

    /// What the run calls the further data that validate, which are at `path`.
    pub fn name_of_validation_data(&self, path: &Path) -> PathBuf {
        files::name(self, FURTHER, path)
    }

    /// A text in the table of the data.
    fn data_text(&self, key: &str) -> Option<&str> {
        self.config.get("data")?.get(key)?.as_str()
    }

    /// The run's network, as it was described.
    ///
    /// # Errors
    /// Where `config.toml` has none.
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

    /// Whether the run came to its end, and all its files were written.
    pub fn has_ended(&self) -> bool {
        self.config.contains_key("outcome")
    }

    /// The saved state, or none where the run has not saved any yet.
    ///
    /// # Errors
    /// Where the file is broken; or it is gone, though the run came to its end.
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

    /// What the run was made from: what its state was saved with, or where none was saved, `config.toml`.
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

    /// Whether the run shall go on with what it `was` made from. Tables that are not in `now` are not looked
    /// at; `files` are those of its data.
    ///
    /// # Errors
    /// [`Error::Setting`] names the first that differs, and both values; of data [`Error::Data`] names the
    /// files that differ.
    pub fn check(&self, was: &Table, now: &Table, files: &[SplitRow]) -> Result<()> {
        let data = now.get("data");
        let now = identity(now);
        // The flags first, as they are what the user has given.
        let mut tables: Vec<&String> = now.keys().collect();
        tables.sort_by_key(|table| *table != "settings");
        for table in tables {
            let nothing = Value::Table(Table::new());
            if let Some(difference) = first_difference(table, was.get(table).unwrap_or(&nothing), &now[table]) {
                return Err(match changed_files(self, &difference.path, data, files) {
                    Some(error) => error,
                    None => self.contradiction(difference),
                });
            }
        }
        Ok(())
    }

    /// The folder, to go on in with what is `now`, which is what nothing but `config.toml` tells of.
    ///
    /// # Errors
    /// Those of [`ResumedRun::check`].
    pub fn go_on_as(self, now: &Table, files: &[SplitRow]) -> Result<RunFolder> {
        self.check(&self.identity(None)?, now, files)?;
        self.warn_of_changed_circumstances(now);
        Ok(self.folder)
    }

    fn contradiction(&self, Difference { path, was, now }: Difference) -> Error {
        let run = format!("the run in {}", self.folder.path().display());
        let away = "leave it out to go on, or start a new run";
        let flags = match path.split_once('.') {
            Some(("data", "sha256")) => {
                let reason = format!(
                    "the images are not those of {run}: their SHA-256 was {was}, and is {now}; give the same data, or start a new run"
                );
                return Error::data("DATA", reason);
            }
            Some(("data", key)) => {
                let reason = format!(
                    "the images are not those of {run}: {key} was {was}, and is {now}; give the same data, or start a new run"
                );
                return Error::data("DATA", reason);
            }
            Some(("settings", key)) => flag(&Cli::command(), self.command(), key).into_iter().collect(),
            Some(("model", _)) => vec!["--model".to_string(), "--dropout".to_string()],
            _ => Vec::new(),
        };
        let (_, key) = path.split_once('.').unwrap_or(("", &path));
        if !flags.iter().any(|flag| is_given(flag)) {
            // Nobody has asked for it but the file.
            let key = if path.starts_with("settings.") { key } else { &path };
            let reason = format!(
                "{}: {key} is {now}, and {run} was made with {was}; put back a copy of the file, or start a new run",
                self.folder.config().display()
            );
            return Error::setting(RESUME, reason);
        }
        match (flags.as_slice(), was.as_str(), now.as_str()) {
            ([flag], "none" | "false", "true") => Error::setting(flag, format!("{run} was made without it; {away}")),
            ([flag], ..) if flag.starts_with("--no-") => {
                Error::setting(flag, format!("{run} has {key} = {was}, and {key} = {now} is asked for; {away}"))
            }
            ([flag], ..) => Error::setting(flag, format!("{run} has {was}, and {now} is asked for; {away}")),
            _ => Error::setting(
                flags.join(", "),
                format!("{run} has a model with {key} = {was}, and {now} is asked for; {away}"),
            ),
        }
    }

    fn command(&self) -> &str {
        self.config.get("command").and_then(Value::as_str).unwrap_or_default()
    }

    /// Says what has changed of the circumstances so that the bits may.
    pub fn warn_of_changed_circumstances(&self, now: &Table) {
        let machine =
            |config: &Table| config.get("machine").and_then(|machine| machine.get("instruction_set")).cloned();
        for (what, was, now) in [
            ("version", self.config.get("version").cloned(), now.get("version").cloned()),
            ("instruction set", machine(&self.config), machine(now)),
            ("algorithms", self.config.get("algorithms").cloned(), now.get("algorithms").cloned()),
        ] {
            if was != now {
                let [was, now] = [was, now].map(|value| value.map_or("none".to_string(), |value| value.to_string()));
                console::warn(&format!(
                    "the run began with the {what} {was} and goes on with {now}; its numbers may differ by rounding from \
                     those of a run that never stopped"
                ));
            }
        }
    }
}
