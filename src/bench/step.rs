//! A training step and an inference batch, as a whole and phase by phase.

use super::Milliseconds;
use crate::data::batches::Batch;
use crate::network::Network;
use crate::optim::{Optimizer, OptimizerSettings};
use crate::parameters::Parameters;
use crate::plan::timings::StepTimings;
use crate::plan::{DropoutMasks, Mode, Plan, PlanOptions, Step, Workspace};
use crate::{Error, Result};
use serde::Serialize;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// A network with all that a step needs.
///
/// The optimizer does all its work with a learning rate of 0, so every step meets the same weights but for
/// moving statistics, which no training step reads.
pub struct StepBench<'a> {
    batches: &'a [Batch],
    parameters: Parameters,
    /// The weights of what predicts, if that is a network of its own.
    folded: Option<&'a Parameters>,
    training: Plan<'a>,
    workspace: Workspace,
    timings: StepTimings,
    inference: Plan<'a>,
    inference_workspace: Workspace,
    inference_timings: StepTimings,
    gradients: Parameters,
    grad_logits: Vec<f32>,
    adam: Optimizer,
}

/// A part of a step, over all measured steps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Phase {
    /// `forward`, `loss`, `backward` or `optimizer`.
    pub phase: &'static str,
    /// The layers that it covers, such as `conv2d+re_lu+max_pooling2d`; none for loss and optimizer.
    pub layers: Option<String>,
    /// The time that it took.
    pub ms: Milliseconds,
    /// Its part of the time of all steps.
    pub share: f64,
}

/// The measured figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepFigures {
    /// A training step on a batch in memory: forward, loss, backward, optimizer.
    pub train_step_ms: Milliseconds,
    /// A forward pass of a batch in memory, without dropout.
    pub inference_ms: Milliseconds,
    /// The parts of the training step in order.
    pub phases: Vec<Phase>,
    /// The parts of the inference batch in order.
    pub inference_phases: Vec<Phase>,
}

impl<'a> StepBench<'a> {
    /// Prepares steps with these weights and batches, in the current pool; of the options, the algorithm and
    /// whether to fuse matter. `folded` is what [predicts](Network::folded) in the network's place, if
    /// something does.
    ///
    /// # Errors
    /// Where there is no batch.
    pub fn new(
        network: &'a Network,
        parameters: Parameters,
        folded: Option<&'a (Network, Parameters)>,
        batches: &'a [Batch],
        options: PlanOptions,
    ) -> Result<StepBench<'a>> {
        let Some(largest) = batches.iter().map(|batch| batch.labels.len()).max() else {
            return Err(Error::setting("batches", "there is none to measure with"));
        };
        let plan =
            |network, training| Plan::new(network, largest, PlanOptions { training, input_gradient: false, ..options });
        let training = plan(network, true);
        let inference = plan(folded.map_or(network, |(folded, _)| folded), false);
        Ok(StepBench {
            batches,
            parameters,
            folded: folded.map(|(_, parameters)| parameters),
            workspace: training.workspace(),
            timings: StepTimings::new(&training),
            inference_workspace: inference.workspace(),
            inference_timings: StepTimings::new(&inference),
            training,
            inference,
            gradients: Parameters::zeros(network.table()),
            grad_logits: vec![0.0; largest * network.head().units()],
            adam: Optimizer::new(
                network.table(),
                OptimizerSettings { learning_rate: 0.0, ..OptimizerSettings::default() },
            ),
        })
    }

    /// Takes one training step, as [`train`](crate::training::train) does, and tells how long the whole, the
    /// loss and the optimizer took, the last without what it did during the backward pass.
    ///
    /// # Errors
    /// Where a batch does not fit the network.
    pub fn train_step(&mut self) -> Result<[Duration; 3]> {
        let step = self.adam.steps();
        let batch = &self.batches[step as usize % self.batches.len()];
        let start = Instant::now();
        let mode = Mode::Training(DropoutMasks::Drawn { seed: 0, step });
        let (workspace, timings) = (&mut self.workspace, &mut self.timings);
        let images = batch.images.view();
        let logits = self.training.forward_observed(&self.parameters, images, mode, workspace, timings)?;
        let loss_begins = Instant::now();
        let (head, targets) = (self.training.network().head(), batch.targets());
        let grad_logits = &mut self.grad_logits[..logits.values().len()];
        black_box(head.loss(logits, targets));
        head.gradient(logits, targets, grad_logits);
        let loss = loss_begins.elapsed();
        let fuse = self.training.options().fuse;
        let mut update = self.adam.begin_step(&mut self.parameters, &mut self.gradients, fuse);
        self.training.backward_observed(images, grad_logits, &mut update, workspace, timings)?;
        let optimizer_begins = Instant::now();
        update.finish();
        self.training.update_running(&mut self.parameters, workspace)?;
        Ok([start.elapsed(), loss, optimizer_begins.elapsed()])
    }

    /// Runs a batch forward without dropout, and tells how long it took.
    ///
    /// # Errors
    /// Where the batch does not fit the network.
    pub fn infer(&mut self, number: usize) -> Result<Duration> {
        let images = self.batches[number % self.batches.len()].images.view();
        let start = Instant::now();
        let (workspace, timings) = (&mut self.inference_workspace, &mut self.inference_timings);
        let parameters = self.folded.unwrap_or(&self.parameters);
        let logits = self.inference.forward_observed(parameters, images, Mode::Inference, workspace, timings)?;
        black_box(logits);
        Ok(start.elapsed())
    }

    /// Takes `steps` training steps and as many inference batches, and before each kind one that warms up and
    /// is not counted.
    ///
    /// # Errors
    /// Where a batch does not fit the network.
    ///
    /// # Panics
    /// If `steps` is 0.
    pub fn measure(&mut self, steps: usize) -> Result<StepFigures> {
        let plan_steps = self.training.steps().len();
        let (mut whole, mut loss, mut optimizer) = (Vec::new(), Vec::new(), Vec::new());
        let (mut forward, mut backward) = (vec![Vec::new(); plan_steps], vec![Vec::new(); plan_steps]);
        self.train_step()?;
        for _ in 0..steps {
            let [all, of_loss, of_optimizer] = self.train_step()?;
            whole.push(all);
            loss.push(of_loss);
            optimizer.push(of_optimizer);
            for index in 0..plan_steps {
                forward[index].push(self.timings.forward[index]);
                backward[index].push(self.timings.backward[index]);
            }
        }
        let (mut inference, mut inference_forward) = (Vec::new(), vec![Vec::new(); self.inference.steps().len()]);
        self.infer(0)?;
        for number in 1..=steps {
            inference.push(self.infer(number)?);
            for (runs, &timing) in inference_forward.iter_mut().zip(&self.inference_timings.forward) {
                runs.push(timing);
            }
        }

        let total = |runs: &[Duration]| runs.iter().sum::<Duration>().as_secs_f64();
        let (training_total, inference_total) = (total(&whole), total(&inference));
        let phase = |phase, layers: Option<String>, runs: &Vec<Duration>, of_all: f64| Phase {
            phase,
            layers,
            ms: Milliseconds::from_runs(runs),
            share: total(runs) / of_all,
        };
        let of_steps = |name, plan: &Plan, runs: &[Vec<Duration>], of_all: f64| -> Vec<Phase> {
            let steps = plan.steps().iter().zip(runs);
            steps.map(|(step, runs)| phase(name, Some(covered(plan, step)), runs, of_all)).collect()
        };
        let mut phases = of_steps("forward", &self.training, &forward, training_total);
        phases.push(phase("loss", None, &loss, training_total));
        let backward = of_steps("backward", &self.training, &backward, training_total);
        phases.extend(backward.into_iter().skip(self.training.first_backward()).rev());
        phases.push(phase("optimizer", None, &optimizer, training_total));
        Ok(StepFigures {
            train_step_ms: Milliseconds::from_runs(&whole),
            inference_ms: Milliseconds::from_runs(&inference),
            phases,
            inference_phases: of_steps("forward", &self.inference, &inference_forward, inference_total),
        })
    }
}

