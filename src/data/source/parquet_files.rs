//! Parquet files, as they are told from others, and what becomes of them.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::listing::Listing;
use super::table::Columns;
use crate::Result;

/// The first bytes of a file.
const MAGIC: [u8; 4] = *b"PAR1";

/// The folder in which sets of Hugging Face have their files.
const DATA_FOLDER: &str = "data";

/// Returns whether a file begins as a Parquet file; one that cannot be read does not, nor does a pipe.
pub fn is_parquet(path: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    path.is_file() && File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == MAGIC
}

/// Returns the Parquet files of a folder, sorted by name, where it holds a set of them: they are in it, and
/// no folders beside them, or in its one folder `data`.
pub fn files_in(folder: &Path) -> Vec<PathBuf> {
    match within(folder) {
        Within { files, folders } if folders.is_empty() => files,
        Within { folders, .. } if folders == [DATA_FOLDER] => match within(&folder.join(DATA_FOLDER)) {
            Within { files, folders } if folders.is_empty() => files,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// What is in a folder, hidden ones aside.
struct Within {
    /// The Parquet files, sorted by name.
    files: Vec<PathBuf>,
    /// The names of the folders.
    folders: Vec<OsString>,
}

/// Looks into a folder; nothing is in one that cannot be read.
fn within(folder: &Path) -> Within {
    let mut found = Within { files: Vec::new(), folders: Vec::new() };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_parquet_name = || name.to_string_lossy().to_ascii_lowercase().ends_with(".parquet");
        match entry.file_type() {
            _ if name.to_string_lossy().starts_with('.') => {}
            Ok(kind) if kind.is_dir() => found.folders.push(name),
            _ if is_parquet_name() && is_parquet(&entry.path()) => found.files.push(entry.path()),
            _ => {}
        }
    }
    found.files.sort();
    found
}

/// Lists the images of these files, which are one set; `path` is where it is.
///
/// # Errors
/// Those of the module `parquet`.
#[cfg(feature = "parquet")]
pub fn list(path: &Path, files: &[PathBuf], columns: &Columns) -> Result<Listing> {
    super::parquet::list(path, files, columns)
}

/// Refuses these files.
///
/// # Errors
/// [`Error::Data`](crate::Error::Data), which says how to build the program with what reads them.
#[cfg(not(feature = "parquet"))]
pub fn list(path: &Path, files: &[PathBuf], _columns: &Columns) -> Result<Listing> {
    let found = if files.iter().any(|file| file == path) { "it is a Parquet file" } else { "it holds Parquet files" };
    let reason = format!(
        "{found}, and glassnet was built without the feature parquet; build it with `cargo install --path . --features parquet`, or give \
         the images in folders"
    );
    Err(crate::Error::data(path, reason))
}
