//! A zip that is open: bounded while its table of contents is read, then shared.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use zip::ZipArchive;

/// The open zip, shared by its entries. One thread at a time reads from it: what a zip of images holds is
/// compressed already, so unpacking an entry is little more than a copy, and the long work, decoding the
/// image, is outside the lock.
pub type SharedArchive = Arc<Mutex<ZipArchive<BufReader<Metered>>>>;

/// The most bytes of a zip that are read to learn what it holds: a million entries with names of 80 bytes.
/// The library keeps several times as much in memory; for names of few letters, five times.
pub const MAX_CONTENTS_BYTES: u64 = 128 << 20;

/// A file from which only so much is read until the limit is lifted: the library that reads the table of
/// contents keeps all of it in memory, however long it is.
#[derive(Debug)]
pub struct Metered {
    file: File,
    /// The bytes that may still be read.
    pub left: Arc<AtomicU64>,
}

impl Metered {
    /// Allows [`MAX_CONTENTS_BYTES`].
    pub fn new(file: File) -> Metered {
        Metered { file, left: Arc::new(AtomicU64::new(MAX_CONTENTS_BYTES)) }
    }
}

/// The error of a [`Metered`] file from which nothing more is read.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("its table of contents takes more than {} MiB, so give the folder that it is of", MAX_CONTENTS_BYTES >> 20)]
pub struct LongContents;

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            return Err(std::io::Error::other(LongContents));
        }
        let read = self.file.read(buffer)?;
        self.left.store(left.saturating_sub(read as u64), Ordering::Relaxed);
        Ok(read)
    }
}

impl Seek for Metered {
    fn seek(&mut self, position: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_contents_that_never_ends_is_not_read_to_its_end() {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, &[0; 100]).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        let left = Arc::new(AtomicU64::new(10));
        let mut metered = Metered { file, left: Arc::clone(&left) };
        let mut buffer = [0; 10];
        assert_eq!(metered.read(&mut buffer).unwrap(), 10);
        let error = metered.read(&mut buffer).unwrap_err().to_string();
        assert_eq!(error, "its table of contents takes more than 128 MiB, so give the folder that it is of");
        left.store(u64::MAX, Ordering::Relaxed);
        assert_eq!(metered.read(&mut buffer).unwrap(), 10);
    }
}
