//! Adam's update of some weights; [`optim`](crate::optim) has the formula and its source.

use super::simd::{ByRegister, Lanes, SimdOp, by_registers, dispatch, load};

/// The smallest moment; smaller ones become zero. Half of all floats this small are denormal, and arithmetic
/// with those takes a hundred times as long. Beside ε = 1e-7 neither they nor their root could move a weight.
pub(crate) const SMALLEST_MOMENT: f32 = 1e-30;

/// The numbers of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// α, the step size with the bias corrections in it.
    pub alpha: f32,
    /// 1 − β₁.
    pub blend_1: f32,
    /// 1 − β₂.
    pub blend_2: f32,
    /// ε.
    pub epsilon: f32,
    /// The share of each weight that decays, learning rate · W; 0 leaves the weights' every bit alone.
    pub decay: f32,
}

/// Some weights and their two moments, all of the same length.
#[derive(Debug)]
pub struct WeightsAndMoments<'a> {
    /// The weights, w.
    pub weights: &'a mut [f32],
    /// The moving mean of the gradients, m.
    pub first_moment: &'a mut [f32],
    /// The moving mean of the gradients' squares, v.
    pub second_moment: &'a mut [f32],
}

/// Updates all weights, with a gradient for each.
pub fn update(weights: WeightsAndMoments, gradients: &[f32], step: AdamStep) {
    debug_assert_eq!(weights.weights.len(), gradients.len());
    dispatch(Update { weights, gradients, step });
}

struct Update<'a> {
    weights: WeightsAndMoments<'a>,
    gradients: &'a [f32],
    step: AdamStep,
}

impl ByRegister for Update<'_> {
    #[inline(always)]
    fn at<const LANES: usize>(&mut self, start: usize, g: Lanes<LANES>) {
        let (of, step) = (&mut self.weights, &self.step);
        let mut w: Lanes<LANES> = load(of.weights, start);
        let mut m: Lanes<LANES> = load(of.first_moment, start);
        let mut v: Lanes<LANES> = load(of.second_moment, start);
        // Not w·(1 − decay): so close to 1, a float would keep two digits of the decay.
        if step.decay != 0.0 {
            w = w.map(|w| w - w * step.decay);
        }
        for lane in 0..LANES {
            // Products and sums apart, never fused: the numbers are then the same with every instruction set,
            // and Keras's.
            m[lane] += (g[lane] - m[lane]) * step.blend_1;
            v[lane] += (g[lane] * g[lane] - v[lane]) * step.blend_2;
            m[lane] = if m[lane].abs() < SMALLEST_MOMENT { 0.0 } else { m[lane] };
            v[lane] = if v[lane] < SMALLEST_MOMENT { 0.0 } else { v[lane] };
            w[lane] -= step.alpha * m[lane] / (v[lane].sqrt() + step.epsilon);
        }
        of.weights[start..start + LANES].copy_from_slice(&w);
        of.first_moment[start..start + LANES].copy_from_slice(&m);
        of.second_moment[start..start + LANES].copy_from_slice(&v);
    }
}

impl SimdOp for Update<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(mut self) {
        by_registers::<LANES>(self.gradients, &mut self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::simd::{InstructionSet, dispatch_to};

    #[test]
    fn every_instruction_set_gives_the_same_bits_and_moments_do_not_become_denormal() {
        let step = AdamStep { alpha: 1e-3, blend_1: 0.1, blend_2: 1e-3, epsilon: 1e-7, decay: 1e-5 };
        let gradients: Vec<f32> = (0..37).map(|i| (i as f32 - 18.0) * 0.37).chain([1e-20, -1e-30, 0.0]).collect();
        let mut results = Vec::new();
        for set in InstructionSet::tested() {
            let [mut weights, mut first, mut second] = [vec![0.5; 40], vec![0.25; 40], vec![0.125; 40]];
            (first[39], second[39]) = (-1.05e-30, 1.0005e-30);
            let of = WeightsAndMoments { weights: &mut weights, first_moment: &mut first, second_moment: &mut second };
            dispatch_to(set, Update { weights: of, gradients: &gradients, step });
            assert_eq!((first[39], second[39]), (0.0, 0.0), "0.9 and 0.999 of a moment that was just large enough");
            results.push([weights, first, second]);
        }
        assert!(results.iter().all(|result| *result == results[0]));
    }

    #[test]
    fn weights_decay_apart_from_their_gradients_and_without_decay_not_even_a_zero_changes_its_sign() {
        for set in InstructionSet::tested() {
            let moved = |decay: f32, gradient: f32| {
                let step = AdamStep { alpha: 1e-3, blend_1: 0.1, blend_2: 1e-3, epsilon: 1e-7, decay };
                let (mut weights, mut first, mut second) = (vec![0.5; 37], vec![0.0; 37], vec![0.0; 37]);
                weights[3] = -0.0;
                let of =
                    WeightsAndMoments { weights: &mut weights, first_moment: &mut first, second_moment: &mut second };
                dispatch_to(set, Update { weights: of, gradients: &[gradient; 37], step });
                (weights, first, second)
            };
            // Without a gradient there is the decay alone.
            let (still, ..) = moved(0.0, 0.0);
            assert!(still.iter().enumerate().all(|(i, w)| w.to_bits() == if i == 3 { -0.0f32 } else { 0.5 }.to_bits()));
            let (decayed, ..) = moved(0.25, 0.0);
            assert!(decayed.iter().enumerate().all(|(i, &w)| w == if i == 3 { 0.0 } else { 0.375 }));
            // The moments know nothing of it: the step that the gradient makes is the same.
            let ((plain, m, v), (both, with_m, with_v)) = (moved(0.0, 0.3), moved(0.25, 0.3));
            assert_eq!((m, v), (with_m, with_v));
            assert!(plain.iter().zip(&both).all(|(plain, both)| ((plain - both) - 0.125).abs() < 1e-6 || *plain < 0.0));
        }
    }
}
