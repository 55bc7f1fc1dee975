//! Convolution by Winograd's minimal filtering, forward and back to the input, for kernels of 3×3 and of 5×5
//! at stride 1.
//!
//! [`transforms`] tells how a tile of DOWN×ACROSS outputs comes from HEIGHT×WIDTH inputs with as many
//! products as it has inputs, instead of as many as a kernel has cells for each output. Those products are
//! between one transformed input and one transformed kernel value. Over all tiles t, channels c and filters
//! f, they make HEIGHT·WIDTH independent matrix products, one for each cell ξ of the transformed tile:
//!
//! ```text
//! U[ξ][c][f] = (G g Gᵀ)[ξ]                   once for all images, by `pack`
//! V[ξ][t][c] = (Bᵀ d B)[ξ]
//! M[ξ]       = V[ξ] · U[ξ]                   [tiles×C]·[C×F]
//! Y[t][f]    = Aᵀ M[·][t][f] A + bias[f]
//! ```
//!
//! The loops, from the outside in; what each keeps, and where:
//!
//! ```text
//! loop 1   over groups of tiles                    V and a panel's M in the second-level cache
//! loop 2     over tiles                              input transform, registers of channels at a time
//! loop 3     over panels of filters                  a panel's M is used before the next one's is made
//! loop 4       over cells ξ                            U's panel [C×PANEL] in the first-level cache
//! loop 5         over strips of tiles                    sums in registers: `tile`
//! loop 6       over tiles                              output transform, registers of filters at a time
//! ```
//!
//! **The gradient of the input** is a convolution too (`Correlation`): it differs in what `pack` reads and
//! where the image's edge lies, and in nothing else.
//!
//! **Edges.** A tile that reaches over the image's edge is copied into a patch of zeros first, and of its
//! outputs those outside are dropped.
//!
//! **Zeros.** Where the kernel sees nothing but zeros, the output is the bias to the last bit, as in direct
//! convolution: `silent_outputs` says why that matters.
//!
//! **Error.** Large values cancel in Aᵀ, and their rounding stays. Over 64 channels of values around 0 the
//! root of the mean square of the error is 7.3e-7 of that of the outputs for F(4×4), 4.3e-7 for F(2×4), and
//! 2.5e-7 for F(2×2); over 128, 1.0e-6, 5.9e-7 and 3.5e-7.

pub(crate) mod pack;
pub mod steps;
pub mod transforms;

use crate::geometry::{ConvGeometry, PoolGeometry};
use crate::kernels::conv::correlation::Correlation;
use crate::kernels::conv::frame::clip;
use crate::kernels::conv::input_rows::InputRows;
use crate::kernels::conv::{ConvAlgorithm, GradOutput, Pass, Scratch, ScratchLen, Weights};
use crate::kernels::simd::{LINE_FLOATS, MAX_LANES, SimdOp, dispatch};
use crate::kernels::tile::{PANEL, longest_strip};
use pack::Pack;
use std::ops::Range;
use steps::{Half, TileInput, TileOutput, product, silent_outputs, transform_input, transform_output};
use transforms::{Axis, Transforms, Winograd};

/// Floats of V and a panel's M in one group of tiles: 512 KiB, half of a 1 MiB second-level cache. U, the
/// image and the output pass through the other half. A group is at least one strip.
const GROUP_FLOATS: usize = 128 * 1024;

/// The most tiles of a group: of the smallest ones, 4×4 inputs, and one channel.
const MOST_TILES: usize = GROUP_FLOATS / (16 * (1 + PANEL));

/// Tiles in a full strip of the widest instruction set; a whole number of them are in a group.
const STRIP: usize = longest_strip(MAX_LANES);

/// The division of the scratch, for groups of at most `tiles` tiles.
#[derive(Clone, Copy)]
struct GroupLayout {
    tiles: usize,
    /// Floats from one ξ to the next in V.
    v_step: usize,
    /// Floats from one ξ to the next in M.
    m_step: usize,
    /// Floats of V, of M, and of the patch for tiles at the edge.
    parts: [usize; 3],
    /// The most input rows that a group's tiles read.
    rows: usize,
}

