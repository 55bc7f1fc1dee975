//! Weights files: safetensors, with all that a prediction needs in the metadata.
//!
//! The tensors bear Keras's names and shapes, little-endian f32 in C order, so any safetensors reader can use them. The
//! metadata has one key, `glassnet`, whose value is a [`ModelCard`] as JSON. One key, because the order of several is not
//! fixed, and the same run shall write the same bytes.

use crate::files::write_whole;
use crate::network::Network;
use crate::parameters::{Parameters, TensorEntry};
use crate::spec::ModelSpec;
use crate::{Error, Result};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

/// What [`resize::scale`](crate::data::resize::scale) multiplies by.
pub const RESCALE: f64 = 1.0 / 255.0;
/// What [`resize::resize_nearest`](crate::data::resize::resize_nearest) is called in a [`ModelCard`].
pub const RESIZE: &str = "nearest";

/// The metadata's key.
const KEY: &str = "glassnet";

/// All about a model but its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// The version of glassnet that wrote the file.
    pub version: String,
    /// The layers and the input size.
    pub spec: ModelSpec,
    /// The names of class 0 and class 1; the network's probability is that of class 1.
    pub classes: [String; 2],
    /// What every byte of an image was multiplied by: always [`RESCALE`].
    pub rescale: f64,
    /// How images were brought to the input size: always [`RESIZE`].
    pub resize: String,
    /// Class 1 is predicted where its probability is above this.
    pub threshold: f64,
    /// How the weights came to be.
    pub training: TrainingFacts,
}

/// How a model's weights came to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingFacts {
    /// Epochs trained.
    pub epochs: usize,
    /// The run's seed.
    pub seed: u64,
    /// Images trained on.
    pub images: usize,
    /// The loss on the validation part after the last of these epochs.
    pub val_loss: Option<f64>,
    /// The accuracy on it.
    pub val_accuracy: Option<f64>,
}

/// A model, ready to predict.
#[derive(Clone)]
pub struct Checkpoint {
    /// All but the weights.
    pub card: ModelCard,
    /// The network of the card's spec.
    pub network: Network,
    /// Its weights.
    pub parameters: Parameters,
}

/// Writes a weights file; one of that name is always whole ([`write_whole`]).
///
/// # Errors
/// [`Error::Io`], where the folder cannot be written or the disk is full.
pub fn save(path: &Path, card: &ModelCard, parameters: &Parameters) -> Result<()> {
    let bytes: Vec<Vec<u8>> = (0..parameters.table().entries().len())
        .map(|id| parameters.tensor(id).iter().flat_map(|value| value.to_le_bytes()).collect())
        .collect();
    let fail = |reason: String| Error::weights(path, reason);
    let views = parameters
        .table()
        .entries()
        .iter()
        .zip(&bytes)
        .map(|(entry, bytes)| Ok((entry.name.as_str(), TensorView::new(Dtype::F32, entry.shape.clone(), bytes)?)))
        .collect::<std::result::Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(|error| fail(error.to_string()))?;
    let card = serde_json::to_string(card).map_err(|error| fail(error.to_string()))?;
    let metadata = HashMap::from([(KEY.to_string(), card)]);
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(|error| fail(error.to_string()))?;

    write_whole(path, &bytes)
}

/// Reads a model.
///
/// # Errors
/// [`Error::Missing`], or [`Error::Weights`] where the file is not one of ours, is broken, or its tensors are not those of
/// its own spec.
pub fn load(path: &Path) -> Result<Checkpoint> {
    let bytes = read(path)?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(not_safetensors(path))?;
    let card = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY)).ok_or_else(|| {
        Error::weights(path, "it holds tensors but no model description; give a file that 'glassnet train' wrote")
    })?;
    let card: ModelCard = serde_json::from_str(card)
        .map_err(|error| Error::weights(path, format!("its model description cannot be read: {error}")))?;
    if card.rescale != RESCALE || card.resize != RESIZE {
        let reason = format!(
            "its images were scaled by {} and resized by '{}', but this version knows only {RESCALE} and '{RESIZE}'; use the \
             glassnet that wrote it, version {}",
            card.rescale, card.resize, card.version
        );
        return Err(Error::weights(path, reason));
    }
    let network = Network::new(&card.spec)
        .map_err(|error| Error::weights(path, format!("its model cannot be built: {error}")))?;
    let parameters = tensors(path, &bytes, &network)?;
    Ok(Checkpoint { card, network, parameters })
}

/// Reads weights for a network, from a file of any program that names and shapes them so; metadata are not needed.
///
/// # Errors
/// As [`load`], where the tensors are not those of this network.
pub fn load_parameters(path: &Path, network: &Network) -> Result<Parameters> {
    tensors(path, &read(path)?, network)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    if !std::fs::metadata(path).map_err(Error::io("read", path))?.is_file() {
        let reason =
            "it is not a file; give one that 'glassnet train' wrote, such as weights/best.safetensors in a run folder";
        return Err(Error::weights(path, reason));
    }
    std::fs::read(path).map_err(Error::io("read", path))
}

