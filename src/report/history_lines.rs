//! `history.jsonl`: the epochs of a run as lines of JSON, each there as soon as its epoch has ended, so that
//! `tail -f` and programs that watch a run see them come.

use super::csv_files::HistoryRow;
use crate::files::write_whole;
use crate::training::EpochRecord;
use crate::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file of a run that goes on.
///
/// A line is `{"epoch":0,"accuracy":…,"loss":…,"val_accuracy":…,"val_loss":…}`: the columns of `history.csv`
/// with the same bits. Without a validation part the last two are `null`, and so is a number that is not
/// finite, which JSON has no word for.
#[derive(Debug)]
pub struct HistoryLines {
    path: PathBuf,
    file: File,
}

impl HistoryLines {
    /// Writes the epochs of a run that are done, none of one that begins, in place of what is there: a run
    /// that was killed may have told of epochs after the one from which it goes on.
    ///
    /// # Errors
    /// [`Error::Io`] names the file that cannot be written.
    pub fn begin(path: &Path, epochs: &[EpochRecord]) -> Result<HistoryLines> {
        let lines: String = epochs.iter().map(line).collect();
        write_whole(path, lines.as_bytes())?;
        let file = File::options().append(true).open(path).map_err(Error::io("write", path))?;
        Ok(HistoryLines { path: path.to_path_buf(), file })
    }

    /// Adds an epoch that has ended. Its line is handed to the system as a whole.
    ///
    /// # Errors
    /// [`Error::Io`] names the file that cannot be written.
    pub fn add(&mut self, epoch: &EpochRecord) -> Result<()> {
        self.file.write_all(line(epoch).as_bytes()).map_err(Error::io("write", &self.path))
    }
}

/// Returns the line of an epoch, with its end.
fn line(epoch: &EpochRecord) -> String {
    let row = serde_json::to_string(&HistoryRow::from(epoch)).expect("a row of numbers is JSON");
    row + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::keras_run::HISTORY;

    #[test]
    fn an_epoch_is_there_when_it_was_added_and_one_too_many_is_gone_when_the_run_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        let text = || std::fs::read_to_string(&path).unwrap();
        let mut lines = HistoryLines::begin(&path, &[]).unwrap();
        assert_eq!(text(), "");
        let third = EpochRecord { loss: 1.0 / 3.0, val_loss: Some(f64::NAN), val_accuracy: None, ..HISTORY[0] };
        lines.add(&third).unwrap();
        let first =
            "{\"epoch\":0,\"accuracy\":0.6727,\"loss\":0.3333333333333333,\"val_accuracy\":null,\"val_loss\":null}\n";
        assert_eq!(text(), first);
        lines.add(&HISTORY[1]).unwrap();
        assert_eq!(text().lines().count(), 2);
        drop(lines);

        let mut lines = HistoryLines::begin(&path, &[third]).unwrap();
        assert_eq!(text(), first);
        lines.add(&HISTORY[1]).unwrap();
        let second = "{\"epoch\":1,\"accuracy\":0.7545,\"loss\":0.5685,\"val_accuracy\":0.7692,\"val_loss\":0.5435}\n";
        assert_eq!(text(), [first, second].concat());
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let error = HistoryLines::begin(Path::new("no/such/folder/history.jsonl"), &[]).unwrap_err();
        assert!(error.to_string().starts_with("cannot write no/such/folder/history.jsonl: "), "{error}");
    }
}
