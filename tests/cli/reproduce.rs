//! `glassnet reproduce`.

use super::printed::{masked, masked_times};
use super::{Here, Ran};
use expect_test::expect;
use glassnet::training::keras_run::HISTORY;
use regex::Regex;

/// What a reproduction prints, with all numbers of our own run masked: after five epochs of the documented
/// network rounding may have turned an answer. The documented numbers, right of the bar, are as they are.
fn without_our_numbers(text: &str) -> String {
    let number = Regex::new(r"\d\.\d{4}|\d+ of 26 right").unwrap();
    let ours = |line: &str| {
        let (left, right) = line.split_at(line.find('│').unwrap_or(line.len()));
        let masked =
            number.replace_all(left, |found: &regex::Captures| found[0].replace(|c: char| c.is_ascii_digit(), "#"));
        format!("{masked}{right}\n")
    };
    masked(text).lines().map(ours).collect()
}

#[test]
fn it_prints_five_epochs_beside_the_documented_ones_from_any_folder_and_goes_on() {
    let here = Here::empty();
    let away = here.run("reproduce --out away");
    expect![[r#"
        Found 110 images belonging to 2 classes.
        Found 26 images belonging to 2 classes.
        Epoch 1/5
        7/7 [==============================] - TIME - loss: #.#### - accuracy: #.#### - val_loss: #.#### - val_accuracy: #.####
        Epoch 2/5
        7/7 [==============================] - TIME - loss: #.#### - accuracy: #.#### - val_loss: #.#### - val_accuracy: #.####
        Epoch 3/5
        7/7 [==============================] - TIME - loss: #.#### - accuracy: #.#### - val_loss: #.#### - val_accuracy: #.####
        Epoch 4/5
        7/7 [==============================] - TIME - loss: #.#### - accuracy: #.#### - val_loss: #.#### - val_accuracy: #.####
        Epoch 5/5
        7/7 [==============================] - TIME - loss: #.#### - accuracy: #.#### - val_loss: #.#### - val_accuracy: #.####
        Training Accuracy: #.####
        Training images again, without dropout: the last weights have accuracy #.####, loss #.#### (while training: accuracy #.####)
        Validation, last weights: ## of ## right, accuracy #.####; always answering 'malignant' would have #.####
        Positive class 'malignant': sensitivity #.####, specificity #.####, ROC AUC #.####
        Best weights: those of epoch 5, with the lowest val_loss, #.####
        After epochs 1 and 2, every validation image was taken for 'malignant': the val_accuracy there is that class's share, no skill
        Run folder: away

                                this run                  │               documented run              
        epoch      loss  accuracy  val_loss  val_accuracy │     loss  accuracy  val_loss  val_accuracy
        ─────  ───────────────────────────────────────────┼───────────────────────────────────────────
            1    #.####    #.####    #.####        #.#### │   0.6425    0.6727    0.5376        0.7692
            2    #.####    #.####    #.####        #.#### │   0.5685    0.7545    0.5435        0.7692
            3    #.####    #.####    #.####        #.#### │   0.5068    0.7636    0.4064        0.7692
            4    #.####    #.####    #.####        #.#### │   0.3520    0.8727    0.1604        1.0000
            5    #.####    #.####    #.####        #.#### │   0.1968    0.9273    0.0592        1.0000

        The set is synthetic, and its difficulty was chosen so that Keras's curve on it resembles the documented one:
        the resemblance is by construction. The evidence that the engine is right is another: from equal weights and
        batches its losses are those of Keras but for rounding (benches/peers/README.md says how near). Not for diagnosis.
        stderr: The synthetic phantom set, drawn in memory: there is no data/liver-phantom here.
    "#]].assert_eq(&without_our_numbers(&away.shown()));

    // The numbers are those of the tables.
    let printed = masked_times(&away.stdout);
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[0], "Found 110 images belonging to 2 classes.");
    assert_eq!(lines[1], "Found 26 images belonging to 2 classes.");
    let history = here.text("away/history.csv");
    for (epoch, row) in history.lines().skip(1).enumerate() {
        let numbers: Vec<f64> = row.split(',').map(|number| number.parse().unwrap()).collect();
        let [_, accuracy, loss, val_accuracy, val_loss] = numbers[..] else { panic!("{row}") };
        assert_eq!(lines[2 + 2 * epoch], format!("Epoch {}/5", epoch + 1));
        assert_eq!(
            lines[3 + 2 * epoch],
            format!(
                "7/7 [==============================] - TIME - loss: {loss:.4} - accuracy: {accuracy:.4} - val_loss: {val_loss:.4} - val_accuracy: {val_accuracy:.4}"
            )
        );
        let documented = HISTORY[epoch];
        let beside = format!(
            "{:>5}  {loss:>8.4}  {accuracy:>8.4}  {val_loss:>8.4}  {val_accuracy:>12.4} │ {:>8.4}  {:>8.4}  {:>8.4}  {:>12.4}",
            epoch + 1,
            documented.loss,
            documented.accuracy,
            documented.val_loss.unwrap(),
            documented.val_accuracy.unwrap()
        );
        assert!(lines.contains(&beside.as_str()), "{beside}\nis not in\n{}", away.stdout);
    }
    assert_eq!(history.lines().count(), 6);

    // Where the files are at hand they are read, and they are the very same set.
    let out = here.path("home").display().to_string();
    let mut home = here.command();
    let home =
        Ran::of(home.current_dir(env!("CARGO_MANIFEST_DIR")).args(["reproduce", "--threads", "1", "--out", &out]));
    assert_eq!((home.code, home.stderr.as_str()), (Some(0), "The synthetic phantom set in data/liver-phantom.\n"));
    assert_eq!(masked_times(&home.stdout), masked_times(&away.stdout.replace("away", &out)));
    assert_eq!(here.text("home/steps.csv"), here.text("away/steps.csv"));
    assert!(here.read("home/weights/last.safetensors") == here.read("away/weights/last.safetensors"));

    // It was drawn in memory, so that nothing is there to be judged.
    let drawn_anew = "DATA: the set that the run in away was trained on was drawn in memory; draw it again with glassnet phantom --out \
                      ph, and give ph";
    here.refused("evaluate away", 2, drawn_anew);
    here.done("phantom --out ph --quiet");
    let judged = here.done("evaluate away ph --subset validation");
    assert!(judged.contains("validation, 26 of 136 images") && judged.contains("byte for byte"), "{judged}");

    // A run that ended before its last files were written goes on, and says no more than its results if it
    // shall be quiet.
    let config = here.text("away/config.toml");
    let config = &config[..config.find("[outcome]").unwrap()];
    let before = here.read("away/predictions.csv");
    let drawn = "The synthetic phantom set, drawn in memory: there is no data/liver-phantom here.\n";
    let found = "Found 110 images belonging to 2 classes.\nFound 26 images belonging to 2 classes.\n\
                 Going on with away after 5 epochs\n";
    for (flag, begin, told) in [("", found, drawn), ("--quiet", "", "")] {
        here.write("away/config.toml", config);
        let again = here.run(&format!("reproduce --resume away {flag}"));
        let end = &away.stdout[away.stdout.find("Training Accuracy: ").unwrap()..];
        assert_eq!((again.code, again.stderr.as_str()), (Some(0), told));
        assert_eq!(masked_times(&again.stdout), masked_times(&format!("{begin}{end}")));
        assert!(here.read("away/predictions.csv") == before);
    }
}
