//! A gradient that comes in blocks moves the weights as one that is written and then applied.

use super::*;
use crate::layers::sink::GradientWriter;
use crate::optim::tests::{CLIPPINGS, RULES, drawn, table};
use crate::optim::{OptimizerSettings, Rule};
use crate::parameters::Role;

/// Hands the gradient of tensor 0 in by blocks of 1000 floats in pieces of 100, and that of tensor 1 as a
/// whole. Fails unless the blocks' weights are `before`'s.
fn hand_in(sink: &mut impl Sink, gradient: &Parameters, before: &Parameters) {
    sink.blocks(0, 0..before.tensor(0).len(), 1000).enumerate().for_each(|(index, block)| {
        let start = index * 1000;
        assert!(block.weights() == &before.tensor(0)[start..start + block.weights().len()]);
        block.give(100, &mut [f32::NAN; 100], |range, floats| {
            floats.copy_from_slice(&gradient.tensor(0)[start + range.start..start + range.end]);
        });
    });
    sink.whole(1, |floats| floats.copy_from_slice(gradient.tensor(1)));
}

/// Fails unless a step whose gradients come in blocks ends as one that is taken behind the backward pass,
/// with a first tensor of `len` floats, which is `moved` before the end or not.
fn check(len: usize, at_once: bool, moved: bool, rule: Rule, clipping: Clipping) {
    let what = format!("{len} floats, at once {at_once}, {rule:?}, {clipping:?}");
    let table = table(&[(len, Role::Trainable { decays: true }), (100, Role::Trainable { decays: false })]);
    let (start, gradient) = (drawn(&table, 0), drawn(&table, 1));
    let settings = OptimizerSettings { rule, clipping, weight_decay: 0.01, ..OptimizerSettings::default() };

    let (mut expected, mut behind) = (start.clone(), Optimizer::new(&table, settings));
    let mut written = Parameters::zeros(&table);
    hand_in(&mut GradientWriter::new(&start, &mut written), &gradient, &start);
    assert!(written.as_slice() == gradient.as_slice());
    behind.step(&mut expected, &mut written);

    let (mut weights, mut within) = (start.clone(), Optimizer::new(&table, settings));
    let mut gradients = Parameters::zeros(&table);
    gradients.as_mut_slice().fill(f32::NAN);
    let mut step = within.begin_step(&mut weights, &mut gradients, at_once);
    hand_in(&mut step, &gradient, &start);
    assert!((step.parameters().tensor(0) == expected.tensor(0)) == moved, "{what}");
    assert!(step.parameters().tensor(1) == start.tensor(1), "a whole tensor is not moved before the end: {what}");
    step.finish();
    assert!(weights.as_slice() == expected.as_slice(), "{what}");
    for (found, expected) in within.accumulators().iter().zip(behind.accumulators()) {
        assert!(found.as_slice() == expected.as_slice(), "{what}");
    }
    assert!(gradients.tensor(1) == written.tensor(1), "{what}");
    match moved {
        true => assert!(gradients.tensor(0).iter().all(|g| g.is_nan()), "the place is not written: {what}"),
        false => assert!(gradients.tensor(0) == written.tensor(0), "{what}"),
    }
}

#[test]
fn large_tensors_are_moved_block_by_block_and_small_ones_at_the_end_to_the_same_bits() {
    for (len, at_once, moved) in
        [(AT_ONCE_FLOATS + 123, true, true), (AT_ONCE_FLOATS - 1, true, false), (AT_ONCE_FLOATS, false, false)]
    {
        for (rule, clipping) in RULES.into_iter().flat_map(|rule| CLIPPINGS.map(|clipping| (rule, clipping))) {
            // A norm is known when all of the gradient is.
            let by_norm = matches!(clipping, Clipping::Norm(_) | Clipping::GlobalNorm(_));
            check(len, at_once, moved && !by_norm, rule, clipping);
        }
    }
}
