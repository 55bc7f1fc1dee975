//! `predictions.csv`: what a model answers for each image of a set.
//!
//! | classes | columns |
//! |---|---|
//! | two | `file`, `label`, `probability`: that of the positive class |
//! | more | `file`, `label`, `answer`, `probability`: that of the answer; then `p(NAME)` for each class |
//! | labels, of which an image may have several | `file`, `labels` and `answers` with `;` between them, empty for none; then `p(NAME)` for each |
//!
//! Numbers stand in the shortest form that reads back to the same bits.

use crate::classes::{Classes, Label, LabelSet, combinations};
use crate::data::source::MAX_FILES;
use crate::error::shortened;
use crate::files::{read_table, write_table};
use crate::head::Head;
use crate::metrics::DEFAULT_THRESHOLD;
use crate::{Error, Result};
use std::path::Path;

/// The answers of a model, in the order of the images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    /// The class of each image.
    pub labels: Vec<Label>,
    /// Of two classes the probability of the positive one, for each image; of more a row for each image, with
    /// one for each class.
    pub probabilities: Vec<f32>,
}

/// Writes the answers to these files. `probabilities` is a row for each, as [`Head::probabilities`] gives
/// them.
///
/// # Errors
/// [`Error::Io`] names the file that cannot be written.
///
/// # Panics
/// If there is not a label and a row for each file.
pub fn write_predictions<S: AsRef<str>>(
    path: &Path,
    classes: &Classes,
    files: &[S],
    labels: &[Label],
    probabilities: &[f32],
) -> Result<()> {
    let units = if files.is_empty() { 1 } else { probabilities.len() / files.len() };
    assert_eq!((files.len(), files.len() * units), (labels.len(), probabilities.len()), "a label and a row for each");
    let head = Head::new(units);
    let lines = files.iter().map(AsRef::as_ref).zip(labels).zip(probabilities.chunks_exact(units));
    if classes.count() == 2 {
        let rows = lines.map(|((file, &label), row)| (file, &classes[label], head.positive(row)));
        return write_table(path, &["file", "label", "probability"], rows);
    }
    let columns: Vec<String> = classes.names().map(|name| format!("p({name})")).collect();
    let heading = ["file", "label", "answer", "probability"].into_iter().chain(columns.iter().map(String::as_str));
    let rows = lines.map(|((file, &label), row)| {
        let answer = head.decision(row.iter().copied(), DEFAULT_THRESHOLD);
        (file, &classes[label], &classes[answer], row[answer.index()], row)
    });
    write_table(path, &heading.collect::<Vec<&str>>(), rows)
}

/// Writes the answers to these files, of which each may have several labels: those that it has and those that
/// it was said to have. `probabilities` is a row for each.
///
/// # Errors
/// [`Error::Io`] names the file that cannot be written.
///
/// # Panics
/// If there is not a pair of sets and a row for each file.
pub fn write_label_predictions<S: AsRef<str>>(
    path: &Path,
    labels: &Classes,
    files: &[S],
    sets: &[[LabelSet; 2]],
    probabilities: &[f32],
) -> Result<()> {
    let wanted = (files.len(), files.len() * labels.count());
    assert_eq!((sets.len(), probabilities.len()), wanted, "a pair of sets and a row for each");
    let columns: Vec<String> = labels.names().map(|name| format!("p({name})")).collect();
    let heading = ["file", "labels", "answers"].into_iter().chain(columns.iter().map(String::as_str));
    let names = |set: LabelSet| match set.is_empty() {
        true => String::new(),
        false => combinations::name(labels, set),
    };
    let lines = files.iter().map(AsRef::as_ref).zip(sets).zip(probabilities.chunks_exact(labels.count()));
    let rows = lines.map(|((file, [set, answer]), row)| (file, names(*set), names(*answer), row));
    write_table(path, &heading.collect::<Vec<&str>>(), rows)
}

