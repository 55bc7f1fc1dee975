//! `glassnet predict`: what a trained model takes images for.

mod labels;
mod sorted;

use crate::cli::args::{LabelsArgs, PredictArgs, Tta, Unsure};
use crate::cli::input::dataset::open;
use crate::cli::input::model::{load_model, weights_file};
use crate::cli::input::predictor::{BATCH, Image, NoPrediction, Prediction, Predictor};
use crate::cli::input::run_data::{RunData, Wanted};
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::console::{self, Lines};
use crate::cli::terminal::output;
use crate::cli::terminal::progress::Progress;
use glassnet::checkpoint::{Checkpoint, ModelCard};
use glassnet::classes::{Classes, Label};
use glassnet::data::catalog::{all_images, notes};
use glassnet::data::decode::Rgb8;
use glassnet::data::image_names::suffixes;
use glassnet::data::left_out::{LeftOut, Reason};
use glassnet::data::source::is_set;
use glassnet::error::counted;
use glassnet::files::write_table;
use glassnet::head::Head;
use glassnet::report::pictures::{AnnotatedImage, LabelledImage, MOST_IMAGES, write_predictions};
use glassnet::report::predictions_csv::{Predictions, read_predictions};
use glassnet::{Error, Result};
use serde_json::json;
use sorted::SortedCopies;
use std::path::Path;

/// Answers every image; one that cannot be read is named, and the others are done.
pub fn run(args: &PredictArgs) -> CommandResult {
    if let Some(path) = &args.plot {
        output::check_picture("--plot", path)?;
    }
    if let Some(path) = &args.csv {
        output::check_file("--csv", path)?;
    }
    let file = weights_file(&args.model)?;
    let model = load_model(&file)?;
    let mut network = Predictor::new(&model, &file)?;
    if args.tta == Some(Tta::Flip) {
        network = network.mirroring();
    }
    if model.network.head().has_several_labels() {
        return labels::run(args, &file, &model, network);
    }
    let Lister { images, failed, left_out } = list(args, &file, &model.card)?;
    if let Some(path) = &args.plot {
        output::check_no_input("--plot", path, images.iter().map(Image::name))?;
    }
    if let Some(path) = &args.csv {
        output::check_no_input("--csv", path, images.iter().map(Image::name))?;
    }
    let mut sorted = args.sort_into.as_deref().map(SortedCopies::new).transpose()?;
    let ranks = Ranks::of(args.top, args.unsure, &model)?;
    let (mut told, mut lines) = (Told { answers: Vec::new(), failed, left_out }, Lines::default());
    if !args.json {
        lines.print(&ranks.heading());
    }
    let progress = Progress::of_images("Answering", images.len());
    for batch in images.chunks(BATCH) {
        // Answers that nobody reads are needed for the plot only, and for that no more than it shows.
        let kept = args.csv.is_some() || sorted.is_some();
        if lines.have_failed() && !kept && (args.plot.is_none() || told.answers.len() >= MOST_IMAGES) {
            break;
        }
        let room = if args.plot.is_some() { MOST_IMAGES.saturating_sub(told.answers.len()) } else { 0 };
        for (image, answer) in batch.iter().zip(network.predict(batch, |place| place < room)?) {
            let answer = answer.map(|found| {
                let class = network.decision(&found, model.card.threshold);
                (found, class)
            });
            let Some(answer) = told.add(image, answer) else { continue };
            if !args.json {
                lines.print(&ranks.line(answer));
            }
            if let Some(sorted) = &mut sorted {
                sorted.add(image, ranks.name(answer))?;
            }
        }
        progress.advance(batch.len());
    }
    drop(progress);
    let Told { answers, failed, left_out } = told;
    if args.json {
        lines.print_json(&json(&model, &ranks, &answers, &failed, &left_out));
    }
    if let Some(path) = &args.csv {
        ranks.write_csv(path, &answers)?;
    }
    if let Some(unsure) = args.unsure {
        tell_how_many_are_unsure(unsure, &file, &model.card.classes);
    }
    if let Some(path) = args.plot.as_ref().filter(|_| !answers.is_empty()) {
        plot(path, &model, &ranks, &answers, images.len())?;
    }
    lines.end()?;
    Ok(if failed.is_empty() { Outcome::Done } else { Outcome::PartlyFailed })
}

