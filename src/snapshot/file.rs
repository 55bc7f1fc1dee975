//! Snapshots as safetensors files, which any reader of such can open.
//!
//! The metadata's one key, `glassnet`, holds [`StepFacts`] and a CRC-32 of the tensors as TOML, whose numbers
//! come back to the bit.

use super::layout::{Expected, layout};
use super::tensor::{Kind, SnapshotTensor, Values};
use super::{Snapshot, StepFacts};
use crate::checkpoint::tensor_file::{Tensor, TensorFile, TensorValues, Tensors};
use crate::error::shortened;
use crate::network::Network;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::Path;

/// What a file says of itself.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    crc32: u32,
    snapshot: StepFacts,
}

impl Snapshot {
    /// Writes the snapshot; what stands under the name is always whole. The same snapshot makes the same
    /// bytes.
    ///
    /// # Errors
    /// [`Error::Io`], where the folder cannot be written or the disk is full.
    pub fn save(&self, path: &Path) -> Result<()> {
        let tensors = Tensors::new(self.tensors.iter().map(as_written).collect());
        let description = Description { crc32: tensors.crc32(), snapshot: self.facts.clone() };
        let description = toml::to_string(&description).map_err(|error| unusable(path, &error.to_string()))?;
        tensors.write(path, description)
    }

    /// Reads a snapshot: its tensors are those of its own network, and as they were written.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Io`], or [`Error::Data`], whose sentence says what is wrong with the
    /// file.
    pub fn read(path: &Path) -> Result<Snapshot> {
        let as_told = |error: Error| match error {
            Error::Weights { reason, .. } => unusable(path, &reason),
            error => error,
        };
        let mut file = TensorFile::open(path).map_err(as_told)?;
        let fail = |reason: &str| unusable(path, reason);
        let text = file.description().ok_or_else(|| fail("it holds tensors, and says nothing of a step"))?;
        let Description { crc32, snapshot: facts } = toml::from_str(text).map_err(|error: toml::de::Error| {
            log::debug!("the description in {}: {error}", path.display());
            fail("what it says of its step cannot be used")
        })?;
        let network = Network::new(&facts.spec)
            .map_err(|error| fail(&format!("its network cannot be built: {}", shortened(&error.to_string()))))?;
        let count = match file.shape("images") {
            Some([count, ..]) if *count > 0 => *count,
            _ => return Err(fail("it has no images")),
        };
        let layout = layout(&network, count);
        let names = file.names();
        if let Some(name) = names.iter().find(|name| !layout.contains_key(*name)) {
            return Err(fail(&format!("it has a tensor '{}', which no step of its network has", shortened(name))));
        }
        if let Some((name, _)) = layout.iter().find(|(name, tensor)| tensor.required && !names.contains(name)) {
            return Err(fail(&format!("it has no tensor '{name}'")));
        }
        if file.crc32()? != crc32 {
            return Err(fail("its tensors are not as they were written; the file is damaged"));
        }
        let tensors = names.into_iter().map(|name| {
            let expected = &layout[&name];
            let values = read(&mut file, &name, expected).map_err(|error| match error {
                Unread::As(reason) => fail(&format!("its tensor '{name}' {reason}")),
                Unread::Error(error) => error,
            })?;
            Ok(SnapshotTensor { name, shape: expected.shape.clone(), values })
        });
        Ok(Snapshot::new(facts, tensors.collect::<Result<_>>()?))
    }
}

/// The error of a file that is no snapshot.
fn unusable(path: &Path, reason: &str) -> Error {
    Error::data(path, format!("it is not a whole snapshot of a training step: {reason}; take another"))
}

fn as_written(tensor: &SnapshotTensor) -> Tensor<'_> {
    let values = match &tensor.values {
        Values::F32(values) => TensorValues::F32(values),
        Values::F64(values) => TensorValues::F64(values.clone()),
        Values::U16(values) => TensorValues::U16(values),
        Values::U32(values) => TensorValues::U32(values),
    };
    Tensor { name: Cow::Borrowed(&tensor.name), shape: tensor.shape.clone(), values }
}

/// Why a tensor was not read.
enum Unread {
    /// What is wrong with it, behind its name.
    As(String),
    Error(Error),
}

/// Reads a tensor, of its type and shape, whose integers lie in their range.
fn read(file: &mut TensorFile, name: &str, expected: &Expected) -> Result<Values, Unread> {
    let shape = &expected.shape;
    let values = match expected.kind {
        Kind::F32 => file.read_as(name, shape, f32::from_le_bytes).map(|read| read.map(Values::F32)),
        Kind::F64 => file.read_as(name, shape, f64::from_le_bytes).map(|read| read.map(Values::F64)),
        Kind::U16 => file.read_as(name, shape, u16::from_le_bytes).map(|read| read.map(Values::U16)),
        Kind::U32 => file.read_as(name, shape, u32::from_le_bytes).map(|read| read.map(Values::U32)),
    };
    let values = values.map_err(Unread::Error)?.map_err(Unread::As)?;
    let largest = match &values {
        Values::U16(values) => values.iter().copied().max().map(u32::from),
        Values::U32(values) => values.iter().copied().max(),
        Values::F32(_) | Values::F64(_) => None,
    };
    match largest {
        Some(largest) if largest >= expected.below => {
            Err(Unread::As(format!("holds {largest}, and {} are the most there are", expected.below)))
        }
        _ => Ok(values),
    }
}
