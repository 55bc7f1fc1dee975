//! A model's answers to images, a batch at a time: what `predict` and `evaluate` have in common.

use super::memory::Memory;
use glassnet::checkpoint::Checkpoint;
use glassnet::data::decode::{Rgb8, decode};
use glassnet::data::resize::{resize_nearest, scale};
use glassnet::data::source::{Source, read_file};
use glassnet::loss::probability;
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

    fn decode(&self) -> Result<Rgb8> {
        let bytes = match self {
            Image::File(path) => read_file(path)?,
            Image::InSource(source, index) => source.read(*index)?,
        };
        Ok(decode(&self.name(), &bytes)?.0)
    }
}

/// What the model says of an image.
pub struct Answer {
    pub logit: f32,
    /// The probability of class 1.
    pub probability: f32,
    /// The image itself, as it was read.
    pub pixels: Rgb8,
}

/// A model at work, with memory for one batch.
pub struct Answers<'a> {
    model: &'a Checkpoint,
    plan: Plan<'a>,
    workspace: Workspace,
}

impl<'a> Answers<'a> {
    /// # Errors
    /// [`Error::Weights`] of `file`, where the model does not take images, or this machine cannot hold it.
    pub fn new(model: &'a Checkpoint, file: &Path) -> Result<Answers<'a>> {
        let [_, _, channels] = model.card.spec.input;
        if channels != 3 {
            let reason = format!("its network takes images of {channels} channels, and image files are read as 3");
            return Err(Error::weights(file, reason));
        }
        Memory::of(&model.network, BATCH, PlanOptions::default()).check_inference(file)?;
        let plan = Plan::new(&model.network, BATCH, PlanOptions::default());
        let workspace = plan.workspace();
        Ok(Answers { model, plan, workspace })
    }

    /// Answers for each of at most [`BATCH`] images, in their order, or says as a sentence why there is no answer.
    ///
    /// # Errors
    /// Where the network cannot run at all.
    pub fn of(&mut self, batch: &[Image]) -> Result<Vec<std::result::Result<Answer, String>>> {
        let decoded: Vec<Result<Rgb8>> = batch.par_iter().map(Image::decode).collect();
        let input = network_input(self.model, decoded.iter().filter_map(|image| image.as_ref().ok()));
        let logits = match input.is_empty() {
            true => &[],
            false => self.plan.forward(&self.model.parameters, input.view(), Mode::Inference, &mut self.workspace)?,
        };
        let mut logits = logits.iter();
        let answer = |(image, decoded): (&Image, Result<Rgb8>)| {
            let pixels = decoded.map_err(|error| error.to_string())?;
            let logit = logits.next().copied().unwrap_or(f32::NAN);
            let probability = probability(logit);
            if probability.is_nan() {
                let reason = "the model's answer is not a number; its training went astray, take another weights file";
                return Err(format!("{}: {reason}", image.name()));
            }
            Ok(Answer { logit, probability, pixels })
        };
        Ok(batch.iter().zip(decoded).map(answer).collect())
    }
}

/// The images as the network was trained to see them, `[N, H, W, 3]`.
fn network_input<'a>(model: &Checkpoint, images: impl Iterator<Item = &'a Rgb8>) -> Array4<f32> {
    let [height, width, _] = model.card.spec.input;
    let values: Vec<f32> =
        images.flat_map(|image| resize_nearest(image, width, height).pixels.into_iter().map(scale)).collect();
    let shape = (values.len() / (height * width * 3), height, width, 3);
    Array4::from_shape_vec(shape, values).expect("each image was resized to the network's input")
}
