//! Settings that cannot work: one plain sentence on stderr, and nothing misleading left behind.

use super::{Here, Ran, TINY};
use expect_test::expect;

const TRAIN: &str = "train set --model tiny.toml --epochs 1";

#[test]
fn a_model_file_with_a_mistake_is_told_with_its_line() {
    let here = Here::with_set();
    for (name, content, sentence) in [
        (
            "key.toml",
            TINY.replace("units = 8", "unit = 8"),
            "it is not a model: line 8: unknown field `unit`, expected `units` or `use_bias`",
        ),
        ("open.toml", "layers = [".into(), "it is not a model: line 1: unclosed array, expected `]`"),
        ("void.toml", String::new(), "it is not a model: line 1: missing field `layers`"),
        (
            "activation.toml",
            TINY.replace("units = 1 }", "units = 1, activation = \"sigmoid\" }"),
            "it is not a model: line 11: unknown field `activation`, expected `units` or `use_bias`; an activation is a layer of its own, \
             { type = \"relu\" }, and behind the last layer there is none",
        ),
        (
            "sigmoid.toml",
            TINY.replace("units = 1 },", "units = 1 },\n{ type = \"sigmoid\" },"),
            "it is not a model: line 12: unknown variant `sigmoid`, expected one of `conv2d`, `depthwise_conv2d`, \
             `max_pool`, `average_pool`, `global_average_pool`, `relu`, `leaky_relu`, `flatten`, `dense`, `dropout`, \
             `batch_normalization`; leave it out: the last layer gives the logit, and the sigmoid belongs to the loss",
        ),
        (
            "relu.toml",
            TINY.replace("units = 1 },", "units = 1 },\n{ type = \"relu\" },"),
            "its last layer is a relu, which takes every logit below 0 away, so that no image could be of class 0; end it with \
             { type = \"dense\", units = 1 }, as the sigmoid belongs to the loss",
        ),
        ("none.toml", "layers = []".into(), "no such network can be built: layer input: the model has no layers"),
    ] {
        here.write(name, &content);
        let sentence = format!("{name}: {sentence}");
        here.refused(&format!("train set --model {name} --out run"), 2, &sentence);
        here.refused(&format!("summary {name}"), 2, &sentence);
    }
    here.write("units.toml", TINY.replace("units = 1 }", "units = 3 }"));
    let sentence = "units.toml: its last layer has 3 units, which tells 3 classes apart, and the data have 2, 'cat' and 'dog'; end \
                    it with { type = \"dense\", units = 1 }";
    here.refused("train set --model units.toml --out run", 2, sentence);
    here.refused("train set --model units.toml --folds 2 --out run", 2, sentence);
    here.write("model.toml", b"\xFF\xFE");
    let sentence = "model.toml: it is not a text file; a model.toml lists layers, and weights go to --init-weights";
    here.refused("train set --model model.toml", 2, sentence);
    here.refused("train set --model missing.toml", 2, "missing.toml does not exist; check the path");
}

#[test]
fn a_model_for_images_that_are_neither_in_colour_nor_grey_cannot_be_trained() {
    let here = Here::with_set();
    here.write("model.toml", TINY.replace("16, 16, 3", "16, 24, 2"));
    let sentence = "--model: its input is 16×24×2 (height × width × channels), and images are read with 3 channels, or 1 in \
                    grey; write input = [16, 24, 3]";
    here.refused("train set --model model.toml", 2, sentence);
}

#[test]
fn images_too_small_or_too_large_for_the_network_are_told_with_the_layer() {
    let here = Here::with_set();
    let built = "no such network can be built: layer";
    for (size, reason) in [
        (
            "8",
            "max_pooling2d_1: a window of 2×2 with stride 2×2 does not fit an input of 1×1×64 (height × width × channels); \
             use larger images or a smaller window",
        ),
        ("100000", "input: it would have 100000×100000 floats, and 2147483648 is the most; make it smaller"),
        ("20000", "conv2d: it would have 19998×19998×32 floats, and 2147483648 is the most; make it smaller"),
    ] {
        let sentence = format!("--image-size {size}: {built} {reason}");
        here.refused(&format!("train set --image-size {size}"), 2, &sentence);
        here.refused(&format!("summary --image-size {size}"), 2, &sentence);
    }
    let sentence = format!(
        "tiny.toml with --image-size 3: {built} max_pooling2d in line 6: a window of 2×2 with stride 2×2 does not fit an input of \
         1×1×4 (height × width × channels); use larger images or a smaller window"
    );
    here.refused(&format!("{TRAIN} --image-size 3"), 2, &sentence);
    assert!(!here.path("runs").exists());
}

