//! Images that may have several labels, or none, in every command: a red left, a green right and a blue lower
//! part.

use super::array_bytes::{npy, npz};
use super::{Here, TINY, csv, encoded, noise};
use image::{ImageFormat, Rgb};
use serde_json::json;

const TRAIN: &str = "train set/labels.csv --label-column red,green,blue --model three.toml --learning-rate 0.01 --dropout 0 \
                     --batch-size 8";

/// Whether an image of the set has each label: all combinations in turn, one of them twice as often.
fn has(image: usize) -> [bool; 3] {
    let combination = if image % 9 == 8 { 3 } else { image % 9 };
    [0, 1, 2].map(|label| combination >> label & 1 == 1)
}

/// A folder with a set of 72 images and its table, beside `three.toml`. The table has a column for each
/// label, one with all labels of an image, and groups of two images.
fn labelled() -> Here {
    let here = Here::empty();
    let mut table = String::from("path,red,green,blue,all,owner\n");
    for image in 0..72 {
        let mut picture = noise(image as u64, 16, 16, 20);
        for (x, y, pixel) in picture.enumerate_pixels_mut() {
            let [red, green, blue] = has(image);
            let Rgb(values) = pixel;
            *values = values.map(|value| value / 4);
            values[0] = values[0].max(if red && x < 8 { 200 } else { 0 });
            values[1] = values[1].max(if green && x >= 8 { 200 } else { 0 });
            values[2] = values[2].max(if blue && y >= 10 { 200 } else { 0 });
        }
        here.write(&format!("set/images/{image:02}.png"), encoded(picture, ImageFormat::Png));
        let [red, green, blue] = has(image).map(u8::from);
        let names = ["red", "green", "blue"].into_iter().zip(has(image)).filter(|(_, has)| *has);
        let all = names.map(|(name, _)| name).collect::<Vec<&str>>().join("|");
        table += &format!("images/{image:02}.png,{red},{green},{blue},{all},o{}\n", image / 2);
    }
    here.write("set/labels.csv", table);
    here.write("three.toml", TINY.replace("units = 1 }", "units = 3 }"));
    here
}

#[test]
fn a_run_learns_each_label_and_tells_of_all_of_them() {
    let here = labelled();
    let printed = here.done(&format!("{TRAIN} --epochs 60 --out run"));
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "Found 57 images, each with any number of 3 labels.",
            "Found 15 images, each with any number of 3 labels.",
            "Always answering 'red;green' would be right for 13 of 57 training images (0.2281) and 3 of 15 validation images (0.2000)",
        ]
    );
    let closing = |start: &str| lines.iter().find(|line| line.starts_with(start)).copied().unwrap_or_default();
    let exact = closing("Validation, last weights: 15 of 15 with every label right, exact match 1.0000");
    assert!(exact.ends_with("; always answering 'red;green' would have 0.2000"), "{printed}");
    assert!(closing("Means of the labels: ROC AUC 1.0000, sensitivity 1.0000").ends_with("F1 1.0000"), "{printed}");
    assert!(printed.contains(" - val_exact_match: 1.0000 - val_macro_roc_auc: 1.0000"), "{printed}");

    let config: toml::Table = here.text("run/config.toml").parse().unwrap();
    assert_eq!(config["model"]["several_labels"].as_bool(), Some(true), "the data tell, though three.toml does not");
    assert_eq!(config["settings"]["label_column"].as_str(), Some("red,green,blue"));
    assert!(config["data"].get("positive_class").is_none());
    let history = here.text("run/history.csv");
    let rows = csv(&history);
    assert_eq!(rows[0][5..], ["val_exact_match", "val_macro_f1", "val_macro_roc_auc"]);
    assert_eq!((rows.len(), rows[60][5]), (61, "1.0"));
    let split = here.text("run/split.csv");
    let rows = csv(&split);
    let part = |file: &str| rows.iter().find(|row| row[0] == file).map(|row| row[1..3].to_vec()).unwrap_or_default();
    // Of each combination the first images validate, as of a class.
    assert_eq!(part("(none)/00.png"), ["(none)", "validation"]);
    assert_eq!(part("(none)/63.png"), ["(none)", "training"]);
    let predictions = here.text("run/predictions.csv");
    let rows = csv(&predictions);
    assert_eq!(rows[0], ["file", "labels", "answers", "p(red)", "p(green)", "p(blue)"]);
    assert!(rows[1..].iter().all(|row| row[1] == row[2]) && rows.len() == 16, "{predictions}");
    assert!(rows[1..].iter().any(|row| row[1].is_empty()) && rows[1..].iter().any(|row| row[1] == "red;green;blue"));
}

