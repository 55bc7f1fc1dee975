//! The training loop.

use super::clock::Clock;
use super::evaluation::{Evaluation, evaluate_on};
use super::learning_rate::LearningRates;
use super::not_finite::{NotFinite, Search};
use super::records::{EpochRecord, EpochSoFar, StepRow};
use super::settings::{ClassWeighting, TrainSettings};
use super::state::TrainingState;
use super::watch::Watch;
use crate::data::batches::{Augmented, Batch, Epoch, Loader, epoch_order};
use crate::distributed::{Peers, Ranks, Share};
use crate::error::FirstNotFinite;
use crate::head::{ClassWeights, Head, Logits, Targets};
use crate::layers::sink::Sink;
use crate::metrics::multilabel::label_accuracy;
use crate::metrics::{DEFAULT_THRESHOLD, accuracy};
use crate::network::Network;
use crate::parameters::Parameters;
use crate::plan::{DropoutMasks, Mode, Plan, PlanOptions, Workspace};
use crate::spans::{Activity, serial};
use crate::{Error, Result};

/// What this module's debug lines are asked for by.
const LOG_TARGET: &str = "glassnet::train";

/// What happened in training. The state that is told with it holds it already.
#[derive(Debug)]
pub enum Event {
    /// A step was taken; what its epoch has come to.
    Step(EpochSoFar),
    /// An epoch ended; its numbers are the last of the history.
    Epoch,
}

/// Trains from `state` to the end that `settings` set, calling `report` after every step and every epoch. An
/// error from it ends the training; one that goes on from the state as it then is computes the same bits as
/// one that never ended. Returns what the [final weights](TrainSettings::final_parameters) answer on the
/// validation images.
///
/// # Errors
/// [`Error::Setting`] of an augmentation of arrays, of labels that the network has no class for, of several
/// labels where it answers with a class, or the other way round, and of class weights of another number, or
/// any of several labels; where an image cannot be read, where the loss or at an epoch's end a weight is
/// no longer finite ([`Error::NotFinite`], [`Error::WeightsNotFinite`], with the first tensor and images that
/// were not), and those of `report`.
pub fn train(
    network: &Network,
    state: &mut TrainingState,
    training: &Loader,
    validation: Option<&Loader>,
    settings: &TrainSettings,
    mut report: impl FnMut(Event, &TrainingState) -> Result<()>,
) -> Result<Option<Evaluation>> {
    train_watched(network, state, training, validation, settings, &mut (), |event, state, ()| report(event, state))
}

/// [`train`] under the eyes of a [watch](super::watch), which `report` is given too. The bits are the same.
///
/// # Errors
/// As [`train`].
pub fn train_watched<W: Watch>(
    network: &Network,
    state: &mut TrainingState,
    training: &Loader,
    validation: Option<&Loader>,
    settings: &TrainSettings,
    watch: &mut W,
    report: impl FnMut(Event, &TrainingState, &W) -> Result<()>,
) -> Result<Option<Evaluation>> {
    train_on(&Ranks::alone(), network, state, Sets { training, validation }, settings, watch, report)
}

/// The images of a training.
#[derive(Clone, Copy)]
pub struct Sets<'a> {
    /// Those that train.
    pub training: &'a Loader,
    /// Those that validate, if there are some.
    pub validation: Option<&'a Loader>,
}

