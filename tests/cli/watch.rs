//! `train --watch`: the table, the page, the same weights, and runs that go on or go wrong.

use super::{Here, csv};
use glassnet::report::watch::{number, percent};

const TRAIN: &str = "train set --model tiny.toml --seed 3";

/// The field of a column in the row of this epoch, layer and tensor.
#[track_caller]
fn field<'a>(rows: &[Vec<&'a str>], [epoch, layer, tensor]: [&str; 3], column: &str) -> &'a str {
    let place = rows[0].iter().position(|name| *name == column).unwrap_or_else(|| panic!("no column {column}"));
    let row = rows.iter().find(|row| row[..3] == [epoch, layer, tensor]);
    row.unwrap_or_else(|| panic!("no row {epoch} {layer} {tensor}"))[place]
}

#[test]
fn a_run_that_is_watched_has_the_same_weights_and_a_table_and_a_page_more() {
    let here = Here::with_set();
    for (name, flags) in
        [("fused", ""), ("plain", "--no-fuse"), ("sgd", "--optimizer sgd --momentum 0.9 --clip-norm 0.5")]
    {
        here.done(&format!("{TRAIN} --epochs 3 {flags} --out {name}"));
        here.done(&format!("{TRAIN} --epochs 3 {flags} --watch --out {name}-watched"));
        for file in
            ["weights/last.safetensors", "weights/best.safetensors", "history.csv", "steps.csv", "predictions.csv"]
        {
            assert!(
                here.read(&format!("{name}/{file}")) == here.read(&format!("{name}-watched/{file}")),
                "{name}, {file}"
            );
        }
        let mut names = here.names(name);
        names.extend(["report.html".to_string(), "watch.csv".to_string()]);
        names.sort();
        assert_eq!(here.names(&format!("{name}-watched")), names);
    }
    let setting = |run: &str| here.text(&format!("{run}/config.toml")).lines().any(|line| line == "watch = true");
    assert!(setting("fused-watched") && !setting("fused"));
}

#[test]
fn the_table_has_a_row_for_each_tensor_and_epoch_and_the_page_its_figures() {
    let here = Here::with_set();
    let stdout = here.done(&format!("{TRAIN} --epochs 2 --watch --out run"));
    assert!(stdout.ends_with("Report: run/report.html\nRun folder: run\n"), "{stdout}");
    let table = here.text("run/watch.csv");
    let rows = csv(&table);
    // Seven layers with an output and its gradient, three with kernel and bias and what moves them, and all.
    assert_eq!(rows.len(), 1 + 2 * (7 * 2 + 3 * 6 + 2));
    assert!(rows.iter().all(|row| row.len() == rows[0].len()));
    let weights: f64 = field(&rows, ["1", "dense", "kernel"], "norm").parse().unwrap();
    let update: f64 = field(&rows, ["1", "dense", "update_kernel"], "norm").parse().unwrap();
    let ratio: f64 = field(&rows, ["1", "dense", "update_kernel"], "ratio").parse().unwrap();
    assert!((ratio / (update / weights) - 1.0).abs() < 0.05, "{ratio}, {update}, {weights}");
    assert_eq!(field(&rows, ["0", "conv2d", "output"], "values"), (20 * 14 * 14 * 4).to_string());
    assert_eq!(field(&rows, ["0", "re_lu", "output"], "units"), "4");
    assert_eq!(field(&rows, ["0", "dropout", "output"], "dead"), "");

    let page = here.text("run/report.html");
    for layer in ["conv2d", "dense", "dense_1"] {
        for (tensor, column) in [
            ("kernel", "norm"),
            ("grad_kernel", "norm"),
            ("grad_kernel", "norm_max"),
            ("update_kernel", "norm"),
            ("update_kernel", "ratio"),
            ("grad_bias", "norm"),
            ("output", "rms"),
            ("output", "largest"),
            ("grad_output", "rms"),
        ] {
            let value: f64 = field(&rows, ["1", layer, tensor], column).parse().unwrap();
            let cell = format!("<td class=\"number\">{}</td>", number(value));
            assert!(page.contains(&cell), "{layer} {tensor} {column}: {cell}");
        }
    }
    let zeros: f64 = field(&rows, ["1", "re_lu", "output"], "zeros").parse().unwrap();
    assert!(page.contains(&format!("<td class=\"number\">{}</td>", percent(zeros))));
    let history = here.text("run/history.csv");
    for row in &csv(&history)[1..] {
        let cells =
            [2, 1, 4, 3].map(|column| format!("<td class=\"number\">{:.4}</td>", row[column].parse::<f64>().unwrap()));
        assert!(page.contains(&cells.concat()), "{cells:?}");
    }
    for all in ["grad", "update"] {
        let column = if all == "grad" { "norm_max" } else { "ratio" };
        let value: f64 = field(&rows, ["0", "all", all], column).parse().unwrap();
        assert!(page.contains(&format!("<td class=\"number\">{}</td>", number(value))), "{all}");
    }
    // Nothing is asked of a network, and nothing runs.
    assert!(page.contains("default-src 'none'") && !page.contains("<script") && !page.contains("://"));
    assert!(page.contains("Confusion matrix") && page.contains("Worst mistakes"));
}

