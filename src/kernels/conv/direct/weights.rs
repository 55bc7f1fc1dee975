//! The weights' gradient of a direct convolution: every position adds its patch times its gradient.
//!
//! ```text
//! dW[k][f] += patch(p)[k] · dY[p][f]          over all positions p
//! ```
//!
//! A register holds filters, as in the other passes. What stays in registers here is a piece of dW, [`TAPS`]
//! neighbours of a kernel row times one register of filters, while the positions of a few output rows go by.
//! Their gradients, and the input rows beneath them, stay in the first-level cache for all the pieces. A
//! pooled gradient is written out for these rows only.
//!
//! ```text
//! loop 1   over bands of output rows
//! loop 2     over kernel rows, pieces of the run, registers    sums in registers
//! loop 3       over the band's positions                       9 broadcasts, 1 load, 9 multiply-adds
//! ```

use crate::geometry::ConvGeometry;
use crate::kernels::conv::GradOutput;
use crate::kernels::conv::correlation::Correlation;
use crate::kernels::conv::frame::Frame;
use crate::kernels::relu_pool::{self, PooledGradient};
use crate::kernels::simd::{MAX_LANES, SimdOp, dispatch, load, multiply_add};

/// Neighbours of a kernel row in a piece. 9 sums are more than the 4·2 that hide the latency of a
/// multiply-add, and 9 is the run of a 3×3 kernel over three channels.
const TAPS: usize = 9;

/// Output rows in a band of a dense gradient. A pooled one has its window's.
const BAND_ROWS: usize = 2;

/// The layout of the sums, `[K][padded filters]`, and of what is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct SumsLayout {
    geometry: ConvGeometry,
    /// The frame of the input.
    pub frame: Frame,
    /// F, padded to whole registers of the widest set.
    filters: usize,
}

impl SumsLayout {
    /// Lays out the sums of a convolution's weights.
    pub fn new(geometry: &ConvGeometry) -> SumsLayout {
        let frame = Correlation::forward(geometry).frame();
        SumsLayout { geometry: *geometry, frame, filters: geometry.filters.next_multiple_of(MAX_LANES) }
    }

    /// Returns the floats of the sums.
    pub fn sums_len(&self) -> usize {
        self.geometry.patch_len() * self.filters
    }

    /// Returns the floats of a band of the gradient, written out.
    pub fn band_len(&self, window_height: Option<usize>) -> usize {
        window_height.unwrap_or(BAND_ROWS).max(BAND_ROWS) * self.geometry.output[1] * self.filters
    }

    /// Copies the sums from row `first` on to `grad_rows`, `[…, F]`.
    pub fn unpack(&self, sums: &[f32], first: usize, grad_rows: &mut [f32]) {
        let rows = grad_rows.chunks_exact_mut(self.geometry.filters);
        for (target, sums) in rows.zip(sums.chunks_exact(self.filters).skip(first)) {
            target.copy_from_slice(&sums[..self.geometry.filters]);
        }
    }
}

/// **Adds** ∂L/∂kernel and ∂L/∂bias to `sums` and `grad_bias`, from the framed input. `band` is scratch of
/// [`SumsLayout::band_len`].
pub(super) fn grad_weights(
    layout: SumsLayout,
    input: &[f32],
    grad_output: GradOutput,
    sums: &mut [f32],
    grad_bias: &mut [f32],
    band: &mut [f32],
) {
    let [height, width] = layout.geometry.output;
    let filters = layout.geometry.filters;
    // The padding is zeros, and nothing is written there.
    band.fill(0.0);
    let mut add = |first_row: usize, gradient: &[f32]| {
        dispatch(AddBand { layout, input, first_row, gradient, sums: &mut *sums, grad_bias: &mut *grad_bias });
    };
    // Loop 1: bands of output rows.
    match grad_output {
        GradOutput::Dense(values) => {
            for (index, rows) in values.chunks(BAND_ROWS * width * filters).enumerate() {
                if filters == layout.filters {
                    add(index * BAND_ROWS, rows);
                } else {
                    let band = &mut band[..rows.len() / filters * layout.filters];
                    for (target, position) in band.chunks_exact_mut(layout.filters).zip(rows.chunks_exact(filters)) {
                        target[..filters].copy_from_slice(position);
                    }
                    add(index * BAND_ROWS, band);
                }
            }
        }
        GradOutput::Pooled(gradient) => {
            let PooledGradient { pool, .. } = gradient;
            let rows = pool.window[0];
            let band = &mut band[..rows * width * layout.filters];
            debug_assert!(pool.output[0] * rows <= height);
            for index in 0..pool.output[0] {
                relu_pool::unpool_row(&gradient, index, layout.filters, band);
                add(index * rows, band);
            }
        }
    }
}

