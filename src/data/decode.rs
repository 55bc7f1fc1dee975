//! From the bytes of an image file to 8-bit RGB; the only reader of the crate `image`.
//!
//! The format is told from the content, so a PNG named `.jpg` decodes. Everything becomes RGB: grey is repeated, alpha
//! dropped, a palette looked up, 16 bits scaled to 8. No rotation by EXIF and no colour profile is applied, as in Keras.

use std::io::Cursor;
use std::path::Path;

use image::{ColorType, DynamicImage, ExtendedColorType, ImageDecoder, ImageFormat, ImageReader, Limits};

use crate::{Error, Result};

/// The most pixels an image may have; 64 Mi is 8192 × 8192. It is checked against the header, before memory is taken.
pub const MAX_PIXELS: u64 = 64 << 20;

/// The most bytes a decoder may take for one image: [`MAX_PIXELS`] of four 16-bit channels.
pub const MAX_DECODER_BYTES: u64 = MAX_PIXELS * 8;

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
}

/// Decodes a file's bytes; `file` is its name in messages.
///
/// # Errors
/// [`Error::Image`] if the content is no image of a known format, is damaged or cut short, or has more than [`MAX_PIXELS`].
pub fn decode(file: &str, bytes: &[u8]) -> Result<(Rgb8, ImageInfo)> {
    // A decoder that panics on a damaged file is at fault, but the file is still the one to name, and others can go on.
    let outcome = std::panic::catch_unwind(|| decode_content(bytes));
    let outcome =
        outcome.unwrap_or_else(|_| Err("the decoder failed on it; convert it with an image program".to_string()));
    outcome.map_err(|reason| Error::Image { file: file.to_string(), reason })
}

/// A sentence if the name's suffix promises another format than the content has.
pub fn suffix_note(file: &str, info: &ImageInfo) -> Option<String> {
    let suffix = Path::new(file).extension()?.to_str()?;
    let promised = format_name(ImageFormat::from_extension(suffix)?)?;
    (promised != info.format)
        .then(|| format!("{file} is named as {promised} and holds {}; it was read as that", info.format))
}

/// The work of [`decode`], with the reason for a failure alone.
fn decode_content(bytes: &[u8]) -> std::result::Result<(Rgb8, ImageInfo), String> {
    if bytes.is_empty() {
        return Err("the file is empty".to_string());
    }
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| error.to_string())?;
    let known = reader.format().and_then(|format| Some((format, format_name(format)?)));
    let Some((format, called)) = known else {
        return Err("its content is none of PNG, JPEG, BMP, PPM and TIFF; convert it or take it out".to_string());
    };
    if format == ImageFormat::Jpeg && !jpeg_is_complete(bytes) {
        return Err("the file ends before the picture does; fetch it again".to_string());
    }
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(undecodable)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || decoder.total_bytes() > MAX_DECODER_BYTES {
        return Err(format!(
            "it has {width} × {height} pixels, and {} Mi is the most; make it smaller",
            MAX_PIXELS >> 20
        ));
    }
    if width == 0 || height == 0 {
        return Err(format!("it has {width} × {height} pixels"));
    }
    // The decoder expands a palette without saying so; byte 25 of a PNG, in its header, is the colour type, 3 for a palette.
    let is_palette = format == ImageFormat::Png && bytes.get(25) == Some(&3);
    let mode = if is_palette { "palette" } else { mode_name(decoder.original_color_type(), decoder.color_type()) };
    let image = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    let (width, height) = (width as usize, height as usize);
    Ok((Rgb8 { width, height, pixels: rgb_bytes(image) }, ImageInfo { width, height, mode, format: called }))
}

/// What the decoder said, and what to do: a damaged file and a rare kind, such as a TIFF with a palette, both end here.
fn undecodable(error: image::ImageError) -> String {
    format!("{error}; save it anew as PNG with an image program, or take it out")
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

/// Whether a JPEG has its end marker. The decoder fills what is missing with grey and says nothing, which would train on
/// half a picture.
///
/// The file is a chain of markers, `FF` and a code. Most are followed by a segment that begins with its length; after a scan
/// header (`DA`) comes data in which `FF 00` is a byte and `FF D0`…`FF D7` are restart marks, up to the next true marker.
/// (ITU-T T.81, annex B.) Going by the lengths keeps a thumbnail's end marker from being taken for the picture's.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.windows(2).position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0xFF)) {
        let code = rest[at + 1];
        rest = &rest[at + 2..];
        match code {
            0xD9 => return true,
            0x01 | 0xD0..=0xD8 => {}
            _ => match rest {
                [high, low, ..] => rest = rest.get(usize::from(*high) << 8 | usize::from(*low)..).unwrap_or(&[]),
                _ => return false,
            },
        }
    }
    false
}
