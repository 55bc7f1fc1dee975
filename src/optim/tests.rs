//! Steps over tensors of every role, by every rule, and the counter of steps.

use super::{AdamConstants, CHUNK_FLOATS, Clipping, Optimizer, OptimizerSettings, Rule};
use crate::parameters::{Initialization, ParameterTable, Parameters, Role, Statistic};
use crate::random::{Purpose, Stream};
use approx::assert_abs_diff_eq;
use std::sync::Arc;

pub(super) const LEARNED: Role = Role::Trainable { decays: true };

/// Every rule, with all the numbers of accumulators that there are.
pub(super) const RULES: [Rule; 4] = [
    Rule::Adam(AdamConstants { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }),
    Rule::Sgd { momentum: 0.0, nesterov: false },
    Rule::Sgd { momentum: 0.9, nesterov: false },
    Rule::Sgd { momentum: 0.9, nesterov: true },
];

pub(super) const CLIPPINGS: [Clipping; 4] =
    [Clipping::None, Clipping::Norm(0.5), Clipping::GlobalNorm(0.5), Clipping::Value(0.25)];

pub(super) fn table(tensors: &[(usize, Role)]) -> Arc<ParameterTable> {
    let mut table = ParameterTable::default();
    for (id, &(len, role)) in tensors.iter().enumerate() {
        table.push(format!("tensor_{id}"), vec![len], role, Initialization::Zeros);
    }
    Arc::new(table)
}

/// Returns values in [−½, ½).
pub(super) fn drawn(table: &Arc<ParameterTable>, index: u64) -> Parameters {
    let mut stream = Stream::new(0, Purpose::Test, 0, index);
    let mut parameters = Parameters::zeros(table);
    for id in 0..table.entries().len() {
        parameters.tensor_mut(id).fill_with(|| stream.unit_f32() - 0.5);
    }
    parameters
}

/// Returns weights and their optimizer after one step, so that accumulators are not zero.
fn after_a_step(table: &Arc<ParameterTable>, rule: Rule) -> (Parameters, Optimizer) {
    let settings = OptimizerSettings { rule, weight_decay: 0.01, ..OptimizerSettings::default() };
    let (mut weights, mut optimizer) = (drawn(table, 0), Optimizer::new(table, settings));
    optimizer.step(&mut weights, &mut drawn(table, 1));
    (weights, optimizer)
}

#[test]
fn a_steps_end_moves_every_weight_once_but_those_of_tensors_that_were_moved_before() {
    // More than a chunk, and neighbours with and without a gap between.
    let table = table(&[CHUNK_FLOATS + 5, 16, 7, 2 * CHUNK_FLOATS, 1].map(|len| (len, LEARNED)));
    for rule in RULES {
        let (mut expected, mut whole) = after_a_step(&table, rule);
        whole.step(&mut expected, &mut drawn(&table, 2));
        for moved in [vec![], vec![0], vec![4], vec![1, 2], vec![0, 3, 4], vec![0, 1, 2, 3, 4]] {
            let (mut weights, mut optimizer) = after_a_step(&table, rule);
            let (before, accumulators) = (weights.clone(), optimizer.accumulators().to_vec());
            let mut gradients = drawn(&table, 2);
            for &id in &moved {
                gradients.tensor_mut(id).fill(f32::NAN);
            }
            let step = optimizer.begin_step(&mut weights, &mut gradients, true);
            for &id in &moved {
                step.optimizer.moved[id] = true;
            }
            step.finish();
            assert_eq!(optimizer.steps(), 2);
            let found: Vec<&Parameters> = [&weights].into_iter().chain(optimizer.accumulators()).collect();
            let moves: Vec<&Parameters> = [&expected].into_iter().chain(whole.accumulators()).collect();
            let stays: Vec<&Parameters> = [&before].into_iter().chain(&accumulators).collect();
            assert_eq!(found.len(), 1 + rule.accumulators());
            for id in 0..5 {
                let wanted = if moved.contains(&id) { &stays } else { &moves };
                for (wanted, found) in wanted.iter().zip(&found) {
                    assert!(wanted.tensor(id) == found.tensor(id), "{rule:?}, tensor {id}, {moved:?} moved before");
                }
            }
        }
    }
}

#[test]
fn a_running_statistic_is_never_moved_and_a_tensor_that_does_not_decay_moves_by_its_gradient_alone() {
    let roles = [LEARNED, Role::Running(Statistic::Mean), Role::Trainable { decays: false }, LEARNED];
    let table = table(&roles.map(|role| (5, role)));
    let start = drawn(&table, 0);
    for rule in RULES {
        let moved_with = |weight_decay: f64| {
            let settings = OptimizerSettings { rule, weight_decay, ..OptimizerSettings::default() };
            let mut weights = start.clone();
            Optimizer::new(&table, settings).step(&mut weights, &mut drawn(&table, 1));
            weights
        };
        let (plain, decayed) = (moved_with(0.0), moved_with(0.5));
        assert_eq!(plain.tensor(1), start.tensor(1));
        assert_eq!(decayed.tensor(1), start.tensor(1));
        assert_ne!(plain.tensor(2), start.tensor(2));
        assert_eq!(plain.tensor(2), decayed.tensor(2));
        for id in [0, 3] {
            assert_ne!(plain.tensor(id), start.tensor(id));
            assert_ne!(plain.tensor(id), decayed.tensor(id));
        }
    }
}

