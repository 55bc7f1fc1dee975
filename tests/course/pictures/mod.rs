//! The pictures of the course, each drawn by a function here from what the library computes.

mod curves;
mod hand;
mod images;
mod kernels;

use super::{pages, root, updates};
use image::RgbImage;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use std::path::Path;

/// A picture: its path in `docs`, and what draws it.
type Picture = (&'static str, fn() -> RgbImage);

/// All of them. The first is the image that the network by hand is shown, and is no larger than that.
const PICTURES: [Picture; 11] = [
    ("models/by-hand.png", hand::image),
    ("pictures/one-neuron.png", hand::one_neuron),
    ("pictures/loss.png", curves::loss),
    ("pictures/slope.png", curves::slope),
    ("pictures/convolution.png", images::convolution),
    ("pictures/where-gradients-stop.png", images::where_gradients_stop),
    ("pictures/a-step.png", hand::a_step),
    ("pictures/adam.png", curves::adam),
    ("pictures/patches.png", kernels::patches),
    ("pictures/runs.png", kernels::runs),
    ("pictures/tiles.png", kernels::tiles),
];

/// The bytes of a picture at most.
const LARGEST_FILE: u64 = 40 * 1024;

/// By how much of 255 a pixel may differ: an edge of a letter or of a curve may be rounded otherwise
/// elsewhere.
const TOLERANCE: u8 = 8;

/// The largest difference of two pictures, or nothing if they are of different sizes.
fn largest_difference(a: &RgbImage, b: &RgbImage) -> Option<u8> {
    let same_size = a.dimensions() == b.dimensions();
    same_size.then(|| a.as_raw().iter().zip(b.as_raw()).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0))
}

/// Writes a picture. Flat colours take the least room without a filter.
fn save(picture: &RgbImage, path: &Path) {
    let file = std::fs::File::create(path).unwrap();
    let encoder = PngEncoder::new_with_quality(file, CompressionType::Best, FilterType::NoFilter);
    picture.write_with_encoder(encoder).unwrap();
}

#[test]
fn every_picture_is_what_the_program_draws() {
    for (name, draw) in PICTURES {
        let path = root("docs").join(name);
        let drawn = draw();
        let kept = || image::open(&path).ok().map(image::DynamicImage::into_rgb8);
        let agrees = |kept: RgbImage| largest_difference(&kept, &drawn).is_some_and(|most| most <= TOLERANCE);
        if updates() && !kept().is_some_and(agrees) {
            save(&drawn, &path);
        }
        let kept = kept().unwrap_or_else(|| panic!("{name} cannot be read; UPDATE_EXPECT=1 draws it"));
        assert!(agrees(kept), "{name} is drawn otherwise now; UPDATE_EXPECT=1 brings it up to date");
        let bytes = std::fs::metadata(&path).unwrap().len();
        assert!(bytes < LARGEST_FILE, "{name} has {bytes} bytes");
    }
}

#[test]
fn every_picture_is_shown_and_has_words_beside_it() {
    let text: String = pages().into_iter().map(|page| page.text).collect();
    let mut files = std::fs::read_dir(root("docs/pictures")).unwrap().count();
    for (name, _) in PICTURES.iter().filter(|(name, _)| name.starts_with("pictures/")) {
        let end = format!("]({name})");
        let before = text.split(&end).next().filter(|before| before.len() < text.len());
        let words = before.and_then(|before| before.rsplit("![").next()).unwrap_or_default();
        assert!(words.len() > 40, "{name} is described for those who do not see it: '{words}'");
        files -= 1;
    }
    assert_eq!(files, 0, "pictures that nothing draws");
}

#[test]
fn another_picture_is_found() {
    let (a, mut b) = (RgbImage::new(4, 3), RgbImage::new(4, 3));
    b.put_pixel(2, 1, image::Rgb([0, 9, 0]));
    assert_eq!(largest_difference(&a, &b), Some(9));
    assert_eq!(largest_difference(&a, &RgbImage::new(3, 4)), None);
}
