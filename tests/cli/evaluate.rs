//! `glassnet evaluate`.

use super::{Here, csv, encoded, keys, noise, set, zipped};
use glassnet::checkpoint::{self, ModelCard, RESCALE, RESIZE, TrainingFacts};
use glassnet::network::Network;
use glassnet::spec::ModelSpec;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

/// A network of one product: an image of one grey pixel of level g has the logit (g − 128)/16.
const ONE_PIXEL: &str = "input = [1, 1, 3]\nlayers = [{ type = \"flatten\" }, { type = \"dense\", units = 1 }]";

/// Writes the network's weights as a model of these classes.
fn write_known_model(here: &Here, name: &str, classes: [&str; 2]) {
    let spec: ModelSpec = toml::from_str(ONE_PIXEL).unwrap();
    let network = Network::new(&spec).unwrap();
    let mut parameters = network.initial_parameters(0);
    parameters.tensor_mut(0).copy_from_slice(&[255.0 / 16.0, 0.0, 0.0]);
    parameters.tensor_mut(1).copy_from_slice(&[-8.0]);
    let card = ModelCard {
        version: "0.1.0".into(),
        spec,
        classes: classes.map(String::from),
        rescale: RESCALE,
        resize: RESIZE.into(),
        threshold: 0.5,
        training: TrainingFacts { epochs: 1, seed: 0, images: 20, val_loss: None, val_accuracy: None },
    };
    checkpoint::save(&here.path(name), &card, &parameters).unwrap();
}

fn grey(level: u8) -> Vec<u8> {
    encoded(RgbImage::from_pixel(1, 1, Rgb([level; 3])), ImageFormat::Png)
}

/// `known.safetensors`, and the set `greys` of 5 cats and 6 dogs, each file named by its grey level. A cat and two dogs are
/// on the wrong side of 128, and two levels are those of a cat and of a dog.
fn with_known_answers() -> Here {
    let here = Here::empty();
    write_known_model(&here, "known.safetensors", ["cat", "dog"]);
    for (class, levels) in [("cat", &[80, 96, 112, 120, 144][..]), ("dog", &[100, 120, 144, 160, 176, 192])] {
        for level in levels {
            here.write(&format!("greys/{class}/{level}.png"), grey(*level));
        }
    }
    here
}

const KNOWN: &str = "evaluate known.safetensors greys";

#[test]
fn the_report_of_known_answers_is_what_scikit_learn_scipy_and_numpy_compute() {
    let expected = "\
Model     known.safetensors, trained for 1 epoch on 20 images
Data      greys
Subset    all 11 images; which of them trained the model is not known: known.safetensors does not stand in the weights folder of a run, whose split.csv would tell
Positive  'dog' (class 1), answered where its probability is above 0.5, else 'cat'

true class  answered
              cat    dog
cat             4      1
dog             2      4

measure                value  95 % interval
loss                  0.5152                 always answering ½ has 0.6931, and the share of 'dog' has 0.6890
accuracy              0.7273  0.4344–0.9025  8 of 11 right; always answering 'dog' has 0.5455
sensitivity           0.6667  0.3000–0.9032  4 of 6 'dog' found
specificity           0.8000  0.3755–0.9638  4 of 5 'cat' recognized
balanced accuracy     0.7333                 the mean of the two above; any constant answer has 0.5
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
Not for diagnosis.
";
    assert_eq!(with_known_answers().done(KNOWN), expected);
}

