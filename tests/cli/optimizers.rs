//! `glassnet train`: optimizers, clipping, schedules and label smoothing by their flags.

use super::{Here, csv};

const TRAIN: &str = "train set --model tiny.toml --batch-size 5 --epochs 3";

/// The flags of a run that differs from any other, and what its config.toml says of them.
const RUNS: [(&str, &[&str]); 10] = [
    ("--optimizer adamw", &["weight_decay = 0.004\n", "[adam]\n"]),
    ("--optimizer sgd", &["optimizer = \"sgd\"\n", "learning_rate = 0.01\n"]),
    ("--optimizer sgd --momentum 0.9 --nesterov --weight-decay 0.1", &["momentum = 0.9\n", "nesterov = true\n"]),
    ("--clip-norm 0.01", &["clip_norm = 0.01\n"]),
    ("--optimizer sgd --global-clip-norm 0.01", &["global_clip_norm = 0.01\n"]),
    ("--optimizer sgd --clip-value 0.001", &["clip_value = 0.001\n"]),
    (
        "--schedule cosine --decay-steps 6 --warmup-steps 3 --warmup-target 0.02 --alpha 0.1",
        &["schedule = \"cosine\"\n", "warmup_target = 0.02\n"],
    ),
    (
        "--schedule staircase --decay-steps 4",
        &["decay_steps = 4
"],
    ),
    ("--schedule piecewise --pieces 2:0.01,5:0.002", &["pieces = [\"2:0.01\", \"5:0.002\"]"]),
    ("--label-smoothing 0.2", &["label_smoothing = 0.2\n"]),
];

#[test]
fn each_flag_changes_what_is_learned_is_written_down_and_goes_on_after_a_stop_to_the_same_bits() {
    let here = Here::with_set();
    here.done(&format!("{TRAIN} --out plain"));
    let plain = here.read("plain/weights/last.safetensors");
    for (number, (flags, written)) in RUNS.iter().enumerate() {
        here.done(&format!("{TRAIN} {flags} --out whole{number}"));
        let config = here.text(&format!("whole{number}/config.toml")).replace("\n    ", "").replace(",]", "]");
        for line in *written {
            assert!(config.contains(line), "{flags}: no {line} in {config}");
        }
        let whole = here.read(&format!("whole{number}/weights/last.safetensors"));
        assert!(whole != plain, "{flags}");
        // All settings come from the run's own file.
        let shorter = TRAIN.replace("--epochs 3", "--epochs 1");
        here.done(&format!("{shorter} {flags} --out part{number}"));
        // One tells that it ends later than its cosine.
        assert_eq!(here.run(&format!("train --resume part{number} --epochs 3")).code, Some(0), "{flags}");
        assert!(here.read(&format!("part{number}/weights/last.safetensors")) == whole, "{flags}, resumed");
    }
}

#[test]
fn steps_csv_tells_the_learning_rate_where_it_follows_a_schedule_and_is_as_ever_where_not() {
    let here = Here::with_set();
    here.done(&format!("{TRAIN} --out plain"));
    assert_eq!(here.text("plain/steps.csv").lines().next(), Some("step,epoch,batch_size,loss,accuracy"));
    here.done(&format!("{TRAIN} --schedule staircase --decay-steps 5 --decay-rate 0.5 --out stairs"));
    let steps = here.text("stairs/steps.csv");
    let rates: Vec<&str> = csv(&steps).iter().map(|row| row[5]).collect();
    let expected = [["0.001"; 5], ["0.0005"; 5]].concat();
    assert_eq!((rates[0], &rates[1..11]), ("learning_rate", &expected[..]));
}

#[test]
fn a_cosine_is_as_long_as_the_run_which_writes_that_down_and_keeps_it_when_it_goes_on_longer() {
    let here = Here::with_set();
    here.done(&format!("{TRAIN} --schedule cosine --warmup-steps 2 --out run"));
    let table = here.text("run/steps.csv");
    let rates: Vec<f64> = csv(&table)[1..].iter().map(|row| row[5].parse().unwrap()).collect();
    let all = rates.len();
    let written = format!(
        "decay_steps = {}
",
        all - 2
    );
    assert!(here.text("run/config.toml").contains(&written), "{}", here.text("run/config.toml"));
    assert_eq!(rates[..3], [0.0, 0.0005, 0.001]);
    assert!(rates[all - 1] > 0.0 && rates[all - 1] < 0.0001, "{rates:?}");

    let longer = here.run("train --resume run --epochs 4");
    let told =
        format!("the cosine ends after {all} of the run's {} steps: the learning rate is 0 from then on", all / 3 * 4);
    assert!(longer.stderr.contains(&told), "{}", longer.stderr);
    assert!(here.text("run/config.toml").contains(&written));
    let refused = here.run(&format!("train --resume run --decay-steps {all}"));
    assert!(refused.stderr.contains("--decay-steps: the run in run has "), "{}", refused.stderr);
    // All folds have the one of the longest, from their first step to their last.
    here.done(&format!("{TRAIN} --schedule staircase --folds 2 --out folds"));
    let [whole, first, second] = ["", "/fold1", "/fold2"].map(|fold| here.text(&format!("folds{fold}/config.toml")));
    let line = |config: &str| config.lines().find(|line| line.starts_with("decay_steps")).map(str::to_string);
    assert!(line(&whole).is_some() && line(&whole) == line(&first) && line(&whole) == line(&second), "{whole}");
    here.done("train --resume folds --epochs 4");
    let warmed = here.run(&format!("{TRAIN} --schedule cosine --warmup-steps {all}"));
    assert_eq!(warmed.code, Some(2), "{}", warmed.stderr);
    assert!(
        warmed.stderr.contains(&format!("--warmup-steps {all}: the run has {all} steps in all")),
        "{}",
        warmed.stderr
    );
}

#[test]
fn flags_that_do_not_go_together_are_refused_by_name_before_anything_is_read() {
    let here = Here::with_set();
    for (flags, sentence) in [
        ("--momentum 0.9", "--momentum: it belongs to the optimizer sgd, and this is adam; leave it out, or take sgd"),
        (
            "--clip-norm 1 --clip-value 1",
            "--clip-value: gradients are clipped in one way, and another is set too; leave one out",
        ),
        ("--schedule piecewise", "--pieces: the schedule piecewise needs it"),
        ("--schedule cosine --warmup-target 0.1", "--warmup-steps: a warm-up has steps, and only its target is set"),
        (
            "--decay-steps 5",
            "--decay-steps: it belongs to the schedule cosine or staircase, and this is constant; leave it out, or take that",
        ),
        ("--schedule piecewise --pieces 5:0.1,5:0.2", "--pieces: their steps must rise, as in 100:0.001,200:0.0001"),
    ] {
        here.refused(&format!("{TRAIN} {flags}"), 2, sentence);
    }
    here.done(&format!("{TRAIN} --optimizer sgd --out run"));
    // Adam's is the setting that is not written.
    let refused = here.run("train --resume run --epochs 4 --optimizer adam");
    assert!(refused.stderr.contains("--optimizer: the run in run has sgd"), "{}", refused.stderr);
}