/// [`train_watched`] by all ranks of a job: each calls it with the same network, state, images and settings,
/// and has the same state in the end, with the bits of one rank alone. In the states that `report` is told of
/// after steps, the rows of [shared](Plan::shared_tensors) tensors may be old, but for a step that
/// [stops](crate::distributed::Stopping) the training.
///
/// # Errors
/// As [`train`]; [`Error::Rank`] where a rank is gone, and the state is of no use then;
/// [`Error::Interrupted`] after the step at which the ranks agree to stop; and [`Error::Setting`] of a watch
/// where there are several ranks, each of which sees a part only.
pub fn train_on<W: Watch>(
    ranks: &Ranks,
    network: &Network,
    state: &mut TrainingState,
    sets: Sets,
    settings: &TrainSettings,
    watch: &mut W,
    mut report: impl FnMut(Event, &TrainingState, &W) -> Result<()>,
) -> Result<Option<Evaluation>> {
    let Sets { training, validation } = sets;
    let settings = &settings.with_steps_per_epoch(training.batches())?;
    let mut trainer = Trainer::new(ranks, network, sets, settings, watch)?;
    let mut answers = None;
    while !settings.is_over(state) {
        let mut clock = Clock::start();
        let validated = trainer.epoch(state, &mut clock, &mut report)?;
        if settings.early_stopping.is_none() || state.epochs_since_best() == 0 {
            answers = validated;
        }
        report(Event::Epoch, state, trainer.watch)?;
        // What the report took, as saving does, is part of the epoch.
        if let Some(record) = state.history.last_mut() {
            record.seconds = clock.total().as_secs_f64();
        }
    }
    match (answers, validation) {
        (None, Some(loader)) => trainer.evaluate(settings.final_parameters(state), loader).map(Some),
        (answers, _) => Ok(answers),
    }
}

/// A training at work: what runs the network, and what that writes to.
pub(super) struct Trainer<'a, W> {
    ranks: &'a Ranks,
    watch: &'a mut W,
    settings: &'a TrainSettings,
    class_weights: ClassWeights,
    training: &'a Loader,
    validation: Option<&'a Loader>,
    plan: Plan<'a>,
    workspace: Workspace,
    gradients: Parameters,
    grad_logits: Vec<f32>,
    batch: Batch,
    /// Whether the ranks have agreed that the step at work is the last.
    stops: bool,
}

