//! `train --tensorboard`: the event file. Its format is tested in the library; that TensorFlow reads it, by
//! hand.

use super::Here;
use glassnet::exchange::protobuf::{Fields, Value};

const TRAIN: &str = "train set --model tiny.toml --batch-size 5 --tensorboard";

/// The step and the tag of every value in an event file, in order.
fn values(bytes: &[u8]) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        let (mut step, mut tags) = (0, Vec::new());
        for field in Fields::new(&rest[12..12 + length]) {
            match field.unwrap() {
                (2, Value::Varint(value)) => step = value,
                (5, Value::Bytes(summary)) => {
                    for value in Fields::new(summary) {
                        let value = value.unwrap().1.bytes().unwrap();
                        let (number, tag) = Fields::new(value).next().unwrap().unwrap();
                        assert_eq!(number, 1);
                        tags.push(tag.string().unwrap().to_string());
                    }
                }
                _ => {}
            }
        }
        found.extend(tags.into_iter().map(|tag| (step, tag)));
        rest = &rest[length + 16..];
    }
    found
}

#[test]
fn a_run_writes_its_losses_weights_and_images_and_the_rest_of_it_a_file_of_its_own() {
    let here = Here::with_set();
    here.done(&format!("{TRAIN} --epochs 2 --out run"));
    here.done("train set --model tiny.toml --batch-size 5 --epochs 2 --out plain");
    assert!(here.read("run/weights/last.safetensors").len() == here.read("plain/weights/last.safetensors").len());
    assert_eq!(here.text("run/history.csv"), here.text("plain/history.csv"));
    let found = values(&here.read("run/events.out.tfevents.000000.glassnet"));
    let steps =
        |tag: &str| -> Vec<u64> { found.iter().filter(|(_, name)| name == tag).map(|(step, _)| *step).collect() };
    assert_eq!(steps("images/cat/4"), [0]);
    assert_eq!(steps("images/dog/1"), [0]);
    assert_eq!(steps("step/loss"), (1..=8).collect::<Vec<u64>>());
    for tag in ["loss/training", "loss/validation", "accuracy/validation", "conv2d/kernel", "dense_1/bias"] {
        assert_eq!(steps(tag), [1, 2], "{tag}");
    }
    here.done("train --resume run --epochs 3");
    let rest = values(&here.read("run/events.out.tfevents.000008.glassnet"));
    assert!(rest.iter().any(|value| *value == (3, "loss/training".to_string())), "{rest:?}");
    assert!(rest.iter().all(|(step, _)| *step >= 3), "{rest:?}");
}
