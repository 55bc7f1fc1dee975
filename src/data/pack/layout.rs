//! Every byte of a pack. All numbers are little-endian.
//!
//! | from byte | bytes | holds |
//! |---|---|---|
//! | 0 | 8 | [`MAGIC`]: `89 47 4E 50 41 43 4B 0A`, which is `GNPACK` between a byte beyond ASCII and a line feed |
//! | 8 | 4 | the version: 1; 2 where more is told of images than their names; [`VERSION`], 3, of a [`Shard`](super::description::Shard) |
//! | 12 | 4 | CRC-32 of the bytes from 16 to 64 and of the table |
//! | 16 | 8 | n, the number of images |
//! | 24 | 8 | s, the bytes of all samples |
//! | 32 | 8 | m, the bytes of all names |
//! | 40 | 8 | d, the bytes of the description |
//! | 48 | 16 | zeros |
//! | 64 | s | the samples of all images, in their order, without a gap |
//! | 64 + s | 64 n | the table: a record for each image |
//! | 64 + s + 64 n | m | the table: the names of all images in UTF-8, in their order, without a gap |
//! | 64 + s + 64 n + m | d | the table: the description, in JSON |
//!
//! The file ends there. An image's samples are height · width · channels numbers in the order H W C, bytes or
//! numbers of two bytes, as the record tells; where each begins follows from the records before it. The name
//! is the path from the folder that holds the class folders, `cat/1.jpg`, so it tells the class.
//!
//! A record:
//!
//! | from byte | bytes | holds |
//! |---|---|---|
//! | 0 | 4 | the bytes of the name |
//! | 4 | 1 | the bits of a sample, 8 or 16; 0 of an image that could not be read, of which all that follows is 0, but
//! for its part and its group |
//! | 5 | 1 | the orientation of the picture in its file, as EXIF counts it, 1 to 8 |
//! | 6 | 1 | 1 if its file held further pictures, else 0 |
//! | 7 | 1 | 1 if its file had more than 8 bits, else 0 |
//! | 8 | 4 | the width that its file's picture had, in pixels |
//! | 12 | 4 | the height |
//! | 16 | 2 | the smallest sample in the file, where that had more than 8 bits, else 0 |
//! | 18 | 2 | the largest |
//! | 20 | 2 | the place of its kind in the description's `kinds`, from 0 |
//! | 22 | 1 | the part of a split that its data tell: 1 training, 2 validation, 3 test, 0 none (version 2) |
//! | 23 | 1 | zero |
//! | 24 | 4 | CRC-32 of its samples as they stand here |
//! | 28 | 4 | the place of its group in the description's `groups`, from 1; 0 of none (version 2) |
//! | 32 | 32 | SHA-256 of its file |
//!
//! The description is a [`Description`]:
//!
//! ```json
//! {"version": "0.1.0", "size": [128, 128, 3], "reading": {"resize": "crop"}, "skip_bad": true,
//!  "kinds": [{"format": "JPEG", "mode": "RGB"}], "unreadable": [{"image": 7, "reason": "the file is empty"}]}
//! ```
//!
//! Version 2 may add to it `"is_labelled": true`, where labels tell the classes and folders within these mean
//! nothing, and `"groups": ["p1", "p2"]`. Version 3 has all that version 2 may have, and always
//! `"shard": {"index": 0, "count": 4, "set": "9f86…"}`.

use std::collections::HashMap;
use std::sync::Arc;

use super::description::{Description, Kind, Unreadable};
use crate::data::decode::{ImageInfo, MAX_PIXELS, MAX_SIDE, Orientation, format_named, mode_named};
use crate::data::part::GivenPart;
use crate::error::shortened;

/// The first bytes of every pack.
pub const MAGIC: [u8; 8] = *b"\x89GNPACK\n";

/// The version of this layout, which shards alone have: what reads none must not take one for a whole set.
pub const VERSION: u32 = 3;

/// The version of a whole pack that tells more of its images than their names.
const TELLING_VERSION: u32 = 2;

/// The version of a whole pack that tells nothing more of its images than their names.
const PLAIN_VERSION: u32 = 1;

