//! Grids of images: cells of one size, images scaled into them, and lines of text on strips of
//! their own, so that a sheet of any length needs no large page.

use std::io;

use image::{RgbImage, imageops};

use super::labelled_image::LabelledImage;
use super::page::Page;
use super::palette::MAT;
use super::text::{Style, shorten};
use crate::Result;

/// The space around a picture's contents, in pixels.
pub(super) const MARGIN: u32 = 28;

/// The space between two cells.
pub(super) const GAP: u32 = 20;

/// Cells in rows and columns, filled row by row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) columns: u32,
    pub(super) cell_width: u32,
    pub(super) cell_height: u32,
}

impl Grid {
    /// Returns the left top corner of a cell, counted from 0.
    pub(super) fn corner(&self, index: usize) -> (u32, u32) {
        let (row, column) = (index as u32 / self.columns, index as u32 % self.columns);
        (self.left + column * (self.cell_width + GAP), self.top + row * (self.cell_height + GAP))
    }

    /// Returns the width of all columns with the gaps between them.
    pub(super) fn width(&self) -> u32 {
        self.columns * (self.cell_width + GAP) - GAP
    }

    /// Returns the height of the rows that `cells` need, with the gaps between them; 0 without cells.
    pub(super) fn height(&self, cells: usize) -> u32 {
        let rows = (cells as u32).div_ceil(self.columns);
        (rows * (self.cell_height + GAP)).saturating_sub(GAP)
    }
}

/// Scales the image to fit a square of `side` pixels, keeping its aspect, and centres it on a grey mat.
///
/// # Errors
/// [`crate::Error::Image`] when the image is empty or its bytes do not fit its size.
pub(super) fn fit(image: &LabelledImage, side: u32) -> Result<RgbImage> {
    let source = image.buffer()?;
    let scale = f64::from(side) / f64::from(image.width.max(image.height));
    let scaled = |length: u32| ((f64::from(length) * scale).round() as u32).clamp(1, side);
    let (width, height) = (scaled(image.width), scaled(image.height));
    // The triangle filter averages when it shrinks and interpolates when it enlarges.
    let small = imageops::resize(&source, width, height, imageops::FilterType::Triangle);
    let mut square = RgbImage::from_pixel(side, side, image::Rgb([MAT.0, MAT.1, MAT.2]));
    imageops::replace(&mut square, &small, i64::from((side - width) / 2), i64::from((side - height) / 2));
    Ok(square)
}

/// Lays a picture onto a sheet with its left top corner at the given place.
pub(super) fn paste(sheet: &mut RgbImage, picture: &RgbImage, (left, top): (u32, u32)) {
    imageops::replace(sheet, picture, i64::from(left), i64::from(top));
}

/// Returns a strip with one line of text, shortened to its width, its baseline `baseline` pixels below its
/// top.
pub(super) fn strip(width: u32, height: u32, text: &str, style: Style, baseline: f64) -> io::Result<RgbImage> {
    let mut page = Page::new(width, height);
    page.text(&shorten(text, style, f64::from(width))?, (0.0, baseline), style)?;
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{count, plain};
    use super::*;

    const MAT_PIXEL: [u8; 3] = [MAT.0, MAT.1, MAT.2];

    /// Returns a plain red image, scaled into a square of 40 pixels.
    fn fitted(width: u32, height: u32) -> RgbImage {
        let pixels = plain(width, height, [255, 0, 0]);
        fit(&LabelledImage { label: "red", width, height, pixels: &pixels }, 40).unwrap()
    }

    #[test]
    fn an_image_keeps_its_aspect_in_its_cell() {
        assert_eq!(count(&fitted(200, 100), [255, 0, 0]), 40 * 20);
        assert_eq!(count(&fitted(5, 10), [255, 0, 0]), 20 * 40);
        assert_eq!(count(&fitted(40, 40), [255, 0, 0]), 40 * 40);
        assert_eq!(*fitted(200, 100).get_pixel(0, 0), image::Rgb(MAT_PIXEL));
    }

    #[test]
    fn an_image_of_extreme_aspect_is_still_one_pixel_thick() {
        assert_eq!(count(&fitted(3000, 5), [255, 0, 0]), 40);
        assert_eq!(count(&fitted(1, 5000), [255, 0, 0]), 40);
    }

    #[test]
    fn cells_follow_each_other_row_by_row() {
        let grid = Grid { left: 10, top: 20, columns: 2, cell_width: 100, cell_height: 50 };
        assert_eq!([0, 1, 2].map(|index| grid.corner(index)), [(10, 20), (130, 20), (10, 90)]);
        assert_eq!((grid.width(), grid.height(0), grid.height(2), grid.height(3)), (220, 0, 50, 120));
    }
}
