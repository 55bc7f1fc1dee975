//! Synthetic sets as files: what the sets that are drawn here have in common.

use std::fs;
use std::path::Path;

use image::ImageEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use rayon::prelude::*;

use crate::{Error, Result};

/// An image of a set, as a file.
pub(super) struct DrawnFile {
    /// The name of its class.
    pub class: String,
    /// The file's name.
    pub name: String,
    pub png: Vec<u8>,
}

/// Draws `count` images, and writes them as `folder/CLASS/NAME`. Each thread of the rayon pool the caller is
/// in holds one image at a time, so memory does not grow with the set. `written` is called after each image.
///
/// # Errors
/// If the folder is there and holds anything (nothing is overwritten), or if the system refuses to write; and
/// those of `written`. What was written by then stays.
pub(super) fn write(
    folder: &Path,
    classes: impl IntoIterator<Item = String>,
    count: usize,
    draw: impl Fn(usize) -> DrawnFile + Sync,
    written: impl Fn() -> Result<()> + Sync,
) -> Result<()> {
    if folder.exists() && fs::read_dir(folder).map_err(Error::io("read", folder))?.next().is_some() {
        return Err(Error::data(
            folder,
            "the folder is not empty, and nothing is overwritten; name a new or an empty one",
        ));
    }
    for class in classes {
        let class_folder = folder.join(class);
        fs::create_dir_all(&class_folder).map_err(Error::io("create", &class_folder))?;
    }
    (0..count).into_par_iter().try_for_each(|place| {
        let DrawnFile { class, name, png } = draw(place);
        let path = folder.join(class).join(name);
        fs::write(&path, png).map_err(Error::io("write", &path))?;
        written()
    })
}

/// Returns grey levels, row by row, as the bytes of an 8-bit grey PNG file.
///
/// # Panics
/// If there are not `width · height` pixels.
pub(super) fn grey_png(pixels: &[u8], width: usize, height: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive)
        .write_image(pixels, width as u32, height as u32, image::ExtendedColorType::L8)
        .expect("memory takes every byte of a grey image");
    bytes
}
