//! More than two classes in every command: red, green and blue pixels.

use super::known::grey;
use super::{Here, TINY, encoded};
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::json;

/// Trains the small network on the set.
const TRAIN: &str = "train set --model three.toml --learning-rate 0.01 --dropout 0 --batch-size 8";

/// A folder with a set of 10 red ants, 15 green bees and 20 blue cats, of three images to a patient, beside
/// `three.toml`.
fn three() -> Here {
    let here = Here::empty();
    for (channel, (class, images)) in [("ant", 10), ("bee", 15), ("cat", 20)].into_iter().enumerate() {
        for image in 0..images {
            let mut colour = [30; 3];
            colour[channel] = 160 + (image as u8 * 7) % 90;
            let path = format!("set/{class}/p{:02}_{image:02}.png", image / 3);
            here.write(&path, encoded(RgbImage::from_pixel(1, 1, Rgb(colour)), ImageFormat::Png));
        }
    }
    here.write("three.toml", TINY.replace("units = 1 }", "units = 3 }"));
    here
}

#[test]
fn training_tells_the_classes_the_means_and_the_weakest_classes() {
    let here = three();
    let printed = here.done(&format!("{TRAIN} --epochs 30 --class-weight balanced --out run"));
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[..2], ["Found 36 images belonging to 3 classes.", "Found 9 images belonging to 3 classes."]);
    let always = "Always answering 'cat' would be right for 16 of 36 training images (0.4444) and 4 of 9 validation images (0.4444)";
    assert_eq!(lines[2], always);
    assert_eq!(lines[3], "Class weights: 'ant' 1.5000, 'bee' 1.0000, 'cat' 0.7500");
    let closing = |start: &str| lines.iter().find(|line| line.starts_with(start)).copied();
    let right = "Validation, last weights: 9 of 9 right, accuracy 1.0000; always answering 'cat' would have 0.4444";
    assert_eq!(closing("Validation, last weights"), Some(right));
    let means = "Means of the 3 classes: precision 1.0000, recall 1.0000, F1 1.0000, ROC AUC against the rest 1.0000";
    assert_eq!(closing("Means of the"), Some(means));
    assert_eq!((closing("Positive class"), closing("Lowest recalls")), (None, None));

    let predictions = here.text("run/predictions.csv");
    let rows: Vec<Vec<&str>> = predictions.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["file", "label", "answer", "probability", "p(ant)", "p(bee)", "p(cat)"]);
    assert_eq!((rows.len(), rows[1][..3].to_vec()), (10, vec!["ant/p00_00.png", "ant", "ant"]));
    assert_eq!(rows[1][3], rows[1][4], "the answer's probability is that of its class");
    let config = here.text("run/config.toml");
    assert!(config.contains("\"ant\", \"bee\", \"cat\"") && !config.contains("positive_class"), "{config}");
    let picture = image::open(here.path("run/confusion.png")).unwrap();
    assert!(picture.width() > 400 && picture.height() > 400);
}

#[test]
fn a_run_is_stopped_and_goes_on_to_the_same_bits() {
    let here = three();
    here.done(&format!("{TRAIN} --epochs 4 --out whole"));
    here.done(&format!("{TRAIN} --epochs 2 --out parts"));
    here.done("train --resume parts --epochs 4");
    for file in ["weights/best.safetensors", "history.csv", "steps.csv", "predictions.csv"] {
        assert_eq!(here.read(&format!("whole/{file}")), here.read(&format!("parts/{file}")), "{file}");
    }
}

#[test]
fn without_a_model_the_documented_network_gets_a_unit_for_each_class() {
    let here = three();
    here.done("train set --image-size 32 --epochs 1 --out run");
    let summary = here.json("summary run");
    assert_eq!(summary["layers"].as_array().unwrap().last().unwrap()["output"], "3");
}

