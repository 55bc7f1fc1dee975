//! `--resume DIR`: a run's settings out of its folder, and whether it is the same run that goes on.
//!
//! The settings of `config.toml` bear the names of their flags. They are put before the flags that were given, as if the user
//! had repeated them, so that nothing here knows one setting from another. What comes of it is compared, table by table,
//! with what the run was made from; only [`MAY_CHANGE`] may differ.

use super::args::{Cli, Command, RunArgs};
use super::run_folder::RunFolder;
use clap::{CommandFactory, FromArgMatches};
use glassnet::checkpoint::run::SavedRun;
use glassnet::spec::ModelSpec;
use glassnet::{Error, Result};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The flag.
const RESUME: &str = "--resume";

/// Settings that a run may go on with changed: neither changes what is computed in an epoch.
const MAY_CHANGE: [&str; 2] = ["epochs", "save_every"];

/// What `config.toml` tells of where and how a run was made, and not of what.
const CIRCUMSTANCES: [&str; 5] = ["command", "version", "machine", "algorithms", "outcome"];

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
    /// Where the folder holds no run of this command.
    pub fn of(arguments: &RunArgs, command: &str) -> Result<Option<ResumedRun>> {
        arguments.resume.as_deref().map(|folder| ResumedRun::open(folder, command)).transpose()
    }

    fn open(path: &Path, command: &str) -> Result<ResumedRun> {
        let shown = path.display();
        let fail = |reason: String| Error::setting(RESUME, reason);
        if !path.is_dir() {
            let wanted = "give the folder of a run, such as runs/train1";
            return Err(match path.exists() {
                true => fail(format!("{shown} is a file; {wanted}")),
                false => fail(format!("{shown} does not exist; {wanted}")),
            });
        }
        let folder = RunFolder::open(path);
        let file = folder.config();
        let text = match std::fs::read_to_string(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(fail(format!(
                    "{shown} holds no config.toml, so no run has begun there; give the folder of a run, such as runs/train1"
                )));
            }
            text => text.map_err(Error::io("read", &file))?,
        };
        let config: Table = text.parse().map_err(|error: toml::de::Error| {
            fail(format!("{} cannot be read: {}", file.display(), error.message()))
        })?;
        match config.get("command").and_then(Value::as_str) {
            Some(was) if was == command => Ok(ResumedRun { folder, config }),
            Some(was) => Err(fail(format!("{shown} holds a run of '{was}'; glassnet {was} {RESUME} {shown}"))),
            None => Err(fail(format!("{} is not that of a run", file.display()))),
        }
    }

    /// Where the run's data were.
    ///
    /// # Errors
    /// Where they are there no more.
    pub fn data(&self) -> Result<PathBuf> {
        let path = self.config.get("data").and_then(|data| data.get("path")).and_then(Value::as_str);
        match path.map(PathBuf::from) {
            Some(path) if path.exists() => Ok(path),
            path => Err(Error::setting(
                RESUME,
                format!(
                    "the run in {} was trained on {}, which is not there; give DATA, or go to the folder where the run began",
                    self.folder.path().display(),
                    path.unwrap_or_default().display()
                ),
            )),
        }
    }

    /// The run's network, as it was described.
    ///
    /// # Errors
    /// Where `config.toml` has none.
    pub fn model(&self) -> Result<ModelSpec> {
        let model = self.config.get("model").cloned().unwrap_or(Value::Table(Table::new()));
        model.try_into().map_err(|error: toml::de::Error| {
            let file = self.folder.config();
            Error::setting(RESUME, format!("the model in {} cannot be read: {}", file.display(), error.message()))
        })
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
            Error::Weights { path, reason } => {
                let best = self.folder.weights("best");
                let reason = format!(
                    "the run cannot go on from it: {reason}. Put back a copy of the file, or start a new run; {} may serve as \
                     its --init-weights",
                    best.display()
                );
                Error::Weights { path, reason }
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
            let reason = format!("what it says of the run cannot be read: {}", error.message());
            self.unusable(Error::weights(self.folder.weights("last"), reason))
        })
    }

    /// Whether the run shall go on with what it `was` made from. Tables that are not in `now` are not looked at.
    ///
    /// # Errors
    /// [`Error::Setting`] names the first that differs, and both values.
    pub fn check(&self, was: &Table, now: &Table) -> Result<()> {
        let now = identity(now);
        // The flags first, as they are what the user has given.
        let mut tables: Vec<&String> = now.keys().collect();
        tables.sort_by_key(|table| *table != "settings");
        for table in tables {
            let nothing = Value::Table(Table::new());
            if let Some(difference) = first_difference(table, was.get(table).unwrap_or(&nothing), &now[table]) {
                return Err(self.contradiction(difference));
            }
        }
        Ok(())
    }

    fn contradiction(&self, Difference { path, was, now }: Difference) -> Error {
        let run = format!("the run in {}", self.folder.path().display());
        let away = "leave it out to go on, or start a new run";
        match path.split_once('.') {
            Some(("data", "sha256")) => Error::data(
                "DATA",
                format!(
                    "the images are not those of {run}: their SHA-256 was {was}, and is {now}; give the same data, or start a \
                     new run"
                ),
            ),
            Some(("data", key)) => Error::data(
                "DATA",
                format!(
                    "the images are not those of {run}: {key} was {was}, and is {now}; give the same data, or start a new run"
                ),
            ),
            Some(("settings", key)) => {
                let flag = flag(&Cli::command(), self.command(), key).unwrap_or_else(|| key.to_string());
                let key = if flag.starts_with("--no-") { format!("{key} = ") } else { String::new() };
                Error::setting(flag, format!("{run} has {key}{was}, and {key}{now} is asked for; {away}"))
            }
            Some(("model", key)) => Error::setting(
                "--model, --dropout",
                format!("{run} has a model with {key} = {was}, and {now} is asked for; {away}"),
            ),
            _ => Error::setting(RESUME, format!("{run} has {path} = {was}, and {now} is asked for; {away}")),
        }
    }

    fn command(&self) -> &str {
        self.config.get("command").and_then(Value::as_str).unwrap_or_default()
    }

    /// What has changed of the circumstances so that the bits may, in sentences.
    pub fn changed_circumstances(&self, now: &Table) -> Vec<String> {
        let machine =
            |config: &Table| config.get("machine").and_then(|machine| machine.get("instruction_set")).cloned();
        [
            ("version", self.config.get("version").cloned(), now.get("version").cloned()),
            ("instruction set", machine(&self.config), machine(now)),
            ("algorithms", self.config.get("algorithms").cloned(), now.get("algorithms").cloned()),
        ]
        .into_iter()
        .filter(|(_, was, now)| was != now)
        .map(|(what, was, now)| {
            let [was, now] = [was, now].map(|value| value.map_or("none".to_string(), |value| value.to_string()));
            format!(
                "the run began with the {what} {was} and goes on with {now}; its numbers may differ by rounding from those of \
                 a run that never stopped"
            )
        })
        .collect()
    }
}

