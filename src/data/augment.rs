//! Training images changed a little, anew in every epoch, so that the network sees the lesion and not the
//! picture: mirrored, shifted, turned.
//!
//! With side S, c = (S − 1)/2 the middle, a shift (tx, ty) and an angle θ, output pixel (x, y) shows the
//! picture at
//!
//! ```text
//! u = x − c − tx      x' = c + cos θ·u − sin θ·v
//! v = y − c − ty      y' = c + sin θ·u + cos θ·v
//! ```
//!
//! which turns the picture by θ counter-clockwise about its middle and then shifts it. Between pixels the
//! value is bilinear: of the four around the place, weighted by nearness. Beyond the edge the picture goes on
//! as its mirror image, `d c b a | a b c d | d c b a`, Keras's `fill_mode="reflect"`, so that no black corner
//! tells the network what was done. Mirroring is exact: x' becomes S − 1 − x', or y' S − 1 − y'.
//!
//! All numbers of an image are drawn from a stream of their own, keyed by seed, epoch and the image's index:
//! the order, the number of threads, or where a run was taken up again, change no bit.

use super::resize::{RESCALE, scale};
use crate::random::{Purpose, Stream};
use serde::{Deserialize, Serialize};

/// The farthest shift, down and across, as a share of an image's side.
pub const MAX_SHIFT: f64 = 0.1;

/// The largest turn to either side, in degrees.
pub const MAX_ROTATION_DEGREES: f64 = 10.0;

/// The changes that are made. It is written as the list of its [names](Augmentation::names).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<&'static str>", try_from = "Vec<String>")]
pub struct Augmentation {
    /// Left and right change places, in every second image.
    pub flip_horizontal: bool,
    /// Top and bottom change places, in every second image.
    pub flip_vertical: bool,
    /// A shift down and one across, each uniform in ±[`MAX_SHIFT`].
    pub shift: bool,
    /// A turn, uniform in ±[`MAX_ROTATION_DEGREES`].
    pub rotate: bool,
}

impl Augmentation {
    /// The changes with their names, in the order in which they are written. `flip` stands for both flips.
    pub const NAMES: [&str; 5] = ["flip", "flip-horizontal", "flip-vertical", "shift", "rotate"];

    /// Reads a list such as `flip,shift,rotate`.
    ///
    /// # Errors
    /// A sentence, if a name is none of [`Augmentation::NAMES`].
    pub fn parse(list: &str) -> Result<Augmentation, String> {
        Augmentation::from_names(list.split(','))
    }

    fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Augmentation, String> {
        let mut augmentation = Augmentation::default();
        for name in names {
            match name.trim() {
                "flip" => (augmentation.flip_horizontal, augmentation.flip_vertical) = (true, true),
                "flip-horizontal" => augmentation.flip_horizontal = true,
                "flip-vertical" => augmentation.flip_vertical = true,
                "shift" => augmentation.shift = true,
                "rotate" => augmentation.rotate = true,
                unknown => {
                    return Err(format!(
                        "'{unknown}' is not a known change; give some of {}",
                        Augmentation::NAMES.join(", ")
                    ));
                }
            }
        }
        Ok(augmentation)
    }

    /// Returns the names of the changes, each by itself.
    pub fn names(self) -> Vec<&'static str> {
        let all = [
            (self.flip_horizontal, "flip-horizontal"),
            (self.flip_vertical, "flip-vertical"),
            (self.shift, "shift"),
            (self.rotate, "rotate"),
        ];
        all.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect()
    }

    /// Draws what is done to the image at `index` in this epoch. Every number is drawn whether it is used or
    /// not, so that an image is turned alike with and without flips.
    pub fn draw(self, seed: u64, epoch: u64, index: u64) -> Change {
        let mut stream = Stream::new(seed, Purpose::Augment, epoch, index);
        let [horizontal, vertical] = [(); 2].map(|()| stream.below(2) == 1);
        let [across, down, turn] = [(); 3].map(|()| stream.uniform_f64(-1.0, 1.0));
        let amount = |on: bool, share: f64, most: f64| if on { share * most } else { 0.0 };
        Change {
            flip_horizontal: self.flip_horizontal && horizontal,
            flip_vertical: self.flip_vertical && vertical,
            shift: [amount(self.shift, down, MAX_SHIFT), amount(self.shift, across, MAX_SHIFT)],
            degrees: amount(self.rotate, turn, MAX_ROTATION_DEGREES),
        }
    }
}

impl From<Augmentation> for Vec<&'static str> {
    fn from(augmentation: Augmentation) -> Vec<&'static str> {
        augmentation.names()
    }
}

impl TryFrom<Vec<String>> for Augmentation {
    type Error = String;

