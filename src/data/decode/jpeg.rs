//! JPEG (ITU-T T.81).

use super::format::Format;
use super::picture::Decoded;
use super::{Outcome, library};

/// Decodes a JPEG.
///
/// # Errors
/// A sentence, if the file is cut short, damaged or beyond the limits.
pub fn decode(bytes: &[u8]) -> Outcome<Decoded> {
    let markers = JpegMarkers::of(bytes);
    if !markers.is_complete {
        return Err("the file ends before the picture does; fetch it again".to_string());
    }
    // A progressive JPEG keeps all coefficients, two bytes for each sample, of four components at the most,
    // as CMYK has.
    let besides = |pixels, _| Ok(if markers.is_progressive { pixels * 4 * 2 } else { 0 });
    let mut decoded = library::decode(bytes, Format::Jpeg, besides)?;
    if markers.components == 4 {
        decoded.mode = "CMYK";
    }
    Ok(decoded)
}

/// What a JPEG's markers tell of it.
#[derive(Default)]
struct JpegMarkers {
    /// Whether the end marker is there. The decoder fills what is missing with grey and says nothing, which
    /// would train on half a picture.
    is_complete: bool,
    /// Whether the picture comes in several scans, each making it finer, so that a decoder keeps all of it.
    is_progressive: bool,
    /// Components of a pixel: 1 is grey, 3 is colour, 4 is ink.
    components: u8,
}

impl JpegMarkers {
    /// The file is a chain of markers, `FF` and a code. Most are followed by a segment that begins with its
    /// length; after a scan header (`DA`) comes data in which `FF 00` is a byte and `FF D0`…`FF D7` are
    /// restart marks, up to the next true marker. (ITU-T T.81, annex B.) Going by the lengths keeps a
    /// thumbnail's end marker from being taken for the picture's.
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
