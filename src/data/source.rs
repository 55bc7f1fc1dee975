//! The source of the bytes: a folder, a zip, MNIST's idx files, a pack or memory, all seen as one list of
//! named files.
//!
//! Names are paths below the source with `/` between the parts, and the list is in the order in which Keras
//! walks a tree: folders by their full path as a string, and each folder's files before the next folder's. So
//! the files of `a-b` come before those of `a/b`, because `-` sorts before `/`. Strings compare by code
//! point, which for UTF-8 is byte by byte.

mod archive;
mod folder;
mod idx;
mod idx_images;
mod limits;
mod listing;
mod metered;
mod names;
mod pack;
mod plain_name;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::left_out::LeftOut;
use super::pack::{Pack, is_pack};
use super::reading::Reading;
use crate::files::read_at_most;
use crate::{Error, Result};
pub use archive::MAX_RATIO;
use limits::too_large;
pub use limits::{LISTED_BYTES, MAX_FILE_BYTES, MAX_FILES, MAX_LISTING_BYTES, MAX_UNPACKED_BYTES};
pub(super) use listing::parent;
use listing::{ListedFile, Listing, Place};

/// A list of named files whose bytes can be read, from many threads at once.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    files: Vec<ListedFile>,
    /// Further sources that were joined to this one: the place of the first file of each, and its path.
    joined: Vec<(usize, PathBuf)>,
    folders: BTreeSet<String>,
    left_out: Vec<LeftOut>,
    notes: Vec<String>,
    packs: Vec<Arc<Pack>>,
}

/// An image of a source that is in a pack.
#[derive(Clone, Copy, Debug)]
pub(super) struct InPack<'a> {
    /// The pack.
    pub pack: &'a Pack,
    /// The image's place in it.
    pub index: usize,
}

impl Source {
    /// Lists a folder, a zip or a pack. Whether a file is a zip or a pack is told by its first bytes; a file
    /// that is named `.zip` and is none is an error that says so. A file of images as MNIST has them, beside
    /// which its labels lie, is listed as if it were a folder with a folder for each label; so is a folder
    /// that holds just one such file.
    ///
    /// Passed over, and named in [`left_out`](Source::left_out): names that begin with a dot, `__MACOSX`,
    /// links to folders below the first level (Keras does not follow them either), what is neither file nor
    /// folder, and what vanishes while it is listed.
    ///
    /// # Errors
    /// [`Error::Missing`] if nothing is at `path`, [`Error::Io`] if it cannot be listed, [`Error::Data`] if
    /// it is neither folder nor zip, beyond the limits above, or a zip that is empty or damaged, or holds
    /// names that lead outside of it, two files of one name, files that share bytes, encrypted files,
    /// archives, or what unpacks to more than [`MAX_RATIO`] times its size; or an idx file without its labels
    /// or damaged; or a pack that is damaged. [`Error::Split`] of a folder with several idx files of images
    /// tells which to give.
    pub fn open(path: impl AsRef<Path>) -> Result<Source> {
        let path = path.as_ref();
        let metadata = std::fs::metadata(path).map_err(Error::io("read", path))?;
        let listing = match metadata.is_dir() {
            true => match &idx::images_in(path)[..] {
                [] => folder::list(path)?,
                [images] => idx::list(images)?,
                several => return Err(idx::several(path, several)),
            },
            false if idx::is_images(path) => idx::list(path)?,
            false if is_pack(path) => pack::list(path)?,
            false if metadata.is_file() => archive::list(path)?,
            // Opening a pipe would wait for somebody to write to it.
            false => {
                return Err(Error::data(path, "it is neither a folder nor a file; give a folder, a zip or a pack"));
            }
        };
        Source::from_listing(path.to_path_buf(), listing)
    }

    /// Creates a source of files that are already in memory, such as a set that was just drawn. `name` stands
    /// for the path in messages; each file is its name, such as `benign/1.png`, and its bytes.
    ///
    /// # Errors
    /// [`Error::Data`] if the names take more than [`MAX_LISTING_BYTES`], or two are the same.
    pub fn from_memory(name: impl Into<PathBuf>, files: Vec<(String, Vec<u8>)>) -> Result<Source> {
        let mut listing = Listing::default();
        for (name, bytes) in files {
            listing.add_file(name, Place::Memory(bytes));
        }
        Source::from_listing(name.into(), listing)
    }

    /// Takes over what was listed, in order.
    fn from_listing(path: PathBuf, listing: Listing) -> Result<Source> {
        let Listing { files, folders, left_out, notes, packs, .. } = listing.finish(&path)?;
        let left_out = left_out.into_iter().map(|(name, reason)| {
            let whole = full_name(&path, &name);
            LeftOut::new(name, whole, reason)
        });
        let left_out = left_out.collect();
        Ok(Source { path, files, joined: Vec::new(), folders, left_out, notes, packs })
    }

