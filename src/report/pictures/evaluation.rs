//! The pictures of an evaluation, as PNG in memory, for a page.

use std::io::Cursor;

use image::{ImageFormat, RgbImage, imageops};
use libjpeg_turbo_rs::{PixelFormat, Subsampling};

use super::labelled_image::LabelledImage;
use super::{confusion, confusion_matrix, reliability, roc, scores};
use crate::classes::Label;
use crate::metrics::Assessment;
use crate::metrics::multiclass::MulticlassAssessment;
use crate::{Error, Result};

/// The longest side of a thumbnail, in pixels.
pub const THUMBNAIL_SIDE: u32 = 240;

/// The quality of thumbnails, in JPEG's percent.
const THUMBNAIL_QUALITY: u8 = 88;

/// The four pictures, each a PNG.
pub struct EvaluationPictures {
    /// The ROC curve with the threshold's point.
    pub roc: Vec<u8>,
    /// The confusion matrix.
    pub confusion: Vec<u8>,
    /// The histogram of probabilities by class.
    pub scores: Vec<u8>,
    /// The reliability diagram.
    pub reliability: Vec<u8>,
}

/// Draws the pictures; `classes[1]` is the positive class.
///
/// # Errors
/// [`Error::Io`] with `name`, that of the page, if one cannot be drawn.
pub fn evaluation_pictures(
    name: &std::path::Path,
    assessment: &Assessment,
    labels: &[Label],
    probabilities: &[f32],
    classes: [&str; 2],
) -> Result<EvaluationPictures> {
    let failed = |error| Error::io("draw", name)(error);
    let picture = |drawn: std::io::Result<RgbImage>| drawn.and_then(|picture| png(&picture)).map_err(failed);
    let title = format!("Confusion at threshold {}", assessment.threshold);
    let [across, upwards] = ["mean probability", "observed share"].map(|what| format!("{what} of {}", classes[1]));
    Ok(EvaluationPictures {
        roc: picture(roc::draw(assessment, classes))?,
        confusion: picture(
            confusion::page(&title, classes, &assessment.confusion).and_then(|page| page.finish_fine()),
        )?,
        scores: picture(scores::draw(labels, probabilities, assessment.threshold, classes))?,
        reliability: picture(reliability::draw(assessment.calibration.as_ref(), [&across, &upwards]))?,
    })
}

/// Draws the confusion matrix and the reliability diagram of more than two classes, each a PNG.
///
/// # Errors
/// [`Error::Io`] with `name`, that of the page, if one cannot be drawn.
pub fn multiclass_pictures(
    name: &std::path::Path,
    assessment: &MulticlassAssessment,
    classes: &[&str],
) -> Result<[Vec<u8>; 2]> {
    let picture = |drawn: std::io::Result<RgbImage>| {
        drawn.and_then(|picture| png(&picture)).map_err(|error| Error::io("draw", name)(error))
    };
    let matrix = confusion_matrix::page("Confusion", classes, &assessment.confusion);
    let axes = ["mean probability of the answer", "share of right answers"];
    Ok([
        picture(matrix.and_then(|page| page.finish_fine()))?,
        picture(reliability::draw(assessment.confidence.as_ref(), axes))?,
    ])
}

fn png(picture: &RgbImage) -> std::io::Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).map_err(std::io::Error::other)?;
    Ok(bytes.into_inner())
}

