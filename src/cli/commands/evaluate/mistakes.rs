//! The worst mistakes: which are shown, and their pictures, read once more for that.

use super::answered::Answered;
use super::evaluation::EvaluationResult;
use crate::cli::input::mistakes::{mistake, pictured};
use crate::cli::input::predictor::Image;
use glassnet::report::evaluation::mistakes::worst_mistakes;
use glassnet::report::evaluation::page::Mistake;
use std::sync::Arc;

impl EvaluationResult<'_> {
    /// Returns the mistakes that are shown, with their pictures, and how many there are in all. One whose
    /// picture cannot be read any more is named, and not shown.
    pub fn mistakes(&self) -> (Vec<Mistake>, usize) {
        let Answered { labels, answers, losses, .. } = &self.answered;
        let (shown, count) = worst_mistakes(labels, answers, losses, &self.judged);
        (pictured(shown, |image| self.mistake(image)), count)
    }

    fn mistake(&self, image: usize) -> glassnet::Result<Mistake> {
        let answered = &self.answered;
        let file = &answered.files[image];
        let pixels = self.network.picture(&Image::InSource(Arc::clone(&self.source), answered.entries[image]))?;
        let pair = [answered.labels[image], answered.answers[image]];
        mistake(self.network.head(), file, &pixels, pair, answered.row(self.network.head(), image))
    }
}
