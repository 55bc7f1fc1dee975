//! A model whose answers can be worked out by hand, and a set for it.

use super::{Here, encoded};
use glassnet::checkpoint::{self, ModelCard, RESCALE, RESIZE, TrainingFacts};
use glassnet::classes::Classes;
use glassnet::data::reading::Reading;
use glassnet::network::Network;
use glassnet::parameters::Parameters;
use glassnet::spec::ModelSpec;
use image::{ImageFormat, Rgb, RgbImage};

/// A network of one product: an image of one grey pixel of level g has the logit (g − 128)/16.
pub const ONE_PIXEL: &str = "input = [1, 1, 3]\nlayers = [{ type = \"flatten\" }, { type = \"dense\", units = 1 }]";

/// Writes the network's weights as a model of these classes.
pub fn write_known_model(here: &Here, name: &str, classes: [&str; 2]) {
    write_model(here, name, ONE_PIXEL, &classes, |parameters| {
        parameters.tensor_mut(0).copy_from_slice(&[255.0 / 16.0, 0.0, 0.0]);
        parameters.tensor_mut(1).copy_from_slice(&[-8.0]);
    });
}

/// Writes the weights of a network, `spec` in TOML, as a model of these classes: those it is drawn with, but
/// for what `set` sets.
pub fn write_model(here: &Here, name: &str, spec: &str, classes: &[&str], set: impl FnOnce(&mut Parameters)) {
    let spec: ModelSpec = toml::from_str(spec).unwrap();
    let network = Network::new(&spec).unwrap();
    let mut parameters = network.initial_parameters(0);
    set(&mut parameters);
    let card = ModelCard {
        version: "0.1.0".into(),
        spec,
        classes: Classes::new(classes.iter().copied()).unwrap(),
        rescale: RESCALE,
        resize: RESIZE.into(),
        reading: Reading::default(),
        threshold: 0.5,
        training: TrainingFacts { epochs: 1, seed: 0, images: 20, val_loss: None, val_accuracy: None },
    };
    checkpoint::save(&here.path(name), &card, &parameters).unwrap();
}

pub fn grey(level: u8) -> Vec<u8> {
    encoded(RgbImage::from_pixel(1, 1, Rgb([level; 3])), ImageFormat::Png)
}

/// `known.safetensors`, and the set `greys` of 5 cats and 6 dogs, each file named by its grey level. A cat
/// and two dogs are on the wrong side of 128, and two levels are those of a cat and of a dog.
pub fn with_known_answers() -> Here {
    let here = Here::empty();
    write_known_model(&here, "known.safetensors", ["cat", "dog"]);
    for (class, levels) in [("cat", &[80, 96, 112, 120, 144][..]), ("dog", &[100, 120, 144, 160, 176, 192])] {
        for level in levels {
            here.write(&format!("greys/{class}/{level}.png"), grey(*level));
        }
    }
    here
}

/// As [`with_known_answers`], and `run`, a run folder of one epoch on these images whose weights are the
/// known ones: a rate of 1e-30 moves no weight.
pub fn with_known_run() -> Here {
    let here = with_known_answers();
    here.write("pixel.toml", ONE_PIXEL);
    here.done(
        "train greys --model pixel.toml --init-weights known.safetensors --learning-rate 1e-30 --epochs 1 --out run",
    );
    here
}
