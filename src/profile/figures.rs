//! What a row of work amounts to: operations and bytes, and from them the roof that it is nearest to.
//!
//! *Direct-equivalent* operations are those of the plain definition, 2·N·P·K·F of a convolution and 2·N·I·U
//! of a dense layer. *Executed* ones are what the algorithm really takes, with its transforms, and without
//! what zeros save: only these have the roof. *Bytes* are what must move at least: each tensor that the work
//! reads or writes, once. A kernel that reads its input several times from a cache moves more; that is part
//! of its distance from the roof.
//!
//! Work whose tensors all fit the second-level caches together has their roof, and any other that of
//! memory. What the last cache holds in between is not looked at: a row may be above memory's roof then.

use super::account::Key;
use super::model::{Roof, Roofs};
use super::phases::PhaseKind;
use crate::bench::descriptor::ConvDescriptor;
use crate::geometry::{ConvGeometry, DepthwiseGeometry, Padding, Window};
use crate::kernels::conv::Pass;
use crate::kernels::conv::reasons::{Asked, reasons};
use crate::layers::LayerKind;
use crate::layers::conv2d::Conv2d;
use crate::layers::dense::Dense;
use crate::layers::slots::per_slot;
use crate::plan::{Plan, Step};
use crate::spans::Activity;

/// Bytes of a float.
const FLOAT: f64 = 4.0;

/// Operations of the optimizer on a weight: Adam's two moments, a square root, a division and the step.
const OPERATIONS_PER_WEIGHT: f64 = 12.0;

/// What a row amounts to, a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Operations of the direct algorithm.
    pub direct: f64,
    /// Operations executed.
    pub executed: f64,
    /// Bytes that must move at least.
    pub bytes: f64,
    /// Whether most of them are in a second-level cache already, piece by piece, however many there are.
    pub near: bool,
}

/// What the figures are reckoned from.
pub struct Work<'a> {
    /// The plan that ran.
    pub plan: &'a Plan<'a>,
    /// Images in a step.
    pub batch: usize,
    /// Accumulators that the optimizer keeps of a weight.
    pub accumulators: usize,
    /// For each step of the plan the share of its convolution's output that has a gradient other than 0.
    pub live: &'a [f64],
    /// Whether large tensors are moved as their gradients come.
    pub moves_at_once: bool,
    /// Bytes that all second-level caches hold.
    pub l2_bytes: f64,
}

