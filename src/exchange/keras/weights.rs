//! The weights of a network out of an HDF5 file.

use super::chain::snake_case;
use super::hdf5::Hdf5;
use super::layers::Source;
use crate::error::shortened;
use crate::layers::{Layer, LayerKind};
use crate::network::Network;
use crate::parameters::{Parameters, TensorEntry};
use crate::{Error, Result};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// The group of all layers in files by class and order, and what it was called in Keras 2.13.
const LAYERS: [&str; 2] = ["layers", "_layer_checkpoint_dependencies"];

/// The group of all weights in an old file of a whole model.
const MODEL_WEIGHTS: &str = "model_weights/";

/// How tensors are named in a file.
pub enum Naming {
    /// By class and order, and by number.
    Numbered {
        /// The group of all layers.
        layers: &'static str,
    },
    /// By the names of layers and tensors.
    Named {
        /// The group of all layers, with a slash behind it, or nothing.
        root: &'static str,
    },
}

/// Returns how the tensors of a file are named.
///
/// # Errors
/// [`Error::Weights`] of HDF5 that is not Keras's.
pub fn naming(path: &Path, file: &Hdf5) -> Result<Naming> {
    if let Some(layers) = LAYERS.into_iter().find(|layers| file.has_group(layers)) {
        return Ok(Naming::Numbered { layers });
    }
    for root in [MODEL_WEIGHTS, ""] {
        let group = root.trim_end_matches('/');
        if file.has_group(group) && file.attributes(group)?.texts("layer_names").is_some() {
            return Ok(Naming::Named { root });
        }
    }
    Err(Error::weights(path, "it is HDF5, but holds no layers of Keras; give a file that Keras has saved"))
}

/// Reads the weights of a network whose layers have theirs at these places.
///
/// # Errors
/// [`Error::Weights`] names the tensor that is not there or does not fit.
pub fn read(
    path: &Path,
    file: &Hdf5,
    naming: &Naming,
    network: &Network,
    sources: &[Option<Source>],
) -> Result<Parameters> {
    let mut placed = Vec::new();
    let mut names = Names { path, file, of_top: HashMap::new() };
    for (layer, source) in network.layers().iter().zip(sources) {
        let Some(source) = source else { continue };
        for (id, entry) in layer.tensors.clone().zip(&network.table().entries()[layer.tensors.clone()]) {
            if let Some(place) = place(entry, source, naming, &mut names)? {
                placed.push((id, entry, place));
            }
        }
    }
    // All shapes before memory is taken. The tensors lie beside each other, so they have no more bytes than
    // the file.
    let mut bytes = 0u64;
    for (_, entry, place) in &placed {
        file.check(place, &entry.shape)?;
        bytes = bytes.saturating_add(size_of::<f32>() as u64 * entry.range.len() as u64);
    }
    if bytes > file.len() {
        return Err(Error::weights(
            path,
            "its tensors lie upon each other, as in files made to do harm; save the model anew",
        ));
    }
    // A gamma that the file does not have is 1, and a beta 0, which are the values before any training.
    let mut parameters = network.initial_parameters(0);
    for (id, entry, place) in &placed {
        parameters.tensor_mut(*id).copy_from_slice(&file.read(place, &entry.shape)?);
    }
    check_variances(path, &parameters)?;
    Ok(parameters)
}

/// Refuses a moving variance below 0, of whose root no answer would be a number.
fn check_variances(path: &Path, parameters: &Parameters) -> Result<()> {
    for (id, entry) in parameters.table().entries().iter().enumerate() {
        if entry.name.ends_with("/moving_variance")
            && let Some(value) = parameters.tensor(id).iter().find(|value| **value < 0.0)
        {
            let reason = format!(
                "its moving variance for '{}' holds {value}, and no variance is below 0; take another",
                entry.name
            );
            return Err(Error::weights(path, reason));
        }
    }
    Ok(())
}

/// Returns where a tensor of ours is; none of one that is not kept.
fn place(entry: &TensorEntry, source: &Source, naming: &Naming, names: &mut Names) -> Result<Option<String>> {
    let tensor = entry.name.rsplit('/').next().unwrap_or_default();
    let Some(number) = source.tensors.iter().position(|name| *name == tensor) else { return Ok(None) };
    match naming {
        Naming::Numbered { layers } => {
            let place = source.place.replace("layers/", &format!("{layers}/"));
            Ok(Some(format!("{place}/vars/{number}")))
        }
        Naming::Named { root } => names.place(root, source, tensor).map(Some),
    }
}

/// The names of the weights in the old format, group by group.
struct Names<'a> {
    path: &'a Path,
    file: &'a Hdf5,
    of_top: HashMap<String, Vec<String>>,
}

