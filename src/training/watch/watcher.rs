//! The watch that keeps figures.

use super::Watch;
use super::row::WatchRow;
use super::subjects::{OfWeights, Subjects};
use super::tally::{Scan, Tally};
use crate::error::TensorName;
use crate::network::Network;
use crate::parameters::Parameters;
use crate::plan::observer::{Observer, StepGradient, StepOutput};
use crate::training::not_finite::{NotFinite, first_value, of_output, places};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Weights that one thread subtracts in one piece.
const CHUNK: usize = 16 * 1024;

/// Keeps the figures of every tensor of a training, and the first that was not finite.
pub struct Watcher<'n> {
    network: &'n Network,
    subjects: Subjects,
    /// True where gradients are clipped, and are worth a second look.
    clips: bool,
    tallies: Vec<Tally>,
    rows: Vec<WatchRow>,
    /// The weights as the step at work found them, and then what it added to them.
    change: Parameters,
    /// The norm of each tensor of weights before the step.
    norms: Vec<f64>,
    /// The epoch at work, from 0, the step from 1, and the indices of its images.
    epoch: usize,
    step: usize,
    images: Vec<usize>,
    /// The first tensor of a backward pass whose gradient was not finite, and its layer.
    backward: Option<(usize, NotFinite)>,
    first: Option<NotFinite>,
}

/// The figures of the part of an epoch that was done when a run was interrupted, for it to go on with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartOfEpoch {
    /// The epoch, from 0.
    pub epoch: usize,
    /// The step in all after which they stand.
    pub step: usize,
    tallies: Vec<Tally>,
}

impl<'n> Watcher<'n> {
    /// A watcher of a training of this network, in which gradients are clipped or not.
    pub fn new(network: &'n Network, clips: bool) -> Watcher<'n> {
        let subjects = Subjects::new(network);
        Watcher {
            network,
            clips,
            tallies: fresh(&subjects),
            rows: Vec::new(),
            change: Parameters::zeros(network.table()),
            norms: vec![0.0; network.table().entries().len()],
            epoch: 0,
            step: 0,
            images: Vec::new(),
            backward: None,
            first: None,
            subjects,
        }
    }

    /// Returns the rows of all epochs that have ended.
    pub fn rows(&self) -> &[WatchRow] {
        &self.rows
    }

    /// Goes on behind these rows, but for those of another network.
    pub fn go_on_from(&mut self, rows: Vec<WatchRow>) {
        let list = &self.subjects.list;
        let is_ours = |row: &WatchRow| list.iter().any(|one| (&one.layer, &one.tensor) == (&row.layer, &row.tensor));
        self.rows = rows.into_iter().filter(is_ours).collect();
    }

    /// Returns the figures of the epoch at work, if it has begun.
    pub fn part(&self) -> Option<PartOfEpoch> {
        let has_begun = self.tallies.iter().any(|tally| tally.steps > 0);
        has_begun.then(|| PartOfEpoch { epoch: self.epoch, step: self.step, tallies: self.tallies.clone() })
    }

    /// Goes on within an epoch, if these are figures of this network.
    pub fn go_on_within(&mut self, part: PartOfEpoch) -> bool {
        let fits = part.tallies.len() == self.tallies.len()
            && part.tallies.iter().zip(&self.tallies).all(|(a, b)| a.has_the_places_of(b));
        if fits {
            (self.epoch, self.step, self.tallies) = (part.epoch, part.step, part.tallies);
        }
        fits
    }

    /// Ends the epoch at work, from 0, of which some steps may be missing: its figures become rows.
    pub fn end_epoch(&mut self, epoch: usize) {
        let measured = self.subjects.list.iter().zip(&self.tallies).filter(|(_, tally)| tally.steps > 0);
        self.rows.extend(measured.map(|(subject, tally)| WatchRow::new(epoch, &subject.layer, &subject.tensor, tally)));
        self.tallies = fresh(&self.subjects);
    }

    /// What was found in the step at work, at these places of the batch, or in the sum over it.
    fn found(&self, tensor: TensorName, value: f32, places: Option<Vec<usize>>) -> NotFinite {
        let images = match places {
            Some(places) => places.into_iter().filter_map(|place| self.images.get(place).copied()).collect(),
            None => self.images.clone(),
        };
        let (epoch, step, batch) = (self.epoch, self.step, self.images.len());
        NotFinite { tensor, value, epoch, step, batch, images }
    }

    /// Takes down the gradient of a tensor of weights that is not finite, if none in a layer behind was, nor
    /// the gradient of its own layer's output.
    fn gradient_not_finite(&mut self, id: usize, gradient: &[f32]) {
        let layer = self.subjects.weights[id].layer;
        if self.backward.as_ref().is_none_or(|(first, _)| *first < layer) {
            let name = self.network.table().entries()[id].name.clone();
            let value = first_value(gradient).unwrap_or(f32::NAN);
            self.backward = Some((layer, self.found(TensorName::Gradient(name), value, None)));
        }
    }
}

/// Tallies of no step.
fn fresh(subjects: &Subjects) -> Vec<Tally> {
    subjects.list.iter().map(|subject| Tally::new(subject.units)).collect()
}

impl Observer for Watcher<'_> {
    fn output(&mut self, step: StepOutput) {
        let Some(subject) = self.subjects.outputs[step.step.layers.end - 1] else { return };
        let tally = &mut self.tallies[subject];
        let scan = tally.add(step.output);
        tally.add_active(step.output);
        // Layers such as ReLU make a number of what is none, so pixels are looked at by themselves.
        let may_be = !scan.is_finite() || (step.index == 0 && first_value(step.input).is_some());
        if self.first.is_none() && may_be {
            let found = of_output(self.network, &step);
            self.first = found.map(|(tensor, places, value)| self.found(tensor, value, Some(places)));
        }
    }

