//! How a command ends.

use glassnet::Error;
use glassnet::error::{in_words, shell_word};
use std::fmt;
use std::io;
use std::path::Path;

/// How a command ends.
pub type CommandResult = std::result::Result<Outcome, Failure>;

/// What a command that did not fail as a whole says of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All was done.
    Done,
    /// A part could not be done, and was named; the rest was.
    PartlyFailed,
}

/// Why a command ended early.
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

    /// Whether the reader of our stdout went away.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Failure::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

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
            Failure::Work(error) => error.fmt(formatter),
            Failure::Stopped { error, go_on } => {
                let error_text = error.to_string();
                // What the error says is to be done comes first.
                let advises = error_text.contains("; ") && !matches!(error, Error::Interrupted);
                let then = if advises { "then go on with" } else { "go on with" };
                write!(formatter, "{error_text}; {then}: {go_on}")
            }
            Failure::Interrupted { sentence } => formatter.write_str(sentence),
            Failure::Stdout(error) => write!(formatter, "cannot write the results to stdout: {}", in_words(error)),
        }
    }
}
