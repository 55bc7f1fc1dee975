//! What `--watch` adds to a run folder: `watch.csv`, which goes on where the run does, and `report.html`.

use super::context::RunContext;
use crate::cli::input::mistakes::{mistake, pictured};
use crate::cli::run_folder::{REPORT, RunFolder};
use crate::cli::terminal::{console, output};
use glassnet::data::catalog::Item;
use glassnet::data::images::{ImageSet, read_as};
use glassnet::error::counted;
use glassnet::files::{read_text, write_whole};
use glassnet::head::Head;
use glassnet::metrics::{DEFAULT_THRESHOLD, Judged, positives};
use glassnet::network::Network;
use glassnet::optim::Clipping;
use glassnet::report::evaluation::mistakes::worst_mistakes;
use glassnet::report::evaluation::page::{EvaluationPage, Mistake};
use glassnet::report::watch::page::{TrainingPage, write_training_page};
use glassnet::report::watch::table::{read_watch, write_watch};
use glassnet::training::watch::{PartOfEpoch, Watcher};
use glassnet::training::{Evaluation, OptimizerName, ScheduleName, TrainSettings, TrainingState};
use glassnet::{Error, Result};

/// The table, and the figures of an epoch that was interrupted.
const TABLE: &str = "watch.csv";
const PART: &str = "watch-part.toml";

/// A watcher of a run of which these epochs are done, and perhaps a part of the next: it goes on from what
/// the run folder holds of them.
pub fn watcher<'n>(
    network: &'n Network,
    settings: &TrainSettings,
    folder: &RunFolder,
    state: &TrainingState,
) -> Result<Watcher<'n>> {
    let mut watcher = Watcher::new(network, settings.optimizer()?.clipping != Clipping::None);
    if state.steps.is_empty() {
        return Ok(watcher);
    }
    // What is not there was not watched.
    let mut rows = read_watch(&folder.file(TABLE)).unwrap_or_default();
    rows.retain(|row| row.epoch < state.history.len());
    watcher.go_on_from(rows);
    let part = read_text(&folder.file(PART)).ok().and_then(|text| toml::from_str::<PartOfEpoch>(&text).ok());
    if let Some(part) = part.filter(|part| (part.epoch, part.step) == (state.history.len(), state.steps.len())) {
        watcher.go_on_within(part);
    }
    Ok(watcher)
}

/// Writes the table as far as the run has come.
pub fn write_table(folder: &RunFolder, watcher: &Watcher) -> Result<()> {
    write_watch(&folder.file(TABLE), watcher.rows())
}

/// Writes the figures of the epoch that was interrupted, if one was.
pub fn write_part(folder: &RunFolder, watcher: &Watcher) -> Result<()> {
    let Some(part) = watcher.part() else { return Ok(()) };
    let path = folder.file(PART);
    let text = toml::to_string(&part)
        .map_err(|error| Error::setting(path.display().to_string(), format!("it cannot be written: {error}")))?;
    write_whole(&path, text.as_bytes())
}

/// Takes away the figures of an interrupted epoch: the run has come to its end.
pub fn remove_part(folder: &RunFolder) {
    // One that cannot be removed stands for a step that the run never goes on from again.
    let _ = std::fs::remove_file(folder.file(PART));
}

/// The answers to the images that validate, for the page.
pub struct Answers<'a> {
    pub evaluation: &'a Evaluation,
    pub images: &'a ImageSet,
    /// Whose they are: `last` or `best` weights.
    pub weights: &'static str,
}

