//! The loss at a point and near it. What a change does not reach is not computed again.

use super::conv::layer_forward_quickly;
use super::kinks::{Crossing, Decisions, decisions, forward_as_before, is_tie};
use super::problem::{Gradient, Part, Place, Problem};
use crate::reference::{
    ConvShape, Image, Layer, LayerGradient, Loss, layer_backward, layer_factors, layer_forward, mean_loss, no_gradient,
};

/// A problem with all that its forward pass computes.
pub struct Base<'p> {
    pub(super) problem: &'p Problem,
    /// What goes into each layer, and last the network's output: of each image.
    pub(super) activations: Vec<Vec<Image>>,
    /// What decides the way through each layer: of each image.
    pub(super) decisions: Vec<Vec<Decisions>>,
    /// The loss, and where its backward pass begins.
    pub loss: Loss,
}

/// The backward pass of a layer with this number: as
/// [`layer_backward`], whose arguments follow.
pub(super) type Backward<'a> =
    &'a (dyn Fn(usize, &Layer, &[Image], &[Image], &[Option<&Vec<f64>>], &mut LayerGradient) -> Vec<Image> + Sync);

impl<'p> Base<'p> {
    /// Runs the batch forward.
    pub fn new(problem: &'p Problem) -> Base<'p> {
        let mut activations = vec![problem.images.clone()];
        for (index, layer) in problem.layers.iter().enumerate() {
            let factors = layer_factors(&problem.layers, index, &problem.factors);
            activations.push(layer_forward(layer, &activations[index], &factors));
        }
        let layers = problem.layers.iter().zip(&activations);
        let decisions =
            layers.map(|(layer, inputs)| inputs.iter().map(|input| decisions(layer, input)).collect()).collect();
        let loss = mean_loss(&activations[problem.layers.len()], &problem.labels, &problem.class_weights(), 0.0);
        Base { problem, activations, decisions, loss }
    }

    /// Returns the problem.
    pub fn problem(&self) -> &'p Problem {
        self.problem
    }

    /// Returns the gradient as the textbook computes it.
    pub fn gradient(&self) -> Gradient {
        self.gradient_by(&self.loss, &|_, layer, inputs, grads, factors, gradient| {
            layer_backward(layer, inputs, grads, factors, gradient)
        })
    }

    /// Returns the gradient by this backward pass of each layer, from this loss on.
    pub(super) fn gradient_by(&self, loss: &Loss, backward: Backward) -> Gradient {
        let layers = &self.problem.layers;
        let mut weights: Vec<LayerGradient> = layers.iter().map(no_gradient).collect();
        let mut grads = loss.grad_outputs.clone();
        for (index, layer) in layers.iter().enumerate().rev() {
            let factors = layer_factors(layers, index, &self.problem.factors);
            grads = backward(index, layer, &self.activations[index], &grads, &factors, &mut weights[index]);
        }
        Gradient { weights, images: grads }
    }

    /// Returns the loss where one element has another value, if no corner lies between.
    ///
    /// # Errors
    /// The first corner that does.
    pub fn loss_at(&self, place: Place, element: usize, value: f64) -> Result<f64, Crossing> {
        let (samples, mut values, first) = self.changed(place, element, value);
        for index in first..self.problem.layers.len() {
            let layer = &self.problem.layers[index];
            values = match &self.decisions[index][samples[0]] {
                Decisions::None => self.forward(index, &samples, &values),
                _ => {
                    let each = samples.iter().zip(&values);
                    let forward = each.map(|(&sample, input)| {
                        forward_as_before(layer, input, &self.decisions[index][sample]).map_err(|(kind, place)| {
                            let tie = is_tie(layer, &self.activations[index][sample], place);
                            Crossing { layer: index, kind, tie }
                        })
                    });
                    forward.collect::<Result<_, _>>()?
                }
            };
        }
        Ok(self.loss_of(&samples, values))
    }

