//! The second link: the engine in `f32`, by every algorithm, against the textbook's gradient in `f64`,
//! all elements of all tensors.
//!
//! Never against differences of the engine's own losses: in `f32` rounding drowns small gradients. And an
//! engine in `f32` may rightly decide otherwise than `f64` where a value is 0 up to rounding, or two
//! cells of a window are equal up to it. Such decisions are found by identity, each has to be one of
//! rounding, and the textbook's backward pass then takes the engine's: both gradients are those of the
//! same smooth piece.

use super::base::Base;
use super::differences::{VANISHES, relative};
use super::kinks::{Decisions, Kind};
use super::problem::{Gradient, Place, largest};
use crate::Result;
use crate::kernels::conv::registry::ConvPolicy;
use crate::layers::LayerKind;
use crate::network::Network;
use crate::optim::{Optimizer, OptimizerSettings};
use crate::parameters::Parameters;
use crate::plan::{Plan, PlanOptions};
use crate::reference::{Image, Layer, LayerGradient, layer_backward};
use crate::snapshot::{Snapshot, StepBatch};

/// The error allowed, of a tensor's largest element: f32 has 24 bits, 6e-8, and a gradient is a sum of
/// many products through many layers.
pub const TOLERANCE: f64 = 3e-5;

/// Decisions that the engine took otherwise than the textbook, in one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherSide {
    /// The layer's name.
    pub layer: String,
    /// What was decided.
    pub kind: Kind,
    /// How many.
    pub count: usize,
    /// Of how many.
    pub of: usize,
    /// How far the farthest was from the corner, of the layer's largest input.
    pub distance: f64,
}

/// The error of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineTensor {
    /// The output of a layer, as `output/conv2d`, or the tensor whose gradient it is.
    pub name: String,
    /// max|a − b| / max|b|: what is judged.
    pub error: f64,
    /// The error of the worst element, of that element.
    pub own_error: f64,
}

/// What was found of the engine with one choice of algorithms.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineCheck {
    /// The choice.
    pub conv: ConvPolicy,
    /// All tensors, outputs first.
    pub tensors: Vec<EngineTensor>,
    /// What was decided otherwise.
    pub other_sides: Vec<OtherSide>,
    /// The first difference in bits between fused steps and layer by layer.
    pub fused_difference: Option<String>,
}

impl EngineCheck {
    /// Returns the tensor with the largest error.
    pub fn worst(&self) -> Option<&EngineTensor> {
        self.tensors.iter().max_by(|a, b| a.error.total_cmp(&b.error))
    }

    /// Returns whether all is as it should be.
    pub fn passes(&self) -> bool {
        let right = |error: f64| error <= TOLERANCE;
        self.fused_difference.is_none()
            && self.tensors.iter().all(|tensor| right(tensor.error))
            && self.other_sides.iter().all(|side| right(side.distance))
    }
}

/// Takes a training step from these weights, layer by layer or with fused steps.
///
/// # Errors
/// As [`Snapshot::take`].
pub fn engine_step(
    network: &Network,
    parameters: &Parameters,
    batch: StepBatch,
    conv: ConvPolicy,
    fuse: bool,
) -> Result<Snapshot> {
    let options = PlanOptions { conv, fuse, training: true, input_gradient: true };
    let plan = Plan::new(network, batch.images.dim().0, options);
    let mut optimizer = Optimizer::new(network.table(), OptimizerSettings::default());
    Snapshot::take(&plan, &mut parameters.clone(), &mut optimizer, batch)
}

/// Checks the engine with this choice of algorithms against the textbook. `base` and `gradient` are those
/// of the same weights and batch.
///
/// # Errors
/// As [`Snapshot::take`].
pub fn check_engine(
    base: &Base,
    gradient: &Gradient,
    network: &Network,
    parameters: &Parameters,
    batch: StepBatch,
    conv: ConvPolicy,
) -> Result<EngineCheck> {
    let snapshot = engine_step(network, parameters, batch, conv, false)?;
    let fused = engine_step(network, parameters, batch, conv, true)?;
    let mut tensors = Vec::new();
    for (layer, outputs) in network.layers().iter().zip(&base.activations[1..]) {
        let expected: Vec<f64> = outputs.iter().flat_map(|output| output.values.iter().copied()).collect();
        let actual = snapshot.output(&layer.name).unwrap_or_default();
        tensors.push(compare(format!("output/{}", layer.name), actual, &expected, 0.0));
    }
    let (taken, other_sides) = decisions(base, network, &snapshot);
    let own;
    let gradient = if other_sides.is_empty() {
        gradient
    } else {
        own = gradient_as_decided(base, &taken);
        &own
    };
    let gradients: Vec<Vec<f64>> = base.problem.tensors.iter().map(|tensor| gradient.of(tensor.place)).collect();
    let largest_of_all = largest(gradients.iter().flatten().copied());
    for (tensor, expected) in base.problem.tensors.iter().zip(&gradients) {
        let actual = match tensor.place {
            Place::Images => snapshot.grad_images(),
            Place::Weights { .. } => snapshot.gradient(&tensor.name),
        };
        tensors.push(compare(tensor.name.clone(), actual.unwrap_or_default(), expected, largest_of_all));
    }
    let fused_difference = fused.common_difference(&snapshot).map(|difference| difference.to_string());
    Ok(EngineCheck { conv, tensors, other_sides, fused_difference })
}

