//! An evaluation on two classes, as lines and as JSON.

use super::evaluation::EvaluationResult;
use super::tables::{measure_lines, reliability_lines};
use glassnet::metrics::{Assessment, LEVEL, positives};
use glassnet::report::evaluation::{INDEPENDENCE_NOTE, INTERVALS_NOTE, measure_rows};
use serde_json::{Map, Value, json};

/// The tables of figures as text.
pub fn lines(assessment: &Assessment, classes: [&str; 2]) -> Vec<String> {
    let mut lines = confusion_lines(assessment, classes);
    lines.push(String::new());
    lines.extend(measure_lines(&measure_rows(assessment, classes)));
    lines.extend(reliability_lines(assessment.calibration.as_ref()));
    lines.push(String::new());
    lines.push(INTERVALS_NOTE.to_string());
    lines
}

/// The confusion matrix: rows the true class, columns the answers.
fn confusion_lines(assessment: &Assessment, [negative, positive]: [&str; 2]) -> Vec<String> {
    let confusion = &assessment.confusion;
    let rows = [
        (negative, [confusion.true_negative, confusion.false_positive]),
        (positive, [confusion.false_negative, confusion.true_positive]),
    ];
    let first = [negative, positive].map(|name| name.chars().count()).into_iter().max().unwrap_or(0).max(10);
    let [left, right] = [negative, positive].map(|name| name.chars().count().max(5));
    let heading = format!("{:<first$}  answered", "true class");
    let names = format!("{:<first$}  {negative:>left$}  {positive:>right$}", "");
    let cells = rows
        .map(|(name, [left_count, right_count])| format!("{name:<first$}  {left_count:>left$}  {right_count:>right$}"));
    [heading, names].into_iter().chain(cells).collect()
}

/// The figures as an object; `undefined` says why a number is null.
pub fn json(evaluation: &EvaluationResult, assessment: &Assessment) -> Value {
    let confusion = &assessment.confusion;
    let classes = &evaluation.model.card.classes;
    let undefined = classes.two().map_or_else(Vec::new, |classes| assessment.undefined(classes));
    let undefined: Map<String, Value> =
        undefined.into_iter().map(|(name, why)| (name.to_string(), json!(why))).collect();
    let answered = &evaluation.answered;
    let probabilities = positives(evaluation.network.head(), &answered.probabilities);
    let answers = answered.labels.iter().zip(probabilities);
    let predictions: Vec<Value> = answered
        .files
        .iter()
        .zip(answers)
        .map(|(file, (&label, probability))| {
            json!({"file": file, "label": classes[label], "probability": f64::from(probability)})
        })
        .collect();
    json!({
        "threshold": assessment.threshold,
        "confusion": confusion,
        "loss": assessment.loss,
        "loss_of_share": assessment.loss_of_share(),
        "accuracy": confusion.accuracy(),
        "majority_share": confusion.majority_share(),
        "sensitivity": confusion.sensitivity(),
        "specificity": confusion.specificity(),
        "balanced_accuracy": confusion.balanced_accuracy(),
        "roc_auc": assessment.roc_auc,
        "calibration": assessment.calibration,
        "intervals": {
            "level": LEVEL,
            "accuracy": assessment.accuracy_interval(),
            "sensitivity": assessment.sensitivity_interval(),
            "specificity": assessment.specificity_interval(),
            "roc_auc": assessment.roc_auc_interval.ok(),
            "note": format!("{INTERVALS_NOTE} {INDEPENDENCE_NOTE}"),
        },
        "undefined": undefined,
        "predictions": predictions,
        "note": "probability is that of the positive class; not for diagnosis",
    })
}
