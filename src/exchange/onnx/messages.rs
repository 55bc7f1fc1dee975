//! ONNX's messages, as far as a network needs them, each with its writer and its reader: `ModelProto`,
//! `GraphProto`, `NodeProto`, `AttributeProto`, `ValueInfoProto`
//! (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>). Fields are written in the order of their
//! numbers, as other programs write them. What is not known is passed over.

use super::tensor::{ElementType, Tensor};
use crate::exchange::protobuf::{Fields, Message, Value};
use std::borrow::Cow;

/// The number of each field, by message.
mod field {
    pub mod model {
        pub const IR_VERSION: u32 = 1;
        pub const PRODUCER_NAME: u32 = 2;
        pub const PRODUCER_VERSION: u32 = 3;
        pub const GRAPH: u32 = 7;
        pub const OPSET_IMPORT: u32 = 8;
        pub const METADATA: u32 = 14;
        /// Of an entry of the metadata.
        pub const KEY: u32 = 1;
        pub const VALUE: u32 = 2;
        /// Of a set of operators.
        pub const DOMAIN: u32 = 1;
        pub const VERSION: u32 = 2;
    }
    pub mod graph {
        pub const NODE: u32 = 1;
        pub const NAME: u32 = 2;
        pub const INITIALIZER: u32 = 5;
        pub const INPUT: u32 = 11;
        pub const OUTPUT: u32 = 12;
    }
    pub mod node {
        pub const INPUT: u32 = 1;
        pub const OUTPUT: u32 = 2;
        pub const NAME: u32 = 3;
        pub const OP_TYPE: u32 = 4;
        pub const ATTRIBUTE: u32 = 5;
        pub const DOMAIN: u32 = 7;
    }
    pub mod attribute {
        pub const NAME: u32 = 1;
        pub const F: u32 = 2;
        pub const I: u32 = 3;
        pub const S: u32 = 4;
        pub const T: u32 = 5;
        pub const FLOATS: u32 = 7;
        pub const INTS: u32 = 8;
        pub const TYPE: u32 = 20;
    }
    pub mod value_info {
        pub const NAME: u32 = 1;
        pub const TYPE: u32 = 2;
        /// Of a type: that of a tensor, and of it the elements' type and the shape.
        pub const TENSOR: u32 = 1;
        pub const ELEMENT: u32 = 1;
        pub const SHAPE: u32 = 2;
        /// Of a shape and of an axis.
        pub const DIM: u32 = 1;
        pub const DIM_VALUE: u32 = 1;
        pub const DIM_PARAM: u32 = 2;
    }
}

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model<'a> {
    /// The version of the format.
    pub ir_version: i64,
    /// The program that wrote it, and its version.
    pub producer: [Cow<'a, str>; 2],
    /// The network.
    pub graph: Graph<'a>,
    /// The sets of operators: domain and version. ONNX's own domain is empty.
    pub opsets: Vec<(Cow<'a, str>, i64)>,
    /// Texts by names.
    pub metadata: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// A network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph<'a> {
    /// Its nodes, each behind those whose output it takes.
    pub nodes: Vec<Node<'a>>,
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its constants.
    pub initializers: Vec<Tensor<'a>>,
    /// What goes in; in old files constants are listed, too.
    pub inputs: Vec<ValueInfo<'a>>,
    /// What comes out.
    pub outputs: Vec<ValueInfo<'a>>,
}

/// An operation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node<'a> {
    /// The values that go in; an empty name stands for none.
    pub inputs: Vec<Cow<'a, str>>,
    /// The values that come out.
    pub outputs: Vec<Cow<'a, str>>,
    /// Its name; may be empty.
    pub name: Cow<'a, str>,
    /// What it does.
    pub op: Cow<'a, str>,
    /// Its settings.
    pub attributes: Vec<Attribute<'a>>,
    /// The domain of `op`; empty for ONNX's own.
    pub domain: Cow<'a, str>,
}

