//! The CSV files of a run folder: `history.csv`, `steps.csv`, `timings.csv` and `split.csv`.
//! [`predictions_csv`](super::predictions_csv) has `predictions.csv`.
//!
//! Every file is whole at any time ([`write_table`]), and has a heading, lines that end with `\n`, and
//! numbers in the shortest form that reads back to the same bits.

use std::borrow::Cow;
use std::path::Path;

use serde::{Deserialize, Serialize, Serializer};

use crate::data::images::{Digest, hexadecimal};
use crate::data::source::MAX_FILES;
use crate::files::{read_table, read_text, write_table};
use crate::training::{EpochRecord, LabelFigures, LearningRates, StepRow};
use crate::{Error, Result};

/// A line of `history.csv`: the columns of Keras's `CSVLogger`, in its order.
#[derive(Serialize, Deserialize)]
pub(super) struct HistoryRow {
    epoch: usize,
    accuracy: f64,
    loss: f64,
    val_accuracy: Option<f64>,
    val_loss: Option<f64>,
    /// Where images may have several labels: these three, each none where it is undefined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    val_exact_match: Option<Option<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    val_macro_f1: Option<Option<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    val_macro_roc_auc: Option<Option<f64>>,
}

impl From<&EpochRecord> for HistoryRow {
    fn from(
        &EpochRecord { epoch, accuracy, loss, val_accuracy, val_loss, val_labels, .. }: &EpochRecord,
    ) -> HistoryRow {
        HistoryRow {
            epoch,
            accuracy,
            loss,
            val_accuracy,
            val_loss,
            val_exact_match: val_labels.map(|labels| labels.exact_match),
            val_macro_f1: val_labels.map(|labels| labels.macro_f1),
            val_macro_roc_auc: val_labels.map(|labels| labels.macro_roc_auc),
        }
    }
}

/// A line of `timings.csv`: how long an epoch took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimingRow {
    /// The epoch's index, from 0 as in `history.csv`.
    pub epoch: usize,
    /// Seconds in all, validation and saving included.
    pub seconds: f64,
    /// Mean seconds of a training step.
    pub step_seconds: f64,
    /// Seconds for which training steps waited for images to be decoded; empty where it was not measured.
    #[serde(default)]
    pub wait_seconds: Option<f64>,
    /// Seconds of `seconds` that went into saving the run.
    pub saving_seconds: f64,
}

/// A line of `split.csv`: where a file went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SplitRow<'a> {
    /// The file, as the data set names it.
    pub file: Cow<'a, str>,
    /// The name of its class.
    pub class: &'a str,
    /// `training` or `validation`.
    pub subset: &'a str,
    /// The group that it belongs to, where files were grouped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<&'a str>,
    /// The SHA-256 of its bytes; none of a file that cannot be read.
    #[serde(serialize_with = "as_hexadecimal")]
    pub sha256: Option<Digest>,
}

fn as_hexadecimal<S: Serializer>(digest: &Option<Digest>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&digest.as_ref().map(hexadecimal).unwrap_or_default())
}

/// Writes `history.csv`: `epoch,accuracy,loss,val_accuracy,val_loss`, one line an epoch, counted from 0.
/// Without a validation part the last two fields are empty. Where images may have several labels there are
/// `val_exact_match,val_macro_f1,val_macro_roc_auc` too, empty where there is no such measure.
///
/// # Errors
/// [`Error::Io`] names the file that cannot be written.
pub fn write_history(path: &Path, epochs: &[EpochRecord]) -> Result<()> {
    let heading = ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"];
    let of_labels = ["val_exact_match", "val_macro_f1", "val_macro_roc_auc"];
    let rows = epochs.iter().map(HistoryRow::from);
    match epochs.iter().any(|record| record.val_labels.is_some()) {
        true => write_table(path, &[&heading[..], &of_labels].concat(), rows),
        false => write_table(path, &heading, rows),
    }
}

/// Reads what [`write_history`] wrote. What the table does not tell of an epoch is NaN, or 0 steps.
///
/// # Errors
/// Those of [`read_text`]; [`Error::Data`] of a line that is none.
pub fn read_history(path: &Path) -> Result<Vec<EpochRecord>> {
    let text = read_text(path)?;
    let rows = csv::Reader::from_reader(text.as_bytes()).into_deserialize::<HistoryRow>();
    let record = |row: HistoryRow| EpochRecord {
        epoch: row.epoch,
        steps: 0,
        seconds: f64::NAN,
        step_seconds: f64::NAN,
        wait_seconds: None,
        loss: row.loss,
        accuracy: row.accuracy,
        val_loss: row.val_loss,
        val_accuracy: row.val_accuracy,
        val_labels: row.val_exact_match.map(|exact_match| LabelFigures {
            exact_match,
            macro_f1: row.val_macro_f1.flatten(),
            macro_roc_auc: row.val_macro_roc_auc.flatten(),
        }),
    };
    rows.map(|row| row.map(record).map_err(|error| not_as_written(path, &error))).collect()
}

