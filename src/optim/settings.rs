//! What an optimizer is told: its rule, the learning rate, weight decay and clipping.

use super::clipping::Clipping;
use crate::kernels::adam::AdamStep;
use crate::kernels::sgd::SgdStep;
use crate::parameters::Role;
use serde::Serialize;

/// An optimizer's settings, as they are written: they are rounded to f32 where the arithmetic is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptimizerSettings {
    /// The learning rate. Of Adam it is about the farthest that a weight moves in a step; of SGD the share of
    /// its gradient that a weight moves by.
    pub learning_rate: f64,
    /// The rule that makes a step of a gradient.
    pub rule: Rule,
    /// W, the weight decay of a step in units of the learning rate; 0 is none, bit for bit.
    pub weight_decay: f64,
    /// The bound of gradients.
    pub clipping: Clipping,
}

/// The rule that makes a step of a gradient; [`optim`](crate::optim) has the formulas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Adam; with a weight decay, AdamW.
    Adam(AdamConstants),
    /// Stochastic gradient descent.
    Sgd {
        /// μ, the share of its velocity that a weight keeps in a step; with 0 there is no velocity.
        momentum: f64,
        /// True if the weights move by the velocity of a step further.
        nesterov: bool,
    },
}

/// Adam's settings beside the learning rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AdamConstants {
    /// β₁, the decay of the mean gradient.
    pub beta_1: f64,
    /// β₂, the decay of the mean squared gradient.
    pub beta_2: f64,
    /// ε, which keeps the division finite.
    pub epsilon: f64,
}

impl Default for AdamConstants {
    /// Returns Keras's.
    fn default() -> AdamConstants {
        AdamConstants { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }
}

impl Default for OptimizerSettings {
    /// Returns Adam with Keras's settings, without weight decay.
    fn default() -> OptimizerSettings {
        OptimizerSettings { learning_rate: 1e-3, rule: Rule::default(), weight_decay: 0.0, clipping: Clipping::None }
    }
}

impl Default for Rule {
    /// Returns Keras's Adam.
    fn default() -> Rule {
        Rule::Adam(AdamConstants::default())
    }
}

impl Rule {
    /// Returns how many accumulators it keeps for every weight: Adam two moments, SGD a velocity, or none
    /// without momentum.
    pub fn accumulators(&self) -> usize {
        match self {
            Rule::Adam(_) => 2,
            Rule::Sgd { momentum, .. } => usize::from(*momentum != 0.0),
        }
    }
}

/// The numbers of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum StepNumbers {
    Adam(AdamStep),
    Sgd(SgdStep),
}

impl OptimizerSettings {
    /// Returns the numbers of step `t`, from 1.
    pub(super) fn step(&self, t: u64) -> StepNumbers {
        let decay = (self.learning_rate * self.weight_decay) as f32;
        match self.rule {
            Rule::Adam(constants) => StepNumbers::Adam(AdamStep {
                alpha: constants.step_size(self.learning_rate, t),
                // As in Keras, 1 − β is formed in f64 and rounded once.
                blend_1: (1.0 - constants.beta_1) as f32,
                blend_2: (1.0 - constants.beta_2) as f32,
                epsilon: constants.epsilon as f32,
                decay,
            }),
            Rule::Sgd { momentum, nesterov } => StepNumbers::Sgd(SgdStep {
                learning_rate: self.learning_rate as f32,
                momentum: momentum as f32,
                nesterov,
                decay,
            }),
        }
    }
}

impl AdamConstants {
    /// Returns α of step t (from 1). It is rounded where Keras rounds: βᵗ to f32 first, from an f32 β. That
    /// matters: 1 − 0.999 is 1.3e-5 off in f32, and with it the first steps.
    fn step_size(&self, learning_rate: f64, t: u64) -> f32 {
        let power = |beta: f64| f64::from(beta as f32).powf(t as f64) as f32;
        learning_rate as f32 * (1.0 - power(self.beta_2)).sqrt() / (1.0 - power(self.beta_1))
    }
}

impl StepNumbers {
    /// Returns the numbers for tensors of this role.
    pub(super) fn for_role(self, role: Role) -> StepNumbers {
        match (role, self) {
            (Role::Trainable { decays: true }, step) => step,
            (_, StepNumbers::Adam(step)) => StepNumbers::Adam(AdamStep { decay: 0.0, ..step }),
            (_, StepNumbers::Sgd(step)) => StepNumbers::Sgd(SgdStep { decay: 0.0, ..step }),
        }
    }
}
