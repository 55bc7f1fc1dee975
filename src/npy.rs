//! The head of a `.npy` file, numpy's format of one array (NumPy, *NEP 1*, and `numpy.lib.format`): what kind
//! of numbers follow, in which order, and how many.
//!
//! | from byte | bytes | holds |
//! |---|---|---|
//! | 0 | 6 | `93 4E 55 4D 50 59`: a byte beyond ASCII, and `NUMPY` |
//! | 6 | 2 | the version, major and minor: 1.0, 2.0 or 3.0 |
//! | 8 | 2, from version 2.0 on 4 | n, the bytes of the description, little-endian |
//! | 10, or 12 | n | the description, a Python dictionary: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }` |
//!
//! The numbers stand behind it without a gap.

use std::io::Read;

/// The first bytes of every such file.
pub const MAGIC: [u8; 6] = *b"\x93NUMPY";

/// The most bytes of a description; numpy itself reads 10,000.
const MAX_DESCRIPTION_BYTES: usize = 64 << 10;

/// The most sizes that an array has, as in numpy.
const MAX_DIMENSIONS: usize = 64;

/// The multiple of bytes at which numbers begin in what is written, as in numpy's own.
const ALIGNMENT: usize = 64;

/// The head of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NpyHeader {
    /// The numbers.
    pub element: Element,
    /// True if the first index runs fastest, not the last.
    pub fortran_order: bool,
    /// The sizes; none of a single number.
    pub shape: Vec<usize>,
}

/// The numbers of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// Their kind.
    pub kind: Kind,
    /// The bytes of each: 1, 2, 4 or 8.
    pub bytes: usize,
    /// True if the first of these bytes is the highest.
    pub big_endian: bool,
}

/// A kind of number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 0 or 1 in a byte.
    Bool,
    /// Integers with a sign.
    Signed,
    /// Integers without one.
    Unsigned,
    /// Floating point of 2, 4 or 8 bytes.
    Float,
}

impl Element {
    /// Returns numpy's description.
    fn descr(self) -> String {
        let order = match (self.bytes, self.big_endian) {
            (1, _) => '|',
            (_, false) => '<',
            (_, true) => '>',
        };
        let kind = match self.kind {
            Kind::Bool => 'b',
            Kind::Signed => 'i',
            Kind::Unsigned => 'u',
            Kind::Float => 'f',
        };
        format!("{order}{kind}{}", self.bytes)
    }

    /// Returns the numbers that numpy describes so: `<f4`, `|u1`, `>i8`.
    fn from_descr(descr: &str) -> Option<Element> {
        let (order, rest) = descr.split_at_checked(1)?;
        let (kind, bytes) = rest.split_at_checked(1)?;
        let bytes = bytes.parse().ok()?;
        let kind = match (kind, bytes) {
            ("b", 1) => Kind::Bool,
            ("i", 1 | 2 | 4 | 8) => Kind::Signed,
            ("u", 1 | 2 | 4 | 8) => Kind::Unsigned,
            ("f", 2 | 4 | 8) => Kind::Float,
            _ => return None,
        };
        let big_endian = match order {
            "<" => false,
            ">" => true,
            "|" if bytes == 1 => false,
            _ => return None,
        };
        Some(Element { kind, bytes, big_endian })
    }
}

