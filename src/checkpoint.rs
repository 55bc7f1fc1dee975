//! Weights files: safetensors, with all that a prediction needs in the metadata.
//!
//! The tensors bear Keras's names and shapes, little-endian f32 in C order, so any safetensors reader can use
//! them. The metadata has one key, `glassnet`, whose value is a [`ModelCard`] as JSON. A file from which a
//! run can go on ([`run`]) has further tensors, whose names cannot be those of weights, and one more field in
//! the JSON.

pub mod run;
mod tensor_file;

use crate::data::reading::Reading;
use crate::error::shortened;
use crate::network::Network;
use crate::parameters::{Parameters, TensorEntry};
use crate::spec::{LayerSpec, ModelSpec};
use crate::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::path::Path;
use tensor_file::{Tensor, TensorFile, Tensors, Values};

/// What [`resize::scale`](crate::data::resize::scale) multiplies by.
pub const RESCALE: f64 = 1.0 / 255.0;
/// What [`resize::resize_nearest`](crate::data::resize::resize_nearest) is called in a [`ModelCard`].
pub const RESIZE: &str = "nearest";

/// The longest name of a class. It is that of a folder, and is told beside every answer.
pub const MAX_CLASS_NAME_BYTES: usize = 1024;

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
    /// How files were read; what is the default is not written, so that files of old versions have it too.
    #[serde(default, skip_serializing_if = "Reading::is_default")]
    pub reading: Reading,
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

/// Writes a weights file; one of that name is always whole ([`write_whole`](crate::files::write_whole)).
///
/// # Errors
/// [`Error::Io`], where the folder cannot be written or the disk is full.
pub fn save(path: &Path, card: &ModelCard, parameters: &Parameters) -> Result<()> {
    let description = serde_json::to_string(card).map_err(|error| Error::weights(path, error.to_string()))?;
    Tensors::new(named(parameters, "", any).collect()).write(path, description)
}

/// Those tensors of a buffer of which `kept` is true, to be written under their names behind `prefix`.
fn named<'a>(
    parameters: &'a Parameters,
    prefix: &'a str,
    kept: fn(&TensorEntry) -> bool,
) -> impl Iterator<Item = Tensor<'a>> {
    let entries = parameters.table().entries().iter().enumerate().filter(move |(_, entry)| kept(entry));
    entries.map(move |(id, entry)| Tensor {
        name: match prefix {
            "" => Cow::Borrowed(entry.name.as_str()),
            _ => Cow::Owned(format!("{prefix}{}", entry.name)),
        },
        shape: entry.shape.clone(),
        values: Values::F32(parameters.tensor(id)),
    })
}

/// Keeps every tensor: those of weights are all written, those of moments only where there are moments.
fn any(_: &TensorEntry) -> bool {
    true
}

/// Reads a model, from a file of weights or one from which a run can go on.
///
/// # Errors
/// [`Error::Missing`], or [`Error::Weights`] where the file is not one of ours, is broken, or its tensors are
/// not those of its own spec.
pub fn load(path: &Path) -> Result<Checkpoint> {
    let begun = std::time::Instant::now();
    let mut file = TensorFile::open(path)?;
    let card: ModelCard = described(path, &file)?;
    if card.rescale != RESCALE || card.resize != RESIZE {
        let reason = format!(
            "its images were scaled by {} and resized by '{}', but this version knows only {RESCALE} and '{RESIZE}'; use the \
             glassnet that wrote it, version {}",
            card.rescale,
            shortened(&card.resize),
            shortened(&card.version)
        );
        return Err(Error::weights(path, reason));
    }
    if let Some(name) = card.classes.iter().find(|name| name.len() > MAX_CLASS_NAME_BYTES) {
        let reason = format!(
            "a class has a name of {} bytes, and {MAX_CLASS_NAME_BYTES} are the most: '{}'; take another",
            name.len(),
            shortened(name)
        );
        return Err(Error::weights(path, reason));
    }
    if card.classes[0] == card.classes[1] {
        let reason = format!("both of its classes are called '{}'; take another", shortened(&card.classes[0]));
        return Err(Error::weights(path, reason));
    }
    if !(0.0..=1.0).contains(&card.threshold) {
        let reason = format!("its threshold is {}, and a probability is from 0 to 1; take another", card.threshold);
        return Err(Error::weights(path, reason));
    }
    let network = Network::new(&card.spec)
        .map_err(|error| Error::weights(path, format!("its model cannot be built: {error}")))?;
    let parameters = weights(path, &mut file, &network)?;
    let count = network.table().parameter_count();
    log::debug!("{}: {count} parameters read in {:.1?}", path.display(), begun.elapsed());
    Ok(Checkpoint { card, network, parameters })
}

/// Reads weights for a network, from a file of any program that names and shapes them so; metadata are not
/// needed.
///
/// # Errors
/// As [`load`], where the tensors are not those of this network.
pub fn load_parameters(path: &Path, network: &Network) -> Result<Parameters> {
    weights(path, &mut TensorFile::open(path)?, network)
}

