//! A zip as a source.
//!
//! Nothing is ever unpacked to the disk, so a name cannot write anywhere; names that lead outside are refused all the same,
//! because no honest program makes them. Sizes that the zip declares are used only as limits, never to reserve memory: an
//! entry that holds more than it declares is refused while it is read. So the sum of the declared sizes, checked when the
//! zip is opened, bounds what is truly unpacked.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use zip::ZipArchive;

use super::{Listing, MAX_FILE_BYTES, MAX_FILES, MAX_UNPACKED_BYTES, Place, too_large, too_many_files};
use crate::{Error, Result};

/// The open zip, shared by its entries. One thread at a time reads from it: what a zip of images holds is compressed
/// already, so unpacking an entry is little more than a copy, and the long work, decoding the image, is outside the lock.
pub(super) type SharedArchive = Arc<Mutex<ZipArchive<BufReader<File>>>>;

/// The first two bytes of every zip.
const SIGNATURE: [u8; 2] = *b"PK";

/// Lists the zip's entries after checking their names and sizes.
pub(super) fn list(path: &Path) -> Result<Listing> {
    let archive = open(path)?;
    if archive.is_empty() {
        return Err(Error::data(path, "the zip is empty; put the two class folders into it"));
    }
    if archive.has_duplicate_names() {
        return Err(Error::data(path, "the zip holds two files of the same name; make it anew from the folder"));
    }
    if archive.len() > MAX_FILES {
        return Err(too_many_files(path));
    }
    let count = archive.len();
    let archive = Arc::new(Mutex::new(archive));
    let mut listing = Listing::default();
    let mut unpacked = 0u64;
    for index in 0..count {
        let zip = archive.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = zip.by_index_data(index).map_err(|error| damaged(path, error))?;
        let raw_name = entry.name().map_err(|error| damaged(path, error))?;
        let name = plain_name(&raw_name).map_err(|fault| {
            Error::data(
                path,
                format!("the zip's entry {raw_name:?} {fault}; unpack it with a tool you trust and give the folder"),
            )
        })?;
        unpacked = unpacked.saturating_add(entry.size());
        if name.is_empty() {
            continue;
        } else if entry.is_dir() {
            listing.add_folder(&name);
        } else if entry.is_symlink() {
            listing.links.insert(name);
        } else {
            listing.add_file(name, Place::Zip { archive: Arc::clone(&archive), index });
        }
    }
    if unpacked > MAX_UNPACKED_BYTES {
        let gib = MAX_UNPACKED_BYTES >> 30;
        return Err(Error::data(
            path,
            format!("the zip unpacks to more than {gib} GiB; unpack it and give the folder"),
        ));
    }
    Ok(listing)
}

/// Reads one entry, whose name in messages is `file`.
pub(super) fn read(archive: &SharedArchive, index: usize, file: &str) -> Result<Vec<u8>> {
    // A thread that panicked with the lock held leaves no half-done state: every reading starts with a seek.
    let mut zip = archive.lock().unwrap_or_else(PoisonError::into_inner);
    let entry = zip.by_index(index).map_err(|error| damaged(file, error))?;
    let declared = entry.size();
    if declared > MAX_FILE_BYTES {
        return Err(too_large(file));
    }
    let mut bytes = Vec::new();
    entry.take(declared + 1).read_to_end(&mut bytes).map_err(|error| damaged(file, error))?;
    match bytes.len() as u64 > declared {
        true => Err(damaged(file, format!("it holds more than the {declared} bytes it declares"))),
        false => Ok(bytes),
    }
}

/// Opens the file as a zip and reads its table of contents.
fn open(path: &Path) -> Result<ZipArchive<BufReader<File>>> {
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let mut start = Vec::new();
    file.by_ref().take(2).read_to_end(&mut start).map_err(Error::io("read", path))?;
    if start != SIGNATURE {
        let named_zip = path.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("zip"));
        let found = if named_zip { "it is named .zip but is no zip" } else { "it is neither a folder nor a zip" };
        return Err(Error::data(path, format!("{found}; give a folder that holds two class folders, or a zip of one")));
    }
    ZipArchive::new(BufReader::new(file)).map_err(|error| damaged(path, error))
}

/// The error for a zip, or an entry of it, that cannot be unpacked.
fn damaged(path: impl AsRef<Path>, error: impl std::fmt::Display) -> Error {
    let reason = format!("the zip cannot be unpacked here: {error}; make it anew, not encrypted, or fetch it again");
    Error::data(path.as_ref(), reason)
}

/// The entry's name without a closing `/` and without `.` as a part, or what is wrong with it.
fn plain_name(name: &str) -> std::result::Result<String, &'static str> {
    let drive = name.as_bytes().get(1) == Some(&b':');
    if name.starts_with('/') || drive {
        return Err("is an absolute path");
    }
    if name.contains('\\') {
        return Err("has a backslash");
    }
    if name.split('/').any(|part| part == "..") {
        return Err("leads outside of it");
    }
    let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::plain_name;

    #[test]
    fn names_that_lead_outside_are_refused_and_others_made_plain() {
        for bad in ["/etc/passwd", "C:/x.png", "a/../b.png", "..", "a\\b.png"] {
            assert!(plain_name(bad).is_err(), "{bad}");
        }
        for (name, plain) in [("a/b.png", "a/b.png"), ("a/", "a"), ("./a//b..png", "a/b..png"), ("./", "")] {
            assert_eq!(plain_name(name), Ok(plain.to_string()));
        }
    }
}
