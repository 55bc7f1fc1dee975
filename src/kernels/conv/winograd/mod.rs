//! Convolution by Winograd's minimal filtering, forward and back to the input, for kernels of 3×3 at stride 1.
//!
//! [`winograd`](transforms) tells how a tile of OUT×OUT outputs comes from IN×IN inputs with IN² products instead of
//! 9·OUT². Those products are between one transformed input and one transformed kernel value; over all tiles t, channels c and
//! filters f, they make IN² independent matrix products, one for each place ξ in the transformed tile:
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
//! 1  groups of tiles                         V and a block's M in the second-level cache
//! 2    tiles                                 input transform, registers of channels at a time
//! 3    blocks of PANEL filters               a block's M is used before the next one's is made
//! 4      places ξ                            U's panel [C×PANEL] in the first-level cache
//! 5        strips of tiles                   sums in registers: `tile`
//! 6      tiles                               output transform, registers of filters at a time
//! ```
//!
//! **The gradient of the input** is [a convolution too](problem): it differs in what `pack` reads and where the
//! image's edge lies, and in nothing else.
//!
//! **Edges.** A tile that reaches over the image's edge is copied into a patch of zeros first, and of its outputs those
//! outside are dropped.
//!
//! **Error.** Large values cancel in Aᵀ, and their rounding stays. Over 64 channels of values around 0 the root of the mean
//! square of the error is 1.0e-6 of that of the outputs for F(4×4), and 2.5e-7 for F(2×2); over 128, 1.4e-6 and 3.5e-7.

pub mod problem;
pub mod steps;
pub mod transforms;

use crate::geometry::{ConvGeometry, PoolGeometry};
use crate::kernels::conv::input_rows::InputRows;
use crate::kernels::conv::{ConvAlgorithm, GradOutput, Pass, Scratch, ScratchLen, Weights};
use crate::kernels::simd::{SimdOp, dispatch};
use crate::kernels::tile::{PANEL, longest_strip};
use problem::Problem;
use std::ops::Range;
use steps::{Pack, Target, product, transform_input, transform_output};
use transforms::{Transforms, Winograd};

/// Floats of V and a block's M in one group of tiles: 512 KiB, half of a 1 MiB second-level cache; U, the image and the output
/// pass through the other half. A group is at least one strip.
const GROUP_FLOATS: usize = 128 * 1024;

/// Tiles in a full strip of the widest instruction set; a whole number of them are in a group.
const STRIP: usize = longest_strip(16);

/// Floats in a cache line. Consecutive ξ are an odd number of lines apart, so that the IN² lines that a transform writes
/// fall into different sets of the first-level cache.
const LINE: usize = 16;

/// How the scratch is cut for groups of at most `tiles` tiles.
#[derive(Clone, Copy)]
struct Layout {
    tiles: usize,
    /// Floats from one ξ to the next, in V and in M.
    steps: [usize; 2],
    /// Floats of V, of M, and of the patch for tiles at the edge.
    parts: [usize; 3],
    /// Input rows that a group's tiles read, at most.
    rows: usize,
}

impl Layout {
    fn new<const OUT: usize, const IN: usize>(problem: &Problem) -> Layout {
        let channels = problem.input[2];
        let all = problem.output[0].div_ceil(OUT) * problem.output[1].div_ceil(OUT);
        let fitting = GROUP_FLOATS / (IN * IN * (channels + PANEL));
        let tiles = (fitting / STRIP * STRIP).max(STRIP).min(all);
        let steps = [channels, PANEL].map(|len| ((tiles * len).div_ceil(LINE) | 1) * LINE);
        let tile_rows = tiles.div_ceil(problem.output[1].div_ceil(OUT)) + 1;
        Layout {
            tiles,
            steps,
            parts: [IN * IN * steps[0], IN * IN * steps[1], IN * IN * channels],
            rows: (tile_rows * OUT + IN - OUT).min(problem.input[0]),
        }
    }

