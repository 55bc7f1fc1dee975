//! `glassnet export`: a model for other programs, in a file that answers the same.

use crate::cli::args::{ExportArgs, ExportFormat, InputChoice, ScriptChoice};
use crate::cli::input::image_batch::{check_no_image, read_batch};
use crate::cli::input::model::weights_file;
use crate::cli::machine::limits::in_words;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::{console, output};
use glassnet::checkpoint::{self, Checkpoint};
use glassnet::data::reading::BitDepth;
use glassnet::error::{and, counted};
use glassnet::exchange::keras::{self, PixelInput, Training};
use glassnet::exchange::script::{ScriptFiles, keras_script, known_step, pytorch_script};
use glassnet::exchange::{Given, Imported, difference, drawn_images, npz, onnx};
use glassnet::files::write_whole;
use glassnet::{Error, Result};
use ndarray::{Array4, ArrayView4};
use serde_json::json;
use std::path::{Path, PathBuf};

/// The most images on which answers are compared: the textbook takes its time.
const MOST_IMAGES: usize = 64;

/// Images that are drawn where none are given.
const DRAWN_IMAGES: usize = 2;

/// The largest difference of a probability that a file may have. The engine computes in f32: of a network of
/// usual depth the difference is a tenth of this, and of a file with a mistake a thousand times as much.
const LARGEST_DIFFERENCE: f64 = 1e-5;

/// A file that was made, but not written yet.
struct Made {
    bytes: Vec<u8>,
    /// The model that the bytes hold.
    read_back: Imported,
    /// What the file is, in words.
    what: String,
}

/// Writes the file, and tells how far its answers are from the model's.
pub fn run(args: &ExportArgs) -> CommandResult {
    check(args)?;
    let file = weights_file(&args.model)?;
    let model = checkpoint::load(&file)?;
    if args.format == ExportFormat::Keras || args.script.contains(&ScriptChoice::Keras) {
        keras::check_layers(&model.network).map_err(|reason| Error::weights(&file, reason))?;
    }
    let images = images(args, &model)?;
    let made = match args.format {
        ExportFormat::Onnx => onnx(&model, args.input.unwrap_or(InputChoice::F32)),
        ExportFormat::Npz => npz(&model),
        ExportFormat::Keras => keras_file(&model, &file, args.input.unwrap_or(InputChoice::F32))?,
    };
    let Made { bytes, read_back, what } = made.map_err(|fault| {
        Error::weights(&file, format!("what was made of it cannot be read back, and is not written: {fault}"))
    })?;
    let largest = difference(&model, &read_back.into_checkpoint(None)?, images.view())?;
    // Written so that NaN is refused.
    let agrees = largest <= LARGEST_DIFFERENCE;
    if !agrees {
        let reason = format!(
            "what was made of it answers otherwise, by {largest:.1e} where {LARGEST_DIFFERENCE:.0e} is the most, and is not written; a model whose \
             training diverged has no answers, else this is a fault of glassnet"
        );
        return Err(Error::weights(&file, reason).into());
    }
    write_whole(&args.out, &bytes)?;
    let scripts = write_scripts(args, &model, images.view())?;
    let count = images.dim().0;
    if args.json {
        console::print_json(&json!({
            "model": file.display().to_string(),
            "file": args.out.display().to_string(),
            "format": what,
            "bytes": bytes.len(),
            "images": args.images.len(),
            "drawn_images": count - args.images.len(),
            "largest_difference": largest,
            "beside_it": scripts.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
        }))?;
        return Ok(Outcome::Done);
    }
    console::print_unless_quiet(&format!("Wrote {}: {what}, {}", args.out.display(), in_words(bytes.len())))?;
    let on = match args.images.len() {
        0 => format!("{} drawn at random, as no image was given", counted(count, "image")),
        given => counted(given, "image"),
    };
    console::print_unless_quiet(&format!(
        "Read back and run on {on}: the largest difference of a probability is {largest:.1e} ({LARGEST_DIFFERENCE:.0e} is the most)"
    ))?;
    if let [known, scripts @ ..] = &scripts[..] {
        let scripts: Vec<String> = scripts.iter().map(|path| path.display().to_string()).collect();
        let scripts = scripts.iter().map(String::as_str);
        let line = format!("Wrote {}, which load it and compare with {}", and(scripts), known.display());
        console::print_unless_quiet(&line)?;
    }
    Ok(Outcome::Done)
}

/// Refuses what does not go together, and places where nothing can be written.
fn check(args: &ExportArgs) -> Result<()> {
    check_no_image(&args.model, "glassnet export MODEL --format NAME --out FILE IMAGE…")?;
    if args.input.is_some() && args.format == ExportFormat::Npz {
        return Err(Error::setting("--input", "it is for --format onnx and keras; leave it out"));
    }
    if !args.script.is_empty() && args.format != ExportFormat::Npz {
        return Err(Error::setting("--script", "a script loads an npz file; give --format npz"));
    }
    output::check_new_file("--out", &args.out)?;
    beside(args).iter().try_for_each(|path| output::check_new_file("--script", path))
}

