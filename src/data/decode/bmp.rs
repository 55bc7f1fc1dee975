//! Windows and OS/2 bitmaps.
//!
//! The crate `image` reads most kinds. Two are made plain for it: a bitmap with the longer header of OS/2's
//! second version, and a bare DIB, which lacks the file header. Run-length encoded ones are unpacked here, by
//! Pillow's rules: pixels that are passed over have the palette's first colour, and a picture whose pixels
//! are all there needs no mark of its end.

use std::borrow::Cow;

use super::faults::{CUT_SHORT, damaged, not_read};
use super::format::Format;
use super::library;
use super::limits::{Need, check_size};
use super::picture::{Decoded, Picture, Samples};

/// The length of the file header, before the bitmap's own.
const FILE_HEADER: usize = 14;

/// The lengths of the bitmap's header: of Windows 3, and of OS/2's second version, which is the same and
/// more.
const INFO_HEADER: u32 = 40;
const OS2_HEADER: u32 = 64;

/// The lengths of Windows' later headers, which begin like the first.
const LATER_HEADERS: [u32; 4] = [52, 56, 108, 124];

/// The numbers of compressions (`biCompression`).
const RLE8: u32 = 1;
const RLE4: u32 = 2;
const BIT_FIELDS: u32 = 3;

/// Decodes a bitmap.
///
/// # Errors
/// A sentence, if the file is damaged, of a kind that is not read, or beyond the limits.
pub fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    let Some(header) = Header::from_bytes(bytes) else { return library::decode(bytes, Format::Bmp, |_, _| Ok(0)) };
    match header.compression {
        RLE8 | RLE4 => return header.run_lengths(bytes),
        3 if header.length == OS2_HEADER => return Err(not_read("an OS/2 BMP compressed by Huffman's code")),
        4 if header.length == OS2_HEADER => return Err(not_read("an OS/2 BMP of run lengths of 24 bits")),
        4 | 5 => return Err(not_read("a BMP that holds a JPEG or PNG")),
        11..=13 => return Err(not_read("a BMP of inks (CMYK)")),
        _ => {}
    }
    let plain = header.to_plain(bytes);
    // The copy, where there is one, is kept beside the picture.
    let copied = if matches!(plain, Cow::Owned(_)) { plain.len() as u64 } else { 0 };
    library::decode(&plain, Format::Bmp, |_, _| Ok(copied))
}

/// Returns whether the bytes are a bitmap without a file header.
pub fn is_bare(bytes: &[u8]) -> bool {
    let planes = bytes.get(12..14);
    !bytes.starts_with(b"BM")
        && planes == Some(&[1, 0])
        && Header::from_bytes(bytes).is_some_and(|header| header.is_sensible())
}

/// The header of a bitmap.
struct Header {
    /// The place where it begins.
    start: usize,
    /// Its length.
    length: u32,
    width: i32,
    height: i32,
    bits: u16,
    compression: u32,
    /// Colours in the palette; 0 for all that there can be.
    colours: u32,
}

impl Header {
    /// Returns the header, if it is one of Windows 3, or a later one.
    fn from_bytes(bytes: &[u8]) -> Option<Header> {
        let start = if bytes.starts_with(b"BM") { FILE_HEADER } else { 0 };
        let number = |at: usize| Some(u32::from_le_bytes(*bytes.get(start + at..)?.first_chunk()?));
        let length = number(0)?;
        if length != INFO_HEADER && length != OS2_HEADER && !LATER_HEADERS.contains(&length) {
            return None;
        }
        let (width, height) = (number(4)? as i32, number(8)? as i32);
        let bits = (number(12)? >> 16) as u16;
        Some(Header { start, length, width, height, bits, compression: number(16)?, colours: number(32)? })
    }

    /// Returns whether it could be that of a bitmap.
    fn is_sensible(&self) -> bool {
        matches!(self.bits, 1 | 2 | 4 | 8 | 16 | 24 | 32) && self.width > 0 && self.height != 0 && self.compression < 16
    }

    /// Returns the place where the palette begins.
    fn palette_start(&self) -> usize {
        self.start + self.length as usize
    }

    /// Returns the colours in the palette.
    fn colours(&self) -> usize {
        match (self.colours, self.bits) {
            (0, 1..=8) => 1 << self.bits,
            (colours, _) => colours.min(1 << 16) as usize,
        }
    }

