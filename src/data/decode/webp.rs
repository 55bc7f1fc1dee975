//! WebP (RFC 9649): lossy, lossless, and the first picture of an animation.

use super::faults::{CUT_SHORT, damaged};
use super::format::Format;
use super::library;
use super::picture::Decoded;

/// The most that the decoder keeps beside its picture, in bytes for each pixel: the canvas of an animation
/// and a picture of it, with alpha, and planes of brightness and colour.
const BYTES_BESIDES: u64 = 4 + 4 + 2;

/// Decodes a WebP.
///
/// # Errors
/// A sentence, if the file is damaged or beyond the limits.
pub fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    // The length stands at the beginning. A decoder finds out only that something is wrong.
    let declared = bytes
        .get(4..8)
        .map_or(0, |length| length.iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte)));
    if bytes.len() < declared {
        return Err(CUT_SHORT.to_string());
    }
    let chunks = Chunks::from_bytes(bytes);
    let mut decoded = library::decode(bytes, Format::WebP, |pixels, _| {
        // The decoder takes a lossy picture's own word for its size, and compares it with the file's when it
        // is decoded.
        if chunks.largest_lossy > pixels { Err(damaged(Format::WebP)) } else { Ok(pixels * BYTES_BESIDES) }
    })?;
    decoded.has_more_pictures = chunks.frames > 1;
    Ok(decoded)
}

/// The facts that the chunks of a WebP tell.
#[derive(Default)]
struct Chunks {
    /// Pictures of an animation.
    frames: usize,
    /// Pixels of the largest lossy picture.
    largest_lossy: u64,
}

impl Chunks {
    /// Looks through a whole file.
    fn from_bytes(bytes: &[u8]) -> Chunks {
        let mut found = Chunks::default();
        for (kind, content) in chunks(bytes) {
            found.see(kind, content);
            if kind == b"ANMF" {
                found.frames += 1;
                // Place, size, time and flags come first.
                chunks_in(content.get(16..).unwrap_or_default()).for_each(|(kind, content)| found.see(kind, content));
            }
        }
        found
    }

    /// Takes note of a chunk.
    fn see(&mut self, kind: &[u8; 4], content: &[u8]) {
        // Three bytes of a header, three of a signature, then width and height, of 14 bits each (RFC 6386,
        // 9.1).
        if kind == b"VP8 "
            && let Some(&[w0, w1, h0, h1]) = content.get(6..10)
        {
            let side = |low, high| u64::from(u16::from_le_bytes([low, high]) & 0x3FFF);
            self.largest_lossy = self.largest_lossy.max(side(w0, w1) * side(h0, h1));
        }
    }
}

/// Iterates over the chunks of a WebP, each with its kind and its content.
pub fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    chunks_in(bytes.get(12..).unwrap_or_default())
}

/// Iterates over the chunks in a part of a WebP: kind, length and content of each, filled up to an even
/// length (RFC 9649, section 2.3).
fn chunks_in(mut rest: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (kind, behind) = rest.split_first_chunk()?;
        let (length, behind) = behind.split_first_chunk()?;
        let length = u32::from_le_bytes(*length) as usize;
        rest = behind.get(length.saturating_add(length % 2)..).unwrap_or_default();
        Some((kind, &behind[..length.min(behind.len())]))
    })
}
