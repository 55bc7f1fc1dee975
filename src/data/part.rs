//! The parts of a split that data bring with them.

use std::fmt;

/// A part of a split that data bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GivenPart {
    /// It trains.
    Training,
    /// It validates, after every epoch.
    Validation,
    /// It has no part in training, and judges what comes of it.
    Test,
}

impl GivenPart {
    /// All of them.
    pub const ALL: [GivenPart; 3] = [GivenPart::Training, GivenPart::Validation, GivenPart::Test];

    /// Returns the part that people call so, as in `train`, `Validation_set` or `test1`.
    pub fn from_name(name: &str) -> Option<GivenPart> {
        let letters = name.find(|char: char| !char.is_ascii_alphabetic()).unwrap_or(name.len());
        match name[..letters].to_ascii_lowercase().as_str() {
            "train" | "training" | "trainset" => Some(GivenPart::Training),
            "val" | "valid" | "validate" | "validation" | "valset" | "dev" => Some(GivenPart::Validation),
            "test" | "tests" | "testing" | "testset" | "eval" | "evaluation" | "holdout" => Some(GivenPart::Test),
            _ => None,
        }
    }

    /// Returns the name of its folder, where images are named as if each part had one.
    pub(super) fn folder(self) -> &'static str {
        match self {
            GivenPart::Training => "train",
            GivenPart::Validation => "val",
            GivenPart::Test => "test",
        }
    }

    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            GivenPart::Training => "training",
            GivenPart::Validation => "validation",
            GivenPart::Test => "test",
        }
    }
}

impl fmt::Display for GivenPart {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
