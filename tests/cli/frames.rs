//! Images of other sizes than a square of colour: height and width of their own, one grey channel, squashed,
//! fitted in or cropped.

use super::{Here, TINY};

/// The tiny network for grey pictures that are not square.
fn with_grey_model() -> Here {
    let here = Here::with_set();
    here.write("grey.toml", TINY.replace("16, 16, 3", "24, 15, 1"));
    here
}

#[test]
fn grey_pictures_that_are_not_square_train_resume_fold_evaluate_and_predict() {
    let here = with_grey_model();
    let train = "train set --model grey.toml --batch-size 5 --resize letterbox --interpolation bilinear";
    here.done(&format!("{train} --epochs 3 --out whole"));
    here.done(&format!("{train} --epochs 1 --out part"));
    here.done("train --resume part --epochs 3");
    let last = "weights/last.safetensors";
    assert!(here.read(&format!("part/{last}")) == here.read(&format!("whole/{last}")));
    let config = here.text("whole/config.toml");
    for line in ["image_size = \"24x15\"\n", "resize = \"letterbox\"\n", "interpolation = \"bilinear\"\n"] {
        assert!(config.contains(line), "no {line} in {config}");
    }
    here.done(&format!("{train} --epochs 1 --folds 2 --out folds"));

    // The weights know how their images are read: each answer is that of the run's own validation.
    let predictions = here.text("whole/predictions.csv");
    let validated: Vec<&str> = predictions.lines().skip(1).collect();
    assert_eq!(validated.len(), 4);
    for line in validated {
        let [file, _, probability] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let answer = here.json(&format!("predict whole/{last} set/{file}"));
        let told = answer["predictions"][0]["probability"].as_f64().unwrap();
        assert!((told - probability.parse::<f64>().unwrap()).abs() <= 1e-6, "{file}: {told} and not {probability}");
    }
    let how = "letterbox, black around what has another aspect; bilinear resizing";
    assert!(here.done("summary whole").contains(&format!("Images are read with {how}")));
    here.done(&format!("evaluate whole/{last} set --subset validation --out judged"));
}

#[test]
fn every_way_to_frame_images_learns_something_else_and_the_default_is_as_ever() {
    let here = with_grey_model();
    let mut seen = Vec::new();
    for frame in ["", "--resize letterbox", "--resize crop", "--interpolation bilinear", "--image-size 20x30"] {
        let run = format!("run{}", seen.len());
        here.done(&format!("train set --model grey.toml --epochs 1 {frame} --out {run}"));
        let weights = here.read(&format!("{run}/weights/last.safetensors"));
        assert!(!seen.contains(&weights), "{frame}");
        seen.push(weights);
        let config = here.text(&format!("{run}/config.toml"));
        assert_eq!(config.contains("resize ="), frame.starts_with("--resize"), "{config}");
    }
    here.done("train set --model grey.toml --epochs 1 --resize squash --interpolation nearest --out same");
    assert!(here.read("same/weights/last.safetensors") == seen[0]);
    here.misused(
        "train set --image-size 20x",
        "invalid value '20x' for '--image-size <PIXELS>': it must be a whole number, at least 1, or height and width, such as \
         200x120",
    );
}

#[test]
fn samples_show_images_as_they_would_be_framed_and_changed() {
    let here = Here::with_set();
    here.done("samples set --out plain.png");
    here.done("samples set --resize crop --interpolation bilinear --out cropped.png");
    here.done("samples set --augment zoom,brightness --out changed.png");
    let pictures = ["plain.png", "cropped.png", "changed.png"].map(|name| here.read(name));
    assert!(pictures[0] != pictures[1] && pictures[0] != pictures[2] && pictures[1] != pictures[2]);
}
