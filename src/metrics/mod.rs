//! How good the answers are.
//!
//! - [`accuracy`], [`only_answer`]: what can be said whatever the number of classes
//! - [`binary`]: what only two classes have: [`Confusion`], the four counts at a threshold; [`roc_auc`],
//!   [`roc_curve`], how well the order of the probabilities tells the classes apart; [`roc_auc_interval`],
//!   how sure that is, after DeLong; [`choose_threshold`], [`threshold_optimism`], a threshold by what it is
//!   to be good for, and what the choice flatters itself by; [`Assessment`], all figures of one set of
//!   answers
//! - [`multiclass`]: confusion matrix, precision, recall and F1 of each class and their means, top-k
//!   accuracy, ROC AUC of each class against the rest, and all of these of one set of answers
//! - [`multilabel`]: where images may have several labels, the measures of each and their means, and the
//!   share of images with every label right
//! - [`Judged`]: all figures of a set of answers, of two classes or of more, or of labels
//! - [`Calibration`]: whether the probabilities are shares that come true; Brier score, reliability bins
//! - [`wilson`]: how sure a share is
//! - [`RunningMean`]: the mean of an epoch
//!
//! A measure that would divide by zero is `None`.

mod answers;
pub mod binary;
mod calibration;
mod interval;
mod judged;
pub mod multiclass;
pub mod multilabel;
mod running_mean;

pub use answers::{accuracy, only_answer};
pub use binary::{
    Assessment, Confusion, DEFAULT_THRESHOLD, NoAucInterval, RESAMPLINGS, RocPoint, ThresholdOptimism, ThresholdRule,
    choose_threshold, roc_auc, roc_auc_interval, roc_curve, threshold_optimism,
};
pub use calibration::{BINS, Calibration, ReliabilityBin};
pub use interval::{Interval, LEVEL, wilson};
pub use judged::{Judged, positives};
pub use running_mean::RunningMean;
