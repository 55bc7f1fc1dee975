//! `glassnet train`: what it prints, and what its flags do.

use super::printed::{epoch_lines, masked, masked_times};
use super::{Here, csv, set, zipped};
use expect_test::expect;
use glassnet::classes::Label;
use glassnet::metrics::roc_auc;

const TRAIN: &str = "train set --model tiny.toml --epochs 2";

/// The files that tell two runs apart, to the last bit.
fn results(here: &Here, run: &str) -> [Vec<u8>; 4] {
    ["history.csv", "steps.csv", "weights/best.safetensors", "weights/last.safetensors"]
        .map(|file| here.read(&format!("{run}/{file}")))
}

/// Accuracy and loss of some weights of `run` on its training files, from what `predict` answers for each.
fn again(here: &Here, weights: &str) -> (f64, f64) {
    let split = here.text("run/split.csv");
    let rows: Vec<Vec<&str>> = csv(&split).into_iter().filter(|row| row[2] == "training").collect();
    let files: Vec<String> = rows.iter().map(|row| format!("set/{}", row[0])).collect();
    let answers = here.json(&format!("predict run/weights/{weights}.safetensors {}", files.join(" ")));
    let right: Vec<f64> = answers["predictions"]
        .as_array()
        .unwrap()
        .iter()
        .zip(&rows)
        .map(|(answer, row)| {
            let p = answer["probability"].as_f64().unwrap();
            if row[1] == "dog" { p } else { 1.0 - p }
        })
        .collect();
    let mean = |values: &dyn Fn(f64) -> f64| right.iter().map(|&p| values(p)).sum::<f64>() / right.len() as f64;
    (mean(&|p| f64::from(u8::from(p > 0.5))), mean(&|p| -p.ln()))
}

#[test]
fn training_prints_what_keras_prints_and_then_how_good_the_model_is() {
    let here = Here::with_set();
    let stdout = here.done(&format!("{TRAIN} --out run"));

    let mut expected = "Found 20 images belonging to 2 classes.\nFound 4 images belonging to 2 classes.\n\
        Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)\n"
        .to_string();
    let history = here.text("run/history.csv");
    expected += &epoch_lines(&history, 2, 2);
    let history = csv(&history);
    let number = |epoch: usize, column: usize| history[epoch][column].parse::<f64>().unwrap();
    expected += &format!("Training Accuracy: {:.4}\n", number(2, 1));
    let again = again(&here, "last");
    expected += &format!(
        "Training images again, without dropout: the last weights have accuracy {:.4}, loss {:.4} (while training: accuracy \
         {:.4})\n",
        again.0,
        again.1,
        number(2, 1)
    );

    let predictions = here.text("run/predictions.csv");
    let answers: Vec<(bool, f32)> =
        csv(&predictions)[1..].iter().map(|row| (row[1] == "dog", row[2].parse().unwrap())).collect();
    let right = |dog: bool| answers.iter().filter(|&&(is_dog, p)| is_dog == dog && (p > 0.5) == dog).count();
    let labels: Vec<Label> = answers.iter().map(|&(is_dog, _)| Label::new(usize::from(is_dog))).collect();
    let probabilities: Vec<f32> = answers.iter().map(|&(_, p)| p).collect();
    let all_right = right(false) + right(true);
    expected += &format!(
        "Validation, last weights: {all_right} of 4 right, accuracy {:.4}; always answering 'dog' would have 0.5000\n\
         Positive class 'dog': sensitivity {:.4}, specificity {:.4}, ROC AUC {:.4}\n\
         Best weights: those of epoch {}, with the lowest val_loss, {:.4}\n\
         After epoch 2, every validation image was taken for 'dog': the val_accuracy there is that class's share, no skill\
         {}\nRun folder: run\n",
        all_right as f64 / 4.0,
        right(true) as f64 / 2.0,
        right(false) as f64 / 2.0,
        roc_auc(&labels, &probabilities).unwrap(),
        if number(1, 4) <= number(2, 4) { 1 } else { 2 },
        number(1, 4).min(number(2, 4)),
        if number(1, 4) <= number(2, 4) { "" } else { "; so it is with the best weights, those of epoch 2" },
    );
    assert_eq!(masked_times(&stdout), expected);
}

