//! Five epochs with a mistake, in the textbook: most mistakes learn nonetheless.

use super::digits::{CLASSES, Digits, SIDE};
use super::lesson::{Lesson, Mistake};
use super::mistakes;
use super::network::{network, weights};
use crate::gradcheck::base::Base;
use crate::gradcheck::problem::{Part, Problem};
use crate::random::{Purpose, Stream};
use crate::reference::{Adam, Image, Layer, forward, mean_loss, moments, moving_moments};
use crate::{Error, Result};

/// Epochs of a lesson's training.
pub const EPOCHS: usize = 5;
/// Images that train.
const TRAINING: usize = 90;
/// Images that validate.
const VALIDATION: usize = 60;
/// Images of a batch.
const BATCH: usize = 6;
/// Adam with Keras's settings, but steps that learn in five epochs.
const ADAM: Adam = Adam { learning_rate: 5e-3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, weight_decay: 0.0 };

/// An epoch's numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochLoss {
    /// The mean loss of the epoch's batches, with dropout.
    pub loss: f64,
    /// The loss on images that do not train, without dropout.
    pub val_loss: f64,
    /// The share of them whose class is found.
    pub val_accuracy: f64,
}

/// Trains the lessons' network on drawn digits, without a mistake or with the one of a lesson.
///
/// # Errors
/// None that a right program has.
pub fn train(lesson: Option<Lesson>, seed: u64) -> Result<Vec<EpochLoss>> {
    let mistake = lesson.map(|lesson| lesson.mistake);
    let network = network()?;
    let (training, validation) = (Digits::draw(seed, 0, TRAINING), Digits::draw(seed, TRAINING / CLASSES, VALIDATION));
    let mut problem = Problem {
        layers: network.twin(&weights(&network, seed)),
        names: Vec::new(),
        tensors: Vec::new(),
        images: Vec::new(),
        labels: Vec::new(),
        factors: Vec::new(),
    };
    let mut accumulators = Accumulators::new(&problem.layers);
    let (mut t, mut epochs) = (0, Vec::new());
    for epoch in 0..EPOCHS {
        let mut order: Vec<usize> = (0..TRAINING).collect();
        Stream::new(seed, Purpose::Shuffle, epoch as u64, 0).shuffle(&mut order);
        let mut loss = 0.0;
        for batch in order.chunks(BATCH) {
            t += 1;
            problem.images = batch.iter().map(|&image| image_of(&training.images[image])).collect();
            problem.labels = batch.iter().map(|&image| training.labels[image]).collect();
            problem.factors = (0..batch.len()).map(|sample| vec![factors(mistake, seed, t, sample)]).collect();
            loss += step(mistake, &mut problem, &mut accumulators, t)? * batch.len() as f64 / TRAINING as f64;
        }
        epochs.push(validate(&problem.layers, &validation, loss));
    }
    Ok(epochs)
}

fn image_of(pixels: &[f32]) -> Image {
    Image { height: SIDE, width: SIDE, channels: 1, values: pixels.iter().map(|&x| f64::from(x)).collect() }
}

/// The factors of the network's one dropout, of 8 units and rate ½.
fn factors(mistake: Option<Mistake>, seed: u64, t: i32, sample: usize) -> Vec<f64> {
    let mut stream = Stream::new(seed, Purpose::Dropout, t as u64, sample as u64);
    let mut factors: Vec<f64> = (0..8).map(|_| if stream.unit_f32() < 0.5 { 0.0 } else { 2.0 }).collect();
    mistakes::change_factors(mistake, &mut factors);
    factors
}

/// Takes a step, and returns the loss before it.
fn step(mistake: Option<Mistake>, problem: &mut Problem, accumulators: &mut Accumulators, t: i32) -> Result<f64> {
    let base = Base::new(problem);
    let loss = base.loss.loss;
    if !loss.is_finite() {
        return Err(Error::NotFinite { value: loss, epoch: 0, step: t as usize, first: None });
    }
    let gradient = match mistake {
        Some(mistake) => mistakes::gradient(mistake, &base),
        None => base.gradient(),
    };
    let activations = base.activations;
    for (index, layer) in problem.layers.iter_mut().enumerate() {
        if let Layer::BatchNormalization { moving, momentum, .. } = layer {
            *moving = moving_moments(moving, &moments(&activations[index]), *momentum);
        }
    }
    let step_of = |_tensor: usize| t;
    let wrong_step_of = mistakes::steps_counted(t, accumulators.0.len());
    let step_of = |tensor: usize| match mistake {
        Some(Mistake::AdamCountsTensors) => wrong_step_of(tensor),
        _ => step_of(tensor),
    };
    for (tensor, Accumulator { layer, part, m, v }) in accumulators.0.iter_mut().enumerate() {
        let (kernel, bias) = problem.layers[*layer].weights_mut().expect("it has weights");
        let of_layer = &gradient.weights[*layer];
        match part {
            Part::Kernel => ADAM.update(step_of(tensor), kernel, &of_layer.kernel, m, v),
            Part::Bias => ADAM.update(step_of(tensor), bias, &of_layer.bias, m, v),
        }
    }
    Ok(loss)
}

fn validate(layers: &[Layer], validation: &Digits, loss: f64) -> EpochLoss {
    let logits = |pixels: &Vec<f32>| forward(layers, &image_of(pixels), &[]).pop().expect("the network's output");
    let outputs: Vec<Image> = validation.images.iter().map(logits).collect();
    let best = |output: &Image| {
        let largest = (0..CLASSES).max_by(|&a, &b| output.values[a].total_cmp(&output.values[b]));
        largest.unwrap_or(0)
    };
    let right = outputs.iter().zip(&validation.labels).filter(|(output, label)| best(output) == **label).count();
    EpochLoss {
        loss,
        val_loss: mean_loss(&outputs, &validation.labels, &[1.0; CLASSES], 0.0).loss,
        val_accuracy: right as f64 / outputs.len() as f64,
    }
}

/// Adam's moments of a tensor.
struct Accumulator {
    layer: usize,
    part: Part,
    m: Vec<f64>,
    v: Vec<f64>,
}

struct Accumulators(Vec<Accumulator>);

impl Accumulators {
    fn new(layers: &[Layer]) -> Accumulators {
        let mut all = Vec::new();
        for (layer, weights) in layers.iter().enumerate().filter_map(|(layer, it)| Some((layer, it.weights()?))) {
            for (part, len) in [(Part::Kernel, weights.0.len()), (Part::Bias, weights.1.len())] {
                all.push(Accumulator { layer, part, m: vec![0.0; len], v: vec![0.0; len] });
            }
        }
        Accumulators(all)
    }
}
