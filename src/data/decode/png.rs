//! PNG, and what its chunks tell that the decoder does not: whether there are further pictures, and how much
//! there is besides.

use super::format::Format;
use super::library;
use super::picture::Decoded;

/// The most chunks of a PNG that hold neither pixels nor frames: texts, colours, times. Cameras and editors
/// write a few dozen.
const MAX_PNG_CHUNKS: usize = 10_000;

/// Decodes a PNG; of an animated one, the picture that programs show which know no animation.
///
/// # Errors
/// A sentence, if the file is damaged or beyond the limits.
pub fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    let PngChunks { is_animated, besides } = PngChunks::from_bytes(bytes);
    if besides > MAX_PNG_CHUNKS {
        return Err(format!(
            "it has {besides} chunks beside its pixels, and {MAX_PNG_CHUNKS} are the most; save it again with an image program"
        ));
    }
    let mut decoded = library::decode(bytes, Format::Png, |_, _| Ok(0))?;
    decoded.has_more_pictures = is_animated;
    // The decoder expands a palette without saying so; byte 25, in the header, is the colour type, 3 for a
    // palette.
    if bytes.get(25) == Some(&3) {
        decoded.mode = "palette";
    }
    Ok(decoded)
}

/// The facts that the chunks of a PNG tell.
struct PngChunks {
    /// True if an `acTL` stands before the pixels (11.3.6.1).
    is_animated: bool,
    /// The number of chunks that hold neither pixels nor a frame. A decoder keeps each, whatever little is in
    /// it.
    besides: usize,
}

impl PngChunks {
    /// Looks through a whole file; what is no chunk ends them.
    fn from_bytes(bytes: &[u8]) -> PngChunks {
        let mut found = PngChunks { is_animated: false, besides: 0 };
        let mut is_before_pixels = true;
        for (kind, _) in chunks(bytes) {
            match kind {
                b"IDAT" => is_before_pixels = false,
                b"acTL" => found.is_animated |= is_before_pixels,
                b"fcTL" | b"fdAT" => {}
                _ => found.besides += 1,
            }
        }
        found
    }
}

/// Iterates over the kind and content of each chunk of a PNG (PNG specification, third edition, 5.3). What is
/// no chunk ends them; the content of one that is cut short is empty.
pub fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = bytes.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, chunk) = rest.split_first_chunk::<4>()?;
        let (kind, behind) = chunk.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        // Length, kind and checksum are four bytes each. Where sizes have 32 bits the sum may be more than
        // any file has.
        rest = rest.get(length.saturating_add(12)..).unwrap_or_default();
        Some((kind, behind.get(..length).unwrap_or_default()))
    })
}
