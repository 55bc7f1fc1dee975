//! A graph as a chain: its nodes from the picture to the answer, each with the one before it as its only
//! input that is no constant.

use super::messages::{Attribute, AttributeValue, Dim, Graph, Model, Node};
use super::tensor::{ElementType, Tensor};
use crate::error::shortened;
use std::borrow::Cow;
use std::collections::HashMap;

/// The most nodes that are looked at: a layer is a few.
const MAX_NODES: usize = 100_000;

/// The oldest set of operators that is read: the first in which `BatchNormalization` and `Dropout` have the
/// form of today.
const OLDEST_OPSET: i64 = 7;

/// The nodes of a graph in the order in which a picture goes through them.
pub struct Chain<'a> {
    /// The type of the numbers that go in.
    pub element: ElementType,
    /// The sizes of the input but for the batch's, in its own order.
    pub sizes: Vec<usize>,
    /// The nodes.
    pub links: Vec<Link<'a>>,
    /// The version of the operators.
    pub opset: i64,
}

/// A node, with the constants that go in.
pub struct Link<'a> {
    /// The node.
    node: &'a Node<'a>,
    /// Its inputs but for what comes from the node before it; none for one that is left out.
    constants: Vec<Option<Cow<'a, Tensor<'a>>>>,
    /// True if the first of its inputs is what comes from the node before it.
    pub first_is_data: bool,
    /// True if one of its inputs is neither that nor a constant, but computed from the sizes of something.
    pub has_computed_sizes: bool,
}

impl<'a> Link<'a> {
    /// Returns what the node does.
    pub fn op(&self) -> &'a str {
        &self.node.op
    }

    /// Returns the constant at this place behind the data, from 0.
    pub fn constant(&self, place: usize) -> Option<&Tensor<'a>> {
        self.constants.get(place)?.as_deref()
    }

    /// Returns the constant at this place behind the data.
    ///
    /// # Errors
    /// A sentence, where there is none.
    pub fn wanted_constant(&self, place: usize) -> Result<&Tensor<'a>, String> {
        self.constant(place).ok_or_else(|| self.fault(&format!("lacks its input {}", place + 1)))
    }

    /// Returns how many inputs stand behind the data.
    pub fn constant_count(&self) -> usize {
        self.constants.len()
    }

    /// Returns an attribute that is a number, or its default.
    pub fn int(&self, name: &str, default: i64) -> i64 {
        match self.attribute(name) {
            Some(AttributeValue::Int(value)) => *value,
            _ => default,
        }
    }

    /// Returns an attribute that is a float, or its default. It is the number that was meant, 0.001, and not
    /// what f32 makes of it, so that a model tells it as people write it.
    pub fn float(&self, name: &str, default: f64) -> f64 {
        match self.attribute(name) {
            Some(AttributeValue::Float(value)) => decimal(*value),
            _ => default,
        }
    }

    /// Returns an attribute that is a list of numbers, if it is there.
    pub fn ints(&self, name: &str) -> Option<&'a [i64]> {
        match self.attribute(name) {
            Some(AttributeValue::Ints(values)) => Some(values),
            _ => None,
        }
    }

    /// Returns an attribute that is a text, or nothing.
    pub fn text(&self, name: &str) -> &'a str {
        match self.attribute(name) {
            Some(AttributeValue::Text(text)) => text,
            _ => "",
        }
    }

    fn attribute(&self, name: &str) -> Option<&'a AttributeValue<'a>> {
        self.node.attributes.iter().find(|attribute| attribute.name == name).map(|attribute| &attribute.value)
    }

    /// Returns its name and operator for a sentence.
    pub fn called(&self) -> String {
        called(self.node)
    }

    /// Returns the sentence that this node is at fault, in words that go on after it.
    pub fn fault(&self, why: &str) -> String {
        format!("its node {} {why}", called(self.node))
    }
}

/// Returns the shortest decimal number that is this f32.
pub fn decimal(value: f32) -> f64 {
    value.to_string().parse().expect("a float's own digits are a number")
}

/// Returns a node's name and operator for a sentence.
fn called(node: &Node) -> String {
    let name = if node.name.is_empty() { node.outputs.first().unwrap_or(&node.name) } else { &node.name };
    let domain = if is_plain(node) { String::new() } else { format!(" of {}", shortened(&node.domain)) };
    format!("'{}' ({}{domain})", shortened(name), shortened(&node.op))
}

/// Tells whether the operator is ONNX's own.
fn is_plain(node: &Node) -> bool {
    matches!(&*node.domain, "" | "ai.onnx")
}

impl<'a> Chain<'a> {
    /// Follows the picture through the graph.
    ///
    /// # Errors
    /// A sentence that names the first node at which the graph is no chain.
    pub fn new(model: &'a Model<'a>) -> Result<Chain<'a>, String> {
        let graph = &model.graph;
        if graph.nodes.len() > MAX_NODES {
            return Err(format!("it has {} nodes, and {MAX_NODES} are the most", graph.nodes.len()));
        }
        let opset = model.opsets.iter().find(|(domain, _)| matches!(&**domain, "" | "ai.onnx"));
        let opset = opset.map_or(0, |(_, version)| *version);
        if opset < OLDEST_OPSET {
            return Err(format!(
                "its operators are of opset {opset}, and {OLDEST_OPSET} is the oldest that is read here; export it anew"
            ));
        }
        let constants = constants(graph)?;
        let is_input = |name: &str| !constants.contains_key(name);
        let inputs: Vec<_> = graph.inputs.iter().filter(|input| is_input(&input.name)).collect();
        let [input] = inputs[..] else {
            return Err(format!("it has {} inputs, and a network here has one, the picture", inputs.len()));
        };
        let sizes = input.shape.iter().skip(1).map(|dim| match dim {
            Dim::Fixed(size) => Ok(*size),
            Dim::Free(name) => Err(format!(
                "a size of its input '{}' is free ('{}'), and a network here has a fixed height and width; export it with them",
                shortened(&input.name),
                shortened(name)
            )),
        });
        let sizes = sizes.collect::<Result<Vec<usize>, String>>()?;
        let links = Follower { graph, constants: &constants }.links(&input.name)?;
        Ok(Chain { element: input.element, sizes, links, opset })
    }
}

