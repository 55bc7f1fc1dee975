//! A dense layer over a batch: blocks of weight rows run in parallel. Its twin is
//! [`reference::dense_forward`].
//!
//! Each block yields a part of the result: of the output a summand, which are added in order; of the input's
//! gradient some columns, which are put in their places; of the weights' gradient some rows, which stand
//! where they belong.
//!
//! On the way back a block's weights are in the cache for the input's gradient, and there the sink gets the
//! gradient of the same rows: what it does with them at once, such as the optimizer's step, finds them there.

mod by_rows;

use super::builder::Builder;
use super::operation::{Backward, Forward, Operation, Work, WorkLen};
use super::saved::{Saved, SavedLen};
use super::sink::{GradientBlock, Sink};
use crate::geometry::{Shape, check_floats};
use crate::kernels::conv::ScratchLen;
use crate::kernels::dense::{self, BACKWARD_ROWS, BLOCK_ROWS, PIECE_ROWS, Panels, block, grad_kernel_scratch};
use crate::parameters::{Parameters, TensorId};
use crate::reference;
use crate::spans::{Activity, serial, task};
use rayon::prelude::*;
use std::ops::Range;

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
    /// How many ranks share the kernel's rows; 0 where each has all of them.
    pub owners: usize,
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
        Ok(Dense { inputs, units, kernel, bias, owners: 0 })
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

    fn saves(&self, batch: usize, training: bool) -> SavedLen {
        match self.owners {
            owners if owners > 1 && training => SavedLen::Columns(batch * self.most_rows(owners)),
            _ => SavedLen::Nothing,
        }
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
    fn forward(&self, pass: Forward) {
        let Forward { share, parameters, input, output, saved, work, .. } = pass;
        if let (Some(peers), Saved::Columns(columns)) = (share.peers(), saved) {
            self.forward_by_rows(peers, parameters, input, columns, output, work);
            return;
        }
        if output.is_empty() {
            return;
        }
        let kernel = parameters.tensor(self.kernel);
        let partials = &mut work.partials[..self.inputs.div_ceil(BLOCK_ROWS) * output.len()];
        partials.par_chunks_exact_mut(output.len()).enumerate().for_each(|(index, partial)| {
            task(Activity::Products, "", || {
                dense::forward(input, self.inputs, block(index, BLOCK_ROWS, self.inputs), kernel, partial);
            });
        });
        self.join_partials(parameters, partials.chunks_exact(output.len()), output);
    }

    /// `input` `[N, I]` and `grad_output` `[N, U]` → dX = dY·Wᵀ in `grad_input` `[N, I]`, and dW = Xᵀ·dY,
    /// dbias = column sums of dY for the sink.
    fn backward(&self, pass: Backward, sink: &mut impl Sink) {
        let Backward { share, input, saved, grad_output, grad_input, work, .. } = pass;
        if let (Some(peers), Saved::Columns(columns)) = (share.peers(), saved) {
            self.backward_by_rows(peers, columns, grad_output, grad_input, sink, work);
            return;
        }
        // Weights' gradients are sums over the whole batch.
        let others = share.peers().map(|peers| peers.gather_both([input, grad_output], [self.inputs, self.units]));
        let (whole_input, whole_grad) = match &others {
            None => (input, grad_output),
            Some([input, grad_output]) => (&input[..], &grad_output[..]),
        };
        let wanted = if grad_input.is_some() { grad_output } else { &[] };
        let back = RowsBack { rows: 0..self.inputs, input: whole_input, grad_output: whole_grad, wanted };
        let parts = self.rows_back(back, sink, work);
        self.bias_back(whole_grad, sink);
        if let Some(grad_input) = grad_input {
            join_blocks(parts, self.inputs, grad_input);
        }
    }

    fn twin(&self, parameters: &Parameters) -> reference::Layer {
        reference::Layer::Dense {
            kernel: parameters.wide(self.kernel),
            bias: self.bias.map_or_else(|| vec![0.0; self.units], |bias| parameters.wide(bias)),
        }
    }
}

