//! The bytes of a file of a source, read from where they are.

use std::path::Path;

use super::archive;
use super::entries::Kind;
use super::limits::{MAX_FILE_BYTES, too_large};
use super::place::Place;
use crate::files::read_at_most;
use crate::{Error, Result};

/// Returns about how many bytes the file has, 0 if that cannot be told; for weighing what to read, not
/// for trust.
pub fn size_hint(place: &Place) -> u64 {
    match place {
        Place::Memory(bytes) => bytes.len() as u64,
        Place::Array { images, .. } => images.file_size(),
        Place::Pack { pack, index } => pack.sample_bytes(*index),
        Place::Zip { size, .. } | Place::Part { size, .. } => *size,
        Place::Disk(path) => std::fs::metadata(path).map_or(0, |metadata| metadata.len()),
    }
}

/// Reads the file, whose name in messages is `name`.
///
/// # Errors
/// [`Error::Image`] or [`Error::Io`] if the system cannot read it; [`Error::Data`] if an archive's entry
/// is damaged or encrypted, if the file has more than [`MAX_FILE_BYTES`], or if it is in a pack, which
/// holds its picture alone.
pub fn read(place: &Place, name: &str) -> Result<Vec<u8>> {
    match place {
        Place::Memory(bytes) => Ok(bytes.clone()),
        Place::Array { images, place: image } => Ok(images.file(*image)),
        Place::Pack { pack, .. } => {
            let reason =
                "it holds the pictures of its images and not their files; give the folder or the zip that was packed";
            Err(Error::data(pack.path(), reason))
        }
        Place::Zip { archive, index, .. } => archive::read(archive, *index, name),
        Place::Part { file, at, size } => {
            if *size > MAX_FILE_BYTES {
                return Err(too_large(name));
            }
            let mut bytes = vec![0; *size as usize];
            file.read_exact_at(&mut bytes, *at).map_err(|error| match error.raw_os_error() {
                Some(_) => Error::io("read", name)(error),
                None => Kind::Tar.damaged(name, "it ends before its contents do"),
            })?;
            Ok(bytes)
        }
        Place::Disk(path) => read_file(path).map_err(|error| match error {
            // The user named the folder, not this file.
            Error::Missing { .. } => Error::Image {
                file: name.to_string(),
                reason: "it is not there any more, or is a link to nothing; put it back, or take it out of the data"
                    .to_string(),
            },
            error => error,
        }),
    }
}

/// Reads a file on the disk.
///
/// # Errors
/// [`Error::Missing`] or [`Error::Io`] if the system cannot read it; [`Error::Data`] if it is no regular
/// file, or has more than [`MAX_FILE_BYTES`].
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    read_at_most(path, MAX_FILE_BYTES)?.ok_or_else(|| too_large(path))
}
