//! The set as pictures of one size: read, decoded, resized, and kept when they all fit in memory.
//!
//! They are kept as bytes, a quarter of the floats they become, or as the 16 bits that their files have, and
//! after resizing, which for most sets is smaller than the files. Those in a [pack](super::pack) are read
//! whenever they are wanted: nothing is decoded for them, and the system keeps what it has read.

mod by_ranks;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::catalog::Item;
use super::decode::{self, ImageInfo, Rgb8, RgbPicture, decode_and, decode_as_read, more_pictures_note, suffix_note};
use super::framing::framed_samples;
use super::memory_budget::MemoryBudget;
use super::reading::Reading;
use super::sample::PictureSamples;
use super::source::{InPack, Source};
use crate::{Error, Result};

/// How much memory the decoded pictures of a set may take to be kept, in MiB, unless the user says otherwise:
/// 21,845 pictures of 128 × 128 fit, and a laptop of 4 GiB has as much free. A larger set is decoded anew in
/// every epoch, with memory for a few batches only.
pub const DEFAULT_CACHE_MEBIBYTES: usize = 1024;

/// [`DEFAULT_CACHE_MEBIBYTES`] in bytes.
pub const CACHE_BUDGET_BYTES: usize = DEFAULT_CACHE_MEBIBYTES << 20;

/// What all files that are being read and decoded may take together, in bytes, before they are decoded. A
/// file that is larger is read while no other is.
pub(crate) const READING_BUDGET_BYTES: u64 = 512 << 20;

/// Holds all threads to [`READING_BUDGET_BYTES`].
static READING: MemoryBudget = MemoryBudget::new(READING_BUDGET_BYTES);

/// Bounds reading and decoding by the bytes that this process may take: both budgets together are at most
/// three eighths of them. Whoever knows of a limit says so before the first file is read.
pub fn bound_memory(bytes: u64) {
    READING.set_total(READING_BUDGET_BYTES.min(bytes / 8));
    decode::bound_memory(bytes);
}

/// The content of a file, as far as it is there.
#[derive(Clone, Copy, Debug)]
pub enum FileContent<'a> {
    /// The bytes.
    Bytes(&'a [u8]),
    /// The hash of the bytes, of a file whose picture is in a pack.
    Packed(Digest),
}

impl FileContent<'_> {
    /// Returns the SHA-256 of the file's bytes.
    pub fn sha256(self) -> Digest {
        match self {
            FileContent::Bytes(bytes) => Sha256::digest(bytes).into(),
            FileContent::Packed(digest) => digest,
        }
    }
}

/// Reads the file at `entry` of a source, decodes it and does `work` with its content and its picture in 8
/// bits, as by [`decode_and`], within the budgets of memory for all threads. `work` must not wait for other
/// threads. A picture in a pack is as it was packed, whatever the `reading`.
///
/// # Errors
/// Those of [`Source::read`] and [`decode`](super::decode::decode).
///
/// # Panics
/// If there is no file `entry`.
pub fn read_and_decode<T>(
    source: &Source,
    entry: usize,
    reading: Reading,
    work: impl FnOnce(FileContent, Rgb8) -> T,
) -> Result<(T, ImageInfo)> {
    match source.in_pack(entry) {
        Some(packed) => read_packed(source, entry, packed, |content, image| work(content, image.into_rgb8())),
        None => read_and(source, entry, |file, bytes| {
            decode_and(file, bytes, reading, |image| work(FileContent::Bytes(bytes), image))
        }),
    }
}

/// [`read_and_decode`] with all bits that the `reading` keeps. That of a picture in a pack must be the same.
///
/// # Errors
/// Those of [`read_and_decode`], and [`Error::Data`] of a pack whose images were read otherwise.
///
/// # Panics
/// If there is no file `entry`.
pub fn read_as<T>(
    source: &Source,
    entry: usize,
    reading: Reading,
    work: impl FnOnce(FileContent, RgbPicture) -> T,
) -> Result<(T, ImageInfo)> {
    match source.in_pack(entry) {
        Some(packed) => {
            packed.pack.check(packed.pack.size(), reading)?;
            read_packed(source, entry, packed, work)
        }
        None => read_and(source, entry, |file, bytes| {
            decode_as_read(file, bytes, reading, |image| work(FileContent::Bytes(bytes), image))
        }),
    }
}

/// Reads the file at `entry` of a source and does `work` with its name and its bytes.
fn read_and<T>(source: &Source, entry: usize, work: impl FnOnce(&str, &[u8]) -> Result<T>) -> Result<T> {
    let _permit = READING.acquire(source.size_hint(entry));
    let bytes = source.read(entry)?;
    work(&source.full_name(entry), &bytes)
}

