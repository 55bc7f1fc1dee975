//! A step of Adam that is taken while the backward pass runs: the pass's sink.
//!
//! Adam moves every weight by its own gradient alone, so it may move a tensor as soon as the tensor's
//! gradient is there and nobody reads its weights any more. A large dense kernel's weights are in the cache
//! then. Moved there, weights, moments and gradient cross the memory bus 6 times a step and not 10 times. The
//! bits are the same.

use super::adam::{Adam, for_role};
use crate::kernels::adam::{self, AdamStep};
use crate::layers::sink::{GradientBlock, Sink, WrittenBlock};
use crate::parameters::{Parameters, TensorId};
use rayon::iter::Either;
use rayon::prelude::*;
use std::ops::Range;

/// A tensor of at least this many weights, 256 KiB, is moved block by block where its gradient comes in
/// blocks. A smaller one stays in the caches until the step's end.
pub const AT_ONCE_FLOATS: usize = 64 * 1024;

/// A step that [`Adam::begin_step`] began. It is the sink of one backward pass, and [`PendingStep::finish`]
/// ends it. Without that no step has been taken, though tensors whose gradients came in blocks may have been
/// moved.
pub struct PendingStep<'a> {
    pub(super) adam: &'a mut Adam,
    parameters: &'a mut Parameters,
    gradients: &'a mut Parameters,
    numbers: AdamStep,
    at_once: bool,
}

impl Adam {
    /// Begins a step whose gradients are yet to come: it is the [sink](crate::layers::sink::Sink) of the
    /// backward pass, and [`PendingStep::finish`] ends it. With `at_once`, large tensors whose gradients come
    /// in blocks are moved as they come, and their places in `gradients` are not written; without, every
    /// gradient is. The weights come out the same.
    ///
    /// # Panics
    /// If the three do not have the same table.
    pub fn begin_step<'a>(
        &'a mut self,
        weights: &'a mut Parameters,
        gradients: &'a mut Parameters,
        at_once: bool,
    ) -> PendingStep<'a> {
        PendingStep::new(self, weights, gradients, at_once)
    }
}

impl<'a> PendingStep<'a> {
    fn new(
        adam: &'a mut Adam,
        parameters: &'a mut Parameters,
        gradients: &'a mut Parameters,
        at_once: bool,
    ) -> PendingStep<'a> {
        parameters.assert_same_network(gradients);
        parameters.assert_same_network(&adam.first_moment);
        adam.moved.fill(false);
        PendingStep { numbers: adam.next_step(), adam, parameters, gradients, at_once }
    }

    /// Moves all weights that have not been moved yet, and counts the step.
    pub fn finish(self) {
        self.adam.finish_step(self.numbers, self.parameters, self.gradients);
    }
}

impl Sink for PendingStep<'_> {
    type Block<'a>
        = StepBlock<'a>
    where
        Self: 'a;

    fn parameters(&self) -> &Parameters {
        self.parameters
    }

    fn whole(&mut self, tensor: TensorId, write: impl FnOnce(&mut [f32])) {
        write(self.gradients.tensor_mut(tensor));
    }

    fn blocks(&mut self, tensor: TensorId, len: usize) -> impl IndexedParallelIterator<Item = StepBlock<'_>> {
        let role = self.parameters.table().entries()[tensor].role;
        if !self.at_once || self.parameters.tensor(tensor).len() < AT_ONCE_FLOATS {
            let written = WrittenBlock::of(self.parameters, self.gradients, tensor, len);
            return Either::Left(written.map(StepBlock::Written));
        }
        let step = for_role(self.numbers, role);
        self.adam.moved[tensor] = true;
        let Adam { first_moment, second_moment, .. } = &mut *self.adam;
        let weights = self.parameters.tensor_mut(tensor).par_chunks_mut(len);
        let first_moments = first_moment.tensor_mut(tensor).par_chunks_mut(len);
        let second_moments = second_moment.tensor_mut(tensor).par_chunks_mut(len);
        let blocks = weights.zip(first_moments).zip(second_moments);
        Either::Right(blocks.map(move |((weights, first_moment), second_moment)| {
            StepBlock::Moved(adam::WeightsAndMoments { weights, first_moment, second_moment }, step)
        }))
    }
}

/// A block of a tensor in a step of Adam.
pub enum StepBlock<'a> {
    /// Its gradient is written, and it is moved at the step's end.
    Written(WrittenBlock<'a>),
    /// It is moved as soon as its gradient is there.
    Moved(adam::WeightsAndMoments<'a>, AdamStep),
}

impl GradientBlock for StepBlock<'_> {
    fn weights(&self) -> &[f32] {
        match self {
            StepBlock::Written(block) => block.weights(),
            StepBlock::Moved(block, _) => block.weights,
        }
    }

    fn give(self, piece: usize, scratch: &mut [f32], mut write: impl FnMut(Range<usize>, &mut [f32])) {
        let (block, step) = match self {
            StepBlock::Written(block) => return block.give(piece, scratch, write),
            StepBlock::Moved(block, step) => (block, step),
        };
        let moments = block.first_moment.chunks_mut(piece).zip(block.second_moment.chunks_mut(piece));
        let mut start = 0;
        for (weights, (first_moment, second_moment)) in block.weights.chunks_mut(piece).zip(moments) {
            let gradient = &mut scratch[..weights.len()];
            write(start..start + weights.len(), gradient);
            start += weights.len();
            adam::update(adam::WeightsAndMoments { weights, first_moment, second_moment }, gradient, step);
        }
    }
}

#[cfg(test)]
mod tests;
