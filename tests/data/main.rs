//! The data pipeline from the outside: a folder, a zip or memory in, batches out. Expectations about order,
//! split, resizing and scaling were recorded from Keras 3.15 (`ImageDataGenerator.flow_from_directory`) and
//! Pillow 13.0.

mod array_bytes;
mod as_pillow;
mod batches;
mod catalog;
mod changed;
mod decode;
#[cfg(feature = "dicom")]
mod dicom;
mod exif_bytes;
mod friendly_zips;
mod groups;
mod hostile_images;
mod hostile_tars;
mod hostile_zips;
mod jpegs;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "parquet")]
mod parquet_fixtures;
mod reading;
mod refused;
mod resized;
mod same_set;
mod several_labels;
mod shards_of_packs;
mod shards_of_tars;
mod source;
mod tiff_bytes;
mod zip_bytes;

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;

use glassnet::data::catalog::Catalog;
use glassnet::data::images::ImageSet;
use glassnet::data::source::Source;
use glassnet::random::{Purpose, Stream};
use image::{ImageFormat, RgbImage};
use zip::write::SimpleFileOptions;

/// Files of a set: names and bytes.
type Files = Vec<(String, Vec<u8>)>;

/// A picture of random pixels, so that no two files of a set are alike.
fn noise(seed: u64, width: u32, height: u32) -> RgbImage {
    let mut stream = Stream::new(seed, Purpose::Test, 0, 0);
    RgbImage::from_fn(width, height, |_, _| image::Rgb(std::array::from_fn(|_| stream.below(256) as u8)))
}

/// A picture as a file of the given format.
fn encoded(picture: &image::DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("the test's own picture encodes");
    bytes.into_inner()
}

/// A PNG of random pixels.
fn png(seed: u64, width: u32, height: u32) -> Vec<u8> {
    encoded(&noise(seed, width, height).into(), ImageFormat::Png)
}

/// Bytes from hexadecimal digits.
fn bytes_of_hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// A set of two classes with so many PNGs of several sizes.
fn two_classes(benign: usize, malignant: usize) -> Files {
    let names = (0..benign).map(|i| format!("benign/{i:03}.png"));
    let names = names.chain((0..malignant).map(|i| format!("malignant/{i:03}.png")));
    names.enumerate().map(|(i, name)| (name, png(i as u64, 5 + i as u32 % 7, 9))).collect()
}

/// Files of no content, for tests that look at names only.
fn empty(names: &[&str]) -> Files {
    names.iter().map(|name| (name.to_string(), Vec::new())).collect()
}

/// Writes the files below a folder; a name with a closing `/` makes an empty folder.
fn write_tree(root: &Path, files: &Files) {
    for (name, bytes) in files {
        let path = root.join(name);
        if name.ends_with('/') {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
}

/// Writes the files as a zip; a name with a closing `/` makes a folder entry.
fn write_zip(path: &Path, files: &Files) {
    let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, bytes) in files {
        if name.ends_with('/') {
            zip.add_directory(name.as_str(), SimpleFileOptions::default()).unwrap();
        } else {
            zip.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
    }
    zip.finish().unwrap();
}

/// The set of all images of a source, as pictures of side × side.
fn image_set(source: Source, side: usize, cache_budget: usize) -> Arc<ImageSet> {
    let items = Catalog::from_source(&source).unwrap().items;
    Arc::new(ImageSet::new(Arc::new(source), items, side, cache_budget).unwrap())
}
