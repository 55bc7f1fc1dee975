//! How a network's layers are cut into the pieces that run as one.

use super::options::PlanOptions;
use crate::geometry::{PoolGeometry, Shape};
use crate::layers::conv2d::Conv2d;
use crate::layers::{Layer, LayerKind};
use std::ops::Range;

/// A piece of the network that runs as one: some consecutive layers.
#[derive(Clone, Debug)]
pub struct Step {
    /// The layers it covers. A flatten only renames what reaches the next layer, and is covered by that one.
    pub layers: Range<usize>,
    /// The shape of a sample that goes in.
    pub input: Shape,
    /// The shape of a sample that comes out.
    pub output: Shape,
    /// What it does: the layer that computes, a convolution with those followers that run with it.
    pub operation: LayerKind,
}

impl Step {
    /// The steps that cover all `layers`, in order.
    pub(super) fn cover(layers: &[Layer], options: &PlanOptions) -> Vec<Step> {
        let (mut steps, mut first) = (Vec::new(), 0);
        while let Some(computes) = (first..layers.len()).find(|&index| !layers[index].kind.is_view()) {
            let (operation, end) = match &layers[computes].kind {
                LayerKind::Conv2d(conv) => Step::conv_block(conv, layers, computes, options),
                kind => (kind.clone(), computes + 1),
            };
            let (input, output) = (layers[first].input, layers[end - 1].output);
            steps.push(Step { layers: first..end, input, output, operation });
            first = end;
        }
        steps
    }

    /// The convolution that it runs, if it runs one.
    pub fn conv(&self) -> Option<&Conv2d> {
        match &self.operation {
            LayerKind::Conv2d(conv) => Some(conv),
            _ => None,
        }
    }

    /// The convolution at layer `index` with those followers that run in the same step, and the layer behind
    /// them.
    fn conv_block(conv: &Conv2d, layers: &[Layer], index: usize, options: &PlanOptions) -> (LayerKind, usize) {
        let (relu, pool) = Step::followers(layers, index);
        let algorithms = conv.choose(options.conv, pool.as_ref(), options.training);
        let (relu, pool) = if options.fuse { (relu, pool.filter(Conv2d::can_fuse)) } else { (false, None) };
        let end = index + 1 + usize::from(relu) + usize::from(pool.is_some());
        (LayerKind::Conv2d(conv.block(algorithms, relu, pool)), end)
    }

    /// Whether a ReLU follows the layer at `index`, and the max-pool that comes then or at once, if one does.
    fn followers(layers: &[Layer], index: usize) -> (bool, Option<PoolGeometry>) {
        let relu = matches!(layers.get(index + 1), Some(Layer { kind: LayerKind::Relu(_), .. }));
        let pool = match layers.get(index + 1 + usize::from(relu)) {
            Some(Layer { kind: LayerKind::MaxPool(pool), .. }) => Some(pool.geometry),
            _ => None,
        };
        (relu, pool)
    }

    /// Whether most of the gradient that reaches the convolution at `index` is zero.
    pub(super) fn gradient_is_sparse(layers: &[Layer], index: usize) -> bool {
        Conv2d::gradient_is_sparse(Step::followers(layers, index).1.as_ref())
    }
}
