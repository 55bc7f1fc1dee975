//! The results of cross-validation: a row for each fold, mean and spread over them, as table and as `folds.csv`.

use std::path::Path;

use serde::Serialize;

use super::csv_files::write;
use crate::Result;

/// What one fold came to. Epochs count from 0, as in `history.csv`. Measures that are not defined are `None`.
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
    /// The area under the ROC curve of the last weights on the validation images.
    pub roc_auc: Option<f64>,
    /// The share of positives that the last weights find.
    pub sensitivity: Option<f64>,
    /// The share of negatives that the last weights recognize.
    pub specificity: Option<f64>,
}

/// The names of the measures over which mean and spread are taken, as in `folds.csv`.
pub const MEASURES: [&str; 7] =
    ["best_val_loss", "best_val_accuracy", "val_loss", "val_accuracy", "roc_auc", "sensitivity", "specificity"];

impl FoldRow {
    /// The values of [`MEASURES`].
    pub fn measures(&self) -> [Option<f64>; 7] {
        [
            self.best_val_loss,
            self.best_val_accuracy,
            self.val_loss,
            self.val_accuracy,
            self.roc_auc,
            self.sensitivity,
            self.specificity,
        ]
    }
}

/// The mean of each measure over the folds where it is defined.
pub fn means(rows: &[FoldRow]) -> [Option<f64>; 7] {
    over(rows, |values| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64))
}

/// The standard deviation of each measure over the folds where it is defined: √(Σ (x − mean)² / (k − 1)); `None` for fewer than
/// two of them.
///
/// Folds share most of their training images, so they are not independent, and this is no standard error (Y. Bengio and
/// Y. Grandvalet, *No Unbiased Estimator of the Variance of K-Fold Cross-Validation*, 2004).
pub fn standard_deviations(rows: &[FoldRow]) -> [Option<f64>; 7] {
    over(rows, |values| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
    })
}

fn over(rows: &[FoldRow], of: impl Fn(&[f64]) -> Option<f64>) -> [Option<f64>; 7] {
    std::array::from_fn(|measure| {
        let values: Vec<f64> = rows.iter().filter_map(|row| row.measures()[measure]).collect();
        of(&values)
    })
}

/// A text table with a line for each fold, the mean and the standard deviation; a dash stands for what is not defined. Epochs are
/// counted from 1. Ends with a line break.
pub fn fold_table(rows: &[FoldRow]) -> String {
    let heads =
        ["epoch", "val_loss", "val_accuracy", "val_loss", "val_accuracy", "ROC AUC", "sensitivity", "specificity"];
    let widths = heads.map(|head| head.len().max(6));
    let best: usize = widths[..3].iter().sum::<usize>() + 4;
    let last: usize = widths[3..].iter().sum::<usize>() + 8;
    let line = |label: &str, counts: [String; 2], cells: [String; 8]| {
        let padded = |range: std::ops::Range<usize>| {
            range.map(|cell| format!("{:>1$}", cells[cell], widths[cell])).collect::<Vec<_>>().join("  ")
        };
        format!("{label:>4}  {:>5}  {:>8} │ {} │ {}\n", counts[0], counts[1], padded(0..3), padded(3..8))
    };
    let mut table = format!("{:21} │ {:^best$} │ {:^last$}\n", "", "best epoch", "last epoch");
    table += &line("fold", ["train".into(), "validate".into()], heads.map(String::from));
    table += &format!("{}─┼─{}─┼─{}\n", "─".repeat(21), "─".repeat(best), "─".repeat(last));
    let with_epoch = |epoch: String, values: [Option<f64>; 7]| {
        let mut cells = vec![epoch];
        cells.extend(values.map(|value| value.map_or("—".to_string(), |value| format!("{value:.4}"))));
        <[String; 8]>::try_from(cells).expect("an epoch and seven measures")
    };
    for row in rows {
        let epoch = row.best_epoch.map_or("—".to_string(), |epoch| (epoch + 1).to_string());
        let counts = [row.training_images, row.validation_images].map(|count| count.to_string());
        table += &line(&row.fold.to_string(), counts, with_epoch(epoch, row.measures()));
    }
    for (label, values) in [("mean", means(rows)), ("sd", standard_deviations(rows))] {
        table += &line(label, [String::new(), String::new()], with_epoch(String::new(), values));
    }
    table
}

/// Writes `folds.csv`: a line for each fold, without mean and spread.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) names the file that cannot be written.
pub fn write_folds<'a>(path: &Path, rows: impl IntoIterator<Item = &'a FoldRow>) -> Result<()> {
    let heading = ["fold", "training_images", "validation_images", "best_epoch"];
    write(path, &[&heading[..], &MEASURES].concat(), rows)
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
            roc_auc,
            sensitivity: Some(1.0),
            specificity: Some(0.5),
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
        let table = fold_table(&[row(1, 0.1, Some(0.8)), row(2, 0.2, None)]);
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
    }

    #[test]
    fn folds_csv_has_a_heading_and_leaves_out_what_is_not_defined() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("folds.csv");
        write_folds(&path, &[row(1, 0.1, None)]).unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "fold,training_images,validation_images,best_epoch,best_val_loss,best_val_accuracy,val_loss,val_accuracy,roc_auc,\
             sensitivity,specificity\n1,109,27,3,0.25,1.0,0.1,0.9,,1.0,0.5\n"
        );
    }
}
