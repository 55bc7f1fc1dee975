//! From a model file and flags to a network.

use crate::cli::args::ImageSize;
use crate::cli::run_folder::{RunFolder, fold_folders};
use crate::cli::terminal::console::shell_word;
use glassnet::checkpoint::{self, Checkpoint};
use glassnet::classes::Classes;
use glassnet::data::catalog::Catalog;
use glassnet::data::source::read_file;
use glassnet::error::{counted, shortened};
use glassnet::files::{read_table, read_text};
use glassnet::network::Network;
use glassnet::spec::{LayerSpec, ModelSpec};
use glassnet::{Error, Result};
use serde::Deserialize;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use toml::{Spanned, Table, Value};

/// The source of a network, named in messages as the user wrote it.
pub struct Origin<'a> {
    /// The file, or none for the documented model.
    pub file: Option<&'a Path>,
    /// `--image-size`, where it was given.
    pub image_size: Option<ImageSize>,
}

impl Origin<'_> {
    /// The network of `spec`, which came from here, for images of the size that was asked for.
    ///
    /// # Errors
    /// [`Error::Setting`], where the layers do not fit each other or the images.
    pub fn network(&self, mut spec: ModelSpec) -> Result<Network> {
        if let Some(ImageSize { height, width }) = self.image_size {
            spec = spec.with_height_and_width(height, width);
        }
        if let [.., LayerSpec::Relu {}] = spec.layers[..] {
            let reason = "its last layer is a relu, which takes every logit below 0 away, so that no image could be of class 0; \
                          end it with { type = \"dense\", units = 1 }, as the sigmoid belongs to the loss";
            return Err(Error::setting(self.name(), reason));
        }
        Network::new(&spec).map_err(|error| {
            Error::setting(self.name(), format!("no such network can be built: {}", self.place(error)))
        })
    }

    /// The error in words, with the line of the file where its layer stands.
    fn place(&self, error: Error) -> String {
        let Error::Layer { layer, index: Some(index), reason } = &error else { return error.to_string() };
        let text = self.file.and_then(|file| read_text(file).ok()).unwrap_or_default();
        match layers_of(&text).get(*index) {
            Some(found) => format!("layer {layer} in line {}: {reason}", line_of(&text, found.span().start)),
            None => error.to_string(),
        }
    }

    fn name(&self) -> String {
        match (self.file, self.image_size) {
            (Some(file), Some(size)) => format!("{} with --image-size {size}", file.display()),
            (Some(file), None) => file.display().to_string(),
            (None, Some(size)) => format!("--image-size {size}"),
            (None, None) => "the documented model".to_string(),
        }
    }
}

/// The layers in a text, each with its place there, whether a layer is made of them or not; none where the
/// text cannot be read at all.
fn layers_of(text: &str) -> Vec<Spanned<Value>> {
    #[derive(Deserialize)]
    struct Layers {
        layers: Vec<Spanned<Value>>,
    }
    toml::from_str(text).map_or_else(|_| Vec::new(), |Layers { layers }| layers)
}

/// The number of the line at this place in a text.
fn line_of(text: &str, place: usize) -> usize {
    text.get(..place).unwrap_or_default().matches('\n').count() + 1
}

/// Tells what is wrong with an activation where there can be none, as in other programs there can: in a layer
/// that cannot be read.
fn activation_hint(layer: &Value) -> &'static str {
    if layer.get("activation").is_some() {
        return "; an activation is a layer of its own, { type = \"relu\" }, and behind the last layer there is none";
    }
    if layer.get("type").and_then(Value::as_str) == Some("sigmoid") {
        return "; leave it out: the last layer gives the logit, and the sigmoid belongs to the loss";
    }
    ""
}

/// The weights that MODEL means: the file itself, or of a run folder its best.
///
/// # Errors
/// [`Error::Weights`] of a run whose best weights are not there, and of a cross-validation; [`Error::Data`]
/// of a run that has none at all. Each says what to give, or how the run goes on.
pub fn weights_file(model: &Path) -> Result<PathBuf> {
    let [best, last] = ["best", "last"].map(|name| model.join("weights").join(name).with_extension("safetensors"));
    if best.is_file() {
        return Ok(best);
    }
    let word = |path: &Path| shell_word(&path.display().to_string()).into_owned();
    let go_on = format!("go on with it by --resume {}", word(model));
    if last.is_file() {
        let begun_only = checkpoint::card_of(&last).is_some_and(|card| card.training.epochs == 0);
        let reason = match begun_only {
            true => format!("the run stopped before its first epoch was done, so it has no best weights; {go_on}"),
            false => {
                let found = if best.exists() { "it is not a file" } else { "it is gone" };
                format!("{found}; put back a copy of it, or give the weights of the last epoch, {}", word(&last))
            }
        };
        return Err(Error::weights(&best, reason));
    }
    if let [(_, fold), ..] = &fold_folders(model)[..] {
        let reason = format!(
            "it is the folder of a cross-validation, with a run for each fold; give one of these, such as {}",
            fold.display()
        );
        return Err(Error::weights(model, reason));
    }
    if RunFolder::has_begun(model) {
        let lines = |table: &str| read_table(&model.join(table)).map_or(0, |text| text.lines().skip(1).count());
        let config = read_text(&model.join("config.toml")).ok().and_then(|text| text.parse::<Table>().ok());
        let has_ended = config.is_some_and(|config| config.contains_key("outcome"));
        let reason = if has_ended {
            "its weights are gone; put back a copy of its folder weights, or train anew".to_string()
        } else if lines("history.csv") == 0 && lines("steps.csv") > 0 {
            "the run has saved no weights: it stopped in its first epoch, as one does whose loss is no number; train anew, usually \
             with a smaller --learning-rate"
                .to_string()
        } else {
            format!("the run has saved no weights yet; wait for the end of its first epoch, or {go_on}")
        };
        return Err(Error::data(model, reason));
    }
    Ok(model.to_path_buf())
}

