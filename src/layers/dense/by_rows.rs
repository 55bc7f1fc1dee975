//! A dense layer whose kernel's rows several ranks share: none of them travels in a step.
//!
//! ```text
//! forward    X, by images ─▶ X, by columns ─▶ each rank's partial outputs ─▶ Y, by images
//! backward   dY, by images ─▶ all of dY ─▶ dW, and dX by columns ─▶ dX, by images
//! ```
//!
//! A rank owns whole blocks of [`BLOCK_ROWS`], whose partial outputs are added in the order that they have on
//! one rank; and it sums up the gradient of its rows over the whole batch in the order of its images. So both
//! have the bits of one rank.

use super::{Dense, RowsBack, join_blocks};
use crate::distributed::Peers;
use crate::kernels::dense::{self, BLOCK_ROWS, block};
use crate::layers::operation::Work;
use crate::layers::sink::Sink;
use crate::parameters::{AlignedBuffer, Parameters};
use crate::spans::{Activity, task};
use rayon::prelude::*;
use std::ops::Range;

/// A kernel of so many floats, 1 MiB, is shared by its rows: to send its gradient would take longer than
/// sending the columns of the input.
const LARGE_KERNEL_FLOATS: usize = 256 * 1024;

impl Dense {
    /// The same layer with its rows shared by so many ranks, if there are enough of them.
    pub(crate) fn shared_by(&self, ranks: usize) -> Dense {
        let owners = if self.inputs * self.units >= LARGE_KERNEL_FLOATS { ranks } else { 0 };
        Dense { owners, ..self.clone() }
    }

    /// The rows that each of so many ranks owns.
    pub(crate) fn rows_of(&self, ranks: usize) -> Vec<Range<usize>> {
        let blocks = self.inputs.div_ceil(BLOCK_ROWS);
        let start = |rank: usize| (rank * blocks / ranks * BLOCK_ROWS).min(self.inputs);
        (0..ranks).map(|rank| start(rank)..start(rank + 1)).collect()
    }

    /// The most rows that one of so many ranks owns.
    pub(super) fn most_rows(&self, ranks: usize) -> usize {
        self.rows_of(ranks).iter().map(Range::len).max().unwrap_or(0)
    }

    /// The rank's images of `input` → `output`. `columns` keep the columns of its rows, of all images, for
    /// the way back.
    pub(super) fn forward_by_rows(
        &self,
        peers: Peers,
        parameters: &Parameters,
        input: &[f32],
        columns: &mut AlignedBuffer,
        output: &mut [f32],
        work: Work,
    ) {
        let (units, owned) = (self.units, self.rows_of(peers.ranks().count()));
        let rows = owned[peers.ranks().rank()].clone();
        let gathered = peers.to_columns(input, &owned);
        let columns = &mut columns[..gathered.len()];
        columns.copy_from_slice(&gathered);
        let columns = &*columns;
        let kernel = &parameters.tensor(self.kernel)[rows.start * units..rows.end * units];
        let partial_len = peers.whole() * units;
        let partials = &mut work.partials[..rows.len().div_ceil(BLOCK_ROWS) * partial_len];
        partials.par_chunks_exact_mut(partial_len).enumerate().for_each(|(index, partial)| {
            task(Activity::Products, "", || {
                dense::forward(columns, rows.len(), block(index, BLOCK_ROWS, rows.len()), kernel, partial);
            });
        });
        let blocks: Vec<usize> = owned.iter().map(|rows| rows.len().div_ceil(BLOCK_ROWS)).collect();
        let parts = peers.blocks_to_images(partials, units, &blocks);
        let len = output.len().max(1);
        let parts = parts.iter().flat_map(|part| part.chunks_exact(len));
        self.join_partials(parameters, parts, output);
    }

    /// The way back of the rank's images and rows. `columns` are those that the way forward kept.
    pub(super) fn backward_by_rows(
        &self,
        peers: Peers,
        columns: &AlignedBuffer,
        grad_output: &[f32],
        grad_input: Option<&mut [f32]>,
        sink: &mut impl Sink,
        work: Work,
    ) {
        let owned = self.rows_of(peers.ranks().count());
        let rows = owned[peers.ranks().rank()].clone();
        let whole_grad = peers.gather(grad_output, self.units);
        let input = &columns[..peers.whole() * rows.len()];
        let wanted = if grad_input.is_some() { &whole_grad[..] } else { &[] };
        let back = RowsBack { rows: rows.clone(), input, grad_output: &whole_grad, wanted };
        let parts = self.rows_back(back, sink, work);
        self.bias_back(&whole_grad, sink);
        if let Some(grad_input) = grad_input {
            let mut own = vec![0.0; peers.whole() * rows.len()];
            join_blocks(parts, rows.len(), &mut own);
            peers.to_images(&own, &owned, grad_input);
        }
    }
}
