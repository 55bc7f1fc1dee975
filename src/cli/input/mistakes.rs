//! Mistakes with their pictures, for a page.

use crate::cli::terminal::console;
use glassnet::Result;
use glassnet::classes::Label;
use glassnet::data::decode::Rgb8;
use glassnet::head::Head;
use glassnet::report::evaluation::page::Mistake;
use glassnet::report::pictures::{LabelledImage, thumbnail};

/// Makes the mistakes that are shown. One whose picture cannot be read any more is named, and not shown.
pub fn pictured(shown: Vec<usize>, make: impl Fn(usize) -> Result<Mistake>) -> Vec<Mistake> {
    let picture =
        |image: usize| make(image).inspect_err(|error| console::warn(&format!("a mistake is not shown: {error}"))).ok();
    shown.into_iter().filter_map(picture).collect()
}

/// A mistake of a network with this head: the image's file and picture, its label and the answer, and its
/// row of probabilities.
///
/// # Errors
/// As [`thumbnail`].
pub fn mistake(head: Head, file: &str, pixels: &Rgb8, [label, answer]: [Label; 2], row: &[f32]) -> Result<Mistake> {
    let (width, height) = (pixels.width as u32, pixels.height as u32);
    let jpeg = thumbnail(&LabelledImage { label: file, width, height, pixels: &pixels.pixels })?;
    let probability = match head.classes() {
        2 => head.positive(row),
        _ => row[answer.index()],
    };
    Ok(Mistake { file: console::one_line(file).into_owned(), label, answer, probability, jpeg })
}
