//! `glassnet sweep`.

use super::survive::assert_same_run;
use super::{Here, csv};
use approx::assert_abs_diff_eq;

const SWEEP: &str = "sweep set --model tiny.toml --epochs 2";

/// Two rates and two dropouts.
const GRID: &str = "--try learning-rate=0.001,1e-5 --try dropout=0.2,0.5";

/// The folders of that grid, in its order.
const TRIALS: [&str; 4] = [
    "learning-rate=0.001,dropout=0.2",
    "learning-rate=0.001,dropout=0.5",
    "learning-rate=1e-5,dropout=0.2",
    "learning-rate=1e-5,dropout=0.5",
];

/// Runs a sweep whose progress is of no interest; returns stdout.
#[track_caller]
fn swept(here: &Here, arguments: &str) -> String {
    here.done(&format!("{arguments} --quiet"))
}

/// The rows of a sweep's table without the heading and the seconds, which no two runs share.
fn rows(here: &Here, sweep: &str) -> Vec<Vec<String>> {
    let text = here.text(&format!("{sweep}/sweep.csv"));
    let mut reader = csv_reader(&text);
    let seconds = reader.headers().unwrap().iter().position(|name| name == "seconds").unwrap();
    let row = |row: Result<csv::StringRecord, csv::Error>| {
        let row = row.unwrap();
        let cells = row.iter().enumerate().filter(|(column, _)| *column != seconds);
        cells.map(|(_, cell)| cell.to_string()).collect()
    };
    reader.records().map(row).collect()
}

fn csv_reader(text: &str) -> csv::Reader<&[u8]> {
    csv::Reader::from_reader(text.as_bytes())
}

#[test]
fn a_grid_is_trained_and_told_with_the_lowest_loss_first_and_what_that_is_worth() {
    let here = Here::with_set();
    let printed = swept(&here, &format!("{SWEEP} {GRID} --out s"));
    let mut names = [&TRIALS[..], &["sweep.csv", "sweep.png", "sweep.toml"]].concat();
    names.sort_unstable();
    assert_eq!(here.names("s"), names);

    let text = here.text("s/sweep.csv");
    let heading = "trial,learning_rate,dropout,state,val_loss,val_loss_sd,val_accuracy,val_accuracy_sd,best_epoch,\
                   epochs_done,seconds,folder";
    assert_eq!(text.lines().next(), Some(heading));
    let table = rows(&here, "s");
    assert_eq!(table.len(), 4);
    let losses: Vec<f64> = table.iter().map(|row| row[4].parse().unwrap()).collect();
    assert!(losses.is_sorted(), "{losses:?}");
    for row in &table {
        let (folder, best) = (&row[10], row[8].parse::<usize>().unwrap());
        assert_eq!(
            (folder.as_str(), row[3].as_str(), row[9].as_str()),
            (TRIALS[row[0].parse::<usize>().unwrap() - 1], "done", "2")
        );
        assert_eq!(*folder, format!("learning-rate={},dropout={}", row[1], row[2]));
        // The figure is that of the best epoch, to the last digit.
        let history = here.text(&format!("s/{folder}/history.csv"));
        let history = csv(&history);
        assert_eq!([history[best + 1][4], history[best + 1][3]], [row[4].as_str(), row[6].as_str()]);
        assert!(history[1..].iter().all(|epoch| epoch[4].parse::<f64>().unwrap() >= row[4].parse().unwrap()));
    }
    assert!(image::open(here.path("s/sweep.png")).unwrap().width() > 600);

    let lines: Vec<&str> = printed.lines().collect();
    let words = |line: &str| line.split_whitespace().map(str::to_string).collect::<Vec<_>>();
    assert_eq!(
        words(lines[0]),
        ["val_loss", "val_accuracy", "best", "epoch", "epochs", "seconds", "learning-rate", "dropout", "folder"]
    );
    for (line, row) in lines[1..5].iter().zip(&table) {
        assert_eq!(words(line)[0], format!("{:.4}", row[4].parse::<f64>().unwrap()));
        assert_eq!(words(line).last().unwrap(), &format!("s/{}", row[10]));
    }
    let note = "The best of 4 trials was chosen by the same 4 validation images that it is measured on, which flatters it, \
                the more so the more trials there are: judge it on images that none of them has seen.";
    assert_eq!(lines[5..], [note, "Sweep folder: s"]);
    // A trial is a run as any other.
    here.done(&format!("evaluate s/{} set", TRIALS[0]));
    assert_eq!(here.done("runs s").lines().count(), 5);
}

