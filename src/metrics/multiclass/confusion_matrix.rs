//! How often each class was taken for each.

use super::class_measures::{ClassMeasures, Means};
use crate::classes::Label;
use crate::metrics::interval::share;

/// How often each of K classes was taken for each: `[K×K]`, a row for each class, a column for each answer.
///
/// ```
/// use glassnet::classes::Label;
/// use glassnet::metrics::multiclass::ConfusionMatrix;
/// let (labels, answers) = ([0, 1, 2, 2].map(Label::new), [0, 2, 2, 2].map(Label::new));
/// let matrix = ConfusionMatrix::new(3, &labels, &answers);
/// assert_eq!(matrix.count(Label::new(1), Label::new(2)), 1);
/// assert_eq!(matrix.accuracy(), Some(0.75));
/// assert_eq!(matrix.class(Label::new(2)).precision(), Some(2.0 / 3.0));
/// assert_eq!(matrix.majority_share(), Some(0.5));
/// assert_eq!(matrix.confused(), [(Label::new(1), Label::new(2), 1)]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    classes: usize,
    counts: Vec<usize>,
}

impl ConfusionMatrix {
    /// Counts the answers against the labels.
    ///
    /// # Panics
    /// If there are not as many labels as answers, or one is not of these classes.
    pub fn new(classes: usize, labels: &[Label], answers: &[Label]) -> ConfusionMatrix {
        assert_eq!(labels.len(), answers.len(), "as many labels as answers");
        let mut counts = vec![0; classes * classes];
        for (label, answer) in labels.iter().zip(answers) {
            assert!(answer.index() < classes, "an answer beyond the {classes} classes");
            counts[label.index() * classes + answer.index()] += 1;
        }
        ConfusionMatrix { classes, counts }
    }

    /// K.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many images of a class got an answer.
    pub fn count(&self, label: Label, answer: Label) -> usize {
        self.counts[label.index() * self.classes + answer.index()]
    }

    /// All images.
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The right answers: the sum of the diagonal.
    pub fn right(&self) -> usize {
        self.labels().map(|label| self.count(label, label)).sum()
    }

    /// The share of right answers: the diagonal / all.
    pub fn accuracy(&self) -> Option<f64> {
        share(self.right(), self.total())
    }

    /// The mistakes by which class was taken for which: the cells beside the diagonal that are not empty, the
    /// largest first, of equals in the order of the rows.
    pub fn confused(&self) -> Vec<(Label, Label, usize)> {
        let cells = self.labels().flat_map(|label| self.labels().map(move |answer| (label, answer)));
        let wrong = cells.filter(|(label, answer)| label != answer);
        let counted = wrong.map(|(label, answer)| (label, answer, self.count(label, answer)));
        let mut confused: Vec<(Label, Label, usize)> = counted.filter(|(_, _, count)| *count > 0).collect();
        confused.sort_by_key(|(_, _, count)| std::cmp::Reverse(*count));
        confused
    }

    /// How many images each class has.
    pub fn supports(&self) -> Vec<usize> {
        self.counts.chunks_exact(self.classes).map(|row| row.iter().sum()).collect()
    }

    /// The share of the most frequent class: the accuracy of always answering it.
    pub fn majority_share(&self) -> Option<f64> {
        share(self.supports().into_iter().max().unwrap_or(0), self.total())
    }

    /// The rows of counts, in the order of the classes.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[usize]> {
        self.counts.chunks_exact(self.classes)
    }

    /// How well a class is told from all others.
    pub fn class(&self, label: Label) -> ClassMeasures {
        let right = self.count(label, label);
        let images: usize = self.labels().map(|answer| self.count(label, answer)).sum();
        let answers: usize = self.labels().map(|other| self.count(other, label)).sum();
        ClassMeasures { true_positive: right, false_positive: answers - right, false_negative: images - right }
    }

    /// The means over the classes, each counting alike.
    pub fn macro_means(&self) -> Means {
        self.means(|_| 1)
    }

    /// The means over the classes, each counting by its images.
    pub fn weighted_means(&self) -> Means {
        self.means(|class| class.support())
    }

    fn means(&self, weight: fn(&ClassMeasures) -> usize) -> Means {
        let classes: Vec<ClassMeasures> = self.labels().map(|label| self.class(label)).collect();
        let all: usize = classes.iter().map(weight).sum();
        // A class that weighs nothing has no part, even if its measure is undefined.
        let mean = |measure: fn(&ClassMeasures) -> Option<f64>| {
            let weighing = classes.iter().filter(|class| weight(class) > 0);
            let sum: Option<f64> = weighing.map(|class| Some(weight(class) as f64 * measure(class)?)).sum();
            sum.filter(|_| all > 0).map(|sum| sum / all as f64)
        };
        Means {
            precision: mean(ClassMeasures::precision),
            recall: mean(ClassMeasures::recall),
            f1: mean(ClassMeasures::f1),
        }
    }

    /// The labels of the classes, in order.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = Label> + use<> {
        (0..self.classes).map(Label::new)
    }
}
