//! `glassnet predict`: what a trained model, or several together, take images for.

mod labels;
mod lister;
mod ranks;
mod sorted;
mod unsure;

use crate::cli::args::{PredictArgs, Tta};
use crate::cli::input::ensemble::Ensemble;
use crate::cli::input::model::check_threshold;
use crate::cli::input::predictor::{BATCH, Image, NoPrediction, Prediction};
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::console::{self, Lines};
use crate::cli::terminal::output;
use crate::cli::terminal::progress::Progress;
use glassnet::Result;
use glassnet::checkpoint::ModelCard;
use glassnet::classes::Label;
use glassnet::data::left_out::{LeftOut, Reason};
use glassnet::report::pictures::{AnnotatedImage, LabelledImage, MOST_IMAGES, write_predictions};
use lister::{Lister, list, refused};
use ranks::{Answer, Ranks};
use serde_json::json;
use sorted::SortedCopies;
use std::path::Path;
use unsure::tell_how_many_are_unsure;

/// Answers every image; one that cannot be read is named, and the others are done.
pub fn run(args: &PredictArgs) -> CommandResult {
    if let Some(path) = &args.plot {
        output::check_picture("--plot", path)?;
    }
    if let Some(path) = &args.csv {
        output::check_file("--csv", path)?;
    }
    let ensemble = Ensemble::load(&args.model, &args.with)?;
    let (file, card) = (&ensemble.files[0], &ensemble.first().card);
    let threshold = ensemble.threshold(args.threshold)?;
    let mut network = ensemble.predictor()?;
    check_threshold("--threshold", args.threshold.filter(|_| !network.head().has_several_labels()), &card.classes)?;
    if args.tta == Some(Tta::Flip) {
        network = network.mirroring();
    }
    if network.head().has_several_labels() {
        return labels::run(args, &ensemble, threshold, network);
    }
    let Lister { images, failed, left_out } = list(args, file, card)?;
    if let Some(path) = &args.plot {
        output::check_no_input("--plot", path, images.iter().map(Image::name))?;
    }
    if let Some(path) = &args.csv {
        output::check_no_input("--csv", path, images.iter().map(Image::name))?;
    }
    let mut sorted = args.sort_into.as_deref().map(SortedCopies::new).transpose()?;
    let ranks = Ranks::of(args.top, args.unsure, ensemble.first(), ensemble.len())?;
    let (mut told, mut lines) = (Told { answers: Vec::new(), failed, left_out }, Lines::default());
    if !args.json {
        lines.print(&ranks.heading());
    }
    if ensemble.len() > 1 {
        console::progress(&spread_line(&ensemble));
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
                let class = network.decision(&found, threshold);
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
        lines.print_json(&json(&ensemble, threshold, &ranks, &answers, &failed, &left_out));
    }
    if let Some(path) = &args.csv {
        ranks.write_csv(path, &answers)?;
    }
    if let Some(unsure) = args.unsure {
        tell_how_many_are_unsure(unsure, &ensemble.files, &card.classes);
    }
    if let Some(path) = args.plot.as_ref().filter(|_| !answers.is_empty()) {
        plot(path, card, &ranks, &answers, images.len())?;
    }
    lines.end()?;
    Ok(if failed.is_empty() { Outcome::Done } else { Outcome::PartlyFailed })
}

/// Says that several models answer, and what is told of them.
fn spread_line(ensemble: &Ensemble) -> String {
    format!("{} models answer: each probability is their mean, and sd their standard deviation (n − 1)", ensemble.len())
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
        let Prediction { probabilities, deviations, pixels, .. } = found;
        self.answers.push(Answer { name: image.name(), class, probabilities, deviations, pixels });
        self.answers.last()
    }
}

fn json(
    ensemble: &Ensemble,
    threshold: f64,
    ranks: &Ranks,
    answers: &[Answer],
    failed: &[serde_json::Value],
    left_out: &[LeftOut],
) -> serde_json::Value {
    let predictions: Vec<_> = answers.iter().map(|answer| ranks.json(answer)).collect();
    let card = &ensemble.first().card;
    let whose = match card.classes.two() {
        Some(_) => "the positive class",
        None => "the class that the image is taken for",
    };
    let mut object = json!({
        "classes": card.classes,
        "positive_class": card.classes.positive(),
        "threshold": threshold,
        "predictions": predictions,
        "errors": failed,
        "left_out": left_out,
        "note": format!("probability is that of {whose}; not for diagnosis"),
    });
    if ensemble.len() > 1 {
        object["models"] = ensemble.files.iter().map(|file| file.display().to_string()).collect();
        object["note"] = json!(format!(
            "probability is that of {whose}, the mean of the models' probabilities, and standard_deviation their spread (n − 1); \
             not for diagnosis"
        ));
    }
    if !card.reading.is_default() {
        object["reading"] = json!(card.reading);
    }
    object
}

/// Draws the first answers of those to `images` images.
fn plot(path: &Path, card: &ModelCard, ranks: &Ranks, answers: &[Answer], images: usize) -> Result<()> {
    let annotated: Vec<AnnotatedImage> = answers
        .iter()
        .filter_map(|answer| {
            let pixels = answer.pixels.as_ref()?;
            let label = answer.name.rsplit('/').next().unwrap_or(&answer.name);
            let (width, height) = (pixels.width as u32, pixels.height as u32);
            Some(AnnotatedImage {
                image: LabelledImage { label, width, height, pixels: &pixels.pixels },
                class: &card.classes[answer.class],
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
    write_predictions(path, card.classes.positive(), &annotated)
}
