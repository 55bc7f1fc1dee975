//! The input's gradient: each non-zero adds its filter to the patch of its position.

use super::entries::Lists;
use super::groups::{GradientGroup, RowGroups};
use super::layout::{self, PatchLayout, TILE_VECTORS};
use super::registers::{PairSource, add_product, load_pair, load_tile, store_tile, with_tile_size};
use crate::geometry::ConvGeometry;
use crate::kernels::conv::{GradOutput, Scratch};
use crate::kernels::simd::{InstructionSet, SimdOp, dispatch_to};

/// Filters whose part of a tile's weights, 576 bytes each, stays in the first-level cache while the positions
/// of a group go by.
const FILTER_BLOCK: usize = 64;

/// Returns how many lists a group has, one for each position and block of filters, and the most entries in
/// each.
pub(super) fn lists_for(geometry: &ConvGeometry, groups: &RowGroups) -> (usize, usize) {
    let blocks = geometry.filters.div_ceil(FILTER_BLOCK);
    (blocks * groups.rows * geometry.output[1], FILTER_BLOCK.min(geometry.filters))
}

/// Writes ∂L/∂input. `packed` is laid out as [`PatchLayout`] says.
pub(super) fn grad_input(
    set: InstructionSet,
    geometry: &ConvGeometry,
    grad_output: GradOutput,
    packed: &[f32],
    grad_input: &mut [f32],
    scratch: Scratch,
) {
    let layout = PatchLayout::new(geometry);
    let Scratch { floats, words } = scratch;
    if layout.is_unpadded() {
        grad_input.fill(0.0);
        dispatch_to(set, GradInput { layout, grad_output, packed, target: grad_input, words });
    } else {
        let framed = &mut floats[..layout.framed_len()];
        framed.fill(0.0);
        dispatch_to(set, GradInput { layout, grad_output, packed, target: &mut *framed, words });
        layout.frame.unpad(framed, grad_input);
    }
}

/// The gradient of the input, from a kernel packed in rows of a [`PatchLayout`].
struct GradInput<'a> {
    layout: PatchLayout,
    grad_output: GradOutput<'a>,
    packed: &'a [f32],
    target: &'a mut [f32],
    words: &'a mut [u64],
}

impl SimdOp for GradInput<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let GradInput { layout, grad_output, packed, target, words } = self;
        let geometry = &layout.geometry;
        let groups = RowGroups::from_gradient(geometry, &grad_output);
        let (count, most) = lists_for(geometry, &groups);
        // Loop 1: groups of output rows.
        for index in 0..groups.count {
            let mut lists = Lists::new(count, most, words);
            lists.clear();
            let group = GradientGroup { geometry, grad_output, index };
            let blocks = packed.chunks(FILTER_BLOCK * layout.filter_len()).enumerate();
            let lists_of_block = groups.rows * geometry.output[1];
            for (block, _) in blocks.clone() {
                let filters = block * FILTER_BLOCK..((block + 1) * FILTER_BLOCK).min(geometry.filters);
                let first_list = block * lists_of_block;
                group.gather_by_position::<LANES>(filters, layout.filter_len(), first_list, &mut lists);
            }
            for row in 0..groups.rows {
                let first_row = (index * groups.rows + row) * geometry.stride[0];
                // Loop 2: blocks of filters.
                for (block, packed) in blocks.clone() {
                    let first_list = block * lists_of_block + row * geometry.output[1];
                    // Loop 3: tiles of the patch, and in `add_filters` positions. Loop 4 is there too.
                    layout.for_each_tile::<LANES>(|tile| {
                        let corner = (first_row + tile.kernel_row) * layout.frame.row_len() + tile.start;
                        let packed = &packed[tile.kernel_row * layout.padded_run + tile.start..];
                        let target = &mut target[corner..];
                        with_tile_size!(
                            tile,
                            add_filters_pair or add_filters::<LANES, FUSED>(&layout, first_list, &lists, packed, target)
                        );
                    });
                }
            }
        }
    }
}

/// Adds, for each position of a row, a tile of the filters times their gradients to the tile of the
/// position's patch: loop 4 for the input. `target` starts at the tile of the patch at the row's first
/// position, and `first_list` is that position's.
#[inline(always)]
fn add_filters<const ROWS: usize, const VECTORS: usize, const LANES: usize, const FUSED: bool>(
    layout: &PatchLayout,
    first_list: usize,
    lists: &Lists,
    packed: &[f32],
    target: &mut [f32],
) {
    let row_len = layout.frame.row_len();
    let step = layout.geometry.step_len();
    // Loop 3, inside: positions.
    for column in 0..layout.geometry.output[1] {
        let entries = lists.list(first_list + column);
        if entries.len() == 0 {
            continue;
        }
        let mut tile = [[[0.0; LANES]; VECTORS]; ROWS];
        // Loop 4: the list.
        for entry in entries {
            let weights = load_tile::<ROWS, VECTORS, LANES>(&packed[entry.key()..], layout.padded_run);
            tile = add_product::<ROWS, VECTORS, LANES, FUSED>(entry.value(), &weights, tile);
        }
        let target = &mut target[column * step..];
        let before = load_tile::<ROWS, VECTORS, LANES>(target, row_len);
        let sum = add_product::<ROWS, VECTORS, LANES, FUSED>(1.0, &before, tile);
        store_tile(&sum, target, row_len);
    }
}

/// Does the same as [`add_filters`] for two tiles side by side.
#[inline(always)]
fn add_filters_pair<const ROWS: usize, const LANES: usize, const FUSED: bool>(
    layout: &PatchLayout,
    first_list: usize,
    lists: &Lists,
    packed: &[f32],
    target: &mut [f32],
) {
    let row_len = layout.frame.row_len();
    let step = layout.geometry.step_len();
    let filters = PairSource::<ROWS, LANES>::new(packed, layout.padded_run);
    // Loop 3, inside: positions.
    for column in 0..layout.geometry.output[1] {
        let entries = lists.list(first_list + column);
        if entries.len() == 0 {
            continue;
        }
        let (mut left, mut right) = ([[[0.0; LANES]; TILE_VECTORS]; ROWS], [[[0.0; LANES]; TILE_VECTORS]; ROWS]);
        // Loop 4: the list.
        for entry in entries {
            filters.add_product::<FUSED>(entry.value(), entry.key(), &mut left, &mut right);
        }
        let target = &mut target[column * step..];
        let [a, b] = load_pair::<ROWS, LANES>(target, row_len);
        left = add_product::<ROWS, TILE_VECTORS, LANES, FUSED>(1.0, &a, left);
        right = add_product::<ROWS, TILE_VECTORS, LANES, FUSED>(1.0, &b, right);
        store_tile(&left, target, row_len);
        store_tile(&right, &mut target[TILE_VECTORS * LANES..], row_len);
    }
}
