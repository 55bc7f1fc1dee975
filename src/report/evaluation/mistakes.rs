//! The worst mistakes: which of them a page shows, and in which order.

use crate::classes::Label;
use crate::metrics::Judged;

/// The most mistakes that are shown of two classes.
const SHOWN: usize = 24;

/// The most pairs of more than two classes of which mistakes are shown, and the most of each.
const PAIRS: usize = 16;
const SHOWN_OF_A_PAIR: usize = 4;

/// Returns the images, by their places, that a page shows of those that were taken for another class, in the
/// order in which it does, and how many there are in all. Worse is what has the greater loss, of equal ones
/// the earlier.
pub fn worst_mistakes(labels: &[Label], answers: &[Label], losses: &[f64], judged: &Judged) -> (Vec<usize>, usize) {
    let pairs = labels.iter().zip(answers).enumerate();
    let mut worst: Vec<usize> = pairs.filter(|(_, (label, answer))| label != answer).map(|(image, _)| image).collect();
    worst.sort_by(|&a, &b| losses[b].total_cmp(&losses[a]));
    let count = worst.len();
    let shown = match judged {
        Judged::Two(_) | Judged::Labels(_) => worst.into_iter().take(SHOWN).collect(),
        Judged::Several(assessment) => {
            let of_pair = |(label, answer, _): (Label, Label, usize)| {
                let is_it = |image: &&usize| (labels[**image], answers[**image]) == (label, answer);
                worst.iter().filter(is_it).take(SHOWN_OF_A_PAIR).copied().collect::<Vec<usize>>()
            };
            assessment.confusion.confused().into_iter().take(PAIRS).flat_map(of_pair).collect()
        }
    };
    (shown, count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Head;

    /// The mistakes among images of these labels, answers and losses.
    fn shown(images: &[(usize, usize, f64)], units: usize) -> (Vec<usize>, usize) {
        let labels: Vec<Label> = images.iter().map(|image| Label::new(image.0)).collect();
        let answers: Vec<Label> = images.iter().map(|image| Label::new(image.1)).collect();
        let losses: Vec<f64> = images.iter().map(|image| image.2).collect();
        let probabilities = vec![0.0; images.len() * units];
        let judged = Judged::new(Head::new(units), &labels, &answers, &probabilities, &losses, 0.5);
        worst_mistakes(&labels, &answers, &losses, &judged)
    }

    #[test]
    fn of_two_classes_the_worst_are_shown_worst_first_and_all_are_counted() {
        // 0, 7, 14, … 49, 6, …: each of 0 to 49 once; then the worst once more, which comes after its equal.
        let losses = (0..50).map(|index| index * 7 % 50).chain([49]);
        let images: Vec<(usize, usize, f64)> =
            losses.map(|loss| (0, 1, f64::from(loss))).chain([(1, 1, 99.0)]).collect();
        let (shown, count) = shown(&images, 1);
        assert_eq!((count, shown.len()), (51, SHOWN));
        let losses: Vec<f64> = shown.iter().map(|&image| images[image].2).collect();
        assert_eq!((shown[0], shown[1], losses[2], losses[SHOWN - 1]), (7, 50, 48.0, 27.0));
    }

    #[test]
    fn of_more_the_worst_of_each_pair_are_shown_the_most_frequent_pair_first() {
        let images = [(0, 1, 1.0), (0, 2, 9.0), (0, 1, 2.0), (2, 2, 9.0), (1, 0, 3.0)];
        let more = [(0, 1, 0.5), (0, 1, 0.4), (0, 1, 0.6)];
        // Of five of class 0 that were taken for class 1 the four worst, and the pairs of one in their order.
        assert_eq!(shown(&[&images[..], &more].concat(), 3), (vec![2, 0, 7, 5, 1, 4], 7));
    }
}
