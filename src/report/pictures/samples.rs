//! The grid of samples: images of each class under its name, the classes beside and below each other.

use std::path::Path;

use image::{Rgb, RgbImage};

use super::grid::{GAP, Grid, MARGIN, fit, paste, strip};
use super::labelled_image::LabelledImage;
use super::palette::GREY;
use super::png::save;
use super::text::{BODY, DISCLAIMER, HEADING, SMALL, TITLE};
use crate::{Error, Result};

/// The side of a sample's square, in pixels.
pub const SIDE: u32 = 150;
/// A cell: the square and one line of text below.
const CELL_HEIGHT: u32 = SIDE + 24;
/// The title's strip at the top.
const TITLE_HEIGHT: u32 = 76;
/// The strip with the name of a class.
const CLASS_HEIGHT: u32 = 36;
/// The most classes that stand in one row.
const SIDE_BY_SIDE: usize = 3;
/// The note's strip at the bottom.
const NOTE_HEIGHT: u32 = 56;

/// Images of one class.
#[derive(Clone, Copy, Debug)]
pub struct ClassSamples<'a> {
    /// The name of the class.
    pub name: &'a str,
    /// The images to show.
    pub images: &'a [LabelledImage<'a>],
}

/// Writes a grid of labelled images as PNG: a block for each class, a few of them side by side, of many as
/// many rows of blocks as make the picture about square; each image is scaled to its cell with its aspect
/// kept and its label below.
///
/// # Errors
/// [`Error::Image`] names an image whose bytes do not fit its size; [`Error::Io`] names the picture if it
/// cannot be drawn or written.
pub fn write_samples(path: &Path, title: &str, classes: &[ClassSamples]) -> Result<()> {
    let grids = layout(classes);
    let right = grids.iter().map(|grid| grid.left + grid.width()).max();
    let bottom = grids.iter().zip(classes).map(|(grid, class)| grid.top + block_height(grid, class)).max();
    let width = right.unwrap_or(MARGIN + SIDE) + MARGIN;
    let height = bottom.unwrap_or(TITLE_HEIGHT + CLASS_HEIGHT + CELL_HEIGHT) + NOTE_HEIGHT;

    let failed = |error| Error::io("draw", path)(error);
    let mut sheet = RgbImage::from_pixel(width, height, Rgb([0xFF; 3]));
    let title = strip(width - 2 * MARGIN, TITLE_HEIGHT, title, TITLE, 42.0).map_err(failed)?;
    paste(&mut sheet, &title, (MARGIN, 0));
    let note = strip(width - 2 * MARGIN, NOTE_HEIGHT, DISCLAIMER, SMALL.coloured(GREY), 36.0).map_err(failed)?;
    paste(&mut sheet, &note, (MARGIN, height - NOTE_HEIGHT));

    for (grid, class) in grids.iter().zip(classes) {
        let heading = strip(grid.width(), CLASS_HEIGHT, class.name, HEADING, 16.0).map_err(failed)?;
        paste(&mut sheet, &heading, (grid.left, grid.top - CLASS_HEIGHT));
        for (index, image) in class.images.iter().enumerate() {
            let (left, top) = grid.corner(index);
            paste(&mut sheet, &fit(image, SIDE)?, (left, top));
            let label = strip(SIDE, CELL_HEIGHT - SIDE, image.label, SMALL.coloured(GREY), 17.0).map_err(failed)?;
            paste(&mut sheet, &label, (left, top + SIDE));
        }
        if class.images.is_empty() {
            let empty = strip(grid.width(), CELL_HEIGHT, "no images", BODY.coloured(GREY), 17.0).map_err(failed)?;
            paste(&mut sheet, &empty, grid.corner(0));
        }
    }
    save(path, &sheet)
}

/// The height of the images of a class.
fn block_height(grid: &Grid, class: &ClassSamples) -> u32 {
    grid.height(class.images.len()).max(CELL_HEIGHT)
}