/// Returns the error of a tensor. One that vanishes beside `largest_of_all` is judged by that.
fn compare(name: String, actual: &[f32], expected: &[f64], largest_of_all: f64) -> EngineTensor {
    let own = largest(expected.iter().copied());
    let scale = if own < VANISHES * largest_of_all { largest_of_all } else { own };
    let mut worst = (0.0f64, 0.0f64);
    for (&a, &b) in actual.iter().zip(expected) {
        let difference = (f64::from(a) - b).abs();
        // A NaN is the worst of all, and stays.
        if difference > worst.0 || difference.is_nan() {
            worst = (difference, b);
        }
        if difference.is_nan() {
            break;
        }
    }
    let error = if actual.len() == expected.len() { relative(worst.0, scale) } else { f64::NAN };
    EngineTensor { name, error, own_error: relative(worst.0, worst.1.abs()) }
}

/// Returns what the engine decided, in each layer for each image, and where that is not what the textbook
/// did.
fn decisions(base: &Base, network: &Network, snapshot: &Snapshot) -> (Vec<Vec<Decisions>>, Vec<OtherSide>) {
    let (mut taken, mut others) = (base.decisions.clone(), Vec::new());
    for (index, layer) in network.layers().iter().enumerate() {
        let mut other = OtherSide { layer: layer.name.clone(), kind: Kind::Side, count: 0, of: 0, distance: 0.0 };
        let engine_input = match index {
            0 => snapshot.images(),
            _ => snapshot.output(&network.layers()[index - 1].name).unwrap_or_default(),
        };
        let inputs = &base.activations[index];
        let scale = largest(inputs.iter().flat_map(|input| input.values.iter().copied()));
        for (sample, input) in inputs.iter().enumerate() {
            match &mut taken[index][sample] {
                Decisions::None => {}
                Decisions::Sides(sides) => {
                    let engine = &engine_input[sample * input.values.len()..][..input.values.len()];
                    other.of += sides.len();
                    for ((side, &engine), &x) in sides.iter_mut().zip(engine).zip(&input.values) {
                        if *side != (engine > 0.0) {
                            *side = engine > 0.0;
                            other.count += 1;
                            other.distance = other.distance.max(relative(x.abs(), scale));
                        }
                    }
                }
                Decisions::Argmax(argmax) => {
                    let LayerKind::MaxPool(pool) = &layer.kind else { continue };
                    let all = snapshot.argmax(&layer.name).unwrap_or_default();
                    let cells = &all[sample * argmax.len()..][..argmax.len()];
                    other.kind = Kind::Argmax;
                    other.of += argmax.len();
                    let (geometry, channels) = (&pool.geometry, input.channels);
                    for (window, (best, &cell)) in argmax.iter_mut().zip(cells).enumerate() {
                        let (position, channel) = (window / channels, window % channels);
                        let [y, x] = [position / geometry.output[1], position % geometry.output[1]];
                        let [dy, dx] = [usize::from(cell) / geometry.window[1], usize::from(cell) % geometry.window[1]];
                        let row = y * geometry.stride[0] + dy - geometry.padding[0];
                        let column = x * geometry.stride[1] + dx - geometry.padding[1];
                        let engine = input.index(row, column, channel);
                        if engine != *best {
                            let lead = input.values[*best] - input.values[engine];
                            *best = engine;
                            other.count += 1;
                            other.distance = other.distance.max(relative(lead.abs(), scale));
                        }
                    }
                }
            }
        }
        if other.count > 0 {
            others.push(other);
        }
    }
    (taken, others)
}

/// Returns the textbook's gradient where these decisions are taken: what ReLU let through, and to which
/// cell a pool sent the gradient. All else is the textbook's own.
fn gradient_as_decided(base: &Base, taken: &[Vec<Decisions>]) -> Gradient {
    let backward = |index: usize,
                    layer: &Layer,
                    inputs: &[Image],
                    grads: &[Image],
                    factors: &[Option<&Vec<f64>>],
                    gradient: &mut LayerGradient| {
        if taken[index] == base.decisions[index] {
            return layer_backward(layer, inputs, grads, factors, gradient);
        }
        let below = match layer {
            Layer::LeakyRelu { negative_slope } => *negative_slope,
            _ => 0.0,
        };
        let each = inputs.iter().zip(grads).zip(&taken[index]);
        each.map(|((input, grad), taken)| {
            let mut grad_input = Image::zeros(input.height, input.width, input.channels);
            match taken {
                Decisions::None => {}
                Decisions::Sides(sides) => {
                    for ((cell, g), &side) in grad_input.values.iter_mut().zip(&grad.values).zip(sides) {
                        *cell = if side { *g } else { below * g };
                    }
                }
                Decisions::Argmax(argmax) => {
                    for (&cell, g) in argmax.iter().zip(&grad.values) {
                        grad_input.values[cell] += g;
                    }
                }
            }
            grad_input
        })
        .collect()
    };
    base.gradient_by(&base.loss, &backward)
}
