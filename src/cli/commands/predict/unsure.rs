//! The images that `predict --unsure` would have left without an answer.

use crate::cli::args::Unsure;
use crate::cli::terminal::console;
use glassnet::classes::Classes;
use glassnet::error::counted;
use glassnet::report::predictions_csv::{Predictions, read_predictions};
use std::path::{Path, PathBuf};

/// Says of how many of the images that the runs of these weights were validated on nothing would have been
/// said. Several models have told of these images one by one, each in its own run.
pub fn tell_how_many_are_unsure(unsure: Unsure, files: &[PathBuf], classes: &Classes) {
    let found: Vec<Vec<f64>> = files.iter().filter_map(|file| told(file, classes)).collect();
    let images: usize = found.iter().map(Vec::len).sum();
    if images == 0 {
        return;
    }
    let covered = found.iter().flatten().filter(|probability| unsure.covers(**probability)).count();
    let whom = match files {
        [_] => "the run was validated on",
        _ => "the models were validated on, each asked alone",
    };
    console::progress(&format!(
        "Of {} that {whom}, {covered} would have had no answer ({:.1} %)",
        counted(images, "image"),
        100.0 * covered as f64 / images as f64
    ));
}

/// The probability that the run of these weights has told of each image that it was validated on, if it has.
fn told(weights: &Path, classes: &Classes) -> Option<Vec<f64>> {
    let run = weights.parent()?.parent()?;
    let Predictions { labels, probabilities } = read_predictions(&run.join("predictions.csv"), classes).ok()?;
    let rows = probabilities.chunks_exact(probabilities.len().checked_div(labels.len())?);
    Some(rows.map(|row| f64::from(row.iter().copied().fold(0.0, f32::max))).collect())
}
