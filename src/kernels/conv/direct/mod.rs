//! Direct convolution: the matrix product of im2col without the matrix.
//!
//! In an image with channels last, one kernel row of a patch is a run of kernel width · C floats that lie side by side. So the
//! patch matrix need not be written: row p of it is read where it lies, `input[(y·s + ky)·W·C + x·s·C + k]`, k < kernel width · C.
//! What is left is the [register tile](crate::kernels::tile): [`PIXELS`] neighbouring outputs times two registers of filters, summed
//! over all of K and stored once, bias included. J. Zhang, F. Franchetti, T. M. Low, *High Performance Zero-Memory Overhead
//! Direct Convolutions*, 2018, tell the idea at length.
//!
//! ```text
//! loop 1   over blocks of output rows                       their input rows stay in the first-level cache
//! loop 2     over panels of filters                           weights packed [K][PANEL], read in order
//! loop 3       over rows, columns of the panel and tiles of outputs     sums in registers
//! loop 4         over kernel rows
//! loop 5           over k in the run                           6 broadcasts, 2 loads of weights, 12 multiply-adds
//! ```
//!
//! Short patches, as in a network's first layer, go another way round loops 4 and 5 ([`taps`]).
//!
//! The input's gradient at stride 1 is itself such a convolution: of the upstream gradient, framed by zeros, with the kernel
//! turned by 180° and its channels and filters exchanged. The weights' gradient has a tile of its own
//! ([`weights`]).

mod taps;
mod weights;

use crate::geometry::{ConvGeometry, PoolGeometry};
use crate::kernels::conv::frame::Frame;
use crate::kernels::conv::{ConvAlgorithm, GradOutput, Pass, Scratch, ScratchLen, Weights};
use crate::kernels::simd::{Lanes, SimdOp, dispatch};
use crate::kernels::tile::{PANEL, PIXELS, VECTORS, over_tiles, tile};
use std::ops::Range;
use taps::{Places, TapsRow};
use weights as weights_pass;

/// Output rows whose input stays in the cache while the panels of filters go by.
const BLOCK_ROWS: usize = 2;

/// The registry's entry.
#[derive(Debug)]
pub struct Direct;

/// A convolution that never leaves its input: what is outside has been framed with zeros before.
#[derive(Clone, Copy, Debug)]
struct Problem {
    frame: Frame,
    kernel: [usize; 2],
    stride: [usize; 2],
    /// Height and width of the output.
    output: [usize; 2],
    filters: usize,
}

impl Problem {
    /// The forward pass.
    fn forward(geometry: &ConvGeometry) -> Problem {
        let reach = |axis: usize| (geometry.output[axis] - 1) * geometry.stride[axis] + geometry.kernel[axis];
        let size = |axis: usize| reach(axis).max(geometry.padding[axis] + geometry.input[axis]);
        Problem {
            frame: Frame { image: geometry.input, size: [size(0), size(1)], before: geometry.padding },
            kernel: geometry.kernel,
            stride: geometry.stride,
            output: geometry.output,
            filters: geometry.filters,
        }
    }

    /// The input's gradient at stride 1: the gradient's frame is such that its patches end where those of the input began.
    fn grad_input(geometry: &ConvGeometry) -> Problem {
        let size = |axis: usize| geometry.input[axis] + geometry.kernel[axis] - 1;
        let before = |axis: usize| geometry.kernel[axis] - 1 - geometry.padding[axis];
        let image = [geometry.output[0], geometry.output[1], geometry.filters];
        Problem {
            frame: Frame { image, size: [size(0), size(1)], before: [before(0), before(1)] },
            kernel: geometry.kernel,
            stride: [1, 1],
            output: [geometry.input[0], geometry.input[1]],
            filters: geometry.input[2],
        }
    }

    fn of(geometry: &ConvGeometry, pass: Pass) -> Problem {
        if pass == Pass::GradInput { Problem::grad_input(geometry) } else { Problem::forward(geometry) }
    }

