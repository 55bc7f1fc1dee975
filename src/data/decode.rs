//! Decoding: from the bytes of an image file to RGB, of 8 bits or of all that a file has.
//!
//! The format is told from the content, so a PNG named `.jpg` decodes. Everything becomes RGB: grey is
//! repeated, alpha dropped (a transparent pixel keeps the colour it has beneath), a palette looked up, CMYK
//! converted, 16 bits scaled to 8 unless the [`Reading`] keeps them. Of an animation and a TIFF of several
//! pages the first picture is read. A TIFF is turned as its tag of orientation says. No colour profile is
//! applied, and no rotation by EXIF unless the [`Reading`] asks for it, as in Keras.
//!
//! There is a file for each format. What it gives is a `Decoded`: a picture in the samples of the file,
//! which becomes RGB in one place, `Picture::into_rgb`.
//!
//! Files are taken for hostile. Their size in pixels is checked before memory is taken; what all decoders
//! take at once is bounded by [`DECODING_BUDGET_BYTES`], however many threads there are (`limits`); and a
//! decoder's panic is an error like others. Errors of all that stands below are sentences without the file's
//! name, which say what is wrong and what to do.

mod bmp;
mod detect;
#[cfg(feature = "dicom")]
mod dicom;
mod exif;
mod faults;
mod format;
mod gif;
mod jpeg;
mod library;
mod limits;
mod orientation;
mod picture;
mod png;
mod pnm;
mod tiff;
mod webp;

use std::path::Path;

use super::catch_panic::catch_panic;
use super::memory_budget::Permit;
use super::reading::{BitDepth, Reading};
use crate::{Error, Result};
use detect::detect;
use format::Format;
use picture::Decoded;

pub(super) use detect::is_dicom;
pub(super) use format::format_named;
pub use limits::{DECODING_BUDGET_BYTES, MAX_DECODER_BYTES, MAX_PIXELS, MAX_SIDE, bound_memory};
pub use orientation::Orientation;
pub(super) use picture::mode_named;
pub use picture::{Rgb, Rgb8, RgbPicture};

/// The content of an image file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageInfo {
    /// Columns of the picture as it is read, which for a photo that is turned upright may be the rows of the
    /// file.
    pub width: usize,
    /// Rows, likewise.
    pub height: usize,
    /// The way colours are stored, such as `grey`, `RGB`, `RGB with alpha`, `palette` or `16-bit grey`.
    pub mode: &'static str,
    /// The format of the content, such as `PNG`.
    pub format: &'static str,
    /// True if the file holds further pictures, which are not read: frames of an animation or a scan, a
    /// TIFF's pages.
    pub has_more_pictures: bool,
    /// The orientation of the picture in the file, by its EXIF or XMP; it is turned only if the [`Reading`]
    /// asks for it. That of a TIFF is part of its format, always applied, and counts as upright here.
    pub orientation: Orientation,
    /// The smallest and the largest sample of a picture of 16 bits, alpha aside, before any scaling.
    pub samples: Option<[u16; 2]>,
}

#[cfg(test)]
impl ImageInfo {
    /// Returns a picture of which nothing is special.
    pub(crate) fn plain(width: usize, height: usize, format: &'static str) -> ImageInfo {
        let orientation = Orientation::UPRIGHT;
        ImageInfo { width, height, mode: "RGB", format, has_more_pictures: false, orientation, samples: None }
    }
}

/// Decodes a file's bytes by the default reading; `file` is its name in messages.
///
/// # Errors
/// [`Error::Image`] if the content is no image of a known format, is damaged or cut short, or has more than
/// [`MAX_PIXELS`], or [`MAX_SIDE`] on a side.
pub fn decode(file: &str, bytes: &[u8]) -> Result<(Rgb8, ImageInfo)> {
    decode_and(file, bytes, Reading::default(), |image| image)
}

