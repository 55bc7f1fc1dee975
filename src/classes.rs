//! The classes that a network tells apart: their names in order, and a label, which is an index into them;
//! and the labels of an image that may have several.

pub mod combinations;
mod label_set;

use crate::error::{and, shortened};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;
use std::ops::Index;

pub use combinations::Combinations;
pub use label_set::{LabelSet, MAX_LABELS};

/// The class of an image: an index into [`Classes`], from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Label(usize);

impl Label {
    /// The first of two classes.
    pub const NEGATIVE: Label = Label(0);
    /// The second of two classes: that of which one unit gives the probability.
    pub const POSITIVE: Label = Label(1);

    /// The class at this index.
    pub const fn new(index: usize) -> Label {
        Label(index)
    }

    /// The index.
    pub const fn index(self) -> usize {
        self.0
    }
}

/// The index, as a number.
impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The names of the classes in order: at least two, no two of them equal.
///
/// ```
/// use glassnet::classes::{Classes, Label};
/// let classes = Classes::new(["cat", "dog", "hare"])?;
/// assert_eq!((classes.count(), &classes[Label::new(2)]), (3, "hare"));
/// assert_eq!(classes.label("dog"), Some(Label::new(1)));
/// # Ok::<(), glassnet::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Classes(Vec<String>);

impl Classes {
    /// Classes of these names, in this order.
    ///
    /// # Errors
    /// [`Error::Setting`] if there are fewer than two, or two of one name.
    pub fn new<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Result<Classes> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.len() < 2 {
            let reason = format!("there must be at least 2 to tell apart, and there are {}", names.len());
            return Err(Error::setting("classes", reason));
        }
        match first_repeated(names.iter().map(String::as_str)) {
            Some(name) => Err(Error::setting("classes", format!("two are called '{name}'"))),
            None => Ok(Classes(names)),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The names, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Returns their names in a sentence, long ones shortened: `'cat' and 'dog'`.
    pub fn in_words(&self) -> String {
        let names: Vec<String> = self.names().map(|name| format!("'{}'", shortened(name))).collect();
        and(names.iter().map(String::as_str))
    }

    /// The labels, in order.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = Label> + use<> {
        (0..self.count()).map(Label)
    }

    /// The label of the class of this name.
    pub fn label(&self, name: &str) -> Option<Label> {
        self.0.iter().position(|other| other == name).map(Label)
    }

    /// The name of the positive class, the second of two. Of more none is the positive one.
    pub fn positive(&self) -> Option<&str> {
        self.two().map(|[_, positive]| positive)
    }

    /// Both names, where there are two: those of the negative and of the positive class.
    pub fn two(&self) -> Option<[&str; 2]> {
        match &self.0[..] {
            [negative, positive] => Some([negative, positive]),
            _ => None,
        }
    }
}

/// Returns the first name that stood before. Files may bring very many, so each is looked up, not compared
/// with all.
pub(crate) fn first_repeated<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = HashSet::new();
    names.find(|name| !seen.insert(*name))
}

impl Index<Label> for Classes {
    type Output = str;

    /// The name of a class.
    ///
    /// # Panics
    /// If the label is not one of these classes'.
    fn index(&self, label: Label) -> &str {
        &self.0[label.0]
    }
}

impl TryFrom<Vec<String>> for Classes {
    type Error = Error;

    fn try_from(names: Vec<String>) -> Result<Classes> {
        Classes::new(names)
    }
}

impl From<Classes> for Vec<String> {
    fn from(classes: Classes) -> Vec<String> {
        classes.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_at_least_two_and_no_two_are_equal() {
        let error = |names: &[&str]| Classes::new(names.iter().copied()).unwrap_err().to_string();
        assert_eq!(error(&[]), "classes: there must be at least 2 to tell apart, and there are 0");
        assert_eq!(error(&["cat"]), "classes: there must be at least 2 to tell apart, and there are 1");
        assert_eq!(error(&["cat", "dog", "cat"]), "classes: two are called 'cat'");
    }

    #[test]
    fn very_many_names_are_looked_through_in_a_moment() {
        let many: Vec<String> = (0..1_000_000).map(|index| format!("class {index}")).collect();
        assert_eq!(Classes::new(many).unwrap().count(), 1_000_000);
    }

    #[test]
    fn names_and_labels_lead_to_each_other() {
        let classes = Classes::new(["b", "a", "c"]).unwrap();
        assert!(classes.labels().zip(classes.names()).all(|(label, name)| classes.label(name) == Some(label)));
        assert_eq!((&classes[Label::new(1)], classes.label("d")), ("a", None));
        assert_eq!((classes.two(), classes.positive()), (None, None));
        let two = Classes::new(["b", "a"]).unwrap();
        assert_eq!((two.two(), two.positive()), (Some(["b", "a"]), Some("a")));
    }

    #[test]
    fn classes_are_written_as_a_list_and_what_is_read_is_checked() {
        let classes = Classes::new(["cat", "dog"]).unwrap();
        let text = serde_json::to_string(&(classes.clone(), Label::POSITIVE)).unwrap();
        assert_eq!(text, r#"[["cat","dog"],1]"#);
        assert_eq!(serde_json::from_str::<(Classes, Label)>(&text).unwrap(), (classes, Label::POSITIVE));
        assert!(serde_json::from_str::<Classes>(r#"["cat","cat"]"#).is_err());
    }
}