/// A setting of an operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its value.
    pub value: AttributeValue<'a>,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeValue<'a> {
    /// `f`.
    Float(f32),
    /// `i`.
    Int(i64),
    /// `s`.
    Text(Cow<'a, str>),
    /// `t`.
    Tensor(Tensor<'a>),
    /// `floats`.
    Floats(Vec<f32>),
    /// `ints`.
    Ints(Vec<i64>),
    /// Anything else, which no layer here has.
    Other,
}

impl AttributeValue<'_> {
    /// The code of its type in ONNX.
    fn code(&self) -> u64 {
        match self {
            AttributeValue::Other => 0,
            AttributeValue::Float(_) => 1,
            AttributeValue::Int(_) => 2,
            AttributeValue::Text(_) => 3,
            AttributeValue::Tensor(_) => 4,
            AttributeValue::Floats(_) => 6,
            AttributeValue::Ints(_) => 7,
        }
    }

    /// The value that a field of this type has if it is not written, as some writers leave out zeros.
    fn unwritten(code: i64) -> AttributeValue<'static> {
        match code {
            1 => AttributeValue::Float(0.0),
            2 => AttributeValue::Int(0),
            3 => AttributeValue::Text("".into()),
            6 => AttributeValue::Floats(Vec::new()),
            7 => AttributeValue::Ints(Vec::new()),
            _ => AttributeValue::Other,
        }
    }
}

/// An input or output: a tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueInfo<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// The type of its numbers.
    pub element: ElementType,
    /// Its sizes.
    pub shape: Vec<Dim<'a>>,
}

/// A size of an input or output.
#[derive(Clone, Debug, PartialEq)]
pub enum Dim<'a> {
    /// A number.
    Fixed(usize),
    /// Any; a name for it, which may be empty.
    Free(Cow<'a, str>),
}

impl<'a> Model<'a> {
    /// Returns the file's bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        let mut message = Message::new();
        message
            .int(field::model::IR_VERSION, self.ir_version)
            .string(field::model::PRODUCER_NAME, &self.producer[0])
            .string(field::model::PRODUCER_VERSION, &self.producer[1])
            .message(field::model::GRAPH, &self.graph.message());
        for (domain, version) in &self.opsets {
            let mut opset = Message::new();
            opset.string(field::model::DOMAIN, domain).int(field::model::VERSION, *version);
            message.message(field::model::OPSET_IMPORT, &opset);
        }
        for (key, value) in &self.metadata {
            let mut entry = Message::new();
            entry.string(field::model::KEY, key).string(field::model::VALUE, value);
            message.message(field::model::METADATA, &entry);
        }
        message.into_bytes()
    }

    /// Reads a file.
    ///
    /// # Errors
    /// A phrase on what is broken.
    pub fn read(bytes: &'a [u8]) -> Result<Model<'a>, String> {
        let mut model = Model::default();
        let mut has_graph = false;
        for field in Fields::new(bytes) {
            let (number, value) = field?;
            match number {
                field::model::IR_VERSION => model.ir_version = value.int()?,
                field::model::PRODUCER_NAME => model.producer[0] = value.string()?.into(),
                field::model::PRODUCER_VERSION => model.producer[1] = value.string()?.into(),
                field::model::GRAPH => {
                    model.graph = Graph::read(value.bytes()?)?;
                    has_graph = true;
                }
                field::model::OPSET_IMPORT => model.opsets.push(opset(value.bytes()?)?),
                field::model::METADATA => model.metadata.push(metadata(value.bytes()?)?),
                _ => {}
            }
        }
        if has_graph { Ok(model) } else { Err("there is no graph in it".into()) }
    }
}

/// Reads a set of operators.
fn opset(message: &[u8]) -> Result<(Cow<'_, str>, i64), String> {
    let (mut domain, mut version) = ("", 0);
    for field in Fields::new(message) {
        match field? {
            (field::model::DOMAIN, value) => domain = value.string()?,
            (field::model::VERSION, value) => version = value.int()?,
            _ => {}
        }
    }
    Ok((domain.into(), version))
}

/// Reads an entry of the metadata.
fn metadata(message: &[u8]) -> Result<(Cow<'_, str>, Cow<'_, str>), String> {
    let (mut key, mut text) = ("", "");
    for field in Fields::new(message) {
        match field? {
            (field::model::KEY, value) => key = value.string()?,
            (field::model::VALUE, value) => text = value.string()?,
            _ => {}
        }
    }
    Ok((key.into(), text.into()))
}

impl<'a> Graph<'a> {
    fn message(&self) -> Message {
        let mut message = Message::new();
        for node in &self.nodes {
            message.message(field::graph::NODE, &node.message());
        }
        message.string(field::graph::NAME, &self.name);
        for tensor in &self.initializers {
            message.message(field::graph::INITIALIZER, &tensor.message());
        }
        for (number, values) in [(field::graph::INPUT, &self.inputs), (field::graph::OUTPUT, &self.outputs)] {
            for value in values {
                message.message(number, &value.message());
            }
        }
        message
    }

