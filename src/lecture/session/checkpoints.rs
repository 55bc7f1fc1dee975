//! States of a training to go back to.

use crate::network::Network;
use crate::optim::{Optimizer, OptimizerSettings};
use crate::parameters::Parameters;
use std::collections::BTreeMap;

/// The steps between two checkpoints, unless there is too little memory: going back takes at most so many
/// steps of training. Of the documented network ten take a third of a second, and a checkpoint 40 MB.
pub const CHECKPOINT_EVERY: u64 = 10;

/// The latest checkpoints, which are never thinned out.
const RECENT: usize = 4;

/// Where a training stands behind some steps: all that changes from step to step.
#[derive(Clone)]
pub(super) struct Checkpoint {
    pub parameters: Parameters,
    /// Of the optimizer.
    pub accumulators: Vec<Parameters>,
    /// The steps taken.
    pub taken: u64,
}

impl Checkpoint {
    /// Returns the state of a training.
    pub fn new(parameters: &Parameters, optimizer: &Optimizer) -> Checkpoint {
        let accumulators = optimizer.accumulators().to_vec();
        Checkpoint { parameters: parameters.clone(), accumulators, taken: optimizer.steps() }
    }

    /// Returns weights and optimizer as they were.
    pub fn restored(&self, network: &Network, settings: OptimizerSettings) -> (Parameters, Optimizer) {
        let optimizer = Optimizer::resumed(network.table(), settings, self.accumulators.clone(), self.taken);
        (self.parameters.clone(), optimizer)
    }

    fn bytes(&self) -> usize {
        (1 + self.accumulators.len()) * size_of_val(self.parameters.as_slice())
    }
}

/// Where the weights stand.
pub(super) struct Now {
    pub parameters: Parameters,
    pub optimizer: Optimizer,
}

/// The checkpoints of a session, by the steps taken. The first, before any step, is always there.
pub(super) struct Checkpoints {
    kept: BTreeMap<u64, Checkpoint>,
    most: usize,
}

impl Checkpoints {
    /// Begins with the state before the first step. All take at most `budget` bytes, unless the smallest
    /// number that one can go back with takes more.
    pub fn new(first: Checkpoint, budget: usize) -> Checkpoints {
        let most = (budget / first.bytes().max(1)).max(RECENT + 2);
        Checkpoints { kept: BTreeMap::from([(first.taken, first)]), most }
    }

    /// Returns whether a state behind so many steps is to be kept.
    pub fn wants(&self, taken: u64) -> bool {
        taken.is_multiple_of(CHECKPOINT_EVERY) && !self.kept.contains_key(&taken)
    }

    /// Keeps a checkpoint, and where there are too many, gives up one of long ago.
    pub fn add(&mut self, checkpoint: Checkpoint) {
        self.kept.insert(checkpoint.taken, checkpoint);
        if self.kept.len() > self.most {
            let taken: Vec<u64> = self.kept.keys().copied().collect();
            // Without it, its neighbours are this far apart; of equals the earliest goes.
            let gap = |place: &usize| taken[place + 1] - taken[place - 1];
            if let Some(place) = (1..taken.len() - RECENT).min_by_key(gap) {
                self.kept.remove(&taken[place]);
            }
        }
    }

    /// Returns the latest one behind at most so many steps.
    pub fn before(&self, taken: u64) -> Option<&Checkpoint> {
        self.kept.range(..=taken).next_back().map(|(_, checkpoint)| checkpoint)
    }

    /// Forgets those behind so many steps or more; the first stays.
    pub fn forget_from(&mut self, taken: u64) {
        self.kept.retain(|at, _| *at < taken.max(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::ModelSpec;

    fn checkpoint(network: &Network, taken: u64) -> Checkpoint {
        Checkpoint { parameters: Parameters::zeros(network.table()), accumulators: Vec::new(), taken }
    }

    #[test]
    fn checkpoints_of_long_ago_are_thinned_out_and_the_first_and_the_latest_stay() {
        let network = Network::new(&ModelSpec::documented().with_image_size(24)).unwrap();
        let mut checkpoints = Checkpoints::new(checkpoint(&network, 0), 0);
        for step in 1..=400 {
            if checkpoints.wants(step) {
                checkpoints.add(checkpoint(&network, step));
            }
        }
        let kept: Vec<u64> = checkpoints.kept.keys().copied().collect();
        assert_eq!((kept.len(), kept[0], &kept[2..]), (RECENT + 2, 0, &[370, 380, 390, 400][..]));
        assert_eq!(checkpoints.before(399).unwrap().taken, 390);
        checkpoints.forget_from(0);
        assert_eq!(checkpoints.before(399).unwrap().taken, 0);

        let budget = 10 * checkpoint(&network, 0).bytes();
        let mut checkpoints = Checkpoints::new(checkpoint(&network, 0), budget);
        (1..=40).for_each(|tens| checkpoints.add(checkpoint(&network, 10 * tens)));
        let kept: Vec<u64> = checkpoints.kept.keys().copied().collect();
        let gaps: Vec<u64> = kept.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(kept.len() == 10 && gaps.iter().all(|gap| *gap <= 160), "{kept:?}");
    }
}
