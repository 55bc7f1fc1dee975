//! Where a reader looks: one image, one weight, one cell.

use super::cell::Cell;
use super::moment::Moment;
use super::weight::Weight;
use crate::layers::LayerKind;
use crate::parameters::TensorEntry;
use crate::{Error, Result};

/// One image of a batch, one weight, and one cell of a layer's output that is a sum of products.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Focus {
    /// The number of the image.
    pub image: usize,
    /// The weight.
    pub weight: Weight,
    /// The number of the cell's layer.
    pub layer: usize,
    /// The cell, in the output of that layer.
    pub cell: Cell,
}

impl Focus {
    /// Looks at an image and a weight; without one, at the one that tells most: of the second convolution, or
    /// else of the first layer that has weights, the weight with the largest gradient. The cell is that of
    /// its largest term, where the weight's layer sums products; else the middle of the nearest layer that
    /// does.
    ///
    /// # Errors
    /// [`Error::Setting`], where there is no such image.
    pub fn new(moment: &Moment, image: usize, weight: Option<Weight>) -> Result<Focus> {
        if image >= moment.count() {
            let reason = format!("there are {} images, counted from 0", moment.count());
            return Err(Error::setting(format!("image {image}"), reason));
        }
        let weight = weight.unwrap_or_else(|| telling_weight(moment));
        let layer = summing_layer(moment, weight.layer);
        let [height, width, channels] = moment.layers()[layer].output.sizes();
        let cell = if layer == weight.layer {
            let terms = moment.chain(&weight, image).terms;
            let size = |term: &usize| terms[*term].product().abs();
            let place = (0..terms.len()).max_by(|a, b| size(a).total_cmp(&size(b)).then(b.cmp(a)));
            // Where all terms are 0, as behind a ReLU that is shut everywhere, the middle tells as much.
            let place = place.filter(|place| size(place) > 0.0).unwrap_or(terms.len() / 2);
            let [y, x] = terms[place].position;
            Cell { y, x, channel: moment.channel(&weight) }
        } else {
            Cell { y: height / 2, x: width / 2, channel: channels / 2 }
        };
        Ok(Focus { image, weight, layer, cell })
    }
}

fn telling_weight(moment: &Moment) -> Weight {
    let layers = moment.layers();
    let entries = moment.network.table().entries();
    let learns = |layer: usize| entries[layers[layer].tensors.clone()].iter().any(TensorEntry::is_trainable);
    let is_convolution = |layer: &&usize| is_convolution(&layers[**layer].kind);
    let with_weights: Vec<usize> = (0..layers.len()).filter(|&layer| learns(layer)).collect();
    let convolutions: Vec<usize> = with_weights.iter().filter(is_convolution).copied().collect();
    let layer = convolutions.get(1).or(convolutions.first()).or(with_weights.first()).expect("a layer learns");
    let name = &entries[layers[*layer].tensors.start].name;
    let gradient = moment.snapshot.gradient(name).expect("a snapshot has all gradients");
    let place = (0..gradient.len()).max_by(|&a, &b| gradient[a].abs().total_cmp(&gradient[b].abs()).then(b.cmp(&a)));
    Weight::at(moment.network, name, place.unwrap_or(0))
}

fn is_convolution(kind: &LayerKind) -> bool {
    matches!(kind, LayerKind::Conv2d(_) | LayerKind::DepthwiseConv2d(_))
}

/// The nearest layer that sums products: this one, or one before it, or one behind; itself where there is
/// none.
fn summing_layer(moment: &Moment, layer: usize) -> usize {
    let sums = |layer: &usize| {
        let kind = &moment.layers()[*layer].kind;
        is_convolution(kind) || matches!(kind, LayerKind::Dense(_))
    };
    let behind = || (layer..moment.layers().len()).find(sums);
    (0..=layer).rev().find(sums).or_else(behind).unwrap_or(layer)
}