    /// Floats of the band in which a pooled gradient is written out.
    fn band_len(&self, pool: Option<&PoolGeometry>) -> usize {
        pool.map_or(0, |pool| InputRows::band_len(self.rows, pool))
    }
}

impl<const OUT: usize, const IN: usize> ConvAlgorithm for Winograd<OUT, IN>
where
    Winograd<OUT, IN>: Transforms<OUT, IN>,
{
    fn name(&self) -> &'static str {
        if OUT == 4 { "winograd" } else { "winograd2x2" }
    }

    fn supports(&self, geometry: &ConvGeometry, pass: Pass) -> bool {
        geometry.kernel == [3, 3] && geometry.stride == [1, 1] && pass != Pass::GradWeights
    }

    fn scratch_len(&self, geometry: &ConvGeometry, pass: Pass, pool: Option<&PoolGeometry>) -> ScratchLen {
        let problem = Problem::new(geometry, pass);
        let layout = Layout::new::<OUT, IN>(&problem);
        let pool = pool.filter(|_| pass == Pass::GradInput);
        ScratchLen::from_floats(layout.parts.iter().sum::<usize>() + layout.band_len(pool))
    }

    fn takes_pooled(&self, pass: Pass) -> bool {
        pass == Pass::GradInput
    }

    fn packed_len(&self, geometry: &ConvGeometry, pass: Pass) -> usize {
        let problem = Problem::new(geometry, pass);
        IN * IN * problem.blocks() * problem.input[2] * PANEL
    }

    fn packed_parts(&self, geometry: &ConvGeometry, pass: Pass) -> usize {
        Problem::new(geometry, pass).blocks()
    }

    fn pack_part(&self, geometry: &ConvGeometry, pass: Pass, block: usize, kernel: &[f32], packed: &mut [f32]) {
        dispatch(Pack::<IN> { problem: Problem::new(geometry, pass), pass, block, kernel, packed });
    }

    fn row_step(&self, _geometry: &ConvGeometry) -> usize {
        OUT
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
        let problem = Problem::new(geometry, Pass::Forward);
        let (packed, bias) = (weights.packed, Some(weights.bias));
        let input = InputRows::Whole(input);
        dispatch(Convolve::<OUT, IN> { problem, input, packed, bias, rows, output, scratch: scratch.floats });
    }

    fn grad_input(
        &self,
        geometry: &ConvGeometry,
        grad_output: GradOutput,
        weights: Weights,
        grad_input: &mut [f32],
        scratch: Scratch,
    ) {
        let problem = Problem::new(geometry, Pass::GradInput);
        let pool = match &grad_output {
            GradOutput::Pooled(gradient) => Some(&gradient.pool),
            GradOutput::Dense(_) => None,
        };
        let band_len = Layout::new::<OUT, IN>(&problem).band_len(pool);
        let (band, floats) = scratch.floats.split_at_mut(band_len);
        dispatch(Convolve::<OUT, IN> {
            problem,
            input: InputRows::from_gradient(grad_output, band),
            packed: weights.packed,
            bias: None,
            rows: 0..problem.output[0],
            output: grad_input,
            scratch: floats,
        });
    }
}

/// The output rows `rows` of a problem, with or without a bias.
struct Convolve<'a, const OUT: usize, const IN: usize> {
    problem: Problem,
    /// The image, or the gradient that takes its place.
    input: InputRows<'a>,
    packed: &'a [f32],
    bias: Option<&'a [f32]>,
    rows: Range<usize>,
    output: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl<const OUT: usize, const IN: usize> SimdOp for Convolve<'_, OUT, IN>