/// The bytes before the samples.
pub const PREAMBLE_BYTES: usize = 64;

/// The bytes of a record.
pub const RECORD_BYTES: usize = 64;

/// The most images of a pack: as many as a source lists.
pub const MAX_IMAGES: u64 = 1 << 21;

/// The most bytes of all names, as a source's listing may take.
pub const MAX_NAME_BYTES: u64 = 1 << 30;

/// The most bytes of the description: a sentence of 100 letters on each of 600,000 images.
pub const MAX_DESCRIPTION_BYTES: u64 = 64 << 20;

/// The bits of an image's samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// It has none, as it could not be read.
    None,
    /// Bytes.
    Bits8,
    /// Numbers of two bytes.
    Bits16,
}

impl Depth {
    const ALL: [Depth; 3] = [Depth::None, Depth::Bits8, Depth::Bits16];

    /// Returns the number of bits.
    fn bits(self) -> u8 {
        match self {
            Depth::None => 0,
            Depth::Bits8 => 8,
            Depth::Bits16 => 16,
        }
    }

    /// Returns the bytes that the samples of a picture of height, width and channels `size` take.
    pub fn bytes(self, size: [usize; 3]) -> u64 {
        size.iter().map(|&side| side as u64).product::<u64>() * u64::from(self.bits() / 8)
    }
}

/// An image of a pack.
#[derive(Clone, Debug)]
pub struct PackedImage {
    /// The bits of its samples.
    pub depth: Depth,
    /// The place of its samples behind the preamble.
    pub offset: u64,
    /// CRC-32 of its samples.
    pub crc32: u32,
    /// What its file held, or none where that could not be read.
    pub info: Option<ImageInfo>,
    /// The reason why it could not be read.
    pub fault: Option<Box<str>>,
    /// SHA-256 of its file.
    pub sha256: [u8; 32],
    /// Its part, where its data bring a split.
    pub part: Option<GivenPart>,
    /// The group that it belongs to, where they tell.
    pub group: Option<Arc<str>>,
}

/// The sizes that the first bytes of a pack tell.
#[derive(Clone, Copy, Debug)]
pub struct Preamble {
    /// The version of its layout.
    pub version: u32,
    /// The number of images.
    pub images: u64,
    /// The bytes of all samples.
    pub sample_bytes: u64,
    /// The bytes of all names.
    pub name_bytes: u64,
    /// The bytes of the description.
    pub description_bytes: u64,
}

