//! Reading Keras's files.

use super::convert::{Architecture, pixels};
use super::hdf5::Hdf5;
use super::weights::{Naming, naming, read, sources_of};
use super::{CARD, CONFIG, METADATA, WEIGHTS};
use crate::checkpoint::{MAX_CLASS_NAME_BYTES, ModelCard, RESCALE};
use crate::data::catch_panic::catch_panic;
use crate::error::{counted, shortened};
use crate::exchange::{Given, Imported};
use crate::network::Network;
use crate::{Error, Result};
use serde::Deserialize;
use serde_json::Value;
use std::io::{Cursor, Read};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use zip::ZipArchive;

/// The longest JSON that is read, in bytes: that of a model of a thousand layers has a million.
const MAX_JSON_BYTES: u64 = 16 << 20;

/// The most times that the tensors may unpack to the bytes of the file. Weights hardly shrink when they are
/// packed, but moments that are still 0 do, and there are two for each weight.
const MAX_RATIO: u64 = 16;

/// Up to this size tensors may unpack to any multiple.
const RATIO_FREE_BYTES: u64 = 16 << 20;

/// The entries that Keras has where a model's tensors are in several files, or in numpy's.
const OTHER_STORES: [(&str, &str); 2] = [
    ("model.weights.json", "its tensors are in several files, shards; save it as one, without max_shard_size"),
    ("model.weights.npz", "its tensors are in an npz; save it by Keras with h5py installed"),
];

/// Reads a `.keras` file, whose bytes these are.
///
/// # Errors
/// [`Error::Weights`] names what is amiss: the layer that has no counterpart here, the tensor that does not
/// fit, the entry that is not there.
pub fn from_zip(path: &Path, bytes: Vec<u8>, given: &Given) -> Result<Imported> {
    // The library that reads zips is other people's, and the file may be anybody's.
    let entries = catch_panic(AssertUnwindSafe(|| entries(path, bytes)));
    let entries =
        entries.unwrap_or_else(|| Err(Error::weights(path, "the reader of zips failed on it; save the model anew")))?;
    let model = json(path, CONFIG, &entries.config)?;
    let metadata = json(path, METADATA, &entries.metadata)?;
    let file = Hdf5::open(path, entries.weights)?;
    let mut imported = whole_model(path, &file, &model, given)?;
    imported.card = card(&metadata, imported.network.head().classes());
    if let Some(version) = metadata.get("keras_version").and_then(Value::as_str) {
        imported.notes.insert(0, format!("saved by Keras {}", shortened(version)));
    }
    Ok(imported)
}

/// Reads an HDF5 file of Keras: an old `.h5` of a whole model, or one of weights, whose layers are given.
///
/// # Errors
/// [`Error::Weights`], as [`from_zip`], and of weights without layers.
pub fn from_hdf5(path: &Path, bytes: Vec<u8>, given: &Given) -> Result<Imported> {
    let file = Hdf5::open(path, bytes)?;
    if let Some(text) = file.attributes("")?.text("model_config") {
        return whole_model(path, &file, &json(path, "model_config", text.as_bytes())?, given);
    }
    let naming = naming(path, &file)?;
    let Some(spec) = given.sized_model() else {
        let reason = "it holds weights without their layers; give these too, with --model model.toml";
        return Err(Error::weights(path, reason));
    };
    let mut notes = Vec::new();
    let network = Network::new(&spec)?;
    let sources = sources_of(path, &file, &naming, &network)?;
    let parameters = read(path, &file, &naming, &network, &sources)?;
    let pixels = pixels(None, given.pixels, &mut notes);
    let (network, parameters) =
        pixels.brought_to_unit(network, parameters, &mut notes).map_err(|reason| Error::weights(path, reason))?;
    note_optimizer(&file, &mut notes);
    Ok(Imported { network, parameters, card: None, notes })
}

