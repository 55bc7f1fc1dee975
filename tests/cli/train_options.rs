//! `glassnet train`: the options that change what is learned.

use super::printed::{epoch_lines, masked_folds, masked_times};
use super::{Here, csv};
use expect_test::expect;

const TRAIN: &str = "train set --model tiny.toml --epochs 2";

/// The losses of the steps.
fn losses(here: &Here, run: &str) -> Vec<f64> {
    let steps = here.text(&format!("{run}/steps.csv"));
    csv(&steps)[1..].iter().map(|row| row[3].parse().unwrap()).collect()
}

#[test]
fn balanced_classes_weigh_the_training_loss_alone_and_their_weights_are_told() {
    let here = Here::with_set();
    // One step an epoch, of 8 cats and 12 dogs, from the same weights and without dropout.
    let flags = "--dropout 0 --batch-size 20 --epochs 1";
    let train = TRAIN.replace(" --epochs 2", "");
    here.done(&format!("{train} {flags} --out plain"));
    here.prints(&format!("{train} {flags} --class-weight balanced --out weighted"), expect![[r#"
        Found 20 images belonging to 2 classes.
        Found 4 images belonging to 2 classes.
        Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)
        Class weights: 'cat' 1.2500, 'dog' 0.8333
        Epoch 1/1
        1/1 [==============================] - TIME - loss: #.#### - accuracy: 0.4000 - val_loss: #.#### - val_accuracy: 0.5000
        Training Accuracy: 0.4000
        Training images again, without dropout: the last weights have accuracy 0.4000, loss #.#### (while training: accuracy 0.4000)
        Validation, last weights: 2 of 4 right, accuracy 0.5000; always answering 'dog' would have 0.5000
        Positive class 'dog': sensitivity 0.0000, specificity 1.0000, ROC AUC 0.0000
        Best weights: those of epoch 1, with the lowest val_loss, #.####
        After epoch 1, every validation image was taken for 'cat': the val_accuracy there is that class's share, no skill; so it is with the best weights, those of epoch 1
        Run folder: weighted
    "#]]);
    here.done(&format!("{train} {flags} --class-weight none --out none"));
    assert_eq!(here.text("plain/history.csv"), here.text("none/history.csv"));

    // The first loss is of weights that have not moved: the mean of each class's loss, times its weight.
    let first = |run: &str| losses(&here, run)[0];
    assert_ne!(first("plain"), first("weighted"));
    let config = here.text("weighted/config.toml");
    assert!(config.contains("class_weight = \"balanced\"\n"), "{config}");

    // Validation is not weighted: what history.csv says is what the validation files' probabilities give.
    let predictions = here.text("weighted/predictions.csv");
    let rows = csv(&predictions);
    let loss = rows[1..].iter().map(|row| {
        let p: f64 = row[2].parse().unwrap();
        -(if row[1] == "dog" { p } else { 1.0 - p }).ln()
    });
    let (loss, history) = (loss.sum::<f64>() / 4.0, here.text("weighted/history.csv"));
    let told: f64 = csv(&history)[1][4].parse().unwrap();
    assert!((loss - told).abs() <= 1e-6 * told, "{loss} against {told}");
}

#[test]
fn weight_decay_shrinks_the_weights_and_zero_changes_no_bit() {
    let here = Here::with_set();
    for (run, flags) in [("off", ""), ("zero", "--weight-decay 0"), ("on", "--weight-decay 100")] {
        here.done(&format!("{TRAIN} {flags} --out {run}"));
    }
    let weights = |run: &str| here.read(&format!("{run}/weights/last.safetensors"));
    assert!(weights("off") == weights("zero"));
    assert_eq!(losses(&here, "off")[0], losses(&here, "on")[0], "the first loss is before the first decay");
    // Four steps that keep 0.9 each: 0.656 of the weights are left, but for what Adam moved.
    let length = |run: &str| {
        let path = here.path(&format!("{run}/weights/last.safetensors"));
        let model = glassnet::checkpoint::load(&path).unwrap();
        model.parameters.as_slice().iter().map(|w| f64::from(w * w)).sum::<f64>().sqrt()
    };
    let kept = length("on") / length("off");
    assert!((0.6..0.72).contains(&kept), "{kept}");
    assert!(here.text("on/config.toml").contains("weight_decay = 100.0\n"));
}

#[test]
fn values_that_cannot_work_are_refused_in_a_sentence() {
    let here = Here::with_set();
    for value in ["-1", "x", "NaN", "inf", "1e39"] {
        let sentence = format!("invalid value '{value}' for '--weight-decay <RATE>': it must be a number, at least 0");
        here.misused(&format!("{TRAIN} --weight-decay {value}"), &sentence);
    }
    let sentence = "--weight-decay 1000: with --learning-rate 0.001 each step would take 1 times of every weight away; \
                    the product must be below 1, and usual weight decays are 0.001 to 0.1";
    here.refused(&format!("{TRAIN} --weight-decay 1000"), 2, sentence);
    here.prints(
        &format!("{TRAIN} --class-weight equal"),
        expect![[r#"
        stderr: error: invalid value 'equal' for '--class-weight <RULE>'
        stderr:   [possible values: none, balanced]
        stderr: 
        stderr: For more information, try '--help'.
        exit code 2
    "#]],
    );
    assert!(!here.path("runs").exists());
}

#[test]
fn a_network_that_answers_with_one_class_only_is_called_so_with_its_epochs() {
    let here = Here::with_set();
    // A rate so small that the first answers stay: the network's own, whatever the image.
    let object = here.json(&format!("{TRAIN} --epochs 3 --learning-rate 1e-6 --out run").replace("--epochs 2 ", ""));
    let epochs = object["one_class_epochs"].as_array().unwrap();
    let predictions = here.text("run/predictions.csv");
    let answers: Vec<bool> = csv(&predictions)[1..].iter().map(|row| row[2].parse::<f64>().unwrap() > 0.5).collect();
    assert!(answers.iter().all(|&answer| answer == answers[0]), "the weights answer both, so this tests nothing");
    let class = if answers[0] { "dog" } else { "cat" };
    let expected: Vec<_> = (0..3).map(|epoch| serde_json::json!({ "epoch": epoch, "class": class })).collect();
    assert_eq!(epochs, &expected);
    let sentence = format!(
        "After epochs 1–3, every validation image was taken for '{class}': the val_accuracy there is that class's share, no \
         skill; so it is with the best weights, those of epoch {}",
        object["best_epoch"].as_u64().unwrap() + 1
    );
    assert_eq!(object["remarks"], serde_json::json!([sentence]));
    here.prints(&format!("{TRAIN} --learning-rate 1e-6 --out again"), expect![[r#"
        Found 20 images belonging to 2 classes.
        Found 4 images belonging to 2 classes.
        Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)
        Epoch 1/2
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.4000 - val_loss: #.#### - val_accuracy: 0.5000
        Epoch 2/2
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.5500 - val_loss: #.#### - val_accuracy: 0.5000
        Training Accuracy: 0.5500
        Training images again, without dropout: the last weights have accuracy 0.4000, loss #.#### (while training: accuracy 0.5500)
        Validation, last weights: 2 of 4 right, accuracy 0.5000; always answering 'dog' would have 0.5000
        Positive class 'dog': sensitivity 0.0000, specificity 1.0000, ROC AUC 0.0000
        Best weights: those of epoch 2, with the lowest val_loss, #.####
        After epochs 1 and 2, every validation image was taken for 'cat': the val_accuracy there is that class's share, no skill; so it is with the best weights, those of epoch 2
        Run folder: again
    "#]]);
}

#[test]
fn a_run_that_overfits_is_told_so_and_its_best_weights_stand_beside_its_last() {
    let here = Here::empty();
    // Noise of one kind in both classes: there is nothing to learn but the images themselves.
    for index in 0..12 {
        for (class, seed) in [("cat", 0), ("dog", 100)] {
            let picture = super::encoded(super::noise(seed + index, 16, 16, 40), image::ImageFormat::Png);
            here.write(&format!("set/{class}/{index:02}.png"), picture);
        }
    }
    let train = "train set --model tiny.toml --epochs 40 --learning-rate 0.01 --dropout 0";
    let stdout = here.done(&format!("{train} --out run"));
    let history = here.text("run/history.csv");
    let rows: Vec<[f64; 3]> = csv(&history)[1..].iter().map(|row| [2, 3, 4].map(|i| row[i].parse().unwrap())).collect();
    let best = (0..40).min_by(|&a, &b| rows[a][2].total_cmp(&rows[b][2])).unwrap();
    let ([loss, accuracy, val_loss], last) = (rows[best], rows[39]);
    let epoch = best + 1;
    // Weights that give one answer only are not advised.
    let without_skill = stdout.contains(&format!("; so it is with the best weights, those of epoch {epoch}\n"));
    let use_best = if without_skill { "" } else { "use the best weights, " };
    let overfitting = format!(
        "Overfitting: from epoch {epoch} to 40 val_loss rose from {val_loss:.4} to {:.4} while the training loss fell from \
         {loss:.4} to {:.4}; {use_best}train for fewer epochs, or try --augment, --weight-decay or more images",
        last[2], last[0]
    );
    // The figures of both weights, and when one class alone was answered, are those of the JSON object.
    let object = here.json(&format!("{train} --out again"));
    let figure = |path: &str| object.pointer(path).and_then(serde_json::Value::as_f64).unwrap();
    let remarks: Vec<&str> =
        object["remarks"].as_array().unwrap().iter().map(|remark| remark.as_str().unwrap()).collect();
    assert_eq!(remarks.last(), Some(&overfitting.as_str()));
    let expected = format!(
        "\
Found 20 images belonging to 2 classes.
Found 4 images belonging to 2 classes.
Always answering 'dog' would be right for 10 of 20 training images (0.5000) and 2 of 4 validation images (0.5000)
{epochs}Training Accuracy: {running:.4}
Training images again, without dropout: the last weights have accuracy {:.4}, loss {:.4}; the best weights have accuracy \
{:.4}, loss {:.4} (while training: accuracy {running:.4})
Validation, last weights: {right} of 4 right, accuracy {:.4}; always answering 'dog' would have 0.5000
Positive class 'dog': sensitivity {:.4}, specificity {:.4}, ROC AUC {:.4}
Best weights: those of epoch {epoch}, with the lowest val_loss, {val_loss:.4}
Best against last, epoch {epoch} against 40: val_loss {val_loss:.4} against {:.4}, val_accuracy {accuracy:.4} against {:.4}
{remarks}
Run folder: run
",
        figure("/training_re_evaluated/last/accuracy"),
        figure("/training_re_evaluated/last/loss"),
        figure("/training_re_evaluated/best/accuracy"),
        figure("/training_re_evaluated/best/loss"),
        figure("/validation/accuracy"),
        figure("/validation/sensitivity"),
        figure("/validation/specificity"),
        figure("/validation/roc_auc"),
        last[2],
        last[1],
        epochs = epoch_lines(&history, 40, 2),
        running = figure("/training_accuracy"),
        right = figure("/validation/confusion/true_positive") + figure("/validation/confusion/true_negative"),
        remarks = remarks.join("\n"),
    );
    assert_eq!(masked_times(&stdout), expected);
}

#[test]
fn augmentation_changes_training_alone_repeats_by_seed_on_any_number_of_threads_and_is_recorded() {
    let here = Here::with_set();
    for (run, flags) in [
        ("plain", ""),
        ("one", "--augment flip,shift,rotate --threads 1"),
        ("two", "--augment flip,shift,rotate --threads 2"),
        ("flipped", "--augment flip-horizontal"),
    ] {
        here.done(&format!("{TRAIN} {flags} --out {run}"));
    }
    assert_eq!(here.text("one/steps.csv"), here.text("two/steps.csv"));
    assert!(here.read("one/weights/last.safetensors") == here.read("two/weights/last.safetensors"));
    assert_ne!(losses(&here, "plain")[0], losses(&here, "one")[0]);
    assert_ne!(losses(&here, "flipped")[0], losses(&here, "one")[0]);
    let config = |run: &str| here.text(&format!("{run}/config.toml")).parse::<toml::Table>().unwrap();
    let names = |run: &str| config(run)["settings"]["augment"].clone();
    assert_eq!(names("one"), toml::Value::from(vec!["flip-horizontal", "flip-vertical", "shift", "rotate"]));
    assert_eq!(names("flipped"), toml::Value::from(vec!["flip-horizontal"]));

    // Validation images are as they are: what predict says of the files is what the run's table says.
    let predictions = here.text("one/predictions.csv");
    for row in &csv(&predictions)[1..] {
        let answer = here.json(&format!("predict one/weights/last.safetensors set/{}", row[0]));
        assert_eq!(answer["predictions"][0]["probability"].as_f64().unwrap() as f32, row[2].parse::<f32>().unwrap());
    }
    let sentence = "invalid value 'mirror' for '--augment <flip,shift,…>': 'mirror' is not a known change; give some of flip, \
                    flip-horizontal, flip-vertical, shift, rotate, zoom, brightness";
    here.misused(&format!("{TRAIN} --augment mirror"), sentence);
}

/// A set in which patient `pN` has two images; one file's name tells no patient.
fn with_patients() -> Here {
    let here = Here::empty();
    for index in 0..24 {
        let (class, level) = if index < 10 { ("cat", 40) } else { ("dog", 120) };
        let name = if index == 23 { "scan.png".to_string() } else { format!("p{:02}_{}.png", index / 2, index % 2) };
        let picture = super::encoded(super::noise(index, 16, 16, level), image::ImageFormat::Png);
        here.write(&format!("set/{class}/{name}"), picture);
    }
    here
}

#[test]
fn patients_stay_on_one_side_and_the_split_names_them() {
    let here = with_patients();
    let train = format!("{TRAIN} --validation-split 0.3 --group-regex /(p[0-9]+)_");
    here.prints(&format!("{train} --out run"), expect![[r#"
        Found 18 images belonging to 2 classes.
        Found 6 images belonging to 2 classes.
        Always answering 'dog' would be right for 10 of 18 training images (0.5556) and 4 of 6 validation images (0.6667)
        Groups: 10 for training, 3 for validation; each is on one side
        Epoch 1/2
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.3889 - val_loss: #.#### - val_accuracy: 0.1667
        Epoch 2/2
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.3889 - val_loss: #.#### - val_accuracy: 0.1667
        Training Accuracy: 0.3889
        Training images again, without dropout: the last weights have accuracy 0.3889, loss #.#### (while training: accuracy 0.3889)
        Validation, last weights: 1 of 6 right, accuracy 0.1667; always answering 'dog' would have 0.6667
        Positive class 'dog': sensitivity 0.0000, specificity 0.5000, ROC AUC 0.0000
        Best weights: those of epoch 2, with the lowest val_loss, #.####
        Run folder: run
        stderr: warning: Groups by /(p[0-9]+)_: 1 of 24 images does not match and is a group of its own: 1 (dog/scan.png)
        stderr: warning: Groups stay whole, so 2 of 10 images of cat (0.2000) and 4 of 14 images of dog (0.2857) validate, where 0.3 of each would be 3 and 4
    "#]]);
    let split = here.text("run/split.csv");
    let rows = csv(&split);
    assert_eq!(rows[0], ["file", "class", "subset", "group", "sha256"]);
    let side = |subset: &str| -> std::collections::BTreeSet<&str> {
        rows[1..].iter().filter(|row| row[2] == subset).map(|row| row[3]).collect()
    };
    let (training, validation) = (side("training"), side("validation"));
    assert!(training.is_disjoint(&validation), "{split}");
    assert_eq!(training.len() + validation.len(), 13);
    assert!(rows.iter().any(|row| row[0] == "dog/scan.png" && row[3] == "dog/scan.png"), "{split}");
    let config: toml::Table = here.text("run/config.toml").parse().unwrap();
    assert_eq!(config["settings"]["group_regex"].as_str(), Some("/(p[0-9]+)_"));

    here.run(&format!("{train} --out again --quiet"));
    assert_eq!(split, here.text("again/split.csv"));
    here.refused(
        &format!("{TRAIN} --group-regex patient"),
        2,
        "--group-regex patient: it matches none of the 24 images' paths, such as cat/p00_0.png; write it for \
         paths like this one",
    );
    here.refused(
        &format!("{TRAIN} --group-regex (p"),
        2,
        "--group-regex (p: it is not a regular expression: unclosed group",
    );
    assert!(!here.path("runs").exists());
}

#[test]
fn cross_validation_trains_a_model_for_each_fold_and_tells_mean_and_spread() {
    let here = Here::with_set();
    let stdout = here.done(&format!("{TRAIN} --folds 3 --out run"));
    expect![[r#"
        Fold 1/3
        Found 16 images belonging to 2 classes.
        Found 8 images belonging to 2 classes.
        Always answering 'dog' would be right for 10 of 16 training images (0.6250) and 4 of 8 validation images (0.5000)
        Epoch 1/2
        1/1 [==============================] - TIME - loss: #.#### - accuracy: 0.3750 - val_loss: #.#### - val_accuracy: 0.5000
        Epoch 2/2
        1/1 [==============================] - TIME - loss: #.#### - accuracy: 0.5625 - val_loss: #.#### - val_accuracy: 0.3750
        Fold 2/3
        Found 16 images belonging to 2 classes.
        Found 8 images belonging to 2 classes.
        Always answering 'dog' would be right for 9 of 16 training images (0.5625) and 5 of 8 validation images (0.6250)
        Epoch 1/2
        1/1 [==============================] - TIME - loss: #.#### - accuracy: 0.4375 - val_loss: #.#### - val_accuracy: 0.3750
        Epoch 2/2
        1/1 [==============================] - TIME - loss: #.#### - accuracy: 0.6250 - val_loss: #.#### - val_accuracy: 0.2500
        Fold 3/3
        Found 16 images belonging to 2 classes.
        Found 8 images belonging to 2 classes.
        Always answering 'dog' would be right for 9 of 16 training images (0.5625) and 5 of 8 validation images (0.6250)
        Epoch 1/2
        1/1 [==============================] - TIME - loss: #.#### - accuracy: 0.5000 - val_loss: #.#### - val_accuracy: 0.3750
        Epoch 2/2
        1/1 [==============================] - TIME - loss: #.#### - accuracy: 0.6250 - val_loss: #.#### - val_accuracy: 0.3750

                              │           best epoch           │                        last epoch                        
        fold  train  validate │  epoch  val_loss  val_accuracy │ val_loss  val_accuracy  ROC AUC  sensitivity  specificity
        ──────────────────────┼────────────────────────────────┼──────────────────────────────────────────────────────────
           1     16         8 │      2    #.####        0.3750 │   #.####        0.3750   0.1250       0.0000       0.7500
           2     16         8 │      2    #.####        0.2500 │   #.####        0.2500   0.1333       0.0000       0.6667
           3     16         8 │      2    #.####        0.3750 │   #.####        0.3750   0.1333       0.0000       1.0000
        mean                  │           #.####        0.3333 │   #.####        0.3333   0.1306       0.0000       0.8056
          sd                  │           #.####        0.0722 │   #.####        0.0722   0.0048       0.0000       0.1735
        The folds' training images overlap, so the folds are not independent: sd is the spread between them (n − 1), no standard error.
        Each best epoch was chosen by the very images it is measured on, which flatters it; the last epoch was not.
        Positive class 'dog'; always answering 'dog' would be right for 14 of 24 images (0.5833)
        Run folder: run
    "#]].assert_eq(&masked_folds(&stdout));
    assert_eq!(here.names("run"), ["config.toml", "fold1", "fold2", "fold3", "folds.csv"]);
    let table = here.text("run/folds.csv");
    let rows = csv(&table);
    assert_eq!(rows[0][..4], ["fold", "training_images", "validation_images", "best_epoch"]);
    let mut validated = Vec::new();
    for (fold, row) in rows.iter().enumerate().skip(1) {
        assert_eq!(row[0], fold.to_string());
        let history = here.text(&format!("run/fold{fold}/history.csv"));
        let history = csv(&history);
        // The last epoch's val_loss and val_accuracy.
        assert_eq!((row[6], row[7]), (history[2][4], history[2][3]));
        let split = here.text(&format!("run/fold{fold}/split.csv"));
        let files: Vec<String> =
            csv(&split)[1..].iter().filter(|row| row[2] == "validation").map(|row| row[0].to_string()).collect();
        assert_eq!(files.len().to_string(), row[2]);
        let cats = files.iter().filter(|file| file.starts_with("cat")).count();
        assert!((3..=4).contains(&cats) && (7..=9).contains(&files.len()), "{files:?}");
        validated.extend(files);
        let config: toml::Table = here.text(&format!("run/fold{fold}/config.toml")).parse().unwrap();
        let settings = config["settings"].as_table().unwrap();
        assert_eq!(settings["fold"].as_str(), Some(format!("{fold} of 3").as_str()));
        assert!(!settings.contains_key("validation_split"));
        assert!(here.path(&format!("run/fold{fold}/weights/best.safetensors")).exists());
    }
    validated.sort();
    let mut all: Vec<String> = super::set().into_iter().map(|(name, _)| name).collect();
    all.sort();
    assert_eq!(validated, all, "every image validates once");

    let mean = (1..=3).map(|fold| rows[fold][6].parse::<f64>().unwrap()).sum::<f64>() / 3.0;
    let line = stdout.lines().find(|line| line.starts_with("mean ")).unwrap();
    assert!(line.contains(&format!(" {mean:.4} ")), "{line}");

    let object = here.json(&format!("{TRAIN} --folds 3 --threads 1 --out again"));
    assert_eq!(table, here.text("again/folds.csv"));
    assert_eq!(object["folds"].as_array().unwrap().len(), 3);
    assert_eq!(object["folds"][2]["run_folder"], "again/fold3");
    assert!((object["mean"]["val_loss"].as_f64().unwrap() - mean).abs() < 1e-12);
    assert!(object["standard_deviation"]["val_accuracy"].is_f64());
}

#[test]
fn folds_are_quiet_but_for_their_table_and_each_warning_is_given_once() {
    let here = Here::with_set();
    here.write("four.toml", here.text("tiny.toml").replace("kernel = 3", "kernel = 4"));
    here.write("set/cat/notes.txt", "");
    here.write("set/cat/04.png", "no picture");
    here.write("set/dog/05.png", super::encoded(super::noise(105, 18, 14, 120), image::ImageFormat::Bmp));
    let train = "train set --model four.toml --epochs 1 --folds 3 --conv winograd --cache 0 --skip-bad";
    let loud = here.run(&format!("{train} --out loud"));
    expect![[r#"
        Fold 1/3
        Found 16 images belonging to 2 classes.
        Found 8 images belonging to 2 classes.
        Left out 1 image that cannot be read: 15 left to train on, 8 to validate on.
        Always answering 'dog' would be right for 10 of 15 training images (0.6667) and 4 of 8 validation images (0.5000)
        Epoch 1/1
        1/1 [==============================] - TIME - loss: #.#### - accuracy: 0.2667 - val_loss: #.#### - val_accuracy: 0.6250
        Fold 2/3
        Found 16 images belonging to 2 classes.
        Found 8 images belonging to 2 classes.
        Left out 1 image that cannot be read: 15 left to train on, 8 to validate on.
        Always answering 'dog' would be right for 9 of 15 training images (0.6000) and 5 of 8 validation images (0.6250)
        Epoch 1/1
        1/1 [==============================] - TIME - loss: #.#### - accuracy: 0.4000 - val_loss: #.#### - val_accuracy: 0.5000
        Fold 3/3
        Found 16 images belonging to 2 classes.
        Found 8 images belonging to 2 classes.
        Left out 1 image that cannot be read: 16 left to train on, 7 to validate on.
        Always answering 'dog' would be right for 9 of 16 training images (0.5625) and 5 of 7 validation images (0.7143)
        Epoch 1/1
        1/1 [==============================] - TIME - loss: #.#### - accuracy: 0.4375 - val_loss: #.#### - val_accuracy: 0.4286

                              │           best epoch           │                        last epoch                        
        fold  train  validate │  epoch  val_loss  val_accuracy │ val_loss  val_accuracy  ROC AUC  sensitivity  specificity
        ──────────────────────┼────────────────────────────────┼──────────────────────────────────────────────────────────
           1     15         8 │      1    #.####        0.6250 │   #.####        0.6250   0.6250       1.0000       0.2500
           2     15         8 │      1    #.####        0.5000 │   #.####        0.5000   0.1333       0.8000       0.0000
           3     16         7 │      1    #.####        0.4286 │   #.####        0.4286   0.2000       0.6000       0.0000
        mean                  │           #.####        0.5179 │   #.####        0.5179   0.3194       0.8000       0.0833
          sd                  │           #.####        0.0994 │   #.####        0.0994   0.2667       0.2000       0.1443
        The folds' training images overlap, so the folds are not independent: sd is the spread between them (n − 1), no standard error.
        Each best epoch was chosen by the very images it is measured on, which flatters it; the last epoch was not.
        Positive class 'dog'; always answering 'dog' would be right for 14 of 23 images (0.6087)
        Run folder: loud
        stderr: warning: set: passed over, not named as an image: 1 (cat/notes.txt)
        stderr: warning: dog/05.png is named as PNG and holds BMP; it was read as that
        stderr: warning: left out: set/cat/04.png cannot be read as an image: its content is none of PNG, JPEG, BMP, PPM, TIFF, WebP and GIF; convert it to PNG with an image program, or take it out
        stderr: Decoded to 16 × 16 pixels the images take 0.0 MiB, and --cache is 0: they are decoded anew in each epoch, 2 batches ahead of the step.
        stderr: warning: conv2d: --conv winograd cannot compute it, so im2col does
    "#]].assert_eq(&masked_folds(&loud.shown()));

    let quiet = here.run(&format!("{train} --out quiet --quiet"));
    let table = &loud.stdout[loud.stdout.find("                      │").unwrap()..];
    assert_eq!((quiet.code, quiet.stdout), (Some(0), table.replace("loud", "quiet")));
    let warnings: Vec<&str> = loud.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert_eq!(quiet.stderr.lines().collect::<Vec<_>>(), warnings);
}

#[test]
fn folds_respect_patients_and_what_cannot_be_folded_is_refused() {
    let here = with_patients();
    let ran = here.run("train set --model tiny.toml --epochs 1 --folds 4 --group-regex /(p[0-9]+)_ --out run");
    expect![[r#"
        Fold 1/4
        Found 19 images belonging to 2 classes.
        Found 5 images belonging to 2 classes.
        Always answering 'dog' would be right for 11 of 19 training images (0.5789) and 3 of 5 validation images (0.6000)
        Groups: 10 for training, 3 for validation; each is on one side
        Epoch 1/1
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.5789 - val_loss: #.#### - val_accuracy: 0.4000
        Fold 2/4
        Found 18 images belonging to 2 classes.
        Found 6 images belonging to 2 classes.
        Always answering 'dog' would be right for 10 of 18 training images (0.5556) and 4 of 6 validation images (0.6667)
        Groups: 10 for training, 3 for validation; each is on one side
        Epoch 1/1
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.4444 - val_loss: #.#### - val_accuracy: 0.1667
        Fold 3/4
        Found 18 images belonging to 2 classes.
        Found 6 images belonging to 2 classes.
        Always answering 'dog' would be right for 10 of 18 training images (0.5556) and 4 of 6 validation images (0.6667)
        Groups: 10 for training, 3 for validation; each is on one side
        Epoch 1/1
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.3889 - val_loss: #.#### - val_accuracy: 0.3333
        Fold 4/4
        Found 17 images belonging to 2 classes.
        Found 7 images belonging to 2 classes.
        Always answering 'dog' would be right for 11 of 17 training images (0.6471) and 3 of 7 validation images (0.4286)
        Groups: 9 for training, 4 for validation; each is on one side
        Epoch 1/1
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.4118 - val_loss: #.#### - val_accuracy: 0.4286

                              │           best epoch           │                        last epoch                        
        fold  train  validate │  epoch  val_loss  val_accuracy │ val_loss  val_accuracy  ROC AUC  sensitivity  specificity
        ──────────────────────┼────────────────────────────────┼──────────────────────────────────────────────────────────
           1     19         5 │      1    #.####        0.4000 │   #.####        0.4000   0.0000       0.0000       1.0000
           2     18         6 │      1    #.####        0.1667 │   #.####        0.1667   0.0000       0.0000       0.5000
           3     18         6 │      1    #.####        0.3333 │   #.####        0.3333   0.0000       0.0000       1.0000
           4     17         7 │      1    #.####        0.4286 │   #.####        0.4286   0.0833       0.0000       0.7500
        mean                  │           #.####        0.3321 │   #.####        0.3321   0.0208       0.0000       0.8125
          sd                  │           #.####        0.1173 │   #.####        0.1173   0.0417       0.0000       0.2394
        The folds' training images overlap, so the folds are not independent: sd is the spread between them (n − 1), no standard error.
        Each best epoch was chosen by the very images it is measured on, which flatters it; the last epoch was not.
        Positive class 'dog'; always answering 'dog' would be right for 14 of 24 images (0.5833)
        Run folder: run
        stderr: warning: Groups by /(p[0-9]+)_: 1 of 24 images does not match and is a group of its own: 1 (dog/scan.png)
    "#]].assert_eq(&masked_folds(&ran.shown()));
    for fold in 1..=4 {
        let split = here.text(&format!("run/fold{fold}/split.csv"));
        let group_of = |subset: &str| -> std::collections::BTreeSet<String> {
            csv(&split)[1..].iter().filter(|row| row[2] == subset).map(|row| row[3].to_string()).collect()
        };
        assert!(group_of("training").is_disjoint(&group_of("validation")), "{split}");
    }
    for (flags, sentence) in [
        ("--folds 11", "--folds 11: each fold validates on both classes, and cat has 10 images; use fewer folds"),
        (
            "--folds 6 --group-regex /(p[0-9]+)_",
            "--folds 6: each fold validates on both classes, and cat is in 5 groups, and a group stays whole; use fewer folds",
        ),
    ] {
        here.refused(&format!("{TRAIN} {flags}"), 2, sentence);
    }
    let sentence = "invalid value '1' for '--folds <K>': it must be a whole number from 2 to 1000";
    here.misused(&format!("{TRAIN} --folds 1"), sentence);
    here.prints(
        &format!("{TRAIN} --folds 3 --validation-split 0.3"),
        expect![[r#"
        stderr: error: the argument '--folds <K>' cannot be used with '--validation-split <SHARE>'
        stderr: 
        stderr: Usage: glassnet train --model <FILE.toml> --epochs <N> --folds <K> <DATA>
        stderr: 
        stderr: For more information, try '--help'.
        exit code 2
    "#]],
    );
    assert!(!here.path("runs").exists());
}

#[test]
fn a_run_with_every_option_goes_on_to_the_same_bits_as_one_that_never_stopped() {
    let here = with_patients();
    let options = "--class-weight balanced --weight-decay 0.1 --augment flip,shift,rotate --group-regex /(p[0-9]+)_";
    here.run(&format!("{TRAIN} {options} --validation-split 0.3 --out short"));
    here.prints("train --resume short --epochs 4", expect![[r#"
        Found 18 images belonging to 2 classes.
        Found 6 images belonging to 2 classes.
        Always answering 'dog' would be right for 10 of 18 training images (0.5556) and 4 of 6 validation images (0.6667)
        Groups: 10 for training, 3 for validation; each is on one side
        Class weights: 'cat' 1.1250, 'dog' 0.9000
        Going on with short after 2 epochs
        Epoch 3/4
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.2222 - val_loss: #.#### - val_accuracy: 0.0000e+00
        Epoch 4/4
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.3889 - val_loss: #.#### - val_accuracy: 0.1667
        Training Accuracy: 0.3889
        Training images again, without dropout: the last weights have accuracy 0.3333, loss #.#### (while training: accuracy 0.3889)
        Validation, last weights: 1 of 6 right, accuracy 0.1667; always answering 'dog' would have 0.6667
        Positive class 'dog': sensitivity 0.2500, specificity 0.0000, ROC AUC 0.0000
        Best weights: those of epoch 4, with the lowest val_loss, #.####
        Run folder: short
        stderr: warning: Groups by /(p[0-9]+)_: 1 of 24 images does not match and is a group of its own: 1 (dog/scan.png)
        stderr: warning: Groups stay whole, so 2 of 10 images of cat (0.2000) and 4 of 14 images of dog (0.2857) validate, where 0.3 of each would be 3 and 4
    "#]]);
    let train = TRAIN.replace("--epochs 2", "--epochs 4");
    here.run(&format!("{train} {options} --validation-split 0.3 --out long"));
    for file in ["history.csv", "steps.csv", "split.csv", "predictions.csv", "weights/best.safetensors"] {
        assert!(here.read(&format!("short/{file}")) == here.read(&format!("long/{file}")), "{file}");
    }
    here.prints("train --resume short --epochs 5 --augment flip", expect![[r#"
        stderr: warning: Groups by /(p[0-9]+)_: 1 of 24 images does not match and is a group of its own: 1 (dog/scan.png)
        stderr: warning: Groups stay whole, so 2 of 10 images of cat (0.2000) and 4 of 14 images of dog (0.2857) validate, where 0.3 of each would be 3 and 4
        stderr: error: --augment: the run in short has ["flip-horizontal", "flip-vertical", "shift", "rotate"], and ["flip-horizontal", "flip-vertical"] is asked for; leave it out to go on, or start a new run
        exit code 2
    "#]]);
}
