//! The detection of a file's format from its content.

use super::bmp;
use super::format::Format;

/// The advice for a file that other programs can show, for one that holds others, and for one that is not
/// what was meant.
const CONVERT: &str = "convert it to PNG with an image program, or take it out";
const UNPACK: &str = "unpack it, or take it out";
const FETCH: &str = "fetch the image again, or take it out";

/// Kinds of files that are none of ours, by their first bytes, and what to do.
const FOREIGN: [(&[u8], &str, &str); 26] = [
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000", CONVERT),
    (b"\xff\x4f\xff\x51", "a JPEG 2000", CONVERT),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL", CONVERT),
    (b"\xff\x0a", "a JPEG XL", CONVERT),
    (b"8BPS", "a Photoshop file (PSD)", CONVERT),
    (b"gimp xcf", "a GIMP file (XCF)", CONVERT),
    (b"\0\0\x01\0", "a Windows icon (ICO)", CONVERT),
    (b"\0\0\x02\0", "a Windows cursor (CUR)", CONVERT),
    (b"qoif", "a QOI", CONVERT),
    (b"DDS ", "a DDS", CONVERT),
    (b"\x76\x2f\x31\x01", "an OpenEXR", CONVERT),
    (b"#?RADIANCE", "a Radiance HDR", CONVERT),
    (b"SIMPLE  =", "a FITS", CONVERT),
    (b"\x89HDF\r\n\x1a\n", "an HDF5", CONVERT),
    (b"\x93NUMPY", "a NumPy array", CONVERT),
    (b"P\x46\n", "a PFM", CONVERT),
    (b"Pf\n", "a PFM", CONVERT),
    (b"%!PS", "PostScript", CONVERT),
    (b"%PDF", "a PDF", CONVERT),
    (b"PK\x03\x04", "a zip", UNPACK),
    (b"\x1f\x8b", "a gzip", UNPACK),
    (b"Rar!", "a RAR", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z", UNPACK),
    (b"\0\x05\x16\x07", "what macOS keeps beside a file, and not the file", FETCH),
    (b"\x0a\x05\x01", "a PCX", CONVERT),
    (b"<", "text, such as SVG or a web page", FETCH),
];

/// The end of a TGA of the second version; the first has no mark at all.
const TGA_FOOTER: &[u8] = b"TRUEVISION-XFILE.\0";

/// Tells the format from the content.
///
/// # Errors
/// The kind of the content, where it is known, and what to do, if it is none of these formats.
pub fn detect(bytes: &[u8]) -> Result<Format, String> {
    let starts = |start: &[u8]| bytes.starts_with(start);
    Ok(match bytes {
        _ if starts(b"\x89PNG\r\n\x1a\n") => Format::Png,
        _ if starts(b"\xff\xd8\xff") => Format::Jpeg,
        _ if starts(b"BM") => Format::Bmp,
        [b'P', b'1'..=b'7', ..] => Format::Pnm,
        _ if [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"].iter().any(|start| starts(*start)) => Format::Tiff,
        _ if starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") => Format::WebP,
        _ if starts(b"GIF87a") || starts(b"GIF89a") => Format::Gif,
        _ if is_dicom(bytes) => Format::Dicom,
        _ if bmp::is_bare(bytes) => Format::Bmp,
        _ => {
            if starts(b"version https://git-lfs") {
                return Err(
                    "it is not the image but a pointer of Git LFS; fetch the images with `git lfs pull`".to_string()
                );
            }
            return Err(match foreign(bytes) {
                Some((kind, remedy)) => format!("its content is {kind}, which is not read here; {remedy}"),
                None => format!("its content is none of PNG, JPEG, BMP, PPM, TIFF, WebP and GIF; {CONVERT}"),
            });
        }
    })
}

/// Returns whether these are the first bytes of a DICOM: a mark behind 128 that may be anything (PS3.10,
/// section 7.1).
pub fn is_dicom(bytes: &[u8]) -> bool {
    bytes.get(128..132) == Some(b"DICM")
}

/// Returns the kind of a file that is none of ours, and what to do, where that helps to see what happened.
fn foreign(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    match bytes.get(4..12).unwrap_or_default() {
        b"ftypavif" | b"ftypavis" => return Some(("an AVIF", CONVERT)),
        b"ftypheic" | b"ftypheix" | b"ftypmif1" | b"ftypmsf1" => return Some(("a HEIC", CONVERT)),
        _ if bytes.get(344..347).is_some_and(|mark| mark == b"n+1" || mark == b"ni1") => {
            return Some(("a NIfTI volume", CONVERT));
        }
        _ if bytes.ends_with(TGA_FOOTER) || is_old_tga(bytes) => return Some(("a TGA", CONVERT)),
        _ => {}
    }
    FOREIGN.iter().find(|(start, ..)| bytes.starts_with(start)).map(|&(_, kind, remedy)| (kind, remedy))
}

/// Returns whether the header is one that a TGA of the first version may have, and hardly anything else:
/// kinds, depths and sizes that go together, an unmoved origin, and as many bytes as an uncompressed picture
/// needs.
fn is_old_tga(bytes: &[u8]) -> bool {
    let Some(&[_, has_map, kind, _, _, _, _, map_bits, _, _, _, _, w0, w1, h0, h1, bits, flags]) = bytes.first_chunk()
    else {
        return false;
    };
    let [width, height] = [[w0, w1], [h0, h1]].map(|side| usize::from(u16::from_le_bytes(side)));
    let fits = match kind {
        1 | 9 => has_map == 1 && matches!(map_bits, 15 | 16 | 24 | 32) && bits == 8,
        2 | 10 => has_map == 0 && matches!(bits, 15 | 16 | 24 | 32),
        3 | 11 => has_map == 0 && matches!(bits, 8 | 16),
        _ => false,
    };
    let is_packed = kind > 8;
    let least = if is_packed { 1 } else { width * height * usize::from(bits.div_ceil(8)) };
    fits && flags & 0xC0 == 0 && width > 0 && height > 0 && bytes.len() >= 18 + least
}
