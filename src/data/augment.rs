//! Training images changed a little, anew in every epoch, so that the network sees the lesion and not the
//! picture: mirrored, shifted, turned, nearer or farther, brighter or darker.
//!
//! With sides W and H, (cx, cy) = ((W − 1)/2, (H − 1)/2) the middle, a zoom (zx, zy), a shift (tx, ty) and an
//! angle θ, output pixel (x, y) shows the picture at
//!
//! ```text
//! u = zx·(x − cx) − tx      x' = cx + cos θ·u − sin θ·v
//! v = zy·(y − cy) − ty      y' = cy + sin θ·u + cos θ·v
//! ```
//!
//! which turns the picture by θ counter-clockwise about its middle, shifts it, and then takes as much of it,
//! in height and width, as the zoom says: with less than 1 it comes nearer. The order is that of Keras's
//! `ImageDataGenerator`, and so is a zoom of its own for height and width. Between pixels the value is
//! bilinear: of the four around the place, weighted by nearness. Beyond the edge the picture goes on as its
//! mirror image, `d c b a | a b c d | d c b a`, Keras's `fill_mode="reflect"`, so that no black corner tells
//! the network what was done. Mirroring is exact: x' becomes W − 1 − x', or y' H − 1 − y'.
//!
//! Brightness multiplies the values and clips at white. Keras does so too, but rounds down to a byte behind
//! it.
//!
//! All numbers of an image are drawn from a stream of their own, keyed by seed, epoch and the image's index:
//! the order, the number of threads, or where a run was taken up again, change no bit.

use super::sample::{PictureSamples, Sample};
use crate::kernels::simd::vectorized;
use crate::random::{Purpose, Stream};
use serde::{Deserialize, Serialize};

/// The farthest shift, down and across, as a share of an image's side.
pub const MAX_SHIFT: f64 = 0.1;

/// The largest turn to either side, in degrees.
pub const MAX_ROTATION_DEGREES: f64 = 10.0;

/// The farthest zoom: as much more or less of the picture, in shares of its side.
pub const MAX_ZOOM: f64 = 0.1;

/// The farthest factor of brightness from 1.
pub const MAX_BRIGHTNESS: f64 = 0.2;

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
    /// A zoom down and one across, each uniform in 1 ± [`MAX_ZOOM`].
    pub zoom: bool,
    /// A factor of brightness, uniform in 1 ± [`MAX_BRIGHTNESS`].
    pub brightness: bool,
}