impl GroupLayout {
    fn new<const DOWN: usize, const HEIGHT: usize, const ACROSS: usize, const WIDTH: usize>(
        correlation: &Correlation,
    ) -> GroupLayout {
        let channels = correlation.input[2];
        let across = correlation.output[1].div_ceil(ACROSS);
        let all = correlation.output[0].div_ceil(DOWN) * across;
        let cells = HEIGHT * WIDTH;
        let fitting = GROUP_FLOATS / (cells * (channels + PANEL));
        let tiles = (fitting / STRIP * STRIP).max(STRIP).min(all);
        // Consecutive ξ are an odd number of cache lines apart, so that the lines that a transform writes,
        // one a cell, fall into different sets of the first-level cache.
        let [v_step, m_step] = [channels, PANEL].map(|len| ((tiles * len).div_ceil(LINE_FLOATS) | 1) * LINE_FLOATS);
        let tile_rows = tiles.div_ceil(across) + 1;
        GroupLayout {
            tiles,
            v_step,
            m_step,
            parts: [v_step, m_step, channels].map(|len| cells * len),
            rows: (tile_rows * DOWN + HEIGHT - DOWN).min(correlation.input[0]),
        }
    }

    /// Returns the floats of the band in which a pooled gradient is written out.
    fn band_len(&self, pool: Option<&PoolGeometry>) -> usize {
        pool.map_or(0, |pool| InputRows::band_len(self.rows, pool))
    }
}

impl<const KERNEL: usize, const DOWN: usize, const HEIGHT: usize, const ACROSS: usize, const WIDTH: usize> ConvAlgorithm
    for Winograd<KERNEL, DOWN, HEIGHT, ACROSS, WIDTH>
where
    Axis<DOWN, HEIGHT>: Transforms<DOWN, HEIGHT>,
    Axis<ACROSS, WIDTH>: Transforms<ACROSS, WIDTH>,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn supports(&self, geometry: &ConvGeometry, pass: Pass) -> bool {
        let is_plain = geometry.kernel == [KERNEL; 2] && geometry.stride == [1, 1] && !geometry.is_dilated();
        is_plain && pass != Pass::GradWeights
    }

    fn scratch_len(&self, geometry: &ConvGeometry, pass: Pass, pool: Option<&PoolGeometry>) -> ScratchLen {
        let layout = GroupLayout::new::<DOWN, HEIGHT, ACROSS, WIDTH>(&Correlation::new(geometry, pass));
        let pool = pool.filter(|_| pass == Pass::GradInput);
        ScratchLen::from_floats(layout.parts.iter().sum::<usize>() + layout.band_len(pool))
    }

    /// The products in the transformed tiles, and both transforms: of an input first down its WIDTH columns
    /// and then along its HEIGHT rows, of an output down WIDTH columns and along DOWN rows.
    fn operations(&self, geometry: &ConvGeometry, pass: Pass, _live: f64) -> f64 {
        let correlation = Correlation::new(geometry, pass);
        let tiles = correlation.output[0].div_ceil(DOWN) * correlation.output[1].div_ceil(ACROSS);
        let (channels, filters) = (correlation.input[2], correlation.filters);
        let input = WIDTH * Axis::<DOWN, HEIGHT>::INPUT_OPERATIONS + HEIGHT * Axis::<ACROSS, WIDTH>::INPUT_OPERATIONS;
        let output = WIDTH * Axis::<DOWN, HEIGHT>::OUTPUT_OPERATIONS + DOWN * Axis::<ACROSS, WIDTH>::OUTPUT_OPERATIONS;
        (tiles * (2 * HEIGHT * WIDTH * channels * filters + input * channels + output * filters)) as f64
    }

    fn takes_pooled(&self, pass: Pass) -> bool {
        pass == Pass::GradInput
    }

    fn packed_len(&self, geometry: &ConvGeometry, pass: Pass) -> usize {
        let correlation = Correlation::new(geometry, pass);
        HEIGHT * WIDTH * correlation.panels() * correlation.input[2] * PANEL
    }

    fn packed_parts(&self, geometry: &ConvGeometry, pass: Pass) -> usize {
        Correlation::new(geometry, pass).panels()
    }

    fn pack_part(&self, geometry: &ConvGeometry, pass: Pass, panel: usize, kernel: &[f32], packed: &mut [f32]) {
        let panel = Pack { correlation: Correlation::new(geometry, pass), panel, kernel, packed };
        dispatch(panel.transform::<KERNEL, HEIGHT, WIDTH>());
    }

    fn row_step(&self, _geometry: &ConvGeometry) -> usize {
        DOWN
    }

    fn forward(
        &self,
        geometry: &ConvGeometry,
        input: &[f32],
        weights: Weights,
        rows: Range<usize>,
        output: &mut [f32],
        scratch: Scratch,
    ) {
        let correlation = Correlation::forward(geometry);
        let (packed, bias) = (weights.packed, Some(weights.bias));
        let input = InputRows::Whole(input);
        dispatch(Convolve::<DOWN, HEIGHT, ACROSS, WIDTH> {
            correlation,
            input,
            packed,
            bias,
            rows,
            output,
            scratch: scratch.floats,
        });
    }

    fn grad_input(
        &self,
        geometry: &ConvGeometry,
        grad_output: GradOutput,
        weights: Weights,
        grad_input: &mut [f32],
        scratch: Scratch,
    ) {
        let correlation = Correlation::grad_input(geometry);
        let pool = match &grad_output {
            GradOutput::Pooled(gradient) => Some(&gradient.pool),
            GradOutput::Dense(_) => None,
        };
        let band_len = GroupLayout::new::<DOWN, HEIGHT, ACROSS, WIDTH>(&correlation).band_len(pool);
        let (band, floats) = scratch.floats.split_at_mut(band_len);
        dispatch(Convolve::<DOWN, HEIGHT, ACROSS, WIDTH> {
            correlation,
            input: InputRows::from_gradient(grad_output, band),
            packed: weights.packed,
            bias: None,
            rows: 0..correlation.output[0],
            output: grad_input,
            scratch: floats,
        });
    }
}

