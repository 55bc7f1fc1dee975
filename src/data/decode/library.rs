//! The formats that the crate `image` decodes: within limits, by the same steps for each.

use std::io::Cursor;

use image::{ColorType, DynamicImage, ExtendedColorType, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::faults;
use super::format::Format;
use super::limits::{HEADER_BYTES, Need, check_size};
use super::picture::{Decoded, Picture};

/// Decodes a file of this format. `besides`, given the number of pixels and the bytes of the picture, is what
/// the decoder needs beside that.
///
/// # Errors
/// A sentence, if the picture is beyond the limits or cannot be decoded; and those of `besides`.
pub fn decode(
    bytes: &[u8],
    format: Format,
    besides: impl FnOnce(u64, u64) -> Result<u64, String>,
) -> Result<Decoded, String> {
    let undecodable = |error: ImageError| faults::image_fault(format, &error);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), library_format(format));
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(HEADER_BYTES);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(undecodable)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    let (decoded, color) = (decoder.total_bytes(), decoder.color_type());
    let besides = besides(u64::from(width) * u64::from(height), decoded)?;
    let sample_bytes = u64::from(color.bytes_per_pixel() / color.channel_count());
    let permit = Need { width, height, decoded, sample_bytes, besides }.acquire()?;
    limits.max_alloc = Some(2 * decoded + HEADER_BYTES);
    decoder.set_limits(limits).map_err(undecodable)?;
    let mode = mode_name(decoder.original_color_type(), color);
    let image = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    Ok(Decoded { picture: Picture::from_image(image), mode, has_more_pictures: false, permit })
}

/// Returns the crate's own name of a format.
fn library_format(format: Format) -> ImageFormat {
    match format {
        Format::Png => ImageFormat::Png,
        Format::Jpeg => ImageFormat::Jpeg,
        Format::Bmp => ImageFormat::Bmp,
        Format::Pnm => ImageFormat::Pnm,
        Format::Tiff => ImageFormat::Tiff,
        Format::WebP => ImageFormat::WebP,
        Format::Gif => ImageFormat::Gif,
        Format::Dicom => unreachable!("the crate knows no DICOM"),
    }
}

/// Names the way colours are stored: as in the file where the decoder tells it, otherwise as decoded.
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