/// Reads a picture from a pack and does `work` with it.
fn read_packed<T>(
    source: &Source,
    entry: usize,
    InPack { pack, index }: InPack,
    work: impl FnOnce(FileContent, RgbPicture) -> T,
) -> Result<(T, ImageInfo)> {
    // Grey takes three times as much as RGB.
    let _permit = READING.acquire(3 * source.size_hint(entry));
    let unreadable = unreadable(source, entry);
    let info = pack.info(index).map_err(&unreadable)?;
    let picture = pack.picture(index).map_err(unreadable)?;
    Ok((work(FileContent::Packed(pack.sha256(index)), picture), info))
}

/// Makes an error of the reason why the image at `entry` of a source cannot be read from its pack.
fn unreadable(source: &Source, entry: usize) -> impl Fn(String) -> Error {
    move |reason| Error::Image { file: source.full_name(entry), reason }
}

/// The pictures of some items of a source, all of one size, in colour or grey.
#[derive(Debug)]
pub struct ImageSet {
    source: Arc<Source>,
    items: Vec<Item>,
    size: [usize; 3],
    reading: Reading,
    /// A place for every picture, or none if the set is too large to be kept; of pictures in packs the places
    /// stay empty.
    cache: Option<Vec<OnceLock<PictureSamples>>>,
    /// The bytes that are left of the cache's budget for pictures of 16 bits, which take twice what was
    /// reckoned with. Once it is used up, no more of them are kept.
    left: Arc<AtomicUsize>,
    /// What is known of each file since it was checked.
    checked: Vec<OnceLock<Checked>>,
}

/// A file as it was when it was checked.
#[derive(Clone, Copy, Debug)]
struct Checked {
    /// Its CRC-32. It tells whether a file that is read again is still the same; whoever makes another of
    /// equal sum has nobody to fool but himself. Of a file in a pack there is none: the pack has sums of its
    /// own.
    crc32: Option<u32>,
    /// As in [`ImageInfo`].
    samples: Option<[u16; 2]>,
}

/// A SHA-256.
pub type Digest = [u8; 32];

/// The hash of a set as hexadecimal digits: SHA-256 over each file's name, a zero byte and the SHA-256 of its
/// bytes.
pub fn set_sha256<'a>(files: impl IntoIterator<Item = (&'a str, &'a Digest)>) -> String {
    let mut hash = Sha256::new();
    for (name, digest) in files {
        hash.update(name.as_bytes());
        hash.update([0]);
        hash.update(digest);
    }
    hexadecimal(&hash.finalize().into())
}

/// A SHA-256 as hexadecimal digits.
pub fn hexadecimal(digest: &Digest) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 of these hexadecimal digits, as [`hexadecimal`] writes them; `None` where they are none.
pub fn digest_from_hexadecimal(text: &str) -> Option<Digest> {
    let mut digest = Digest::default();
    if text.len() != 2 * digest.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, place) in digest.iter_mut().zip((0..text.len()).step_by(2)) {
        *byte = u8::from_str_radix(&text[place..place + 2], 16).ok()?;
    }
    Some(digest)
}

/// What [`ImageSet::check_all`] found.
#[derive(Debug, Default)]
pub struct Check {
    /// For each item what its file holds, or `None` if it cannot be read.
    pub infos: Vec<Option<ImageInfo>>,
    /// For each item the SHA-256 of its file's bytes, or `None` if it cannot be read.
    pub digests: Vec<Option<Digest>>,
    /// Why files cannot be read, in the order of the items.
    pub errors: Vec<Error>,
    /// What is odd about files that can, in sentences.
    pub notes: Vec<String>,
}

impl Check {
    /// Puts together what was found in the file of each of these items.
    pub(super) fn new(items: &[Item], outcomes: impl IntoIterator<Item = Result<(ImageInfo, Digest)>>) -> Check {
        let mut check = Check::default();
        for (item, outcome) in items.iter().zip(outcomes) {
            match outcome {
                Ok((info, digest)) => {
                    check.notes.extend(suffix_note(&item.name(), &info));
                    check.notes.extend(more_pictures_note(&item.name(), &info));
                    check.infos.push(Some(info));
                    check.digests.push(Some(digest));
                }
                Err(error) => {
                    check.errors.push(error);
                    check.infos.push(None);
                    check.digests.push(None);
                }
            }
        }
        check
    }
}

