//! The choice of a threshold by what it is to be good for, and what a choice flatters itself by.

use super::confusion::Confusion;
use super::roc::ascending;
use crate::classes::Label;
use crate::random::{Purpose, Stream};
use rayon::prelude::*;
use std::fmt;
use std::str::FromStr;

/// The resamplings behind [`threshold_optimism`].
pub const RESAMPLINGS: u64 = 200;

/// The rule by which [`choose_threshold`] chooses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ThresholdRule {
    /// The largest sum of sensitivity and specificity; of equals the one with the higher sensitivity. Source:
    /// W. J. Youden, *Index for rating diagnostic tests*, Cancer 3, 1950.
    Youden,
    /// The highest specificity that leaves at least this sensitivity.
    Sensitivity(f64),
    /// The highest sensitivity that leaves at least this specificity.
    Specificity(f64),
}

impl ThresholdRule {
    /// What is compared of two thresholds, the first first; `None` for one that does not reach what is asked.
    fn merit(self, confusion: &Confusion) -> Option<[usize; 2]> {
        let Confusion { true_positive, true_negative, .. } = *confusion;
        match self {
            // (TP/P + TN/N)·P·N
            ThresholdRule::Youden => {
                let sum = true_positive * confusion.negatives() + true_negative * confusion.positives();
                Some([sum, true_positive])
            }
            ThresholdRule::Sensitivity(least) => {
                (confusion.sensitivity()? >= least).then_some([true_negative, true_positive])
            }
            ThresholdRule::Specificity(least) => {
                (confusion.specificity()? >= least).then_some([true_positive, true_negative])
            }
        }
    }

    /// Returns what the rule wants, in words.
    pub fn description(self) -> String {
        match self {
            ThresholdRule::Youden => "the largest sum of sensitivity and specificity".to_string(),
            ThresholdRule::Sensitivity(least) => {
                format!("the highest specificity with a sensitivity of at least {least}")
            }
            ThresholdRule::Specificity(least) => {
                format!("the highest sensitivity with a specificity of at least {least}")
            }
        }
    }
}

impl FromStr for ThresholdRule {
    type Err = String;

    fn from_str(text: &str) -> Result<ThresholdRule, String> {
        let share = |text: &str| text.parse().ok().filter(|share| *share > 0.0 && *share <= 1.0);
        let rule = match text.split_once('=') {
            None => (text == "youden").then_some(ThresholdRule::Youden),
            Some(("sensitivity", least)) => share(least).map(ThresholdRule::Sensitivity),
            Some(("specificity", least)) => share(least).map(ThresholdRule::Specificity),
            Some(_) => None,
        };
        rule.ok_or_else(|| {
            "it must be youden, or the least that one of both shall be, above 0 and at most 1, such as sensitivity=0.95 or \
             specificity=0.9"
                .to_string()
        })
    }
}

impl fmt::Display for ThresholdRule {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ThresholdRule::Youden => formatter.write_str("youden"),
            ThresholdRule::Sensitivity(least) => write!(formatter, "sensitivity={least}"),
            ThresholdRule::Specificity(least) => write!(formatter, "specificity={least}"),
        }
    }
}

/// The threshold above 0 and below 1 that the rule chooses: the shortest decimal near the middle between the
/// two probabilities around it, as every threshold between these gives the same answers.
///
/// `None` where a class has no image, a probability is NaN, or no threshold reaches what is asked.
///
/// ```
/// use glassnet::classes::Label;
/// use glassnet::metrics::{ThresholdRule, choose_threshold};
/// let labels = [0, 0, 1, 1].map(Label::new);
/// assert_eq!(choose_threshold(&labels, &[0.1, 0.2, 0.4, 0.9], ThresholdRule::Youden), Some(0.3));
/// ```
///
/// # Panics
/// If there are not as many labels as probabilities.
pub fn choose_threshold<P: Copy + Into<f64>>(
    labels: &[Label],
    probabilities: &[P],
    rule: ThresholdRule,
) -> Option<f64> {
    let answers = ascending(labels, probabilities)?;
    let positives = answers.iter().filter(|(_, positive)| *positive).count();
    if positives == 0 || positives == answers.len() {
        return None;
    }
    let mut confusion = Confusion {
        true_positive: positives,
        false_positive: answers.len() - positives,
        true_negative: 0,
        false_negative: 0,
    };
    let mut best: Option<([usize; 2], f64)> = None;
    let mut low = 0.0;
    let ties = answers.chunk_by(|a, b| a.0 == b.0).map(Some).chain([None]);
    for tie in ties {
        // Here the threshold is below the tie, and above all images before it.
        let high = tie.map_or(1.0, |tie| tie[0].0);
        if let (true, Some(merit)) = (low < high, rule.merit(&confusion))
            && best.is_none_or(|(most, _)| merit > most)
        {
            best = Some((merit, between(low, high)));
        }
        for (probability, positive) in tie.into_iter().flatten() {
            low = *probability;
            let (from, to) = match positive {
                true => (&mut confusion.true_positive, &mut confusion.false_negative),
                false => (&mut confusion.false_positive, &mut confusion.true_negative),
            };
            *from -= 1;
            *to += 1;
        }
    }
    best.map(|(_, threshold)| threshold)
}

