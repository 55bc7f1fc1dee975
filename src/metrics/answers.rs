//! What can be said of answers whatever the number of classes.

use super::interval::share;
use crate::classes::Label;

/// The share of right answers; `None` without images.
///
/// # Panics
/// If there are not as many labels as answers.
pub fn accuracy(labels: &[Label], answers: impl ExactSizeIterator<Item = Label>) -> Option<f64> {
    assert_eq!(labels.len(), answers.len(), "as many labels as answers");
    share(labels.iter().zip(answers).filter(|(label, answer)| *label == answer).count(), labels.len())
}

/// The class that every image was taken for although there are images of others.
///
/// # Panics
/// If there are not as many labels as answers.
pub fn only_answer(labels: &[Label], answers: &[Label]) -> Option<Label> {
    assert_eq!(labels.len(), answers.len(), "as many labels as answers");
    let only = |of: &[Label]| of.first().copied().filter(|first| of.iter().all(|other| other == first));
    only(answers).filter(|_| only(labels).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(indices: &[usize]) -> Vec<Label> {
        indices.iter().copied().map(Label::new).collect()
    }

    #[test]
    fn accuracy_is_the_share_of_right_answers_and_without_images_there_is_none() {
        let of = |wanted: &[usize], found: &[usize]| accuracy(&labels(wanted), labels(found).into_iter());
        assert_eq!(of(&[0, 1, 2, 2], &[0, 2, 2, 2]), Some(0.75));
        assert_eq!(of(&[], &[]), None);
    }

    #[test]
    fn one_answer_for_all_is_told_where_there_are_images_of_several_classes() {
        let only = |wanted: &[usize], found: &[usize]| only_answer(&labels(wanted), &labels(found));
        assert_eq!(only(&[0, 1, 2], &[2, 2, 2]), Some(Label::new(2)));
        assert_eq!(only(&[0, 1, 0], &[2, 2, 2]), Some(Label::new(2)));
        assert_eq!(only(&[0, 1, 2], &[2, 2, 1]), None);
        assert_eq!((only(&[1, 1], &[1, 1]), only(&[], &[])), (None, None));
    }
}
