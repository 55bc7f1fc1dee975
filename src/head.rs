//! The network's last word: what its logits mean, how wrong they are, and which way is better.
//!
//! | units U | classes | probabilities of a sample | loss of a sample | ∂/∂z |
//! |---|---|---|---|---|
//! | 1 | 2 | p = σ(z), of the positive class | binary cross-entropy, max(z, 0) − z·y + ln(1 + e^−\|z\|) | p − y |
//! | K ≥ 2 | K | p = softmax(z) | categorical cross-entropy, ln Σ e^z − z_label | p − (1 at the label) |
//! | K ≥ 2 | K labels, any number of which an image has | p = σ(z), each by itself | the mean over the units of their binary cross-entropies | (p − y)/K |
//!
//! The last is Keras's `Dense(K, activation="sigmoid")` with `binary_crossentropy`, whose mean goes over the
//! last axis first.
//!
//! Loss and gradient are taken from logits: no logarithm of a rounded 0 and no exponential that overflows.
//! Sums are taken in f64: they are short.
//!
//! Classes may weigh differently. With w the weight of a sample's class, a batch of N has
//!
//! ```text
//! L = Σ w·loss / N        ∂L/∂z = w·(p − y) / N
//! ```
//!
//! where N counts images and not weights: Keras's `class_weight` with its reduction `sum_over_batch_size`.
//! With label smoothing s the target of a class is y·(1 − s) + s/K, where y is 1 for the class that it is,
//! else 0, and K is 2 of one unit (C. Szegedy et al., *Rethinking the Inception Architecture for Computer
//! Vision*, 2016, section 7; Keras's `label_smoothing`): it stands for y in the table above. Of labels K is 2
//! too, as each of them is there or not; and all of them weigh alike. A batch may be
//! cut: with N that of the whole batch, the losses of its parts add up to L, and its parts' gradients of the
//! weights to the whole one.

use crate::classes::{Label, LabelSet};
use crate::kernels::softmax::{Softmax, argmax};
use serde::{Deserialize, Serialize};

/// The logits of a batch, `[N×U]`: a row of U for each image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Logits<'a> {
    values: &'a [f32],
    units: usize,
}

impl<'a> Logits<'a> {
    /// Rows of `units` logits.
    ///
    /// # Panics
    /// If `units` is 0, or the values are not whole rows.
    pub fn new(values: &'a [f32], units: usize) -> Logits<'a> {
        assert!(units > 0 && values.len().is_multiple_of(units), "{} values are no rows of {units}", values.len());
        Logits { values, units }
    }

    /// N.
    pub fn count(&self) -> usize {
        self.values.len() / self.units
    }

    /// U.
    pub fn units(&self) -> usize {
        self.units
    }

    /// All values, row by row.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// The N rows.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &'a [f32]> + use<'a> {
        self.values.chunks_exact(self.units)
    }
}

/// What a sample's loss is multiplied by, by its class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClassWeights(Vec<f64>);

impl ClassWeights {
    /// Every sample counts as one. Products with 1 are exact, so this is the loss without weights to the last
    /// bit.
    pub const NONE: ClassWeights = ClassWeights(Vec::new());

    /// A weight for each class, in order.
    pub fn new(weights: impl Into<Vec<f64>>) -> ClassWeights {
        ClassWeights(weights.into())
    }

    /// n / (K·n_k), with which each of K classes counts for 1/K of the n samples however many it has: the
    /// rule that scikit-learn calls `balanced`. `counts` are the n_k; a class without samples gets weight 1,
    /// which nothing meets.
    pub fn balanced(counts: &[usize]) -> ClassWeights {
        let all: usize = counts.iter().sum();
        let weight = |&count: &usize| if count == 0 { 1.0 } else { all as f64 / (counts.len() * count) as f64 };
        ClassWeights(counts.iter().map(weight).collect())
    }

    /// The weights in order; none where every sample counts as one.
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }

    /// The weight of a sample of this class.
    fn of(&self, label: Label) -> f64 {
        if self.0.is_empty() { 1.0 } else { self.0[label.index()] }
    }
}

/// What the logits of a batch, or of a part of one, are compared with.
#[derive(Clone, Copy, Debug)]
pub struct Targets<'a> {
    /// The class of each image, or where it may have several labels, which combination of them it has: only
    /// that there is one for each counts then.
    pub labels: &'a [Label],
    /// The labels of each image, where it may have several; none else.
    pub sets: &'a [LabelSet],
    /// How much an image of each class counts.
    pub weights: &'a ClassWeights,
    /// s, the share of a target that is spread over all classes; with 0 there is no smoothing, to the last
    /// bit.
    pub smoothing: f64,
    /// N: the images of the whole batch, of which these may be a part.
    pub whole: usize,
}

