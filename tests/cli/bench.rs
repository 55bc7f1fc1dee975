//! `glassnet bench`. What it prints is checked for its shape and for what does not depend on time.

use super::{Here, Ran, csv, keys};
use glassnet::kernels::conv::Pass;
use glassnet::kernels::geometry::{ConvGeometry, Padding};
use glassnet::kernels::registry::CONV_ALGORITHMS;
use glassnet::kernels::simd::InstructionSet;
use serde_json::Value;

/// A convolution that takes a moment.
const SMALL: &str = "n1h8w8c3f4k3";

/// Stdout of a run that is done; of stderr only what a build without optimisation warns of.
#[track_caller]
fn printed(here: &Here, arguments: &str) -> String {
    let ran = here.run(arguments);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    match cfg!(debug_assertions) {
        true => assert!(ran.stderr.starts_with("warning: this program was built without --release"), "{}", ran.stderr),
        false => assert_eq!(ran.stderr, ""),
    }
    ran.stdout
}

#[track_caller]
fn assert_milliseconds(ms: &Value) {
    assert_eq!(keys(ms), ["median", "min"]);
    let (min, median) = (ms["min"].as_f64().unwrap(), ms["median"].as_f64().unwrap());
    assert!(min >= 0.0 && min <= median, "{ms}");
}

#[test]
fn every_algorithm_does_every_pass_it_supports_and_is_near_the_reference() {
    let here = Here::empty();
    let object = here.json(&format!("bench conv {SMALL} --rounds 1 --threads 1,2"));
    assert_eq!(keys(&object), ["convolutions", "machine", "rounds"]);
    let machine = &object["machine"];
    assert_eq!(keys(machine), ["instruction_set", "peaks", "processor", "release_build"]);
    assert_eq!(machine["instruction_set"], InstructionSet::in_force().name());
    for (peak, threads) in machine["peaks"].as_array().unwrap().iter().zip([1, 2]) {
        assert_eq!(peak["threads"], threads);
        assert!(peak["gflops"].as_f64().unwrap() > 0.0 && peak["gb_per_s"].as_f64().unwrap() > 0.0, "{peak}");
    }
    let convolution = &object["convolutions"][0];
    assert_eq!(keys(convolution), ["cases", "convolution", "error_of", "layer", "multiply_adds"]);
    assert_eq!((&convolution["convolution"], &convolution["layer"]), (&SMALL.into(), &Value::Null));
    assert_eq!(convolution["multiply_adds"], 36 * 27 * 4);
    assert_eq!(convolution["error_of"], "one image of 8×8");

    let cases = convolution["cases"].as_array().unwrap();
    let geometry = ConvGeometry::new([8, 8, 3], [3, 3], [1, 1], Padding::Valid, 4).unwrap();
    for threads in [1, 2] {
        for pass in Pass::ALL {
            let of = |name: &str, gradient: &str| {
                cases.iter().find(|case| {
                    let same_gradient = pass == Pass::Forward || case["gradient"] == gradient;
                    case["threads"] == threads
                        && case["pass"] == pass.name()
                        && case["algorithm"] == name
                        && same_gradient
                })
            };
            for algorithm in CONV_ALGORITHMS {
                let supported = algorithm.supports(&geometry, pass);
                assert_eq!(of(algorithm.name(), "dense").is_some(), supported, "{} {}", algorithm.name(), pass.name());
                let pooled = supported && pass != Pass::Forward && algorithm.takes_pooled(pass);
                assert!(!pooled || of(algorithm.name(), "pooled").is_some(), "{} {}", algorithm.name(), pass.name());
            }
            let base = of("im2col", "dense").unwrap();
            assert_eq!(base["times_im2col"], 1.0);
            assert!(base["matrixmultiply_share"].as_f64().unwrap() > 0.0, "{base}");
            assert_eq!(of("matrixmultiply", "dense").unwrap()["error"], Value::Null);
        }
    }
    for case in cases {
        assert!(case["min_ms"].as_f64().unwrap() <= case["median_ms"].as_f64().unwrap(), "{case}");
        for rate in ["gflops", "gb_per_s", "peak_share", "bandwidth_share", "times_im2col", "least_bytes"] {
            assert!(case[rate].as_f64().unwrap() > 0.0, "{rate} of {case}");
        }
        if case["algorithm"] != "matrixmultiply" {
            assert!(case["error"].as_f64().unwrap() <= 1e-5, "{case}");
        }
    }
}

