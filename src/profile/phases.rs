//! The phases of a step of a plan, in the order in which they come.

use super::model;
use crate::plan::Plan;

/// A phase of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PhaseKind {
    /// The batch's images are awaited, and filled in.
    Images,
    /// A step of the plan runs forward.
    Forward(usize),
    /// The loss, and the gradient of the logits.
    Loss,
    /// A step of the plan runs backward.
    Backward(usize),
    /// The optimizer moves what it has not moved yet.
    Optimizer,
    /// Moving statistics follow.
    Statistics,
    /// The step is written down, and told of.
    Between,
}

impl PhaseKind {
    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            PhaseKind::Images => "images",
            PhaseKind::Forward(_) => "forward",
            PhaseKind::Loss => "loss",
            PhaseKind::Backward(_) => "backward",
            PhaseKind::Optimizer => "optimizer",
            PhaseKind::Statistics => "statistics",
            PhaseKind::Between => "between",
        }
    }

    /// The step of the plan that runs in it.
    pub fn step(self) -> Option<usize> {
        match self {
            PhaseKind::Forward(step) | PhaseKind::Backward(step) => Some(step),
            _ => None,
        }
    }
}

/// All phases of a step, in order.
#[derive(Clone, Debug)]
pub struct Phases {
    kinds: Vec<PhaseKind>,
    layers: Vec<Option<String>>,
}

impl Phases {
    /// Those of a plan's steps: a training step's, if it is made for training.
    pub fn new(plan: &Plan) -> Phases {
        let steps = plan.steps().len();
        let mut kinds = vec![PhaseKind::Images];
        kinds.extend((0..steps).map(PhaseKind::Forward));
        if plan.options().training {
            kinds.push(PhaseKind::Loss);
            kinds.extend((plan.first_backward()..steps).rev().map(PhaseKind::Backward));
            kinds.extend([PhaseKind::Optimizer, PhaseKind::Statistics]);
        }
        kinds.push(PhaseKind::Between);
        let covered = |step: usize| {
            let layers = &plan.network().layers()[plan.steps()[step].layers.clone()];
            layers.iter().map(|layer| layer.name.as_str()).collect::<Vec<_>>().join("+")
        };
        let layers = kinds.iter().map(|kind| kind.step().map(covered)).collect();
        Phases { kinds, layers }
    }

    /// The phases in order.
    pub fn kinds(&self) -> &[PhaseKind] {
        &self.kinds
    }

    /// The number of a phase.
    ///
    /// # Panics
    /// If the plan has no such phase.
    pub fn index(&self, kind: PhaseKind) -> usize {
        self.kinds.iter().position(|&other| other == kind).expect("a phase of this plan")
    }

    /// A phase as the model has it, with these times in milliseconds: of the phase, of its work, of its idle.
    pub(super) fn told(&self, phase: usize, [ms, work_ms, idle_ms]: [f64; 3]) -> model::Phase {
        let direction = self.kinds[phase].name().to_string();
        model::Phase { direction, layers: self.layers[phase].clone(), ms, work_ms, idle_ms }
    }
}
