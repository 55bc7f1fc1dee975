//! Arrays of numpy as a source: an `.npz` file, which is a zip of `.npy` files, as MedMNIST and Keras have
//! their sets in.
//!
//! MedMNIST (J. Yang et al., *MedMNIST v2*, 2023) has `train_images`, `train_labels`, `val_images` and so on,
//! Keras's MNIST `x_train`, `y_train`, `x_test`, `y_test`; `images` and `labels`, or `x` and `y`, are a set
//! without parts. Images are bytes `[N, H, W]`, `[N, H, W, 1]` or `[N, H, W, 3]`, labels whole numbers `[N]`
//! or `[N, 1]`; or where an image may have several of K labels, as in MedMNIST's ChestMNIST, 0 or 1 for each,
//! `[N, K]`. Each image becomes a file of the source, a PNM in the folder of its label, or of its combination,
//! and of its part: `7/train/00003.ppm`.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::array_images::{ArrayImages, MAX_IMAGE_BYTES};
use super::idx::digits;
use super::limits::{MAX_FILES, too_many_files};
use super::listing::{Listing, Told};
use super::metered::SharedArchive;
use super::place::Place;
use super::several::SeveralLabels;
use crate::classes::{Label, LabelSet, MAX_LABELS};
use crate::data::part::GivenPart;
use crate::error::{counted, shortened, some_of};
use crate::npy::{Element, Kind, NpyHeader};
use crate::{Error, Result};

/// The most bytes that the labels of a part take.
const MAX_LABEL_BYTES: u64 = 256 << 20;

/// The names of the arrays of a part: its images and its labels.
const NAMES: [(Option<GivenPart>, [&str; 2]); 8] = [
    (Some(GivenPart::Training), ["train_images", "train_labels"]),
    (Some(GivenPart::Validation), ["val_images", "val_labels"]),
    (Some(GivenPart::Test), ["test_images", "test_labels"]),
    (Some(GivenPart::Training), ["x_train", "y_train"]),
    (Some(GivenPart::Validation), ["x_val", "y_val"]),
    (Some(GivenPart::Test), ["x_test", "y_test"]),
    (None, ["images", "labels"]),
    (None, ["x", "y"]),
];

/// Returns whether a zip is one of arrays: all files in it are.
pub fn is_npz(listing: &Listing) -> bool {
    !listing.files.is_empty() && listing.files.iter().all(|file| file.name.ends_with(".npy"))
}

/// Lists the images in the arrays of a zip.
///
/// # Errors
/// [`Error::Data`] if there are none under the names above, if an array is damaged or of another kind, if
/// there are not as many labels as images, or if there are too many.
pub fn list(path: &Path, zip: Listing) -> Result<Listing> {
    let there = |name: &str| zip.files.iter().find(|file| file.name.strip_suffix(".npy") == Some(name));
    let mut parts = Vec::new();
    let mut left = MAX_IMAGE_BYTES;
    for (part, names) in NAMES {
        let [Some(images), Some(labels)] = names.map(there) else { continue };
        let images = Array { path, name: names[0], place: &images.place }.images(&mut left)?;
        let labels = Array { path, name: names[1], place: &labels.place }.labels()?;
        let count = images.count();
        if labels.len() != count {
            let reason = format!(
                "{} holds {}, and {} {} labels; save them anew",
                names[0],
                counted(count, "image"),
                names[1],
                labels.len()
            );
            return Err(Error::data(path, reason));
        }
        parts.push((part, Arc::new(images), labels));
    }
    if parts.is_empty() {
        let found = some_of(zip.files.iter().map(|file| shortened(file.name.trim_end_matches(".npy"))));
        let reason = format!(
            "its arrays, {found}, are not named as those of a set; save them as train_images and train_labels, val_images and so on, or \
             as images and labels"
        );
        return Err(Error::data(path, reason));
    }
    // One part alone is no split.
    let is_parted = parts.len() > 1;
    let all: Vec<&ArrayLabels> = parts.iter().map(|(.., labels)| labels).collect();
    let (mut classes, several) = names_of(path, &all)?;
    let mut listing = Listing::default();
    listing.is_labelled = true;
    listing.several = several;
    for (part, images, labels) in parts {
        let part = part.filter(|_| is_parted);
        let folder = part.map_or(String::new(), |part| format!("{}/", part.folder()));
        for (place, class) in classes.by_ref().take(labels.len()).enumerate() {
            let name = format!("{class}/{folder}{place:05}.ppm");
            let told = Told { part, ..Told::default() };
            listing.add_told(name, Place::Array { images: Arc::clone(&images), place }, Some(Box::new(told)));
            if listing.is_too_large() {
                return Err(too_many_files(path));
            }
        }
    }
    Ok(listing)
}