impl<'a, W: Watch> Trainer<'a, W> {
    pub(super) fn new(
        ranks: &'a Ranks,
        network: &'a Network,
        Sets { training, validation }: Sets<'a>,
        settings: &'a TrainSettings,
        watch: &'a mut W,
    ) -> Result<Trainer<'a, W>> {
        if settings.augmentation.is_some() && !training.has_files() {
            let reason =
                "it changes the pictures of files, and these images are arrays; change them before, and leave it out";
            return Err(Error::setting("augmentation", reason));
        }
        settings.check_label_smoothing()?;
        if W::LOOKS && ranks.count() > 1 {
            let reason = "it looks at one process, and several share this training; leave it out";
            return Err(Error::setting("watch", reason));
        }
        let largest_batch = training.largest_batch().max(validation.map_or(0, Loader::largest_batch));
        let fuse = settings.fuse && !W::LOOKS;
        // A rank moves rows that it owns while their gradient is there, as nobody else has it.
        let by_rows = fuse && !settings.optimizer()?.clipping.needs_whole_tensors();
        let options = PlanOptions { conv: settings.conv, fuse, training: true, input_gradient: false };
        let plan = Plan::shared(network, largest_batch, options, ranks.count(), by_rows);
        Ok(Trainer {
            ranks,
            watch,
            settings,
            class_weights: class_weights(settings, training, network.head())?,
            training,
            validation,
            workspace: plan.workspace(),
            plan,
            gradients: Parameters::zeros(network.table()),
            grad_logits: vec![0.0; largest_batch * network.head().units()],
            batch: Batch::default(),
            stops: false,
        })
    }

    /// Takes the steps of the epoch at work that are not taken yet, validates, and ends the epoch. Returns
    /// what the validation images were taken for.
    fn epoch(
        &mut self,
        state: &mut TrainingState,
        clock: &mut Clock,
        report: &mut impl FnMut(Event, &TrainingState, &W) -> Result<()>,
    ) -> Result<Option<Evaluation>> {
        let rates = LearningRates::new(self.settings, &state.history)?;
        let mut so_far = state.epoch_so_far();
        let mut batches = self.batches(state.history.len(), so_far.steps);
        while self.next_batch(&mut batches)? {
            state.optimizer.set_learning_rate(rates.of_step(state.optimizer.steps(), state.history.len()));
            let row = self.step(state)?;
            so_far.add(&row);
            state.steps.push(row);
            clock.step_done();
            if self.stops {
                self.gather(state)?;
            }
            report(Event::Step(so_far), state, self.watch)?;
            if self.stops {
                return Err(Error::Interrupted);
            }
        }
        self.gather(state)?;
        self.watch.epoch_ends(state.history.len());
        let stepped = clock.total();
        let validated = match self.validation {
            Some(loader) => Some(self.evaluate(&state.parameters, loader)?),
            None => None,
        };
        let head = self.plan.network().head();
        let record = EpochRecord {
            epoch: state.history.len(),
            steps: so_far.steps,
            seconds: clock.total().as_secs_f64(),
            step_seconds: clock.mean_step().as_secs_f64(),
            wait_seconds: Some(batches.waited().as_secs_f64()),
            loss: so_far.mean_loss(),
            accuracy: so_far.mean_accuracy(),
            val_loss: validated.as_ref().map(|evaluation| evaluation.loss),
            val_accuracy: validated.as_ref().map(|evaluation| evaluation.accuracy),
            val_labels: validated.as_ref().and_then(|evaluation| evaluation.label_figures(head)),
        };
        let (number, steps, validation) = (record.epoch + 1, record.steps, clock.total() - stepped);
        log::debug!(target: LOG_TARGET, "epoch {number}: {steps} steps in {stepped:.1?}, validation in {validation:.1?}");
        self.check_last_update(&record, state)?;
        state.end_epoch(record, validated.as_ref().and_then(Evaluation::only_answer));
        Ok(validated)
    }

    /// Takes the next batch of an epoch, if there is one.
    pub(super) fn next_batch(&mut self, batches: &mut Epoch) -> Result<bool> {
        self.watch.batch_wanted();
        batches.next_into(&mut self.batch)
    }

    /// Takes a step on the batch: forward, loss, gradient, backward with the update, and moving statistics.
    pub(super) fn step(&mut self, state: &mut TrainingState) -> Result<StepRow> {
        let taken = state.optimizer.steps();
        let size = self.batch.labels.len();
        let (epoch, step) = (state.history.len(), taken as usize + 1);
        self.watch.step_begins(epoch, step, &self.batch.indices);

        let masks = DropoutMasks::Drawn { seed: self.settings.seed, step: taken };
        let mode = Mode::Training(masks);
        let cuts = self.plan.cuts(size);
        let share = Share::of(self.ranks, &cuts);
        let images = self.batch.images.view();
        let parameters = &state.parameters;
        let own = self.plan.forward_shared(share, parameters, images, mode, &mut self.workspace, self.watch)?;
        let gathered = share.peers().map(|peers| Gathered::of_step(peers, own));
        self.stops = gathered.as_ref().is_some_and(|gathered| gathered.stops);
        let logits = gathered.as_ref().map_or(own, |gathered| Logits::new(&gathered.logits, own.units()));
        self.ranks.check()?;
        let head = self.plan.network().head();
        let smoothing = self.settings.label_smoothing;
        let targets = Targets { weights: &self.class_weights, smoothing, ..self.batch.targets() };
        let (loss, accuracy) =
            serial(Activity::Loss, || (head.loss(logits, targets), accuracy_of(head, logits, &self.batch)));
        if !loss.is_finite() {
            self.gather(state)?;
            let batch = self.whole_batch(epoch)?;
            let first = self.first_not_finite(state, step, self.training, |search| search.output(&batch, mode));
            return Err(Error::NotFinite { value: loss, epoch: epoch + 1, step, first });
        }
        let grad_logits = &mut self.grad_logits[..logits.values().len()];
        serial(Activity::Loss, || head.gradient(logits, targets, grad_logits));
        let grad_logits = &grad_logits[share.first() * head.units()..][..share.count() * head.units()];
        let at_once = self.settings.fuse && !W::LOOKS;
        let mut update = state.optimizer.begin_step(&mut state.parameters, &mut self.gradients, at_once);
        self.plan.backward_shared(share, images, grad_logits, &mut update, &mut self.workspace, self.watch)?;
        self.ranks.check()?;
        self.watch.gradients(update.parameters(), update.gradients());
        update.finish();
        self.watch.updated(&state.parameters, &self.gradients);
        self.plan.update_running(&mut state.parameters, &mut self.workspace)?;
        self.watch.step_ends();
        Ok(StepRow { step, epoch, batch_size: size, loss, accuracy })
    }

    /// How the images of an epoch are changed.
    fn augmented(&self, epoch: usize) -> Option<Augmented> {
        let &TrainSettings { seed, augmentation, .. } = self.settings;
        augmentation.map(|augmentation| Augmented { augmentation, seed, epoch: epoch as u64 })
    }

    /// The batches of an epoch, without the first `done`, decoded ahead of need.
    pub(super) fn batches(&self, epoch: usize, done: usize) -> Epoch {
        let &TrainSettings { seed, shuffle, .. } = self.settings;
        let augmented = self.augmented(epoch);
        let order = epoch_order(self.training.count(), seed, epoch as u64, shuffle);
        self.training.share_of_epoch(order, done, augmented, |count| {
            let cuts = self.plan.cuts(count);
            cuts[self.ranks.rank()]..cuts[self.ranks.rank() + 1]
        })
    }

    fn evaluate(&mut self, parameters: &Parameters, loader: &Loader) -> Result<Evaluation> {
        let smoothing = self.settings.label_smoothing;
        evaluate_on(self.ranks, &self.plan, parameters, loader, smoothing, &mut self.workspace)
    }

    /// Brings the rows of shared tensors, which each rank has moved its own of, to all ranks.
    fn gather(&self, state: &mut TrainingState) -> Result<()> {
        for ranges in self.plan.shared_tensors() {
            let accumulators = state.optimizer.accumulators_mut().iter_mut();
            for buffer in std::iter::once(&mut state.parameters).chain(accumulators) {
                self.ranks.gather_ranges(buffer.as_mut_slice(), &ranges);
            }
        }
        self.ranks.check()
    }

    /// The batch at work with all of its images.
    fn whole_batch(&self, epoch: usize) -> Result<Batch> {
        if self.ranks.count() == 1 {
            return Ok(self.batch.clone());
        }
        let augmented = self.augmented(epoch);
        let mut batch = Batch::default();
        self.training.rest_of_epoch(self.batch.indices.clone(), 0, augmented).next_into(&mut batch)?;
        Ok(batch)
    }

    /// Checks the epoch's last update, which has no forward pass behind it but this one: that of the
    /// validation or, without, of the last batch again.
    ///
    /// # Errors
    /// [`Error::NotFinite`], [`Error::WeightsNotFinite`].
    fn check_last_update(&mut self, record: &EpochRecord, state: &TrainingState) -> Result<()> {
        let value = match record.val_loss {
            Some(loss) => loss,
            // A training that goes on after its epoch's last step has no batch any more, and meets the new
            // weights in the next epoch.
            None if self.batch.labels.is_empty() => 0.0,
            None => {
                let cuts = self.plan.cuts(self.batch.labels.len());
                let share = Share::of(self.ranks, &cuts);
                let (images, parameters) = (self.batch.images.view(), &state.parameters);
                let mode = Mode::Inference;
                let own = self.plan.forward_shared(share, parameters, images, mode, &mut self.workspace, &mut ())?;
                // A wish to stop that comes now is that of the next step.
                let gathered = share.peers().map(|peers| Gathered::of(peers, own, false));
                let logits = gathered.as_ref().map_or(own, |gathered| Logits::new(&gathered.logits, own.units()));
                self.ranks.check()?;
                self.plan.network().head().loss(logits, self.batch.targets())
            }
        };
        let (epoch, step) = (record.epoch + 1, state.optimizer.steps() as usize);
        if !value.is_finite() {
            let images = self.validation.unwrap_or(self.training);
            let first = self.first_not_finite(state, step, images, |search| match self.validation {
                Some(loader) => search.output_of_all(loader),
                None => search.output(&self.whole_batch(record.epoch)?, Mode::Inference),
            });
            return Err(Error::NotFinite { value, epoch, step, first });
        }
        match state.parameters.are_finite() {
            true => Ok(()),
            false => {
                let first = self.first_not_finite(state, step, self.training, |_| Ok(None));
                Err(Error::WeightsNotFinite { epoch, step, first })
            }
        }
    }

    /// Finds the first tensor that was not finite: as the watch has seen it, or else among the weights, or
    /// else as `search` finds it in this step, on some of these images.
    fn first_not_finite(
        &self,
        state: &TrainingState,
        step: usize,
        images: &Loader,
        search: impl FnOnce(Search) -> Result<Option<NotFinite>>,
    ) -> Option<Box<FirstNotFinite>> {
        let (epoch, taken) = (state.history.len(), state.optimizer.steps() as usize);
        let place = Search {
            network: self.plan.network(),
            parameters: &state.parameters,
            conv: self.settings.conv,
            epoch,
            step: taken,
        };
        if let Some(found) = self.watch.not_finite() {
            return Some(Box::new(found.told(self.training)));
        }
        let spoilt = place.weights();
        // Where the pixels are to blame, the weights are but what came of it.
        if let Some(found) = spoilt.as_ref().and_then(|_| place.pixels(self.training)) {
            return Some(Box::new(found.told(self.training)));
        }
        let found = match spoilt {
            // The last step taken has spoilt them; it may have been the last of the epoch before.
            Some(found) => Some(NotFinite { epoch: state.steps.last().map_or(epoch, |row| row.epoch), ..found }),
            // Where it fails, what it was about is still the error to tell.
            None => search(Search { step, ..place }).ok().flatten(),
        };
        found.map(|found| Box::new(found.told(images)))
    }
}

