//! The labels of an image that may have several of them, or none.

use super::Label;

/// The most labels of which an image may have several.
pub const MAX_LABELS: usize = 64;

/// Which of at most [`MAX_LABELS`] labels an image has: any number of them, none too.
///
/// ```
/// use glassnet::classes::{Label, LabelSet};
/// let set: LabelSet = [0, 3].map(Label::new).into_iter().collect();
/// assert!(set.has(Label::new(3)) && !set.has(Label::new(1)));
/// assert_eq!(set.labels().collect::<Vec<Label>>(), [0, 3].map(Label::new));
/// assert!(LabelSet::NONE.is_empty());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelSet(u64);

impl LabelSet {
    /// No label at all.
    pub const NONE: LabelSet = LabelSet(0);

    /// The same with this label.
    ///
    /// # Panics
    /// If the label's index is not below [`MAX_LABELS`].
    pub fn with(self, label: Label) -> LabelSet {
        assert!(label.index() < MAX_LABELS, "a label beyond the {MAX_LABELS} that a set can have");
        LabelSet(self.0 | 1 << label.index())
    }

    /// Whether the label is in it.
    pub fn has(self, label: Label) -> bool {
        label.index() < MAX_LABELS && self.0 >> label.index() & 1 == 1
    }

    /// How many labels are in it.
    pub fn count(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether no label is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The labels in it, ascending.
    pub fn labels(self) -> impl Iterator<Item = Label> {
        (0..MAX_LABELS).map(Label::new).filter(move |&label| self.has(label))
    }

    /// Whether all labels in it are among the first so many.
    pub fn is_of(self, labels: usize) -> bool {
        labels >= MAX_LABELS || self.0 >> labels == 0
    }

    /// On how many labels the two differ: those that are in one of them alone.
    pub fn differences(self, other: LabelSet) -> usize {
        (self.0 ^ other.0).count_ones() as usize
    }
}

impl FromIterator<Label> for LabelSet {
    fn from_iter<I: IntoIterator<Item = Label>>(labels: I) -> LabelSet {
        labels.into_iter().fold(LabelSet::NONE, LabelSet::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_label_of_a_set_is_one_like_the_others() {
        let set: LabelSet = [63, 0].map(Label::new).into_iter().collect();
        assert_eq!((set.count(), set.has(Label::new(63)), set.has(Label::new(64))), (2, true, false));
        assert_eq!(set.labels().map(Label::index).collect::<Vec<usize>>(), [0, 63]);
        assert_eq!((set.is_of(64), set.is_of(63), LabelSet::NONE.is_of(0)), (true, false, true));
    }

    #[test]
    fn sets_differ_on_the_labels_that_one_of_them_has_alone() {
        let set = |indices: &[usize]| indices.iter().copied().map(Label::new).collect::<LabelSet>();
        assert_eq!(set(&[0, 1, 5]).differences(set(&[1, 2])), 3);
        assert_eq!(set(&[4]).differences(set(&[4])), 0);
    }
}
