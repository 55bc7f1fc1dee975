//! PyTorch's weights, read: state dicts that `torch.save` wrote (`.pt`, `.pth`), and safetensors with
//! PyTorch's names.
//!
//! A state dict has tensors by name, and no layers, so these have to be given. A tensor's layer is found by
//! order: modules stand in the file as the network runs through them, and each has to have the shapes that
//! our layer needs. What differs between the two programs is turned around:
//!
//! | tensor | in PyTorch | here |
//! |---|---|---|
//! | kernel of a convolution | `[F, C, kernel height, kernel width]` | `[kernel height, kernel width, C, F]` |
//! | kernel of a depthwise one, `groups=C` | `[C·M, 1, kernel height, kernel width]` | `[kernel height, kernel width, C, M]` |
//! | kernel of a dense layer | `[units, inputs]` | `[inputs, units]` |
//! | what reaches it behind a flatten | channel by channel | pixel by pixel |
//! | batch normalization | `weight`, `bias`, `running_mean`, `running_var` | gamma, beta, moving mean, moving variance |
//!
//! No value is computed with, so the weights keep every bit.
//!
//! **No code is run.** A state dict is a pickle, a program for a small machine, which in Python can call
//! anything. The machine here ([`pickle`]) calls nothing: it writes down which function the file names, with
//! its arguments, and what it names is looked at afterwards. Only the functions that rebuild tensors mean
//! anything.

mod archive;
mod matching;
mod modules;
pub mod pickle;
mod state_dict;
mod tensor;

pub use archive::{is_legacy, is_zip_of_pickle};

use crate::checkpoint::tensor_file::TensorFile;
use crate::data::catch_panic::catch_panic;
use crate::exchange::{Given, Imported, PixelScale, read_model_file};
use crate::network::Network;
use crate::{Error, Result};
use matching::{Order, matched};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use tensor::Named;

/// Reads a file that `torch.save` wrote: a state dict, one within a checkpoint, or a whole module.
///
/// # Errors
/// [`Error::Weights`] names the tensor that does not fit, with both shapes, or what is amiss with the file.
pub fn from_pickle(path: &Path, given: &Given) -> Result<Imported> {
    let bytes = read_model_file(path)?;
    let fail = |reason: String| Error::weights(path, reason);
    // The library that reads zips is other people's, and the file may be anybody's.
    let tensors = catch_panic(AssertUnwindSafe(|| archive::tensors(&bytes)));
    let tensors = tensors.unwrap_or_else(|| Err("the reader of zips failed on it; save it anew".to_string()));
    imported(path, &tensors.map_err(fail)?, Order::Kept, given)
}

/// Reads safetensors with PyTorch's names.
///
/// # Errors
/// [`Error::Weights`], as [`from_pickle`].
pub fn from_safetensors(path: &Path, given: &Given) -> Result<Imported> {
    let mut file = TensorFile::open(path)?;
    if file.description().is_some() {
        return Err(Error::weights(path, "it is a weights file of glassnet already; take it as it is"));
    }
    let tensors = tensor::of_safetensors(path, &mut file)?;
    imported(path, &tensors, Order::ByName, given)
}

fn imported(path: &Path, tensors: &[Named], order: Order, given: &Given) -> Result<Imported> {
    let Some(spec) = given.sized_model() else {
        let reason = "it holds weights without their layers; give these too, with --model model.toml";
        return Err(Error::weights(path, reason));
    };
    let fail = |reason: String| Error::weights(path, reason);
    let network = Network::new(&spec)?;
    let (parameters, mut notes) = matched(&network, tensors, order).map_err(fail)?;
    let pixels = given.pixels.unwrap_or_else(|| {
        let sentence = "pixels from 0 to 1 are assumed, as torchvision's ToTensor makes them; if they were normalized behind it, give --pixels, \
                        such as -1,1 for a mean and a deviation of 0.5, or imagenet";
        notes.push(sentence.into());
        PixelScale::UNIT
    });
    let (network, parameters) = pixels.brought_to_unit(network, parameters, &mut notes).map_err(fail)?;
    Ok(Imported { network, parameters, card: None, notes })
}
