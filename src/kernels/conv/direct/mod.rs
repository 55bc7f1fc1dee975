//! Direct convolution: the matrix product of im2col without the matrix.
//!
//! In an image with channels last, one kernel row of a patch is a run of kernel width · C floats that lie
//! side by side. So the patch matrix need not be written: row p of it is read where it lies,
//! `input[(y·s + ky)·W·C + x·s·C + k]`, k < kernel width · C. What is left is the [register
//! tile](crate::kernels::tile): [`PIXELS`] neighbouring outputs times two registers of filters, summed over
//! all of K and stored once, bias included. Source of the idea: J. Zhang, F. Franchetti, T. M. Low, *High
//! Performance Zero-Memory Overhead Direct Convolutions*, 2018.
//!
//! ```text
//! loop 1   over blocks of output rows           their input rows stay in the first-level cache
//! loop 2     over panels of filters             weights packed [K][PANEL], read in order
//! loop 3       over rows, columns, tiles        sums in registers
//! loop 4         over kernel rows
//! loop 5           over k in the run            6 broadcasts, 2 loads of weights, 12 multiply-adds
//! ```
//!
//! Short patches, as in a network's first layer, go another way round loops 4 and 5 (`taps.rs`).
//!
//! The input's gradient at stride 1 is itself such a convolution (`Correlation`). The weights' gradient has
//! a tile of its own (`weights.rs`).

mod taps;
mod weights;

use crate::geometry::{ConvGeometry, PoolGeometry};
use crate::kernels::conv::correlation::Correlation;
use crate::kernels::conv::frame::Frame;
use crate::kernels::conv::{ConvAlgorithm, GradOutput, Pass, Scratch, ScratchLen, Weights};
use crate::kernels::simd::{Lanes, SimdOp, dispatch};
use crate::kernels::tile::{PANEL, PIXELS, VECTORS, load_sums, over_tiles, store_sums, tile};
use std::ops::Range;
use taps::{TapOffsets, TapsRow};
use weights::SumsLayout;

/// Output rows whose input stays in the cache while the panels of filters go by.
const BLOCK_ROWS: usize = 2;

/// The registry's entry.
#[derive(Debug)]
pub(crate) struct Direct;

impl ConvAlgorithm for Direct {
    fn name(&self) -> &'static str {
        "direct"
    }

    fn supports(&self, geometry: &ConvGeometry, pass: Pass) -> bool {
        match pass {
            Pass::Forward | Pass::GradWeights => !geometry.is_dilated(),
            Pass::GradInput => geometry.stride == [1, 1] && !geometry.is_dilated(),
        }
    }

    fn takes_pooled(&self, pass: Pass) -> bool {
        pass == Pass::GradWeights
    }

    fn scratch_len(&self, geometry: &ConvGeometry, pass: Pass, pool: Option<&PoolGeometry>) -> ScratchLen {
        let band_len = match pass {
            Pass::GradWeights => SumsLayout::new(geometry).band_len(pool.map(|pool| pool.window[0])),
            _ => 0,
        };
        ScratchLen::from_floats(Correlation::new(geometry, pass).frame().copy_len() + band_len)
    }

    fn packed_len(&self, geometry: &ConvGeometry, pass: Pass) -> usize {
        if pass == Pass::GradWeights {
            return 0;
        }
        let correlation = Correlation::new(geometry, pass);
        // [panels][K][PANEL]
        correlation.panels() * correlation.patch_len() * PANEL
    }

    fn packed_parts(&self, geometry: &ConvGeometry, pass: Pass) -> usize {
        Correlation::new(geometry, pass).panels()
    }

    fn pack_part(&self, geometry: &ConvGeometry, pass: Pass, panel: usize, kernel: &[f32], packed: &mut [f32]) {
        if pass == Pass::GradWeights {
            return;
        }
        let correlation = Correlation::new(geometry, pass);
        let channels = correlation.input[2];
        if correlation.filters < (panel + 1) * PANEL {
            // Zeros for the filters that there are not.
            packed.fill(0.0);
        }
        let (rows, _) = packed.as_chunks_mut::<PANEL>();
        for (cell, rows) in rows.chunks_exact_mut(channels).enumerate() {
            correlation.gather(kernel, cell, 0..channels, panel, rows, |row| row);
        }
    }

    fn forward(
        &self,
        geometry: &ConvGeometry,
        input: &[f32],
        weights: Weights,
        rows: Range<usize>,
        output: &mut [f32],
        scratch: Scratch,
    ) {
        let whole = Correlation::forward(geometry);
        let reach = rows.start * geometry.stride[0]..(rows.end - 1) * geometry.stride[0] + geometry.kernel[0];
        let (frame, image_rows) = whole.frame().band(reach);
        let correlation = Correlation { output: [rows.len(), geometry.output[1]], ..whole };
        let input = &input[image_rows.start * geometry.row_len()..image_rows.end * geometry.row_len()];
        let input = frame.framed(input, &mut scratch.floats[..frame.copy_len()]);
        dispatch(Convolve { correlation, frame, input, packed: weights.packed, bias: weights.bias, output });
    }

    fn grad_input(
        &self,
        geometry: &ConvGeometry,
        grad_output: GradOutput,
        weights: Weights,
        grad_input: &mut [f32],
        scratch: Scratch,
    ) {
        let correlation = Correlation::grad_input(geometry);
        let frame = correlation.frame();
        let input = frame.framed(grad_output.dense(), &mut scratch.floats[..frame.copy_len()]);
        dispatch(Convolve { correlation, frame, input, packed: weights.packed, bias: &[], output: grad_input });
    }

    fn sums_len(&self, geometry: &ConvGeometry) -> usize {
        SumsLayout::new(geometry).sums_len()
    }

    fn unpack_sums(&self, geometry: &ConvGeometry, sums: &[f32], first: usize, grad_rows: &mut [f32]) {
        SumsLayout::new(geometry).unpack(sums, first, grad_rows);
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
        let layout = SumsLayout::new(geometry);
        let (copy, band) = scratch.floats.split_at_mut(layout.frame.copy_len());
        let input = layout.frame.framed(input, copy);
        weights::grad_weights(layout, input, grad_output, sums, grad_bias, band);
    }
}