    /// Floats of a kernel row of a patch.
    fn run_len(&self) -> usize {
        self.kernel[1] * self.frame.image[2]
    }

    fn patch_len(&self) -> usize {
        self.kernel[0] * self.run_len()
    }

    /// Floats of the packed kernel, `[panels][K][PANEL]`.
    fn packed_len(&self) -> usize {
        self.panels() * self.patch_len() * PANEL
    }

    fn weights_layout(&self, geometry: &ConvGeometry) -> weights_pass::Layout {
        weights_pass::Layout::new(geometry, self.frame)
    }

    /// Floats of the framed input, where a copy is needed.
    fn framed_len(&self) -> usize {
        if self.frame.is_unpadded() { 0 } else { self.frame.len() }
    }

    /// The input in its frame: as it lies, or copied to `framed`.
    fn framed<'a>(&self, input: &'a [f32], framed: &'a mut [f32]) -> &'a [f32] {
        if self.frame.is_unpadded() {
            return input;
        }
        let framed = &mut framed[..self.frame.len()];
        self.frame.pad(input, framed);
        framed
    }

    fn panels(&self) -> usize {
        self.filters.div_ceil(PANEL)
    }

    /// Writes `weight(k, f)` of a panel as `[K][PANEL]`; filters beyond the last are zeros.
    fn pack_panel(&self, panel: usize, weight: impl Fn(usize, usize) -> f32, packed: &mut [f32]) {
        for (k, row) in packed.chunks_exact_mut(PANEL).enumerate() {
            for (filter, packed) in (panel * PANEL..).zip(row) {
                *packed = if filter < self.filters { weight(k, filter) } else { 0.0 };
            }
        }
    }
}

impl ConvAlgorithm for Direct {
    fn name(&self) -> &'static str {
        "direct"
    }

    fn supports(&self, geometry: &ConvGeometry, pass: Pass) -> bool {
        match pass {
            Pass::Forward | Pass::GradWeights => true,
            // A kernel's padding is less than its size, or else some position would see zeros alone.
            Pass::GradInput => geometry.stride == [1, 1],
        }
    }

    fn takes_pooled(&self, pass: Pass) -> bool {
        pass == Pass::GradWeights
    }

    fn scratch_len(&self, geometry: &ConvGeometry, pass: Pass, pool: Option<&PoolGeometry>) -> ScratchLen {
        let problem = Problem::of(geometry, pass);
        let band_len = match pass {
            Pass::GradWeights => problem.weights_layout(geometry).band_len(pool.map(|pool| pool.window[0])),
            _ => 0,
        };
        ScratchLen::from_floats(problem.framed_len() + band_len)
    }

    fn packed_len(&self, geometry: &ConvGeometry, pass: Pass) -> usize {
        if pass == Pass::GradWeights { 0 } else { Problem::of(geometry, pass).packed_len() }
    }

    fn packed_parts(&self, geometry: &ConvGeometry, pass: Pass) -> usize {
        Problem::of(geometry, pass).panels()
    }

    fn pack_part(&self, geometry: &ConvGeometry, pass: Pass, panel: usize, kernel: &[f32], packed: &mut [f32]) {
        let problem = Problem::of(geometry, pass);
        let (filters, channels) = (geometry.filters, geometry.input[2]);
        match pass {
            Pass::Forward => problem.pack_panel(panel, |k, filter| kernel[k * filters + filter], packed),
            Pass::GradWeights => {}
            // Row (ky, kx, f), column c of the turned kernel is row (last − ky, last − kx, c), column f of the kernel.
            Pass::GradInput => {
                let last_cell = geometry.kernel[0] * geometry.kernel[1] - 1;
                let turned =
                    |k: usize, c: usize| kernel[((last_cell - k / filters) * channels + c) * filters + k % filters];
                problem.pack_panel(panel, turned, packed);
            }
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
        let whole = Problem::forward(geometry);
        let reach = rows.start * geometry.stride[0]..(rows.end - 1) * geometry.stride[0] + geometry.kernel[0];
        let (frame, image_rows) = whole.frame.band(reach);
        let problem = Problem { frame, output: [rows.len(), geometry.output[1]], ..whole };
        let row_len = geometry.input[1] * geometry.input[2];
        let input = problem.framed(&input[image_rows.start * row_len..image_rows.end * row_len], scratch.floats);
        dispatch(Convolve { problem, input, packed: weights.packed, bias: weights.bias, output });
    }

    fn grad_input(
        &self,
        geometry: &ConvGeometry,
        grad_output: GradOutput,
        weights: Weights,
        grad_input: &mut [f32],
        scratch: Scratch,
    ) {
        let problem = Problem::grad_input(geometry);
        let input = problem.framed(grad_output.dense(), scratch.floats);
        dispatch(Convolve { problem, input, packed: weights.packed, bias: &[], output: grad_input });
    }

    fn sums_len(&self, geometry: &ConvGeometry) -> usize {
        Problem::forward(geometry).weights_layout(geometry).sums_len()
    }

    fn unpack_sums(&self, geometry: &ConvGeometry, sums: &[f32], first: usize, grad_rows: &mut [f32]) {
        Problem::forward(geometry).weights_layout(geometry).unpack(sums, first, grad_rows);
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
        let problem = Problem::forward(geometry);
        let (framed, band) = scratch.floats.split_at_mut(problem.framed_len());
        let input = problem.framed(input, framed);
        weights_pass::grad_weights(problem.weights_layout(geometry), input, grad_output, sums, grad_bias, band);
    }
}

