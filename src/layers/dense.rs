//! A dense layer over a batch: blocks of weight rows run in parallel.
//!
//! Each block yields a part of the result: of the output a summand, which are added in order; of the input's gradient some
//! columns, which are put in their places; of the weights' gradient some rows, which stand where they belong.
//!
//! On the way back a block's weights are in the cache for the input's gradient, and there the sink gets the gradient of the same
//! rows: what it does with them at once, such as the optimizer's step, finds them there.

use crate::kernels::conv::ScratchLen;
use crate::kernels::dense::{self, BACKWARD_ROWS, BLOCK_ROWS, Panels, block};
use crate::kernels::tile::PIXELS;
use crate::layers::scratch::ScratchPool;
use crate::layers::sink::{GradientBlock, Sink};
use crate::parameters::{Parameters, TensorId};
use rayon::prelude::*;

/// Rows of the kernel whose gradient the sink gets at once where it uses it up: at 128 units 12 KiB, which stay in the
/// first-level cache. Whole tiles.
const PIECE_ROWS: usize = 4 * PIXELS;

/// A dense layer.
#[derive(Clone, Debug)]
pub struct Dense {
    /// I, the values that go in.
    pub inputs: usize,
    /// U, the values that come out.
    pub units: usize,
    /// Where its kernel stands, `[inputs, units]`.
    pub kernel: TensorId,
    /// Where its bias stands, `[units]`.
    pub bias: TensorId,
}

impl Dense {
    /// Floats that a pass needs for its parts, in a batch of `batch`.
    pub fn partials_len(&self, batch: usize, training: bool) -> usize {
        let forward = self.inputs.div_ceil(BLOCK_ROWS) * batch * self.units;
        let panels = Panels::len(batch, self.units) + Panels::len(self.units, batch);
        if training { forward.max(batch * self.inputs + panels) } else { forward }
    }

    /// The scratch that one thread needs for [`Dense::backward`].
    pub fn scratch_len(&self) -> ScratchLen {
        ScratchLen::from_floats(PIECE_ROWS * self.units)
    }

    /// `input` `[N, I]` → `output` `[N, U]`: Y = X·W + bias. `partials` are [`Dense::partials_len`] floats of scratch.
    pub fn forward(&self, parameters: &Parameters, input: &[f32], output: &mut [f32], partials: &mut [f32]) {
        let (kernel, bias) = (parameters.tensor(self.kernel), parameters.tensor(self.bias));
        let partials = &mut partials[..self.inputs.div_ceil(BLOCK_ROWS) * output.len()];
        partials.par_chunks_exact_mut(output.len()).enumerate().for_each(|(index, partial)| {
            dense::forward(input, self.inputs, block(index, BLOCK_ROWS, self.inputs), kernel, partial);
        });
        for sample in output.chunks_exact_mut(self.units) {
            sample.copy_from_slice(bias);
        }
        for partial in partials.chunks_exact(output.len()) {
            for (sum, part) in output.iter_mut().zip(partial) {
                *sum += part;
            }
        }
    }

    /// The backward pass: `input` `[N, I]` and `grad_output` `[N, U]` → dX = dY·Wᵀ in `grad_input` `[N, I]`, if that is wanted, and
    /// dW = Xᵀ·dY, dbias = column sums of dY for the sink.
    pub fn backward(
        &self,
        input: &[f32],
        grad_output: &[f32],
        grad_input: Option<&mut [f32]>,
        sink: &mut impl Sink,
        partials: &mut [f32],
        scratch: &ScratchPool,
    ) {
        let (inputs, units) = (self.inputs, self.units);
        let samples = grad_output.len() / units;
        let (by_sample, partials) = partials.split_at_mut(Panels::len(samples, units));
        let (by_unit, partials) = partials.split_at_mut(Panels::len(units, samples));
        let by_sample = Panels::pack(samples, units, |sample, unit| grad_output[sample * units + unit], by_sample);
        let by_unit = Panels::pack(units, samples, |unit, sample| grad_output[sample * units + unit], by_unit);

        let partials = &mut partials[..samples * inputs];
        let parts = partials.par_chunks_mut(samples * BACKWARD_ROWS);
        let blocks = sink.blocks(self.kernel, BACKWARD_ROWS * units);
        blocks.zip(parts).enumerate().for_each(|(index, (block, part))| {
            // A block's part of dX is taken before its weights may change.
            if grad_input.is_some() {
                dense::grad_input(block.weights(), by_unit, part);
            }
            let first = index * BACKWARD_ROWS;
            scratch.with(|scratch| {
                block.give(PIECE_ROWS * units, scratch.floats, |floats, gradient| {
                    let rows = first + floats.start / units..first + floats.end / units;
                    dense::grad_kernel(input, inputs, rows, by_sample, gradient);
                });
            });
        });
        sink.whole(self.bias, |bias| {
            bias.fill(0.0);
            for sample in grad_output.chunks_exact(units) {
                for (sum, g) in bias.iter_mut().zip(sample) {
                    *sum += g;
                }
            }
        });
        if let Some(grad_input) = grad_input {
            grad_input.par_chunks_exact_mut(inputs).enumerate().for_each(|(sample, grad_input)| {
                for (index, part) in partials.chunks(samples * BACKWARD_ROWS).enumerate() {
                    let columns = block(index, BACKWARD_ROWS, inputs);
                    let part = &part[sample * columns.len()..][..columns.len()];
                    grad_input[columns].copy_from_slice(part);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests;
