//! Windows and OS/2 bitmaps.

use image::ImageFormat;

use super::picture::Decoded;
use super::{Outcome, library};

/// Decodes a bitmap.
///
/// # Errors
/// A sentence, if the file is damaged, of a kind that is not read, or beyond the limits.
pub fn decode(bytes: &[u8]) -> Outcome<Decoded> {
    library::decode(bytes, ImageFormat::Bmp, |_, _| Ok(0))
}
