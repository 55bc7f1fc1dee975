//! Where the bytes come from: a folder, a zip or memory, all seen as one list of named files.
//!
//! Names are paths below the source with `/` between the parts, and the list is in the order in which Keras walks a tree:
//! folders by their full path as a string, and each folder's files before the next folder's. So the files of `a-b` come
//! before those of `a/b`, because `-` sorts before `/`. Strings compare by code point, which for UTF-8 is byte by byte.

mod archive;
mod folder;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::files::read_at_most;
use crate::{Error, Result};
pub use archive::MAX_RATIO;
use archive::SharedArchive;

/// The most files, and the most folders, that a source may list; a data set beyond this is more likely a wrong path, such as a whole disk.
pub const MAX_FILES: usize = 200_000;

/// The largest single file that is read, in bytes. An image within the decoder's limits is far below this.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// The most bytes that all files of a zip may unpack to. A folder has no such limit: its bytes are on the disk already.
pub const MAX_UNPACKED_BYTES: u64 = 16 << 30;

/// A list of named files whose bytes can be read, from many threads at once.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    files: Vec<File>,
    folders: BTreeSet<String>,
    notes: Vec<String>,
}

/// One file: its name below the source, and where its bytes are.
#[derive(Debug)]
struct File {
    name: String,
    place: Place,
}

/// Where the bytes of one file are.
#[derive(Debug)]
enum Place {
    /// A path in the file system; it is kept beside the name because a name need not be valid Unicode there.
    Disk(PathBuf),
    /// An entry of a zip.
    Zip {
        archive: SharedArchive,
        index: usize,
        /// The bytes it declares to hold; it never gives more.
        size: u64,
    },
    /// The bytes themselves.
    Memory(Vec<u8>),
}

impl Source {
    /// Lists a folder or a zip. Whether a file is a zip is told by its first bytes; a file that is named `.zip` and is none
    /// is an error that says so.
    ///
    /// Passed over, with a sentence in [`notes`](Source::notes): names that begin with a dot, `__MACOSX`, links to folders
    /// below the first level (Keras does not follow them either), and what is neither file nor folder.
    ///
    /// # Errors
    /// [`Error::Missing`] if nothing is at `path`, [`Error::Io`] if it cannot be listed, [`Error::Data`] if it is neither
    /// folder nor zip, beyond the limits above, or a zip that is empty or damaged, or holds names that lead outside of it, two
    /// files of one name, files that share bytes, encrypted files, archives, or what unpacks to more than [`MAX_RATIO`] times
    /// its size.
    pub fn open(path: impl AsRef<Path>) -> Result<Source> {
        let path = path.as_ref();
        let metadata = std::fs::metadata(path).map_err(Error::io("read", path))?;
        let listing = match metadata.is_dir() {
            true => folder::list(path)?,
            false if metadata.is_file() => archive::list(path)?,
            // Opening a pipe would wait for somebody to write to it.
            false => return Err(Error::data(path, "it is neither a folder nor a file; give a folder or a zip")),
        };
        listing.finish(path.to_path_buf())
    }

    /// A source of files that are already in memory, such as a set that was just drawn. `name` stands for the path in
    /// messages; each file is its name, such as `benign/1.png`, and its bytes.
    ///
    /// # Errors
    /// [`Error::Data`] if there are more than [`MAX_FILES`] files or folders.
    pub fn from_memory(name: impl Into<PathBuf>, files: Vec<(String, Vec<u8>)>) -> Result<Source> {
        let mut listing = Listing::default();
        for (name, bytes) in files {
            listing.add_file(name, Place::Memory(bytes));
        }
        listing.finish(name.into())
    }

    /// The path that was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The names of all files, in Keras's order; a file's place in it is the index that [`read`](Source::read) takes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.name.as_str())
    }

    /// The names of all folders, empty ones too, by code point; the source itself is not among them.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.folders.iter().map(String::as_str)
    }

    /// What was passed over, in sentences for the person who gave the data.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The file's name with the source's before it, for messages: `data.zip/benign/1.png`.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Source::len).
    pub fn full_name(&self, index: usize) -> String {
        self.path.join(&self.files[index].name).display().to_string()
    }

    /// About how many bytes the file at `index` has, 0 if that cannot be told; for weighing what to read, not for trust.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Source::len).
    pub fn size_hint(&self, index: usize) -> u64 {
        match &self.files[index].place {
            Place::Memory(bytes) => bytes.len() as u64,
            Place::Zip { size, .. } => *size,
            Place::Disk(path) => std::fs::metadata(path).map_or(0, |metadata| metadata.len()),
        }
    }

    /// The bytes of the file at `index`.
    ///
    /// # Errors
    /// [`Error::Image`] or [`Error::Io`] if the system cannot read it; [`Error::Data`] if a zip's entry is damaged or encrypted,
    /// or if the file has more than [`MAX_FILE_BYTES`].
    ///
    /// # Panics
    /// If `index` is not below [`len`](Source::len).
    pub fn read(&self, index: usize) -> Result<Vec<u8>> {
        match &self.files[index].place {
            Place::Memory(bytes) => Ok(bytes.clone()),
            Place::Zip { archive, index: entry, .. } => archive::read(archive, *entry, &self.full_name(index)),
            Place::Disk(path) => read_file(path).map_err(|error| match error {
                // The user named the folder, not this file.
                Error::Missing { .. } => Error::Image {
                    file: self.full_name(index),
                    reason:
                        "it is not there any more, or is a link to nothing; put it back, or take it out of the data"
                            .to_string(),
                },
                error => error,
            }),
        }
    }
}

