//! Which images train and which validate, as Keras's `validation_split` parts them: class by class, with
//!
//! ```text
//! k = int(fraction · n)        n files of the class, the product in f64, cut towards zero
//! validation = files[..k]      training = files[k..]
//! ```
//!
//! The cut falls where Keras's does even if the product is not exact: of 100 files, 0.29 takes 28. Every
//! class keeps at least one image to train on, because even the largest fraction below 1, 1 − 2⁻⁵³, times n
//! rounds to less than n.
//!
//! Where images may have several labels, each combination of them is parted so, and a few more validate,
//! until each label has about its share.
//!
//! Where files come in groups that must not be split, whole groups are [dealt](super::stratify) so that
//! the numbers come near these.

use super::catalog::{Catalog, Item, class_counts};
use super::groups::Groups;
use super::part::GivenPart;
use super::source::Source;
use super::stratify::stratify;
use crate::classes::{Classes, Label};
use crate::error::{counted, shortened, some_of};
use crate::{Error, Result};
use std::collections::BTreeSet;

/// The two parts of a set.
#[derive(Clone, Debug)]
pub struct Split {
    /// The images to train on, class by class.
    pub training: Vec<Item>,
    /// The images to validate on, class by class.
    pub validation: Vec<Item>,
    /// What is odd about the parts, in sentences for the person who chose them.
    pub notes: Vec<String>,
}

impl Split {
    /// Parts each class of the catalog; `validation_split` is the fraction, in [0, 1), that validates.
    ///
    /// # Errors
    /// [`Error::Setting`] if the fraction is outside [0, 1).
    pub fn new(catalog: &Catalog, validation_split: f64) -> Result<Split> {
        check_fraction(validation_split)?;
        if catalog.combinations.is_some() {
            let validate = validating(catalog, validation_split);
            return Ok(Split::by_part(catalog, |index| validate[index]));
        }
        let mut split = Split { training: Vec::new(), validation: Vec::new(), notes: Vec::new() };
        for (label, class) in catalog.classes.labels().zip(catalog.classes.names()) {
            let files: Vec<Item> = catalog.items.iter().filter(|item| item.label == label).cloned().collect();
            let count = (validation_split * files.len() as f64) as usize;
            if count == 0 && validation_split > 0.0 {
                split.notes.push(format!(
                    "{validation_split} of the {} of {class} is less than one, so none of them validates",
                    counted(files.len(), "image")
                ));
            }
            let (validation, training) = files.split_at(count);
            split.validation.extend_from_slice(validation);
            split.training.extend_from_slice(training);
        }
        Ok(split)
    }

    /// The images of the first set train, and those of a further one validate; the catalog is of both
    /// ([`Catalog::join`]).
    ///
    /// # Errors
    /// [`Error::Setting`] if images of one group are in both, where there are groups, as none may be split.
    pub fn by_set(catalog: &Catalog, groups: Option<&Groups>) -> Result<Split> {
        let split = Split::by_part(catalog, |index| catalog.items[index].set.is_some());
        match groups.map(|groups| on_both_sides(catalog, groups, |item| item.set.is_some())).as_deref() {
            None | Some([]) => Ok(split),
            Some(both) => {
                let reason = format!("{}; take each out of one of them", both_sides_in_words(both));
                Err(Error::setting("group_regex", reason))
            }
        }
    }

    /// The images train and validate of which the data, which are in `source`, tell so.
    ///
    /// # Errors
    /// [`Error::Data`] if no image of some class trains, or images of one group are in both parts, where
    /// there are groups.
    pub fn given(catalog: &Catalog, source: &Source, groups: Option<&Groups>) -> Result<Split> {
        let validates = |item: &Item| source.part(item.entry) == Some(GivenPart::Validation);
        let split = Split::by_part(catalog, |index| validates(&catalog.items[index]));
        if let Some(missing) = catalog.missing(&split.training) {
            let reason = format!("no image {missing} is in its training part; mend the labels");
            return Err(Error::data(source.path(), reason));
        }
        match groups.map(|groups| on_both_sides(catalog, groups, validates)).as_deref() {
            None | Some([]) => Ok(split),
            Some(both) => {
                let reason = format!("{}; give each group one part", both_sides_in_words(both));
                Err(Error::data(source.path(), reason))
            }
        }
    }

    /// All images train, and none validates.
    pub fn all_train(catalog: &Catalog) -> Split {
        Split::by_part(catalog, |_| false)
    }

    /// Parts the catalog so that all images of a group are on one side. Of each class as nearly int(fraction
    /// · n) images validate as whole groups allow; which groups these are, the seed decides.
    ///
    /// # Errors
    /// [`Error::Setting`] if the fraction is outside [0, 1), or if no image of some class would be left to
    /// train on.
    pub fn grouped(catalog: &Catalog, validation_split: f64, groups: &Groups, seed: u64) -> Result<Split> {
        check_fraction(validation_split)?;
        let counts = groups.counts(catalog);
        let all = strata_counts(catalog);
        let wanted: Vec<usize> = all.iter().map(|&count| (validation_split * count as f64) as usize).collect();
        let validates = wanted.iter().map(|&count| count as f64).collect();
        let trains = all.iter().zip(&wanted).map(|(all, wanted)| (all - wanted) as f64).collect();
        let part_of = match wanted.iter().all(|&count| count == 0) {
            true => vec![1; groups.len()],
            false => stratify(&counts, &[validates, trains], seed),
        };
        let mut split = Split::by_part(catalog, |index| part_of[groups.of(index)] == 0);
        if let Some(missing) = catalog.missing(&split.training) {
            let missing = missing.replacen("of the class ", "of ", 1);
            let reason = format!(
                "where {validation_split} of each class is to validate, no image {missing} is left to train on; make the share \
                 smaller, or the groups"
            );
            return Err(Error::setting("group_regex", reason));
        }
        let got = catalog.label_counts(&split.validation);
        if got != wanted[..got.len()] {
            let classes = catalog.answers();
            split.notes.push(off_the_share(classes, validation_split, &all, &wanted, &got));
        }
        Ok(split)
    }