where
    Winograd<OUT, IN>: Transforms<OUT, IN>,
{
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let Convolve { problem, mut input, packed, bias, rows, output, scratch } = self;
        let [height, width, channels] = problem.input;
        let (out_width, filters) = (problem.output[1], problem.filters);
        let layout = Layout::new::<OUT, IN>(&problem);
        let [v_step, m_step] = layout.steps;
        let (v, scratch) = scratch.split_at_mut(layout.parts[0]);
        let (m, scratch) = scratch.split_at_mut(layout.parts[1]);
        let patch = &mut scratch[..layout.parts[2]];
        let (panels, _) = packed.as_chunks::<PANEL>();
        // Made once for all tiles: to set it to zero for each takes a fiftieth of the time.
        let mut half = [[[0.0; LANES]; IN]; IN];

        let across = out_width.div_ceil(OUT);
        let corner = |tile: usize| [rows.start + tile / across * OUT, tile % across * OUT];
        let all = rows.len().div_ceil(OUT) * across;
        // 1
        for first in (0..all).step_by(layout.tiles) {
            let tiles = layout.tiles.min(all - first);
            let top = |tile: usize| (corner(tile)[0] as isize - problem.before[0]).clamp(0, height as isize) as usize;
            let bottom = (corner(first + tiles - 1)[0] as isize - problem.before[0]) + IN as isize;
            let (input, first_row) = input.rows(top(first)..(bottom.max(0) as usize).clamp(top(first), height));
            // 2
            for tile in 0..tiles {
                let [y, x] = corner(first + tile);
                let (y, x) = (y as isize - problem.before[0], x as isize - problem.before[1]);
                let inside = |start: isize, len: usize| start >= 0 && start as usize + IN <= len;
                let (source, row_len) = if inside(y, height) && inside(x, width) {
                    (&input[((y as usize - first_row) * width + x as usize) * channels..], width * channels)
                } else {
                    copy_patch(&problem, IN, [y, x], input, first_row, patch);
                    (&*patch, IN * channels)
                };
                let v = &mut v[tile * channels..];
                transform_input::<OUT, IN, LANES, FUSED>(source, row_len, channels, v, v_step, &mut half);
            }
            // 3
            for (block, panels) in panels.chunks_exact(IN * IN * channels).enumerate().take(problem.blocks()) {
                let live = PANEL.min(filters - block * PANEL);
                // 4
                for (place, panel) in panels.chunks_exact(channels).enumerate() {
                    let v = &v[place * v_step..][..tiles * channels];
                    let (m, _) = m[place * m_step..][..tiles * PANEL].as_chunks_mut();
                    // 5
                    product::<LANES, FUSED>(v, panel, live, m);
                }
                let mut block_bias = [0.0; PANEL];
                if let Some(bias) = bias {
                    block_bias[..live].copy_from_slice(&bias[block * PANEL..][..live]);
                }
                // 6
                for tile in 0..tiles {
                    let [y, x] = corner(first + tile);
                    let start = ((y - rows.start) * out_width + x) * filters + block * PANEL;
                    let target = Target {
                        output: &mut output[start..],
                        steps: [out_width * filters, filters],
                        inside: [OUT.min(rows.end - y), OUT.min(out_width - x)],
                        live,
                    };
                    transform_output::<OUT, IN, LANES, FUSED>(
                        &m[tile * PANEL..],
                        m_step,
                        &block_bias,
                        target,
                        &mut half,
                    );
                }
            }
        }
    }
}

/// Copies the `side`×`side` inputs from `corner` on, and zeros where there are none. `input` starts with row `first_row`.
fn copy_patch(problem: &Problem, side: usize, corner: [isize; 2], input: &[f32], first_row: usize, patch: &mut [f32]) {
    let [height, width, channels] = problem.input;
    // The part of a side from `start` on that is inside `len`, counted from `start`.
    let inside = |start: isize, len: usize| {
        let first = (-start).clamp(0, side as isize) as usize;
        first..(len as isize - start).clamp(first as isize, side as isize) as usize
    };
    let (rows, columns) = (inside(corner[0], height), inside(corner[1], width));
    patch.fill(0.0);
    if columns.is_empty() {
        return;
    }
    for row in rows {
        let y = (corner[0] + row as isize) as usize - first_row;
        let x = (corner[1] + columns.start as isize) as usize;
        let values = &input[(y * width + x) * channels..][..columns.len() * channels];
        patch[(row * side + columns.start) * channels..][..values.len()].copy_from_slice(values);
    }
}

#[cfg(test)]
mod tests;
