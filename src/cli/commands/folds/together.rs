//! The check that folds are those of one cross-validation, each once and none missing.

use super::finished_fold::{FinishedFold, VALIDATION};
use crate::cli::run::resume::difference::{Difference, changes_in_words, first_difference};
use crate::cli::run_folder::identity::identity;
use crate::cli::terminal::console;
use glassnet::error::{and, shortened};
use glassnet::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

/// The keys of the data that are each fold's own, or told by its files one by one.
const OWN_DATA: [&str; 5] = ["sha256", "training_images", "validation_images", "range", "skipped_images"];

/// Checks folds in the order of their numbers.
///
/// # Errors
/// [`Error::Setting`] names the first fold that is there twice, the missing ones, or what differs between
/// two; [`Error::Data`] of a `split.csv` that is no fold's.
pub fn check_together(folds: &[FinishedFold]) -> Result<()> {
    let fail = |reason: String| Err(Error::setting("DIR", reason));
    let Some((first, others)) = folds.split_first() else { return fail("there is no fold; give some".into()) };
    let of = first.fold.of;
    if let Some(other) = others.iter().find(|other| other.fold.of != of) {
        let [a, b] = [first, other].map(|fold| fold.folder.display());
        return fail(format!(
            "{a} is a fold of {of}, and {b} is one of {}; give folds of one cross-validation",
            other.fold.of
        ));
    }
    if let Some([a, b]) = folds.windows(2).find(|pair| pair[0].fold.number == pair[1].fold.number) {
        let (number, a, b) = (a.fold.number, a.folder.display(), b.folder.display());
        return fail(format!("fold {number} of {of} is there twice, in {a} and in {b}; give one of them"));
    }
    let there: BTreeSet<usize> = folds.iter().map(|fold| fold.fold.number).collect();
    let missing: Vec<String> = (1..=of).filter(|number| !there.contains(number)).map(|n| n.to_string()).collect();
    if let Some(number) = missing.first() {
        let (folds, are, them) = if missing.len() == 1 { ("fold", "is", "it") } else { ("folds", "are", "them") };
        let numbers = and(missing.iter().map(String::as_str));
        return fail(format!(
            "{folds} {numbers} of {of} {are} missing; give {them} too, or train {them} first, as with train --folds {of} \
             --only-fold {number}"
        ));
    }
    others.iter().try_for_each(|other| check_same(first, other))?;
    check_each_validates_once(folds)
}

/// Checks whether two folds were trained on the same files with the same settings.
fn check_same(first: &FinishedFold, other: &FinishedFold) -> Result<()> {
    let [a, b] = [first, other].map(|fold| fold.folder.display());
    let fail = |reason: String| Err(Error::setting("DIR", format!("{reason}; give folds of one cross-validation")));
    let hashes = |fold: &FinishedFold| -> BTreeMap<String, String> {
        fold.files.iter().map(|line| (line.file.clone(), line.sha256.clone())).collect()
    };
    if let Some(changes) = changes_in_words(&hashes(first), &hashes(other)) {
        return fail(format!("the images of {b} are not those of {a}: {changes}"));
    }
    let [was, now] = [first, other].map(|fold| Value::Table(shared(&fold.config)));
    match first_difference("", &was, &now) {
        None => Ok(()),
        Some(Difference { path, was, now }) => {
            let path = path.trim_start_matches('.');
            let key = path.strip_prefix("settings.").unwrap_or(path);
            fail(format!("{b} was trained with {key} = {now}, and {a} with {key} = {was}"))
        }
    }
}

/// The part that all folds of a cross-validation have in common, of a fold's `config.toml`. Other than for a
/// run that goes on, the number of epochs is among it.
fn shared(config: &Table) -> Table {
    let mut shared = identity(config);
    let epochs = config.get("settings").and_then(|settings| settings.get("epochs"));
    if let (Some(settings), Some(epochs)) = (shared.get_mut("settings").and_then(Value::as_table_mut), epochs) {
        settings.remove("fold");
        settings.insert("epochs".into(), epochs.clone());
    }
    if let Some(data) = shared.get_mut("data").and_then(Value::as_table_mut) {
        data.retain(|key, _| !OWN_DATA.contains(&key));
    }
    shared
}

/// Checks whether each file validates in one fold, as the folds of the same settings are dealt.
fn check_each_validates_once(folds: &[FinishedFold]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for fold in folds {
        for line in fold.readable().filter(|line| line.subset == VALIDATION) {
            if !seen.insert(&line.file) {
                let reason = format!(
                    "{} validates in another fold, too; give folds that were trained by the same version of glassnet",
                    shortened(&line.file)
                );
                return Err(Error::data(fold.folder.join("split.csv"), reason));
            }
        }
    }
    match folds[0].readable().find(|line| !seen.contains(&line.file)) {
        None => Ok(()),
        Some(line) => {
            let reason = format!(
                "{} validates in no fold; give folds that were trained by the same version of glassnet",
                shortened(&line.file)
            );
            Err(Error::data(folds[0].folder.join("split.csv"), reason))
        }
    }
}

/// Says what was different where the folds were trained so that their bits may be.
pub fn warn_of_other_circumstances(folds: &[FinishedFold]) {
    let machine = |config: &Table| config.get("machine").and_then(|machine| machine.get("instruction_set")).cloned();
    type Told = fn(&Table) -> Option<Value>;
    let version: Told = |config| config.get("version").cloned();
    for (what, told) in [("version", version), ("instruction set", machine)] {
        let shown = |fold: &FinishedFold| told(&fold.config).map_or("none".to_string(), |value| value.to_string());
        if let Some(other) = folds.iter().find(|fold| shown(fold) != shown(&folds[0])) {
            console::warn(&format!(
                "{} was trained with the {what} {} and {} with {}; their numbers may differ by rounding from those of folds that \
                 were trained at once",
                folds[0].folder.display(),
                shown(&folds[0]),
                other.folder.display(),
                shown(other)
            ));
        }
    }
}
