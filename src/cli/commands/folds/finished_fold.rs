//! A fold that came to its end, as the files in its folder tell.

use crate::cli::run::fold_summary::{TrainedFold, validated_before};
use crate::cli::run_folder::RunFolder;
use crate::cli::run_folder::settings::Fold;
use crate::cli::terminal::console::shell_word;
use glassnet::classes::Classes;
use glassnet::data::images::{digest_from_hexadecimal, set_sha256};
use glassnet::files::read_text;
use glassnet::report::csv_files::{SplitLine, read_history, read_split};
use glassnet::report::folds::KeptWeights;
use glassnet::training::best_epoch;
use glassnet::{Error, Result};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The parts in `split.csv`.
const TRAINING: &str = "training";
pub const VALIDATION: &str = "validation";
pub const SKIPPED: &str = "skipped";

/// The folder of a fold, read.
pub struct FinishedFold {
    pub folder: PathBuf,
    pub fold: Fold,
    /// Its `config.toml`, as a text and as a table.
    pub text: String,
    pub config: Table,
    /// Its `split.csv`: the training part, the validation part, and what could not be read.
    pub files: Vec<SplitLine>,
    /// Held so that no process changes it meanwhile.
    #[expect(dead_code, reason = "it is held, and never looked at")]
    held: RunFolder,
}

impl FinishedFold {
    /// Reads a fold's folder.
    ///
    /// # Errors
    /// [`Error::Setting`], where it is no fold's, or of one that has not come to its end; [`Error::Data`],
    /// where its files are not as they were written.
    pub fn read(folder: &Path) -> Result<FinishedFold> {
        let held = RunFolder::open(folder)?;
        let file = held.config();
        let text = read_text(&file)?;
        let shown = folder.display();
        let config: Table = text.parse().map_err(|error: toml::de::Error| {
            let reason = format!("it is no TOML: {}; put back a copy of the file", error.message());
            Error::data(&file, reason)
        })?;
        let fold = config.get("settings").and_then(|settings| settings.get("fold")).and_then(Value::as_str);
        let Some(fold) = fold.and_then(Fold::parse) else {
            let reason = format!("{shown} is the run of no fold; give fold folders, or runs of train --only-fold");
            return Err(Error::setting("DIR", reason));
        };
        if !config.contains_key("outcome") {
            let run = folder.parent().filter(|run| RunFolder::has_begun(run));
            let go_on = run.map_or(String::new(), |run| {
                format!("; go on with it: glassnet train --resume {}", shell_word(&run.display().to_string()))
            });
            return Err(Error::setting("DIR", format!("fold {fold}, in {shown}, has not come to its end{go_on}")));
        }
        let files = read_split(&folder.join("split.csv"))?;
        let fold = FinishedFold { folder: folder.to_path_buf(), fold, text, config, files, held };
        fold.check_hash()?;
        Ok(fold)
    }

    /// Checks whether `split.csv` lists the files that the fold was trained and validated on.
    fn check_hash(&self) -> Result<()> {
        if self.data_text("sha256") == Some(&sha256(self.readable())) {
            return Ok(());
        }
        let reason = "its files are not those whose hash is in the config.toml beside it; put back a copy of both";
        Err(Error::data(self.folder.join("split.csv"), reason))
    }

    /// A text in the table of its data.
    pub fn data_text(&self, key: &str) -> Option<&str> {
        self.config.get("data")?.get(key)?.as_str()
    }

    /// Its classes.
    ///
    /// # Errors
    /// [`Error::Data`], where there are none.
    pub fn classes(&self) -> Result<Classes> {
        let names = self.config.get("data").and_then(|data| data.get("classes")).cloned();
        names.and_then(|names| names.try_into().ok()).ok_or_else(|| {
            let reason = "its classes are not as they were written; put back a copy of the file";
            Error::data(self.folder.join("config.toml"), reason)
        })
    }

    /// The files that trained or validated, in this order.
    pub fn readable(&self) -> impl Iterator<Item = &SplitLine> {
        self.files.iter().filter(|line| line.subset != SKIPPED)
    }

    /// The files that could not be read.
    pub fn skipped(&self) -> impl Iterator<Item = &SplitLine> {
        self.files.iter().filter(|line| line.subset == SKIPPED)
    }

    /// The result of the fold.
    ///
    /// # Errors
    /// Those of its tables.
    pub fn trained(&self, classes: &Classes) -> Result<TrainedFold> {
        let history = read_history(&self.folder.join("history.csv"))?;
        let best = best_epoch(&history).map(|epoch| &history[epoch]);
        let last = history.last();
        // There are no predictions where all images that would validate were left out.
        let validated = last.and_then(|last| last.val_loss).map(|_| validated_before(&self.folder, classes));
        let training = self.files.iter().filter(|line| line.subset == TRAINING).count();
        let stops_early = self.config.get("settings").is_some_and(|settings| settings.get("early_stopping").is_some());
        let kept = if stops_early { KeptWeights::Best } else { KeptWeights::Last };
        let validated = validated.transpose()?;
        Ok(TrainedFold::new(self.fold.number, &self.folder, training, [best, last], kept, validated.as_ref()))
    }
}

/// The hash of these files, as [`set_sha256`] takes it.
pub fn sha256<'a>(files: impl Iterator<Item = &'a SplitLine>) -> String {
    let digests: Vec<_> = files.map(|line| (line.file.as_str(), digest_from_hexadecimal(&line.sha256))).collect();
    set_sha256(digests.iter().filter_map(|(file, digest)| Some((*file, digest.as_ref()?))))
}
