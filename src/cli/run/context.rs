//! The facts of a run that its recorder, and its page, go by.

use crate::cli::run_folder::config::Config;
use glassnet::classes::Combinations;
use glassnet::data::left_out::LeftOut;
use glassnet::data::reading::Reading;
use glassnet::network::Network;
use glassnet::report::diagnostics::{labels_majority_share, loss_of_label_shares, loss_of_shares, majority, share_of};
use glassnet::training::TrainSettings;
use std::time::Duration;

/// The facts of a run before it begins, or goes on.
pub struct RunContext<'a> {
    pub network: &'a Network,
    pub settings: TrainSettings,
    /// The way images are read.
    pub reading: Reading,
    pub steps_per_epoch: usize,
    /// Images of each class, or of each combination of labels, in the training part and in the validation
    /// part.
    pub counts: [Vec<usize>; 2],
    /// The combinations, where images may have several labels.
    pub combinations: Option<Combinations>,
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
    /// Returns the share of right answers on the images that are judged, those that validate if there are
    /// some, of the constant answer that is right most often in training: a class, or of each label whether
    /// it is there.
    pub fn constant_accuracy(&self) -> Option<f64> {
        let [trained, validated] = &self.counts;
        let shown = if self.validation_images() == 0 { trained } else { validated };
        match &self.combinations {
            None => majority(trained).and_then(|label| share_of(label, shown)),
            Some(combinations) => labels_majority_share(combinations, trained, shown),
        }
    }

    /// Returns the least loss that a constant answer can have on the images that train.
    pub fn constant_loss(&self) -> Option<f64> {
        match &self.combinations {
            None => loss_of_shares(&self.counts[0]),
            Some(combinations) => loss_of_label_shares(combinations, &self.counts[0]),
        }
    }

    /// Returns how many images validate.
    pub fn validation_images(&self) -> usize {
        self.counts[1].iter().sum()
    }
}