    fn read(message: &'a [u8]) -> Result<Graph<'a>, String> {
        let mut graph = Graph::default();
        for field in Fields::new(message) {
            let (number, value) = field?;
            match number {
                field::graph::NODE => graph.nodes.push(Node::read(value.bytes()?)?),
                field::graph::NAME => graph.name = value.string()?.into(),
                field::graph::INITIALIZER => graph.initializers.push(Tensor::read(value.bytes()?)?),
                field::graph::INPUT => graph.inputs.push(ValueInfo::read(value.bytes()?)?),
                field::graph::OUTPUT => graph.outputs.push(ValueInfo::read(value.bytes()?)?),
                _ => {}
            }
        }
        Ok(graph)
    }
}

impl<'a> Node<'a> {
    fn message(&self) -> Message {
        let mut message = Message::new();
        for (number, names) in [(field::node::INPUT, &self.inputs), (field::node::OUTPUT, &self.outputs)] {
            for name in names {
                message.string(number, name);
            }
        }
        message.string(field::node::NAME, &self.name).string(field::node::OP_TYPE, &self.op);
        for attribute in &self.attributes {
            message.message(field::node::ATTRIBUTE, &attribute.message());
        }
        message
    }

    fn read(message: &'a [u8]) -> Result<Node<'a>, String> {
        let mut node = Node::default();
        for field in Fields::new(message) {
            let (number, value) = field?;
            match number {
                field::node::INPUT => node.inputs.push(value.string()?.into()),
                field::node::OUTPUT => node.outputs.push(value.string()?.into()),
                field::node::NAME => node.name = value.string()?.into(),
                field::node::OP_TYPE => node.op = value.string()?.into(),
                field::node::ATTRIBUTE => node.attributes.push(Attribute::read(value.bytes()?)?),
                field::node::DOMAIN => node.domain = value.string()?.into(),
                _ => {}
            }
        }
        Ok(node)
    }
}

impl<'a> Attribute<'a> {
    fn message(&self) -> Message {
        let mut message = Message::new();
        message.string(field::attribute::NAME, &self.name);
        match &self.value {
            AttributeValue::Float(value) => {
                message.float(field::attribute::F, *value);
            }
            AttributeValue::Int(value) => {
                message.int(field::attribute::I, *value);
            }
            AttributeValue::Text(text) => {
                message.string(field::attribute::S, text);
            }
            AttributeValue::Tensor(tensor) => {
                message.message(field::attribute::T, &tensor.message());
            }
            AttributeValue::Floats(values) => {
                for value in values {
                    message.float(field::attribute::FLOATS, *value);
                }
            }
            AttributeValue::Ints(values) => {
                for value in values {
                    message.int(field::attribute::INTS, *value);
                }
            }
            AttributeValue::Other => {}
        }
        message.varint(field::attribute::TYPE, self.value.code());
        message
    }