/// What the ranks bring together of a forward pass.
struct Gathered {
    /// The logits of the whole batch.
    logits: Vec<f32>,
    /// Whether any rank wishes that this step is the last.
    stops: bool,
}

impl Gathered {
    /// The logits of a step, of which this rank has `own`; where any rank was told to stop, all are.
    fn of_step(peers: Peers, own: Logits) -> Gathered {
        let stopping = peers.ranks().stopping();
        let gathered = Gathered::of(peers, own, (stopping.is_wanted)());
        if gathered.stops {
            (stopping.agreed)();
        }
        gathered
    }

    /// Brings together the logits and the wishes. A wish stands before the logits of its rank.
    fn of(peers: Peers, own: Logits, wish: bool) -> Gathered {
        let values = [&[f32::from(u8::from(wish))], own.values()].concat();
        let lengths: Vec<usize> = peers.counts().map(|count| 1 + count * own.units()).collect();
        let mut rest = &*peers.ranks().all_gather(&values, &lengths);
        let mut gathered = Gathered { logits: Vec::with_capacity(rest.len()), stops: false };
        for len in lengths {
            let (part, behind) = rest.split_at(len);
            gathered.stops |= part[0] != 0.0;
            gathered.logits.extend_from_slice(&part[1..]);
            rest = behind;
        }
        gathered
    }
}