/// Decodes a file's bytes as `reading` has it, but to 8 bits, as a screen shows them, and does `work` with
/// the picture as [`decode_as_read`] does.
///
/// # Errors
/// As [`decode`].
pub fn decode_and<T>(
    file: &str,
    bytes: &[u8],
    reading: Reading,
    work: impl FnOnce(Rgb8) -> T,
) -> Result<(T, ImageInfo)> {
    let reading = Reading { bit_depth: BitDepth::Eight, ..reading };
    decode_as_read(file, bytes, reading, |picture| work(picture.into_rgb8()))
}

/// Decodes a file's bytes as `reading` has it and does `work` with the picture, such as making it smaller,
/// before another thread may take its part of the memory. `work` must not wait for other threads.
///
/// # Errors
/// As [`decode`].
pub fn decode_as_read<T>(
    file: &str,
    bytes: &[u8],
    reading: Reading,
    work: impl FnOnce(RgbPicture) -> T,
) -> Result<(T, ImageInfo)> {
    // A decoder that panics on a damaged file is at fault, but the file is still the one to name, and others
    // can go on.
    let outcome = catch_panic(|| decode_content(bytes, reading));
    let outcome =
        outcome.unwrap_or_else(|| Err("the decoder failed on it; convert it with an image program".to_string()));
    let (image, info, _permit) = outcome.map_err(|reason| Error::Image { file: file.to_string(), reason })?;
    Ok((work(image), info))
}

/// Returns the suffix of a file of this content; of what is no image, that of one.
#[cfg(feature = "parquet")]
pub(super) fn suffix_of(bytes: &[u8]) -> &'static str {
    detect(bytes).unwrap_or(Format::Png).suffix()
}

/// Returns a sentence if the name's suffix promises another format than the content has.
pub fn suffix_note(file: &str, info: &ImageInfo) -> Option<String> {
    let suffix = Path::new(file).extension()?.to_str()?;
    let promised = Format::from_suffix(suffix)?.name();
    (promised != info.format)
        .then(|| format!("{file} is named as {promised} and holds {}; it was read as that", info.format))
}

/// Returns a sentence if the file holds further pictures, which nobody will see.
pub fn more_pictures_note(file: &str, info: &ImageInfo) -> Option<String> {
    let what = match info.format {
        "TIFF" => "has several pages",
        "DICOM" => "has several frames",
        _ => "is animated",
    };
    info.has_more_pictures.then(|| format!("{file} {what}; only its first picture was read"))
}

/// Does the work of [`decode_as_read`], with the reason for a failure alone. The permit is for the picture's
/// memory.
fn decode_content(bytes: &[u8], reading: Reading) -> Result<(RgbPicture, ImageInfo, Permit<'static>), String> {
    if bytes.is_empty() {
        return Err("the file is empty; fetch it again, or take it out".to_string());
    }
    let format = detect(bytes)?;
    let decoded = match format {
        Format::Png => png::decode(bytes),
        Format::Jpeg => jpeg::decode(bytes),
        Format::Bmp => bmp::decode(bytes),
        Format::Pnm => pnm::decode(bytes),
        Format::Tiff => tiff::decode(bytes),
        Format::WebP => webp::decode(bytes),
        Format::Gif => gif::decode(bytes),
        #[cfg(feature = "dicom")]
        Format::Dicom => dicom::decode(bytes),
        #[cfg(not(feature = "dicom"))]
        Format::Dicom => Err(faults::WITHOUT_DICOM.to_string()),
    };
    let Decoded { picture, mode, has_more_pictures, permit } = decoded?;
    let orientation = exif::orientation(format, bytes);
    let samples = picture.extremes();
    let turned = if reading.upright { orientation } else { Orientation::UPRIGHT };
    let image = picture.upright(turned).into_rgb(reading);
    let [width, height] = image.size();
    let info = ImageInfo { width, height, mode, format: format.name(), has_more_pictures, orientation, samples };
    Ok((image, info, permit))
}
