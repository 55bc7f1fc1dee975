//! How to train, and what follows from it for where a training stands.

use super::keras_run;
use super::state::TrainingState;
use crate::data::augment::Augmentation;
use crate::kernels::conv::registry::ConvPolicy;
use crate::loss::ClassWeights;
use crate::optim::AdamSettings;
use crate::parameters::Parameters;

/// How to train.
#[derive(Clone, Copy, Debug)]
pub struct TrainSettings {
    /// Passes over the training images.
    pub epochs: usize,
    /// Keys the shuffles and the dropout masks.
    pub seed: u64,
    /// Whether each epoch has its own order of the images; without, all have the listing's.
    pub shuffle: bool,
    /// The optimizer.
    pub adam: AdamSettings,
    /// How much a training image of each class counts. Validation is never weighted, as in Keras.
    pub class_weights: ClassWeights,
    /// How training images are changed. Validation images never are.
    pub augmentation: Option<Augmentation>,
    /// The convolution algorithm.
    pub conv: ConvPolicy,
    /// Whether convolution, ReLU and max-pool run as one.
    pub fuse: bool,
    /// Ends the training when the best epoch is this many epochs ago, and restores that epoch's weights at
    /// the end, whatever ended it.
    pub early_stopping: Option<usize>,
}

impl Default for TrainSettings {
    /// The documented run's, with seed 0.
    fn default() -> TrainSettings {
        TrainSettings {
            epochs: keras_run::EPOCHS,
            seed: 0,
            shuffle: true,
            adam: AdamSettings { learning_rate: keras_run::LEARNING_RATE, ..AdamSettings::default() },
            class_weights: ClassWeights::NONE,
            augmentation: None,
            conv: ConvPolicy::Auto,
            fuse: true,
            early_stopping: None,
        }
    }
}

impl TrainSettings {
    /// Whether the training is over: all epochs are done, or it stopped early.
    pub fn is_over(&self, state: &TrainingState) -> bool {
        state.history.len() >= self.epochs || self.has_stopped_early(state)
    }

    /// Whether the best epoch is as long ago as [`early_stopping`](TrainSettings::early_stopping) allows.
    pub fn has_stopped_early(&self, state: &TrainingState) -> bool {
        self.early_stopping.is_some_and(|patience| state.epochs_since_best() >= patience)
    }

    /// The weights that a training ends with, if it ended here: the last, or with early stopping the best.
    pub fn final_parameters<'a>(&self, state: &'a TrainingState) -> &'a Parameters {
        match &state.best {
            Some(best) if self.early_stopping.is_some() => &best.parameters,
            _ => &state.parameters,
        }
    }
}
