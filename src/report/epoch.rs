//! The lines in which Keras 2 prints what was measured in an epoch.
//!
//! The form is that of `keras.utils.Progbar` when an epoch has ended, down to its rounding; so our log and
//! the documented one can be compared with `diff`.

use crate::training::EpochRecord;

/// The width of the bar between the brackets, in characters.
const BAR_WIDTH: usize = 30;

/// Returns the line `Found 110 images belonging to 2 classes.`
pub fn found_line(images: usize, classes: usize) -> String {
    format!("Found {images} images belonging to {classes} classes.")
}

/// Returns the line `Found 110 images, each with any number of 3 labels.`
pub fn found_labels_line(images: usize, labels: usize) -> String {
    format!("Found {images} images, each with any number of {labels} labels.")
}

/// Returns `Epoch 4/5`, the line above the bar; `epoch` counts from 0.
pub fn epoch_heading(epoch: usize, epochs: usize) -> String {
    format!("Epoch {}/{epochs}", epoch + 1)
}

/// Returns the line of a finished epoch:
///
/// `7/7 [==============================] - 1s 190ms/step - loss: 0.3520 - accuracy: 0.8727 - val_loss: 0.1604 - val_accuracy: 1.0000`
///
/// Without a validation part the last two numbers are missing. Where images may have several labels there are
/// two more: the share of images with every label right, and the mean area under the ROC curve.
pub fn epoch_line(record: &EpochRecord) -> String {
    let EpochRecord { steps, seconds, .. } = record;
    let bar = "=".repeat(BAR_WIDTH);
    let step = step_duration(record.step_seconds);
    let mut line = format!("{steps}/{steps} [{bar}] - {seconds:.0}s {step}");

    let measured = [
        ("loss", Some(record.loss)),
        ("accuracy", Some(record.accuracy)),
        ("val_loss", record.val_loss),
        ("val_accuracy", record.val_accuracy),
        ("val_exact_match", record.val_labels.and_then(|figures| figures.exact_match)),
        ("val_macro_roc_auc", record.val_labels.and_then(|figures| figures.macro_roc_auc)),
    ];
    for (name, value) in measured {
        if let Some(value) = value {
            line.push_str(&format!(" - {name}: {}", number(value)));
        }
    }
    line
}

/// Returns `Training Accuracy: 0.9273`, the line that closes the documented run.
pub fn training_accuracy_line(accuracy: f64) -> String {
    format!("Training Accuracy: {accuracy:.4}")
}

/// Returns whole seconds, milliseconds or microseconds a step, whichever unit first gives at least one:
/// `190ms/step`.
fn step_duration(seconds: f64) -> String {
    if seconds >= 1.0 || seconds == 0.0 {
        format!("{seconds:.0}s/step")
    } else if seconds >= 1e-3 {
        format!("{:.0}ms/step", seconds * 1e3)
    } else {
        format!("{:.0}us/step", seconds * 1e6)
    }
}

/// Returns four decimals, `0.3520`, or where these would hide the number (|value| ≤ 0.001) four decimals of
/// its mantissa and an exponent of at least two digits, as C prints it: `5.1200e-04`.
fn number(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_string();
    }
    if value.abs() > 1e-3 {
        return format!("{value:.4}");
    }
    let scientific = format!("{value:.4e}");
    match scientific.split_once('e') {
        Some((mantissa, exponent)) => {
            let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
            format!("{mantissa}e{sign}{digits:0>2}")
        }
        None => scientific,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: EpochRecord = EpochRecord {
        epoch: 3,
        steps: 7,
        seconds: 1.44,
        step_seconds: 0.190_49,
        wait_seconds: None,
        loss: 0.352_04,
        accuracy: 96.0 / 110.0,
        val_loss: Some(0.160_351),
        val_accuracy: Some(1.0),
        val_labels: None,
    };

    #[test]
    fn the_line_of_an_epoch_is_the_documented_one_letter_by_letter() {
        assert_eq!(epoch_heading(RECORD.epoch, 5), "Epoch 4/5");
        assert_eq!(
            epoch_line(&RECORD),
            "7/7 [==============================] - 1s 190ms/step - loss: 0.3520 - accuracy: 0.8727 \
             - val_loss: 0.1604 - val_accuracy: 1.0000"
        );
        assert_eq!(found_line(110, 2), "Found 110 images belonging to 2 classes.");
        assert_eq!(training_accuracy_line(102.0 / 110.0), "Training Accuracy: 0.9273");
    }

    #[test]
    fn without_a_validation_part_the_line_ends_after_the_accuracy() {
        let record = EpochRecord { steps: 12, val_loss: None, val_accuracy: None, ..RECORD };
        assert_eq!(
            epoch_line(&record),
            "12/12 [==============================] - 1s 190ms/step - loss: 0.3520 - accuracy: 0.8727"
        );
    }

    #[test]
    fn a_step_is_timed_in_the_largest_unit_that_gives_at_least_one() {
        assert_eq!(step_duration(12.4), "12s/step");
        assert_eq!(step_duration(1.0), "1s/step");
        assert_eq!(step_duration(0.9996), "1000ms/step");
        assert_eq!(step_duration(0.0123), "12ms/step");
        assert_eq!(step_duration(0.000_456), "456us/step");
        assert_eq!(step_duration(0.0), "0s/step");
    }

    #[test]
    fn small_numbers_are_printed_with_an_exponent_as_python_does() {
        assert_eq!(number(0.001_01), "0.0010");
        assert_eq!(number(0.001), "1.0000e-03");
        assert_eq!(number(0.000_512), "5.1200e-04");
        assert_eq!(number(1.5e-120), "1.5000e-120");
        assert_eq!(number(0.0), "0.0000e+00");
        assert_eq!(number(f64::NAN), "nan");
        assert_eq!(number(f64::INFINITY), "inf");
    }
}
