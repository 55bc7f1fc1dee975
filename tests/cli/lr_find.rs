//! `glassnet lr-find`.

use super::{Here, csv};

const FIND: &str = "lr-find set --model tiny.toml --batch-size 5 --steps 60";

#[test]
fn the_curve_is_printed_with_a_suggestion_and_written_as_numbers_and_picture() {
    let here = Here::with_set();
    let printed = here.done(&format!("{FIND} --out rates"));
    let suggestion = printed.lines().find(|line| line.starts_with("It falls fastest at")).expect("a suggestion");
    let rate: f64 = suggestion.rsplit(' ').next().unwrap().parse().unwrap();
    assert!((1e-6..1.0).contains(&rate), "{printed}");
    let numbers = here.text("rates/lr-find.csv");
    let rows = csv(&numbers);
    assert_eq!(rows[0], ["learning_rate", "loss", "smoothed"]);
    let rates: Vec<f64> = rows[1..].iter().map(|row| row[0].parse().unwrap()).collect();
    assert!(rates.len() >= 20 && rates[0] == 1e-6 && rates.is_sorted(), "{rates:?}");
    assert!(image::open(here.path("rates/lr-find.png")).unwrap().width() == 900);
    // The same numbers with any number of threads, and as JSON.
    assert_eq!(here.done(&format!("{FIND} --threads 2")), here.done(&format!("{FIND} --threads 1")));
    let json = here.json(FIND);
    assert_eq!(json["suggestion"].as_f64(), Some(rate));
    assert_eq!(json["points"].as_array().unwrap().len(), rates.len());
}

#[test]
fn a_rate_at_which_the_loss_is_no_number_ends_the_test_and_is_no_error() {
    let here = Here::with_set();
    let printed = here.done(&format!("{FIND} --optimizer sgd --to 1e30"));
    assert!(printed.contains("the loss had gone up for good"), "{printed}");
}

#[test]
fn a_last_rate_below_the_first_is_refused() {
    let here = Here::with_set();
    here.refused(&format!("{FIND} --from 0.1 --to 0.01"), 2, "--to: 0.01 must be above --from 0.1");
}
