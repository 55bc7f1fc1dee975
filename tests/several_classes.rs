//! Training with more than two classes, through the library: three kinds of images from arrays, one unit for
//! each.

mod common;

use approx::assert_relative_eq;
use common::networks::Batch;
use common::{assert_close, error, random_parameters, wide};
use glassnet::classes::Label;
use glassnet::data::arrays::ArraySet;
use glassnet::data::batches::Loader;
use glassnet::head::{ClassWeights, Targets};
use glassnet::layers::sink::GradientWriter;
use glassnet::metrics::multiclass::{ConfusionMatrix, one_vs_rest_roc_auc, top_k_accuracy};
use glassnet::network::Network;
use glassnet::parameters::Parameters;
use glassnet::plan::{DropoutMasks, Mode, Plan, PlanOptions};
use glassnet::random::{Purpose, Stream};
use glassnet::spec::ModelSpec;
use glassnet::training::{ClassWeighting, Evaluation, TrainSettings, TrainingState, evaluate, train};
use ndarray::{Array4, s};
use std::ops::Range;

const CLASSES: usize = 3;

fn network(units: usize) -> Network {
    let layers = format!(
        "input = [8, 10, 1]
        layers = [
            {{ type = 'conv2d', filters = 4, kernel = 3 }}, {{ type = 'relu' }}, {{ type = 'max_pool', window = 2 }},
            {{ type = 'flatten' }}, {{ type = 'dense', units = 12 }}, {{ type = 'relu' }}, {{ type = 'dropout', rate = 0.2 }},
            {{ type = 'dense', units = {units} }},
        ]"
    );
    Network::new(&toml::from_str::<ModelSpec>(&layers).unwrap()).unwrap()
}

/// Upright stripes, lying ones and squares, two pixels wide, in noise; half of them upright.
fn loader(count: usize, seed: u64) -> Loader {
    let labels: Vec<Label> = (0..count).map(|image| Label::new([0, 1, 0, 2][image % 4])).collect();
    let mut noise = Stream::new(seed, Purpose::Test, 0, 0);
    let images = Array4::from_shape_fn((count, 8, 10, 1), |(image, y, x, _)| {
        let (upright, lying) = (x / 2 % 2, y / 2 % 2);
        let ink = [upright, lying, upright ^ lying][labels[image].index()];
        0.6 * ink as f32 + 0.4 * noise.unit_f32()
    });
    Loader::from_arrays(ArraySet::new(images, labels).unwrap(), 16).unwrap()
}

fn trained(threads: usize, settings: &TrainSettings) -> (TrainingState, Evaluation) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let network = network(CLASSES);
        let mut state = TrainingState::new(network.initial_parameters(1), settings.optimizer().unwrap());
        let (training, validation) = (loader(200, 1), loader(60, 2));
        let answers = train(&network, &mut state, &training, Some(&validation), settings, |_, _| Ok(())).unwrap();
        (state, answers.unwrap())
    })
}

#[test]
fn three_classes_are_learned_with_the_same_bits_by_any_number_of_threads() {
    let settings = TrainSettings {
        epochs: 8,
        learning_rate: 0.01,
        class_weight: ClassWeighting::Balanced,
        early_stopping: Some(3),
        ..TrainSettings::default()
    };
    let (state, answers) = trained(1, &settings);
    let (first, last) = (&state.history[0], state.history.last().unwrap());
    assert!(last.loss < first.loss / 2.0 && last.accuracy > first.accuracy, "{first:?} {last:?}");
    assert!(answers.accuracy > 0.9, "{}", answers.accuracy);

    let (other_state, other_answers) = trained(2, &settings);
    assert!(state.parameters.as_slice() == other_state.parameters.as_slice());
    assert_eq!(state.steps, other_state.steps);
    assert_eq!(answers, other_answers);

    let matrix = ConfusionMatrix::new(CLASSES, &answers.labels, &answers.answers);
    assert_eq!(matrix.accuracy(), Some(answers.accuracy));
    assert!(answers.probabilities.chunks(CLASSES).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-6));
    assert!(top_k_accuracy(&answers.labels, &answers.probabilities, CLASSES, 2).unwrap() >= answers.accuracy);
    let areas = one_vs_rest_roc_auc(&answers.labels, &answers.probabilities, CLASSES);
    assert!(areas.iter().all(|area| area.unwrap() > 0.9), "{areas:?}");
}

