//! One file of a pack: opened, with its table read and checked.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::description::Description;
use super::layout::{PREAMBLE_BYTES, PackedImage, Preamble, read_table};
use super::positioned::{OPEN_FILES, PositionedFile};
use crate::{Error, Result};

/// A file and what its table tells.
#[derive(Debug)]
pub struct OpenedFile {
    /// Its path.
    pub path: PathBuf,
    /// The sizes of its parts.
    pub sizes: Preamble,
    /// The file.
    pub file: PositionedFile,
    /// The description of the pack.
    pub description: Description,
    /// Its images.
    pub images: Vec<PackedImage>,
    /// Their names.
    pub names: Vec<String>,
}

impl OpenedFile {
    /// Opens a file of a set that has these other files. Together they may be as large as one may.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read; [`Error::Data`] if it is cut short, damaged, of another
    /// version, or is not what a pack can be.
    pub fn open(path: &Path, others: &[OpenedFile]) -> Result<OpenedFile> {
        let unreadable = || Error::io("read", path);
        let file = File::open(path).map_err(unreadable())?;
        let length = file.metadata().map_err(unreadable())?.len();
        let file = PositionedFile::new(file);
        let table = || -> std::result::Result<_, Fault> {
            if length < PREAMBLE_BYTES as u64 {
                return Err(Fault::Damaged(format!(
                    "it has {length} bytes, and its header alone has {PREAMBLE_BYTES}"
                )));
            }
            let mut start = [0; PREAMBLE_BYTES];
            file.read_exact_at(&mut start, 0)?;
            let preamble = Preamble::from_bytes(&start).map_err(Fault::Other)?;
            preamble.check(length).map_err(Fault::Damaged)?;
            let all = others.iter().map(|file| &file.sizes).chain([&preamble]);
            Preamble::check_together(all).map_err(Fault::Other)?;
            // It is as long as the file, or there would have been an error.
            let mut table = vec![0; preamble.table_bytes() as usize];
            file.read_exact_at(&mut table, preamble.table_at())?;
            preamble.check_sum(&start, &table).map_err(Fault::Damaged)?;
            let (description, images, names) = read_table(&preamble, &table).map_err(Fault::Damaged)?;
            Ok((preamble, description, images, names))
        };
        let (sizes, mut description, images, names) = table().map_err(|fault| match fault {
            Fault::Unread(error) => unreadable()(error),
            Fault::Other(reason) => Error::data(path, reason),
            Fault::Damaged(reason) => {
                let reason = format!("it is a damaged pack: {reason}; put back a copy, or pack the images again");
                Error::data(path, reason)
            }
        })?;
        let file = if others.len() < OPEN_FILES { file } else { PositionedFile::reopened(path) };
        // The images have them.
        (description.groups, description.unreadable) = (Vec::new(), Vec::new());
        Ok(OpenedFile { path: path.to_path_buf(), sizes, file, description, images, names })
    }
}

/// Why a pack is not opened.
enum Fault {
    /// The system does not read it.
    Unread(io::Error),
    /// It is not as it was written.
    Damaged(String),
    /// It is of another version.
    Other(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Unread(error)
    }
}
