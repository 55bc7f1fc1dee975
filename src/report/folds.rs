//! The results of cross-validation: a row for each fold, mean and spread over them, as table and as
//! `folds.csv`.

use std::path::Path;

use serde::Serialize;

use super::evaluation::number;
use crate::Result;
use crate::files::write_table;

/// The outcome of one fold. Epochs count from 0, as in `history.csv`. Measures that are not defined are
/// `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoldRow {
    /// The fold, from 1.
    pub fold: usize,
    /// Images that it trained on.
    pub training_images: usize,
    /// Images that it validated on.
    pub validation_images: usize,
    /// The epoch with the lowest validation loss.
    pub best_epoch: Option<usize>,
    /// That loss.
    pub best_val_loss: Option<f64>,
    /// The validation accuracy of that epoch.
    pub best_val_accuracy: Option<f64>,
    /// The validation loss after the last epoch.
    pub val_loss: Option<f64>,
    /// The validation accuracy after the last epoch.
    pub val_accuracy: Option<f64>,
    /// What the weights that the fold ended with answer on the validation images, measured as
    /// [`FoldMeasures`] says.
    pub answers: [Option<f64>; 3],
    /// The last epoch.
    pub last_epoch: Option<usize>,
    /// The weights that the fold ended with: those of the last epoch, or with early stopping of the best.
    pub validated_weights: KeptWeights,
}

/// The weights that a fold ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeptWeights {
    /// The weights after the last epoch.
    Last,
    /// The weights of the epoch with the lowest validation loss, restored.
    Best,
}

/// The measures of the answers of a fold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoldMeasures {
    /// Of two classes: area under the ROC curve, share of positives that are found, and of negatives that are
    /// recognized.
    Two,
    /// Of more: the mean area under the ROC curve of each class against the rest, and the means of the
    /// classes' recalls and F1 scores.
    Several,
}

impl FoldMeasures {
    /// The measures of this many classes.
    pub fn of_classes(count: usize) -> FoldMeasures {
        if count == 2 { FoldMeasures::Two } else { FoldMeasures::Several }
    }

    /// The names of [`FoldRow::measures`], as in `folds.csv`.
    pub fn names(self) -> [&'static str; 7] {
        let [first, second, third] = match self {
            FoldMeasures::Two => ["roc_auc", "sensitivity", "specificity"],
            FoldMeasures::Several => ["roc_auc", "balanced_accuracy", "macro_f1"],
        };
        ["best_val_loss", "best_val_accuracy", "val_loss", "val_accuracy", first, second, third]
    }

    /// The heads of the columns of [`FoldRow::answers`].
    fn heads(self) -> [&'static str; 3] {
        match self {
            FoldMeasures::Two => ["ROC AUC", "sensitivity", "specificity"],
            FoldMeasures::Several => ["ROC AUC", "mean recall", "mean F1"],
        }
    }
}

impl FoldRow {
    /// Returns the measures over which mean and spread are taken, in the order of [`FoldMeasures::names`].
    pub fn measures(&self) -> [Option<f64>; 7] {
        let [first, second, third] = self.answers;
        [self.best_val_loss, self.best_val_accuracy, self.val_loss, self.val_accuracy, first, second, third]
    }
}

/// Returns the mean of each measure over the folds where it is defined.
pub fn means(rows: &[FoldRow]) -> [Option<f64>; 7] {
    over(rows, mean)
}

/// Returns the standard deviation of each measure over the folds where it is defined: √(Σ (x − mean)² / (k −
/// 1)); `None` for fewer than two of them.
///
/// Folds share most of their training images, so they are not independent, and this is no standard error (Y.
/// Bengio and Y. Grandvalet, *No Unbiased Estimator of the Variance of K-Fold Cross-Validation*, 2004).
pub fn standard_deviations(rows: &[FoldRow]) -> [Option<f64>; 7] {
    over(rows, standard_deviation)
}

/// Returns the mean; `None` of no values.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Returns √(Σ (x − mean)² / (k − 1)); `None` of fewer than two values.
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

fn over(rows: &[FoldRow], of: impl Fn(&[f64]) -> Option<f64>) -> [Option<f64>; 7] {
    std::array::from_fn(|measure| {
        let values: Vec<f64> = rows.iter().filter_map(|row| row.measures()[measure]).collect();
        of(&values)
    })
}

/// A column of the table: its head, and what stands in the lines of the folds, of the means and of the
/// standard deviations.
struct Column {
    head: &'static str,
    cells: Vec<String>,
}

