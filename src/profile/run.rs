//! Running what is profiled: the steps of a training, and batches that are predicted.

use super::assemble::{Subject, assemble};
use super::cost::span_nanoseconds;
use super::figures::Work;
use super::memory;
use super::model::{self, Machine, Memory, PassProfile, Profile, Roofs};
use super::phases::Phases;
use super::profiler::{Profiler, Recording};
use super::roofs;
use crate::bench::nonzero_gradients::nonzero_shares;
use crate::data::batches::{Batch, Loader};
use crate::kernels::simd::InstructionSet;
use crate::network::Network;
use crate::parameters::Parameters;
use crate::plan::{Mode, Plan, PlanOptions, Step};
use crate::training::{Event, TrainSettings, TrainingState, train_watched};
use crate::{Error, Result};
use std::hint::black_box;

/// What is profiled, and how.
pub struct Profiled<'a> {
    /// The network.
    pub network: &'a Network,
    /// How it trains; its epochs do not matter.
    pub settings: &'a TrainSettings,
    /// The images that train.
    pub training: &'a Loader,
    /// Steps to be recorded.
    pub steps: usize,
}

/// Profiles a training from `state` on, and then predictions with the weights that it has come to, in the
/// current pool. `report` is told of every step, and may end it with an error. The `subject` tells what is
/// profiled; `processor` is the machine's.
///
/// # Errors
/// Those of [`train`](crate::training::train), and those of `report`.
pub fn profile(
    profiled: &Profiled,
    state: &mut TrainingState,
    subject: model::Subject,
    processor: Option<String>,
    mut report: impl FnMut() -> Result<()>,
) -> Result<Profile> {
    let threads = rayon::current_num_threads();
    let before = roofs::measure();
    let span_ns = span_nanoseconds();
    let plan = Plan::new(profiled.network, profiled.training.largest_batch(), options(profiled.settings, true));
    let training = record_training(profiled, &plan, state, &mut report)?;
    let peak_bytes = memory::peak_bytes();
    let folded = profiled.network.folded(&state.parameters)?;
    let (network, parameters) = match &folded {
        Some((network, parameters)) => (network, parameters),
        None => (profiled.network, &state.parameters),
    };
    let inference_plan = Plan::new(network, profiled.training.largest_batch(), options(profiled.settings, false));
    let inference = record_inference(profiled, &inference_plan, parameters, &mut report)?;
    let machine = Machine {
        processor,
        instruction_set: InstructionSet::in_force().name().to_string(),
        threads,
        before,
        after: roofs::measure(),
    };
    let live = live_shares(profiled, &plan, &state.parameters)?;
    let tell = |name, plan: &Plan, recorded: Recorded, live: &[f64]| {
        told(name, Told { profiled, plan, live, roofs: machine.roofs(), threads, span_ns }, recorded)
    };
    let passes = vec![
        tell("training step", &plan, training, &live)?,
        tell("inference", &inference_plan, inference, &vec![1.0; inference_plan.steps().len()])?,
    ];
    let memory = Memory { purposes: memory::purposes(&plan, state, profiled.training), peak_bytes };
    Ok(Profile { machine, subject, passes, memory })
}

fn options(settings: &TrainSettings, training: bool) -> PlanOptions {
    PlanOptions { conv: settings.conv, fuse: settings.fuse, training, input_gradient: false }
}

/// A recording, and the phases of its steps. It has ended: a pool has one recorder at a time.
struct Recorded {
    phases: Phases,
    recording: Recording,
}

impl From<Profiler> for Recorded {
    fn from(profiler: Profiler) -> Recorded {
        Recorded { phases: profiler.phases().clone(), recording: profiler.finish() }
    }
}

/// Trains as long as the profiler wants.
fn record_training(
    profiled: &Profiled,
    plan: &Plan,
    state: &mut TrainingState,
    report: &mut impl FnMut() -> Result<()>,
) -> Result<Recorded> {
    let batch = profiled.training.largest_batch();
    memory::forget_peak();
    let mut profiler = Profiler::new(plan, batch, profiled.steps);
    // Epochs have as many full batches as fit in; one more for the end's sake.
    let full = (profiled.training.count() / batch).max(1);
    let epochs = Profiler::steps_needed(profiled.steps).div_ceil(full) + 1;
    let settings = TrainSettings { epochs, early_stopping: None, ..profiled.settings.clone() };
    let mut over = false;
    let outcome = train_watched(
        profiled.network,
        state,
        profiled.training,
        None,
        &settings,
        &mut profiler,
        |event, _, profiler| {
            report()?;
            over = profiler.is_done();
            match event {
                Event::Step(_) if over => Err(Error::Interrupted),
                _ => Ok(()),
            }
        },
    );
    match outcome {
        Err(error) if !over => Err(error),
        _ => Ok(Recorded::from(profiler)),
    }
}

/// Predicts as long as the profiler wants.
fn record_inference(
    profiled: &Profiled,
    plan: &Plan,
    parameters: &Parameters,
    report: &mut impl FnMut() -> Result<()>,
) -> Result<Recorded> {
    let loader = profiled.training;
    let mut profiler = Profiler::new(plan, loader.largest_batch(), profiled.steps);
    let (mut workspace, mut batch) = (plan.workspace(), Batch::default());
    while !profiler.is_done() {
        let mut batches = loader.epoch((0..loader.count()).collect());
        loop {
            profiler.wants_batch();
            if profiler.is_done() || !batches.next_into(&mut batch)? {
                break;
            }
            profiler.has_batch(batch.labels.len());
            let images = batch.images.view();
            black_box(plan.forward_observed(parameters, images, Mode::Inference, &mut workspace, &mut profiler)?);
            profiler.has_stepped();
            report()?;
        }
    }
    Ok(Recorded::from(profiler))
}

/// For each step of the plan the share of its convolution's output whose gradient is not 0, over a few
/// batches with these weights.
fn live_shares(profiled: &Profiled, plan: &Plan, parameters: &Parameters) -> Result<Vec<f64>> {
    let loader = profiled.training;
    let batches: Vec<Batch> = loader.epoch((0..loader.count()).collect()).take(LIVE_BATCHES).collect::<Result<_>>()?;
    let shares = nonzero_shares(profiled.network, parameters, &batches, profiled.settings.conv)?;
    let of_step = |step: &Step| {
        let name = &profiled.network.layers()[step.layers.start].name;
        shares.iter().find(|share| share.layer == *name).map_or(1.0, |share| share.share)
    };
    Ok(plan.steps().iter().map(of_step).collect())
}

/// Batches in which gradients other than 0 are counted.
const LIVE_BATCHES: usize = 4;

/// What a recording is told with.
struct Told<'a> {
    profiled: &'a Profiled<'a>,
    plan: &'a Plan<'a>,
    live: &'a [f64],
    roofs: Roofs,
    threads: usize,
    span_ns: f64,
}

fn told(name: &str, told: Told, Recorded { phases, recording }: Recorded) -> Result<PassProfile> {
    let Told { profiled, plan, live, roofs, threads, span_ns } = told;
    let optimizer = profiled.settings.optimizer()?;
    let work = Work {
        plan,
        batch: profiled.training.largest_batch(),
        accumulators: optimizer.rule.accumulators(),
        live,
        moves_at_once: profiled.settings.fuse && !optimizer.clipping.needs_whole_tensors(),
        l2_bytes: self::roofs::l2_bytes(threads),
    };
    Ok(assemble(&Subject { name, phases: &phases, work, roofs, threads, span_ns }, recording))
}
