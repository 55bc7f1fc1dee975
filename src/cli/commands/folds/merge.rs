//! `glassnet folds merge`: the folder and the table of a cross-validation out of its folds.

use super::copies::Copies;
use super::finished_fold::FinishedFold;
use super::together::{check_together, warn_of_other_circumstances};
use super::whole_config::whole_config;
use crate::cli::args::folds::MergeArgs;
use crate::cli::outcome::CommandResult;
use crate::cli::run::fold_summary::{FoldSummary, TrainedFold, write_folds_csv};
use crate::cli::run_folder::{RunFolder, fold_folders, fold_name};
use glassnet::classes::Classes;
use glassnet::data::left_out::{LeftOut, Reason};
use glassnet::files::write_whole;
use glassnet::{Error, Result};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Puts the folds together that the folders hold, and prints them side by side.
pub fn run(args: &MergeArgs) -> CommandResult {
    RunFolder::check(args.out.as_deref())?;
    let mut folds = Vec::new();
    let mut seen = HashSet::new();
    for folder in &args.folders {
        for fold in fold_folders_of(folder)? {
            // A run and a fold in it may both be given.
            if seen.insert(fold.canonicalize().map_err(Error::io("read", &fold))?) {
                folds.push(FinishedFold::read(&fold)?);
            }
        }
    }
    folds.sort_by_key(|fold| fold.fold.number);
    check_together(&folds)?;
    warn_of_other_circumstances(&folds);
    let classes = folds[0].classes()?;
    let config = whole_config(&folds[0], &classes)?;
    let copies = folds.iter().map(|fold| Copies::list(&fold.folder)).collect::<Result<Vec<Copies>>>()?;
    let mut trained = folds.iter().map(|fold| fold.trained(&classes)).collect::<Result<Vec<TrainedFold>>>()?;

    let folder = RunFolder::create(args.out.as_deref())?;
    for ((fold, copies), trained) in folds.iter().zip(&copies).zip(&mut trained) {
        trained.folder = folder.file(&fold_name(fold.fold.number));
        copies.write(&trained.folder)?;
    }
    write_folds_csv(folder.path(), &trained, &classes)?;
    // From then on it is a run's folder.
    write_whole(&folder.config(), config.as_bytes())?;
    let (counts, left_out) = (counts(&folds[0], &classes), left_out(&folds[0]));
    let of = folds.len();
    FoldSummary { classes: &classes, counts: &counts, folder: folder.path(), folds: &trained, of, left_out: &left_out }
        .print(args.json)
}

/// The fold folders that a given one means: those in it, or itself.
///
/// # Errors
/// [`Error::Setting`], where it holds none and is none.
fn fold_folders_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let within = fold_folders(folder);
    if !within.is_empty() {
        return Ok(within.into_iter().map(|(_, folder)| folder).collect());
    }
    if RunFolder::has_begun(folder) {
        return Ok(vec![folder.to_path_buf()]);
    }
    let shown = folder.display();
    let reason = match folder.is_dir() {
        true => format!("{shown} holds no fold; give fold folders, or runs of train --only-fold"),
        false => format!("{shown} is no folder that is there; give fold folders, or runs of train --only-fold"),
    };
    Err(Error::setting("DIR", reason))
}

/// The images of each class that validated in some fold: all that could be read.
fn counts(fold: &FinishedFold, classes: &Classes) -> Vec<usize> {
    let mut counts = vec![0; classes.count()];
    for line in fold.readable() {
        if let Some(label) = classes.label(&line.class) {
            counts[label.index()] += 1;
        }
    }
    counts
}

/// The images that could not be read. What else the folds passed over they do not tell.
fn left_out(fold: &FinishedFold) -> Vec<LeftOut> {
    let data = fold.data_text("path").unwrap_or_default();
    let record = |file: &str| {
        let path = format!("{}/{file}", data.trim_end_matches('/'));
        let reason = Reason::Unreadable(format!("{path} could not be read when fold {} was trained", fold.fold.number));
        LeftOut::new(file, path, reason)
    };
    fold.skipped().map(|line| record(&line.file)).collect()
}
