//! How good the answers are.
//!
//! - [`Confusion`]: the four counts at a threshold; accuracy, sensitivity, specificity
//! - [`roc_auc`], [`roc_curve`]: how well the order of the probabilities tells the classes apart
//! - [`roc_auc_interval`]: how sure that is, after DeLong
//! - [`Calibration`]: whether the probabilities are shares that come true; Brier score, reliability bins
//! - [`wilson`]: how sure a share is
//! - [`Assessment`]: all of these of one set of answers
//! - [`RunningMean`]: the mean of an epoch
//!
//! Throughout, a label is 0 or 1, a probability is P(class 1), and **positive** means the class with index 1.
//! An answer is positive when its probability is *strictly* above the threshold, as in Keras; so a NaN counts
//! as negative. A measure that would divide by zero is `None`.

mod assessment;
mod calibration;
mod confusion;
mod delong;
mod interval;
mod roc;
mod running_mean;

pub use assessment::Assessment;
pub use calibration::{BINS, Calibration, ReliabilityBin};
pub use confusion::{Confusion, DEFAULT_THRESHOLD, accuracy};
pub use delong::{NoAucInterval, roc_auc_interval};
pub use interval::{Interval, LEVEL, wilson};
pub use roc::{RocPoint, roc_auc, roc_curve};
pub use running_mean::RunningMean;
