//! The folder that `--out` names.

use super::answered::Answered;
use super::evaluation::{EvaluationResult, JSON, PAGE, PREDICTIONS};
use crate::cli::outcome::Failure;
use crate::cli::terminal::{console, output};
use glassnet::metrics::{Judged, positives};
use glassnet::report::evaluation::page::{EvaluationPage, write_evaluation_page};
use glassnet::report::predictions_csv::{write_label_predictions, write_predictions};
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
        let Answered { files, labels, sets, probabilities, .. } = &self.answered;
        let (path, classes) = (out.join(PREDICTIONS), &self.model.card.classes);
        match self.judged {
            Judged::Labels(_) => write_label_predictions(&path, classes, files, sets, probabilities)?,
            _ => write_predictions(&path, classes, files, labels, probabilities)?,
        }
        let json = console::json_text(&self.json()) + "\n";
        glassnet::files::write_whole(&out.join(JSON), json.as_bytes())?;
        let names = self.class_names();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let positives = match self.judged {
            Judged::Two(_) => positives(self.network.head(), probabilities),
            Judged::Several(_) | Judged::Labels(_) => Vec::new(),
        };
        let (mistakes, all_mistakes) = self.mistakes();
        let page = EvaluationPage {
            facts: &self.facts(),
            classes: &names,
            judged: &self.judged,
            labels,
            positives: &positives,
            mistakes: &mistakes,
            all_mistakes,
        };
        Ok(write_evaluation_page(&out.join(PAGE), &page)?)
    }
}