impl Preamble {
    /// Returns the first bytes of a pack with this table.
    pub fn to_bytes(self, table: &[u8]) -> [u8; PREAMBLE_BYTES] {
        let mut bytes = [0; PREAMBLE_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        let Preamble { images, sample_bytes, name_bytes, description_bytes, .. } = self;
        for (place, number) in [images, sample_bytes, name_bytes, description_bytes].into_iter().enumerate() {
            bytes[16 + 8 * place..24 + 8 * place].copy_from_slice(&number.to_le_bytes());
        }
        let sum = checksum(&bytes, table);
        bytes[12..16].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads the first bytes of a pack.
    ///
    /// # Errors
    /// A sentence, if they are not those of a pack of this version.
    pub fn from_bytes(bytes: &[u8; PREAMBLE_BYTES]) -> Result<Preamble, String> {
        if bytes[..8] != MAGIC {
            return Err("it does not begin as a pack does; give one that 'glassnet pack' wrote".to_string());
        }
        let version = u32_at(bytes, 8);
        if !(PLAIN_VERSION..=VERSION).contains(&version) {
            return Err(format!(
                "it is a pack of version {version}, and versions up to {VERSION} are read here; pack the images again"
            ));
        }
        let [images, sample_bytes, name_bytes, description_bytes] = [16, 24, 32, 40].map(|at| u64_at(bytes, at));
        Ok(Preamble { version, images, sample_bytes, name_bytes, description_bytes })
    }

    /// Checks whether these are the sizes of a file of `length` bytes, within the limits of a pack.
    ///
    /// # Errors
    /// A phrase with what is not right.
    pub fn check(&self, length: u64) -> Result<(), String> {
        let Preamble { images, sample_bytes, name_bytes, description_bytes, .. } = *self;
        check_limits([images, name_bytes, description_bytes])
            .map_err(|(count, most, of)| format!("its header tells of {count} {of}, and {most} are the most"))?;
        let parts = [PREAMBLE_BYTES as u64, sample_bytes, images * RECORD_BYTES as u64, name_bytes, description_bytes];
        match parts.into_iter().try_fold(0u64, u64::checked_add) {
            Some(sum) if sum == length => Ok(()),
            Some(sum) => Err(format!("its header tells of {sum} bytes, and it has {length}")),
            None => Err(format!("its header tells of more bytes than a file can have, and it has {length}")),
        }
    }

    /// Checks whether the packs of a set, which have these sizes, are together within the limits of a pack.
    ///
    /// # Errors
    /// A sentence, if they are not.
    pub fn check_together<'a>(packs: impl Iterator<Item = &'a Preamble>) -> Result<(), String> {
        let mut sums = [0u64; 3];
        for Preamble { images, name_bytes, description_bytes, .. } in packs {
            for (sum, count) in sums.iter_mut().zip([images, name_bytes, description_bytes]) {
                *sum = sum.saturating_add(*count);
            }
        }
        check_limits(sums).map_err(|(count, most, of)| {
            format!("with it the shards of the set have {count} {of}, and {most} are the most; give a part of the set")
        })
    }

    /// Returns where the table begins.
    pub fn table_at(&self) -> u64 {
        PREAMBLE_BYTES as u64 + self.sample_bytes
    }

    /// Returns the bytes of the table.
    pub fn table_bytes(&self) -> u64 {
        self.images * RECORD_BYTES as u64 + self.name_bytes + self.description_bytes
    }

    /// Checks whether the first bytes and the table are as they were written.
    ///
    /// # Errors
    /// A phrase, if they are not.
    pub fn check_sum(&self, bytes: &[u8; PREAMBLE_BYTES], table: &[u8]) -> Result<(), String> {
        match u32_at(bytes, 12) == checksum(bytes, table) {
            true => Ok(()),
            false => Err("its table is not as it was written, by its checksum".to_string()),
        }
    }
}

/// Checks whether there may be so many images, bytes of names and bytes of a description.
///
/// # Errors
/// The first number that is too large, the most that it may be, and what it counts.
fn check_limits([images, name_bytes, description_bytes]: [u64; 3]) -> Result<(), (u64, u64, &'static str)> {
    let limits = [
        (images, MAX_IMAGES, "images"),
        (name_bytes, MAX_NAME_BYTES, "bytes of names"),
        (description_bytes, MAX_DESCRIPTION_BYTES, "bytes of a description"),
    ];
    limits.into_iter().find(|(count, most, _)| count > most).map_or(Ok(()), Err)
}

/// Returns the CRC-32 of the sizes in the first bytes and of the table.
fn checksum(bytes: &[u8; PREAMBLE_BYTES], table: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&bytes[16..]);
    sum.update(table);
    sum.finalize()
}

