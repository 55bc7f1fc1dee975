//! The data elements of a DICOM (PS3.5, section 7): each a tag, a kind of value (VR), a length and a value,
//! one behind the other.
//!
//! A value is a part of the file, never a copy, so no length that stands in a file takes memory. A sequence
//! may be of undefined length, and is then walked through to its end.

use super::super::faults::{CUT_SHORT, damaged};
use super::super::format::Format;

/// The most sequences within one another; real files have fewer than ten.
const MAX_DEPTH: usize = 32;

/// The length of a value that a delimiter ends.
const UNDEFINED: u32 = u32::MAX;

/// The tags that part sequences: of an item, of its end, and of the end of all.
const ITEM: u32 = 0xFFFE_E000;
const ITEM_END: u32 = 0xFFFE_E00D;
const SEQUENCE_END: u32 = 0xFFFE_E0DD;

/// The kinds of values whose length has four bytes, behind two that are not used (PS3.5, table 7.1-1).
const LONG: [[u8; 2]; 13] =
    [*b"OB", *b"OD", *b"OF", *b"OL", *b"OV", *b"OW", *b"SQ", *b"SV", *b"UC", *b"UN", *b"UR", *b"UT", *b"UV"];

/// The way in which elements are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// True if each element tells the kind of its value.
    pub is_explicit: bool,
    /// True if of each number the highest byte comes first.
    pub is_big_endian: bool,
}

impl Encoding {
    /// Explicit VR, little endian.
    pub const EXPLICIT: Encoding = Encoding { is_explicit: true, is_big_endian: false };

    /// Implicit VR, little endian.
    pub const IMPLICIT: Encoding = Encoding { is_explicit: false, is_big_endian: false };

    /// Explicit VR, big endian.
    pub const BIG_ENDIAN: Encoding = Encoding { is_explicit: true, is_big_endian: true };

    /// Returns the number of two bytes.
    pub fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.is_big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    /// Returns the number of four bytes.
    fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}

/// A data element.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    /// The group in the upper half, the number within in the lower.
    pub tag: u32,
    /// The kind of its value, where the file tells.
    pub vr: Option<[u8; 2]>,
    /// The value; of one of undefined length, its items.
    pub value: &'a [u8],
    /// True if its length is undefined: a sequence, or a compressed picture.
    pub is_undefined: bool,
    /// The way in which what is in it is written.
    pub encoding: Encoding,
}

impl<'a> Element<'a> {
    /// Returns the items of a sequence, or the fragments of a compressed picture.
    pub fn items(&self) -> impl Iterator<Item = Result<&'a [u8], String>> {
        let (mut rest, encoding) = (self.value, self.encoding);
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let item = next_item(rest, encoding);
            rest = item.as_ref().map_or(&[], |(_, behind)| behind);
            Some(item.map(|(item, _)| item))
        })
    }
}

/// Elements one behind the other.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
    encoding: Encoding,
}

impl<'a> Elements<'a> {
    /// Returns the elements in these bytes.
    pub fn new(bytes: &'a [u8], encoding: Encoding) -> Elements<'a> {
        Elements { rest: bytes, encoding }
    }

    /// Returns what is not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Iterates over the elements as long as the bytes that follow are such.
    pub fn by_ref_while(
        &mut self,
        is_one: impl Fn(&[u8]) -> bool,
    ) -> impl Iterator<Item = Result<Element<'a>, String>> {
        std::iter::from_fn(move || if is_one(self.rest) { self.next() } else { None })
    }

    /// Reads the next element.
    fn read(&mut self) -> Result<Element<'a>, String> {
        let (Header { tag, vr, length }, behind) = header(self.rest, self.encoding)?;
        let encoding = inner_encoding(vr, length, self.encoding);
        let (value, rest) = match (tag, length) {
            (ITEM | ITEM_END | SEQUENCE_END, _) => return Err(damaged(Format::Dicom)),
            (_, UNDEFINED) => sequence(behind, encoding, 0)?,
            _ => behind.split_at_checked(length as usize).ok_or(CUT_SHORT)?,
        };
        self.rest = rest;
        Ok(Element { tag, vr, value, is_undefined: length == UNDEFINED, encoding })
    }
}

