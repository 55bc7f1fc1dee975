//! An evaluation where images may have several labels, as lines and as JSON.

use super::evaluation::EvaluationResult;
use super::tables::{cut, measure_lines, widest};
use glassnet::classes::{Classes, LabelSet};
use glassnet::metrics::LEVEL;
use glassnet::metrics::multilabel::{LabelMeans, LabelMeasures, Mean, MultilabelAssessment};
use glassnet::report::evaluation::INDEPENDENCE_NOTE;
use glassnet::report::evaluation::multilabel::{INTERVALS_NOTE, LABEL_HEADING, label_rows, measure_rows};
use serde_json::{Value, json};

/// The tables of figures as text.
pub fn lines(assessment: &MultilabelAssessment, names: &[String]) -> Vec<String> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut lines = label_lines(assessment, &names);
    lines.push(String::new());
    lines.extend(measure_lines(&measure_rows(assessment, &names)));
    lines.push(String::new());
    lines.push(INTERVALS_NOTE.to_string());
    lines
}

/// The table of labels.
fn label_lines(assessment: &MultilabelAssessment, names: &[&str]) -> Vec<String> {
    let cut_names: Vec<String> = names.iter().map(|name| cut(name)).collect();
    let cut_names: Vec<&str> = cut_names.iter().map(String::as_str).collect();
    let first = widest(cut_names.iter().copied()).max(LABEL_HEADING[0].len());
    let row = |cells: [&str; 10]| {
        let [name, images, sensitivity, of_sensitivity, specificity, of_specificity, precision, f1, roc_auc, counts] =
            cells;
        format!(
            "{name:<first$}  {images:>6}  {sensitivity:>11} {of_sensitivity:<13}  {specificity:>11} {of_specificity:<13}  {precision:>9}  \
             {f1:>6}  {roc_auc:>7}  {counts}"
        )
    };
    let rows = label_rows(assessment, &cut_names);
    std::iter::once(row(LABEL_HEADING))
        .chain(rows.iter().map(|cells| row(cells.each_ref().map(String::as_str))))
        .collect()
}

/// The figures as an object.
pub fn json(evaluation: &EvaluationResult, assessment: &MultilabelAssessment) -> Value {
    let (micro, counts) = (assessment.micro(), assessment.micro_counts());
    let LabelMeans { sensitivity, specificity, precision, f1, roc_auc } = assessment.macro_means();
    let mean = |Mean { value, of }: Mean| json!({"value": value, "labels": of});
    json!({
        "threshold": assessment.threshold,
        "loss": assessment.loss,
        "loss_of_shares": assessment.loss_of_shares(),
        "exact_match": assessment.exact_match(),
        "accuracy": assessment.accuracy(),
        "majority_share": assessment.majority_share(),
        "macro": {
            "roc_auc": mean(roc_auc),
            "sensitivity": mean(sensitivity),
            "specificity": mean(specificity),
            "precision": mean(precision),
            "f1": mean(f1),
        },
        "micro": {
            "roc_auc": assessment.micro_roc_auc,
            "sensitivity": micro.sensitivity(),
            "specificity": micro.specificity(),
            "precision": counts.precision(),
            "f1": counts.f1(),
        },
        "per_label": per_label(&evaluation.model.card.classes, assessment),
        "intervals": {
            "level": LEVEL,
            "exact_match": assessment.exact_match_interval(),
            "note": format!("{INTERVALS_NOTE} {INDEPENDENCE_NOTE}"),
        },
        "predictions": predictions(evaluation),
        "note": "probabilities are of each label by itself, in the order of classes; not for diagnosis",
    })
}

fn per_label(labels: &Classes, assessment: &MultilabelAssessment) -> Vec<Value> {
    let of_label = |(name, label): (&str, &LabelMeasures)| {
        json!({
            "name": name,
            "images": label.confusion.positives(),
            "confusion": label.confusion,
            "sensitivity": label.confusion.sensitivity(),
            "specificity": label.confusion.specificity(),
            "precision": label.counts().precision(),
            "f1": label.counts().f1(),
            "roc_auc": label.roc_auc,
            "intervals": {
                "sensitivity": label.sensitivity_interval(),
                "specificity": label.specificity_interval(),
            },
        })
    };
    labels.names().zip(&assessment.labels).map(of_label).collect()
}

fn predictions(evaluation: &EvaluationResult) -> Vec<Value> {
    let (labels, answered) = (&evaluation.model.card.classes, &evaluation.answered);
    let names = |set: LabelSet| set.labels().map(|label| &labels[label]).collect::<Vec<&str>>();
    let one = |(image, file): (usize, &String)| {
        let [set, answer] = answered.sets[image];
        let row = answered.row(evaluation.network.head(), image);
        let probabilities: Vec<f64> = row.iter().copied().map(f64::from).collect();
        json!({"file": file, "labels": names(set), "answers": names(answer), "probabilities": probabilities})
    };
    answered.files.iter().enumerate().map(one).collect()
}
