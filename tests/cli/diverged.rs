//! Runs whose weights stop being finite: they are never saved, and the sentence says what to do.
#![cfg(unix)]

use super::{Here, Ran, csv};
use glassnet::checkpoint::{self, ModelCard, RESCALE, RESIZE, TrainingFacts};
use glassnet::classes::Classes;
use glassnet::data::reading::Reading;
use glassnet::network::Network;
use glassnet::spec::ModelSpec;
use std::time::Duration;

/// A network whose first step takes a while.
const MODEL: &str = "
    input = [160, 160, 3]
    layers = [
        { type = 'conv2d', filters = 32, kernel = 3 }, { type = 'relu' }, { type = 'max_pool', window = 2 },
        { type = 'flatten' }, { type = 'dense', units = 8 }, { type = 'relu' }, { type = 'dense', units = 1 },
    ]";

/// Weights with which the loss is finite and the gradient is not: the hidden layer's are the smallest, the
/// output's the largest.
fn write_spoilt_weights(here: &Here) {
    here.write("large.toml", MODEL);
    let spec: ModelSpec = toml::from_str(MODEL).unwrap();
    let network = Network::new(&spec).unwrap();
    let mut parameters = network.initial_parameters(0);
    for (id, entry) in network.table().entries().iter().enumerate() {
        parameters.tensor_mut(id).fill(match entry.name.as_str() {
            "conv2d/bias" => 100.0,
            "dense/kernel" => f32::MIN_POSITIVE,
            "dense_1/kernel" => 3e38,
            _ => 0.0,
        });
    }
    let card = ModelCard {
        version: "0.0.0".into(),
        spec,
        classes: Classes::new(["cat", "dog"]).unwrap(),
        rescale: RESCALE,
        resize: RESIZE.into(),
        reading: Reading::default(),
        threshold: 0.5,
        training: TrainingFacts { epochs: 0, seed: 0, images: 0, val_loss: None, val_accuracy: None },
    };
    checkpoint::save(&here.path("spoilt.safetensors"), &card, &parameters).unwrap();
}

#[test]
fn ctrl_c_in_the_step_that_spoils_the_weights_saves_none_of_them_and_says_so() {
    let here = Here::with_set();
    write_spoilt_weights(&here);
    let arguments = "train set --model large.toml --init-weights spoilt.safetensors --batch-size 24 --validation-split 0.1 \
                     --save-every 0";
    // An interrupt within the first step is answered at its end. One that comes too early ends the program at
    // once, one that comes too late meets the loss that is no number; then another delay is tried.
    for attempt in 0..60 {
        let run = format!("run{attempt}");
        let child = here.start(&format!("{arguments} --out {run}"));
        here.wait_for(&format!("{run}/split.csv"));
        // A step may be over in a few milliseconds, or take a hundred.
        std::thread::sleep(Duration::from_millis(2 * (attempt % 30)));
        child.interrupt();
        let Ran { code, stderr, .. } = child.ended();
        assert_eq!(here.names(&format!("{run}/weights")), [""; 0], "{stderr}");
        if stderr.contains("interrupted") {
            let expected = "warning: weights stopped being finite in epoch 1, step 1; a smaller --learning-rate usually helps\n\
                            error: interrupted; what was reached by then is in the run folder\n";
            assert_eq!((code, stderr.as_str()), (Some(130), expected));
            assert_eq!(csv(&here.text(&format!("{run}/steps.csv"))).len(), 2);
            return;
        }
    }
    panic!("no interrupt fell into the first step");
}
