//! The trials of a sweep: all combinations of the values to try, or some that are drawn. They depend on the
//! flags alone, so that every process that works on a sweep has the same ones in the same order.

use crate::cli::args::MOST_TRIALS;
use glassnet::random::{Purpose, Stream};
use glassnet::{Error, Result};
use std::collections::HashSet;

/// The value that leaves the flag out.
pub const DEFAULT: &str = "default";

/// The quotient of a range's ends from which on its values are drawn by their logarithm.
const LOGARITHMIC_FROM: f64 = 10.0;

/// The longest name of a trial's folder, in characters: it is not the only one in a path.
const LONGEST_NAME: usize = 120;

/// A flag that is tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The flag, without its dashes.
    pub name: String,
    pub values: Values,
}

/// The values to try.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    List(Vec<String>),
    Range(Range),
}

/// A range to draw from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    pub low: f64,
    pub high: f64,
    /// True where whole numbers are wanted.
    pub is_whole: bool,
}

/// A trial: a value for each setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// From 1.
    pub number: usize,
    /// In the order of the settings.
    pub values: Vec<String>,
    /// The name of its folder.
    pub folder: String,
}

/// Returns all combinations; the values of the last setting change fastest.
///
/// # Errors
/// [`Error::Setting`] of a range, and where there are too many.
pub fn grid(settings: &[Setting]) -> Result<Vec<Trial>> {
    let mut rows: Vec<Vec<String>> = vec![Vec::new()];
    for Setting { name, values } in settings {
        let values = match values {
            Values::List(values) => values,
            Values::Range(_) => {
                let reason =
                    format!("{name} has a range, and values are drawn from it; give --random with their number");
                return Err(Error::setting("--try", reason));
            }
        };
        if rows.len() * values.len() > MOST_TRIALS {
            let reason = format!("there are more than {MOST_TRIALS} combinations; give fewer values, or --random");
            return Err(Error::setting("--try", reason));
        }
        let extended = |row: &Vec<String>| {
            values.iter().map(|value| [&row[..], std::slice::from_ref(value)].concat()).collect::<Vec<_>>()
        };
        rows = rows.iter().flat_map(extended).collect();
    }
    Ok(named(settings, rows))
}

/// Draws so many trials, no two alike.
///
/// # Errors
/// [`Error::Setting`], where there are not so many.
pub fn draw(settings: &[Setting], count: usize, seed: u64) -> Result<Vec<Trial>> {
    let mut stream = Stream::new(seed, Purpose::Sweep, 0, 0);
    let mut seen = HashSet::new();
    let mut rows = Vec::new();
    for _ in 0..100 * count {
        if rows.len() == count {
            break;
        }
        let row: Vec<String> = settings.iter().map(|setting| setting.values.draw(&mut stream)).collect();
        if seen.insert(row.clone()) {
            rows.push(row);
        }
    }
    if rows.len() < count {
        let reason = format!(
            "there are hardly more than {} different trials to draw; give a smaller number, or list the values and leave it out \
             for all combinations",
            rows.len()
        );
        return Err(Error::value("--random", count, reason));
    }
    Ok(named(settings, rows))
}

impl Values {
    fn draw(&self, stream: &mut Stream) -> String {
        match self {
            Values::List(values) => values[stream.below(values.len() as u32) as usize].clone(),
            Values::Range(range) => shown(range.draw(stream)),
        }
    }
}

impl Range {
    /// Returns whether its values are drawn by their logarithm.
    fn is_logarithmic(self) -> bool {
        self.low > 0.0 && self.high / self.low >= LOGARITHMIC_FROM
    }

    fn draw(self, stream: &mut Stream) -> f64 {
        let Range { low, high, is_whole } = self;
        let drawn = match self.is_logarithmic() {
            true => stream.uniform_f64(low.ln(), high.ln()).exp(),
            // Every whole number is the middle of as large a part.
            false if is_whole => stream.uniform_f64(low - 0.5, high + 0.5),
            false => stream.uniform_f64(low, high),
        };
        let rounded = if is_whole { drawn.round() } else { three_digits(drawn) };
        rounded.clamp(low, high)
    }
}

/// The number to three digits: more make no difference, and are hard to read.
fn three_digits(number: f64) -> f64 {
    format!("{number:.2e}").parse().unwrap_or(number)
}

/// A number as one gives it to a flag.
fn shown(number: f64) -> String {
    match number == 0.0 || (1e-4..1e9).contains(&number.abs()) {
        true => number.to_string(),
        false => format!("{number:e}"),
    }
}

/// The trials of these values, each with a folder of its own.
fn named(settings: &[Setting], rows: Vec<Vec<String>>) -> Vec<Trial> {
    let mut taken = HashSet::new();
    let trial = |(number, values): (usize, Vec<String>)| {
        let mut folder = folder(settings, &values);
        // Some file systems take letters of both cases for the same.
        if folder.chars().count() > LONGEST_NAME || !taken.insert(folder.to_lowercase()) {
            folder = format!("{}-{number}", folder.chars().take(LONGEST_NAME).collect::<String>());
        }
        Trial { number, values, folder }
    };
    (1..).zip(rows).map(trial).collect()
}

