//! The passes of a convolution, and of what runs right behind it, over a batch.
//!
//! A convolution's output is the largest thing in a network, and ReLU and pooling do next to nothing with it:
//! run one after the other, they wait for memory. So a block computes a band of output rows that fits the
//! second-level cache, and finishes it there: ReLU, then the maximum of each window and its place. What
//! leaves the cache is a quarter of the size.
//!
//! ```text
//! forward    for each image, each band:  convolution ─▶ scratch ─▶ ReLU, maximum ─▶ output, argmax
//! backward   for each image:             grad_output, argmax ─▶ ∂L/∂(convolution's output) ─▶ grad_input, grad_weights
//! ```
//!
//! On the way back the gradient of the convolution's own output is written out for one image at a time, or
//! not at all where the algorithm takes it pooled. ReLU and maximum may change places: both keep the order of
//! numbers. So a block and its layers run singly give the same bits.
//!
//! **In parallel**: forward, bands; backward, images, and where neither pass needs what the other does, each
//! pass of an image by itself. The weights' gradient is a sum over images: it is taken in at most
//! [`MAX_SLOTS`](crate::layers::slots::MAX_SLOTS) partial sums, each over a fixed run of images in order, and
//! these are then added in order. Where they would be too large for a cache,
//! `by_parts.rs` adds up the same sums another way round.

use super::super::operation::Work;
use super::super::scratch::ScratchPool;
use super::super::sink::Sink;
use super::super::slots::{REDUCE_FLOATS, SLOTS_FLOATS, add_slots, most_slots, per_slot};
use super::block::Conv2d;
use crate::geometry::ConvGeometry;
use crate::kernels::conv::{ConvAlgorithm, GradOutput, Pass, Scratch, ScratchLen, WeightParts, Weights};
use crate::kernels::relu_pool::PooledGradient;
use crate::kernels::{elementwise, relu_pool};
use crate::parameters::Parameters;
use crate::spans::{Activity, task};
use rayon::prelude::*;

/// Floats of the convolution's output in one band: 256 KiB, which leave room in the second-level cache for
/// the input rows and the weights. A band is at least as many rows as the algorithm computes at once and the
/// pool needs.
const BAND_FLOATS: usize = 64 * 1024;

/// What the backward pass reads: all that the forward pass saw and left, and the gradient.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    /// `[N, H, W, C]`.
    pub input: &'a [f32],
    /// The block's output.
    pub output: &'a [f32],
    /// The argmax of each window; empty without a pool.
    pub argmax: &'a [u8],
    /// ∂L/∂output.
    pub grad_output: &'a [f32],
}

impl<'a> Seen<'a> {
    /// One image of the input.
    pub fn input_of(&self, geometry: &ConvGeometry, image: usize) -> &'a [f32] {
        part(self.input, image, geometry.input_len())
    }
}

/// What a batch has of one image, if every image has `len` values.
fn part<T>(values: &[T], image: usize, len: usize) -> &[T] {
    &values[image * len..][..len]
}

/// The gradient of a convolution's own output, for one image.
#[derive(Clone, Copy)]
pub(super) struct ImageGradient<'a> {
    /// Of each position; where no pass needs it, it is not written out.
    expanded: GradOutput<'a>,
    /// As it comes through the pool, if one runs with the convolution.
    pooled: Option<GradOutput<'a>>,
}

impl<'a> ImageGradient<'a> {
    /// What an algorithm takes for a pass.
    pub fn for_pass(&self, algorithm: &dyn ConvAlgorithm, pass: Pass) -> GradOutput<'a> {
        match self.pooled {
            Some(pooled) if algorithm.takes_pooled(pass) => pooled,
            _ => self.expanded,
        }
    }
}

impl Conv2d {
    /// Floats of one image's output.
    pub(super) fn output_len(&self) -> usize {
        self.pool.map_or(self.geometry.output_len(), |pool| pool.output_len())
    }

    /// The convolution as forward computes it: without the last rows and columns where no window reaches
    /// them.
    fn live_geometry(&self) -> ConvGeometry {
        let geometry = self.geometry;
        match self.pool {
            Some(pool) => ConvGeometry { output: pool.covered(), ..geometry },
            None => geometry,
        }
    }

