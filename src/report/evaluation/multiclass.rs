//! The report of a [`MulticlassAssessment`]: the rows of its tables.

use super::{MeasureRow, number, range};
use crate::classes::Label;
use crate::metrics::multiclass::{ClassMeasures, Means, MulticlassAssessment};
use crate::metrics::{Interval, wilson};
use crate::report::diagnostics::majority;

/// The heading of the table of classes: what [`class_rows`] holds.
pub const CLASS_HEADING: [&str; 9] =
    ["class", "images", "precision", "95 % interval", "recall", "95 % interval", "F1", "95 % interval", "ROC AUC"];

/// The source of the intervals.
pub const INTERVALS_NOTE: &str = "Intervals are of 95 %: Wilson's (1927) for shares; that of F1 is of the share TP / (TP + FP + FN), \
                                  with which F1 rises. ROC AUC is of each class against the rest.";

/// The note on what the probability of the reliability table is.
pub const CONFIDENCE_NOTE: &str = "Below, the probability is that of the class that an image was taken for.";

/// Returns the measures of a set of answers on images of these classes.
pub fn measure_rows(assessment: &MulticlassAssessment, classes: &[&str]) -> Vec<MeasureRow> {
    let MulticlassAssessment { confusion, loss, brier_score, confidence, .. } = assessment;
    let count = confusion.classes();
    let supports = confusion.supports();
    let none = supports.iter().position(|&images| images == 0).map(|class| format!("no {} image", classes[class]));
    let none = if confusion.total() == 0 { Some("no image".to_string()) } else { none };
    // Precision has another reason, too, to have no mean.
    let unanswered = confusion.labels().find(|label| confusion.class(*label).precision().is_none());
    let unanswered = unanswered.map(|label| format!("no image was taken for {}", classes[label.index()]));
    let nan = || "a probability is not a number".to_string();
    let row =
        |name: &'static str, value: Option<f64>, interval: Option<Interval>, note: String, why: Option<&String>| {
            let undefined = || why.cloned().unwrap_or_else(nan);
            MeasureRow {
                name: name.into(),
                value: value.map_or("undefined".to_string(), number),
                interval: interval.map_or(String::new(), range),
                note: if value.is_some() { note } else { undefined() },
            }
        };
    let shares = |value: Option<f64>| value.map_or(String::new(), number);
    let Means { precision, recall, f1 } = confusion.macro_means();
    let weighted = confusion.weighted_means();
    let no_image = none.as_ref().filter(|_| confusion.total() == 0);
    let mut rows = vec![
        row(
            "loss",
            *loss,
            None,
            format!(
                "always answering 1/{count} has {}, and the classes' shares have {}",
                number((count as f64).ln()),
                shares(assessment.loss_of_shares())
            ),
            no_image.or(Some(&"an answer is infinite".to_string())),
        ),
        row(
            "accuracy",
            confusion.accuracy(),
            assessment.accuracy_interval(),
            accuracy_note(assessment, classes, &supports),
            no_image,
        ),
    ];
    rows.extend(assessment.top_k.iter().map(|&(k, share)| {
        let right = share.map(|share| (share * confusion.total() as f64).round() as usize);
        let note = format!("{} of {} among the {k} most probable", right.unwrap_or(0), confusion.total());
        let interval = right.and_then(|right| wilson(right, confusion.total()));
        MeasureRow { name: format!("top-{k} accuracy").into(), ..row("", share, interval, note, no_image) }
    }));
    let of_one_answer = number(1.0 / count as f64);
    rows.extend([
        row(
            "mean recall",
            recall,
            None,
            format!("the balanced accuracy; any constant answer has {of_one_answer}"),
            none.as_ref(),
        ),
        row(
            "mean precision",
            precision,
            None,
            format!("weighted by images {}", shares(weighted.precision)),
            unanswered.as_ref(),
        ),
        row("mean F1", f1, None, format!("weighted by images {}", shares(weighted.f1)), none.as_ref()),
        row(
            "mean ROC AUC",
            assessment.mean_roc_auc(),
            None,
            "each class against the rest; guessing has 0.5".to_string(),
            none.as_ref(),
        ),
        row(
            "Brier score",
            *brier_score,
            None,
            format!(
                "over all classes; always answering their shares has {}",
                shares(assessment.brier_score_of_shares())
            ),
            no_image,
        ),
        row(
            "calibration error",
            confidence.as_ref().map(|confidence| confidence.expected_calibration_error),
            None,
            "mean distance of the answer's probability and the share that is right, over the bins below".to_string(),
            no_image,
        ),
    ]);
    rows
}

