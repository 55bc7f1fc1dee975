//! Adam: every weight takes a step of about the learning rate, scaled by how steady its gradient is.
//!
//! D. P. Kingma and J. Ba, *Adam: A Method for Stochastic Optimization*, 2015, in the form that Keras has
//! (the paper's section 2, last paragraph: the bias corrections folded into the step size, so ε is added to
//! the uncorrected √v):
//!
//! ```text
//! α = learning rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ)
//! m += (g − m)(1 − β₁)      v += (g² − v)(1 − β₂)      w −= α·m / (√v + ε)
//! ```
//!
//! With a weight decay W it is AdamW: before that, w −= learning rate · W · w. The decay is *decoupled* from
//! the gradient: it does not go through the moments, which would divide it by √v and so decay the weights
//! with large gradients least (I. Loshchilov and F. Hutter, *Decoupled Weight Decay Regularization*, 2019,
//! algorithm 2; there the decay is not multiplied by the learning rate, in Keras's `AdamW`, and here, it is).
//! As in Keras, unless told otherwise there, every parameter decays, biases too.

mod adam;
mod pending_step;

pub use adam::{Adam, AdamSettings};
pub use pending_step::{AT_ONCE_FLOATS, PendingStep, StepBlock};

#[cfg(test)]
mod tests;
