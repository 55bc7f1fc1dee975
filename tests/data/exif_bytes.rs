//! Photos that tell how they lie: EXIF and XMP, put by hand into files that have none.

use crc32fast::hash;

/// EXIF with this orientation (a TIFF of one entry), little-endian or big.
pub fn exif(orientation: u16, is_little: bool) -> Vec<u8> {
    let entry = [274, 3, 1u16];
    let number = |number: u16| if is_little { number.to_le_bytes() } else { number.to_be_bytes() };
    let [tag, kind, one] = entry.map(number);
    let [count, place] =
        if is_little { [[one[0], one[1], 0, 0], [8, 0, 0, 0]] } else { [[0, 0, one[0], one[1]], [0, 0, 0, 8]] };
    let start: &[u8] = if is_little { b"II*\0" } else { b"MM\0*" };
    let value = [number(orientation), [0, 0]].concat();
    [start, &place, &number(1), &tag, &kind, &count, &value, &[0; 4]].concat()
}

/// XMP with this orientation, as an attribute.
pub fn xmp(orientation: u8) -> Vec<u8> {
    format!("<x:xmpmeta><rdf:Description tiff:Make=\"x\" tiff:Orientation=\"{orientation}\"/></x:xmpmeta>").into_bytes()
}

/// A JPEG with EXIF in it.
pub fn jpeg_with_exif(jpeg: &[u8], exif: &[u8]) -> Vec<u8> {
    jpeg_with_segment(jpeg, b"Exif\0\0", exif)
}

/// A JPEG with XMP in it.
pub fn jpeg_with_xmp(jpeg: &[u8], xmp: &[u8]) -> Vec<u8> {
    jpeg_with_segment(jpeg, b"http://ns.adobe.com/xap/1.0/\0", xmp)
}

/// A JPEG with such a segment (APP1) behind its first marker.
fn jpeg_with_segment(jpeg: &[u8], name: &[u8], content: &[u8]) -> Vec<u8> {
    let length = (2 + name.len() + content.len()) as u16;
    [&jpeg[..2], b"\xff\xe1", &length.to_be_bytes(), name, content, &jpeg[2..]].concat()
}

/// A PNG with EXIF in it, before its pixels or behind them.
pub fn png_with_exif(png: &[u8], exif: &[u8], is_behind: bool) -> Vec<u8> {
    png_with_chunk(png, b"eXIf", exif, is_behind)
}

/// A PNG with XMP in it, not compressed.
pub fn png_with_xmp(png: &[u8], xmp: &[u8]) -> Vec<u8> {
    png_with_chunk(png, b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", xmp].concat(), false)
}

fn png_with_chunk(png: &[u8], kind: &[u8; 4], content: &[u8], is_behind: bool) -> Vec<u8> {
    let named = [kind, content].concat();
    let chunk = [&(content.len() as u32).to_be_bytes()[..], &named, &hash(&named).to_be_bytes()].concat();
    // The header ends at byte 33, and the last chunk has 12 bytes.
    let (before, behind) = png.split_at(if is_behind { png.len() - 12 } else { 33 });
    [before, &chunk, behind].concat()
}
