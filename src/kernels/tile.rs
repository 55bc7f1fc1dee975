//! The register tile: the innermost product of the faster convolutions and of dense layers.
//!
//! A few pixels meet a few vectors of filters, and all their sums stay in registers while the channels go by.
//! For each channel the weights are loaded once and serve every pixel, and each pixel's value is broadcast to
//! a register and serves every filter:
//!
//! ```text
//! sums[p][f] += Σ_k rows[p][k] · weights[k][f]          [PIXELS×K]·[K×(VECTORS·LANES)]
//! ```
//!
//! This is the micro-kernel of Goto and van de Geijn, *Anatomy of High-Performance Matrix Multiplication*,
//! 2008. The number of sums decides its speed. A fused multiply-add takes 4 cycles and two start in each, so
//! fewer than 8 sums leave the multipliers waiting. The more pixels share a load of the weights, the less of
//! the caches' time a product takes. But sums that do not fit the registers, beside the weights and one
//! pixel's value, live in memory. A tile of [`PIXELS`] × `VECTORS` sums fits 16 registers (AVX2). Where
//! there are 32 (AVX-512), two tiles of up to `PAIRED_PIXELS` pixels go side by side. They are two arrays
//! and not one, because the compiler keeps arrays of more than about 16 sums in memory, even where registers
//! are left.
//!
//! The order in which a sum is added up depends neither on the tile's size nor on the pixel's position in it,
//! so bands and remainders give the same bits.

use super::simd::{Lanes, load, multiply_add};

/// Pixels in a full single tile. Remainders take smaller ones.
pub const PIXELS: usize = 6;

/// Pixels in either tile of a full pair: 24 sums, two registers of weights, one of a pixel's value.
pub(crate) const PAIRED_PIXELS: usize = 6;

/// Floats in a register of an instruction set that has 32 of them.
pub(crate) const PAIRED_LANES: usize = 16;

/// Registers of filters in a tile.
pub(crate) const VECTORS: usize = 2;

/// Filters in a packed panel of weights: a multiple of VECTORS · LANES for every instruction set, so that
/// weights are packed the same for all.
pub(crate) const PANEL: usize = 32;

/// Returns the most pixels that a tile, or a pair of tiles, takes.
pub(crate) const fn longest_strip(lanes: usize) -> usize {
    if lanes == PAIRED_LANES { 2 * PAIRED_PIXELS } else { PIXELS }
}

/// Work on the pixels of a row, a tile at a time.
pub(crate) trait TileWork {
    /// Works on `PIXELS` pixels from `first` on.
    fn one<const PIXELS: usize>(&mut self, first: usize);
}

/// Work that can take a pair of tiles, too.
pub(crate) trait PairedTileWork: TileWork {
    /// Works on `PIXELS` pixels from each of `firsts` on. The two may overlap: what they both write is the
    /// same.
    fn two<const PIXELS: usize>(&mut self, firsts: [usize; 2]);
}

/// Works on pixels 0 to `count`, in strips of nearly the same length: short ones leave the multipliers
/// waiting.
#[inline(always)]
pub(crate) fn over_tiles<const LANES: usize>(count: usize, work: &mut impl PairedTileWork) {
    let strips = count.div_ceil(longest_strip(LANES));
    for strip in 0..strips {
        let (first, last) = (strip * count / strips, (strip + 1) * count / strips);
        let pixels = last - first;
        if LANES == PAIRED_LANES && pixels > PIXELS {
            // An odd strip has its middle pixel in both tiles.
            let firsts = [first, last - pixels.div_ceil(2)];
            match pixels.div_ceil(2) {
                4 => work.two::<4>(firsts),
                5 => work.two::<5>(firsts),
                _ => work.two::<PAIRED_PIXELS>(firsts),
            }
        } else {
            one_tile(first, pixels, work);
        }
    }
}

/// Does the same as [`over_tiles`] by single tiles.
#[inline(always)]
pub(crate) fn over_single_tiles(count: usize, work: &mut impl TileWork) {
    let strips = count.div_ceil(PIXELS);
    for strip in 0..strips {
        let (first, last) = (strip * count / strips, (strip + 1) * count / strips);
        one_tile(first, last - first, work);
    }
}

/// Works on one tile of 1 to [`PIXELS`] pixels.
#[inline(always)]
fn one_tile(first: usize, pixels: usize, work: &mut impl TileWork) {
    match pixels {
        1 => work.one::<1>(first),
        2 => work.one::<2>(first),
        3 => work.one::<3>(first),
        4 => work.one::<4>(first),
        5 => work.one::<5>(first),
        _ => work.one::<PIXELS>(first),
    }
}

