//! The files of a fold's folder, to be copied.

use crate::cli::terminal::output;
use glassnet::files::copy_whole;
use glassnet::{Error, Result};
use std::path::{Path, PathBuf};

/// The files in a folder, however deep, listed before any is copied.
pub struct Copies {
    folder: PathBuf,
    /// Their paths within it.
    files: Vec<PathBuf>,
}

impl Copies {
    /// Lists a folder.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read; [`Error::Data`] of a link in it, which leads elsewhere.
    pub fn list(folder: &Path) -> Result<Copies> {
        let mut files = Vec::new();
        let mut waiting = vec![PathBuf::new()];
        while let Some(inner) = waiting.pop() {
            let path = folder.join(&inner);
            for entry in std::fs::read_dir(&path).map_err(Error::io("read", &path))? {
                let entry = entry.map_err(Error::io("read", &path))?;
                let within = inner.join(entry.file_name());
                let kind = entry.file_type().map_err(Error::io("read", entry.path()))?;
                if kind.is_symlink() {
                    let reason = "it is a link, and only files are copied; put the file itself there";
                    return Err(Error::data(entry.path(), reason));
                }
                if kind.is_dir() {
                    waiting.push(within);
                } else if !is_left_over(&within) {
                    files.push(within);
                }
            }
        }
        files.sort();
        Ok(Copies { folder: folder.to_path_buf(), files })
    }

    /// Copies the files into another folder, which is made.
    ///
    /// # Errors
    /// Those of [`copy_whole`], and where a folder cannot be made.
    pub fn write(&self, folder: &Path) -> Result<()> {
        for file in &self.files {
            let copy = folder.join(file);
            output::make_folder("--out", copy.parent().unwrap_or(folder))?;
            copy_whole(&self.folder.join(file), &copy)?;
        }
        Ok(())
    }
}

/// Returns whether a file is what a killed process left, or stands for a lock.
fn is_left_over(file: &Path) -> bool {
    file == Path::new("lock") || file.extension().is_some_and(|extension| extension == "part")
}