/// `learning-rate=0.001,dropout=0.5`, of what any file system takes.
fn folder(settings: &[Setting], values: &[String]) -> String {
    let pairs = settings.iter().zip(values).map(|(setting, value)| format!("{}={value}", setting.name));
    let name = pairs.collect::<Vec<_>>().join(",");
    name.chars().map(|char| if char.is_alphanumeric() || ".=,+-".contains(char) { char } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(name: &str, values: &[&str]) -> Setting {
        Setting { name: name.into(), values: Values::List(values.iter().map(|value| value.to_string()).collect()) }
    }

    fn range(name: &str, low: f64, high: f64, is_whole: bool) -> Setting {
        Setting { name: name.into(), values: Values::Range(Range { low, high, is_whole }) }
    }

    fn numbers(trials: &[Trial], setting: usize) -> Vec<f64> {
        trials.iter().map(|trial| trial.values[setting].parse().unwrap()).collect()
    }

    #[test]
    fn the_grid_has_every_combination_once_and_the_last_setting_changes_fastest() {
        let trials =
            grid(&[list("learning-rate", &["0.1", "1e-2"]), list("dropout", &["0.2", DEFAULT, "0.5"])]).unwrap();
        let folders: Vec<&str> = trials.iter().map(|trial| trial.folder.as_str()).collect();
        assert_eq!(
            folders,
            [
                "learning-rate=0.1,dropout=0.2",
                "learning-rate=0.1,dropout=default",
                "learning-rate=0.1,dropout=0.5",
                "learning-rate=1e-2,dropout=0.2",
                "learning-rate=1e-2,dropout=default",
                "learning-rate=1e-2,dropout=0.5",
            ]
        );
        assert_eq!(trials.iter().map(|trial| trial.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(trials[4].values, ["1e-2", DEFAULT]);
    }

    #[test]
    fn a_grid_of_a_range_or_of_too_many_is_refused() {
        let error = grid(&[range("dropout", 0.1, 0.5, false)]).unwrap_err().to_string();
        assert_eq!(error, "--try: dropout has a range, and values are drawn from it; give --random with their number");
        let many: Vec<String> = (0..200).map(|value| value.to_string()).collect();
        let many = |name: &str| Setting { name: name.into(), values: Values::List(many.clone()) };
        let error = grid(&[many("seed"), many("epochs")]).unwrap_err().to_string();
        assert!(error.starts_with("--try: there are more than 10000 combinations"), "{error}");
    }

    #[test]
    fn draws_are_the_seeds_within_their_ranges_and_the_first_of_more() {
        let settings = [
            range("learning-rate", 1e-6, 1e-1, false),
            range("dropout", 0.0, 0.5, false),
            range("batch-size", 2.0, 5.0, true),
            list("optimizer", &["adam", "sgd"]),
        ];
        let trials = draw(&settings, 300, 7).unwrap();
        assert_eq!(trials[..20], draw(&settings, 20, 7).unwrap());
        assert_ne!(trials[..20], draw(&settings, 20, 8).unwrap());
        assert_eq!(trials.iter().map(|trial| &trial.values).collect::<HashSet<_>>().len(), 300);
        let rates = numbers(&trials, 0);
        assert!(rates.iter().all(|rate| (1e-6..=1e-1).contains(rate)));
        // Of five decades each has its fifth: evenly drawn, nine tenths would be in the last one.
        let below = rates.iter().filter(|rate| **rate < 1e-4).count();
        assert!((90..150).contains(&below), "{below}");
        let dropouts = numbers(&trials, 1);
        let below = dropouts.iter().filter(|dropout| **dropout < 0.1).count();
        assert!((35..85).contains(&below), "{below}");
        for size in [2.0, 3.0, 4.0, 5.0] {
            let count = numbers(&trials, 2).iter().filter(|drawn| **drawn == size).count();
            assert!((50..100).contains(&count), "{size}: {count}");
        }
        assert!(trials.iter().all(|trial| trial.values.iter().all(|value| value.len() <= 9)), "{:?}", trials[0]);
    }

    #[test]
    fn more_trials_than_there_are_cannot_be_drawn() {
        let two = [list("optimizer", &["adam", "sgd"])];
        assert_eq!(draw(&two, 2, 0).unwrap().len(), 2);
        let error = draw(&two, 3, 0).unwrap_err().to_string();
        assert!(error.starts_with("--random 3: there are hardly more than 2 different trials to draw"), "{error}");
    }

    #[test]
    fn every_trial_has_a_folder_of_its_own_with_a_name_that_any_file_system_takes() {
        let long = "x".repeat(300);
        let trials = grid(&[list("model", &["a/b.toml", "a:b.toml", "A_B.toml", &long])]).unwrap();
        let folders: Vec<&str> = trials.iter().map(|trial| trial.folder.as_str()).collect();
        assert_eq!(folders[..3], ["model=a_b.toml", "model=a_b.toml-2", "model=A_B.toml-3"]);
        assert!(folders[3].len() < 130 && folders[3].ends_with("x-4"), "{}", folders[3]);
    }
}