/// The labels of the images of a part.
enum ArrayLabels {
    /// The class of each.
    Classes(Vec<u64>),
    /// Of each which it has of so many labels.
    Sets(Vec<LabelSet>, usize),
}

impl ArrayLabels {
    fn len(&self) -> usize {
        match self {
            ArrayLabels::Classes(classes) => classes.len(),
            ArrayLabels::Sets(sets, _) => sets.len(),
        }
    }
}

/// Returns the name of the class, or of the combination, of each image of all parts, and the labels where an
/// image may have several.
fn names_of(path: &Path, parts: &[&ArrayLabels]) -> Result<(std::vec::IntoIter<String>, Option<SeveralLabels>)> {
    let (mut classes, mut sets, mut widths) = (Vec::new(), Vec::new(), BTreeSet::new());
    for part in parts {
        match part {
            ArrayLabels::Classes(of_part) => {
                classes.extend_from_slice(of_part);
                widths.insert(1);
            }
            ArrayLabels::Sets(of_part, width) => {
                sets.extend_from_slice(of_part);
                widths.insert(*width);
            }
        }
    }
    if widths.len() > 1 {
        let widths: Vec<String> = widths.into_iter().map(|width| width.to_string()).collect();
        let reason = format!("its parts have {} labels for each image; save as many in each", widths.join(" and "));
        return Err(Error::data(path, reason));
    }
    match parts {
        [ArrayLabels::Sets(_, width), ..] => {
            let digits = (width - 1).to_string().len();
            let names = (0..*width).map(|label| format!("{label:0digits$}")).collect();
            let (several, combinations) = SeveralLabels::new(path, names, &sets)?;
            Ok((combinations.into_iter(), Some(several)))
        }
        _ => {
            let digits = digits(&classes);
            let names: Vec<String> = classes.iter().map(|class| format!("{class:0digits$}")).collect();
            Ok((names.into_iter(), None))
        }
    }
}

/// An array in a zip.
struct Array<'a> {
    /// The path of the zip.
    path: &'a Path,
    name: &'a str,
    place: &'a Place,
}

