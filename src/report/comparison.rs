//! A table that sets a run of ours beside the [documented one](crate::training::keras_run).

use crate::training::EpochRecord;
use crate::training::keras_run::HISTORY;

/// Returns a text table with our epochs on the left and the documented ones on the right, one line an epoch;
/// a dash stands where one of the two has no such epoch or no validation part. Ends with a line break.
pub fn comparison_table(ours: &[EpochRecord]) -> String {
    let rule = "─".repeat(WIDTH);
    let mut table = format!("       {:^WIDTH$} │ {:^WIDTH$}\n", "this run", "documented run");
    table.push_str(&format!("epoch  {COLUMNS} │ {COLUMNS}\n"));
    table.push_str(&format!("─────  {rule}─┼─{rule}\n"));
    let last_epoch = ours.iter().chain(&HISTORY).map(|record| record.epoch).max().unwrap_or(0);
    for epoch in 0..=last_epoch {
        let find = |run: &[EpochRecord]| run.iter().find(|record| record.epoch == epoch).copied();
        let (left, right) = (columns(find(ours)), columns(find(&HISTORY)));
        table.push_str(&format!("{:>5}  {left} │ {right}\n", epoch + 1));
    }
    table
}

/// The headings over [`columns`].
const COLUMNS: &str = "    loss  accuracy  val_loss  val_accuracy";

/// The width of either half of the table.
const WIDTH: usize = COLUMNS.len();

/// Returns the four numbers of one epoch, aligned under [`COLUMNS`].
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
    use super::*;
    use crate::report::epoch::{epoch_line, training_accuracy_line};

    #[test]
    fn the_documented_run_prints_as_the_notebook_printed_it() {
        let first = "7/7 [==============================] - 4s 325ms/step - loss: 0.6425 - accuracy: 0.6727 \
                     - val_loss: 0.5376 - val_accuracy: 0.7692";
        assert_eq!(epoch_line(&HISTORY[0]), first);
        assert_eq!(training_accuracy_line(HISTORY[4].accuracy), "Training Accuracy: 0.9273");
    }

    #[test]
    fn the_table_sets_our_epochs_beside_the_documented_ones() {
        let ours = [
            EpochRecord { loss: 0.65017, accuracy: 0.7, ..HISTORY[0] },
            EpochRecord { loss: 12.5, val_loss: None, val_accuracy: None, ..HISTORY[1] },
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
        let longer = EpochRecord { epoch: 6, ..HISTORY[4] };
        let table = comparison_table(&[longer]);
        let rows: Vec<&str> = table.lines().skip(3).collect();
        assert_eq!(rows.len(), 7);
        assert!(rows[6].starts_with("    7    0.1968") && rows[6].ends_with('–'), "{table}");
    }
}
