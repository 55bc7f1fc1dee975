//! What a training run came to, as lines and as JSON.

use super::console;
use glassnet::metrics::Confusion;
use glassnet::report::epoch::{EpochRecord, training_accuracy_line};
use serde_json::json;
use std::path::PathBuf;

/// What a run came to.
pub struct Finished {
    pub folder: PathBuf,
    pub classes: [String; 2],
    pub epochs: Vec<EpochRecord>,
    /// The epoch whose weights are `best`.
    pub best: Option<EpochRecord>,
    pub training_images: usize,
    pub validation: Option<Validated>,
    /// When and why the run stopped before all its epochs were done.
    pub stopped_early: Option<String>,
    /// Whether the run ended with the best weights instead of the last.
    pub restored: bool,
    /// Seconds of all epochs, and those of them that went into saving.
    pub seconds: f64,
    pub saving_seconds: f64,
}

/// From how many seconds of saving on a person is told of them.
const TOLD_SAVING_SECONDS: f64 = 1.0;

/// What the weights that a run ends with answer on the validation part.
pub struct Validated {
    pub confusion: Confusion,
    pub roc_auc: Option<f64>,
}

impl Finished {
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
        if let Some(Validated { confusion, roc_auc }) = &self.validation {
            let share = |value: Option<f64>| value.map_or("undefined".to_string(), |value| format!("{value:.4}"));
            let [negative, positive] = self.classes.each_ref().map(|name| console::one_line(name));
            let majority = if confusion.positives() >= confusion.negatives() { &positive } else { &negative };
            lines.push(format!(
                "Validation, {} weights: {} of {} right, accuracy {}; always answering '{majority}' would have {}",
                self.weights(),
                confusion.true_positive + confusion.true_negative,
                confusion.total(),
                share(confusion.accuracy()),
                share(confusion.majority_share()),
            ));
            lines.push(format!(
                "Positive class '{positive}': sensitivity {}, specificity {}, ROC AUC {}",
                share(confusion.sensitivity()),
                share(confusion.specificity()),
                share(*roc_auc),
            ));
        }
        if let Some(best) = &self.best {
            let (which, loss) = best.val_loss.map_or(("loss", best.loss), |loss| ("val_loss", loss));
            lines.push(format!("Best weights: those of epoch {}, with the lowest {which}, {loss:.4}", best.epoch + 1));
        }
        if self.saving_seconds >= TOLD_SAVING_SECONDS {
            let Finished { seconds, saving_seconds, .. } = self;
            lines.push(format!("Saving took {saving_seconds:.1} s of the {seconds:.1} s of these epochs"));
        }
        lines.push(format!("Run folder: {}", self.folder.display()));
        lines
    }

    /// Whose answers on the validation part these are.
    pub fn weights(&self) -> &'static str {
        if self.restored { "best" } else { "last" }
    }

    /// The same as JSON.
    pub fn json(&self) -> serde_json::Value {
        json!({
            "run_folder": self.folder.display().to_string(),
            "classes": self.classes,
            "positive_class": self.classes[1],
            "training_images": self.training_images,
            "validation_images": self.validation.as_ref().map_or(0, |validated| validated.confusion.total()),
            "epochs": self.epochs,
            "best_epoch": self.best.map(|best| best.epoch),
            "stopped_early": self.stopped_early,
            "validated_weights": self.weights(),
            "seconds": self.seconds,
            "saving_seconds": self.saving_seconds,
            "training_accuracy": self.epochs.last().map(|last| last.accuracy),
            "validation": self.validation.as_ref().map(|Validated { confusion, roc_auc }| json!({
                "confusion": confusion,
                "accuracy": confusion.accuracy(),
                "majority_share": confusion.majority_share(),
                "sensitivity": confusion.sensitivity(),
                "specificity": confusion.specificity(),
                "balanced_accuracy": confusion.balanced_accuracy(),
                "roc_auc": roc_auc,
            })),
        })
    }
}
