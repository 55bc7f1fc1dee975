//! The values that options take: their limits, and what is said of a value outside of them.

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Command};
use glassnet::data::augment::Augmentation;
use glassnet::kernels::conv::registry::ConvPolicy;
use serde::{Serialize, Serializer};
use std::ffi::OsStr;
use std::fmt;

/// A value with a name, for shells to complete and for help to list. What is wrong is said by `parse`, in a
/// sentence.
#[derive(Clone)]
pub struct Named<T> {
    names: Vec<&'static str>,
    parse: fn(&str) -> Result<T, String>,
}

impl<T> Named<T> {
    /// The names, and what makes a value of a text.
    pub fn new(names: impl IntoIterator<Item = &'static str>, parse: fn(&str) -> Result<T, String>) -> Named<T> {
        Named { names: names.into_iter().collect(), parse }
    }
}

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Named<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, clap::Error> {
        self.parse.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.names.iter().map(PossibleValue::new)))
    }
}

/// `--conv`.
pub fn conv() -> Named<ConvPolicy> {
    Named::new(ConvPolicy::ALL.map(ConvPolicy::name), str::parse)
}

/// The most threads that may be asked for.
const MAX_THREADS: usize = 1024;

/// The largest batch: more images than a data set may hold, and few enough that sizes in bytes can be
/// counted.
const MAX_BATCH_SIZE: usize = 1_000_000;

/// The most folds of a cross-validation: as many models are trained.
const MAX_FOLDS: usize = 1000;

/// The most epochs.
const MAX_EPOCHS: usize = 1_000_000;

/// The longest time between two savings: more than ten years.
const MAX_SECONDS: f64 = 1e9;

/// The largest cache: a PiB, so that its size in bytes can be counted.
const MAX_MEBIBYTES: usize = 1 << 30;

/// The most samples of each class: more cannot be told apart in one picture.
const MAX_SHOWN: usize = 100;

/// The most synthetic images of each class; all are in memory before the first is written.
const MAX_DRAWN: usize = 10_000;

/// The largest seed: the largest whole number of TOML, in which a run's configuration is written.
const MAX_SEED: u64 = i64::MAX as u64;

/// A whole number from 1 to `most`.
pub fn whole_number(text: &str, most: usize) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(format!("it must be a whole number from 1 to {most}")),
    }
}

/// `--epochs`, `--early-stopping`.
pub fn epochs(text: &str) -> Result<usize, String> {
    whole_number(text, MAX_EPOCHS)
}

/// `--threads`.
pub fn threads(text: &str) -> Result<usize, String> {
    whole_number(text, MAX_THREADS)
}

/// `--batch-size`.
pub fn batch_size(text: &str) -> Result<usize, String> {
    whole_number(text, MAX_BATCH_SIZE)
}

/// `samples --per-class`.
pub fn shown(text: &str) -> Result<usize, String> {
    whole_number(text, MAX_SHOWN)
}

/// `phantom --benign`, `--malignant`.
pub fn drawn(text: &str) -> Result<usize, String> {
    whole_number(text, MAX_DRAWN)
}

/// The height and width of images, `--image-size`: one number where they are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageSize {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

/// As the flag takes it.
impl fmt::Display for ImageSize {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self.height == self.width {
            true => write!(formatter, "{}", self.height),
            false => write!(formatter, "{}x{}", self.height, self.width),
        }
    }
}

/// A number for a square, as files always had it, else the flag's text.
impl Serialize for ImageSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.height == self.width {
            true => self.height.serialize(serializer),
            false => serializer.collect_str(self),
        }
    }
}

/// `--image-size`.
pub fn image_size(text: &str) -> Result<ImageSize, String> {
    let Some((height, width)) = text.split_once('x') else {
        return at_least_one(text).map(|side| ImageSize { height: side, width: side });
    };
    match (at_least_one(height), at_least_one(width)) {
        (Ok(height), Ok(width)) => Ok(ImageSize { height, width }),
        _ => Err("it must be a whole number, at least 1, or height and width, such as 200x120".into()),
    }
}

/// A whole number without a limit of its own, such as `--image-size`.
pub fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number >= 1 => Ok(number),
        _ => Err("it must be a whole number, at least 1".into()),
    }
}

/// `--seed`.
pub fn seed(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(seed) if seed <= MAX_SEED => Ok(seed),
        _ => Err(format!("it must be a whole number from 0 to {MAX_SEED}")),
    }
}

/// `--save-every`.
pub fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=MAX_SECONDS).contains(&seconds) => Ok(seconds),
        _ => Err(format!("it must be a number from 0 to {MAX_SECONDS}")),
    }
}

/// `--cache`.
pub fn mebibytes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number <= MAX_MEBIBYTES => Ok(number),
        _ => Err(format!("it must be a whole number from 0 to {MAX_MEBIBYTES}")),
    }
}

/// A share that leaves something over: `--validation-split`, `--dropout`.
pub fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        // In f32 too, in which the engine computes: 0.99999999999 would be 1 there.
        Ok(share) if (0.0..1.0).contains(&share) && (share as f32) < 1.0 => Ok(share),
        _ => Err("it must be a number, at least 0 and below 1".into()),
    }
}

/// `--threshold`.
pub fn threshold(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(threshold) if threshold > 0.0 && threshold < 1.0 => Ok(threshold),
        _ => Err("it must be a number above 0 and below 1".into()),
    }
}

/// `--learning-rate`.
pub fn positive(text: &str) -> Result<f64, String> {
    // The engine computes in f32: what is zero or infinite there cannot work.
    const SMALLEST: f32 = f32::MIN_POSITIVE;
    match text.parse::<f64>() {
        Ok(number) if (SMALLEST..=f32::MAX).contains(&(number as f32)) => Ok(number),
        Ok(number) if number > 0.0 && number < 1.0 => Err(format!(
            "it is too small for the engine's 32-bit numbers, whose smallest is {SMALLEST:.1e}; 0.001 is usual"
        )),
        Ok(number) if number > 1.0 && number.is_finite() => Err(format!(
            "it is too large for the engine's 32-bit numbers, whose largest is {:.1e}; 0.001 is usual",
            f32::MAX
        )),
        _ => Err("it must be a number above 0, such as 0.001".to_string()),
    }
}

/// `--folds`.
pub fn folds(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(folds) if (2..=MAX_FOLDS).contains(&folds) => Ok(folds),
        _ => Err(format!("it must be a whole number from 2 to {MAX_FOLDS}")),
    }
}

/// `--augment`: a list of names; shells complete its first.
pub fn augmentation() -> Named<Augmentation> {
    Named::new(Augmentation::NAMES, Augmentation::parse)
}

/// `--weight-decay`.
pub fn not_negative(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number >= 0.0 && (number as f32).is_finite() => Ok(number),
        _ => Err("it must be a number, at least 0".into()),
    }
}
