//! Cross-validations that stop and go on: `train --folds K` and `train --resume` of its folder.

use super::Here;
use super::printed::{going_on_line, masked_folds, masked_times};
use super::survive::assert_same_run;
use expect_test::expect;

const TRAIN: &str = "train set --model tiny.toml --folds 3";

/// Wants two cross-validations to have come to the same, to the last bit.
#[track_caller]
fn assert_same_folds(here: &Here, actual: &str, expected: &str) {
    assert_eq!(here.text(&format!("{actual}/folds.csv")), here.text(&format!("{expected}/folds.csv")));
    assert_eq!(here.names(actual), here.names(expected));
    for fold in ["fold1", "fold2", "fold3"] {
        assert_same_run(here, &format!("{actual}/{fold}"), &format!("{expected}/{fold}"));
    }
}

#[test]
fn one_that_is_done_tells_its_table_again_and_goes_on_with_more_epochs() {
    let here = Here::with_set();
    let first = masked_times(&here.done(&format!("{TRAIN} --epochs 2 --out run")));
    let again = here.done("train --resume run");
    let table = &first[first.find("\n\n").unwrap()..];
    let nothing = |fold: usize| {
        format!(
            "Fold {fold}/3\nNothing to do: the run in run/fold{fold} has done its 2 epochs; a larger --epochs goes on\n"
        )
    };
    assert_eq!(again, (1..=3).map(nothing).collect::<String>() + &table[1..]);
    let object = here.json("train --resume run");
    let anew = here.done(&format!("{TRAIN} --epochs 2 --out anew --quiet --json"));
    assert_eq!(object, serde_json::from_str::<serde_json::Value>(&anew.replace("anew", "run")).unwrap());

    here.done("train --resume run --epochs 4");
    here.done(&format!("{TRAIN} --epochs 4 --out whole"));
    assert_same_folds(&here, "run", "whole");
}