/// The error of a table that cannot be read.
fn not_as_written(path: &Path, error: &csv::Error) -> Error {
    Error::data(path, format!("it cannot be read: {error}; put back a copy of the file"))
}

/// A line of `steps.csv` where the learning rate changes.
#[derive(Serialize)]
struct RatedStepRow {
    step: usize,
    epoch: usize,
    batch_size: usize,
    loss: f64,
    accuracy: f64,
    learning_rate: f64,
}

/// Writes `steps.csv`: `step,epoch,batch_size,loss,accuracy`, one line a training step, and where the
/// learning rate follows a schedule, `learning_rate`, that of the step.
///
/// # Errors
/// [`Error::Io`] names the file that cannot be written.
pub fn write_steps(path: &Path, steps: &[StepRow], rates: Option<&LearningRates>) -> Result<()> {
    let heading = ["step", "epoch", "batch_size", "loss", "accuracy", "learning_rate"];
    let Some(rates) = rates else { return write_table(path, &heading[..5], steps) };
    let rows = steps.iter().map(|&StepRow { step, epoch, batch_size, loss, accuracy }| {
        let learning_rate = rates.of_step(step as u64 - 1, epoch);
        RatedStepRow { step, epoch, batch_size, loss, accuracy, learning_rate }
    });
    write_table(path, &heading, rows)
}

/// Writes `timings.csv`: `epoch,seconds,step_seconds,wait_seconds,saving_seconds`, one line an epoch.
///
/// # Errors
/// [`Error::Io`] names the file that cannot be written.
pub fn write_timings(path: &Path, epochs: &[TimingRow]) -> Result<()> {
    write_table(path, &["epoch", "seconds", "step_seconds", "wait_seconds", "saving_seconds"], epochs)
}

/// Reads what [`write_timings`] wrote: the rows up to the first that is none.
///
/// # Errors
/// Those of [`read_text`].
pub fn read_timings(path: &Path) -> Result<Vec<TimingRow>> {
    let text = read_text(path)?;
    Ok(csv::Reader::from_reader(text.as_bytes()).into_deserialize().map_while(std::result::Result::ok).collect())
}

/// Writes `split.csv`: `file,class,subset`, `group` where files were grouped, and `sha256`, one line a file.
///
/// # Errors
/// [`Error::Io`] names the file that cannot be written.
pub fn write_split(path: &Path, files: &[SplitRow]) -> Result<()> {
    let grouped = files.iter().any(|row| row.group.is_some());
    let heading: &[&str] = match grouped {
        true => &["file", "class", "subset", "group", "sha256"],
        false => &["file", "class", "subset", "sha256"],
    };
    write_table(path, heading, files)
}

/// A line of a `split.csv` that was read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SplitLine {
    /// The file, as the data set names it.
    pub file: String,
    /// The name of its class.
    pub class: String,
    /// `training`, `validation` or `skipped`.
    pub subset: String,
    /// The SHA-256 of its bytes in hexadecimal digits; empty of a file that cannot be read.
    pub sha256: String,
}

