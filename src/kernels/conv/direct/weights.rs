//! The weights' gradient of a direct convolution: every position adds its patch times its gradient.
//!
//! ```text
//! dW[k][f] += patch(p)[k] · dY[p][f]          over all positions p
//! ```
//!
//! A register holds filters, as in the other passes. What stays in registers here is a piece of dW, some
//! neighbours of a kernel row times two registers of filters, while the positions of a band of output rows
//! go by. It is a [register tile](crate::kernels::tile) with the neighbours for pixels: they lie side by
//! side, so one address serves them all.
//!
//! ```text
//! loop 1   over bands of output rows
//! loop 2     over panels of filters                 the band's gradient of a panel in the first-level cache
//! loop 3       over kernel rows
//! loop 4         over strips of the run             sums in registers
//! loop 5           over the band's positions        12 broadcasts, 2 loads, 24 multiply-adds
//! ```

use crate::geometry::ConvGeometry;
use crate::kernels::conv::GradOutput;
use crate::kernels::conv::correlation::Correlation;
use crate::kernels::conv::frame::Frame;
use crate::kernels::relu_pool;
use crate::kernels::simd::{Lanes, MAX_LANES, SimdOp, dispatch};
use crate::kernels::tile::{
    PANEL, PairedTileWork, TileWork, VECTORS, add_outer, load_filters, load_sums, over_tiles, store_sums,
};
use std::ops::Range;

/// Positions in a band, about: 16 KiB of a panel's gradient. A band is at least one output row, or one row of
/// windows.
const BAND_POSITIONS: usize = 128;

/// The layout of the sums, `[panels][K][width]`, and of what is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct SumsLayout {
    geometry: ConvGeometry,
    /// The frame of the input.
    pub frame: Frame,
    /// Filters of a panel, those of a last one that there are not among them: whole registers of the widest
    /// set.
    width: usize,
}

impl SumsLayout {
    /// Lays out the sums of a convolution's weights.
    pub fn new(geometry: &ConvGeometry) -> SumsLayout {
        let frame = Correlation::forward(geometry).frame();
        SumsLayout { geometry: *geometry, frame, width: geometry.filters.next_multiple_of(MAX_LANES).min(PANEL) }
    }

    fn panels(&self) -> usize {
        self.geometry.filters.div_ceil(self.width)
    }

    /// Returns the floats of the sums.
    pub fn sums_len(&self) -> usize {
        self.panels() * self.geometry.patch_len() * self.width
    }

    /// Returns the number of parts that can be summed up apart: each kernel row of each panel.
    pub fn parts(&self) -> usize {
        self.panels() * self.geometry.kernel[0]
    }

    /// Returns the output rows in a band of a gradient that is dense, or comes through windows of this
    /// height.
    fn band_rows(&self, window_height: Option<usize>) -> usize {
        let [height, width] = self.geometry.output;
        let rows = (BAND_POSITIONS / width).clamp(1, height);
        window_height.map_or(rows, |window| (rows / window).max(1) * window)
    }

    /// Returns the floats of scratch: the framed input, and a band of a panel's gradient.
    pub fn scratch_len(&self, window_height: Option<usize>) -> usize {
        let rows = self.band_rows(None).max(self.band_rows(window_height));
        self.frame.copy_len() + rows * self.geometry.output[1] * PANEL
    }

    /// Iterates over the bands of output rows that have a gradient.
    fn bands(&self, grad_output: GradOutput) -> impl Iterator<Item = Range<usize>> + use<> {
        let (window, rows) = match grad_output {
            GradOutput::Dense(_) => (1, self.band_rows(None)),
            GradOutput::Pooled(gradient) => {
                let window = gradient.pool.window[0];
                (window, self.band_rows(Some(window)))
            }
        };
        // Rows below the last window have none.
        let height = self.geometry.output[0] / window * window;
        (0..height).step_by(rows).map(move |first| first..(first + rows).min(height))
    }

