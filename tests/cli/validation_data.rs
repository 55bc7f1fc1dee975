//! `--validation-data`: a set that validates beside the one that trains.

use super::{Here, csv, encoded, noise, set, zipped};
use expect_test::expect;
use image::ImageFormat;

/// A folder with `set`, and `other` of 3 cats and 2 dogs, whose files have names that are in `set` too.
fn with_two_sets() -> Here {
    let here = Here::with_set();
    for (seed, name) in ["cat/00.png", "cat/01.png", "cat/02.png", "dog/00.png", "dog/01.png"].iter().enumerate() {
        let level = if name.starts_with("cat") { 40 } else { 120 };
        here.write(&format!("other/{name}"), encoded(noise(500 + seed as u64, 16, 16, level), ImageFormat::Png));
    }
    here
}

const TRAIN: &str = "train set --validation-data other --model tiny.toml --epochs 2 --out run";

#[test]
fn all_of_data_trains_and_all_of_the_other_set_validates() {
    let here = with_two_sets();
    here.prints(TRAIN, expect![[r#"
        Found 24 images belonging to 2 classes.
        Found 5 images belonging to 2 classes.
        Always answering 'dog' would be right for 14 of 24 training images (0.5833) and 2 of 5 validation images (0.4000)
        Epoch 1/2
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.3750 - val_loss: #.#### - val_accuracy: 0.6000
        Epoch 2/2
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.5000 - val_loss: #.#### - val_accuracy: 0.8000
        Training Accuracy: 0.5000
        Training images again, without dropout: the last weights have accuracy 0.4583, loss #.#### (while training: accuracy 0.5000)
        Validation, last weights: 4 of 5 right, accuracy 0.8000; always answering 'cat' would have 0.6000
        Positive class 'dog': sensitivity 1.0000, specificity 0.6667, ROC AUC 0.8333
        Best weights: those of epoch 2, with the lowest val_loss, #.####
        After epoch 1, every validation image was taken for 'cat': the val_accuracy there is that class's share, no skill
        Run folder: run
    "#]]);
    let split = here.text("run/split.csv");
    let rows = csv(&split);
    assert_eq!(rows[0], ["file", "class", "subset", "sha256"]);
    assert_eq!(rows[1][..3], ["cat/00.png", "cat", "training"]);
    assert_eq!(rows[25][..3], ["other/cat/00.png", "cat", "validation"]);
    assert_eq!(rows.len(), 1 + 24 + 5);
    let predictions = here.text("run/predictions.csv");
    let files: Vec<&str> = csv(&predictions)[1..].iter().map(|row| row[0]).collect();
    assert_eq!(
        files,
        ["other/cat/00.png", "other/cat/01.png", "other/cat/02.png", "other/dog/00.png", "other/dog/01.png"]
    );
    let config: toml::Table = here.text("run/config.toml").parse().unwrap();
    assert_eq!(config["data"]["validation_path"].as_str(), Some("other"));
    assert!(config["settings"].get("validation_split").is_none());
    // The hash of DATA is what it would be if nothing validated.
    here.run("train set --validation-split 0 --model tiny.toml --epochs 1 --out alone");
    let alone: toml::Table = here.text("alone/config.toml").parse().unwrap();
    assert_eq!(config["data"]["sha256"], alone["data"]["sha256"]);
}

#[test]
fn a_zip_validates_as_its_folder_does() {
    let here = with_two_sets();
    here.done(TRAIN);
    let files = here.names("other/cat").into_iter().map(|name| format!("cat/{name}"));
    let files = files.chain(here.names("other/dog").into_iter().map(|name| format!("dog/{name}")));
    let files: Vec<(String, Vec<u8>)> = files.map(|name| (name.clone(), here.read(&format!("other/{name}")))).collect();
    here.write("other.zip", zipped(&files));
    here.done(&TRAIN.replace("other", "other.zip").replace("run", "run2"));
    assert_eq!(here.text("run/history.csv"), here.text("run2/history.csv"));
    let predictions = here.text("run/predictions.csv").replace("other/", "other.zip/");
    assert_eq!(here.text("run2/predictions.csv"), predictions);
}

#[test]
fn evaluate_and_predict_know_both_sets_by_their_bytes_though_names_are_the_same() {
    let here = with_two_sets();
    here.done(TRAIN);
    let subset = |arguments: &str| {
        let json = here.json(&format!("evaluate run {arguments}"));
        json["subset"]["description"].as_str().unwrap().to_string()
    };
    let same = "as run/split.csv lists them; the files are those of the run, byte for byte";
    assert_eq!(subset("other --subset validation"), format!("validation, 5 of 5 images, {same}"));
    assert_eq!(subset("set --subset training"), format!("training, 24 of 24 images, {same}"));
    let all = |of: &str| format!("all {of} validation images; the files are those of the run, byte for byte");
    assert_eq!(subset("other"), all("5 images, of which run/split.csv lists 0 as training and 5 as"));
    assert_eq!(subset("set"), all("24 images, of which run/split.csv lists 24 as training and 0 as"));
    // Without DATA it is what the run knows.
    assert_eq!(subset("--subset validation"), format!("validation, 5 of 5 images, {same}"));
    assert_eq!(subset("--subset training"), format!("training, 24 of 24 images, {same}"));
    let reason = "the validation images of the run are in other, and none in set; give that as DATA";
    here.refused("evaluate run set --subset validation", 2, &format!("--subset: {reason}"));

    let predicted = here.json("predict run/weights/last.safetensors");
    let files: Vec<&str> =
        predicted["predictions"].as_array().unwrap().iter().map(|answer| answer["file"].as_str().unwrap()).collect();
    assert_eq!(
        files,
        ["other/cat/00.png", "other/cat/01.png", "other/cat/02.png", "other/dog/00.png", "other/dog/01.png"]
    );

    // A copy of which all files are others.
    for (name, bytes) in set().into_iter().filter(|(name, _)| here.path(&format!("other/{name}")).exists()) {
        here.write(&format!("strange/{name}"), [bytes, vec![0]].concat());
    }
    let unknown = "as many files of these names trained it as validated it, and the files are not those of the run";
    assert_eq!(subset("strange"), format!("all 5 images; which of them trained the model is not known: {unknown}"));
}

#[test]
fn a_run_goes_on_with_both_sets_wherever_they_are_and_with_no_others() {
    let here = with_two_sets();
    here.done(TRAIN);
    here.done("train set --validation-data other --model tiny.toml --epochs 1 --out half");
    here.done("train --resume half --epochs 2");
    for file in ["history.csv", "predictions.csv", "weights/last.safetensors"] {
        let same = here.read(&format!("run/{file}")) == here.read(&format!("half/{file}"));
        // The state of a run tells of where its epochs were saved, and is compared by what it predicts.
        assert!(same || file.ends_with("safetensors"), "{file}");
    }
    std::fs::rename(here.path("other"), here.path("moved")).unwrap();
    let gone = "--resume: the run in half was validated on other, which is not there; give --validation-data, or go to the folder \
                where the run began";
    here.refused("train --resume half --epochs 3", 2, gone);
    let gone = "the run in half was validated on other, which is not there; give DATA, or go to the folder where the run began";
    here.refused("evaluate half", 2, &format!("DATA: {gone}"));
    here.refused("predict half", 2, &format!("IMAGE: {}", gone.replace("DATA", "IMAGE")));
    here.done("train --resume half --epochs 3 --validation-data moved");
    here.write("moved/cat/00.png", encoded(noise(7, 16, 16, 40), ImageFormat::Png));
    let ran = here.run("train --resume half --epochs 4 --validation-data moved");
    assert_eq!(
        (ran.code, ran.stderr.contains("the images are not those of the run in half")),
        (Some(1), true),
        "{}",
        ran.stderr
    );

    here.done("train set --model tiny.toml --epochs 1 --out parted");
    let reason = "the run in parted validates on a part of its data; leave it out to go on, or start a new run";
    here.refused(
        "train --resume parted --epochs 2 --validation-data moved",
        2,
        &format!("--validation-data: {reason}"),
    );
}

#[test]
fn what_contradicts_a_set_that_validates_is_refused() {
    let here = with_two_sets();
    for (flags, flag) in [("--validation-split 0.3", "--validation-split <SHARE>"), ("--folds 3", "--folds <K>")] {
        let ran = here.run(&format!("{TRAIN} {flags}"));
        assert!(ran.stderr.contains(flag) && ran.stderr.contains("--validation-data <DIR>"), "{}", ran.stderr);
        assert_eq!(ran.code, Some(2));
    }
    let reason = "it is the data that train, and a network is to be judged on other images; name another folder";
    here.refused(&TRAIN.replace("other", "set"), 2, &format!("--validation-data: {reason}"));
    let reason = "groups that stand on both sides, among the images that train and those that validate: 2 (00, 01); take each \
                  out of one of them";
    here.refused(&format!("{TRAIN} --group-regex dog/([0-9]+)"), 2, &format!("--group-regex: {reason}"));
    let reason = "other/new would lie in other, where it would be taken for a folder of images; name a folder outside of the data";
    here.refused(&TRAIN.replace("--out run", "--out other/new"), 2, &format!("--out: {reason}"));
    std::fs::rename(here.path("other/dog"), here.path("other/wolf")).unwrap();
    let reason = "its class folders are 'cat' and 'wolf', and those of the data that train are 'cat' and 'dog'; name 'wolf' as there";
    here.refused(TRAIN, 1, &format!("other: {reason}"));
    assert!(!here.path("run").exists());
}

#[test]
fn inspect_looks_for_duplicates_across_both_sets() {
    let here = with_two_sets();
    here.write("other/cat/03.png", here.read("set/cat/07.png"));
    here.write("other/cat/notes.txt", "");
    here.prints("inspect set --validation-data other", expect![[r#"
        set
        validates: other

        class                      training validation        all
        0 cat                            10          4         14
        1 dog                            14          2         16
        both                             24          6         30
        The positive class is 'dog'.

        Sizes (width×height): 16 of 16×16, 14 of 18×14
        Formats: 30 PNG RGB
        Unreadable files: 0
        Duplicates: 1 group
          cat/07.png, other/cat/03.png (the same bytes, on both sides of the split)
        Near duplicates: 0 groups
        Attributes that give the class away: size, width, height, aspect
          size is 16×16: 2 of 16 'dog', 14 of 14 'cat'; balanced accuracy 0.9375 by that alone (p = 4e-6)
          width is at least 18: 14 of 16 'dog', 0 of 14 'cat'; balanced accuracy 0.9375 by that alone (p = 4e-6)
          height is at least 16: 2 of 16 'dog', 14 of 14 'cat'; balanced accuracy 0.9375 by that alone (p = 4e-6)
          width / height is at least 1.2: 14 of 16 'dog', 0 of 14 'cat'; balanced accuracy 0.9375 by that alone (p = 4e-6)

        What to do
        - 1 group of images that are the same lies on both sides of the split: keep each on one side, or the validation asks for what was learned by heart: remove all but one, and keep images of one patient together
        - the size alone tells the classes apart (size is 16×16: balanced accuracy 0.94), and so does each of: width, height, aspect: a network may learn this instead of what the images show: collect both classes from the same sources, or bring them to one size and format before, and judge on images from elsewhere
        - only 4 images of 'cat' validate: each of them moves the specificity by 1/4, the balanced accuracy by 1/8, the ROC AUC by up to 1/4 and the accuracy by 1/6, and the 95 % interval of a perfect 4 of 4 reaches from 0.5101 to 1: take neither a small difference nor the best epoch for certain; more images of 'cat' help most
        - only 2 images of 'dog' validate: each of them moves the sensitivity by 1/2, the balanced accuracy by 1/4, the ROC AUC by up to 1/2 and the accuracy by 1/6, and the 95 % interval of a perfect 2 of 2 reaches from 0.3424 to 1: take neither a small difference nor the best epoch for certain; more images of 'dog' help most
        - files in set and other are passed over; the warnings name them: move images among them into a class folder, and the others out of the data
        stderr: warning: other: passed over, not named as an image: 1 (cat/notes.txt)
    "#]]);
    let ran = here.run("inspect set --validation-data other --json --quiet").json();
    assert_eq!(ran["validation_data"], "other");
    assert_eq!(ran["duplicates"][0]["files"], serde_json::json!(["cat/07.png", "other/cat/03.png"]));
    assert_eq!(ran["duplicates"][0]["across_split"], true);
    assert_eq!(ran["left_out"][0]["file"], "other/cat/notes.txt");
}

#[test]
fn images_that_cannot_be_read_are_left_out_of_either_set_by_name() {
    let here = with_two_sets();
    here.write("other/cat/00.png", "broken");
    let ran = here.run(&format!("{TRAIN} --skip-bad --json --quiet"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.json()["skipped_images"], serde_json::json!(["other/cat/00.png"]));
    assert_eq!(ran.json()["left_out"][0]["kind"], "unreadable");
    let ran = here.run(&format!("{TRAIN}-2"));
    let said = ran.stderr.lines().last().unwrap();
    let reason = "1 image cannot be read; mend it or take it out, or train without it, with --skip-bad";
    assert_eq!(
        (ran.code, said),
        (Some(1), format!("error: other: {reason}").as_str()),
        "the set that holds it is named"
    );
    let whole = here.read("set/cat/00.png");
    here.write("set/cat/00.png", "broken");
    let ran = here.run(&format!("{TRAIN}-2"));
    assert!(ran.stderr.lines().last().unwrap().starts_with("error: set and other: 2 images"), "{}", ran.stderr);
    here.write("set/cat/00.png", whole);
    let json = here.json("evaluate run set --subset training");
    assert_eq!(json["subset"]["same_files"], true);
}
