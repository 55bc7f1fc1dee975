//! Predictions shown on the images themselves: each with its file name, the class it was taken for and the
//! probability.

use std::io;
use std::path::Path;

use image::{Rgb, RgbImage};

use super::grid::{GAP, Grid, MARGIN, fit, paste, strip};
use super::labelled_image::LabelledImage;
use super::page::{Area, Page};
use super::palette::{BLUE, GREY, INK, PALE};
use super::png::save;
use super::text::{BODY, DISCLAIMER, HEADING, SMALL, shorten, width};
use crate::{Error, Result};

/// The most images on one picture. More would make a sheet that few programs open; a note tells how many are
/// left out.
pub const MOST_IMAGES: usize = 200;

/// The side of an image's square in a grid, in pixels.
const SIDE: u32 = 220;
/// The side of an image on its own; it leaves room for the notes as well.
const SINGLE_SIDE: u32 = 320;
/// The caption below an image.
const CAPTION_HEIGHT: u32 = 66;
/// The height of a line of notes.
const NOTE_HEIGHT: u32 = 22;

/// An image and what the model says of it.
#[derive(Clone, Copy, Debug)]
pub struct AnnotatedImage<'a> {
    /// The image; its label is the file's name.
    pub image: LabelledImage<'a>,
    /// The name of the class it was taken for.
    pub class: &'a str,
    /// Of two classes P(the positive one), whichever was predicted; of more P(the predicted one).
    pub probability: f64,
}

/// Writes one image or a grid of them as PNG. Below each stand its file name, the predicted class, the
/// probability p of the positive class, or where there is none of the predicted one, and a bar that shows p
/// between 0 and 1 with a tick at ½. Below all stand the name of the positive class and the line "not for
/// diagnosis". At most 200 images are drawn; a note says how many there were.
///
/// # Errors
/// [`Error::Image`] names an image whose bytes do not fit its size; [`Error::Io`] names the picture if it
/// cannot be drawn or written.
pub fn write_predictions(path: &Path, positive_class: Option<&str>, predictions: &[AnnotatedImage]) -> Result<()> {
    let shown = &predictions[..predictions.len().min(MOST_IMAGES)];
    let side = if shown.len() > 1 { SIDE } else { SINGLE_SIDE };
    let columns = ((shown.len() as f64).sqrt().ceil() as u32).clamp(1, 6);
    let grid = Grid { left: MARGIN, top: MARGIN, columns, cell_width: side, cell_height: side + CAPTION_HEIGHT };

    let probability = match positive_class {
        Some(class) => format!("p = probability of “{class}”"),
        None => "p = probability of the class".to_string(),
    };
    let bar = "bar: p from 0 to 1, with a tick at 0.5".to_string();
    let mut notes = vec![probability, bar, DISCLAIMER.to_string()];
    if shown.len() < predictions.len() {
        notes.insert(0, format!("the first {} of {} images", shown.len(), predictions.len()));
    }
    let notes_top = grid.top + grid.height(shown.len()) + GAP;
    let picture_width = grid.width() + 2 * MARGIN;
    let picture_height = notes_top + notes.len() as u32 * NOTE_HEIGHT + MARGIN;

    let failed = |error| Error::io("draw", path)(error);
    let mut sheet = RgbImage::from_pixel(picture_width, picture_height, Rgb([0xFF; 3]));
    for (index, prediction) in shown.iter().enumerate() {
        let (left, top) = grid.corner(index);
        paste(&mut sheet, &fit(&prediction.image, side)?, (left, top));
        paste(&mut sheet, &caption(prediction, side).map_err(failed)?, (left, top + side));
    }
    for (line, note) in notes.iter().enumerate() {
        let note = strip(grid.width(), NOTE_HEIGHT, note, SMALL.coloured(GREY), 15.0).map_err(failed)?;
        paste(&mut sheet, &note, (MARGIN, notes_top + line as u32 * NOTE_HEIGHT));
    }
    save(path, &sheet)
}

/// Draws what stands below one image: class and probability, the bar, the file.
fn caption(prediction: &AnnotatedImage, side: u32) -> io::Result<RgbImage> {
    let mut page = Page::new(side, CAPTION_HEIGHT);
    let side = f64::from(side);

    let probability = format!("p = {:.4}", prediction.probability);
    let room = side - width(&probability, BODY)? - 12.0;
    page.text(&shorten(prediction.class, HEADING, room)?, (0.0, 24.0), HEADING)?;
    page.text(&probability, (side, 24.0), BODY.right())?;

    page.fill(Area { left: 0.0, top: 35.0, width: side, height: 4.0 }, PALE)?;
    // A NaN draws no bar.
    page.fill(Area { left: 0.0, top: 35.0, width: side * prediction.probability.clamp(0.0, 1.0), height: 4.0 }, BLUE)?;
    page.fill(Area { left: side / 2.0 - 0.5, top: 33.0, width: 1.0, height: 8.0 }, INK)?;

    page.text(&shorten(prediction.image.label, SMALL, side)?, (0.0, 59.0), SMALL.coloured(GREY))?;
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{count, plain, written};
    use super::*;

    /// Returns a picture of `number` plain green images with this probability.
    fn pictured(number: usize, probability: f64) -> RgbImage {
        let pixels = plain(8, 8, [0, 255, 0]);
        let image = LabelledImage { label: "liver.png", width: 8, height: 8, pixels: &pixels };
        let prediction = AnnotatedImage { image, class: "malignant", probability };
        written(|path| write_predictions(path, Some("malignant"), &vec![prediction; number]))
    }

    #[test]
    fn every_image_is_drawn_with_a_bar_as_long_as_its_probability() {
        for (number, side) in [(1, 320), (2, 220), (7, 220)] {
            let picture = pictured(number, 0.25);
            assert_eq!(count(&picture, [0, 255, 0]), number * side * side);
            assert_eq!(count(&picture, [0x00, 0x72, 0xB2]), number * side / 4 * 4);
        }
        assert_eq!(count(&pictured(1, 0.0), [0x00, 0x72, 0xB2]), 0);
    }

    #[test]
    fn the_disclaimer_fits_below_a_single_image() {
        assert_eq!(shorten(DISCLAIMER, SMALL, f64::from(SINGLE_SIDE)).unwrap(), DISCLAIMER);
        assert_eq!(pictured(1, 0.9).width(), SINGLE_SIDE + 2 * MARGIN);
    }

    #[test]
    fn a_probability_that_is_not_a_number_draws_no_bar() {
        assert_eq!(count(&pictured(1, f64::NAN), [0x00, 0x72, 0xB2]), 0);
    }

    #[test]
    fn images_beyond_the_most_are_left_out() {
        assert_eq!(count(&pictured(MOST_IMAGES + 5, 0.5), [0, 255, 0]), MOST_IMAGES * 220 * 220);
    }
}
