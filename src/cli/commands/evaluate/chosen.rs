//! `evaluate --choose-threshold`: a threshold chosen on the validation part, and its price.

use super::answered::{AnswerOptions, Answered};
use super::subset::Subset;
use crate::cli::args::{EvaluateArgs, SubsetChoice, is_given};
use crate::cli::input::predictor::Predictor;
use crate::cli::terminal::console::aligned;
use glassnet::checkpoint::Checkpoint;
use glassnet::classes::Label;
use glassnet::data::left_out::LeftOut;
use glassnet::data::source::Source;
use glassnet::head::Head;
use glassnet::metrics::{
    Confusion, Interval, LEVEL, RESAMPLINGS, ThresholdOptimism, ThresholdRule, choose_threshold, positives,
    threshold_optimism, wilson,
};
use glassnet::report::evaluation::{number, range};
use glassnet::{Error, Result};
use serde_json::{Value, json};
use std::sync::Arc;

/// The flag.
pub const CHOOSE_THRESHOLD: &str = "--choose-threshold";

/// A threshold that was chosen, and what it costs.
pub struct ChosenThreshold {
    rule: ThresholdRule,
    pub threshold: f64,
    /// The model's own, beside which it stands.
    before: f64,
    /// The four counts on the images that it was chosen on, at both.
    confusion: Confusion,
    confusion_before: Confusion,
    optimism: Option<ThresholdOptimism>,
    /// On the images that the data keep for a test, where they do.
    pub test: Option<OnTest>,
}

/// The test part at the chosen threshold.
pub struct OnTest {
    confusion: Confusion,
    /// Images without an answer.
    pub failed: Vec<Value>,
    pub left_out: Vec<LeftOut>,
}

/// The images that are judged: those that `--subset` names, or of a threshold that is chosen, those on which
/// that may be.
///
/// # Errors
/// [`Error::Setting`] of `--subset`, where others are asked for.
pub fn subset_choice(args: &EvaluateArgs) -> Result<SubsetChoice> {
    match args.choose_threshold {
        Some(_) if is_given("--subset") && args.subset != SubsetChoice::Validation => {
            let reason = format!(
                "{CHOOSE_THRESHOLD} chooses on the validation part, as other images trained the model or are kept to judge it; leave \
                 it out"
            );
            Err(Error::setting("--subset", reason))
        }
        Some(_) => Ok(SubsetChoice::Validation),
        None => Ok(args.subset),
    }
}

impl ChosenThreshold {
    /// Chooses by the rule, on these answers to the validation part of the images in the source.
    ///
    /// # Errors
    /// [`Error::Setting`] of `--choose-threshold`, where no threshold can be chosen.
    ///
    /// # Panics
    /// If there are more than two classes.
    pub fn choose(rule: ThresholdRule, model: &Checkpoint, head: Head, answered: &Answered) -> Result<ChosenThreshold> {
        let (labels, probabilities) = (&answered.labels, positives(head, &answered.probabilities));
        let Some(threshold) = choose_threshold(labels, &probabilities, rule) else {
            let count = |class: usize| labels.iter().filter(|label| label.index() == class).count();
            let reason = match [count(0), count(1)] {
                [0, _] | [_, 0] => {
                    let missing = &model.card.classes[if count(0) == 0 { Label::NEGATIVE } else { Label::POSITIVE }];
                    format!(
                        "the validation part has no image of {missing} that was answered, and both classes are needed"
                    )
                }
                _ => "no threshold above 0 and below 1 reaches it on the validation part; ask for less".to_string(),
            };
            return Err(Error::value(CHOOSE_THRESHOLD, rule, reason));
        };
        let before = model.card.threshold;
        let [confusion, confusion_before] =
            [threshold, before].map(|threshold| Confusion::count(labels, &probabilities, threshold));
        let optimism = threshold_optimism(labels, &probabilities, rule);
        Ok(ChosenThreshold { rule, threshold, before, confusion, confusion_before, optimism, test: None })
    }

    /// Judges the threshold on the test part.
    ///
    /// # Errors
    /// Those of [`Answered::all`].
    pub fn judge_on_test(
        &mut self,
        network: &mut Predictor,
        source: &Arc<Source>,
        test: &Subset,
        wanted: AnswerOptions,
    ) -> Result<()> {
        let answered = Answered::all(network, source, &test.items, wanted)?;
        let probabilities = positives(network.head(), &answered.probabilities);
        self.test = Some(OnTest {
            confusion: Confusion::count(&answered.labels, &probabilities, self.threshold),
            failed: answered.failed,
            left_out: answered.left_out,
        });
        Ok(())
    }

