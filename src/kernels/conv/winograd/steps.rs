//! The steps of a Winograd convolution on tiles: a tile's input transform, a panel's product, a tile's output
//! transform. The [parent module](super) runs them on groups of tiles.
//!
//! ξ numbers the cells of a transformed tile row by row. V and M hold one ξ after the other, `step` floats
//! apart. So a transform reads or writes IN² vectors far from each other, and a product reads and writes
//! without gaps.

use super::transforms::{Transforms, Winograd};
use crate::kernels::simd::{Lanes, load};
use crate::kernels::tile::{PANEL, PairedTileWork, TileWork, VECTORS, over_tiles, tile, tile_pair};

/// A tile that is transformed in one of its two directions. It starts on a cache line, so that no register
/// is stored across two of them.
#[repr(align(64))]
pub(super) struct Half<const IN: usize, const LANES: usize>([[Lanes<LANES>; IN]; IN]);

impl<const IN: usize, const LANES: usize> Half<IN, LANES> {
    /// Returns zeros, to be written over.
    #[inline(always)]
    pub(super) fn new() -> Half<IN, LANES> {
        Half([[[0.0; LANES]; IN]; IN])
    }
}

/// The inputs of a tile: an IN×IN patch of an image, or of a copy.
#[derive(Clone, Copy)]
pub(super) struct TileInput<'a> {
    /// The image from the tile's corner on.
    pub values: &'a [f32],
    /// Floats from one row to the next.
    pub row_len: usize,
    /// Floats from one column to the next.
    pub channels: usize,
}

impl<'a> TileInput<'a> {
    /// Returns the same tile without its first `count` channels.
    #[inline(always)]
    fn skip_channels(self, count: usize) -> TileInput<'a> {
        TileInput { values: &self.values[count..], ..self }
    }
}

/// Writes all channels of one tile of V, Bᵀ d B. The first value of `v` is ξ = 0.
#[inline(always)]
pub(super) fn transform_input<const OUT: usize, const IN: usize, const LANES: usize, const FUSED: bool>(
    input: TileInput,
    v: &mut [f32],
    step: usize,
    half: &mut Half<IN, LANES>,
) where
    Winograd<OUT, IN>: Transforms<OUT, IN>,
{
    let mut from = 0;
    // Registers of channels at a time, then single ones.
    while from + LANES <= input.channels {
        input_lanes::<OUT, IN, LANES, FUSED>(input.skip_channels(from), &mut v[from..], step, half);
        from += LANES;
    }
    while from < input.channels {
        let mut half = Half::<IN, 1>::new();
        input_lanes::<OUT, IN, 1, FUSED>(input.skip_channels(from), &mut v[from..], step, &mut half);
        from += 1;
    }
}

/// Transforms the first `LANES` channels. `half` takes Bᵀ d.
#[inline(always)]
fn input_lanes<const OUT: usize, const IN: usize, const LANES: usize, const FUSED: bool>(
    input: TileInput,
    v: &mut [f32],
    step: usize,
    half: &mut Half<IN, LANES>,
) where
    Winograd<OUT, IN>: Transforms<OUT, IN>,
{
    let TileInput { values, row_len, channels } = input;
    for j in 0..IN {
        let column = &values[j * channels..];
        Winograd::<OUT, IN>::input::<LANES, FUSED>(|i| load(column, i * row_len), |i, vector| half.0[i][j] = vector);
    }
    for (i, half) in half.0.iter().enumerate() {
        let v = &mut v[i * IN * step..];
        Winograd::<OUT, IN>::input::<LANES, FUSED>(|j| half[j], |j, vector| store(v, j * step, vector));
    }
}

/// Writes M of one ξ and one panel, of which `present` filters are wanted: `v` [tiles×C] · `panel` [C×PANEL].
#[inline(always)]
pub(super) fn product<const LANES: usize, const FUSED: bool>(
    v: &[f32],
    panel: &[[f32; PANEL]],
    present: usize,
    m: &mut [[f32; PANEL]],
) {
    let tiles = m.len();
    for column in (0..present).step_by(VECTORS * LANES) {
        // Loop 5: strips of tiles.
        over_tiles::<LANES>(tiles, &mut Product::<LANES, FUSED> { v, panel, column, m });
    }
}

/// The product for the filters from `column` on, as many as a register tile holds.
struct Product<'a, const LANES: usize, const FUSED: bool> {
    v: &'a [f32],
    panel: &'a [[f32; PANEL]],
    column: usize,
    m: &'a mut [[f32; PANEL]],
}

