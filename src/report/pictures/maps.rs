//! Maps of numbers as pictures: the channels of a layer side by side, and a map laid over an image.
//!
//! Blue is below 0, orange above, white 0; the strongest colour is the largest absolute value.

use super::palette::{BLUE, PALE, VERMILION};
use super::png;
use crate::Result;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use plotters::style::RGBColor;
use std::path::Path;

/// Pixels between two maps.
const GAP: u32 = 2;
/// The part of the image's own light that stays under a map.
const UNDER: f64 = 0.35;

/// Values of several channels over one plane, `[H, W, C]`.
#[derive(Clone, Copy)]
pub struct Maps<'a> {
    /// Height and width.
    pub size: [usize; 2],
    /// C.
    pub channels: usize,
    /// The values.
    pub values: &'a [f32],
}

/// How the maps of a layer are laid out.
#[derive(Clone, Copy)]
pub struct Sheet {
    /// The most maps that are shown: the first ones.
    pub most: usize,
    /// Maps in a row.
    pub columns: usize,
    /// A map is shrunk to this height and width, or enlarged by a whole number up to them.
    pub side: u32,
}

/// Returns a colour for a value between −1 and 1.
fn colour(value: f64) -> Rgb<u8> {
    let RGBColor(red, green, blue) = if value < 0.0 { BLUE } else { VERMILION };
    let share = value.abs().clamp(0.0, 1.0);
    Rgb([red, green, blue].map(|full| (255.0 + (f64::from(full) - 255.0) * share).round() as u8))
}

/// Draws the maps of a layer side by side.
pub fn sheet(maps: Maps, Sheet { most, columns, side }: Sheet) -> RgbImage {
    let [height, width] = maps.size.map(|length| length as u32);
    let largest = maps.values.iter().map(|value| f64::from(value.abs())).fold(0.0, f64::max);
    let scale = if largest > 0.0 { 1.0 / largest } else { 0.0 };
    let count = maps.channels.min(most);
    let columns = columns.min(count).max(1) as u32;
    let (long, enlarged) = (height.max(width), (side / height.max(width)).max(1));
    let fit = |length: u32| if long > side { (length * side / long).max(1) } else { length * enlarged };
    let (tall, wide) = (fit(height), fit(width));
    let rows = (count as u32).div_ceil(columns);
    let mut sheet =
        RgbImage::from_pixel(columns * (wide + GAP) + GAP, rows * (tall + GAP) + GAP, Rgb([PALE.0, PALE.1, PALE.2]));
    for channel in 0..count {
        let value = |x: u32, y: u32| f64::from(maps.values[((y * width + x) as usize) * maps.channels + channel]);
        // Of the values that fall on one pixel the strongest is shown: a mean would hide what is rare.
        let strongest = |x: u32, y: u32| {
            let from = |place: u32, pixels: u32, length: u32| {
                let first = place * length / pixels;
                first..((place + 1) * length / pixels).max(first + 1)
            };
            let rows = from(y, tall, height);
            let cells = rows.flat_map(|row| from(x, wide, width).map(move |column| (column, row)));
            cells.map(|(column, row)| value(column, row)).fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a })
        };
        let map = RgbImage::from_fn(wide, tall, |x, y| colour(strongest(x, y) * scale));
        let (row, column) = (channel as u32 / columns, channel as u32 % columns);
        imageops::replace(&mut sheet, &map, (GAP + column * (wide + GAP)).into(), (GAP + row * (tall + GAP)).into());
    }
    sheet
}

/// Draws an image `[H, W, C]` of values from 0 to 1, grey where it has another number of channels than three.
pub fn image(maps: Maps, side: u32) -> RgbImage {
    let [height, width] = maps.size.map(|length| length as u32);
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    let pixel = |x: u32, y: u32| {
        let pixel = &maps.values[((y * width + x) as usize) * maps.channels..][..maps.channels];
        match *pixel {
            [red, green, blue] => Rgb([red, green, blue].map(byte)),
            _ => Rgb([byte(pixel[0]); 3]),
        }
    };
    let drawn = RgbImage::from_fn(width, height, pixel);
    let enlarged = (side / height.max(width)).max(1);
    imageops::resize(&drawn, width * enlarged, height * enlarged, FilterType::Nearest)
}

