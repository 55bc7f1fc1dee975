//! `train --tensorboard`: a run's event file.

use crate::cli::run_folder::RunFolder;
use glassnet::classes::Classes;
use glassnet::data::augment::Change;
use glassnet::data::images::ImageSet;
use glassnet::data::sample::PictureSamples;
use glassnet::files::write_whole;
use glassnet::report::tensorboard::EventLog;
use glassnet::training::{LearningRates, TrainingState};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use std::path::PathBuf;

/// Images of each class that are shown.
const IMAGES: usize = 4;

/// The most classes of which images are shown.
const CLASSES: usize = 20;

/// The event file of a run, or of its part from where it went on.
pub struct Events {
    path: PathBuf,
    log: EventLog,
    /// Steps and epochs that are in a file.
    done: [usize; 2],
}

impl Events {
    /// A new file for a run of which this much is done, with some images of each class. A run that goes on
    /// has a file for each part of it; TensorBoard joins them.
    ///
    /// # Errors
    /// Where an image cannot be read.
    pub fn new(
        folder: &RunFolder,
        state: &TrainingState,
        images: &ImageSet,
        classes: &Classes,
    ) -> glassnet::Result<Events> {
        let done = [state.steps.len(), state.history.len()];
        let path = folder.file(&format!("events.out.tfevents.{:06}.glassnet", done[0]));
        let mut log = EventLog::new();
        // Pixels of other channels are no picture.
        if done == [0, 0] && [1, 3].contains(&images.size()[2]) {
            for class in classes.labels().take(CLASSES) {
                let of_class = (0..images.items().len()).filter(|&index| images.items()[index].label == class);
                for (number, index) in of_class.take(IMAGES).enumerate() {
                    let size = images.size();
                    let png = png(&images.picture(index)?, size);
                    log.image(0, &format!("images/{}/{}", &classes[class], number + 1), size, &png);
                }
            }
        }
        Ok(Events { path, log, done })
    }

    /// Adds the steps and epochs that have been taken since, with the distribution of every weight.
    pub fn add(&mut self, state: &TrainingState, rates: &LearningRates) {
        for row in &state.steps[self.done[0]..] {
            let rate = rates.of_step(row.step as u64 - 1, row.epoch);
            let values = [("step/loss", row.loss), ("step/accuracy", row.accuracy), ("step/learning_rate", rate)];
            self.log.scalars(row.step, values);
        }
        for record in &state.history[self.done[1]..] {
            let values = [
                ("loss/training", Some(record.loss)),
                ("loss/validation", record.val_loss),
                ("accuracy/training", Some(record.accuracy)),
                ("accuracy/validation", record.val_accuracy),
            ];
            self.log.scalars(record.epoch + 1, values.into_iter().filter_map(|(tag, value)| Some((tag, value?))));
        }
        if state.history.len() > self.done[1] {
            for (id, entry) in state.parameters.table().entries().iter().enumerate() {
                self.log.histogram(state.history.len(), &entry.name, state.parameters.tensor(id));
            }
        }
        self.done = [state.steps.len(), state.history.len()];
    }

    /// Writes the file, whole as it is.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self) -> glassnet::Result<()> {
        write_whole(&self.path, self.log.as_bytes())
    }
}

/// The bytes of a PNG of a picture as the network sees it.
fn png(picture: &PictureSamples, size @ [height, width, channels]: [usize; 3]) -> Vec<u8> {
    let mut values = vec![0.0; size.iter().product()];
    Change::default().apply_to(picture, size, &mut values);
    let pixels: Vec<u8> = values.iter().map(|value| (value * 255.0).round() as u8).collect();
    let colour = if channels == 1 { ExtendedColorType::L8 } else { ExtendedColorType::Rgb8 };
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new(&mut bytes);
    encoder.write_image(&pixels, width as u32, height as u32, colour).expect("pixels of this size, in memory");
    bytes
}
