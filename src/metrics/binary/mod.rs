//! Measures that only two classes have.
//!
//! A label is [`Label::NEGATIVE`](crate::classes::Label::NEGATIVE) or
//! [`Label::POSITIVE`](crate::classes::Label::POSITIVE), and a probability is that of the positive class. An
//! answer is positive when its probability is *strictly* above the threshold, as in Keras; so a NaN counts as
//! negative.

mod assessment;
mod confusion;
mod delong;
mod roc;
mod threshold;

pub use assessment::Assessment;
pub use confusion::{Confusion, DEFAULT_THRESHOLD};
pub use delong::{NoAucInterval, roc_auc_interval};
pub use roc::{RocPoint, roc_auc, roc_curve};
pub use threshold::{RESAMPLINGS, ThresholdOptimism, ThresholdRule, choose_threshold, threshold_optimism};
