//! Which pixels lie under a pooling window.

use super::tensors::Image;

/// A pool's numbers.
#[derive(Clone, Debug)]
pub struct PoolShape {
    /// Height and width of the window.
    pub window: [usize; 2],
    /// Steps of the window, down and across.
    pub stride: [usize; 2],
    /// Rows above the image that the first windows cover, columns to the left of it.
    pub padding: [usize; 2],
    /// Height and width of the output.
    pub output: [usize; 2],
}

/// For every output cell of a pool, in order: where the cells of its window stand in the input, in reading
/// order. Those that lie outside the image have no part in the pool.
pub(super) fn windows(input: &Image, shape: &PoolShape) -> Vec<Vec<usize>> {
    let mut windows = Vec::new();
    for y in 0..shape.output[0] {
        for x in 0..shape.output[1] {
            for c in 0..input.channels {
                let mut cells = Vec::new();
                for dy in 0..shape.window[0] {
                    for dx in 0..shape.window[1] {
                        let (row, column) = (y * shape.stride[0] + dy, x * shape.stride[1] + dx);
                        let inside = (shape.padding[0]..shape.padding[0] + input.height).contains(&row)
                            && (shape.padding[1]..shape.padding[1] + input.width).contains(&column);
                        if inside {
                            cells.push(input.index(row - shape.padding[0], column - shape.padding[1], c));
                        }
                    }
                }
                windows.push(cells);
            }
        }
    }
    windows
}
