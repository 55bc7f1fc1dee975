//! Memory stays flat as the set grows: with no image kept, ten times the images take what their names and
//! hashes take, and nothing for their pixels. From listing to the end of an epoch, folder and zip.
//!
//! The test counts every byte of the process, so it has a program of its own.

#[path = "common/memory.rs"]
mod memory;

use glassnet::data::batches::{Loader, epoch_order};
use glassnet::data::catalog::Catalog;
use glassnet::data::images::{CACHE_BUDGET_BYTES, ImageSet, set_bytes};
use glassnet::data::source::Source;
use glassnet::data::split::Split;
use image::{ImageFormat, RgbImage};
use std::fs::{self, File};
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;
use zip::write::SimpleFileOptions;

/// Rows and columns of a decoded picture: 12 KiB, ten times what an image may add below.
const SIDE: usize = 64;

/// Images in the small set; the large one has ten times as many.
const IMAGES: usize = 200;

/// The most bytes that an image more may take where none is kept: its name, which stands in the source, the
/// catalog, the split and the set; its path; its hash, its size and its answer to the check. A zip's entry
/// has its own record beside these.
const CATALOGUE_BYTES: usize = 1300;

/// The names of so many images.
fn names(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|index| format!("{}/{index:05}.png", if index % 2 == 0 { "a" } else { "b" }))
}

fn png() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_pixel(9, 7, image::Rgb([1, 2, 3])).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn write_folder(path: &Path, count: usize) {
    for class in ["a", "b"] {
        fs::create_dir_all(path.join(class)).unwrap();
    }
    let png = png();
    names(count).for_each(|name| fs::write(path.join(name), &png).unwrap());
}

fn write_zip(path: &Path, count: usize) {
    let mut zip = zip::ZipWriter::new(File::create(path).unwrap());
    let png = png();
    for name in names(count) {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(&png).unwrap();
    }
    zip.finish().unwrap();
}

/// The most bytes at once from opening the source to the end of an epoch, beyond those in use before.
fn most_bytes(path: &Path, count: usize, cache_budget: usize) -> usize {
    let before = memory::begin();
    let source = Arc::new(Source::open(path).unwrap());
    let split = Split::new(&Catalog::from_source(&source).unwrap(), 0.2).unwrap();
    let parts = [split.training, split.validation];
    let mut seen = 0;
    for items in parts {
        let images = Arc::new(ImageSet::new(source.clone(), items, SIDE, cache_budget).unwrap());
        let check = images.check_all();
        assert!(check.errors.is_empty());
        let loader = Loader::new(images, 16).unwrap();
        let mut batch = Default::default();
        let mut epoch = loader.epoch(epoch_order(loader.count(), 0, 0, true));
        while epoch.next_into(&mut batch).unwrap() {
            seen += batch.labels.len();
        }
    }
    assert_eq!(seen, count);
    memory::peak() - before
}

#[test]
fn ten_times_the_images_take_no_more_memory_but_for_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write_folder(&at("small"), IMAGES);
    write_folder(&at("large"), 10 * IMAGES);
    write_zip(&at("small.zip"), IMAGES);
    write_zip(&at("large.zip"), 10 * IMAGES);
    let more = 9 * IMAGES;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    pool.install(|| {
        // What is allocated once, as by the first decoding, is no growth.
        most_bytes(&at("small"), IMAGES, 0);
        for (small, large) in [("small", "large"), ("small.zip", "large.zip")] {
            let growth = |budget| {
                let small = most_bytes(&at(small), IMAGES, budget);
                most_bytes(&at(large), 10 * IMAGES, budget).saturating_sub(small)
            };
            let anew = growth(0);
            println!("{large}: {} bytes for each image more", anew / more);
            assert!(anew < more * CATALOGUE_BYTES, "{large}: {} bytes for each image more", anew / more);
            // What the count would show if pixels were kept.
            let kept = growth(CACHE_BUDGET_BYTES);
            assert!(kept > set_bytes(more / 2, [SIDE, SIDE, 3]), "{large}: {} bytes for each image kept", kept / more);
        }
    });
}
