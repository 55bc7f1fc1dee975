//! The start of a run: the state of its first step, and the folder it writes to.

use super::resolved::TrainingRun;
use crate::cli::job;
use crate::cli::machine::memory::Memory;
use crate::cli::outcome::Failure;
use crate::cli::run::recorder::RunText;
use crate::cli::run::resume::ResumedRun;
use crate::cli::run::resume::progress::{going_on_line, read_timings};
use crate::cli::run_folder::RunFolder;
use crate::cli::run_folder::config::as_toml;
use crate::cli::run_folder::settings::RunSettings;
use crate::cli::terminal::console;
use glassnet::data::split::Split;
use glassnet::network::Network;
use glassnet::report::csv_files::SplitRow;
use glassnet::training::TrainingState;
use std::path::Path;
use toml::Table;

/// The start of a run.
pub(super) struct Start {
    pub state: TrainingState,
    /// The origin of the run that goes on; empty for one that begins.
    pub was: Table,
    /// True where the state is one that a run had saved.
    pub goes_on: bool,
}

impl TrainingRun {
    /// Checks what can be checked before any image is read, and takes up the state: the saved one of the run
    /// that goes on, that of a weights file, or a new one.
    pub(super) fn start(&self, resumed: Option<&ResumedRun>) -> Result<Start, Failure> {
        let settings = &self.settings;
        let optimizer = settings.training.optimizer()?;
        if resumed.is_none() && settings.fold.is_none() && job::is_first() {
            RunFolder::check(self.out.as_deref())?;
        }
        check_memory(&self.network, &self.dataset.split, settings)?;
        let (was, saved) = match resumed {
            None => (Table::new(), None),
            Some(run) => self.saved_state(run)?,
        };
        let goes_on = saved.is_some();
        let state = match saved {
            Some(state) => state,
            None => TrainingState::new(settings.initial_parameters(&self.network)?, optimizer),
        };
        Ok(Start { state, was, goes_on })
    }

    /// Returns what a run was made from, and the state it has saved, if it has, after a look whether its
    /// settings are still the same.
    fn saved_state(&self, run: &ResumedRun) -> Result<(Table, Option<TrainingState>), Failure> {
        let mut flags = Table::new();
        flags.insert("settings".into(), as_toml(&self.settings)?.into());
        flags.insert("model".into(), as_toml(self.network.spec())?.into());
        let saved = run.saved()?;
        let was = run.identity(saved.as_ref())?;
        run.check(&was, &flags, &[])?;
        let optimizer = self.settings.training.optimizer()?;
        let state = saved.map(|saved| saved.state(&self.network, optimizer)).transpose();
        Ok((was, state.map_err(|error| run.unusable(error))?))
    }
}

/// Checks that this machine can hold the largest batch that there will be.
pub fn check_memory(network: &Network, split: &Split, settings: &RunSettings) -> glassnet::Result<()> {
    let batch = settings.batch_size.min(split.training.len().max(split.validation.len()));
    let rule = settings.training.optimizer()?.rule;
    Memory::of_rank(network, batch, settings.plan_options(), rule, job::ranks().count()).check_training(batch)
}

/// The place of a run.
pub enum RunPlace {
    /// A folder that this process has made, or found empty.
    New(RunFolder),
    /// The folder of the run that goes on.
    Resumed(ResumedRun),
}

impl RunPlace {
    /// Makes the folder of a run that begins, and finds out whether that of one that goes on can be written.
    pub fn claim(resumed: Option<ResumedRun>, out: Option<&Path>) -> glassnet::Result<RunPlace> {
        match resumed {
            None => RunFolder::create(out).map(RunPlace::New),
            Some(run) => {
                run.folder.check_writable()?;
                Ok(RunPlace::Resumed(run))
            }
        }
    }

    /// The folder, after a look whether it is still free; or whether the run, made from what it `was`, is the
    /// one that goes on with what is `now`, and with these files. Of a state that `goes_on` the times of its
    /// epochs are read; those of saving are returned.
    pub(super) fn settle(
        self,
        was: &Table,
        now: &Table,
        files: &[SplitRow],
        goes_on: Option<&mut TrainingState>,
        text: &mut RunText,
    ) -> Result<(RunFolder, Vec<f64>), Failure> {
        let run = match self {
            RunPlace::New(folder) => {
                folder.check_free()?;
                return Ok((folder, Vec::new()));
            }
            RunPlace::Resumed(run) => run,
        };
        run.check(was, now, files)?;
        if !run.is_fold() {
            run.warn_of_changed_circumstances(now);
        }
        let mut saving_seconds = Vec::new();
        match goes_on {
            Some(state) => {
                saving_seconds = read_timings(&run.folder, state);
                text.line(&going_on_line(&run.folder, state));
            }
            None => console::progress("Nothing was saved yet, so the run begins again."),
        }
        Ok((run.folder, saving_seconds))
    }
}
