use super::*;
use approx::{assert_abs_diff_eq, assert_relative_eq};

const ONE: Head = Head { units: 1, several_labels: false };
const THREE: Head = Head { units: 3, several_labels: false };

fn labels(indices: &[usize]) -> Vec<Label> {
    indices.iter().copied().map(Label::new).collect()
}

/// The loss of a whole batch, and its gradient.
fn loss_and_gradient(head: Head, logits: &[f32], labels: &[Label], weights: &ClassWeights) -> (f64, Vec<f32>) {
    let (logits, targets) = (Logits::new(logits, head.units), Targets { weights, ..Targets::new(labels) });
    let mut gradient = vec![f32::NAN; logits.values().len()];
    head.gradient(logits, targets, &mut gradient);
    (head.loss(logits, targets), gradient)
}

#[test]
fn of_one_unit_the_loss_is_minus_the_logarithm_of_the_right_answers_probability() {
    let (loss, gradient) = loss_and_gradient(ONE, &[0.0, 2.0], &labels(&[1, 0]), &ClassWeights::NONE);
    let expected = (2f64.ln() - (1.0 - sigmoid(2.0)).ln()) / 2.0;
    assert_abs_diff_eq!(loss, expected, epsilon = 1e-15);
    assert_eq!(gradient, [-0.25, (sigmoid(2.0) / 2.0) as f32]);
}

#[test]
fn of_k_units_the_loss_is_minus_the_logarithm_of_the_right_answers_probability() {
    // Probabilities ½, ⅙, ⅓ and ⅐, 2/7, 4/7.
    let logits = [6f32.ln() - 2f32.ln(), 0.0, 2f32.ln(), 0.0, 2f32.ln(), 4f32.ln()];
    let (loss, gradient) = loss_and_gradient(THREE, &logits, &labels(&[2, 0]), &ClassWeights::NONE);
    assert_relative_eq!(loss, (3f64.ln() + 7f64.ln()) / 2.0, max_relative = 1e-6);
    let expected = [1.0 / 4.0, 1.0 / 12.0, -1.0 / 3.0, -3.0 / 7.0, 1.0 / 7.0, 2.0 / 7.0];
    for (g, expected) in gradient.iter().zip(expected) {
        assert_relative_eq!(f64::from(*g), expected, max_relative = 1e-6);
    }
}

#[test]
fn two_units_of_which_one_is_0_say_what_one_unit_says() {
    let (zs, labels) = ([-3.5f32, -0.25, 0.0, 1.0, 20.0], labels(&[0, 1, 1, 0, 1]));
    let two: Vec<f32> = zs.iter().flat_map(|&z| [0.0, z]).collect();
    let weights = ClassWeights::new([0.75, 2.0]);
    let (loss, gradient) = loss_and_gradient(ONE, &zs, &labels, &weights);
    let (loss_of_two, gradient_of_two) = loss_and_gradient(Head::new(2), &two, &labels, &weights);
    assert_relative_eq!(loss, loss_of_two, max_relative = 1e-14);
    for (g, pair) in gradient.iter().zip(gradient_of_two.chunks(2)) {
        assert_relative_eq!(*g, pair[1], max_relative = 1e-6);
        assert_relative_eq!(pair[0], -pair[1], max_relative = 1e-6);
    }
}

#[test]
fn balanced_weights_let_each_class_count_alike_and_the_batch_is_divided_by_its_images() {
    // As in data of 33 and 103.
    let [rare, common] = ClassWeights::balanced(&[33, 103]).as_slice().try_into().unwrap();
    assert_eq!((rare, common), (136.0 / 66.0, 136.0 / 206.0));
    assert_abs_diff_eq!(33.0 * rare, 103.0 * common, epsilon = 1e-12);
    assert_eq!(ClassWeights::balanced(&[8, 8]).as_slice(), [1.0, 1.0]);
    assert_eq!(ClassWeights::balanced(&[0, 5]).as_slice(), [1.0, 0.5]);
    assert_eq!(ClassWeights::balanced(&[2, 4, 6]).as_slice(), [2.0, 1.0, 2.0 / 3.0]);

    let (logits, labels, weights) = ([0.0f32, 2.0, -1.0], labels(&[1, 0, 1]), ClassWeights::new([3.0, 0.5]));
    let (loss, gradient) = loss_and_gradient(ONE, &logits, &labels, &weights);
    let single = |i: usize| loss_and_gradient(ONE, &logits[i..=i], &labels[i..=i], &ClassWeights::NONE).0;
    assert_abs_diff_eq!(loss, (0.5 * single(0) + 3.0 * single(1) + 0.5 * single(2)) / 3.0, epsilon = 1e-15);
    let of = |w: f64, z: f64, y: f64| (w * (sigmoid(z) - y) / 3.0) as f32;
    assert_eq!(gradient, [of(0.5, 0.0, 1.0), of(3.0, 2.0, 0.0), of(0.5, -1.0, 1.0)]);
}

