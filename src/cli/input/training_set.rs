//! From the flags of a command that trains without a run folder to a network and a loader.

use crate::cli::args::{ImageSize, LabelsArgs};
use crate::cli::input::checked::CheckedImages;
use crate::cli::input::dataset::{Dataset, Part, open};
use crate::cli::input::model::{Origin, check_answers, check_takes_images, read_spec};
use crate::cli::input::phantom_set::phantom_set;
use crate::cli::input::reading::of_training;
use crate::cli::outcome::Failure;
use crate::cli::run_folder::settings::RunSettings;
use glassnet::Result;
use glassnet::data::batches::Loader;
use glassnet::data::catalog::Catalog;
use glassnet::data::source::Source;
use glassnet::network::Network;
use glassnet::spec::ModelSpec;
use std::path::Path;
use std::sync::Arc;

/// The images of a command's DATA: of the `pack` that was opened of it, or else of the folder or the zip, or
/// without any those of the phantom set.
///
/// # Errors
/// Those of [`open`].
pub fn source(pack: Option<Source>, data: Option<&Path>, labels: &LabelsArgs) -> Result<Source> {
    match (pack, data) {
        (Some(pack), _) => Ok(pack),
        (None, Some(data)) => open(data, labels),
        (None, None) => phantom_set(),
    }
}

/// The network that `--model`, `--image-size` and `--dropout` describe.
///
/// # Errors
/// Those of a model file, and of one that takes no images.
pub fn network(model: Option<&Path>, image_size: Option<ImageSize>, dropout: Option<f64>) -> Result<Network> {
    let mut spec = model.map(read_spec).transpose()?.unwrap_or_else(ModelSpec::documented);
    if let Some(rate) = dropout {
        spec = spec.with_dropout(rate);
    }
    let network = Origin { file: model, image_size }.network(spec)?;
    check_takes_images(&network)?;
    Ok(network)
}

/// The network for the classes of these data, or their labels; the documented one takes any number of them. A
/// `model.toml` need not say that images may have several labels.
///
/// # Errors
/// [`glassnet::Error::Setting`], where the file of a model tells another number apart, or its weights were
/// trained for classes and the data have several labels, or the other way round.
pub fn for_data(network: Network, model: Option<&Path>, catalog: &Catalog) -> Result<Network> {
    let several_labels = catalog.combinations.is_some();
    let count = catalog.answers().count();
    match model {
        Some(model) => {
            let is_spec = model.extension().is_some_and(|extension| extension == "toml");
            let network = match is_spec && several_labels && network.head().units() > 1 {
                true => Network::new(&ModelSpec { several_labels, ..network.spec().clone() })?,
                false => network,
            };
            check_answers(&network, catalog, &model.display().to_string()).map(|()| network)
        }
        None if several_labels => Network::new(&network.spec().clone().with_labels(count)),
        None => Network::new(&network.spec().clone().with_classes(count)),
    }
}

/// The images that train, each looked at once, and their names.
///
/// # Errors
/// Those of images that cannot be read, and of a set of which none is left to train.
pub fn training_loader(
    dataset: &mut Dataset,
    settings: &RunSettings,
) -> std::result::Result<(Loader, Vec<String>), Failure> {
    let checked = CheckedImages::new(&dataset.source, &dataset.catalog, settings)?;
    dataset.check_trains(&checked)?;
    dataset.leave_out_unreadable(&checked);
    let training = checked.part(dataset.items(Part::Training));
    let reading = of_training(settings, &training)?;
    let names = training.items().iter().map(|item| item.name().into_owned()).collect();
    Ok((Loader::new(Arc::new(training.with_samples_as(reading)), settings.batch_size)?, names))
}
