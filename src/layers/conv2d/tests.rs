//! The weights' gradient summed up in parts against the same in slots.

use super::*;
use crate::distributed::Share;
use crate::geometry::{Padding, PoolGeometry};
use crate::kernels::conv::registry::ConvPolicy;
use crate::layers::scratch::ScratchPool;
use crate::layers::sink::GradientWriter;
use crate::parameters::{Initialization, ParameterTable, Role};
use crate::random::{Purpose, Stream};
use std::sync::Arc;

/// A batch on its way back through a convolution and what runs with it.
struct Case {
    conv: Conv2d,
    parameters: Parameters,
    input: Vec<f32>,
    output: Vec<f32>,
    argmax: Vec<u8>,
    grad_output: Vec<f32>,
}

impl Case {
    fn new(geometry: ConvGeometry, relu: bool, pool: Option<PoolGeometry>, batch: usize) -> Case {
        let mut table = ParameterTable::default();
        let mut push =
            |name: &str, shape| table.push(name.into(), shape, Role::Trainable { decays: true }, Initialization::Zeros);
        let ConvGeometry { kernel: [height, width], input: [_, _, channels], filters, .. } = geometry;
        let kernel = push("conv2d/kernel", vec![height, width, channels, filters]);
        let bias = push("conv2d/bias", vec![filters]);
        let algorithms = ConvPolicy::Direct.algorithms(&geometry, pool.is_some(), true);
        let conv = Conv2d { geometry, kernel, bias: Some(bias), algorithms, relu, pool, is_shared: false };
        let mut stream = Stream::new(0, Purpose::Test, 0, 0);
        let mut draw = |len: usize| (0..len).map(|_| stream.unit_f32() - 0.5).collect::<Vec<f32>>();
        let mut parameters = Parameters::zeros(&Arc::new(table));
        for id in [kernel, bias] {
            let values = draw(parameters.tensor(id).len());
            parameters.tensor_mut(id).copy_from_slice(&values);
        }
        let output_len = batch * conv.output_len();
        let (input, output, grad_output) = (draw(batch * geometry.input_len()), draw(output_len), draw(output_len));
        let argmax = if pool.is_some() { (0..output_len).map(|i| (i % 5) as u8).collect() } else { vec![] };
        Case { conv, parameters, input, output, argmax, grad_output }
    }

    fn share(&self) -> Share<'static> {
        Share::all(self.input.len() / self.conv.geometry.input_len())
    }

    /// ∂L/∂input and the gradient of the weights, by this way, in memory that holds nothing but NaN.
    fn backward(&self, by: impl FnOnce(&Conv2d, Seen, &mut [f32], &mut GradientWriter, Work)) -> [Vec<f32>; 2] {
        let work_len = self.conv.work_len(self.share().count(), true);
        let partials = work_len.partials.max(self.conv.slots_len(self.share()));
        let (mut partials, mut packed) = (vec![f32::NAN; partials], vec![f32::NAN; work_len.packed]);
        let scratch = ScratchPool::new(work_len.scratch);
        let work = Work { partials: &mut partials, packed: &mut packed, scratch: &scratch };
        let Case { input, output, argmax, grad_output, .. } = self;
        let mut gradients = Parameters::zeros(self.parameters.table());
        let mut grad_input = vec![f32::NAN; input.len()];
        let mut sink = GradientWriter::new(&self.parameters, &mut gradients);
        by(
            &self.conv,
            Seen { share: self.share(), input, output, argmax, grad_output },
            &mut grad_input,
            &mut sink,
            work,
        );
        [grad_input, gradients.as_slice().to_vec()]
    }
}

#[test]
fn parts_and_slots_give_the_same_bits() {
    let conv = |size, channels, kernel, stride, padding, filters| {
        ConvGeometry::new([size, size, channels], [kernel; 2], [stride; 2], padding, filters).unwrap()
    };
    let pool = PoolGeometry::new([6, 6, 48], [2, 2], [2, 2], Padding::Valid).unwrap();
    for (geometry, relu, pool, batch) in [
        (conv(5, 7, 3, 1, Padding::Same, 40), true, None, 19),
        (conv(7, 3, 3, 2, Padding::Valid, 5), false, None, 3),
        (conv(6, 4, 3, 1, Padding::Same, 48), true, Some(pool), 17),
        (conv(8, 64, 1, 1, Padding::Valid, 33), true, None, 2),
    ] {
        let case = Case::new(geometry, relu, pool, batch);
        let by_slots = case.backward(|conv, seen, grad_input, sink, work| {
            conv.backward_by_slots(seen, Some(grad_input), sink, work);
        });
        let parts = case.conv.algorithms.grad_weights.by_parts().unwrap();
        let mut partials = vec![f32::NAN; case.conv.by_parts_len(parts, batch)];
        let by_parts = case.backward(|conv, seen, grad_input, sink, work| {
            let work = Work { partials: &mut partials, ..work };
            conv.backward_by_parts(parts, seen, Some(grad_input), sink, work);
        });
        assert!(by_slots.iter().flatten().all(|value| value.is_finite()), "{geometry:?}");
        assert!(by_slots == by_parts, "{geometry:?}");
    }
}

#[test]
fn a_kernel_whose_slots_are_larger_than_a_cache_is_summed_up_in_parts() {
    let geometry = ConvGeometry::new([9, 9, 64], [5, 5], [1, 1], Padding::Same, 128).unwrap();
    let case = Case::new(geometry, true, None, 16);
    assert!(case.conv.parts(Share::all(16)).is_some() && case.conv.parts(Share::all(1)).is_none());
    // A smaller batch of the same plan finds room for its slots.
    assert!((1..16).all(|batch| case.conv.partials_len(batch) <= case.conv.partials_len(16)));
    assert!(case.conv.partials_len(16) < case.conv.slots_len(Share::all(16)) / 2);
}
