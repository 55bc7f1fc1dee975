//! What is checked: a model, its weights, and a batch of images.

use crate::cli::args::GradcheckArgs;
use crate::cli::input::image_batch::{check_no_image, read_batch};
use crate::cli::input::model::{Origin, read_spec, refuse_several_labels, weights_file};
use crate::cli::machine::memory;
use glassnet::Result;
use glassnet::checkpoint;
use glassnet::classes::Label;
use glassnet::data::reading::Reading;
use glassnet::error::counted;
use glassnet::gradcheck::engine_step;
use glassnet::head::Targets;
use glassnet::kernels::conv::registry::ConvPolicy;
use glassnet::layers::LayerKind;
use glassnet::network::Network;
use glassnet::parameters::{Initialization, Parameters};
use glassnet::plan::DropoutMasks;
use glassnet::random::{Purpose, Stream};
use glassnet::snapshot::{Snapshot, StepBatch};
use glassnet::spec::ModelSpec;
use ndarray::Array4;

/// The most images of a batch: the textbook takes its time.
const MOST_IMAGES: usize = 16;
/// Images of noise, where none are given.
const DRAWN_IMAGES: usize = 2;
/// The same where the images of a batch meet in a batch normalization.
const DRAWN_TOGETHER: usize = 4;
/// How far from 0 initial biases are drawn.
const OFF_ZERO: f64 = 0.05;

/// What is checked.
pub struct Subject {
    /// The path of the model, or `documented`.
    pub model: String,
    /// `initial` or `trained`.
    pub weights: &'static str,
    pub network: Network,
    pub parameters: Parameters,
    /// The images' names.
    pub names: Vec<String>,
    images: Array4<f32>,
    labels: Vec<Label>,
    seed: u64,
}

impl Subject {
    /// Reads what is asked for.
    ///
    /// # Errors
    /// Those of models and images; [`Error::Setting`] of too many images, or of more than this process
    /// may hold.
    pub fn new(args: &GradcheckArgs) -> Result<Subject> {
        let (model, network, weights, reading) = match args.model.as_deref() {
            None => ("documented".to_string(), Network::new(&ModelSpec::documented())?, None, Reading::default()),
            Some(path) if path.extension().is_some_and(|extension| extension == "toml") => {
                let origin = Origin { file: Some(path), image_size: None };
                let spec = ModelSpec { frozen: Vec::new(), ..read_spec(path)? };
                (path.display().to_string(), origin.network(spec)?, None, Reading::default())
            }
            Some(path) => {
                check_no_image(path, "gradcheck MODEL IMAGE…")?;
                let model = checkpoint::load(&weights_file(path)?)?;
                // Every gradient is to be checked, also of what a run leaves as it is.
                let (network, parameters) = model.network.thawed(&model.parameters)?;
                (path.display().to_string(), network, Some(parameters), model.card.reading)
            }
        };
        if let Some(model) = &args.model {
            refuse_several_labels(&network, model, "gradcheck")?;
        }
        let (names, images) = images(args, &network, reading)?;
        check_memory(&network, names.len())?;
        let classes = network.head().classes();
        Ok(Subject {
            model,
            weights: if weights.is_some() { "trained" } else { "initial" },
            parameters: weights.unwrap_or_else(|| initial(&network, args.seed)),
            labels: (0..names.len()).map(|image| Label::new(image % classes)).collect(),
            network,
            names,
            images,
            seed: args.seed,
        })
    }

    /// The batch, with masks of dropout that are always the same.
    pub fn batch(&self) -> StepBatch<'_> {
        let masks = DropoutMasks::Drawn { seed: self.seed, step: 0 };
        StepBatch { images: self.images.view(), targets: Targets::new(&self.labels), masks }
    }

    /// A training step of the engine on it, layer by layer.
    pub fn step(&self, conv: ConvPolicy) -> Result<Snapshot> {
        engine_step(&self.network, &self.parameters, self.batch(), conv, false)
    }

    /// What is checked, in words.
    pub fn lines(&self) -> Vec<String> {
        let model = if self.model == "documented" { "The documented model" } else { &self.model };
        let images = match &self.names[..] {
            [first, ..] if first.starts_with("noise ") => format!("{} of noise", counted(self.names.len(), "image")),
            names => names.join(", "),
        };
        let dropout = self.network.layers().iter().any(|layer| matches!(layer.kind, LayerKind::Dropout(_)));
        let dropout = if dropout { "; dropout on, its masks fixed" } else { "" };
        let mut lines = vec![format!("{model} at {} weights, {images}, seed {}{dropout}", self.weights, self.seed)];
        if self.weights == "initial" {
            lines.push(format!(
                "Biases, which begin at 0, are drawn in ±{OFF_ZERO} here: over black pixels a ReLU would stand at exactly 0"
            ));
        }
        lines
    }
}

/// Initial weights, but that what begins at 0 does not: over an image's black parts every ReLU would
/// stand on its corner, where there is no derivative.
fn initial(network: &Network, seed: u64) -> Parameters {
    let mut parameters = network.initial_parameters(seed);
    for (id, entry) in network.table().entries().iter().enumerate() {
        if entry.is_trainable() && entry.initialization == Initialization::Zeros {
            let mut stream = Stream::new(seed, Purpose::Gradcheck, 1, id as u64);
            let values = parameters.tensor_mut(id);
            values.fill_with(|| stream.uniform_f64(-OFF_ZERO, OFF_ZERO) as f32);
        }
    }
    parameters
}

/// The images that are given, as the network sees them, or images of noise; and their names.
fn images(args: &GradcheckArgs, network: &Network, reading: Reading) -> Result<(Vec<String>, Array4<f32>)> {
    let size @ [height, width, channels] = network.spec().input;
    let together = network.layers().iter().any(|layer| matches!(layer.kind, LayerKind::BatchNormalization(_)));
    let (names, values): (Vec<String>, Vec<f32>) = match &args.images[..] {
        [] => {
            let count = if together { DRAWN_TOGETHER } else { DRAWN_IMAGES };
            let mut stream = Stream::new(args.seed, Purpose::Gradcheck, 2, 0);
            let values = (0..count * height * width * channels).map(|_| stream.unit_f32()).collect();
            ((1..=count).map(|number| format!("noise {number}")).collect(), values)
        }
        given => {
            let images = read_batch(given, size, reading, MOST_IMAGES)?;
            return Ok((given.iter().map(|path| path.display().to_string()).collect(), images));
        }
    };
    let shape = (names.len(), height, width, channels);
    Ok((names, Array4::from_shape_vec(shape, values).expect("each image has the network's size")))
}

/// Refuses what the textbook could not hold: all values in f64 a few times, those of a change for each
/// thread.
fn check_memory(network: &Network, count: usize) -> Result<()> {
    let values = network.layers().iter().map(|layer| layer.output.len()).fold(0usize, usize::saturating_add);
    let values = values.saturating_mul(count);
    let threads = rayon::current_num_threads();
    let copies = values.saturating_mul(4 + threads).saturating_add(network.table().parameter_count().saturating_mul(6));
    memory::check_arrays("gradcheck".into(), copies.saturating_mul(size_of::<f64>()))
}
