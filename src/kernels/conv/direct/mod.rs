//! Direct convolution: the matrix product of im2col without the matrix.
//!
//! In an image with channels last, one kernel row of a patch is a run of kernel width · C floats that lie
//! side by side. So the patch matrix need not be written: row p of it is read where it lies, `input[(y·s +
//! ky)·W·C + x·s·C + k]`, k < kernel width · C. What is left is the [register tile](crate::kernels::tile):
//! some outputs times two registers of filters, summed over K, bias included. Source of the idea: J. Zhang,
//! F. Franchetti, T. M. Low, *High Performance Zero-Memory Overhead Direct Convolutions*, 2018.
//!
//! The loops stand in `convolve.rs`. Short patches, as in a network's first layer, go another way round the
//! innermost ones (`taps.rs`).
//!
//! The input's gradient is such a convolution too (`Correlation`), at a larger stride one for each phase of
//! the pixels (`phases.rs`). The weights' gradient has a tile of its own (`weights.rs`).

mod convolve;
mod phases;
mod taps;
mod weights;

use crate::geometry::{ConvGeometry, PoolGeometry};
use crate::kernels::conv::correlation::Correlation;
use crate::kernels::conv::{ConvAlgorithm, GradOutput, Pass, Scratch, ScratchLen, WeightParts, Weights};
use crate::kernels::simd::dispatch;
use crate::kernels::tile::PANEL;
use convolve::{Convolve, PackedWeights, Target};
use phases::Phases;
use std::ops::Range;
use weights::SumsLayout;

/// The registry's entry.
#[derive(Debug)]
pub(crate) struct Direct;

impl ConvAlgorithm for Direct {
    fn name(&self) -> &'static str {
        "direct"
    }

    fn supports(&self, geometry: &ConvGeometry, _pass: Pass) -> bool {
        !geometry.is_dilated()
    }

    fn takes_pooled(&self, pass: Pass) -> bool {
        pass == Pass::GradWeights
    }

    fn scratch_len(&self, geometry: &ConvGeometry, pass: Pass, pool: Option<&PoolGeometry>) -> ScratchLen {
        ScratchLen::from_floats(match pass {
            Pass::Forward => Correlation::forward(geometry).frame().copy_len(),
            Pass::GradInput => Phases::new(geometry).frame.copy_len(),
            Pass::GradWeights => SumsLayout::new(geometry).scratch_len(pool.map(|pool| pool.window[0])),
        })
    }

    fn packed_len(&self, geometry: &ConvGeometry, pass: Pass) -> usize {
        // [panels][K][PANEL]; the input's gradient has as many values for each of its channels.
        let cells = geometry.kernel[0] * geometry.kernel[1];
        let (channels, filters) = (geometry.input[2], geometry.filters);
        match pass {
            Pass::Forward => filters.div_ceil(PANEL) * cells * channels * PANEL,
            Pass::GradInput => channels.div_ceil(PANEL) * cells * filters * PANEL,
            Pass::GradWeights => 0,
        }
    }

    fn packed_parts(&self, geometry: &ConvGeometry, pass: Pass) -> usize {
        let filters = if pass == Pass::GradInput { geometry.input[2] } else { geometry.filters };
        filters.div_ceil(PANEL)
    }

    fn pack_part(&self, geometry: &ConvGeometry, pass: Pass, panel: usize, kernel: &[f32], packed: &mut [f32]) {
        let (rows, _) = packed.as_chunks_mut::<PANEL>();
        match pass {
            Pass::Forward => pack_panel(&Correlation::forward(geometry), panel, kernel, rows),
            Pass::GradInput => {
                for phase in Phases::new(geometry).iter() {
                    pack_panel(&phase.correlation, panel, kernel, &mut rows[phase.first_row..]);
                }
            }
            Pass::GradWeights => {}
        }
    }

    fn forward(
        &self,
        geometry: &ConvGeometry,
        input: &[f32],
        weights: Weights,
        rows: Range<usize>,
        output: &mut [f32],
        scratch: Scratch,
    ) {
        let whole = Correlation::forward(geometry);
        let reach = rows.start * geometry.stride[0]..(rows.end - 1) * geometry.stride[0] + geometry.kernel[0];
        let (frame, image_rows) = whole.frame().band(reach);
        let correlation = Correlation { output: [rows.len(), geometry.output[1]], ..whole };
        let input = &input[image_rows.start * geometry.row_len()..image_rows.end * geometry.row_len()];
        let input = frame.framed(input, &mut scratch.floats[..frame.copy_len()]);
        dispatch(Convolve {
            correlation,
            row_len: frame.row_len(),
            input,
            weights: PackedWeights { packed: weights.packed, rows: geometry.patch_len(), first: 0 },
            bias: weights.bias,
            output,
            target: Target::dense(geometry.output[1], geometry.filters),
        });
    }

    fn grad_input(
        &self,
        geometry: &ConvGeometry,
        grad_output: GradOutput,
        weights: Weights,
        grad_input: &mut [f32],
        scratch: Scratch,
    ) {
        let phases = Phases::new(geometry);
        let input = phases.frame.framed(grad_output.dense(), &mut scratch.floats[..phases.frame.copy_len()]);
        if phases.leave_pixels() {
            grad_input.fill(0.0);
        }
        for phase in phases.iter() {
            dispatch(Convolve {
                correlation: phase.correlation,
                row_len: phases.frame.row_len(),
                input: &input[phase.corner..],
                weights: PackedWeights { packed: weights.packed, rows: phases.rows(), first: phase.first_row },
                bias: &[],
                output: grad_input,
                target: Target::phase(geometry.input, phase.first_pixel, geometry.stride),
            });
        }
    }

    fn sums_len(&self, geometry: &ConvGeometry) -> usize {
        SumsLayout::new(geometry).sums_len()
    }

    fn unpack_sums(&self, geometry: &ConvGeometry, sums: &[f32], first: usize, grad_rows: &mut [f32]) {
        SumsLayout::new(geometry).unpack(sums, first, grad_rows);
    }

    fn by_parts(&self) -> Option<&dyn WeightParts> {
        Some(self)
    }

    fn grad_weights(
        &self,
        geometry: &ConvGeometry,
        input: &[f32],
        grad_output: GradOutput,
        sums: &mut [f32],
        grad_bias: &mut [f32],
        scratch: Scratch,
    ) {
        let layout = SumsLayout::new(geometry);
        let (copy, gradient) = scratch.floats.split_at_mut(layout.frame.copy_len());
        let input = layout.frame.framed(input, copy);
        weights::grad_weights(layout, input, grad_output, sums, grad_bias, gradient);
    }
}

