//! The register tile of the sparse passes: a piece of a patch, or of a filter, and the sums that belong to
//! it.

use super::layout::TILE_VECTORS;
use crate::kernels::simd::{load, multiply_add};

/// The sums or values of a tile, `ROWS` kernel rows of `VECTORS` registers each.
pub(super) type Tile<const ROWS: usize, const VECTORS: usize, const LANES: usize> = [[[f32; LANES]; VECTORS]; ROWS];

/// Calls a function that is generic over a tile's rows and registers with those that the tile has.
macro_rules! with_tile_size {
    ($tile:expr, $pair:ident or $function:ident::<$lanes:ident, $fused:ident>($($argument:expr),* $(,)?)) => {
        match ($tile.rows, $tile.vectors) {
            (3, layout::PAIR) => $pair::<3, $lanes, $fused>($($argument),*),
            (1, layout::PAIR) => $pair::<1, $lanes, $fused>($($argument),*),
            (3, 3) => $function::<3, 3, $lanes, $fused>($($argument),*),
            (3, 2) => $function::<3, 2, $lanes, $fused>($($argument),*),
            (3, 1) => $function::<3, 1, $lanes, $fused>($($argument),*),
            (1, 3) => $function::<1, 3, $lanes, $fused>($($argument),*),
            (1, 2) => $function::<1, 2, $lanes, $fused>($($argument),*),
            (1, 1) => $function::<1, 1, $lanes, $fused>($($argument),*),
            size => unreachable!("a tile of {size:?}"),
        }
    };
}
pub(super) use with_tile_size;

/// Loads two tiles side by side.
#[inline(always)]
pub(super) fn load_pair<const ROWS: usize, const LANES: usize>(
    values: &[f32],
    row_len: usize,
) -> [Tile<ROWS, TILE_VECTORS, LANES>; 2] {
    [load_tile(values, row_len), load_tile(&values[TILE_VECTORS * LANES..], row_len)]
}

/// Loads a tile of `ROWS` rows that are `row_len` floats apart.
#[inline(always)]
pub(super) fn load_tile<const ROWS: usize, const VECTORS: usize, const LANES: usize>(
    values: &[f32],
    row_len: usize,
) -> Tile<ROWS, VECTORS, LANES> {
    let mut tile = [[[0.0; LANES]; VECTORS]; ROWS];
    for row in 0..ROWS {
        let values = &values[row * row_len..][..VECTORS * LANES];
        for (vector, register) in tile[row].iter_mut().enumerate() {
            *register = load(values, vector * LANES);
        }
    }
    tile
}

/// Stores a tile to rows that are `row_len` floats apart.
#[inline(always)]
pub(super) fn store_tile<const ROWS: usize, const VECTORS: usize, const LANES: usize>(
    tile: &Tile<ROWS, VECTORS, LANES>,
    values: &mut [f32],
    row_len: usize,
) {
    for row in 0..ROWS {
        let values = &mut values[row * row_len..][..VECTORS * LANES];
        for vector in 0..VECTORS {
            values[vector * LANES..][..LANES].copy_from_slice(&tile[row][vector]);
        }
    }
}

/// Returns `tile + g·factors`.
#[inline(always)]
pub(super) fn add_product<const ROWS: usize, const VECTORS: usize, const LANES: usize, const FUSED: bool>(
    g: f32,
    factors: &Tile<ROWS, VECTORS, LANES>,
    mut tile: Tile<ROWS, VECTORS, LANES>,
) -> Tile<ROWS, VECTORS, LANES> {
    for row in 0..ROWS {
        for vector in 0..VECTORS {
            tile[row][vector] = multiply_add::<LANES, FUSED>([g; LANES], factors[row][vector], tile[row][vector]);
        }
    }
    tile
}