/// Writes the page. `findings` are what is told of the run, the worst first.
pub fn write_page(
    folder: &RunFolder,
    run: &RunContext,
    state: &TrainingState,
    watcher: &Watcher,
    findings: &[String],
    answers: Option<Answers>,
) -> Result<()> {
    let names: Vec<String> = run.config.data.classes.names().map(|name| console::one_line(name).into_owned()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let findings: Vec<String> = findings.iter().map(|finding| console::one_line(finding).into_owned()).collect();
    let facts = facts(folder, run, state, &names, answers.as_ref());
    let page = TrainingPage {
        facts: &facts,
        findings: &findings,
        epochs: &state.history,
        constant_loss: run.constant_loss(),
        constant_accuracy: run.constant_accuracy(),
        rows: watcher.rows(),
        answers: None,
    };
    let path = folder.file(REPORT);
    let Some(Answers { evaluation, images, .. }) = answers else { return write_training_page(&path, &page) };

    let Evaluation { labels, answers, sets, probabilities, losses, .. } = evaluation;
    let head = run.network.head();
    let judged = match head.has_several_labels() {
        true => Judged::of_labels(head, sets, probabilities, losses, DEFAULT_THRESHOLD),
        false => Judged::new(head, labels, answers, probabilities, losses, DEFAULT_THRESHOLD),
    };
    let (shown, all_mistakes) = worst_mistakes(labels, answers, losses, &judged);
    let mistakes = pictured(shown, |image| mistake_of(evaluation, images, head, image));
    let positives = match judged {
        Judged::Two(_) => positives(head, probabilities),
        Judged::Several(_) | Judged::Labels(_) => Vec::new(),
    };
    let answers = EvaluationPage {
        facts: &[],
        classes: &names,
        judged: &judged,
        labels,
        positives: &positives,
        mistakes: &mistakes,
        all_mistakes,
    };
    write_training_page(&path, &TrainingPage { answers: Some(&answers), ..page })
}

/// Facts about the run, as they can stand on a page.
fn facts(
    folder: &RunFolder,
    run: &RunContext,
    state: &TrainingState,
    names: &[&str],
    answers: Option<&Answers>,
) -> Vec<(&'static str, String)> {
    let settings = &run.settings;
    let [training, validation] = run.counts.each_ref().map(|counts| counts.iter().sum::<usize>());
    let parameters = run.network.table().parameter_count();
    let done = match state.history.len() {
        epochs if epochs == settings.epochs => counted(epochs, "epoch"),
        epochs => format!("{epochs} of {}", counted(settings.epochs, "epoch")),
    };
    let schedule = match settings.schedule {
        ScheduleName::Constant => String::new(),
        schedule => format!(", schedule {}", schedule.name()),
    };
    let optimizer = match settings.optimizer {
        OptimizerName::Adam => "Adam",
        OptimizerName::Sgd => "SGD",
    };
    let line = |text: String| console::one_line(&text).into_owned();
    let mut facts = vec![
        ("Run", line(folder.path().display().to_string())),
        ("Data", line(run.config.data.path.clone())),
        ("Images", format!("{training} to train on, {validation} to validate on")),
        ("Classes", names.join(", ")),
        ("Network", format!("{}, {parameters} parameters", counted(run.network.layers().len(), "layer"))),
        (
            "Training",
            format!(
                "{done} of {}, batches of {}",
                counted(run.steps_per_epoch, "step"),
                run.config.settings.batch_size
            ),
        ),
        (
            "Optimizer",
            format!("{}, learning rate {}{schedule}, seed {}", optimizer, settings.learning_rate, settings.seed),
        ),
    ];
    facts.extend(answers.map(|answers| ("Weights", format!("the {} ones answer below", answers.weights))));
    facts
}

/// A mistake with its picture.
fn mistake_of(evaluation: &Evaluation, images: &ImageSet, head: Head, image: usize) -> Result<Mistake> {
    let item: &Item = &images.items()[image];
    let name = item.name();
    let (pixels, _) = read_as(images.source(), item.entry, images.reading(), |_, picture| {
        output::shrink(&name, picture.into_rgb8())
    })?;
    let pair = [evaluation.labels[image], evaluation.answers[image]];
    let row = &evaluation.probabilities[image * head.units()..(image + 1) * head.units()];
    mistake(head, &name, &pixels?, pair, row)
}
