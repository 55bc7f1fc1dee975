//! From a folder, a zip or a pack to batches of numbers, in the order the data flows:
//!
//! 1. [`source`]: a folder, a zip, a pack or memory becomes named bytes;
//! 2. [`catalog`]: the names become classes of images, in Keras's order;
//! 3. [`split`]: each class's files are parted into validation and training, or by [`folds`] into several
//!    such pairs; where files come in [`groups`], such as patients, whole groups are [dealt out](stratify);
//! 4. [`decode`]: bytes become RGB pixels of 8 or 16 bits, by the chosen way of [reading](reading::Reading);
//! 5. [`framing`]: the picture is brought to the network's size ([`resample`]), in grey where that has one
//!    channel, and its [samples](sample) become floats;
//! 6. [`images`]: the set as decoded pictures, kept in memory when they fit;
//! 7. [`batches`]: pictures, or [`arrays`] that a program has already, become `[N, H, W, C]` tensors, in a
//!    seeded order, decoded ahead of need, and for training perhaps [changed](augment) a little.
//!
//! A [`pack`] is a set of which all but the last of this was done before; [`packing`] makes one.
//!
//! What is left out on the way is told by [`left_out`].
//!
//! [`audit`](mod@audit) looks for what is odd about a set: duplicates, and attributes that give the class
//! away. [`phantom`] draws the synthetic set that the project ships, and [`glyphs`] one of ten classes.

pub mod arrays;
#[cfg(feature = "cli")]
pub mod audit;
pub mod augment;
pub mod batches;
pub mod catalog;
pub(crate) mod catch_panic;
pub mod decode;
mod drawn_set;
pub mod folds;
pub mod framing;
pub mod glyphs;
pub mod groups;
pub mod image_names;
pub mod images;
mod layout;
pub mod left_out;
mod memory_budget;
pub mod pack;
pub mod packing;
pub mod part;
pub mod phantom;
pub mod reading;
pub mod resample;
pub mod sample;
mod single_image;
pub mod source;
pub mod split;
pub mod stratify;
