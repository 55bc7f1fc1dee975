//! The direct kernel: a correlation that never leaves its framed input.
//!
//! ```text
//! loop 1   over blocks of outputs               their patches stay in the second-level cache
//! loop 2     over panels of filters             weights packed [K][PANEL]
//! loop 3       over pieces of K                 a piece of the panel's weights stays in the first-level cache
//! loop 4         over strips of outputs         sums in registers; from piece to piece they wait on the stack
//! loop 5           over kernel rows, and k in the run (`tile`)
//! ```
//!
//! The outputs of a block are counted through its rows, so a short row leaves no tile half empty. A sum meets
//! its terms in the same order wherever blocks, pieces and strips begin, so it has the same bits.

use super::taps::{TapOffsets, TapsRow};
use crate::kernels::conv::correlation::Correlation;
use crate::kernels::simd::{Lanes, SimdOp};
use crate::kernels::tile::{PANEL, TileWork, VECTORS, load_sums, over_single_tiles, over_tiles, store_sums, tile};
use std::ops::Range;

/// Outputs in a block, whole tiles. They share a load of a piece's weights from the second-level cache.
const BLOCK: usize = 192;

/// Values of K in a piece at most: 32 KiB of weights. A sum leaves its register from piece to piece, and
/// after shorter ones that would be felt.
const PIECE: usize = 256;

/// A correlation on its framed input.
pub(super) struct Convolve<'a> {
    /// The sizes; `input` has taken `before` into account.
    pub correlation: Correlation,
    /// Floats of a row of the frame.
    pub row_len: usize,
    /// The framed input from the first patch on.
    pub input: &'a [f32],
    pub weights: PackedWeights<'a>,
    /// The bias of each filter, or nothing.
    pub bias: &'a [f32],
    pub output: &'a mut [f32],
    pub target: Target,
}

/// A correlation's part of a packed kernel: from `first` on, its rows of each panel.
#[derive(Clone, Copy)]
pub(super) struct PackedWeights<'a> {
    /// `[panels][rows][PANEL]`.
    pub packed: &'a [f32],
    /// Rows of a panel.
    pub rows: usize,
    /// The first row that is read.
    pub first: usize,
}

impl<'a> PackedWeights<'a> {
    /// Returns the weights of a panel, `[K][PANEL]`.
    #[inline(always)]
    fn panel(&self, panel: usize, patch_len: usize) -> &'a [[f32; PANEL]] {
        &self.packed.as_chunks::<PANEL>().0[panel * self.rows + self.first..][..patch_len]
    }
}

/// Where the outputs go, in floats.
#[derive(Clone, Copy)]
pub(super) struct Target {
    /// The place of the first.
    pub first: usize,
    /// From a row to the next.
    pub row_step: usize,
    /// From an output to its right neighbour.
    pub step: usize,
}

impl Target {
    /// Returns the places of outputs that lie side by side.
    pub fn dense(width: usize, filters: usize) -> Target {
        Target { first: 0, row_step: width * filters, step: filters }
    }

    /// Returns the places of every `step`-th pixel of an image, from `first` on.
    pub fn phase(image: [usize; 3], first: [usize; 2], step: [usize; 2]) -> Target {
        let [_, width, channels] = image;
        Target {
            first: (first[0] * width + first[1]) * channels,
            row_step: step[0] * width * channels,
            step: step[1] * channels,
        }
    }
}

impl SimdOp for Convolve<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(mut self) {
        let Correlation { kernel, input: [_, _, channels], stride, .. } = self.correlation;
        let offsets = TapOffsets::new(kernel[0], self.correlation.run_len(), self.row_len);
        // The steps of one channel, and of colours at stride 1, 2 and 4: those of first layers. And those of
        // 1×1 kernels, which are short patches wherever they stand, on the usual numbers of channels.
        let is_pointwise = kernel == [1, 1];
        match (&offsets, stride[1] * channels) {
            (Some(offsets), 1) => self.short_patches::<1, LANES, FUSED>(offsets),
            (Some(offsets), 3) => self.short_patches::<3, LANES, FUSED>(offsets),
            (Some(offsets), 6) => self.short_patches::<6, LANES, FUSED>(offsets),
            (Some(offsets), 12) => self.short_patches::<12, LANES, FUSED>(offsets),
            (Some(offsets), 32) if is_pointwise => self.short_patches::<32, LANES, FUSED>(offsets),
            (Some(offsets), 64) if is_pointwise => self.short_patches::<64, LANES, FUSED>(offsets),
            (Some(offsets), 128) if is_pointwise => self.short_patches::<128, LANES, FUSED>(offsets),
            _ => self.blocks::<LANES, FUSED>(),
        }
    }
}

