//! How a network runs: the layer list compiled into steps, and the memory they need.
//!
//! A [`Plan`] is made once for a batch size. It decides which layers each [`Step`] covers and by which
//! algorithm, and sizes a [`Workspace`]: everything that is written while the network runs, owned by the
//! caller. Network, plan and weights are only read, so several threads may use the same ones, each with a
//! workspace of its own; and a training step allocates nothing here.
//!
//! ```text
//! forward    images ─▶ step 0 ─▶ outputs[0] ─▶ step 1 ─▶ outputs[1] ─▶ … ─▶ logits
//! backward   ∂L/∂images ◀─ step 0 ◀─ … ◀─ ∂L/∂outputs[0] ◀─ step 1 ◀─ … ◀─ ∂L/∂logits
//!                             ╰▶ ∂L/∂weights            ╰▶ ∂L/∂weights
//! ```
//!
//! Backward needs what forward saw: a step's input is the output of the step before it, and stays in the
//! workspace.

mod described;
pub mod observer;
mod passes;
mod step;
pub mod timings;
mod workspace;

pub use crate::layers::operation::Mode;
pub use step::Step;
pub use workspace::Workspace;

use crate::Result;
use crate::kernels::conv::registry::ConvPolicy;
use crate::layers::Layer;
use crate::loss::probability;
use crate::network::Network;
use crate::parameters::{Parameters, TensorEntry};
use ndarray::ArrayView4;
use workspace::WorkspaceSizes;

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

/// A network compiled for batches of up to a fixed size.
#[derive(Clone, Debug)]
pub struct Plan<'n> {
    network: &'n Network,
    batch: usize,
    options: PlanOptions,
    steps: Vec<Step>,
    /// The first step whose backward pass anyone needs.
    first_backward: usize,
}

impl<'n> Plan<'n> {
    /// Compiles a network for batches of up to `batch` images.
    pub fn new(network: &'n Network, batch: usize, options: PlanOptions) -> Plan<'n> {
        let layers = network.layers();
        let steps = Step::cover(layers, &options);
        let entries = network.table().entries();
        let learns = |layer: &Layer| entries[layer.tensors.clone()].iter().any(TensorEntry::is_trainable);
        let first_to_learn = steps.iter().position(|step| layers[step.layers.clone()].iter().any(learns));
        let first_backward = if options.input_gradient { 0 } else { first_to_learn.unwrap_or(steps.len()) };
        Plan { network, batch, options, steps, first_backward }
    }

    /// The network that it runs.
    pub fn network(&self) -> &'n Network {
        self.network
    }

    /// How it was made.
    pub fn options(&self) -> &PlanOptions {
        &self.options
    }

    /// The steps in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The first step that has a backward pass: nobody needs the gradients of those before it.
    pub fn first_backward(&self) -> usize {
        self.first_backward
    }

    /// The memory that this plan needs, for use in the current thread pool.
    pub fn workspace(&self) -> Workspace {
        described::log(self);
        Workspace::new(self)
    }

    /// How many bytes [`Plan::workspace`] will take in the current thread pool.
    pub fn workspace_bytes(&self) -> usize {
        WorkspaceSizes::of(self).bytes()
    }

    /// Whether the backward pass of step `index` computes the gradient of its input.
    fn goes_on(&self, index: usize) -> bool {
        index > self.first_backward || self.options.input_gradient
    }
}

/// The probability of class 1 for each image of `images` `[N, H, W, C]`; dropout is off.
///
/// A convenience for a batch now and then. To answer many batches, make a [`Plan`] and keep its workspace.
///
/// # Errors
/// As [`Plan::forward`].
pub fn predict(network: &Network, parameters: &Parameters, images: ArrayView4<f32>) -> Result<Vec<f32>> {
    let plan = Plan::new(network, images.dim().0, PlanOptions::default());
    let mut workspace = plan.workspace();
    let logits = plan.forward(parameters, images, Mode::Inference, &mut workspace)?;
    Ok(logits.iter().map(|&z| probability(z)).collect())
}