/// Lists the images that are given, or where none are, those that the run of the weights in `file` was
/// validated on.
fn list(args: &PredictArgs, file: &Path, card: &ModelCard) -> Result<Lister> {
    let further = if args.images.is_empty() { RunData::around(file).validation_path } else { None };
    if args.images.is_empty() && further.is_none() {
        return Err(Error::setting("IMAGE", "it is missing; give images, or folders, zips or packs of them"));
    }
    if let Some(path) = &further {
        Wanted { path, part: "validated on", argument: "IMAGE" }.check_there(file)?;
    }
    let mut lister = Lister::default();
    for path in args.images.iter().chain(&further) {
        lister.add(path, card);
    }
    Ok(lister)
}

/// The answers so far.
struct Told {
    answers: Vec<Answer>,
    /// The files that could not be read, named on stderr.
    failed: Vec<serde_json::Value>,
    left_out: Vec<LeftOut>,
}

impl Told {
    /// Takes down what the model says of an image, or why it says nothing.
    fn add(
        &mut self,
        image: &Image,
        answer: std::result::Result<(Prediction, Label), NoPrediction>,
    ) -> Option<&Answer> {
        let (found, class) = match answer {
            Ok(answer) => answer,
            Err(reason) => {
                self.failed.push(refused(&image.name(), reason.sentence()));
                let why = Reason::Unreadable(reason.sentence().to_string());
                self.left_out.push(LeftOut::new(image.name(), image.name(), why));
                return None;
            }
        };
        for note in &found.notes {
            console::warn(note);
        }
        let Prediction { probabilities, pixels, .. } = found;
        self.answers.push(Answer { name: image.name(), class, probabilities, pixels });
        self.answers.last()
    }
}

/// The model's answer to an image.
struct Answer {
    name: String,
    /// The class that it is taken for.
    class: Label,
    /// As the network's head gives them.
    probabilities: Vec<f32>,
    /// The image, where it will be plotted.
    pixels: Option<Rgb8>,
}

/// What is told of each answer: of two classes the probability of the positive one, as long as nobody asks
/// for the most probable ones; else these, so many of them.
struct Ranks<'a> {
    classes: &'a Classes,
    head: Head,
    /// `--top`, where it was given.
    top: Option<usize>,
    /// `--unsure`, where it was given.
    unsure: Option<Unsure>,
}

/// The answer where there is none.
const UNSURE: &str = "unsure";

/// Says of how many of the images that the run of these weights was validated on nothing would have been
/// said.
fn tell_how_many_are_unsure(unsure: Unsure, weights: &Path, classes: &Classes) {
    let predictions = || {
        let run = weights.parent()?.parent()?;
        read_predictions(&run.join("predictions.csv"), classes).ok().filter(|found| !found.labels.is_empty())
    };
    let Some(Predictions { labels, probabilities }) = predictions() else { return };
    let rows = probabilities.chunks_exact(probabilities.len() / labels.len());
    let told = rows.map(|row| f64::from(row.iter().copied().fold(0.0, f32::max)));
    let covered = told.filter(|probability| unsure.covers(*probability)).count();
    console::progress(&format!(
        "Of {} that the run was validated on, {covered} would have had no answer ({:.1} %)",
        counted(labels.len(), "image"),
        100.0 * covered as f64 / labels.len() as f64
    ));
}

