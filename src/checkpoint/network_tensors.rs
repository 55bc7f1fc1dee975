//! The tensors of a network in a file: named, checked, and read.

use super::state_tensors::is_state;
use super::tensor_file::{Tensor, TensorFile, TensorValues};
use crate::error::shortened;
use crate::network::Network;
use crate::parameters::{Parameters, TensorEntry};
use crate::{Error, Result};
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

/// Iterates over those tensors of a buffer of which `kept` is true, to be written under their names behind
/// `prefix`.
pub fn named<'a>(
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
        values: TensorValues::F32(parameters.tensor(id)),
    })
}

/// Keeps every tensor: those of weights are all written, those of moments only where there are moments.
pub fn any(_: &TensorEntry) -> bool {
    true
}

/// Refuses a file with a tensor that is neither of this network nor of a run's state.
///
/// # Errors
/// [`Error::Weights`], with the tensor's name.
pub fn refuse_foreign(path: &Path, file: &TensorFile, network: &Network) -> Result<()> {
    let entries = network.table().entries();
    let foreign = |name: &String| !is_state(name) && entries.iter().all(|entry| entry.name != *name);
    match file.names().into_iter().find(foreign) {
        Some(name) => {
            let fault = format!("it has a tensor '{}', which this network has not", shortened(&name));
            Err(other_network(path, fault))
        }
        None => Ok(()),
    }
}

/// Refuses a file that lacks one of those tensors of a network of which `kept` is true, under its name behind
/// `prefix`, or has it in another shape. All shapes are compared before memory is asked for: then the file
/// has as many bytes as they will take.
pub fn check(
    path: &Path,
    file: &TensorFile,
    network: &Network,
    prefix: &str,
    kept: impl Fn(&TensorEntry) -> bool,
) -> Result<()> {
    for TensorEntry { name, shape, .. } in network.table().entries().iter().filter(|entry| kept(entry)) {
        file.check_f32(&format!("{prefix}{name}"), shape).map_err(|fault| other_network(path, fault))?;
    }
    Ok(())
}

/// Returns the error for a file of another network.
fn other_network(path: &Path, fault: String) -> Error {
    Error::weights_with_advice(path, fault, "give weights of the same layers and image size")
}

/// Reads weights that [`check`] found to be there.
pub fn read(file: &mut TensorFile, network: &Network, prefix: &str) -> Result<Parameters> {
    let mut parameters = Parameters::zeros(network.table());
    read_into(file, &mut parameters, prefix, any)?;
    Ok(parameters)
}

/// Reads those of them of which `kept` is true.
pub fn read_into(
    file: &mut TensorFile,
    parameters: &mut Parameters,
    prefix: &str,
    kept: impl Fn(&TensorEntry) -> bool,
) -> Result<()> {
    let table = Arc::clone(parameters.table());
    for (id, entry) in table.entries().iter().enumerate().filter(|(_, entry)| kept(entry)) {
        file.read_finite_f32(&format!("{prefix}{}", entry.name), parameters.tensor_mut(id))?;
    }
    Ok(())
}