/// The convolution of the output rows `rows`, with or without a bias.
struct Convolve<'a, const DOWN: usize, const HEIGHT: usize, const ACROSS: usize, const WIDTH: usize> {
    correlation: Correlation,
    /// The image, or the gradient that takes its place.
    input: InputRows<'a>,
    packed: &'a [f32],
    bias: Option<&'a [f32]>,
    rows: Range<usize>,
    output: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl<const DOWN: usize, const HEIGHT: usize, const ACROSS: usize, const WIDTH: usize> SimdOp
    for Convolve<'_, DOWN, HEIGHT, ACROSS, WIDTH>
where
    Axis<DOWN, HEIGHT>: Transforms<DOWN, HEIGHT>,
    Axis<ACROSS, WIDTH>: Transforms<ACROSS, WIDTH>,
{
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let Convolve { correlation, mut input, packed, bias, rows, output, scratch } = self;
        let channels = correlation.input[2];
        let layout = GroupLayout::new::<DOWN, HEIGHT, ACROSS, WIDTH>(&correlation);
        let (v, scratch) = scratch.split_at_mut(layout.parts[0]);
        let (m, scratch) = scratch.split_at_mut(layout.parts[1]);
        let patch = &mut scratch[..layout.parts[2]];
        let (panels, _) = packed.as_chunks::<PANEL>();
        // Made once for all tiles: to set it to zero for each takes a fiftieth of the time.
        let mut half = Half::new();
        let mut silent = [0; MOST_TILES];
        let grid = TileGrid::<DOWN, ACROSS> { correlation, across: correlation.output[1].div_ceil(ACROSS), rows };
        // Loop 1: groups of tiles.
        for first in (0..grid.count()).step_by(layout.tiles) {
            let tiles = first..grid.count().min(first + layout.tiles);
            let (values, first_row) = input.rows(grid.rows_read(&tiles, HEIGHT));
            // Loop 2: tiles.
            for (index, tile) in tiles.clone().enumerate() {
                let corner = grid.input_corner(tile);
                let tile = tile_input(&correlation, [HEIGHT, WIDTH], corner, (values, first_row), &mut *patch);
                silent[index] = silent_outputs::<DOWN, HEIGHT, ACROSS, WIDTH, LANES>(tile);
                let v = &mut v[index * channels..];
                transform_input::<DOWN, HEIGHT, ACROSS, WIDTH, LANES, FUSED>(tile, v, layout.v_step, &mut half);
            }
            // Loop 3: panels of filters.
            for (index, panel) in panels.chunks_exact(HEIGHT * WIDTH * channels).enumerate().take(correlation.panels())
            {
                let first_filter = index * PANEL;
                let present = PANEL.min(correlation.filters - first_filter);
                // Loop 4: cells ξ. Loop 5 is the product's.
                for (cell, panel) in panel.chunks_exact(channels).enumerate() {
                    let v = &v[cell * layout.v_step..][..tiles.len() * channels];
                    let (m, _) = m[cell * layout.m_step..][..tiles.len() * PANEL].as_chunks_mut();
                    product::<LANES, FUSED>(v, panel, present, m);
                }
                let mut panel_bias = [0.0; PANEL];
                if let Some(bias) = bias {
                    panel_bias[..present].copy_from_slice(&bias[first_filter..][..present]);
                }
                // Loop 6: tiles.
                for (index, tile) in tiles.clone().enumerate() {
                    let mut target = grid.output(tile, first_filter, present, &mut *output);
                    let m = &m[index * PANEL..];
                    transform_output::<DOWN, HEIGHT, ACROSS, WIDTH, LANES, FUSED>(
                        m,
                        layout.m_step,
                        &panel_bias,
                        &mut target,
                        &mut half,
                    );
                    if silent[index] != 0 {
                        target.silence::<ACROSS>(silent[index], &panel_bias);
                    }
                }
            }
        }
    }
}

