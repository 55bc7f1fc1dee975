//! The strips or tiles of a TIFF that are JPEGs each (Adobe, TIFF Technical Note 2), decoded by the decoder
//! of JPEGs, which knows a whole one from a half one.
//!
//! Such a JPEG may leave its tables to the tag `JPEGTables`, a JPEG without a picture, and says its own size,
//! which must be that of its place: all pieces may be the same few bytes, so that a file of a kilobyte could
//! ask for a million pictures.

use std::borrow::Cow;

use tiff::decoder::{ChunkType, Decoder};
use tiff::tags::Tag;

use super::super::faults::{CUT_SHORT, damaged};
use super::super::format::Format;
use super::super::jpeg::{Colours, Jpeg};
use super::faults::undecodable;
use super::layout::SampleLayout;
use super::masked::Masked;

/// The JPEG without a picture that holds the tables of all pieces.
const JPEG_TABLES: Tag = Tag::Unknown(347);

/// The mark that each JPEG begins with, and the one that it ends with.
const START: [u8; 2] = [0xFF, 0xD8];
const END: [u8; 2] = [0xFF, 0xD9];

/// The pixels that tiles may have beyond the picture's edges, in pixels: one of 1024 × 1024.
const MARGIN: u64 = 1 << 20;

/// The pieces of a TIFF's first page.
pub struct Jpegs<'a> {
    bytes: &'a [u8],
    /// The place where each piece begins, and its length, plane by plane and row by row.
    places: Vec<(usize, usize)>,
    tables: Vec<u8>,
    /// The picture's columns and rows.
    size: [usize; 2],
    /// A piece's columns and rows.
    piece: [usize; 2],
    is_tiled: bool,
    /// Samples of a pixel of the picture.
    channels: usize,
    planes: usize,
    /// Bytes that decoding takes beside the picture: those of the largest piece, and what it holds.
    pub working_bytes: u64,
}

impl<'a> Jpegs<'a> {
    /// Returns the pieces of a file, all of which are as large as their places.
    ///
    /// # Errors
    /// A sentence, if one lies outside of the file, is not of its place's size, or of a kind that is not
    /// read; or if all together have more than twice the picture's pixels and [`MARGIN`].
    pub fn new(bytes: &'a [u8], decoder: &mut Decoder<Masked>, layout: &SampleLayout) -> Result<Jpegs<'a>, String> {
        let (width, height) = decoder.dimensions().map_err(undecodable)?;
        let (piece_width, piece_height) = decoder.chunk_dimensions();
        let is_tiled = decoder.get_chunk_type() == ChunkType::Tile;
        let [starts, lengths] = match is_tiled {
            true => [Tag::TileOffsets, Tag::TileByteCounts],
            false => [Tag::StripOffsets, Tag::StripByteCounts],
        };
        let mut numbers = |tag| decoder.find_tag_unsigned_vec::<usize>(tag).map_err(undecodable);
        let (starts, lengths) = (numbers(starts)?.unwrap_or_default(), numbers(lengths)?.unwrap_or_default());
        let tables = match decoder.find_tag(JPEG_TABLES).map_err(undecodable)? {
            Some(value) => value.into_u8_vec().map_err(undecodable)?,
            None => Vec::new(),
        };
        let mut jpegs = Jpegs {
            bytes,
            places: starts.into_iter().zip(lengths).collect(),
            tables,
            size: [width as usize, height as usize],
            piece: [piece_width as usize, piece_height as usize],
            is_tiled,
            channels: layout.samples as usize,
            planes: layout.planes as usize,
            working_bytes: 0,
        };
        jpegs.working_bytes = jpegs.check(layout.bits)?;
        Ok(jpegs)
    }

    /// Returns the picture's samples in the order H W C.
    ///
    /// # Errors
    /// A sentence, if a piece is cut short, damaged, or of a kind that is not read.
    pub fn samples(&self) -> Result<Vec<u8>, String> {
        let [width, height] = self.size;
        let mut picture = vec![0; width * height * self.channels];
        for index in 0..self.places.len() {
            let stream = self.stream(index)?;
            let jpeg = Jpeg::from_bytes(&stream)?;
            let (plane, [left, top]) = self.position(index);
            let row = jpeg.size()[0] as usize * jpeg.components();
            let columns = self.piece[0].min(width - left);
            let samples = jpeg.samples(Colours::AsStored)?;
            for (y, line) in (top..height).zip(samples.chunks_exact(row)) {
                let to = &mut picture[(y * width + left) * self.channels..][..columns * self.channels];
                match self.planes {
                    1 => to.copy_from_slice(&line[..to.len()]),
                    _ => to.iter_mut().skip(plane).step_by(self.channels).zip(line).for_each(|(to, from)| *to = *from),
                }
            }
        }
        Ok(picture)
    }

    /// Returns the pieces across and down.
    fn grid(&self) -> [usize; 2] {
        [0, 1].map(|side| self.size[side].div_ceil(self.piece[side]))
    }

    /// Returns the plane that a piece belongs to, and the column and row where it begins.
    fn position(&self, index: usize) -> (usize, [usize; 2]) {
        let [across, down] = self.grid();
        let place = index % (across * down);
        (index / (across * down), [place % across * self.piece[0], place / across * self.piece[1]])
    }

    /// Returns a piece as a JPEG of its own.
    fn stream(&self, index: usize) -> Result<Cow<'a, [u8]>, String> {
        let (start, length) = self.places[index];
        let piece = start.checked_add(length).and_then(|end| self.bytes.get(start..end)).ok_or(CUT_SHORT)?;
        let tables = self.tables.strip_prefix(&START).unwrap_or(&self.tables);
        let tables = tables.strip_suffix(&END).unwrap_or(tables);
        Ok(match piece.strip_prefix(&START) {
            Some(rest) if !tables.is_empty() => Cow::Owned([&START, tables, rest].concat()),
            _ => Cow::Borrowed(piece),
        })
    }

