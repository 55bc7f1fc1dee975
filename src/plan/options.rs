//! The choices that a plan is made by.

use crate::kernels::conv::registry::ConvPolicy;

/// How a plan is made.
#[derive(Clone, Copy, Debug)]
pub struct PlanOptions {
    /// The convolution algorithm.
    pub conv: ConvPolicy,
    /// Whether a convolution, the ReLU behind it and the max-pool behind that run as one step; without, each
    /// layer is a step of its own, and the numbers are the same.
    pub fuse: bool,
    /// Whether there will be backward passes; without, the workspace has no memory for them.
    pub training: bool,
    /// Whether the backward pass goes on to the images' own gradient, which training does not need.
    pub input_gradient: bool,
}

impl Default for PlanOptions {
    /// The fastest, for prediction.
    fn default() -> PlanOptions {
        PlanOptions { conv: ConvPolicy::Auto, fuse: true, training: false, input_gradient: false }
    }
}