#[test]
fn balanced_classes_are_those_weights_given_one_by_one() {
    let settings = |class_weight| TrainSettings { epochs: 1, class_weight, ..TrainSettings::default() };
    // Of 200 images 100, 50 and 50.
    let each = ClassWeighting::Each(ClassWeights::new([200.0 / 300.0, 200.0 / 150.0, 200.0 / 150.0]));
    let [balanced, each, none] =
        [ClassWeighting::Balanced, each, ClassWeighting::None].map(|rule| trained(1, &settings(rule)).0.steps);
    assert_eq!(balanced, each);
    assert_ne!(balanced, none);
}

#[test]
fn labels_and_weights_that_do_not_fit_the_network_are_refused() {
    let (network, loader) = (network(2), loader(8, 1));
    let settings = TrainSettings { epochs: 1, ..TrainSettings::default() };
    let refused = |network: &Network, settings: &TrainSettings| {
        let mut state = TrainingState::new(network.initial_parameters(0), settings.optimizer().unwrap());
        train(network, &mut state, &loader, None, settings, |_, _| Ok(())).unwrap_err().to_string()
    };
    let labels = "labels: 2 is one of them, and the network tells 2 classes apart, from 0";
    assert_eq!(refused(&network, &settings), labels);
    let plan = Plan::new(&network, 16, PlanOptions::default());
    let error = evaluate(&plan, &network.initial_parameters(0), &loader, 0.0, &mut plan.workspace()).unwrap_err();
    assert_eq!(error.to_string(), labels);

    let weights = ClassWeighting::Each(ClassWeights::new([1.0, 2.0]));
    assert_eq!(
        refused(&self::network(CLASSES), &TrainSettings { class_weight: weights, ..settings }),
        "class_weight: there are 2 weights for 3 classes; give one for each"
    );
}

#[test]
fn the_gradients_of_two_parts_of_a_batch_add_up_to_those_of_the_whole() {
    for units in [1, CLASSES] {
        let network = network(units);
        let batch = Batch::draw(&network, 7, 3);
        let parameters = random_parameters(&network, 3);
        let (plan, head) =
            (Plan::new(&network, 7, PlanOptions { training: true, ..PlanOptions::default() }), network.head());
        let mut workspace = plan.workspace();
        // Loss and gradients of some of its images, with the whole batch's number of images in the divisor.
        let mut part = |images: Range<usize>| {
            let view = batch.images(&network).slice_move(s![images.clone(), .., .., ..]);
            let masks: Vec<f32> = batch.masks[0][images.start * 12..images.end * 12].to_vec();
            let masks: [&[f32]; 1] = [&masks];
            let targets = Targets {
                weights: &batch.class_weights,
                smoothing: batch.smoothing,
                whole: 7,
                ..Targets::new(&batch.labels[images])
            };
            let mode = Mode::Training(DropoutMasks::Given(&masks));
            let logits = plan.forward(&parameters, view, mode, &mut workspace).unwrap();
            let (loss, mut grad_logits) = (head.loss(logits, targets), vec![f32::NAN; logits.values().len()]);
            head.gradient(logits, targets, &mut grad_logits);
            let mut gradients = Parameters::zeros(network.table());
            let mut writer = GradientWriter::new(&parameters, &mut gradients);
            plan.backward(view, &grad_logits, &mut writer, &mut workspace).unwrap();
            (loss, wide(gradients.as_slice()))
        };
        let [(loss, all), (first_loss, first), (second_loss, second)] = [part(0..7), part(0..3), part(3..7)];
        assert_relative_eq!(first_loss + second_loss, loss, max_relative = 1e-6);
        let sum: Vec<f32> = first.iter().zip(&second).map(|(a, b)| (a + b) as f32).collect();
        assert_close("the sum of both parts' gradients", &sum, &all, 1e-6);
        let of_first: Vec<f32> = first.iter().map(|&g| g as f32).collect();
        assert!(error(&of_first, &all) > 0.1, "both parts count");
    }
}
