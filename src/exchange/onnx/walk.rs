//! From a chain of nodes to a network: one node after the other becomes a layer, or turns or scales what goes
//! through, or is refused.

use super::chain::{Chain, Link, decimal};
use super::input::{Axis, Scaling, axes_of, input_axes, permuted};
use super::tensor::{ElementType, Tensor};
use super::window::{Window, four, pair, size};
use crate::classes::MAX_LABELS;
use crate::data::reading::BitDepth;
use crate::error::Error;
use crate::exchange::axes::{scattered, to_channels_last, transposed};
use crate::exchange::scaling::scaling;
use crate::geometry::{Padding, Shape};
use crate::layers::Layer;
use crate::layers::builder::Builder;
use crate::network::Network;
use crate::parameters::Parameters;
use crate::spec::{LayerSpec, ModelSpec};

/// A network as its graph tells it.
pub struct Walked {
    /// The network.
    pub network: Network,
    /// Its weights.
    pub parameters: Parameters,
    /// The bits of the samples that it takes.
    pub bit_depth: BitDepth,
    /// Sentences on what was assumed.
    pub notes: Vec<String>,
}

/// Makes a network of a chain.
///
/// # Errors
/// A sentence that names the first node that is no layer here.
pub fn walk(chain: &Chain) -> Result<Walked, String> {
    let axes = input_axes(chain)?;
    let size = |wanted: Axis| (1..4).find(|&place| axes[place] == wanted).map_or(0, |place| chain.sizes[place - 1]);
    let input = [size(Axis::H), size(Axis::W), size(Axis::C)];
    let mut walk = Walk {
        builder: Builder::new(Shape::Image(input)),
        layers: Vec::new(),
        tensors: Vec::new(),
        form: Form::Image(axes),
        scaling: Scaling::new(chain.element),
        padded: None,
        several_labels: false,
        notes: Vec::new(),
    };
    let mut links = chain.links.iter().peekable();
    while let Some(link) = links.next() {
        if matches!(link.op(), "Sigmoid" | "Softmax" | "LogSoftmax") {
            walk.head(link, chain.opset)?;
            match links.find(|link| !matches!(link.op(), "Identity" | "Squeeze" | "Cast")) {
                Some(behind) => {
                    let op = link.op();
                    return Err(behind.fault(&format!("stands behind the {op}, which ends a network here")));
                }
                None => return walk.finish(input),
            }
        }
        if walk.node(link, links.peek().copied())? {
            links.next();
        }
    }
    walk.notes.push("it ends without a sigmoid or softmax, and its output was taken for logits".into());
    walk.finish(input)
}

/// What goes from node to node.
#[derive(Clone, Debug, PartialEq)]
enum Form {
    /// A batch of images, with its axes in this order.
    Image([Axis; 4]),
    /// A batch of vectors, which are images of one pixel in the graph.
    Pixel,
    /// A batch of vectors. If it was an image in another order than ours: for each value its place in ours.
    Vector(Option<Vec<usize>>),
}

/// The note on pictures of which a graph does not tell how they are scaled.
pub const PIXELS_ASSUMED: &str = "it does not say how pictures are scaled, and numbers from 0 to 1 were taken to go in";

const CHANNELS_FIRST: [Axis; 4] = [Axis::N, Axis::C, Axis::H, Axis::W];

/// A network on its way.
struct Walk {
    builder: Builder,
    layers: Vec<LayerSpec>,
    /// The layers' tensors, in the order of the table.
    tensors: Vec<Vec<f32>>,
    form: Form,
    scaling: Scaling,
    /// What a `Pad` added that no convolution has taken yet: rows above, columns left, rows below, columns
    /// right.
    padded: Option<[usize; 4]>,
    /// Whether it ends with a sigmoid of each of several outputs.
    several_labels: bool,
    notes: Vec<String>,
}