impl<'a> Ranks<'a> {
    /// # Errors
    /// [`Error::Setting`], where more are asked for than there are classes.
    fn of(top: Option<usize>, unsure: Option<Unsure>, model: &'a Checkpoint) -> Result<Ranks<'a>> {
        let (classes, head) = (&model.card.classes, model.network.head());
        match top.filter(|&top| top > classes.count()) {
            None => Ok(Ranks { classes, head, top, unsure }),
            Some(top) => {
                let reason = format!("the model tells {} classes apart; give at most as many", classes.count());
                Err(Error::value("--top", top, reason))
            }
        }
    }

    /// The name of the positive class, where its probability is what is told.
    fn positive(&self) -> Option<&'a str> {
        self.classes.positive().filter(|_| self.top.is_none())
    }

    /// The most probable classes of an answer with their probabilities, of equals the first.
    fn top(&self, answer: &Answer) -> Vec<(Label, f32)> {
        let mut ranked: Vec<(Label, f32)> = self.classes.labels().zip(self.all(answer)).collect();
        // Sorting keeps the order of equals.
        ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        ranked.truncate(self.top.unwrap_or(1));
        ranked
    }

    /// The name of the class of an answer, or that there is none.
    fn name(&self, answer: &Answer) -> &'a str {
        match self.unsure.filter(|unsure| unsure.covers(self.probability(answer))) {
            Some(_) => UNSURE,
            None => &self.classes[answer.class],
        }
    }

    /// Writes `file,class`, and the probability of every class.
    fn write_csv(&self, path: &Path, answers: &[Answer]) -> Result<()> {
        let columns: Vec<String> = self.classes.names().map(|name| format!("p({name})")).collect();
        let heading = ["file", "class"].into_iter().chain(columns.iter().map(String::as_str));
        let rows = answers.iter().map(|answer| (&answer.name, self.name(answer), self.all(answer)));
        write_table(path, &heading.collect::<Vec<&str>>(), rows)
    }

    /// The probabilities of all classes.
    fn all(&self, answer: &Answer) -> Vec<f32> {
        match answer.probabilities[..] {
            [positive] => vec![1.0 - positive, positive],
            _ => answer.probabilities.clone(),
        }
    }

    /// The probability that is told of an answer: of the positive class, or of the class that it was taken
    /// for.
    fn probability(&self, answer: &Answer) -> f64 {
        match self.classes.two() {
            Some(_) => f64::from(self.head.positive(&answer.probabilities)),
            None => f64::from(answer.probabilities[answer.class.index()]),
        }
    }

    /// The first line, whose parts are names of columns.
    fn heading(&self) -> String {
        match self.positive() {
            Some(positive) => format!("file\tclass\tp({})", console::one_line(positive)),
            None => {
                let rank = |rank: usize| if rank == 0 { String::new() } else { format!("_{}", rank + 1) };
                let columns =
                    (0..self.top.unwrap_or(1)).map(rank).map(|rank| format!("class{rank}\tprobability{rank}"));
                format!("file\t{}", columns.collect::<Vec<String>>().join("\t"))
            }
        }
    }

    /// The line of an answer.
    fn line(&self, answer: &Answer) -> String {
        let named = |name: &str, p: f64| format!("{}\t{p:.6}", console::one_line(name));
        let told = match self.positive() {
            Some(_) => named(self.name(answer), self.probability(answer)),
            // Without an answer the most probable classes are told where they are asked for.
            None if self.top.is_none() => named(self.name(answer), self.probability(answer)),
            None => {
                let told = self.top(answer).into_iter().map(|(class, p)| named(&self.classes[class], f64::from(p)));
                told.collect::<Vec<String>>().join("\t")
            }
        };
        format!("{}\t{told}", console::one_line(&answer.name))
    }

    /// The same as an object.
    fn json(&self, answer: &Answer) -> serde_json::Value {
        let class = self.name(answer);
        let mut object = json!({"file": answer.name, "class": class, "probability": self.probability(answer)});
        if self.positive().is_none() {
            let told = self.top(answer).into_iter();
            let told = told.map(|(class, p)| json!({"class": self.classes[class], "probability": f64::from(p)}));
            object["top"] = told.collect();
        }
        object
    }
}

