//! The names of the tensors that a run's state takes beside the weights: what each name begins with.

use crate::optim::Rule;

/// Adam's first moments.
const FIRST_MOMENT: &str = "adam/m/";
/// Adam's second moments.
const SECOND_MOMENT: &str = "adam/v/";
/// SGD's velocities.
const VELOCITY: &str = "sgd/velocity/";
/// The weights of the best epoch.
pub const BEST: &str = "best/";
/// Lists of a value an epoch.
pub const HISTORY: &str = "history/";
/// Lists of a value a step.
pub const STEPS: &str = "steps/";

/// The meaning of the tensors, for those who look into a file.
const LEGEND: [(&str, &str); 6] = [
    (FIRST_MOMENT, "Adam's first moment of each weight"),
    (SECOND_MOMENT, "Adam's second moment of each weight"),
    (VELOCITY, "the velocity that SGD keeps of each weight"),
    (BEST, "the weights of the best epoch, where they are not the last ones"),
    (HISTORY, "a value for each epoch that has ended; early stopping counts the epochs since the lowest val_loss"),
    (STEPS, "a value for each step; their number keys the random numbers of the next"),
];

/// Returns what the names of an optimizer's accumulators begin with, in their order.
pub fn accumulators(rule: &Rule) -> &'static [&'static str] {
    match rule {
        Rule::Adam(_) => &[FIRST_MOMENT, SECOND_MOMENT],
        Rule::Sgd { .. } => &[VELOCITY][..rule.accumulators()],
    }
}

/// Returns the meaning of the tensors of a state with this optimizer.
pub fn legend(rule: &Rule) -> impl Iterator<Item = (&'static str, &'static str)> {
    let kept = accumulators(rule);
    let of_another = [FIRST_MOMENT, SECOND_MOMENT, VELOCITY].into_iter().filter(|prefix| !kept.contains(prefix));
    let of_another: Vec<&str> = of_another.collect();
    LEGEND.into_iter().filter(move |(prefix, _)| !of_another.contains(prefix))
}

/// Returns whether a tensor of this name belongs to a run's state; such names no weight has.
pub fn is_state(name: &str) -> bool {
    LEGEND.iter().any(|(prefix, _)| name.starts_with(prefix))
}