/// Returns a small copy of an image as JPEG: at most [`THUMBNAIL_SIDE`] pixels wide and high, its aspect
/// kept.
///
/// # Errors
/// [`Error::Image`] when the image is empty or its bytes do not fit its size.
pub fn thumbnail(image: &LabelledImage) -> Result<Vec<u8>> {
    let buffer = image.buffer()?;
    let longest = image.width.max(image.height);
    let side = |length: u32| (u64::from(length) * u64::from(THUMBNAIL_SIDE) / u64::from(longest)).max(1) as u32;
    let small = match longest <= THUMBNAIL_SIDE {
        true => RgbImage::from_fn(image.width, image.height, |x, y| *buffer.get_pixel(x, y)),
        false => imageops::thumbnail(&buffer, side(image.width), side(image.height)),
    };
    let (width, height) = (small.width() as usize, small.height() as usize);
    libjpeg_turbo_rs::compress(&small, width, height, PixelFormat::Rgb, THUMBNAIL_QUALITY, Subsampling::S444)
        .map_err(|error| Error::Image { file: image.label.to_string(), reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{count, plain};
    use super::*;
    use std::path::Path;

    const BLUE: [u8; 3] = [0x00, 0x72, 0xB2];
    const VERMILION: [u8; 3] = [0xD5, 0x5E, 0x00];

    fn pictures(labels: &[Label], probabilities: &[f32]) -> [RgbImage; 4] {
        let assessment = Assessment::new(labels, probabilities, &vec![0.5; labels.len()], 0.5);
        let drawn = evaluation_pictures(Path::new("page"), &assessment, labels, probabilities, ["cat", "dog"]).unwrap();
        [drawn.roc, drawn.confusion, drawn.scores, drawn.reliability]
            .map(|png| image::load_from_memory(&png).unwrap().into_rgb8())
    }

    #[test]
    fn the_curve_of_a_perfect_order_follows_the_left_and_upper_edges() {
        let [roc, ..] = pictures(&[0, 0, 1, 1].map(Label::new), &[0.1, 0.2, 0.8, 0.9]);
        assert_eq!(roc.dimensions(), (1120, 1120));
        let blues = || roc.enumerate_pixels().filter(|(_, _, pixel)| pixel.0 == BLUE);
        // The panel is 460 × 430, drawn twice as large: nothing lies inside of it, below and right of the
        // corner.
        assert!(blues().count() > 2 * (900 + 800));
        assert!(blues().all(|(x, y, _)| x < 140 || y < 136), "the curve leaves the edges");
        assert!(count(&roc, VERMILION) > 300, "the threshold's point");
    }

    #[test]
    fn the_histogram_has_a_bar_for_each_class_where_its_probabilities_are() {
        let [_, _, scores, _] = pictures(&[0, 0, 1, 1].map(Label::new), &[0.01, 0.02, 0.98, 0.99]);
        let middle = |colour: [u8; 3]| {
            let places = scores.enumerate_pixels().filter(|(_, _, pixel)| pixel.0 == colour).map(|(x, y, _)| (x, y));
            let places: Vec<(u32, u32)> = places.collect();
            let count = places.len() as u32;
            (
                places.iter().map(|place| place.0).sum::<u32>() / count,
                places.iter().map(|place| place.1).sum::<u32>() / count,
            )
        };
        let ((blue_x, blue_y), (red_x, red_y)) = (middle(BLUE), middle(VERMILION));
        assert!(blue_x < 200 && red_x > 950 && red_y < blue_y, "{blue_x} {blue_y} {red_x} {red_y}");
    }

    #[test]
    fn without_an_image_every_picture_says_so_and_shows_no_figure() {
        let [roc, _, scores, reliability] = pictures(&[], &[]);
        for picture in [roc, scores, reliability] {
            assert_eq!((count(&picture, BLUE), count(&picture, VERMILION)), (0, 0));
        }
    }

    #[test]
    fn a_thumbnail_keeps_the_aspect_and_a_small_image_its_size() {
        let size = |width: u32, height: u32| {
            let pixels = plain(width, height, [10, 200, 30]);
            let bytes = thumbnail(&LabelledImage { label: "a", width, height, pixels: &pixels }).unwrap();
            let picture = image::load_from_memory(&bytes).unwrap().into_rgb8();
            assert!(picture.pixels().all(|pixel| pixel.0[1] > 150 && pixel.0[0] < 60));
            picture.dimensions()
        };
        assert_eq!(size(480, 240), (240, 120));
        assert_eq!(size(5, 4800), (1, 240));
        assert_eq!(size(18, 14), (18, 14));
    }
}
