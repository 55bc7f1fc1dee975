//! All about a model but its weights, as a weights file's metadata tell it.

use super::tensor_file::TensorFile;
use crate::classes::combinations::check_labels;
use crate::classes::{Classes, first_repeated};
use crate::data::reading::Reading;
use crate::error::shortened;
use crate::spec::{LayerSpec, ModelSpec};
use crate::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// The factor of [`sample::scale`](crate::data::sample::scale).
pub const RESCALE: f64 = 1.0 / 255.0;
/// The way in which pictures are resized by default, in a [`ModelCard`].
pub const RESIZE: &str = "nearest";

/// The longest name of a class. It is that of a folder, and is told beside every answer.
pub const MAX_CLASS_NAME_BYTES: usize = 1024;

/// All about a model but its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// The version of glassnet that wrote the file.
    pub version: String,
    /// The layers and the input size.
    pub spec: ModelSpec,
    /// The classes. Of two, the probability of one unit is that of the second. The labels, where an image may
    /// have several, as the spec says.
    pub classes: Classes,
    /// The factor of every byte of an image: always [`RESCALE`].
    pub rescale: f64,
    /// The way images were brought to the input size: [`Reading::resize_name`] of `reading`.
    pub resize: String,
    /// The way files were read; what is the default is not written, so that files of old versions have it
    /// too.
    #[serde(default, skip_serializing_if = "Reading::is_default")]
    pub reading: Reading,
    /// Class 1 is predicted where its probability is above this; each of several labels, where its own is.
    pub threshold: f64,
    /// The training that the weights came from.
    pub training: TrainingFacts,
}

/// The training that a model's weights came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingFacts {
    /// Epochs trained.
    pub epochs: usize,
    /// The run's seed.
    pub seed: u64,
    /// Images trained on.
    pub images: usize,
    /// The loss on the validation part after the last of these epochs.
    pub val_loss: Option<f64>,
    /// The accuracy on it.
    pub val_accuracy: Option<f64>,
}

impl ModelCard {
    /// Refuses a card that this version cannot follow, or whose values contradict each other.
    ///
    /// # Errors
    /// [`Error::Weights`].
    pub(super) fn check(&self, path: &Path) -> Result<()> {
        self.fault().map_or(Ok(()), |reason| Err(Error::weights(path, reason)))
    }

    /// Tells in a sentence why this version cannot follow the card, or in what its values contradict each
    /// other.
    pub(crate) fn fault(&self) -> Option<String> {
        let known = self.reading.resize_name();
        if self.rescale != RESCALE || self.resize != known {
            let reason = format!(
                "its images were scaled by {} and resized by '{}', but this version knows only {RESCALE} and, of such files, '{known}'; use the \
             glassnet that wrote it, version {}",
                self.rescale,
                shortened(&self.resize),
                shortened(&self.version)
            );
            return Some(reason);
        }
        if let Some(name) = self.classes.names().find(|name| name.len() > MAX_CLASS_NAME_BYTES) {
            let reason = format!(
                "a class has a name of {} bytes, and {MAX_CLASS_NAME_BYTES} are the most: '{}'; take another",
                name.len(),
                shortened(name)
            );
            return Some(reason);
        }
        if let Err(error) = check_labels(&self.classes)
            && self.spec.several_labels
        {
            return Some(error.to_string());
        }
        if !(0.0..=1.0).contains(&self.threshold) {
            return Some(format!(
                "its threshold is {}, and a probability is from 0 to 1; take another",
                self.threshold
            ));
        }
        None
    }
}

/// Reads the metadata's JSON.
///
/// # Errors
/// [`Error::Weights`], where there is none, or not that of a `T`; what is at fault is told.
pub fn read_description<T: for<'a> Deserialize<'a>>(path: &Path, file: &TensorFile) -> Result<T> {
    let json = file.description().ok_or_else(|| {
        Error::weights_with_advice(
            path,
            "it holds tensors but no model description",
            "give a file that 'glassnet train' wrote",
        )
    })?;
    serde_json::from_str(json).map_err(|error| {
        log::debug!("the model description in {}: {error}", path.display());
        let fault = fault(json);
        let reason = format!(
            "its model description cannot be used: {fault}; the file was changed or is damaged, give another that 'glassnet train' wrote"
        );
        Error::weights(path, reason)
    })
}

/// Tells what is not right in a model description, in words that go on after it.
fn fault(description: &str) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_str(description) else {
        return "it is no whole JSON object".to_string();
    };
    fn reads<T: DeserializeOwned>(value: &Value) -> bool {
        T::deserialize(value).is_ok()
    }
    type Reads = fn(&Value) -> bool;
    let wanted: [(&str, Reads); 7] = [
        ("version", reads::<String>),
        ("spec", reads::<ModelSpec>),
        ("classes", reads::<Classes>),
        ("rescale", reads::<f64>),
        ("resize", reads::<String>),
        ("threshold", reads::<f64>),
        ("training", reads::<TrainingFacts>),
    ];
    let layers = fields.get("spec").and_then(|spec| spec.get("layers")).and_then(Value::as_array);
    if let Some(place) = layers.and_then(|layers| layers.iter().position(|layer| !reads::<LayerSpec>(layer))) {
        return format!("layer {} in its 'spec' is none that this version knows", place + 1);
    }
    for (name, reads) in wanted {
        match fields.get(name) {
            None => return format!("it has no '{name}'"),
            Some(value) if !reads(value) => {
                let twice = Some(value).filter(|_| name == "classes").and_then(called_twice);
                return match twice {
                    Some(class) => format!("two of its classes are called '{}'", shortened(class)),
                    None => format!("its '{name}' is not as it was written"),
                };
            }
            Some(_) => {}
        }
    }
    if fields.get("reading").is_some_and(|reading| !reads::<Reading>(reading)) {
        return "its 'reading' is not as it was written".to_string();
    }
    "its 'run' is not as it was written".to_string()
}

/// Returns the first name that a list of names holds a second time.
fn called_twice(names: &Value) -> Option<&str> {
    let names: Vec<&str> = names.as_array()?.iter().map(Value::as_str).collect::<Option<_>>()?;
    first_repeated(names.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_that_cannot_be_told_apart_are_told() {
        let fault =
            |classes: &str| fault(&format!(r#"{{"version": "", "spec": {{"layers": []}}, "classes": {classes}}}"#));
        assert_eq!(fault(r#"["cat", "dog", "cat"]"#), "two of its classes are called 'cat'");
        assert_eq!(fault(r#"["cat"]"#), "its 'classes' is not as it was written");
        assert_eq!(fault(r#"["cat", 1]"#), "its 'classes' is not as it was written");
        assert_eq!(fault(r#"["cat", "dog", "hare"]"#), "it has no 'rescale'");
    }
}
