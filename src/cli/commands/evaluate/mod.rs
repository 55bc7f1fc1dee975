//! `glassnet evaluate`: how good a model's answers are on a set whose classes are known.

mod mistakes;
mod printed;
mod subset;

use crate::cli::args::EvaluateArgs;
use crate::cli::input::dataset::{check_one, open, two};
use crate::cli::input::model::weights_file;
use crate::cli::input::predictor::{BATCH, Image, NoPrediction, Prediction, Predictor};
use crate::cli::outcome::{CommandResult, Failure, Outcome};
use crate::cli::terminal::console::{self, Lines};
use crate::cli::terminal::output;
use crate::cli::terminal::progress::Progress;
use glassnet::checkpoint::{self, Checkpoint};
use glassnet::classes::Label;
use glassnet::data::catalog::{Catalog, Item};
use glassnet::data::left_out::{LeftOut, Reason};
use glassnet::data::source::Source;
use glassnet::metrics::Assessment;
use glassnet::report::csv_files::{self, PredictionRow};
use glassnet::report::evaluation::page::{EvaluationPage, Mistake, write_evaluation_page};
use glassnet::report::pictures::{LabelledImage, thumbnail};
use glassnet::{Error, Result};
use mistakes::WorstMistakes;
use printed::written_line;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use subset::Subset;

/// Answers for every image of the subset, and tells how good the answers are; an image that cannot be read
/// is named, and the others are done. Whether that is a failure, `--skip-bad` decides.
pub fn run(args: &EvaluateArgs) -> CommandResult {
    if let Some(data) = &args.data {
        check_one(data, &args.more_data)?;
    }
    let file = weights_file(&args.model)?;
    let data = match &args.data {
        Some(data) => data.clone(),
        None => subset::data_of_run(&file, args.subset)?,
    };
    if let Some(out) = &args.out {
        check_out(out)?;
        output::check_outside_data("--out", out, &data)?;
    }
    let model = checkpoint::load(&file)?;
    let network = Predictor::new(&model, &file)?;
    let source = Arc::new(open(&data)?);
    let catalog = Catalog::of_classes(&source, &model.card.classes)?;
    for note in &catalog.notes {
        console::warn(note);
    }
    let subset = Subset::choose(args.subset, &file, &model.card.training, &source, &catalog)?;
    let threshold = args.threshold.unwrap_or(model.card.threshold);
    if let Some(out) = &args.out {
        output::make_folder("--out", out)?;
    }

    let wanted = Wanted { threshold, skip_bad: args.skip_bad, thumbnails: args.out.is_some() };
    let answered = Answered::all(network, &source, &subset.items, wanted)?;
    let left_out = catalog.left_out.iter().chain(&answered.left_out).cloned().collect();
    if !answered.skipped.is_empty() && answered.skipped.len() == subset.items.len() {
        let reason = format!(
            "none of its {} images that are to be judged can be read; mend or replace them",
            subset.items.len()
        );
        return Err(Error::data(&data, reason).into());
    }
    let assessment = Assessment::of(&answered.labels, &answered.probabilities, &answered.losses, threshold);
    let evaluation = Evaluation { file, model: &model, source: &source, subset, left_out, answered, assessment };

    // What was found is told before it is written: the writing may fail, and the answers took long.
    let mut printed = Lines::default();
    match args.json {
        true => printed.print_json(&evaluation.json()),
        false => evaluation.lines().iter().for_each(|line| printed.print(line)),
    }
    if let Some(out) = &args.out {
        evaluation.write(out)?;
        if !args.json {
            printed.print(&written_line(out));
        }
    }
    printed.end()?;
    Ok(if evaluation.answered.failed.is_empty() { Outcome::Done } else { Outcome::PartlyFailed })
}

/// All that an evaluation found.
struct Evaluation<'a> {
    file: PathBuf,
    model: &'a Checkpoint,
    source: &'a Source,
    subset: Subset,
    /// What of DATA has no part in it.
    left_out: Vec<LeftOut>,
    answered: Answered,
    assessment: Assessment,
}

/// What is wanted of the answers.
#[derive(Clone, Copy)]
struct Wanted {
    threshold: f64,
    /// Whether images that cannot be read are left out, and not failures.
    skip_bad: bool,
    /// Whether the worst mistakes will be shown.
    thumbnails: bool,
}

/// The answers, in the order of the images; what could not be read is missing.
#[derive(Default)]
struct Answered {
    /// Each image's path in DATA.
    files: Vec<String>,
    labels: Vec<Label>,
    probabilities: Vec<f32>,
    losses: Vec<f64>,
    mistakes: WorstMistakes,
    /// Images without an answer, and why.
    failed: Vec<serde_json::Value>,
    /// The paths of those that cannot be read and were left out.
    skipped: Vec<String>,
    /// All of these.
    left_out: Vec<LeftOut>,
}