impl NpyHeader {
    /// Returns the head as bytes, of version 1.0, filled up with spaces to a multiple of 64 as numpy does.
    ///
    /// # Panics
    /// If there are more sizes than numpy allows.
    pub fn to_bytes(&self) -> Vec<u8> {
        assert!(self.shape.len() <= MAX_DIMENSIONS, "an array of {} dimensions", self.shape.len());
        let sizes: Vec<String> = self.shape.iter().map(usize::to_string).collect();
        let comma = if sizes.len() == 1 { "," } else { "" };
        let order = if self.fortran_order { "True" } else { "False" };
        let descr = self.element.descr();
        let text =
            format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({}{comma}), }}", sizes.join(", "));
        // Before it 10 bytes, behind it a line feed.
        let length = (text.len() + 11).next_multiple_of(ALIGNMENT) - 10;
        let padded = format!("{text:<width$}\n", width = length - 1);
        [&MAGIC[..], &[1, 0], &(length as u16).to_le_bytes(), padded.as_bytes()].concat()
    }

    /// Reads the head, and leaves the reader at the first number.
    ///
    /// # Errors
    /// A phrase on what is wrong with the array, such as `it is cut off`.
    pub fn read(reader: &mut (impl Read + ?Sized)) -> Result<NpyHeader, String> {
        let cut_off = |_| "it is cut off".to_string();
        let mut start = [0; 8];
        reader.read_exact(&mut start).map_err(cut_off)?;
        if start[..6] != MAGIC {
            return Err("it does not begin as numpy's arrays do".to_string());
        }
        let length = match start[6] {
            1 => {
                let mut length = [0; 2];
                reader.read_exact(&mut length).map_err(cut_off)?;
                usize::from(u16::from_le_bytes(length))
            }
            2 | 3 => {
                let mut length = [0; 4];
                reader.read_exact(&mut length).map_err(cut_off)?;
                u32::from_le_bytes(length) as usize
            }
            version => return Err(format!("it has version {version} of numpy's format, and 1 to 3 are read here")),
        };
        if length > MAX_DESCRIPTION_BYTES {
            return Err(format!("its description has {length} bytes, and {MAX_DESCRIPTION_BYTES} are the most"));
        }
        let mut description = vec![0; length];
        reader.read_exact(&mut description).map_err(cut_off)?;
        NpyHeader::parse(&String::from_utf8_lossy(&description))
    }

    /// Returns the number of elements.
    ///
    /// # Errors
    /// A phrase, if it is beyond what 64 bits count.
    pub fn count(&self) -> Result<u64, String> {
        let product = self.shape.iter().map(|&size| size as u64).try_fold(1u64, u64::checked_mul);
        product.ok_or_else(|| format!("its shape {:?} is larger than any memory", self.shape))
    }

    /// Reads the description.
    fn parse(text: &str) -> Result<NpyHeader, String> {
        let damaged = || "its description is damaged".to_string();
        let inner = text.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}')).ok_or_else(damaged)?;
        let (mut descr, mut order, mut shape) = (None, None, None);
        let mut rest = inner.trim_start();
        while !rest.is_empty() {
            let (key, behind) = quoted(rest).ok_or_else(damaged)?;
            let value = behind.trim_start().strip_prefix(':').ok_or_else(damaged)?.trim_start();
            let behind = match key {
                "descr" => match quoted(value) {
                    Some((text, behind)) => {
                        descr = Some(text);
                        behind
                    }
                    None if value.starts_with('[') => {
                        return Err("it holds records of several fields, and not plain numbers".to_string());
                    }
                    None => return Err(damaged()),
                },
                "fortran_order" => {
                    let (is_set, behind) = [("True", true), ("False", false)]
                        .into_iter()
                        .find_map(|(word, is_set)| Some((is_set, value.strip_prefix(word)?)))
                        .ok_or_else(damaged)?;
                    order = Some(is_set);
                    behind
                }
                "shape" => {
                    let (inner, behind) =
                        value.strip_prefix('(').and_then(|value| value.split_once(')')).ok_or_else(damaged)?;
                    shape = Some(sizes(inner).ok_or_else(damaged)?);
                    behind
                }
                _ => return Err(damaged()),
            };
            let behind = behind.trim_start();
            rest = match behind.strip_prefix(',') {
                Some(rest) => rest.trim_start(),
                None if behind.is_empty() => behind,
                None => return Err(damaged()),
            };
        }
        let (Some(descr), Some(fortran_order), Some(shape)) = (descr, order, shape) else { return Err(damaged()) };
        let element = Element::from_descr(descr).ok_or_else(|| {
            format!("it holds '{}', which are no numbers that are read here", crate::error::shortened(descr))
        })?;
        Ok(NpyHeader { element, fortran_order, shape })
    }
}

/// Returns the text in quotes at the beginning, and what is behind it. numpy escapes nothing in its own.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|char| "'\"".contains(*char))?;
    text[1..].split_once(quote)
}

