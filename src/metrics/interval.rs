//! Intervals: how far a figure that was measured on few images may be from what many would show.

use serde::Serialize;

/// The confidence level of every interval: 95 %.
pub const LEVEL: f64 = 0.95;

/// The normal distribution's quantile that leaves (1 − [`LEVEL`])/2 above it: Φ(z) = 0.975.
pub(super) const Z: f64 = 1.959_963_984_540_054;

/// A range of values that a measurement does not contradict, at the level of [`LEVEL`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Wilson's score interval of a share: k of n, p̂ = k/n, are what was counted; the shares p that lie within z
/// standard errors √(p(1 − p)/n) of it reach from
///
/// > (p̂ + z²/2n ∓ z·√(p̂(1 − p̂)/n + z²/4n²)) / (1 + z²/n)
///
/// Unlike p̂ ∓ z·√(p̂(1 − p̂)/n) it stays within [0, 1], and has a width where all or none of few were
/// counted. `None` for n = 0. It takes the n for independent: images of one patient are fewer than they seem.
/// Source: E. B. Wilson, *Probable inference, the law of succession, and statistical inference*, Journal of
/// the American Statistical Association 22, 1927.
///
/// # Panics
/// If more were counted than there are.
pub fn wilson(counted: usize, total: usize) -> Option<Interval> {
    assert!(counted <= total, "{counted} of {total} is no share");
    let (p, n) = (share(counted, total)?, total as f64);
    let centre = p + Z * Z / (2.0 * n);
    let reach = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    // At k = 0 and k = n one end is 0 or 1 exactly, but for rounding.
    let low = if counted == 0 { 0.0 } else { (centre - reach) / scale };
    let high = if counted == total { 1.0 } else { (centre + reach) / scale };
    Some(Interval { low, high })
}

/// part / whole, `None` for an empty whole.
pub(super) fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    /// k, n and the interval that `scipy.stats.binomtest(k, n).proportion_ci(method="wilson")` gives.
    const BY_SCIPY: [(usize, usize, f64, f64); 5] = [
        (3, 5, 0.23072428127601297, 0.8823792257673521),
        (2, 3, 0.20765960080204782, 0.9385080552796038),
        (0, 4, 0.0, 0.4898908364545973),
        (26, 26, 0.8712710781407847, 1.0),
        (81, 263, 0.2552885198782742, 0.36620957698280004),
    ];

    #[test]
    fn wilsons_interval_agrees_with_scipy() {
        for (counted, total, low, high) in BY_SCIPY {
            let interval = wilson(counted, total).unwrap();
            assert_abs_diff_eq!(interval.low, low, epsilon = 1e-12);
            assert_abs_diff_eq!(interval.high, high, epsilon = 1e-12);
        }
        // For all of n, the lower end is n / (n + z²).
        assert_abs_diff_eq!(wilson(20, 20).unwrap().low, 20.0 / (20.0 + Z * Z), epsilon = 1e-15);
        assert_eq!(wilson(0, 0), None);
    }

    proptest! {
        #[test]
        fn wilsons_interval_holds_the_share_and_its_ends_are_z_errors_away(total in 1usize..500, part in 0.0..=1.0) {
            let counted = (part * total as f64) as usize;
            let share = counted as f64 / total as f64;
            let Interval { low, high } = wilson(counted, total).unwrap();
            prop_assert!(0.0 <= low && low <= share && share <= high && high <= 1.0);
            for end in [low, high] {
                let errors = (share - end).abs() - Z * (end * (1.0 - end) / total as f64).sqrt();
                prop_assert!(errors.abs() < 1e-9, "{end}: {errors}");
            }
            let mirrored = wilson(total - counted, total).unwrap();
            prop_assert!((mirrored.low - (1.0 - high)).abs() < 1e-12);
        }
    }
}
