//! The making of a [pack](super::pack): every image of a set is read and decoded once, brought to size, and
//! written behind the one before.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::catalog::Item;
use super::decode::ImageInfo;
use super::framing::framed_samples;
use super::images::{Check, Digest, read_as, set_bytes};
use super::pack::description::{Description, Shard};
use super::pack::identity::identity;
use super::pack::layout::{Depth, PREAMBLE_BYTES, PackedImage, check_size, write_table};
use super::pack::shard_name::{MAX_SHARDS, ShardNames};
use super::reading::Reading;
use super::sample::PictureSamples;
use super::source::Source;
use crate::error::counted;
use crate::files::Unfinished;
use crate::{Error, Result};

/// The memory that pictures may take which are decoded and not yet written, in bytes, if they have 8 bits.
const WAITING_BYTES: usize = 32 << 20;

/// The most pictures that are decoded before they are written.
const MOST_WAITING: usize = 1024;

/// What is packed.
#[derive(Clone, Copy, Debug)]
pub struct Packing {
    /// Height, width and channels of the pictures: three channels are RGB, one is grey.
    pub size: [usize; 3],
    /// The way the files are read.
    pub reading: Reading,
    /// True if images that cannot be read are named in the pack and have no picture there. By default
    /// nothing is written where there is one.
    pub skip_bad: bool,
}

/// What has become of it.
#[derive(Debug)]
pub struct Packed {
    /// What is known of the files.
    pub check: Check,
    /// The bytes of the pack, of all its files, or none where images cannot be read and so nothing was
    /// written.
    pub bytes: Option<u64>,
}

/// An image that waits to be written.
struct Waiting {
    samples: PictureSamples,
    info: ImageInfo,
    digest: Digest,
}

/// Reads and decodes the images of `items`, which are in `source`, on all threads of the rayon pool the
/// caller is in, and writes them into a pack at `path`, whole or not at all, with the parts and groups that
/// the data tell. `packed` is called after each image.
///
/// # Errors
/// [`Error::Setting`] of a size that no picture of a pack can have; [`Error::Io`] if it cannot be written;
/// [`Error::Data`] if they are more than a pack holds; and those of `packed`. Images that cannot be read are
/// told in the check.
pub fn pack(
    path: &Path,
    source: &Source,
    items: &[Item],
    packing: Packing,
    packed: impl Fn() -> Result<()> + Sync,
) -> Result<Packed> {
    pack_into(vec![path.to_path_buf()], false, source, items, packing, packed)
}

/// Does the same as [`pack`] into `shards` packs, which have the names of [`ShardNames`] and each a run of
/// the images in their order, as long as the others' or longer by one. None comes to its place before all are
/// whole.
///
/// # Errors
/// Those of [`pack`]; [`Error::Setting`] of a number of shards that is 0, more than [`MAX_SHARDS`] or more
/// than there are images.
pub fn pack_in_shards(
    path: &Path,
    shards: usize,
    source: &Source,
    items: &[Item],
    packing: Packing,
    packed: impl Fn() -> Result<()> + Sync,
) -> Result<Packed> {
    let fault = match shards {
        0 => Some("must be at least 1".to_string()),
        _ if shards > MAX_SHARDS => Some(format!("{MAX_SHARDS} are the most")),
        _ if shards > items.len() => Some(format!("there are {} for them", counted(items.len(), "image"))),
        _ => None,
    };
    if let Some(fault) = fault {
        return Err(Error::value("shards", shards, fault));
    }
    let names = ShardNames::new(path, shards);
    pack_into((0..shards).map(|index| names.path(index)).collect(), true, source, items, packing, packed)
}

/// Packs the images into these files, which are the shards of a set, of which there may be just one, or one
/// whole pack.
fn pack_into(
    paths: Vec<PathBuf>,
    are_shards: bool,
    source: &Source,
    items: &[Item],
    packing: Packing,
    packed: impl Fn() -> Result<()> + Sync,
) -> Result<Packed> {
    let [height, width, _] = packing.size;
    check_size(packing.size).map_err(|reason| Error::value("size", format!("{height}x{width}"), reason))?;
    let mut outcomes = Vec::with_capacity(items.len());
    let count = paths.len();
    let mut writers = Vec::with_capacity(count);
    let (mut is_whole, mut rest) = (true, items);
    for (index, path) in paths.into_iter().enumerate() {
        let of_file;
        (of_file, rest) = rest.split_at(rest.len().div_ceil(count - index));
        let file = Unfinished::create(&path)?;
        let mut writer =
            PackWriter { path, file, items: of_file, images: Vec::with_capacity(of_file.len()), offset: 0 };
        is_whole &= writer.write_samples(source, packing, is_whole, &packed, &mut outcomes)?;
        writers.push(writer);
    }
    let check = Check::new(items, outcomes);
    if !is_whole {
        return Ok(Packed { check, bytes: None });
    }
    let set = are_shards.then(|| {
        let images = writers.iter().flat_map(|writer| writer.names().zip(&writer.images));
        identity(count, &description(source, packing), images)
    });
    let mut bytes = 0;
    for (index, writer) in writers.iter_mut().enumerate() {
        let shard = set.clone().map(|set| Shard { index, count, set });
        bytes += writer.write_table(source, Description { shard, ..description(source, packing) })?;
    }
    place_all(writers)?;
    Ok(Packed { check, bytes: Some(bytes) })
}