impl Walk {
    /// Takes a node in. Returns whether it took the `next` one in, too.
    fn node(&mut self, link: &Link, next: Option<&Link>) -> Result<bool, String> {
        if self.padded.is_some() && !matches!(link.op(), "Conv" | "Transpose" | "Identity") {
            return Err(link.fault("stands behind a Pad, and only a convolution pads here"));
        }
        match link.op() {
            "Identity" => {}
            "Cast" | "Mul" | "Div" | "Add" | "Sub" if self.layers.is_empty() => self.scaling.apply(link)?,
            "Mul" | "Add" => return self.scaled_channels(link, next),
            "Cast" if link.int("to", 0) == ElementType::FLOAT.0 => {}
            "Transpose" => self.transpose(link)?,
            "Pad" => self.pad(link)?,
            "Conv" => return self.conv(link, next),
            "Gemm" | "MatMul" => return self.dense(link, next),
            "MaxPool" | "AveragePool" => self.pool(link)?,
            "GlobalAveragePool" | "ReduceMean" => self.global_average(link)?,
            "BatchNormalization" => self.normalization(link)?,
            "Relu" => self.push(link, LayerSpec::Relu {}, vec![])?,
            "LeakyRelu" => {
                let negative_slope = link.float("alpha", 0.01);
                self.push(link, LayerSpec::LeakyRelu { negative_slope }, vec![])?;
            }
            "Dropout" => {
                let rate = match link.constant(0).map(Tensor::to_floats).transpose()?.as_deref() {
                    Some(&[rate]) => decimal(rate),
                    _ => link.float("ratio", 0.5),
                };
                self.push(link, LayerSpec::Dropout { rate }, vec![])?;
            }
            "Flatten" | "Reshape" => self.flatten(link)?,
            "Squeeze" => self.squeeze(link)?,
            _ => return Err(link.fault("is none of the layers that a network here can have")),
        }
        Ok(false)
    }

    /// Adds a layer with its tensors.
    fn push(&mut self, link: &Link, spec: LayerSpec, tensors: Vec<Vec<f32>>) -> Result<(), String> {
        Layer::new(&spec, &mut self.builder).map_err(|error| {
            let reason = match error {
                Error::Layer { reason, .. } => reason,
                other => other.to_string(),
            };
            link.fault(&format!("cannot be a layer here: {reason}"))
        })?;
        if tensors.iter().flatten().any(|value| !value.is_finite()) {
            return Err(link.fault("holds weights that are no finite numbers"));
        }
        self.layers.push(spec);
        self.tensors.extend(tensors);
        Ok(())
    }

    /// Returns H, W, C of the images that come to a node which wants channels first.
    fn image(&self, link: &Link) -> Result<[usize; 3], String> {
        match (&self.form, self.builder.input()) {
            (Form::Image(CHANNELS_FIRST), Shape::Image(sizes)) => Ok(sizes),
            (Form::Image(_), _) => Err(link.fault("takes other axes for the channels than the nodes before it")),
            _ => Err(link.fault("wants an image, and a vector comes to it")),
        }
    }

    fn transpose(&mut self, link: &Link) -> Result<(), String> {
        match &mut self.form {
            Form::Image(axes) => {
                *axes = permuted(link, *axes)?;
                if axes[0] == Axis::N { Ok(()) } else { Err(link.fault("puts the images of the batch elsewhere")) }
            }
            Form::Pixel => permuted(link, [0; 4]).map(|_| ()),
            Form::Vector(_) => Err(link.fault("turns the axes of a vector")),
        }
    }

