//! A step that was taken, and the memory that such steps take.

use crate::network::Network;
use crate::snapshot::{Snapshot, Values};

/// The fewest steps that are kept: the reader's, and the one ahead.
pub(super) const FEWEST_KEPT: usize = 2;

/// A step that was taken, and all that it was.
pub struct TakenStep {
    /// The number of the step, from 1.
    pub step: u64,
    /// The epoch that it belongs to, from 0.
    pub epoch: u64,
    /// Tells it from all others of its session, also from itself before an edit.
    pub id: u64,
    /// For each image of the batch its index in the set.
    pub indices: Vec<usize>,
    /// What the step was.
    pub snapshot: Snapshot,
    /// The loss of the same batch, under the same masks, with the weights after the step.
    pub loss_after: f64,
}

/// Returns how many bytes the steps take that a session keeps at least, in batches of so many images.
pub fn least_bytes(network: &Network, batch: usize) -> usize {
    let values = network.layers().iter().map(|layer| layer.output.len()).fold(0usize, usize::saturating_add);
    // Of each layer the output and its gradient; of all weights and accumulators what was before and after.
    let floats = values.saturating_mul(2 * batch).saturating_add(7 * network.table().parameter_count());
    floats.saturating_mul(FEWEST_KEPT * size_of::<f32>())
}

impl TakenStep {
    /// Returns how much memory it takes, nearly.
    pub fn bytes(&self) -> usize {
        let width = |values: &Values| match values {
            Values::F32(_) | Values::U32(_) => 4,
            Values::F64(_) => 8,
            Values::U16(_) => 2,
        };
        self.snapshot.tensors().iter().map(|tensor| tensor.values.len() * width(&tensor.values)).sum()
    }
}
