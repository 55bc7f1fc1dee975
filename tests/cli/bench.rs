//! `glassnet bench`. What it prints is checked for its shape and for what does not depend on time.

use super::{Here, Ran, csv, keys};
use expect_test::expect;
use glassnet::geometry::{ConvGeometry, Padding};
use glassnet::kernels::conv::Pass;
use glassnet::kernels::conv::registry::CONV_ALGORITHMS;
use glassnet::kernels::simd::InstructionSet;
use regex::Regex;
use serde_json::Value;

/// A convolution that takes a moment.
const SMALL: &str = "n1h8w8c3f4k3";

/// What only a build without optimisation warns of.
const NOT_RELEASE: &str = "warning: this program was built without --release; its figures are not those of the engine as it is \
                           meant to be used\n";

/// A run whose stderr is as that of a release build, wherever it was made.
#[track_caller]
fn bench(here: &Here, arguments: &str) -> Ran {
    let mut ran = here.run(arguments);
    if cfg!(debug_assertions) && ran.code == Some(0) {
        ran.stderr = ran.stderr.strip_prefix(NOT_RELEASE).expect("a build without --release says so").to_string();
    }
    ran
}

/// The one JSON object of a run that is done.
#[track_caller]
fn json(here: &Here, arguments: &str) -> Value {
    let ran = bench(here, &format!("{arguments} --json"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    ran.json()
}

/// What a run printed with `#` for each number that was measured, and without the width that it had.
fn without_measures(ran: &Ran) -> String {
    let masks = [
        (r"(?m)^.*, \w+, (\d threads?: at most)", "PROCESSOR, SET, $1"),
        (r"(?m)^ +(\d threads?: at most)", "                $1"),
        (r" *\b\d+\.\d+(e-\d+)?\b", " #"),
    ];
    masks
        .iter()
        .fold(ran.shown(), |text, (pattern, mask)| Regex::new(pattern).unwrap().replace_all(&text, *mask).into_owned())
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
    let object = json(&here, &format!("bench conv {SMALL} --rounds 1 --threads 1,2"));
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
    let ran = bench(&here, &format!("bench conv {SMALL} --rounds 1 --threads 1,2 --algorithm im2col --pass forward"));
    expect![[r#"
        PROCESSOR, SET, 1 thread: at most # GFLOP/s in f32, # GB/s to memory
                        2 threads: at most # GFLOP/s in f32, # GB/s to memory

        n1h8w8c3f4k3: 1 × 8×8×3 → 6×6×4, # GFLOP a pass; errors of one image of 8×8
        threads pass         algorithm      gradient    min ms median ms  GFLOP/s  peak %    GB/s  memory %    error × im2col product %
        ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
        1       forward      im2col # # # # # # # # #
        1       forward      matrixmultiply # # # # # # #
        ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
        2       forward      im2col # # # # # # # # #
        2       forward      matrixmultiply # # # # # # #

        Times are of the whole batch; rates and ratios are of the fastest round. GFLOP/s count the direct algorithm's arithmetic,
        2·N·P·K·F, so an algorithm that saves some can be above the peak. GB/s count input, kernel and output once, the least that
        must move. Error: max|a − b| / max|b| against the f64 reference. × im2col: how many times as fast as im2col.
        matrixmultiply is the matrix product of the same shape with the patches at hand, [P×K]·[K×F] going forward; product % is
        im2col's speed divided by that. The machine's limits are measured with its widest instruction set, whichever is in force.
        Gradients are dense: every position of the output has one. pooled: the gradient comes through a 2×2 max-pool, places drawn
        at random, half of the windows without any, so one position in eight has one.
        The sum over the images' weight gradients, the same for all, is not timed.
    "#]].assert_eq(&without_measures(&ran));
}

#[test]
fn layers_go_by_their_names_and_a_csv_file_has_a_line_for_each_case() {
    let here = Here::empty();
    let arguments = "--rounds 1 --pass grad_input --algorithm im2col --threads 2 --csv figures.csv";
    let ran = bench(&here, &format!("bench conv conv2d_2 {SMALL} {arguments}"));
    expect![[r#"
        PROCESSOR, SET, 2 threads: at most # GFLOP/s in f32, # GB/s to memory

        conv2d_2, n16h30w30c64f128k3: 16 × 30×30×64 → 28×28×128, # GFLOP a pass; errors of one image of 30×30
        threads pass         algorithm      gradient    min ms median ms  GFLOP/s  peak %    GB/s  memory %    error × im2col product %
        ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
        2       grad_input   im2col         dense # # # # # # # # #
        2       grad_input   matrixmultiply dense # # # # # # #

        n1h8w8c3f4k3: 1 × 8×8×3 → 6×6×4, # GFLOP a pass; errors of one image of 8×8
        threads pass         algorithm      gradient    min ms median ms  GFLOP/s  peak %    GB/s  memory %    error × im2col product %
        ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
        2       grad_input   im2col         dense # # # # # # # # #
        2       grad_input   matrixmultiply dense # # # # # # #

        Times are of the whole batch; rates and ratios are of the fastest round. GFLOP/s count the direct algorithm's arithmetic,
        2·N·P·K·F, so an algorithm that saves some can be above the peak. GB/s count input, kernel and output once, the least that
        must move. Error: max|a − b| / max|b| against the f64 reference. × im2col: how many times as fast as im2col.
        matrixmultiply is the matrix product of the same shape with the patches at hand, [P×K]·[K×F] going forward; product % is
        im2col's speed divided by that. The machine's limits are measured with its widest instruction set, whichever is in force.
        Gradients are dense: every position of the output has one. pooled: the gradient comes through a 2×2 max-pool, places drawn
        at random, half of the windows without any, so one position in eight has one.
        The sum over the images' weight gradients, the same for all, is not timed.
    "#]].assert_eq(&without_measures(&ran));
    let text = here.text("figures.csv");
    let rows = csv(&text);
    assert_eq!(rows[0][..6], ["layer", "convolution", "threads", "pass", "algorithm", "gradient"]);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{text}");
    assert_eq!(rows[1][..6], ["conv2d_2", "n16h30w30c64f128k3", "2", "grad_input", "im2col", "dense"]);
    assert_eq!(rows.last().unwrap()[..5], ["", SMALL, "2", "grad_input", "matrixmultiply"]);
    let sentence = "--csv: the folder missing does not exist; make it, or name another";
    let ran = here.run(&format!("bench conv {SMALL} --csv missing/figures.csv"));
    let stderr = ran.stderr.strip_prefix(NOT_RELEASE).unwrap_or(&ran.stderr);
    assert_eq!((ran.code, ran.stdout.as_str(), stderr), (Some(2), "", format!("error: {sentence}\n").as_str()));
}

#[test]
fn what_cannot_be_measured_is_told_with_an_example() {
    let here = Here::empty();
    let how = "write it as in n16h63w63c32f64k3 (images, height, width, channels, filters, kernel), with s2 behind it for a \
               stride of 2 and psame for padding, or p1 for one pixel of it on every side";
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
    here.prints("bench conv --algorithm magic", expect![[r#"
        stderr: error: invalid value 'magic' for '--algorithm <NAME,…>': there is no such algorithm; there are im2col, direct, winograd, winograd2x4, winograd2x2, winograd5x5, sparse
        stderr: 
        stderr: For more information, try '--help'.
        exit code 2
    "#]]);
    here.misused(
        "bench conv --pass back",
        "invalid value 'back' for '--pass <NAME,…>': there is no such pass; there are forward, grad_input, grad_weights",
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
    let object = json(&here, "bench step --image-size 32 --batch-size 2 --steps 1 --threads 1,2");
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
    let arguments = "--batch-size 3 --steps 2 --threads 2 --no-fuse --conv im2col";
    let ran = bench(&here, &format!("bench step --model tiny.toml {arguments}"));
    expect![[r#"
        PROCESSOR, SET, 2 threads: at most # GFLOP/s in f32, # GB/s to memory
        tiny.toml: batches of 3 images of 16×16×3, convolution im2col, layer by layer, 2 steps

        2 threads                                                initial weights              after 5 epochs
                                                        min ms median ms   share    min ms median ms   share
        ────────────────────────────────────────────────────────────────────────────────────────────────────
        training step # # # #
          forward conv2d # # # % # # # %
          forward re_lu # # # % # # # %
          forward max_pooling2d # # # % # # # %
          forward flatten+dense # # # % # # # %
          forward re_lu_1 # # # % # # # %
          forward dropout # # # % # # # %
          forward dense_1 # # # % # # # %
          loss # # # % # # # %
          backward dense_1 # # # % # # # %
          backward dropout # # # % # # # %
          backward re_lu_1 # # # % # # # %
          backward flatten+dense # # # % # # # %
          backward max_pooling2d # # # % # # # %
          backward re_lu # # # % # # # %
          backward conv2d # # # % # # # %
          optimizer # # # % # # # %
        inference # # # #
          forward conv2d # # # % # # # %
          forward re_lu # # # % # # # %
          forward max_pooling2d # # # % # # # %
          forward flatten+dense # # # % # # # %
          forward re_lu_1 # # # % # # # %
          forward dropout # # # % # # # %
          forward dense_1 # # # % # # # %
        decoding, beside the step # #
        ────────────────────────────────────────────────────────────────────────────────────────────────────
        live gradients of conv2d # % # %

        A training step is forward, loss, backward and optimizer on a batch in memory, dropout on; its phases' shares are of all steps'
        time. Decoding a batch from PNG is not part of it: while a step runs, the loader decodes the next batches, and only in the
        first epoch if the set fits into memory. The optimizer works with a learning rate of 0, so every step meets the same weights.
        Live gradients: the share of a convolution's output whose gradient is not 0 behind max-pooling and ReLU. The images are the
        synthetic set's. On a shared machine the minimum is the figure to compare.
    "#]].assert_eq(&without_measures(&ran));

    here.write("two.toml", super::TINY.replace("[16, 16, 3]", "[16, 16, 2]"));
    let ran = here.run("bench step --model two.toml");
    let stderr = ran.stderr.strip_prefix(NOT_RELEASE).unwrap_or(&ran.stderr);
    let error = "error: --model: its input is 16×16×2 (height × width × channels), and images are read with 3 channels, or 1 \
                 in grey; write input = [16, 16, 3]\n";
    assert_eq!((ran.code, ran.stdout.as_str(), stderr), (Some(2), "", error));
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
    expect![[r#"
        Found 20 images belonging to 2 classes.
        Found 4 images belonging to 2 classes.
        Always answering 'dog' would be right for 12 of 20 training images (0.6000) and 2 of 4 validation images (0.5000)
        Epoch 1/1
        2/2 [==============================] - TIME - loss: #.#### - accuracy: 0.4000 - val_loss: #.#### - val_accuracy: 0.2500
        Training Accuracy: 0.4000
        Training images again, without dropout: the last weights have accuracy 0.3500, loss #.#### (while training: accuracy 0.4000)
        Validation, last weights: 1 of 4 right, accuracy 0.2500; always answering 'dog' would have 0.5000
        Positive class 'dog': sensitivity 0.0000, specificity 0.5000, ROC AUC 0.2500
        Best weights: those of epoch 1, with the lowest val_loss, #.####
        Run folder: portable
    "#]].assert_eq(&ran.shown());
    let config: toml::Table = here.text("portable/config.toml").parse().unwrap();
    assert_eq!(config["machine"]["instruction_set"].as_str(), Some("portable"));
}

#[test]
fn ranks_share_a_batch_and_what_each_sends_is_counted() {
    let here = Here::empty();
    here.write(
        "net.toml",
        concat!(
            "input = [20, 20, 1]\nlayers = [{ type = 'conv2d', filters = 8, kernel = 3 }, { type = 'relu' }, ",
            "{ type = 'flatten' }, { type = 'dense', units = 1 }]",
        ),
    );
    let ran = bench(&here, "bench ranks --model net.toml --ranks 2,3 --batch-size 4 --steps 1");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[1], "2673 parameters, batches of 4, all ranks together, 1 step");
    let row = |line: &str| line.split_whitespace().take(3).map(str::to_string).collect::<Vec<_>>();
    assert_eq!(row(lines[3]), ["ranks", "batch", "share"]);
    assert_eq!([row(lines[4]), row(lines[5]), row(lines[6])], [["1", "4", "4"], ["2", "4", "2"], ["3", "4", "2"]]);
    let object = json(&here, "bench ranks --model net.toml --ranks 2 --per-rank --batch-size 3 --steps 2");
    let [alone, two] = [&object["ranks"][0], &object["ranks"][1]];
    assert_eq!(keys(two), ["batch", "bytes", "messages", "ranks", "reckoned", "share", "work_ms"]);
    assert_eq!((&alone["messages"], &alone["bytes"]), (&0.into(), &0.into()));
    assert_eq!((&two["batch"], &two["share"]), (&6.into(), &3.into()));
    // To the other: its logits and the wish to stop; the dense layer's inputs and gradients; half of each of
    // its three slots, and half of their sums.
    let (logits, dense, slot) = (3 + 1, 3 * (18 * 18 * 8) + 3, 9 * 8 + 8);
    assert_eq!(two["messages"], 4);
    let slots = two["bytes"].as_u64().unwrap() / 4 - (logits + dense);
    // In the order of an algorithm a slot may have gaps.
    assert!((2 * slot..=8 * slot).contains(&slots), "{slots}");
    let link = &two["reckoned"][0];
    let expected = two["work_ms"]["median"].as_f64().unwrap() + 4.0 * 0.01 + two["bytes"].as_f64().unwrap() / 1.1e6;
    assert!((link["step_ms"].as_f64().unwrap() - expected).abs() < 1e-9, "{link}");
}
