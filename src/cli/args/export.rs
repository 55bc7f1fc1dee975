//! The arguments of `export`.

use super::common::{QuietArgs, ThreadsArgs};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `glassnet export`.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  glassnet export runs/photos --format onnx --out photos.onnx new.jpg
  glassnet export runs/photos --format onnx --input uint8 --out photos.onnx
  glassnet export runs/photos/weights/last.safetensors --format keras --out photos.keras
  glassnet export runs/photos --format npz --out photos.npz --script keras --script pytorch

What was made is read back and run by an engine of its own before it is written, and the largest difference to the model's own answers is printed. A file that answers otherwise is not written.")]
pub struct ExportArgs {
    /// A run folder of `train`, or a weights file
    ///
    /// A run folder stands for its weights/best.safetensors.
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// Images on which the answers are compared [default: drawn ones]
    #[arg(value_name = "IMAGE")]
    pub images: Vec<PathBuf>,
    /// The format
    #[arg(long, value_name = "NAME", value_enum)]
    pub format: ExportFormat,
    /// A new file; what is there already is not overwritten
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Also write a Python script that rebuilds the model there, loads the npz file and compares all numbers
    ///
    /// Beside FILE.npz, as FILE_keras.py or FILE_pytorch.py, with what it compares in FILE_check.npz: the
    /// images, logits, and the loss and gradients of a training step. May be given twice.
    #[arg(long, value_name = "NAME", value_enum)]
    pub script: Vec<ScriptChoice>,
    /// What goes into a model of ONNX or Keras [default: f32]
    #[arg(long, value_name = "NAME", value_enum)]
    pub input: Option<InputChoice>,
    /// Print one JSON object instead of lines
    #[arg(long)]
    pub json: bool,
    /// `--quiet`.
    #[command(flatten)]
    pub quiet: QuietArgs,
    /// `--threads`.
    #[command(flatten)]
    pub threads: ThreadsArgs,
}

/// `--format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// For onnxruntime, OpenCV, browsers and phones
    Onnx,
    /// numpy's arrays, for everything else
    Npz,
    /// A .keras file, which Keras 3 loads and trains on
    ///
    /// Of weights/last.safetensors with the optimizer as it stands; of best a new Adam.
    Keras,
}

/// `--script`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ScriptChoice {
    /// Keras 3 on TensorFlow
    Keras,
    /// PyTorch
    Pytorch,
}

/// `--input`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InputChoice {
    /// Floats from 0 to 1; in ONNX channels first
    F32,
    /// Pixels as they are, channels last; in ONNX of a model of 16-bit images uint16
    ///
    /// In Keras a layer Rescaling(1/255) stands in front then.
    Uint8,
}