/// The filters of a tile.
#[derive(Clone, Copy)]
struct TileFilters {
    /// The first one's number.
    first: usize,
    /// How many there are; the tile's others belong to the last panel's zeros.
    present: usize,
    /// The first one's column in its panel.
    column: usize,
}

impl Convolve<'_> {
    /// Iterates over the tiles of a panel's filters.
    #[inline(always)]
    fn tiles_of<const LANES: usize>(&self, panel: usize) -> impl Iterator<Item = TileFilters> + use<LANES> {
        let filters = self.correlation.filters;
        let in_panel = filters.min((panel + 1) * PANEL) - panel * PANEL;
        (0..in_panel).step_by(VECTORS * LANES).map(move |column| {
            let first = panel * PANEL + column;
            TileFilters { first, present: (filters - first).min(VECTORS * LANES), column }
        })
    }

    /// Returns the bias of a tile's filters, zeros without one.
    #[inline(always)]
    fn bias_of<const V: usize, const LANES: usize>(&self, tile: TileFilters) -> [Lanes<LANES>; V] {
        let mut bias = [[0.0; LANES]; V];
        if let Some(present) = self.bias.get(tile.first..tile.first + tile.present) {
            load_sums(present, &mut bias);
        }
        bias
    }

    /// Computes all outputs, block by block.
    #[inline(always)]
    fn blocks<const LANES: usize, const FUSED: bool>(&mut self) {
        let [height, width] = self.correlation.output;
        let mut places = Places { inputs: [0; BLOCK], outputs: [0; BLOCK] };
        // Loop 1: blocks of outputs.
        for first in (0..height * width).step_by(BLOCK) {
            let count = BLOCK.min(height * width - first);
            self.locate(first, count, &mut places);
            // Loop 2: panels of filters, and their columns.
            for panel in 0..self.correlation.panels() {
                let weights = self.weights.panel(panel, self.correlation.patch_len());
                for filters in self.tiles_of::<LANES>(panel) {
                    if filters.present <= LANES {
                        self.block::<1, LANES, FUSED>(count, &places, weights, filters);
                    } else {
                        self.block::<VECTORS, LANES, FUSED>(count, &places, weights, filters);
                    }
                }
            }
        }
    }

    /// Notes where the patches of a block begin, and where its outputs go.
    #[inline(always)]
    fn locate(&self, first: usize, count: usize, places: &mut Places) {
        let Correlation { stride, input: [_, _, channels], output: [_, width], .. } = self.correlation;
        let (mut row, mut column) = (first / width, first % width);
        for (input, output) in places.inputs.iter_mut().zip(&mut places.outputs).take(count) {
            *input = row * stride[0] * self.row_len + column * stride[1] * channels;
            *output = self.target.first + row * self.target.row_step + column * self.target.step;
            column += 1;
            if column == width {
                (row, column) = (row + 1, 0);
            }
        }
    }

    /// Computes a block's outputs of some filters.
    #[inline(always)]
    fn block<const V: usize, const LANES: usize, const FUSED: bool>(
        &mut self,
        count: usize,
        places: &Places,
        weights: &[[f32; PANEL]],
        filters: TileFilters,
    ) {
        let run_len = self.correlation.run_len();
        let mut sums = [self.bias_of(filters); BLOCK];
        // Loop 3: pieces of K.
        for piece in Piece::all(self.correlation.kernel[0], run_len) {
            let (input, row_len, column, sums) = (self.input, self.row_len, filters.column, &mut sums);
            let mut strip = Strip::<V, LANES, FUSED> { input, row_len, places, weights, run_len, piece, column, sums };
            // Loop 4: strips of outputs. One tile, not two: the weights are near enough.
            over_single_tiles(count, &mut strip);
        }
        for (sums, at) in sums.iter().zip(&places.outputs).take(count) {
            store_sums(sums, &mut self.output[at + filters.first..][..filters.present]);
        }
    }

    /// Computes all outputs of short patches that are `STEP` floats apart: an output row, a panel at a time.
    #[inline(always)]
    fn short_patches<const STEP: usize, const LANES: usize, const FUSED: bool>(&mut self, offsets: &TapOffsets) {
        for row in 0..self.correlation.output[0] {
            for panel in 0..self.correlation.panels() {
                for filters in self.tiles_of::<LANES>(panel) {
                    if filters.present <= LANES {
                        self.row_of_taps::<1, STEP, LANES, FUSED>(row, panel, filters, offsets);
                    } else {
                        self.row_of_taps::<VECTORS, STEP, LANES, FUSED>(row, panel, filters, offsets);
                    }
                }
            }
        }
    }

    /// Computes an output row of short patches.
    #[inline(always)]
    fn row_of_taps<const V: usize, const STEP: usize, const LANES: usize, const FUSED: bool>(
        &mut self,
        row: usize,
        panel: usize,
        filters: TileFilters,
        offsets: &TapOffsets,
    ) {
        let mut taps = TapsRow::<V, STEP, LANES, FUSED> {
            input: &self.input[row * self.correlation.stride[0] * self.row_len..],
            offsets,
            weights: self.weights.panel(panel, self.correlation.patch_len()),
            column: filters.column,
            bias: self.bias_of(filters),
            output: &mut self.output[self.target.first + row * self.target.row_step + filters.first..],
            step: self.target.step,
            present: filters.present,
        };
        over_tiles::<LANES>(self.correlation.output[1], &mut taps);
    }
}

