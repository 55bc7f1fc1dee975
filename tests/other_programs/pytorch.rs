//! PyTorch's weights.

use super::{answers, assert_answers, fixture, read, refusal};
use glassnet::exchange::Given;
use glassnet::spec::{LayerSpec, ModelSpec, Size};

/// The layers of the model that the script saved.
fn net() -> ModelSpec {
    let text = "input = [12, 12, 3]
        layers = [
            { type = 'conv2d', filters = 4, kernel = 3 }, { type = 'batch_normalization', epsilon = 1e-5 },
            { type = 'relu' }, { type = 'max_pool', window = 2 },
            { type = 'depthwise_conv2d', kernel = 3, depth_multiplier = 2, use_bias = false },
            { type = 'leaky_relu', negative_slope = 0.01 }, { type = 'flatten' },
            { type = 'batch_normalization', epsilon = 1e-5 }, { type = 'dense', units = 5 }, { type = 'relu' },
            { type = 'dense', units = 1 },
        ]";
    toml::from_str(text).unwrap()
}

#[test]
fn every_way_to_save_a_state_dict_is_read_and_answers_as_pytorch_did() {
    let spec = net();
    let given = Given { model: Some(&spec), ..Given::default() };
    let first = read(&fixture("state.pt"), &given).unwrap();
    assert_answers(&first, &answers("pytorch"));
    assert!(
        first.notes[0].contains("matched by order and shape: conv2d ← features.0, batch_normalization ← features.1")
    );
    for name in ["old.pth", "checkpoint.pt", "module.pt", "channels_last.pt", "state.safetensors"] {
        let model = read(&fixture(name), &given).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(model.parameters.as_slice(), first.parameters.as_slice(), "{name}");
    }
}

#[test]
fn pixels_around_an_image_are_padding_as_in_pytorch() {
    let layers = "input = [12, 12, 3]
        layers = [
            { type = 'conv2d', filters = 4, kernel = 3, stride = 2, padding = 1 }, { type = 'relu' },
            { type = 'max_pool', window = 3, stride = 2, padding = 1 },
            { type = 'depthwise_conv2d', kernel = [3, 2], padding = [2, 1] }, { type = 'leaky_relu', negative_slope = 0.01 },
            { type = 'average_pool', window = 2, padding = 1 }, { type = 'flatten' }, { type = 'dense', units = 1 },
        ]";
    let spec: ModelSpec = toml::from_str(layers).unwrap();
    let state = read(&fixture("bordered.pt"), &Given { model: Some(&spec), ..Given::default() }).unwrap();
    assert_answers(&state, &answers("pytorch, bordered"));
    let graph = read(&fixture("bordered.onnx"), &Given::default()).unwrap();
    assert_answers(&graph, &answers("pytorch, bordered"));
    assert_eq!(graph.network.spec().layers, spec.layers);
    assert_eq!(graph.parameters.as_slice(), state.parameters.as_slice());
}

#[test]
fn every_number_of_a_state_dict_is_among_the_weights_to_the_bit() {
    let spec = net();
    let model = read(&fixture("state.safetensors"), &Given { model: Some(&spec), ..Given::default() }).unwrap();
    let bytes = fixture("state.safetensors");
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut theirs = Vec::new();
    for (name, tensor) in tensors.tensors() {
        if !name.ends_with("num_batches_tracked") {
            let (values, _) = tensor.data().as_chunks::<4>();
            theirs.extend(values.iter().map(|value| u32::from_le_bytes(*value)));
        }
    }
    let entries = model.network.table().entries();
    let mut ours: Vec<u32> =
        (0..entries.len()).flat_map(|id| model.parameters.tensor(id).iter().map(|weight| weight.to_bits())).collect();
    theirs.sort_unstable();
    ours.sort_unstable();
    assert_eq!(ours, theirs);
}

#[test]
fn a_tensor_that_does_not_fit_is_named_with_both_shapes() {
    let bytes = fixture("state.pt");
    let refused = |change: fn(&mut Vec<LayerSpec>)| {
        let mut spec = net();
        change(&mut spec.layers);
        refusal(&bytes, &Given { model: Some(&spec), ..Given::default() })
    };
    let filters = |layers: &mut Vec<LayerSpec>| {
        if let LayerSpec::Conv2d { filters, kernel, .. } = &mut layers[0] {
            (*filters, *kernel) = (4, Size::Square(5));
        }
    };
    assert_eq!(
        refused(filters),
        "its tensor 'features.0.weight' is [4, 3, 3, 3], and the layer conv2d needs [4, 3, 5, 5]; give the model that it is of"
    );
    let without_bias = refused(|layers| layers[8] = LayerSpec::Dense { units: 5, use_bias: false });
    assert!(
        without_bias.starts_with("its tensor 'head.2.bias' of [5] has no place in the layer dense"),
        "{without_bias}"
    );
    let with_bias = refused(|layers| layers[4] = layers[4].with_bias());
    assert!(with_bias.starts_with("it has no tensor 'features.4.bias', which the layer depthwise_conv2d needs"));
    let fewer = refused(|layers| layers.truncate(9));
    assert!(fewer.starts_with("its tensor 'head.4.weight' of [1, 5] is of no layer"), "{fewer}");
    let more = refused(|layers| layers.push(LayerSpec::Dense { units: 1, use_bias: true }));
    assert!(more.starts_with("it has no tensors for the layer dense_2"), "{more}");
}

#[test]
fn what_is_no_state_dict_of_f32_is_refused() {
    let spec = net();
    let given = Given { model: Some(&spec), ..Given::default() };
    assert!(
        refusal(&fixture("half.pt"), &given)
            .contains("its tensor 'features.0.weight' has values of half, and only float32")
    );
    assert!(refusal(&fixture("state.pt"), &Given::default()).contains("it holds weights without their layers"));
    let whole = fixture("old.pth");
    let cut = refusal(&whole[..whole.len() - 100], &given);
    assert!(cut.contains("is not there as a whole"), "{cut}");
}

#[test]
fn what_pytorch_has_other_defaults_for_is_said() {
    let mut spec = net();
    spec.layers[1] = LayerSpec::BatchNormalization { momentum: 0.99, epsilon: 1e-3 };
    spec.layers[5] = LayerSpec::LeakyRelu { negative_slope: 0.3 };
    let notes = read(&fixture("state.pt"), &Given { model: Some(&spec), ..Given::default() }).unwrap().notes.join("\n");
    assert!(
        notes.contains("the epsilon of batch normalizations is the model's, 0.001; in PyTorch it is 0.00001"),
        "{notes}"
    );
    assert!(notes.contains("the slope of leaky relus is the model's, 0.3; in PyTorch it is 0.01"), "{notes}");
    assert!(notes.contains("pixels from 0 to 1 are assumed"), "{notes}");
}
