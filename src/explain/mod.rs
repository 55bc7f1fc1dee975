//! One training step, explained: from the snapshot of it down to a single weight's chain rule.
//!
//! A [`Moment`] is a snapshot together with what is needed to speak of it: names, the loss after the step.
//! Everything here is computed from it, in `f64`, by the definitions and beside the engine, so that what the
//! engine kept can stand beside what its formula gives.
//!
//! | file | what |
//! |---|---|
//! | `moment` | a snapshot and what it is of; tensors of one image |
//! | `weight` | the name of a single weight, as `conv2d_1/kernel[1,2,17,40]` |
//! | `window` | what lies under a kernel or a window |
//! | `cell` | the dot product that made one cell of an output, and the patches that one cell of an input is in |
//! | `chain` | the terms of one weight's gradient |
//! | `zeros` | why a gradient is exactly 0 at a cell |
//! | `focus` | where a reader looks: one image, one weight, one cell |
//! | `update` | the optimizer's step of one weight, number by number |
//! | `attention` | Grad-CAM and occlusion: where in the image the answer comes from |
//! | `bundle` | all of it that a page needs, as a header and bytes |
//! | `tensors`, `header` | its two parts |

mod attention;
mod bundle;
mod cell;
mod chain;
mod focus;
mod header;
mod moment;
mod tensors;
mod update;
mod weight;
mod window;
mod zeros;

pub use attention::{Attention, OCCLUDED_SHARE, grad_cam, occlusion};
pub use bundle::{Bundle, BundleOptions};
pub use cell::{Cell, Dot, Patch, Product};
pub use chain::{Chain, Term};
pub use focus::Focus;
pub use moment::Moment;
pub use update::{RuleNumbers, Update, promised};
pub use weight::Weight;
pub use zeros::{ZeroCause, Zeros};

/// Terms of a sum that are told one by one: the largest.
pub const LARGEST_TERMS: usize = 12;

/// Returns how many numbers of `f32` lie between two values: 0 for the same, 1 for neighbours. NaN is
/// infinitely far.
pub fn ulps(a: f32, b: f32) -> Option<u32> {
    if a.is_nan() || b.is_nan() {
        return None;
    }
    // The bits of floats, read as whole numbers with a sign, stand in the order of the floats.
    let ordered = |x: f32| {
        let bits = i64::from(x.to_bits() & 0x7FFF_FFFF);
        if x.is_sign_negative() { -bits } else { bits }
    };
    u32::try_from((ordered(a) - ordered(b)).abs()).ok()
}

#[cfg(test)]
mod tests {
    use super::ulps;

    #[test]
    fn ulps_are_counted_across_zero() {
        let tiny = f32::from_bits(1);
        assert_eq!(ulps(1.0, 1.0), Some(0));
        assert_eq!(ulps(1.0, 1.0 + f32::EPSILON), Some(1));
        assert_eq!(ulps(0.0, -0.0), Some(0));
        assert_eq!(ulps(tiny, -tiny), Some(2));
        assert_eq!(ulps(f32::NAN, 1.0), None);
    }
}
