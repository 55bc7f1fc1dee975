//! Adam: every weight takes a step of about the learning rate, scaled by how steady its gradient is.
//!
//! D. P. Kingma and J. Ba, *Adam: A Method for Stochastic Optimization*, 2015, in the form that Keras has (the paper's
//! section 2, last paragraph: the bias corrections folded into the step size, so ε is added to the uncorrected √v):
//!
//! ```text
//! α = learning rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ)
//! m += (g − m)(1 − β₁)      v += (g² − v)(1 − β₂)      w −= α·m / (√v + ε)
//! ```
//!
//! With a weight decay W it is AdamW: before that, w −= learning rate · W · w. The decay is *decoupled* from the gradient: it
//! does not go through the moments, which would divide it by √v and so decay the weights with large gradients least
//! (I. Loshchilov and F. Hutter, *Decoupled Weight Decay Regularization*, 2019, algorithm 2; there the decay is not multiplied
//! by the learning rate, in Keras's `AdamW`, and here, it is). As in Keras, unless told otherwise there, every parameter decays,
//! biases too.

use crate::kernels::adam::{self, AdamStep};
use crate::parameters::{ParameterTable, Parameters, TensorId};
use rayon::prelude::*;
use rayon::slice::ChunksMut;
use std::ops::Range;
use std::sync::Arc;

/// Parameters in one piece of parallel work: 64 KiB of each of the four buffers.
const CHUNK_FLOATS: usize = 16 * 1024;

/// Adam's settings, as they are written: they are rounded to f32 where the arithmetic is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamSettings {
    /// How far a weight moves in a step, at most about.
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
    /// Keras's, without weight decay.
    fn default() -> AdamSettings {
        AdamSettings { learning_rate: 1e-3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, weight_decay: 0.0 }
    }
}

/// Adam with its state: the two moments of every parameter, and the number of steps taken.
pub struct Adam {
    settings: AdamSettings,
    first_moment: Parameters,
    second_moment: Parameters,
    steps: u64,
}

impl Adam {
    /// Moments of zero and no step taken.
    pub fn new(table: &Arc<ParameterTable>, settings: AdamSettings) -> Adam {
        Adam { settings, first_moment: Parameters::zeros(table), second_moment: Parameters::zeros(table), steps: 0 }
    }

    /// Adam as it was after `steps` steps, when these were its first and second moments.
    ///
    /// # Panics
    /// If the moments do not have the same table.
    pub fn resumed(settings: AdamSettings, [first_moment, second_moment]: [Parameters; 2], steps: u64) -> Adam {
        assert_eq!(first_moment.table(), second_moment.table(), "moments of one network");
        Adam { settings, first_moment, second_moment, steps }
    }

    /// The first and second moments.
    pub fn moments(&self) -> [&Parameters; 2] {
        [&self.first_moment, &self.second_moment]
    }

    /// Steps taken so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Takes one step: counts it, and moves every weight.
    ///
    /// # Panics
    /// If the three do not have the same table.
    pub fn step(&mut self, weights: &mut Parameters, gradients: &Parameters) {
        let step = self.begin_step();
        self.finish_step(step, weights, gradients, std::iter::empty());
    }

    /// Counts a step, and tells its numbers. [`Adam::finish_step`] has to follow.
    pub fn begin_step(&mut self) -> AdamStep {
        self.steps += 1;
        AdamStep {
            alpha: self.settings.step_size(self.steps),
            // As in Keras, 1 − β is formed in f64 and rounded once.
            blend_1: (1.0 - self.settings.beta_1) as f32,
            blend_2: (1.0 - self.settings.beta_2) as f32,
            epsilon: self.settings.epsilon as f32,
            decay: (self.settings.learning_rate * self.settings.weight_decay) as f32,
        }
    }

    /// The first and second moments, for those who apply a part of a step that has begun.
    pub fn moments_mut(&mut self) -> [&mut Parameters; 2] {
        [&mut self.first_moment, &mut self.second_moment]
    }

