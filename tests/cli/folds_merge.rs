//! Folds that are trained apart, by `train --only-fold`, and put together by `folds merge`.

use super::Here;
use super::printed::{masked, masked_folds};
use super::survive::assert_same_run;
use expect_test::expect;

const TRAIN: &str = "train set --model tiny.toml --epochs 2 --folds 3 --quiet";

/// The three folds trained apart into `one`, `two` and `three`, with more flags.
fn apart(here: &Here, flags: &str) {
    for (fold, out) in [(1, "one"), (2, "two"), (3, "three")] {
        let ran = here.run(&format!("{TRAIN} {flags} --only-fold {fold} --out {out}"));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    }
}

/// Wants a merged cross-validation to be one that was trained at once, file by file; what tells of time in
/// each fold's `config.toml` aside.
#[track_caller]
fn assert_same_folder(here: &Here, merged: &str, whole: &str) {
    assert_eq!(here.names(merged), here.names(whole));
    for file in ["config.toml", "folds.csv"] {
        assert_eq!(here.text(&format!("{merged}/{file}")), here.text(&format!("{whole}/{file}")), "{file}");
    }
    for fold in ["fold1", "fold2", "fold3"] {
        assert_same_run(here, &format!("{merged}/{fold}"), &format!("{whole}/{fold}"));
        let config = |run: &str| masked(&here.text(&format!("{run}/{fold}/config.toml")).replace(" = ", "\": "));
        let told = |run: &str| {
            config(run).lines().filter(|line| !line.contains("seconds")).map(str::to_string).collect::<Vec<String>>()
        };
        assert_eq!(told(merged), told(whole));
    }
}

#[test]
fn folds_trained_one_by_one_and_merged_are_those_trained_at_once() {
    for flags in [
        "",
        "--group-regex ([0-9])[.]png --early-stopping 1 --seed 3",
        "--class-weight balanced --schedule cosine --tensorboard",
    ] {
        let here = Here::with_set();
        // A file in a folder of its class, and one that cannot be read.
        let inner = here.read("set/cat/04.png");
        here.write("set/cat/a-z/04.png", inner);
        here.write("set/dog/03.png", "hello");
        let flags = format!("{flags} --skip-bad");
        apart(&here, &flags);
        let whole = here.run(&format!("{TRAIN} {flags} --out whole"));
        let merged = here.run("folds merge three one two --out merged");
        assert_eq!((merged.code, merged.stderr.as_str()), (Some(0), ""));
        assert_eq!(merged.stdout.replace("merged", "whole"), whole.stdout);
        if !flags.contains("tensorboard") {
            assert_same_folder(&here, "merged", "whole");
        }
        // Its own table, too, is that of the whole; and it goes on as that does.
        let again = here.run("train --resume merged --epochs 4 --quiet");
        let on = here.run("train --resume whole --epochs 4 --quiet");
        assert_eq!((again.code, again.stdout.replace("merged", "whole")), (Some(0), on.stdout), "{}", again.stderr);
        for fold in ["fold1", "fold2", "fold3"] {
            let last = |run: &str| here.read(&format!("{run}/{fold}/weights/last.safetensors"));
            assert!(last("merged") == last("whole"), "{flags}: {fold}");
        }
    }
}

#[test]
fn two_folds_and_json_and_a_run_and_its_fold_given_twice() {
    let here = Here::with_set();
    let train = "train set --model tiny.toml --epochs 1 --folds 2";
    for fold in [1, 2] {
        here.done(&format!("{train} --only-fold {fold} --out f{fold}"));
    }
    let whole = here.json(&format!("{train} --out whole"));
    let merged = here.json("folds merge f1/fold1 f2 f1 --out merged");
    assert_eq!(merged.to_string().replace("merged", "whole"), whole.to_string());
    assert_eq!(here.text("merged/config.toml"), here.text("whole/config.toml"));
    // By default it is the next run.
    assert!(here.done("folds merge merged").ends_with("Run folder: runs/train1\n"));
    assert_eq!(here.text("runs/train1/folds.csv"), here.text("whole/folds.csv"));
}

