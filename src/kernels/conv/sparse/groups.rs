//! The rows of a convolution's output gradient in groups, which are gathered one at a time.

use crate::geometry::ConvGeometry;
use crate::kernels::conv::GradOutput;
use crate::kernels::relu_pool::PooledGradient;

/// The groups that a gradient's rows form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowGroups {
    /// The number of groups.
    pub count: usize,
    /// Output rows in each.
    pub rows: usize,
    /// The most entries of a row for one filter.
    pub most_in_row: usize,
}

impl RowGroups {
    /// Groups the rows of a dense gradient, or of one that comes back through a pool whose windows are this
    /// large.
    pub fn new(geometry: &ConvGeometry, window: Option<[usize; 2]>) -> RowGroups {
        let window = window.unwrap_or([1, 1]);
        RowGroups {
            count: geometry.output[0] / window[0],
            rows: window[0],
            most_in_row: geometry.output[1] / window[1],
        }
    }

    /// Groups the rows of this gradient.
    pub(crate) fn from_gradient(geometry: &ConvGeometry, grad_output: &GradOutput) -> RowGroups {
        match grad_output {
            GradOutput::Dense(_) => RowGroups::new(geometry, None),
            GradOutput::Pooled(PooledGradient { pool, .. }) => RowGroups::new(geometry, Some(pool.window)),
        }
    }
}

/// A group of rows of a convolution's output gradient.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GradientGroup<'a> {
    /// The convolution's sizes.
    pub geometry: &'a ConvGeometry,
    /// The gradient of all rows.
    pub grad_output: GradOutput<'a>,
    /// The group's number among the [`RowGroups`].
    pub index: usize,
}
