//! The three passes of a convolution over a batch, by each algorithm, timed in turn.
//!
//! As the layers do it, the images are spread over the pool's threads, the kernel is packed once for all of
//! them, and the weights' gradient goes to at most [`MAX_SLOTS`] partial sums; adding these up, which is the
//! same for all algorithms, is not timed.
//!
//! Beside the algorithms stands `matrixmultiply` alone: the product that im2col comes down to, with the
//! matrix of patches at hand. It computes nothing of use, and is what im2col would reach if writing out the
//! patches took no time.

use super::Milliseconds;
use crate::geometry::{ConvGeometry, Padding, PoolGeometry};
use crate::kernels::conv::{ConvAlgorithm, GradOutput, Pass, Scratch, ScratchLen, Weights};
use crate::kernels::gemm::{Beta, Matrix, gemm};
use crate::kernels::relu_pool::{DEAD, PooledGradient};
use crate::layers::scratch::ScratchPool;
use crate::layers::slots::{MAX_SLOTS, per_slot};
use crate::parameters::AlignedBuffer;
use crate::random::{Purpose, Stream};
use rayon::prelude::*;
use std::time::{Duration, Instant};

/// The code that computes a pass.
#[derive(Clone, Copy, Debug)]
pub enum Worker {
    /// A convolution algorithm.
    Algorithm(&'static dyn ConvAlgorithm),
    /// The matrix product alone.
    Product,
}

impl Worker {
    /// Returns the name that users know.
    pub fn name(self) -> &'static str {
        match self {
            Worker::Algorithm(algorithm) => algorithm.name(),
            Worker::Product => "matrixmultiply",
        }
    }
}

/// A pass, and what computes it.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The pass.
    pub pass: Pass,
    /// The code that computes it.
    pub worker: Worker,
    /// True if the gradient of the output is given as it comes back through a 2×2 max-pool, half of whose
    /// windows are [`DEAD`].
    pub pooled: bool,
}

impl Case {
    /// Returns all cases of these algorithms for a convolution, pass by pass, and behind each pass the
    /// product alone if `product`.
    pub fn all(
        geometry: &ConvGeometry,
        passes: &[Pass],
        algorithms: &[&'static dyn ConvAlgorithm],
        product: bool,
    ) -> Vec<Case> {
        let mut cases = Vec::new();
        for &pass in passes {
            for &algorithm in algorithms.iter().filter(|algorithm| algorithm.supports(geometry, pass)) {
                let case = Case { pass, worker: Worker::Algorithm(algorithm), pooled: false };
                cases.push(case);
                if pass != Pass::Forward && algorithm.takes_pooled(pass) && pool_behind(geometry).is_some() {
                    cases.push(Case { pooled: true, ..case });
                }
            }
            if product {
                cases.push(Case { pass, worker: Worker::Product, pooled: false });
            }
        }
        cases
    }
}

/// Returns the 2×2 max-pool behind a convolution, if its output has room for one.
fn pool_behind(geometry: &ConvGeometry) -> Option<PoolGeometry> {
    let [height, width] = geometry.output;
    PoolGeometry::new([height, width, geometry.filters], [2, 2], [2, 2], Padding::Valid).ok()
}

/// Floats of the patches that the product alone reads: 64 MiB. Of a larger matrix it takes the first rows
/// again and again.
const MAX_PATCH_FLOATS: usize = 16 << 20;

/// The numbers that a convolution works on, drawn at random.
#[derive(Clone)]
pub struct ConvData {
    /// The sizes of one image's convolution.
    pub geometry: ConvGeometry,
    /// N.
    pub batch: usize,
    /// `[N, H, W, C]`.
    pub input: AlignedBuffer,
    /// `[K, F]`.
    pub kernel: AlignedBuffer,
    /// `[F]`.
    pub bias: AlignedBuffer,
    /// ∂L/∂output, `[N, P, F]`. Its mean is not 0, so that sums over positions do not cancel.
    pub grad_output: AlignedBuffer,
    /// The pool behind, ∂L/∂(its output) and the maxima's places, both `[N, output height, output width, F]`.
    pub pooled: Option<(PoolGeometry, AlignedBuffer, Vec<u8>)>,
    /// Patches for the product alone, `[some rows, K]`, the same for every image.
    patches: AlignedBuffer,
}

impl ConvData {
    /// Draws a batch.
    pub fn draw(geometry: ConvGeometry, batch: usize) -> ConvData {
        let stream = |index| Stream::new(0, Purpose::Bench, 0, index);
        let values = |index, len: usize, mean: f32| {
            let mut stream = stream(index);
            let mut values = AlignedBuffer::zeros(len);
            values.fill_with(|| stream.unit_f32() - 0.5 + mean);
            values
        };
        let pooled = pool_behind(&geometry).map(|pool| {
            let len = batch * pool.output_len();
            let mut places = stream(5);
            // One of 4 places, or as often none.
            let place = |number: u32| if number < 4 { number as u8 } else { DEAD };
            (pool, values(4, len, 0.25), (0..len).map(|_| place(places.below(8))).collect())
        });
        let k = geometry.patch_len();
        ConvData {
            geometry,
            batch,
            input: values(0, batch * geometry.input_len(), 0.0),
            kernel: values(1, geometry.kernel_len(), 0.0),
            bias: values(2, geometry.filters, 0.0),
            grad_output: values(3, batch * geometry.output_len(), 0.25),
            pooled,
            patches: values(6, (MAX_PATCH_FLOATS / k).clamp(1, geometry.positions()) * k, 0.0),
        }
    }

