//! The orientation of a photo, as cameras and programs write it into JPEG, PNG and WebP beside the picture.
//!
//! It stands in EXIF (CIPA DC-008), which is a small TIFF within the file; or where there is none, in XMP,
//! which is text. Of all that only this one number is read. As the rest of the file has to be read without
//! them, faults in either are no errors. (Compressed XMP in a PNG is not looked into.)

use super::format::Format;
use super::orientation::Orientation;
use super::{png, webp};

/// The bytes before EXIF in a JPEG; some programs write it elsewhere too, and some write it twice.
const EXIF_HEADER: &[u8] = b"Exif\0\0";

/// The bytes before XMP in a JPEG, and in a PNG.
const XMP_HEADER: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const XMP_KEYWORD: &[u8] = b"XML:com.adobe.xmp\0";

/// Returns the orientation of a file of this format; of TIFF it is the directory that has it.
pub fn orientation(format: Format, bytes: &[u8]) -> Orientation {
    match format {
        Format::Jpeg => jpeg_metadata(bytes),
        Format::Png => png_metadata(bytes),
        Format::WebP => webp_metadata(bytes),
        Format::Bmp | Format::Pnm | Format::Tiff | Format::Gif | Format::Dicom => Metadata::default(),
    }
    .orientation()
}

/// The metadata of a file.
#[derive(Default)]
struct Metadata<'a> {
    exif: Option<&'a [u8]>,
    xmp: Option<&'a [u8]>,
}

impl Metadata<'_> {
    /// Returns the orientation of EXIF, or of XMP where EXIF has none; upright where neither has any.
    fn orientation(&self) -> Orientation {
        let tag = self.exif.and_then(exif_tag).or_else(|| self.xmp.and_then(xmp_tag));
        tag.map_or(Orientation::UPRIGHT, Orientation::from_tag)
    }
}

/// Returns the tag's value in a TIFF that is EXIF.
fn exif_tag(mut exif: &[u8]) -> Option<u32> {
    for _ in 0..2 {
        exif = exif.strip_prefix(EXIF_HEADER).unwrap_or(exif);
    }
    image::metadata::Orientation::from_exif_chunk(exif).map(|orientation| orientation.to_exif().into())
}

/// Returns the digit in `tiff:Orientation="6"` or `<tiff:Orientation>6<`, the first there is.
fn xmp_tag(xmp: &[u8]) -> Option<u32> {
    const NAME: &[u8] = b"tiff:Orientation";
    xmp.windows(NAME.len() + 3).filter(|text| text.starts_with(NAME)).find_map(|text| match &text[NAME.len()..] {
        [b'=', b'"', digit @ b'0'..=b'9'] | [b'>', digit @ b'0'..=b'9', _] => Some(u32::from(digit - b'0')),
        _ => None,
    })
}

/// Returns the first of each in the segments before the picture (ITU-T T.81, B.1.1.4: `FF`, a code, the
/// length with its own two bytes).
fn jpeg_metadata(bytes: &[u8]) -> Metadata<'_> {
    const APP1: u8 = 0xE1;
    const START_OF_SCAN: u8 = 0xDA;
    let mut found = Metadata::default();
    let mut rest = bytes.get(2..).unwrap_or_default();
    while let [0xFF, code, high, low, ..] = *rest {
        // A marker may have further bytes of FF before it.
        if code == 0xFF {
            rest = &rest[1..];
            continue;
        }
        let Some(segment) = rest.get(4..2 + usize::from(u16::from_be_bytes([high, low]))) else { break };
        match code {
            START_OF_SCAN => break,
            APP1 if segment.starts_with(EXIF_HEADER) => found.exif = found.exif.or(Some(segment)),
            APP1 => found.xmp = found.xmp.or(segment.strip_prefix(XMP_HEADER)),
            _ => {}
        }
        rest = &rest[4 + segment.len()..];
    }
    found
}

/// Returns the first of each among the chunks of a WebP.
fn webp_metadata(bytes: &[u8]) -> Metadata<'_> {
    let mut found = Metadata::default();
    for (kind, content) in webp::chunks(bytes) {
        match kind {
            b"EXIF" => found.exif = found.exif.or(Some(content)),
            b"XMP " => found.xmp = found.xmp.or(Some(content)),
            _ => {}
        }
    }
    found
}

/// Returns the first of each among the chunks, before the pixels or behind them.
fn png_metadata(bytes: &[u8]) -> Metadata<'_> {
    let mut found = Metadata::default();
    for (kind, content) in png::chunks(bytes) {
        match kind {
            b"eXIf" => found.exif = found.exif.or(Some(content)),
            // What follows the keyword is not compressed where the next byte is 0 (PNG specification, third
            // edition, 11.3.3.4).
            b"iTXt" => {
                found.xmp = found.xmp.or(content.strip_prefix(XMP_KEYWORD)).filter(|text| text.starts_with(b"\0"))
            }
            _ => {}
        }
    }
    found
}
