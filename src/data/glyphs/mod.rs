//! The glyph set: ten classes of handwritten-looking digits, 28×28 grey pixels, drawn from a seed.
//!
//! It stands in for MNIST where that is not at hand: any number of images, and nothing to download. A digit
//! is a few strokes (`strokes.rs`) whose points are jittered, then slanted, turned, scaled and shifted as a
//! whole; a pen of some width and strength draws them, white on black, and grain lies over all. Everything is
//! drawn from one distribution for all digits, so only the strokes tell the classes apart.
//!
//! **The same pixels on every machine**, as in the [phantom set](super::phantom): `+ − × ÷`, square roots,
//! and the `libm` crate for sine and cosine. Each image has a [`Stream`] of its own, keyed by its digit and
//! number.
//!
//! **The set is frozen.** How hard it is was chosen with Keras, before this engine was trained on it
//! (`data/README.md` tells how): whoever changes a constant here makes another set.

mod strokes;

use std::path::Path;

use super::drawn_set::{self, DrawnFile, grey_png};
use crate::Result;
use crate::random::{Purpose, Stream};
use strokes::{Point, digit};

/// Width and height of an image, in pixels.
pub const SIDE: usize = 28;
/// The number of classes: the digits 0 to 9.
pub const DIGITS: usize = 10;
/// How many images of each digit are drawn if nobody says.
pub const DEFAULT_PER_DIGIT: usize = 500;

/// How far a point of a stroke moves, as a share of the digit's height, at most, in each direction.
const JITTER: f64 = 0.07;
/// The angle that a digit is turned by, in radians, at most.
const TURN: f64 = 0.30;
/// How far a digit is slanted: pixels to the side for each upwards, at most.
const SLANT: f64 = 0.30;
/// The height of a digit in pixels, least and most.
const HEIGHT: (f64, f64) = (15.0, 22.0);
/// Its width as a share of its height, least and most.
const WIDTH: (f64, f64) = (0.55, 0.95);
/// How far its middle is from that of the image, in pixels, at most, in each direction.
const SHIFT: f64 = 2.5;
/// The width of the pen in pixels, least and most.
const PEN: (f64, f64) = (1.3, 3.6);
/// The grey of the pen, least and most.
const STRENGTH: (f64, f64) = (130.0, 255.0);
/// The grain's largest step in grey, of an image the least and the most.
const GRAIN: (f64, f64) = (4.0, 48.0);

/// Draws the image of a digit, from 0 to 9, with this number, from 0: the grey of `SIDE`·`SIDE` pixels, row
/// by row from the top. It depends on the seed, the digit and the number alone.
///
/// # Panics
/// If there is no such digit.
pub fn draw(seed: u64, digit_drawn: usize, number: usize) -> Vec<u8> {
    let mut stream = Stream::new(seed, Purpose::Glyphs, digit_drawn as u64, number as u64);
    let hand = Hand::draw(&mut stream);
    let mut lines = Vec::new();
    for stroke in digit(digit_drawn) {
        let jittered: Vec<Point> = stroke.points.iter().map(|point| jitter(*point, &mut stream)).collect();
        lines.push(stroke.path(&jittered).into_iter().map(|point| hand.place(point)).collect::<Vec<Point>>());
    }
    let pen = stream.uniform_f64(PEN.0, PEN.1);
    let strength = stream.uniform_f64(STRENGTH.0, STRENGTH.1);
    let grain = stream.uniform_f64(GRAIN.0, GRAIN.1);
    let mut pixels = Vec::with_capacity(SIDE * SIDE);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let centre = Point { x: x as f64 + 0.5, y: y as f64 + 0.5 };
            // The pen's edge is as soft as a pixel is wide.
            let cover = (0.5 + pen / 2.0 - distance(&lines, centre)).clamp(0.0, 1.0);
            let noise = stream.uniform_f64(-grain, grain);
            pixels.push((strength * cover + noise).round().clamp(0.0, 255.0) as u8);
        }
    }
    pixels
}

fn jitter(point: Point, stream: &mut Stream) -> Point {
    let mut moved = || stream.uniform_f64(-JITTER, JITTER);
    Point { x: point.x + moved(), y: point.y + moved() }
}

/// How a hand writes: what becomes of a point of the unit square.
struct Hand {
    width: f64,
    height: f64,
    slant: f64,
    /// Sine and cosine of the angle.
    turn: [f64; 2],
    middle: Point,
}

