//! What a backward pass does with the gradients of the weights.

use crate::kernels::adam::AdamStep;
use crate::parameters::Parameters;

/// Where gradients go.
pub enum Update<'a> {
    /// They are written.
    Write {
        /// The weights.
        parameters: &'a Parameters,
        /// Their gradients.
        gradients: &'a mut Parameters,
    },
    /// They are written, but for those that [are applied](super::dense::Dense::applies): with these Adam takes its step as
    /// soon as they are there, and their place in `gradients` is not touched.
    Apply {
        /// The weights.
        parameters: &'a mut Parameters,
        /// Their gradients.
        gradients: &'a mut Parameters,
        /// Adam's first and second.
        moments: [&'a mut Parameters; 2],
        /// Its numbers.
        step: AdamStep,
    },
}

impl Update<'_> {
    /// The weights, to read, and the place for their gradients.
    pub fn weights_and_gradients(&mut self) -> (&Parameters, &mut Parameters) {
        match self {
            Update::Write { parameters, gradients } => (parameters, gradients),
            Update::Apply { parameters, gradients, .. } => (parameters, gradients),
        }
    }
}