#[test]
fn one_fold_alone_is_told_as_such_and_goes_on() {
    let here = Here::with_set();
    let ran = here.run(&format!("{TRAIN} --only-fold 2 --out two"));
    expect![[r#"
                              │           best epoch           │                        last epoch                        
        fold  train  validate │  epoch  val_loss  val_accuracy │ val_loss  val_accuracy  ROC AUC  sensitivity  specificity
        ──────────────────────┼────────────────────────────────┼──────────────────────────────────────────────────────────
           2     16         8 │      2    #.####        0.2500 │   #.####        0.2500   0.1333       0.0000       0.6667
        This is fold 2 of 3; glassnet folds merge puts them together once all are trained.
        Each best epoch was chosen by the very images it is measured on, which flatters it; the last epoch was not.
        Positive class 'dog'; always answering 'dog' would be right for 5 of 8 images (0.6250)
        Run folder: two
    "#]].assert_eq(&masked_folds(&ran.shown()));
    assert_eq!(here.names("two"), ["config.toml", "fold2", "folds.csv"]);
    here.done("train --resume two --epochs 3");
    here.done(&format!("{} --out whole", TRAIN.replace("--epochs 2", "--epochs 3")));
    assert_same_run(&here, "two/fold2", "whole/fold2");

    here.refused(
        "train --resume two --only-fold 1",
        2,
        "--only-fold: the run in two has 2, and 1 is asked for; leave it out to go on, or start a new run",
    );
    here.refused("train set --folds 3 --only-fold 4", 2, "--only-fold 4: there are 3 folds; give one of 1 to 3");
    let sentence = "--only-fold 4: it is one of the folds of a cross-validation; say with --folds how many there are";
    here.refused("train set --only-fold 4", 2, sentence);
    here.done("train set --model tiny.toml --epochs 1 --out plain");
    let sentence = "--only-fold: the run in plain is no cross-validation; leave it out to go on, or start a new run";
    here.refused("train --resume plain --only-fold 1", 2, sentence);
    // Other images than the first time are told by name, as of a whole cross-validation.
    let dog = here.read("set/dog/00.png");
    here.write("set/cat/00.png", dog);
    let sentence = "DATA: the images are not those of the run in two: changed 1 (cat/00.png); give the same data, or start a new run";
    here.refused("train --resume two --epochs 9", 1, sentence);
}

#[test]
fn what_does_not_belong_together_is_named() {
    let here = Here::with_set();
    apart(&here, "");
    let refused = |folders: &str, sentence: &str| {
        here.refused(&format!("folds merge {folders} --out merged"), 2, &format!("DIR: {sentence}"));
        assert!(!here.path("merged").exists());
    };
    refused(
        "one three",
        "fold 2 of 3 is missing; give it too, or train it first, as with train --folds 3 --only-fold 2",
    );
    refused(
        "three",
        "folds 1 and 2 of 3 are missing; give them too, or train them first, as with train --folds 3 --only-fold 1",
    );
    here.done(&format!("{TRAIN} --only-fold 2 --out again"));
    refused("one two three again", "fold 2 of 3 is there twice, in two/fold2 and in again/fold2; give one of them");
    here.done(&format!("{TRAIN} --only-fold 2 --learning-rate 0.01 --out other"));
    let one = "give folds of one cross-validation";
    refused(
        "one other three",
        &format!("other/fold2 was trained with learning_rate = 0.01, and one/fold1 with learning_rate = 0.001; {one}"),
    );
    here.done("train --resume again --epochs 5 --quiet");
    refused(
        "one again three",
        &format!("again/fold2 was trained with epochs = 5, and one/fold1 with epochs = 2; {one}"),
    );
    here.done("train set --model tiny.toml --epochs 2 --folds 2 --only-fold 2 --out halves");
    refused("one halves three", &format!("one/fold1 is a fold of 3, and halves/fold2 is one of 2; {one}"));
    here.done("train set --model tiny.toml --epochs 1 --out plain");
    refused("one plain", "plain is the run of no fold; give fold folders, or runs of train --only-fold");
    refused("one set", "set holds no fold; give fold folders, or runs of train --only-fold");
    refused("nowhere", "nowhere is no folder that is there; give fold folders, or runs of train --only-fold");

    let config = here.text("two/fold2/config.toml");
    here.write("two/fold2/config.toml", &config[..config.find("[outcome]").unwrap()]);
    refused(
        "one two three",
        "fold 2 of 3, in two/fold2, has not come to its end; go on with it: glassnet train --resume two",
    );
    here.write("two/fold2/config.toml", &config);
    let split = here.text("two/fold2/split.csv");
    here.write("two/fold2/split.csv", split.replace(",cat,", ",dog,").replacen("cat/00.png", "cat/0.png", 1));
    let sentence = "two/fold2/split.csv: its files are not those whose hash is in the config.toml beside it; put back a copy of both";
    here.refused("folds merge one two three --out merged", 1, sentence);
    here.write("two/fold2/split.csv", split);

    // Nothing is overwritten.
    let sentence = "--out: one is not empty, and nothing is overwritten; name a new folder";
    here.refused("folds merge one two three --out one", 2, sentence);

    let dog = here.read("set/dog/00.png");
    here.write("set/cat/00.png", dog);
    here.done(&format!("{TRAIN} --only-fold 3 --out changed"));
    refused(
        "one two changed",
        &format!("the images of changed/fold3 are not those of one/fold1: changed 1 (cat/00.png); {one}"),
    );
}

#[test]
fn folds_of_another_machine_are_merged_and_it_is_said() {
    let here = Here::with_set();
    apart(&here, "");
    let config = here.text("two/fold2/config.toml");
    let from = config.lines().find(|line| line.starts_with("instruction_set = ")).unwrap().to_string();
    here.write("two/fold2/config.toml", config.replace(&from, "instruction_set = \"abacus\""));
    let ran = here.run("folds merge one two three --out merged");
    let set = from.trim_start_matches("instruction_set = ");
    let warning = format!(
        "warning: one/fold1 was trained with the instruction set {set} and two/fold2 with \"abacus\"; their numbers may differ by \
         rounding from those of folds that were trained at once\n"
    );
    assert_eq!((ran.code, ran.stderr), (Some(0), warning));
}