#[test]
fn the_table_has_the_machine_first_then_a_line_for_each_case_then_a_legend() {
    let here = Here::empty();
    let stdout =
        printed(&here, &format!("bench conv {SMALL} --rounds 1 --threads 2 --algorithm im2col --pass forward"));
    let lines: Vec<&str> = stdout.lines().collect();
    let set = InstructionSet::in_force().name();
    assert!(lines[0].contains(&format!(", {set}, 2 threads: at most ")), "{stdout}");
    assert!(lines[0].contains(" GFLOP/s in f32, ") && lines[0].ends_with(" GB/s to memory"), "{stdout}");
    let heading = "n1h8w8c3f4k3: 1 × 8×8×3 → 6×6×4, 0.000 GFLOP a pass; errors of one image of 8×8";
    assert_eq!(lines[1..3], ["", heading]);
    let words = |line: &str| line.split_whitespace().map(str::to_string).collect::<Vec<String>>();
    assert_eq!(words(lines[3])[..4], ["threads", "pass", "algorithm", "gradient"]);
    assert_eq!(words(lines[5])[..3], ["2", "forward", "im2col"]);
    assert_eq!(words(lines[6])[..3], ["2", "forward", "matrixmultiply"]);
    assert_eq!(lines[7], "");
    assert!(stdout.contains("half of the windows without any"), "{stdout}");
}

#[test]
fn layers_go_by_their_names_and_a_csv_file_has_a_line_for_each_case() {
    let here = Here::empty();
    printed(&here, &format!("bench conv conv2d_2 {SMALL} --rounds 1 --pass grad_input --threads 2 --csv figures.csv"));
    let text = here.text("figures.csv");
    let rows = csv(&text);
    assert_eq!(rows[0][..6], ["layer", "convolution", "threads", "pass", "algorithm", "gradient"]);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{text}");
    assert_eq!(rows[1][..6], ["conv2d_2", "n16h30w30c64f128k3", "2", "grad_input", "im2col", "dense"]);
    assert_eq!(rows.last().unwrap()[..5], ["", SMALL, "2", "grad_input", "matrixmultiply"]);
    let sentence = "--csv: the folder missing does not exist; make it, or name another";
    let ran = here.run(&format!("bench conv {SMALL} --csv missing/figures.csv"));
    assert_eq!((ran.code, ran.stderr.lines().last()), (Some(2), Some(format!("error: {sentence}").as_str())));
}

#[test]
fn what_cannot_be_measured_is_told_with_an_example() {
    let here = Here::empty();
    let how = "write it as in n16h63w63c32f64k3 (images, height, width, channels, filters, kernel), with s2 behind it for a \
               stride of 2 and psame for padding";
    let argument = "for '[CONVOLUTION]...'";
    let value = |value: &str| format!("invalid value '{value}' {argument}:");
    here.misused(
        "bench conv conv2d_9",
        &format!("{} 'conv2d_9' cannot be read as a part of a convolution; {how}", value("conv2d_9")),
    );
    here.misused("bench conv n1h8f4", &format!("{} 'n1h8f4' lacks w, c, k; {how}", value("n1h8f4")));
    let sentence = "a kernel of 3×3 with stride 1×1 does not fit an input of 2×2×3 (height × width × channels); use larger \
                    images or a smaller kernel";
    here.misused("bench conv n1h2w2c3f4k3", &format!("{} {sentence}", value("n1h2w2c3f4k3")));
    let ran = here.run("bench conv --algorithm magic");
    assert_eq!(ran.code, Some(2));
    let sentence =
        "error: invalid value 'magic' for '--algorithm <NAME,…>': there is no such algorithm; there is im2col";
    assert!(ran.stderr.starts_with(sentence), "{}", ran.stderr);
    here.misused(
        "bench conv --pass back",
        "invalid value 'back' for '--pass <NAME,…>': there is no such pass; there is forward, grad_input, grad_weights",
    );
    here.misused(
        "bench conv --rounds 0",
        "invalid value '0' for '--rounds <N>': it must be a whole number from 1 to 100000",
    );
    let sentence = "invalid value '0' for '--threads <N,…>': it must be a whole number from 1 to 1024";
    here.misused("bench step --threads 1,0", sentence);
}