#[test]
fn a_trial_is_the_run_that_train_makes_with_its_flags_to_the_last_bit() {
    let here = Here::with_set();
    let flags = "--class-weight balanced --validation-split 0.3 --no-shuffle --seed 5";
    swept(&here, &format!("{SWEEP} --try dropout=0.25,default --try augment=flip|flip,shift {flags} --out s"));
    for (trial, given) in [
        ("dropout=0.25,augment=flip", "--dropout 0.25 --augment flip"),
        ("dropout=0.25,augment=flip,shift", "--dropout 0.25 --augment flip,shift"),
        ("dropout=default,augment=flip", "--augment flip"),
    ] {
        here.done(&format!("train set --model tiny.toml --epochs 2 {flags} {given} --out alone/{trial}"));
        assert_same_run(&here, &format!("s/{trial}"), &format!("alone/{trial}"));
        let config = |run: &str| {
            let mut config: toml::Table = here.text(&format!("{run}/config.toml")).parse().unwrap();
            config.remove("outcome");
            config
        };
        assert_eq!(config(&format!("s/{trial}")), config(&format!("alone/{trial}")));
    }
}

#[test]
fn shards_make_the_same_sweep_and_what_is_done_is_not_done_again() {
    let here = Here::with_set();
    swept(&here, &format!("{SWEEP} {GRID} --out whole"));
    let half = swept(&here, &format!("{SWEEP} {GRID} --out s --shard 1/2"));
    assert_eq!(here.names("s"), [TRIALS[0], TRIALS[2], "sweep.csv", "sweep.png", "sweep.toml"]);
    assert!(
        half.contains("\n2 of 4 trials are not done here; the same call without --shard does all of them\n"),
        "{half}"
    );
    let states: Vec<String> = rows(&here, "s").iter().map(|row| row[3].clone()).collect();
    assert_eq!(states, ["done", "done", "waiting", "waiting"]);
    swept(&here, &format!("{SWEEP} {GRID} --out s --shard 2/2"));
    assert_eq!(rows(&here, "s"), rows(&here, "whole"));
    for trial in TRIALS {
        assert_same_run(&here, &format!("s/{trial}"), &format!("whole/{trial}"));
    }

    let before = here.read(&format!("s/{}/config.toml", TRIALS[1]));
    let ran = here.run(&format!("{SWEEP} {GRID} --out s --json"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), "Going on: 4 of 4 trials are done\n"));
    assert_eq!(here.read(&format!("s/{}/config.toml", TRIALS[1])), before);
    let json = ran.json();
    assert_eq!(super::keys(&json), ["by", "folds", "left_out", "notes", "sweep_folder", "trials"]);
    let best = &json["trials"][0];
    let row = &rows(&here, "s")[0];
    assert_eq!(best["val_loss"].as_f64(), row[4].parse().ok());
    assert_eq!(best["settings"]["learning_rate"], row[1].as_str());
    assert_eq!(best["run_folder"], format!("s/{}", row[10]));
}

