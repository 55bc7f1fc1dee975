//! From the bytes of an image file to 8-bit RGB; the only reader of the crate `image`.
//!
//! The format is told from the content, so a PNG named `.jpg` decodes. Everything becomes RGB: grey is repeated, alpha
//! dropped (a transparent pixel keeps the colour it has beneath), a palette looked up, CMYK converted, 16 bits scaled to 8. Of an
//! animated PNG and a TIFF of several pages the first picture is read. No rotation by EXIF and no colour profile is applied, as
//! in Keras.
//!
//! Files are taken for hostile. Their size in pixels is checked before memory is taken; what all decoders take at once is bounded
//! by [`DECODING_BUDGET_BYTES`], however many threads there are; and a decoder's panic is an error like others.

pub mod orientation;
mod png;
mod tiff;

use std::io::Cursor;
use std::path::Path;

use image::{ColorType, DynamicImage, ExtendedColorType, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::contain::contain;
use super::gate::{Gate, Pass};
use crate::error::shortened;
use crate::{Error, Result};
use png::{MAX_PNG_CHUNKS, PngChunks};
use tiff::Directory;

/// The most pixels an image may have; 64 Mi is 8192 × 8192. It is checked against the header, before memory is taken.
pub const MAX_PIXELS: u64 = 64 << 20;

/// The most pixels on a side: as many as a JPEG can have. It bounds what decoders keep of a row.
pub const MAX_SIDE: u32 = 65_535;

/// The most bytes a decoder may give for one image: [`MAX_PIXELS`] of four 16-bit channels.
pub const MAX_DECODER_BYTES: u64 = MAX_PIXELS * 8;

/// What all decoders at work may take together, in bytes, counted at its peak. One image that needs more is decoded
/// while no other is. Photographs of 12 million pixels need 36 MB each.
pub const DECODING_BUDGET_BYTES: u64 = 1 << 30;

/// What a decoder may take before the size of its picture is known: colour profiles, tables of contents.
const HEADER_BYTES: u64 = 16 << 20;

/// Holds all threads to [`DECODING_BUDGET_BYTES`].
static DECODING: Gate = Gate::new(DECODING_BUDGET_BYTES);

/// A picture of 8-bit red, green and blue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rgb8 {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `height · width · 3` bytes, in the order H W C.
    pub pixels: Vec<u8>,
}

/// What an image file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageInfo {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// How colours are stored, such as `grey`, `RGB`, `RGB with alpha`, `palette` or `16-bit grey`.
    pub mode: &'static str,
    /// The format of the content, such as `PNG`.
    pub format: &'static str,
    /// Whether the file holds further pictures, which are not read: an animation's frames, a TIFF's pages.
    pub has_more_pictures: bool,
}

/// Decodes a file's bytes; `file` is its name in messages.
///
/// # Errors
/// [`Error::Image`] if the content is no image of a known format, is damaged or cut short, or has more than [`MAX_PIXELS`], or
/// [`MAX_SIDE`] on a side.
pub fn decode(file: &str, bytes: &[u8]) -> Result<(Rgb8, ImageInfo)> {
    decode_and(file, bytes, |image| image)
}

/// Decodes a file's bytes and does `work` with the picture, such as making it smaller, before another thread may take its part
/// of the memory. `work` must not wait for other threads.
///
/// # Errors
/// As [`decode`].
pub fn decode_and<T>(file: &str, bytes: &[u8], work: impl FnOnce(Rgb8) -> T) -> Result<(T, ImageInfo)> {
    // A decoder that panics on a damaged file is at fault, but the file is still the one to name, and others can go on.
    let outcome = contain(|| decode_content(bytes));
    let outcome =
        outcome.unwrap_or_else(|| Err("the decoder failed on it; convert it with an image program".to_string()));
    let (image, info, _pass) = outcome.map_err(|reason| Error::Image { file: file.to_string(), reason })?;
    Ok((work(image), info))
}

