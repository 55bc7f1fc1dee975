//! Transfer syntaxes: how the elements of a DICOM are written and its picture is compressed (PS3.5, chapter
//! 10 and annex A).

use super::super::faults::not_read;
use super::elements::Encoding;

/// The compression of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// There is none.
    None,
    /// Run lengths (PS3.5, annex G).
    Rle,
    /// JPEG of 8 bits with losses.
    Jpeg,
}

/// A transfer syntax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// The way in which elements are written.
    pub encoding: Encoding,
    /// The compression of the picture.
    pub compression: Compression,
}

/// The beginning of all identifiers of the standard's own syntaxes.
const STANDARD: &str = "1.2.840.10008.1.2";

/// The compressions that are not read, by the ends of their identifiers.
const NOT_READ: [(&str, &str); 29] = [
    (".1.98", "whose picture is wrapped without compression"),
    (".1.99", "that is compressed by deflate as a whole"),
    (".4.52", "compressed as arithmetic-coded JPEG"),
    (".4.53", "compressed as JPEG of a retired kind"),
    (".4.54", "compressed as JPEG of a retired kind"),
    (".4.55", "compressed as JPEG of a retired kind"),
    (".4.57", "compressed as lossless JPEG"),
    (".4.58", "compressed as lossless JPEG"),
    (".4.70", "compressed as lossless JPEG"),
    (".4.80", "compressed as JPEG-LS"),
    (".4.81", "compressed as JPEG-LS"),
    (".4.90", "compressed as JPEG 2000"),
    (".4.91", "compressed as JPEG 2000"),
    (".4.92", "compressed as JPEG 2000"),
    (".4.93", "compressed as JPEG 2000"),
    (".4.94", "whose picture is elsewhere, behind a link"),
    (".4.95", "whose picture is elsewhere, behind a link"),
    (".4.100", "compressed as MPEG-2"),
    (".4.101", "compressed as MPEG-2"),
    (".4.102", "compressed as MPEG-4"),
    (".4.103", "compressed as MPEG-4"),
    (".4.104", "compressed as MPEG-4"),
    (".4.107", "compressed as HEVC"),
    (".4.108", "compressed as HEVC"),
    (".4.110", "compressed as JPEG XL"),
    (".4.111", "compressed as JPEG XL"),
    (".4.112", "compressed as JPEG XL"),
    (".4.201", "compressed as high-throughput JPEG 2000"),
    (".4.203", "compressed as high-throughput JPEG 2000"),
];

impl Syntax {
    /// Returns the syntax of this identifier; without one, the default of the standard.
    ///
    /// # Errors
    /// A sentence, if it is one that is not read.
    pub fn from_uid(uid: Option<&str>) -> Result<Syntax, String> {
        let (encoding, compression) = match uid.map(|uid| uid.strip_prefix(STANDARD)) {
            None | Some(Some("")) => (Encoding::IMPLICIT, Compression::None),
            Some(Some(".1")) => (Encoding::EXPLICIT, Compression::None),
            Some(Some(".2")) => (Encoding::BIG_ENDIAN, Compression::None),
            Some(Some(".5")) => (Encoding::EXPLICIT, Compression::Rle),
            Some(Some(".4.50" | ".4.51")) => (Encoding::EXPLICIT, Compression::Jpeg),
            Some(end) => {
                let known = NOT_READ.iter().find(|(known, _)| Some(*known) == end);
                let how = known.map_or("compressed by an unknown method", |(_, how)| how);
                return Err(not_read(&format!("a DICOM {how}")));
            }
        };
        Ok(Syntax { encoding, compression })
    }
}
