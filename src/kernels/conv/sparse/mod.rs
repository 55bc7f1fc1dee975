//! The gradients of a convolution whose output went through max-pooling, from the non-zeros alone.
//!
//! A window of max-pooling sends its gradient to one position. So of the 2×2 positions of the documented
//! model three have none, and where ReLU cut the maximum off, all four. With the non-zeros at hand as short
//! lists ([`lists`]), each costs one K-long multiply-add, and zeros cost nothing:
//!
//! ```text
//! weights   dWᵀ[f] += g · patch(p)           sums of one filter in registers, its list of g at (p, f) streams by
//! input     dX at patch(p) += g · Wᵀ[f]      sums of one position in registers, likewise
//! ```
//!
//! The result is exact: only products with zero are left out. It is the better way while at most a quarter of
//! the positions has a gradient; a dense one costs more than a matrix product.
//!
//! Both passes hold Wᵀ or its gradient as `[F][kernel height][run]`, where a run is one kernel row, kernel
//! width·C floats, padded to whole registers. A register tile is up to `TILE_ROWS` kernel rows times
//! `TILE_VECTORS` registers:
//!
//! ```text
//! loop 1   over groups of output rows       gathered into lists
//! loop 2     over filters (weights) or over blocks of filters (input)
//! loop 3       over tiles of the patch      sums in registers; for the input over positions too
//! loop 4         over the list              one broadcast, up to 9 multiply-adds, or 18 in a pair of tiles
//! ```

pub mod lists;

use crate::geometry::{ConvGeometry, PoolGeometry};
use crate::kernels::conv::correlation::Correlation;
use crate::kernels::conv::frame::Frame;
use crate::kernels::conv::{ConvAlgorithm, GradOutput, Pass, Scratch, ScratchLen, Weights};
use crate::kernels::simd::{SimdOp, dispatch, load, multiply_add};
use crate::kernels::tile::PAIRED_LANES;
use lists::{GradientGroup, Lists, RowGroups};

/// The multiple of floats to which runs are padded: the widest register.
const RUN_ALIGNMENT: usize = 16;

/// Kernel rows in a register tile.
const TILE_ROWS: usize = 3;

/// Registers of a kernel row in a register tile. 3·3 sums are more than the 4·2 that hide the latency of a
/// multiply-add (4 cycles, 2 a cycle), and few enough for the 16 registers of AVX2.
const TILE_VECTORS: usize = 3;

/// Registers of two tiles side by side, which go over a list together where there are 32 registers: half of
/// the time goes into walking lists otherwise. They are two arrays and not one for the compiler's sake, as in
/// [`tile`](crate::kernels::tile).
const PAIR: usize = 2 * TILE_VECTORS;

/// Filters whose part of a tile's weights, 576 bytes each, stays in the first-level cache while the positions
/// of a group go by.
const FILTER_BLOCK: usize = 64;

/// The registry's entry.
#[derive(Debug)]
pub struct Sparse;

/// The sizes that both passes go by.
#[derive(Clone, Copy, Debug)]
struct PatchLayout {
    geometry: ConvGeometry,
    /// The input, and room for runs that end beyond the last row.
    frame: Frame,
    /// Floats of a run.
    run: usize,
    /// The same, padded.
    padded_run: usize,
}

impl PatchLayout {
    fn new(geometry: &ConvGeometry) -> PatchLayout {
        let correlation = Correlation::forward(geometry);
        let (frame, run) = (correlation.frame(), correlation.run_len());
        PatchLayout { geometry: *geometry, frame, run, padded_run: run.next_multiple_of(RUN_ALIGNMENT) }
    }

    /// Returns the floats of a filter.
    fn filter_len(&self) -> usize {
        self.geometry.kernel[0] * self.padded_run
    }

    /// Returns the floats of all filters.
    fn len(&self) -> usize {
        self.geometry.filters * self.filter_len()
    }

    /// Returns whether runs can be read and written in the image as it lies, without a copy in a frame.
    fn is_unpadded(&self) -> bool {
        self.frame.is_unpadded() && self.run == self.padded_run
    }

    /// Returns the floats of that copy.
    fn framed_len(&self) -> usize {
        if self.is_unpadded() { 0 } else { (self.frame.len() + RUN_ALIGNMENT).next_multiple_of(RUN_ALIGNMENT) }
    }

