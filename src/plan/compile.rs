//! From a network to a plan: the steps that cover its layers, and which of them run backward.

use super::options::PlanOptions;
use super::step::Step;
use crate::distributed::cuts;
use crate::layers::{Layer, LayerKind};
use crate::network::Network;
use crate::parameters::TensorEntry;
use std::ops::Range;

/// A network compiled for batches of up to a fixed size.
#[derive(Clone, Debug)]
pub struct Plan<'n> {
    network: &'n Network,
    batch: usize,
    options: PlanOptions,
    steps: Vec<Step>,
    /// The first step whose backward pass anyone needs.
    first_backward: usize,
    /// How many ranks share its batches.
    ranks: usize,
}

impl<'n> Plan<'n> {
    /// Compiles a network for batches of up to `batch` images.
    pub fn new(network: &'n Network, batch: usize, options: PlanOptions) -> Plan<'n> {
        Plan::shared(network, batch, options, 1, false)
    }

    /// Compiles a network for batches of up to `batch` images of which each of so many ranks has a
    /// [share](Plan::cuts). With `by_rows` they also share the rows of large dense kernels, each of which
    /// then has to be moved by its rank as soon as its gradient is there.
    pub fn shared(network: &'n Network, batch: usize, options: PlanOptions, ranks: usize, by_rows: bool) -> Plan<'n> {
        let layers = network.layers();
        let mut steps = Step::cover(layers, &options);
        if ranks > 1 {
            for step in &mut steps {
                match &mut step.operation {
                    LayerKind::Conv2d(conv) => conv.is_shared = true,
                    LayerKind::Dense(dense) if by_rows => *dense = dense.shared_by(ranks),
                    _ => {}
                }
            }
        }
        let entries = network.table().entries();
        let learns = |layer: &Layer| entries[layer.tensors.clone()].iter().any(TensorEntry::is_trainable);
        let first_to_learn = steps.iter().position(|step| layers[step.layers.clone()].iter().any(learns));
        let first_backward = if options.input_gradient { 0 } else { first_to_learn.unwrap_or(steps.len()) };
        Plan { network, batch, options, steps, first_backward, ranks }
    }

    /// The network that it runs.
    pub fn network(&self) -> &'n Network {
        self.network
    }

    /// How it was made.
    pub fn options(&self) -> &PlanOptions {
        &self.options
    }

    /// The most images of a batch.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Where a batch of `count` images is cut into the [shares](crate::distributed::Share) of its ranks: no
    /// cut parts images whose sums belong together.
    pub fn cuts(&self, count: usize) -> Vec<usize> {
        let run = self.steps.iter().map(|step| step.operation.run(count)).max().unwrap_or(1);
        cuts(count, run, self.ranks)
    }

    /// For each tensor whose rows the ranks share, the places in the buffer of the floats that each owns.
    pub fn shared_tensors(&self) -> impl Iterator<Item = Vec<Range<usize>>> {
        let entries = self.network.table().entries();
        self.steps.iter().filter_map(move |step| match &step.operation {
            LayerKind::Dense(dense) if dense.owners > 1 => {
                let start = entries[dense.kernel].range.start;
                let floats = |rows: Range<usize>| start + rows.start * dense.units..start + rows.end * dense.units;
                Some(dense.rows_of(dense.owners).into_iter().map(floats).collect())
            }
            _ => None,
        })
    }

    /// The steps in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The first step that has a backward pass: nobody needs the gradients of those before it.
    pub fn first_backward(&self) -> usize {
        self.first_backward
    }

    /// Whether most of the gradient of the convolution that step `index` runs is 0, behind a max-pool; false
    /// for other steps.
    pub fn has_sparse_gradient(&self, index: usize) -> bool {
        let (step, layers) = (&self.steps[index], self.network.layers());
        let computes = |layer: &Layer| !layer.tensors.is_empty();
        let first = step.layers.clone().find(|&layer| computes(&layers[layer]));
        step.conv().is_some() && first.is_some_and(|layer| Step::gradient_is_sparse(layers, layer))
    }

    /// Whether the backward pass of step `index` computes the gradient of its input.
    pub(super) fn goes_on(&self, index: usize) -> bool {
        index > self.first_backward || self.options.input_gradient
    }
}
