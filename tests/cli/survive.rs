//! Runs that stop and go on: `--resume`, Ctrl-C, SIGKILL, a full disk, `--early-stopping`.

use super::printed::{epoch_lines, going_on_line, masked, masked_times};
use super::{Here, Ran, csv, encoded, noise};
use expect_test::expect;
use glassnet::checkpoint;
use image::ImageFormat;
use std::fs;

const TRAIN: &str = "train set --model tiny.toml";

/// Every file of a run but those that tell of time: the same run has the same bytes.
const RESULTS: [&str; 9] = [
    "history.csv",
    "history.jsonl",
    "steps.csv",
    "split.csv",
    "predictions.csv",
    "curves.png",
    "confusion.png",
    "weights/best.safetensors",
    "weights/last.safetensors",
];

/// Wants two runs to have come to the same, to the last bit.
#[track_caller]
pub fn assert_same_run(here: &Here, actual: &str, expected: &str) {
    for file in RESULTS {
        assert_eq!(here.path(&format!("{actual}/{file}")).exists(), here.path(&format!("{expected}/{file}")).exists());
        if here.path(&format!("{expected}/{file}")).exists() {
            assert!(here.read(&format!("{actual}/{file}")) == here.read(&format!("{expected}/{file}")), "{file}");
        }
    }
    assert_eq!(here.names(actual), here.names(expected));
    assert_eq!(here.names(&format!("{actual}/weights")), here.names(&format!("{expected}/weights")));
}

#[test]
fn three_epochs_and_two_more_are_five_to_the_last_bit() {
    let here = Here::with_set();
    for (index, (begin, go_on)) in [
        ("", ""),
        ("--threads 1", "--threads 2"),
        ("--threads 2", "--threads 1 set"),
        ("--no-shuffle --dropout 0", ""),
        ("--batch-size 7 --learning-rate 0.03 --seed 9", "--batch-size 7 --seed 9"),
        ("--validation-split 0", ""),
        ("--early-stopping 20", ""),
        ("--conv im2col --no-fuse", "--no-fuse"),
        ("--save-every 0", "--save-every 3"),
    ]
    .into_iter()
    .enumerate()
    {
        let (whole, parts) = (format!("whole{index}"), format!("parts{index}"));
        here.done(&format!("{TRAIN} --epochs 5 {begin} --out {whole}"));
        here.done(&format!("{TRAIN} --epochs 3 {begin} --out {parts}"));
        here.done(&format!("train --epochs 5 --resume {parts} {go_on}"));
        assert_same_run(&here, &parts, &whole);
        let config: toml::Table = here.text(&format!("{parts}/config.toml")).parse().unwrap();
        assert_eq!(config["settings"]["epochs"].as_integer(), Some(5));
        assert_eq!(here.text(&format!("{parts}/timings.csv")).lines().count(), 6);
    }
}

