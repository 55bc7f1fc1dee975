//! An optimizer with its state, and the step that it takes when all gradients are there.

use super::CHUNK_FLOATS;
use super::block::Block;
use super::clipping::Clipper;
use super::settings::{OptimizerSettings, StepNumbers};
use crate::parameters::{ParameterTable, Parameters, Role};
use crate::spans::{Activity, task};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// An optimizer with its state: the accumulators of every parameter, and the number of steps taken.
pub struct Optimizer {
    pub(super) settings: OptimizerSettings,
    pub(super) accumulators: Vec<Parameters>,
    clipper: Clipper,
    steps: u64,
    /// For each tensor, whether the step at work has moved it.
    pub(super) moved: Vec<bool>,
}

impl Optimizer {
    /// Creates an optimizer with accumulators of zero and no step taken.
    pub fn new(table: &Arc<ParameterTable>, settings: OptimizerSettings) -> Optimizer {
        let zeros = || Parameters::zeros(table);
        let accumulators = std::iter::repeat_with(zeros).take(settings.rule.accumulators()).collect();
        Optimizer::resumed(table, settings, accumulators, 0)
    }

    /// Restores an optimizer as it was after `steps` steps, when these were its accumulators: Adam's first
    /// and second moments, SGD's velocities, or without momentum none.
    ///
    /// # Panics
    /// If the accumulators are not as many as the rule keeps, or do not have this table.
    pub fn resumed(
        table: &Arc<ParameterTable>,
        settings: OptimizerSettings,
        accumulators: Vec<Parameters>,
        steps: u64,
    ) -> Optimizer {
        assert_eq!(accumulators.len(), settings.rule.accumulators(), "the accumulators of {:?}", settings.rule);
        assert!(accumulators.iter().all(|buffer| buffer.table() == table), "parameters of one network");
        let (clipper, moved) = (Clipper::new(settings.clipping, table), vec![false; table.entries().len()]);
        Optimizer { settings, accumulators, clipper, steps, moved }
    }

    /// Returns the accumulators: Adam's first and second moments, SGD's velocities, or without momentum none.
    pub fn accumulators(&self) -> &[Parameters] {
        &self.accumulators
    }

    /// Returns the accumulators, to write.
    pub(crate) fn accumulators_mut(&mut self) -> &mut [Parameters] {
        &mut self.accumulators
    }

    /// Returns the settings, with the learning rate in force.
    pub fn settings(&self) -> &OptimizerSettings {
        &self.settings
    }

    /// Sets the learning rate of the steps to come.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.settings.learning_rate = learning_rate;
    }

    /// Returns the steps taken so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Takes one step: counts it, clips the gradients where they lie, and moves every trainable weight.
    ///
    /// # Panics
    /// If the parameters are not of this optimizer's network.
    pub fn step(&mut self, weights: &mut Parameters, gradients: &mut Parameters) {
        self.moved.fill(false);
        self.finish_step(self.next_step(), weights, gradients);
    }

    /// Returns the numbers of the step that comes next.
    pub(super) fn next_step(&self) -> StepNumbers {
        self.settings.step(self.steps + 1)
    }

    /// Counts the step with these numbers, and clips the gradients and moves the weights of all trainable
    /// tensors but those that it has [moved](Optimizer::moved) already.
    pub(super) fn finish_step(&mut self, step: StepNumbers, weights: &mut Parameters, gradients: &mut Parameters) {
        weights.assert_same_network(gradients);
        assert_eq!(weights.table().entries().len(), self.moved.len(), "parameters of one network");
        self.accumulators.iter().for_each(|buffer| weights.assert_same_network(buffer));
        self.steps += 1;
        self.clipper.clip(gradients, &self.moved);
        let entries = gradients.table().entries();
        // Neighbours of one role are moved in one pass.
        let mut id = 0;
        while id < entries.len() {
            let (first, role) = (id, entries[id].role);
            let together = |id: usize| id < entries.len() && !self.moved[id] && entries[id].role == role;
            while together(id) {
                id += 1;
            }
            match role {
                Role::Trainable { .. } if id > first => {
                    let range = entries[first].range.start..entries[id - 1].range.end;
                    self.move_weights(step.for_role(role), weights, gradients, &range);
                }
                _ => id = id.max(first + 1),
            }
        }
    }

    /// Moves the weights in this range of the buffer.
    fn move_weights(
        &mut self,
        step: StepNumbers,
        weights: &mut Parameters,
        gradients: &Parameters,
        range: &Range<usize>,
    ) {
        let gradients = gradients.as_slice()[range.clone()].par_chunks(CHUNK_FLOATS);
        let blocks = Block::cut(weights, &mut self.accumulators, step, range.clone(), CHUNK_FLOATS);
        blocks.zip(gradients).for_each(|(mut block, gradients)| {
            task(Activity::Moving, "", || block.update(0..gradients.len(), gradients));
        });
    }
}