    /// Returns the loss where one element has another value, whatever lies between.
    pub fn loss_beyond(&self, place: Place, element: usize, value: f64) -> f64 {
        let (samples, mut values, first) = self.changed(place, element, value);
        for index in first..self.problem.layers.len() {
            values = self.forward(index, &samples, &values);
        }
        self.loss_of(&samples, values)
    }

    fn forward(&self, index: usize, samples: &[usize], values: &[Image]) -> Vec<Image> {
        let factors = layer_factors(&self.problem.layers, index, &self.problem.factors);
        let factors: Vec<_> = samples.iter().map(|&sample| factors[sample]).collect();
        layer_forward_quickly(&self.problem.layers[index], values, &factors)
    }

    /// Returns the loss where these images have these outputs, and the others those that they have.
    fn loss_of(&self, samples: &[usize], values: Vec<Image>) -> f64 {
        let mut outputs = self.activations[self.problem.layers.len()].clone();
        for (&sample, value) in samples.iter().zip(values) {
            outputs[sample] = value;
        }
        mean_loss(&outputs, &self.problem.labels, &self.problem.class_weights(), 0.0).loss
    }

    /// Returns the images that a change reaches, what goes into the first layer that it reaches as a
    /// whole, and that layer's number.
    fn changed(&self, place: Place, element: usize, value: f64) -> (Vec<usize>, Vec<Image>, usize) {
        let all: Vec<usize> = (0..self.problem.images.len()).collect();
        match place {
            Place::Images => {
                let len = self.problem.images[0].values.len();
                let sample = element / len;
                let samples = if self.problem.couples_images() { all } else { vec![sample] };
                let mut values: Vec<Image> =
                    samples.iter().map(|&sample| self.problem.images[sample].clone()).collect();
                let place = samples.iter().position(|&other| other == sample).expect("it is one of the images");
                values[place].values[element % len] = value;
                (samples, values, 0)
            }
            Place::Weights { layer, part } => (all, self.changed_output(layer, part, element, value), layer + 1),
        }
    }

    /// Returns a layer's output where one of its weights has another value. A weight of a convolution or
    /// a dense layer moves one channel, which is computed as the only one of a smaller layer: the sums
    /// have the same terms in the same order, and so the same bits.
    fn changed_output(&self, index: usize, part: Part, element: usize, value: f64) -> Vec<Image> {
        let (layer, inputs) = (&self.problem.layers[index], &self.activations[index]);
        let column = |kernel: &[f64], columns: usize, column: usize| -> Vec<f64> {
            kernel.iter().skip(column).step_by(columns).copied().collect()
        };
        let (channel, channels, mut alone) = match layer {
            Layer::Conv2d { shape, kernel, bias } => {
                let (channel, filters) = (element % shape.filters, shape.filters);
                let (kernel, bias) = (column(kernel, filters, channel), vec![bias[channel]]);
                let shape = ConvShape { filters: 1, ..shape.clone() };
                (channel, filters, Layer::Conv2d { shape, kernel, bias })
            }
            Layer::Dense { kernel, bias } => {
                let (channel, units) = (element % bias.len(), bias.len());
                let (kernel, bias) = (column(kernel, units, channel), vec![bias[channel]]);
                (channel, units, Layer::Dense { kernel, bias })
            }
            _ => {
                let mut changed = layer.clone();
                set(&mut changed, part, element, value);
                let factors = layer_factors(&self.problem.layers, index, &self.problem.factors);
                return layer_forward(&changed, inputs, &factors);
            }
        };
        set(&mut alone, part, element / channels, value);
        let of_channel = layer_forward(&alone, inputs, &vec![None; inputs.len()]);
        let mut outputs = self.activations[index + 1].clone();
        for (output, of_channel) in outputs.iter_mut().zip(of_channel) {
            let cells = output.values.iter_mut().skip(channel).step_by(channels);
            cells.zip(of_channel.values).for_each(|(cell, value)| *cell = value);
        }
        outputs
    }
}

fn set(layer: &mut Layer, part: Part, element: usize, value: f64) {
    let (kernel, bias) = layer.weights_mut().expect("it has weights");
    match part {
        Part::Kernel => kernel[element] = value,
        Part::Bias => bias[element] = value,
    }
}
