//! A model's answers to images, or those of several together, a batch at a time: what `predict` and
//! `evaluate` have in common.

use crate::cli::machine::memory::Memory;
use crate::cli::terminal::output;
use glassnet::checkpoint::Checkpoint;
use glassnet::classes::{Label, LabelSet};
use glassnet::data::augment::Change;
use glassnet::data::catalog::Item;
use glassnet::data::decode::{ImageInfo, Rgb8, RgbPicture, decode_as_read, more_pictures_note, suffix_note};
use glassnet::data::framing::framed_samples;
use glassnet::data::images::read_as;
use glassnet::data::reading::Reading;
use glassnet::data::sample::PictureSamples;
use glassnet::data::source::{Source, read_file};
use glassnet::head::{Head, Logits, Targets};
use glassnet::optim::Rule;
use glassnet::plan::{Mode, Plan, PlanOptions, Workspace};
use glassnet::report::folds::{mean, standard_deviation};
use glassnet::{Error, Result};
use ndarray::Array4;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Images that go through the network at once.
pub const BATCH: usize = 16;

/// An image to answer for.
pub enum Image {
    File(PathBuf),
    InSource(Arc<Source>, usize),
}

impl Image {
    pub fn name(&self) -> String {
        match self {
            Image::File(path) => path.display().to_string(),
            Image::InSource(source, index) => source.full_name(*index),
        }
    }

    /// Returns the bytes of its file.
    ///
    /// # Errors
    /// Where it cannot be read, or is one of a pack, which has no files.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        match self {
            Image::File(path) => read_file(path),
            Image::InSource(source, index) => source.read(*index),
        }
    }

    /// Reads it and does `work` with it at once: of a batch of large images only what that leaves stays in
    /// memory.
    fn decode<T>(&self, reading: Reading, work: impl FnOnce(RgbPicture) -> T) -> Result<(T, ImageInfo)> {
        match self {
            Image::File(path) => decode_as_read(&self.name(), &read_file(path)?, reading, work),
            Image::InSource(source, index) => read_as(source, *index, reading, |_, image| work(image)),
        }
    }
}

/// An image that was read, as far as it is kept.
struct ReadImage {
    /// The network's input.
    resized: PictureSamples,
    /// As pictures show it, where one will.
    shrunk: Option<Rgb8>,
    notes: Vec<String>,
}

/// Reads an image for a network, and for a picture if it `is_shown`.
fn see(model: &Checkpoint, image: &Image, is_shown: bool) -> Result<ReadImage> {
    let size = model.card.spec.input;
    if let Image::InSource(source, _) = image {
        // A picture that was resized once is not resized again.
        source.check_packs(size, model.card.reading)?;
    }
    let name = image.name();
    let (seen, info) = image.decode(model.card.reading, |pixels| {
        let shrunk = is_shown.then(|| output::shrink(&name, pixels.clone().into_rgb8())).transpose()?;
        let resized = framed_samples(pixels, size, model.card.reading);
        Ok((resized, shrunk))
    })?;
    let (resized, shrunk) = seen?;
    let notes = suffix_note(&name, &info).into_iter().chain(more_pictures_note(&name, &info)).collect();
    Ok(ReadImage { resized, shrunk, notes })
}

/// The answer to an image.
pub struct Prediction {
    /// Those of the model, where it is one.
    logits: Vec<f32>,
    /// As [`Head::probabilities`] gives them; of several models their means.
    pub probabilities: Vec<f32>,
    /// Of several models, for each probability the standard deviation of theirs, √(Σ (p − mean)² / (m − 1)).
    pub deviations: Option<Vec<f32>>,
    /// The image, no larger than a picture shows it, where it was asked for.
    pub pixels: Option<Rgb8>,
    /// Sentences on what a person should know of the file.
    pub notes: Vec<String>,
}

/// The reason why there is no answer for an image, in a sentence.
pub enum NoPrediction {
    /// It cannot be read.
    Unreadable(String),
    /// The model's answer to it is not a number.
    NotANumber(String),
}

impl NoPrediction {
    pub fn sentence(&self) -> &str {
        match self {
            NoPrediction::Unreadable(sentence) | NoPrediction::NotANumber(sentence) => sentence,
        }
    }
}

/// Models at work, with memory for one batch.
pub struct Predictor<'a> {
    /// One, or several that [agree](super::ensemble::Ensemble).
    members: Vec<Member<'a>>,
    /// One for each network: those of equal layers take turns in one.
    workspaces: Vec<Workspace>,
    /// True if an answer is the mean of the image's and its mirror image's.
    mirrors: bool,
}

