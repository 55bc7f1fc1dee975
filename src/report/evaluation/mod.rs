//! The report of an [`Assessment`]: the rows of its tables, as text or on a [`page`]. That of more than two
//! classes is in [`multiclass`], that of several labels an image in [`multilabel`].

pub mod mistakes;
pub mod multiclass;
pub mod multilabel;
pub mod page;

use std::borrow::Cow;

use crate::metrics::{Assessment, Calibration, Confusion, Interval};

/// A measure, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasureRow {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Its value with four decimals, or `undefined`.
    pub value: String,
    /// Its 95 % interval; empty where there is none.
    pub interval: String,
    /// A note: what to compare it with, what it was counted from, or why it is undefined.
    pub note: String,
}

/// Returns the measures of a set of answers; `classes[1]` is the positive class.
pub fn measure_rows(assessment: &Assessment, classes: [&str; 2]) -> Vec<MeasureRow> {
    let [negative, positive] = classes;
    let confusion = &assessment.confusion;
    let undefined = assessment.undefined(classes);
    let why = |key: &str| undefined.iter().find(|(name, _)| *name == key).map(|(_, why)| why.clone());
    let row =
        |name: &'static str, key: &str, value: Option<f64>, interval: Option<Interval>, note: String| MeasureRow {
            name: name.into(),
            value: value.map_or("undefined".to_string(), number),
            interval: interval.map_or(String::new(), range),
            note: why(key).unwrap_or(note),
        };
    let calibration = assessment.calibration.as_ref();
    let auc_note = match (assessment.roc_auc, why("roc_auc_interval")) {
        (Some(_), Some(why)) => format!("no interval: {why}"),
        _ => "guessing has 0.5".to_string(),
    };
    vec![
        row("loss", "loss", assessment.loss, None, loss_note(assessment, positive)),
        row(
            "accuracy",
            "accuracy",
            confusion.accuracy(),
            assessment.accuracy_interval(),
            accuracy_note(confusion, classes),
        ),
        row(
            "sensitivity",
            "sensitivity",
            confusion.sensitivity(),
            assessment.sensitivity_interval(),
            format!("{} of {} '{positive}' found", confusion.true_positive, confusion.positives()),
        ),
        row(
            "specificity",
            "specificity",
            confusion.specificity(),
            assessment.specificity_interval(),
            format!("{} of {} '{negative}' recognized", confusion.true_negative, confusion.negatives()),
        ),
        row(
            "balanced accuracy",
            "balanced_accuracy",
            confusion.balanced_accuracy(),
            None,
            "the mean of the two above; any constant answer has 0.5".to_string(),
        ),
        row("ROC AUC", "roc_auc", assessment.roc_auc, assessment.roc_auc_interval.ok(), auc_note),
        row(
            "Brier score",
            "calibration",
            calibration.map(|calibration| calibration.brier_score),
            None,
            calibration.map_or(String::new(), |calibration| brier_score_note(calibration, positive)),
        ),
        row(
            "calibration error",
            "calibration",
            calibration.map(|calibration| calibration.expected_calibration_error),
            None,
            "mean distance of probability and observed share, over the bins below".to_string(),
        ),
    ]
}

/// Compares the loss with those of constant answers.
fn loss_note(assessment: &Assessment, positive: &str) -> String {
    match assessment.loss_of_share() {
        Some(loss) => format!("always answering ½ has 0.6931, and the share of '{positive}' has {}", number(loss)),
        None => "always answering ½ has 0.6931".to_string(),
    }
}

/// Counts the right answers, and compares the accuracy with that of the more frequent class alone.
fn accuracy_note(confusion: &Confusion, [negative, positive]: [&str; 2]) -> String {
    let majority = if confusion.positives() >= confusion.negatives() { positive } else { negative };
    format!(
        "{} of {} right; always answering '{majority}' has {}",
        confusion.true_positive + confusion.true_negative,
        confusion.total(),
        confusion.majority_share().map_or(String::new(), number)
    )
}

/// Compares the Brier score with that of a constant answer.
fn brier_score_note(calibration: &Calibration, positive: &str) -> String {
    format!("always answering the share of '{positive}' has {}", number(calibration.brier_score_of_share))
}

/// The reliability table's heading: what [`reliability_rows`] holds.
pub const RELIABILITY_HEADING: [&str; 5] = ["probability", "images", "mean", "observed", "95 % interval"];

