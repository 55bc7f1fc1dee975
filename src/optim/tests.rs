//! Steps over tensors of every role, and the counter of steps.

use super::adam::{Adam, AdamSettings, CHUNK_FLOATS};
use crate::parameters::{Initialization, ParameterTable, Parameters, Role};
use crate::random::{Purpose, Stream};
use approx::assert_abs_diff_eq;
use std::sync::Arc;

const LEARNED: Role = Role::Trainable { decays: true };

fn table(tensors: &[(usize, Role)]) -> Arc<ParameterTable> {
    let mut table = ParameterTable::default();
    for (id, &(len, role)) in tensors.iter().enumerate() {
        table.push(format!("tensor_{id}"), vec![len], role, Initialization::Zeros);
    }
    Arc::new(table)
}

/// Returns values in [−½, ½).
fn drawn(table: &Arc<ParameterTable>, index: u64) -> Parameters {
    let mut stream = Stream::new(0, Purpose::Test, 0, index);
    let mut parameters = Parameters::zeros(table);
    for id in 0..table.entries().len() {
        parameters.tensor_mut(id).fill_with(|| stream.unit_f32() - 0.5);
    }
    parameters
}

/// Returns weights and Adam after one step, so that moments are not zero.
fn after_a_step(table: &Arc<ParameterTable>) -> (Parameters, Adam) {
    let settings = AdamSettings { weight_decay: 0.01, ..AdamSettings::default() };
    let (mut weights, mut adam) = (drawn(table, 0), Adam::new(table, settings));
    adam.step(&mut weights, &drawn(table, 1));
    (weights, adam)
}

#[test]
fn a_steps_end_moves_every_weight_once_but_those_of_tensors_that_were_moved_before() {
    // More than a chunk, and neighbours with and without a gap between.
    let table = table(&[CHUNK_FLOATS + 5, 16, 7, 2 * CHUNK_FLOATS, 1].map(|len| (len, LEARNED)));
    let later = drawn(&table, 2);
    let (mut expected, mut expected_adam) = after_a_step(&table);
    expected_adam.step(&mut expected, &later);
    for moved in [vec![], vec![0], vec![4], vec![1, 2], vec![0, 3, 4], vec![0, 1, 2, 3, 4]] {
        let (mut weights, mut adam) = after_a_step(&table);
        let (before, [first, second]) = (weights.clone(), adam.moments().map(Clone::clone));
        let mut gradients = later.clone();
        for &id in &moved {
            gradients.tensor_mut(id).fill(f32::NAN);
        }
        let step = adam.begin_step(&mut weights, &mut gradients, true);
        for &id in &moved {
            step.adam.moved[id] = true;
        }
        step.finish();
        assert_eq!(adam.steps(), 2);
        let ([first_after, second_after], [expected_first, expected_second]) =
            (adam.moments(), expected_adam.moments());
        for id in 0..5 {
            let moves = [(&expected, &weights), (expected_first, first_after), (expected_second, second_after)];
            let stays = [(&before, &weights), (&first, first_after), (&second, second_after)];
            for (wanted, found) in if moved.contains(&id) { stays } else { moves } {
                assert!(wanted.tensor(id) == found.tensor(id), "tensor {id} where {moved:?} were moved before");
            }
        }
    }
}

#[test]
fn a_running_statistic_is_never_moved_and_a_tensor_that_does_not_decay_moves_by_its_gradient_alone() {
    let roles = [LEARNED, Role::Running, Role::Trainable { decays: false }, LEARNED];
    let table = table(&roles.map(|role| (5, role)));
    let (start, gradients) = (drawn(&table, 0), drawn(&table, 1));
    let moved_with = |weight_decay: f64| {
        let (mut weights, settings) = (start.clone(), AdamSettings { weight_decay, ..AdamSettings::default() });
        Adam::new(&table, settings).step(&mut weights, &gradients);
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

#[test]
fn the_step_counter_advances_once_a_step_and_alpha_follows_it() {
    let table = table(&[(5, LEARNED); 3]);
    let (mut weights, mut gradients) = (Parameters::zeros(&table), Parameters::zeros(&table));
    gradients.tensor_mut(1).fill(-2.0);
    let mut adam = Adam::new(&table, AdamSettings::default());
    adam.step(&mut weights, &gradients);
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
