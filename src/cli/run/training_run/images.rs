//! The images of a run: all looked at before the first epoch, and what there is to know of them told.

use super::resolved::TrainingRun;
use crate::cli::input::checked::CheckedImages;
use crate::cli::input::dataset::{Dataset, Part};
use crate::cli::input::reading::of_training;
use crate::cli::outcome::Failure;
use crate::cli::run::recorder::RunText;
use crate::cli::terminal::console;
use glassnet::checkpoint;
use glassnet::data::images::ImageSet;
use glassnet::data::reading::Reading;
use glassnet::error::counted;
use glassnet::report::diagnostics::majority_line;
use glassnet::report::epoch::{found_labels_line, found_line};
use std::borrow::Cow;
use std::sync::Arc;

/// The hashes of what a run learns from.
pub(super) struct Hashes {
    /// Of DATA.
    pub data: String,
    /// Of what validates, if that is not in DATA.
    pub validation: Option<String>,
}

/// A data set of which every image was looked at.
pub(super) struct CheckedParts {
    /// The images that train and those that validate.
    pub parts: [Arc<ImageSet>; 2],
    /// The way they are read.
    pub reading: Reading,
    pub hashes: Hashes,
    /// All images, those that cannot be read among them.
    pub images: Arc<CheckedImages>,
}

impl TrainingRun {
    /// Looks at every image, unless that was done before, so that an unreadable one stops the run before its
    /// first epoch, or with `--skip-bad` is left out.
    pub(super) fn check_images(&mut self, text: &mut RunText) -> Result<CheckedParts, Failure> {
        for part in Part::BOTH {
            let images = self.dataset.items(part).len();
            text.line(&match &self.dataset.catalog.combinations {
                None => found_line(images, self.dataset.classes().count()),
                Some(combinations) => found_labels_line(images, combinations.labels().count()),
            });
        }
        let checked = match self.checked.take() {
            Some(checked) => checked,
            None => {
                let Dataset { source, catalog, .. } = &self.dataset;
                Arc::new(CheckedImages::new(source, catalog, &self.settings)?)
            }
        };
        self.dataset.check_trains(&checked)?;
        self.dataset.leave_out_unreadable(&checked);
        let items = Part::BOTH.map(|part| self.dataset.items(part));
        let both = items.iter().copied().flatten();
        let further = both.clone().filter(|item| item.set.is_some());
        let hashes = Hashes {
            data: checked.sha256(both.filter(|item| item.set.is_none())),
            validation: self.dataset.validation_data.as_ref().map(|_| checked.sha256(further)),
        };
        let [training, validation] = items.map(|items| checked.part(items));
        let reading = of_training(&self.settings, &training)?;
        let parts = [training, validation].map(|part| Arc::new(part.with_samples_as(reading)));
        Ok(CheckedParts { parts, reading, hashes, images: checked })
    }

    /// Tells what there is to know of the parts before the first epoch.
    pub(super) fn introduce(&self, reading: Reading, text: &mut RunText) {
        let skipped = self.dataset.skipped.len();
        if skipped > 0 {
            let [training, validation] = Part::BOTH.map(|part| self.dataset.items(part).len());
            let skipped = counted(skipped, "image");
            text.line(&format!(
                "Left out {skipped} that cannot be read: {training} left to train on, {validation} to validate on."
            ));
        }
        // The documented run is printed as it was; what the majority has stands in its closing lines.
        if self.command != "reproduce" {
            let names: Vec<Cow<str>> = self.dataset.classes().names().map(console::one_line).collect();
            let [training, validation] = self.counts();
            majority_line(&names, &training, &validation).iter().for_each(|line| text.line(line));
        }
        reading.description().iter().for_each(|how| text.line(&format!("Images are read with {how}")));
        self.warn_of_another_reading(reading);
        self.dataset.groups_line().iter().for_each(|line| text.line(line));
        self.class_weights_line().iter().for_each(|line| text.line(line));
    }

    /// Warns where the first weights were trained on images that were read otherwise.
    fn warn_of_another_reading(&self, reading: Reading) {
        let Some(file) = &self.settings.init_weights else { return };
        let Some(before) = checkpoint::card_of(file).map(|card| card.reading).filter(|before| *before != reading)
        else {
            return;
        };
        let how = before.description().unwrap_or(
            "photos as they lie, 16-bit values not stretched and cut to 8 bits, and squashed to size by nearest pixels"
                .into(),
        );
        console::warn(&format!(
            "the weights in {} were trained on images read with {how}, and these are read otherwise; give the same --upright, \
             --range, --bit-depth, --resize and --interpolation for the same pixels",
            file.display()
        ));
    }

    /// The weights of the classes, where they were asked for.
    fn class_weights_line(&self) -> Option<String> {
        if self.dataset.catalog.combinations.is_some() {
            return None;
        }
        let counts = self.dataset.counts(Part::Training);
        let weights = self.settings.training.class_weight.weights(&counts).ok()?;
        let weight = |(class, weight): (&str, &f64)| format!("'{}' {weight:.4}", console::one_line(class));
        let told: Vec<String> = self.dataset.classes().names().zip(weights.as_slice()).map(weight).collect();
        (!told.is_empty()).then(|| format!("Class weights: {}", told.join(", ")))
    }
}