impl<'a> Targets<'a> {
    /// A whole batch of images of these classes, each of which counts as one.
    pub fn new(labels: &'a [Label]) -> Targets<'a> {
        static NONE: ClassWeights = ClassWeights::NONE;
        Targets { labels, sets: &[], weights: &NONE, smoothing: 0.0, whole: labels.len() }
    }
}

/// The meaning of a network's U logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    units: usize,
    /// True where each unit is that of a label, of which an image may have any number.
    several_labels: bool,
}

impl Head {
    /// The head of a network with this many logits for each image, which tells classes apart.
    ///
    /// # Panics
    /// If there are none.
    pub fn new(units: usize) -> Head {
        assert!(units > 0, "a network answers with one logit at least");
        Head { units, several_labels: false }
    }

    /// The head of a network with a logit for each of this many labels, of which an image may have several.
    ///
    /// # Panics
    /// If there are none.
    pub fn of_labels(units: usize) -> Head {
        Head { several_labels: true, ..Head::new(units) }
    }

    /// Whether each unit is that of a label, of which an image may have any number.
    pub fn has_several_labels(self) -> bool {
        self.several_labels
    }

    /// U.
    pub fn units(self) -> usize {
        self.units
    }

    /// How many classes it tells apart: 2 with one unit, K with K; or how many labels it knows, K.
    pub fn classes(self) -> usize {
        if self.several_labels { self.units } else { self.units.max(2) }
    }

    /// What a row of logits says as probabilities: of one unit that of the positive class, of K one for each
    /// class, or for each label.
    pub fn probabilities(self, logits: &[f32]) -> impl ExactSizeIterator<Item = f32> {
        let softmax = (self.units > 1 && !self.several_labels).then(|| Softmax::new(logits));
        logits.iter().map(move |&z| match &softmax {
            None => sigmoid(f64::from(z)) as f32,
            Some(softmax) => softmax.probability(z) as f32,
        })
    }

    /// The probability of the positive class of two, of an image's [probabilities](Head::probabilities): with
    /// one unit the only one, with two the second.
    ///
    /// # Panics
    /// If there are more classes than two, or labels, or no probability.
    pub fn positive(self, probabilities: &[f32]) -> f32 {
        assert!(!self.several_labels, "of labels none is the positive class");
        assert!(self.units <= 2, "of {} classes none is the positive one", self.units);
        probabilities[self.units - 1]
    }

    /// The class that an image is taken for, of its [probabilities](Head::probabilities). Two classes: the
    /// positive one where its probability is strictly above the threshold, as in Keras, so that a NaN is
    /// negative. More: the most probable, of equals the first, whatever the threshold.
    ///
    /// # Panics
    /// If an image may have [several labels](Head::has_several_labels).
    pub fn decision(self, probabilities: impl IntoIterator<Item = f32>, threshold: f64) -> Label {
        assert!(!self.several_labels, "an image is of no class where it may have several labels");
        let mut probabilities = probabilities.into_iter();
        match self.units {
            units @ (1 | 2) => match probabilities.nth(units - 1) {
                Some(p) if f64::from(p) > threshold => Label::POSITIVE,
                _ => Label::NEGATIVE,
            },
            _ => Label::new(argmax(probabilities)),
        }
    }

    /// The labels that an image is said to have, of its [probabilities](Head::probabilities): those whose
    /// probability is strictly above the threshold, so that a NaN is none.
    ///
    /// # Panics
    /// If the units are not those of [labels](Head::has_several_labels).
    pub fn label_set(self, probabilities: impl IntoIterator<Item = f32>, threshold: f64) -> LabelSet {
        assert!(self.several_labels, "an image is of one class, and has no labels");
        let is_there = |(_, p): &(usize, f32)| f64::from(*p) > threshold;
        probabilities.into_iter().enumerate().filter(is_there).map(|(label, _)| Label::new(label)).collect()
    }

    /// L = Σ w·loss / N, in nats: the mean loss of a batch, or what a part of one adds to it. Not finite
    /// where a logit is not.
    ///
    /// # Panics
    /// If there is not a label for each row of logits, or one is of no class, or a class has no weight; of
    /// labels, if there is not a set for each row, or there are weights.
    pub fn loss(self, logits: Logits, targets: Targets) -> f64 {
        self.check(logits, targets);
        if self.several_labels {
            let rows = logits.rows().zip(targets.sets);
            let sum: f64 = rows.map(|(row, &set)| self.set_loss(row, set, targets.smoothing)).sum();
            return sum / targets.whole as f64;
        }
        let rows = logits.rows().zip(targets.labels);
        let loss = |(row, &label)| targets.weights.of(label) * self.sample_loss(row, label, targets.smoothing);
        let sum: f64 = rows.map(loss).sum();
        sum / targets.whole as f64
    }

