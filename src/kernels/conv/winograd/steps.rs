//! The steps of a Winograd convolution, as [`conv_winograd`](super) runs them on groups of tiles: the kernel's
//! transform (once), a tile's input transform, a panel's product, a tile's output transform.
//!
//! ξ numbers the places of a transformed tile row by row. V and M hold one ξ after the other, `step` floats apart, so a transform
//! reads or writes IN² vectors far from each other, and a product reads and writes without gaps.

use super::problem::Problem;
use super::transforms::{Transforms, Winograd, kernel_matrix};
use crate::kernels::conv::Pass;
use crate::kernels::simd::{Lanes, SimdOp, load};
use crate::kernels::tile::{OverTiles, PANEL, VECTORS, over_tiles, tile, tile_pair};
use std::ops::Range;

/// The kernel's transform: writes a block of PANEL filters of U, `[ξ][C][PANEL]`, with zeros for the filters that are missing
/// in the last block.
pub(super) struct Pack<'a, const IN: usize> {
    pub problem: Problem,
    pub pass: Pass,
    pub block: usize,
    pub kernel: &'a [f32],
    pub packed: &'a mut [f32],
}

/// Channels whose kernel values are gathered at once: a cache line's worth, since going back a line of the kernel holds one
/// filter's channels.
const GATHERED: usize = 16;

/// Values of a kernel for one channel and filter.
const TAPS: usize = 9;

impl<const IN: usize> SimdOp for Pack<'_, IN> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let Pack { problem, pass, block, kernel, packed } = self;
        let channels = problem.input[2];
        let (panels, _) = packed.as_chunks_mut::<PANEL>();
        let mut gathered = [[[0.0; PANEL]; TAPS]; GATHERED];
        for first in (0..channels).step_by(GATHERED) {
            let count = GATHERED.min(channels - first);
            gather(&problem, pass, kernel, block, first..first + count, &mut gathered);
            for (c, taps) in gathered[..count].iter().enumerate() {
                for from in (0..PANEL).step_by(LANES) {
                    transform_kernel::<IN, LANES, FUSED>(taps, from, &mut panels[first + c..], channels);
                }
            }
        }
    }
}

/// The kernel values of a block of filters and some channels; what stands for missing filters stays as it is.
#[inline(always)]
fn gather(
    problem: &Problem,
    pass: Pass,
    kernel: &[f32],
    block: usize,
    channels: Range<usize>,
    gathered: &mut [[[f32; PANEL]; TAPS]; GATHERED],
) {
    let (all_channels, all_filters) = (problem.input[2], problem.filters);
    let filters = block * PANEL..all_filters.min((block + 1) * PANEL);
    for tap in 0..TAPS {
        match pass {
            // Turned by 180°, and the kernel's channels are the filters here.
            Pass::GradInput => {
                let kernel = &kernel[(TAPS - 1 - tap) * all_filters * all_channels..];
                for (f, filter) in filters.clone().enumerate() {
                    let values = &kernel[filter * all_channels..][channels.clone()];
                    for (gathered, value) in gathered.iter_mut().zip(values) {
                        gathered[tap][f] = *value;
                    }
                }
            }
            _ => {
                for (gathered, channel) in gathered.iter_mut().zip(channels.clone()) {
                    let values = &kernel[(tap * all_channels + channel) * all_filters..][filters.clone()];
                    gathered[tap][..values.len()].copy_from_slice(values);
                }
            }
        }
    }
}

/// G g Gᵀ of the filters from `from` on, in f64, so that U is rounded once. The first of `panels` takes ξ = 0.
#[inline(always)]
fn transform_kernel<const IN: usize, const LANES: usize, const FUSED: bool>(
    taps: &[[f32; PANEL]; TAPS],
    from: usize,
    panels: &mut [[f32; PANEL]],
    step: usize,
) {
    let g = const { kernel_matrix::<IN>() };
    let mut wide = [[0.0; LANES]; TAPS];
    for (wide, taps) in wide.iter_mut().zip(taps) {
        let values: Lanes<LANES> = load(taps, from);
        for lane in 0..LANES {
            wide[lane] = f64::from(values[lane]);
        }
    }
    for i in 0..IN {
        let mut row = [[0.0; LANES]; 3];
        for x in 0..3 {
            row[x] = combine::<LANES, FUSED>(&g[i], [wide[x], wide[3 + x], wide[6 + x]]);
        }
        for (j, factors) in g.iter().enumerate() {
            let sum = combine::<LANES, FUSED>(factors, row);
            let mut rounded = [0.0; LANES];
            for lane in 0..LANES {
                rounded[lane] = sum[lane] as f32;
            }
            store(&mut panels[(i * IN + j) * step], from, rounded);
        }
    }
}

/// `Σ factors[i] · values[i]`.
#[inline(always)]
fn combine<const LANES: usize, const FUSED: bool>(factors: &[f64; 3], values: [[f64; LANES]; 3]) -> [f64; LANES] {
    let mut sum = [0.0; LANES];
    for lane in 0..LANES {
        let [a, b, c] = [values[0][lane], values[1][lane], values[2][lane]];
        sum[lane] = if FUSED {
            factors[0].mul_add(a, factors[1].mul_add(b, factors[2] * c))
        } else {
            factors[0] * a + (factors[1] * b + factors[2] * c)
        };
    }
    sum
}

/// Room for a tile that is transformed in one of its two directions.
pub(super) type Half<const IN: usize, const LANES: usize> = [[Lanes<LANES>; IN]; IN];

