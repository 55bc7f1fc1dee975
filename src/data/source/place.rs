//! Where the bytes of a file of a source are.

use std::path::PathBuf;
use std::sync::Arc;

use super::array_images::ArrayImages;
use super::metered::SharedArchive;
use crate::data::pack::{Pack, PositionedFile};

/// The place of one file's bytes.
#[derive(Debug)]
pub enum Place {
    /// A path in the file system; it is kept beside the name because a name need not be valid Unicode there.
    Disk(PathBuf),
    /// An entry of a zip.
    Zip {
        /// The zip.
        archive: SharedArchive,
        /// The number of the entry.
        index: usize,
        /// The bytes it declares to hold; it never gives more.
        size: u64,
    },
    /// A part of a file: an entry of a tar that is not packed.
    Part {
        /// The file.
        file: Arc<PositionedFile>,
        /// The first of its bytes there.
        at: u64,
        /// How many they are.
        size: u64,
    },
    /// The bytes themselves.
    Memory(Vec<u8>),
    /// An image of an array.
    Array {
        /// All images of the array.
        images: Arc<ArrayImages>,
        /// The image's place among them.
        place: usize,
    },
    /// An image of a pack.
    Pack {
        /// The pack.
        pack: Arc<Pack>,
        /// The image's place in it.
        index: usize,
    },
}
