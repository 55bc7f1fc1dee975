//! Winograd's minimal filtering: the transforms of F(m×m, r×r), for tiles of m outputs a side and kernels of
//! r: F(4×4, 3×3), F(2×2, 3×3), F(2×2, 5×5), and F(2×4, 3×3), whose tiles are wider than high.
//!
//! A tile of m outputs in a row, of a kernel of r, reads n = m + r − 1 inputs d and costs m·r products. It
//! can do with n:
//!
//! ```text
//! 1-D    y = Aᵀ [ (G g) ⊙ (Bᵀ d) ]            Bᵀ [n×n], G [n×r], Aᵀ [m×n], ⊙ value by value
//! 2-D    Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A     m²r² products become n²: 144 → 36 for m = 4, r = 3,
//!                                             36 → 16 for m = 2, r = 3, and 100 → 36 for m = 2, r = 5
//!                                             72 → 24 for 2×4 outputs, with another m down than across
//! ```
//!
//! **Where the matrices come from.** The product of two polynomials of degree r − 1 and m − 1 has degree n
//! − 1. It can be found without their coefficients' products: evaluate both at n points, multiply n values,
//! interpolate (Cook–Toom; the last point may be ∞, where a polynomial's value is its leading coefficient).
//! Correlation is the transpose of that. With the finite points p₀ … p₍ₙ₋₂₎, Nᵢ = Πⱼ≠ᵢ (pᵢ − pⱼ) and the
//! last row or column standing for ∞:
//!
//! ```text
//! G   row i     (1, pᵢ, …, pᵢʳ⁻¹) / Nᵢ                last (0, …, 0, 1)
//! Bᵀ  row i     the coefficients of Πⱼ≠ᵢ (x − pⱼ)     last those of Πⱼ (x − pⱼ)
//! Aᵀ  column i  (1, pᵢ, …, pᵢᵐ⁻¹)                     last (0, …, 0, 1)
//! ```
//!
//! **The points** decide the rounding error. n = 4 takes 0, 1, −1, ∞, whose matrices hold nothing but 0, ±1
//! and ±½. n = 6 takes 0, ±⅝, ±1½, ∞: Bᵀ has no coefficient above 2.64 and Aᵀ none above 3.4, where the more
//! usual 0, ±1, ±2, ∞ bring 5 and 8, and sums lose fewer bits to cancelling.
//!
//! Sources: S. Winograd, *Arithmetic Complexity of Computations*, 1980; A. Lavin and S. Gray, *Fast
//! Algorithms for Convolutional Neural Networks*, 2016 (the 2-D form and its use); S. Alam, A. Anderson, B.
//! Barabasz and D. Gregg, *Winograd Convolution for Deep Neural Networks: Efficient Point Selection*, 2022
//! (the points of n = 6).

use super::pack::{FAR, NEAR};
use crate::kernels::simd::{Lanes, multiply_add};

/// Tiles of DOWN×ACROSS outputs with kernels of KERNEL×KERNEL, from HEIGHT×WIDTH inputs: HEIGHT = DOWN +
/// KERNEL − 1, and WIDTH likewise.
#[derive(Clone, Copy, Debug)]
pub struct Winograd<
    const KERNEL: usize,
    const DOWN: usize,
    const HEIGHT: usize,
    const ACROSS: usize,
    const WIDTH: usize,
> {
    /// The name that users know.
    pub name: &'static str,
}

/// The transforms of OUT outputs in a row, from IN inputs, each on `LANES` channels or filters at once. A
/// tile takes one pair of them down its columns and one along its rows.
#[derive(Debug)]
pub(crate) struct Axis<const OUT: usize, const IN: usize>;

/// Bᵀ and Aᵀ, with what their rows have in common computed once. Values are fetched and handed over one by
/// one, by constant numbers, so that they live in registers; arrays of arrays would be copied about in
/// memory.
pub(crate) trait Transforms<const OUT: usize, const IN: usize> {
    /// Additions and multiplications in [`Transforms::input`], a multiply-add being two.
    const INPUT_OPERATIONS: usize;