/// What makes a run what it is: its configuration without circumstances and without what may change.
pub fn identity(config: &Table) -> Table {
    let mut identity = config.clone();
    identity.retain(|key, _| !CIRCUMSTANCES.contains(&key));
    if let Some(settings) = identity.get_mut("settings").and_then(Value::as_table_mut) {
        settings.retain(|key, _| !MAY_CHANGE.contains(&key));
    }
    if let Some(data) = identity.get_mut("data").and_then(Value::as_table_mut) {
        data.remove("path");
    }
    identity
}

/// Two values of which one place differs.
struct Difference {
    path: String,
    was: String,
    now: String,
}

fn first_difference(path: &str, was: &Value, now: &Value) -> Option<Difference> {
    match (was, now) {
        _ if was == now => None,
        (Value::Table(a), Value::Table(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.into_iter().find_map(|key| {
                let path = format!("{path}.{key}");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => first_difference(&path, a, b),
                    (a, b) => {
                        let [was, now] = [a, b].map(|value| value.map_or("none".to_string(), shown));
                        Some(Difference { path, was, now })
                    }
                }
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.find_map(|(index, (a, b))| first_difference(&format!("{path}[{index}]"), a, b))
        }
        _ => Some(Difference { path: path.to_string(), was: shown(was), now: shown(now) }),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(array) if array.iter().any(Value::is_table) => format!("{} entries", array.len()),
        value => value.to_string(),
    }
}

/// The arguments once more, behind those that the run's settings amount to.
///
/// # Errors
/// Where `--resume` names no run.
pub fn with_the_settings_of_the_run(cli: Cli) -> Result<Cli> {
    let (name, common) = match &cli.command {
        Command::Train(arguments) => ("train", &arguments.common),
        Command::Reproduce(arguments) => ("reproduce", &arguments.common),
        _ => return Ok(cli),
    };
    let Some(run) = ResumedRun::of(common, name)? else { return Ok(cli) };
    // A flag that is given replaces the one put before it.
    let command = Cli::command().mut_subcommand(name, |command| command.args_override_self(true));
    let mut given = std::env::args_os();
    let mut arguments: Vec<OsString> = given.by_ref().take(2).collect();
    let settings = run.config.get("settings").and_then(Value::as_table);
    arguments.extend(settings.into_iter().flatten().filter_map(|(key, value)| argument(&command, name, key, value)));
    arguments.extend(given);
    let matches = command.get_matches_from(arguments);
    Ok(Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()))
}

/// A setting as a flag, where the command has one for it.
fn argument(command: &clap::Command, name: &str, key: &str, value: &Value) -> Option<OsString> {
    let flag = flag(command, name, key)?;
    let negated = flag.starts_with("--no-");
    match value {
        Value::Boolean(value) => (*value != negated).then(|| flag.into()),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(shown).collect();
            Some(format!("{flag}={}", values.join(",")).into())
        }
        value => Some(format!("{flag}={}", shown(value)).into()),
    }
}

/// The flag of a setting: `--batch-size` of `batch_size`, `--no-shuffle` of `shuffle`.
fn flag(command: &clap::Command, name: &str, key: &str) -> Option<String> {
    let key = key.replace('_', "-");
    let there =
        |flag: &str| command.find_subcommand(name)?.get_arguments().find(|a| a.get_long() == Some(flag)).map(|_| ());
    [key.clone(), format!("no-{key}")].into_iter().find(|flag| there(flag).is_some()).map(|flag| format!("--{flag}"))
}
