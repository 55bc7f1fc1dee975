//! Optimizers: from gradients to new weights.
//!
//! **Adam**: every weight takes a step of about the learning rate, scaled by how steady its gradient is
//! (D. P. Kingma and J. Ba, *Adam: A Method for Stochastic Optimization*, 2015), in the form that Keras has
//! (the paper's section 2, last paragraph: the bias corrections folded into the step size, so ε is added to
//! the uncorrected √v):
//!
//! ```text
//! α = learning rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ)
//! m += (g − m)(1 − β₁)      v += (g² − v)(1 − β₂)      w −= α·m / (√v + ε)
//! ```
//!
//! **SGD**, stochastic gradient descent: w −= learning rate · g. With a momentum μ every weight has a
//! velocity; Nesterov's form moves by the velocity of a step further (I. Sutskever et al., *On the importance
//! of initialization and momentum in deep learning*, 2013, section 2; the learning rate within v, as in
//! Keras):
//!
//! ```text
//! v = μ·v − learning rate · g      w += v,  or Nesterov's  w += μ·v − learning rate · g
//! ```
//!
//! With a **weight decay** W there is, before that, w −= learning rate · W · w; Adam is AdamW then. The decay
//! is *decoupled* from the gradient: it goes neither through the moments, which would divide it by √v and so
//! decay the weights with large gradients least, nor through the velocity (I. Loshchilov and F. Hutter,
//! *Decoupled Weight Decay Regularization*, 2019, algorithms 1 and 2; there the decay is not multiplied by
//! the learning rate, in Keras, and here, it is). As in Keras, unless told otherwise there, every trainable
//! parameter decays, biases too.
//!
//! Before all this a gradient may be **clipped** ([`Clipping`]): the decay is not. The learning rate may
//! follow a **schedule** ([`Schedule`]): that of the step is the one in all formulas.

mod block;
mod clipping;
mod optimizer;
mod pending_step;
mod schedule;
mod settings;

pub use clipping::Clipping;
pub use optimizer::Optimizer;
pub use pending_step::{AT_ONCE_FLOATS, PendingStep, StepBlock};
pub use schedule::{Plateau, Schedule};
pub use settings::{AdamConstants, OptimizerSettings, Rule};

/// Parameters in one piece of parallel work: 64 KiB of each buffer, of Adam four.
const CHUNK_FLOATS: usize = 16 * 1024;

#[cfg(test)]
mod tests;
