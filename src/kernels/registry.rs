//! The registry of convolution algorithms, and the choice among them. Property tests and benches walk the list.

use super::conv::ConvAlgorithm;
use super::conv_im2col::Im2col;
use super::geometry::ConvGeometry;
use std::fmt;
use std::str::FromStr;

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