#[test]
fn a_resumed_run_prints_where_it_goes_on_and_then_what_any_run_does() {
    let here = Here::with_set();
    let whole = masked_times(&here.done(&format!("{TRAIN} --epochs 3 --out whole")));
    here.done(&format!("{TRAIN} --epochs 2 --out run"));
    let resumed = masked_times(&here.done("train --resume run --epochs 3"));
    let (found, epochs) = whole.split_at(whole.find("Epoch 1/3").unwrap());
    let third = &epochs[epochs.find("Epoch 3/3").unwrap()..];
    assert_eq!(resumed, format!("{found}Going on with run after 2 epochs\n{}", third.replace("whole", "run")));

    let object = here.json("train --resume run --epochs 4");
    let epochs = object["epochs"].as_array().unwrap();
    assert_eq!(epochs.len(), 4);
    assert!(epochs.iter().all(|epoch| epoch["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0)), "{object}");
}

#[test]
fn a_run_that_is_done_has_nothing_to_do_and_is_not_touched() {
    let here = Here::with_model();
    let before: Vec<_> = RESULTS.map(|file| here.read(&format!("run/{file}"))).to_vec();
    let sentence = "the run in run has done its 2 epochs; a larger --epochs goes on";
    assert_eq!(here.done("train --resume run"), format!("Nothing to do: {sentence}\n"));
    assert_eq!(here.done("train set --epochs 2 --resume run"), format!("Nothing to do: {sentence}\n"));
    here.prints(
        "train --resume run --json",
        expect![[r#"
            {
              "left_out": [],
              "nothing_to_do": "the run in run has done its 2 epochs; a larger --epochs goes on",
              "run_folder": "run"
            }
        "#]],
    );
    assert_eq!(before, RESULTS.map(|file| here.read(&format!("run/{file}"))).to_vec());
    let sentence = "--epochs: the run in run is in its epoch 2 already, so it cannot end after 1; give a larger number";
    here.refused("train --resume run --epochs 1", 2, sentence);
}

#[test]
fn a_run_whose_last_files_are_not_written_yet_writes_them() {
    let here = Here::with_model();
    here.done(&format!("{TRAIN} --epochs 2 --out other"));
    // As if the power had gone between the last saving and the pictures.
    let config = here.text("other/config.toml");
    here.write("other/config.toml", &config[..config.find("[outcome]").unwrap()]);
    for file in ["predictions.csv", "curves.png", "confusion.png", "history.csv", "weights/best.safetensors"] {
        fs::remove_file(here.path(&format!("other/{file}"))).unwrap();
    }
    here.prints("train --resume other", expect![[r#"
        Found 20 images belonging to 2 classes.
        Found 4 images belonging to 2 classes.
        Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)
        Going on with other after 2 epochs
        Training Accuracy: 0.6000
        Training images again, without dropout: the last weights have accuracy 0.6000, loss #.#### (while training: accuracy 0.6000)
        Validation, last weights: 2 of 4 right, accuracy 0.5000; always answering 'dog' would have 0.5000
        Positive class 'dog': sensitivity 1.0000, specificity 0.0000, ROC AUC 0.5000
        Best weights: those of epoch 2, with the lowest val_loss, #.####
        After epoch 2, every validation image was taken for 'dog': the val_accuracy there is that class's share, no skill; so it is with the best weights, those of epoch 2
        Run folder: other
    "#]]);
    assert_same_run(&here, "other", "run");
}

#[test]
fn a_setting_that_contradicts_the_run_is_named_with_both_values() {
    let here = Here::with_model();
    here.write("four.toml", super::TINY.replace("filters = 4", "filters = 5"));
    let away = "leave it out to go on, or start a new run";
    for (flag, name, was, now) in [
        ("--batch-size 8", "--batch-size", "16", "8"),
        ("--learning-rate 0.1", "--learning-rate", "0.001", "0.1"),
        ("--validation-split 0.3", "--validation-split", "0.2", "0.3"),
        ("--image-size 18", "--image-size", "16", "18"),
        ("--seed 1", "--seed", "0", "1"),
        ("--no-shuffle", "--no-shuffle", "shuffle = true", "shuffle = false"),
        ("--conv im2col", "--conv", "auto", "im2col"),
        ("--early-stopping 3", "--early-stopping", "none", "3"),
        ("--init-weights w", "--init-weights", "none", "w"),
    ] {
        let sentence = format!("{name}: the run in run has {was}, and {now} is asked for; {away}");
        here.refused(&format!("train --resume run --epochs 3 {flag}"), 2, &sentence);
    }
    for (flag, key, was, now) in
        [("--dropout 0.1", "layers[6].rate", "0.5", "0.1"), ("--model four.toml", "layers[0].filters", "4", "5")]
    {
        let sentence = format!(
            "--model, --dropout: the run in run has a model with {key} = {was}, and {now} is asked for; {away}"
        );
        here.refused(&format!("train --resume run --epochs 3 {flag}"), 2, &sentence);
    }
    // Said again, they contradict nothing; nor does a configuration that was changed by hand pass for the
    // run's own.
    here.done("train --resume run --epochs 3 --batch-size 16 --model tiny.toml --dropout 0.5 --image-size 16 set");
    let config = here.text("run/config.toml").replace("learning_rate = 0.001", "learning_rate = 0.002");
    here.write("run/config.toml", config);
    let sentence = "--resume: run/config.toml: learning_rate is 0.002, and the run in run was made with 0.001; put back a copy of the \
                    file, or start a new run";
    here.refused("train --resume run --epochs 4", 2, sentence);
    assert_eq!(here.text("run/history.csv").lines().count(), 4, "nothing was trained");
}

#[test]
fn other_data_are_refused_and_the_same_data_elsewhere_are_not() {
    let here = Here::with_set();
    here.done(&format!("{TRAIN} --epochs 1 --out whole"));
    here.done("train --resume whole --epochs 2");
    here.done(&format!("{TRAIN} --epochs 1 --out run"));
    fs::rename(here.path("set"), here.path("moved")).unwrap();
    let sentence = "--resume: the run in run was trained on set, which is not there; give DATA, or go to the folder where the run began";
    here.refused("train --resume run --epochs 2", 2, sentence);
    here.done("train moved --resume run --epochs 2");
    assert_same_run(&here, "run", "whole");

    here.write("moved/cat/05.png", encoded(noise(77, 16, 16, 40), ImageFormat::Png));
    let before = here.read("run/weights/last.safetensors");
    here.prints("train --resume run --epochs 3", expect![[r#"
        Found 20 images belonging to 2 classes.
        Found 4 images belonging to 2 classes.
        Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)
        stderr: error: DATA: the images are not those of the run in run: changed 1 (cat/05.png); give the same data, or start a new run
        exit code 1
    "#]]);
    assert!(here.read("run/weights/last.safetensors") == before);
}

#[test]
fn folders_that_hold_no_run_are_told_from_those_that_do() {
    let here = Here::with_model();
    let give = "give the folder of a run, such as runs/train1";
    here.refused("train --resume none", 2, &format!("--resume: none does not exist; {give}"));
    here.refused("train --resume tiny.toml", 2, &format!("--resume: tiny.toml is a file; {give}"));
    let sentence = format!("--resume: set has no config.toml, so no run was started there; {give}");
    here.refused("train --resume set", 2, &sentence);
    here.prints(
        "train --resume run --out new",
        expect![[r#"
        stderr: error: the argument '--resume <DIR>' cannot be used with '--out <DIR>'
        stderr: 
        stderr: Usage: glassnet train --resume <DIR> [DATA]
        stderr: 
        stderr: For more information, try '--help'.
        exit code 2
    "#]],
    );
    let sentence = "--resume: run holds a run of 'train'; go on with: glassnet train --resume run";
    here.refused("reproduce --resume run", 2, sentence);
    here.write("run/config.toml", "this is no configuration");
    here.prints(
        "train --resume run",
        expect![[r#"
            stderr: error: --resume: run/config.toml cannot be read: line 1 is not TOML, or has a number that is too large; put back a copy of the file, or start a new run
            exit code 2
        "#]],
    );
}

#[test]
fn a_state_that_is_damaged_or_gone_is_an_error_that_says_what_to_do() {
    let here = Here::with_model();
    let whole = here.read("run/weights/last.safetensors");
    let weights = here.read("run/weights/best.safetensors");
    let mut wrong = whole.clone();
    *wrong.last_mut().unwrap() ^= 1;
    for (content, reason) in [
        (
            &whole[..whole.len() - 5],
            "it is not a whole safetensors file (it ends before the tensors that its header tells of)",
        ),
        (&whole[..300], "it is not a whole safetensors file (it ends within its header)"),
        (&b""[..], "it is not a whole safetensors file (it has fewer than 8 bytes)"),
        (
            &b"these are no weights"[..],
            "it is not a whole safetensors file (it does not begin with the length of a header)",
        ),
        (&wrong[..], "its tensors are not as they were written; the file is damaged"),
        (&weights[..], "it holds weights, but not the state of a run, so none can go on from it"),
    ] {
        here.write("run/weights/last.safetensors", content);
        let sentence = format!(
            "weights file run/weights/last.safetensors: the run cannot go on from it: {reason}. Put back a copy of the file, \
             or start a new run; run/weights/best.safetensors may serve as its --init-weights"
        );
        here.refused("train --resume run --epochs 3", 1, &sentence);
    }
    fs::remove_file(here.path("run/weights/last.safetensors")).unwrap();
    let sentence = "--resume: run/weights/last.safetensors is gone, and no run goes on without; start a new run, or give \
                    run/weights/best.safetensors to --init-weights of one";
    here.refused("train --resume run --epochs 3", 2, sentence);
    assert!(here.path("run/curves.png").exists(), "the folder is as it was");
    here.write("run/weights/last.safetensors", whole);
    here.done("train --resume run --epochs 3");
}

/// A run that stops early: on this set the validation loss soon rises.
const EARLY: &str = "--learning-rate 0.05 --early-stopping 2";

#[test]
fn early_stopping_ends_the_run_restores_the_best_weights_and_says_so() {
    let here = Here::with_set();
    let stdout = here.done(&format!("{TRAIN} --epochs 50 {EARLY} --out run"));
    let history = here.text("run/history.csv");
    let losses: Vec<f64> = csv(&history)[1..].iter().map(|row| row[4].parse().unwrap()).collect();
    let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let (epochs, best) = (losses.len(), 1 + losses.iter().position(|&loss| loss == lowest).unwrap());
    assert!(epochs < 50 && epochs == best + 2, "{losses:?}");

    let why = format!(
        "after epoch {epochs} of 50: val_loss was lowest in epoch {best}, {lowest:.4}, and no lower in the 2 epochs since"
    );
    let (begin, end) = stdout.split_at(stdout.find("Early stopping ").unwrap());
    let found = "Found 20 images belonging to 2 classes.\nFound 4 images belonging to 2 classes.\n\
        Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)\n";
    assert_eq!(masked_times(begin), found.to_string() + &epoch_lines(&history, 50, 2));
    assert!(end.starts_with(&format!("Early stopping {why}\nRestored the weights of epoch {best}: ")), "{end}");
    expect![[r#"
        Early stopping after epoch 3 of 50: val_loss was lowest in epoch 1, #.####, and no lower in the 2 epochs since
        Restored the weights of epoch 1: the validation below and predictions.csv are theirs
        Training Accuracy: 0.6000
        Training images again, without dropout: the last weights have accuracy 0.6000, loss #.####; the best weights have accuracy 0.6000, loss #.#### (while training: accuracy 0.6000)
        Validation, best weights: 2 of 4 right, accuracy 0.5000; always answering 'dog' would have 0.5000
        Positive class 'dog': sensitivity 1.0000, specificity 0.0000, ROC AUC 0.5000
        Best weights: those of epoch 1, with the lowest val_loss, #.####
        Best against last, epoch 1 against 3: val_loss #.#### against #.####, val_accuracy 0.5000 against 0.5000
        After epochs 1–3, every validation image was taken for 'dog': the val_accuracy there is that class's share, no skill; so it is with the best weights, those of epoch 1
        Run folder: run
    "#]].assert_eq(&masked(end));
    let config: toml::Table = here.text("run/config.toml").parse().unwrap();
    assert_eq!(config["settings"]["early_stopping"].as_integer(), Some(2));
    assert_eq!(config["outcome"]["ended"].as_str(), Some(format!("early stopping {why}").as_str()));
    assert_eq!(config["outcome"]["best_epoch"].as_integer(), Some(best as i64));

    // predictions.csv has the best weights' answers.
    let answers = here.json("predict run/weights/best.safetensors set/cat/00.png set/dog/00.png");
    let predictions = here.text("run/predictions.csv");
    let predictions = csv(&predictions);
    for (row, answer) in [(1, 0), (3, 1)] {
        let of_the_run: f32 = predictions[row][2].parse().unwrap();
        assert_eq!(answers["predictions"][answer]["probability"].as_f64().unwrap() as f32, of_the_run);
    }
    let model = |which: &str| checkpoint::load(&here.path(&format!("run/weights/{which}.safetensors"))).unwrap();
    assert_eq!((model("best").card.training.epochs, model("last").card.training.epochs), (best, epochs));

    let sentence = format!("Nothing to do: the run in run ended by early stopping {why}\n");
    assert_eq!(here.done("train --resume run"), sentence);
    // The epochs since the best one are counted across an interruption.
    let first = epochs - 1;
    here.done(&format!("{TRAIN} --epochs {first} {EARLY} --out parts"));
    let resumed = here.json("train --resume parts --epochs 50");
    assert_same_run(&here, "parts", "run");
    assert_eq!((&resumed["stopped_early"], &resumed["validated_weights"]), (&why.into(), &"best".into()));
}

#[test]
fn early_stopping_without_a_validation_part_is_a_wrong_call() {
    let here = Here::with_set();
    let sentence = "--early-stopping: it watches the loss on the validation part, and no image validates; give a larger --validation-split";
    here.refused(&format!("{TRAIN} --early-stopping 2 --validation-split 0 --out run"), 2, sentence);
    here.prints(&format!("{TRAIN} --early-stopping 2 --validation-split 0.01 --out run"), expect![[r#"
        Found 24 images belonging to 2 classes.
        Found 0 images belonging to 2 classes.
        Always answering 'dog' would be right for 14 of 24 training images (0.5833)
        stderr: warning: 0.01 of the 10 images of cat is less than one, so none of them validates
        stderr: warning: 0.01 of the 14 images of dog is less than one, so none of them validates
        stderr: error: --early-stopping: it watches the loss on the validation part, and no image validates; give a larger --validation-split
        exit code 2
    "#]]);
    assert!(!here.path("run").exists());
}

#[cfg(target_os = "linux")]
mod no_room {
    use super::*;

    /// Runs the binary where no file may get larger than so many blocks, of 512 or of 1024 bytes.
    fn with_small_files(here: &Here, blocks: usize, arguments: &str) -> Ran {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_glassnet")]).args(arguments.split(' '));
        Ran::from(shell.current_dir(here.0.path()).output().unwrap())
    }

    #[test]
    fn a_file_that_finds_no_room_is_an_error_and_what_was_saved_stays_and_goes_on() {
        let here = Here::with_model();
        here.done(&format!("{TRAIN} --epochs 4 --out whole"));
        // Its tables are longer than its settings.
        here.done(&format!("{TRAIN} --epochs 200 --out long"));
        for (run, blocks, epochs, refused, printed) in [
            (
                "run",
                8,
                4,
                "weights/last.safetensors",
                expect![[r#"
                    Found 20 images belonging to 2 classes.
                    Found 4 images belonging to 2 classes.
                    Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)
                    Going on with run after 2 epochs
                    Epoch 3/4
                    2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.7500 - val_loss: #.#### - val_accuracy: 0.5000
                    Epoch 4/4
                    stderr: error: cannot write run/weights/last.safetensors: File too large; when that is mended, go on with: glassnet train --resume run
                    exit code 1
                "#]],
            ),
            (
                "long",
                8,
                201,
                "history.jsonl",
                expect![[r#"
                    Found 20 images belonging to 2 classes.
                    Found 4 images belonging to 2 classes.
                    Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)
                    Going on with long after 200 epochs
                    stderr: error: cannot write long/history.jsonl: File too large
                    exit code 1
                "#]],
            ),
            (
                "run",
                1,
                4,
                "config.toml",
                expect![[r#"
                    Found 20 images belonging to 2 classes.
                    Found 4 images belonging to 2 classes.
                    Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)
                    Going on with run after 2 epochs
                    stderr: error: cannot write run/config.toml: File too large
                    exit code 1
                "#]],
            ),
        ] {
            let files = ["weights/best.safetensors", "weights/last.safetensors", refused];
            let before = files.map(|file| here.read(&format!("{run}/{file}")));
            let ran = with_small_files(&here, blocks, &format!("train --resume {run} --epochs {epochs}"));
            printed.assert_eq(&ran.shown());
            assert!(before == files.map(|file| here.read(&format!("{run}/{file}"))), "{refused}");
            here.done(&format!("predict {run}/weights/last.safetensors set/cat/00.png"));
            assert!(!here.path(&format!("{run}/{refused}.part")).exists());
        }
        here.done("train --resume run --epochs 4");
        assert_same_run(&here, "run", "whole");
    }

    /// Does nothing where the user may write everywhere, as root may: the test above holds for every user.
    #[test]
    fn a_read_only_folder_is_an_error_and_what_was_saved_stays() {
        use std::os::unix::fs::PermissionsExt;
        let here = Here::with_model();
        let before = here.read("run/weights/last.safetensors");
        let mode = |mode| fs::set_permissions(here.path("run/weights"), fs::Permissions::from_mode(mode)).unwrap();
        mode(0o555);
        if fs::write(here.path("run/weights/probe"), "").is_err() {
            let ran = here.run("train --resume run --epochs 3");
            let error = "error: cannot write run/weights/last.safetensors: Permission denied; give yourself the right to write there (chmod \
                         u+w), or name another place\n";
            assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), error));
            assert!(here.read("run/weights/last.safetensors") == before);
        }
        mode(0o755);
        here.done("train --resume run --epochs 3");
    }

    #[test]
    fn a_place_where_nothing_can_be_made_is_an_error() {
        let here = Here::with_set();
        let sentence = "--out: cannot create /proc/glassnet-run: No such file or directory; name another place";
        here.refused(&format!("{TRAIN} --epochs 1 --out /proc/glassnet-run"), 2, sentence);
        // Something else in the place of the file.
        here.done(&format!("{TRAIN} --epochs 1 --out run"));
        let last = here.path("run/weights/last.safetensors");
        fs::create_dir(here.path("run/weights/best.safetensors.part")).unwrap();
        here.prints("train --resume run --epochs 2", expect![[r#"
            Found 20 images belonging to 2 classes.
            Found 4 images belonging to 2 classes.
            Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)
            Going on with run after 1 epoch
            Epoch 2/2
            stderr: error: cannot write run/weights/best.safetensors: Is a directory; when that is mended, go on with: glassnet train --resume run
            exit code 1
        "#]]);
        assert!(checkpoint::load(&last).is_ok());
    }
}

#[cfg(unix)]
mod signals {
    use super::*;
    use glassnet::checkpoint::run::SavedRun;
    use glassnet::random::{Purpose, Stream};
    use std::time::Duration;

    #[test]
    fn ctrl_c_saves_the_step_and_prints_the_command_that_goes_on() {
        let here = Here::with_set();
        // Steps of one image, so that most interruptions fall within an epoch.
        let flags = "--batch-size 1 --epochs 1000000";
        let child = here.start(&format!("{TRAIN} {flags} --out my-run"));
        here.wait_for("my-run/history.csv");
        child.interrupt();
        let ran = child.ended();
        let sentence =
            "interrupted; what was reached by then is in the run folder; go on with: glassnet train --resume my-run";
        assert_eq!((ran.code, ran.stderr), (Some(130), format!("error: {sentence}\n")));
        let (reached, goes_on) = going_on_line(&here, "my-run", 20);
        let epochs = reached + 2;

        let resumed = here.done(&format!("train --resume my-run --epochs {epochs}"));
        let done = csv(&here.text("my-run/history.csv")).len() - 1;
        assert_eq!(done, epochs);
        let whole = here.done(&format!("{TRAIN} --batch-size 1 --epochs {epochs} --out whole"));
        let (found, _) = whole.split_at(whole.find("Epoch 1/").unwrap());
        let rest = &whole[whole.find(&format!("Epoch {}/", reached + 1)).unwrap()..];
        let expected = format!("{found}{goes_on}\n{}", rest.replace("whole", "my-run"));
        assert_eq!(masked_times(&resumed), masked_times(&expected));
        assert_same_run(&here, "my-run", "whole");
    }

    #[test]
    fn sigterm_and_sighup_save_the_step_too_and_have_exit_codes_of_their_own() {
        use nix::sys::signal::Signal::{SIGHUP, SIGTERM};
        let here = Here::with_set();
        for (signal, code, run) in [(SIGTERM, 143, "term"), (SIGHUP, 129, "hup")] {
            let child = here.start(&format!("{TRAIN} --batch-size 1 --epochs 1000000 --out {run}"));
            here.wait_for(&format!("{run}/history.csv"));
            child.signal(signal);
            let ran = child.ended();
            let sentence = format!(
                "error: interrupted; what was reached by then is in the run folder; go on with: glassnet train --resume {run}\n"
            );
            assert_eq!((ran.code, ran.stderr), (Some(code), sentence));
            let config: toml::Table = here.text(&format!("{run}/config.toml")).parse().unwrap();
            assert!(!config.contains_key("outcome"), "it has not come to its end");
            let (reached, _) = going_on_line(&here, run, 20);
            here.done(&format!("train --resume {run} --epochs {}", reached + 1));
        }
    }

    #[test]
    fn a_hangup_that_is_ignored_at_the_start_stays_ignored_as_nohup_wants_it() {
        let here = Here::with_set();
        let mut shell = std::process::Command::new("sh");
        let arguments = format!("{TRAIN} --epochs 1000000 --out run");
        shell
            .args(["-c", "trap '' HUP; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_glassnet")])
            .args(arguments.split(' '));
        shell.current_dir(here.0.path());
        let child = super::super::running::Running::of(shell);
        here.wait_for("run/history.csv");
        child.signal(nix::sys::signal::Signal::SIGHUP);
        child.signal(nix::sys::signal::Signal::SIGTERM);
        assert_eq!(child.ended().code, Some(143));
    }

    #[test]
    fn a_second_ctrl_c_ends_at_once_and_the_run_still_goes_on() {
        let here = Here::with_set();
        let child = here.start(&format!("{TRAIN} --epochs 1000000 --save-every 0 --out run"));
        here.wait_for("run/weights/last.safetensors");
        child.interrupt();
        child.interrupt();
        let ran = child.ended();
        assert_eq!(ran.code, Some(130));
        // To the system two signals that wait are one, after which the program ends as it does after the
        // first.
        let first = "error: interrupted; what was reached by then is in the run folder; go on with: glassnet train --resume run\n";
        assert!(ran.stderr.is_empty() || ran.stderr == first, "{}", ran.stderr);
        let epochs = check_whole(&here) + 2;
        here.done(&format!("train --resume run --epochs {epochs} --save-every 1000"));
        here.done(&format!("{TRAIN} --epochs {epochs} --out whole"));
        assert_same_run(&here, "run", "whole");
    }

    #[test]
    fn a_run_killed_again_and_again_always_goes_on_and_ends_with_the_same_bits() {
        const KILLS: u64 = 24;
        const EPOCHS: usize = 3000;
        let here = Here::with_set();
        here.done(&format!("{TRAIN} --epochs {EPOCHS} --learning-rate 0.003 --out whole"));
        let mut stream = Stream::new(11, Purpose::Test, 0, 0);
        let (mut kills, mut reached) = (0u64, Vec::new());
        while kills < KILLS {
            let begun = here.path("run/config.toml").exists();
            let child = match begun {
                true => here.start("train --resume run --save-every 0"),
                false => {
                    // Killed before it was a run: there may be a folder, and nothing in it.
                    let _ = fs::remove_dir_all(here.path("run"));
                    here.start(&format!("{TRAIN} --epochs {EPOCHS} --learning-rate 0.003 --save-every 0 --out run"))
                }
            };
            // Longer from time to time, so that it saves something on a slow machine too.
            std::thread::sleep(Duration::from_millis(5 * kills + u64::from(stream.below(200))));
            let ran = child.killed();
            if ran.code.is_some() {
                // A fast machine has done it all by now.
                assert_eq!(ran.code, Some(0), "{}", ran.stderr);
                break;
            }
            assert_eq!(ran.stderr.replace("Nothing was saved yet, so the run begins again.\n", ""), "");
            kills += u64::from(begun);
            reached.push(check_whole(&here));
        }
        assert!(kills >= 3, "it was killed {kills} times only");
        assert!(reached.is_sorted(), "what was saved is never lost: {reached:?}");
        assert!(reached.last() > Some(&0), "no run lived long enough to save: {reached:?}");
        here.done("train --resume run --save-every 1000");
        assert_same_run(&here, "run", "whole");
    }

    /// Reads every file that a killed run left under its own name; returns how many epochs it has saved.
    fn check_whole(here: &Here) -> usize {
        if !here.path("run").exists() {
            return 0;
        }
        for name in here.names("run") {
            let file = format!("run/{name}");
            if name == "config.toml" {
                here.text(&file).parse::<toml::Table>().unwrap();
            } else if name.ends_with(".csv") {
                let text = here.text(&file);
                let rows = csv(&text);
                assert!(text.ends_with('\n') && rows.iter().all(|row| row.len() == rows[0].len()), "{file}");
            }
        }
        let [best, last] = ["best", "last"].map(|which| here.path(&format!("run/weights/{which}.safetensors")));
        if best.exists() {
            checkpoint::load(&best).unwrap();
        }
        if !last.exists() {
            return 0;
        }
        let model = checkpoint::load(&last).unwrap();
        let state = SavedRun::open(&last).unwrap().state(&model.network, Default::default()).unwrap();
        assert_eq!(state.history.len(), model.card.training.epochs);
        state.history.len()
    }
}