#[test]
fn a_run_that_goes_on_goes_on_with_its_table_and_one_may_begin_with_it() {
    let here = Here::with_set();
    here.done(&format!("{TRAIN} --epochs 4 --watch --out whole"));
    here.done(&format!("{TRAIN} --epochs 2 --watch --out run"));
    here.done("train --resume run --epochs 4");
    assert_eq!(here.text("run/watch.csv"), here.text("whole/watch.csv"));
    assert_eq!(here.names("run"), here.names("whole"));

    here.done(&format!("{TRAIN} --epochs 2 --out later"));
    here.done("train --resume later --epochs 4 --watch");
    let (later, whole) = (here.text("later/watch.csv"), here.text("whole/watch.csv"));
    let (heading, rows) = whole.split_once('\n').unwrap();
    let second_half = rows.find("\n2,").unwrap() + 1;
    assert_eq!(later, format!("{heading}\n{}", &rows[second_half..]));
    assert!(here.read("later/weights/last.safetensors") == here.read("whole/weights/last.safetensors"));
}

#[cfg(unix)]
#[test]
fn a_run_that_is_interrupted_within_an_epoch_ends_with_the_same_table() {
    let here = Here::with_set();
    here.done(&format!("{TRAIN} --epochs 60 --batch-size 2 --watch --out whole"));
    let child = here.start(&format!("{TRAIN} --epochs 60 --batch-size 2 --watch --out run"));
    here.wait_for("run/split.csv");
    std::thread::sleep(std::time::Duration::from_millis(60));
    child.interrupt();
    let ran = child.ended();
    // Where the machine was faster, or so slow that not a step was taken, there is nothing to go on with.
    if ran.code == Some(130) {
        assert_eq!(here.run("train --resume run").code, Some(0));
    }
    if ran.code != Some(0) && !here.path("run/watch.csv").exists() {
        return;
    }
    assert_eq!(here.text("run/watch.csv"), here.text("whole/watch.csv"), "{}", ran.stderr);
    assert_eq!(here.names("run"), here.names("whole"));
}

#[test]
fn json_and_quiet_tell_of_the_page_and_every_fold_has_its_own() {
    let here = Here::with_set();
    let object = here.json(&format!("{TRAIN} --epochs 1 --watch --out run"));
    assert_eq!(object["report"], "run/report.html");
    assert!(here.json(&format!("{TRAIN} --epochs 1 --out without")).get("report").is_none());
    assert!(
        here.done(&format!("{TRAIN} --epochs 1 --watch --quiet --out silent")).contains("Report: silent/report.html\n")
    );
    here.done(&format!("{TRAIN} --epochs 1 --folds 2 --watch --out folds"));
    for fold in ["folds/fold1", "folds/fold2"] {
        assert!(
            here.names(fold).contains(&"watch.csv".to_string())
                && here.names(fold).contains(&"report.html".to_string())
        );
    }
}

#[test]
fn a_loss_that_is_no_number_is_told_with_layer_step_and_files_and_leaves_a_page() {
    let here = Here::with_set();
    let ran = here.run(&format!("{TRAIN} --epochs 1 --learning-rate 1e30 --watch --out run"));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let sentence = ran.stderr.trim_end().strip_prefix("error: ").unwrap();
    let start = "the loss became NaN in epoch 1, step 2: the first value that was not finite, an infinity, stood in the output of \
                 dense, of ";
    assert!(sentence.starts_with(start) && sentence.contains(" of 4 images of the batch: "), "{sentence}");
    assert!(sentence.contains(".png") && sentence.ends_with("; a smaller --learning-rate usually helps"), "{sentence}");
    let plain = here.run(&format!("{TRAIN} --epochs 1 --learning-rate 1e30 --out plain"));
    assert_eq!(plain.stderr, ran.stderr, "what is looked for afterwards is what a watch sees");
    let page = here.text("run/report.html");
    assert!(page.contains("the loss became NaN in epoch 1, step 2") && page.contains("far too large"), "{page}");
    let table = here.text("run/watch.csv");
    assert_eq!(field(&csv(&table), ["0", "conv2d", "output"], "steps"), "2");
    assert_eq!(field(&csv(&table), ["0", "conv2d", "update_kernel"], "steps"), "1");
}

#[test]
fn what_stands_out_is_told_with_the_other_remarks() {
    let here = Here::with_set();
    let flags = "--epochs 3 --learning-rate 1000 --dropout 0 --watch";
    let object = here.json(&format!("{TRAIN} {flags} --out far"));
    let remarks: Vec<&str> =
        object["remarks"].as_array().unwrap().iter().map(|remark| remark.as_str().unwrap()).collect();
    assert!(remarks[0].starts_with("The training diverged: "), "{remarks:?}");
    // 12 of the 20 images that train are dogs.
    assert!(remarks[0].contains("always answering the shares of the classes has 0.6730"), "{remarks:?}");
    let page = here.text("far/report.html");
    for remark in &remarks {
        let told = remark.replace('&', "&amp;").replace('<', "&lt;");
        assert!(page.contains(&told), "{told}");
    }
    assert!(remarks.iter().any(|remark| remark.contains(" were never active in epoch 3")), "{remarks:?}");
}

#[test]
fn several_classes_are_watched_too() {
    let here = Here::with_set();
    for (index, (name, bytes)) in super::set().into_iter().enumerate().filter(|(index, _)| index % 3 == 0) {
        here.write(&format!("set/hare/{index}{}", name.replace('/', "-")), bytes);
    }
    here.write("three.toml", here.text("tiny.toml").replace("units = 1 }", "units = 3 }"));
    here.done("train set --model three.toml --epochs 2 --watch --out run");
    let page = here.text("run/report.html");
    assert!(page.contains("hare") && page.contains("Confusion matrix: rows the true class"));
    // Without an image that validates there are curves and layers, and nobody's answers.
    here.done("train set --model three.toml --epochs 1 --validation-split 0 --watch --out alone");
    assert!(here.text("alone/report.html").contains("There are no answers to validation images."));
}
