//! Max-pooling over a batch: images run in parallel.

use crate::geometry::PoolGeometry;
use crate::kernels::pool;
use rayon::prelude::*;

/// A max-pooling layer.
#[derive(Clone, Debug)]
pub struct MaxPool {
    /// Its sizes.
    pub geometry: PoolGeometry,
}

impl MaxPool {
    /// `input` `[N, H, W, C]` → `output` and, for the way back, `argmax`, both `[N, output height, output width, C]`.
    pub fn forward(&self, input: &[f32], output: &mut [f32], argmax: &mut [u16]) {
        let len = self.geometry.output_len();
        let images = input.par_chunks_exact(self.geometry.input_len());
        output.par_chunks_exact_mut(len).zip(argmax.par_chunks_exact_mut(len)).zip(images).for_each(
            |((output, argmax), image)| {
                pool::forward(&self.geometry, image, output, argmax);
            },
        );
    }

    /// `grad_output` and `argmax` → `grad_input` `[N, H, W, C]`.
    pub fn backward(&self, grad_output: &[f32], argmax: &[u16], grad_input: &mut [f32]) {
        let len = self.geometry.output_len();
        let images = grad_input.par_chunks_exact_mut(self.geometry.input_len());
        images.zip(grad_output.par_chunks_exact(len)).zip(argmax.par_chunks_exact(len)).for_each(
            |((grad_input, grad_output), argmax)| {
                pool::backward(&self.geometry, grad_output, argmax, grad_input);
            },
        );
    }
}
