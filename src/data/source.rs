//! Where the bytes come from: a folder, a zip or memory, all seen as one list of named files.
//!
//! Names are paths below the source with `/` between the parts, and the list is in the order in which Keras
//! walks a tree: folders by their full path as a string, and each folder's files before the next folder's. So
//! the files of `a-b` come before those of `a/b`, because `-` sorts before `/`. Strings compare by code
//! point, which for UTF-8 is byte by byte.

mod archive;
mod folder;
mod names;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::left_out::{LeftOut, Reason};
use crate::error::{shortened, some_of};
use crate::files::read_at_most;
use crate::{Error, Result};
pub use archive::MAX_RATIO;
use archive::SharedArchive;

/// What the names of a source may take in memory, in bytes, each counted with [`LISTED_BYTES`]. A data set
/// beyond this, of about two million files, is more likely a wrong path, such as a whole disk.
pub const MAX_LISTING_BYTES: usize = 1 << 30;

/// What a file or folder that is listed counts beside its name, in bytes: the places in which a name stands
/// from the listing to the batch, and what is kept of the file there.
pub const LISTED_BYTES: usize = 500;

/// The most files that a source can list.
pub const MAX_FILES: usize = MAX_LISTING_BYTES / LISTED_BYTES;

/// The largest single file that is read, in bytes. An image within the decoder's limits is far below this.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// The most bytes that all files of a zip may unpack to. A folder has no such limit: its bytes are on the
/// disk already.
pub const MAX_UNPACKED_BYTES: u64 = 16 << 30;

/// A list of named files whose bytes can be read, from many threads at once.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    files: Vec<File>,
    /// Further sources that were joined to this one: the place of the first file of each, and its path.
    joined: Vec<(usize, PathBuf)>,
    folders: BTreeSet<String>,
    left_out: Vec<LeftOut>,
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
    /// Lists a folder or a zip. Whether a file is a zip is told by its first bytes; a file that is named
    /// `.zip` and is none is an error that says so.
    ///
    /// Passed over, and named in [`left_out`](Source::left_out): names that begin with a dot, `__MACOSX`,
    /// links to folders below the first level (Keras does not follow them either), what is neither file nor
    /// folder, and what vanishes while it is listed.
    ///
    /// # Errors
    /// [`Error::Missing`] if nothing is at `path`, [`Error::Io`] if it cannot be listed, [`Error::Data`] if
    /// it is neither folder nor zip, beyond the limits above, or a zip that is empty or damaged, or holds
    /// names that lead outside of it, two files of one name, files that share bytes, encrypted files,
    /// archives, or what unpacks to more than [`MAX_RATIO`] times its size.
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

    /// A source of files that are already in memory, such as a set that was just drawn. `name` stands for the
    /// path in messages; each file is its name, such as `benign/1.png`, and its bytes.
    ///
    /// # Errors
    /// [`Error::Data`] if the names take more than [`MAX_LISTING_BYTES`], or two are the same.
    pub fn from_memory(name: impl Into<PathBuf>, files: Vec<(String, Vec<u8>)>) -> Result<Source> {
        let mut listing = Listing::default();
        for (name, bytes) in files {
            listing.add_file(name, Place::Memory(bytes));
        }
        listing.finish(name.into())
    }

    /// Both sources as one: the files of this one, then those of `further`, each still named by the path of
    /// its own. What else is known of `further` is not kept: its folders, and what was left out.
    pub fn join(mut self, further: Source) -> Source {
        let before = self.files.len();
        self.files.extend(further.files);
        self.joined.push((before, further.path));
        self.joined.extend(further.joined.into_iter().map(|(first, path)| (before + first, path)));
        self
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

    /// The names of all files, in Keras's order; a file's place in it is the index that
    /// [`read`](Source::read) takes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.name.as_str())
    }

    /// The names of all folders, empty ones too, by code point; the source itself is not among them.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.folders.iter().map(String::as_str)
    }

    /// What was passed over: hidden, linked, neither file nor folder, or gone.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// What else a person should know of the data, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The file's name with the source's before it, for messages: `data.zip/benign/1.png`.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Source::len).
    pub fn full_name(&self, index: usize) -> String {
        let of = self.joined.iter().rfind(|(first, _)| *first <= index).map_or(&self.path, |(_, path)| path);
        full_name(of, &self.files[index].name)
    }

    /// About how many bytes the file at `index` has, 0 if that cannot be told; for weighing what to read, not
    /// for trust.
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
    /// [`Error::Image`] or [`Error::Io`] if the system cannot read it; [`Error::Data`] if a zip's entry is
    /// damaged or encrypted, or if the file has more than [`MAX_FILE_BYTES`].
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

/// The name of a file in a source, with the source's before it.
pub(super) fn full_name(source: &Path, name: &str) -> String {
    source.join(name).display().to_string()
}

/// The bytes of a file on the disk.
///
/// # Errors
/// [`Error::Missing`] or [`Error::Io`] if the system cannot read it; [`Error::Data`] if it is no regular
/// file, or has more than [`MAX_FILE_BYTES`].
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    read_at_most(path, MAX_FILE_BYTES)?.ok_or_else(|| too_large(path))
}

/// The error for a file beyond [`MAX_FILE_BYTES`].
fn too_large(path: impl Into<PathBuf>) -> Error {
    Error::data(path, format!("the file has more than {} MiB; take it out of the data", MAX_FILE_BYTES >> 20))
}