    /// The same in [`Transforms::output`].
    const OUTPUT_OPERATIONS: usize;

    /// Computes Bᵀ d: `get(j)` is dⱼ, `put` takes each of the IN results.
    fn input<const LANES: usize, const FUSED: bool>(
        get: impl Fn(usize) -> Lanes<LANES>,
        put: impl FnMut(usize, Lanes<LANES>),
    );

    /// Computes Aᵀ v: `get(i)` is vᵢ, `put` takes each of the OUT results.
    fn output<const LANES: usize, const FUSED: bool>(
        get: impl Fn(usize) -> Lanes<LANES>,
        put: impl FnMut(usize, Lanes<LANES>),
    );
}

impl Transforms<2, 4> for Axis<2, 4> {
    const INPUT_OPERATIONS: usize = 4;
    const OUTPUT_OPERATIONS: usize = 4;

    #[inline(always)]
    fn input<const LANES: usize, const FUSED: bool>(
        get: impl Fn(usize) -> Lanes<LANES>,
        mut put: impl FnMut(usize, Lanes<LANES>),
    ) {
        let [d0, d1, d2, d3] = [get(0), get(1), get(2), get(3)];
        put(0, subtract(d2, d0));
        put(1, add(d2, d1));
        put(2, subtract(d2, d1));
        put(3, subtract(d3, d1));
    }

    #[inline(always)]
    fn output<const LANES: usize, const FUSED: bool>(
        get: impl Fn(usize) -> Lanes<LANES>,
        mut put: impl FnMut(usize, Lanes<LANES>),
    ) {
        let [v0, one, minus_one, infinity] = [get(0), get(1), get(2), get(3)];
        put(0, add(v0, add(one, minus_one)));
        put(1, add(subtract(one, minus_one), infinity));
    }
}

impl Transforms<4, 6> for Axis<4, 6> {
    const INPUT_OPERATIONS: usize = SIX_INPUTS_OPERATIONS;
    const OUTPUT_OPERATIONS: usize = 16;

    #[inline(always)]
    fn input<const LANES: usize, const FUSED: bool>(
        get: impl Fn(usize) -> Lanes<LANES>,
        put: impl FnMut(usize, Lanes<LANES>),
    ) {
        six_inputs::<LANES, FUSED>(get, put);
    }

    #[inline(always)]
    fn output<const LANES: usize, const FUSED: bool>(
        get: impl Fn(usize) -> Lanes<LANES>,
        mut put: impl FnMut(usize, Lanes<LANES>),
    ) {
        let [v0, near, minus_near, far, minus_far, infinity] = [get(0), get(1), get(2), get(3), get(4), get(5)];
        let (near_even, near_odd) = (add(near, minus_near), subtract(near, minus_near));
        let (far_even, far_odd) = (add(far, minus_far), subtract(far, minus_far));
        put(0, add(v0, add(near_even, far_even)));
        put(1, scaled::<LANES, FUSED>(FAR, far_odd, multiplied(NEAR, near_odd)));
        put(2, scaled::<LANES, FUSED>(FAR_SQUARED, far_even, multiplied(NEAR_SQUARED, near_even)));
        let odd = scaled::<LANES, FUSED>(NEAR * NEAR_SQUARED, near_odd, infinity);
        put(3, scaled::<LANES, FUSED>(FAR * FAR_SQUARED, far_odd, odd));
    }
}

impl Transforms<2, 6> for Axis<2, 6> {
    const INPUT_OPERATIONS: usize = SIX_INPUTS_OPERATIONS;
    const OUTPUT_OPERATIONS: usize = 10;

    #[inline(always)]
    fn input<const LANES: usize, const FUSED: bool>(
        get: impl Fn(usize) -> Lanes<LANES>,
        put: impl FnMut(usize, Lanes<LANES>),
    ) {
        six_inputs::<LANES, FUSED>(get, put);
    }