    /// Returns the file with a file header and the header of Windows 3, as every reader knows them.
    fn to_plain<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        if self.start == FILE_HEADER && self.length != OS2_HEADER {
            return Cow::Borrowed(bytes);
        }
        let length = if self.length == OS2_HEADER { INFO_HEADER } else { self.length };
        let rest = bytes.get(self.palette_start()..).unwrap_or_default();
        let pixels = match bytes.get(10..14) {
            Some(&[a, b, c, d]) if self.start == FILE_HEADER => {
                u32::from_le_bytes([a, b, c, d]).saturating_sub(self.length - length)
            }
            _ => {
                let masks = if self.length == INFO_HEADER && self.compression == BIT_FIELDS { 12 } else { 0 };
                FILE_HEADER as u32 + length + masks + 4 * self.colours() as u32
            }
        };
        let size = FILE_HEADER as u32 + length + rest.len() as u32;
        let mut plain = Vec::with_capacity(size as usize);
        plain.extend(b"BM");
        plain.extend([size, 0, pixels, length].iter().flat_map(|number| number.to_le_bytes()));
        plain.extend(&bytes[self.start + 4..self.start + length as usize]);
        plain.extend(rest);
        Cow::Owned(plain)
    }

    /// Decodes the run lengths.
    fn run_lengths(&self, bytes: &[u8]) -> Result<Decoded, String> {
        let fits = self.bits == if self.compression == RLE8 { 8 } else { 4 };
        if !fits || self.width < 0 || self.height < 0 {
            return Err(damaged(Format::Bmp));
        }
        let (width, height) = (self.width as u32, self.height as u32);
        check_size(width, height)?;
        let decoded = u64::from(width) * u64::from(height);
        let permit = Need { width, height, decoded, sample_bytes: 1, besides: 0 }.acquire()?;
        let palette = bytes.get(self.palette_start()..).ok_or(CUT_SHORT)?;
        let mut palette: Vec<[u8; 3]> = palette
            .chunks_exact(4)
            .take(self.colours().min(256))
            .map(|colour| [colour[2], colour[1], colour[0]])
            .collect();
        palette.resize(256, [0; 3]);
        let data = match bytes.get(10..14) {
            Some(&[a, b, c, d]) if self.start == FILE_HEADER => u32::from_le_bytes([a, b, c, d]) as usize,
            _ => self.palette_start() + 4 * self.colours(),
        };
        let (width, height) = (width as usize, height as usize);
        let data = bytes.get(data..).ok_or(CUT_SHORT)?;
        let indices = unpack_run_lengths(data, width, height, self.compression == RLE4).ok_or(CUT_SHORT)?;
        let mut pixels = Vec::with_capacity(indices.len() * 3);
        // The lowest row comes first.
        let rows = indices.chunks_exact(width).rev();
        pixels.extend(rows.flatten().flat_map(|&index| palette[usize::from(index)]));
        let picture = Picture { width, height, channels: 3, samples: Samples::Bits8(pixels) };
        Ok(Decoded { picture, mode: "palette", has_more_pictures: false, permit })
    }
}

/// Returns the palette indices, row by row from the lowest, of run lengths: pairs of a count and a
/// value, where a count of 0 begins an end of a row (0), of the picture (1), a jump (2) or values as they are
/// (their number). With `is_rle4` a value is two pixels. `None` if the data end before the picture does.
fn unpack_run_lengths(data: &[u8], width: usize, height: usize, is_rle4: bool) -> Option<Vec<u8>> {
    let size = width * height;
    let mut indices = Vec::with_capacity(size);
    let mut x = 0;
    let mut rest = data;
    while indices.len() < size {
        let [count, value, behind @ ..] = rest else { return None };
        rest = behind;
        match (*count, *value) {
            (0, 0) => {
                indices.resize(indices.len().next_multiple_of(width), 0);
                x = 0;
            }
            (0, 1) => indices.resize(size, 0),
            (0, 2) => {
                let [right, up, behind @ ..] = rest else { return None };
                rest = behind;
                indices.resize(size.min(indices.len() + usize::from(*right) + usize::from(*up) * width), 0);
                x = indices.len() % width;
            }
            (0, count) => {
                let count = usize::from(count).min(size - indices.len());
                let length = if is_rle4 { count.div_ceil(2) } else { count };
                let (values, behind) = rest.split_at_checked(length)?;
                match is_rle4 {
                    true => indices.extend(values.iter().flat_map(|value| [value >> 4, value & 15]).take(count)),
                    false => indices.extend(values),
                }
                x += count;
                // An odd number of bytes is followed by one that fills up.
                rest = behind.get(length % 2..).unwrap_or_default();
            }
            (count, value) => {
                // A run ends with its row at the latest.
                let count = usize::from(count).min(width.saturating_sub(x));
                let pair = if is_rle4 { [value >> 4, value & 15] } else { [value; 2] };
                indices.extend(pair.iter().cycle().take(count));
                x += count;
            }
        }
    }
    indices.truncate(size);
    Some(indices)
}