/// Writes the table of these images, which have these names, and its sizes.
///
/// # Errors
/// A sentence, if they are more than a pack can hold.
pub fn write_table(
    names: &[&str],
    images: &[PackedImage],
    mut description: Description,
) -> Result<(Preamble, Vec<u8>), String> {
    let mut table = Vec::with_capacity(images.len() * RECORD_BYTES);
    let mut groups: HashMap<Arc<str>, u32> = HashMap::new();
    for (place, (name, image)) in names.iter().zip(images).enumerate() {
        let mut record = [0; RECORD_BYTES];
        record[..4].copy_from_slice(&(name.len() as u32).to_le_bytes());
        record[22] = image.part.map_or(0, part_number);
        if let Some(group) = &image.group {
            let known = groups.entry(Arc::clone(group)).or_insert_with(|| {
                description.groups.push(group.to_string());
                description.groups.len() as u32
            });
            record[28..32].copy_from_slice(&known.to_le_bytes());
        }
        match &image.info {
            Some(info) => {
                let kind = Kind { format: info.format.to_string(), mode: info.mode.to_string() };
                let kinds = &mut description.kinds;
                let known = kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
                    kinds.push(kind);
                    kinds.len() - 1
                });
                record[4] = image.depth.bits();
                record[5] = info.orientation.tag();
                record[6] = u8::from(info.has_more_pictures);
                record[7] = u8::from(info.samples.is_some());
                record[8..12].copy_from_slice(&(info.width as u32).to_le_bytes());
                record[12..16].copy_from_slice(&(info.height as u32).to_le_bytes());
                let [min, max] = info.samples.unwrap_or_default();
                record[16..18].copy_from_slice(&min.to_le_bytes());
                record[18..20].copy_from_slice(&max.to_le_bytes());
                record[20..22].copy_from_slice(&(known as u16).to_le_bytes());
                record[24..28].copy_from_slice(&image.crc32.to_le_bytes());
                record[32..].copy_from_slice(&image.sha256);
            }
            None => {
                let reason = image.fault.clone().unwrap_or_default().into();
                description.unreadable.push(Unreadable { image: place, reason });
            }
        }
        table.extend_from_slice(&record);
    }
    names.iter().for_each(|name| table.extend_from_slice(name.as_bytes()));
    let description_json =
        serde_json::to_vec(&description).map_err(|error| format!("it cannot be described: {error}"))?;
    table.extend_from_slice(&description_json);
    let tells_more =
        description.is_labelled || images.iter().any(|image| image.part.is_some() || image.group.is_some());
    let preamble = Preamble {
        version: match (&description.shard, tells_more) {
            (Some(_), _) => VERSION,
            (None, true) => TELLING_VERSION,
            (None, false) => PLAIN_VERSION,
        },
        images: images.len() as u64,
        sample_bytes: images.iter().map(|image| image.depth.bytes(description.size)).sum(),
        name_bytes: names.iter().map(|name| name.len() as u64).sum(),
        description_bytes: description_json.len() as u64,
    };
    preamble.check(PREAMBLE_BYTES as u64 + preamble.sample_bytes + table.len() as u64)?;
    Ok((preamble, table))
}

/// Reads the table of a pack with these sizes: its description, its images and their names.
///
/// # Errors
/// A phrase with what is not as a pack has it.
pub fn read_table(preamble: &Preamble, table: &[u8]) -> Result<(Description, Vec<PackedImage>, Vec<String>), String> {
    let (records, rest) = table.split_at(preamble.images as usize * RECORD_BYTES);
    let (mut names, description) = rest.split_at(preamble.name_bytes as usize);
    let description: Description = serde_json::from_slice(description)
        .map_err(|error| format!("its description cannot be read: {}", shortened(&error.to_string())))?;
    check_size(description.size)?;
    if description.shard.is_some() != (preamble.version == VERSION) {
        return Err(format!("its version is {}, and shards, and these alone, have {VERSION}", preamble.version));
    }
    let kinds: Vec<(&'static str, &'static str)> = description.kinds.iter().map(known).collect::<Result<_, _>>()?;
    let groups: Vec<Arc<str>> = description.groups.iter().map(|group| group.as_str().into()).collect();
    let mut faults = description.unreadable.iter().peekable();
    let (mut images, mut texts, mut offset) = (Vec::new(), Vec::new(), 0u64);
    for (place, record) in records.as_chunks::<RECORD_BYTES>().0.iter().enumerate() {
        let name;
        (name, names) = names
            .split_at_checked(u32_at(record, 0) as usize)
            .ok_or_else(|| format!("the name of image {place} is longer than all names are"))?;
        let name = std::str::from_utf8(name).map_err(|_| format!("the name of image {place} is no text"))?;
        let mut image = image_of(record, &kinds, &groups)
            .map_err(|fault| format!("image {place}, {}: {fault}", shortened(name)))?;
        image.offset = offset;
        if image.depth == Depth::None {
            let fault = faults.next_if(|fault| fault.image == place);
            image.fault = Some(fault.map_or("it could not be read when it was packed", |fault| &fault.reason).into());
        }
        // Each is at most a few hundred MiB, and there are few millions.
        offset += image.depth.bytes(description.size);
        images.push(image);
        texts.push(name.to_string());
    }
    if !names.is_empty() {
        return Err(format!("{} bytes of its names belong to no image", names.len()));
    }
    if offset != preamble.sample_bytes {
        return Err(format!("its images have {offset} bytes of samples, and there are {}", preamble.sample_bytes));
    }
    Ok((description, images, texts))
}

