//! Every optimizer, with every clipping, agrees with the textbook over many steps. That a step within the
//! backward pass has the same bits, the optimizer's own tests and `fused_blocks` say.

mod common;

use common::{assert_close, random_parameters, values, wide};
use glassnet::network::Network;
use glassnet::optim::{AdamConstants, Clipping, Optimizer, OptimizerSettings, Rule};
use glassnet::parameters::Parameters;
use glassnet::reference as textbook;
use glassnet::spec::ModelSpec;

/// The error allowed, of each tensor's largest element.
const TOLERANCE: f64 = 1e-5;

const STEPS: i32 = 20;

/// The textbook's state of one tensor.
struct Tensor {
    weights: Vec<f64>,
    accumulators: [Vec<f64>; 2],
}

fn clip(gradients: &mut [Vec<f64>], clipping: Clipping) {
    match clipping {
        Clipping::None => {}
        Clipping::Norm(bound) => gradients.iter_mut().for_each(|g| textbook::clip_by_norm(g, bound)),
        Clipping::Value(bound) => gradients.iter_mut().for_each(|g| textbook::clip_by_value(g, bound)),
        Clipping::GlobalNorm(bound) => {
            let mut all: Vec<&mut [f64]> = gradients.iter_mut().map(Vec::as_mut_slice).collect();
            textbook::clip_by_global_norm(&mut all, bound);
        }
    }
}

fn update(tensor: &mut Tensor, gradient: &[f64], t: i32, settings: &OptimizerSettings) {
    let OptimizerSettings { learning_rate, weight_decay, rule, .. } = *settings;
    let Tensor { weights, accumulators: [first, second] } = tensor;
    match rule {
        Rule::Adam(AdamConstants { beta_1, beta_2, epsilon }) => {
            textbook::Adam { learning_rate, beta_1, beta_2, epsilon, weight_decay }
                .update(t, weights, gradient, first, second);
        }
        Rule::Sgd { momentum, nesterov } => {
            textbook::Sgd { learning_rate, momentum, nesterov, weight_decay }.update(weights, gradient, first);
        }
    }
}

/// Takes the same steps with the engine and in the textbook, with gradients of about 0.3 an element.
fn check(settings: OptimizerSettings) {
    let network = Network::new(&ModelSpec::documented().with_image_size(32)).unwrap();
    let table = network.table();
    let mut weights = random_parameters(&network, 3);
    let mut optimizer = Optimizer::new(table, settings);
    let mut tensors: Vec<Tensor> = (0..table.entries().len())
        .map(|id| {
            let weights = weights.wide(id);
            Tensor { accumulators: [(); 2].map(|()| vec![0.0; weights.len()]), weights }
        })
        .collect();
    for t in 1..=STEPS {
        let mut gradients = Parameters::zeros(table);
        for id in 0..table.entries().len() {
            let tensor = gradients.tensor_mut(id);
            tensor.copy_from_slice(&values(tensor.len(), t as u64, id as u64));
        }
        let mut textbook_gradients: Vec<Vec<f64>> =
            (0..table.entries().len()).map(|id| wide(gradients.tensor(id))).collect();
        optimizer.step(&mut weights, &mut gradients);
        clip(&mut textbook_gradients, settings.clipping);
        for (id, (tensor, gradient)) in tensors.iter_mut().zip(&textbook_gradients).enumerate() {
            update(tensor, gradient, t, &settings);
            let what = format!("{}, step {t}, {settings:?}", table.entries()[id].name);
            assert_close(&what, weights.tensor(id), &tensor.weights, TOLERANCE);
        }
    }
}

const SGD: [Rule; 3] = [
    Rule::Sgd { momentum: 0.0, nesterov: false },
    Rule::Sgd { momentum: 0.9, nesterov: false },
    Rule::Sgd { momentum: 0.9, nesterov: true },
];

#[test]
fn sgd_with_and_without_momentum_nesterov_and_decay_agrees_with_the_textbook() {
    for rule in SGD {
        for weight_decay in [0.0, 0.004, 5.0] {
            check(OptimizerSettings { rule, learning_rate: 0.01, weight_decay, ..OptimizerSettings::default() });
        }
    }
}

#[test]
fn clipped_gradients_agree_with_the_textbooks() {
    // Of the documented network at 32×32 the kernels have norms of 8 to 200, the biases of 0.3 to 4.
    for clipping in [Clipping::Norm(2.0), Clipping::GlobalNorm(2.0), Clipping::GlobalNorm(1e4), Clipping::Value(0.2)] {
        for rule in [Rule::default(), SGD[2]] {
            check(OptimizerSettings { rule, clipping, weight_decay: 0.1, ..OptimizerSettings::default() });
        }
    }
}