/// Brings all files to their places, or where that fails none.
fn place_all(writers: Vec<PackWriter>) -> Result<()> {
    let mut placed = Vec::with_capacity(writers.len());
    for PackWriter { path, file, .. } in writers {
        if let Err(error) = file.place() {
            for path in placed {
                // The first error is the one to tell.
                let _ = std::fs::remove_file(path);
            }
            return Err(error);
        }
        placed.push(path);
    }
    Ok(())
}

/// Returns the description of a pack of `source` before its images are known.
fn description(source: &Source, Packing { size, reading, skip_bad }: Packing) -> Description {
    Description {
        version: env!("CARGO_PKG_VERSION").to_string(),
        size,
        reading,
        skip_bad,
        kinds: Vec::new(),
        unreadable: Vec::new(),
        is_labelled: source.is_labelled(),
        groups: Vec::new(),
        shard: None,
    }
}

/// A file of a pack that is being written.
struct PackWriter<'a> {
    path: PathBuf,
    file: Unfinished,
    /// What goes into it.
    items: &'a [Item],
    /// The images so far.
    images: Vec<PackedImage>,
    /// The bytes of their samples.
    offset: u64,
}

impl PackWriter<'_> {
    /// Returns the names of its images.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(|item| item.path.as_str())
    }

    /// Writes the samples of all images, and returns whether they are the pack's; where the pack `is_whole`
    /// no more, and from the first that cannot be read and must not be left out, they are looked at alone.
    /// What was found in each goes to `outcomes`.
    fn write_samples(
        &mut self,
        source: &Source,
        packing: Packing,
        mut is_whole: bool,
        packed: &(impl Fn() -> Result<()> + Sync),
        outcomes: &mut Vec<Result<(ImageInfo, Digest)>>,
    ) -> Result<bool> {
        let Packing { size, reading, skip_bad } = packing;
        let at_once = (WAITING_BYTES / set_bytes(1, size)).clamp(rayon::current_num_threads(), MOST_WAITING);
        let PackWriter { path, file, items, images, offset } = self;
        file.write(|file| {
            let mut samples = SampleWriter { path, file, images, offset };
            samples.write(&[0; PREAMBLE_BYTES])?;
            for items in items.chunks(at_once) {
                let waiting: Vec<Result<Waiting>> = items
                    .par_iter()
                    .map(|item| {
                        let ((digest, samples), info) = read_as(source, item.entry, reading, |content, image| {
                            (content.sha256(), framed_samples(image, size, reading))
                        })?;
                        Ok(Waiting { samples, info, digest })
                    })
                    .map(|read| packed().map(|()| read))
                    .collect::<Result<_>>()?;
                for read in waiting {
                    is_whole &= skip_bad || read.is_ok();
                    if is_whole {
                        samples.add(&read, size)?;
                    }
                    outcomes.push(read.map(|Waiting { info, digest, .. }| (info, digest)));
                }
            }
            Ok(is_whole)
        })
    }

    /// Writes the table of the images, with what `source` tells of them, and the first bytes, and returns how
    /// many bytes there are in all.
    fn write_table(&mut self, source: &Source, description: Description) -> Result<u64> {
        let mut groups: HashMap<&str, Arc<str>> = HashMap::new();
        for (image, item) in self.images.iter_mut().zip(self.items) {
            image.part = source.part(item.entry);
            image.group =
                source.group(item.entry).map(|name| groups.entry(name).or_insert_with(|| name.into()).clone());
        }
        let names: Vec<&str> = self.names().collect();
        let table = write_table(&names, &self.images, description);
        let (preamble, table) = table.map_err(|reason| {
            Error::data(&self.path, format!("no pack can hold these images: {reason}; pack a part of them"))
        })?;
        let path = &self.path;
        self.file.write(|file| {
            let mut write = || {
                file.write_all(&table)?;
                file.seek(SeekFrom::Start(0))?;
                file.write_all(&preamble.to_bytes(&table))
            };
            write().map_err(Error::io("write", path))
        })?;
        Ok(preamble.table_at() + preamble.table_bytes())
    }
}

/// The samples of a file of a pack, while they are written.
struct SampleWriter<'a, W> {
    path: &'a Path,
    file: &'a mut W,
    images: &'a mut Vec<PackedImage>,
    offset: &'a mut u64,
}

impl<W: Write> SampleWriter<'_, W> {
    /// Writes the samples of an image that was read, or notes why it was not.
    fn add(&mut self, read: &Result<Waiting>, size: [usize; 3]) -> Result<()> {
        let offset = *self.offset;
        let image = match read {
            Ok(Waiting { samples, info, digest }) => {
                let (depth, bytes) = match samples {
                    PictureSamples::Bits8(samples) => (Depth::Bits8, Cow::Borrowed(&samples[..])),
                    PictureSamples::Bits16(samples) => {
                        (Depth::Bits16, samples.iter().flat_map(|sample| sample.to_le_bytes()).collect())
                    }
                };
                self.write(&bytes)?;
                *self.offset += depth.bytes(size);
                let crc32 = crc32fast::hash(&bytes);
                PackedImage {
                    depth,
                    offset,
                    crc32,
                    info: Some(*info),
                    fault: None,
                    sha256: *digest,
                    part: None,
                    group: None,
                }
            }
            Err(error) => {
                let fault = match error {
                    Error::Image { reason, .. } => reason.clone(),
                    error => error.to_string(),
                };
                let fault = Some(fault.into());
                PackedImage {
                    depth: Depth::None,
                    offset,
                    crc32: 0,
                    info: None,
                    fault,
                    sha256: [0; 32],
                    part: None,
                    group: None,
                }
            }
        };
        self.images.push(image);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(Error::io("write", self.path))
    }
}
