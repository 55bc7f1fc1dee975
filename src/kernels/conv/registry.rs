//! The registry of convolution algorithms, and the rule that chooses among them. Property tests and benches
//! walk the list.

use super::direct::Direct;
use super::im2col::Im2col;
use super::sparse::Sparse;
use super::winograd::transforms::Winograd;
use super::{ConvAlgorithm, Pass};
use crate::geometry::ConvGeometry;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// All algorithms, the general one first.
pub const CONV_ALGORITHMS: &[&dyn ConvAlgorithm] =
    &[&Im2col, &Direct, &WINOGRAD, &WINOGRAD_2X4, &WINOGRAD_2X2, &WINOGRAD_5X5, &Sparse];

/// The fewest channels and filters for Winograd: with fewer, its transforms cost more than its products save.
pub(super) const WINOGRAD_CHANNELS: usize = 16;

/// The shortest patch, K, for the sparse passes: a non-zero costs about as much to be found as this many
/// products with it save.
pub(super) const SPARSE_PATCH: usize = 128;

/// The fewest channels for the input's gradient by direct convolution to be faster than by lists of
/// non-zeros, whatever the patch: with fewer, its registers are mostly empty.
pub(super) const DIRECT_CHANNELS: usize = 16;

/// The fewest tiles of an image for F(4×4, 3×3): with fewer, its weights, four times as many as the kernel's,
/// are loaded for too few products.
pub(super) const WINOGRAD_TILES: usize = 12;

/// F(4×4, 3×3).
const WINOGRAD: Winograd<3, 4, 6, 4, 6> = Winograd { name: "winograd" };

/// F(2×2, 3×3).
const WINOGRAD_2X2: Winograd<3, 2, 4, 2, 4> = Winograd { name: "winograd2x2" };

/// F(2×4, 3×3).
const WINOGRAD_2X4: Winograd<3, 2, 4, 4, 6> = Winograd { name: "winograd2x4" };

/// F(2×2, 5×5).
const WINOGRAD_5X5: Winograd<5, 2, 6, 2, 6> = Winograd { name: "winograd5x5" };

/// The user's wish for the algorithm of all convolutions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConvPolicy {
    /// The fastest algorithm for each layer and pass, by rule, not by timing, so that results repeat.
    #[default]
    Auto,
    /// im2col everywhere.
    Im2col,
    /// Direct convolution, and im2col where the kernel is dilated.
    Direct,
    /// Winograd's F(4×4, 3×3) or F(2×2, 5×5), and im2col for the weights' gradient and where the kernel has
    /// another size, or a stride.
    Winograd,
    /// Winograd's F(2×2, 3×3) likewise, whose error is a third of F(4×4, 3×3)'s.
    Winograd2x2,
}

/// The algorithms of a layer's three passes.
#[derive(Clone, Copy, Debug)]
pub struct ConvAlgorithms {
    /// The algorithm for the output.
    pub forward: &'static dyn ConvAlgorithm,
    /// The algorithm for ∂L/∂input.
    pub grad_input: &'static dyn ConvAlgorithm,
    /// The algorithm for ∂L/∂kernel and ∂L/∂bias.
    pub grad_weights: &'static dyn ConvAlgorithm,
}

impl ConvAlgorithms {
    /// Returns the algorithm of a pass.
    pub fn of(&self, pass: Pass) -> &'static dyn ConvAlgorithm {
        match pass {
            Pass::Forward => self.forward,
            Pass::GradInput => self.grad_input,
            Pass::GradWeights => self.grad_weights,
        }
    }
}

impl ConvPolicy {
    /// All policies.
    pub const ALL: [ConvPolicy; 5] =
        [ConvPolicy::Auto, ConvPolicy::Im2col, ConvPolicy::Direct, ConvPolicy::Winograd, ConvPolicy::Winograd2x2];

