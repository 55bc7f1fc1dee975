//! The formats that are read: told from a file's first bytes, and from the endings of names.

use super::Outcome;

/// A format that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Portable Network Graphics.
    Png,
    /// JPEG, with or without a JFIF or EXIF header.
    Jpeg,
    /// Windows and OS/2 bitmaps.
    Bmp,
    /// The netpbm family: PBM, PGM, PPM, PAM.
    Pnm,
    /// TIFF.
    Tiff,
}

/// The endings of names, in lower case and without the dot, and the format that each promises.
const SUFFIXES: [(&str, Format); 15] = [
    ("png", Format::Png),
    ("apng", Format::Png),
    ("jpg", Format::Jpeg),
    ("jpeg", Format::Jpeg),
    ("jpe", Format::Jpeg),
    ("jfif", Format::Jpeg),
    ("bmp", Format::Bmp),
    ("dib", Format::Bmp),
    ("pbm", Format::Pnm),
    ("pgm", Format::Pnm),
    ("ppm", Format::Pnm),
    ("pnm", Format::Pnm),
    ("pam", Format::Pnm),
    ("tif", Format::Tiff),
    ("tiff", Format::Tiff),
];

impl Format {
    /// Tells the format from the content.
    ///
    /// # Errors
    /// The kind of the content, where it is known, and what to do, if it is none of these formats.
    pub fn of(bytes: &[u8]) -> Outcome<Format> {
        let starts = |start: &[u8]| bytes.starts_with(start);
        Ok(match bytes {
            _ if starts(b"\x89PNG\r\n\x1a\n") => Format::Png,
            _ if starts(b"\xff\xd8\xff") => Format::Jpeg,
            _ if starts(b"BM") => Format::Bmp,
            [b'P', b'1'..=b'7', ..] => Format::Pnm,
            _ if starts(b"II*\0") || starts(b"MM\0*") => Format::Tiff,
            _ => {
                let found = match foreign(bytes) {
                    Some(kind) => format!("its content is {kind}, which is not read here"),
                    None => "its content is none of PNG, JPEG, BMP, PPM and TIFF".to_string(),
                };
                return Err(format!("{found}; convert it or take it out"));
            }
        })
    }

    /// The format that a name's suffix promises.
    pub fn of_suffix(suffix: &str) -> Option<Format> {
        let suffix = suffix.to_ascii_lowercase();
        SUFFIXES.iter().find(|(known, _)| *known == suffix).map(|(_, format)| *format)
    }

    /// The format's name, as in `PNG`.
    pub fn name(self) -> &'static str {
        match self {
            Format::Png => "PNG",
            Format::Jpeg => "JPEG",
            Format::Bmp => "BMP",
            Format::Pnm => "PPM",
            Format::Tiff => "TIFF",
        }
    }
}

/// The kind of a file that is none of ours, by its first bytes, where that helps to see what happened.
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
