//! The limits of a source, and the errors for what is beyond them.

use std::path::PathBuf;

use crate::Error;

/// The memory that the names of a source may take, in bytes, each counted with [`LISTED_BYTES`]. A data set
/// beyond this, of about two million files, is more likely a wrong path, such as a whole disk.
pub const MAX_LISTING_BYTES: usize = 1 << 30;

/// The bytes that a file or folder that is listed counts beside its name: the places in which a name stands
/// from the listing to the batch, and what is kept of the file there.
pub const LISTED_BYTES: usize = 500;

/// The most files that a source can list.
pub const MAX_FILES: usize = MAX_LISTING_BYTES / LISTED_BYTES;

/// The largest single file that is read, in bytes. An image within the decoder's limits is far below this.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// The most bytes that all files of a zip may unpack to. A folder has no such limit: its bytes are on the
/// disk already.
pub const MAX_UNPACKED_BYTES: u64 = 16 << 30;

/// Returns the error for a file beyond [`MAX_FILE_BYTES`].
pub fn too_large(path: impl Into<PathBuf>) -> Error {
    Error::data(path, format!("the file has more than {} MiB; take it out of the data", MAX_FILE_BYTES >> 20))
}

/// Returns the error for a source beyond [`MAX_LISTING_BYTES`].
pub fn too_many_files(path: impl Into<PathBuf>) -> Error {
    let gib = MAX_LISTING_BYTES >> 30;
    Error::data(
        path,
        format!(
            "its files and folders are too many: their names, with {LISTED_BYTES} bytes for each, take more than {gib} GiB; \
             give a part of them, if this is the set that you mean"
        ),
    )
}