/// Checks whether the network tells as many classes apart as the data have, or knows as many labels.
///
/// # Errors
/// [`Error::Setting`] of the model says how its last layer should be.
pub fn check_answers(network: &Network, catalog: &Catalog, model: &str) -> Result<()> {
    let (head, answers) = (network.head(), catalog.answers());
    let (told, wanted) = (head.classes(), answers.count());
    let names = answers.in_words();
    let reason = match (head.has_several_labels(), catalog.combinations.is_some()) {
        (true, false) => format!(
            "it is for images that may have several labels, and each image of the data is of one class, {names}; take several_labels out of it"
        ),
        (false, true) => format!(
            "it is for images of one class each, and those of the data may have several labels, {names}; write several_labels = true, or \
             give its weights with --new-head"
        ),
        _ if told == wanted => return Ok(()),
        (true, true) => format!(
            "its last layer has {}, and the data have {wanted} labels, {names}; end it with {{ type = \"dense\", units = {wanted} }}",
            counted(head.units(), "unit")
        ),
        (false, false) => {
            let units = if wanted == 2 { 1 } else { wanted };
            format!(
                "its last layer has {}, which tells {told} classes apart, and the data have {wanted}, {names}; end it with {{ type = \
                 \"dense\", units = {units} }}",
                counted(head.units(), "unit")
            )
        }
    };
    Err(Error::setting(model, reason))
}

/// Checks whether a threshold that is asked for by this flag parts the classes, which are a model's.
///
/// # Errors
/// [`Error::Setting`] of the flag, where there are more than two.
pub fn check_threshold(flag: &str, value: Option<impl Display>, classes: &Classes) -> Result<()> {
    match (value, classes.two()) {
        (Some(value), None) => {
            let reason = format!(
                "it parts two classes, and of the model's {} the most probable is the answer; leave it out",
                classes.count()
            );
            Err(Error::value(flag, value, reason))
        }
        _ => Ok(()),
    }
}

/// Refuses a model for images that may have several labels, where `work` speaks of the class of each.
///
/// # Errors
/// [`Error::Setting`] of the model.
pub fn refuse_several_labels(network: &Network, model: &Path, work: &str) -> Result<()> {
    match network.head().has_several_labels() {
        true => {
            let reason = format!(
                "{work} speaks of the class of each image, and for this model an image may have several labels; give another"
            );
            Err(Error::setting(model.display().to_string(), reason))
        }
        false => Ok(()),
    }
}

/// Reads a model to predict with: batch normalizations are folded into the weights before them, so its
/// network may have fewer layers than its card tells of.
///
/// # Errors
/// The errors of [`checkpoint::load`].
pub fn load_model(file: &Path) -> Result<Checkpoint> {
    let model = checkpoint::load(file)?;
    Ok(match model.network.folded(&model.parameters)? {
        Some((network, parameters)) => Checkpoint { network, parameters, ..model },
        None => model,
    })
}

/// Checks whether images as they are read can go into the network.
///
/// # Errors
/// [`Error::Setting`] of `--model`, with which alone another input can come.
pub fn check_takes_images(network: &Network) -> Result<()> {
    let [height, width, channels] = network.spec().input;
    if channels == 1 || channels == 3 {
        return Ok(());
    }
    let reason = format!(
        "its input is {height}×{width}×{channels} (height × width × channels), and images are read with 3 channels, or 1 in grey; \
         write input = [{height}, {width}, 3]"
    );
    Err(Error::setting("--model", reason))
}

/// The longest `model.toml`: [`MAX_LAYERS`](glassnet::spec::MAX_LAYERS) layers take a tenth of it.
const MAX_SPEC_BYTES: usize = 1 << 20;

/// Reads a `model.toml`.
///
/// # Errors
/// [`Error::Setting`] names the line that is not as it should be.
pub fn read_spec(path: &Path) -> Result<ModelSpec> {
    let fail = |reason: String| Error::setting(path.display().to_string(), reason);
    if path.is_dir() {
        return Err(fail("it is a folder; give a file that lists layers, such as model.toml".into()));
    }
    let bytes = read_file(path)?;
    if bytes.len() > MAX_SPEC_BYTES {
        let mib = MAX_SPEC_BYTES >> 20;
        return Err(fail(format!(
            "it has more than {mib} MiB; a model.toml lists layers, and weights go to --init-weights"
        )));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        fail("it is not a text file; a model.toml lists layers, and weights go to --init-weights".into())
    })?;
    toml::from_str(&text).map_err(|error: toml::de::Error| {
        // The parser tells where the list of layers begins; the first of them that cannot be read is meant.
        let unreadable = |layer: &Spanned<Value>| LayerSpec::deserialize(layer.get_ref().clone()).is_err();
        let layer = layers_of(&text).into_iter().find(unreadable);
        let place = layer.as_ref().map(Spanned::span).or(error.span()).map_or(0, |span| span.start);
        let message = error.message().replace("expected usize", "expected a whole number");
        let hint = layer.as_ref().map_or("", |layer| activation_hint(layer.get_ref()));
        fail(format!("it is not a model: line {}: {}{hint}", line_of(&text, place), shortened(&message)))
    })
}
