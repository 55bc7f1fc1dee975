//! Weights files: safetensors, with all that a prediction needs in the metadata.
//!
//! The tensors bear Keras's names and shapes, little-endian f32 in C order, so any safetensors reader can use
//! them. The metadata has one key, `glassnet`, whose value is a [`ModelCard`] as JSON. A file from which a
//! run can go on ([`run`]) has further tensors, whose names cannot be those of weights, and one more field in
//! the JSON.

mod card;
mod network_tensors;
pub mod run;
mod state_tensors;
pub(crate) mod tensor_file;

use crate::network::Network;
use crate::parameters::{Parameters, Role, Statistic, TensorEntry};
use crate::{Error, Result};
use card::read_description;
pub use card::{MAX_CLASS_NAME_BYTES, ModelCard, RESCALE, RESIZE, TrainingFacts};
use network_tensors::{any, check, named, read, read_into, refuse_foreign};
use std::path::Path;
use tensor_file::{TensorFile, Tensors};

/// A model, ready to predict.
#[derive(Clone)]
pub struct Checkpoint {
    /// All but the weights.
    pub card: ModelCard,
    /// The network of the card's spec.
    pub network: Network,
    /// Its weights.
    pub parameters: Parameters,
}

/// Writes a weights file; one of that name is always whole ([`write_whole`](crate::files::write_whole)).
///
/// # Errors
/// [`Error::Io`], where the folder cannot be written or the disk is full.
pub fn save(path: &Path, card: &ModelCard, parameters: &Parameters) -> Result<()> {
    let description = serde_json::to_string(card).map_err(|error| Error::weights(path, error.to_string()))?;
    Tensors::new(named(parameters, "", any).collect()).write(path, description)
}

/// Writes another threshold into a file of weights, or one from which a run can go on. All else in it stays
/// as it is, and one of that name is always whole.
///
/// # Errors
/// Those of [`load`] for a file that is none of ours, and of [`save`].
pub fn save_threshold(path: &Path, threshold: f64) -> Result<()> {
    let file = TensorFile::open(path)?;
    let card = ModelCard { threshold, ..read_description(path, &file)? };
    card.check(path)?;
    let description = run::description(path, &file, card)?;
    file.describe_anew(description)
}

/// Reads a model, from a file of weights or one from which a run can go on.
///
/// # Errors
/// [`Error::Missing`], or [`Error::Weights`] where the file is not one of ours, is broken, or its tensors are
/// not those of its own spec.
pub fn load(path: &Path) -> Result<Checkpoint> {
    let begun = std::time::Instant::now();
    let mut file = TensorFile::open(path)?;
    let card: ModelCard = read_description(path, &file)?;
    card.check(path)?;
    let network = Network::new(&card.spec)
        .map_err(|error| Error::weights(path, format!("its model cannot be built: {error}")))?;
    let (named, told_apart) = (card.classes.count(), network.head().classes());
    if named != told_apart {
        let reason = format!("it names {named} classes, and its network tells {told_apart} apart; take another");
        return Err(Error::weights(path, reason));
    }
    let parameters = weights(path, &mut file, &network)?;
    let count = network.table().parameter_count();
    log::debug!("{}: {count} parameters read in {:.1?}", path.display(), begun.elapsed());
    Ok(Checkpoint { card, network, parameters })
}

/// Reads weights for a network, from a file of any program that names and shapes them so; metadata are not
/// needed.
///
/// # Errors
/// As [`load`], where the tensors are not those of this network.
pub fn load_parameters(path: &Path, network: &Network) -> Result<Parameters> {
    weights(path, &mut TensorFile::open(path)?, network)
}

/// Reads weights for all layers of a network but its last, whatever the file has for that: the last one's are
/// drawn, as the seed decides. So a network for other classes starts from what one has learned.
///
/// # Errors
/// As [`load_parameters`].
pub fn load_parameters_below_head(path: &Path, network: &Network, seed: u64) -> Result<Parameters> {
    let mut file = TensorFile::open(path)?;
    refuse_foreign(path, &file, network)?;
    let head = network.layers().last().map(|layer| &network.table().entries()[layer.tensors.clone()]);
    let below = |entry: &TensorEntry| head.is_none_or(|head| !head.contains(entry));
    check(path, &file, network, "", below)?;
    let mut parameters = network.initial_parameters(seed);
    read_into(&mut file, &mut parameters, "", below)?;
    check_variances(path, &parameters)?;
    Ok(parameters)
}

/// Reads what a file says of its weights, if it can be told; the weights are not read.
pub fn card_of(path: &Path) -> Option<ModelCard> {
    let file = TensorFile::open(path).ok()?;
    read_description(path, &file).ok()
}

/// Reads the tensors of a file as a network's weights: every one of them, none besides but the state of a
/// run, each of its shape, all numbers finite.
fn weights(path: &Path, file: &mut TensorFile, network: &Network) -> Result<Parameters> {
    refuse_foreign(path, file, network)?;
    check(path, file, network, "", any)?;
    let parameters = read(file, network, "")?;
    check_variances(path, &parameters)?;
    Ok(parameters)
}

