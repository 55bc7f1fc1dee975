//! The end of a command.

use glassnet::Error;
use glassnet::error::{FirstNotFinite, TensorName, in_words, shell_word};
use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::Path;

/// The end of a command.
pub type CommandResult = std::result::Result<Outcome, Failure>;

/// The outcome of a command that did not fail as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All was done.
    Done,
    /// A part could not be done, and was named; the rest was.
    PartlyFailed,
}

/// The reason why a command ended early.
#[derive(Debug)]
pub enum Failure {
    /// The library says so.
    Work(Error),
    /// A run ended before its end, and this command goes on with it.
    Stopped { error: Error, go_on: String },
    /// A signal ended work that leaves no run; what is left of it is told.
    Interrupted { sentence: String },
    /// Stdout cannot be written.
    Stdout(io::Error),
}

impl Failure {
    /// The end of a run of `command` in `folder`, before it was done.
    pub fn stopped(error: Error, command: &str, folder: &Path) -> Failure {
        let go_on = format!("glassnet {command} --resume {}", shell_word(&folder.display().to_string()));
        Failure::Stopped { error, go_on }
    }

    /// Returns whether the reader of our stdout went away.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Failure::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// The settings of the library that have a flag of their name.
const HAVE_FLAGS: [&str; 30] = [
    "alpha",
    "batch_size",
    "clip_norm",
    "clip_value",
    "decay_rate",
    "decay_steps",
    "folds",
    "global_clip_norm",
    "group_column",
    "group_regex",
    "image_size",
    "label_column",
    "label_separator",
    "label_smoothing",
    "learning_rate",
    "momentum",
    "nesterov",
    "path_column",
    "pieces",
    "plateau_factor",
    "plateau_min_delta",
    "plateau_patience",
    "schedule",
    "shards",
    "size",
    "split_column",
    "validation_split",
    "warmup_steps",
    "warmup_target",
    "weight_decay",
];

/// The flag of a setting that the library names, or the setting as it is, where there is none.
pub fn flag_of(setting: &str) -> Cow<'_, str> {
    match HAVE_FLAGS.contains(&setting) {
        true => Cow::Owned(format!("--{}", setting.replace('_', "-"))),
        false => Cow::Borrowed(setting),
    }
}

/// An error of the library as the program tells it: with flags for settings, and with the flags that help.
pub fn told(error: &Error) -> String {
    match error {
        Error::Setting { setting, value, reason } => {
            let (setting, value, reason) = (flag_of(setting).into_owned(), value.clone(), reason.clone());
            Error::Setting { setting, value, reason }.to_string()
        }
        Error::Split { path, reason, training, validation } => {
            let validates = validation.as_ref().map_or(String::new(), |folder| format!(" --validation-data {folder}"));
            format!("{}: {reason}give them one by one: glassnet train {training}{validates}", path.display())
        }
        Error::NotFinite { first, .. } | Error::WeightsNotFinite { first, .. } => {
            format!("{error}; {}", after_not_finite(first.as_deref()))
        }
        error => error.to_string(),
    }
}

/// The advice where a training stopped being finite.
fn after_not_finite(first: Option<&FirstNotFinite>) -> &'static str {
    match first.map(|first| &first.tensor) {
        Some(TensorName::Pixels) => "mend these images, or take them out",
        Some(TensorName::Weights(_)) => {
            "a smaller --learning-rate usually helps, and --watch tells which gradient they came from"
        }
        _ => SMALLER_STEPS,
    }
}

/// The advice against divergence.
pub const SMALLER_STEPS: &str = "a smaller --learning-rate usually helps";

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Work(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Stdout(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Failure::Work(error) => formatter.write_str(&told(error)),
            Failure::Stopped { error: Error::Interrupted, go_on } => {
                write!(formatter, "{}; go on with: {go_on}", Error::Interrupted)
            }
            Failure::Stopped { error, go_on } => {
                write!(formatter, "{}; when that is mended, go on with: {go_on}", told(error))
            }
            Failure::Interrupted { sentence } => formatter.write_str(sentence),
            Failure::Stdout(error) => write!(formatter, "cannot write the results to stdout: {}", in_words(error)),
        }
    }
}