#[test]
fn what_cannot_go_on_is_refused_and_told_why() {
    let here = Here::with_set();
    here.done(&format!("{TRAIN} --epochs 1 --out my-run"));
    let sentence = "--resume: my-run/fold2 holds fold 2 of 3 of a cross-validation; go on with all of it: glassnet train \
                    --resume my-run";
    here.refused("train --resume my-run/fold2", 2, sentence);
    let sentence = "--folds: the run in my-run has 3, and 4 is asked for; leave it out to go on, or start a new run";
    here.refused("train --resume my-run --folds 4", 2, sentence);
    let sentence =
        "--batch-size: the run in my-run has 16, and 4 is asked for; leave it out to go on, or start a new run";
    here.refused("train --resume my-run --batch-size 4", 2, sentence);

    here.done("train set --model tiny.toml --epochs 1 --out plain");
    let sentence = "--folds: the run in plain is no cross-validation; leave it out to go on, or start a new run";
    here.refused("train --resume plain --folds 3", 2, sentence);

    // The fold that is left to be done would be of other images than the first two.
    std::fs::remove_dir_all(here.path("my-run/fold3")).unwrap();
    let (cat, dog) = (here.read("set/cat/00.png"), here.read("set/dog/00.png"));
    here.write("set/cat/00.png", dog);
    here.prints("train --resume my-run", expect![[r#"
        stderr: error: DATA: the images are not those of the run in my-run: changed 1 (cat/00.png); give the same data, or start a new run
        exit code 1
    "#]]);
    here.write("set/cat/00.png", cat);
    here.done("train --resume my-run");
    here.done(&format!("{TRAIN} --epochs 1 --out whole"));
    assert_same_folds(&here, "my-run", "whole");
}

#[test]
fn what_is_odd_of_the_images_is_said_once_for_all_folds() {
    let here = Here::with_set();
    here.write("set/cat/03.png", "hello");
    let jpeg = super::encoded(super::noise(77, 16, 16, 40), image::ImageFormat::Jpeg);
    here.write("set/cat/10.png", jpeg);
    here.write("tiny.toml", super::TINY.replace("kernel = 3", "kernel = 4"));
    let ran = here.run(&format!("{TRAIN} --epochs 1 --skip-bad --conv winograd --quiet --out run"));
    let warnings = "\
warning: cat/10.png is named as PNG and holds JPEG; it was read as that
warning: left out: set/cat/03.png cannot be read as an image: its content is none of PNG, JPEG, BMP, PPM, TIFF, WebP and GIF; convert it to PNG with an image program, or take it out
warning: conv2d: --conv winograd cannot compute it, so im2col does
";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), warnings));
    expect![[r#"
                              │           best epoch           │                        last epoch                        
        fold  train  validate │  epoch  val_loss  val_accuracy │ val_loss  val_accuracy  ROC AUC  sensitivity  specificity
        ──────────────────────┼────────────────────────────────┼──────────────────────────────────────────────────────────
           1     16         8 │      1    #.####        0.3750 │   #.####        0.3750   0.3125       0.5000       0.2500
           2     15         9 │      1    #.####        0.4444 │   #.####        0.4444   0.7500       0.8000       0.0000
           3     17         7 │      1    #.####        0.5714 │   #.####        0.5714   0.2000       0.8000       0.0000
        mean                  │           #.####        0.4636 │   #.####        0.4636   0.4208       0.7000       0.0833
          sd                  │           #.####        0.0996 │   #.####        0.0996   0.2906       0.1732       0.1443
        The folds' training images overlap, so the folds are not independent: sd is the spread between them (n − 1), no standard error.
        Each best epoch was chosen by the very images it is measured on, which flatters it; the last epoch was not.
        Positive class 'dog'; always answering 'dog' would be right for 14 of 24 images (0.5833)
        Run folder: run
    "#]].assert_eq(&masked_folds(&ran.stdout));
    for fold in 1..=3 {
        assert!(here.text(&format!("run/fold{fold}/split.csv")).contains("cat/03.png,cat,skipped,\n"));
        let config: toml::Table = here.text(&format!("run/fold{fold}/config.toml")).parse().unwrap();
        assert_eq!(config["data"]["skipped_images"].as_array().unwrap().len(), 1);
    }
    let again = here.run("train --resume run --quiet");
    assert_eq!((again.code, again.stdout, again.stderr.as_str()), (Some(0), ran.stdout, warnings));
}

#[test]
fn a_fold_of_which_no_image_validates_tells_its_row_again() {
    let here = Here::with_set();
    here.done(&format!("{TRAIN} --epochs 1 --out first"));
    let split = here.text("first/fold2/split.csv");
    let validating: Vec<&str> =
        split.lines().filter_map(|line| line.split(',').next().filter(|_| line.contains(",validation"))).collect();
    assert!(validating.len() > 1, "{split}");
    for file in validating {
        here.write(&format!("set/{file}"), "");
    }
    let ran = here.run(&format!("{TRAIN} --epochs 1 --skip-bad --quiet --out run"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(!here.path("run/fold2/predictions.csv").exists());
    let again = here.run("train --resume run --quiet");
    assert_eq!((again.code, again.stdout), (Some(0), ran.stdout), "{}", again.stderr);
}

#[test]
fn predictions_of_a_fold_that_are_none_are_told_with_what_to_do() {
    let here = Here::with_set();
    here.done(&format!("{TRAIN} --epochs 1 --out run"));
    let (file, table) = ("run/fold1/predictions.csv", here.text("run/fold1/predictions.csv"));
    here.write(file, table.replace(",cat,", ",cow,"));
    let ran = here.run("train --resume run");
    let sentence = format!("error: {file}: 'cow' is none of the classes; put back a copy of the file\n");
    assert_eq!((ran.code, ran.stderr), (Some(1), sentence));
    here.write(file, "file,label,probability\na.png,cat,often\n");
    let ran = here.run("train --resume run");
    let sentence = format!("error: {file}: 'often' is no probability; put back a copy of the file\n");
    assert_eq!((ran.code, ran.stderr), (Some(1), sentence));
}

#[cfg(unix)]
mod signals {
    use super::*;
    use glassnet::random::{Purpose, Stream};
    use std::time::Duration;

    #[test]
    fn ctrl_c_saves_the_fold_and_prints_the_command_that_goes_on_with_all() {
        let here = Here::with_set();
        // Quiet, as nobody reads what it prints before it ends.
        let child = here.start(&format!("{TRAIN} --epochs 1000 --quiet --out run"));
        here.wait_for("run/fold2/history.csv");
        child.interrupt();
        let ran = child.ended();
        let sentence =
            "interrupted; what was reached by then is in the run folder; go on with: glassnet train --resume run";
        assert_eq!((ran.code, ran.stderr), (Some(130), format!("error: {sentence}\n")));
        assert!(!here.path("run/fold3").exists());
        // The first fold is done, the second goes on, the third begins; then comes the table.
        let (epochs, goes_on) = going_on_line(&here, "run/fold2", 1);
        let resumed = masked_times(&here.done("train --resume run"));
        let whole = masked_times(&here.done(&format!("{TRAIN} --epochs 1000 --out whole"))).replace("whole", "run");
        let second = &whole[whole.find("Fold 2/3\n").unwrap()..];
        let found = &second[..second.find("Epoch 1/1000\n").unwrap()];
        let rest = &second[second.find(&format!("Epoch {}/1000\n", epochs + 1)).unwrap()..];
        let expected = format!(
            "Fold 1/3\nNothing to do: the run in run/fold1 has done its 1000 epochs; a larger --epochs goes on\n\
             {found}{goes_on}\n{rest}"
        );
        assert_eq!(resumed, expected);
        assert_same_folds(&here, "run", "whole");
    }

    #[test]
    fn one_killed_again_and_again_always_goes_on_and_ends_with_the_same_bits() {
        const EPOCHS: usize = 400;
        let here = Here::with_set();
        here.done(&format!("{TRAIN} --epochs {EPOCHS} --out whole"));
        let mut stream = Stream::new(12, Purpose::Test, 0, 0);
        let mut kills = 0u64;
        loop {
            let begun = here.path("run/config.toml").exists();
            let child = match begun {
                true => here.start("train --resume run --save-every 0"),
                false => {
                    // Killed before it was a run: there may be a folder, and nothing in it.
                    let _ = std::fs::remove_dir_all(here.path("run"));
                    here.start(&format!("{TRAIN} --epochs {EPOCHS} --save-every 0 --out run"))
                }
            };
            // Longer from time to time: a fast machine is not at its end after two, and a slow one comes to
            // its end too.
            std::thread::sleep(Duration::from_millis(15 * kills + u64::from(stream.below(80))));
            let ran = child.killed();
            if ran.code.is_some() {
                assert_eq!(ran.code, Some(0), "{}", ran.stderr);
                break;
            }
            assert_eq!(ran.stderr.replace("Nothing was saved yet, so the run begins again.\n", ""), "");
            kills += 1;
        }
        assert!(kills >= 3, "it was killed {kills} times only");
        assert_same_folds(&here, "run", "whole");
    }
}