    fn pad(&mut self, link: &Link) -> Result<(), String> {
        let Form::Image(axes) = &self.form else { return Err(link.fault("pads a vector")) };
        let pads = match (link.ints("pads"), link.constant(0)) {
            (Some(pads), _) => pads.to_vec(),
            (None, Some(pads)) => pads.to_ints()?,
            (None, None) => return Err(link.fault("does not say by how much it pads")),
        };
        let value = match link.constant(1) {
            Some(value) => value.to_floats()?.iter().any(|value| *value != 0.0),
            None => link.float("value", 0.0) != 0.0,
        };
        if pads.len() != 8 || link.constant_count() > 2 || !matches!(link.text("mode"), "" | "constant") || value {
            return Err(link.fault("does something else than to put zeros around an image"));
        }
        let place = |wanted: Axis| axes.iter().position(|axis| *axis == wanted).unwrap_or(0);
        let (height, width) = (place(Axis::H), place(Axis::W));
        let around = four(&[pads[height], pads[width], pads[height + 4], pads[width + 4]]);
        let others = (0..4).filter(|axis| ![height, width].contains(axis));
        match around {
            Some(around) if others.clone().all(|axis| pads[axis] == 0 && pads[axis + 4] == 0) => {
                self.padded = Some(around);
                Ok(())
            }
            _ => Err(link.fault("pads more than the rows and columns of an image, or cuts some off")),
        }
    }

    fn conv(&mut self, link: &Link, next: Option<&Link>) -> Result<bool, String> {
        let [height, width, channels] = self.image(link)?;
        let kernel = link.wanted_constant(0)?;
        let [filters, channels_each, down, across] = kernel.dims[..] else {
            return Err(link.fault(&format!("has a kernel of {} axes, and one of an image has 4", kernel.dims.len())));
        };
        let padded = self.padded.take().unwrap_or_default();
        let window = Window::new(link, [down, across], [height, width], padded)?;
        let group = link.int("group", 1);
        let is_depthwise = group == channels as i64 && channels_each == 1 && channels > 1;
        let is_whole = group == 1 && channels_each == channels;
        if !is_depthwise && !is_whole {
            let why = format!(
                "is a convolution in {group} groups of {channels_each} channels, and here it takes all {channels} channels, or each by itself"
            );
            return Err(link.fault(&why));
        }
        let values = to_channels_last(&kernel.to_floats()?, [filters, channels_each, down, across]);
        let (bias, is_taken) = bias(link, 1, next, filters, true)?;
        let (kernel, stride, dilation) = (size(window.size), size(window.stride), size(window.dilation));
        let (padding, use_bias) = (window.padding, bias.is_some());
        let spec = match is_depthwise {
            true if !filters.is_multiple_of(channels) => {
                return Err(link
                    .fault(&format!("has {filters} filters for {channels} channels, which are not as many for each")));
            }
            true => {
                let depth_multiplier = filters / channels;
                LayerSpec::DepthwiseConv2d { kernel, stride, padding, dilation, depth_multiplier, use_bias }
            }
            false => LayerSpec::Conv2d { filters, kernel, stride, padding, dilation, use_bias },
        };
        self.push(link, spec, std::iter::once(values).chain(bias).collect())?;
        Ok(is_taken)
    }

    fn dense(&mut self, link: &Link, next: Option<&Link>) -> Result<bool, String> {
        let inputs = self.builder.input().len();
        let Form::Vector(order) = &self.form else {
            return Err(link.fault("wants a vector, and an image comes to it; it needs a Flatten before it"));
        };
        let matrix = link.wanted_constant(0)?;
        let is_gemm = link.op() == "Gemm";
        let (is_turned, plain) = match is_gemm {
            true => {
                let plain = link.int("transA", 0) == 0 && link.float("alpha", 1.0) == 1.0;
                (link.int("transB", 0) != 0, plain && (link.constant(1).is_none() || link.float("beta", 1.0) == 1.0))
            }
            false => (false, true),
        };
        if !plain || !link.first_is_data || matrix.dims.len() != 2 {
            return Err(link.fault("is no plain product of a vector and a matrix"));
        }
        let [rows, units] = if is_turned { [matrix.dims[1], matrix.dims[0]] } else { [matrix.dims[0], matrix.dims[1]] };
        if rows != inputs || units == 0 {
            return Err(link.fault(&format!("has a matrix for vectors of {rows}, and one of {inputs} comes to it")));
        }
        let mut values = matrix.to_floats()?;
        if is_turned {
            values = transposed(&values, &matrix.dims, &[1, 0]);
        }
        if let Some(order) = order {
            values = scattered(&values, units, order);
        }
        let (bias, is_taken) = bias(link, 1, next, units, false)?;
        let spec = LayerSpec::Dense { units, use_bias: bias.is_some() };
        self.push(link, spec, std::iter::once(values).chain(bias).collect())?;
        self.form = Form::Vector(None);
        Ok(is_taken)
    }

