//! Which tensors a snapshot of a network may have, and of which types and shapes.

use super::tensor::Kind;
use crate::geometry::Shape;
use crate::layers::LayerKind;
use crate::network::Network;
use crate::optim::Rule;
use std::collections::BTreeMap;

/// What the names of an optimizer's accumulators begin with.
const ADAM: [&str; 2] = ["adam/m/", "adam/v/"];
/// The same of SGD.
const SGD: [&str; 1] = ["sgd/velocity/"];

/// Returns what the names of the accumulators that an optimizer of this rule keeps begin with.
pub fn accumulator_names(rule: Rule) -> &'static [&'static str] {
    let names: &[&str] = match rule {
        Rule::Adam(_) => &ADAM,
        Rule::Sgd { .. } => &SGD,
    };
    &names[..rule.accumulators()]
}

/// A tensor that a snapshot may have.
pub(super) struct Expected {
    pub kind: Kind,
    pub shape: Vec<usize>,
    /// Whether every snapshot has it.
    pub required: bool,
    /// Integers lie below this.
    pub below: u32,
}

/// The sizes of a batch of `count` of these.
pub(super) fn batch_shape(count: usize, shape: Shape) -> Vec<usize> {
    match shape {
        Shape::Image([height, width, channels]) => vec![count, height, width, channels],
        Shape::Vector(len) => vec![count, len],
    }
}

/// All tensors of a snapshot of `count` images, by their names.
pub(super) fn layout(network: &Network, count: usize) -> BTreeMap<String, Expected> {
    let mut all = BTreeMap::new();
    let mut add = |name: String, kind: Kind, shape: Vec<usize>, required: bool, below: u32| {
        all.insert(name, Expected { kind, shape, required, below });
    };
    let images = batch_shape(count, Shape::Image(network.spec().input));
    let classes = network.head().classes() as u32;
    add("images".into(), Kind::F32, images.clone(), true, 0);
    add("grad_images".into(), Kind::F32, images, false, 0);
    add("labels".into(), Kind::U32, vec![count], true, classes);
    for name in ["loss", "learning_rate"] {
        add(name.into(), Kind::F64, vec![1], true, 0);
    }
    for layer in network.layers() {
        let (name, shape) = (&layer.name, batch_shape(count, layer.output));
        for what in ["output", "grad_output"] {
            add(format!("{what}/{name}"), Kind::F32, shape.clone(), false, 0);
        }
        match &layer.kind {
            LayerKind::MaxPool(pool) => {
                add(format!("argmax/{name}"), Kind::U16, shape, false, pool.geometry.cells() as u32);
            }
            LayerKind::Dropout(_) => add(format!("factors/{name}"), Kind::F32, shape, false, 0),
            LayerKind::BatchNormalization(normalization) => {
                add(format!("moments/{name}"), Kind::F32, vec![2, normalization.channels], false, 0);
            }
            _ => {}
        }
    }
    for entry in network.table().entries() {
        let mut add = |name: String, required: bool| add(name, Kind::F32, entry.shape.clone(), required, 0);
        for when in ["before", "after"] {
            add(format!("{when}/{}", entry.name), true);
            for prefix in ADAM.iter().chain(&SGD).filter(|_| entry.is_trainable()) {
                add(format!("{when}/{prefix}{}", entry.name), false);
            }
        }
        if entry.is_trainable() {
            add(format!("gradient/{}", entry.name), true);
            add(format!("clipped/{}", entry.name), false);
        }
    }
    all
}
