//! A convolution layer, and what may run right behind it in the same step of a plan: `Conv2d`, `Conv2d +
//! Relu`, `Conv2d + MaxPool` or `Conv2d + Relu + MaxPool`. Its twin is [`reference::conv2d_forward`], and its
//! followers have theirs.
//!
//! In a network it stands alone, and im2col computes it. A plan makes a [block](Conv2d::block) of it.

mod block;
mod by_parts;
mod passes;

pub use block::Conv2d;

use super::operation::{Backward, Forward, Mode, Operation, Work, WorkLen};
use super::saved::{Saved, SavedLen};
use super::sink::Sink;
use crate::geometry::{ConvGeometry, Shape};
use crate::parameters::Parameters;
use crate::reference;
use passes::Seen;

impl Operation for Conv2d {
    const NAME: &'static str = "conv2d";

    fn output(&self, _: Shape) -> Shape {
        let [height, width] = self.pool.map_or(self.geometry.output, |pool| pool.output);
        Shape::Image([height, width, self.geometry.filters])
    }

    /// P·K·F.
    fn multiply_adds(&self) -> usize {
        self.geometry.multiply_adds()
    }

    fn saves(&self, batch: usize, training: bool) -> SavedLen {
        match self.pool {
            Some(pool) if training => SavedLen::BlockArgmax(batch * pool.output_len()),
            _ => SavedLen::Nothing,
        }
    }

    fn work_len(&self, batch: usize, training: bool) -> WorkLen {
        WorkLen {
            partials: if training { self.partials_len(batch) } else { 0 },
            packed: self.packed_len(training),
            scratch: self.scratch_len(training),
        }
    }

    fn run(&self, batch: usize) -> usize {
        self.images_per_slot(batch)
    }

    /// `input` `[N, H, W, C]` → `output`, and the argmax where a pool runs with it.
    fn forward(&self, Forward { parameters, mode, input, output, saved, work, .. }: Forward) {
        let argmax = match (mode, saved) {
            (Mode::Training(_), Saved::BlockArgmax(argmax)) => &mut argmax[..output.len()],
            _ => &mut [],
        };
        let Work { packed, scratch, .. } = work;
        self.run_forward(parameters, input, output, argmax, packed, scratch);
    }

    fn backward(&self, pass: Backward, sink: &mut impl Sink) {
        let Backward { share, input, output, saved, grad_output, grad_input, work } = pass;
        let argmax = match saved {
            Saved::BlockArgmax(argmax) => &argmax[..output.len()],
            _ => &[],
        };
        self.run_backward(Seen { share, input, output, argmax, grad_output }, grad_input, sink, work);
    }

    fn twin(&self, parameters: &Parameters) -> reference::Layer {
        let ConvGeometry { kernel, stride, dilation, padding, output, filters, .. } = self.geometry;
        reference::Layer::Conv2d {
            shape: reference::ConvShape { kernel, stride, dilation, padding, output, filters },
            kernel: parameters.wide(self.kernel),
            bias: self.bias.map_or_else(|| vec![0.0; filters], |bias| parameters.wide(bias)),
        }
    }
}

#[cfg(test)]
mod tests;
