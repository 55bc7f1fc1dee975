//! From a spec to a checked network: layers that fit each other, a table of weights, and what both imply.
//!
//! ```
//! use glassnet::{network::Network, spec::ModelSpec};
//! let network = Network::new(&ModelSpec::documented())?;
//! assert_eq!(network.table().parameter_count(), 3_304_769);
//! # Ok::<(), glassnet::Error>(())
//! ```

mod folding;

use crate::classes::MAX_LABELS;
use crate::error::counted;
use crate::geometry::{Shape, check_floats};
use crate::head::Head;
use crate::layers::builder::Builder;
use crate::layers::{Layer, LayerKind};
use crate::parameters::{ParameterTable, Parameters};
use crate::random::{Purpose, Stream};
use crate::reference;
use crate::spec::{MAX_LAYERS, ModelSpec};
use crate::{Error, Result};
use std::sync::Arc;

/// A checked network. It owns no weights, so it can be shared freely.
#[derive(Clone, Debug)]
pub struct Network {
    spec: ModelSpec,
    layers: Vec<Layer>,
    table: Arc<ParameterTable>,
    head: Head,
}

impl Network {
    /// Walks through the spec, handing each layer the shape that the one before it gives.
    ///
    /// # Errors
    /// [`Error::Layer`] names the layer that cannot work, and both shapes.
    pub fn new(spec: &ModelSpec) -> Result<Network> {
        let shape = Shape::Image(spec.input);
        // Height times width by itself too: a size of 0 channels would hide that it is too large.
        for sizes in [&spec.input[..2], &spec.input[..]] {
            check_floats(sizes).map_err(|reason| Error::layer("input", reason))?;
        }
        if shape.is_empty() {
            return Err(Error::layer("input", format!("images of {shape}; every size must be at least 1")));
        }
        if spec.layers.len() > MAX_LAYERS {
            let reason =
                format!("the model has {} layers, and {MAX_LAYERS} are the most; use fewer", spec.layers.len());
            return Err(Error::layer("input", reason));
        }
        let mut builder = Builder::new(shape);
        let mut layers = spec.layers.iter().map(|spec| Layer::new(spec, &mut builder)).collect::<Result<Vec<_>>>()?;
        let (shape, mut table) = (builder.input(), builder.into_table());
        freeze(&spec.frozen, &mut layers, &mut table)?;
        match layers.last() {
            Some(last) if table.entries().is_empty() => Err(Error::layer_at(
                layers.len() - 1,
                &last.name,
                "the network has no weights to learn; add a 'dense' layer",
            )),
            Some(Layer { output: Shape::Vector(units), .. }) => {
                let head = match spec.several_labels {
                    true if !(2..=MAX_LABELS).contains(units) => {
                        let reason = format!(
                            "it has {}, and where images may have several labels it has one for each of 2 to {MAX_LABELS}",
                            counted(*units, "unit")
                        );
                        return Err(Error::layer_at(layers.len() - 1, &layers[layers.len() - 1].name, reason));
                    }
                    true => Head::of_labels(*units),
                    false => Head::new(*units),
                };
                Ok(Network { spec: spec.clone(), layers, table: Arc::new(table), head })
            }
            Some(last) => {
                let reason =
                    format!("the network ends with an image of {shape}, but must end with logits; end it with 'dense'");
                Err(Error::layer_at(layers.len() - 1, &last.name, reason))
            }
            None => Err(Error::layer("input", "the model has no layers")),
        }
    }

    /// Returns the spec that it was built from.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// Returns the layers, first to last.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Returns the meaning of its logits: how many classes they tell apart, and how.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Returns the table of its weights.
    pub fn table(&self) -> &Arc<ParameterTable> {
        &self.table
    }

    /// Returns fresh parameters, each tensor as its [initialization](crate::parameters::Initialization) says:
    /// kernels by Glorot's rule, biases zero. The same seed gives the same ones.
    pub fn initial_parameters(&self, seed: u64) -> Parameters {
        let mut parameters = Parameters::zeros(&self.table);
        for (id, entry) in self.table.entries().iter().enumerate() {
            let stream = Stream::new(seed, Purpose::Initialization, 0, id as u64);
            entry.initialization.fill(&entry.shape, parameters.tensor_mut(id), stream);
        }
        parameters
    }