    /// Returns the bytes that [`ConvData::draw`] and [`Buffers::new`] will take for a convolution, not
    /// counting scratch.
    pub fn bytes(geometry: &ConvGeometry, batch: usize) -> usize {
        let (input, output) = (geometry.input_len(), geometry.output_len());
        let images = batch.saturating_mul(input.saturating_mul(2).saturating_add(output.saturating_mul(3)));
        let kernels = geometry.kernel_len().saturating_mul(batch.min(MAX_SLOTS) + 2);
        images.saturating_add(kernels).saturating_add(MAX_PATCH_FLOATS).saturating_mul(4)
    }

    /// Returns the bytes that a case must at least move: all it reads and all it writes, once.
    pub fn least_bytes(&self, case: &Case) -> usize {
        let floats = |output: usize| self.input.len() + self.kernel.len() + output;
        match &self.pooled {
            Some((_, values, places)) if case.pooled => 4 * floats(values.len()) + places.len(),
            _ => 4 * floats(self.grad_output.len()),
        }
    }

    /// Returns ∂L/∂output of an image.
    fn gradient(&self, image: usize, pooled: bool) -> GradOutput<'_> {
        match &self.pooled {
            Some((pool, values, places)) if pooled => {
                let part = image * pool.output_len()..(image + 1) * pool.output_len();
                GradOutput::Pooled(PooledGradient { pool: *pool, values: &values[part.clone()], argmax: &places[part] })
            }
            _ => GradOutput::Dense(self.dense_gradient(image)),
        }
    }

    fn dense_gradient(&self, image: usize) -> &[f32] {
        &self.grad_output[image * self.geometry.output_len()..][..self.geometry.output_len()]
    }

    fn image(&self, image: usize) -> &[f32] {
        &self.input[image * self.geometry.input_len()..][..self.geometry.input_len()]
    }

    /// Returns the images whose weights' gradients are added to the same partial sums, as in the layers.
    fn images_per_slot(&self) -> usize {
        per_slot(self.batch, self.geometry.kernel_len() + self.geometry.filters)
    }

    /// Runs a case over the batch in the current pool, and tells how long it took. The result is in the
    /// buffers.
    ///
    /// # Panics
    /// If the buffers were not made for the case.
    pub fn run(&self, case: &Case, buffers: &mut Buffers) -> Duration {
        let start = Instant::now();
        match case.worker {
            Worker::Algorithm(algorithm) => self.run_algorithm(algorithm, case, buffers),
            Worker::Product => self.run_product(case, buffers),
        }
        start.elapsed()
    }

    fn run_algorithm(&self, algorithm: &dyn ConvAlgorithm, case: &Case, buffers: &mut Buffers) {
        let (geometry, scratch) = (&self.geometry, &buffers.scratch);
        let packed = &mut buffers.packed[..algorithm.packed_len(geometry, case.pass)];
        algorithm.pack(geometry, case.pass, &self.kernel, packed);
        let weights = Weights { kernel: &self.kernel, packed, bias: &self.bias };
        self.for_each_part(case, &mut buffers.result, |images, result| match case.pass {
            Pass::Forward => scratch.with(|scratch| {
                let rows = 0..geometry.output[0];
                algorithm.forward(geometry, self.image(images.start), weights, rows, result, scratch);
            }),
            Pass::GradInput => scratch.with(|scratch| {
                algorithm.grad_input(geometry, self.gradient(images.start, case.pooled), weights, result, scratch);
            }),
            Pass::GradWeights => {
                result.fill(0.0);
                let (sums, bias) = result.split_at_mut(algorithm.sums_len(geometry));
                for image in images {
                    let gradient = self.gradient(image, case.pooled);
                    scratch.with(|scratch| {
                        algorithm.grad_weights(geometry, self.image(image), gradient, sums, bias, scratch);
                    });
                }
            }
        });
    }

