//! A convolution layer, and what may run right behind it in the same step of a plan: `Conv2d`, `Conv2d +
//! Relu`, `Conv2d + MaxPool` or `Conv2d + Relu + MaxPool`. Its twin is [`reference::conv2d_forward`], and its
//! followers have theirs.
//!
//! In a network it stands alone, and im2col computes it. A plan makes a [block](Conv2d::block) of it.

mod passes;

pub use passes::MAX_SLOTS;

use super::builder::Builder;
use super::operation::{Backward, Forward, Mode, Operation, Work, WorkLen};
use super::saved::{Saved, SavedLen};
use super::sink::Sink;
use crate::geometry::{ConvGeometry, Padding, PoolGeometry, Shape, check_floats};
use crate::kernels::conv::registry::{ConvAlgorithms, ConvPolicy};
use crate::parameters::{Parameters, TensorId};
use crate::reference;
use passes::Seen;

/// A window with fewer cells leaves so much of the gradient that the sparse passes do not pay.
const SPARSE_WINDOW_CELLS: usize = 4;

/// A convolution layer.
#[derive(Clone, Debug)]
pub struct Conv2d {
    /// Its sizes.
    pub geometry: ConvGeometry,
    /// The number of its kernel, `[kernel height, kernel width, C, F]`.
    pub kernel: TensorId,
    /// The number of its bias, `[F]`.
    pub bias: TensorId,
    /// What computes each pass.
    pub algorithms: ConvAlgorithms,
    /// Whether a ReLU runs with it.
    pub relu: bool,
    /// The max-pool that runs with it, if one does.
    pub pool: Option<PoolGeometry>,
}

impl Conv2d {
    /// A convolution with a bias.
    ///
    /// # Errors
    /// A sentence, where what reaches it is no image, the kernel does not fit, or a tensor would be too
    /// large.
    pub fn new(
        builder: &mut Builder,
        filters: usize,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: Padding,
    ) -> Result<Conv2d, String> {
        let input = builder.image("a convolution")?;
        for size in [kernel, stride, [filters, filters]].concat() {
            check_floats(&[size])?;
        }
        let geometry = ConvGeometry::new(input, kernel, stride, padding, filters)?;
        let shape = vec![geometry.kernel[0], geometry.kernel[1], input[2], filters];
        check_floats(&shape)?;
        check_floats(&[geometry.output[0], geometry.output[1], filters])?;
        let [kernel, bias] = builder.kernel_and_bias(shape);
        let algorithms = ConvPolicy::Im2col.algorithms(&geometry, false, true);
        Ok(Conv2d { geometry, kernel, bias, algorithms, relu: false, pool: None })
    }

    /// The same convolution with these followers in its step, and computed by these algorithms. The pool has
    /// to be one that [can be](Conv2d::can_fuse) part of a block.
    pub fn block(&self, algorithms: ConvAlgorithms, relu: bool, pool: Option<PoolGeometry>) -> Conv2d {
        Conv2d { algorithms, relu, pool, ..*self }
    }

    /// Whether a pool can be part of a block: windows do not overlap, and the place of a maximum fits a byte.
    pub fn can_fuse(pool: &PoolGeometry) -> bool {
        pool.stride == pool.window && pool.window[0] * pool.window[1] < usize::from(crate::kernels::relu_pool::DEAD)
    }

    /// The algorithms for this convolution if its output reaches `pool`, at once or through a ReLU, in the
    /// same step or not.
    pub fn choose(&self, policy: ConvPolicy, pool: Option<&PoolGeometry>, training: bool) -> ConvAlgorithms {
        policy.algorithms(&self.geometry, Conv2d::gradient_is_sparse(pool), training)
    }

    /// Whether a max-pool behind the convolution leaves so much of the output's gradient zero that the sparse
    /// passes pay.
    pub fn gradient_is_sparse(pool: Option<&PoolGeometry>) -> bool {
        pool.is_some_and(|pool| Conv2d::can_fuse(pool) && pool.window[0] * pool.window[1] >= SPARSE_WINDOW_CELLS)
    }
}

impl Operation for Conv2d {
    const NAME: &'static str = "conv2d";

    fn output(&self, _: Shape) -> Shape {
        let [height, width] = self.pool.map_or(self.geometry.output, |pool| pool.output);
        Shape::Image([height, width, self.geometry.filters])
    }

    /// P·K·F.
    fn multiply_adds(&self) -> usize {
        self.geometry.multiply_adds()
    }

    fn saves(&self, batch: usize, training: bool) -> SavedLen {
        match self.pool {
            Some(pool) if training => SavedLen::BlockArgmax(batch * pool.output_len()),
            _ => SavedLen::Nothing,
        }
    }

    fn work_len(&self, batch: usize, training: bool) -> WorkLen {
        WorkLen {
            partials: if training { self.slots_len(batch) } else { 0 },
            packed: self.packed_len(training),
            scratch: self.scratch_len(training),
        }
    }

    /// `input` `[N, H, W, C]` → `output`, and the argmax where a pool runs with it.
    fn forward(&self, Forward { parameters, mode, input, output, saved, work }: Forward) {
        let argmax = match (mode, saved) {
            (Mode::Training(_), Saved::BlockArgmax(argmax)) => &mut argmax[..output.len()],
            _ => &mut [],
        };
        let Work { packed, scratch, .. } = work;
        self.run_forward(parameters, input, output, argmax, packed, scratch);
    }

    fn backward(&self, pass: Backward, sink: &mut impl Sink) {
        let Backward { input, output, saved, grad_output, grad_input, work } = pass;
        let argmax = match saved {
            Saved::BlockArgmax(argmax) => &argmax[..output.len()],
            _ => &[],
        };
        self.run_backward(Seen { input, output, argmax, grad_output }, grad_input, sink, work);
    }

    fn twin(&self, parameters: &Parameters) -> reference::Layer {
        let ConvGeometry { kernel, stride, padding, output, filters, .. } = self.geometry;
        reference::Layer::Conv2d {
            shape: reference::ConvShape { kernel, stride, padding, output, filters },
            kernel: parameters.wide(self.kernel),
            bias: parameters.wide(self.bias),
        }
    }
}
