//! The registry of convolution algorithms. An algorithm is one file and one entry in [`CONV_ALGORITHMS`]; property tests and
//! benches walk that list.

use super::conv_im2col::Im2col;
use super::geometry::ConvGeometry;
use std::fmt;
use std::str::FromStr;

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

/// All algorithms, the general one first.
pub const CONV_ALGORITHMS: &[&dyn ConvAlgorithm] = &[&Im2col];

/// What the user asks for with `--conv`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConvChoice {
    /// The fastest algorithm for each layer, by rule, not by timing, so that results repeat.
    #[default]
    Auto,
    /// im2col everywhere.
    Im2col,
}

impl ConvChoice {
    /// The algorithm for a layer.
    pub fn algorithm(self, _geometry: &ConvGeometry) -> &'static dyn ConvAlgorithm {
        match self {
            ConvChoice::Auto | ConvChoice::Im2col => &Im2col,
        }
    }
}

impl fmt::Display for ConvChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(match self {
            ConvChoice::Auto => "auto",
            ConvChoice::Im2col => "im2col",
        })
    }
}

impl FromStr for ConvChoice {
    type Err = String;

    fn from_str(name: &str) -> Result<ConvChoice, String> {
        match name {
            "auto" => Ok(ConvChoice::Auto),
            "im2col" => Ok(ConvChoice::Im2col),
            _ => Err(format!("'{name}' is not a convolution algorithm; it can be auto or im2col")),
        }
    }
}