    /// Returns whether the pieces are those of such a picture, of samples of so many bits; the most bytes
    /// that one takes.
    fn check(&self, bits: u8) -> Result<u64, String> {
        if self.piece.contains(&0) || bits != 8 {
            return Err(damaged(Format::Tiff));
        }
        let [across, down] = self.grid();
        let count = across * down * self.planes;
        if self.places.len() < count {
            return Err(CUT_SHORT.to_string());
        }
        if self.places.len() > count {
            return Err(damaged(Format::Tiff));
        }
        let area = |[width, height]: [usize; 2]| width as u64 * height as u64;
        let (all, pixels) = (area(self.piece) * count as u64, area(self.size));
        if self.is_tiled && all > 2 * pixels * self.planes as u64 + MARGIN {
            return Err(format!(
                "its tiles have {all} pixels together, and the picture has {pixels}; save it again as PNG with an image \
                 program, or take it out"
            ));
        }
        let mut most = 0;
        for index in 0..count {
            let stream = self.stream(index)?;
            let jpeg = Jpeg::from_bytes(&stream)?;
            let [width, height] = jpeg.size().map(|side| side as usize);
            let rows = self.piece[1].min(self.size[1] - self.position(index).1[1]);
            // The last strip may have rows that the picture lacks.
            let least = if self.is_tiled { self.piece[1] } else { rows };
            if width != self.piece[0] || !(least..=self.piece[1]).contains(&height) {
                let kind = if self.is_tiled { "tile" } else { "strip" };
                return Err(format!(
                    "a {kind} of it has {} × {rows} pixels, and the JPEG in its place {width} × {height}; fetch it again, or save it \
                     again as PNG with an image program",
                    self.piece[0]
                ));
            }
            if jpeg.components() * self.planes != self.channels {
                return Err(damaged(Format::Tiff));
            }
            let samples = (width * height * jpeg.components()) as u64;
            most = most.max(samples + jpeg.working_bytes() + stream.len() as u64);
        }
        Ok(most)
    }
}