/// Counts the right answers, and compares the accuracy with that of the most frequent class alone.
fn accuracy_note(assessment: &MulticlassAssessment, classes: &[&str], supports: &[usize]) -> String {
    let (right, total) = (assessment.confusion.right(), assessment.confusion.total());
    let most = majority(supports).unwrap_or(Label::NEGATIVE).index();
    let share = supports[most] as f64 / total as f64;
    format!("{right} of {total} right; always answering '{}' has {}", classes[most], number(share))
}

/// Returns a row for each class; a dash stands for what is not defined.
pub fn class_rows(assessment: &MulticlassAssessment, classes: &[&str]) -> Vec<[String; 9]> {
    let value = |value: Option<f64>| value.map_or("–".to_string(), number);
    let interval = |interval: Option<Interval>| interval.map_or(String::new(), range);
    let row = |(label, name): (Label, &&str)| {
        let class: ClassMeasures = assessment.confusion.class(label);
        [
            name.to_string(),
            class.support().to_string(),
            value(class.precision()),
            interval(class.precision_interval()),
            value(class.recall()),
            interval(class.recall_interval()),
            value(class.f1()),
            interval(class.f1_interval()),
            value(assessment.roc_auc[label.index()]),
        ]
    };
    assessment.confusion.labels().zip(classes).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: [&str; 3] = ["ant", "bee", "cat"];

    fn assessed(labels: &[usize], answers: &[usize], probabilities: &[f32]) -> MulticlassAssessment {
        let [labels, answers] = [labels, answers].map(|all| all.iter().copied().map(Label::new).collect::<Vec<_>>());
        MulticlassAssessment::new(3, &labels, &answers, probabilities, &vec![0.5; labels.len()])
    }

    fn row(assessment: &MulticlassAssessment, name: &str) -> [String; 3] {
        let rows = measure_rows(assessment, &CLASSES);
        let row = rows.into_iter().find(|row| row.name == name).unwrap();
        [row.value, row.interval, row.note]
    }

    #[test]
    fn measures_stand_beside_what_to_compare_them_with() {
        let probabilities = [0.5, 0.25, 0.25, 0.25, 0.5, 0.25, 0.0, 0.75, 0.25, 0.125, 0.125, 0.75];
        let assessment = assessed(&[0, 1, 2, 2], &[0, 1, 1, 2], &probabilities);
        let loss = ["0.5000", "", "always answering 1/3 has 1.0986, and the classes' shares have 1.0397"];
        assert_eq!(row(&assessment, "loss"), loss);
        let accuracy = ["0.7500", "0.3006–0.9544", "3 of 4 right; always answering 'cat' has 0.5000"];
        assert_eq!(row(&assessment, "accuracy"), accuracy);
        assert_eq!(row(&assessment, "top-2 accuracy")[2], "4 of 4 among the 2 most probable");
        assert_eq!(row(&assessment, "mean recall")[0], "0.8333");
        assert_eq!(row(&assessment, "mean precision"), ["0.8333", "", "weighted by images 0.8750"]);
        let rows = class_rows(&assessment, &CLASSES);
        assert_eq!(rows[1][..4], ["bee", "1", "0.5000", "0.0945–0.9055"]);
        assert_eq!(rows[2][4..6], ["0.5000", "0.0945–0.9055"]);
    }

    #[test]
    fn what_is_undefined_says_why() {
        let assessment = assessed(&[0, 1], &[0, 0], &[0.5, 0.25, 0.25, 0.5, 0.25, 0.25]);
        for name in ["mean recall", "mean F1", "mean ROC AUC"] {
            assert_eq!(row(&assessment, name), ["undefined", "", "no cat image"]);
        }
        assert_eq!(row(&assessment, "mean precision")[2], "no image was taken for bee");
        assert_eq!(class_rows(&assessment, &CLASSES)[2], ["cat", "0", "–", "", "–", "", "–", "", "–"]);
        let none = assessed(&[], &[], &[]);
        let rows = measure_rows(&none, &CLASSES);
        let untold: Vec<&MeasureRow> =
            rows.iter().filter(|row| row.value != "undefined" || !row.note.starts_with("no ")).collect();
        assert!(untold.is_empty(), "{untold:?}");
    }
}