impl<'a, const LANES: usize, const FUSED: bool> Product<'a, LANES, FUSED> {
    #[inline(always)]
    fn rows<const TILES: usize>(&self, first: usize) -> [&'a [f32]; TILES] {
        let channels = self.panel.len();
        let v = &self.v[first * channels..];
        std::array::from_fn(|tile| &v[tile * channels..][..channels])
    }

    #[inline(always)]
    fn store<const TILES: usize>(&mut self, first: usize, sums: &[[Lanes<LANES>; VECTORS]; TILES]) {
        for (m, sums) in self.m[first..].iter_mut().zip(sums) {
            for (vector, sums) in sums.iter().enumerate() {
                store(m, self.column + vector * LANES, *sums);
            }
        }
    }
}

impl<const LANES: usize, const FUSED: bool> TileWork for Product<'_, LANES, FUSED> {
    #[inline(always)]
    fn one<const TILES: usize>(&mut self, first: usize) {
        let mut sums = [[[0.0; LANES]; VECTORS]; TILES];
        tile::<TILES, VECTORS, LANES, FUSED>(self.rows(first), self.panel, self.column, &mut sums);
        self.store(first, &sums);
    }
}

impl<const LANES: usize, const FUSED: bool> PairedTileWork for Product<'_, LANES, FUSED> {
    #[inline(always)]
    fn two<const TILES: usize>(&mut self, firsts: [usize; 2]) {
        let (mut sums, mut more) = ([[[0.0; LANES]; VECTORS]; TILES], [[[0.0; LANES]; VECTORS]; TILES]);
        let rows = [self.rows(firsts[0]), self.rows(firsts[1])];
        tile_pair::<TILES, VECTORS, LANES, FUSED>(rows, self.panel, self.column, [&mut sums, &mut more]);
        self.store(firsts[0], &sums);
        self.store(firsts[1], &more);
    }
}

/// The target of a tile's outputs.
pub(super) struct TileOutput<'a> {
    /// The output from the tile's corner and the panel's first filter on.
    pub values: &'a mut [f32],
    /// Floats from one output row to the next, and from one position.
    pub steps: [usize; 2],
    /// Rows and columns of the tile that are inside the output.
    pub inside: [usize; 2],
    /// Filters of the panel that there are.
    pub present: usize,
}

/// Writes one tile's outputs for a panel of filters, Aᵀ M A + bias. The first value of `m` is ξ = 0.
#[inline(always)]
pub(super) fn transform_output<const OUT: usize, const IN: usize, const LANES: usize, const FUSED: bool>(
    m: &[f32],
    step: usize,
    bias: &[f32; PANEL],
    output: TileOutput,
    half: &mut Half<IN, LANES>,
) where
    Winograd<OUT, IN>: Transforms<OUT, IN>,
{
    let TileOutput { values, steps, inside, present } = output;
    for from in (0..present).step_by(LANES) {
        for j in 0..IN {
            let column = &m[j * step + from..];
            Winograd::<OUT, IN>::output::<LANES, FUSED>(
                |i| load(column, i * IN * step),
                |i, vector| half.0[i][j] = vector,
            );
        }
        let bias: Lanes<LANES> = load(bias, from);
        let in_register = LANES.min(present - from);
        for (i, half) in half.0[..inside[0]].iter().enumerate() {
            let values = &mut values[i * steps[0] + from..];
            let mut row = [[0.0; LANES]; OUT];
            Winograd::<OUT, IN>::output::<LANES, FUSED>(|j| half[j], |j, vector| row[j] = vector);
            for j in 0..OUT {
                for lane in 0..LANES {
                    row[j][lane] += bias[lane];
                }
                if j < inside[1] && in_register == LANES {
                    store(values, j * steps[1], row[j]);
                } else if j < inside[1] {
                    // A copy, so that nothing asks for the address of the row, which can stay in registers.
                    let vector = row[j];
                    store_part(&mut values[j * steps[1]..][..in_register], &vector);
                }
            }
        }
    }
}

/// Writes a register's worth of floats to `values`, from `start` on.
#[inline(always)]
fn store<const LANES: usize>(values: &mut [f32], start: usize, vector: Lanes<LANES>) {
    *values[start..].first_chunk_mut().expect("a register's worth of floats") = vector;
}

/// Writes as many of a register's floats as `values` has room for.
#[inline(never)]
fn store_part(values: &mut [f32], vector: &[f32]) {
    values.copy_from_slice(&vector[..values.len()]);
}