impl Augmentation {
    /// The changes with their names, in the order in which they are written. `flip` stands for both flips.
    pub const NAMES: [&str; 7] = ["flip", "flip-horizontal", "flip-vertical", "shift", "rotate", "zoom", "brightness"];

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
                "zoom" => augmentation.zoom = true,
                "brightness" => augmentation.brightness = true,
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
            (self.zoom, "zoom"),
            (self.brightness, "brightness"),
        ];
        all.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect()
    }

    /// Draws what is done to the image at `index` in this epoch. Every number is drawn whether it is used or
    /// not, so that an image is turned alike with and without flips.
    pub fn draw(self, seed: u64, epoch: u64, index: u64) -> Change {
        let mut stream = Stream::new(seed, Purpose::Augment, epoch, index);
        let [horizontal, vertical] = [(); 2].map(|()| stream.below(2) == 1);
        let [across, down, turn, taller, wider, brighter] = [(); 6].map(|()| stream.uniform_f64(-1.0, 1.0));
        let amount = |on: bool, share: f64, most: f64| if on { share * most } else { 0.0 };
        Change {
            flip_horizontal: self.flip_horizontal && horizontal,
            flip_vertical: self.flip_vertical && vertical,
            shift: [amount(self.shift, down, MAX_SHIFT), amount(self.shift, across, MAX_SHIFT)],
            degrees: amount(self.rotate, turn, MAX_ROTATION_DEGREES),
            zoom: [taller, wider].map(|share| 1.0 + amount(self.zoom, share, MAX_ZOOM)),
            brightness: 1.0 + amount(self.brightness, brighter, MAX_BRIGHTNESS),
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
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// True if left and right change places.
    pub flip_horizontal: bool,
    /// True if top and bottom change places.
    pub flip_vertical: bool,
    /// The shift down and to the right, in shares of the image's height and width.
    pub shift: [f64; 2],
    /// The turn counter-clockwise, in degrees.
    pub degrees: f64,
    /// How much of the picture's height and width is seen; 1 is all.
    pub zoom: [f64; 2],
    /// The factor of the values; 1 leaves them.
    pub brightness: f64,
}

impl Default for Change {
    /// Returns none.
    fn default() -> Change {
        Change {
            flip_horizontal: false,
            flip_vertical: false,
            shift: [0.0; 2],
            degrees: 0.0,
            zoom: [1.0; 2],
            brightness: 1.0,
        }
    }
}

impl Change {
    /// [`Change::apply`] for a picture of either depth.
    ///
    /// # Panics
    /// As [`Change::apply`].
    pub fn apply_to(&self, picture: &PictureSamples, size: [usize; 3], output: &mut [f32]) {
        match picture {
            PictureSamples::Bits8(picture) => self.apply(picture, size, output),
            PictureSamples::Bits16(picture) => self.apply(picture, size, output),
        }
    }

    /// Writes the changed picture to `output`. Both are of height, width and channels `size`, in the order
    /// H W C; samples become floats in [0, 1] by a factor, [`Sample::RESCALE`]. Without a change it is that
    /// alone.
    ///
    /// # Panics
    /// If one of them is of another size.
    pub fn apply<T: Sample>(&self, picture: &[T], size: [usize; 3], output: &mut [f32]) {
        let len = size.iter().product::<usize>();
        assert!(picture.len() == len && output.len() == len, "a picture, and its size");
        let moved = self.shift != [0.0; 2] || self.degrees != 0.0 || self.zoom != [1.0; 2];
        if moved {
            self.apply_map(picture, size, output);
        } else {
            self.apply_flips(picture, size, output);
        }
        if self.brightness != 1.0 {
            let factor = self.brightness as f32;
            output.iter_mut().for_each(|value| *value = (*value * factor).min(1.0));
        }
    }

    /// Mirrors alone: each pixel is one of the picture.
    fn apply_flips<T: Sample>(&self, picture: &[T], [height, width, channels]: [usize; 3], output: &mut [f32]) {
        for (y, row) in output.chunks_exact_mut(width * channels).enumerate() {
            let from_row = if self.flip_vertical { height - 1 - y } else { y };
            let from = &picture[from_row * width * channels..][..width * channels];
            if self.flip_horizontal {
                let pixels = row.chunks_exact_mut(channels).zip(from.chunks_exact(channels).rev());
                pixels.for_each(|(pixel, from)| scale(from, pixel));
            } else {
                vectorized(|| scale(from, row));
            }
        }
    }

    /// All but brightness: each pixel lies between four of the picture.
    fn apply_map<T: Sample>(&self, picture: &[T], size: [usize; 3], output: &mut [f32]) {
        let [height, width, channels] = size;
        let map = Map::new(self, height, width);
        for (y, row) in output.chunks_exact_mut(width * channels).enumerate() {
            for (x, pixel) in row.chunks_exact_mut(channels).enumerate() {
                let [row, column] = map.place(y, x);
                let around = [Neighbours::around(row, height), Neighbours::around(column, width)];
                bilinear(picture, width, around, pixel);
            }
        }
    }
}

/// The place in the picture of each pixel of the output; of all pairs the first is down, the second across.
struct Map {
    middle: [f64; 2],
    /// In pixels.
    shift: [f64; 2],
    zoom: [f64; 2],
    sin: f64,
    cos: f64,
    /// True if top and bottom, left and right change places.
    flip: [bool; 2],
}

impl Map {
    fn new(change: &Change, height: usize, width: usize) -> Map {
        let angle = change.degrees.to_radians();
        Map {
            middle: [height, width].map(|side| (side - 1) as f64 / 2.0),
            shift: [change.shift[0] * height as f64, change.shift[1] * width as f64],
            zoom: change.zoom,
            // libm's, the same on every machine.
            sin: libm::sin(angle),
            cos: libm::cos(angle),
            flip: [change.flip_vertical, change.flip_horizontal],
        }
    }

    /// Returns the row and column, in pixels, for row `y` and column `x` of the output.
    fn place(&self, y: usize, x: usize) -> [f64; 2] {
        let from_middle = |axis: usize, at: usize| (at as f64 - self.middle[axis]) * self.zoom[axis] - self.shift[axis];
        let (v, u) = (from_middle(0, y), from_middle(1, x));
        let turned = [self.middle[0] + self.sin * u + self.cos * v, self.middle[1] + self.cos * u - self.sin * v];
        [0, 1].map(|axis| if self.flip[axis] { 2.0 * self.middle[axis] - turned[axis] } else { turned[axis] })
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

/// Writes the value between four pixels, in each channel, of a picture so many columns wide.
fn bilinear<T: Sample>(picture: &[T], width: usize, [row, column]: [Neighbours; 2], pixel: &mut [f32]) {
    let channels = pixel.len();
    for (channel, value) in pixel.iter_mut().enumerate() {
        let at = |row: usize, column: usize| -> f32 { picture[(row * width + column) * channels + channel].into() };
        let across = |row: usize| {
            let (first, second) = (at(row, column.first), at(row, column.second));
            first + (second - first) * column.weight
        };
        let (above, below) = (across(row.first), across(row.second));
        *value = (above + (below - above) * row.weight) * T::RESCALE;
    }
}

/// Writes samples as floats in [0, 1].
#[inline(always)]
fn scale<T: Sample>(samples: &[T], output: &mut [f32]) {
    for (value, &sample) in output.iter_mut().zip(samples) {
        let sample: f32 = sample.into();
        *value = sample * T::RESCALE;
    }
}

#[cfg(test)]
mod tests;
