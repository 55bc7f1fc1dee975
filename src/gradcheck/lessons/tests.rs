//! Every mistake is seen, or not, as its lesson says; and stands where it says.

use super::checking::BATCH;
use super::*;
use crate::gradcheck::{TensorCheck, Verdict};

/// The tensors whose check fails, going back from the loss.
fn off(checks: &[TensorCheck]) -> Vec<&str> {
    let off = checks.iter().rev().filter(|check| check.verdict() != Verdict::Agrees);
    off.map(|check| check.tensor.name.as_str()).collect()
}

#[test]
fn without_a_mistake_all_tensors_agree_on_one_hot_images_and_on_digits() {
    for seed in 0..3 {
        let checked = check_lesson(None, seed).unwrap();
        for checks in [&checked.one_hot, &checked.digits] {
            let told: Vec<_> =
                checks.iter().map(|c| (c.tensor.name.clone(), c.error(), c.set_aside.len(), c.ties.len())).collect();
            assert_eq!(off(checks), Vec::<&str>::new(), "{told:?}");
            assert_eq!(checks[0].tensor.shape[0], BATCH);
        }
    }
}

#[test]
fn a_check_sees_the_mistakes_that_it_can_see_in_the_tensors_where_they_show() {
    let expected: [&[&str]; LESSONS] = [
        &["dense/bias", "dense/kernel"],
        &["conv2d_1/bias", "conv2d/bias"],
        &["conv2d/bias", "conv2d/kernel"],
        &["conv2d/bias", "conv2d/kernel"],
        &["conv2d/kernel"],
        &["dense/bias", "dense/kernel"],
        &["dense_1/bias", "dense_1/kernel"],
        &["dense_1/kernel", "dense/kernel"],
        &["conv2d_1/bias", "conv2d_1/kernel"],
        &["dense_1/bias", "dense_1/kernel"],
        &[],
        &[],
    ];
    for (lesson, expected) in all().iter().zip(expected) {
        let checked = check_lesson(Some(lesson), 0).unwrap();
        let found = off(&checked.digits);
        assert_eq!(found[..found.len().min(2)], expected[..found.len().min(2)], "lesson {}", lesson.number);
        assert!(found.len() >= expected.len(), "lesson {}: {found:?}", lesson.number);
        assert_eq!(lesson.is_seen(), !found.is_empty(), "lesson {}", lesson.number);
        // What the digits show, one-hot images show too.
        assert_eq!(lesson.is_seen(), !off(&checked.one_hot).is_empty(), "lesson {}", lesson.number);
    }
}

#[test]
fn a_gradient_that_is_averaged_over_a_wrong_number_is_off_by_one_ratio() {
    let checked = check_lesson(find(10).as_ref(), 0).unwrap();
    let with_gradients = checked.digits.iter().filter(|check| !check.vanishes);
    for check in with_gradients {
        let ratio = check.constant_ratio().unwrap_or(f64::NAN);
        assert!((ratio - 0.375).abs() < 1e-3, "{}: {ratio}", check.tensor.name);
    }
    let checked = check_lesson(find(7).as_ref(), 0).unwrap();
    assert!(checked.digits.iter().all(|check| check.constant_ratio().is_none()));
}

#[test]
fn right_and_wrong_lines_stand_in_the_source_word_for_word() {
    let mistakes = include_str!("mistakes.rs");
    for (place, lesson) in all().iter().enumerate() {
        assert_eq!(lesson.number, place + 1);
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(lesson.file);
        let source = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(source.contains(lesson.right), "lesson {}: {} is not in {}", lesson.number, lesson.right, lesson.file);
        let code = mistakes.split("/// Changes what the loss is").nth(1).unwrap();
        assert!(code.contains(lesson.wrong), "lesson {}: {}", lesson.number, lesson.wrong);
    }
}

#[test]
fn the_right_network_learns_and_so_do_most_mistakes() {
    let right = train(None, 0).unwrap();
    assert_eq!(right.len(), EPOCHS);
    assert!(right[EPOCHS - 1].val_loss < 0.5 * right[0].val_loss.max(1.0), "{right:?}");
    assert_eq!(right, train(None, 0).unwrap(), "the same in every run");
    let mut learn = 0;
    for lesson in all() {
        let curve = train(Some(*lesson), 0).unwrap();
        assert_ne!(curve, right, "lesson {} changes what is learned", lesson.number);
        learn += usize::from(curve[EPOCHS - 1].loss < curve[0].loss);
    }
    assert!(learn > LESSONS / 2, "{learn}");
}
