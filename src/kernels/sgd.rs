//! The update of some weights by stochastic gradient descent, with or without momentum;
//! [`optim`](crate::optim) has the formulas and their source.

use super::simd::{ByRegister, Lanes, SimdOp, by_registers, dispatch, load};

/// The smallest velocity; a smaller one becomes zero, as of denormal floats arithmetic takes a hundred times
/// as long.
const SMALLEST_VELOCITY: f32 = 1e-30;

/// The numbers of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdStep {
    /// The learning rate.
    pub learning_rate: f32,
    /// μ, the share of the velocity that is kept.
    pub momentum: f32,
    /// True if the weights move by the velocity of a step further.
    pub nesterov: bool,
    /// The share of each weight that decays, learning rate · W; 0 leaves the weights' every bit alone.
    pub decay: f32,
}

/// Some weights and their velocity, both of the same length.
#[derive(Debug)]
pub struct WeightsAndVelocity<'a> {
    /// The weights, w.
    pub weights: &'a mut [f32],
    /// The velocity, v: the step that a steady gradient would take.
    pub velocity: &'a mut [f32],
}

/// Updates all weights without momentum, with a gradient for each.
pub fn update(weights: &mut [f32], gradients: &[f32], step: SgdStep) {
    debug_assert_eq!(weights.len(), gradients.len());
    dispatch(Update { weights, gradients, step });
}

/// Updates all weights and their velocity, with a gradient for each.
pub fn update_with_momentum(weights: WeightsAndVelocity, gradients: &[f32], step: SgdStep) {
    debug_assert_eq!(weights.weights.len(), gradients.len());
    dispatch(MomentumUpdate { weights, gradients, step });
}

/// Returns the weights after their decay.
#[inline(always)]
fn decayed<const LANES: usize>(w: Lanes<LANES>, step: &SgdStep) -> Lanes<LANES> {
    // Not w·(1 − decay): so close to 1, a float would keep two digits of the decay.
    if step.decay != 0.0 { w.map(|w| w - w * step.decay) } else { w }
}

struct Update<'a> {
    weights: &'a mut [f32],
    gradients: &'a [f32],
    step: SgdStep,
}

impl ByRegister for Update<'_> {
    #[inline(always)]
    fn at<const LANES: usize>(&mut self, start: usize, g: Lanes<LANES>) {
        let mut w: Lanes<LANES> = decayed(load(self.weights, start), &self.step);
        for lane in 0..LANES {
            // A product and a difference, never fused: the same numbers with every instruction set.
            w[lane] -= g[lane] * self.step.learning_rate;
        }
        self.weights[start..start + LANES].copy_from_slice(&w);
    }
}

impl SimdOp for Update<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(mut self) {
        by_registers::<LANES>(self.gradients, &mut self);
    }
}

struct MomentumUpdate<'a> {
    weights: WeightsAndVelocity<'a>,
    gradients: &'a [f32],
    step: SgdStep,
}

impl ByRegister for MomentumUpdate<'_> {
    #[inline(always)]
    fn at<const LANES: usize>(&mut self, start: usize, g: Lanes<LANES>) {
        let SgdStep { learning_rate, momentum, nesterov, .. } = self.step;
        let mut w: Lanes<LANES> = decayed(load(self.weights.weights, start), &self.step);
        let mut v: Lanes<LANES> = load(self.weights.velocity, start);
        for lane in 0..LANES {
            // Products and differences apart, never fused, as in `Update`.
            let pull = g[lane] * learning_rate;
            v[lane] = v[lane] * momentum - pull;
            v[lane] = if v[lane].abs() < SMALLEST_VELOCITY { 0.0 } else { v[lane] };
            w[lane] += if nesterov { v[lane] * momentum - pull } else { v[lane] };
        }
        self.weights.weights[start..start + LANES].copy_from_slice(&w);
        self.weights.velocity[start..start + LANES].copy_from_slice(&v);
    }
}

impl SimdOp for MomentumUpdate<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(mut self) {
        by_registers::<LANES>(self.gradients, &mut self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::simd::{InstructionSet, dispatch_to};

    const STEP: SgdStep = SgdStep { learning_rate: 0.25, momentum: 0.5, nesterov: false, decay: 0.0 };

    /// Returns 37 weights of 0.5 and their velocities of 0.25 after a step with these gradients.
    fn moved(set: InstructionSet, gradients: &[f32; 37], step: SgdStep) -> (Vec<f32>, Vec<f32>) {
        let (mut weights, mut velocity) = (vec![0.5; 37], vec![0.25; 37]);
        let of = WeightsAndVelocity { weights: &mut weights, velocity: &mut velocity };
        dispatch_to(set, MomentumUpdate { weights: of, gradients, step });
        (weights, velocity)
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits_with_and_without_momentum() {
        let gradients: [f32; 37] = std::array::from_fn(|i| (i as f32 - 18.0) * 0.37);
        let mut results = Vec::new();
        for set in InstructionSet::tested() {
            let mut plain = vec![0.3; 37];
            let step = SgdStep { learning_rate: 0.1, momentum: 0.9, nesterov: true, decay: 1e-3 };
            dispatch_to(set, Update { weights: &mut plain, gradients: &gradients, step });
            results.push((plain, moved(set, &gradients, step)));
        }
        assert!(results.iter().all(|result| *result == results[0]));
    }

    #[test]
    fn a_velocity_keeps_its_share_and_nesterov_looks_a_step_ahead() {
        for set in InstructionSet::tested() {
            // v = 0.25·0.5 − 1·0.25, and w by it or by 0.5·v − 0.25; all exact.
            let (weights, velocity) = moved(set, &[1.0; 37], STEP);
            assert_eq!((weights, velocity), (vec![0.375; 37], vec![-0.125; 37]));
            let (weights, velocity) = moved(set, &[1.0; 37], SgdStep { nesterov: true, ..STEP });
            assert_eq!((weights, velocity), (vec![0.1875; 37], vec![-0.125; 37]));
        }
    }

    #[test]
    fn weights_decay_apart_from_the_velocity_and_velocities_do_not_become_denormal() {
        for set in InstructionSet::tested() {
            let (weights, velocity) = moved(set, &[1.0; 37], SgdStep { decay: 0.5, ..STEP });
            assert_eq!((weights, velocity), (vec![0.125; 37], vec![-0.125; 37]));
            let mut velocity = [1.5e-30; 37];
            let of = WeightsAndVelocity { weights: &mut [0.5; 37], velocity: &mut velocity };
            dispatch_to(set, MomentumUpdate { weights: of, gradients: &[0.0; 37], step: STEP });
            assert_eq!(velocity, [0.0; 37]);
        }
    }
}
