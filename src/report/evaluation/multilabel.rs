//! The report of a [`MultilabelAssessment`]: the rows of its tables.

use super::{MeasureRow, number, range};
use crate::classes::combinations::NO_LABEL;
use crate::classes::{LabelSet, combinations};
use crate::metrics::Interval;
use crate::metrics::multilabel::{LabelMeans, LabelMeasures, Mean, MultilabelAssessment};

/// The heading of the table of labels: what [`label_rows`] holds.
pub const LABEL_HEADING: [&str; 10] = [
    "label",
    "images",
    "sensitivity",
    "95 % interval",
    "specificity",
    "95 % interval",
    "precision",
    "F1",
    "ROC AUC",
    "found, missed, false",
];

/// The source of the intervals, and what the means are of.
pub const INTERVALS_NOTE: &str = "Intervals are of 95 %: Wilson's (1927) for shares. A macro mean is that of the labels which have the \
                                  measure, each counting alike; a micro mean is of all answers to all labels together.";

/// Returns the name of a combination of labels of these names, as text has it: `cat;dog`.
pub fn set_name<S: AsRef<str>>(labels: &[S], set: LabelSet) -> String {
    let names: Vec<&str> = set.labels().map(|label| labels[label.index()].as_ref()).collect();
    if names.is_empty() { NO_LABEL.to_string() } else { names.join(&combinations::SEPARATOR.to_string()) }
}

/// Returns the measures of a set of answers on images that may have several of these labels.
pub fn measure_rows(assessment: &MultilabelAssessment, labels: &[&str]) -> Vec<MeasureRow> {
    let none = assessment.total == 0;
    let row =
        |name: &'static str, value: Option<f64>, interval: Option<Interval>, note: String, why: &str| MeasureRow {
            name: name.into(),
            value: value.map_or("undefined".to_string(), number),
            interval: interval.map_or(String::new(), range),
            note: match (value, none) {
                (Some(_), _) => note,
                (None, true) => "no image".to_string(),
                (None, false) => why.to_string(),
            },
        };
    let shares = |value: Option<f64>| value.map_or(String::new(), number);
    let LabelMeans { sensitivity, specificity, precision, f1, roc_auc } = assessment.macro_means();
    let (micro, counts) = (assessment.micro(), assessment.micro_counts());
    let of =
        |mean: Mean, micro: Option<f64>| format!("of {} of {} labels; micro {}", mean.of, labels.len(), shares(micro));
    let commonest = assessment.commonest.map_or(String::new(), |(set, count)| {
        let share = count as f64 / assessment.total as f64;
        format!("; always answering '{}' has {}", set_name(labels, set), number(share))
    });
    vec![
        row(
            "loss",
            assessment.loss,
            None,
            format!(
                "always answering ½ has 0.6931, and the labels' shares have {}",
                shares(assessment.loss_of_shares())
            ),
            "an answer is infinite",
        ),
        row(
            "exact match",
            assessment.exact_match(),
            assessment.exact_match_interval(),
            format!("{} of {} with every label right{commonest}", assessment.exact, assessment.total),
            "",
        ),
        row(
            "accuracy",
            assessment.accuracy(),
            None,
            format!(
                "{} of {} answers to a label right; always the more frequent one has {}",
                micro.true_positive + micro.true_negative,
                micro.total(),
                shares(assessment.majority_share())
            ),
            "",
        ),
        row(
            "macro ROC AUC",
            roc_auc.value,
            None,
            of(roc_auc, assessment.micro_roc_auc),
            "no label is there and not there",
        ),
        row("macro sensitivity", sensitivity.value, None, of(sensitivity, micro.sensitivity()), "no image has a label"),
        row(
            "macro specificity",
            specificity.value,
            None,
            of(specificity, micro.specificity()),
            "every image has every label",
        ),
        row("macro precision", precision.value, None, of(precision, counts.precision()), "no label was answered"),
        row("macro F1", f1.value, None, of(f1, counts.f1()), "no label is there or was answered"),
    ]
}

/// Returns a row for each label; a dash stands for what is not defined.
pub fn label_rows(assessment: &MultilabelAssessment, labels: &[&str]) -> Vec<[String; 10]> {
    let value = |value: Option<f64>| value.map_or("–".to_string(), number);
    let interval = |interval: Option<Interval>| interval.map_or(String::new(), range);
    let row = |(label, name): (&LabelMeasures, &&str)| {
        let confusion = &label.confusion;
        [
            name.to_string(),
            confusion.positives().to_string(),
            value(confusion.sensitivity()),
            interval(label.sensitivity_interval()),
            value(confusion.specificity()),
            interval(label.specificity_interval()),
            value(label.counts().precision()),
            value(label.counts().f1()),
            value(label.roc_auc),
            format!("{}, {}, {}", confusion.true_positive, confusion.false_negative, confusion.false_positive),
        ]
    };
    assessment.labels.iter().zip(labels).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classes::Label;
    use crate::head::Head;

    fn assessed(sets: &[&[usize]], probabilities: &[f32]) -> MultilabelAssessment {
        let sets: Vec<LabelSet> =
            sets.iter().map(|indices| indices.iter().copied().map(Label::new).collect()).collect();
        MultilabelAssessment::new(Head::of_labels(2), &sets, probabilities, &vec![0.5; sets.len()], 0.5)
    }

    fn row(assessment: &MultilabelAssessment, name: &str) -> [String; 3] {
        let rows = measure_rows(assessment, &["ant", "bee"]);
        let row = rows.into_iter().find(|row| row.name == name).unwrap();
        [row.value, row.interval, row.note]
    }

    #[test]
    fn measures_stand_beside_what_to_compare_them_with() {
        let assessment = assessed(&[&[0], &[0, 1], &[0], &[]], &[0.9, 0.2, 0.8, 0.7, 0.4, 0.6, 0.1, 0.1]);
        let loss = ["0.5000", "", "always answering ½ has 0.6931, and the labels' shares have 0.5623"];
        assert_eq!(row(&assessment, "loss"), loss);
        let exact = ["0.7500", "0.3006–0.9544", "3 of 4 with every label right; always answering 'ant' has 0.5000"];
        assert_eq!(row(&assessment, "exact match"), exact);
        let accuracy = ["0.7500", "", "6 of 8 answers to a label right; always the more frequent one has 0.7500"];
        assert_eq!(row(&assessment, "accuracy"), accuracy);
        assert_eq!(row(&assessment, "macro sensitivity"), ["0.8333", "", "of 2 of 2 labels; micro 0.7500"]);
        let rows = label_rows(&assessment, &["ant", "bee"]);
        assert_eq!(rows[0][..4], ["ant", "3", "0.6667", "0.2077–0.9385"]);
        assert_eq!(rows[1][6..], ["0.5000", "0.6667", "1.0000", "1, 0, 1"]);
    }

    #[test]
    fn what_is_undefined_says_why() {
        let never = assessed(&[&[], &[]], &[0.1; 4]);
        assert_eq!(row(&never, "macro sensitivity"), ["undefined", "", "no image has a label"]);
        assert_eq!(row(&never, "macro ROC AUC")[2], "no label is there and not there");
        assert_eq!(
            row(&never, "exact match")[2],
            "2 of 2 with every label right; always answering '(none)' has 1.0000"
        );
        let none = assessed(&[], &[]);
        let rows = measure_rows(&none, &["ant", "bee"]);
        assert!(rows.iter().all(|row| row.value == "undefined" && row.note == "no image"), "{rows:?}");
        assert_eq!(label_rows(&none, &["ant", "bee"])[0][2..4], ["–", ""]);
    }
}
