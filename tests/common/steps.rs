//! One training step of the engine beside the textbook's.

use super::assert_close;
use super::networks::{Batch, way_name};
use approx::assert_relative_eq;
use glassnet::layers::LayerKind;
use glassnet::layers::sink::GradientWriter;
use glassnet::network::Network;
use glassnet::parameters::Parameters;
use glassnet::plan::{DropoutMasks, Mode, Plan, Workspace};
use glassnet::reference as textbook;
use ndarray::Array4;

/// The error allowed, of each tensor's largest element. All algorithms keep to it, Winograd's F(4×4) with the
/// least to spare: in networks of 16 and more channels half of its tensors have an error above 3.7e-7, half
/// of the others' one above 2e-7, and of the largest errors in 300 networks, 4.4e-6 and 3.5e-6.
pub const TOLERANCE: f64 = 1e-5;
/// Images that a plan has room for beyond those of the batch.
pub const SPARE_IMAGES: usize = 2;

/// Leaves NaN in a workspace: a whole step on `count` images that hold nothing else. (Only the two buffers
/// that gradients take turns in may keep numbers: a ReLU sends 0 back from a NaN.)
fn spoil(plan: &Plan, parameters: &Parameters, count: usize, workspace: &mut Workspace) {
    let [height, width, channels] = plan.network().spec().input;
    let images = Array4::from_elem((count, height, width, channels), f32::NAN);
    let mode = Mode::Training(DropoutMasks::Drawn { seed: 0, step: 0 });
    let logits = plan.forward(parameters, images.view(), mode, workspace).unwrap();
    assert!(logits.values().iter().all(|z| z.is_nan()), "images of NaN give logits of NaN");
    let grad_logits = vec![f32::NAN; logits.values().len()];
    let mut ignored = Parameters::zeros(plan.network().table());
    let mut writer = GradientWriter::new(parameters, &mut ignored);
    plan.backward(images.view(), &grad_logits, &mut writer, workspace).unwrap();
}

