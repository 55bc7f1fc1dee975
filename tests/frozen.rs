//! Frozen layers: training leaves them as they are, and moves the others as the textbook has it.

mod common;

use common::networks::{Batch, ways_to_train};
use common::random_parameters;
use common::steps::check_network_step;
use glassnet::checkpoint::load_parameters_below_head;
use glassnet::classes::Label;
use glassnet::data::arrays::ArraySet;
use glassnet::data::batches::Loader;
use glassnet::network::Network;
use glassnet::parameters::Role;
use glassnet::plan::{Plan, PlanOptions};
use glassnet::spec::ModelSpec;
use glassnet::training::{TrainSettings, TrainingState, train};
use ndarray::Array4;

/// A network with weights of every kind before a dense layer; these layers are frozen.
fn network(frozen: &[&str], units: usize) -> Result<Network, String> {
    let text = format!(
        "input = [12, 10, 2]
        frozen = {frozen:?}
        layers = [
            {{ type = 'conv2d', filters = 6, kernel = 3 }}, {{ type = 'batch_normalization' }}, {{ type = 'relu' }},
            {{ type = 'max_pool', window = 2 }}, {{ type = 'depthwise_conv2d', kernel = 3 }}, {{ type = 'relu' }},
            {{ type = 'flatten' }}, {{ type = 'dense', units = 5 }}, {{ type = 'batch_normalization' }},
            {{ type = 'dropout', rate = 0.3 }}, {{ type = 'dense', units = {units} }},
        ]"
    );
    Network::new(&toml::from_str::<ModelSpec>(&text).unwrap()).map_err(|error| error.to_string())
}

/// The error allowed, of each tensor's largest element: a normalization over four vectors divides by
/// deviations that are small.
const SMALL_BATCH_TOLERANCE: f64 = 5e-5;

const BODY: [&str; 3] = ["conv2d", "batch_normalization", "depthwise_conv2d"];

#[test]
fn the_layers_that_are_left_have_the_textbooks_gradients_and_nothing_goes_back_through_the_others() {
    for frozen in [&BODY[..1], &BODY[..2], &BODY[..], &[BODY[0], BODY[1], BODY[2], "dense", "batch_normalization_1"]] {
        let network = network(frozen, 1).unwrap();
        let (parameters, batch) = (random_parameters(&network, 3), Batch::draw(&network, 4, 3));
        let expected = batch.textbook_step(&network, &parameters);
        for options in ways_to_train() {
            let plan = Plan::new(&network, 4 + common::steps::SPARE_IMAGES, options);
            check_network_step(&plan, &parameters, &batch, &expected, SMALL_BATCH_TOLERANCE);
            let plan = Plan::new(&network, 4, PlanOptions { input_gradient: false, ..options });
            let first = &plan.steps()[plan.first_backward()];
            let learns = network.layers().iter().position(|layer| {
                network.table().entries()[layer.tensors.clone()].iter().any(|entry| entry.is_trainable())
            });
            assert!(first.layers.contains(&learns.unwrap()), "{frozen:?}");
        }
    }
}

/// Two kinds of noise, one brighter.
fn loader() -> Loader {
    let labels: Vec<Label> = (0..24).map(|image| Label::new(image % 2)).collect();
    let images = Array4::from_shape_fn((24, 12, 10, 2), |(image, y, x, c)| {
        let noise = ((image * 7919 + y * 104_729 + x * 1299 + c * 15_485) % 97) as f32 / 97.0;
        0.6 * noise + 0.4 * (image % 2) as f32
    });
    Loader::from_arrays(ArraySet::new(images, labels).unwrap(), 8).unwrap()
}

#[test]
fn training_leaves_every_bit_of_what_is_frozen_and_moves_all_else() {
    let network = network(&BODY, 1).unwrap();
    let before = random_parameters(&network, 5);
    for optimizer in ["optimizer = 'adam'", "weight_decay = 0.1", "optimizer = 'sgd'", "global_clip_norm = 0.5"] {
        let settings: TrainSettings = toml::from_str(optimizer).unwrap();
        let settings = TrainSettings { epochs: 2, ..settings };
        let mut state = TrainingState::new(before.clone(), settings.optimizer().unwrap());
        train(&network, &mut state, &loader(), None, &settings, |_, _| Ok(())).unwrap();
        for (id, entry) in network.table().entries().iter().enumerate() {
            // The normalization behind it takes away whatever that adds, so it has hardly a gradient.
            if entry.name == "dense/bias" {
                continue;
            }
            let is_same = state.parameters.tensor(id) == before.tensor(id);
            let in_body = BODY.contains(&entry.name.split('/').next().unwrap());
            assert_eq!(is_same, in_body, "{optimizer}: {}", entry.name);
            assert_eq!(entry.role == Role::Frozen, in_body && !entry.name.contains("moving"), "{}", entry.name);
        }
    }
}

#[test]
fn what_cannot_be_frozen_is_refused_by_name() {
    let refused = |frozen: &[&str]| network(frozen, 1).err().unwrap();
    assert_eq!(
        refused(&["conv2d_1"]),
        "layer conv2d_1: it is to be frozen, but the model has no layer of that name; it has conv2d, batch_normalization, \
         depthwise_conv2d, dense, batch_normalization_1, dense_1"
    );
    assert_eq!(refused(&["re_lu"]), "layer re_lu: it is to be frozen, but has no weights; leave it out");
    assert_eq!(
        refused(&["conv2d", "depthwise_conv2d"]),
        "layer depthwise_conv2d: it is to be frozen, but 'batch_normalization' before it learns, whose gradient comes \
         through it; freeze that too"
    );
    let all = ["conv2d", "batch_normalization", "depthwise_conv2d", "dense", "batch_normalization_1", "dense_1"];
    assert_eq!(refused(&all), "layer dense_1: no layer is left to learn; leave one unfrozen");
}

#[test]
fn a_new_head_starts_from_all_other_weights_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.safetensors");
    let (two, three) = (network(&[], 1).unwrap(), network(&BODY, 3).unwrap());
    let learned = random_parameters(&two, 7);
    let names = safetensors_of(&two, &learned);
    std::fs::write(&path, names).unwrap();
    let started = load_parameters_below_head(&path, &three, 11).unwrap();
    let drawn = three.initial_parameters(11);
    for (id, entry) in three.table().entries().iter().enumerate() {
        let expected = if entry.name.starts_with("dense_1/") { &drawn } else { &learned };
        assert!(started.tensor(id) == expected.tensor(id), "{}", entry.name);
    }
    let other = Network::new(&ModelSpec { input: [12, 12, 2], ..three.spec().clone() }).unwrap();
    let error = load_parameters_below_head(&path, &other, 0).err().unwrap().to_string();
    assert!(error.contains("its tensor 'dense/kernel' is F32 ["), "{error}");
}

/// The bytes of a weights file without metadata, as another program writes it.
fn safetensors_of(network: &Network, parameters: &glassnet::parameters::Parameters) -> Vec<u8> {
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = (network.table().entries().iter().enumerate())
        .map(|(id, entry)| {
            let floats = parameters.tensor(id).iter().flat_map(|value| value.to_le_bytes()).collect();
            (entry.name.clone(), entry.shape.clone(), floats)
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, floats)| {
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), floats).unwrap();
        (name.as_str(), view)
    });
    safetensors::serialize(views, None).unwrap()
}
