//! The backward pass of a convolution with a large kernel: its gradient is summed up part by part.
//!
//! A slot of partial sums is as large as the kernel, and there are up to
//! [`LARGE_SLOTS`](crate::layers::slots::LARGE_SLOTS) of them: for 5×5 cells of 64 channels and 128 filters
//! 13 MB, which are cleared, added to and added up again in every step. Here a thread takes a part of the
//! kernel, and all images for it, so that one slot's part lives in the first-level cache at a time:
//!
//! ```text
//! first    for each image:   the gradient, ReLU and pool undone; the input in its frame; ∂L/∂input
//! then     for each part:    for each slot: its images' sums, added to those of the slots before
//! ```
//!
//! Every sum meets the same terms in the same order as by slots, so it has the same bits.

use super::super::operation::Work;
use super::super::scratch::ScratchPool;
use super::super::sink::Sink;
use super::block::Conv2d;
use super::passes::Seen;
use crate::kernels::conv::{Pass, Scratch, WeightParts, Weights};
use crate::kernels::elementwise::add;
use crate::kernels::simd::vectorized;
use crate::spans::{Activity, task};
use rayon::prelude::*;

impl Conv2d {
    /// Floats of one part of the sums.
    pub(super) fn part_len(&self, parts: &dyn WeightParts) -> usize {
        self.sums_len() / parts.parts(&self.geometry)
    }

    /// Floats that an image is kept in for all parts: its gradient first, and all of them. At least one, so
    /// that there is a piece of memory for each image.
    fn image_len(&self, parts: &dyn WeightParts) -> (usize, usize) {
        let gradient = if self.needs_expanded() { self.geometry.output_len() } else { 0 };
        (gradient, (gradient + parts.prepared_len(&self.geometry)).max(1))
    }

    /// Floats that [`Conv2d::backward_by_parts`] needs in a batch of `batch`: those of the images, and a bias
    /// for each part and what is added to it.
    pub(super) fn by_parts_len(&self, parts: &dyn WeightParts, batch: usize) -> usize {
        let (_, image_len) = self.image_len(parts);
        batch * image_len + 2 * parts.parts(&self.geometry) * self.geometry.filters
    }

    /// The same as [`Conv2d::run_backward`].
    pub(super) fn backward_by_parts(
        &self,
        parts: &dyn WeightParts,
        saved: Seen,
        grad_input: Option<&mut [f32]>,
        sink: &mut impl Sink,
        Work { partials, packed, scratch }: Work,
    ) {
        let batch = saved.share.count();
        let (images, biases) = partials.split_at_mut(batch * self.image_len(parts).1);
        let biases = &mut biases[..2 * parts.parts(&self.geometry) * self.geometry.filters];
        let weights = self.pack(Pass::GradInput, sink.parameters(), packed);
        self.prepare_images(parts, saved, grad_input, weights, images, scratch);
        let sums = &mut packed[..self.sums_len()];
        self.sum_parts(parts, saved, images, sums, biases, scratch);
        sink.whole(self.kernel, |kernel| self.unpack_sums(sums, kernel));
        if let Some(bias) = self.bias {
            sink.whole(bias, |bias| {
                bias.fill(0.0);
                biases.chunks_exact(2 * bias.len()).for_each(|part| add(&part[..bias.len()], bias));
            });
        }
    }

    /// Undoes ReLU and pool for each image, frames its input, and writes ∂L/∂input if that is wanted.
    fn prepare_images(
        &self,
        parts: &dyn WeightParts,
        saved: Seen,
        grad_input: Option<&mut [f32]>,
        weights: Weights,
        images: &mut [f32],
        scratch: &ScratchPool,
    ) {
        let geometry = &self.geometry;
        let (gradient_len, image_len) = self.image_len(parts);
        let prepare = |image: usize, memory: &mut [f32], grad_input: Option<&mut [f32]>| {
            let (kept, framed) = memory.split_at_mut(gradient_len);
            self.expand(saved, image, kept);
            task(Activity::Framing, "", || {
                parts.prepare(geometry, saved.input_of(geometry, image), &mut framed[..parts.prepared_len(geometry)]);
            });
            if let Some(grad_input) = grad_input {
                let algorithm = self.algorithms.grad_input;
                let gradient = self.image_gradient(saved, image, kept).for_pass(algorithm, Pass::GradInput);
                task(Activity::InputGradient, algorithm.name(), || {
                    scratch.with(|scratch| algorithm.grad_input(geometry, gradient, weights, grad_input, scratch));
                });
            }
        };
        let images = images.par_chunks_exact_mut(image_len).enumerate();
        match grad_input {
            Some(grad_input) => {
                let grad_inputs = grad_input.par_chunks_exact_mut(geometry.input_len());
                images.zip(grad_inputs).for_each(|((image, memory), grad_input)| {
                    prepare(image, memory, Some(grad_input));
                });
            }
            None => images.for_each(|(image, memory)| prepare(image, memory, None)),
        }
    }

    /// Sums up each part of the weights' gradient, and its part of the bias's, over the slots in order.
    fn sum_parts(
        &self,
        parts: &dyn WeightParts,
        saved: Seen,
        images: &[f32],
        sums: &mut [f32],
        biases: &mut [f32],
        scratch: &ScratchPool,
    ) {
        let geometry = &self.geometry;
        let (gradient_len, image_len) = self.image_len(parts);
        let batch = saved.share.count();
        let (part_len, run) = (self.part_len(parts), self.images_per_slot(batch));
        let sums = sums.par_chunks_exact_mut(part_len).zip(biases.par_chunks_exact_mut(2 * geometry.filters));
        sums.enumerate().for_each(|(part, (total, biases))| {
            let sum = |Scratch { floats, words }: Scratch| {
                let (slot, floats) = floats.split_at_mut(part_len);
                let (total_bias, slot_bias) = biases.split_at_mut(geometry.filters);
                total.fill(0.0);
                total_bias.fill(0.0);
                for first in (0..batch).step_by(run) {
                    slot.fill(0.0);
                    slot_bias.fill(0.0);
                    for image in first..(first + run).min(batch) {
                        let (kept, framed) = images[image * image_len..][..image_len].split_at(gradient_len);
                        let gradient = self.image_gradient(saved, image, kept);
                        let gradient = gradient.for_pass(self.algorithms.grad_weights, Pass::GradWeights);
                        let framed = match parts.prepared_len(geometry) {
                            0 => saved.input_of(geometry, image),
                            len => &framed[..len],
                        };
                        let scratch = Scratch { floats: &mut *floats, words: &mut *words };
                        parts.add(geometry, part, framed, gradient, slot, slot_bias, scratch);
                    }
                    vectorized(|| add(slot, total));
                    add(slot_bias, total_bias);
                }
            };
            task(Activity::WeightsGradient, self.algorithms.grad_weights.name(), || scratch.with(sum));
        });
    }
}
