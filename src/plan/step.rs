//! How a network's layers are cut into the pieces that run as one.

use super::PlanOptions;
use crate::geometry::PoolGeometry;
use crate::layers::conv_block::ConvBlock;
use crate::layers::{Layer, LayerKind};
use std::ops::Range;

/// A piece of the network that runs as one: some consecutive layers.
#[derive(Clone, Debug)]
pub struct Step {
    /// The layers it covers. A flatten only renames what reaches the next layer, and is covered by that one.
    pub layers: Range<usize>,
    /// How it runs, where it is a convolution with its followers.
    pub block: Option<ConvBlock>,
}

impl Step {
    /// The steps that cover all `layers`, in order.
    pub(super) fn cover(layers: &[Layer], options: &PlanOptions) -> Vec<Step> {
        let (mut steps, mut first) = (Vec::new(), 0);
        while let Some(computes) =
            (first..layers.len()).find(|&index| !matches!(layers[index].kind, LayerKind::Flatten))
        {
            let (block, end) = match Step::conv_block(layers, computes, options) {
                Some((block, end)) => (Some(block), end),
                None => (None, computes + 1),
            };
            steps.push(Step { layers: first..end, block });
            first = end;
        }
        steps
    }

    /// The layer that computes, where it is not a block.
    pub(super) fn layer(&self) -> usize {
        self.layers.end - 1
    }

    /// The convolution at layer `index` with those followers that run in the same step, and the layer behind them.
    fn conv_block(layers: &[Layer], index: usize, options: &PlanOptions) -> Option<(ConvBlock, usize)> {
        let LayerKind::Conv2d(conv) = &layers[index].kind else { return None };
        let (relu, pool) = Step::followers(layers, index);
        let behind = index + 1 + usize::from(relu);
        let algorithms = ConvBlock::algorithms(options.conv, conv, pool.as_ref(), options.training);
        let conv = conv.clone();
        if !options.fuse {
            return Some((ConvBlock { conv, relu: false, pool: None, algorithms }, index + 1));
        }
        let pool = pool.filter(ConvBlock::can_fuse);
        Some((ConvBlock { conv, relu, pool, algorithms }, behind + usize::from(pool.is_some())))
    }

    /// Whether a ReLU follows the layer at `index`, and the max-pool that comes then or at once, if one does.
    fn followers(layers: &[Layer], index: usize) -> (bool, Option<PoolGeometry>) {
        let relu = matches!(layers.get(index + 1), Some(Layer { kind: LayerKind::Relu, .. }));
        let pool = match layers.get(index + 1 + usize::from(relu)) {
            Some(Layer { kind: LayerKind::MaxPool(pool), .. }) => Some(pool.geometry),
            _ => None,
        };
        (relu, pool)
    }

    /// Whether most of the gradient that reaches the convolution at `index` is zero.
    pub(super) fn gradient_is_sparse(layers: &[Layer], index: usize) -> bool {
        ConvBlock::gradient_is_sparse(Step::followers(layers, index).1.as_ref())
    }
}
