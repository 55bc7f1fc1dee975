//! The documented run: what the Keras notebook printed on its own, unpublished images, and a table that sets a run of
//! ours beside it. These numbers are facts to compare with; no code path prints them as our own.

use super::epoch::EpochRecord;

/// Epochs of the documented run.
pub const EPOCHS: usize = 5;
/// Images in its training steps.
pub const BATCH_SIZE: usize = 16;
/// The share of each class that it validated on.
pub const VALIDATION_SPLIT: f64 = 0.2;
/// Its learning rate: Adam's default in Keras.
pub const LEARNING_RATE: f64 = 0.001;

/// Training images of the documented run: `Found 110 images belonging to 2 classes.`
pub const DOCUMENTED_TRAINING_IMAGES: usize = 110;

/// Validation images of the documented run: `Found 26 images belonging to 2 classes.`
pub const DOCUMENTED_VALIDATION_IMAGES: usize = 26;

/// The five epochs of the documented run, as rounded there: whole seconds, whole milliseconds a step, four decimals.
pub const DOCUMENTED_RUN: [EpochRecord; EPOCHS] = [
    documented(0, 4.0, 0.325, [0.6425, 0.6727, 0.5376, 0.7692]),
    documented(1, 1.0, 0.195, [0.5685, 0.7545, 0.5435, 0.7692]),
    documented(2, 1.0, 0.189, [0.5068, 0.7636, 0.4064, 0.7692]),
    documented(3, 1.0, 0.190, [0.3520, 0.8727, 0.1604, 1.0000]),
    documented(4, 1.0, 0.186, [0.1968, 0.9273, 0.0592, 1.0000]),
];

/// One row of the table; the four numbers are loss, accuracy, val_loss, val_accuracy.
const fn documented(epoch: usize, seconds: f64, step_seconds: f64, measured: [f64; 4]) -> EpochRecord {
    let [loss, accuracy, val_loss, val_accuracy] = measured;
    let (val_loss, val_accuracy) = (Some(val_loss), Some(val_accuracy));
    EpochRecord { epoch, steps: 7, seconds, step_seconds, wait_seconds: None, loss, accuracy, val_loss, val_accuracy }
}

/// A text table with our epochs on the left and the documented ones on the right, one line an epoch; a dash stands
/// where one of the two has no such epoch or no validation part. Ends with a line break.
pub fn comparison_table(ours: &[EpochRecord]) -> String {
    let rule = "─".repeat(WIDTH);
    let mut table = format!("       {:^WIDTH$} │ {:^WIDTH$}\n", "this run", "documented run");
    table.push_str(&format!("epoch  {COLUMNS} │ {COLUMNS}\n"));
    table.push_str(&format!("─────  {rule}─┼─{rule}\n"));
    let last_epoch = ours.iter().chain(&DOCUMENTED_RUN).map(|record| record.epoch).max().unwrap_or(0);
    for epoch in 0..=last_epoch {
        let find = |run: &[EpochRecord]| run.iter().find(|record| record.epoch == epoch).copied();
        let (left, right) = (columns(find(ours)), columns(find(&DOCUMENTED_RUN)));
        table.push_str(&format!("{:>5}  {left} │ {right}\n", epoch + 1));
    }
    table
}

/// The headings over [`columns`].
const COLUMNS: &str = "    loss  accuracy  val_loss  val_accuracy";

/// The width of either half of the table.
const WIDTH: usize = COLUMNS.len();

/// The four numbers of one epoch, aligned under [`COLUMNS`].
fn columns(record: Option<EpochRecord>) -> String {
    let cell = |value: Option<f64>| value.map_or("–".to_string(), |value| format!("{value:.4}"));
    let loss = cell(record.map(|record| record.loss));
    let accuracy = cell(record.map(|record| record.accuracy));
    let val_loss = cell(record.and_then(|record| record.val_loss));
    let val_accuracy = cell(record.and_then(|record| record.val_accuracy));
    format!("{loss:>8}  {accuracy:>8}  {val_loss:>8}  {val_accuracy:>12}")
}

#[cfg(test)]
mod tests {
    use super::super::epoch::{epoch_line, training_accuracy_line};
    use super::*;

    #[test]
    fn the_documented_run_prints_as_the_notebook_printed_it() {
        let first = "7/7 [==============================] - 4s 325ms/step - loss: 0.6425 - accuracy: 0.6727 \
                     - val_loss: 0.5376 - val_accuracy: 0.7692";
        assert_eq!(epoch_line(&DOCUMENTED_RUN[0]), first);
        assert_eq!(training_accuracy_line(DOCUMENTED_RUN[4].accuracy), "Training Accuracy: 0.9273");
    }

    #[test]
    fn the_documented_accuracies_are_whole_numbers_of_images() {
        for record in DOCUMENTED_RUN {
            let parts = [
                (record.accuracy, DOCUMENTED_TRAINING_IMAGES),
                (record.val_accuracy.unwrap(), DOCUMENTED_VALIDATION_IMAGES),
            ];
            for (accuracy, images) in parts {
                let right = (accuracy * images as f64).round();
                assert!((right / images as f64 - accuracy).abs() <= 0.5e-4, "{accuracy} of {images} images");
            }
        }
    }

    #[test]
    fn the_table_sets_our_epochs_beside_the_documented_ones() {
        let ours = [
            EpochRecord { loss: 0.65017, accuracy: 0.7, ..DOCUMENTED_RUN[0] },
            EpochRecord { loss: 12.5, val_loss: None, val_accuracy: None, ..DOCUMENTED_RUN[1] },
        ];
        let dashes = format!("       – {:>9} {:>9} {:>13}", "–", "–", "–");
        let expected = [
            format!("       {:^42} │ {:^42}", "this run", "documented run"),
            "epoch      loss  accuracy  val_loss  val_accuracy │     loss  accuracy  val_loss  val_accuracy"
                .to_string(),
            format!("─────  {0}─┼─{0}", "─".repeat(42)),
            "    1    0.6502    0.7000    0.5376        0.7692 │   0.6425    0.6727    0.5376        0.7692"
                .to_string(),
            "    2   12.5000    0.7545         –             – │   0.5685    0.7545    0.5435        0.7692"
                .to_string(),
            format!("    3  {dashes} │   0.5068    0.7636    0.4064        0.7692"),
            format!("    4  {dashes} │   0.3520    0.8727    0.1604        1.0000"),
            format!("    5  {dashes} │   0.1968    0.9273    0.0592        1.0000"),
        ];
        assert_eq!(comparison_table(&ours), expected.join("\n") + "\n");
    }

    #[test]
    fn a_longer_run_than_the_documented_one_has_dashes_on_the_right() {
        let longer = EpochRecord { epoch: 6, ..DOCUMENTED_RUN[4] };
        let table = comparison_table(&[longer]);
        let rows: Vec<&str> = table.lines().skip(3).collect();
        assert_eq!(rows.len(), 7);
        assert!(rows[6].starts_with("    7    0.1968") && rows[6].ends_with('–'), "{table}");
    }
}
