//! The combinations of labels that the images of a set have, as classes: each image is of one.
//!
//! Where an image may have several labels, what a set is parted and counted by is which of them it has
//! together.

use super::{Classes, Label, LabelSet, MAX_LABELS};
use crate::{Error, Result};

/// What stands between the labels in the name of a combination.
pub const SEPARATOR: char = ';';

/// The name of the combination of no label.
pub const NO_LABEL: &str = "(none)";

/// Labels of which an image may have several, and the combinations of them that there are.
///
/// ```
/// use glassnet::classes::{Classes, Combinations, Label, LabelSet};
/// let labels = Classes::new(["cat", "dog", "hare"])?;
/// let both: LabelSet = [0, 2].map(Label::new).into_iter().collect();
/// let combinations = Combinations::new(labels, [both, LabelSet::NONE, both])?;
/// assert_eq!(combinations.names().names().collect::<Vec<&str>>(), ["(none)", "cat;hare"]);
/// assert_eq!(combinations.of(both), Some(Label::new(1)));
/// # Ok::<(), glassnet::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combinations {
    labels: Classes,
    sets: Vec<LabelSet>,
    names: Classes,
}

impl Combinations {
    /// The combinations of these labels that there are among `sets`, in the order of their bits; beside a
    /// single one stands another that no image has, as there are two classes at least.
    ///
    /// # Errors
    /// [`Error::Setting`] if there are more labels than [`MAX_LABELS`], or the name of one has a
    /// [`SEPARATOR`] or is [`NO_LABEL`].
    ///
    /// # Panics
    /// If a set has a label beyond these.
    pub fn new(labels: Classes, sets: impl IntoIterator<Item = LabelSet>) -> Result<Combinations> {
        check_labels(&labels)?;
        let mut sets: Vec<LabelSet> = sets.into_iter().collect();
        assert!(sets.iter().all(|set| set.is_of(labels.count())), "a label beyond the {}", labels.count());
        sets.sort_unstable();
        sets.dedup();
        for other in [LabelSet::NONE, LabelSet::NONE.with(Label::new(0))] {
            if sets.len() < 2 && !sets.contains(&other) {
                sets.push(other);
            }
        }
        sets.sort_unstable();
        let names = Classes::new(sets.iter().map(|&set| name(&labels, set)))?;
        Ok(Combinations { labels, sets, names })
    }

    /// The labels.
    pub fn labels(&self) -> &Classes {
        &self.labels
    }

    /// The names of the combinations, in their order.
    pub fn names(&self) -> &Classes {
        &self.names
    }

    /// The labels of a combination.
    ///
    /// # Panics
    /// If there is no such combination.
    pub fn set(&self, combination: Label) -> LabelSet {
        self.sets[combination.index()]
    }

    /// The combination of these labels, if it is one of them.
    pub fn of(&self, set: LabelSet) -> Option<Label> {
        self.sets.binary_search(&set).ok().map(Label::new)
    }
}

/// The name of a combination: `cat;hare`, or of no label [`NO_LABEL`].
pub fn name(labels: &Classes, set: LabelSet) -> String {
    match set.is_empty() {
        true => NO_LABEL.to_string(),
        false => set.labels().map(|label| &labels[label]).collect::<Vec<&str>>().join(&SEPARATOR.to_string()),
    }
}

/// Checks whether images can have several of these labels.
///
/// # Errors
/// Those of [`Combinations::new`].
pub fn check_labels(labels: &Classes) -> Result<()> {
    if labels.count() > MAX_LABELS {
        let reason = format!("there are {}, and of {MAX_LABELS} at the most an image may have several", labels.count());
        return Err(Error::setting("labels", reason));
    }
    match labels.names().find(|name| name.contains(SEPARATOR) || *name == NO_LABEL) {
        Some(name) => {
            let reason = format!(
                "one is called '{}', and where an image may have several '{SEPARATOR}' stands between them and '{NO_LABEL}' for none; call it \
                 otherwise",
                crate::error::shortened(name)
            );
            Err(Error::setting("labels", reason))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Classes {
        Classes::new(names.iter().copied()).unwrap()
    }

    fn set(indices: &[usize]) -> LabelSet {
        indices.iter().copied().map(Label::new).collect()
    }

    #[test]
    fn a_single_combination_has_another_beside_it() {
        let names = |sets: &[LabelSet]| {
            let combinations = Combinations::new(labels(&["a", "b"]), sets.iter().copied()).unwrap();
            combinations.names().names().collect::<Vec<&str>>().join(" ")
        };
        assert_eq!(names(&[set(&[0, 1]), set(&[0, 1])]), "(none) a;b");
        assert_eq!(names(&[LabelSet::NONE]), "(none) a");
        assert_eq!(names(&[]), "(none) a");
        assert_eq!(names(&[set(&[0]), set(&[1])]), "a b");
    }

    #[test]
    fn names_that_a_combination_could_not_be_told_by_are_refused() {
        let error = |names: &[&str]| Combinations::new(labels(names), []).unwrap_err().to_string();
        assert!(error(&["a;b", "c"]).starts_with("labels: one is called 'a;b', and"));
        assert!(error(&["a", "(none)"]).starts_with("labels: one is called '(none)', and"));
        let many: Vec<String> = (0..65).map(|label| label.to_string()).collect();
        let error = check_labels(&Classes::new(many).unwrap()).unwrap_err().to_string();
        assert_eq!(error, "labels: there are 65, and of 64 at the most an image may have several");
    }
}
