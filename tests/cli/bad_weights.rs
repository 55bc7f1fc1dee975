//! Weights files that cannot be used: one plain sentence on stderr.

use super::known::{ONE_PIXEL, write_model};
use super::{Here, TINY};
use expect_test::expect;
use glassnet::checkpoint::{self, Checkpoint};
use glassnet::spec::ModelSpec;
use serde_json::{Value, json};

/// The three ways in which a weights file is given.
const USES: [&str; 3] = [
    "predict WEIGHTS set/cat/00.png",
    "summary WEIGHTS",
    "train set --model tiny.toml --init-weights WEIGHTS --out new",
];

#[test]
fn a_file_that_is_not_there_is_a_wrong_call() {
    let here = Here::with_set();
    for command in USES {
        let command = command.replace("WEIGHTS", "missing.safetensors");
        here.refused(&command, 2, "missing.safetensors does not exist; check the path");
    }
}

#[test]
fn a_folder_is_answered_with_the_file_that_is_meant() {
    let here = Here::with_model();
    for command in USES {
        let sentence = "weights file run/weights: it is not a file; give one that 'glassnet train' wrote, such as \
                        weights/best.safetensors in a run folder";
        here.refused(&command.replace("WEIGHTS", "run/weights"), 1, sentence);
    }
}

#[test]
fn text_and_a_file_cut_short_are_no_whole_safetensors_files() {
    let here = Here::with_model();
    let whole = here.read("run/weights/last.safetensors");
    for (name, content, fault) in [
        ("empty", &b""[..], "it has fewer than 8 bytes"),
        ("text", b"these are no weights", "it does not begin with the length of a header"),
        ("cut", &whole[..whole.len() - 9], "it ends before the tensors that its header tells of"),
    ] {
        here.write(name, content);
        let sentence = format!(
            "weights file {name}: it is not a whole safetensors file ({fault}); give one that 'glassnet train' wrote"
        );
        for command in USES {
            here.refused(&command.replace("WEIGHTS", name), 1, &sentence);
        }
    }
    assert!(!here.path("new").exists());
}

#[test]
fn weights_of_another_network_are_told_with_both_shapes() {
    let here = Here::with_model();
    let start = |flags: &str, tensor: &str, sentence: &str| {
        let sentence = format!(
            "weights file run/weights/last.safetensors: its tensor '{tensor}' is {sentence}; give weights of the same \
             layers and image size"
        );
        here.refused(&format!("train set {flags} --init-weights run/weights/last.safetensors --out new"), 1, &sentence);
    };
    // Without --model the layers are the file's.
    start("--image-size 24", "dense/kernel", "F32 [196, 8], but this network needs F32 [484, 8]");
    let kernels = "F32 [3, 3, 3, 4], but this network needs F32 [3, 3, 3, 6]";
    here.write("other.toml", here.text("tiny.toml").replace("filters = 4", "filters = 6"));
    start("--model other.toml", "conv2d/kernel", kernels);
    let flags = "--model tiny.toml --image-size 18";
    start(flags, "dense/kernel", "F32 [196, 8], but this network needs F32 [256, 8]");
    assert!(!here.path("new").exists());
}

#[test]
fn tensors_without_a_model_description_start_a_training_but_predict_nothing() {
    let here = Here::with_model();
    let whole = here.read("run/weights/last.safetensors");
    let bare = safetensors::SafeTensors::deserialize(&whole).unwrap();
    here.write("bare", safetensors::serialize(bare.tensors(), None).unwrap());
    here.done("train set --model tiny.toml --epochs 1 --init-weights bare --out new");
    let sentence =
        "weights file bare: it holds tensors but no model description; give a file that 'glassnet train' wrote";
    here.refused("predict bare set/cat/00.png", 1, sentence);
}