/// **Adds** to `sums` the product of `rows`, each of at least K values, with the columns of `weights`,
/// `[K×PANEL]`, from `column` on, as many as the tile holds.
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
    let rows = truncate(rows, weights.len());
    // A local copy lives in registers; what a reference points to may not.
    let mut local = *sums;
    // The innermost loop of every caller: the terms of the sums.
    for (k, weights) in weights.iter().enumerate() {
        let filters = load_filters(weights, column);
        add_products::<PIXELS, VECTORS, LANES, FUSED>(&rows, k, &filters, &mut local);
    }
    *sums = local;
}

/// **Adds** to two tiles side by side, which share each load of the weights, as [`tile`] does to one.
///
/// # Panics
/// As [`tile`].
#[inline(always)]
pub(crate) fn tile_pair<const PIXELS: usize, const VECTORS: usize, const LANES: usize, const FUSED: bool>(
    [rows, more_rows]: [[&[f32]; PIXELS]; 2],
    weights: &[[f32; PANEL]],
    column: usize,
    [sums, more_sums]: [&mut [[Lanes<LANES>; VECTORS]; PIXELS]; 2],
) {
    assert!(column + VECTORS * LANES <= PANEL);
    let (rows, more_rows) = (truncate(rows, weights.len()), truncate(more_rows, weights.len()));
    let (mut local, mut more) = (*sums, *more_sums);
    for (k, weights) in weights.iter().enumerate() {
        let filters = load_filters(weights, column);
        add_products::<PIXELS, VECTORS, LANES, FUSED>(&rows, k, &filters, &mut local);
        add_products::<PIXELS, VECTORS, LANES, FUSED>(&more_rows, k, &filters, &mut more);
    }
    (*sums, *more_sums) = (local, more);
}

/// Returns the rows' first `len` values. With lengths that the compiler knows to be the same, the loop over
/// them has no checks.
#[inline(always)]
fn truncate<const PIXELS: usize>(mut rows: [&[f32]; PIXELS], len: usize) -> [&[f32]; PIXELS] {
    for row in &mut rows {
        *row = &row[..len];
    }
    rows
}

/// Loads the weights of the tile's filters, from `column` on.
#[inline(always)]
pub(super) fn load_filters<const VECTORS: usize, const LANES: usize>(
    weights: &[f32; PANEL],
    column: usize,
) -> [Lanes<LANES>; VECTORS] {
    let mut filters = [[0.0; LANES]; VECTORS];
    for (vector, filters) in filters.iter_mut().enumerate() {
        *filters = load(weights, column + vector * LANES);
    }
    filters
}

/// Adds one step of the sums: the `k`-th value of each row times each vector of filters.
#[inline(always)]
fn add_products<const PIXELS: usize, const VECTORS: usize, const LANES: usize, const FUSED: bool>(
    rows: &[&[f32]; PIXELS],
    k: usize,
    filters: &[Lanes<LANES>; VECTORS],
    sums: &mut [[Lanes<LANES>; VECTORS]; PIXELS],
) {
    for pixel in 0..PIXELS {
        let value = [rows[pixel][k]; LANES];
        for vector in 0..VECTORS {
            sums[pixel][vector] = multiply_add::<LANES, FUSED>(value, filters[vector], sums[pixel][vector]);
        }
    }
}

/// **Adds** an outer product to `sums`: each of the first `PIXELS` of `values` times each vector. Where the
/// pixels' values lie side by side, as the neighbours in a run do, one address serves them all.
///
/// # Panics
/// If there are fewer values.
#[inline(always)]
pub(super) fn add_outer<const PIXELS: usize, const VECTORS: usize, const LANES: usize, const FUSED: bool>(
    values: &[f32],
    filters: &[Lanes<LANES>; VECTORS],
    sums: &mut [[Lanes<LANES>; VECTORS]; PIXELS],
) {
    let values: &[f32; PIXELS] = values.first_chunk().expect("a value for each pixel");
    for pixel in 0..PIXELS {
        let value = [values[pixel]; LANES];
        for vector in 0..VECTORS {
            sums[pixel][vector] = multiply_add::<LANES, FUSED>(value, filters[vector], sums[pixel][vector]);
        }
    }
}

/// Loads one pixel's sums from `source`, which has as many floats as there are filters. The other sums stay
/// as they are.
#[inline(always)]
pub(super) fn load_sums<const VECTORS: usize, const LANES: usize>(source: &[f32], sums: &mut [Lanes<LANES>; VECTORS]) {
    if source.len() == VECTORS * LANES {
        sums.as_flattened_mut().copy_from_slice(source);
    } else {
        sums.as_flattened_mut()[..source.len()].copy_from_slice(source);
    }
}