/// A convolution that never leaves its input.
struct Convolve<'a> {
    /// The sizes; the frame has taken `before` into account.
    correlation: Correlation,
    frame: Frame,
    /// The input, in its frame.
    input: &'a [f32],
    packed: &'a [f32],
    /// The bias of each filter, or nothing.
    bias: &'a [f32],
    output: &'a mut [f32],
}

/// The filters of a tile, and their weights.
#[derive(Clone, Copy)]
struct TileFilters<'a> {
    /// The first filter's number.
    first: usize,
    /// Filters that there are; the tile's others belong to the last panel's zeros.
    present: usize,
    /// The panel, `[K][PANEL]`.
    weights: &'a [[f32; PANEL]],
    /// The first filter's column in the panel.
    column: usize,
}

impl SimdOp for Convolve<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(mut self) {
        let Correlation { kernel, output: [height, _], filters, .. } = self.correlation;
        let panels = self.packed.as_chunks::<PANEL>().0;
        let offsets = TapOffsets::new(kernel[0], self.correlation.run_len(), self.frame.row_len());
        // Loop 1: blocks of output rows.
        for first_row in (0..height).step_by(BLOCK_ROWS) {
            // Loop 2: panels of filters.
            for (panel, weights) in panels.chunks_exact(self.correlation.patch_len()).enumerate() {
                let in_panel = filters.min((panel + 1) * PANEL) - panel * PANEL;
                // Loop 3: the block's rows, columns of the panel, and (in `row` and `taps`) tiles of outputs.
                for row in first_row..(first_row + BLOCK_ROWS).min(height) {
                    for column in (0..in_panel).step_by(VECTORS * LANES) {
                        let first = panel * PANEL + column;
                        let present = (filters - first).min(VECTORS * LANES);
                        let tile = TileFilters { first, present, weights, column };
                        // The steps of one channel, and of colours at stride 1 and 2: those of first layers.
                        match (&offsets, self.step()) {
                            (Some(offsets), 1) => self.taps::<1, LANES, FUSED>(row, tile, offsets),
                            (Some(offsets), 3) => self.taps::<3, LANES, FUSED>(row, tile, offsets),
                            (Some(offsets), 6) => self.taps::<6, LANES, FUSED>(row, tile, offsets),
                            _ => self.row::<LANES, FUSED>(row, tile),
                        }
                    }
                }
            }
        }
    }
}