    #[inline(always)]
    fn output<const LANES: usize, const FUSED: bool>(
        get: impl Fn(usize) -> Lanes<LANES>,
        mut put: impl FnMut(usize, Lanes<LANES>),
    ) {
        let [v0, near, minus_near, far, minus_far, infinity] = [get(0), get(1), get(2), get(3), get(4), get(5)];
        put(0, add(add(v0, add(near, minus_near)), add(far, minus_far)));
        let odd = scaled::<LANES, FUSED>(NEAR, subtract(near, minus_near), infinity);
        put(1, scaled::<LANES, FUSED>(FAR, subtract(far, minus_far), odd));
    }
}

const NEAR_SQUARED: f32 = NEAR * NEAR;
const FAR_SQUARED: f32 = FAR * FAR;

/// Additions and multiplications in [`six_inputs`], a multiply-add being two.
const SIX_INPUTS_OPERATIONS: usize = 24;

/// Computes Bᵀ d for n = 6: (x² − far²) and (x² − near²) times 1, x, x² and x³, and their sums and
/// differences.
#[inline(always)]
fn six_inputs<const LANES: usize, const FUSED: bool>(
    get: impl Fn(usize) -> Lanes<LANES>,
    mut put: impl FnMut(usize, Lanes<LANES>),
) {
    let [d0, d1, d2, d3, d4, d5] = [get(0), get(1), get(2), get(3), get(4), get(5)];
    // xᵏ(x² − far²) for k = 0 … 3, and xᵏ(x² − near²) for k = 1 and 2
    let w0 = scaled::<LANES, FUSED>(-FAR_SQUARED, d0, d2);
    let w1 = scaled::<LANES, FUSED>(-FAR_SQUARED, d1, d3);
    let w2 = scaled::<LANES, FUSED>(-FAR_SQUARED, d2, d4);
    let w3 = scaled::<LANES, FUSED>(-FAR_SQUARED, d3, d5);
    let u1 = scaled::<LANES, FUSED>(-NEAR_SQUARED, d1, d3);
    let u2 = scaled::<LANES, FUSED>(-NEAR_SQUARED, d2, d4);
    put(0, scaled::<LANES, FUSED>(-NEAR_SQUARED, w0, w2));
    put(1, scaled::<LANES, FUSED>(NEAR, w1, w2));
    put(2, scaled::<LANES, FUSED>(-NEAR, w1, w2));
    put(3, scaled::<LANES, FUSED>(FAR, u1, u2));
    put(4, scaled::<LANES, FUSED>(-FAR, u1, u2));
    put(5, scaled::<LANES, FUSED>(-NEAR_SQUARED, w1, w3));
}

/// Returns `a + b`.
#[inline(always)]
fn add<const LANES: usize>(a: Lanes<LANES>, b: Lanes<LANES>) -> Lanes<LANES> {
    let mut sum = a;
    for lane in 0..LANES {
        sum[lane] += b[lane];
    }
    sum
}

/// Returns `a − b`.
#[inline(always)]
fn subtract<const LANES: usize>(a: Lanes<LANES>, b: Lanes<LANES>) -> Lanes<LANES> {
    let mut difference = a;
    for lane in 0..LANES {
        difference[lane] -= b[lane];
    }
    difference
}

/// Returns `factor·x`.
#[inline(always)]
fn multiplied<const LANES: usize>(factor: f32, x: Lanes<LANES>) -> Lanes<LANES> {
    x.map(|x| factor * x)
}

