//! Positions in a training: a step, and a phase of it.

use serde::{Deserialize, Serialize};

/// A position in a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// The number of the step, from 1.
    pub step: u64,
    /// The number of the phase within it, from 0.
    pub phase: usize,
}

/// A phase of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The batch is there, and nothing is computed yet.
    Images,
    /// The layer of this index has run forward.
    Forward(usize),
    /// The loss and its gradient at the logits are known.
    Loss,
    /// The layer of this index has run backward.
    Backward(usize),
    /// The weights have moved.
    Update,
}

impl Phase {
    /// Returns its name, as the page has it.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Images => "images",
            Phase::Forward(_) => "forward",
            Phase::Loss => "loss",
            Phase::Backward(_) => "backward",
            Phase::Update => "update",
        }
    }

    /// Returns the index of its layer, if it has one.
    pub fn layer(self) -> Option<usize> {
        match self {
            Phase::Forward(layer) | Phase::Backward(layer) => Some(layer),
            Phase::Images | Phase::Loss | Phase::Update => None,
        }
    }
}

/// The phases of a step of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phases {
    layers: usize,
}

impl Phases {
    /// Returns those of a network with so many layers.
    pub fn new(layers: usize) -> Phases {
        Phases { layers }
    }

    /// Returns how many there are.
    pub fn count(self) -> usize {
        2 * self.layers + 3
    }

    /// Returns the phase of this number.
    ///
    /// # Panics
    /// If there is none.
    pub fn at(self, number: usize) -> Phase {
        let layers = self.layers;
        assert!(number < self.count(), "phase {number} of {}", self.count());
        match number {
            0 => Phase::Images,
            _ if number <= layers => Phase::Forward(number - 1),
            _ if number == layers + 1 => Phase::Loss,
            _ if number == 2 * layers + 2 => Phase::Update,
            _ => Phase::Backward(2 * layers + 1 - number),
        }
    }

    /// Returns all of them in their order.
    pub fn all(self) -> impl Iterator<Item = Phase> {
        (0..self.count()).map(move |number| self.at(number))
    }

    /// Returns the number of a phase, if the network has it.
    pub fn number(self, phase: Phase) -> Option<usize> {
        self.all().position(|other| other == phase)
    }
}

impl Position {
    /// The beginning of a training.
    pub const START: Position = Position { step: 1, phase: 0 };

    /// Returns the position a phase further.
    pub fn next_phase(self, phases: Phases) -> Position {
        match self.phase + 1 < phases.count() {
            true => Position { phase: self.phase + 1, ..self },
            false => Position { step: self.step + 1, phase: 0 },
        }
    }

    /// Returns the position a phase back; the beginning stays where it is.
    pub fn previous_phase(self, phases: Phases) -> Position {
        match (self.step, self.phase) {
            (_, 1..) => Position { phase: self.phase - 1, ..self },
            (2.., 0) => Position { step: self.step - 1, phase: phases.count() - 1 },
            _ => Position::START,
        }
    }

    /// Returns the same phase of the next batch.
    pub fn next_batch(self) -> Position {
        Position { step: self.step + 1, ..self }
    }

    /// Returns the same phase of the batch before; of the first, the beginning.
    pub fn previous_batch(self) -> Position {
        match self.step {
            2.. => Position { step: self.step - 1, ..self },
            _ => Position::START,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_goes_through_the_layers_and_back_and_every_phase_has_its_number() {
        let phases = Phases::new(2);
        let all: Vec<Phase> = phases.all().collect();
        use Phase::{Backward, Forward, Images, Loss, Update};
        assert_eq!(all, [Images, Forward(0), Forward(1), Loss, Backward(1), Backward(0), Update]);
        assert!(all.iter().enumerate().all(|(number, phase)| phases.number(*phase) == Some(number)));
        assert_eq!(phases.number(Forward(2)), None);
    }

    #[test]
    fn a_phase_further_and_back_is_where_it_was_and_before_the_beginning_is_nothing() {
        let phases = Phases::new(1);
        let mut walked = vec![Position::START];
        for _ in 0..11 {
            walked.push(walked[walked.len() - 1].next_phase(phases));
        }
        assert_eq!(walked[11], Position { step: 3, phase: 1 });
        for pair in walked.windows(2).rev() {
            assert_eq!(pair[1].previous_phase(phases), pair[0]);
        }
        assert_eq!(Position::START.previous_phase(phases), Position::START);
        let at = |step, phase| Position { step, phase };
        assert_eq!((at(4, 2).next_batch(), at(4, 2).previous_batch()), (at(5, 2), at(3, 2)));
        assert_eq!(at(1, 2).previous_batch(), Position::START);
    }
}
