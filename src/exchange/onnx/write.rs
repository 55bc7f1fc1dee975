//! A network as an ONNX graph: opset 17, the batch free, sigmoid or softmax at the end.
//!
//! The graph is a plain CNN with channels first, as ONNX's operators want it. So kernels are turned to `[F,
//! C, kernel height, kernel width]`, and where an image becomes a vector, in the order C H W, the rows of the
//! dense kernel behind it are put in that order. No number changes in this.
//!
//! | layer | node |
//! |---|---|
//! | convolution, depthwise or not | `Conv`, with the rows and columns of padding that [`geometry`](crate::geometry) found on each side |
//! | max-pooling, average-pooling | `MaxPool`, `AveragePool`; padding does not count |
//! | the mean over all pixels | `GlobalAveragePool` and `Flatten` |
//! | batch normalization | `BatchNormalization`, by the moving statistics |
//! | ReLU, leaky ReLU | `Relu`, `LeakyRelu` |
//! | flatten | `Flatten` |
//! | dense | `Gemm` |
//! | dropout | none: it does nothing to a prediction |

use super::messages::{Attribute, AttributeValue, Dim, Graph, Model, Node, ValueInfo};
use super::tensor::{ElementType, Tensor};
use crate::checkpoint::{Checkpoint, ModelCard};
use crate::data::reading::{BitDepth, Resize};
use crate::data::sample::Sample;
use crate::exchange::axes::{flattened_channels_first, gathered, to_channels_first};
use crate::geometry::{Shape, Window};
use crate::head::Head;
use crate::layers::{Layer, LayerKind};
use crate::parameters::{Parameters, TensorId};
use std::borrow::Cow;

/// The version of ONNX's operators.
pub const OPSET: i64 = 17;
/// The version of the file format: the first that has this opset.
const IR_VERSION: i64 = 8;
/// The key of the metadata under which the whole [`ModelCard`] stands, as in a weights file.
pub const CARD_KEY: &str = "glassnet";
/// The name of what goes in.
const INPUT: &str = "input";
/// The name of what comes out.
const OUTPUT: &str = "probabilities";

/// What goes into the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnnxInput {
    /// Floats from 0 to 1, `[N, C, H, W]`.
    Floats,
    /// The samples of pictures as files have them, `[N, H, W, C]`: bytes, or 16 bits where the model was
    /// trained on all of these. The graph scales and turns them itself.
    Samples,
}

/// Returns an ONNX file of a model.
pub fn to_bytes(model: &Checkpoint, input: OnnxInput) -> Vec<u8> {
    let [height, width, channels] = model.card.spec.input;
    let depth = model.card.reading.bit_depth;
    let (element, sizes) = match (input, depth) {
        (OnnxInput::Floats, _) => (ElementType::FLOAT, [channels, height, width]),
        (OnnxInput::Samples, BitDepth::Eight) => (ElementType::UINT8, [height, width, channels]),
        (OnnxInput::Samples, BitDepth::Sixteen) => (ElementType::UINT16, [height, width, channels]),
    };
    let value = |name: &'static str, element, sizes: &[usize]| {
        let sizes = sizes.iter().map(|&size| Dim::Fixed(size));
        let shape = std::iter::once(Dim::Free("N".into())).chain(sizes).collect();
        ValueInfo { name: name.into(), element, shape }
    };
    let mut writer =
        Writer { parameters: &model.parameters, graph: Graph::default(), value: INPUT.into(), order: None };
    if input == OnnxInput::Samples {
        writer.scale(depth);
    }
    let layers = model.network.layers();
    for (index, layer) in layers.iter().enumerate() {
        let behind = &layers[index + 1..];
        writer.layer(layer, behind.iter().any(|layer| matches!(layer.kind, LayerKind::Dense(_))));
    }
    writer.head(model.network.head());
    let graph = Graph {
        name: "glassnet".into(),
        inputs: vec![value(INPUT, element, &sizes)],
        outputs: vec![value(OUTPUT, ElementType::FLOAT, &[model.network.head().units()])],
        ..writer.graph
    };
    let model = Model {
        ir_version: IR_VERSION,
        producer: ["glassnet".into(), model.card.version.as_str().into()],
        graph,
        opsets: vec![("".into(), OPSET)],
        metadata: metadata(&model.card, input),
    };
    model.into_bytes()
}

