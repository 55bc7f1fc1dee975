//! The checks that a run goes on as it began, and the errors where it does not.

use super::difference::{Difference, first_difference};
use super::files::changed_files;
use super::flags::flag;
use super::resumed_run::{RESUME, ResumedRun};
use crate::cli::args::{Cli, is_given};
use crate::cli::input::dataset::VALIDATION_DATA;
use crate::cli::run_folder::RunFolder;
use crate::cli::run_folder::identity::identity;
use crate::cli::terminal::console;
use clap::CommandFactory;
use glassnet::report::csv_files::SplitRow;
use glassnet::{Error, Result};
use std::path::Path;
use toml::{Table, Value};

impl ResumedRun {
    /// Checks whether this command can go on with the run by itself, as the flags given have it; `of_folds`
    /// is one that is for cross-validations.
    pub fn check_whole(&self, of_folds: Option<&str>, validation_data: Option<&Path>) -> Result<()> {
        let folder = self.folder.path();
        if let Some(fold) = self.setting("fold").and_then(Value::as_str) {
            let whole = folder.parent().map_or_else(|| "..".to_string(), |parent| parent.display().to_string());
            let go_on = format!("glassnet {} {RESUME} {}", self.command(), console::shell_word(&whole));
            let reason =
                format!("{} holds fold {fold} of a cross-validation; go on with all of it: {go_on}", folder.display());
            return Err(Error::setting(RESUME, reason));
        }
        if validation_data.is_some() && self.data_text("validation_path").is_none() {
            let reason = format!(
                "the run in {} validates on a part of its data; leave it out to go on, or start a new run",
                folder.display()
            );
            return Err(Error::setting(VALIDATION_DATA, reason));
        }
        if let Some(flag) = of_folds.filter(|_| self.setting("folds").is_none()) {
            let reason = format!(
                "the run in {} is no cross-validation; leave it out to go on, or start a new run",
                folder.display()
            );
            return Err(Error::setting(flag, reason));
        }
        Ok(())
    }

    /// Checks whether the run shall go on with what it `was` made from. Tables that are not in `now` are not
    /// looked at; `files` are those of its data.
    ///
    /// # Errors
    /// [`Error::Setting`] names the first that differs, and both values; of data [`Error::Data`] names the
    /// files that differ.
    pub fn check(&self, was: &Table, now: &Table, files: &[SplitRow]) -> Result<()> {
        let data = now.get("data");
        let now = identity(now);
        // The flags first, as they are what the user has given.
        let mut tables: Vec<&String> = now.keys().collect();
        tables.sort_by_key(|table| *table != "settings");
        for table in tables {
            let nothing = Value::Table(Table::new());
            if let Some(difference) = first_difference(table, was.get(table).unwrap_or(&nothing), &now[table]) {
                return Err(match changed_files(self, &difference.path, data, files) {
                    Some(error) => error,
                    None => self.contradiction(difference),
                });
            }
        }
        Ok(())
    }

    /// The folder, to go on in with what is `now`, which is what nothing but `config.toml` tells of.
    ///
    /// # Errors
    /// The errors of [`ResumedRun::check`].
    pub fn go_on_as(self, now: &Table, files: &[SplitRow]) -> Result<RunFolder> {
        self.check(&self.identity(None)?, now, files)?;
        self.warn_of_changed_circumstances(now);
        Ok(self.folder)
    }

    pub fn contradiction(&self, Difference { path, was, now }: Difference) -> Error {
        let run = format!("the run in {}", self.folder.path().display());
        let away = "leave it out to go on, or start a new run";
        let flags = match path.split_once('.') {
            Some(("data", "sha256")) => {
                let reason = format!(
                    "the images are not those of {run}: their SHA-256 was {was}, and is {now}; give the same data, or start a new run"
                );
                return Error::data("DATA", reason);
            }
            Some(("data", key)) => {
                let reason = format!(
                    "the images are not those of {run}: {key} was {was}, and is {now}; give the same data, or start a new run"
                );
                return Error::data("DATA", reason);
            }
            Some(("settings", key)) => flag(&Cli::command(), self.command(), key).into_iter().collect(),
            Some(("model", _)) => vec!["--model".to_string(), "--dropout".to_string()],
            _ => Vec::new(),
        };
        let (_, key) = path.split_once('.').unwrap_or(("", &path));
        if !flags.iter().any(|flag| is_given(flag)) {
            // Nobody has asked for it but the file.
            let key = if path.starts_with("settings.") { key } else { &path };
            let reason = format!(
                "{}: {key} is {now}, and {run} was made with {was}; put back a copy of the file, or start a new run",
                self.folder.config().display()
            );
            return Error::setting(RESUME, reason);
        }
        // Eight bits are not written down.
        let bits = |value: String| if key == "bit_depth" && value == "none" { "8".to_string() } else { value };
        let (was, now) = (bits(was), bits(now));
        match (flags.as_slice(), was.as_str(), now.as_str()) {
            ([flag], "none" | "false", "true") => Error::setting(flag, format!("{run} was made without it; {away}")),
            ([flag], ..) if flag.starts_with("--no-") => {
                Error::setting(flag, format!("{run} has {key} = {was}, and {key} = {now} is asked for; {away}"))
            }
            ([flag], ..) => Error::setting(flag, format!("{run} has {was}, and {now} is asked for; {away}")),
            _ => Error::setting(
                flags.join(", "),
                format!("{run} has a model with {key} = {was}, and {now} is asked for; {away}"),
            ),
        }
    }

    /// Says what has changed of the circumstances so that the bits may.
    pub fn warn_of_changed_circumstances(&self, now: &Table) {
        let machine =
            |config: &Table| config.get("machine").and_then(|machine| machine.get("instruction_set")).cloned();
        for (what, was, now) in [
            ("version", self.config.get("version").cloned(), now.get("version").cloned()),
            ("instruction set", machine(&self.config), machine(now)),
            ("algorithms", self.config.get("algorithms").cloned(), now.get("algorithms").cloned()),
        ] {
            if was != now {
                let [was, now] = [was, now].map(|value| value.map_or("none".to_string(), |value| value.to_string()));
                console::warn(&format!(
                    "the run began with the {what} {was} and goes on with {now}; its numbers may differ by rounding from \
                     those of a run that never stopped"
                ));
            }
        }
    }
}
