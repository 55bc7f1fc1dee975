//! The sink of a backward pass: a layer tells it "this gradient is ready", and it decides what becomes of the
//! gradient.
//!
//! A gradient may be written ([`GradientWriter`]), used up by the optimizer while it is still in the cache
//! ([`PendingStep`](crate::optim::PendingStep)), or handed on. Layers know none of this. They hand in a small
//! tensor as a whole, and a large dense kernel in blocks of rows, which several threads hand in at the same
//! time. Each block is handed in once, by one thread, its pieces in order, so what a sink makes of it has the
//! same bits in every run.

use crate::parameters::{Parameters, TensorId};
use rayon::prelude::*;
use std::ops::Range;

/// Where gradients go.
pub trait Sink {
    /// A block of a tensor, to be given its gradient.
    type Block<'a>: GradientBlock
    where
        Self: 'a;

    /// The weights that the pass reads. Those of a tensor whose gradient has been handed in may have been
    /// moved.
    fn parameters(&self) -> &Parameters;

    /// Takes the gradient of a whole tensor. `write` writes it over the floats that it is given.
    fn whole(&mut self, tensor: TensorId, write: impl FnOnce(&mut [f32]));

    /// Takes the gradient of a range of a tensor's floats in consecutive blocks of `len` floats, of which the
    /// last may be shorter. Each of the blocks has to be given its gradient. The rest of the tensor is
    /// somebody else's, and the sink leaves it as it is.
    fn blocks(
        &mut self,
        tensor: TensorId,
        range: Range<usize>,
        len: usize,
    ) -> impl IndexedParallelIterator<Item = Self::Block<'_>>;
}

/// A block of a tensor, to be given its gradient.
pub trait GradientBlock: Send {
    /// The block's weights, as the forward pass read them.
    fn weights(&self) -> &[f32];

    /// Takes the block's gradient, as a whole or in pieces of at most `piece` floats, in order: `write`
    /// writes the gradient of a range of the block over the floats that it is given. `scratch` are at least
    /// `piece` floats.
    fn give(self, piece: usize, scratch: &mut [f32], write: impl FnMut(Range<usize>, &mut [f32]));
}

/// The sink that writes every gradient.
pub struct GradientWriter<'a> {
    parameters: &'a Parameters,
    gradients: &'a mut Parameters,
}

impl<'a> GradientWriter<'a> {
    /// Writes the gradients of these weights to `gradients`.
    ///
    /// # Panics
    /// If the two do not have the same table.
    pub fn new(parameters: &'a Parameters, gradients: &'a mut Parameters) -> GradientWriter<'a> {
        parameters.assert_same_network(gradients);
        GradientWriter { parameters, gradients }
    }
}

impl Sink for GradientWriter<'_> {
    type Block<'a>
        = WrittenBlock<'a>
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
    ) -> impl IndexedParallelIterator<Item = WrittenBlock<'_>> {
        WrittenBlock::of(self.parameters, self.gradients, tensor, range, len)
    }
}

/// A block whose gradient is written.
pub struct WrittenBlock<'a> {
    weights: &'a [f32],
    gradient: &'a mut [f32],
}

impl<'a> WrittenBlock<'a> {
    /// The blocks of a range of a tensor, of `len` floats each.
    pub fn of(
        parameters: &'a Parameters,
        gradients: &'a mut Parameters,
        tensor: TensorId,
        range: Range<usize>,
        len: usize,
    ) -> impl IndexedParallelIterator<Item = WrittenBlock<'a>> {
        let weights = parameters.tensor(tensor)[range.clone()].par_chunks(len);
        let blocks = weights.zip(gradients.tensor_mut(tensor)[range].par_chunks_mut(len));
        blocks.map(|(weights, gradient)| WrittenBlock { weights, gradient })
    }
}

impl GradientBlock for WrittenBlock<'_> {
    fn weights(&self) -> &[f32] {
        self.weights
    }

    fn give(self, _piece: usize, _scratch: &mut [f32], mut write: impl FnMut(Range<usize>, &mut [f32])) {
        write(0..self.gradient.len(), self.gradient);
    }
}