impl Answered {
    /// Predictor for all items, a batch at a time.
    fn all(mut network: Predictor, source: &Arc<Source>, items: &[Item], wanted: Wanted) -> Result<Answered> {
        let progress = Progress::of_images("Answering", items.len());
        let mut answered = Answered::default();
        for batch in items.chunks(BATCH) {
            let images: Vec<Image> = batch.iter().map(|item| Image::InSource(Arc::clone(source), item.entry)).collect();
            for (item, answer) in batch.iter().zip(network.of(&images, |_| wanted.thumbnails)?) {
                match answer {
                    Ok(answer) => {
                        for note in &answer.notes {
                            console::warn(note);
                        }
                        let (loss, class) =
                            (network.loss(&answer, item.label), network.decision(&answer, wanted.threshold));
                        answered.add(item, answer, loss, class)?;
                    }
                    Err(reason) => {
                        let sentence = reason.sentence();
                        let why = Reason::Unreadable(sentence.to_string());
                        answered.left_out.push(LeftOut::new(&item.path, source.full_name(item.entry), why));
                        match reason {
                            NoPrediction::Unreadable(_) if wanted.skip_bad => {
                                console::warn(&format!("left out: {sentence}"));
                                answered.skipped.push(item.path.clone());
                            }
                            _ => {
                                console::error(sentence);
                                answered.failed.push(json!({"file": item.path, "error": sentence}));
                            }
                        }
                    }
                }
            }
            progress.advance(batch.len());
        }
        Ok(answered)
    }

    /// Adds an image that was taken for `class`.
    fn add(&mut self, item: &Item, answer: Prediction, loss: f64, class: Label) -> Result<()> {
        self.files.push(item.path.clone());
        self.labels.push(item.label);
        self.probabilities.push(answer.probability);
        self.losses.push(loss);
        let Some(pixels) = answer.pixels.filter(|_| class != item.label) else { return Ok(()) };
        self.mistakes.add(loss, || {
            let (width, height) = (pixels.width as u32, pixels.height as u32);
            let image = LabelledImage { label: &item.path, width, height, pixels: &pixels.pixels };
            let jpeg = thumbnail(&image)?;
            let file = console::one_line(&item.path).into_owned();
            Ok(Mistake { file, label: item.label, probability: answer.probability, jpeg })
        })
    }
}

/// What `--out` writes.
const PAGE: &str = "evaluation.html";
const JSON: &str = "evaluation.json";
const PREDICTIONS: &str = "predictions.csv";

/// Whether `--out` can become a new folder.
fn check_out(out: &Path) -> Result<()> {
    let names_a_file = ["html", "htm", "json", "csv", "png"];
    let extension = out.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    if extension.is_some_and(|extension| names_a_file.contains(&extension.as_str())) {
        let reason = format!(
            "a folder is written, with {PAGE}, {JSON} and {PREDICTIONS} in it, and {} is the name of a file; name a folder",
            out.display()
        );
        return Err(Error::setting("--out", reason));
    }
    output::check_new_folder("--out", out)
}

impl Evaluation<'_> {
    /// Writes the folder of `--out`.
    fn write(&self, out: &Path) -> std::result::Result<(), Failure> {
        let classes = &self.model.card.classes;
        let answered = &self.answered;
        let rows: Vec<PredictionRow> = answered
            .files
            .iter()
            .zip(answered.labels.iter().zip(&answered.probabilities))
            .map(|(file, (&label, &probability))| PredictionRow { file, label: &classes[label], probability })
            .collect();
        csv_files::write_predictions(&out.join(PREDICTIONS), &rows)?;
        let json = console::json_text(&self.json()) + "\n";
        glassnet::files::write_whole(&out.join(JSON), json.as_bytes())?;
        let names = self.class_names();
        let page = EvaluationPage {
            facts: &self.facts(),
            classes: [&names[0], &names[1]],
            assessment: &self.assessment,
            labels: &answered.labels,
            probabilities: &answered.probabilities,
            mistakes: answered.mistakes.shown(),
            all_mistakes: answered.mistakes.count,
        };
        Ok(write_evaluation_page(&out.join(PAGE), &page)?)
    }

    /// The names of the classes, as they can stand in a line.
    fn class_names(&self) -> [String; 2] {
        two(&self.model.card.classes).map(|name| console::one_line(name).into_owned())
    }
}