/// What a program that uses the file needs to know, and the card as a whole.
fn metadata(card: &ModelCard, input: OnnxInput) -> Vec<(Cow<'static, str>, Cow<'static, str>)> {
    let [height, width, channels] = card.spec.input;
    let json = |value: serde_json::Result<String>| value.expect("a card is JSON");
    let resize = match card.reading.resize {
        Resize::Squash => "squash: the aspect is not kept",
        Resize::Letterbox => "letterbox: fitted in, with black around",
        Resize::Crop => "crop: the middle part is taken",
    };
    let values = match (input, card.reading.bit_depth) {
        (OnnxInput::Floats, BitDepth::Eight) => "0 to 1: bytes times 1/255",
        (OnnxInput::Floats, BitDepth::Sixteen) => "0 to 1: 16-bit samples times 1/65535, bytes times 1/255",
        (OnnxInput::Samples, BitDepth::Eight) => "0 to 255",
        (OnnxInput::Samples, BitDepth::Sixteen) => "0 to 65535; of pictures of 8 bits, bytes times 257",
    };
    let texts = [
        ("classes", json(serde_json::to_string(&card.classes))),
        ("image_size", format!("{height}x{width}x{channels} (height, width, channels)")),
        ("channels", if channels == 1 { "grey".into() } else { "RGB".into() }),
        ("values", values.into()),
        ("resize", resize.into()),
        ("interpolation", card.reading.interpolation.name().into()),
        ("upright", card.reading.upright.to_string()),
        ("sample_range", card.reading.range.to_string()),
        ("bit_depth", card.reading.bit_depth.name().into()),
        ("threshold", card.threshold.to_string()),
        (CARD_KEY, json(serde_json::to_string(card))),
    ];
    texts.map(|(key, text)| (key.into(), text.into())).into()
}

/// The graph as far as it is written.
struct Writer<'a> {
    parameters: &'a Parameters,
    graph: Graph<'a>,
    /// The name of the last node's output.
    value: Cow<'a, str>,
    /// Of a vector that was an image, what [`flattened_channels_first`] says, until a dense layer took it.
    order: Option<Vec<usize>>,
}

impl<'a> Writer<'a> {
    /// Adds a node behind the last, whose output is called `name`; the node itself is called otherwise, as
    /// there are programs that look up both in one table. `constants` are its further inputs.
    fn node(
        &mut self,
        name: impl Into<Cow<'a, str>>,
        op: &'static str,
        constants: &[TensorName<'a>],
        attributes: Vec<Attribute<'a>>,
    ) {
        let name = name.into();
        let value = std::mem::replace(&mut self.value, name.clone());
        let inputs = std::iter::once(value).chain(constants.iter().cloned()).collect();
        let called = format!("{name}/{op}").into();
        let node = Node { inputs, outputs: vec![name], name: called, op: op.into(), attributes, domain: "".into() };
        self.graph.nodes.push(node);
    }

    /// Adds a constant, and returns its name.
    fn constant(&mut self, name: &'a str, dims: &[usize], values: &[f32]) -> TensorName<'a> {
        self.graph.initializers.push(Tensor::floats(name, dims, values));
        name.into()
    }

    /// Adds one of the network's tensors, `values` turned as ONNX wants it.
    fn tensor(&mut self, id: TensorId, dims: &[usize], values: &[f32]) -> TensorName<'a> {
        let name = &self.parameters.table().entries()[id].name;
        self.constant(name, dims, values)
    }

    /// Adds one of the network's tensors that has a value for each channel.
    fn channels(&mut self, id: TensorId) -> TensorName<'a> {
        let values = self.parameters.tensor(id);
        match self.order.take() {
            Some(order) => {
                let name = self.tensor(id, &[values.len()], &gathered(values, 1, &order));
                self.order = Some(order);
                name
            }
            None => self.tensor(id, &[values.len()], values),
        }
    }

    /// Makes floats from 0 to 1 of samples, channels first. The product is the one that training computes.
    fn scale(&mut self, depth: BitDepth) {
        let factor = match depth {
            BitDepth::Eight => u8::RESCALE,
            BitDepth::Sixteen => u16::RESCALE,
        };
        self.node("cast", "Cast", &[], vec![int("to", ElementType::FLOAT.0)]);
        let factor = self.constant("scale/factor", &[], &[factor]);
        self.node("scale", "Mul", &[factor], vec![]);
        self.node("transpose", "Transpose", &[], vec![ints("perm", [0, 3, 1, 2])]);
    }