    fn gradient(&mut self, step: StepGradient) {
        let layer = step.forward.step.layers.end - 1;
        let Some(output) = self.subjects.outputs[layer] else { return };
        let scan = self.tallies[output + 1].add(step.grad_output);
        if self.first.is_none() && self.backward.is_none() && !scan.is_finite() {
            let images = step.grad_output.len() / step.forward.step.output.len();
            let name = TensorName::GradOutput(self.network.layers()[layer].name.clone());
            self.backward =
                places(step.grad_output, images).map(|(places, value)| (layer, self.found(name, value, Some(places))));
        }
    }
}

impl Watch for Watcher<'_> {
    const LOOKS: bool = true;

    fn step_begins(&mut self, epoch: usize, step: usize, images: &[usize]) {
        (self.epoch, self.step) = (epoch, step);
        self.images.clear();
        self.images.extend_from_slice(images);
        self.backward = None;
    }

    fn gradients(&mut self, weights: &Parameters, gradients: &Parameters) {
        let mut together = Scan::default();
        // From the last layer to the first, as the gradients came; within a layer the kernel comes first.
        let mut ids: Vec<usize> = (0..self.subjects.weights.len()).collect();
        ids.sort_by_key(|&id| std::cmp::Reverse(self.subjects.weights[id].layer));
        let mut scans = vec![Scan::default(); ids.len()];
        for id in ids {
            let OfWeights { weights: subject, moved, .. } = self.subjects.weights[id];
            self.norms[id] = self.tallies[subject].add(weights.tensor(id)).norm();
            let Some([gradient, _]) = moved else { continue };
            scans[id] = self.tallies[gradient].add(gradients.tensor(id));
            if !scans[id].is_finite() && self.first.is_none() {
                self.gradient_not_finite(id, gradients.tensor(id));
            }
        }
        for scan in scans {
            together = together.and(scan);
        }
        self.tallies[self.subjects.all].add_scan(&together);
        self.first = self.first.take().or(self.backward.take().map(|(_, found)| found));
        self.change.as_mut_slice().copy_from_slice(weights.as_slice());
    }

    fn updated(&mut self, weights: &Parameters, used: &Parameters) {
        let chunks = self.change.as_mut_slice().par_chunks_mut(CHUNK).zip(weights.as_slice().par_chunks(CHUNK));
        chunks.for_each(|(change, after)| change.iter_mut().zip(after).for_each(|(change, w)| *change = w - *change));
        let (mut together, mut clipped, mut norm) = (Scan::default(), 0.0, 0.0);
        for id in 0..self.subjects.weights.len() {
            let Some([gradient, update]) = self.subjects.weights[id].moved else { continue };
            let scan = self.tallies[update].add(self.change.tensor(id));
            self.tallies[update].add_ratio(scan.norm(), self.norms[id]);
            together = together.and(scan);
            norm += self.norms[id].powi(2);
            if self.clips {
                let squares = Scan::of(used.tensor(id)).squares;
                self.tallies[gradient].add_clipped(squares.sqrt());
                clipped += squares;
            }
            if self.first.is_none() && !scan.is_finite() {
                let name = self.network.table().entries()[id].name.clone();
                let value = first_value(self.change.tensor(id)).unwrap_or(f32::NAN);
                self.first = Some(self.found(TensorName::Update(name), value, None));
            }
        }
        let [gradients, updates] = [self.subjects.all, self.subjects.all + 1];
        self.tallies[updates].add_scan(&together);
        self.tallies[updates].add_ratio(together.norm(), norm.sqrt());
        if self.clips {
            self.tallies[gradients].add_clipped(clipped.sqrt());
        }
    }

    fn epoch_ends(&mut self, epoch: usize) {
        self.end_epoch(epoch);
    }

    fn not_finite(&self) -> Option<&NotFinite> {
        self.first.as_ref()
    }
}
