//! Average-pooling over a batch: images run in parallel. Its twin is [`reference::average_pool_forward`].

use super::builder::Builder;
use super::max_pool::twin;
use super::operation::{Backward, Forward, Operation};
use super::sink::Sink;
use crate::geometry::{Padding, PoolGeometry, Shape};
use crate::kernels::average_pool;
use crate::parameters::Parameters;
use crate::reference;
use crate::spans::{Activity, task};
use rayon::prelude::*;

/// An average-pooling layer.
#[derive(Clone, Debug)]
pub struct AveragePool {
    /// Its sizes.
    pub geometry: PoolGeometry,
}

impl AveragePool {
    /// Pooling by windows of this size and stride.
    ///
    /// # Errors
    /// A sentence, where what reaches it is no image, or no window fits.
    pub fn new(
        builder: &Builder,
        window: [usize; 2],
        stride: [usize; 2],
        padding: Padding,
    ) -> Result<AveragePool, String> {
        let geometry = PoolGeometry::new(builder.image("average-pooling")?, window, stride, padding)?;
        Ok(AveragePool { geometry })
    }
}

impl Operation for AveragePool {
    const NAME: &'static str = "average_pooling2d";

    fn output(&self, _: Shape) -> Shape {
        self.geometry.output_shape()
    }

    /// `input` `[N, H, W, C]` → `output` `[N, output height, output width, C]`.
    fn forward(&self, Forward { input, output, .. }: Forward) {
        let images = input.par_chunks_exact(self.geometry.input_len());
        output.par_chunks_exact_mut(self.geometry.output_len()).zip(images).for_each(|(output, image)| {
            task(Activity::Values, "", || average_pool::forward(&self.geometry, image, output));
        });
    }

    /// `grad_output` → `grad_input` `[N, H, W, C]`.
    fn backward(&self, Backward { grad_output, grad_input, .. }: Backward, _: &mut impl Sink) {
        if let Some(grad_input) = grad_input {
            backward(&self.geometry, grad_output, grad_input);
        }
    }

    fn twin(&self, _: &Parameters) -> reference::Layer {
        reference::Layer::AveragePool(twin(&self.geometry))
    }
}

/// Stands by itself as it knows no sink, and so is compiled once.
fn backward(geometry: &PoolGeometry, grad_output: &[f32], grad_input: &mut [f32]) {
    let images = grad_input.par_chunks_exact_mut(geometry.input_len());
    images.zip(grad_output.par_chunks_exact(geometry.output_len())).for_each(|(grad_input, grad_output)| {
        task(Activity::Values, "", || average_pool::backward(geometry, grad_output, grad_input));
    });
}
