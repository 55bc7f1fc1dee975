//! The optimizer's step of one weight, number by number.
//!
//! The formulas are those of [`optim`](crate::optim), in `f64` from the snapshot's `f32`.

use super::moment::Moment;
use super::weight::Weight;
use crate::optim::{AdamConstants, Rule};
use crate::snapshot::Snapshot;

/// The numbers of a weight's step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Update {
    /// g = ∂L/∂w, as the backward pass gave it.
    pub gradient: f32,
    /// The gradient that the optimizer took: g, or what clipping left of it.
    pub used: f32,
    /// w before the step.
    pub before: f32,
    /// w after it, as the engine has it.
    pub after: f32,
    /// What the rule did.
    pub rule: RuleNumbers,
    /// What the weight decay took from w: learning rate · W · w.
    pub decay: f64,
    /// w after the step by the formulas.
    pub computed: f64,
}

/// The numbers of the rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RuleNumbers {
    /// Adam.
    Adam {
        /// The two moments before the step.
        before: [f32; 2],
        /// m and v after it.
        after: [f64; 2],
        /// α = learning rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ).
        alpha: f64,
    },
    /// Stochastic gradient descent.
    Sgd {
        /// The velocity before the step; none without momentum.
        before: Option<f32>,
        /// The velocity after it.
        after: f64,
    },
}

impl Moment<'_> {
    /// Returns the numbers of a weight's step.
    pub fn update(&self, weight: &Weight) -> Update {
        let tensor = &weight.tensor;
        let at = |name: String| self.snapshot.floats(&name).map(|values| values[weight.element]);
        let kept = |name: String| at(name).expect("a snapshot keeps it");
        let gradient = kept(format!("gradient/{tensor}"));
        let used = at(format!("clipped/{tensor}")).unwrap_or(gradient);
        let [before, after] = ["before", "after"].map(|when| kept(format!("{when}/{tensor}")));
        let (g, w) = (f64::from(used), f64::from(before));
        let rate = self.snapshot.learning_rate();
        let decay = rate * self.optimizer.weight_decay * w;
        let (rule, moved) = match self.optimizer.rule {
            Rule::Adam(AdamConstants { beta_1, beta_2, epsilon }) => {
                let moments = ["m", "v"].map(|moment| kept(format!("before/adam/{moment}/{tensor}")));
                let [m, v] = moments.map(f64::from);
                let (m, v) = (m + (g - m) * (1.0 - beta_1), v + (g * g - v) * (1.0 - beta_2));
                let t = self.snapshot.facts().step as f64;
                let alpha = rate * (1.0 - beta_2.powf(t)).sqrt() / (1.0 - beta_1.powf(t));
                (RuleNumbers::Adam { before: moments, after: [m, v], alpha }, -alpha * m / (v.sqrt() + epsilon))
            }
            Rule::Sgd { momentum, nesterov } => {
                let velocity = at(format!("before/sgd/velocity/{tensor}"));
                let after = momentum * f64::from(velocity.unwrap_or(0.0)) - rate * g;
                let moved = if nesterov { momentum * after - rate * g } else { after };
                (RuleNumbers::Sgd { before: velocity, after }, moved)
            }
        };
        Update { gradient, used, before, after, rule, decay, computed: w - decay + moved }
    }
}

/// Returns Σ g·Δw over all weights: how far the loss would fall if it were a plane.
pub fn promised(snapshot: &Snapshot) -> f64 {
    let gradients = snapshot.tensors().iter().filter_map(|tensor| tensor.name.strip_prefix("gradient/"));
    let of_tensor = |name: &str| {
        let [gradient, before, after] =
            [snapshot.gradient(name), snapshot.before(name), snapshot.after(name)].map(|floats| floats.unwrap_or(&[]));
        let moved = before.iter().zip(after).map(|(before, after)| f64::from(*after) - f64::from(*before));
        gradient.iter().zip(moved).map(|(gradient, moved)| f64::from(*gradient) * moved).sum::<f64>()
    };
    gradients.map(of_tensor).sum()
}