/// The sum over one band, whose gradient is `[rows, W, padded filters]`: loops 2 and 3.
struct AddBand<'a> {
    layout: SumsLayout,
    input: &'a [f32],
    first_row: usize,
    gradient: &'a [f32],
    sums: &'a mut [f32],
    grad_bias: &'a mut [f32],
}

impl SimdOp for AddBand<'_> {
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(mut self) {
        let run = self.layout.geometry.run_len();
        // Loop 2: kernel rows, pieces of the run, and (in `piece`) registers of filters.
        for kernel_row in 0..self.layout.geometry.kernel[0] {
            let mut tap = 0;
            while tap < run {
                tap += match run - tap {
                    TAPS.. if kernel_row + tap == 0 => self.piece::<TAPS, true, LANES, FUSED>(kernel_row, tap),
                    TAPS.. => self.piece::<TAPS, false, LANES, FUSED>(kernel_row, tap),
                    _ if kernel_row + tap == 0 => self.piece::<1, true, LANES, FUSED>(kernel_row, tap),
                    3.. => self.piece::<3, false, LANES, FUSED>(kernel_row, tap),
                    _ => self.piece::<1, false, LANES, FUSED>(kernel_row, tap),
                };
            }
        }
    }
}

impl AddBand<'_> {
    /// Adds to `T` taps of a kernel row, for all filters, and to the bias if `BIAS`. Returns `T`.
    #[inline(always)]
    fn piece<const T: usize, const BIAS: bool, const LANES: usize, const FUSED: bool>(
        &mut self,
        kernel_row: usize,
        tap: usize,
    ) -> usize {
        let SumsLayout { geometry, frame, filters } = self.layout;
        let row_len = frame.row_len();
        let (step, run) = (geometry.step_len(), geometry.run_len());
        // Loop 2, inside: registers of filters.
        for filter in (0..filters).step_by(LANES) {
            let start = (kernel_row * run + tap) * filters + filter;
            let mut bias = [0.0; LANES];
            // Registers of padding alone have no bias.
            let of_filters = filter.min(geometry.filters)..geometry.filters.min(filter + LANES);
            if BIAS {
                bias[..of_filters.len()].copy_from_slice(&self.grad_bias[of_filters.clone()]);
            }
            let mut piece = [[0.0; LANES]; T];
            for (tap, sums) in piece.iter_mut().enumerate() {
                *sums = load(self.sums, start + tap * filters);
            }
            // Loop 3: the band's positions.
            for (row, gradient) in self.gradient.chunks_exact(geometry.output[1] * filters).enumerate() {
                let input_row = (self.first_row + row) * geometry.stride[0] + kernel_row;
                let input = &self.input[input_row * row_len + tap..];
                for (column, gradient) in gradient.chunks_exact(filters).enumerate() {
                    let g: [f32; LANES] = load(gradient, filter);
                    let values: &[f32; T] = input[column * step..].first_chunk().expect("a piece of the patch");
                    for tap in 0..T {
                        piece[tap] = multiply_add::<LANES, FUSED>([values[tap]; LANES], g, piece[tap]);
                    }
                    if BIAS {
                        bias = multiply_add::<LANES, FUSED>([1.0; LANES], g, bias);
                    }
                }
            }
            for (tap, sums) in piece.iter().enumerate() {
                self.sums[start + tap * filters..][..LANES].copy_from_slice(sums);
            }
            if BIAS {
                self.grad_bias[of_filters.clone()].copy_from_slice(&bias[..of_filters.len()]);
            }
        }
        T
    }
}