/// The tiles of some output rows, row by row.
struct TileGrid<const DOWN: usize, const ACROSS: usize> {
    correlation: Correlation,
    /// Tiles in a row of them.
    across: usize,
    /// The output rows.
    rows: Range<usize>,
}

impl<const DOWN: usize, const ACROSS: usize> TileGrid<DOWN, ACROSS> {
    /// Returns the number of tiles.
    #[inline(always)]
    fn count(&self) -> usize {
        self.rows.len().div_ceil(DOWN) * self.across
    }

    /// Returns the first output row and column of a tile.
    #[inline(always)]
    fn corner(&self, tile: usize) -> [usize; 2] {
        [self.rows.start + tile / self.across * DOWN, tile % self.across * ACROSS]
    }

    /// Returns the first input row and column of a tile, which may be outside.
    #[inline(always)]
    fn input_corner(&self, tile: usize) -> [isize; 2] {
        let ([y, x], before) = (self.corner(tile), self.correlation.before);
        [y as isize - before[0], x as isize - before[1]]
    }

    /// Returns the input rows that tiles of `height` rows each read.
    #[inline(always)]
    fn rows_read(&self, tiles: &Range<usize>, height: usize) -> Range<usize> {
        let (top, bottom) = (self.input_corner(tiles.start)[0], self.input_corner(tiles.end - 1)[0]);
        clip(top..bottom + height as isize, self.correlation.input[0])
    }

    /// Returns where a tile's outputs go, for the `present` filters from `first_filter` on.
    #[inline(always)]
    fn output<'a>(&self, tile: usize, first_filter: usize, present: usize, output: &'a mut [f32]) -> TileOutput<'a> {
        let ([y, x], width, filters) = (self.corner(tile), self.correlation.output[1], self.correlation.filters);
        TileOutput {
            values: &mut output[((y - self.rows.start) * width + x) * filters + first_filter..],
            steps: [width * filters, filters],
            inside: [DOWN.min(self.rows.end - y), ACROSS.min(width - x)],
            present,
        }
    }
}

/// Returns the inputs of a tile of `sides` from `corner` on: where they lie, or at the image's edge copied to
/// `patch`. `values` start with row `first_row` of the input.
#[inline(always)]
fn tile_input<'a>(
    correlation: &Correlation,
    sides: [usize; 2],
    corner: [isize; 2],
    (values, first_row): (&'a [f32], usize),
    patch: &'a mut [f32],
) -> TileInput<'a> {
    let [height, width, channels] = correlation.input;
    let inside = |start: isize, side: usize, len: usize| start >= 0 && start as usize + side <= len;
    let [y, x] = corner;
    if inside(y, sides[0], height) && inside(x, sides[1], width) {
        let values = &values[((y as usize - first_row) * width + x as usize) * channels..];
        TileInput { values, row_len: width * channels, channels }
    } else {
        copy_patch(correlation, sides, corner, (values, first_row), patch);
        TileInput { values: patch, row_len: sides[1] * channels, channels }
    }
}

/// Copies the inputs of a tile of `sides` from `corner` on to `patch`, and zeros where there are none.
/// `values` start with row `first_row` of the input.
fn copy_patch(
    correlation: &Correlation,
    sides: [usize; 2],
    corner: [isize; 2],
    (values, first_row): (&[f32], usize),
    patch: &mut [f32],
) {
    let [height, width, channels] = correlation.input;
    let inside = |axis: usize, len: usize| clip(corner[axis]..corner[axis] + sides[axis] as isize, len);
    let (rows, columns) = (inside(0, height), inside(1, width));
    patch.fill(0.0);
    if columns.is_empty() {
        return;
    }
    for y in rows {
        let row = &values[((y - first_row) * width + columns.start) * channels..][..columns.len() * channels];
        let target = [y as isize - corner[0], columns.start as isize - corner[1]].map(|offset| offset as usize);
        patch[(target[0] * sides[1] + target[1]) * channels..][..row.len()].copy_from_slice(row);
    }
}

#[cfg(test)]
mod tests;
