//! Global average-pooling over a batch, the mean of each channel: images run in parallel. It makes a vector
//! of an image, and so may stand where flatten does. Its twin is [`reference::global_average_pool_forward`].
//!
//! M. Lin, Q. Chen, S. Yan, *Network In Network*, 2014, section 3.2.

use super::builder::Builder;
use super::operation::{Backward, Forward, Operation, WorkLen};
use super::sink::Sink;
use crate::geometry::Shape;
use crate::kernels::average_pool;
use crate::kernels::conv::{Scratch, ScratchLen};
use crate::parameters::Parameters;
use crate::reference;
use crate::spans::{Activity, task};
use rayon::prelude::*;

/// A global average-pooling layer.
#[derive(Clone, Debug)]
pub struct GlobalAveragePool {
    /// C, the channels of the image that goes in.
    pub channels: usize,
    /// H·W of that image.
    pub pixels: usize,
}

impl GlobalAveragePool {
    /// Pooling of all that reaches it.
    ///
    /// # Errors
    /// A sentence, where that is no image.
    pub fn new(builder: &Builder) -> Result<GlobalAveragePool, String> {
        let [height, width, channels] = builder.image("global average-pooling")?;
        Ok(GlobalAveragePool { channels, pixels: height * width })
    }
}

impl Operation for GlobalAveragePool {
    const NAME: &'static str = "global_average_pooling2d";

    fn output(&self, _: Shape) -> Shape {
        Shape::Vector(self.channels)
    }

    fn work_len(&self, _: usize, _: bool) -> WorkLen {
        WorkLen { scratch: ScratchLen::from_floats(self.channels), ..WorkLen::default() }
    }

    /// `input` `[N, H, W, C]` → `output` `[N, C]`.
    fn forward(&self, Forward { input, output, work, .. }: Forward) {
        let images = input.par_chunks_exact(self.pixels * self.channels);
        output.par_chunks_exact_mut(self.channels).zip(images).for_each(|(output, image)| {
            let average = |scratch: Scratch| {
                average_pool::global_forward(image, output, &mut scratch.floats[..self.channels]);
            };
            task(Activity::Values, "", || work.scratch.with(average));
        });
    }

    /// `grad_output` `[N, C]` → `grad_input` `[N, H, W, C]`.
    fn backward(&self, Backward { grad_output, grad_input, .. }: Backward, _: &mut impl Sink) {
        if let Some(grad_input) = grad_input {
            self.share_out(grad_output, grad_input);
        }
    }

    fn twin(&self, _: &Parameters) -> reference::Layer {
        reference::Layer::GlobalAveragePool
    }
}

impl GlobalAveragePool {
    /// Stands by itself as it knows no sink, and so is compiled once.
    fn share_out(&self, grad_output: &[f32], grad_input: &mut [f32]) {
        let images = grad_input.par_chunks_exact_mut(self.pixels * self.channels);
        images.zip(grad_output.par_chunks_exact(self.channels)).for_each(|(grad_input, grad_output)| {
            task(Activity::Values, "", || average_pool::global_backward(grad_output, grad_input));
        });
    }
}
