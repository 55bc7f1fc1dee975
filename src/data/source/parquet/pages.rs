//! The sizes of a column's pages, by their headers in Thrift's compact protocol, before one is unpacked: a
//! header of a few bytes may tell of 2 GiB, or of as many entries of a dictionary, for which the library
//! would take memory.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use crate::data::source::limits::MAX_FILES;

/// Structs within structs in a header, at most. There are three.
const MAX_DEPTH: usize = 16;

/// The types of a compact protocol's fields.
const STOP: u8 = 0;
const BYTE: u8 = 3;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;

/// The type of the numbers in a page's header.
const INT: u8 = 5;

/// The encodings that take no memory by numbers of their own: values one behind the other, places in a
/// dictionary, and runs.
const ENCODINGS: [i64; 5] = [PLAIN, 2, 3, 4, 8];
const PLAIN: i64 = 0;

/// What the headers of a column's pages tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// Pages that unpack to so many bytes together.
    Of { unpacked: u64 },
    /// One is written in an encoding that is not read.
    Rare,
    /// They are no headers of pages, or lead outside.
    Damaged,
}

/// Goes through the pages between these places of a file.
pub fn check(file: &mut (impl Read + Seek), start: u64, end: u64) -> io::Result<Pages> {
    let (mut at, mut total) = (start, 0u64);
    while at < end {
        file.seek(SeekFrom::Start(at))?;
        let mut header = Header { bytes: BufReader::new(file.by_ref().take(end - at)), read: 0 };
        let Some(Page { unpacked, packed, encoding, entries }) = header.page() else { return Ok(Pages::Damaged) };
        if !ENCODINGS.contains(&encoding) {
            return Ok(Pages::Rare);
        }
        // An entry of a dictionary has four bytes at least, and takes 32 of memory.
        if entries > (unpacked / 4).min(MAX_FILES as u64) {
            return Ok(Pages::Damaged);
        }
        total = total.saturating_add(unpacked);
        at = match (at + header.read).checked_add(packed) {
            Some(next) if next <= end => next,
            _ => return Ok(Pages::Damaged),
        };
    }
    Ok(Pages::Of { unpacked: total })
}

/// What the header of a page tells.
#[derive(Default)]
struct Page {
    /// The bytes that it unpacks to.
    unpacked: u64,
    /// The bytes that it has.
    packed: u64,
    encoding: i64,
    /// The entries of a dictionary.
    entries: u64,
}

/// A header that is being read.
struct Header<R> {
    bytes: R,
    /// The bytes read so far.
    read: u64,
}

impl<R: Read> Header<R> {
    /// Reads a page's header.
    fn page(&mut self) -> Option<Page> {
        let (mut page, mut field) = (Page { unpacked: u64::MAX, packed: u64::MAX, ..Page::default() }, 0);
        loop {
            match (self.field(&mut field)?, field) {
                (STOP, _) => break,
                (INT, 2) => page.unpacked = self.signed()?.try_into().ok()?,
                (INT, 3) => page.packed = self.signed()?.try_into().ok()?,
                // The headers of pages of values, of a dictionary, and of the second version.
                (STRUCT, 5) => page.encoding = self.numbers()?[2],
                (STRUCT, 7) => {
                    let [_, entries, encoding, ..] = self.numbers()?;
                    (page.entries, page.encoding) = (entries.try_into().ok()?, encoding);
                }
                (STRUCT, 8) => page.encoding = self.numbers()?[4],
                (kind, _) => self.skip(kind, 0)?,
            }
        }
        (page.unpacked != u64::MAX).then_some(page)
    }

    /// Reads a struct, and returns its numbers by their fields.
    fn numbers(&mut self) -> Option<[i64; 5]> {
        let (mut numbers, mut field) = ([0; 5], 0);
        loop {
            match (self.field(&mut field)?, usize::try_from(field)) {
                (STOP, _) => return Some(numbers),
                (INT, Ok(place)) if place < numbers.len() => numbers[place] = self.signed()?,
                (kind, _) => self.skip(kind, 1)?,
            }
        }
    }

