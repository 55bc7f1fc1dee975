//! A run with nothing left to be decided.

use crate::cli::input::checked::CheckedImages;
use crate::cli::input::dataset::{Dataset, Part};
use crate::cli::run::resume::ResumedRun;
use crate::cli::run_folder::settings::RunSettings;
use glassnet::network::Network;
use std::path::PathBuf;
use std::sync::Arc;

/// A training run, resolved.
pub struct TrainingRun {
    pub command: &'static str,
    pub settings: RunSettings,
    pub network: Network,
    pub dataset: Dataset,
    /// The run folder, if one was named.
    pub out: Option<PathBuf>,
    /// True where results are one JSON object.
    pub json: bool,
    /// The run that goes on, if it is none that begins.
    pub resumed: Option<ResumedRun>,
    /// The images, where they have been looked at before.
    pub checked: Option<Arc<CheckedImages>>,
}

impl TrainingRun {
    /// Returns how many images of each class train, and how many validate.
    pub fn counts(&self) -> [Vec<usize>; 2] {
        Part::BOTH.map(|part| self.dataset.counts(part))
    }
}
