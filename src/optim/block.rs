//! Some weights with what an optimizer keeps of them: the piece in which all of its work is done.

use super::settings::StepNumbers;
use crate::kernels::adam::{self, AdamStep, WeightsAndMoments};
use crate::kernels::sgd::{self, SgdStep, WeightsAndVelocity};
use crate::parameters::Parameters;
use rayon::iter::Either;
use rayon::prelude::*;
use std::ops::Range;

/// Some weights, their accumulators, and the numbers of the step that moves them.
pub(super) enum Block<'a> {
    Adam(WeightsAndMoments<'a>, AdamStep),
    Momentum(WeightsAndVelocity<'a>, SgdStep),
    Sgd(&'a mut [f32], SgdStep),
}

impl<'a> Block<'a> {
    /// Cuts a range of the buffers into blocks of `len` floats.
    ///
    /// # Panics
    /// If these are not the accumulators of the step's rule.
    pub(super) fn cut(
        weights: &'a mut Parameters,
        accumulators: &'a mut [Parameters],
        step: StepNumbers,
        range: Range<usize>,
        len: usize,
    ) -> impl IndexedParallelIterator<Item = Block<'a>> {
        let cut = |buffer: &'a mut Parameters| buffer.as_mut_slice()[range.clone()].par_chunks_mut(len);
        let weights = cut(weights);
        match (step, accumulators) {
            (StepNumbers::Adam(step), [first_moment, second_moment]) => {
                let blocks = weights.zip(cut(first_moment)).zip(cut(second_moment));
                Either::Left(blocks.map(move |((weights, first_moment), second_moment)| {
                    Block::Adam(WeightsAndMoments { weights, first_moment, second_moment }, step)
                }))
            }
            (StepNumbers::Sgd(step), [velocity]) => {
                let blocks = weights
                    .zip(cut(velocity))
                    .map(move |(weights, velocity)| Block::Momentum(WeightsAndVelocity { weights, velocity }, step));
                Either::Right(Either::Left(blocks))
            }
            (StepNumbers::Sgd(step), []) => {
                Either::Right(Either::Right(weights.map(move |weights| Block::Sgd(weights, step))))
            }
            (_, accumulators) => panic!("{} accumulators are not those of {step:?}", accumulators.len()),
        }
    }

    /// Returns the weights.
    pub(super) fn weights(&self) -> &[f32] {
        match self {
            Block::Adam(block, _) => block.weights,
            Block::Momentum(block, _) => block.weights,
            Block::Sgd(weights, _) => weights,
        }
    }

    /// Moves the weights of a range of the block, with a gradient for each.
    pub(super) fn update(&mut self, range: Range<usize>, gradients: &[f32]) {
        match self {
            Block::Adam(block, step) => {
                let part = WeightsAndMoments {
                    weights: &mut block.weights[range.clone()],
                    first_moment: &mut block.first_moment[range.clone()],
                    second_moment: &mut block.second_moment[range],
                };
                adam::update(part, gradients, *step);
            }
            Block::Momentum(block, step) => {
                let part = WeightsAndVelocity {
                    weights: &mut block.weights[range.clone()],
                    velocity: &mut block.velocity[range],
                };
                sgd::update_with_momentum(part, gradients, *step);
            }
            Block::Sgd(weights, step) => sgd::update(&mut weights[range], gradients, *step),
        }
    }
}
