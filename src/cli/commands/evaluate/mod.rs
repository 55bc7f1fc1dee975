//! `glassnet evaluate`: how good a model's answers are on a set whose classes are known.

mod answered;
mod chosen;
mod describe;
mod evaluation;
mod labels;
mod mistakes;
mod saved;
mod several;
mod subset;
mod tables;
mod two;
mod write;

use crate::cli::args::{EvaluateArgs, SubsetChoice, is_given};
use crate::cli::input::dataset::{check_one, open};
use crate::cli::input::model::{check_threshold, load_model, weights_file};
use crate::cli::input::predictor::Predictor;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::terminal::console::{self, Lines};
use crate::cli::terminal::output;
use answered::{AnswerOptions, Answered};
use chosen::{CHOOSE_THRESHOLD, ChosenThreshold, OnTest, subset_choice};
use describe::{saved_line, written_line};
use evaluation::EvaluationResult;
use glassnet::Error;
use glassnet::classes::LabelSet;
use glassnet::data::catalog::Catalog;
use glassnet::data::pack::Pack;
use glassnet::data::part::GivenPart;
use glassnet::metrics::Judged;
use saved::ThresholdPlace;
use std::sync::Arc;
use subset::Subset;
use write::check_out;

/// Answers for every image of the subset, and tells how good the answers are; an image that cannot be read
/// is named, and the others are done. Whether that is a failure, `--skip-bad` decides.
pub fn run(args: &EvaluateArgs) -> CommandResult {
    if let Some(data) = &args.data {
        check_one(data, &args.more_data)?;
    }
    let choice = subset_choice(args)?;
    let file = weights_file(&args.model)?;
    let saves = args.save_threshold.then(|| ThresholdPlace::claim(args, &file)).transpose()?;
    let (data, labels) = match &args.data {
        Some(data) => (data.clone(), args.labels.clone()),
        None => subset::data_of_run(&file, choice)?,
    };
    if let Some(out) = &args.out {
        check_out(out)?;
        output::check_outside_data("--out", out, &data)?;
    }
    let model = load_model(&file)?;
    let several_labels = model.network.head().has_several_labels();
    if let (Some(rule), true) = (args.choose_threshold, several_labels) {
        let reason =
            "it parts two classes, and for this model an image may have several labels; give one with --threshold";
        return Err(Error::value(CHOOSE_THRESHOLD, rule, reason).into());
    }
    check_threshold("--threshold", args.threshold.filter(|_| !several_labels), &model.card.classes)?;
    check_threshold(CHOOSE_THRESHOLD, args.choose_threshold, &model.card.classes)?;
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
    let has_test = source.has_part(GivenPart::Test);
    let choice = match has_test && args.choose_threshold.is_none() && !is_given("--subset") {
        true => SubsetChoice::Test,
        false => choice,
    };
    let subset = |choice| Subset::choose(choice, &file, &model.card.training, &source, &catalog);
    let test = (has_test && args.choose_threshold.is_some()).then(|| subset(SubsetChoice::Test)).transpose()?;
    let subset = subset(choice)?;
    let mut threshold = args.threshold.unwrap_or(model.card.threshold);
    if let Some(out) = &args.out {
        output::make_folder("--out", out)?;
    }

    let wanted = AnswerOptions { threshold, skip_bad: args.skip_bad || source.packs().any(Pack::skips_bad) };
    let mut answered = Answered::all(&mut network, &source, &subset.items, wanted)?;
    if !answered.skipped.is_empty() && answered.skipped.len() == subset.items.len() {
        let reason = format!(
            "none of its {} images that are to be judged can be read; mend or replace them",
            subset.items.len()
        );
        return Err(Error::data(&data, reason).into());
    }
    let mut chosen = None;
    if let Some(rule) = args.choose_threshold {
        let mut choice = ChosenThreshold::choose(rule, &model, network.head(), &answered)?;
        threshold = choice.threshold;
        answered.decide_by(network.head(), threshold);
        if let Some(test) = &test {
            choice.judge_on_test(&mut network, &source, test, wanted)?;
        }
        chosen = Some(choice);
    }
    let of_test = chosen.iter().flat_map(|chosen| &chosen.test).collect::<Vec<&OnTest>>();
    let has_failed = !answered.failed.is_empty() || of_test.iter().any(|test| !test.failed.is_empty());
    let left_out = catalog.left_out.iter().chain(&answered.left_out);
    let left_out = left_out.chain(of_test.iter().flat_map(|test| &test.left_out)).cloned().collect();
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
    let evaluation = EvaluationResult { file, model, network, source, subset, left_out, answered, judged, chosen };

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
    if let Some(place) = saves {
        place.save(threshold)?;
        if !args.json && !console::is_quiet() {
            printed.print(&saved_line(&evaluation.file, threshold));
        }
    }
    printed.end()?;
    Ok(if has_failed { Outcome::PartlyFailed } else { Outcome::Done })
}
