//! `evaluate --choose-threshold` and `--save-threshold`.

use super::Here;
use super::known::{grey, with_known_run};
use super::printed::four_digits;
use expect_test::expect;
use glassnet::checkpoint;

/// As [`with_known_run`], but trained with all of `greys` as validation part: its levels are those of
/// [`with_known_answers`](super::known::with_known_answers).
fn with_validated_greys() -> Here {
    let here = with_known_run();
    here.write("few/cat/10.png", grey(10));
    here.write("few/dog/240.png", grey(240));
    here.done(
        "train few --validation-data greys --model pixel.toml --init-weights known.safetensors --learning-rate 1e-30 --epochs 1 \
         --out validated",
    );
    here
}

const EVALUATE: &str = "evaluate validated";

#[test]
fn a_threshold_is_chosen_on_the_validation_part_and_its_price_told() {
    let here = with_validated_greys();
    here.prints(&format!("{EVALUATE} --choose-threshold sensitivity=0.8"), expect![[r#"
        Model     validated/weights/best.safetensors, trained for 1 epoch on 2 images
        Data      greys
        Subset    validation, 11 of 11 images, as validated/split.csv lists them; the files are those of the run, byte for byte
        Positive  'dog' (class 1), answered where its probability is above 0.3, else 'cat'
        Threshold 0.3, chosen on these very images: the highest specificity with a sensitivity of at least 0.8

        true class  answered
                      cat    dog
        cat             3      2
        dog             1      5

        measure                value  95 % interval
        loss                  0.5152                 always answering ½ has 0.6931, and the share of 'dog' has 0.6890
        accuracy              0.7273  0.4344–0.9025  8 of 11 right; always answering 'dog' has 0.5455
        sensitivity           0.8333  0.4365–0.9699  5 of 6 'dog' found
        specificity           0.6000  0.2307–0.8824  3 of 5 'cat' recognized
        balanced accuracy     0.7167                 the mean of the two above; any constant answer has 0.5
        ROC AUC               0.8333  0.4558–0.9676  guessing has 0.5
        Brier score           0.1789                 always answering the share of 'dog' has 0.2479
        calibration error     0.1764                 mean distance of probability and observed share, over the bins below

        probability  images     mean  observed  95 % interval
        0.0–0.1           1   0.0474    0.0000  0.0000–0.7935
        0.1–0.2           2   0.1336    0.5000  0.0945–0.9055
        0.2–0.3           1   0.2689    0.0000  0.0000–0.7935
        0.3–0.4           2   0.3775    0.5000  0.0945–0.9055
        0.7–0.8           2   0.7311    0.5000  0.0945–0.9055
        0.8–0.9           1   0.8808    1.0000  0.2065–1.0000
        0.9–1.0           2   0.9673    1.0000  0.3424–1.0000

        Intervals are of 95 %: Wilson's (1927) for shares; for the ROC AUC from DeLong's variance (1988), on the logit scale.
        They take the images for independent, which images of one patient are not.

        threshold                             sensitivity  95 % interval  specificity  95 % interval  wrong
        0.5        validation, as before      0.6667       0.3000–0.9032  0.8000       0.3755–0.9638  2 of 6 'dog' missed, 1 of 5 'cat' taken for 'dog'
        0.3        validation                 0.8333       0.4365–0.9699  0.6000       0.2307–0.8824  1 of 6 'dog' missed, 2 of 5 'cat' taken for 'dog'
        0.3        validation, less optimism  0.7333                      0.5220
        The threshold was chosen on the very images that it is judged on, which flatters it, by about 0.1000 of the sensitivity and 0.0780 of the specificity, as 200 resamplings tell (Efron, 1983).
        Other images judge it without that: glassnet evaluate MODEL DATA --threshold 0.3

        Not for diagnosis.
    "#]]);
}

#[test]
fn the_rules_choose_what_a_search_by_hand_finds() {
    let here = with_validated_greys();
    let of = |rule: &str| {
        let told = here.json(&format!("{EVALUATE} --choose-threshold {rule}"));
        let chosen = &told["chosen_threshold"];
        assert_eq!((&chosen["rule"], &told["threshold"]), (&rule.into(), &chosen["threshold"]));
        assert_eq!(told["confusion"], chosen["validation"]["confusion"]);
        assert_eq!(chosen["before"]["threshold"], 0.5);
        assert!(chosen["test"].is_null());
        let counts = ["true_positive", "false_positive", "true_negative", "false_negative"];
        counts.map(|count| told["confusion"][count].as_u64().unwrap())
    };
    // Cats at 80, 96, 112, 120, 144; dogs at 100, 120, 144, 160, 176, 192.
    assert_eq!(of("youden"), [3, 0, 5, 3]);
    assert_eq!(of("sensitivity=1"), [6, 3, 2, 0]);
    assert_eq!(of("sensitivity=0.8"), [5, 2, 3, 1]);
    assert_eq!(of("specificity=0.8"), [4, 1, 4, 2]);
    assert_eq!(of("specificity=1"), [3, 0, 5, 3]);
}

#[test]
fn a_saved_threshold_is_what_predict_and_evaluate_go_by() {
    let here = with_validated_greys();
    let best = "validated/weights/best.safetensors";
    let before = checkpoint::load(&here.path(best)).unwrap();
    let told = here.done(&format!("{EVALUATE} --choose-threshold sensitivity=1 --save-threshold"));
    let saved = checkpoint::load(&here.path(best)).unwrap();
    let threshold = saved.card.threshold;
    let line = format!("Saved in {best}: predict and evaluate answer by the threshold {threshold} from now on\n");
    assert!(told.ends_with(&line) && threshold < 0.2, "{told}");
    assert_eq!(saved.parameters.as_slice(), before.parameters.as_slice());
    let answered = here.json("predict validated greys/dog/100.png");
    assert_eq!((&answered["predictions"][0]["class"], &answered["threshold"]), (&"dog".into(), &threshold.into()));
    assert_eq!(here.json(&format!("{EVALUATE} --subset validation"))["sensitivity"], 1.0);
    // The state of a run keeps what it needs to go on.
    let last = "validated/weights/last.safetensors";
    here.done(&format!("evaluate {last} greys --threshold 0.75 --save-threshold --quiet"));
    assert_eq!(checkpoint::load(&here.path(last)).unwrap().card.threshold, 0.75);
    here.done("train --resume validated --epochs 2 --quiet");
    assert_eq!(checkpoint::load(&here.path(last)).unwrap().card.threshold, 0.5);
}

#[test]
fn the_test_part_of_the_data_judges_the_choice() {
    let here = with_known_run();
    let mut table = "path,label,split\n".to_string();
    for (class, levels) in [
        ("cat", [(80, "train"), (96, "val"), (112, "val"), (90, "test"), (140, "test")]),
        ("dog", [(192, "train"), (100, "val"), (176, "val"), (105, "test"), (160, "test")]),
    ] {
        for (level, split) in levels {
            here.write(&format!("parted/{level}.png"), grey(level));
            table += &format!("{level}.png,{class},{split}\n");
        }
    }
    here.write("parted/labels.csv", table);
    let ran = here.run(
        "train parted --model pixel.toml --init-weights known.safetensors --learning-rate 1e-30 --epochs 1 --out judged --quiet",
    );
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let told = here.json("evaluate judged --choose-threshold sensitivity=1");
    // Between 96 and 100: of the test part the dog at 105 is found, and the cat at 140 taken for one.
    let test = &told["chosen_threshold"]["test"];
    assert_eq!(test["threshold"], told["threshold"]);
    assert_eq!((&test["sensitivity"], &test["specificity"]), (&1.0.into(), &0.5.into()));
    assert_eq!((&told["images"], &told["subset"]["name"]), (&4.into(), &"validation".into()));
    let text = here.done("evaluate judged --choose-threshold sensitivity=1 --out page");
    assert!(text.contains("The test part had no say in it.\n"), "{text}");
    assert!(here.text("page/evaluation.html").contains("chosen on these very images"));
    assert_eq!(four_digits(&text).lines().filter(|line| line.contains("  test ")).count(), 1, "{text}");
}

#[test]
fn what_cannot_be_chosen_or_saved_is_refused() {
    let here = with_validated_greys();
    let refused = |arguments: &str, sentence: &str| here.refused(&format!("{EVALUATE} {arguments}"), 2, sentence);
    refused(
        "--subset all --choose-threshold youden",
        "--subset: --choose-threshold chooses on the validation part, as other images trained the model or are kept to judge it; \
         leave it out",
    );
    refused(
        "--save-threshold",
        "--save-threshold: there is none to save; give one with --threshold, or have one chosen with --choose-threshold",
    );
    here.misused(
        &format!("{EVALUATE} --choose-threshold accuracy=1"),
        "invalid value 'accuracy=1' for '--choose-threshold <RULE>': it must be youden, or the least that one of both shall be, \
         above 0 and at most 1, such as sensitivity=0.95 or specificity=0.9",
    );
    here.refused(
        "evaluate known.safetensors greys --choose-threshold youden",
        2,
        "--subset: which images validated the model is not known: known.safetensors does not stand in the weights folder of a run, \
         whose split.csv would tell; use --subset all",
    );
    for name in here.names("greys/dog") {
        std::fs::remove_file(here.path(&format!("greys/dog/{name}"))).unwrap();
    }
    let ran = here.run(&format!("{EVALUATE} --choose-threshold youden"));
    let sentence = "error: --choose-threshold youden: the validation part has no image of dog that was answered, and both classes are \
                    needed\n";
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.ends_with(sentence), "{}", ran.stderr);
}

#[test]
fn of_more_than_two_classes_there_is_no_threshold() {
    let here = Here::with_set();
    for level in 1..=6 {
        here.write(&format!("set/hare/{level}.png"), grey(level));
    }
    here.write("three.toml", super::TINY.replace("units = 1 }", "units = 3 }"));
    here.done("train set --model three.toml --epochs 1 --out run");
    let sentence = "--choose-threshold youden: it parts two classes, and of the model's 3 the most probable is the answer; leave it \
                    out";
    here.refused("evaluate run set --choose-threshold youden", 2, sentence);
    let sentence = sentence.replace("--choose-threshold youden", "--threshold 0.25");
    here.refused("predict run set --threshold 0.25", 2, &sentence);
}
