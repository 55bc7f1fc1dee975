//! `train --folds` with `--early-stopping` and with `--skip-bad`.

use super::printed::masked_folds;
use super::{Here, csv};
use expect_test::expect;
use serde_json::json;

const TRAIN: &str = "train set --model tiny.toml --epochs 12 --learning-rate 0.02 --folds 3 --early-stopping 1";

#[test]
fn with_early_stopping_each_figure_stands_with_the_weights_that_it_is_of() {
    let here = Here::with_set();
    let stdout = here.done(&format!("{TRAIN} --out run"));
    let table = here.text("run/folds.csv");
    let rows = csv(&table);
    let of = |fold: usize, name: &str| rows[fold][rows[0].iter().position(|head| *head == name).unwrap()];
    let mut stopped_behind_the_best = 0;
    for fold in 1..=3 {
        let history = here.text(&format!("run/fold{fold}/history.csv"));
        let history = csv(&history);
        let (best, last) = (of(fold, "best_epoch"), of(fold, "last_epoch"));
        stopped_behind_the_best += usize::from(best != last);
        // epoch, accuracy, loss, val_accuracy, val_loss; a heading above.
        let epoch = |number: &str| &history[1 + number.parse::<usize>().unwrap()];
        assert_eq!(history.last().unwrap()[0], last);
        assert_eq!((of(fold, "best_val_loss"), of(fold, "best_val_accuracy")), (epoch(best)[4], epoch(best)[3]));
        assert_eq!((of(fold, "val_loss"), of(fold, "val_accuracy")), (epoch(last)[4], epoch(last)[3]));
        assert_eq!(of(fold, "validated_weights"), "best");
        let judged = here.json(&format!("evaluate run/fold{fold} set --subset validation"));
        for measure in ["roc_auc", "sensitivity", "specificity"] {
            assert_eq!(of(fold, measure).parse().ok(), judged[measure].as_f64(), "{measure} of fold {fold}");
        }
        // In the printed table the best epoch's part comes first, and what its weights answer is in it.
        let line = stdout.lines().find(|line| line.starts_with(&format!("   {fold}     "))).unwrap();
        let parts: Vec<Vec<&str>> = line.split('│').map(|part| part.split_whitespace().collect()).collect();
        let shown = |name: &str| format!("{:.4}", of(fold, name).parse::<f64>().unwrap());
        let counted = |name: &str| (of(fold, name).parse::<usize>().unwrap() + 1).to_string();
        let of_best = ["best_val_loss", "best_val_accuracy", "roc_auc", "sensitivity", "specificity"].map(shown);
        assert_eq!(parts[1], [&[counted("best_epoch")], &of_best[..]].concat());
        let of_last = ["val_loss", "val_accuracy"].map(shown);
        assert_eq!(parts[2], [&[counted("last_epoch")], &of_last[..]].concat());
    }
    assert!(stopped_behind_the_best > 0, "no fold stopped early, which would test nothing:\n{table}");
    let heading = stdout.lines().find(|line| line.contains("best epoch")).unwrap();
    let parts: Vec<&str> = heading.split('│').map(str::trim).collect();
    assert_eq!(parts, ["", "best epoch, restored", "last epoch"]);
    let note = "Each best epoch was chosen by the very images it is measured on, which flatters it, and with it ROC AUC, sensitivity and specificity, which are of its restored weights; the same images decided which epoch was the last.\n";
    assert!(stdout.contains(note), "{stdout}");

    let object = here.json(&format!("{TRAIN} --out again"));
    assert_eq!(table, here.text("again/folds.csv"));
    assert_eq!(object["folds"][0]["validated_weights"], "best");
    assert_eq!(object["notes"][1], note.trim_end());
}

#[test]
fn what_cannot_be_read_is_in_no_fold_and_not_counted() {
    let here = Here::with_set();
    here.write("set/dog/01.png", "");
    let ran = here.run("train set --model tiny.toml --epochs 1 --folds 2 --skip-bad --out run");
    expect![[r#"
        Fold 1/2
        Found 12 images belonging to 2 classes.
        Found 12 images belonging to 2 classes.
        Left out 1 image that cannot be read: 12 left to train on, 11 to validate on.
        Always answering 'dog' would be right for 7 of 12 training images (0.5833) and 6 of 11 validation images (0.5455)
        Epoch 1/1
        1/1 [==============================] - TIME - loss: #.#### - accuracy: 0.5833 - val_loss: #.#### - val_accuracy: 0.4545
        Fold 2/2
        Found 12 images belonging to 2 classes.
        Found 12 images belonging to 2 classes.
        Left out 1 image that cannot be read: 11 left to train on, 12 to validate on.
        Always answering 'dog' would be right for 6 of 11 training images (0.5455) and 7 of 12 validation images (0.5833)
        Epoch 1/1
        1/1 [==============================] - TIME - loss: #.#### - accuracy: 0.4545 - val_loss: #.#### - val_accuracy: 0.4167

                              │           best epoch           │                        last epoch                        
        fold  train  validate │  epoch  val_loss  val_accuracy │ val_loss  val_accuracy  ROC AUC  sensitivity  specificity
        ──────────────────────┼────────────────────────────────┼──────────────────────────────────────────────────────────
           1     12        11 │      1    #.####        0.4545 │   #.####        0.4545   0.0000       0.0000       1.0000
           2     11        12 │      1    #.####        0.4167 │   #.####        0.4167   0.1143       0.0000       1.0000
        mean                  │           #.####        0.4356 │   #.####        0.4356   0.0571       0.0000       1.0000
          sd                  │           #.####        0.0268 │   #.####        0.0268   0.0808       0.0000       0.0000
        The folds' training images overlap, so the folds are not independent: sd is the spread between them (n − 1), no standard error.
        Each best epoch was chosen by the very images it is measured on, which flatters it; the last epoch was not.
        Positive class 'dog'; always answering 'dog' would be right for 13 of 23 images (0.5652)
        Run folder: run
        stderr: warning: left out: set/dog/01.png cannot be read as an image: the file is empty; fetch it again, or take it out
    "#]].assert_eq(&masked_folds(&ran.shown()));
    let table = here.text("run/folds.csv");
    let counts: Vec<usize> = csv(&table)[1..].iter().map(|row| row[2].parse().unwrap()).collect();
    assert_eq!(counts.iter().sum::<usize>(), 23);
    let again = here.run("train set --model tiny.toml --epochs 1 --folds 2 --skip-bad --out again --json");
    assert_eq!(again.json()["majority_share"], json!(13.0 / 23.0));
}
