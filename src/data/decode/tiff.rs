//! TIFF (Adobe, TIFF 6.0) and BigTIFF.
//!
//! The decoder, the crate `tiff`, is told that the samples are grey, whatever they are, and so gives them as
//! they are stored, of any number and depth. What they mean is told in [`colour`].

mod colour;
mod directory;
mod jpegs;
mod lzw;
mod masked;

use log::debug;
use tiff::decoder::{ChunkType, Decoder, DecodingResult, Limits};
use tiff::tags::{CompressionMethod, Tag};
use tiff::{TiffError, TiffUnsupportedError};

use super::Outcome;
use super::faults::{CUT_SHORT, damaged, is_end_of_file, not_read, too_much_memory};
use super::format::Format;
use super::limits::{HEADER_BYTES, MAX_SIDE, Need, check_size};
use super::orientation::Orientation;
use super::picture::{Decoded, Picture, Samples};
use colour::Colour;
use directory::Directory;
use jpegs::Jpegs;
use masked::Masked;

/// The meaning that the decoder is told: grey, from black to white.
const BLACK_IS_ZERO: u16 = 1;

/// The most samples of a pixel: colour, alpha, and what some programs add to these.
const MAX_SAMPLES: u64 = 8;

/// The order of bits in a byte that is not the usual one (section 8, `FillOrder`).
const LOWEST_BIT_FIRST: u16 = 2;

/// Decodes a TIFF's first page, turned as its tag of orientation says.
///
/// # Errors
/// A sentence, if the file is damaged, of a kind that is not read, or beyond the limits.
pub fn decode(bytes: &[u8]) -> Outcome<Decoded> {
    let directory = Directory::of(bytes).ok_or(CUT_SHORT)?;
    let (photometric, at) = directory.photometric().ok_or_else(|| damaged(Format::Tiff))?;
    let as_grey = if bytes.starts_with(b"II") { BLACK_IS_ZERO.to_le_bytes() } else { BLACK_IS_ZERO.to_be_bytes() };
    let mut masked = Masked::new(bytes);
    masked.patches.push((at, as_grey.to_vec()));
    lzw::lengthen(&directory, &mut masked);
    let mut decoder = Decoder::new(masked).map_err(undecodable)?;
    let (width, height) = decoder.dimensions().map_err(undecodable)?;
    check_size(width, height)?;
    let pixels = u64::from(width) * u64::from(height);

    let method = compression(&mut decoder)?;
    let colour = Colour::of(photometric, method, &mut decoder)?;
    let layout = Layout::of(&mut decoder)?;
    // A strip of the whole picture may be unpacked beside it; later its planes are interleaved, or it is
    // turned.
    let decoded = pixels * layout.samples * u64::from(layout.bits).div_ceil(8);
    let jpegs = match method {
        CompressionMethod::ModernJPEG => Some(Jpegs::of(bytes, &mut decoder, &layout)?),
        _ => None,
    };
    let pieces = jpegs.as_ref().map_or(0, |jpegs| jpegs.working_bytes);
    let pass = Need { width, height, decoded, besides: decoded + pieces }.enter()?;

    let orientation = decoder.find_tag_unsigned(Tag::Orientation).map_err(undecodable)?;
    let orientation = orientation.map_or(Orientation::UPRIGHT, Orientation::of_tag);
    let fill_order = decoder.find_tag_unsigned::<u16>(Tag::FillOrder).map_err(undecodable)?;
    decoder.inner().is_reversed = fill_order == Some(LOWEST_BIT_FIRST);

    let mut limits = Limits::default();
    // A tile may be larger than the picture.
    limits.decoding_buffer_size = usize::try_from(decoded + HEADER_BYTES).unwrap_or(usize::MAX);
    limits.intermediate_buffer_size = usize::try_from(decoded + HEADER_BYTES).unwrap_or(usize::MAX);
    let mut decoder = decoder.with_limits(limits);
    let (width, height) = (width as usize, height as usize);
    let is_tiled = decoder.get_chunk_type() == ChunkType::Tile;
    let samples = match jpegs {
        // They have an order of bits of their own.
        Some(jpegs) => Samples::Bits8(jpegs.samples()?),
        None if layout.planes > 1 && is_tiled => layout.read_tiled_planes(&mut decoder, width, height)?,
        None => layout.read(&mut decoder, width, height)?,
    };
    let has_more_pictures = decoder.more_images();
    drop(decoder);
    let picture = Picture { width, height, channels: layout.samples as usize, samples }.upright(orientation);
    let (picture, mode) = colour.told(picture, layout.bits)?;
    Ok(Decoded { picture, mode, has_more_pictures, pass })
}