    /// Visits the tiles of a patch.
    #[inline(always)]
    fn for_each_tile<const LANES: usize>(&self, mut visit: impl FnMut(PatchTile)) {
        let (rows, vectors) = (self.geometry.kernel[0], self.padded_run / LANES);
        let mut row = 0;
        while row < rows {
            let tile_rows = if row + TILE_ROWS <= rows { TILE_ROWS } else { 1 };
            let mut vector = 0;
            while vector < vectors {
                let left = vectors - vector;
                let tile_vectors = if LANES == PAIRED_LANES && left >= PAIR { PAIR } else { TILE_VECTORS.min(left) };
                visit(PatchTile { kernel_row: row, rows: tile_rows, start: vector * LANES, vectors: tile_vectors });
                vector += tile_vectors;
            }
            row += tile_rows;
        }
    }
}

/// The part of a patch that a register tile, or a pair of tiles, covers.
#[derive(Clone, Copy)]
struct PatchTile {
    /// The first kernel row.
    kernel_row: usize,
    /// Kernel rows.
    rows: usize,
    /// The first float of each run.
    start: usize,
    /// Registers of each run.
    vectors: usize,
}

/// The sums or values of a tile, `ROWS` kernel rows of `VECTORS` registers each.
type Tile<const ROWS: usize, const VECTORS: usize, const LANES: usize> = [[[f32; LANES]; VECTORS]; ROWS];

/// Calls a function that is generic over a tile's rows and registers with those that the tile has.
macro_rules! with_tile_size {
    ($tile:expr, $pair:ident or $function:ident::<$lanes:ident, $fused:ident>($($argument:expr),* $(,)?)) => {
        match ($tile.rows, $tile.vectors) {
            (3, PAIR) => $pair::<3, $lanes, $fused>($($argument),*),
            (1, PAIR) => $pair::<1, $lanes, $fused>($($argument),*),
            (3, 3) => $function::<3, 3, $lanes, $fused>($($argument),*),
            (3, 2) => $function::<3, 2, $lanes, $fused>($($argument),*),
            (3, 1) => $function::<3, 1, $lanes, $fused>($($argument),*),
            (1, 3) => $function::<1, 3, $lanes, $fused>($($argument),*),
            (1, 2) => $function::<1, 2, $lanes, $fused>($($argument),*),
            (1, 1) => $function::<1, 1, $lanes, $fused>($($argument),*),
            size => unreachable!("a tile of {size:?}"),
        }
    };
}

impl ConvAlgorithm for Sparse {
    fn name(&self) -> &'static str {
        "sparse"
    }

    fn supports(&self, _geometry: &ConvGeometry, pass: Pass) -> bool {
        pass != Pass::Forward
    }

    fn takes_pooled(&self, _pass: Pass) -> bool {
        true
    }

    fn scratch_len(&self, geometry: &ConvGeometry, pass: Pass, pool: Option<&PoolGeometry>) -> ScratchLen {
        let layout = PatchLayout::new(geometry);
        let of = |window: Option<[usize; 2]>| {
            let (lists, most) = lists_for(geometry, pass, &RowGroups::new(geometry, window));
            ScratchLen { words: Lists::len(lists, most), floats: layout.framed_len() }
        };
        of(None).max(of(pool.map(|pool| pool.window)))
    }

    fn packed_len(&self, geometry: &ConvGeometry, pass: Pass) -> usize {
        if pass == Pass::GradInput { PatchLayout::new(geometry).len() } else { 0 }
    }

    fn packed_parts(&self, geometry: &ConvGeometry, _pass: Pass) -> usize {
        geometry.filters
    }

    fn pack_part(&self, geometry: &ConvGeometry, pass: Pass, filter: usize, kernel: &[f32], packed: &mut [f32]) {
        if pass != Pass::GradInput {
            return;
        }
        let layout = PatchLayout::new(geometry);
        for (row, packed) in packed.chunks_exact_mut(layout.padded_run).enumerate() {
            let first = row * layout.run;
            for (k, packed) in packed.iter_mut().enumerate() {
                *packed = if k < layout.run { kernel[(first + k) * geometry.filters + filter] } else { 0.0 };
            }
        }
    }

    fn grad_input(
        &self,
        geometry: &ConvGeometry,
        grad_output: GradOutput,
        weights: Weights,
        grad_input: &mut [f32],
        scratch: Scratch,
    ) {
        let layout = PatchLayout::new(geometry);
        let Scratch { floats, words } = scratch;
        let framed = &mut floats[..layout.framed_len()];
        if layout.is_unpadded() {
            grad_input.fill(0.0);
            dispatch(GradInput { layout, grad_output, packed: weights.packed, target: grad_input, words });
        } else {
            framed.fill(0.0);
            dispatch(GradInput { layout, grad_output, packed: weights.packed, target: &mut *framed, words });
            layout.frame.unpad(framed, grad_input);
        }
    }

    fn sums_len(&self, geometry: &ConvGeometry) -> usize {
        PatchLayout::new(geometry).len()
    }

    fn unpack_sums(&self, geometry: &ConvGeometry, sums: &[f32], first: usize, grad_rows: &mut [f32]) {
        let layout = PatchLayout::new(geometry);
        for (k, grads) in (first..).zip(grad_rows.chunks_exact_mut(geometry.filters)) {
            let at = k / layout.run * layout.padded_run + k % layout.run;
            for (filter, g) in grads.iter_mut().enumerate() {
                *g = sums[filter * layout.filter_len() + at];
            }
        }
    }

    fn grad_weights(
        &self,
        geometry: &ConvGeometry,
        input: &[f32],
        grad_output: GradOutput,
        sums: &mut [f32],
        grad_bias: &mut [f32],
        scratch: Scratch,
    ) {
        let layout = PatchLayout::new(geometry);
        let framed = &mut scratch.floats[..layout.framed_len()];
        let input = if layout.is_unpadded() {
            input
        } else {
            layout.frame.pad(input, framed);
            framed
        };
        dispatch(GradWeights { layout, input, grad_output, sums, grad_bias, words: scratch.words });
    }
}

