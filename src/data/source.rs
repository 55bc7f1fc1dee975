//! The source of the bytes: a folder, a zip, a tar, a table of labels, arrays of numpy, Parquet or MNIST's
//! idx files, a pack or memory, all seen as one list of named files.
//!
//! Names are paths below the source with `/` between the parts, and the list is in the order in which Keras
//! walks a tree: folders by their full path as a string, and each folder's files before the next folder's. So
//! the files of `a-b` come before those of `a/b`, because `-` sorts before `/`. Strings compare by code
//! point, which for UTF-8 is byte by byte.

mod archive;
mod array_images;
mod braces;
mod by_table;
mod contents;
mod entries;
mod folder;
mod idx;
mod image_files;
mod label_names;
mod labels;
mod limits;
mod listing;
mod metered;
mod names;
mod npz;
mod pack;
#[cfg(feature = "parquet")]
mod parquet;
mod parquet_files;
mod paths;
mod place;
mod plain_name;
mod several;
mod sidecars;
mod table;
mod tar;
mod tars;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::left_out::LeftOut;
use super::pack::{Pack, is_pack};
use super::part::GivenPart;
use super::reading::Reading;
use crate::error::{shell_word, some_of};
use crate::files::{MAX_TABLE_BYTES, read_at_most};
use crate::{Error, Result};
use braces::BraceRange;
use by_table::{TablePlace, by_table};
pub use contents::read_file;
pub use entries::MAX_RATIO;
pub use limits::{LISTED_BYTES, MAX_FILE_BYTES, MAX_FILES, MAX_LISTING_BYTES, MAX_UNPACKED_BYTES};
pub(super) use listing::parent;
use listing::{ListedFile, Listing};
use parquet_files::is_parquet;
pub use paths::{absolute, is_set, is_there};
use place::Place;
pub(super) use several::SeveralLabels;
pub use table::Columns;

/// A list of named files whose bytes can be read, from many threads at once.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    files: Vec<ListedFile>,
    /// The place of the files: the path that was opened, or of a table of labels the folder it is in.
    base: PathBuf,
    /// Further sources that were joined to this one: the place of the first file of each, and its base.
    joined: Vec<(usize, PathBuf)>,
    folders: BTreeSet<String>,
    left_out: Vec<LeftOut>,
    notes: Vec<String>,
    packs: Vec<Arc<Pack>>,
    is_labelled: bool,
    several: Option<SeveralLabels>,
}

