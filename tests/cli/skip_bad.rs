//! `train --skip-bad`.

use super::known::{ONE_PIXEL, with_known_answers};
use super::printed::masked;
use super::{Here, csv};
use expect_test::expect;

const TRAIN: &str = "train set --model tiny.toml --epochs 1 --out run";

/// A set whose fourth cat, which trains, and second dog, which validates, cannot be read.
fn with_two_bad() -> Here {
    let here = Here::with_set();
    here.write("set/cat/03.png", "hello");
    here.write("set/dog/01.png", "");
    here
}

#[test]
fn without_the_flag_bad_images_stop_the_run_and_with_it_they_are_left_out_and_counted() {
    let here = with_two_bad();
    here.prints(TRAIN, expect![[r#"
        Found 20 images belonging to 2 classes.
        Found 4 images belonging to 2 classes.
        stderr: error: set/cat/03.png cannot be read as an image: its content is none of PNG, JPEG, BMP, PPM, TIFF, WebP and GIF; convert it to PNG with an image program, or take it out
        stderr: error: set/dog/01.png cannot be read as an image: the file is empty; fetch it again, or take it out
        stderr: error: set: 2 images cannot be read; mend them or take them out, or train without them, with --skip-bad
        exit code 1
    "#]]);
    assert!(!here.path("run").exists());

    here.prints(&format!("{TRAIN} --skip-bad"), expect![[r#"
        Found 20 images belonging to 2 classes.
        Found 4 images belonging to 2 classes.
        Left out 2 images that cannot be read: 19 left to train on, 3 to validate on.
        Always answering 'dog' would be right for 12 of 19 training images (0.6316) and 1 of 3 validation images (0.3333)
        Epoch 1/1
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.5263 - val_loss: #.#### - val_accuracy: 0.3333
        Training Accuracy: 0.5263
        Training images again, without dropout: the last weights have accuracy 0.3158, loss #.#### (while training: accuracy 0.5263)
        Validation, last weights: 1 of 3 right, accuracy 0.3333; always answering 'cat' would have 0.6667
        Positive class 'dog': sensitivity 0.0000, specificity 0.5000, ROC AUC 0.5000
        Best weights: those of epoch 1, with the lowest val_loss, #.####
        Run folder: run
        stderr: warning: left out: set/cat/03.png cannot be read as an image: its content is none of PNG, JPEG, BMP, PPM, TIFF, WebP and GIF; convert it to PNG with an image program, or take it out
        stderr: warning: left out: set/dog/01.png cannot be read as an image: the file is empty; fetch it again, or take it out
    "#]]);

    let split = here.text("run/split.csv");
    let rows = csv(&split);
    let skipped: Vec<&str> = rows.iter().filter(|row| row[2] == "skipped").map(|row| row[0]).collect();
    assert_eq!(skipped, ["cat/03.png", "dog/01.png"]);
    // The others are where they are without the flag: the first two of each class validate.
    let validation: Vec<&str> = rows.iter().filter(|row| row[2] == "validation").map(|row| row[0]).collect();
    assert_eq!(validation, ["cat/00.png", "cat/01.png", "dog/00.png"]);
    assert_eq!(rows.len(), 1 + 24);
    assert_eq!(here.text("run/predictions.csv").lines().count(), 1 + 3);

    let config: toml::Table = here.text("run/config.toml").parse().unwrap();
    let data = config["data"].as_table().unwrap();
    assert_eq!((data["training_images"].as_integer(), data["validation_images"].as_integer()), (Some(19), Some(3)));
    let names: Vec<&str> = data["skipped_images"].as_array().unwrap().iter().filter_map(|name| name.as_str()).collect();
    assert_eq!(names, skipped);
    assert_eq!(here.read("set/cat/03.png"), b"hello", "the user's files stay as they are");
}

#[test]
fn the_set_that_was_learned_from_is_known_again_without_what_was_left_out() {
    let here = with_known_answers();
    here.write("greys/dog/130.png", "no picture");
    here.write("pixel.toml", ONE_PIXEL);
    let train = "train greys --model pixel.toml --init-weights known.safetensors --learning-rate 1e-30 --epochs 1";
    here.run(&format!("{train} --skip-bad --out run"));
    here.prints("evaluate run greys --subset training", expect![[r#"
        Model     run/weights/best.safetensors, trained for 1 epoch on 9 images
        Data      greys
        Subset    training, 9 of 12 images, as run/split.csv lists them; the files are those of the run, byte for byte
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
}

#[test]
fn a_set_without_bad_images_is_trained_on_as_ever() {
    let here = Here::with_set();
    let lines = |folder: &str, flag: &str| {
        let stdout = here.done(&format!("train set --model tiny.toml --epochs 1 --out {folder} {flag}"));
        masked(&stdout.replace(folder, "FOLDER"))
    };
    assert_eq!(lines("first-run", ""), lines("other-run", "--skip-bad"));
    for file in ["split.csv", "steps.csv", "weights/best.safetensors"] {
        assert!(here.read(&format!("first-run/{file}")) == here.read(&format!("other-run/{file}")), "{file}");
    }
}

#[test]
fn json_counts_what_is_left_out() {
    let here = with_two_bad();
    let ran = here.run(&format!("{TRAIN} --skip-bad --json --quiet"));
    let warnings = "\
warning: left out: set/cat/03.png cannot be read as an image: its content is none of PNG, JPEG, BMP, PPM, TIFF, WebP and GIF; convert it to PNG with an image program, or take it out
warning: left out: set/dog/01.png cannot be read as an image: the file is empty; fetch it again, or take it out
";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), warnings));
    let object = ran.json();
    assert_eq!(object["skipped_images"], serde_json::json!(["cat/03.png", "dog/01.png"]));
    assert_eq!((&object["training_images"], &object["validation_images"]), (&19.into(), &3.into()));
}

#[test]
fn a_class_of_which_nothing_can_be_read_stops_the_run() {
    let here = Here::with_set();
    for index in 0..10 {
        here.write(&format!("set/cat/{index:02}.png"), "");
    }
    here.prints(&format!("{TRAIN} --skip-bad"), expect![[r#"
        Found 20 images belonging to 2 classes.
        Found 4 images belonging to 2 classes.
        stderr: warning: left out: set/cat/00.png cannot be read as an image: the file is empty; fetch it again, or take it out
        stderr: warning: left out: set/cat/01.png cannot be read as an image: the file is empty; fetch it again, or take it out
        stderr: warning: left out: set/cat/02.png cannot be read as an image: the file is empty; fetch it again, or take it out
        stderr: warning: left out: set/cat/03.png cannot be read as an image: the file is empty; fetch it again, or take it out
        stderr: warning: left out: set/cat/04.png cannot be read as an image: the file is empty; fetch it again, or take it out
        stderr: warning: left out: set/cat/05.png cannot be read as an image: the file is empty; fetch it again, or take it out
        stderr: warning: left out: set/cat/06.png cannot be read as an image: the file is empty; fetch it again, or take it out
        stderr: warning: left out: set/cat/07.png cannot be read as an image: the file is empty; fetch it again, or take it out
        stderr: warning: left out: set/cat/08.png cannot be read as an image: the file is empty; fetch it again, or take it out
        stderr: warning: left out: set/cat/09.png cannot be read as an image: the file is empty; fetch it again, or take it out
        stderr: error: set: no image of the class cat that trains can be read; mend or replace them
        exit code 1
    "#]]);
    assert!(!here.path("run").exists());
}
