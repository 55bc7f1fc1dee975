//! The answers of a model for images that may have several labels: those that each has.

use super::lister::{Lister, list, refused};
use crate::cli::args::PredictArgs;
use crate::cli::input::ensemble::Ensemble;
use crate::cli::input::predictor::{BATCH, Image, Prediction, Predictor};
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::console::{self, Lines};
use crate::cli::terminal::output;
use crate::cli::terminal::progress::Progress;
use glassnet::checkpoint::Checkpoint;
use glassnet::classes::{Classes, LabelSet, combinations};
use glassnet::data::left_out::{LeftOut, Reason};
use glassnet::files::write_table;
use glassnet::{Error, Result};
use serde_json::{Value, json};
use std::path::Path;

/// The answer to an image.
struct Answer {
    name: String,
    set: LabelSet,
    /// The probability of each label.
    probabilities: Vec<f32>,
}

/// Answers every image: the labels whose probability, of several models the mean, is above the threshold,
/// each by itself.
pub fn run(args: &PredictArgs, ensemble: &Ensemble, threshold: f64, mut network: Predictor) -> CommandResult {
    check(args)?;
    let (file, model) = (&ensemble.files[0], ensemble.first());
    let Lister { images, mut failed, mut left_out } = list(args, file, &model.card)?;
    if let Some(path) = &args.csv {
        output::check_no_input("--csv", path, images.iter().map(Image::name))?;
    }
    let (labels, mut lines, mut answers) = (&model.card.classes, Lines::default(), Vec::new());
    if !args.json {
        lines.print(&heading(labels));
    }
    let progress = Progress::of_images("Answering", images.len());
    for batch in images.chunks(BATCH) {
        if lines.have_failed() && args.csv.is_none() {
            break;
        }
        for (image, answer) in batch.iter().zip(network.predict(batch, |_| false)?) {
            match answer {
                Ok(found) => {
                    found.notes.iter().for_each(|note| console::warn(note));
                    let set = network.label_set(&found, threshold);
                    let Prediction { probabilities, .. } = found;
                    let answer = Answer { name: image.name(), set, probabilities };
                    if !args.json {
                        lines.print(&line(labels, &answer));
                    }
                    answers.push(answer);
                }
                Err(reason) => {
                    failed.push(refused(&image.name(), reason.sentence()));
                    let why = Reason::Unreadable(reason.sentence().to_string());
                    left_out.push(LeftOut::new(image.name(), image.name(), why));
                }
            }
        }
        progress.advance(batch.len());
    }
    drop(progress);
    if args.json {
        lines.print_json(&json(model, threshold, &answers, &failed, &left_out));
    }
    if let Some(path) = &args.csv {
        write_csv(path, labels, &answers)?;
    }
    lines.end()?;
    Ok(if failed.is_empty() { Outcome::Done } else { Outcome::PartlyFailed })
}

/// Refuses what asks for one class of each image.
fn check(args: &PredictArgs) -> Result<()> {
    let asked = [
        ("--top", args.top.is_some()),
        ("--unsure", args.unsure.is_some()),
        ("--sort-into", args.sort_into.is_some()),
        ("--plot", args.plot.is_some()),
    ];
    match asked.into_iter().find(|(_, is_asked)| *is_asked) {
        Some((flag, _)) => {
            let reason =
                "it is for one class of each image, and for this model an image may have several labels; leave it out";
            Err(Error::setting(flag, reason))
        }
        None => Ok(()),
    }
}

/// The columns of the labels' probabilities.
fn columns(labels: &Classes) -> Vec<String> {
    labels.names().map(|name| format!("p({name})")).collect()
}

/// The first line, whose parts are names of columns.
fn heading(labels: &Classes) -> String {
    let columns: Vec<String> = columns(labels).iter().map(|name| console::one_line(name).into_owned()).collect();
    format!("file\tlabels\t{}", columns.join("\t"))
}

/// The line of an answer.
fn line(labels: &Classes, Answer { name, set, probabilities }: &Answer) -> String {
    let set = combinations::name(labels, *set);
    let told: Vec<String> = probabilities.iter().map(|p| format!("{p:.6}")).collect();
    format!("{}\t{}\t{}", console::one_line(name), console::one_line(&set), told.join("\t"))
}

/// Writes `file,labels`, and the probability of every label; no label is an empty field.
fn write_csv(path: &Path, labels: &Classes, answers: &[Answer]) -> Result<()> {
    let columns = columns(labels);
    let heading = ["file", "labels"].into_iter().chain(columns.iter().map(String::as_str));
    let name = |set: LabelSet| if set.is_empty() { String::new() } else { combinations::name(labels, set) };
    let rows = answers.iter().map(|answer| (&answer.name, name(answer.set), &answer.probabilities));
    write_table(path, &heading.collect::<Vec<&str>>(), rows)
}

fn json(model: &Checkpoint, threshold: f64, answers: &[Answer], failed: &[Value], left_out: &[LeftOut]) -> Value {
    let labels = &model.card.classes;
    let one = |Answer { name, set, probabilities }: &Answer| {
        let names: Vec<&str> = set.labels().map(|label| &labels[label]).collect();
        let probabilities: Vec<f64> = probabilities.iter().copied().map(f64::from).collect();
        json!({"file": name, "labels": names, "probabilities": probabilities})
    };
    let mut object = json!({
        "classes": labels,
        "positive_class": null,
        "threshold": threshold,
        "predictions": answers.iter().map(one).collect::<Vec<Value>>(),
        "errors": failed,
        "left_out": left_out,
        "note": "probabilities are of each label by itself, in the order of classes; not for diagnosis",
    });
    if !model.card.reading.is_default() {
        object["reading"] = json!(model.card.reading);
    }
    object
}
