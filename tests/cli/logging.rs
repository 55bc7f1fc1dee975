//! `GLASSNET_LOG` and `RUST_LOG`.

use super::printed::masked;
use super::{Here, Ran};
use expect_test::expect;
use regex::Regex;

fn run_with(here: &Here, variables: &[(&str, &str)], arguments: &str) -> Ran {
    let mut command = here.command();
    Ran::of(command.envs(variables.iter().copied()).args(arguments.split(' ')))
}

/// The text without the numbers of bytes and of seconds, and the names, that depend on the machine.
fn without_machine(text: &str) -> String {
    let masks = [
        (r"instruction set .*", "instruction set SET, PROCESSOR"),
        (r"(this machine has|this process may take) .*", "this machine has BYTES"),
        (r"take \d+ bytes to predict or \d+ to train", "take BYTES bytes to predict or BYTES to train"),
        (r"\d+ bytes written", "BYTES bytes written"),
        (r"\d+\.\d MiB to work in", "#.# MiB to work in"),
    ];
    masks.iter().fold(text.to_string(), |text, (pattern, mask)| {
        Regex::new(pattern).unwrap().replace_all(&text, *mask).into_owned()
    })
}

#[test]
fn nothing_is_said_unless_it_is_asked_for() {
    let here = Here::with_set();
    let report = here.done("inspect set");
    for variables in [&[][..], &[("GLASSNET_LOG", "")], &[("GLASSNET_LOG", "off"), ("RUST_LOG", "debug")]] {
        let ran = run_with(&here, variables, "inspect set");
        assert_eq!((ran.code, ran.stderr.as_str(), &ran.stdout), (Some(0), "", &report), "{variables:?}");
    }
}

