//! The layout of a kernel as the sparse passes hold it, `[F][kernel height][padded run]`, and its tiles.

use crate::geometry::ConvGeometry;
use crate::kernels::conv::correlation::Correlation;
use crate::kernels::conv::frame::Frame;
use crate::kernels::simd::MAX_LANES;
use crate::kernels::tile::PAIRED_LANES;

/// Kernel rows in a register tile.
pub(super) const TILE_ROWS: usize = 3;

/// Registers of a kernel row in a register tile. 3·3 sums are more than the 4·2 that hide the latency of a
/// multiply-add (4 cycles, 2 a cycle), and few enough for the 16 registers of AVX2.
pub(super) const TILE_VECTORS: usize = 3;

/// Registers of two tiles side by side, which go over a list together where there are 32 registers: half of
/// the time goes into walking lists otherwise. They are two arrays and not one for the compiler's sake, as in
/// [`tile`](crate::kernels::tile).
pub(super) const PAIR: usize = 2 * TILE_VECTORS;

/// The sizes that both passes go by.
#[derive(Clone, Copy, Debug)]
pub(super) struct PatchLayout {
    pub geometry: ConvGeometry,
    /// The input, and room for runs that end beyond the last row.
    pub frame: Frame,
    /// Floats of a run.
    pub run: usize,
    /// Floats of a run padded to whole registers of the widest set.
    pub padded_run: usize,
}

impl PatchLayout {
    pub fn new(geometry: &ConvGeometry) -> PatchLayout {
        let correlation = Correlation::forward(geometry);
        let (frame, run) = (correlation.frame(), correlation.run_len());
        PatchLayout { geometry: *geometry, frame, run, padded_run: run.next_multiple_of(MAX_LANES) }
    }

    /// Returns the floats of a filter.
    pub fn filter_len(&self) -> usize {
        self.geometry.kernel[0] * self.padded_run
    }

    /// Returns the floats of all filters.
    pub fn len(&self) -> usize {
        self.geometry.filters * self.filter_len()
    }

    /// Returns whether runs can be read and written in the image as it lies, without a copy in a frame.
    pub fn is_unpadded(&self) -> bool {
        self.frame.is_unpadded() && self.run == self.padded_run
    }

    /// Returns the floats of that copy.
    pub fn framed_len(&self) -> usize {
        if self.is_unpadded() { 0 } else { (self.frame.len() + MAX_LANES).next_multiple_of(MAX_LANES) }
    }

    /// Visits the tiles of a patch.
    #[inline(always)]
    pub fn for_each_tile<const LANES: usize>(&self, mut visit: impl FnMut(PatchTile)) {
        let (rows, vectors) = (self.geometry.kernel[0], self.padded_run / LANES);
        let mut row = 0;
        while row < rows {
            let tile_rows = if row + TILE_ROWS <= rows { TILE_ROWS } else { 1 };
            let mut vector = 0;
            while vector < vectors {
                let left = vectors - vector;
                let tile_vectors = if LANES == PAIRED_LANES && left >= PAIR { PAIR } else { TILE_VECTORS.min(left) };
                visit(PatchTile { kernel_row: row, rows: tile_rows, start: vector * LANES, vectors: tile_vectors });
                vector += tile_vectors;
            }
            row += tile_rows;
        }
    }
}

/// The part of a patch that a register tile, or a pair of tiles, covers.
#[derive(Clone, Copy)]
pub(super) struct PatchTile {
    /// The first kernel row.
    pub kernel_row: usize,
    /// Kernel rows.
    pub rows: usize,
    /// The first float of each run.
    pub start: usize,
    /// Registers of each run.
    pub vectors: usize,
}

impl PatchTile {
    /// Returns whether it is the patch's first.
    #[inline(always)]
    pub fn is_first(&self) -> bool {
        self.kernel_row == 0 && self.start == 0
    }
}
