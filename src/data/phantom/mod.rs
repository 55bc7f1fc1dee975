//! The phantom set: synthetic, ultrasound-like images of liver lesions, drawn from a seed.
//!
//! **The images are made up. They have no clinical meaning.** They exist so that the program has something to
//! train on that anyone may have, and so that a training run can be repeated to the last bit.
//!
//! An image is first a map of echo strength in decibels, a sum of what a sonographer would name one by one:
//!
//! ```text
//!   echo(x, y) = liver texture + residual gain over depth      tissue.rs
//!              + vessels, where the lesion leaves them room    tissue.rs
//!              + lesion: contrast, mottle, rim and halo        lesion.rs
//!              + speckle                                       texture.rs
//! ```
//!
//! and becomes grey as on a scanner's screen, where a step in decibels is a step in grey:
//! `grey = brightness + 255 · (echo − mean echo) / dynamic range`.
//!
//! **What tells the classes apart** is one number per lesion, its *grade* in [0, 1]: the higher it is, the
//! more irregular is the outline, the more of the lesion's strength is mottle instead of an even shade, and
//! the stronger are rim and halo. Benign lesions have a low grade, malignant ones a high grade. All else
//! (size of the image, liver, vessels, grain, brightness, dynamic range, and the lesion's place, area,
//! strength and sign) is drawn before the class is looked at, from one distribution. And as every image is
//! brought to the brightness drawn for it, its mean does not give the class away.
//!
//! **The same pixels on every machine.** The drawing uses `+ − × ÷` and square roots, which IEEE 754 defines
//! to the last bit, and for sine, exponential and the like the `libm` crate, which is made of these; never
//! the functions of std, which may differ from system to system. Each image has a [`Stream`] of its own.
//!
//! **The set is frozen.** How hard it is was chosen with Keras (`data/liver-phantom/README.md`), and results
//! are compared on it: whoever changes a constant here makes another set.

mod extent;
mod lesion;
mod texture;
mod tissue;

use std::path::Path;

use rayon::prelude::*;

use super::drawn_set::{self, DrawnFile, grey_png};
use crate::Result;
use crate::random::{Purpose, Stream};
use extent::Extent;
pub use lesion::Class;
use lesion::Lesion;
use tissue::Tissue;

/// The seed of the set that stands in `data/liver-phantom`.
pub const DEFAULT_SEED: u64 = 0;
/// The number of benign images that the set in `data/liver-phantom` holds.
pub const DEFAULT_BENIGN: usize = 33;
/// The number of malignant images that the set in `data/liver-phantom` holds.
pub const DEFAULT_MALIGNANT: usize = 103;

/// Mean grey level of an image, lowest and highest: dark, as such images are, and a nuisance that one must
/// see past.
const BRIGHTNESS: (f64, f64) = (65.0, 105.0);
/// Decibels from black to white, least and most: a setting that sonographers choose. The less, the harder the
/// contrast.
const DYNAMIC_RANGE: (f64, f64) = (30.0, 36.0);

/// One image of the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhantomImage {
    /// The kind of lesion it shows.
    pub class: Class,
    /// The file's name, such as `benign-001.png`; numbers start at 1.
    pub name: String,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Grey levels, row by row from the top: `width · height` of them.
    pub pixels: Vec<u8>,
}

impl PhantomImage {
    /// Returns the image as the bytes of an 8-bit grey PNG file.
    ///
    /// # Panics
    /// If there are not `width · height` pixels.
    pub fn png(&self) -> Vec<u8> {
        grey_png(&self.pixels, self.width, self.height)
    }
}

/// Draws the set: `benign` images and then `malignant` ones, in the order of their names.
///
/// The image with a given class and number depends on the seed alone, not on how many are asked for.
pub fn draw(seed: u64, benign: usize, malignant: usize) -> Vec<PhantomImage> {
    let one = |place| draw_image(seed, benign, place);
    (0..benign + malignant).into_par_iter().map(one).collect()
}

/// Draws the image at `place` of a set with `benign` benign ones; see the module's head for the sum.
fn draw_image(seed: u64, benign: usize, place: usize) -> PhantomImage {
    let (class, index) = if place < benign { (Class::Benign, place) } else { (Class::Malignant, place - benign) };
    let mut stream = Stream::new(seed, Purpose::Phantom, class as u64, index as u64);
    let extent = Extent::draw(&mut stream);
    let brightness = stream.uniform_f64(BRIGHTNESS.0, BRIGHTNESS.1);
    let dynamic_range = stream.uniform_f64(DYNAMIC_RANGE.0, DYNAMIC_RANGE.1);
    let tissue = Tissue::draw(&mut stream, extent);
    let mut echo = texture::speckle(&mut stream, extent);
    let lesion = Lesion::draw(&mut stream, extent, class);

    for (row, line) in echo.chunks_exact_mut(extent.width).enumerate() {
        for (column, echo) in line.iter_mut().enumerate() {
            let (x, y) = (column as f64, row as f64);
            let spot = lesion.at(x, y);
            *echo += tissue.liver(x, y) + (1.0 - spot.cover) * tissue.vessels(x, y) + spot.echo;
        }
    }
    PhantomImage {
        class,
        name: format!("{}-{:03}.png", class.name(), index + 1),
        width: extent.width,
        height: extent.height,
        pixels: grey(&echo, brightness, dynamic_range),
    }
}

/// Returns grey levels around the wanted mean: `brightness + 255·(echo − mean echo) / dynamic range`,
/// rounded, and cut off at black and white.
fn grey(echo: &[f64], brightness: f64, dynamic_range: f64) -> Vec<u8> {
    let mean = echo.iter().sum::<f64>() / echo.len() as f64;
    let level = |echo: &f64| (brightness + 255.0 * (echo - mean) / dynamic_range).round().clamp(0.0, 255.0) as u8;
    echo.iter().map(level).collect()
}

/// Draws the set of [`draw`], and writes it as `folder/benign/NAME.png` and `folder/malignant/NAME.png`. Each
/// thread of the rayon pool the caller is in holds one image at a time, so memory does not grow with the set.
/// `written` is called after each image.
///
/// # Errors
/// If the folder is there and holds anything (nothing is overwritten), or if the system refuses to write; and
/// those of `written`. What was written by then stays.
pub fn write(
    seed: u64,
    benign: usize,
    malignant: usize,
    folder: &Path,
    written: impl Fn() -> Result<()> + Sync,
) -> Result<()> {
    let classes = [Class::Benign, Class::Malignant].map(|class| class.name().to_string());
    let drawn = |place| {
        let image = draw_image(seed, benign, place);
        DrawnFile { class: image.class.name().to_string(), png: image.png(), name: image.name }
    };
    drawn_set::write(folder, classes, benign + malignant, drawn, written)
}
