//! Convolution over a batch: images run in parallel, each by one thread.
//!
//! Forward and the input's gradient write one image of their result each. The weights' gradient is a sum over images: it is
//! taken in at most [`MAX_SLOTS`] partial sums, each over a fixed run of images in order, and these are then added in order.

use super::scratch::Scratch;
use crate::kernels::conv::ConvAlgorithm;
use crate::kernels::geometry::ConvGeometry;
use crate::parameters::{Parameters, TensorId};
use rayon::prelude::*;

/// The most partial sums of a weight gradient. It bounds both the memory for them and how many threads can help.
pub const MAX_SLOTS: usize = 16;

/// Parameters that one thread adds up over the slots in one piece of work: 16 KiB of each slot.
const REDUCE_FLOATS: usize = 4096;

/// A convolution layer.
#[derive(Clone, Debug)]
pub struct Conv2d {
    /// Its sizes.
    pub geometry: ConvGeometry,
    /// Where its kernel stands, `[kernel height, kernel width, C, F]`.
    pub kernel: TensorId,
    /// Where its bias stands, `[F]`.
    pub bias: TensorId,
}

impl Conv2d {
    /// Floats that [`Conv2d::grad_weights`] needs for its partial sums in a batch of `batch`.
    pub fn slots_len(&self, batch: usize) -> usize {
        batch.min(MAX_SLOTS) * self.slot_len()
    }

    /// A slot holds a kernel's gradient and a bias's behind it.
    fn slot_len(&self) -> usize {
        self.geometry.kernel_len() + self.geometry.filters
    }

    /// `input` `[N, H, W, C]` → `output` `[N, P, F]`.
    pub fn forward(
        &self,
        algorithm: &dyn ConvAlgorithm,
        parameters: &Parameters,
        input: &[f32],
        output: &mut [f32],
        scratch: &Scratch,
    ) {
        let (kernel, bias) = (parameters.tensor(self.kernel), parameters.tensor(self.bias));
        let images = input.par_chunks_exact(self.geometry.input_len());
        output.par_chunks_exact_mut(self.geometry.output_len()).zip(images).for_each(|(output, image)| {
            scratch.with(|scratch| algorithm.forward(&self.geometry, image, kernel, bias, output, scratch));
        });
    }

    /// `grad_output` `[N, P, F]` → `grad_input` `[N, H, W, C]`.
    pub fn grad_input(
        &self,
        algorithm: &dyn ConvAlgorithm,
        parameters: &Parameters,
        grad_output: &[f32],
        grad_input: &mut [f32],
        scratch: &Scratch,
    ) {
        let kernel = parameters.tensor(self.kernel);
        let grad_outputs = grad_output.par_chunks_exact(self.geometry.output_len());
        grad_input.par_chunks_exact_mut(self.geometry.input_len()).zip(grad_outputs).for_each(
            |(grad_input, grad_output)| {
                scratch.with(|scratch| {
                    algorithm.grad_input(&self.geometry, grad_output, kernel, grad_input, scratch);
                });
            },
        );
    }

    /// Writes the kernel's and the bias's part of `gradients`. `slots` are [`Conv2d::slots_len`] floats of scratch.
    pub fn grad_weights(
        &self,
        algorithm: &dyn ConvAlgorithm,
        input: &[f32],
        grad_output: &[f32],
        gradients: &mut Parameters,
        slots: &mut [f32],
        scratch: &Scratch,
    ) {
        let (input_len, output_len) = (self.geometry.input_len(), self.geometry.output_len());
        let batch = input.len() / input_len;
        let slot_count = batch.min(MAX_SLOTS);
        let slots = &mut slots[..slot_count * self.slot_len()];
        slots.par_chunks_exact_mut(self.slot_len()).enumerate().for_each(|(slot, sums)| {
            sums.fill(0.0);
            let (kernel, bias) = sums.split_at_mut(self.geometry.kernel_len());
            for image in slot * batch / slot_count..(slot + 1) * batch / slot_count {
                let input = &input[image * input_len..][..input_len];
                let grad_output = &grad_output[image * output_len..][..output_len];
                scratch.with(|scratch| {
                    algorithm.grad_weights(&self.geometry, input, grad_output, kernel, bias, scratch);
                });
            }
        });
        let (kernel, bias) = gradients.kernel_and_bias_mut(self.kernel, self.bias);
        add_slots(slots, self.slot_len(), 0, kernel);
        add_slots(slots, self.slot_len(), self.geometry.kernel_len(), bias);
    }
}

/// `sums[i] = Σ over slots, in order, of slots[slot·slot_len + offset + i]`.
fn add_slots(slots: &[f32], slot_len: usize, offset: usize, sums: &mut [f32]) {
    sums.par_chunks_mut(REDUCE_FLOATS).enumerate().for_each(|(chunk, sums)| {
        sums.fill(0.0);
        for slot in slots.chunks_exact(slot_len) {
            let part = &slot[offset + chunk * REDUCE_FLOATS..][..sums.len()];
            for (sum, g) in sums.iter_mut().zip(part) {
                *sum += g;
            }
        }
    });
}
