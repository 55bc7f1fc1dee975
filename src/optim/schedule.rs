//! Schedules: the learning rate of each step.
//!
//! With t the step, from 0, each is what the class of this name in Keras computes, there in f32:
//!
//! | schedule | learning rate of step t | Keras |
//! |---|---|---|
//! | constant | the initial one | |
//! | cosine | with a warm-up of w steps to a target: initial + (target − initial)·t/w while t < w; then target·((1 − α)·½(1 + cos(π·min(t − w, d)/d)) + α), where without a warm-up the target is the initial one (I. Loshchilov and F. Hutter, *SGDR: Stochastic Gradient Descent with Warm Restarts*, 2017, equation 5, without restarts) | `CosineDecay` |
//! | staircase | initial·r^⌊t/d⌋ | `ExponentialDecay` |
//! | piecewise | the initial one while t ≤ the first boundary, then that of the last boundary below t | `PiecewiseConstantDecay` |
//! | plateau | the initial one, times a factor each time that the loss has not fallen for some epochs | `ReduceLROnPlateau` |

/// The rule by which the learning rate changes from step to step.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Schedule {
    /// It does not.
    #[default]
    Constant,
    /// It falls along half a wave of a cosine, perhaps after a warm-up.
    Cosine {
        /// d, the steps of the fall. Afterwards the rate stays.
        decay_steps: u64,
        /// α, the share of the rate that is left at the end.
        alpha: f64,
        /// The steps before the fall in which the rate rises in a line, and the rate that it rises to.
        warmup: Option<(u64, f64)>,
    },
    /// It falls by a factor every so many steps.
    Staircase {
        /// d, the steps of a stair.
        decay_steps: u64,
        /// r, the factor.
        decay_rate: f64,
    },
    /// It changes behind certain steps: a boundary, the last step of the rate before, and the rate from then
    /// on. The boundaries rise.
    Piecewise(Vec<(u64, f64)>),
    /// It falls when the loss does not.
    Plateau(Plateau),
}

/// The rule by which the learning rate falls when the loss does not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plateau {
    /// The factor.
    pub factor: f64,
    /// The epochs in a row without a better loss after which the rate falls.
    pub patience: usize,
    /// A loss is better only if it is lower than the best one by more than this.
    pub min_delta: f64,
}

impl Schedule {
    /// Returns the learning rate of step `t`, from 0. Of [`Schedule::Plateau`], which goes by the losses,
    /// this is the `initial` rate: that in force, which [`Plateau::rates`] tells.
    pub fn learning_rate(&self, initial: f64, t: u64) -> f64 {
        match self {
            Schedule::Constant | Schedule::Plateau(_) => initial,
            &Schedule::Cosine { warmup: Some((steps, target)), .. } if t < steps => {
                initial + (target - initial) * t as f64 / steps as f64
            }
            &Schedule::Cosine { decay_steps, alpha, warmup } => {
                let (begin, from) = warmup.unwrap_or((0, initial));
                let done = (t - begin).min(decay_steps) as f64 / decay_steps as f64;
                from * ((1.0 - alpha) * 0.5 * (1.0 + (std::f64::consts::PI * done).cos()) + alpha)
            }
            &Schedule::Staircase { decay_steps, decay_rate } => initial * decay_rate.powf((t / decay_steps) as f64),
            Schedule::Piecewise(pieces) => {
                let passed = pieces.partition_point(|&(boundary, _)| boundary < t);
                passed.checked_sub(1).map_or(initial, |last| pieces[last].1)
            }
        }
    }
}

impl Plateau {
    /// Iterates over the learning rates of the epochs that come after these losses, one an epoch: the first
    /// is that after the first loss.
    pub fn rates(self, initial: f64, losses: impl IntoIterator<Item = f64>) -> impl Iterator<Item = f64> {
        let (mut rate, mut best, mut waited) = (initial, f64::INFINITY, 0);
        losses.into_iter().map(move |loss| {
            waited += 1;
            if loss < best - self.min_delta {
                (best, waited) = (loss, 0);
            } else if waited >= self.patience {
                (rate, waited) = (rate * self.factor, 0);
            }
            rate
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    fn rates(schedule: &Schedule, steps: impl IntoIterator<Item = u64>) -> Vec<f64> {
        steps.into_iter().map(|t| schedule.learning_rate(0.8, t)).collect()
    }

    #[test]
    fn a_cosine_falls_from_the_rate_to_its_share_and_stays() {
        let cosine = |alpha| Schedule::Cosine { decay_steps: 4, alpha, warmup: None };
        for (alpha, expected) in [(0.0, [0.8, 0.4, 0.0, 0.0]), (0.5, [0.8, 0.6, 0.4, 0.4])] {
            let found = rates(&cosine(alpha), [0, 2, 4, 99]);
            found.iter().zip(expected).for_each(|(&rate, wanted)| assert_relative_eq!(rate, wanted, epsilon = 1e-15));
        }
    }

    #[test]
    fn a_warm_up_rises_in_a_line_and_the_cosine_falls_from_its_target() {
        let schedule = Schedule::Cosine { decay_steps: 2, alpha: 0.25, warmup: Some((4, 1.6)) };
        let expected = [0.8, 1.0, 1.2, 1.4, 1.6, 1.0, 0.4, 0.4];
        let found = rates(&schedule, 0..8);
        found.iter().zip(expected).for_each(|(&rate, wanted)| assert_relative_eq!(rate, wanted, epsilon = 1e-15));
    }

    #[test]
    fn a_staircase_keeps_its_rate_for_a_stair_and_a_boundary_belongs_to_the_piece_before() {
        let staircase = Schedule::Staircase { decay_steps: 3, decay_rate: 0.5 };
        assert_eq!(rates(&staircase, 0..7), [0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2]);
        let piecewise = Schedule::Piecewise(vec![(1, 0.3), (3, 0.1)]);
        assert_eq!(rates(&piecewise, 0..6), [0.8, 0.8, 0.3, 0.3, 0.1, 0.1]);
        assert_eq!(rates(&Schedule::Constant, [0, 1000]), [0.8, 0.8]);
    }

    #[test]
    fn a_plateau_lowers_the_rate_each_time_the_loss_was_not_better_for_so_long() {
        let plateau = Plateau { factor: 0.5, patience: 2, min_delta: 0.1 };
        //            better, no, better, no, no: lower, no, better, no, no: lower, no, no: lower
        let losses = [1.0, 0.95, 0.8, 0.75, 0.71, 0.8, 0.5, 0.6, f64::NAN, 0.45, 0.41];
        let expected = [0.8, 0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.4, 0.2, 0.2, 0.1];
        assert_eq!(plateau.rates(0.8, losses).collect::<Vec<f64>>(), expected);
        assert_eq!(plateau.rates(0.8, []).next(), None);
    }
}
