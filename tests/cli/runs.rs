//! `glassnet runs`.

use super::Here;

#[test]
fn runs_stand_beside_each_other_the_best_first_with_the_settings_in_which_they_differ() {
    let here = Here::with_set();
    for (name, rate) in [("a2", "0.001"), ("a10", "0.00001")] {
        here.done(&format!("train set --model tiny.toml --epochs 2 --learning-rate {rate} --out all/{name}"));
    }
    let printed = here.done("runs all --plot runs.png");
    let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["run", "epochs", "val_loss", "val_accuracy", "loss", "accuracy", "learning_rate"]);
    assert_eq!(lines.len(), 3);
    let losses: Vec<f64> = lines[1..].iter().map(|line| line[2].parse().unwrap()).collect();
    assert!(losses[0] <= losses[1], "{printed}");
    let rate_of = |name: &str| lines.iter().find(|line| line[0] == name).unwrap()[6];
    assert_eq!([rate_of("all/a2"), rate_of("all/a10")], ["0.001", "0.00001"]);
    assert_eq!(image::open(here.path("runs.png")).unwrap().width(), 1200);

    let json = here.json("runs all/a10 all/a2 --by val_accuracy");
    let runs = json["runs"].as_array().unwrap();
    let best: Vec<f64> = runs.iter().map(|run| run["best"]["val_accuracy"].as_f64().unwrap()).collect();
    assert!(best[0] >= best[1]);
    assert_eq!(runs[0]["epochs"].as_u64(), Some(2));
}

#[test]
fn what_is_no_run_is_said_and_what_cannot_be_read_is_named_and_the_rest_shown() {
    let here = Here::with_model();
    here.refused("runs", 2, "DIR: runs does not exist");
    here.refused("runs set", 2, "DIR: set holds no run; give run folders, or a folder of them");
    let reason = "--by f1: no run has it in its history.csv; there are accuracy, loss, val_accuracy, val_loss";
    here.refused("runs run --by f1", 2, reason);
    here.write("broken/config.toml", "not = [toml");
    here.write("broken/history.csv", "epoch,loss\n0,0.5\n");
    let ran = here.run("runs run broken");
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.starts_with("error: broken/config.toml: it is no TOML: "), "{}", ran.stderr);
    assert!(ran.stdout.contains("run  "), "{}", ran.stdout);
}
