//! Keras's files: `.keras`, written and read; `.weights.h5` and the old `.h5`, read.
//!
//! | file | holds |
//! |---|---|
//! | `.keras` | a zip of `metadata.json`, `config.json` (the layers, and how the model was compiled) and `model.weights.h5` |
//! | `.weights.h5` | HDF5: `layers/conv2d_1/vars/0`, …; the layers have to come from elsewhere |
//! | `.h5` | HDF5: the layers as JSON in the attribute `model_config`, weights under `model_weights/<layer>/…/kernel` |
//!
//! In the first two a layer's place is by its class and order, never by its name: the second `Conv2D` is
//! `conv2d_1` whatever it is called. Within it tensors have numbers: of a convolution and a dense layer 0 is
//! the kernel and 1 the bias; of a batch normalization gamma, beta, moving mean, moving variance.
//!
//! The names and shapes of our tensors are Keras's own, so no value moves, and a model that goes there and
//! back has the same bits. What Keras has no place for, the [card](crate::checkpoint::ModelCard), stands in
//! `metadata.json` under `glassnet`, where Keras does not look; a model that Keras itself has saved again has
//! lost it.
//!
//! **The optimizer** travels with a model that was written from a run's
//! [state](crate::checkpoint::run): `optimizer/vars/0` is the number of steps, 1 the learning rate, then for
//! each trainable tensor its moments, so that Keras's next step is the one that we should have taken.

mod activation;
mod border;
mod chain;
mod compile;
mod config;
mod convert;
mod hdf5;
mod layers;
mod read;
mod training;
mod weights;
mod write;

pub use border::split as without_border;
pub use config::check as check_layers;
pub use hdf5::SIGNATURE as HDF5_SIGNATURE;
pub use read::{from_hdf5, from_zip};
pub use training::Training;
pub use write::{PixelInput, to_bytes};

/// The entry of a `.keras` file that holds the layers.
pub const CONFIG: &str = "config.json";

/// The entry that tells who wrote the file.
const METADATA: &str = "metadata.json";

/// The entry that holds the tensors.
const WEIGHTS: &str = "model.weights.h5";

/// The key of the card in [`METADATA`].
const CARD: &str = "glassnet";
