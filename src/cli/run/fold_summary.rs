//! The summary of a cross-validation, from the folds that came to their end: the table of them side by side,
//! or one JSON object.

use super::validated::Validated;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::console;
use glassnet::classes::{Classes, Label};
use glassnet::data::left_out::LeftOut;
use glassnet::head::Head;
use glassnet::report::diagnostics::{majority, share_of};
use glassnet::report::folds::{
    FoldMeasures, FoldRow, KeptWeights, fold_table, means, standard_deviations, write_folds,
};
use glassnet::report::predictions_csv::{Predictions, read_predictions};
use glassnet::training::EpochRecord;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// A note on what the spread is not.
const NOT_INDEPENDENT: &str = "The folds' training images overlap, so the folds are not independent: sd is the spread \
                               between them (n − 1), no standard error.";

/// A note on what choosing an epoch by its validation loss does.
const BEST_FLATTERS: &str = "Each best epoch was chosen by the very images it is measured on, which flatters it; the last \
                             epoch was not.";

/// The same where early stopping let that choice decide also when to stop.
const RESTORED_FLATTERS: &str = "Each best epoch was chosen by the very images it is measured on, which flatters it, and with it \
                                 ROC AUC, sensitivity and specificity, which are of its restored weights; the same images \
                                 decided which epoch was the last.";

/// A fold that has come to its end: its row, and the folder of its run.
pub struct TrainedFold {
    pub row: FoldRow,
    pub folder: PathBuf,
}

impl TrainedFold {
    /// The fold of this number, which trained on so many images. `best` and `last` are epochs of its history;
    /// `validated`, what the weights that are kept answered, where images validated.
    pub fn new(
        number: usize,
        folder: &Path,
        training_images: usize,
        [best, last]: [Option<&EpochRecord>; 2],
        kept: KeptWeights,
        validated: Option<&Validated>,
    ) -> TrainedFold {
        let row = FoldRow {
            fold: number,
            training_images,
            validation_images: validated.map_or(0, Validated::total),
            best_epoch: best.map(|best| best.epoch),
            best_val_loss: best.and_then(|best| best.val_loss),
            best_val_accuracy: best.and_then(|best| best.val_accuracy),
            val_loss: last.and_then(|last| last.val_loss),
            val_accuracy: last.and_then(|last| last.val_accuracy),
            answers: validated.map_or([None; 3], Validated::fold_measures),
            last_epoch: last.map(|last| last.epoch),
            validated_weights: kept,
        };
        TrainedFold { row, folder: folder.to_path_buf() }
    }
}

/// Returns what the weights of a fold that came to its end before answered on its validation part.
///
/// # Errors
/// The errors of [`read_predictions`].
pub fn validated_before(folder: &Path, classes: &Classes) -> glassnet::Result<Validated> {
    let Predictions { labels, probabilities } = read_predictions(&folder.join("predictions.csv"), classes)?;
    // Of two classes the file has one probability, whatever the network's units.
    let head = Head::new(if classes.count() == 2 { 1 } else { classes.count() });
    Ok(Validated::new(head, &labels, &probabilities))
}

/// Writes `folds.csv` into the folder of all folds.
///
/// # Errors
/// Those of [`write_folds`].
pub fn write_folds_csv(folder: &Path, folds: &[TrainedFold], classes: &Classes) -> glassnet::Result<()> {
    let rows = folds.iter().map(|fold| &fold.row);
    write_folds(&folder.join("folds.csv"), rows, FoldMeasures::of_classes(classes.count()))
}

/// The folds of a cross-validation, or the one of them that was trained.
pub struct FoldSummary<'a> {
    pub classes: &'a Classes,
    /// Images of each class that validated.
    pub counts: &'a [usize],
    /// The folder of all folds.
    pub folder: &'a Path,
    pub folds: &'a [TrainedFold],
    /// The number of folds of the cross-validation.
    pub of: usize,
    pub left_out: &'a [LeftOut],
}

impl FoldSummary<'_> {
    /// Prints the folds side by side, or as one object.
    pub fn print(&self, json: bool) -> CommandResult {
        if json {
            console::print_json(&self.json())?;
            return Ok(Outcome::Done);
        }
        console::print(fold_table(&self.rows(), self.measures()).trim_end_matches('\n'))?;
        for note in self.notes() {
            console::print(&note)?;
        }
        console::print(&self.majority_line())?;
        console::print(&format!("Run folder: {}", self.folder.display()))?;
        Ok(Outcome::Done)
    }

    fn rows(&self) -> Vec<FoldRow> {
        self.folds.iter().map(|fold| fold.row.clone()).collect()
    }

    /// The measures of the folds' answers.
    fn measures(&self) -> FoldMeasures {
        FoldMeasures::of_classes(self.classes.count())
    }

    /// Notes: on what the spread is not, or of one fold, how the others come to it; and on what flatters.
    fn notes(&self) -> [String; 2] {
        let spread = match self.folds {
            [only] => format!(
                "This is fold {} of {}; glassnet folds merge puts them together once all are trained.",
                only.row.fold, self.of
            ),
            _ => NOT_INDEPENDENT.to_string(),
        };
        let restored = self.folds.iter().any(|fold| fold.row.validated_weights == KeptWeights::Best);
        [spread, if restored { RESTORED_FLATTERS } else { BEST_FLATTERS }.to_string()]
    }

    /// Returns what always answering the more frequent class would reach over all folds.
    fn majority_line(&self) -> String {
        let label = majority(self.counts).unwrap_or(Label::POSITIVE);
        let always = format!(
            "lways answering '{}' would be right for {} of {} images ({:.4})",
            console::one_line(&self.classes[label]),
            self.counts[label.index()],
            self.counts.iter().sum::<usize>(),
            share_of(label, self.counts).unwrap_or(f64::NAN),
        );
        match self.classes.positive() {
            Some(positive) => format!("Positive class '{}'; a{always}", console::one_line(positive)),
            None => format!("A{always}"),
        }
    }

    fn json(&self) -> Value {
        let names = self.measures().names();
        let named = |values: [Option<f64>; 7]| -> Map<String, Value> {
            names.into_iter().zip(values).map(|(name, value)| (name.to_string(), json!(value))).collect()
        };
        let rows = self.rows();
        let object = |fold: &TrainedFold| {
            let FoldRow { fold: number, training_images, validation_images, best_epoch, last_epoch, .. } = fold.row;
            let mut object = json!({
                "fold": number,
                "training_images": training_images,
                "validation_images": validation_images,
                "best_epoch": best_epoch,
                "last_epoch": last_epoch,
                "validated_weights": fold.row.validated_weights,
                "run_folder": fold.folder.display().to_string(),
            });
            for (name, value) in names.into_iter().zip(fold.row.measures()) {
                object[name] = json!(value);
            }
            object
        };
        json!({
            "run_folder": self.folder.display().to_string(),
            "classes": self.classes,
            "positive_class": self.classes.positive(),
            "majority_share": majority(self.counts).and_then(|label| share_of(label, self.counts)),
            "folds": self.folds.iter().map(object).collect::<Vec<Value>>(),
            "mean": named(means(&rows)),
            "standard_deviation": named(standard_deviations(&rows)),
            "left_out": self.left_out,
            "notes": self.notes(),
        })
    }
}
