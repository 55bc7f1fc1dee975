//! How to train, and what follows from it for where a training stands.

use super::keras_run;
use super::names::{OptimizerName, Piece, ScheduleName};
use super::state::TrainingState;
use crate::data::augment::Augmentation;
use crate::head::ClassWeights;
use crate::kernels::conv::registry::ConvPolicy;
use crate::parameters::Parameters;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// How to train. The default is the documented run's, with seed 0; a file that leaves a setting out has the
/// default's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainSettings {
    /// Passes over the training images.
    pub epochs: usize,
    /// The rule that makes steps of gradients.
    #[serde(skip_serializing_if = "OptimizerName::is_adam")]
    pub optimizer: OptimizerName,
    /// The learning rate, or that which a schedule begins with. Of Adam it is how far a weight moves in a
    /// step, at most about; Keras's default is 0.001 for Adam and 0.01 for SGD.
    pub learning_rate: f64,
    /// The weight decay: how much of itself every weight loses in a step, in units of the learning rate. Adam
    /// with it is AdamW, where Keras's default is 0.004.
    pub weight_decay: f64,
    /// The share of its velocity that a weight keeps in a step of SGD.
    #[serde(skip_serializing_if = "is_zero")]
    pub momentum: f64,
    /// Whether SGD's momentum is Nesterov's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub nesterov: bool,
    /// The largest norm of the gradient of a tensor. Of this and the next two one may be set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// The largest norm of the gradient of all tensors together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub global_clip_norm: Option<f64>,
    /// The largest absolute value in a gradient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_value: Option<f64>,
    /// The rule by which the learning rate changes; [`Schedule`](crate::optim::Schedule) has the formulas in
    /// which the next nine stand.
    #[serde(skip_serializing_if = "ScheduleName::is_constant")]
    pub schedule: ScheduleName,
    /// The steps of a cosine's warm-up, if it has one: to the target, or without one from 0 to
    /// [`learning_rate`](TrainSettings::learning_rate).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup_steps: Option<u64>,
    /// The learning rate that a warm-up rises to, from [`learning_rate`](TrainSettings::learning_rate).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup_target: Option<f64>,
    /// The steps in which a cosine falls; those of a stair of a staircase. If not set, they are
    /// [the run's](TrainSettings::with_steps_per_epoch).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decay_steps: Option<u64>,
    /// The factor of a stair; 0.1 unless it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decay_rate: Option<f64>,
    /// The share of the learning rate that a cosine leaves; 0 unless it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// The pieces behind the first, whose rate is [`learning_rate`](TrainSettings::learning_rate).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<Piece>,
    /// The factor by which the rate falls at the end of a plateau; 0.1 unless it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plateau_factor: Option<f64>,
    /// The epochs without a better loss that make a plateau; 10 unless it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plateau_patience: Option<usize>,
    /// A loss is better if it is lower by more than this; 1e-4 unless it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plateau_min_delta: Option<f64>,
    /// How much a training image of each class counts. Validation is never weighted, as in Keras.
    pub class_weight: ClassWeighting,
    /// The share of every target that is spread over all classes, in the loss of training and of validation,
    /// as in Keras.
    #[serde(skip_serializing_if = "is_zero")]
    pub label_smoothing: f64,
    /// How training images are changed. Validation images never are.
    #[serde(rename = "augment", skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<Augmentation>,
    /// Keys the shuffles, the dropout masks and the changes of images.
    pub seed: u64,
    /// Whether each epoch has its own order of the images; without, all have the listing's.
    pub shuffle: bool,
    /// The convolution algorithm.
    pub conv: ConvPolicy,
    /// Whether convolution, ReLU and max-pool run as one.
    pub fuse: bool,
    /// Ends the training when the best epoch is this many epochs ago, and restores that epoch's weights at
    /// the end, whatever ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<usize>,
}

