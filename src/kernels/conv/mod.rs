//! Convolution: what an algorithm is, and a folder for each family of them.
//!
//! | room | what |
//! |---|---|
//! | [`im2col`] | matrix products over patches; takes every geometry, and is the readable base |
//! | [`direct`] | the same sums without the patch matrix |
//! | [`winograd`] | 3×3 kernels at stride 1 with fewer products, forward and back to the input |
//! | [`sparse`] | the gradients behind a max-pool, from the non-zeros alone |
//! | [`registry`] | all algorithms, and the rule that chooses one for a layer and pass |
//! | [`reasons`] | that rule in words, for each algorithm |
//! | [`correlation`] | what a pass computes, forward and back to the input alike |
//! | [`frame`] | an image in a frame of zeros |
//! | [`input_rows`] | the rows at work, of an image or of a pooled gradient |

pub mod correlation;
pub mod direct;
pub mod frame;
pub mod im2col;
pub mod input_rows;
pub mod reasons;
pub mod registry;
pub mod sparse;
pub mod winograd;

use super::relu_pool::PooledGradient;
use crate::geometry::{ConvGeometry, PoolGeometry};
use std::fmt;
use std::ops::Range;

/// One of a convolution's three passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// The output from the input.
    Forward,
    /// ∂L/∂input from ∂L/∂output.
    GradInput,
    /// ∂L/∂kernel and ∂L/∂bias from the input and ∂L/∂output.
    GradWeights,
}

impl Pass {
    /// All passes, in the order of a training step.
    pub const ALL: [Pass; 3] = [Pass::Forward, Pass::GradInput, Pass::GradWeights];

    /// Returns the name that users know.
    pub fn name(self) -> &'static str {
        match self {
            Pass::Forward => "forward",
            Pass::GradInput => "grad_input",
            Pass::GradWeights => "grad_weights",
        }
    }
}

/// A convolution's weights, as an algorithm's pass reads them.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    /// The kernel, `[K, F]`.
    pub kernel: &'a [f32],
    /// The kernel as [`ConvAlgorithm::pack`] wrote it for this pass.
    pub packed: &'a [f32],
    /// The bias, `[F]`.
    pub bias: &'a [f32],
}

/// ∂L/∂output of a convolution, for one image.
#[derive(Clone, Copy, Debug)]
pub enum GradOutput<'a> {
    /// The gradient of each position, `[P, F]`.
    Dense(&'a [f32]),
    /// The gradient as it comes back through max-pooling.
    Pooled(PooledGradient<'a>),
}

impl<'a> GradOutput<'a> {
    /// Returns the gradient of each position.
    ///
    /// # Panics
    /// If it is pooled: only an algorithm that [takes it](ConvAlgorithm::takes_pooled) is given one.
    pub fn dense(self) -> &'a [f32] {
        match self {
            GradOutput::Dense(values) => values,
            GradOutput::Pooled(_) => panic!("a pooled gradient for an algorithm that takes none"),
        }
    }
}

/// The memory for a call. Its content does not matter.
#[derive(Debug)]
pub struct Scratch<'a> {
    /// Memory for numbers.
    pub floats: &'a mut [f32],
    /// Memory for lists.
    pub words: &'a mut [u64],
}

/// The size of the [`Scratch`] that a call needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScratchLen {
    /// Floats.
    pub floats: usize,
    /// Words of 64 bits.
    pub words: usize,
}

impl ScratchLen {
    /// Asks for this many floats and no words.
    pub(crate) fn from_floats(floats: usize) -> ScratchLen {
        ScratchLen { floats, words: 0 }
    }

    /// Returns enough for either of two calls.
    pub fn max(self, other: ScratchLen) -> ScratchLen {
        ScratchLen { floats: self.floats.max(other.floats), words: self.words.max(other.words) }
    }
}

/// An algorithm for some or all of a convolution's three passes. Each call works on one image,
/// single-threaded.
///
/// Shapes: `input` and `grad_input` `[H, W, C]`, kernel `[K, F]`, bias and `grad_bias` `[F]`. A pass is asked
/// for only if the algorithm [supports](ConvAlgorithm::supports) it, and with at least the scratch that it
/// [needs](ConvAlgorithm::scratch_len).
pub trait ConvAlgorithm: fmt::Debug + Sync {
    /// Returns the name that users know.
    fn name(&self) -> &'static str;

    /// Returns whether the algorithm can do this pass for this geometry.
    fn supports(&self, geometry: &ConvGeometry, pass: Pass) -> bool;

    /// Returns how many f32 operations a pass executes on an image, a multiply-add being two: 2·P·K·F, unless
    /// the algorithm saves some. `live` is the share of ∂L/∂output that is not 0.
    fn operations(&self, geometry: &ConvGeometry, _pass: Pass, _live: f64) -> f64 {
        2.0 * geometry.multiply_adds() as f64
    }

