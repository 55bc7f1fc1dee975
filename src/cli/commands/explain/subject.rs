//! What is explained: a model, where its optimizer stands, and a batch of images with their classes.

use crate::cli::args::ExplainArgs;
use crate::cli::input::image_batch::{check_no_image, read_batch};
use crate::cli::input::model::{Origin, read_spec, refuse_several_labels, weights_file};
use crate::cli::machine::memory;
use crate::cli::run_folder::RunFolder;
use crate::cli::terminal::console;
use glassnet::checkpoint::{self, run::SavedRun};
use glassnet::classes::{Classes, Label};
use glassnet::data::reading::Reading;
use glassnet::error::{and, counted, shortened};
use glassnet::explain::{Focus, Moment};
use glassnet::head::{ClassWeights, Targets};
use glassnet::network::Network;
use glassnet::optim::{Optimizer, OptimizerSettings};
use glassnet::parameters::Parameters;
use glassnet::plan::{DropoutMasks, Plan, PlanOptions, predict};
use glassnet::snapshot::{Snapshot, StepBatch};
use glassnet::training::{LearningRates, TrainSettings, TrainingState};
use glassnet::{Error, Result};
use ndarray::Array4;
use std::path::Path;

/// The most images of a batch.
const MOST_IMAGES: usize = 64;

/// What is explained.
pub struct Subject {
    /// The path of the model.
    pub model: String,
    /// The weights in words, as a sentence begins with them.
    pub weights: String,
    pub network: Network,
    pub parameters: Parameters,
    pub classes: Vec<String>,
    /// The images' names, and how their class is known.
    pub names: Vec<String>,
    pub labels: Vec<Label>,
    /// What the model takes each image for: of two classes P(the second one), of more of each class.
    pub predictions: Vec<Vec<f32>>,
    /// The number of images whose class is the model's own answer.
    pub guessed: usize,
    pub images: Array4<f32>,
    optimizer: Optimizer,
    seed: u64,
}

/// A model as it was found.
struct Model {
    weights: String,
    network: Network,
    parameters: Parameters,
    classes: Option<Classes>,
    reading: Reading,
    optimizer: Optimizer,
}

impl Subject {
    /// Reads what is asked for.
    ///
    /// # Errors
    /// Those of models and images; [`Error::Setting`] of a class that the model does not know, of too many
    /// images, or of more than this process may hold.
    pub fn new(args: &ExplainArgs) -> Result<Subject> {
        let Model { weights, network, parameters, classes, reading, optimizer } = model(args)?;
        refuse_several_labels(&network, &args.model, "explain")?;
        let count = network.head().classes();
        let classes: Vec<String> = match &classes {
            Some(classes) => classes.names().map(str::to_string).collect(),
            None => (0..count).map(|class| format!("class-{class}")).collect(),
        };
        let images = read_batch(&args.images, network.spec().input, reading, MOST_IMAGES)?;
        check_memory(&network, args.images.len())?;
        let answers = predict(&network, &parameters, images.view())?;
        let predictions: Vec<Vec<f32>> = answers.chunks(network.head().units()).map(<[f32]>::to_vec).collect();
        let given = args.label.as_deref().map(|name| label(&classes, name)).transpose()?;
        let (mut labels, mut guessed) = (Vec::new(), 0);
        for (path, prediction) in args.images.iter().zip(&predictions) {
            labels.push(match given.or_else(|| label_of_folder(&classes, path)) {
                Some(label) => label,
                None => {
                    guessed += 1;
                    network.head().decision(prediction.iter().copied(), 0.5)
                }
            });
        }
        if guessed > 0 {
            let reason = format!(
                "{} in no folder with the name of a class, so the model's own answer is taken for the truth; give it by --label",
                if guessed == 1 { "an image is".to_string() } else { format!("{guessed} images are") }
            );
            console::warn(&reason);
        }
        Ok(Subject {
            model: args.model.display().to_string(),
            weights,
            network,
            parameters,
            classes,
            names: args.images.iter().map(|path| path.display().to_string()).collect(),
            labels,
            predictions,
            guessed,
            images,
            optimizer,
            seed: args.seed,
        })
    }

    /// Takes the step, layer by layer, and returns it with the optimizer's settings.
    ///
    /// # Errors
    /// As [`Snapshot::take`].
    pub fn step(&mut self) -> Result<(Snapshot, OptimizerSettings)> {
        let mut parameters = self.parameters.clone();
        let options = PlanOptions { fuse: false, training: true, input_gradient: true, ..PlanOptions::default() };
        let plan = Plan::new(&self.network, self.names.len(), options);
        let masks = DropoutMasks::Drawn { seed: self.seed, step: self.optimizer.steps() };
        let batch = StepBatch { images: self.images.view(), targets: Targets::new(&self.labels), masks };
        let snapshot = Snapshot::take(&plan, &mut parameters, &mut self.optimizer, batch)?;
        if !snapshot.loss().is_finite() {
            let reason = format!(
                "the loss of its step is {}, which nothing can explain; its weights are no use",
                snapshot.loss()
            );
            return Err(Error::setting(&self.model, reason));
        }
        Ok((snapshot, *self.optimizer.settings()))
    }

