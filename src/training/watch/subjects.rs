//! The tensors that are watched, in the order of the rows.

use crate::layers::{Layer, LayerKind};
use crate::network::Network;

/// A tensor that is watched.
pub(super) struct Subject {
    /// The layer's name, or `all`.
    pub layer: String,
    /// The tensor's name in its layer.
    pub tensor: String,
    /// The units that may be dead: those of a ReLU's output.
    pub units: usize,
}

/// The subjects of a tensor of weights, by their numbers.
pub(super) struct OfWeights {
    /// The number of its layer in the network.
    pub layer: usize,
    pub weights: usize,
    /// The gradient and the update, if an optimizer moves it.
    pub moved: Option<[usize; 2]>,
}

/// All subjects of a network.
pub(super) struct Subjects {
    pub list: Vec<Subject>,
    /// For each layer the number of its output; that of ∂L/∂output is one more. A layer that only renames
    /// what reaches it has none.
    pub outputs: Vec<Option<usize>>,
    /// For each tensor of weights.
    pub weights: Vec<OfWeights>,
    /// All gradients together; the number of all updates is one more.
    pub all: usize,
}

impl Subjects {
    pub fn new(network: &Network) -> Subjects {
        let mut list = Vec::new();
        let mut add = |layer: &str, tensor: String, units: usize| {
            list.push(Subject { layer: layer.to_string(), tensor, units });
            list.len() - 1
        };
        let (mut outputs, mut weights) = (Vec::new(), Vec::new());
        for (index, layer) in network.layers().iter().enumerate() {
            outputs.push((!layer.kind.is_view()).then(|| {
                let output = add(&layer.name, "output".into(), units(layer));
                add(&layer.name, "grad_output".into(), 0);
                output
            }));
            for entry in &network.table().entries()[layer.tensors.clone()] {
                let tensor = entry.name.rsplit('/').next().unwrap_or(&entry.name);
                weights.push(OfWeights {
                    layer: index,
                    weights: add(&layer.name, tensor.to_string(), 0),
                    moved: entry
                        .is_trainable()
                        .then(|| ["grad", "update"].map(|what| add(&layer.name, format!("{what}_{tensor}"), 0))),
                });
            }
        }
        let [all, _] = ["grad", "update"].map(|what| add("all", what.to_string(), 0));
        Subjects { list, outputs, weights, all }
    }
}

/// The units of a layer that may be dead.
fn units(layer: &Layer) -> usize {
    match layer.kind {
        LayerKind::Relu(_) => layer.output.sizes()[2],
        _ => 0,
    }
}