#[test]
fn a_run_is_stopped_and_goes_on_to_the_same_bits() {
    let here = labelled();
    here.done(&format!("{TRAIN} --epochs 4 --watch --out whole"));
    here.done(&format!("{TRAIN} --epochs 2 --watch --out parts"));
    here.done("train --resume parts --epochs 4");
    for file in ["weights/best.safetensors", "history.csv", "steps.csv", "predictions.csv", "split.csv"] {
        assert_eq!(here.read(&format!("whole/{file}")), here.read(&format!("parts/{file}")), "{file}");
    }
    let page = here.text("whole/report.html");
    assert!(page.contains("<h2>Labels</h2>") && page.contains("images have a wrong answer to a label"));
    // A label that was changed is another set.
    let table = here.text("set/labels.csv").replace("images/00.png,0,0,0", "images/00.png,1,0,0");
    here.write("set/labels.csv", table);
    let ran = here.run("train --resume parts --epochs 5");
    assert!(ran.code == Some(2) || ran.code == Some(1), "{}", ran.stdout);
    assert!(ran.stderr.contains("the images are not those of the run"), "{}", ran.stderr);
}

#[test]
fn a_column_of_all_labels_and_arrays_make_the_same_run_as_a_column_for_each() {
    let here = labelled();
    here.done(&format!("{TRAIN} --epochs 2 --out run"));
    // Its labels are sorted, so they are named here as the run has them.
    let separated = "train set/labels.csv --label-column all --label-separator | --model three.toml --learning-rate 0.01 \
                     --dropout 0 --batch-size 8 --epochs 2 --out other";
    here.done(separated);
    let config: toml::Table = here.text("other/config.toml").parse().unwrap();
    let classes: Vec<&str> =
        config["data"]["classes"].as_array().unwrap().iter().filter_map(|name| name.as_str()).collect();
    assert_eq!(classes, ["blue", "green", "red"]);
    here.done("train --resume other --epochs 3");

    // MedMNIST's manner, with names that are numbers.
    let pixels: Vec<u8> = (0..12 * 256).map(|pixel| (pixel * 7 % 251) as u8).collect();
    let labels: Vec<u8> = (0..12).flat_map(has).map(u8::from).collect();
    let part = || (npy("|u1", &[12, 16, 16], &pixels), npy("|u1", &[12, 3], &labels));
    let [(train_images, train_labels), (val_images, val_labels)] = [part(), part()];
    here.write(
        "med.npz",
        npz(&[
            ("train_images", train_images),
            ("train_labels", train_labels),
            ("val_images", val_images),
            ("val_labels", val_labels),
        ]),
    );
    let printed = here.done("train med.npz --model three.toml --epochs 1 --out med");
    assert!(printed.starts_with("Found 12 images, each with any number of 3 labels.\n"), "{printed}");
    let json = here.json("evaluate med med.npz --subset validation");
    assert_eq!((&json["classes"], &json["images"]), (&json!(["0", "1", "2"]), &json!(12)));
}