    /// Returns the step with all that is needed to speak of it.
    ///
    /// # Errors
    /// As [`Moment::new`].
    pub fn moment<'a>(&'a self, snapshot: &'a Snapshot, optimizer: OptimizerSettings) -> Result<Moment<'a>> {
        let names = [self.names.clone(), self.classes.clone()];
        Moment::new(&self.network, snapshot, optimizer, names, (ClassWeights::NONE, 0.0))
    }

    /// Returns the class that an image is taken for, and how probable it is.
    pub fn answer(&self, image: usize) -> (Label, f64) {
        let probabilities = &self.predictions[image];
        let head = self.network.head();
        let label = head.decision(probabilities.iter().copied(), 0.5);
        let probability = match head.units() {
            1 if label.index() == 0 => 1.0 - f64::from(probabilities[0]),
            1 => f64::from(probabilities[0]),
            _ => f64::from(probabilities[label.index()]),
        };
        (label, probability)
    }

    /// What is explained, a name and a sentence each.
    pub fn facts(&self, moment: &Moment, focus: &Focus) -> Vec<(&'static str, String)> {
        let facts = moment.snapshot.facts();
        let (answer, probability) = self.answer(focus.image);
        let label = &self.classes[self.labels[focus.image].index()];
        vec![
            ("model", format!("{}: {}", self.model, self.weights)),
            (
                "batch",
                format!("{}, the first in focus: {}", counted(self.names.len(), "image"), self.names[focus.image]),
            ),
            (
                "it is",
                format!(
                    "{label}{}",
                    if self.guessed > 0 { " (taken from the model's answer where no folder tells)" } else { "" }
                ),
            ),
            ("predicted", format!("{}, p = {probability:.4}, without dropout", self.classes[answer.index()])),
            (
                "step",
                format!(
                    "the {} of this optimizer, learning rate {}",
                    ordinal(facts.step),
                    moment.snapshot.learning_rate()
                ),
            ),
            ("computed by", format!("glassnet {}, {} instructions", facts.version, facts.instruction_set)),
        ]
    }
}

fn ordinal(number: u64) -> String {
    let ending = match (number % 10, number % 100) {
        (1, rest) if rest != 11 => "st",
        (2, rest) if rest != 12 => "nd",
        (3, rest) if rest != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

fn model(args: &ExplainArgs) -> Result<Model> {
    let path = args.model.as_path();
    check_no_image(path, "explain MODEL IMAGE…")?;
    if path.extension().is_some_and(|extension| extension == "toml") {
        let network = Origin { file: Some(path), image_size: None }.network(read_spec(path)?)?;
        return Ok(Model {
            weights: "initial weights".into(),
            parameters: network.initial_parameters(args.seed),
            optimizer: new_optimizer(&network),
            network,
            classes: None,
            reading: Reading::default(),
        });
    }
    let last = path.join("weights").join("last.safetensors");
    let file = if RunFolder::has_begun(path) && last.is_file() { last } else { weights_file(path)? };
    let model = checkpoint::load(&file)?;
    let (weights, optimizer) = match SavedRun::open(&file) {
        Ok(run) => {
            let settings = TrainSettings::of_steps(&run.config).unwrap_or_default();
            let TrainingState { mut optimizer, history, .. } = run.state(&model.network, settings.optimizer()?)?;
            let rates = LearningRates::new(&settings, &history)?;
            optimizer.set_learning_rate(rates.of_step(optimizer.steps(), history.len()));
            (format!("after {}", counted(optimizer.steps() as usize, "step")), optimizer)
        }
        // Weights alone: their optimizer begins.
        Err(_) => {
            let weights = "weights without an optimizer, whose first step this is".to_string();
            (weights, new_optimizer(&model.network))
        }
    };
    Ok(Model {
        weights,
        network: model.network,
        parameters: model.parameters,
        classes: Some(model.card.classes),
        reading: model.card.reading,
        optimizer,
    })
}

/// An optimizer that has taken no step.
fn new_optimizer(network: &Network) -> Optimizer {
    Optimizer::new(network.table(), OptimizerSettings::default())
}

fn label(classes: &[String], name: &str) -> Result<Label> {
    classes.iter().position(|class| class == name).map(Label::new).ok_or_else(|| {
        let known: Vec<String> = classes.iter().map(|class| format!("'{}'", shortened(class))).collect();
        let reason = format!(
            "the model knows no class '{}'; it knows {}",
            shortened(name),
            and(known.iter().map(String::as_str))
        );
        Error::setting("--label", reason)
    })
}

fn label_of_folder(classes: &[String], path: &Path) -> Option<Label> {
    let full = path.canonicalize().ok()?;
    let folder = full.parent()?.file_name()?.to_str()?;
    classes.iter().position(|class| class == folder).map(Label::new)
}

/// Refuses what could not be held: all values and gradients, a few times; the weights, in `f32` and `f64`.
fn check_memory(network: &Network, count: usize) -> Result<()> {
    let values = network.layers().iter().map(|layer| layer.output.len()).fold(0usize, usize::saturating_add);
    let floats = values.saturating_mul(count).saturating_mul(5);
    let floats = floats.saturating_add(network.table().parameter_count().saturating_mul(20));
    memory::check_arrays("explain".into(), floats.saturating_mul(size_of::<f32>()))
}