/// A sentence if the name's suffix promises another format than the content has.
pub fn suffix_note(file: &str, info: &ImageInfo) -> Option<String> {
    let suffix = Path::new(file).extension()?.to_str()?;
    let promised = format_name(ImageFormat::from_extension(suffix)?)?;
    (promised != info.format)
        .then(|| format!("{file} is named as {promised} and holds {}; it was read as that", info.format))
}

/// A sentence if the file holds further pictures, which nobody will see.
pub fn more_pictures_note(file: &str, info: &ImageInfo) -> Option<String> {
    let what = if info.format == "TIFF" { "has several pages" } else { "is animated" };
    info.has_more_pictures.then(|| format!("{file} {what}; only its first picture was read"))
}

/// The work of [`decode_and`], with the reason for a failure alone. The pass is for the picture's memory.
fn decode_content(bytes: &[u8]) -> std::result::Result<(Rgb8, ImageInfo, Pass<'static>), String> {
    if bytes.is_empty() {
        return Err("the file is empty; fetch it again, or take it out".to_string());
    }
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| error.to_string())?;
    let known = reader.format().and_then(|format| Some((format, format_name(format)?)));
    let Some((format, called)) = known else {
        let found = match foreign(bytes) {
            Some(kind) => format!("its content is {kind}, which is not read here"),
            None => "its content is none of PNG, JPEG, BMP, PPM and TIFF".to_string(),
        };
        return Err(format!("{found}; convert it or take it out"));
    };
    let jpeg = match format {
        ImageFormat::Jpeg => JpegMarkers::of(bytes),
        _ => JpegMarkers { is_complete: true, ..JpegMarkers::default() },
    };
    if !jpeg.is_complete {
        return Err("the file ends before the picture does; fetch it again".to_string());
    }
    let chunks = (format == ImageFormat::Png).then(|| PngChunks::of(bytes));
    if let Some(PngChunks { besides, .. }) = chunks
        && besides > MAX_PNG_CHUNKS
    {
        return Err(format!(
            "it has {besides} chunks beside its pixels, and {MAX_PNG_CHUNKS} are the most; save it anew with an image program"
        ));
    }
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(HEADER_BYTES);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(undecodable)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    let decoded = decoder.total_bytes();
    if decoded > MAX_DECODER_BYTES {
        return Err(format!(
            "it takes {decoded} bytes when decoded, and {MAX_DECODER_BYTES} are the most; make it smaller"
        ));
    }
    let color = decoder.color_type();
    let directory = if format == ImageFormat::Tiff { Directory::of(bytes) } else { None };
    let frame = match &directory {
        Some(directory) => directory.jpeg_frame(u64::from(width) * u64::from(height))?,
        None => None,
    };
    let within = frame.unwrap_or(0) * tiff::JPEG_BYTES;
    let pass = DECODING.enter(working_bytes(format, jpeg.is_progressive, width, height, color) + within);
    limits.max_alloc = Some(2 * decoded + HEADER_BYTES);
    decoder.set_limits(limits).map_err(undecodable)?;

    // The decoder expands a palette without saying so; byte 25 of a PNG, in its header, is the colour type, 3 for a palette.
    let is_palette = format == ImageFormat::Png && bytes.get(25) == Some(&3);
    let mode = match (is_palette, jpeg.components) {
        (true, _) => "palette",
        (_, 4) => "CMYK",
        _ => mode_name(decoder.original_color_type(), color),
    };
    let image = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    let (width, height) = (width as usize, height as usize);
    let has_more_pictures = chunks.is_some_and(|chunks| chunks.is_animated)
        || directory.and_then(|directory| directory.next()).is_some_and(|place| place != 0);
    let info = ImageInfo { width, height, mode, format: called, has_more_pictures };
    Ok((Rgb8 { width, height, pixels: rgb_bytes(image) }, info, pass))
}