/// Refuses a moving variance below 0, of whose root no answer would be a number.
fn check_variances(path: &Path, parameters: &Parameters) -> Result<()> {
    let entries = parameters.table().entries().iter().enumerate();
    for (id, entry) in entries.filter(|(_, entry)| entry.role == Role::Running(Statistic::Variance)) {
        if let Some(value) = parameters.tensor(id).iter().find(|value| **value < 0.0) {
            let reason = format!("'{}' holds {value}, and no variance is below 0; take another", entry.name);
            return Err(Error::weights(path, reason));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classes::Classes;
    use crate::data::reading::Reading;
    use crate::spec::ModelSpec;

    fn card(spec: &ModelSpec) -> ModelCard {
        ModelCard {
            version: "0.0.0".into(),
            spec: spec.clone(),
            classes: Classes::new(["cat", "dog"]).unwrap(),
            rescale: RESCALE,
            resize: RESIZE.into(),
            reading: Reading::default(),
            threshold: 0.5,
            training: TrainingFacts { epochs: 2, seed: 3, images: 4, val_loss: Some(0.5), val_accuracy: None },
        }
    }

    fn spec(units: usize) -> ModelSpec {
        let text = format!(
            "input = [6, 6, 3]\nlayers = [{{ type = 'flatten' }}, {{ type = 'dense', units = {units} }}, {{ type = 'dense', units = 1 }}]"
        );
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn a_saved_model_loads_as_it_was_and_saving_again_gives_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let spec = spec(5);
        let parameters = Network::new(&spec).unwrap().initial_parameters(8);
        save(&path, &card(&spec), &parameters).unwrap();
        let first = std::fs::read(&path).unwrap();
        let loaded = load(&path).unwrap();
        assert_eq!(loaded.card, card(&spec));
        assert_eq!(loaded.parameters.as_slice(), parameters.as_slice());
        save(&path, &loaded.card, &loaded.parameters).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no unfinished file stays");
    }

    #[test]
    fn a_threshold_that_is_saved_changes_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let spec = spec(5);
        save(&path, &card(&spec), &Network::new(&spec).unwrap().initial_parameters(8)).unwrap();
        let first = std::fs::read(&path).unwrap();
        save_threshold(&path, 0.125).unwrap();
        let loaded = load(&path).unwrap();
        assert_eq!(loaded.card, ModelCard { threshold: 0.125, ..card(&spec) });
        save_threshold(&path, 0.5).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first);
        assert!(save_threshold(&path, 2.0).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), first);
    }

    #[test]
    fn a_model_that_saw_its_images_otherwise_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let parameters = Network::new(&spec(5)).unwrap().initial_parameters(8);
        save(&path, &ModelCard { resize: "bilinear".into(), ..card(&spec(5)) }, &parameters).unwrap();
        let error = load(&path).err().unwrap().to_string();
        assert!(error.contains("resized by 'bilinear'") && error.ends_with("version 0.0.0"), "{error}");
    }

    #[test]
    fn classes_that_cannot_be_told_apart_or_have_endless_names_are_refused_in_a_short_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let parameters = Network::new(&spec(5)).unwrap().initial_parameters(8);
        let error = |card: ModelCard| {
            save(&path, &card, &parameters).unwrap();
            load(&path).err().unwrap().to_string()
        };
        let long = Classes::new(["c".repeat(1025), "dog".into()]).unwrap();
        let long = error(ModelCard { classes: long, ..card(&spec(5)) });
        assert!(long.contains(": a class has a name of 1025 bytes, and 1024 are the most: 'ccc"), "{long}");
        let resized = error(ModelCard { resize: "x".repeat(1_000_000), ..card(&spec(5)) });
        let version = error(ModelCard { rescale: 1.0, version: "x".repeat(1_000_000), ..card(&spec(5)) });
        assert!([long, resized, version].iter().all(|error| error.len() < 1000));
    }

    #[test]
    fn weights_of_another_network_are_refused_with_both_shapes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let parameters = Network::new(&spec(5)).unwrap().initial_parameters(8);
        save(&path, &card(&spec(5)), &parameters).unwrap();
        let error = load_parameters(&path, &Network::new(&spec(4)).unwrap()).err().unwrap().to_string();
        assert!(
            error.contains("its tensor 'dense/kernel' is F32 [108, 5], but this network needs F32 [108, 4]; give"),
            "{error}"
        );
        // A spec that does not fit its own tensors
        save(&path, &card(&spec(4)), &parameters).unwrap();
        assert!(load(&path).is_err());
    }

    #[test]
    fn broken_and_foreign_files_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let error = |path: &Path| load(path).err().unwrap().to_string();
        assert!(error(&path).ends_with("does not exist; check the path"));
        std::fs::write(&path, b"PK\x03\x04 not a model").unwrap();
        assert!(error(&path).contains("it is not a whole safetensors file"), "{}", error(&path));

        let spec = spec(5);
        let mut parameters = Network::new(&spec).unwrap().initial_parameters(8);
        save(&path, &card(&spec), &parameters).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        assert!(error(&path).contains("it is not a whole safetensors file"), "{}", error(&path));

        parameters.tensor_mut(1)[0] = f32::NAN;
        save(&path, &card(&spec), &parameters).unwrap();
        assert!(error(&path).contains("'dense/bias' holds NaN"), "{}", error(&path));
    }
}
