//! The arguments of `train` for the schedule of its learning rate.

use super::values::{not_negative, positive};
use clap::{Args, ValueEnum};
use glassnet::training::{Piece, ScheduleName, TrainSettings};

/// `--schedule`, and what belongs to it. Which schedule needs what, the settings check.
#[derive(Args, Clone, Debug)]
pub struct ScheduleArgs {
    /// How the learning rate changes from step to step
    ///
    /// steps.csv then has the rate of each step. An epoch has a step for each batch; steps count from 0, over
    /// all epochs.
    #[arg(long, value_name = "NAME", default_value_t = ScheduleChoice::Constant, value_enum)]
    pub schedule: ScheduleChoice,
    /// Steps in which a cosine falls, or of a stair [default: the run's; a third of them]
    ///
    /// A cosine falls over the whole run, but for its warm-up; a staircase has three stairs in it. The number
    /// is written to config.toml, and stays when the run goes on with more or fewer --epochs.
    #[arg(long, value_name = "N", value_parser = steps, allow_negative_numbers = true, hide_short_help = true)]
    pub decay_steps: Option<u64>,
    /// Share of the rate that a cosine leaves at its end [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = not_negative, allow_negative_numbers = true, hide_short_help = true)]
    pub alpha: Option<f64>,
    /// Steps in which the rate rises before a cosine falls
    ///
    /// It rises in a line from --learning-rate to --warmup-target, or without that from 0 to --learning-rate.
    #[arg(long, value_name = "N", value_parser = steps, allow_negative_numbers = true, hide_short_help = true)]
    pub warmup_steps: Option<u64>,
    /// Rate that a warm-up rises to, and from which the cosine falls
    #[arg(long, value_name = "RATE", value_parser = positive, allow_negative_numbers = true, hide_short_help = true)]
    pub warmup_target: Option<f64>,
    /// Factor of each stair of a staircase [default: 0.1]
    #[arg(long, value_name = "FACTOR", value_parser = positive, allow_negative_numbers = true, hide_short_help = true)]
    pub decay_rate: Option<f64>,
    /// Rates of a piecewise schedule
    ///
    /// As in 100:0.001,200:0.0001: behind step 100 the rate is 0.001, behind step 200 it is 0.0001; before it
    /// is --learning-rate.
    #[arg(long, value_name = "STEP:RATE,…", value_parser = Piece::parse, value_delimiter = ',', hide_short_help = true)]
    pub pieces: Vec<Piece>,
    /// Factor by which the rate falls at a plateau [default: 0.1]
    #[arg(long, value_name = "FACTOR", value_parser = positive, allow_negative_numbers = true, hide_short_help = true)]
    pub plateau_factor: Option<f64>,
    /// Epochs without a better val_loss that make a plateau [default: 10]
    #[arg(long, value_name = "EPOCHS", value_parser = super::values::epochs, allow_negative_numbers = true, hide_short_help = true)]
    pub plateau_patience: Option<usize>,
    /// By how much a val_loss must be lower to be better [default: 0.0001]
    #[arg(long, value_name = "LOSS", value_parser = not_negative, allow_negative_numbers = true, hide_short_help = true)]
    pub plateau_min_delta: Option<f64>,
}

/// `--schedule`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub enum ScheduleChoice {
    /// Not at all
    Constant,
    /// Along half a wave of a cosine in --decay-steps, perhaps after a warm-up
    Cosine,
    /// Times --decay-rate every --decay-steps
    Staircase,
    /// As --pieces says
    Piecewise,
    /// Times a factor when val_loss has not fallen for some epochs
    Plateau,
}

/// A number of steps, `--decay-steps`.
fn steps(text: &str) -> Result<u64, String> {
    const MOST: u64 = 1_000_000_000_000;
    match text.parse() {
        Ok(steps) if (1..=MOST).contains(&steps) => Ok(steps),
        _ => Err(format!("it must be a whole number from 1 to {MOST}")),
    }
}

impl ScheduleArgs {
    /// Returns these settings with what the flags ask for.
    pub fn applied_to(&self, settings: TrainSettings) -> TrainSettings {
        TrainSettings {
            schedule: match self.schedule {
                ScheduleChoice::Constant => ScheduleName::Constant,
                ScheduleChoice::Cosine => ScheduleName::Cosine,
                ScheduleChoice::Staircase => ScheduleName::Staircase,
                ScheduleChoice::Piecewise => ScheduleName::Piecewise,
                ScheduleChoice::Plateau => ScheduleName::Plateau,
            },
            warmup_steps: self.warmup_steps,
            warmup_target: self.warmup_target,
            decay_steps: self.decay_steps,
            decay_rate: self.decay_rate,
            alpha: self.alpha,
            pieces: self.pieces.clone(),
            plateau_factor: self.plateau_factor,
            plateau_patience: self.plateau_patience,
            plateau_min_delta: self.plateau_min_delta,
            ..settings
        }
    }
}
