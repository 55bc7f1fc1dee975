//! `glassnet summary`.

use super::{Here, keys};

#[test]
fn the_documented_model_has_the_documented_layers_and_parameters() {
    let stdout = Here::empty().done("summary");
    let (table, memory) = stdout.split_at(stdout.find("Memory").unwrap());
    let expected = "\
layer                      output   parameters    multiply-adds
───────────────────────────────────────────────────────────────
input                   128×128×3
conv2d                 126×126×32          896       13,716,864
re_lu                  126×126×32
max_pooling2d            63×63×32
conv2d_1                 61×61×64       18,496       68,585,472
re_lu_1                  61×61×64
max_pooling2d_1          30×30×64
conv2d_2                28×28×128       73,856       57,802,752
re_lu_2                 28×28×128
max_pooling2d_2         14×14×128
flatten                     25088
dense                         128    3,211,392        3,211,264
re_lu_3                       128
dropout                       128
dense_1                         1          129              128
───────────────────────────────────────────────────────────────
all                                  3,304,769      143,316,480

Parameters: 3,304,769 (12.6 MiB in f32)
Multiply-adds are of one image going forward; a training step takes about three times as many.
";
    assert_eq!(table, expected);
    // The megabytes depend on the algorithms and on the number of cores.
    assert!(memory.starts_with("Memory for a batch of 16: ") && memory.lines().count() == 1, "{memory}");
}

#[test]
fn a_weights_file_and_the_model_file_it_was_trained_with_have_the_same_summary() {
    let here = Here::with_model();
    let of_file = here.done("summary tiny.toml");
    assert!(of_file.contains("dense                           8        1,576            1,568\n"), "{of_file}");
    assert_eq!(of_file, here.done("summary run/weights/best.safetensors"));
    assert_eq!(of_file, here.done("summary run"), "a run folder stands for its best weights");
    let larger = here.done("summary tiny.toml --image-size 20");
    assert_ne!(of_file, larger);
    let ran = here.run("summary run/weights/best.safetensors --image-size 20");
    assert_eq!((ran.code, ran.stdout), (Some(0), larger));
    assert_eq!(
        ran.stderr,
        "warning: the weights in run/weights/best.safetensors are for images of 16×16; this is what a network with its layers \
         would be for 20×20\n"
    );
}

#[test]
fn with_json_stdout_is_one_object() {
    let here = Here::empty();
    let object = here.json("summary --batch-size 2");
    assert_eq!(keys(&object), ["batch_size", "bytes", "input", "layers", "multiply_adds", "parameters"]);
    assert_eq!(keys(&object["bytes"]), ["inference", "parameters", "training"]);
    assert_eq!(keys(&object["layers"][0]), ["input", "multiply_adds", "name", "output", "parameters"]);
    assert_eq!(object["parameters"], 3_304_769);
    assert_eq!(object["layers"].as_array().unwrap().len(), 14);
}

#[test]
fn memory_is_counted_without_being_taken() {
    let here = Here::empty();
    let bytes =
        |batch: usize| here.json(&format!("summary --batch-size {batch}"))["bytes"]["training"].as_u64().unwrap();
    assert!(bytes(1_000_000) > 1_000_000_000_000);
}