/// Returns `factor·x + y`.
#[inline(always)]
fn scaled<const LANES: usize, const FUSED: bool>(factor: f32, x: Lanes<LANES>, y: Lanes<LANES>) -> Lanes<LANES> {
    multiply_add::<LANES, FUSED>([factor; LANES], x, y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::conv::winograd::pack::{kernel_matrix, points};

    /// Returns the coefficients of Π (x − p) over the points, the constant one first.
    fn polynomial(points: impl Iterator<Item = f64>) -> Vec<f64> {
        points.fold(vec![1.0], |coefficients, point| {
            let mut product = vec![0.0; coefficients.len() + 1];
            for (power, coefficient) in coefficients.iter().enumerate() {
                product[power + 1] += coefficient;
                product[power] -= point * coefficient;
            }
            product
        })
    }

    /// Returns Bᵀ, as the module's text derives it.
    fn input_matrix<const IN: usize>() -> [[f64; IN]; IN] {
        let points = points(IN);
        let mut matrix = [[0.0; IN]; IN];
        for (i, row) in matrix.iter_mut().enumerate() {
            let others = (0..IN - 1).filter(|&j| j != i).map(|j| points[j]);
            for (entry, coefficient) in row.iter_mut().zip(polynomial(others)) {
                *entry = coefficient;
            }
        }
        matrix
    }

    /// Returns Aᵀ.
    fn output_matrix<const OUT: usize, const IN: usize>() -> [[f64; IN]; OUT] {
        let points = points(IN);
        let entry = |power: usize, i: usize| match points[..IN - 1].get(i) {
            Some(point) => point.powi(power as i32),
            None => f64::from(power == OUT - 1),
        };
        std::array::from_fn(|power| std::array::from_fn(|i| entry(power, i)))
    }

    fn check_identity<const OUT: usize, const IN: usize, const KERNEL: usize>() {
        // Both sides are bilinear, so one kernel value and one input at a time say it all.
        let (b, g, a) = (input_matrix::<IN>(), kernel_matrix::<IN, KERNEL>(), output_matrix::<OUT, IN>());
        let response = |output: usize, tap: usize, input: usize| -> f64 {
            (0..IN).map(|i| a[output][i] * g[i][tap] * b[i][input]).sum()
        };
        for tap in 0..KERNEL {
            for input in 0..IN {
                for output in 0..OUT {
                    let y = response(output, tap, input);
                    let expected = f64::from(input == output + tap);
                    assert!(
                        (y - expected).abs() < 1e-15,
                        "F({OUT}, {KERNEL}): output {output} has {y} of {tap}, {input}"
                    );
                }
            }
        }
    }

    fn check_transforms<const OUT: usize, const IN: usize>()
    where
        Axis<OUT, IN>: Transforms<OUT, IN>,
    {
        let (b, a) = (input_matrix::<IN>(), output_matrix::<OUT, IN>());
        for column in 0..IN {
            let unit = |i: usize| [f32::from(u8::from(i == column))];
            let mut input = [f64::NAN; IN];
            Axis::<OUT, IN>::input::<1, false>(unit, |i, [x]| input[i] = f64::from(x));
            assert_eq!(input, std::array::from_fn(|i| b[i][column]), "F({OUT} of {IN}), {column}");
            let mut output = [f64::NAN; OUT];
            Axis::<OUT, IN>::output::<1, false>(unit, |i, [x]| output[i] = f64::from(x));
            assert_eq!(output, std::array::from_fn(|i| a[i][column]), "F({OUT} of {IN}), {column}");
        }
    }

    #[test]
    fn transformed_products_are_the_convolution() {
        check_identity::<2, 4, 3>();
        check_identity::<4, 6, 3>();
        check_identity::<2, 6, 5>();
    }

    #[test]
    fn the_transforms_are_the_derived_matrices() {
        check_transforms::<2, 4>();
        check_transforms::<4, 6>();
        check_transforms::<2, 6>();
    }

    #[test]
    fn the_points_keep_the_input_coefficients_small() {
        let largest = input_matrix::<6>().as_flattened().iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
        assert_eq!(largest, f64::from(NEAR_SQUARED) + f64::from(FAR_SQUARED));
    }
}
