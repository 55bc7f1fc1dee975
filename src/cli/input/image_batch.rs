//! A batch of image files, as a network sees them.

use crate::cli::terminal::console;
use glassnet::data::augment::Change;
use glassnet::data::decode::{decode_as_read, more_pictures_note, suffix_note};
use glassnet::data::framing::framed_samples;
use glassnet::data::image_names::is_image_name;
use glassnet::data::pack::is_pack;
use glassnet::data::reading::Reading;
use glassnet::data::sample::PictureSamples;
use glassnet::data::source::read_file;
use glassnet::{Error, Result};
use ndarray::Array4;
use std::path::{Path, PathBuf};

/// Reads images of the network's size, in their order.
///
/// # Errors
/// [`Error::Setting`] of more images than `most`, or of a network that takes no images; those of a file that
/// cannot be read.
pub fn read_batch(paths: &[PathBuf], size: [usize; 3], reading: Reading, most: usize) -> Result<Array4<f32>> {
    let [height, width, channels] = size;
    if paths.len() > most {
        let reason = format!("{} images, and {most} are the most that are looked at together; give fewer", paths.len());
        return Err(Error::setting("IMAGE", reason));
    }
    if channels != 1 && channels != 3 {
        let reason =
            format!("the network takes images of {channels} channels, and image files are read as 3, or 1 in grey");
        return Err(Error::setting("IMAGE", reason));
    }
    let mut values = vec![0.0; paths.len() * height * width * channels];
    for (path, values) in paths.iter().zip(values.chunks_exact_mut(height * width * channels)) {
        Change::default().apply_to(&read_image(path, size, reading)?, size, values);
    }
    let shape = (paths.len(), height, width, channels);
    Ok(Array4::from_shape_vec(shape, values).expect("each image has the network's size"))
}

/// Refuses an image where a model is wanted.
///
/// # Errors
/// [`Error::Setting`] of the path.
pub fn check_no_image(model: &Path, usage: &str) -> Result<()> {
    match model.is_file() && is_image_name(&model.display().to_string()) {
        true => {
            let reason = format!("it is an image, and the model comes first: {usage}");
            Err(Error::setting(model.display().to_string(), reason))
        }
        false => Ok(()),
    }
}

/// An image as the network sees it.
fn read_image(path: &Path, size: [usize; 3], reading: Reading) -> Result<PictureSamples> {
    let name = path.display().to_string();
    if path.is_dir() {
        return Err(Error::setting(name, "it is a folder; give image files"));
    }
    if is_pack(path) {
        return Err(Error::setting(name, "it is a pack of many images; give image files"));
    }
    let (seen, info) =
        decode_as_read(&name, &read_file(path)?, reading, |picture| framed_samples(picture, size, reading))?;
    for note in suffix_note(&name, &info).into_iter().chain(more_pictures_note(&name, &info)) {
        console::warn(&note);
    }
    Ok(seen)
}
