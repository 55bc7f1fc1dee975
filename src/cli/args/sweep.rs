//! The arguments of `sweep`: those of `train`, of which some are tried with several values.

use super::train::TrainArgs;
use super::values::whole_number;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, parser::ValueSource};
use std::ffi::OsString;
use std::fmt;

/// `glassnet sweep`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "All flags of glassnet train, and more on each: glassnet sweep --help",
    after_long_help = "Examples:
  glassnet sweep photos --try learning-rate=1e-4,3e-4,1e-3 --try dropout=0.2,0.5 --epochs 20 --out rates
  glassnet sweep photos --try learning-rate=1e-5..1e-2 --try 'augment=default|flip|flip,shift' --random 20 --folds 5 --out drawn
  glassnet sweep photos --try batch-size=8,16,32 --shard 1/2 --out sizes      another machine takes --shard 2/2

The same call again goes on where the sweep was stopped, and trains nothing twice. The folder has a run folder for each trial, which evaluate and predict take, sweep.csv, a row for each trial and the best one first, and sweep.png, a panel for each setting. The figure is the lowest val_loss of the run's epochs, by which its best weights are chosen. The more trials are compared on the same validation images, the more it flatters the best of them: keep some images that no trial sees."
)]
pub struct SweepArgs {
    /// A flag of train, and the values to try: dropout=0.2,0.5
    ///
    /// Without its dashes. Any flag that has a value may be given, but for those that choose the images. Give
    /// --try once for each; all combinations are tried, or with --random some. Where a value has a comma, |
    /// parts the values; default leaves the flag out. With --random, LOW..HIGH is a range that values are
    /// drawn from.
    #[arg(long = "try", value_name = "NAME=VALUE,…", required = true, value_parser = tried)]
    pub tries: Vec<Tried>,
    /// Draw N trials at random instead of trying all combinations
    ///
    /// From LOW..HIGH a value is drawn evenly by its logarithm where HIGH is at least ten times LOW, as of
    /// learning rates, else evenly; of three digits, or a whole number for a flag that takes these. Of listed
    /// values each is as likely as the others. --seed decides, and a larger N begins with the same trials in
    /// another folder.
    #[arg(long, value_name = "N", value_parser = trials, allow_negative_numbers = true)]
    pub random: Option<usize>,
    /// Do every N-th trial alone, from the I-th on
    ///
    /// As in 2/3, for one of three machines. Each writes a table of what its folder holds; where they share
    /// one folder, or it is gathered from all, that is the whole sweep.
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub shard: Option<Shard>,
    /// The flags of `train`.
    #[command(flatten)]
    pub trials: TrialArgs,
}

/// A flag that is tried, as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The flag, without its dashes.
    pub name: String,
    /// Its values.
    pub values: String,
}

/// As it is given.
impl fmt::Display for Tried {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{}={}", self.name, self.values)
    }
}

/// `--try`.
fn tried(text: &str) -> Result<Tried, String> {
    match text.trim_start_matches("--").split_once('=') {
        Some((name, values)) if !name.is_empty() => Ok(Tried { name: name.into(), values: values.into() }),
        _ => Err("it must be a flag of train and its values, such as learning-rate=1e-4,1e-3".into()),
    }
}

/// The most trials of a sweep.
pub const MOST_TRIALS: usize = 10_000;

/// `--random`.
fn trials(text: &str) -> Result<usize, String> {
    whole_number(text, MOST_TRIALS)
}

/// The part of a sweep that a process does: every `of`-th trial, from the `number`-th on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    pub number: usize,
    /// The number of shards.
    pub of: usize,
}

impl Shard {
    /// Returns whether the trial of this number, from 1, is one of its.
    pub fn has(self, trial: usize) -> bool {
        trial % self.of == self.number % self.of
    }
}

/// `--shard`.
fn shard(text: &str) -> Result<Shard, String> {
    let wrong = || "it must be a number and how many there are, such as 1/3, 2/3 or 3/3".to_string();
    let (number, of) = text.split_once('/').ok_or_else(wrong)?;
    let of = whole_number(of, MOST_TRIALS).map_err(|_| wrong())?;
    let number = whole_number(number, of).map_err(|_| wrong())?;
    Ok(Shard { number, of })
}

