//! The steps of a Winograd convolution, as [`conv_winograd`](super::conv_winograd) runs them on groups of tiles: the kernel's
//! transform (once), a tile's input transform, a panel's product, a tile's output transform.
//!
//! ξ numbers the places of a transformed tile row by row. V and M hold one ξ after the other, `step` floats apart, so a transform
//! reads or writes IN² vectors far from each other, and a product reads and writes without gaps.

use super::conv::Pass;
use super::conv_winograd::Problem;
use super::simd::{Kernel, Lanes, load};
use super::tile::{PANEL, PIXELS, VECTORS, tile};
use super::winograd::{Transforms, Winograd, kernel_matrix};

/// The kernel's transform: writes U as `[blocks of PANEL filters][ξ][C][PANEL]`, with zeros for the filters that are missing
/// in the last block.
pub(super) struct Pack<'a, const IN: usize> {
    pub problem: Problem,
    pub pass: Pass,
    pub kernel: &'a [f32],
    pub packed: &'a mut [f32],
}

/// Channels whose kernel values are gathered at once: a cache line's worth, since going back a line of the kernel holds one
/// filter's channels.
const GATHERED: usize = 16;

impl<const IN: usize> Kernel for Pack<'_, IN> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let Pack { problem, pass, kernel, packed } = self;
        let (channels, filters) = (problem.input[2], problem.filters);
        let (panels, _) = packed.as_chunks_mut::<PANEL>();
        for (block, panels) in panels.chunks_exact_mut(IN * IN * channels).enumerate() {
            let live = PANEL.min(filters - block * PANEL);
            for first in (0..channels).step_by(GATHERED) {
                let count = GATHERED.min(channels - first);
                let mut gathered = [[[0.0; PANEL]; 9]; GATHERED];
                for tap in 0..9 {
                    for f in 0..live {
                        for c in 0..count {
                            let (row, column) = (first + c, block * PANEL + f);
                            gathered[c][tap][f] = match pass {
                                // Turned by 180°, and its channels are the filters here.
                                Pass::GradInput => kernel[((8 - tap) * filters + column) * channels + row],
                                _ => kernel[(tap * channels + row) * filters + column],
                            };
                        }
                    }
                }
                for (c, taps) in gathered[..count].iter().enumerate() {
                    for from in (0..PANEL).step_by(LANES) {
                        let transformed = transform_kernel::<IN, LANES, FUSED>(taps, from);
                        for (place, vector) in transformed.as_flattened().iter().enumerate() {
                            panels[place * channels + first + c][from..from + LANES].copy_from_slice(vector);
                        }
                    }
                }
            }
        }
    }
}

/// G g Gᵀ of the filters from `from` on, in f64: U is rounded once.
#[inline(always)]
fn transform_kernel<const IN: usize, const LANES: usize, const FUSED: bool>(
    taps: &[[f32; PANEL]; 9],
    from: usize,
) -> [[Lanes<LANES>; IN]; IN] {
    let g = const { kernel_matrix::<IN>() };
    let along = |factors: &[f64; 3], values: [[f64; LANES]; 3]| -> [f64; LANES] {
        let mut sum = [0.0; LANES];
        for (factor, values) in factors.iter().zip(values) {
            for lane in 0..LANES {
                sum[lane] =
                    if FUSED { factor.mul_add(values[lane], sum[lane]) } else { factor * values[lane] + sum[lane] };
            }
        }
        sum
    };
    let mut transformed = [[[0.0; LANES]; IN]; IN];
    for (i, transformed) in transformed.iter_mut().enumerate() {
        let mut half = [[0.0; LANES]; 3];
        for (x, half) in half.iter_mut().enumerate() {
            let column = [0, 1, 2].map(|y| load::<LANES>(&taps[y * 3 + x], from).map(f64::from));
            *half = along(&g[i], column);
        }
        for (j, transformed) in transformed.iter_mut().enumerate() {
            *transformed = along(&g[j], half).map(|value| value as f32);
        }
    }
    transformed
}

