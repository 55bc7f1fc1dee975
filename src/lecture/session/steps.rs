//! The session: any step of a training, taken and kept.

use super::batches::Batches;
use super::checkpoints::{Checkpoint, Checkpoints, Now};
use super::curve::Curve;
use super::edits::{Edit, EditAt, Edits};
use super::phases::Phases;
use super::taken::{FEWEST_KEPT, TakenStep};
use crate::data::batches::Loader;
use crate::head::ClassWeights;
use crate::network::Network;
use crate::optim::{Optimizer, OptimizerSettings, Schedule};
use crate::parameters::Parameters;
use crate::plan::{Plan, PlanOptions, Workspace};
use crate::training::{LearningRates, TrainSettings};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many steps beyond the farthest one can be gone at once.
pub const MOST_AHEAD: u64 = 1000;

/// What a session is made of.
pub struct SessionSettings {
    /// How it trains, as [`train`](crate::training::train) would.
    pub training: TrainSettings,
    /// The weights to begin with.
    pub parameters: Parameters,
    /// How many bytes steps and checkpoints may take.
    pub memory: usize,
}

/// A training of which every step can be looked into.
pub struct Session<'n> {
    pub(super) network: &'n Network,
    pub(super) settings: TrainSettings,
    pub(super) optimizer: OptimizerSettings,
    pub(super) class_weights: ClassWeights,
    pub(super) rates: LearningRates,
    pub(super) batches: Batches,
    /// Layer by layer, for looking.
    pub(super) looking: Plan<'n>,
    /// As training does it, for getting somewhere.
    pub(super) fast: Plan<'n>,
    pub(super) workspace: Workspace,
    pub(super) gradients: Parameters,
    pub(super) grad_logits: Vec<f32>,
    pub(super) now: Now,
    pub(super) checkpoints: Checkpoints,
    pub(super) edits: Edits,
    pub(super) curve: Curve,
    pub(super) kept: BTreeMap<u64, Arc<TakenStep>>,
    /// How many bytes the kept steps may take.
    pub(super) budget: usize,
    /// The reader's step, around which steps are kept.
    pub(super) here: u64,
    pub(super) farthest: u64,
    /// How many steps were taken to be looked into.
    pub(super) looked_into: u64,
}

impl<'n> Session<'n> {
    /// Begins a training, to be run in the current thread pool.
    ///
    /// # Errors
    /// [`Error::Setting`] of settings that do not go together, of a schedule that goes by whole epochs, of
    /// augmented arrays, where there are no images, and where an image may have several labels.
    pub fn new(network: &'n Network, loader: Loader, settings: SessionSettings) -> Result<Session<'n>> {
        let SessionSettings { training, parameters, memory } = settings;
        if loader.count() == 0 {
            return Err(Error::setting("images", "there are none to train on"));
        }
        if training.augmentation.is_some() && !loader.has_files() {
            let reason = "it changes the pictures of files, and these images are arrays; leave it out";
            return Err(Error::setting("augmentation", reason));
        }
        training.check_label_smoothing()?;
        let training = training.with_steps_per_epoch(loader.batches())?;
        if let Schedule::Plateau(_) = training.schedule()? {
            let reason =
                "a plateau is told by the validation of whole epochs, which a lecture does not do; take another";
            return Err(Error::setting("schedule", reason));
        }
        let optimizer = training.optimizer()?;
        if network.head().has_several_labels() {
            let reason = "a lecture speaks of the class of each image, and here an image may have several labels";
            return Err(Error::setting("several_labels", reason));
        }
        let class_weights = training.class_weight.weights(&loader.class_counts(network.head().classes())?)?;
        let options = PlanOptions { conv: training.conv, fuse: false, training: true, input_gradient: true };
        let looking = Plan::new(network, loader.largest_batch(), options);
        let options = PlanOptions { fuse: training.fuse, input_gradient: false, ..options };
        let fast = Plan::new(network, loader.largest_batch(), options);
        let now = Now { optimizer: Optimizer::new(network.table(), optimizer), parameters };
        Ok(Session {
            rates: LearningRates::new(&training, &[])?,
            grad_logits: vec![0.0; loader.largest_batch() * network.head().units()],
            gradients: Parameters::zeros(network.table()),
            workspace: fast.workspace(),
            checkpoints: Checkpoints::new(Checkpoint::new(&now.parameters, &now.optimizer), memory / 2),
            batches: Batches::new(loader, training.clone()),
            settings: training,
            network,
            optimizer,
            class_weights,
            looking,
            fast,
            now,
            edits: Edits::default(),
            curve: Curve::default(),
            kept: BTreeMap::new(),
            budget: memory / 2,
            here: 1,
            farthest: 1,
            looked_into: 0,
        })
    }

    /// Returns the phases of each step.
    pub fn phases(&self) -> Phases {
        Phases::new(self.network.layers().len())
    }

    /// Returns the network.
    pub fn network(&self) -> &'n Network {
        self.network
    }

