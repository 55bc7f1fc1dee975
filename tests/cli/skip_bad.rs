//! `train --skip-bad`.

use super::{Here, csv};

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
    assert_eq!(here.run(TRAIN).code, Some(1));
    assert!(!here.path("run").exists());

    let ran = here.run(&format!("{TRAIN} --skip-bad"));
    assert_eq!(ran.code, Some(0));
    let kinds = "its content is none of PNG, JPEG, BMP, PPM and TIFF; convert it or take it out";
    assert_eq!(
        ran.stderr,
        format!(
            "warning: left out: set/cat/03.png cannot be read as an image: {kinds}\n\
             warning: left out: set/dog/01.png cannot be read as an image: the file is empty\n"
        )
    );
    assert!(ran.stdout.contains("\nLeft out 2 that cannot be read: 19 train, 3 validate.\n"), "{}", ran.stdout);

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
    let here = with_two_bad();
    here.run(&format!("{TRAIN} --skip-bad"));
    let stdout = here.done("evaluate run set --subset validation");
    let subset = "Subset    validation, 3 of 24 images, as run/split.csv lists them; the files are those of the run, byte for byte";
    assert_eq!(stdout.lines().nth(2), Some(subset), "{stdout}");
}

#[test]
fn a_set_without_bad_images_is_trained_on_as_ever() {
    let here = Here::with_set();
    let lines = |folder: &str, flag: &str| {
        let stdout = here.done(&format!("train set --model tiny.toml --epochs 1 --out {folder} {flag}"));
        super::without_times(&stdout.replace(folder, "FOLDER"))
    };
    assert_eq!(lines("first-run", ""), lines("other-run", "--skip-bad"));
    for file in ["split.csv", "steps.csv", "weights/best.safetensors"] {
        assert!(here.read(&format!("first-run/{file}")) == here.read(&format!("other-run/{file}")), "{file}");
    }
}

#[test]
fn json_counts_what_is_left_out() {
    let here = with_two_bad();
    let object = here.json(&format!("{TRAIN} --skip-bad"));
    assert_eq!(object["skipped_images"], serde_json::json!(["cat/03.png", "dog/01.png"]));
    assert_eq!((&object["training_images"], &object["validation_images"]), (&19.into(), &3.into()));
}

#[test]
fn a_class_of_which_nothing_can_be_read_stops_the_run() {
    let here = Here::with_set();
    for index in 0..10 {
        here.write(&format!("set/cat/{index:02}.png"), "");
    }
    let ran = here.run(&format!("{TRAIN} --skip-bad"));
    let sentence = "error: set: no image of the class cat that trains can be read; mend or replace them";
    assert_eq!((ran.code, ran.stderr.lines().last()), (Some(1), Some(sentence)));
    assert!(!here.path("run").exists());
}
