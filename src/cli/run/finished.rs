//! The result of a training run, as lines and as JSON.

use crate::cli::outcome::SMALLER_STEPS;
use crate::cli::run::reevaluation::{Figures, Reevaluated};
use crate::cli::run::validated::Validated;
use crate::cli::run_folder::REPORT;
use crate::cli::terminal::console;
use glassnet::classes::{Classes, Combinations, Label};
use glassnet::data::left_out::LeftOut;
use glassnet::report::diagnostics::{
    diverged_line, labels_diverged_line, majority, one_class_line, one_class_training_line, overfitting_line, share_of,
};
use glassnet::report::epoch::training_accuracy_line;
use glassnet::training::EpochRecord;
use serde_json::json;
use std::io;
use std::path::PathBuf;

/// The result of a run.
pub struct Finished {
    /// `Err` where a line of the run could not be printed.
    pub printed: io::Result<()>,
    pub folder: PathBuf,
    /// The classes, or the labels, of which an image may have several.
    pub classes: Classes,
    /// The combinations of labels, where images may have several.
    pub combinations: Option<Combinations>,
    pub epochs: Vec<EpochRecord>,
    /// The epoch whose weights are `best`.
    pub best: Option<EpochRecord>,
    pub training_images: usize,
    /// Images of each class, or of each combination of labels, in the training part and in the validation
    /// part.
    pub counts: [Vec<usize>; 2],
    /// The epochs, from 0, after which every validation image was taken for one class, and that class.
    pub one_class: Vec<(usize, Label)>,
    /// The training images again, with the weights that are kept.
    pub reevaluated: Option<Reevaluated>,
    /// Images that cannot be read and were left out.
    pub skipped_images: Vec<String>,
    /// These, and all else that was left out of the data.
    pub left_out: Vec<LeftOut>,
    pub validation: Option<Validated>,
    /// What stands out in what was watched, in sentences; none where nothing was.
    pub watched: Option<Vec<String>>,
    /// A sentence on when and why the run stopped before all its epochs were done.
    pub stopped_early: Option<String>,
    /// True where the run ended with the best weights instead of the last.
    pub restored: bool,
    /// Seconds of all epochs, and those of them that went into saving.
    pub seconds: f64,
    pub saving_seconds: f64,
}

/// From how many seconds of saving, or of waiting for images, on a person is told of them.
const TOLD_SECONDS: f64 = 1.0;

/// The remark where no image validates.
const NO_VALIDATION: &str =
    "No image validated: how the network does on images that it did not learn from is not known";

impl Finished {
    /// The error that kept lines of the run from being printed, once.
    pub fn take_print_error(&mut self) -> io::Result<()> {
        std::mem::replace(&mut self.printed, Ok(()))
    }