#[test]
fn the_parts_of_a_batch_that_is_cut_add_up_to_the_whole() {
    for (head, classes) in [(ONE, 2), (THREE, 3)] {
        let logits: Vec<f32> = (0..7 * head.units()).map(|i| (i * 37 % 19) as f32 / 4.0 - 2.0).collect();
        let labels: Vec<Label> = (0..7).map(|i| Label::new(i % classes)).collect();
        let weights = ClassWeights::new(vec![0.5, 3.0, 1.25][..classes].to_vec());
        let (whole, whole_gradient) = loss_and_gradient(head, &logits, &labels, &weights);

        let (mut sum, mut gradient) = (0.0, Vec::new());
        for part in [0..3, 3..7] {
            let logits = Logits::new(&logits[part.start * head.units()..part.end * head.units()], head.units());
            let targets = Targets { weights: &weights, whole: 7, ..Targets::new(&labels[part]) };
            sum += head.loss(logits, targets);
            let mut of_part = vec![f32::NAN; logits.values().len()];
            head.gradient(logits, targets, &mut of_part);
            gradient.extend(of_part);
        }
        assert_relative_eq!(sum, whole, max_relative = 1e-15);
        assert_eq!(gradient, whole_gradient);
    }
}

#[test]
fn the_gradient_of_k_units_adds_up_to_0_in_each_row() {
    let logits = [0.5, -1.0, 2.5, 1e4, -1e4, 0.0];
    let (_, gradient) = loss_and_gradient(THREE, &logits, &labels(&[0, 1]), &ClassWeights::new([0.7, 1.9, 1.0]));
    for row in gradient.chunks(3) {
        assert_abs_diff_eq!(row.iter().sum::<f32>(), 0.0, epsilon = 1e-7);
    }
}

#[test]
fn huge_logits_give_finite_losses_and_a_nan_shows() {
    let loss = |head: Head, logits: &[f32], indices: &[usize]| {
        loss_and_gradient(head, logits, &labels(indices), &ClassWeights::NONE).0
    };
    assert_eq!(loss(ONE, &[1e4, -1e4], &[1, 0]), 0.0);
    assert_eq!(loss(ONE, &[1e4, -1e4], &[0, 1]), 1e4);
    assert!(loss(ONE, &[f32::NAN, 0.0], &[0, 1]).is_nan());
    assert_eq!((sigmoid(-1e4), sigmoid(1e4)), (0.0, 1.0));

    assert_eq!(loss(THREE, &[1e4, -1e4, 0.0], &[0]), 0.0);
    assert_eq!(loss(THREE, &[1e4, -1e4, 0.0], &[1]), 2e4);
    assert!(loss(THREE, &[1.0, 2.0, f32::NAN, 0.0, 0.0, 0.0], &[0, 1]).is_nan());
    let (_, gradient) = loss_and_gradient(THREE, &[1e4, -1e4, f32::NAN], &labels(&[0]), &ClassWeights::NONE);
    assert!(gradient.iter().all(|g| g.is_nan()));
}

#[test]
fn a_decision_is_the_threshold_of_two_classes_and_the_first_largest_of_more() {
    let of = |head: Head, probabilities: &[f32], threshold| head.decision(probabilities.iter().copied(), threshold);
    assert_eq!(of(ONE, &[0.5], 0.5), Label::NEGATIVE);
    assert_eq!(of(ONE, &[0.500_001], 0.5), Label::POSITIVE);
    assert_eq!(of(ONE, &[0.4], 0.3), Label::POSITIVE);
    assert_eq!(of(ONE, &[f32::NAN], 0.0), Label::NEGATIVE);
    assert_eq!(of(THREE, &[0.2, 0.4, 0.4], 0.9), Label::new(1));
    let two = Head::new(2);
    assert_eq!((of(two, &[0.4, 0.6], 0.5), of(two, &[0.4, 0.6], 0.7)), (Label::POSITIVE, Label::NEGATIVE));
    assert_eq!((two.positive(&[0.4, 0.6]), ONE.positive(&[0.3])), (0.6, 0.3));

    let probabilities: Vec<f32> = THREE.probabilities(&[1.0, 3.0, -2.0]).collect();
    assert_abs_diff_eq!(probabilities.iter().sum::<f32>(), 1.0, epsilon = 1e-6);
    assert_eq!(of(THREE, &probabilities, 0.5), Label::new(1));
    assert_eq!(ONE.probabilities(&[0.0]).collect::<Vec<f32>>(), [0.5]);
    assert_eq!((ONE.classes(), THREE.classes(), Head::new(2).classes()), (2, 3, 2));
}

