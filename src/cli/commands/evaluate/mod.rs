//! `glassnet evaluate`: how good a model's answers are on a set whose classes are known.

mod answered;
mod describe;
mod evaluation;
mod labels;
mod mistakes;
mod several;
mod subset;
mod tables;
mod two;
mod write;

use crate::cli::args::EvaluateArgs;
use crate::cli::input::dataset::{check_one, open};
use crate::cli::input::model::{load_model, weights_file};
use crate::cli::input::predictor::Predictor;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::console::{self, Lines};
use crate::cli::terminal::output;
use answered::{AnswerOptions, Answered};
use describe::written_line;
use evaluation::EvaluationResult;
use glassnet::Error;
use glassnet::classes::LabelSet;
use glassnet::data::catalog::Catalog;
use glassnet::data::pack::Pack;
use glassnet::metrics::Judged;
use std::sync::Arc;
use subset::Subset;
use write::check_out;

/// Answers for every image of the subset, and tells how good the answers are; an image that cannot be read
/// is named, and the others are done. Whether that is a failure, `--skip-bad` decides.
pub fn run(args: &EvaluateArgs) -> CommandResult {
    if let Some(data) = &args.data {
        check_one(data, &args.more_data)?;
    }
    let file = weights_file(&args.model)?;
    let (data, labels) = match &args.data {
        Some(data) => (data.clone(), args.labels.clone()),
        None => subset::data_of_run(&file, args.subset)?,
    };
    if let Some(out) = &args.out {
        check_out(out)?;
        output::check_outside_data("--out", out, &data)?;
    }
    let model = load_model(&file)?;
    let several_labels = model.network.head().has_several_labels();
    if let (Some(threshold), None, false) = (args.threshold, model.card.classes.two(), several_labels) {
        let classes = model.card.classes.count();
        let reason =
            format!("it parts two classes, and of the model's {classes} the most probable is the answer; leave it out");
        return Err(Error::value("--threshold", threshold, reason).into());
    }
    let mut network = Predictor::new(&model, &file)?;
    let source = Arc::new(open(&data, &labels)?);
    source.check_packs(model.card.spec.input, model.card.reading)?;
    let catalog = match several_labels {
        true => Catalog::with_labels(&source, &model.card.classes)?,
        false => Catalog::with_classes(&source, &model.card.classes)?,
    };
    for note in &catalog.notes {
        console::warn(note);
    }
    let subset = Subset::choose(args.subset, &file, &model.card.training, &source, &catalog)?;
    let threshold = args.threshold.unwrap_or(model.card.threshold);
    if let Some(out) = &args.out {
        output::make_folder("--out", out)?;
    }

    let wanted = AnswerOptions { threshold, skip_bad: args.skip_bad || source.packs().any(Pack::skips_bad) };
    let answered = Answered::all(&mut network, &source, &subset.items, wanted)?;
    let left_out = catalog.left_out.iter().chain(&answered.left_out).cloned().collect();
    if !answered.skipped.is_empty() && answered.skipped.len() == subset.items.len() {
        let reason = format!(
            "none of its {} images that are to be judged can be read; mend or replace them",
            subset.items.len()
        );
        return Err(Error::data(&data, reason).into());
    }
    let Answered { labels, answers, sets, probabilities, losses, .. } = &answered;
    let head = network.head();
    let judged = match several_labels {
        true => {
            let sets: Vec<LabelSet> = sets.iter().map(|[set, _]| *set).collect();
            Judged::of_labels(head, &sets, probabilities, losses, threshold)
        }
        false => Judged::new(head, labels, answers, probabilities, losses, threshold),
    };
    let model = &model;
    let evaluation = EvaluationResult { file, model, network, source, subset, left_out, answered, judged };

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
