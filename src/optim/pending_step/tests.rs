//! A gradient that comes in blocks moves the weights as one that is written and then applied.

use super::*;
use crate::layers::sink::GradientWriter;
use crate::optim::AdamSettings;
use crate::parameters::{Initialization, ParameterTable, Role};
use crate::random::{Purpose, Stream};
use std::sync::Arc;

/// Hands the gradient of tensor 0 in by blocks of 1000 floats in pieces of 100, and that of tensor 1 as a
/// whole. Fails unless the blocks' weights are `before`'s.
fn hand_in(sink: &mut impl Sink, gradient: &Parameters, before: &Parameters) {
    sink.blocks(0, 1000).enumerate().for_each(|(index, block)| {
        let start = index * 1000;
        assert!(block.weights() == &before.tensor(0)[start..start + block.weights().len()]);
        block.give(100, &mut [f32::NAN; 100], |range, floats| {
            floats.copy_from_slice(&gradient.tensor(0)[start + range.start..start + range.end]);
        });
    });
    sink.whole(1, |floats| floats.copy_from_slice(gradient.tensor(1)));
}

#[test]
fn large_tensors_are_moved_block_by_block_and_small_ones_at_the_end_to_the_same_bits() {
    for (len, at_once, moved) in
        [(AT_ONCE_FLOATS + 123, true, true), (AT_ONCE_FLOATS - 1, true, false), (AT_ONCE_FLOATS, false, false)]
    {
        let mut table = ParameterTable::default();
        for (name, len, decays) in [("kernel", len, true), ("bias", 100, false)] {
            table.push(name.into(), vec![len], Role::Trainable { decays }, Initialization::Zeros);
        }
        let table = Arc::new(table);
        let drawn = |index: u64| {
            let mut stream = Stream::new(0, Purpose::Test, 0, index);
            let mut parameters = Parameters::zeros(&table);
            (0..2).for_each(|id| parameters.tensor_mut(id).fill_with(|| stream.unit_f32() - 0.5));
            parameters
        };
        let (start, gradient) = (drawn(0), drawn(1));
        let adam = || Adam::new(&table, AdamSettings { weight_decay: 0.01, ..AdamSettings::default() });

        let (mut expected, mut expected_adam) = (start.clone(), adam());
        let mut written = Parameters::zeros(&table);
        hand_in(&mut GradientWriter::new(&start, &mut written), &gradient, &start);
        assert!(written.as_slice() == gradient.as_slice());
        expected_adam.step(&mut expected, &written);

        let (mut weights, mut adam) = (start.clone(), adam());
        let mut gradients = Parameters::zeros(&table);
        gradients.as_mut_slice().fill(f32::NAN);
        let mut step = adam.begin_step(&mut weights, &mut gradients, at_once);
        hand_in(&mut step, &gradient, &start);
        assert!((step.parameters().tensor(0) == expected.tensor(0)) == moved);
        assert!(step.parameters().tensor(1) == start.tensor(1), "a whole tensor is not moved before the end");
        step.finish();
        assert!(weights.as_slice() == expected.as_slice(), "{len} floats, at once {at_once}");
        for (found, expected) in adam.moments().iter().zip(expected_adam.moments()) {
            assert!(found.as_slice() == expected.as_slice(), "{len} floats, at once {at_once}");
        }
        assert!(gradients.tensor(1) == gradient.tensor(1));
        match moved {
            true => assert!(gradients.tensor(0).iter().all(|g| g.is_nan()), "the place is not written"),
            false => assert!(gradients.tensor(0) == gradient.tensor(0)),
        }
    }
}