/// Reads what [`write_split`] wrote, but for the groups.
///
/// # Errors
/// Those of [`read_table`]; [`Error::Data`] of a line that is none.
pub fn read_split(path: &Path) -> Result<Vec<SplitLine>> {
    let text = read_table(path)?;
    let rows = csv::Reader::from_reader(text.as_bytes()).into_deserialize::<SplitLine>();
    rows.take(MAX_FILES).map(|row| row.map_err(|error| not_as_written(path, &error))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::keras_run::HISTORY;
    use crate::training::{ScheduleName, TrainSettings};

    /// Returns what a writer leaves in a file.
    fn written(write: impl FnOnce(&Path) -> Result<()>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        write(&path).unwrap();
        std::fs::read_to_string(&path).unwrap()
    }

    #[test]
    fn history_has_the_columns_of_keras_and_counts_epochs_from_0() {
        let text = written(|path| write_history(path, &HISTORY[..2]));
        assert_eq!(
            text,
            "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.6727,0.6425,0.7692,0.5376\n1,0.7545,0.5685,0.7692,0.5435\n"
        );
    }

    #[test]
    fn history_without_a_validation_part_has_empty_fields() {
        let record = EpochRecord { val_loss: None, val_accuracy: None, ..HISTORY[0] };
        let text = written(|path| write_history(path, &[record]));
        assert_eq!(text, "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.6727,0.6425,,\n");
    }

    #[test]
    fn history_has_further_columns_where_images_may_have_several_labels() {
        let val_labels = LabelFigures { exact_match: Some(0.25), macro_f1: None, macro_roc_auc: Some(0.5) };
        let record = EpochRecord { val_labels: Some(val_labels), ..HISTORY[0] };
        let text = written(|path| write_history(path, &[record]));
        assert_eq!(
            text,
            "epoch,accuracy,loss,val_accuracy,val_loss,val_exact_match,val_macro_f1,val_macro_roc_auc\n\
             0,0.6727,0.6425,0.7692,0.5376,0.25,,0.5\n"
        );
    }

    #[test]
    fn steps_keep_every_bit_of_their_numbers() {
        let third = StepRow { step: 1, epoch: 0, batch_size: 16, loss: 1.0 / 3.0, accuracy: 1.0 };
        let tiny = StepRow { step: 2, epoch: 0, batch_size: 14, loss: 1.5e-9, accuracy: 0.0 };
        let text = written(|path| write_steps(path, &[third, tiny], None));
        assert_eq!(text, "step,epoch,batch_size,loss,accuracy\n1,0,16,0.3333333333333333,1.0\n2,0,14,1.5e-9,0.0\n");
        let staircase = TrainSettings {
            schedule: ScheduleName::Staircase,
            decay_steps: Some(1),
            decay_rate: Some(0.5),
            learning_rate: 0.5,
            ..TrainSettings::default()
        };
        let rates = LearningRates::new(&staircase, &[]).unwrap();
        let text = written(|path| write_steps(path, &[tiny], Some(&rates)));
        assert_eq!(text, "step,epoch,batch_size,loss,accuracy,learning_rate\n2,0,14,1.5e-9,0.0,0.25\n");
    }

    #[test]
    fn timings_read_back_as_they_were_up_to_a_line_that_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timings.csv");
        let rows = [(0, Some(0.1)), (1, None)].map(|(epoch, wait_seconds)| TimingRow {
            epoch,
            seconds: 1.0 / 3.0,
            step_seconds: 1e-9,
            wait_seconds,
            saving_seconds: 0.0,
        });
        write_timings(&path, &rows).unwrap();
        assert_eq!(read_timings(&path).unwrap(), rows);
        std::fs::write(&path, "epoch,seconds,step_seconds,saving_seconds\n0,1,1,0\n1,x,1,0\n2,1,1,0\n").unwrap();
        assert_eq!(read_timings(&path).unwrap().len(), 1);
        assert!(read_timings(&folder.path().join("none.csv")).is_err());
        // A folder stands for all that is no file: devices have no end.
        let error = read_timings(folder.path()).unwrap_err();
        assert!(error.to_string().ends_with(": it is not a file; give a file"), "{error}");
    }

    #[test]
    fn names_with_commas_and_quotes_are_quoted() {
        let row = SplitRow {
            file: "benign/a, \"b\".png".into(),
            class: "benign",
            subset: "validation",
            group: None,
            sha256: None,
        };
        let text = written(|path| write_split(path, &[row]));
        assert_eq!(text, "file,class,subset,sha256\n\"benign/a, \"\"b\"\".png\",benign,validation,\n");
    }

    #[test]
    fn the_split_has_a_column_of_groups_where_there_are_groups() {
        let sha256 = Some([0xA0; 32]);
        let row = SplitRow { file: "b/p1_2.png".into(), class: "b", subset: "training", group: Some("p1"), sha256 };
        let expected = format!("file,class,subset,group,sha256\nb/p1_2.png,b,training,p1,{}\n", "a0".repeat(32));
        assert_eq!(written(|path| write_split(path, &[row])), expected);
    }

    #[test]
    fn a_history_and_a_split_read_back_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        let unvalidated = EpochRecord { epoch: 1, loss: 1.0 / 3.0, val_loss: None, val_accuracy: None, ..HISTORY[1] };
        write_history(&path, &[HISTORY[0], unvalidated]).unwrap();
        let told = |record: &EpochRecord| {
            let EpochRecord { epoch, loss, accuracy, val_loss, val_accuracy, .. } = *record;
            (epoch, loss, accuracy, val_loss, val_accuracy)
        };
        let read = read_history(&path).unwrap();
        assert_eq!(read.iter().map(told).collect::<Vec<_>>(), [HISTORY[0], unvalidated].each_ref().map(told));

        let row =
            SplitRow { file: "b/a, 1.png".into(), class: "b", subset: "training", group: Some("p1"), sha256: None };
        write_split(&path, &[row]).unwrap();
        let line = SplitLine {
            file: "b/a, 1.png".into(),
            class: "b".into(),
            subset: "training".into(),
            sha256: String::new(),
        };
        assert_eq!(read_split(&path).unwrap(), [line]);
        let error = read_history(&path).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: it cannot be read: ", path.display())), "{error}");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let error = write_history(Path::new("no/such/folder/history.csv"), &[]).unwrap_err();
        assert!(error.to_string().starts_with("cannot write no/such/folder/history.csv: "), "{error}");
    }
}
