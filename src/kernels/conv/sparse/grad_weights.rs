//! The weights' gradient: each non-zero adds its patch to the sums of its filter.

use super::entries::{Entry, Lists};
use super::groups::{GradientGroup, RowGroups};
use super::layout::{self, PatchLayout, TILE_VECTORS};
use super::registers::{PairSource, add_product, load_tile, store_tile, with_tile_size};
use crate::geometry::ConvGeometry;
use crate::kernels::conv::{GradOutput, Scratch};
use crate::kernels::simd::{InstructionSet, SimdOp, dispatch_to};

/// Returns how many lists a group has, one for each row and filter, and the most entries in each.
pub(super) fn lists_for(geometry: &ConvGeometry, groups: &RowGroups) -> (usize, usize) {
    (groups.rows * geometry.filters, groups.rows * groups.most_in_row)
}

/// **Adds** ∂L/∂kernel and ∂L/∂bias to `sums`, laid out as [`PatchLayout`] says, and `grad_bias`.
pub(super) fn grad_weights(
    set: InstructionSet,
    geometry: &ConvGeometry,
    input: &[f32],
    grad_output: GradOutput,
    sums: &mut [f32],
    grad_bias: &mut [f32],
    scratch: Scratch,
) {
    let layout = PatchLayout::new(geometry);
    let input = layout.frame.framed(input, &mut scratch.floats[..layout.framed_len()]);
    dispatch_to(set, GradWeights { layout, input, grad_output, sums, grad_bias, words: scratch.words });
}

/// The gradient of the weights, summed up in a [`PatchLayout`].
struct GradWeights<'a> {
    layout: PatchLayout,
    input: &'a [f32],
    grad_output: GradOutput<'a>,
    sums: &'a mut [f32],
    grad_bias: &'a mut [f32],
    words: &'a mut [u64],
}

impl SimdOp for GradWeights<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let GradWeights { layout, input, grad_output, sums, grad_bias, words } = self;
        let geometry = &layout.geometry;
        let groups = RowGroups::from_gradient(geometry, &grad_output);
        let (count, most) = lists_for(geometry, &groups);
        let steps = [geometry.stride[0] * layout.frame.row_len(), geometry.step_len()];
        // Loop 1: groups of output rows.
        for index in 0..groups.count {
            let mut lists = Lists::new(count, most, words);
            lists.clear();
            GradientGroup { geometry, grad_output, index }.gather_by_filter::<LANES>(steps, &mut lists);
            // Loop 2: filters.
            for (filter, sums) in sums.chunks_exact_mut(layout.filter_len()).enumerate() {
                // Loop 3: tiles of the patch. Loop 4 is in `add_patches`.
                layout.for_each_tile::<LANES>(|tile| {
                    let first_row = index * groups.rows * geometry.stride[0] + tile.kernel_row;
                    let corner = first_row * layout.frame.row_len() + tile.start;
                    let (input, list) = (&input[corner..], lists.list(filter));
                    let sums = &mut sums[tile.kernel_row * layout.padded_run + tile.start..];
                    let values = with_tile_size!(
                        tile,
                        add_patches_pair or add_patches::<LANES, FUSED>(&layout, list, grad_bias[filter], input, sums)
                    );
                    if tile.is_first() {
                        grad_bias[filter] = values;
                    }
                });
            }
        }
    }
}

/// Adds a filter's gradients times a tile of their patches to a tile of the sums: loop 4 for the weights.
/// `input` starts at the tile of the patch at the group's first position. Returns `bias` and all gradients
/// added up, which costs nothing here and a walk of its own elsewhere.
#[inline(always)]
fn add_patches<const ROWS: usize, const VECTORS: usize, const LANES: usize, const FUSED: bool>(
    layout: &PatchLayout,
    list: impl Iterator<Item = Entry>,
    mut bias: f32,
    input: &[f32],
    sums: &mut [f32],
) -> f32 {
    let mut tile = load_tile::<ROWS, VECTORS, LANES>(sums, layout.padded_run);
    // Loop 4: the filter's list.
    for entry in list {
        bias += entry.value();
        let patch = load_tile::<ROWS, VECTORS, LANES>(&input[entry.key()..], layout.frame.row_len());
        tile = add_product::<ROWS, VECTORS, LANES, FUSED>(entry.value(), &patch, tile);
    }
    store_tile(&tile, sums, layout.padded_run);
    bias
}

/// Does the same as [`add_patches`] for two tiles side by side.
#[inline(always)]
fn add_patches_pair<const ROWS: usize, const LANES: usize, const FUSED: bool>(
    layout: &PatchLayout,
    list: impl Iterator<Item = Entry>,
    mut bias: f32,
    input: &[f32],
    sums: &mut [f32],
) -> f32 {
    let patches = PairSource::<ROWS, LANES>::new(input, layout.frame.row_len());
    let second = TILE_VECTORS * LANES;
    let mut left = load_tile::<ROWS, TILE_VECTORS, LANES>(sums, layout.padded_run);
    let mut right = load_tile::<ROWS, TILE_VECTORS, LANES>(&sums[second..], layout.padded_run);
    // Loop 4: the filter's list.
    for entry in list {
        bias += entry.value();
        patches.add_product::<FUSED>(entry.value(), entry.key(), &mut left, &mut right);
    }
    store_tile(&left, sums, layout.padded_run);
    store_tile(&right, &mut sums[second..], layout.padded_run);
    bias
}
