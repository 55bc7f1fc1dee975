//! The model's answers to the images of the subset.

use crate::cli::input::predictor::{BATCH, Image, NoPrediction, Prediction, Predictor};
use crate::cli::terminal::console;
use crate::cli::terminal::progress::Progress;
use glassnet::Result;
use glassnet::classes::{Label, LabelSet};
use glassnet::data::catalog::Item;
use glassnet::data::left_out::{LeftOut, Reason};
use glassnet::data::source::Source;
use glassnet::head::Head;
use serde_json::json;
use std::sync::Arc;

/// The wishes for the answers.
#[derive(Clone, Copy)]
pub struct AnswerOptions {
    pub threshold: f64,
    /// True where images that cannot be read are left out, and not failures.
    pub skip_bad: bool,
}

/// The answers, in the order of the images; what could not be read is missing.
#[derive(Default)]
pub struct Answered {
    /// Each image's path in DATA, and its place in the source.
    pub files: Vec<String>,
    pub entries: Vec<usize>,
    /// The class of each, or which combination of labels it has.
    pub labels: Vec<Label>,
    /// The class that each was taken for; none where images may have several labels.
    pub answers: Vec<Label>,
    /// Where images may have several labels, those that each has and those that it was said to have.
    pub sets: Vec<[LabelSet; 2]>,
    /// A row for each, as the network's head gives them.
    pub probabilities: Vec<f32>,
    pub losses: Vec<f64>,
    /// Images without an answer, and why.
    pub failed: Vec<serde_json::Value>,
    /// The paths of those that cannot be read and were left out.
    pub skipped: Vec<String>,
    /// All of these.
    pub left_out: Vec<LeftOut>,
}

impl Answered {
    /// Answers all items, a batch at a time.
    pub fn all(
        network: &mut Predictor,
        source: &Arc<Source>,
        items: &[Item],
        wanted: AnswerOptions,
    ) -> Result<Answered> {
        let progress = Progress::of_images("Answering", items.len());
        let mut answered = Answered::default();
        for batch in items.chunks(BATCH) {
            let images: Vec<Image> = batch.iter().map(|item| Image::InSource(Arc::clone(source), item.entry)).collect();
            for (item, answer) in batch.iter().zip(network.predict(&images, |_| false)?) {
                match answer {
                    Ok(answer) => {
                        for note in &answer.notes {
                            console::warn(note);
                        }
                        let loss = network.loss(&answer, item);
                        match item.labels {
                            Some(set) => answered.sets.push([set, network.label_set(&answer, wanted.threshold)]),
                            None => answered.answers.push(network.decision(&answer, wanted.threshold)),
                        }
                        answered.add(item, answer, loss);
                    }
                    Err(reason) => {
                        let sentence = reason.sentence();
                        let why = Reason::Unreadable(sentence.to_string());
                        answered.left_out.push(LeftOut::new(&item.path, source.full_name(item.entry), why));
                        match reason {
                            NoPrediction::Unreadable(_) if wanted.skip_bad => {
                                console::warn(&format!("left out: {sentence}"));
                                answered.skipped.push(item.path.clone());
                            }
                            _ => {
                                console::error(sentence);
                                answered.failed.push(json!({"file": item.path, "error": sentence}));
                            }
                        }
                    }
                }
            }
            progress.advance(batch.len());
        }
        Ok(answered)
    }

    /// Adds an image with its answer.
    fn add(&mut self, item: &Item, answer: Prediction, loss: f64) {
        self.files.push(item.path.clone());
        self.entries.push(item.entry);
        self.labels.push(item.label);
        self.probabilities.extend(answer.probabilities);
        self.losses.push(loss);
    }

    /// Answers anew by another threshold.
    pub fn decide_by(&mut self, head: Head, threshold: f64) {
        let rows = self.probabilities.chunks_exact(head.units());
        self.answers = rows.map(|row| head.decision(row.iter().copied(), threshold)).collect();
    }

    /// The probabilities of an image.
    pub fn row(&self, head: Head, image: usize) -> &[f32] {
        &self.probabilities[image * head.units()..(image + 1) * head.units()]
    }
}