#[test]
fn with_json_stdout_is_one_object_with_all_of_it() {
    let object = with_known_answers().json(KNOWN);
    let wanted = [
        "accuracy",
        "balanced_accuracy",
        "calibration",
        "cautions",
        "classes",
        "confusion",
        "data",
        "errors",
        "images",
        "intervals",
        "loss",
        "loss_of_share",
        "majority_share",
        "model",
        "note",
        "positive_class",
        "predictions",
        "roc_auc",
        "sensitivity",
        "specificity",
        "subset",
        "threshold",
        "training",
        "undefined",
    ];
    assert_eq!(keys(&object), wanted);
    assert_eq!((object["positive_class"].as_str(), object["threshold"].as_f64()), (Some("dog"), Some(0.5)));
    let confusion = json!({"true_positive": 4, "false_positive": 1, "true_negative": 4, "false_negative": 2});
    assert_eq!(object["confusion"], confusion);
    assert_eq!(object["specificity"].as_f64(), Some(4.0 / 5.0));
    // Of 30 pairs a dog's level is above the cat's in 24 and equal to it in 2.
    assert_eq!(object["roc_auc"].as_f64(), Some(25.0 / 30.0));
    assert_eq!(object["undefined"], json!({}));
    assert_eq!(keys(&object["intervals"]), ["accuracy", "level", "note", "roc_auc", "sensitivity", "specificity"]);
    let area = &object["intervals"]["roc_auc"];
    assert_eq!(keys(area), ["high", "low"]);
    assert!((area["low"].as_f64().unwrap() - 0.45583525090597127).abs() < 1e-9, "{area}");
    let bins = object["calibration"]["bins"].as_array().unwrap();
    assert_eq!(bins.len(), 10);
    assert_eq!(bins[4]["interval"], Value::Null, "a bin without an image");
    let predictions = object["predictions"].as_array().unwrap();
    assert_eq!((predictions.len(), &predictions[0]["file"]), (11, &json!("cat/112.png")));
    for prediction in predictions {
        let file = prediction["file"].as_str().unwrap();
        let level: f64 = file[4..file.len() - 4].parse().unwrap();
        let probability = 1.0 / (1.0 + (-(level - 128.0) / 16.0).exp());
        assert!((prediction["probability"].as_f64().unwrap() - probability).abs() < 1e-6, "{prediction}");
        assert_eq!(prediction["label"], file[..3]);
    }
}

#[test]
fn the_threshold_moves_the_confusion_and_nothing_else() {
    let here = with_known_answers();
    let (half, high) = (here.json(KNOWN), here.json(&format!("{KNOWN} --threshold 0.9")));
    // 0.9 is the logit 2.197, the level 163: of the dogs 176 and 192 are above it.
    let confusion = json!({"true_positive": 2, "false_positive": 0, "true_negative": 5, "false_negative": 4});
    assert_eq!((&high["confusion"], high["threshold"].as_f64()), (&confusion, Some(0.9)));
    for same in ["loss", "roc_auc", "calibration", "predictions", "majority_share"] {
        assert_eq!(half[same], high[same], "{same}");
    }
    let text = here.done(&format!("{KNOWN} --threshold 0.9"));
    assert!(text.contains("Positive  'dog' (class 1), answered where its probability is above 0.9, else 'cat'\n"));
    assert!(text.contains("2 of 6 'dog' found"), "{text}");
}

#[test]
fn a_folder_and_a_zip_of_it_are_judged_alike_on_any_number_of_threads() {
    let here = Here::with_model();
    here.write("set.zip", zipped(&set()));
    let folder = here.done("evaluate run set");
    assert_eq!(here.done("evaluate run set.zip"), folder.replace("Data      set", "Data      set.zip"));
    assert_eq!(here.done("evaluate run set --threads 1"), folder);
}

