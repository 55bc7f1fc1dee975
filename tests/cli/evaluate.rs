//! `glassnet evaluate`.

use super::known::{ONE_PIXEL, grey, with_known_answers, with_known_run, write_known_model};
use super::printed::four_digits;
use super::{Here, csv, set, zipped};
use expect_test::expect;
use serde_json::{Value, json};

const KNOWN: &str = "evaluate known.safetensors greys";

#[test]
fn the_report_of_known_answers_is_what_scikit_learn_scipy_and_numpy_compute() {
    let expected = "\
Model     known.safetensors, trained for 1 epoch on 20 images
Data      greys
Subset    all 11 images; which of them trained the model is not known: known.safetensors does not stand in the weights folder of a run, whose split.csv would tell
Positive  'dog' (class 1), answered where its probability is above 0.5, else 'cat'

true class  answered
              cat    dog
cat             4      1
dog             2      4

measure                value  95 % interval
loss                  0.5152                 always answering ½ has 0.6931, and the share of 'dog' has 0.6890
accuracy              0.7273  0.4344–0.9025  8 of 11 right; always answering 'dog' has 0.5455
sensitivity           0.6667  0.3000–0.9032  4 of 6 'dog' found
specificity           0.8000  0.3755–0.9638  4 of 5 'cat' recognized
balanced accuracy     0.7333                 the mean of the two above; any constant answer has 0.5
ROC AUC               0.8333  0.4558–0.9676  guessing has 0.5
Brier score           0.1789                 always answering the share of 'dog' has 0.2479
calibration error     0.1764                 mean distance of probability and observed share, over the bins below

probability  images     mean  observed  95 % interval
0.0–0.1           1   0.0474    0.0000  0.0000–0.7935
0.1–0.2           2   0.1336    0.5000  0.0945–0.9055
0.2–0.3           1   0.2689    0.0000  0.0000–0.7935
0.3–0.4           2   0.3775    0.5000  0.0945–0.9055
0.7–0.8           2   0.7311    0.5000  0.0945–0.9055
0.8–0.9           1   0.8808    1.0000  0.2065–1.0000
0.9–1.0           2   0.9673    1.0000  0.3424–1.0000

Intervals are of 95 %: Wilson's (1927) for shares; for the ROC AUC from DeLong's variance (1988), on the logit scale.
They take the images for independent, which images of one patient are not.
Not for diagnosis.
";
    assert_eq!(with_known_answers().done(KNOWN), expected);
}