/// Returns one grid a class, each about as wide as high: from left to right, and from the top down.
fn layout(classes: &[ClassSamples]) -> Vec<Grid> {
    let across = match classes.len() {
        few @ ..=SIDE_BY_SIDE => few,
        many => (many as f64).sqrt().ceil() as usize,
    };
    let (mut grids, mut top) = (Vec::new(), TITLE_HEIGHT + CLASS_HEIGHT);
    for row in classes.chunks(across.max(1)) {
        let (mut left, mut tallest) = (MARGIN, 0);
        for class in row {
            let columns = ((class.images.len() as f64).sqrt().ceil() as u32).clamp(2, 5);
            let grid = Grid { left, top, columns, cell_width: SIDE, cell_height: CELL_HEIGHT };
            left += grid.width() + 2 * GAP;
            tallest = tallest.max(block_height(&grid, class));
            grids.push(grid);
        }
        top += tallest + CLASS_HEIGHT + GAP;
    }
    grids
}

#[cfg(test)]
mod tests {
    use super::super::testing::{count, plain, written};
    use super::*;

    #[test]
    fn both_classes_stand_side_by_side_with_all_their_images() {
        let red = plain(64, 48, [255, 0, 0]);
        let green = plain(10, 10, [0, 255, 0]);
        let reds = [LabelledImage { label: "red.png", width: 64, height: 48, pixels: &red }; 3];
        let greens = [LabelledImage { label: "肝.png", width: 10, height: 10, pixels: &green }; 1];
        let classes =
            [ClassSamples { name: "benign", images: &reds }, ClassSamples { name: "malignant", images: &greens }];
        let picture = written(|path| write_samples(path, "Samples", &classes));
        // Two columns and two rows a class.
        assert_eq!(picture.width(), 2 * MARGIN + 2 * (2 * SIDE + GAP) + 2 * GAP);
        assert_eq!(picture.height(), TITLE_HEIGHT + CLASS_HEIGHT + 2 * CELL_HEIGHT + GAP + NOTE_HEIGHT);
        assert_eq!(count(&picture, [255, 0, 0]), 3 * (150 * 113), "64×48 becomes 150×113");
        assert_eq!(count(&picture, [0, 255, 0]), 150 * 150);
        let greens_begin =
            picture.enumerate_pixels().filter(|(_, _, pixel)| pixel.0 == [0, 255, 0]).map(|(x, ..)| x).min();
        assert_eq!(greens_begin, Some(MARGIN + 2 * SIDE + GAP + 2 * GAP));
    }

    #[test]
    fn many_classes_make_a_picture_about_as_wide_as_high() {
        let grey = plain(8, 8, [9, 9, 9]);
        let images = [LabelledImage { label: "a.png", width: 8, height: 8, pixels: &grey }; 6];
        for classes in [10, 100] {
            let picture = written(|path| {
                write_samples(path, "Samples", &vec![ClassSamples { name: "a", images: &images }; classes])
            });
            assert_eq!(count(&picture, [9, 9, 9]), classes * 6 * 150 * 150);
            let ratio = f64::from(picture.width()) / f64::from(picture.height());
            assert!((0.5..2.0).contains(&ratio), "{:?}", picture.dimensions());
        }
    }

    #[test]
    fn no_images_and_no_classes_still_make_a_picture() {
        let classes = [ClassSamples { name: "benign", images: &[] }, ClassSamples { name: "malignant", images: &[] }];
        assert!(written(|path| write_samples(path, "Samples", &classes)).width() > 600);
        assert!(written(|path| write_samples(path, "Samples", &[])).width() > 100);
    }

    #[test]
    fn a_broken_image_is_named_and_nothing_is_written() {
        let broken = [LabelledImage { label: "broken.png", width: 9, height: 9, pixels: &[1, 2, 3] }];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grid.png");
        let error = write_samples(&path, "Samples", &[ClassSamples { name: "benign", images: &broken }]).unwrap_err();
        assert!(error.to_string().starts_with("broken.png cannot be read"), "{error}");
        assert!(!path.exists());
    }
}
