//! Matrix products: the safe face of `matrixmultiply`.
//!
//! `matrixmultiply` packs both operands into panels that fit the caches and multiplies them in registers, in
//! the way of Goto and van de Geijn, *Anatomy of High-Performance Matrix Multiplication*, 2008. It takes raw
//! pointers and strides; [`Matrix`] carries the slice they point into, and [`gemm`] checks that every element
//! they reach lies inside it.

#![allow(unsafe_code)]

/// A read-only matrix in a slice: element (i, j) is `values[i·row_stride + j·column_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Views `values` as `rows × columns`, one row after the other.
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Matrix<'a> {
        Matrix::with_row_stride(values, rows, columns, columns)
    }

    /// Views `values` as `rows × columns`, rows `row_stride` floats apart: a block of columns of a wider
    /// matrix.
    ///
    /// # Panics
    /// If the last element would lie outside `values`.
    pub(crate) fn with_row_stride(values: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Matrix<'a> {
        if rows > 0 && columns > 0 {
            // [`gemm`] reads every element, so this length is what its `unsafe` rests on; a product that
            // wraps is too long.
            let end = (rows - 1).checked_mul(row_stride).and_then(|last_row| last_row.checked_add(columns));
            assert!(
                end.is_some_and(|end| end <= values.len()),
                "a matrix of {rows}×{columns}, rows {row_stride} apart, in a slice of {}",
                values.len()
            );
        }
        // Between fewer than two rows there is no distance, and an absurd one must not become a pointer's
        // stride.
        let row_stride = if rows > 1 && columns > 0 { row_stride } else { columns };
        Matrix { values, rows, columns, row_stride, column_stride: 1 }
    }

    /// Returns the transpose. No float is moved.
    pub(crate) fn transposed(self) -> Matrix<'a> {
        Matrix {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// β, the factor of what stands in the result before: c = a·b + β·c.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beta {
    /// 0: the product overwrites. What stood there, NaN too, is not read.
    Zero,
    /// 1: the product is added.
    One,
}

/// Computes c = a·b + β·c, `[m×k]·[k×n]`, with `c` row by row. Single-threaded: the callers run many at once.
///
/// # Panics
/// If the shapes do not fit together.
pub fn gemm(a: Matrix, b: Matrix, beta: Beta, c: &mut [f32]) {
    let (m, k, n) = (a.rows, a.columns, b.columns);
    assert_eq!(k, b.rows, "a is {m}×{k}, b is {}×{n}", b.rows);
    assert_eq!(Some(c.len()), m.checked_mul(n), "the product is {m}×{n}");
    if c.is_empty() {
        return;
    }
    let beta = match beta {
        Beta::Zero => 0.0,
        Beta::One => 1.0,
    };
    // SAFETY: `Matrix` was built so that every (i, j) within rows × columns lies inside its slice
    // (`transposed` only exchanges the two), and c holds m·n floats, row stride n; a and b are shared
    // borrows, c is exclusive, so they do not overlap. With beta = 0 sgemm does not read c. Strides fit
    // isize: each is at most the length of its slice, or of c.
    unsafe {
        matrixmultiply::sgemm(
            m,
            k,
            n,
            1.0,
            a.values.as_ptr(),
            a.row_stride as isize,
            a.column_stride as isize,
            b.values.as_ptr(),
            b.row_stride as isize,
            b.column_stride as isize,
            beta,
            c.as_mut_ptr(),
            n as isize,
            1,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_of_strided_and_transposed_blocks_is_the_sum_over_k() {
        // a is the left 2×3 block of a 2×4 matrix, b the transpose of a 2×3 one.
        let a = [1., 2., 3., 99., 4., 5., 6., 99.];
        let b = [1., 0., 2., -1., 1., 0.];
        let mut c = [f32::NAN; 4];
        let (a, b) = (Matrix::with_row_stride(&a, 2, 3, 4), Matrix::new(&b, 2, 3).transposed());
        gemm(a, b, Beta::Zero, &mut c);
        assert_eq!(c, [7., 1., 16., 1.]);
        gemm(a, b, Beta::One, &mut c);
        assert_eq!(c, [14., 2., 32., 2.]);
    }

    #[test]
    fn an_empty_inner_dimension_gives_zeros() {
        let mut c = [f32::NAN; 6];
        gemm(Matrix::new(&[], 2, 0), Matrix::new(&[], 0, 3), Beta::Zero, &mut c);
        assert_eq!(c, [0.0; 6]);
    }

    #[test]
    #[should_panic(expected = "in a slice of 4")]
    fn a_stride_whose_products_wrap_is_refused() {
        Matrix::with_row_stride(&[0.0; 4], 3, 1, 1 << (usize::BITS - 1));
    }

    #[test]
    #[should_panic(expected = "the product is")]
    fn a_product_whose_size_wraps_is_refused() {
        let half = usize::BITS / 2;
        gemm(Matrix::new(&[], 1 << half, 0), Matrix::new(&[], 0, 1 << half), Beta::Zero, &mut []);
    }

    #[test]
    #[should_panic(expected = "in a slice of 5")]
    fn a_matrix_larger_than_its_slice_is_refused() {
        Matrix::new(&[0.0; 5], 2, 3);
    }
}
