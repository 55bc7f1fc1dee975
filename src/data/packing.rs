//! The making of a [pack](super::pack): every image of a set is read and decoded once, brought to size, and
//! written behind the one before.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::catalog::Item;
use super::decode::ImageInfo;
use super::framing::framed_samples;
use super::images::{Check, Digest, read_as, set_bytes};
use super::pack::layout::{Depth, Description, PREAMBLE_BYTES, PackedImage, check_size, write_table};
use super::reading::Reading;
use super::sample::PictureSamples;
use super::source::Source;
use crate::files::write_whole_with;
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
    /// The bytes of the pack, or none where images cannot be read and so nothing was written.
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
/// the data tell. `packed` is called after each
/// image.
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
    let [height, width, _] = packing.size;
    check_size(packing.size).map_err(|reason| Error::value("size", format!("{height}x{width}"), reason))?;
    let mut outcomes = Vec::with_capacity(items.len());
    let mut bytes = None;
    let written = write_whole_with(path, |file| {
        let mut writer = SampleWriter { path, file, images: Vec::with_capacity(items.len()), offset: 0 };
        let is_whole = writer.write_all(source, items, packing, &packed, &mut outcomes).map_err(io::Error::other)?;
        if !is_whole {
            return Err(io::Error::other("images cannot be read"));
        }
        bytes = Some(writer.finish(source, items, packing).map_err(io::Error::other)?);
        Ok(())
    });
    let is_refused = !packing.skip_bad && outcomes.len() == items.len() && outcomes.iter().any(Result::is_err);
    match written.map_err(own) {
        Err(error) if !is_refused => Err(error),
        _ => Ok(Packed { check: Check::new(items, outcomes), bytes }),
    }
}

/// Returns the error of this library that a writer's error is made of, where it is.
fn own(error: Error) -> Error {
    match error {
        Error::Io { action, path, source } => match source.downcast::<Error>() {
            Ok(own) => own,
            Err(source) => Error::Io { action, path, source },
        },
        error => error,
    }
}

/// A pack that is being written.
struct SampleWriter<'a> {
    path: &'a Path,
    file: &'a mut BufWriter<File>,
    /// The images so far.
    images: Vec<PackedImage>,
    /// The bytes of their samples.
    offset: u64,
}

impl SampleWriter<'_> {
    /// Writes the samples of all images, and returns whether they are the pack's; from the first that cannot
    /// be read and must not be left out, the others are looked at alone. What was found in each goes to
    /// `outcomes`.
    fn write_all(
        &mut self,
        source: &Source,
        items: &[Item],
        packing: Packing,
        packed: &(impl Fn() -> Result<()> + Sync),
        outcomes: &mut Vec<Result<(ImageInfo, Digest)>>,
    ) -> Result<bool> {
        let Packing { size, reading, skip_bad } = packing;
        let mut is_whole = true;
        let at_once = (WAITING_BYTES / set_bytes(1, size)).clamp(rayon::current_num_threads(), MOST_WAITING);
        self.write(&[0; PREAMBLE_BYTES])?;
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
                    self.add(&read, size)?;
                }
                outcomes.push(read.map(|Waiting { info, digest, .. }| (info, digest)));
            }
        }
        Ok(is_whole)
    }

    /// Writes the samples of an image that was read, or notes why it was not.
    fn add(&mut self, read: &Result<Waiting>, size: [usize; 3]) -> Result<()> {
        let offset = self.offset;
        let image = match read {
            Ok(Waiting { samples, info, digest }) => {
                let (depth, bytes) = match samples {
                    PictureSamples::Bits8(samples) => (Depth::Bits8, Cow::Borrowed(&samples[..])),
                    PictureSamples::Bits16(samples) => {
                        (Depth::Bits16, samples.iter().flat_map(|sample| sample.to_le_bytes()).collect())
                    }
                };
                self.write(&bytes)?;
                self.offset += depth.bytes(size);
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

    /// Writes the table of these images, with what `source` tells of them, and the first bytes, and returns
    /// how many bytes there are in all.
    fn finish(mut self, source: &Source, items: &[Item], packing: Packing) -> Result<u64> {
        let Packing { size, reading, skip_bad } = packing;
        let mut groups: HashMap<&str, Arc<str>> = HashMap::new();
        for (image, item) in self.images.iter_mut().zip(items) {
            image.part = source.part(item.entry);
            image.group =
                source.group(item.entry).map(|name| groups.entry(name).or_insert_with(|| name.into()).clone());
        }
        let description = Description {
            version: env!("CARGO_PKG_VERSION").to_string(),
            size,
            reading,
            skip_bad,
            kinds: Vec::new(),
            unreadable: Vec::new(),
            is_labelled: source.is_labelled(),
            groups: Vec::new(),
        };
        let names: Vec<&str> = items.iter().map(|item| item.path.as_str()).collect();
        let table = write_table(&names, &self.images, description);
        let (preamble, table) = table.map_err(|reason| {
            Error::data(self.path, format!("no pack can hold these images: {reason}; pack a part of them"))
        })?;
        self.write(&table)?;
        self.file.seek(SeekFrom::Start(0)).map_err(Error::io("write", self.path))?;
        self.write(&preamble.to_bytes(&table))?;
        Ok(preamble.table_at() + preamble.table_bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(Error::io("write", self.path))
    }
}
