//! The progress of a run that goes on.

use super::resumed_run::ResumedRun;
use crate::cli::outcome::Failure;
use crate::cli::run::recorder::why_it_stopped;
use crate::cli::run_folder::RunFolder;
use glassnet::Error;
use glassnet::error::counted;
use glassnet::report::csv_files;
use glassnet::training::{TrainSettings, TrainingState};

/// Returns what to tell of a run with whose state nothing is left to do. A run that was stopped before its
/// last files were written has something left.
pub fn nothing_to_do(
    run: &ResumedRun,
    settings: &TrainSettings,
    state: &TrainingState,
) -> Result<Option<String>, Failure> {
    let begun = state.history.len() + usize::from(state.epoch_so_far().steps > 0);
    let folder = run.folder.path().display();
    if begun > settings.epochs {
        let reason = format!(
            "the run in {folder} is in its epoch {begun} already, so it cannot end after {}; give a larger number",
            settings.epochs
        );
        return Err(Error::setting("--epochs", reason).into());
    }
    if !settings.is_over(state) || !run.has_ended() {
        return Ok(None);
    }
    let done = state.history.len();
    Ok(Some(match settings.has_stopped_early(state) {
        true => format!("the run in {folder} ended by early stopping {}", why_it_stopped(settings, state)),
        false => format!("the run in {folder} has done its {}; a larger --epochs goes on", counted(done, "epoch")),
    }))
}

/// Takes the times of the epochs from `timings.csv`, as far as they are there, and returns those of saving.
/// They are told, and nothing depends on them.
pub fn read_timings(folder: &RunFolder, state: &mut TrainingState) -> Vec<f64> {
    let rows = csv_files::read_timings(&folder.file("timings.csv")).unwrap_or_default();
    let mut saving_seconds = vec![0.0; state.history.len()];
    for (record, saving_seconds) in state.history.iter_mut().zip(&mut saving_seconds) {
        if let Some(row) = rows.iter().find(|row| row.epoch == record.epoch) {
            (record.seconds, record.step_seconds) = (row.seconds, row.step_seconds);
            record.wait_seconds = row.wait_seconds;
            *saving_seconds = row.saving_seconds;
        }
    }
    saving_seconds
}

/// `Going on with runs/train1 after 2 epochs and 3 steps`
pub fn going_on_line(folder: &RunFolder, state: &TrainingState) -> String {
    let epochs = counted(state.history.len(), "epoch");
    let steps = match state.epoch_so_far().steps {
        0 => String::new(),
        steps => format!(" and {}", counted(steps, "step")),
    };
    format!("Going on with {} after {epochs}{steps}", folder.path().display())
}
