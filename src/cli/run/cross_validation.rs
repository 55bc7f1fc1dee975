//! `glassnet train --folds K`: cross-validation. K models are trained, one after the other, each validated on
//! its own fold. Each has a run folder of its own in that of all; what it came to is told from there, when
//! the rest goes on later.

use crate::cli::args::{RunArgs, TrainArgs};
use crate::cli::input::checked::CheckedImages;
use crate::cli::input::dataset::{Dataset, Part};
use crate::cli::input::reading::of_training;
use crate::cli::machine::memory::cache_bytes;
use crate::cli::outcome::{CommandResult, Failure, Outcome};
use crate::cli::run::finished::Validated;
use crate::cli::run::recorder::RunText;
use crate::cli::run::resume::ResumedRun;
use crate::cli::run::training_run::{Execution, Fold, TrainingRun, check_memory};
use crate::cli::run_folder::{Config, Data, RunFolder, Settings, as_toml};
use crate::cli::terminal::console;
use glassnet::data::catalog::{Catalog, Item, class_counts};
use glassnet::data::folds::folds;
use glassnet::data::groups::Groups;
use glassnet::data::left_out::LeftOut;
use glassnet::data::source::Source;
use glassnet::data::split::Split;
use glassnet::error::shortened;
use glassnet::network::Network;
use glassnet::report::csv_files::read_predictions;
use glassnet::report::diagnostics::{majority, share_of};
use glassnet::report::folds::{FoldRow, KeptWeights, MEASURES, fold_table, means, standard_deviations, write_folds};
use glassnet::training::EpochRecord;
use glassnet::{Error, checkpoint};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::Arc;

/// What the spread is not.
const NOT_INDEPENDENT: &str = "The folds' training images overlap, so the folds are not independent: sd is the spread \
                               between them (n − 1), no standard error.";

/// What choosing an epoch by its validation loss does.
const BEST_FLATTERS: &str = "Each best epoch was chosen by the very images it is measured on, which flatters it; the last \
                             epoch was not.";

/// The same where early stopping let that choice decide also when to stop.
const RESTORED_FLATTERS: &str = "Each best epoch was chosen by the very images it is measured on, which flatters it, and with it \
                                 ROC AUC, sensitivity and specificity, which are of its restored weights; the same images \
                                 decided which epoch was the last.";

/// Trains on every fold, or goes on with that, and prints the folds side by side.
pub fn run(
    args: &TrainArgs,
    network: &Network,
    k: usize,
    source: Source,
    resumed: Option<ResumedRun>,
) -> CommandResult {
    let source = Arc::new(source);
    let catalog = Arc::new(Catalog::of(&source)?);
    let groups = match &args.group_regex {
        Some(regex) => Groups::by_regex(&catalog, regex)?,
        None => Groups::none(&catalog),
    };
    let splits = folds(&catalog, k, &groups, args.common.seed)?;
    for note in catalog.notes.iter().chain(&groups.notes) {
        console::warn(note);
    }
    if resumed.is_none() {
        RunFolder::check(args.common.out.as_deref())?;
    }
    for split in &splits {
        check_memory(network, split, args.batch_size, &args.common)?;
    }
    if let Some(path) = &args.init_weights {
        checkpoint::load_parameters(path, network)?;
    }
    let groups = args.group_regex.is_some().then_some(groups);
    let name = match &resumed {
        Some(run) => run.name_of_data(source.path()),
        None => source.path().to_path_buf(),
    };
    let dataset_of = |split| Dataset {
        name: name.clone(),
        ..Dataset::of_parts(Arc::clone(&source), Arc::clone(&catalog), split, groups.clone())
    };
    let datasets: Vec<Dataset> = splits.into_iter().map(dataset_of).collect();

    let begun = match &resumed {
        None => Some(RunFolder::create(args.common.out.as_deref())?),
        Some(run) => {
            run.folder.check_writable()?;
            None
        }
    };
    // Every image is in every fold, so all are looked at before, once.
    let ([side, _, _], cache) = (network.spec().input, cache_bytes(args.common.cache));
    let checked = Arc::new(CheckedImages::of(&source, &catalog, side, cache, args.skip_bad, args.reading)?);
    for dataset in &datasets {
        dataset.check_trains(&checked)?;
        let training = dataset.items(Part::Training).iter().filter(|item| checked.is_readable(item));
        of_training(args.reading, &checked.part(&training.cloned().collect::<Vec<Item>>()))?;
    }

    let whole = TrainingRun::new(args, network.clone(), dataset_of(Split::all_train(&catalog)), &args.common);
    whole.warn_of_other_algorithms();
    let (readable, skipped): (Vec<Item>, Vec<Item>) =
        catalog.items.iter().cloned().partition(|item| checked.is_readable(item));
    let data = Data::of(&source, &name, &catalog, checked.sha256(&readable), &skipped);
    let left_out: Vec<LeftOut> = catalog.left_out.iter().cloned().chain(checked.left_out(&source, &skipped)).collect();
    let counts = class_counts(&readable);
    let settings = Settings { validation_split: None, folds: Some(k), ..whole.settings() };
    let config = Config { settings, ..whole.config(data) };
    let folder = match (begun, resumed) {
        (Some(folder), _) => {
            folder.check_free()?;
            folder
        }
        (None, None) => unreachable!("a run that does not go on has made its folder"),
        (None, Some(run)) => run.go_on_as(&as_toml(&config)?, &whole.dataset.rows(&checked))?,
    };
    folder.write_config(&config)?;

    let kept = if args.early_stopping.is_some() { KeptWeights::Best } else { KeptWeights::Last };
    let mut results = Vec::new();
    let mut printed = Ok(());
    for (number, dataset) in (1..).zip(datasets) {
        let mut text = RunText::new(args.common.json);
        text.line(&format!("Fold {number}/{k}"));
        let out = folder.file(&format!("fold{number}"));
        if out.is_symlink() {
            let reason = "it is a link, and nothing is written to where it leads; put the folder itself there, or start a new run";
            return Err(Error::data(out, reason).into());
        }
        let resumed = ResumedRun::of_fold(&out)?;
        let training_images = dataset.items(Part::Training).iter().filter(|item| checked.is_readable(item)).count();
        let common = RunArgs { out: Some(out.clone()), ..args.common.clone() };
        let (fold, checked) = (Some(Fold { number, of: k }), Some(Arc::clone(&checked)));
        let run = TrainingRun { fold, resumed, checked, ..TrainingRun::new(args, network.clone(), dataset, &common) };
        // A fold by itself is nothing to go on with.
        let execution = run.execute().map_err(|failure| match failure {
            Failure::Stopped { error, .. } => Failure::stopped(error, "train", folder.path()),
            failure => failure,
        })?;
        let row = match execution {
            Execution::Finished(mut finished) => {
                printed = printed.and(finished.take_print_error());
                if let Some(line) = finished.diverged_line() {
                    console::warn(&format!("fold {number}: {line}"));
                }
                let (best, last) = (finished.best.as_ref(), finished.epochs.last());
                row(number, training_images, best, last, kept, finished.validation.as_ref())
            }
            Execution::NothingToDo { state, sentence, .. } => {
                text.line(&format!("Nothing to do: {sentence}"));
                let (best, last) = (state.best_record(), state.history.last());
                // There are no predictions where all images that would validate were left out.
                let validated = last.and_then(|last| last.val_loss).map(|_| validated_before(&out, &catalog));
                row(number, training_images, best, last, kept, validated.transpose()?.as_ref())
            }
        };
        results.push((row, out.display().to_string()));
        write_folds(&folder.file("folds.csv"), results.iter().map(|(row, _)| row))?;
    }
    printed?;
    let (rows, runs): (Vec<FoldRow>, Vec<String>) = results.into_iter().unzip();
    let shown = folder.path().display().to_string();
    let flatters = match kept {
        KeptWeights::Best => RESTORED_FLATTERS,
        KeptWeights::Last => BEST_FLATTERS,
    };
    let notes = [NOT_INDEPENDENT, flatters];
    match args.common.json {
        true => console::print_json(&json(&catalog, counts, &shown, &rows, &runs, notes, &left_out))?,
        false => {
            // Where the folds' own lines stand before.
            console::print_unless_quiet("")?;
            console::print(fold_table(&rows).trim_end_matches('\n'))?;
            for note in notes {
                console::print(note)?;
            }
            console::print(&majority_line(&catalog, counts))?;
            console::print(&format!("Run folder: {shown}"))?;
        }
    }
    Ok(Outcome::Done)
}

