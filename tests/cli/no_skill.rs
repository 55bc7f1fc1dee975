//! A layman is told where a number means less than it seems to.

use super::Here;
use expect_test::expect;

const TRAIN: &str = "train set --model tiny.toml --seed 7";

#[test]
fn an_evaluation_says_that_every_image_is_taken_for_one_class() {
    let here = Here::with_set();
    // A rate so small that the first answers stay: the network's own, whatever the image.
    here.done(&format!("{TRAIN} --epochs 1 --learning-rate 1e-9 --out run"));
    let object = here.json("evaluate run set --subset validation");
    let answers: Vec<bool> = object["predictions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| answer["probability"].as_f64().unwrap() > 0.5)
        .collect();
    assert!(answers.iter().all(|&answer| answer == answers[0]), "the weights answer both, so this tests nothing");
    let class = if answers[0] { "dog" } else { "cat" };
    let stdout = here.done("evaluate run set --subset validation --out judged");
    let caution = format!("every image is taken for '{class}': the accuracy is that class's share, no skill");
    assert!(stdout.contains(&format!("\nCaution   {caution}\n")), "{stdout}");
    // In HTML an apostrophe may be written otherwise.
    assert!(here.text("judged/evaluation.html").contains("every image is taken for "));
}

#[test]
fn the_loss_stands_beside_that_of_the_best_constant_answer() {
    let here = Here::with_model();
    let object = here.json("evaluate run set");
    // 10 cats and 14 dogs.
    let share: f64 = 14.0 / 24.0;
    let entropy = -share * share.ln() - (1.0 - share) * (1.0 - share).ln();
    assert!((object["loss_of_share"].as_f64().unwrap() - entropy).abs() < 1e-12, "{object}");
    let stdout = here.run("evaluate run set").stdout;
    assert!(stdout.contains(&format!("has 0.6931, and the share of 'dog' has {entropy:.4}\n")), "{stdout}");
}

#[test]
fn a_run_without_validation_says_what_is_not_known() {
    let here = Here::with_set();
    here.prints(&format!("{TRAIN} --epochs 1 --validation-split 0 --out without"), expect![[r#"
        Found 24 images belonging to 2 classes.
        Found 0 images belonging to 2 classes.
        Always answering 'dog' would be right for 14 of 24 training images (0.5833)
        Epoch 1/1
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.5417
        Training Accuracy: 0.5417
        Training images again, without dropout: the last weights have accuracy 0.5833, loss #.#### (while training: accuracy 0.5417)
        Best weights: those of epoch 1, with the lowest loss, #.####
        The last weights take every training image for 'dog': their accuracy on these is that class's share, no skill
        No image validated: how the network does on images that it did not learn from is not known
        Run folder: without
    "#]]);
    here.prints(&format!("{TRAIN} --epochs 1 --out with"), expect![[r#"
        Found 20 images belonging to 2 classes.
        Found 4 images belonging to 2 classes.
        Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)
        Epoch 1/1
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.4500 - val_loss: #.#### - val_accuracy: 0.5000
        Training Accuracy: 0.4500
        Training images again, without dropout: the last weights have accuracy 0.6000, loss #.#### (while training: accuracy 0.4500)
        Validation, last weights: 2 of 4 right, accuracy 0.5000; always answering 'dog' would have 0.5000
        Positive class 'dog': sensitivity 1.0000, specificity 0.0000, ROC AUC 1.0000
        Best weights: those of epoch 1, with the lowest val_loss, #.####
        After epoch 1, every validation image was taken for 'dog': the val_accuracy there is that class's share, no skill; so it is with the best weights, those of epoch 1
        Run folder: with
    "#]]);
}

#[test]
fn inspect_names_the_class_of_which_no_image_validates() {
    let here = Here::with_set();
    for index in 4..14 {
        std::fs::remove_file(here.path(&format!("set/dog/{index:02}.png"))).unwrap();
    }
    let object = here.run("inspect set --json").json();
    let findings = object["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["kind"] == "not_validated").unwrap();
    assert_eq!(found["finding"], "no image of 'dog' validates");
    assert!(found["advice"].as_str().unwrap().contains("--validation-split"));
}