#[test]
fn a_trial_that_was_stopped_goes_on_where_it_was() {
    let here = Here::with_set();
    swept(&here, &format!("{SWEEP} {GRID} --out whole"));
    swept(&here, &format!("{SWEEP} {GRID} --out s"));
    // As if the power had gone before the end of the third, and before the fourth had begun.
    let config = here.text(&format!("s/{}/config.toml", TRIALS[2]));
    here.write(&format!("s/{}/config.toml", TRIALS[2]), &config[..config.find("[outcome]").unwrap()]);
    std::fs::remove_file(here.path(&format!("s/{}/predictions.csv", TRIALS[2]))).unwrap();
    std::fs::remove_dir_all(here.path(&format!("s/{}", TRIALS[3]))).unwrap();
    let ran = here.run(&format!("{SWEEP} {GRID} --out s"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stderr.starts_with("Going on: 2 of 4 trials are done\nTrial 3 of 4: learning-rate=1e-5 dropout=0.2\n"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains(&format!("\nGoing on with s/{} after 2 epochs\n", TRIALS[2])), "{}", ran.stderr);
    for trial in TRIALS {
        assert_same_run(&here, &format!("s/{trial}"), &format!("whole/{trial}"));
    }
    assert_eq!(rows(&here, "s"), rows(&here, "whole"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_the_trial_and_prints_the_call_that_goes_on_with_all() {
    let here = Here::with_set();
    let call = "sweep set --model tiny.toml --epochs 1000 --try batch-size=8,16 --quiet --out s";
    let shown = call.replace("batch-size=8,16", "'batch-size=8,16'");
    let child = here.start(call);
    here.wait_for("s/batch-size=16/history.csv");
    child.interrupt();
    let ran = child.ended();
    let sentence = format!("interrupted; what was reached by then is in the run folder; go on with: glassnet {shown}");
    assert_eq!((ran.code, ran.stderr), (Some(130), format!("error: {sentence}\n")));
    let states: Vec<String> = rows(&here, "s").iter().map(|row| row[2].clone()).collect();
    assert_eq!(states, ["done", "begun"]);
    here.done(call);
    here.done("train set --model tiny.toml --epochs 1000 --batch-size 16 --out alone");
    assert_same_run(&here, "s/batch-size=16", "alone");
}

#[test]
fn folds_have_a_mean_and_a_spread_and_are_those_of_train() {
    let here = Here::with_set();
    let printed = swept(&here, &format!("{SWEEP} --folds 3 --try learning-rate=0.001,0.01,1e-5 --out s"));
    here.done("train set --model tiny.toml --epochs 2 --folds 3 --learning-rate 0.01 --out alone");
    for fold in 1..=3 {
        assert_same_run(&here, &format!("s/learning-rate=0.01/fold{fold}"), &format!("alone/fold{fold}"));
    }
    assert_eq!(here.text("s/learning-rate=0.01/folds.csv"), here.text("alone/folds.csv"));
    let folds = here.text("alone/folds.csv");
    let losses: Vec<f64> = csv(&folds)[1..].iter().map(|row| row[4].parse().unwrap()).collect();
    let mean = losses.iter().sum::<f64>() / 3.0;
    let sd = (losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
    let table = rows(&here, "s");
    let row = table.iter().find(|row| row[1] == "0.01").unwrap();
    assert_abs_diff_eq!(row[3].parse::<f64>().unwrap(), mean, epsilon = 1e-12);
    assert_abs_diff_eq!(row[4].parse::<f64>().unwrap(), sd, epsilon = 1e-12);
    assert_eq!((row[7].as_str(), row[8].as_str()), ("", "6"));
    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines[0].starts_with("val_loss  sd      val_accuracy  sd "), "{printed}");
    assert!(printed.contains("The best of 3 trials was chosen by the same 24 validation images"), "{printed}");
    assert!(printed.contains("sd is the spread between the folds (n − 1), no standard error; "), "{printed}");

    // One fold of a trial was not begun, and goes on with its trial.
    std::fs::remove_dir_all(here.path("s/learning-rate=0.01/fold3")).unwrap();
    here.write("s/learning-rate=0.01/folds.csv", &folds[..folds.trim_end().rfind('\n').unwrap() + 1]);
    swept(&here, &format!("{SWEEP} --folds 3 --try learning-rate=0.001,0.01,1e-5 --out s"));
    assert_same_run(&here, "s/learning-rate=0.01/fold3", "alone/fold3");
    assert_eq!(rows(&here, "s"), table);
}

#[test]
fn trials_are_drawn_by_the_seed_and_a_larger_number_begins_with_the_same() {
    let here = Here::with_set();
    let call = |flags: &str| {
        format!("sweep set --model tiny.toml --epochs 1 --try learning-rate=1e-5..1e-2 --try batch-size=2..8 {flags}")
    };
    swept(&here, &call("--random 3 --out s"));
    swept(&here, &call("--random 5 --out more"));
    swept(&here, &call("--random 3 --seed 1 --out other"));
    let drawn = |sweep: &str| {
        let mut rows: Vec<(usize, f64, usize)> = rows(&here, sweep)
            .iter()
            .map(|row| (row[0].parse().unwrap(), row[1].parse().unwrap(), row[2].parse().unwrap()))
            .collect();
        rows.sort_by_key(|row| row.0);
        rows
    };
    let [three, five, other] = ["s", "more", "other"].map(drawn);
    assert_eq!((three.len(), &five[..3]), (3, &three[..]));
    assert_ne!(three, other);
    assert!(five.iter().all(|(_, rate, size)| (1e-5..=1e-2).contains(rate) && (2..=8).contains(size)), "{five:?}");
    // What was drawn is what was trained with.
    let config: toml::Table = here.text(&format!("s/{}/config.toml", rows(&here, "s")[0][10])).parse().unwrap();
    assert_eq!(config["settings"]["learning_rate"].as_float(), rows(&here, "s")[0][1].parse().ok());
}

#[test]
fn a_trial_that_diverges_is_told_and_the_others_are_trained() {
    let here = Here::with_set();
    let call = format!("{SWEEP} --try learning-rate=3e38,0.001 --batch-size 4");
    let ran = here.run(&format!("{call} --quiet --out s"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let sentence = "the loss became NaN in epoch 1, step 2: ";
    assert!(ran.stderr.starts_with(&format!("warning: learning-rate=3e38: {sentence}")), "{}", ran.stderr);
    assert!(
        ran.stdout.contains("\nDiverged: learning-rate=3e38: the loss became NaN in epoch 1, step 2\n"),
        "{}",
        ran.stdout
    );
    let states: Vec<String> = rows(&here, "s").iter().map(|row| row[2].clone()).collect();
    assert_eq!(states, ["done", "diverged"]);
    // It would diverge again.
    let ran = here.run(&format!("{call} --out s"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), "Going on: 2 of 2 trials are done\n"));
}

#[test]
fn what_cannot_be_swept_is_refused_before_anything_is_trained() {
    let here = Here::with_set();
    here.done("pack set --size 16 --out set.pack");
    let refused = |flags: &str, sentence: &str| {
        here.refused(&format!("{SWEEP} {flags} --out s"), 2, sentence);
        assert!(!here.path("s").exists(), "{flags}");
    };
    refused("--try lr=0.1", "--try lr=0.1: glassnet train has no flag --lr; is learning-rate meant?");
    refused("--try dropout=0.5,2", "--try dropout=0.5,2: 2: it must be a number, at least 0 and below 1");
    refused(
        "--try dropout=0.2..0.5",
        "--try: dropout has a range, and values are drawn from it; give --random with their number",
    );
    refused("--try epochs=3,4", "--try epochs=3,4: --epochs is given for all trials, too; leave one of the two out");
    refused(
        "--try dropout=0.1,0.2 --validation-split 0",
        "--validation-split 0: no image validates then, and trials are compared by their val_loss; give a larger share",
    );
    refused(
        "--try learning-rate=0.001,0.5 --weight-decay 10",
        "--try, learning-rate=0.5: --weight-decay 10: with --learning-rate 0.5 each step would take 5 times of every \
         weight away; the product must be below 1, and usual weight decays are 0.001 to 0.1",
    );
    refused(
        "--try freeze=conv2d|conv2d,dense",
        "--try, freeze=conv2d: --freeze: it is for weights that something was learned with; give them by --init-weights",
    );
    // A pack is held to a value that is tried as to one that is given.
    here.refused(
        "sweep set.pack --model tiny.toml --try resize=crop,letterbox --out s",
        2,
        "--try, resize=crop: --resize crop: set.pack was packed with squash; leave it out, or pack the images again",
    );
    here.misused(
        "sweep set --try dropout --out s",
        "invalid value 'dropout' for '--try <NAME=VALUE,…>': it must be a flag of train and its values, such as \
         learning-rate=1e-4,1e-3",
    );
}

#[test]
fn another_plan_or_other_data_are_refused_in_the_folder_of_a_sweep() {
    let here = Here::with_set();
    let call = "sweep set --model tiny.toml --try dropout=0.2,0.5";
    swept(&here, &format!("{call} --epochs 1 --out s"));
    let away = "give the same flags to go on with it, or name another folder";
    here.refused(
        &format!("{call} --epochs 2 --out s"),
        2,
        &format!("--out: the sweep in s has --epochs 1, and 2 is asked for; {away}"),
    );
    here.refused(
        "sweep set --model tiny.toml --try dropout=0.2,0.4 --epochs 1 --out s",
        2,
        &format!("--out: the sweep in s has --try dropout=0.2,0.5, and dropout=0.2,0.4 is asked for; {away}"),
    );
    here.refused(
        "sweep set --model tiny.toml --try dropout=0.2,0.5 --epochs 1 --out set/s",
        2,
        "--out: set/s would lie in set, where it would be taken for a folder of images; name a folder outside of the data",
    );
    // What makes no difference may differ.
    swept(&here, &format!("{call} --epochs 1 --out s --cache 0 --threads 1"));

    // The same names with another content: the trial that is trained anew tells.
    std::fs::remove_dir_all(here.path("s/dropout=0.5")).unwrap();
    here.write("set/cat/05.png", here.read("set/cat/06.png"));
    let ran = here.run(&format!("{call} --epochs 1 --out s --quiet"));
    let sentence = "error: s/dropout=0.5: the images of this trial are not those of s/dropout=0.2: their hashes in config.toml \
                    differ, so the two are not to be compared; give the same data, and remove the trial of the others\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), sentence));
    here.write("set/cat/99.png", here.read("set/cat/06.png"));
    let sentence = "--out: the sweep in s has data with images[0] = 10, and 11 is asked for; ".to_string() + away;
    here.refused(&format!("{call} --epochs 1 --out s"), 2, &sentence);
}
