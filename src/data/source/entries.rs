//! The suspicion that entries of archives meet, whatever kind of archive they are in: names that lead
//! outside, archives within, and what unpacks to far more than it takes.

use std::path::Path;

use super::listing::Listing;
use crate::Error;
use crate::error::{shortened, some_of};

/// The largest ratio of an entry's, or the whole archive's, unpacked size to its packed one. Images are
/// compressed already, so honest archives of them stay near 1; a picture of one colour as BMP comes near
/// deflate's own limit of 1032.
pub const MAX_RATIO: u64 = 250;

/// Up to this size an entry may unpack to any multiple: a small picture of one colour hurts nobody.
const RATIO_FREE_ENTRY_BYTES: u64 = 16 << 20;

/// A kind of archive, as sentences name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A zip.
    Zip,
    /// A tar, packed or not.
    Tar,
}

impl Kind {
    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Zip => "zip",
            Kind::Tar => "tar",
        }
    }

    /// Returns the error for an entry that is not taken.
    pub fn refused(self, path: &Path, name: &str, fault: &str) -> Error {
        let (kind, name) = (self.name(), shortened(name));
        Error::data(
            path,
            format!("the {kind}'s entry {name:?} {fault}; unpack it with a tool you trust and give the folder"),
        )
    }

    /// Returns the error for an archive, or an entry of it, that cannot be unpacked for this reason.
    pub fn damaged(self, path: impl AsRef<Path>, reason: impl std::fmt::Display) -> Error {
        let kind = self.name();
        Error::data(
            path.as_ref(),
            format!("the {kind} cannot be unpacked here: {reason}; create it again, or fetch it again"),
        )
    }

    /// Tells in a listing that these names were guessed, if there are some.
    pub fn tell_guessed(self, listing: &mut Listing, path: &Path, encoding: &str, guessed: &[String]) {
        if !guessed.is_empty() {
            listing.notes.push(format!(
                "{}: it does not tell the encoding of names, so these are guessed, as {}: {}; make the {} anew with UTF-8 names if \
                 they are wrong",
                path.display(),
                encoding,
                some_of(guessed.iter().map(|name| shortened(name))),
                self.name()
            ));
        }
    }
}

/// Checks whether a file of this name may be in an archive, and may unpack from so many bytes to so many.
///
/// # Errors
/// The fault, for [`Kind::refused`].
pub fn check_file(name: &str, packed: u64, unpacked: u64) -> Result<(), String> {
    if is_archive_name(name) {
        return Err("is an archive itself".to_string());
    }
    if unpacked > RATIO_FREE_ENTRY_BYTES && unpacked / MAX_RATIO > packed {
        return Err(bomb_fault(packed, unpacked));
    }
    Ok(())
}

/// Returns whether a file of this name is an archive, in which more could be than anyone sees.
fn is_archive_name(name: &str) -> bool {
    const SUFFIXES: [&str; 11] = [".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst"];
    let name = name.to_ascii_lowercase();
    SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

/// Words the fault of something that unpacks to too much.
pub fn bomb_fault(packed: u64, unpacked: u64) -> String {
    format!("unpacks from {packed} to {unpacked} bytes, as bombs do, and {MAX_RATIO} times as many is the most")
}