    /// Returns the scratch that a pass needs, for gradients that are dense or come back through `pool`, if
    /// one is given.
    fn scratch_len(&self, geometry: &ConvGeometry, pass: Pass, pool: Option<&PoolGeometry>) -> ScratchLen;

    /// Returns the floats of the kernel packed for this pass; 0 where the pass reads the kernel as it is.
    fn packed_len(&self, _geometry: &ConvGeometry, _pass: Pass) -> usize {
        0
    }

    /// Returns the number of parts, of equal length, of the packed kernel. They can be packed at the same
    /// time.
    fn packed_parts(&self, _geometry: &ConvGeometry, _pass: Pass) -> usize {
        1
    }

    /// Packs a part of the kernel for a pass, once for all images that meet the same weights.
    fn pack_part(
        &self,
        _geometry: &ConvGeometry,
        _pass: Pass,
        _part: usize,
        _kernel: &[f32],
        _packed_part: &mut [f32],
    ) {
    }

    /// Packs all parts.
    fn pack(&self, geometry: &ConvGeometry, pass: Pass, kernel: &[f32], packed: &mut [f32]) {
        let part_len = packed.len() / self.packed_parts(geometry, pass);
        for (part, packed) in packed.chunks_exact_mut(part_len.max(1)).enumerate() {
            self.pack_part(geometry, pass, part, kernel, packed);
        }
    }

    /// Returns the step of output rows: a range that goes forward starts at a multiple of it, and ends at one
    /// too or at the last row.
    fn row_step(&self, _geometry: &ConvGeometry) -> usize {
        1
    }

    /// Writes `output[p, f] = bias[f] + Σ_k patch(input)[p, k] · kernel[k, f]` for the output rows `rows`,
    /// and these alone: `output` is `[rows, output width, F]`. A position's bits do not depend on the range
    /// it is computed in.
    fn forward(
        &self,
        _geometry: &ConvGeometry,
        _input: &[f32],
        _weights: Weights,
        _rows: Range<usize>,
        _output: &mut [f32],
        _scratch: Scratch,
    ) {
        unreachable!("{} has no forward pass", self.name())
    }

    /// Returns whether a gradient's pass takes [`GradOutput::Pooled`] too.
    fn takes_pooled(&self, _pass: Pass) -> bool {
        false
    }

    /// Writes `grad_input` = ∂L/∂input.
    fn grad_input(
        &self,
        _geometry: &ConvGeometry,
        _grad_output: GradOutput,
        _weights: Weights,
        _grad_input: &mut [f32],
        _scratch: Scratch,
    ) {
        unreachable!("{} has no gradient of the input", self.name())
    }

    /// Returns the floats in which [`ConvAlgorithm::grad_weights`] sums up ∂L/∂kernel, laid out as it likes.
    fn sums_len(&self, geometry: &ConvGeometry) -> usize {
        geometry.kernel_len()
    }

    /// Writes the rows from `first` on of ∂L/∂kernel, `[K, F]`, as many as `grad_rows` holds, from the sums.
    fn unpack_sums(&self, geometry: &ConvGeometry, sums: &[f32], first: usize, grad_rows: &mut [f32]) {
        grad_rows.copy_from_slice(&sums[first * geometry.filters..][..grad_rows.len()]);
    }

    /// Returns how the weights' gradient can be summed up in parts, where it can.
    fn by_parts(&self) -> Option<&dyn WeightParts> {
        None
    }

    /// **Adds** ∂L/∂kernel and ∂L/∂bias to `sums` and `grad_bias`.
    fn grad_weights(
        &self,
        _geometry: &ConvGeometry,
        _input: &[f32],
        _grad_output: GradOutput,
        _sums: &mut [f32],
        _grad_bias: &mut [f32],
        _scratch: Scratch,
    ) {
        unreachable!("{} has no gradient of the weights", self.name())
    }
}

/// A weights' gradient that can be summed up part by part, each over all images: a part's sums stay in the
/// cache, where those of a whole large kernel do not.
///
/// The [sums](ConvAlgorithm::sums_len) are parts of equal length, one behind the other.
pub trait WeightParts: Sync {
    /// Returns the number of parts.
    fn parts(&self, geometry: &ConvGeometry) -> usize;

    /// Returns the floats in which an image is prepared, once for all parts.
    fn prepared_len(&self, geometry: &ConvGeometry) -> usize;

    /// Returns an image as the parts read it: a copy in `memory`, or the image where that has no floats.
    fn prepare<'a>(&self, geometry: &ConvGeometry, input: &'a [f32], memory: &'a mut [f32]) -> &'a [f32];

    /// **Adds** one part of ∂L/∂kernel to `sums`, and what belongs to it of ∂L/∂bias to `grad_bias`, `[F]`.
    #[expect(clippy::too_many_arguments, reason = "as many as the pass as a whole, and the part")]
    fn add(
        &self,
        geometry: &ConvGeometry,
        part: usize,
        prepared: &[f32],
        grad_output: GradOutput,
        sums: &mut [f32],
        grad_bias: &mut [f32],
        scratch: Scratch,
    );
}
