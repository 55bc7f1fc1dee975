//! The direct forward kernel for short patches, such as those of a network's first layer: 3×3 of 3 channels have 27 values.
//!
//! By kernel rows, as the parent module goes, such a patch is three runs of 9 floats, and to set up a tile for each run and put its
//! sums away takes longer than its products. Here the places of a patch's values are listed once, and one loop over the list
//! keeps the sums in registers from the bias to the end. Neighbouring patches are `STEP` floats apart, which the compiler knows, so
//! one address serves all pixels of a tile:
//!
//! ```text
//! sums[p][f] = bias[f] + Σ_k input[places[k] + p·STEP] · weights[k][f]
//! ```
//!
//! in the same order as by kernel rows, so with the same bits.

use crate::kernels::simd::{Lanes, multiply_add};
use crate::kernels::tile::{OverTiles, PANEL, VECTORS, load_filters};

/// Values in the longest patch whose places are listed.
pub(super) const MOST_TAPS: usize = 64;

/// Where each value of a patch lies, counted from the first.
pub(super) struct Places {
    places: [usize; MOST_TAPS],
    count: usize,
}

impl Places {
    /// Of a patch of `rows` runs of `run_len` floats, `row_len` apart, if it is short enough.
    pub fn new(rows: usize, run_len: usize, row_len: usize) -> Option<Places> {
        let count = rows * run_len;
        let mut places = [0; MOST_TAPS];
        for (k, place) in places.get_mut(..count)?.iter_mut().enumerate() {
            *place = k / run_len * row_len + k % run_len;
        }
        Some(Places { places, count })
    }
}

/// An output row, for the filters of a tile.
pub(super) struct TapsRow<'a, const STEP: usize, const LANES: usize, const FUSED: bool> {
    /// From the row's first patch on.
    pub input: &'a [f32],
    pub places: &'a Places,
    /// The panel, and the tile's first filter in it.
    pub weights: &'a [[f32; PANEL]],
    pub column: usize,
    pub bias: [Lanes<LANES>; VECTORS],
    /// The output row from the tile's first filter on; `filters` floats lie from one pixel to the next, and `live` of the tile's
    /// filters are there.
    pub output: &'a mut [f32],
    pub filters: usize,
    pub live: usize,
}

impl<const STEP: usize, const LANES: usize, const FUSED: bool> TapsRow<'_, STEP, LANES, FUSED> {
    /// For each tap where it lies, and its weights.
    #[inline(always)]
    fn taps(&self) -> impl Iterator<Item = (&usize, &[f32; PANEL])> {
        self.places.places[..self.places.count].iter().zip(self.weights)
    }

    /// A tap of `P` patches, the first of them at `start`.
    #[inline(always)]
    fn window<const P: usize>(&self, start: usize) -> &[f32] {
        &self.input[start..][..(P - 1) * STEP + 1]
    }

    #[inline(always)]
    fn store<const P: usize>(&mut self, x: usize, sums: &[[Lanes<LANES>; VECTORS]; P]) {
        for (pixel, sums) in sums.iter().enumerate() {
            let output = &mut self.output[(x + pixel) * self.filters..][..self.live];
            if self.live == VECTORS * LANES {
                output.copy_from_slice(sums.as_flattened());
            } else {
                output.copy_from_slice(&sums.as_flattened()[..self.live]);
            }
        }
    }
}

#[inline(always)]
fn add_tap<const P: usize, const STEP: usize, const LANES: usize, const FUSED: bool>(
    window: &[f32],
    filters: &[Lanes<LANES>; VECTORS],
    sums: &mut [[Lanes<LANES>; VECTORS]; P],
) {
    for pixel in 0..P {
        let value = [window[pixel * STEP]; LANES];
        for vector in 0..VECTORS {
            sums[pixel][vector] = multiply_add::<LANES, FUSED>(value, filters[vector], sums[pixel][vector]);
        }
    }
}

impl<const STEP: usize, const LANES: usize, const FUSED: bool> OverTiles for TapsRow<'_, STEP, LANES, FUSED> {
    #[inline(always)]
    fn one<const P: usize>(&mut self, x: usize) {
        let mut sums = [self.bias; P];
        for (place, weights) in self.taps() {
            let filters = load_filters(weights, self.column);
            add_tap::<P, STEP, LANES, FUSED>(self.window::<P>(place + x * STEP), &filters, &mut sums);
        }
        // What is stored by reference is a copy: then the sums themselves live in registers.
        let done = sums;
        self.store(x, &done);
    }

    #[inline(always)]
    fn two<const P: usize>(&mut self, [x, more_x]: [usize; 2]) {
        let (mut sums, mut more) = ([self.bias; P], [self.bias; P]);
        for (place, weights) in self.taps() {
            let filters = load_filters(weights, self.column);
            add_tap::<P, STEP, LANES, FUSED>(self.window::<P>(place + x * STEP), &filters, &mut sums);
            add_tap::<P, STEP, LANES, FUSED>(self.window::<P>(place + more_x * STEP), &filters, &mut more);
        }
        let done = [sums, more];
        self.store(x, &done[0]);
        self.store(more_x, &done[1]);
    }
}
