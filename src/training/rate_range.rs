//! The learning rate range test: the loss of steps whose learning rate grows from step to step.
//!
//! Too small a rate leaves the loss where it was, a good one lets it fall, and too large a one drives it up.
//! The rate where it falls fastest is a good one to train with. (L. N. Smith, *Cyclical Learning Rates for
//! Training Neural Networks*, 2017, section 3.3.)

use super::run::{Sets, Trainer};
use super::settings::TrainSettings;
use super::state::TrainingState;
use crate::data::batches::Loader;
use crate::distributed::Ranks;
use crate::network::Network;
use crate::{Error, Result};

/// The share of the mean loss so far that a step's smoothed loss keeps.
const KEPT: f64 = 0.9;

/// The loss has gone up for good where it is this many times its least.
const DIVERGED: f64 = 4.0;

/// Steps before which nothing is said of the loss: its mean is of too few.
const FIRST_STEPS: usize = 5;

/// The learning rates to try.
#[derive(Clone, Copy, Debug)]
pub struct RateRange {
    /// That of the first step, above 0.
    pub least: f64,
    /// That of the last step, above the first's.
    pub most: f64,
    /// How many steps there are, 2 or more.
    pub steps: usize,
}

impl RateRange {
    /// Returns the rate of a step, from 0: each is the same multiple of the one before.
    pub fn rate(&self, step: usize) -> f64 {
        self.least * (self.most / self.least).powf(step as f64 / (self.steps - 1) as f64)
    }
}

/// A step of the test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RatePoint {
    /// The learning rate of the step.
    pub learning_rate: f64,
    /// The loss of its batch, before the step.
    pub loss: f64,
    /// The mean loss of this step and those before, the later the more: Σ 0.9ⁿ⁻ⁱ lossᵢ / Σ 0.9ⁿ⁻ⁱ.
    pub smoothed: f64,
}

/// What the test has found.
#[derive(Clone, Debug, PartialEq)]
pub struct RateCurve {
    /// The steps that were taken. They end early where the loss has gone up for good.
    pub points: Vec<RatePoint>,
    /// True if they ended early.
    pub diverged: bool,
}

impl RateCurve {
    /// Returns the step at which the smoothed loss falls fastest over the logarithm of the rate, up to its
    /// least; none where it never falls.
    pub fn steepest(&self) -> Option<&RatePoint> {
        let least = self.least()?;
        // Over five steps, so that no single batch decides.
        let slope = |at: usize| self.points[at + 2].smoothed - self.points[at - 2].smoothed;
        let last = least.min(self.points.len().saturating_sub(3));
        let at = (2..=last).min_by(|&a, &b| slope(a).total_cmp(&slope(b)))?;
        (slope(at) < 0.0).then_some(&self.points[at])
    }

    /// Returns the number of the step with the least smoothed loss.
    fn least(&self) -> Option<usize> {
        let steps = self.points.iter().enumerate();
        steps.min_by(|(_, a), (_, b)| a.smoothed.total_cmp(&b.smoothed)).map(|(at, _)| at)
    }
}

/// Takes steps of training with growing learning rates, calling `report` after each. `state` is moved as by
/// training, so it is of no further use.
///
/// # Errors
/// As [`train`](super::train), but for a loss that is no longer finite: that ends the test.
pub fn range_test(
    network: &Network,
    state: &mut TrainingState,
    training: &Loader,
    settings: &TrainSettings,
    range: RateRange,
    mut report: impl FnMut(&RatePoint) -> Result<()>,
) -> Result<RateCurve> {
    let mut watch = ();
    let alone = Ranks::alone();
    let mut trainer = Trainer::new(&alone, network, Sets { training, validation: None }, settings, &mut watch)?;
    let mut curve = RateCurve { points: Vec::new(), diverged: false };
    let (mut sum, mut weight, mut least) = (0.0, 0.0, f64::INFINITY);
    for epoch in 0.. {
        let mut batches = trainer.batches(epoch, 0);
        while trainer.next_batch(&mut batches)? {
            let step = curve.points.len();
            if step == range.steps {
                return Ok(curve);
            }
            let learning_rate = range.rate(step);
            state.optimizer.set_learning_rate(learning_rate);
            let loss = match trainer.step(state) {
                Ok(row) => row.loss,
                Err(Error::NotFinite { .. }) => {
                    curve.diverged = true;
                    return Ok(curve);
                }
                Err(error) => return Err(error),
            };
            (sum, weight) = (KEPT * sum + loss, KEPT * weight + 1.0);
            let point = RatePoint { learning_rate, loss, smoothed: sum / weight };
            curve.points.push(point);
            report(&point)?;
            least = least.min(point.smoothed);
            if step >= FIRST_STEPS && point.smoothed > DIVERGED * least {
                curve.diverged = true;
                return Ok(curve);
            }
        }
    }
    Ok(curve)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(losses: &[f64]) -> RateCurve {
        let range = RateRange { least: 1e-5, most: 1.0, steps: losses.len() };
        let point = |(step, &loss): (usize, &f64)| RatePoint { learning_rate: range.rate(step), loss, smoothed: loss };
        RateCurve { points: losses.iter().enumerate().map(point).collect(), diverged: true }
    }

    #[test]
    fn rates_grow_by_one_factor_from_the_least_to_the_most() {
        let range = RateRange { least: 1e-4, most: 1.0, steps: 5 };
        let rates: Vec<f64> = (0..5).map(|step| range.rate(step)).collect();
        for (rate, expected) in rates.iter().zip([1e-4, 1e-3, 1e-2, 1e-1, 1.0]) {
            assert!((rate / expected - 1.0).abs() < 1e-12, "{rates:?}");
        }
    }

    #[test]
    fn the_steepest_fall_before_the_least_loss_is_found_and_none_where_it_only_rises() {
        let found = curve(&[0.7, 0.7, 0.69, 0.68, 0.5, 0.3, 0.25, 0.25, 0.9, 0.1, 2.0]);
        // A later fall from a rise is no better: the least loss is at step 9, the steepest way to it at 4.
        assert_eq!(found.steepest().map(|point| point.loss), Some(0.5));
        assert_eq!(curve(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]).steepest(), None);
        assert_eq!(curve(&[0.7, 0.6]).steepest(), None);
    }
}