impl Names<'_> {
    /// Returns the place of a tensor: that of its name, without the number of its output behind a colon, in a
    /// layer that is alone in its group, or else has its name before it.
    fn place(&mut self, root: &str, source: &Source, tensor: &str) -> Result<String> {
        let group = format!("{root}{}", source.top);
        if !self.of_top.contains_key(&source.top) {
            let names = self.file.attributes(&group)?.texts("weight_names");
            let names = names.ok_or_else(|| {
                let reason =
                    format!("its layer '{}' does not list its weights; save the model anew", shortened(&source.top));
                Error::weights(self.path, reason)
            })?;
            self.of_top.insert(source.top.clone(), names);
        }
        let is_meant = |name: &&String| {
            let plain = name.rsplit_once(':').map_or(name.as_str(), |(plain, _)| plain);
            let mut parts = plain.rsplit('/');
            let last = parts.next().unwrap_or_default();
            let before = parts.next();
            (last == tensor || last.strip_prefix("depthwise_") == Some(tensor))
                && (source.name == source.top || before == Some(&source.name))
        };
        match self.of_top[&source.top].iter().find(is_meant) {
            Some(name) => Ok(format!("{group}/{name}")),
            None => {
                let reason = format!("its layer '{}' has no {tensor}; save the model anew", shortened(&source.name));
                Err(Error::weights(self.path, reason))
            }
        }
    }
}

/// Returns the places of a network's weights in a file that has no layers of its own.
///
/// # Errors
/// [`Error::Weights`], where the file has more layers, or fewer.
pub fn sources_of(path: &Path, file: &Hdf5, naming: &Naming, network: &Network) -> Result<Vec<Option<Source>>> {
    let names = match naming {
        Naming::Numbered { .. } => numbered(network),
        Naming::Named { root } => named(path, file, root, network)?,
    };
    if let Naming::Numbered { layers } = naming {
        let known: HashSet<String> = names.iter().map(|name| format!("{layers}/{name}")).collect();
        let has_weights = |group: &String| !file.tensors(&format!("{layers}/{group}/vars")).is_empty();
        if let Some(group) = file
            .groups(layers)
            .into_iter()
            .filter(has_weights)
            .find(|group| !known.contains(&format!("{layers}/{group}")))
        {
            let reason = format!(
                "it has weights of a layer '{}', for which the model given has none; give the model that it is of",
                shortened(&group)
            );
            return Err(Error::weights(path, reason));
        }
    }
    let mut names = names.into_iter();
    let source = |layer: &Layer| {
        if layer.tensors.is_empty() {
            return None;
        }
        let name = names.next()?;
        let entries = &network.table().entries()[layer.tensors.clone()];
        Some(Source {
            place: format!("layers/{name}"),
            top: name.clone(),
            name,
            tensors: entries.iter().map(tensor).collect(),
        })
    };
    Ok(network.layers().iter().map(source).collect())
}

/// Returns the name of a tensor within its layer.
fn tensor(entry: &TensorEntry) -> &'static str {
    let name = entry.name.rsplit('/').next().unwrap_or_default();
    let known = ["kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"];
    known.into_iter().find(|known| *known == name).unwrap_or_default()
}

/// Returns Keras's class of a layer with weights.
fn class(kind: &LayerKind) -> &'static str {
    match kind {
        LayerKind::Conv2d(_) => "Conv2D",
        LayerKind::DepthwiseConv2d(_) => "DepthwiseConv2D",
        LayerKind::Dense(_) => "Dense",
        LayerKind::BatchNormalization(_) => "BatchNormalization",
        _ => "",
    }
}

/// Returns the names by class and order of the layers with weights.
fn numbered(network: &Network) -> Vec<String> {
    let mut made: HashMap<String, usize> = HashMap::new();
    let weighted = network.layers().iter().filter(|layer| !layer.tensors.is_empty());
    let names = weighted.map(|layer| {
        let kind = snake_case(class(&layer.kind));
        let count = made.entry(kind.clone()).or_default();
        *count += 1;
        if *count == 1 { kind } else { format!("{kind}_{}", *count - 1) }
    });
    names.collect()
}

/// Returns the names of an old file's layers with weights, which are in order.
fn named(path: &Path, file: &Hdf5, root: &str, network: &Network) -> Result<Vec<String>> {
    let layers = file.attributes(root.trim_end_matches('/'))?.texts("layer_names").unwrap_or_default();
    let mut names = Vec::new();
    for layer in layers {
        let weights = file.attributes(&format!("{root}{layer}"))?.texts("weight_names").unwrap_or_default();
        if !weights.is_empty() {
            names.push(layer);
        }
    }
    let wanted = network.layers().iter().filter(|layer| !layer.tensors.is_empty()).count();
    if names.len() == wanted {
        return Ok(names);
    }
    let reason = format!(
        "it has {} layers with weights, and the model given has {wanted}; give the model that it is of",
        names.len()
    );
    Err(Error::weights(path, reason))
}
