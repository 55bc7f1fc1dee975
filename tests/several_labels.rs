//! Training on images that may have several labels, through the library: three bars, of which an image has
//! any number, from arrays.

use glassnet::classes::{Label, LabelSet};
use glassnet::data::arrays::ArraySet;
use glassnet::data::batches::Loader;
use glassnet::head::{ClassWeights, Head};
use glassnet::metrics::DEFAULT_THRESHOLD;
use glassnet::metrics::multilabel::MultilabelAssessment;
use glassnet::network::Network;
use glassnet::plan::{Plan, PlanOptions};
use glassnet::random::{Purpose, Stream};
use glassnet::spec::ModelSpec;
use glassnet::training::{ClassWeighting, Evaluation, LabelFigures, TrainSettings, TrainingState, evaluate, train};
use ndarray::Array4;

const LABELS: usize = 3;

fn network(units: usize, several_labels: bool) -> Network {
    let layers = format!(
        "input = [8, 10, 1]
        several_labels = {several_labels}
        layers = [
            {{ type = 'conv2d', filters = 4, kernel = 3 }}, {{ type = 'relu' }}, {{ type = 'max_pool', window = 2 }},
            {{ type = 'flatten' }}, {{ type = 'dense', units = 12 }}, {{ type = 'relu' }},
            {{ type = 'dense', units = {units} }},
        ]"
    );
    Network::new(&toml::from_str::<ModelSpec>(&layers).unwrap()).unwrap()
}

/// The labels of an image: each combination in turn.
fn set(image: usize) -> LabelSet {
    (0..LABELS).filter(|label| image >> label & 1 == 1).map(Label::new).collect()
}

/// A bright bar above, one below and one to the left, where an image has their labels, in noise.
fn loader(count: usize, seed: u64) -> Loader {
    let mut noise = Stream::new(seed, Purpose::Test, 0, 0);
    let images = Array4::from_shape_fn((count, 8, 10, 1), |(image, y, x, _)| {
        let has = |label: usize| set(image).has(Label::new(label));
        let ink = has(0) && y < 2 && x > 2 || has(1) && y > 5 && x > 2 || has(2) && x < 2;
        0.6 * f32::from(u8::from(ink)) + 0.4 * noise.unit_f32()
    });
    Loader::from_arrays(ArraySet::with_label_sets(images, (0..count).map(set).collect()).unwrap(), 16).unwrap()
}

fn trained(threads: usize, settings: &TrainSettings) -> (TrainingState, Evaluation) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let network = network(LABELS, true);
        let mut state = TrainingState::new(network.initial_parameters(1), settings.optimizer().unwrap());
        let (training, validation) = (loader(200, 1), loader(60, 2));
        let answers = train(&network, &mut state, &training, Some(&validation), settings, |_, _| Ok(())).unwrap();
        (state, answers.unwrap())
    })
}

#[test]
fn labels_are_learned_each_by_itself_with_the_same_bits_by_any_number_of_threads() {
    let settings = TrainSettings { epochs: 10, learning_rate: 0.01, ..TrainSettings::default() };
    let (state, answers) = trained(1, &settings);
    let (first, last) = (&state.history[0], state.history.last().unwrap());
    assert!(last.loss < first.loss / 2.0 && last.accuracy > first.accuracy, "{first:?} {last:?}");

    let (other_state, other_answers) = trained(2, &settings);
    assert!(state.parameters.as_slice() == other_state.parameters.as_slice());
    assert_eq!((&state.steps, &answers), (&other_state.steps, &other_answers));

    let head = Head::of_labels(LABELS);
    let Evaluation { sets, probabilities, losses, .. } = &answers;
    assert_eq!((sets.len(), answers.answers.len(), answers.only_answer()), (60, 0, None));
    let assessment = MultilabelAssessment::new(head, sets, probabilities, losses, DEFAULT_THRESHOLD);
    assert_eq!(last.val_labels, Some(LabelFigures::of(&assessment)));
    assert_eq!(last.val_accuracy, assessment.accuracy());
    assert!((assessment.loss.unwrap() - last.val_loss.unwrap()).abs() < 1e-12);
    assert!(assessment.exact_match().unwrap() > 0.9, "{:?}", assessment.exact_match());
    assert!(assessment.labels.iter().all(|label| label.roc_auc.unwrap() > 0.95), "{:?}", assessment.labels);
    // Sigmoids need not add up to 1, and where an image has all labels they do not.
    let sums: Vec<f32> = probabilities.chunks(LABELS).map(|row| row.iter().sum()).collect();
    assert!(sums[7] > 1.5 && sums[0] < 0.5, "{} {}", sums[7], sums[0]);
}

#[test]
fn the_first_loss_is_what_knowing_nothing_has_whatever_the_number_of_labels() {
    let network = network(LABELS, true);
    let plan = Plan::new(&network, 16, PlanOptions::default());
    let mut parameters = network.initial_parameters(3);
    let last = network.table().entries().len() - 2;
    parameters.tensor_mut(last).fill(0.0);
    let found = evaluate(&plan, &parameters, &loader(24, 1), 0.0, &mut plan.workspace()).unwrap();
    assert!((found.loss - 2f64.ln()).abs() < 1e-12, "{}", found.loss);
    assert_eq!(found.accuracy, 0.5, "nothing is above ½, and each label is there in half of the images");
}

#[test]
fn images_of_classes_and_of_labels_are_not_taken_for_each_other() {
    let settings = TrainSettings { epochs: 1, ..TrainSettings::default() };
    let refused = |network: &Network, loader: &Loader, settings: &TrainSettings| {
        let mut state = TrainingState::new(network.initial_parameters(0), settings.optimizer().unwrap());
        train(network, &mut state, loader, None, settings, |_, _| Ok(())).unwrap_err().to_string()
    };
    let of_classes = {
        let images = Array4::zeros((4, 8, 10, 1));
        Loader::from_arrays(ArraySet::new(images, [0, 1, 2, 0].map(Label::new).to_vec()).unwrap(), 4).unwrap()
    };
    let [labels, classes, two] =
        [(LABELS, true), (LABELS, false), (2, true)].map(|(units, labels)| network(units, labels));
    let of_labels = loader(8, 1);
    assert_eq!(
        refused(&classes, &of_labels, &settings),
        "labels: these images may have several, and are not each of one class; give a network for several labels"
    );
    assert_eq!(
        refused(&labels, &of_classes, &settings),
        "labels: an image may have several for this network, and these images are each of one class; give sets of labels"
    );
    assert_eq!(refused(&two, &of_labels, &settings), "labels: 2 is one of them, and the network knows 2, from 0");
    for class_weight in [ClassWeighting::Balanced, ClassWeighting::Each(ClassWeights::new([1.0; 3]))] {
        assert_eq!(
            refused(&labels, &of_labels, &TrainSettings { class_weight, ..settings.clone() }),
            "class_weight: it weighs classes, of which an image has one, and here an image may have several labels; leave it out"
        );
    }
}
