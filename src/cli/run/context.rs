//! The facts of a run that its recorder, and its page, go by.

use crate::cli::run_folder::config::Config;
use glassnet::data::left_out::LeftOut;
use glassnet::data::reading::Reading;
use glassnet::network::Network;
use glassnet::training::TrainSettings;
use std::time::Duration;

/// The facts of a run before it begins, or goes on.
pub struct RunContext<'a> {
    pub network: &'a Network,
    pub settings: TrainSettings,
    /// The way images are read.
    pub reading: Reading,
    pub steps_per_epoch: usize,
    /// Images of each class in the training part and in the validation part.
    pub counts: [Vec<usize>; 2],
    /// The files that were left out of the data.
    pub left_out: Vec<LeftOut>,
    /// `config.toml`.
    pub config: Config,
    /// The part of it that makes the run what it is.
    pub identity: String,
    /// The age of the saved state from which on the end of an epoch saves again.
    pub save_every: Duration,
}

impl RunContext<'_> {
    /// Returns how many images validate.
    pub fn validation_images(&self) -> usize {
        self.counts[1].iter().sum()
    }
}