/// Compares one training step of the engine with the textbook's: logits, loss, every gradient, and the moving
/// statistics that it leaves. `tolerance` is the error allowed, of each tensor's largest element.
pub fn check_network_step(
    plan: &Plan,
    parameters: &Parameters,
    batch: &Batch,
    expected: &textbook::Step,
    tolerance: f64,
) {
    let (network, count) = (plan.network(), batch.labels.len());
    let head = network.head();
    let what = |tensor: &str| format!("{}, {tensor} of {:?}", way_name(plan.options()), network.spec());
    let mut workspace = plan.workspace();
    spoil(plan, parameters, count + SPARE_IMAGES, &mut workspace);
    let masks = batch.masks();
    let mode = Mode::Training(DropoutMasks::Given(&masks));
    let images = batch.images(network);

    let logits = plan.forward(parameters, images, mode, &mut workspace).unwrap();
    assert_close(&what("logits"), logits.values(), &expected.logits, tolerance);
    let loss = head.loss(logits, batch.targets());
    assert_relative_eq!(loss, expected.loss, max_relative = tolerance);

    let mut grad_logits = vec![f32::NAN; logits.values().len()];
    head.gradient(logits, batch.targets(), &mut grad_logits);
    let mut gradients = Parameters::zeros(network.table());
    gradients.as_mut_slice().fill(f32::NAN);
    let mut writer = GradientWriter::new(parameters, &mut gradients);
    plan.backward(images, &grad_logits, &mut writer, &mut workspace).unwrap();
    for (index, (layer, expected)) in network.layers().iter().zip(&expected.gradients).enumerate() {
        let ids: Vec<usize> = layer.tensors.clone().take(2).collect();
        if let LayerKind::BatchNormalization(normalization) = &layer.kind {
            if normalization.is_frozen {
                continue;
            }
            // As one tensor: where a later normalization takes away what gamma scales, it has hardly a
            // gradient.
            let both = [gradients.tensor(ids[0]), gradients.tensor(ids[1])].concat();
            assert_close(&what(&layer.name), &both, &[&expected.kernel[..], &expected.bias].concat(), tolerance);
            continue;
        }
        if ids.len() == 2 && is_normalized_behind_an_activation(network, index) {
            let both = [gradients.tensor(ids[0]), gradients.tensor(ids[1])].concat();
            assert_close(&what(&layer.name), &both, &[&expected.kernel[..], &expected.bias].concat(), tolerance);
            continue;
        }
        for (id, expected) in ids.into_iter().zip([&expected.kernel, &expected.bias]) {
            let name = &network.table().entries()[id].name;
            if name.ends_with("/bias") && is_normalized(network, index) {
                let [bias, any] = [gradients.tensor(id), gradients.as_slice()].map(largest);
                assert!(bias <= tolerance as f32 * any, "{}: {bias:e}, {any:e}", what(name));
                continue;
            }
            assert_close(&what(name), gradients.tensor(id), expected, tolerance);
        }
    }
    let grad_images = plan.input_gradient(&workspace).unwrap();
    let grad_inputs: Vec<f64> = expected.grad_inputs.iter().flat_map(|image| image.values.clone()).collect();
    assert_close(&what("images"), grad_images.as_slice().unwrap(), &grad_inputs, tolerance);
    check_moving_statistics(plan, parameters, expected, &mut workspace, tolerance);
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

/// Whether a batch normalization stands right behind a layer. It takes away whatever the layer's bias adds to
/// all values alike, so the bias has no gradient but what rounding leaves.
pub fn is_normalized(network: &Network, index: usize) -> bool {
    let behind = network.layers().get(index + 1).map(|layer| &layer.kind);
    matches!(behind, Some(LayerKind::BatchNormalization(normalization)) if !normalization.is_frozen)
}

/// Whether a batch normalization stands behind a layer's activation. Of a filter whose values are all on one
/// side of the activation's bend it takes the bias away too, so the bias is compared as one tensor with its
/// kernel.
pub fn is_normalized_behind_an_activation(network: &Network, index: usize) -> bool {
    let activation = network.layers().get(index + 1).map(|layer| &layer.kind);
    matches!(activation, Some(LayerKind::Relu(_) | LayerKind::LeakyRelu(_))) && is_normalized(network, index + 1)
}

/// Whether a layer has a bias behind its kernel. The textbook has one of zeros for a layer that has none.
pub fn has_bias(network: &Network, index: usize) -> bool {
    network.layers()[index].tensors.len() == 2
}

/// Compares the moving statistics that a step leaves with the textbook's. No other weight may move.
fn check_moving_statistics(
    plan: &Plan,
    parameters: &Parameters,
    expected: &textbook::Step,
    workspace: &mut Workspace,
    tolerance: f64,
) {
    let mut after = parameters.clone();
    plan.update_running(&mut after, workspace).unwrap();
    for (id, entry) in plan.network().table().entries().iter().enumerate().filter(|(_, entry)| entry.is_trainable()) {
        assert_eq!(after.tensor(id), parameters.tensor(id), "{}", entry.name);
    }
    let layers = plan.network().layers().iter().zip(plan.network().twin(parameters)).zip(&expected.moments);
    for ((layer, twin), moments) in layers {
        let textbook::Layer::BatchNormalization { moving, momentum, frozen: false, .. } = twin else { continue };
        let expected = textbook::moving_moments(&moving, moments.as_ref().unwrap(), momentum);
        for (id, expected) in layer.tensors.clone().skip(2).zip([expected.mean, expected.variance]) {
            let name = &plan.network().table().entries()[id].name;
            assert_close(&format!("{name}, {}", way_name(plan.options())), after.tensor(id), &expected, tolerance);
        }
    }
    assert!(plan.update_running(&mut after, workspace).is_err(), "a batch enters into the statistics once");
}