    /// Output rows of the convolution in one band: whole windows, and as the algorithm wants them.
    fn band_rows(&self) -> usize {
        let geometry = self.live_geometry();
        let window = self.pool.map_or(1, |pool| pool.window[0]);
        let step = least_common_multiple(self.algorithms.forward.row_step(&geometry), window);
        let row_len = geometry.output[1] * geometry.filters;
        (BAND_FLOATS / row_len / step).max(1) * step
    }

    /// Floats that the passes need for the packed kernel, and for the zeros that stand for no bias.
    pub(super) fn packed_len(&self, training: bool) -> usize {
        let passes = if training { &Pass::ALL[..] } else { &Pass::ALL[..1] };
        let zeros = if self.bias.is_some() { 0 } else { self.geometry.filters };
        let len = |&pass: &Pass| self.algorithms.of(pass).packed_len(&self.geometry_of(pass), pass) + zeros;
        // The way back also needs room to add up the sums.
        let sums = if training { self.sums_len() } else { 0 };
        passes.iter().map(len).max().unwrap_or(0).max(sums)
    }

    /// The convolution as a pass computes it.
    pub(crate) fn geometry_of(&self, pass: Pass) -> ConvGeometry {
        match pass {
            Pass::Forward => self.live_geometry(),
            _ => self.geometry,
        }
    }

    /// The scratch that one thread needs: a pass's own, and before it what the block keeps there.
    pub(super) fn scratch_len(&self, training: bool) -> ScratchLen {
        let of = |pass: Pass| {
            let own = self.algorithms.of(pass).scratch_len(&self.geometry_of(pass), pass, self.pool.as_ref());
            ScratchLen { floats: own.floats + self.kept_len(pass), ..own }
        };
        if !training {
            return of(Pass::Forward);
        }
        // A part's sums, if there are parts.
        let part = self.algorithms.grad_weights.by_parts().map_or(0, |parts| self.part_len(parts));
        let weights = of(Pass::GradWeights);
        let weights = ScratchLen { floats: weights.floats + part, ..weights };
        of(Pass::Forward).max(of(Pass::GradInput)).max(weights)
    }

    /// Floats of scratch that the block itself uses during a pass: a band going forward, an image's gradient
    /// going back. In whole cache lines, so that what lies behind them is aligned.
    fn kept_len(&self, pass: Pass) -> usize {
        let geometry = self.live_geometry();
        let len = match pass {
            Pass::Forward if self.pool.is_some() => {
                self.band_rows().min(geometry.output[0]) * geometry.output[1] * geometry.filters
            }
            Pass::Forward => 0,
            // Both gradients' passes use the same one.
            _ if self.needs_expanded() => self.geometry.output_len(),
            _ => 0,
        };
        len.next_multiple_of(16)
    }

    /// Whether some backward pass needs the gradient of the convolution's own output written out.
    pub(super) fn needs_expanded(&self) -> bool {
        let behind = self.relu || self.pool.is_some();
        let pooled = self.pool.is_some()
            && self.algorithms.grad_input.takes_pooled(Pass::GradInput)
            && self.algorithms.grad_weights.takes_pooled(Pass::GradWeights);
        behind && !pooled
    }

    /// Floats that [`Conv2d::run_backward`] needs for its partial sums in a batch of up to `batch`.
    pub(super) fn partials_len(&self, batch: usize) -> usize {
        let slots_len = most_slots(batch, self.slot_len()) * self.slot_len();
        match self.parts_for(slots_len) {
            // A smaller batch may do with slots.
            Some(parts) => self.by_parts_len(parts, batch).max(SLOTS_FLOATS),
            None => slots_len,
        }
    }

    pub(super) fn slots_len(&self, batch: usize) -> usize {
        batch.div_ceil(self.images_per_slot(batch)) * self.slot_len()
    }

    /// Images whose weights' gradients one slot sums.
    pub(super) fn images_per_slot(&self, batch: usize) -> usize {
        per_slot(batch, self.slot_len())
    }