/// Returns how many lists a group has, and the most entries in each.
fn lists_for(geometry: &ConvGeometry, pass: Pass, groups: &RowGroups) -> (usize, usize) {
    match pass {
        Pass::GradInput => {
            let blocks = geometry.filters.div_ceil(FILTER_BLOCK);
            (blocks * groups.rows * geometry.output[1], FILTER_BLOCK.min(geometry.filters))
        }
        _ => (groups.rows * geometry.filters, groups.most_in_row),
    }
}

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
        let (count, most) = lists_for(geometry, Pass::GradWeights, &groups);
        let step = geometry.stride[1] * geometry.input[2];
        // Loop 1: groups of output rows.
        for index in 0..groups.count {
            let mut lists = Lists::new(count, most, words);
            lists.clear();
            GradientGroup { geometry, grad_output, index }.gather_by_filter(step, &mut lists);
            // Loop 2: filters.
            for (filter, sums) in sums.chunks_exact_mut(layout.filter_len()).enumerate() {
                for row in 0..groups.rows {
                    for entry in lists.list(row * geometry.filters + filter) {
                        grad_bias[filter] += entry.value();
                    }
                }
                // Loop 3: tiles of the patch. Loop 4 is in `add_patches`.
                layout.for_each_tile::<LANES>(|tile| {
                    let first_row = index * groups.rows * geometry.stride[0] + tile.kernel_row;
                    let corner = first_row * layout.frame.row_len() + tile.start;
                    let sums = &mut sums[tile.kernel_row * layout.padded_run + tile.start..];
                    with_tile_size!(
                        tile,
                        add_patches_pair or add_patches::<LANES, FUSED>(&layout, groups.rows, &lists, filter, &input[corner..], sums,)
                    );
                });
            }
        }
    }
}

/// Adds a filter's gradients times a tile of their patches to a tile of the sums: loop 4 for the weights.
/// `input` starts at the tile of the patch at the group's first position.
#[inline(always)]
fn add_patches<const ROWS: usize, const VECTORS: usize, const LANES: usize, const FUSED: bool>(
    layout: &PatchLayout,
    group_rows: usize,
    lists: &Lists,
    filter: usize,
    input: &[f32],
    sums: &mut [f32],
) {
    let row_len = layout.frame.row_len();
    let mut tile = load_tile::<ROWS, VECTORS, LANES>(sums, layout.padded_run);
    for group_row in 0..group_rows {
        let input = &input[group_row * layout.geometry.stride[0] * row_len..];
        for entry in lists.list(group_row * layout.geometry.filters + filter) {
            let patch = load_tile::<ROWS, VECTORS, LANES>(&input[entry.key()..], row_len);
            tile = add_product::<ROWS, VECTORS, LANES, FUSED>(entry.value(), &patch, tile);
        }
    }
    store_tile(&tile, sums, layout.padded_run);
}

