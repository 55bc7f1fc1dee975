//! A dense layer over a batch: blocks of weight rows run in parallel.
//!
//! Each block yields a part of the result: of the output a summand, which are added in order; of the input's gradient some
//! columns, which are put in their places; of the weights' gradient some rows, which stand where they belong.
//!
//! On the way back a block's weights are in the cache for the input's gradient. Where the optimizer may take its step at once,
//! it does so there, and a large layer's weights, moments and gradient cross the memory bus 6 times a step and not 10 times.

use crate::kernels::adam::{self, WeightsAndMoments};
use crate::kernels::conv::ScratchLen;
use crate::kernels::dense::{self, BACKWARD_ROWS, BLOCK_ROWS, Panels, block};
use crate::kernels::tile::PIXELS;
use crate::layers::scratch::ScratchPool;
use crate::layers::update::Update;
use crate::parameters::{Parameters, TensorId};
use rayon::prelude::*;

/// A layer of at least this many weights, 256 KiB, has its gradient applied as it comes, where that is allowed: a smaller one
/// stays in the caches.
const APPLY_FLOATS: usize = 64 * 1024;

/// Rows of the kernel whose gradient is made before Adam takes its step on them: at 128 units 12 KiB, which stay in the
/// first-level cache. Whole tiles.
const APPLY_ROWS: usize = 4 * PIXELS;

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
        ScratchLen::from_floats(APPLY_ROWS * self.units)
    }

    /// Whether [`Update::Apply`] applies the kernel's gradient.
    pub fn applies(&self) -> bool {
        self.inputs * self.units >= APPLY_FLOATS
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
    /// dW = Xᵀ·dY, dbias = column sums of dY, with which `update` does what it says.
    pub fn backward(
        &self,
        input: &[f32],
        grad_output: &[f32],
        grad_input: Option<&mut [f32]>,
        update: &mut Update,
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
        let rows_len = BACKWARD_ROWS * units;
        // A block's part of dX is taken before its weights change.
        let input_part = |weights: &[f32], part: &mut [f32]| {
            if grad_input.is_some() {
                dense::grad_input(weights, by_unit, part);
            }
        };
        let rows = |index: usize| block(index, BACKWARD_ROWS, inputs);
        match update {
            Update::Apply { parameters, moments: [first, second], step, .. } if self.applies() => {
                let step = *step;
                let weights = parameters.tensor_mut(self.kernel).par_chunks_mut(rows_len);
                let first = first.tensor_mut(self.kernel).par_chunks_mut(rows_len);
                let second = second.tensor_mut(self.kernel).par_chunks_mut(rows_len);
                weights.zip(first).zip(second).zip(parts).enumerate().for_each(
                    |(index, (((weights, first_moment), second_moment), part))| {
                        input_part(weights, part);
                        let chunk = APPLY_ROWS * units;
                        let moments = first_moment.chunks_mut(chunk).zip(second_moment.chunks_mut(chunk));
                        let chunks = weights.chunks_mut(chunk).zip(moments).zip(rows(index).step_by(APPLY_ROWS));
                        for ((weights, (first_moment, second_moment)), first) in chunks {
                            let rows = first..first + weights.len() / units;
                            scratch.with(|scratch| {
                                let gradient = &mut scratch.floats[..weights.len()];
                                dense::grad_kernel(input, inputs, rows, by_sample, gradient);
                                adam::update(
                                    WeightsAndMoments { weights, first_moment, second_moment },
                                    gradient,
                                    step,
                                );
                            });
                        }
                    },
                );
            }
            _ => {
                let (parameters, gradients) = update.weights_and_gradients();
                let weights = parameters.tensor(self.kernel).par_chunks(rows_len);
                let targets = gradients.tensor_mut(self.kernel).par_chunks_mut(rows_len);
                weights.zip(targets).zip(parts).enumerate().for_each(|(index, ((weights, target), part))| {
                    input_part(weights, part);
                    dense::grad_kernel(input, inputs, rows(index), by_sample, target);
                });
            }
        }
        let bias = update.weights_and_gradients().1.tensor_mut(self.bias);
        bias.fill(0.0);
        for sample in grad_output.chunks_exact(units) {
            for (sum, g) in bias.iter_mut().zip(sample) {
                *sum += g;
            }
        }
        if let Some(grad_input) = grad_input {
            grad_input.par_chunks_exact_mut(inputs).enumerate().for_each(|(sample, grad_input)| {
                for (index, part) in partials.chunks(samples * BACKWARD_ROWS).enumerate() {
                    let columns = rows(index);
                    let part = &part[sample * columns.len()..][..columns.len()];
                    grad_input[columns].copy_from_slice(part);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests;