#[test]
fn evaluation_has_each_label_and_their_means_and_a_page() {
    let here = labelled();
    here.done(&format!("{TRAIN} --epochs 1 --out run"));
    let printed = here.done("evaluate run --subset all --out judged");
    let of = "Labels    3 (red, green, blue); an image may have several, and each is answered where its probability is above 0.5";
    assert!(printed.contains(of) && printed.contains("\nmacro F1 ") && printed.contains("\nexact match "), "{printed}");
    let heading = "label  images  sensitivity 95 % interval  specificity 95 % interval  precision      F1  ROC AUC  found, missed, false";
    assert!(printed.contains(heading), "{printed}");
    let json = here.json("evaluate run --subset all");
    assert_eq!((&json["images"], json["per_label"].as_array().unwrap().len()), (&json!(72), 3));
    assert_eq!((&json["positive_class"], &json["per_label"][0]["images"]), (&json!(null), &json!(40)));
    let label = &json["per_label"][2];
    let count = |name: &str| label["confusion"][name].as_u64().unwrap();
    assert_eq!(count("true_positive") + count("false_negative"), label["images"].as_u64().unwrap());
    let first = &json["predictions"][0];
    assert_eq!((&first["labels"], first["probabilities"].as_array().unwrap().len()), (&json!([]), 3));
    assert_eq!(here.names("judged"), ["evaluation.html", "evaluation.json", "predictions.csv"]);
    assert!(here.text("judged/evaluation.html").contains("<td>blue</td>"));
    // Where every probability is above the threshold, every label is answered.
    let json = here.json("evaluate run --subset all --threshold 0.000001");
    assert_eq!(
        (&json["macro"]["sensitivity"]["value"], &json["macro"]["specificity"]["value"]),
        (&json!(1.0), &json!(0.0))
    );
}

#[test]
fn prediction_tells_all_labels_above_the_threshold() {
    let here = labelled();
    here.done(&format!("{TRAIN} --epochs 60 --out run"));
    let printed = here.done("predict run set/images --csv answers.csv");
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!((lines[0], lines.len()), ("file\tlabels\tp(red)\tp(green)\tp(blue)", 73));
    assert!(lines[1].starts_with("set/images/00.png\t(none)\t0."), "{}", lines[1]);
    assert!(lines[8].starts_with("set/images/07.png\tred;green;blue\t"), "{}", lines[8]);
    let answers = here.text("answers.csv");
    assert_eq!(csv(&answers)[0], ["file", "labels", "p(red)", "p(green)", "p(blue)"]);
    let json = here.json("predict run set/images/03.png set/images/00.png --tta flip");
    assert_eq!((&json["predictions"][1]["labels"], &json["classes"]), (&json!([]), &json!(["red", "green", "blue"])));
    for flag in ["--top 2", "--unsure 0.4,0.6", "--sort-into sorted", "--plot grid.png"] {
        let sentence = format!(
            "{}: it is for one class of each image, and for this model an image may have several labels; leave it out",
            flag.split(' ').next().unwrap()
        );
        here.refused(&format!("predict run set/images {flag}"), 2, &sentence);
    }
    assert!(!here.path("sorted").exists());
}

#[test]
fn the_data_are_told_by_label_and_by_what_stands_together() {
    let here = labelled();
    let inspect = "inspect set/labels.csv --label-column red,green,blue";
    let printed = here.done(inspect);
    for line in [
        "label                      training validation        all",
        "0 red                            32          8         40",
        "images                           57         15         72",
        "together                   training validation        all",
        "red;green                        13          3         16",
    ] {
        assert!(printed.lines().any(|other| other == line), "{line} in {printed}");
    }
    let json = here.json(inspect);
    assert_eq!(json["labels"][0], json!({"name": "red", "training": 32, "validation": 8}));
    assert_eq!((json["classes"].as_array().unwrap().len(), &json["positive_class"]), (8, &json!(null)));
    // Groups stay whole.
    let printed = here.done(&format!("{TRAIN} --group-column owner --epochs 1 --out grouped"));
    assert!(printed.contains("; each is on one side"), "{printed}");
    let further = "--validation-data set/labels.csv --epochs 1 --out further";
    let ran =
        here.run(&format!("train set --labels further.csv --label-column red,green --model three.toml {further}"));
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
}