/// What a file says of its weights, if it can be told; the weights are not read.
pub fn card_of(path: &Path) -> Option<ModelCard> {
    let file = TensorFile::open(path).ok()?;
    described(path, &file).ok()
}

/// The metadata's JSON.
fn described<T: for<'a> Deserialize<'a>>(path: &Path, file: &TensorFile) -> Result<T> {
    let description = file.description().ok_or_else(|| {
        Error::weights(path, "it holds tensors but no model description; give a file that 'glassnet train' wrote")
    })?;
    serde_json::from_str(description).map_err(|error| {
        log::debug!("the model description in {}: {error}", path.display());
        let fault = fault(description);
        let reason = format!(
            "its model description cannot be used: {fault}; the file was changed or is damaged, give another that 'glassnet train' wrote"
        );
        Error::weights(path, reason)
    })
}

/// What is not right in a model description, in words that go on after it.
fn fault(description: &str) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_str(description) else {
        return "it is no whole JSON object".to_string();
    };
    fn reads<T: DeserializeOwned>(value: &Value) -> bool {
        T::deserialize(value).is_ok()
    }
    type Reads = fn(&Value) -> bool;
    let wanted: [(&str, Reads); 7] = [
        ("version", reads::<String>),
        ("spec", reads::<ModelSpec>),
        ("classes", reads::<[String; 2]>),
        ("rescale", reads::<f64>),
        ("resize", reads::<String>),
        ("threshold", reads::<f64>),
        ("training", reads::<TrainingFacts>),
    ];
    let layers = fields.get("spec").and_then(|spec| spec.get("layers")).and_then(Value::as_array);
    if let Some(place) = layers.and_then(|layers| layers.iter().position(|layer| !reads::<LayerSpec>(layer))) {
        return format!("layer {} in its 'spec' is none that this version knows", place + 1);
    }
    for (name, reads) in wanted {
        match fields.get(name) {
            None => return format!("it has no '{name}'"),
            Some(value) if !reads(value) => return format!("its '{name}' is not as it was written"),
            Some(_) => {}
        }
    }
    if fields.get("reading").is_some_and(|reading| !reads::<Reading>(reading)) {
        return "its 'reading' is not as it was written".to_string();
    }
    "its 'run' is not as it was written".to_string()
}

/// The tensors of a file as a network's weights: every one of them, none besides but the state of a run, each
/// of its shape, all numbers finite.
fn weights(path: &Path, file: &mut TensorFile, network: &Network) -> Result<Parameters> {
    let entries = network.table().entries();
    let foreign = |name: &String| !run::is_state(name) && entries.iter().all(|entry| entry.name != *name);
    if let Some(name) = file.names().into_iter().find(foreign) {
        return Err(other_network(path, format!("it has a tensor '{}', which this network has not", shortened(&name))));
    }
    check(path, file, network, "", any)?;
    read(file, network, "")
}

/// Whether a file has those tensors of a network of which `kept` is true, under their names behind `prefix`.
/// All shapes are compared before memory is asked for: then the file has as many bytes as they will take.
fn check(
    path: &Path,
    file: &TensorFile,
    network: &Network,
    prefix: &str,
    kept: fn(&TensorEntry) -> bool,
) -> Result<()> {
    for TensorEntry { name, shape, .. } in network.table().entries().iter().filter(|entry| kept(entry)) {
        file.check_f32(&format!("{prefix}{name}"), shape).map_err(|fault| other_network(path, fault))?;
    }
    Ok(())
}

fn other_network(path: &Path, fault: String) -> Error {
    Error::weights(path, format!("{fault}; give weights of the same layers and image size"))
}

/// Reads weights that [`check`] found to be there.
fn read(file: &mut TensorFile, network: &Network, prefix: &str) -> Result<Parameters> {
    let mut parameters = Parameters::zeros(network.table());
    for (id, TensorEntry { name, .. }) in network.table().entries().iter().enumerate() {
        file.read_finite_f32(&format!("{prefix}{name}"), parameters.tensor_mut(id))?;
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
            reading: Reading::default(),
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
    fn classes_that_cannot_be_told_apart_or_have_endless_names_are_refused_in_a_short_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let parameters = Network::new(&spec(5)).unwrap().initial_parameters(8);
        let error = |card: ModelCard| {
            save(&path, &card, &parameters).unwrap();
            load(&path).err().unwrap().to_string()
        };
        let twice = error(ModelCard { classes: ["cat".into(), "cat".into()], ..card(&spec(5)) });
        assert!(twice.ends_with(": both of its classes are called 'cat'; take another"), "{twice}");
        let long = error(ModelCard { classes: ["c".repeat(1025), "dog".into()], ..card(&spec(5)) });
        assert!(long.contains(": a class has a name of 1025 bytes, and 1024 are the most: 'ccc"), "{long}");
        let resized = error(ModelCard { resize: "x".repeat(1_000_000), ..card(&spec(5)) });
        let version = error(ModelCard { rescale: 1.0, version: "x".repeat(1_000_000), ..card(&spec(5)) });
        assert!([long, resized, version].iter().all(|error| error.len() < 1000));
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
