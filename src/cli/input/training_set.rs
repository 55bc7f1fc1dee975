//! From the flags of a command that trains without a run folder to a network and a loader.

use crate::cli::args::{ImageSize, LabelsArgs};
use crate::cli::input::checked::CheckedImages;
use crate::cli::input::dataset::{Dataset, Part, open};
use crate::cli::input::model::{Origin, check_classes, check_takes_images, read_spec};
use crate::cli::input::phantom_set::phantom_set;
use crate::cli::input::reading::of_training;
use crate::cli::outcome::Failure;
use crate::cli::run_folder::settings::RunSettings;
use glassnet::Result;
use glassnet::classes::Classes;
use glassnet::data::batches::Loader;
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

/// The network for these classes; the documented one takes any number of them.
///
/// # Errors
/// [`glassnet::Error::Setting`], where the file of a model tells another number apart.
pub fn for_classes(network: Network, model: Option<&Path>, classes: &Classes) -> Result<Network> {
    match model {
        Some(model) => check_classes(&network, classes, &model.display().to_string()).map(|()| network),
        None => Network::new(&network.spec().clone().with_classes(classes.count())),
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
