//! What a training run leaves.

use super::{Here, TINY, csv};
use approx::assert_abs_diff_eq;
use expect_test::expect;
use glassnet::checkpoint;
use glassnet::spec::ModelSpec;

#[test]
fn a_run_folder_holds_what_is_needed_to_judge_the_run_and_to_make_it_again() {
    let here = Here::with_model();
    let files = [
        "config.toml",
        "confusion.png",
        "curves.png",
        "history.csv",
        "history.jsonl",
        "predictions.csv",
        "split.csv",
        "steps.csv",
        "timings.csv",
        "weights",
    ];
    assert_eq!(here.names("run"), files);
    assert_eq!(here.names("run/weights"), ["best.safetensors", "last.safetensors"]);
    for picture in ["curves.png", "confusion.png"] {
        let picture = image::load_from_memory(&here.read(&format!("run/{picture}"))).unwrap();
        assert!(picture.width() >= 200 && picture.height() >= 200);
    }
}

#[test]
fn the_tables_have_their_headings_and_a_row_for_each_epoch_step_and_file() {
    let here = Here::with_model();
    for (file, heading, rows) in [
        ("history.csv", "epoch,accuracy,loss,val_accuracy,val_loss", 2),
        ("steps.csv", "step,epoch,batch_size,loss,accuracy", 4),
        ("timings.csv", "epoch,seconds,step_seconds,wait_seconds,saving_seconds", 2),
        ("split.csv", "file,class,subset,sha256", 24),
        ("predictions.csv", "file,label,probability", 4),
    ] {
        let text = here.text(&format!("run/{file}"));
        assert_eq!(text.lines().next(), Some(heading));
        assert_eq!(text.lines().count(), 1 + rows, "{file}");
        assert!(csv(&text).iter().all(|row| row.len() == heading.split(',').count()), "{file}");
    }
    let steps = here.text("run/steps.csv");
    let batches: Vec<String> = csv(&steps)[1..].iter().map(|row| row[..3].join(" ")).collect();
    assert_eq!(batches, ["1 0 16", "2 0 4", "3 1 16", "4 1 4"]);
    let predictions = here.text("run/predictions.csv");
    let files: Vec<&str> = csv(&predictions)[1..].iter().map(|row| row[0]).collect();
    assert_eq!(files, ["cat/00.png", "cat/01.png", "dog/00.png", "dog/01.png"]);
}

#[test]
fn the_lines_of_the_history_have_the_numbers_of_its_table_to_the_last_bit() {
    let here = Here::with_model();
    let (table, lines) = (here.text("run/history.csv"), here.text("run/history.jsonl"));
    let rows = csv(&table);
    assert_eq!(lines.lines().count(), rows.len() - 1);
    for (row, line) in rows[1..].iter().zip(lines.lines()) {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(object.as_object().unwrap().len(), rows[0].len());
        for (name, value) in rows[0].iter().zip(row) {
            assert_eq!(object[name].as_f64().unwrap().to_bits(), value.parse::<f64>().unwrap().to_bits(), "{name}");
        }
    }
    // Without a validation part its values are null, where the table's fields are empty.
    here.done("train set --model tiny.toml --epochs 1 --validation-split 0 --out all");
    let object: serde_json::Value = serde_json::from_str(&here.text("all/history.jsonl")).unwrap();
    assert!(object["val_loss"].is_null() && object["val_accuracy"].is_null() && object["loss"].is_f64(), "{object}");
}

#[test]
fn the_configuration_has_every_setting_and_the_model_in_the_form_that_can_be_given_again() {
    let here = Here::with_set();
    here.done("train set --model tiny.toml --epochs 1 --dropout 0.25 --seed 7 --threads 1 --no-shuffle --out run");
    let config: toml::Table = here.text("run/config.toml").parse().unwrap();
    assert_eq!(config["command"].as_str(), Some("train"));
    assert_eq!(config["version"].as_str(), Some(env!("CARGO_PKG_VERSION")));
    let expected = r#"
        batch_size = 16
        bit_depth = 16
        cache = 1024
        class_weight = "none"
        conv = "auto"
        epochs = 1
        fuse = true
        image_size = 16
        learning_rate = 0.001
        save_every = 10.0
        seed = 7
        shuffle = false
        validation_split = 0.2
        weight_decay = 0.0
    "#;
    assert_eq!(config["settings"].as_table(), Some(&expected.parse().unwrap()));
    let expected = "beta_1 = 0.9\nbeta_2 = 0.999\nepsilon = 1e-7";
    assert_eq!(config["adam"].as_table(), Some(&expected.parse().unwrap()));
    let expected = r#"
        [conv2d]
        forward = "direct"
        grad_input = "sparse"
        grad_weights = "direct"
    "#;
    assert_eq!(config["algorithms"].as_table(), Some(&expected.parse().unwrap()));
    let machine = config["machine"].as_table().unwrap();
    assert_eq!(machine.keys().collect::<Vec<_>>(), ["instruction_set", "processor", "system", "threads"]);
    assert_eq!(machine["threads"].as_integer(), Some(1));
    let data = config["data"].as_table().unwrap();
    assert_eq!(data["path"].as_str(), Some("set"));
    let absolute = here.path("set").canonicalize().unwrap();
    assert_eq!(data["absolute_path"].as_str(), absolute.to_str());
    assert_eq!(data["positive_class"].as_str(), Some("dog"));
    assert_eq!(data["sha256"].as_str().unwrap().len(), 64);
    assert_eq!((data["training_images"].as_integer(), data["validation_images"].as_integer()), (Some(20), Some(4)));

    let outcome = config["outcome"].as_table().unwrap();
    let keys: Vec<&String> = outcome.keys().collect();
    assert_eq!(keys, ["best_epoch", "ended", "epochs", "saving_seconds", "seconds"]);
    assert_eq!(outcome["ended"].as_str(), Some("all epochs are done"));
    assert!(outcome["saving_seconds"].as_float() <= outcome["seconds"].as_float());

    let model: ModelSpec = config["model"].clone().try_into().unwrap();
    assert_eq!(model, toml::from_str::<ModelSpec>(TINY).unwrap().with_dropout(0.25));
    here.write("again.toml", toml::to_string(&config["model"]).unwrap());
    here.done("train set --model again.toml --epochs 1 --seed 7 --no-shuffle --out again");
    assert_eq!(here.text("run/history.csv"), here.text("again/history.csv"));
}