#[test]
fn the_subsets_are_those_of_the_run_and_their_figures_are_those_it_wrote() {
    let here = Here::with_model();
    let last = "run/weights/last.safetensors";
    let object = here.json(&format!("evaluate {last} set --subset validation"));
    let history = here.text("run/history.csv");
    let epoch = csv(&history).pop().unwrap();
    assert!((object["loss"].as_f64().unwrap() - epoch[4].parse::<f64>().unwrap()).abs() < 1e-9);
    assert_eq!(object["accuracy"].as_f64(), epoch[3].parse().ok());
    let predictions = here.text("run/predictions.csv");
    let written: Vec<(&str, &str, f32)> =
        csv(&predictions)[1..].iter().map(|row| (row[0], row[1], row[2].parse().unwrap())).collect();
    let answered: Vec<(&str, &str, f32)> = object["predictions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (row["file"].as_str().unwrap(), row["label"].as_str().unwrap(), row["probability"].as_f64().unwrap() as f32)
        })
        .collect();
    assert_eq!(answered, written);
    let subset = json!({
        "name": "validation",
        "images": 4,
        "of": 24,
        "description": "validation, 4 of 24 images, as run/split.csv lists them; the files are those of the run, byte for byte",
        "split_file": "run/split.csv",
        "trained": 0,
        "validated": 4,
        "neither": 0,
        "same_files": true,
    });
    assert_eq!(object["subset"], subset);

    let training = here.json(&format!("evaluate {last} set --subset training"));
    assert_eq!((training["images"].as_u64(), training["subset"]["trained"].as_u64()), (Some(20), Some(20)));
    let all = here.done(&format!("evaluate {last} set"));
    let description = "Subset    all 24 images, of which run/split.csv lists 20 as training and 4 as validation images; the files are those of the run, byte for byte\n";
    assert!(all.contains(description), "{all}");
    let caution = "Caution   the model has seen images that it is judged on here, which flatters it\n";
    assert!(all.contains(caution), "{all}");
    assert!(!here.done(&format!("evaluate {last} set --subset validation")).contains("Caution   the model"));
}

#[test]
fn a_run_folder_stands_for_its_best_weights() {
    let here = Here::with_model();
    let text = here.done("evaluate run set");
    assert!(text.starts_with("Model     run/weights/best.safetensors, trained for "), "{text}");
    assert_eq!(here.done("evaluate run/weights/best.safetensors set"), text);
    assert_eq!(here.done("predict run set"), here.done("predict run/weights/best.safetensors set"));
}

#[test]
fn where_the_split_cannot_be_known_it_is_said_and_no_part_is_made_up() {
    let here = with_known_answers();
    let reason = "known.safetensors does not stand in the weights folder of a run, whose split.csv would tell";
    let text = here.done(KNOWN);
    assert!(
        text.contains(&format!("Subset    all 11 images; which of them trained the model is not known: {reason}\n"))
    );
    assert_eq!(here.json(KNOWN)["subset"]["trained"], Value::Null);
    let sentence = "--subset: which images validated the model is not known: REASON; use --subset all";
    here.refused(&format!("{KNOWN} --subset validation"), 2, &sentence.replace("REASON", reason));

    // A split.csv of another run than the model's.
    let here = Here::with_model();
    here.done("train set --model tiny.toml --epochs 1 --validation-split 0.5 --out half");
    std::fs::copy(here.path("half/split.csv"), here.path("run/split.csv")).unwrap();
    let reason = "run/split.csv lists 12 training images, and the model was trained on 20";
    let sentence = sentence.replace("validated", "trained");
    here.refused("evaluate run set --subset training", 2, &sentence.replace("REASON", reason));

    // Other images than the run's.
    here.write("others/cat/a.png", encoded(noise(7, 16, 16, 40), ImageFormat::Png));
    here.write("others/dog/b.png", encoded(noise(8, 16, 16, 120), ImageFormat::Png));
    let reason = "no image of others is named in half/split.csv, which is of another set";
    here.refused("evaluate half others --subset training", 2, &sentence.replace("REASON", reason));
    let all = here.done("evaluate half others");
    assert!(
        all.contains("all 2 images; half/split.csv, which lists what trained the model, names none of them\n"),
        "{all}"
    );
}

