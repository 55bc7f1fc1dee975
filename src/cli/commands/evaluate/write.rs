//! The folder that `--out` names.

use super::evaluation::{EvaluationResult, JSON, PAGE, PREDICTIONS};
use crate::cli::outcome::Failure;
use crate::cli::terminal::{console, output};
use glassnet::report::csv_files::{self, PredictionRow};
use glassnet::report::evaluation::page::{EvaluationPage, write_evaluation_page};
use glassnet::{Error, Result};
use std::path::Path;

/// Checks that `--out` can become a new folder.
pub fn check_out(out: &Path) -> Result<()> {
    let names_a_file = ["html", "htm", "json", "csv", "png"];
    let extension = out.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    if extension.is_some_and(|extension| names_a_file.contains(&extension.as_str())) {
        let reason = format!(
            "a folder is written, with {PAGE}, {JSON} and {PREDICTIONS} in it, and {} is the name of a file; name a folder",
            out.display()
        );
        return Err(Error::setting("--out", reason));
    }
    output::check_new_folder("--out", out)
}

impl EvaluationResult<'_> {
    /// Writes the folder of `--out`.
    pub fn write(&self, out: &Path) -> std::result::Result<(), Failure> {
        let classes = &self.model.card.classes;
        let answered = &self.answered;
        let rows: Vec<PredictionRow> = answered
            .files
            .iter()
            .zip(answered.labels.iter().zip(&answered.probabilities))
            .map(|(file, (&label, &probability))| PredictionRow { file, label: &classes[label], probability })
            .collect();
        csv_files::write_predictions(&out.join(PREDICTIONS), &rows)?;
        let json = console::json_text(&self.json()) + "\n";
        glassnet::files::write_whole(&out.join(JSON), json.as_bytes())?;
        let names = self.class_names();
        let page = EvaluationPage {
            facts: &self.facts(),
            classes: [&names[0], &names[1]],
            assessment: &self.assessment,
            labels: &answered.labels,
            probabilities: &answered.probabilities,
            mistakes: answered.mistakes.shown(),
            all_mistakes: answered.mistakes.count,
        };
        Ok(write_evaluation_page(&out.join(PAGE), &page)?)
    }
}
