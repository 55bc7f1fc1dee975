//! A TIFF's bytes as its decoder is to see them.

use std::collections::HashMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

/// A file of which some bytes are replaced, in which some pieces have an end, and whose bits may be read in
/// reverse.
pub struct Masked<'a> {
    cursor: Cursor<&'a [u8]>,
    /// The places where bytes are replaced, and what stands there instead.
    pub patches: Vec<(usize, Vec<u8>)>,
    /// For places where reading may begin, where the piece that begins there ends: what is read on beyond
    /// that is `FF`, whatever the file has there.
    pub ends: HashMap<u64, u64>,
    /// The end of the piece that is being read.
    end: u64,
    /// True if the bits of each byte are reversed from now on.
    pub is_reversed: bool,
}

impl<'a> Masked<'a> {
    /// Returns the file as it is.
    pub fn new(bytes: &'a [u8]) -> Masked<'a> {
        Masked {
            cursor: Cursor::new(bytes),
            patches: Vec::new(),
            ends: HashMap::new(),
            end: u64::MAX,
            is_reversed: false,
        }
    }
}

impl Read for Masked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let start = self.cursor.position();
        if start >= self.end {
            buffer.fill(0xFF);
            self.cursor.set_position(start + buffer.len() as u64);
            return Ok(buffer.len());
        }
        let most = usize::try_from(self.end - start).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.cursor.read(&mut buffer[..most])?;
        let (start, end) = (start as usize, start as usize + count);
        for (at, instead) in &self.patches {
            let (from, to) = (start.max(*at), end.min(at + instead.len()));
            if from < to {
                buffer[from - start..to - start].copy_from_slice(&instead[from - at..to - at]);
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
        let place = self.cursor.seek(position)?;
        self.end = self.ends.get(&place).copied().unwrap_or(u64::MAX);
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_replaced_however_they_are_read() {
        for step in 1..=6 {
            let mut masked = Masked::new(&[1, 2, 3, 4, 5]);
            masked.patches = vec![(2, vec![9, 8])];
            let mut read: Vec<u8> = Vec::new();
            let mut buffer = [0; 6];
            while let count @ 1.. = masked.read(&mut buffer[..step]).unwrap() {
                read.extend(&buffer[..count]);
            }
            assert_eq!(read, [1, 2, 9, 8, 5], "{step}");
        }
        let mut masked = Masked::new(&[1, 2, 3]);
        masked.is_reversed = true;
        masked.seek(SeekFrom::Start(1)).unwrap();
        let mut read = Vec::new();
        masked.read_to_end(&mut read).unwrap();
        assert_eq!(read, [64, 192]);
    }

    #[test]
    fn a_piece_ends_where_it_ends_for_who_begins_at_its_start() {
        let mut masked = Masked::new(&[1, 2, 3, 4, 5]);
        masked.ends = HashMap::from([(1, 3)]);
        let mut read = [0; 4];
        masked.seek(SeekFrom::Start(1)).unwrap();
        masked.read_exact(&mut read).unwrap();
        assert_eq!(read, [2, 3, 0xFF, 0xFF]);
        masked.seek(SeekFrom::Start(0)).unwrap();
        masked.read_exact(&mut read).unwrap();
        assert_eq!(read, [1, 2, 3, 4]);
    }
}