#[test]
fn files_that_are_not_those_of_the_run_are_told_apart_by_name_and_said_so() {
    let here = Here::with_model();
    here.write("set/dog/99.png", encoded(noise(9, 16, 16, 120), ImageFormat::Png));
    let more = here.json("evaluate run set")["subset"].clone();
    assert_eq!((&more["neither"], &more["same_files"]), (&json!(1), &json!(true)), "a file that was added");
    assert!(
        here.done("evaluate run set").contains("lists 20 as training and 4 as validation images, and 1 as neither; ")
    );

    here.write("set/dog/13.png", encoded(noise(9, 16, 16, 120), ImageFormat::Png));
    let ran = here.run("evaluate run set --subset validation --json");
    let warning = "warning: the files of set are not, or not all, those of the run, so what trained the model is told by name alone\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), warning));
    let subset = &ran.json()["subset"];
    assert_eq!((&subset["images"], &subset["same_files"]), (&json!(4), &json!(false)));
    let text = here.run("evaluate run set").stdout;
    assert!(text.contains("; by name alone, as the files are not, or not all, those of the run\n"), "{text}");
    assert!(text.contains("Caution   the model may have seen images that it is judged on here"), "{text}");
}

#[test]
fn classes_go_by_their_names_and_other_names_are_refused() {
    let here = with_known_answers();
    // The same network with dog as class 0: what was right is wrong.
    write_known_model(&here, "turned.safetensors", ["dog", "cat"]);
    let object = here.json("evaluate turned.safetensors greys");
    assert_eq!(object["positive_class"], "cat");
    let confusion = json!({"true_positive": 1, "false_positive": 4, "true_negative": 2, "false_negative": 4});
    assert_eq!(object["confusion"], confusion);

    std::fs::rename(here.path("greys/cat"), here.path("greys/ant")).unwrap();
    let sentence = "greys: its class folders, 2 ('ant', 'dog'), are not those of the model, 'cat' and 'dog'; name them as the model names its classes";
    here.refused(KNOWN, 1, sentence);
}

#[test]
fn of_one_class_what_can_be_told_is_told_and_the_rest_is_undefined() {
    let here = with_known_answers();
    std::fs::remove_dir_all(here.path("greys/cat")).unwrap();
    let text = here.done(&format!("{KNOWN} --out page"));
    for line in [
        "cat             0      0",
        "dog             2      4",
        "sensitivity           0.6667  0.3000–0.9032  4 of 6 'dog' found",
        "specificity        undefined                 no cat image",
        "ROC AUC            undefined                 no cat image",
    ] {
        assert!(text.lines().any(|printed| printed == line), "{line}\nis not in\n{text}");
    }
    assert!(here.text("page/evaluation.html").contains("ROC curve: undefined, no cat image."));
    let object = here.json(KNOWN);
    for measure in ["specificity", "balanced_accuracy", "roc_auc"] {
        assert_eq!((&object[measure], &object["undefined"][measure]), (&Value::Null, &json!("no cat image")));
    }
    assert_eq!(object["intervals"]["roc_auc"], Value::Null);
}

#[test]
fn of_an_empty_subset_everything_is_undefined() {
    let here = Here::with_set();
    here.done("train set --model tiny.toml --epochs 1 --validation-split 0 --out run");
    let text = here.done("evaluate run set --subset validation --out page");
    assert!(text.contains("Subset    validation, 0 of 24 images, as run/split.csv lists them; "), "{text}");
    assert_eq!(text.matches(" undefined ").count(), 8, "{text}");
    assert!(!text.contains("NaN") && !here.text("page/evaluation.html").contains("NaN"));
    assert!(here.text("page/evaluation.html").contains("No mistake among 0 images."));
    let object = here.json("evaluate run set --subset validation");
    assert_eq!((&object["loss"], &object["calibration"]), (&Value::Null, &Value::Null));
    assert_eq!(object["undefined"]["accuracy"], "no image");
}

#[test]
fn a_bad_image_is_named_and_the_others_are_judged() {
    let here = with_known_answers();
    let before = here.json(KNOWN);
    here.write("greys/cat/bad.png", "no picture");
    let error = "greys/cat/bad.png cannot be read as an image: its content is none of PNG, JPEG, BMP, PPM and TIFF; convert it or take it out";
    let ran = here.run(KNOWN);
    assert_eq!((ran.code, ran.stderr), (Some(1), format!("error: {error}\n")));
    assert!(ran.stdout.contains("Missing   1 of 12 images have no answer\n"), "{}", ran.stdout);
    let after = here.run(&format!("{KNOWN} --json"));
    assert_eq!(after.code, Some(1));
    let after = after.json();
    assert_eq!(after["errors"], json!([{"file": "cat/bad.png", "error": error}]));
    for same in ["confusion", "loss", "roc_auc", "predictions"] {
        assert_eq!(before[same], after[same], "{same}");
    }
}

