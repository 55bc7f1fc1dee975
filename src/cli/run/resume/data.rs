//! The places of the data of a run that goes on, and the names it has for them.

use super::files::{self, DATA, FURTHER};
use super::resumed_run::{RESUME, ResumedRun};
use crate::cli::input::dataset::VALIDATION_DATA;
use glassnet::error::shortened;
use glassnet::{Error, Result};
use std::path::{Path, PathBuf};

impl ResumedRun {
    /// Returns where the run's data are: at the path that was given, or where they are not there, at the same
    /// from the root of the file system, which is told.
    ///
    /// # Errors
    /// An error if they are no longer there.
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

    /// Returns where the further data are that validate, if there are some, as [`ResumedRun::data`] has it.
    ///
    /// # Errors
    /// An error if they are no longer there.
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

    /// Returns what the run calls DATA, which is at `path`.
    pub fn name_of_data(&self, path: &Path) -> PathBuf {
        files::name(self, DATA, path)
    }

    /// Returns what the run calls the further data that validate, which are at `path`.
    pub fn name_of_validation_data(&self, path: &Path) -> PathBuf {
        files::name(self, FURTHER, path)
    }
}
