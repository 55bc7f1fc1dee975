//! The data that the run of a model was trained and validated on, as the `config.toml` beside its weights
//! tells.

use crate::cli::args::LabelsArgs;
use glassnet::data::source::is_there;
use glassnet::error::shortened;
use glassnet::files::read_text;
use glassnet::{Error, Result};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The name in place of a path where the set was drawn in memory.
pub const DRAWN_SET: &str = "the phantom set";

/// The data of a run. What its `config.toml` does not tell is none.
#[derive(Default)]
pub struct RunData {
    pub path: Option<PathBuf>,
    /// The hash of all images of a run, or of those that train where others validate.
    pub sha256: Option<String>,
    /// The place of the images that validate, if it is another.
    pub validation_path: Option<PathBuf>,
    /// The run's name for that place, which stands before the names of its images.
    pub validation_name: Option<String>,
    pub validation_sha256: Option<String>,
    /// The labels of the data, where they are not in them.
    pub labels: LabelsArgs,
}

/// The labels that the settings in a run's `config.toml` tell of.
pub fn labels_of(config: &Table) -> LabelsArgs {
    let settings = config.get("settings");
    let text = |key: &str| settings?.get(key)?.as_str().map(str::to_string);
    LabelsArgs {
        labels: text("labels").map(PathBuf::from),
        path_column: text("path_column"),
        label_column: text("label_column"),
        label_separator: text("label_separator"),
        group_column: text("group_column"),
        split_column: text("split_column"),
    }
}

/// Data that a command takes because the user has given none.
pub struct Wanted<'a> {
    /// The place where they are to be.
    pub path: &'a Path,
    /// Their use: `trained on`, `validated on`.
    pub part: &'static str,
    /// The user's name for data that are given, such as `DATA`.
    pub argument: &'static str,
}

impl Wanted<'_> {
    /// Checks whether data that the run of the weights `file` had are there.
    ///
    /// # Errors
    /// [`Error::Setting`] of the argument that is to be given, where they are not.
    pub fn check_there(&self, file: &Path) -> Result<()> {
        let Wanted { path, part, argument } = *self;
        if is_there(path) {
            return Ok(());
        }
        let run = file.parent().and_then(Path::parent).unwrap_or(file).display();
        let reason = match path == Path::new(DRAWN_SET) {
            true => format!(
                "the set that the run in {run} was {part} was drawn in memory; draw it again with glassnet phantom --out ph, and give \
                 ph"
            ),
            false => format!(
                "the run in {run} was {part} {}, which is not there; give {argument}, or go to the folder where the run began",
                shortened(&path.display().to_string())
            ),
        };
        Err(Error::setting(argument, reason))
    }
}

impl RunData {
    /// The data of the run in whose folder `weights` this file stands; nothing, where it stands elsewhere.
    pub fn around(weights: &Path) -> RunData {
        let folder = weights.parent().filter(|folder| folder.ends_with("weights")).and_then(Path::parent);
        let config = folder.and_then(|run| read_text(&run.join("config.toml")).ok());
        let config = config.and_then(|text| text.parse::<Table>().ok());
        let text = |key: &str| Some(config.as_ref()?.get("data")?.get(key).and_then(Value::as_str)?.to_string());
        // From another folder than that where the run began, the paths from the root of the file system lead
        // there.
        let place = |given: &str, absolute: &str| {
            let given = PathBuf::from(text(given)?);
            let absolute = text(absolute).map(PathBuf::from).filter(|path| !is_there(&given) && is_there(path));
            Some(absolute.unwrap_or(given))
        };
        RunData {
            path: place("path", "absolute_path"),
            sha256: text("sha256"),
            validation_name: text("validation_path"),
            validation_path: place("validation_path", "validation_absolute_path"),
            validation_sha256: text("validation_sha256"),
            labels: config.as_ref().map(labels_of).unwrap_or_default(),
        }
    }
}