#[test]
fn with_json_stdout_is_one_object_with_all_of_it() {
    let here = with_known_answers();
    expect![[r#"
        {
          "accuracy": 0.7272,
          "balanced_accuracy": 0.7333,
          "calibration": {
            "bins": [
              {
                "count": 1,
                "high": 0.1,
                "interval": {
                  "high": 0.7934,
                  "low": 0.0
                },
                "low": 0.0,
                "mean_predicted": 0.0474,
                "observed_share": 0.0,
                "positives": 0
              },
              {
                "count": 2,
                "high": 0.2,
                "interval": {
                  "high": 0.9054,
                  "low": 0.0945
                },
                "low": 0.1,
                "mean_predicted": 0.1336,
                "observed_share": 0.5,
                "positives": 1
              },
              {
                "count": 1,
                "high": 0.3,
                "interval": {
                  "high": 0.7934,
                  "low": 0.0
                },
                "low": 0.2,
                "mean_predicted": 0.2689,
                "observed_share": 0.0,
                "positives": 0
              },
              {
                "count": 2,
                "high": 0.4,
                "interval": {
                  "high": 0.9054,
                  "low": 0.0945
                },
                "low": 0.3,
                "mean_predicted": 0.3775,
                "observed_share": 0.5,
                "positives": 1
              },
              {
                "count": 0,
                "high": 0.5,
                "interval": null,
                "low": 0.4,
                "mean_predicted": null,
                "observed_share": null,
                "positives": 0
              },
              {
                "count": 0,
                "high": 0.6,
                "interval": null,
                "low": 0.5,
                "mean_predicted": null,
                "observed_share": null,
                "positives": 0
              },
              {
                "count": 0,
                "high": 0.7,
                "interval": null,
                "low": 0.6,
                "mean_predicted": null,
                "observed_share": null,
                "positives": 0
              },
              {
                "count": 2,
                "high": 0.8,
                "interval": {
                  "high": 0.9054,
                  "low": 0.0945
                },
                "low": 0.7,
                "mean_predicted": 0.7310,
                "observed_share": 0.5,
                "positives": 1
              },
              {
                "count": 1,
                "high": 0.9,
                "interval": {
                  "high": 1.0,
                  "low": 0.2065
                },
                "low": 0.8,
                "mean_predicted": 0.8807,
                "observed_share": 1.0,
                "positives": 1
              },
              {
                "count": 2,
                "high": 1.0,
                "interval": {
                  "high": 1.0,
                  "low": 0.3423
                },
                "low": 0.9,
                "mean_predicted": 0.9672,
                "observed_share": 1.0,
                "positives": 2
              }
            ],
            "brier_score": 0.1789,
            "brier_score_of_share": 0.2479,
            "expected_calibration_error": 0.1764
          },
          "cautions": [],
          "classes": [
            "cat",
            "dog"
          ],
          "confusion": {
            "false_negative": 2,
            "false_positive": 1,
            "true_negative": 4,
            "true_positive": 4
          },
          "data": "greys",
          "errors": [],
          "images": 11,
          "intervals": {
            "accuracy": {
              "high": 0.9025,
              "low": 0.4343
            },
            "level": 0.95,
            "note": "Intervals are of 95 %: Wilson's (1927) for shares; for the ROC AUC from DeLong's variance (1988), on the logit scale. They take the images for independent, which images of one patient are not.",
            "roc_auc": {
              "high": 0.9675,
              "low": 0.4558
            },
            "sensitivity": {
              "high": 0.9032,
              "low": 0.2999
            },
            "specificity": {
              "high": 0.9637,
              "low": 0.3755
            }
          },
          "left_out": [],
          "loss": #.####,
          "loss_of_share": 0.6890,
          "majority_share": 0.5454,
          "model": "known.safetensors",
          "note": "probability is that of the positive class; not for diagnosis",
          "positive_class": "dog",
          "predictions": [
            {
              "file": "cat/112.png",
              "label": "cat",
              "probability": 0.2689
            },
            {
              "file": "cat/120.png",
              "label": "cat",
              "probability": 0.3775
            },
            {
              "file": "cat/144.png",
              "label": "cat",
              "probability": 0.7310
            },
            {
              "file": "cat/80.png",
              "label": "cat",
              "probability": 0.0474
            },
            {
              "file": "cat/96.png",
              "label": "cat",
              "probability": 0.1192
            },
            {
              "file": "dog/100.png",
              "label": "dog",
              "probability": 0.1480
            },
            {
              "file": "dog/120.png",
              "label": "dog",
              "probability": 0.3775
            },
            {
              "file": "dog/144.png",
              "label": "dog",
              "probability": 0.7310
            },
            {
              "file": "dog/160.png",
              "label": "dog",
              "probability": 0.8807
            },
            {
              "file": "dog/176.png",
              "label": "dog",
              "probability": 0.9525
            },
            {
              "file": "dog/192.png",
              "label": "dog",
              "probability": 0.9820
            }
          ],
          "roc_auc": 0.8333,
          "sensitivity": 0.6666,
          "specificity": 0.8,
          "subset": {
            "description": "all 11 images; which of them trained the model is not known: known.safetensors does not stand in the weights folder of a run, whose split.csv would tell",
            "images": 11,
            "name": "all",
            "neither": null,
            "of": 11,
            "same_files": null,
            "split_file": null,
            "trained": null,
            "validated": null
          },
          "threshold": 0.5,
          "training": {
            "epochs": 1,
            "images": 20,
            "seed": 0,
            "val_accuracy": null,
            "val_loss": null
          },
          "undefined": {}
        }
    "#]].assert_eq(&four_digits(&here.run(&format!("{KNOWN} --json")).shown()));

    let object = here.json(KNOWN);
    assert_eq!(object["specificity"].as_f64(), Some(4.0 / 5.0));
    // Of 30 pairs a dog's level is above the cat's in 24 and equal to it in 2.
    assert_eq!(object["roc_auc"].as_f64(), Some(25.0 / 30.0));
    let area = &object["intervals"]["roc_auc"];
    assert!((area["low"].as_f64().unwrap() - 0.45583525090597127).abs() < 1e-9, "{area}");
    let predictions = object["predictions"].as_array().unwrap();
    for prediction in predictions {
        let file = prediction["file"].as_str().unwrap();
        let level: f64 = file[4..file.len() - 4].parse().unwrap();
        let probability = 1.0 / (1.0 + (-(level - 128.0) / 16.0).exp());
        assert!((prediction["probability"].as_f64().unwrap() - probability).abs() < 1e-6, "{prediction}");
        assert_eq!(prediction["label"], file[..3]);
    }
}

#[test]
fn the_threshold_moves_the_confusion_and_nothing_else() {
    let here = with_known_answers();
    let (half, high) = (here.json(KNOWN), here.json(&format!("{KNOWN} --threshold 0.9")));
    // 0.9 is the logit 2.197, the level 163: of the dogs 176 and 192 are above it.
    let confusion = json!({"true_positive": 2, "false_positive": 0, "true_negative": 5, "false_negative": 4});
    assert_eq!((&high["confusion"], high["threshold"].as_f64()), (&confusion, Some(0.9)));
    for same in ["loss", "roc_auc", "calibration", "predictions", "majority_share"] {
        assert_eq!(half[same], high[same], "{same}");
    }
    here.prints(&format!("{KNOWN} --threshold 0.9"), expect![[r#"
        Model     known.safetensors, trained for 1 epoch on 20 images
        Data      greys
        Subset    all 11 images; which of them trained the model is not known: known.safetensors does not stand in the weights folder of a run, whose split.csv would tell
        Positive  'dog' (class 1), answered where its probability is above 0.9, else 'cat'

        true class  answered
                      cat    dog
        cat             5      0
        dog             4      2

        measure                value  95 % interval
        loss                  0.5152                 always answering ½ has 0.6931, and the share of 'dog' has 0.6890
        accuracy              0.6364  0.3538–0.8483  7 of 11 right; always answering 'dog' has 0.5455
        sensitivity           0.3333  0.0968–0.7000  2 of 6 'dog' found
        specificity           1.0000  0.5655–1.0000  5 of 5 'cat' recognized
        balanced accuracy     0.6667                 the mean of the two above; any constant answer has 0.5
        ROC AUC               0.8333  0.4558–0.9676  guessing has 0.5
        Brier score           0.1789                 always answering the share of 'dog' has 0.2479
        calibration error     0.1764                 mean distance of probability and observed share, over the bins below

        probability  images     mean  observed  95 % interval
        0.0–0.1           1   0.0474    0.0000  0.0000–0.7935
        0.1–0.2           2   0.1336    0.5000  0.0945–0.9055
        0.2–0.3           1   0.2689    0.0000  0.0000–0.7935
        0.3–0.4           2   0.3775    0.5000  0.0945–0.9055
        0.7–0.8           2   0.7311    0.5000  0.0945–0.9055
        0.8–0.9           1   0.8808    1.0000  0.2065–1.0000
        0.9–1.0           2   0.9673    1.0000  0.3424–1.0000

        Intervals are of 95 %: Wilson's (1927) for shares; for the ROC AUC from DeLong's variance (1988), on the logit scale.
        They take the images for independent, which images of one patient are not.
        Not for diagnosis.
    "#]]);
}

#[test]
fn a_folder_and_a_zip_of_it_are_judged_alike_on_any_number_of_threads() {
    let here = Here::with_model();
    here.write("set.zip", zipped(&set()));
    let folder = here.done("evaluate run set");
    assert_eq!(here.done("evaluate run set.zip"), folder.replace("Data      set", "Data      set.zip"));
    assert_eq!(here.done("evaluate run set --threads 1"), folder);
}

#[test]
fn the_subsets_are_those_of_the_run_and_their_figures_are_those_it_wrote() {
    let here = Here::with_model();
    let last = "run/weights/last.safetensors";
    let object = here.json(&format!("evaluate {last} set --subset validation"));
    let history = here.text("run/history.csv");
    let epoch = csv(&history).pop().unwrap();
    assert!((object["loss"].as_f64().unwrap() - epoch[4].parse::<f64>().unwrap()).abs() < 1e-9);
    assert_eq!(object["accuracy"].as_f64(), epoch[3].parse().ok());
    let predictions = here.text("run/predictions.csv");
    let written: Vec<(&str, &str, f32)> =
        csv(&predictions)[1..].iter().map(|row| (row[0], row[1], row[2].parse().unwrap())).collect();
    let answered: Vec<(&str, &str, f32)> = object["predictions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (row["file"].as_str().unwrap(), row["label"].as_str().unwrap(), row["probability"].as_f64().unwrap() as f32)
        })
        .collect();
    assert_eq!(answered, written);
    let subset = json!({
        "name": "validation",
        "images": 4,
        "of": 24,
        "description": "validation, 4 of 24 images, as run/split.csv lists them; the files are those of the run, byte for byte",
        "split_file": "run/split.csv",
        "trained": 0,
        "validated": 4,
        "neither": 0,
        "same_files": true,
    });
    assert_eq!(object["subset"], subset);

    let training = here.json(&format!("evaluate {last} set --subset training"));
    assert_eq!((training["images"].as_u64(), training["subset"]["trained"].as_u64()), (Some(20), Some(20)));
}

#[test]
fn which_images_the_model_has_seen_is_said_of_each_subset() {
    let here = with_known_run();
    here.prints("evaluate run greys", expect![[r#"
        Model     run/weights/best.safetensors, trained for 1 epoch on 9 images
        Data      greys
        Subset    all 11 images, of which run/split.csv lists 9 as training and 2 as validation images; the files are those of the run, byte for byte
        Positive  'dog' (class 1), answered where its probability is above 0.5, else 'cat'
        Caution   the model has seen images that it is judged on here, which flatters it

        true class  answered
                      cat    dog
        cat             4      1
        dog             2      4

        measure                value  95 % interval
        loss                  0.5152                 always answering ½ has 0.6931, and the share of 'dog' has 0.6890
        accuracy              0.7273  0.4344–0.9025  8 of 11 right; always answering 'dog' has 0.5455
        sensitivity           0.6667  0.3000–0.9032  4 of 6 'dog' found
        specificity           0.8000  0.3755–0.9638  4 of 5 'cat' recognized
        balanced accuracy     0.7333                 the mean of the two above; any constant answer has 0.5
        ROC AUC               0.8333  0.4558–0.9676  guessing has 0.5
        Brier score           0.1789                 always answering the share of 'dog' has 0.2479
        calibration error     0.1764                 mean distance of probability and observed share, over the bins below

        probability  images     mean  observed  95 % interval
        0.0–0.1           1   0.0474    0.0000  0.0000–0.7935
        0.1–0.2           2   0.1336    0.5000  0.0945–0.9055
        0.2–0.3           1   0.2689    0.0000  0.0000–0.7935
        0.3–0.4           2   0.3775    0.5000  0.0945–0.9055
        0.7–0.8           2   0.7311    0.5000  0.0945–0.9055
        0.8–0.9           1   0.8808    1.0000  0.2065–1.0000
        0.9–1.0           2   0.9673    1.0000  0.3424–1.0000

        Intervals are of 95 %: Wilson's (1927) for shares; for the ROC AUC from DeLong's variance (1988), on the logit scale.
        They take the images for independent, which images of one patient are not.
        Not for diagnosis.
    "#]]);
    here.prints("evaluate run greys --subset training", expect![[r#"
        Model     run/weights/best.safetensors, trained for 1 epoch on 9 images
        Data      greys
        Subset    training, 9 of 11 images, as run/split.csv lists them; the files are those of the run, byte for byte
        Positive  'dog' (class 1), answered where its probability is above 0.5, else 'cat'
        Caution   the model has seen images that it is judged on here, which flatters it

        true class  answered
                      cat    dog
        cat             3      1
        dog             1      4

        measure                value  95 % interval
        loss                  0.3827                 always answering ½ has 0.6931, and the share of 'dog' has 0.6870
        accuracy              0.7778  0.4526–0.9368  7 of 9 right; always answering 'dog' has 0.5556
        sensitivity           0.8000  0.3755–0.9638  4 of 5 'dog' found
        specificity           0.7500  0.3006–0.9544  3 of 4 'cat' recognized
        balanced accuracy     0.7750                 the mean of the two above; any constant answer has 0.5
        ROC AUC               0.9000  0.4964–0.9880  guessing has 0.5
        Brier score           0.1300                 always answering the share of 'dog' has 0.2469
        calibration error     0.1176                 mean distance of probability and observed share, over the bins below

        probability  images     mean  observed  95 % interval
        0.0–0.1           1   0.0474    0.0000  0.0000–0.7935
        0.1–0.2           1   0.1192    0.0000  0.0000–0.7935
        0.3–0.4           2   0.3775    0.5000  0.0945–0.9055
        0.7–0.8           2   0.7311    0.5000  0.0945–0.9055
        0.8–0.9           1   0.8808    1.0000  0.2065–1.0000
        0.9–1.0           2   0.9673    1.0000  0.3424–1.0000

        Intervals are of 95 %: Wilson's (1927) for shares; for the ROC AUC from DeLong's variance (1988), on the logit scale.
        They take the images for independent, which images of one patient are not.
        Not for diagnosis.
    "#]]);
    here.prints("evaluate run greys --subset validation", expect![[r#"
        Model     run/weights/best.safetensors, trained for 1 epoch on 9 images
        Data      greys
        Subset    validation, 2 of 11 images, as run/split.csv lists them; the files are those of the run, byte for byte
        Positive  'dog' (class 1), answered where its probability is above 0.5, else 'cat'
        Caution   every image is taken for 'cat': the accuracy is that class's share, no skill

        true class  answered
                      cat    dog
        cat             1      0
        dog             1      0

        measure                value  95 % interval
        loss                  1.1117                 always answering ½ has 0.6931, and the share of 'dog' has 0.6931
        accuracy              0.5000  0.0945–0.9055  1 of 2 right; always answering 'dog' has 0.5000
        sensitivity           0.0000  0.0000–0.7935  0 of 1 'dog' found
        specificity           1.0000  0.2065–1.0000  1 of 1 'cat' recognized
        balanced accuracy     0.5000                 the mean of the two above; any constant answer has 0.5
        ROC AUC               0.0000                 no interval: only one cat image
        Brier score           0.3991                 always answering the share of 'dog' has 0.2500
        calibration error     0.5604                 mean distance of probability and observed share, over the bins below

        probability  images     mean  observed  95 % interval
        0.1–0.2           1   0.1480    1.0000  0.2065–1.0000
        0.2–0.3           1   0.2689    0.0000  0.0000–0.7935

        Intervals are of 95 %: Wilson's (1927) for shares; for the ROC AUC from DeLong's variance (1988), on the logit scale.
        They take the images for independent, which images of one patient are not.
        Not for diagnosis.
    "#]]);
}

#[test]
fn a_run_folder_stands_for_its_best_weights() {
    let here = Here::with_model();
    assert_eq!(here.done("evaluate run/weights/best.safetensors set"), here.done("evaluate run set"));
    assert_eq!(here.done("predict run set"), here.done("predict run/weights/best.safetensors set"));
}

#[test]
fn where_the_split_cannot_be_known_it_is_said_and_no_part_is_made_up() {
    let here = with_known_run();
    let reason = "known.safetensors does not stand in the weights folder of a run, whose split.csv would tell";
    assert_eq!(here.json(KNOWN)["subset"]["trained"], Value::Null);
    let sentence = "--subset: which images validated the model is not known: REASON; use --subset all";
    here.refused(&format!("{KNOWN} --subset validation"), 2, &sentence.replace("REASON", reason));

    // A split.csv of another run than the model's.
    here.done("train greys --model pixel.toml --epochs 1 --validation-split 0.5 --out half");
    std::fs::copy(here.path("half/split.csv"), here.path("run/split.csv")).unwrap();
    let reason = "run/split.csv lists 6 training images, and the model was trained on 9";
    let sentence = sentence.replace("validated", "trained");
    here.refused("evaluate run greys --subset training", 2, &sentence.replace("REASON", reason));

    // Other images than the run's.
    let here = with_known_run();
    here.write("others/cat/60.png", grey(60));
    here.write("others/dog/200.png", grey(200));
    let reason = "no image of others is named in run/split.csv, which is of another set";
    here.refused("evaluate run others --subset training", 2, &sentence.replace("REASON", reason));
    here.prints("evaluate run others", expect![[r#"
        Model     run/weights/best.safetensors, trained for 1 epoch on 9 images
        Data      others
        Subset    all 2 images; run/split.csv, which lists what trained the model, names none of them
        Positive  'dog' (class 1), answered where its probability is above 0.5, else 'cat'

        true class  answered
                      cat    dog
        cat             1      0
        dog             0      1

        measure                value  95 % interval
        loss                  0.0126                 always answering ½ has 0.6931, and the share of 'dog' has 0.6931
        accuracy              1.0000  0.3424–1.0000  2 of 2 right; always answering 'dog' has 0.5000
        sensitivity           1.0000  0.2065–1.0000  1 of 1 'dog' found
        specificity           1.0000  0.2065–1.0000  1 of 1 'cat' recognized
        balanced accuracy     1.0000                 the mean of the two above; any constant answer has 0.5
        ROC AUC               1.0000                 no interval: only one cat image
        Brier score           0.0002                 always answering the share of 'dog' has 0.2500
        calibration error     0.0125                 mean distance of probability and observed share, over the bins below

        probability  images     mean  observed  95 % interval
        0.0–0.1           1   0.0141    0.0000  0.0000–0.7935
        0.9–1.0           1   0.9890    1.0000  0.2065–1.0000

        Intervals are of 95 %: Wilson's (1927) for shares; for the ROC AUC from DeLong's variance (1988), on the logit scale.
        They take the images for independent, which images of one patient are not.
        Not for diagnosis.
    "#]]);
}

#[test]
fn files_that_are_not_those_of_the_run_are_told_apart_by_name_and_said_so() {
    let here = with_known_run();
    here.write("greys/dog/240.png", grey(240));
    let more = here.json("evaluate run greys")["subset"].clone();
    assert_eq!((&more["neither"], &more["same_files"]), (&json!(1), &json!(true)), "a file that was added");
    here.prints("evaluate run greys", expect![[r#"
        Model     run/weights/best.safetensors, trained for 1 epoch on 9 images
        Data      greys
        Subset    all 12 images, of which run/split.csv lists 9 as training and 2 as validation images, and 1 as neither; those that it lists are as they were in the run, byte for byte
        Positive  'dog' (class 1), answered where its probability is above 0.5, else 'cat'
        Caution   the model has seen images that it is judged on here, which flatters it

        true class  answered
                      cat    dog
        cat             4      1
        dog             2      5

        measure                value  95 % interval
        loss                  0.4724                 always answering ½ has 0.6931, and the share of 'dog' has 0.6792
        accuracy              0.7500  0.4677–0.9111  9 of 12 right; always answering 'dog' has 0.5833
        sensitivity           0.7143  0.3589–0.9178  5 of 7 'dog' found
        specificity           0.8000  0.3755–0.9638  4 of 5 'cat' recognized
        balanced accuracy     0.7571                 the mean of the two above; any constant answer has 0.5
        ROC AUC               0.8571  0.5070–0.9722  guessing has 0.5
        Brier score           0.1640                 always answering the share of 'dog' has 0.2431
        calibration error     0.1618                 mean distance of probability and observed share, over the bins below

        probability  images     mean  observed  95 % interval
        0.0–0.1           1   0.0474    0.0000  0.0000–0.7935
        0.1–0.2           2   0.1336    0.5000  0.0945–0.9055
        0.2–0.3           1   0.2689    0.0000  0.0000–0.7935
        0.3–0.4           2   0.3775    0.5000  0.0945–0.9055
        0.7–0.8           2   0.7311    0.5000  0.0945–0.9055
        0.8–0.9           1   0.8808    1.0000  0.2065–1.0000
        0.9–1.0           3   0.9779    1.0000  0.4385–1.0000

        Intervals are of 95 %: Wilson's (1927) for shares; for the ROC AUC from DeLong's variance (1988), on the logit scale.
        They take the images for independent, which images of one patient are not.
        Not for diagnosis.
    "#]]);

    here.write("greys/dog/192.png", grey(240));
    here.prints("evaluate run greys", expect![[r#"
        Model     run/weights/best.safetensors, trained for 1 epoch on 9 images
        Data      greys
        Subset    all 12 images, of which run/split.csv lists 9 as training and 2 as validation images, and 1 as neither; by name alone, as the files are not, or not all, those of the run
        Positive  'dog' (class 1), answered where its probability is above 0.5, else 'cat'
        Caution   the model may have seen images that it is judged on here, which would flatter it

        true class  answered
                      cat    dog
        cat             4      1
        dog             2      5

        measure                value  95 % interval
        loss                  0.4709                 always answering ½ has 0.6931, and the share of 'dog' has 0.6792
        accuracy              0.7500  0.4677–0.9111  9 of 12 right; always answering 'dog' has 0.5833
        sensitivity           0.7143  0.3589–0.9178  5 of 7 'dog' found
        specificity           0.8000  0.3755–0.9638  4 of 5 'cat' recognized
        balanced accuracy     0.7571                 the mean of the two above; any constant answer has 0.5
        ROC AUC               0.8571  0.5070–0.9722  guessing has 0.5
        Brier score           0.1640                 always answering the share of 'dog' has 0.2431
        calibration error     0.1604                 mean distance of probability and observed share, over the bins below

        probability  images     mean  observed  95 % interval
        0.0–0.1           1   0.0474    0.0000  0.0000–0.7935
        0.1–0.2           2   0.1336    0.5000  0.0945–0.9055
        0.2–0.3           1   0.2689    0.0000  0.0000–0.7935
        0.3–0.4           2   0.3775    0.5000  0.0945–0.9055
        0.7–0.8           2   0.7311    0.5000  0.0945–0.9055
        0.8–0.9           1   0.8808    1.0000  0.2065–1.0000
        0.9–1.0           3   0.9836    1.0000  0.4385–1.0000

        Intervals are of 95 %: Wilson's (1927) for shares; for the ROC AUC from DeLong's variance (1988), on the logit scale.
        They take the images for independent, which images of one patient are not.
        Not for diagnosis.
        stderr: warning: the files of greys are not, or not all, those of the run, so what trained the model is told by name alone
    "#]]);
    let ran = here.run("evaluate run greys --subset validation --json");
    let warning = "warning: the files of greys are not, or not all, those of the run, so what trained the model is told by name alone\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), warning));
    let subset = &ran.json()["subset"];
    assert_eq!((&subset["images"], &subset["same_files"]), (&json!(2), &json!(false)));
}

#[test]
fn classes_go_by_their_names_and_other_names_are_refused() {
    let here = with_known_answers();
    // The same network with dog as class 0: what was right is wrong.
    write_known_model(&here, "turned.safetensors", ["dog", "cat"]);
    let object = here.json("evaluate turned.safetensors greys");
    assert_eq!(object["positive_class"], "cat");
    let confusion = json!({"true_positive": 1, "false_positive": 4, "true_negative": 2, "false_negative": 4});
    assert_eq!(object["confusion"], confusion);

    std::fs::rename(here.path("greys/cat"), here.path("greys/ant")).unwrap();
    let sentence = "greys: its class folders, 2 ('ant', 'dog'), are not those of the model, 'cat' and 'dog'; name them as the model names its classes";
    here.refused(KNOWN, 1, sentence);
}

#[test]
fn of_one_class_what_can_be_told_is_told_and_the_rest_is_undefined() {
    let here = with_known_answers();
    std::fs::remove_dir_all(here.path("greys/cat")).unwrap();
    here.prints(&format!("{KNOWN} --out page"), expect![[r#"
        Model     known.safetensors, trained for 1 epoch on 20 images
        Data      greys
        Subset    all 6 images; which of them trained the model is not known: known.safetensors does not stand in the weights folder of a run, whose split.csv would tell
        Positive  'dog' (class 1), answered where its probability is above 0.5, else 'cat'

        true class  answered
                      cat    dog
        cat             0      0
        dog             2      4

        measure                value  95 % interval
        loss                  0.5652                 always answering ½ has 0.6931
        accuracy              0.6667  0.3000–0.9032  4 of 6 right; always answering 'dog' has 1.0000
        sensitivity           0.6667  0.3000–0.9032  4 of 6 'dog' found
        specificity        undefined                 no cat image
        balanced accuracy  undefined                 no cat image
        ROC AUC            undefined                 no cat image
        Brier score           0.2004                 always answering the share of 'dog' has 0.0000
        calibration error     0.3213                 mean distance of probability and observed share, over the bins below

        probability  images     mean  observed  95 % interval
        0.1–0.2           1   0.1480    1.0000  0.2065–1.0000
        0.3–0.4           1   0.3775    1.0000  0.2065–1.0000
        0.7–0.8           1   0.7311    1.0000  0.2065–1.0000
        0.8–0.9           1   0.8808    1.0000  0.2065–1.0000
        0.9–1.0           2   0.9673    1.0000  0.3424–1.0000

        Intervals are of 95 %: Wilson's (1927) for shares; for the ROC AUC from DeLong's variance (1988), on the logit scale.
        They take the images for independent, which images of one patient are not.
        Not for diagnosis.
        Written to page: evaluation.html, evaluation.json, predictions.csv
    "#]]);
    assert!(here.text("page/evaluation.html").contains("ROC curve: undefined, no cat image."));
    let object = here.json(KNOWN);
    for measure in ["specificity", "balanced_accuracy", "roc_auc"] {
        assert_eq!((&object[measure], &object["undefined"][measure]), (&Value::Null, &json!("no cat image")));
    }
    assert_eq!(object["intervals"]["roc_auc"], Value::Null);
}

#[test]
fn of_an_empty_subset_everything_is_undefined() {
    let here = with_known_answers();
    here.write("pixel.toml", ONE_PIXEL);
    here.done("train greys --model pixel.toml --epochs 1 --validation-split 0 --out run");
    here.prints("evaluate run greys --subset validation --out page", expect![[r#"
        Model     run/weights/best.safetensors, trained for 1 epoch on 11 images
        Data      greys
        Subset    validation, 0 of 11 images, as run/split.csv lists them; by name alone
        Positive  'dog' (class 1), answered where its probability is above 0.5, else 'cat'

        true class  answered
                      cat    dog
        cat             0      0
        dog             0      0

        measure                value  95 % interval
        loss               undefined                 no image
        accuracy           undefined                 no image
        sensitivity        undefined                 no image
        specificity        undefined                 no image
        balanced accuracy  undefined                 no image
        ROC AUC            undefined                 no image
        Brier score        undefined                 no image
        calibration error  undefined                 no image

        Intervals are of 95 %: Wilson's (1927) for shares; for the ROC AUC from DeLong's variance (1988), on the logit scale.
        They take the images for independent, which images of one patient are not.
        Not for diagnosis.
        Written to page: evaluation.html, evaluation.json, predictions.csv
    "#]]);
    assert!(!here.text("page/evaluation.html").contains("NaN"));
    assert!(here.text("page/evaluation.html").contains("No mistake among 0 images."));
    let object = here.json("evaluate run greys --subset validation");
    assert_eq!((&object["loss"], &object["calibration"]), (&Value::Null, &Value::Null));
    assert_eq!(object["undefined"]["accuracy"], "no image");
}

#[test]
fn a_bad_image_is_named_and_the_others_are_judged() {
    let here = with_known_answers();
    let before = here.json(KNOWN);
    here.write("greys/cat/bad.png", "no picture");
    here.prints(KNOWN, expect![[r#"
        Model     known.safetensors, trained for 1 epoch on 20 images
        Data      greys
        Subset    all 12 images; which of them trained the model is not known: known.safetensors does not stand in the weights folder of a run, whose split.csv would tell
        Positive  'dog' (class 1), answered where its probability is above 0.5, else 'cat'
        Missing   1 of 12 images has no answer

        true class  answered
                      cat    dog
        cat             4      1
        dog             2      4

        measure                value  95 % interval
        loss                  0.5152                 always answering ½ has 0.6931, and the share of 'dog' has 0.6890
        accuracy              0.7273  0.4344–0.9025  8 of 11 right; always answering 'dog' has 0.5455
        sensitivity           0.6667  0.3000–0.9032  4 of 6 'dog' found
        specificity           0.8000  0.3755–0.9638  4 of 5 'cat' recognized
        balanced accuracy     0.7333                 the mean of the two above; any constant answer has 0.5
        ROC AUC               0.8333  0.4558–0.9676  guessing has 0.5
        Brier score           0.1789                 always answering the share of 'dog' has 0.2479
        calibration error     0.1764                 mean distance of probability and observed share, over the bins below

        probability  images     mean  observed  95 % interval
        0.0–0.1           1   0.0474    0.0000  0.0000–0.7935
        0.1–0.2           2   0.1336    0.5000  0.0945–0.9055
        0.2–0.3           1   0.2689    0.0000  0.0000–0.7935
        0.3–0.4           2   0.3775    0.5000  0.0945–0.9055
        0.7–0.8           2   0.7311    0.5000  0.0945–0.9055
        0.8–0.9           1   0.8808    1.0000  0.2065–1.0000
        0.9–1.0           2   0.9673    1.0000  0.3424–1.0000

        Intervals are of 95 %: Wilson's (1927) for shares; for the ROC AUC from DeLong's variance (1988), on the logit scale.
        They take the images for independent, which images of one patient are not.
        Not for diagnosis.
        stderr: error: greys/cat/bad.png cannot be read as an image: its content is none of PNG, JPEG, BMP, PPM, TIFF, WebP and GIF; convert it to PNG with an image program, or take it out
        exit code 1
    "#]]);
    let error = "greys/cat/bad.png cannot be read as an image: its content is none of PNG, JPEG, BMP, PPM, TIFF, WebP and GIF; convert it to PNG with an image program, or take it out";
    let after = here.run(&format!("{KNOWN} --json"));
    assert_eq!((after.code, &after.stderr), (Some(1), &format!("error: {error}\n")));
    let after = after.json();
    assert_eq!(after["errors"], json!([{"file": "cat/bad.png", "error": error}]));
    for same in ["confusion", "loss", "roc_auc", "predictions"] {
        assert_eq!(before[same], after[same], "{same}");
    }
}

#[test]
fn out_is_a_folder_with_a_page_that_needs_nothing_else_and_the_numbers() {
    let here = with_known_answers();
    let text = here.done(&format!("{KNOWN} --out judged"));
    let written = "Written to judged: evaluation.html, evaluation.json, predictions.csv\n";
    assert_eq!(text, here.done(KNOWN) + written);
    assert_eq!(here.names("judged"), ["evaluation.html", "evaluation.json", "predictions.csv"]);
    let json: Value = serde_json::from_str(&here.text("judged/evaluation.json")).unwrap();
    assert_eq!(json, here.json(KNOWN));
    let predictions = here.text("judged/predictions.csv");
    assert!(predictions.starts_with("file,label,probability\ncat/112.png,cat,0.26894"), "{predictions}");
    assert_eq!(predictions.lines().count(), 12);

    let page = here.text("judged/evaluation.html");
    assert_eq!(page.matches("<img ").count(), 4 + 3, "four pictures and three mistakes");
    assert_eq!(page.matches("src=\"data:image/").count(), 7);
    for outside in ["http:", "https:", "<script", "<link", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("ROC curve: area 0.8333, 95 % interval 0.4"), "{page}");
    assert!(page.contains("The point is the threshold 0.5;") && page.contains("Not for diagnosis."));
    assert!(page.contains("3 of 3 mistakes among 11 images"));
    // The farther on the wrong side, the earlier: 100 is 28 levels off, 144 is 16, 120 is 8.
    let places = ["dog/100.png", "cat/144.png", "dog/120.png"].map(|file| page.find(&format!(">{file}<")).unwrap());
    assert!(places.is_sorted());
    assert!(page.contains("<b>dog</b> taken for cat, p = 0.1480"));
    for picture in ["ROC curve", "Confusion matrix", "Probabilities by class", "Reliability diagram"] {
        assert!(page.contains(&format!("alt=\"{picture}\"")));
    }
}

#[test]
fn a_wrong_call_is_told_before_the_work_and_writes_nothing() {
    let here = with_known_answers();
    for value in ["0", "1", "-0.5", "nan", "x"] {
        let sentence =
            format!("invalid value '{value}' for '--threshold <T>': it must be a number above 0 and below 1");
        here.misused(&format!("{KNOWN} --threshold {value}"), &sentence);
    }
    here.prints(
        &format!("{KNOWN} --subset test"),
        expect![[r#"
            stderr: error: --subset: the data in greys tell of no test part; use --subset all
            exit code 2
        "#]],
    );
    let sentence = "DATA: it is missing, and known.safetensors is not in a run folder that tells it; give a folder, a zip or a pack";
    here.refused("evaluate known.safetensors", 2, sentence);
    here.refused(
        "predict known.safetensors",
        2,
        "IMAGE: it is missing; give images, or folders, zips or packs of them",
    );
    here.refused("evaluate missing greys", 2, "missing does not exist; check the path");
    here.refused("evaluate known.safetensors missing", 2, "missing does not exist; check the path");
    let sentence = "--out: a folder is written, with evaluation.html, evaluation.json and predictions.csv in it, and page.html is the name of a file; name a folder";
    here.refused(&format!("{KNOWN} --out page.html"), 2, sentence);
    let sentence = "--out: greys is not empty, and nothing is overwritten; name a new folder";
    here.refused(&format!("{KNOWN} --out greys"), 2, sentence);
    let folder = "weights file greys: it is not a file; give one that 'glassnet train' wrote, such as weights/best.safetensors in a run folder";
    here.refused("evaluate greys greys", 1, folder);
    here.refused(
        "evaluate known.safetensors tiny.toml --out new",
        1,
        "tiny.toml: it is neither a folder nor a zip; give a folder that holds class folders, or a zip of one",
    );
    assert!(!here.path("new").exists() && !here.path("page.html").exists());
}
