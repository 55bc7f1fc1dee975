//! Models in the formats of other programs: written so that they answer the same there, and read so that
//! they answer the same here.
//!
//! What is exchanged is a [`Checkpoint`](crate::checkpoint::Checkpoint), no more and no less:
//!
//! | part | in the other format |
//! |---|---|
//! | [`ModelSpec`](crate::spec::ModelSpec): the layers, and the input's size | its own graph or list of layers |
//! | [`Parameters`](crate::parameters::Parameters) | its own tensors, in its own order of axes |
//! | [`ModelCard`](crate::checkpoint::ModelCard): classes, threshold, how images are read | metadata, where the format has a place for it |
//!
//! A file that another program wrote has no card; [`Imported::into_checkpoint`] makes one of what is known.
//!
//! Each format is a file or a folder of its own, and has a writer and a reader. Readers take hostile files:
//! sizes are checked before memory is taken, and what does not fit is refused in a sentence that names the
//! layer, node or tensor.

mod agreement;
pub mod axes;
mod format;
mod given;
mod imported;
pub mod keras;
pub mod npz;
pub mod onnx;
mod pixels;
pub mod protobuf;
pub mod pytorch;
mod scaling;
pub mod script;

pub use agreement::{difference, drawn_images};
pub use format::Format;
pub use given::Given;
pub use imported::{Imported, MAX_FILE_BYTES, read_model_file};
pub use pixels::{PixelRange, PixelScale};