    fn pool(&mut self, link: &Link) -> Result<(), String> {
        let [height, width, _] = self.image(link)?;
        let Window { size: window, stride, dilation, padding } =
            Window::new(link, pair(link, "kernel_shape")?, [height, width], [0; 4])?;
        let is_average = link.op() == "AveragePool";
        if dilation != [1, 1] {
            return Err(link.fault("has pixels between those of its window, which no pool here has"));
        }
        if is_average && link.int("count_include_pad", 0) != 0 && padding != Padding::Valid {
            return Err(link.fault("counts the border in its means (count_include_pad), and a pool here leaves it out"));
        }
        let stride = (stride != window).then(|| size(stride));
        let window = size(window);
        let spec = match is_average {
            true => LayerSpec::AveragePool { window, stride, padding },
            false => LayerSpec::MaxPool { window, stride, padding },
        };
        self.push(link, spec, vec![])
    }

    fn global_average(&mut self, link: &Link) -> Result<(), String> {
        let (Form::Image(axes), is_reduced) = (&self.form, link.op() == "ReduceMean") else {
            return Err(link.fault("wants an image, and a vector comes to it"));
        };
        if is_reduced {
            let reduced: Vec<i64> = axes_of(link)?;
            let is_reduced =
                |place: usize| reduced.iter().any(|&axis| axis == place as i64 || axis == place as i64 - 4);
            if reduced.len() != 2 || !(0..4).all(|place| is_reduced(place) == matches!(axes[place], Axis::H | Axis::W))
            {
                return Err(link.fault("takes the mean of something else than all pixels of a channel"));
            }
        } else {
            self.image(link)?;
        }
        self.push(link, LayerSpec::GlobalAveragePool {}, vec![])?;
        let keeps = !is_reduced || link.int("keepdims", 1) != 0;
        self.form = if keeps { Form::Pixel } else { Form::Vector(None) };
        Ok(())
    }

    fn normalization(&mut self, link: &Link) -> Result<(), String> {
        let channels = match &self.form {
            Form::Image(_) => self.image(link)?[2],
            _ => self.builder.input().len(),
        };
        if link.int("training_mode", 0) != 0 || link.int("spatial", 1) != 1 {
            return Err(link.fault("is to train, or has a number for each pixel; export the model for inference"));
        }
        let mut tensors = Vec::new();
        for place in 0..4 {
            let tensor = link.wanted_constant(place)?;
            if tensor.dims != [channels] {
                return Err(link.fault(&format!("does not have a number for each of {channels} channels")));
            }
            let values = tensor.to_floats()?;
            tensors.push(match &self.form {
                Form::Vector(Some(order)) => scattered(&values, 1, order),
                _ => values,
            });
        }
        if tensors[3].iter().any(|variance| *variance < 0.0) {
            return Err(link.fault("has a variance below 0"));
        }
        let (momentum, epsilon) = (link.float("momentum", 0.9), link.float("epsilon", 1e-5));
        self.push(link, LayerSpec::BatchNormalization { momentum, epsilon }, tensors)
    }

