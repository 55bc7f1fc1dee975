//! The kernel's transform, U = G g Gᵀ, once for all images. [`transforms`](super::transforms) derives G.

use crate::kernels::conv::correlation::Correlation;
use crate::kernels::simd::{Lanes, SimdOp, load};
use crate::kernels::tile::PANEL;

/// The finite points of tiles with six inputs a side are 0, ± this
pub(crate) const NEAR: f32 = 0.625;

/// and ± this.
pub(crate) const FAR: f32 = 1.5;

/// Returns the finite points of a tile with `inputs` inputs a side, which uses `inputs` − 1 of them, and ∞.
pub(crate) const fn points(inputs: usize) -> [f64; 5] {
    let (near, far) = (NEAR as f64, FAR as f64);
    if inputs == 6 { [0.0, near, -near, far, -far] } else { [0.0, 1.0, -1.0, f64::NAN, f64::NAN] }
}

/// A panel of the kernel that is to be transformed to a panel of U, `[ξ][C][PANEL]`, with zeros for the
/// filters that there are not.
pub(crate) struct Pack<'a> {
    pub correlation: Correlation,
    pub panel: usize,
    pub kernel: &'a [f32],
    pub packed: &'a mut [f32],
}

impl<'a> Pack<'a> {
    /// Returns the operation that transforms kernels of `KERNEL`×`KERNEL` for tiles of `HEIGHT`×`WIDTH`
    /// inputs.
    pub fn transform<const KERNEL: usize, const HEIGHT: usize, const WIDTH: usize>(
        self,
    ) -> TransformKernel<'a, KERNEL, HEIGHT, WIDTH> {
        TransformKernel(self)
    }
}

/// The kernel's transform.
pub(crate) struct TransformKernel<'a, const KERNEL: usize, const HEIGHT: usize, const WIDTH: usize>(Pack<'a>);

/// Channels whose kernel values are gathered at once.
const GATHERED: usize = 16;

/// Values of the largest kernel for one channel and filter.
const TAPS: usize = 25;

impl<const KERNEL: usize, const HEIGHT: usize, const WIDTH: usize> SimdOp
    for TransformKernel<'_, KERNEL, HEIGHT, WIDTH>
{
    #[inline(always)]
    fn run<const LANES: usize, const FUSED: bool>(self) {
        let Pack { correlation, panel, kernel, packed } = self.0;
        let channels = correlation.input[2];
        let (rows, _) = packed.as_chunks_mut::<PANEL>();
        let mut gathered = [[[0.0; PANEL]; TAPS]; GATHERED];
        for first in (0..channels).step_by(GATHERED) {
            let count = GATHERED.min(channels - first);
            for tap in 0..KERNEL * KERNEL {
                correlation.gather(kernel, tap, first..first + count, panel, &mut gathered, |taps| &mut taps[tap]);
            }
            for (c, taps) in gathered[..count].iter().enumerate() {
                for from in (0..PANEL).step_by(LANES) {
                    let rows = &mut rows[first + c..];
                    transform_kernel::<KERNEL, HEIGHT, WIDTH, LANES, FUSED>(taps, from, rows, channels);
                }
            }
        }
    }
}

/// Writes G g Gᵀ of the filters from `from` on, computed in f64 so that U is rounded once. The first of
/// `rows` takes ξ = 0; the next ξ is `step` rows further.
#[inline(always)]
fn transform_kernel<
    const KERNEL: usize,
    const HEIGHT: usize,
    const WIDTH: usize,
    const LANES: usize,
    const FUSED: bool,
>(
    taps: &[[f32; PANEL]; TAPS],
    from: usize,
    rows: &mut [[f32; PANEL]],
    step: usize,
) {
    let down = const { kernel_matrix::<HEIGHT, KERNEL>() };
    let across = const { kernel_matrix::<WIDTH, KERNEL>() };
    let mut wide = [[[0.0; LANES]; KERNEL]; KERNEL];
    for (wide, taps) in wide.as_flattened_mut().iter_mut().zip(taps) {
        let values: Lanes<LANES> = load(taps, from);
        for lane in 0..LANES {
            wide[lane] = f64::from(values[lane]);
        }
    }
    for (i, down) in down.iter().enumerate() {
        let mut row = [[0.0; LANES]; KERNEL];
        for x in 0..KERNEL {
            row[x] = combine::<KERNEL, LANES, FUSED>(down, std::array::from_fn(|y| wide[y][x]));
        }
        for (j, factors) in across.iter().enumerate() {
            let sum = combine::<KERNEL, LANES, FUSED>(factors, row);
            let mut rounded = [0.0; LANES];
            for lane in 0..LANES {
                rounded[lane] = sum[lane] as f32;
            }
            rows[(i * WIDTH + j) * step][from..from + LANES].copy_from_slice(&rounded);
        }
    }
}

/// Returns `Σ factors[i] · values[i]`, the last term first.
#[inline(always)]
fn combine<const TERMS: usize, const LANES: usize, const FUSED: bool>(
    factors: &[f64; TERMS],
    values: [[f64; LANES]; TERMS],
) -> [f64; LANES] {
    let mut sum = [0.0; LANES];
    for lane in 0..LANES {
        sum[lane] = factors[TERMS - 1] * values[TERMS - 1][lane];
        for i in (0..TERMS - 1).rev() {
            let (factor, value) = (factors[i], values[i][lane]);
            sum[lane] = if FUSED { factor.mul_add(value, sum[lane]) } else { factor * value + sum[lane] };
        }
    }
    sum
}

/// Returns G, computed from the points.
pub(crate) const fn kernel_matrix<const IN: usize, const KERNEL: usize>() -> [[f64; KERNEL]; IN] {
    let points = points(IN);
    let mut matrix = [[0.0; KERNEL]; IN];
    let mut i = 0;
    while i < IN - 1 {
        let mut divisor = 1.0;
        let mut j = 0;
        while j < IN - 1 {
            if j != i {
                divisor *= points[i] - points[j];
            }
            j += 1;
        }
        let mut power = 1.0;
        let mut tap = 0;
        while tap < KERNEL {
            matrix[i][tap] = power / divisor;
            power *= points[i];
            tap += 1;
        }
        i += 1;
    }
    matrix[IN - 1][KERNEL - 1] = 1.0;
    matrix
}