impl Default for TrainSettings {
    fn default() -> TrainSettings {
        TrainSettings {
            epochs: keras_run::EPOCHS,
            optimizer: OptimizerName::Adam,
            learning_rate: keras_run::LEARNING_RATE,
            weight_decay: 0.0,
            momentum: 0.0,
            nesterov: false,
            clip_norm: None,
            global_clip_norm: None,
            clip_value: None,
            schedule: ScheduleName::Constant,
            warmup_steps: None,
            warmup_target: None,
            decay_steps: None,
            decay_rate: None,
            alpha: None,
            pieces: Vec::new(),
            plateau_factor: None,
            plateau_patience: None,
            plateau_min_delta: None,
            class_weight: ClassWeighting::None,
            label_smoothing: 0.0,
            augmentation: None,
            seed: 0,
            shuffle: true,
            conv: ConvPolicy::Auto,
            fuse: true,
            early_stopping: None,
        }
    }
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// The rule by which training images of each class count in the loss.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassWeighting {
    /// Every image counts as one, so the larger class counts more.
    #[default]
    None,
    /// All classes count alike: [`ClassWeights::balanced`] of the images that train.
    Balanced,
    /// Each class counts as given.
    Each(ClassWeights),
}

impl ClassWeighting {
    /// The weights where each class has this many images to train on.
    ///
    /// # Errors
    /// [`Error::Setting`] if weights are given, and not one for each class.
    pub fn weights(&self, counts: &[usize]) -> Result<ClassWeights> {
        match self {
            ClassWeighting::None => Ok(ClassWeights::NONE),
            ClassWeighting::Balanced => Ok(ClassWeights::balanced(counts)),
            ClassWeighting::Each(weights) => {
                let (found, wanted) = (weights.as_slice().len(), counts.len());
                let reason = || format!("there are {found} weights for {wanted} classes; give one for each");
                match found == wanted {
                    true => Ok(weights.clone()),
                    false => Err(Error::setting("class_weight", reason())),
                }
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_they_are_written_and_what_is_left_out_is_the_documented_runs() {
        let settings = TrainSettings {
            class_weight: ClassWeighting::Balanced,
            augmentation: Augmentation::parse("flip,rotate").ok(),
            conv: ConvPolicy::Winograd2x2,
            early_stopping: Some(3),
            ..TrainSettings::default()
        };
        let text = toml::to_string(&settings).unwrap();
        assert!(text.contains("augment = [\"flip-horizontal\", \"flip-vertical\", \"rotate\"]"), "{text}");
        assert!(text.contains("conv = \"winograd2x2\"") && text.contains("class_weight = \"balanced\""), "{text}");
        assert!(!text.contains("optimizer") && !text.contains("clip"), "what old files lack stands for itself: {text}");
        assert_eq!(toml::from_str::<TrainSettings>(&text).unwrap(), settings);
        let sgd = TrainSettings {
            optimizer: OptimizerName::Sgd,
            momentum: 0.9,
            nesterov: true,
            global_clip_norm: Some(1.0),
            ..TrainSettings::default()
        };
        let text = toml::to_string(&sgd).unwrap();
        assert!(text.contains("optimizer = \"sgd\"") && text.contains("nesterov = true"), "{text}");
        assert_eq!(toml::from_str::<TrainSettings>(&text).unwrap(), sgd);
        assert_eq!(toml::from_str::<TrainSettings>("").unwrap(), TrainSettings::default());
        let each = TrainSettings {
            class_weight: ClassWeighting::Each(ClassWeights::new([3.0, 0.5])),
            ..TrainSettings::default()
        };
        assert_eq!(toml::from_str::<TrainSettings>(&toml::to_string(&each).unwrap()).unwrap(), each);
        for wrong in ["epoch = 3", "conv = 'fast'", "augment = ['mirror']", "class_weight = 'even'"] {
            assert!(toml::from_str::<TrainSettings>(wrong).is_err(), "{wrong}");
        }
    }
}