/// The constants of a graph by name: its initializers, and nodes that hold or pass one on.
fn constants<'a>(graph: &'a Graph<'a>) -> Result<HashMap<&'a str, Cow<'a, Tensor<'a>>>, String> {
    let mut constants: HashMap<&str, Cow<Tensor>> =
        graph.initializers.iter().map(|tensor| (&*tensor.name, Cow::Borrowed(tensor))).collect();
    for node in &graph.nodes {
        let [output] = &node.outputs[..] else { continue };
        match (&*node.op, &node.inputs[..], &node.attributes[..]) {
            ("Constant", [], [Attribute { name, value }]) => {
                let tensor = match value {
                    AttributeValue::Tensor(tensor) => Cow::Borrowed(tensor),
                    AttributeValue::Float(value) => Cow::Owned(Tensor::floats(output, &[], &[*value])),
                    AttributeValue::Floats(values) => Cow::Owned(Tensor::floats(output, &[values.len()], values)),
                    AttributeValue::Int(value) => Cow::Owned(Tensor::ints(output, &[], &[*value])),
                    AttributeValue::Ints(values) => Cow::Owned(Tensor::ints(output, &[values.len()], values)),
                    _ => {
                        let node = called(node);
                        return Err(format!("its node {node} holds a '{}', which is no tensor", shortened(name)));
                    }
                };
                constants.insert(output, tensor);
            }
            ("Identity", [input], _) => {
                if let Some(tensor) = constants.get(&**input) {
                    constants.insert(output, tensor.clone());
                }
            }
            _ => {}
        }
    }
    Ok(constants)
}

/// A picture on its way through a graph.
struct Follower<'a, 'b> {
    graph: &'a Graph<'a>,
    constants: &'b HashMap<&'a str, Cow<'a, Tensor<'a>>>,
}

impl<'a> Follower<'a, '_> {
    fn links(&self, input: &'a str) -> Result<Vec<Link<'a>>, String> {
        let mut takers: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, node) in self.graph.nodes.iter().enumerate() {
            for name in node.inputs.iter().filter(|name| !name.is_empty() && !self.constants.contains_key(&***name)) {
                takers.entry(name).or_default().push(index);
            }
        }
        // What sizes are computed from is not the picture's way; a node that takes such sizes is.
        let is_on_the_way = |index: &&usize| !matches!(&*self.graph.nodes[**index].op, "Shape" | "Size");
        let (mut links, mut value, mut last): (Vec<Link>, &str, Option<&Node>) = (Vec::new(), input, None);
        loop {
            let next: Vec<usize> = takers.get(value).into_iter().flatten().filter(is_on_the_way).copied().collect();
            let node = match next[..] {
                [] => break,
                [index] => &self.graph.nodes[index],
                [first, second, ..] => {
                    let [first, second] = [first, second].map(|index| called(&self.graph.nodes[index]));
                    let from =
                        last.map_or("its input".into(), |node| format!("the output of its node {}", called(node)));
                    return Err(format!(
                        "{from} goes to {} nodes, such as {first} and {second}, and a network here is a chain of layers",
                        next.len()
                    ));
                }
            };
            if links.len() == self.graph.nodes.len() {
                return Err(format!("its node {} takes its own output, by way of others", called(node)));
            }
            links.push(self.link(node, value)?);
            value = match node.outputs.first() {
                Some(output) if !output.is_empty() => output,
                _ => return Err(format!("its node {} has no output", called(node))),
            };
            if let Some(other) = node.outputs[1..].iter().find(|output| takers.contains_key(&***output)) {
                return Err(format!(
                    "its node {} has a second output that is used, '{}'",
                    called(node),
                    shortened(other)
                ));
            }
            last = Some(node);
        }
        match self.graph.outputs.iter().any(|output| output.name == value) {
            true => Ok(links),
            false => {
                let name = last.map_or("its input".into(), |node| format!("its node {}", called(node)));
                Err(format!("the way from its input ends at {name}, which gives none of its outputs"))
            }
        }
    }

    /// A node that takes `value`.
    fn link(&self, node: &'a Node<'a>, value: &str) -> Result<Link<'a>, String> {
        if !is_plain(node) {
            return Err(format!("its node {} is no operator of ONNX itself", called(node)));
        }
        let mut link = Link { node, constants: Vec::new(), first_is_data: true, has_computed_sizes: false };
        let mut is_found = false;
        for (place, name) in node.inputs.iter().enumerate() {
            if !is_found && name == value {
                is_found = true;
                link.first_is_data = place == 0;
                continue;
            }
            match self.constants.get(&**name) {
                Some(tensor) => link.constants.push(Some(tensor.clone())),
                None if name.is_empty() => link.constants.push(None),
                None if node.op == "Reshape" => {
                    link.constants.push(None);
                    link.has_computed_sizes = true;
                }
                None => {
                    let name = shortened(name);
                    return Err(link.fault(&format!(
                        "takes '{name}', too, which is no constant, and a network here is a chain of layers"
                    )));
                }
            }
        }
        Ok(link)
    }
}