/// How much an image of each class counts.
///
/// # Errors
/// [`Error::Setting`] of images that have not what the network answers, of class weights of another number,
/// and of any where images may have several labels.
fn class_weights(settings: &TrainSettings, training: &Loader, head: Head) -> Result<ClassWeights> {
    training.check_head(head)?;
    match (head.has_several_labels(), &settings.class_weight) {
        (false, weighting) => weighting.weights(&training.class_counts(head.classes())?),
        (true, ClassWeighting::None) => Ok(ClassWeights::NONE),
        (true, _) => {
            let reason =
                "it weighs classes, of which an image has one, and here an image may have several labels; leave it out";
            Err(Error::setting("class_weight", reason))
        }
    }
}

/// The share of right answers to a batch: of its images, or where they may have several labels, of all labels
/// of all of them.
fn accuracy_of(head: Head, logits: Logits, batch: &Batch) -> f64 {
    let rows = logits.rows();
    let accuracy = match head.has_several_labels() {
        true => label_accuracy(
            head.units(),
            &batch.sets,
            rows.map(|row| head.label_set(head.probabilities(row), DEFAULT_THRESHOLD)),
        ),
        false => accuracy(&batch.labels, rows.map(|row| head.decision(head.probabilities(row), DEFAULT_THRESHOLD))),
    };
    accuracy.unwrap_or(f64::NAN)
}