#[test]
fn what_means_nothing_for_several_labels_is_refused() {
    let here = labelled();
    let several = "--label-column red,green,blue";
    let train = format!("{TRAIN} --epochs 1 --out no");
    let sentence = "--class-weight: it weighs classes, of which an image has one, and here an image may have several labels; leave it out";
    here.refused(&format!("{train} --class-weight balanced"), 2, sentence);
    let sentence =
        "--folds 3: each fold validates on every class, and here an image may have several labels; leave it out";
    here.refused(&format!("{train} --folds 3"), 2, sentence);
    here.write("two.toml", TINY.replace("units = 1 }", "units = 2 }"));
    let sentence = "two.toml: its last layer has 2 units, and the data have 3 labels, 'red', 'green' and 'blue'; end it with { type = \"dense\", units = 3 }";
    here.refused(&train.replace("three.toml", "two.toml"), 2, sentence);
    let sentence = "set/labels.csv: its images may have several labels, and a pack holds the class of each; give it as it is where DATA is wanted";
    here.refused(&format!("pack set/labels.csv {several} --out set.pack"), 1, sentence);
    let sentence = "set/labels.csv: a lecture speaks of the class of each image, and these may have several labels; give images of classes";
    here.refused(&format!("lecture set/labels.csv {several} --model three.toml"), 1, sentence);
    assert!(!here.path("no").exists());

    here.done(&format!("{TRAIN} --epochs 1 --out run"));
    let reason = "speaks of the class of each image, and for this model an image may have several labels; give another";
    here.refused("explain run set/images/00.png --out page.html", 2, &format!("run: explain {reason}"));
    here.refused("gradcheck run set/images/00.png", 2, &format!("run: gradcheck {reason}"));
    let ran = here.run("evaluate run set/labels.csv --label-column owner --subset all");
    assert!(ran.stderr.contains("its images are each of one class, and for the model an image may have several labels, 'red', 'green' and 'blue'"), "{}", ran.stderr);
    here.write("classes.csv", "path,label\nimages/00.png,a\nimages/01.png,b\n");
    let ran =
        here.run("train set --labels classes.csv --model tiny.toml --epochs 1 --validation-split 0 --out classes");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let ran = here.run(&format!("evaluate classes set/labels.csv {several} --subset all"));
    assert!(
        ran.stderr.contains("its images may have several labels, and for the model each is of one class, 'a' and 'b'"),
        "{}",
        ran.stderr
    );
    here.write("several.toml", format!("several_labels = true\n{}", here.text("three.toml")));
    let ran = here.run("train set --labels classes.csv --model several.toml --epochs 1 --out no");
    let sentence = "several.toml: it is for images that may have several labels, and each image of the data is of one class, 'a' and 'b'; take several_labels out of it";
    assert!(ran.stderr.contains(sentence), "{}", ran.stderr);
}

#[test]
fn models_of_several_labels_go_through_every_door() {
    let here = labelled();
    here.done(&format!("{TRAIN} --epochs 2 --out run"));
    let answers = |model: &str| here.done(&format!("predict {model} set/images"));
    let expected = answers("run/weights/last.safetensors");
    for (format, file) in [("onnx", "m.onnx"), ("keras", "m.keras"), ("npz", "m.npz")] {
        here.done(&format!("export run/weights/last.safetensors set/images/03.png --format {format} --out {file}"));
        let out = format!("{format}.safetensors");
        let printed = here.done(&format!("import {file} --out {out} --check set/images/03.png"));
        assert!(printed.contains("3 answers, the probability of each of as many labels"), "{printed}");
        assert!(printed.contains("Labels: 'red', 'green' and 'blue' (the file's)"), "{printed}");
        assert_eq!(answers(&out), expected, "{format}");
    }
    let script = here.done("export run --format npz --out s.npz --script keras --script pytorch");
    assert!(script.contains("s_keras.py"), "{script}");
    assert!(here.text("s_keras.py").contains("BinaryCrossentropy(from_logits=True)(labels.astype(\"float32\"), z)"));
    assert!(here.text("s_pytorch.py").contains("binary_cross_entropy_with_logits(z, labels.float())"));
}
