//! Batches to measure with: the training part of the synthetic set, drawn in memory.

use crate::Result;
use crate::data::batches::{Batch, Loader};
use crate::data::catalog::Catalog;
use crate::data::images::{CACHE_BUDGET_BYTES, ImageSet};
use crate::data::phantom;
use crate::data::source::Source;
use crate::data::split::Split;
use crate::training::keras_run;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The training images that `reproduce` has.
pub struct PhantomBatches {
    kept: Loader,
    /// The same images, decoded anew whenever they are asked for.
    undecoded: Loader,
    batch_size: usize,
}

impl PhantomBatches {
    /// Draws the set, for batches of `batch_size` images of height, width and channels `size`.
    ///
    /// # Errors
    /// Where a size is 0, or the channels are neither 1 nor 3.
    pub fn draw(size: [usize; 3], batch_size: usize) -> Result<PhantomBatches> {
        let images = phantom::draw(phantom::DEFAULT_SEED, phantom::DEFAULT_BENIGN, phantom::DEFAULT_MALIGNANT);
        let files = images.iter().map(|image| (format!("{}/{}", image.class.name(), image.name), image.png()));
        let source = Arc::new(Source::from_memory("the phantom set", files.collect())?);
        let training = Split::new(&Catalog::from_source(&source)?, keras_run::VALIDATION_SPLIT)?.training;
        let loader = |budget| -> Result<Loader> {
            let images = ImageSet::sized(source.clone(), training.clone(), size, budget)?;
            Loader::new(Arc::new(images), batch_size)
        };
        Ok(PhantomBatches { kept: loader(CACHE_BUDGET_BYTES)?, undecoded: loader(0)?, batch_size })
    }

    /// Returns a loader to train with.
    pub fn loader(&self) -> &Loader {
        &self.kept
    }

    /// Loads as many full batches as an epoch has batches. The set is gone through again where it does not
    /// fill the last.
    ///
    /// # Errors
    /// Where an image cannot be read, which those drawn here can.
    pub fn batches(&self) -> Result<Vec<Batch>> {
        self.kept.epoch(self.order(self.kept.batches())).collect()
    }

    /// Measures how long it takes to decode and resize one batch from the files' bytes, on the current pool,
    /// as the loader does it while an image is not kept.
    ///
    /// # Errors
    /// As [`PhantomBatches::batches`].
    pub fn decode(&self, batch: &mut Batch) -> Result<Duration> {
        let order = self.order(1);
        let start = Instant::now();
        self.undecoded.epoch(order).next_into(batch)?;
        Ok(start.elapsed())
    }

    /// Returns the first images of the set in an order that alternates between its start and its end, where
    /// the classes are.
    fn order(&self, batches: usize) -> Vec<usize> {
        let count = self.kept.count();
        let mixed = (0..count).map(|place| if place % 2 == 0 { place / 2 } else { count - 1 - place / 2 });
        mixed.cycle().take(batches * self.batch_size).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classes::Label;

    #[test]
    fn all_batches_are_full_and_the_first_has_both_classes() {
        for (batch_size, count) in [(16, 7), (110, 1), (150, 1)] {
            let phantom = PhantomBatches::draw([8, 8, 3], batch_size).unwrap();
            let batches = phantom.batches().unwrap();
            assert_eq!(batches.len(), count);
            assert!(batches.iter().all(|batch| batch.images.shape() == [batch_size, 8, 8, 3]));
            assert!([Label::NEGATIVE, Label::POSITIVE].iter().all(|label| batches[0].labels.contains(label)));
            let mut decoded = Batch::default();
            phantom.decode(&mut decoded).unwrap();
            assert_eq!(decoded, batches[0]);
        }
    }
}
