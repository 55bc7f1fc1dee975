//! `glassnet import`: a model of another program as a weights file of ours.

use crate::cli::args::{ImageSize, ImportArgs, RangeChoice};
use crate::cli::input::image_batch::read_batch;
use crate::cli::input::model::read_spec;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::{console, output};
use glassnet::checkpoint::{self, Checkpoint, ModelCard};
use glassnet::classes::{Classes, combinations};
use glassnet::data::reading::Reading;
use glassnet::error::{counted, grouped, shell_word, shortened};
use glassnet::exchange::{Format, Given, Imported, difference, keras, npz, onnx, pytorch, read_model_file};
use glassnet::head::Head;
use glassnet::plan::predict;
use glassnet::{Error, Result};
use std::path::Path;

/// The most images that are answered.
const MOST_CHECKED: usize = 64;

/// Reads the model, writes it, reads it back, and says what was made of it.
pub fn run(args: &ImportArgs) -> CommandResult {
    let format = Format::of(&args.file)?;
    output::check_new_file("--out", &args.out)?;
    let model = args.model.as_deref().map(read_spec).transpose()?;
    let image_size = args.image_size.map(|ImageSize { height, width }| [height, width]);
    let given = Given { model: model.as_ref(), image_size, pixels: args.pixels };
    let imported = read(format, &args.file, &given)?;
    let reading = reading_told(args, &imported)?;
    let notes = imported.notes.clone();
    let (classes, origin) = classes(args, &imported)?;
    let mut checkpoint = imported.into_checkpoint(classes)?;
    if let Some(reading) = reading {
        checkpoint.card = ModelCard { resize: reading.resize_name(), reading, ..checkpoint.card };
    }
    checkpoint::save(&args.out, &checkpoint.card, &checkpoint.parameters)?;
    // What is told and checked is what was written.
    let checkpoint = checkpoint::load(&args.out)?;
    for line in summary(args, format, &checkpoint, origin) {
        console::print(&line)?;
    }
    for note in notes {
        console::print(&format!("Note: {note}"))?;
    }
    if !args.check.is_empty() {
        check(args, &checkpoint)?;
    }
    let out = args.out.display().to_string();
    let out = shell_word(&out);
    console::print_unless_quiet(&format!("Wrote {out}: 'glassnet predict {out} IMAGE' answers with it"))?;
    Ok(Outcome::Done)
}

/// Reads the file as what it is.
fn read(format: Format, path: &Path, given: &Given) -> Result<Imported> {
    match format {
        Format::Keras => keras::from_zip(path, read_model_file(path)?, given),
        Format::KerasHdf5 => keras::from_hdf5(path, read_model_file(path)?, given),
        Format::Pytorch => pytorch::from_pickle(path, given),
        Format::Safetensors => pytorch::from_safetensors(path, given),
        Format::Onnx => of_unit_pixels(path, given, onnx::read(path)),
        Format::Npz => of_unit_pixels(path, given, npz::read(path)),
    }
}

/// A model of a file that has its layers with it, and is of pixels from 0 to 1 unless the user says
/// otherwise.
fn of_unit_pixels(path: &Path, given: &Given, imported: Result<Imported>) -> Result<Imported> {
    if given.model.is_some() || given.image_size.is_some() {
        let flag = if given.model.is_some() { "--model" } else { "--image-size" };
        return Err(Error::setting(flag, "the file has its layers and its size with it; leave it out"));
    }
    let Imported { network, parameters, card, mut notes } = imported?;
    let Some(pixels) = given.pixels else { return Ok(Imported { network, parameters, card, notes }) };
    notes.retain(|note| note != onnx::PIXELS_ASSUMED);
    let (network, parameters) =
        pixels.brought_to_unit(network, parameters, &mut notes).map_err(|reason| Error::weights(path, reason))?;
    Ok(Imported { network, parameters, card, notes })
}