    /// Moves all weights but those of the tensors `applied`, which have been moved since the step began; these are in
    /// the table's order.
    ///
    /// # Panics
    /// If weights, gradients and moments do not have the same table.
    pub fn finish_step(
        &mut self,
        step: AdamStep,
        weights: &mut Parameters,
        gradients: &Parameters,
        applied: impl Iterator<Item = TensorId>,
    ) {
        assert_eq!(weights.table(), gradients.table(), "weights and gradients of one network");
        assert_eq!(weights.table(), self.first_moment.table(), "weights and moments of one network");
        let mut start = 0;
        for id in applied {
            let range = gradients.table().entries()[id].range.clone();
            self.move_weights(step, weights, gradients, start..range.start);
            start = range.end;
        }
        self.move_weights(step, weights, gradients, start..gradients.as_slice().len());
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

impl AdamSettings {
    /// α of step t (from 1). It is rounded where Keras rounds: βᵗ to f32 first, from an f32 β. That matters: 1 − 0.999 is
    /// 1.3e-5 off in f32, and with it the first steps.
    fn step_size(&self, t: u64) -> f32 {
        let power = |beta: f64| f64::from(beta as f32).powf(t as f64) as f32;
        self.learning_rate as f32 * (1.0 - power(self.beta_2)).sqrt() / (1.0 - power(self.beta_1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::{Initialization, Role};
    use crate::random::{Purpose, Stream};
    use approx::assert_abs_diff_eq;

    #[test]
    fn a_steps_end_moves_every_weight_once_but_those_of_applied_tensors() {
        let mut table = ParameterTable::default();
        // More than a chunk, and neighbours with and without a gap between.
        for (name, len) in [("a", CHUNK_FLOATS + 5), ("b", 16), ("c", 7), ("d", 2 * CHUNK_FLOATS), ("e", 1)] {
            table.push(name.into(), vec![len], Role::Trainable { decays: true }, Initialization::Zeros);
        }
        let table = Arc::new(table);
        let drawn = |index: u64| {
            let mut stream = Stream::new(0, Purpose::Test, 0, index);
            let mut parameters = Parameters::zeros(&table);
            for id in 0..5 {
                parameters.tensor_mut(id).fill_with(|| stream.unit_f32() - 0.5);
            }
            parameters
        };
        let (start, gradients, later) = (drawn(0), drawn(1), drawn(2));
        // A step before, so that moments are not zero.
        let settings = AdamSettings { weight_decay: 0.01, ..AdamSettings::default() };
        let begin = || {
            let (mut weights, mut adam) = (start.clone(), Adam::new(&table, settings));
            adam.step(&mut weights, &gradients);
            (weights, adam)
        };
        let (mut expected, mut expected_adam) = begin();
        expected_adam.step(&mut expected, &later);
        for applied in [vec![], vec![0], vec![4], vec![1, 2], vec![0, 3, 4], vec![0, 1, 2, 3, 4]] {
            let (mut weights, mut adam) = begin();
            let (before, [first, second]) = (weights.clone(), adam.moments_mut().map(|moment| moment.clone()));
            let mut gradients = later.clone();
            for &id in &applied {
                gradients.tensor_mut(id).fill(f32::NAN);
            }
            let step = adam.begin_step();
            adam.finish_step(step, &mut weights, &gradients, applied.iter().copied());
            assert_eq!(adam.steps(), 2);
            let [first_after, second_after] = adam.moments_mut().map(|moment| moment.clone());
            let [expected_first, expected_second] = expected_adam.moments_mut().map(|moment| moment.clone());
            for id in 0..5 {
                let moved = [(&expected, &weights), (&expected_first, &first_after), (&expected_second, &second_after)];
                let kept = [(&before, &weights), (&first, &first_after), (&second, &second_after)];
                for (wanted, found) in if applied.contains(&id) { kept } else { moved } {
                    assert!(wanted.tensor(id) == found.tensor(id), "tensor {id} where {applied:?} are applied");
                }
            }
        }
    }

    #[test]
    fn the_step_counter_advances_once_a_step_and_alpha_follows_it() {
        let mut table = ParameterTable::default();
        for name in ["a", "b", "c"] {
            table.push(name.into(), vec![5], Role::Trainable { decays: true }, Initialization::Zeros);
        }
        let table = Arc::new(table);
        let (mut weights, mut gradients) = (Parameters::zeros(&table), Parameters::zeros(&table));
        gradients.tensor_mut(1).fill(-2.0);
        let mut adam = Adam::new(&table, AdamSettings::default());
        adam.step(&mut weights, &gradients);
        assert_eq!(adam.steps(), 1);
        // A steady gradient moves a weight by the learning rate, whatever the gradient's size.
        assert_abs_diff_eq!(weights.tensor(1)[0], 1e-3, epsilon = 1e-7);
        assert_eq!(weights.tensor(0), [0.0; 5]);
        adam.step(&mut weights, &gradients);
        assert_abs_diff_eq!(weights.tensor(1)[4], 2e-3, epsilon = 1e-7);
    }
}
