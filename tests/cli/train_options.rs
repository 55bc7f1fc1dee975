//! `glassnet train`: the options that change what is learned.

use super::{Here, csv};

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
    let stdout = here.done(&format!("{train} {flags} --class-weight balanced --out weighted"));
    assert!(stdout.contains("\nClass weights: 'cat' 1.2500, 'dog' 0.8333\n"), "{stdout}");
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
    here.misused(&format!("{TRAIN} --class-weight equal"), "invalid value 'equal' for '--class-weight <RULE>'");
    assert!(!here.path("runs").exists());
}

#[test]
fn a_network_that_answers_with_one_class_only_is_called_so_with_its_epochs() {
    let here = Here::with_set();
    // A rate so small that the first answers stay: the network's own, whatever the image.
    let object = here.json(&format!("{TRAIN} --epochs 3 --learning-rate 1e-9 --out run").replace("--epochs 2 ", ""));
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
    let stdout = here.done(&format!("{TRAIN} --learning-rate 1e-9 --out again"));
    assert!(
        stdout.contains(&format!("\nAfter epochs 1 and 2, every validation image was taken for '{class}': ")),
        "{stdout}"
    );
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
    for line in [
        format!(
            "Overfitting: from epoch {epoch} to 40 val_loss rose from {val_loss:.4} to {:.4} while the training loss fell \
             from {loss:.4} to {:.4}; {use_best}train for fewer epochs, or try --augment, --weight-decay or more images",
            last[2], last[0]
        ),
        format!(
            "Best against last, epoch {epoch} against 40: val_loss {val_loss:.4} against {:.4}, val_accuracy {accuracy:.4} \
             against {:.4}",
            last[2], last[1]
        ),
    ] {
        assert!(stdout.lines().any(|printed| printed == line), "{line}\nis not in\n{stdout}");
    }
    assert!(stdout.contains("; the best weights have accuracy "), "{stdout}");
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
    let sentence = "invalid value 'zoom' for '--augment <flip,shift,rotate>': 'zoom' is no change; give some of flip, \
                    flip-horizontal, flip-vertical, shift, rotate";
    here.misused(&format!("{TRAIN} --augment zoom"), sentence);
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
    let ran = here.run(&format!("{train} --out run"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(
        ran.stderr,
        "warning: --group-regex /(p[0-9]+)_: 1 of 24 images does not match and is a group of its own: 1 (dog/scan.png)\n\
         warning: --group-regex keeps groups whole, so 2 of 10 images of cat (0.2000) and 4 of 14 images of dog (0.2857) \
         validate, where 0.3 of each would be 3 and 4\n"
    );
    assert!(ran.stdout.contains("validate; each is on one side\n"), "{}", ran.stdout);
    let split = here.text("run/split.csv");
    let rows = csv(&split);
    assert_eq!(rows[0], ["file", "class", "subset", "group"]);
    let side = |subset: &str| -> std::collections::BTreeSet<&str> {
        rows[1..].iter().filter(|row| row[2] == subset).map(|row| row[3]).collect()
    };
    let (training, validation) = (side("training"), side("validation"));
    assert!(training.is_disjoint(&validation), "{split}");
    assert_eq!(training.len() + validation.len(), 13);
    assert!(rows.iter().any(|row| row[0] == "dog/scan.png" && row[3] == "dog/scan.png"), "{split}");
    let config: toml::Table = here.text("run/config.toml").parse().unwrap();
    assert_eq!(config["settings"]["group_regex"].as_str(), Some("/(p[0-9]+)_"));

    here.run(&format!("{train} --out again"));
    assert_eq!(split, here.text("again/split.csv"));
    here.refused(
        &format!("{TRAIN} --group-regex patient"),
        2,
        "--group-regex patient: it matches none of the 24 images' paths, such as cat/p00_0.png",
    );
    here.refused(
        &format!("{TRAIN} --group-regex (p"),
        2,
        "--group-regex (p: it is no regular expression: unclosed group",
    );
    assert!(!here.path("runs").exists());
}

#[test]
fn cross_validation_trains_a_model_for_each_fold_and_tells_mean_and_spread() {
    let here = Here::with_set();
    let stdout = here.done(&format!("{TRAIN} --folds 3 --out run"));
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
        assert!(stdout.contains(&format!("Fold {fold}/3\nFound ")), "{stdout}");
    }
    validated.sort();
    let mut all: Vec<String> = super::set().into_iter().map(|(name, _)| name).collect();
    all.sort();
    assert_eq!(validated, all, "every image validates once");

    let mean = (1..=3).map(|fold| rows[fold][6].parse::<f64>().unwrap()).sum::<f64>() / 3.0;
    let line = stdout.lines().find(|line| line.starts_with("mean ")).unwrap();
    assert!(line.contains(&format!(" {mean:.4} ")), "{line}");
    assert!(stdout.contains("so the folds are not independent"), "{stdout}");
    assert!(stdout.ends_with(
        "Positive class 'dog'; always answering 'dog' would be right for 14 of 24 images (0.5833)\nRun folder: run\n"
    ));

    let object = here.json(&format!("{TRAIN} --folds 3 --threads 1 --out again"));
    assert_eq!(table, here.text("again/folds.csv"));
    assert_eq!(object["folds"].as_array().unwrap().len(), 3);
    assert_eq!(object["folds"][2]["run_folder"], "again/fold3");
    assert!((object["mean"]["val_loss"].as_f64().unwrap() - mean).abs() < 1e-12);
    assert!(object["standard_deviation"]["val_accuracy"].is_f64());
}

#[test]
fn folds_respect_patients_and_what_cannot_be_folded_is_refused() {
    let here = with_patients();
    let ran = here
        .run(&format!("{TRAIN} --epochs 1 --folds 4 --group-regex /(p[0-9]+)_ --out run").replace("--epochs 2 ", ""));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
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
            "--folds 6: each fold validates on both classes, and cat is in 5 groups, which stay whole; use fewer folds",
        ),
    ] {
        here.refused(&format!("{TRAIN} {flags}"), 2, sentence);
    }
    let sentence = "invalid value '1' for '--folds <K>': it must be a whole number from 2 to 1000";
    here.misused(&format!("{TRAIN} --folds 1"), sentence);
    let sentence = "the argument '--folds <K>' cannot be used with '--validation-split <SHARE>'";
    here.misused(&format!("{TRAIN} --folds 3 --validation-split 0.3"), sentence);
    assert!(!here.path("runs").exists());
}

#[test]
fn a_run_with_every_option_goes_on_to_the_same_bits_as_one_that_never_stopped() {
    let here = with_patients();
    let options = "--class-weight balanced --weight-decay 0.1 --augment flip,shift,rotate --group-regex /(p[0-9]+)_";
    here.run(&format!("{TRAIN} {options} --validation-split 0.3 --out short"));
    let ran = here.run("train --resume short --epochs 4");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let train = TRAIN.replace("--epochs 2", "--epochs 4");
    here.run(&format!("{train} {options} --validation-split 0.3 --out long"));
    for file in ["history.csv", "steps.csv", "split.csv", "predictions.csv", "weights/best.safetensors"] {
        assert!(here.read(&format!("short/{file}")) == here.read(&format!("long/{file}")), "{file}");
    }
    let ran = here.run("train --resume short --epochs 5 --augment flip");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("error: --augment: the run in short has "), "{}", ran.stderr);
}
