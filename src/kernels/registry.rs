//! The registry of convolution algorithms, and the choice among them. Property tests and benches walk the list.

use super::conv::{ConvAlgorithm, Pass};
use super::conv_direct::Direct;
use super::conv_im2col::Im2col;
use super::conv_sparse::Sparse;
use super::geometry::ConvGeometry;
use super::winograd::Winograd;
use std::fmt;
use std::str::FromStr;

/// All algorithms, the general one first.
pub const CONV_ALGORITHMS: &[&dyn ConvAlgorithm] = &[&Im2col, &Direct, &Winograd::<4, 6>, &Winograd::<2, 4>, &Sparse];

/// What the user asks for with `--conv`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConvChoice {
    /// The fastest algorithm for each layer and pass, by rule, not by timing, so that results repeat.
    #[default]
    Auto,
    /// im2col everywhere.
    Im2col,
}

/// Which algorithm does each pass of a layer.
#[derive(Clone, Copy, Debug)]
pub struct ConvAlgorithms {
    /// The output.
    pub forward: &'static dyn ConvAlgorithm,
    /// ∂L/∂input.
    pub grad_input: &'static dyn ConvAlgorithm,
    /// ∂L/∂kernel and ∂L/∂bias.
    pub grad_weights: &'static dyn ConvAlgorithm,
}

impl ConvAlgorithms {
    /// The one for a pass.
    pub fn of(&self, pass: Pass) -> &'static dyn ConvAlgorithm {
        match pass {
            Pass::Forward => self.forward,
            Pass::GradInput => self.grad_input,
            Pass::GradWeights => self.grad_weights,
        }
    }
}

impl ConvChoice {
    /// The algorithms for a layer. `sparse_gradient` tells that its output goes into a max-pool, which leaves most of the
    /// output's gradient zero.
    pub fn algorithms(self, _geometry: &ConvGeometry, sparse_gradient: bool) -> ConvAlgorithms {
        let im2col = ConvAlgorithms { forward: &Im2col, grad_input: &Im2col, grad_weights: &Im2col };
        match self {
            ConvChoice::Auto if sparse_gradient => {
                ConvAlgorithms { grad_input: &Sparse, grad_weights: &Sparse, ..im2col }
            }
            ConvChoice::Auto | ConvChoice::Im2col => im2col,
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
