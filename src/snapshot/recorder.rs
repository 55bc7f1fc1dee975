//! The observer that fills a snapshot: it keeps all that a plan's passes tell.

use super::layout::batch_shape;
use super::tensor::{SnapshotTensor, Values};
use crate::geometry::Shape;
use crate::kernels::relu_pool::DEAD;
use crate::layers::Layer;
use crate::layers::saved::Saved;
use crate::network::Network;
use crate::plan::observer::{Observer, StepGradient, StepOutput};

/// Keeps what it is told of a batch of `count` images.
pub(super) struct Recorder<'n> {
    network: &'n Network,
    count: usize,
    pub tensors: Vec<SnapshotTensor>,
}

impl<'n> Recorder<'n> {
    pub fn new(network: &'n Network, count: usize) -> Recorder<'n> {
        Recorder { network, count, tensors: Vec::new() }
    }

    /// Keeps floats of the shape of a layer's output, under its name.
    pub fn keep(&mut self, what: &str, layer: &Layer, values: &[f32]) {
        let shape = batch_shape(self.count, layer.output);
        self.keep_values(format!("{what}/{}", layer.name), shape, Values::F32(values.to_vec()));
    }

    fn keep_values(&mut self, name: String, shape: Vec<usize>, values: Values) {
        self.tensors.push(SnapshotTensor { name, shape, values });
    }

    /// The layers that a step covers: those that only rename what reaches it, and the last one, whose output
    /// is the step's.
    fn layers_of(&self, step: &StepOutput) -> (&'n [Layer], &'n Layer) {
        let layers = &self.network.layers()[step.step.layers.clone()];
        let views = layers.iter().take_while(|layer| layer.kind.is_view()).count();
        (&layers[..views], &layers[layers.len() - 1])
    }
}

impl Observer for Recorder<'_> {
    fn output(&mut self, step: StepOutput) {
        let (views, last) = self.layers_of(&step);
        views.iter().for_each(|view| self.keep("output", view, step.input));
        self.keep("output", last, step.output);
        let len = step.output.len();
        let shape = batch_shape(self.count, last.output);
        match step.saved {
            // Columns are the input, cut for other ranks.
            Saved::Nothing | Saved::Columns(_) => {}
            Saved::Argmax(argmax) => {
                self.keep_values(format!("argmax/{}", last.name), shape, Values::U16(argmax[..len].to_vec()));
            }
            // Where ReLU cut all cells of a window off, all are 0, and the first of equals is the maximum.
            Saved::BlockArgmax(argmax) => {
                let cells = argmax[..len].iter().map(|&cell| if cell == DEAD { 0 } else { u16::from(cell) });
                self.keep_values(format!("argmax/{}", last.name), shape, Values::U16(cells.collect()));
            }
            Saved::Factors(factors) => self.keep("factors", last, &factors[..len]),
            Saved::Moments(moments) => {
                let [_, _, channels] = last.output.sizes();
                let name = format!("moments/{}", last.name);
                self.keep_values(name, vec![2, channels], Values::F32(moments[..2 * channels].to_vec()));
            }
        }
    }

    fn gradient(&mut self, step: StepGradient) {
        let (views, last) = self.layers_of(&step.forward);
        self.keep("grad_output", last, step.grad_output);
        if let Some(grad_input) = step.grad_input {
            views.iter().for_each(|view| self.keep("grad_output", view, grad_input));
            if step.forward.index == 0 {
                let shape = batch_shape(self.count, Shape::Image(self.network.spec().input));
                self.keep_values("grad_images".into(), shape, Values::F32(grad_input.to_vec()));
            }
        }
    }
}
