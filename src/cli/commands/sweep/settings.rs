//! From `--try` to settings: each name and each value held to what `train` takes, before anything is trained.

use super::plan::{DEFAULT, Range, Setting, Values};
use crate::cli::args::{Cli, GivenFlag, Tried};
use crate::cli::run::resume::flags::check;
use clap::error::{ContextKind, ContextValue};
use clap::{ArgAction, Command, CommandFactory};
use glassnet::{Error, Result};

/// Flags of `train` that choose the images.
const CHOOSE_IMAGES: [&str; 9] = [
    "folds",
    "validation-split",
    "validation-data",
    "group-regex",
    "labels",
    "path-column",
    "label-column",
    "group-column",
    "split-column",
];

/// Flags of `train` that make no difference to what a run learns.
const MAKE_NO_DIFFERENCE: [&str; 5] = ["out", "resume", "threads", "cache", "save-every"];

/// Flags with which the seed decides which images validate.
const SEED_CHOOSES: [&str; 2] = ["folds", "group-regex"];

/// Returns the settings to try beside the flags that are `given` for all trials.
///
/// # Errors
/// [`Error::Setting`] of the first that cannot be tried.
pub fn settings(tries: &[Tried], given: &[GivenFlag]) -> Result<Vec<Setting>> {
    let command = Cli::command();
    let mut settings: Vec<Setting> = Vec::new();
    for tried in tries {
        let refuse = |reason: String| Error::value("--try", tried, reason);
        check_name(&command, &tried.name, given).map_err(refuse)?;
        if settings.iter().any(|setting| setting.name == tried.name) {
            return Err(refuse(format!("{} is tried twice; give all of its values at once", tried.name)));
        }
        let values = values(&command, tried).map_err(refuse)?;
        settings.push(Setting { name: tried.name.clone(), values });
    }
    Ok(settings)
}

/// Checks whether a flag can be tried.
fn check_name(command: &Command, name: &str, given: &[GivenFlag]) -> std::result::Result<(), String> {
    let train = command.find_subcommand("train").ok_or("glassnet has no train")?;
    let Some(arg) = train.get_arguments().find(|arg| arg.get_long() == Some(name)) else {
        let tip = match similar(command, train, name) {
            Some(flag) => format!("is {flag} meant?"),
            None => "glassnet train --help has all of them".to_string(),
        };
        return Err(format!("glassnet train has no flag --{name}; {tip}"));
    };
    let is_given = |name: &str| given.iter().any(|flag| flag.name == name);
    if CHOOSE_IMAGES.contains(&name) {
        return Err("it chooses the images, and trials are compared on the same ones; give it for all of them".into());
    }
    if MAKE_NO_DIFFERENCE.contains(&name) {
        return Err("it makes no difference to what a run learns; give it for all trials".into());
    }
    if !matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) {
        return Err(format!("it has no value; give --{name} for all trials, or make a sweep with it and one without"));
    }
    if let Some(with) = SEED_CHOOSES.into_iter().find(|with| name == "seed" && is_given(with)) {
        return Err(seed_chooses(&format!("with --{with}")));
    }
    match is_given(name) {
        true => Err(format!("--{name} is given for all trials, too; leave one of the two out")),
        false => Ok(()),
    }
}

/// The reason why a seed cannot be tried where there are groups.
pub fn seed_chooses(why: &str) -> String {
    format!("{why} the seed also decides which images validate, and trials are compared on the same ones; leave it out")
}

/// The flag that was perhaps meant: one that is spelled nearly so, or abbreviated, as `lr`.
fn similar(command: &Command, train: &Command, name: &str) -> Option<String> {
    let line = ["glassnet", "train", "--resume=.", &format!("--{name}=1")].map(String::from);
    let error = command.clone().try_get_matches_from(line).err()?;
    if let Some(ContextValue::String(flag)) = error.get(ContextKind::SuggestedArg) {
        return flag.strip_prefix("--").map(str::to_string);
    }
    let is_abbreviated = |flag: &&str| {
        let mut letters = flag.chars();
        flag.chars().next() == name.chars().next() && name.chars().all(|letter| letters.any(|char| char == letter))
    };
    train.get_arguments().filter_map(|arg| arg.get_long()).find(is_abbreviated).map(str::to_string)
}