/// Returns the names of the layers that a step covers.
fn covered(plan: &Plan, step: &Step) -> String {
    let layers = &plan.network().layers()[step.layers.clone()];
    layers.iter().map(|layer| layer.name.as_str()).collect::<Vec<_>>().join("+")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::phantom_batches::PhantomBatches;
    use crate::spec::ModelSpec;

    #[test]
    fn a_step_has_all_its_phases_in_order_and_leaves_the_weights_alone() {
        let network = Network::new(&ModelSpec::documented().with_image_size(32)).unwrap();
        let batches = PhantomBatches::draw([32, 32, 3], 2).unwrap().batches().unwrap();
        let parameters = network.initial_parameters(0);
        let mut bench = StepBench::new(&network, parameters.clone(), None, &batches, PlanOptions::default()).unwrap();
        let figures = bench.measure(2).unwrap();
        assert_eq!(bench.parameters.as_slice(), parameters.as_slice());
        let names: Vec<_> = figures.phases.iter().map(|phase| (phase.phase, phase.layers.as_deref())).collect();
        let blocks = ["conv2d+re_lu+max_pooling2d", "conv2d_1+re_lu_1+max_pooling2d_1"];
        assert_eq!(names[..2], blocks.map(|block| ("forward", Some(block))));
        let middle = [("forward", Some("dense_1")), ("loss", None), ("backward", Some("dense_1"))];
        assert_eq!(names[6..9], middle);
        assert_eq!(names[14..], [("backward", Some(blocks[0])), ("optimizer", None)]);
        let shares: f64 = figures.phases.iter().map(|phase| phase.share).sum();
        assert!(shares > 0.0 && shares <= 1.0, "{shares}");
        assert_eq!(figures.inference_phases.len(), 7);
    }

    #[test]
    fn inference_is_of_what_predicts_without_the_batch_normalizations_that_can_be_folded() {
        let spec = "input = [8, 8, 3]\nlayers = [{ type = \"conv2d\", filters = 4, kernel = 3 }, \
                    { type = \"batch_normalization\" }, { type = \"flatten\" }, { type = \"dense\", units = 1 }]";
        let network = Network::new(&toml::from_str(spec).unwrap()).unwrap();
        let batches = PhantomBatches::draw([8, 8, 3], 2).unwrap().batches().unwrap();
        let parameters = network.initial_parameters(0);
        let folded = network.folded(&parameters).unwrap();
        let mut bench =
            StepBench::new(&network, parameters, folded.as_ref(), &batches, PlanOptions::default()).unwrap();
        let figures = bench.measure(1).unwrap();
        let names = |phases: &[Phase]| phases.iter().map(|phase| phase.layers.clone().unwrap()).collect::<Vec<_>>();
        assert_eq!(names(&figures.phases[..3]), ["conv2d", "batch_normalization", "flatten+dense"]);
        assert_eq!(names(&figures.inference_phases), ["conv2d", "flatten+dense"]);
    }
}