#[test]
fn a_description_larger_than_its_tensors_is_refused_before_memory_is_asked_for() {
    let here = Here::with_model();
    let path = here.path("run/weights/last.safetensors");
    let Checkpoint { mut card, parameters, .. } = checkpoint::load(&path).unwrap();
    let layers = "{ type = \"dense\", units = 40000 }, ".repeat(200);
    card.spec = toml::from_str::<ModelSpec>(&TINY.replace("{ type = \"dense\", units = 8 },", &layers)).unwrap();
    checkpoint::save(&path, &card, &parameters).unwrap();
    here.prints("predict run/weights/last.safetensors set/cat/00.png", expect![[r#"
        stderr: error: weights file run/weights/last.safetensors: its tensor 'dense/kernel' is F32 [196, 8], but this network needs F32 [196, 40000]; give weights of the same layers and image size
        exit code 1
    "#]]);
}

#[test]
fn weights_that_answer_with_no_number_answer_with_an_error() {
    let here = Here::with_model();
    let path = here.path("run/weights/last.safetensors");
    let Checkpoint { card, mut parameters, .. } = checkpoint::load(&path).unwrap();
    // Each is finite; their sums of products are +∞ and −∞, and the sum of these is not a number.
    for tensor in 0..parameters.table().entries().len() {
        for (index, weight) in parameters.tensor_mut(tensor).iter_mut().enumerate() {
            *weight = if index % 3 == 0 { -3e38 } else { 3e38 };
        }
    }
    checkpoint::save(&path, &card, &parameters).unwrap();
    here.prints("predict run/weights/last.safetensors set/cat/00.png", expect![[r#"
        file	class	p(dog)
        stderr: error: set/cat/00.png: the model's answer is not a number, as its training diverged; use another weights file
        exit code 1
    "#]]);
}

#[test]
fn a_description_that_is_not_as_it_was_written_is_told_in_our_words() {
    let here = Here::with_model();
    let whole = here.read("run/weights/best.safetensors");
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&whole[8..8 + length]).unwrap();
    let card: Value = serde_json::from_str(header["__metadata__"]["glassnet"].as_str().unwrap()).unwrap();
    let changed = |place: &str, value: Value| {
        let mut card = card.clone();
        *card.pointer_mut(place).unwrap() = value;
        card.to_string()
    };
    let mut without = card.clone();
    without.as_object_mut().unwrap().remove("classes");
    for (description, fault) in [
        (String::new(), "it is no whole JSON object"),
        ("{".to_string(), "it is no whole JSON object"),
        ("[1]".to_string(), "it is no whole JSON object"),
        (without.to_string(), "it has no 'classes'"),
        (changed("/classes", json!(["cat"])), "its 'classes' is not as it was written"),
        (changed("/spec/layers/0", json!(0)), "layer 1 in its 'spec' is none that this version knows"),
        (changed("/spec/layers/2/window", json!("x")), "layer 3 in its 'spec' is none that this version knows"),
        (changed("/spec/input", json!(-1)), "its 'spec' is not as it was written"),
        (changed("/training/epochs", json!("x")), "its 'training' is not as it was written"),
    ] {
        header["__metadata__"]["glassnet"] = json!(description);
        let text = header.to_string();
        let content = [&(text.len() as u64).to_le_bytes()[..], text.as_bytes(), &whole[8 + length..]].concat();
        here.write("changed", content);
        let sentence = format!(
            "weights file changed: its model description cannot be used: {fault}; the file was changed or is damaged, give another that \
             'glassnet train' wrote"
        );
        here.refused("predict changed set/cat/00.png", 1, &sentence);
    }
}

#[test]
fn a_model_that_names_another_number_of_classes_than_it_tells_apart_is_refused() {
    let here = Here::with_set();
    let spec = ONE_PIXEL.replace("units = 1", "units = 3");
    write_model(&here, "four", &spec, &["cat", "dog", "hare", "owl"], |_| {});
    let sentence = "weights file four: it names 4 classes, and its network tells 3 apart; take another";
    here.refused("predict four set/cat/00.png", 1, sentence);
}

#[test]
fn a_variance_below_0_is_refused() {
    let here = Here::with_set();
    let spec = "input = [1, 1, 3]\nlayers = [{ type = \"flatten\" }, { type = \"batch_normalization\" }, { type = \"dense\", units = 1 }]";
    write_model(&here, "below", spec, &["cat", "dog"], |parameters| {
        let variance = parameters.table().entries().iter().position(|entry| entry.name.ends_with("moving_variance"));
        parameters.tensor_mut(variance.unwrap())[1] = -0.5;
    });
    let sentence = "weights file below: 'batch_normalization/moving_variance' holds -0.5, and no variance is below 0; take another";
    here.refused("predict below set/cat/00.png", 1, sentence);
}
