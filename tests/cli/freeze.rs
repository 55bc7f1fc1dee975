//! `train --init-weights F --freeze LAYER,… --new-head`: what a network has learned from other images.

use super::{Here, csv, encoded, noise};
use expect_test::expect;
use image::ImageFormat;
use safetensors::SafeTensors;

/// A folder with a trained model of two classes, and `birds`, a set of three.
fn with_three_classes() -> Here {
    let here = Here::with_model();
    for image in 0..24u64 {
        let name = ["auk", "jay", "tit"][image as usize % 3];
        let level = [30, 90, 150][image as usize % 3];
        let bytes = encoded(noise(900 + image, 16, 16, level), ImageFormat::Png);
        here.write(&format!("birds/{name}/{image:02}.png"), bytes);
    }
    here
}

/// The bytes of a tensor in a weights file.
fn tensor(file: &[u8], name: &str) -> Vec<u8> {
    SafeTensors::deserialize(file).unwrap().tensor(name).unwrap().data().to_vec()
}

const TRAIN: &str = "train birds --init-weights run/weights/last.safetensors --new-head --freeze conv2d";

#[test]
fn a_model_of_two_classes_learns_three_others_behind_its_frozen_layers_and_goes_on_to_the_same_bits() {
    let here = with_three_classes();
    here.done(&format!("{TRAIN} --epochs 3 --out birds1"));
    let [before, after] = ["run", "birds1"].map(|run| here.read(&format!("{run}/weights/last.safetensors")));
    for name in ["conv2d/kernel", "conv2d/bias"] {
        assert!(tensor(&before, name) == tensor(&after, name), "{name}");
    }
    assert!(tensor(&before, "dense/kernel") != tensor(&after, "dense/kernel"));
    assert_eq!(tensor(&after, "dense_1/bias").len(), 3 * 4);
    let config: toml::Table = here.text("birds1/config.toml").parse().unwrap();
    assert_eq!(config["model"]["frozen"].as_array().unwrap()[0].as_str(), Some("conv2d"));
    assert_eq!(config["settings"]["new_head"].as_bool(), Some(true));

    here.done(&format!("{TRAIN} --epochs 1 --out part"));
    here.done("train --resume part --epochs 3");
    assert!(here.read("part/weights/last.safetensors") == after);
    // The run is a model as any other, and what starts from it is frozen no more.
    let predictions = here.done("predict birds1 birds/tit/02.png");
    assert!(["auk", "jay", "tit"].iter().any(|name| predictions.contains(name)), "{predictions}");
    here.done("train birds --init-weights birds1/weights/last.safetensors --epochs 1 --out further");
    let further = here.read("further/weights/last.safetensors");
    assert!(tensor(&further, "conv2d/kernel") != tensor(&after, "conv2d/kernel"));
    let folds = here.done(&format!("{TRAIN} --epochs 1 --folds 2 --out folds"));
    assert!(folds.contains("fold"), "{folds}");
    assert_eq!(csv(&here.text("folds/folds.csv")).len(), 3);
}

#[test]
fn the_tools_that_look_into_a_step_look_into_one_with_frozen_layers() {
    let here = with_three_classes();
    here.done(&format!("{TRAIN} --epochs 1 --watch --out birds1"));
    let summary = here.done("summary birds1/weights/last.safetensors");
    assert!(summary.contains("112 of them frozen"), "{summary}");
    assert_eq!(here.run("explain birds1 birds/tit/02.png --out page.html").code, Some(0));
    assert_eq!(here.run("gradcheck birds1 birds/tit/02.png").code, Some(0));
    here.done("evaluate birds1 birds");
}

#[test]
fn what_cannot_be_frozen_or_has_no_weights_to_start_from_is_refused() {
    let here = with_three_classes();
    here.prints(
        "train birds --freeze conv2d",
        expect![[r#"
        stderr: error: --freeze: it is for weights that something was learned with; give them by --init-weights
        exit code 2
    "#]],
    );
    here.prints(&format!("{TRAIN},dense_7 --out no"), expect![[r#"
        stderr: error: run/weights/last.safetensors: no such network can be built: layer dense_7: it is to be frozen, but the model has no layer of that name; it has conv2d, dense, dense_1
        exit code 2
    "#]]);
    here.prints(&TRAIN.replace("--new-head", "--out no"), expect![[r#"
        stderr: error: run/weights/last.safetensors: its last layer has 1 unit, which tells 2 classes apart, and the data have 3, 'auk', 'jay' and 'tit'; end it with { type = "dense", units = 3 }
        exit code 2
    "#]]);
}
