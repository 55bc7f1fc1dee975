//! A TIFF's bytes as its decoder is to see them.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

/// A file of which two bytes are replaced, and whose bits may be read in reverse.
pub struct Masked<'a> {
    cursor: Cursor<&'a [u8]>,
    /// Where the two bytes are, and what stands there instead.
    at: usize,
    instead: [u8; 2],
    /// Whether the bits of each byte are reversed from now on.
    pub is_reversed: bool,
}

impl<'a> Masked<'a> {
    /// The file, with `instead` at the place `at`.
    pub fn new(bytes: &'a [u8], at: usize, instead: [u8; 2]) -> Masked<'a> {
        Masked { cursor: Cursor::new(bytes), at, instead, is_reversed: false }
    }
}

impl Read for Masked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let start = self.cursor.position();
        let count = self.cursor.read(buffer)?;
        for (offset, byte) in (self.at as u64..).zip(self.instead) {
            if (start..start + count as u64).contains(&offset) {
                buffer[(offset - start) as usize] = byte;
            }
        }
        if self.is_reversed {
            buffer[..count].iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        }
        Ok(count)
    }
}

impl Seek for Masked<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.cursor.seek(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_bytes_are_replaced_however_they_are_read() {
        for step in 1..=6 {
            let mut masked = Masked::new(&[1, 2, 3, 4, 5], 2, [9, 8]);
            let mut read: Vec<u8> = Vec::new();
            let mut buffer = [0; 6];
            while let count @ 1.. = masked.read(&mut buffer[..step]).unwrap() {
                read.extend(&buffer[..count]);
            }
            assert_eq!(read, [1, 2, 9, 8, 5], "{step}");
        }
        let mut masked = Masked::new(&[1, 2, 3], 0, [1, 2]);
        masked.is_reversed = true;
        masked.seek(SeekFrom::Start(1)).unwrap();
        let mut read = Vec::new();
        masked.read_to_end(&mut read).unwrap();
        assert_eq!(read, [64, 192]);
    }
}
