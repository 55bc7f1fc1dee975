//! What the weights that a run ends with answer on its validation part.

use crate::cli::terminal::console;
use glassnet::classes::{Classes, Label, combinations};
use glassnet::error::some_of;
use glassnet::head::Head;
use glassnet::metrics::multiclass::{ConfusionMatrix, Means, mean_roc_auc, one_vs_rest_roc_auc};
use glassnet::metrics::multilabel::{LabelMeans, MultilabelAssessment};
use glassnet::metrics::{Confusion, DEFAULT_THRESHOLD, positives, roc_auc};
use glassnet::report::diagnostics::majority;
use serde_json::{Value, json};

/// The classes whose recall is told by name, the lowest first.
const LOWEST_RECALLS: usize = 3;

/// The answers of the weights that a run ends with, on the validation part.
pub enum Validated {
    /// Of two classes.
    Two { confusion: Confusion, roc_auc: Option<f64> },
    /// Of more. The area under the ROC curve is the mean of each class against the rest.
    Several { confusion: ConfusionMatrix, roc_auc: Option<f64> },
    /// Of labels, of which an image may have several.
    Labels(MultilabelAssessment),
}

impl Validated {
    /// Returns what comes of these probabilities, a row for each image, for images of these classes.
    pub fn new(head: Head, labels: &[Label], probabilities: &[f32]) -> Validated {
        if head.classes() == 2 {
            let positive = positives(head, probabilities);
            let confusion = Confusion::count(labels, &positive, DEFAULT_THRESHOLD);
            return Validated::Two { confusion, roc_auc: roc_auc(labels, &positive) };
        }
        let rows = probabilities.chunks_exact(head.units());
        let answers: Vec<Label> = rows.map(|row| head.decision(row.iter().copied(), DEFAULT_THRESHOLD)).collect();
        Validated::Several {
            confusion: ConfusionMatrix::new(head.classes(), labels, &answers),
            roc_auc: mean_roc_auc(&one_vs_rest_roc_auc(labels, probabilities, head.classes())),
        }
    }

    /// Returns how many images there were.
    pub fn total(&self) -> usize {
        match self {
            Validated::Two { confusion, .. } => confusion.total(),
            Validated::Several { confusion, .. } => confusion.total(),
            Validated::Labels(assessment) => assessment.total,
        }
    }

    /// The measures of a fold's answers, as [`FoldMeasures`](glassnet::report::folds::FoldMeasures) names
    /// them.
    pub fn fold_measures(&self) -> [Option<f64>; 3] {
        match self {
            Validated::Two { confusion, roc_auc } => [*roc_auc, confusion.sensitivity(), confusion.specificity()],
            Validated::Several { confusion, roc_auc } => {
                let Means { recall, f1, .. } = confusion.macro_means();
                [*roc_auc, recall, f1]
            }
            Validated::Labels(assessment) => {
                let LabelMeans { roc_auc, sensitivity, f1, .. } = assessment.macro_means();
                [roc_auc.value, sensitivity.value, f1.value]
            }
        }
    }

    /// The lines that a run closes with. `weights` says whose answers these are.
    pub fn lines(&self, classes: &Classes, weights: &str) -> Vec<String> {
        let name = |label: Label| console::one_line(&classes[label]).into_owned();
        let (right, counts, accuracy) = match self {
            Validated::Two { confusion, .. } => {
                let right = confusion.true_positive + confusion.true_negative;
                (right, vec![confusion.negatives(), confusion.positives()], confusion.accuracy())
            }
            Validated::Several { confusion, .. } => (confusion.right(), confusion.supports(), confusion.accuracy()),
            Validated::Labels(assessment) => return label_lines(assessment, classes, weights),
        };
        let most = majority(&counts).unwrap_or(Label::POSITIVE);
        let total = self.total();
        let majority_share = (total > 0).then(|| counts[most.index()] as f64 / total as f64);
        let mut lines = vec![format!(
            "Validation, {weights} weights: {right} of {total} right, accuracy {}; always answering '{}' would have {}",
            share(accuracy),
            name(most),
            share(majority_share),
        )];
        match self {
            Validated::Two { confusion, roc_auc } => lines.push(format!(
                "Positive class '{}': sensitivity {}, specificity {}, ROC AUC {}",
                name(Label::POSITIVE),
                share(confusion.sensitivity()),
                share(confusion.specificity()),
                share(*roc_auc),
            )),
            Validated::Several { confusion, roc_auc } => {
                let Means { precision, recall, f1 } = confusion.macro_means();
                lines.push(format!(
                    "Means of the {} classes: precision {}, recall {}, F1 {}, ROC AUC against the rest {}",
                    confusion.classes(),
                    share(precision),
                    share(recall),
                    share(f1),
                    share(*roc_auc),
                ));
                lines.extend(lowest_recalls(confusion, name));
            }
            Validated::Labels(_) => {}
        }
        lines
    }