/// The shortest decimal in the middle half of an interval.
fn between(low: f64, high: f64) -> f64 {
    let (middle, quarter) = (low + (high - low) / 2.0, (high - low) / 4.0);
    let rounded = |digits: i32| (middle * 10f64.powi(digits)).round() / 10f64.powi(digits);
    (1..=17).map(rounded).find(|number| (number - middle).abs() < quarter).unwrap_or(middle)
}

/// The optimism of a choice of threshold: by how much it flatters itself on the images that it was made on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThresholdOptimism {
    /// Of the sensitivity.
    pub sensitivity: f64,
    /// Of the specificity.
    pub specificity: f64,
}

/// The mean, over resamplings of the images with replacement, of what the threshold that is chosen on the
/// resampled images reaches on these, less what it reaches on all images. Each class is resampled by itself.
/// Less this optimism, the figures are those to expect of other images. `None` where [`choose_threshold`] is.
///
/// Source: B. Efron, *Estimating the error rate of a prediction rule*, Journal of the American Statistical
/// Association 78, 1983.
///
/// # Panics
/// If there are not as many labels as probabilities.
pub fn threshold_optimism<P: Copy + Into<f64> + Sync>(
    labels: &[Label],
    probabilities: &[P],
    rule: ThresholdRule,
) -> Option<ThresholdOptimism> {
    choose_threshold(labels, probabilities, rule)?;
    let of_class = |positive: bool| -> Vec<f64> {
        let images = labels.iter().zip(probabilities).filter(|(label, _)| (**label == Label::POSITIVE) == positive);
        images.map(|(_, &probability)| probability.into()).collect()
    };
    let classes = [of_class(false), of_class(true)];
    let counts = classes.each_ref().map(Vec::len);
    let labels: Vec<Label> =
        [Label::NEGATIVE, Label::POSITIVE].iter().zip(counts).flat_map(|(&label, count)| vec![label; count]).collect();
    let all = classes.concat();
    let difference = |resampling: u64| {
        let mut stream = Stream::new(0, Purpose::Threshold, 0, resampling);
        let drawn: Vec<f64> = classes
            .iter()
            .flat_map(|class| {
                (0..class.len()).map(|_| class[stream.below(class.len() as u32) as usize]).collect::<Vec<_>>()
            })
            .collect();
        let threshold = choose_threshold(&labels, &drawn, rule)?;
        let [there, here] = [&drawn, &all].map(|probabilities| Confusion::count(&labels, probabilities, threshold));
        Some([there.sensitivity()? - here.sensitivity()?, there.specificity()? - here.specificity()?])
    };
    // In the order of the resamplings, so that the sums are the same on any number of threads.
    let differences: Vec<Option<[f64; 2]>> = (0..RESAMPLINGS).into_par_iter().map(difference).collect();
    let differences: Vec<[f64; 2]> = differences.into_iter().flatten().collect();
    let mean = |which: usize| differences.iter().map(|pair| pair[which]).sum::<f64>() / differences.len() as f64;
    (!differences.is_empty()).then(|| ThresholdOptimism { sensitivity: mean(0), specificity: mean(1) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SENSITIVITY: fn(f64) -> ThresholdRule = ThresholdRule::Sensitivity;
    const SPECIFICITY: fn(f64) -> ThresholdRule = ThresholdRule::Specificity;

    /// Four negatives, then five positives.
    const LABELS: [usize; 9] = [0, 0, 0, 0, 1, 1, 1, 1, 1];
    const PROBABILITIES: [f32; 9] = [0.1, 0.2, 0.5, 0.7, 0.15, 0.4, 0.6, 0.8, 0.9];

    fn chosen(rule: ThresholdRule) -> Option<f64> {
        choose_threshold(&LABELS.map(Label::new), &PROBABILITIES, rule)
    }

    #[test]
    fn the_rules_choose_what_a_search_by_hand_finds() {
        // TP and TN above 0.2: 4 and 2; above 0.5: 3 and 3; above 0.7: 2 and 4. Sums of the shares: 1.3,
        // 1.35, 1.4.
        assert_eq!(chosen(ThresholdRule::Youden), Some(0.75));
        assert_eq!(chosen(SENSITIVITY(0.8)), Some(0.3));
        assert_eq!(chosen(SENSITIVITY(1.0)), Some(0.13));
        assert_eq!(chosen(SPECIFICITY(0.75)), Some(0.55));
        assert_eq!(chosen(SPECIFICITY(1.0)), Some(0.75));
    }

    #[test]
    fn without_both_classes_or_within_reach_there_is_none() {
        let of = |labels: [usize; 2], probabilities: [f32; 2], rule| {
            choose_threshold(&labels.map(Label::new), &probabilities, rule)
        };
        assert_eq!(of([1, 1], [0.1, 0.2], ThresholdRule::Youden), None);
        assert_eq!(of([0, 1], [f32::NAN, 0.2], ThresholdRule::Youden), None);
        // No threshold above 0 finds an image of probability 0, and none below 1 passes over one of 1.
        assert_eq!(of([0, 1], [0.5, 0.0], SENSITIVITY(0.9)), None);
        assert_eq!(of([0, 1], [1.0, 0.5], SPECIFICITY(0.9)), None);
    }

    #[test]
    fn a_threshold_has_as_few_digits_as_fit() {
        assert_eq!(between(0.0, 1.0), 0.5);
        assert_eq!(between(0.41, 0.44), 0.43);
        // Not 0.8, which is all but the upper end.
        assert_eq!(between(0.7, 0.800_001), 0.75);
        assert_eq!(between(0.0, 0.004), 0.002);
        let (low, high) = (f64::from(0.999_999_9_f32), 1.0);
        let within = between(low, high);
        assert!(low < within && within < high, "{within}");
    }

    #[test]
    fn rules_are_read_as_they_are_written_and_what_is_none_is_refused() {
        for rule in [ThresholdRule::Youden, SENSITIVITY(0.95), SPECIFICITY(1.0)] {
            assert_eq!(rule.to_string().parse(), Ok(rule));
        }
        for wrong in ["Youden", "sensitivity", "sensitivity=0", "specificity=1.1", "accuracy=0.9", "sensitivity=NaN"] {
            assert!(wrong.parse::<ThresholdRule>().unwrap_err().starts_with("it must be youden, or "), "{wrong}");
        }
    }

    #[test]
    fn of_few_images_without_a_difference_the_optimism_is_large_and_the_same_every_time() {
        // Labels that have nothing to do with the probabilities: sensitivity and specificity of other images
        // add up to 1 at any threshold.
        let labels: Vec<Label> = (0..40).map(|image| Label::new(usize::from(image * 7 % 5 < 2))).collect();
        let mut stream = Stream::new(1, Purpose::Test, 0, 0);
        let probabilities: Vec<f32> = labels.iter().map(|_| stream.unit_f32()).collect();
        let optimism = threshold_optimism(&labels, &probabilities, ThresholdRule::Youden).unwrap();
        let sum = optimism.sensitivity + optimism.specificity;
        assert!((0.05..0.5).contains(&sum), "{optimism:?}");
        assert_eq!(threshold_optimism(&labels, &probabilities, ThresholdRule::Youden), Some(optimism));
        // Where a wide gap parts the classes there is nothing to flatter.
        let parted: Vec<f32> = labels.iter().map(|label| if *label == Label::POSITIVE { 0.9 } else { 0.1 }).collect();
        let none = ThresholdOptimism { sensitivity: 0.0, specificity: 0.0 };
        assert_eq!(threshold_optimism(&labels, &parted, ThresholdRule::Youden), Some(none));
    }

    proptest! {
        #[test]
        fn no_other_threshold_is_better(
            answers in proptest::collection::vec((any::<bool>(), 0u8..12), 2..40),
            least in 0.05..1.0f64,
            other in 0.001..0.999f64,
        ) {
            let labels: Vec<Label> = answers.iter().map(|(label, _)| Label::new(usize::from(*label))).collect();
            let probabilities: Vec<f64> = answers.iter().map(|(_, step)| f64::from(*step) / 11.0).collect();
            for rule in [ThresholdRule::Youden, SENSITIVITY(least), SPECIFICITY(least)] {
                let there = rule.merit(&Confusion::count(&labels, &probabilities, other));
                let both = labels.contains(&Label::NEGATIVE) && labels.contains(&Label::POSITIVE);
                match choose_threshold(&labels, &probabilities, rule) {
                    None => prop_assert!(!both || there.is_none()),
                    Some(threshold) => {
                        prop_assert!(threshold > 0.0 && threshold < 1.0);
                        let here = rule.merit(&Confusion::count(&labels, &probabilities, threshold));
                        prop_assert!(here >= there);
                    }
                }
            }
        }
    }
}