impl Column {
    /// Returns a column of epochs, which have no mean.
    fn from_epochs(rows: &[FoldRow], epoch: impl Fn(&FoldRow) -> Option<usize>) -> Column {
        let shown = |row: &FoldRow| epoch(row).map_or("—".to_string(), |epoch| (epoch + 1).to_string());
        Column { head: "epoch", cells: rows.iter().map(shown).chain([String::new(), String::new()]).collect() }
    }

    /// Returns the column of [`FoldRow::measures`]`[measure]`.
    fn from_measure(rows: &[FoldRow], head: &'static str, measure: usize) -> Column {
        let of_folds = rows.iter().map(|row| row.measures()[measure]);
        let values = of_folds.chain([means(rows)[measure], standard_deviations(rows)[measure]]);
        let shown = |value: Option<f64>| value.map_or("—".to_string(), number);
        Column { head, cells: values.map(shown).collect() }
    }

    fn width(&self) -> usize {
        self.head.len().max(6)
    }
}

/// Returns a text table with a line for each fold and, of several, the mean and the standard deviation; a
/// dash stands for what is not defined. Epochs are counted from 1. The measures of the answers stand with the
/// epoch whose weights they are of. Ends with a line break.
pub fn fold_table(rows: &[FoldRow], measures: FoldMeasures) -> String {
    let restored = rows.iter().any(|row| row.validated_weights == KeptWeights::Best);
    let measure = |head, measure| Column::from_measure(rows, head, measure);
    let [first, second, third] = measures.heads();
    let of_kept_weights = [measure(first, 4), measure(second, 5), measure(third, 6)];
    let best_epoch = Column::from_epochs(rows, |row| row.best_epoch);
    let mut best = vec![best_epoch, measure("val_loss", 0), measure("val_accuracy", 1)];
    let mut last = vec![measure("val_loss", 2), measure("val_accuracy", 3)];
    if restored {
        // Every fold may have stopped after another epoch.
        last.insert(0, Column::from_epochs(rows, |row| row.last_epoch));
        best.extend(of_kept_weights);
    } else {
        last.extend(of_kept_weights);
    }

    let best_head = if restored { "best epoch, restored" } else { "best epoch" };
    let sections = [(best_head, best), ("last epoch", last)];
    let width = |columns: &[Column]| columns.iter().map(|column| column.width() + 2).sum::<usize>() - 2;
    let mut headings = format!("{:21}", "");
    let mut heads = format!("{:>4}  {:>5}  {:>8}", "fold", "train", "validate");
    let mut rule = "─".repeat(21);
    for (name, columns) in &sections {
        headings += &format!(" │ {name:^0$}", width(columns));
        heads += &format!(" │ {}", joined(columns, |column| column.head));
        rule += &format!("─┼─{}", "─".repeat(width(columns)));
    }
    let mut table = format!("{headings}\n{heads}\n{rule}\n");
    let of_fold = |row: &FoldRow| format!("{:>4}  {:>5}  {:>8}", row.fold, row.training_images, row.validation_images);
    let over_all = ["mean", "sd"].into_iter().filter(|_| rows.len() > 1);
    let labels = rows.iter().map(of_fold).chain(over_all.map(|label| format!("{label:>4}{:17}", "")));
    for (line, label) in labels.enumerate() {
        table += &label;
        for (_, columns) in &sections {
            table += &format!(" │ {}", joined(columns, |column| &column.cells[line]));
        }
        table += "\n";
    }
    table
}

/// Returns one cell of each column, in its width.
fn joined<'a>(columns: &'a [Column], cell: impl Fn(&'a Column) -> &'a str) -> String {
    columns.iter().map(|column| format!("{:>1$}", cell(column), column.width())).collect::<Vec<_>>().join("  ")
}

