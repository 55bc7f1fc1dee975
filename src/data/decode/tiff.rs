//! TIFF (Adobe, TIFF 6.0).

mod directory;

use image::ImageFormat;

use super::picture::Decoded;
use super::{Outcome, library};
use directory::{Directory, JPEG_BYTES};

/// Decodes a TIFF's first page.
///
/// # Errors
/// A sentence, if the file is damaged, of a kind that is not read, or beyond the limits.
pub fn decode(bytes: &[u8]) -> Outcome<Decoded> {
    let directory = Directory::of(bytes);
    // A strip of the whole picture may be unpacked beside it.
    let besides = |pixels, decoded| {
        let frame = directory.as_ref().map_or(Ok(None), |directory| directory.jpeg_frame(pixels))?;
        Ok(decoded + frame.unwrap_or(0) * JPEG_BYTES)
    };
    let mut decoded = library::decode(bytes, ImageFormat::Tiff, besides)?;
    decoded.has_more_pictures = directory.and_then(|directory| directory.next()).is_some_and(|place| place != 0);
    Ok(decoded)
}