/// Lays a map of this size, whose values are row by row, over an image, which loses its colours.
pub fn overlay(under: &RgbImage, [height, width]: [usize; 2], values: &[f64]) -> RgbImage {
    let largest = values.iter().map(|value| value.abs()).fold(0.0, f64::max);
    let scale = if largest > 0.0 { 1.0 / largest } else { 0.0 };
    let map = image::ImageBuffer::<image::Luma<f32>, Vec<f32>>::from_fn(width as u32, height as u32, |x, y| {
        image::Luma([(values[y as usize * width + x as usize] * scale) as f32])
    });
    let map = imageops::resize(&map, under.width(), under.height(), FilterType::Triangle);
    let grey = imageops::grayscale(under);
    RgbImage::from_fn(under.width(), under.height(), |x, y| {
        let light = f64::from(grey.get_pixel(x, y).0[0]);
        let value = f64::from(map.get_pixel(x, y).0[0]);
        let Rgb(over) = colour(value.signum());
        let share = value.abs().min(1.0) * (1.0 - UNDER);
        Rgb(over.map(|full| (light + (f64::from(full) - light) * share).round() as u8))
    })
}

/// Encodes a picture as PNG.
///
/// # Errors
/// [`crate::Error::Io`], which names the picture.
pub fn encoded(picture: &RgbImage, name: &str) -> Result<Vec<u8>> {
    png::encoded(Path::new(name), picture)
}

/// Writes a picture as a PNG file.
///
/// # Errors
/// [`crate::Error::Io`] names the file.
pub fn write(path: &Path, picture: &RgbImage) -> Result<()> {
    png::save(path, picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blue_is_below_zero_and_orange_above() {
        assert_eq!(colour(0.0), Rgb([255; 3]));
        assert_eq!(colour(-1.0), Rgb([BLUE.0, BLUE.1, BLUE.2]));
        assert_eq!(colour(7.0), Rgb([VERMILION.0, VERMILION.1, VERMILION.2]));
    }

    #[test]
    fn channels_stand_side_by_side_and_small_ones_are_enlarged() {
        // Two channels of 1×2: 1, −1 and 0, 1.
        let maps = Maps { size: [1, 2], channels: 2, values: &[1.0, 0.0, -1.0, 1.0] };
        let sheet = sheet(maps, Sheet { most: 9, columns: 4, side: 4 });
        assert_eq!(sheet.dimensions(), (2 * (4 + GAP) + GAP, 2 + 2 * GAP));
        let at = |x, y| sheet.get_pixel(GAP + x, GAP + y).0;
        assert_eq!((at(0, 0), at(1, 1), at(2, 0)), (colour(1.0).0, colour(1.0).0, colour(-1.0).0));
        assert_eq!((at(4 + GAP, 0), at(6 + GAP, 1)), ([255; 3], colour(1.0).0));
    }

    #[test]
    fn a_map_that_is_shrunk_shows_the_strongest_values() {
        let maps = Maps { size: [2, 4], channels: 1, values: &[0.0, 0.0, 0.5, 0.0, 0.0, -1.0, 0.0, 0.0] };
        let sheet = sheet(maps, Sheet { most: 1, columns: 1, side: 2 });
        assert_eq!(sheet.dimensions(), (2 + 2 * GAP, 1 + 2 * GAP));
        assert_eq!(sheet.get_pixel(GAP, GAP).0, colour(-1.0).0);
        assert_eq!(sheet.get_pixel(GAP + 1, GAP).0, colour(0.5).0);
    }

    #[test]
    fn a_map_colours_the_image_where_it_is_not_zero() {
        let under = RgbImage::from_pixel(4, 4, Rgb([100, 100, 100]));
        let over = overlay(&under, [1, 2], &[0.0, 2.0]);
        assert_eq!(over.get_pixel(0, 0).0, [100; 3]);
        let Rgb([red, _, blue]) = *over.get_pixel(3, 0);
        assert!(red > 150 && blue < 100, "{red} {blue}");
    }
}
