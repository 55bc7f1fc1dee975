//! Trains on a folder with a folder for each class, the drawn set that comes with glassnet, for two epochs.
//!
//! ```sh
//! cargo run --release --example train_folder [FOLDER]
//! ```

use std::path::PathBuf;
use std::sync::Arc;

use glassnet::data::batches::Loader;
use glassnet::data::catalog::Catalog;
use glassnet::data::images::{CACHE_BUDGET_BYTES, ImageSet};
use glassnet::data::phantom;
use glassnet::data::source::Source;
use glassnet::data::split::Split;
use glassnet::network::Network;
use glassnet::spec::ModelSpec;
use glassnet::training::{Event, TrainSettings, TrainingState, train};

fn main() -> glassnet::Result<()> {
    let source = match std::env::args_os().nth(1) {
        Some(folder) => Source::open(PathBuf::from(folder))?,
        None => {
            let files = phantom::draw(0, 20, 20)
                .into_iter()
                .map(|image| (format!("{}/{}", image.class.name(), image.name), image.png()));
            Source::from_memory("phantom", files.collect())?
        }
    };
    let source = Arc::new(source);
    let catalog = Catalog::from_source(&source)?;
    let split = Split::new(&catalog, 0.2)?;
    let spec = ModelSpec::documented();
    let [training, validation] = [split.training, split.validation].map(|items| {
        let images = ImageSet::sized(Arc::clone(&source), items, spec.input, CACHE_BUDGET_BYTES)?;
        Loader::new(Arc::new(images), 16)
    });
    let (training, validation) = (training?, validation?);

    let network = Network::new(&spec)?;
    let settings = TrainSettings { epochs: 2, ..TrainSettings::default() };
    let mut state = TrainingState::new(network.initial_parameters(settings.seed), settings.optimizer()?);
    train(&network, &mut state, &training, Some(&validation), &settings, |event, state| {
        if let (Event::Epoch, Some(epoch)) = (event, state.history.last()) {
            println!("epoch {}: loss {:.4}, accuracy {:.4}", epoch.epoch + 1, epoch.loss, epoch.accuracy);
        }
        Ok(())
    })?;
    Ok(())
}
