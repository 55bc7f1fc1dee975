//! What is checked: the loss of one batch, in `f64`, as a function of every weight and every pixel.

use crate::layers::LayerKind;
use crate::network::Network;
use crate::parameters::Parameters;
use crate::reference::{Image, Layer, LayerGradient};
use crate::snapshot::Snapshot;
use std::fmt;

/// The loss of a batch in the [textbook](crate::reference): images, labels, dropout factors and weights are
/// all fixed.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The layers with their weights.
    pub layers: Vec<Layer>,
    /// The name of each layer.
    pub names: Vec<String>,
    /// The tensors of which there are gradients: the images, then weights in the order of the layers.
    pub tensors: Vec<Tensor>,
    /// The images of the batch.
    pub images: Vec<Image>,
    /// The class of each.
    pub labels: Vec<usize>,
    /// For each image, the factors of each dropout layer in order.
    pub factors: Vec<Vec<Vec<f64>>>,
}

/// A tensor that the loss depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// `images`, or Keras's name of a weight.
    pub name: String,
    /// Its sizes; of the images `[N, H, W, C]`.
    pub shape: Vec<usize>,
    /// What it belongs to.
    pub place: Place,
}

/// What a tensor belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The images.
    Images,
    /// The weights of a layer.
    Weights {
        /// Its number.
        layer: usize,
        /// Which of its tensors.
        part: Part,
    },
}

/// The tensors of a layer, as [`LayerGradient`] has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The kernel; of a batch normalization γ.
    Kernel,
    /// The bias; of a batch normalization β.
    Bias,
}

impl Tensor {
    /// Returns the number of its elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Returns whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the name of an element, as `conv2d_1/kernel[1,2,17,40]`.
    pub fn element(&self, element: usize) -> String {
        let mut rest = element;
        let mut place: Vec<String> = Vec::new();
        for size in self.shape.iter().rev() {
            place.push((rest % size).to_string());
            rest /= size;
        }
        place.reverse();
        format!("{}[{}]", self.name, place.join(","))
    }
}

impl fmt::Display for Tensor {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let shape: Vec<String> = self.shape.iter().map(usize::to_string).collect();
        write!(formatter, "{} {}", self.name, shape.join("×"))
    }
}

impl Problem {
    /// Returns the problem of a training step that the engine took: these weights, and the snapshot's images,
    /// labels and dropout factors, to the bit.
    ///
    /// # Panics
    /// If the parameters or the snapshot are not of this network.
    pub fn new(network: &Network, parameters: &Parameters, snapshot: &Snapshot) -> Problem {
        let [height, width, channels] = network.spec().input;
        let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
        let images = snapshot.images().chunks_exact(height * width * channels);
        let images: Vec<Image> = images.map(|values| Image { height, width, channels, values: wide(values) }).collect();
        let count = images.len();
        let dropouts = network.layers().iter().filter(|layer| matches!(layer.kind, LayerKind::Dropout(_)));
        let factors_of: Vec<&[f32]> =
            dropouts.map(|layer| snapshot.factors(&layer.name).expect("a training step keeps its factors")).collect();
        let of_sample = |sample: usize| {
            factors_of.iter().map(|all| wide(all.chunks_exact(all.len() / count).nth(sample).unwrap_or(&[]))).collect()
        };
        let mut tensors =
            vec![Tensor { name: "images".into(), shape: vec![count, height, width, channels], place: Place::Images }];
        for (index, layer) in network.layers().iter().enumerate() {
            // Behind the two come moving statistics, which the loss of a training step does not depend on.
            for (id, part) in layer.tensors.clone().zip([Part::Kernel, Part::Bias]) {
                let entry = &network.table().entries()[id];
                let place = Place::Weights { layer: index, part };
                tensors.push(Tensor { name: entry.name.clone(), shape: entry.shape.clone(), place });
            }
        }
        Problem {
            layers: network.twin(parameters),
            names: network.layers().iter().map(|layer| layer.name.clone()).collect(),
            tensors,
            labels: snapshot.labels().iter().map(|label| label.index()).collect(),
            factors: (0..count).map(of_sample).collect(),
            images,
        }
    }

    /// Returns a weight of every class: each counts as one.
    pub(super) fn class_weights(&self) -> Vec<f64> {
        vec![1.0; self.labels.iter().max().map_or(0, |largest| largest + 1)]
    }

    /// Returns whether the images of the batch meet in a layer.
    pub(super) fn couples_images(&self) -> bool {
        self.layers.iter().any(|layer| matches!(layer, Layer::BatchNormalization { .. }))
    }

    /// Returns the value of an element.
    pub fn value(&self, place: Place, element: usize) -> f64 {
        match place {
            Place::Images => {
                let len = self.images[0].values.len();
                self.images[element / len].values[element % len]
            }
            Place::Weights { layer, part } => {
                let (kernel, bias) = self.layers[layer].weights().expect("it has weights");
                if part == Part::Kernel { kernel[element] } else { bias[element] }
            }
        }
    }
}

/// The gradient of the loss by all tensors.
#[derive(Clone, Debug)]
pub struct Gradient {
    /// Of each layer's weights.
    pub weights: Vec<LayerGradient>,
    /// Of each image.
    pub images: Vec<Image>,
}

impl Gradient {
    /// Returns the gradient of one tensor, in C order.
    pub fn of(&self, place: Place) -> Vec<f64> {
        match place {
            Place::Images => self.images.iter().flat_map(|image| image.values.iter().copied()).collect(),
            Place::Weights { layer, part: Part::Kernel } => self.weights[layer].kernel.clone(),
            Place::Weights { layer, part: Part::Bias } => self.weights[layer].bias.clone(),
        }
    }
}

/// Returns the largest absolute value; NaN where one is.
pub(super) fn largest(values: impl IntoIterator<Item = f64>) -> f64 {
    values
        .into_iter()
        .map(f64::abs)
        .fold(0.0, |largest, value| if value.is_nan() || value > largest { value } else { largest })
}
