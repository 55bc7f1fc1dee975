//! A pack: the pictures of a set in one file, decoded and brought to one size, with their names, their
//! classes, what their files were, and the files' hashes. What trains on it reads the same numbers as from
//! the images themselves, and decodes nothing.
//!
//! [`packing`](super::packing) writes it; [`layout`] has every byte of it. A large set may be in several, its
//! shards, each with a run of the images; here they are one. Here it is read. The table of all
//! images is read at once when a pack is opened, and checked; the samples of an image are read when they are
//! wanted, and each time compared with their checksum. So opening takes the same for large and for small
//! pictures, and what the system has read once it has in its own cache for the next epoch and the next
//! process.
//!
//! A pack is taken for hostile as all files are. All sizes in it must add up to the file's own before memory
//! is taken for any of them, and no place of samples is told: they follow each other in the order of the
//! table, so that none can lie outside or within another's.

pub mod description;
mod file;
pub mod identity;
pub mod layout;
mod positioned;
pub mod shard_name;
mod shards;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::decode::{ImageInfo, Rgb, RgbPicture};
use super::part::GivenPart;
use super::reading::Reading;
use super::sample::PictureSamples;
use crate::error::counted;
use crate::{Error, Result};
use description::Description;
use file::OpenedFile;
use layout::{Depth, MAGIC, PREAMBLE_BYTES, PackedImage};
pub(super) use positioned::{OPEN_FILES, PositionedFile};
use shard_name::{ShardNames, names_shards, own_name};

/// An open pack, or all packs of a set that is in several.
#[derive(Debug)]
pub struct Pack {
    path: PathBuf,
    files: Vec<PackFile>,
    size: [usize; 3],
    reading: Reading,
    skips_bad: bool,
    /// True where an image had more than 8 bits in its file.
    is_deep: bool,
    is_labelled: bool,
    images: Vec<PackedImage>,
}

/// A file of a pack.
#[derive(Debug)]
struct PackFile {
    path: PathBuf,
    file: PositionedFile,
    /// The place of its first image among those of all files.
    first: usize,
}

/// Returns whether a file begins as packs do, or no file is there and shards of a set of this name are. A
/// file that cannot be read does not, nor does a pipe.
pub fn is_pack(path: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    match path.is_file() {
        true => File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == MAGIC,
        false => names_shards(path),
    }
}

