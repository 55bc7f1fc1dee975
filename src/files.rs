//! Writing files so that what stands under a name is always whole.

use crate::{Error, Result};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// How many bytes are gathered before the system is asked to write them.
const BUFFER_BYTES: usize = 1 << 20;

/// Writes a file beside its place, `NAME.part`, makes sure that it is on the disk, and moves it there. Whoever reads, or
/// interrupts, finds the old content or the new, never half of either; after a loss of power, too.
///
/// # Errors
/// [`Error::Io`], where the folder cannot be written or the disk is full. Nothing of the new content is left then, and the
/// old is as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    write_whole_with(path, |file| file.write_all(bytes))
}

/// [`write_whole`] for content that is made while it is written, so that it need not be in memory as a whole.
///
/// # Errors
/// As [`write_whole`], and those of `content`.
pub fn write_whole_with(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<File>) -> std::result::Result<(), io::Error>,
) -> Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    let begun = std::time::Instant::now();
    let write = || {
        let mut file = BufWriter::with_capacity(BUFFER_BYTES, File::create(&unfinished)?);
        content(&mut file)?;
        file.flush()?;
        file.get_ref().sync_all()?;
        let bytes = file.get_ref().metadata().map_or(0, |metadata| metadata.len());
        drop(file);
        std::fs::rename(&unfinished, path)?;
        sync_folder_of(path);
        log::debug!("{}: {bytes} bytes written in {:.1?}", path.display(), begun.elapsed());
        Ok(())
    };
    write().map_err(|source| {
        // What is left of it is of no use to anyone; if it cannot be removed either, the first error says why.
        let _ = std::fs::remove_file(&unfinished);
        Error::io("write", path)(source)
    })
}

/// Makes sure that the names in the folder of `path` are on the disk: without, a loss of power may undo a renaming. The file
/// is whole and in its place either way, so a file system that cannot do this for folders is no error.
#[cfg(unix)]
fn sync_folder_of(path: &Path) {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

/// Elsewhere a folder cannot be opened as a file.
#[cfg(not(unix))]
fn sync_folder_of(_: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_half_way_leaves_the_old_content_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_whole(&path, b"old").unwrap();
        let error = write_whole_with(&path, |file| {
            file.write_all(b"half of the new")?;
            Err(io::Error::other("the disk is full"))
        });
        assert_eq!(error.unwrap_err().to_string(), format!("cannot write {}: the disk is full", path.display()));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        write_whole(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_even_where_only_the_last_bytes_find_no_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::os::unix::fs::symlink("/dev/full", folder.path().join("file.part")).unwrap();
        let error = write_whole(&path, b"few").unwrap_err().to_string();
        assert!(error.contains("No space left on device"), "{error}");
        assert!(!path.exists());
    }
}