    /// Makes a batch normalization of a factor and a summand for each channel, which is what converters leave
    /// of one that they do not find a convolution for.
    fn scaled_channels(&mut self, link: &Link, next: Option<&Link>) -> Result<bool, String> {
        let wanted = "has numbers that are not one for each channel of what comes from the node before it";
        let values = |link: &Link| match link.constant(0) {
            Some(tensor) => self.per_channel(tensor),
            None => Ok(None),
        };
        let own = values(link)?.ok_or_else(|| link.fault(wanted))?;
        let channels = own.len();
        let (factors, summands, is_taken) = match link.op() {
            "Add" => (vec![1.0; channels], own, false),
            _ => match next.filter(|next| next.op() == "Add").map(values).transpose()?.flatten() {
                Some(summands) => (own, summands, true),
                None => (own, vec![0.0; channels], false),
            },
        };
        self.notes.push(format!("a batch normalization stands for {}", link.called()));
        let (spec, tensors) = scaling(factors, summands);
        self.push(link, spec, tensors.to_vec())?;
        Ok(is_taken)
    }

    /// Returns the numbers of a tensor in our order of channels, if it has one for each.
    fn per_channel(&self, tensor: &Tensor) -> Result<Option<Vec<f32>>, String> {
        let (channels, rank) = match (&self.form, self.builder.input()) {
            (Form::Image(_), Shape::Image([_, _, channels])) => (channels, 4),
            (Form::Pixel, shape) => (shape.len(), 4),
            (_, shape) => (shape.len(), 2),
        };
        let Some(leading) = usize::checked_sub(rank, tensor.dims.len()) else { return Ok(None) };
        let is_channel = |place: usize| match &self.form {
            Form::Image(axes) => axes[place] == Axis::C,
            Form::Pixel => place > 0 && tensor.dims[place - leading] == channels,
            Form::Vector(_) => place == 1,
        };
        let fits = |(place, &size): (usize, &usize)| size == if is_channel(leading + place) { channels } else { 1 };
        if tensor.count() != Some(channels) || !tensor.dims.iter().enumerate().all(fits) {
            return Ok(None);
        }
        let values = tensor.to_floats()?;
        Ok(Some(match &self.form {
            Form::Vector(Some(order)) => scattered(&values, 1, order),
            _ => values,
        }))
    }

    /// Makes vectors of images: `Flatten`, or a `Reshape` to two axes.
    fn flatten(&mut self, link: &Link) -> Result<(), String> {
        let len = self.builder.input().len();
        let makes_vectors = match link.op() {
            "Flatten" => {
                let last = if let Form::Vector(_) = self.form { -1 } else { -3 };
                [1, last].contains(&link.int("axis", 1))
            }
            // A dense layer behind it tells whether there are as many values as it wants.
            _ if link.has_computed_sizes => true,
            _ => match link.wanted_constant(0)?.to_ints()?[..] {
                [_, values] => values == -1 || usize::try_from(values) == Ok(len),
                // One pixel stays one.
                [_, a, b, c] if self.form == Form::Pixel => {
                    return match [a, b, c].iter().filter(|&&size| size != 1).count() {
                        0 | 1 => Ok(()),
                        _ => Err(link.fault("gives a vector another shape")),
                    };
                }
                _ => false,
            },
        };
        if !makes_vectors {
            return Err(link.fault("gives an image another shape than that of a vector"));
        }
        if let (Form::Image(axes), Shape::Image(sizes)) = (&self.form, self.builder.input()) {
            // The places of H, W and C in ours, in the order in which the graph has them.
            let ours = |axis: &Axis| match axis {
                Axis::H => 0,
                Axis::W => 1,
                _ => 2,
            };
            let order: Vec<usize> = axes[1..].iter().map(ours).collect();
            self.push(link, LayerSpec::Flatten {}, vec![])?;
            let places: Vec<usize> = (0..len).collect();
            let places = transposed(&places, &sizes, &order);
            self.form = Form::Vector((!places.is_sorted()).then_some(places));
        } else if self.form == Form::Pixel {
            self.form = Form::Vector(None);
        }
        Ok(())
    }

    /// Takes the pixel from an image that is one.
    fn squeeze(&mut self, link: &Link) -> Result<(), String> {
        match self.form {
            Form::Pixel => {
                self.form = Form::Vector(None);
                Ok(())
            }
            Form::Vector(_) if self.builder.input().len() == 1 => Ok(()),
            _ => Err(link.fault("takes axes from an image")),
        }
    }

