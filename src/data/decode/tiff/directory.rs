//! The first directory of a TIFF (TIFF 6.0, section 2) or BigTIFF, as far as it must be known before the
//! decoder sees the file: where the meaning of the samples stands, and what the pieces take.
//!
//! A TIFF comes in pieces, strips or tiles. A piece may be a whole JPEG, which the decoder takes at its word:
//! it unpacks as many pixels as the JPEG says, whatever the TIFF has room for, and does so for each piece,
//! which may all be the same bytes. So the frames of these JPEGs are looked for before anything is decoded.

use super::super::Outcome;
use super::super::limits::MAX_PIXELS;

/// The tag of what the samples mean, `PhotometricInterpretation`.
const PHOTOMETRIC: u64 = 262;

/// The tags of where strips and tiles are: one value for each.
const PIECES: [u64; 2] = [273, 324];

/// The type of a number of 16 bits.
const SHORT: u64 = 3;

/// What tiles may have beyond the picture's edges, in pixels: one of 1024 × 1024.
const MARGIN: u64 = 1 << 20;

/// What a decoder keeps of a JPEG at most, in bytes for each pixel of its frame: as coefficients of two bytes
/// and as samples, of four components.
pub const JPEG_BYTES: u64 = 12;

/// A TIFF's first directory.
pub struct Directory<'a> {
    bytes: &'a [u8],
    is_little: bool,
    /// Whether it is a BigTIFF, whose numbers of entries, of values and of bytes have 64 bits.
    is_big: bool,
    /// Where its entries begin.
    start: usize,
    entries: usize,
}

impl Directory<'_> {
    /// The directory, if the file has one.
    pub fn of(bytes: &[u8]) -> Option<Directory<'_>> {
        let is_little = bytes.starts_with(b"II");
        let mut directory = Directory { bytes, is_little, is_big: false, start: 0, entries: 0 };
        directory.is_big = directory.number(2, 2)? == 43;
        let (at, wide, count) = if directory.is_big { (8, 8, 8) } else { (4, 4, 2) };
        let first = usize::try_from(directory.number(at, wide)?).ok()?;
        directory.entries = usize::try_from(directory.number(first, count)?).ok()?;
        directory.start = first.checked_add(count)?;
        Some(directory)
    }

    /// What the samples mean, and where that stands in the file, as two bytes.
    pub fn photometric(&self) -> Option<(u16, usize)> {
        let entry = self.entry(PHOTOMETRIC)?;
        let at = entry + if self.is_big { 12 } else { 8 };
        match self.number(entry + 2, 2)? {
            SHORT => Some((self.number(at, 2)? as u16, at)),
            _ => None,
        }
    }

    /// The pixels of the largest frame, where the pieces are JPEGs.
    ///
    /// # Errors
    /// Where one of them has more than [`MAX_PIXELS`], or all together would unpack to more than twice the
    /// `pixels` of all planes and what tiles have beyond its edges.
    pub fn jpeg_frame(&self, pixels: u64) -> Outcome<u64> {
        let pieces = PIECES.iter().filter_map(|&tag| self.count(tag)).max().unwrap_or(1);
        let frame = largest_frame(self.bytes);
        let all = frame.saturating_mul(pieces);
        match frame > MAX_PIXELS || all > 2 * pixels + MARGIN {
            false => Ok(frame),
            true => Err(format!(
                "the JPEGs in it unpack to {all} pixels, and the picture has {pixels}; save it anew as PNG with an image \
                 program, or take it out"
            )),
        }
    }

    /// How many values a tag has.
    fn count(&self, tag: u64) -> Option<u64> {
        self.number(self.entry(tag)? + 4, if self.is_big { 8 } else { 4 })
    }

    /// The place of a tag's entry.
    fn entry(&self, tag: u64) -> Option<usize> {
        let length = if self.is_big { 20 } else { 12 };
        let rest = self.bytes.len().saturating_sub(self.start);
        (0..self.entries.min(rest / length))
            .map(|index| self.start + length * index)
            .find(|&entry| self.number(entry, 2) == Some(tag))
    }

    fn number(&self, at: usize, length: usize) -> Option<u64> {
        let digits = self.bytes.get(at..at.checked_add(length)?)?.iter().map(|&byte| u64::from(byte));
        Some(match self.is_little {
            true => digits.rev().fold(0, |number, byte| number << 8 | byte),
            false => digits.fold(0, |number, byte| number << 8 | byte),
        })
    }
}

/// The pixels of the largest JPEG frame that begins anywhere in the bytes (ITU-T T.81, B.2.2): marker,
/// length, precision, height, width, components, and three bytes for each of these.
fn largest_frame(bytes: &[u8]) -> u64 {
    let pixels = bytes.windows(10).filter_map(|header| match *header {
        [0xFF, 0xC0..=0xCF, 0, length, _, y1, y0, x1, x0, components]
            if !matches!(header[1], 0xC4 | 0xC8 | 0xCC) && u32::from(length) == 8 + 3 * u32::from(components) =>
        {
            Some(u64::from(u16::from_be_bytes([y1, y0])) * u64::from(u16::from_be_bytes([x1, x0])))
        }
        _ => None,
    });
    pixels.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_never_larger_than_any_picture_may_be() {
        let tiff = |rows: u16| {
            let [[y1, y0], [x1, x0]] = [rows, 8192].map(u16::to_be_bytes);
            let frame = [0xFF, 0xC0, 0, 11, 8, y1, y0, x1, x0, 1];
            [&b"II*\0\x08\0\0\0\0\0"[..], &frame].concat()
        };
        let frame = |rows: u16| Directory::of(&tiff(rows)).unwrap().jpeg_frame(MAX_PIXELS);
        assert_eq!(frame(8192), Ok(MAX_PIXELS));
        let error = frame(8193).unwrap_err();
        assert!(
            error.starts_with("the JPEGs in it unpack to 67117056 pixels, and the picture has 67108864; "),
            "{error}"
        );
    }
}
