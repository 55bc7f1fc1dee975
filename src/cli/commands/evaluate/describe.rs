//! An evaluation as lines, and as JSON.

use super::evaluation::{EvaluationResult, JSON, PAGE, PREDICTIONS};
use crate::cli::input::dataset::two;
use crate::cli::terminal::console;
use glassnet::classes::Label;
use glassnet::error::counted;
use glassnet::metrics::LEVEL;
use glassnet::report::evaluation::{
    INDEPENDENCE_NOTE, INTERVALS_NOTE, RELIABILITY_HEADING, measure_rows, reliability_rows,
};
use serde_json::{Value, json};
use std::path::Path;

/// Returns what is in the folder of `--out`.
pub fn written_line(out: &Path) -> String {
    format!("Written to {}: {PAGE}, {JSON}, {PREDICTIONS}", out.display())
}

impl EvaluationResult<'_> {
    /// Returns what the figures are of.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let training = &self.model.card.training;
        let [negative, positive] = self.class_names();
        let threshold = self.assessment.threshold;
        let line = |text: String| console::one_line(&text).into_owned();
        let mut facts = vec![(
            "Model",
            line(format!(
                "{}, trained for {} on {}",
                self.file.display(),
                counted(training.epochs, "epoch"),
                counted(training.images, "image")
            )),
        )];
        let reading = self.model.card.reading.description();
        facts.extend(reading.map(|how| ("Images", format!("read with {how}, as the model was trained"))));
        facts.extend([
            ("Data", line(self.source.path().display().to_string())),
            ("Subset", line(self.subset.description())),
            (
                "Positive",
                format!(
                    "'{positive}' (class 1), answered where its probability is above {threshold}, else '{negative}'"
                ),
            ),
        ]);
        let [failed, skipped] = [self.answered.failed.len(), self.answered.skipped.len()];
        let images = self.answered.labels.len() + failed + skipped;
        if failed > 0 {
            let verb = if failed == 1 { "has" } else { "have" };
            facts.push(("Missing", format!("{failed} of {} {verb} no answer", counted(images, "image"))));
        }
        if skipped > 0 {
            facts.push(("Left out", format!("{skipped} of {}, which cannot be read", counted(images, "image"))));
        }
        facts.extend(self.cautions().into_iter().map(|caution| ("Caution", caution)));
        facts
    }

    /// Returns what keeps the figures from meaning what they seem to.
    fn cautions(&self) -> Vec<String> {
        let one_class = self.assessment.confusion.only_answer().map(|label| {
            let class = &self.class_names()[label.index()];
            format!("every image is taken for '{class}': the accuracy is that class's share, no skill")
        });
        one_class.into_iter().chain(self.subset.caution()).collect()
    }

    /// The report as text.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.facts().iter().map(|(name, fact)| format!("{name:<9} {fact}")).collect();
        lines.push(String::new());
        lines.extend(self.confusion_lines());
        lines.push(String::new());
        let names = self.class_names();
        let classes = [names[0].as_str(), names[1].as_str()];
        let row = |cells: [&str; 4]| {
            let [name, value, interval, note] = cells;
            format!("{name:<18} {value:>9}  {interval:<13}  {note}").trim_end().to_string()
        };
        lines.push(row(["measure", "value", "95 % interval", ""]));
        let measures = measure_rows(&self.assessment, classes);
        lines.extend(
            measures.iter().map(|measure| row([measure.name, &measure.value, &measure.interval, &measure.note])),
        );

        let bins = reliability_rows(&self.assessment);
        if !bins.is_empty() {
            let row = |cells: [&str; 5]| {
                let [range, images, mean, observed, interval] = cells;
                format!("{range:<11} {images:>7} {mean:>8} {observed:>9}  {interval}")
            };
            lines.push(String::new());
            lines.push(row(RELIABILITY_HEADING));
            lines.extend(bins.iter().map(|bin| row(bin.each_ref().map(String::as_str))));
        }
        lines.push(String::new());
        lines.push(INTERVALS_NOTE.to_string());
        lines.push(INDEPENDENCE_NOTE.to_string());
        lines.push("Not for diagnosis.".to_string());
        lines
    }

    /// The confusion matrix: rows the true class, columns the answers.
    fn confusion_lines(&self) -> Vec<String> {
        let [negative, positive] = self.class_names();
        let confusion = &self.assessment.confusion;
        let rows = [
            (&negative, [confusion.true_negative, confusion.false_positive]),
            (&positive, [confusion.false_negative, confusion.true_positive]),
        ];
        let first = [&negative, &positive].map(|name| name.chars().count()).into_iter().max().unwrap_or(0).max(10);
        let [left, right] = [&negative, &positive].map(|name| name.chars().count().max(5));
        let heading = format!("{:<first$}  answered", "true class");
        let names = format!("{:<first$}  {negative:>left$}  {positive:>right$}", "");
        let cells = rows.map(|(name, [left_count, right_count])| {
            format!("{name:<first$}  {left_count:>left$}  {right_count:>right$}")
        });
        [heading, names].into_iter().chain(cells).collect()
    }

    /// The report as one object. A number that cannot be told is null, and `undefined` says why.
    pub fn json(&self) -> Value {
        let assessment = &self.assessment;
        let confusion = &assessment.confusion;
        let classes = &self.model.card.classes;
        let undefined = assessment.undefined(two(classes));
        let undefined: serde_json::Map<String, Value> =
            undefined.into_iter().map(|(name, why)| (name.to_string(), json!(why))).collect();
        let answered = &self.answered;
        let answers = answered.labels.iter().zip(&answered.probabilities);
        let predictions: Vec<Value> = answered
            .files
            .iter()
            .zip(answers)
            .map(|(file, (&label, &probability))| {
                json!({"file": file, "label": classes[label], "probability": f64::from(probability)})
            })
            .collect();
        let mut object = json!({
            "model": self.file.display().to_string(),
            "training": self.model.card.training,
            "data": self.source.path().display().to_string(),
            "classes": classes,
            "positive_class": classes[Label::POSITIVE],
            "threshold": assessment.threshold,
            "subset": self.subset.json(),
            "images": confusion.total(),
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
            "errors": answered.failed,
            "left_out": self.left_out,
            "cautions": self.cautions(),
            "note": "probability is that of the positive class; not for diagnosis",
        });
        let reading = self.model.card.reading;
        if !reading.is_default() {
            object["reading"] = json!(reading);
        }
        if !answered.skipped.is_empty() {
            object["skipped_images"] = json!(answered.skipped);
        }
        object
    }
}