    /// Writes ∂L/∂z = w·(p − y)/N for each logit, `[N×U]`.
    ///
    /// # Panics
    /// As [`loss`](Head::loss), and if there is not a row of the gradient for each row of logits.
    pub fn gradient(self, logits: Logits, targets: Targets, gradient: &mut [f32]) {
        self.check(logits, targets);
        assert_eq!(logits.values.len(), gradient.len(), "a gradient for each logit");
        if self.several_labels {
            let rows = logits.rows().zip(targets.sets).zip(gradient.chunks_exact_mut(self.units));
            for ((row, &set), gradient) in rows {
                for (label, (gradient, &z)) in gradient.iter_mut().zip(row).enumerate() {
                    let target = smoothed(set.has(Label::new(label)), targets.smoothing, 2);
                    let slope = (sigmoid(f64::from(z)) - target) / self.units as f64;
                    *gradient = (slope / targets.whole as f64) as f32;
                }
            }
            return;
        }
        let rows = logits.rows().zip(targets.labels).zip(gradient.chunks_exact_mut(self.units));
        for ((row, &label), gradient) in rows {
            let share = |p: f64, y: f64| (targets.weights.of(label) * (p - y) / targets.whole as f64) as f32;
            if let ([z], [gradient]) = (row, &mut *gradient) {
                *gradient = share(sigmoid(f64::from(*z)), self.target(label.index() == 1, targets.smoothing));
                continue;
            }
            let softmax = Softmax::new(row);
            for (class, (gradient, &z)) in gradient.iter_mut().zip(row).enumerate() {
                let target = self.target(class == label.index(), targets.smoothing);
                *gradient = share(softmax.probability(z), target);
            }
        }
    }

    fn check(self, logits: Logits, targets: Targets) {
        assert_eq!(logits.units, self.units, "logits of another network");
        assert_eq!(logits.count(), targets.labels.len(), "a label for each row of logits");
        if self.several_labels {
            assert_eq!(logits.count(), targets.sets.len(), "a set of labels for each row of logits");
            assert!(targets.sets.iter().all(|set| set.is_of(self.units)), "a label beyond the {}", self.units);
            assert!(targets.weights.0.is_empty(), "labels weigh alike");
            return;
        }
        assert!(targets.sets.is_empty(), "an image is of one class, and has several labels");
        let known = targets.labels.iter().all(|label| label.index() < self.classes());
        assert!(known, "a label beyond the {} classes", self.classes());
    }

    fn sample_loss(self, logits: &[f32], label: Label, smoothing: f64) -> f64 {
        if let [z] = logits {
            return binary_cross_entropy(f64::from(*z), self.target(label.index() == 1, smoothing));
        }
        let softmax = Softmax::new(logits);
        let right = softmax.loss(logits[label.index()]);
        if smoothing == 0.0 {
            return right;
        }
        // −Σ target·ln p = (1 − s)·(−ln p of the label) + s · the mean of −ln p over all classes
        let all: f64 = logits.iter().map(|&z| softmax.loss(z)).sum();
        (1.0 - smoothing) * right + smoothing * all / self.units as f64
    }

    /// The mean over the units of the binary cross-entropy of each label.
    fn set_loss(self, logits: &[f32], set: LabelSet, smoothing: f64) -> f64 {
        let one = |(label, &z): (usize, &f32)| {
            binary_cross_entropy(f64::from(z), smoothed(set.has(Label::new(label)), smoothing, 2))
        };
        logits.iter().enumerate().map(one).sum::<f64>() / self.units as f64
    }

    /// The target of a class that the image is of, or not.
    fn target(self, is_right: bool, smoothing: f64) -> f64 {
        smoothed(is_right, smoothing, self.classes())
    }
}

/// y·(1 − s) + s/K, the target of one of K answers, which is right or not.
fn smoothed(is_right: bool, smoothing: f64, answers: usize) -> f64 {
    f64::from(u8::from(is_right)) * (1.0 - smoothing) + smoothing / answers as f64
}

/// σ(z) = 1/(1 + e⁻ᶻ), without overflow.
pub fn sigmoid(z: f64) -> f64 {
    if z >= 0.0 {
        1.0 / (1.0 + (-z).exp())
    } else {
        let e = z.exp();
        e / (1.0 + e)
    }
}

/// −y·ln σ(z) − (1 − y)·ln(1 − σ(z)).
fn binary_cross_entropy(z: f64, y: f64) -> f64 {
    // `f64::max` would turn a NaN into 0; a comparison keeps it.
    let positive_part = if z < 0.0 { 0.0 } else { z };
    positive_part - z * y + (-z.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests;