/// Returns the bins that hold an image: range, images, mean probability, observed share of what the
/// probability is of, and its interval.
pub fn reliability_rows(calibration: Option<&Calibration>) -> Vec<[String; 5]> {
    let bins = calibration.into_iter().flat_map(|calibration| &calibration.bins);
    bins.filter(|bin| bin.count > 0)
        .map(|bin| {
            [
                format!("{:.1}–{:.1}", bin.low, bin.high),
                bin.count.to_string(),
                bin.mean_predicted.map_or(String::new(), number),
                bin.observed_share.map_or(String::new(), number),
                bin.interval.map_or(String::new(), range),
            ]
        })
        .collect()
}

/// The source of the intervals.
pub const INTERVALS_NOTE: &str = "Intervals are of 95 %: Wilson's (1927) for shares; for the ROC AUC from DeLong's variance (1988), on the logit scale.";

/// The assumption behind the intervals.
pub const INDEPENDENCE_NOTE: &str = "They take the images for independent, which images of one patient are not.";

/// Returns four decimals, or where that is wider than the columns of the tables, three digits: `0.0412`,
/// `1.23e21`.
pub fn number(value: f64) -> String {
    if value.abs() < 1000.0 || !value.is_finite() { format!("{value:.4}") } else { format!("{value:.2e}") }
}

/// Returns an interval as `0.7500–0.9123`.
pub fn range(interval: Interval) -> String {
    format!("{}–{}", number(interval.low), number(interval.high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classes::Label;

    const CLASSES: [&str; 2] = ["cat", "dog"];

    fn row(assessment: &Assessment, name: &str) -> [String; 3] {
        let rows = measure_rows(assessment, CLASSES);
        let row = rows.into_iter().find(|row| row.name == name).unwrap();
        [row.value, row.interval, row.note]
    }

    #[test]
    fn measures_stand_beside_what_to_compare_them_with() {
        let assessment = Assessment::new(
            &[1, 1, 1, 0, 0].map(Label::new),
            &[0.95, 0.8, 0.3, 0.4, 0.1],
            &[0.1, 0.2, 1.2, 0.5, 0.1],
            0.5,
        );
        let loss = ["0.4200", "", "always answering ½ has 0.6931, and the share of 'dog' has 0.6730"];
        assert_eq!(row(&assessment, "loss"), loss);
        let accuracy = ["0.8000", "0.3755–0.9638", "4 of 5 right; always answering 'dog' has 0.6000"];
        assert_eq!(row(&assessment, "accuracy"), accuracy);
        assert_eq!(row(&assessment, "sensitivity")[2], "2 of 3 'dog' found");
        assert_eq!(row(&assessment, "Brier score")[2], "always answering the share of 'dog' has 0.2400");
        let first = ["0.1–0.2", "1", "0.1000", "0.0000", "0.0000–0.7935"];
        assert_eq!(reliability_rows(assessment.calibration.as_ref())[0], first);
        assert_eq!(reliability_rows(assessment.calibration.as_ref()).len(), 5);
    }

    #[test]
    fn a_number_of_any_size_has_at_most_eight_letters() {
        let told = [0.0, 0.041_23, -0.5, 999.99994, 1234.5, 1.5e21, -2e7].map(number);
        assert_eq!(told, ["0.0000", "0.0412", "-0.5000", "999.9999", "1.23e3", "1.50e21", "-2.00e7"]);
        assert_eq!([f64::INFINITY, f64::NAN].map(number), ["inf", "NaN"]);
    }

    #[test]
    fn what_is_undefined_says_why() {
        let dogs = Assessment::new(&[1, 1].map(Label::new), &[0.9, 0.8], &[0.1, 0.2], 0.5);
        for name in ["specificity", "balanced accuracy", "ROC AUC"] {
            assert_eq!(row(&dogs, name), ["undefined", "", "no cat image"]);
        }
        let none = Assessment::new(&[], &[], &[], 0.5);
        assert!(measure_rows(&none, CLASSES).iter().all(|row| row.value == "undefined" && row.note == "no image"));
        assert!(reliability_rows(none.calibration.as_ref()).is_empty());
        let perfect = Assessment::new(&[1, 1, 0, 0].map(Label::new), &[0.9, 0.8, 0.1, 0.2], &[0.1; 4], 0.5);
        let [value, interval, note] = row(&perfect, "ROC AUC");
        assert_eq!((value.as_str(), interval.as_str()), ("1.0000", ""));
        assert!(note.starts_with("no interval: DeLong's variance is 0 here"), "{note}");
    }
}
