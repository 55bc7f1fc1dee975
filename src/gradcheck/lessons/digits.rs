//! The images of the lessons: three digits of the [glyph set](crate::data::glyphs), at half its size, and
//! one-hot images.

use crate::classes::Label;
use crate::data::glyphs;
use crate::head::Targets;
use crate::network::Network;
use crate::plan::DropoutMasks;
use crate::random::{Purpose, Stream};
use crate::snapshot::StepBatch;
use ndarray::Array4;

/// Width and height of an image.
pub(super) const SIDE: usize = glyphs::SIDE / 2;
/// The digits 0, 1 and 2.
pub(super) const CLASSES: usize = 3;

/// Digits in turn, with their classes.
pub(super) struct Digits {
    /// `[H, W, 1]` each.
    pub images: Vec<Vec<f32>>,
    /// The digit of each.
    pub labels: Vec<usize>,
}

impl Digits {
    /// Draws `count` digits in turn, from number `first` on.
    pub fn draw(seed: u64, first: usize, count: usize) -> Digits {
        let labels: Vec<usize> = (0..count).map(|place| place % CLASSES).collect();
        let images = labels.iter().enumerate().map(|(place, &digit)| {
            let pixels = glyphs::draw(seed, digit, first + place / CLASSES);
            // The mean of 2×2 pixels.
            let cell = |y: usize, x: usize| f32::from(pixels[y * glyphs::SIDE + x]);
            let half = |place: usize| {
                let (y, x) = (2 * (place / SIDE), 2 * (place % SIDE));
                (cell(y, x) + cell(y, x + 1) + cell(y + 1, x) + cell(y + 1, x + 1)) / (4.0 * 255.0)
            };
            (0..SIDE * SIDE).map(half).collect()
        });
        Digits { images: images.collect(), labels: labels.clone() }
    }
}

/// The grain of one-hot images, at most. Without any, the cells of whole windows would be equal, and no
/// pixel would have a derivative behind a max-pool.
const GRAIN: f32 = 0.01;

/// Returns images that are black, up to a faint grain, but for one pixel, each another one near the
/// middle.
pub fn one_hot(count: usize) -> Vec<Vec<f32>> {
    let image = |number: usize| {
        let mut stream = Stream::new(0, Purpose::Gradcheck, 4, number as u64);
        let mut pixels: Vec<f32> = (0..SIDE * SIDE).map(|_| GRAIN * stream.unit_f32()).collect();
        pixels[(SIDE / 2 + number % 3) * SIDE + SIDE / 2 - number / 3] = 1.0;
        pixels
    };
    (0..count).map(image).collect()
}

/// A batch as the engine takes it.
pub(super) struct Batch {
    images: Array4<f32>,
    labels: Vec<Label>,
}

impl Batch {
    /// Images whose classes are 0, 1, 2 in turn.
    pub fn new(network: &Network, images: &[Vec<f32>]) -> Batch {
        let [height, width, channels] = network.spec().input;
        let shape = (images.len(), height, width, channels);
        let images_values = images.concat();
        Batch {
            images: Array4::from_shape_vec(shape, images_values).expect("images of the lessons' network"),
            labels: (0..images.len()).map(|image| Label::new(image % CLASSES)).collect(),
        }
    }

    /// With dropout masks that are always the same.
    pub fn step(&self, seed: u64) -> StepBatch<'_> {
        let masks = DropoutMasks::Drawn { seed, step: 0 };
        StepBatch { images: self.images.view(), targets: Targets::new(&self.labels), masks }
    }
}