    /// Copies the sums from row `first` on to `grad_rows`, `[…, F]`.
    pub fn unpack(&self, sums: &[f32], first: usize, grad_rows: &mut [f32]) {
        for (row, target) in (first..).zip(grad_rows.chunks_exact_mut(self.geometry.filters)) {
            for (panel, target) in target.chunks_mut(self.width).enumerate() {
                let at = (panel * self.geometry.patch_len() + row) * self.width;
                target.copy_from_slice(&sums[at..at + target.len()]);
            }
        }
    }
}

/// **Adds** ∂L/∂kernel and ∂L/∂bias to `sums` and `grad_bias`, from the framed input. `scratch` has room for
/// a band of the gradient.
pub(super) fn grad_weights(
    layout: SumsLayout,
    input: &[f32],
    grad_output: GradOutput,
    sums: &mut [f32],
    grad_bias: &mut [f32],
    scratch: &mut [f32],
) {
    let panel_len = layout.geometry.patch_len() * layout.width;
    // Loop 1: bands of output rows.
    for rows in layout.bands(grad_output) {
        // Loop 2: panels of filters.
        for (panel, sums) in sums.chunks_exact_mut(panel_len).enumerate() {
            let kernel_rows = 0..layout.geometry.kernel[0];
            add_band(layout, input, grad_output, rows.clone(), panel, kernel_rows, sums, grad_bias, scratch);
        }
    }
}

/// **Adds** to one of the [parts](SumsLayout::parts) of the sums, and to the bias of its filters if it is the
/// part that does so.
pub(super) fn grad_weights_part(
    layout: SumsLayout,
    part: usize,
    input: &[f32],
    grad_output: GradOutput,
    sums: &mut [f32],
    grad_bias: &mut [f32],
    scratch: &mut [f32],
) {
    let kernel_rows = layout.geometry.kernel[0];
    let (panel, row) = (part / kernel_rows, part % kernel_rows);
    for rows in layout.bands(grad_output) {
        add_band(layout, input, grad_output, rows, panel, row..row + 1, sums, grad_bias, scratch);
    }
}

/// **Adds** the part of a band of output rows to the sums of some kernel rows for a panel of filters.
#[expect(clippy::too_many_arguments, reason = "all of a band's sizes and memory, from two loops alone")]
fn add_band(
    layout: SumsLayout,
    input: &[f32],
    grad_output: GradOutput,
    rows: Range<usize>,
    panel: usize,
    kernel_rows: Range<usize>,
    sums: &mut [f32],
    grad_bias: &mut [f32],
    scratch: &mut [f32],
) {
    let SumsLayout { geometry, .. } = layout;
    let filters = panel * layout.width..geometry.filters.min((panel + 1) * layout.width);
    let gradient = &mut scratch.as_chunks_mut().0[..rows.len() * geometry.output[1]];
    let gradient = panel_of(&geometry, grad_output, rows.clone(), filters.clone(), gradient);
    dispatch(AddBand { layout, input, rows, kernel_rows, gradient, sums, grad_bias: &mut grad_bias[filters] });
}

/// Returns the gradient of some output rows for a panel of filters: as it lies, or in `memory`.
fn panel_of<'a>(
    geometry: &ConvGeometry,
    grad_output: GradOutput<'a>,
    rows: Range<usize>,
    filters: Range<usize>,
    memory: &'a mut [[f32; PANEL]],
) -> &'a [[f32; PANEL]] {
    let [_, width] = geometry.output;
    if filters.len() < PANEL {
        // Zeros for the filters that there are not.
        memory.fill([0.0; PANEL]);
    }
    match grad_output {
        GradOutput::Dense(values) => {
            let values = &values[rows.start * width * geometry.filters..rows.end * width * geometry.filters];
            if geometry.filters == PANEL {
                return values.as_chunks().0;
            }
            for (target, position) in memory.iter_mut().zip(values.chunks_exact(geometry.filters)) {
                let position = &position[filters.clone()];
                match position.first_chunk() {
                    Some(panel) => *target = *panel,
                    None => target[..position.len()].copy_from_slice(position),
                }
            }
        }
        GradOutput::Pooled(gradient) => {
            let window = gradient.pool.window[0];
            let windows = memory.chunks_exact_mut(window * width);
            for (row, memory) in (rows.start / window..rows.end / window).zip(windows) {
                relu_pool::unpool_row(&gradient, row, filters.clone(), PANEL, memory.as_flattened_mut());
            }
        }
    }
    memory
}

