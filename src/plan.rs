//! How a network runs: the layer list compiled into steps, and the memory they need.
//!
//! A [`Plan`] is made once for a batch size. It decides which layers each [`Step`] covers and by which
//! algorithm, and sizes a [`Workspace`]: everything that is written while the network runs, owned by the
//! caller. Network, plan and weights are only read, so several threads may use the same ones, each with a
//! workspace of its own; and a training step allocates nothing here.
//!
//! ```text
//! forward    images ─▶ step 0 ─▶ outputs[0] ─▶ step 1 ─▶ outputs[1] ─▶ … ─▶ logits [N×U]
//! backward   ∂L/∂images ◀─ step 0 ◀─ … ◀─ ∂L/∂outputs[0] ◀─ step 1 ◀─ … ◀─ ∂L/∂logits
//!                             ╰▶ ∂L/∂weights            ╰▶ ∂L/∂weights
//! ```
//!
//! Backward needs what forward saw: a step's input is the output of the step before it, and stays in the
//! workspace.

mod compile;
mod described;
pub mod observer;
mod options;
mod passes;
mod step;
pub mod timings;
mod workspace;

pub use crate::layers::operation::{DropoutMasks, Mode};
pub use compile::Plan;
pub use options::PlanOptions;
pub use step::Step;
pub use workspace::Workspace;

use crate::Result;
use crate::network::Network;
use crate::parameters::Parameters;
use ndarray::ArrayView4;

/// The [probabilities](crate::head::Head::probabilities) `[N×U]` of `images` `[N, H, W, C]`: of one unit that
/// of the positive class, of K one for each class. Dropout is off, and batch normalizations are
/// [folded](Network::folded) into the weights before them.
///
/// A convenience for a batch now and then. To answer many batches, make a [`Plan`] and keep its workspace.
///
/// # Errors
/// As [`Plan::forward`].
pub fn predict(network: &Network, parameters: &Parameters, images: ArrayView4<f32>) -> Result<Vec<f32>> {
    let folded = network.folded(parameters)?;
    let (network, parameters) = match &folded {
        Some((network, parameters)) => (network, parameters),
        None => (network, parameters),
    };
    let plan = Plan::new(network, images.dim().0, PlanOptions::default());
    let mut workspace = plan.workspace();
    let logits = plan.forward(parameters, images, Mode::Inference, &mut workspace)?;
    Ok(logits.rows().flat_map(|row| network.head().probabilities(row)).collect())
}
