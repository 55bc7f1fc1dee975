//! Reading files of a known nature, and writing files so that what stands under a name is always whole.

use crate::{Error, Result};
use serde::Serialize;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// The bytes that are gathered before the system is asked to write them.
const BUFFER_BYTES: usize = 1 << 20;

/// Returns the bytes of a regular file, or none where it has more than `most`. What is no file, such as a
/// pipe or a device, is not read: it may have no end, or keep the reader waiting for ever.
///
/// # Errors
/// [`Error::Missing`] or [`Error::Io`] if the system cannot read it; [`Error::Data`] if it is no regular
/// file.
pub(crate) fn read_at_most(path: &Path, most: u64) -> Result<Option<Vec<u8>>> {
    let metadata = std::fs::metadata(path).map_err(Error::io("read", path))?;
    if !metadata.is_file() {
        return Err(Error::data(path, "it is not a file; give a file"));
    }
    let file = File::open(path).map_err(Error::io("read", path))?;
    let mut bytes = Vec::new();
    // The file may grow while it is read, so the limit is set on the reading.
    file.take(most + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}

/// The longest settings file of a run folder that is read, in bytes.
pub const MAX_TEXT_BYTES: u64 = 64 << 20;

/// The longest table of a run folder that is read, in bytes: a line of 250 for each of [`MAX_FILES`] images.
///
/// [`MAX_FILES`]: crate::data::source::MAX_FILES
pub const MAX_TABLE_BYTES: u64 = 512 << 20;

/// Returns a settings file of a run folder.
///
/// # Errors
/// [`Error::Missing`], [`Error::Io`], and [`Error::Data`] if it is not a file, has more than
/// [`MAX_TEXT_BYTES`] or is no text.
pub fn read_text(path: &Path) -> Result<String> {
    read_text_at_most(path, MAX_TEXT_BYTES)
}

/// Returns a table of a run folder, with a line for each image.
///
/// # Errors
/// [`Error::Missing`], [`Error::Io`], and [`Error::Data`] if it is not a file, has more than
/// [`MAX_TABLE_BYTES`] or is no text.
pub fn read_table(path: &Path) -> Result<String> {
    read_text_at_most(path, MAX_TABLE_BYTES)
}

fn read_text_at_most(path: &Path, most: u64) -> Result<String> {
    let bytes = read_at_most(path, most)?.ok_or_else(|| {
        let mib = most >> 20;
        Error::data(path, format!("it has more than {mib} MiB, and no run writes so much; put back a copy of the file"))
    })?;
    String::from_utf8(bytes).map_err(|_| Error::data(path, "it is not a text file; put back a copy of the file"))
}

/// Writes a file beside its place, `NAME.part`, makes sure that it is on the disk, and moves it there.
/// Whoever reads, or interrupts, finds the old content or the new, never half of either; after a loss of
/// power, too.
///
/// # Errors
/// [`Error::Io`], where the folder cannot be written or the disk is full. Nothing of the new content is left
/// then, and the old is as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    write_whole_with(path, |file| file.write_all(bytes))
}

/// Does the same as [`write_whole`] for content that is made while it is written, so that it need not be in
/// memory as a whole.
///
/// # Errors
/// As [`write_whole`], and those of `content`.
pub(crate) fn write_whole_with(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<()>,
) -> Result<()> {
    let begun = std::time::Instant::now();
    let mut unfinished = Unfinished::create(path)?;
    let bytes = fill(&mut unfinished.file, content).map_err(Error::io("write", path))?;
    unfinished.place()?;
    log::debug!("{}: {bytes} bytes written in {:.1?}", path.display(), begun.elapsed());
    Ok(())
}

/// A file that is written beside its place, `NAME.part`, and is moved there when it is whole. If it is
/// dropped before, nothing is left of it.
#[derive(Debug)]
pub(crate) struct Unfinished {
    path: PathBuf,
    file: File,
    is_placed: bool,
}

impl Unfinished {
    /// Creates an empty file beside `path`.
    ///
    /// # Errors
    /// [`Error::Io`], where the folder cannot be written.
    pub(crate) fn create(path: &Path) -> Result<Unfinished> {
        let unfinished = unfinished(path);
        let file = clear_away(&unfinished).and_then(|()| File::create_new(&unfinished));
        let file = file.map_err(Error::io("write", path))?;
        Ok(Unfinished { path: path.to_path_buf(), file, is_placed: false })
    }

    /// Writes on from where the last writing ended, through a buffer, makes sure that all of it is on the
    /// disk, and returns what `content` does.
    ///
    /// # Errors
    /// [`Error::Io`], and those of `content`.
    pub(crate) fn write<T>(&mut self, content: impl FnOnce(&mut BufWriter<&mut File>) -> Result<T>) -> Result<T> {
        let mut buffered = BufWriter::with_capacity(BUFFER_BYTES, &mut self.file);
        let done = content(&mut buffered)?;
        let written = buffered.flush().and_then(|()| buffered.get_ref().sync_all());
        written.map_err(Error::io("write", &self.path))?;
        Ok(done)
    }

    /// Moves it to its place.
    ///
    /// # Errors
    /// [`Error::Io`], where it cannot be moved; nothing is left of it then.
    pub(crate) fn place(mut self) -> Result<()> {
        std::fs::rename(unfinished(&self.path), &self.path).map_err(Error::io("write", &self.path))?;
        self.is_placed = true;
        sync_folder_of(&self.path);
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_placed {
            // It is of no use to anyone; if it cannot be removed, there was an error before that says why.
            let _ = std::fs::remove_file(unfinished(&self.path));
        }
    }
}

