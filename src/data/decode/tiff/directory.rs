//! What a TIFF's first directory tells that the decoder does not: whether there are further pages, and what its pieces take.
//!
//! A TIFF comes in pieces, strips or tiles. A piece may be a whole JPEG, which the decoder takes at its word: it unpacks as many
//! pixels as the JPEG says, whatever the TIFF has room for, and does so for each piece, which may all be the same bytes. So the
//! frames of these JPEGs are looked for before anything is decoded.

use super::super::MAX_PIXELS;

/// The tag of how the pieces are compressed, and its values for a JPEG (TIFF 6.0, section 8; Adobe's technical note 2).
const COMPRESSION: u32 = 259;
const JPEG: [u32; 2] = [6, 7];

/// The tags of where strips and tiles are: one value for each.
const PIECES: [u32; 2] = [273, 324];

/// What tiles may have beyond the picture's edges, in pixels: one of 1024 × 1024.
const MARGIN: u64 = 1 << 20;

/// What a decoder keeps of a JPEG at most, in bytes for each pixel of its frame: as coefficients of two bytes and as samples, of
/// four components.
pub const JPEG_BYTES: u64 = 12;

/// A TIFF's first directory.
pub struct Directory<'a> {
    bytes: &'a [u8],
    is_little: bool,
    /// Where its entries begin.
    start: usize,
    entries: usize,
}

impl Directory<'_> {
    /// The directory, if the file has one.
    pub fn of(bytes: &[u8]) -> Option<Directory<'_>> {
        let is_little = bytes.starts_with(b"II*\0");
        if !is_little && !bytes.starts_with(b"MM\0*") {
            return None;
        }
        let empty = Directory { bytes, is_little, start: 0, entries: 0 };
        let first = empty.number(4, 4)? as usize;
        let entries = empty.number(first, 2)? as usize;
        Some(Directory { start: first.checked_add(2)?, entries, ..empty })
    }

    /// The place of the next directory; 0 where there is none.
    pub fn next(&self) -> Option<u32> {
        self.number(self.start.checked_add(12 * self.entries)?, 4)
    }

    /// The pixels of the largest frame, where the pieces are JPEGs.
    ///
    /// # Errors
    /// Where one of them has more than [`MAX_PIXELS`], or all together would unpack to more than twice the picture's `pixels` and
    /// what tiles have beyond its edges.
    pub fn jpeg_frame(&self, pixels: u64) -> Result<Option<u64>, String> {
        if !self.value(COMPRESSION).is_some_and(|method| JPEG.contains(&method)) {
            return Ok(None);
        }
        let pieces = PIECES.iter().filter_map(|&tag| self.count(tag)).max().unwrap_or(1);
        let frame = largest_frame(self.bytes);
        let all = frame.saturating_mul(pieces.into());
        match frame > MAX_PIXELS || all > 2 * pixels + MARGIN {
            false => Ok(Some(frame)),
            true => Err(format!(
                "the JPEGs in it unpack to {all} pixels, and the picture has {pixels}; save it anew as PNG with an image \
                 program, or take it out"
            )),
        }
    }

    /// The first value of a tag, if it stands in the directory itself, as a single number does.
    fn value(&self, tag: u32) -> Option<u32> {
        let entry = self.entry(tag)?;
        // Type 3 is a number of 16 bits, type 4 of 32; shorter ones stand first in the field.
        let length = if self.number(entry + 2, 2)? == 3 { 2 } else { 4 };
        self.number(entry + 8, length)
    }

    /// How many values a tag has.
    fn count(&self, tag: u32) -> Option<u32> {
        self.number(self.entry(tag)? + 4, 4)
    }

    /// The place of a tag's entry.
    fn entry(&self, tag: u32) -> Option<usize> {
        (0..self.entries).map(|index| self.start + 12 * index).find(|&entry| self.number(entry, 2) == Some(tag))
    }

    fn number(&self, at: usize, length: usize) -> Option<u32> {
        let digits = self.bytes.get(at..at.checked_add(length)?)?.iter().map(|&byte| u32::from(byte));
        Some(match self.is_little {
            true => digits.rev().fold(0, |number, byte| number << 8 | byte),
            false => digits.fold(0, |number, byte| number << 8 | byte),
        })
    }
}

/// The pixels of the largest JPEG frame that begins anywhere in the bytes (ITU-T T.81, B.2.2): marker, length, precision, height,
/// width, components, and three bytes for each of these.
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
            let directory = [3, 1, 3, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0];
            let [[y1, y0], [x1, x0]] = [rows, 8192].map(u16::to_be_bytes);
            let frame = [0xFF, 0xC0, 0, 11, 8, y1, y0, x1, x0, 1];
            [&b"II*\0\x08\0\0\0\x01\0"[..], &directory, &frame].concat()
        };
        let frame = |rows: u16| Directory::of(&tiff(rows)).unwrap().jpeg_frame(MAX_PIXELS);
        assert_eq!(frame(8192), Ok(Some(MAX_PIXELS)));
        let error = frame(8193).unwrap_err();
        assert!(
            error.starts_with("the JPEGs in it unpack to 67117056 pixels, and the picture has 67108864; "),
            "{error}"
        );
    }
}
