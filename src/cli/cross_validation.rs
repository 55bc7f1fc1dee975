//! `glassnet train --folds K`: cross-validation. K models are trained, one after the other, each validated on its own fold.

use super::args::{RunArgs, TrainArgs};
use super::console::{self, Failure};
use super::dataset::Dataset;
use super::finished::Finished;
use super::recorder::RunText;
use super::run_folder::RunFolder;
use super::training_run::{Fold, TrainingRun, check_memory};
use super::{CommandResult, Outcome};
use glassnet::Error;
use glassnet::data::catalog::Catalog;
use glassnet::data::folds::folds;
use glassnet::data::groups::Groups;
use glassnet::data::source::Source;
use glassnet::network::Network;
use glassnet::report::folds::{FoldRow, MEASURES, fold_table, means, standard_deviations, write_folds};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::Arc;

/// What the spread is not.
const NOT_INDEPENDENT: &str = "The folds' training images overlap, so the folds are not independent: sd is the spread \
                               between them (n − 1), no standard error.";

/// What choosing an epoch by its validation loss does.
const BEST_FLATTERS: &str = "Each best epoch was chosen by the very images it is measured on, which flatters it; the last \
                             epoch was not.";

/// Trains on every fold and prints the folds side by side.
pub fn run(args: &TrainArgs, network: &Network, k: usize) -> CommandResult {
    let data = args.data.as_deref().ok_or_else(|| Error::setting("DATA", "it is missing; give a folder or a zip"))?;
    let source = Arc::new(Source::open(data)?);
    let catalog = Catalog::of(&source)?;
    let groups = match &args.group_regex {
        Some(regex) => Groups::by_regex(&catalog, regex)?,
        None => Groups::none(&catalog),
    };
    let splits = folds(&catalog, k, &groups, args.common.seed)?;
    for note in catalog.notes.iter().chain(&groups.notes) {
        console::warn(note);
    }
    RunFolder::check(args.common.out.as_deref())?;

    // Of all training parts the largest decides.
    for split in &splits {
        check_memory(network, split, args.batch_size, &args.common)?;
    }

    let folder = RunFolder::create_bare(args.common.out.as_deref())?;
    let (mut rows, mut runs, mut printed) = (Vec::new(), Vec::new(), Ok(()));
    for (index, split) in splits.into_iter().enumerate() {
        let number = index + 1;
        RunText::new(args.common.json).line(&format!("Fold {number}/{k}"));
        let groups = args.group_regex.is_some().then(|| groups.clone());
        let dataset =
            Dataset { source: Arc::clone(&source), catalog: catalog.clone(), split, groups, skipped: Vec::new() };
        let common = RunArgs { out: Some(folder.file(&format!("fold{number}"))), ..args.common.clone() };
        let fold = Some(Fold { number, of: k });
        let run = TrainingRun { fold, ..TrainingRun::new(args, network.clone(), dataset, &common) };
        // A fold by itself is nothing to go on with, so how to go on is not told.
        let outcome = run.execute().map_err(|failure| match failure {
            Failure::Stopped { error, .. } => Failure::Work(error),
            failure => failure,
        });
        let Some(mut finished) = outcome.inspect_err(|_| remove_if_empty(folder.path()))? else { continue };
        printed = printed.and(finished.take_print_error());
        rows.push(row(number, &finished));
        runs.push(finished.folder.display().to_string());
        write_folds(&folder.file("folds.csv"), &rows)?;
    }
    printed?;
    let shown = folder.path().display().to_string();
    match args.common.json {
        true => console::print_json(&json(&catalog, &shown, &rows, &runs))?,
        false => {
            console::print("")?;
            console::print(fold_table(&rows).trim_end_matches('\n'))?;
            console::print(NOT_INDEPENDENT)?;
            console::print(BEST_FLATTERS)?;
            console::print(&majority_line(&catalog))?;
            console::print(&format!("Run folder: {shown}"))?;
        }
    }
    Ok(Outcome::Done)
}

/// A fold that could not even begin leaves no folder behind; one that holds something stays.
fn remove_if_empty(folder: &Path) {
    // Where there is something in it this does nothing, and the error that ends the run is told anyway.
    let _ = std::fs::remove_dir(folder);
}

fn row(fold: usize, finished: &Finished) -> FoldRow {
    let (best, last) = (finished.best, finished.epochs.last());
    let validated = finished.validation.as_ref();
    FoldRow {
        fold,
        training_images: finished.training_images,
        validation_images: validated.map_or(0, |validated| validated.confusion.total()),
        best_epoch: best.map(|best| best.epoch),
        best_val_loss: best.and_then(|best| best.val_loss),
        best_val_accuracy: best.and_then(|best| best.val_accuracy),
        val_loss: last.and_then(|last| last.val_loss),
        val_accuracy: last.and_then(|last| last.val_accuracy),
        roc_auc: validated.and_then(|validated| validated.roc_auc),
        sensitivity: validated.and_then(|validated| validated.confusion.sensitivity()),
        specificity: validated.and_then(|validated| validated.confusion.specificity()),
    }
}

fn majority_line(catalog: &Catalog) -> String {
    let counts = catalog.counts();
    let label = usize::from(counts[1] >= counts[0]);
    let all = counts[0] + counts[1];
    format!(
        "Positive class '{}'; always answering '{}' would be right for {} of {all} images ({:.4})",
        console::one_line(&catalog.classes[1]),
        console::one_line(&catalog.classes[label]),
        counts[label],
        counts[label] as f64 / all as f64
    )
}

fn json(catalog: &Catalog, folder: &str, rows: &[FoldRow], runs: &[String]) -> Value {
    let named = |values: [Option<f64>; 7]| -> Map<String, Value> {
        MEASURES.into_iter().zip(values).map(|(name, value)| (name.to_string(), json!(value))).collect()
    };
    let folds: Vec<Value> = rows
        .iter()
        .zip(runs)
        .map(|(row, run)| {
            let mut object = json!(row);
            object["run_folder"] = json!(run);
            object
        })
        .collect();
    let counts = catalog.counts();
    json!({
        "run_folder": folder,
        "classes": catalog.classes,
        "positive_class": catalog.classes[1],
        "majority_share": counts[0].max(counts[1]) as f64 / (counts[0] + counts[1]) as f64,
        "folds": folds,
        "mean": named(means(rows)),
        "standard_deviation": named(standard_deviations(rows)),
        "notes": [NOT_INDEPENDENT, BEST_FLATTERS],
    })
}
