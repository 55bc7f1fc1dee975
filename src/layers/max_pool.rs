//! Max-pooling over a batch: images run in parallel. Its twin is [`reference::max_pool_forward`].

use super::builder::Builder;
use super::operation::{Backward, Forward, Operation};
use super::saved::{Saved, SavedLen};
use super::sink::Sink;
use crate::geometry::{Padding, PoolGeometry, Shape};
use crate::kernels::pool;
use crate::parameters::Parameters;
use crate::reference;
use crate::spans::{Activity, task};
use rayon::prelude::*;

/// A max-pooling layer.
#[derive(Clone, Debug)]
pub struct MaxPool {
    /// Its sizes.
    pub geometry: PoolGeometry,
}

impl MaxPool {
    /// Pooling by windows of this size and stride.
    ///
    /// # Errors
    /// A sentence, where what reaches it is no image, or no window fits.
    pub fn new(builder: &Builder, window: [usize; 2], stride: [usize; 2], padding: Padding) -> Result<MaxPool, String> {
        let geometry = PoolGeometry::new(builder.image("max-pooling")?, window, stride, padding)?;
        Ok(MaxPool { geometry })
    }

    /// Stands by itself as it knows no sink, and so is compiled once.
    fn unpool(&self, argmax: &[u16], grad_output: &[f32], grad_input: &mut [f32]) {
        let len = self.geometry.output_len();
        let images = grad_input.par_chunks_exact_mut(self.geometry.input_len());
        images.zip(grad_output.par_chunks_exact(len)).zip(argmax.par_chunks_exact(len)).for_each(
            |((grad_input, grad_output), argmax)| {
                task(Activity::Values, "", || pool::backward(&self.geometry, grad_output, argmax, grad_input));
            },
        );
    }
}

impl Operation for MaxPool {
    const NAME: &'static str = "max_pooling2d";

    fn output(&self, _: Shape) -> Shape {
        self.geometry.output_shape()
    }

    fn saves(&self, batch: usize, _: bool) -> SavedLen {
        SavedLen::Argmax(batch * self.geometry.output_len())
    }

    /// `input` `[N, H, W, C]` → `output` and argmax, both `[N, output height, output width, C]`.
    fn forward(&self, Forward { input, output, saved, .. }: Forward) {
        let Saved::Argmax(argmax) = saved else { unreachable!("a max-pool saves its argmax") };
        let len = self.geometry.output_len();
        let images = input.par_chunks_exact(self.geometry.input_len());
        output.par_chunks_exact_mut(len).zip(argmax.par_chunks_exact_mut(len)).zip(images).for_each(
            |((output, argmax), image)| {
                task(Activity::Values, "", || pool::forward(&self.geometry, image, output, argmax));
            },
        );
    }

    /// `grad_output` and argmax → `grad_input` `[N, H, W, C]`.
    fn backward(&self, Backward { saved, grad_output, grad_input, .. }: Backward, _: &mut impl Sink) {
        let Saved::Argmax(argmax) = saved else { unreachable!("a max-pool saves its argmax") };
        if let Some(grad_input) = grad_input {
            self.unpool(argmax, grad_output, grad_input);
        }
    }

    fn twin(&self, _: &Parameters) -> reference::Layer {
        reference::Layer::MaxPool(twin(&self.geometry))
    }
}

/// The sizes of a pool in the textbook.
pub(super) fn twin(geometry: &PoolGeometry) -> reference::PoolShape {
    let PoolGeometry { window, stride, padding, output, .. } = *geometry;
    reference::PoolShape { window, stride, padding, output }
}
