//! The layout of a TIFF's samples, and their reading into the order H W C.

use tiff::decoder::{ChunkType, Decoder, DecodingResult};
use tiff::tags::Tag;

use super::super::faults::{damaged, not_read, too_much_memory};
use super::super::format::Format;
use super::super::limits::MAX_SIDE;
use super::super::picture::Samples;
use super::colour;
use super::faults::undecodable;
use super::masked::Masked;

/// The most samples of a pixel: colour, alpha, and what some programs add to these.
const MAX_SAMPLES: u64 = 8;

/// The layout of stored samples.
pub struct SampleLayout {
    /// Samples of a pixel.
    pub samples: u64,
    /// Bits of a sample.
    pub bits: u8,
    /// Planes: one for all samples together, or one for each.
    pub planes: u64,
}

impl SampleLayout {
    /// Returns the layout of the first page.
    pub fn from_decoder(decoder: &mut Decoder<Masked>) -> Result<SampleLayout, String> {
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
        Ok(SampleLayout { samples, bits, planes: if planar == Some(2) { samples } else { 1 } })
    }

    /// Reads the picture: samples in the order H W C.
    pub fn read(&self, decoder: &mut Decoder<Masked>, width: usize, height: usize) -> Result<Samples, String> {
        let mut read = DecodingResult::U8(Vec::new());
        let whole = decoder.read_image_to_buffer(&mut read).map_err(undecodable)?;
        if read.as_buffer(0).byte_len() < whole.complete_len {
            return Err(too_much_memory(Format::Tiff));
        }
        let (channels, planes) = (self.samples as usize, self.planes as usize);
        let samples = self.unpack(colour::plain(read, self.bits)?, width * channels / planes);
        Ok(if planes == 1 { samples } else { interleave(samples, width * height, channels) })
    }

    /// Reads a picture whose planes come in tiles, one by one, as the decoder takes the lowest tiles of all
    /// planes but the first for whole ones.
    pub fn read_tiled_planes(
        &self,
        decoder: &mut Decoder<Masked>,
        width: usize,
        height: usize,
    ) -> Result<Samples, String> {
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
            let plane_tile = PlaneTile { channel, channels, left, top, columns, width, height };
            let samples = self.unpack(colour::plain(read, self.bits)?, columns);
            match (&mut picture, samples) {
                (Some(Samples::Bits8(picture)), Samples::Bits8(tile)) => plane_tile.write_to(picture, &tile),
                (Some(Samples::Bits16(picture)), Samples::Bits16(tile)) => plane_tile.write_to(picture, &tile),
                (Some(Samples::Float(picture)), Samples::Float(tile)) => plane_tile.write_to(picture, &tile),
                (_, Samples::Bits8(tile)) => picture = Some(Samples::Bits8(plane_tile.to_picture(&tile))),
                (_, Samples::Bits16(tile)) => picture = Some(Samples::Bits16(plane_tile.to_picture(&tile))),
                (_, Samples::Float(tile)) => picture = Some(Samples::Float(plane_tile.to_picture(&tile))),
            }
        }
        picture.ok_or_else(|| damaged(Format::Tiff))
    }

    /// Unpacks samples of fewer than eight bits, from rows of so many, and leaves others as they are.
    fn unpack(&self, samples: Samples, row: usize) -> Samples {
        match samples {
            Samples::Bits8(packed) if self.bits < 8 => Samples::Bits8(unpack_bits(&packed, self.bits, row)),
            other => other,
        }
    }
}

/// The place of a tile of one plane in the picture.
struct PlaneTile {
    channel: usize,
    channels: usize,
    left: usize,
    top: usize,
    columns: usize,
    width: usize,
    height: usize,
}

impl PlaneTile {
    /// Writes the tile's rows, as far as the picture has them, to the picture.
    fn write_to<T: Copy>(&self, picture: &mut [T], tile: &[T]) {
        for (row, samples) in (self.top..self.height).zip(tile.chunks_exact(self.columns)) {
            let start = (row * self.width + self.left) * self.channels + self.channel;
            picture[start..].iter_mut().step_by(self.channels).zip(samples).for_each(|(to, from)| *to = *from);
        }
    }

    /// Returns a picture with this tile alone.
    fn to_picture<T: Copy + Default>(&self, tile: &[T]) -> Vec<T> {
        let mut picture = vec![T::default(); self.width * self.height * self.channels];
        self.write_to(&mut picture, tile);
        picture
    }
}

/// Returns the samples of planes, pixel by pixel.
fn interleave(samples: Samples, pixels: usize, channels: usize) -> Samples {
    match samples {
        Samples::Bits8(planes) => Samples::Bits8(interleave_planes(&planes, pixels, channels)),
        Samples::Bits16(planes) => Samples::Bits16(interleave_planes(&planes, pixels, channels)),
        Samples::Float(planes) => Samples::Float(interleave_planes(&planes, pixels, channels)),
    }
}

/// Returns a byte for each sample of `bits` bits, of rows that begin at a byte each and have so many samples.
fn unpack_bits(packed: &[u8], bits: u8, samples: usize) -> Vec<u8> {
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

/// Returns the same for samples of one type.
fn interleave_planes<T: Copy>(planes: &[T], pixels: usize, channels: usize) -> Vec<T> {
    let mut samples = Vec::with_capacity(pixels * channels);
    samples.extend((0..pixels).flat_map(|pixel| (0..channels).map(move |channel| planes[channel * pixels + pixel])));
    samples
}
