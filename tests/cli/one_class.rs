//! `train` without a validation part, where the network answers with one class only.

use super::Here;
use serde_json::json;

#[test]
fn without_a_validation_part_the_training_images_tell_that_there_is_one_answer_only() {
    let here = Here::with_set();
    let train = "train set --model tiny.toml --validation-split 0";
    // Steps so large that no ReLU is left that answers to an image.
    let object = here.json(&format!("{train} --epochs 2 --learning-rate 10 --out dead"));
    let answers = here.json("predict dead/weights/last.safetensors set")["predictions"].clone();
    let classes: Vec<&str> =
        answers.as_array().unwrap().iter().map(|answer| answer["class"].as_str().unwrap()).collect();
    assert!(classes.iter().all(|class| *class == classes[0]), "the weights answer both, so this tests nothing");
    let remark = format!(
        "The last weights take every training image for '{}': their accuracy on these is that class's share, no skill",
        classes[0]
    );
    assert!(object["remarks"].as_array().unwrap().contains(&json!(remark)), "{object}");
    let stdout = here.done(&format!("{train} --epochs 2 --learning-rate 10 --out again"));
    assert!(stdout.contains(&format!("\n{remark}\n")), "{stdout}");

    let object = here.json(&format!("{train} --epochs 40 --learning-rate 0.01 --dropout 0 --out learned"));
    let accuracy = object["training_re_evaluated"]["last"]["accuracy"].as_f64().unwrap();
    assert!(accuracy > 14.0 / 24.0, "it answers with one class too, so this tests nothing: {accuracy}");
    let remarks = object["remarks"].as_array().unwrap();
    assert!(remarks.iter().all(|remark| !remark.as_str().unwrap().contains("every training image")), "{object}");
}