    /// The lines that close a run.
    pub fn closing_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.stopped_early.as_ref().map(|sentence| format!("Early stopping {sentence}")));
        if let (true, Some(best)) = (self.restored, &self.best) {
            let epoch = best.epoch + 1;
            lines.push(format!(
                "Restored the weights of epoch {epoch}: the validation below and predictions.csv are theirs"
            ));
        }
        lines.extend(self.epochs.last().map(|last| training_accuracy_line(last.accuracy)));
        lines.extend(self.reevaluated_line());
        lines.extend(self.validation.iter().flat_map(|validated| validated.lines(&self.classes, self.weights())));
        if let Some(best) = &self.best {
            let (which, loss) = best.val_loss.map_or(("loss", best.loss), |loss| ("val_loss", loss));
            lines.push(format!("Best weights: those of epoch {}, with the lowest {which}, {loss:.4}", best.epoch + 1));
        }
        lines.extend(self.best_against_last());
        lines.extend(self.remarks());
        if self.saving_seconds >= TOLD_SECONDS {
            let Finished { seconds, saving_seconds, .. } = self;
            lines.push(format!("Saving took {saving_seconds:.1} s of the {seconds:.1} s of these epochs"));
        }
        let waited: f64 = self.epochs.iter().filter_map(|epoch| epoch.wait_seconds).sum();
        if waited >= TOLD_SECONDS {
            lines.push(format!("Steps waited {waited:.1} s of the {:.1} s of these epochs for images", self.seconds));
        }
        lines.extend(self.report().map(|report| format!("Report: {report}")));
        lines.push(format!("Run folder: {}", self.folder.display()));
        lines
    }

    /// The page of a run that was watched.
    fn report(&self) -> Option<String> {
        self.watched.as_ref().map(|_| self.folder.join(REPORT).display().to_string())
    }

    /// Whose answers on the validation part these are.
    pub fn weights(&self) -> &'static str {
        if self.restored { "best" } else { "last" }
    }

    /// The running accuracy beside the one that the kept weights have.
    fn reevaluated_line(&self) -> Option<String> {
        let running = self.epochs.last()?.accuracy;
        let Reevaluated { last, best } = self.reevaluated?;
        let figures = |name: &str, figures: Figures| {
            format!("{name} weights have accuracy {:.4}, loss {:.4}", figures.accuracy, figures.loss)
        };
        let mut line = format!("Training images again, without dropout: {}", figures("the last", last));
        if self.best_is_not_last() {
            line += &format!("; {}", figures("the best", best));
        }
        Some(format!("{line} (while training: accuracy {running:.4})"))
    }

    fn best_is_not_last(&self) -> bool {
        self.best.as_ref().zip(self.epochs.last()).is_some_and(|(best, last)| best.epoch != last.epoch)
    }

    /// Returns what choosing the best weights is worth, where they are not the last.
    fn best_against_last(&self) -> Option<String> {
        let (best, last) = (self.best.as_ref()?, self.epochs.last()?);
        let (best_loss, last_loss) = (best.val_loss?, last.val_loss?);
        let (best_accuracy, last_accuracy) = (best.val_accuracy?, last.val_accuracy?);
        self.best_is_not_last().then(|| {
            format!(
                "Best against last, epoch {} against {}: val_loss {best_loss:.4} against {last_loss:.4}, val_accuracy \
                 {best_accuracy:.4} against {last_accuracy:.4}",
                best.epoch + 1,
                last.epoch + 1
            )
        })
    }

    /// Says that the training diverged, if it did.
    pub fn diverged_line(&self) -> Option<String> {
        let (loss, val_loss) = (self.reevaluated?.last.loss, self.epochs.last()?.val_loss);
        let line = match &self.combinations {
            None => diverged_line(&self.counts[0], loss, val_loss)?,
            Some(combinations) => labels_diverged_line(combinations, &self.counts[0], loss, val_loss)?,
        };
        Some(format!("{line}; {SMALLER_STEPS}"))
    }

    /// Returns what should not be overlooked: that the training diverged, epochs with one answer only,
    /// overfitting, that nothing was validated, and what was watched.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks: Vec<String> = self.diverged_line().into_iter().collect();
        for (label, class) in self.classes.labels().zip(self.classes.names()) {
            let epochs: Vec<usize> =
                self.one_class.iter().filter(|(_, l)| *l == label).map(|(epoch, _)| *epoch).collect();
            if !epochs.is_empty() {
                remarks.push(one_class_line(&console::one_line(class), &epochs, self.best.map(|best| best.epoch)));
            }
        }
        // Without a validation part the training images tell it, of the last weights.
        let only_answer =
            self.reevaluated.and_then(|again| again.last.only_answer).filter(|_| self.validation.is_none());
        remarks.extend(only_answer.map(|label| one_class_training_line(&console::one_line(&self.classes[label]))));
        let one_class: Vec<usize> = self.one_class.iter().map(|(epoch, _)| *epoch).collect();
        let overfits = overfitting_line(&self.epochs, &one_class);
        remarks.extend(overfits.map(|line| format!("{line}, or try --augment, --weight-decay or more images")));
        if self.validation.is_none() && !self.epochs.is_empty() {
            remarks.push(NO_VALIDATION.to_string());
        }
        remarks.extend(self.watched.iter().flatten().cloned());
        remarks
    }

    /// Returns the same as JSON.
    pub fn json(&self) -> serde_json::Value {
        let mut object = json!({
            "run_folder": self.folder.display().to_string(),
            "classes": self.classes,
            "positive_class": self.classes.positive().filter(|_| self.combinations.is_none()),
            "training_images": self.training_images,
            "validation_images": self.validation.as_ref().map_or(0, Validated::total),
            "epochs": self.epochs,
            "best_epoch": self.best.map(|best| best.epoch),
            "stopped_early": self.stopped_early,
            "validated_weights": self.weights(),
            "seconds": self.seconds,
            "saving_seconds": self.saving_seconds,
            "majority": majority(&self.counts[0]).map(|label| json!({
                "class": self.combinations.as_ref().map_or(&self.classes, Combinations::names)[label],
                "training_share": share_of(label, &self.counts[0]),
                "validation_share": share_of(label, &self.counts[1]),
            })),
            "one_class_epochs": self.one_class.iter().map(|&(epoch, label)| json!({
                "epoch": epoch,
                "class": self.classes[label],
            })).collect::<Vec<_>>(),
            "remarks": self.remarks(),
            "left_out": self.left_out,
            "training_re_evaluated": self.reevaluated,
            "training_accuracy": self.epochs.last().map(|last| last.accuracy),
            "validation": self.validation.as_ref().map(Validated::json),
        });
        if !self.skipped_images.is_empty() {
            object["skipped_images"] = json!(self.skipped_images);
        }
        if self.combinations.is_some() {
            object["several_labels"] = json!(true);
        }
        if let Some(report) = self.report() {
            object["report"] = json!(report);
        }
        object
    }
}
