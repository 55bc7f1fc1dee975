//! `glassnet lr-find`: a learning rate by trying many, each for a step.

use crate::cli::args::LrFindArgs;
use crate::cli::input::dataset::{Dataset, Part};
use crate::cli::input::packed::{FlagsOnData, as_packed, open_pack};
use crate::cli::input::training_set::{for_data, network, source, training_loader};
use crate::cli::machine::memory::Memory;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::run_folder::settings::RunSettings;
use crate::cli::terminal::{console, interrupt, output};
use glassnet::Error;
use glassnet::error::counted;
use glassnet::files::write_table;
use glassnet::network::Network;
use glassnet::report::pictures::write_rates;
use glassnet::training::{RateCurve, RatePoint, RateRange, TrainSettings, TrainingState, range_test};
use serde_json::json;

/// What `--out` holds.
const CURVE: &str = "lr-find.png";
const NUMBERS: &str = "lr-find.csv";

/// Lines of the printed curve.
const MOST_LINES: usize = 16;

/// Takes the steps, prints the curve and what it suggests.
pub fn run(args: &LrFindArgs) -> CommandResult {
    if args.to <= args.from {
        let reason = format!("{} must be above --from {}", args.to, args.from);
        return Err(Error::setting("--to", reason).into());
    }
    if let Some(out) = &args.out {
        output::check_new_folder("--out", out)?;
        output::check_outside_data("--out", out, &args.data)?;
    }
    let pack = open_pack(&args.data)?;
    let args = &as_packed(args, pack.as_ref(), |args| FlagsOnData {
        reading: &mut args.reading,
        bit_depth: &mut args.bit_depth,
        skip_bad: &mut args.skip_bad,
        image_size: &mut args.image_size,
        has_model: args.model.is_some(),
    })?;
    let network = network(args.model.as_deref(), args.image_size, args.dropout)?;
    let settings = run_settings(args, &network);
    let optimizer = settings.training.optimizer()?;
    let source = source(pack, Some(&args.data), &args.labels)?;
    let mut dataset = Dataset::new(source, args.validation_split, None, args.seed)?;
    let network = for_data(network, args.model.as_deref(), &dataset.catalog)?;
    let batch = args.batch_size.min(dataset.items(Part::Training).len());
    Memory::new(&network, batch, settings.plan_options(), optimizer.rule).check_training(batch)?;
    let mut state = TrainingState::new(settings.initial_parameters(&network)?, optimizer);
    let (loader, _) = training_loader(&mut dataset, &settings)?;
    if let Some(out) = &args.out {
        output::make_folder("--out", out)?;
    }
    let range = RateRange { least: args.from, most: args.to, steps: args.steps };
    let curve = range_test(&network, &mut state, &loader, &settings.training, range, |_| interrupt::check())?;
    if let Some(out) = &args.out {
        write_rates(&out.join(CURVE), &curve)?;
        let rows = curve.points.iter().map(|point| (point.learning_rate, point.loss, point.smoothed));
        write_table(&out.join(NUMBERS), &["learning_rate", "loss", "smoothed"], rows)?;
    }
    tell(args, &curve)
}

fn tell(args: &LrFindArgs, curve: &RateCurve) -> CommandResult {
    let suggestion = curve.steepest().map(|point| two_digits(point.learning_rate));
    if args.json {
        let points: Vec<_> = curve.points.iter().map(row).collect();
        console::print_json(&json!({ "suggestion": suggestion, "diverged": curve.diverged, "points": points }))?;
        return Ok(Outcome::Done);
    }
    console::print("learning rate    loss  mean of it and those before")?;
    let every = curve.points.len().div_ceil(MOST_LINES).max(1);
    for point in curve.points.iter().step_by(every) {
        console::print(&format!("{:>13.2e}  {:6.4}  {:6.4}", point.learning_rate, point.loss, point.smoothed))?;
    }
    let taken = counted(curve.points.len(), "step");
    let end = match curve.diverged {
        true => format!("After {taken} the loss had gone up for good"),
        false => format!("After {taken} it had not gone up for good; a larger --to would show where it does"),
    };
    console::print(&end)?;
    console::print(&match suggestion {
        Some(rate) => format!("It falls fastest at a learning rate of about {rate}: --learning-rate {rate}"),
        None => {
            "It never falls, so no learning rate is better than another: look at the data by glassnet inspect, or take \
                 more --steps"
                .into()
        }
    })?;
    if let Some(out) = &args.out {
        console::print(&format!("Wrote {} and {}", out.join(CURVE).display(), out.join(NUMBERS).display()))?;
    }
    Ok(Outcome::Done)
}

/// A point as JSON.
fn row(point: &RatePoint) -> serde_json::Value {
    json!({ "learning_rate": point.learning_rate, "loss": point.loss, "smoothed": point.smoothed })
}

/// A rate as one gives it to a flag: of two digits.
fn two_digits(rate: f64) -> f64 {
    format!("{rate:.1e}").parse().unwrap_or(rate)
}

/// The settings that `train` would have of the same flags.
fn run_settings(args: &LrFindArgs, network: &Network) -> RunSettings {
    let training = TrainSettings {
        class_weight: args.class_weight.into(),
        label_smoothing: args.label_smoothing,
        augmentation: args.augment,
        seed: args.seed,
        ..args.optimizer.applied_to(TrainSettings::default())
    };
    RunSettings {
        batch_size: args.batch_size,
        validation_split: Some(args.validation_split),
        labels: args.labels.clone(),
        init_weights: args.init_weights.clone(),
        skip_bad: args.skip_bad,
        reading: args.reading,
        bit_depth: args.bit_depth,
        ..RunSettings::of(training, network.spec().input, args.cache)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggestion_has_two_digits() {
        assert_eq!([0.001_234, 0.98765, 3.0].map(two_digits), [0.0012, 0.99, 3.0]);
    }
}