/// Says on stderr why there is no answer for a file, and returns the same for `--json`.
fn refused(file: &str, sentence: &str) -> serde_json::Value {
    console::error(sentence);
    json!({"file": file, "error": sentence})
}

/// Turns the arguments into images.
#[derive(Default)]
struct Lister {
    images: Vec<Image>,
    /// The arguments that could not be listed, named on stderr.
    failed: Vec<serde_json::Value>,
    /// The files that were passed over in folders and zips.
    left_out: Vec<LeftOut>,
}

impl Lister {
    /// A folder, a zip, a pack or an idx file stands for all images in it, anything else for itself.
    fn add(&mut self, path: &Path, card: &ModelCard) {
        if !path.is_dir() && !is_set(path) {
            self.images.push(Image::File(path.to_path_buf()));
            return;
        }
        let listed = open(path, &LabelsArgs::default()).and_then(|source| {
            source.check_packs(card.spec.input, card.reading)?;
            let (images, left_out) = all_images(&source);
            for note in notes(&source, &left_out) {
                console::warn(&note);
            }
            // As the images are named, since there may be several sets of them.
            let named = |left: LeftOut| LeftOut { file: left.path.clone(), ..left };
            self.left_out.extend(left_out.into_iter().map(named));
            if images.is_empty() {
                return Err(Error::data(
                    path,
                    format!("it holds no image ({}); name a folder, a zip or a file with some", suffixes()),
                ));
            }
            Ok((std::sync::Arc::new(source), images))
        });
        match listed {
            Ok((source, images)) => {
                self.images.extend(images.into_iter().map(|index| Image::InSource(source.clone(), index)));
            }
            Err(error) => {
                self.failed.push(refused(&path.display().to_string(), &error.to_string()));
            }
        }
    }
}

fn json(
    model: &Checkpoint,
    ranks: &Ranks,
    answers: &[Answer],
    failed: &[serde_json::Value],
    left_out: &[LeftOut],
) -> serde_json::Value {
    let predictions: Vec<_> = answers.iter().map(|answer| ranks.json(answer)).collect();
    let whose = match model.card.classes.two() {
        Some(_) => "the positive class",
        None => "the class that the image is taken for",
    };
    let mut object = json!({
        "classes": model.card.classes,
        "positive_class": model.card.classes.positive(),
        "threshold": model.card.threshold,
        "predictions": predictions,
        "errors": failed,
        "left_out": left_out,
        "note": format!("probability is that of {whose}; not for diagnosis"),
    });
    if !model.card.reading.is_default() {
        object["reading"] = json!(model.card.reading);
    }
    object
}

/// Draws the first answers of those to `images` images.
fn plot(path: &Path, model: &Checkpoint, ranks: &Ranks, answers: &[Answer], images: usize) -> Result<()> {
    let annotated: Vec<AnnotatedImage> = answers
        .iter()
        .filter_map(|answer| {
            let pixels = answer.pixels.as_ref()?;
            let label = answer.name.rsplit('/').next().unwrap_or(&answer.name);
            let (width, height) = (pixels.width as u32, pixels.height as u32);
            Some(AnnotatedImage {
                image: LabelledImage { label, width, height, pixels: &pixels.pixels },
                class: &model.card.classes[answer.class],
                probability: ranks.probability(answer),
            })
        })
        .collect();
    if annotated.len() == MOST_IMAGES && images > MOST_IMAGES {
        console::warn(&format!(
            "{} shows the first {MOST_IMAGES} of {images} images, as no more can be told apart; give fewer to --plot",
            path.display()
        ));
    }
    write_predictions(path, model.card.classes.positive(), &annotated)
}
