//! The worst mistakes: which are shown, and their pictures, read once more for that.

use super::answered::Answered;
use super::evaluation::EvaluationResult;
use crate::cli::input::predictor::Image;
use crate::cli::terminal::console;
use glassnet::metrics::Judged;
use glassnet::report::evaluation::mistakes::worst_mistakes;
use glassnet::report::evaluation::page::Mistake;
use glassnet::report::pictures::{LabelledImage, thumbnail};
use std::sync::Arc;

impl EvaluationResult<'_> {
    /// Returns the mistakes that are shown, with their pictures, and how many there are in all. One whose
    /// picture cannot be read any more is named, and not shown.
    pub fn mistakes(&self) -> (Vec<Mistake>, usize) {
        let Answered { labels, answers, losses, .. } = &self.answered;
        let (shown, count) = worst_mistakes(labels, answers, losses, &self.judged);
        let picture = |image: usize| {
            let made = self.mistake(image);
            made.inspect_err(|error| console::warn(&format!("a mistake is not shown: {error}"))).ok()
        };
        (shown.into_iter().filter_map(picture).collect(), count)
    }

    fn mistake(&self, image: usize) -> glassnet::Result<Mistake> {
        let answered = &self.answered;
        let file = &answered.files[image];
        let pixels = self.network.picture(&Image::InSource(Arc::clone(&self.source), answered.entries[image]))?;
        let (width, height) = (pixels.width as u32, pixels.height as u32);
        let jpeg = thumbnail(&LabelledImage { label: file, width, height, pixels: &pixels.pixels })?;
        let (label, answer) = (answered.labels[image], answered.answers[image]);
        let row = answered.row(self.network.head(), image);
        let probability = match self.judged {
            Judged::Two(_) => self.network.head().positive(row),
            Judged::Several(_) => row[answer.index()],
        };
        Ok(Mistake { file: console::one_line(file).into_owned(), label, answer, probability, jpeg })
    }
}