#[test]
fn a_step_has_what_scripts_read_and_its_phases_beside() {
    let here = Here::empty();
    let object = here.json("bench step --image-size 32 --batch-size 2 --steps 1 --threads 1,2");
    assert_milliseconds(&object["train_step_ms"]);
    assert_milliseconds(&object["inference_ms"]);
    let details =
        ["batch_size", "conv", "fuse", "inference_ms", "input", "machine", "model", "runs", "steps", "train_step_ms"];
    assert_eq!(keys(&object), details);
    let runs = object["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2);
    assert_eq!(object["train_step_ms"], runs[0]["initial"]["train_step_ms"]);
    assert_eq!(object["inference_ms"], runs[0]["initial"]["inference_ms"]);
    for (run, threads) in runs.iter().zip([1, 2]) {
        assert_eq!(keys(run), ["decode_ms", "initial", "threads", "trained"]);
        assert_eq!(run["threads"], threads);
        assert_milliseconds(&run["decode_ms"]);
        for weights in ["initial", "trained"] {
            let at = &run[weights];
            assert_eq!(keys(at), ["inference_ms", "inference_phases", "live_shares", "phases", "train_step_ms"]);
            let phases = at["phases"].as_array().unwrap();
            assert_eq!(keys(&phases[0]), ["layers", "ms", "phase", "share"]);
            phases.iter().for_each(|phase| assert_milliseconds(&phase["ms"]));
            assert_eq!(phases[0]["layers"], "conv2d+re_lu+max_pooling2d");
            assert_eq!(phases.last().unwrap()["phase"], "optimizer");
            let shares: Vec<f64> =
                at["live_shares"].as_array().unwrap().iter().map(|live| live["share"].as_f64().unwrap()).collect();
            assert!(shares.len() == 3 && shares.iter().all(|&share| share > 0.0 && share <= 0.25), "{shares:?}");
        }
    }
}

#[test]
fn a_step_of_another_model_runs_layer_by_layer_if_asked_to() {
    let here = Here::empty();
    let stdout =
        printed(&here, "bench step --model tiny.toml --batch-size 3 --steps 2 --threads 2 --no-fuse --conv im2col");
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines[1], "tiny.toml: batches of 3 images of 16×16×3, convolution im2col, layer by layer, 2 steps");
    let names: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("  ")?.get(..40)).map(str::trim).collect();
    let of =
        |pass: &str, layers: &[&str]| -> Vec<String> { layers.iter().map(|name| format!("{pass} {name}")).collect() };
    let layers = ["conv2d", "re_lu", "max_pooling2d", "flatten+dense", "re_lu_1", "dropout", "dense_1"];
    let reversed: Vec<&str> = layers.into_iter().rev().collect();
    let mut expected = of("forward", &layers);
    expected.push("loss".into());
    expected.extend(of("backward", &reversed));
    expected.push("optimizer".into());
    expected.extend(of("forward", &layers));
    assert_eq!(names.iter().filter(|name| !name.is_empty()).collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
    assert_eq!(lines.iter().filter(|line| line.starts_with("live gradients of conv2d ")).count(), 1);

    here.write("grey.toml", super::TINY.replace("[16, 16, 3]", "[16, 16, 1]"));
    let ran = here.run("bench step --model grey.toml");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("error: --model: its input is 16×16×1 (height × width × channels)"), "{}", ran.stderr);
}

#[test]
fn an_instruction_set_that_is_not_there_is_refused_by_all_that_compute() {
    let here = Here::with_model();
    let names: Vec<&str> = InstructionSet::available().map(InstructionSet::name).collect();
    let expected = format!(
        "error: GLASSNET_SIMD: 'abacus' is not an instruction set of this machine; it has {}\n",
        names.join(", ")
    );
    let predict = "predict run/weights/last.safetensors set/cat/00.png";
    for arguments in ["train set --model tiny.toml --out b", "reproduce --out b", predict, "bench conv", "bench step"] {
        let ran = Ran::of(here.command().env("GLASSNET_SIMD", "abacus").args(arguments.split(' ')));
        assert_eq!(
            (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
            (Some(2), "", expected.as_str()),
            "{arguments}"
        );
    }
    assert!(!here.path("b").exists());
    let train = "train set --model tiny.toml --epochs 1 --out portable";
    let ran = Ran::of(here.command().env("GLASSNET_SIMD", "portable").args(train.split(' ')));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let config: toml::Table = here.text("portable/config.toml").parse().unwrap();
    assert_eq!(config["machine"]["instruction_set"].as_str(), Some("portable"));
}