    /// Returns the name that users know.
    pub fn name(self) -> &'static str {
        match self {
            ConvPolicy::Auto => "auto",
            ConvPolicy::Im2col => "im2col",
            ConvPolicy::Direct => "direct",
            ConvPolicy::Winograd => "winograd",
            ConvPolicy::Winograd2x2 => "winograd2x2",
        }
    }

    /// Chooses the algorithms for a layer. `sparse_gradient` tells that its output goes into a max-pool,
    /// which leaves most of the output's gradient zero; `training`, that there will be gradients.
    pub fn algorithms(self, geometry: &ConvGeometry, sparse_gradient: bool, training: bool) -> ConvAlgorithms {
        let wanted: [&'static [&'static dyn ConvAlgorithm]; 3] = match self {
            ConvPolicy::Auto => {
                let many_channels = ConvPolicy::has_many_channels(geometry);
                // Adam turns the smallest gradient into a step of full size, so training amplifies rounding:
                // with F(4×4) the losses leave Keras's by 1e-5 to 1e-4 within seven steps, with F(2×4) and
                // F(2×2) they stay as near as Keras in f64. F(2×2, 5×5) rounds as direct convolution does.
                let large = geometry.output.map(|size| size.div_ceil(4)).iter().product::<usize>() >= WINOGRAD_TILES;
                let exact = |width: usize| -> &[&dyn ConvAlgorithm] {
                    if ConvPolicy::suits_oblong_tiles(width) {
                        &[&WINOGRAD_2X4, &WINOGRAD_5X5, &Direct]
                    } else {
                        &[&WINOGRAD_2X2, &WINOGRAD_5X5, &Direct]
                    }
                };
                let forward: &[&dyn ConvAlgorithm] = match (many_channels, !training && large) {
                    (true, false) => exact(geometry.output[1]),
                    (true, true) => &[&WINOGRAD, &WINOGRAD_5X5, &Direct],
                    (false, _) => &[&Direct],
                };
                // The sparse passes are exact, and at most a quarter of the positions has a gradient to
                // multiply. But short patches are sooner multiplied than looked at.
                let long_patch = geometry.patch_len() >= SPARSE_PATCH;
                let sparse_input = sparse_gradient && (long_patch || geometry.input[2] < DIRECT_CHANNELS);
                let grad_input: &[&dyn ConvAlgorithm] = match (many_channels, sparse_input) {
                    (_, true) => &[&Sparse],
                    (true, false) => exact(geometry.input[1]),
                    (false, false) => &[&Direct],
                };
                // With few channels the sparse pass spends its time on lists, and with short runs in padding.
                let sparse_weights = many_channels && sparse_gradient && long_patch;
                let grad_weights: &[&dyn ConvAlgorithm] = if sparse_weights { &[&Sparse] } else { &[&Direct] };
                [forward, grad_input, grad_weights]
            }
            ConvPolicy::Im2col => [&[]; 3],
            ConvPolicy::Direct => [&[&Direct]; 3],
            ConvPolicy::Winograd => [&[&WINOGRAD, &WINOGRAD_5X5]; 3],
            ConvPolicy::Winograd2x2 => [&[&WINOGRAD_2X2]; 3],
        };
        let first = |pass: Pass, wanted: &[&'static dyn ConvAlgorithm]| -> &'static dyn ConvAlgorithm {
            wanted.iter().find(|algorithm| algorithm.supports(geometry, pass)).copied().unwrap_or(&Im2col)
        };
        ConvAlgorithms {
            forward: first(Pass::Forward, wanted[0]),
            grad_input: first(Pass::GradInput, wanted[1]),
            grad_weights: first(Pass::GradWeights, wanted[2]),
        }
    }

    /// Returns whether there are enough channels and filters for Winograd, and for lists of non-zeros in the
    /// weights' gradient.
    fn has_many_channels(geometry: &ConvGeometry) -> bool {
        geometry.input[2].min(geometry.filters) >= WINOGRAD_CHANNELS
    }

    /// Returns whether rows of this many outputs take fewer products by tiles of 2×4, 24 each, than by tiles
    /// of 2×2, 16 each.
    fn suits_oblong_tiles(width: usize) -> bool {
        24 * width.div_ceil(4) < 16 * width.div_ceil(2)
    }

    /// Describes in words what [`ConvPolicy::algorithms`] goes by.
    pub fn reason(self, geometry: &ConvGeometry, sparse_gradient: bool, training: bool) -> String {
        let ConvGeometry { input: [_, _, channels], filters, .. } = geometry;
        if self != ConvPolicy::Auto {
            return format!("{self} was asked for, and im2col does what that cannot");
        }
        let enough = if ConvPolicy::has_many_channels(geometry) { "enough" } else { "too few" };
        let mut reason = format!("auto: {channels} channels and {filters} filters are {enough} for Winograd");
        if training {
            let gradient = if sparse_gradient { "mostly 0 behind the max-pool" } else { "dense" };
            let tiles = if ConvPolicy::has_many_channels(geometry) { ", in training its smaller tiles" } else { "" };
            reason += &format!("{tiles}, the output's gradient is {gradient}");
        }
        reason
    }
}

