//! What the reader changes in a training: a weight, or the learning rate.

use crate::explain::Weight;

/// A change that the reader makes.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// The value of a weight before the step.
    Weight(Weight, f32),
    /// The learning rate from the step on.
    LearningRate(f64),
}

/// An edit, and the step before which it was made.
#[derive(Clone, Debug, PartialEq)]
pub struct EditAt {
    /// The number of the step, from 1.
    pub step: u64,
    /// The change.
    pub edit: Edit,
}

/// The edits in force, in the order of their steps.
#[derive(Clone, Debug, Default)]
pub(super) struct Edits(Vec<EditAt>);

impl Edits {
    /// Returns all of them.
    pub fn all(&self) -> &[EditAt] {
        &self.0
    }

    /// Adds one at a step that none is behind. It takes the place of an earlier one of the same step, if that
    /// changed the same thing.
    pub fn add(&mut self, step: u64, edit: Edit) {
        let same = |other: &EditAt| match (&other.edit, &edit) {
            (Edit::Weight(a, _), Edit::Weight(b, _)) => a == b,
            (Edit::LearningRate(_), Edit::LearningRate(_)) => true,
            _ => false,
        };
        self.0.retain(|other| other.step != step || !same(other));
        self.0.push(EditAt { step, edit });
    }

    /// Takes back those at this step and behind it, and returns the first step at which there was one.
    pub fn take_back_from(&mut self, step: u64) -> Option<u64> {
        let first = self.0.iter().map(|edit| edit.step).filter(|at| *at >= step).min();
        self.0.retain(|edit| edit.step < step);
        first
    }

    /// Returns the weights that are set before a step, with their values.
    pub fn weights(&self, step: u64) -> impl Iterator<Item = (&Weight, f32)> {
        self.0.iter().filter(move |edit| edit.step == step).filter_map(|edit| match &edit.edit {
            Edit::Weight(weight, value) => Some((weight, *value)),
            Edit::LearningRate(_) => None,
        })
    }

    /// Returns the learning rate that is set for a step, at it or before.
    pub fn learning_rate(&self, step: u64) -> Option<f64> {
        self.0.iter().rev().filter(|edit| edit.step <= step).find_map(|edit| match &edit.edit {
            Edit::LearningRate(rate) => Some(*rate),
            Edit::Weight(..) => None,
        })
    }

    /// Returns the first step at which there is one.
    pub fn first(&self) -> Option<u64> {
        self.0.first().map(|edit| edit.step)
    }

    /// Returns whether there is one at this step.
    pub fn are_at(&self, step: u64) -> bool {
        self.0.iter().any(|edit| edit.step == step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Network;
    use crate::spec::ModelSpec;

    #[test]
    fn the_last_edit_of_a_thing_counts_and_a_learning_rate_stays_until_the_next() {
        let network = Network::new(&ModelSpec::documented()).unwrap();
        let weight = |name| Weight::parse(&network, name).unwrap();
        let mut edits = Edits::default();
        edits.add(3, Edit::LearningRate(0.1));
        edits.add(3, Edit::Weight(weight("dense_1/bias[0]"), 1.0));
        edits.add(3, Edit::Weight(weight("dense_1/bias[0]"), 2.0));
        edits.add(5, Edit::LearningRate(0.2));
        edits.add(5, Edit::LearningRate(0.3));
        assert_eq!(edits.all().len(), 3);
        assert_eq!(edits.weights(3).map(|(_, value)| value).collect::<Vec<_>>(), [2.0]);
        assert_eq!(edits.weights(4).count(), 0);
        assert_eq!(
            [2, 3, 4, 5, 9].map(|step| edits.learning_rate(step)),
            [None, Some(0.1), Some(0.1), Some(0.3), Some(0.3)]
        );
        assert_eq!((edits.take_back_from(4), edits.first(), edits.are_at(5)), (Some(5), Some(3), false));
        assert_eq!((edits.take_back_from(1), edits.take_back_from(1)), (Some(3), None));
    }
}