/// Where the patches of a block's outputs begin in the input, and where the outputs go.
struct Places {
    inputs: [usize; BLOCK],
    outputs: [usize; BLOCK],
}

/// A piece of K: part of the run of some kernel rows.
#[derive(Clone)]
struct Piece {
    rows: Range<usize>,
    run: Range<usize>,
}

impl Piece {
    /// Iterates over the pieces of a kernel: parts of a run, or where runs are short, kernel rows together.
    #[inline(always)]
    fn all(rows: usize, run_len: usize) -> impl Iterator<Item = Piece> {
        let parts = run_len.div_ceil(PIECE);
        let together = (PIECE / run_len).clamp(1, rows);
        (0..rows).step_by(together).flat_map(move |row| {
            (0..parts).map(move |part| Piece {
                rows: row..(row + together).min(rows),
                run: part * run_len / parts..(part + 1) * run_len / parts,
            })
        })
    }
}

/// The outputs of a block, for the filters of a tile and a piece of K.
struct Strip<'a, const V: usize, const LANES: usize, const FUSED: bool> {
    input: &'a [f32],
    row_len: usize,
    places: &'a Places,
    weights: &'a [[f32; PANEL]],
    run_len: usize,
    piece: Piece,
    column: usize,
    sums: &'a mut [[Lanes<LANES>; V]; BLOCK],
}

impl<const V: usize, const LANES: usize, const FUSED: bool> Strip<'_, V, LANES, FUSED> {
    /// Returns the sums of `P` outputs.
    #[inline(always)]
    fn sums<const P: usize>(&mut self, first: usize) -> &mut [[Lanes<LANES>; V]; P] {
        self.sums[first..].first_chunk_mut().expect("outputs of the block")
    }

    /// Returns the part of the piece in a kernel row of `P` patches.
    #[inline(always)]
    fn rows<const P: usize>(&self, first: usize, kernel_row: usize) -> [&[f32]; P] {
        let places: &[usize; P] = self.places.inputs[first..].first_chunk().expect("outputs of the block");
        let start = kernel_row * self.row_len + self.piece.run.start;
        places.map(|place| &self.input[place + start..])
    }

    /// Returns the weights of the piece in a kernel row.
    #[inline(always)]
    fn weights_of(&self, kernel_row: usize) -> &[[f32; PANEL]] {
        let Piece { run, .. } = &self.piece;
        &self.weights[kernel_row * self.run_len + run.start..][..run.len()]
    }
}

impl<const V: usize, const LANES: usize, const FUSED: bool> TileWork for Strip<'_, V, LANES, FUSED> {
    #[inline(always)]
    fn one<const P: usize>(&mut self, first: usize) {
        let mut sums = *self.sums::<P>(first);
        // Loop 5: kernel rows; their values are the tile's.
        for row in self.piece.rows.clone() {
            // [P×run]·[run×(V·LANES)]
            tile::<P, V, LANES, FUSED>(self.rows(first, row), self.weights_of(row), self.column, &mut sums);
        }
        *self.sums::<P>(first) = sums;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_of_a_kernel_are_all_of_it_in_order() {
        for (rows, run_len) in [(1, 1), (3, 9), (3, 40), (5, 64), (3, 128), (2, 300), (3, 384)] {
            let mut k = Vec::new();
            for piece in Piece::all(rows, run_len) {
                let len = piece.rows.len() * piece.run.len();
                assert!(len <= PIECE, "{rows} rows of {run_len}: a piece of {len}");
                k.extend(piece.rows.flat_map(|row| piece.run.clone().map(move |at| row * run_len + at)));
            }
            assert!(k.into_iter().eq(0..rows * run_len), "{rows} rows of {run_len}");
        }
    }
}