    /// Returns the same network with none of its layers frozen, and these weights of it.
    ///
    /// # Errors
    /// None that this network did not have.
    pub fn thawed(&self, parameters: &Parameters) -> Result<(Network, Parameters)> {
        let network = Network::new(&ModelSpec { frozen: Vec::new(), ..self.spec.clone() })?;
        let mut thawed = Parameters::zeros(&network.table);
        thawed.as_mut_slice().copy_from_slice(parameters.as_slice());
        Ok((network, thawed))
    }

    /// Returns the same network in the [textbook](crate::reference), with these weights.
    pub fn twin(&self, parameters: &Parameters) -> Vec<reference::Layer> {
        self.layers.iter().map(|layer| layer.twin(parameters)).collect()
    }

    /// Returns the multiply-adds of a forward pass over one image, all layers.
    pub fn multiply_adds(&self) -> usize {
        self.layers.iter().map(Layer::multiply_adds).fold(0, usize::saturating_add)
    }
}

/// Takes the layers of these names out of training.
///
/// # Errors
/// [`Error::Layer`], where there is none of a name, it has no weights, one before it learns, or no layer is
/// left to learn.
fn freeze(names: &[String], layers: &mut [Layer], table: &mut ParameterTable) -> Result<()> {
    let has_weights = |layer: &Layer| !layer.tensors.is_empty();
    let learners = || layers.iter().filter(|layer| has_weights(layer));
    for name in names {
        let Some(layer) = layers.iter().find(|layer| layer.name == *name) else {
            let all: Vec<&str> = learners().map(|layer| layer.name.as_str()).collect();
            let reason =
                format!("it is to be frozen, but the model has no layer of that name; it has {}", all.join(", "));
            return Err(Error::layer(name, reason));
        };
        if !has_weights(layer) {
            return Err(Error::layer(name, "it is to be frozen, but has no weights; leave it out"));
        }
        let before = learners().take_while(|layer| layer.name != *name);
        if let Some(learning) = before.into_iter().find(|layer| !names.contains(&layer.name)) {
            let reason = format!(
                "it is to be frozen, but '{}' before it learns, whose gradient comes through it; freeze that too",
                learning.name
            );
            return Err(Error::layer(name, reason));
        }
    }
    if !names.is_empty() && learners().all(|layer| names.contains(&layer.name)) {
        return Err(Error::layer(&names[names.len() - 1], "no layer is left to learn; leave one unfrozen"));
    }
    for layer in layers.iter_mut().filter(|layer| names.contains(&layer.name)) {
        table.freeze(layer.tensors.clone());
        if let LayerKind::BatchNormalization(normalization) = &mut layer.kind {
            normalization.is_frozen = true;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn the_documented_model_has_the_documented_shapes_and_parameters() {
        let network = Network::new(&ModelSpec::documented()).unwrap();
        let shapes: Vec<String> = network.layers().iter().map(|layer| layer.output.to_string()).collect();
        assert_eq!(
            shapes.join(" "),
            "126×126×32 126×126×32 63×63×32 61×61×64 61×61×64 30×30×64 28×28×128 28×28×128 14×14×128 25088 128 128 128 1"
        );
        let names: Vec<(&str, usize)> =
            network.table().entries().iter().map(|entry| (entry.name.as_str(), entry.range.len())).collect();
        assert_eq!(
            names,
            [
                ("conv2d/kernel", 864),
                ("conv2d/bias", 32),
                ("conv2d_1/kernel", 18_432),
                ("conv2d_1/bias", 64),
                ("conv2d_2/kernel", 73_728),
                ("conv2d_2/bias", 128),
                ("dense/kernel", 3_211_264),
                ("dense/bias", 128),
                ("dense_1/kernel", 128),
                ("dense_1/bias", 1),
            ]
        );
    }

    #[test]
    fn initial_weights_fill_the_glorot_interval_and_repeat_by_seed() {
        let network = Network::new(&ModelSpec::documented()).unwrap();
        let parameters = network.initial_parameters(4);
        let kernel = parameters.view("conv2d_2/kernel").unwrap();
        let limit = (6.0f32 / (9.0 * (64.0 + 128.0))).sqrt();
        let largest = kernel.iter().fold(0.0f32, |largest, weight| largest.max(weight.abs()));
        assert!(largest <= limit && largest > 0.999 * limit, "{largest} against {limit}");
        let variance = kernel.iter().map(|weight| weight * weight).sum::<f32>() / kernel.len() as f32;
        assert_relative_eq!(variance, limit * limit / 3.0, max_relative = 0.02);
        assert!(parameters.view("conv2d_2/bias").unwrap().iter().all(|&bias| bias == 0.0));
        assert_eq!(parameters.as_slice(), network.initial_parameters(4).as_slice());
        assert_ne!(parameters.as_slice(), network.initial_parameters(5).as_slice());
    }

    #[test]
    fn a_network_that_cannot_be_built_names_the_layer_and_the_shapes() {
        let error = |toml: &str| Network::new(&toml::from_str(toml).unwrap()).unwrap_err().to_string();
        assert_eq!(
            error(r#"layers = [{ type = "dense", units = 1 }]"#),
            "layer dense: a dense layer needs a vector, but an image of 128×128×3 reaches it; put 'flatten' before it"
        );
        assert_eq!(
            error(r#"layers = [{ type = "flatten" }, { type = "conv2d", filters = 2, kernel = 3 }]"#),
            "layer conv2d: a convolution needs an image, but a vector of 49152 values reaches it; put it before 'flatten'"
        );
        assert_eq!(
            error(r#"layers = [{ type = "conv2d", filters = 2, kernel = 3 }]"#),
            "layer conv2d: the network ends with an image of 126×126×2, but must end with logits; end it with 'dense'"
        );
        let error = error(
            "input = [8, 8, 3]\nlayers = [{ type = 'max_pool', window = 4 }, { type = 'conv2d', filters = 4, kernel = [3, 1] }]",
        );
        assert_eq!(
            error,
            "layer conv2d: a kernel of 3×1 with stride 1×1 does not fit an input of 2×2×3 (height × width × channels); use larger images or a smaller kernel"
        );
    }

    #[test]
    fn a_network_of_one_unit_tells_two_classes_apart_and_one_of_k_units_k() {
        for (units, classes) in [(1, 2), (2, 2), (3, 3), (100, 100)] {
            let toml =
                format!("input = [2, 2, 1]\nlayers = [{{ type = 'flatten' }}, {{ type = 'dense', units = {units} }}]");
            let head = Network::new(&toml::from_str(&toml).unwrap()).unwrap().head();
            assert_eq!((head.units(), head.classes()), (units, classes));
        }
    }

    #[test]
    fn a_network_for_several_labels_has_a_unit_for_each() {
        let network = |units: usize| {
            let layers = format!("layers = [{{ type = 'flatten' }}, {{ type = 'dense', units = {units} }}]");
            Network::new(&toml::from_str(&format!("input = [2, 2, 1]\nseveral_labels = true\n{layers}")).unwrap())
        };
        let head = network(2).unwrap().head();
        assert_eq!((head.units(), head.classes(), head.has_several_labels()), (2, 2, true));
        for units in [1, 65] {
            let error = network(units).unwrap_err().to_string();
            assert!(error.ends_with("it has one for each of 2 to 64"), "{error}");
        }
    }

    #[test]
    fn absurd_sizes_are_refused_before_memory_is_asked_for() {
        for toml in [
            "input = [4294967296, 4294967296, 3]\nlayers = [{ type = 'flatten' }, { type = 'dense', units = 1 }]",
            "layers = [{ type = 'flatten' }, { type = 'dense', units = 9007199254740993 }]",
            "layers = [{ type = 'conv2d', filters = 4294967296, kernel = 3 }]",
            "layers = [{ type = 'conv2d', filters = 1, kernel = 4294967296, padding = 'same' }]",
        ] {
            assert!(Network::new(&toml::from_str(toml).unwrap()).is_err(), "{toml}");
        }
    }
}