#[test]
fn debug_lines_tell_what_runs_how_and_where_the_time_goes_and_change_nothing() {
    let here = Here::with_set();
    let train = "train set --model tiny.toml --epochs 1 --threads 1 --save-every 0 --out";
    let ran = run_with(&here, &[("GLASSNET_LOG", "debug")], &format!("{train} run"));
    expect![[r#"
        Found 20 images belonging to 2 classes.
        Found 4 images belonging to 2 classes.
        Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)
        Epoch 1/1
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.4000 - val_loss: #.#### - val_accuracy: 0.2500
        Training Accuracy: 0.4000
        Training images again, without dropout: the last weights have accuracy 0.3500, loss #.#### (while training: accuracy 0.4000)
        Validation, last weights: 1 of 4 right, accuracy 0.2500; always answering 'dog' would have 0.5000
        Positive class 'dog': sensitivity 0.0000, specificity 0.5000, ROC AUC 0.2500
        Best weights: those of epoch 1, with the lowest val_loss, #.####
        Run folder: run
        stderr: [TIME] debug glassnet::cli: glassnet 0.1.0, Train(TrainArgs { data: Some("set"), more_data: [], epochs: 1, batch_size: 16, image_size: None, validation_split: 0.2, validation_data: None, folds: None, only_fold: None, group_regex: None, optimizer: OptimizerArgs { optimizer: Adam, learning_rate: None, weight_decay: None, momentum: 0.0, nesterov: false, clip_norm: None, global_clip_norm: None, clip_value: None }, schedule: ScheduleArgs { schedule: Constant, decay_steps: None, alpha: None, warmup_steps: None, warmup_target: None, decay_rate: None, pieces: [], plateau_factor: None, plateau_patience: None, plateau_min_delta: None }, class_weight: None, label_smoothing: 0.0, augment: None, dropout: None, init_weights: None, freeze: [], new_head: false, early_stopping: None, no_shuffle: false, skip_bad: false, tensorboard: false, watch: false, reading: ReadingArgs { upright: UprightArgs { upright: false }, range: None, resize: Squash, interpolation: Nearest }, bit_depth: Sixteen, model: Some("tiny.toml"), labels: LabelsArgs { labels: None, path_column: None, label_column: None, label_separator: None, group_column: None, split_column: None }, common: RunArgs { out: Some("run"), resume: None, save_every: 0.0, cache: 1024, seed: 0, threads: ThreadsArgs { threads: Some(1) }, conv: Auto, no_fuse: false, json: false, quiet: QuietArgs { quiet: false } } })
        stderr: [TIME] debug glassnet::cli: 1 thread, instruction set SET, PROCESSOR
        stderr: [TIME] debug glassnet::cli::dataset: set: 24 files listed in TIME
        stderr: [TIME] debug glassnet::cli::dataset: class 0 'cat' has 10 images, class 1 'dog' 14; 20 train, 4 validate
        stderr: [TIME] debug glassnet::cli::memory: batches of 16 take BYTES bytes to predict or BYTES to train, besides 6788 for the parameters; this machine has BYTES
        stderr: [TIME] debug glassnet::data::images: 24 pictures of 16×16×3 are kept in memory, as they take 18432 bytes and may take 1073741824
        stderr: [TIME] debug glassnet::cli::checked: 24 images read and decoded in TIME
        stderr: [TIME] debug glassnet::files: run/config.toml: BYTES bytes written in TIME
        stderr: [TIME] debug glassnet::files: run/split.csv: BYTES bytes written in TIME
        stderr: [TIME] debug glassnet::files: run/history.jsonl: BYTES bytes written in TIME
        stderr: [TIME] debug glassnet::plan: for training on batches of up to 16: #.# MiB to work in
        stderr: [TIME] debug glassnet::plan: conv2d + re_lu + max_pooling2d as one step: forward direct, weights' gradient direct; auto: 3 channels and 4 filters are too few for Winograd, the output's gradient is mostly 0 behind the max-pool
        stderr: [TIME] debug glassnet::plan: flatten + dense as one step
        stderr: [TIME] debug glassnet::plan: re_lu_1 as a step
        stderr: [TIME] debug glassnet::plan: dropout as a step
        stderr: [TIME] debug glassnet::plan: dense_1 as a step
        stderr: [TIME] debug glassnet::train: epoch 1: 2 steps in TIME, validation in TIME
        stderr: [TIME] debug glassnet::files: run/history.csv: BYTES bytes written in TIME
        stderr: [TIME] debug glassnet::files: run/steps.csv: BYTES bytes written in TIME
        stderr: [TIME] debug glassnet::files: run/timings.csv: BYTES bytes written in TIME
        stderr: [TIME] debug glassnet::files: run/weights/last.safetensors: BYTES bytes written in TIME
        stderr: [TIME] debug glassnet::files: run/weights/best.safetensors: BYTES bytes written in TIME
        stderr: [TIME] debug glassnet::cli::recorder: saved the state after epoch 1, step 2, in TIME
        stderr: [TIME] debug glassnet::files: run/history.csv: BYTES bytes written in TIME
        stderr: [TIME] debug glassnet::files: run/steps.csv: BYTES bytes written in TIME
        stderr: [TIME] debug glassnet::files: run/timings.csv: BYTES bytes written in TIME
        stderr: [TIME] debug glassnet::files: run/predictions.csv: BYTES bytes written in TIME
        stderr: [TIME] debug glassnet::files: run/curves.png: BYTES bytes written in TIME
        stderr: [TIME] debug glassnet::files: run/confusion.png: BYTES bytes written in TIME
        stderr: [TIME] debug glassnet::plan: for inference on batches of up to 16: #.# MiB to work in
        stderr: [TIME] debug glassnet::plan: conv2d + re_lu + max_pooling2d as one step: forward direct; auto: 3 channels and 4 filters are too few for Winograd
        stderr: [TIME] debug glassnet::plan: flatten + dense as one step
        stderr: [TIME] debug glassnet::plan: re_lu_1 as a step
        stderr: [TIME] debug glassnet::plan: dropout as a step
        stderr: [TIME] debug glassnet::plan: dense_1 as a step
        stderr: [TIME] debug glassnet::files: run/config.toml: BYTES bytes written in TIME
    "#]].assert_eq(&without_machine(&ran.shown()));

    let silent = here.done(&format!("{train} silent"));
    assert_eq!(masked(&silent.replace("silent", "run")), masked(&ran.stdout));
    assert!(here.read("run/weights/last.safetensors") == here.read("silent/weights/last.safetensors"));
}

#[test]
fn a_filter_chooses_modules_as_in_other_programs() {
    let here = Here::with_set();
    let report = here.done("inspect set");
    for variable in ["GLASSNET_LOG", "RUST_LOG"] {
        let ran = run_with(&here, &[(variable, "warn,glassnet::cli::dataset=debug")], "inspect set");
        let lines = "\
stderr: [TIME] debug glassnet::cli::dataset: set: 24 files listed in TIME
stderr: [TIME] debug glassnet::cli::dataset: class 0 'cat' has 10 images, class 1 'dog' 14; 20 train, 4 validate
";
        assert_eq!(ran.shown(), format!("{report}{lines}"), "{variable}");
    }
}

#[test]
fn a_filter_that_is_none_is_an_error_where_the_variable_is_ours_and_else_a_warning() {
    let here = Here::with_set();
    let examples =
        "write a level (error, warn, info, debug, trace or off), or as in glassnet::plan=debug a module and a level";
    for (value, reason) in [
        ("glassnet=loud", "'glassnet=loud' is no filter"),
        ("verbose", "'verbose' is neither a level nor a module of glassnet"),
    ] {
        let ran = run_with(&here, &[("GLASSNET_LOG", value)], "inspect set");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
        assert_eq!(ran.stderr, format!("error: GLASSNET_LOG: {reason}; {examples}\n"));
    }
    let ran = run_with(&here, &[("RUST_LOG", "glassnet=loud")], "inspect set");
    assert_eq!((ran.code, ran.stdout), (Some(0), here.done("inspect set")));
    assert_eq!(ran.stderr, format!("warning: RUST_LOG is passed over: 'glassnet=loud' is no filter; {examples}\n"));
}
