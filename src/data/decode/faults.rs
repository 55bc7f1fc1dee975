//! Decoders' errors, told in words of ours.

use crate::error::shortened;

/// What the decoder said, and what to do: a damaged file and a rare kind, such as a TIFF with a palette, both end here.
pub fn undecodable(error: image::ImageError) -> String {
    let error = error.to_string();
    format!("{}; save it anew as PNG with an image program, or take it out", shortened(&error))
}
