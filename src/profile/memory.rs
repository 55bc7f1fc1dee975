//! The memory of a training run, purpose by purpose, and the most that the process has held.

use super::model::Purpose;
use crate::data::batches::{BATCHES_AHEAD, Loader};
use crate::plan::Plan;
use crate::training::TrainingState;

/// What the memory of a training is for; the largest first.
pub fn purposes(plan: &Plan, state: &TrainingState, training: &Loader) -> Vec<Purpose> {
    let parameters = 4 * plan.network().table().parameter_count();
    let [height, width, channels] = plan.network().spec().input;
    let batch = training.largest_batch() * height * width * channels;
    let mut purposes = vec![
        ("weights", parameters),
        ("gradients of the weights", parameters),
        ("optimizer's accumulators", state.optimizer.accumulators().len() * parameters),
        ("weights of the best epoch", state.best.as_ref().map_or(0, |_| parameters)),
        ("decoded pictures that are kept", training.kept_bytes()),
        ("the batch at work", 4 * batch),
        ("pictures decoded ahead", if training.has_files() { BATCHES_AHEAD * batch } else { 0 }),
    ];
    purposes.extend(plan.workspace_purposes());
    purposes.retain(|&(_, bytes)| bytes > 0);
    purposes.sort_by_key(|&(_, bytes)| std::cmp::Reverse(bytes));
    purposes.into_iter().map(|(purpose, bytes)| Purpose { purpose: purpose.to_string(), bytes: bytes as u64 }).collect()
}

/// Forgets the most that the process has held so far, where the system can: what was measured before the
/// training is not the training's.
pub fn forget_peak() {
    // 5 resets the mark of `VmHWM`, as proc(5) has it. Where that fails the mark is older, and higher.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The most that the process has held, in bytes, where the system tells.
pub fn peak_bytes() -> Option<u64> {
    // A line such as `VmHWM:    112640 kB`.
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let number = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix("kB")?;
    Some(number.trim().parse::<u64>().ok()? * 1024)
}