/// The sums over one band, of a panel of filters.
struct AddBand<'a> {
    layout: SumsLayout,
    input: &'a [f32],
    rows: Range<usize>,
    kernel_rows: Range<usize>,
    /// The gradient of each position of the rows.
    gradient: &'a [[f32; PANEL]],
    /// The sums of these kernel rows for the panel's filters.
    sums: &'a mut [f32],
    /// The bias of these filters; the first kernel row adds to it.
    grad_bias: &'a mut [f32],
}

impl SimdOp for AddBand<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(mut self) {
        // Columns of the panel, for as many filters as there are.
        for column in (0..self.grad_bias.len()).step_by(VECTORS * LANES) {
            if self.grad_bias.len() - column <= LANES {
                self.column::<1, LANES, FUSED>(column);
            } else {
                self.column::<VECTORS, LANES, FUSED>(column);
            }
        }
    }
}

impl AddBand<'_> {
    /// Adds to the sums of the panel's filters from `column` on.
    #[inline(always)]
    fn column<const V: usize, const LANES: usize, const FUSED: bool>(&mut self, column: usize) {
        let SumsLayout { geometry, frame, width } = self.layout;
        let run_len = geometry.run_len();
        let present = column..self.grad_bias.len().min(column + V * LANES);
        // Loop 3: kernel rows.
        for (index, kernel_row) in self.kernel_rows.clone().enumerate() {
            let first_row = self.rows.start * geometry.stride[0] + kernel_row;
            let mut taps = Taps::<V, LANES, FUSED> {
                input: &self.input[first_row * frame.row_len()..],
                row_step: geometry.stride[0] * frame.row_len(),
                step: geometry.step_len(),
                width: geometry.output[1],
                gradient: self.gradient,
                column,
                sums: &mut self.sums[index * run_len * width + column..],
                filters: width,
                bias: (kernel_row == 0).then(|| &mut self.grad_bias[present.clone()]),
            };
            // Loop 4: strips of the run.
            over_tiles::<LANES>(run_len, &mut taps);
        }
    }
}

/// A kernel row of the sums, for the filters of a tile.
struct Taps<'a, const V: usize, const LANES: usize, const FUSED: bool> {
    /// The input from the band's first patch on, its run of this kernel row.
    input: &'a [f32],
    /// Floats from the patches of an output row to those of the next, and from a patch to its neighbour.
    row_step: usize,
    step: usize,
    /// Positions of an output row.
    width: usize,
    gradient: &'a [[f32; PANEL]],
    column: usize,
    /// The sums from the run's first tap and the tile's first filter on.
    sums: &'a mut [f32],
    /// Floats from a tap's sums to the next one's.
    filters: usize,
    /// The bias of the tile's filters, until it is added to: the first strip does it.
    bias: Option<&'a mut [f32]>,
}

