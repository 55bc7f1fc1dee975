//! The worst mistakes: which are shown, and their pictures, read once more for that.

use super::answered::Answered;
use super::evaluation::EvaluationResult;
use crate::cli::input::predictor::Image;
use crate::cli::terminal::console;
use glassnet::classes::Label;
use glassnet::metrics::Judged;
use glassnet::report::evaluation::page::Mistake;
use glassnet::report::pictures::{LabelledImage, thumbnail};
use std::sync::Arc;

/// The most mistakes that are shown of two classes.
const SHOWN: usize = 24;

/// The most pairs of more than two classes of which mistakes are shown, and the most of each.
const PAIRS: usize = 16;
const SHOWN_OF_A_PAIR: usize = 4;

/// The images that were taken for another class, worst first: by their loss, of equal ones the earlier.
fn mistakes(answered: &Answered) -> Vec<usize> {
    let labels = answered.labels.iter().zip(&answered.answers).enumerate();
    let mut wrong: Vec<usize> = labels.filter(|(_, (label, answer))| label != answer).map(|(image, _)| image).collect();
    wrong.sort_by(|&a, &b| answered.losses[b].total_cmp(&answered.losses[a]));
    wrong
}

/// The mistakes that are shown, in the order in which they are; and how many there are in all.
fn shown(answered: &Answered, judged: &Judged) -> (Vec<usize>, usize) {
    let worst = mistakes(answered);
    let count = worst.len();
    let shown = match judged {
        Judged::Two(_) => worst.into_iter().take(SHOWN).collect(),
        Judged::Several(assessment) => {
            let of_pair = |(label, answer, _): (Label, Label, usize)| {
                let is_it = |image: &&usize| (answered.labels[**image], answered.answers[**image]) == (label, answer);
                worst.iter().filter(is_it).take(SHOWN_OF_A_PAIR).copied().collect::<Vec<usize>>()
            };
            assessment.confusion.confused().into_iter().take(PAIRS).flat_map(of_pair).collect()
        }
    };
    (shown, count)
}

impl EvaluationResult<'_> {
    /// Returns the mistakes that are shown, with their pictures, and how many there are in all. One whose
    /// picture cannot be read any more is named, and not shown.
    pub fn mistakes(&self) -> (Vec<Mistake>, usize) {
        let (shown, count) = shown(&self.answered, &self.judged);
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

#[cfg(test)]
mod tests {
    use super::*;
    use glassnet::head::Head;

    /// Answers with these labels, answers and losses.
    fn answered(images: &[(usize, usize, f64)]) -> Answered {
        Answered {
            labels: images.iter().map(|image| Label::new(image.0)).collect(),
            answers: images.iter().map(|image| Label::new(image.1)).collect(),
            losses: images.iter().map(|image| image.2).collect(),
            ..Answered::default()
        }
    }

    fn judged(answered: &Answered, units: usize) -> Judged {
        let probabilities = vec![0.0; answered.labels.len() * units];
        Judged::new(Head::new(units), &answered.labels, &answered.answers, &probabilities, &answered.losses, 0.5)
    }

    #[test]
    fn of_two_classes_the_worst_are_shown_worst_first_and_all_are_counted() {
        // 0, 7, 14, … 49, 6, …: each of 0 to 49 once; then the worst once more, which comes after its equal.
        let losses = (0..50).map(|index| index * 7 % 50).chain([49]);
        let images: Vec<(usize, usize, f64)> =
            losses.map(|loss| (0, 1, f64::from(loss))).chain([(1, 1, 99.0)]).collect();
        let answered = answered(&images);
        let (shown, count) = shown(&answered, &judged(&answered, 1));
        assert_eq!((count, shown.len()), (51, SHOWN));
        let losses: Vec<f64> = shown.iter().map(|&image| answered.losses[image]).collect();
        assert_eq!((shown[0], shown[1], losses[2], losses[SHOWN - 1]), (7, 50, 48.0, 27.0));
    }

    #[test]
    fn of_more_the_worst_of_each_pair_are_shown_the_most_frequent_pair_first() {
        let images = [(0, 1, 1.0), (0, 2, 9.0), (0, 1, 2.0), (2, 2, 9.0), (1, 0, 3.0)];
        let more = [(0, 1, 0.5), (0, 1, 0.4), (0, 1, 0.6)];
        let answered = answered(&[&images[..], &more].concat());
        let (shown, count) = shown(&answered, &judged(&answered, 3));
        // Of five of class 0 that were taken for class 1 the four worst, and the pairs of one in their order.
        assert_eq!((shown, count), (vec![2, 0, 7, 5, 1, 4], 7));
    }
}
