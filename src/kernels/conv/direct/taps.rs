//! The direct forward kernel for short patches, such as those of a network's first layer: 3×3 of 3 channels
//! have 27 values; and for 1×1 kernels on 32, 64 or 128 channels.
//!
//! By kernel rows, as the [parent module](super) goes, such a patch is three runs of 9 floats, and to set up
//! a tile for each run and put its sums away takes longer than its products. Here the offsets of a patch's
//! values, its taps, are listed once, and one loop over the list keeps the sums in registers from the bias to
//! the end. Neighbouring patches are `STEP` floats apart, which the compiler knows, so one address serves all
//! pixels of a tile:
//!
//! ```text
//! sums[p][f] = bias[f] + Σ_k input[offsets[k] + p·STEP] · weights[k][f]
//! ```
//!
//! in the same order as by kernel rows, so with the same bits.

use crate::kernels::simd::{Lanes, multiply_add};
use crate::kernels::tile::{PANEL, PairedTileWork, TileWork, load_filters, store_sums};

/// Values in the longest patch whose offsets are listed.
const MOST_TAPS: usize = 512;

/// The offset of each value of a patch from its first.
pub(super) struct TapOffsets {
    offsets: [usize; MOST_TAPS],
    count: usize,
}

impl TapOffsets {
    /// Lists those of a patch of `rows` runs of `run_len` floats, `row_len` apart, if it is short enough.
    pub fn new(rows: usize, run_len: usize, row_len: usize) -> Option<TapOffsets> {
        let count = rows * run_len;
        let mut offsets = [0; MOST_TAPS];
        for (k, offset) in offsets.get_mut(..count)?.iter_mut().enumerate() {
            *offset = k / run_len * row_len + k % run_len;
        }
        Some(TapOffsets { offsets, count })
    }
}

/// An output row, for the filters of a tile.
pub(super) struct TapsRow<'a, const V: usize, const STEP: usize, const LANES: usize, const FUSED: bool> {
    /// The input from the row's first patch on.
    pub input: &'a [f32],
    pub offsets: &'a TapOffsets,
    /// The panel, `[K][PANEL]`.
    pub weights: &'a [[f32; PANEL]],
    /// The tile's first filter in the panel.
    pub column: usize,
    pub bias: [Lanes<LANES>; V],
    /// The output row from the tile's first filter on.
    pub output: &'a mut [f32],
    /// Floats from one pixel of the output to the next.
    pub step: usize,
    /// The tile's filters that there are.
    pub present: usize,
}

impl<const V: usize, const STEP: usize, const LANES: usize, const FUSED: bool> TapsRow<'_, V, STEP, LANES, FUSED> {
    /// Iterates over the taps: the offset and the weights of each.
    #[inline(always)]
    fn taps(&self) -> impl Iterator<Item = (&usize, &[f32; PANEL])> {
        self.offsets.offsets[..self.offsets.count].iter().zip(self.weights)
    }

    /// Returns what one tap reads for `P` patches, the first of them at `start`.
    #[inline(always)]
    fn window<const P: usize>(&self, start: usize) -> &[f32] {
        &self.input[start..][..(P - 1) * STEP + 1]
    }

    #[inline(always)]
    fn store<const P: usize>(&mut self, x: usize, sums: &[[Lanes<LANES>; V]; P]) {
        for (pixel, sums) in sums.iter().enumerate() {
            store_sums(sums, &mut self.output[(x + pixel) * self.step..][..self.present]);
        }
    }
}

/// Adds the products of one tap to the sums of `P` pixels.
#[inline(always)]
fn add_tap<const P: usize, const V: usize, const STEP: usize, const LANES: usize, const FUSED: bool>(
    window: &[f32],
    filters: &[Lanes<LANES>; V],
    sums: &mut [[Lanes<LANES>; V]; P],
) {
    for pixel in 0..P {
        let value = [window[pixel * STEP]; LANES];
        for vector in 0..V {
            sums[pixel][vector] = multiply_add::<LANES, FUSED>(value, filters[vector], sums[pixel][vector]);
        }
    }
}

impl<const V: usize, const STEP: usize, const LANES: usize, const FUSED: bool> TileWork
    for TapsRow<'_, V, STEP, LANES, FUSED>
{
    #[inline(always)]
    fn one<const P: usize>(&mut self, x: usize) {
        assert!(self.column + V * LANES <= PANEL);
        let mut sums = [self.bias; P];
        // Loops 4 and 5: the taps.
        for (offset, weights) in self.taps() {
            let filters = load_filters(weights, self.column);
            add_tap::<P, V, STEP, LANES, FUSED>(self.window::<P>(offset + x * STEP), &filters, &mut sums);
        }
        // What is stored by reference is a copy: then the sums themselves live in registers.
        let done = sums;
        self.store(x, &done);
    }
}

impl<const V: usize, const STEP: usize, const LANES: usize, const FUSED: bool> PairedTileWork
    for TapsRow<'_, V, STEP, LANES, FUSED>
{
    #[inline(always)]
    fn two<const P: usize>(&mut self, [x, more_x]: [usize; 2]) {
        assert!(self.column + V * LANES <= PANEL);
        let (mut sums, mut more) = ([self.bias; P], [self.bias; P]);
        // Loops 4 and 5: the taps, each for both tiles.
        for (offset, weights) in self.taps() {
            let filters = load_filters(weights, self.column);
            add_tap::<P, V, STEP, LANES, FUSED>(self.window::<P>(offset + x * STEP), &filters, &mut sums);
            add_tap::<P, V, STEP, LANES, FUSED>(self.window::<P>(offset + more_x * STEP), &filters, &mut more);
        }
        let done = [sums, more];
        self.store(x, &done[0]);
        self.store(more_x, &done[1]);
    }
}