impl Work<'_> {
    /// The figures of a row, where they are known.
    pub fn figures(&self, kind: PhaseKind, (_, activity, algorithm): Key) -> Option<Figures> {
        match (activity, kind.step()) {
            (Activity::Moving | Activity::Clipping, None) => Some(self.moving(activity)),
            (Activity::Filling, _) => {
                let values = (self.batch * self.plan.network().spec().input.iter().product::<usize>()) as f64;
                // A byte is read, and a float written.
                Some(Figures { bytes: values * (1.0 + FLOAT), executed: values, ..Figures::default() })
            }
            (_, Some(step)) => self.of_step(&self.plan.steps()[step], step, kind, activity, algorithm),
            _ => None,
        }
    }

    /// The optimizer's work on the weights that it has not moved during the backward pass.
    fn moving(&self, activity: Activity) -> Figures {
        let entries = self.plan.network().table().entries();
        let left = entries.iter().filter(|entry| entry.is_trainable() && !self.is_moved_at_once(entry.range.len()));
        let weights = left.map(|entry| entry.range.len()).sum::<usize>() as f64;
        match activity {
            Activity::Clipping => Figures { executed: 2.0 * weights, bytes: FLOAT * weights, ..Figures::default() },
            _ => Figures {
                executed: OPERATIONS_PER_WEIGHT * weights,
                // Weights and accumulators are read and written, and the gradient is read.
                bytes: FLOAT * weights * (3.0 + 2.0 * self.accumulators as f64),
                ..Figures::default()
            },
        }
    }

    fn is_moved_at_once(&self, weights: usize) -> bool {
        self.moves_at_once && weights >= crate::optim::AT_ONCE_FLOATS
    }

    fn of_step(
        &self,
        step: &Step,
        index: usize,
        kind: PhaseKind,
        activity: Activity,
        algorithm: &str,
    ) -> Option<Figures> {
        let batch = self.batch as f64;
        let (input, output) = (batch * step.input.len() as f64, batch * step.output.len() as f64);
        let back = matches!(kind, PhaseKind::Backward(_));
        match (&step.operation, activity) {
            (LayerKind::Conv2d(conv), _) => self.of_convolution(conv, index, activity, algorithm),
            (LayerKind::Dense(dense), _) => self.of_dense(dense, back, activity),
            (LayerKind::DepthwiseConv2d(depthwise), Activity::Depthwise | Activity::DepthwiseGradients) => {
                Some(of_depthwise(&depthwise.geometry, batch, if back { 2.0 } else { 1.0 }))
            }
            (_, Activity::Values) => {
                // Forward one tensor is read and one written; back the gradient of both, and what was seen.
                let bytes = FLOAT * if back { 2.0 * input + output } else { input + output };
                Some(Figures { bytes, executed: input.max(output), ..Figures::default() })
            }
            _ => None,
        }
    }

    fn of_convolution(&self, conv: &Conv2d, step: usize, activity: Activity, algorithm: &str) -> Option<Figures> {
        let geometry = &conv.geometry;
        let batch = self.batch as f64;
        let [input, output] = [geometry.input_len(), geometry.output_len()].map(|len| batch * len as f64);
        let kernel = geometry.kernel_len() as f64;
        let pooled = conv.pool.map_or(output, |pool| batch * pool.output_len() as f64);
        let live = self.live[step];
        let pass = |pass: Pass, bytes: f64| {
            let taken = conv.algorithms.of(pass);
            debug_assert_eq!(taken.name(), algorithm);
            Figures {
                direct: batch * 2.0 * geometry.multiply_adds() as f64,
                executed: batch * taken.operations(&conv.geometry_of(pass), pass, live),
                bytes: FLOAT * bytes,
                near: false,
            }
        };
        // What a fused block hands from one piece to the next stays in the cache.
        let gradient = if conv.pool.is_some() { 1.25 * pooled } else { output };
        Some(match activity {
            Activity::Convolution => {
                pass(Pass::Forward, input + kernel + if conv.pool.is_some() { 0.0 } else { output })
            }
            Activity::InputGradient => pass(Pass::GradInput, gradient + kernel + input),
            Activity::WeightsGradient => pass(Pass::GradWeights, gradient + input + kernel),
            // A band that was just computed, or an image's gradient that will be read at once.
            Activity::Finishing | Activity::Expanding => {
                Figures { executed: output, bytes: FLOAT * (output + 1.25 * pooled), direct: 0.0, near: true }
            }
            Activity::Packing => {
                let packed = |pass| conv.algorithms.of(pass).packed_len(&conv.geometry_of(pass), pass);
                let len = Pass::ALL.map(packed).into_iter().max().unwrap_or(0);
                Figures { bytes: FLOAT * (kernel + len as f64), ..Figures::default() }
            }
            Activity::Adding => {
                let sums = conv.algorithms.grad_weights.sums_len(geometry);
                let slots = self.batch.div_ceil(per_slot(self.batch, sums + geometry.filters)) as f64;
                let sums = sums as f64;
                Figures { executed: slots * sums, bytes: FLOAT * ((slots + 1.0) * sums + kernel), ..Figures::default() }
            }
            Activity::Framing => Figures { bytes: FLOAT * 2.0 * input, ..Figures::default() },
            _ => return None,
        })
    }

    fn of_dense(&self, dense: &Dense, back: bool, activity: Activity) -> Option<Figures> {
        let batch = self.batch as f64;
        let (inputs, units) = (dense.inputs as f64, dense.units as f64);
        let weights = inputs * units;
        let products = 2.0 * batch * weights;
        Some(match activity {
            Activity::Products => {
                let bytes = FLOAT * (weights + batch * (inputs + units));
                Figures { direct: products, executed: products, bytes, near: false }
            }
            Activity::DenseGradients => {
                let (operations, moved) = match self.is_moved_at_once(dense.inputs * dense.units) {
                    // Weights and accumulators are read and written.
                    true => (OPERATIONS_PER_WEIGHT * weights, weights * (2.0 + 2.0 * self.accumulators as f64)),
                    // Weights are read, and gradients written.
                    false => (0.0, 2.0 * weights),
                };
                Figures {
                    direct: 2.0 * products,
                    executed: 2.0 * products + operations,
                    bytes: FLOAT * (moved + batch * (2.0 * inputs + units)),
                    near: false,
                }
            }
            Activity::Joining if back => Figures { bytes: FLOAT * 2.0 * batch * inputs, ..Figures::default() },
            _ => return None,
        })
    }

    /// The roof that a row is nearest to, and the seconds that it takes there.
    pub fn roof(&self, figures: Option<&Figures>, roofs: &Roofs) -> (Roof, f64) {
        let Some(Figures { executed, bytes, near, .. }) = figures else { return (Roof::Nothing, 0.0) };
        let (level, bandwidth) = match *near || *bytes <= self.l2_bytes {
            true => (Roof::L2, roofs.l2_gb_per_s),
            false => (Roof::Memory, roofs.memory_gb_per_s),
        };
        let (arithmetic, moving) = (executed / (roofs.gflops * 1e9), bytes / (bandwidth * 1e9));
        if arithmetic >= moving { (Roof::Registers, arithmetic) } else { (level, moving) }
    }

    /// The convolution of a row: its descriptor, where one tells all of it, and its pass.
    pub fn convolution(&self, kind: PhaseKind, activity: Activity) -> Option<(Option<ConvDescriptor>, Pass)> {
        let conv = self.plan.steps()[kind.step()?].conv()?;
        let pass = pass_of(activity)?;
        Some((self.descriptor(&conv.geometry), pass))
    }

    /// Why this algorithm computes a row, and not another: a line for each.
    pub fn why(&self, kind: PhaseKind, activity: Activity) -> Vec<String> {
        let found = kind.step().map(|step| &self.plan.steps()[step]);
        let (Some(conv), Some(pass)) = (found.and_then(Step::conv), pass_of(activity)) else { return Vec::new() };
        let sparse_gradient = kind.step().is_some_and(|step| self.plan.has_sparse_gradient(step));
        let (policy, training) = (self.plan.options().conv, self.plan.options().training);
        reasons(Asked { policy, geometry: &conv.geometry, sparse_gradient, training }, pass)
    }

    fn descriptor(&self, geometry: &ConvGeometry) -> Option<ConvDescriptor> {
        let descriptor = |padding| ConvDescriptor {
            batch: self.batch,
            input: geometry.input,
            filters: geometry.filters,
            kernel: geometry.kernel,
            stride: geometry.stride,
            padding,
        };
        let Window { before, after, .. } = geometry.into();
        let all = [Padding::Valid, Padding::Same, Padding::pixels(before, after)].map(descriptor);
        all.into_iter().find(|descriptor| descriptor.geometry().as_ref() == Ok(geometry))
    }
}

fn of_depthwise(geometry: &DepthwiseGeometry, batch: f64, passes: f64) -> Figures {
    let operations = passes * batch * 2.0 * geometry.multiply_adds() as f64;
    let values = batch * (geometry.input_len() + geometry.output_len()) as f64;
    Figures { direct: operations, executed: operations, bytes: passes * FLOAT * values, near: false }
}

/// The pass of a convolution that an activity is.
fn pass_of(activity: Activity) -> Option<Pass> {
    match activity {
        Activity::Convolution => Some(Pass::Forward),
        Activity::InputGradient => Some(Pass::GradInput),
        Activity::WeightsGradient => Some(Pass::GradWeights),
        _ => None,
    }
}