/// One of the models.
struct Member<'a> {
    model: &'a Checkpoint,
    plan: Plan<'a>,
    /// Its place among the workspaces.
    workspace: usize,
}

impl<'a> Predictor<'a> {
    /// # Errors
    /// [`Error::Weights`] of `file`, where the model does not take images, or this machine cannot hold it.
    pub fn new(model: &'a Checkpoint, file: &Path) -> Result<Predictor<'a>> {
        Predictor::of_several([(model, file)])
    }

    /// Models that answer together: each probability is the mean of theirs. They take the same images, which
    /// are read once, as the first reads them.
    ///
    /// # Errors
    /// As [`Predictor::new`].
    ///
    /// # Panics
    /// If there is none.
    pub fn of_several<'f>(models: impl IntoIterator<Item = (&'a Checkpoint, &'f Path)>) -> Result<Predictor<'a>> {
        let (mut members, mut workspaces) = (Vec::<Member>::new(), Vec::new());
        for (model, file) in models {
            let [_, _, channels] = model.card.spec.input;
            if channels != 3 && channels != 1 {
                let reason = format!(
                    "its network takes images of {channels} channels, and image files are read as 3, or 1 in grey"
                );
                return Err(Error::weights(file, reason));
            }
            let alike = members.iter().find(|other| other.model.network.spec() == model.network.spec());
            let plan = Plan::new(&model.network, BATCH, PlanOptions::default());
            let workspace = match alike {
                Some(other) => other.workspace,
                None => {
                    Memory::new(&model.network, BATCH, PlanOptions::default(), Rule::default())
                        .check_inference(file)?;
                    workspaces.push(plan.workspace());
                    workspaces.len() - 1
                }
            };
            members.push(Member { model, plan, workspace });
        }
        assert!(!members.is_empty(), "nobody answers");
        Ok(Predictor { members, workspaces, mirrors: false })
    }

    /// The model by which images are read.
    fn first(&self) -> &'a Checkpoint {
        self.members[0].model
    }

    /// The same, whose probabilities are the means of those of an image and of its mirror image.
    pub fn mirroring(self) -> Predictor<'a> {
        Predictor { mirrors: true, ..self }
    }

    /// The meaning of the networks' logits.
    pub fn head(&self) -> Head {
        self.first().network.head()
    }

    /// The loss of the one model's answer, where the image is of this class, or has these labels.
    ///
    /// # Panics
    /// If several models answered.
    pub fn loss(&self, answer: &Prediction, item: &Item) -> f64 {
        let head = self.head();
        let targets = Targets { sets: item.labels.as_slice(), ..Targets::new(std::slice::from_ref(&item.label)) };
        head.loss(Logits::new(&answer.logits, head.units()), targets)
    }

    /// The labels that an image of this answer is said to have, where it may have several.
    pub fn label_set(&self, answer: &Prediction, threshold: f64) -> LabelSet {
        self.head().label_set(answer.probabilities.iter().copied(), threshold)
    }

    /// The class that an image of this answer is taken for.
    pub fn decision(&self, answer: &Prediction, threshold: f64) -> Label {
        self.head().decision(answer.probabilities.iter().copied(), threshold)
    }

    /// An image as the network sees it, but no smaller than a picture shows it.
    ///
    /// # Errors
    /// An error if it cannot be read.
    pub fn picture(&self, image: &Image) -> Result<Rgb8> {
        image.decode(self.first().card.reading, |pixels| output::shrink(&image.name(), pixels.into_rgb8()))?.0
    }

    /// Answers each of at most [`BATCH`] images, in their order, or says why there is no answer.
    /// `is_shown` tells by an image's place in the batch whether a picture will show it.
    ///
    /// # Errors
    /// An error if the network cannot run at all.
    pub fn predict(
        &mut self,
        batch: &[Image],
        is_shown: impl Fn(usize) -> bool + Sync,
    ) -> Result<Vec<std::result::Result<Prediction, NoPrediction>>> {
        let model = self.first();
        let see_one = |(place, image)| see(model, image, is_shown(place));
        let seen: Vec<Result<ReadImage>> = batch.par_iter().enumerate().map(see_one).collect();
        let resized = || seen.iter().filter_map(|seen| Some(&seen.as_ref().ok()?.resized));
        let flip = Change { flip_horizontal: true, ..Change::default() };
        let input = network_input(model, resized(), Change::default());
        let mirrored = self.mirrors.then(|| network_input(model, resized(), flip));
        let inputs: Vec<&Array4<f32>> = [Some(&input), mirrored.as_ref()].into_iter().flatten().collect();
        let answers = (0..self.members.len())
            .map(|member| self.answers(member, &inputs))
            .collect::<Result<Vec<MemberAnswers>>>()?;
        let units = self.head().units();
        let mut row = 0;
        let answer = |(image, seen): (&Image, Result<ReadImage>)| {
            let ReadImage { shrunk: pixels, notes, .. } =
                seen.map_err(|error| NoPrediction::Unreadable(error.to_string()))?;
            let place = row * units..(row + 1) * units;
            row += 1;
            let logits = match &answers[..] {
                [only] => only.logits[place.clone()].to_vec(),
                _ => Vec::new(),
            };
            let rows: Vec<&[f32]> = answers.iter().map(|answers| &answers.probabilities[place.clone()]).collect();
            let (probabilities, deviations) = mean_and_deviation(&rows);
            if probabilities.iter().any(|p| p.is_nan()) {
                let reason = "the model's answer is not a number, as its training diverged; use another weights file";
                return Err(NoPrediction::NotANumber(format!("{}: {reason}", image.name())));
            }
            Ok(Prediction { logits, probabilities, deviations, pixels, notes })
        };
        Ok(batch.iter().zip(seen).map(answer).collect())
    }

    /// The answers of one of the models to a batch, which may be empty: its probabilities are the means over
    /// the inputs, of which the first is the images as they are.
    fn answers(&mut self, member: usize, inputs: &[&Array4<f32>]) -> Result<MemberAnswers> {
        let Member { model, plan, workspace } = &self.members[member];
        let workspace = &mut self.workspaces[*workspace];
        let head = model.network.head();
        let mut answers = MemberAnswers::default();
        for (index, input) in inputs.iter().enumerate().filter(|(_, input)| !input.is_empty()) {
            let logits = plan.forward(&model.parameters, input.view(), Mode::Inference, workspace)?;
            let probabilities = logits.rows().flat_map(|row| head.probabilities(row));
            if index == 0 {
                answers.probabilities = probabilities.collect();
                answers.logits = logits.values().to_vec();
            } else {
                answers.probabilities.iter_mut().zip(probabilities).for_each(|(p, other)| *p = (*p + other) / 2.0);
            }
        }
        Ok(answers)
    }
}