/// The labels of images that are in no folders of their classes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// The table, where it does not lie among the images and is not what is opened.
    pub table: Option<PathBuf>,
    /// The columns of the table.
    pub columns: Columns,
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
    /// Lists what is at a path, as [`open_labelled`](Source::open_labelled) does without labels of its own.
    ///
    /// # Errors
    /// Those of [`open_labelled`](Source::open_labelled).
    pub fn open(path: impl AsRef<Path>) -> Result<Source> {
        Source::open_labelled(path, &Labels::default())
    }

    /// Lists a folder, a zip, a tar, several tars by a range such as `set-{000..003}.tar`, a table of labels
    /// or a pack, of which the first shard or the name of the set stands for all shards. What a file is, is
    /// told by its first bytes; only a table by its name, `.csv` or `.tsv`. A file that is named `.zip` and
    /// is none is an error that says so. Parquet files, a file of images as MNIST has them, beside which its
    /// labels lie, and one of numpy's arrays as MedMNIST has them, are listed as if each were a folder with a
    /// folder for each label; so is a folder that holds just one file as MNIST's.
    ///
    /// Where labels tell the classes, files are named as if they lay in the folders of these: by the table of
    /// `labels`, or where there are no folders of classes, by one that lies among the images, or by files
    /// such as `7.cls` beside `7.jpg`. What else the labels tell, [`part`](Source::part) and
    /// [`group`](Source::group) return.
    ///
    /// Passed over, and named in [`left_out`](Source::left_out): names that begin with a dot, `__MACOSX`,
    /// links to folders below the first level (Keras does not follow them either), links in archives, what is
    /// neither file nor folder, what vanishes while it is listed, and what labels do not tell, or tell wrong.
    ///
    /// # Errors
    /// [`Error::Missing`] if nothing is at `path`, [`Error::Io`] if it cannot be listed, [`Error::Data`] if
    /// it is none of these, beyond the limits above, or an archive that is empty or damaged, or holds names
    /// that lead outside of it, two files of one name, files that share bytes, encrypted files, archives, or
    /// what unpacks to more than [`MAX_RATIO`] times its size; or an idx file without its labels or damaged;
    /// or a pack that is damaged; or labels that cannot be those of the images. [`Error::Setting`] tells of a
    /// column that is not there, and [`Error::Split`] of a folder with several idx files of images, or
    /// tables, which to give.
    pub fn open_labelled(path: impl AsRef<Path>, labels: &Labels) -> Result<Source> {
        let path = path.as_ref();
        if let Some(range) = BraceRange::of(path) {
            let listing = tars::list(path, &range, labels.table.is_some())?;
            return Source::labelled(path, path, listing, labels);
        }
        // The name of a set in several packs is that of no file.
        if is_pack(path) {
            return Source::of_itself(path, pack::list(path)?, labels);
        }
        let metadata = std::fs::metadata(path).map_err(Error::io("read", path))?;
        let listing = match metadata.is_dir() {
            true => match &idx::images_in(path)[..] {
                [] => match &parquet_files::files_in(path)[..] {
                    [] => return Source::labelled(path, path, folder::list(path)?, labels),
                    files => parquet_files::list(path, files, &labels.columns)?,
                },
                [images] => idx::list(images)?,
                several => return Err(idx::several(path, several)),
            },
            false if idx::is_images(path) => idx::list(path)?,
            false if is_parquet(path) => parquet_files::list(path, &[path.to_path_buf()], &labels.columns)?,
            false if metadata.is_file() && table::is_table_name(&path.display().to_string()) => {
                return Source::of_table(path, labels);
            }
            false if tar::is_tar(path) => {
                return Source::labelled(path, path, tar::list(path, tar::Among::ALONE)?, labels);
            }
            false if metadata.is_file() => {
                let listing = archive::list(path)?;
                match npz::is_npz(&listing) {
                    true => npz::list(path, listing)?,
                    false => return Source::labelled(path, path, listing, labels),
                }
            }
            // Opening a pipe would wait for somebody to write to it.
            false => {
                return Err(Error::data(path, "it is neither a folder nor a file; give a folder, a zip or a pack"));
            }
        };
        Source::of_itself(path, listing, labels)
    }

    /// Takes over what was listed at `path` and tells its classes by itself.
    fn of_itself(path: &Path, listing: Listing, labels: &Labels) -> Result<Source> {
        if let Some(table) = &labels.table {
            let reason = format!("it tells its classes by itself; give it without {}", table.display());
            return Err(Error::data(path, reason));
        }
        Source::from_listing(path.to_path_buf(), path.to_path_buf(), listing)
    }

    /// Opens a table of labels, whose images lie in its folder.
    fn of_table(path: &Path, labels: &Labels) -> Result<Source> {
        if let Some(table) = &labels.table {
            let reason = format!(
                "it is a table of labels itself; give the folder of the images, or leave {} out",
                table.display()
            );
            return Err(Error::data(path, reason));
        }
        let table = table::read(path, &read_table(path)?, &labels.columns)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let base = folder::list(listed)?.finish(path)?;
        let listing = by_table(TablePlace { path, images: folder, folder: Some("") }, base, table)?;
        Source::from_listing(path.to_path_buf(), folder.to_path_buf(), listing)
    }

    /// Takes over what was listed at `path`, with the classes that labels tell, where they do.
    fn labelled(path: &Path, base: &Path, listing: Listing, labels: &Labels) -> Result<Source> {
        let listing = listing.finish(path)?;
        let listing = match &labels.table {
            Some(file) => {
                let table = table::read(file, &read_table(file)?, &labels.columns)?;
                by_table(TablePlace { path: file, images: path, folder: None }, listing, table)?
            }
            // Some listings have them already.
            None if listing.is_labelled => listing,
            None => match by_table::folders_of_tables(&listing) {
                Some(_) if sidecars::has_sidecars(&listing) => sidecars::list(path, listing)?,
                Some(folders) => by_table_within(path, listing, &folders, &labels.columns)?,
                None => listing,
            },
        };
        Source::from_listing(path.to_path_buf(), base.to_path_buf(), listing)
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
        let name = name.into();
        Source::from_listing(name.clone(), name, listing)
    }

    /// Takes over what was listed, in order.
    fn from_listing(path: PathBuf, base: PathBuf, listing: Listing) -> Result<Source> {
        let Listing { files, folders, left_out, notes, packs, is_labelled, several, .. } = listing.finish(&path)?;
        let left_out = left_out.into_iter().map(|(name, reason)| {
            let whole = full_name(&base, &name);
            LeftOut::new(name, whole, reason)
        });
        let left_out = left_out.collect();
        let joined = Vec::new();
        Ok(Source { path, files, base, joined, folders, left_out, notes, packs, is_labelled, several })
    }

    /// Joins both sources: the files of this one, then those of `further`, each still named by the path of
    /// its own. What else is known of `further` is not kept: its folders, and what was left out.
    pub fn join(mut self, further: Source) -> Source {
        let before = self.files.len();
        self.files.extend(further.files);
        self.packs.extend(further.packs);
        self.joined.push((before, further.base));
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

    /// Returns what a pack tells of what the image at `index` holds, if it is in one: the SHA-256 of its
    /// file, and the checksum of its samples.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Source::len).
    pub fn pack_digest(&self, index: usize) -> Option<Vec<u8>> {
        let InPack { pack, index } = self.in_pack(index)?;
        Some([&pack.sha256(index)[..], &pack.crc32(index).to_le_bytes()].concat())
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

    /// Returns whether the file at `index` is taken for an image: by its name, or by its content where a name
    /// tells nothing.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Source::len).
    pub fn is_image(&self, index: usize) -> bool {
        self.files[index].is_image
    }

    /// Returns whether labels tell the classes: the first folder of each name is a class then.
    pub fn is_labelled(&self) -> bool {
        self.is_labelled
    }

    /// Returns whether an image may have several labels, or none.
    pub fn has_several_labels(&self) -> bool {
        self.several.is_some()
    }

    /// Returns the labels, where an image may have several: the first folder of each name is its combination
    /// then.
    pub(super) fn several_labels(&self) -> Option<&SeveralLabels> {
        self.several.as_ref()
    }

    /// Returns the part of a split that the data tell of the file at `index`, if they do.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Source::len).
    pub fn part(&self, index: usize) -> Option<GivenPart> {
        self.files[index].told.as_ref()?.part
    }

    /// Returns whether the data tell of a file that it is in this part.
    pub fn has_part(&self, part: GivenPart) -> bool {
        (0..self.len()).any(|index| self.part(index) == Some(part))
    }

    /// Returns the group that the data tell of the file at `index`, if they do.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Source::len).
    pub fn group(&self, index: usize) -> Option<&str> {
        self.files[index].told.as_ref()?.group.as_deref()
    }

    /// Returns the file's name with the source's before it, for messages: `data.zip/benign/1.png`.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Source::len).
    pub fn full_name(&self, index: usize) -> String {
        let of = self.joined.iter().rfind(|(first, _)| *first <= index).map_or(&self.base, |(_, base)| base);
        let ListedFile { name, told, .. } = &self.files[index];
        full_name(of, told.as_ref().and_then(|told| told.origin.as_ref()).unwrap_or(name))
    }

    /// Returns about how many bytes the file at `index` has, 0 if that cannot be told; for weighing what to
    /// read, not for trust.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Source::len).
    pub fn size_hint(&self, index: usize) -> u64 {
        contents::size_hint(&self.files[index].place)
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
        contents::read(&self.files[index].place, &self.full_name(index))
    }
}

/// Reads the bytes of a table of labels.
///
/// # Errors
/// [`Error::Missing`] or [`Error::Io`] if the system cannot read it; [`Error::Data`] if it is too large.
fn read_table(path: &Path) -> Result<Vec<u8>> {
    read_at_most(path, MAX_TABLE_BYTES)?.ok_or_else(|| {
        Error::data(path, format!("the table has more than {} MiB; give a part of it", MAX_TABLE_BYTES >> 20))
    })
}

/// Returns a listing with the classes that a table tells which lies in one of these folders of it, or as it
/// is, where none does.
///
/// # Errors
/// [`Error::Split`] or [`Error::Data`] if there are several such tables; else those of the table.
fn by_table_within(path: &Path, listing: Listing, folders: &[String], columns: &Columns) -> Result<Listing> {
    let mut found = Vec::new();
    for index in by_table::tables_in(&listing, folders) {
        let file = &listing.files[index];
        let whole = path.join(&file.name);
        let bytes = contents::read(&file.place, &whole.display().to_string())?;
        if table::tells_labels(&whole, &bytes, columns) {
            found.push((whole, parent(&file.name).to_string(), bytes));
        }
    }
    match &found[..] {
        [] => Ok(listing),
        [(whole, folder, bytes)] => {
            let table = table::read(whole, bytes, columns)?;
            by_table(TablePlace { path: whole, images: path, folder: Some(folder) }, listing, table)
        }
        several => Err(several_tables(path, several.iter().map(|(whole, ..)| whole.as_path()).collect())),
    }
}

/// What to give instead of a place that holds several tables of labels.
fn several_tables(path: &Path, tables: Vec<&Path>) -> Error {
    let own_name = |table: &Path| table.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let names = some_of(tables.iter().map(|table| own_name(table)));
    let of_part = |part| tables.iter().find(|table| GivenPart::from_name(&own_name(table)) == Some(part));
    let word = |table: &&Path| shell_word(&table.display().to_string()).into_owned();
    let found = format!("it holds several tables of labels, {names}; ");
    match (path.is_dir(), of_part(GivenPart::Training)) {
        (true, Some(training)) => Error::Split {
            path: path.to_path_buf(),
            reason: found,
            training: word(training),
            validation: of_part(GivenPart::Validation).map(word),
        },
        (true, None) => Error::data(path, format!("{found}give one of them, such as {}", word(&tables[0]))),
        (false, _) => Error::data(path, format!("{found}unpack it, and give one of them")),
    }
}

/// Returns the name of a file in a source, with the source's before it.
fn full_name(source: &Path, name: &str) -> String {
    source.join(name).display().to_string()
}