#[test]
fn evaluation_has_the_matrix_each_class_and_means_and_a_page() {
    let here = three();
    here.done(&format!("{TRAIN} --epochs 1 --out run"));
    let printed = here.done("evaluate run set --subset all --out judged");
    for line in [
        "Classes   3 (ant, bee, cat); the most probable is the answer",
        "true class  answered",
        "             0   1   2",
        "class  images  precision 95 % interval  recall 95 % interval      F1 95 % interval  ROC AUC",
    ] {
        assert!(printed.lines().any(|found| found == line), "{line}\n{printed}");
    }
    let object = here.json("evaluate run set --subset all");
    let confusion = object["confusion"].as_array().unwrap();
    let count = |row: usize, column: usize| confusion[row][column].as_u64().unwrap();
    assert_eq!([0, 1, 2].map(|row| (0..3).map(|column| count(row, column)).sum::<u64>()), [10, 15, 20]);
    let accuracy = (0..3).map(|class| count(class, class)).sum::<u64>() as f64 / 45.0;
    assert_eq!((object["accuracy"].as_f64(), object["images"].as_u64()), (Some(accuracy), Some(45)));
    let recalls = object["per_class"].as_array().unwrap().iter().map(|class| class["recall"].as_f64().unwrap());
    let expected = (0..3).map(|class| count(class, class) as f64 / [10.0, 15.0, 20.0][class]);
    assert_eq!(recalls.collect::<Vec<f64>>(), expected.collect::<Vec<f64>>());
    assert_eq!((&object["positive_class"], &object["threshold"]), (&json!(null), &json!(null)));
    let first = &object["predictions"][0];
    let sum: f64 = first["probabilities"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-6, "{first}");

    let page = here.text("judged/evaluation.html");
    assert!(page.contains("<h2>Classes</h2>") && page.contains("<td>bee</td>"));
    assert_eq!(here.text("judged/predictions.csv").lines().count(), 46);
    let sentence =
        "--threshold 0.3: it parts two classes, and of the model's 3 the most probable is the answer; leave it out";
    here.refused("evaluate run set --threshold 0.3", 2, sentence);
}

#[test]
fn predictions_name_the_most_probable_classes() {
    let here = three();
    here.done(&format!("{TRAIN} --epochs 30 --out run"));
    let printed = here.done("predict run set/bee/p00_00.png");
    let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines[0], ["file", "class", "probability"]);
    assert_eq!(lines[1][..2], ["set/bee/p00_00.png", "bee"]);
    let printed = here.done("predict run set/bee/p00_00.png --top 3");
    let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines[0], ["file", "class", "probability", "class_2", "probability_2", "class_3", "probability_3"]);
    let probabilities: Vec<f64> = [2, 4, 6].map(|column| lines[1][column].parse().unwrap()).to_vec();
    assert!(probabilities.is_sorted_by(|a, b| a >= b) && (probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-5);
    let object = here.json("predict run set/bee/p00_00.png --top 2 --plot seen.png");
    assert_eq!(object["predictions"][0]["top"].as_array().unwrap().len(), 2);
    assert_eq!(object["predictions"][0]["top"][0]["class"], "bee");
    let sentence = "--top 4: the model tells 3 classes apart; give at most as many";
    here.refused("predict run set/bee/p00_00.png --top 4", 2, sentence);
}

#[test]
fn of_two_classes_the_most_probable_are_told_where_they_are_asked_for() {
    let here = Here::with_model();
    let printed = here.done("predict run set/cat/00.png --top 2");
    let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines[0], ["file", "class", "probability", "class_2", "probability_2"]);
    let [first, second] = [2, 4].map(|column| lines[1][column].parse::<f64>().unwrap());
    assert!(first >= second && (first + second - 1.0).abs() < 1e-5);
}

#[test]
fn a_network_of_two_units_is_one_of_two_classes() {
    let here = Here::with_set();
    here.write("two.toml", TINY.replace("units = 1 }", "units = 2 }"));
    let printed = here.done("train set --model two.toml --epochs 2 --out run");
    assert!(printed.contains("Positive class 'dog': sensitivity"), "{printed}");
    assert!(here.text("run/predictions.csv").starts_with("file,label,probability\n"));
    let object = here.json("evaluate run set --threshold 0.4");
    assert_eq!((&object["positive_class"], &object["threshold"]), (&json!("dog"), &json!(0.4)));
    assert!(here.done("predict run set/cat/00.png").starts_with("file\tclass\tp(dog)\n"));
}

