//! The mean of an epoch, as it grows.

/// A mean that grows batch by batch: Σ weight·value / Σ weight.
///
/// Keras reports an epoch's loss and accuracy this way, the weight being the batch's number of images; so the
/// smaller last batch counts for less, and the epoch's accuracy is right answers / images.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunningMean {
    weighted_sum: f64,
    weight: f64,
}

impl RunningMean {
    /// Adds the mean `value` of a batch of `batch_size` images.
    pub fn add(&mut self, value: f64, batch_size: usize) {
        self.weighted_sum += value * batch_size as f64;
        self.weight += batch_size as f64;
    }

    /// The mean so far; `None` before the first image.
    pub fn mean(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.weighted_sum / self.weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_mean_weighs_a_small_last_batch_less() {
        let mut loss = RunningMean::default();
        assert_eq!(loss.mean(), None);
        loss.add(0.5, 16);
        loss.add(1.0, 4);
        assert_eq!(loss.mean(), Some((0.5 * 16.0 + 1.0 * 4.0) / 20.0));
    }
}