/// Reads a record. Where its samples are is told by the records before it.
fn image_of(
    record: &[u8; RECORD_BYTES],
    kinds: &[(&'static str, &'static str)],
    groups: &[Arc<str>],
) -> Result<PackedImage, String> {
    let bits = record[4];
    let depth = Depth::ALL.into_iter().find(|depth| depth.bits() == bits);
    let depth = depth.ok_or_else(|| format!("samples of {bits} bits, where 8 and 16 are known"))?;
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(&record[32..]);
    let part = match record[22] {
        0 => None,
        number => {
            let part = GivenPart::ALL.into_iter().find(|part| part_number(*part) == number);
            Some(part.ok_or_else(|| format!("the part {number}, where 1 to 3 are known"))?)
        }
    };
    let group = match u32_at(record, 28) as usize {
        0 => None,
        place => {
            let group = groups.get(place - 1).cloned();
            Some(group.ok_or_else(|| format!("the group {place}, of {}", groups.len()))?)
        }
    };
    let crc32 = u32_at(record, 24);
    let mut image = PackedImage { depth, offset: 0, crc32, info: None, fault: None, sha256, part, group };
    if depth == Depth::None {
        return Ok(image);
    }
    let kind = usize::from(u16_at(record, 20));
    let &(format, mode) = kinds.get(kind).ok_or_else(|| format!("a file of kind {kind}, of {}", kinds.len()))?;
    let [width, height] = [8, 12].map(|at| u32_at(record, at) as usize);
    if width == 0 || height == 0 {
        return Err(format!("a file of {width}×{height} pixels"));
    }
    image.info = Some(ImageInfo {
        width,
        height,
        mode,
        format,
        has_more_pictures: record[6] != 0,
        orientation: Orientation::from_tag(record[5].into()),
        samples: (record[7] != 0).then(|| [16, 18].map(|at| u16_at(record, at))),
    });
    if depth == Depth::Bits16 && record[7] == 0 {
        return Err("samples of 16 bits from a file of 8".to_string());
    }
    Ok(image)
}

/// Returns the number of a part in a record.
fn part_number(part: GivenPart) -> u8 {
    match part {
        GivenPart::Training => 1,
        GivenPart::Validation => 2,
        GivenPart::Test => 3,
    }
}

/// Returns a kind by the names that this version has for it.
fn known(kind: &Kind) -> Result<(&'static str, &'static str), String> {
    let named = || Some((format_named(&kind.format)?, mode_named(&kind.mode)?));
    let Kind { format, mode } = kind;
    named().ok_or_else(|| {
        format!("files of the kind '{}', '{}', which is not known here", shortened(format), shortened(mode))
    })
}

/// Checks whether the pictures of a pack can have this size.
///
/// # Errors
/// A phrase, if they cannot.
pub fn check_size([height, width, channels]: [usize; 3]) -> Result<(), String> {
    let sides = [height, width].map(|side| side as u64);
    let fits = sides.iter().all(|side| (1..=u64::from(MAX_SIDE)).contains(side)) && sides[0] * sides[1] <= MAX_PIXELS;
    match channels {
        1 | 3 if fits => Ok(()),
        1 | 3 => Err(format!(
            "pictures of {height}×{width} pixels, where {MAX_SIDE} on a side and {MAX_PIXELS} in all are the most"
        )),
        _ => Err(format!("pictures of {channels} channels, where 1, grey, and 3, red, green and blue, are known")),
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([0, 1, 2, 3].map(|byte| bytes[at + byte]))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|byte| bytes[at + byte]))
}
