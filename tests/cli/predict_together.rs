//! `predict` with several models: those of the folds of a cross-validation, and `--with`.

use super::known::{ONE_PIXEL, grey, with_known_answers, write_known_model, write_model};
use super::printed::four_digits;
use super::{Here, csv};
use expect_test::expect;

/// A second model: an image of level g has the probability 1/(1 + exp(−(g − 96)/16)).
fn with_two_models() -> Here {
    let here = with_known_answers();
    write_model(&here, "lower.safetensors", ONE_PIXEL, &["cat", "dog"], |parameters| {
        parameters.tensor_mut(0).copy_from_slice(&[255.0 / 16.0, 0.0, 0.0]);
        parameters.tensor_mut(1).copy_from_slice(&[-6.0]);
    });
    here
}

const TOGETHER: &str = "predict known.safetensors --with lower.safetensors";

#[test]
fn the_answer_is_the_mean_and_the_spread_stands_beside_it() {
    let here = with_two_models();
    // σ(0) = 0.5 and σ(2) = 0.8808: the mean is 0.6904, and the deviation 0.3808/√2 = 0.2693.
    here.write("128.png", grey(128));
    here.prints(
        &format!("{TOGETHER} 128.png greys/dog/100.png"),
        expect![[r#"
            file	class	p(dog)	sd
            128.png	dog	0.690399	0.2692##
            greys/dog/100.png	cat	0.355112	0.2928##
            stderr: 2 models answer: each probability is their mean, and sd their standard deviation (n − 1)
        "#]],
    );
    here.prints(
        &format!("{TOGETHER} 128.png --top 2 --quiet"),
        expect![[r#"
            file	class	probability	class_2	probability_2	sd	sd_2
            128.png	dog	0.690399	cat	0.309601	0.269264	0.2692##
        "#]],
    );
    let json = here.run(&format!("{TOGETHER} 128.png --json --quiet"));
    expect![[r#"
        {
          "classes": [
            "cat",
            "dog"
          ],
          "errors": [],
          "left_out": [],
          "models": [
            "known.safetensors",
            "lower.safetensors"
          ],
          "note": "probability is that of the positive class, the mean of the models' probabilities, and standard_deviation their spread (n − 1); not for diagnosis",
          "positive_class": "dog",
          "predictions": [
            {
              "class": "dog",
              "file": "128.png",
              "probability": 0.6903,
              "standard_deviation": 0.2692
            }
          ],
          "threshold": 0.5
        }
    "#]]
    .assert_eq(&four_digits(&json.shown()));
    here.done(&format!("{TOGETHER} 128.png --quiet --csv out.csv --sort-into sorted"));
    expect![[r#"
        file,class,p(cat),p(dog),sd(cat),sd(dog)
        128.png,dog,0.3096,0.6903,0.2692,0.2692
    "#]]
    .assert_eq(&four_digits(&here.text("out.csv")));
    assert_eq!(here.names("sorted"), ["dog"]);
    // What one model answers alone is told as before.
    assert_eq!(here.done("predict known.safetensors 128.png"), "file\tclass\tp(dog)\n128.png\tcat\t0.500000\n");
}

#[test]
fn unsure_mirrored_and_by_another_threshold() {
    let here = with_two_models();
    here.write("128.png", grey(128));
    let class = |flags: &str| {
        let told = here.done(&format!("{TOGETHER} 128.png --quiet {flags}"));
        told.lines().nth(1).unwrap().split('\t').nth(1).unwrap().to_string()
    };
    assert_eq!(
        ["", "--tta flip", "--unsure 0.6,0.7", "--threshold 0.7", "--threshold 0.69"].map(class),
        ["dog", "dog", "unsure", "cat", "dog"]
    );
    here.refused(
        "predict known.safetensors 128.png --with known.safetensors",
        2,
        "--with: known.safetensors is there twice, and would count double; give it once",
    );
}

#[test]
fn all_models_of_a_run_of_folds_answer() {
    let here = Here::with_set();
    here.done("train set --model tiny.toml --epochs 2 --folds 3 --out run");
    let of = |model: &str| -> Vec<f32> {
        let told = here.json(&format!("predict {model} set/cat"));
        let answers = told["predictions"].as_array().unwrap().iter();
        answers.map(|answer| answer["probability"].as_f64().unwrap() as f32).collect()
    };
    let single = ["run/fold1", "run/fold2", "run/fold3"].map(of);
    let together = of("run");
    assert_eq!(together.len(), 10);
    for (image, mean) in together.iter().enumerate() {
        let sum: f64 = single.iter().map(|answers| f64::from(answers[image])).sum();
        assert_eq!(*mean, (sum / 3.0) as f32);
    }
    assert_eq!(of("run/fold1 --with run/fold2 --with run/fold3"), together);
    assert_eq!(of("run --threads 1"), together);
    // The images that the folds validated on: each once.
    let ran = here.run("predict run set/cat --unsure 0,1");
    let line =
        "Of 24 images that the models were validated on, each asked alone, 24 would have had no answer (100.0 %)";
    assert!(ran.stderr.ends_with(&format!("{line}\n")), "{}", ran.stderr);
    assert_eq!(csv(&ran.stdout.replace('\t', ","))[1][1], "unsure");

    // Of one that is not done, the folds that are there answer.
    std::fs::remove_dir_all(here.path("run/fold2")).unwrap();
    let ran = here.run("predict run set/cat --quiet");
    let warning = "warning: run is a cross-validation of 3 folds, of which 2 are there; only these answer\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), warning));
    let sentence = "weights file run: it is the folder of a cross-validation, with a run for each fold; give one of these, such as \
                    run/fold1";
    here.refused("evaluate run set", 1, sentence);
}

#[test]
fn models_that_differ_are_refused_and_it_is_said_in_what() {
    let here = with_two_models();
    let refused = |model: &str, sentence: &str| {
        let together = format!("predict known.safetensors greys --with {model}");
        here.refused(&together, 1, &format!("weights file {model}: {sentence}; give models that agree in this"));
    };
    write_known_model(&here, "hares.safetensors", ["cat", "hare"]);
    refused(
        "hares.safetensors",
        "its classes are 'cat' and 'hare', and those of known.safetensors are 'cat' and 'dog'",
    );
    write_model(&here, "wide.safetensors", &ONE_PIXEL.replace("[1, 1, 3]", "[1, 2, 3]"), &["cat", "dog"], |_| ());
    refused(
        "wide.safetensors",
        "its images are 1×2×3 (height × width × channels), and those of known.safetensors 1×1×3",
    );
    write_model(&here, "two.safetensors", &ONE_PIXEL.replace("units = 1", "units = 2"), &["cat", "dog"], |_| ());
    refused("two.safetensors", "its last layer has 2 units, and that of known.safetensors 1");
    here.write("pixel.toml", ONE_PIXEL);
    here.done("train greys --model pixel.toml --epochs 1 --resize crop --out cropped");
    refused(
        "cropped/weights/best.safetensors",
        "its images are read with the middle cropped from what has another aspect, and those of known.safetensors with no flag",
    );
}

#[test]
fn of_models_with_different_thresholds_one_is_to_be_given() {
    let here = with_two_models();
    here.done("evaluate lower.safetensors greys --threshold 0.25 --save-threshold");
    let sentence = "--threshold: it is missing, as that of known.safetensors is 0.5, and that of lower.safetensors is 0.25; give \
                    one for both";
    here.refused(&format!("{TOGETHER} greys"), 2, sentence);
    let answered = here.json(&format!("{TOGETHER} greys --threshold 0.25"));
    assert_eq!(answered["threshold"], 0.25);
}