    /// Returns the edits in force.
    pub fn edits(&self) -> &[EditAt] {
        self.edits.all()
    }

    /// Returns the losses so far.
    pub fn curve(&self) -> &Curve {
        &self.curve
    }

    /// Goes to a step, back or forward. Edits of later steps are undone. While it trains it calls `progress`
    /// with the steps that are still to be taken.
    ///
    /// # Errors
    /// [`Error::Setting`] of step 0 and of one too far ahead; where an image cannot be read; those of
    /// `progress`.
    pub fn go(&mut self, step: u64, mut progress: impl FnMut(u64) -> Result<()>) -> Result<Arc<TakenStep>> {
        let farthest = self.farthest + MOST_AHEAD;
        if !(1..=farthest).contains(&step) {
            let reason = format!("steps count from 1, and from here {farthest} is the farthest to go to");
            return Err(Error::value("step", step as f64, reason));
        }
        let taken = self.step(step, &mut progress, true)?;
        self.here = step;
        self.farthest = self.farthest.max(step);
        Ok(taken)
    }

    /// Takes the step behind the reader's, so that it is there when it is asked for.
    ///
    /// # Errors
    /// Where an image cannot be read.
    pub fn look_ahead(&mut self) -> Result<Arc<TakenStep>> {
        self.step(self.here + 1, &mut |_| Ok(()), false)
    }

    /// Changes a weight before the reader's step, or the learning rate from it on, and takes the step anew.
    ///
    /// # Errors
    /// [`Error::Setting`] of a value that is not finite, and of a negative learning rate.
    pub fn edit(&mut self, edit: Edit) -> Result<Arc<TakenStep>> {
        let (name, value) = match &edit {
            Edit::Weight(weight, value) => (weight.to_string(), f64::from(*value)),
            Edit::LearningRate(rate) => ("learning_rate".to_string(), *rate),
        };
        let is_right = (value as f32).is_finite() && (name != "learning_rate" || value >= 0.0);
        if !is_right {
            return Err(Error::value(name, value, "it must be a number, and a learning rate at least 0"));
        }
        let here = self.here;
        self.stand_before(here);
        self.edits.add(here, edit);
        self.forget_from(here);
        self.step(here, &mut |_| Ok(()), true)
    }

    /// Undoes the edits of the reader's step, and takes it anew.
    ///
    /// # Errors
    /// Where an image cannot be read.
    pub fn undo(&mut self) -> Result<Arc<TakenStep>> {
        let here = self.here;
        if self.edits.take_back_from(here).is_some() {
            self.forget_from(here);
        }
        self.step(here, &mut |_| Ok(()), true)
    }

    /// Forgets all that an edit at this step changes.
    fn forget_from(&mut self, step: u64) {
        self.kept.retain(|at, _| *at < step);
        self.checkpoints.forget_from(step);
        self.curve.forget_edited_from(step, self.edits.first());
        if self.now.optimizer.steps() >= step
            && let Some(state) = self.checkpoints.before(step - 1)
        {
            self.now = self.restored(state);
        }
    }

    /// Returns the step of this number, taken now or before. If `goes`, later edits are undone.
    fn step(&mut self, step: u64, progress: &mut dyn FnMut(u64) -> Result<()>, goes: bool) -> Result<Arc<TakenStep>> {
        if goes && let Some(first) = self.edits.take_back_from(step + 1) {
            self.forget_from(first);
        }
        if let Some(taken) = self.kept.get(&step) {
            return Ok(Arc::clone(taken));
        }
        self.stand_before(step);
        while self.now.optimizer.steps() < step - 1 {
            progress(step - 1 - self.now.optimizer.steps())?;
            self.train()?;
        }
        let taken = Arc::new(self.take()?);
        self.kept.insert(step, Arc::clone(&taken));
        self.thin_out(if goes { step } else { self.here });
        Ok(taken)
    }

    /// Gives up the kept steps that are farthest from `here`, until the others fit.
    fn thin_out(&mut self, here: u64) {
        let bytes: usize = self.kept.values().map(|taken| taken.bytes()).max().unwrap_or(0);
        let most = (self.budget / bytes.max(1)).max(FEWEST_KEPT);
        while self.kept.len() > most {
            // What comes next counts as near as what is here.
            let distance = |step: &u64| if *step > here { step - here - 1 } else { here - step };
            let farthest = self.kept.keys().copied().max_by_key(distance);
            farthest.iter().for_each(|step| drop(self.kept.remove(step)));
        }
    }
}
