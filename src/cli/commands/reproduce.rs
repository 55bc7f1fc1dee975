//! `glassnet reproduce`: the documented run, on the synthetic phantom set.

use crate::cli::args::{ReproduceArgs, RunArgs};
use crate::cli::input::dataset::Dataset;
use crate::cli::input::phantom_set::phantom_set;
use crate::cli::outcome::{CommandResult, Outcome};
use crate::cli::run::resume::ResumedRun;
use crate::cli::run::training_run::TrainingRun;
use crate::cli::run_folder::settings::RunSettings;
use crate::cli::terminal::console;
use glassnet::network::Network;
use glassnet::report::comparison::comparison_table;
use glassnet::spec::ModelSpec;
use glassnet::training::keras_run;
use serde_json::json;

/// A note on what the comparison shows and what it does not.
const WHAT_IT_SHOWS: &str = "\
The set is synthetic, and its difficulty was chosen so that Keras's curve on it resembles the documented one:
the resemblance is by construction. The evidence that the engine is right is another: from equal weights and
batches its losses are those of Keras but for rounding (benches/peers/README.md says how near). Not for diagnosis.";

/// Trains with the documented settings and sets the epochs beside the documented ones.
pub fn run(args: &ReproduceArgs, resumed: Option<ResumedRun>) -> CommandResult {
    let RunArgs { out, json, .. } = &args.common;
    let network = Network::new(&ModelSpec::documented())?;
    let run = TrainingRun {
        command: "reproduce",
        settings: RunSettings::documented(&args.common, network.spec().input),
        network,
        dataset: Dataset::new(phantom_set()?, keras_run::VALIDATION_SPLIT, None, 0)?,
        out: out.clone(),
        json: *json,
        resumed,
        checked: None,
    };
    let Some(mut finished) = run.execute()?.finished(*json)? else { return Ok(Outcome::Done) };
    finished.take_print_error()?;
    if *json {
        let mut object = finished.json();
        object["documented_epochs"] = json!(keras_run::HISTORY);
        object["note"] = json!(WHAT_IT_SHOWS.replace('\n', " "));
        console::print_json(&object)?;
    } else {
        for line in finished.closing_lines() {
            console::print(&line)?;
        }
        console::print("")?;
        console::print(comparison_table(&finished.epochs).trim_end_matches('\n'))?;
        console::print("")?;
        console::print(WHAT_IT_SHOWS)?;
    }
    Ok(Outcome::Done)
}
