//! The names by which settings call optimizers and schedules, and the pieces of a schedule as they are
//! written.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of a rule that makes steps of gradients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerName {
    /// [`Rule::Adam`](crate::optim::Rule::Adam); with a weight decay it is AdamW.
    #[default]
    Adam,
    /// [`Rule::Sgd`](crate::optim::Rule::Sgd).
    Sgd,
}

impl OptimizerName {
    /// Tells what need not be written.
    pub(super) fn is_adam(&self) -> bool {
        *self == OptimizerName::Adam
    }
}

/// The name of a [`Schedule`](crate::optim::Schedule).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleName {
    /// The learning rate stays.
    #[default]
    Constant,
    /// It falls along half a wave of a cosine, perhaps after a warm-up.
    Cosine,
    /// It falls by a factor every so many steps.
    Staircase,
    /// It changes behind certain steps.
    Piecewise,
    /// It falls when the loss does not; by Keras's numbers, where the settings name no others.
    Plateau,
}

impl ScheduleName {
    /// Tells what need not be written.
    pub(super) fn is_constant(&self) -> bool {
        *self == ScheduleName::Constant
    }

    /// Returns the name, as files have it.
    pub fn name(self) -> &'static str {
        match self {
            ScheduleName::Constant => "constant",
            ScheduleName::Cosine => "cosine",
            ScheduleName::Staircase => "staircase",
            ScheduleName::Piecewise => "piecewise",
            ScheduleName::Plateau => "plateau",
        }
    }
}

/// A piece of [`Schedule::Piecewise`](crate::optim::Schedule::Piecewise), written as `100:0.001`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// The last step before it, from 0.
    pub after: u64,
    /// Its learning rate.
    pub learning_rate: f64,
}

impl Piece {
    /// Reads a piece.
    ///
    /// # Errors
    /// A clause with what it must be.
    pub fn parse(text: &str) -> Result<Piece, String> {
        let parts = text.split_once(':').and_then(|(step, rate)| Some((step.parse().ok()?, rate.parse().ok()?)));
        let piece = parts.map(|(after, learning_rate)| Piece { after, learning_rate });
        piece.ok_or_else(|| "it must be a step and a learning rate, such as 100:0.001".to_string())
    }
}

impl Serialize for Piece {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}:{}", self.after, self.learning_rate))
    }
}

impl<'de> Deserialize<'de> for Piece {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Piece, D::Error> {
        Piece::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
