//! The documented run: the settings of the Keras notebook, which are the defaults here, and what it printed
//! on its own, unpublished images. Its numbers are facts to compare with; no code path prints them as our
//! own.

use super::records::EpochRecord;

/// Epochs of the documented run.
pub const EPOCHS: usize = 5;
/// Images in its training steps.
pub const BATCH_SIZE: usize = 16;
/// The share of each class that it validated on.
pub const VALIDATION_SPLIT: f64 = 0.2;
/// Its learning rate: Adam's default in Keras.
pub const LEARNING_RATE: f64 = 0.001;

/// Training images of the documented run: `Found 110 images belonging to 2 classes.`
pub const TRAINING_IMAGES: usize = 110;

/// Validation images of the documented run: `Found 26 images belonging to 2 classes.`
pub const VALIDATION_IMAGES: usize = 26;

/// The five epochs of the documented run, as rounded there: whole seconds, whole milliseconds a step, four
/// decimals.
pub const HISTORY: [EpochRecord; EPOCHS] = [
    epoch(0, 4.0, 0.325, [0.6425, 0.6727, 0.5376, 0.7692]),
    epoch(1, 1.0, 0.195, [0.5685, 0.7545, 0.5435, 0.7692]),
    epoch(2, 1.0, 0.189, [0.5068, 0.7636, 0.4064, 0.7692]),
    epoch(3, 1.0, 0.190, [0.3520, 0.8727, 0.1604, 1.0000]),
    epoch(4, 1.0, 0.186, [0.1968, 0.9273, 0.0592, 1.0000]),
];

/// One epoch; the four numbers are loss, accuracy, val_loss, val_accuracy.
const fn epoch(index: usize, seconds: f64, step_seconds: f64, measured: [f64; 4]) -> EpochRecord {
    let [loss, accuracy, val_loss, val_accuracy] = measured;
    let (val_loss, val_accuracy) = (Some(val_loss), Some(val_accuracy));
    EpochRecord {
        epoch: index,
        steps: 7,
        seconds,
        step_seconds,
        wait_seconds: None,
        loss,
        accuracy,
        val_loss,
        val_accuracy,
        val_labels: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_accuracies_are_whole_numbers_of_images() {
        for record in HISTORY {
            let parts = [(record.accuracy, TRAINING_IMAGES), (record.val_accuracy.unwrap(), VALIDATION_IMAGES)];
            for (accuracy, images) in parts {
                let right = (accuracy * images as f64).round();
                assert!((right / images as f64 - accuracy).abs() <= 0.5e-4, "{accuracy} of {images} images");
            }
        }
    }
}
