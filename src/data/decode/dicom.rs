//! DICOM files (NEMA PS3): the picture of a scanner, or of several the first, as a person would see it.
//!
//! Of grey pictures the stored values become those of the modality (Hounsfield units in CT), the first window
//! of the file brings these from black to white, and `MONOCHROME1` is inverted. A file without a window has
//! its whole range of stored values from black to white, so that pictures of one scanner stay comparable.
//! What has more than 8 bits keeps 16.
//!
//! Only the [attributes](attributes) that tell how the picture is stored are looked at. None tells of a
//! person, and no text of a file stands in a message.

mod attributes;
mod elements;
mod frame;
mod grey;
mod module;
mod syntax;
mod table;

use super::faults::{damaged, not_read};
use super::format::Format;
use super::limits::{Need, check_size};
use super::picture::{Decoded, Picture, Samples};
use super::tiff::Converter;
use attributes::{Attributes, FLOAT_PIXEL_DATA, PIXEL_DATA, TRANSFER_SYNTAX};
use elements::{Elements, Encoding};
use frame::{Frame, Packed};
use grey::Grey;
use module::{Photometric, PixelModule};
use syntax::{Compression, Syntax};
use table::Table;

/// The bytes before the mark `DICM`, which may hold anything, and the mark itself (PS3.10, section 7.1).
const START_BYTES: usize = 128 + 4;

/// The first byte of the group of elements that tell how the others are written; the second is 0.
const META_GROUP: u8 = 2;

/// The bytes that the levels of all stored values take at the most: 2¹⁶ of two bytes, and three tables of as
/// many colours.
const LEVELS_BYTES: u64 = 4 * 2 * (1 << 16);

/// Decodes a DICOM's first frame.
///
/// # Errors
/// A sentence, if the file is damaged, of a kind that is not read, or beyond the limits.
pub fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    let mut elements = Elements::new(bytes.get(START_BYTES..).unwrap_or_default(), Encoding::EXPLICIT);
    let meta = Attributes::new(elements.by_ref_while(|rest| rest.starts_with(&[META_GROUP, 0])))?;
    let syntax = Syntax::from_uid(meta.text(TRANSFER_SYNTAX)?)?;
    let attributes = Attributes::new(Elements::new(elements.rest(), syntax.encoding))?;
    if FLOAT_PIXEL_DATA.iter().any(|&tag| attributes.get(tag).is_some()) {
        return Err(not_read("a DICOM of floating-point numbers"));
    }
    let Some(data) = attributes.get(PIXEL_DATA) else {
        return Err("it is a DICOM without a picture, such as a DICOMDIR, a report or a plan; take it out".to_string());
    };
    let module = PixelModule::from_attributes(&attributes, syntax.compression)?;
    let (width, height) = (module.width, module.height);
    check_size(width, height)?;
    let packed = Packed::new(data, &module, syntax)?;
    let is_wide = module.is_deep() || module.photometric == Photometric::Palette;
    let sample_bytes = if is_wide { 2 } else { 1 };
    let decoded = module.pixels() as u64 * module.photometric.channels() as u64 * sample_bytes;
    let besides = packed.working_bytes() + LEVELS_BYTES;
    let permit = Need { width, height, decoded, sample_bytes, besides }.acquire()?;

    let frame = packed.unpack(&module)?;
    let (samples, mode) = match module.photometric {
        Photometric::Grey { is_inverted } => {
            let grey = Grey::from_attributes(&attributes, &module)?;
            let invert = |level: u16| if is_inverted { !level } else { level };
            let mode = if module.is_deep() { "16-bit grey" } else { "grey" };
            (frame.levels(&module, grey.levels(&module).map(invert)), mode)
        }
        Photometric::YCbCr if syntax.compression != Compression::Jpeg => {
            (rgb_of_ycbcr(frame.levels(&module, module.full_range()))?, "YCbCr")
        }
        // The decoder of JPEGs gives red, green and blue.
        Photometric::Rgb | Photometric::YCbCr => {
            let mode = if module.is_deep() { "16-bit RGB" } else { "RGB" };
            (frame.levels(&module, module.full_range()), mode)
        }
        Photometric::Palette => (looked_up(&frame, &module, Table::palette(&attributes, &module)?), "palette"),
    };
    let channels = module.photometric.channels();
    let picture = Picture { width: width as usize, height: height as usize, channels, samples };
    Ok(Decoded { picture, mode, has_more_pictures: module.frames > 1, permit })
}

/// Returns red, green and blue of luma and differences, which have 8 bits.
fn rgb_of_ycbcr(samples: Samples) -> Result<Samples, String> {
    let Samples::Bits8(mut samples) = samples else { return Err(damaged(Format::Dicom)) };
    samples.chunks_exact_mut(3).for_each(|pixel| {
        let rgb = Converter::Libjpeg.rgb(pixel);
        pixel.copy_from_slice(&rgb);
    });
    Ok(Samples::Bits8(samples))
}

/// Returns the colours that tables of red, green and blue have for the stored values.
fn looked_up(frame: &Frame, module: &PixelModule, palette: [Table; 3]) -> Samples {
    let colour = |raw: u16| palette.each_ref().map(|table| table.entry(i64::from(module.value(raw))));
    let raw = || (0..module.pixels()).map(|pixel| frame.raw(pixel));
    match palette.iter().all(|table| table.bits <= 8) {
        true => Samples::Bits8(raw().flat_map(|raw| colour(raw).map(|level| level as u8)).collect()),
        false => Samples::Bits16(raw().flat_map(colour).collect()),
    }
}
