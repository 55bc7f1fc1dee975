//! The one error type of the library. Each variant is a sentence for a person: it names the file, layer or
//! setting, says what was found and what was wanted, and what to do where we can know that.

mod not_finite;
mod words;

pub use not_finite::{FirstNotFinite, TensorName};
pub use words::{and, counted, grouped, some_of};

use std::borrow::Cow;
use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;

/// Everything that can go wrong, told so that the reader can mend it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder that was named is not there.
    #[error("{} does not exist; check the path", path.display())]
    Missing {
        /// The path as it was given.
        path: PathBuf,
    },

    /// A setting has a value that cannot work.
    #[error("{setting}{}: {reason}", value.as_ref().map_or(String::new(), |value| format!(" {value}")))]
    Setting {
        /// Its name: the field, key or flag as the caller writes it.
        setting: String,
        /// The value, where the reason does not tell it.
        value: Option<String>,
        /// The fault of its value, and what would be right.
        reason: String,
    },

    /// Reading or writing failed in the operating system.
    #[error("cannot {action} {}: {}{}", path.display(), in_words(source), advice(action, source))]
    Io {
        /// The word for what was tried: "read", "write", "create".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },

    /// A data set whose folders, files or classes cannot be used.
    #[error("{}: {reason}", path.display())]
    Data {
        /// The folder or zip.
        path: PathBuf,
        /// The fault: what was found, what was wanted.
        reason: String,
    },

    /// A data set whose folders are the parts of a split, and not classes.
    #[error("{}: {reason}give {training} to train on{}", path.display(), validation.as_ref().map_or(String::new(), |folder| format!(", and {folder} to validate on")))]
    Split {
        /// The folder or zip.
        path: PathBuf,
        /// The fault, and what to do first; words that what to give follows.
        reason: String,
        /// The folder that trains.
        training: String,
        /// The folder that validates, if there is one.
        validation: Option<String>,
    },

    /// One image that cannot be decoded.
    #[error("{file} cannot be read as an image: {reason}")]
    Image {
        /// The file's path, or its name in the zip.
        file: String,
        /// The fault, and what to do.
        reason: String,
    },

    /// An array of a shape that a layer cannot take.
    #[error("layer {layer}: an array of {found:?}, where {expected:?} is needed")]
    Shape {
        /// The layer's name.
        layer: String,
        /// The shape that it takes, of a batch with the most images.
        expected: Vec<usize>,
        /// The shape of what was given.
        found: Vec<usize>,
    },

    /// A network that cannot be built.
    #[error("layer {layer}: {reason}")]
    Layer {
        /// The layer's name.
        layer: String,
        /// Its place in the list of layers, from 0; none for the input.
        index: Option<usize>,
        /// The misfit, with both shapes.
        reason: String,
    },

    /// A weights file that is broken, or made for another network.
    #[error("weights file {}: {reason}{}", path.display(), advice.map_or(String::new(), |advice| format!("; {advice}")))]
    Weights {
        /// The file.
        path: PathBuf,
        /// The fault.
        reason: String,
        /// The advice, where the reason does not hold it.
        advice: Option<&'static str>,
    },

    /// Someone pressed Ctrl-C, or the system asked the program to end.
    #[error("interrupted; what was reached by then is in the run folder")]
    Interrupted,

    /// What went wrong at another rank of a job, in its words.
    #[error("{0}")]
    Told(String),

    /// A rank of a job cannot go on, or is gone.
    #[error("{rank}: {reason}")]
    Rank {
        /// The rank, as a person knows it.
        rank: String,
        /// What is wrong, and what to do about it.
        reason: String,
    },

    /// A number stopped being finite, so that going on would be meaningless.
    #[error("the loss became {value} in epoch {epoch}, step {step}{}", behind_a_colon(first, *epoch, *step))]
    NotFinite {
        /// NaN or an infinity.
        value: f64,
        /// The epoch, from 1.
        epoch: usize,
        /// The step in all, from 1.
        step: usize,
        /// Where it began, if that is known.
        first: Option<Box<FirstNotFinite>>,
    },

    /// Weights stopped being finite. The loss may hide it, as a ReLU takes NaN for 0.
    #[error("weights stopped being finite in epoch {epoch}, step {step}{}", behind_a_colon(first, *epoch, *step))]
    WeightsNotFinite {
        /// The epoch, from 1.
        epoch: usize,
        /// The step in all, from 1.
        step: usize,
        /// Where it began, if that is known.
        first: Option<Box<FirstNotFinite>>,
    },
}