impl<const V: usize, const LANES: usize, const FUSED: bool> Taps<'_, V, LANES, FUSED> {
    /// Returns the sums of `P` taps.
    #[inline(always)]
    fn load<const P: usize>(&self, first: usize) -> [[Lanes<LANES>; V]; P] {
        let mut sums = [[[0.0; LANES]; V]; P];
        for (tap, sums) in sums.iter_mut().enumerate() {
            load_sums(&self.sums[(first + tap) * self.filters..][..V * LANES], sums);
        }
        sums
    }

    #[inline(always)]
    fn store<const P: usize>(&mut self, first: usize, sums: &[[Lanes<LANES>; V]; P]) {
        for (tap, sums) in sums.iter().enumerate() {
            store_sums(sums, &mut self.sums[(first + tap) * self.filters..][..V * LANES]);
        }
    }

    /// Adds to one tile, and to the bias if `BIAS`.
    #[inline(always)]
    fn add_one<const P: usize, const BIAS: bool>(&mut self, first: usize, bias: &mut [Lanes<LANES>; V]) {
        assert!(self.column + V * LANES <= PANEL);
        let mut sums = self.load::<P>(first);
        let mut local = *bias;
        // Loop 5: the band's positions.
        for (row, gradient) in self.gradient.chunks_exact(self.width).enumerate() {
            let input = &self.input[row * self.row_step + first..];
            for (x, gradient) in gradient.iter().enumerate() {
                let gradient = load_filters(gradient, self.column);
                add_outer::<P, V, LANES, FUSED>(&input[x * self.step..], &gradient, &mut sums);
                if BIAS {
                    add_outer::<1, V, LANES, FUSED>(&[1.0], &gradient, std::array::from_mut(&mut local));
                }
            }
        }
        *bias = local;
        // What is stored by reference is a copy: then the sums themselves live in registers.
        let done = sums;
        self.store(first, &done);
    }

    /// Adds to two tiles, and to the bias if `BIAS`.
    #[inline(always)]
    fn add_two<const P: usize, const BIAS: bool>(&mut self, [first, second]: [usize; 2], bias: &mut [Lanes<LANES>; V]) {
        assert!(self.column + V * LANES <= PANEL);
        let (mut sums, mut more) = (self.load::<P>(first), self.load::<P>(second));
        let mut local = *bias;
        // Loop 5: the band's positions, each for both tiles.
        for (row, gradient) in self.gradient.chunks_exact(self.width).enumerate() {
            let input = &self.input[row * self.row_step + first..];
            for (x, gradient) in gradient.iter().enumerate() {
                let gradient = load_filters(gradient, self.column);
                let patch = &input[x * self.step..];
                add_outer::<P, V, LANES, FUSED>(patch, &gradient, &mut sums);
                add_outer::<P, V, LANES, FUSED>(&patch[second - first..], &gradient, &mut more);
                if BIAS {
                    add_outer::<1, V, LANES, FUSED>(&[1.0], &gradient, std::array::from_mut(&mut local));
                }
            }
        }
        *bias = local;
        let done = [sums, more];
        self.store(first, &done[0]);
        self.store(second, &done[1]);
    }

    /// Calls `add` with the sums of the bias, which it adds to, if there are any to be added to.
    #[inline(always)]
    fn with_bias(&mut self, add: impl FnOnce(&mut Self, &mut [Lanes<LANES>; V])) -> bool {
        let Some(bias) = self.bias.take() else { return false };
        let mut sums = [[0.0; LANES]; V];
        load_sums(bias, &mut sums);
        add(self, &mut sums);
        store_sums(&sums, bias);
        true
    }
}

impl<const V: usize, const LANES: usize, const FUSED: bool> TileWork for Taps<'_, V, LANES, FUSED> {
    #[inline(always)]
    fn one<const P: usize>(&mut self, first: usize) {
        if !self.with_bias(|taps, bias| taps.add_one::<P, true>(first, bias)) {
            self.add_one::<P, false>(first, &mut [[0.0; LANES]; V]);
        }
    }
}

impl<const V: usize, const LANES: usize, const FUSED: bool> PairedTileWork for Taps<'_, V, LANES, FUSED> {
    #[inline(always)]
    fn two<const P: usize>(&mut self, firsts: [usize; 2]) {
        if !self.with_bias(|taps, bias| taps.add_two::<P, true>(firsts, bias)) {
            self.add_two::<P, false>(firsts, &mut [[0.0; LANES]; V]);
        }
    }
}
