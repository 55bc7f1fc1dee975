//! A run as its `config.toml` describes it.

use super::images::Hashes;
use super::resolved::TrainingRun;
use crate::cli::input::dataset::Part;
use crate::cli::job;
use crate::cli::run_folder::config::{Algorithms, Config, Data, Machine, absolute};
use crate::cli::terminal::console;
use glassnet::data::reading::SampleRange;
use glassnet::kernels::conv::Pass;
use glassnet::kernels::conv::registry::ConvPolicy;
use glassnet::optim::AdamConstants;
use glassnet::plan::{Plan, PlanOptions};
use glassnet::training::OptimizerName;
use std::collections::BTreeMap;

impl TrainingRun {
    /// Tells that several processes train on these many images, and warns where some of them have nothing to
    /// do.
    pub(super) fn tell_of_ranks(&self, images: usize) {
        let ranks = job::ranks().count();
        if ranks == 1 {
            return;
        }
        console::progress(&format!("{ranks} processes share each step."));
        let batch = self.settings.batch_size.min(images);
        let cuts = Plan::shared(&self.network, batch, self.settings.plan_options(), ranks, true).cuts(batch);
        let idle = cuts.windows(2).filter(|pair| pair[0] == pair[1]).count();
        if idle > 0 {
            console::warn(&format!(
                "batches of {batch} images are too small for {ranks} processes: {idle} of them have no image of any; start \
                 fewer, or give a larger --batch-size"
            ));
        }
    }

    /// Returns what computes each convolution.
    fn algorithms(&self) -> BTreeMap<String, Algorithms> {
        let options = PlanOptions { conv: self.settings.training.conv, training: true, ..PlanOptions::default() };
        let plan = Plan::new(&self.network, 1, options);
        let convolutions = plan.steps().iter().filter_map(|step| Some((step, step.conv()?)));
        convolutions
            .map(|(step, conv)| {
                let layers = &self.network.layers()[step.layers.clone()];
                let name = layers.iter().find(|layer| !layer.tensors.is_empty()).map_or("", |layer| &layer.name);
                let [forward, grad_input, grad_weights] = Pass::ALL.map(|pass| conv.algorithms.of(pass).name());
                (name.to_owned(), Algorithms { forward, grad_input, grad_weights })
            })
            .collect()
    }

    /// Warns of convolutions that the algorithm asked for cannot compute.
    pub fn warn_of_other_algorithms(&self) {
        let asked = self.settings.training.conv;
        for (name, Algorithms { forward, .. }) in self.algorithms() {
            // Only im2col computes what others cannot.
            let im2col = ConvPolicy::Im2col.name();
            if asked != ConvPolicy::Auto && asked.name() != im2col && forward == im2col {
                console::warn(&format!("{name}: --conv {asked} cannot compute it, so {forward} does"));
            }
        }
    }

    /// Returns what `config.toml` says of a run on `data`.
    pub fn config(&self, data: Data) -> Config {
        Config {
            command: self.command,
            version: env!("CARGO_PKG_VERSION"),
            settings: self.settings.clone(),
            adam: (self.settings.training.optimizer == OptimizerName::Adam).then(AdamConstants::default),
            algorithms: self.algorithms(),
            machine: Machine::here(),
            data,
            model: self.network.spec().clone(),
            outcome: None,
        }
    }

    /// Returns what `config.toml` says of both parts, whose hashes these are, and of the range in which they
    /// are read.
    pub(super) fn data(&self, hashes: Hashes, range: SampleRange) -> Data {
        let [training, validation] = Part::BOTH.map(|part| self.dataset.items(part).len());
        Data {
            range,
            training_images: Some(training),
            validation_images: Some(validation),
            validation_path: self.dataset.validation_name.as_ref().map(|path| path.display().to_string()),
            validation_absolute_path: self.dataset.validation_data.as_deref().and_then(absolute),
            validation_sha256: hashes.validation,
            ..Data::new(
                &self.dataset.source,
                &self.dataset.name,
                &self.dataset.catalog,
                hashes.data,
                &self.dataset.skipped,
            )
        }
    }
}