impl WeightParts for Direct {
    fn parts(&self, geometry: &ConvGeometry) -> usize {
        SumsLayout::new(geometry).parts()
    }

    fn prepared_len(&self, geometry: &ConvGeometry) -> usize {
        SumsLayout::new(geometry).frame.copy_len()
    }

    fn prepare<'a>(&self, geometry: &ConvGeometry, input: &'a [f32], memory: &'a mut [f32]) -> &'a [f32] {
        SumsLayout::new(geometry).frame.framed(input, memory)
    }

    fn add(
        &self,
        geometry: &ConvGeometry,
        part: usize,
        prepared: &[f32],
        grad_output: GradOutput,
        sums: &mut [f32],
        grad_bias: &mut [f32],
        scratch: Scratch,
    ) {
        let layout = SumsLayout::new(geometry);
        weights::grad_weights_part(layout, part, prepared, grad_output, sums, grad_bias, scratch.floats);
    }
}

/// Packs what a correlation reads of the kernel for a panel of filters, `[K][PANEL]`, to the first of `rows`.
fn pack_panel(correlation: &Correlation, panel: usize, kernel: &[f32], rows: &mut [[f32; PANEL]]) {
    let rows = &mut rows[..correlation.patch_len()];
    let channels = correlation.input[2];
    if correlation.filters < (panel + 1) * PANEL {
        // Zeros for the filters that there are not.
        rows.fill([0.0; PANEL]);
    }
    for (cell, rows) in rows.chunks_exact_mut(channels).enumerate() {
        correlation.gather(kernel, cell, 0..channels, panel, rows, |row| row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Padding;
    use crate::kernels::simd::{InstructionSet, dispatch_to};
    use crate::random::{Purpose, Stream};
    use approx::assert_abs_diff_eq;

    #[test]
    fn every_instruction_set_of_this_machine_gives_the_same_sums_but_for_rounding() {
        let geometry = ConvGeometry::new([9, 40, 5], [3, 3], [1, 1], Padding::Valid, 40).unwrap();
        let correlation = Correlation::forward(&geometry);
        let mut stream = Stream::new(2, Purpose::Test, 0, 0);
        let mut draw = |len: usize| (0..len).map(|_| stream.unit_f32() - 0.5).collect::<Vec<f32>>();
        let (input, kernel, bias) = (draw(geometry.input_len()), draw(geometry.kernel_len()), draw(40));
        let mut packed = vec![f32::NAN; Direct.packed_len(&geometry, Pass::Forward)];
        Direct.pack(&geometry, Pass::Forward, &kernel, &mut packed);
        let run = |set| {
            let mut output = vec![f32::NAN; geometry.output_len()];
            let weights = PackedWeights { packed: &packed, rows: geometry.patch_len(), first: 0 };
            let (input, bias, target) = (&input[..], &bias[..], Target::dense(geometry.output[1], geometry.filters));
            let row_len = geometry.row_len();
            dispatch_to(set, Convolve { correlation, row_len, input, weights, bias, output: &mut output, target });
            output
        };
        let portable = run(InstructionSet::Portable);
        for set in InstructionSet::tested() {
            for (a, b) in run(set).iter().zip(&portable) {
                assert_abs_diff_eq!(a, b, epsilon = 1e-5);
            }
        }
    }
}
