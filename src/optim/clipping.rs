//! Gradients held within a bound before they move the weights.
//!
//! A norm is the root of a sum over a whole tensor, or over all of them. The sum is taken in f64 over chunks
//! of a fixed length, chunks in order, so it has the same bits on any number of threads.

use super::CHUNK_FLOATS;
use crate::parameters::{ParameterTable, Parameters, TensorId};
use crate::spans::{Activity, task};
use rayon::prelude::*;

/// The bound of gradients, g.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Clipping {
    /// None.
    #[default]
    None,
    /// A tensor whose Euclidean norm ‖g‖ is larger than this is scaled to it: Keras's `clipnorm`.
    Norm(f64),
    /// All tensors are scaled by one factor where the norm over all of them is larger than this: Keras's
    /// `global_clipnorm` (R. Pascanu, T. Mikolov and Y. Bengio, *On the difficulty of training recurrent
    /// neural networks*, 2013, algorithm 1).
    GlobalNorm(f64),
    /// An element beyond ± this is set to it: Keras's `clipvalue`.
    Value(f64),
}

impl Clipping {
    /// Returns whether a gradient has to be there as a whole before any of it may be used.
    pub fn needs_whole_tensors(self) -> bool {
        matches!(self, Clipping::Norm(_) | Clipping::GlobalNorm(_))
    }

    /// Holds some elements within the bound, where that is one of single elements.
    pub(super) fn clip_elements(self, gradients: &mut [f32]) {
        if let Clipping::Value(bound) = self {
            let bound = bound as f32;
            // `clamp` leaves a NaN as it is: it shall be seen.
            gradients.iter_mut().for_each(|g| *g = g.clamp(-bound, bound));
        }
    }
}

/// Clips the gradients of a network.
pub(super) struct Clipper {
    clipping: Clipping,
    /// The sums of squares of one tensor's chunks.
    sums: Vec<f64>,
}

impl Clipper {
    /// A clipper for the tensors of this table. It allocates nothing later.
    pub(super) fn new(clipping: Clipping, table: &ParameterTable) -> Clipper {
        let longest = table.entries().iter().map(|entry| entry.range.len()).max().unwrap_or(0);
        let chunks = if clipping.needs_whole_tensors() { longest.div_ceil(CHUNK_FLOATS) } else { 0 };
        Clipper { clipping, sums: vec![0.0; chunks] }
    }

    /// Brings the gradients of all trainable tensors within the bound, but for those of `moved` tensors,
    /// which have been used already.
    pub(super) fn clip(&mut self, gradients: &mut Parameters, moved: &[bool]) {
        if self.clipping == Clipping::None {
            return;
        }
        let mut squares = 0.0;
        for (id, moved) in moved.iter().enumerate() {
            if !gradients.table().entries()[id].is_trainable() || *moved {
                continue;
            }
            match self.clipping {
                Clipping::None => {}
                Clipping::Norm(bound) => {
                    let norm = self.sum_of_squares(gradients.tensor(id)).sqrt();
                    scale(gradients, id, bound, norm);
                }
                Clipping::GlobalNorm(_) => squares += self.sum_of_squares(gradients.tensor(id)),
                Clipping::Value(_) => {
                    let chunks = gradients.tensor_mut(id).par_chunks_mut(CHUNK_FLOATS);
                    chunks.for_each(|chunk| task(Activity::Clipping, "", || self.clipping.clip_elements(chunk)));
                }
            }
        }
        if let Clipping::GlobalNorm(bound) = self.clipping {
            for id in 0..moved.len() {
                if gradients.table().entries()[id].is_trainable() {
                    scale(gradients, id, bound, squares.sqrt());
                }
            }
        }
    }

    fn sum_of_squares(&mut self, gradient: &[f32]) -> f64 {
        let sums = &mut self.sums[..gradient.len().div_ceil(CHUNK_FLOATS)];
        let chunks = gradient.par_chunks(CHUNK_FLOATS);
        chunks.zip(sums.par_iter_mut()).for_each(|(chunk, sum)| {
            task(Activity::Clipping, "", || *sum = sum_of_squares(chunk));
        });
        sums.iter().sum()
    }
}

/// Scales a tensor's gradient by bound/norm, where the norm is beyond the bound. A norm that is not finite
/// makes it NaN: that shall be seen, and not be made small.
fn scale(gradients: &mut Parameters, id: TensorId, bound: f64, norm: f64) {
    if norm <= bound {
        return;
    }
    let factor = if norm.is_finite() { (bound / norm) as f32 } else { f32::NAN };
    let chunks = gradients.tensor_mut(id).par_chunks_mut(CHUNK_FLOATS);
    chunks.for_each(|chunk| task(Activity::Clipping, "", || chunk.iter_mut().for_each(|g| *g *= factor)));
}

/// Returns Σ g², in as many sums side by side as a vector register may hold.
fn sum_of_squares(gradient: &[f32]) -> f64 {
    const SUMS: usize = 8;
    let (rows, rest) = gradient.as_chunks::<SUMS>();
    let mut sums = [0.0f64; SUMS];
    for row in rows {
        for (sum, &g) in sums.iter_mut().zip(row) {
            *sum += f64::from(g) * f64::from(g);
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>()
}