impl fmt::Display for ConvPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for ConvPolicy {
    type Err = String;

    fn from_str(name: &str) -> Result<ConvPolicy, String> {
        ConvPolicy::ALL.into_iter().find(|policy| policy.name() == name).ok_or_else(|| {
            let (last, names) = ConvPolicy::ALL.split_last().expect("some policies");
            let names: Vec<&str> = names.iter().map(|policy| policy.name()).collect();
            format!("'{name}' is not a convolution algorithm; it can be {} or {last}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Padding, Sliding};

    fn names(policy: ConvPolicy, geometry: ConvGeometry, sparse_gradient: bool) -> [&'static str; 3] {
        let algorithms = policy.algorithms(&geometry, sparse_gradient, true);
        Pass::ALL.map(|pass| algorithms.of(pass).name())
    }

    #[test]
    fn auto_chooses_by_rule_and_a_forced_algorithm_leaves_to_im2col_what_it_cannot_do() {
        let conv = |channels, kernel, stride, filters| {
            ConvGeometry::new([30, 30, channels], kernel, stride, Padding::Valid, filters).unwrap()
        };
        let (first, later) = (conv(3, [3, 3], [1, 1], 32), conv(64, [3, 3], [1, 1], 128));
        let odd = conv(64, [5, 3], [2, 1], 128);
        assert_eq!(names(ConvPolicy::Auto, first, true), ["direct", "sparse", "direct"]);
        assert_eq!(names(ConvPolicy::Auto, later, true), ["winograd2x4", "sparse", "sparse"]);
        assert_eq!(ConvPolicy::Auto.algorithms(&later, true, false).forward.name(), "winograd");
        assert_eq!(names(ConvPolicy::Auto, later, false), ["winograd2x4", "winograd2x4", "direct"]);
        assert_eq!(names(ConvPolicy::Auto, first, false), ["direct"; 3]);
        assert_eq!(names(ConvPolicy::Auto, odd, true), ["direct", "sparse", "sparse"]);
        assert_eq!(names(ConvPolicy::Auto, conv(64, [1, 1], [1, 1], 128), true), ["direct"; 3]);
        let small = ConvGeometry::new([8, 12, 64], [3, 3], [1, 1], Padding::Same, 128).unwrap();
        assert_eq!(ConvPolicy::Auto.algorithms(&small, true, false).forward.name(), "winograd2x4");
        let narrow = ConvGeometry::new([8, 6, 64], [3, 3], [1, 1], Padding::Same, 128).unwrap();
        assert_eq!(ConvPolicy::Auto.algorithms(&narrow, true, true).forward.name(), "winograd2x2");
        let wide = conv(64, [5, 5], [1, 1], 128);
        assert_eq!(names(ConvPolicy::Auto, wide, false), ["winograd5x5", "winograd5x5", "direct"]);
        assert_eq!(ConvPolicy::Auto.algorithms(&wide, false, false).forward.name(), "winograd5x5");
        assert_eq!(names(ConvPolicy::Winograd, wide, true), ["winograd5x5", "winograd5x5", "im2col"]);
        assert_eq!(names(ConvPolicy::Auto, odd, false), ["direct"; 3]);
        let sliding = Sliding { size: [3, 3], stride: [1, 1], dilation: [2, 2], padding: Padding::Same };
        let dilated = ConvGeometry::dilated([30, 30, 64], sliding, 128).unwrap();
        for policy in ConvPolicy::ALL {
            assert_eq!(names(policy, dilated, true), ["im2col"; 3]);
        }
        assert_eq!(names(ConvPolicy::Im2col, later, true), ["im2col"; 3]);
        assert_eq!(names(ConvPolicy::Direct, later, true), ["direct"; 3]);
        assert_eq!(names(ConvPolicy::Direct, odd, true), ["direct"; 3]);
        assert_eq!(names(ConvPolicy::Winograd, later, true), ["winograd", "winograd", "im2col"]);
        assert_eq!(names(ConvPolicy::Winograd2x2, odd, true), ["im2col"; 3]);
        assert_eq!(
            ConvPolicy::Auto.reason(&later, true, true),
            "auto: 64 channels and 128 filters are enough for Winograd, in training its smaller tiles, the output's gradient \
             is mostly 0 behind the max-pool"
        );
        assert_eq!(
            ConvPolicy::Auto.reason(&first, true, false),
            "auto: 3 channels and 32 filters are too few for Winograd"
        );
        for policy in ConvPolicy::ALL {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
    }
}
