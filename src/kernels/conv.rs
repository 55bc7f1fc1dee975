//! The registry of convolution algorithms. An algorithm is one file and one entry in [`CONV_ALGORITHMS`]; property tests and
//! benches walk that list.

use super::conv_im2col::IM2COL;
use super::geometry::ConvGeometry;
use std::fmt;
use std::str::FromStr;

/// A way to compute a convolution's three passes. Each works on one image, single-threaded, with a scratch buffer of
/// `scratch_len` floats whose content does not matter.
#[derive(Clone, Copy)]
pub struct ConvAlgorithm {
    /// What users call it.
    pub name: &'static str,
    /// Whether it can take this geometry.
    pub supports: fn(&ConvGeometry) -> bool,
    /// Floats of scratch it needs.
    pub scratch_len: fn(&ConvGeometry) -> usize,
    /// `(geometry, input [H,W,C], kernel [K,F], bias [F], output [P,F], scratch)`: writes
    /// `output[p, f] = bias[f] + Σ_k patch(input)[p, k] · kernel[k, f]`.
    pub forward: fn(&ConvGeometry, &[f32], &[f32], &[f32], &mut [f32], &mut [f32]),
    /// `(geometry, grad_output [P,F], kernel [K,F], grad_input [H,W,C], scratch)`: writes ∂L/∂input.
    pub grad_input: fn(&ConvGeometry, &[f32], &[f32], &mut [f32], &mut [f32]),
    /// `(geometry, input [H,W,C], grad_output [P,F], grad_kernel [K,F], grad_bias [F], scratch)`: **adds** ∂L/∂kernel and
    /// ∂L/∂bias to what stands there.
    pub grad_weights: fn(&ConvGeometry, &[f32], &[f32], &mut [f32], &mut [f32], &mut [f32]),
}

impl fmt::Debug for ConvAlgorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

/// All algorithms, the general one first.
pub const CONV_ALGORITHMS: &[ConvAlgorithm] = &[IM2COL];

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
    pub fn algorithm(self, _geometry: &ConvGeometry) -> &'static ConvAlgorithm {
        match self {
            ConvChoice::Auto | ConvChoice::Im2col => &IM2COL,
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
