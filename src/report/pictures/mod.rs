//! The pictures of a run, written as PNG: learning curves, confusion matrix, samples of both classes, and
//! predictions; and those of an evaluation, for its page.
//!
//! Every picture is drawn on a page of given size: plotters draws shapes and letters, `image` scales the
//! photographs and encodes the file, and the letters come with the program (`font/`). A function here either
//! writes the whole file or returns an error that names it. The files are PNG whatever their names end with.

mod axes;
mod confusion;
mod confusion_matrix;
mod curves;
mod evaluation;
mod grid;
mod labelled_image;
pub mod maps;
mod page;
mod palette;
mod png;
mod predictions;
mod rates;
mod reliability;
mod roc;
mod run_curves;
mod samples;
mod scores;
mod text;
mod trials;
mod unit_square;

pub use confusion::write_confusion;
pub use confusion_matrix::write_confusion_matrix;
pub use curves::write_curves;
pub use evaluation::{EvaluationPictures, THUMBNAIL_SIDE, evaluation_pictures, multiclass_pictures, thumbnail};
pub use labelled_image::{LONGEST_SHOWN, LabelledImage, shrink};
pub use predictions::{AnnotatedImage, MOST_IMAGES, write_predictions};
pub use rates::write_rates;
pub use run_curves::{MOST_RUNS, RunCurve, write_run_curves};
pub use samples::{ClassSamples, SIDE as SAMPLE_SIDE, write_samples};
pub use trials::{MOST_SETTINGS, TrialPoint, TriedSetting, write_trials};

/// The helpers that the tests of all pictures share.
#[cfg(test)]
mod testing {
    use crate::Result;
    use image::RgbImage;
    use std::path::Path;

    /// Writes a picture into a folder of its own and reads it back.
    pub(super) fn written(write: impl FnOnce(&Path) -> Result<()>) -> RgbImage {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture.png");
        write(&path).unwrap();
        image::open(&path).unwrap().into_rgb8()
    }

    /// Counts the pixels that have exactly this colour.
    pub(super) fn count(picture: &RgbImage, colour: [u8; 3]) -> usize {
        picture.pixels().filter(|pixel| pixel.0 == colour).count()
    }

    /// Returns one colour all over.
    pub(super) fn plain(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
        colour.repeat((width * height) as usize)
    }
}