/// The files beside that of the weights: what the engine computed, and the scripts; none without a script.
fn beside(args: &ExportArgs) -> Vec<PathBuf> {
    let stem = args.out.file_stem().unwrap_or_default().to_string_lossy();
    let place = |ending: &str| args.out.with_file_name(format!("{stem}_{ending}"));
    let mut files = Vec::new();
    for (script, ending) in [(ScriptChoice::Keras, "keras.py"), (ScriptChoice::Pytorch, "pytorch.py")] {
        if args.script.contains(&script) {
            files.push(place(ending));
        }
    }
    if !files.is_empty() {
        files.insert(0, place("check.npz"));
    }
    files
}

/// Writes the scripts that were asked for, and returns what was written.
fn write_scripts(args: &ExportArgs, model: &Checkpoint, images: ArrayView4<f32>) -> Result<Vec<PathBuf>> {
    let files = beside(args);
    let [known, scripts @ ..] = &files[..] else { return Ok(files) };
    write_whole(known, &known_step(model, images)?)?;
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (weights, known) = (name(&args.out), name(known));
    for path in scripts {
        let script = name(path);
        let names = ScriptFiles { script: &script, weights: &weights, known: &known };
        let text = match script.ends_with("_keras.py") {
            true => keras_script(model, names).map_err(|reason| Error::weights(&args.model, reason))?,
            false => pytorch_script(model, names),
        };
        write_whole(path, text.as_bytes())?;
    }
    Ok(files)
}

/// The images on which answers are compared, as the network sees them.
fn images(args: &ExportArgs, model: &Checkpoint) -> Result<Array4<f32>> {
    let size = model.card.spec.input;
    match &args.images[..] {
        [] => Ok(drawn_images(DRAWN_IMAGES, size)),
        paths => read_batch(paths, size, model.card.reading, MOST_IMAGES),
    }
}

/// Makes an ONNX file.
fn onnx(model: &Checkpoint, input: InputChoice) -> Result<Made, String> {
    let [height, width, channels] = model.card.spec.input;
    let (input, what) = match (input, model.card.reading.bit_depth) {
        (InputChoice::F32, _) => {
            (onnx::OnnxInput::Floats, format!("float32 [N, {channels}, {height}, {width}] from 0 to 1"))
        }
        (InputChoice::Uint8, BitDepth::Eight) => {
            (onnx::OnnxInput::Samples, format!("uint8 [N, {height}, {width}, {channels}]"))
        }
        (InputChoice::Uint8, BitDepth::Sixteen) => {
            (onnx::OnnxInput::Samples, format!("uint16 [N, {height}, {width}, {channels}]"))
        }
    };
    let bytes = onnx::to_bytes(model, input);
    let read_back = onnx::from_bytes(&bytes)?;
    let units = model.network.head().units();
    let what = format!("ONNX, opset {}, {what} in, probabilities [N, {units}] out", onnx::OPSET);
    Ok(Made { bytes, read_back, what })
}

/// Makes an npz file.
fn npz(model: &Checkpoint) -> Result<Made, String> {
    let bytes = npz::to_bytes(model);
    let read_back = npz::from_bytes(&bytes)?;
    let what = format!("npz, {}", counted(model.network.table().entries().len(), "array"));
    Ok(Made { bytes, read_back, what })
}

/// Makes a `.keras` file, with the optimizer where the weights' file has its state.
///
/// # Errors
/// [`Error::Weights`] of the weights' file, where that state is damaged.
fn keras_file(model: &Checkpoint, file: &Path, input: InputChoice) -> Result<std::result::Result<Made, String>> {
    let training = Training::of_run(file, &model.network)?;
    let [height, width, channels] = model.card.spec.input;
    let (input, range) = match input {
        InputChoice::F32 => (PixelInput::Unit, "from 0 to 1"),
        InputChoice::Uint8 => (PixelInput::Bytes, "from 0 to 255"),
    };
    let state = match &training {
        Some(training) => format!("the optimizer after {}", counted(training.optimizer.steps() as usize, "step")),
        None => "a new Adam, as these weights have no optimizer's state".to_string(),
    };
    let what = format!("Keras 3, images [N, {height}, {width}, {channels}] {range}, compiled with {state}");
    Ok(keras::to_bytes(model, training.as_ref(), input).and_then(|bytes| {
        let read_back = keras::from_zip(file, bytes.clone(), &Given::default()).map_err(|error| error.to_string())?;
        Ok(Made { bytes, read_back, what })
    }))
}