/// Writes `folds.csv`: a line for each fold, without mean and spread.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) names the file that cannot be written.
pub fn write_folds<'a>(path: &Path, rows: impl IntoIterator<Item = &'a FoldRow>, measures: FoldMeasures) -> Result<()> {
    let heading = ["fold", "training_images", "validation_images", "best_epoch"];
    write_table(path, &[&heading[..], &measures.names(), &["last_epoch", "validated_weights"]].concat(), rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    fn row(fold: usize, val_loss: f64, roc_auc: Option<f64>) -> FoldRow {
        FoldRow {
            fold,
            training_images: 109,
            validation_images: 27,
            best_epoch: Some(3),
            best_val_loss: Some(0.25),
            best_val_accuracy: Some(1.0),
            val_loss: Some(val_loss),
            val_accuracy: Some(0.9),
            answers: [roc_auc, Some(1.0), Some(0.5)],
            last_epoch: Some(5),
            validated_weights: KeptWeights::Last,
        }
    }

    #[test]
    fn mean_and_spread_are_over_the_folds_that_have_the_measure() {
        let rows = [row(1, 0.1, Some(0.8)), row(2, 0.2, None), row(3, 0.6, None)];
        let (means, spreads) = (means(&rows), standard_deviations(&rows));
        assert_abs_diff_eq!(means[2].unwrap(), 0.3, epsilon = 1e-15);
        // (0.2² + 0.1² + 0.3²) / 2 = 0.07
        assert_abs_diff_eq!(spreads[2].unwrap(), 0.07f64.sqrt(), epsilon = 1e-15);
        assert_eq!((means[4], spreads[4]), (Some(0.8), None));
        assert_eq!((means[0], spreads[0]), (Some(0.25), Some(0.0)));
    }

    #[test]
    fn the_table_has_a_line_for_each_fold_and_two_below() {
        let table = fold_table(&[row(1, 0.1, Some(0.8)), row(2, 0.2, None)], FoldMeasures::Two);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 7, "{table}");
        assert_eq!(
            lines[1],
            "fold  train  validate │  epoch  val_loss  val_accuracy │ val_loss  val_accuracy  ROC AUC  sensitivity  specificity"
        );
        assert_eq!(
            lines[3],
            "   1    109        27 │      4    0.2500        1.0000 │   0.1000        0.9000   0.8000       1.0000       0.5000"
        );
        assert_eq!(
            lines[4],
            "   2    109        27 │      4    0.2500        1.0000 │   0.2000        0.9000        —       1.0000       0.5000"
        );
        assert!(lines[5].starts_with("mean ") && lines[6].starts_with("  sd "), "{table}");
        let widths: Vec<usize> = lines.iter().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|&width| width == widths[0]), "{table}");
        // One fold has neither mean nor spread.
        assert_eq!(fold_table(&[row(2, 0.2, None)], FoldMeasures::Two).lines().count(), 4);
    }

    #[test]
    fn losses_of_any_size_fit_into_their_columns() {
        let table = fold_table(
            &[row(1, 1.234e21, Some(0.8)), row(2, 9e99, None), row(3, 12_345.6, None)],
            FoldMeasures::Several,
        );
        let widths: Vec<usize> = table.lines().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|&width| width == widths[0]), "{table}");
        assert!(table.contains(" 1.23e21  ") && table.contains(" 9.00e99  ") && table.contains(" 1.23e4  "), "{table}");
    }

    #[test]
    fn where_the_best_weights_were_restored_what_they_answer_stands_with_the_best_epoch() {
        let restored = |fold, last_epoch| FoldRow {
            validated_weights: KeptWeights::Best,
            last_epoch,
            ..row(fold, 0.3, Some(0.8))
        };
        let table = fold_table(&[restored(1, Some(5)), restored(2, Some(4))], FoldMeasures::Two);
        let lines: Vec<&str> = table.lines().collect();
        let headings: Vec<&str> = lines[0].split('│').map(str::trim).collect();
        assert_eq!(headings, ["", "best epoch, restored", "last epoch"]);
        assert_eq!(
            lines[1],
            "fold  train  validate │  epoch  val_loss  val_accuracy  ROC AUC  sensitivity  specificity │  epoch  val_loss  val_accuracy"
        );
        assert_eq!(
            lines[3..5],
            [
                "   1    109        27 │      4    0.2500        1.0000   0.8000       1.0000       0.5000 │      6    0.3000        0.9000",
                "   2    109        27 │      4    0.2500        1.0000   0.8000       1.0000       0.5000 │      5    0.3000        0.9000",
            ]
        );
        let seams = |line: &str| -> Vec<usize> {
            line.chars().enumerate().filter(|(_, letter)| "│┼".contains(*letter)).map(|(place, _)| place).collect()
        };
        assert!(lines.iter().all(|line| seams(line) == seams(lines[1])), "{table}");
        assert!(lines.iter().all(|line| line.chars().count() == lines[1].chars().count()), "{table}");
    }

    #[test]
    fn folds_csv_has_a_heading_and_leaves_out_what_is_not_defined() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("folds.csv");
        write_folds(&path, &[row(1, 0.1, None)], FoldMeasures::Two).unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "fold,training_images,validation_images,best_epoch,best_val_loss,best_val_accuracy,val_loss,val_accuracy,roc_auc,\
             sensitivity,specificity,last_epoch,validated_weights\n1,109,27,3,0.25,1.0,0.1,0.9,,1.0,0.5,5,last\n"
        );
        write_folds(&path, &[row(1, 0.1, None)], FoldMeasures::Several).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(",val_accuracy,roc_auc,balanced_accuracy,macro_f1,last_epoch,"), "{text}");
    }
}
