//! TIFF (Adobe, TIFF 6.0) and BigTIFF.
//!
//! The decoder, the crate `tiff`, is told that the samples are grey, whatever they are, and so gives them as
//! they are stored, of any number and depth. What they mean is told in [`colour`].

mod colour;
mod directory;
mod faults;
mod jpegs;
mod layout;
mod lzw;
mod masked;

use tiff::decoder::{ChunkType, Decoder, Limits};
use tiff::tags::{CompressionMethod, Tag};

use super::faults::{CUT_SHORT, damaged, not_read};
use super::format::Format;
use super::limits::{HEADER_BYTES, Need, check_size};
use super::orientation::Orientation;
use super::picture::{Decoded, Picture, Samples};
use colour::Colour;
#[cfg(feature = "dicom")]
pub(super) use colour::Converter;
use directory::Directory;
use faults::undecodable;
use jpegs::Jpegs;
use layout::SampleLayout;
use masked::Masked;

/// The meaning that the decoder is told: grey, from black to white.
const BLACK_IS_ZERO: u16 = 1;

/// The order of bits in a byte that is not the usual one (section 8, `FillOrder`).
const LOWEST_BIT_FIRST: u16 = 2;

/// Decodes a TIFF's first page, turned as its tag of orientation says.
///
/// # Errors
/// A sentence, if the file is damaged, of a kind that is not read, or beyond the limits.
pub fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    let directory = Directory::from_bytes(bytes).ok_or(CUT_SHORT)?;
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
    let colour = Colour::new(photometric, method, &mut decoder)?;
    let layout = SampleLayout::from_decoder(&mut decoder)?;
    // A strip of the whole picture may be unpacked beside it; later its planes are interleaved, or it is
    // turned.
    let decoded = pixels * layout.samples * u64::from(layout.bits).div_ceil(8);
    let sample_bytes = u64::from(layout.bits).div_ceil(8);
    let jpegs = match method {
        CompressionMethod::ModernJPEG => Some(Jpegs::new(bytes, &mut decoder, &layout)?),
        _ => None,
    };
    let pieces = jpegs.as_ref().map_or(0, |jpegs| jpegs.working_bytes);
    let permit = Need { width, height, decoded, sample_bytes, besides: decoded + pieces }.acquire()?;

    let orientation = decoder.find_tag_unsigned(Tag::Orientation).map_err(undecodable)?;
    let orientation = orientation.map_or(Orientation::UPRIGHT, Orientation::from_tag);
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
    let (picture, mode) = colour.interpret(picture, layout.bits)?;
    Ok(Decoded { picture, mode, has_more_pictures, permit })
}

/// Returns the compression of the pieces, if it is one that is read.
fn compression(decoder: &mut Decoder<Masked>) -> Result<CompressionMethod, String> {
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