    /// The split in which the items of the catalog validate whose index `validates` says so.
    pub(super) fn by_part(catalog: &Catalog, validates: impl Fn(usize) -> bool) -> Split {
        let mut split = Split { training: Vec::new(), validation: Vec::new(), notes: Vec::new() };
        for (index, item) in catalog.items.iter().enumerate() {
            let part = if validates(index) { &mut split.validation } else { &mut split.training };
            part.push(item.clone());
        }
        split
    }
}

/// How many images of a catalog count for each stratum.
fn strata_counts(catalog: &Catalog) -> Vec<usize> {
    let mut counts = catalog.label_counts(&catalog.items);
    if catalog.combinations.is_some() {
        counts.push(catalog.items.len());
    }
    counts
}

/// Whether each image of a catalog validates whose images may have several labels: of each combination
/// int(fraction · n), the first ones, as of a class. Many have so few images that this leaves out most of
/// what should validate. So one more of a combination validates where that brings the labels, and the whole,
/// nearer to their share; those that were cut off most go first, and the last image of a label trains.
fn validating(catalog: &Catalog, validation_split: f64) -> Vec<bool> {
    let all = strata_counts(catalog);
    let mut missing: Vec<f64> = all.iter().map(|&count| (validation_split * count as f64).floor()).collect();
    let mut train = all.clone();
    let combinations = class_counts(&catalog.items, &catalog.classes);
    let mut first = 0;
    // Of each combination the index of its first image, how many validate, and what was cut off.
    let mut parts: Vec<(usize, usize, f64)> = Vec::new();
    for &count in &combinations {
        let share = validation_split * count as f64;
        parts.push((first, share as usize, share.fract()));
        first += count;
    }
    for &(first, count, _) in parts.iter().filter(|(_, count, _)| *count > 0) {
        for stratum in catalog.strata(&catalog.items[first]) {
            missing[stratum] -= count as f64;
            train[stratum] -= count;
        }
    }
    // Sorting keeps the order of equals.
    let mut order: Vec<usize> = (0..parts.len()).filter(|&place| parts[place].2 > 0.0).collect();
    order.sort_by(|&a, &b| parts[b].2.total_cmp(&parts[a].2));
    for place in order {
        let strata = catalog.strata(&catalog.items[parts[place].0]);
        // What (missing / n)² becomes less by, over all strata.
        let gain: f64 =
            strata.iter().map(|&stratum| (2.0 * missing[stratum] - 1.0) / (all[stratum] as f64).powi(2)).sum();
        if gain > 0.0 && strata.iter().all(|&stratum| train[stratum] > 1) {
            parts[place].1 += 1;
            for stratum in strata {
                missing[stratum] -= 1.0;
                train[stratum] -= 1;
            }
        }
    }
    parts
        .iter()
        .zip(&combinations)
        .flat_map(|(&(_, validate, _), &count)| (0..count).map(move |place| place < validate))
        .collect()
}

/// Returns the groups that have images among those that validate and among the others.
fn on_both_sides<'a>(catalog: &Catalog, groups: &'a Groups, validates: impl Fn(&Item) -> bool) -> Vec<&'a str> {
    let names_in = |side: bool| {
        let items = catalog.items.iter().enumerate().filter(|(_, item)| validates(item) == side);
        items.map(|(index, _)| groups.name_of(index)).collect::<BTreeSet<&str>>()
    };
    names_in(true).intersection(&names_in(false)).copied().collect()
}

fn both_sides_in_words(groups: &[&str]) -> String {
    format!(
        "groups that stand on both sides, among the images that train and those that validate: {}",
        some_of(groups.iter().map(|name| shortened(name)))
    )
}

/// Tells how many images of the classes validate, where that is not the share that was asked for: of two
/// classes both, of more those that are off.
fn off_the_share(classes: &Classes, validation_split: f64, all: &[usize], wanted: &[usize], got: &[usize]) -> String {
    let told = |label: Label| {
        let (got, all) = (got[label.index()], all[label.index()]);
        format!("{got} of {} of {} ({:.4})", counted(all, "image"), &classes[label], got as f64 / all as f64)
    };
    if classes.count() == 2 {
        let [first, second] = [Label::NEGATIVE, Label::POSITIVE].map(told);
        let [of_first, of_second] = [wanted[0], wanted[1]];
        return format!(
            "Groups stay whole, so {first} and {second} validate, where {validation_split} of each would be {of_first} and \
             {of_second}"
        );
    }
    let off = classes.labels().filter(|label| got[label.index()] != wanted[label.index()]);
    let off = some_of(off.map(|label| format!("{}, not {}", told(label), wanted[label.index()])));
    format!("Groups stay whole, so not just {validation_split} of every class validates; off are {off}")
}

fn check_fraction(validation_split: f64) -> Result<()> {
    match (0.0..1.0).contains(&validation_split) {
        true => Ok(()),
        false => {
            Err(Error::value("validation_split", validation_split, "it must be a fraction, at least 0 and below 1"))
        }
    }
}