    /// How the weights' gradient is summed up in parts, if that is the better way: where the slots are larger
    /// than a cache.
    pub(super) fn parts(&self, batch: usize) -> Option<&'static dyn WeightParts> {
        self.parts_for(self.slots_len(batch))
    }

    /// The same where the slots take so many floats.
    fn parts_for(&self, slots_len: usize) -> Option<&'static dyn WeightParts> {
        self.algorithms.grad_weights.by_parts().filter(|_| slots_len > SLOTS_FLOATS)
    }

    /// A slot holds the sums of a kernel's gradient, and a bias's gradient behind them.
    fn slot_len(&self) -> usize {
        self.sums_len() + self.geometry.filters
    }

    pub(super) fn sums_len(&self) -> usize {
        self.algorithms.grad_weights.sums_len(&self.geometry)
    }

    /// `input` `[N, H, W, C]` → `output`. `argmax` takes the argmax of each window for the way back: as many
    /// as `output` has floats, or none. `packed` are [`Conv2d::packed_len`] floats.
    pub(super) fn run_forward(
        &self,
        parameters: &Parameters,
        input: &[f32],
        output: &mut [f32],
        argmax: &mut [u8],
        packed: &mut [f32],
        scratch: &ScratchPool,
    ) {
        let geometry = self.live_geometry();
        let weights = self.pack(Pass::Forward, parameters, packed);
        let band_rows = self.band_rows();
        let band_len = match self.pool {
            Some(pool) => band_rows / pool.window[0] * pool.output[1] * geometry.filters,
            None => band_rows * geometry.output[1] * geometry.filters,
        };
        let run_band = |image: &[f32], band: usize, output: &mut [f32], argmax: &mut [u8]| {
            let first = band * band_rows;
            let rows = first..(first + band_rows).min(geometry.output[0]);
            scratch.with(|Scratch { floats, words }| {
                let (kept, floats) = floats.split_at_mut(self.kept_len(Pass::Forward));
                let scratch = Scratch { floats, words };
                let algorithm = self.algorithms.forward;
                let convolve = |rows, values: &mut [f32]| {
                    task(Activity::Convolution, algorithm.name(), || {
                        algorithm.forward(&geometry, image, weights, rows, values, scratch);
                    });
                };
                let Some(pool) = &self.pool else {
                    convolve(rows, output);
                    if self.relu {
                        task(Activity::Finishing, "", || elementwise::relu_in_place(output));
                    }
                    return;
                };
                let values = &mut kept[..rows.len() * geometry.output[1] * geometry.filters];
                convolve(rows, values);
                task(Activity::Finishing, "", || relu_pool::forward(pool, self.relu, values, output, argmax));
            });
        };
        let images = input.par_chunks_exact(geometry.input_len());
        let outputs = output.par_chunks_exact_mut(self.output_len());
        if argmax.is_empty() {
            outputs.zip(images).for_each(|(output, image)| {
                let bands = output.par_chunks_mut(band_len).enumerate();
                bands.for_each(|(band, output)| run_band(image, band, output, &mut []));
            });
        } else {
            let argmax = argmax.par_chunks_exact_mut(self.output_len());
            outputs.zip(argmax).zip(images).for_each(|((output, argmax), image)| {
                let bands = output.par_chunks_mut(band_len).zip(argmax.par_chunks_mut(band_len)).enumerate();
                bands.for_each(|(band, (output, argmax))| run_band(image, band, output, argmax));
            });
        }
    }

    /// Gives the sink the kernel's and the bias's gradient, and writes ∂L/∂input to `grad_input`, `[N, H, W,
    /// C]`, if that is wanted. The work is in functions that know no sink, so it is compiled once.
    pub(super) fn run_backward(&self, saved: Seen, grad_input: Option<&mut [f32]>, sink: &mut impl Sink, work: Work) {
        match self.parts(saved.input.len() / self.geometry.input_len()) {
            Some(parts) => self.backward_by_parts(parts, saved, grad_input, sink, work),
            None => self.backward_by_slots(saved, grad_input, sink, work),
        }
    }

    /// Sums up the weights' gradient in slots as large as the kernel.
    pub(super) fn backward_by_slots(
        &self,
        saved: Seen,
        grad_input: Option<&mut [f32]>,
        sink: &mut impl Sink,
        Work { partials: slots, packed, scratch }: Work,
    ) {
        let slots = &mut slots[..self.slots_len(saved.input.len() / self.geometry.input_len())];
        let weights = self.pack(Pass::GradInput, sink.parameters(), packed);
        self.fill_slots(saved, grad_input, weights, slots, scratch);
        let sums = &mut packed[..self.sums_len()];
        add_slots(slots, self.slot_len(), 0, sums);
        sink.whole(self.kernel, |kernel| self.unpack_sums(sums, kernel));
        if let Some(bias) = self.bias {
            sink.whole(bias, |bias| add_slots(slots, self.slot_len(), self.sums_len(), bias));
        }
    }

    /// Sums the weights' gradient of the images of each slot in it, and writes ∂L/∂input if that is wanted.
    fn fill_slots(
        &self,
        saved: Seen,
        grad_input: Option<&mut [f32]>,
        weights: Weights,
        slots: &mut [f32],
        scratch: &ScratchPool,
    ) {
        let input_len = self.geometry.input_len();
        let run = self.images_per_slot(saved.input.len() / input_len);
        let sums = slots.par_chunks_exact_mut(self.slot_len()).enumerate();
        match grad_input {
            // What is written out for both is read while it is in the cache.
            Some(grad_input) if self.needs_expanded() => {
                let grad_inputs = grad_input.par_chunks_mut(run * input_len);
                sums.zip(grad_inputs).for_each(|((slot, sums), grad_inputs)| {
                    sums.fill(0.0);
                    for (image, grad_input) in grad_inputs.chunks_exact_mut(input_len).enumerate() {
                        let image = slot * run + image;
                        scratch.with(|scratch| {
                            self.backward_image(saved, image, weights, [Some(sums), Some(grad_input)], scratch);
                        });
                    }
                });
            }
            // Else neither pass needs what the other does: there are twice as many pieces of work.
            Some(grad_input) => {
                let grad_inputs = grad_input.par_chunks_exact_mut(input_len).enumerate();
                let inputs = || {
                    grad_inputs.for_each(|(image, grad_input)| {
                        scratch.with(|scratch| {
                            self.backward_image(saved, image, weights, [None, Some(grad_input)], scratch);
                        });
                    });
                };
                rayon::join(|| self.sum_slots(saved, weights, sums, scratch), inputs);
            }
            None => self.sum_slots(saved, weights, sums, scratch),
        }
    }

    /// Sums the weights' gradient of the images of each slot in it.
    fn sum_slots<'a>(
        &self,
        saved: Seen,
        weights: Weights,
        slots: impl IndexedParallelIterator<Item = (usize, &'a mut [f32])>,
        scratch: &ScratchPool,
    ) {
        let batch = saved.input.len() / self.geometry.input_len();
        let run = self.images_per_slot(batch);
        slots.for_each(|(slot, sums)| {
            sums.fill(0.0);
            for image in slot * run..((slot + 1) * run).min(batch) {
                scratch.with(|scratch| self.backward_image(saved, image, weights, [Some(&mut *sums), None], scratch));
            }
        });
    }

    /// The sums of a kernel's gradient in the kernel's own order.
    pub(super) fn unpack_sums(&self, sums: &[f32], kernel: &mut [f32]) {
        let rows = (REDUCE_FLOATS / self.geometry.filters).max(1);
        kernel.par_chunks_mut(rows * self.geometry.filters).enumerate().for_each(|(chunk, kernel)| {
            task(Activity::Adding, "", || {
                self.algorithms.grad_weights.unpack_sums(&self.geometry, sums, chunk * rows, kernel);
            });
        });
    }

    /// One image of the backward pass: its weights' gradient is added to the first of `wanted`, a slot, and
    /// ∂L/∂input is written to the second.
    fn backward_image(
        &self,
        saved: Seen,
        image: usize,
        weights: Weights,
        [slot, grad_input]: [Option<&mut [f32]>; 2],
        scratch: Scratch,
    ) {
        let geometry = &self.geometry;
        let Scratch { floats, words } = scratch;
        let (kept, floats) = floats.split_at_mut(self.kept_len(Pass::GradInput));
        self.expand(saved, image, kept);
        let gradient = self.image_gradient(saved, image, kept);
        if let Some(slot) = slot {
            let (input, algorithm) = (saved.input_of(geometry, image), self.algorithms.grad_weights);
            let (sums, bias) = slot.split_at_mut(self.sums_len());
            let scratch = Scratch { floats: &mut *floats, words: &mut *words };
            task(Activity::WeightsGradient, algorithm.name(), || {
                let gradient = gradient.for_pass(algorithm, Pass::GradWeights);
                algorithm.grad_weights(geometry, input, gradient, sums, bias, scratch);
            });
        }
        if let Some(grad_input) = grad_input {
            let algorithm = self.algorithms.grad_input;
            let scratch = Scratch { floats, words };
            task(Activity::InputGradient, algorithm.name(), || {
                let gradient = gradient.for_pass(algorithm, Pass::GradInput);
                algorithm.grad_input(geometry, gradient, weights, grad_input, scratch);
            });
        }
    }

    /// Writes the gradient of the convolution's own output for one image to `kept`, where some pass needs
    /// that.
    pub(super) fn expand(&self, saved: Seen, image: usize, kept: &mut [f32]) {
        if !self.needs_expanded() {
            return;
        }
        let kept = &mut kept[..self.geometry.output_len()];
        task(Activity::Expanding, "", || match self.pooled_gradient(saved, image) {
            Some(gradient) => relu_pool::unpool(&gradient, kept),
            None => {
                let len = self.output_len();
                elementwise::relu_backward(part(saved.output, image, len), part(saved.grad_output, image, len), kept);
            }
        });
    }

    /// The gradient of the convolution's own output for one image, of which `kept` is what was
    /// [written](Conv2d::expand).
    pub(super) fn image_gradient<'a>(&self, saved: Seen<'a>, image: usize, kept: &'a [f32]) -> ImageGradient<'a> {
        let expanded = if self.needs_expanded() {
            &kept[..self.geometry.output_len()]
        } else {
            part(saved.grad_output, image, self.output_len())
        };
        let pooled = self.pooled_gradient(saved, image).map(GradOutput::Pooled);
        ImageGradient { expanded: GradOutput::Dense(expanded), pooled }
    }

    fn pooled_gradient<'a>(&self, saved: Seen<'a>, image: usize) -> Option<PooledGradient<'a>> {
        let len = self.output_len();
        self.pool.map(|pool| PooledGradient {
            pool,
            values: part(saved.grad_output, image, len),
            argmax: part(saved.argmax, image, len),
        })
    }

    /// The weights, packed for a pass. A convolution without a bias has one of zeros.
    pub(super) fn pack<'a>(&self, pass: Pass, parameters: &'a Parameters, packed: &'a mut [f32]) -> Weights<'a> {
        let (algorithm, geometry) = (self.algorithms.of(pass), self.geometry_of(pass));
        let kernel = parameters.tensor(self.kernel);
        let (packed, rest) = packed.split_at_mut(algorithm.packed_len(&geometry, pass));
        let bias = match self.bias {
            Some(bias) => parameters.tensor(bias),
            None => {
                let zeros = &mut rest[..geometry.filters];
                zeros.fill(0.0);
                zeros
            }
        };
        let part_len = packed.len() / algorithm.packed_parts(&geometry, pass);
        if part_len > 0 {
            packed.par_chunks_exact_mut(part_len).enumerate().for_each(|(part, packed)| {
                task(Activity::Packing, algorithm.name(), || {
                    algorithm.pack_part(&geometry, pass, part, kernel, packed);
                });
            });
        }
        Weights { kernel, packed, bias }
    }
}

fn least_common_multiple(a: usize, b: usize) -> usize {
    (1..).map(|times| times * a).find(|multiple| multiple.is_multiple_of(b)).unwrap_or(a * b)
}