/// Refuses a picture without pixels, and one beyond the limits.
fn check_size(width: u32, height: u32) -> std::result::Result<(), String> {
    let size = format!("it has {width} × {height} pixels");
    if width == 0 || height == 0 {
        return Err(format!("{size}; take it out"));
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(format!("{size}, and {} Mi is the most; make it smaller", MAX_PIXELS >> 20));
    }
    if width.max(height) > MAX_SIDE {
        return Err(format!("{size}, and {MAX_SIDE} on a side is the most; make it smaller"));
    }
    Ok(())
}

/// How much memory decoding takes at its peak, the file itself aside: the picture as the decoder gives it, the same as 8-bit RGB
/// where it is another, and what the decoder needs besides. A progressive JPEG keeps all coefficients, two bytes for each sample,
/// and a TIFF may unpack a strip of the whole picture beside it.
fn working_bytes(format: ImageFormat, is_progressive: bool, width: u32, height: u32, color: ColorType) -> u64 {
    let pixels = u64::from(width) * u64::from(height);
    let decoded = pixels * u64::from(color.bytes_per_pixel());
    let converted = if color == ColorType::Rgb8 { 0 } else { pixels * 3 };
    let besides = match format {
        // Four components, as CMYK has, at the most.
        ImageFormat::Jpeg if is_progressive => pixels * 4 * 2,
        ImageFormat::Tiff => decoded,
        _ => 0,
    };
    decoded + converted.max(besides)
}

/// What a file is that is none of ours, by its first bytes, where that helps to see what happened.
fn foreign(bytes: &[u8]) -> Option<&'static str> {
    let starts = |start: &[u8]| bytes.starts_with(start);
    let brand = bytes.get(4..12).unwrap_or_default();
    Some(match brand {
        b"ftypavif" | b"ftypavis" => "an AVIF",
        b"ftypheic" | b"ftypheix" | b"ftypmif1" | b"ftypmsf1" => "a HEIC",
        _ if starts(b"GIF8") => "a GIF, perhaps animated",
        _ if starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") => "a WebP",
        _ if starts(b"II+\0") || starts(b"MM\0+") => "a BigTIFF",
        _ if bytes.get(128..132) == Some(b"DICM") => "a DICOM",
        _ if starts(b"PK\x03\x04") => "a zip",
        _ if starts(b"\x1f\x8b") => "a gzip",
        _ if starts(b"%PDF") => "a PDF",
        _ if starts(b"<") => "text, such as SVG or a web page",
        _ => return None,
    })
}

/// What the decoder said, and what to do: a damaged file and a rare kind, such as a TIFF with a palette, both end here.
fn undecodable(error: image::ImageError) -> String {
    let error = error.to_string();
    format!("{}; save it anew as PNG with an image program, or take it out", shortened(&error))
}

/// The pixels as bytes in the order H W C, with three channels.
fn rgb_bytes(image: DynamicImage) -> Vec<u8> {
    let same = |byte: u8| byte;
    match &image {
        DynamicImage::ImageLuma8(grey) => three_channels(grey, 1, same),
        DynamicImage::ImageLumaA8(grey) => three_channels(grey, 2, same),
        DynamicImage::ImageRgba8(colour) => three_channels(colour, 4, same),
        DynamicImage::ImageLuma16(grey) => three_channels(grey, 1, eight_bits),
        DynamicImage::ImageLumaA16(grey) => three_channels(grey, 2, eight_bits),
        DynamicImage::ImageRgb16(colour) => three_channels(colour, 3, eight_bits),
        DynamicImage::ImageRgba16(colour) => three_channels(colour, 4, eight_bits),
        // 8-bit RGB as it is; floating-point TIFF by the crate's own rule, [0, 1] to 0…255.
        _ => image.into_rgb8().into_raw(),
    }
}

