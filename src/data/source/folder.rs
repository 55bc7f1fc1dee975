//! A folder as a source.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{Listing, Place, too_many_files};
use crate::data::left_out::Reason;
use crate::{Error, Result};

/// Walks the folder. Links are treated as Keras does: a link to a file is a file, a link to a folder is
/// followed directly in the source, where it may be a class, and nowhere below, so that the walk ends.
pub(super) fn list(root: &Path) -> Result<Listing> {
    let mut listing = Listing::default();
    let mut open: Vec<(String, PathBuf)> = vec![(String::new(), root.to_path_buf())];
    while let Some((name, path)) = open.pop() {
        for entry in std::fs::read_dir(&path).map_err(Error::io("read", &path))? {
            let entry = entry.map_err(Error::io("read", &path))?;
            let child = join(&name, &readable(&entry.file_name()));
            let is_link = entry.file_type().map_err(Error::io("read", entry.path()))?.is_symlink();
            if !listing.is_seen(&child) {
                continue;
            }
            // The target's kind, for a link. A link to nothing is listed as a file and named when it cannot
            // be read.
            match std::fs::metadata(entry.path()) {
                Ok(target) if target.is_dir() && is_link && !name.is_empty() => {
                    listing.leave_out(child, Reason::Link);
                }
                Ok(target) if target.is_dir() => {
                    listing.add_folder(&child);
                    open.push((child, entry.path()));
                }
                Ok(target) if !target.is_file() => {
                    listing.leave_out(child, Reason::Special);
                }
                _ => listing.add_file(child, Place::Disk(entry.path())),
            }
            if listing.is_too_large() {
                return Err(too_many_files(root));
            }
        }
    }
    Ok(listing)
}

/// A name as text. Bytes that are none are written as `\xFF`, so that two names are never the same text by
/// them alone.
fn readable(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02X}")));
    }
    text
}

/// The name of a child of the folder `parent`.
fn join(parent: &str, child: &str) -> String {
    if parent.is_empty() { child.to_string() } else { format!("{parent}/{child}") }
}