/// How samples are stored.
struct Layout {
    /// Samples of a pixel.
    samples: u64,
    /// Bits of a sample.
    bits: u8,
    /// Planes: one for all samples together, or one for each.
    planes: u64,
}

impl Layout {
    /// The layout of the first page.
    fn of(decoder: &mut Decoder<Masked>) -> Outcome<Layout> {
        let color = decoder.colortype().map_err(undecodable)?;
        let (samples, bits) = (u64::from(color.num_samples()), color.bit_depth());
        if samples > MAX_SAMPLES {
            return Err(not_read(&format!("a TIFF of {samples} samples for each pixel")));
        }
        if !matches!(bits, 1..8 | 8 | 16 | 32 | 64) {
            return Err(not_read(&format!("a TIFF of {bits} bits for each sample")));
        }
        let (tile_width, tile_height) = decoder.chunk_dimensions();
        let longest = if decoder.get_chunk_type() == ChunkType::Tile { tile_width.max(tile_height) } else { 0 };
        if longest > MAX_SIDE + 1 {
            return Err(damaged(Format::Tiff));
        }
        let planar = decoder.find_tag_unsigned::<u16>(Tag::PlanarConfiguration).map_err(undecodable)?;
        Ok(Layout { samples, bits, planes: if planar == Some(2) { samples } else { 1 } })
    }

    /// Reads the picture: samples in the order H W C.
    fn read(&self, decoder: &mut Decoder<Masked>, width: usize, height: usize) -> Outcome<Samples> {
        let mut read = DecodingResult::U8(Vec::new());
        let whole = decoder.read_image_to_buffer(&mut read).map_err(undecodable)?;
        if read.as_buffer(0).byte_len() < whole.complete_len {
            return Err(too_much_memory(Format::Tiff));
        }
        let (channels, planes) = (self.samples as usize, self.planes as usize);
        let samples = self.a_byte_each(colour::plain(read, self.bits)?, width * channels / planes);
        Ok(if planes == 1 { samples } else { interleaved(samples, width * height, channels) })
    }

    /// Reads a picture whose planes come in tiles, one by one, as the decoder takes the lowest tiles of all
    /// planes but the first for whole ones.
    fn read_tiled_planes(&self, decoder: &mut Decoder<Masked>, width: usize, height: usize) -> Outcome<Samples> {
        let (tile_width, tile_height) = decoder.chunk_dimensions();
        let (tile_width, tile_height) = (tile_width as usize, tile_height as usize);
        let (across, down) = (width.div_ceil(tile_width), height.div_ceil(tile_height));
        let channels = self.samples as usize;
        let mut picture: Option<Samples> = None;
        for tile in 0..across * down * channels {
            let read = decoder.read_chunk(tile as u32).map_err(undecodable)?;
            let (channel, place) = (tile / (across * down), tile % (across * down));
            let (left, top) = (place % across * tile_width, place / across * tile_height);
            let columns = tile_width.min(width - left);
            let to = Tile { channel, channels, left, top, columns, width, height };
            let samples = self.a_byte_each(colour::plain(read, self.bits)?, columns);
            match (&mut picture, samples) {
                (Some(Samples::Bits8(picture)), Samples::Bits8(tile)) => to.put(picture, &tile),
                (Some(Samples::Bits16(picture)), Samples::Bits16(tile)) => to.put(picture, &tile),
                (Some(Samples::Float(picture)), Samples::Float(tile)) => to.put(picture, &tile),
                (_, Samples::Bits8(tile)) => picture = Some(Samples::Bits8(to.begun(&tile))),
                (_, Samples::Bits16(tile)) => picture = Some(Samples::Bits16(to.begun(&tile))),
                (_, Samples::Float(tile)) => picture = Some(Samples::Float(to.begun(&tile))),
            }
        }
        picture.ok_or_else(|| damaged(Format::Tiff))
    }

    /// Samples of fewer than eight bits unpacked, from rows of so many; others as they are.
    fn a_byte_each(&self, samples: Samples, row: usize) -> Samples {
        match samples {
            Samples::Bits8(packed) if self.bits < 8 => Samples::Bits8(unpacked(&packed, self.bits, row)),
            other => other,
        }
    }
}

/// Where the samples of a tile of one plane belong.
struct Tile {
    channel: usize,
    channels: usize,
    left: usize,
    top: usize,
    columns: usize,
    width: usize,
    height: usize,
}