/// The way back through some rows of the kernel.
struct RowsBack<'a> {
    rows: Range<usize>,
    /// The columns of X that belong to them, `[N, rows]`, of the whole batch.
    input: &'a [f32],
    /// dY `[N, U]` of the whole batch.
    grad_output: &'a [f32],
    /// dY of the samples whose dX is wanted.
    wanted: &'a [f32],
}

impl Dense {
    /// Gives the sink the gradient of some rows of the kernel, and returns, block by block, the columns of dX
    /// that belong to them, for the samples that are wanted.
    fn rows_back<'a>(&self, back: RowsBack, sink: &mut impl Sink, work: Work<'a>) -> &'a [f32] {
        let RowsBack { rows, input, grad_output, wanted } = back;
        let Work { partials, scratch, .. } = work;
        let (units, width) = (self.units, rows.len());
        let (samples, wanted_samples) = (grad_output.len() / units, wanted.len() / units);
        let (by_sample, partials) = partials.split_at_mut(Panels::len(samples, units));
        let (by_unit, partials) = partials.split_at_mut(Panels::len(units, wanted_samples));
        let (by_sample, by_unit) = serial(Activity::Packing, || {
            let by_sample = Panels::pack(samples, units, |sample, unit| grad_output[sample * units + unit], by_sample);
            (by_sample, Panels::pack(units, wanted_samples, |unit, sample| wanted[sample * units + unit], by_unit))
        });
        // A piece for each block, even if no sample is wanted.
        let partials = &mut partials[..wanted_samples.max(1) * width];
        let parts = partials.par_chunks_mut(wanted_samples.max(1) * BACKWARD_ROWS);
        let blocks = sink.blocks(self.kernel, rows.start * units..rows.end * units, BACKWARD_ROWS * units);
        blocks.zip(parts).enumerate().for_each(|(index, (block, part))| {
            task(Activity::DenseGradients, "", || {
                // A block's part of dX is taken before its weights may change.
                if wanted_samples > 0 {
                    dense::grad_input(block.weights(), by_unit, part);
                }
                let first = index * BACKWARD_ROWS;
                scratch.with(|scratch| {
                    let (piece, columns) = scratch.floats.split_at_mut(PIECE_ROWS * units);
                    block.give(PIECE_ROWS * units, piece, |floats, gradient| {
                        let rows = first + floats.start / units..first + floats.end / units;
                        dense::grad_kernel(input, width, rows, by_sample, gradient, columns);
                    });
                });
            });
        });
        &partials[..wanted_samples * width]
    }

    /// Gives the sink the bias's gradient, the column sums of dY.
    fn bias_back(&self, grad_output: &[f32], sink: &mut impl Sink) {
        let Some(bias) = self.bias else { return };
        serial(Activity::Adding, || {
            sink.whole(bias, |bias| {
                bias.fill(0.0);
                for sample in grad_output.chunks_exact(self.units) {
                    for (sum, g) in bias.iter_mut().zip(sample) {
                        *sum += g;
                    }
                }
            });
        });
    }

    /// Writes the output of `partials`, each `[N, U]`: their sum in order, and the bias.
    fn join_partials<'a>(
        &self,
        parameters: &Parameters,
        partials: impl Iterator<Item = &'a [f32]>,
        output: &mut [f32],
    ) {
        serial(Activity::Joining, || {
            for sample in output.chunks_exact_mut(self.units) {
                match self.bias {
                    Some(bias) => sample.copy_from_slice(parameters.tensor(bias)),
                    None => sample.fill(0.0),
                }
            }
            for partial in partials {
                for (sum, part) in output.iter_mut().zip(partial) {
                    *sum += part;
                }
            }
        });
    }
}

/// The blocks' parts of dX, each `[N, its columns]`, as `grad_input` `[N, I]`.
fn join_blocks(parts: &[f32], inputs: usize, grad_input: &mut [f32]) {
    let samples = grad_input.len() / inputs.max(1);
    grad_input.par_chunks_exact_mut(inputs.max(1)).enumerate().for_each(|(sample, grad_input)| {
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
