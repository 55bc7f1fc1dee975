//! The modules of a state dict, one for each layer with weights, by order and shape.

use super::modules::{Module, by_number, modules};
use super::tensor::Named;
use crate::error::shortened;
use crate::exchange::axes::{flattened_channels_first, scattered, to_channels_last, transposed};
use crate::geometry::Padding;
use crate::layers::{Layer, LayerKind};
use crate::network::Network;
use crate::parameters::Parameters;
use crate::spec::{LayerSpec, Size};

/// The order in which a file has its tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// That of the modules.
    Kept,
    /// That of their names: the modules' own is lost.
    ByName,
}

/// The tensors of a layer in PyTorch: of each its name, its shape, and ours that it becomes.
struct Wanted<'a> {
    layer: &'a Layer,
    tensors: Vec<(&'static str, Vec<usize>)>,
}

/// Returns a network's weights out of the tensors of a state dict, and sentences of what was assumed.
///
/// # Errors
/// A sentence that names the tensor that does not fit, with both shapes.
pub fn matched(network: &Network, tensors: &[Named], order: Order) -> Result<(Parameters, Vec<String>), String> {
    let mut found = modules(tensors);
    let wanted: Vec<Wanted> =
        network.layers().iter().filter(|layer| !layer.tensors.is_empty()).map(wanted_of).collect();
    if order == Order::ByName {
        // Tensors of a module need not be neighbours here.
        found = merged(found);
        found.sort_by(|a, b| by_number(a.name, b.name));
        if let Err(reason) = in_order(&wanted, &found) {
            found = by_shape(&wanted, found).ok_or_else(|| {
                format!("{reason} (a safetensors file has its tensors by name, and not in the order of the modules; a .pt file has that)")
            })?;
        }
    }
    in_order(&wanted, &found)?;
    let mut parameters = network.initial_parameters(0);
    let mut pairs = Vec::new();
    // The order in which PyTorch flattened an image, on its way to the next dense layer.
    let mut flattened: Option<Vec<usize>> = None;
    let mut found = found.iter();
    for layer in network.layers() {
        if let LayerKind::Flatten(_) = layer.kind {
            flattened = flattened_channels_first(layer.input);
        }
        if layer.tensors.is_empty() {
            continue;
        }
        let Some(module) = found.next() else { break };
        pairs.push(format!("{} ← {}", layer.name, shortened(module.name)));
        take(network, layer, module, flattened.as_deref(), &mut parameters)?;
        if let LayerKind::Dense(_) = layer.kind {
            flattened = None;
        }
    }
    check_variances(network, &parameters)?;
    let mut notes = vec![format!("matched by order and shape: {}", pairs.join(", "))];
    notes.extend(differences(network));
    Ok((parameters, notes))
}

/// Returns the tensors that a layer has in PyTorch.
fn wanted_of(layer: &Layer) -> Wanted<'_> {
    let tensors = match &layer.kind {
        LayerKind::Conv2d(conv) => {
            let [height, width] = conv.geometry.kernel;
            kernel_and_bias(vec![conv.geometry.filters, conv.geometry.input[2], height, width], conv.bias.is_some())
        }
        LayerKind::DepthwiseConv2d(conv) => {
            let [height, width] = conv.geometry.kernel;
            kernel_and_bias(vec![conv.geometry.channels(), 1, height, width], conv.bias.is_some())
        }
        LayerKind::Dense(dense) => kernel_and_bias(vec![layer.output.len(), layer.input.len()], dense.bias.is_some()),
        LayerKind::BatchNormalization(_) => {
            let channels = layer.output.sizes()[2];
            let names = ["weight", "bias", "running_mean", "running_var"];
            names.map(|name| (name, vec![channels])).to_vec()
        }
        _ => Vec::new(),
    };
    Wanted { layer, tensors }
}

fn kernel_and_bias(kernel: Vec<usize>, has_bias: bool) -> Vec<(&'static str, Vec<usize>)> {
    let bias = has_bias.then(|| ("bias", vec![kernel[0]]));
    [("weight", kernel)].into_iter().chain(bias).collect()
}

impl Wanted<'_> {
    /// Checks whether a module has the tensors that the layer needs, and no others.
    ///
    /// # Errors
    /// A sentence with the tensor, and both shapes.
    fn check(&self, module: &Module) -> Result<(), String> {
        let name = |tensor: &str| {
            if module.name.is_empty() { tensor.to_string() } else { format!("{}.{tensor}", shortened(module.name)) }
        };
        let layer = &self.layer.name;
        for (tensor, shape) in &self.tensors {
            match module.tensor(tensor) {
                Some(found) if found.shape == *shape => {}
                Some(found) => {
                    return Err(format!(
                        "its tensor '{}' is {:?}, and the layer {layer} needs {shape:?}; give the model that it is of",
                        name(tensor),
                        found.shape
                    ));
                }
                None => {
                    return Err(format!(
                        "it has no tensor '{}', which the layer {layer} needs; give the model that it is of",
                        name(tensor)
                    ));
                }
            }
        }
        let has = |tensor: &str| self.tensors.iter().any(|(wanted, _)| *wanted == tensor);
        match module.tensors.iter().find(|(tensor, _)| !has(tensor)) {
            Some((tensor, found)) => Err(format!(
                "its tensor '{}' of {:?} has no place in the layer {layer}; give the model that it is of",
                name(shortened(tensor).as_ref()),
                found.shape
            )),
            None => Ok(()),
        }
    }
}