    fn try_from(names: Vec<String>) -> Result<Augmentation, String> {
        Augmentation::from_names(names.iter().map(String::as_str))
    }
}

/// The change of one image.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Change {
    /// True if left and right change places.
    pub flip_horizontal: bool,
    /// True if top and bottom change places.
    pub flip_vertical: bool,
    /// The shift down and to the right, in shares of the image's side.
    pub shift: [f64; 2],
    /// The turn counter-clockwise, in degrees.
    pub degrees: f64,
}

impl Change {
    /// Writes the changed picture to `output`. Both are `side` × `side` pixels of RGB in the order H W C;
    /// bytes become floats as by [`scale`]. Without a change it is that alone.
    ///
    /// # Panics
    /// If one of them is of another size.
    pub fn apply(&self, picture: &[u8], side: usize, output: &mut [f32]) {
        assert!(picture.len() == side * side * 3 && output.len() == picture.len(), "a square picture, and its size");
        if *self == Change::default() {
            for (value, &byte) in output.iter_mut().zip(picture) {
                *value = scale(byte);
            }
            return;
        }
        let moved = self.shift != [0.0; 2] || self.degrees != 0.0;
        let map = Map::new(self, side);
        for (y, row) in output.chunks_exact_mut(side * 3).enumerate() {
            for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                if moved {
                    let [row, column] = map.place(y, x).map(|place| Neighbours::around(place, side));
                    bilinear(picture, side, row, column, pixel);
                } else {
                    let row = if self.flip_vertical { side - 1 - y } else { y };
                    let column = if self.flip_horizontal { side - 1 - x } else { x };
                    let from = &picture[(row * side + column) * 3..][..3];
                    for (value, &byte) in pixel.iter_mut().zip(from) {
                        *value = scale(byte);
                    }
                }
            }
        }
    }
}

/// The place in the picture of each pixel of the output.
struct Map {
    middle: f64,
    /// The shift, down and to the right in pixels.
    shift: [f64; 2],
    sin: f64,
    cos: f64,
    /// True if top and bottom, left and right change places.
    flip: [bool; 2],
}

impl Map {
    fn new(change: &Change, side: usize) -> Map {
        let angle = change.degrees.to_radians();
        Map {
            middle: (side - 1) as f64 / 2.0,
            shift: change.shift.map(|share| share * side as f64),
            // libm's, the same on every machine.
            sin: libm::sin(angle),
            cos: libm::cos(angle),
            flip: [change.flip_vertical, change.flip_horizontal],
        }
    }

    /// Returns the row and column, in pixels, for row `y` and column `x` of the output.
    fn place(&self, y: usize, x: usize) -> [f64; 2] {
        let (u, v) = (x as f64 - self.middle - self.shift[1], y as f64 - self.middle - self.shift[0]);
        let turned = [self.middle + self.sin * u + self.cos * v, self.middle + self.cos * u - self.sin * v];
        [0, 1].map(|axis| if self.flip[axis] { 2.0 * self.middle - turned[axis] } else { turned[axis] })
    }
}

/// The two pixels of a row or column that are nearest to a place, and how much the second counts.
#[derive(Clone, Copy)]
struct Neighbours {
    first: usize,
    second: usize,
    weight: f32,
}

impl Neighbours {
    fn around(place: f64, side: usize) -> Neighbours {
        let below = place.floor();
        let first = below as isize;
        Neighbours { first: reflect(first, side), second: reflect(first + 1, side), weight: (place - below) as f32 }
    }
}

/// Returns the pixel that stands for one beyond the edge: `… 2 1 0 | 0 1 2 … | …`.
fn reflect(index: isize, side: usize) -> usize {
    let period = 2 * side as isize;
    let within = index.rem_euclid(period);
    within.min(period - 1 - within) as usize
}

/// Writes the value between four pixels, in each channel.
fn bilinear(picture: &[u8], side: usize, row: Neighbours, column: Neighbours, pixel: &mut [f32]) {
    let at = |row: usize, column: usize| -> [f32; 3] {
        let from = (row * side + column) * 3;
        [0, 1, 2].map(|channel| f32::from(picture[from + channel]))
    };
    let corners = [
        [at(row.first, column.first), at(row.first, column.second)],
        [at(row.second, column.first), at(row.second, column.second)],
    ];
    for (channel, value) in pixel.iter_mut().enumerate() {
        let across = |pair: &[[f32; 3]; 2]| pair[0][channel] + (pair[1][channel] - pair[0][channel]) * column.weight;
        let (above, below) = (across(&corners[0]), across(&corners[1]));
        *value = (above + (below - above) * row.weight) * RESCALE;
    }
}

#[cfg(test)]
mod tests;
