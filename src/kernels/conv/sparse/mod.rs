//! The gradients of a convolution whose output went through max-pooling, from the non-zeros alone.
//!
//! A window of max-pooling sends its gradient to one position. So of the 2×2 positions of the documented
//! model three have none, and where ReLU cut the maximum off, all four. With the non-zeros at hand as short
//! lists ([`lists`]), each costs one K-long multiply-add, and zeros cost nothing:
//!
//! ```text
//! weights   dWᵀ[f] += g · patch(p)           sums of one filter in registers, its list of g streams by
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

mod entries;
mod gather;
mod grad_input;
mod grad_weights;
mod groups;
mod layout;
pub mod lists;
mod registers;

use crate::geometry::{ConvGeometry, PoolGeometry};
use crate::kernels::conv::{ConvAlgorithm, GradOutput, Pass, Scratch, ScratchLen, Weights};
use crate::kernels::simd::InstructionSet;
use entries::Lists;
use groups::RowGroups;
use layout::PatchLayout;

/// The registry's entry.
#[derive(Debug)]
pub(crate) struct Sparse;

impl ConvAlgorithm for Sparse {
    fn name(&self) -> &'static str {
        "sparse"
    }

    fn supports(&self, geometry: &ConvGeometry, pass: Pass) -> bool {
        pass != Pass::Forward && !geometry.is_dilated()
    }

    /// The products of the non-zeros alone. What it takes to find these is not arithmetic.
    fn operations(&self, geometry: &ConvGeometry, _pass: Pass, live: f64) -> f64 {
        2.0 * live * geometry.multiply_adds() as f64
    }

    fn takes_pooled(&self, _pass: Pass) -> bool {
        true
    }

    fn scratch_len(&self, geometry: &ConvGeometry, pass: Pass, pool: Option<&PoolGeometry>) -> ScratchLen {
        let layout = PatchLayout::new(geometry);
        let of = |window: Option<[usize; 2]>| {
            let groups = RowGroups::new(geometry, window);
            let (lists, most) = match pass {
                Pass::GradInput => grad_input::lists_for(geometry, &groups),
                _ => grad_weights::lists_for(geometry, &groups),
            };
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
        grad_input::grad_input(InstructionSet::in_force(), geometry, grad_output, weights.packed, grad_input, scratch);
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
        let set = InstructionSet::in_force();
        grad_weights::grad_weights(set, geometry, input, grad_output, sums, grad_bias, scratch);
    }
}

#[cfg(test)]
mod tests;
