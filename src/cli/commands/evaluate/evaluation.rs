//! The result of an evaluation.

use super::answered::Answered;
use super::chosen::ChosenThreshold;
use super::subset::Subset;
use crate::cli::input::predictor::Predictor;
use crate::cli::terminal::console;
use glassnet::checkpoint::Checkpoint;
use glassnet::data::left_out::LeftOut;
use glassnet::data::source::Source;
use glassnet::metrics::Judged;
use std::path::PathBuf;
use std::sync::Arc;

/// The files that `--out` writes.
pub const PAGE: &str = "evaluation.html";
pub const JSON: &str = "evaluation.json";
pub const PREDICTIONS: &str = "predictions.csv";

/// The result of an evaluation, with all that is told of it.
pub struct EvaluationResult<'a> {
    pub file: PathBuf,
    pub model: &'a Checkpoint,
    /// The model at work, for another look at some of the images.
    pub network: Predictor<'a>,
    pub source: Arc<Source>,
    pub subset: Subset,
    /// The files of DATA that have no part in it.
    pub left_out: Vec<LeftOut>,
    pub answered: Answered,
    pub judged: Judged,
    /// The threshold, where it was chosen on these images.
    pub chosen: Option<ChosenThreshold>,
}

impl EvaluationResult<'_> {
    /// The names of the classes, as they can stand in a line.
    pub fn class_names(&self) -> Vec<String> {
        self.model.card.classes.names().map(|name| console::one_line(name).into_owned()).collect()
    }
}
