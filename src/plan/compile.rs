//! From a network to a plan: the steps that cover its layers, and which of them run backward.

use super::options::PlanOptions;
use super::step::Step;
use crate::layers::Layer;
use crate::network::Network;
use crate::parameters::TensorEntry;

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

    /// The most images of a batch.
    pub fn batch(&self) -> usize {
        self.batch
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