#[test]
fn the_step_counter_advances_once_a_step_and_alpha_follows_it() {
    let table = table(&[(5, LEARNED); 3]);
    let (mut weights, mut gradients) = (Parameters::zeros(&table), Parameters::zeros(&table));
    gradients.tensor_mut(1).fill(-2.0);
    let mut adam = Optimizer::new(&table, OptimizerSettings::default());
    adam.step(&mut weights, &mut gradients);
    assert_eq!(adam.steps(), 1);
    // A steady gradient moves a weight by the learning rate, whatever the gradient's size.
    assert_abs_diff_eq!(weights.tensor(1)[0], 1e-3, epsilon = 1e-7);
    assert_eq!(weights.tensor(0), [0.0; 5]);
    adam.begin_step(&mut weights, &mut gradients, true).finish();
    assert_eq!(adam.steps(), 2);
    assert_abs_diff_eq!(weights.tensor(1)[4], 2e-3, epsilon = 1e-7);
    let _ = adam.begin_step(&mut weights, &mut gradients, true);
    assert_eq!(adam.steps(), 2, "a step that is not finished has not been taken");
}

#[test]
fn a_learning_rate_that_is_set_is_that_of_the_next_step() {
    let table = table(&[(5, LEARNED)]);
    let settings = OptimizerSettings { rule: RULES[1], learning_rate: 8.0, ..OptimizerSettings::default() };
    let (mut weights, mut sgd) = (Parameters::zeros(&table), Optimizer::new(&table, settings));
    let mut gradients = Parameters::zeros(&table);
    gradients.tensor_mut(0).fill(-1.0);
    for (learning_rate, weight) in [(0.5, 0.5), (0.25, 0.75)] {
        sgd.set_learning_rate(learning_rate);
        sgd.step(&mut weights, &mut gradients);
        assert_eq!(weights.tensor(0), [weight; 5]);
    }
}

/// Returns the gradients that a step leaves of these.
fn clipped(clipping: Clipping, mut gradients: Parameters) -> Parameters {
    let table = Arc::clone(gradients.table());
    let settings = OptimizerSettings { clipping, ..OptimizerSettings::default() };
    Optimizer::new(&table, settings).step(&mut Parameters::zeros(&table), &mut gradients);
    gradients
}

fn norm(values: &[f32]) -> f64 {
    values.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn gradients_beyond_the_bound_are_scaled_to_it_and_those_within_keep_every_bit() {
    let table = table(&[(3 * CHUNK_FLOATS + 5, LEARNED), (16, LEARNED), (7, Role::Running(Statistic::Mean))]);
    let gradients = drawn(&table, 3);
    let norms = [norm(gradients.tensor(0)), norm(gradients.tensor(1))];
    assert!(norms[0] > 10.0 && norms[1] < 2.0, "{norms:?}");
    let by_norm = clipped(Clipping::Norm(2.0), gradients.clone());
    assert_abs_diff_eq!(norm(by_norm.tensor(0)), 2.0, epsilon = 1e-6);
    assert!(by_norm.tensor(1) == gradients.tensor(1));
    let together = clipped(Clipping::GlobalNorm(2.0), gradients.clone());
    assert_abs_diff_eq!(norm(together.tensor(0)).hypot(norm(together.tensor(1))), 2.0, epsilon = 1e-6);
    assert_abs_diff_eq!(norm(together.tensor(1)) / norms[1], 2.0 / norms[0].hypot(norms[1]), epsilon = 1e-6);
    for wide in [Clipping::None, Clipping::Norm(1e3), Clipping::GlobalNorm(1e3), Clipping::Value(0.5)] {
        assert!(clipped(wide, gradients.clone()).as_slice() == gradients.as_slice(), "{wide:?}");
    }
    let by_value = clipped(Clipping::Value(0.25), gradients.clone());
    for (clipped, g) in by_value.tensor(0).iter().zip(gradients.tensor(0)) {
        assert_eq!(*clipped, g.clamp(-0.25, 0.25));
    }
    for clipped in [by_norm, together, by_value] {
        assert!(clipped.tensor(2) == gradients.tensor(2), "a running statistic has no gradient");
    }
}

#[test]
fn a_gradient_that_is_not_finite_is_never_hidden_by_clipping() {
    let table = table(&[(40, LEARNED), (3, LEARNED)]);
    for clipping in CLIPPINGS {
        for fault in [f32::NAN, f32::INFINITY] {
            let mut gradients = drawn(&table, 4);
            gradients.tensor_mut(0)[7] = fault;
            let clipped = clipped(clipping, gradients);
            let hidden = clipped.tensor(0)[7].is_finite();
            // A bound of single elements makes a bound of an infinity, in Keras too.
            assert_eq!(hidden, fault.is_infinite() && matches!(clipping, Clipping::Value(_)), "{clipping:?} {fault}");
        }
    }
}

#[test]
fn the_same_bits_come_of_any_number_of_threads_by_every_rule_and_clipping() {
    let table = table(&[(5 * CHUNK_FLOATS + 3, LEARNED), (100, LEARNED)]);
    for (rule, clipping) in RULES.into_iter().flat_map(|rule| CLIPPINGS.map(|clipping| (rule, clipping))) {
        let after_two_steps = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let settings = OptimizerSettings { rule, clipping, weight_decay: 0.1, ..OptimizerSettings::default() };
                let (mut weights, mut optimizer) = (drawn(&table, 0), Optimizer::new(&table, settings));
                (1..3).for_each(|index| optimizer.step(&mut weights, &mut drawn(&table, index)));
                weights
            })
        };
        let one = after_two_steps(1);
        assert!(one.are_finite());
        for threads in [2, 3, 8] {
            assert!(after_two_steps(threads).as_slice() == one.as_slice(), "{rule:?}, {clipping:?}, {threads} threads");
        }
    }
}
