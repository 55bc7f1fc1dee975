//! A step that is taken while the backward pass runs: the pass's sink.
//!
//! An optimizer moves every weight by its own gradient alone, so it may move a tensor as soon as the tensor's
//! gradient is there and nobody reads its weights any more. A large dense kernel's weights are in the cache
//! then. Moved there by Adam, weights, moments and gradient cross the memory bus 6 times a step and not 10
//! times. The bits are the same. Where gradients are clipped by a norm, that has to be known first, and all
//! weights move at the step's end.

use super::block::Block;
use super::clipping::Clipping;
use super::optimizer::Optimizer;
use super::settings::StepNumbers;
use crate::layers::sink::{GradientBlock, Sink, WrittenBlock};
use crate::parameters::{Parameters, TensorId};
use rayon::iter::Either;
use rayon::prelude::*;
use std::ops::Range;

/// A tensor of at least this many weights, 256 KiB, is moved block by block where its gradient comes in
/// blocks. A smaller one stays in the caches until the step's end.
pub const AT_ONCE_FLOATS: usize = 64 * 1024;

/// A step that [`Optimizer::begin_step`] began. It is the sink of one backward pass, and
/// [`PendingStep::finish`] ends it. Without that no step has been taken, though tensors whose gradients came
/// in blocks may have been moved.
pub struct PendingStep<'a> {
    pub(super) optimizer: &'a mut Optimizer,
    parameters: &'a mut Parameters,
    gradients: &'a mut Parameters,
    numbers: StepNumbers,
    at_once: bool,
}

impl Optimizer {
    /// Begins a step whose gradients are yet to come: it is the [sink](crate::layers::sink::Sink) of the
    /// backward pass, and [`PendingStep::finish`] ends it. With `at_once`, large tensors whose gradients come
    /// in blocks are moved as they come, and their places in `gradients` are not written; without, or where
    /// gradients are clipped by a norm, every gradient is. The weights come out the same.
    ///
    /// # Panics
    /// If the parameters are not of this optimizer's network.
    pub fn begin_step<'a>(
        &'a mut self,
        weights: &'a mut Parameters,
        gradients: &'a mut Parameters,
        at_once: bool,
    ) -> PendingStep<'a> {
        weights.assert_same_network(gradients);
        self.accumulators.iter().for_each(|buffer| weights.assert_same_network(buffer));
        self.moved.fill(false);
        let at_once = at_once && !self.settings.clipping.needs_whole_tensors();
        PendingStep { numbers: self.next_step(), optimizer: self, parameters: weights, gradients, at_once }
    }
}

impl PendingStep<'_> {
    /// Returns the gradients as they came: those of all tensors, if the step was begun without `at_once`.
    pub fn gradients(&self) -> &Parameters {
        self.gradients
    }

    /// Moves all weights that have not been moved yet, and counts the step.
    pub fn finish(self) {
        self.optimizer.finish_step(self.numbers, self.parameters, self.gradients);
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

    fn blocks(
        &mut self,
        tensor: TensorId,
        range: Range<usize>,
        len: usize,
    ) -> impl IndexedParallelIterator<Item = StepBlock<'_>> {
        let entry = &self.gradients.table().entries()[tensor];
        let (role, all) = (entry.role, entry.range.clone());
        if !self.at_once || all.len() < AT_ONCE_FLOATS || !entry.is_trainable() {
            let written = WrittenBlock::of(self.parameters, self.gradients, tensor, range, len);
            return Either::Left(written.map(|block| StepBlock(Fate::Written(block))));
        }
        let (step, clipping) = (self.numbers.for_role(role), self.optimizer.settings.clipping);
        self.optimizer.moved[tensor] = true;
        let accumulators = &mut self.optimizer.accumulators;
        let range = all.start + range.start..all.start + range.end;
        let blocks = Block::cut(self.parameters, accumulators, step, range, len);
        Either::Right(blocks.map(move |block| StepBlock(Fate::Moved(block, clipping))))
    }
}

/// A block of a tensor in a step.
pub struct StepBlock<'a>(Fate<'a>);

/// What becomes of a block's gradient.
enum Fate<'a> {
    /// It is written, and the weights move at the step's end.
    Written(WrittenBlock<'a>),
    /// The weights move as soon as it is there and clipped.
    Moved(Block<'a>, Clipping),
}

impl GradientBlock for StepBlock<'_> {
    fn weights(&self) -> &[f32] {
        match &self.0 {
            Fate::Written(block) => block.weights(),
            Fate::Moved(block, _) => block.weights(),
        }
    }

    fn give(self, piece: usize, scratch: &mut [f32], mut write: impl FnMut(Range<usize>, &mut [f32])) {
        let (mut block, clipping) = match self.0 {
            Fate::Written(block) => return block.give(piece, scratch, write),
            Fate::Moved(block, clipping) => (block, clipping),
        };
        let len = block.weights().len();
        for start in (0..len).step_by(piece) {
            let range = start..len.min(start + piece);
            let gradient = &mut scratch[..range.len()];
            write(range.clone(), gradient);
            clipping.clip_elements(gradient);
            block.update(range, gradient);
        }
    }
}

#[cfg(test)]
mod tests;