#[test]
fn folds_and_groups_part_every_class_and_go_on() {
    let here = three();
    let train = format!("{TRAIN} --epochs 2 --folds 3");
    let printed = here.done(&format!("{train} --group-regex /(p[0-9]+)_ --out run"));
    let heads = "fold  train  validate │  epoch  val_loss  val_accuracy │ val_loss  val_accuracy  ROC AUC  mean recall  mean F1";
    assert!(printed.lines().any(|line| line == heads), "{printed}");
    assert!(printed.contains("Always answering 'cat' would be right for 20 of 45 images (0.4444)"), "{printed}");
    let folds = here.text("run/folds.csv");
    assert!(folds.starts_with("fold,training_images,validation_images,best_epoch,best_val_loss,best_val_accuracy,val_loss,val_accuracy,roc_auc,balanced_accuracy,macro_f1,last_epoch"), "{folds}");
    let mut sides: Vec<(String, String)> = Vec::new();
    for line in here.text("run/fold1/split.csv").lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        sides.push((fields[3].to_string(), fields[2].to_string()));
    }
    sides.sort();
    sides.dedup();
    assert!(sides.windows(2).all(|pair| pair[0].0 != pair[1].0), "a group is on both sides: {sides:?}");
    // All is done; what the folds came to is read from their files.
    std::fs::remove_file(here.path("run/folds.csv")).unwrap();
    here.done("train --resume run");
    assert_eq!(here.text("run/folds.csv"), folds);
    let object = here.json(&format!("{train} --out again"));
    assert!(object["mean"]["macro_f1"].is_number() && object["folds"][0]["balanced_accuracy"].is_number());
    let sentence = "--folds 11: each fold validates on every class, and ant has 10 images; use fewer folds";
    here.refused(&format!("{TRAIN} --folds 11 --out more"), 2, sentence);
}

#[test]
fn inspection_counts_each_class_and_names_rare_ones_and_what_tells_one_from_the_others() {
    let here = three();
    for image in 0..2 {
        here.write(&format!("set/dog/{image}.png"), grey(250 - image));
    }
    let printed = here.done("inspect set --validation-split 0.5");
    let row = |name: &str| printed.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_string();
    assert_eq!(row("2 cat").split_whitespace().collect::<Vec<_>>(), ["2", "cat", "10", "10", "20"]);
    assert_eq!(row("all").split_whitespace().collect::<Vec<_>>(), ["all", "24", "23", "47"]);
    assert!(!printed.contains("The positive class"), "{printed}");
    let object = here.json("inspect set --validation-split 0.5");
    let kinds: Vec<&str> =
        object["findings"].as_array().unwrap().iter().map(|found| found["kind"].as_str().unwrap()).collect();
    assert!(["imbalance", "few_validated", "rare_classes"].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    assert_eq!(object["classes"][3], json!({"name": "dog", "training": 1, "validation": 1}));
}

#[test]
fn samples_show_every_class() {
    let here = three();
    let printed = here.done("samples set --per-class 4 --out samples.png");
    assert_eq!(printed, "Drew 12 images of 3 classes into samples.png\n");
    let object = here.json("samples set --per-class 4 --out samples.png");
    let shown: Vec<usize> =
        object["classes"].as_array().unwrap().iter().map(|class| class["images"].as_array().unwrap().len()).collect();
    assert_eq!(shown, [4, 4, 4]);
}

#[test]
fn other_classes_than_the_models_are_told() {
    let here = three();
    here.done(&format!("{TRAIN} --epochs 1 --out run"));
    std::fs::rename(here.path("set/bee"), here.path("set/wasp")).unwrap();
    let sentence = "set: its class folders, 3 ('ant', 'cat', 'wasp'), are not those of the model, 'ant', 'bee' and 'cat'; name them \
                    as the model names its classes";
    here.refused("evaluate run set", 1, sentence);
    std::fs::remove_dir_all(here.path("set/wasp")).unwrap();
    let ran = here.run("evaluate run set --subset all --json --quiet");
    assert!(
        ran.stderr.starts_with("warning: the files of set are not, or not all, those of the run"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.json()["per_class"][1]["recall"], json!(null), "a class without images has no recall");
    let sentence = "three.toml: its last layer has 3 units, which tells 3 classes apart, and the data have 2, 'ant' and 'cat'; end it \
                    with { type = \"dense\", units = 1 }";
    here.refused(&format!("{TRAIN} --out other"), 2, sentence);
}
