//! `glassnet summary`.

use super::Here;
use expect_test::expect;

#[test]
fn the_documented_model_has_the_documented_layers_and_parameters() {
    Here::empty().prints("summary", expect![[r#"
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
        Memory for a batch of 16: #.# MiB to predict, #.# MiB to train (activations, gradients, Adam's moments, the best epoch's parameters), besides the parameters
    "#]]);
}

#[test]
fn a_weights_file_and_the_model_file_it_was_trained_with_have_the_same_summary() {
    let here = Here::with_model();
    here.prints("summary tiny.toml", expect![[r#"
        layer                      output   parameters    multiply-adds
        ───────────────────────────────────────────────────────────────
        input                     16×16×3
        conv2d                    14×14×4          112           21,168
        re_lu                     14×14×4
        max_pooling2d               7×7×4
        flatten                       196
        dense                           8        1,576            1,568
        re_lu_1                         8
        dropout                         8
        dense_1                         1            9                8
        ───────────────────────────────────────────────────────────────
        all                                      1,697           22,744

        Parameters: 1,697 (0.0 MiB in f32)
        Multiply-adds are of one image going forward; a training step takes about three times as many.
        Memory for a batch of 16: #.# MiB to predict, #.# MiB to train (activations, gradients, Adam's moments, the best epoch's parameters), besides the parameters
    "#]]);
    let of_file = here.done("summary tiny.toml");
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
    here.prints(
        "summary tiny.toml --batch-size 2 --json",
        expect![[r#"
            {
              "batch_size": 2,
              "bytes": {
                "inference": BYTES,
                "parameters": 6788,
                "training": BYTES
              },
              "input": [
                16,
                16,
                3
              ],
              "layers": [
                {
                  "input": "16×16×3",
                  "multiply_adds": 21168,
                  "name": "conv2d",
                  "output": "14×14×4",
                  "parameters": 112
                },
                {
                  "input": "14×14×4",
                  "multiply_adds": 0,
                  "name": "re_lu",
                  "output": "14×14×4",
                  "parameters": 0
                },
                {
                  "input": "14×14×4",
                  "multiply_adds": 0,
                  "name": "max_pooling2d",
                  "output": "7×7×4",
                  "parameters": 0
                },
                {
                  "input": "7×7×4",
                  "multiply_adds": 0,
                  "name": "flatten",
                  "output": "196",
                  "parameters": 0
                },
                {
                  "input": "196",
                  "multiply_adds": 1568,
                  "name": "dense",
                  "output": "8",
                  "parameters": 1576
                },
                {
                  "input": "8",
                  "multiply_adds": 0,
                  "name": "re_lu_1",
                  "output": "8",
                  "parameters": 0
                },
                {
                  "input": "8",
                  "multiply_adds": 0,
                  "name": "dropout",
                  "output": "8",
                  "parameters": 0
                },
                {
                  "input": "8",
                  "multiply_adds": 8,
                  "name": "dense_1",
                  "output": "1",
                  "parameters": 9
                }
              ],
              "multiply_adds": 22744,
              "parameters": 1697,
              "reading": null
            }
        "#]],
    );
}

#[test]
fn memory_is_counted_without_being_taken() {
    let here = Here::empty();
    let bytes =
        |batch: usize| here.json(&format!("summary --batch-size {batch}"))["bytes"]["training"].as_u64().unwrap();
    assert!(bytes(1_000_000) > 1_000_000_000_000);
}
