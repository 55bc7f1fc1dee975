//! The format of a model's file, by its content: names may end as they like.

use super::{keras, pytorch};
use crate::checkpoint::tensor_file::TensorFile;
use crate::data::catch_panic::catch_panic;
use crate::{Error, Result};
use std::fs::File;
use std::io::{BufReader, Read};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use zip::ZipArchive;

/// The format of a model's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Keras's zip of layers and tensors.
    Keras,
    /// HDF5, as Keras has it for weights, and for whole models in old files.
    KerasHdf5,
    /// A pickle of PyTorch, in a zip or not.
    Pytorch,
    /// Tensors alone, in safetensors, with PyTorch's names.
    Safetensors,
    /// A zip of numpy's arrays.
    Npz,
    /// Protocol buffers, which begin with nothing special: what is none of the others.
    Onnx,
}

impl Format {
    /// Tells the format of a file.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Io`]; [`Error::Weights`] of what is no file, or of a format that is known
    /// and not read.
    pub fn of(path: &Path) -> Result<Format> {
        let facts = std::fs::metadata(path).map_err(Error::io("read", path))?;
        if !facts.is_file() {
            return Err(Error::weights(path, "it is not a file; give the file of a model"));
        }
        let mut start = Vec::new();
        let mut file = File::open(path).map_err(Error::io("read", path))?;
        file.by_ref().take(512).read_to_end(&mut start).map_err(Error::io("read", path))?;
        if start.starts_with(keras::HDF5_SIGNATURE) {
            return Ok(Format::KerasHdf5);
        }
        if start.starts_with(b"PK\x03\x04") {
            return of_zip(path);
        }
        if pytorch::is_legacy(&start) {
            return Ok(Format::Pytorch);
        }
        if start.get(8) == Some(&b'{') && TensorFile::open(path).is_ok() {
            return Ok(Format::Safetensors);
        }
        let reason = match &start[..] {
            [] => "it is empty; give the file of a model",
            [b'{', ..] => {
                "it is JSON; where a model's tensors are in several files, shards, save it as one, and where it is layers alone, give them with \
                 their weights"
            }
            [0x80, ..] => "it is a pickle, but none that torch.save wrote; save model.state_dict() by torch.save",
            start if start.get(257..262) == Some(b"ustar") => {
                "it is a tar, as PyTorch wrote before version 0.1.10; save model.state_dict() by a newer one"
            }
            start if start.starts_with(b"GGUF") => "it is GGUF, which has language models; give a model of images",
            [0x08, ..] => return Ok(Format::Onnx),
            _ => {
                "it is of no format that is known here; give .keras, .h5, .weights.h5, .onnx, .npz, .pt, .pth or .safetensors"
            }
        };
        Err(Error::weights(path, reason))
    }
}

/// Tells the format of a zip by the names in it.
fn of_zip(path: &Path) -> Result<Format> {
    let names = || -> Option<Vec<String>> {
        let zip = ZipArchive::new(BufReader::new(File::open(path).ok()?)).ok()?;
        let names = (0..zip.len()).filter_map(|index| Some(zip.by_index_data(index).ok()?.name().ok()?.into_owned()));
        Some(names.collect())
    };
    let names = catch_panic(AssertUnwindSafe(names)).flatten();
    let names = names
        .ok_or_else(|| Error::weights(path, "it is not a whole zip; save the model anew, or download it again"))?;
    if names.iter().any(|name| name == keras::CONFIG) {
        Ok(Format::Keras)
    } else if pytorch::is_zip_of_pickle(&names) {
        Ok(Format::Pytorch)
    } else if names.iter().any(|name| name.ends_with(".npy")) {
        Ok(Format::Npz)
    } else {
        let reason = "it is a zip, but none of a model: Keras has config.json in it, PyTorch data.pkl, and numpy .npy; give the file of a model";
        Err(Error::weights(path, reason))
    }
}
