//! The arguments of `train` for its optimizer: the rule, the learning rate, weight decay and clipping.

use super::values::{not_negative, positive, share};
use clap::{Args, ValueEnum};
use glassnet::training::{OptimizerName, TrainSettings, keras_run};

/// Keras's default learning rate of SGD.
const SGD_LEARNING_RATE: f64 = 0.01;

/// Keras's default weight decay of AdamW.
const ADAMW_WEIGHT_DECAY: f64 = 0.004;

/// `--optimizer`, and what belongs to it.
#[derive(Args, Clone, Debug)]
pub struct OptimizerArgs {
    /// The rule that makes steps of gradients
    #[arg(long, value_name = "NAME", default_value_t = OptimizerChoice::Adam, value_enum)]
    pub optimizer: OptimizerChoice,
    /// Learning rate [default: 0.001, of sgd 0.01]
    ///
    /// Of Adam it is about the farthest that a weight moves in a step.
    #[arg(long, value_name = "RATE", value_parser = positive, allow_negative_numbers = true)]
    pub learning_rate: Option<f64>,
    /// Decoupled weight decay [default: 0, of adamw 0.004]
    ///
    /// In each step every weight also shrinks by RATE times the learning rate. Adam with it is AdamW.
    #[arg(long, value_name = "RATE", value_parser = not_negative, allow_negative_numbers = true)]
    pub weight_decay: Option<f64>,
    /// Momentum of sgd: the share of its velocity that a weight keeps
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share, allow_negative_numbers = true, hide_short_help = true)]
    pub momentum: f64,
    /// Let sgd's momentum be Nesterov's
    #[arg(long, hide_short_help = true)]
    pub nesterov: bool,
    /// Largest norm of a tensor's gradient
    ///
    /// A larger gradient is scaled to it. Of this, --global-clip-norm and --clip-value give one.
    #[arg(long, value_name = "NORM", value_parser = positive, allow_negative_numbers = true, hide_short_help = true)]
    pub clip_norm: Option<f64>,
    /// Largest norm of the gradient of all tensors together
    ///
    /// Where it is larger, all of them are scaled by the same factor.
    #[arg(long, value_name = "NORM", value_parser = positive, allow_negative_numbers = true, hide_short_help = true)]
    pub global_clip_norm: Option<f64>,
    /// Largest absolute value in a gradient
    ///
    /// What is beyond is set to it.
    #[arg(long, value_name = "VALUE", value_parser = positive, allow_negative_numbers = true, hide_short_help = true)]
    pub clip_value: Option<f64>,
}

/// `--optimizer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub enum OptimizerChoice {
    /// Adam
    Adam,
    /// Adam with a weight decay of 0.004, unless --weight-decay says another
    AdamW,
    /// Stochastic gradient descent, with --momentum and --nesterov
    Sgd,
}

impl OptimizerArgs {
    /// Returns these settings with what the flags ask for.
    pub fn applied_to(&self, settings: TrainSettings) -> TrainSettings {
        let (optimizer, learning_rate, weight_decay) = match self.optimizer {
            OptimizerChoice::Adam => (OptimizerName::Adam, keras_run::LEARNING_RATE, 0.0),
            OptimizerChoice::AdamW => (OptimizerName::Adam, keras_run::LEARNING_RATE, ADAMW_WEIGHT_DECAY),
            OptimizerChoice::Sgd => (OptimizerName::Sgd, SGD_LEARNING_RATE, 0.0),
        };
        TrainSettings {
            optimizer,
            learning_rate: self.learning_rate.unwrap_or(learning_rate),
            weight_decay: self.weight_decay.unwrap_or(weight_decay),
            momentum: self.momentum,
            nesterov: self.nesterov,
            clip_norm: self.clip_norm,
            global_clip_norm: self.global_clip_norm,
            clip_value: self.clip_value,
            ..settings
        }
    }
}