/// Nothing follows an element that cannot be read.
impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let element = self.read();
        if element.is_err() {
            self.rest = &[];
        }
        Some(element)
    }
}

/// What stands before a value.
struct Header {
    tag: u32,
    vr: Option<[u8; 2]>,
    length: u32,
}

/// Reads what stands before a value, and returns with it what follows.
fn header(bytes: &[u8], encoding: Encoding) -> Result<(Header, &[u8]), String> {
    let read = || {
        let (&group, rest) = bytes.split_first_chunk()?;
        let (&element, rest) = rest.split_first_chunk()?;
        let tag = u32::from(encoding.u16(group)) << 16 | u32::from(encoding.u16(element));
        let (vr, rest) = match encoding.is_explicit && tag >> 16 != ITEM >> 16 {
            true => rest.split_first_chunk().map(|(&vr, rest)| (Some(vr), rest))?,
            false => (None, rest),
        };
        let (length, rest) = match vr {
            Some(vr) if !LONG.contains(&vr) => {
                let (&length, rest) = rest.split_first_chunk()?;
                (u32::from(encoding.u16(length)), rest)
            }
            _ => {
                let unused = if vr.is_some() { 2 } else { 0 };
                let (&length, rest) = rest.get(unused..)?.split_first_chunk()?;
                (encoding.u32(length), rest)
            }
        };
        Some((Header { tag, vr, length }, rest))
    };
    read().ok_or_else(|| CUT_SHORT.to_string())
}

/// Returns the encoding of what is in a value: a sequence of unknown kind is written without kinds (PS3.5,
/// section 6.2.2, note 2).
fn inner_encoding(vr: Option<[u8; 2]>, length: u32, encoding: Encoding) -> Encoding {
    if vr == Some(*b"UN") && length == UNDEFINED { Encoding::IMPLICIT } else { encoding }
}

/// Returns the items of a sequence of undefined length, and what stands behind its end.
fn sequence(bytes: &[u8], encoding: Encoding, depth: usize) -> Result<(&[u8], &[u8]), String> {
    if depth > MAX_DEPTH {
        return Err(damaged(Format::Dicom));
    }
    let mut rest = bytes;
    loop {
        let (Header { tag, length, .. }, behind) = header(rest, encoding)?;
        rest = match (tag, length) {
            (SEQUENCE_END, _) => return Ok((&bytes[..bytes.len() - rest.len()], behind)),
            (ITEM, UNDEFINED) => item(behind, encoding, depth)?.1,
            (ITEM, length) => behind.get(length as usize..).ok_or(CUT_SHORT)?,
            _ => return Err(damaged(Format::Dicom)),
        };
    }
}

/// Returns the elements of an item of undefined length, and what stands behind its end.
fn item(bytes: &[u8], encoding: Encoding, depth: usize) -> Result<(&[u8], &[u8]), String> {
    let mut rest = bytes;
    loop {
        let (Header { tag, vr, length }, behind) = header(rest, encoding)?;
        rest = match (tag, length) {
            (ITEM_END, _) => return Ok((&bytes[..bytes.len() - rest.len()], behind)),
            (_, UNDEFINED) => sequence(behind, inner_encoding(vr, length, encoding), depth + 1)?.1,
            _ => behind.get(length as usize..).ok_or(CUT_SHORT)?,
        };
    }
}

/// Returns what is in the first item of a sequence, and what stands behind it.
fn next_item(bytes: &[u8], encoding: Encoding) -> Result<(&[u8], &[u8]), String> {
    let (Header { tag, length, .. }, behind) = header(bytes, encoding)?;
    match (tag, length) {
        (ITEM, UNDEFINED) => item(behind, encoding, 0),
        (ITEM, length) => Ok(behind.split_at_checked(length as usize).ok_or(CUT_SHORT)?),
        _ => Err(damaged(Format::Dicom)),
    }
}