/// What a walk through a folder or a zip gathers.
struct Listing {
    files: Vec<File>,
    folders: BTreeSet<String>,
    left_out: Vec<(String, Reason)>,
    /// Hidden ones that are in `left_out`.
    hidden: BTreeSet<String>,
    notes: Vec<String>,
    /// How many bytes it may still take, or none where it has taken more.
    left: Option<usize>,
}

impl Default for Listing {
    fn default() -> Listing {
        Listing::within(MAX_LISTING_BYTES)
    }
}

impl Listing {
    /// An empty listing that may take so many bytes.
    fn within(bytes: usize) -> Listing {
        Listing {
            files: Vec::new(),
            folders: BTreeSet::new(),
            left_out: Vec::new(),
            hidden: BTreeSet::new(),
            notes: Vec::new(),
            left: Some(bytes),
        }
    }

    /// Adds a file and the folders above it, unless it or one of them is hidden.
    fn add_file(&mut self, name: String, place: Place) {
        if self.is_seen(&name) {
            self.add_folder(parent(&name));
            self.count(&name);
            self.files.push(File { name, place });
        }
    }

    /// Adds a folder and those above it, unless one of them is hidden.
    fn add_folder(&mut self, name: &str) {
        if self.is_seen(name) {
            let mut folder = name;
            while !folder.is_empty() && !self.is_too_large() && self.folders.insert(folder.to_string()) {
                self.count(folder);
                folder = parent(folder);
            }
        }
    }

    /// Adds what is passed over.
    fn leave_out(&mut self, name: String, reason: Reason) {
        self.count(&name);
        self.left_out.push((name, reason));
    }

    /// Takes what this name costs from what is left.
    fn count(&mut self, name: &str) {
        self.left = self.left.and_then(|left| left.checked_sub(name.len() + LISTED_BYTES));
    }

    /// Whether there is more in it than may be. To be asked while it grows: a name of 1024 bytes can stand
    /// for 512 folders.
    fn is_too_large(&self) -> bool {
        self.left.is_none()
    }

    /// Whether no part of the name is hidden; if one is, the topmost is remembered.
    fn is_seen(&mut self, name: &str) -> bool {
        let mut end = 0;
        for part in name.split('/') {
            end += part.len();
            if is_hidden(part) {
                if self.hidden.insert(name[..end].to_string()) {
                    self.leave_out(name[..end].to_string(), Reason::Hidden);
                }
                return false;
            }
            end += 1;
        }
        true
    }

    /// Puts the files in order.
    fn finish(mut self, path: PathBuf) -> Result<Source> {
        if self.is_too_large() {
            return Err(too_many_files(path));
        }
        self.files.sort_by(|a, b| (parent(&a.name), &a.name).cmp(&(parent(&b.name), &b.name)));
        let pairs = self.files.windows(2).filter(|pair| pair[0].name == pair[1].name);
        let mut twice: Vec<&str> = pairs.map(|pair| pair[0].name.as_str()).collect();
        twice.dedup();
        if !twice.is_empty() {
            return Err(same_name(path, &twice));
        }
        self.left_out.sort_by(|a, b| a.0.cmp(&b.0));
        let Listing { files, folders, left_out, notes, .. } = self;
        let left_out = left_out.into_iter().map(|(name, reason)| {
            let whole = full_name(&path, &name);
            LeftOut::new(name, whole, reason)
        });
        let left_out = left_out.collect();
        Ok(Source { path, files, joined: Vec::new(), folders, left_out, notes })
    }
}

/// The error for a source beyond [`MAX_LISTING_BYTES`].
fn too_many_files(path: impl Into<PathBuf>) -> Error {
    let gib = MAX_LISTING_BYTES >> 30;
    Error::data(
        path,
        format!(
            "its files and folders are too many: their names, with {LISTED_BYTES} bytes for each, take more than {gib} GiB; \
             give a part of them, if this is the set that you mean"
        ),
    )
}

/// The error for a source that holds several files of these names.
fn same_name(path: impl Into<PathBuf>, names: &[&str]) -> Error {
    let found = match names {
        [name] => format!("it holds two files of the name {}", shortened(name)),
        _ => {
            format!("it holds two files of each of these names: {}", some_of(names.iter().map(|name| shortened(name))))
        }
    };
    Error::data(path, format!("{found}; make it anew, with one file of each name"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_ends_where_its_names_take_more_than_they_may() {
        let mut listing = Listing::within(3 * LISTED_BYTES + 10);
        listing.add_file("a/1.png".into(), Place::Memory(Vec::new()));
        assert!(!listing.is_too_large());
        listing.add_file("a/.1".into(), Place::Memory(Vec::new()));
        assert!(listing.is_too_large(), "what is hidden has a name too");
        let error = listing.finish("set".into()).unwrap_err().to_string();
        let reason = "their names, with 500 bytes for each, take more than 1 GiB";
        let expected = format!(
            "set: its files and folders are too many: {reason}; give a part of them, if this is the set that you mean"
        );
        assert_eq!(error, expected);
    }

    #[test]
    fn a_name_that_stands_for_folders_without_end_ends_with_what_is_left() {
        let mut listing = Listing::within(10 * LISTED_BYTES);
        listing.add_file(format!("{}1.png", "a/".repeat(500)), Place::Memory(Vec::new()));
        assert!(listing.is_too_large() && listing.folders.len() < 10, "{} folders", listing.folders.len());
    }
}