struct Convolve<'a> {
    problem: Problem,
    /// In its frame.
    input: &'a [f32],
    packed: &'a [f32],
    /// One for each filter, or none.
    bias: &'a [f32],
    output: &'a mut [f32],
}

impl SimdOp for Convolve<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(mut self) {
        let row_len = self.problem.output[1] * self.problem.filters;
        let panel_rows = self.packed.as_chunks::<PANEL>().0;
        let height = self.problem.output[0];
        let Problem { frame, kernel, stride, .. } = self.problem;
        let places = Places::new(kernel[0], self.problem.run_len(), frame.row_len());
        let step = stride[1] * frame.image[2];
        for first in (0..height).step_by(BLOCK_ROWS) {
            for (panel, weights) in panel_rows.chunks_exact(self.problem.patch_len()).enumerate() {
                let filters = self.problem.filters.min((panel + 1) * PANEL) - panel * PANEL;
                for row in first..(first + BLOCK_ROWS).min(height) {
                    let start = row * row_len;
                    for column in (0..filters).step_by(VECTORS * LANES) {
                        let filter = panel * PANEL + column;
                        // The steps of one channel, and of colours at stride 1 and 2: those of first layers.
                        match (&places, step) {
                            (Some(places), 1) => self.taps::<1, LANES, FUSED>(row, filter, weights, column, places),
                            (Some(places), 3) => self.taps::<3, LANES, FUSED>(row, filter, weights, column, places),
                            (Some(places), 6) => self.taps::<6, LANES, FUSED>(row, filter, weights, column, places),
                            _ => self.row::<LANES, FUSED>(row, filter, weights, column, start),
                        }
                    }
                }
            }
        }
    }
}