/// The values, each of which the flag takes.
fn values(command: &Command, tried: &Tried) -> std::result::Result<Values, String> {
    let Tried { name, values: text } = tried;
    let takes = |value: &str| check(command, "train", &format!("--{name}={value}").into());
    if let Some((low, high)) = ends(text) {
        for end in text.split("..") {
            takes(end).map_err(|reason| format!("{end}: {reason}"))?;
        }
        if low >= high {
            return Err("a range is LOW..HIGH, the smaller number first".into());
        }
        // A flag that takes whole numbers alone refuses all others.
        let is_whole = takes(&format!("{}", low.floor() + 0.5)).is_err();
        return Ok(Values::Range(Range { low, high, is_whole }));
    }
    let mut values: Vec<String> = Vec::new();
    for value in text.split(if text.contains('|') { '|' } else { ',' }) {
        if value.is_empty() {
            return Err(format!("a value is missing; {DEFAULT} leaves the flag out"));
        }
        if value != DEFAULT {
            takes(value).map_err(|reason| format!("{value}: {reason}"))?;
        }
        if let Some(twin) = values.iter().find(|other| is_same(other, value)) {
            return Err(format!("{value} is there twice, as {twin}; each value once"));
        }
        values.push(value.to_string());
    }
    Ok(Values::List(values))
}

/// The ends of a range.
fn ends(text: &str) -> Option<(f64, f64)> {
    let (low, high) = text.split_once("..")?;
    Some((low.parse().ok()?, high.parse().ok()?))
}

/// Whether two values are the same text or the same number.
fn is_same(a: &str, b: &str) -> bool {
    a == b || matches!((a.parse::<f64>(), b.parse::<f64>()), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, given: &[&str]) -> std::result::Result<Setting, String> {
        let given: Vec<GivenFlag> =
            given.iter().map(|name| GivenFlag { name: name.to_string(), argument: "".into() }).collect();
        let (name, values) = text.split_once('=').unwrap();
        let tried = Tried { name: name.into(), values: values.into() };
        let settings = settings(&[tried], &given).map_err(|error| error.to_string());
        settings.map(|mut settings| settings.remove(0))
    }

    #[test]
    fn values_are_parted_by_commas_or_by_bars_and_two_numbers_with_dots_between_are_a_range() {
        let list = |text: &str| match of(text, &[]).unwrap().values {
            Values::List(values) => values,
            Values::Range(range) => panic!("{range:?}"),
        };
        assert_eq!(list("dropout=0.2,default,0.5"), ["0.2", "default", "0.5"]);
        assert_eq!(list("augment=flip|flip,shift|default"), ["flip", "flip,shift", "default"]);
        assert_eq!(list("model=../a.toml,../b.toml"), ["../a.toml", "../b.toml"]);
        let range = |text: &str| of(text, &[]).unwrap().values;
        assert_eq!(range("learning-rate=1e-5..0.1"), Values::Range(Range { low: 1e-5, high: 0.1, is_whole: false }));
        assert_eq!(range("batch-size=4..64"), Values::Range(Range { low: 4.0, high: 64.0, is_whole: true }));
        assert_eq!(range("dropout=0..0.5"), Values::Range(Range { low: 0.0, high: 0.5, is_whole: false }));
        assert_eq!(range("weight-decay=0..1"), Values::Range(Range { low: 0.0, high: 1.0, is_whole: false }));
    }

    #[test]
    fn what_cannot_be_tried_is_refused_with_its_reason() {
        for (text, given, reason) in [
            ("lr=0.1", &[][..], "glassnet train has no flag --lr; is learning-rate meant?"),
            ("droput=0.1", &[], "glassnet train has no flag --droput; is dropout meant?"),
            ("zzz=1", &[], "glassnet train has no flag --zzz; glassnet train --help has all of them"),
            ("learning-rate=0.1,fast", &[], "fast: it must be a number above 0, such as 0.001"),
            ("dropout=0.5..2", &[], "2: it must be a number, at least 0 and below 1"),
            ("dropout=0.5..0.1", &[], "a range is LOW..HIGH, the smaller number first"),
            ("optimizer=adam,adagrad", &[], "adagrad: it must be one of adam, adamw, sgd"),
            (
                "nesterov=true",
                &[],
                "it has no value; give --nesterov for all trials, or make a sweep with it and one without",
            ),
            ("dropout=0.5,", &[], "a value is missing; default leaves the flag out"),
            ("dropout=0.5,5e-1", &[], "5e-1 is there twice, as 0.5; each value once"),
            ("epochs=1,2", &["epochs"], "--epochs is given for all trials, too; leave one of the two out"),
            ("threads=1,2", &[], "it makes no difference to what a run learns; give it for all trials"),
            (
                "folds=2,3",
                &[],
                "it chooses the images, and trials are compared on the same ones; give it for all of them",
            ),
            (
                "seed=1,2",
                &["folds"],
                "with --folds the seed also decides which images validate, and trials are compared on the same ones; leave it out",
            ),
        ] {
            assert_eq!(of(text, given).unwrap_err(), format!("--try {text}: {reason}"));
        }
        assert!(of("seed=1,2", &["epochs"]).is_ok());
        let twice = [1, 2].map(|value| Tried { name: "epochs".into(), values: value.to_string() });
        let error = settings(&twice, &[]).unwrap_err().to_string();
        assert_eq!(error, "--try epochs=2: epochs is tried twice; give all of its values at once");
    }
}
