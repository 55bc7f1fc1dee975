//! A file that many threads read at places of their own.

use std::fs::File;
use std::io;
#[cfg(not(unix))]
use std::sync::{Mutex, PoisonError};

/// An open file without a position: each reading tells where it begins.
#[derive(Debug)]
pub struct PositionedFile {
    #[cfg(unix)]
    file: File,
    /// Elsewhere it has one, which is moved under a lock.
    #[cfg(not(unix))]
    file: Mutex<File>,
}

impl PositionedFile {
    /// Takes over a file.
    #[cfg(unix)]
    pub fn new(file: File) -> PositionedFile {
        PositionedFile { file }
    }

    /// Takes over a file.
    #[cfg(not(unix))]
    pub fn new(file: File) -> PositionedFile {
        PositionedFile { file: Mutex::new(file) }
    }

    /// Fills `bytes` with what stands in the file from `at` on.
    ///
    /// # Errors
    /// The system's, and [`io::ErrorKind::UnexpectedEof`] if the file ends before.
    #[cfg(unix)]
    pub fn read_exact_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, bytes, at)
    }

    /// Fills `bytes` with what stands in the file from `at` on.
    ///
    /// # Errors
    /// The system's, and [`io::ErrorKind::UnexpectedEof`] if the file ends before.
    #[cfg(not(unix))]
    pub fn read_exact_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(bytes)
    }
}