impl Convolve<'_> {
    /// An output row of short patches that are `STEP` floats apart.
    #[inline(always)]
    fn taps<const STEP: usize, const LANES: usize, const FUSED: bool>(
        &mut self,
        row: usize,
        filter: usize,
        weights: &[[f32; PANEL]],
        column: usize,
        places: &Places,
    ) {
        let Problem { frame, stride, filters, output: [_, width], .. } = self.problem;
        let live = (filters - filter).min(VECTORS * LANES);
        let mut row = TapsRow::<STEP, LANES, FUSED> {
            input: &self.input[row * stride[0] * frame.row_len()..],
            places,
            weights,
            column,
            bias: self.bias_from(filter),
            output: &mut self.output[row * width * filters + filter..],
            filters,
            live,
        };
        over_tiles::<LANES>(width, &mut row);
    }

    /// The bias of a tile's filters, as many as there are; zeros without one.
    #[inline(always)]
    fn bias_from<const LANES: usize>(&self, filter: usize) -> [Lanes<LANES>; VECTORS] {
        let mut bias = [[0.0; LANES]; VECTORS];
        let live = (self.problem.filters - filter).min(VECTORS * LANES);
        if let Some(of_filters) = self.bias.get(filter..filter + live) {
            bias.as_flattened_mut()[..live].copy_from_slice(of_filters);
        }
        bias
    }

    /// Loop 3 along one output row, which starts at `start`: the tile's filters, from `filter` on, at every position.
    #[inline(always)]
    fn row<const LANES: usize, const FUSED: bool>(
        &mut self,
        row: usize,
        filter: usize,
        weights: &[[f32; PANEL]],
        column: usize,
        start: usize,
    ) {
        let width = self.problem.output[1];
        let mut x = 0;
        while x + PIXELS <= width {
            self.pixels::<PIXELS, LANES, FUSED>([row, x], filter, weights, column, start);
            x += PIXELS;
        }
        // The rest of the row: four, and then single ones.
        if x + 4 <= width {
            self.pixels::<4, LANES, FUSED>([row, x], filter, weights, column, start);
            x += 4;
        }
        while x < width {
            self.pixels::<1, LANES, FUSED>([row, x], filter, weights, column, start);
            x += 1;
        }
    }

    /// Loop 4: the sums of `P` outputs from `row`, `x` on, stored.
    #[inline(always)]
    fn pixels<const P: usize, const LANES: usize, const FUSED: bool>(
        &mut self,
        [row, x]: [usize; 2],
        filter: usize,
        weights: &[[f32; PANEL]],
        column: usize,
        start: usize,
    ) {
        let Problem { frame, stride, filters, .. } = self.problem;
        let live = (filters - filter).min(VECTORS * LANES);
        let mut sums = [self.bias_from(filter); P];
        let step = stride[1] * frame.image[2];
        for (kernel_row, weights) in weights.chunks_exact(self.problem.run_len()).enumerate() {
            let corner = (row * stride[0] + kernel_row) * frame.row_len() + x * step;
            let rows: [&[f32]; P] = std::array::from_fn(|pixel| &self.input[corner + pixel * step..]);
            tile::<P, VECTORS, LANES, FUSED>(rows, weights, column, &mut sums);
        }
        let outputs = self.output[start + x * filters..].chunks_mut(filters);
        for (sums, output) in sums.iter().zip(outputs) {
            let output = &mut output[filter..filter + live];
            if live == VECTORS * LANES {
                output.copy_from_slice(sums.as_flattened());
            } else {
                output.copy_from_slice(&sums.as_flattened()[..live]);
            }
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
        let problem = Problem::forward(&geometry);
        let mut stream = Stream::new(2, Purpose::Test, 0, 0);
        let mut draw = |len: usize| (0..len).map(|_| stream.unit_f32() - 0.5).collect::<Vec<f32>>();
        let (input, kernel, bias) = (draw(geometry.input_len()), draw(geometry.kernel_len()), draw(40));
        let mut packed = vec![f32::NAN; problem.packed_len()];
        Direct.pack(&geometry, Pass::Forward, &kernel, &mut packed);
        let run = |set| {
            let mut output = vec![f32::NAN; geometry.output_len()];
            dispatch_to(set, Convolve { problem, input: &input, packed: &packed, bias: &bias, output: &mut output });
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