impl ImageSet {
    /// The pictures of `items`, whose files are in `source`, resized to `side` × `side`. They are kept once
    /// decoded if all of them fit into `cache_budget` bytes, usually [`CACHE_BUDGET_BYTES`]; kept or not,
    /// they are the same.
    ///
    /// # Errors
    /// [`Error::Setting`] if `side` is 0.
    pub fn new(source: Arc<Source>, items: Vec<Item>, side: usize, cache_budget: usize) -> Result<ImageSet> {
        ImageSet::sized(source, items, [side, side, 3], cache_budget)
    }

    /// [`ImageSet::new`] for pictures of height, width and channels `size`: three channels are RGB, one is
    /// [grey](super::framing::grey).
    ///
    /// # Errors
    /// [`Error::Setting`] if the height or the width is 0, or the channels are neither 1 nor 3.
    pub fn sized(source: Arc<Source>, items: Vec<Item>, size: [usize; 3], cache_budget: usize) -> Result<ImageSet> {
        let [height, width, channels] = size;
        if height == 0 || width == 0 {
            return Err(Error::value("image_size", 0, "it must be at least 1; the documented run uses 128"));
        }
        if channels != 1 && channels != 3 {
            let reason = "images of files have 1 channel, grey, or 3, red, green and blue";
            return Err(Error::value("channels", channels, reason));
        }
        let needed = bytes_to_keep(&source, &items, size);
        let cache = (needed <= cache_budget).then(|| items.iter().map(|_| OnceLock::new()).collect());
        let (count, kept) =
            (items.len(), if cache.is_some() { "are kept in memory" } else { "are too many to be kept" });
        if needed > 0 || source.packs().next().is_none() {
            log::debug!(
                "{count} pictures of {height}×{width}×{channels} {kept}, as they take {needed} bytes and may take {cache_budget}"
            );
        }
        let checked = items.iter().map(|_| OnceLock::new()).collect();
        let left = Arc::new(AtomicUsize::new(cache_budget.saturating_sub(needed)));
        Ok(ImageSet { source, items, size, reading: Reading::default(), cache, left, checked })
    }

    /// The same set, whose files are read in this way instead of the default one. Nothing must have been
    /// decoded yet.
    pub fn read_as(self, reading: Reading) -> ImageSet {
        ImageSet { reading, ..self }
    }

    /// The same set with another range and bit depth, which are known now that the files were checked.
    pub fn with_samples_as(mut self, Reading { range, bit_depth, .. }: Reading) -> ImageSet {
        if (range, bit_depth) != (self.reading.range, self.reading.bit_depth) {
            self.forget_deep();
            (self.reading.range, self.reading.bit_depth) = (range, bit_depth);
        }
        self
    }

    /// Forgets the pictures of more than 8 bits, which a range to come will change.
    pub fn forget_deep(&mut self) {
        for (place, checked) in self.cache.iter_mut().flatten().zip(&self.checked) {
            if checked.get().is_none_or(|checked| checked.samples.is_some()) {
                let picture = std::mem::take(place).into_inner();
                self.left.fetch_add(picture.map_or(0, |picture| picture.bytes() - picture.len()), Ordering::Relaxed);
            }
        }
    }

    /// The smallest and the largest sample of all pictures of more than 8 bits, as far as they were checked,
    /// if there are any.
    pub fn samples(&self) -> Option<[u16; 2]> {
        let samples = self.checked.iter().filter_map(|checked| checked.get()?.samples);
        samples.reduce(|[min, max], [smallest, largest]| [min.min(smallest), max.max(largest)])
    }

    /// The source that the items' files are in.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The way the files are read.
    pub fn reading(&self) -> Reading {
        self.reading
    }

    /// The items, in the order of the indices that the other functions take.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The items at these indices, in this order, as a set of their own; what was decoded and kept stays
    /// kept.
    ///
    /// # Panics
    /// If an index is not that of an item.
    pub fn part(&self, indices: &[usize]) -> ImageSet {
        ImageSet {
            source: Arc::clone(&self.source),
            items: indices.iter().map(|&index| self.items[index].clone()).collect(),
            size: self.size,
            reading: self.reading,
            cache: self.cache.as_ref().map(|places| indices.iter().map(|&index| places[index].clone()).collect()),
            left: Arc::clone(&self.left),
            checked: indices.iter().map(|&index| self.checked[index].clone()).collect(),
        }
    }

    /// The bytes that the set takes where its pictures are kept: of those in packs none are, and others are
    /// reckoned with 8 bits.
    pub fn bytes_to_keep(&self) -> usize {
        bytes_to_keep(&self.source, &self.items, self.size)
    }

    /// Whether pictures are kept once they are decoded; those of 16 bits, as far as there is room.
    pub fn keeps_pictures(&self) -> bool {
        self.cache.is_some()
    }

    /// Height, width and channels of each picture.
    pub fn size(&self) -> [usize; 3] {
        self.size
    }