/// Returns where it began, as the end of the sentence that tells of this step.
fn behind_a_colon(first: &Option<Box<FirstNotFinite>>, epoch: usize, step: usize) -> String {
    first.as_ref().map_or(String::new(), |first| format!(": {}", first.seen_from(epoch, step)))
}

/// Returns a text that comes from a file, for a sentence: its first 200 letters. Files may hold names and
/// words of any length.
pub fn shortened(text: &str) -> Cow<'_, str> {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Returns the system's words for a failure, without the number that it has there.
pub fn in_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_string(),
        None => text,
    }
}

/// Returns the advice for a failure of the system, with a semicolon before it, where that is known.
fn advice(action: &str, error: &std::io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::PermissionDenied if action == "read" => {
            "; give yourself the right to read it (chmod u+r, on a folder u+rx)"
        }
        ErrorKind::PermissionDenied => "; give yourself the right to write there (chmod u+w), or name another place",
        ErrorKind::ReadOnlyFilesystem => "; name a place on another file system",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "; make room there, or name another place",
        _ => "",
    }
}

/// Returns the text as a word of a shell's command line.
pub fn shell_word(text: &str) -> Cow<'_, str> {
    let plain = |char: char| char.is_alphanumeric() || "/._-+,:@%".contains(char);
    match !text.is_empty() && text.chars().all(plain) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("'{}'", text.replace('\'', r"'\''"))),
    }
}

/// A result whose error is [`Error`], unless another is named.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Returns an [`Error::Io`] for `map_err`, or [`Error::Missing`] where that is what the system means.
    pub fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| match source.kind() {
            std::io::ErrorKind::NotFound if action == "read" => Error::Missing { path },
            _ => Error::Io { action, path, source },
        }
    }

    /// Returns an [`Error::Setting`].
    pub fn setting(setting: impl Into<String>, reason: impl Into<String>) -> Error {
        Error::Setting { setting: setting.into(), value: None, reason: reason.into() }
    }

    /// Returns an [`Error::Setting`] of a value.
    pub fn value(setting: impl Into<String>, value: impl fmt::Display, reason: impl Into<String>) -> Error {
        Error::Setting { setting: setting.into(), value: Some(value.to_string()), reason: reason.into() }
    }

    /// Returns an [`Error::Data`].
    pub fn data(path: impl Into<PathBuf>, reason: impl Into<String>) -> Error {
        Error::Data { path: path.into(), reason: reason.into() }
    }

    /// Returns an [`Error::Layer`] of the input.
    pub fn layer(layer: impl Into<String>, reason: impl Into<String>) -> Error {
        Error::Layer { layer: layer.into(), index: None, reason: reason.into() }
    }

    /// Returns an [`Error::Layer`] of the layer at `index`.
    pub fn layer_at(index: usize, layer: impl Into<String>, reason: impl Into<String>) -> Error {
        Error::Layer { layer: layer.into(), index: Some(index), reason: reason.into() }
    }

    /// Returns an [`Error::Weights`].
    pub fn weights(path: impl Into<PathBuf>, reason: impl Into<String>) -> Error {
        Error::Weights { path: path.into(), reason: reason.into(), advice: None }
    }

    /// Returns an [`Error::Weights`] with what to do.
    pub(crate) fn weights_with_advice(
        path: impl Into<PathBuf>,
        reason: impl Into<String>,
        advice: &'static str,
    ) -> Error {
        Error::Weights { path: path.into(), reason: reason.into(), advice: Some(advice) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_or_quotes_is_one_word_of_a_shell() {
        assert_eq!(shell_word("runs/train1"), "runs/train1");
        assert_eq!(shell_word("my runs/it's"), r"'my runs/it'\''s'");
    }
}
