//! Labels of which an image may have several, as data tell them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::label_names::{check_name, number};
use crate::classes::combinations::{NO_LABEL, SEPARATOR, name};
use crate::classes::{Classes, Label, LabelSet, MAX_LABELS};
use crate::error::{counted, shortened};
use crate::{Error, Result};

/// The labels, in order, and which of them the images have together: a combination stands for a class, by its
/// [name].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeveralLabels {
    labels: Classes,
    sets: BTreeMap<String, LabelSet>,
}

impl SeveralLabels {
    /// The labels of these names, of which images have these sets; and for each image the name of its
    /// combination.
    ///
    /// # Errors
    /// [`Error::Data`] of `path` if they are fewer than two or more than [`MAX_LABELS`], if two have one
    /// name, or one cannot be told in the name of a combination.
    pub fn new(path: &Path, names: Vec<String>, sets: &[LabelSet]) -> Result<(SeveralLabels, Vec<String>)> {
        check(path, &names)?;
        let labels = Classes::new(names).map_err(|error| Error::data(path, error.to_string()))?;
        let combinations: Vec<String> = sets.iter().map(|&set| name(&labels, set)).collect();
        let sets = combinations.iter().cloned().zip(sets.iter().copied()).collect();
        Ok((SeveralLabels { labels, sets }, combinations))
    }

    /// The same of images for each of which the names of its labels are told: all of them are the labels,
    /// sorted, whole numbers as numbers.
    ///
    /// # Errors
    /// As [`new`](SeveralLabels::new).
    pub fn by_names(path: &Path, told: &[Vec<String>]) -> Result<(SeveralLabels, Vec<String>)> {
        let names: BTreeSet<&String> = told.iter().flatten().collect();
        let mut names: Vec<String> = names.into_iter().cloned().collect();
        if let Some(mut numbered) =
            names.iter().map(|name| Some((number(name)?, name.clone()))).collect::<Option<Vec<_>>>()
        {
            numbered.sort();
            names = numbered.into_iter().map(|(_, name)| name).collect();
        }
        check(path, &names)?;
        let places: BTreeMap<&String, usize> = names.iter().zip(0..).collect();
        let sets: Vec<LabelSet> =
            told.iter().map(|names| names.iter().map(|name| Label::new(places[name])).collect()).collect();
        SeveralLabels::new(path, names, &sets)
    }

    /// The labels.
    pub fn labels(&self) -> &Classes {
        &self.labels
    }

    /// The labels of a combination of this name; none of one that no image has.
    pub fn set(&self, combination: &str) -> LabelSet {
        self.sets.get(combination).copied().unwrap_or_default()
    }
}

/// Checks the names of labels.
fn check(path: &Path, names: &[String]) -> Result<()> {
    let refuse = |reason: String| Err(Error::data(path, reason));
    if names.len() < 2 {
        let reason = format!(
            "where an image may have several labels there must be at least 2, and it has {}; give it as one of classes",
            counted(names.len(), "label")
        );
        return refuse(reason);
    }
    if names.len() > MAX_LABELS {
        let reason =
            format!("it has {} labels, and {MAX_LABELS} are the most of which an image may have several", names.len());
        return refuse(reason);
    }
    for name in names {
        check_name(path, name)?;
        if name.contains(SEPARATOR) || name == NO_LABEL {
            let reason = format!(
                "where an image may have several labels, '{SEPARATOR}' stands between them and '{NO_LABEL}' for none, so none can be named \
                 '{}'; write another",
                shortened(name)
            );
            return refuse(reason);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_names(told: &[&[&str]]) -> Result<(SeveralLabels, Vec<String>)> {
        let told: Vec<Vec<String>> =
            told.iter().map(|names| names.iter().map(|name| name.to_string()).collect()).collect();
        SeveralLabels::by_names(Path::new("set"), &told)
    }

    #[test]
    fn labels_are_all_that_are_told_in_their_order() {
        let (several, combinations) = by_names(&[&["dog", "cat"], &[], &["dog"]]).unwrap();
        assert_eq!(several.labels().names().collect::<Vec<&str>>(), ["cat", "dog"]);
        assert_eq!(combinations, ["cat;dog", "(none)", "dog"]);
        assert_eq!(several.set("cat;dog").count(), 2);
        let (several, combinations) = by_names(&[&["10", "9"]]).unwrap();
        assert_eq!(several.labels().names().collect::<Vec<&str>>(), ["9", "10"]);
        assert_eq!(combinations, ["9;10"]);
    }

    #[test]
    fn labels_that_cannot_be_told_apart_or_are_too_few_or_many_are_refused() {
        let error = |told: &[&[&str]]| by_names(told).unwrap_err().to_string();
        let few = "set: where an image may have several labels there must be at least 2, and it has 1 label; give it as one of classes";
        assert_eq!(error(&[&["cat"], &["cat"]]), few);
        assert!(error(&[&["(none)", "cat"]]).contains("so none can be named '(none)'"));
        assert!(error(&[&["a/b", "cat"]]).contains("the label 'a/b' has a slash"));
        let many: Vec<String> = (0..65).map(|label| format!("l{label}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(error(&[&many]).starts_with("set: it has 65 labels, and 64 are the most"));
    }
}
