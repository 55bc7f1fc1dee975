//! Looking into a training, epoch by epoch: gradients, updates and activations of every layer.
//!
//! [`train_watched`](super::train_watched) tells a [`Watch`] of every step; [`train`](super::train) has the
//! watch `()`, which does nothing and costs nothing. [`Watcher`] is the one that keeps figures. It changes no
//! bit of the training: it runs the plan layer by layer and takes gradients as they come, which give the same
//! weights.
//!
//! Every step is measured, and every value of it, but for the histograms, which take at most
//! [`SAMPLES`](histogram::SAMPLES) values of a tensor in a step. An epoch leaves a [`WatchRow`] for each of
//! these tensors:
//!
//! | tensor | is |
//! |---|---|
//! | `output`, `grad_output` | a layer's output over the batch, and ∂L/∂output |
//! | `kernel`, `bias`, `gamma`, … | the weights w, as a step finds them |
//! | `grad_kernel`, … | ∂L/∂w, before any clipping |
//! | `update_kernel`, … | Δw, what the step adds to them; ‖Δw‖ / ‖w‖ is its `ratio` |
//! | `grad`, `update` of the layer `all` | all gradients, and all updates, as one vector |
//!
//! Moving statistics of batch normalizations are weights that no optimizer moves: they have neither a
//! gradient nor an update.

pub mod histogram;
mod row;
mod subjects;
mod tally;
mod watcher;

pub use row::WatchRow;
pub use tally::Tally;
pub use watcher::{PartOfEpoch, Watcher};

use super::not_finite::NotFinite;
use crate::parameters::Parameters;
use crate::plan::observer::Observer;

/// Told of what a training does. Each method does nothing unless the watch has one of its own.
pub trait Watch: Observer {
    /// True if it looks: the plan then runs layer by layer, and every gradient is written before any weight
    /// moves.
    const LOOKS: bool;

    /// The images of the next step are asked for, if the epoch has one.
    fn batch_wanted(&mut self) {}

    /// A step begins, the `step`-th in all from 1, of an epoch from 0, on the images of these indices.
    fn step_begins(&mut self, _epoch: usize, _step: usize, _images: &[usize]) {}

    /// All gradients are there, as they came, and no weight has moved.
    fn gradients(&mut self, _weights: &Parameters, _gradients: &Parameters) {}

    /// The weights have moved, by these gradients, which may have been clipped.
    fn updated(&mut self, _weights: &Parameters, _used: &Parameters) {}

    /// The step is taken, and moving statistics have followed it.
    fn step_ends(&mut self) {}

    /// The steps of the epoch at work, from 0, are taken.
    fn epoch_ends(&mut self, _epoch: usize) {}

    /// The first tensor that was not finite, if one was.
    fn not_finite(&self) -> Option<&NotFinite> {
        None
    }
}

/// Nobody looks.
impl Watch for () {
    const LOOKS: bool = false;
}