impl Array<'_> {
    /// Returns the error for an array that is not taken.
    fn refused(&self, fault: &str, advice: &str) -> Error {
        Error::data(self.path, format!("the array {}: {fault}; {advice}", self.name))
    }

    /// Reads the head, and then what `numbers` of that many bytes hold, as many as `most` at the most.
    fn read(&self, most: impl FnOnce(&NpyHeader) -> Result<u64>) -> Result<(NpyHeader, Vec<u8>)> {
        let Place::Zip { archive, index, .. } = self.place else {
            return Err(self.refused("it is in no zip", "fetch it again"));
        };
        let archive: &SharedArchive = archive;
        super::archive::read_with(archive, *index, &format!("{}/{}", self.path.display(), self.name), |reader| {
            let again = "save it again with numpy.savez";
            let header = NpyHeader::read(reader).map_err(|fault| self.refused(&fault, again))?;
            if header.fortran_order && header.shape.len() > 1 {
                let fault = "its first index runs fastest";
                return Err(self.refused(fault, "save what numpy.ascontiguousarray makes of it"));
            }
            let bytes = most(&header)?;
            let mut numbers = Vec::new();
            let read = reader.take(bytes + 1).read_to_end(&mut numbers);
            read.map_err(|_| self.refused("its packed bytes are damaged", again))?;
            match numbers.len() as u64 == bytes {
                true => Ok((header, numbers)),
                false => Err(self.refused("it does not hold as many numbers as its shape says", again)),
            }
        })
    }

    /// Reads images, which may take as many bytes as are `left`.
    fn images(&self, left: &mut u64) -> Result<ArrayImages> {
        let (header, pixels) = self.read(|header| {
            if header.element != (Element { kind: Kind::Unsigned, bytes: 1, big_endian: false }) {
                return Err(self.refused("its numbers are no bytes", "save pixels from 0 to 255, as uint8"));
            }
            let fits = match header.shape[..] {
                [_, height, width] | [_, height, width, 1 | 3] => height > 0 && width > 0,
                _ => false,
            };
            if !fits {
                let fault = format!("its shape is {:?}", header.shape);
                return Err(self.refused(&fault, "images are [N, H, W], [N, H, W, 1] or [N, H, W, 3]"));
            }
            let bytes = header.count().ok().filter(|bytes| bytes <= left && header.shape[0] <= MAX_FILES);
            let bytes = bytes.ok_or_else(|| {
                let fault = format!(
                    "its shape is {:?}, and {} MiB are the most of all images",
                    header.shape,
                    MAX_IMAGE_BYTES >> 20
                );
                self.refused(&fault, "give a part of them")
            })?;
            *left -= bytes;
            Ok(bytes)
        })?;
        let channels = header.shape.get(3).copied().unwrap_or(1);
        Ok(ArrayImages { pixels, height: header.shape[1], width: header.shape[2], channels })
    }

    /// Reads labels.
    fn labels(&self) -> Result<ArrayLabels> {
        let (header, bytes) = self.read(|header| {
            match header.shape[..] {
                [_] => {}
                [_, labels] if (1..=MAX_LABELS).contains(&labels) => {}
                _ => {
                    let fault = format!("its shape is {:?}", header.shape);
                    let advice = "labels are [N] or [N, 1], or where an image may have several, [N, K] of at most 64";
                    return Err(self.refused(&fault, advice));
                }
            }
            if header.element.kind == Kind::Float {
                return Err(self.refused("its numbers are no whole ones", "save them as integers"));
            }
            match header.count() {
                Ok(count) if header.shape[0] <= MAX_FILES && count <= MAX_LABEL_BYTES / 8 => {
                    Ok(count * header.element.bytes as u64)
                }
                _ => Err(too_many_files(self.path)),
            }
        })?;
        let Element { kind, bytes: size, big_endian } = header.element;
        let label = |number: &[u8]| {
            let value = number.iter().enumerate().fold(0u64, |value, (place, &byte)| {
                let place = if big_endian { size - 1 - place } else { place };
                value | u64::from(byte) << (8 * place)
            });
            let is_negative = kind == Kind::Signed && value >> (8 * size - 1) == 1;
            (!is_negative && value < 1_000_000_000).then_some(value)
        };
        let labels: Option<Vec<u64>> = bytes.chunks_exact(size).map(label).collect();
        let labels =
            labels.ok_or_else(|| self.refused("a label is below 0 or has ten digits", "number the classes from 0"))?;
        match header.shape.get(1) {
            None | Some(1) => Ok(ArrayLabels::Classes(labels)),
            Some(&width) if labels.iter().all(|label| *label <= 1) => {
                let there = |(label, _): (usize, &u64)| Label::new(label);
                let set = |row: &[u64]| row.iter().enumerate().filter(|(_, has)| **has == 1).map(there).collect();
                Ok(ArrayLabels::Sets(labels.chunks_exact(width).map(set).collect(), width))
            }
            Some(width) => {
                let fault = format!("it has {width} numbers for each image, and not all of them are 0 or 1");
                Err(self.refused(&fault, "save 1 for each label that an image has, and 0 for the others"))
            }
        }
    }
}
