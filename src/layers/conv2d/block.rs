//! The description of a convolution and of what runs with it: sizes, tensors, algorithms.

use super::super::builder::Builder;
use crate::geometry::{ConvGeometry, PoolGeometry, Sliding, check_floats};
use crate::kernels::conv::registry::{ConvAlgorithms, ConvPolicy};
use crate::parameters::TensorId;

/// A window with fewer cells leaves so much of the gradient that the sparse passes do not pay.
const SPARSE_WINDOW_CELLS: usize = 4;

/// A convolution layer.
#[derive(Clone, Debug)]
pub struct Conv2d {
    /// Its sizes.
    pub geometry: ConvGeometry,
    /// The number of its kernel, `[kernel height, kernel width, C, F]`.
    pub kernel: TensorId,
    /// The number of its bias, `[F]`, if it has one.
    pub bias: Option<TensorId>,
    /// What computes each pass.
    pub algorithms: ConvAlgorithms,
    /// Whether a ReLU runs with it.
    pub relu: bool,
    /// The max-pool that runs with it, if one does.
    pub pool: Option<PoolGeometry>,
    /// True if several ranks share the batches: the sums of each slot are then kept apart, whatever its size.
    pub is_shared: bool,
}

impl Conv2d {
    /// A convolution, with a bias or without.
    ///
    /// # Errors
    /// A sentence, where what reaches it is no image, the kernel does not fit, or a tensor would be too
    /// large.
    pub fn new(builder: &mut Builder, filters: usize, kernel: Sliding, use_bias: bool) -> Result<Conv2d, String> {
        let input = builder.image("a convolution")?;
        for size in [kernel.size, kernel.stride, kernel.dilation, [filters, filters]].concat() {
            check_floats(&[size])?;
        }
        let geometry = ConvGeometry::dilated(input, kernel, filters)?;
        let shape = vec![geometry.kernel[0], geometry.kernel[1], input[2], filters];
        check_floats(&shape)?;
        check_floats(&[geometry.output[0], geometry.output[1], filters])?;
        let (kernel, bias) = builder.kernel_and_bias(shape, filters, use_bias);
        let algorithms = ConvPolicy::Im2col.algorithms(&geometry, false, true);
        Ok(Conv2d { geometry, kernel, bias, algorithms, relu: false, pool: None, is_shared: false })
    }

    /// The same convolution with these followers in its step, and computed by these algorithms. The pool has
    /// to be one that [can be](Conv2d::can_fuse) part of a block.
    pub fn block(&self, algorithms: ConvAlgorithms, relu: bool, pool: Option<PoolGeometry>) -> Conv2d {
        Conv2d { algorithms, relu, pool, ..*self }
    }

    /// Whether a pool can be part of a block: windows lie side by side inside the image, and the place of a
    /// maximum fits a byte.
    pub fn can_fuse(pool: &PoolGeometry) -> bool {
        pool.tiles() && pool.cells() < usize::from(crate::kernels::relu_pool::DEAD)
    }

    /// The algorithms for this convolution if its output reaches `pool`, at once or through a ReLU, in the
    /// same step or not.
    pub fn choose(&self, policy: ConvPolicy, pool: Option<&PoolGeometry>, training: bool) -> ConvAlgorithms {
        policy.algorithms(&self.geometry, Conv2d::gradient_is_sparse(pool), training)
    }

    /// Whether a max-pool behind the convolution leaves so much of the output's gradient zero that the sparse
    /// passes pay.
    pub fn gradient_is_sparse(pool: Option<&PoolGeometry>) -> bool {
        pool.is_some_and(|pool| Conv2d::can_fuse(pool) && pool.cells() >= SPARSE_WINDOW_CELLS)
    }
}