/// Reads what [`write_predictions`] wrote for these classes.
///
/// # Errors
/// Those of [`read_table`]; or [`Error::Data`], where a line is none, or of none of the classes.
pub fn read_predictions(path: &Path, classes: &Classes) -> Result<Predictions> {
    let text = read_table(path)?;
    let fail = |reason: String| Error::data(path, format!("{reason}; put back a copy of the file"));
    let mut found = Predictions::default();
    // Two classes have one probability behind file and label, more one for each class behind their answer's.
    let (skipped, wanted) = if classes.count() == 2 { (2, 1) } else { (4, classes.count()) };
    for row in csv::Reader::from_reader(text.as_bytes()).records().take(MAX_FILES) {
        let row = row.map_err(|error| fail(format!("it cannot be read: {error}")))?;
        let class = row.get(1).unwrap_or_default();
        let none = || fail(format!("'{}' is none of the classes", shortened(class)));
        found.labels.push(classes.label(class).ok_or_else(none)?);
        if row.len() != skipped + wanted {
            let (found, wanted) = (row.len(), skipped + wanted);
            return Err(fail(format!("a line of it has {found} fields, and must have {wanted}")));
        }
        for field in row.iter().skip(skipped) {
            let none = |_| fail(format!("'{}' is no probability", shortened(field)));
            found.probabilities.push(field.parse().map_err(none)?);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(names: &[&str]) -> Classes {
        Classes::new(names.iter().copied()).unwrap()
    }

    /// What is written, and what is read of it.
    fn there_and_back(
        names: &[&str],
        files: &[&str],
        labels: &[usize],
        probabilities: &[f32],
    ) -> (String, Predictions) {
        let folder = tempfile::tempdir().unwrap();
        let (path, classes) = (folder.path().join("predictions.csv"), classes(names));
        let labels: Vec<Label> = labels.iter().copied().map(Label::new).collect();
        write_predictions(&path, &classes, files, &labels, probabilities).unwrap();
        (std::fs::read_to_string(&path).unwrap(), read_predictions(&path, &classes).unwrap())
    }

    #[test]
    fn of_two_classes_the_probability_of_the_positive_one_is_written_with_one_unit_or_two() {
        let expected = "file,label,probability\nc/1.png,malignant,0.1\n";
        for probabilities in [&[0.1][..], &[0.9, 0.1]] {
            let (text, read) = there_and_back(&["benign", "malignant"], &["c/1.png"], &[1], probabilities);
            assert_eq!(text, expected);
            assert_eq!(read, Predictions { labels: vec![Label::POSITIVE], probabilities: vec![0.1] });
        }
    }

    #[test]
    fn of_more_classes_the_answer_and_all_probabilities_are_written() {
        let probabilities = [0.25, 0.5, 0.25, 0.7, 0.1, 0.2];
        let (text, read) = there_and_back(&["a", "b", "c, d"], &["a/1.png", "c, d/2.png"], &[0, 2], &probabilities);
        assert_eq!(
            text,
            "file,label,answer,probability,p(a),p(b),\"p(c, d)\"\na/1.png,a,b,0.5,0.25,0.5,0.25\n\"c, d/2.png\",\"c, \
             d\",a,0.7,0.7,0.1,0.2\n"
        );
        let labels = [0, 2].map(Label::new).to_vec();
        assert_eq!(read, Predictions { labels, probabilities: probabilities.to_vec() });
    }

    #[test]
    fn of_several_labels_those_that_are_there_and_those_that_are_answered_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("predictions.csv");
        let [both, none] = [LabelSet::NONE.with(Label::new(0)).with(Label::new(1)), LabelSet::NONE];
        let sets = [[both, none], [none, both]];
        write_label_predictions(&path, &classes(&["a", "b"]), &["1.png", "2.png"], &sets, &[0.25, 0.5, 0.75, 1.0])
            .unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "file,labels,answers,p(a),p(b)\n1.png,a;b,,0.25,0.5\n2.png,,a;b,0.75,1.0\n"
        );
    }

    #[test]
    fn an_empty_table_still_has_its_heading() {
        assert_eq!(there_and_back(&["a", "b"], &[], &[], &[]).0, "file,label,probability\n");
        assert_eq!(there_and_back(&["a", "b", "c"], &[], &[], &[]).0, "file,label,answer,probability,p(a),p(b),p(c)\n");
    }

    #[test]
    fn what_is_no_such_table_is_refused_in_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("predictions.csv");
        for (text, reason) in [
            ("file,label,probability\n1.png,ant,0.5\n", "'ant' is none of the classes"),
            ("file,label,probability\n1.png,a,x\n", "'x' is no probability"),
            ("file,label\n1.png,a\n", "a line of it has 2 fields, and must have 3"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = read_predictions(&path, &classes(&["a", "b"])).unwrap_err().to_string();
            assert_eq!(error, format!("{}: {reason}; put back a copy of the file", path.display()));
        }
        // A folder stands for all that is no file: devices have no end.
        let error = read_predictions(folder.path(), &classes(&["a", "b"])).unwrap_err();
        assert!(error.to_string().ends_with(": it is not a file; give a file"), "{error}");
    }
}
