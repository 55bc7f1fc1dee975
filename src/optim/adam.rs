//! Adam with its state, and the step that it takes when all gradients are there.

use crate::kernels::adam::{self, AdamStep};
use crate::parameters::{ParameterTable, Parameters, Role};
use rayon::prelude::*;
use rayon::slice::ChunksMut;
use std::ops::Range;
use std::sync::Arc;

/// Parameters in one piece of parallel work: 64 KiB of each of the four buffers.
pub(super) const CHUNK_FLOATS: usize = 16 * 1024;

/// Adam's settings, as they are written: they are rounded to f32 where the arithmetic is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamSettings {
    /// The learning rate: about the farthest that a weight moves in a step.
    pub learning_rate: f64,
    /// β₁, the decay of the mean gradient.
    pub beta_1: f64,
    /// β₂, the decay of the mean squared gradient.
    pub beta_2: f64,
    /// ε, which keeps the division finite.
    pub epsilon: f64,
    /// W, the weight decay of a step in units of the learning rate; 0 is plain Adam, bit for bit.
    pub weight_decay: f64,
}

impl Default for AdamSettings {
    /// Returns Keras's settings, without weight decay.
    fn default() -> AdamSettings {
        AdamSettings { learning_rate: 1e-3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, weight_decay: 0.0 }
    }
}

/// Adam with its state: the two moments of every parameter, and the number of steps taken.
pub struct Adam {
    settings: AdamSettings,
    pub(super) first_moment: Parameters,
    pub(super) second_moment: Parameters,
    steps: u64,
    /// For each tensor, whether the step at work has moved it.
    pub(super) moved: Vec<bool>,
}

impl Adam {
    /// Creates Adam with moments of zero and no step taken.
    pub fn new(table: &Arc<ParameterTable>, settings: AdamSettings) -> Adam {
        Adam::resumed(settings, [Parameters::zeros(table), Parameters::zeros(table)], 0)
    }

    /// Restores Adam as it was after `steps` steps, when these were its first and second moments.
    ///
    /// # Panics
    /// If the moments do not have the same table.
    pub fn resumed(settings: AdamSettings, [first_moment, second_moment]: [Parameters; 2], steps: u64) -> Adam {
        first_moment.assert_same_network(&second_moment);
        let moved = vec![false; first_moment.table().entries().len()];
        Adam { settings, first_moment, second_moment, steps, moved }
    }

    /// Returns the first and second moments.
    pub fn moments(&self) -> [&Parameters; 2] {
        [&self.first_moment, &self.second_moment]
    }

    /// Returns the steps taken so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Takes one step: counts it, and moves every trainable weight.
    ///
    /// # Panics
    /// If the three do not have the same table.
    pub fn step(&mut self, weights: &mut Parameters, gradients: &Parameters) {
        self.moved.fill(false);
        self.finish_step(self.next_step(), weights, gradients);
    }

    /// Returns the numbers of the step that comes next.
    pub(super) fn next_step(&self) -> AdamStep {
        AdamStep {
            alpha: self.settings.step_size(self.steps + 1),
            // As in Keras, 1 − β is formed in f64 and rounded once.
            blend_1: (1.0 - self.settings.beta_1) as f32,
            blend_2: (1.0 - self.settings.beta_2) as f32,
            epsilon: self.settings.epsilon as f32,
            decay: (self.settings.learning_rate * self.settings.weight_decay) as f32,
        }
    }

    /// Counts the step with these numbers, and moves all trainable weights but those of the tensors that it
    /// has [moved](Adam::moved) already.
    pub(super) fn finish_step(&mut self, step: AdamStep, weights: &mut Parameters, gradients: &Parameters) {
        weights.assert_same_network(gradients);
        weights.assert_same_network(&self.first_moment);
        self.steps += 1;
        let entries = gradients.table().entries();
        // Neighbours of one role are moved in one pass.
        let mut id = 0;
        while id < entries.len() {
            let (first, role) = (id, entries[id].role);
            let together = |id: usize| id < entries.len() && !self.moved[id] && entries[id].role == role;
            while together(id) {
                id += 1;
            }
            match role {
                Role::Trainable { .. } if id > first => {
                    let range = entries[first].range.start..entries[id - 1].range.end;
                    self.move_weights(for_role(step, role), weights, gradients, range);
                }
                _ => id = id.max(first + 1),
            }
        }
    }

    /// Moves the weights in this range of the buffer.
    fn move_weights(&mut self, step: AdamStep, weights: &mut Parameters, gradients: &Parameters, range: Range<usize>) {
        fn chunks<'a>(parameters: &'a mut Parameters, range: &Range<usize>) -> ChunksMut<'a, f32> {
            parameters.as_mut_slice()[range.clone()].par_chunks_mut(CHUNK_FLOATS)
        }
        let moments = chunks(&mut self.first_moment, &range).zip(chunks(&mut self.second_moment, &range));
        let gradients = gradients.as_slice()[range.clone()].par_chunks(CHUNK_FLOATS);
        chunks(weights, &range).zip(moments).zip(gradients).for_each(
            |((weights, (first_moment, second_moment)), gradients)| {
                adam::update(adam::WeightsAndMoments { weights, first_moment, second_moment }, gradients, step);
            },
        );
    }
}

/// Returns a step's numbers for tensors of this role.
pub(super) fn for_role(step: AdamStep, role: Role) -> AdamStep {
    match role {
        Role::Trainable { decays: true } => step,
        Role::Trainable { decays: false } | Role::Running => AdamStep { decay: 0.0, ..step },
    }
}

impl AdamSettings {
    /// Returns α of step t (from 1). It is rounded where Keras rounds: βᵗ to f32 first, from an f32 β. That
    /// matters: 1 − 0.999 is 1.3e-5 off in f32, and with it the first steps.
    fn step_size(&self, t: u64) -> f32 {
        let power = |beta: f64| f64::from(beta as f32).powf(t as f64) as f32;
        self.learning_rate as f32 * (1.0 - power(self.beta_2)).sqrt() / (1.0 - power(self.beta_1))
    }
}