    /// Joins both sources: the files of this one, then those of `further`, each still named by the path of
    /// its own. What else is known of `further` is not kept: its folders, and what was left out.
    pub fn join(mut self, further: Source) -> Source {
        let before = self.files.len();
        self.files.extend(further.files);
        self.packs.extend(further.packs);
        self.joined.push((before, further.path));
        self.joined.extend(further.joined.into_iter().map(|(first, path)| (before + first, path)));
        self
    }

    /// Returns the path that was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the number of files.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Returns whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Iterates over the names of all files, in Keras's order; a file's place in it is the index that
    /// [`read`](Source::read) takes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.name.as_str())
    }

    /// Iterates over the names of all folders, empty ones too, by code point; the source itself is not among
    /// them.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.folders.iter().map(String::as_str)
    }

    /// Returns what was passed over: hidden, linked, neither file nor folder, or gone.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Returns what else a person should know of the data, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Returns the packs that files of it are in: none, its own, or those of the sources that were joined.
    pub fn packs(&self) -> impl Iterator<Item = &Pack> {
        self.packs.iter().map(Arc::as_ref)
    }

    /// Checks whether what is in packs is of this height, width and channels, read in this way.
    ///
    /// # Errors
    /// Those of [`Pack::check`].
    pub fn check_packs(&self, size: [usize; 3], reading: Reading) -> Result<()> {
        self.packs().try_for_each(|pack| pack.check(size, reading))
    }

    /// Returns the file at `index` as an image of a pack, if it is in one.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Source::len).
    pub(super) fn in_pack(&self, index: usize) -> Option<InPack<'_>> {
        match &self.files[index].place {
            Place::Pack { pack, index } => Some(InPack { pack, index: *index }),
            _ => None,
        }
    }

    /// Returns the SHA-256 of the bytes of the file at `index`; a pack knows those of the files that it was
    /// made from.
    ///
    /// # Errors
    /// Those of [`read`](Source::read), of a file that is in no pack; [`Error::Image`] of one that could not
    /// be read when it was packed.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Source::len).
    pub fn sha256(&self, index: usize) -> Result<[u8; 32]> {
        match self.in_pack(index) {
            Some(InPack { pack, index: image }) => match pack.info(image) {
                Ok(_) => Ok(pack.sha256(image)),
                Err(reason) => Err(Error::Image { file: self.full_name(index), reason }),
            },
            None => Ok(Sha256::digest(self.read(index)?).into()),
        }
    }

    /// Returns the file's name with the source's before it, for messages: `data.zip/benign/1.png`.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Source::len).
    pub fn full_name(&self, index: usize) -> String {
        let of = self.joined.iter().rfind(|(first, _)| *first <= index).map_or(&self.path, |(_, path)| path);
        full_name(of, &self.files[index].name)
    }

    /// Returns about how many bytes the file at `index` has, 0 if that cannot be told; for weighing what to
    /// read, not for trust.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Source::len).
    pub fn size_hint(&self, index: usize) -> u64 {
        match &self.files[index].place {
            Place::Memory(bytes) => bytes.len() as u64,
            Place::Idx { images, .. } => images.file_size(),
            Place::Pack { pack, index } => pack.sample_bytes(*index),
            Place::Zip { size, .. } => *size,
            Place::Disk(path) => std::fs::metadata(path).map_or(0, |metadata| metadata.len()),
        }
    }

    /// Reads the file at `index`.
    ///
    /// # Errors
    /// [`Error::Image`] or [`Error::Io`] if the system cannot read it; [`Error::Data`] if a zip's entry is
    /// damaged or encrypted, if the file has more than [`MAX_FILE_BYTES`], or if it is in a pack, which holds
    /// its picture alone.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Source::len).
    pub fn read(&self, index: usize) -> Result<Vec<u8>> {
        match &self.files[index].place {
            Place::Memory(bytes) => Ok(bytes.clone()),
            Place::Idx { images, place } => Ok(images.file(*place)),
            Place::Pack { pack, .. } => {
                let reason = "it holds the pictures of its images and not their files; give the folder or the zip that was packed";
                Err(Error::data(pack.path(), reason))
            }
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

/// Returns whether a file stands for several images: a zip, a pack, or an idx file of images.
pub fn is_set(path: &Path) -> bool {
    archive::starts_as_zip(path) || is_pack(path) || idx::is_images(path)
}

/// Returns the name of a file in a source, with the source's before it.
fn full_name(source: &Path, name: &str) -> String {
    source.join(name).display().to_string()
}

/// Reads a file on the disk.
///
/// # Errors
/// [`Error::Missing`] or [`Error::Io`] if the system cannot read it; [`Error::Data`] if it is no regular
/// file, or has more than [`MAX_FILE_BYTES`].
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    read_at_most(path, MAX_FILE_BYTES)?.ok_or_else(|| too_large(path))
}
