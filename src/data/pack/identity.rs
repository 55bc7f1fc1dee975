//! The identity of a set that is in several packs.

use sha2::{Digest as _, Sha256};

use super::description::Description;
use super::layout::PackedImage;

/// Returns the SHA-256, in hexadecimal digits, of the size and the reading of the pictures of a set that is
/// in `count` packs, and of the name, the file's hash and the samples' checksum of each image, in their
/// order. Of the `description`, which may be that of any of the packs, only what all have in common counts.
pub fn identity<'a>(
    count: usize,
    description: &Description,
    images: impl Iterator<Item = (&'a str, &'a PackedImage)>,
) -> String {
    let Description { size, reading, skip_bad, is_labelled, .. } = description;
    let mut hash = Sha256::new();
    let common = (count, size, reading, skip_bad, is_labelled);
    hash.update(serde_json::to_vec(&common).expect("numbers and names are JSON"));
    for (name, image) in images {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update(image.sha256);
        hash.update(image.crc32.to_le_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
