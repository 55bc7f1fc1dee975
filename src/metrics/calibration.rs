//! Whether the probabilities are what they say: of the images that get 0.8, eight in ten should be positive.

use super::interval::{Interval, share, wilson};
use crate::classes::Label;
use serde::Serialize;

/// How many bins of equal width the probabilities are sorted into.
pub const BINS: usize = 10;

/// The images whose probability lies in a range, and what became of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// The range's lower end, which belongs to it.
    pub low: f64,
    /// Its upper end, which belongs to the next bin, and 1 to the last.
    pub high: f64,
    /// Images in it.
    pub count: usize,
    /// Images in it whose label is 1.
    pub positives: usize,
    /// The mean of their probabilities.
    pub mean_predicted: Option<f64>,
    /// positives / count.
    pub observed_share: Option<f64>,
    /// Wilson's 95 % interval around it.
    pub interval: Option<Interval>,
}

/// How far the probabilities are from what came true.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// (1/N)·Σ (pᵢ − yᵢ)²: 0 at best, ¼ for always answering ½, 1 at worst. It pays for a good order and for
    /// honest probabilities. Source: G. W. Brier, *Verification of forecasts expressed in terms of
    /// probability*, Monthly Weather Review 78, 1950.
    pub brier_score: f64,
    /// The score of always answering with the share π of positives, π(1 − π): what a model has to stay below
    /// that knows more than how frequent the classes are.
    pub brier_score_of_share: f64,
    /// Σ_b (n_b/N)·|mean probability − share of positives| over the bins. It depends on the bins, and on few
    /// images chance alone makes it large. Source: M. P. Naeini, G. F. Cooper, M. Hauskrecht, *Obtaining well
    /// calibrated probabilities using Bayesian binning*, AAAI 2015.
    pub expected_calibration_error: f64,
    /// The reliability table, [`BINS`] rows from 0 to 1.
    pub bins: Vec<ReliabilityBin>,
}

impl Calibration {
    /// Of probabilities from 0 to 1; `None` without images, or where one is NaN.
    ///
    /// # Panics
    /// If there are not as many labels as probabilities.
    pub fn of<P: Copy + Into<f64>>(labels: &[Label], probabilities: &[P]) -> Option<Calibration> {
        assert_eq!(labels.len(), probabilities.len(), "as many labels as probabilities");
        let total = labels.len();
        let mut squares = 0.0;
        let mut counts = [(0usize, 0usize, 0.0f64); BINS]; // images, positives, sum of probabilities
        for (&label, &probability) in labels.iter().zip(probabilities) {
            let (positive, probability) = (label == Label::POSITIVE, probability.into());
            if probability.is_nan() {
                return None;
            }
            squares += (probability - f64::from(u8::from(positive))).powi(2);
            let bin = &mut counts[((probability * BINS as f64) as usize).min(BINS - 1)];
            *bin = (bin.0 + 1, bin.1 + usize::from(positive), bin.2 + probability);
        }
        let prevalence = share(counts.iter().map(|bin| bin.1).sum(), total)?;
        let bins: Vec<ReliabilityBin> = counts.iter().enumerate().map(|(index, &bin)| row(index, bin)).collect();
        let distance =
            |bin: &ReliabilityBin| Some((bin.mean_predicted? - bin.observed_share?).abs() * bin.count as f64);
        Some(Calibration {
            brier_score: squares / total as f64,
            brier_score_of_share: prevalence * (1.0 - prevalence),
            expected_calibration_error: bins.iter().filter_map(distance).sum::<f64>() / total as f64,
            bins,
        })
    }
}