/// Does the same as [`add_patches`] for two tiles side by side.
#[inline(always)]
fn add_patches_pair<const ROWS: usize, const LANES: usize, const FUSED: bool>(
    layout: &PatchLayout,
    group_rows: usize,
    lists: &Lists,
    filter: usize,
    input: &[f32],
    sums: &mut [f32],
) {
    let row_len = layout.frame.row_len();
    let second = TILE_VECTORS * LANES;
    let mut left = load_tile::<ROWS, TILE_VECTORS, LANES>(sums, layout.padded_run);
    let mut right = load_tile::<ROWS, TILE_VECTORS, LANES>(&sums[second..], layout.padded_run);
    for group_row in 0..group_rows {
        let input = &input[group_row * layout.geometry.stride[0] * row_len..];
        for entry in lists.list(group_row * layout.geometry.filters + filter) {
            let [a, b] = load_pair::<ROWS, LANES>(&input[entry.key()..], row_len);
            left = add_product::<ROWS, TILE_VECTORS, LANES, FUSED>(entry.value(), &a, left);
            right = add_product::<ROWS, TILE_VECTORS, LANES, FUSED>(entry.value(), &b, right);
        }
    }
    store_tile(&left, sums, layout.padded_run);
    store_tile(&right, &mut sums[second..], layout.padded_run);
}

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
        let (count, most) = lists_for(geometry, Pass::GradInput, &groups);
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
                group.gather_by_position(filters, layout.filter_len(), first_list, &mut lists);
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
    let step = layout.geometry.stride[1] * layout.geometry.input[2];
    for column in 0..layout.geometry.output[1] {
        let entries = lists.list(first_list + column);
        if entries.len() == 0 {
            continue;
        }
        let mut tile = [[[0.0; LANES]; VECTORS]; ROWS];
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
    let step = layout.geometry.stride[1] * layout.geometry.input[2];
    for column in 0..layout.geometry.output[1] {
        let entries = lists.list(first_list + column);
        if entries.len() == 0 {
            continue;
        }
        let (mut left, mut right) = ([[[0.0; LANES]; TILE_VECTORS]; ROWS], [[[0.0; LANES]; TILE_VECTORS]; ROWS]);
        for entry in entries {
            let [a, b] = load_pair::<ROWS, LANES>(&packed[entry.key()..], layout.padded_run);
            left = add_product::<ROWS, TILE_VECTORS, LANES, FUSED>(entry.value(), &a, left);
            right = add_product::<ROWS, TILE_VECTORS, LANES, FUSED>(entry.value(), &b, right);
        }
        let target = &mut target[column * step..];
        let [a, b] = load_pair::<ROWS, LANES>(target, row_len);
        left = add_product::<ROWS, TILE_VECTORS, LANES, FUSED>(1.0, &a, left);
        right = add_product::<ROWS, TILE_VECTORS, LANES, FUSED>(1.0, &b, right);
        store_tile(&left, target, row_len);
        store_tile(&right, &mut target[TILE_VECTORS * LANES..], row_len);
    }
}

/// Loads two tiles side by side.
#[inline(always)]
fn load_pair<const ROWS: usize, const LANES: usize>(
    values: &[f32],
    row_len: usize,
) -> [Tile<ROWS, TILE_VECTORS, LANES>; 2] {
    [load_tile(values, row_len), load_tile(&values[TILE_VECTORS * LANES..], row_len)]
}

/// Loads a tile of `ROWS` rows that are `row_len` floats apart.
#[inline(always)]
fn load_tile<const ROWS: usize, const VECTORS: usize, const LANES: usize>(
    values: &[f32],
    row_len: usize,
) -> Tile<ROWS, VECTORS, LANES> {
    let mut tile = [[[0.0; LANES]; VECTORS]; ROWS];
    for row in 0..ROWS {
        let values = &values[row * row_len..][..VECTORS * LANES];
        for (vector, register) in tile[row].iter_mut().enumerate() {
            *register = load(values, vector * LANES);
        }
    }
    tile
}

/// Stores a tile to rows that are `row_len` floats apart.
#[inline(always)]
fn store_tile<const ROWS: usize, const VECTORS: usize, const LANES: usize>(
    tile: &Tile<ROWS, VECTORS, LANES>,
    values: &mut [f32],
    row_len: usize,
) {
    for row in 0..ROWS {
        let values = &mut values[row * row_len..][..VECTORS * LANES];
        for vector in 0..VECTORS {
            values[vector * LANES..][..LANES].copy_from_slice(&tile[row][vector]);
        }
    }
}

/// Returns `tile + g·factors`.
#[inline(always)]
fn add_product<const ROWS: usize, const VECTORS: usize, const LANES: usize, const FUSED: bool>(
    g: f32,
    factors: &Tile<ROWS, VECTORS, LANES>,
    mut tile: Tile<ROWS, VECTORS, LANES>,
) -> Tile<ROWS, VECTORS, LANES> {
    for row in 0..ROWS {
        for vector in 0..VECTORS {
            tile[row][vector] = multiply_add::<LANES, FUSED>([g; LANES], factors[row][vector], tile[row][vector]);
        }
    }
    tile
}

#[cfg(test)]
mod tests;
