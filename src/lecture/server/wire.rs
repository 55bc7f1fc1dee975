//! What the page and the server say to each other, in JSON.

use crate::explain::Weight;
use crate::lecture::engine::{Pace, Subject, Target, View};
use crate::lecture::session::{Edit, EditAt, Position};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Where the lecture stands.
#[derive(Serialize)]
pub struct State {
    /// Counts what has changed.
    pub revision: u64,
    /// The step, from 1, and the number of the phase, from 0.
    pub position: Position,
    /// All phases of a step.
    pub phases: Vec<PhaseName>,
    /// Names the step that lies there: another one, or the same taken anew, has another number.
    pub taken: u64,
    /// The same of the step ahead, if there is one.
    pub ahead: Option<u64>,
    /// The epoch of the step, from 0.
    pub epoch: u64,
    /// The steps of an epoch.
    pub steps_per_epoch: usize,
    /// The data's name.
    pub data: String,
    /// The names of the batch's images.
    pub images: Vec<String>,
    /// The losses that the reader has come to see, from step 1 on; null where one is no number.
    pub losses: Vec<f64>,
    /// The losses without edits, as far as they are known; nothing while there are no edits.
    pub original: Vec<f64>,
    /// The learning rate of the step.
    pub learning_rate: f64,
    /// The edits in force.
    pub edits: Vec<EditMade>,
    /// How it plays, if it does.
    pub playing: Option<Pace>,
    /// While a long way is gone: how many steps are left.
    pub left: Option<u64>,
    /// Why it does not go on, where it does not.
    pub problem: Option<String>,
}

/// A phase: `images`, `forward`, `loss`, `backward` or `update`.
#[derive(Serialize)]
pub struct PhaseName {
    /// Its name.
    pub name: &'static str,
    /// Its layer, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
}

/// An edit in force.
#[derive(Serialize)]
#[serde(untagged)]
pub enum EditMade {
    /// Of a weight.
    Weight {
        /// Before which step.
        step: u64,
        /// Its name.
        weight: String,
        /// Its value.
        value: f32,
    },
    /// Of the learning rate.
    LearningRate {
        /// From which step on.
        step: u64,
        /// The rate.
        learning_rate: f64,
    },
}

/// `POST /go`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Go {
    by: Option<By>,
    to: Option<Position>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum By {
    Phase,
    Batch,
    BackPhase,
    BackBatch,
}

/// `POST /play`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Play {
    on: bool,
    by: Option<Pace>,
}

/// `POST /edit`: a weight and its value, or a learning rate, or `undo`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EditAsked {
    weight: Option<String>,
    value: Option<f32>,
    learning_rate: Option<f64>,
    undo: Option<bool>,
}

/// `POST /save`, and the query of `GET /bundle`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// The number of the image in its batch.
    #[serde(default)]
    pub image: usize,
    /// The weight that is looked at.
    pub weight: Option<String>,
}

/// The query of `GET /shares`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfWeight {
    /// The weight.
    pub weight: String,
}

/// The query of `GET /state`.
#[derive(Deserialize)]
pub struct After {
    /// The revision that the page has.
    pub after: Option<u64>,
}

impl State {
    /// Tells what lies on the desk.
    pub fn new(view: &View, subject: &Subject) -> State {
        let layers = subject.network.layers();
        let phase = |phase: crate::lecture::session::Phase| PhaseName {
            name: phase.name(),
            layer: phase.layer().map(|layer| layers[layer].name.clone()),
        };
        let made = |EditAt { step, edit }: &EditAt| match edit {
            Edit::Weight(weight, value) => EditMade::Weight { step: *step, weight: weight.to_string(), value: *value },
            Edit::LearningRate(rate) => EditMade::LearningRate { step: *step, learning_rate: *rate },
        };
        State {
            revision: view.revision,
            position: view.position,
            phases: view.phases().all().map(phase).collect(),
            taken: view.taken.id,
            ahead: view.ahead.as_ref().map(|ahead| ahead.id),
            epoch: view.taken.epoch,
            steps_per_epoch: subject.steps_per_epoch,
            data: subject.data.clone(),
            images: view.taken.indices.iter().map(|index| subject.names[*index].clone()).collect(),
            losses: view.losses(),
            original: if view.edits.is_empty() { Vec::new() } else { view.curve.original().to_vec() },
            learning_rate: view.taken.snapshot.learning_rate(),
            edits: view.edits.iter().map(made).collect(),
            playing: view.playing,
            left: view.left,
            problem: view.problem.clone(),
        }
    }
}

impl Go {
    /// Returns where to.
    ///
    /// # Errors
    /// [`Error::Setting`] of a request that says nothing, or two things.
    pub fn target(self) -> Result<Target> {
        match (self.by, self.to) {
            (Some(By::Phase), None) => Ok(Target::Phase),
            (Some(By::Batch), None) => Ok(Target::Batch),
            (Some(By::BackPhase), None) => Ok(Target::BackPhase),
            (Some(By::BackBatch), None) => Ok(Target::BackBatch),
            (None, Some(position)) => Ok(Target::To(position)),
            _ => Err(Error::setting("go", "give either by or to")),
        }
    }
}

impl Play {
    /// Returns how it is to play, if it is.
    pub fn pace(self) -> Option<Pace> {
        self.on.then(|| self.by.unwrap_or(Pace::Phase))
    }
}

impl EditAsked {
    /// Returns the edit, or nothing where edits are to be undone.
    ///
    /// # Errors
    /// [`Error::Setting`] of a weight that there is not, and of a request that says nothing, or two things.
    pub fn edit(self, subject: &Subject) -> Result<Option<Edit>> {
        match self {
            EditAsked { weight: Some(weight), value: Some(value), learning_rate: None, undo: None } => {
                Ok(Some(Edit::Weight(Weight::parse(&subject.network, &weight)?, value)))
            }
            EditAsked { weight: None, value: None, learning_rate: Some(rate), undo: None } => {
                Ok(Some(Edit::LearningRate(rate)))
            }
            EditAsked { weight: None, value: None, learning_rate: None, undo: Some(true) } => Ok(None),
            _ => Err(Error::setting("edit", "give a weight and its value, or a learning_rate, or undo")),
        }
    }
}