/// Stores one pixel's sums to `target`, which has as many floats as there are filters. A full tile is stored
/// whole, in registers.
#[inline(always)]
pub(super) fn store_sums<const VECTORS: usize, const LANES: usize>(sums: &[Lanes<LANES>; VECTORS], target: &mut [f32]) {
    if target.len() == VECTORS * LANES {
        target.copy_from_slice(sums.as_flattened());
    } else {
        target.copy_from_slice(&sums.as_flattened()[..target.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::simd::{InstructionSet, SimdOp, dispatch_to};
    use crate::random::{Purpose, Stream};

    const K: usize = 37;

    /// The product of all rows with a panel, by single tiles of `P` pixels.
    struct Product<'a, const P: usize> {
        rows: &'a [Vec<f32>],
        weights: &'a [[f32; PANEL]],
        output: &'a mut [[f32; PANEL]],
    }

    impl<const P: usize> SimdOp for Product<'_, P> {
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

    /// The product of all rows with a panel, by strips.
    struct Strips<'a> {
        rows: &'a [Vec<f32>],
        weights: &'a [[f32; PANEL]],
        output: &'a mut [[f32; PANEL]],
    }

    struct Column<'a, 'b, const LANES: usize, const FUSED: bool> {
        strips: &'a mut Strips<'b>,
        column: usize,
    }

    impl<const LANES: usize, const FUSED: bool> Column<'_, '_, LANES, FUSED> {
        fn store<const P: usize>(&mut self, first: usize, sums: &[[Lanes<LANES>; VECTORS]; P]) {
            for (output, sums) in self.strips.output[first..].iter_mut().zip(sums) {
                output[self.column..self.column + VECTORS * LANES].copy_from_slice(sums.as_flattened());
            }
        }
    }

    impl<const LANES: usize, const FUSED: bool> TileWork for Column<'_, '_, LANES, FUSED> {
        #[inline(always)]
        fn one<const P: usize>(&mut self, first: usize) {
            let mut sums = [[[0.5; LANES]; VECTORS]; P];
            let rows = std::array::from_fn(|pixel| &self.strips.rows[first + pixel][..]);
            tile::<P, VECTORS, LANES, FUSED>(rows, self.strips.weights, self.column, &mut sums);
            self.store(first, &sums);
        }
    }

    impl<const LANES: usize, const FUSED: bool> PairedTileWork for Column<'_, '_, LANES, FUSED> {
        #[inline(always)]
        fn two<const P: usize>(&mut self, firsts: [usize; 2]) {
            let mut sums = [[[[0.5; LANES]; VECTORS]; P]; 2];
            let rows = firsts.map(|first| std::array::from_fn(|pixel| &self.strips.rows[first + pixel][..]));
            tile_pair::<P, VECTORS, LANES, FUSED>(rows, self.strips.weights, self.column, sums.each_mut());
            self.store(firsts[0], &sums[0]);
            self.store(firsts[1], &sums[1]);
        }
    }

    impl SimdOp for Strips<'_> {
        #[inline(always)]
        fn run<const LANES: usize, const FUSED: bool>(mut self) {
            for column in (0..PANEL).step_by(VECTORS * LANES) {
                let count = self.output.len();
                over_tiles::<LANES>(count, &mut Column::<LANES, FUSED> { strips: &mut self, column });
            }
        }
    }

    #[test]
    fn strips_of_any_length_reach_every_pixel_and_give_the_bits_of_single_tiles() {
        let mut stream = Stream::new(1, Purpose::Test, 0, 0);
        let mut draw = || stream.unit_f32() - 0.5;
        let rows: Vec<Vec<f32>> =
            (0..3 * longest_strip(PAIRED_LANES)).map(|_| (0..K).map(|_| draw()).collect()).collect();
        let weights: Vec<[f32; PANEL]> = (0..K).map(|_| std::array::from_fn(|_| draw())).collect();
        for set in InstructionSet::tested() {
            let mut single = vec![[f32::NAN; PANEL]; rows.len()];
            dispatch_to(set, Product::<1> { rows: &rows, weights: &weights, output: &mut single });
            for count in 1..=rows.len() {
                let mut strips = vec![[f32::NAN; PANEL]; count];
                dispatch_to(set, Strips { rows: &rows[..count], weights: &weights, output: &mut strips });
                assert_eq!(strips, single[..count], "{}, {count} pixels", set.name());
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