    /// The same as an object.
    pub fn json(&self) -> Value {
        match self {
            Validated::Two { confusion, roc_auc } => json!({
                "confusion": confusion,
                "accuracy": confusion.accuracy(),
                "majority_share": confusion.majority_share(),
                "sensitivity": confusion.sensitivity(),
                "specificity": confusion.specificity(),
                "balanced_accuracy": confusion.balanced_accuracy(),
                "roc_auc": roc_auc,
            }),
            Validated::Several { confusion, roc_auc } => {
                let Means { precision, recall, f1 } = confusion.macro_means();
                json!({
                    "confusion": confusion.rows().collect::<Vec<&[usize]>>(),
                    "accuracy": confusion.accuracy(),
                    "majority_share": confusion.majority_share(),
                    "macro_precision": precision,
                    "balanced_accuracy": recall,
                    "macro_f1": f1,
                    "roc_auc": roc_auc,
                })
            }
            Validated::Labels(assessment) => {
                let LabelMeans { roc_auc, sensitivity, specificity, f1, .. } = assessment.macro_means();
                json!({
                    "exact_match": assessment.exact_match(),
                    "accuracy": assessment.accuracy(),
                    "majority_share": assessment.majority_share(),
                    "macro_roc_auc": roc_auc.value,
                    "macro_sensitivity": sensitivity.value,
                    "macro_specificity": specificity.value,
                    "macro_f1": f1.value,
                    "micro_f1": assessment.micro_counts().f1(),
                    "confusion": assessment.labels.iter().map(|label| label.confusion).collect::<Vec<_>>(),
                })
            }
        }
    }
}

/// The lines of images that may have several labels.
fn label_lines(assessment: &MultilabelAssessment, labels: &Classes, weights: &str) -> Vec<String> {
    let LabelMeans { roc_auc, sensitivity, specificity, f1, .. } = assessment.macro_means();
    let commonest = assessment.commonest.map_or(String::new(), |(set, count)| {
        let name = combinations::name(labels, set);
        let right = count as f64 / assessment.total as f64;
        format!("; always answering '{}' would have {right:.4}", console::one_line(&name))
    });
    let mut lines = vec![
        format!(
            "Validation, {weights} weights: {} of {} with every label right, exact match {}{commonest}",
            assessment.exact,
            assessment.total,
            share(assessment.exact_match()),
        ),
        format!(
            "Answers to all {} labels: accuracy {}; always the more frequent one would have {}",
            assessment.labels.len(),
            share(assessment.accuracy()),
            share(assessment.majority_share()),
        ),
        format!(
            "Means of the labels: ROC AUC {}, sensitivity {}, specificity {}, F1 {}",
            share(roc_auc.value),
            share(sensitivity.value),
            share(specificity.value),
            share(f1.value),
        ),
    ];
    let silent = labels.names().zip(&assessment.labels).filter(|(_, label)| label.counts().is_never_answered());
    let silent: Vec<String> = silent.map(|(name, _)| format!("'{}'", console::one_line(name))).collect();
    if !silent.is_empty() {
        lines.push(format!("Never answered though there: {}", some_of(silent)));
    }
    lines
}

/// Four decimals, or `undefined`.
fn share(value: Option<f64>) -> String {
    value.map_or("undefined".to_string(), |value| format!("{value:.4}"))
}

/// Names the classes of which the fewest images were found, where not all were.
fn lowest_recalls(confusion: &ConfusionMatrix, name: impl Fn(Label) -> String) -> Option<String> {
    let missed = confusion.labels().map(|label| (label, confusion.class(label)));
    let mut missed: Vec<_> = missed.filter(|(_, class)| class.false_negative > 0).collect();
    // Sorting keeps the order of equals.
    missed.sort_by(|(_, a), (_, b)| a.recall().unwrap_or(0.0).total_cmp(&b.recall().unwrap_or(0.0)));
    let told = missed.iter().take(LOWEST_RECALLS).map(|(label, class)| {
        format!("'{}' {} ({} of {})", name(*label), share(class.recall()), class.true_positive, class.support())
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| format!("Lowest recalls: {}", told.join(", ")))
}
