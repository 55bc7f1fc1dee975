//! The order of axes: ours is channels last and kernels `[kernel height, kernel width, C, F]`, PyTorch's and
//! ONNX's channels first and kernels `[F, C, kernel height, kernel width]`.
//!
//! Every function here moves values and computes none, so a way there and back keeps every bit.

use crate::geometry::Shape;

/// Returns `values`, a tensor of `shape` in C order, with its axes in the order of `axes`: axis `i` of the
/// result is axis `axes[i]` of `values`.
///
/// # Panics
/// If the values are not as many as the shape says, or `axes` is no order of all axes.
pub fn transposed<T: Copy>(values: &[T], shape: &[usize], axes: &[usize]) -> Vec<T> {
    assert_eq!(values.len(), shape.iter().product::<usize>(), "values of this shape");
    assert!((0..shape.len()).all(|axis| axes.contains(&axis)) && axes.len() == shape.len(), "an order of all axes");
    // The step in `values` from a place to the next along each axis of it, then of the result.
    let steps: Vec<usize> = (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect();
    let sizes: Vec<usize> = axes.iter().map(|&axis| shape[axis]).collect();
    let steps: Vec<usize> = axes.iter().map(|&axis| steps[axis]).collect();
    let (mut place, mut from) = (vec![0; sizes.len()], 0);
    let mut result = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        result.push(values[from]);
        // Counts up the place, last axis first.
        for axis in (0..sizes.len()).rev() {
            place[axis] += 1;
            from += steps[axis];
            if place[axis] < sizes[axis] {
                break;
            }
            from -= sizes[axis] * steps[axis];
            place[axis] = 0;
        }
    }
    result
}

/// Returns a convolution's kernel `[kernel height, kernel width, C, F]` as `[F, C, kernel height, kernel
/// width]`. A depthwise one, `[kernel height, kernel width, C, M]`, becomes
/// `[C·M, 1, kernel height, kernel width]`, if its last two axes are given as 1 and C·M.
pub fn to_channels_first<T: Copy>(kernel: &[T], [height, width, channels, filters]: [usize; 4]) -> Vec<T> {
    transposed(kernel, &[height, width, channels, filters], &[3, 2, 0, 1])
}

/// Returns a convolution's kernel `[F, C, kernel height, kernel width]` as `[kernel height, kernel width, C,
/// F]`: what [`to_channels_first`] undoes.
pub fn to_channels_last<T: Copy>(kernel: &[T], [filters, channels, height, width]: [usize; 4]) -> Vec<T> {
    transposed(kernel, &[filters, channels, height, width], &[2, 3, 1, 0])
}

/// Returns, for each value of a vector that is an image flattened in the order C H W, its index in the order
/// H W C, which is ours. None where the two orders are the same.
pub fn flattened_channels_first(image: Shape) -> Option<Vec<usize>> {
    let Shape::Image([height, width, channels]) = image else { return None };
    if height * width == 1 || channels == 1 {
        return None;
    }
    let indices: Vec<usize> = (0..height * width * channels).collect();
    Some(transposed(&indices, &[height, width, channels], &[2, 0, 1]))
}

/// Returns rows of `width` values in another order: row `i` of the result is row `order[i]` of `rows`.
pub fn gathered<T: Copy>(rows: &[T], width: usize, order: &[usize]) -> Vec<T> {
    order.iter().flat_map(|&row| &rows[row * width..][..width]).copied().collect()
}

/// Returns rows of `width` values in another order: row `order[i]` of the result is row `i` of `rows`: what
/// [`gathered`] undoes.
pub fn scattered<T: Copy + Default>(rows: &[T], width: usize, order: &[usize]) -> Vec<T> {
    let mut result = vec![T::default(); rows.len()];
    for (row, &to) in rows.chunks_exact(width).zip(order) {
        result[to * width..][..width].copy_from_slice(row);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_move_as_numpy_moves_them() {
        // numpy.arange(6).reshape(1, 2, 3).transpose(2, 0, 1)
        assert_eq!(transposed(&[0, 1, 2, 3, 4, 5], &[1, 2, 3], &[2, 0, 1]), [0, 3, 1, 4, 2, 5]);
        assert_eq!(transposed(&[0, 1, 2, 3, 4, 5], &[2, 3], &[1, 0]), [0, 3, 1, 4, 2, 5]);
        assert!(transposed::<u8>(&[], &[2, 0], &[1, 0]).is_empty());
    }

    #[test]
    fn a_kernel_comes_back_as_it_was() {
        let kernel: Vec<usize> = (0..2 * 3 * 4 * 5).collect();
        let first = to_channels_first(&kernel, [2, 3, 4, 5]);
        // [f, c, y, x] is at ((f·4 + c)·2 + y)·3 + x, and was at ((y·3 + x)·4 + c)·5 + f.
        assert_eq!(first[((3 * 4 + 2) * 2 + 1) * 3 + 2], ((3 + 2) * 4 + 2) * 5 + 3);
        assert_eq!(to_channels_last(&first, [5, 4, 2, 3]), kernel);
    }

    #[test]
    fn rows_for_a_flattened_image_come_back_as_they_were() {
        let order = flattened_channels_first(Shape::Image([2, 3, 2])).unwrap();
        // Channel 0 of all pixels, then channel 1.
        assert_eq!(order, [0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11]);
        let rows: Vec<usize> = (0..24).collect();
        let gathered = gathered(&rows, 2, &order);
        assert_eq!(&gathered[..4], [0, 1, 4, 5]);
        assert_eq!(scattered(&gathered, 2, &order), rows);
        for same in [Shape::Image([1, 1, 9]), Shape::Image([4, 5, 1]), Shape::Vector(9)] {
            assert_eq!(flattened_channels_first(same), None);
        }
    }
}
