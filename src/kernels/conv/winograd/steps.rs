//! The steps of a Winograd convolution on tiles: a tile's input transform, a panel's product, a tile's output
//! transform. The [parent module](super) runs them on groups of tiles.
//!
//! ξ numbers the cells of a transformed tile row by row. V and M hold one ξ after the other, `step` floats
//! apart. So a transform reads or writes HEIGHT·WIDTH vectors far from each other, and a product reads and
//! writes without gaps.

use super::transforms::{Axis, Transforms};
use crate::kernels::simd::{Lanes, load};
use crate::kernels::tile::{PANEL, PairedTileWork, TileWork, VECTORS, over_tiles, tile, tile_pair};

/// A tile that is transformed in one of its two directions. It starts on a cache line, so that no register
/// is stored across two of them.
#[repr(align(64))]
pub(super) struct Half<const HEIGHT: usize, const WIDTH: usize, const LANES: usize>([[Lanes<LANES>; WIDTH]; HEIGHT]);

impl<const HEIGHT: usize, const WIDTH: usize, const LANES: usize> Half<HEIGHT, WIDTH, LANES> {
    /// Returns zeros, to be written over.
    #[inline(always)]
    pub(super) fn new() -> Half<HEIGHT, WIDTH, LANES> {
        Half([[[0.0; LANES]; WIDTH]; HEIGHT])
    }
}

/// The inputs of a tile: a HEIGHT×WIDTH patch of an image, or of a copy.
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
pub(super) fn transform_input<
    const DOWN: usize,
    const HEIGHT: usize,
    const ACROSS: usize,
    const WIDTH: usize,
    const LANES: usize,
    const FUSED: bool,
>(
    input: TileInput,
    v: &mut [f32],
    step: usize,
    half: &mut Half<HEIGHT, WIDTH, LANES>,
) where
    Axis<DOWN, HEIGHT>: Transforms<DOWN, HEIGHT>,
    Axis<ACROSS, WIDTH>: Transforms<ACROSS, WIDTH>,
{
    let mut from = 0;
    // Registers of channels at a time, then single ones.
    while from + LANES <= input.channels {
        input_lanes::<DOWN, HEIGHT, ACROSS, WIDTH, LANES, FUSED>(input.skip_channels(from), &mut v[from..], step, half);
        from += LANES;
    }
    while from < input.channels {
        let mut half = Half::<HEIGHT, WIDTH, 1>::new();
        input_lanes::<DOWN, HEIGHT, ACROSS, WIDTH, 1, FUSED>(
            input.skip_channels(from),
            &mut v[from..],
            step,
            &mut half,
        );
        from += 1;
    }
}

/// Transforms the first `LANES` channels. `half` takes Bᵀ d.
#[inline(always)]
fn input_lanes<
    const DOWN: usize,
    const HEIGHT: usize,
    const ACROSS: usize,
    const WIDTH: usize,
    const LANES: usize,
    const FUSED: bool,
>(
    input: TileInput,
    v: &mut [f32],
    step: usize,
    half: &mut Half<HEIGHT, WIDTH, LANES>,
) where
    Axis<DOWN, HEIGHT>: Transforms<DOWN, HEIGHT>,
    Axis<ACROSS, WIDTH>: Transforms<ACROSS, WIDTH>,
{
    let TileInput { values, row_len, channels } = input;
    for j in 0..WIDTH {
        let column = &values[j * channels..];
        Axis::<DOWN, HEIGHT>::input::<LANES, FUSED>(|i| load(column, i * row_len), |i, vector| half.0[i][j] = vector);
    }
    for (i, half) in half.0.iter().enumerate() {
        let v = &mut v[i * WIDTH * step..];
        Axis::<ACROSS, WIDTH>::input::<LANES, FUSED>(|j| half[j], |j, vector| store(v, j * step, vector));
    }
}

