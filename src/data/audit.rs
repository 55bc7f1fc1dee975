//! An audit of a set, which tells what is odd about it before anyone trains on it: every file is decoded
//! once, and what is needed to compare it with the others is kept, a bit more than a kilobyte.

pub mod depth;
pub mod difference_hash;
pub mod duplicates;
pub mod shortcut;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::catalog::Item;
use super::decode::{ImageInfo, Rgb8};
use super::images::{Digest, FileContent, read_and_decode};
use super::reading::Reading;
use super::source::Source;
use crate::Result;
use difference_hash::DifferenceHash;

/// The findings in a file.
#[derive(Clone, Debug)]
pub struct AuditedFile {
    /// The content of the file.
    pub info: ImageInfo,
    /// The SHA-256 of its bytes.
    pub bytes: Digest,
    /// The SHA-256 of its size and its pixels as 8-bit RGB.
    pub pixels: Digest,
    /// The picture from afar.
    pub difference_hash: DifferenceHash,
}

/// Decodes the files of `items`, as `reading` has it, on all threads of the rayon pool the caller is in, in
/// the order of the items, and calls `audited` after each.
pub fn audit(source: &Source, items: &[Item], reading: Reading, audited: impl Fn() + Sync) -> Vec<Result<AuditedFile>> {
    items
        .par_iter()
        .map(|item| {
            let work = |content: FileContent, image: Rgb8| {
                (content.sha256(), digest_of_pixels(&image), DifferenceHash::from_image(&image))
            };
            let ((bytes, pixels, difference_hash), info) = read_and_decode(source, item.entry, reading, work)?;
            Ok(AuditedFile { info, bytes, pixels, difference_hash })
        })
        .inspect(|_| audited())
        .collect()
}

fn digest_of_pixels(image: &Rgb8) -> Digest {
    let mut hash = Sha256::new();
    hash.update((image.width as u64).to_le_bytes());
    hash.update((image.height as u64).to_le_bytes());
    hash.update(&image.pixels);
    hash.finalize().into()
}