impl Hand {
    fn draw(stream: &mut Stream) -> Hand {
        let height = stream.uniform_f64(HEIGHT.0, HEIGHT.1);
        let width = height * stream.uniform_f64(WIDTH.0, WIDTH.1);
        let slant = stream.uniform_f64(-SLANT, SLANT);
        let angle = stream.uniform_f64(-TURN, TURN);
        let middle = SIDE as f64 / 2.0;
        let x = middle + stream.uniform_f64(-SHIFT, SHIFT);
        let y = middle + stream.uniform_f64(-SHIFT, SHIFT);
        Hand { width, height, slant, turn: [libm::sin(angle), libm::cos(angle)], middle: Point { x, y } }
    }

    /// The place in the image, in pixels, of a point in the unit square.
    fn place(&self, point: Point) -> Point {
        let y = (point.y - 0.5) * self.height;
        let x = (point.x - 0.5) * self.width - self.slant * y;
        let [sine, cosine] = self.turn;
        Point { x: self.middle.x + cosine * x - sine * y, y: self.middle.y + sine * x + cosine * y }
    }
}

/// The distance of a point from the nearest line.
fn distance(lines: &[Vec<Point>], point: Point) -> f64 {
    let pieces = lines.iter().flat_map(|line| line.windows(2));
    let squares = pieces.map(|piece| square_distance(piece[0], piece[1], point));
    squares.fold(f64::INFINITY, f64::min).sqrt()
}

/// The squared distance of `point` from the line from `a` to `b`.
fn square_distance(a: Point, b: Point, point: Point) -> f64 {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let length = dx * dx + dy * dy;
    let along = ((point.x - a.x) * dx + (point.y - a.y) * dy) / if length > 0.0 { length } else { 1.0 };
    let along = along.clamp(0.0, 1.0);
    let (x, y) = (a.x + along * dx - point.x, a.y + along * dy - point.y);
    x * x + y * y
}

/// Draws `per_digit` images of each digit, and writes them as `folder/DIGIT/DIGIT-NUMBER.png`, from 1 on.
/// Each thread of the rayon pool the caller is in holds one image at a time, so memory does not grow with the
/// set. `written` is called after each image.
///
/// # Errors
/// If the folder is there and holds anything (nothing is overwritten), or if the system refuses to write; and
/// those of `written`. What was written by then stays.
pub fn write(seed: u64, per_digit: usize, folder: &Path, written: impl Fn() -> Result<()> + Sync) -> Result<()> {
    let drawn = |place: usize| {
        let (digit, number) = (place / per_digit, place % per_digit);
        let png = grey_png(&draw(seed, digit, number), SIDE, SIDE);
        DrawnFile { class: digit.to_string(), name: format!("{digit}-{:04}.png", number + 1), png }
    };
    drawn_set::write(folder, (0..DIGITS).map(|digit| digit.to_string()), DIGITS * per_digit, drawn, written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn an_image_depends_on_its_seed_digit_and_number_alone_and_is_the_same_everywhere() {
        let mut hash = Sha256::new();
        for digit in 0..DIGITS {
            for number in [0, 1, 99] {
                hash.update(draw(0, digit, number));
            }
        }
        let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, "2990c7217f371b2d9e4233256205a866f7fd42f0f3c35bf5f80c0609600d1af9");
        assert_ne!(draw(0, 3, 0), draw(1, 3, 0));
        assert_ne!(draw(0, 3, 0), draw(0, 3, 1));
    }

    #[test]
    fn every_digit_is_white_on_black_within_the_image() {
        for digit in 0..DIGITS {
            for number in 0..50 {
                let pixels = draw(5, digit, number);
                let bright = pixels.iter().filter(|&&grey| grey > 100).count();
                assert!((20..400).contains(&bright), "{digit} {number}: {bright} bright pixels");
                let edge = (0..SIDE).flat_map(|i| [i, i * SIDE, (SIDE - 1) * SIDE + i, i * SIDE + SIDE - 1]);
                let at_the_edge = edge.filter(|&place| pixels[place] > 100).count();
                assert!(at_the_edge <= 12, "{digit} {number}: {at_the_edge} bright pixels at the edge");
            }
        }
    }

    #[test]
    fn the_distance_from_a_line_is_that_of_its_nearest_point() {
        let (a, b) = (Point { x: 0.0, y: 0.0 }, Point { x: 4.0, y: 0.0 });
        let of = |x: f64, y: f64| square_distance(a, b, Point { x, y });
        assert_eq!((of(2.0, 3.0), of(-3.0, 4.0), of(5.0, 0.0)), (9.0, 25.0, 1.0));
        assert_eq!(square_distance(a, a, Point { x: 3.0, y: 4.0 }), 25.0);
    }
}