/// A set of labels for each image.
fn sets(indices: &[&[usize]]) -> Vec<LabelSet> {
    indices.iter().map(|indices| indices.iter().copied().map(Label::new).collect()).collect()
}

/// Loss and gradient of a batch of images that may have several labels.
fn of_sets(logits: &[f32], sets: &[LabelSet], units: usize, smoothing: f64) -> (f64, Vec<f32>) {
    let (head, labels) = (Head::of_labels(units), vec![Label::new(0); sets.len()]);
    let targets = Targets { sets, smoothing, ..Targets::new(&labels) };
    let mut gradient = vec![f32::NAN; logits.len()];
    head.gradient(Logits::new(logits, units), targets, &mut gradient);
    (head.loss(Logits::new(logits, units), targets), gradient)
}

#[test]
fn of_labels_the_loss_is_the_mean_over_units_and_images_of_what_one_unit_has() {
    let logits = [0.5f32, -1.0, 2.0, -0.25, 1.5, -3.0];
    let sets = sets(&[&[0, 2], &[]]);
    for smoothing in [0.0, 0.2] {
        let (loss, gradient) = of_sets(&logits, &sets, 3, smoothing);
        let flat = labels(&[1, 0, 1, 0, 0, 0]);
        let targets = Targets { smoothing, ..Targets::new(&flat) };
        let mut expected = vec![f32::NAN; 6];
        ONE.gradient(Logits::new(&logits, 1), targets, &mut expected);
        assert_relative_eq!(loss, ONE.loss(Logits::new(&logits, 1), targets), max_relative = 1e-14);
        for (g, expected) in gradient.iter().zip(&expected) {
            assert_relative_eq!(*g, *expected, max_relative = 1e-6);
        }
    }
}

#[test]
fn the_losses_of_labels_by_hand() {
    // σ(0) = ½ says nothing, σ(ln 3) = ¾.
    let (loss, gradient) = of_sets(&[0.0, 3f32.ln()], &sets(&[&[1]]), 2, 0.0);
    assert_relative_eq!(loss, (2f64.ln() - 0.75f64.ln()) / 2.0, max_relative = 1e-7);
    assert_relative_eq!(gradient[0], 0.25, max_relative = 1e-6);
    assert_relative_eq!(gradient[1], -0.125, max_relative = 1e-6);
    assert!(of_sets(&[1e4, -1e4], &sets(&[&[0]]), 2, 0.0).0 == 0.0);
    assert!(of_sets(&[1e4, -1e4], &sets(&[&[1]]), 2, 0.0).0 == 1e4);
    assert!(of_sets(&[f32::NAN, 0.0], &sets(&[&[0]]), 2, 0.0).0.is_nan());
}

#[test]
fn an_image_has_the_labels_above_the_threshold_each_by_itself() {
    let head = Head::of_labels(3);
    let probabilities: Vec<f32> = head.probabilities(&[0.0, 30.0, 20.0]).collect();
    assert!(probabilities[0] == 0.5 && probabilities[1..].iter().all(|p| *p > 0.99), "{probabilities:?}");
    let of = |threshold: f64| head.label_set(probabilities.iter().copied(), threshold);
    assert_eq!((of(0.5), of(0.4)), (sets(&[&[1, 2]])[0], sets(&[&[0, 1, 2]])[0]));
    assert_eq!(head.label_set([f32::NAN, 0.0, 0.1], 0.0), sets(&[&[2]])[0]);
    assert_eq!((head.classes(), head.has_several_labels(), Head::of_labels(2).classes()), (3, true, 2));
}

#[test]
#[should_panic(expected = "a set of labels for each row of logits")]
fn classes_are_no_targets_of_labels() {
    Head::of_labels(2).loss(Logits::new(&[0.0, 0.0], 2), Targets::new(&[Label::NEGATIVE]));
}

#[test]
#[should_panic(expected = "an image is of one class, and has several labels")]
fn labels_are_no_targets_of_classes() {
    let sets = [LabelSet::NONE];
    Head::new(2).loss(Logits::new(&[0.0, 0.0], 2), Targets { sets: &sets, ..Targets::new(&[Label::NEGATIVE]) });
}
