//! What lies on the desk: the reader's position, the step there, and all that is told of the training.

use crate::lecture::session::{Curve, EditAt, Phase, Phases, Position, TakenStep};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// How a lecture plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pace {
    /// Phase by phase, as one can follow it.
    Phase,
    /// Batch by batch.
    Batch,
}

impl Pace {
    /// Returns the time between two.
    pub fn interval(self) -> Duration {
        Duration::from_millis(match self {
            Pace::Phase => 800,
            Pace::Batch => 250,
        })
    }
}

/// What lies on the desk.
#[derive(Clone)]
pub struct View {
    /// Counts what has changed.
    pub revision: u64,
    /// Where the reader is.
    pub position: Position,
    /// The step there.
    pub taken: Arc<TakenStep>,
    /// The step behind it, once it is taken.
    pub ahead: Option<Arc<TakenStep>>,
    /// The losses, also of steps that were only taken ahead.
    pub curve: Curve,
    /// The edits in force.
    pub edits: Vec<EditAt>,
    /// How it plays, if it does.
    pub playing: Option<Pace>,
    /// While a long way is gone: how many steps are left.
    pub left: Option<u64>,
    /// Why there is no step ahead, where there can be none.
    pub problem: Option<String>,
    phases: Phases,
}

impl View {
    /// The beginning, with the first step.
    pub(super) fn new(taken: Arc<TakenStep>, curve: Curve, phases: Phases) -> View {
        View {
            revision: 1,
            position: Position::START,
            taken,
            ahead: None,
            curve,
            edits: Vec::new(),
            playing: None,
            left: None,
            problem: None,
            phases,
        }
    }

    /// Returns the phases of each step.
    pub fn phases(&self) -> Phases {
        self.phases
    }

    /// Returns the losses that the reader has come to see: that of the step only once it is computed.
    pub fn losses(&self) -> Vec<f64> {
        let loss = self.phases.number(Phase::Loss).unwrap_or(0);
        self.curve.up_to(self.position.step - u64::from(self.position.phase < loss))
    }

    /// Lays another step there, or the same one taken anew.
    pub(super) fn lay(&mut self, taken: Arc<TakenStep>, curve: Curve, edits: Vec<EditAt>) {
        self.taken = taken;
        self.ahead = None;
        self.curve = curve;
        self.edits = edits;
        self.problem = None;
    }

    /// Goes to a position that lies on the desk, and tells whether it did.
    pub(super) fn go_at_once(&mut self, position: Position) -> bool {
        if position.step == self.position.step {
            self.position = position;
            return true;
        }
        match self.ahead.take_if(|ahead| ahead.step == position.step) {
            Some(ahead) => {
                self.taken = ahead;
                self.position = position;
                true
            }
            None => false,
        }
    }
}