/// V's `C` channels of one tile: Bᵀ d B. The tile's corner is the first value of `source`, whose rows are `row_len` floats
/// apart; that of `v` is ξ = 0.
#[inline(always)]
pub(super) fn transform_input<const OUT: usize, const IN: usize, const LANES: usize, const FUSED: bool>(
    source: &[f32],
    row_len: usize,
    channels: usize,
    v: &mut [f32],
    step: usize,
) where
    Winograd<OUT, IN>: Transforms<OUT, IN>,
{
    let mut from = 0;
    // Registers of channels at a time, then single ones.
    while from + LANES <= channels {
        input_lanes::<OUT, IN, LANES, FUSED>(&source[from..], row_len, channels, &mut v[from..], step);
        from += LANES;
    }
    while from < channels {
        input_lanes::<OUT, IN, 1, FUSED>(&source[from..], row_len, channels, &mut v[from..], step);
        from += 1;
    }
}

#[inline(always)]
fn input_lanes<const OUT: usize, const IN: usize, const LANES: usize, const FUSED: bool>(
    source: &[f32],
    row_len: usize,
    channels: usize,
    v: &mut [f32],
    step: usize,
) where
    Winograd<OUT, IN>: Transforms<OUT, IN>,
{
    let mut half = [[[0.0; LANES]; IN]; IN];
    for (i, half) in half.iter_mut().enumerate() {
        let row = &source[i * row_len..];
        *half = Winograd::<OUT, IN>::input::<LANES, FUSED>(std::array::from_fn(|j| load(row, j * channels)));
    }
    for j in 0..IN {
        let column = Winograd::<OUT, IN>::input::<LANES, FUSED>(std::array::from_fn(|i| half[i][j]));
        for (i, vector) in column.iter().enumerate() {
            v[(i * IN + j) * step..][..LANES].copy_from_slice(vector);
        }
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
    let (channels, tiles) = (panel.len(), m.len());
    // Strips of nearly the same length: short ones leave the multipliers waiting.
    let strips = tiles.div_ceil(PIXELS);
    for strip in 0..strips {
        let (first, last) = (strip * tiles / strips, (strip + 1) * tiles / strips);
        let (v, m) = (&v[first * channels..last * channels], &mut m[first..last]);
        for column in (0..live).step_by(VECTORS * LANES) {
            match last - first {
                1 => strip_product::<1, LANES, FUSED>(v, panel, column, m),
                2 => strip_product::<2, LANES, FUSED>(v, panel, column, m),
                3 => strip_product::<3, LANES, FUSED>(v, panel, column, m),
                4 => strip_product::<4, LANES, FUSED>(v, panel, column, m),
                5 => strip_product::<5, LANES, FUSED>(v, panel, column, m),
                _ => strip_product::<PIXELS, LANES, FUSED>(v, panel, column, m),
            }
        }
    }
}

#[inline(always)]
fn strip_product<const TILES: usize, const LANES: usize, const FUSED: bool>(
    v: &[f32],
    panel: &[[f32; PANEL]],
    column: usize,
    m: &mut [[f32; PANEL]],
) {
    let channels = panel.len();
    let mut sums = [[[0.0; LANES]; VECTORS]; TILES];
    let rows: [&[f32]; TILES] = std::array::from_fn(|row| &v[row * channels..][..channels]);
    tile::<TILES, VECTORS, LANES, FUSED>(rows, panel, column, &mut sums);
    for (m, sums) in m.iter_mut().zip(&sums) {
        m[column..column + VECTORS * LANES].copy_from_slice(sums.as_flattened());
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
) where
    Winograd<OUT, IN>: Transforms<OUT, IN>,
{
    let Target { output, steps, inside, live } = target;
    for from in (0..live).step_by(LANES) {
        let mut half = [[[0.0; LANES]; IN]; OUT];
        for j in 0..IN {
            let column = std::array::from_fn(|i| load(m, (i * IN + j) * step + from));
            let column = Winograd::<OUT, IN>::output::<LANES, FUSED>(column);
            for (half, vector) in half.iter_mut().zip(column) {
                half[j] = vector;
            }
        }
        let bias: Lanes<LANES> = load(bias, from);
        let wanted = LANES.min(live - from);
        for (i, half) in half.into_iter().enumerate().take(inside[0]) {
            let row = Winograd::<OUT, IN>::output::<LANES, FUSED>(half);
            for (j, mut vector) in row.into_iter().enumerate().take(inside[1]) {
                for lane in 0..LANES {
                    vector[lane] += bias[lane];
                }
                let output = &mut output[i * steps[0] + j * steps[1] + from..];
                match output.first_chunk_mut::<LANES>() {
                    Some(output) if wanted == LANES => *output = vector,
                    _ => output[..wanted].copy_from_slice(&vector[..wanted]),
                }
            }
        }
    }
}
