//! Where in the image the answer comes from: two maps, by two methods.
//!
//! **Grad-CAM** weighs the last feature maps by how much the answer rises with each, on average, and adds
//! them up; what is below 0 speaks for other answers and is cut off: max(0, Σ αₖ Aₖ), αₖ = mean of ∂z/∂Aₖ
//! (R. R. Selvaraju et al., *Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
//! Localization*, 2017, equations 1 and 2). **Occlusion** covers one square of the image after the other and
//! asks how far the probability falls (M. D. Zeiler and R. Fergus, *Visualizing and Understanding
//! Convolutional Networks*, 2014, section 4.2).
//!
//! Both are of a prediction: dropout is off, and a batch normalization is folded into the weights before it.

use crate::Result;
use crate::classes::Label;
use crate::network::Network;
use crate::parameters::Parameters;
use crate::plan::{Mode, Plan, PlanOptions};
use crate::reference::{Image, Layer, forward, layer_backward, no_gradient};
use ndarray::{Array4, ArrayView3};

/// The side of an occluding square, as a part of the image's.
pub const OCCLUDED_SHARE: usize = 8;
/// Squares to one side of a square: they overlap by half.
const STEPS_PER_SQUARE: usize = 2;
/// Images that go through the network at once.
const BATCH: usize = 16;

/// A map over the image.
#[derive(Clone, Debug, PartialEq)]
pub struct Attention {
    /// Height and width of the map.
    pub size: [usize; 2],
    /// Its values, row by row.
    pub values: Vec<f64>,
}

impl Attention {
    /// Returns the largest absolute value.
    pub fn largest(&self) -> f64 {
        self.values.iter().map(|value| value.abs()).fold(0.0, f64::max)
    }
}

/// Returns Grad-CAM's map of an image `[H, W, C]` for a class, of the feature maps of the last convolution
/// and what follows it value by value; and the name of that layer. None of networks without a convolution.
///
/// # Errors
/// As [`Network::folded`].
pub fn grad_cam(
    network: &Network,
    parameters: &Parameters,
    image: &[f32],
    class: Label,
) -> Result<Option<(String, Attention)>> {
    let folded = network.folded(parameters)?;
    let (network, parameters) =
        folded.as_ref().map_or((network, parameters), |(network, parameters)| (network, parameters));
    let layers = network.twin(parameters);
    let is_convolution = |layer: &Layer| matches!(layer, Layer::Conv2d { .. } | Layer::DepthwiseConv2d { .. });
    let Some(convolution) = layers.iter().rposition(is_convolution) else { return Ok(None) };
    let keeps_places = |layer: &&Layer| matches!(layer, Layer::Relu | Layer::LeakyRelu { .. });
    let last = convolution + layers[convolution + 1..].iter().take_while(keeps_places).count();

    let [height, width, channels] = network.spec().input;
    let values = image.iter().map(|&x| f64::from(x)).collect();
    let activations = forward(&layers, &Image { height, width, channels, values }, &[]);
    let units = network.head().units();
    // ∂z/∂z: the class's own logit; of two classes and one unit z for the second, −z for the first.
    let slope = |unit: usize| match units {
        1 => {
            if class.index() == 1 {
                1.0
            } else {
                -1.0
            }
        }
        _ => f64::from(u8::from(unit == class.index())),
    };
    let mut gradient = Image { height: 1, width: 1, channels: units, values: (0..units).map(slope).collect() };
    for index in (last + 1..layers.len()).rev() {
        let layer = &layers[index];
        gradient = match layer {
            // A prediction drops nothing.
            Layer::Dropout => gradient,
            _ => {
                let inputs = std::slice::from_ref(&activations[index]);
                let grads = layer_backward(layer, inputs, &[gradient], &[None], &mut no_gradient(layer));
                grads.into_iter().next().expect("a gradient for the one image")
            }
        };
    }
    let [height, width, channels] = network.layers()[last].output.sizes();
    let alpha: Vec<f64> = (0..channels)
        .map(|channel| gradient.values.iter().skip(channel).step_by(channels).sum::<f64>() / (height * width) as f64)
        .collect();
    let maps = activations[last + 1].values.chunks_exact(channels);
    let values = maps.map(|pixel| pixel.iter().zip(&alpha).map(|(a, alpha)| a * alpha).sum::<f64>().max(0.0)).collect();
    Ok(Some((network.layers()[last].name.clone(), Attention { size: [height, width], values })))
}

/// Returns how far the probability of a class falls where a square of the image `[H, W, C]`, at this place of
/// the map, is painted over with the image's mean colour. Above 0, what was there spoke for the class.
///
/// # Errors
/// As [`Network::folded`] and [`Plan::forward`].
pub fn occlusion(network: &Network, parameters: &Parameters, image: &[f32], class: Label) -> Result<Attention> {
    let folded = network.folded(parameters)?;
    let (network, parameters) =
        folded.as_ref().map_or((network, parameters), |(network, parameters)| (network, parameters));
    let size @ [height, width, channels] = network.spec().input;
    let image = ArrayView3::from_shape(size, image).expect("an image of the network");
    let side = [height, width].map(|length| length.div_ceil(OCCLUDED_SHARE));
    let step = side.map(|side| side.div_ceil(STEPS_PER_SQUARE));
    // The last square may stand closer to the one before: it ends with the image.
    let starts = |axis: usize| {
        let last = [height, width][axis] - side[axis];
        (0..last).step_by(step[axis]).chain([last]).collect::<Vec<usize>>()
    };
    let (rows, columns) = (starts(0), starts(1));
    let mean: Vec<f32> = (0..channels)
        .map(|channel| {
            (image.iter().skip(channel).step_by(channels).map(|&x| f64::from(x)).sum::<f64>() / (height * width) as f64)
                as f32
        })
        .collect();
    let squares: Vec<[usize; 2]> = rows.iter().flat_map(|&y| columns.iter().map(move |&x| [y, x])).collect();

    let plan = Plan::new(network, BATCH, PlanOptions::default());
    let mut workspace = plan.workspace();
    let mut probabilities = |images: &Array4<f32>| -> Result<Vec<f64>> {
        let logits = plan.forward(parameters, images.view(), Mode::Inference, &mut workspace)?;
        let head = network.head();
        let of_class = |row: &[f32]| {
            let probabilities: Vec<f32> = head.probabilities(row).collect();
            match head.units() {
                1 if class.index() == 0 => 1.0 - f64::from(probabilities[0]),
                1 => f64::from(probabilities[0]),
                _ => f64::from(probabilities[class.index()]),
            }
        };
        Ok(logits.rows().map(of_class).collect())
    };
    let whole = probabilities(&image.to_owned().insert_axis(ndarray::Axis(0)))?[0];
    let mut values = Vec::with_capacity(squares.len());
    for squares in squares.chunks(BATCH) {
        let mut images = Array4::zeros((squares.len(), height, width, channels));
        for (mut occluded, &[top, left]) in images.outer_iter_mut().zip(squares) {
            occluded.assign(&image);
            for (channel, mean) in mean.iter().enumerate() {
                occluded.slice_mut(ndarray::s![top..top + side[0], left..left + side[1], channel]).fill(*mean);
            }
        }
        values.extend(probabilities(&images)?.into_iter().map(|probability| whole - probability));
    }
    Ok(Attention { size: [rows.len(), columns.len()], values })
}