/// Reads the sizes within the brackets of a Python tuple: `3, 4`, `3,`, and nothing. Python 2 wrote `3L`.
fn sizes(inner: &str) -> Option<Vec<usize>> {
    let inner = inner.trim();
    let inner = inner.strip_suffix(',').unwrap_or(inner);
    if inner.is_empty() {
        return Some(Vec::new());
    }
    let size = |text: &str| {
        let text = text.trim();
        text.strip_suffix('L').unwrap_or(text).parse().ok()
    };
    inner
        .split(',')
        .take(MAX_DIMENSIONS + 1)
        .map(size)
        .collect::<Option<Vec<usize>>>()
        .filter(|sizes| sizes.len() <= MAX_DIMENSIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file's first bytes in version 1.0.
    fn head(description: &str) -> Vec<u8> {
        [&MAGIC[..], &[1, 0], &(description.len() as u16).to_le_bytes(), description.as_bytes()].concat()
    }

    #[test]
    fn what_numpy_writes_is_read() {
        // As numpy 2 writes np.zeros((3, 4), "float32"), spaces and line feed included.
        let bytes = head(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }                                              \n",
        );
        let header = NpyHeader::read(&mut &bytes[..]).unwrap();
        let element = Element { kind: Kind::Float, bytes: 4, big_endian: false };
        assert_eq!(header, NpyHeader { element, fortran_order: false, shape: vec![3, 4] });
        assert_eq!(header.count(), Ok(12));
        for (shape, sizes) in [("()", vec![]), ("(7,)", vec![7]), ("(2L, 3L)", vec![2, 3]), ("(1,2,3)", vec![1, 2, 3])]
        {
            let bytes = head(&format!("{{\"shape\": {shape}, 'fortran_order': True, 'descr': '|u1'}}"));
            let header = NpyHeader::read(&mut &bytes[..]).unwrap();
            let element = Element { kind: Kind::Unsigned, bytes: 1, big_endian: false };
            assert_eq!(header, NpyHeader { element, fortran_order: true, shape: sizes });
        }
        let text = "{'descr': '>i8', 'fortran_order': False, 'shape': (5,), }\n";
        let second = [&MAGIC[..], &[2, 0], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat();
        let header = NpyHeader::read(&mut &second[..]).unwrap();
        assert_eq!(header.element, Element { kind: Kind::Signed, bytes: 8, big_endian: true });
    }

    #[test]
    fn what_is_written_is_read_and_begins_its_numbers_on_a_line() {
        for (shape, kind, bytes) in
            [(vec![], Kind::Float, 4), (vec![7], Kind::Unsigned, 1), (vec![3, 3, 128, 64], Kind::Signed, 8)]
        {
            let header = NpyHeader { element: Element { kind, bytes, big_endian: false }, fortran_order: false, shape };
            let bytes = header.to_bytes();
            assert_eq!((bytes.len() % 64, bytes.last()), (0, Some(&b'\n')));
            assert_eq!(NpyHeader::read(&mut &bytes[..]).unwrap(), header);
        }
        // As numpy 2 writes np.zeros(3, "float32").
        let element = Element { kind: Kind::Float, bytes: 4, big_endian: false };
        let written = NpyHeader { element, fortran_order: false, shape: vec![3] }.to_bytes();
        let text = format!("{:<117}\n", "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }");
        assert_eq!(written, [&MAGIC[..], &[1, 0, 118, 0], text.as_bytes()].concat());
    }

    #[test]
    fn what_is_damaged_or_no_plain_numbers_is_told_in_a_phrase() {
        let whole = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }";
        for (description, phrase) in [
            (whole.replace("<f4", "|O"), "it holds '|O', which are no numbers that are read here"),
            (whole.replace("<f4", "<f3"), "it holds '<f3', which are no numbers that are read here"),
            (whole.replace("'<f4'", "[('a', '<f4')]"), "it holds records of several fields, and not plain numbers"),
            (whole.replace("(3, 4)", "(3, -4)"), "its description is damaged"),
            (whole.replace("(3, 4)", "3"), "its description is damaged"),
            (whole.replace("False", "0"), "its description is damaged"),
            (whole.replace("'shape'", "'sha"), "its description is damaged"),
            (whole.replace("}", ""), "its description is damaged"),
            ("{}".to_string(), "its description is damaged"),
            (whole.replace("(3, 4)", &format!("({})", "1,".repeat(65))), "its description is damaged"),
        ] {
            assert_eq!(NpyHeader::read(&mut &head(&description)[..]).unwrap_err(), phrase, "{description}");
        }
        let bytes = head(whole);
        for end in 0..bytes.len() {
            assert_eq!(NpyHeader::read(&mut &bytes[..end]).unwrap_err(), "it is cut off", "{end}");
        }
        let huge = [&MAGIC[..], &[2, 0], &[0xFF; 4]].concat();
        let phrase = "its description has 4294967295 bytes, and 65536 are the most";
        assert_eq!(NpyHeader::read(&mut &huge[..]).unwrap_err(), phrase);
        let product = NpyHeader::read(&mut &head(&whole.replace("(3, 4)", "(4294967296, 4294967296)"))[..]).unwrap();
        assert!(product.count().is_err());
    }
}
