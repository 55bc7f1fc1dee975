//! Every setting of a run, resolved from its flags: what a run goes by, and what `config.toml` holds of it.

use crate::cli::args::{ImageSize, LabelsArgs, ReadingArgs, RunArgs, TrainArgs};
use glassnet::checkpoint;
use glassnet::data::reading::{BitDepth, Reading};
use glassnet::network::Network;
use glassnet::parameters::Parameters;
use glassnet::plan::PlanOptions;
use glassnet::training::{TrainSettings, keras_run};
use serde::{Serialize, Serializer};
use std::fmt;
use std::path::PathBuf;

/// The settings of a run, each under its flag's name.
#[derive(Clone, Debug, Serialize)]
pub struct RunSettings {
    /// The settings of the training itself.
    #[serde(flatten)]
    pub training: TrainSettings,
    /// Images in a step.
    pub batch_size: usize,
    /// Height and width of the images in pixels.
    pub image_size: ImageSize,
    /// The channels of the images: the model's, so that it is written there alone.
    #[serde(skip)]
    pub channels: usize,
    /// The share of each class that validates, where a share does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_split: Option<f64>,
    /// The number of folds of a cross-validation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folds: Option<usize>,
    /// The one of these folds that is trained, where not all are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_fold: Option<usize>,
    /// The fold that this run is, in a cross-validation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
    /// The pattern that finds the group in a file's path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_regex: Option<String>,
    /// The table of labels, and its columns.
    #[serde(flatten)]
    pub labels: LabelsArgs,
    /// The file that the first weights are from.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub init_weights: Option<PathBuf>,
    /// Takes all but the last layer's weights from that file.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub new_head: bool,
    /// Leaves out images that cannot be read, instead of stopping the run.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub skip_bad: bool,
    /// Writes the run for TensorBoard.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tensorboard: bool,
    /// Watches gradients, updates and activations.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub watch: bool,
    /// The way images are read.
    #[serde(flatten)]
    pub reading: ReadingArgs,
    /// The bits that are kept of images of 16. Runs from when there were 8 do not tell.
    #[serde(skip_serializing_if = "BitDepth::is_default")]
    pub bit_depth: BitDepth,
    /// Shortest time between two savings, in seconds.
    pub save_every: f64,
    /// Memory for decoded images in MiB.
    pub cache: usize,
}

/// The fold of a cross-validation that a run is, written as `2 of 5`.
#[derive(Clone, Copy, Debug)]
pub struct Fold {
    /// From 1.
    pub number: usize,
    /// The number of folds.
    pub of: usize,
}

impl RunSettings {
    /// The documented run's, but for what `reproduce` leaves to the user, for images of this height, width
    /// and channels.
    pub fn documented(args: &RunArgs, input: [usize; 3]) -> RunSettings {
        let training =
            TrainSettings { seed: args.seed, conv: args.conv, fuse: !args.no_fuse, ..TrainSettings::default() };
        RunSettings { save_every: args.save_every, ..RunSettings::of(training, input, args.cache) }
    }

    /// Those of a training whose images have this height, width and channels and are kept in so many MiB; all
    /// else is as in the documented run.
    pub fn of(training: TrainSettings, [height, width, channels]: [usize; 3], cache: usize) -> RunSettings {
        RunSettings {
            training,
            batch_size: keras_run::BATCH_SIZE,
            image_size: ImageSize { height, width },
            channels,
            validation_split: Some(keras_run::VALIDATION_SPLIT),
            folds: None,
            only_fold: None,
            fold: None,
            group_regex: None,
            labels: LabelsArgs::default(),
            init_weights: None,
            new_head: false,
            skip_bad: false,
            tensorboard: false,
            watch: false,
            reading: ReadingArgs::default(),
            bit_depth: BitDepth::default(),
            save_every: 0.0,
            cache,
        }
    }

    /// Returns the weights that a run of this network starts from.
    ///
    /// # Errors
    /// Those of a file of weights.
    pub fn initial_parameters(&self, network: &Network) -> glassnet::Result<Parameters> {
        match &self.init_weights {
            Some(path) if self.new_head => checkpoint::load_parameters_below_head(path, network, self.training.seed),
            Some(path) => checkpoint::load_parameters(path, network),
            None => Ok(network.initial_parameters(self.training.seed)),
        }
    }

    /// Returns the settings that the flags of `train` ask for, of a network with this input.
    pub fn new(args: &TrainArgs, input: [usize; 3]) -> RunSettings {
        let documented = RunSettings::documented(&args.common, input);
        RunSettings {
            training: TrainSettings {
                epochs: args.epochs,
                class_weight: args.class_weight.into(),
                label_smoothing: args.label_smoothing,
                augmentation: args.augment,
                shuffle: !args.no_shuffle,
                early_stopping: args.early_stopping,
                ..args.optimizer.applied_to(args.schedule.applied_to(documented.training))
            },
            batch_size: args.batch_size,
            validation_split: (args.folds.is_none() && args.validation_data.is_none()).then_some(args.validation_split),
            folds: args.folds,
            only_fold: args.only_fold,
            group_regex: args.group_regex.clone(),
            labels: args.labels.clone(),
            init_weights: args.init_weights.clone(),
            new_head: args.new_head,
            skip_bad: args.skip_bad,
            tensorboard: args.tensorboard,
            watch: args.watch,
            reading: args.reading,
            bit_depth: args.bit_depth,
            ..documented
        }
    }

    /// Returns how images are read, as far as it is known before one is looked at.
    pub fn known_reading(&self) -> Reading {
        Reading { bit_depth: self.bit_depth, ..self.reading.known() }
    }

    /// Returns height, width and channels of the images.
    pub fn picture_size(&self) -> [usize; 3] {
        [self.image_size.height, self.image_size.width, self.channels]
    }

    /// Returns how the network is run, where it does not train.
    pub fn plan_options(&self) -> PlanOptions {
        // A watch sees layers one by one.
        let fuse = self.training.fuse && !self.watch;
        PlanOptions { conv: self.training.conv, fuse, ..PlanOptions::default() }
    }
}

impl Fold {
    /// Reads what is written of it.
    pub fn parse(text: &str) -> Option<Fold> {
        let (number, of) = text.split_once(" of ")?;
        let fold = Fold { number: number.parse().ok()?, of: of.parse().ok()? };
        (1..=fold.of).contains(&fold.number).then_some(fold)
    }
}

impl fmt::Display for Fold {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{} of {}", self.number, self.of)
    }
}

impl Serialize for Fold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A path as text, also where it is none in UTF-8.
fn as_text<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_ref().map(|path| path.display().to_string()).serialize(serializer)
}