    /// The choice, in a phrase.
    pub fn fact(&self) -> String {
        format!("{}, chosen on these very images: {}", self.threshold, self.rule.description())
    }

    /// The price as a table, and what to think of it.
    pub fn lines(&self, [negative, positive]: [&str; 2]) -> Vec<String> {
        let first = ["threshold", "", "sensitivity", "95 % interval", "specificity", "95 % interval", "wrong"];
        let mut rows = vec![first.map(str::to_string).to_vec()];
        let row = |threshold: f64, on: &str, confusion: &Confusion| {
            let share = |value: Option<f64>| value.map_or("undefined".to_string(), number);
            let interval = |interval: Option<Interval>| interval.map_or(String::new(), range);
            let Confusion { true_positive, true_negative, false_positive, false_negative } = *confusion;
            let [positives, negatives] = [confusion.positives(), confusion.negatives()];
            vec![
                threshold.to_string(),
                on.to_string(),
                share(confusion.sensitivity()),
                interval(wilson(true_positive, positives)),
                share(confusion.specificity()),
                interval(wilson(true_negative, negatives)),
                format!(
                    "{false_negative} of {positives} '{positive}' missed, {false_positive} of {negatives} '{negative}' taken for \
                     '{positive}'"
                ),
            ]
        };
        rows.push(row(self.before, "validation, as before", &self.confusion_before));
        rows.push(row(self.threshold, "validation", &self.confusion));
        if let Some([sensitivity, specificity]) = self.without_optimism() {
            let [sensitivity, specificity] = [sensitivity, specificity].map(number);
            let on = "validation, less optimism".to_string();
            let none = String::new;
            rows.push(vec![self.threshold.to_string(), on, sensitivity, none(), specificity]);
        }
        rows.extend(self.test.as_ref().map(|test| row(self.threshold, "test", &test.confusion)));
        aligned(&rows).into_iter().chain(self.notes()).collect()
    }

    /// Sensitivity and specificity less what the choice flatters them by.
    fn without_optimism(&self) -> Option<[f64; 2]> {
        let ThresholdOptimism { sensitivity, specificity } = self.optimism?;
        let less = |share: Option<f64>, optimism: f64| Some((share? - optimism).clamp(0.0, 1.0));
        Some([less(self.confusion.sensitivity(), sensitivity)?, less(self.confusion.specificity(), specificity)?])
    }

    /// Notes on how far the figures can be trusted.
    fn notes(&self) -> Vec<String> {
        let by = self.optimism.map_or(String::new(), |ThresholdOptimism { sensitivity, specificity }| {
            let [sensitivity, specificity] = [sensitivity, specificity].map(told);
            format!(
                ", by about {sensitivity} of the sensitivity and {specificity} of the specificity, as {RESAMPLINGS} resamplings \
                 tell (Efron, 1983)"
            )
        });
        let judge = match &self.test {
            Some(_) => "The test part had no say in it.".to_string(),
            None => {
                format!(
                    "Other images judge it without that: glassnet evaluate MODEL DATA --threshold {}",
                    self.threshold
                )
            }
        };
        vec![format!("The threshold was chosen on the very images that it is judged on, which flatters it{by}."), judge]
    }

    /// The same as an object.
    pub fn json(&self) -> Value {
        let judged = |threshold: f64, confusion: &Confusion| {
            json!({
                "threshold": threshold,
                "confusion": confusion,
                "sensitivity": confusion.sensitivity(),
                "specificity": confusion.specificity(),
                "intervals": {
                    "level": LEVEL,
                    "sensitivity": wilson(confusion.true_positive, confusion.positives()),
                    "specificity": wilson(confusion.true_negative, confusion.negatives()),
                },
            })
        };
        json!({
            "rule": self.rule.to_string(),
            "threshold": self.threshold,
            "before": judged(self.before, &self.confusion_before),
            "validation": judged(self.threshold, &self.confusion),
            "optimism": self.optimism.map(|optimism| json!({
                "sensitivity": optimism.sensitivity,
                "specificity": optimism.specificity,
                "resamplings": RESAMPLINGS,
            })),
            "test": self.test.as_ref().map(|test| judged(self.threshold, &test.confusion)),
            "notes": self.notes(),
        })
    }
}

/// A small difference with four decimals; one that is none at all has no sign.
fn told(difference: f64) -> String {
    number((difference * 1e4).round() / 1e4 + 0.0)
}
