//! `glassnet export`: a model for other programs, in a file that answers the same.

use crate::cli::args::{ExportArgs, ExportFormat, InputChoice};
use crate::cli::input::image_batch::{check_no_image, read_batch};
use crate::cli::input::model::weights_file;
use crate::cli::machine::limits::in_words;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::{console, output};
use glassnet::checkpoint::{self, Checkpoint};
use glassnet::data::reading::BitDepth;
use glassnet::error::counted;
use glassnet::exchange::{Imported, difference, drawn_images, onnx};
use glassnet::files::write_whole;
use glassnet::{Error, Result};
use ndarray::Array4;
use serde_json::json;

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
    check_no_image(&args.model, "glassnet export MODEL --format onnx --out FILE IMAGE…")?;
    output::check_new_file("--out", &args.out)?;
    if args.input.is_some() && args.format != ExportFormat::Onnx {
        return Err(Error::setting("--input", "it is for --format onnx alone; leave it out").into());
    }
    let file = weights_file(&args.model)?;
    let model = checkpoint::load(&file)?;
    let images = images(args, &model)?;
    let made = match args.format {
        ExportFormat::Onnx => onnx(&model, args.input.unwrap_or(InputChoice::F32)),
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
    Ok(Outcome::Done)
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
