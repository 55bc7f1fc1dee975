//! A dense layer over a batch: blocks of weight rows run in parallel.
//!
//! Each block yields a part of the result: of the output a summand, which are added in order; of the input's gradient some
//! columns, which are put in their places; of the weights' gradient some rows, which stand where they belong.

use crate::kernels::dense::{self, BLOCK_ROWS, block};
use crate::parameters::{Parameters, TensorId};
use rayon::prelude::*;

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
    /// Floats that [`Dense::forward`] and [`Dense::grad_input`] need for the parts in a batch of `batch`.
    pub fn partials_len(&self, batch: usize) -> usize {
        batch * (self.inputs.div_ceil(BLOCK_ROWS) * self.units).max(self.inputs)
    }

    /// `input` `[N, I]` → `output` `[N, U]`: Y = X·W + bias. `partials` are [`Dense::partials_len`] floats of scratch.
    pub fn forward(&self, parameters: &Parameters, input: &[f32], output: &mut [f32], partials: &mut [f32]) {
        let (kernel, bias) = (parameters.tensor(self.kernel), parameters.tensor(self.bias));
        let partials = &mut partials[..self.inputs.div_ceil(BLOCK_ROWS) * output.len()];
        partials.par_chunks_exact_mut(output.len()).enumerate().for_each(|(index, partial)| {
            dense::forward(input, self.inputs, block(index, self.inputs), kernel, partial);
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

    /// `grad_output` `[N, U]` → `grad_input` `[N, I]`: dX = dY·Wᵀ. `partials` are [`Dense::partials_len`] floats of scratch.
    pub fn grad_input(
        &self,
        parameters: &Parameters,
        grad_output: &[f32],
        grad_input: &mut [f32],
        partials: &mut [f32],
    ) {
        let batch = grad_output.len() / self.units;
        let kernel = parameters.tensor(self.kernel);
        let partials = &mut partials[..grad_input.len()];
        partials.par_chunks_mut(batch * BLOCK_ROWS).enumerate().for_each(|(index, partial)| {
            dense::grad_input(grad_output, self.units, block(index, self.inputs), kernel, partial);
        });
        grad_input.par_chunks_exact_mut(self.inputs).enumerate().for_each(|(sample, grad_input)| {
            for (index, partial) in partials.chunks(batch * BLOCK_ROWS).enumerate() {
                let columns = block(index, self.inputs);
                let part = &partial[sample * columns.len()..][..columns.len()];
                grad_input[columns].copy_from_slice(part);
            }
        });
    }

    /// Writes the kernel's and the bias's part of `gradients`: dW = Xᵀ·dY, dbias = column sums of dY.
    pub fn grad_weights(&self, input: &[f32], grad_output: &[f32], gradients: &mut Parameters) {
        let (kernel, bias) = gradients.kernel_and_bias_mut(self.kernel, self.bias);
        kernel.par_chunks_mut(BLOCK_ROWS * self.units).enumerate().for_each(|(index, rows)| {
            dense::grad_kernel(input, self.inputs, block(index, self.inputs), grad_output, self.units, rows);
        });
        bias.fill(0.0);
        for sample in grad_output.chunks_exact(self.units) {
            for (sum, g) in bias.iter_mut().zip(sample) {
                *sum += g;
            }
        }
    }
}
