//! `--cache`: whether the decoded images are kept in memory, or decoded anew in each epoch.

use super::printed::masked;
use super::{Here, set, zipped};
use expect_test::expect;
use std::fs;

/// What is told where the 24 images of 16 × 16 pixels, 18,432 bytes, do not fit.
const DECODED_ANEW: &str = "Decoded to 16 × 16 pixels the images take 0.0 MiB, and --cache is 0: they are decoded anew in each \
                            epoch, 2 batches ahead of the step.\n";

/// What a run computed.
const RESULTS: [&str; 4] = ["history.csv", "steps.csv", "predictions.csv", "weights/last.safetensors"];

#[test]
fn images_kept_or_decoded_anew_from_a_folder_or_a_zip_on_any_threads_make_the_same_run() {
    let here = Here::with_set();
    here.write("set.zip", zipped(&set()));
    let kept = masked(&here.done("train set --model tiny.toml --epochs 3 --out kept"));
    for (index, arguments) in ["set --threads 1", "set --threads 2", "set.zip --threads 2"].into_iter().enumerate() {
        let ran = here.run(&format!("train {arguments} --model tiny.toml --epochs 3 --cache 0 --out anew{index}"));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), DECODED_ANEW), "{arguments}");
        assert_eq!(masked(&ran.stdout), kept.replace("kept", &format!("anew{index}")), "{arguments}");
        for file in RESULTS {
            assert!(
                here.read(&format!("anew{index}/{file}")) == here.read(&format!("kept/{file}")),
                "{arguments} {file}"
            );
        }
    }
    let config: toml::Table = here.text("anew0/config.toml").parse().unwrap();
    assert_eq!(config["settings"]["cache"].as_integer(), Some(0));
}

#[test]
fn a_run_goes_on_with_its_own_cache_or_another() {
    let here = Here::with_set();
    here.done("train set --model tiny.toml --epochs 3 --out whole");
    here.run("train set --model tiny.toml --epochs 1 --cache 0 --out run");
    here.prints("train --resume run --epochs 2", expect![[r#"
        Found 20 images belonging to 2 classes.
        Found 4 images belonging to 2 classes.
        Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)
        Going on with run after 1 epoch
        Epoch 2/2
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.6000 - val_loss: #.#### - val_accuracy: 0.5000
        Training Accuracy: 0.6000
        Training images again, without dropout: the last weights have accuracy 0.6000, loss #.#### (while training: accuracy 0.6000)
        Validation, last weights: 2 of 4 right, accuracy 0.5000; always answering 'dog' would have 0.5000
        Positive class 'dog': sensitivity 1.0000, specificity 0.0000, ROC AUC 0.5000
        Best weights: those of epoch 2, with the lowest val_loss, #.####
        After epoch 2, every validation image was taken for 'dog': the val_accuracy there is that class's share, no skill; so it is with the best weights, those of epoch 2
        Run folder: run
        stderr: Decoded to 16 × 16 pixels the images take 0.0 MiB, and --cache is 0: they are decoded anew in each epoch, 2 batches ahead of the step.
    "#]]);
    here.done("train --resume run --epochs 3 --cache 1");
    for file in RESULTS {
        assert!(here.read(&format!("run/{file}")) == here.read(&format!("whole/{file}")), "{file}");
    }
    let config: toml::Table = here.text("run/config.toml").parse().unwrap();
    assert_eq!(config["settings"]["cache"].as_integer(), Some(1));
}

#[test]
fn a_cache_that_is_no_size_is_refused() {
    let here = Here::with_set();
    for value in ["-1", "1.5", "all", "1073741825"] {
        let sentence = format!(
            "invalid value '{value}' for '--cache <MEBIBYTES>': it must be a whole number from 0 to 1073741824"
        );
        here.misused(&format!("train set --cache {value}"), &sentence);
    }
}

#[test]
fn a_file_that_vanishes_in_the_middle_of_a_run_is_named_and_put_back_the_run_goes_on() {
    let here = Here::with_set();
    let child = here.start("train set --model tiny.toml --epochs 1000000 --cache 0 --out run");
    // Written when the first epoch ends, long after all files were checked.
    here.wait_for("run/history.csv");
    fs::rename(here.path("set/dog/07.png"), here.path("away.png")).unwrap();
    let ran = child.ended();
    let sentence = "error: set/dog/07.png cannot be read as an image: it is not there any more, or is a link to nothing; put it \
                    back, or take it out of the data; when that is mended, go on with: glassnet train --resume run\n";
    assert_eq!((ran.code, ran.stderr), (Some(1), format!("{DECODED_ANEW}{sentence}")));

    fs::rename(here.path("away.png"), here.path("set/dog/07.png")).unwrap();
    let epochs = here.text("run/history.csv").lines().count() + 1;
    here.done(&format!("train --resume run --cache 1 --epochs {epochs}"));
    here.done(&format!("train set --model tiny.toml --epochs {epochs} --out whole"));
    for file in RESULTS {
        assert!(here.read(&format!("run/{file}")) == here.read(&format!("whole/{file}")), "{file}");
    }
}
