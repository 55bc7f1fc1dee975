//! What the run of a model was trained and validated on, as the `config.toml` beside its weights tells.

use glassnet::files::read_text;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The data of a run. What its `config.toml` does not tell is none.
#[derive(Default)]
pub struct RunData {
    pub path: Option<PathBuf>,
    /// The hash of all images of a run, or of those that train where others validate.
    pub sha256: Option<String>,
    /// Where the images that validate are, if that is another place.
    pub validation_path: Option<PathBuf>,
    pub validation_sha256: Option<String>,
}

impl RunData {
    /// The data of the run in whose folder `weights` this file stands; nothing, where it stands elsewhere.
    pub fn around(weights: &Path) -> RunData {
        let folder = weights.parent().filter(|folder| folder.ends_with("weights")).and_then(Path::parent);
        let config = folder.and_then(|run| read_text(&run.join("config.toml")).ok());
        let config = config.and_then(|text| text.parse::<Table>().ok());
        let text = |key: &str| Some(config.as_ref()?.get("data")?.get(key).and_then(Value::as_str)?.to_string());
        // From another folder than that where the run began, the paths from the root of the file system lead there.
        let place = |given: &str, absolute: &str| {
            let given = PathBuf::from(text(given)?);
            let absolute = text(absolute).map(PathBuf::from).filter(|path| !given.exists() && path.exists());
            Some(absolute.unwrap_or(given))
        };
        RunData {
            path: place("path", "absolute_path"),
            sha256: text("sha256"),
            validation_path: place("validation_path", "validation_absolute_path"),
            validation_sha256: text("validation_sha256"),
        }
    }
}
