//! The register tile: the innermost product of the faster convolutions.
//!
//! A few pixels meet a few vectors of filters, and all their sums stay in registers while the channels go by. For each channel
//! the weights are loaded once and serve every pixel, and each pixel's value is spread over a register and serves every filter:
//!
//! ```text
//! sums[p][f] += Σ_k rows[p][k] · weights[k][f]          [PIXELS×K]·[K×(VECTORS·LANES)]
//! ```
//!
//! How many sums there are decides the speed. A fused multiply-add takes 4 cycles and two start in each, so fewer than 8 sums
//! leave the multipliers waiting; sums that do not fit the registers, beside the weights and one pixel's value, live in memory.
//! The tile of [`PIXELS`] × [`VECTORS`] fits 16 registers (AVX2) and 32 (AVX-512); from 8 × 2 on the compiler keeps the sums
//! in memory even where registers are left.
//!
//! The way a sum is added up depends on neither the tile's size nor the pixel's place in it, so bands and remainders give
//! the same bits.

use super::simd::{Lanes, load, multiply_add};

/// Pixels in a full tile. Remainders take smaller ones.
pub const PIXELS: usize = 6;

/// Registers of filters in a tile.
pub const VECTORS: usize = 2;

/// Filters in a packed panel of weights: a multiple of VECTORS · LANES for every instruction set, so that weights are packed the
/// same for all.
pub const PANEL: usize = 32;

/// The panel's filters from `column` on, as many as the tile holds, of some pixels: **adds** the product of `rows`, each with
/// at least K values, and `weights`, [K × PANEL], to `sums`.
///
/// # Panics
/// If a row is shorter than K, or the tile reaches over the panel's edge.
#[inline(always)]
pub fn tile<const PIXELS: usize, const VECTORS: usize, const LANES: usize, const FUSED: bool>(
    rows: [&[f32]; PIXELS],
    weights: &[[f32; PANEL]],
    column: usize,
    sums: &mut [[Lanes<LANES>; VECTORS]; PIXELS],
) {
    assert!(column + VECTORS * LANES <= PANEL);
    // Lengths that the compiler knows to be the same: the loop below then has no checks.
    let mut rows = rows;
    for row in &mut rows {
        *row = &row[..weights.len()];
    }
    // A local copy lives in registers; what a reference points to may not.
    let mut local = *sums;
    for (k, weights) in weights.iter().enumerate() {
        let mut filters = [[0.0; LANES]; VECTORS];
        for (vector, filters) in filters.iter_mut().enumerate() {
            *filters = load(weights, column + vector * LANES);
        }
        for pixel in 0..PIXELS {
            let value = [rows[pixel][k]; LANES];
            for vector in 0..VECTORS {
                local[pixel][vector] = multiply_add::<LANES, FUSED>(value, filters[vector], local[pixel][vector]);
            }
        }
    }
    *sums = local;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::simd::{InstructionSet, Kernel, dispatch_to};
    use crate::random::{Purpose, Stream};

    const K: usize = 37;

    /// The product of all rows with a panel, by tiles of `P` pixels and a smaller one.
    struct Product<'a, const P: usize> {
        rows: &'a [Vec<f32>],
        weights: &'a [[f32; PANEL]],
        output: &'a mut [[f32; PANEL]],
    }

    impl<const P: usize> Kernel for Product<'_, P> {
        #[inline(always)]
        fn run<const LANES: usize, const FUSED: bool>(self) {
            for (rows, output) in self.rows.chunks_exact(P).zip(self.output.chunks_exact_mut(P)) {
                for column in (0..PANEL).step_by(VECTORS * LANES) {
                    let mut sums = [[[0.5; LANES]; VECTORS]; P];
                    let rows: [&[f32]; P] = std::array::from_fn(|pixel| &rows[pixel][..]);
                    tile::<P, VECTORS, LANES, FUSED>(rows, self.weights, column, &mut sums);
                    for (output, sums) in output.iter_mut().zip(&sums) {
                        output[column..column + VECTORS * LANES].copy_from_slice(sums.as_flattened());
                    }
                }
            }
        }
    }

    #[test]
    fn tiles_of_all_sizes_give_the_product_and_the_same_bits() {
        let mut stream = Stream::new(0, Purpose::Test, 0, 0);
        let mut draw = || stream.unit_f32() - 0.5;
        let rows: Vec<Vec<f32>> = (0..PIXELS).map(|_| (0..K + 3).map(|_| draw()).collect()).collect();
        let weights: Vec<[f32; PANEL]> = (0..K).map(|_| std::array::from_fn(|_| draw())).collect();
        for set in InstructionSet::tested() {
            let [mut one, mut three, mut six] = [[[f32::NAN; PANEL]; PIXELS]; 3];
            dispatch_to(set, Product::<1> { rows: &rows, weights: &weights, output: &mut one });
            dispatch_to(set, Product::<3> { rows: &rows, weights: &weights, output: &mut three });
            dispatch_to(set, Product::<6> { rows: &rows, weights: &weights, output: &mut six });
            assert_eq!(one, three, "{}", set.name());
            assert_eq!(one, six, "{}", set.name());
            for (row, output) in rows.iter().zip(&six) {
                for (f, &output) in output.iter().enumerate() {
                    let products = row.iter().zip(&weights).map(|(x, w)| f64::from(*x) * f64::from(w[f]));
                    assert!((f64::from(output) - 0.5 - products.sum::<f64>()).abs() < 1e-6, "{}", set.name());
                }
            }
        }
    }
}
