//! A depthwise convolution over a batch: going forward, output rows run in parallel; going back, runs of
//! images, whose sums of the weights' gradient are then added in order. Its twin is
//! [`reference::depthwise_conv2d_forward`].

use super::builder::Builder;
use super::operation::{Backward, Forward, Operation, Work, WorkLen};
use super::scratch::ScratchPool;
use super::sink::Sink;
use super::slots::{add_slots, most_slots, per_slot, slots_of_all};
use crate::distributed::Share;
use crate::geometry::{DepthwiseGeometry, Shape, Sliding, check_floats};
use crate::kernels::conv::{Scratch, ScratchLen};
use crate::kernels::depthwise;
use crate::parameters::{Parameters, TensorId};
use crate::reference;
use crate::spans::{Activity, task};
use rayon::prelude::*;

/// A depthwise convolution layer.
#[derive(Clone, Debug)]
pub struct DepthwiseConv2d {
    /// Its sizes.
    pub geometry: DepthwiseGeometry,
    /// The number of its kernel, `[kernel height, kernel width, C, M]`.
    pub kernel: TensorId,
    /// The number of its bias, `[C·M]`, if it has one.
    pub bias: Option<TensorId>,
}

impl DepthwiseConv2d {
    /// A depthwise convolution of `multiplier` filters for each channel, with a bias or without.
    ///
    /// # Errors
    /// A sentence, where what reaches it is no image, the kernel does not fit, or a tensor would be too
    /// large.
    pub fn new(
        builder: &mut Builder,
        kernel: Sliding,
        multiplier: usize,
        use_bias: bool,
    ) -> Result<DepthwiseConv2d, String> {
        let input = builder.image("a depthwise convolution")?;
        for size in [kernel.size, kernel.stride, kernel.dilation, [multiplier, multiplier]].concat() {
            check_floats(&[size])?;
        }
        let geometry = DepthwiseGeometry::new(input, kernel, multiplier)?;
        let shape = vec![geometry.kernel[0], geometry.kernel[1], input[2], multiplier];
        check_floats(&shape)?;
        check_floats(&[geometry.output[0], geometry.output[1], geometry.channels()])?;
        let (kernel, bias) = builder.kernel_and_bias(shape, geometry.channels(), use_bias);
        Ok(DepthwiseConv2d { geometry, kernel, bias })
    }

    /// Floats of a slot: the sums of a kernel's gradient, and of a bias's behind them.
    fn slot_len(&self) -> usize {
        self.geometry.kernel_len() + self.geometry.channels()
    }

    /// Floats of all slots of a share.
    fn slots_len(&self, share: Share) -> usize {
        share.count().div_ceil(self.run(share.whole())) * self.slot_len()
    }
}

impl Operation for DepthwiseConv2d {
    const NAME: &'static str = "depthwise_conv2d";

    fn output(&self, _: Shape) -> Shape {
        self.geometry.output_shape()
    }

    /// P · kernel height · kernel width · C·M.
    fn multiply_adds(&self) -> usize {
        self.geometry.multiply_adds()
    }

    fn work_len(&self, batch: usize, training: bool) -> WorkLen {
        let (partials, scratch) = match training {
            true => (most_slots(batch, self.slot_len()) * self.slot_len(), self.geometry.channels()),
            false => (0, 0),
        };
        // The zeros that stand for no bias.
        let packed = if self.bias.is_some() { 0 } else { self.geometry.channels() };
        WorkLen { partials, packed, scratch: ScratchLen::from_floats(scratch) }
    }

    fn run(&self, batch: usize) -> usize {
        per_slot(batch, self.slot_len())
    }

    /// `input` `[N, H, W, C]` → `output` `[N, output height, output width, C·M]`.
    fn forward(&self, Forward { parameters, input, output, work, .. }: Forward) {
        let geometry = &self.geometry;
        let kernel = parameters.tensor(self.kernel);
        let bias = match self.bias {
            Some(bias) => parameters.tensor(bias),
            None => {
                let zeros = &mut work.packed[..geometry.channels()];
                zeros.fill(0.0);
                zeros
            }
        };
        let rows = output.par_chunks_exact_mut(geometry.output[1] * geometry.channels()).enumerate();
        rows.for_each(|(row, output)| {
            let (image, y) = (row / geometry.output[0], row % geometry.output[0]);
            let image = &input[image * geometry.input_len()..][..geometry.input_len()];
            task(Activity::Depthwise, "", || depthwise::forward_row(geometry, image, kernel, bias, y, output));
        });
    }

    fn backward(&self, pass: Backward, sink: &mut impl Sink) {
        let Backward { share, input, grad_output, grad_input, work: Work { partials, scratch, .. }, .. } = pass;
        let slots = &mut partials[..self.slots_len(share)];
        let run = self.run(share.whole());
        self.fill_slots(run, [input, grad_output], slots, scratch);
        let slots = &*slots_of_all(share, slots, self.slot_len(), run);
        if let Some(grad_input) = grad_input {
            self.grad_input(sink.parameters(), grad_output, grad_input);
        }
        sink.whole(self.kernel, |kernel| add_slots(slots, self.slot_len(), 0, kernel));
        if let Some(bias) = self.bias {
            sink.whole(bias, |bias| add_slots(slots, self.slot_len(), self.geometry.kernel_len(), bias));
        }
    }

    fn twin(&self, parameters: &Parameters) -> reference::Layer {
        let DepthwiseGeometry { kernel, stride, dilation, padding, output, .. } = self.geometry;
        reference::Layer::DepthwiseConv2d {
            shape: reference::ConvShape {
                kernel,
                stride,
                dilation,
                padding,
                output,
                filters: self.geometry.channels(),
            },
            kernel: parameters.wide(self.kernel),
            bias: self.bias.map_or_else(|| vec![0.0; self.geometry.channels()], |bias| parameters.wide(bias)),
        }
    }
}

// These know no sink, and so are compiled once.
impl DepthwiseConv2d {
    /// Sums the weights' gradient of the images of each slot, a run of `run`, in it.
    fn fill_slots(&self, run: usize, [input, grad_output]: [&[f32]; 2], slots: &mut [f32], scratch: &ScratchPool) {
        let (input_len, output_len) = (self.geometry.input_len(), self.geometry.output_len());
        let inputs = input.par_chunks(run * input_len).zip(grad_output.par_chunks(run * output_len));
        slots.par_chunks_exact_mut(self.slot_len()).zip(inputs).for_each(|(slot, (inputs, grad_outputs))| {
            slot.fill(0.0);
            let (sums, grad_bias) = slot.split_at_mut(self.geometry.kernel_len());
            let images = inputs.chunks_exact(input_len).zip(grad_outputs.chunks_exact(output_len));
            let sum = |scratch: Scratch| {
                let row_sums = &mut scratch.floats[..self.geometry.channels()];
                for (image, grad_output) in images {
                    depthwise::grad_weights(&self.geometry, image, grad_output, sums, grad_bias, row_sums);
                }
            };
            task(Activity::DepthwiseGradients, "", || scratch.with(sum));
        });
    }

    /// Writes ∂L/∂input, images in parallel.
    fn grad_input(&self, parameters: &Parameters, grad_output: &[f32], grad_input: &mut [f32]) {
        let kernel = parameters.tensor(self.kernel);
        let images = grad_input.par_chunks_exact_mut(self.geometry.input_len());
        images.zip(grad_output.par_chunks_exact(self.geometry.output_len())).for_each(|(grad_input, grad_output)| {
            task(Activity::DepthwiseGradients, "", || {
                depthwise::grad_input(&self.geometry, grad_output, kernel, grad_input);
            });
        });
    }
}
