//! The formats that are read, and the endings of names that promise them.

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
    /// TIFF and BigTIFF.
    Tiff,
    /// WebP.
    WebP,
    /// GIF.
    Gif,
    /// DICOM, of medical scanners.
    Dicom,
}

/// The endings of names, in lower case and without the dot, and the format that each promises.
const SUFFIXES: [(&str, Format); 19] = [
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
    ("webp", Format::WebP),
    ("gif", Format::Gif),
    ("dcm", Format::Dicom),
    ("dicom", Format::Dicom),
];

/// Returns a format's name as [`Format::name`] has it, if there is one of this name.
pub fn format_named(name: &str) -> Option<&'static str> {
    SUFFIXES.iter().map(|(_, format)| format.name()).find(|known| *known == name)
}

impl Format {
    /// Returns the format that a name's suffix promises.
    pub fn from_suffix(suffix: &str) -> Option<Format> {
        let suffix = suffix.to_ascii_lowercase();
        SUFFIXES.iter().find(|(known, _)| *known == suffix).map(|(_, format)| *format)
    }

    /// Returns the first of its suffixes.
    #[cfg(feature = "parquet")]
    pub fn suffix(self) -> &'static str {
        SUFFIXES.iter().find(|(_, format)| *format == self).map_or("png", |(suffix, _)| suffix)
    }

    /// Returns the format's name, as in `PNG`.
    pub fn name(self) -> &'static str {
        match self {
            Format::Png => "PNG",
            Format::Jpeg => "JPEG",
            Format::Bmp => "BMP",
            Format::Pnm => "PPM",
            Format::Tiff => "TIFF",
            Format::WebP => "WebP",
            Format::Gif => "GIF",
            Format::Dicom => "DICOM",
        }
    }
}