/// Three bytes for each pixel of `channels` samples: grey (1, or 2 with alpha) repeated, colour (3, or 4 with alpha) kept.
fn three_channels<T: Copy>(samples: &[T], channels: usize, to_byte: impl Fn(T) -> u8) -> Vec<u8> {
    let pick = if channels < 3 { [0, 0, 0] } else { [0, 1, 2] };
    samples.chunks_exact(channels).flat_map(|pixel| pick.map(|channel| to_byte(pixel[channel]))).collect()
}

/// x / 257 rounded to the nearest: the exact scaling of 0…65535 to 0…255. (Pillow clips 16-bit grey at 255 instead, which
/// turns most such pictures white; here we choose otherwise.)
fn eight_bits(sample: u16) -> u8 {
    ((u32::from(sample) + 128) / 257) as u8
}

/// The format's name, for the formats that are read.
fn format_name(format: ImageFormat) -> Option<&'static str> {
    match format {
        ImageFormat::Png => Some("PNG"),
        ImageFormat::Jpeg => Some("JPEG"),
        ImageFormat::Bmp => Some("BMP"),
        ImageFormat::Pnm => Some("PPM"),
        ImageFormat::Tiff => Some("TIFF"),
        _ => None,
    }
}

/// How colours are stored, in words: as in the file where the decoder tells it, otherwise as decoded.
fn mode_name(stored: ExtendedColorType, decoded: ColorType) -> &'static str {
    match stored {
        ExtendedColorType::L1 | ExtendedColorType::L2 | ExtendedColorType::L4 | ExtendedColorType::L8 => "grey",
        ExtendedColorType::Cmyk8 | ExtendedColorType::Cmyk16 => "CMYK",
        _ => match decoded {
            ColorType::L8 => "grey",
            ColorType::La8 => "grey with alpha",
            ColorType::Rgb8 => "RGB",
            ColorType::Rgba8 => "RGB with alpha",
            ColorType::L16 => "16-bit grey",
            ColorType::La16 => "16-bit grey with alpha",
            ColorType::Rgb16 => "16-bit RGB",
            ColorType::Rgba16 => "16-bit RGB with alpha",
            _ => "floating point",
        },
    }
}

/// What a JPEG's markers tell of it.
#[derive(Default)]
struct JpegMarkers {
    /// Whether the end marker is there. The decoder fills what is missing with grey and says nothing, which would train on
    /// half a picture.
    is_complete: bool,
    /// Whether the picture comes in several scans, each making it finer, so that a decoder keeps all of it.
    is_progressive: bool,
    /// Components of a pixel: 1 is grey, 3 is colour, 4 is ink.
    components: u8,
}

impl JpegMarkers {
    /// The file is a chain of markers, `FF` and a code. Most are followed by a segment that begins with its length; after a scan
    /// header (`DA`) comes data in which `FF 00` is a byte and `FF D0`…`FF D7` are restart marks, up to the next true marker.
    /// (ITU-T T.81, annex B.) Going by the lengths keeps a thumbnail's end marker from being taken for the picture's.
    fn of(bytes: &[u8]) -> JpegMarkers {
        let mut found = JpegMarkers::default();
        let mut rest = bytes;
        while let Some(at) = rest.windows(2).position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0xFF)) {
            let code = rest[at + 1];
            rest = &rest[at + 2..];
            match code {
                0xD9 => {
                    found.is_complete = true;
                    break;
                }
                0x01 | 0xD0..=0xD8 => {}
                _ => {
                    found.is_progressive |= matches!(code, 0xC2 | 0xC6 | 0xCA | 0xCE);
                    // A frame header: length, precision, height, width, components.
                    if matches!(code, 0xC0..=0xCF) && !matches!(code, 0xC4 | 0xC8 | 0xCC) {
                        found.components = rest.get(7).copied().unwrap_or(0);
                    }
                    match rest {
                        [high, low, ..] => {
                            rest = rest.get(usize::from(*high) << 8 | usize::from(*low)..).unwrap_or(&[]);
                        }
                        _ => break,
                    }
                }
            }
        }
        found
    }
}
