//! `evaluate --save-threshold`: the weights file that a threshold is written into.

use crate::cli::args::EvaluateArgs;
use crate::cli::run_folder::RunFolder;
use glassnet::checkpoint::save_threshold;
use glassnet::files::try_place;
use glassnet::{Error, Result};
use std::path::{Path, PathBuf};

/// A weights file that can be written.
pub struct ThresholdPlace {
    file: PathBuf,
    /// The run around it, so that no training writes the file meanwhile.
    #[expect(dead_code, reason = "it is held, and never looked at")]
    run: Option<RunFolder>,
}

impl ThresholdPlace {
    /// Finds out whether the file can be written, before the work begins.
    ///
    /// # Errors
    /// [`Error::Setting`] of `--save-threshold`, where there is no threshold to save; [`Error::Data`] of a
    /// run at which another process is at work; [`Error::Io`].
    pub fn claim(args: &EvaluateArgs, file: &Path) -> Result<ThresholdPlace> {
        if args.threshold.is_none() && args.choose_threshold.is_none() {
            let reason = "there is none to save; give one with --threshold, or have one chosen with --choose-threshold";
            return Err(Error::setting("--save-threshold", reason));
        }
        let folder = file.parent().filter(|folder| folder.ends_with("weights")).and_then(Path::parent);
        let run = folder.filter(|folder| RunFolder::has_begun(folder)).map(RunFolder::open).transpose()?;
        try_place(file).map_err(Error::io("write", file))?;
        Ok(ThresholdPlace { file: file.to_path_buf(), run })
    }

    /// Writes the threshold into the file.
    ///
    /// # Errors
    /// Those of [`save_threshold`].
    pub fn save(&self, threshold: f64) -> Result<()> {
        save_threshold(&self.file, threshold)
    }
}