#[test]
fn what_no_machine_can_hold_is_refused_before_memory_is_asked_for() {
    let here = Here::with_set();
    here.write("huge.toml", TINY.replace("units = 8", "units = 1000000000000"));
    let sentence = "huge.toml: no such network can be built: layer dense in line 8: it would have 196×1000000000000 floats, and \
                    2147483648 is the most; make it smaller";
    here.refused("train set --model huge.toml", 2, sentence);

    // Each layer is possible, all of them are not.
    let layer = "{ type = \"dense\", units = 40000 },\n";
    here.write(
        "deep.toml",
        format!("layers = [{{ type = \"flatten\" }},\n{}{}]", layer.repeat(200), layer.replace("40000", "1")),
    );
    here.prints("train set --model deep.toml", expect![[r#"
        stderr: error: batches of 16 images: training takes 5968.0 GiB of memory, and this machine has #.# GiB; use smaller batches (--batch-size), smaller images or a smaller model
        exit code 2
    "#]]);
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_and_leaves_no_weights() {
    let here = Here::with_set();
    for (run, flags, printed) in [
        (
            "a",
            "--learning-rate 1e30",
            expect![[r#"
                Found 20 images belonging to 2 classes.
                Found 4 images belonging to 2 classes.
                Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)
                Epoch 1/1
                stderr: error: the loss became NaN in epoch 1, step 2: the first value that was not finite, an infinity, stood in the output of dense_1, of 4 of 4 images of the batch: dog/03.png, cat/05.png, dog/13.png, dog/07.png; a smaller --learning-rate usually helps
                exit code 1
            "#]],
        ),
        (
            "b",
            "--learning-rate 3e38 --batch-size 64 --validation-split 0",
            expect![[r#"
                Found 24 images belonging to 2 classes.
                Found 0 images belonging to 2 classes.
                Always answering 'dog' would be right for 14 of 24 training images (0.5833)
                Epoch 1/1
                stderr: error: the loss became NaN in epoch 1, step 1: the first value that was not finite, an infinity, stood in the output of conv2d, of 24 of 24 images of the batch: cat/00.png, dog/09.png, dog/05.png, dog/11.png, dog/12.png and 19 more; a smaller --learning-rate usually helps
                exit code 1
            "#]],
        ),
    ] {
        here.prints(&format!("{TRAIN} {flags} --out {run}"), printed);
        let files = ["config.toml", "history.csv", "history.jsonl", "split.csv", "steps.csv", "timings.csv", "weights"];
        assert_eq!(here.names(run), files);
        assert_eq!(here.text(&format!("{run}/steps.csv")).lines().count(), 2, "the one step that had a loss");
        assert_eq!(here.names(&format!("{run}/weights")), [""; 0]);
    }
}

#[test]
fn a_place_that_cannot_be_written_is_named_before_the_work_begins() {
    let here = Here::with_model();
    let sentence = "--out: tiny.toml is a file, and a folder is wanted; name a new folder";
    here.refused(&format!("{TRAIN} --out tiny.toml"), 2, sentence);
    here.refused(&format!("{TRAIN} --out tiny.toml/run"), 2, sentence);
    here.refused("phantom --out tiny.toml", 2, sentence);
    here.write("runs", "");
    here.refused(TRAIN, 2, "the run folder: runs is a file, and a folder is wanted; name a new folder with --out");

    let predict = "predict run/weights/last.safetensors set/cat/00.png --plot";
    for (command, flag) in [(predict, "--plot"), ("samples set --out", "--out")] {
        let sentence = format!("{flag}: the folder missing does not exist; make it, or name another");
        here.refused(&format!("{command} missing/a.png"), 2, &sentence);
        let sentence = format!("{flag}: a PNG is written, so the name must end with .png, and set does not");
        here.refused(&format!("{command} set"), 2, &sentence);
        std::fs::create_dir_all(here.path("folder.png")).unwrap();
        here.refused(
            &format!("{command} folder.png"),
            2,
            &format!("{flag}: folder.png is a folder; name a file in it"),
        );
    }
}

#[test]
fn results_are_not_written_among_the_images_where_they_would_become_a_class() {
    let here = Here::with_model();
    for out in ["set/run", "set/cat/run", "./set"] {
        let reason = format!(
            "--out: {out} would lie in set, where it would be taken for a folder of images; name a folder outside of the data"
        );
        here.refused(&format!("{TRAIN} --out {out}"), 2, &reason);
        let full = format!("--out: {out} is not empty, and nothing is overwritten; name a new folder");
        let reason = if out == "./set" { full } else { reason };
        here.refused(&format!("evaluate run/weights/last.safetensors set --out {out}"), 2, &reason);
    }
    let mut command = here.command();
    let ran = Ran::of(command.current_dir(here.path("set")).args(["train", ".", "--epochs", "1"]));
    expect![[r#"
        stderr: error: the run folder: runs would lie in ., where it would be taken for a folder of images; name a folder outside of the data with --out
        exit code 2
    "#]].assert_eq(&ran.shown());
    assert_eq!(here.names("set"), ["cat", "dog"]);
}

#[test]
fn the_largest_seed_is_kept_in_a_configuration_that_can_be_read() {
    let here = Here::with_set();
    here.done(&format!("{TRAIN} --seed {} --out run", i64::MAX));
    let config: toml::Table = here.text("run/config.toml").parse().unwrap();
    assert_eq!(config["settings"]["seed"].as_integer(), Some(i64::MAX));
}