fn row(index: usize, (count, positives, sum): (usize, usize, f64)) -> ReliabilityBin {
    ReliabilityBin {
        low: index as f64 / BINS as f64,
        high: (index + 1) as f64 / BINS as f64,
        count,
        positives,
        mean_predicted: (count > 0).then(|| sum / count as f64),
        observed_share: share(positives, count),
        interval: wilson(positives, count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    #[test]
    fn scores_and_bins_agree_with_a_count_by_hand() {
        let labels = [1, 1, 1, 1, 1, 0, 0, 0].map(Label::new);
        let probabilities = [0.9, 0.8, 0.6, 0.4, 0.3, 0.7, 0.4, 0.1];
        let calibration = Calibration::of(&labels, &probabilities).unwrap();
        // 0.01 + 0.04 + 0.16 + 0.36 + 0.49 + 0.49 + 0.16 + 0.01 = 1.72
        assert_abs_diff_eq!(calibration.brier_score, 1.72 / 8.0, epsilon = 1e-15);
        assert_abs_diff_eq!(calibration.brier_score_of_share, 5.0 / 8.0 * 3.0 / 8.0, epsilon = 1e-15);
        let counts: Vec<(usize, usize)> = calibration.bins.iter().map(|bin| (bin.count, bin.positives)).collect();
        let by_hand = [(0, 0), (1, 0), (0, 0), (1, 1), (2, 1), (0, 0), (1, 1), (1, 0), (1, 1), (1, 1)];
        assert_eq!(counts, by_hand);
        // |0.1 − 0| + |0.3 − 1| + 2·|0.4 − ½| + |0.6 − 1| + |0.7 − 0| + |0.8 − 1| + |0.9 − 1| = 2.4
        assert_abs_diff_eq!(calibration.expected_calibration_error, 2.4 / 8.0, epsilon = 1e-15);
        assert_eq!(calibration.bins[4].mean_predicted, Some(0.4));
        assert_eq!(calibration.bins[4].interval, wilson(1, 2));
        assert_eq!((calibration.bins[0].mean_predicted, calibration.bins[0].interval), (None, None));
    }

    #[test]
    fn a_bin_holds_its_lower_end_and_the_last_one_holds_1() {
        let bins = Calibration::of(&[Label::NEGATIVE; 5], &[0.0, 0.5, 0.499, 1.0, 0.9]).unwrap().bins;
        let counts: Vec<usize> = bins.iter().map(|bin| bin.count).collect();
        assert_eq!(counts, [1, 0, 0, 0, 1, 1, 0, 0, 0, 2]);
        assert_eq!((bins[0].low, bins[9].high), (0.0, 1.0));
    }

    #[test]
    fn without_images_or_with_a_nan_there_is_no_calibration() {
        assert_eq!(Calibration::of::<f64>(&[], &[]), None);
        assert_eq!(Calibration::of(&[Label::POSITIVE], &[f32::NAN]), None);
    }

    proptest! {
        #[test]
        fn the_bins_hold_every_image_once_and_the_error_is_at_most_1(
            answers in proptest::collection::vec((any::<bool>(), 0.0f32..=1.0), 1..100)
        ) {
            let (labels, probabilities): (Vec<Label>, Vec<f32>) =
                answers.iter().map(|&(label, p)| (Label::new(usize::from(label)), p)).unzip();
            let calibration = Calibration::of(&labels, &probabilities).unwrap();
            prop_assert_eq!(calibration.bins.iter().map(|bin| bin.count).sum::<usize>(), answers.len());
            let positives = answers.iter().filter(|(label, _)| *label).count();
            prop_assert_eq!(calibration.bins.iter().map(|bin| bin.positives).sum::<usize>(), positives);
            for bin in calibration.bins.iter().filter(|bin| bin.count > 0) {
                let mean = bin.mean_predicted.unwrap();
                prop_assert!(bin.low - 1e-7 <= mean && mean <= bin.high + 1e-7);
            }
            prop_assert!((0.0..=1.0).contains(&calibration.brier_score));
            prop_assert!((0.0..=1.0).contains(&calibration.expected_calibration_error));
        }

        #[test]
        fn answering_with_the_share_has_that_shares_score_and_no_calibration_error(
            labels in proptest::collection::vec(any::<bool>(), 1..100)
        ) {
            let share = labels.iter().filter(|label| **label).count() as f64 / labels.len() as f64;
            let labels: Vec<Label> = labels.iter().map(|&label| Label::new(usize::from(label))).collect();
            let calibration = Calibration::of(&labels, &vec![share; labels.len()]).unwrap();
            prop_assert!((calibration.brier_score - calibration.brier_score_of_share).abs() < 1e-12);
            prop_assert!(calibration.expected_calibration_error < 1e-12);
        }
    }
}
