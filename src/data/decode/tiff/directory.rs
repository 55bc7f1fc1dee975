//! The first directory of a TIFF (TIFF 6.0, section 2) or BigTIFF, as far as it must be known before the
//! decoder sees the file: where the meaning of the samples stands, and the lengths of the pieces.

/// The tag of what the samples mean, `PhotometricInterpretation`.
const PHOTOMETRIC: u64 = 262;

/// The types of whole numbers of 16, 32 and 64 bits.
const SHORT: u64 = 3;
const LONG: u64 = 4;
const LONG8: u64 = 16;

/// The values of a tag.
pub struct Values {
    /// The place in the file where they begin.
    pub at: usize,
    /// Bytes of each.
    pub width: usize,
    /// The number of values.
    pub count: usize,
}

/// A TIFF's first directory.
pub struct Directory<'a> {
    bytes: &'a [u8],
    is_little: bool,
    /// True if it is a BigTIFF, whose numbers of entries, of values and of bytes have 64 bits.
    is_big: bool,
    /// The place where its entries begin.
    start: usize,
    entries: usize,
}

impl Directory<'_> {
    /// Returns the directory, if the file has one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Directory<'_>> {
        let is_little = bytes.starts_with(b"II");
        let mut directory = Directory { bytes, is_little, is_big: false, start: 0, entries: 0 };
        directory.is_big = directory.number(2, 2)? == 43;
        let (at, wide, count) = if directory.is_big { (8, 8, 8) } else { (4, 4, 2) };
        let first = usize::try_from(directory.number(at, wide)?).ok()?;
        directory.entries = usize::try_from(directory.number(first, count)?).ok()?;
        directory.start = first.checked_add(count)?;
        Some(directory)
    }

    /// Returns the meaning of the samples, and the place in the file of the two bytes that tell it.
    pub fn photometric(&self) -> Option<(u16, usize)> {
        let entry = self.entry(PHOTOMETRIC)?;
        let at = entry + if self.is_big { 12 } else { 8 };
        match self.number(entry + 2, 2)? {
            SHORT => Some((self.number(at, 2)? as u16, at)),
            _ => None,
        }
    }

    /// Returns the first of a tag's values, if they are whole numbers.
    pub fn first(&self, tag: u64) -> Option<u64> {
        let values = self.values(tag)?;
        self.number(values.at, values.width)
    }

    /// Returns the values of a tag, if they are whole numbers and within the file.
    pub fn values(&self, tag: u64) -> Option<Values> {
        let entry = self.entry(tag)?;
        let word = if self.is_big { 8 } else { 4 };
        let width = match self.number(entry + 2, 2)? {
            SHORT => 2,
            LONG => 4,
            LONG8 => 8,
            _ => return None,
        };
        let count = usize::try_from(self.number(entry + 4, word)?).ok()?;
        let place = entry + 4 + word;
        let length = count.checked_mul(width)?;
        let at = if length <= word { place } else { usize::try_from(self.number(place, word)?).ok()? };
        self.bytes.get(at..at.checked_add(length)?)?;
        Some(Values { at, width, count })
    }

    /// Returns a number's bytes, `width` of them, in the file's order.
    pub fn bytes_of(&self, number: u64, width: usize) -> Vec<u8> {
        match self.is_little {
            true => number.to_le_bytes()[..width].to_vec(),
            false => number.to_be_bytes()[8 - width..].to_vec(),
        }
    }

    /// Returns the place of a tag's entry.
    fn entry(&self, tag: u64) -> Option<usize> {
        let length = if self.is_big { 20 } else { 12 };
        let rest = self.bytes.len().saturating_sub(self.start);
        (0..self.entries.min(rest / length))
            .map(|index| self.start + length * index)
            .find(|&entry| self.number(entry, 2) == Some(tag))
    }

    /// Returns the number that so many bytes at this place are.
    pub fn number(&self, at: usize, length: usize) -> Option<u64> {
        let digits = self.bytes.get(at..at.checked_add(length)?)?.iter().map(|&byte| u64::from(byte));
        Some(match self.is_little {
            true => digits.rev().fold(0, |number, byte| number << 8 | byte),
            false => digits.fold(0, |number, byte| number << 8 | byte),
        })
    }
}
