//! Resizing to the bit as Pillow does it: a part of a picture, the *box*, is brought to another size.
//!
//! `NEAREST` takes one pixel. `BILINEAR` weighs all pixels under a triangle: of one output pixel of the box
//! to either side, or of one input pixel where the picture grows, so reducing it averages and does not skip.
//! Along an axis with scale s = box / output and f = max(s, 1):
//!
//! ```text
//! centre = box₀ + (i + ½)·s       weight of pixel j ∝ max(0, 1 − |j − centre + ½| / f)
//! ```
//!
//! The weights add up to 1, [`Sample`] has the means, and rows come before columns with samples of the
//! picture's own depth between (Pillow's `Resample.c`, 11.3; 13.0 takes the columns of some pictures first,
//! which rounds a few bytes to the other side).

use super::sample::Sample;

/// A picture in samples of 8 or 16 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels<T> {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Samples of a pixel.
    pub channels: usize,
    /// `height · width · channels` of them, in the order H W C.
    pub samples: Vec<T>,
}

/// The part of a picture that is resized, in pixels from its corner: single precision, as Pillow has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PictureBox {
    /// Left, and the end on the right.
    pub columns: [f32; 2],
    /// Top, and the end at the bottom.
    pub rows: [f32; 2],
}

impl PictureBox {
    /// The whole picture.
    pub fn whole<T>(picture: &Pixels<T>) -> PictureBox {
        PictureBox { columns: [0.0, picture.width as f32], rows: [0.0, picture.height as f32] }
    }
}

/// Returns the source index of every output position along one axis, as Pillow's `NEAREST` picks them in
/// `[start, end)` of `input` pixels:
///
/// ```text
/// s = (end − start) / output        x₀ = start + s / 2        xᵢ₊₁ = xᵢ + s        indexᵢ = trunc(xᵢ)
/// ```
///
/// The position is accumulated in f64. The closed form (i + ½)·s rounds differently, and where x should be a
/// whole number it can pick another pixel: so for 128 pixels brought to 150. For an output that is a power of
/// two, as the documented 128 is, every sum is exact and both agree.
pub fn nearest_indices(input: usize, [start, end]: [f32; 2], output: usize) -> Vec<usize> {
    let step = f64::from(end - start) / output as f64;
    let mut position = f64::from(start) + 0.5 * step;
    (0..output)
        .map(|_| {
            let index = position as usize;
            position += step;
            index.min(input.saturating_sub(1))
        })
        .collect()
}

/// Returns the box of a picture at `width` × `height` pixels, each the nearest of the original.
pub fn nearest<T: Sample>(picture: &Pixels<T>, part: PictureBox, width: usize, height: usize) -> Pixels<T> {
    let channels = picture.channels;
    let columns = nearest_indices(picture.width, part.columns, width);
    let mut samples = Vec::with_capacity(width * height * channels);
    for row in nearest_indices(picture.height, part.rows, height) {
        let row = &picture.samples[row * picture.width * channels..][..picture.width * channels];
        for &column in &columns {
            samples.extend_from_slice(&row[column * channels..][..channels]);
        }
    }
    Pixels { width, height, channels, samples }
}

/// The input pixels that make an output pixel along an axis.
struct Taps<W> {
    first: usize,
    weights: Vec<W>,
}

/// Returns the taps of each output position along one axis, in `[start, end)` of `input` pixels.
fn taps<T: Sample>(input: usize, [start, end]: [f32; 2], output: usize) -> Vec<Taps<T::Weight>> {
    let scale = f64::from(end - start) / output as f64;
    // The triangle's half width, and a factor as in Pillow, which now and then rounds otherwise than a
    // quotient.
    let support = scale.max(1.0);
    let inverse = 1.0 / support;
    let of_position = |position: usize| {
        let centre = f64::from(start) + (position as f64 + 0.5) * scale;
        let first = ((centre - support + 0.5) as i64).max(0) as usize;
        let last = (((centre + support + 0.5) as i64).max(0) as usize).min(input);
        let weight = |pixel: usize| (1.0 - ((pixel as f64 - centre + 0.5) * inverse).abs()).max(0.0);
        let weights: Vec<f64> = (first..last).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        let share = |weight: f64| T::weight(if sum == 0.0 { weight } else { weight / sum });
        Taps { first, weights: weights.into_iter().map(share).collect() }
    };
    (0..output).map(of_position).collect()
}

/// Returns the box of a picture at `width` × `height` pixels, each the weighted mean of those around.
pub fn bilinear<T: Sample>(picture: &Pixels<T>, part: PictureBox, width: usize, height: usize) -> Pixels<T> {
    let whole = PictureBox::whole(picture);
    let is_wide = width == picture.width && part.columns == whole.columns;
    let rows = (!is_wide).then(|| across(picture, &taps::<T>(picture.width, part.columns, width)));
    if height == picture.height && part.rows == whole.rows {
        return rows.unwrap_or_else(|| picture.clone());
    }
    down(rows.as_ref().unwrap_or(picture), &taps::<T>(picture.height, part.rows, height))
}

/// Resizes every row.
fn across<T: Sample>(picture: &Pixels<T>, taps: &[Taps<T::Weight>]) -> Pixels<T> {
    let Pixels { width, height, channels, ref samples } = *picture;
    let mut resized = Vec::with_capacity(taps.len() * height * channels);
    for row in samples.chunks_exact(width * channels) {
        for Taps { first, weights } in taps {
            for channel in 0..channels {
                let pixels = row[first * channels..].chunks_exact(channels);
                resized.push(T::mean(pixels.zip(weights).map(|(pixel, &weight)| (pixel[channel], weight))));
            }
        }
    }
    Pixels { width: taps.len(), height, channels, samples: resized }
}

/// Resizes every column.
fn down<T: Sample>(picture: &Pixels<T>, taps: &[Taps<T::Weight>]) -> Pixels<T> {
    let Pixels { width, channels, ref samples, .. } = *picture;
    let row_len = width * channels;
    let mut resized = Vec::with_capacity(taps.len() * row_len);
    for Taps { first, weights } in taps {
        for place in 0..row_len {
            let rows = samples[first * row_len..].chunks_exact(row_len);
            resized.push(T::mean(rows.zip(weights).map(|(row, &weight)| (row[place], weight))));
        }
    }
    Pixels { width, height: taps.len(), channels, samples: resized }
}