    /// Reads the head of a field: its type, and its number, which is told as a step from that before.
    fn field(&mut self, number: &mut i16) -> Option<u8> {
        let head = self.byte()?;
        match head >> 4 {
            _ if head == STOP => {}
            0 => *number = self.signed()?.try_into().ok()?,
            step => *number = number.checked_add(step.into())?,
        }
        Some(head & 15)
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match kind {
            // In the head of a field a truth value is its own type.
            1 | 2 => Some(()),
            BYTE => self.byte().map(|_| ()),
            4 | INT | 6 => self.number().map(|_| ()),
            DOUBLE => self.pass(8),
            BINARY => self.number().and_then(|length| self.pass(length)),
            LIST | SET => {
                let head = self.byte()?;
                let count = if head >> 4 == 15 { self.number()? } else { u64::from(head >> 4) };
                (0..count).try_for_each(|_| self.skip_element(head & 15, depth))
            }
            MAP => {
                let count = self.number()?;
                let kinds = if count > 0 { self.byte()? } else { 0 };
                (0..count).try_for_each(|_| {
                    self.skip_element(kinds >> 4, depth)?;
                    self.skip_element(kinds & 15, depth)
                })
            }
            STRUCT => {
                let mut field = 0;
                loop {
                    match self.field(&mut field)? {
                        STOP => return Some(()),
                        kind => self.skip(kind, depth + 1)?,
                    }
                }
            }
            _ => None,
        }
    }

    /// Passes over an element of a list, in which a truth value takes a byte.
    fn skip_element(&mut self, kind: u8, depth: usize) -> Option<()> {
        match kind {
            1 | 2 => self.byte().map(|_| ()),
            kind => self.skip(kind, depth + 1),
        }
    }

    fn pass(&mut self, length: u64) -> Option<()> {
        let passed = io::copy(&mut self.bytes.by_ref().take(length), &mut io::sink()).ok()?;
        self.read += passed;
        (passed == length).then_some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        self.bytes.read_exact(&mut byte).ok()?;
        self.read += 1;
        Some(byte[0])
    }

    /// Reads a number, seven bits a byte, the lowest first.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for place in 0..10 {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F) << (7 * place);
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// Reads a number whose lowest bit is its sign.
    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// The header of a page of values: its size unpacked and as it is, a struct with the number of values,
    /// their encoding, a list of truth values, a map and a text, and a field that is not known.
    fn header(unpacked: u8, packed: u8, encoding: u8) -> Vec<u8> {
        let values =
            [0x15, 8, 0x15, 2 * encoding, 0x39, 0x21, 1, 2, 0x1B, 1, 0x88, 1, b'a', 1, b'b', 0x18, 1, b'x', 0x11, 0];
        [&[0x15, 0, 0x15, 2 * unpacked, 0x15, 2 * packed, 0x2C][..], &values, &[0x57, 1, 2, 3, 4, 5, 6, 7, 8, 0]]
            .concat()
    }

    fn pages(bytes: &[u8]) -> Pages {
        check(&mut Cursor::new(bytes), 0, bytes.len() as u64).unwrap()
    }

    #[test]
    fn the_sizes_of_all_pages_are_added_and_no_page_leads_outside() {
        let two = [header(60, 3, 0), vec![9; 3], header(5, 0, 8)].concat();
        assert_eq!(pages(&two), Pages::Of { unpacked: 65 });
        assert_eq!(pages(&two[..two.len() - 1]), Pages::Damaged);
        assert_eq!(pages(&header(60, 3, 0)), Pages::Damaged, "its bytes are not there");
        assert_eq!(pages(&header(60, 0, 6)), Pages::Rare, "lengths as differences");
        // Of a size below 0.
        assert_eq!(pages(&[0x15, 0, 0x15, 1, 0x15, 0, 0]), Pages::Damaged);
        assert_eq!(pages(&[]), Pages::Of { unpacked: 0 });
    }

    #[test]
    fn a_dictionary_has_no_more_entries_than_its_bytes_allow() {
        let dictionary = |entries: u8| [0x15, 4, 0x15, 80, 0x15, 0, 0x4C, 0x15, 2 * entries, 0x15, 4, 0, 0];
        assert_eq!(pages(&dictionary(10)), Pages::Of { unpacked: 40 });
        assert_eq!(pages(&dictionary(11)), Pages::Damaged);
    }
}
