//! An evaluation on more than two classes, as lines and as JSON.

use super::evaluation::EvaluationResult;
use super::tables::{cut, measure_lines, reliability_lines, widest};
use glassnet::classes::Label;
use glassnet::metrics::LEVEL;
use glassnet::metrics::multiclass::{ConfusionMatrix, Means, MulticlassAssessment};
use glassnet::report::evaluation::INDEPENDENCE_NOTE;
use glassnet::report::evaluation::multiclass::{
    CLASS_HEADING, CONFIDENCE_NOTE, INTERVALS_NOTE, class_rows, measure_rows,
};
use serde_json::{Map, Value, json};

/// The most classes whose confusion matrix fits a terminal.
const MOST_COLUMNS: usize = 20;

/// The most pairs of classes that are listed as often taken for one another.
const PAIRS: usize = 10;

/// The tables of figures as text.
pub fn lines(assessment: &MulticlassAssessment, names: &[String]) -> Vec<String> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut lines = Vec::new();
    if names.len() <= MOST_COLUMNS {
        lines.extend(confusion_lines(&assessment.confusion, &names));
        lines.push(String::new());
    }
    lines.extend(confused_lines(&assessment.confusion, &names));
    lines.push(String::new());
    lines.extend(class_lines(assessment, &names));
    lines.push(String::new());
    lines.extend(measure_lines(&measure_rows(assessment, &names)));
    let reliability = reliability_lines(assessment.confidence.as_ref());
    if !reliability.is_empty() {
        lines.push(String::new());
        lines.push(CONFIDENCE_NOTE.to_string());
        lines.extend(reliability.into_iter().skip(1));
    }
    lines.push(String::new());
    lines.push(INTERVALS_NOTE.to_string());
    lines
}

/// The confusion matrix: rows the true class, columns the answers, by their numbers.
fn confusion_lines(confusion: &ConfusionMatrix, names: &[&str]) -> Vec<String> {
    let rows: Vec<String> = names.iter().enumerate().map(|(class, name)| format!("{class:>2} {}", cut(name))).collect();
    let first = widest(rows.iter().map(String::as_str)).max(10);
    let width = confusion.rows().flatten().max().map_or(1, |most| most.to_string().len()).max(2);
    let columns = |cells: Vec<String>| cells.into_iter().map(|cell| format!("  {cell:>width$}")).collect::<String>();
    let heading = format!("{:<first$}  answered", "true class");
    let numbers = format!("{:<first$}{}", "", columns((0..names.len()).map(|class| class.to_string()).collect()));
    let cells = rows
        .iter()
        .zip(confusion.rows())
        .map(|(name, counts)| format!("{name:<first$}{}", columns(counts.iter().map(usize::to_string).collect())));
    [heading, numbers].into_iter().chain(cells).collect()
}

/// Which class is most often taken for which.
fn confused_lines(confusion: &ConfusionMatrix, names: &[&str]) -> Vec<String> {
    let confused = confusion.confused();
    if confused.is_empty() {
        return vec![format!("No mistake among {} images", confusion.total())];
    }
    let line = |&(label, answer, count): &(Label, Label, usize)| {
        let images = confusion.class(label).support();
        format!("  {count} of {images} '{}' taken for '{}'", names[label.index()], names[answer.index()])
    };
    let more = confused.len().saturating_sub(PAIRS);
    let more = (more > 0).then(|| format!("  and {more} more pairs; --json has the whole matrix"));
    let heading = "Taken for another class most often:".to_string();
    std::iter::once(heading).chain(confused.iter().take(PAIRS).map(line)).chain(more).collect()
}

/// The table of classes.
fn class_lines(assessment: &MulticlassAssessment, names: &[&str]) -> Vec<String> {
    let cut_names: Vec<String> = names.iter().map(|name| cut(name)).collect();
    let cut_names: Vec<&str> = cut_names.iter().map(String::as_str).collect();
    let first = widest(cut_names.iter().copied()).max(CLASS_HEADING[0].len());
    let row = |cells: [&str; 9]| {
        let [name, images, precision, of_precision, recall, of_recall, f1, of_f1, roc_auc] = cells;
        format!(
            "{name:<first$}  {images:>6}  {precision:>9} {of_precision:<13}  {recall:>6} {of_recall:<13}  {f1:>6} {of_f1:<13}  \
             {roc_auc:>7}"
        )
        .trim_end()
        .to_string()
    };
    let rows = class_rows(assessment, &cut_names);
    std::iter::once(row(CLASS_HEADING))
        .chain(rows.iter().map(|cells| row(cells.each_ref().map(String::as_str))))
        .collect()
}

/// The figures as an object.
pub fn json(evaluation: &EvaluationResult, assessment: &MulticlassAssessment) -> Value {
    let confusion = &assessment.confusion;
    let top_k: Map<String, Value> = assessment.top_k.iter().map(|(k, share)| (k.to_string(), json!(share))).collect();
    json!({
        "confusion": confusion.rows().collect::<Vec<&[usize]>>(),
        "loss": assessment.loss,
        "loss_of_shares": assessment.loss_of_shares(),
        "accuracy": confusion.accuracy(),
        "majority_share": confusion.majority_share(),
        "top_k": top_k,
        "balanced_accuracy": confusion.macro_means().recall,
        "macro": means(confusion.macro_means()),
        "weighted": means(confusion.weighted_means()),
        "roc_auc": assessment.mean_roc_auc(),
        "brier_score": assessment.brier_score,
        "brier_score_of_shares": assessment.brier_score_of_shares(),
        "confidence": assessment.confidence,
        "per_class": per_class(evaluation, assessment),
        "intervals": {
            "level": LEVEL,
            "accuracy": assessment.accuracy_interval(),
            "note": format!("{INTERVALS_NOTE} {INDEPENDENCE_NOTE}"),
        },
        "predictions": predictions(evaluation),
        "note": "confusion has a row for each class and a column for each answer; probability is that of the answer; not for \
                 diagnosis",
    })
}

fn means(Means { precision, recall, f1 }: Means) -> Value {
    json!({"precision": precision, "recall": recall, "f1": f1})
}

fn per_class(evaluation: &EvaluationResult, assessment: &MulticlassAssessment) -> Vec<Value> {
    let classes = &evaluation.model.card.classes;
    let of_class = |label: Label| {
        let class = assessment.confusion.class(label);
        json!({
            "name": classes[label],
            "images": class.support(),
            "precision": class.precision(),
            "recall": class.recall(),
            "f1": class.f1(),
            "roc_auc": assessment.roc_auc[label.index()],
            "intervals": {
                "precision": class.precision_interval(),
                "recall": class.recall_interval(),
                "f1": class.f1_interval(),
            },
        })
    };
    classes.labels().map(of_class).collect()
}

fn predictions(evaluation: &EvaluationResult) -> Vec<Value> {
    let (classes, answered) = (&evaluation.model.card.classes, &evaluation.answered);
    let head = evaluation.network.head();
    let one = |(image, file): (usize, &String)| {
        let (label, answer, row) = (answered.labels[image], answered.answers[image], answered.row(head, image));
        let probabilities: Vec<f64> = row.iter().copied().map(f64::from).collect();
        json!({
            "file": file,
            "label": classes[label],
            "answer": classes[answer],
            "probability": probabilities[answer.index()],
            "probabilities": probabilities,
        })
    };
    answered.files.iter().enumerate().map(one).collect()
}
