//! A model that another program wrote, on its way to a [`Checkpoint`].

use crate::checkpoint::{Checkpoint, ModelCard, RESCALE, TrainingFacts};
use crate::classes::Classes;
use crate::classes::combinations::check_labels;
use crate::data::reading::Reading;
use crate::files::read_at_most;
use crate::network::Network;
use crate::parameters::Parameters;
use crate::{Error, Result};
use std::path::Path;

/// The longest file of another program that is read: 4 GiB, twice what one tensor of ONNX can have.
pub const MAX_FILE_BYTES: u64 = 4 << 30;

/// A model as far as the file of another program tells it.
#[derive(Clone)]
pub struct Imported {
    /// The network.
    pub network: Network,
    /// Its weights.
    pub parameters: Parameters,
    /// The card, where the file brings one: one that we wrote.
    pub card: Option<ModelCard>,
    /// Sentences on what a person should know: what was assumed, or left out.
    pub notes: Vec<String>,
}

impl Imported {
    /// Returns the model with a card: the file's own, if it brought one, with these classes in place of its
    /// own if there are any. Without either the classes are called by their indices, and images are read in
    /// the default way.
    ///
    /// # Errors
    /// [`Error::Setting`], where the classes are not as many as the network tells apart.
    pub fn into_checkpoint(self, classes: Option<Classes>) -> Result<Checkpoint> {
        let Imported { network, parameters, card, .. } = self;
        let told_apart = network.head().classes();
        let mut card = match card {
            Some(card) => ModelCard { spec: network.spec().clone(), ..card },
            None => plain_card(&network, Reading::default())?,
        };
        if let Some(classes) = classes {
            card.classes = classes;
        }
        if network.head().has_several_labels() {
            check_labels(&card.classes)?;
        }
        match card.classes.count() {
            named if named == told_apart => Ok(Checkpoint { card, network, parameters }),
            named => {
                let reason = format!("{named} are named, and the model tells {told_apart} apart; name as many");
                Err(Error::setting("classes", reason))
            }
        }
    }
}

/// Returns a card for a network of which it is only known how it sees its images: its classes are called by
/// their indices.
pub(super) fn plain_card(network: &Network, reading: Reading) -> Result<ModelCard> {
    Ok(ModelCard {
        version: env!("CARGO_PKG_VERSION").to_string(),
        spec: network.spec().clone(),
        classes: Classes::new((0..network.head().classes()).map(|class| class.to_string()))?,
        rescale: RESCALE,
        resize: reading.resize_name(),
        reading,
        threshold: 0.5,
        training: TrainingFacts { epochs: 0, seed: 0, images: 0, val_loss: None, val_accuracy: None },
    })
}

/// Returns the bytes of a model's file.
///
/// # Errors
/// [`Error::Missing`], [`Error::Io`], and [`Error::Weights`], where it has more than [`MAX_FILE_BYTES`].
pub fn read_model_file(path: &Path) -> Result<Vec<u8>> {
    read_at_most(path, MAX_FILE_BYTES)?.ok_or_else(|| {
        let gib = MAX_FILE_BYTES >> 30;
        Error::weights(path, format!("it has more than {gib} GiB, and no model that fits here has; give another file"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imported(units: usize, card: Option<ModelCard>) -> Imported {
        let spec =
            format!("input = [2, 2, 1]\nlayers = [{{ type = 'flatten' }}, {{ type = 'dense', units = {units} }}]");
        let network = Network::new(&toml::from_str(&spec).unwrap()).unwrap();
        let parameters = network.initial_parameters(1);
        Imported { network, parameters, card, notes: Vec::new() }
    }

    #[test]
    fn a_model_without_a_card_gets_classes_by_their_indices_or_those_that_are_named() {
        let classes = |units, classes: Option<&[&str]>| {
            let classes = classes.map(|names| Classes::new(names.iter().copied()).unwrap());
            let checkpoint = imported(units, None).into_checkpoint(classes);
            checkpoint.map(|model| model.card.classes.names().collect::<Vec<_>>().join(" ")).map_err(|e| e.to_string())
        };
        assert_eq!(classes(1, None).unwrap(), "0 1");
        assert_eq!(classes(3, None).unwrap(), "0 1 2");
        assert_eq!(classes(1, Some(&["cat", "dog"])).unwrap(), "cat dog");
        assert_eq!(
            classes(3, Some(&["cat", "dog"])).unwrap_err(),
            "classes: 2 are named, and the model tells 3 apart; name as many"
        );
    }

    #[test]
    fn a_card_that_came_along_stays_but_for_the_classes_that_are_named_anew() {
        let card = imported(1, None).into_checkpoint(None).unwrap().card;
        let card = ModelCard { threshold: 0.25, ..card };
        let model = imported(1, Some(card)).into_checkpoint(Some(Classes::new(["a", "b"]).unwrap())).unwrap();
        assert_eq!((model.card.threshold, model.card.classes.two()), (0.25, Some(["a", "b"])));
    }
}
