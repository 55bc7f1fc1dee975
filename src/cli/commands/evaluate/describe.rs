//! An evaluation as lines, and as JSON: what it says whatever the number of classes.

use super::answered::Answered;
use super::evaluation::{EvaluationResult, JSON, PAGE, PREDICTIONS};
use super::{labels, several, two};
use crate::cli::terminal::console;
use glassnet::error::{counted, some_of};
use glassnet::metrics::{Judged, only_answer};
use glassnet::report::evaluation::INDEPENDENCE_NOTE;
use serde_json::{Value, json};
use std::path::Path;

/// Returns where the threshold was saved.
pub fn saved_line(file: &Path, threshold: f64) -> String {
    format!("Saved in {}: predict and evaluate answer by the threshold {threshold} from now on", file.display())
}

/// Returns what is in the folder of `--out`.
pub fn written_line(out: &Path) -> String {
    format!("Written to {}: {PAGE}, {JSON}, {PREDICTIONS}", out.display())
}

impl EvaluationResult<'_> {
    /// Returns what the figures are of.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let training = &self.model.card.training;
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
            self.classes_fact(),
        ]);
        facts.extend(self.chosen.as_ref().map(|chosen| ("Threshold", chosen.fact())));
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

    /// Which class is the positive one, or which classes there are.
    fn classes_fact(&self) -> (&'static str, String) {
        let names = self.class_names();
        match (&self.judged, &names[..]) {
            (Judged::Two(assessment), [negative, positive]) => {
                let threshold = assessment.threshold;
                let text = format!(
                    "'{positive}' (class 1), answered where its probability is above {threshold}, else '{negative}'"
                );
                ("Positive", text)
            }
            (Judged::Labels(assessment), _) => {
                let text = format!(
                    "{}; an image may have several, and each is answered where its probability is above {}",
                    some_of(names),
                    assessment.threshold
                );
                ("Labels", text)
            }
            _ => ("Classes", format!("{}; the most probable is the answer", some_of(names))),
        }
    }

    /// Returns what keeps the figures from meaning what they seem to.
    fn cautions(&self) -> Vec<String> {
        let Answered { labels, answers, .. } = &self.answered;
        let only = if answers.is_empty() { None } else { only_answer(labels, answers) };
        let one_class = only.map(|label| {
            let class = &self.class_names()[label.index()];
            format!("every image is taken for '{class}': the accuracy is that class's share, no skill")
        });
        one_class.into_iter().chain(self.subset.caution()).collect()
    }

    /// The report as text.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.facts().iter().map(|(name, fact)| format!("{name:<9} {fact}")).collect();
        lines.push(String::new());
        let names = self.class_names();
        lines.extend(match &self.judged {
            Judged::Two(assessment) => two::lines(assessment, [&names[0], &names[1]]),
            Judged::Several(assessment) => several::lines(assessment, &names),
            Judged::Labels(assessment) => labels::lines(assessment, &names),
        });
        lines.push(INDEPENDENCE_NOTE.to_string());
        if let (Some(chosen), [negative, positive]) = (&self.chosen, &names[..]) {
            lines.push(String::new());
            lines.extend(chosen.lines([negative, positive]));
            lines.push(String::new());
        }
        lines.push("Not for diagnosis.".to_string());
        lines
    }

    /// The report as one object. A number that cannot be told is null.
    pub fn json(&self) -> Value {
        let mut object = match &self.judged {
            Judged::Two(assessment) => two::json(self, assessment),
            Judged::Several(assessment) => several::json(self, assessment),
            Judged::Labels(assessment) => labels::json(self, assessment),
        };
        let classes = &self.model.card.classes;
        let positive = classes.positive().filter(|_| !matches!(self.judged, Judged::Labels(_)));
        let common = json!({
            "model": self.file.display().to_string(),
            "training": self.model.card.training,
            "data": self.source.path().display().to_string(),
            "classes": classes,
            "positive_class": positive,
            "subset": self.subset.json(),
            "images": self.judged.total(),
            "errors": self.answered.failed,
            "left_out": self.left_out,
            "cautions": self.cautions(),
        });
        if let (Value::Object(object), Value::Object(common)) = (&mut object, common) {
            object.extend(common);
        }
        if let Some(chosen) = &self.chosen {
            object["chosen_threshold"] = chosen.json();
        }
        let reading = self.model.card.reading;
        if !reading.is_default() {
            object["reading"] = json!(reading);
        }
        if !self.answered.skipped.is_empty() {
            object["skipped_images"] = json!(self.answered.skipped);
        }
        object
    }
}
