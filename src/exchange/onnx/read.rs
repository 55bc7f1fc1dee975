//! A file as a model: what its graph says, and where glassnet wrote it, the card that lies in it.

use super::chain::Chain;
use super::messages::Model;
use super::tensor::{Tensor, TensorData};
use super::walk::{Walked, walk};
use super::write::{CARD_KEY, OnnxInput, to_bytes};
use crate::checkpoint::{Checkpoint, ModelCard};
use crate::data::reading::{BitDepth, Reading};
use crate::error::shortened;
use crate::exchange::imported::{Imported, plain_card, read_model_file};
use crate::network::Network;
use crate::parameters::Parameters;
use crate::{Error, Result};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

/// Reads a model from an ONNX file, and from files beside it that hold some of its tensors.
///
/// # Errors
/// [`Error::Missing`], [`Error::Io`], and [`Error::Weights`] with a sentence that names the first node that
/// is no layer here.
pub fn read(path: &Path) -> Result<Imported> {
    let bytes = read_model_file(path)?;
    let fault = |sentence: String| Error::weights(path, sentence);
    let mut model = Model::read(&bytes).map_err(|phrase| fault(format!("it is not a whole ONNX file: {phrase}")))?;
    let files = files_beside(path, &model.graph.initializers)?;
    for tensor in &mut model.graph.initializers {
        fetch(tensor, &files).map_err(fault)?;
    }
    understand(&model, &bytes).map_err(fault)
}

/// Reads a model from the bytes of an ONNX file.
///
/// # Errors
/// A sentence, as [`read`].
pub fn from_bytes(bytes: &[u8]) -> Result<Imported, String> {
    let model = Model::read(bytes).map_err(|phrase| format!("it is not a whole ONNX file: {phrase}"))?;
    understand(&model, bytes)
}

/// Reads the files in the folder of `path` that hold tensors.
fn files_beside(path: &Path, tensors: &[Tensor]) -> Result<HashMap<String, Vec<u8>>> {
    let mut files = HashMap::new();
    for tensor in tensors {
        let TensorData::Elsewhere { file, .. } = &tensor.data else { continue };
        if files.contains_key(*file) {
            continue;
        }
        let plain = !file.is_empty() && !file.contains(['/', '\\', ':', '\0']) && !matches!(*file, "." | "..");
        if !plain {
            let reason = format!(
                "its tensor '{}' is in the file '{}', which is not beside it; save the model in one file",
                shortened(&tensor.name),
                shortened(file)
            );
            return Err(Error::weights(path, reason));
        }
        let bytes = read_model_file(&path.with_file_name(file))?;
        files.insert(file.to_string(), bytes);
    }
    Ok(files)
}

/// Puts the bytes of a tensor that are in another file in their place.
fn fetch(tensor: &mut Tensor, files: &HashMap<String, Vec<u8>>) -> Result<(), String> {
    let TensorData::Elsewhere { file, offset, length } = tensor.data else { return Ok(()) };
    let bytes = files.get(file).map_or(&[][..], |bytes| bytes);
    let place = |at: u64| usize::try_from(at).ok();
    let start = place(offset);
    let end = match length {
        Some(length) => offset.checked_add(length).and_then(place),
        None => Some(bytes.len()),
    };
    let stretch = start.zip(end).and_then(|(start, end)| bytes.get(start..end));
    let fault = || {
        format!(
            "its tensor '{}' reaches over the end of '{}', which holds it",
            shortened(&tensor.name),
            shortened(file)
        )
    };
    tensor.data = TensorData::Here(Cow::Owned(stretch.ok_or_else(fault)?.to_vec()));
    Ok(())
}

/// Makes a model of a file's messages.
fn understand(model: &Model, bytes: &[u8]) -> Result<Imported, String> {
    let Walked { network, parameters, bit_depth, notes } = walk(&Chain::new(model)?)?;
    let card = model.metadata.iter().find(|(key, _)| key == CARD_KEY);
    let card =
        card.and_then(|(_, text)| serde_json::from_str::<ModelCard>(text).ok()).filter(|card| card.fault().is_none());
    match card {
        Some(card) if card.classes.count() == network.head().classes() => match as_written(&card, &parameters, bytes) {
            Some(model) => {
                let Checkpoint { card, network, parameters } = model;
                Ok(Imported { network, parameters, card: Some(card), notes: Vec::new() })
            }
            None => {
                let mut notes = notes;
                notes.push("it was changed since glassnet wrote it: dropout and momenta are not as they were".into());
                Ok(Imported { network, parameters, card: Some(card), notes })
            }
        },
        _ => {
            let card = match bit_depth {
                BitDepth::Eight => None,
                BitDepth::Sixteen => {
                    let reading = Reading { bit_depth, ..Reading::default() };
                    Some(plain_card(&network, reading).map_err(|error| error.to_string())?)
                }
            };
            Ok(Imported { network, parameters, card, notes })
        }
    }
}

/// Returns the model of a card with these weights, if writing it gives these bytes: then it is the one that
/// was written, with all that a graph does not tell, such as dropout.
fn as_written(card: &ModelCard, weights: &Parameters, bytes: &[u8]) -> Option<Checkpoint> {
    let network = Network::new(&card.spec).ok()?;
    let (ours, read) = (network.table().entries(), weights.table().entries());
    let as_many = ours.len() == read.len() && ours.iter().zip(read).all(|(a, b)| a.range.len() == b.range.len());
    if !as_many {
        return None;
    }
    let mut parameters = Parameters::zeros(network.table());
    for id in 0..ours.len() {
        parameters.tensor_mut(id).copy_from_slice(weights.tensor(id));
    }
    let model = Checkpoint { card: card.clone(), network, parameters };
    [OnnxInput::Floats, OnnxInput::Samples].into_iter().any(|input| to_bytes(&model, input) == bytes).then_some(model)
}