    fn run_product(&self, case: &Case, buffers: &mut Buffers) {
        let pass = case.pass;
        let (k, f) = (self.geometry.patch_len(), self.geometry.filters);
        let (kernel, scratch) = (Matrix::new(&self.kernel, k, f), &buffers.scratch);
        let band = self.patches.len() / k;
        self.for_each_part(case, &mut buffers.result, |images, result| {
            if pass == Pass::GradWeights {
                result.fill(0.0);
            }
            for image in images {
                let gradients = self.dense_gradient(image).chunks(band * f);
                match pass {
                    Pass::Forward => {
                        for output in result.chunks_mut(band * f) {
                            let rows = output.len() / f;
                            // [P×K]·[K×F]
                            gemm(Matrix::new(&self.patches[..rows * k], rows, k), kernel, Beta::Zero, output);
                        }
                    }
                    Pass::GradInput => scratch.with(|Scratch { floats, .. }| {
                        for gradient in gradients {
                            let rows = gradient.len() / f;
                            let patches = &mut floats[..rows * k];
                            // [P×F]·[F×K]
                            gemm(Matrix::new(gradient, rows, f), kernel.transposed(), Beta::Zero, patches);
                        }
                    }),
                    Pass::GradWeights => {
                        for gradient in gradients {
                            let rows = gradient.len() / f;
                            let patches = Matrix::new(&self.patches[..rows * k], rows, k);
                            let sums = &mut result[..k * f];
                            // [K×P]·[P×F]
                            gemm(patches.transposed(), Matrix::new(gradient, rows, f), Beta::One, sums);
                        }
                    }
                }
            }
        });
    }

    /// Does `work` for each part of a pass's result, in parallel, with the images that it is the result of:
    /// one image, or those of a slot.
    fn for_each_part(&self, case: &Case, result: &mut [f32], work: impl Fn(std::ops::Range<usize>, &mut [f32]) + Sync) {
        let images = if case.pass == Pass::GradWeights { self.images_per_slot() } else { 1 };
        let parts = result[..self.result_len(case)].par_chunks_exact_mut(self.part_len(case));
        parts.enumerate().for_each(|(part, result)| {
            work(part * images..((part + 1) * images).min(self.batch), result);
        });
    }

    /// Returns the floats of one part.
    fn part_len(&self, case: &Case) -> usize {
        match (case.pass, case.worker) {
            (Pass::Forward, _) => self.geometry.output_len(),
            (Pass::GradInput, _) => self.geometry.input_len(),
            (Pass::GradWeights, Worker::Algorithm(algorithm)) => {
                algorithm.sums_len(&self.geometry) + self.geometry.filters
            }
            (Pass::GradWeights, Worker::Product) => self.geometry.kernel_len() + self.geometry.filters,
        }
    }

    fn result_len(&self, case: &Case) -> usize {
        let parts =
            if case.pass == Pass::GradWeights { self.batch.div_ceil(self.images_per_slot()) } else { self.batch };
        parts * self.part_len(case)
    }
}

/// The memory that cases write to, one after the other.
pub struct Buffers {
    result: AlignedBuffer,
    packed: AlignedBuffer,
    scratch: ScratchPool,
}

impl Buffers {
    /// Allocates for all of these cases in the current pool.
    pub fn new(data: &ConvData, cases: &[Case]) -> Buffers {
        let (mut result, mut packed, mut scratch) = (0, 0, ScratchLen::default());
        let pool = data.pooled.as_ref().map(|(pool, ..)| *pool);
        for case in cases {
            result = result.max(data.result_len(case));
            scratch = scratch.max(match case.worker {
                Worker::Algorithm(algorithm) => algorithm.scratch_len(&data.geometry, case.pass, pool.as_ref()),
                Worker::Product => ScratchLen::from_floats(data.patches.len()),
            });
            if let Worker::Algorithm(algorithm) = case.worker {
                packed = packed.max(algorithm.packed_len(&data.geometry, case.pass));
            }
        }
        let (result, packed) = (AlignedBuffer::zeros(result), AlignedBuffer::zeros(packed));
        Buffers { result, packed, scratch: ScratchPool::new(scratch) }
    }

    /// Returns the first part of the last result: the output or the input's gradient of image 0, or the
    /// gradients of kernel and bias from the first slot's images, the former as the algorithm sums it up.
    pub(crate) fn first_part(&self, data: &ConvData, case: &Case) -> &[f32] {
        &self.result[..data.part_len(case)]
    }
}

/// Runs all cases `rounds` times in turn in the current pool, after a round that warms up and is not counted.
///
/// # Panics
/// If `rounds` is 0.
pub fn measure(data: &ConvData, cases: &[Case], rounds: usize) -> Vec<Milliseconds> {
    let mut buffers = Buffers::new(data, cases);
    let mut runs = vec![Vec::new(); cases.len()];
    for round in 0..=rounds {
        for (case, runs) in cases.iter().zip(&mut runs) {
            let took = data.run(case, &mut buffers);
            if round > 0 {
                runs.push(took);
            }
        }
    }
    runs.iter().map(|runs| Milliseconds::from_runs(runs)).collect()
}