impl Tile {
    /// Puts the tile's rows, as far as the picture has them, into the picture.
    fn put<T: Copy>(&self, picture: &mut [T], tile: &[T]) {
        for (row, samples) in (self.top..self.height).zip(tile.chunks_exact(self.columns)) {
            let start = (row * self.width + self.left) * self.channels + self.channel;
            picture[start..].iter_mut().step_by(self.channels).zip(samples).for_each(|(to, from)| *to = *from);
        }
    }

    /// A picture with this tile alone.
    fn begun<T: Copy + Default>(&self, tile: &[T]) -> Vec<T> {
        let mut picture = vec![T::default(); self.width * self.height * self.channels];
        self.put(&mut picture, tile);
        picture
    }
}

/// The samples of planes, pixel by pixel.
fn interleaved(samples: Samples, pixels: usize, channels: usize) -> Samples {
    match samples {
        Samples::Bits8(planes) => Samples::Bits8(together(&planes, pixels, channels)),
        Samples::Bits16(planes) => Samples::Bits16(together(&planes, pixels, channels)),
        Samples::Float(planes) => Samples::Float(together(&planes, pixels, channels)),
    }
}

/// A byte for each sample of `bits` bits, of rows that begin at a byte each and have so many samples.
fn unpacked(packed: &[u8], bits: u8, samples: usize) -> Vec<u8> {
    let row_bytes = (samples * usize::from(bits)).div_ceil(8);
    let mut unpacked = Vec::with_capacity(packed.len() / row_bytes * samples);
    for row in packed.chunks_exact(row_bytes) {
        unpacked.extend((0..samples).map(|sample| {
            let at = sample * usize::from(bits);
            // A sample may begin in one byte and end in the next.
            let next = row.get(at / 8 + 1).copied().unwrap_or(0);
            let both = u16::from_be_bytes([row[at / 8], next]) << (at % 8);
            (both >> (16 - u16::from(bits))) as u8
        }));
    }
    unpacked
}

/// The same for samples of one type.
fn together<T: Copy>(planes: &[T], pixels: usize, channels: usize) -> Vec<T> {
    let mut samples = Vec::with_capacity(pixels * channels);
    samples.extend((0..pixels).flat_map(|pixel| (0..channels).map(move |channel| planes[channel * pixels + pixel])));
    samples
}

/// How the pieces are compressed, if that is read.
fn compression(decoder: &mut Decoder<Masked>) -> Outcome<CompressionMethod> {
    let code = decoder.find_tag_unsigned::<u16>(Tag::Compression).map_err(undecodable)?.unwrap_or(1);
    let method = CompressionMethod::from_u16_exhaustive(code);
    let name = match method {
        CompressionMethod::None
        | CompressionMethod::LZW
        | CompressionMethod::Fax4
        | CompressionMethod::ModernJPEG
        | CompressionMethod::Deflate
        | CompressionMethod::OldDeflate
        | CompressionMethod::PackBits => return Ok(method),
        CompressionMethod::Huffman => "by the fax code of CCITT RLE",
        CompressionMethod::Fax3 => "by the fax code of group 3",
        CompressionMethod::JPEG => "as JPEG in the old way of TIFF 6.0",
        CompressionMethod::ZSTD => "by Zstandard",
        CompressionMethod::WebP => "as WebP",
        _ => match code {
            34925 => "by LZMA",
            34887 => "by LERC",
            33003 | 33005 | 34712 => "as JPEG 2000",
            50002 | 52546 => "as JPEG XL",
            _ => return Err(not_read(&format!("a TIFF compressed by the method {code}"))),
        },
    };
    Err(not_read(&format!("a TIFF compressed {name}")))
}

/// What is said for an error of the decoder.
fn undecodable(error: TiffError) -> String {
    debug!("decoding a TIFF: {error}");
    match &error {
        _ if is_end_of_file(&error) => CUT_SHORT.to_string(),
        TiffError::UnsupportedError(TiffUnsupportedError::InconsistentBitsPerSample(_)) => {
            not_read("a TIFF whose samples differ in depth")
        }
        TiffError::UnsupportedError(
            TiffUnsupportedError::HorizontalPredictor(_) | TiffUnsupportedError::FloatingPointPredictor(_),
        ) => not_read("a TIFF with a predictor that does not fit its samples"),
        TiffError::UnsupportedError(_) => not_read("a TIFF of a rare kind"),
        TiffError::LimitsExceeded => too_much_memory(Format::Tiff),
        _ => damaged(Format::Tiff),
    }
}
