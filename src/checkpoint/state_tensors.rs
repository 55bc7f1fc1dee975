//! The names of the tensors that a run's state takes beside the weights: what each name begins with.

/// Adam's first moments.
pub const FIRST_MOMENT: &str = "adam/m/";
/// Adam's second moments.
pub const SECOND_MOMENT: &str = "adam/v/";
/// The weights of the best epoch.
pub const BEST: &str = "best/";
/// Lists of a value an epoch.
pub const HISTORY: &str = "history/";
/// Lists of a value a step.
pub const STEPS: &str = "steps/";

/// The meaning of the tensors, for those who look into the file.
pub const LEGEND: [(&str, &str); 5] = [
    (FIRST_MOMENT, "Adam's first moment of each weight"),
    (SECOND_MOMENT, "Adam's second moment of each weight"),
    (BEST, "the weights of the best epoch, where they are not the last ones"),
    (HISTORY, "a value for each epoch that has ended; early stopping counts the epochs since the lowest val_loss"),
    (STEPS, "a value for each step; their number keys the random numbers of the next"),
];

/// Returns whether a tensor of this name belongs to a run's state; such names no weight has.
pub fn is_state(name: &str) -> bool {
    LEGEND.iter().any(|(prefix, _)| name.starts_with(prefix))
}