    /// Checks whether what makes probabilities fits the logits.
    fn head(&mut self, link: &Link, opset: i64) -> Result<(), String> {
        let units = self.builder.input().len();
        if let Form::Image(_) = self.form {
            return Err(link.fault("gets an image, and a network here ends with a vector of logits"));
        }
        let last = if self.form == Form::Pixel { vec![1, -3] } else { vec![1, -1] };
        match link.op() {
            "Sigmoid" if units == 1 => Ok(()),
            "Sigmoid" if units <= MAX_LABELS => {
                self.several_labels = true;
                let note = format!("it ends with {units} sigmoids, so an image may have several of its labels, or none");
                self.notes.push(note);
                Ok(())
            }
            "Sigmoid" => Err(link.fault(&format!(
                "gives each of {units} outputs a probability of its own, and an image may have several of {MAX_LABELS} labels at the most"
            ))),
            _ if units == 1 => Err(link.fault("has one output, which is then always 1")),
            _ if !last.contains(&link.int("axis", if opset < 13 { 1 } else { -1 })) => {
                Err(link.fault("is not taken over the classes"))
            }
            op => {
                if op == "LogSoftmax" {
                    self.notes.push("it ends with the logarithms of probabilities; here it answers with the probabilities".into());
                }
                Ok(())
            }
        }
    }

    /// Builds the network, and fills it.
    fn finish(self, input: [usize; 3]) -> Result<Walked, String> {
        let (bit_depth, is_assumed) = self.scaling.finish()?;
        let mut notes = self.notes;
        if is_assumed {
            notes.push(PIXELS_ASSUMED.into());
        }
        if let Form::Vector(Some(_)) = self.form {
            return Err(
                "its answers are those of an image as a vector with channels first, which no layer here puts in order"
                    .into(),
            );
        }
        if self.padded.is_some() {
            return Err("it ends with a Pad, and only a convolution pads here".into());
        }
        let spec = ModelSpec { several_labels: self.several_labels, ..ModelSpec::new(input, self.layers) };
        let network = Network::new(&spec).map_err(|error| format!("its network cannot be built: {error}"))?;
        let mut parameters = Parameters::zeros(network.table());
        let entries = network.table().entries();
        if entries.len() != self.tensors.len() {
            return Err(format!("it has {} tensors, and its layers need {}", self.tensors.len(), entries.len()));
        }
        for (id, (entry, values)) in entries.iter().zip(&self.tensors).enumerate() {
            if entry.range.len() != values.len() {
                return Err(format!(
                    "its tensor for '{}' has {} values, and {} are needed",
                    entry.name,
                    values.len(),
                    entry.range.len()
                ));
            }
            parameters.tensor_mut(id).copy_from_slice(values);
        }
        Ok(Walked { network, parameters, bit_depth, notes })
    }
}

/// Returns the bias of a node that has one for each of so many channels: its own constant at `place`, or what
/// an `Add` right behind it adds; and whether it was that.
fn bias(
    link: &Link,
    place: usize,
    next: Option<&Link>,
    channels: usize,
    is_image: bool,
) -> Result<(Option<Vec<f32>>, bool), String> {
    if let Some(tensor) = link.constant(place) {
        let values = tensor.to_floats()?;
        return match values.len() == channels {
            true => Ok((Some(values), false)),
            false => Err(link.fault(&format!("has {} numbers in its bias for {channels} outputs", values.len()))),
        };
    }
    let added = next.filter(|next| next.op() == "Add").and_then(|next| next.constant(0));
    let behind: &[usize] = if is_image { &[1, 1] } else { &[] };
    let fits = |dims: &[usize]| {
        let dims = dims.strip_suffix(behind)?;
        let (last, leading) = dims.split_last()?;
        (*last == channels && leading.iter().all(|size| *size == 1)).then_some(())
    };
    match added {
        Some(tensor) if fits(&tensor.dims).is_some() => Ok((Some(tensor.to_floats()?), true)),
        _ => Ok((None, false)),
    }
}