    fn read(message: &'a [u8]) -> Result<Attribute<'a>, String> {
        let (mut name, mut found, mut code) = ("", None, 0);
        let (mut floats, mut ints) = (Vec::new(), Vec::new());
        for field in Fields::new(message) {
            let (number, value): (u32, Value<'a>) = field?;
            match number {
                field::attribute::NAME => name = value.string()?,
                field::attribute::F => found = Some(AttributeValue::Float(value.float()?)),
                field::attribute::I => found = Some(AttributeValue::Int(value.int()?)),
                // Bytes that are no text are of no setting that is looked at.
                field::attribute::S => found = Some(AttributeValue::Text(String::from_utf8_lossy(value.bytes()?))),
                field::attribute::T => found = Some(AttributeValue::Tensor(Tensor::read(value.bytes()?)?)),
                field::attribute::FLOATS => value.push_floats(&mut floats)?,
                field::attribute::INTS => value.push_ints(&mut ints)?,
                field::attribute::TYPE => code = value.int()?,
                _ => {}
            }
        }
        let value = match found {
            Some(value) => value,
            None if !floats.is_empty() => AttributeValue::Floats(floats),
            None if !ints.is_empty() => AttributeValue::Ints(ints),
            None => AttributeValue::unwritten(code),
        };
        Ok(Attribute { name: name.into(), value })
    }
}

impl<'a> ValueInfo<'a> {
    fn message(&self) -> Message {
        let mut shape = Message::new();
        for dim in &self.shape {
            let mut axis = Message::new();
            match dim {
                Dim::Fixed(size) => axis.varint(field::value_info::DIM_VALUE, *size as u64),
                Dim::Free(name) => axis.string(field::value_info::DIM_PARAM, name),
            };
            shape.message(field::value_info::DIM, &axis);
        }
        let (mut tensor, mut kind, mut message) = (Message::new(), Message::new(), Message::new());
        tensor.int(field::value_info::ELEMENT, self.element.0).message(field::value_info::SHAPE, &shape);
        kind.message(field::value_info::TENSOR, &tensor);
        message.string(field::value_info::NAME, &self.name).message(field::value_info::TYPE, &kind);
        message
    }

    fn read(message: &'a [u8]) -> Result<ValueInfo<'a>, String> {
        let mut value_info = ValueInfo { name: "".into(), element: ElementType(0), shape: Vec::new() };
        for field in Fields::new(message) {
            match field? {
                (field::value_info::NAME, value) => value_info.name = value.string()?.into(),
                (field::value_info::TYPE, value) => value_info.read_type(value.bytes()?)?,
                _ => {}
            }
        }
        Ok(value_info)
    }

    fn read_type(&mut self, message: &'a [u8]) -> Result<(), String> {
        for field in Fields::new(message) {
            let (field::value_info::TENSOR, tensor) = field? else { continue };
            for field in Fields::new(tensor.bytes()?) {
                match field? {
                    (field::value_info::ELEMENT, value) => self.element = ElementType(value.int()?),
                    (field::value_info::SHAPE, value) => self.shape = shape(value.bytes()?)?,
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// Reads a shape.
fn shape(message: &[u8]) -> Result<Vec<Dim<'_>>, String> {
    let mut shape = Vec::new();
    for field in Fields::new(message) {
        let (field::value_info::DIM, axis) = field? else { continue };
        let mut dim = Dim::Free("".into());
        for field in Fields::new(axis.bytes()?) {
            match field? {
                // A size of 0 or below stands for one that is not known.
                (field::value_info::DIM_VALUE, value) => match usize::try_from(value.int()?) {
                    Ok(size) if size > 0 => dim = Dim::Fixed(size),
                    _ => {}
                },
                (field::value_info::DIM_PARAM, value) => dim = Dim::Free(value.string()?.into()),
                _ => {}
            }
        }
        shape.push(dim);
    }
    Ok(shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Model<'static> {
        let attribute = |name: &'static str, value| Attribute { name: name.into(), value };
        let attributes = vec![
            attribute("a", AttributeValue::Float(0.5)),
            attribute("b", AttributeValue::Int(-3)),
            attribute("c", AttributeValue::Text("SAME_UPPER".into())),
            attribute("d", AttributeValue::Tensor(Tensor::floats("t", &[1], &[2.0]))),
            attribute("e", AttributeValue::Floats(vec![1.0, 2.0])),
            attribute("f", AttributeValue::Ints(vec![1, 0, -1])),
        ];
        let node = Node {
            inputs: vec!["x".into(), "w".into()],
            outputs: vec!["y".into()],
            name: "n".into(),
            op: "Conv".into(),
            attributes,
            domain: "".into(),
        };
        let value = |name: &'static str, shape| ValueInfo { name: name.into(), element: ElementType::FLOAT, shape };
        let graph = Graph {
            nodes: vec![node],
            name: "g".into(),
            initializers: vec![Tensor::floats("w", &[2, 2], &[1.0, 2.0, 3.0, 4.0])],
            inputs: vec![value("x", vec![Dim::Free("N".into()), Dim::Fixed(3)])],
            outputs: vec![value("y", vec![])],
        };
        Model {
            ir_version: 8,
            producer: ["p".into(), "1".into()],
            graph,
            opsets: vec![("".into(), 17)],
            metadata: vec![("k".into(), "v".into())],
        }
    }

    #[test]
    fn a_model_that_was_written_is_read() {
        let bytes = model().into_bytes();
        assert_eq!(Model::read(&bytes).unwrap(), model());
    }

    #[test]
    fn a_model_that_is_cut_off_is_refused() {
        let bytes = model().into_bytes();
        let read = (0..bytes.len()).filter(|&end| Model::read(&bytes[..end]).is_ok()).collect::<Vec<_>>();
        // Whole but for the metadata, and but for the operators too.
        assert_eq!(read.len(), 2, "{read:?}");
    }

    #[test]
    fn a_setting_whose_zero_was_left_out_is_zero() {
        let mut message = Message::new();
        message.string(field::attribute::NAME, "ceil_mode").varint(field::attribute::TYPE, 2);
        assert_eq!(Attribute::read(&message.into_bytes()).unwrap().value, AttributeValue::Int(0));
    }
}
