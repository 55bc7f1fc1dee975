//! A dense layer over a batch: blocks of weight rows run in parallel. Its twin is
//! [`reference::dense_forward`].
//!
//! Each block yields a part of the result: of the output a summand, which are added in order; of the input's
//! gradient some columns, which are put in their places; of the weights' gradient some rows, which stand
//! where they belong.
//!
//! On the way back a block's weights are in the cache for the input's gradient, and there the sink gets the
//! gradient of the same rows: what it does with them at once, such as the optimizer's step, finds them there.

use super::builder::Builder;
use super::operation::{Backward, Forward, Operation, Work, WorkLen};
use super::sink::{GradientBlock, Sink};
use crate::geometry::{Shape, check_floats};
use crate::kernels::conv::ScratchLen;
use crate::kernels::dense::{self, BACKWARD_ROWS, BLOCK_ROWS, PIECE_ROWS, Panels, block, grad_kernel_scratch};
use crate::parameters::{Parameters, TensorId};
use crate::reference;
use crate::spans::{Activity, serial, task};
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
    /// Where its bias stands, `[units]`, if it has one.
    pub bias: Option<TensorId>,
}

impl Dense {
    /// U weighted sums of all that reaches it, with a bias or without.
    ///
    /// # Errors
    /// A sentence, where what reaches it is no vector, or U is 0 or too large.
    pub fn new(builder: &mut Builder, units: usize, use_bias: bool) -> Result<Dense, String> {
        let Shape::Vector(inputs) = builder.input() else {
            let input = builder.input();
            return Err(format!(
                "a dense layer needs a vector, but an image of {input} reaches it; put 'flatten' before it"
            ));
        };
        if units == 0 {
            return Err("0 units; it needs at least 1".into());
        }
        check_floats(&[inputs, units])?;
        let (kernel, bias) = builder.kernel_and_bias(vec![inputs, units], units, use_bias);
        Ok(Dense { inputs, units, kernel, bias })
    }
}

impl Operation for Dense {
    const NAME: &'static str = "dense";

    fn output(&self, _: Shape) -> Shape {
        Shape::Vector(self.units)
    }

    /// I·U.
    fn multiply_adds(&self) -> usize {
        self.inputs * self.units
    }

    fn work_len(&self, batch: usize, training: bool) -> WorkLen {
        let forward = self.inputs.div_ceil(BLOCK_ROWS) * batch * self.units;
        let panels = Panels::len(batch, self.units) + Panels::len(self.units, batch);
        let partials = if training { forward.max(batch * self.inputs + panels) } else { forward };
        let scratch =
            ScratchLen::from_floats(if training { PIECE_ROWS * self.units + grad_kernel_scratch(batch) } else { 0 });
        WorkLen { partials, packed: 0, scratch }
    }

    /// `input` `[N, I]` → `output` `[N, U]`: Y = X·W + bias.
    fn forward(&self, Forward { parameters, input, output, work, .. }: Forward) {
        let (kernel, bias) = (parameters.tensor(self.kernel), self.bias.map(|bias| parameters.tensor(bias)));
        let partials = &mut work.partials[..self.inputs.div_ceil(BLOCK_ROWS) * output.len()];
        partials.par_chunks_exact_mut(output.len()).enumerate().for_each(|(index, partial)| {
            task(Activity::Products, "", || {
                dense::forward(input, self.inputs, block(index, BLOCK_ROWS, self.inputs), kernel, partial);
            });
        });
        serial(Activity::Joining, || {
            for sample in output.chunks_exact_mut(self.units) {
                match bias {
                    Some(bias) => sample.copy_from_slice(bias),
                    None => sample.fill(0.0),
                }
            }
            for partial in partials.chunks_exact(output.len()) {
                for (sum, part) in output.iter_mut().zip(partial) {
                    *sum += part;
                }
            }
        });
    }

    /// `input` `[N, I]` and `grad_output` `[N, U]` → dX = dY·Wᵀ in `grad_input` `[N, I]`, and dW = Xᵀ·dY,
    /// dbias = column sums of dY for the sink.
    fn backward(&self, pass: Backward, sink: &mut impl Sink) {
        let Backward { input, grad_output, grad_input, work: Work { partials, scratch, .. }, .. } = pass;
        let (inputs, units) = (self.inputs, self.units);
        let samples = grad_output.len() / units;
        let (by_sample, partials) = partials.split_at_mut(Panels::len(samples, units));
        let (by_unit, partials) = partials.split_at_mut(Panels::len(units, samples));
        let (by_sample, by_unit) = serial(Activity::Packing, || {
            let by_sample = Panels::pack(samples, units, |sample, unit| grad_output[sample * units + unit], by_sample);
            (by_sample, Panels::pack(units, samples, |unit, sample| grad_output[sample * units + unit], by_unit))
        });

        let partials = &mut partials[..samples * inputs];
        let parts = partials.par_chunks_mut(samples * BACKWARD_ROWS);
        let blocks = sink.blocks(self.kernel, BACKWARD_ROWS * units);
        blocks.zip(parts).enumerate().for_each(|(index, (block, part))| {
            task(Activity::DenseGradients, "", || {
                // A block's part of dX is taken before its weights may change.
                if grad_input.is_some() {
                    dense::grad_input(block.weights(), by_unit, part);
                }
                let first = index * BACKWARD_ROWS;
                scratch.with(|scratch| {
                    let (piece, columns) = scratch.floats.split_at_mut(PIECE_ROWS * units);
                    block.give(PIECE_ROWS * units, piece, |floats, gradient| {
                        let rows = first + floats.start / units..first + floats.end / units;
                        dense::grad_kernel(input, inputs, rows, by_sample, gradient, columns);
                    });
                });
            });
        });
        if let Some(bias) = self.bias {
            serial(Activity::Adding, || {
                sink.whole(bias, |bias| {
                    bias.fill(0.0);
                    for sample in grad_output.chunks_exact(units) {
                        for (sum, g) in bias.iter_mut().zip(sample) {
                            *sum += g;
                        }
                    }
                });
            });
        }
        if let Some(grad_input) = grad_input {
            join_blocks(partials, inputs, grad_input);
        }
    }

    fn twin(&self, parameters: &Parameters) -> reference::Layer {
        reference::Layer::Dense {
            kernel: parameters.wide(self.kernel),
            bias: self.bias.map_or_else(|| vec![0.0; self.units], |bias| parameters.wide(bias)),
        }
    }
}

/// The blocks' parts of dX, each `[N, its columns]`, as `grad_input` `[N, I]`.
fn join_blocks(parts: &[f32], inputs: usize, grad_input: &mut [f32]) {
    let samples = grad_input.len() / inputs;
    grad_input.par_chunks_exact_mut(inputs).enumerate().for_each(|(sample, grad_input)| {
        task(Activity::Joining, "", || {
            for (index, part) in parts.chunks(samples * BACKWARD_ROWS).enumerate() {
                let columns = block(index, BACKWARD_ROWS, inputs);
                let part = &part[sample * columns.len()..][..columns.len()];
                grad_input[columns].copy_from_slice(part);
            }
        });
    });
}

#[cfg(test)]
mod tests;