/// V's `C` channels of one tile: Bᵀ d B. The tile's corner is the first value of `source`, whose rows are `row_len` floats
/// apart; that of `v` is ξ = 0.
#[inline(always)]
pub(super) fn transform_input<const OUT: usize, const IN: usize, const LANES: usize, const FUSED: bool>(
    source: &[f32],
    row_len: usize,
    channels: usize,
    v: &mut [f32],
    step: usize,
    half: &mut Half<IN, LANES>,
) where
    Winograd<OUT, IN>: Transforms<OUT, IN>,
{
    let mut from = 0;
    // Registers of channels at a time, then single ones.
    while from + LANES <= channels {
        input_lanes::<OUT, IN, LANES, FUSED>(&source[from..], row_len, channels, &mut v[from..], step, half);
        from += LANES;
    }
    while from < channels {
        let mut half = [[[0.0; 1]; IN]; IN];
        input_lanes::<OUT, IN, 1, FUSED>(&source[from..], row_len, channels, &mut v[from..], step, &mut half);
        from += 1;
    }
}

/// The first `LANES` channels. `half` is for Bᵀ d.
#[inline(always)]
fn input_lanes<const OUT: usize, const IN: usize, const LANES: usize, const FUSED: bool>(
    source: &[f32],
    row_len: usize,
    channels: usize,
    v: &mut [f32],
    step: usize,
    half: &mut Half<IN, LANES>,
) where
    Winograd<OUT, IN>: Transforms<OUT, IN>,
{
    for j in 0..IN {
        let column = &source[j * channels..];
        Winograd::<OUT, IN>::input::<LANES, FUSED>(|i| load(column, i * row_len), |i, vector| half[i][j] = vector);
    }
    for (i, half) in half.iter().enumerate() {
        let v = &mut v[i * IN * step..];
        Winograd::<OUT, IN>::input::<LANES, FUSED>(|j| half[j], |j, vector| store(v, j * step, vector));
    }
}

/// M of one ξ and one block, of which `live` filters are wanted: `v` [tiles×C] · `panel` [C×PANEL].
#[inline(always)]
pub(super) fn product<const LANES: usize, const FUSED: bool>(
    v: &[f32],
    panel: &[[f32; PANEL]],
    live: usize,
    m: &mut [[f32; PANEL]],
) {
    for column in (0..live).step_by(VECTORS * LANES) {
        let tiles = m.len();
        over_tiles::<LANES>(tiles, &mut Product::<LANES, FUSED> { v, panel, column, m });
    }
}

/// The filters from `column` on, as many as a register tile holds.
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

impl<const LANES: usize, const FUSED: bool> OverTiles for Product<'_, LANES, FUSED> {
    #[inline(always)]
    fn one<const TILES: usize>(&mut self, first: usize) {
        let mut sums = [[[0.0; LANES]; VECTORS]; TILES];
        tile::<TILES, VECTORS, LANES, FUSED>(self.rows(first), self.panel, self.column, &mut sums);
        self.store(first, &sums);
    }

    #[inline(always)]
    fn two<const TILES: usize>(&mut self, firsts: [usize; 2]) {
        let (mut sums, mut more) = ([[[0.0; LANES]; VECTORS]; TILES], [[[0.0; LANES]; VECTORS]; TILES]);
        let rows = [self.rows(firsts[0]), self.rows(firsts[1])];
        tile_pair::<TILES, VECTORS, LANES, FUSED>(rows, self.panel, self.column, [&mut sums, &mut more]);
        self.store(firsts[0], &sums);
        self.store(firsts[1], &more);
    }
}

/// Where a tile's outputs go.
pub(super) struct Target<'a> {
    /// From the tile's corner and the block's first filter on.
    pub output: &'a mut [f32],
    /// Floats from one output row to the next, and from one position.
    pub steps: [usize; 2],
    /// Rows and columns of the tile that are inside the output.
    pub inside: [usize; 2],
    /// Filters of the block that there are.
    pub live: usize,
}

/// One tile's outputs for a block of filters: Aᵀ M A + bias. The first value of `m` is ξ = 0.
#[inline(always)]
pub(super) fn transform_output<const OUT: usize, const IN: usize, const LANES: usize, const FUSED: bool>(
    m: &[f32],
    step: usize,
    bias: &[f32; PANEL],
    target: Target,
    half: &mut Half<IN, LANES>,
) where
    Winograd<OUT, IN>: Transforms<OUT, IN>,
{
    let Target { output, steps, inside, live } = target;
    for from in (0..live).step_by(LANES) {
        for j in 0..IN {
            let column = &m[j * step + from..];
            Winograd::<OUT, IN>::output::<LANES, FUSED>(
                |i| load(column, i * IN * step),
                |i, vector| half[i][j] = vector,
            );
        }
        let bias: Lanes<LANES> = load(bias, from);
        let wanted = LANES.min(live - from);
        for (i, half) in half[..inside[0]].iter().enumerate() {
            let output = &mut output[i * steps[0] + from..];
            let mut row = [[0.0; LANES]; OUT];
            Winograd::<OUT, IN>::output::<LANES, FUSED>(|j| half[j], |j, vector| row[j] = vector);
            for j in 0..OUT {
                for lane in 0..LANES {
                    row[j][lane] += bias[lane];
                }
                if j < inside[1] && wanted == LANES {
                    store(output, j * steps[1], row[j]);
                } else if j < inside[1] {
                    output[j * steps[1]..][..wanted].copy_from_slice(&row[j][..wanted]);
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