    /// Adds a layer. `dense_follows` tells whether there is one to put a flattened image's values in order.
    fn layer(&mut self, layer: &'a Layer, dense_follows: bool) {
        let name = layer.name.as_str();
        match &layer.kind {
            LayerKind::Conv2d(conv) => {
                let geometry = &conv.geometry;
                let [height, width] = geometry.kernel;
                let shape = [height, width, geometry.input[2], geometry.filters];
                let constants = self.kernel_and_bias(conv.kernel, conv.bias, shape);
                self.node(name, "Conv", &constants, conv_attributes(&geometry.into(), 1));
            }
            LayerKind::DepthwiseConv2d(conv) => {
                let geometry = &conv.geometry;
                let [height, width] = geometry.kernel;
                // Filter m of channel c is output channel c·M + m, in which order the memory has them.
                let shape = [height, width, 1, geometry.channels()];
                let constants = self.kernel_and_bias(conv.kernel, conv.bias, shape);
                self.node(name, "Conv", &constants, conv_attributes(&geometry.into(), geometry.input[2]));
            }
            LayerKind::MaxPool(pool) => {
                self.node(name, "MaxPool", &[], pool_attributes(&(&pool.geometry).into()));
            }
            LayerKind::AveragePool(pool) => {
                let mut attributes = pool_attributes(&(&pool.geometry).into());
                attributes.push(int("count_include_pad", 0));
                self.node(name, "AveragePool", &[], attributes);
            }
            LayerKind::GlobalAveragePool(_) => {
                self.node(name, "GlobalAveragePool", &[], vec![]);
                self.node(format!("{name}/flatten"), "Flatten", &[], vec![int("axis", 1)]);
            }
            LayerKind::Relu(_) => self.node(name, "Relu", &[], vec![]),
            LayerKind::LeakyRelu(relu) => {
                self.node(name, "LeakyRelu", &[], vec![float("alpha", relu.negative_slope)]);
            }
            LayerKind::Flatten(_) => self.flatten(layer, dense_follows),
            LayerKind::Dense(dense) => self.dense(layer, dense.kernel, dense.bias),
            LayerKind::Dropout(_) => {}
            LayerKind::BatchNormalization(normalization) => {
                let constants =
                    [normalization.gamma, normalization.beta, normalization.moving_mean, normalization.moving_variance]
                        .map(|id| self.channels(id));
                let attributes =
                    vec![float("epsilon", normalization.epsilon), float("momentum", normalization.momentum as f32)];
                self.node(name, "BatchNormalization", &constants, attributes);
            }
        }
    }

    /// Adds a kernel of this shape, `[kernel height, kernel width, C, F]`, and a bias if there is one.
    fn kernel_and_bias(&mut self, kernel: TensorId, bias: Option<TensorId>, shape: [usize; 4]) -> Vec<TensorName<'a>> {
        let [height, width, channels, filters] = shape;
        let values = to_channels_first(self.parameters.tensor(kernel), shape);
        let kernel = self.tensor(kernel, &[filters, channels, height, width], &values);
        let bias = bias.map(|bias| self.tensor(bias, &[filters], self.parameters.tensor(bias)));
        std::iter::once(kernel).chain(bias).collect()
    }

    fn flatten(&mut self, layer: &'a Layer, dense_follows: bool) {
        let Shape::Image(_) = layer.input else { return };
        let order = flattened_channels_first(layer.input);
        if order.is_some() && !dense_follows {
            // Nothing behind it can be put in the order C H W, so the image is put in ours.
            self.node(format!("{}/transpose", layer.name), "Transpose", &[], vec![ints("perm", [0, 2, 3, 1])]);
        } else {
            self.order = order;
        }
        self.node(layer.name.as_str(), "Flatten", &[], vec![int("axis", 1)]);
    }

    fn dense(&mut self, layer: &'a Layer, kernel: TensorId, bias: Option<TensorId>) {
        let (inputs, units) = (layer.input.len(), layer.output.len());
        let values = self.parameters.tensor(kernel);
        let kernel = match self.order.take() {
            Some(order) => self.tensor(kernel, &[inputs, units], &gathered(values, units, &order)),
            None => self.tensor(kernel, &[inputs, units], values),
        };
        let bias = bias.map(|bias| self.tensor(bias, &[units], self.parameters.tensor(bias)));
        let constants: Vec<TensorName> = std::iter::once(kernel).chain(bias).collect();
        self.node(layer.name.as_str(), "Gemm", &constants, vec![]);
    }

    /// Adds what makes probabilities of the logits.
    fn head(&mut self, head: Head) {
        match head.units() == 1 || head.has_several_labels() {
            true => self.node(OUTPUT, "Sigmoid", &[], vec![]),
            false => self.node(OUTPUT, "Softmax", &[], vec![int("axis", 1)]),
        }
    }
}

type TensorName<'a> = Cow<'a, str>;

fn pool_attributes<'a>(window: &Window) -> Vec<Attribute<'a>> {
    let Window { size, stride, before: [above, left], after: [below, right], .. } = *window;
    vec![
        ints("kernel_shape", size.map(|size| size as i64)),
        ints("strides", stride.map(|size| size as i64)),
        ints("pads", [above, left, below, right].map(|pixels| pixels as i64)),
    ]
}

fn conv_attributes<'a>(window: &Window, group: usize) -> Vec<Attribute<'a>> {
    let mut attributes = pool_attributes(window);
    attributes.push(ints("dilations", window.dilation.map(|size| size as i64)));
    attributes.push(int("group", group as i64));
    attributes
}

fn int<'a>(name: &'static str, value: i64) -> Attribute<'a> {
    Attribute { name: name.into(), value: AttributeValue::Int(value) }
}

fn ints<'a, const N: usize>(name: &'static str, values: [i64; N]) -> Attribute<'a> {
    Attribute { name: name.into(), value: AttributeValue::Ints(values.into()) }
}

fn float<'a>(name: &'static str, value: f32) -> Attribute<'a> {
    Attribute { name: name.into(), value: AttributeValue::Float(value) }
}