impl Convolve<'_> {
    /// Returns the floats from a patch to the next.
    #[inline(always)]
    fn step(&self) -> usize {
        self.correlation.stride[1] * self.frame.image[2]
    }

    /// Computes an output row of short patches that are `STEP` floats apart.
    #[inline(always)]
    fn taps<const STEP: usize, const LANES: usize, const FUSED: bool>(
        &mut self,
        row: usize,
        tile: TileFilters,
        offsets: &TapOffsets,
    ) {
        let Correlation { stride, filters, output: [_, width], .. } = self.correlation;
        let mut row = TapsRow::<STEP, LANES, FUSED> {
            input: &self.input[row * stride[0] * self.frame.row_len()..],
            offsets,
            weights: tile.weights,
            column: tile.column,
            bias: self.bias_of(tile),
            output: &mut self.output[row * width * filters + tile.first..],
            filters,
            present: tile.present,
        };
        // Loop 3, inside: tiles of the row.
        over_tiles::<LANES>(width, &mut row);
    }

    /// Returns the bias of a tile's filters, zeros without one.
    #[inline(always)]
    fn bias_of<const LANES: usize>(&self, tile: TileFilters) -> [Lanes<LANES>; VECTORS] {
        let mut bias = [[0.0; LANES]; VECTORS];
        if let Some(present) = self.bias.get(tile.first..tile.first + tile.present) {
            load_sums(present, &mut bias);
        }
        bias
    }

    /// Computes an output row: full tiles, then the rest of the row in one of four and single ones.
    #[inline(always)]
    fn row<const LANES: usize, const FUSED: bool>(&mut self, row: usize, tile: TileFilters) {
        let width = self.correlation.output[1];
        // Loop 3, inside: tiles of the row.
        let mut x = 0;
        while x + PIXELS <= width {
            self.pixels::<PIXELS, LANES, FUSED>([row, x], tile);
            x += PIXELS;
        }
        if x + 4 <= width {
            self.pixels::<4, LANES, FUSED>([row, x], tile);
            x += 4;
        }
        while x < width {
            self.pixels::<1, LANES, FUSED>([row, x], tile);
            x += 1;
        }
    }

    /// Computes and stores a tile of `P` outputs from (`row`, `x`) on.
    #[inline(always)]
    fn pixels<const P: usize, const LANES: usize, const FUSED: bool>(
        &mut self,
        [row, x]: [usize; 2],
        filters_of_tile: TileFilters,
    ) {
        let Correlation { stride, filters, output: [_, width], .. } = self.correlation;
        let TileFilters { first, present, weights, column } = filters_of_tile;
        let step = self.step();
        let mut sums = [self.bias_of(filters_of_tile); P];
        // Loop 4: kernel rows. Loop 5 is the tile's.
        for (kernel_row, weights) in weights.chunks_exact(self.correlation.run_len()).enumerate() {
            let corner = (row * stride[0] + kernel_row) * self.frame.row_len() + x * step;
            let rows: [&[f32]; P] = std::array::from_fn(|pixel| &self.input[corner + pixel * step..]);
            // [P×run]·[run×(VECTORS·LANES)]
            tile::<P, VECTORS, LANES, FUSED>(rows, weights, column, &mut sums);
        }
        let outputs = self.output[(row * width + x) * filters..].chunks_mut(filters);
        for (sums, output) in sums.iter().zip(outputs) {
            store_sums(sums, &mut output[first..first + present]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Padding;
    use crate::kernels::simd::{InstructionSet, dispatch_to};
    use crate::random::{Purpose, Stream};
    use approx::assert_abs_diff_eq;

    #[test]
    fn every_instruction_set_of_this_machine_gives_the_same_sums_but_for_rounding() {
        let geometry = ConvGeometry::new([9, 40, 5], [3, 3], [1, 1], Padding::Valid, 40).unwrap();
        let correlation = Correlation::forward(&geometry);
        let mut stream = Stream::new(2, Purpose::Test, 0, 0);
        let mut draw = |len: usize| (0..len).map(|_| stream.unit_f32() - 0.5).collect::<Vec<f32>>();
        let (input, kernel, bias) = (draw(geometry.input_len()), draw(geometry.kernel_len()), draw(40));
        let mut packed = vec![f32::NAN; Direct.packed_len(&geometry, Pass::Forward)];
        Direct.pack(&geometry, Pass::Forward, &kernel, &mut packed);
        let run = |set| {
            let mut output = vec![f32::NAN; geometry.output_len()];
            let (input, packed, bias) = (&input[..], &packed[..], &bias[..]);
            let frame = correlation.frame();
            dispatch_to(set, Convolve { correlation, frame, input, packed, bias, output: &mut output });
            output
        };
        let portable = run(InstructionSet::Portable);
        for set in InstructionSet::tested() {
            for (a, b) in run(set).iter().zip(&portable) {
                assert_abs_diff_eq!(a, b, epsilon = 1e-5);
            }
        }
    }
}