#[test]
fn with_json_stdout_is_one_object_and_the_lines_go_to_stderr() {
    let here = Here::with_set();
    here.prints(&format!("{TRAIN} --out run --json"), expect![[r#"
        {
          "best_epoch": 1,
          "classes": [
            "cat",
            "dog"
          ],
          "epochs": [
            {
              "accuracy": 0.4,
              "epoch": 0,
              "loss": #.####,
              "seconds": TIME,
              "step_seconds": TIME,
              "steps": 2,
              "val_accuracy": 0.25,
              "val_loss": #.####,
              "wait_seconds": TIME
            },
            {
              "accuracy": 0.6,
              "epoch": 1,
              "loss": #.####,
              "seconds": TIME,
              "step_seconds": TIME,
              "steps": 2,
              "val_accuracy": 0.5,
              "val_loss": #.####,
              "wait_seconds": TIME
            }
          ],
          "left_out": [],
          "majority": {
            "class": "dog",
            "training_share": 0.6,
            "validation_share": 0.5
          },
          "one_class_epochs": [
            {
              "class": "dog",
              "epoch": 1
            }
          ],
          "positive_class": "dog",
          "remarks": [
            "After epoch 2, every validation image was taken for 'dog': the val_accuracy there is that class's share, no skill; so it is with the best weights, those of epoch 2"
          ],
          "run_folder": "run",
          "saving_seconds": TIME,
          "seconds": TIME,
          "stopped_early": null,
          "training_accuracy": 0.6,
          "training_images": 20,
          "training_re_evaluated": {
            "best": {
              "accuracy": 0.6,
              "loss": #.####
            },
            "last": {
              "accuracy": 0.6,
              "loss": #.####
            }
          },
          "validated_weights": "last",
          "validation": {
            "accuracy": 0.5,
            "balanced_accuracy": 0.5,
            "confusion": {
              "false_negative": 0,
              "false_positive": 2,
              "true_negative": 0,
              "true_positive": 2
            },
            "majority_share": 0.5,
            "roc_auc": 0.5,
            "sensitivity": 1.0,
            "specificity": 0.0
          },
          "validation_images": 4
        }
        stderr: Found 20 images belonging to 2 classes.
        stderr: Found 4 images belonging to 2 classes.
        stderr: Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)
        stderr: Epoch 1/2
        stderr: 2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.4000 - val_loss: #.#### - val_accuracy: 0.2500
        stderr: Epoch 2/2
        stderr: 2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.6000 - val_loss: #.#### - val_accuracy: 0.5000
    "#]]);

    let object = here.json(&format!("{TRAIN} --out again"));
    let history = here.text("run/history.csv");
    assert_eq!(object["epochs"][1]["loss"].as_f64().unwrap(), csv(&history)[2][2].parse::<f64>().unwrap());
}

#[test]
fn the_same_seed_gives_the_same_bits_on_one_thread_and_on_two_and_another_seed_gives_others() {
    let here = Here::with_set();
    for (run, flags) in [("one", "--threads 1"), ("two", "--threads 2"), ("again", ""), ("other", "--seed 1")] {
        here.done(&format!("{TRAIN} --out {run} {flags}"));
    }
    let one = results(&here, "one");
    assert!(one == results(&here, "two"), "two threads");
    assert!(one == results(&here, "again"), "the same command once more");
    assert!(one.iter().zip(&results(&here, "other")).all(|(one, other)| one != other), "another seed");
}

#[test]
fn a_zip_trains_as_the_folder_that_was_packed_into_it() {
    let here = Here::with_set();
    let inside = |(name, bytes)| (format!("set/{name}"), bytes);
    here.write("set.zip", zipped(&set().into_iter().map(inside).collect::<Vec<_>>()));
    here.done(&format!("{TRAIN} --out folder"));
    here.done(&format!("{} --out zip", TRAIN.replace("train set", "train set.zip")));
    assert!(results(&here, "folder") == results(&here, "zip"));
    assert_eq!(here.text("folder/split.csv"), here.text("zip/split.csv"));
    let hash = |run: &str| here.text(run).lines().find(|line| line.starts_with("sha256")).unwrap().to_string();
    assert_eq!(hash("folder/config.toml"), hash("zip/config.toml"));
}

#[test]
fn runs_are_numbered_and_a_folder_that_holds_something_is_never_written_to() {
    let here = Here::with_set();
    let first = masked(&here.done(TRAIN));
    expect![[r#"
        Found 20 images belonging to 2 classes.
        Found 4 images belonging to 2 classes.
        Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)
        Epoch 1/2
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.4000 - val_loss: #.#### - val_accuracy: 0.2500
        Epoch 2/2
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.6000 - val_loss: #.#### - val_accuracy: 0.5000
        Training Accuracy: 0.6000
        Training images again, without dropout: the last weights have accuracy 0.6000, loss #.#### (while training: accuracy 0.6000)
        Validation, last weights: 2 of 4 right, accuracy 0.5000; always answering 'dog' would have 0.5000
        Positive class 'dog': sensitivity 1.0000, specificity 0.0000, ROC AUC 0.5000
        Best weights: those of epoch 2, with the lowest val_loss, #.####
        After epoch 2, every validation image was taken for 'dog': the val_accuracy there is that class's share, no skill; so it is with the best weights, those of epoch 2
        Run folder: runs/train1
    "#]].assert_eq(&first);
    assert_eq!(masked(&here.done(TRAIN)), first.replace("train1", "train2"));
    assert_eq!(here.names("runs"), ["train1", "train2"]);

    let before = results(&here, "runs/train1");
    let sentence = "--out: runs/train1 is not empty, and nothing is overwritten; name a new folder";
    here.refused(&format!("{TRAIN} --seed 1 --out runs/train1"), 2, sentence);
    assert!(before == results(&here, "runs/train1"));

    std::fs::create_dir(here.path("made")).unwrap();
    assert_eq!(masked(&here.done(&format!("{TRAIN} --out made"))), first.replace("runs/train1", "made"));
}

#[test]
fn training_goes_on_from_given_weights_with_the_loss_that_they_have() {
    let here = Here::with_model();
    let flags = "--dropout 0 --batch-size 20 --init-weights run/weights/last.safetensors";
    here.done(&format!("{TRAIN} {flags} --out on"));

    // Mean over the training images of −ln P(right class), from what predict says of each.
    let predictions = here.json("predict run/weights/last.safetensors set");
    let split = here.text("on/split.csv");
    let training: Vec<&str> = csv(&split)[1..].iter().filter(|row| row[2] == "training").map(|row| row[0]).collect();
    let mut losses = Vec::new();
    for prediction in predictions["predictions"].as_array().unwrap() {
        let file = prediction["file"].as_str().unwrap().strip_prefix("set/").unwrap();
        let probability = prediction["probability"].as_f64().unwrap();
        if training.contains(&file) {
            losses.push(-(if file.starts_with("dog") { probability } else { 1.0 - probability }).ln());
        }
    }
    assert_eq!(losses.len(), 20);
    let expected = losses.iter().sum::<f64>() / 20.0;
    let steps = here.text("on/steps.csv");
    let first: f64 = csv(&steps)[1][3].parse().unwrap();
    assert!((first - expected).abs() <= 1e-6 * expected, "{first} against {expected}");
}

#[test]
fn without_shuffling_and_dropout_equal_weights_make_equal_runs_whatever_the_seed() {
    let here = Here::with_model();
    let still = "--dropout 0 --no-shuffle --init-weights run/weights/last.safetensors";
    let moving = "--dropout 0 --init-weights run/weights/last.safetensors";
    for (run, flags) in [("a", still), ("b", still), ("c", moving)] {
        let seed = run.as_bytes()[0];
        here.done(&format!("{TRAIN} {flags} --seed {seed} --out {run}"));
    }
    assert_eq!(here.text("a/steps.csv"), here.text("b/steps.csv"));
    assert_ne!(here.text("a/steps.csv"), here.text("c/steps.csv"));
}

#[test]
fn where_no_image_validates_the_run_says_so_and_works_without() {
    let here = Here::with_set();
    here.prints(&format!("{TRAIN} --validation-split 0.01 --out run"), expect![[r#"
        Found 24 images belonging to 2 classes.
        Found 0 images belonging to 2 classes.
        Always answering 'dog' would be right for 14 of 24 training images (0.5833)
        Epoch 1/2
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.3750
        Epoch 2/2
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.5000
        Training Accuracy: 0.5000
        Training images again, without dropout: the last weights have accuracy 0.4583, loss #.#### (while training: accuracy 0.5000)
        Best weights: those of epoch 2, with the lowest loss, #.####
        No image validated: how the network does on images that it did not learn from is not known
        Run folder: run
        stderr: warning: 0.01 of the 10 images of cat is less than one, so none of them validates
        stderr: warning: 0.01 of the 14 images of dog is less than one, so none of them validates
    "#]]);
    assert!(here.text("run/history.csv").lines().skip(1).all(|line| line.ends_with(",,")));
    let files = [
        "config.toml",
        "curves.png",
        "history.csv",
        "history.jsonl",
        "split.csv",
        "steps.csv",
        "timings.csv",
        "weights",
    ];
    assert_eq!(here.names("run"), files);
}

#[test]
fn the_documented_network_trains_at_a_smaller_image_size() {
    let here = Here::with_set();
    here.prints("train set --image-size 24 --epochs 1", expect![[r#"
        Found 20 images belonging to 2 classes.
        Found 4 images belonging to 2 classes.
        Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)
        Epoch 1/1
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.5000 - val_loss: #.#### - val_accuracy: 0.5000
        Training Accuracy: 0.5000
        Training images again, without dropout: the last weights have accuracy 0.6000, loss #.#### (while training: accuracy 0.5000)
        Validation, last weights: 2 of 4 right, accuracy 0.5000; always answering 'dog' would have 0.5000
        Positive class 'dog': sensitivity 1.0000, specificity 0.0000, ROC AUC 1.0000
        Best weights: those of epoch 1, with the lowest val_loss, #.####
        After epoch 1, every validation image was taken for 'dog': the val_accuracy there is that class's share, no skill; so it is with the best weights, those of epoch 1
        Run folder: runs/train1
    "#]]);
    assert!(here.text("runs/train1/config.toml").contains("image_size = 24\n"));
}