/// The reading of images that the user tells of, if it is another than the default.
fn reading_told(args: &ImportArgs, imported: &Imported) -> Result<Option<Reading>> {
    if args.reading.range == Some(RangeChoice::Auto) {
        return Err(Error::setting("--range", "there are no images here to take it from; give two numbers"));
    }
    let told = Some(args.reading.known()).filter(|told| *told != Reading::default());
    if told.is_some() && imported.card.is_some() {
        let reason =
            "its file tells how its images are read; leave out --upright, --range, --resize and --interpolation";
        return Err(Error::weights(&args.file, reason));
    }
    Ok(told)
}

/// The classes that the model gets, unless the file has them; and where the names are from.
fn classes(args: &ImportArgs, imported: &Imported) -> Result<(Option<Classes>, &'static str)> {
    if !args.classes.is_empty() {
        return Ok((Some(Classes::new(args.classes.iter().map(String::as_str))?), "as given"));
    }
    if imported.card.is_some() {
        return Ok((None, "the file's"));
    }
    let count = imported.network.head().classes();
    let names = Classes::new((0..count).map(|class| format!("class{class}")))?;
    Ok((Some(names), "the file has no names: --classes gives them"))
}

/// The lines that say what was made of the file.
fn summary(args: &ImportArgs, format: Format, model: &Checkpoint, origin: &str) -> Vec<String> {
    let name = match format {
        Format::Keras => "a Keras model",
        Format::KerasHdf5 if args.model.is_some() => "weights of Keras",
        Format::KerasHdf5 => "a Keras model in HDF5",
        Format::Pytorch => "weights of PyTorch",
        Format::Safetensors => "weights of PyTorch in safetensors",
        Format::Npz => "numpy's arrays",
        Format::Onnx => "an ONNX model",
    };
    let [height, width, channels] = model.card.spec.input;
    let several_labels = model.network.head().has_several_labels();
    let answer = match (model.network.head().units(), model.card.classes.positive()) {
        (units, _) if several_labels => format!("{units} answers, the probability of each of as many labels"),
        (1, Some(positive)) => format!("one answer, the probability of '{}'", shortened(positive)),
        (units, _) => format!("{units} answers, a probability for each class"),
    };
    vec![
        format!(
            "{} is {name}: {}, {} parameters, images of {height}×{width}×{channels}, {answer}",
            args.file.display(),
            counted(model.network.layers().len(), "layer"),
            grouped(model.network.table().parameter_count())
        ),
        format!("{}: {} ({origin})", if several_labels { "Labels" } else { "Classes" }, model.card.classes.in_words()),
        match model.card.reading.description() {
            Some(how) => format!("Images are read with {how}"),
            None => "Images are read in the default way, resized by 'nearest', as Keras does".to_string(),
        },
    ]
}

/// Prints the model's answers to images, and how far those of the textbook in f64 are from them.
fn check(args: &ImportArgs, model: &Checkpoint) -> CommandResult {
    let images = read_batch(&args.check, model.card.spec.input, model.card.reading, MOST_CHECKED)?;
    let head = model.network.head();
    let probabilities = predict(&model.network, &model.parameters, images.view())?;
    for (path, probabilities) in args.check.iter().zip(probabilities.chunks_exact(head.units())) {
        console::print(&answer(path, head, probabilities, model))?;
    }
    let largest = difference(model, model, images.view())?;
    console::print(&format!("By the engine in f32; the textbook in f64 differs by {largest:.1e} at most"))?;
    Ok(Outcome::Done)
}

/// An answer's line: file, class, and of two classes the probability of the positive one, of more that of the
/// class. Where an image may have several labels: file, these, and the probability of each label.
fn answer(path: &Path, head: Head, probabilities: &[f32], model: &Checkpoint) -> String {
    if head.has_several_labels() {
        let set = head.label_set(probabilities.iter().copied(), model.card.threshold);
        let told: Vec<String> = probabilities.iter().map(|p| format!("{p:.6}")).collect();
        return format!("{}\t{}\t{}", path.display(), combinations::name(&model.card.classes, set), told.join("\t"));
    }
    let class = head.decision(probabilities.iter().copied(), model.card.threshold);
    let told = match model.card.classes.two() {
        Some(_) => head.positive(probabilities),
        None => probabilities[class.index()],
    };
    format!("{}\t{}\t{told:.6}", path.display(), &model.card.classes[class])
}
