//! What a convolution algorithm is. Each is one file, and one line in the [`registry`](super::registry).

use super::geometry::ConvGeometry;
use std::fmt;

/// A way to compute a convolution's three passes. Each works on one image, single-threaded.
///
/// Shapes: `input` and `grad_input` `[H, W, C]`, `kernel` and `grad_kernel` `[K, F]`, `bias` and `grad_bias` `[F]`, `output`
/// and `grad_output` `[P, F]`. `scratch` has at least [`ConvAlgorithm::scratch_len`] floats, whose content does not matter.
pub trait ConvAlgorithm: fmt::Debug + Sync {
    /// What users call it.
    fn name(&self) -> &'static str;

    /// Whether it can take this geometry.
    fn supports(&self, geometry: &ConvGeometry) -> bool;

    /// Floats of scratch that any of its passes needs.
    fn scratch_len(&self, geometry: &ConvGeometry) -> usize;

    /// Writes `output[p, f] = bias[f] + Σ_k patch(input)[p, k] · kernel[k, f]`.
    fn forward(
        &self,
        geometry: &ConvGeometry,
        input: &[f32],
        kernel: &[f32],
        bias: &[f32],
        output: &mut [f32],
        scratch: &mut [f32],
    );

    /// Writes ∂L/∂input.
    fn grad_input(
        &self,
        geometry: &ConvGeometry,
        grad_output: &[f32],
        kernel: &[f32],
        grad_input: &mut [f32],
        scratch: &mut [f32],
    );

    /// **Adds** ∂L/∂kernel and ∂L/∂bias to what stands there.
    fn grad_weights(
        &self,
        geometry: &ConvGeometry,
        input: &[f32],
        grad_output: &[f32],
        grad_kernel: &mut [f32],
        grad_bias: &mut [f32],
        scratch: &mut [f32],
    );
}
