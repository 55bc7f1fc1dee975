//! The gradient of the input, taken apart into the phases of its pixels.
//!
//! At stride 1 there is one phase, and it is all of the input. At stride s there are s·s, each a correlation
//! of its own ([`Correlation::grad_input_phase`]); all of them read one frame of ∂L/∂output. Together they
//! have no more products than the forward pass, and none of them with a zero between pixels.

use crate::geometry::ConvGeometry;
use crate::kernels::conv::correlation::Correlation;
use crate::kernels::conv::frame::Frame;

/// All phases.
pub(super) struct Phases {
    geometry: ConvGeometry,
    /// The frame of ∂L/∂output: no phase's kernel leaves it.
    pub frame: Frame,
}

/// The pixels of one phase.
pub(super) struct Phase {
    pub correlation: Correlation,
    /// Row and column of its first pixel in the input.
    pub first_pixel: [usize; 2],
    /// Where the patch of that pixel starts in the frame, in floats.
    pub corner: usize,
    /// Where its weights start in a panel, in rows.
    pub first_row: usize,
}

impl Phases {
    /// Takes a convolution's gradient apart.
    pub fn new(geometry: &ConvGeometry) -> Phases {
        let mut frame =
            Frame { image: [geometry.output[0], geometry.output[1], geometry.filters], size: [0, 0], before: [0, 0] };
        let phases = || correlations(geometry).map(|(correlation, _)| correlation);
        for axis in [0, 1] {
            let before = phases().map(|phase| phase.before[axis].max(0)).max();
            frame.before[axis] = before.unwrap_or(0) as usize;
            let end = |phase: Correlation| {
                let start = (frame.before[axis] as isize - phase.before[axis]) as usize;
                start + phase.output[axis] + phase.kernel[axis] - 1
            };
            let reach = phases().map(end).max().unwrap_or(0);
            frame.size[axis] = reach.max(frame.before[axis] + frame.image[axis]);
        }
        Phases { geometry: *geometry, frame }
    }

    /// Iterates over the phases that have pixels and a part of the kernel.
    pub fn iter(&self) -> impl Iterator<Item = Phase> {
        let mut next_row = 0;
        correlations(&self.geometry).map(move |(correlation, first_pixel)| {
            let first_row = next_row;
            next_row += correlation.patch_len();
            let [row, column] =
                [0, 1].map(|axis| (self.frame.before[axis] as isize - correlation.before[axis]) as usize);
            let corner = row * self.frame.row_len() + column * self.frame.image[2];
            Phase { correlation, first_pixel, corner, first_row }
        })
    }

    /// Returns the rows of a packed panel: every cell of the kernel, and each filter.
    pub fn rows(&self) -> usize {
        self.geometry.kernel[0] * self.geometry.kernel[1] * self.geometry.filters
    }

    /// Returns whether the kernel reaches some pixels at no position, so that their gradient is 0.
    pub fn leave_pixels(&self) -> bool {
        let ConvGeometry { kernel, stride, .. } = self.geometry;
        kernel[0] < stride[0] || kernel[1] < stride[1]
    }
}

/// Iterates over the correlations of all phases that are not empty, each with its first pixel.
fn correlations(geometry: &ConvGeometry) -> impl Iterator<Item = (Correlation, [usize; 2])> + use<> {
    let geometry = *geometry;
    let [rows, columns] = geometry.stride;
    (0..rows.min(geometry.kernel[0]))
        .flat_map(move |row| (0..columns.min(geometry.kernel[1])).map(move |column| [row, column]))
        .map(move |remainder| Correlation::grad_input_phase(&geometry, remainder))
        .filter(|(correlation, _)| correlation.output.iter().all(|&pixels| pixels > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Padding;

    #[test]
    fn the_phases_of_a_stride_have_the_products_of_the_forward_pass_and_reach_no_further_than_their_frame() {
        for (kernel, stride) in
            [([3, 3], [1, 1]), ([3, 3], [2, 2]), ([5, 4], [2, 3]), ([1, 2], [3, 1]), ([11, 11], [4, 4])]
        {
            let geometry = ConvGeometry::new([24, 24, 2], kernel, stride, Padding::Same, 3).unwrap();
            let phases = Phases::new(&geometry);
            let mut products = 0;
            for Phase { correlation, corner, .. } in phases.iter() {
                let reach = |axis: usize| correlation.output[axis] + correlation.kernel[axis] - 2;
                let last = corner + reach(0) * phases.frame.row_len() + reach(1) * 3;
                assert!(last + 3 <= phases.frame.len(), "{geometry:?}");
                products += correlation.output.iter().product::<usize>() * correlation.patch_len() * 2;
            }
            // The forward pass has products with the padding, too, and so have the phases.
            let forward = geometry.multiply_adds();
            assert!(products.abs_diff(forward) <= forward / 3, "{geometry:?}: {products} for {forward}");
            assert_eq!(phases.leave_pixels(), kernel[0] < stride[0] || kernel[1] < stride[1]);
        }
    }
}
