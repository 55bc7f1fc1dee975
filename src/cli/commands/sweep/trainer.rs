//! A trial is a call of `train`, or where it has begun, of `train --resume`.

use super::plan::{DEFAULT, Setting, Trial};
use crate::cli::args::{Cli, Command, GivenFlag, TrainArgs};
use crate::cli::commands::train;
use crate::cli::outcome::Failure;
use crate::cli::run::resume::ResumedRun;
use crate::cli::run::resume::flags::with_the_settings_of_the_run;
use crate::cli::run_folder::RunFolder;
use glassnet::{Error, Result};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Flags that a run that goes on does not have from its own folder.
const CIRCUMSTANCES: [&str; 4] = ["cache", "save-every", "threads", "validation-data"];

/// What all trials have in common.
pub struct Trainer<'a> {
    pub data: &'a Path,
    /// The flags of `train` that were given.
    pub given: &'a [GivenFlag],
    pub settings: &'a [Setting],
    /// The folder of the sweep.
    pub out: &'a Path,
}

impl Trainer<'_> {
    /// The folder of a trial.
    pub fn folder(&self, trial: &Trial) -> PathBuf {
        self.out.join(&trial.folder)
    }

    /// The arguments of the run that a trial is.
    pub fn args(&self, trial: &Trial) -> TrainArgs {
        let taken = |flag: &&GivenFlag| !["out", "json", "quiet"].contains(&flag.name.as_str());
        let tried = self.settings.iter().zip(&trial.values).filter(|(_, value)| *value != DEFAULT);
        let flags = self.given.iter().filter(taken).map(|flag| flag.argument.clone());
        let flags = flags.chain(tried.map(|(setting, value)| format!("--{}={value}", setting.name).into()));
        arguments(Cli::standing_in(self.line(flags.chain([path("--out=", &self.folder(trial))]))))
    }

    /// Trains, or goes on with it.
    ///
    /// # Errors
    /// Those of `train`.
    pub fn train(&self, trial: &Trial) -> std::result::Result<(), Failure> {
        if !RunFolder::has_begun(&self.folder(trial)) {
            return train::run_unprinted(&self.args(trial), None);
        }
        let (args, resumed) = self.resumed(trial)?;
        train::run_unprinted(&arguments(args), resumed)
    }

    fn resumed(&self, trial: &Trial) -> Result<(Cli, Option<ResumedRun>)> {
        let given = self.given.iter().filter(|flag| CIRCUMSTANCES.contains(&flag.name.as_str()));
        let flags = given.map(|flag| flag.argument.clone());
        let line = self.line(flags.chain([path("--resume=", &self.folder(trial))]));
        with_the_settings_of_the_run(Cli::standing_in(line))
    }

    /// A command line of `train`, whose own lines go to stderr: a trial's are progress.
    fn line(&self, flags: impl Iterator<Item = OsString>) -> Vec<OsString> {
        let begin = ["glassnet", "train"].map(OsString::from).into_iter();
        let end = ["--json".into(), "--".into(), self.data.as_os_str().to_owned()];
        begin.chain(flags).chain(end).collect()
    }
}

/// A flag with a path.
fn path(flag: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(flag);
    argument.push(path);
    argument
}

/// The arguments of `train` in a command line of it.
fn arguments(cli: Cli) -> TrainArgs {
    match cli.command {
        Command::Train(args) => *args,
        command => unreachable!("train was called, and {command:?} read"),
    }
}

/// Returns whether a failure is the trial's own: its training diverged, and other settings may do better.
pub fn has_diverged(failure: &Failure) -> bool {
    matches!(failure, Failure::Work(Error::NotFinite { .. } | Error::WeightsNotFinite { .. }))
}
