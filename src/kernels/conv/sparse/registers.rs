//! The register tile of the sparse passes: a piece of a patch, or of a filter, and the sums that belong to
//! it.

#![allow(unsafe_code)]

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

/// What pairs of tiles are read from, one for each entry of a list: rows that are `row_len` floats apart.
pub(super) struct PairSource<'a, const ROWS: usize, const LANES: usize> {
    values: &'a [f32],
    row_len: usize,
    /// The last place at which a pair may start.
    last: usize,
}

impl<'a, const ROWS: usize, const LANES: usize> PairSource<'a, ROWS, LANES> {
    /// Takes the values from the first pair on.
    ///
    /// # Panics
    /// If they hold none.
    #[inline(always)]
    pub fn new(values: &'a [f32], row_len: usize) -> PairSource<'a, ROWS, LANES> {
        let last = (1..ROWS).try_fold(values.len(), |rest, _| rest.checked_sub(row_len));
        let last = last.and_then(|rest| rest.checked_sub(2 * TILE_VECTORS * LANES)).expect("values of a pair of tiles");
        PairSource { values, row_len, last }
    }

    /// Adds `g` times the pair at `start` to two tiles.
    ///
    /// # Panics
    /// If that pair is not there.
    #[inline(always)]
    pub fn add_product<const FUSED: bool>(
        &self,
        g: f32,
        start: usize,
        left: &mut Tile<ROWS, TILE_VECTORS, LANES>,
        right: &mut Tile<ROWS, TILE_VECTORS, LANES>,
    ) {
        assert!(start <= self.last);
        for row in 0..ROWS {
            let at = in_a_register(self.values.as_ptr().wrapping_add(start + row * self.row_len));
            for vector in 0..2 * TILE_VECTORS {
                // SAFETY: the last row of a pair ends `2 * TILE_VECTORS * LANES` floats behind its start,
                // inside the values if `start` is not beyond `last`, which `new` has chosen so.
                let factors = unsafe { *at.add(vector * LANES).cast::<[f32; LANES]>() };
                let tile = if vector < TILE_VECTORS { &mut *left } else { &mut *right };
                let sum = &mut tile[row][vector % TILE_VECTORS];
                *sum = multiply_add::<LANES, FUSED>([g; LANES], factors, *sum);
            }
        }
    }
}

/// Returns an address of which the compiler knows no more, so that it stands in a register of its own. As the
/// sum of two registers in every load, it would make two operations of each multiply-add: 5 % of a pass.
#[inline(always)]
#[cfg_attr(target_arch = "x86_64", expect(clippy::pointers_in_nomem_asm_block, reason = "nothing is read or written"))]
fn in_a_register(address: *const f32) -> *const f32 {
    #[cfg(target_arch = "x86_64")]
    {
        let mut address = address;
        // SAFETY: nothing is executed, and nothing changes.
        unsafe { std::arch::asm!("/* {0} */", inout(reg) address, options(pure, nomem, nostack, preserves_flags)) };
        address
    }
    #[cfg(not(target_arch = "x86_64"))]
    address
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
