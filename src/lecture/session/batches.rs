//! The batches of a training by the number of their step.

use crate::Result;
use crate::data::batches::{Augmented, Batch, Epoch, Loader, epoch_order};
use crate::training::TrainSettings;

/// Gives the batch of any step; one step after the other is the quick way.
pub(super) struct Batches {
    loader: Loader,
    settings: TrainSettings,
    /// The epoch at work, and the steps taken before its next batch.
    at_work: Option<(u64, Epoch)>,
    batch: Batch,
}

impl Batches {
    pub fn new(loader: Loader, settings: TrainSettings) -> Batches {
        Batches { loader, settings, at_work: None, batch: Batch::default() }
    }

    /// Returns the epoch, from 0, of the step behind so many.
    pub fn epoch(&self, taken: u64) -> u64 {
        taken / self.loader.batches() as u64
    }

    /// Returns the batch of the step behind so many: that which `train` takes.
    ///
    /// # Errors
    /// Those of images that cannot be read.
    pub fn of_step(&mut self, taken: u64) -> Result<&Batch> {
        let mut epoch = match self.at_work.take() {
            Some((next, epoch)) if next == taken => epoch,
            _ => self.rest_of_epoch(taken),
        };
        if !epoch.next_into(&mut self.batch)? {
            epoch = self.rest_of_epoch(taken);
            epoch.next_into(&mut self.batch)?;
        }
        self.at_work = Some((taken + 1, epoch));
        Ok(&self.batch)
    }

    /// Returns the batches from this step to the end of its epoch.
    fn rest_of_epoch(&self, taken: u64) -> Epoch {
        let TrainSettings { seed, shuffle, augmentation, .. } = self.settings;
        let (epoch, done) = (self.epoch(taken), taken % self.loader.batches() as u64);
        let augmented = augmentation.map(|augmentation| Augmented { augmentation, seed, epoch });
        let order = epoch_order(self.loader.count(), seed, epoch, shuffle);
        self.loader.rest_of_epoch(order, done as usize, augmented)
    }
}
