//! MNIST's idx files as a source: a file of images, and beside it the file of their labels.
//!
//! The format (Y. LeCun, C. Cortes, C. J. C. Burges, *The MNIST database of handwritten digits*): two zero
//! bytes, a byte for the type of the values (8: bytes), a byte for the number of sizes, each size as a
//! big-endian number of four bytes, and the values. Images have three sizes, number, height and width; labels
//! one. Either file may be packed with gzip, and is then named `.gz` as a rule.
//!
//! Each image becomes a file of the source, in the folder of its label: `7/00003.ppm`, a grey PNM.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::array_images::{ArrayImages, MAX_IMAGE_BYTES};
use super::limits::{MAX_FILES, too_many_files};
use super::listing::Listing;
use super::place::Place;
use crate::error::{counted, shell_word, some_of};
use crate::{Error, Result};

/// The first bytes of a file of images, and of one of labels.
const IMAGES: [u8; 4] = [0, 0, 8, 3];
const LABELS: [u8; 4] = [0, 0, 8, 1];

/// The first bytes of a gzip file.
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// Returns whether a file is one of images, packed or not, by its first bytes.
pub fn is_images(path: &Path) -> bool {
    starts(path) == Some(IMAGES)
}

/// The first four bytes of a file, unpacked; none where it has fewer, or is none.
fn starts(path: &Path) -> Option<[u8; 4]> {
    if !path.is_file() {
        return None;
    }
    let mut start = [0; 4];
    reader(path).ok()?.read_exact(&mut start).ok()?;
    Some(start)
}

/// Reads a file, unpacked if it is packed.
fn reader(path: &Path) -> Result<Box<dyn Read>> {
    let open = || File::open(path).map_err(Error::io("read", path));
    let mut start = [0; 2];
    let is_packed = open()?.read_exact(&mut start).is_ok() && start == GZIP;
    let file = BufReader::new(open()?);
    Ok(if is_packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

/// The files of images in a folder, sorted by name; they are looked for by name first, as MNIST's are named.
pub fn images_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_named = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().contains("idx3-ubyte"));
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(is_named).filter(|path| is_images(path)).collect();
    found.sort();
    found
}

/// What to give instead of a folder that holds several files of images: the one that trains, and another that
/// validates.
pub fn several(folder: &Path, files: &[PathBuf]) -> Error {
    let word = |path: &PathBuf| shell_word(&path.display().to_string()).into_owned();
    let training = files.iter().find(|path| name(path).contains("train")).unwrap_or(&files[0]);
    let validation = files.iter().find(|path| *path != training).map(word);
    let names = some_of(files.iter().map(|path| name(path)));
    let reason = format!("it holds several files of images, {names}; ");
    Error::Split { path: folder.to_path_buf(), reason, training: word(training), validation }
}

/// The digits of a class's name where the labels are these numbers: as many as the largest has, so that the
/// classes stand in the order of their numbers.
pub(super) fn digits(labels: &[u64]) -> usize {
    labels.iter().max().map_or(1, |largest| largest.to_string().len())
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Lists the images of a file, whose labels lie beside it.
///
/// # Errors
/// [`Error::Io`] if a file cannot be read; [`Error::Data`] if one is not as the format has it, if the labels
/// are not there or are not as many, or if there are too many images.
pub(super) fn list(path: &Path) -> Result<Listing> {
    let labels_path = labels_of(path)?;
    let labels = labels(&labels_path)?;
    let images = images(path)?;
    let count = images.count();
    if labels.len() != count {
        let reason = format!(
            "it holds {}, and {} {} labels; give the two files that belong together",
            counted(count, "image"),
            labels_path.display(),
            labels.len()
        );
        return Err(Error::data(path, reason));
    }
    let labels: Vec<u64> = labels.into_iter().map(u64::from).collect();
    let digits = digits(&labels);
    let images = Arc::new(images);
    let mut listing = Listing::default();
    for (place, label) in labels.into_iter().enumerate() {
        let name = format!("{label:0digits$}/{place:05}.ppm");
        listing.add_file(name, Place::Array { images: Arc::clone(&images), place });
        if listing.is_too_large() {
            return Err(too_many_files(path));
        }
    }
    Ok(listing)
}

/// The file of labels beside a file of images: `train-labels-idx1-ubyte` for `train-images-idx3-ubyte`,
/// packed or not.
fn labels_of(images: &Path) -> Result<PathBuf> {
    let wanted = name(images).replace("images", "labels").replace("idx3", "idx1");
    let bare = wanted.strip_suffix(".gz").unwrap_or(&wanted);
    let packed = format!("{bare}.gz");
    let beside = |name: &str| images.with_file_name(name);
    let found = [wanted.as_str(), bare, &packed].map(beside).into_iter().find(|path| starts(path) == Some(LABELS));
    found.ok_or_else(|| {
        let reason = format!("the file of its labels is not beside it; put {bare} or {packed} there");
        Error::data(images, reason)
    })
}

/// Reads a file's sizes, which follow its first four bytes.
fn sizes<const N: usize>(path: &Path, reader: &mut dyn Read) -> Result<[usize; N]> {
    let mut start = [0; 4];
    let mut sizes = [[0; 4]; N];
    let read = reader.read_exact(&mut start).and_then(|()| reader.read_exact(sizes.as_flattened_mut()));
    read.map_err(|_| Error::data(path, "it is an idx file that ends within its sizes; fetch it again"))?;
    Ok(sizes.map(|size| u32::from_be_bytes(size) as usize))
}

/// Reads exactly so many values, to the file's end. Memory grows with what comes, not with what is promised.
fn values(path: &Path, reader: &mut dyn Read, count: u64) -> Result<Vec<u8>> {
    let mut values = Vec::new();
    let damaged = |reason: String| Error::data(path, format!("it is an idx file {reason}; fetch it again"));
    let read = reader.take(count + 1).read_to_end(&mut values);
    read.map_err(|error| damaged(format!("that cannot be read to its end ({error})")))?;
    match (values.len() as u64).cmp(&count) {
        std::cmp::Ordering::Equal => Ok(values),
        std::cmp::Ordering::Less => Err(damaged(format!("with {} of its {count} values", values.len()))),
        std::cmp::Ordering::Greater => Err(damaged(format!("with more than its {count} values"))),
    }
}

fn images(path: &Path) -> Result<ArrayImages> {
    let mut reader = reader(path)?;
    let [count, height, width] = sizes(path, &mut reader)?;
    let bytes = [count, height, width].iter().map(|&size| size as u64).try_fold(1u64, u64::checked_mul);
    if count > MAX_FILES || bytes.is_none_or(|bytes| bytes > MAX_IMAGE_BYTES) {
        let mib = MAX_IMAGE_BYTES >> 20;
        let reason =
            format!("it holds {count} images of {width}×{height}, and {mib} MiB are the most; give a part of them");
        return Err(Error::data(path, reason));
    }
    if height == 0 || width == 0 {
        return Err(Error::data(path, format!("its images have {width}×{height} pixels; fetch it again")));
    }
    let pixels = values(path, &mut reader, (count * height * width) as u64)?;
    Ok(ArrayImages { pixels, height, width, channels: 1 })
}

fn labels(path: &Path) -> Result<Vec<u8>> {
    let mut reader = reader(path)?;
    let [count] = sizes(path, &mut reader)?;
    if count > MAX_FILES {
        return Err(too_many_files(path));
    }
    values(path, &mut reader, count as u64)
}
