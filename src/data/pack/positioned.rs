//! A file that many threads read at places of their own.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
#[cfg(not(unix))]
use std::sync::{Mutex, PoisonError};

/// The most files of one set that stay open; systems let a process have few hundred.
pub const OPEN_FILES: usize = 128;

/// A file without a position: each reading tells where it begins.
#[derive(Debug)]
pub struct PositionedFile(Handle);

#[derive(Debug)]
enum Handle {
    #[cfg(unix)]
    Open(File),
    /// Elsewhere it has a position, which is moved under a lock.
    #[cfg(not(unix))]
    Open(Mutex<File>),
    /// It is opened for each reading.
    Path(PathBuf),
}

impl PositionedFile {
    /// Takes over a file.
    #[cfg(unix)]
    pub fn new(file: File) -> PositionedFile {
        PositionedFile(Handle::Open(file))
    }

    /// Takes over a file.
    #[cfg(not(unix))]
    pub fn new(file: File) -> PositionedFile {
        PositionedFile(Handle::Open(Mutex::new(file)))
    }

    /// Returns a file that is opened for each reading, as there may be too many of them to stay open.
    pub fn reopened(path: &Path) -> PositionedFile {
        PositionedFile(Handle::Path(path.to_path_buf()))
    }

    /// Fills `bytes` with what stands in the file from `at` on.
    ///
    /// # Errors
    /// The system's, and [`io::ErrorKind::UnexpectedEof`] if the file ends before.
    pub fn read_exact_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        match &self.0 {
            #[cfg(unix)]
            Handle::Open(file) => std::os::unix::fs::FileExt::read_exact_at(file, bytes, at),
            #[cfg(not(unix))]
            Handle::Open(file) => read_from(&mut file.lock().unwrap_or_else(PoisonError::into_inner), bytes, at),
            Handle::Path(path) => read_from(&mut File::open(path)?, bytes, at),
        }
    }
}

/// Fills `bytes` with what stands in the file from `at` on, wherever its position is.
fn read_from(file: &mut File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(bytes)
}