/// A flag that was given for all trials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenFlag {
    /// Its name without dashes.
    pub name: String,
    /// The flag and its value as one argument.
    pub argument: OsString,
}

/// The arguments of `train` in a sweep.
#[derive(Clone, Debug)]
pub struct TrialArgs {
    /// As `train` has them.
    pub train: TrainArgs,
    /// The flags among them that were given.
    pub given: Vec<GivenFlag>,
}

/// The flags of `train` that the short help of `sweep` has.
const USUAL: [&str; 8] = ["out", "folds", "epochs", "model", "seed", "threads", "json", "quiet"];

/// The heading in the help over what is the same as in `train`.
const HEADING: &str = "Flags of every trial, as of glassnet train";

/// An argument of `train` as `sweep` has it.
fn of_sweep(arg: &Arg) -> Arg {
    let id = arg.get_id().as_str();
    let usual = arg.is_positional() || USUAL.contains(&id);
    let arg = arg.clone().hide_short_help(!usual);
    match id {
        "out" => arg
            .required(true)
            .help("The folder of the sweep")
            .long_help("The folder of the sweep\n\nA new one, or that of the same sweep, which goes on."),
        // The same call goes on.
        "resume" => arg.hide(true).conflicts_with("tries"),
        "data" => {
            let help = arg.get_help().cloned().unwrap_or_default();
            arg.required(true).long_help(help)
        }
        "more_data" | "seed" | "threads" | "json" | "quiet" => arg,
        _ => arg.help_heading(HEADING),
    }
}

impl Args for TrialArgs {
    fn augment_args(command: Command) -> Command {
        // Each by itself, so that train's own examples stay behind.
        let train = TrainArgs::augment_args(Command::new("train"));
        train.get_arguments().fold(command, |command, arg| command.arg(of_sweep(arg)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        TrialArgs::augment_args(command)
    }
}

impl FromArgMatches for TrialArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<TrialArgs, clap::Error> {
        let train = TrainArgs::augment_args(Command::new("train"));
        let given = train.get_arguments().filter_map(|arg| given(arg, matches)).collect();
        Ok(TrialArgs { train: TrainArgs::from_arg_matches(matches)?, given })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = TrialArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The flag as it was given, if it was.
fn given(arg: &Arg, matches: &ArgMatches) -> Option<GivenFlag> {
    let (id, name) = (arg.get_id().as_str(), arg.get_long()?);
    if matches.value_source(id) != Some(ValueSource::CommandLine) {
        return None;
    }
    let mut argument = OsString::from(format!("--{name}"));
    if matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) {
        argument.push("=");
        for (place, value) in matches.get_raw(id)?.enumerate() {
            argument.push(if place > 0 { "," } else { "" });
            argument.push(value);
        }
    }
    Some(GivenFlag { name: name.to_string(), argument })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Cli;
    use clap::Parser;

    #[test]
    fn the_flags_of_train_that_were_given_are_handed_on_and_no_others() {
        let line = "glassnet sweep set --try dropout=0.2,0.5 --epochs 3 --freeze a,b --augment flip,shift -q --out s";
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let crate::cli::args::Command::Sweep(args) = cli.command else { panic!("{cli:?}") };
        let mut given: Vec<&str> = args.trials.given.iter().map(|flag| flag.argument.to_str().unwrap()).collect();
        given.sort_unstable();
        assert_eq!(given, ["--augment=flip,shift", "--epochs=3", "--freeze=a,b", "--out=s", "--quiet"]);
        assert_eq!(args.trials.train.epochs, 3);
        assert_eq!(args.tries, [Tried { name: "dropout".into(), values: "0.2,0.5".into() }]);
    }

    #[test]
    fn every_trial_is_in_one_shard() {
        for of in 1..5 {
            for trial in 1..20 {
                let holding = (1..=of).filter(|&number| Shard { number, of }.has(trial));
                assert_eq!(holding.count(), 1, "{trial} of {of}");
            }
        }
        assert!(Shard { number: 2, of: 3 }.has(2) && Shard { number: 3, of: 3 }.has(3));
        assert_eq!(shard("2/3"), Ok(Shard { number: 2, of: 3 }));
        for wrong in ["", "1", "0/3", "4/3", "1/0", "a/b", "1/3/3"] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
    }
}