#[test]
fn out_is_a_folder_with_a_page_that_needs_nothing_else_and_the_numbers() {
    let here = with_known_answers();
    let text = here.done(&format!("{KNOWN} --out judged"));
    assert!(text.ends_with("\nWritten to judged: evaluation.html, evaluation.json, predictions.csv\n"), "{text}");
    assert_eq!(here.names("judged"), ["evaluation.html", "evaluation.json", "predictions.csv"]);
    let json: Value = serde_json::from_str(&here.text("judged/evaluation.json")).unwrap();
    assert_eq!(json, here.json(KNOWN));
    let predictions = here.text("judged/predictions.csv");
    assert!(predictions.starts_with("file,label,probability\ncat/112.png,cat,0.26894"), "{predictions}");
    assert_eq!(predictions.lines().count(), 12);

    let page = here.text("judged/evaluation.html");
    assert_eq!(page.matches("<img ").count(), 4 + 3, "four pictures and three mistakes");
    assert_eq!(page.matches("src=\"data:image/").count(), 7);
    for outside in ["http:", "https:", "<script", "<link", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("ROC curve: area 0.8333, 95 % interval 0.4"), "{page}");
    assert!(page.contains("The point is the threshold 0.5;") && page.contains("Not for diagnosis."));
    assert!(page.contains("3 of 3 mistakes among 11 images"));
    // The farther on the wrong side, the earlier: 100 is 28 levels off, 144 is 16, 120 is 8.
    let places = ["dog/100.png", "cat/144.png", "dog/120.png"].map(|file| page.find(&format!(">{file}<")).unwrap());
    assert!(places.is_sorted());
    assert!(page.contains("<b>dog</b> taken for cat, p = 0.1480"));
    for picture in ["ROC curve", "Confusion matrix", "Probabilities by class", "Reliability diagram"] {
        assert!(page.contains(&format!("alt=\"{picture}\"")));
    }
}

#[test]
fn a_wrong_call_is_told_before_the_work_and_writes_nothing() {
    let here = with_known_answers();
    for value in ["0", "1", "-0.5", "nan", "x"] {
        let sentence =
            format!("invalid value '{value}' for '--threshold <T>': it must be a number above 0 and below 1");
        here.misused(&format!("{KNOWN} --threshold {value}"), &sentence);
    }
    here.misused(&format!("{KNOWN} --subset test"), "invalid value 'test' for '--subset <NAME>'");
    here.misused("evaluate known.safetensors", "the following required arguments were not provided:");
    here.refused("evaluate missing greys", 2, "missing does not exist; check the path");
    here.refused("evaluate known.safetensors missing", 2, "missing does not exist; check the path");
    let sentence = "--out: a folder is written, with evaluation.html, evaluation.json and predictions.csv in it, and page.html is the name of a file; name a folder";
    here.refused(&format!("{KNOWN} --out page.html"), 2, sentence);
    let sentence = "--out: greys is not empty, and nothing is overwritten; name a new folder";
    here.refused(&format!("{KNOWN} --out greys"), 2, sentence);
    let folder = "weights file greys: it is not a file; give one that 'glassnet train' wrote, such as weights/best.safetensors in a run folder";
    here.refused("evaluate greys greys", 1, folder);
    here.refused(
        "evaluate known.safetensors tiny.toml --out new",
        1,
        "tiny.toml: it is neither a folder nor a zip; give a folder that holds two class folders, or a zip of one",
    );
    assert!(!here.path("new").exists() && !here.path("page.html").exists());
}
