//! A snapshot and what it is of.

use super::window::Window;
use crate::Result;
use crate::head::{ClassWeights, Head, Logits, Targets};
use crate::layers::{Layer, LayerKind};
use crate::network::Network;
use crate::optim::OptimizerSettings;
use crate::parameters::Parameters;
use crate::plan::{DropoutMasks, Mode, Plan, PlanOptions};
use crate::reference;
use crate::snapshot::Snapshot;
use ndarray::ArrayView4;

/// A training step that was taken layer by layer, and what is needed to speak of it.
pub struct Moment<'a> {
    /// The network.
    pub network: &'a Network,
    /// All that the step was.
    pub snapshot: &'a Snapshot,
    /// The optimizer that took it, but for its learning rate: the snapshot has that of the step.
    pub optimizer: OptimizerSettings,
    /// The name of each image.
    pub names: Vec<String>,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// The weight of each class in the loss.
    pub class_weights: ClassWeights,
    /// The smoothing of the labels.
    pub label_smoothing: f64,
    /// The loss of the same batch, under the same masks of dropout, with the weights after the step.
    pub loss_after: f64,
    /// The layers of the textbook, with the weights before the step.
    pub(super) twin: Vec<reference::Layer>,
}

impl<'a> Moment<'a> {
    /// Makes a moment of a snapshot whose plan was [not fused](PlanOptions::fuse) and computed ∂L/∂images;
    /// the loss after the step is computed here.
    ///
    /// # Errors
    /// As [`Plan::forward`].
    ///
    /// # Panics
    /// If the snapshot is of another network, or there is not a name for each image and each class.
    pub fn new(
        network: &'a Network,
        snapshot: &'a Snapshot,
        optimizer: OptimizerSettings,
        [names, classes]: [Vec<String>; 2],
        (class_weights, label_smoothing): (ClassWeights, f64),
    ) -> Result<Moment<'a>> {
        let labels = snapshot.labels();
        let targets = Targets { weights: &class_weights, smoothing: label_smoothing, ..Targets::new(&labels) };
        let loss_after = loss(network, snapshot, &parameters(network, snapshot, "after"), targets)?;
        let losses = (class_weights, label_smoothing);
        Ok(Moment::with_loss_after(network, snapshot, optimizer, [names, classes], losses, loss_after))
    }

    /// [`Moment::new`] for those who know the loss after the step already.
    ///
    /// # Panics
    /// As [`Moment::new`].
    pub fn with_loss_after(
        network: &'a Network,
        snapshot: &'a Snapshot,
        optimizer: OptimizerSettings,
        [names, classes]: [Vec<String>; 2],
        (class_weights, label_smoothing): (ClassWeights, f64),
        loss_after: f64,
    ) -> Moment<'a> {
        let count = snapshot.labels().len();
        assert_eq!((names.len(), classes.len()), (count, network.head().classes()), "a name for each");
        let twin = network.twin(&parameters(network, snapshot, "before"));
        Moment { network, snapshot, optimizer, names, classes, class_weights, label_smoothing, loss_after, twin }
    }

    /// Returns N, the number of images.
    pub fn count(&self) -> usize {
        self.names.len()
    }

    /// Returns the layers.
    pub fn layers(&self) -> &'a [Layer] {
        self.network.layers()
    }

    /// Returns what the logits mean.
    pub fn head(&self) -> Head {
        self.network.head()
    }

    /// Returns the logits `[U]` of an image, in training: with dropout.
    pub fn logits(&self, image: usize) -> &'a [f32] {
        self.output(self.layers().len() - 1, image)
    }

    /// Returns the loss of one image, times the weight of its class: L is the mean of these.
    pub fn loss_of(&self, image: usize) -> f64 {
        let label = [self.snapshot.labels()[image]];
        let targets = Targets { weights: &self.class_weights, smoothing: self.label_smoothing, ..Targets::new(&label) };
        self.head().loss(Logits::new(self.logits(image), self.head().units()), targets)
    }

    /// Returns what went into a layer, of one image.
    pub fn input(&self, layer: usize, image: usize) -> &'a [f32] {
        match layer {
            0 => self.part(self.snapshot.images(), image),
            _ => self.output(layer - 1, image),
        }
    }

    /// Returns what came out of a layer, of one image.
    pub fn output(&self, layer: usize, image: usize) -> &'a [f32] {
        self.part(self.snapshot.output(&self.layers()[layer].name).expect("an unfused step keeps it"), image)
    }

    /// Returns ∂L/∂output of a layer, of one image.
    pub fn grad_output(&self, layer: usize, image: usize) -> &'a [f32] {
        self.part(self.snapshot.grad_output(&self.layers()[layer].name).expect("an unfused step keeps it"), image)
    }

    /// Returns ∂L/∂input of a layer, of one image.
    pub fn grad_input(&self, layer: usize, image: usize) -> &'a [f32] {
        match layer {
            0 => self.part(self.snapshot.grad_images().expect("the plan computed it"), image),
            _ => self.grad_output(layer - 1, image),
        }
    }

    /// Returns the floats that image `image` has in a tensor `[N, …]`.
    pub(super) fn part(&self, values: &'a [f32], image: usize) -> &'a [f32] {
        let len = values.len() / self.count();
        &values[image * len..][..len]
    }

    /// Returns the kernel or window of a layer, if it has one.
    pub(super) fn window(&self, layer: usize) -> Option<Window> {
        let [height, width, _] = self.layers()[layer].input.sizes();
        Window::of(&self.twin[layer], [height, width])
    }
}

/// The weights of a snapshot, before the step or after it.
fn parameters(network: &Network, snapshot: &Snapshot, when: &str) -> Parameters {
    let mut parameters = Parameters::zeros(network.table());
    for (id, entry) in network.table().entries().iter().enumerate() {
        let values = snapshot.floats(&format!("{when}/{}", entry.name)).expect("a snapshot has all weights");
        parameters.tensor_mut(id).copy_from_slice(values);
    }
    parameters
}

/// The loss of the snapshot's batch under its masks, with these weights.
fn loss(network: &Network, snapshot: &Snapshot, parameters: &Parameters, targets: Targets) -> Result<f64> {
    let [height, width, channels] = network.spec().input;
    let count = targets.labels.len();
    let images = ArrayView4::from_shape((count, height, width, channels), snapshot.images()).expect("whole images");
    let dropouts = network.layers().iter().filter(|layer| matches!(layer.kind, LayerKind::Dropout(_)));
    let kept = |factor: &f32| if *factor == 0.0 { 0.0 } else { 1.0 };
    let masks: Vec<Vec<f32>> = dropouts
        .map(|layer| snapshot.factors(&layer.name).expect("a training step keeps them").iter().map(kept).collect())
        .collect();
    let masks: Vec<&[f32]> = masks.iter().map(Vec::as_slice).collect();
    let options = PlanOptions { training: true, ..PlanOptions::default() };
    let plan = Plan::new(network, count, options);
    let mut workspace = plan.workspace();
    let mode = Mode::Training(DropoutMasks::Given(&masks));
    let logits = plan.forward(parameters, images, mode, &mut workspace)?;
    Ok(network.head().loss(logits, targets))
}