#[test]
fn the_weights_load_with_all_that_a_prediction_needs() {
    let here = Here::with_model();
    for which in ["best", "last"] {
        let model = checkpoint::load(&here.path(&format!("run/weights/{which}.safetensors"))).unwrap();
        assert_eq!(model.card.spec, toml::from_str(TINY).unwrap());
        assert_eq!(model.card.classes.two(), Some(["cat", "dog"]));
        assert_eq!(model.card.training.images, 20);
        assert!(model.card.training.val_loss.is_some());
        assert_eq!(model.parameters.table().parameter_count(), 1_697);
    }
}

#[test]
fn the_best_weights_are_those_of_the_epoch_with_the_lowest_validation_loss() {
    let here = Here::with_set();
    here.done("train set --model tiny.toml --epochs 6 --learning-rate 0.05 --out run");
    let history = here.text("run/history.csv");
    let losses: Vec<f64> = csv(&history)[1..].iter().map(|row| row[4].parse().unwrap()).collect();
    let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_ne!(lowest, losses[5], "the best epoch is the last, so the two files are the same and this tests nothing");
    let card = |which: &str| checkpoint::load(&here.path(&format!("run/weights/{which}.safetensors"))).unwrap().card;
    assert_eq!(card("best").training.val_loss, Some(lowest));
    assert_eq!(card("last").training.val_loss, Some(losses[5]));
    assert_eq!(card("last").training.epochs, 6);
    assert_abs_diff_eq!(validation_loss(&here, "best"), lowest, epsilon = 1e-6);
    assert_abs_diff_eq!(validation_loss(&here, "last"), losses[5], epsilon = 1e-6);
}

/// The mean loss of one of the run's weights on the run's validation files, from what `predict` answers for
/// each.
fn validation_loss(here: &Here, weights: &str) -> f64 {
    let split = here.text("run/split.csv");
    let rows: Vec<Vec<&str>> = csv(&split).into_iter().filter(|row| row[2] == "validation").collect();
    let files: Vec<String> = rows.iter().map(|row| format!("set/{}", row[0])).collect();
    let answers = here.json(&format!("predict run/weights/{weights}.safetensors {}", files.join(" ")));
    let answers = answers["predictions"].as_array().unwrap();
    assert_eq!((answers.len(), rows.len()), (4, 4));
    let losses = rows.iter().zip(&files).zip(answers).map(|((row, file), answer)| {
        assert_eq!(answer["file"], file.as_str());
        let p = answer["probability"].as_f64().unwrap();
        -(if row[1] == "dog" { p } else { 1.0 - p }).ln()
    });
    losses.sum::<f64>() / rows.len() as f64
}

#[test]
fn a_convolution_that_the_algorithm_asked_for_cannot_compute_is_named() {
    let here = Here::with_set();
    let spec = here.text("tiny.toml").replace("kernel = 3", "kernel = 4");
    here.write("four.toml", &spec);
    here.prints("train set --model four.toml --epochs 1 --conv winograd --out run", expect![[r#"
        Found 20 images belonging to 2 classes.
        Found 4 images belonging to 2 classes.
        Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)
        Epoch 1/1
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.6500 - val_loss: #.#### - val_accuracy: 0.5000
        Training Accuracy: 0.6500
        Training images again, without dropout: the last weights have accuracy 0.6000, loss #.#### (while training: accuracy 0.6500)
        Validation, last weights: 2 of 4 right, accuracy 0.5000; always answering 'dog' would have 0.5000
        Positive class 'dog': sensitivity 1.0000, specificity 0.0000, ROC AUC 1.0000
        Best weights: those of epoch 1, with the lowest val_loss, #.####
        After epoch 1, every validation image was taken for 'dog': the val_accuracy there is that class's share, no skill; so it is with the best weights, those of epoch 1
        Run folder: run
        stderr: warning: conv2d: --conv winograd cannot compute it, so im2col does
    "#]]);
    let config: toml::Table = here.text("run/config.toml").parse().unwrap();
    assert_eq!(config["algorithms"]["conv2d"]["forward"].as_str(), Some("im2col"));
    here.done("train set --model tiny.toml --epochs 1 --conv winograd --out other");
}