    /// The picture of the item at `index`: height · width · channels samples in the order H W C.
    ///
    /// # Errors
    /// Those of [`Source::read`] and [`decode`](super::decode::decode); and [`Error::Data`] where the file is
    /// another than [`check_all`](ImageSet::check_all) has seen, or where a pack holds pictures of another
    /// size, or read otherwise.
    ///
    /// # Panics
    /// If `index` is not that of an item.
    pub fn picture(&self, index: usize) -> Result<PictureSamples> {
        let entry = self.items[index].entry;
        if let Some(InPack { pack, index }) = self.source.in_pack(entry) {
            pack.check(self.size, self.reading)?;
            return pack.samples(index).map_err(unreadable(&self.source, entry));
        }
        if let Some(picture) = self.kept(index) {
            return Ok(picture);
        }
        let same = |bytes: &[u8]| {
            self.checked[index].get().is_none_or(|checked| checked.crc32 == Some(crc32fast::hash(bytes)))
        };
        let (picture, _) = self.read(index, |bytes, image| same(bytes).then(|| self.keep(index, image)))?;
        picture.ok_or_else(|| {
            let file = self.source.full_name(entry);
            Error::data(file, "it was changed after the images were checked; put the old file back")
        })
    }

    /// The picture of the item at `index` if it was decoded before and kept.
    ///
    /// # Panics
    /// If `index` is not that of an item.
    pub fn kept(&self, index: usize) -> Option<PictureSamples> {
        self.cache.as_ref()?[index].get().cloned()
    }

    /// Decodes every file once, on all threads of the rayon pool the caller is in, so that unreadable ones
    /// are known before training. What is decoded is kept for the first epoch if the set fits. Of files in a
    /// pack the pack tells, which was checked when it was opened.
    pub fn check_all(&self) -> Check {
        self.check_all_telling(|| ())
    }

    /// [`check_all`](ImageSet::check_all), which calls `checked` after each file.
    pub fn check_all_telling(&self, checked: impl Fn() + Sync) -> Check {
        let outcomes: Vec<Result<(ImageInfo, Digest)>> =
            (0..self.items.len()).into_par_iter().map(|index| self.check(index)).inspect(|_| checked()).collect();
        Check::new(&self.items, outcomes)
    }

    /// Looks at the file of the item at `index`, and keeps its picture.
    fn check(&self, index: usize) -> Result<(ImageInfo, Digest)> {
        let entry = self.items[index].entry;
        let (info, digest, crc32) = match self.source.in_pack(entry) {
            Some(InPack { pack, index }) => {
                (pack.info(index).map_err(unreadable(&self.source, entry))?, pack.sha256(index), None)
            }
            None => {
                let ((digest, crc32), info) = self.read(index, |bytes, image| {
                    self.keep(index, image);
                    (Sha256::digest(bytes).into(), crc32fast::hash(bytes))
                })?;
                (info, digest, Some(crc32))
            }
        };
        self.checked[index].get_or_init(|| Checked { crc32, samples: info.samples });
        Ok((info, digest))
    }

    /// Decodes the file of the item at `index`, which is in no pack, and does `work` with its bytes and its
    /// picture.
    fn read<T>(&self, index: usize, work: impl FnOnce(&[u8], RgbPicture) -> T) -> Result<(T, ImageInfo)> {
        read_and(&self.source, self.items[index].entry, |file, bytes| {
            decode_as_read(file, bytes, self.reading, |image| work(bytes, image))
        })
    }

    /// Resizes the image of the item at `index`, and keeps the picture if there is a place for it.
    fn keep(&self, index: usize, image: RgbPicture) -> PictureSamples {
        let picture = framed_samples(image, self.size, self.reading);
        match &self.cache {
            Some(places) if self.has_room(&picture) => places[index].get_or_init(|| picture).clone(),
            _ => picture,
        }
    }

    /// Takes the room for a picture from the cache's budget, if it is left.
    fn has_room(&self, picture: &PictureSamples) -> bool {
        let further = picture.bytes() - picture.len();
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(further));
        taken.is_ok()
    }
}

/// The bytes that those of these pictures take that are in no pack.
fn bytes_to_keep(source: &Source, items: &[Item], size: [usize; 3]) -> usize {
    set_bytes(items.iter().filter(|item| source.in_pack(item.entry).is_none()).count(), size)
}

/// The bytes that `count` pictures of height, width and channels `size` take, saturating rather than wrapping
/// for absurd sizes.
pub fn set_bytes(count: usize, size: [usize; 3]) -> usize {
    size.into_iter().fold(count, usize::saturating_mul)
}