/// The bytes of a file on the disk.
///
/// # Errors
/// [`Error::Missing`] or [`Error::Io`] if the system cannot read it; [`Error::Data`] if it is no regular file, or has more than
/// [`MAX_FILE_BYTES`].
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    read_at_most(path, MAX_FILE_BYTES)?.ok_or_else(|| too_large(path))
}

/// The error for a file beyond [`MAX_FILE_BYTES`].
fn too_large(path: impl Into<PathBuf>) -> Error {
    Error::data(path, format!("the file has more than {} MiB; take it out of the data", MAX_FILE_BYTES >> 20))
}

/// What a walk through a folder or a zip gathers.
#[derive(Default)]
struct Listing {
    files: Vec<File>,
    folders: BTreeSet<String>,
    hidden: BTreeSet<String>,
    links: BTreeSet<String>,
    special: BTreeSet<String>,
}

impl Listing {
    /// Adds a file and the folders above it, unless it or one of them is hidden.
    fn add_file(&mut self, name: String, place: Place) {
        if self.is_seen(&name) {
            self.add_folder(parent(&name));
            self.files.push(File { name, place });
        }
    }

    /// Adds a folder and those above it, unless one of them is hidden.
    fn add_folder(&mut self, name: &str) {
        if self.is_seen(name) {
            let mut folder = name;
            while !folder.is_empty() && self.folders.insert(folder.to_string()) {
                folder = parent(folder);
            }
        }
    }

    /// Whether there is more in it than may be. To be asked while it grows: a name of 1024 bytes can stand for 512 folders.
    fn is_too_large(&self) -> bool {
        let passed_over = [&self.hidden, &self.links, &self.special];
        [self.files.len(), self.folders.len()]
            .iter()
            .chain(&passed_over.map(BTreeSet::len))
            .any(|&count| count > MAX_FILES)
    }

    /// Whether no part of the name is hidden; if one is, the topmost is remembered.
    fn is_seen(&mut self, name: &str) -> bool {
        let mut end = 0;
        for part in name.split('/') {
            end += part.len();
            if is_hidden(part) {
                self.hidden.insert(name[..end].to_string());
                return false;
            }
            end += 1;
        }
        true
    }

    /// Puts the files in order and tells what was passed over.
    fn finish(mut self, path: PathBuf) -> Result<Source> {
        if self.is_too_large() {
            return Err(too_many_files(path));
        }
        self.files.sort_by(|a, b| (parent(&a.name), &a.name).cmp(&(parent(&b.name), &b.name)));
        let reasons = [
            (&self.hidden, "hidden (a name that begins with a dot, or __MACOSX)"),
            (&self.links, "a link that is not followed"),
            (&self.special, "neither file nor folder"),
        ];
        let notes = reasons
            .into_iter()
            .filter(|(names, _)| !names.is_empty())
            .map(|(names, reason)| format!("{}: passed over as {reason}: {}", path.display(), some_of(names)))
            .collect();
        Ok(Source { path, files: self.files, folders: self.folders, notes })
    }
}

/// The error for a source beyond [`MAX_FILES`].
fn too_many_files(path: impl Into<PathBuf>) -> Error {
    Error::data(
        path,
        format!("there are more than {MAX_FILES} files or folders in it; give the folder that holds the class folders"),
    )
}

/// Whether a file or folder of this name is passed over.
fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || name == "__MACOSX"
}

/// Whether a file of this name is an archive, in which more could be than anyone sees.
fn is_archive_name(name: &str) -> bool {
    const SUFFIXES: [&str; 11] = [".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst"];
    let name = name.to_ascii_lowercase();
    SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

/// The folder a name is in; empty for what is directly in the source.
pub(super) fn parent(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The number of names and the first of them: `7 (a, b, c, d, e and 2 more)`.
pub(super) fn some_of<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    const SHOWN: usize = 5;
    let mut names = names.into_iter();
    let shown: Vec<S> = names.by_ref().take(SHOWN).collect();
    let rest = names.count();
    let list = shown.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    match rest {
        0 => format!("{} ({list})", shown.len()),
        _ => format!("{} ({list} and {rest} more)", shown.len() + rest),
    }
}

#[cfg(test)]
mod tests {
    use super::some_of;

    #[test]
    fn a_long_list_of_names_is_cut_and_its_length_told() {
        assert_eq!(some_of(["a", "b"]), "2 (a, b)");
        assert_eq!(some_of(["a", "b", "c", "d", "e", "f", "g"]), "7 (a, b, c, d, e and 2 more)");
    }
}
