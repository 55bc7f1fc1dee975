//! The set parted for K-fold cross-validation: K splits, in which every image validates once and trains K − 1
//! times.
//!
//! The folds are stratified: each has its share of every class, [as nearly](super::stratify) as whole
//! groups allow.

use super::catalog::Catalog;
use super::groups::Groups;
use super::split::Split;
use super::stratify::stratify;
use crate::error::counted;
use crate::{Error, Result};

/// Returns the splits of the folds, first to last; the seed decides which images, or which groups, are in
/// which.
///
/// # Errors
/// [`Error::Setting`] if K is less than 2, or if a fold would have no image of some class to validate on:
/// where a class has fewer than K images, or is in fewer than K groups, or the groups are so unequal that the
/// dealing does not reach every fold.
pub fn folds(catalog: &Catalog, k: usize, groups: &Groups, seed: u64) -> Result<Vec<Split>> {
    let refuse = |reason: String| Err(Error::value("folds", k, reason));
    if catalog.combinations.is_some() {
        return refuse(
            "each fold validates on every class, and here an image may have several labels; leave it out".into(),
        );
    }
    if k < 2 {
        return refuse("one part trains and another validates, so there are at least 2 folds".to_string());
    }
    let (all, counts) = (catalog.counts(), groups.counts(catalog));
    let every = if all.len() == 2 { "both classes" } else { "every class" };
    for (label, class) in catalog.classes.labels().zip(catalog.classes.names()) {
        if all[label.index()] < k {
            return refuse(format!(
                "each fold validates on {every}, and {class} has {}; use fewer folds",
                counted(all[label.index()], "image")
            ));
        }
        let holding = counts.iter().filter(|counts| counts.of(label.index()) > 0).count();
        if holding < k {
            return refuse(format!(
                "each fold validates on {every}, and {class} is in {}, and a group stays whole; use fewer folds",
                counted(holding, "group")
            ));
        }
    }
    let share: Vec<f64> = all.iter().map(|&count| count as f64 / k as f64).collect();
    let fold_of = stratify(&counts, &vec![share; k], seed);
    let splits: Vec<Split> =
        (0..k).map(|fold| Split::by_part(catalog, |index| fold_of[groups.of(index)] == fold)).collect();
    for (fold, split) in splits.iter().enumerate() {
        for (label, class) in catalog.classes.labels().zip(catalog.classes.names()) {
            if !split.validation.iter().any(|item| item.label == label) {
                let fold = fold + 1;
                return refuse(format!(
                    "fold {fold} would have no image of {class}, as groups stay whole; use fewer folds"
                ));
            }
        }
    }
    Ok(splits)
}
