//! A Parquet file that is open, of which nothing is taken that was not checked.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::FileMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::pages::{Pages, check};
use super::values::{Fault, Value, read};
use crate::data::source::limits::{MAX_FILES, too_many_files};
use crate::error::shortened;
use crate::{Error, Result};

/// The most bytes of the description of a file, which stands at its end.
const MAX_DESCRIPTION_BYTES: u32 = 16 << 20;

/// The last bytes of a file: the length of its description, and a mark, which is another where that is
/// encrypted.
const TAIL_BYTES: u64 = 8;
const MARK: &[u8; 4] = b"PAR1";
const ENCRYPTED: &[u8; 4] = b"PARE";

/// An open file.
pub struct ParquetFile {
    path: PathBuf,
    file: File,
    length: u64,
    reader: SerializedFileReader<File>,
}

impl ParquetFile {
    /// Opens a file, and reads its description.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read; [`Error::Data`] if it is damaged, encrypted, or of too many rows.
    pub fn open(path: &Path) -> Result<ParquetFile> {
        let unread = || Error::io("read", path);
        let mut file = File::open(path).map_err(unread())?;
        let length = file.seek(SeekFrom::End(0)).map_err(unread())?;
        let mut tail = [0; TAIL_BYTES as usize];
        let before = length.checked_sub(TAIL_BYTES).ok_or_else(|| damaged(path, "it ends before its contents do"))?;
        file.seek(SeekFrom::Start(before)).and_then(|_| file.read_exact(&mut tail)).map_err(unread())?;
        let [a, b, c, d, mark @ ..] = tail;
        if &mark == ENCRYPTED {
            return Err(not_read(path, "it is encrypted"));
        }
        if &mark != MARK {
            return Err(damaged(path, "it ends before its contents do"));
        }
        if u32::from_le_bytes([a, b, c, d]) > MAX_DESCRIPTION_BYTES {
            let mib = MAX_DESCRIPTION_BYTES >> 20;
            return Err(damaged(path, &format!("its description takes more than {mib} MiB")));
        }
        let reader = file.try_clone().map_err(unread())?;
        let reader = SerializedFileReader::new(reader).map_err(|error| unreadable(path, &error))?;
        Ok(ParquetFile { path: path.to_path_buf(), file, length, reader })
    }

    /// Returns its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns its description.
    pub fn description(&self) -> &FileMetaData {
        self.reader.metadata().file_metadata()
    }

    /// Returns the number of its groups of rows.
    pub fn row_groups(&self) -> usize {
        self.reader.num_row_groups()
    }

    /// Returns the number of rows of a group.
    ///
    /// # Errors
    /// [`Error::Data`] if they are too many, or below 0.
    pub fn rows(&self, group: usize) -> Result<usize> {
        let rows = usize::try_from(self.reader.metadata().row_group(group).num_rows());
        let rows = rows.map_err(|_| damaged(&self.path, "a group of its rows has fewer than none"))?;
        if rows > MAX_FILES { Err(too_many_files(&self.path)) } else { Ok(rows) }
    }

    /// Reads a column of a group of rows, which may take so many bytes at the most, value by value; none
    /// where there is no value in a row.
    ///
    /// # Errors
    /// [`Error::Data`] if it is damaged, of a kind that is not read, or too large; and those of `each`.
    pub fn read(
        &self,
        group: usize,
        column: usize,
        most: u64,
        each: impl FnMut(Option<Value>) -> Result<()>,
    ) -> Result<()> {
        let path = &self.path;
        let chunk = self.reader.metadata().row_group(group).column(column);
        let name = shortened(&chunk.column_path().string()).into_owned();
        let packed_by = match chunk.compression() {
            Compression::UNCOMPRESSED | Compression::SNAPPY => None,
            Compression::GZIP(_) => Some("gzip"),
            Compression::BROTLI(_) => Some("Brotli"),
            Compression::LZ4 | Compression::LZ4_RAW => Some("LZ4"),
            Compression::ZSTD(_) => Some("Zstandard"),
            Compression::LZO => Some("LZO"),
        };
        if let Some(method) = packed_by {
            return Err(not_read(path, &format!("its column {name} is compressed by {method}")));
        }
        let (start, size) = chunk.byte_range();
        let end = start.checked_add(size).filter(|&end| end <= self.length);
        let end = end.ok_or_else(|| damaged(path, &format!("its column {name} lies outside of it")))?;
        match check(&mut &self.file, start, end).map_err(Error::io("read", path))? {
            Pages::Of { unpacked } if unpacked <= most => {}
            Pages::Of { .. } => return Err(too_much(path)),
            Pages::Rare => return Err(not_read(path, &format!("its column {name} is written in a rare encoding"))),
            Pages::Damaged => return Err(damaged(path, &format!("the pages of its column {name} are none"))),
        }
        let rows = self.rows(group)?;
        let deepest = chunk.column_descr().max_def_level();
        let reader = self.reader.get_row_group(group).and_then(|group| group.get_column_reader(column));
        let reader = reader.map_err(|error| unreadable(path, &error))?;
        read(reader, rows, deepest, each).map_err(|fault| match fault {
            Fault::Damaged => damaged(path, &format!("its column {name} cannot be read to its end")),
            Fault::Kind => not_read(path, &format!("its column {name} holds neither bytes nor whole numbers")),
            Fault::Own(error) => error,
        })
    }
}

/// Returns the error for a set whose images take too much memory.
pub fn too_much(path: &Path) -> Error {
    let mib = super::MAX_IMAGE_BYTES >> 20;
    Error::data(path, format!("its images take more than {mib} MiB, which are the most; give a part of its files"))
}

/// Returns the error for a file that is not as it should be.
pub fn damaged(path: &Path, fault: &str) -> Error {
    Error::data(path, format!("it is a damaged Parquet file: {fault}; fetch it again"))
}

/// Returns the error for an honest file that is not read.
fn not_read(path: &Path, what: &str) -> Error {
    Error::data(
        path,
        format!("{what}, which is not read here; write it again with pyarrow, or give the images in folders"),
    )
}

/// Returns the error for a file of which the library says this. Its words go to the log, as they are about
/// its insides.
fn unreadable(path: &Path, error: &ParquetError) -> Error {
    log::debug!("reading {}: {error}", path.display());
    damaged(path, "its description, which is at the end, cannot be read")
}
