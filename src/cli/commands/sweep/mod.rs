//! `glassnet sweep`: trainings with many settings, side by side.
//!
//! | file | what it has |
//! |---|---|
//! | [`plan`] | the trials: a grid, or draws |
//! | [`settings`] | `--try`, held to what `train` takes |
//! | [`place`] | the folder, and whether it is that of the same sweep |
//! | [`trainer`] | a trial as a call of `train` |
//! | [`results`] | what became of a trial |
//! | [`told`] | the table, on the terminal and as files |

mod place;
mod plan;
mod results;
mod settings;
mod told;
mod trainer;

use crate::cli::args::SweepArgs;
use crate::cli::commands::train;
use crate::cli::input::dataset::{brings_a_split, check_one, groups};
use crate::cli::input::packed::open_pack;
use crate::cli::input::training_set::source;
use crate::cli::outcome::{CommandResult, Failure, Outcome};
use crate::cli::run_folder::RunFolder;
use crate::cli::run_folder::settings::RunSettings;
use crate::cli::terminal::{console, interrupt};
use glassnet::data::catalog::Catalog;
use glassnet::error::counted;
use glassnet::files::write_whole;
use glassnet::network::Network;
use glassnet::{Error, Result};
use plan::{Setting, Trial, draw, grid};
use results::{DIVERGED, State};
use std::path::Path;
use told::Sweep;
use trainer::{Trainer, has_diverged};

/// Trains the trials that are not done, and prints all that are.
pub fn run(args: &SweepArgs) -> CommandResult {
    let call = call_again();
    // Every trial has the same data.
    console::warn_once();
    let train = &args.trials.train;
    let (Some(data), Some(out)) = (&train.data, &train.common.out) else {
        return Err(Error::setting("DATA, --out", "both are needed").into());
    };
    check_one(data, &train.more_data)?;
    RunFolder::check_outside(Some(out), data)?;
    let settings = settings::settings(&args.tries, &args.trials.given)?;
    let trials = match args.random {
        None => grid(&settings)?,
        Some(count) => draw(&settings, count, train.common.seed)?,
    };
    let trainer = Trainer { data, given: &args.trials.given, settings: &settings, out };
    let catalog = listed(args, &settings)?;
    catalog.notes.iter().for_each(|note| console::warn(note));
    let first = check(&trainer, &trials, &catalog)?;
    if first.0.training.label_smoothing > 0.0 && is_tried(&settings, "label-smoothing") {
        console::warn(
            "--label-smoothing is a part of val_loss itself, so trials with different shares are not to be compared by \
             it; val_accuracy tells more",
        );
    }
    place::claim(out, &place::plan(args, &first, &catalog)?)?;
    let states = trials.iter().map(|trial| State::read(&trainer.folder(trial), train.folds));
    let states = states.collect::<Result<Vec<State>>>()?;
    let mut sweep = Sweep { out, settings: &settings, trials: &trials, states, folds: train.folds };
    let mine = |trial: &Trial| args.shard.is_none_or(|shard| shard.has(trial.number));
    let outcome = train_all(&trainer, &mut sweep, mine);
    // What is done is told also where the rest could not be.
    sweep.read_again(mine)?;
    sweep.write()?;
    outcome.map_err(|failure| match failure {
        Failure::Stopped { error, .. } | Failure::Work(error @ Error::Interrupted) => {
            Failure::Stopped { error, go_on: call }
        }
        failure => failure,
    })?;
    if train.common.json {
        console::print_json(&sweep.json(&catalog.left_out))?;
    } else {
        for line in sweep.lines() {
            console::print(&line)?;
        }
    }
    Ok(Outcome::Done)
}

/// Trains the trials that are mine, and not done.
fn train_all(trainer: &Trainer, sweep: &mut Sweep, mine: impl Fn(&Trial) -> bool) -> std::result::Result<(), Failure> {
    let is_left = |(index, trial): &(usize, &Trial), sweep: &Sweep| {
        mine(trial) && matches!(sweep.states[*index], State::Waiting | State::Begun)
    };
    let of_mine = sweep.trials.iter().filter(|trial| mine(trial)).count();
    let trials: Vec<(usize, &Trial)> = sweep.trials.iter().enumerate().filter(|trial| is_left(trial, sweep)).collect();
    if trials.len() < of_mine {
        console::progress(&format!("Going on: {} of {} are done", of_mine - trials.len(), counted(of_mine, "trial")));
    }
    for (index, trial) in trials {
        interrupt::check()?;
        console::progress(&format!("Trial {} of {}: {}", trial.number, sweep.trials.len(), sweep.name(trial)));
        let folder = trainer.folder(trial);
        match trainer.train(trial) {
            Err(failure) if has_diverged(&failure) => {
                let failure = failure.to_string();
                console::warn(&format!("{}: {failure}", trial.folder));
                write_whole(&folder.join(DIVERGED), format!("{failure}\n").as_bytes())?;
            }
            Err(failure) => {
                // The table tells where a trial stands that was stopped.
                sweep.states[index] = State::read(&folder, sweep.folds)?;
                sweep.write_table()?;
                return Err(failure);
            }
            Ok(()) => {}
        }
        sweep.states[index] = State::read(&folder, sweep.folds)?;
        sweep.check_data()?;
        sweep.progress(index).iter().for_each(|line| console::progress(line));
        sweep.write_table()?;
    }
    Ok(())
}

/// Lists the data, and checks that all trials will validate on the same images of it.
fn listed(args: &SweepArgs, settings: &[Setting]) -> Result<Catalog> {
    let train = &args.trials.train;
    let data = train.data.as_deref().unwrap_or(Path::new(""));
    let source = source(open_pack(data)?, Some(data), &train.labels)?;
    let catalog = Catalog::from_source(&source)?;
    let has_split = brings_a_split(&source);
    let share_decides = train.folds.is_none() && train.validation_data.is_none() && !has_split;
    if share_decides && train.validation_split == 0.0 {
        let reason = "no image validates then, and trials are compared by their val_loss; give a larger share";
        return Err(Error::value("--validation-split", 0, reason));
    }
    if is_tried(settings, "seed") && !has_split && groups(&catalog, &source, train.group_regex.as_deref())?.is_some() {
        let reason = settings::seed_chooses("where the data tell of groups,");
        return Err(Error::setting("--try seed", reason));
    }
    Ok(catalog)
}

fn is_tried(settings: &[Setting], name: &str) -> bool {
    settings.iter().any(|setting| setting.name == name)
}

/// Checks every trial before the first is trained, and returns the settings and the network of the first.
fn check(
    trainer: &Trainer,
    trials: &[Trial],
    catalog: &Catalog,
) -> std::result::Result<(RunSettings, Network), Failure> {
    let mut first = None;
    for trial in trials {
        let checked = train::check(&trainer.args(trial), catalog).map_err(|failure| match failure {
            Failure::Work(Error::Setting { .. }) if trials.len() > 1 => {
                Error::setting(format!("--try, {}", trial.folder), failure.to_string()).into()
            }
            failure => failure,
        })?;
        first.get_or_insert(checked);
    }
    first.ok_or_else(|| Error::setting("--try", "it gives no trial").into())
}

/// The call of this process, as one gives it in a shell.
fn call_again() -> String {
    let arguments = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    let words = arguments.map(|argument| console::shell_word(&argument).into_owned());
    std::iter::once("glassnet".to_string()).chain(words).collect::<Vec<_>>().join(" ")
}
