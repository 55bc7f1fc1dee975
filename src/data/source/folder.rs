//! A folder as a source.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::limits::too_many_files;
use super::listing::Listing;
use super::place::Place;
use crate::data::left_out::Reason;
use crate::{Error, Result};

/// Walks the folder. Links are treated as Keras does: a link to a file is a file, a link to a folder is
/// followed directly in the source, where it may be a class, and nowhere below, so that the walk ends. What
/// is gone when its turn comes is passed over.
pub(super) fn list(root: &Path) -> Result<Listing> {
    let mut listing = Listing::default();
    let mut open: Vec<(String, PathBuf)> = vec![(String::new(), root.to_path_buf())];
    while let Some((name, path)) = open.pop() {
        let entries = match std::fs::read_dir(&path) {
            Err(error) if is_gone(&error) && !name.is_empty() => {
                listing.leave_out(name, Reason::Vanished);
                continue;
            }
            entries => entries.map_err(Error::io("read", &path))?,
        };
        for entry in entries {
            if entry.as_ref().is_err_and(is_gone) && !name.is_empty() {
                listing.leave_out(name, Reason::Vanished);
                break;
            }
            let entry = entry.map_err(Error::io("read", &path))?;
            let child = join(&name, &readable(&entry.file_name()));
            if !listing.is_seen(&child) {
                continue;
            }
            let is_link = match entry.file_type() {
                Err(error) if is_gone(&error) => {
                    listing.leave_out(child, Reason::Vanished);
                    continue;
                }
                kind => kind.map_err(Error::io("read", entry.path()))?.is_symlink(),
            };
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

/// Returns whether a folder, or the process that it tells of, is there no more.
fn is_gone(error: &std::io::Error) -> bool {
    const NO_SUCH_PROCESS: i32 = 3;
    error.kind() == ErrorKind::NotFound || (cfg!(unix) && error.raw_os_error() == Some(NO_SUCH_PROCESS))
}

/// Returns a name as text. Bytes that are none are written as `\xFF`, so that two names are never the same
/// text by them alone.
fn readable(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02X}")));
    }
    text
}

/// Returns the name of a child of the folder `parent`.
fn join(parent: &str, child: &str) -> String {
    if parent.is_empty() { child.to_string() } else { format!("{parent}/{child}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_vanishes_while_it_is_listed_is_told_from_what_cannot_be_read() {
        let home = tempfile::tempdir().unwrap();
        let gone = std::fs::read_dir(home.path().join("gone")).unwrap_err();
        assert!(is_gone(&gone));
        // Of the files of a process that has ended; to Windows the number means a path that is not there.
        assert!(is_gone(&std::io::Error::from_raw_os_error(3)));
        assert!(!is_gone(&ErrorKind::PermissionDenied.into()));
        assert!(list(&home.path().join("gone")).is_err(), "the folder that is asked for has to be there");
    }
}