/// Returns the outputs of a tile whose windows, the inputs under the kernel, are all 0, a bit for each, row
/// by row.
///
/// In direct convolution such an output is the bias to the last bit. Here it is a sum of values that cancel
/// but for their rounding. Where the bias is 0 as well, before the first step, a ReLU would pass one half of
/// that noise, and its whole gradient with it, where nothing should pass; images with black frames have many
/// such places. So these outputs are set to the bias.
#[inline(always)]
pub(super) fn silent_outputs<
    const DOWN: usize,
    const HEIGHT: usize,
    const ACROSS: usize,
    const WIDTH: usize,
    const LANES: usize,
>(
    input: TileInput,
) -> u16 {
    let TileInput { values, row_len, channels } = input;
    let mut zeros = 0u64;
    for i in 0..HEIGHT {
        for j in 0..WIDTH {
            let pixel = &values[i * row_len + j * channels..][..channels];
            zeros |= u64::from(is_zero::<LANES>(pixel)) << (i * WIDTH + j);
        }
    }
    if zeros == 0 {
        return 0;
    }
    // All pixels of a window: first of its rows, then of its columns.
    let rows = (1..=WIDTH - ACROSS).fold(zeros, |all, j| all & zeros >> j);
    let windows = (1..=HEIGHT - DOWN).fold(rows, |all, i| all & rows >> (i * WIDTH));
    let outputs = (0..DOWN * ACROSS).map(|output| output / ACROSS * WIDTH + output % ACROSS);
    outputs.enumerate().map(|(output, bit)| ((windows >> bit & 1) as u16) << output).sum()
}

/// Returns whether all channels of a pixel are 0. Seldom are those of the first register.
#[inline(always)]
fn is_zero<const LANES: usize>(pixel: &[f32]) -> bool {
    let (registers, rest) = pixel.as_chunks::<LANES>();
    registers.iter().all(|values| values.iter().fold(true, |all, value| all & (*value == 0.0)))
        && rest.iter().all(|value| *value == 0.0)
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

impl TileOutput<'_> {
    /// Sets the outputs of these bits to the bias.
    pub(super) fn silence<const ACROSS: usize>(&mut self, silent: u16, bias: &[f32; PANEL]) {
        for i in 0..self.inside[0] {
            for j in (0..self.inside[1]).filter(|j| silent >> (i * ACROSS + j) & 1 == 1) {
                let output = &mut self.values[i * self.steps[0] + j * self.steps[1]..][..self.present];
                output.copy_from_slice(&bias[..self.present]);
            }
        }
    }
}

/// Writes one tile's outputs for a panel of filters, Aᵀ M A + bias. The first value of `m` is ξ = 0.
#[inline(always)]
pub(super) fn transform_output<
    const DOWN: usize,
    const HEIGHT: usize,
    const ACROSS: usize,
    const WIDTH: usize,
    const LANES: usize,
    const FUSED: bool,
>(
    m: &[f32],
    step: usize,
    bias: &[f32; PANEL],
    output: &mut TileOutput,
    half: &mut Half<HEIGHT, WIDTH, LANES>,
) where
    Axis<DOWN, HEIGHT>: Transforms<DOWN, HEIGHT>,
    Axis<ACROSS, WIDTH>: Transforms<ACROSS, WIDTH>,
{
    let &mut TileOutput { ref mut values, steps, inside, present } = output;
    for from in (0..present).step_by(LANES) {
        for j in 0..WIDTH {
            let column = &m[j * step + from..];
            Axis::<DOWN, HEIGHT>::output::<LANES, FUSED>(
                |i| load(column, i * WIDTH * step),
                |i, vector| half.0[i][j] = vector,
            );
        }
        let bias: Lanes<LANES> = load(bias, from);
        let in_register = LANES.min(present - from);
        for (i, half) in half.0[..inside[0]].iter().enumerate() {
            let values = &mut values[i * steps[0] + from..];
            let mut row = [[0.0; LANES]; ACROSS];
            Axis::<ACROSS, WIDTH>::output::<LANES, FUSED>(|j| half[j], |j, vector| row[j] = vector);
            for j in 0..ACROSS {
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