/// What the weights of a fold that came to its end before answered on its validation part.
///
/// # Errors
/// Those of [`read_predictions`], and [`Error::Data`], where a class is another than those of `catalog`.
fn validated_before(folder: &Path, catalog: &Catalog) -> glassnet::Result<Validated> {
    let file = folder.join("predictions.csv");
    let (mut labels, mut probabilities) = (Vec::new(), Vec::new());
    for (class, probability) in read_predictions(&file)? {
        let label = catalog.classes.iter().position(|name| *name == class);
        let label = label.ok_or_else(|| {
            let class = shortened(&class);
            Error::data(&file, format!("'{class}' is none of the classes; put back a copy of the file"))
        })?;
        labels.push(label as f32);
        probabilities.push(probability);
    }
    Ok(Validated::of(&labels, &probabilities))
}

fn row(
    fold: usize,
    training_images: usize,
    best: Option<&EpochRecord>,
    last: Option<&EpochRecord>,
    kept: KeptWeights,
    validated: Option<&Validated>,
) -> FoldRow {
    FoldRow {
        fold,
        training_images,
        validation_images: validated.map_or(0, |validated| validated.confusion.total()),
        best_epoch: best.map(|best| best.epoch),
        best_val_loss: best.and_then(|best| best.val_loss),
        best_val_accuracy: best.and_then(|best| best.val_accuracy),
        val_loss: last.and_then(|last| last.val_loss),
        val_accuracy: last.and_then(|last| last.val_accuracy),
        roc_auc: validated.and_then(|validated| validated.roc_auc),
        sensitivity: validated.and_then(|validated| validated.confusion.sensitivity()),
        specificity: validated.and_then(|validated| validated.confusion.specificity()),
        last_epoch: last.map(|last| last.epoch),
        validated_weights: kept,
    }
}

/// What always answering the more frequent class would reach over all folds.
fn majority_line(catalog: &Catalog, counts: [usize; 2]) -> String {
    let label = majority(counts).unwrap_or(1);
    format!(
        "Positive class '{}'; always answering '{}' would be right for {} of {} images ({:.4})",
        console::one_line(&catalog.classes[1]),
        console::one_line(&catalog.classes[label]),
        counts[label],
        counts[0] + counts[1],
        share_of(label, counts).unwrap_or(f64::NAN),
    )
}

fn json(
    catalog: &Catalog,
    counts: [usize; 2],
    folder: &str,
    rows: &[FoldRow],
    runs: &[String],
    notes: [&str; 2],
    left_out: &[LeftOut],
) -> Value {
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
    json!({
        "run_folder": folder,
        "classes": catalog.classes,
        "positive_class": catalog.classes[1],
        "majority_share": majority(counts).and_then(|label| share_of(label, counts)),
        "folds": folds,
        "mean": named(means(rows)),
        "standard_deviation": named(standard_deviations(rows)),
        "left_out": left_out,
        "notes": notes,
    })
}
