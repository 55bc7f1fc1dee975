//! A model's answers to images, a batch at a time: what `predict` and `evaluate` have in common.

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

/// Reads an image for the network, and for a picture if it `is_shown`.
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

/// The model's answer to an image.
pub struct Prediction {
    logits: Vec<f32>,
    /// As [`Head::probabilities`] gives them.
    pub probabilities: Vec<f32>,
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

/// A model at work, with memory for one batch.
pub struct Predictor<'a> {
    model: &'a Checkpoint,
    plan: Plan<'a>,
    workspace: Workspace,
    /// True if an answer is the mean of the image's and its mirror image's.
    mirrors: bool,
}

impl<'a> Predictor<'a> {
    /// # Errors
    /// [`Error::Weights`] of `file`, where the model does not take images, or this machine cannot hold it.
    pub fn new(model: &'a Checkpoint, file: &Path) -> Result<Predictor<'a>> {
        let [_, _, channels] = model.card.spec.input;
        if channels != 3 && channels != 1 {
            let reason =
                format!("its network takes images of {channels} channels, and image files are read as 3, or 1 in grey");
            return Err(Error::weights(file, reason));
        }
        Memory::new(&model.network, BATCH, PlanOptions::default(), Rule::default()).check_inference(file)?;
        let plan = Plan::new(&model.network, BATCH, PlanOptions::default());
        let workspace = plan.workspace();
        Ok(Predictor { model, plan, workspace, mirrors: false })
    }

    /// The same, whose probabilities are the means of those of an image and of its mirror image.
    pub fn mirroring(self) -> Predictor<'a> {
        Predictor { mirrors: true, ..self }
    }

    /// The meaning of the network's logits.
    pub fn head(&self) -> Head {
        self.model.network.head()
    }

    /// The loss of an answer, where the image is of this class, or has these labels.
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
        image.decode(self.model.card.reading, |pixels| output::shrink(&image.name(), pixels.into_rgb8()))?.0
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
        let see_one = |(place, image)| see(self.model, image, is_shown(place));
        let seen: Vec<Result<ReadImage>> = batch.par_iter().enumerate().map(see_one).collect();
        let resized = || seen.iter().filter_map(|seen| Some(&seen.as_ref().ok()?.resized));
        let head = self.model.network.head();
        let mirrored = match self.mirrors {
            true => {
                let change = Change { flip_horizontal: true, ..Change::default() };
                let input = network_input(self.model, resized(), change);
                self.logits(&input)?.values().to_vec()
            }
            false => Vec::new(),
        };
        let input = network_input(self.model, resized(), Change::default());
        let logits = self.logits(&input)?;
        let mut rows = logits.rows();
        let mut mirrored = mirrored.chunks_exact(head.units());
        let answer = |(image, seen): (&Image, Result<ReadImage>)| {
            let ReadImage { shrunk: pixels, notes, .. } =
                seen.map_err(|error| NoPrediction::Unreadable(error.to_string()))?;
            let row = rows.next().unwrap_or(&[f32::NAN]);
            let mut probabilities: Vec<f32> = head.probabilities(row).collect();
            if let Some(row) = mirrored.next() {
                let others = head.probabilities(row);
                probabilities.iter_mut().zip(others).for_each(|(p, other)| *p = (*p + other) / 2.0);
            }
            if probabilities.iter().any(|p| p.is_nan()) {
                let reason = "the model's answer is not a number, as its training diverged; use another weights file";
                return Err(NoPrediction::NotANumber(format!("{}: {reason}", image.name())));
            }
            Ok(Prediction { logits: row.to_vec(), probabilities, pixels, notes })
        };
        Ok(batch.iter().zip(seen).map(answer).collect())
    }

    /// The logits of a batch, which may be empty.
    fn logits(&mut self, input: &Array4<f32>) -> Result<Logits<'_>> {
        match input.is_empty() {
            true => Ok(Logits::new(&[], self.model.network.head().units())),
            false => self.plan.forward(&self.model.parameters, input.view(), Mode::Inference, &mut self.workspace),
        }
    }
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