/// Copies a file, without ever having all of it in memory; what stands at `path` is always whole.
///
/// # Errors
/// As [`write_whole`], and [`Error::Missing`] or [`Error::Io`] if the file cannot be read.
pub fn copy_whole(from: &Path, path: &Path) -> Result<()> {
    let mut file = File::open(from).map_err(Error::io("read", from))?;
    write_whole_with(path, |copy| io::copy(&mut file, copy).map(|_| ()))
}

/// Writes a CSV file whole: a heading, and rows whose fields stand in the heading's order. The heading is
/// written even when no row follows, which is why serde does not derive it.
///
/// # Errors
/// As [`write_whole`].
pub fn write_table<R: Serialize>(path: &Path, heading: &[&str], rows: impl IntoIterator<Item = R>) -> Result<()> {
    let failed = |error: csv::Error| Error::io("write", path)(error.into());
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(heading).map_err(failed)?;
    for row in rows {
        writer.serialize(row).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| Error::io("write", path)(error.into_error()))?;
    write_whole(path, &bytes)
}

/// Finds out whether [`write_whole`] could begin: makes the unfinished file, and removes it. What stands at
/// `path` is not touched.
///
/// # Errors
/// What the system says.
pub fn try_place(path: &Path) -> io::Result<()> {
    let unfinished = unfinished(path);
    clear_away(&unfinished)?;
    drop(File::create_new(&unfinished)?);
    std::fs::remove_file(&unfinished)
}

/// Returns the file that is written before it is moved to `path`.
fn unfinished(path: &Path) -> PathBuf {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    PathBuf::from(unfinished)
}

/// Removes what a killed process left, or a link or a pipe that somebody put there: what that leads to is not
/// ours to write to.
fn clear_away(unfinished: &Path) -> io::Result<()> {
    match std::fs::remove_file(unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes the content, makes sure that it is on the disk, and returns how many bytes it has.
fn fill(file: &mut File, content: impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<()>) -> io::Result<u64> {
    let mut file = BufWriter::with_capacity(BUFFER_BYTES, file);
    content(&mut file)?;
    file.flush()?;
    file.get_ref().sync_all()?;
    Ok(file.get_ref().metadata()?.len())
}

/// Makes sure that the names in the folder of `path` are on the disk: without, a loss of power may undo a
/// renaming. The file is whole and in its place either way, so a file system that cannot do this for folders
/// is no error.
#[cfg(unix)]
fn sync_folder_of(path: &Path) {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

/// Does nothing: elsewhere a folder cannot be opened as a file.
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

    #[test]
    fn a_copy_has_the_same_bytes_and_a_file_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let [from, path] = ["from", "to"].map(|name| folder.path().join(name));
        let bytes: Vec<u8> = (0..300_000u32).map(|number| number as u8).collect();
        std::fs::write(&from, &bytes).unwrap();
        copy_whole(&from, &path).unwrap();
        assert!(std::fs::read(&path).unwrap() == bytes);
        let error = copy_whole(&folder.path().join("none"), &path).unwrap_err();
        assert!(matches!(error, Error::Missing { path } if path.ends_with("none")));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_place_of_the_unfinished_file_is_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("user.txt"), b"the user's").unwrap();
        for (name, target) in [("a", "user.txt"), ("b", "not there"), ("d", "/dev/null")] {
            std::os::unix::fs::symlink(path(target), path(&format!("{name}.part"))).unwrap();
            write_whole(&path(name), b"ours").unwrap();
            assert_eq!(std::fs::read(path(name)).unwrap(), b"ours");
        }
        std::fs::hard_link(path("user.txt"), path("c.part")).unwrap();
        write_whole(&path("c"), b"ours").unwrap();
        assert_eq!(std::fs::read(path("user.txt")).unwrap(), b"the user's");
        assert!(!path("not there").exists());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_read_and_what_is_too_long_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"five!").unwrap();
        assert_eq!(read_at_most(&path, 5).unwrap().unwrap(), b"five!");
        assert_eq!(read_at_most(&path, 4).unwrap(), None);
        for other in [Path::new("/dev/zero"), folder.path()] {
            let error = read_at_most(other, 5).unwrap_err().to_string();
            assert_eq!(error, format!("{}: it is not a file; give a file", other.display()));
        }
        std::fs::write(&path, [0xFF]).unwrap();
        assert!(read_text(&path).unwrap_err().to_string().contains("it is not a text file"));
        File::create(&path).unwrap().set_len(MAX_TEXT_BYTES + 1).unwrap();
        assert!(read_text(&path).unwrap_err().to_string().contains("it has more than 64 MiB"));
        File::create(&path).unwrap().set_len(MAX_TABLE_BYTES + 1).unwrap();
        assert!(read_table(&path).unwrap_err().to_string().contains("it has more than 512 MiB"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_even_where_only_the_last_bytes_find_no_place() {
        let mut full = File::options().write(true).open("/dev/full").unwrap();
        let error = fill(&mut full, |file| file.write_all(b"few")).unwrap_err().to_string();
        assert!(error.contains("No space left on device"), "{error}");
    }
}
