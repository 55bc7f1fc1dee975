//! Writing files so that what stands under a name is always whole.

use crate::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes a file beside its place, `NAME.part`, makes sure that it is on the disk, and moves it there. Whoever reads, or
/// interrupts, finds the old content or the new, never half of either.
///
/// # Errors
/// [`Error::Io`], where the folder cannot be written or the disk is full; nothing of the new content is left then.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    let write = || {
        let mut file = File::create(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)
    };
    write().map_err(|source| {
        // What is left of it is of no use to anyone; if it cannot be removed either, the first error says why.
        let _ = std::fs::remove_file(&unfinished);
        Error::io("write", path)(source)
    })
}