fn not_safetensors(path: &Path) -> impl Fn(safetensors::SafeTensorError) -> Error + '_ {
    move |error| {
        let reason = format!("it is not a whole safetensors file ({error}); give one that 'glassnet train' wrote");
        Error::weights(path, reason)
    }
}

/// The tensors of a file as a network's weights: every one of them, none besides, each of its shape, all numbers finite.
fn tensors(path: &Path, bytes: &[u8], network: &Network) -> Result<Parameters> {
    let file = SafeTensors::deserialize(bytes).map_err(not_safetensors(path))?;
    let fail = |reason: String| Error::weights(path, reason);
    let entries = network.table().entries();
    let other_network = |fault: String| fail(format!("{fault}; give weights of the same layers and image size"));
    if let Some(name) = file.names().into_iter().find(|name| entries.iter().all(|entry| entry.name != *name)) {
        return Err(other_network(format!("it has a tensor '{name}', which this network has not")));
    }
    // All shapes are compared before memory is asked for: then the file has as many bytes as the weights will take.
    let mut views = Vec::with_capacity(entries.len());
    for TensorEntry { name, shape, .. } in entries {
        let view = file
            .tensor(name)
            .map_err(|_| other_network(format!("it has no tensor '{name}', which this network needs")))?;
        if view.shape() != shape || view.dtype() != Dtype::F32 {
            return Err(other_network(format!(
                "its tensor '{name}' is {:?} {:?}, but this network needs F32 {shape:?}",
                view.dtype(),
                view.shape(),
            )));
        }
        views.push((name, view));
    }
    let mut parameters = Parameters::zeros(network.table());
    for (id, (name, view)) in views.into_iter().enumerate() {
        for (value, bytes) in parameters.tensor_mut(id).iter_mut().zip(view.data().chunks_exact(4)) {
            *value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            if !value.is_finite() {
                return Err(fail(format!(
                    "its tensor '{name}' holds {value}, as its training went astray; take another"
                )));
            }
        }
    }
    Ok(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(spec: &ModelSpec) -> ModelCard {
        ModelCard {
            version: "0.0.0".into(),
            spec: spec.clone(),
            classes: ["cat".into(), "dog".into()],
            rescale: RESCALE,
            resize: RESIZE.into(),
            threshold: 0.5,
            training: TrainingFacts { epochs: 2, seed: 3, images: 4, val_loss: Some(0.5), val_accuracy: None },
        }
    }

    fn spec(units: usize) -> ModelSpec {
        let text = format!(
            "input = [6, 6, 3]\nlayers = [{{ type = 'flatten' }}, {{ type = 'dense', units = {units} }}, {{ type = 'dense', units = 1 }}]"
        );
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn a_saved_model_loads_as_it_was_and_saving_again_gives_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let spec = spec(5);
        let parameters = Network::new(&spec).unwrap().initial_parameters(8);
        save(&path, &card(&spec), &parameters).unwrap();
        let first = std::fs::read(&path).unwrap();
        let loaded = load(&path).unwrap();
        assert_eq!(loaded.card, card(&spec));
        assert_eq!(loaded.parameters.as_slice(), parameters.as_slice());
        save(&path, &loaded.card, &loaded.parameters).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no unfinished file stays");
    }

    #[test]
    fn a_model_that_saw_its_images_otherwise_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let parameters = Network::new(&spec(5)).unwrap().initial_parameters(8);
        save(&path, &ModelCard { resize: "bilinear".into(), ..card(&spec(5)) }, &parameters).unwrap();
        let error = load(&path).err().unwrap().to_string();
        assert!(error.contains("resized by 'bilinear'") && error.ends_with("version 0.0.0"), "{error}");
    }

    #[test]
    fn weights_of_another_network_are_refused_with_both_shapes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let parameters = Network::new(&spec(5)).unwrap().initial_parameters(8);
        save(&path, &card(&spec(5)), &parameters).unwrap();
        let error = load_parameters(&path, &Network::new(&spec(4)).unwrap()).err().unwrap().to_string();
        assert!(
            error.contains("its tensor 'dense/kernel' is F32 [108, 5], but this network needs F32 [108, 4]; give"),
            "{error}"
        );
        // A spec that does not fit its own tensors
        save(&path, &card(&spec(4)), &parameters).unwrap();
        assert!(load(&path).is_err());
    }

    #[test]
    fn broken_and_foreign_files_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let error = |path: &Path| load(path).err().unwrap().to_string();
        assert!(error(&path).ends_with("does not exist; check the path"));
        std::fs::write(&path, b"PK\x03\x04 not a model").unwrap();
        assert!(error(&path).contains("it is not a whole safetensors file"), "{}", error(&path));

        let spec = spec(5);
        let mut parameters = Network::new(&spec).unwrap().initial_parameters(8);
        save(&path, &card(&spec), &parameters).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        assert!(error(&path).contains("it is not a whole safetensors file"), "{}", error(&path));

        parameters.tensor_mut(1)[0] = f32::NAN;
        save(&path, &card(&spec), &parameters).unwrap();
        assert!(error(&path).contains("'dense/bias' holds NaN"), "{}", error(&path));
    }
}