/// Reads a model that has its layers with it.
fn whole_model(path: &Path, file: &Hdf5, model: &Value, given: &Given) -> Result<Imported> {
    let fail = |reason: String| Error::weights(path, reason);
    if given.model.is_some() {
        return Err(fail("it has its layers with it, and others are given; leave --model out".to_string()));
    }
    let mut architecture = Architecture::new(model, given).map_err(fail)?;
    let network = Network::new(&architecture.spec)
        .map_err(|error| fail(format!("no network can be built of its layers: {error}")))?;
    architecture.check_end(network.head().units()).map_err(fail)?;
    // What its units mean, its end tells.
    let network = Network::new(&architecture.spec)?;
    let naming = naming(path, file)?;
    let parameters = read(path, file, &naming, &network, &architecture.sources)?;
    let (pixels, mut notes) = (architecture.pixels, architecture.notes);
    let (network, parameters) = pixels.brought_to_unit(network, parameters, &mut notes).map_err(fail)?;
    note_optimizer(file, &mut notes);
    if let Naming::Named { .. } = naming
        && file.has_group("optimizer_weights")
    {
        notes.push(
            "its optimizer's state is left behind: a training goes on with the weights and a new optimizer".into(),
        );
    }
    Ok(Imported { network, parameters, card: None, notes })
}

/// Says that the optimizer's state is not taken along, where there is one.
fn note_optimizer(file: &Hdf5, notes: &mut Vec<String>) {
    if let Some(steps) = file.number("optimizer/vars/0").filter(|steps| *steps > 0) {
        let steps = counted(steps as usize, "step");
        notes.push(format!("its optimizer's state after {steps} is left behind: a training goes on with the weights and a new optimizer"));
    }
}

/// What a `.keras` file holds.
struct Entries {
    config: Vec<u8>,
    metadata: Vec<u8>,
    weights: Vec<u8>,
}

/// Reads the entries of a `.keras` file, each within its limit.
fn entries(path: &Path, bytes: Vec<u8>) -> Result<Entries> {
    let broken = |error: zip::result::ZipError| {
        log::debug!("the zip {}: {error}", path.display());
        Error::weights(path, "it is not a whole zip; save the model anew, or download it again")
    };
    let len = bytes.len() as u64;
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    for (name, reason) in OTHER_STORES {
        if zip.index_for_name(name).is_some() {
            return Err(Error::weights(path, reason));
        }
    }
    let mut entry = |name: &str, most: u64| -> Result<Vec<u8>> {
        let missing = || Error::weights(path, format!("its entry {name} is not there; save the model anew by Keras"));
        let index = zip.index_for_name(name).ok_or_else(missing)?;
        let entry = zip.by_index(index).map_err(broken)?;
        let too_large = || {
            Error::weights(
                path,
                format!("its entry {name} unpacks to more than {most} bytes; save the model anew by Keras"),
            )
        };
        if entry.size() > most {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        // What an entry declares is a limit, and no more.
        entry.take(most + 1).read_to_end(&mut bytes).map_err(|error| broken(error.into()))?;
        if bytes.len() as u64 > most { Err(too_large()) } else { Ok(bytes) }
    };
    let config = entry(CONFIG, MAX_JSON_BYTES)?;
    let metadata = entry(METADATA, MAX_JSON_BYTES)?;
    let weights = entry(WEIGHTS, RATIO_FREE_BYTES.max(len.saturating_mul(MAX_RATIO)))?;
    Ok(Entries { config, metadata, weights })
}

/// Reads JSON.
fn json(path: &Path, name: &str, bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|error| {
        log::debug!("{name} of {}: {error}", path.display());
        Error::weights(path, format!("its {name} is no JSON; save the model anew by Keras"))
    })
}

/// Returns the card, if the file has one that this version can follow, of a network that tells so many
/// classes apart.
fn card(metadata: &Value, classes: usize) -> Option<ModelCard> {
    let card = ModelCard::deserialize(metadata.get(CARD)?).ok()?;
    let fits = card.classes.count() == classes
        && card.classes.names().all(|name| name.len() <= MAX_CLASS_NAME_BYTES)
        && card.rescale == RESCALE
        && card.resize == card.reading.resize_name()
        && (0.0..=1.0).contains(&card.threshold);
    fits.then_some(card)
}
