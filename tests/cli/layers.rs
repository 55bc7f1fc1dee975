//! Networks of every kind of layer, from the command line.

use super::Here;

const ALL_KINDS: &str = "input = [16, 16, 3]
layers = [
    { type = 'conv2d', filters = 6, kernel = 3, padding = 'same', dilation = 2 },
    { type = 'batch_normalization', momentum = 0.8 },
    { type = 'relu' },
    { type = 'max_pool', window = 3, stride = 2, padding = 'same' },
    { type = 'depthwise_conv2d', kernel = 3, depth_multiplier = 2 },
    { type = 'leaky_relu' },
    { type = 'average_pool', window = 2 },
    { type = 'global_average_pool' },
    { type = 'dense', units = 5 },
    { type = 'batch_normalization', momentum = 0.8 },
    { type = 'relu' },
    { type = 'dropout', rate = 0.2 },
    { type = 'dense', units = 1 },
]
";

#[test]
fn a_network_of_every_kind_of_layer_trains_stops_goes_on_and_predicts() {
    let here = Here::with_set();
    here.write("all.toml", ALL_KINDS);
    here.done("train set --model all.toml --epochs 3 --out whole");
    here.done("train set --model all.toml --epochs 1 --out parts");
    here.done("train --resume parts --epochs 3");
    for file in ["history.csv", "steps.csv", "predictions.csv"] {
        assert_eq!(here.text(&format!("parts/{file}")), here.text(&format!("whole/{file}")), "{file}");
    }
    // The weights are folded for these, so the probabilities are the run's but for rounding.
    let probabilities = |text: String| -> Vec<f64> {
        text.lines().filter_map(|line| line.rsplit(['\t', ',']).next()?.parse().ok()).collect()
    };
    let of_run = probabilities(here.text("whole/predictions.csv"));
    let split = here.text("whole/split.csv");
    let files: Vec<String> = split.lines().filter(|line| line.contains("validation")).filter_map(path_of).collect();
    assert_eq!(files.len(), of_run.len(), "{split}");
    let best = here.done(&format!("predict whole/weights/last.safetensors {}", files.join(" ")));
    for (predicted, of_run) in probabilities(best.clone()).iter().zip(&of_run) {
        assert!((predicted - of_run).abs() <= 1e-4, "{best}{of_run}");
    }
    let summary = here.done("summary whole");
    assert!(
        summary.contains("\nbatch_normalization_1 ") && summary.contains("22 of them moving statistics"),
        "{summary}"
    );
    here.done("evaluate whole set");
}

/// The cell of a table's row that names a picture.
fn path_of(row: &str) -> Option<String> {
    row.split(',').find(|cell| cell.ends_with(".png")).map(|file| format!("set/{file}"))
}
