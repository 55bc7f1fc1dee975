//! `evaluate --skip-bad`.

use super::{Here, encoded};
use glassnet::checkpoint::{self, ModelCard, RESCALE, RESIZE, TrainingFacts};
use glassnet::classes::Classes;
use glassnet::data::reading::Reading;
use glassnet::network::Network;
use glassnet::spec::ModelSpec;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

const JUDGE: &str = "evaluate run set";

/// A set with a model, and then a cat and a dog that cannot be read any more.
fn with_two_bad() -> Here {
    let here = Here::with_model();
    here.write("set/cat/03.png", "hello");
    here.write("set/dog/01.png", "");
    here
}

#[test]
fn without_the_flag_bad_images_are_errors_and_with_it_they_are_left_out_and_counted() {
    let here = with_two_bad();
    let strict = here.run(&format!("{JUDGE} --json"));
    assert_eq!(strict.code, Some(1));
    let ran = here.run(&format!("{JUDGE} --skip-bad --out judged"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let left_out: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("warning: left out: ")).collect();
    assert_eq!(
        left_out,
        [
            "warning: left out: set/cat/03.png cannot be read as an image: its content is none of PNG, JPEG, BMP, PPM, TIFF, WebP and GIF; convert it to PNG with an image program, or take it out",
            "warning: left out: set/dog/01.png cannot be read as an image: the file is empty; fetch it again, or take it out",
        ]
    );
    assert!(!ran.stderr.contains("error:"), "{}", ran.stderr);
    assert!(ran.stdout.contains("\nLeft out  2 of 24 images, which cannot be read\n"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("\nMissing "), "{}", ran.stdout);
    assert!(
        here.text("judged/evaluation.html").contains("<dt>Left out</dt><dd>2 of 24 images, which cannot be read</dd>")
    );
    assert_eq!(here.text("judged/predictions.csv").lines().count(), 1 + 22);

    // Apart from how the missing two are told, all is as without the flag.
    let mut object: Value = serde_json::from_str(&here.text("judged/evaluation.json")).unwrap();
    let mut strict = strict.json();
    assert_eq!(object["skipped_images"], json!(["cat/03.png", "dog/01.png"]));
    assert_eq!((&object["errors"], &object["images"]), (&json!([]), &json!(22)));
    assert_eq!(strict["errors"].as_array().map(Vec::len), Some(2));
    object.as_object_mut().unwrap().remove("skipped_images");
    for object in [&mut object, &mut strict] {
        object.as_object_mut().unwrap().remove("errors");
    }
    assert_eq!(object, strict);
}

#[test]
fn a_set_without_bad_images_is_judged_as_ever() {
    let here = Here::with_model();
    assert_eq!(here.done(&format!("{JUDGE} --skip-bad")), here.done(JUDGE));
    assert_eq!(here.json(&format!("{JUDGE} --skip-bad")), here.json(JUDGE));
}

#[test]
fn where_nothing_can_be_read_nothing_was_judged_and_that_is_an_error() {
    let here = Here::with_model();
    for name in here.names("set/cat").iter().map(|name| format!("set/cat/{name}")) {
        here.write(&name, "");
    }
    let ran = here.run(&format!("{JUDGE} --skip-bad --json"));
    assert_eq!((ran.code, &ran.json()["undefined"]["specificity"]), (Some(0), &json!("no cat image")));
    for name in here.names("set/dog").iter().map(|name| format!("set/dog/{name}")) {
        here.write(&name, "");
    }
    let ran = here.run(&format!("{JUDGE} --skip-bad --out judged"));
    let sentence = "error: set: none of its 24 images that are to be judged can be read; mend or replace them";
    assert_eq!((ran.code, ran.stderr.lines().last(), ran.stdout.as_str()), (Some(1), Some(sentence), ""));
    assert!(!here.path("judged").exists());
}

#[test]
fn an_answer_that_is_not_a_number_is_an_error_with_the_flag_too() {
    let here = Here::empty();
    // Of a white pixel both hidden values overflow, and the answer is ∞ − ∞; of a black one it is 0.
    let layers = "input = [1, 1, 3]\nlayers = [{ type = \"flatten\" }, { type = \"dense\", units = 2 }, { type = \"dense\", units = 1 }]";
    let spec: ModelSpec = toml::from_str(layers).unwrap();
    let network = Network::new(&spec).unwrap();
    let mut parameters = network.initial_parameters(0);
    parameters.tensor_mut(0).fill(3e38);
    parameters.tensor_mut(2).copy_from_slice(&[1.0, -1.0]);
    let card = ModelCard {
        version: "0.1.0".into(),
        spec,
        classes: Classes::new(["cat", "dog"]).unwrap(),
        rescale: RESCALE,
        resize: RESIZE.into(),
        reading: Reading::default(),
        threshold: 0.5,
        training: TrainingFacts { epochs: 1, seed: 0, images: 20, val_loss: None, val_accuracy: None },
    };
    checkpoint::save(&here.path("model.safetensors"), &card, &parameters).unwrap();
    for (name, level) in [("cat/black", 0), ("dog/black", 0), ("dog/white", 255)] {
        let picture = RgbImage::from_pixel(1, 1, Rgb([level; 3]));
        here.write(&format!("greys/{name}.png"), encoded(picture, ImageFormat::Png));
    }
    let ran = here.run("evaluate model.safetensors greys --skip-bad");
    let sentence = "error: greys/dog/white.png: the model's answer is not a number, as its training diverged; use another weights file\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), sentence));
    assert!(ran.stdout.contains("Missing   1 of 3 images has no answer\n"), "{}", ran.stdout);
}

#[test]
fn a_run_that_left_images_out_is_known_again_by_those_that_it_read() {
    let here = Here::with_set();
    here.write("set/cat/03.png", "hello");
    let ran = here.run("train set --model tiny.toml --epochs 1 --skip-bad --out run");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    here.done("evaluate run set --subset validation");
    let subset = here.run(&format!("{JUDGE} --skip-bad --json")).json()["subset"].clone();
    assert_eq!((&subset["same_files"], &subset["trained"], &subset["neither"]), (&json!(true), &json!(19), &json!(1)));
}