/// Checks whether the modules are those of the layers, one after the other.
fn in_order(wanted: &[Wanted], found: &[Module]) -> Result<(), String> {
    for (wanted, module) in wanted.iter().zip(found) {
        wanted.check(module)?;
    }
    match (wanted.get(found.len()), found.get(wanted.len())) {
        (Some(missing), _) => {
            Err(format!("it has no tensors for the layer {}; give the model that it is of", missing.layer.name))
        }
        (_, Some(module)) => {
            let (tensor, found) = module.tensors[0];
            let name = if module.name.is_empty() { tensor.to_string() } else { format!("{}.{tensor}", module.name) };
            Err(format!(
                "its tensor '{}' of {:?} is of no layer; give the model that it is of",
                shortened(&name),
                found.shape
            ))
        }
        _ => Ok(()),
    }
}

/// Brings the tensors of each module together.
fn merged(modules: Vec<Module>) -> Vec<Module> {
    let mut merged: Vec<Module> = Vec::new();
    for module in modules {
        match merged.iter_mut().find(|other| other.name == module.name) {
            Some(other) => other.tensors.extend(module.tensors),
            None => merged.push(module),
        }
    }
    merged
}

/// Brings the modules into the order of the layers by their shapes, where each layer has one that fits and no
/// other does.
fn by_shape<'a>(wanted: &[Wanted], found: Vec<Module<'a>>) -> Option<Vec<Module<'a>>> {
    let mut found: Vec<Option<Module>> = found.into_iter().map(Some).collect();
    let mut ordered = Vec::new();
    for wanted in wanted {
        let fits = |module: &Option<Module>| module.as_ref().is_some_and(|module| wanted.check(module).is_ok());
        let mut fitting = (0..found.len()).filter(|&index| fits(&found[index]));
        let (Some(index), None) = (fitting.next(), fitting.next()) else { return None };
        ordered.push(found[index].take()?);
    }
    found.iter().all(Option::is_none).then_some(ordered)
}

/// Takes a module's tensors for a layer's.
fn take(
    network: &Network,
    layer: &Layer,
    module: &Module,
    flattened: Option<&[usize]>,
    parameters: &mut Parameters,
) -> Result<(), String> {
    let entries = &network.table().entries()[layer.tensors.clone()];
    for (id, entry) in layer.tensors.clone().zip(entries) {
        let own = entry.name.rsplit('/').next().unwrap_or_default();
        let theirs = match own {
            "kernel" | "gamma" => "weight",
            "bias" | "beta" => "bias",
            "moving_mean" => "running_mean",
            _ => "running_var",
        };
        let Some(tensor) = module.tensor(theirs) else { continue };
        let values = tensor.read()?;
        let values = match (&layer.kind, &tensor.shape[..], flattened) {
            (LayerKind::Conv2d(_) | LayerKind::DepthwiseConv2d(_), &[filters, channels, height, width], _) => {
                to_channels_last(&values, [filters, channels, height, width])
            }
            (LayerKind::Dense(_), &[units, inputs], order) => {
                let kernel = transposed(&values, &[units, inputs], &[1, 0]);
                order.map_or_else(|| kernel.clone(), |order| scattered(&kernel, units, order))
            }
            (LayerKind::BatchNormalization(_), _, Some(order)) => scattered(&values, 1, order),
            _ => values,
        };
        parameters.tensor_mut(id).copy_from_slice(&values);
    }
    Ok(())
}

/// Refuses a moving variance below 0, of whose root no answer would be a number.
fn check_variances(network: &Network, parameters: &Parameters) -> Result<(), String> {
    for (id, entry) in network.table().entries().iter().enumerate() {
        if entry.name.ends_with("/moving_variance")
            && let Some(value) = parameters.tensor(id).iter().find(|value| **value < 0.0)
        {
            return Err(format!(
                "its running_var for '{}' holds {value}, and no variance is below 0; take another",
                entry.name
            ));
        }
    }
    Ok(())
}

/// Returns sentences of what a state dict does not tell and PyTorch has other defaults for.
fn differences(network: &Network) -> Vec<String> {
    let layers = &network.spec().layers;
    let mut notes = Vec::new();
    let mut note = |is_there: bool, sentence: &str| {
        if is_there {
            notes.push(sentence.to_string());
        }
    };
    let strided = |stride: Size| stride.both() != [1, 1];
    note(
        layers.iter().any(|layer| matches!(layer, LayerSpec::BatchNormalization { epsilon, .. } if *epsilon == 1e-3)),
        "the epsilon of batch normalizations is the model's, 0.001; in PyTorch it is 0.00001, unless told otherwise",
    );
    note(
        layers.iter().any(|layer| matches!(layer, LayerSpec::LeakyRelu { negative_slope } if *negative_slope == 0.3)),
        "the slope of leaky relus is the model's, 0.3; in PyTorch it is 0.01, unless told otherwise",
    );
    note(
        layers.iter().any(|layer| match layer {
            LayerSpec::Conv2d { stride, padding: Padding::Same, .. }
            | LayerSpec::DepthwiseConv2d { stride, padding: Padding::Same, .. } => strided(*stride),
            LayerSpec::MaxPool { padding: Padding::Same, .. }
            | LayerSpec::AveragePool { padding: Padding::Same, .. } => true,
            _ => false,
        }),
        "padding 'same' with steps lies otherwise than PyTorch's, which has as much on either side; compare answers",
    );
    notes
}