impl Pack {
    /// Opens a pack, and returns with it the names of its images in its order. The first shard of a set that
    /// is in several packs, or the name of the set, stands for all of them.
    ///
    /// # Errors
    /// [`Error::Io`] if a file cannot be read; [`Error::Data`] if one is cut short, damaged, of another
    /// version, or is not what a pack can be; or if shards are missing, or not those of one set.
    pub fn open(path: &Path) -> Result<(Pack, Vec<String>)> {
        let opened = match ShardNames::of_set(path)? {
            Some(names) => shards::open(path, &names, None)?,
            None => shards::open_from(path)?,
        };
        let Description { size, reading, skip_bad, is_labelled, .. } = opened[0].description;
        let (mut files, mut images, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for OpenedFile { path, file, images: of_file, names: names_of_file, .. } in opened {
            files.push(PackFile { path, file, first: images.len() });
            images.extend(of_file);
            names.extend(names_of_file);
        }
        let is_deep = images.iter().any(|image: &PackedImage| image.info.is_some_and(|info| info.samples.is_some()));
        log::debug!("{}: a pack of {} images in {}", path.display(), images.len(), counted(files.len(), "file"));
        let path = path.to_path_buf();
        let pack = Pack { path, files, size, reading, skips_bad: skip_bad, is_deep, is_labelled, images };
        Ok((pack, names))
    }

    /// Returns its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns height, width and channels of its pictures.
    pub fn size(&self) -> [usize; 3] {
        self.size
    }

    /// Returns the way in which its images were read.
    pub fn reading(&self) -> Reading {
        self.reading
    }

    /// Returns whether images that could not be read were left out when it was made; it names them.
    pub fn skips_bad(&self) -> bool {
        self.skips_bad
    }

    /// Returns whether an image of it had more than 8 bits in its file. Where none had, no range and no bit
    /// depth has changed anything.
    pub fn is_deep(&self) -> bool {
        self.is_deep
    }

    /// Returns whether labels told the classes of its images: the first folder of each name is a class then.
    pub fn is_labelled(&self) -> bool {
        self.is_labelled
    }

    /// Returns the part and the group that the data told of the image at `index`.
    pub(super) fn told(&self, index: usize) -> (Option<GivenPart>, Option<Arc<str>>) {
        let PackedImage { part, group, .. } = &self.images[index];
        (*part, group.clone())
    }

    /// Checks whether its pictures are those of this height, width and channels, read in this way.
    ///
    /// # Errors
    /// [`Error::Data`] with what it holds and what was asked for.
    pub fn check(&self, size: [usize; 3], reading: Reading) -> Result<()> {
        let again = "ask for what it holds, or pack the images again";
        if size != self.size {
            let [holds, wanted] = [self.size, size].map(size_in_words);
            let reason = format!("it holds images of {holds}, and {wanted} are asked for; {again}");
            return Err(Error::data(&self.path, reason));
        }
        let seen = |reading: Reading| match self.is_deep {
            true => reading,
            // Of 8 bits all are the same.
            false => Reading { range: Reading::default().range, bit_depth: Reading::default().bit_depth, ..reading },
        };
        let [holds, wanted] = [self.reading, reading].map(seen);
        if holds == wanted {
            return Ok(());
        }
        let words = |reading: Reading| reading.description().unwrap_or_else(|| "the default reading".to_string());
        let reason = format!("its images were read with {}, and {} is asked for; {again}", words(holds), words(wanted));
        Err(Error::data(&self.path, reason))
    }

    /// Returns what the file of the image at `index` held, or why it could not be read.
    pub(super) fn info(&self, index: usize) -> std::result::Result<ImageInfo, String> {
        let image = &self.images[index];
        image.info.ok_or_else(|| image.fault.clone().unwrap_or_default().into())
    }

    /// Returns the SHA-256 of the bytes that its file had; zeros where it could not be read.
    pub(super) fn sha256(&self, index: usize) -> [u8; 32] {
        self.images[index].sha256
    }

    /// Returns the checksum of the samples of the image at `index`.
    pub(super) fn crc32(&self, index: usize) -> u32 {
        self.images[index].crc32
    }

    /// Returns the bytes that the samples of the image at `index` take in the file.
    pub(super) fn sample_bytes(&self, index: usize) -> u64 {
        self.images[index].depth.bytes(self.size)
    }

    /// Reads the samples of the image at `index`.
    ///
    /// # Errors
    /// A sentence without the image's name, if they cannot be read, or are not those that were packed.
    pub(super) fn samples(&self, index: usize) -> std::result::Result<PictureSamples, String> {
        let image = &self.images[index];
        let at = PREAMBLE_BYTES as u64 + image.offset;
        let PackFile { path, file, .. } = &self.files[self.files.partition_point(|file| file.first <= index) - 1];
        let pack = match self.files.len() {
            1 => "the pack".to_string(),
            _ => format!("the pack {}", own_name(path)),
        };
        let read = |bytes: &mut [u8]| {
            file.read_exact_at(bytes, at)
                .map_err(|error| format!("its samples cannot be read from {pack} ({error})"))?;
            match crc32fast::hash(bytes) == image.crc32 {
                true => Ok(()),
                false => Err(format!(
                    "its samples are not those that were packed, by their checksum; put back a copy of {pack}, or pack the images again"
                )),
            }
        };
        let length = image.depth.bytes(self.size) as usize;
        match image.depth {
            Depth::None => Err(self.info(index).err().unwrap_or_default()),
            Depth::Bits8 => {
                let mut samples: Arc<[u8]> = std::iter::repeat_n(0, length).collect();
                read(Arc::get_mut(&mut samples).expect("nobody else has it yet"))?;
                Ok(PictureSamples::Bits8(samples))
            }
            Depth::Bits16 => {
                let mut bytes = vec![0; length];
                read(&mut bytes)?;
                let samples = bytes.as_chunks::<2>().0.iter().map(|&pair| u16::from_le_bytes(pair));
                Ok(PictureSamples::Bits16(samples.collect()))
            }
        }
    }

    /// Reads the image at `index` as the picture that a decoder would give: RGB, of the pack's size.
    ///
    /// # Errors
    /// Those of [`Pack::samples`].
    pub(super) fn picture(&self, index: usize) -> std::result::Result<RgbPicture, String> {
        Ok(match self.samples(index)? {
            PictureSamples::Bits8(samples) => RgbPicture::Bits8(rgb(&samples, self.size)),
            PictureSamples::Bits16(samples) => RgbPicture::Bits16(rgb(&samples, self.size)),
        })
    }
}

/// Returns samples of this height, width and channels as RGB, grey repeated.
fn rgb<T: Copy>(samples: &[T], [height, width, channels]: [usize; 3]) -> Rgb<T> {
    let pixels = match channels {
        1 => samples.iter().flat_map(|&sample| [sample; 3]).collect(),
        _ => samples.to_vec(),
    };
    Rgb { width, height, pixels }
}

/// Returns a size in words: `128×128 pixels in colour`, height first.
pub fn size_in_words([height, width, channels]: [usize; 3]) -> String {
    let colours = match channels {
        1 => "in grey".to_string(),
        3 => "in colour".to_string(),
        channels => format!("of {channels} channels"),
    };
    format!("{height}×{width} pixels {colours}")
}