/// The answers of a model to a batch, row by row.
#[derive(Default)]
struct MemberAnswers {
    logits: Vec<f32>,
    probabilities: Vec<f32>,
}

/// Returns the means of several models' rows of probabilities, and their standard deviations; of one model
/// its row as it is.
fn mean_and_deviation(rows: &[&[f32]]) -> (Vec<f32>, Option<Vec<f32>>) {
    if let [row] = rows {
        return (row.to_vec(), None);
    }
    let values = |class: usize| rows.iter().map(|row| f64::from(row[class])).collect::<Vec<f64>>();
    let of_class = |class: usize| {
        let values = values(class);
        [mean(&values), standard_deviation(&values)].map(|value| value.expect("there are several models") as f32)
    };
    let (means, deviations) = (0..rows[0].len()).map(of_class).map(|[mean, deviation]| (mean, deviation)).unzip();
    (means, Some(deviations))
}

/// Resized images as the network was trained to see them, `[N, H, W, C]`, each changed.
fn network_input<'a>(
    model: &Checkpoint,
    images: impl Iterator<Item = &'a PictureSamples>,
    change: Change,
) -> Array4<f32> {
    let size @ [height, width, channels] = model.card.spec.input;
    let mut values = Vec::new();
    for image in images {
        let start = values.len();
        values.resize(start + image.len(), 0.0);
        change.apply_to(image, size, &mut values[start..]);
    }
    let shape = (values.len() / (height * width * channels), height, width, channels);
    Array4::from_shape_vec(shape, values).expect("each image was resized to the network's input")
}

#[cfg(test)]
mod tests {
    use super::mean_and_deviation;

    #[test]
    fn one_row_stays_as_it_is_and_several_have_a_mean_and_a_spread() {
        assert_eq!(mean_and_deviation(&[&[0.1, 0.9]]), (vec![0.1, 0.9], None));
        // √((0.25² + 0.25²) / 1) = 0.25·√2
        let (means, deviations) = mean_and_deviation(&[&[0.25, 0.75], &[0.75, 0.25]]);
        assert_eq!((means, deviations.unwrap()), (vec![0.5, 0.5], vec![0.125f32.sqrt(); 2]));
        let (means, deviations) = mean_and_deviation(&[&[0.3], &[0.3], &[0.3]]);
        assert_eq!((means, deviations), (vec![0.3], Some(vec![0.0])));
        assert!(mean_and_deviation(&[&[0.3], &[f32::NAN]]).0[0].is_nan());
    }
}
